/* SPDX-License-Identifier: MIT
 *
 * prng.h: the simulation's dice: splitmix64, so that one 64-bit seed gives the same sequence on every machine. Not for secrets.
 */
#ifndef SIM_PRNG_H
#define SIM_PRNG_H

#include <stdint.h>

struct sim_prng {
    uint64_t state;
};

void sim_prng_seed(struct sim_prng *, uint64_t seed);
uint64_t sim_prng_next(struct sim_prng *);
uint32_t sim_prng_below(struct sim_prng *, uint32_t limit);    /* 0 .. limit - 1; 0 if limit is 0 */
/* A new seed for something that belongs to `seed` and is told apart by `what`, so that adding a die does not shift the others. */
uint64_t sim_prng_mix(uint64_t seed, uint64_t what);

#endif
