/* SPDX-License-Identifier: MIT
 *
 * none.h: no congestion control, for links whose capacity is known: what the peer's window allows may fly, at once, and losses say nothing. A queue in
 * between that others use, too, would be flooded: never across a network that is shared.
 *
 * The functions of struct pl_cc_ops that it has; the others are NULL. Its flags: NONE_FLAGS.
 */
#ifndef TCP_CC_NONE_H
#define TCP_CC_NONE_H

#include <parley/cc.h>

enum { NONE_FLAGS = PL_CC_OWN_RECOVERY }; /* cwnd is never led anywhere */

void none_on_start(void *user, struct pl_cc *, void *state, pl_time now, pl_time srtt);
const char *none_on_describe(void *user, const struct pl_cc *, const void *state);

#endif
