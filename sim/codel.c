/* SPDX-License-Identifier: MIT
 *
 * codel.c: RFC 8289 section 5, in its words. See codel.h.
 */
#include "sim/codel.h"
#include "sim/header.h"

void fifo_put(struct fifo *q, struct packet *p, pl_time now)
{
    p->next = NULL;
    p->queued = now;
    if (q->last) q->last->next = p;
    else q->first = p;
    q->last = p;
    q->bytes += p->len;
    q->packets++;
}

struct packet *fifo_take(struct fifo *q)
{
    struct packet *p = q->first;
    if (!p) return NULL;
    q->first = p->next;
    if (!q->first) q->last = NULL;
    q->bytes -= p->len;
    q->packets--;
    p->next = NULL;
    return p;
}

void fifo_free(struct fifo *q)
{
    for (struct packet *p; (p = fifo_take(q)) != NULL;)
        packet_free(p);
}

/* Rounded down. */
static uint64_t root(uint64_t v)
{
    uint64_t r = 0;
    for (uint64_t bit = (uint64_t)1 << 62; bit; bit >>= 2) {
        if (v >= r + bit) {
            v -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
    }
    return r;
}

/* RFC 8289 5.6: the control law. The root has 16 bits behind the point. */
pl_time codel_control_law(pl_time t, pl_time interval, uint32_t count)
{
    return t + (interval << 16) / root((uint64_t)count << 32);
}

/* RFC 8289 5.6, dodequeue: the next frame, and whether the estimator would let it be dropped: the sojourn time of all frames was above TARGET for an INTERVAL. */
static struct packet *do_dequeue(struct codel *c, struct fifo *q, pl_time now, bool *ok_to_drop)
{
    struct packet *p = fifo_take(q);
    *ok_to_drop = false;
    if (!p || now - p->queued < c->target || q->bytes <= c->maxpacket) {
        /* Went below: it starts anew. An empty queue, or one frame, is no standing queue. */
        c->first_above_time = 0;
    } else if (!c->first_above_time) {
        c->first_above_time = now + c->interval;
    } else if (now >= c->first_above_time) {
        *ok_to_drop = true;
    }
    return p;
}

/* Marks the frame if that may be, and says so; else drops it. */
static bool marks(const struct codel *c, struct packet *p, pl_time now, codel_told_fn *told, void *user)
{
    bool marked = c->ecn && header_mark(p, c->ethernet);
    told(user, marked ? CODEL_MARKED : CODEL_DROPPED, p, now);
    return marked;
}

static struct packet *while_dropping(struct codel *c, struct fifo *q, struct packet *p, bool ok_to_drop, pl_time now, codel_told_fn *told, void *user)
{
    if (!ok_to_drop) c->dropping = false;
    while (c->dropping && now >= c->drop_next) {
        c->count++;
        if (marks(c, p, now, told, user)) {
            c->drop_next = codel_control_law(c->drop_next, c->interval, c->count);
            return p;
        }
        p = do_dequeue(c, q, now, &ok_to_drop);
        if (!ok_to_drop) c->dropping = false;
        else c->drop_next = codel_control_law(c->drop_next, c->interval, c->count);
    }
    return p;
}

struct packet *codel_take(struct codel *c, struct fifo *q, pl_time now, codel_told_fn *told, void *user)
{
    bool ok_to_drop;
    if (!c->target) c->target = 5 * PL_MS;
    if (!c->interval) c->interval = 100 * PL_MS;
    struct packet *p = do_dequeue(c, q, now, &ok_to_drop);
    if (c->dropping) return while_dropping(c, q, p, ok_to_drop, now, told, user);
    if (!ok_to_drop) return p;
    if (!marks(c, p, now, told, user)) p = do_dequeue(c, q, now, &ok_to_drop);
    c->dropping = true;
    /* If it dropped not long ago, it begins with about the rate that controlled the queue then. */
    uint32_t delta = c->count - c->lastcount;
    c->count = delta > 1 && now < c->drop_next + 16 * c->interval ? delta : 1;
    c->drop_next = codel_control_law(now, c->interval, c->count);
    c->lastcount = c->count;
    return p;
}
