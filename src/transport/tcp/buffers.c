/* SPDX-License-Identifier: MIT
 *
 * buffers.c: the sizes of the two buffers: auto-tuned between the config's first size and its largest, unless the program sets them. models/tune.h says by
 * what rule, receive.c how much of the receive buffer may be promised.
 *
 * A size is a number; memory is taken by what lies in the buffer, and promised by the window. So nothing has to be done to connections that are idle when
 * memory runs short: each comes down to the common ceiling with its next ACK. It never comes below what it holds, and what the peer was promised: then no
 * right edge moves left (RFC 9293 3.8.6.2.1, SHLD-14), and the rest follows as that is used up.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

void tcp_buffers_first(const struct tcp_ctx *x, struct tcp *c)
{
    c->sndbuf_bytes = x->config->sndbuf_bytes;
    c->rcvbuf_bytes = x->config->rcvbuf_bytes;
    c->sndbuf_fixed = x->config->sndbuf_max <= c->sndbuf_bytes;
    c->rcvbuf_fixed = x->config->rcvbuf_max <= c->rcvbuf_bytes;
}

/* RFC 7323 2.3: the scale is chosen once, by the largest window that there will be. */
uint32_t tcp_rcvbuf_most(const struct tcp_ctx *x, const struct tcp *c)
{
    return c->rcvbuf_fixed || x->config->rcvbuf_max < c->rcvbuf_bytes ? c->rcvbuf_bytes : x->config->rcvbuf_max;
}

void tcp_rcvbuf_scaled(struct tcp *c)
{
    uint32_t unit = (uint32_t)1 << c->opt.rcv_wscale;
    if (c->rcvbuf_bytes < unit)
        c->rcvbuf_bytes = unit;
}

/* ------------------------------------------------------------ memory ------------------------------------------------------------ */

static uint32_t sndbuf_ceiling(const struct tcp_ctx *x)
{
    const struct chunks *p = x->chunks;
    return tune_ceiling(x->config->sndbuf_bytes, x->config->sndbuf_max, chunks_spare(p), p->capacity);
}

/* Of the chunks, and of what may be promised: whichever is shorter. */
static uint32_t rcvbuf_ceiling(const struct tcp_ctx *x, const struct tcp *c)
{
    const struct chunks *p = x->chunks;
    uint32_t first = x->config->rcvbuf_bytes, max = x->config->rcvbuf_max;
    uint64_t committed = ((uint64_t)p->used << p->shift) + p->promised - c->rcv.promised;
    uint64_t left = committed < p->promises_max ? p->promises_max - committed : 0;
    uint32_t by_chunks = tune_ceiling(first, max, chunks_spare(p), p->capacity), by_promises = tune_ceiling(first, max, left, p->promises_max);
    return by_chunks < by_promises ? by_chunks : by_promises;
}

/* The field of the window can say no more: RFC 7323 2.3. */
static uint32_t sayable(const struct tcp *c) { return (uint32_t)65535 << c->opt.rcv_wscale; }

static void resize_sndbuf(struct tcp_ctx *x, struct tcp *c, uint32_t to)
{
    uint32_t from = c->sndbuf_bytes;
    if (tune_too_small(from, to) && to != x->config->sndbuf_max)
        return;
    c->sndbuf_bytes = to;
    tcp_trace(x, c, PL_TRACE_DECISION, to > from ? PL_WHY_SNDBUF_GROWN : PL_WHY_SNDBUF_SHRUNK, from, to);
}

static void resize_rcvbuf(struct tcp_ctx *x, struct tcp *c, uint32_t to)
{
    uint32_t from = c->rcvbuf_bytes;
    if (tune_too_small(from, to) && to != x->config->rcvbuf_max)
        return;
    c->rcvbuf_bytes = to;
    tcp_trace(x, c, PL_TRACE_DECISION, to > from ? PL_WHY_RCVBUF_GROWN : PL_WHY_RCVBUF_SHRUNK, from, to);
}

/* ------------------------------------------------------------ receiving ------------------------------------------------------------ */

static uint32_t clock_now(const struct tcp_ctx *x, const struct tcp *c) { return timestamps_clock(c->ts.offset, x->wire_now); }
static uint32_t taken(const struct tcp *c) { return (uint32_t)c->count.bytes_received - c->rcv_stream.len; }

void tcp_round_begins(const struct tcp_ctx *x, struct tcp *c)
{
    c->round_ms = clock_now(x, c);
    c->round_taken = taken(c);
}

void tcp_rcvbuf_grow(struct tcp_ctx *x, struct tcp *c, uint32_t echo)
{
    struct tune_round r = {.echoes = c->opt.ts_ok, .echo = echo, .began = c->round_ms, .now = clock_now(x, c), .srtt_ms = tcp_ms(c->rtt.srtt),
                           .took = taken(c) - c->round_taken, .rcvbuf = c->rcvbuf_bytes};
    if (c->orphan || !tune_round_over(&r))
        return;
    uint32_t wanted = tune_rcvbuf(r.took, (uint32_t)c->took_before << TUNE_UNIT_SHIFT);
    c->took_before = (uint16_t)(r.took < 1u << 30 ? r.took >> TUNE_UNIT_SHIFT : UINT16_MAX);
    tcp_round_begins(x, c);
    if (wanted <= c->rcvbuf_bytes)
        return;
    uint32_t most = rcvbuf_ceiling(x, c);
    most = most < sayable(c) ? most : sayable(c);
    wanted = wanted < most ? wanted : most;
    if (wanted > c->rcvbuf_bytes)
        resize_rcvbuf(x, c, wanted);
}

void tcp_rcvbuf_shrink(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t most = rcvbuf_ceiling(x, c), needed = c->rcv_stream.len + c->rcv.wnd;
    most = most > needed ? most : needed;
    if (c->rcvbuf_bytes > most)
        resize_rcvbuf(x, c, most);
}

/* ------------------------------------------------------------ sending ------------------------------------------------------------ */

void tcp_sndbuf_tune(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t most = sndbuf_ceiling(x), wanted = tune_sndbuf(c->cc.cwnd, c->sndbuf_bytes);
    if (c->sndbuf_bytes > most) {
        most = most > c->snd_stream.len ? most : c->snd_stream.len;
        if (c->sndbuf_bytes > most)
            resize_sndbuf(x, c, most);
    } else if (wanted) {
        wanted = wanted < most ? wanted : most;
        if (wanted > c->sndbuf_bytes)
            resize_sndbuf(x, c, wanted);
    }
}

/* ------------------------------------------------------------ why it does not grow ------------------------------------------------------------ */

static bool at_ceiling(uint32_t size, uint32_t ceiling) { return size >= ceiling || tune_too_small(size, ceiling); }

uint8_t tcp_sndbuf_bound(const struct tcp_ctx *x, const struct tcp *c)
{
    if (c->sndbuf_fixed)
        return PL_BUFFER_FIXED;
    if (c->sndbuf_bytes >= x->config->sndbuf_max)
        return PL_BUFFER_LARGEST;
    return at_ceiling(c->sndbuf_bytes, sndbuf_ceiling(x)) ? PL_BUFFER_MEMORY : PL_BUFFER_TUNED;
}

uint8_t tcp_rcvbuf_bound(const struct tcp_ctx *x, const struct tcp *c)
{
    if (c->rcvbuf_fixed)
        return PL_BUFFER_FIXED;
    if (c->rcvbuf_bytes >= x->config->rcvbuf_max)
        return PL_BUFFER_LARGEST;
    if (tcp_synchronised(c) && c->rcvbuf_bytes >= sayable(c))
        return PL_BUFFER_UNSCALED;
    return at_ceiling(c->rcvbuf_bytes, rcvbuf_ceiling(x, c)) ? PL_BUFFER_MEMORY : PL_BUFFER_TUNED;
}
