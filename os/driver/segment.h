/* SPDX-License-Identifier: MIT
 *
 * segment.h: where the headers of a frame end, and how a super-frame becomes the segments that it stands for.
 *
 * A super-frame is one header and up to 64 KiB of payload for `gso_segs` segments of `gso_size` bytes. Cutting it up is what a network card
 * with TSO does: each segment gets a copy of the header with its own sequence number, lengths, IPv4 identification and checksums; FIN and
 * PSH belong to the last segment, CWR to the first (RFC 3168 6.1.2: one CWR answers one reduction). UDP super-frames (datagrams of one
 * size to one peer) are cut the same way.
 */
#ifndef OS_DRIVER_SEGMENT_H
#define OS_DRIVER_SEGMENT_H

#include <parley/types.h>

/* Offsets from the start of the frame. */
struct layout {
    uint8_t version;                      /* 4 or 6 */
    uint8_t protocol;                     /* 6 or 17 */
    uint16_t l3, l4, payload;
    uint32_t end;                         /* end of the IP packet; a short Ethernet frame is padded beyond it */
};

/* Finds the headers of a TCP or UDP packet in the first n bytes of a frame. False: something else, a fragment, or cut short. */
bool layout_find(const uint8_t *p, size_t n, bool ethernet, struct layout *);
/* Stores the header lengths for `payload` bytes of payload, and IPv4's header checksum. */
void layout_set_payload(uint8_t *header, const struct layout *, size_t payload);
/* The partial sum of the pseudo-header for a transport packet of n bytes. */
uint32_t layout_pseudo(const uint8_t *header, const struct layout *, size_t n);

#define SEGMENT_HEADER_BYTES_MAX 256

struct segmenter {
    const struct pl_frame *frame;         /* must stay as it is until the last segment was taken */
    struct layout at;
    bool finish;                          /* complete the checksums; else leave them to the device (PL_F_CSUM_PARTIAL) */
    uint32_t cpu;                         /* for the checksum */
    uint32_t index, segments;
};

/* Prepares to cut up `frame`. A frame that is no super-frame is one segment. False: its headers cannot be read. */
bool segmenter_begin(struct segmenter *, const struct pl_frame *, bool ethernet, bool finish, uint32_t cpu);
/* Writes the next segment: its header into `header` (SEGMENT_HEADER_BYTES_MAX bytes), its payload as spans of the frame. False: there is
 * none left. */
bool segmenter_next(struct segmenter *, struct pl_frame *out, uint8_t *header);

/* For a frame that is no super-frame but whose checksum is left to the device: the same frame with the checksum completed, its first bytes
 * copied to `header`. False: the header does not fit, or the frame does not say where the checksum is. */
bool frame_finish_checksum(const struct pl_frame *, struct pl_frame *out, uint8_t *header, uint32_t cpu);

#endif
