/* SPDX-License-Identifier: MIT
 *
 * prng.h: xoshiro256**: reproducible pseudo-random numbers for simulation, and for jitter that need not be secret. Not for secrets.
 */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t s[4];
};
void prng_seed(struct prng *, uint64_t seed);                       /* by splitmix64: any seed is good */
uint64_t prng_next(struct prng *);
uint32_t prng_below(struct prng *, uint32_t bound);                 /* 0 <= x < bound, unbiased; bound 0 gives 0 */

#endif
