/* SPDX-License-Identifier: MIT
 *
 * ip4_hdr.c: the IPv4 header, RFC 791 3.1.
 */
#include "wire/ip4_hdr.h"
#include "base/checksum.h"

enum { FLAG_RESERVED = 0x8000, FLAG_DF = 0x4000, FLAG_MF = 0x2000, OFFSET_MASK = 0x1fff };

bool wire_ip4_read(const uint8_t *bytes, size_t n, struct wire_ip4 *h)
{
    struct reader r = reader_of(bytes, n);
    uint8_t version_ihl = read_u8(&r), tos = read_u8(&r), four[4];
    h->hdr_bytes = (uint8_t)((version_ihl & 15) * 4);
    h->dscp = tos >> 2;
    h->ecn = tos & 3;
    h->total_bytes = read_be16(&r);
    h->id = read_be16(&r);
    uint16_t fragment = read_be16(&r);
    h->reserved = fragment & FLAG_RESERVED;
    h->df = fragment & FLAG_DF;
    h->mf = fragment & FLAG_MF;
    h->frag_off = (uint16_t)((fragment & OFFSET_MASK) * 8);
    h->ttl = read_u8(&r);
    h->protocol = read_u8(&r);
    read_copy(&r, &h->sum, 2);
    read_copy(&r, four, 4);
    wire_addr_from_ip4(h->src, four);
    read_copy(&r, four, 4);
    wire_addr_from_ip4(h->dst, four);
    return !r.bad && version_ihl >> 4 == 4 && h->hdr_bytes >= WIRE_IP4_BYTES && h->hdr_bytes <= n;
}

void wire_ip4_write(uint8_t *bytes, const struct wire_ip4 *h)
{
    unsigned hdr_bytes = h->hdr_bytes ? h->hdr_bytes : WIRE_IP4_BYTES;
    bytes[0] = (uint8_t)(4 << 4 | hdr_bytes / 4);
    bytes[1] = (uint8_t)(h->dscp << 2 | (h->ecn & 3));
    put_be16(bytes + 2, h->total_bytes);
    put_be16(bytes + 4, h->id);
    unsigned flags = (h->reserved ? FLAG_RESERVED : 0u) | (h->df ? FLAG_DF : 0u) | (h->mf ? FLAG_MF : 0u);
    put_be16(bytes + 6, (uint16_t)(flags | (h->frag_off / 8u & OFFSET_MASK)));
    bytes[8] = h->ttl;
    bytes[9] = h->protocol;
    memcpy(bytes + 10, &h->sum, 2);
    memcpy(bytes + 12, h->src + 12, 4);
    memcpy(bytes + 16, h->dst + 12, 4);
    memset(bytes + WIRE_IP4_BYTES, 0, hdr_bytes - WIRE_IP4_BYTES);
}

bool wire_ip4_sum_ok(const uint8_t *bytes, size_t hdr_bytes)
{
    /* RFC 1071 1(3): the sum over everything, the checksum included, is all ones. */
    return csum_fold(csum_bytes(bytes, hdr_bytes, 0)) == 0xffff;
}

void wire_ip4_sum_set(uint8_t *bytes, size_t hdr_bytes)
{
    uint32_t w[5];
    memset(bytes + 10, 0, 2);
    if (hdr_bytes != sizeof w) {
        csum_store(bytes + 10, csum_bytes(bytes, hdr_bytes, 0), false);
        return;
    }
    memcpy(w, bytes, sizeof w);           /* the usual header, without options: every packet that leaves has it */
    uint64_t s = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
    csum_store(bytes + 10, csum_add((uint32_t)s, (uint32_t)(s >> 32)), false);
}

uint16_t wire_sum_update(uint16_t sum, uint16_t before, uint16_t after)
{
    /* RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m'). */
    return (uint16_t)~csum_fold((uint32_t)(uint16_t)~sum + (uint16_t)~before + after);
}

int wire_ip4_opt_next(struct reader *r, struct wire_ip4_opt *o)
{
    while (reader_left(r)) {
        o->at = r->p;
        o->type = read_u8(r);
        o->bytes = 1;
        if (o->type == WIRE_IP4_OPT_END) {
            r->p = r->end;
            return 0;
        }
        if (o->type == WIRE_IP4_OPT_NOP)
            continue;
        o->bytes = read_u8(r);
        if (o->bytes >= 2 && read_bytes(r, o->bytes - 2u))
            return 1;
        r->p = r->end;                    /* who goes on regardless finds nothing more */
        return -1;
    }
    return 0;
}
