/* SPDX-License-Identifier: MIT
 *
 * rtt.h: round-trip time and retransmission timeout, RFC 6298.
 *
 * Deviation, listed in docs/defaults.md: the floor of 200 ms is under 4*RTTVAR, not under the whole RTO, and there is no 1 s minimum (SHOULD),
 * as in every peer of today.
 */
#ifndef TCP_MODELS_RTT_H
#define TCP_MODELS_RTT_H

#include <parley/types.h>

struct rtt_bounds {
    pl_time rto_initial, rto_min, rto_max;
};
struct rtt {
    pl_time srtt, rttvar;                 /* srtt 0: no sample yet */
    pl_time rto;                          /* without back-off */
    uint32_t backoffs;                    /* doublings in force */
    uint32_t pad_;
};

void rtt_init(struct rtt *, const struct rtt_bounds *);
void rtt_sample(struct rtt *, pl_time sample, const struct rtt_bounds *);
/* RFC 4015 3.2 (11), after a time-out that came too early: not less than before it, nor than what the path does now. */
void rtt_adapt(struct rtt *, pl_time srtt_before, pl_time rttvar_before, pl_time sample, const struct rtt_bounds *);
pl_time rtt_rto(const struct rtt *, const struct rtt_bounds *);     /* with back-off, at most rto_max */
/* The SYN or its answer had to be repeated and there is no sample: start data with 3 s (RFC 6298 5.7). */
void rtt_syn_was_lost(struct rtt *, const struct rtt_bounds *);

#endif
