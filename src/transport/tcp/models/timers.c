/* SPDX-License-Identifier: MIT */
#include "transport/tcp/models/timers.h"

void timers_set(struct tcp_timers *t, enum tcp_timer which, pl_time at) { t->at[which] = at ? at : 1; }

void timers_set_resend(struct tcp_timers *t, enum tcp_resend what, pl_time at)
{
    t->resend_is = (uint8_t)what;
    timers_set(t, TIMER_RESEND, at);
}

void timers_clear(struct tcp_timers *t, enum tcp_timer which)
{
    t->at[which] = 0;
    if (which == TIMER_RESEND)
        t->resend_is = RESEND_OFF;
}
