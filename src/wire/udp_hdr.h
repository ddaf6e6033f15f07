/* SPDX-License-Identifier: MIT
 *
 * udp_hdr.h: the UDP header, RFC 768: bytes to struct and back. Judges nothing.
 */
#ifndef WIRE_UDP_HDR_H
#define WIRE_UDP_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_UDP_BYTES = 8 };

struct wire_udp {
    uint16_t src_port, dst_port;
    uint16_t bytes;                       /* header and payload, as the sender says: may be below 8 or above n */
    uint16_t sum;                         /* as it lies in memory, not in host order; 0: none was computed */
};
/* False: shorter than 8 bytes. */
bool wire_udp_read(const uint8_t *bytes, size_t n, struct wire_udp *);
void wire_udp_write(uint8_t *bytes, const struct wire_udp *);       /* 8 bytes; sum as given */

#endif
