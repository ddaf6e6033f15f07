/* SPDX-License-Identifier: MIT
 *
 * deadlines.c: when each record wants to be called, and who has something to send.
 *
 * A ref is on one list at most: an interface's queue, or parked on a neighbour. Its deadline in the wheel is lazy: it may be earlier than what
 * the record wants, never later; when it fires, the record is asked again.
 */
#include "stack/net.h"

enum { ON_IFACE = 1, ON_LISTENER = 0x20000000, ON_NEIGHBOR = 0x40000000 };     /* list numbers: ON_IFACE + interface, the others + slot */

static struct list *list_of(pl_stack *s, uint32_t on)
{
    if (on >= ON_NEIGHBOR)
        return &neighbor_at(s, on - ON_NEIGHBOR)->parked;
    if (on >= ON_LISTENER)
        return &((struct listener *)slots_at(&s->listeners, on - ON_LISTENER))->incoming;
    return &stack_iface(s, (int32_t)(on - ON_IFACE))->queue;
}

void ref_deadline(pl_stack *s, uint32_t ref, pl_time when)
{
    if (when < wheel_when(&s->wheel, ref))
        wheel_set(&s->wheel, ref, when);
}

void ref_ready(pl_stack *s, uint32_t ref, int iface)
{
    struct list_node *nodes = stack_ready_nodes(s);
    if (nodes[ref].on)
        return;
    struct iface *i = stack_iface(s, iface);
    if (i)
        list_append(&i->queue, nodes, ref, ON_IFACE + (uint32_t)iface);
}

void ref_park(pl_stack *s, uint32_t ref, uint32_t neighbor)
{
    struct list_node *nodes = stack_ready_nodes(s);
    if (nodes[ref].on == 0)
        list_append(&neighbor_at(s, neighbor)->parked, nodes, ref, ON_NEIGHBOR + neighbor);
}

void ref_undecided(pl_stack *s, uint32_t ref, uint32_t listener)
{
    list_append(&((struct listener *)slots_at(&s->listeners, listener))->incoming, stack_ready_nodes(s), ref, ON_LISTENER + listener);
}

void ref_unqueue(pl_stack *s, uint32_t ref)
{
    struct list_node *nodes = stack_ready_nodes(s);
    if (nodes[ref].on)
        list_remove(list_of(s, nodes[ref].on), nodes, ref);
}

void ref_off(pl_stack *s, uint32_t ref)
{
    ref_unqueue(s, ref);
    wheel_clear(&s->wheel, ref);
}

void refs_requeue(pl_stack *s, struct list *parked, int iface)
{
    struct list_node *nodes = stack_ready_nodes(s);
    for (uint32_t ref; (ref = list_pop(parked, nodes)) != 0;)
        ref_ready(s, ref, iface);
}

void refs_forget(pl_stack *s, int iface)
{
    while (list_pop(&stack_iface(s, iface)->queue, stack_ready_nodes(s))) {
    }
}

void deadlines_run(pl_stack *s)
{
    for (uint32_t ref; (ref = wheel_pop(&s->wheel, s->now)) != 0;) {
        enum flow_kind kind = flow_kind_of(&s->flows, ref);
        uint32_t slot = ref - s->flows.first[kind];
        if (kind == FLOW_CONN)
            conn_fires(s, slot);
        else if (kind == FLOW_HALF_OPEN)
            half_open_fires(s, slot);
        else if (kind == FLOW_TIME_WAIT)
            time_wait_fires(s, slot);
        else if (kind == FLOW_NEIGHBOR)
            neighbor_fires(s, slot);
    }
}

bool stack_has_output(const pl_stack *s)
{
    for (uint32_t n = 0; n < s->ifaces.fresh; n++) {
        const struct iface *i = stack_iface(s, (int32_t)n);
        if (i && i->ready && (i->queue.count || owed_pending(s, (int)n)))
            return true;
    }
    return false;
}

void pl_poll(pl_stack *s, pl_time now)
{
    stack_now(s, now);
    net_reap(s);
    deadlines_run(s);
    wake_chunk_waiters(s);
}

pl_time pl_deadline(const pl_stack *s)
{
    if (s->events.count || stack_has_output(s))
        return 0;
    return wheel_next(&s->wheel);
}
