/* SPDX-License-Identifier: MIT
 *
 * tcp_hdr.h: the TCP header, RFC 9293 section 3.1: bytes to struct and back. Judges nothing.
 */
#ifndef WIRE_TCP_HDR_H
#define WIRE_TCP_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_TCP_BYTES = 20, WIRE_TCP_BYTES_MAX = 60 };

struct wire_tcp {
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t hdr_bytes;                    /* data offset * 4: 20..60 */
    uint8_t rsrvd;                        /* the four reserved bits */
    uint8_t flags;                        /* enum pl_tcp_flag */
    uint8_t pad_;
    uint16_t wnd, sum, up;                /* sum: as it lies in memory, not in host order */
};
/* False: shorter than 20 bytes, data offset < 5, or the header is longer than n. Options are at bytes + 20, hdr_bytes - 20 of them. */
bool wire_tcp_read(const uint8_t *bytes, size_t n, struct wire_tcp *);
void wire_tcp_write(uint8_t *bytes, const struct wire_tcp *);       /* 20 bytes; sum is written as given */

#endif
