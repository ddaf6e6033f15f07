/* SPDX-License-Identifier: MIT
 *
 * ndp.c: Neighbour Discovery's address resolution, RFC 4861 7. Everything that fails a check is dropped whole (threats V24).
 */
#include "internet/ndp.h"
#include <string.h>
#include "internet/route.h"
#include "wire/icmp6_hdr.h"

static bool is_solicited_node(const uint8_t addr[16])
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
    return memcmp(addr, prefix, 13) == 0;
}

enum pl_drop ndp_judge(const uint8_t *bytes, uint32_t n, const uint8_t src[16], const uint8_t dst[16], uint8_t hop_limit, struct nd_in *in)
{
    struct wire_nd nd;
    /* RFC 4861 7.1.1, 7.1.2: hop limit 255 proves that no router forwarded it */
    if (!wire_nd_read(bytes, n, &nd) || hop_limit != 255 || nd.code != 0 || route_addr_is_multicast(nd.target))
        return PL_DROP_ND_INVALID;
    in->solicitation = nd.type == WIRE_ICMP6_NEIGHBOR_SOLICIT;
    in->router = nd.router, in->solicited = nd.solicited, in->override = nd.override;
    memcpy(in->target, nd.target, 16);
    enum wire_nd_opt_type type = in->solicitation ? WIRE_ND_SOURCE_LLADDR : WIRE_ND_TARGET_LLADDR;
    if (!wire_nd_lladdr_find(bytes + WIRE_ND_BYTES, n - WIRE_ND_BYTES, type, &in->hw))
        return PL_DROP_ND_INVALID;
    if (in->solicitation && route_addr_is_zero(src)) {
        /* 7.1.1: a station that has no address yet asks the group, and names no link address */
        if (!is_solicited_node(dst) || in->hw)
            return PL_DROP_ND_INVALID;
    } else if (!in->solicitation) {
        /* 7.1.2: what is sent to a group answers nobody */
        if (route_addr_is_zero(src) || (route_addr_is_multicast(dst) && in->solicited))
            return PL_DROP_ND_INVALID;
    }
    if (in->hw && (in->hw[0] & 1))        /* a group is no station's address */
        return PL_DROP_ND_INVALID;
    return PL_DROP_NONE;
}

static unsigned write(uint8_t *to, const struct wire_nd *nd, enum wire_nd_opt_type type, const uint8_t *hw)
{
    wire_nd_write(to, nd);
    if (hw == NULL)
        return WIRE_ND_BYTES;
    wire_nd_lladdr_write(to + WIRE_ND_BYTES, type, hw);
    return WIRE_ND_BYTES + WIRE_ND_LLADDR_BYTES;
}

unsigned ndp_solicit_write(uint8_t *to, const uint8_t target[16], const uint8_t *hw)
{
    struct wire_nd nd = {.type = WIRE_ICMP6_NEIGHBOR_SOLICIT};
    memcpy(nd.target, target, 16);
    return write(to, &nd, WIRE_ND_SOURCE_LLADDR, hw);
}

unsigned ndp_advertise_write(uint8_t *to, const uint8_t target[16], const uint8_t *hw, bool solicited)
{
    /* RFC 4861 7.2.4: override, for ours is neither an anycast address nor do we answer for others; not a router */
    struct wire_nd nd = {.type = WIRE_ICMP6_NEIGHBOR_ADVERT, .solicited = solicited, .override = true};
    memcpy(nd.target, target, 16);
    return write(to, &nd, WIRE_ND_TARGET_LLADDR, hw);
}
