/* SPDX-License-Identifier: MIT
 *
 * ladder.c: what happened on both sides, in order, and what of it makes one row.
 *
 * Events become items in a queue: a frame leaves, a frame arrives, a state changes, a timer acts. The queue is printed from the front. A
 * frame that leaves is looked at together with its arrival: if nothing between the two would read wrong with the frame in one row, it is
 * one row there and its arrival is skipped later; else both stay where they are, as half rows. While its fate is open the queue stands
 * still, unless what has come in between decides for half rows already.
 *
 * What is harmless there: whatever leaves the receiver's column in order. A row shows the receiver's state after the segment, so if that
 * is a new state, the receiver may not have sent anything in between (its row would come below and show the old one). And frames of the
 * same direction may not have arrived in another order than they left, and no change of state or timer may have a line of its own in
 * between. So ordinary data and acknowledgements may cross as they like, but simultaneous opens and closes look as in RFC 9293.
 *
 * A change of state that comes about with a frame (the SYN that connect() sends, the FIN that arrives) is told by that frame's row.
 */
#include "view/ladder_private.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ladder_opts_default(struct ladder_opts *o, FILE *out)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL, *no_colour = getenv("NO_COLOR");
    memset(o, 0, sizeof *o);
    for (unsigned i = 0; i < 3 && (!locale || !*locale); i++)
        locale = getenv(variables[i]);
    o->out = out;
    o->width = 100;
    o->colour = isatty(fileno(out)) && !(no_colour && *no_colour);
    o->unicode = locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8") || strstr(locale, "utf-8"));
    o->patience = PL_S;
    o->name[0] = "client";
    o->name[1] = "server";
}

void *ladder_grown(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    array = realloc(array, *capacity * size);
    if (!array) {
        fputs("ladder: out of memory\n", stderr);
        abort();
    }
    return array;
}

struct ladder *ladder_new(const struct ladder_opts *o)
{
    struct ladder *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    l->opts = *o;
    if (l->opts.width < 80) l->opts.width = 80;
    if (l->opts.width > 200) l->opts.width = 200;
    if (!l->opts.patience) l->opts.patience = PL_S;
    for (unsigned i = 0; i < 2; i++) {
        snprintf(l->name[i], sizeof l->name[i], "%s", o->name[i] ? o->name[i] : "");
        l->opts.name[i] = l->name[i];
        l->state[i] = LADDER_UNKNOWN;
        l->arriving[i] = NO_ITEM;
    }
    return l;
}

struct ladder_item *ladder_item_at(struct ladder *l, size_t n)
{
    return &l->item[n - l->item_base];
}

struct ladder_frame *ladder_frame_at(struct ladder *l, size_t n)
{
    return &l->frame[n - l->frame_base];
}

size_t ladder_items_end(const struct ladder *l)
{
    return l->item_base + l->items;
}

size_t ladder_item_add(struct ladder *l, const struct ladder_item *new)
{
    l->item = ladder_grown(l->item, &l->item_capacity, l->items + 1, sizeof *l->item);
    l->item[l->items] = *new;
    return l->item_base + l->items++;
}

size_t ladder_frame_add(struct ladder *l, const struct ladder_frame *new)
{
    l->frame = ladder_grown(l->frame, &l->frame_capacity, l->frames + 1, sizeof *l->frame);
    l->frame[l->frames] = *new;
    return l->frame_base + l->frames++;
}

/* ---------------------------------------- one row or two ---------------------------------------- */

static bool harmless(struct ladder *l, const struct ladder_frame *f, const struct ladder_item *i)
{
    if (i->done) return true;
    switch (i->kind) {
    case ITEM_SEND: return i->side == f->from || !f->changed[!f->from];
    case ITEM_ARRIVE: {
        const struct ladder_frame *g = ladder_frame_at(l, i->frame);
        return g->from != f->from || g->send_item < f->send_item;
    }
    case ITEM_DECISION: return true;
    default: return false;
    }
}

/* Looks at what has happened since the frame left, up to its arrival if that has come. */
static void check_tangled(struct ladder *l, struct ladder_frame *f)
{
    size_t end = f->fate == FATE_ARRIVED ? f->arrive_item : ladder_items_end(l);
    if (f->checked <= f->send_item) f->checked = f->send_item + 1;
    for (; !f->tangled && f->checked < end; f->checked++) {
        const struct ladder_item *i = ladder_item_at(l, f->checked);
        /* A change of state may still be claimed by the row of a frame that comes later at the same instant. */
        if (i->kind == ITEM_STATE && !i->done && f->fate != FATE_ARRIVED && l->latest == i->now) return;
        if (!harmless(l, f, i)) f->tangled = true;
    }
}

/* ---------------------------------------- printing from the front ---------------------------------------- */

static bool print_send(struct ladder *l, struct ladder_frame *f, bool force)
{
    if (f->fate == FATE_LOST) {
        row_frame(l, f, ROW_LOST);
        return true;
    }
    if (l->opts.one_sided) {
        f->fate = FATE_ARRIVED;                        /* nobody will tell; it is not waited for */
        row_frame(l, f, ROW_WHOLE);
        return true;
    }
    check_tangled(l, f);
    if (f->fate == FATE_ARRIVED && !f->tangled) {
        ladder_item_at(l, f->arrive_item)->done = true;
        row_frame(l, f, ROW_WHOLE);
        return true;
    }
    if (!force && f->fate == FATE_FLYING && !f->tangled && l->latest - f->sent <= l->opts.patience) return false;
    row_frame(l, f, ROW_LEAVES);
    return true;
}

/* Prints one item; false: it must wait. */
static bool print_item(struct ladder *l, struct ladder_item *i, bool force)
{
    switch (i->kind) {
    case ITEM_SEND: return print_send(l, ladder_frame_at(l, i->frame), force);
    case ITEM_ARRIVE: row_frame(l, ladder_frame_at(l, i->frame), l->opts.one_sided ? ROW_WHOLE : ROW_ARRIVES); return true;
    case ITEM_STATE:
    case ITEM_TIMER:                                   /* the row of a frame, or a change of state, of this instant may tell it */
        if (!force && l->latest == i->now) return false;
        row_item(l, i);
        return true;
    default: row_item(l, i); return true;
    }
}

static void compact(struct ladder *l)
{
    size_t gone = l->item_first - l->item_base;
    if (gone < 256 || gone * 2 < l->items) return;
    memmove(l->item, l->item + gone, (l->items - gone) * sizeof *l->item);
    l->items -= gone;
    l->item_base += gone;
    /* Frames are forgotten from the front while they are at rest and no item names them. */
    size_t first = l->frame_base + l->frames;
    for (size_t i = 0; i < l->items; i++)
        if ((l->item[i].kind == ITEM_SEND || l->item[i].kind == ITEM_ARRIVE) && l->item[i].frame < first) first = l->item[i].frame;
    for (size_t i = 0; i < l->frames; i++)
        if (l->frame[i].fate == FATE_FLYING && l->frame_base + i < first) first = l->frame_base + i;
    gone = first - l->frame_base;
    memmove(l->frame, l->frame + gone, (l->frames - gone) * sizeof *l->frame);
    l->frames -= gone;
    l->frame_base = first;
}

void ladder_print(struct ladder *l, bool force)
{
    while (l->item_first < ladder_items_end(l)) {
        struct ladder_item *i = ladder_item_at(l, l->item_first);
        if (!i->done && !print_item(l, i, force)) break;
        free(i->text);
        i->text = NULL;
        l->item_first++;
    }
    compact(l);
    fflush(l->opts.out);
}

void ladder_flush(struct ladder *l)
{
    ladder_print(l, true);
}

void ladder_free(struct ladder *l)
{
    if (!l) return;
    ladder_flush(l);
    free(l->item);
    free(l->frame);
    free(l->known);
    free(l);
}

