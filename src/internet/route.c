/* SPDX-License-Identifier: MIT
 *
 * route.c: longest prefix, source address, and what kind of address an address is. The tables are small, so they are walked.
 */
#include "internet/route.h"
#include <string.h>
#include "base/bytes.h"
#include "wire/ip_proto.h"

enum { MAPPED_BITS = 96 };                /* length of ::ffff:0:0/96 */

static bool same(const uint8_t a[16], const uint8_t b[16]) { return memcmp(a, b, 16) == 0; }

/* Does the prefix of `bits` bits contain the address? A short IPv6 prefix contains no IPv4 address, though the mapped form may look so. */
static bool contains(const uint8_t prefix[16], uint32_t bits, const uint8_t addr[16])
{
    return route_common_bits(prefix, addr) >= bits && (bits >= MAPPED_BITS || !wire_addr_is_ip4(addr));
}

bool route_addr_is_link_local6(const uint8_t a[16]) { return a[0] == 0xfe && (a[1] & 0xc0) == 0x80; }

bool route_addr_is_zero(const uint8_t a[16])
{
    static const uint8_t zero[16] = {0};
    return memcmp(a, zero, 16) == 0 || (wire_addr_is_ip4(a) && memcmp(a + 12, zero, 4) == 0);
}

bool route_addr_is_multicast(const uint8_t a[16]) { return wire_addr_is_ip4(a) ? (a[12] & 0xf0) == 0xe0 : a[0] == 0xff; }

bool route_addr_is_loopback(const uint8_t a[16])
{
    static const uint8_t one[16] = {[15] = 1};
    return wire_addr_is_ip4(a) ? a[12] == 127 : same(a, one);
}

enum route_scope route_scope_of(const uint8_t a[16])
{
    if (wire_addr_is_ip4(a)) {
        bool link = a[12] == 127 || (a[12] == 169 && a[13] == 254) || (a[12] == 224 && a[13] == 0 && a[14] == 0);
        return link ? ROUTE_SCOPE_LINK : ROUTE_SCOPE_GLOBAL;        /* RFC 6724 3.2 */
    }
    if (a[0] == 0xff)
        return (enum route_scope)(a[1] & 0x0f);                     /* RFC 4291 2.7 */
    if (route_addr_is_link_local6(a) || route_addr_is_loopback(a))
        return ROUTE_SCOPE_LINK;
    return a[0] == 0xfe && (a[1] & 0xc0) == 0xc0 ? ROUTE_SCOPE_SITE : ROUTE_SCOPE_GLOBAL;
}

unsigned route_common_bits(const uint8_t a[16], const uint8_t b[16])
{
    for (unsigned i = 0; i < 16; i += 4) {
        uint32_t differ = get_be32(a + i) ^ get_be32(b + i);
        if (differ)
            return i * 8 + (unsigned)__builtin_clz(differ);
    }
    return 128;
}

bool route_addr_is_martian_source(const uint8_t a[16])
{
    if (wire_addr_is_ip4(a))
        return route_ip4_is_martian_source(a[12]);
    return route_addr_is_zero(a) || route_addr_is_loopback(a) || route_addr_is_multicast(a);
}

uint32_t route_addr_find(const struct slots *addrs, int32_t iface, const uint8_t addr[16], uint32_t zone)
{
    for (uint32_t slot = 1; slot <= addrs->fresh; slot++) {
        const struct addr_entry *e = slots_at(addrs, slot);
        if (!same(e->addr, addr) || !slots_live(addrs, slot) || (iface >= 0 && e->iface != iface))
            continue;
        if (iface >= 0 || e->zone == 0 || e->zone == zone)
            return slot;
    }
    return 0;
}

bool route_addr_is_directed_broadcast(const struct slots *addrs, int32_t iface, const uint8_t addr[16])
{
    /* every prefix that has a broadcast address leaves at least two host bits, all of them alike: most addresses are none at a glance */
    if ((addr[15] & 3) != 3 && (addr[15] & 3) != 0)
        return false;
    if (!wire_addr_is_ip4(addr))
        return false;
    uint32_t a = get_be32(addr + 12);
    for (uint32_t slot = slots_next(addrs, 0); slot; slot = slots_next(addrs, slot)) {
        const struct addr_entry *e = slots_at(addrs, slot);
        /* a /31 and a /32 have no broadcast address (RFC 3021 2.1) */
        if ((iface >= 0 && e->iface != iface) || e->prefix_bits > 126 || e->prefix_bits <= MAPPED_BITS || !wire_addr_is_ip4(e->addr))
            continue;
        uint32_t host = UINT32_MAX >> (e->prefix_bits - MAPPED_BITS), part = a & host;
        if (((a ^ get_be32(e->addr + 12)) & ~host) == 0 && (part == host || part == 0))
            return true;
    }
    return false;
}

bool route_addr_on_link(const struct slots *addrs, int32_t iface, const uint8_t addr[16])
{
    if (route_addr_is_link_local6(addr))
        return true;
    for (uint32_t slot = slots_next(addrs, 0); slot; slot = slots_next(addrs, slot)) {
        const struct addr_entry *e = slots_at(addrs, slot);
        if (e->iface == iface && contains(e->addr, e->prefix_bits, addr))
            return true;
    }
    return false;
}

struct best {
    bool found;
    uint32_t bits, metric;
};

static bool better(struct best *b, uint32_t bits, uint32_t metric)
{
    if (b->found && (bits < b->bits || (bits == b->bits && metric >= b->metric)))
        return false;
    *b = (struct best){true, bits, metric};
    return true;
}

bool route_find(const struct slots *addrs, const struct slots *routes, const uint8_t remote[16], uint32_t zone, int32_t only,
                struct route_hop *hop)
{
    struct best best = {false, 0, 0};
    memcpy(hop->addr, remote, 16);
    if (zone) {                           /* RFC 4007 6: a link-local destination is on the link that its zone names, and nowhere else */
        hop->iface = (int32_t)zone - 1;
        return only < 0 || only == hop->iface;
    }
    for (uint32_t slot = slots_next(addrs, 0); slot; slot = slots_next(addrs, slot)) {
        const struct addr_entry *e = slots_at(addrs, slot);
        if ((only >= 0 && e->iface != only) || e->zone)
            continue;
        if (contains(e->addr, e->prefix_bits, remote) && better(&best, e->prefix_bits, 0))
            hop->iface = e->iface;
    }
    bool group = route_addr_is_multicast(remote);
    for (uint32_t slot = slots_next(routes, 0); slot; slot = slots_next(routes, slot)) {
        const struct route_entry *e = slots_at(routes, slot);
        if ((only >= 0 && e->iface != only) || !contains(e->destination, e->prefix_bits, remote))
            continue;
        if (!better(&best, e->prefix_bits, e->metric))
            continue;
        hop->iface = e->iface;
        memcpy(hop->addr, group || route_addr_is_zero(e->gateway) ? remote : e->gateway, 16);
    }
    return best.found;
}

/* RFC 6724 5, rules 1, 2 and 8: is `a` the better source? */
static bool prefer(const struct addr_entry *a, const struct addr_entry *b, const uint8_t remote[16])
{
    if (same(a->addr, remote) || same(b->addr, remote))
        return same(a->addr, remote);
    enum route_scope sa = route_scope_of(a->addr), sb = route_scope_of(b->addr), sd = route_scope_of(remote);
    if (sa != sb)
        return sa < sb ? sa >= sd : sb < sd;
    unsigned ca = route_common_bits(a->addr, remote), cb = route_common_bits(b->addr, remote);
    if (ca > a->prefix_bits)
        ca = a->prefix_bits;
    if (cb > b->prefix_bits)
        cb = b->prefix_bits;
    return ca > cb;
}

uint32_t route_source(const struct slots *addrs, int32_t iface, const uint8_t remote[16])
{
    uint32_t best = 0;
    bool ip4 = wire_addr_is_ip4(remote);
    for (uint32_t slot = slots_next(addrs, 0); slot; slot = slots_next(addrs, slot)) {
        const struct addr_entry *e = slots_at(addrs, slot);
        if (e->iface != iface || wire_addr_is_ip4(e->addr) != ip4)
            continue;
        if (best == 0 || prefer(e, slots_at(addrs, best), remote))
            best = slot;
    }
    return best;
}
