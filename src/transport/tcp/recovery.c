/* SPDX-License-Identifier: MIT
 *
 * recovery.c: from what ACKs and timers say: what was lost (RFC 8985; without SACK RFC 5681, RFC 6582), how the window goes down while it is repaired
 * (RFC 9937), and whether all that was a mistake (RFC 3522, RFC 4015, RFC 5682, RFC 2883).
 *
 * A connection is open; or in fast recovery (f->in_recovery) until SND.UNA reaches `recover`; or, after a time-out, in slow start over what was lost
 * (f->in_rto_recovery) until then.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

static bool repairing(const struct tcp_flight *f) { return f->in_recovery || f->in_rto_recovery; }
static bool led(const struct tcp_flight *f) { return !(f->cc_flags & PL_CC_OWN_RECOVERY); }

static struct rack_question question(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f, bool dsack)
{
    return (struct rack_question){.now = x->wire_now, .srtt = c->rtt.srtt, .una = c->snd.una, .nxt = c->snd.nxt, .repairing = repairing(f), .dsack = dsack};
}

struct lost_ctx {
    struct tcp_ctx *x;
    struct tcp *c;
    struct tcp_flight *f;
};

/* A record is about to be marked lost: the congestion control may want to know when it was sent. */
static void lost_one(void *user, struct rtx_record *r)
{
    const struct lost_ctx *l = user;
    struct pl_cc_lost why = {0};
    rate_lost(&l->f->rate, NULL, &r->rate, r->seq, r->len, l->x->wire_now, &why);
    if (l->f->cc_flags & PL_CC_WANTS_RATE)
        cc_lost(tcp_cc(l->x, l->c, l->f), &why);
}

static struct rack_verdict detect(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, bool dsack)
{
    struct rack_question q = question(x, c, f, dsack);
    struct lost_ctx l = {x, c, f};
    rack_dsack(&f->rack, &q);
    return rack_detect(&f->rack, &x->pools->records, &f->queue, &q, lost_one, &l);
}

/* ------------------------------------------------------------------ begin, end ------------------------------------------------------------------ */

/* 4015 3.2 (0): what is known before it is changed. */
static void remember(const struct tcp *c, struct tcp_flight *f, bool after_rto)
{
    uint8_t shift = 0;
    while ((c->snd.nxt - c->snd.una) >> shift >= 64)
        shift++;
    f->undo = (struct tcp_undo){.again_shift = shift, .srtt = c->rtt.srtt, .rttvar = c->rtt.rttvar, .marker = c->snd.una, .until = c->snd.nxt, .possible = true, .after_rto = after_rto};
}

/* RFC 5681 2: FlightSize, without what limited transmit let go (3.2 (2)). In the midst of a repair that counts what is long lost, too: there, what flies. Right after
 * one it counts what the peer had for long, behind the gap: never more than the window. */
static uint32_t flight_size(const struct tcp *c, const struct tcp_flight *f, uint32_t acked, uint32_t pipe)
{
    uint32_t all = acked + c->snd.nxt - c->snd.una - f->limited, most = c->cc.cwnd > pipe ? c->cc.cwnd : pipe;
    return repairing(f) ? pipe : all < most ? all : most;
}

/* RFC 9937 5, RFC 8985 9.3-b */
static void lead(struct tcp *c, struct tcp_flight *f, uint32_t delivered, bool safe)
{
    struct prr_ack p = {.delivered = delivered, .inflight = tcp_pipe(f), .ssthresh = c->cc.ssthresh, .mss = c->opt.mss, .safe = safe};
    c->cc.cwnd = prr_ack(&f->prr, &p);
}

/* The congestion control answers to a loss; from what was used of the window: RFC 7661 4.4.1-a. */
static void answer(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t flight)
{
    struct cc_call k = tcp_cc(x, c, f);
    cc_loss(k, x->wire_now, validate_loss(&f->validate, &c->cc, flight));
    validate_reduce(&f->validate, &c->cc);
}

/* A loss was noticed: RFC 5681 3.2, RFC 6675 5, RFC 9937 6.1. flight: FlightSize before it; fresh: bytes that this ACK says have arrived. */
static void enter(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t flight, uint32_t fresh)
{
    uint32_t before = c->cc.cwnd;
    enum pl_reason why = repairing(f) ? PL_WHY_CWND_AGAIN : c->opt.sack_ok ? PL_WHY_CWND_RACK : PL_WHY_CWND_FAST;
    if (!repairing(f)) {
        remember(c, f, false);
    } else {                              /* what was sent again is lost again: no mistake */
        f->undo.possible = false;
        f->undo.frto = 0;
    }
    f->in_recovery = true;
    f->in_rto_recovery = false;
    f->rack.probe_out = f->probe_due = false;            /* TLP_init */
    c->recover = c->snd.nxt;
    c->below_recover = true;
    f->reduced_at = x->wire_now;
    f->count.recoveries++;
    answer(x, c, f, flight);
    uint32_t known = c->opt.sack_ok ? f->queue.sacked : 0, outstanding = c->snd.nxt - c->snd.una;
    prr_begin(&f->prr, outstanding - known + fresh);
    tcp_trace(x, c, PL_TRACE_DECISION, why, before, led(f) ? c->cc.ssthresh : c->cc.cwnd);
}

/* Everything up to `recover` has arrived: RFC 6582 3.2 (3), RFC 9937 6.4. */
static void leave(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    uint32_t before = c->cc.cwnd;
    bool fast = f->in_recovery;
    f->in_recovery = f->in_rto_recovery = false;
    f->left_network = 0;
    f->undo.frto = 0;
    f->undo.until = c->snd.nxt;
    rack_recovered(&f->rack);
    if (fast && led(f))
        c->cc.cwnd = c->cc.ssthresh;
    validate_recovered(&f->validate, &c->cc, c->snd.nxt, x->wire_now);
    if (fast)
        cc_recovered(tcp_cc(x, c, f), x->wire_now);
    tcp_trace(x, c, PL_TRACE_DECISION, fast ? PL_WHY_CWND_EXIT : PL_WHY_RTO_EXIT, before, c->cc.cwnd);
}

/* ------------------------------------------------------------------- mistakes ------------------------------------------------------------------- */

/* RFC 4015 3.2: the answer to a loss that was none is taken back. What is believed lost flies. */
static void undo(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a, enum pl_reason why)
{
    uint32_t before = c->cc.cwnd;
    cc_undo(tcp_cc(x, c, f), x->wire_now);
    validate_forget(&f->validate, &c->cc, c->snd.nxt, x->wire_now);
    rtx_unmark_lost(&x->pools->records, &f->queue);
    f->in_recovery = f->in_rto_recovery = false;
    f->left_network = 0;
    c->below_recover = false;
    c->rtt.backoffs = 0;
    f->retries = 0;
    if (led(f)) {     /* (9): not all at once: what was acknowledged may be replaced, an initial window at most (a report that comes alone: so much); then slow start */
        uint32_t iw = cc_initial_window(c->opt.mss), fresh = a->acked && a->acked < iw ? a->acked : iw, room = tcp_pipe(f) + fresh;
        if (c->cc.cwnd > room) {
            if (c->cc.ssthresh < c->cc.cwnd)
                c->cc.ssthresh = c->cc.cwnd;
            c->cc.cwnd = room;
        }
    }
    f->undo.adapt = f->undo.after_rto;    /* (11): the timer was too short */
    if (f->undo.after_rto)
        f->rack.known = false;            /* what passed for the arrival of the repetition was the original's: RFC 8985 6.2 would have all lost that went before it */
    f->undo.possible = false;
    f->undo.frto = 0;
    f->undo.first_again = 0;
    f->count.undone++;
    tcp_trace(x, c, PL_TRACE_DECISION, why, before, c->cc.cwnd);
}

/* RFC 3522 3.2: the first acceptable ACK after something was sent again echoes the timestamp of what it answers: if that is older than the repetition,
 * the original had arrived. */
static bool eifel(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    if (!f->undo.first_again || !a->acked || seq_le(c->snd.una, f->undo.first_seq) || !a->h.echo)
        return false;
    bool older = seq_lt(a->h.ts_ecr, timestamps_clock(c->ts.offset, f->undo.first_again));
    f->undo.first_again = 0;
    if (!older) {
        f->undo.frto = 0;                 /* it knows better than F-RTO's guess */
        return false;
    }
    /* (5): a duplicate is answered with an older echo as well: perhaps it was just the ACKs that were lost. What all of it says is all_twice()'s business */
    if (a->dsack || (c->snd.una == c->snd.nxt && !f->rack.tells_duplicates))
        return false;
    if (!f->undo.after_rto)
        f->rack.reordering_seen = true;
    undo(x, c, f, a, PL_WHY_UNDO_EIFEL);
    return true;
}

/* The bits of again_where for these bytes; 0: some lie beyond them. */
static uint64_t places(const struct tcp_undo *u, uint32_t seq, uint32_t bytes)
{
    uint32_t first = (seq - u->marker) >> u->again_shift, last = (seq + bytes - 1 - u->marker) >> u->again_shift;
    return first > last || last > 63 ? 0 : ~(uint64_t)0 >> (63 - (last - first)) << first;
}

/* RFC 2883 5.1: what was sent once came twice: it is the network that makes two of one, and so it may have done of what was sent again. (Not if a loss probe sent
 * it, of which nobody knows where it began.) */
static bool came_twice_of_itself(struct tcp_flight *f, const struct wire_tcp_sack *d)
{
    uint64_t bits = places(&f->undo, d->lo, d->hi - d->lo);
    bool known = bits && (f->undo.again_where & bits) == bits;
    f->rack.replicates |= bits && !known && d->hi != f->rack.probe_end;
    return !known || f->rack.replicates;
}

/* RFC 2883: the peer tells what it had already. If that is everything that was sent again, nothing was lost: RFC 4015 3.2, RFC 8985 9. */
static bool all_twice(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    const struct wire_tcp_sack *d = &a->seg->opts.sack[0];
    if (!a->dsack || !f->undo.again || seq_lt(d->lo, f->undo.marker) || seq_gt(d->hi, f->undo.until) || came_twice_of_itself(f, d))
        return false;
    uint32_t bytes = d->hi - d->lo;
    f->undo.again -= bytes < f->undo.again ? bytes : f->undo.again;
    if (f->undo.again || f->queue.lost)
        return false;
    if (!f->undo.after_rto)
        f->rack.reordering_seen = true;
    undo(x, c, f, a, PL_WHY_UNDO_DSACK);
    return true;
}

/* RFC 5682 2.1-a, 3.1-a step 2: the first ACK after the repetition. */
static void frto_step_2(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    if (!a->acked) {                      /* a duplicate: (2a) ends it; 3.1: "Stay in step 2 and wait for the next new acknowledgment" */
        f->undo.frto = a->duplicate && !c->opt.sack_ok ? 0 : 2;
        return;
    }
    bool covers = seq_ge(c->snd.una, c->recover);
    bool part = f->queue.head && rtx_at(&x->pools->records, f->queue.head)->flags & RTX_RETRANSMITTED;        /* "not ... all of the data that was retransmitted" */
    bool new_data = c->snd_stream.len > c->snd_sent && (int64_t)c->snd.wnd - (c->snd.nxt - c->snd.una) > 0;
    f->undo.frto = covers || part || !new_data ? 0 : 3;
    f->undo.frto_new = 2;
}

/* Step 3, the second. What arrived was sent before the time-out, and once only: it was too early. With SACK not if the new segments arrived as well: then the
 * network goes on, and what is missing may be lost. */
static bool frto_step_3(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    bool beyond = c->opt.sack_ok && (seq_gt(f->queue.fack, c->recover) || seq_gt(c->snd.una, c->recover));
    if (a->h.original && !beyond) {
        undo(x, c, f, a, PL_WHY_UNDO_FRTO);
        return true;
    }
    if (!a->acked && !a->duplicate && !a->h.delivered)
        return false;                     /* RFC 5682 2.1-d: "Other types of ACKs are ignored" */
    f->undo.frto = 0;
    uint32_t most = 3u * c->opt.mss;      /* (3a): two round trips have passed; by slow start cwnd has grown to 2 MSS, or by this ACK to 3 */
    if (!a->acked && led(f) && c->cc.cwnd < most && c->cc.cwnd < c->cc.ssthresh)
        c->cc.cwnd = most < c->cc.ssthresh ? most : c->cc.ssthresh;
    return false;
}

/* After a time-out for which no timestamp decides. */
static bool frto(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    if (f->undo.frto == 3)
        return frto_step_3(x, c, f, a);
    frto_step_2(x, c, f, a);
    return false;
}

static bool mistaken(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    if (!f->undo.possible)
        return false;
    if (!repairing(f) && seq_gt(c->snd.una, f->undo.until))
        f->undo.possible = false;         /* a window later: what is said now is about something else */
    return f->undo.possible && (eifel(x, c, f, a) || all_twice(x, c, f, a) || (f->undo.frto && frto(x, c, f, a)));
}

void tcp_recovery_sent_again(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, uint32_t seq, uint32_t bytes)
{
    if (f->in_recovery) {
        prr_sent(&f->prr, bytes);
        validate_resent(&f->validate, seq, bytes);
    }
    if (!f->undo.possible || !repairing(f))
        return;
    if (!f->undo.asked) {                 /* RFC 3522 3.2: not "reinitiated after loss recovery has already started" */
        f->undo.asked = true;
        f->undo.first_again = x->wire_now ? x->wire_now : 1;
        f->undo.first_seq = seq;
    }
    f->undo.again += bytes;
    f->undo.again_where |= places(&f->undo, seq, bytes);
    (void)c;
}

/* -------------------------------------------------------------- the tail loss probe --------------------------------------------------------------- */

void tcp_recovery_probe_fires(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_flight *f = tcp_flight(x, c);
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_LOSS_PROBE, (int64_t)(x->now - f->armed_at), c->snd.nxt - c->snd.una);
    const struct rtx_record *tail = rtx_at(&x->pools->records, f->queue.tail);
    bool cut = tail->len <= c->opt.mss || x->pools->records.used < x->pools->records.capacity;
    bool needless = f->queue.lost || f->queue.sacked;    /* since it was armed: what a smaller path MTU has sent again, its time comes anyway */
    f->probe_due = !f->rack.probe_out && f->rack.sampled && cut && !needless;        /* RFC 8985 7.3-a: both conditions */
    f->rack.probe_out |= f->probe_due;
    f->rack.probe_end = c->snd.nxt;
    f->rack.probe_again = false;
    f->rack.sampled = false;
    f->count.probes += f->probe_due;
    tcp_rto_restart(x, c, f);
    timers_set_resend(&c->timers, RESEND_RTO, f->rto_at);                /* RFC 8985 7.3-b, 7.3-f: "MUST re-arm the RTO timer, not the PTO timer" */
}

/* TLP_process_ack, RFC 8985 7.4.2-a, 7.4.2-b. */
static void probe_answered(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    const struct tcp_seg *seg = a->seg;
    if (!f->rack.probe_out || seq_lt(seg->ack, f->rack.probe_end))
        return;
    if (!f->rack.probe_again || (a->dsack && seg->opts.sack[0].hi == f->rack.probe_end) || (seg->ack == f->rack.probe_end && a->duplicate && seg->opts.nsack == 0)) {
        f->rack.probe_out = false;        /* what it sent again had arrived, or it sent something new */
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_PROBE_NEEDLESS, c->cc.cwnd, c->cc.cwnd);
    } else if (seq_gt(seg->ack, f->rack.probe_end)) {    /* the probe has repaired the only loss: the answer is due all the same */
        uint32_t before = c->cc.cwnd;
        f->rack.probe_out = false;
        f->undo.possible = false;
        answer(x, c, f, a->pipe);
        if (led(f) && c->cc.cwnd > c->cc.ssthresh)
            c->cc.cwnd = c->cc.ssthresh;
        validate_recovered(&f->validate, &c->cc, c->snd.nxt, x->wire_now);
        cc_recovered(tcp_cc(x, c, f), x->wire_now);
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_CWND_PROBE, before, c->cc.cwnd);
    }
}

/* ------------------------------------------------------------------ without SACK ------------------------------------------------------------------ */

/* RFC 6582 3.2 (2): not before "the Cumulative Acknowledgment field covers more than recover": until then duplicates may be answers to what was repeated
 * needlessly, after a time-out above all. */
static bool may_mean_loss(const struct tcp *c) { return !c->below_recover; }

/* RFC 9937 6.2, DeliveredData without SACK: in recovery one MSS for a duplicate; of what is acknowledged, only what they did not count. */
static uint32_t delivered_without_sack(const struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    uint32_t mss = c->opt.mss;
    if (a->duplicate) {
        uint32_t n = f->in_recovery && f->left_network + mss <= f->prr.recover_fs ? mss : 0;
        f->left_network += n;
        return n;
    }
    uint32_t counted = f->left_network < a->acked ? f->left_network : a->acked;
    uint32_t repeated = a->acked < mss ? a->acked : mss; /* the hole itself was not counted */
    if (counted > a->acked - repeated)
        counted = a->acked - repeated;
    f->left_network = f->in_recovery ? f->left_network - counted : 0;
    return a->acked - counted;
}

/* RFC 5681 3.2, RFC 6582 3.2. Returns how many bytes arrived. */
static uint32_t without_sack(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    uint32_t flight = a->h.delivered + c->snd.nxt - c->snd.una - f->limited;
    uint32_t delivered = delivered_without_sack(c, f, a);
    if (a->duplicate && !repairing(f)) {
        f->left += f->left < 2;           /* RFC 3042 2: each of the first two duplicates says that a segment has left the network */
        if (f->dupacks == RACK_DUP_THRESH && may_mean_loss(c)) {
            rtx_mark_front_lost(&x->pools->records, &x->pools->chunks, &f->queue, c->opt.mss);       /* one segment, even of a super-frame: RFC 5681 3.2 (2) */
            enter(x, c, f, flight, 0);
            f->left_network = RACK_DUP_THRESH * c->opt.mss;
            delivered = c->opt.mss;
        }
    } else if (f->in_recovery && a->acked && seq_lt(c->snd.una, c->recover)) {
        rtx_mark_front_lost(&x->pools->records, &x->pools->chunks, &f->queue, c->opt.mss);           /* partial: the next hole is lost as well */
    }
    return delivered;
}

/* ----------------------------------------------------------------------- ACKs ----------------------------------------------------------------------- */

struct told {
    uint32_t delivered, lost;
    bool grows, after_rto;
};

static void tell_cc(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a, struct told t)
{
    struct pl_cc_ack k;                   /* set field by field: `rate`, the largest, mostly is not wanted */
    k.now = x->wire_now, k.una = c->snd.una, k.nxt = c->snd.nxt;
    k.acked = a->acked, k.delivered = t.delivered, k.lost = t.lost;
    k.in_flight_before = a->pipe, k.in_flight = tcp_pipe(f);
    k.delivered_total = f->rate.delivered, k.lost_total = f->rate.lost;
    k.srtt = c->rtt.srtt, k.min_rtt = f->rack.min_rtt;
    k.rtt = a->h.sample && !a->h.repeated ? x->wire_now - a->h.sample : 0;
    k.phase = f->in_recovery ? PL_CC_RECOVERY : f->in_rto_recovery ? PL_CC_LOSS : PL_CC_OPEN;
    k.limited = a->limited && t.grows;
    k.app_limited = f->rate.app_limited != 0;
    k.paced = c->cc.pacing_rate != 0;
    k.no_sack = !c->opt.sack_ok;
    k.after_rto = t.after_rto;
    k.rate.valid = false;
    if (f->cc_flags & PL_CC_WANTS_RATE) {
        struct rate_round rs = {.newly_lost = t.lost};
        if (a->h.any)
            rate_delivered(&f->rate, &rs, &a->h.rate, t.delivered, a->h.last.sent, a->h.last.end, x->wire_now);
        k.delivered_total = f->rate.delivered;
        rate_finish(&f->rate, &rs, f->rack.min_rtt, &k.rate);
        k.app_limited = f->rate.app_limited != 0;
        if (k.rate.valid)
            validate_rate(&f->validate, k.rate.delivered, k.rate.interval, k.rate.app_limited);
    }
    cc_ack(tcp_cc(x, c, f), &k);
}

/* Nothing is missing, as far as anybody knows. */
static bool quiet(const struct tcp_flight *f, const struct tcp_ack *a)
{
    /* asked for each ACK, and mostly all of it is false: without branches */
    bool odd = f->in_recovery | f->in_rto_recovery | a->duplicate | a->dsack | f->rack.probe_out | f->undo.possible | a->h.reordered;
    return !odd && (f->queue.sacked | f->queue.lost | a->h.sacked) == 0;
}

/* Everything that was outstanding when the repair began has arrived. */
static void conclude(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    if (repairing(f) && seq_ge(c->snd.una, c->recover))
        leave(x, c, f);
}

static pl_time with_loss(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    struct rack_verdict v = {0};
    uint32_t delivered = a->h.delivered;
    bool after_rto = f->in_rto_recovery;
    probe_answered(x, c, f, a);
    bool undone = mistaken(x, c, f, a);
    if (c->opt.sack_ok)
        conclude(x, c, f);                /* first: what is found lost beyond `recover` was sent since, and is a congestion of its own */
    bool was_fast = f->in_recovery;
    if (c->opt.sack_ok) {
        v = detect(x, c, f, a->dsack);
        bool again = v.again && v.again_sent >= f->reduced_at;           /* RFC 5681 4.3, RFC 8985 9.3-c, 9.2: the loss of a repetition is another sign */
        if (v.bytes && (!repairing(f) || again))
            enter(x, c, f, flight_size(c, f, a->acked, a->pipe), a->h.delivered);
    } else if (!undone) {
        delivered = without_sack(x, c, f, a);
    }
    bool ends = false;
    if (!c->opt.sack_ok) {
        ends = f->in_recovery;
        conclude(x, c, f);
        ends &= !f->in_recovery;          /* it may acknowledge a window that was gone for long: RFC 6582 3.2 (3): "Set cwnd to ... ssthresh", and no more */
    }
    if (delivered || v.bytes || a->acked)
        tell_cc(x, c, f, a, (struct told){.delivered = delivered, .lost = v.bytes, .grows = !undone && !ends, .after_rto = after_rto});
    if (f->in_recovery && led(f) && (delivered || !was_fast))
        lead(c, f, delivered, a->acked && v.bytes == 0 && c->opt.sack_ok);       /* without SACK an ACK that advances tells of a further loss: RFC 6582 3.2 */
    return v.timeout;
}

void tcp_recovery_ack(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, struct tcp_ack *a)
{
    pl_time timeout = 0;
    if (c->opt.sack_ok)
        rack_update(&f->rack, &a->h);
    if (quiet(f, a)) {
        if (a->acked && (a->limited || !cc_unused(tcp_cc(x, c, f), x->wire_now)))
            tell_cc(x, c, f, a, (struct told){.delivered = a->h.delivered, .grows = true});
    } else {
        timeout = with_loss(x, c, f, a);
    }
    if (c->cc.cwnd < c->opt.mss)
        c->cc.cwnd = c->opt.mss;
    if (f->queue.count == 0) {            /* RFC 6298 5.2: nothing is left: stop */
        tcp_flight_end(x, c);
        timers_clear(&c->timers, TIMER_RESEND);
        return;
    }
    bool off = c->timers.resend_is == RESEND_OFF && !a->acked;
    if (off && rtx_at(&x->pools->records, f->queue.head)->flags & RTX_LOST)
        return;                           /* it ran out, and what goes again has not gone: the timer begins with it, RFC 6298 5.6. The first may go at any time */
    if (a->acked || off)                  /* RFC 6298 5.3 */
        tcp_rto_restart(x, c, f);
    /* RFC 8985 7.2: an ACK that does not advance puts the probe off no further */
    bool stays = c->timers.resend_is == RESEND_RTO || (c->timers.resend_is == RESEND_LOSS_PROBE && tcp_may_probe(x, c, f));
    if (a->acked || timeout || !stays)
        tcp_rto_arm(x, c, f, timeout);
}

/* Everything is acknowledged, and the peer tells what came twice: as it does where the flight ended with what was sent again. Nothing is left to be lost, but
 * the last answer to a loss may have been a mistake, the path may reorder, and the loss probe was not needed. */
void tcp_recovery_late_ack(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f, const struct tcp_ack *a)
{
    struct rack_question q = question(x, c, f, a->dsack);
    rack_dsack(&f->rack, &q);
    probe_answered(x, c, f, a);
    if (a->dsack)
        (void)mistaken(x, c, f, a);
}

/* ---------------------------------------------------------------------- timers ---------------------------------------------------------------------- */

void tcp_recovery_reorder_fires(struct tcp_ctx *x, struct tcp *c)
{
    struct tcp_flight *f = tcp_flight(x, c);
    uint32_t flight = flight_size(c, f, 0, tcp_pipe(f));
    struct rack_verdict v = detect(x, c, f, false);
    tcp_trace(x, c, PL_TRACE_TIMER, PL_WHY_TIMER_REORDER, (int64_t)(x->now - f->armed_at), v.bytes);
    if (v.bytes && (!repairing(f) || (v.again && v.again_sent >= f->reduced_at))) {
        enter(x, c, f, flight, 0);
        if (led(f))
            lead(c, f, 0, false);
    }
    tcp_rto_arm(x, c, f, v.timeout);
}

/* RFC 6298 5.4 to 5.6 belong to rto.c; here is what it says of losses, and what may show that it was too early: RFC 8985 6.3, RFC 5682. */
void tcp_recovery_rto(struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    struct rack_question q = question(x, c, f, false);
    struct lost_ctx l = {x, c, f};
    const struct rtx_record *head = rtx_at(&x->pools->records, f->queue.head);
    bool first = !f->in_rto_recovery || !(head->flags & RTX_RETRANSMITTED);      /* RFC 5681 3.1: "has not yet been resent by way of the retransmission timer" */
    uint32_t flight = flight_size(c, f, 0, tcp_pipe(f));
    bool nested = repairing(f) || (c->below_recover && c->opt.sack_ok && seq_gt(c->recover, c->snd.una));
    if (first)
        remember(c, f, true);             /* a back-off changes nothing: what counts is the first repetition */
    validate_forget(&f->validate, &c->cc, c->snd.nxt, x->wire_now);      /* RFC 7661 4.4-f: as usual, whatever the phase was */
    cc_rto(tcp_cc(x, c, f), x->wire_now, flight, first);
    f->in_recovery = false;
    f->in_rto_recovery = true;
    f->rack.probe_out = f->probe_due = false;
    f->dupacks = f->limited = f->left_network = 0;
    f->left = 0;
    f->reduced_at = x->wire_now;
    f->count.timeouts++;
    /* RFC 5682 2.1-c, 3.1-b: not if a recovery was under way; RFC 5682 2.1-b, 3.1-c: for the same segment it begins anew. With timestamps Eifel says it at once. */
    f->undo.frto = first ? (nested ? 0 : 2) : f->undo.frto == 2 ? 2 : 0;
    c->recover = c->snd.nxt;              /* RFC 6582 3.2 (4) */
    c->below_recover = true;
    if (head->flags & RTX_SACKED) {       /* RFC 2018 8, 5-b: it waits for what it said it had */
        uint32_t reported = f->queue.sacked;
        rtx_forget_sacks(&x->pools->records, &f->queue);
        f->count.reneged++;
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_RENEGED, reported, f->queue.sacked);
    }
    q.repairing = true;
    if (c->opt.sack_ok)
        rack_mark_on_rto(&f->rack, &x->pools->records, &f->queue, &q, lost_one, &l);
    else
        rtx_mark_all_lost(&x->pools->records, &f->queue);        /* RFC 9293 3.8.2: the first of them at once */
}
