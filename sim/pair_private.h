/* SPDX-License-Identifier: MIT
 *
 * pair_private.h: what the files of the pair share.
 */
#ifndef SIM_PAIR_PRIVATE_H
#define SIM_PAIR_PRIVATE_H

#include "sim/pair.h"

/* Fills flags, numbers and port from a frame that match_tcp took for TCP. */
void pair_read_frame(struct pair_segment *, const uint8_t *frame, size_t len, bool ethernet);

#endif
