/* SPDX-License-Identifier: MIT
 *
 * ndp.h: the checks of Neighbour Solicitations and Advertisements, RFC 4861 7.1, and their making, 7.2.2, 7.2.4. Same role as link/arp.h.
 */
#ifndef INTERNET_NDP_H
#define INTERNET_NDP_H

#include <parley/trace.h>

struct nd_in {
    bool solicitation;                    /* else an advertisement */
    bool router, solicited, override;     /* advertisement */
    const uint8_t *hw;                    /* the link address option, or NULL */
    uint8_t target[16];
};

/* `bytes`: the ICMPv6 message, all `n` of it. PL_DROP_ND_INVALID when a check of 7.1.1 or 7.1.2 fails. */
enum pl_drop ndp_judge(const uint8_t *bytes, uint32_t n, const uint8_t src[16], const uint8_t dst[16], uint8_t hop_limit, struct nd_in *);

enum { NDP_BYTES_MAX = 32 };
/* Both write the message with its checksum field zero and return its length. hw NULL: without the link address option. */
unsigned ndp_solicit_write(uint8_t *to, const uint8_t target[16], const uint8_t *hw);
unsigned ndp_advertise_write(uint8_t *to, const uint8_t target[16], const uint8_t *hw, bool solicited);

#endif
