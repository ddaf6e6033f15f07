/* SPDX-License-Identifier: MIT
 *
 * arp_hdr.c: the ARP packet for IPv4 over Ethernet, RFC 826.
 */
#include "wire/arp_hdr.h"
#include "base/bytes.h"
#include "wire/ip_proto.h"

enum { HARDWARE_ETHERNET = 1, PROTOCOL_IP4 = 0x0800, LENGTHS = 6 << 8 | 4 };

bool wire_arp_read(const uint8_t *bytes, size_t n, struct wire_arp *h)
{
    struct reader r = reader_of(bytes, n);
    uint8_t four[4];
    bool fits = read_be16(&r) == HARDWARE_ETHERNET;
    fits &= read_be16(&r) == PROTOCOL_IP4;
    fits &= read_be16(&r) == LENGTHS;
    h->op = read_be16(&r);
    read_copy(&r, h->sender_hw, 6);
    read_copy(&r, four, 4);
    wire_addr_from_ip4(h->sender, four);
    read_copy(&r, h->target_hw, 6);
    read_copy(&r, four, 4);
    wire_addr_from_ip4(h->target, four);
    return fits && !r.bad;
}

void wire_arp_write(uint8_t *bytes, const struct wire_arp *h)
{
    put_be16(bytes, HARDWARE_ETHERNET);
    put_be16(bytes + 2, PROTOCOL_IP4);
    put_be16(bytes + 4, LENGTHS);
    put_be16(bytes + 6, h->op);
    memcpy(bytes + 8, h->sender_hw, 6);
    memcpy(bytes + 14, h->sender + 12, 4);
    memcpy(bytes + 18, h->target_hw, 6);
    memcpy(bytes + 24, h->target + 12, 4);
}
