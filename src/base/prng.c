/* SPDX-License-Identifier: MIT
 *
 * prng.c: xoshiro256** 1.0 and splitmix64, the public-domain generators of Blackman and Vigna.
 */
#include "base/prng.h"

static uint64_t rotl(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

void prng_seed(struct prng *g, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15;
        uint64_t z = seed;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        g->s[i] = z ^ z >> 31;
    }
}

uint64_t prng_next(struct prng *g)
{
    uint64_t *s = g->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint32_t prng_below(struct prng *g, uint32_t bound)
{
    if (bound == 0)
        return 0;
    /* Multiply and shift; the few products that would favour small results are thrown away (Lemire, 2019). */
    uint32_t unfair = (0u - bound) % bound;
    for (;;) {
        uint64_t product = (prng_next(g) >> 32) * bound;
        if ((uint32_t)product >= unfair)
            return (uint32_t)(product >> 32);
    }
}
