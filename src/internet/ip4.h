/* SPDX-License-Identifier: MIT
 *
 * ip4.h: is this an IPv4 packet that may be looked at further? RFC 791 3.1, 3.2; RFC 1122 3.2.1. Whether it is for us is for the caller to say.
 */
#ifndef INTERNET_IP4_H
#define INTERNET_IP4_H

#include <stdint.h>
#include "internet/ip.h"

/* `n` bytes of the packet are at hand, `whole` bytes are in the frame. With a drop other than NONE, the fields of *in may be unset, but src and
 * dst are set whenever 20 bytes were there. */
enum pl_drop ip4_judge(const uint8_t *bytes, uint32_t n, uint32_t whole, struct ip_in *in);

struct ip4_out {
    const uint8_t *local, *remote;        /* 16 bytes, mapped */
    uint8_t protocol, hop_limit, tos;
    bool dont_fragment;
    uint16_t id;
    uint32_t payload_bytes;
};
unsigned ip4_write(uint8_t *to, const struct ip4_out *);            /* 20 bytes, checksum included */

#endif
