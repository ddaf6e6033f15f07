/* SPDX-License-Identifier: MIT
 *
 * list.h: first-in first-out lists of numbers 1..n whose nodes lie in an array; a number is on one list at most. All zero = empty.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdint.h>

struct list_node {
    uint32_t next, prev;
    uint32_t on;                          /* which list: the caller's number, 0 = none */
};

struct list {
    uint32_t head, tail, count;
};

/* `nodes` is the array's element 1 minus one: nodes[id] is id's node. `on` != 0 names the list. */
void list_append(struct list *, struct list_node *nodes, uint32_t id, uint32_t on);
void list_remove(struct list *, struct list_node *nodes, uint32_t id);
uint32_t list_pop(struct list *, struct list_node *nodes);          /* 0: empty */

#endif
