/* SPDX-License-Identifier: MIT
 *
 * life.c: what bounds a connection's life: the user timeout (RFC 9293 3.10.8), and, once the program has given the handle back, the bounds that
 * bring every orphan to CLOSED (RFC 9293 3.8.6.1: resource exhaustion; docs/defaults.md).
 */
#include "transport/tcp/tcp.h"

static bool waits_for_peer(const struct tcp *c)      /* something of ours is not acknowledged */
{
    return c->snd_stream.len || (c->fin_queued && !c->fin_acked) || !c->syn_acked;
}

/* From 32 bits of milliseconds, which hold more than the config's bound; rounded down. */
static pl_time orphan_since(const struct tcp_ctx *x, const struct tcp *c)
{
    pl_time ms = x->wire_now / PL_MS;
    return (ms - ((uint32_t)ms - c->orphan_ms)) * PL_MS + (x->now - x->wire_now);
}

struct bound {
    pl_time at;
    enum pl_reason why;
};

static struct bound nearest(const struct tcp_ctx *x, const struct tcp *c)
{
    struct bound b = {PL_NEVER, PL_WHY_NONE};
    if (c->state == PL_CLOSED || c->state == PL_TIME_WAIT)
        return b;
    bool waits = waits_for_peer(c);
    if (c->user_timeout_ms && waits)
        b = (struct bound){c->progress_at + c->user_timeout_ms * PL_MS, PL_WHY_TIMER_USER};
    if (c->orphan && waits && c->progress_at + x->config->orphan_timeout < b.at)
        b = (struct bound){c->progress_at + x->config->orphan_timeout, PL_WHY_TIMER_ORPHAN};
    /* Progress puts the others off, byte by byte for ever if the peer likes; not this one (threats V48, V49). */
    pl_time lifetime_ends = orphan_since(x, c) + x->config->orphan_lifetime;
    if (c->orphan && lifetime_ends < b.at)
        b = (struct bound){lifetime_ends, PL_WHY_TIMER_ORPHAN_LIFETIME};
    if (c->orphan && c->state == PL_FIN_WAIT_2 && c->progress_at + x->config->fin_wait_2_timeout < b.at)
        b = (struct bound){c->progress_at + x->config->fin_wait_2_timeout, PL_WHY_TIMER_FIN_WAIT_2};
    return b;
}

/* Arms the timer for the nearest bound; a later bound is noticed when the earlier one fires. */
void life_rearm(struct tcp_ctx *x, struct tcp *c)
{
    if (timers_due(&c->timers, TIMER_LIFE, x->now))
        return;                           /* about to be looked at: not to be put off */
    pl_time at = nearest(x, c).at;
    if (at == PL_NEVER)
        timers_clear(&c->timers, TIMER_LIFE);
    else                                  /* a bound that was lowered may lie behind: next, never now */
        timers_set(&c->timers, TIMER_LIFE, at > x->now ? at : x->now + 1);
}

void life_fires(struct tcp_ctx *x, struct tcp *c)
{
    struct bound b = nearest(x, c);
    timers_clear(&c->timers, TIMER_LIFE);
    if (b.at > x->now)
        return;                           /* progress since: armed anew when things settle */
    tcp_trace(x, c, PL_TRACE_TIMER, b.why, (int64_t)(x->now - c->progress_at), 0);
    if (tcp_synchronised(c))
        tcp_owe_reset(x, c, PL_WHY_RST_TIMEOUT);
    tcp_die(x, c, b.why == PL_WHY_TIMER_FIN_WAIT_2 ? 0 : c->soft_error ? c->soft_error : PL_ETIMEDOUT, b.why);
}
