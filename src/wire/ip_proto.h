/* SPDX-License-Identifier: MIT
 *
 * ip_proto.h: protocol numbers, shared by IPv4's Protocol field (RFC 791 3.1) and IPv6's Next Header field (RFC 8200 3), and the two
 * forms of an address: 16 bytes everywhere inside, 4 bytes in an IPv4 header.
 */
#ifndef WIRE_IP_PROTO_H
#define WIRE_IP_PROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum wire_ip_proto {
    WIRE_PROTO_HOPOPT = 0,
    WIRE_PROTO_ICMP4 = 1,
    WIRE_PROTO_IGMP = 2,
    WIRE_PROTO_IP4 = 4,
    WIRE_PROTO_TCP = 6,
    WIRE_PROTO_UDP = 17,
    WIRE_PROTO_IP6 = 41,
    WIRE_PROTO_ROUTING = 43,
    WIRE_PROTO_FRAGMENT = 44,
    WIRE_PROTO_ICMP6 = 58,
    WIRE_PROTO_NONE = 59,
    WIRE_PROTO_DSTOPTS = 60,
};

/* True for ::ffff:a.b.c.d, the form that an IPv4 address has inside. An address of this form inside an IPv6 header must be dropped by
 * internet/ip6, or it would pass for IPv4 further up. */
static inline bool wire_addr_is_ip4(const uint8_t a[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(a, prefix, 12) == 0;
}
static inline void wire_addr_from_ip4(uint8_t a[16], const uint8_t four[4])
{
    memset(a, 0, 10);
    a[10] = a[11] = 0xff;
    memcpy(a + 12, four, 4);
}

#endif
