/* SPDX-License-Identifier: MIT
 *
 * icmp4_hdr.c: the ICMP header, RFC 792, and the packet that an ICMP error quotes (RFC 792; RFC 4443 2.4(c)).
 */
#include "wire/icmp4_hdr.h"
#include "base/bytes.h"
#include "wire/icmp6_hdr.h"
#include "wire/ip4_hdr.h"
#include "wire/ip6_hdr.h"

bool wire_icmp_read(const uint8_t *bytes, size_t n, struct wire_icmp *h)
{
    struct reader r = reader_of(bytes, n);
    h->type = read_u8(&r);
    h->code = read_u8(&r);
    read_copy(&r, &h->sum, 2);
    h->word = read_be32(&r);
    return !r.bad;
}

void wire_icmp_write(uint8_t *bytes, const struct wire_icmp *h)
{
    bytes[0] = h->type;
    bytes[1] = h->code;
    memcpy(bytes + 2, &h->sum, 2);
    put_be32(bytes + 4, h->word);
}

bool wire_icmp4_is_error(uint8_t type)
{
    return type == WIRE_ICMP4_UNREACHABLE || type == WIRE_ICMP4_SOURCE_QUENCH || type == WIRE_ICMP4_REDIRECT ||
           type == WIRE_ICMP4_TIME_EXCEEDED || type == WIRE_ICMP4_PARAMETER;
}

/* As many fields of the quoted transport header as are there. */
static void quote_transport(const uint8_t *bytes, size_t n, struct wire_quote *q)
{
    if (n < 4)
        return;
    q->has_ports = true;
    q->has_seq = n >= 8;
    if (q->protocol == WIRE_PROTO_ICMP4 || q->protocol == WIRE_PROTO_ICMP6) {
        q->icmp_type = bytes[0];
        q->echo_id = q->has_seq ? get_be16(bytes + 4) : 0;
        q->echo_seq = q->has_seq ? get_be16(bytes + 6) : 0;
        return;
    }
    q->src_port = get_be16(bytes);
    q->dst_port = get_be16(bytes + 2);
    q->seq = q->has_seq ? get_be32(bytes + 4) : 0;
}

bool wire_quote_read(const uint8_t *bytes, size_t n, struct wire_quote *q)
{
    *q = (struct wire_quote){.version = 0};
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;
    if (wire_ip4_read(bytes, n, &ip4)) {
        q->version = 4;
        q->protocol = ip4.protocol;
        memcpy(q->src, ip4.src, 16);
        memcpy(q->dst, ip4.dst, 16);
        if (ip4.frag_off == 0)
            quote_transport(bytes + ip4.hdr_bytes, n - ip4.hdr_bytes, q);
        return true;
    }
    if (wire_ip6_read(bytes, n, &ip6)) {
        struct wire_ip6_chain c;
        bool whole = wire_ip6_walk(bytes, n, &c);
        if (whole && c.has_frag && c.frag_off == 0 && c.mf)
            whole = wire_ip6_walk_on(bytes, n, &c);
        q->version = 6;
        q->protocol = c.next;
        memcpy(q->src, ip6.src, 16);
        memcpy(q->dst, ip6.dst, 16);
        if (whole && c.frag_off == 0 && c.off <= n)
            quote_transport(bytes + c.off, n - c.off, q);
        return true;
    }
    return false;
}
