/* SPDX-License-Identifier: MIT
 *
 * ack.c: RFC 9293 3.10.7.4 fifth: what the peer has received, and how much more it takes. RFC 5961 5, RFC 6298, RFC 2018, RFC 2883.
 * What follows for the sender is in recovery.c.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

enum { SACK_BUDGET = 2048 };              /* records that the blocks of one ACK may make us look at: threats V29; the rest is found by the next */

/* RFC 6298 3-a (Karn, MUST-18): a repeated segment gives no sample, unless the timestamp's echo says which copy was meant. Each ACK of new data
 * gives one otherwise, so there is one per round trip at least: RFC 6298 3-b. The echo of a segment without ACK is never read: RFC 7323 3.2-c. */
static void measure(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    struct rtt_bounds b = tcp_rtt_bounds(x);
    pl_time sample;
    if (a->h.sample && !a->h.repeated) {
        sample = x->wire_now - a->h.sample;
    } else if (a->acked && a->h.echo) {
        uint32_t ms = timestamps_clock(c->ts.offset, x->wire_now) - a->h.ts_ecr;
        if (ms >= 1u << 20)
            return;
        sample = (ms ? ms : 1) * PL_MS;
    } else {
        return;                           /* RFC 6298 5, MUST-18: the back-off stays in force until there is a sample */
    }
    if (f->undo.adapt && seq_gt(c->snd.una, f->undo.until)) {        /* RFC 4015 3.2 (11) */
        f->undo.adapt = false;
        rtt_adapt(&c->rtt, f->undo.srtt, f->undo.rttvar, sample, &b);
    } else {
        rtt_sample(&c->rtt, sample, &b);
    }
    rack_rtt(&f->rack, sample ? sample : 1, x->wire_now);
    c->rtt.backoffs = 0;
}

/* SND.UNA < SEG.ACK =< SND.NXT: "then set SND.UNA <- SEG.ACK. Any segments on the retransmission queue that are thereby entirely acknowledged
 * are removed." Only then is what they hold given up: RFC 2018 8-c. */
static void advance(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    uint32_t acked = seg->ack - c->snd.una;
    c->snd.una = seg->ack;
    if (c->urgent_out && seq_ge(seg->ack, c->snd.up))
        c->urgent_out = false;
    if (c->below_recover && seq_gt(seg->ack, c->recover))
        c->below_recover = false;
    c->fin_acked = c->fin_sent && seg->ack == c->snd.nxt;
    uint32_t bytes = acked - (c->fin_acked ? 1 : 0);
    stream_drop(&x->pools->chunks, &c->snd_stream, bytes);
    x->chunks_freed = true;
    c->snd_sent -= bytes;
    c->count.bytes_acked += bytes;
    c->progress_at = x->now;
    c->soft_error = 0;
    x->progress = true;
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

/* RFC 2018 4, 5-a, RFC 7661 4.2-d: the blocks, lowest first (RFC 8985 6.2 step 3); none that was not sent counts, nor what SND.UNA has passed. */
static void blocks(struct tcp_ctx *x, const struct tcp *c, struct tcp_flight *f, struct tcp_ack *a)
{
    const struct wire_tcp_opts *o = &a->seg->opts;
    uint32_t budget = SACK_BUDGET;
    struct wire_tcp_sack b[4];
    unsigned n = 0;
    for (unsigned i = a->dsack ? 1 : 0; i < o->nsack; i++) {
        struct wire_tcp_sack s = o->sack[i];
        if (!seq_lt(s.lo, s.hi) || seq_le(s.hi, c->snd.una) || seq_gt(s.hi, c->snd.nxt))
            continue;
        if (seq_lt(s.lo, c->snd.una))
            s.lo = c->snd.una;
        unsigned at = n++;
        for (; at && seq_lt(s.lo, b[at - 1].lo); at--)
            b[at] = b[at - 1];
        b[at] = s;
    }
    for (unsigned i = 0; i < n; i++)
        rtx_sack(&x->pools->records, &x->pools->chunks, &f->queue, x->config->records_per_conn_max, b[i].lo, b[i].hi, &budget, &a->h);
}

/* RFC 5681 2: what counts as a duplicate acknowledgement. */
static bool duplicate(const struct tcp *c, const struct tcp_seg *seg, bool dsack)
{
    return !seg->len && !seg->had_text && seg->ack == c->snd.una && seg->wnd == c->snd.wnd && !dsack;
}

/* Is growing the window justified? RFC 7661 4.2-c: nothing is measured while a loss is repaired. */
static bool window_used(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    if (f->in_recovery | f->in_rto_recovery)
        return true;
    struct validate_ack v = {.now = x->wire_now, .srtt = c->rtt.srtt, .una_before = c->snd.una - a->acked, .una = c->snd.una, .nxt = c->snd.nxt, .pipe = a->pipe};
    c->cc.mss = c->opt.mss;
    return validate_ack(&f->validate, &c->cc, &v);
}

/* Something is outstanding: what does the ACK say of it? */
static void sender(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_seg *seg)
{
    bool forward = seq_lt(c->snd.una, seg->ack), echo = c->opt.ts_ok && (seg->opts.have & WIRE_OPT_TIMESTAMPS) && seg->opts.ts_ecr;
    struct tcp_ack a;                     /* set field by field: most of it need not be */
    a.seg = seg;
    a.acked = forward ? seg->ack - c->snd.una : 0;
    a.pipe = tcp_pipe(f);
    a.dsack = c->opt.sack_ok && tells_of_duplicate(seg);
    a.duplicate = false;
    rtx_heard_nothing(&a.h);
    a.h.now = x->wire_now, a.h.min_rtt = f->rack.min_rtt, a.h.recover = c->recover, a.h.mss = c->opt.mss;
    a.h.ts_offset = c->ts.offset, a.h.ts_ecr = seg->opts.ts_ecr, a.h.echo = echo;
    a.h.rates = f->cc_flags & PL_CC_WANTS_RATE;
    if (a.h.rates)
        rate_limited(&f->rate, tcp_unsent(c), f->queue.lost, f->queue.pipe, c->cc.cwnd);
    if (forward) {
        rtx_ack(&x->pools->records, &x->pools->chunks, &f->queue, seg->ack, &a.h);
        advance(x, c, seg);
        f->dupacks = f->retries = 0;
        f->limited = f->left = 0;
        f->probe_due = false;
    } else if (duplicate(c, seg, a.dsack)) {
        a.duplicate = true;
        f->dupacks++;
    }
    if (c->opt.sack_ok && seg->opts.nsack && f->queue.head)
        blocks(x, c, f, &a);
    if (a.h.any)
        measure(x, c, f, &a);
    a.limited = window_used(x, c, f, &a);
    tcp_recovery_ack(x, c, f, &a);
}

/* Nothing is: what may still be said of it? */
static void late(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    struct tcp_ack a = {.seg = seg, .dsack = tells_of_duplicate(seg)};
    a.duplicate = duplicate(c, seg, a.dsack);
    if (a.dsack || a.duplicate)
        tcp_recovery_late_ack(x, c, tcp_memory(x, c), &a);
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
    struct tcp_flight *f = tcp_flight(x, c);
    struct tcp_seen seen;
    bool listens = x->env->trace != NULL;
    if (listens)
        tcp_look(x, c, &seen);
    if (f)
        sender(x, c, f, seg);
    else if (c->flight && c->opt.sack_ok && (seg->len == 0 || seg->opts.nsack))
        late(x, c, seg);
    if (listens)
        tcp_tell(x, c, &seen);
    if (seq_le(c->snd.una, seg->ack))
        update_window(c, seg);
    return PL_DROP_NONE;
}
