/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/out_of_order.h"

unsigned ooo_sack_blocks(const struct ranges *r, struct ooo_recent newest, struct wire_tcp_opts *o, unsigned most)
{
    unsigned n = 0;
    /* RFC 2018 4-e: the first block holds the segment that triggered this ACK. */
    for (uint32_t i = 0; i < r->count && n == 0; i++)
        if (seq_le(r->at[i].lo, newest.lo) && seq_ge(r->at[i].hi, newest.hi) && newest.lo != newest.hi && n < most)
            o->sack[n].lo = r->at[i].lo, o->sack[n].hi = r->at[i].hi, n++;
    for (uint32_t i = 0; i < r->count && n < most; i++) {           /* RFC 2018 4-f */
        if (n && r->at[i].lo == o->sack[0].lo)
            continue;
        o->sack[n].lo = r->at[i].lo, o->sack[n].hi = r->at[i].hi, n++;
    }
    return n;
}
