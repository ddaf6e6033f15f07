/* SPDX-License-Identifier: MIT
 *
 * ip6.h: is this an IPv6 packet that may be looked at further? RFC 8200 3, 4. Whether it is for us is for the caller to say.
 */
#ifndef INTERNET_IP6_H
#define INTERNET_IP6_H

#include <stdint.h>
#include "internet/ip.h"

/* As ip4_judge. src and dst are set whenever 40 bytes were there. */
enum pl_drop ip6_judge(const uint8_t *bytes, uint32_t n, uint32_t whole, struct ip_in *in);
/* RFC 4443 2.4(e.1): does the packet carry an ICMPv6 error? Looks through extension headers without judging them. */
bool ip6_carries_error(const uint8_t *bytes, uint32_t n);
/* ff02::1:ffXX:XXXX of an address, RFC 4291 2.7.1. */
void ip6_solicited_node(uint8_t group[16], const uint8_t addr[16]);
bool ip6_is_all_nodes(const uint8_t addr[16]);                      /* ff01::1, ff02::1 */

struct ip6_out {
    const uint8_t *local, *remote;        /* 16 bytes */
    uint8_t protocol, hop_limit, tos;
    uint32_t payload_bytes;
};
unsigned ip6_write(uint8_t *to, const struct ip6_out *);            /* 40 bytes */

#endif
