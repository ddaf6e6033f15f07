/* SPDX-License-Identifier: MIT
 *
 * eth_hdr.h: the Ethernet II header, RFC 894: bytes to struct and back. Judges nothing; a tagged frame shows type WIRE_ETH_VLAN.
 */
#ifndef WIRE_ETH_HDR_H
#define WIRE_ETH_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WIRE_ETH_BYTES = 14, WIRE_ETH_ADDR_BYTES = 6, WIRE_ETH_PAYLOAD_MIN = 46 };
enum wire_eth_type { WIRE_ETH_IP4 = 0x0800, WIRE_ETH_ARP = 0x0806, WIRE_ETH_VLAN = 0x8100, WIRE_ETH_IP6 = 0x86dd };

struct wire_eth {
    uint8_t dst[6], src[6];
    uint16_t type;                        /* enum wire_eth_type; below 0x0600 it is an IEEE 802.3 length */
};
/* False: shorter than 14 bytes. */
bool wire_eth_read(const uint8_t *bytes, size_t n, struct wire_eth *);
void wire_eth_write(uint8_t *bytes, const struct wire_eth *);       /* 14 bytes */
static inline bool wire_eth_is_group(const uint8_t addr[6]) { return addr[0] & 1; }   /* multicast or broadcast */
bool wire_eth_is_broadcast(const uint8_t addr[6]);
/* 33-33 and the low 32 bits of the IPv6 multicast address (RFC 2464 7); for a mapped IPv4 one 01-00-5e and the low 23 (RFC 1112 6.4). */
void wire_eth_multicast(uint8_t to[6], const uint8_t group[16]);

#endif
