/* SPDX-License-Identifier: MIT
 *
 * ranges.h: a sorted set of disjoint, non-touching ranges [lo, hi) of sequence numbers (mod 2^32; all within 2^31 of each other), with
 * a fixed capacity. Binary search, so the work per call is O(log n) plus one bounded memmove.
 */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint32_t lo, hi;
};
struct ranges {
    uint32_t count, capacity;
    struct range at[];                    /* `capacity` of them follow */
};

static inline uint32_t ranges_bytes(uint32_t capacity) { return (uint32_t)(sizeof(struct ranges) + capacity * sizeof(struct range)); }
/* Adds [lo, hi), merging what it touches; *merged receives the range that now holds it. False: no room (then nothing changed). */
bool ranges_add(struct ranges *, uint32_t lo, uint32_t hi, struct range *merged);
/* Whether ranges_add would find room for it. */
bool ranges_takes(const struct ranges *, uint32_t lo, uint32_t hi);
bool ranges_covers(const struct ranges *, uint32_t lo, uint32_t hi);
/* The part of [lo, hi) that is not yet covered, first piece from lo on; false: all covered. */
bool ranges_gap(const struct ranges *, uint32_t lo, uint32_t hi, struct range *gap);
/* The range that holds byte `at`; false: none does. */
bool ranges_holding(const struct ranges *, uint32_t at, struct range *);
/* The first part of [lo, hi) that is covered; false: nothing of it is. */
bool ranges_overlap(const struct ranges *, uint32_t lo, uint32_t hi, struct range *);
/* Drops everything below `lo`. */
void ranges_drop_below(struct ranges *, uint32_t lo);
/* If the first range starts at or before `at`, removes it and returns its hi; else returns `at`. */
uint32_t ranges_pop_front(struct ranges *, uint32_t at);

#endif
