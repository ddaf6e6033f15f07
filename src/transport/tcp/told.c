/* SPDX-License-Identifier: MIT
 *
 * told.c: what the sender's machinery decided, for whoever listens to the trace: what the congestion control is doing, pacing, the reordering window of RACK
 * (RFC 8985), the steps of F-RTO (RFC 5682), limited transmit (RFC 3042), the validation of the window (RFC 7661).
 *
 * Nothing here is remembered from one call to the next: what a call found is compared with what it left, so a stack with a listener and one without are the
 * same byte for byte.
 */
#include "transport/tcp/tcp.h"

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static struct rack_question question(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    return (struct rack_question){.now = x->wire_now, .srtt = c->rtt.srtt, .una = c->snd.una, .nxt = c->snd.nxt, .repairing = f->in_recovery || f->in_rto_recovery};
}

pl_time tcp_reo_wnd(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    struct rack_question q = question(x, c, f);
    return rack_reo_wnd(&f->rack, &f->queue, &q);
}

/* While the stack leads cwnd through a repair, what an algorithm would make of it is nobody's business. */
static const char *doing(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    return f->in_recovery && !(f->cc_flags & PL_CC_OWN_RECOVERY) ? NULL : cc_describe(tcp_cc(x, c, f));
}

void tcp_look(struct tcp_ctx *x, struct tcp *c, struct tcp_seen *s)
{
    struct tcp_flight *f = tcp_memory(x, c);
    *s = (struct tcp_seen){.known = f != NULL, .cwnd = c->cc.cwnd, .pacing_rate = c->cc.pacing_rate};
    if (!f)
        return;
    uint8_t algorithm = f->algorithm;
    s->doing = doing(x, c, f);
    if (f->algorithm != algorithm)        /* who attached the block has not the one it went by: pl_stack_attach */
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CC_GONE, algorithm, f->algorithm);
    s->reo_wnd = tcp_reo_wnd(x, c, f);
    s->unused_since = f->validate.since;
    s->undone = f->count.undone;
    s->repairs = f->count.recoveries + f->count.timeouts;
    s->reo_wnd_mult = f->rack.reo_wnd_mult;
    s->frto = f->undo.frto;
    s->left = f->left;
    s->expired = f->validate.expired;
    s->reordering_seen = f->rack.reordering_seen;
}

static void decision(struct tcp_ctx *x, const struct tcp *c, enum pl_reason why, uint64_t before, uint64_t after)
{
    tcp_trace(x, c, PL_TRACE_DECISION, why, (int64_t)before, (int64_t)after);
}

/* What the built-in algorithms say of themselves. */
static const struct { const char *doing; enum pl_reason why; } states[] = {
    {"slow start", PL_WHY_CC_SLOW_START},
    {"conservative slow start", PL_WHY_CC_SLOW_START_CAUTIOUS},
    {"congestion avoidance", PL_WHY_CC_AVOIDANCE},
    {"Reno-friendly", PL_WHY_CC_RENO_FRIENDLY},
    {"concave", PL_WHY_CC_CONCAVE},
    {"convex", PL_WHY_CC_CONVEX},
    {"Startup", PL_WHY_CC_STARTUP},
    {"Drain", PL_WHY_CC_DRAIN},
    {"ProbeBW_DOWN", PL_WHY_CC_PROBE_BW_DOWN},
    {"ProbeBW_CRUISE", PL_WHY_CC_PROBE_BW_CRUISE},
    {"ProbeBW_REFILL", PL_WHY_CC_PROBE_BW_REFILL},
    {"ProbeBW_UP", PL_WHY_CC_PROBE_BW_UP},
    {"ProbeRTT", PL_WHY_CC_PROBE_RTT},
};

static enum pl_reason state_why(const struct tcp_flight *f, const char *was, const char *is)
{
    if (f->algorithm >= PL_CC_USER)
        return PL_WHY_CC_OWN;
    if (was && same(was, "conservative slow start"))         /* RFC 9406 4.2: both ways out of it */
        return same(is, "slow start") ? PL_WHY_CC_SLOW_START_RESUMED : PL_WHY_CC_SLOW_START_OVER;
    for (unsigned i = 0; i < sizeof states / sizeof states[0]; i++)
        if (same(is, states[i].doing))
            return states[i].why;
    return PL_WHY_CC_OWN;
}

static void tell_state(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_seen *s)
{
    const char *is = doing(x, c, f);
    if (is && (!s->doing || (is != s->doing && !same(is, s->doing))))
        decision(x, c, state_why(f, s->doing, is), s->cwnd, c->cc.cwnd);
}

static void tell_pacing(struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f, const struct tcp_seen *s)
{
    if ((s->pacing_rate == 0) == (c->cc.pacing_rate == 0))
        return;
    decision(x, c, c->cc.pacing_rate == 0 ? PL_WHY_PACING_ENDS : f->validate.paced ? PL_WHY_PACING_CAUTION : PL_WHY_PACING_BEGINS, s->pacing_rate, c->cc.pacing_rate);
}

static void tell_recovery(struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f, const struct tcp_seen *s)
{
    if (f->undo.frto == 2 && s->frto != 2)
        decision(x, c, PL_WHY_FRTO_WAITS, s->frto, 2);
    if (f->undo.frto == 3 && s->frto != 3)
        decision(x, c, PL_WHY_FRTO_NEW_DATA, s->frto, 3);
    if (f->undo.frto == 0 && s->frto && f->count.undone == s->undone)
        decision(x, c, PL_WHY_FRTO_OVER, s->frto, 0);
    if (f->left > s->left)
        decision(x, c, PL_WHY_LIMITED_TRANSMIT, s->left, f->left);
    pl_time wnd = tcp_reo_wnd(x, c, f);
    if (f->rack.reordering_seen && !s->reordering_seen)
        decision(x, c, PL_WHY_REORDERING, s->reo_wnd, wnd);
    if (f->rack.reo_wnd_mult > s->reo_wnd_mult)
        decision(x, c, PL_WHY_REO_WND_WIDER, s->reo_wnd, wnd);
    if (f->rack.reo_wnd_mult < s->reo_wnd_mult)
        decision(x, c, PL_WHY_REO_WND_BACK, s->reo_wnd, wnd);
}

/* A window that never grew beyond its initial size is not worth a word. */
static void tell_validation(struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f, const struct tcp_seen *s)
{
    const struct validate *v = &f->validate;
    uint32_t cwnd = v->expired == s->expired ? s->cwnd : c->cc.cwnd;      /* that was compared with pipeACK: the ACK which ended the sample lets it grow thereafter */
    if (v->expired != s->expired)
        decision(x, c, PL_WHY_WINDOW_HALVED, s->cwnd, c->cc.cwnd);
    if (c->cc.cwnd <= cc_initial_window(c->opt.mss) || !v->on)
        return;
    if (v->since && !s->unused_since)
        decision(x, c, PL_WHY_WINDOW_UNUSED, cwnd, v->pipe_ack);
    if (!v->since && s->unused_since && v->pipe_ack != VALIDATE_UNDEFINED && f->count.recoveries + f->count.timeouts == s->repairs)
        decision(x, c, PL_WHY_WINDOW_USED, cwnd, v->pipe_ack);
}

void tcp_tell(struct tcp_ctx *x, struct tcp *c, const struct tcp_seen *s)
{
    struct tcp_flight *f = tcp_memory(x, c);
    if (!f)
        return;
    if (s->known) {
        tell_recovery(x, c, f, s);
        tell_state(x, c, f, s);
        tell_validation(x, c, f, s);
    }
    tell_pacing(x, c, f, s);
}
