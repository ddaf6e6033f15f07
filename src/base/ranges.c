/* SPDX-License-Identifier: MIT
 *
 * ranges.c: a sorted set of ranges. Ranges that touch are merged, so between two of them there is always a gap.
 */
#include "base/ranges.h"
#include <string.h>
#include "base/seq.h"

/* Index of the first range whose end lies above `x`; `count` if there is none. */
static uint32_t first_ending_above(const struct ranges *r, uint32_t x)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (seq_gt(r->at[mid].hi, x))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Replaces ranges [i, j) by nothing. */
static void cut(struct ranges *r, uint32_t i, uint32_t j)
{
    if (i == j)
        return;
    memmove(&r->at[i], &r->at[j], (r->count - j) * sizeof r->at[0]);
    r->count -= j - i;
}

bool ranges_add(struct ranges *r, uint32_t lo, uint32_t hi, struct range *merged)
{
    struct range sum = {lo, hi};
    if (seq_lt(lo, hi)) {
        uint32_t i = first_ending_above(r, lo - 1);           /* touching counts: ends at or above lo */
        uint32_t j = i;
        while (j < r->count && seq_le(r->at[j].lo, hi))       /* each one met here disappears: amortised O(1) */
            j++;
        if (i == j) {
            if (r->count >= r->capacity)
                return false;
            memmove(&r->at[i + 1], &r->at[i], (r->count - i) * sizeof r->at[0]);
            r->count++;
        } else {
            sum.lo = seq_min(lo, r->at[i].lo);
            sum.hi = seq_max(hi, r->at[j - 1].hi);
            cut(r, i + 1, j);
        }
        r->at[i] = sum;
    }
    if (merged)
        *merged = sum;
    return true;
}

bool ranges_takes(const struct ranges *r, uint32_t lo, uint32_t hi)
{
    uint32_t i = first_ending_above(r, lo - 1);
    return r->count < r->capacity || seq_ge(lo, hi) || (i < r->count && seq_le(r->at[i].lo, hi));
}

bool ranges_covers(const struct ranges *r, uint32_t lo, uint32_t hi)
{
    struct range gap;
    return !ranges_gap(r, lo, hi, &gap);
}

bool ranges_gap(const struct ranges *r, uint32_t lo, uint32_t hi, struct range *gap)
{
    uint32_t i = first_ending_above(r, lo);
    if (i < r->count && seq_le(r->at[i].lo, lo))
        lo = r->at[i++].hi;
    if (seq_ge(lo, hi))
        return false;
    *gap = (struct range){lo, i < r->count ? seq_min(hi, r->at[i].lo) : hi};
    return true;
}

bool ranges_holding(const struct ranges *r, uint32_t at, struct range *held)
{
    uint32_t i = first_ending_above(r, at);
    if (i >= r->count || seq_gt(r->at[i].lo, at))
        return false;
    *held = r->at[i];
    return true;
}

bool ranges_overlap(const struct ranges *r, uint32_t lo, uint32_t hi, struct range *part)
{
    uint32_t i = first_ending_above(r, lo);
    if (seq_ge(lo, hi) || i >= r->count || seq_ge(r->at[i].lo, hi))
        return false;
    *part = (struct range){seq_max(lo, r->at[i].lo), seq_min(hi, r->at[i].hi)};
    return true;
}

void ranges_drop_below(struct ranges *r, uint32_t lo)
{
    cut(r, 0, first_ending_above(r, lo));
    if (r->count && seq_lt(r->at[0].lo, lo))
        r->at[0].lo = lo;
}

uint32_t ranges_pop_front(struct ranges *r, uint32_t at)
{
    /* More than one only if `at` overtook whole ranges. */
    while (r->count && seq_le(r->at[0].lo, at)) {
        at = seq_max(at, r->at[0].hi);
        cut(r, 0, 1);
    }
    return at;
}
