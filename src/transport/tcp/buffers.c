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
    const struct chunks *p = &x->pools->chunks;
    return tune_ceiling(x->config->sndbuf_bytes, x->config->sndbuf_max, chunks_spare(p), p->capacity);
}

/* Of the chunks, and of what may be promised: whichever is shorter. */
static uint32_t rcvbuf_ceiling(const struct tcp_ctx *x, const struct tcp *c)
{
    const struct chunks *p = &x->pools->chunks;
    uint32_t first = x->config->rcvbuf_bytes, max = x->config->rcvbuf_max;
    uint64_t committed = ((uint64_t)p->used << p->shift) + p->promised - c->rcv.promised;
    uint64_t left = committed < p->promises_max ? p->promises_max - committed : 0;
    uint32_t by_chunks = tune_ceiling(first, max, chunks_spare(p), p->capacity), by_promises = tune_ceiling(first, max, left, p->promises_max);
    return by_chunks < by_promises ? by_chunks : by_promises;
}

/* The field of the window can say no more: RFC 7323 2.3. */
static uint32_t sayable(const struct tcp *c) { return (uint32_t)65535 << c->opt.rcv_wscale; }
static uint32_t rcvbuf_largest(const struct tcp_ctx *x, const struct tcp *c) { return x->config->rcvbuf_max < sayable(c) ? x->config->rcvbuf_max : sayable(c); }

/* ------------------------------------------------------------ receiving ------------------------------------------------------------ */

static uint32_t clock_now(const struct tcp_ctx *x, const struct tcp *c) { return timestamps_clock(c->ts.offset, x->wire_now); }

void tcp_round_begins(const struct tcp_ctx *x, struct tcp *c)
{
    c->round_ms = clock_now(x, c);
    c->round_received = (uint32_t)c->count.bytes_received;
}

/* The n bytes stand in the stream, and are not counted yet. */
void tcp_rcvbuf_grow(struct tcp_ctx *x, struct tcp *c, uint32_t echo, uint32_t n)
{
    struct tune_round r = {.echoes = c->opt.ts_ok, .echo = echo, .began = c->round_ms, .now = clock_now(x, c), .srtt_ms = tcp_ms(c->rtt.srtt),
                           .arrived = (uint32_t)c->count.bytes_received - c->round_received, .rcvbuf = c->rcvbuf_bytes};
    if (c->orphan || !tune_round_over(&r))
        return;
    uint32_t wanted = tune_rcvbuf(r.arrived, (uint32_t)c->arrived_before << TUNE_UNIT_SHIFT);
    c->arrived_before = (uint16_t)(r.arrived < 1u << 30 ? r.arrived >> TUNE_UNIT_SHIFT : UINT16_MAX);
    tcp_round_begins(x, c);
    if (wanted <= c->rcvbuf_bytes || tune_program_lags(c->rcv_stream.len - n, c->rcvbuf_bytes))
        return;
    uint32_t from = c->rcvbuf_bytes;
    c->rcvbuf_bytes = tune_grown(from, wanted, rcvbuf_ceiling(x, c), rcvbuf_largest(x, c));
    if (c->rcvbuf_bytes > from)
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_RCVBUF_GROWN, from, c->rcvbuf_bytes);
}

void tcp_rcvbuf_shrink(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t from = c->rcvbuf_bytes, most = rcvbuf_ceiling(x, c), needed = c->rcv_stream.len + c->rcv.wnd;
    if (!tune_shrinks(from, most))
        return;
    most = most > needed ? most : needed;
    if (most >= from)
        return;
    c->rcvbuf_bytes = most;
    if (tune_step_is_told(from, most))
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_RCVBUF_SHRUNK, from, most);
}

/* ------------------------------------------------------------ sending ------------------------------------------------------------ */

void tcp_sndbuf_tune(struct tcp_ctx *x, struct tcp *c)
{
    uint32_t from = c->sndbuf_bytes, most = sndbuf_ceiling(x), to = from;
    if (!tune_shrinks(from, most))
        to = tune_grown(from, tune_sndbuf(c->cc.cwnd, from), most, x->config->sndbuf_max);
    else if (c->snd_stream.len < from)
        to = most > c->snd_stream.len ? most : c->snd_stream.len;
    c->sndbuf_bytes = to;
    if (to > from)
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_SNDBUF_GROWN, from, to);
    else if (tune_step_is_told(from, to))
        tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_SNDBUF_SHRUNK, from, to);
}

/* ------------------------------------------------------------ why it does not grow ------------------------------------------------------------ */

static bool at_ceiling(uint32_t size, uint32_t ceiling, uint32_t max) { return ceiling < max && !tune_below(size, ceiling); }

uint8_t tcp_sndbuf_bound(const struct tcp_ctx *x, const struct tcp *c)
{
    if (c->sndbuf_fixed)
        return PL_BUFFER_FIXED;
    if (c->sndbuf_bytes >= x->config->sndbuf_max)
        return PL_BUFFER_LARGEST;
    return at_ceiling(c->sndbuf_bytes, sndbuf_ceiling(x), x->config->sndbuf_max) ? PL_BUFFER_MEMORY : PL_BUFFER_TUNED;
}

uint8_t tcp_rcvbuf_bound(const struct tcp_ctx *x, const struct tcp *c)
{
    if (c->rcvbuf_fixed)
        return PL_BUFFER_FIXED;
    if (c->rcvbuf_bytes >= x->config->rcvbuf_max)
        return PL_BUFFER_LARGEST;
    if (tcp_synchronised(c) && c->rcvbuf_bytes >= sayable(c))
        return PL_BUFFER_UNSCALED;
    return at_ceiling(c->rcvbuf_bytes, rcvbuf_ceiling(x, c), x->config->rcvbuf_max) ? PL_BUFFER_MEMORY : PL_BUFFER_TUNED;
}
