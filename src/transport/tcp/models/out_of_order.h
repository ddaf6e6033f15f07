/* SPDX-License-Identifier: MIT
 *
 * out_of_order.h: text that arrived before the text in front of it: written in place into the receive stream, with a set of ranges that
 * says which bytes are there. RFC 9293 3.10.7.4 seventh; bounded in gaps (threats V35). The first data for a byte wins (V36).
 *
 * And what the peer is to be told of it: which of the ranges changed last (RFC 2018 4), and which bytes came twice (RFC 2883), also when there
 * is no gap. The record is pooled: a connection has one while text is held behind a gap or a duplicate waits to be reported.
 */
#ifndef TCP_MODELS_OUT_OF_ORDER_H
#define TCP_MODELS_OUT_OF_ORDER_H

#include "base/ranges.h"
#include "wire/tcp_opts.h"

enum { OOO_RECENT = 8, OOO_DUPLICATES = 8 };

struct ooo {                              /* its struct ranges follows */
    uint32_t nrecent, nduplicates;
    uint32_t fresh;                       /* bit i: recent[i] was in no SACK option yet */
    uint32_t owner;                       /* the connection's slot */
    struct range recent[OOO_RECENT];      /* as they were when text was added to them, the newest first */
    struct range duplicates[OOO_DUPLICATES];      /* to be reported, the oldest first */
};

static inline uint32_t ooo_bytes(uint32_t capacity) { return (uint32_t)sizeof(struct ooo) + ranges_bytes(capacity); }
static inline struct ranges *ooo_ranges(const struct ooo *o) { return (struct ranges *)(uintptr_t)(o + 1); }
/* Text was added; `merged` is the range that now holds it. */
void ooo_arrived(struct ooo *, struct range merged);
/* Bytes came that were there already. What finds no place is not reported: it is advice, RFC 2883 4. */
void ooo_duplicate(struct ooo *, struct range);
/* Is there something that no SACK option has told yet? */
static inline bool ooo_owes(const struct ooo *o) { return o->nduplicates || o->fresh; }
static inline bool ooo_empty(const struct ooo *o) { return !o->nduplicates && ooo_ranges(o)->count == 0; }
/* Fills in at most `most` blocks, and takes them for told. Returns how many. */
unsigned ooo_report(struct ooo *, struct wire_tcp_opts *, unsigned most);

#endif
