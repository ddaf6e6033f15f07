/* SPDX-License-Identifier: MIT */
#include "support/victim.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "support/guard.h"
#include "support/unit.h"
#include "wire/ip4_hdr.h"
#include "wire/ip_proto.h"

static void on_trace(void *user, const struct pl_trace_event *e)
{
    struct victim *v = user;
    if (e->kind == PL_TRACE_IN)
        v->drop = e->drop;
    else if (e->kind == PL_TRACE_OUT)
        v->why = e->why;
}

struct pl_config victim_config(void)
{
    struct pl_config c;
    pl_config_small(&c, sizeof c);
    c.connections_max = c.half_open_max = c.time_wait_max = c.flights_max = c.gaps_max = c.backlog_default = 12;
    c.orphans_max = c.orphans_per_peer_max = c.connections_max;    /* strangers of IPv6 share a /64 */
    c.routes_max = 4;
    c.paths_max = 16;
    c.records_max = 256;
    c.chunks_max = 300;
    c.owed_max = 16;
    c.timestamps = false;
    c.check = true;
    c.mem_is_zero = true;
    memset(c.seed, 28, sizeof c.seed);
    return c;
}

void victim_make(struct victim *v, const struct pl_config *config)
{
    struct pl_config c = config ? *config : victim_config();
    struct pl_iface_params params = {.mtu = 1500, .link = PL_LINK_IP};
    struct pl_listen_params listen = {.local = {.port = VICTIM_PORT}, .backlog = c.half_open_max};
    *v = (struct victim){.now = 1000 * PL_S, .env = {.trace = on_trace, .trace_user = v}};
    v->s = block_new(&c, &v->env, v->now);
    assert_int_equal(pl_iface_add(v->s, &params), 0);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_endpoint e = victim_endpoint(v6, 0), any = forge_endpoint(v6 ? "::" : "0.0.0.0", 0);
        struct pl_route r = {.destination = any.addr};
        assert_int_equal(pl_addr_add(v->s, 0, &e.addr, v6 ? 64 : 24), PL_OK);
        assert_int_equal(pl_route_add(v->s, &r), PL_OK);
    }
    assert_int_equal(pl_listen(v->s, &listen, &v->listener), PL_OK);
}

static void sound(const char *problem)
{
    if (problem)
        fail_msg("%s", problem);
}

void victim_free(struct victim *v)
{
    sound(block_chunks_are_accounted(v->s));
    sound(block_free_slots_are_zero(v->s));
    block_free(v->s);
    v->s = NULL;
    guard_reset();
}

struct pl_endpoint victim_endpoint(bool v6, uint16_t port) { return forge_endpoint(v6 ? "2001:db8::2" : "192.0.2.2", port); }

struct pl_endpoint victim_stranger(bool v6, uint32_t number, uint16_t port)
{
    struct pl_endpoint e = forge_endpoint(v6 ? "2001:db8:bad::1" : "198.18.0.1", port);
    put_be32(e.addr.b + 12, get_be32(e.addr.b + 12) + number);
    return e;
}

enum pl_drop victim_give_frame(struct victim *v, const uint8_t *frame, size_t n)
{
    struct pl_frame f;
    void *guarded = guard_copy(frame, n);
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){guarded, n};
    f.nspans = 1;
    v->drop = PL_DROP_COUNT;
    assert_int_equal(pl_rx(v->s, 0, &f, 1, v->now), PL_OK);
    guard_free(guarded, n);
    return (enum pl_drop)v->drop;
}

enum pl_drop victim_give(struct victim *v, const struct forged *f)
{
    uint8_t frame[FORGE_BYTES_MAX];
    return victim_give_frame(v, frame, forge_tcp(frame, f));
}

void victim_sum(uint8_t *frame, size_t n)
{
    bool v4 = frame[0] >> 4 == 4;
    size_t at = v4 ? 20 : 40;
    uint8_t src[16] = IP4(0, 0, 0, 0), dst[16] = IP4(0, 0, 0, 0);
    memcpy(v4 ? src + 12 : src, frame + (v4 ? 12 : 8), v4 ? 4 : 16);
    memcpy(v4 ? dst + 12 : dst, frame + (v4 ? 16 : 24), v4 ? 4 : 16);
    if (v4)
        wire_ip4_sum_set(frame, 20);
    put_be16(frame + at + 16, 0);
    uint32_t sum = csum_add(csum_pseudo(src, dst, WIRE_PROTO_TCP, (uint32_t)(n - at)), csum_bytes(frame + at, n - at, 0));
    csum_store(frame + at + 16, sum, false);
}

enum pl_drop victim_give_options(struct victim *v, const struct forged *f, const uint8_t *options, size_t n)
{
    uint8_t frame[FORGE_BYTES_MAX], text[FORGE_BYTES_MAX - 64];
    struct forged g = *f;
    memcpy(text, options, n);
    if (f->text)
        memcpy(text + n, f->text, f->text_bytes);
    else
        memset(text + n, 'x', f->text_bytes);
    g.opts = (struct wire_tcp_opts){.have = 0};
    g.text = text;
    g.text_bytes += n;
    size_t bytes = forge_tcp(frame, &g), at = frame[0] >> 4 == 4 ? 20 : 40;
    frame[at + 12] = (uint8_t)((20 + n) / 4 << 4);
    victim_sum(frame, bytes);
    return victim_give_frame(v, frame, bytes);
}

bool victim_take(struct victim *v, struct forged *out)
{
    uint8_t room[PL_HEADER_BYTES_MAX];
    struct pl_frame f;
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){room, sizeof room};
    int got = pl_tx(v->s, 0, &f, 1, v->now);
    assert_in_range(got, 0, 1);
    if (!got)
        return false;
    v->frame_bytes = 0;
    for (unsigned i = 0; i < f.nspans; i++) {
        assert_true(v->frame_bytes + f.span[i].len <= sizeof v->frame);
        memcpy(v->frame + v->frame_bytes, f.span[i].base, f.span[i].len);
        v->frame_bytes += f.span[i].len;
    }
    v->frames_out++;
    assert_true(forge_read(v->frame, v->frame_bytes, out));
    return true;
}

void victim_silent(struct victim *v)
{
    struct forged f;
    if (victim_take(v, &f))
        fail_msg("said %s (flags 0x%x) where silence is due", pl_reason_name((enum pl_reason)v->why), f.flags);
}

unsigned victim_hush(struct victim *v)
{
    struct forged f;
    unsigned n = 0;
    while (victim_take(v, &f))
        assert_true(++n < 100000);
    return n;
}

void victim_wait(struct victim *v, pl_time by)
{
    v->now += by;
    pl_poll(v->s, v->now);
}

unsigned victim_run(struct victim *v, pl_time by, void (*answer)(void *, const struct forged *), void *user)
{
    pl_time stop = v->now + by, next;
    struct forged f;
    unsigned said = 0;
    do {
        pl_poll(v->s, v->now);
        for (; victim_take(v, &f); said++)
            if (answer)
                answer(user, &f);
        (void)victim_events(v, 0);
        assert_true(said < 1000000);
        next = pl_deadline(v->s);
        next = next > stop ? stop : next > v->now ? next : v->now + 1;
        if (v->now == stop)
            return said;
        v->now = next;
    } while (true);
}

uint64_t victim_drops(const struct victim *v, enum pl_drop drop)
{
    struct pl_counters n;
    assert_int_equal(pl_counters(v->s, &n, sizeof n), PL_OK);
    return n.drops[drop];
}

uint32_t victim_events(struct victim *v, pl_handle h)
{
    struct pl_event e;
    uint32_t bits = 0;
    while (pl_event_next(v->s, &e))
        bits |= e.handle == h ? e.bits : 0;
    return bits;
}

/* ------------------------------------------------------------ peers ------------------------------------------------------------ */

static struct peer peer_new(struct victim *v, bool v6, const struct peer_wish *w, bool calls)
{
    uint16_t port = w->port ? w->port : 40000;
    uint32_t iss = w->iss || w->iss_given ? w->iss : 5000;
    return (struct peer){.v = v, .at = victim_stranger(v6, w->number, port), .victim = victim_endpoint(v6, calls ? VICTIM_PORT : 0),
                         .iss = iss, .seq = iss + 1, .wnd = w->wnd ? w->wnd : 65535, .ts_val = w->opts.ts_val};
}

static void give_syn(struct peer *p, const struct peer_wish *w, uint8_t flags, uint32_t ack)
{
    struct forged f = {.src = p->at, .dst = p->victim, .seq = p->iss, .ack = ack, .flags = flags, .wnd = p->wnd, .opts = w->opts};
    assert_int_equal(w->raw ? victim_give_options(p->v, &f, w->raw, w->raw_bytes) : victim_give(p->v, &f), PL_DROP_NONE);
}

static void take_syn(struct peer *p, const struct peer_wish *w, uint8_t flags)
{
    struct forged f;
    assert_true(victim_take(p->v, &f));
    assert_int_equal(f.flags, flags);
    p->irs = f.seq;
    p->ack = f.seq + 1;
    p->syn = f.opts;
    p->ts = (f.opts.have & WIRE_OPT_TIMESTAMPS) && (w->opts.have & WIRE_OPT_TIMESTAMPS);
    p->ts_ecr = f.opts.ts_val;
    p->victim = f.src;
}

struct peer peer_half_open(struct victim *v, bool v6, const struct peer_wish *wish)
{
    struct peer_wish w = wish ? *wish : (struct peer_wish){.iss = 0};
    struct peer p = peer_new(v, v6, &w, true);
    assert_int_equal(pl_set(v->s, v->listener, PL_OPT_ISN, w.fix_iss ? (int64_t)w.victim_iss : -1), PL_OK);
    give_syn(&p, &w, PL_SYN, 0);
    take_syn(&p, &w, PL_SYN | PL_ACK);
    return p;
}

struct peer peer_connects(struct victim *v, bool v6, const struct peer_wish *wish)
{
    struct peer p = peer_half_open(v, v6, wish);
    struct forged f = peer_segment(&p, PL_ACK);
    assert_int_equal(victim_give(v, &f), PL_DROP_NONE);
    assert_int_equal(pl_accept(v->s, v->listener, &p.c, NULL), PL_OK);
    (void)victim_events(v, 0);
    victim_silent(v);
    return p;
}

struct peer peer_called(struct victim *v, bool v6, const struct peer_wish *wish)
{
    struct peer_wish w = wish ? *wish : (struct peer_wish){.iss = 0};
    struct peer p = peer_new(v, v6, &w, false);
    struct pl_connect_params params = {.remote = p.at, .isn = w.victim_iss, .isn_fixed = w.fix_iss};
    assert_int_equal(pl_connect(v->s, &params, &p.c), PL_OK);
    take_syn(&p, &w, PL_SYN);
    return p;
}

struct peer peer_accepts(struct victim *v, bool v6, const struct peer_wish *wish)
{
    struct peer_wish w = wish ? *wish : (struct peer_wish){.iss = 0};
    struct peer p = peer_called(v, v6, wish);
    give_syn(&p, &w, PL_SYN | PL_ACK, p.ack);
    peer_hears(&p, PL_ACK, 0, PL_WHY_ACK_HANDSHAKE);
    (void)victim_events(v, 0);
    return p;
}

struct forged peer_segment(struct peer *p, uint8_t flags)
{
    struct forged f = {.src = p->at, .dst = p->victim, .seq = p->seq, .ack = flags & PL_ACK ? p->ack : 0, .flags = flags, .wnd = p->wnd};
    if (p->ts)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = p->ts_val, .ts_ecr = p->ts_ecr};
    return f;
}

enum pl_drop peer_says(struct peer *p, uint8_t flags, const char *text)
{
    struct forged f = peer_segment(p, flags);
    f.text = text;
    f.text_bytes = text ? strlen(text) : 0;
    p->seq += (uint32_t)f.text_bytes + (flags & PL_FIN ? 1 : 0);
    return victim_give(p->v, &f);
}

void peer_hears(struct peer *p, uint8_t flags, size_t text_bytes, enum pl_reason why)
{
    struct forged f;
    if (!victim_take(p->v, &f))
        fail_msg("silence where %s is due", pl_reason_name(why));
    if (p->v->why != why)
        fail_msg("said %s where %s is due", pl_reason_name((enum pl_reason)p->v->why), pl_reason_name(why));
    assert_int_equal(f.flags, flags);
    assert_int_equal(f.seq, p->ack);
    assert_int_equal(f.text_bytes, text_bytes);
    assert_int_equal(f.ack, flags & PL_ACK ? p->seq : 0);
    p->ack += (uint32_t)text_bytes + (flags & PL_FIN ? 1 : 0);
    if (p->ts)
        p->ts_ecr = f.opts.ts_val;
}

struct pl_tcp_status peer_status(const struct peer *p)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(p->v->s, p->c, &st, sizeof st), PL_OK);
    return st;
}

enum pl_state peer_state(const struct peer *p) { return peer_status(p).state; }

void peer_works(struct peer *p, const char *after)
{
    struct victim *v = p->v;
    struct forged f;
    char got[16];
    if (victim_take(v, &f))
        fail_msg("after %s: %s is still to be said", after, pl_reason_name((enum pl_reason)v->why));
    p->ts_val++;
    if (peer_says(p, PL_ACK | PL_PSH, "hello") != PL_DROP_NONE)
        fail_msg("after %s: good text is dropped: %s", after, pl_drop_name((enum pl_drop)v->drop));
    if (pl_recv(v->s, p->c, got, sizeof got) != 5 || memcmp(got, "hello", 5) != 0)
        fail_msg("after %s: text does not arrive", after);
    assert_int_equal(pl_send(v->s, p->c, "world", 5), 5);
    if (!victim_take(v, &f) || f.seq != p->ack || f.ack != p->seq || f.text_bytes != 5 || memcmp(f.text, "world", 5) != 0)
        fail_msg("after %s: the victim's text does not come", after);
    p->ack += 5;
    if (p->ts)
        p->ts_ecr = f.opts.ts_val;
    victim_silent(v);
    p->ts_val++;
    if (peer_says(p, PL_ACK, NULL) != PL_DROP_NONE || peer_status(p).snd.una != p->ack)
        fail_msg("after %s: a good acknowledgement is not taken", after);
    victim_silent(v);
    sound(block_chunks_are_accounted(v->s));
}
