/* SPDX-License-Identifier: MIT */
#include "support/decisions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct look {
    struct decisions *d;
    struct decisions_conn *k;             /* NULL: not known before */
    const struct pl_tcp_status *now;
    const struct pl_trace_event *e;
};

__attribute__((format(printf, 2, 3))) static void wrong(const struct look *l, const char *format, ...)
{
    char text[300];
    va_list v;
    va_start(v, format);
    vsnprintf(text, sizeof text, format, v);
    va_end(v);
    if (l->d->wrongs++ == 0)
        snprintf(l->d->wrong, sizeof l->d->wrong, "%s, %" PRIu64 " us, kind %u %s %" PRId64 "->%" PRId64 ": %s", l->d->run, l->e->now / PL_US, l->e->kind,
                 pl_reason_name((enum pl_reason)l->e->why), l->e->a, l->e->b, text);
}

static bool same(uint64_t told, uint64_t is) { return told == is; }
static bool is_bbr(const struct pl_tcp_status *s) { return s->cc_name && strcmp(s->cc_name, "bbr") == 0; }
static bool began(const struct pl_tcp_status *s) { return s->cc_doing && *s->cc_doing; }      /* its congestion control: something was sent */

/* ------------------------------------------------------------------- numbers ------------------------------------------------------------------- */

/* What a decision's numbers are of. */
enum about {
    ABOUT_ELSE, ABOUT_CWND, ABOUT_STATE, ABOUT_SSTHRESH, ABOUT_SAME_CWND, ABOUT_PIPE_ACK, ABOUT_RATE, ABOUT_REO_WND, ABOUT_SACKED, ABOUT_SNDBUF, ABOUT_RCVBUF
};

static enum about about(unsigned why)
{
    if (why >= PL_WHY_CC_OWN && why <= PL_WHY_CC_PROBE_RTT)
        return ABOUT_STATE;
    switch (why) {
    case PL_WHY_CWND_RTO: case PL_WHY_CWND_PROBE: case PL_WHY_UNDO_EIFEL: case PL_WHY_UNDO_DSACK: case PL_WHY_UNDO_FRTO: case PL_WHY_CWND_EXIT:
    case PL_WHY_RTO_EXIT: case PL_WHY_CWND_IDLE: case PL_WHY_CWND_FORGOTTEN: case PL_WHY_WINDOW_HALVED: return ABOUT_CWND;
    case PL_WHY_CWND_FAST: case PL_WHY_CWND_RACK: case PL_WHY_CWND_AGAIN: return ABOUT_SSTHRESH;
    case PL_WHY_PROBE_NEEDLESS: return ABOUT_SAME_CWND;
    case PL_WHY_WINDOW_UNUSED: case PL_WHY_WINDOW_USED: return ABOUT_PIPE_ACK;
    case PL_WHY_PACING_BEGINS: case PL_WHY_PACING_CAUTION: case PL_WHY_PACING_ENDS: return ABOUT_RATE;
    case PL_WHY_REORDERING: case PL_WHY_REO_WND_WIDER: case PL_WHY_REO_WND_BACK: return ABOUT_REO_WND;
    case PL_WHY_RENEGED: return ABOUT_SACKED;
    case PL_WHY_SNDBUF_GROWN: case PL_WHY_SNDBUF_SHRUNK: return ABOUT_SNDBUF;
    case PL_WHY_RCVBUF_GROWN: case PL_WHY_RCVBUF_SHRUNK: return ABOUT_RCVBUF;
    default: return ABOUT_ELSE;
    }
}

static void after_is(const struct look *l, const char *what, uint64_t is)
{
    if (!same((uint64_t)l->e->b, is))
        wrong(l, "%s is %" PRIu64 " afterwards", what, is);
}

/* Before it: at the last event, or, where a call tells at its end what it did, at the last frame. */
static void before_was(const struct look *l, const char *what, uint64_t at_event, uint64_t at_frame)
{
    if (!same((uint64_t)l->e->a, at_event) && !same((uint64_t)l->e->a, at_frame))
        wrong(l, "%s was %" PRIu64 ", at the last frame %" PRIu64, what, at_event, at_frame);
}

static void numbers(const struct look *l)
{
    static const struct pl_tcp_status none;
    const struct pl_trace_event *e = l->e;
    const struct pl_tcp_status *s = l->now, *p = l->k ? &l->k->event : &none, *f = l->k ? &l->k->frame : &none;
    switch (about(e->why)) {
    case ABOUT_CWND:
    case ABOUT_STATE:
        after_is(l, "cwnd", s->cwnd_bytes);
        if (l->k)
            before_was(l, "cwnd", p->cwnd_bytes, f->cwnd_bytes);
        break;
    case ABOUT_SSTHRESH:
        after_is(l, is_bbr(s) ? "cwnd" : "ssthresh", is_bbr(s) ? s->cwnd_bytes : s->ssthresh_bytes);
        if (l->k)
            before_was(l, "cwnd", p->cwnd_bytes, f->cwnd_bytes);
        break;
    case ABOUT_SAME_CWND:
        after_is(l, "cwnd", s->cwnd_bytes);
        if (e->a != e->b)
            wrong(l, "cwnd stays");
        break;
    case ABOUT_PIPE_ACK:
        if (l->k && e->a != s->cwnd_bytes)
            before_was(l, "cwnd", p->cwnd_bytes, f->cwnd_bytes);
        if ((e->why == PL_WHY_WINDOW_USED) != s->window_validated || (e->b >= e->a / 2) != s->window_validated || e->b > PL_CC_CWND_MAX)
            wrong(l, "the window %s validated", s->window_validated ? "is" : "is not");
        break;
    case ABOUT_RATE:
        after_is(l, "the pacing rate", s->pacing_rate);
        if (l->k)
            before_was(l, "the pacing rate", p->pacing_rate, f->pacing_rate);
        if ((e->a == 0) != (e->why != PL_WHY_PACING_ENDS) || (e->b == 0) != (e->why == PL_WHY_PACING_ENDS))
            wrong(l, "it began, or it ended");
        break;
    case ABOUT_REO_WND:
        after_is(l, "RACK.reo_wnd", s->reo_wnd);
        if ((e->why == PL_WHY_REO_WND_WIDER && e->b < e->a) || (e->why == PL_WHY_REO_WND_BACK && (uint64_t)e->b > s->min_rtt / 4))
            wrong(l, "the other way, or more than a quarter of %" PRIu64, s->min_rtt);
        break;
    case ABOUT_SACKED:
        after_is(l, "what the peer has by its reports", s->sacked_bytes);
        if (e->a <= 0 || (l->k && (uint64_t)e->a != p->sacked_bytes && (uint64_t)e->a != f->sacked_bytes))
            wrong(l, "%u bytes were reported", p->sacked_bytes);
        break;
    case ABOUT_SNDBUF:
        after_is(l, "the send buffer", s->sndbuf_bytes);
        if ((e->b > e->a) != (e->why == PL_WHY_SNDBUF_GROWN))
            wrong(l, "the other way");
        break;
    case ABOUT_RCVBUF:
        after_is(l, "the receive buffer", s->rcvbuf_bytes);
        if ((e->b > e->a) != (e->why == PL_WHY_RCVBUF_GROWN))
            wrong(l, "the other way");
        break;
    case ABOUT_ELSE: break;
    }
}

/* The few that are about steps and times. */
static void other_numbers(const struct look *l)
{
    const struct pl_trace_event *e = l->e;
    switch (e->why) {
    case PL_WHY_FRTO_WAITS: if (e->b != 2) wrong(l, "that is step 2"); break;
    case PL_WHY_FRTO_NEW_DATA: if (e->a != 2 || e->b != 3) wrong(l, "from step 2 to step 3"); break;
    case PL_WHY_FRTO_OVER: if (e->a < 2 || e->a > 3 || e->b != 0) wrong(l, "from a step to none"); break;
    case PL_WHY_LIMITED_TRANSMIT: if (e->b <= e->a || e->b > 2) wrong(l, "two segments at most, one each time"); break;
    case PL_WHY_CC_CHOSEN: case PL_WHY_CC_GONE: if (e->a == e->b) wrong(l, "it is the same"); break;
    case PL_WHY_EARLY_TEXT_SHED: if (e->b >= e->a) wrong(l, "it gave nothing"); break;
    default: break;
    }
    if (e->kind != PL_TRACE_TIMER)
        return;
    /* a: its interval in ns. No timer is shorter than a millisecond (but what RACK waits for: RFC 8985 6.2), none began before there was the time */
    bool short_one = e->a < (int64_t)PL_MS && e->why != PL_WHY_TIMER_REORDER, long_one = e->a > (int64_t)e->now && e->why != PL_WHY_TIMER_RTO;
    if (e->a < 0 || short_one || long_one)
        wrong(l, "no interval of time");
    if (e->why == PL_WHY_TIMER_RTO && l->k && (uint64_t)e->a != l->k->event.rto)
        wrong(l, "RTO was %" PRIu64, l->k->event.rto);
}

/* Did anything change? The events about cwnd are the only ones that could be told for nothing. */
static void not_for_nothing(const struct look *l)
{
    const struct pl_tcp_status *s = l->now, *f = &l->k->frame;
    enum about a = about(l->e->why);
    bool changed = s->cwnd_bytes != f->cwnd_bytes || s->ssthresh_bytes != f->ssthresh_bytes || s->phase != f->phase || s->recoveries != f->recoveries ||
                   s->undone != f->undone || (s->cc_doing && f->cc_doing && strcmp(s->cc_doing, f->cc_doing) != 0);
    bool answer = l->e->why == PL_WHY_CWND_PROBE;        /* to the probe: it has shown a loss, and the window may be as small as can be already */
    if ((a == ABOUT_CWND || a == ABOUT_STATE || a == ABOUT_SSTHRESH) && !changed && !answer)
        wrong(l, "nothing has changed");
}

/* ------------------------------------------------------------------ what is told ------------------------------------------------------------------ */

static unsigned told(const struct look *l, unsigned from, unsigned to)
{
    unsigned n = 0;
    for (unsigned i = from; i <= to; i++)
        n += l->k->told[i];
    return n;
}
#define TOLD(l, why) told(l, PL_WHY_##why, PL_WHY_##why)

static bool told_about(const struct look *l, enum about a, enum about b)
{
    for (unsigned i = 1; i < PL_WHY_COUNT; i++)
        if (l->k->told[i] && (about(i) == a || about(i) == b))
            return true;
    return false;
}

static void count(const struct look *l, const char *what, uint32_t before, uint32_t now, unsigned events)
{
    if (now >= before && now - before != events)         /* less: a new flight, it begins with zero */
        wrong(l, "%s: %u times, told %u times", what, now - before, events);
}

static void window(const struct look *l)
{
    const struct pl_tcp_status *s = l->now, *f = &l->k->frame;
    bool reason = told_about(l, ABOUT_CWND, ABOUT_SSTHRESH) || TOLD(l, CC_CHOSEN) || TOLD(l, CC_GONE) || TOLD(l, FRTO_OVER);
    if (s->phase != f->phase && !reason)
        wrong(l, "the phase went from %u to %u, and nobody said why", f->phase, s->phase);
    if (is_bbr(s) || !began(f))
        return;
    if (s->ssthresh_bytes != f->ssthresh_bytes && !reason && !TOLD(l, CC_SLOW_START_OVER))
        wrong(l, "ssthresh went from %u to %u, and nobody said why", f->ssthresh_bytes, s->ssthresh_bytes);
    if (reason || s->phase == PL_CC_RECOVERY)
        return;
    uint32_t acked = s->snd.una - f->snd.una;            /* some of it may have been reported long ago: RFC 5681 3.1 counts it now */
    uint64_t fresh = s->bytes_delivered - f->bytes_delivered, most = (fresh > acked ? fresh : acked) + s->mss;
    uint64_t arrived = l->e->kind == PL_TRACE_IN ? most : 0;
    if (s->cwnd_bytes < f->cwnd_bytes || s->cwnd_bytes - f->cwnd_bytes > arrived)
        wrong(l, "cwnd went from %u to %u as %" PRIu64 " bytes arrived, and nobody said why", f->cwnd_bytes, s->cwnd_bytes, arrived);
}

static void the_rest(const struct look *l)
{
    const struct pl_tcp_status *s = l->now, *f = &l->k->frame;
    bool chosen = TOLD(l, CC_CHOSEN) || TOLD(l, CC_GONE) || TOLD(l, CWND_FORGOTTEN);
    bool led = !is_bbr(s) && (s->phase == PL_CC_RECOVERY || f->phase == PL_CC_RECOVERY);
    if (began(f) && strcmp(s->cc_name, f->cc_name) != 0 && !chosen)
        wrong(l, "%s became %s, and nobody said why", f->cc_name, s->cc_name);
    if (*s->cc_doing && *f->cc_doing && strcmp(s->cc_doing, f->cc_doing) != 0 && !led && !chosen && !told(l, PL_WHY_CC_OWN, PL_WHY_CC_PROBE_RTT))
        wrong(l, "%s became %s, and nobody said why", f->cc_doing, s->cc_doing);
    if ((s->pacing_rate == 0) != (f->pacing_rate == 0) && !told(l, PL_WHY_PACING_BEGINS, PL_WHY_PACING_ENDS))
        wrong(l, "pacing went from %" PRIu64 " to %" PRIu64 ", and nobody said why", f->pacing_rate, s->pacing_rate);
    if (s->reordering_seen && !f->reordering_seen && !TOLD(l, REORDERING))
        wrong(l, "reordering was seen, and nobody said so");
    if (s->sndbuf_bytes > f->sndbuf_bytes && s->sndbuf_bound != PL_BUFFER_FIXED && !TOLD(l, SNDBUF_GROWN))
        wrong(l, "the send buffer went from %u to %u, and nobody said why", f->sndbuf_bytes, s->sndbuf_bytes);
    if (s->rcvbuf_bytes > f->rcvbuf_bytes && s->rcvbuf_bound != PL_BUFFER_FIXED && !TOLD(l, RCVBUF_GROWN))
        wrong(l, "the receive buffer went from %u to %u, and nobody said why", f->rcvbuf_bytes, s->rcvbuf_bytes);
    count(l, "recoveries", f->recoveries, s->recoveries, TOLD(l, CWND_FAST) + TOLD(l, CWND_RACK) + TOLD(l, CWND_AGAIN));
    count(l, "time-outs", f->time_outs, s->time_outs, TOLD(l, TIMER_RTO));
    count(l, "mistakes", f->undone, s->undone, TOLD(l, UNDO_EIFEL) + TOLD(l, UNDO_DSACK) + TOLD(l, UNDO_FRTO));
    count(l, "reneging", f->reneged, s->reneged, TOLD(l, RENEGED));
}

/* -------------------------------------------------------------------- hearing -------------------------------------------------------------------- */

void decisions_begin(struct decisions *d, const char *run)
{
    d->run = run;
    memset(d->known, 0, sizeof d->known);
    d->next = 0;
}

static struct decisions_conn *find(struct decisions *d, const pl_stack *s, pl_conn c)
{
    for (unsigned i = 0; i < DECISIONS_KNOWN; i++)
        if (d->known[i].stack == s && d->known[i].conn == c)
            return &d->known[i];
    return NULL;
}

static bool of_a_sender(const struct pl_tcp_status *s)
{
    return s->state >= PL_ESTABLISHED && s->state != PL_TIME_WAIT;
}

void decisions_hear(struct decisions *d, const pl_stack *s, const struct pl_trace_event *e)
{
    struct pl_tcp_status now;
    char text[1000];
    if (e->why)
        d->seen[e->why]++;
    if (!e->conn || pl_status(s, e->conn, &now, sizeof now) != PL_OK)
        return;
    struct look l = {d, find(d, s, e->conn), &now, e};
    bool frame = e->kind == PL_TRACE_IN || e->kind == PL_TRACE_OUT;
    if (e->kind == PL_TRACE_DECISION || e->kind == PL_TRACE_TIMER) {
        if (pl_explain(s, e->conn, text, sizeof text) <= 0 || !*pl_reason_text((enum pl_reason)e->why))
            wrong(&l, "no sentence");
        numbers(&l);
        other_numbers(&l);
        if (l.k) {
            l.k->told[e->why]++;
            not_for_nothing(&l);
        }
    }
    if (!l.k && frame && of_a_sender(&now)) {
        l.k = &d->known[d->next++ % DECISIONS_KNOWN];
        *l.k = (struct decisions_conn){.stack = s, .conn = e->conn, .frame = now};
    } else if (l.k && frame) {
        if (of_a_sender(&now)) {
            window(&l);
            the_rest(&l);
            d->looked++;
        }
        l.k->frame = now;
        memset(l.k->told, 0, sizeof l.k->told);
    }
    if (l.k)
        l.k->event = now;
}
