/* SPDX-License-Identifier: MIT
 *
 * user_timeout.c: the peer says how long it would wait for an acknowledgement, and hears how long we would: RFC 5482. Off unless the program or the
 * config switches it on. The option is advice: what becomes of a connection is life.c's, with the time that results.
 */
#include "transport/tcp/models/user_timeout.h"
#include "transport/tcp/tcp.h"

/* RFC 5482 3: ADV_UTO: what the program said, or the user timeout that it set, or the default: RFC 9293 3.9.1.1: five minutes. */
uint16_t user_timeout_advertised(const struct tcp_ctx *x, const struct tcp *c)
{
    if (c->adv_uto)
        return c->adv_uto;
    if (!c->uto_changeable && c->user_timeout_ms)
        return user_timeout_word(c->user_timeout_ms);
    return user_timeout_word(x->config->user_timeout ? tcp_ms(x->config->user_timeout) : 300000);
}

/* RFC 5482 3.1-a, 3.3-a: not where the program has chosen (CHANGEABLE), and only in the synchronised states. */
static void adopt(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->uto_changeable || !c->remote_uto || !tcp_synchronised(c))
        return;
    struct rtt_bounds b = tcp_rtt_bounds(x);
    struct user_timeout_wishes w = {.ours_ms = user_timeout_ms(user_timeout_advertised(x, c)), .theirs_ms = user_timeout_ms(c->remote_uto),
                                    .lower_ms = tcp_ms(x->config->user_timeout_min), .upper_ms = tcp_ms(x->config->user_timeout_max),
                                    .rto_ms = tcp_ms(rtt_rto(&c->rtt, &b))};
    uint32_t before = c->user_timeout_ms, both = user_timeout_both(&w);     /* RFC 5482 3.1-c */
    if (both == before)
        return;
    c->user_timeout_ms = both;
    c->uto_due = true;                    /* RFC 5482 3-d: told whenever a new one is used */
    tcp_trace(x, c, PL_TRACE_DECISION, PL_WHY_USER_TIMEOUT_ADOPTED, (int64_t)(before * PL_MS), (int64_t)(both * PL_MS));
}

void user_timeout_tell(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->uto_enabled)
        return;
    c->uto_due = true;                    /* RFC 5482 3-c: also in the first segment without SYN */
    adopt(x, c);
}

void user_timeout_arrives(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    uint16_t word = seg->opts.user_timeout;
    /* RFC 5482 3-b: nobody asked for it here; RFC 5482 3.4-b: zero of either unit is reserved */
    if (!c->uto_enabled || user_timeout_ms(word) == 0 || word == c->remote_uto)
        return;
    c->remote_uto = word;
    x->news |= PL_EV_USER_TIMEOUT;        /* RFC 5482 3.1-b */
    adopt(x, c);
}
