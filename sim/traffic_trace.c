/* SPDX-License-Identifier: MIT
 *
 * traffic_trace.c: retransmissions, what led to them, and round-trip times of a flow, from the trace of its sender. A round trip is measured from a segment to the
 * acknowledgement that ends where it ends; what was sent more than once says nothing (Karn's algorithm, RFC 6298 3).
 */
#include "sim/traffic.h"
#include <stdio.h>
#include <stdlib.h>

static int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static struct traffic_sent *nth(struct traffic *t, size_t i)
{
    return &t->ring[(t->ring_first + i) & (t->ring_size - 1)];
}

static void remember(struct traffic *t, uint32_t end, pl_time now)
{
    if (t->ring_n == t->ring_size) {
        size_t size = t->ring_size ? 2 * t->ring_size : 256;
        struct traffic_sent *ring = malloc(size * sizeof *ring);
        if (!ring) {
            fputs("sim: out of memory\n", stderr);
            abort();
        }
        for (size_t i = 0; i < t->ring_n; i++)
            ring[i] = *nth(t, i);
        free(t->ring);
        t->ring = ring;
        t->ring_size = size;
        t->ring_first = 0;
    }
    t->ring_n++;
    *nth(t, t->ring_n - 1) = (struct traffic_sent){.end = end, .at = now};
}

/* First entry that ends behind `seq`: they are in order. */
static size_t first_behind(struct traffic *t, uint32_t seq)
{
    size_t low = 0, high = t->ring_n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (distance(nth(t, middle)->end, seq) > 0) high = middle;
        else low = middle + 1;
    }
    return low;
}

static void sent(struct traffic *t, const struct pl_trace_segment *s, pl_time now)
{
    uint32_t end = s->seq + s->len;
    t->segments += s->segs;
    if (!t->sent_any) t->sent_max = s->seq;
    t->sent_any = true;
    if (distance(s->seq, t->sent_max) < 0) {
        uint32_t again = distance(end, t->sent_max) < 0 ? s->len : t->sent_max - s->seq;
        t->retransmits++;
        t->retransmitted_bytes += again;
        size_t first = first_behind(t, s->seq);
        for (size_t i = first; i < t->ring_n && (i == first || distance(nth(t, i - 1)->end, end) < 0); i++)
            nth(t, i)->again = true;
    }
    if (distance(end, t->sent_max) > 0) {
        t->sent_max = end;
        remember(t, end, now);
    }
}

static void acknowledged(struct traffic *t, uint32_t ack, pl_time now)
{
    size_t n = first_behind(t, ack);
    if (!n) return;
    /* What waited behind a hole says how long the hole lasted. */
    bool again = false;
    for (size_t i = 0; i < n; i++)
        again |= nth(t, i)->again;
    const struct traffic_sent *last = nth(t, n - 1);
    if (last->end == ack && !again) hist_add(&t->rtt, now - last->at);
    t->ring_first = (t->ring_first + n) & (t->ring_size - 1);
    t->ring_n -= n;
}

static void decided(struct traffic *t, enum pl_reason why)
{
    switch (why) {
    case PL_WHY_CWND_RACK:
    case PL_WHY_CWND_AGAIN:
    case PL_WHY_CWND_FAST:
    case PL_WHY_CWND_PROBE: t->recoveries++; break;
    case PL_WHY_UNDO_EIFEL:
    case PL_WHY_UNDO_DSACK:
    case PL_WHY_UNDO_FRTO: t->undone++; break;
    case PL_WHY_TIMER_RTO: t->time_outs++; break;
    case PL_WHY_TIMER_LOSS_PROBE: t->probes++; break;
    default: break;
    }
}

void traffic_trace(struct traffic *t, const struct pl_trace_event *e)
{
    if (e->kind == PL_TRACE_DECISION || e->kind == PL_TRACE_TIMER) decided(t, (enum pl_reason)e->why);
    if (!e->seg) return;
    if (e->kind == PL_TRACE_OUT && e->seg->len) sent(t, e->seg, e->now);
    else if (e->kind == PL_TRACE_IN && !e->drop && e->seg->flags & 0x10) acknowledged(t, e->seg->ack, e->now);
}
