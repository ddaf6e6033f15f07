/* SPDX-License-Identifier: MIT
 *
 * persist.c: the peer's window is closed, and the segment that opens it may be lost: ask. RFC 9293 3.8.6.1 (MUST-36, SHLD-29, 30), and the
 * sender's override time-out, 3.8.6.2.1.
 */
#include "transport/tcp/tcp.h"

void persist_fires(struct tcp_ctx *x, struct tcp *c)
{
    struct rtt r = c->rtt;
    struct rtt_bounds b = tcp_rtt_bounds(x);
    r.backoffs = c->persist_backoffs;
    timers_clear(&c->timers, TIMER_RESEND);
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_PERSIST, (int64_t)rtt_rto(&r, &b), c->snd.wnd);
    /* MUST-37: kept up as long as the peer answers. One that does not is given up like one that acknowledges nothing: by count, or, with a user timeout,
     * by time alone (MUST-21; life.c). */
    uint32_t bound = c->orphan ? x->config->orphan_retries : c->user_timeout_ms ? UINT32_MAX : x->config->data_retries;
    if (c->snd.wnd == 0 && c->probes >= bound) {
        tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_RETRIES, (int64_t)(x->now - c->progress_at), c->probes);
        tcp_owe_reset(x, c, PL_WHY_RST_TIMEOUT);
        tcp_die(x, c, c->soft_error ? c->soft_error : PL_ETIMEDOUT, PL_WHY_TIMER_RETRIES);
        return;
    }
    if (c->snd.wnd == 0) {
        c->probe_due = true;
        c->probes += c->probes < UINT8_MAX;              /* since the peer was last heard: keepalive_heard */
    } else {
        c->override_due = true;
    }
    c->persist_backoffs += c->persist_backoffs < 32;     /* SHLD-30: exponentially longer */
}
