/* SPDX-License-Identifier: MIT
 *
 * link.c: queue, transmitter, impairment, delay. See link.h.
 */
#include "sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

pl_time sim_transmit_ns(uint64_t bytes, uint64_t rate)
{
    if (!rate) return 0;
    uint64_t bits = bytes * 8, rest = bits % rate * PL_S;
    return bits / rate * PL_S + rest / rate + (rest % rate != 0);
}

static void tap(struct sim_link *l, unsigned from, enum sim_fate fate, const struct packet *p, pl_time now, pl_time extra, const char *why)
{
    struct sim_tap_event e = {.fate = fate, .now = now, .link = l, .from = from, .packet = p, .extra = extra, .why = why};
    sim_tap_tell(l->sim, &e);
}

static void lose(struct sim_link *l, unsigned from, struct packet *p, pl_time now, const char *why)
{
    l->dir[from].lost++;
    tap(l, from, SIM_LOST, p, now, 0, why);
    packet_free(p);
}

/* Frames whose transmission has started wait no longer. Returns how many do. */
static size_t queue_trim(struct sim_direction *d, pl_time now)
{
    while (d->slot_first < d->slots && d->slot[d->slot_first].start <= now)
        d->waiting_bytes -= d->slot[d->slot_first++].bytes;
    if (d->slot_first > 64 && d->slot_first * 2 > d->slots) {
        memmove(d->slot, d->slot + d->slot_first, (d->slots - d->slot_first) * sizeof *d->slot);
        d->slots -= d->slot_first;
        d->slot_first = 0;
    }
    return d->slots - d->slot_first;
}

static void queue_add(struct sim_direction *d, pl_time start, size_t bytes)
{
    if (d->slots == d->slot_capacity) {
        d->slot_capacity = d->slot_capacity ? 2 * d->slot_capacity : 64;
        d->slot = realloc(d->slot, d->slot_capacity * sizeof *d->slot);
        if (!d->slot) {
            fputs("sim: out of memory\n", stderr);
            abort();
        }
    }
    d->slot[d->slots++] = (struct sim_slot){start, bytes};
    d->waiting_bytes += bytes;
}

static bool too_large(const struct sim_link *l, const struct packet *p)
{
    if (!l->params.mtu) return false;
    size_t bytes = p->len - (l->params.ethernet && p->len >= 14 ? 14 : 0);
    if (p->gso_size && p->gso_segs > 1) bytes = (size_t)p->hdr_len + p->gso_size - (l->params.ethernet ? 14 : 0);
    return bytes > l->params.mtu;
}

/* Schedules what the impairment gave out, to arrive `delay` after `departed`. */
static void launch(struct sim_link *l, unsigned from, pl_time departed)
{
    struct sim_direction *d = &l->dir[from];
    for (size_t i = 0; i < l->scratch.n; i++) {
        const struct impair_out *o = &l->scratch.out[i];
        struct sim_item item = {.at = departed + l->params.delay + o->extra, .what = SIM_DELIVER, .link = l, .side = !from,
            .node = d->to, .packet = o->packet};
        queue_put(&l->sim->queue, &item);
    }
    impair_list_clear(&l->scratch);
    pl_time due = impair_deadline(&d->impair);
    if (due != PL_NEVER) queue_put(&l->sim->queue, &(struct sim_item){.at = due, .what = SIM_RELEASE, .link = l, .side = from});
}

/* Tells the observers what the impairment did to the frame that went in (`twin` is a copy of it, for it may be gone). */
static void tell_fate(struct sim_link *l, unsigned from, const struct packet *twin, pl_time now)
{
    uint32_t did = l->scratch.did;
    if (did & 1u << IMPAIR_DROP) {
        l->dir[from].lost++;
        tap(l, from, SIM_LOST, twin, now, 0, "lost on the way");
        return;
    }
    if (did & 1u << IMPAIR_CORRUPT) tap(l, from, SIM_CORRUPTED, twin, now, 0, "a bit is inverted on the way");
    bool gone = true;
    for (size_t i = 0; i < l->scratch.n; i++) {
        const struct impair_out *o = &l->scratch.out[i];
        if (o->packet->id != twin->id) continue;
        if (o->packet->copy) tap(l, from, SIM_DUPLICATED, o->packet, now, o->extra, "the network repeats it");
        else gone = false;
        if (!o->packet->copy && did & 1u << IMPAIR_DELAY) tap(l, from, SIM_DELAYED, o->packet, now, o->extra, "delayed on the way");
    }
    if (gone) tap(l, from, SIM_DELAYED, twin, now, PL_NEVER, "held back until others have overtaken it");
}

void sim_link_send(struct sim_link *l, unsigned from, struct packet *p, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    p->id = ++l->sim->packets;
    d->frames++;
    d->bytes += p->len;
    tap(l, from, SIM_SENT, p, now, 0, NULL);
    if (l->down) {
        lose(l, from, p, now, "the link is down");
        return;
    }
    if (too_large(l, p)) {
        lose(l, from, p, now, "larger than the link's MTU");
        return;
    }
    size_t waiting = queue_trim(d, now);
    pl_time start = now;
    if (p->not_before != PL_NEVER && p->not_before > start) start = p->not_before;
    if (d->busy_until > start) start = d->busy_until;
    if (start > now && ((l->params.queue_bytes && d->waiting_bytes + p->len > l->params.queue_bytes) ||
                           (l->params.queue_packets && waiting + 1 > l->params.queue_packets))) {
        lose(l, from, p, now, "the link's queue is full");
        return;
    }
    pl_time end = start + sim_transmit_ns(p->len, l->params.rate);
    if (l->params.rate) d->busy_until = end;
    if (start > now) queue_add(d, start, p->len);
    struct packet *twin = packet_copy(p);
    impair_push(&d->impair, p, now, &l->scratch);
    if (l->scratch.did || !l->scratch.n) tell_fate(l, from, twin, now);
    packet_free(twin);
    launch(l, from, end);
}

void sim_link_release(struct sim_link *l, unsigned from, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    if (impair_deadline(&d->impair) > now) return;
    impair_release(&d->impair, now, &l->scratch);
    launch(l, from, now);
}

struct impair *sim_link_impair(struct sim_link *l, unsigned from)
{
    return &l->dir[from].impair;
}

void sim_link_free(struct sim_link *l)
{
    for (unsigned i = 0; i < 2; i++) {
        impair_free(&l->dir[i].impair);
        free(l->dir[i].slot);
    }
    impair_list_free(&l->scratch);
    free(l);
}
