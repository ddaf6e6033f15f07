/* SPDX-License-Identifier: MIT
 *
 * frame.h: a frame's bytes, wherever its spans are.
 */
#ifndef OS_DRIVER_FRAME_H
#define OS_DRIVER_FRAME_H

#include <parley/types.h>

/* Ethernet, the longest super-frame that pl_rx takes, and room to spare. */
#define FRAME_BYTES_MAX (65535 + 14 + 4)

/* All bytes of the frame. */
size_t frame_bytes(const struct pl_frame *);
/* Copies all bytes of the frame, one after the other, to `to`, which has room for frame_bytes. */
void frame_gather(const struct pl_frame *, void *to);
/* Describes bytes [off, off + n) of the frame in at most `max` spans. Returns spans; -1: more would be needed, or the frame ends before. */
int frame_slice(const struct pl_frame *, size_t off, size_t n, struct pl_span *out, int max);

#endif
