/* SPDX-License-Identifier: MIT
 *
 * tcp_hdr.c: the TCP header, RFC 9293 3.1.
 */
#include "wire/tcp_hdr.h"
#include "base/bytes.h"

bool wire_tcp_read(const uint8_t *bytes, size_t n, struct wire_tcp *h)
{
    if (n < WIRE_TCP_BYTES) {
        *h = (struct wire_tcp){0};
        return false;
    }
    h->src_port = get_be16(bytes);        /* asked for its length once: this is done for each segment */
    h->dst_port = get_be16(bytes + 2);
    h->seq = get_be32(bytes + 4);
    h->ack = get_be32(bytes + 8);
    h->hdr_bytes = (uint8_t)((bytes[12] >> 4) * 4);
    h->rsrvd = bytes[12] & 15;
    h->flags = bytes[13];
    h->pad_ = 0;
    h->wnd = get_be16(bytes + 14);
    memcpy(&h->sum, bytes + 16, 2);
    h->up = get_be16(bytes + 18);
    return h->hdr_bytes >= WIRE_TCP_BYTES && h->hdr_bytes <= n;
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
