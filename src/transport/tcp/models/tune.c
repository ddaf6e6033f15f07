/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/tune.h"

static uint32_t limited(uint64_t n) { return n < 1u << 30 ? (uint32_t)n : 1u << 30; }

bool tune_round_over(const struct tune_round *r)
{
    uint32_t elapsed = r->now - r->began;
    if (r->echoes)                        /* what we sent after the round began was answered; an echo from the future answers nothing */
        return r->echo - r->began - 1 < elapsed;
    if (r->srtt_ms)
        return elapsed > r->srtt_ms;      /* the first millisecond may have been a short one */
    return r->arrived >= r->rcvbuf;
}

/* A peer in slow start has twice as much under way as it sent in this round, and what is offered now must last until it has twice that. As rounds are cut
 * at segments, a quarter more. It cannot more than double: if more than that arrived, a gap was closed. */
uint32_t tune_rcvbuf(uint32_t arrived, uint32_t before)
{
    uint64_t more = arrived > before ? arrived - before : 0;
    return limited(2 * (uint64_t)arrived + 6 * (more < before ? more : before));
}

uint32_t tune_sndbuf(uint32_t cwnd, uint32_t present)
{
    return 2 * (uint64_t)cwnd > present ? limited(2 * (uint64_t)cwnd + cwnd / 2) : 0;
}

uint32_t tune_grown(uint32_t from, uint32_t wanted, uint32_t ceiling, uint32_t largest)
{
    wanted = wanted < largest ? wanted : largest;
    if (wanted <= from)
        return from;
    if (wanted > ceiling)
        return tune_below(from, ceiling) ? from + (ceiling - from) / 2 : from;
    return wanted == largest || wanted - from > from / 8 ? wanted : from;
}

static unsigned grade(uint32_t n)
{
    unsigned octave = n ? 31 - (unsigned)__builtin_clz(n) : 0;
    return octave << 2 | (octave > 1 ? n >> (octave - 2) & 3 : 0);
}

bool tune_step_is_told(uint32_t from, uint32_t to) { return grade(from) != grade(to); }

uint32_t tune_ceiling(uint32_t first, uint32_t max, uint64_t left, uint64_t all)
{
    uint64_t low = all / 8, high = all / 2;
    if (max <= first || left <= low)
        return first;
    if (left >= high)
        return max;
    /* in 1024ths: all may be 2^48 */
    return first + (uint32_t)((max - first) * (((left - low) << 10) / (high - low)) >> 10);
}
