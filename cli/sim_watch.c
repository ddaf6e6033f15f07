/* SPDX-License-Identifier: MIT
 *
 * sim_watch.c: --pcap and --ladder of `parley sim`. A capture file per link has both its ends as interfaces: a frame is there where it was sent, with the reason
 * of the host that sent it, and again where it arrived; what became of the others is said in a comment. See sim.h.
 */
#include "cli/sim.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Reasons of frames that a stack has told of and that are not on the link yet. pl_tx is asked for a few at a time. */
#define REASONS 256
struct node_watch {
    struct sim_watch *watch;
    int side;                             /* of the ladder's flow; -1: neither */
    uint16_t reason[REASONS];
    unsigned first, n;
};

struct sim_watch {
    struct sim_run *run;
    struct ladder *ladder;
    struct node_watch node[SIM_NODES_MAX];
    struct cli_pcap pcap[SIM_LINKS_MAX];
};

static void told(void *user, const struct pl_trace_event *e)
{
    struct node_watch *n = user;
    if (e->kind == PL_TRACE_OUT && n->n < REASONS) n->reason[(n->first + n->n++) % REASONS] = e->why;
    if (n->watch->ladder && n->side >= 0) ladder_event(n->watch->ladder, (unsigned)n->side, e);
}

static void capture(struct sim_watch *w, const struct sim_tap_event *t, enum pl_reason why)
{
    struct cli_pcap *file = &w->pcap[t->link->number];
    struct pl_span span = {(void *)(uintptr_t)t->packet->bytes, t->packet->len};
    char text[400];
    if (!file->out) return;
    int end = (int)(t->fate == SIM_ARRIVING ? !t->from : t->from);
    if (t->fate == SIM_SENT) {
        snprintf(text, sizeof text, "#%" PRIu64 "%s%s%s%s%s", t->packet->id, why ? " " : "", why ? pl_reason_text(why) : "", why ? " [" : "", why ? pl_reason_rule(why) : "",
            why ? "]" : "");
        pcapng_frame(&file->file, end, t->now, &span, 1, false, text);
    } else if (t->fate == SIM_ARRIVING) {
        snprintf(text, sizeof text, "#%" PRIu64 "%s", t->packet->id, t->packet->copy ? ", a copy that the network made" : "");
        pcapng_frame(&file->file, end, t->now, &span, 1, true, text);
    } else {
        static const char *const what[] = {[SIM_LOST] = "lost", [SIM_DUPLICATED] = "duplicated", [SIM_DELAYED] = "delayed", [SIM_CORRUPTED] = "corrupted",
            [SIM_INJECTED] = "injected", [SIM_CHANGED] = "changed"};
        snprintf(text, sizeof text, "#%" PRIu64 " %s%s%s", t->packet->id, what[t->fate], t->why ? ": " : "", t->why ? t->why : "");
        pcapng_note(&file->file, end, text);
    }
}

static void draw(struct sim_watch *w, const struct sim_tap_event *t, int from, int to)
{
    static const enum ladder_wire what[] = {[SIM_SENT] = LADDER_SENT, [SIM_LOST] = LADDER_LOST, [SIM_DUPLICATED] = LADDER_DUPLICATED, [SIM_DELAYED] = LADDER_DELAYED,
        [SIM_CORRUPTED] = LADDER_CORRUPTED, [SIM_INJECTED] = LADDER_INJECTED, [SIM_ARRIVING] = LADDER_ARRIVING};
    /* Only a link between the two: elsewhere the ladder finds out by the numbers what arrived. */
    if (from < 0 || to < 0 || t->fate == SIM_CHANGED) return;
    ladder_note_link(w->ladder, &(struct ladder_note){.what = what[t->fate], .from = (unsigned)from, .now = t->now, .id = t->packet->id, .copy = t->packet->copy,
        .extra = t->extra, .why = t->why, .frame = t->packet->bytes, .frame_bytes = t->packet->len});
}

static void wire(void *user, const struct sim_tap_event *t)
{
    struct sim_watch *w = user;
    struct node_watch *from = &w->node[t->link->node[t->from]->number], *to = &w->node[t->link->node[!t->from]->number];
    enum pl_reason why = PL_WHY_NONE;
    if (t->fate == SIM_SENT && from->n) {
        why = (enum pl_reason)from->reason[from->first];
        from->first = (from->first + 1) % REASONS;
        from->n--;
    }
    capture(w, t, why);
    if (w->ladder) draw(w, t, from->side, to->side);
}

static bool open_files(struct sim_watch *w, const char *dir, char *why, size_t size)
{
    const struct scenario *s = w->run->scenario;
    char path[4096];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        snprintf(why, size, "%s: %s", dir, strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < s->links; i++) {
        snprintf(path, sizeof path, "%s/%s.pcapng", dir, s->link[i].name);
        if (!cli_pcap_open(&w->pcap[i], path, 0)) {
            snprintf(why, size, "%s: %s", path, strerror(errno));
            return false;
        }
        for (unsigned end = 0; end < 2; end++)
            cli_pcap_interface(&w->pcap[i], s->node[s->link[i].node[end]].name, false);
    }
    return true;
}

struct sim_watch *sim_watch_new(struct sim_run *r, const char *dir, struct ladder *ladder, char *why, size_t size)
{
    const struct scenario *s = r->scenario;
    struct sim_watch *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    w->run = r;
    w->ladder = ladder;
    if (dir && !open_files(w, dir, why, size)) {
        sim_watch_close(w);
        return NULL;
    }
    for (unsigned i = 0; i < s->nodes; i++) {
        w->node[i].watch = w;
        w->node[i].side = s->flow[0].node[0] == i ? 0 : s->flow[0].node[1] == i ? 1 : -1;
        if (!s->node[i].router) sim_node_trace(r->node[i], told, &w->node[i]);
    }
    sim_tap(r->sim, wire, w);
    return w;
}

bool sim_watch_close(struct sim_watch *w)
{
    bool good = true;
    for (unsigned i = 0; w && i < SIM_LINKS_MAX; i++)
        if (w->pcap[i].out && !cli_pcap_close(&w->pcap[i])) good = false;
    free(w);
    return good;
}
