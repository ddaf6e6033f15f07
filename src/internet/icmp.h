/* SPDX-License-Identifier: MIT
 *
 * icmp.h: what an ICMP or ICMPv6 message means to a host: the same for both.
 */
#ifndef INTERNET_ICMP_H
#define INTERNET_ICMP_H

#include <parley/trace.h>
#include "wire/icmp4_hdr.h"

enum icmp_kind {
    ICMP_NOTHING,                         /* dropped: see drop */
    ICMP_ECHO, ICMP_ECHO_REPLY,
    ICMP_TROUBLE,                         /* an error about the packet in `quote` */
    ICMP_TOO_BIG,                         /* the packet in `quote` did not fit: `mtu` */
    ICMP_ND,                              /* for ndp.c */
};

struct icmp_news {
    enum icmp_kind kind;
    enum pl_drop drop;
    int error;                            /* TROUBLE: enum pl_error that the program would be told */
    bool hard;                            /* TROUBLE: may end a handshake */
    uint16_t ident;                       /* ECHO_REPLY */
    uint32_t mtu;                         /* TOO_BIG, as told: 0 from routers older than RFC 1191 */
    uint32_t quoted_bytes;                /* TOO_BIG: total length of the quoted packet */
    struct wire_quote quote;
};

enum { ICMP4_QUOTE_MAX = 576 - 20 - 8, ICMP6_QUOTE_MAX = 1280 - 40 - 8 };     /* RFC 1812 4.3.2.3; RFC 4443 2.4(c) */

#endif
