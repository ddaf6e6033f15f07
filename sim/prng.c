/* SPDX-License-Identifier: MIT
 *
 * prng.c: splitmix64 (Steele, Lea, Flood 2014).
 */
#include "sim/prng.h"

void sim_prng_seed(struct sim_prng *p, uint64_t seed)
{
    p->state = seed;
}

uint64_t sim_prng_next(struct sim_prng *p)
{
    uint64_t z = (p->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t sim_prng_below(struct sim_prng *p, uint32_t limit)
{
    return (uint32_t)(((sim_prng_next(p) >> 32) * limit) >> 32);
}

uint64_t sim_prng_mix(uint64_t seed, uint64_t what)
{
    struct sim_prng p = {seed ^ (what * 0xd1342543de82ef95u)};
    return sim_prng_next(&p);
}
