/* SPDX-License-Identifier: MIT
 *
 * icmp6_hdr.h: ICMPv6, RFC 4443 (the 8-byte header is struct wire_icmp), and the Neighbour Discovery messages of RFC 4861 4.3, 4.4 with
 * their options. Judges nothing but the layout.
 */
#ifndef WIRE_ICMP6_HDR_H
#define WIRE_ICMP6_HDR_H

#include "base/bytes.h"
#include "wire/icmp4_hdr.h"

enum wire_icmp6_type {
    WIRE_ICMP6_UNREACHABLE = 1,
    WIRE_ICMP6_TOO_BIG = 2,               /* word: the MTU */
    WIRE_ICMP6_TIME_EXCEEDED = 3,
    WIRE_ICMP6_PARAMETER = 4,             /* word: the pointer */
    WIRE_ICMP6_ECHO = 128,
    WIRE_ICMP6_ECHO_REPLY = 129,
    WIRE_ICMP6_MLD_QUERY = 130,
    WIRE_ICMP6_MLD_REPORT = 131,
    WIRE_ICMP6_MLD_DONE = 132,
    WIRE_ICMP6_ROUTER_SOLICIT = 133,
    WIRE_ICMP6_ROUTER_ADVERT = 134,
    WIRE_ICMP6_NEIGHBOR_SOLICIT = 135,
    WIRE_ICMP6_NEIGHBOR_ADVERT = 136,
    WIRE_ICMP6_REDIRECT = 137,
    WIRE_ICMP6_MLD2_REPORT = 143,
};
enum wire_icmp6_unreachable {
    WIRE_ICMP6_NO_ROUTE = 0,
    WIRE_ICMP6_ADMIN = 1,
    WIRE_ICMP6_SCOPE = 2,
    WIRE_ICMP6_ADDRESS = 3,
    WIRE_ICMP6_PORT = 4,
};

enum { WIRE_ND_BYTES = 24, WIRE_ND_LLADDR_BYTES = 8 };
enum wire_nd_opt_type { WIRE_ND_SOURCE_LLADDR = 1, WIRE_ND_TARGET_LLADDR = 2, WIRE_ND_PREFIX = 3, WIRE_ND_REDIRECTED = 4, WIRE_ND_MTU = 5 };

/* Neighbour solicitation and advertisement: the whole ICMPv6 message from its type byte on. */
struct wire_nd {
    uint8_t type, code;                   /* WIRE_ICMP6_NEIGHBOR_SOLICIT or _ADVERT */
    uint16_t sum;                         /* as it lies in memory */
    bool router, solicited, override;     /* advertisement only */
    uint8_t pad_;
    uint8_t target[16];
};
/* False: shorter than 24 bytes. The type is reported, not checked. Options are at bytes + 24, n - 24 of them. */
bool wire_nd_read(const uint8_t *bytes, size_t n, struct wire_nd *);
void wire_nd_write(uint8_t *bytes, const struct wire_nd *);         /* 24 bytes; sum as given */
/* A link-layer address option for Ethernet, 8 bytes. */
void wire_nd_lladdr_write(uint8_t *bytes, enum wire_nd_opt_type type, const uint8_t hw[6]);

struct wire_nd_opt {
    uint8_t type;
    uint8_t pad_;
    uint16_t bytes;                       /* whole option: multiple of 8, 8..2040 */
    const uint8_t *at;                    /* its first byte (the type); a link-layer address is at + 2 */
};
/* Iterates over reader_of(bytes + 24, n - 24). 1: *o is the next option; 0: no more; -1: length 0 or beyond the message: the whole
 * message must be discarded (RFC 4861 4.6, 6.1, 7.1; threats V24). */
int wire_nd_opt_next(struct reader *, struct wire_nd_opt *o);
/* Walks all options. False: malformed as above. *hw receives a pointer to the 6 bytes of the first link-layer address option of `type`
 * whose length is 8, or NULL. */
bool wire_nd_lladdr_find(const uint8_t *options, size_t n, enum wire_nd_opt_type type, const uint8_t **hw);

#endif
