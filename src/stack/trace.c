/* SPDX-License-Identifier: MIT
 *
 * trace.c: counting, and telling the trace sink. One call site for each: counters and trace can never disagree.
 */
#include "stack/net.h"

void trace_in(pl_stack *s, const struct packet *p)
{
    if (p->drop) {
        struct iface *i = stack_iface(s, p->iface);
        s->counters.drops[p->drop]++;
        if (i)
            i->drops++;
    }
    if (!s->env->trace)
        return;
    struct pl_trace_event e = {.now = s->now, .kind = PL_TRACE_IN, .state_before = p->state_before, .state_after = p->state_after, .protocol = p->protocol,
                               .drop = p->drop, .iface = p->iface, .nspans = p->frame->nspans, .conn = p->conn, .cookie = p->cookie,
                               .local = {.addr = p->dst, .port = p->dst_port}, .remote = {.addr = p->src, .port = p->src_port},
                               .seg = p->has_seg ? &p->seg : NULL, .frame = p->frame->span, .frame_bytes = p->frame_bytes,
                               .gso_size = p->frame->gso_size};
    s->counters.trace_events++;
    s->env->trace(s->env->trace_user, &e);
}

void trace_count_out(pl_stack *s, struct iface *i, uint32_t bytes, uint16_t why)
{
    CHECK(why < PL_WHY_SENT_COUNT);
    s->counters.sent[why]++;
    i->tx_frames++;
    i->tx_bytes += bytes;
}

void trace_out(pl_stack *s, int iface, const struct pl_frame *f, const struct trace_out *o)
{
    uint32_t bytes = 0;
    for (unsigned n = 0; n < f->nspans; n++)
        bytes += (uint32_t)f->span[n].len;
    trace_count_out(s, stack_iface(s, iface), bytes, o->why);
    if (!s->env->trace)
        return;
    struct pl_trace_event e = {.now = s->now, .kind = PL_TRACE_OUT, .state_before = o->state, .state_after = o->state, .protocol = o->protocol, .why = o->why,
                               .iface = iface, .nspans = f->nspans, .conn = o->conn, .cookie = o->cookie, .local = o->local, .remote = o->remote,
                               .seg = o->seg, .frame = f->span, .frame_bytes = bytes, .gso_size = f->gso_size};
    s->counters.trace_events++;
    s->env->trace(s->env->trace_user, &e);
}

void trace_drop(pl_stack *s, int iface, enum pl_drop drop)
{
    struct iface *i = stack_iface(s, iface);
    s->counters.drops[drop]++;
    if (i)
        i->drops++;
}
