/* SPDX-License-Identifier: MIT
 *
 * join.h: segments of one TCP flow that arrived in a row become one super-frame.
 */
#ifndef OS_DRIVER_JOIN_H
#define OS_DRIVER_JOIN_H

#include <parley/types.h>

#define JOIN_FRAMES_MAX 64

/* Writes the n frames (at most JOIN_FRAMES_MAX) of `in` to `out`, joined where that loses nothing. Returns how many there are. The bytes of
 * joined frames' headers are changed; their checksum was found right, so the result says PL_F_CSUM_OK. The order within a flow is kept. */
int join_frames(const struct pl_frame *in, int n, struct pl_frame *out, bool ethernet, uint32_t cpu);

#endif
