/* SPDX-License-Identifier: MIT
 *
 * bbr.h: BBR version 3, draft-ietf-ccwg-bbr-06: how fast the path delivers and how long it takes are measured, and as much flies as these two say.
 *
 * The functions are those of struct pl_cc_ops (parley/cc.h); `user` is not used. Flags: PL_CC_OWN_RECOVERY | PL_CC_WANTS_RATE.
 */
#ifndef TCP_CC_BBR_H
#define TCP_CC_BBR_H

#include <parley/cc.h>

extern const struct pl_cc_ops bbr_ops;

void bbr_on_start(void *user, struct pl_cc *, void *state, pl_time now, pl_time srtt);
void bbr_on_ack(void *user, struct pl_cc *, void *state, const struct pl_cc_ack *);
void bbr_on_loss(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight);
void bbr_on_rto(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight, bool first);
void bbr_on_recovered(void *user, struct pl_cc *, void *state, pl_time now);
void bbr_on_undo(void *user, struct pl_cc *, void *state, pl_time now);
void bbr_on_restart(void *user, struct pl_cc *, void *state, pl_time now, pl_time idle, bool app_limited);
void bbr_on_lost(void *user, struct pl_cc *, void *state, const struct pl_cc_lost *);
const char *bbr_on_describe(void *user, const struct pl_cc *, const void *state);

#endif
