/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/rtx_queue.h"
#include "base/seq.h"

uint32_t rtx_append(struct slots *pool, struct rtx_queue *q, uint32_t max, uint32_t seq, uint32_t len, struct stream_at at, bool fin, pl_time now)
{
    uint32_t id = q->count < max ? slots_take(pool) : 0;
    if (!id)
        return 0;
    struct rtx_record *r = rtx_at(pool, id);
    *r = (struct rtx_record){.sent = now, .seq = seq, .len = len, .at = at, .prev = q->tail, .flags = fin ? RTX_FIN : 0, .transmissions = 1};
    if (q->tail)
        rtx_at(pool, q->tail)->next = id;
    else
        q->head = id;
    q->tail = id;
    q->count++;
    q->pipe += len;
    return id;
}

static void unlink_head(struct slots *pool, struct rtx_queue *q)
{
    uint32_t id = q->head;
    struct rtx_record *r = rtx_at(pool, id);
    q->head = r->next;
    if (q->head)
        rtx_at(pool, q->head)->prev = 0;
    else
        q->tail = 0;
    if (q->first_lost == id)
        q->first_lost = 0;
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

/* `bytes` of the front are acknowledged. */
static void forget_pipe(struct rtx_queue *q, struct rtx_record *r, uint32_t bytes)
{
    uint32_t flying = !(r->flags & RTX_LOST) ? bytes : r->again < bytes ? r->again : bytes;
    q->pipe -= flying;
    if (r->flags & RTX_LOST)
        r->again -= flying;
}

struct rtx_acked rtx_ack(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t una)
{
    struct rtx_acked acked = {0};
    while (q->head) {
        struct rtx_record *r = rtx_at(pool, q->head);
        if (seq_le(una, r->seq))
            break;
        if (r->transmissions == 1 && !(r->flags & RTX_RETRANSMITTED))
            acked.sent = r->sent;
        else
            acked.repeated = true;
        if (seq_lt(una, r->seq + r->len)) {            /* only its front is acknowledged */
            uint32_t front = una - r->seq;
            forget_pipe(q, r, front);
            acked.bytes += front;
            advance(chunks, &r->at, front);
            r->seq = una;
            r->len -= front;
            break;
        }
        forget_pipe(q, r, r->len);
        if (r->flags & RTX_LOST)
            q->lost--;
        acked.bytes += r->len;
        unlink_head(pool, q);
    }
    return acked;
}

void rtx_mark_lost(struct slots *pool, struct rtx_queue *q, uint32_t id)
{
    struct rtx_record *r = rtx_at(pool, id);
    if (r->flags & RTX_LOST) {            /* what of it was sent again is lost again */
        q->pipe -= r->again;
        r->again = 0;
        return;
    }
    r->flags |= RTX_LOST;
    q->pipe -= r->len;
    q->lost++;
    if (q->lost == 1 || (q->first_lost && seq_lt(r->seq, rtx_at(pool, q->first_lost)->seq)))
        q->first_lost = id;
}

void rtx_mark_all_lost(struct slots *pool, struct rtx_queue *q)
{
    for (uint32_t id = q->head; id; id = rtx_at(pool, id)->next)
        rtx_mark_lost(pool, q, id);
    q->first_lost = q->head;
}

uint32_t rtx_first_lost(struct slots *pool, struct rtx_queue *q)
{
    if (!q->lost)
        return 0;
    uint32_t id = q->first_lost ? q->first_lost : q->head;
    while (id && !(rtx_at(pool, id)->flags & RTX_LOST))
        id = rtx_at(pool, id)->next;
    q->first_lost = id;
    return id;
}

/* Cuts a record in two; false: no record left. */
static bool split(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t id, uint32_t front)
{
    uint32_t tail_id = slots_take(pool);
    if (!tail_id)
        return false;
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
    if (r->flags & RTX_LOST)
        q->lost++;
    return true;
}

void rtx_mark_front_lost(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t most)
{
    if (!q->head)
        return;
    if (rtx_at(pool, q->head)->len > most && !(rtx_at(pool, q->head)->flags & RTX_LOST))
        split(pool, chunks, q, q->head, most);
    rtx_mark_lost(pool, q, q->head);
}

uint32_t rtx_next_again(struct slots *pool, const struct chunks *chunks, uint32_t id, struct stream_at *at)
{
    const struct rtx_record *r = rtx_at(pool, id);
    *at = r->at;
    if (r->again)
        advance(chunks, at, r->again);
    return r->seq + r->again;
}

void rtx_sent_again(struct slots *pool, const struct chunks *chunks, struct rtx_queue *q, uint32_t id, uint32_t n, pl_time now)
{
    struct rtx_record *r = rtx_at(pool, id);
    bool whole = r->again + n >= r->len || (r->again == 0 && split(pool, chunks, q, id, n));
    r->flags |= RTX_RETRANSMITTED;
    if (r->transmissions < 255)
        r->transmissions++;
    r->sent = now;
    if (!(r->flags & RTX_LOST))           /* repeated though it was not given up: nothing left the network */
        return;
    q->pipe += whole ? r->len - r->again : n;
    r->again = whole ? 0 : r->again + n;
    if (!whole)
        return;
    r->flags &= (uint8_t)~RTX_LOST;
    q->lost--;
    if (q->first_lost == id)
        q->first_lost = r->next;
}

void rtx_free(struct slots *pool, struct rtx_queue *q)
{
    while (q->head)
        unlink_head(pool, q);
    *q = (struct rtx_queue){0};
}
