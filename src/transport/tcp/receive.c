/* SPDX-License-Identifier: MIT
 *
 * receive.c: what the receiving steps and output.c share: memory for what arrives, and the record of what came early or twice.
 *
 * Windows may promise more than there is: what is used of the pool and what is promised together may reach config.window_overcommit times the
 * pool. When that is reached, or the pool is nearly used up, windows grow no more; no right edge moves left, so what was promised stays promised,
 * and a segment that then finds no chunk is refused and repeated by its peer. So that nobody waits for ever, each connection keeps chunks for one
 * full segment: they are its stream's first chunks, whoever takes the others. As long as its program reads it can be sent something, and that
 * finds room, whatever other programs leave unread and whatever came early. With more connections than the pool has such shares, the last ones
 * wait until others give theirs back.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

/* For one full segment, or the smallest window that the field can say: at most half of the pool for all together. And one chunk to send from, or a
 * program that answers what it reads would wait for those whose peers do not read. */
void tcp_receive_begins(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t unit = 1u << c->opt.rcv_wscale, bytes = c->opt.mss > unit ? c->opt.mss : unit;
    uint32_t n = (bytes + x->pools->chunks.chunk_bytes - 1) >> x->pools->chunks.shift, share = x->pools->chunks.capacity / x->config->connections_max / 2;
    if (n > share)
        n = share ? share : 1;
    stream_keep(&x->pools->chunks, &c->rcv_stream, n);
    stream_keep(&x->pools->chunks, &c->snd_stream, 1);
    c->rcv_stream.yields = STREAM_ARRIVES;               /* what arrives leaves some to those that answer it */
    c->snd_stream.yields = STREAM_LEAVES; /* and what is sent some for whose program has nothing unread */
    tcp_round_begins(x, c);
    x->pools->chunks.promised += c->rcv.wnd - c->rcv.promised;
    c->rcv.promised = c->rcv.wnd;
}

void tcp_receive_ends(struct tcp_ctx *x, struct tcp *c)
{
    stream_keep(&x->pools->chunks, &c->rcv_stream, 0);
    x->pools->chunks.promised -= c->rcv.promised;
    c->rcv.promised = 0;
}

/* Never more than half of what is left, so that those who come later get something, too; but what is kept for it is its own. */
static uint32_t room_under_pressure(const struct chunks *p, const struct tcp *c, uint32_t room, uint64_t left, uint32_t *buffer)
{
    uint64_t most = left / 2, own = (uint64_t)stream_room(p, &c->rcv_stream) + ((uint64_t)c->rcv_stream.kept << p->shift);
    if (most < own)
        most = own;
    if (room > most)
        room = (uint32_t)most;
    if (room + c->rcv_stream.len < *buffer)
        *buffer = room + c->rcv_stream.len;              /* what is worth telling is measured by what there is */
    return room;
}

static inline uint32_t receive_room(const struct chunks *p, const struct tcp *c, uint32_t *buffer)
{
    uint32_t room = tcp_rcv_room(c);
    uint64_t committed = ((uint64_t)p->used << p->shift) + p->promised - c->rcv.promised;
    bool scarce = chunks_spare(p) < p->capacity / 8;
    *buffer = c->rcvbuf_bytes;
    if (!scarce && committed + 2 * (uint64_t)room <= p->promises_max)
        return room;
    return room_under_pressure(p, c, room, scarce || committed >= p->promises_max ? 0 : p->promises_max - committed, buffer);
}

uint32_t tcp_first_window(const struct tcp_ctx *x, const struct tcp *c)
{
    uint32_t buffer, all = tcp_rcv_room(c) < 65535 ? tcp_rcv_room(c) : 65535;    /* RFC 7323 2.2-d: unscaled */
    return receive_room(&x->pools->chunks, c, &buffer) >= all ? all : tcp_small_window(c);
}

bool tcp_window_worth_telling(const struct tcp_ctx *x, const struct tcp *c)
{
    /* If all of the buffer is not worth it, what pressure leaves of it is not either. */
    if (!window_update_due(c->rcv.wnd, tcp_rcv_room(c), c->opt.mss, c->rcvbuf_bytes, c->opt.rcv_wscale))
        return false;
    uint32_t buffer, room = receive_room(&x->pools->chunks, c, &buffer);
    return window_update_due(c->rcv.wnd, room, c->opt.mss, buffer, c->opt.rcv_wscale);
}

void tcp_offer_window(struct tcp_ctx *x, struct tcp *c)
{
    struct chunks *p = &x->pools->chunks;
    if (!c->rcvbuf_fixed && c->rcvbuf_bytes > x->config->rcvbuf_bytes)
        tcp_rcvbuf_shrink(x, c);
    if (tcp_rcv_room(c) > c->rcv.wnd) {    /* else all of it is on offer already */
        if (c->rcv_stream.count + c->rcv_stream.kept < c->rcv_stream.keep)
            stream_keep(p, &c->rcv_stream, c->rcv_stream.keep);
        uint32_t buffer, room = receive_room(p, c, &buffer);
        c->rcv.wnd = window_to_offer(c->rcv.wnd, room, c->opt.mss, buffer, c->opt.rcv_wscale);
    }
    if (c->rcv.promised == c->rcv.wnd)
        return;
    p->promised += (uint64_t)c->rcv.wnd - c->rcv.promised;
    c->rcv.promised = c->rcv.wnd;
}

/* RFC 7323 2.3-g: "should log the error but MUST use 14" */
void tcp_log_scale(struct tcp_ctx *x, const struct tcp *c, const struct wire_tcp_opts *o)
{
    if (!(o->have & WIRE_OPT_WSCALE) || o->wscale <= 14)
        return;
    x->counters->wscale_too_large++;
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_WSCALE_CLAMPED, o->wscale, 14);
}

/* RFC 2018 8: "discouraged, but may be used if the receiver runs out of buffer space"; what was let go is reported no more. */
bool tcp_shed_early_text(struct tcp_ctx *x, struct tcp *c)
{
    if (!tcp_has_gaps(x, c))
        return false;
    uint32_t before = x->pools->chunks.used;
    x->counters->early_text_shed++;
    tcp_gaps(x, c)->count = 0;
    tcp_gaps_forget(x, c);
    stream_trim(&x->pools->chunks, &c->rcv_stream);
    x->chunks_freed = true;
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_EARLY_TEXT_SHED, before, x->pools->chunks.used);
    return true;
}

bool tcp_gaps_take(struct tcp_ctx *x, struct tcp *c)
{
    if (c->gaps)
        return true;
    c->gaps = slots_take(&x->pools->gaps);
    if (!c->gaps)
        return false;
    tcp_gaps(x, c)->capacity = x->config->gaps_per_conn_max;
    tcp_ooo(x, c)->owner = (uint32_t)c->handle;
    return true;
}

void tcp_gaps_forget(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->gaps || !ooo_empty(tcp_ooo(x, c)))
        return;
    slots_give(&x->pools->gaps, c->gaps);
    c->gaps = 0;
}

/* RFC 2883 4: [lo, hi), of which everything below RCV.NXT counts that the peer can have sent: old numbers alone prove nothing. */
bool tcp_came_twice(struct tcp_ctx *x, struct tcp *c, uint32_t lo, uint32_t hi)
{
    uint64_t received = c->count.bytes_received + (c->fin_received ? 1 : 0);
    if (seq_lt(lo, c->rcv.nxt) && c->rcv.nxt - lo > received)
        lo = c->rcv.nxt - (uint32_t)received;
    if (!c->opt.sack_ok || !c->handle || !seq_lt(lo, hi) || !tcp_gaps_take(x, c))
        return false;
    ooo_duplicate(tcp_ooo(x, c), (struct range){lo, hi});
    delack_owe(&c->delack, PL_WHY_ACK_DSACK);
    return true;
}

/* Each segment owes one, because the peer counts them (RFC 5681 3.2). A peer with SACK needs no more than three to notice; what it is told is
 * in the options, and as many ACKs leave as these take. */
void tcp_owe_duplicate(struct tcp_ctx *x, struct tcp *c, enum pl_reason why)
{
    (void)x;
    delack_owe_duplicate(&c->delack, (uint16_t)why, c->opt.sack_ok ? 3 : 255);
}
