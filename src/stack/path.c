/* SPDX-License-Identifier: MIT
 *
 * path.c: from a destination to an interface, a source address, a next hop and an MTU; and the headers of link and internet layer.
 *
 * A path is found when a connection is made (path_find) and then kept by it. Before each use path_resolve looks at the neighbour behind it:
 * in the usual case one comparison of generations and one of states.
 */
#include "base/bytes.h"
#include "internet/ip4.h"
#include "internet/ip6.h"
#include "link/ethernet.h"
#include "stack/net.h"
#include "wire/eth_hdr.h"
#include "wire/ip_proto.h"

static bool is_limited_broadcast(const uint8_t a[16])
{
    return wire_addr_is_ip4(a) && (a[12] & a[13] & a[14] & a[15]) == 0xff;
}

static bool is_broadcast(const pl_stack *s, const uint8_t a[16])
{
    return is_limited_broadcast(a) || route_addr_is_directed_broadcast(&s->addrs, -1, a);
}

bool path_is_ours(const pl_stack *s, const struct pl_addr *a) { return route_addr_find(&s->addrs, -1, a->b, a->zone) != 0; }

bool path_is_group(const pl_stack *s, const struct pl_addr *a)
{
    return route_addr_is_zero(a->b) || route_addr_is_multicast(a->b) || is_broadcast(s, a->b);
}

static uint32_t mtu_towards(const pl_stack *s, const struct iface *i, const struct pl_addr *remote)
{
    uint32_t learned = pmtu_find(&s->paths, &s->secrets.fragments, remote->b, remote->zone, s->now);
    return learned && learned < i->params.mtu ? learned : i->params.mtu;
}

void path_mtu_learned(pl_stack *s, const struct pl_addr *remote, uint32_t mtu)
{
    pmtu_learn(&s->paths, &s->secrets.fragments, remote->b, remote->zone, mtu, s->now);
}

/* The next hop; a group needs no route if any interface speaks its family. */
static bool find_hop(const pl_stack *s, const struct pl_addr *remote, int32_t only, bool group, struct route_hop *hop)
{
    if (route_find(&s->addrs, &s->routes, remote->b, remote->zone, only, hop))
        return stack_iface(s, hop->iface) != NULL;
    for (uint32_t slot = slots_next(&s->addrs, 0); group && slot; slot = slots_next(&s->addrs, slot)) {
        const struct addr_entry *e = slots_at(&s->addrs, slot);
        if (wire_addr_is_ip4(e->addr) == wire_addr_is_ip4(remote->b) && (only < 0 || e->iface == only)) {
            hop->iface = e->iface;
            return true;
        }
    }
    return false;
}

int path_find(pl_stack *s, const struct pl_addr *remote, struct pl_addr *local, struct path *path)
{
    static const uint8_t unspecified[16] = {0};
    bool chosen = memcmp(local->b, unspecified, 16) != 0;
    int32_t only = -1;
    if (chosen) {
        uint32_t slot = route_addr_find(&s->addrs, -1, local->b, local->zone);
        if (slot == 0 || wire_addr_is_ip4(local->b) != wire_addr_is_ip4(remote->b))
            return PL_EADDRNOTAVAIL;
        only = ((const struct addr_entry *)slots_at(&s->addrs, slot))->iface;
    }
    bool group = path_is_group(s, remote);
    struct route_hop hop;
    /* there is no loopback interface: a packet to ourselves has no way */
    if (path_is_ours(s, remote) || !find_hop(s, remote, only, group, &hop))
        return PL_ENETUNREACH;
    const struct iface *i = stack_iface(s, hop.iface);
    if (!chosen) {
        uint32_t slot = route_source(&s->addrs, hop.iface, remote->b);
        if (slot == 0)
            return PL_EADDRNOTAVAIL;
        const struct addr_entry *e = slots_at(&s->addrs, slot);
        memcpy(local->b, e->addr, 16);
        local->zone = e->zone;
    }
    *path = (struct path){.iface = hop.iface, .mtu = mtu_towards(s, i, remote)};
    if (i->params.link != PL_LINK_ETHERNET || group)
        return PL_OK;
    path->neighbor = neighbor_find(s, hop.iface, hop.addr);
    if (path->neighbor) {
        path->neighbor_generation = slots_generation(&s->neighbors, path->neighbor);
        if (neighbor_at(s, path->neighbor)->nud.state == NUD_FAILED)
            return PL_EHOSTUNREACH;
    }
    return PL_OK;
}

int pl_path(pl_stack *s, const struct pl_addr *remote, struct pl_addr *local, uint32_t *mtu)
{
    struct pl_addr from = {.zone = 0};
    struct path path;
    int error = remote ? path_find(s, remote, &from, &path) : PL_EINVAL;
    if (error != PL_OK)
        return error;
    if (local)
        *local = from;
    if (mtu)
        *mtu = path.mtu;
    return PL_OK;
}

/* The entry went, or none was there yet: look the next hop up again, for a route may have changed as well. */
static int renew(pl_stack *s, const struct pl_addr *remote, struct path *path)
{
    struct route_hop hop;
    if (!find_hop(s, remote, path->iface, false, &hop))
        return PL_EHOSTUNREACH;
    path->neighbor = neighbor_make(s, hop.iface, hop.addr);
    if (path->neighbor == 0)
        return PL_EHOSTUNREACH;
    path->neighbor_generation = slots_generation(&s->neighbors, path->neighbor);
    return PL_OK;
}

static bool neighbor_current(const pl_stack *s, const struct path *path)
{
    return path->neighbor && slots_generation(&s->neighbors, path->neighbor) == path->neighbor_generation;
}

int path_resolve(pl_stack *s, const struct pl_addr *remote, const struct pl_addr *local, struct path *path)
{
    (void)local;
    const struct iface *i = stack_iface(s, path->iface);
    if (i == NULL)
        return PL_EHOSTUNREACH;
    if (i->params.link != PL_LINK_ETHERNET)
        return PL_OK;
    if (!neighbor_current(s, path)) {
        if (path->neighbor == 0 && path_is_group(s, remote))
            return PL_OK;
        int error = renew(s, remote, path);
        if (error)
            return error;
    }
    struct nud *n = &neighbor_at(s, path->neighbor)->nud;
    pl_time when = n->when;
    enum nud_act act = nud_wanted(n, s->now);
    if (act != NUD_NOTHING || n->when != when)
        neighbor_acts(s, path->neighbor, act);
    return nud_usable(n) ? PL_OK : n->state == NUD_FAILED ? PL_EHOSTUNREACH : PL_EAGAIN;
}

void path_confirm(pl_stack *s, const struct path *path)
{
    if (neighbor_current(s, path))
        nud_confirm(&neighbor_at(s, path->neighbor)->nud, s->now);
}

void path_doubt(pl_stack *s, const struct path *path)
{
    if (neighbor_current(s, path))
        neighbor_acts(s, path->neighbor, nud_doubt(&neighbor_at(s, path->neighbor)->nud, s->now));
}

/* RFC 6864 4.1: a datagram that must not be fragmented needs no identification. For others it is a permutation, keyed by the two addresses, of
 * a counter: no value repeats within 65536 datagrams, and nobody can tell the next one or how many went to others (threats V13). */
static uint16_t ip_id(pl_stack *s, const struct ip_out *out)
{
    if (out->dont_fragment)
        return 0;
    uint64_t words[5];
    memcpy(words, out->local, 16);
    memcpy(words + 2, out->remote, 16);
    words[4] = out->protocol;
    uint64_t of_pair = siphash13_words(&s->secrets.fragments, words, 5);
    uint32_t count = s->ip_id++;
    uint8_t left = (uint8_t)(count >> 8), right = (uint8_t)count;
    for (unsigned round = 0; round < 4; round++) {
        uint64_t in[2] = {of_pair, (uint64_t)round << 8 | right};
        uint8_t mixed = (uint8_t)(left ^ siphash13_words(&s->secrets.fragments, in, 2));
        left = right;
        right = mixed;
    }
    return (uint16_t)((unsigned)left << 8 | right);
}

static void write_ethernet(pl_stack *s, const struct iface *i, const struct path *path, const struct ip_out *out, bool ip4, uint8_t *to)
{
    if (path->neighbor)
        memcpy(to, neighbor_at(s, path->neighbor)->nud.mac, 6);
    else if (route_addr_is_multicast(out->remote))
        wire_eth_multicast(to, out->remote);
    else
        memcpy(to, ethernet_broadcast, 6);
    memcpy(to + 6, i->params.mac, 6);
    put_be16(to + 12, ip4 ? WIRE_ETH_IP4 : WIRE_ETH_IP6);
}

unsigned path_write_headers(pl_stack *s, const struct iface *i, const struct path *path, const struct ip_out *out, uint8_t *to)
{
    bool ip4 = wire_addr_is_ip4(out->remote);
    unsigned n = 0;
    if (i->params.link == PL_LINK_ETHERNET) {
        write_ethernet(s, i, path, out, ip4, to);
        n = WIRE_ETH_BYTES;
    }
    if (ip4)
        return n + ip4_write(to + n, &(struct ip4_out){.local = out->local,
                                                       .remote = out->remote,
                                                       .protocol = out->protocol,
                                                       .hop_limit = out->hop_limit,
                                                       .tos = out->tos,
                                                       .dont_fragment = out->dont_fragment,
                                                       .id = ip_id(s, out),
                                                       .payload_bytes = out->payload_bytes});
    return n + ip6_write(to + n, &(struct ip6_out){.local = out->local,
                                                   .remote = out->remote,
                                                   .protocol = out->protocol,
                                                   .hop_limit = out->hop_limit,
                                                   .tos = out->tos,
                                                   .payload_bytes = out->payload_bytes});
}
