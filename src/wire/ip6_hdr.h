/* SPDX-License-Identifier: MIT
 *
 * ip6_hdr.h: the IPv6 header and its extension headers, RFC 8200 3 and 4: bytes to struct and back, and a bounded walk.
 */
#ifndef WIRE_IP6_HDR_H
#define WIRE_IP6_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/ip_proto.h"

enum { WIRE_IP6_BYTES = 40, WIRE_IP6_EXT_MAX = 8, WIRE_IP6_OPTS_MAX = 32, WIRE_IP6_FRAG_BYTES = 8 };

struct wire_ip6 {
    uint8_t dscp, ecn;                    /* the traffic class: 6 and 2 bits */
    uint8_t next, hop_limit;              /* next: enum wire_ip_proto */
    uint32_t flow;                        /* 20 bits */
    uint16_t payload_bytes;               /* everything behind the 40 bytes; not compared with anything here */
    uint16_t pad_;
    uint8_t src[16], dst[16];
};
/* False: shorter than 40 bytes or version not 6. */
bool wire_ip6_read(const uint8_t *bytes, size_t n, struct wire_ip6 *);
void wire_ip6_write(uint8_t *bytes, const struct wire_ip6 *);       /* 40 bytes */

/* What the walk found wrong. Offsets (`problem_at`) count from the first byte of the IPv6 header: the Pointer of a Parameter Problem
 * (RFC 4443 3.4). */
enum wire_ip6_problem {
    WIRE_IP6_OK = 0,
    WIRE_IP6_TRUNCATED,                   /* an extension header does not fit in n bytes: drop; problem_at: where it starts */
    WIRE_IP6_TOO_MANY,                    /* more than WIRE_IP6_EXT_MAX headers or WIRE_IP6_OPTS_MAX options: drop; problem_at: the one too many */
    WIRE_IP6_BAD_LENGTH,                  /* an option runs past its header: Parameter Problem code 0 at its length byte */
    WIRE_IP6_BAD_ORDER,                   /* hop-by-hop options elsewhere than first: Parameter Problem code 1 at the Next Header field */
    WIRE_IP6_BAD_ROUTING,                 /* unknown or deprecated routing type with segments left (RFC 5095): code 0 at the type */
    WIRE_IP6_OPT_DISCARD,                 /* unknown option, action 01: drop silently */
    WIRE_IP6_OPT_REPORT,                  /* unknown option, action 10: Parameter Problem code 2, even to multicast */
    WIRE_IP6_OPT_REPORT_UNICAST,          /* unknown option, action 11: the same, but not if the destination was multicast */
};
struct wire_ip6_chain {
    uint8_t next;                         /* what follows the last header walked: an upper-layer protocol, or one this walk does not know */
    uint8_t problem;                      /* enum wire_ip6_problem */
    uint8_t count;                        /* extension headers walked */
    bool has_frag;                        /* a fragment header was met */
    bool mf;                              /* its M flag */
    bool router_alert;                    /* hop-by-hop option 5 was there (RFC 2711) */
    uint16_t frag_off;                    /* in bytes, multiple of 8 */
    uint32_t frag_id;
    uint32_t off;                         /* where `next` starts, from the first byte of the IPv6 header */
    uint32_t next_at;                     /* where the byte that named `next` lies: pointer of "unrecognized Next Header" (code 1) */
    uint32_t frag_at;                     /* where the fragment header starts */
    uint32_t frag_next_at;                /* where the byte that named the fragment header lies (reassembly rewrites it) */
    uint32_t problem_at;
};
/* Walks from the first byte of an IPv6 header, `n` bytes: the whole packet, trimmed to 40 + payload_bytes by the caller. Stops behind a
 * fragment header unless it is an atomic one (offset 0, M clear: RFC 6946), at NONE, at the first header that is not an extension
 * header, or at a problem. False: chain->problem is set. n >= 40 is required of the caller. */
bool wire_ip6_walk(const uint8_t *bytes, size_t n, struct wire_ip6_chain *chain);
/* Goes on behind the fragment header where wire_ip6_walk stopped: for the first fragment, whose header chain must be whole (RFC 7112).
 * Keeps the bounds and frag fields of *chain. */
bool wire_ip6_walk_on(const uint8_t *bytes, size_t n, struct wire_ip6_chain *chain);

#endif
