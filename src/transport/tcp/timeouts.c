/* SPDX-License-Identifier: MIT
 *
 * timeouts.c: RFC 9293 3.10.8: the timers of a connection. TIME-WAIT's belongs to its entry, in the stack.
 */
#include "transport/tcp/tcp.h"

void tcp_timeouts(struct tcp_ctx *x, struct tcp *c)
{
    if (timers_due(&c->timers, TIMER_LIFE, x->now))
        life_fires(x, c);
    if (timers_due(&c->timers, TIMER_RESEND, x->now)) {
        struct tcp_seen seen;
        bool listens = x->env->trace != NULL;
        if (listens)
            tcp_look(x, c, &seen);
        if (!c->syn_acked)
            handshake_timeout(x, c);
        else if (c->timers.resend_is == RESEND_PERSIST)
            persist_fires(x, c);
        else if (c->timers.resend_is == RESEND_LOSS_PROBE)
            tcp_recovery_probe_fires(x, c);
        else if (c->timers.resend_is == RESEND_REORDER)
            tcp_recovery_reorder_fires(x, c);
        else
            rto_fires(x, c);
        if (listens)
            tcp_tell(x, c, &seen);
    }
    if (timers_due(&c->timers, TIMER_DELACK, x->now)) {
        timers_clear(&c->timers, TIMER_DELACK);
        if (c->delack.waiting)
            delack_owe(&c->delack, PL_WHY_ACK_DELAYED);
    }
    if (timers_due(&c->timers, TIMER_KEEPALIVE, x->now))
        keepalive_fires(x, c);
}
