/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/rack.h"
#include "base/seq.h"

void rack_init(struct rack *r) { r->reo_wnd_mult = 1; }

/* RFC 8985 6.2-a: "a windowed min-filtered estimate": of two periods, the older one falls out. */
void rack_rtt(struct rack *r, pl_time sample, pl_time now)
{
    if (now - r->min_since >= RACK_MIN_PERIOD) {
        r->min_rtt = r->min_next;
        r->min_next = 0;
        r->min_since = now;
    }
    if (r->min_next == 0 || sample < r->min_next)
        r->min_next = sample;
    if (r->min_rtt == 0 || sample < r->min_rtt)
        r->min_rtt = sample;
    r->sampled = true;
}

void rack_update(struct rack *r, const struct rtx_heard *h)
{
    if (h->valid) {
        r->rtt = h->now - h->rack.sent;
        if (!r->known || rtx_sent_after(&h->rack, &r->segment)) {
            r->segment = h->rack;
            r->known = true;
        }
    }
    r->reordering_seen |= h->reordered;
}

/* RFC 8985 6.2 step 4, RFC 8985 3.3.2-c: "Grow the reordering window per round that sees DSACK." */
void rack_dsack(struct rack *r, const struct rack_question *q)
{
    if (r->dsack_seen && (seq_ge(q->una, r->dsack_round) || seq_gt(r->dsack_round, q->nxt)))     /* or by more than 2 GiB: it is not asked while all is well */
        r->dsack_seen = false;
    r->tells_duplicates |= q->dsack;
    if (r->dsack_seen || !q->dsack)
        return;
    r->dsack_seen = true;
    r->dsack_round = q->nxt;
    r->reo_wnd_mult += r->reo_wnd_mult < UINT16_MAX;
    r->reo_wnd_persist = RACK_REO_WND_PERSIST;
}

/* "Reset the window after 16 DSACK-free recoveries" */
void rack_recovered(struct rack *r)
{
    if (r->reo_wnd_persist)
        r->reo_wnd_persist--;
    if (r->reo_wnd_persist == 0)
        r->reo_wnd_mult = 1;
}

/* RFC 8985 3.3.2-a, 3.3.2-b, 3.3.2-d, 3.3.2-e: RACK_update_reo_wnd */
pl_time rack_reo_wnd(const struct rack *r, const struct rtx_queue *queue, const struct rack_question *q)
{
    if (!r->reordering_seen && (q->repairing || queue->sacked_segs >= RACK_DUP_THRESH))
        return 0;
    pl_time wnd = r->reo_wnd_mult * (r->min_rtt / 4);
    return wnd < q->srtt ? wnd : q->srtt;
}

/* On a path without any delay a repetition must not count as lost in the instant in which it goes. */
static pl_time patience(const struct rack *r, const struct rtx_queue *queue, const struct rack_question *q)
{
    pl_time allowed = r->rtt + rack_reo_wnd(r, queue, q);
    return allowed ? allowed : 1;
}

static bool sent_before(const struct rack *r, const struct rtx_record *rec)
{
    struct rtx_when w = {.sent = rec->sent, .end = rec->seq + rec->len, .order = rec->order};
    return rtx_sent_after(&r->segment, &w);
}

/* When the last one that was sent before RACK.segment was sent; if there are many, no later than RACK.segment itself. Never before `rec` was: an undo may have put
 * older ones behind it (rtx_unmark_lost). */
static pl_time last_waited_for(const struct rack *r, const struct slots *pool, const struct rtx_record *rec)
{
    pl_time last = rec->sent;
    for (unsigned n = 0; n < 16; n++) {
        if (!rec->later || !sent_before(r, rtx_at(pool, rec->later)))
            return last;
        rec = rtx_at(pool, rec->later);
        last = rec->sent > last ? rec->sent : last;
    }
    return r->segment.sent;
}

/* The flying records stand in order of sending, so the first that RACK has nothing to say about ends the search; the first that has some time left ends it as
 * well, for those behind it have more. The timer covers all of them. */
struct rack_verdict rack_detect(const struct rack *r, struct slots *pool, struct rtx_queue *queue, const struct rack_question *q, rack_lost_fn *lost, void *user)
{
    struct rack_verdict v = {0};
    pl_time allowed = patience(r, queue, q);
    while (r->known && queue->flying.first) {
        uint32_t id = queue->flying.first;
        struct rtx_record *rec = rtx_at(pool, id);
        if (!sent_before(r, rec))
            break;
        if (q->now < rec->sent + allowed) {
            v.timeout = last_waited_for(r, pool, rec) + allowed - q->now;
            break;
        }
        v.bytes += rec->len;
        if (rec->flags & RTX_RETRANSMITTED) {
            v.again = true;
            v.again_sent = rec->sent > v.again_sent ? rec->sent : v.again_sent;
        }
        lost(user, rec);
        rtx_mark_lost(pool, queue, id);
    }
    return v;
}

void rack_mark_on_rto(const struct rack *r, struct slots *pool, struct rtx_queue *queue, const struct rack_question *q, rack_lost_fn *lost, void *user)
{
    pl_time allowed = patience(r, queue, q);
    struct rtx_record *head = rtx_at(pool, queue->head);
    if (!(head->flags & RTX_LOST))
        lost(user, head);
    rtx_mark_lost(pool, queue, queue->head);             /* and if it is lost: what of it was sent again, for want of a record, is lost again */
    for (uint32_t id; (id = queue->flying.first) && q->now >= rtx_at(pool, id)->sent + allowed;) {
        lost(user, rtx_at(pool, id));
        rtx_mark_lost(pool, queue, id);
    }
}

pl_time rack_pto(pl_time srtt, bool single, pl_time max_ack_delay)
{
    if (srtt == 0)
        return PL_S;
    return 2 * srtt + (single ? max_ack_delay : 0);
}
