/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/rtx_queue.h"
#include "base/seq.h"
#include "transport/tcp/models/timestamps.h"

static void list_append(struct slots *pool, struct rtx_list *l, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    r->later = 0;
    r->earlier = l->last;
    if (l->last)
        rtx_at(pool, l->last)->later = id;
    else
        l->first = id;
    l->last = id;
}

static void list_push(struct slots *pool, struct rtx_list *l, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    r->earlier = 0;
    r->later = l->first;
    if (l->first)
        rtx_at(pool, l->first)->earlier = id;
    else
        l->last = id;
    l->first = id;
}

static void list_insert_after(struct slots *pool, struct rtx_list *l, uint32_t before, uint32_t id)
{
    struct rtx_record *b = rtx_at(pool, before), *r = rtx_at(pool, id);
    r->earlier = before;
    r->later = b->later;
    if (b->later)
        rtx_at(pool, b->later)->earlier = id;
    else
        l->last = id;
    b->later = id;
}

static void list_remove(struct slots *pool, struct rtx_list *l, struct rtx_record *r)
{
    if (r->earlier)
        rtx_at(pool, r->earlier)->later = r->later;
    else
        l->first = r->later;
    if (r->later)
        rtx_at(pool, r->later)->earlier = r->earlier;
    else
        l->last = r->earlier;
}

uint32_t rtx_append(struct slots *pool, struct rtx_queue *q, uint32_t max, uint32_t seq, uint32_t len, struct stream_at at, bool fin, pl_time now)
{
    uint32_t id = q->count < max ? slots_take(pool) : 0;
    if (!id)
        return 0;
    struct rtx_record *r = rtx_at(pool, id);
    r->sent = now, r->seq = seq, r->len = len, r->at = at, r->prev = q->tail, r->flags = fin ? RTX_FIN : 0, r->transmissions = 1;
    r->order = ++q->order;
    if (q->tail)
        rtx_at(pool, q->tail)->next = id;
    else
        q->head = id, q->fack = seq;
    q->tail = id;
    q->count++;
    q->pipe += len;
    list_append(pool, &q->flying, id);
    return id;
}

static void move_fingers(struct rtx_queue *q, uint32_t from, uint32_t to)
{
    for (int i = 0; i < 2; i++)
        if (q->finger[i] == from)
            q->finger[i] = to;
}

/* Out of the queue; it is on neither list any more. */
static void unlink_record(struct slots *pool, struct rtx_queue *q, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    if (r->prev)
        rtx_at(pool, r->prev)->next = r->next;
    else
        q->head = r->next;
    if (r->next)
        rtx_at(pool, r->next)->prev = r->prev;
    else
        q->tail = r->prev;
    move_fingers(q, id, r->next ? r->next : r->prev);
    q->count--;
    slots_give(pool, id);
}

/* The same for the first, which is what almost always goes. */
static void unlink_head(struct slots *pool, struct rtx_queue *q, struct rtx_record *r)
{
    uint32_t id = q->head;
    q->head = r->next;
    if (r->next)
        rtx_at(pool, r->next)->prev = 0;
    else
        q->tail = 0;
    move_fingers(q, id, r->next);
    q->count--;
    slots_give(pool, id);
}

static void advance(const struct chunks *chunks, struct stream_at *at, uint32_t n)
{
    at->off += n;
    while (at->off >= chunks->chunk_bytes && chunks_next(chunks, at->chunk)) {
        at->off -= chunks->chunk_bytes;
        at->chunk = chunks_next(chunks, at->chunk);
    }
}

/* RFC 8985 6.2 step 2: could this be an answer to an earlier transmission than the last? What a timestamp echoes is the segment that advanced RCV.NXT last
 * (RFC 7323 4.3): of what lies behind a gap, and is known by a block, it says nothing; else no answer to a loss probe would ever tell of what lies before it. */
static bool ambiguous(const struct rtx_record *r, const struct rtx_heard *h, bool by_block)
{
    if (!(r->flags & RTX_RETRANSMITTED))
        return false;
    return (h->echo && !by_block && seq_lt(h->ts_ecr, timestamps_clock(h->ts_offset, r->sent))) || h->now - r->sent < h->min_rtt;
}

/* The first `bytes` of a record that was not known to have arrived have done so. */
static void hear(struct rtx_queue *q, const struct rtx_record *r, uint32_t bytes, bool by_block, struct rtx_heard *h)
{
    uint32_t end = r->seq + bytes;
    struct rtx_when w = {.sent = r->sent, .end = end, .order = r->order};
    h->delivered += bytes;
    if (!(r->flags & RTX_RETRANSMITTED)) {
        if (r->sent > h->sample)
            h->sample = r->sent;
        h->original |= seq_le(end, h->recover);
        h->reordered |= seq_lt(end, q->fack);
    }
    if (seq_gt(end, q->fack))
        q->fack = end;
    if (h->rates && (!h->any || rtx_sent_after(&w, &h->last))) {
        h->last = w;
        h->rate = r->rate;
    }
    h->any = true;
    if (!ambiguous(r, h, by_block) && (!h->valid || rtx_sent_after(&w, &h->rack))) {
        h->rack = w;
        h->valid = true;
    }
}

/* `bytes` of the record's front are no longer in the network. */
static void forget_pipe(struct rtx_queue *q, struct rtx_record *r, uint32_t bytes)
{
    if (r->flags & RTX_SACKED)
        return;
    uint32_t flying = !(r->flags & RTX_LOST) ? bytes : r->again < bytes ? r->again : bytes;
    q->pipe -= flying;
    if (r->flags & RTX_RETRANSMITTED)
        q->repeated -= flying;
    if (r->flags & RTX_LOST)
        r->again -= flying;
}

/* Off its list, and no longer counted as what it was. */
static void settle(struct slots *pool, struct rtx_queue *q, struct rtx_record *r)
{
    if (r->flags & RTX_SACKED) {
        q->sacked -= r->len;
        q->sacked_segs -= r->segs;
        return;
    }
    list_remove(pool, r->flags & RTX_LOST ? &q->gone : &q->flying, r);
    q->lost -= r->flags & RTX_LOST ? 1 : 0;
}

static uint32_t segments(uint32_t bytes, uint32_t mss) { return (bytes + mss - 1) / mss; }

/* The front of the first record is acknowledged, not all of it. */
static void cut_front(const struct chunks *chunks, struct rtx_queue *q, struct rtx_record *r, uint32_t front, uint32_t mss)
{
    forget_pipe(q, r, front);
    advance(chunks, &r->at, front);
    r->seq += front;
    r->len -= front;
    if (r->flags & RTX_SACKED) {
        uint32_t segs = segments(r->len, mss);
        q->sacked -= front;
        q->sacked_segs -= r->segs > segs ? r->segs - segs : 0;
        r->segs = (uint16_t)(r->segs > segs ? segs : r->segs);
    }
}

/* Of the queue's first: it flies, was sent once and is acknowledged whole. */
static bool plain(const struct rtx_queue *q, const struct rtx_record *r, uint32_t una)
{
    return (r->flags & ~RTX_FIN) == 0 && seq_ge(una, r->seq + r->len) && q->flying.first == q->head;
}

/* Such records, in the order in which they were sent, and none that was sent later has arrived: what almost always happens. `r` is the first. */
static void ack_plain(struct slots *pool, struct rtx_queue *q, struct rtx_record *r, uint32_t una, struct rtx_heard *h)
{
    uint32_t before = q->pipe;
    h->original |= seq_le(r->seq + r->len, h->recover);
    do {
        uint32_t id = q->head;
        h->rack = (struct rtx_when){.sent = r->sent, .end = r->seq + r->len, .order = r->order};
        if (h->rates)
            h->rate = r->rate;
        q->pipe -= r->len;
        q->head = r->next;
        q->flying.first = r->later;
        move_fingers(q, id, r->next);
        q->count--;
        slots_give(pool, id);
        r = rtx_at(pool, q->head);
    } while (q->head && plain(q, r, una) && r->sent >= h->rack.sent);
    if (q->head)
        r->prev = 0;
    else
        q->tail = 0;
    if (q->flying.first)
        rtx_at(pool, q->flying.first)->earlier = 0;
    else
        q->flying.last = 0;
    h->delivered += before - q->pipe;
    h->sample = h->rack.sent;
    q->fack = h->rack.end;
    h->any = h->valid = true;
    if (h->rates)
        h->last = h->rack;
}

/* Any other; false: only its front is acknowledged. */
static bool ack_one(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, struct rtx_record *r, uint32_t una, struct rtx_heard *h)
{
    bool whole = seq_ge(una, r->seq + r->len);
    if (!(r->flags & RTX_SACKED)) {
        h->repeated |= (r->flags & RTX_RETRANSMITTED) != 0;
        hear(q, r, whole ? r->len : una - r->seq, false, h);
    }
    if (!whole) {
        cut_front(chunks, q, r, una - r->seq, h->mss);
        return false;
    }
    forget_pipe(q, r, r->len);
    settle(pool, q, r);
    unlink_head(pool, q, r);
    return true;
}

void rtx_ack(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t una, struct rtx_heard *h)
{
    while (q->head) {
        struct rtx_record *r = rtx_at(pool, q->head);
        uint32_t end = r->seq + r->len;
        if (seq_le(una, r->seq))
            break;
        if (plain(q, r, una) && seq_gt(end, q->fack) && !h->repeated && r->sent >= h->sample)
            ack_plain(pool, q, r, una, h);
        else if (!ack_one(pool, chunks, q, r, una, h))
            break;
    }
    if (seq_lt(q->fack, una))
        q->fack = una;
}

void rtx_mark_lost(struct slots *pool, struct rtx_queue *q, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    if (r->flags & RTX_SACKED)
        return;
    if (r->flags & RTX_LOST) {            /* what of it was sent again is lost again */
        q->pipe -= r->again;
        q->repeated -= r->again;
        q->lost_bytes += r->again;
        r->again = 0;
        return;
    }
    list_remove(pool, &q->flying, r);
    list_append(pool, &q->gone, id);
    r->flags |= RTX_LOST;
    q->pipe -= r->len;
    q->repeated -= r->flags & RTX_RETRANSMITTED ? r->len : 0;
    q->lost_bytes += r->len;
    q->lost++;
}

void rtx_mark_all_lost(struct slots *pool, struct rtx_queue *q)
{
    for (uint32_t id = q->head; id; id = rtx_at(pool, id)->next)
        rtx_mark_lost(pool, q, id);
}

void rtx_forget_sacks(struct slots *pool, struct rtx_queue *q)
{
    for (uint32_t id = q->head; id; id = rtx_at(pool, id)->next) {
        struct rtx_record *r = rtx_at(pool, id);
        if (!(r->flags & RTX_SACKED))
            continue;
        settle(pool, q, r);
        r->flags = (uint8_t)((r->flags & ~RTX_SACKED) | RTX_LOST);
        r->again = 0;
        list_append(pool, &q->gone, id);
        q->lost++;
    }
    if (q->head)
        q->fack = rtx_at(pool, q->head)->seq;
}

void rtx_unmark_lost(struct slots *pool, struct rtx_queue *q)
{
    for (uint32_t id = q->gone.last, earlier; id; id = earlier) {        /* they were sent before all that fly, in this order */
        struct rtx_record *r = rtx_at(pool, id);
        earlier = r->earlier;
        list_remove(pool, &q->gone, r);
        q->pipe += r->len - r->again;
        q->repeated += r->flags & RTX_RETRANSMITTED ? r->len - r->again : 0;
        q->lost--;
        r->again = 0;
        r->flags &= (uint8_t)~RTX_LOST;
        list_push(pool, &q->flying, id);
    }
}

/* The first of all is what the peer waits for. */
uint32_t rtx_first_lost(const struct slots *pool, const struct rtx_queue *q)
{
    return q->lost && rtx_at(pool, q->head)->flags & RTX_LOST ? q->head : q->gone.first;
}

/* Cuts a record that is not sacked in two; 0: no record left, or the queue has its maximum. Else the hind part. */
static uint32_t split(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t id, uint32_t front)
{
    uint32_t tail_id = q->count < max ? slots_take(pool) : 0;
    if (!tail_id)
        return 0;
    struct rtx_record *r = rtx_at(pool, id), *t = rtx_at(pool, tail_id);
    *t = *r;
    t->seq += front;
    t->len -= front;
    advance(chunks, &t->at, front);
    t->prev = id;
    if (r->next)
        rtx_at(pool, r->next)->prev = tail_id;
    else
        q->tail = tail_id;
    r->next = tail_id;
    r->len = front;
    r->flags &= (uint8_t)~RTX_FIN;
    q->count++;
    list_insert_after(pool, r->flags & RTX_LOST ? &q->gone : &q->flying, id, tail_id);
    if (r->flags & RTX_LOST)
        q->lost++;
    return tail_id;
}

void rtx_mark_front_lost(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t most)
{
    const struct rtx_record *r = q->head ? rtx_at(pool, q->head) : NULL;
    if (!r || r->flags & RTX_SACKED)
        return;
    uint32_t fin = r->flags & RTX_FIN ? 1 : 0;           /* it needs no segment of its own: RFC 5681 3.2 (2) repeats "the segment" that was lost */
    if (r->len > most + fin && !(r->flags & RTX_LOST))
        split(pool, chunks, q, max, q->head, most);
    rtx_mark_lost(pool, q, q->head);
}

uint32_t rtx_cut_tail(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t most)
{
    const struct rtx_record *r = q->tail ? rtx_at(pool, q->tail) : NULL;
    if (!r || r->flags & (RTX_SACKED | RTX_LOST))
        return 0;
    uint32_t text = r->len - (r->flags & RTX_FIN ? 1 : 0), over = r->len - text;
    return text <= most ? q->tail : split(pool, chunks, q, max, q->tail, r->len - over - ((text - 1) % most + 1));
}

static uint32_t apart(uint32_t a, uint32_t b) { return seq_gt(a, b) ? a - b : b - a; }

/* The finger that is nearer to `seq`; one that points nowhere is to be placed first. */
static uint32_t *finger_for(struct slots *pool, struct rtx_queue *q, uint32_t seq)
{
    if (!q->finger[0] || !q->finger[1])
        return &q->finger[q->finger[0] ? 1 : 0];
    return &q->finger[apart(rtx_at(pool, q->finger[1])->seq, seq) < apart(rtx_at(pool, q->finger[0])->seq, seq)];
}

/* The first record that ends behind `seq`, from the nearest of four places. */
static uint32_t find(struct slots *pool, struct rtx_queue *q, uint32_t seq, uint32_t *finger, uint32_t *budget)
{
    const uint32_t from[] = {q->tail, q->finger[0], q->finger[1]};
    uint32_t id = q->head;
    for (int i = 0; i < 3; i++)
        if (from[i] && apart(rtx_at(pool, from[i])->seq, seq) < apart(rtx_at(pool, id)->seq, seq))
            id = from[i];
    for (; *budget; --*budget) {
        const struct rtx_record *r = rtx_at(pool, id);
        *finger = id;
        if (seq_le(r->seq + r->len, seq))
            id = r->next;
        else if (seq_gt(r->seq, seq) && r->prev && seq_gt(rtx_at(pool, r->prev)->seq + rtx_at(pool, r->prev)->len, seq))
            id = r->prev;
        else
            return id;
        if (!id)
            return 0;
    }
    return 0;
}

/* Sacked neighbours become one record. */
static void merge(struct slots *pool, struct rtx_queue *q, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    uint32_t with = r->next;
    struct rtx_record *n = with ? rtx_at(pool, with) : NULL;
    if (!n || !(r->flags & n->flags & RTX_SACKED) || r->segs + (uint32_t)n->segs > UINT16_MAX)
        return;
    r->len += n->len;
    r->segs = (uint16_t)(r->segs + n->segs);
    r->flags |= n->flags;
    move_fingers(q, with, id);
    unlink_record(pool, q, with);
}

static void mark_sacked(struct slots *pool, struct rtx_queue *q, uint32_t id, struct rtx_heard *h)
{
    struct rtx_record *r = rtx_at(pool, id);
    hear(q, r, r->len, true, h);
    h->sacked += r->len;
    forget_pipe(q, r, r->len);
    settle(pool, q, r);
    uint32_t segs = segments(r->len - (r->flags & RTX_FIN && r->len > 1 ? 1 : 0), h->mss);         /* a FIN goes along with text */
    r->flags = (uint8_t)((r->flags & ~RTX_LOST) | RTX_SACKED);
    r->again = 0;
    r->segs = (uint16_t)(segs < UINT16_MAX ? segs : UINT16_MAX);
    q->sacked += r->len;
    q->sacked_segs += r->segs;
}

/* Of a record that a block covers only partly: the whole segments in it as a record of their own. 0: none, or no record to spare. */
static uint32_t carve(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t id, uint32_t front, uint32_t back, uint32_t mss)
{
    const struct rtx_record *r = rtx_at(pool, id);
    front = segments(front, mss) * mss;
    if (back < r->len)
        back -= back % mss;
    if (r->again || front >= back || q->count + 2 > max)
        return 0;
    if (front) {
        id = split(pool, chunks, q, max, id, front);
        back -= front;
    }
    if (!id || (back < rtx_at(pool, id)->len && !split(pool, chunks, q, max, id, back)))
        return 0;
    return id;
}

void rtx_sack(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t lo, uint32_t hi, uint32_t *budget, struct rtx_heard *h)
{
    uint32_t *finger = finger_for(pool, q, lo), id = q->head ? find(pool, q, lo, finger, budget) : 0;
    for (; id && *budget && seq_lt(rtx_at(pool, id)->seq, hi); --*budget) {
        struct rtx_record *r = rtx_at(pool, id);
        uint32_t front = seq_gt(lo, r->seq) ? lo - r->seq : 0, back = seq_lt(hi, r->seq + r->len) ? hi - r->seq : r->len;
        uint32_t next = r->next;
        if (!(r->flags & RTX_SACKED)) {
            uint32_t part = front || back < r->len ? carve(pool, chunks, q, max, id, front, back, h->mss) : id;
            if (part) {
                mark_sacked(pool, q, part, h);
                next = rtx_at(pool, part)->next;
                uint32_t prev = rtx_at(pool, part)->prev;
                *finger = part;
                merge(pool, q, part);
                if (prev)
                    merge(pool, q, prev);
                next = rtx_at(pool, *finger)->next;
            }
        }
        id = next;
    }
}

uint32_t rtx_next_again(struct slots *pool, const struct chunks *chunks, uint32_t id, struct stream_at *at)
{
    const struct rtx_record *r = rtx_at(pool, id);
    *at = r->at;
    if (r->again)
        advance(chunks, at, r->again);
    return r->seq + r->again;
}

/* RFC 8985 4-b, RFC 8985 7.3-e: RACK_retransmit_data */
void rtx_sent_again(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t max, uint32_t id, uint32_t n, pl_time now)
{
    struct rtx_record *r = rtx_at(pool, id);
    bool whole = r->again + n >= r->len || (r->again == 0 && split(pool, chunks, q, max, id, n));
    uint32_t more = !(r->flags & RTX_LOST) ? 0 : whole ? r->len - r->again : n;
    q->pipe += more;
    q->repeated += r->flags & (RTX_LOST | RTX_RETRANSMITTED) ? more : r->len;        /* one that is not lost flies already */
    r->flags |= RTX_RETRANSMITTED;
    if (r->transmissions < 255)
        r->transmissions++;
    r->sent = now;
    r->order = ++q->order;
    r->again = whole ? 0 : r->again + n;
    if (!whole && r->flags & RTX_LOST)
        return;
    list_remove(pool, r->flags & RTX_LOST ? &q->gone : &q->flying, r);
    q->lost -= r->flags & RTX_LOST ? 1 : 0;
    r->flags &= (uint8_t)~RTX_LOST;
    r->again = 0;
    list_append(pool, &q->flying, id);
}

void rtx_free(struct slots *pool, struct rtx_queue *q)
{
    if (q->head == 0)
        return;                           /* an empty one is as new, but for where the last one ended, which the next does not ask */
    while (q->head)
        unlink_record(pool, q, q->head);
    *q = (struct rtx_queue){.lost_bytes = q->lost_bytes, .order = q->order};
}
