/* SPDX-License-Identifier: MIT
 *
 * tcp_hdr.c: the TCP header, RFC 9293 3.1.
 */
#include "wire/tcp_hdr.h"
#include "base/bytes.h"

bool wire_tcp_read(const uint8_t *bytes, size_t n, struct wire_tcp *h)
{
    struct reader r = reader_of(bytes, n);
    h->src_port = read_be16(&r);
    h->dst_port = read_be16(&r);
    h->seq = read_be32(&r);
    h->ack = read_be32(&r);
    uint8_t offset = read_u8(&r);
    h->hdr_bytes = (uint8_t)((offset >> 4) * 4);
    h->rsrvd = offset & 15;
    h->flags = read_u8(&r);
    h->pad_ = 0;
    h->wnd = read_be16(&r);
    read_copy(&r, &h->sum, 2);
    h->up = read_be16(&r);
    return !r.bad && h->hdr_bytes >= WIRE_TCP_BYTES && h->hdr_bytes <= n;
}

void wire_tcp_write(uint8_t *bytes, const struct wire_tcp *h)
{
    put_be16(bytes, h->src_port);
    put_be16(bytes + 2, h->dst_port);
    put_be32(bytes + 4, h->seq);
    put_be32(bytes + 8, h->ack);
    bytes[12] = (uint8_t)(h->hdr_bytes / 4 << 4 | (h->rsrvd & 15));
    bytes[13] = h->flags;
    put_be16(bytes + 14, h->wnd);
    memcpy(bytes + 16, &h->sum, 2);
    put_be16(bytes + 18, h->up);
}
