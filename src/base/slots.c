/* SPDX-License-Identifier: MIT
 *
 * slots.c: a pool of equal slots. Free slots form a last-in first-out list, so that what was used last, and is in the cache, is used next;
 * slots never used are not in it: they begin at `fresh`, and their memory was not touched yet.
 */
#include "base/slots.h"
#include <string.h>
#include "base/check.h"

static size_t round64(size_t n) { return (n + 63) & ~(size_t)63; }

size_t slots_bytes(uint32_t slot_bytes, uint32_t capacity)
{
    return round64(((size_t)slot_bytes + sizeof(struct slot_meta)) * capacity);
}

void slots_init(struct slots *p, void *memory, uint32_t slot_bytes, uint32_t capacity)
{
    CHECK(slot_bytes % 8 == 0);
    uint64_t at = (uint64_t)((char *)memory - (char *)p);
    *p = (struct slots){.zero = at - slot_bytes, .meta = at + (size_t)slot_bytes * capacity, .slot_bytes = slot_bytes, .capacity = capacity};
}

uint32_t slots_take(struct slots *p)
{
    uint32_t slot = p->free_head;
    if (slot)
        p->free_head = slots_meta(p, slot)->next_free;
    else if (p->fresh < p->capacity)
        slot = ++p->fresh;
    else
        return 0;
    struct slot_meta *m = slots_meta(p, slot);
    m->next_free = 0;
    m->generation++;
    p->used++;
    return slot;
}

void slots_give(struct slots *p, uint32_t slot)
{
    CHECK(slots_live(p, slot));
    struct slot_meta *m = slots_meta(p, slot);
    memset(slots_at(p, slot), 0, p->slot_bytes);
    m->generation++;
    m->next_free = p->free_head;
    p->free_head = slot;
    p->used--;
}

uint32_t slots_next(const struct slots *p, uint32_t after)
{
    for (uint32_t slot = after + 1; slot <= p->fresh && slot; slot++)
        if (slots_meta(p, slot)->generation & 1)
            return slot;
    return 0;
}
