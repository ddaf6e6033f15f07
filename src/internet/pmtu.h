/* SPDX-License-Identifier: MIT
 *
 * pmtu.h: what routers said about the size of packets: RFC 1191 and RFC 8201. What they say only ever lowers an MTU, is believed within bounds
 * (IPv4 not below 552, IPv6 not below 1280: threats V21), and is forgotten after ten minutes (RFC 1191 6.3, RFC 8201 4).
 *
 * The table is a cache of small sets: a destination's keyed hash names the set, the entry that would expire first makes room. A lookup costs
 * the same whatever the size of the table.
 */
#ifndef INTERNET_PMTU_H
#define INTERNET_PMTU_H

#include "base/siphash.h"
#include "base/slots.h"
#include <parley/types.h>

enum { PMTU_IP4_MIN = 552, PMTU_IP6_MIN = 1280, PMTU_SET = 4 };
#define PMTU_LIFE_NS (600 * PL_S)

struct path_entry {
    uint8_t remote[16];
    uint32_t zone;
    uint32_t mtu;                         /* 0: free */
    pl_time expires;
};

/* What to make of the MTU in a message about a packet of `quoted_bytes` (its total length; 0: not known) while the path's MTU is taken to be
 * `current`: the new MTU, or 0: the message is not plausible or says nothing new. */
uint32_t pmtu_judge(bool ip6, uint32_t told, uint32_t quoted_bytes, uint32_t current);
/* The MTU learned for a destination, 0: none. */
uint32_t pmtu_find(const struct slots *paths, const struct siphash_key *, const uint8_t remote[16], uint32_t zone, pl_time now);
/* Remembers it; never raises what is known and not expired. */
void pmtu_learn(struct slots *paths, const struct siphash_key *, const uint8_t remote[16], uint32_t zone, uint32_t mtu, pl_time now);
void pmtu_shift(struct slots *paths, pl_time by);

#endif
