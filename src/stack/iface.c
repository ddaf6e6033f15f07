/* SPDX-License-Identifier: MIT
 *
 * iface.c: the program's calls on interfaces, addresses, routes and neighbours.
 */
#include "internet/route.h"
#include "link/ethernet.h"
#include "stack/net.h"
#include "wire/ip_proto.h"

enum { MTU_MIN = 576, MTU_MAX = 65535, MAPPED_BITS = 96 };

int pl_iface_add(pl_stack *s, const struct pl_iface_params *params)
{
    if (params == NULL || params->mtu < MTU_MIN || params->mtu > MTU_MAX || params->gso_bytes > MTU_MAX)
        return PL_EINVAL;
    if (params->link > PL_LINK_ETHERNET || (params->link == PL_LINK_ETHERNET && !ethernet_is_station(params->mac)))
        return PL_EINVAL;
    uint32_t slot = slots_take(&s->ifaces);
    if (slot == 0)
        return PL_ENOMEM;
    struct iface *i = slots_at(&s->ifaces, slot);
    i->params = *params;
    i->in_use = i->ready = true;
    return (int)slot - 1;
}

int pl_iface_remove(pl_stack *s, int iface)
{
    if (stack_iface(s, iface) == NULL)
        return PL_EINVAL;
    tcp_iface_gone(s, iface);
    for (uint32_t slot = slots_next(&s->routes, 0); slot; slot = slots_next(&s->routes, slot))
        if (((const struct route_entry *)slots_at(&s->routes, slot))->iface == iface)
            slots_give(&s->routes, slot);
    for (uint32_t slot = slots_next(&s->addrs, 0); slot; slot = slots_next(&s->addrs, slot))
        if (((const struct addr_entry *)slots_at(&s->addrs, slot))->iface == iface)
            slots_give(&s->addrs, slot);
    neighbors_iface_gone(s, iface);
    refs_forget(s, iface);
    udp_iface_gone(s, iface);
    owed_clear(s, iface);
    slots_give(&s->ifaces, (uint32_t)iface + 1);
    return PL_OK;
}

int pl_iface_info(const pl_stack *s, int iface, struct pl_iface_info *out, size_t size)
{
    const struct iface *i = stack_iface(s, iface);
    if (i == NULL || out == NULL)
        return PL_EINVAL;
    struct pl_iface_info info = {.params = i->params, .ready = i->ready, .up = i->in_use, .rx_frames = i->rx_frames, .rx_bytes = i->rx_bytes,
                                 .tx_frames = i->tx_frames, .tx_bytes = i->tx_bytes, .drops = i->drops};
    memcpy(out, &info, size < sizeof info ? size : sizeof info);
    return PL_OK;
}

int pl_iface_ready(pl_stack *s, int iface, bool ready)
{
    struct iface *i = stack_iface(s, iface);
    if (i == NULL)
        return PL_EINVAL;
    i->ready = ready;
    return PL_OK;
}

/* A prefix length of the address's own family as one of 128 bits. False: too long. */
static bool prefix_of(const uint8_t addr[16], unsigned prefix_bits, uint32_t *bits)
{
    unsigned shift = wire_addr_is_ip4(addr) ? MAPPED_BITS : 0;
    if (prefix_bits > 128 - shift)
        return false;
    *bits = prefix_bits + shift;
    return true;
}

static unsigned prefix_shown(const uint8_t addr[16], uint32_t bits) { return wire_addr_is_ip4(addr) ? bits - MAPPED_BITS : bits; }

int pl_addr_add(pl_stack *s, int iface, const struct pl_addr *addr, unsigned prefix_bits)
{
    const struct iface *i = stack_iface(s, iface);
    uint32_t bits;
    if (i == NULL || addr == NULL || !prefix_of(addr->b, prefix_bits, &bits) || route_addr_is_martian_source(addr->b))
        return PL_EINVAL;
    if (!wire_addr_is_ip4(addr->b) && i->params.mtu < PMTU_IP6_MIN)
        return PL_EINVAL;                 /* RFC 8200 5 */
    bool link_local = route_addr_is_link_local6(addr->b);
    uint32_t zone = link_local ? (uint32_t)iface + 1 : 0;
    if (route_addr_find(&s->addrs, link_local ? iface : -1, addr->b, zone))
        return PL_EADDRINUSE;
    uint32_t slot = slots_take(&s->addrs);
    if (slot == 0)
        return PL_ENOMEM;
    struct addr_entry *e = slots_at(&s->addrs, slot);
    memcpy(e->addr, addr->b, 16);
    e->zone = zone;
    e->iface = iface;
    e->prefix_bits = bits;
    return PL_OK;
}

int pl_addr_remove(pl_stack *s, int iface, const struct pl_addr *addr)
{
    if (stack_iface(s, iface) == NULL || addr == NULL)
        return PL_EINVAL;
    uint32_t slot = route_addr_find(&s->addrs, iface, addr->b, 0);
    if (slot == 0)
        return PL_EADDRNOTAVAIL;
    slots_give(&s->addrs, slot);
    return PL_OK;
}

bool pl_addr_next(const pl_stack *s, uint32_t *cursor, int *iface, struct pl_addr *addr, unsigned *prefix_bits)
{
    *cursor = slots_next(&s->addrs, *cursor);
    if (*cursor == 0)
        return false;
    const struct addr_entry *e = slots_at(&s->addrs, *cursor);
    *iface = e->iface;
    *addr = (struct pl_addr){.zone = e->zone};
    memcpy(addr->b, e->addr, 16);
    *prefix_bits = prefix_shown(e->addr, e->prefix_bits);
    return true;
}

static bool gateway_given(const struct pl_route *r) { return !route_addr_is_zero(r->gateway.b); }

int pl_route_add(pl_stack *s, const struct pl_route *r)
{
    uint32_t bits;
    if (r == NULL || stack_iface(s, r->iface) == NULL || !prefix_of(r->destination.b, r->prefix_bits, &bits))
        return PL_EINVAL;
    if (gateway_given(r) && wire_addr_is_ip4(r->gateway.b) != wire_addr_is_ip4(r->destination.b))
        return PL_EINVAL;
    if (gateway_given(r) && route_addr_is_martian_source(r->gateway.b))
        return PL_EINVAL;
    uint32_t slot = slots_take(&s->routes);
    if (slot == 0)
        return PL_ENOMEM;
    struct route_entry *e = slots_at(&s->routes, slot);
    memcpy(e->destination, r->destination.b, 16);
    if (gateway_given(r))
        memcpy(e->gateway, r->gateway.b, 16);
    e->prefix_bits = bits;
    e->metric = r->metric;
    e->iface = r->iface;
    return PL_OK;
}

int pl_route_remove(pl_stack *s, const struct pl_route *r)
{
    uint32_t bits;
    if (r == NULL || !prefix_of(r->destination.b, r->prefix_bits, &bits))
        return PL_EINVAL;
    for (uint32_t slot = slots_next(&s->routes, 0); slot; slot = slots_next(&s->routes, slot)) {
        const struct route_entry *e = slots_at(&s->routes, slot);
        bool same_gateway = gateway_given(r) ? memcmp(e->gateway, r->gateway.b, 16) == 0 : route_addr_is_zero(e->gateway);
        if (e->iface == r->iface && e->prefix_bits == bits && memcmp(e->destination, r->destination.b, 16) == 0 && same_gateway) {
            slots_give(&s->routes, slot);
            return PL_OK;
        }
    }
    return PL_ENETUNREACH;
}

bool pl_route_next(const pl_stack *s, uint32_t *cursor, struct pl_route *r)
{
    *cursor = slots_next(&s->routes, *cursor);
    if (*cursor == 0)
        return false;
    const struct route_entry *e = slots_at(&s->routes, *cursor);
    *r = (struct pl_route){.prefix_bits = prefix_shown(e->destination, e->prefix_bits), .iface = e->iface, .metric = e->metric};
    memcpy(r->destination.b, e->destination, 16);
    memcpy(r->gateway.b, e->gateway, 16);
    return true;
}

int pl_neighbor_add(pl_stack *s, const struct pl_neighbor *n)
{
    const struct iface *i = n ? stack_iface(s, n->iface) : NULL;
    if (i == NULL || i->params.link != PL_LINK_ETHERNET || !ethernet_is_station(n->mac) || route_addr_is_martian_source(n->addr.b))
        return PL_EINVAL;
    uint32_t slot = neighbor_make(s, n->iface, n->addr.b);
    if (slot == 0)
        return PL_ENOMEM;
    nud_set_permanent(&neighbor_at(s, slot)->nud, n->mac);
    neighbor_acts(s, slot, NUD_RESOLVED);
    return PL_OK;
}

int pl_neighbor_remove(pl_stack *s, int iface, const struct pl_addr *addr)
{
    if (stack_iface(s, iface) == NULL || addr == NULL)
        return PL_EINVAL;
    uint32_t slot = neighbor_find(s, iface, addr->b);
    if (slot == 0)
        return PL_EHOSTUNREACH;
    neighbor_remove(s, slot);
    return PL_OK;
}

bool pl_neighbor_next(const pl_stack *s, uint32_t *cursor, struct pl_neighbor *out)
{
    *cursor = slots_next(&s->neighbors, *cursor);
    if (*cursor == 0)
        return false;
    const struct neighbor *n = neighbor_at(s, *cursor);
    *out = (struct pl_neighbor){.iface = n->iface, .permanent = n->nud.state == NUD_PERMANENT, .state = (uint8_t)nud_state_now(&n->nud, s->now)};
    memcpy(out->addr.b, n->flow.remote, 16);
    out->addr.zone = route_addr_is_link_local6(n->flow.remote) ? (uint32_t)n->iface + 1 : 0;
    memcpy(out->mac, n->nud.mac, 6);
    return true;
}
