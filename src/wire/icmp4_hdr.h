/* SPDX-License-Identifier: MIT
 *
 * icmp4_hdr.h: the ICMP header, RFC 792 (next-hop MTU: RFC 1191 4); ICMPv6's has the same layout (RFC 4443 2.1). Also what an ICMP error
 * quotes of the packet that caused it. Judges nothing.
 */
#ifndef WIRE_ICMP4_HDR_H
#define WIRE_ICMP4_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/ip_proto.h"

enum { WIRE_ICMP_BYTES = 8 };
enum wire_icmp4_type {
    WIRE_ICMP4_ECHO_REPLY = 0,
    WIRE_ICMP4_UNREACHABLE = 3,
    WIRE_ICMP4_SOURCE_QUENCH = 4,
    WIRE_ICMP4_REDIRECT = 5,
    WIRE_ICMP4_ECHO = 8,
    WIRE_ICMP4_TIME_EXCEEDED = 11,
    WIRE_ICMP4_PARAMETER = 12,
};
enum wire_icmp4_unreachable {
    WIRE_ICMP4_NET = 0,
    WIRE_ICMP4_HOST = 1,
    WIRE_ICMP4_PROTOCOL = 2,
    WIRE_ICMP4_PORT = 3,
    WIRE_ICMP4_FRAG_NEEDED = 4,
    WIRE_ICMP4_SOURCE_ROUTE = 5,
    WIRE_ICMP4_NET_UNKNOWN = 6,
    WIRE_ICMP4_HOST_UNKNOWN = 7,
    WIRE_ICMP4_ADMIN_NET = 9,
    WIRE_ICMP4_ADMIN_HOST = 10,
    WIRE_ICMP4_ADMIN = 13,
};

struct wire_icmp {
    uint8_t type, code;
    uint16_t sum;                         /* as it lies in memory, not in host order */
    uint32_t word;                        /* bytes 4..7: id and sequence of an echo, the MTU, the pointer, or unused; see below */
};
/* False: shorter than 8 bytes. */
bool wire_icmp_read(const uint8_t *bytes, size_t n, struct wire_icmp *);
void wire_icmp_write(uint8_t *bytes, const struct wire_icmp *);     /* 8 bytes; sum as given */
static inline uint16_t wire_icmp_id(const struct wire_icmp *h) { return (uint16_t)(h->word >> 16); }
static inline uint16_t wire_icmp_seq(const struct wire_icmp *h) { return (uint16_t)h->word; }
static inline uint32_t wire_icmp_echo_word(uint16_t id, uint16_t seq) { return (uint32_t)id << 16 | seq; }
static inline uint16_t wire_icmp4_mtu(const struct wire_icmp *h) { return (uint16_t)h->word; }       /* RFC 1191 4 */
static inline uint8_t wire_icmp4_pointer(const struct wire_icmp *h) { return (uint8_t)(h->word >> 24); }
bool wire_icmp4_is_error(uint8_t type);                             /* RFC 1122 3.2.2: never answered with another error */
static inline bool wire_icmp6_is_error(uint8_t type) { return type < 128; }   /* RFC 4443 2.1 */

/* The packet quoted by an ICMP error, as far as the quotation reaches. */
struct wire_quote {
    uint8_t version;                      /* 4 or 6 */
    uint8_t protocol;
    bool has_ports, has_seq;              /* the transport header reaches far enough (4, 8 bytes) and this is not a later fragment */
    uint16_t src_port, dst_port;          /* TCP and UDP */
    uint32_t seq;                         /* TCP */
    uint8_t icmp_type, pad_[3];           /* ICMP: the quoted type, valid with has_ports */
    uint16_t echo_id, echo_seq;           /* ICMP: valid with has_seq */
    uint8_t src[16], dst[16];
};
/* `bytes` is what follows the 8 bytes of the ICMP header. False: not even a whole IP header (threats V20). */
bool wire_quote_read(const uint8_t *bytes, size_t n, struct wire_quote *);

#endif
