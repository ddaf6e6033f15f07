/* SPDX-License-Identifier: MIT
 *
 * codel.h: Controlled Delay, RFC 8289: a queue that looks at how long its frames waited, and begins to drop at its head when all of them waited for longer
 * than `target` during a whole `interval`; the next drops follow at interval / sqrt(count), until a frame waited less. With `ecn` a frame of an ECN-capable
 * transport is marked instead (RFC 3168), and goes out.
 *
 * A small machine over a FIFO of packets; it knows no link and no clock.
 */
#ifndef SIM_CODEL_H
#define SIM_CODEL_H

#include "sim/packet.h"

/* In the order of arrival. packet->queued is when it came. */
struct fifo {
    struct packet *first, *last;
    uint64_t bytes;
    uint32_t packets;
};
void fifo_put(struct fifo *, struct packet *, pl_time now);
struct packet *fifo_take(struct fifo *);               /* NULL: empty */
void fifo_free(struct fifo *);

struct codel {
    pl_time target, interval;             /* 5 ms, 100 ms if left 0 */
    bool ecn, ethernet;
    uint64_t maxpacket;                   /* bytes: with no more than this waiting nothing is dropped; the link's MTU */
    /* kept by codel; the names are the RFC's (5.2) */
    pl_time first_above_time, drop_next;
    uint32_t count, lastcount;
    bool dropping;
};

enum codel_deed { CODEL_DROPPED, CODEL_MARKED };
/* Told of each frame that it acts on. A dropped one is the callee's. */
typedef void codel_told_fn(void *user, enum codel_deed, struct packet *, pl_time now);

/* The next frame to send, the caller's; NULL: none is left. */
struct packet *codel_take(struct codel *, struct fifo *, pl_time now, codel_told_fn *, void *user);
/* t + interval / sqrt(count), in integers: never less, and at most 1 ns + 2^-16 of it more. */
pl_time codel_control_law(pl_time t, pl_time interval, uint32_t count);

#endif
