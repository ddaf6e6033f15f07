/* SPDX-License-Identifier: MIT
 *
 * ip4_hdr.h: the IPv4 header, RFC 791 3.1 (DS field RFC 2474, ECN RFC 3168 5): bytes to struct and back. Judges nothing.
 */
#ifndef WIRE_IP4_HDR_H
#define WIRE_IP4_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"
#include "wire/ip_proto.h"

enum { WIRE_IP4_BYTES = 20, WIRE_IP4_BYTES_MAX = 60 };

struct wire_ip4 {
    uint8_t hdr_bytes;                    /* IHL * 4: 20..60; the options are hdr_bytes - 20 bytes at bytes + 20 */
    uint8_t dscp;                         /* 6 bits */
    uint8_t ecn;                          /* 2 bits */
    uint8_t ttl, protocol;                /* protocol: enum wire_ip_proto */
    bool reserved, df, mf;                /* reserved: the bit that must be zero */
    uint16_t total_bytes;                 /* header and payload; not compared with anything here */
    uint16_t id;
    uint16_t frag_off;                    /* in bytes: 0..65528, multiple of 8 */
    uint16_t sum;                         /* as it lies in memory, not in host order */
    uint8_t src[16], dst[16];             /* as ::ffff:a.b.c.d */
};
/* False: shorter than 20 bytes, version not 4, IHL < 5, or the header is longer than n. total_bytes is for the caller to judge (a packet
 * quoted by ICMP is legitimately longer than its quotation). */
bool wire_ip4_read(const uint8_t *bytes, size_t n, struct wire_ip4 *);
/* Writes hdr_bytes bytes (a multiple of 4 in 20..60; 0 counts as 20) with zeros for options; sum as given. */
void wire_ip4_write(uint8_t *bytes, const struct wire_ip4 *);
bool wire_ip4_sum_ok(const uint8_t *bytes, size_t hdr_bytes);       /* hdr_bytes as read by wire_ip4_read */
void wire_ip4_sum_set(uint8_t *bytes, size_t hdr_bytes);            /* computes the header checksum and stores it */
/* The sum of a header whose 16-bit word was `before` and becomes `after` (both as they lie in memory), RFC 1624 equation 3. */
uint16_t wire_sum_update(uint16_t sum, uint16_t before, uint16_t after);

enum wire_ip4_opt_type { WIRE_IP4_OPT_END = 0, WIRE_IP4_OPT_NOP = 1, WIRE_IP4_OPT_RR = 7, WIRE_IP4_OPT_LSRR = 131, WIRE_IP4_OPT_SSRR = 137 };
struct wire_ip4_opt {
    uint8_t type;                         /* copied flag included */
    uint8_t bytes;                        /* whole option: 1 for END and NOP, else 2.. */
    const uint8_t *at;                    /* its first byte (the type) */
};
/* Iterates over reader_of(bytes + 20, hdr_bytes - 20). 1: *o is the next option (never END or NOP); 0: no more; -1: an option with a
 * length below 2 or beyond the header (RFC 1122 3.2.1.8: must not be used further; threats V6). */
int wire_ip4_opt_next(struct reader *, struct wire_ip4_opt *o);

#endif
