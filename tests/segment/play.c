/* SPDX-License-Identifier: MIT */
#include "segment/play.h"

#include <stdio.h>

#include "base/seq.h"
#include "support/unit.h"

static char said[300];
#define WRONG(...) (snprintf(said, sizeof said, __VA_ARGS__), said)

struct outcome {
    struct forged in, out;
    enum pl_drop drop;
    uint16_t why;                         /* enum pl_reason of the answer */
    bool any, more;                       /* an answer; more than one */
    enum pl_state state;
    uint32_t events, accepts;             /* bits of the connection's and the listener's events */
    pl_time until;                        /* the TIME-WAIT entry's, before */
    uint32_t held;                        /* behind gaps, before */
};

/* ------------------------------------------------------------ the segment goes in ------------------------------------------------------------ */

static bool has(const struct forged *f, uint8_t flag) { return f->flags & flag; }

static void to_stack(struct scene *s, struct outcome *o)
{
    uint8_t frame[FORGE_BYTES_MAX];
    struct pl_frame f;
    size_t n = forge_tcp(frame, &o->in);
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){frame, n};
    f.nspans = 1;
    s->v.drop = PL_DROP_COUNT;
    assert_int_equal(pl_rx(s->v.s, 0, &f, 1, s->v.now), PL_OK);
    o->drop = (enum pl_drop)s->v.drop;
    o->any = victim_take(&s->v, &o->out);
    o->why = s->v.why;
}

/* The state that the one record is in. */
static enum pl_state state_of(const struct scene *s)
{
    uint32_t counts[PL_STATE_COUNT];
    pl_states(s->v.s, counts);
    for (unsigned n = PL_SYN_SENT; n < PL_STATE_COUNT; n++)
        if (counts[n])
            return (enum pl_state)n;
    return s->listens ? PL_LISTEN : PL_CLOSED;
}

/* The same for the full twin of a TIME-WAIT entry, which the stack itself never makes: it is thawed here, and input and output are asked directly. */
static void to_twin(struct scene *s, struct outcome *o)
{
    struct tcp_ctx x = stack_tcp_ctx(s->v.s);
    struct time_wait *w = scene_entry(s);
    struct tcp c;
    uint8_t text[FORGE_BYTES_MAX] = {0};
    struct pl_span span = {text, sizeof text}, spans[PL_SPANS];
    struct tcp_out out;
    const struct forged *in = &o->in;
    struct tcp_seg seg = {.seq = in->seq, .ack = in->ack, .text = (uint32_t)in->text_bytes, .wnd = in->wnd, .wnd_raw = in->wnd, .up = in->up,
                          .flags = in->flags, .segs = 1, .opts = in->opts, .spans = &span, .nspans = 1};
    seg.len = seg.text + has(in, PL_SYN) + has(in, PL_FIN);
    assert_true(scratch_init(s->v.s, &x, &w->flow, NULL, &c));
    c.flow.kind = FLOW_CONN;
    time_wait_thaw(&x, w, &c);
    c.snd.max_wnd = s->snd.max_wnd;       /* the entry does not remember it */
    o->drop = tcp_input(&x, &c, &seg);
    o->state = (enum pl_state)c.state;
    o->events = x.news;
    assert_false(x.reply.due);
    struct tcp_want want = tcp_want(&x, &c, 0);
    o->any = want.what != WANT_NOTHING && want.when <= x.now;
    if (!o->any)
        return;
    tcp_build(&x, &c, &want, &out, spans, PL_SPANS);
    o->out = (struct forged){.src = s->peer.victim, .dst = s->peer.at, .seq = out.seq, .ack = out.ack, .flags = out.flags,
                              .text_bytes = out.text, .opts = out.opts};
    o->why = want.why;
    o->more = tcp_want(&x, &c, 0).when <= x.now;
}

/* ------------------------------------------------------------ what comes of it ------------------------------------------------------------ */

static bool is_one_of(uint16_t why, const uint16_t *list, unsigned n)
{
    while (n-- > 0)
        if (list[n] == why)
            return true;
    return false;
}

static bool why_fits(enum table_answer answer, uint16_t why)
{
    static const uint16_t ack[] = {PL_WHY_ACK_NOW, PL_WHY_ACK_SECOND, PL_WHY_ACK_FIN, PL_WHY_ACK_GAP_FILLED, PL_WHY_ACK_HANDSHAKE};
    static const uint16_t again[] = {PL_WHY_ACK_DUPLICATE, PL_WHY_ACK_OUT_OF_ORDER, PL_WHY_ACK_TIME_WAIT, PL_WHY_ACK_TOO_NEW};
    static const uint16_t syn_ack[] = {PL_WHY_SYN_ACK_ANSWER, PL_WHY_SYN_ACK_REPEAT, PL_WHY_SYN_ACK_CROSSED};
    static const uint16_t rst[] = {PL_WHY_RST_CLOSED, PL_WHY_RST_REFUSED, PL_WHY_RST_BAD_ACK};
    switch (answer) {
    case ANSWER_ACK: return is_one_of(why, ack, COUNT_OF(ack));
    case ANSWER_ACK_DELAYED: return why == PL_WHY_ACK_DELAYED;
    case ANSWER_ACK_AGAIN: return is_one_of(why, again, COUNT_OF(again));
    case ANSWER_CHALLENGE: return why == PL_WHY_ACK_CHALLENGE;
    case ANSWER_SYN_ACK: return is_one_of(why, syn_ack, COUNT_OF(syn_ack));
    case ANSWER_NEW_SYN_ACK: return why == PL_WHY_SYN_ACK_ANSWER;
    case ANSWER_RST_OF_NXT: return why == PL_WHY_RST_DATA_AFTER_CLOSE;
    default: return is_one_of(why, rst, COUNT_OF(rst));
    }
}

static uint32_t text_taken(const struct scene *s, const struct table_row *r) { return r->told & TOLD_WINDOW_FULL ? s->rcv.wnd : r->bytes; }

/* No SYN was received yet: what the segment tells holds from now on. */
static bool begins(const struct scene *s, const struct table_row *r)
{
    return strcmp(s->is.state, "LISTEN") == 0 || strcmp(s->is.state, "SYN-SENT") == 0 || r->answer == ANSWER_NEW_SYN_ACK;
}

/* RCV.NXT after the segment. */
static uint32_t rcv_nxt(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    return (begins(s, r) ? o->in.seq + 1 : s->rcv.nxt) + text_taken(s, r) + r->kept + (r->told & TOLD_END ? 1 : 0);
}

static const char *answer_wrong(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    const struct forged *in = &o->in, *out = &o->out;
    uint32_t len = (uint32_t)in->text_bytes + has(in, PL_SYN) + has(in, PL_FIN), seq = s->snd.nxt, ack = rcv_nxt(s, o, r);
    uint8_t flags = PL_ACK;
    if (r->answer == ANSWER_NOTHING || !o->any)
        return o->any == (r->answer != ANSWER_NOTHING) ? NULL : o->any ? "an answer where silence is due" : "silence where an answer is due";
    if (o->more)
        return "more than one answer";
    switch (r->answer) {
    case ANSWER_SYN_ACK: flags = PL_SYN | PL_ACK, seq = s->is.iss; break;
    case ANSWER_NEW_SYN_ACK:              /* RFC 9293 3.6.1: above everything of the old connection; behind the first window is far enough */
        flags = PL_SYN | PL_ACK;
        seq = seq_gt(out->seq, s->snd.nxt) ? out->seq : s->snd.nxt + 1;
        break;
    case ANSWER_RST_OF_ACK: flags = PL_RST, seq = in->ack, ack = 0; break;
    case ANSWER_RST_OF_SEQ: flags = PL_RST | PL_ACK, seq = 0, ack = in->seq + len; break;
    case ANSWER_RST_OF_NXT: flags = PL_RST, ack = 0; break;
    default: break;
    }
    if (memcmp(&out->src, &in->dst, sizeof in->dst) != 0 || memcmp(&out->dst, &in->src, sizeof in->src) != 0)
        return "the answer goes elsewhere";
    if (out->flags != flags || out->seq != seq || out->ack != ack || out->text_bytes)
        return WRONG("answered <SEQ=%u><ACK=%u> flags %02x and %zu bytes; due is <SEQ=%u><ACK=%u> flags %02x", out->seq, out->ack, out->flags, out->text_bytes,
                     seq, ack, flags);
    if (!why_fits(r->answer, o->why))
        return WRONG("answered because of %s", pl_reason_name((enum pl_reason)o->why));
    return NULL;
}

/* RFC 7323 5.2: a RST that answers a segment with timestamps has them, too: no clock, and the segment's own echoed. One of a connection has its normal ones. */
static const char *reset_timestamps_wrong(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    bool own = r->answer == ANSWER_RST_OF_NXT, due = own ? s->agreed : (o->in.opts.have & WIRE_OPT_TIMESTAMPS) != 0;
    if (due != ((o->out.opts.have & WIRE_OPT_TIMESTAMPS) != 0))
        return due ? "the RST lacks timestamps" : "the RST has timestamps that are not due";
    if (due && !own && (o->out.opts.ts_val || o->out.opts.ts_ecr != o->in.opts.ts_val))
        return WRONG("the RST has timestamps %u and %u; due are 0 and %u", o->out.opts.ts_val, o->out.opts.ts_ecr, o->in.opts.ts_val);
    return NULL;
}

/* RFC 7323 3.2, 4.3: in everything but a RST, once agreed, and only then; it echoes what was newest when a segment at the left edge was accepted. */
static const char *timestamps_wrong(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    bool offered = s->is.stamps >= STAMPS_LATE && o->in.opts.have & WIRE_OPT_TIMESTAMPS, first = begins(s, r);
    bool due = first ? offered : s->agreed;
    bool taken = o->drop == PL_DROP_NONE || o->drop == PL_DROP_TCP_AFTER_FIN;
    uint32_t echo = s->is.ts;
    if (!o->any)
        return NULL;
    if (has(&o->out, PL_RST))
        return reset_timestamps_wrong(s, o, r);
    if (due != ((o->out.opts.have & WIRE_OPT_TIMESTAMPS) != 0))
        return due ? "the answer lacks timestamps" : "the answer has timestamps that were not agreed";
    if (first || (taken && s->is.stamps == STAMPS_NEWER && seq_le(o->in.seq, s->rcv.nxt)))
        echo = o->in.opts.ts_val;
    return !due || o->out.opts.ts_ecr == echo ? NULL : WRONG("the answer echoes timestamp %u; due is %u", o->out.opts.ts_ecr, echo);
}

static uint32_t events_due(const struct scene *s, const struct table_row *r)
{
    static const struct { unsigned told; uint32_t bits; } of[] = {
        {TOLD_OPENED, PL_EV_CONNECTED | PL_EV_WRITABLE}, {TOLD_END, PL_EV_READABLE | PL_EV_PEER_FINISHED}, {TOLD_URGENT, PL_EV_URGENT},
        {TOLD_CLOSED, PL_EV_CLOSED}, {TOLD_RESET, PL_EV_CLOSED | PL_EV_ERROR}, {TOLD_REFUSED, PL_EV_CLOSED | PL_EV_ERROR},
        {TOLD_WINDOW_FULL, PL_EV_READABLE}};
    uint32_t bits = r->bytes || (r->told & TOLD_OPENED && s->unread) ? PL_EV_READABLE : 0;
    for (unsigned n = 0; n < COUNT_OF(of); n++)
        bits |= r->told & of[n].told ? of[n].bits : 0;
    return bits;
}

/* What the program can read must be what it has not read yet and what came now. */
static const char *text_wrong(struct scene *s, const struct outcome *o, const struct table_row *r, pl_conn c)
{
    uint8_t text[4096];
    bool made = strncmp(s->is.state, "SYN-", 4) != 0 || r->told & (TOLD_OPENED | TOLD_TO_ACCEPT);      /* before, nothing is told: RFC 9293 3.5 */
    uint32_t sum = 0, due = (made ? s->unread : 0) + text_taken(s, r), seq = s->unread ? s->unread_seq : begins(s, r) ? o->in.seq + 1 : s->rcv.nxt;
    ptrdiff_t n;
    while ((n = pl_recv(s->v.s, c, text, sizeof text)) > 0)
        for (ptrdiff_t i = 0; i < n; i++, sum++)
            if (text[i] != scene_byte(seq + sum))
                return WRONG("byte %u to read is not the peer's", sum);
    if (sum != due)
        return WRONG("%u bytes to read; due are %u", sum, due);
    if (r->told & TOLD_END && n != 0)
        return "the end of the stream is not told";
    int error = r->told & TOLD_RESET ? PL_ECONNRESET : r->told & TOLD_REFUSED ? PL_ECONNREFUSED : 0;
    if (pl_error(s->v.s, c) != error)
        return WRONG("the error is %d; due is %d", pl_error(s->v.s, c), error);
    return NULL;
}

static const char *program_wrong(struct scene *s, const struct outcome *o, const struct table_row *r)
{
    uint32_t due = events_due(s, r), may = due & PL_EV_CLOSED ? PL_EV_READABLE | PL_EV_WRITABLE : 0;
    pl_conn c = s->peer.c;
    if ((o->accepts == PL_EV_ACCEPTABLE) != ((r->told & TOLD_TO_ACCEPT) != 0))
        return WRONG("events of the listener: %x", o->accepts);
    if (s->orphan)
        return o->events ? "events without a handle" : NULL;
    if (!(r->told & TOLD_TO_ACCEPT) && (o->events & ~may) != (due & ~may))
        return WRONG("events %x; due are %x", o->events, due);
    if (s->twin)
        return NULL;
    if (r->told & TOLD_TO_ACCEPT && pl_accept(s->v.s, s->v.listener, &c, NULL) != PL_OK)
        return "no connection to accept";
    return c ? text_wrong(s, o, r, c) : NULL;
}

/* RFC 9293 3.10.7.4 fifth: "If SND.UNA =< SEG.ACK =< SND.NXT, the send window should be updated. If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and
 * SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND": for each segment that comes past the ACK. */
static uint32_t window_due(const struct scene *s, const struct outcome *o)
{
    const struct forged *in = &o->in;
    bool past = o->drop == PL_DROP_NONE || o->drop == PL_DROP_TCP_AFTER_FIN, fits = seq_le(s->snd.una, in->ack) && seq_le(in->ack, s->snd.nxt);
    bool newer = seq_lt(s->snd.wl1, in->seq) || (s->snd.wl1 == in->seq && seq_le(s->snd.wl2, in->ack));
    return past && fits && newer ? in->wnd : s->snd.wnd;
}

static const char *numbers_wrong(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    const struct tcp *c = scene_conn(s);
    uint32_t una = r->told & TOLD_ACKED ? o->in.ack : r->told & (TOLD_OPENED | TOLD_TO_ACCEPT) ? s->snd.nxt : s->snd.una, nxt = rcv_nxt(s, o, r);
    if (s->twin || !c)
        return NULL;
    bool held = o->state != PL_CLOSED && scene_held(s) > o->held;
    if (c->state > PL_SYN_SENT && c->rcv.nxt != nxt)
        return WRONG("RCV.NXT is %u; due is %u", c->rcv.nxt, nxt);
    if (c->snd.una != una)
        return WRONG("SND.UNA is %u; due is %u", c->snd.una, una);
    if (held != ((r->told & TOLD_HELD) != 0))
        return WRONG("%u bytes are held behind gaps, %u before", scene_held(s), o->held);
    if (s->snd.wnd && c->state != PL_CLOSED && !s->entry && c->snd.wnd != window_due(s, o))
        return WRONG("SND.WND is %u; due is %u", c->snd.wnd, window_due(s, o));
    if (r->told & (TOLD_OPENED | TOLD_TO_ACCEPT) && c->snd.wnd != o->in.wnd)
        return WRONG("SND.WND is %u after the handshake; due is %u", c->snd.wnd, o->in.wnd);
    return NULL;
}

static const char *wait_wrong(const struct scene *s, const struct outcome *o, const struct table_row *r)
{
    const struct time_wait *w = scene_entry(s);
    if (!s->entry || !w)
        return NULL;
    if ((w->until != o->until) != ((r->told & TOLD_RESTART) != 0))
        return w->until != o->until ? "the 2 MSL began anew" : "the 2 MSL did not begin anew";
    return w->until == o->until || w->until == s->v.now + 2 * s->v.s->config.msl ? NULL : "not 2 MSL from now";
}

/* Each segment counts one drop or none. */
static const char *count_wrong(const struct scene *s, const struct outcome *o)
{
    const struct pl_stack *before = s->saved;
    for (unsigned n = 1; n < PL_DROP_COUNT; n++)
        if (s->v.s->counters.drops[n] != before->counters.drops[n] + (n == o->drop))
            return WRONG("the counter of %s does not say so", pl_drop_name((enum pl_drop)n));
    return NULL;
}

static void gather(struct scene *s, struct outcome *o, const struct table_row *r)
{
    struct forged more;
    struct pl_event e;
    if (!o->any && r->answer == ANSWER_ACK_DELAYED) {
        pl_time now = s->v.now;
        victim_wait(&s->v, s->v.s->config.delayed_ack);
        o->any = victim_take(&s->v, &o->out);
        o->why = s->v.why;
        s->v.now = now;
    }
    o->more = victim_take(&s->v, &more);
    o->state = state_of(s);
    while (pl_event_next(s->v.s, &e))
        *(e.handle == s->v.listener ? &o->accepts : &o->events) |= e.bits;
}

const char *play(struct scene *s, const struct table_kind *k, const struct table_row *r)
{
    struct outcome o = {.in = scene_segment(s, k), .until = scene_entry(s) ? scene_entry(s)->until : 0, .held = scene_held(s)};
    const char *next = strcmp(r->next, "same") == 0 ? s->is.state : r->next, *wrong;
    char state[32];
    snprintf(state, sizeof state, "%.*s", (int)strcspn(next, "/"), next);
    if (s->twin) {
        to_twin(s, &o);
    } else {
        to_stack(s, &o);
        gather(s, &o, r);
    }
    if (o.drop != r->drop)
        return WRONG("%s; due is %s", o.drop ? pl_drop_name(o.drop) : "accepted", r->drop ? pl_drop_name((enum pl_drop)r->drop) : "accepted");
    if (strcmp(pl_state_name(o.state), state) != 0)
        return WRONG("state %s; due is %s", pl_state_name(o.state), state);
    wrong = answer_wrong(s, &o, r);
    if (!wrong && !s->twin)
        wrong = count_wrong(s, &o);
    if (!wrong)
        wrong = timestamps_wrong(s, &o, r);
    if (!wrong)
        wrong = numbers_wrong(s, &o, r);
    if (!wrong)
        wrong = wait_wrong(s, &o, r);
    return wrong ? wrong : program_wrong(s, &o, r);
}
