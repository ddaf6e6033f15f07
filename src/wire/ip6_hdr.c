/* SPDX-License-Identifier: MIT
 *
 * ip6_hdr.c: the IPv6 header, RFC 8200 3, and the walk over its extension headers, RFC 8200 4.
 *
 * Theory of operation. Each extension header names the type of the next one in its first byte; all but the fragment header (8 bytes) give
 * their length in 8-byte units, not counting the first, in the second. So every step goes at least 8 bytes forward; what bounds the walk
 * is the packet and, against long chains of empty headers (threats V14), two counts.
 */
#include "wire/ip6_hdr.h"
#include "base/bytes.h"

bool wire_ip6_read(const uint8_t *bytes, size_t n, struct wire_ip6 *h)
{
    struct reader r = reader_of(bytes, n);
    uint32_t first = read_be32(&r);
    h->dscp = first >> 22 & 63;
    h->ecn = first >> 20 & 3;
    h->flow = first & 0xfffff;
    h->payload_bytes = read_be16(&r);
    h->pad_ = 0;
    h->next = read_u8(&r);
    h->hop_limit = read_u8(&r);
    read_copy(&r, h->src, 16);
    read_copy(&r, h->dst, 16);
    return !r.bad && first >> 28 == 6;
}

void wire_ip6_write(uint8_t *bytes, const struct wire_ip6 *h)
{
    put_be32(bytes, 6u << 28 | (h->dscp & 63u) << 22 | (h->ecn & 3u) << 20 | (h->flow & 0xfffff));
    put_be16(bytes + 4, h->payload_bytes);
    bytes[6] = h->next;
    bytes[7] = h->hop_limit;
    memcpy(bytes + 8, h->src, 16);
    memcpy(bytes + 24, h->dst, 16);
}

static bool refuse(struct wire_ip6_chain *c, enum wire_ip6_problem problem, size_t at)
{
    c->problem = (uint8_t)problem;
    c->problem_at = (uint32_t)at;
    return false;
}

enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_ROUTER_ALERT = 5 };

/* RFC 8200 4.2: options in bytes [at, end) of the packet. */
static bool walk_options(const uint8_t *bytes, size_t at, size_t end, bool hop_by_hop, unsigned *left, struct wire_ip6_chain *c)
{
    while (at < end) {
        uint8_t type = bytes[at];
        if (type == OPT_PAD1) {
            at++;
            continue;
        }
        if (*left == 0)
            return refuse(c, WIRE_IP6_TOO_MANY, at);
        --*left;
        if (end - at < 2)
            return refuse(c, WIRE_IP6_BAD_LENGTH, at);
        if (bytes[at + 1] > end - at - 2)
            return refuse(c, WIRE_IP6_BAD_LENGTH, at + 1);
        if (hop_by_hop && type == OPT_ROUTER_ALERT && bytes[at + 1] == 2) {
            c->router_alert = true;       /* RFC 2711 2.1 */
        } else if (type != OPT_PADN && type >> 6) {
            /* RFC 8200 4.2: the two highest bits of an unknown type say what to do; 00 is to skip it. */
            static const uint8_t verdict[4] = {WIRE_IP6_OK, WIRE_IP6_OPT_DISCARD, WIRE_IP6_OPT_REPORT, WIRE_IP6_OPT_REPORT_UNICAST};
            return refuse(c, verdict[type >> 6], at);
        }
        at += 2u + bytes[at + 1];
    }
    return true;
}

/* The fragment header, RFC 8200 4.5, has its 8 bytes. */
static void read_fragment(const uint8_t *bytes, struct wire_ip6_chain *c)
{
    uint16_t offset = get_be16(bytes + c->off + 2);
    c->has_frag = true;
    c->frag_off = offset & 0xfff8;
    c->mf = offset & 1;
    c->frag_id = get_be32(bytes + c->off + 4);
    c->frag_at = c->off;
    c->frag_next_at = c->next_at;
}

/* RFC 8200 4.4; no routing type is acted upon here, and type 0 never again is (RFC 5095 3). */
static bool check_routing(const uint8_t *bytes, struct wire_ip6_chain *c)
{
    return bytes[c->off + 3] == 0 || refuse(c, WIRE_IP6_BAD_ROUTING, c->off + 2u);
}

static bool walk(const uint8_t *bytes, size_t n, struct wire_ip6_chain *c)
{
    unsigned options_left = WIRE_IP6_OPTS_MAX;
    for (;;) {
        uint8_t kind = c->next;
        bool options = kind == WIRE_PROTO_HOPOPT || kind == WIRE_PROTO_DSTOPTS;
        if (!options && kind != WIRE_PROTO_ROUTING && kind != WIRE_PROTO_FRAGMENT)
            return true;
        /* RFC 8200 4.1: hop-by-hop options only immediately behind the IPv6 header; elsewhere an unrecognised next header. */
        if (kind == WIRE_PROTO_HOPOPT && c->off != WIRE_IP6_BYTES)
            return refuse(c, WIRE_IP6_BAD_ORDER, c->next_at);
        if (c->count == WIRE_IP6_EXT_MAX)
            return refuse(c, WIRE_IP6_TOO_MANY, c->off);
        if (n < c->off || n - c->off < 8)
            return refuse(c, WIRE_IP6_TRUNCATED, c->off);
        size_t length = kind == WIRE_PROTO_FRAGMENT ? WIRE_IP6_FRAG_BYTES : 8u + 8u * bytes[c->off + 1];
        if (n - c->off < length)
            return refuse(c, WIRE_IP6_TRUNCATED, c->off);
        if (options && !walk_options(bytes, c->off + 2u, c->off + length, kind == WIRE_PROTO_HOPOPT, &options_left, c))
            return false;
        if (kind == WIRE_PROTO_ROUTING && !check_routing(bytes, c))
            return false;
        if (kind == WIRE_PROTO_FRAGMENT)
            read_fragment(bytes, c);
        c->next = bytes[c->off];
        c->next_at = c->off;
        c->off += (uint32_t)length;
        c->count++;
        if (kind == WIRE_PROTO_FRAGMENT && (c->frag_off || c->mf))
            return true;                  /* what follows is a piece; an atomic fragment is whole (RFC 6946 4) */
    }
}

bool wire_ip6_walk(const uint8_t *bytes, size_t n, struct wire_ip6_chain *c)
{
    *c = (struct wire_ip6_chain){.next = bytes[6], .off = WIRE_IP6_BYTES, .next_at = 6};
    return walk(bytes, n, c);
}

bool wire_ip6_walk_on(const uint8_t *bytes, size_t n, struct wire_ip6_chain *c) { return walk(bytes, n, c); }
