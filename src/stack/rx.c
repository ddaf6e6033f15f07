/* SPDX-License-Identifier: MIT
 *
 * rx.c: pl_rx: frames on their way up.
 *
 * Each frame becomes a struct packet, and each layer in turn either says why it goes no further (p->drop) or hands it on: link, internet, then
 * TCP, UDP or ICMP. What has to be answered is recorded as owed; nothing is sent from here. Whatever happened, the frame is told to the trace
 * exactly once, afterwards.
 */
#include "internet/icmp4.h"
#include "internet/ip4.h"
#include "internet/ip6.h"
#include "link/ethernet.h"
#include "stack/net.h"
#include "stack/rx.h"
#include "wire/eth_hdr.h"
#include "wire/icmp6_hdr.h"

enum { SCRATCH_BYTES = 256 };             /* headers that lie in pieces are put together here, up to this much */

static void gather(struct packet *p, uint32_t want)
{
    const struct pl_frame *f = p->frame;
    unsigned nspans = f->nspans < PL_SPANS ? f->nspans : PL_SPANS;
    uint32_t have = 0;
    for (unsigned k = 0; k < nspans && have < want; k++) {
        uint32_t n = f->span[k].len < want - have ? (uint32_t)f->span[k].len : want - have;
        memcpy(p->scratch + have, f->span[k].base, n);
        have += n;
    }
    p->bytes = p->scratch;
    p->contiguous = have;
}

/* The frame's first bytes, at least `want` if it has them, in one piece. A driver usually gives one span, or a first one that holds all headers. */
static inline void linearise(struct packet *p, uint32_t want)
{
    const struct pl_frame *f = p->frame;
    want = want < p->frame_bytes ? want : p->frame_bytes;
    if (f->nspans == 0 || f->span[0].len < want) {
        gather(p, want);
        return;
    }
    p->bytes = f->span[0].base;
    p->contiguous = (uint32_t)f->span[0].len;
}

static void measure(struct packet *p)
{
    const struct pl_span *span = p->frame->span, *end = span + (p->frame->nspans < PL_SPANS ? p->frame->nspans : PL_SPANS);
    for (; span < end; span++)
        p->frame_bytes += (uint32_t)span->len;
}

static bool is_our_group4(const pl_stack *s, const struct packet *p)
{
    static const uint8_t all_hosts[4] = {224, 0, 0, 1}, everybody[4] = {255, 255, 255, 255};
    return memcmp(p->dst.b + 12, all_hosts, 4) == 0 || memcmp(p->dst.b + 12, everybody, 4) == 0 ||
           route_addr_is_directed_broadcast(&s->addrs, p->iface, p->dst.b);
}

static bool is_our_group6(const pl_stack *s, const struct packet *p)
{
    if (p->dst.b[0] != 0xff)
        return false;
    if (ip6_is_all_nodes(p->dst.b))
        return true;
    for (uint32_t slot = slots_next(&s->addrs, 0); slot; slot = slots_next(&s->addrs, slot)) {
        const struct addr_entry *e = slots_at(&s->addrs, slot);
        uint8_t group[16];
        ip6_solicited_node(group, e->addr);
        if (e->iface == p->iface && memcmp(group, p->dst.b, 16) == 0)
            return true;
    }
    return false;
}

/* RFC 1122 3.2.1.3, RFC 8200 3: is it addressed to us? The strong host model: to this interface. */
static bool addressed_to_us(const pl_stack *s, struct packet *p)
{
    if (route_addr_find(&s->addrs, p->iface, p->dst.b, 0))
        return true;
    if (!(p->family == 4 ? is_our_group4(s, p) : is_our_group6(s, p)))
        return false;
    p->to_group = true;
    return true;
}

/* A catch-all listener speaks for every host: TCP to an address that is not ours, and what ICMP says of such connections. Not for groups, nor for what
 * cannot be anybody's address on a wire, nor beyond the link for a link-local one. */
static bool caught(const pl_stack *s, struct packet *p)
{
    if (!s->foreign || p->to_group || route_addr_is_martian_source(p->dst.b) || route_addr_is_link_local6(p->dst.b) || path_is_group(s, &p->dst) ||
        path_is_ours(s, &p->dst))
        return false;
    p->foreign = p->protocol == WIRE_PROTO_TCP || p->protocol == (p->family == 4 ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6);
    return p->foreign;
}

static void protocol_unknown(pl_stack *s, struct packet *p, const struct ip_in *in)
{
    p->drop = PL_DROP_IP_PROTOCOL;
    if (p->family == 4)
        owed_error(s, p, WIRE_ICMP4_UNREACHABLE, WIRE_ICMP4_PROTOCOL, 0, PL_WHY_ICMP_PROTOCOL_UNREACHABLE);
    else if (p->protocol != WIRE_PROTO_NONE)                        /* RFC 8200 4.7: nothing follows, on purpose */
        owed_error(s, p, WIRE_ICMP6_PARAMETER, 1, in->next_at, PL_WHY_ICMP_PARAMETER_PROBLEM);
}

static void transport_rx(pl_stack *s, struct packet *p, const struct iface *i, const struct ip_in *in)
{
    if (p->protocol == WIRE_PROTO_TCP) {
        tcp_rx(s, p);
        return;
    }
    tcp_rx_settle(s, p->run);             /* news from below may be of a connection */
    linearise(p, SCRATCH_BYTES);          /* an ICMP message has more headers behind its own */
    uint32_t first = p->contiguous - p->l4_off;
    p->l4_first_bytes = (uint16_t)(first < UINT16_MAX ? first : UINT16_MAX);
    /* TCP has a name of its own for a segment from ourselves; for the others it is a lie like any other (threats V17) */
    if (!in->src_any && route_addr_find(&s->addrs, p->iface, p->src.b, 0)) {
        p->drop = PL_DROP_IP_MARTIAN;
        return;
    }
    if (p->protocol == WIRE_PROTO_UDP)
        udp_rx(s, p);
    else if (p->protocol == (p->family == 4 ? WIRE_PROTO_ICMP4 : WIRE_PROTO_ICMP6))
        icmp_rx(s, p, i);
    else
        protocol_unknown(s, p, in);
}

/* The sender of a packet with a bad extension header is told, if RFC 4443 2.4(e) lets us. */
static void complain(pl_stack *s, struct packet *p, const struct ip_in *in)
{
    if (!in->complain || !addressed_to_us(s, p))
        return;
    if (p->to_group && in->complain_to_group)
        p->to_group = false;
    if (!ip6_carries_error(p->bytes + p->ip_off, p->contiguous - p->ip_off))
        owed_error(s, p, WIRE_ICMP6_PARAMETER, in->complain_code, in->complain_at, PL_WHY_ICMP_PARAMETER_PROBLEM);
}

static void ip_rx(pl_stack *s, struct packet *p, const struct iface *i)
{
    const uint8_t *at = p->bytes + p->ip_off;
    uint32_t n = p->contiguous - p->ip_off, whole = p->frame_bytes - p->ip_off;
    struct ip_in in;
    enum pl_drop drop = p->family == 4 ? ip4_judge(at, n, whole, &in) : ip6_judge(at, n, whole, &in);
    p->drop = (uint16_t)drop;
    if (drop == PL_DROP_RUNT)
        return;
    memcpy(p->src.b, in.src, 16);
    memcpy(p->dst.b, in.dst, 16);
    if (p->family == 6 && (route_addr_is_link_local6(in.src) || route_addr_is_link_local6(in.dst))) {
        p->src.zone = route_addr_is_link_local6(in.src) ? (uint32_t)p->iface + 1 : 0;
        p->dst.zone = route_addr_is_link_local6(in.dst) ? (uint32_t)p->iface + 1 : 0;
    }
    if (drop) {
        complain(s, p, &in);
        return;
    }
    p->protocol = in.protocol;
    p->hop_limit = in.hop_limit;
    p->tos = in.tos;
    bool link_group = p->to_group;
    if (!addressed_to_us(s, p) && !caught(s, p)) {
        p->drop = PL_DROP_IP_NOT_FOR_US;
        return;
    }
    /* threats V17: the broadcast address of our own net is no sender's, or the answer would go to all */
    if (p->family == 4 && route_addr_is_directed_broadcast(&s->addrs, p->iface, p->src.b)) {
        p->drop = PL_DROP_IP_MARTIAN;
        return;
    }
    /* RFC 1122 3.3.6: a packet for us alone has no business in a broadcast of the link. TCP has a name of its own for it (MUST-57) */
    if (link_group && in.protocol != WIRE_PROTO_TCP && route_addr_find(&s->addrs, p->iface, p->dst.b, 0)) {
        p->drop = PL_DROP_IP_NOT_FOR_US;
        return;
    }
    if (in.fragment) {
        p->drop = PL_DROP_IP_FRAGMENT;
        return;
    }
    p->l4_off = p->ip_off + in.hdr_bytes;
    p->l4_bytes = in.total_bytes - in.hdr_bytes;
    transport_rx(s, p, i, &in);
}

static void ethernet_rx(pl_stack *s, struct packet *p, const struct iface *i)
{
    if (p->contiguous < WIRE_ETH_BYTES) {
        p->drop = PL_DROP_RUNT;
        return;
    }
    enum ethernet_for to = ethernet_for(p->bytes, i->params.mac);
    if (to == ETHERNET_OTHERS) {
        p->drop = PL_DROP_NOT_FOR_US_LINK;
        return;
    }
    p->to_group = to != ETHERNET_US;
    p->ip_off = WIRE_ETH_BYTES;
    switch (get_be16(p->bytes + 12)) {
    case WIRE_ETH_IP4:
        p->family = 4;
        ip_rx(s, p, i);
        break;
    case WIRE_ETH_IP6:
        p->family = 6;
        ip_rx(s, p, i);
        break;
    case WIRE_ETH_ARP:
        tcp_rx_settle(s, p->run);
        p->drop = (uint16_t)arp_rx(s, p, i);
        break;
    default:
        p->drop = PL_DROP_ETHERTYPE;
        break;
    }
}

static void frame_rx(pl_stack *s, struct iface *i, int iface, const struct pl_frame *f, struct rx_run *run)
{
    uint8_t scratch[SCRATCH_BYTES];
    struct packet p;
    memset(&p, 0, offsetof(struct packet, seg));                    /* seg is set with has_seg */
    p.frame = f;
    p.run = run;
    p.iface = iface;
    p.csum_ok = f->flags & PL_F_CSUM_OK;
    p.scratch = scratch;
    measure(&p);
    linearise(&p, f->hdr_len && f->hdr_len < SCRATCH_BYTES ? f->hdr_len : SCRATCH_BYTES);
    i->rx_frames++;
    i->rx_bytes += p.frame_bytes;
    if (i->params.link == PL_LINK_ETHERNET) {
        ethernet_rx(s, &p, i);
    } else if (p.contiguous == 0) {
        p.drop = PL_DROP_RUNT;
    } else {
        p.family = p.bytes[0] >> 4 == 6 ? 6 : 4;
        ip_rx(s, &p, i);
    }
    trace_in(s, &p);
}

int pl_rx(pl_stack *s, int iface, const struct pl_frame *frames, size_t n, pl_time now)
{
    struct iface *i = stack_iface(s, iface);
    if (i == NULL)
        return PL_EINVAL;
    stack_now(s, now);
    net_reap(s);
    struct rx_run run = {.x = stack_tcp_ctx(s)};
    for (size_t k = 0; k < n; k++)        /* RFC 9293 3.10.7.4, MUST-59: all of them; ACKs leave in pl_tx */
        frame_rx(s, i, iface, &frames[k], &run);
    tcp_rx_settle(s, &run);
    wake_chunk_waiters(s);
    deadlines_run(s);                     /* every door that takes the time leaves no deadline behind it */
    return PL_OK;
}
