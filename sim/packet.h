/* SPDX-License-Identifier: MIT
 *
 * packet.h: one frame under way, copied out of the stack that sent it. It owns its bytes. Under the address sanitizer they are an allocation of exactly their
 * size, so that it sees a read past the end; else what is freed is kept for the next.
 */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include <parley/types.h>

struct packet {
    uint64_t id;                          /* 1, 2, ... in order of sending over the whole world; copies keep it */
    uint32_t copy;                        /* 0: the original; 1, 2, ...: its duplicates */
    uint16_t gso_size, gso_segs, csum_start, csum_off, hdr_len;
    uint8_t flags;                        /* enum pl_frame_flag */
    bool injected;                        /* made by hand, not sent by a node */
    pl_time not_before;
    pl_time queued;                       /* when it came to the queue that it stands in */
    pl_time arrives;                      /* on its way: when, and its place among what happens at that time (queue.h) */
    uint64_t order;
    struct packet *next;                  /* in the queue, or behind it on the way */
    size_t len;
    uint8_t bytes[];
};

/* All give memory that packet_free takes back. They end the program when there is none: a simulation cannot go on. */
struct packet *packet_from_bytes(const void *bytes, size_t len);
struct packet *packet_from_frame(const struct pl_frame *);
struct packet *packet_copy(const struct packet *);
void packet_free(struct packet *);                     /* NULL: nothing */

/* Describes the packet as a frame of one span for pl_rx. A transport checksum left to the device counts as vouched for: the bytes never
 * left memory (unless they were corrupted on the way, which clears the flag). */
void packet_frame(struct packet *, struct pl_frame *);
unsigned packet_segs(const struct packet *);           /* segments that it stands for, at least 1 */

#endif
