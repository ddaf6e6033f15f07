/* SPDX-License-Identifier: MIT
 *
 * list.c: lists of numbers. A node that is on no list is all zero.
 */
#include "base/list.h"
#include "base/check.h"

void list_append(struct list *l, struct list_node *nodes, uint32_t id, uint32_t on)
{
    CHECK(id && on && nodes[id].on == 0);
    nodes[id] = (struct list_node){.next = 0, .prev = l->tail, .on = on};
    if (l->tail)
        nodes[l->tail].next = id;
    else
        l->head = id;
    l->tail = id;
    l->count++;
}

void list_remove(struct list *l, struct list_node *nodes, uint32_t id)
{
    CHECK(id && nodes[id].on && l->count);
    struct list_node n = nodes[id];
    if (n.prev)
        nodes[n.prev].next = n.next;
    else
        l->head = n.next;
    if (n.next)
        nodes[n.next].prev = n.prev;
    else
        l->tail = n.prev;
    l->count--;
    nodes[id] = (struct list_node){0, 0, 0};
}

uint32_t list_pop(struct list *l, struct list_node *nodes)
{
    uint32_t id = l->head;
    if (id)
        list_remove(l, nodes, id);
    return id;
}
