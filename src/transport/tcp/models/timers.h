/* SPDX-License-Identifier: MIT
 *
 * timers.h: the times at which a connection wants to act. Timers that exclude each other share one slot: the retransmission timer runs only
 * while something is outstanding, the persist timer only while nothing is (RFC 9293 3.8.6.1), and a SYN waits in the same slot. A loss probe and RACK's timer come before
 * the retransmission timer, which goes on behind them (tcp_flight.rto_at).
 */
#ifndef TCP_MODELS_TIMERS_H
#define TCP_MODELS_TIMERS_H

#include <parley/types.h>

enum tcp_timer {
    TIMER_RESEND,                         /* as `resend_is` says */
    TIMER_DELACK,
    TIMER_KEEPALIVE,
    TIMER_LIFE,                           /* user timeout, orphan's bound, FIN-WAIT-2 without owner, 2 MSL */
    TIMER_COUNT
};
enum tcp_resend { RESEND_OFF, RESEND_RTO, RESEND_PERSIST, RESEND_LOSS_PROBE, RESEND_REORDER };

struct tcp_timers {
    pl_time at[TIMER_COUNT];              /* 0: off */
    uint8_t resend_is;                    /* enum tcp_resend */
    uint8_t pad_[7];
};

void timers_set(struct tcp_timers *, enum tcp_timer, pl_time at);
void timers_set_resend(struct tcp_timers *, enum tcp_resend, pl_time at);
void timers_clear(struct tcp_timers *, enum tcp_timer);
/* The earliest; PL_NEVER: none runs. Less one, "off" is the latest time of all: no branch is needed. */
static inline pl_time timers_next(const struct tcp_timers *t)
{
    pl_time next = t->at[0] - 1;
    for (int i = 1; i < TIMER_COUNT; i++)
        next = t->at[i] - 1 < next ? t->at[i] - 1 : next;
    return next == PL_NEVER ? PL_NEVER : next + 1;
}
static inline bool timers_due(const struct tcp_timers *t, enum tcp_timer which, pl_time now) { return t->at[which] && t->at[which] <= now; }

#endif
