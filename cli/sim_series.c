/* SPDX-License-Identifier: MIT
 *
 * sim_series.c: --series: how the connections and queues of a simulated run were over time, as a table that others draw. See sim.h.
 */
#include "cli/sim.h"
#include "view/jsonl.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* One table for both kinds of rows: what a flow does not have is empty for it, and likewise for a link. */
#define COLUMNS 19
static const char *const column[COLUMNS] = {"received_bytes", "goodput_bps", "cwnd_bytes", "ssthresh_bytes", "in_flight_bytes", "snd_wnd_bytes", "srtt_ns", "rto_ns",
    "pacing_bps", "delivery_bps", "retransmits", "recoveries", "loss_probes", "time_outs", "undone", "queue_packets", "queue_bytes", "lost", "marked"};
#define FLOW_COLUMNS 15

bool sim_series_open(struct sim_series *s, const char *path)
{
    size_t n = strlen(path);
    *s = (struct sim_series){.out = fopen(path, "w"), .jsonl = n > 6 && !strcmp(path + n - 6, ".jsonl")};
    if (!s->out) return false;
    if (s->jsonl) return true;
    fputs("time_ns,kind,name", s->out);
    for (unsigned i = 0; i < COLUMNS; i++)
        fprintf(s->out, ",%s", column[i]);
    fputc('\n', s->out);
    return true;
}

static void row(struct sim_series *s, pl_time now, const char *kind, const char *name, const uint64_t value[COLUMNS], unsigned first, unsigned n)
{
    if (!s->jsonl) {
        fprintf(s->out, "%" PRIu64 ",%s,%s", now, kind, name);
        for (unsigned i = 0; i < COLUMNS; i++)
            if (i >= first && i < n) fprintf(s->out, ",%" PRIu64, value[i]);
            else fputc(',', s->out);
        fputc('\n', s->out);
        return;
    }
    fprintf(s->out, "{\"time_ns\":%" PRIu64 ",\"kind\":\"%s\",\"name\":", now, kind);
    jsonl_string(s->out, name);
    for (unsigned i = first; i < n; i++)
        fprintf(s->out, ",\"%s\":%" PRIu64, column[i], value[i]);
    fputs("}\n", s->out);
}

static void flow_row(struct sim_series *s, const struct sim_run *r, unsigned i)
{
    const struct traffic *t = &r->flow[i];
    const struct program_conn *c = t->conn[traffic_sender(t)];
    struct pl_tcp_status st;
    uint64_t received = traffic_received(t), got = received - s->received[i];
    pl_time span = r->sim->now - s->last;
    uint64_t v[COLUMNS] = {received, span ? got * 8000000 / (span / PL_US ? span / PL_US : 1) : 0};
    s->received[i] = received;
    if (c && c->handle && pl_status(c->program->node->stack, c->handle, &st, sizeof st) == 0) {
        v[2] = st.cwnd_bytes, v[3] = st.ssthresh_bytes, v[4] = st.in_flight_bytes, v[5] = st.snd.wnd;
        v[6] = st.srtt, v[7] = st.rto, v[8] = st.pacing_rate * 8, v[9] = st.delivery_rate * 8;
    }
    v[10] = t->retransmits, v[11] = t->recoveries, v[12] = t->probes, v[13] = t->time_outs, v[14] = t->undone;
    row(s, r->sim->now, "flow", r->scenario->flow[i].name, v, 0, FLOW_COLUMNS);
}

void sim_series_tick(struct sim_series *s, const struct sim_run *r)
{
    if (!s->out) return;
    for (unsigned i = 0; i < r->scenario->flows; i++)
        flow_row(s, r, i);
    for (unsigned i = 0; i < r->sim->links; i++)
        for (unsigned way = 0; way < 2; way++) {
            const struct scenario_link *l = &r->scenario->link[i];
            const struct sim_direction *d = &r->sim->link[i]->dir[way];
            char name[40];
            uint64_t v[COLUMNS] = {0};
            snprintf(name, sizeof name, "%s>%s", r->scenario->node[l->node[way]].name, r->scenario->node[l->node[!way]].name);
            v[15] = d->fifo.packets, v[16] = d->fifo.bytes, v[17] = d->lost, v[18] = d->marked;
            row(s, r->sim->now, "link", name, v, FLOW_COLUMNS, COLUMNS);
        }
    s->last = r->sim->now;
}

bool sim_series_close(struct sim_series *s)
{
    if (!s->out) return true;
    errno = 0;
    bool good = fflush(s->out) == 0 && !ferror(s->out);
    int error = errno;
    good = fclose(s->out) == 0 && good;
    if (error) errno = error;
    s->out = NULL;
    return good;
}
