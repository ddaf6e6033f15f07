/* SPDX-License-Identifier: MIT */
#include "support/havoc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/unit.h"

static char where[80];                    /* for a panic */

const char *havoc_where(void) { return where; }

static const char *const addrs[2][3] = {{"192.0.2.1", "2001:db8::1", "fe80::1"}, {"192.0.2.2", "2001:db8::2", "fe80::2"}};
static const char *const nobodys[2] = {"198.51.100.9", "2001:db8:9::9"};      /* for which a catch-all listener may speak */
static const uint8_t macs[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

static void log_u64(struct havoc *r, uint64_t n)
{
    r->log = (r->log ^ n) * 0x9e3779b97f4a7c15u;
    r->log ^= r->log >> 29;
}

static void log_bytes(struct havoc *r, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        r->log = (r->log ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
}

static uint32_t below(struct havoc *r, uint32_t n) { return prng_below(&r->p, n); }
static bool one_in(struct havoc *r, uint32_t n) { return below(r, n) == 0; }

static struct pl_endpoint endpoint(struct havoc *r, unsigned host, unsigned family)
{
    struct pl_endpoint e = forge_endpoint(addrs[host][family], (uint16_t)(80 + below(r, PORTS)));
    if (family == 2)
        e.addr.zone = 1;
    return e;
}

/* Mostly as above; else of a host that does not exist. */
static struct pl_endpoint meant(struct havoc *r, unsigned host, unsigned family)
{
    return family < 2 && one_in(r, 5) ? forge_endpoint(nobodys[family], (uint16_t)(80 + below(r, PORTS))) : endpoint(r, host, family);
}

static void fine(const char *wrong)
{
    if (wrong)
        print_error("%s: %s\n", where, wrong);
    assert_null(wrong);
}

static void add_iface(struct havoc *r, unsigned host)
{
    struct pl_iface_params params = {.mtu = 1500, .link = r->ethernet ? PL_LINK_ETHERNET : PL_LINK_IP, .csum_offload = one_in(r, 4),
                                     .gso_bytes = one_in(r, 3) ? 8000 : 0};
    memcpy(params.mac, macs[host], 6);
    int n = pl_iface_add(r->h[host].s, &params);
    assert_int_equal(n, 0);
    for (unsigned a = 0; a < 3; a++) {
        struct pl_addr addr = forge_endpoint(addrs[host][a], 0).addr;
        assert_int_equal(pl_addr_add(r->h[host].s, 0, &addr, a == 0 ? 24 : 64), 0);
    }
    for (unsigned a = 0; a < 2; a++) {
        struct pl_route beyond = {.destination = forge_endpoint(a ? "::" : "0.0.0.0", 0).addr, .gateway = forge_endpoint(addrs[1 - host][a], 0).addr};
        assert_int_equal(pl_route_add(r->h[host].s, &beyond), 0);
    }
    r->h[host].ready = true;
}

static void make_host(struct havoc *r, unsigned host)
{
    struct pl_config c;
    pl_config_small(&c, sizeof c);
    c.connections_max = 1 + below(r, 6);
    c.half_open_max = 1 + below(r, 4);
    c.time_wait_max = 1 + below(r, 3);
    c.listeners_max = 3, c.udp_max = 2;
    c.flights_max = below(r, 4), c.gaps_max = below(r, 4);
    c.records_max = 2 + below(r, 40), c.records_per_conn_max = 1 + below(r, 20);
    c.gaps_per_conn_max = 1 + below(r, 6);
    c.chunk_bytes = 256u << below(r, 3), c.chunks_max = 8 + below(r, 80);
    c.sndbuf_bytes = 1 + below(r, 12000), c.rcvbuf_bytes = one_in(r, 8) ? 1 + below(r, 2000000) : 1 + below(r, 12000);
    c.sndbuf_max = one_in(r, 2) ? 0 : below(r, 100000), c.rcvbuf_max = one_in(r, 2) ? 0 : below(r, one_in(r, 4) ? 1u << 30 : 200000);
    c.backlog_default = 1 + below(r, 4);
    c.timestamps = !one_in(r, 3), c.sack = !one_in(r, 3), c.window_scaling = !one_in(r, 3);
    c.user_timeout = one_in(r, 4) ? 5 * PL_S : 0;
    c.syn_retries = below(r, 8), c.syn_ack_retries = below(r, 6), c.data_retries = below(r, 16);
    c.mem_is_zero = one_in(r, 2);
    c.user_timeout_option = one_in(r, 2);
    c.orphans_max = below(r, 3), c.orphans_per_peer_max = below(r, 3);
    c.orphan_lifetime = one_in(r, 3) ? 3 * PL_S : c.orphan_lifetime;
    c.check = true;
    for (unsigned i = 0; i < 32; i++)
        c.seed[i] = (uint8_t)(1 + below(r, 255));
    r->h[host].s = block_new(&c, &r->h[host].env, r->now);
    add_iface(r, host);
}

/* ------------------------------------------------------------------ the link ------------------------------------------------------------------ */

static void flatten(struct havoc_frame *f, const struct pl_frame *from)
{
    f->bytes = 0;
    for (unsigned n = 0; n < from->nspans; n++)
        for (size_t k = 0; k < from->span[n].len && f->bytes < FRAME; k++)
            f->frame[f->bytes++] = ((const uint8_t *)from->span[n].base)[k];
}

static struct havoc_frame *new_flying(struct havoc *r, unsigned to)
{
    if (r->flies == FLYING)
        r->fly[below(r, FLYING)] = r->fly[--r->flies];
    struct havoc_frame *f = &r->fly[r->flies++];
    f->to = (uint8_t)to;
    f->flags = PL_F_CSUM_OK;
    return f;
}

static void slow_device(struct havoc *r, unsigned host, const struct pl_frame *f)
{
    unsigned n = below(r, 4);
    struct havoc_host *h = &r->h[host];
    if (h->holding[n]) {
        pl_tx_done(h->s, &h->held[n]);
        h->holding[n] = false;
        return;
    }
    if (pl_tx_hold(h->s, f) == PL_OK) {
        h->held[n] = *f;
        h->holding[n] = true;
    }
}

/* Returns whether anything was sent. */
static bool transmit(struct havoc *r, unsigned host, unsigned most)
{
    uint8_t room[4][PL_HEADER_BYTES_MAX];
    struct pl_frame f[4];
    struct havoc_host *h = &r->h[host];
    memset(f, 0, sizeof f);
    for (unsigned n = 0; n < 4; n++)
        f[n].span[0] = (struct pl_span){room[n], PL_HEADER_BYTES_MAX};
    int got = pl_tx(h->s, 0, f, most, r->now);
    assert_true(got >= 0 && (unsigned)got <= most);
    log_u64(r, (uint64_t)got);
    for (int n = 0; n < got; n++) {
        struct havoc_frame sent;
        flatten(&sent, &f[n]);
        log_bytes(r, sent.frame, sent.bytes);
        assert_true(f[n].nspans >= 1 && f[n].nspans <= PL_SPANS);
        if (!r->ending && one_in(r, 16))
            slow_device(r, host, &f[n]);
        if (r->dead || one_in(r, 12))
            continue;
        flatten(new_flying(r, 1 - host), &f[n]);
        if (one_in(r, 16) && r->flies < FLYING)
            r->fly[r->flies] = r->fly[r->flies - 1], r->flies++;
    }
    return got > 0;
}

static void mutate(struct havoc *r, struct havoc_frame *f)
{
    for (unsigned n = 1 + below(r, 3); n && f->bytes; n--) {
        uint32_t head = f->bytes < 100 ? f->bytes : 100, at = one_in(r, 4) ? below(r, f->bytes) : below(r, head);
        switch (below(r, 5)) {
        case 0: f->frame[at] ^= (uint8_t)(1u << below(r, 8)); break;
        case 1: f->frame[at] = (uint8_t)prng_next(&r->p); break;
        case 2: f->frame[at] = one_in(r, 2) ? 0 : 0xff; break;
        case 3: f->bytes = one_in(r, 2) ? at : f->bytes; break;
        default: f->frame[at]++; break;
        }
    }
}

/* In 1 to 4 spans of their own memory, so that a read too far is seen by the sanitizer. */
static void deliver(struct havoc *r, struct havoc_frame *f)
{
    struct pl_frame frame;
    memset(&frame, 0, sizeof frame);
    frame.flags = f->flags;
    unsigned pieces = one_in(r, 4) ? 1 + below(r, 4) : 1;
    uint32_t off = 0;
    for (unsigned n = 0; n < pieces; n++) {
        uint32_t len = n + 1 == pieces ? f->bytes - off : below(r, f->bytes - off + 1);
        uint8_t *bytes = malloc(len ? len : 1);
        memcpy(bytes, f->frame + off, len);
        frame.span[frame.nspans++] = (struct pl_span){bytes, len};
        off += len;
    }
    frame.gso_segs = one_in(r, 8) ? (uint16_t)below(r, 60) : 0;
    assert_int_equal(pl_rx(r->h[f->to].s, 0, &frame, 1, r->now), PL_OK);
    for (unsigned n = 0; n < pieces; n++)
        free(frame.span[n].base);
}

static void arrive(struct havoc *r)
{
    if (!r->flies)
        return;
    unsigned n = one_in(r, 3) ? below(r, r->flies) : 0;
    struct havoc_frame f = r->fly[n];
    memmove(&r->fly[n], &r->fly[n + 1], (r->flies - n - 1) * sizeof f);
    r->flies--;
    if (one_in(r, r->mild ? 100 : 10))
        mutate(r, &f);
    deliver(r, &f);
}

static uint32_t near(struct havoc *r, uint32_t n)
{
    static const int32_t off[] = {0, 0, 0, 0, 1, -1, 2, 100, -100, 1000, -1000, 5000, -5000, 70000, -70000, INT32_MAX};
    return n + (uint32_t)off[below(r, 16)];
}

static bool some_conn(struct havoc *r, unsigned host, pl_conn *c, struct pl_tcp_status *st)
{
    uint32_t cursor = 0;
    bool any = false;
    for (pl_conn found; pl_conn_next(r->h[host].s, &cursor, &found);)
        if (!any || one_in(r, 2))
            any = true, *c = found;
    return any && pl_status(r->h[host].s, *c, st, sizeof *st) == PL_OK;
}

/* A segment that nobody sent, for a connection that may exist. */
static void forge(struct havoc *r)
{
    unsigned to = below(r, 2), family = below(r, 3);
    pl_conn c;
    struct pl_tcp_status st = {.state = PL_CLOSED};
    struct forged f = {.src = endpoint(r, 1 - to, family), .dst = meant(r, to, family), .seq = (uint32_t)prng_next(&r->p),
                       .ack = (uint32_t)prng_next(&r->p)};
    if (one_in(r, 4) == false && some_conn(r, to, &c, &st)) {
        f.src = st.remote, f.dst = st.local;
        f.seq = near(r, one_in(r, 3) ? st.rcv.nxt + st.rcv.wnd : st.rcv.nxt);
        f.ack = near(r, one_in(r, 2) ? st.snd.una : st.snd.nxt);
    }
    static const uint8_t usual[] = {PL_ACK, PL_ACK, PL_ACK, PL_ACK | PL_PSH, PL_ACK | PL_FIN, PL_RST, PL_RST | PL_ACK, PL_SYN, PL_SYN | PL_ACK};
    f.flags = one_in(r, 8) ? (uint8_t)prng_next(&r->p) : usual[below(r, sizeof usual)];
    f.wnd = one_in(r, 4) ? 0 : (uint16_t)prng_next(&r->p);
    f.text_bytes = one_in(r, 2) ? below(r, 1400) : one_in(r, 2) ? 1 : 0;
    if (st.timestamps || one_in(r, 4)) {
        f.opts.have |= WIRE_OPT_TIMESTAMPS;
        f.opts.ts_val = one_in(r, 3) ? (uint32_t)prng_next(&r->p) : (uint32_t)((r->now - r->shift) / PL_MS) + 0x40000000;
        f.opts.ts_ecr = (uint32_t)prng_next(&r->p);
    }
    f.opts.have |= one_in(r, 8) ? WIRE_OPT_USER_TIMEOUT : 0;
    f.opts.user_timeout = (uint16_t)prng_next(&r->p);
    if (f.flags & PL_SYN) {
        f.opts.have |= (uint8_t)(below(r, 8));
        f.opts.mss = (uint16_t)(one_in(r, 3) ? below(r, 100) : 1460);
        f.opts.wscale = (uint8_t)below(r, 20);
    }
    struct havoc_frame *fly = new_flying(r, to);
    uint8_t *at = fly->frame;
    if (r->ethernet) {
        memcpy(at, macs[to], 6);
        memcpy(at + 6, macs[1 - to], 6);
        put_be16(at + 12, family == 0 || memcmp(f.src.addr.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0 ? 0x0800 : 0x86dd);
        at += 14;
    }
    fly->bytes = (uint32_t)(at - fly->frame) + (uint32_t)forge_tcp(at, &f);
    struct havoc_frame now = *fly;
    if (one_in(r, 2)) {                   /* at once */
        r->flies--;
        deliver(r, &now);
    }
}

/* ------------------------------------------------------------------ the programs ------------------------------------------------------------------ */

static pl_handle *some_handle(struct havoc *r, unsigned host) { return &r->h[host].handle[below(r, HANDLES)]; }

static void keep(struct havoc *r, unsigned host, pl_handle h)
{
    for (unsigned n = 0; n < HANDLES; n++)
        if (!r->h[host].handle[n]) {
            r->h[host].handle[n] = h;
            return;
        }
    assert_int_equal(pl_close(r->h[host].s, h), PL_OK);
}

static void give_back(struct havoc *r, unsigned host, pl_handle h)
{
    assert_int_equal(pl_close(r->h[host].s, h), PL_OK);
    for (unsigned n = 0; n < HANDLES; n++)
        if (r->h[host].handle[n] == h)
            r->h[host].handle[n] = 0;
}

static void open_something(struct havoc *r, unsigned host)
{
    pl_stack *s = r->h[host].s;
    pl_handle h;
    unsigned family = below(r, 3);
    if (one_in(r, 3)) {
        struct pl_listen_params l = {.local = {.port = (uint16_t)(80 + below(r, PORTS))}, .backlog = below(r, 3), .cookie = 5};
        if (one_in(r, 3))
            l.local = endpoint(r, host, below(r, 2));
        l.deferred = one_in(r, 3);
        if (one_in(r, 4))
            l.catch_all = true, l.local = (struct pl_endpoint){.port = 0};
        if (pl_listen(s, &l, &h) == PL_OK)
            keep(r, host, h);
    } else if (one_in(r, 4)) {
        struct pl_endpoint local = {.port = (uint16_t)below(r, 100)};
        if ((one_in(r, 2) ? pl_udp_open : pl_echo_open)(s, &local, 6, &h) == PL_OK)
            keep(r, host, h);
    } else {
        struct pl_connect_params c = {.remote = meant(r, 1 - host, family), .cookie = 7, .isn_fixed = one_in(r, 2), .isn = 0xfffffff0u + below(r, 32)};
        if (one_in(r, 3))
            c.local.port = (uint16_t)(80 + below(r, PORTS));
        if (pl_connect(s, &c, &h) == PL_OK)
            keep(r, host, h);
    }
}

static void set_something(struct havoc *r, pl_stack *s, pl_handle h)
{
    static const int64_t values[] = {0, 1, -1, 2, 63, 64, 255, 1000, 5000, 70000, 1000000000, INT64_MAX, INT64_MIN};
    enum pl_option o = (enum pl_option)below(r, PL_OPT_USER_TIMEOUT_ADVERTISED + 2);
    int64_t was;
    pl_set(s, h, o, values[below(r, COUNT_OF(values))]);
    pl_get(s, h, o, &was);
}

/* All SYNs that a deferred listener has: decided at once, or kept for later, or forgotten. */
static void ask(struct havoc *r, unsigned host, pl_listener l)
{
    struct pl_endpoint local, remote;
    pl_stack *s = r->h[host].s;
    for (pl_incoming in; pl_incoming_next(s, l, &in, &local, one_in(r, 2) ? &remote : NULL) == PL_OK;) {
        log_u64(r, in ^ local.port);
        if (one_in(r, 2))
            assert_int_equal(pl_incoming_refuse(s, in, (enum pl_refusal)below(r, 5)), PL_OK);
        else if (one_in(r, 2))
            pl_incoming_accept(s, in, 8);
        else
            r->h[host].asked[below(r, ASKED)] = in;
    }
}

static void decide(struct havoc *r, unsigned host)
{
    pl_stack *s = r->h[host].s;
    pl_incoming in = r->h[host].asked[below(r, ASKED)];
    int e = one_in(r, 3) ? pl_incoming_refuse(s, in, (enum pl_refusal)below(r, 7)) : one_in(r, 4) ? pl_close(s, in) : pl_incoming_accept(s, in, 8);
    log_u64(r, (uint64_t)e);
}

static void look(struct havoc *r, unsigned host)
{
    char text[200];
    struct pl_entry e;
    uint32_t cursor = 0;
    while (pl_entry_next(r->h[host].s, &cursor, &e, sizeof e)) {
        assert_true(pl_entry_explain(r->h[host].s, &e, text, 1 + below(r, sizeof text)) >= 0);
        log_u64(r, e.remote.port ^ (uint64_t)e.state ^ e.handle);
    }
}

static void one_call(struct havoc *r, unsigned host)
{
    uint8_t bytes[3000];
    pl_stack *s = r->h[host].s;
    pl_handle *h = some_handle(r, host), got;
    struct pl_span spans[3];
    struct pl_endpoint e = endpoint(r, 1 - host, below(r, 3));
    if (!*h) {
        open_something(r, host);
        return;
    }
    memset(bytes, 'd', sizeof bytes);
    switch (r->mild && !one_in(r, 6) ? below(r, 8) : below(r, 20)) {
    case 0: case 1: case 2: log_u64(r, (uint64_t)pl_send(s, *h, bytes, below(r, sizeof bytes))); break;
    case 3: case 4:
        log_u64(r, (uint64_t)pl_recv(s, *h, bytes, below(r, sizeof bytes)));
        log_bytes(r, bytes, sizeof bytes);
        break;
    case 5:
        if (pl_recv_peek(s, *h, spans, 1 + below(r, 3)) > 0)
            pl_recv_consume(s, *h, one_in(r, 2) ? spans[0].len : below(r, 5000));
        break;
    case 6:
        if (pl_send_reserve(s, *h, below(r, 3000), spans) == PL_OK) {
            memset(spans[0].base, 'r', spans[0].len);
            if (!one_in(r, 4))
                pl_send_commit(s, *h, one_in(r, 4) ? below(r, 6000) : below(r, (uint32_t)spans[0].len + 1));
        }
        break;
    case 7: if (one_in(r, 4)) pl_finish(s, *h); break;
    case 8: if (one_in(r, 6)) pl_abort(s, *h); break;
    case 9:
        if (one_in(r, 3)) {
            assert_int_equal(pl_close(s, *h), PL_OK);
            assert_int_equal(pl_close(s, *h), PL_EHANDLE);
            *h = 0;
        }
        break;
    case 10: case 11: if (pl_accept(s, *h, &got, one_in(r, 2) ? &e : NULL) == PL_OK) keep(r, host, got); break;
    case 12: set_something(r, s, *h); break;
    case 13: pl_udp_send(s, *h, &e, bytes, below(r, 2000)); break;
    case 14: pl_udp_recv(s, *h, &e, bytes, below(r, 2000)); break;
    case 16: ask(r, host, *h); break;
    case 17: decide(r, host); break;
    case 18: look(r, host); break;
    case 15: pl_explain(s, *h, (char *)bytes, 1 + below(r, 300)); break;
    default: pl_ready(s, *h), pl_error(s, *h), pl_set_cookie(s, *h, prng_next(&r->p)); break;
    }
}

static void forget_holds(struct havoc_host *h)
{
    for (unsigned n = 0; n < 4; n++)
        if (h->holding[n])
            pl_tx_done(h->s, &h->held[n]), h->holding[n] = false;
}

/* What an administrator does, or a power cut. */
static void rare_call(struct havoc *r, unsigned host)
{
    struct havoc_host *h = &r->h[host];
    struct pl_addr addr = forge_endpoint(addrs[host][below(r, 3)], 0).addr, peer = forge_endpoint(addrs[1 - host][below(r, 3)], 0).addr;
    struct pl_neighbor n = {.addr = peer, .iface = 0};
    uint32_t counts[PL_STATE_COUNT];
    memcpy(n.mac, macs[1 - host], 6);
    switch (below(r, 9)) {
    case 0: pl_iface_ready(h->s, 0, h->ready = !h->ready); break;
    case 1: if (one_in(r, 4) && pl_addr_remove(h->s, 0, &addr) == PL_OK && !one_in(r, 4)) pl_addr_add(h->s, 0, &addr, 24); break;
    case 2: pl_neighbor_add(h->s, &n); break;
    case 3: pl_neighbor_remove(h->s, 0, &peer); break;
    case 4:
        if (one_in(r, 8)) {
            assert_int_equal(pl_iface_remove(h->s, 0), PL_OK);
            fine(block_free_slots_are_zero(h->s));
            add_iface(r, host);
        }
        break;
    case 5: {                             /* the block moves */
        forget_holds(h);
        pl_stack *copy = block_copy(h->s, &h->env);
        memset(h->s, 0xee, pl_stack_bytes(h->s));
        block_free(h->s);
        h->s = copy;
        break;
    }
    case 6: if (one_in(r, 8)) pl_stack_reseed(h->s, (const uint8_t *)"another seed of thirty-two bytes"); break;
    case 7: pl_states(h->s, counts); break;
    default: pl_poll(h->s, r->now > r->shift ? r->now - 1 : r->now); break;          /* a clock that goes backwards */
    }
}

static void take_events(struct havoc *r, unsigned host, bool act)
{
    struct pl_event e;
    while (pl_event_next(r->h[host].s, &e)) {
        bool known = false;
        for (unsigned n = 0; n < HANDLES; n++)
            known |= r->h[host].handle[n] == e.handle;
        log_u64(r, e.handle ^ e.cookie ^ e.bits);
        assert_true(known);               /* no event for what was given back, or was never given */
        assert_true(e.bits != 0);
        pl_handle got;
        if ((e.bits & PL_EV_ACCEPTABLE) && !one_in(r, 4) && pl_accept(r->h[host].s, e.handle, &got, NULL) == PL_OK)
            keep(r, host, got);
        if ((e.bits & PL_EV_INCOMING) && !one_in(r, 4))
            ask(r, host, e.handle);
        if ((e.bits & PL_EV_PEER_FINISHED) && !one_in(r, 4))
            pl_finish(r->h[host].s, e.handle);
        if ((e.bits & PL_EV_CLOSED) && one_in(r, 2))
            give_back(r, host, e.handle);
        if (act && !one_in(r, 3))
            one_call(r, host);
    }
}

/* The earliest deadline of all. pl_deadline may be earlier where many share a slot of the wheel (base/wheel.h), never later. */
static pl_time earliest(const pl_stack *s)
{
    pl_time least = PL_NEVER;
    for (uint32_t ref = 1; ref <= s->wheel.capacity; ref++) {
        pl_time when = wheel_when(&s->wheel, ref);
        least = when < least ? when : least;
    }
    assert_true(pl_deadline(s) <= least);
    return least;
}

/* The host loop's round; at its end the deadline lies ahead. */
static void settle(struct havoc *r, unsigned host)
{
    struct havoc_host *h = &r->h[host];
    pl_poll(h->s, r->now);
    for (unsigned rounds = 0;; rounds++) {
        assert_true(rounds < 10000);
        take_events(r, host, rounds < 20);
        if (!transmit(r, host, 1 + below(r, 4)) && pl_deadline(h->s) != 0)
            break;
    }
    if (pl_deadline(h->s) <= r->now)
        print_error("%s: deadline %llu, now %llu\n", where, (unsigned long long)pl_deadline(h->s), (unsigned long long)r->now);
    assert_true(pl_deadline(h->s) > r->now);
    pl_time next = earliest(h->s);
    log_u64(r, next == PL_NEVER ? PL_NEVER : next - r->shift);
}

static void advance(struct havoc *r)
{
    pl_time a = earliest(r->h[0].s), b = earliest(r->h[1].s), next = a < b ? a : b;
    if (one_in(r, 2) && next > r->now && next < r->now + (r->mild ? 1 : 600) * PL_S)
        r->now = next;
    else
        r->now += one_in(r, r->mild ? 200 : 10) ? below(r, 100) * PL_S : below(r, 100) * PL_MS + below(r, 1000);
}

static void check(struct havoc *r, unsigned host)
{
    fine(block_chunks_are_accounted(r->h[host].s));
    fine(block_free_slots_are_zero(r->h[host].s));
}

/* Everything is given back; the link is alive or dead; within the bounds nothing is left. */
static void end(struct havoc *r, unsigned host)
{
    struct havoc_host *h = &r->h[host];
    for (unsigned n = 0; n < HANDLES; n++)
        if (h->handle[n])
            assert_int_equal(pl_close(h->s, h->handle[n]), PL_OK), h->handle[n] = 0;
    forget_holds(h);
}

struct havoc *havoc_new(unsigned seed)
{
    struct havoc *r = calloc(1, sizeof *r);
    prng_seed(&r->p, seed);
    r->seed = seed;
    r->now = one_in(r, 3) ? 0 : prng_next(&r->p) >> 8;
    r->ethernet = one_in(r, 2);
    r->mild = one_in(r, 2);
    make_host(r, 0);
    make_host(r, 1);
    for (unsigned host = 0; host < 2; host++)
        for (uint16_t port = 80; port < 82; port++) {
            struct pl_listen_params l = {.local = {.port = port}};
            pl_listener h;
            assert_int_equal(pl_listen(r->h[host].s, &l, &h), PL_OK);
            keep(r, host, h);
        }
    return r;
}

void havoc_step(struct havoc *r)
{
    unsigned host = below(r, 2);
    uint32_t kind = below(r, 100);
    snprintf(where, sizeof where, "seed %u, step %u\n", r->seed, r->step);
    if (r->mild && kind >= 75 && kind < 86 && !one_in(r, 30))
        kind = kind % 2 ? 30 : 99;
    if (kind < 30)
        one_call(r, host);
    else if (kind < 60)
        arrive(r);
    else if (kind < 75)
        transmit(r, host, 1 + below(r, 4));
    else if (kind < 83)
        forge(r);
    else if (kind < 86)
        rare_call(r, host);
    else if (kind < 90)
        advance(r);
    else
        settle(r, host);
    if (r->step++ % 16 == 0)
        check(r, 0), check(r, 1);
}

void havoc_settle_devices(struct havoc *r)
{
    forget_holds(&r->h[0]);
    forget_holds(&r->h[1]);
}

struct havoc *havoc_fork(const struct havoc *r, pl_time shift)
{
    struct havoc *f = malloc(sizeof *f);
    *f = *r;
    for (unsigned host = 0; host < 2; host++) {
        f->h[host].s = block_copy(r->h[host].s, &f->h[host].env);
        if (shift)
            pl_stack_shift_time(f->h[host].s, shift);
    }
    f->now += shift;
    f->shift += shift;
    return f;
}

void havoc_end(struct havoc *r)
{
    r->dead = one_in(r, 2);
    r->ending = true;
    end(r, 0);
    end(r, 1);
    pl_time stop = r->now + 3600 * PL_S;
    for (unsigned rounds = 0; r->now < stop && rounds < 200000; rounds++) {
        snprintf(where, sizeof where, "seed %u, end %u\n", r->seed, rounds);
        for (unsigned host = 0; host < 2; host++) {
            pl_iface_ready(r->h[host].s, 0, true);
            settle(r, host);
        }
        if (r->flies) {
            arrive(r);
            continue;
        }
        pl_time a = pl_deadline(r->h[0].s), b = pl_deadline(r->h[1].s), next = a < b ? a : b;
        r->now = next < stop ? next : stop;
    }
    for (unsigned host = 0; host < 2; host++) {
        pl_poll(r->h[host].s, r->now);
        fine(block_is_empty(r->h[host].s));
    }
}

void havoc_free(struct havoc *r)
{
    block_free(r->h[0].s);
    block_free(r->h[1].s);
    free(r);
}
