/* SPDX-License-Identifier: MIT
 *
 * checksum.h: the Internet checksum, RFC 1071, over native 16-bit words (the sum is independent of byte order, RFC 1071 section 2(B)).
 *
 * A partial sum is a uint32_t that still has to be folded; partial sums of pieces that start at even offsets may be added with
 * csum_add. `cpu` is pl_env's cpu word (enum cpu_feature): chooses the AVX2, SSE2 or plain loop.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stdbool.h>
#include <parley/types.h>
#include <string.h>

enum cpu_feature { CPU_PROBED = 1, CPU_SSE2 = 2, CPU_AVX2 = 4 };
uint32_t cpu_probe(void);                                           /* inline cpuid (and xgetbv for AVX2); no library call */

uint32_t csum_bytes(const void *p, size_t n, uint32_t cpu);         /* partial sum; an odd last byte is padded with zero */
static inline uint32_t csum_add(uint32_t a, uint32_t b)             /* end-around carry */
{
    uint32_t s = a + b;
    return s + (s < a);
}
static inline uint64_t csum_add64(uint64_t a, uint64_t b)
{
    uint64_t s = a + b;
    return s + (s < a);
}
/* To 32 bits: the high half of the sum of both orders of the halves is their sum with its carry added in. */
static inline uint32_t csum_fold64(uint64_t s) { return (uint32_t)((s + (s << 32 | s >> 32)) >> 32); }
static inline uint32_t csum_swap(uint32_t s) { return (s << 8) | (s >> 24); }   /* for a piece that started at an odd offset */
static inline uint16_t csum_fold(uint32_t s)                        /* 16 bits, not complemented */
{
    return (uint16_t)((s + (s << 16 | s >> 16)) >> 16);             /* the high half has the sum of both, with its carry */
}
/* The partial sum of bytes [off, off + n) of a span list, odd boundaries included; mostly they lie in the first one. */
uint32_t csum_pieces(const struct pl_span *spans, unsigned nspans, size_t off, size_t n, uint32_t cpu);
static inline uint32_t csum_spans(const struct pl_span *spans, unsigned nspans, size_t off, size_t n, uint32_t cpu)
{
    if (nspans && off <= spans->len && n <= spans->len - off)
        return csum_bytes((const uint8_t *)spans->base + off, n, cpu);
    return csum_pieces(spans, nspans, off, n, cpu);
}
/* The partial sum of the TCP/UDP/ICMPv6 pseudo-header. RFC 9293 3.1 (IPv4) sums addresses, protocol and 16-bit length; RFC 8200 8.1 (IPv6) addresses,
 * 32-bit length and protocol: the same words, but for the addresses. And the ::ffff of a mapped address adds 0xffff, which is zero in one's
 * complement, so that summing its 16 bytes is summing its last 4. */
static inline uint32_t csum_pseudo(const uint8_t src[16], const uint8_t dst[16], uint8_t protocol, uint32_t length)
{
    uint64_t from[2], to[2], last;
    memcpy(from, src, 16);
    memcpy(to, dst, 16);
    uint8_t rest[8] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0, protocol};
    memcpy(&last, rest, 8);
    return csum_fold64(csum_add64(csum_add64(csum_add64(from[0], from[1]), csum_add64(to[0], to[1])), last));
}
/* Stores the complement of `sum` at p in the order it has in a packet; UDP passes zero_is_ones = true (RFC 768). */
void csum_store(uint8_t *p, uint32_t sum, bool zero_is_ones);

#endif
