/* SPDX-License-Identifier: MIT
 *
 * link.c: queue, transmitter, impairment, delay. See link.h.
 */
#include "sim/world.h"
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

static void lose(struct sim_link *l, unsigned from, struct packet *p, pl_time now, uint64_t *counter, const char *why)
{
    l->dir[from].lost++;
    ++*counter;
    tap(l, from, SIM_LOST, p, now, 0, why);
    packet_free(p);
}

static bool too_large(const struct sim_link *l, unsigned from, const struct packet *p)
{
    uint32_t mtu = l->dir[from].params.mtu;
    if (!mtu) return false;
    size_t bytes = p->len - (l->params.ethernet && p->len >= 14 ? 14 : 0);
    if (p->gso_size && p->gso_segs > 1) bytes = (size_t)p->hdr_len + p->gso_size - (l->params.ethernet ? 14 : 0);
    return bytes > mtu;
}

/* When a frame arrives that left at `departed`. What the impairment delays goes its own way and nobody waits for it. */
static pl_time arrival(struct sim_direction *d, pl_time departed, pl_time extra, bool *in_order)
{
    pl_time at = departed + d->params.delay + extra;
    if (d->params.jitter) at += sim_prng_next(&d->jitter) % (d->params.jitter + 1);
    *in_order = !extra && !d->params.jitter_reorders;
    if (!*in_order) return at;
    if (at < d->last_arrival) at = d->last_arrival;
    return d->last_arrival = at;
}

static void put_delivery(struct sim_link *l, unsigned from, struct packet *p, bool in_order)
{
    queue_put_ordered(&l->sim->queue, &(struct sim_item){.at = p->arrives, .order = p->order, .what = SIM_DELIVER, .link = l, .side = !from, .in_order = in_order,
        .node = l->dir[from].to, .packet = p});
}

void sim_link_arrived(struct sim_link *l, unsigned from)
{
    struct fifo *way = &l->dir[from].way;
    fifo_take(way);
    if (!way->first) return;
    put_delivery(l, from, way->first, true);
    /* A long way holds more than the cache: what comes next is fetched while this one is worked on. */
    for (size_t at = 0; way->first->next && at < way->first->next->len; at += 64)
        __builtin_prefetch((const char *)way->first->next + at);
}

/* Schedules what the impairment gave out, to arrive `delay` after `departed`. */
static void launch(struct sim_link *l, unsigned from, pl_time departed)
{
    struct sim_direction *d = &l->dir[from];
    for (size_t i = 0; i < l->scratch.n; i++) {
        struct packet *p = l->scratch.out[i].packet;
        bool in_order;
        p->arrives = arrival(d, departed, l->scratch.out[i].extra, &in_order);
        p->order = queue_order(&l->sim->queue);
        if (in_order) fifo_put(&d->way, p, p->queued);
        if (!in_order || d->way.first == p) put_delivery(l, from, p, in_order);
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
        l->dir[from].lost_way++;
        tap(l, from, SIM_LOST, twin, now, 0, "lost on the way");
        return;
    }
    if (did & 1u << IMPAIR_CORRUPT) tap(l, from, SIM_CORRUPTED, twin, now, 0, "a bit is inverted on the way");
    if (did & 1u << IMPAIR_STRIP) tap(l, from, SIM_CHANGED, twin, now, 0, "a box in the middle strips TCP options");
    if (did & 1u << IMPAIR_BLEACH) tap(l, from, SIM_CHANGED, twin, now, 0, "a box in the middle clears the ECN field");
    if (did & 1u << IMPAIR_MARK) tap(l, from, SIM_CHANGED, twin, now, 0, "marked: congestion experienced");
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

static void transmit(struct sim_link *l, unsigned from, struct packet *p, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    pl_time end = now + sim_transmit_ns(p->len, d->params.rate);
    hist_add(&d->wait, now - p->queued);
    d->busy_until = end;
    if (!d->impair.rules) {
        impair_push(&d->impair, p, now, &l->scratch);
    } else {
        struct packet *twin = packet_copy(p);
        impair_push(&d->impair, p, now, &l->scratch);
        d->marked += l->scratch.did >> IMPAIR_MARK & 1;
        if (l->scratch.did || !l->scratch.n) tell_fate(l, from, twin, now);
        packet_free(twin);
    }
    launch(l, from, end);
}

static void codel_told(void *user, enum codel_deed deed, struct packet *p, pl_time now)
{
    struct sim_direction *d = user;
    struct sim_link *l = d->to->link[d->to_iface];
    unsigned from = !d->to->link_side[d->to_iface];
    if (deed == CODEL_DROPPED) {
        lose(l, from, p, now, &d->lost_codel, "CoDel: frames have waited too long for too long");
    } else {
        d->marked++;
        tap(l, from, SIM_CHANGED, p, now, 0, "marked by CoDel: congestion experienced");
    }
}

static struct packet *next_waiting(struct sim_direction *d, pl_time now)
{
    if (d->params.queue != SIM_CODEL) return fifo_take(&d->fifo);
    return codel_take(&d->codel, &d->fifo, now, codel_told, d);
}

/* Frames that wait begin as soon as the transmitter is free. */
static void advance(struct sim_link *l, unsigned from, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    while (d->fifo.packets && d->busy_until <= now) {
        struct packet *p = next_waiting(d, now);
        if (p) transmit(l, from, p, now);
    }
    if (!d->fifo.packets || d->start_pending) return;
    d->start_pending = true;
    queue_put(&l->sim->queue, &(struct sim_item){.at = d->busy_until, .what = SIM_START, .link = l, .side = from});
}

void sim_link_start(struct sim_link *l, unsigned from, pl_time now)
{
    l->dir[from].start_pending = false;
    advance(l, from, now);
}

static bool queue_is_full(const struct sim_direction *d, const struct packet *p)
{
    if (d->params.queue_bytes && d->fifo.bytes + p->len > d->params.queue_bytes) return true;
    return d->params.queue_packets && d->fifo.packets + 1 > d->params.queue_packets;
}

void sim_link_enter(struct sim_link *l, unsigned from, struct packet *p, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    if (l->down || d->down) {
        lose(l, from, p, now, &d->lost_way, "the link is down");
        return;
    }
    if (too_large(l, from, p)) {
        lose(l, from, p, now, &d->lost_mtu, "larger than the link's MTU");
        return;
    }
    advance(l, from, now);
    if (d->busy_until <= now && d->params.queue != SIM_CODEL) {
        p->queued = now;
        transmit(l, from, p, now);
        return;
    }
    if (d->busy_until > now && queue_is_full(d, p)) {
        lose(l, from, p, now, &d->lost_full, "the link's queue is full");
        return;
    }
    fifo_put(&d->fifo, p, now);
    if (d->busy_until > now && d->fifo.packets > d->fullest) d->fullest = d->fifo.packets;
    advance(l, from, now);
}

void sim_link_send(struct sim_link *l, unsigned from, struct packet *p, pl_time now)
{
    struct sim_direction *d = &l->dir[from];
    if (!p->id) p->id = ++l->sim->packets;
    d->frames++;
    d->bytes += p->len;
    tap(l, from, SIM_SENT, p, now, 0, NULL);
    /* A frame that may not leave yet waits in its host: it takes no room in the queue and stands in nobody's way. */
    if (p->not_before != PL_NEVER && p->not_before > now)
        queue_put(&l->sim->queue, &(struct sim_item){.at = p->not_before, .what = SIM_ENTER, .link = l, .side = from, .packet = p});
    else
        sim_link_enter(l, from, p, now);
}

void sim_link_set(struct sim_link *l, unsigned from, const struct sim_link_params *params)
{
    struct sim_direction *d = &l->dir[from];
    bool ethernet = l->params.ethernet;
    d->params = *params;
    d->params.ethernet = d->impair.ethernet = d->codel.ethernet = ethernet;
    d->codel.target = params->codel_target;
    d->codel.interval = params->codel_interval;
    d->codel.ecn = params->ecn;
    d->codel.maxpacket = (params->mtu ? params->mtu : 1500) + (ethernet ? 14 : 0);
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
        fifo_free(&l->dir[i].fifo);
        fifo_free(&l->dir[i].way);
    }
    impair_list_free(&l->scratch);
    free(l);
}
