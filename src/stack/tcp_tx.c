/* SPDX-License-Identifier: MIT
 *
 * tcp_tx.c: a TCP segment on its way out: what the record wants, the path, and the headers in the caller's frame. RFC 9293 3.1.
 */
#include "base/bytes.h"
#include "base/checksum.h"
#include "stack/net.h"
#include "wire/eth_hdr.h"
#include "transport/tcp/models/user_timeout.h"
#include "wire/ip_proto.h"
#include "wire/tcp_hdr.h"

static void trace_segment(pl_stack *s, const struct tx_door *d, const struct pl_frame *f, const struct tcp *c, const struct tcp_out *o, uint8_t state)
{
    if (!s->env->trace) {                 /* nobody listens: only the counting is left */
        trace_count_out(s, d->i, f->hdr_len + o->text, o->why);
        return;
    }
    struct trace_out t = {.why = o->why, .protocol = WIRE_PROTO_TCP, .state = state, .conn = c->handle, .cookie = c->cookie};
    struct pl_trace_segment seg = {.seq = o->seq, .ack = o->ack, .len = o->text, .wnd = o->wnd, .wnd_raw = o->wnd_raw, .up = o->up, .flags = o->flags,
                                        .opts = o->opts.have, .wscale = o->opts.wscale, .nsack = o->opts.nsack, .mss = o->opts.mss, .segs = o->segs,
                                        .ts_val = o->opts.ts_val, .ts_ecr = o->opts.ts_ecr};
    seg.user_timeout_s = (uint32_t)(user_timeout_ms(o->opts.user_timeout) / 1000);
    for (unsigned i = 0; i < o->opts.nsack && i < 4; i++)
        seg.sack[2 * i] = o->opts.sack[i].lo, seg.sack[2 * i + 1] = o->opts.sack[i].hi;
    memcpy(t.local.addr.b, c->flow.local, 16);
    memcpy(t.remote.addr.b, c->flow.remote, 16);
    t.local.addr.zone = t.remote.addr.zone = c->flow.zone;
    t.local.port = c->flow.local_port;
    t.remote.port = c->flow.remote_port;
    t.seg = &seg;
    trace_out(s, d->iface, f, &t);
}

/* Writes all headers in front of the text that tcp_build put into span[1..]. */
static void put_headers(pl_stack *s, const struct tx_door *d, struct pl_frame *f, const struct tcp *c, const struct path *path, const struct tcp_out *o)
{
    const struct pl_iface_params *dev = &d->i->params;
    uint8_t *start = f->span[0].base;
    unsigned off = (dev->link == PL_LINK_ETHERNET ? WIRE_ETH_BYTES : 0) + (tcp_ipv6(&c->flow) ? 40 : 20);
    uint8_t *at = start + off;
    unsigned header = WIRE_TCP_BYTES + wire_tcp_opts_write(at + WIRE_TCP_BYTES, &o->opts);
    uint32_t bytes = header + o->text;
    struct wire_tcp h = {.src_port = c->flow.local_port, .dst_port = c->flow.remote_port, .seq = o->seq, .ack = o->ack, .hdr_bytes = (uint8_t)header,
                         .flags = o->flags, .wnd = o->wnd_raw, .up = o->up};
    /* RFC 9293 3.9.2: the connection's own address (MUST-45), TTL (MUST-49) and DSCP, unchanged (MUST-48, SHLD-22). RFC 7323 5.7: DF. */
    struct ip_out ip = {.local = c->flow.local, .remote = c->flow.remote, .protocol = WIRE_PROTO_TCP, .hop_limit = c->hop_limit, .tos = c->tos,
                        .dont_fragment = true, .payload_bytes = bytes};
    wire_tcp_write(at, &h);
    unsigned wrote = path_write_headers(s, d->i, path, &ip, start);
    CHECK(wrote == off);
    f->nspans = (uint8_t)(1 + o->nspans);
    f->span[0].len = off + header;
    f->hdr_len = (uint16_t)(off + header);
    f->gso_size = o->segs > 1 ? c->opt.mss : 0;
    f->gso_segs = o->segs;
    /* RFC 9293 3.1, MUST-2 */
    uint32_t sum = csum_pseudo(c->flow.local, c->flow.remote, WIRE_PROTO_TCP, bytes);
    if (dev->csum_offload) {              /* the device adds the rest: it finds the pseudo-header's sum in the field */
        uint16_t partial = csum_fold(sum);
        memcpy(at + 16, &partial, 2);
        f->flags |= PL_F_CSUM_PARTIAL;
        f->csum_start = (uint16_t)off;
        f->csum_off = 16;
        return;
    }
    sum = csum_add(sum, csum_bytes(at, header, s->env->cpu));
    if (o->text)
        sum = csum_add(sum, csum_spans(f->span + 1, o->nspans, 0, o->text, s->env->cpu));
    csum_store(at + 16, sum, false);
}

static struct path path_of(const struct tcp *c) { return (struct path){c->path_iface, c->path_neighbor, c->path_generation, c->path_mtu}; }

/* Is the way to the peer known? 0, PL_EAGAIN (park on c->path_neighbor), or an error. */
static int resolve(pl_stack *s, const struct tx_door *d, struct tcp *c)
{
    if (c->path_neighbor == 0 && c->path_iface == d->iface && d->i->params.link == PL_LINK_IP)
        return PL_OK;
    struct pl_addr local = {.zone = c->flow.zone}, remote = {.zone = c->flow.zone};
    struct path p = path_of(c);
    memcpy(local.b, c->flow.local, 16);
    memcpy(remote.b, c->flow.remote, 16);
    int e = path_resolve(s, &remote, &local, &p);
    c->path_iface = p.iface;
    c->path_neighbor = p.neighbor;
    c->path_generation = p.neighbor_generation;
    return e;
}

/* Sends what `c` wants, if the way is known. */
static enum tx_verdict send_one(pl_stack *s, struct tx_door *d, uint32_t ref, struct pl_frame *f, struct tcp *c, const struct tcp_want *w)
{
    struct tcp_out out;
    int e = resolve(s, d, c);
    if (e == PL_EAGAIN) {
        ref_park(s, ref, c->path_neighbor);
        return TX_PARKED;
    }
    if (e != PL_OK || c->path_iface != d->iface)
        return TX_NOTHING;
    struct path path = path_of(c);
    tcp_build(&d->x, c, w, &out, f->span + 1, PL_SPANS - 1);
    put_headers(s, d, f, c, &path, &out);
    trace_segment(s, d, f, c, &out, c->state);
    return TX_WROTE;
}

static void check_again(struct tx_door *d, struct tcp *c)
{
    struct tcp_want asked = tcp_want(&d->x, c, d->i->params.gso_bytes);
    CHECK(asked.what == d->want.what && asked.bytes == d->want.bytes && asked.fin == d->want.fin && asked.why == d->want.why);
}

static void check_said_all(struct tx_door *d, struct tcp *c, pl_time when)
{
    struct tcp_want asked = tcp_want(&d->x, c, d->i->params.gso_bytes);
    CHECK(asked.what == WANT_NOTHING && tcp_settle(&d->x, c, &asked) == when);
}

static enum tx_verdict conn_tx(pl_stack *s, struct tx_door *d, uint32_t ref, uint32_t slot, struct pl_frame *f)
{
    struct tcp *c = conn_at(s, slot);
    if (!tcp_want_again(&d->x, c, &d->want))
        d->want = tcp_want(&d->x, c, d->i->params.gso_bytes);
    else if (s->config.check)
        check_again(d, c);
    if (d->want.what == WANT_NOTHING) {
        ref_deadline(s, ref, tcp_settle(&d->x, c, &d->want));
        return TX_NOTHING;
    }
    enum tx_verdict v = send_one(s, d, ref, f, c, &d->want);
    if (s->config.check && v == TX_WROTE)
        tcp_check(&d->x, c);
    if (v == TX_NOTHING)                  /* no way to the peer (any more) */
        tcp_neighbor_failed(s, ref);
    pl_time when;
    if (v == TX_WROTE && tcp_said_all(&d->x, c, &when)) {
        d->want.what = WANT_NOTHING;
        if (s->config.check)
            check_said_all(d, c, when);
        ref_deadline(s, ref, when);
        return TX_WROTE_LAST;
    }
    return v;
}

static enum tx_verdict half_open_tx(pl_stack *s, struct tx_door *d, uint32_t ref, uint32_t slot, struct pl_frame *f)
{
    struct half_open *h = slots_at(&s->half_opens, slot);
    struct tcp c;
    if (half_open_silent(h))              /* asked again right after it sent: not worth thawing */
        return TX_NOTHING;
    if (!half_open_scratch(s, &d->x, slot, &c)) {
        half_open_end(s, slot, PL_WHY_NO_WAY);
        return TX_NOTHING;
    }
    struct tcp_want w = tcp_want(&d->x, &c, 0);
    enum tx_verdict v = send_one(s, d, ref, f, &c, &w);
    if (v == TX_NOTHING) {
        half_open_end(s, slot, PL_WHY_NO_WAY);
        return v;
    }
    half_open_freeze(&d->x, h, &c);
    ref_deadline(s, ref, timers_next(&c.timers));
    return v;
}

static enum tx_verdict time_wait_tx(pl_stack *s, struct tx_door *d, uint32_t ref, uint32_t slot, struct pl_frame *f)
{
    struct time_wait *w = slots_at(&s->time_waits, slot);
    struct tcp c;
    if (!w->ack_why || !scratch_init(s, &d->x, &w->flow, NULL, &c))
        return TX_NOTHING;
    if (w->owner)
        c.handle = conn_at(s, w->owner)->handle, c.cookie = conn_at(s, w->owner)->cookie;
    time_wait_thaw(&d->x, w, &c);
    struct tcp_want want = tcp_want(&d->x, &c, 0);
    enum tx_verdict v = send_one(s, d, ref, f, &c, &want);
    if (v != TX_PARKED)
        w->ack_why = 0;
    return v;
}

enum tx_verdict tcp_tx(pl_stack *s, struct tx_door *d, uint32_t ref, struct pl_frame *f)
{
    enum flow_kind kind = flow_kind_of(&s->flows, ref);
    uint32_t slot = ref - s->flows.first[kind];
    if (kind == FLOW_CONN)
        return conn_tx(s, d, ref, slot, f);
    if (kind == FLOW_HALF_OPEN)
        return half_open_tx(s, d, ref, slot, f);
    return time_wait_tx(s, d, ref, slot, f);
}

void tcp_tx_pauses(pl_stack *s, uint32_t ref)
{
    if (flow_kind_of(&s->flows, ref) == FLOW_CONN)
        ref_deadline(s, ref, timers_next(&conn_at(s, ref - s->flows.first[FLOW_CONN])->timers));
}
