/* SPDX-License-Identifier: MIT
 *
 * icmp4.h: what an ICMP message means, RFC 792, RFC 1122 3.2.2.
 */
#ifndef INTERNET_ICMP4_H
#define INTERNET_ICMP4_H

#include "internet/icmp.h"

/* `n` bytes from the ICMP header on are at hand; the checksum was verified. */
void icmp4_judge(const uint8_t *bytes, uint32_t n, struct icmp_news *);
/* RFC 1122 3.2.2: may an error be sent about an ICMP message of this type? Not about errors, nor about what is not known. */
bool icmp4_may_be_complained_of(uint8_t type);

#endif
