/* SPDX-License-Identifier: MIT
 *
 * wheel.c: a hierarchical timing wheel.
 *
 * Theory of operation. Time is cut into ticks of 2^14 ns, and a tick number is read as digits of 6 bits. A deadline lies at the level of
 * the highest digit in which its tick differs from the wheel's tick, in the slot named by that digit. So everything at level 0 is due
 * before anything at level 1, and so on; within a level the lowest occupied slot is first. When the wheel's tick reaches the start of a
 * slot of level 1 or above, that slot's entries are placed anew and land at lower levels. Between such places the tick moves freely:
 * an entry's highest differing digit does not change until the tick reaches its slot.
 *
 * Lists are circular (head->prev is the tail). At level 0 they are sorted by (when, order); elsewhere they are in no order. What is set to
 * the past goes to the slot of the current tick. Eight digits are 48 bits of the 50 that a tick has: a deadline beyond them waits in the
 * last place they can name, and is placed anew from there.
 */
#include "base/wheel.h"
#include <stdbool.h>
#include <string.h>
#include "base/check.h"

enum { DIGIT_BITS = 6, LOOK_AHEAD = 8 };
#define DIGITS_MASK (((uint64_t)1 << (DIGIT_BITS * WHEEL_LEVELS)) - 1)

static inline struct wheel_node *node_at(const struct wheel *w, uint32_t id)
{
    return (struct wheel_node *)((uintptr_t)w + w->nodes) + (id - 1);
}

/* The first entry of a place (level * 64 + slot); 0: none. A small stack's ids fit into bytes: 1.5 KiB less. */
static inline bool narrow(const struct wheel *w) { return w->capacity <= UINT8_MAX; }
static inline uint32_t head_of(const struct wheel *w, unsigned place)
{
    const void *heads = (const void *)((uintptr_t)w + w->heads);
    return narrow(w) ? ((const uint8_t *)heads)[place] : ((const uint32_t *)heads)[place];
}

static inline void set_head(struct wheel *w, unsigned place, uint32_t id)
{
    void *heads = (void *)((uintptr_t)w + w->heads);
    if (narrow(w))
        ((uint8_t *)heads)[place] = (uint8_t)id;
    else
        ((uint32_t *)heads)[place] = id;
}

static inline uint64_t tick_of(pl_time t) { return t >> WHEEL_SHIFT; }

/* The place number (level * 64 + slot + 1) of a deadline. */
static inline uint32_t place_of(const struct wheel *w, pl_time when)
{
    uint64_t tick = tick_of(when);
    if (tick < w->tick)
        tick = w->tick;
    if ((tick ^ w->tick) > DIGITS_MASK)
        tick = w->tick | DIGITS_MASK;
    uint64_t differs = tick ^ w->tick;
    unsigned level = differs ? (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS : 0;
    unsigned slot = (unsigned)(tick >> (DIGIT_BITS * level)) & (WHEEL_SLOTS - 1);
    return level * WHEEL_SLOTS + slot + 1;
}

static inline bool before(const struct wheel_node *a, const struct wheel_node *b)
{
    return a->when != b->when ? a->when < b->when : (int32_t)(a->order - b->order) < 0;
}

static void link_node(struct wheel *w, uint32_t id)
{
    struct wheel_node *n = node_at(w, id);
    n->place = place_of(w, n->when);
    unsigned level = (n->place - 1) / WHEEL_SLOTS, slot = (n->place - 1) % WHEEL_SLOTS;
    uint32_t head = head_of(w, n->place - 1);
    if (head == 0) {
        n->next = n->prev = id;
        set_head(w, n->place - 1, id);
        w->occupied[level] |= (uint64_t)1 << slot;
        return;
    }
    /* `after` becomes the predecessor. Searched from the tail: what is set later is usually due later. */
    uint32_t after = node_at(w, head)->prev;
    if (level == 0) {
        uint32_t tail = after;
        while (before(n, node_at(w, after))) {
            after = node_at(w, after)->prev;
            if (after == tail) {          /* all the way round: the new head */
                set_head(w, n->place - 1, id);
                break;
            }
        }
    }
    n->prev = after;
    n->next = node_at(w, after)->next;
    node_at(w, after)->next = id;
    node_at(w, n->next)->prev = id;
}

static void unlink_node(struct wheel *w, uint32_t id)
{
    struct wheel_node *n = node_at(w, id);
    unsigned level = (n->place - 1) / WHEEL_SLOTS, slot = (n->place - 1) % WHEEL_SLOTS;
    if (n->next == id) {
        set_head(w, n->place - 1, 0);
        w->occupied[level] &= ~((uint64_t)1 << slot);
        return;
    }
    node_at(w, n->prev)->next = n->next;
    node_at(w, n->next)->prev = n->prev;
    if (head_of(w, n->place - 1) == id)
        set_head(w, n->place - 1, n->next);
}

size_t wheel_bytes(uint32_t capacity)
{
    size_t heads = (size_t)WHEEL_LEVELS * WHEEL_SLOTS * (capacity <= UINT8_MAX ? sizeof(uint8_t) : sizeof(uint32_t));
    return (capacity * sizeof(struct wheel_node) + heads + 63) & ~(size_t)63;
}

void wheel_init(struct wheel *w, void *memory, uint32_t capacity, pl_time now)
{
    memset(w, 0, sizeof *w);
    w->nodes = (uint64_t)((char *)memory - (char *)w);
    w->heads = w->nodes + capacity * sizeof(struct wheel_node);
    w->capacity = capacity;
    w->tick = tick_of(now);
}

void wheel_set(struct wheel *w, uint32_t id, pl_time when)
{
    if (when == PL_NEVER) {
        wheel_clear(w, id);
        return;
    }
    CHECK(id - 1 < w->capacity);
    struct wheel_node *n = node_at(w, id);
    uint32_t was = n->place;
    if (was > WHEEL_SLOTS && was == place_of(w, when)) {       /* stays in its unsorted slot */
        n->when = when, n->order = w->order++;
        return;
    }
    if (was)
        unlink_node(w, id);
    else
        w->count++;
    n->when = when, n->order = w->order++;
    link_node(w, id);
}

void wheel_clear(struct wheel *w, uint32_t id)
{
    CHECK(id - 1 < w->capacity);
    struct wheel_node *n = node_at(w, id);
    if (n->place == 0)
        return;
    unlink_node(w, id);
    *n = (struct wheel_node){.when = 0};
    w->count--;
}

pl_time wheel_when(const struct wheel *w, uint32_t id)
{
    CHECK(id - 1 < w->capacity);
    const struct wheel_node *n = node_at(w, id);
    return n->place ? n->when : PL_NEVER;
}

/* The lowest level with an entry, its first slot and that slot's first tick. False: the wheel is empty. */
static bool first_slot(const struct wheel *w, unsigned *level, unsigned *slot, uint64_t *start)
{
    for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
        if (w->occupied[l] == 0)
            continue;
        *level = l;
        *slot = (unsigned)__builtin_ctzll(w->occupied[l]);
        unsigned shift = DIGIT_BITS * l;
        *start = (w->tick >> shift >> DIGIT_BITS << DIGIT_BITS | *slot) << shift;
        return true;
    }
    return false;
}

/* Empties a slot whose first tick is the wheel's tick, so that each entry finds its place at a lower level. */
static void cascade(struct wheel *w, unsigned level, unsigned slot)
{
    uint32_t id = head_of(w, level * WHEEL_SLOTS + slot), first = id;
    set_head(w, level * WHEEL_SLOTS + slot, 0);
    w->occupied[level] &= ~((uint64_t)1 << slot);
    do {
        uint32_t next = node_at(w, id)->next;
        link_node(w, id);
        id = next;
    } while (id != first);
}

/* Entries that wait in the last place of level 0 for a deadline beyond 48 bits of ticks move on when that place is behind. */
static bool cross_last_place(struct wheel *w, uint64_t now_tick)
{
    if ((w->tick & DIGITS_MASK) != DIGITS_MASK || now_tick <= w->tick)
        return false;
    w->tick++;
    cascade(w, 0, WHEEL_SLOTS - 1);
    return true;
}

uint32_t wheel_pop(struct wheel *w, pl_time now)
{
    uint64_t now_tick = tick_of(now), start;
    unsigned level, slot;
    while (first_slot(w, &level, &slot, &start)) {
        if (level > 0 && start <= now_tick) {
            w->tick = start;
            cascade(w, level, slot);
            continue;
        }
        if (level == 0) {
            uint32_t id = head_of(w, slot);
            if (node_at(w, id)->when <= now) {
                wheel_clear(w, id);
                return id;
            }
            if (start < now_tick) {       /* not due, yet its slot has passed: one of those beyond 48 bits */
                w->tick = start;
                if (cross_last_place(w, now_tick))
                    continue;
            }
        }
        break;
    }
    if (now_tick > w->tick)
        w->tick = now_tick;
    return 0;
}

pl_time wheel_next(const struct wheel *w)
{
    uint64_t start;
    unsigned level, slot;
    if (!first_slot(w, &level, &slot, &start))
        return PL_NEVER;
    uint32_t id = head_of(w, level * WHEEL_SLOTS + slot), first = id;
    if (level == 0 && node_at(w, id)->when >> WHEEL_SHIFT <= start)
        return node_at(w, id)->when;
    /* A slot with few entries is looked through, so that a small stack is not woken once per level. */
    pl_time least = PL_NEVER;
    for (unsigned looked = 0; looked < LOOK_AHEAD; looked++) {
        const struct wheel_node *n = node_at(w, id);
        if (n->when < least)
            least = n->when;
        id = n->next;
        if (id == first)
            return least;
    }
    return start << WHEEL_SHIFT;
}

static pl_time moved(pl_time t, pl_time by)
{
    if ((int64_t)by >= 0)
        return t < PL_NEVER - 1 - by ? t + by : PL_NEVER - 1;
    return t > 0 - by ? t + by : 0;       /* a shift into the past, as two's complement */
}

void wheel_shift(struct wheel *w, pl_time by)
{
    uint32_t chain = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (; w->occupied[level]; w->occupied[level] &= w->occupied[level] - 1) {
            unsigned place = level * WHEEL_SLOTS + (unsigned)__builtin_ctzll(w->occupied[level]);
            uint32_t head = head_of(w, place);
            node_at(w, node_at(w, head)->prev)->next = chain;    /* opens the ring; the chain grows at its front */
            chain = head;
            set_head(w, place, 0);
        }
    }
    w->tick = tick_of(moved(w->tick << WHEEL_SHIFT, by));
    while (chain) {
        struct wheel_node *n = node_at(w, chain);
        uint32_t next = n->next;
        n->when = moved(n->when, by);
        link_node(w, chain);
        chain = next;
    }
}
