/* SPDX-License-Identifier: MIT
 *
 * hist.h: how often which value came: times mostly. Integers only: up to 64 exact, above that in steps of 1/32 of the value, so that a percentile is at most 3 %
 * too high; the smallest and the largest are exact.
 */
#ifndef SIM_HIST_H
#define SIM_HIST_H

#include <stdint.h>

#define HIST_BUCKETS (32 * 60)

struct hist {
    uint64_t n, min, max;
    uint64_t bucket[HIST_BUCKETS];
};

void hist_clear(struct hist *);
void hist_add(struct hist *, uint64_t value);
/* The value that so many of a thousand do not exceed: 500 the median, 1000 the largest. 0 without values. */
uint64_t hist_permille(const struct hist *, unsigned permille);

#endif
