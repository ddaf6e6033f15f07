/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/rtt.h"

void rtt_init(struct rtt *r, const struct rtt_bounds *b)
{
    *r = (struct rtt){0};
    r->rto = b->rto_initial;              /* RFC 6298 2.1 */
}

static void recompute(struct rtt *r, const struct rtt_bounds *b)
{
    /* RFC 6298 1, 2.2, 2.3-c, 4: never less than the clock; nor than rto_min, which stands in place of RFC 6298 2.4's 1 s (docs/defaults.md) */
    pl_time margin = 4 * r->rttvar;
    if (margin < b->rto_min)
        margin = b->rto_min;
    r->rto = r->srtt + margin;
    if (r->rto > b->rto_max)              /* RFC 6298 2.5 */
        r->rto = b->rto_max;
}

void rtt_sample(struct rtt *r, pl_time sample, const struct rtt_bounds *b)
{
    if (sample == 0)
        sample = 1;
    if (r->srtt == 0) {                   /* RFC 6298 2.2: the first measurement */
        r->srtt = sample;
        r->rttvar = sample / 2;
    } else {                              /* RFC 6298 2.3-a, 2.3-b: RTTVAR first, with the old SRTT; alpha 1/8, beta 1/4 */
        pl_time delta = r->srtt > sample ? r->srtt - sample : sample - r->srtt;
        r->rttvar = r->rttvar - r->rttvar / 4 + delta / 4;
        r->srtt = r->srtt - r->srtt / 8 + sample / 8;
    }
    recompute(r, b);
}

void rtt_adapt(struct rtt *r, pl_time srtt_before, pl_time rttvar_before, pl_time sample, const struct rtt_bounds *b)
{
    r->srtt = srtt_before > sample ? srtt_before : sample;
    r->rttvar = rttvar_before > sample / 2 ? rttvar_before : sample / 2;
    recompute(r, b);
}

pl_time rtt_rto(const struct rtt *r, const struct rtt_bounds *b)
{
    pl_time rto = r->rto;
    for (uint32_t i = 0; i < r->backoffs && rto < b->rto_max; i++)
        rto *= 2;                         /* RFC 6298 5.5 */
    return rto < b->rto_max ? rto : b->rto_max;
}

void rtt_syn_was_lost(struct rtt *r, const struct rtt_bounds *b)
{
    if (r->srtt == 0 && r->rto < 3 * b->rto_initial)
        r->rto = 3 * b->rto_initial;      /* 3 s with the initial RTO of 1 s */
}
