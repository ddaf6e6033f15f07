/* SPDX-License-Identifier: MIT
 *
 * output.c: what should be sent next, and when? RFC 9293 3.7, 3.8; the sender's side of everything.
 *
 * tcp_want answers both questions from the connection alone, so the time that is told to the host and the segment that is sent can never disagree.
 * tcp_build forms the segment at the last moment: its ACK, window and timestamp are never stale.
 */
#include "base/check.h"
#include "base/seq.h"
#include "transport/tcp/tcp.h"

#define WHEN_POOLS_ARE_EMPTY (10 * PL_MS)  /* look again: another connection may have given something back */

static void wants(struct tcp_want *w, enum tcp_what what, enum pl_reason why, pl_time now)
{
    w->when = now;
    w->what = (uint8_t)what;
    w->why = (uint16_t)why;
}

static enum pl_reason syn_ack_why(const struct tcp *c)
{
    if (c->active)
        return PL_WHY_SYN_ACK_CROSSED;
    return c->syn_retries || c->syn_sent ? PL_WHY_SYN_ACK_REPEAT : PL_WHY_SYN_ACK_ANSWER;
}

/* Of a record, `n` bytes of text, and its FIN if they are the last. */
static void want_again(struct tcp_want *w, const struct rtx_record *r, uint32_t id, uint32_t n, uint32_t text)
{
    w->record = id;
    w->bytes = n;
    w->fin = (r->flags & RTX_FIN) && n == text;
}

/* What was lost goes first, as far as the congestion window lets it (RFC 8985 9.3-a); the first one always may (RFC 6298 5.4). The peer's window is not
 * asked: what it let in once may be repeated after it shrank (SHLD-16, MAY-7). Of one that cannot be split the first segment is the first. */
static void want_resend(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, struct tcp_want *w)
{
    uint32_t id = rtx_first_lost(&x->pools->records, &f->queue);
    const struct rtx_record *r = rtx_at(&x->pools->records, id);
    uint32_t text = r->len - r->again - (r->flags & RTX_FIN ? 1 : 0);
    uint32_t n = text < c->opt.mss ? text : c->opt.mss;
    if (tcp_pipe(f) + n > c->cc.cwnd && (id != f->queue.head || r->again))
        return;
    want_again(w, r, id, n, text);
    enum pl_reason fast = c->opt.sack_ok ? PL_WHY_DATA_REPEAT_RACK : PL_WHY_DATA_REPEAT_FAST, rto = w->fin ? PL_WHY_DATA_REPEAT_RTO_FIN : PL_WHY_DATA_REPEAT_RTO;
    if (w->fin)
        fast = c->opt.sack_ok ? PL_WHY_DATA_REPEAT_RACK_FIN : PL_WHY_DATA_REPEAT_FAST_FIN;
    wants(w, WANT_RESEND, w->fin && n == 0 ? PL_WHY_FIN_REPEAT : f->in_recovery ? fast : rto, x->now);
}

static bool no_record(const struct tcp_ctx *x, const struct tcp_flight *f)
{
    return x->pools->records.used == x->pools->records.capacity || (f && f->queue.count >= x->config->records_per_conn_max);
}

/* RFC 8985 7.3-c, 7.3-d: one segment of new data, or else the last one that was sent, whatever the congestion window says. */
static void want_loss_probe(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, struct tcp_want *w)
{
    uint32_t unsent = tcp_unsent(c), mss = c->opt.mss;
    int64_t window = (int64_t)c->snd.wnd - (int64_t)(c->snd.nxt - c->snd.una);
    w->loss_probe = true;
    if (unsent && window > 0 && !no_record(x, f)) {
        uint32_t n = unsent < mss ? unsent : mss;
        w->bytes = (int64_t)n < window ? n : (uint32_t)window;
        wants(w, WANT_DATA, PL_WHY_PROBE_LOSS_NEW, x->now);
        return;
    }
    const struct rtx_record *r = rtx_at(&x->pools->records, f->queue.tail);
    uint32_t text = r->len - (r->flags & RTX_FIN ? 1 : 0), last = text ? (text - 1) % mss + 1 : 0;
    if (r->flags & (RTX_SACKED | RTX_LOST) || (text > mss && x->pools->records.used == x->pools->records.capacity)) {
        f->probe_due = false;
        return;
    }
    want_again(w, r, f->queue.tail, last, last);
    wants(w, WANT_RESEND, PL_WHY_PROBE_LOSS, x->now);
}

/* Bytes that the peer's window and the congestion window let go now (RFC 7323 2.4-d). */
static uint32_t sendable(const struct tcp *c, const struct tcp_flight *f, uint32_t unsent)
{
    int64_t window = (int64_t)c->snd.wnd - (int64_t)(c->snd.nxt - c->snd.una);    /* negative after it shrank: MUST-34, SHLD-15 */
    uint32_t cwnd = c->cc.cwnd;
    uint32_t pipe = f ? tcp_pipe(f) : 0;
    if (f && !f->in_recovery && !f->in_rto_recovery)
        cwnd += f->left * c->opt.mss;     /* RFC 3042: limited transmit */
    int64_t congestion = (int64_t)cwnd - pipe;
    if (f && f->undo.frto == 3)           /* RFC 5682 3.1 (2b): "transmit up to two new (previously unsent) segments" */
        congestion = (int64_t)f->undo.frto_new * c->opt.mss;
    int64_t n = window < congestion ? window : congestion;
    return n <= 0 ? 0 : n < unsent ? (uint32_t)n : unsent;
}

/* The FIN goes with the last byte, or alone; it needs a place in the peer's window like a byte. */
static bool fin_fits(const struct tcp *c, uint32_t bytes)
{
    return c->fin_queued && !c->fin_sent && bytes == tcp_unsent(c) && c->snd.nxt - c->snd.una + bytes < c->snd.wnd;
}

/* RFC 9293 3.7.4, SHLD-7, MUST-17: Nagle, unless the program said no; so small writes gather (MAY-16). */
static void want_data(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t gso_bytes, uint32_t paced, struct tcp_want *w)
{
    uint32_t unsent = tcp_unsent(c);
    if ((unsent == 0 && (!c->fin_queued || c->fin_sent)) || !c->syn_acked)
        return;
    struct window_question q = {.sendable = sendable(c, f, unsent), .unsent = unsent, .mss = c->opt.mss, .max_wnd = c->snd.max_wnd, .in_flight = f != NULL,
                                .nagle = !c->nodelay && !c->fin_queued && !c->urgent_out, .overridden = c->override_due};
    uint32_t n = window_worth_sending(&q);
    uint32_t most = c->opt.mss;
    if (gso_bytes > PL_HEADER_BYTES_MAX + 2u * c->opt.mss && !c->urgent_out)    /* a device cannot count down the urgent pointer */
        most = (gso_bytes - PL_HEADER_BYTES_MAX) / c->opt.mss * c->opt.mss;
    uint32_t all = n < paced ? n : paced;
    n = all < most ? all : most;
    if (c->cork && !c->fin_queued && !c->override_due)
        n -= n % c->opt.mss;
    bool fin = fin_fits(c, n);
    if (n == 0 && !fin)
        return;
    if ((!f && !tcp_flight_can(x, c)) || no_record(x, f)) {         /* its own ACKs bring it back here, or the clock does */
        w->when = f ? PL_NEVER : x->now + WHEN_POOLS_ARE_EMPTY;
        return;
    }
    w->bytes = n;
    w->more = f ? all - n : 0;            /* the first one out begins a flight, after which the windows and the pace may be others: asked anew */
    w->fin = fin;
    wants(w, WANT_DATA, !fin ? PL_WHY_DATA_NEW : n ? PL_WHY_DATA_NEW_FIN : PL_WHY_FIN_CLOSE, x->now);
}

/* The program has read, and so much room came free that the peer should hear of it unasked. Before any text came there is no need: the offer of the
 * handshake is open, and the first ACK of text brings the scaled one. */
static bool update_due(const struct tcp_ctx *x, const struct tcp *c)
{
    return c->count.bytes_received && tcp_window_update_due(x, c);
}

static bool may_receive(const struct tcp *c) { return !c->fin_received && c->state >= PL_ESTABLISHED && c->state != PL_TIME_WAIT; }

static void want_ack(struct tcp_ctx *x, struct tcp *c, struct tcp_want *w)
{
    if (c->probe_due)
        wants(w, WANT_PROBE, PL_WHY_PROBE_ZERO_WINDOW, x->now);
    else if (c->delack.now)
        wants(w, WANT_ACK, c->delack.why, x->now);
    else if (c->gaps && c->opt.sack_ok && ooo_owes(tcp_ooo(x, c)))   /* as many as it takes: each block that is new, and each duplicate once */
        wants(w, WANT_ACK, tcp_ooo(x, c)->nduplicates ? PL_WHY_ACK_DSACK : PL_WHY_ACK_OUT_OF_ORDER, x->now);
    else if (may_receive(c) && update_due(x, c))
        wants(w, WANT_ACK, PL_WHY_WINDOW_UPDATE, x->now);
    else if (c->keepalive_due)
        wants(w, WANT_PROBE, PL_WHY_PROBE_KEEPALIVE, x->now);
}

/* Text, or the FIN: a loss probe, what was lost, what is new, in this order; after a time-out that may be a mistake new text first (RFC 5682). */
static void want_text(struct tcp_ctx *x, struct tcp *c, uint32_t gso_bytes, struct tcp_want *w)
{
    struct tcp_flight *m = tcp_memory(x, c), *f = c->snd.una != c->snd.nxt ? m : NULL;
    uint32_t paced = m && c->cc.pacing_rate ? tcp_paced(x, c, m) : UINT32_MAX;
    if (f && f->probe_due) {
        want_loss_probe(x, c, f, w);
        if (w->what != WANT_NOTHING)
            return;
        w->loss_probe = false;            /* it has nothing to say */
    }
    if (paced == 0) {
        if ((f && f->queue.lost) || tcp_unsent(c) || (c->fin_queued && !c->fin_sent))
            w->when = m->next_at;
        return;
    }
    bool lost = f && f->queue.lost;
    if (!lost || f->undo.frto == 3)       /* nothing new before what was lost */
        want_data(x, c, f, gso_bytes, paced, w);
    if (lost && w->what == WANT_NOTHING && f->undo.frto == 3 && f->undo.frto_new == 2) {
        f->undo.frto = 0;                 /* RFC 5682 2.1 (2b): no new segment may go: "skip step 3" */
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_FRTO_OVER, 3, 0);
    }
    if (lost && f->undo.frto != 3)
        want_resend(x, c, f, w);
}

struct tcp_want tcp_want(struct tcp_ctx *x, struct tcp *c, uint32_t gso_bytes)
{
    struct tcp_want w = {.when = PL_NEVER, .what = WANT_NOTHING};
    if (c->state == PL_CLOSED || c->state == PL_LISTEN)
        return w;
    if (c->syn_due && c->state == PL_SYN_SENT) {
        wants(&w, WANT_SYN, c->syn_sent ? PL_WHY_SYN_REPEAT : PL_WHY_SYN_CONNECT, x->now);
    } else if (c->syn_due && c->state == PL_SYN_RECEIVED) {
        wants(&w, WANT_SYN_ACK, syn_ack_why(c), x->now);
    } else if (c->state != PL_SYN_SENT) {
        want_text(x, c, gso_bytes, &w);
        if (w.what == WANT_NOTHING)
            want_ack(x, c, &w);
    }
    if (w.what == WANT_NOTHING) {
        pl_time timer = timers_next(&c->timers);
        w.when = timer < w.when ? timer : w.when;
    }
    return w;
}

/* Whole segments with text behind them: no window, Nagle or FIN has anything to add. The last of them is asked about. */
bool tcp_want_again(const struct tcp_ctx *x, const struct tcp *c, struct tcp_want *w)
{
    if (w->what != WANT_DATA || w->more <= w->bytes || no_record(x, tcp_flight(x, c)))
        return false;
    w->more -= w->bytes;
    return true;
}

/* Something waits to be sent, nothing is in flight whose ACK would bring us back, and yet nothing may go: the peer's window is closed or too
 * small. RFC 9293 3.8.6.1, MUST-35, 36: probe it. */
static bool window_blocks(const struct tcp_ctx *x, const struct tcp *c)
{
    const struct tcp_flight *m = tcp_memory(x, c);
    if (m && c->cc.pacing_rate && tcp_paced(x, c, m) == 0)
        return false;                     /* its time will come */
    bool waits = tcp_unsent(c) || (c->fin_queued && !c->fin_sent);
    return waits && c->syn_acked && !tcp_outstanding(c) && c->state != PL_CLOSED;
}

/* RFC 9293 3.8.6.1, SHLD-29: the first probe one RTO after the window closed. MUST-37: no count bounds them, only the user timeout may. */
static void probe_if_blocked(struct tcp_ctx *x, struct tcp *c)
{
    if (window_blocks(x, c)) {
        if (c->timers.resend_is == RESEND_OFF) {
            struct rtt r = c->rtt;
            struct rtt_bounds b = tcp_rtt_bounds(x);
            r.backoffs = c->persist_backoffs;
            timers_set_resend(&c->timers, RESEND_PERSIST, x->now + rtt_rto(&r, &b));
        }
    } else if (c->timers.resend_is == RESEND_PERSIST) {
        timers_clear(&c->timers, TIMER_RESEND);
        c->persist_backoffs = 0;
        c->probe_due = c->override_due = false;
    }
}

/* What the sender waits for, now that nothing more is sent. The congestion window is asked first: as long as it is full nothing else is in the way. */
static enum tcp_limit limit(const struct tcp *c, const struct tcp_flight *m)
{
    uint32_t unsent = tcp_unsent(c), under_way = c->snd.nxt - c->snd.una;
    if (unsent == 0 && !c->wants_write)
        return under_way ? LIMIT_BUSY : LIMIT_IDLE;
    if (tcp_pipe(m) + c->opt.mss > c->cc.cwnd)
        return LIMIT_BUSY;
    if (unsent == 0)
        return under_way ? LIMIT_SNDBUF : LIMIT_IDLE;
    uint32_t least = unsent < c->opt.mss ? unsent : c->opt.mss;
    return c->snd.wnd < under_way + least ? LIMIT_RWND : LIMIT_BUSY;
}

static void limited(const struct tcp_ctx *x, struct tcp_flight *m, enum tcp_limit by)
{
    if (m->limit == by)
        return;
    if (m->limit != LIMIT_IDLE)
        m->limit_spent[m->limit - 1] += x->wire_now - m->limit_since;
    m->limit_since = x->wire_now;
    m->limit = (uint8_t)by;
}

pl_time tcp_settle(struct tcp_ctx *x, struct tcp *c, const struct tcp_want *w)
{
    CHECK(w->what == WANT_NOTHING);
    struct tcp_flight *m = tcp_memory(x, c);
    if (m)
        limited(x, m, limit(c, m));
    if (c->user_timeout_ms || c->orphan)
        life_rearm(x, c);
    probe_if_blocked(x, c);
    pl_time timer = timers_next(&c->timers);
    return timer < w->when ? timer : w->when;
}

bool tcp_said_all(struct tcp_ctx *x, struct tcp *c, pl_time *when)
{
    struct tcp_flight *m = tcp_memory(x, c);
    bool odd = c->probe_due | c->keepalive_due | c->syn_due | !c->syn_acked | (c->fin_queued != c->fin_sent) | (m && m->probe_due);
    if (odd || tcp_unsent(c) || c->delack.now || c->gaps || (m && m->queue.lost))
        return false;                     /* else: the window was told with what went just now */
    if (m)
        limited(x, m, limit(c, m));
    if (c->user_timeout_ms || c->orphan)
        life_rearm(x, c);
    if (c->timers.resend_is == RESEND_PERSIST)
        probe_if_blocked(x, c);
    *when = timers_next(&c->timers);
    return true;
}

/* The SYN's and SYN-ACK's fields: RFC 9293 3.7.1 (MUST-14: MSS; always, MAY-3, SHLD-5; nowhere else, MUST-65), RFC 7323 2.2-a, 2.3-a,
 * 2.3-b and 3.2, RFC 2018 2. On a SYN-ACK only what the peer offered. */
static void build_syn(struct tcp_ctx *x, struct tcp *c, bool answer, struct tcp_out *o)
{
    struct wire_tcp_opts *opts = &o->opts;
    bool scale = answer ? c->opt.wscale_ok : x->config->window_scaling;
    bool sack = answer ? c->opt.sack_ok : x->config->sack;
    bool ts = answer ? c->opt.ts_ok : x->config->timestamps;
    opts->have = (uint8_t)(WIRE_OPT_MSS | (scale ? WIRE_OPT_WSCALE : 0) | (sack ? WIRE_OPT_SACK_PERMITTED : 0) | (ts ? WIRE_OPT_TIMESTAMPS : 0) |
                           (c->uto_enabled ? WIRE_OPT_USER_TIMEOUT : 0));      /* RFC 5482 3: suggested, not negotiated */
    opts->user_timeout = c->uto_enabled ? user_timeout_advertised(x, c) : 0;
    opts->mss = options_mss_to_announce(x->link_mtu ? x->link_mtu : c->path_mtu, tcp_ipv6(&c->flow));    /* MUST-67: of the interface, not of the path */
    opts->mss = options_limit(opts->mss, c->opt.mss_max);
    opts->wscale = c->opt.rcv_wscale;
    o->seq = c->snd.iss;
    o->flags = PL_SYN | (answer ? PL_ACK : 0);
    if (!c->syn_sent)                     /* what was told once stays: SHLD-14 */
        c->rcv.wnd = tcp_first_window(x, c);
    o->wnd = o->wnd_raw = (uint16_t)c->rcv.wnd;
    c->syn_due = false;
    bool first = c->active && !c->syn_sent;              /* the timer waited for the device so far: RFC 6298 5.1 begins here. A half-open entry's goes on */
    if (first)
        c->syn_retries = 0, c->rtt.backoffs = 0;
    if (c->syn_sent)
        c->syn_repeated = true;           /* for whatever reason: RFC 6298 3: its acknowledgement gives no sample */
    else
        c->syn_sent_at = x->now;
    c->syn_sent = true;
    struct rtt_bounds b = tcp_rtt_bounds(x);
    if (first || c->timers.resend_is != RESEND_RTO)
        timers_set_resend(&c->timers, RESEND_RTO, x->now + rtt_rto(&c->rtt, &b));
}

/* RFC 6298 5.1; and a loss probe: "after transmitting new data", RFC 8985 7.2. RFC 6675 6: in recovery each repetition starts the timer anew: that it is lost
 * is noticed a round trip later, by what went after it, and where three round trips are more than an RTO the timer would come before the repair. */
static void start_timers(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, bool again, bool repairs)
{
    bool running = c->timers.resend_is != RESEND_OFF && c->timers.resend_is != RESEND_PERSIST;
    if (!running || repairs)
        tcp_rto_restart(x, c, f);
    if (!running || ((repairs || !again) && c->timers.resend_is != RESEND_REORDER))
        tcp_rto_arm(x, c, f, 0);
}

/* Of n bytes those that only limited transmit lets go: the segments that FlightSize, without those before it, has no room for in cwnd. RFC 5681 3.2 (2) */
static uint32_t beyond_window(const struct tcp *c, const struct tcp_flight *f, uint32_t n)
{
    uint32_t flight = c->snd.nxt - c->snd.una - f->limited, room = c->cc.cwnd > flight ? c->cc.cwnd - flight : 0;
    return room >= n ? 0 : n - room / c->opt.mss * c->opt.mss;
}

/* The rest of a burst: the timers stand as they should. */
static bool armed(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    return f->armed_at == x->now && c->timers.resend_is == RESEND_LOSS_PROBE && c->snd.nxt - c->snd.una > 2u * c->opt.mss;
}

static void build_data(struct tcp_ctx *x, struct tcp *c, const struct tcp_want *w, struct tcp_out *o, struct pl_span *spans, unsigned max)
{
    struct stream_at at = {0, 0};
    uint32_t n = w->bytes, covered = n;
    bool fin = w->fin;
    if (!tcp_outstanding(c))
        tcp_flight_begins(x, c);
    if (n) {
        at = stream_find(&x->pools->chunks, &c->snd_stream, c->snd_sent);
        o->nspans = (uint8_t)stream_spans_at(&x->pools->chunks, at, n, spans, max, &covered);
    }
    if (covered < n) {                    /* more pieces than spans: whole segments only, the rest next time */
        n = covered > c->opt.mss ? covered - covered % c->opt.mss : covered;
        o->nspans = (uint8_t)stream_spans_at(&x->pools->chunks, at, n, spans, max, &covered);
        fin = false;
        o->why = PL_WHY_DATA_NEW;
    }
    o->seq = c->snd.nxt;
    o->text = n;
    o->segs = (uint16_t)(n > c->opt.mss ? (n + c->opt.mss - 1) / c->opt.mss : 1);
    /* RFC 9293 3.9.1.2, MUST-60, 61: PSH on the last segment of what the program gave; one for all writes in it (SHLD-27). */
    o->flags = PL_ACK | (n && n == tcp_unsent(c) ? PL_PSH : 0) | (fin ? PL_FIN : 0);
    struct tcp_flight *f = tcp_memory(x, c);
    uint32_t id = rtx_append(&x->pools->records, &f->queue, x->config->records_per_conn_max, o->seq, n + (fin ? 1 : 0), at, fin, x->wire_now);
    if (f->cc_flags & PL_CC_WANTS_RATE)
        rate_sent(&f->rate, &rtx_at(&x->pools->records, id)->rate, x->wire_now, n, f->queue.pipe);
    if (f->dupacks && !f->in_recovery)
        f->limited += beyond_window(c, f, n);
    if (f->in_recovery)
        prr_sent(&f->prr, n);
    if (f->undo.frto == 3)
        f->undo.frto_new -= f->undo.frto_new < o->segs ? f->undo.frto_new : (uint8_t)o->segs;
    tcp_pace(x, c, f, n);
    f->sent_at = x->wire_now;
    c->snd_sent += n;
    c->snd.nxt += n + (fin ? 1 : 0);
    c->fin_sent |= fin;
    c->override_due = false;
    c->count.bytes_sent += n;
    if (w->loss_probe) {
        f->probe_due = false;
        f->rack.probe_end = c->snd.nxt;
    } else if (!armed(x, c, f)) {
        start_timers(x, c, f, false, false);
    }
}

/* RFC 8985 7.3: "Retransmit the highest-sequence Segment sent". */
static uint32_t probe_record(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    f->probe_due = false;
    f->rack.probe_again = true;
    return rtx_cut_tail(&x->pools->records, &x->pools->chunks, &f->queue, c->opt.mss);
}

static void build_resend(struct tcp_ctx *x, struct tcp *c, const struct tcp_want *w, struct tcp_out *o, struct pl_span *spans, unsigned max)
{
    struct tcp_flight *f = tcp_flight(x, c);
    struct stream_at at;
    uint32_t covered = w->bytes, id = w->loss_probe ? probe_record(x, c, f) : w->record;
    o->seq = rtx_next_again(&x->pools->records, &x->pools->chunks, id, &at);
    if (w->bytes)
        o->nspans = (uint8_t)stream_spans_at(&x->pools->chunks, at, w->bytes, spans, max, &covered);
    bool fin = w->fin && covered == w->bytes;
    if (w->fin && !fin)
        o->why = !f->in_recovery ? PL_WHY_DATA_REPEAT_RTO : c->opt.sack_ok ? PL_WHY_DATA_REPEAT_RACK : PL_WHY_DATA_REPEAT_FAST;
    uint32_t bytes = covered + (fin ? 1 : 0);
    rtx_sent_again(&x->pools->records, &x->pools->chunks, &f->queue, id, bytes, x->wire_now);
    if (f->cc_flags & PL_CC_WANTS_RATE)
        rate_sent(&f->rate, &rtx_at(&x->pools->records, id)->rate, x->wire_now, bytes, f->queue.pipe);
    tcp_recovery_sent_again(x, c, f, o->seq, bytes);
    tcp_pace(x, c, f, covered);
    f->sent_at = x->wire_now;
    o->text = covered;
    o->flags = PL_ACK | (o->seq + covered == c->snd.nxt - (c->fin_sent ? 1 : 0) && covered ? PL_PSH : 0) | (fin ? PL_FIN : 0);
    c->count.bytes_retransmitted += covered;
    c->count.retransmits++;
    start_timers(x, c, f, true, f->in_recovery && c->opt.sack_ok);
}

/* RFC 9293 3.8.6.1, 3.8.4, SHLD-12: a probe: an old sequence number, so that whoever gets it must answer. Without text (docs/defaults.md). */
static void build_probe(struct tcp *c, struct tcp_out *o)
{
    o->seq = (c->probe_due ? c->snd.una : c->snd.nxt) - 1;
    o->flags = PL_ACK;
    c->probe_due = c->keepalive_due = false;
}

/* RFC 2018 3, 4-a, 4-b, 4-c. RFC 9293 3.7.1, MUST-16: beside text only as far as it fits into a full-sized segment, options counted. */
static void build_sack(struct tcp_ctx *x, struct tcp *c, struct tcp_out *o)
{
    uint32_t room = o->segs > 1 || o->text > c->opt.mss ? 0 : c->opt.mss - o->text, most = c->opt.ts_ok ? 3 : 4;
    uint32_t fits = room >= 12 ? (room - 4) / 8 : 0;
    o->opts.nsack = (uint8_t)ooo_report(tcp_ooo(x, c), &o->opts, fits < most ? fits : most);
    o->opts.have |= o->opts.nsack ? WIRE_OPT_SACK : 0;
}

/* RFC 5482 3-d: in the next segment that has room for it. One that is lost is not repeated: RFC 5482 3.2. */
static void build_user_timeout(struct tcp_ctx *x, struct tcp *c, struct tcp_out *o)
{
    if (o->opts.nsack || o->segs > 1 || o->text + 4 > c->opt.mss)
        return;
    o->opts.have |= WIRE_OPT_USER_TIMEOUT;
    o->opts.user_timeout = user_timeout_advertised(x, c);
    c->uto_due = false;
}

/* A probe is meant to be not acceptable: of it the peer looks at the sequence number alone, and drops the rest unread, RFC 9293 3.10.7.4 first. What is
 * to be told to it is told in another segment: an ACK that is owed, blocks, a larger window. */
static bool is_probe(const struct tcp_want *w) { return w->what == WANT_PROBE; }

/* Does this segment pay an ACK that is owed? Not if the ACK is to tell of gaps or duplicates and there was no room for them beside the text; and without
 * SACK the peer counts the ACKs themselves, those without text: RFC 5681 2, 4.2. */
static bool pays_ack(const struct tcp *c, const struct tcp_out *o) { return !(o->text && c->gaps && o->opts.nsack == 0); }

/* What every segment of a synchronised connection carries. */
static void build_common(struct tcp_ctx *x, struct tcp *c, const struct tcp_want *w, struct tcp_out *o)
{
    bool read = !is_probe(w);
    if (!(o->flags & PL_SYN)) {
        if (may_receive(c) && read)
            tcp_offer_window(x, c);
        o->wnd_raw = window_field(c->rcv.wnd, c->opt.rcv_wscale);
        o->wnd = (uint32_t)o->wnd_raw << c->opt.rcv_wscale;          /* RCV.WND itself stays exact: RFC 7323 2.3-e, 2.4-c */
        if (c->opt.ts_ok)                 /* RFC 7323 3.2-d */
            o->opts.have |= WIRE_OPT_TIMESTAMPS;
        if (c->opt.sack_ok && c->gaps && read)
            build_sack(x, c, o);
        if (c->uto_due && read)
            build_user_timeout(x, c, o);
    }
    /* RFC 9293 3.8.5, MUST-30: while urgent data is ahead, the segments say how far it reaches: SND.UP, as an offset of 16 bits. */
    if (c->urgent_out && (o->flags & PL_ACK) && seq_gt(c->snd.up, o->seq)) {
        uint32_t ahead = c->snd.up - o->seq;
        o->flags |= PL_URG;
        o->up = (uint16_t)(ahead < 65535 ? ahead : 65535);
    }
    if (o->opts.have & WIRE_OPT_TIMESTAMPS) {            /* RFC 7323 3.2-a, 3.2-b: the echo is valid only with an ACK */
        o->opts.ts_val = timestamps_clock(c->ts.offset, x->wire_now);
        o->opts.ts_ecr = o->flags & PL_ACK ? c->ts.recent : 0;
    }
    if (o->flags & PL_ACK) {
        o->ack = c->rcv.nxt;
        c->ts.last_ack_sent = c->rcv.nxt;
        if (read && pays_ack(c, o)) {
            delack_sent(&c->delack);
            timers_clear(&c->timers, TIMER_DELACK);
            tcp_gaps_forget(x, c);        /* if it only held a duplicate to be told of */
        }
    }
}

void tcp_build(struct tcp_ctx *x, struct tcp *c, const struct tcp_want *w, struct tcp_out *o, struct pl_span *spans, unsigned max)
{
    *o = (struct tcp_out){.why = w->why, .segs = 1};
    switch (w->what) {
    case WANT_SYN:
    case WANT_SYN_ACK:
        build_syn(x, c, w->what == WANT_SYN_ACK, o);
        break;
    case WANT_DATA:
        build_data(x, c, w, o, spans, max);
        break;
    case WANT_RESEND:
        build_resend(x, c, w, o, spans, max);
        break;
    case WANT_PROBE:
        build_probe(c, o);
        break;
    default:
        o->seq = c->snd.nxt;
        o->flags = PL_ACK;
        break;
    }
    build_common(x, c, w, o);
    c->count.segs_out += o->segs;
}
