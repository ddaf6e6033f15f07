/* SPDX-License-Identifier: MIT
 *
 * icmp6.h: what an ICMPv6 message means, RFC 4443.
 */
#ifndef INTERNET_ICMP6_H
#define INTERNET_ICMP6_H

#include "internet/icmp.h"

/* `n` bytes from the ICMPv6 header on are at hand; the checksum was verified. */
void icmp6_judge(const uint8_t *bytes, uint32_t n, struct icmp_news *);

#endif
