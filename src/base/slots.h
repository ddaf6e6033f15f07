/* SPDX-License-Identifier: MIT
 *
 * slots.h: a pool of equal slots inside the block. Numbers 1..capacity; 0 is "none" everywhere in parley.
 *
 * The pool's header lies in the block as well and finds its memory by an offset from itself, so a copied block still works.
 * Slots are initialised on first use (`fresh` is the high-water mark), a freed slot is all zero, and each has a generation that
 * changes when it is freed, so that stale handles are noticed. The memory handed to slots_init must be zero or `clear` must be set.
 */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot_meta {
    uint32_t next_free;                   /* free list, 0 ends it */
    uint32_t generation;                  /* odd while taken, even while free: 0 = never used */
};

struct slots {
    uint64_t zero, meta;                  /* offsets from this struct: of what would be slot 0, and of slot 1's meta */
    uint32_t slot_bytes, capacity, used, fresh, free_head, pad_;
};

size_t slots_bytes(uint32_t slot_bytes, uint32_t capacity);         /* memory for slots and meta; multiple of 64 */
/* `memory` is 64-byte aligned, lies in the same block as the header, and is zero. slot_bytes is a multiple of 8. */
void slots_init(struct slots *, void *memory, uint32_t slot_bytes, uint32_t capacity);
uint32_t slots_take(struct slots *);                                /* 0: none left. The slot is all zero */
void slots_give(struct slots *, uint32_t slot);                     /* zeroes it, bumps the generation */
static inline struct slot_meta *slots_meta(const struct slots *p, uint32_t slot)
{
    return (struct slot_meta *)((uintptr_t)p + p->meta) + (slot - 1);
}
static inline void *slots_at(const struct slots *p, uint32_t slot)
{
    return (void *)((uintptr_t)p + p->zero + (size_t)slot * p->slot_bytes);
}
/* The pool as an array of its slots' type, element 0 of which is none: for whoever knows the type, quicker than slots_at. */
static inline void *slots_array(const struct slots *p) { return (void *)((uintptr_t)p + p->zero); }
/* The number of a slot of the pool. */
static inline uint32_t slots_index(const struct slots *p, const void *slot) { return (uint32_t)(((uintptr_t)slot - ((uintptr_t)p + p->zero)) / p->slot_bytes); }
static inline bool slots_live(const struct slots *p, uint32_t slot)
{
    return slot - 1 < p->fresh && (slots_meta(p, slot)->generation & 1);
}
static inline uint32_t slots_generation(const struct slots *p, uint32_t slot) { return slots_meta(p, slot)->generation; }
/* The next live slot after `after` (0 starts), or 0. */
uint32_t slots_next(const struct slots *, uint32_t after);

#endif
