/* SPDX-License-Identifier: MIT
 *
 * events.c: what the program is told: polled, and coalesced per handle. The pending bits are the `on` of the handle's list node.
 */
#include "stack/net.h"

void event_post(pl_stack *s, uint32_t ref, uint32_t bits)
{
    struct list_node *nodes = stack_event_nodes(s);
    if (!bits)
        return;
    if (nodes[ref].on)
        nodes[ref].on |= bits;
    else
        list_append(&s->events, nodes, ref, bits);
}

void event_drop(pl_stack *s, uint32_t ref)
{
    struct list_node *nodes = stack_event_nodes(s);
    if (nodes[ref].on)
        list_remove(&s->events, nodes, ref);
}

/* RFC 9293 3.9.1.8: events wait until they are asked for; a program that does not want them does not ask (SHLD-20). */
bool pl_event_next(pl_stack *s, struct pl_event *e)
{
    struct list_node *nodes = stack_event_nodes(s);
    net_reap(s);                          /* the memory of frames that have gone may be what somebody waits for, and no other door be wanted for long */
    uint32_t ref = s->events.head;
    if (!ref)
        return false;
    enum flow_kind kind = flow_kind_of(&s->flows, ref);
    uint32_t slot = ref - s->flows.first[kind];
    *e = (struct pl_event){.bits = nodes[ref].on};
    list_remove(&s->events, nodes, ref);
    if (kind == FLOW_CONN) {
        e->handle = conn_at(s, slot)->handle;
        e->cookie = conn_at(s, slot)->cookie;
    } else if (kind == FLOW_LISTENER) {
        e->handle = handle_of(HANDLE_LISTENER, &s->listeners, slot);
        e->cookie = ((struct listener *)slots_at(&s->listeners, slot))->cookie;
    } else {
        e->handle = handle_of(HANDLE_UDP, &s->udps, slot);
        e->cookie = udp_at(s, slot)->cookie;
    }
    return true;
}

uint32_t handle_slot(const pl_stack *s, pl_handle h, enum handle_kind kind)
{
    const struct slots *const pools[] = {[HANDLE_CONN] = &s->pools.conns, [HANDLE_LISTENER] = &s->listeners, [HANDLE_UDP] = &s->udps, [HANDLE_INCOMING] = &s->half_opens};
    const struct slots *pool = pools[kind];
    uint32_t slot = (uint32_t)h & 0x3fffffff;
    if (((uint32_t)h >> 30) != (uint32_t)kind || slot == 0 || slot > pool->capacity || !slots_live(pool, slot) ||
        slots_generation(pool, slot) != (uint32_t)(h >> 32))
        return 0;
    if (kind == HANDLE_CONN && (conn_at(s, slot)->orphan || conn_at(s, slot)->listener))
        return 0;                         /* given back, or not accepted yet */
    if (kind == HANDLE_INCOMING && !(((const struct half_open *)slots_at(pool, slot))->flags & HALF_DEFERRED))
        return 0;                         /* decided */
    return slot;
}
