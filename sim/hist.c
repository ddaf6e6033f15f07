/* SPDX-License-Identifier: MIT
 *
 * hist.c: see hist.h.
 */
#include "sim/hist.h"
#include <string.h>

void hist_clear(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

static unsigned exponent(uint64_t v)
{
    unsigned e = 0;
    while (v >>= 1)
        e++;
    return e;
}

static unsigned bucket_of(uint64_t v)
{
    if (v < 32) return (unsigned)v;
    unsigned e = exponent(v);
    return (e - 4) * 32 + (unsigned)(v >> (e - 5) & 31);
}

/* The largest value that falls into it. */
static uint64_t top_of(unsigned bucket)
{
    if (bucket < 32) return bucket;
    unsigned shift = bucket / 32 - 1;
    return ((uint64_t)(32 + bucket % 32) << shift) + (((uint64_t)1 << shift) - 1);
}

void hist_add(struct hist *h, uint64_t value)
{
    if (!h->n || value < h->min) h->min = value;
    if (value > h->max) h->max = value;
    h->n++;
    h->bucket[bucket_of(value)]++;
}

uint64_t hist_permille(const struct hist *h, unsigned permille)
{
    if (!h->n) return 0;
    /* the rank, rounded up: of 3 values the median is the second */
    uint64_t rank = h->n / 1000 * permille + (h->n % 1000 * permille + 999) / 1000, seen = 0;
    if (!rank) return h->min;
    for (unsigned b = 0; b < HIST_BUCKETS; b++)
        if ((seen += h->bucket[b]) >= rank) return top_of(b) < h->max ? top_of(b) : h->max;
    return h->max;
}
