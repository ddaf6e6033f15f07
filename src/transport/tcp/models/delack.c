/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/delack.h"
#include <parley/trace.h>

void delack_owe(struct delack *d, uint16_t why)
{
    if (!d->now)
        d->now = 1;
    d->why = why;
}

void delack_owe_duplicate(struct delack *d, uint16_t why, uint8_t most)
{
    if (d->now < most)
        d->now++;
    d->why = why;
}

bool delack_text(struct delack *d, unsigned segs, bool full_or_pushed)
{
    /* MUST-58: one ACK for all that came. The duplicates owed spoke of an older RCV.NXT; one ACK of the new one says it all. */
    d->now = d->now ? 1 : 0;
    d->waiting = (uint8_t)(d->waiting + segs < 255 ? d->waiting + segs : 255);
    if (d->quick && full_or_pushed) {
        d->quick--;
        delack_owe(d, PL_WHY_ACK_NOW);
    } else if (d->waiting >= 2) {         /* RFC 9293 3.8.6.3, SHLD-19: at least every second segment */
        delack_owe(d, PL_WHY_ACK_SECOND);
    }
    return !d->now;
}

void delack_sent(struct delack *d)
{
    if (d->now)
        d->now--;
    d->waiting = 0;
}
