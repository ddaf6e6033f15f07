/* SPDX-License-Identifier: MIT
 *
 * rto.c: no acknowledgement in time. RFC 6298 5, 5.4 to 5.6, RFC 9293 3.8.1 and 3.8.3 (R1, R2), RFC 5681 3.1.
 */
#include "transport/tcp/tcp.h"

void rto_fires(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_flight *f = tcp_flight(x, c);
    timers_clear(&c->timers, TIMER_RESEND);
    if (!f)
        return;
    /* RFC 9293 3.8.3, MUST-21: R2 is the program's to set: with a user timeout, time alone decides (life.c), later or sooner than the count. */
    uint32_t bound = c->orphan ? x->config->orphan_retries : c->user_timeout_ms ? UINT32_MAX : x->config->data_retries;
    if (f->retries >= bound) {            /* RFC 9293 3.8.3: R2: close the connection (MUST-20b) */
        tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_RETRIES, (int64_t)(x->now - c->progress_at), f->retries);
        if (c->orphan)
            tcp_owe_reset(x, c, PL_WHY_RST_TIMEOUT);
        tcp_die(x, c, c->soft_error ? c->soft_error : PL_ETIMEDOUT, PL_WHY_TIMER_RETRIES);
        return;
    }
    struct rtt_bounds b = tcp_rtt_bounds(x);
    uint32_t before = c->cc.cwnd, ssthresh = c->cc.ssthresh;
    bool back_off = f->in_rto_recovery;
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_RTO, (int64_t)rtt_rto(&c->rtt, &b), c->rtt.backoffs);
    /* A peer that has closed its window over what is under way, and answers, is alive: the repetition is a probe then (SHLD-17, MUST-35, 37). */
    bool alive = c->snd.wnd == 0 && x->now - c->heard_at <= rtt_rto(&c->rtt, &b);
    f->retries = (uint8_t)(alive ? 0 : f->retries + (f->retries < UINT8_MAX));
    c->rtt.backoffs++;                    /* RFC 6298 5.5, 5.6; RFC 9293 3.8.3, MUST-20a, SHLD-10: R1 = 3: IP is asked to look at the path */
    if (f->retries >= 3)
        tcp_doubt(x, c);
    tcp_recovery_rto(x, c, f);            /* RFC 9293 3.8.2, MUST-19; RFC 2018 5.1-a; what a SACK said is kept, but the first goes at once: RFC 2018 5-c, 5.1-b */
    if (!back_off || before != c->cc.cwnd || ssthresh != c->cc.ssthresh)    /* a back-off: RFC 5681 3.1 */
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_RTO, before, c->cc.cwnd);
}
