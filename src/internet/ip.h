/* SPDX-License-Identifier: MIT
 *
 * ip.h: what ip4.c and ip6.c find out about a packet that arrived: the same for both.
 */
#ifndef INTERNET_IP_H
#define INTERNET_IP_H

#include <parley/trace.h>

struct ip_in {
    uint8_t src[16], dst[16];
    uint32_t hdr_bytes;                   /* up to the transport header, extension headers included */
    uint32_t total_bytes;                 /* of the packet: what follows in the frame is padding of the link */
    uint8_t protocol, hop_limit, tos;
    bool fragment;                        /* not a whole packet */
    bool src_any;                         /* IPv6 from ::, which only Neighbour Discovery may use */
    /* With a drop: what the sender is told, RFC 4443 3.4. */
    bool complain, complain_to_group;     /* ... to_group: even when the packet was sent to a group */
    uint8_t complain_code;
    uint32_t complain_at;                 /* the Pointer */
    uint32_t next_at;                     /* where the byte lies that named `protocol` */
};

#endif
