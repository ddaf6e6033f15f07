/* SPDX-License-Identifier: MIT
 *
 * octets.h: the internet checksum, RFC 1071, written for these scripts: the plain way, two bytes at a time.
 */
#ifndef DRILL_OCTETS_H
#define DRILL_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/* The sum of n bytes and of s, folded into 16 bits, not complemented. */
static inline uint32_t octets_sum(const uint8_t *p, size_t n, uint32_t s)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

#endif
