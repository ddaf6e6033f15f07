/* SPDX-License-Identifier: MIT
 *
 * icmp6_hdr.c: Neighbour Discovery messages and options, RFC 4861 4.3, 4.4, 4.6.
 */
#include "wire/icmp6_hdr.h"

enum { FLAG_ROUTER = 0x80, FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 };

bool wire_nd_read(const uint8_t *bytes, size_t n, struct wire_nd *h)
{
    struct reader r = reader_of(bytes, n);
    h->type = read_u8(&r);
    h->code = read_u8(&r);
    read_copy(&r, &h->sum, 2);
    uint8_t flags = read_u8(&r);
    bool advert = h->type == WIRE_ICMP6_NEIGHBOR_ADVERT;       /* in a solicitation the field is reserved: ignored (RFC 4861 4.3) */
    h->router = advert && (flags & FLAG_ROUTER);
    h->solicited = advert && (flags & FLAG_SOLICITED);
    h->override = advert && (flags & FLAG_OVERRIDE);
    h->pad_ = 0;
    (void)read_bytes(&r, 3);
    read_copy(&r, h->target, 16);
    return !r.bad;
}

void wire_nd_write(uint8_t *bytes, const struct wire_nd *h)
{
    bytes[0] = h->type;
    bytes[1] = h->code;
    memcpy(bytes + 2, &h->sum, 2);
    put_be32(bytes + 4, 0);
    if (h->type == WIRE_ICMP6_NEIGHBOR_ADVERT)
        bytes[4] = (uint8_t)((h->router ? FLAG_ROUTER : 0) | (h->solicited ? FLAG_SOLICITED : 0) | (h->override ? FLAG_OVERRIDE : 0));
    memcpy(bytes + 8, h->target, 16);
}

void wire_nd_lladdr_write(uint8_t *bytes, enum wire_nd_opt_type type, const uint8_t hw[6])
{
    bytes[0] = (uint8_t)type;
    bytes[1] = WIRE_ND_LLADDR_BYTES / 8;
    memcpy(bytes + 2, hw, 6);
}

int wire_nd_opt_next(struct reader *r, struct wire_nd_opt *o)
{
    if (reader_left(r) == 0)
        return 0;
    o->at = r->p;
    o->type = read_u8(r);
    o->pad_ = 0;
    o->bytes = (uint16_t)(read_u8(r) * 8);
    if (o->bytes && read_bytes(r, o->bytes - 2u))
        return 1;
    r->p = r->end;                        /* who goes on regardless finds nothing more */
    return -1;
}

bool wire_nd_lladdr_find(const uint8_t *options, size_t n, enum wire_nd_opt_type type, const uint8_t **hw)
{
    struct reader r = reader_of(options, n);
    struct wire_nd_opt o;
    int more;
    *hw = NULL;
    while ((more = wire_nd_opt_next(&r, &o)) > 0)
        if (o.type == type && o.bytes == WIRE_ND_LLADDR_BYTES && !*hw)
            *hw = o.at + 2;
    return more == 0;
}
