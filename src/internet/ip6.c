/* SPDX-License-Identifier: MIT
 *
 * ip6.c: the checks of an IPv6 header and of the extension headers in front of the transport's. The walk itself, with its bounds, is
 * wire_ip6_walk; here stands what follows from what it finds.
 */
#include "internet/ip6.h"
#include <string.h>
#include "base/bytes.h"
#include "internet/route.h"
#include "wire/icmp4_hdr.h"
#include "wire/ip6_hdr.h"

enum { JUMBO_OPTION = 0xc2, PROBLEM_FIELD = 0, PROBLEM_NEXT_HEADER = 1, PROBLEM_OPTION = 2 };

static enum pl_drop complain(struct ip_in *in, uint8_t code, uint32_t at, enum pl_drop drop)
{
    in->complain = true;
    in->complain_code = code;
    in->complain_at = at;
    return drop;
}

static enum pl_drop judge_problem(const uint8_t *bytes, const struct wire_ip6_chain *c, struct ip_in *in)
{
    switch ((enum wire_ip6_problem)c->problem) {
    case WIRE_IP6_BAD_LENGTH:
        return complain(in, PROBLEM_FIELD, c->problem_at, PL_DROP_IP6_EXTENSION);
    case WIRE_IP6_BAD_ORDER:              /* RFC 8200 4: as if the Next Header were not known */
        return complain(in, PROBLEM_NEXT_HEADER, c->problem_at, PL_DROP_IP6_EXTENSION);
    case WIRE_IP6_BAD_ROUTING:            /* RFC 8200 4.4, RFC 5095 3 */
        return complain(in, PROBLEM_FIELD, c->problem_at, PL_DROP_IP6_ROUTING);
    case WIRE_IP6_OPT_REPORT:
        in->complain_to_group = true;     /* RFC 8200 4.2, action 10 */
        return complain(in, PROBLEM_OPTION, c->problem_at, PL_DROP_IP6_EXTENSION);
    case WIRE_IP6_OPT_REPORT_UNICAST:
        return complain(in, PROBLEM_OPTION, c->problem_at, bytes[c->problem_at] == JUMBO_OPTION ? PL_DROP_IP6_JUMBO : PL_DROP_IP6_EXTENSION);
    default:
        return PL_DROP_IP6_EXTENSION;
    }
}

static enum pl_drop judge_addresses(struct ip_in *in)
{
    static const uint8_t zero[16] = {0};
    /* RFC 4291 2.5.5.2, threats V17: an IPv4-mapped address in an IPv6 header would pass for IPv4 further up */
    if (wire_addr_is_ip4(in->src) || wire_addr_is_ip4(in->dst) || route_addr_is_loopback(in->dst))
        return PL_DROP_IP_MARTIAN;
    in->src_any = memcmp(in->src, zero, 16) == 0;
    if (in->src_any ? in->protocol != WIRE_PROTO_ICMP6 : route_addr_is_martian_source(in->src))
        return PL_DROP_IP_MARTIAN;
    return PL_DROP_NONE;
}

enum pl_drop ip6_judge(const uint8_t *bytes, uint32_t n, uint32_t whole, struct ip_in *in)
{
    in->fragment = in->src_any = in->complain = in->complain_to_group = false;
    if (n < WIRE_IP6_BYTES)
        return PL_DROP_RUNT;
    memcpy(in->src, bytes + 8, 16);
    memcpy(in->dst, bytes + 24, 16);
    if (bytes[0] >> 4 != 6)
        return PL_DROP_IP_VERSION;
    uint32_t total = WIRE_IP6_BYTES + (uint32_t)get_be16(bytes + 4);
    if (total > whole)
        return PL_DROP_IP_LENGTH;
    in->tos = (uint8_t)(get_be16(bytes) >> 4);
    in->protocol = bytes[6];
    in->next_at = 6;
    in->hop_limit = bytes[7];
    in->hdr_bytes = WIRE_IP6_BYTES;
    in->total_bytes = total;
    if (in->protocol != WIRE_PROTO_TCP && in->protocol != WIRE_PROTO_UDP && in->protocol != WIRE_PROTO_ICMP6) {
        /* RFC 2675 3: a jumbogram has length zero and says its length in a hop-by-hop option: threats V16 */
        if (in->protocol == WIRE_PROTO_HOPOPT && total == WIRE_IP6_BYTES)
            return PL_DROP_IP6_JUMBO;
        struct wire_ip6_chain c;
        if (!wire_ip6_walk(bytes, n < total ? n : total, &c)) {
            in->protocol = c.next;
            enum pl_drop martian = judge_addresses(in);
            return martian ? martian : judge_problem(bytes, &c, in);
        }
        in->protocol = c.next;
        in->next_at = c.next_at;
        in->hdr_bytes = c.off;
        in->fragment = c.has_frag && (c.mf || c.frag_off);          /* RFC 6946: an atomic fragment is a whole packet */
    }
    return judge_addresses(in);
}

bool ip6_carries_error(const uint8_t *bytes, uint32_t n)
{
    if (n < WIRE_IP6_BYTES)
        return false;
    uint8_t next = bytes[6];
    uint32_t at = WIRE_IP6_BYTES;
    for (unsigned i = 0; i < WIRE_IP6_EXT_MAX && at + 8 <= n; i++) {
        if (next == WIRE_PROTO_ICMP6)
            break;
        if (next != WIRE_PROTO_HOPOPT && next != WIRE_PROTO_ROUTING && next != WIRE_PROTO_DSTOPTS && next != WIRE_PROTO_FRAGMENT)
            return false;
        uint32_t bytes_here = next == WIRE_PROTO_FRAGMENT ? WIRE_IP6_FRAG_BYTES : 8 + bytes[at + 1] * 8u;
        next = bytes[at];
        at += bytes_here;
    }
    return next == WIRE_PROTO_ICMP6 && at < n && wire_icmp6_is_error(bytes[at]);
}

void ip6_solicited_node(uint8_t group[16], const uint8_t addr[16])
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
    memcpy(group, prefix, 13);
    memcpy(group + 13, addr + 13, 3);
}

bool ip6_is_all_nodes(const uint8_t addr[16])
{
    static const uint8_t rest[14] = {[13] = 1};
    return addr[0] == 0xff && (addr[1] == 0x01 || addr[1] == 0x02) && memcmp(addr + 2, rest, 14) == 0;
}

unsigned ip6_write(uint8_t *to, const struct ip6_out *o)
{
    put_be32(to, 0x60000000u | (uint32_t)o->tos << 20);             /* flow label 0: "not labelled", RFC 6437 2 */
    put_be16(to + 4, (uint16_t)o->payload_bytes);
    to[6] = o->protocol;
    to[7] = o->hop_limit;
    memcpy(to + 8, o->local, 16);
    memcpy(to + 24, o->remote, 16);
    return WIRE_IP6_BYTES;
}
