/* SPDX-License-Identifier: MIT
 *
 * explain_sender.c: what a sender is about, as sentences: the repair of a loss, doubts about it, the congestion control, pacing.
 */
#include "base/text.h"
#include "transport/tcp/tcp.h"

static void number(struct text *t, const char *before, uint64_t n, const char *after)
{
    text_put(t, before);
    text_u64(t, n);
    text_put(t, after);
}

static void repair(struct text *t, const struct tcp *c, const struct tcp_flight *f)
{
    if (f->in_recovery)
        number(t, "A loss is repaired, until ", c->recover - c->snd.una, " bytes more are acknowledged. ");
    if (f->in_rto_recovery)
        number(t, "The retransmission timer ran out: ", c->recover - c->snd.una, " bytes that were under way then are repaired. ");
    if (f->undo.frto == 2)
        text_put(t, "It may have been too early: the next acknowledgement shows. ");
    if (f->undo.frto == 3)
        text_put(t, "It may have been too early: new segments are sent to see. ");
    if (f->rack.probe_out)
        text_put(t, "A loss probe is under way. ");
    if (f->queue.sacked)
        number(t, "", f->queue.sacked, " bytes behind a gap have arrived. ");
}

static void reordering(struct text *t, const struct tcp_ctx *x, const struct tcp *c, const struct tcp_flight *f)
{
    if (!f->rack.reordering_seen)
        return;
    text_put(t, "Segments overtake each other on this path: what is missing may be late for ");
    text_duration(t, tcp_reo_wnd(x, c, f));
    text_put(t, ". ");
}

static void congestion(struct text *t, const struct tcp_ctx *x, const struct tcp *c, struct tcp_flight *f)
{
    struct pl_cc cc = c->cc;
    const char *doing = cc_describe((struct cc_call){.env = x->env, .cc = &cc, .state = f->cc_state, .algorithm = f->algorithm});
    text_put(t, "Congestion control: ");
    text_put(t, cc_name(x->env, f->algorithm));
    if (!f->in_recovery || f->cc_flags & PL_CC_OWN_RECOVERY) {           /* else the stack leads the window */
        text_put(t, *doing ? ", " : "");
        text_put(t, doing);
    }
    number(t, "; ", tcp_pipe(f), " bytes are under way");
    if (c->cc.cwnd < PL_CC_CWND_MAX)
        number(t, " of ", c->cc.cwnd, " that may be");
    text_put(t, ". ");
    if (c->cc.pacing_rate)
        number(t, "They are spread over time: ", c->cc.pacing_rate, f->validate.paced ? " bytes a second, because the window was not used lately. " : " bytes a second. ");
}

void tcp_explain_sender(const struct tcp_ctx *x, const struct tcp *c, struct text *t)
{
    struct tcp_flight *f = tcp_flight(x, c);
    if (!f)
        return;
    repair(t, c, f);
    reordering(t, x, c, f);
    congestion(t, x, c, f);
}
