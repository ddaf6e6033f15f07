/* SPDX-License-Identifier: MIT */
#include "support/net_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "support/guard.h"
#include "wire/arp_hdr.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/ip6_hdr.h"
#include "wire/tcp_hdr.h"
#include "wire/udp_hdr.h"

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "net_play: %s\n", what);
    abort();
}

void mac_of(unsigned number, uint8_t mac[6])
{
    memset(mac, 0, 6);
    mac[0] = 2, mac[5] = (uint8_t)number;
}

struct pl_addr host_addr(unsigned number, int family)
{
    char text[40];
    struct pl_addr a;
    snprintf(text, sizeof text, family == 4 ? "192.0.2.%u" : family == 6 ? "2001:db8::%x" : "fe80::%x", number);
    need(pl_addr_parse(text, &a) == PL_OK, "address");
    if (family == 0)
        a.zone = 1;
    return a;
}

static void on_trace(void *user, const struct pl_trace_event *e)
{
    struct host *h = user;
    if (e->kind == PL_TRACE_IN) {
        h->traced_in++;
        h->traced_drop = e->drop;
    } else if (e->kind == PL_TRACE_OUT) {
        h->traced_out++;
        h->out_why = e->why;
    }
}

void host_make(struct host *h, unsigned number, enum pl_link link, void (*change)(struct pl_config *))
{
    struct pl_config c;
    memset(h, 0, sizeof *h);
    pl_config_default(&c, sizeof c);
    c.connections_max = c.half_open_max = c.time_wait_max = 16;
    c.listeners_max = c.udp_max = c.ifaces_max = 4;
    c.addrs_max = c.routes_max = c.neighbors_max = c.paths_max = 8;
    c.chunks_max = 256;
    c.records_max = 1024;
    c.owed_max = 64;
    c.check = true;
    memset(c.seed, (int)number, sizeof c.seed);
    if (change)
        change(&c);
    h->block_bytes = pl_stack_size(&c);
    if (!h->block_bytes)
        fprintf(stderr, "%s\n", pl_config_problem(&c));
    need(h->block_bytes != 0, "config");
    h->block = aligned_alloc(64, (h->block_bytes + 63) / 64 * 64);
    need(h->block != NULL, "memory");
    memset(h->block, 0xa5, h->block_bytes);
    h->now = PL_S;
    h->number = number;
    h->env = (struct pl_env){.trace = on_trace, .trace_user = h};
    need(pl_stack_init(h->block, h->block_bytes, &c, &h->env, h->now, &h->s) == PL_OK, "init");
    struct pl_iface_params params = {.mtu = 1500, .link = (uint8_t)link};
    mac_of(number, h->mac);
    memcpy(params.mac, h->mac, 6);
    h->iface = pl_iface_add(h->s, &params);
    need(h->iface == 0, "interface");
    static const int families[] = {4, 6, 0};
    for (unsigned i = 0; i < 3; i++) {
        struct pl_addr a = host_addr(number, families[i]);
        need(pl_addr_add(h->s, h->iface, &a, families[i] == 4 ? 24 : 64) == PL_OK, "address");
    }
}

void host_free(struct host *h)
{
    free(h->block);
    guard_reset();
    memset(h, 0, sizeof *h);
}

void host_knows(struct host *h, unsigned number)
{
    static const int families[] = {4, 6, 0};
    for (unsigned i = 0; i < 3; i++) {
        struct pl_neighbor n = {.addr = host_addr(number, families[i]), .iface = h->iface};
        mac_of(number, n.mac);
        need(pl_neighbor_add(h->s, &n) == PL_OK, "neighbour");
    }
}

void host_rx(struct host *h, const void *frame, size_t n)
{
    uint8_t *at = guard_copy(frame, n);
    struct pl_frame f = {.span = {{at, n}}, .nspans = 1};
    unsigned before = h->traced_in;
    need(pl_rx(h->s, h->iface, &f, 1, h->now) == PL_OK, "pl_rx");
    need(h->traced_in == before + 1, "one frame in is told exactly once");
    guard_free(at, n);
}

static void find_l4(struct host *h)
{
    struct pl_iface_info info;
    need(pl_iface_info(h->s, h->iface, &info, sizeof info) == PL_OK, "info");
    unsigned ip = info.params.link == PL_LINK_ETHERNET ? 14 : 0;
    h->out_l4 = 0;
    if (ip && get_be16(h->out + 12) == WIRE_ETH_ARP)
        return;
    h->out_l4 = h->out[ip] >> 4 == 6 ? ip + 40 : ip + (h->out[ip] & 15u) * 4;
}

bool host_tx(struct host *h)
{
    uint8_t head[PL_HEADER_BYTES_MAX];
    struct pl_frame f = {.span = {{head, sizeof head}}};
    unsigned before = h->traced_out;
    int n = pl_tx(h->s, h->iface, &f, 1, h->now);
    need(n >= 0 && n <= 1, "pl_tx");
    need(h->traced_out == before + (unsigned)n, "one frame out is told exactly once");
    h->out_bytes = 0;
    for (unsigned k = 0; n && k < f.nspans; k++) {
        memcpy(h->out + h->out_bytes, f.span[k].base, f.span[k].len);
        h->out_bytes += f.span[k].len;
    }
    if (n)
        find_l4(h);
    return n == 1;
}

unsigned host_tx_all(struct host *h)
{
    unsigned n = 0;
    while (host_tx(h))
        n++;
    return n;
}

void host_wait(struct host *h, pl_time until)
{
    for (;;) {
        pl_time next = pl_deadline(h->s);
        if (next == 0)
            next = h->now;
        if (next >= until)
            break;
        pl_time before = h->now;
        h->now = next > h->now ? next : h->now;
        pl_poll(h->s, h->now);
        if (h->now == before && next == before)
            break;                        /* only output is pending */
    }
    h->now = until;
    pl_poll(h->s, h->now);
}

uint64_t host_drops(const struct host *h, enum pl_drop drop)
{
    struct pl_counters c;
    need(pl_counters(h->s, &c, sizeof c) == PL_OK, "counters");
    return c.drops[drop];
}

uint64_t host_sent(const struct host *h, enum pl_reason why)
{
    struct pl_counters c;
    need(pl_counters(h->s, &c, sizeof c) == PL_OK, "counters");
    return c.sent[why];
}

static unsigned carry(struct host *from, struct host *to)
{
    unsigned n = 0;
    while (host_tx(from)) {
        host_rx(to, from->out, from->out_bytes);
        n++;
    }
    return n;
}

unsigned hosts_run(struct host *a, struct host *b, pl_time until)
{
    unsigned frames = 0;
    for (;;) {
        unsigned n = carry(a, b) + carry(b, a);
        frames += n;
        if (n)
            continue;
        pl_time da = pl_deadline(a->s), db = pl_deadline(b->s), next = da < db ? da : db;
        if (next == 0)                    /* an event waits for the program: nothing more to do without it */
            next = a->now + PL_MS;
        if (next > until)
            break;
        a->now = b->now = next > a->now ? next : a->now;
        pl_poll(a->s, a->now);
        pl_poll(b->s, b->now);
    }
    a->now = b->now = until;
    return frames;
}

/* ------------------------------------------------------------ frames ------------------------------------------------------------ */

void frame_add(struct frame *f, const void *bytes, size_t n)
{
    need(f->n + n <= sizeof f->b, "frame too long");
    if (n)
        memcpy(f->b + f->n, bytes, n);
    f->n += n;
}

void frame_ip(struct frame *f, int family, unsigned from, unsigned to, uint8_t protocol)
{
    memset(f, 0, sizeof *f);
    f->family = family == 4 ? 4 : 6;
    f->ethernet = true;
    mac_of(to, f->b);
    mac_of(from, f->b + 6);
    put_be16(f->b + 12, family == 4 ? WIRE_ETH_IP4 : WIRE_ETH_IP6);
    struct pl_addr src = host_addr(from, family), dst = host_addr(to, family);
    if (family == 4) {
        struct wire_ip4 h = {.ttl = 64, .protocol = protocol};
        memcpy(h.src, src.b, 16);
        memcpy(h.dst, dst.b, 16);
        wire_ip4_write(f->b + 14, &h);
        f->l4 = 34;
    } else {
        struct wire_ip6 h = {.hop_limit = 64, .next = protocol};
        memcpy(h.src, src.b, 16);
        memcpy(h.dst, dst.b, 16);
        wire_ip6_write(f->b + 14, &h);
        f->l4 = 54;
    }
    f->n = f->l4;
    frame_fix(f);
}

void frame_fix(struct frame *f)
{
    if (f->family == 4) {
        unsigned hdr_bytes = (f->b[14] & 15u) * 4;
        put_be16(f->b + 16, (uint16_t)(f->n - 14));
        if (hdr_bytes >= 20)
            wire_ip4_sum_set(f->b + 14, hdr_bytes);
    } else {
        put_be16(f->b + 18, (uint16_t)(f->n - 54));
    }
}

void frame_sum(struct frame *f)
{
    uint8_t src[16], dst[16], protocol = f->family == 4 ? f->b[23] : f->b[20];
    if (f->family == 4) {
        wire_addr_from_ip4(src, f->b + 26);
        wire_addr_from_ip4(dst, f->b + 30);
    } else {
        memcpy(src, f->b + 22, 16);
        memcpy(dst, f->b + 38, 16);
        if (f->l4 > 54)                   /* behind extension headers: the caller left the protocol in its byte */
            protocol = f->b[f->l4 - 8];
    }
    size_t n = f->n - f->l4, at = protocol == WIRE_PROTO_TCP ? 16 : protocol == WIRE_PROTO_UDP ? 6 : 2;
    need(n >= at + 2, "no room for a checksum");
    put_be16(f->b + f->l4 + at, 0);
    uint32_t sum = csum_bytes(f->b + f->l4, n, 0);
    if (protocol != WIRE_PROTO_ICMP4)
        sum = csum_add(sum, csum_pseudo(src, dst, protocol, (uint32_t)n));
    csum_store(f->b + f->l4 + at, sum, protocol == WIRE_PROTO_UDP);
}

static void finish(struct frame *f)
{
    frame_fix(f);
    frame_sum(f);
}

void frame_udp(struct frame *f, int family, unsigned from, unsigned to, uint16_t src_port, uint16_t dst_port, const void *text, size_t n)
{
    uint8_t h[WIRE_UDP_BYTES];
    frame_ip(f, family, from, to, WIRE_PROTO_UDP);
    wire_udp_write(h, &(struct wire_udp){.src_port = src_port, .dst_port = dst_port, .bytes = (uint16_t)(8 + n)});
    frame_add(f, h, sizeof h);
    frame_add(f, text, n);
    finish(f);
}

void frame_tcp(struct frame *f, int family, unsigned from, unsigned to, uint16_t src_port, uint16_t dst_port, uint8_t flags, uint32_t seq,
               uint32_t ack)
{
    uint8_t h[WIRE_TCP_BYTES];
    frame_ip(f, family, from, to, WIRE_PROTO_TCP);
    wire_tcp_write(h, &(struct wire_tcp){.src_port = src_port, .dst_port = dst_port, .seq = seq, .ack = ack, .hdr_bytes = 20, .flags = flags,
                                         .wnd = 65535});
    frame_add(f, h, sizeof h);
    finish(f);
}

void frame_icmp(struct frame *f, int family, unsigned from, unsigned to, uint8_t type, uint8_t code, uint32_t word, const void *text, size_t n)
{
    uint8_t h[WIRE_ICMP_BYTES];
    frame_ip(f, family, from, to, family == 4 ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6);
    wire_icmp_write(h, &(struct wire_icmp){.type = type, .code = code, .word = word});
    frame_add(f, h, sizeof h);
    frame_add(f, text, n);
    finish(f);
}

void frame_echo(struct frame *f, int family, unsigned from, unsigned to)
{
    frame_icmp(f, family, from, to, family == 4 ? WIRE_ICMP4_ECHO : WIRE_ICMP6_ECHO, 0, wire_icmp_echo_word(7, 1), "abcdefgh", 8);
}

void frame_arp(struct frame *f, uint16_t op, const uint8_t *dst_mac, const uint8_t *sender_mac, const uint8_t sender[16], const uint8_t target[16])
{
    struct wire_arp a = {.op = op};
    memset(f, 0, sizeof *f);
    f->ethernet = true;
    memcpy(f->b, dst_mac, 6);
    memcpy(f->b + 6, sender_mac, 6);
    put_be16(f->b + 12, WIRE_ETH_ARP);
    memcpy(a.sender_hw, sender_mac, 6);
    memcpy(a.sender, sender, 16);
    memcpy(a.target, target, 16);
    wire_arp_write(f->b + 14, &a);
    f->n = 14 + WIRE_ARP_BYTES;
}

void frame_nd(struct frame *f, unsigned from, unsigned to, const void *message, size_t n)
{
    frame_ip(f, 0, from, to, WIRE_PROTO_ICMP6);
    f->b[21] = 255;
    frame_add(f, message, n);
    finish(f);
}
