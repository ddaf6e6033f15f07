/* SPDX-License-Identifier: MIT
 *
 * siphash.c: SipHash-2-4 over bytes and SipHash-1-3 over words ("SipHash: a fast short-input PRF", Aumasson and Bernstein, 2012).
 */
#include "base/siphash.h"
#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1, s->v1 = rotl(s->v1, 13) ^ s->v0, s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3, s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3, s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1, s->v1 = rotl(s->v1, 17) ^ s->v2, s->v2 = rotl(s->v2, 32);
}

static inline struct sip sip_start(const struct siphash_key *k)
{
    return (struct sip){k->k0 ^ 0x736f6d6570736575, k->k1 ^ 0x646f72616e646f6d, k->k0 ^ 0x6c7967656e657261, k->k1 ^ 0x7465646279746573};
}

static inline void sip_word(struct sip *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    for (unsigned i = 0; i < rounds; i++)
        sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t sip_end(struct sip *s, unsigned rounds)
{
    s->v2 ^= 0xff;
    for (unsigned i = 0; i < rounds; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Up to 8 bytes, least significant first whatever the machine's order. */
static inline uint64_t little(const uint8_t *p, size_t n)
{
    uint64_t w = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (n == 8) {
        memcpy(&w, p, 8);
        return w;
    }
#endif
    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)p[i] << (8 * i);
    return w;
}

uint64_t siphash24(const struct siphash_key *key, const void *bytes, size_t n)
{
    struct sip s = sip_start(key);
    const uint8_t *p = bytes;
    size_t left = n;
    for (; left >= 8; p += 8, left -= 8)
        sip_word(&s, little(p, 8), 2);
    sip_word(&s, (uint64_t)n << 56 | little(p, left), 2);
    return sip_end(&s, 4);
}

uint64_t siphash13_words(const struct siphash_key *key, const uint64_t *words, unsigned nwords)
{
    struct sip s = sip_start(key);
    for (unsigned i = 0; i < nwords; i++)
        sip_word(&s, words[i], 1);
    sip_word(&s, (uint64_t)nwords << 59, 1);   /* the length in bytes in the top byte, as over bytes */
    return sip_end(&s, 3);
}
