/* SPDX-License-Identifier: MIT
 *
 * newreno.h: slow start, congestion avoidance, and half as much after a loss. RFC 5681, RFC 6582, RFC 6928.
 */
#ifndef TCP_CC_NEWRENO_H
#define TCP_CC_NEWRENO_H

#include "transport/tcp/cc/hystart.h"

struct newreno {
    uint32_t acked;                       /* bytes acknowledged since the window last grew, in congestion avoidance */
    uint32_t prior_cwnd, prior_ssthresh;  /* before the last answer to a loss */
    uint32_t pad_;
    struct hystart hystart;               /* RFC 9406: leaves slow start before the queue overflows */
};

void newreno_on_ack(void *user, struct pl_cc *, void *state, const struct pl_cc_ack *);
void newreno_on_loss(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight);
void newreno_on_rto(void *user, struct pl_cc *, void *state, pl_time now, uint32_t flight, bool first);
void newreno_on_recovered(void *user, struct pl_cc *, void *state, pl_time now);
void newreno_on_undo(void *user, struct pl_cc *, void *state, pl_time now);
const char *newreno_on_describe(void *user, const struct pl_cc *, const void *state);

#endif
