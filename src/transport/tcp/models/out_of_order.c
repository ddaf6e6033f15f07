/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/out_of_order.h"
#include <string.h>
#include "base/seq.h"

static bool inside(struct range a, struct range b) { return seq_le(b.lo, a.lo) && seq_le(a.hi, b.hi); }

/* Keeps those of `recent` that pass; `first` of them stand in front already. */
static void ooo_recall(struct ooo *o, const struct range *newest)
{
    struct range kept[OOO_RECENT], held;
    uint32_t n = 0, fresh = 0;
    if (newest)
        kept[n++] = *newest, fresh = 1;
    for (uint32_t i = 0; i < o->nrecent && n < OOO_RECENT; i++) {
        if (newest ? inside(o->recent[i], *newest) : !ranges_holding(ooo_ranges(o), o->recent[i].lo, &held))
            continue;
        fresh |= (o->fresh >> i & 1) << n;
        kept[n++] = o->recent[i];
    }
    memcpy(o->recent, kept, n * sizeof kept[0]);
    o->nrecent = n;
    o->fresh = fresh;
}

void ooo_arrived(struct ooo *o, struct range merged) { ooo_recall(o, &merged); }

void ooo_duplicate(struct ooo *o, struct range r)
{
    struct range *last = &o->duplicates[OOO_DUPLICATES - 1];
    if (o->nduplicates < OOO_DUPLICATES)
        o->duplicates[o->nduplicates++] = r;
    else if (r.lo == last->hi)            /* one run as well as two: what is reported stays true */
        last->hi = r.hi;
}

/* Adds a block unless it is there already, or, from `first` on, something around it. */
static bool put(struct wire_tcp_opts *opts, unsigned *n, unsigned first, struct range r)
{
    for (unsigned i = first; i < *n; i++)
        if (opts->sack[i].lo == r.lo)
            return false;
    opts->sack[*n].lo = r.lo, opts->sack[*n].hi = r.hi;
    ++*n;
    return true;
}

unsigned ooo_report(struct ooo *o, struct wire_tcp_opts *opts, unsigned most)
{
    const struct ranges *r = ooo_ranges(o);
    unsigned n = 0;
    struct range held;
    if (most == 0)
        return 0;
    ooo_recall(o, NULL);                  /* what RCV.NXT has passed since, or was let go: RFC 2018 8-b */
    /* RFC 2883 4-a, 4-b, 4-c: first what came twice, each once, from its first byte to the one behind its last. */
    unsigned first = o->nduplicates ? 1 : 0;
    if (first) {
        struct range twice = o->duplicates[0];
        memmove(&o->duplicates[0], &o->duplicates[1], --o->nduplicates * sizeof twice);
        put(opts, &n, 0, twice);
        if (n < most && ranges_holding(r, twice.lo, &held))         /* RFC 2883 4-d: then the block that it is part of */
            put(opts, &n, first, held);
    }
    /* RFC 2018 4-e: the first block holds the segment that triggered this ACK. RFC 2018 4-g: then those that were the first before. */
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < o->nrecent && n < most; i++)
            if ((o->fresh >> i & 1) == 1 - pass && ranges_holding(r, o->recent[i].lo, &held)) {
                put(opts, &n, first, held);
                o->fresh &= ~(1u << i);
            }
    for (uint32_t i = 0; i < r->count && n < most; i++)             /* RFC 2018 4-f, RFC 2883 4-e: as many as there is room for */
        put(opts, &n, first, r->at[i]);
    return n;
}
