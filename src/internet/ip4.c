/* SPDX-License-Identifier: MIT
 *
 * ip4.c: the checks of an IPv4 header in the order in which they protect each other: no length is subtracted or followed before it is known to
 * lie inside the frame.
 */
#include "internet/ip4.h"
#include "base/checksum.h"
#include "internet/route.h"
#include "wire/ip4_hdr.h"

/* RFC 1122 3.2.1.2, MUST: verify the checksum of every received datagram. The usual header has no options: five words. */
static bool sum_ok(const uint8_t *bytes, unsigned hdr_bytes)
{
    if (hdr_bytes != WIRE_IP4_BYTES)
        return wire_ip4_sum_ok(bytes, hdr_bytes);
    uint32_t w[5];
    memcpy(w, bytes, sizeof w);
    uint64_t s = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
    return csum_fold(csum_add((uint32_t)s, (uint32_t)(s >> 32))) == 0xffff;
}

/* RFC 1122 3.2.1.8: options are walked so that a malformed one is noticed; source routes are refused (threats V7), the rest is not acted on. */
/* RFC 9293 3.9.2, MUST-50: what is well-formed is ignored; source routes are refused (docs/defaults.md). */
static enum pl_drop judge_options(const uint8_t *bytes, unsigned hdr_bytes)
{
    struct reader r = reader_of(bytes + WIRE_IP4_BYTES, hdr_bytes - WIRE_IP4_BYTES);
    struct wire_ip4_opt o;
    for (;;) {
        int more = wire_ip4_opt_next(&r, &o);
        if (more == 0)
            return PL_DROP_NONE;
        if (more < 0)
            return PL_DROP_IP_OPTIONS;
        if (o.type == WIRE_IP4_OPT_LSRR || o.type == WIRE_IP4_OPT_SSRR)
            return PL_DROP_IP_SOURCE_ROUTE;
    }
}

enum pl_drop ip4_judge(const uint8_t *bytes, uint32_t n, uint32_t whole, struct ip_in *in)
{
    in->fragment = in->src_any = in->complain = in->complain_to_group = false;
    if (n < WIRE_IP4_BYTES)
        return PL_DROP_RUNT;
    wire_addr_from_ip4(in->src, bytes + 12);
    wire_addr_from_ip4(in->dst, bytes + 16);
    if (bytes[0] >> 4 != 4)
        return PL_DROP_IP_VERSION;
    unsigned hdr_bytes = (bytes[0] & 15u) * 4;
    unsigned total = get_be16(bytes + 2);
    if (hdr_bytes < WIRE_IP4_BYTES || hdr_bytes > n || total < hdr_bytes)
        return PL_DROP_IP_HEADER;
    if (total > whole)
        return PL_DROP_IP_LENGTH;
    if (!sum_ok(bytes, hdr_bytes))
        return PL_DROP_IP_CHECKSUM;
    if (hdr_bytes > WIRE_IP4_BYTES) {
        enum pl_drop drop = judge_options(bytes, hdr_bytes);
        if (drop)
            return drop;
    }
    /* RFC 9293 3.9.2.3, MUST-63; RFC 1122 3.2.1.3: neither may 127/8 appear on a wire, as source or as destination */
    if (route_ip4_is_martian_source(bytes[12]) || bytes[16] == 127)
        return PL_DROP_IP_MARTIAN;
    in->hdr_bytes = hdr_bytes;
    in->total_bytes = total;
    in->tos = bytes[1];
    in->hop_limit = bytes[8];
    in->protocol = bytes[9];
    in->next_at = 9;
    in->fragment = (get_be16(bytes + 6) & 0x3fff) != 0;             /* more fragments, or an offset */
    return PL_DROP_NONE;
}

unsigned ip4_write(uint8_t *to, const struct ip4_out *o)
{
    to[0] = 0x45;
    to[1] = o->tos;
    put_be16(to + 2, (uint16_t)(WIRE_IP4_BYTES + o->payload_bytes));
    put_be16(to + 4, o->id);
    put_be16(to + 6, o->dont_fragment ? 0x4000 : 0);
    to[8] = o->hop_limit;
    to[9] = o->protocol;
    put_be16(to + 10, 0);
    memcpy(to + 12, o->local + 12, 4);
    memcpy(to + 16, o->remote + 12, 4);
    wire_ip4_sum_set(to, WIRE_IP4_BYTES);
    return WIRE_IP4_BYTES;
}
