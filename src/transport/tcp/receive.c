/* SPDX-License-Identifier: MIT
 *
 * receive.c: what the receiving steps and output.c share: the record of what came early or twice.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

bool tcp_gaps_take(struct tcp_ctx *x, struct tcp *c)
{
    if (c->gaps)
        return true;
    c->gaps = slots_take(x->gaps);
    if (c->gaps)
        tcp_gaps(x, c)->capacity = x->config->gaps_per_conn_max;
    return c->gaps != 0;
}

void tcp_gaps_forget(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->gaps || !ooo_empty(tcp_ooo(x, c)))
        return;
    slots_give(x->gaps, c->gaps);
    c->gaps = 0;
}

/* RFC 2883 4: [lo, hi), of which everything below RCV.NXT counts that the peer can have sent: old numbers alone prove nothing. */
bool tcp_came_twice(struct tcp_ctx *x, struct tcp *c, uint32_t lo, uint32_t hi)
{
    uint64_t received = c->count.bytes_received + (c->fin_received ? 1 : 0);
    if (seq_lt(lo, c->rcv.nxt) && c->rcv.nxt - lo > received)
        lo = c->rcv.nxt - (uint32_t)received;
    if (!c->opt.sack_ok || !c->handle || !seq_lt(lo, hi) || !tcp_gaps_take(x, c))
        return false;
    ooo_duplicate(tcp_ooo(x, c), (struct range){lo, hi});
    delack_owe(&c->delack, PL_WHY_ACK_DSACK);
    return true;
}

/* Each segment owes one, because the peer counts them (RFC 5681 3.2). A peer with SACK needs no more than three to notice; what it is told is
 * in the options, and as many ACKs leave as these take. */
void tcp_owe_duplicate(struct tcp_ctx *x, struct tcp *c, enum pl_reason why)
{
    (void)x;
    delack_owe_duplicate(&c->delack, (uint16_t)why, c->opt.sack_ok ? 3 : 255);
}
