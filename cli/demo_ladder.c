/* SPDX-License-Identifier: MIT
 *
 * demo_ladder.c: what happens between two simulated hosts, to the ladder or to JSON.
 */
#include "cli/demo.h"
#include "view/jsonl.h"
#include <stdio.h>

static void told(struct demo_watch *w, unsigned side, const struct pl_trace_event *e)
{
    static const char *const name[] = {"client", "server"};
    if (w->pcap) cli_pcap_event(w->pcap, w->pcap_iface[side], e);
    if (w->asleep) return;
    if (w->ladder) ladder_event(w->ladder, side, e);
    else jsonl_event(stdout, name[side], e, false);
}

static void client_told(void *user, const struct pl_trace_event *e)
{
    told(user, PAIR_CLIENT, e);
}

static void server_told(void *user, const struct pl_trace_event *e)
{
    told(user, PAIR_SERVER, e);
}

static void wire_told(void *user, const struct sim_tap_event *t)
{
    static const enum ladder_wire what[] = {
        [SIM_SENT] = LADDER_SENT, [SIM_LOST] = LADDER_LOST, [SIM_DUPLICATED] = LADDER_DUPLICATED, [SIM_DELAYED] = LADDER_DELAYED,
        [SIM_CORRUPTED] = LADDER_CORRUPTED, [SIM_INJECTED] = LADDER_INJECTED, [SIM_ARRIVING] = LADDER_ARRIVING};
    struct demo_watch *w = user;
    if (!w->ladder || w->asleep || t->link != w->link || t->fate == SIM_CHANGED) return;
    ladder_note_link(w->ladder, &(struct ladder_note){.what = what[t->fate], .from = t->from, .now = t->now, .id = t->packet->id,
        .copy = t->packet->copy, .extra = t->extra, .why = t->why, .frame = t->packet->bytes, .frame_bytes = t->packet->len,
        .ethernet = t->link->params.ethernet});
}

void demo_watch_pair(struct demo_watch *w, struct pair *p, struct ladder *ladder)
{
    *w = (struct demo_watch){.ladder = ladder, .link = p->link};
    sim_node_trace(p->node[PAIR_CLIENT], client_told, w);
    sim_node_trace(p->node[PAIR_SERVER], server_told, w);
    sim_tap(p->sim, wire_told, w);
}

void demo_capture_pair(struct demo_watch *w, struct demo_opts *o, bool ethernet)
{
    static const char *const name[] = {"client", "server"};
    if (!o->pcap.out) return;
    for (int side = 0; side < 2; side++) {
        int *iface = &o->pcap_iface[ethernet][side];
        if (*iface < 0) *iface = cli_pcap_interface(&o->pcap, name[side], ethernet);
        w->pcap_iface[side] = *iface;
    }
    o->pcap.offset = o->pcap.last + PL_S;
    w->pcap = &o->pcap;
}
