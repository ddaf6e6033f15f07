/* SPDX-License-Identifier: MIT
 *
 * keepalive.c: is the peer still there? RFC 9293 3.8.4: off unless asked for (MUST-25), only after silence (MUST-26), and one unanswered probe
 * is no proof (MUST-29). RFC 9293 calls it a MAY (MAY-5).
 */
#include "transport/tcp/tcp.h"

/* MUST-26, 27: idle for the configured interval; probes follow each other more quickly, and only the last one is proof: MUST-29 */
static pl_time due_at(const struct tcp *c)
{
    uint64_t idle_ms = c->keepalive_idle_ms;
    if (c->uto_enabled && idle_ms <= c->user_timeout_ms)
        idle_ms = (uint64_t)c->user_timeout_ms + 1;      /* RFC 5482 4.2: never sooner than the user timeout that was adopted */
    return c->heard_at + (idle_ms + (uint64_t)c->probes * c->keepalive_interval_ms) * PL_MS;
}

/* Something acceptable arrived. */
void keepalive_heard(struct tcp_ctx *x, struct tcp *c)
{
    c->heard_at = x->now;
    c->probes = 0;
    if (c->keepalive && !c->timers.at[TIMER_KEEPALIVE])
        timers_set(&c->timers, TIMER_KEEPALIVE, due_at(c));
}

/* Switched on: the silence counts from now. Another number: from when the peer was heard; what is due already, next. */
void keepalive_rearm(struct tcp_ctx *x, struct tcp *c, bool from_now)
{
    c->probes = 0;
    if (!c->keepalive || c->state == PL_CLOSED) {
        timers_clear(&c->timers, TIMER_KEEPALIVE);
        return;
    }
    pl_time at = from_now ? x->now + due_at(c) - c->heard_at : due_at(c);
    timers_set(&c->timers, TIMER_KEEPALIVE, at > x->now ? at : x->now + 1);
}

void keepalive_fires(struct tcp_ctx *x, struct tcp *c)
{
    timers_clear(&c->timers, TIMER_KEEPALIVE);
    if (!c->keepalive || c->state == PL_CLOSED)
        return;
    pl_time due = due_at(c), interval = c->keepalive_interval_ms * PL_MS;
    /* heard since; or the retransmission timer (which is off at the moment when it fires), the persist timer or the handshake watches over the peer */
    if (due > x->now || tcp_outstanding(c) || c->timers.resend_is != RESEND_OFF || !tcp_synchronised(c)) {
        timers_set(&c->timers, TIMER_KEEPALIVE, due > x->now ? due : x->now + interval);
        return;
    }
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_KEEPALIVE, (int64_t)(x->now - c->heard_at), c->probes);
    if (c->probes >= c->keepalive_probes) {
        tcp_owe_reset(x, c, PL_WHY_RST_TIMEOUT);
        tcp_die(x, c, PL_ETIMEDOUT, PL_WHY_TIMER_KEEPALIVE);
        return;
    }
    c->probes++;
    c->keepalive_due = true;
    timers_set(&c->timers, TIMER_KEEPALIVE, x->now + interval);
}
