/* SPDX-License-Identifier: MIT
 *
 * net.c: what the files beside it share: chunks that were handed out, and moving all kept times.
 *
 * A datagram leaves its queue when pl_tx has written it, but the frame's spans still point into its chunks until the next other door, and a
 * driver may pin them for longer. So the chunks are pinned, given back (they leave the queue but not yet for the pool), and unpinned at that
 * next door.
 */
#include "stack/net.h"

void net_spend(pl_stack *s, uint32_t chunk)
{
    chunks_pin(&s->pools.chunks, chunk);
    chunks_give(&s->pools.chunks, chunk);
    net_spent_add(s, chunk);
}

void net_spent_add(pl_stack *s, uint32_t chunk)
{
    chunks_meta(&s->pools.chunks, chunk)->next = s->spent;
    s->spent = chunk;
}

void net_reap(pl_stack *s)
{
    bool freed = s->spent != 0;
    while (s->spent) {
        uint32_t chunk = s->spent;
        struct chunk_meta *m = chunks_meta(&s->pools.chunks, chunk);
        s->spent = m->next;
        m->next = 0;
        chunks_unpin(&s->pools.chunks, chunk);
    }
    if (freed)
        wake_chunk_waiters(s);
}

void net_shift_time(pl_stack *s, pl_time by)
{
    pmtu_shift(&s->paths, by);
    for (uint32_t slot = slots_next(&s->neighbors, 0); slot; slot = slots_next(&s->neighbors, slot))
        nud_shift(&neighbor_at(s, slot)->nud, by);
    for (uint32_t slot = slots_next(&s->ifaces, 0); slot; slot = slots_next(&s->ifaces, slot)) {
        struct iface *i = slots_at(&s->ifaces, slot);
        i->error_limit += by;
        i->rst_limit += by;
    }
}
