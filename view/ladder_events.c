/* SPDX-License-Identifier: MIT
 *
 * ladder_events.c: what comes in: events of both traces and notes of the wire, made into the items and frames that ladder.c prints.
 *
 * A frame comes to be with the sender's event; the wire's notes name it, and say what befalls it; the receiver's event ends it. Where
 * nobody takes notes the receiver's event is paired with the oldest frame under way that looks the same.
 */
#include "view/ladder_private.h"
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------- who is in which state ---------------------------------------- */

static bool same(const struct pl_endpoint *a, const struct pl_endpoint *b)
{
    return a->port == b->port && !memcmp(a->addr.b, b->addr.b, 16);
}

static struct ladder_known *known_find(struct ladder *l, unsigned side, const struct pl_endpoint *local, const struct pl_endpoint *remote)
{
    for (size_t i = 0; i < l->knowns; i++) {
        struct ladder_known *k = &l->known[i];
        if (k->side == side && same(&k->local, local) && same(&k->remote, remote)) return k;
    }
    return NULL;
}

/* The number of the connection between the two, from whichever side it is seen. */
static unsigned stream_of(struct ladder *l, unsigned side, const struct pl_endpoint *local, const struct pl_endpoint *remote)
{
    struct ladder_known *k = known_find(l, side, local, remote);
    if (k) return k->stream;
    k = known_find(l, !side, remote, local);
    unsigned stream = k ? k->stream : l->streams++;
    l->known = ladder_grown(l->known, &l->known_capacity, l->knowns + 1, sizeof *l->known);
    l->known[l->knowns++] = (struct ladder_known){side, stream, *local, *remote, LADDER_UNKNOWN};
    return stream;
}

static uint8_t state_of(struct ladder *l, unsigned side, const struct pl_endpoint *local, const struct pl_endpoint *remote)
{
    const struct ladder_known *k = known_find(l, side, local, remote);
    if (k && k->state != LADDER_UNKNOWN) return k->state;
    for (size_t i = 0; i < l->knowns; i++) {
        k = &l->known[i];
        if (k->side == side && k->state == PL_LISTEN && k->local.port == local->port && k->remote.port == 0) return k->state;
    }
    return l->state[side];
}

/* A frame that was dropped before its connection was looked for, and a reset that belongs to none, say CLOSED and mean nothing. */
static bool tells_state(const struct pl_trace_event *e)
{
    if (e->conn || e->state_before != PL_CLOSED || e->state_after != PL_CLOSED) return true;
    return e->kind == PL_TRACE_IN ? !e->drop || e->drop == PL_DROP_TCP_CLOSED : e->kind != PL_TRACE_OUT;
}

/* The state of the event's own side after it. */
static uint8_t state_after(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    if (e->protocol != 6 || tells_state(e)) return e->state_after;
    uint8_t known = state_of(l, side, &e->local, &e->remote);
    return known == LADDER_UNKNOWN ? e->state_after : known;
}

static void learn(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    if (e->protocol != 6 || !tells_state(e)) return;
    if (!e->remote.port) {                             /* a listener */
        struct ladder_known *k = known_find(l, side, &e->local, &e->remote);
        if (!k) {
            l->known = ladder_grown(l->known, &l->known_capacity, l->knowns + 1, sizeof *l->known);
            k = &l->known[l->knowns++];
            *k = (struct ladder_known){side, 0, e->local, e->remote, 0};
        }
        k->state = e->state_after;
        return;
    }
    stream_of(l, side, &e->local, &e->remote);
    known_find(l, side, &e->local, &e->remote)->state = e->state_after;
}

void ladder_set_state(struct ladder *l, unsigned side, enum pl_state state)
{
    l->state[side & 1] = (uint8_t)state;
    for (size_t i = 0; i < l->knowns; i++)
        if (l->known[i].side == side && l->opts.one_sided) l->known[i].state = (uint8_t)state;
}

/* ---------------------------------------- events in ---------------------------------------- */

/* The changes of state that led to e->state_after at this instant are told by e's own row. */
static void absorb_states(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    uint8_t want = e->state_after;
    for (size_t n = ladder_items_end(l); n > l->item_first; n--) {
        struct ladder_item *i = ladder_item_at(l, n - 1);
        if (i->now != e->now) return;
        if (i->kind != ITEM_STATE || i->side != side || i->done) continue;
        if (!same(&i->local, &e->local) || !same(&i->remote, &e->remote)) return;
        /* A half-open entry that ends is CLOSED, and what is left for its peer is the listener. */
        if (i->state_after != want && !(want == PL_LISTEN && i->state_after == PL_CLOSED)) return;
        i->done = true;
        want = i->state_before;
        if (e->kind == PL_TRACE_IN && want == e->state_before) return;
    }
}

/* A timer that changes the state is told once, by the change. */
static void absorb_timer(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    if (ladder_items_end(l) == l->item_first) return;
    struct ladder_item *i = ladder_item_at(l, ladder_items_end(l) - 1);
    if (i->kind == ITEM_TIMER && i->side == side && i->now == e->now && i->why == e->why) i->done = true;
}

static bool same_segment(const struct pl_trace_segment *a, const struct pl_trace_segment *b)
{
    return a->flags == b->flags && a->seq == b->seq && a->ack == b->ack && a->len == b->len && a->wnd_raw == b->wnd_raw &&
           a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr;
}

static bool same_frame(const struct ladder_frame *a, const struct ladder_frame *b)
{
    if (a->protocol != b->protocol || a->has_seg != b->has_seg) return false;
    if (!a->has_seg) return a->bytes == b->bytes;
    return same(&a->source, &b->source) && same(&a->destination, &b->destination) && same_segment(&a->seg, &b->seg);
}

static void frame_leaves(struct ladder *l, unsigned side, const struct pl_trace_event *e, struct ladder_frame *f)
{
    f->from = side;
    f->sent = e->now;
    f->why = e->why;
    f->source = e->local;
    f->destination = e->remote;
    f->state[side] = state_after(l, side, e);
    f->state[!side] = state_of(l, !side, &e->remote, &e->local);
    f->changed[side] = e->state_before != e->state_after;
    f->arrive_item = NO_ITEM;
    size_t n = ladder_frame_add(l, f);
    ladder_frame_at(l, n)->send_item =
        ladder_item_add(l, &(struct ladder_item){.kind = ITEM_SEND, .side = (uint8_t)side, .now = e->now, .frame = n});
}

/* The frame under way that this arrival is: the one that the wire announced, else the oldest that looks the same. */
static size_t find_flying(struct ladder *l, unsigned side, const struct ladder_frame *f)
{
    size_t n = l->arriving[side];
    l->arriving[side] = NO_ITEM;
    if (n != NO_ITEM) return n;
    for (size_t i = 0; i < l->frames; i++) {
        const struct ladder_frame *g = &l->frame[i];
        if (g->from != side && g->fate == FATE_FLYING && !g->id && same_frame(f, g)) return l->frame_base + i;
    }
    return NO_ITEM;
}

static void frame_arrives(struct ladder *l, unsigned side, const struct pl_trace_event *e, struct ladder_frame *f)
{
    f->from = !side;
    f->source = e->remote;
    f->destination = e->local;
    size_t n = find_flying(l, side, f);
    if (n == NO_ITEM) {
        f->foreign = true;
        f->send_item = f->arrive_item = NO_ITEM;
        n = ladder_frame_add(l, f);
    }
    f = ladder_frame_at(l, n);
    if (f->foreign) {
        f->sent = e->now;
        f->stream = e->protocol == 6 && e->remote.port ? stream_of(l, side, &e->local, &e->remote) : 0;
        f->state[!side] = state_of(l, !side, &e->remote, &e->local);
    }
    f->fate = FATE_ARRIVED;
    f->arrived = e->now;
    f->drop = e->drop;
    f->state[side] = state_after(l, side, e);
    f->changed[side] = e->state_before != e->state_after;
    f->checked = 0;                                    /* now that it is known whether it changed the state */
    if (e->seg && f->foreign) f->seg.wnd = e->seg->wnd; /* nobody told what it means; in TIME-WAIT the receiver has forgotten the scale */
    f->arrive_item = ladder_item_add(l, &(struct ladder_item){.kind = ITEM_ARRIVE, .side = (uint8_t)side, .now = e->now, .frame = n});
}

static void frame_event(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    struct ladder_frame f = {.protocol = e->protocol, .bytes = e->frame_bytes};
    if (e->seg) {
        f.has_seg = true;
        f.seg = *e->seg;
    }
    f.state[0] = f.state[1] = LADDER_UNKNOWN;
    absorb_states(l, side, e);
    if (e->protocol == 6 && e->remote.port) f.stream = stream_of(l, side, &e->local, &e->remote);
    if (e->kind == PL_TRACE_OUT) frame_leaves(l, side, e, &f);
    else frame_arrives(l, side, e, &f);
}

void ladder_event(struct ladder *l, unsigned side, const struct pl_trace_event *e)
{
    side &= 1;
    if (l->opts.port && e->local.port != l->opts.port && e->remote.port != l->opts.port) return;
    if (e->now > l->latest) l->latest = e->now;
    struct ladder_item i = {.side = (uint8_t)side, .state_before = e->state_before, .state_after = e->state_after, .why = e->why,
        .now = e->now, .local = e->local, .remote = e->remote, .a = e->a, .b = e->b};
    switch (e->kind) {
    case PL_TRACE_IN:
    case PL_TRACE_OUT:
        if (e->protocol != 6 && l->opts.quiet & LADDER_NO_OTHERS) break;
        frame_event(l, side, e);
        break;
    case PL_TRACE_STATE:
        absorb_timer(l, side, e);
        i.kind = ITEM_STATE;
        if (!(l->opts.quiet & LADDER_NO_STATES)) ladder_item_add(l, &i);
        break;
    case PL_TRACE_TIMER:
        i.kind = ITEM_TIMER;
        if (!(l->opts.quiet & LADDER_NO_TIMERS)) ladder_item_add(l, &i);
        break;
    case PL_TRACE_DECISION:
        i.kind = ITEM_DECISION;
        if (!(l->opts.quiet & LADDER_NO_DECISIONS)) ladder_item_add(l, &i);
        break;
    default: break;
    }
    learn(l, side, e);
    ladder_print(l, false);
}

void ladder_say(struct ladder *l, pl_time now, const char *text)
{
    if (now > l->latest) l->latest = now;
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (!copy) return;
    memcpy(copy, text, n);
    ladder_item_add(l, &(struct ladder_item){.kind = ITEM_SAY, .now = now, .text = copy});
    ladder_print(l, false);
}

/* ---------------------------------------- notes of the wire ---------------------------------------- */

static struct ladder_frame *frame_by_id(struct ladder *l, uint64_t id, uint32_t copy, size_t *number)
{
    for (size_t i = l->frames; i > 0; i--) {
        struct ladder_frame *f = &l->frame[i - 1];
        if (f->id != id || f->copy != copy) continue;
        *number = l->frame_base + i - 1;
        return f;
    }
    return NULL;
}

static void frame_from_note(struct ladder_frame *f, const struct ladder_note *n)
{
    struct view_frame v;
    view_decode(&v, n->frame, n->frame_bytes, n->ethernet);
    memset(f, 0, sizeof *f);
    f->from = n->from & 1;
    f->protocol = v.protocol;
    f->bytes = (uint32_t)n->frame_bytes;
    f->has_seg = v.has_segment;
    f->seg = v.segment;
    f->source = v.source;
    f->destination = v.destination;
    f->sent = n->now;
    f->id = n->id;
    f->copy = n->copy;
    f->state[0] = f->state[1] = LADDER_UNKNOWN;
    f->send_item = f->arrive_item = NO_ITEM;
}

/* The note names the oldest frame of its side that has no name yet and looks like it. (A frame that the options hide is not there.) */
static void note_sent(struct ladder *l, const struct ladder_note *n)
{
    struct ladder_frame key;
    frame_from_note(&key, n);
    for (size_t i = 0; i < l->frames; i++) {
        struct ladder_frame *f = &l->frame[i];
        if (f->id || f->foreign || f->from != key.from || !same_frame(f, &key)) continue;
        f->id = n->id;
        return;
    }
}

static void note_new(struct ladder *l, const struct ladder_note *n)
{
    struct ladder_frame f;
    frame_from_note(&f, n);
    f.foreign = true;
    f.injected = n->what == LADDER_INJECTED;
    if (l->opts.port && f.source.port != l->opts.port && f.destination.port != l->opts.port) return;
    if (f.protocol != 6 && l->opts.quiet & LADDER_NO_OTHERS) return;
    ladder_frame_add(l, &f);
}

void ladder_note_link(struct ladder *l, const struct ladder_note *n)
{
    size_t number;
    if (n->now > l->latest) l->latest = n->now;
    if (n->what == LADDER_SENT) note_sent(l, n);
    if (n->what == LADDER_INJECTED || n->what == LADDER_DUPLICATED) note_new(l, n);
    struct ladder_frame *f = frame_by_id(l, n->id, n->copy, &number);
    if (!f) return;
    switch (n->what) {
    case LADDER_LOST:
        f->fate = FATE_LOST;
        f->lost_why = n->why;
        break;
    case LADDER_DELAYED:
        f->delayed = true;
        f->extra = n->extra;
        break;
    case LADDER_CORRUPTED: f->corrupted = true; break;
    case LADDER_ARRIVING: l->arriving[!f->from] = number; break;
    default: break;
    }
    ladder_print(l, false);
}
