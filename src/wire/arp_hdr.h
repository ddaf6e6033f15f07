/* SPDX-License-Identifier: MIT
 *
 * arp_hdr.h: the ARP packet for IPv4 over Ethernet, RFC 826: bytes to struct and back. Judges nothing but the layout.
 */
#ifndef WIRE_ARP_HDR_H
#define WIRE_ARP_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_ARP_BYTES = 28 };
enum wire_arp_op { WIRE_ARP_REQUEST = 1, WIRE_ARP_REPLY = 2 };

struct wire_arp {
    uint16_t op;                          /* enum wire_arp_op, or anything else */
    uint8_t sender_hw[6], target_hw[6];
    uint8_t sender[16], target[16];       /* IPv4 as ::ffff:a.b.c.d */
};
/* False: shorter than 28 bytes, or not (hardware 1, length 6; protocol 0x0800, length 4): RFC 826 tells to look at these first. */
bool wire_arp_read(const uint8_t *bytes, size_t n, struct wire_arp *);
void wire_arp_write(uint8_t *bytes, const struct wire_arp *);       /* 28 bytes */

#endif
