/* SPDX-License-Identifier: MIT
 *
 * tx.c: pl_tx: who may send next on an interface. Replies without connection and connections take turns; each of them gives one frame (or
 * super-frame) a turn. Whoever is alone goes on.
 */
#include "stack/net.h"

/* Makes the frame empty; false: it has no room for headers. */
static bool frame_open(struct pl_frame *f)
{
    f->flags = 0;
    f->nspans = 0;
    f->gso_size = f->gso_segs = f->csum_start = f->csum_off = f->hdr_len = 0;
    f->rx_time = f->not_before = 0;
    return f->span[0].len >= PL_HEADER_BYTES_MAX;
}

/* The first of the queue that has something to send; one that is alone there goes on. Returns how many frames were written. */
static size_t from_queue(pl_stack *s, struct tx_door *d, struct pl_frame *frames, size_t n)
{
    struct list_node *nodes = stack_ready_nodes(s);
    struct iface *i = d->i;
    size_t wrote = 0;
    while (i->queue.head && wrote == 0) {
        uint32_t ref = list_pop(&i->queue, nodes);
        bool udp = flow_kind_of(&s->flows, ref) == FLOW_UDP;
        enum tx_verdict v;
        d->want.what = WANT_NOTHING;
        do {
            v = udp ? udp_tx(s, ref, d->iface, &frames[wrote]) : tcp_tx(s, d, ref, &frames[wrote]);
            wrote += v == TX_WROTE || v == TX_WROTE_LAST;
        } while (v == TX_WROTE && wrote < n && !i->queue.head && !i->owed_count && frame_open(&frames[wrote]));
        if (v == TX_WROTE) {
            ref_ready(s, ref, d->iface);
            tcp_tx_pauses(s, ref);
        }
    }
    return wrote;
}

static bool from_owed(pl_stack *s, const struct tx_door *d, struct pl_frame *frame)
{
    return owed_pending(s, d->iface) && owed_tx(s, d->iface, frame);
}

static size_t one_turn(pl_stack *s, struct tx_door *d, struct pl_frame *frames, size_t n)
{
    bool owed_first = ++d->i->turn & 1;
    if (owed_first && d->i->owed_count && from_owed(s, d, frames))
        return 1;
    do {                                  /* one may wake the other: a flow asks for its neighbour, a failure lets others go */
        size_t wrote = from_queue(s, d, frames, n);
        if (wrote)
            return wrote;
        if (d->i->owed_count && from_owed(s, d, frames))
            return 1;
    } while (d->i->queue.count);
    return 0;
}

int pl_tx(pl_stack *s, int iface, struct pl_frame *frames, size_t n, pl_time now)
{
    struct iface *i = stack_iface(s, iface);
    stack_now(s, now);
    if (!i)
        return PL_EINVAL;
    if (!i->ready)
        return 0;
    struct tx_door d = {.i = i, .iface = iface, .x = stack_tcp_ctx(s)};
    size_t wrote = 0;
    d.x.link_mtu = i->params.mtu;
    while (wrote < n) {
        if (!frame_open(&frames[wrote]))
            return wrote ? (int)wrote : PL_EINVAL;
        size_t more = one_turn(s, &d, frames + wrote, n - wrote);
        if (more == 0)
            break;
        wrote += more;
    }
    return (int)wrote;
}

/* Pins the chunks that a frame's text lies in: spans after the first point into chunks. */
static uint32_t chunk_of(const pl_stack *s, const void *p)
{
    const uint8_t *base = chunks_at(&s->pools.chunks, 1);
    const uint8_t *at = p;
    if (at < base || at >= base + ((size_t)s->pools.chunks.capacity << s->pools.chunks.shift))
        return 0;
    return (uint32_t)((size_t)(at - base) >> s->pools.chunks.shift) + 1;
}

/* A span may run through several chunks that follow each other in memory: its first and last one. False: it is none of ours. */
static bool chunks_of(const pl_stack *s, const struct pl_span *span, uint32_t *first, uint32_t *last)
{
    const uint8_t *base = span->base;
    *first = chunk_of(s, base);
    *last = span->len ? chunk_of(s, base + span->len - 1) : *first;
    return *first && *last >= *first;
}

int pl_tx_hold(pl_stack *s, const struct pl_frame *f)
{
    uint32_t first, last;
    for (unsigned n = 1; n < f->nspans; n++) {
        if (!chunks_of(s, &f->span[n], &first, &last))
            return PL_EINVAL;
        for (uint32_t chunk = first; chunk <= last; chunk++)
            if (chunks_meta(&s->pools.chunks, chunk)->state == 0)
                return PL_EINVAL;         /* too late: it went back already */
    }
    for (unsigned n = 1; n < f->nspans; n++) {
        chunks_of(s, &f->span[n], &first, &last);
        for (uint32_t chunk = first; chunk <= last; chunk++)
            chunks_pin(&s->pools.chunks, chunk);
    }
    return PL_OK;
}

void pl_tx_done(pl_stack *s, const struct pl_frame *f)
{
    uint32_t first, last;
    for (unsigned n = 1; n < f->nspans; n++) {
        if (!chunks_of(s, &f->span[n], &first, &last))
            continue;
        for (uint32_t chunk = first; chunk <= last; chunk++)
            if (chunks_meta(&s->pools.chunks, chunk)->pins)
                chunks_unpin(&s->pools.chunks, chunk);
    }
    wake_chunk_waiters(s);
}
