/* SPDX-License-Identifier: MIT
 *
 * wheel.h: a hierarchical timing wheel: one deadline per number 1..capacity, O(1) to set and clear.
 *
 * Eight levels of 64 slots; a level-0 slot is 2^14 ns (16 us) wide and kept sorted, so the nearest deadlines are exact; a deadline
 * farther away sits in a coarser slot and moves inwards as time passes, so wheel_next may be early, never late. Equal deadlines come
 * out in the order in which they were set. All zero = empty wheel at time 0.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stddef.h>
#include <parley/types.h>

enum { WHEEL_LEVELS = 8, WHEEL_SLOTS = 64, WHEEL_SHIFT = 14 };

struct wheel_node {
    pl_time when;                         /* PL_NEVER or 0 while not in the wheel; see `place` */
    uint32_t next, prev;
    uint32_t place;                       /* level * 64 + slot + 1, 0 = not in the wheel */
    uint32_t order;                       /* insertion stamp: breaks ties of equal deadlines */
};

struct wheel {
    uint64_t nodes, heads;                /* offsets from this struct: of the node array; of the first id of each slot, a byte each if ids fit into one */
    uint64_t tick;                        /* time reached, in units of 2^14 ns */
    uint64_t occupied[WHEEL_LEVELS];      /* bit per slot */
    uint32_t capacity, count, order, pad_;
};

size_t wheel_bytes(uint32_t capacity);                              /* memory for the nodes, which come first, and the slots; multiple of 64 */
void wheel_init(struct wheel *, void *memory, uint32_t capacity, pl_time now);
void wheel_set(struct wheel *, uint32_t id, pl_time when);          /* moves it if it was set; PL_NEVER clears; a past time is due at once */
void wheel_clear(struct wheel *, uint32_t id);
pl_time wheel_when(const struct wheel *, uint32_t id);              /* PL_NEVER: not set */
static inline void wheel_fetch_ahead(const struct wheel *w, uint32_t id)    /* it will be set or cleared soon */
{
    __builtin_prefetch((const struct wheel_node *)((uintptr_t)w + w->nodes) + (id - 1));
}
uint32_t wheel_pop(struct wheel *, pl_time now);                    /* takes out one id with when <= now, earliest first; 0: none is due */
pl_time wheel_next(const struct wheel *);                           /* not later than the earliest deadline; PL_NEVER: none */
void wheel_shift(struct wheel *, pl_time by);                       /* every deadline moves by `by` (re-inserts all; keeps order) */

#endif
