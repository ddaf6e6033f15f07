/* SPDX-License-Identifier: MIT
 *
 * checksum.c: the Internet checksum, RFC 1071.
 *
 * Theory of operation. A one's complement sum of 16-bit words may be taken over wider words as well and folded at the end (RFC 1071
 * section 2(C)), because 2^16, 2^32 and 2^64 are all 1 modulo 2^16 - 1. So the loops add into lanes that are wide enough for what they are
 * given, and fold once. Header-sized inputs never reach a vector loop: its set-up costs more than it saves.
 */
#include "base/checksum.h"
#include "base/bytes.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

enum { VECTOR_MIN = 128 };

uint32_t cpu_probe(void)
{
    uint32_t cpu = CPU_PROBED;
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    cpu |= CPU_SSE2;                      /* part of the x86-64 baseline */
    if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX)) {
        /* The processor having AVX is not enough: the system must save the wide registers (XCR0 bits 1 and 2). */
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        if ((low & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2))
            cpu |= CPU_AVX2;
    }
#endif
    return cpu;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint64_t halves(uint64_t v) { return (v & 0xffffffff) + (v >> 32); }

/* The bytes that are left over from wider steps, n < 8. The odd byte is the first of its word in memory. */
static inline uint64_t sum_tail(const uint8_t *p, size_t n)
{
    uint64_t s = 0;
    if (n & 4) {
        uint32_t v;
        memcpy(&v, p, 4);
        s += v, p += 4;
    }
    if (n & 2) {
        uint16_t v;
        memcpy(&v, p, 2);
        s += v, p += 2;
    }
    if (n & 1) {
        uint16_t v;
        uint8_t padded[2] = {*p, 0};
        memcpy(&v, padded, 2);
        s += v;
    }
    return s;
}

static uint64_t sum_plain(const uint8_t *p, size_t n)
{
    uint64_t s = 0, t = 0;
    for (; n >= 64; p += 64, n -= 64) {
        s += halves(load64(p)) + halves(load64(p + 16)) + halves(load64(p + 32)) + halves(load64(p + 48));
        t += halves(load64(p + 8)) + halves(load64(p + 24)) + halves(load64(p + 40)) + halves(load64(p + 56));
    }
    for (; n >= 8; p += 8, n -= 8)
        s += halves(load64(p));
    return s + t + sum_tail(p, n);
}

#if defined(__x86_64__)
static inline __m128i step128(__m128i s, const uint8_t *p, __m128i low)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm_add_epi64(s, _mm_add_epi64(_mm_and_si128(v, low), _mm_srli_epi64(v, 32)));
}

static uint64_t sum_sse2(const uint8_t *p, size_t n)
{
    const __m128i low = _mm_set1_epi64x(0xffffffff);
    __m128i s = _mm_setzero_si128(), t = s;
    for (; n >= 64; p += 64, n -= 64) {
        s = step128(s, p, low), t = step128(t, p + 16, low);
        s = step128(s, p + 32, low), t = step128(t, p + 48, low);
    }
    for (; n >= 16; p += 16, n -= 16)
        s = step128(s, p, low);
    s = _mm_add_epi64(s, t);
    uint64_t lanes[2];
    memcpy(lanes, &s, sizeof lanes);
    return lanes[0] + lanes[1] + sum_plain(p, n);
}

/* 32 bytes are 16 words. Taken as signed (which xor 0x8000 makes of them: each is then 0x8000 too small), pairs of them are added into eight 32-bit
 * lanes by one instruction. A block of BLOCK bytes cannot overflow a lane; the 0x8000s are put back at its end. */
__attribute__((target("avx2"))) static inline __m256i pairs256(__m256i v)
{
    return _mm256_madd_epi16(_mm256_xor_si256(v, _mm256_set1_epi16(-0x8000)), _mm256_set1_epi16(1));
}

__attribute__((target("avx2"))) static inline __m256i load256(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }

enum { BLOCK = 128 << 10 };

/* The sum of 32 <= n <= BLOCK bytes, an even number. What is left of the last 32 bytes is read again with those that went before, which are masked out. */
__attribute__((target("avx2"))) static inline uint64_t sum_block_avx2(const uint8_t *p, size_t n)
{
    static const uint8_t masks[64] = {[32] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    __m256i sum = _mm256_setzero_si256();
    uint64_t words = (n + 31) / 32 * 16;
    for (; n >= 128; p += 128, n -= 128) {
        __m256i front = _mm256_add_epi32(pairs256(load256(p)), pairs256(load256(p + 32)));
        __m256i back = _mm256_add_epi32(pairs256(load256(p + 64)), pairs256(load256(p + 96)));
        sum = _mm256_add_epi32(sum, _mm256_add_epi32(front, back));
    }
    for (; n >= 32; p += 32, n -= 32)
        sum = _mm256_add_epi32(sum, pairs256(load256(p)));
    if (n)
        sum = _mm256_add_epi32(sum, pairs256(_mm256_and_si256(load256(p + n - 32), load256(masks + n))));
    __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(sum)), _mm256_cvtepi32_epi64(_mm256_extracti128_si256(sum, 1)));
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    return (uint64_t)(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1)) + 0x8000u * words;
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *p, size_t n)       /* n >= 32 */
{
    uint64_t sum = n & 1 ? sum_tail(p + n - 1, 1) : 0;
    n &= ~(size_t)1;
    for (; n > BLOCK; p += BLOCK / 2, n -= BLOCK / 2)    /* half a block: what is left is never less than one */
        sum += sum_block_avx2(p, BLOCK / 2);
    return sum + sum_block_avx2(p, n);
}
#endif

/* Not folded. Sums of several pieces are to be added by csum_add64. */
static inline uint64_t sum_bytes(const uint8_t *p, size_t n, uint32_t cpu)
{
    if (n < VECTOR_MIN) {
        uint64_t s = 0;
        for (; n >= 32; p += 32, n -= 32)     /* a TCP header with timestamps */
            s = csum_add64(csum_add64(csum_add64(csum_add64(s, load64(p)), load64(p + 8)), load64(p + 16)), load64(p + 24));
        for (; n >= 8; p += 8, n -= 8)
            s = csum_add64(s, load64(p));
        return n ? csum_add64(s, sum_tail(p, n)) : s;
    }
#if defined(__x86_64__)
    if (cpu & CPU_AVX2)
        return sum_avx2(p, n);
    if (cpu & CPU_SSE2)
        return sum_sse2(p, n);
#endif
    (void)cpu;
    return sum_plain(p, n);
}

uint32_t csum_bytes(const void *bytes, size_t n, uint32_t cpu) { return csum_fold64(sum_bytes(bytes, n, cpu)); }

uint32_t csum_pieces(const struct pl_span *spans, unsigned nspans, size_t off, size_t n, uint32_t cpu)
{
    const struct pl_span *span = spans, *end = spans + nspans;
    uint64_t sum = 0;
    size_t left = n;
    for (; span < end && off >= span->len; span++)
        off -= span->len;
    for (; span < end && left; span++, off = 0) {
        size_t piece = span->len - off < left ? span->len - off : left;
        uint64_t s = sum_bytes((const uint8_t *)span->base + off, piece, cpu);
        /* RFC 1071 2(B): a piece that starts at an odd offset has its bytes in the other half of each word. */
        sum = csum_add64(sum, (n - left) & 1 ? csum_swap(csum_fold64(s)) : s);
        left -= piece;
    }
    return csum_fold64(sum);
}

void csum_store(uint8_t *p, uint32_t sum, bool zero_is_ones)
{
    uint16_t v = (uint16_t)~csum_fold(sum);
    /* RFC 768: a computed zero is sent as all ones, for zero says that there is no checksum. */
    if (zero_is_ones && v == 0)
        v = 0xffff;
    memcpy(p, &v, 2);
}
