/* SPDX-License-Identifier: MIT
 *
 * ack.c: RFC 9293 3.10.7.4 fifth: what the peer has received, and how much more it takes. RFC 5961 5, RFC 6298, RFC 5681, RFC 6582.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

static void resend_timer(struct tcp_ctx *x, struct tcp *c)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    if (c->flight)                        /* RFC 6298 5.3: new data acknowledged: start anew; RFC 6298 5.2: nothing left: stop */
        timers_set_resend(&c->timers, RESEND_RTO, x->now + rtt_rto(&c->rtt, &b));
    else
        timers_clear(&c->timers, TIMER_RESEND);
}

/* RFC 6298 3-a (Karn, MUST-18): a repeated segment gives no sample, unless the timestamp's echo says which copy was meant. Each ACK of new data
 * gives one otherwise, so there is one per round trip at least: RFC 6298 3-b. The echo of a segment without ACK is never read: RFC 7323 3.2-c. */
static void measure(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, const struct rtx_acked *a)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    if (a->sent && !a->repeated) {
        rtt_sample(&c->rtt, x->now - a->sent, &b);
    } else if (c->opt.ts_ok && (seg->opts.have & WIRE_OPT_TIMESTAMPS) && seg->opts.ts_ecr) {
        uint32_t ms = timestamps_clock(c->ts.offset, x->wire_now) - seg->opts.ts_ecr;
        if (ms >= 1u << 20)
            return;
        rtt_sample(&c->rtt, (ms ? ms : 1) * PL_MS, &b);
    } else {
        return;                           /* RFC 6298 5, MUST-18: the back-off stays in force until there is a sample */
    }
    c->rtt.backoffs = 0;
}

/* RFC 6582 3.2: an ACK that moves SND.UNA while a loss is being repaired. */
static void recovery(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t acked)
{
    bool full = seq_ge(c->snd.una, c->recover);
    if (f->in_rto_recovery && full)
        f->in_rto_recovery = false;
    if (!f->in_recovery)
        return;
    if (full) {
        uint32_t before = c->cc.cwnd;
        cc_on_recovered(&c->cc, f->queue.pipe, c->opt.mss);
        f->in_recovery = false;
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_EXIT, before, c->cc.cwnd);
    } else {                              /* partial: the next hole is lost as well */
        cc_on_partial(&c->cc, acked, c->opt.mss);
        if (f->queue.head)
            rtx_mark_front_lost(x->records, x->chunks, &f->queue, c->opt.mss);
    }
}

/* SND.UNA < SEG.ACK =< SND.NXT: "then set SND.UNA <- SEG.ACK. Any segments on the retransmission queue that are thereby entirely acknowledged
 * are removed." Only then is what they hold given up: RFC 2018 8-c. */
static void advance(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    uint32_t acked = seg->ack - c->snd.una;
    struct tcp_flight *f = tcp_flight(x, c);
    uint32_t in_flight = f ? f->queue.pipe : 0;
    if (f) {
        struct rtx_acked a = rtx_ack(x->records, x->chunks, &f->queue, seg->ack);
        measure(x, c, seg, &a);
    }
    c->snd.una = seg->ack;
    if (c->urgent_out && seq_ge(seg->ack, c->snd.up))
        c->urgent_out = false;
    if (c->below_recover && seq_gt(seg->ack, c->recover))
        c->below_recover = false;
    c->fin_acked = c->fin_sent && seg->ack == c->snd.nxt;
    uint32_t bytes = acked - (c->fin_acked ? 1 : 0);
    stream_drop(x->chunks, &c->snd_stream, bytes);
    x->chunks_freed = true;
    c->snd_sent -= bytes;
    c->count.bytes_acked += bytes;
    c->progress_at = x->now;
    c->soft_error = 0;
    x->progress = true;
    if (f) {
        f->dupacks = f->retries = 0;
        f->limited = f->left = 0;
        bool limited = c->cc.cwnd < c->cc.ssthresh ? c->cc.cwnd < 2 * in_flight : in_flight + 3u * c->opt.mss >= c->cc.cwnd;
        if (!f->in_recovery)
            cc_on_ack(&c->cc, acked, c->opt.mss, limited);
        recovery(x, c, f, acked);
        if (f->queue.count == 0)
            tcp_flight_end(x, c);
    }
    resend_timer(x, c);
    tcp_sndbuf_follow(x, c);
    if (tcp_writable_again(c))
        x->news |= PL_EV_WRITABLE;
}

/* RFC 2883 5: an ACK whose first block tells what came twice is no sign of a loss. It is compared with the acknowledgement in the same segment, never
 * with SND.UNA, and above that with the second block. */
static bool tells_of_duplicate(const struct tcp_seg *seg)
{
    const struct wire_tcp_opts *o = &seg->opts;
    if (o->nsack == 0)
        return false;
    return seq_le(o->sack[0].hi, seg->ack) || (o->nsack > 1 && seq_le(o->sack[1].lo, o->sack[0].lo) && seq_le(o->sack[0].hi, o->sack[1].hi));
}

/* RFC 6582 3.2 (2): not before "the Cumulative Acknowledgment field covers more than recover": until then duplicates may be answers to what was repeated
 * needlessly, after a time-out above all. At `recover` itself a SACK block tells which it is: something behind has arrived. */
static bool may_mean_loss(const struct tcp *c, const struct tcp_seg *seg)
{
    return !c->below_recover || (c->snd.una == c->recover && c->opt.sack_ok && seg->opts.nsack);
}

/* RFC 3042 2: each of the first two duplicates says that a segment has left the network. With SACK one that "contain[s] no new SACK information" says
 * nothing: the first block is always of the newest segment (RFC 2018 4). */
static void limited_transmit(const struct tcp *c, struct tcp_flight *f, const struct tcp_seg *seg)
{
    const struct wire_tcp_opts *o = &seg->opts;
    if (c->opt.sack_ok) {
        if (o->nsack == 0 || (o->sack[0].lo == f->told_lo && o->sack[0].hi == f->told_hi))
            return;
        f->told_lo = o->sack[0].lo;
        f->told_hi = o->sack[0].hi;
    }
    f->left += f->left < 2;
}

/* RFC 5681 2: what counts as a duplicate acknowledgement; 3.2: the third one means a loss. */
static void duplicate(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    struct tcp_flight *f = tcp_flight(x, c);
    if (!f || seg->len || seg->had_text || seg->ack != c->snd.una || seg->wnd != c->snd.wnd)
        return;
    if (c->opt.sack_ok && tells_of_duplicate(seg))
        return;
    f->dupacks++;
    if (f->in_recovery) {
        cc_on_duplicate(&c->cc, c->opt.mss);
        return;
    }
    limited_transmit(c, f, seg);
    if (f->dupacks != 3 || f->in_rto_recovery || !may_mean_loss(c, seg))
        return;
    uint32_t before = c->cc.cwnd;
    cc_on_loss(&c->cc, c->snd.nxt - c->snd.una - f->limited, c->opt.mss);    /* FlightSize, RFC 5681 2: not what ICMP made us take for lost */
    f->in_recovery = true;
    c->recover = c->snd.nxt;
    c->below_recover = true;
    rtx_mark_front_lost(x->records, x->chunks, &f->queue, c->opt.mss);    /* one segment, even of a super-frame: RFC 5681 3.2 (2) */
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_FAST, before, c->cc.cwnd);
}

/* MUST-34, RFC 7323 2.4-a: the right edge may move left, too.
 * "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should be updated. If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK))" */
static void update_window(struct tcp *c, const struct tcp_seg *seg)
{
    if (!seq_lt(c->snd.wl1, seg->seq) && !(c->snd.wl1 == seg->seq && seq_le(c->snd.wl2, seg->ack)))
        return;
    c->snd.wnd = seg->wnd;
    c->snd.wl1 = seg->seq;
    c->snd.wl2 = seg->ack;
    if (seg->wnd > c->snd.max_wnd)
        c->snd.max_wnd = seg->wnd;
    if (seg->wnd)
        c->persist_backoffs = 0;
}

enum pl_drop ack_fifth(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if (seq_gt(seg->ack, c->snd.nxt)) {
        /* "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return." */
        if (tcp_may_challenge(x, c))
            delack_owe(&c->delack, PL_WHY_ACK_TOO_NEW);
        return PL_DROP_TCP_ACK_TOO_NEW;
    }
    /* MAY-12, RFC 5961 5.2-a, 5.2-b: SND.UNA - MAX.SND.WND =< SEG.ACK, or it is a blind guess. */
    if (seq_lt(seg->ack, c->snd.una - c->snd.max_wnd)) {
        if (tcp_may_challenge(x, c))
            delack_owe(&c->delack, PL_WHY_ACK_CHALLENGE);
        return PL_DROP_TCP_ACK_TOO_OLD;
    }
    if (seq_lt(c->snd.una, seg->ack))
        advance(x, c, seg);
    else
        duplicate(x, c, seg);
    if (seq_le(c->snd.una, seg->ack))
        update_window(c, seg);
    return PL_DROP_NONE;
}
