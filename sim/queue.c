/* SPDX-License-Identifier: MIT
 *
 * queue.c: the heap of queue.h.
 */
#include "sim/queue.h"
#include <stdio.h>
#include <stdlib.h>

static bool before(const struct sim_item *a, const struct sim_item *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

uint64_t queue_order(struct queue *q)
{
    return q->order++;
}

void queue_put(struct queue *q, const struct sim_item *item)
{
    struct sim_item new = *item;
    new.order = queue_order(q);
    queue_put_ordered(q, &new);
}

void queue_put_ordered(struct queue *q, const struct sim_item *item)
{
    if (q->n == q->capacity) {
        size_t capacity = q->capacity ? 2 * q->capacity : 64;
        struct sim_item *heap = realloc(q->heap, capacity * sizeof *heap);
        if (!heap) {
            fputs("sim: out of memory\n", stderr);
            abort();
        }
        q->heap = heap;
        q->capacity = capacity;
    }
    size_t i = q->n++;
    for (; i && before(item, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
        q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = *item;
}

const struct sim_item *queue_first(const struct queue *q)
{
    return q->n ? &q->heap[0] : NULL;
}

bool queue_take(struct queue *q, struct sim_item *out)
{
    if (!q->n) return false;
    *out = q->heap[0];
    struct sim_item last = q->heap[--q->n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->n) break;
        if (child + 1 < q->n && before(&q->heap[child + 1], &q->heap[child])) child++;
        if (before(&last, &q->heap[child])) break;
        q->heap[i] = q->heap[child];
        i = child;
    }
    if (q->n) q->heap[i] = last;
    return true;
}

void queue_free(struct queue *q)
{
    for (size_t i = 0; i < q->n; i++)
        packet_free(q->heap[i].in_order ? NULL : q->heap[i].packet);
    free(q->heap);
    *q = (struct queue){0};
}
