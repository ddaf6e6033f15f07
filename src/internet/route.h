/* SPDX-License-Identifier: MIT
 *
 * route.h: which way, and from which address: RFC 1122 3.3.1 and 3.3.4, RFC 6724 5 (reduced). Works on the two tables of the stack.
 *
 * An interface's own address says that its prefix is on the link; a route says what lies beyond. The longest prefix wins, then the lower metric,
 * then the older entry. Prefix lengths are counted in the 128 bits of the address as it is held here: an IPv4 /24 is 120.
 *
 * The strong host model (RFC 1122 3.3.4.2): a packet leaves through the interface that has its source address, and a packet is taken only
 * by the interface that has its destination address.
 */
#ifndef INTERNET_ROUTE_H
#define INTERNET_ROUTE_H

#include <parley/types.h>
#include "base/slots.h"

struct addr_entry {
    uint8_t addr[16];
    uint32_t zone;                        /* iface + 1 for link-local IPv6 addresses, else 0 */
    int32_t iface;
    uint32_t prefix_bits;                 /* of 128 */
    uint32_t pad_;
};

struct route_entry {
    uint8_t destination[16], gateway[16]; /* gateway all zero: on the link */
    uint32_t prefix_bits;                 /* of 128 */
    uint32_t metric;
    int32_t iface;
    uint32_t pad_;
};

struct route_hop {
    int32_t iface;
    uint8_t addr[16];                     /* whose link address is wanted: the destination itself or the gateway */
};

enum route_scope { ROUTE_SCOPE_INTERFACE = 1, ROUTE_SCOPE_LINK = 2, ROUTE_SCOPE_SITE = 5, ROUTE_SCOPE_GLOBAL = 14 };
enum route_scope route_scope_of(const uint8_t addr[16]);            /* RFC 6724 3.1, 3.2 */
bool route_addr_is_link_local6(const uint8_t addr[16]);             /* fe80::/10: the addresses that need a zone */
bool route_addr_is_zero(const uint8_t addr[16]);                    /* :: or ::ffff:0.0.0.0 */
bool route_addr_is_multicast(const uint8_t addr[16]);               /* 224/4, ff00::/8 */
bool route_addr_is_loopback(const uint8_t addr[16]);                /* 127/8, ::1 */
unsigned route_common_bits(const uint8_t a[16], const uint8_t b[16]);
/* Can never be a sender on a wire: unspecified, loopback, multicast, 240/4 with the limited broadcast (RFC 1122 3.2.1.3; threats V17). */
bool route_addr_is_martian_source(const uint8_t addr[16]);
/* RFC 1122 3.2.1.3: net 0 is "this network", 127/8 never leaves a host, from 224 on are groups, class E and the limited broadcast: no host's. */
static inline bool route_ip4_is_martian_source(uint8_t first) { return first == 0 || first == 127 || first >= 224; }

/* The entry of an address on an interface (-1: on any), or 0. */
uint32_t route_addr_find(const struct slots *addrs, int32_t iface, const uint8_t addr[16], uint32_t zone);
/* Is it the directed broadcast (or the obsolete all-zero form, RFC 1122 3.3.6) of an IPv4 prefix on this interface (-1: on any)? */
bool route_addr_is_directed_broadcast(const struct slots *addrs, int32_t iface, const uint8_t addr[16]);
/* Is the address within the prefix of one of the interface's addresses? */
bool route_addr_on_link(const struct slots *addrs, int32_t iface, const uint8_t addr[16]);
/* The next hop towards a destination, through `only` when that is not -1. False: no route. */
bool route_find(const struct slots *addrs, const struct slots *routes, const uint8_t remote[16], uint32_t zone, int32_t only, struct route_hop *);
/* The best source address for this destination on an interface: a slot of addrs, or 0. */
uint32_t route_source(const struct slots *addrs, int32_t iface, const uint8_t remote[16]);

#endif
