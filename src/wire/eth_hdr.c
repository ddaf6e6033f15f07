/* SPDX-License-Identifier: MIT
 *
 * eth_hdr.c: the Ethernet II header, RFC 894.
 */
#include "wire/eth_hdr.h"
#include "base/bytes.h"
#include "wire/ip_proto.h"

bool wire_eth_read(const uint8_t *bytes, size_t n, struct wire_eth *h)
{
    struct reader r = reader_of(bytes, n);
    read_copy(&r, h->dst, 6);
    read_copy(&r, h->src, 6);
    h->type = read_be16(&r);
    return !r.bad;
}

void wire_eth_write(uint8_t *bytes, const struct wire_eth *h)
{
    memcpy(bytes, h->dst, 6);
    memcpy(bytes + 6, h->src, 6);
    put_be16(bytes + 12, h->type);
}

bool wire_eth_is_broadcast(const uint8_t addr[6])
{
    static const uint8_t ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    return memcmp(addr, ones, 6) == 0;
}

void wire_eth_multicast(uint8_t to[6], const uint8_t group[16])
{
    if (wire_addr_is_ip4(group)) {
        /* RFC 1112 6.4: the low-order 23 bits of the group behind 01-00-5E. */
        to[0] = 0x01, to[1] = 0x00, to[2] = 0x5e;
        to[3] = group[13] & 0x7f, to[4] = group[14], to[5] = group[15];
        return;
    }
    to[0] = to[1] = 0x33;                 /* RFC 2464 7 */
    memcpy(to + 2, group + 12, 4);
}
