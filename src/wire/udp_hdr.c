/* SPDX-License-Identifier: MIT
 *
 * udp_hdr.c: the UDP header, RFC 768.
 */
#include "wire/udp_hdr.h"
#include "base/bytes.h"

bool wire_udp_read(const uint8_t *bytes, size_t n, struct wire_udp *h)
{
    struct reader r = reader_of(bytes, n);
    h->src_port = read_be16(&r);
    h->dst_port = read_be16(&r);
    h->bytes = read_be16(&r);
    read_copy(&r, &h->sum, 2);
    return !r.bad;
}

void wire_udp_write(uint8_t *bytes, const struct wire_udp *h)
{
    put_be16(bytes, h->src_port);
    put_be16(bytes + 2, h->dst_port);
    put_be16(bytes + 4, h->bytes);
    memcpy(bytes + 6, &h->sum, 2);
}
