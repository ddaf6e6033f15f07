/* SPDX-License-Identifier: MIT
 *
 * ladder_private.h: what ladder_events.c (what happened), ladder.c (what may be one row) and ladder_rows.c (how a row looks) share.
 */
#ifndef VIEW_LADDER_PRIVATE_H
#define VIEW_LADDER_PRIVATE_H

#include "view/decode.h"
#include "view/ladder.h"

#define LADDER_UNKNOWN 0xff               /* a state that nobody told */
#define NO_ITEM SIZE_MAX

enum ladder_fate { FATE_FLYING, FATE_ARRIVED, FATE_LOST };

struct ladder_frame {
    unsigned from;                        /* side */
    uint64_t id;                          /* 0: no note told it yet */
    uint32_t copy;
    pl_time sent, arrived;
    struct pl_trace_segment seg;
    bool has_seg, delayed, corrupted, injected;
    bool foreign;                         /* nobody told of its sending: injected, copied, or from an untraced side */
    uint8_t protocol, fate;
    uint16_t why, drop;
    uint32_t bytes;
    pl_time extra;
    const char *lost_why;
    struct pl_endpoint source, destination;
    unsigned stream;                      /* which connection, from 0 in order of appearance */
    uint8_t state[2];                     /* of each side after the frame (of the receiver: before, while it is under way) */
    bool changed[2];
    size_t send_item, arrive_item;        /* absolute numbers of their items */
    size_t checked;                       /* items up to here were found harmless */
    bool tangled;                         /* cannot be one row */
};

enum item_kind { ITEM_SEND, ITEM_ARRIVE, ITEM_STATE, ITEM_TIMER, ITEM_DECISION, ITEM_SAY };

struct ladder_item {
    uint8_t kind, side, state_before, state_after;
    bool done;                            /* told by another row */
    uint16_t why;
    pl_time now;
    size_t frame;                         /* absolute number */
    struct pl_endpoint local, remote;
    int64_t a, b;
    char *text;                           /* ITEM_SAY */
};

struct ladder_known {                     /* the last state of one end of one connection */
    unsigned side, stream;
    struct pl_endpoint local, remote;
    uint8_t state;
};

struct ladder {
    struct ladder_opts opts;
    char name[2][32];
    bool titled;
    pl_time latest;
    /* Both are queues in one array: absolute number n stands at index n - base. */
    struct ladder_item *item;
    size_t items, item_capacity, item_base, item_first;
    struct ladder_frame *frame;
    size_t frames, frame_capacity, frame_base;
    struct ladder_known *known;
    size_t knowns, known_capacity;
    unsigned streams;
    uint8_t state[2];                     /* as told by ladder_set_state */
    size_t arriving[2];                   /* frame about to arrive at that side, NO_ITEM */
};

/* ladder.c */
/* Room for `need` elements; ends the program when there is none. */
void *ladder_grown(void *array, size_t *capacity, size_t need, size_t size);
struct ladder_item *ladder_item_at(struct ladder *, size_t number);
struct ladder_frame *ladder_frame_at(struct ladder *, size_t number);
size_t ladder_items_end(const struct ladder *);
size_t ladder_item_add(struct ladder *, const struct ladder_item *);              /* its number */
size_t ladder_frame_add(struct ladder *, const struct ladder_frame *);
void ladder_print(struct ladder *, bool force);        /* from the front, as far as it is known what became of things; force: all */

/* ladder_rows.c: each prints and forgets nothing. */
enum row_form { ROW_WHOLE, ROW_LOST, ROW_LEAVES, ROW_ARRIVES };
void row_frame(struct ladder *, const struct ladder_frame *, enum row_form);
void row_item(struct ladder *, const struct ladder_item *);

#endif
