/* SPDX-License-Identifier: MIT
 *
 * icmp_rx.c: ICMP and ICMPv6 on their way up: echo, Neighbour Discovery, and errors to whom they concern (RFC 792, 4443; RFC 5927).
 */
#include "base/checksum.h"
#include "internet/icmp4.h"
#include "internet/icmp6.h"
#include "stack/net.h"
#include "stack/rx.h"
#include "wire/icmp6_hdr.h"

static bool sum_ok(const pl_stack *s, const struct packet *p)
{
    /* a link vouches for TCP and UDP only, so this is always looked at */
    uint32_t sum = csum_spans(p->frame->span, p->frame->nspans, p->l4_off, p->l4_bytes, s->env->cpu);
    if (p->family == 6)
        sum = csum_add(sum, csum_pseudo(p->src.b, p->dst.b, WIRE_PROTO_ICMP6, p->l4_bytes));
    return csum_fold(sum) == 0xffff;
}

static struct pl_addr addr_on(const uint8_t bytes[16], int32_t iface)
{
    struct pl_addr a = {.zone = route_addr_is_link_local6(bytes) ? (uint32_t)iface + 1 : 0};
    memcpy(a.b, bytes, 16);
    return a;
}

/* The flow that the quoted packet belonged to. False: it is no packet of ours. Connections carry the zone of their peer, sockets their own. */
static bool quoted_flow(const struct wire_quote *q, const struct pl_addr *local, const struct pl_addr *remote, struct flow *flow)
{
    *flow = (struct flow){.zone = remote->zone, .protocol = q->protocol, .local_port = q->src_port, .remote_port = q->dst_port};
    memcpy(flow->local, q->src, 16);
    memcpy(flow->remote, q->dst, 16);
    if (q->protocol == WIRE_PROTO_TCP)
        return true;
    flow->zone = local->zone;
    if (q->protocol == WIRE_PROTO_UDP)
        return true;
    flow->protocol = WIRE_PROTO_ICMP4;    /* echo sockets of both families */
    flow->local_port = q->echo_id;
    flow->remote_port = 0;
    return q->version == 4 ? q->protocol == WIRE_PROTO_ICMP4 && q->icmp_type == WIRE_ICMP4_ECHO
                           : q->protocol == WIRE_PROTO_ICMP6 && q->icmp_type == WIRE_ICMP6_ECHO;
}

static enum pl_drop trouble_rx(pl_stack *s, const struct packet *p, const struct icmp_news *news)
{
    struct flow flow;
    struct pl_addr local = addr_on(news->quote.src, p->iface), remote = addr_on(news->quote.dst, p->iface);
    bool ours = p->foreign ? memcmp(local.b, p->dst.b, 16) == 0 && news->quote.protocol == WIRE_PROTO_TCP : path_is_ours(s, &local);
    if (!ours || !quoted_flow(&news->quote, &local, &remote, &flow))
        return PL_DROP_ICMP_QUOTE;
    flow.foreign = p->foreign;
    uint32_t mtu = 0;
    if (news->kind == ICMP_TOO_BIG) {
        struct path path;
        if (path_find_flow(s, &flow, &path) != PL_OK)
            return PL_DROP_ICMP_QUOTE;
        mtu = pmtu_judge(p->family == 6, news->mtu, news->quoted_bytes, path.mtu);
        if (mtu == 0)
            return PL_DROP_ICMP_MTU;
    }
    if (flow.protocol == WIRE_PROTO_TCP)
        return tcp_rx_icmp(s, &flow, news->quote.seq, news->error, news->hard, mtu);
    enum pl_drop drop = udp_rx_icmp(s, &flow, news->error);
    if (drop == PL_DROP_NONE && mtu)
        path_mtu_learned(s, &remote, mtu);
    return drop;
}

static enum pl_drop echo_request_rx(pl_stack *s, const struct packet *p)
{
    /* RFC 1122 3.2.2.6: an echo request to a broadcast or multicast address may be discarded; RFC 4443 4.2 wants it answered */
    if (p->to_group && p->family == 4)
        return PL_DROP_ICMP_TYPE;
    return owed_echo(s, p);
}

void icmp_rx(pl_stack *s, struct packet *p, const struct iface *i)
{
    struct icmp_news news;
    if (!sum_ok(s, p)) {
        p->drop = PL_DROP_ICMP_CHECKSUM;
        return;
    }
    uint32_t n = p->l4_first_bytes < p->l4_bytes ? p->l4_first_bytes : p->l4_bytes;
    if (p->family == 4)
        icmp4_judge(p->bytes + p->l4_off, n, &news);
    else
        icmp6_judge(p->bytes + p->l4_off, n, &news);
    if (news.kind != ICMP_NOTHING && news.kind != ICMP_ND && route_addr_is_zero(p->src.b)) {
        p->drop = PL_DROP_IP_MARTIAN;     /* only Neighbour Discovery speaks before it has an address */
        return;
    }
    if (p->foreign && news.kind != ICMP_TROUBLE && news.kind != ICMP_TOO_BIG) {
        p->drop = PL_DROP_IP_NOT_FOR_US;  /* we speak for that host's TCP, and for nothing else of it */
        return;
    }
    switch (news.kind) {
    case ICMP_NOTHING:
        p->drop = (uint16_t)news.drop;
        break;
    case ICMP_ECHO:
        p->drop = (uint16_t)echo_request_rx(s, p);
        break;
    case ICMP_ECHO_REPLY:
        p->drop = (uint16_t)echo_rx(s, p, news.ident);
        break;
    case ICMP_TROUBLE:
    case ICMP_TOO_BIG:
        p->drop = (uint16_t)trouble_rx(s, p, &news);
        break;
    case ICMP_ND:
        p->drop = (uint16_t)nd_rx(s, p, i);
        break;
    }
}
