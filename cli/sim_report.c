/* SPDX-License-Identifier: MIT
 *
 * sim_report.c: what a simulated run has shown: as tables for people, as lines of JSON for programs. See sim.h.
 */
#include "cli/sim.h"
#include "cli/cli.h"
#include <inttypes.h>
#include <stdio.h>

/* 12345678 -> "12.35 Mbit/s" */
static const char *rate_text(uint64_t bps, char *to, size_t size)
{
    static const char *const unit[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    unsigned u = 0;
    uint64_t scale = 1;
    while (u < 3 && bps / scale >= 1000)
        scale *= 1000, u++;
    if (u == 0) snprintf(to, size, "%" PRIu64 " %s", bps, unit[u]);
    else snprintf(to, size, "%" PRIu64 ".%02" PRIu64 " %s", bps / scale, bps % scale * 100 / scale, unit[u]);
    return to;
}

static const char *ms_text(uint64_t ns, char *to, size_t size)
{
    snprintf(to, size, "%" PRIu64 ".%03" PRIu64, ns / PL_MS, ns % PL_MS / PL_US);
    return to;
}

static void percentiles(const struct hist *h)
{
    static const unsigned permille[] = {500, 900, 990, 1000};
    char text[40];
    for (unsigned i = 0; i < 4; i++)
        printf(" %10s", h->n ? ms_text(hist_permille(h, permille[i]), text, sizeof text) : "-");
}

static void flow_row(const struct sim_run *r, unsigned i)
{
    static const char *const kind[] = {"bulk", "request", "rated", "onoff"};
    const struct scenario *s = r->scenario;
    const struct scenario_flow *f = &s->flow[i];
    const struct traffic *t = &r->flow[i];
    struct run_mark n = run_flow_counts(r, i);
    char way[40], rate[40];
    snprintf(way, sizeof way, "%s>%s", s->node[f->node[0]].name, s->node[f->node[1]].name);
    printf("%-12s %-16s %-8s %14s %12" PRIu64 " %9" PRIu64 " %7" PRIu64, f->name, way, kind[f->plan.kind], rate_text(run_goodput(r, i), rate, sizeof rate),
        n.received, n.segments, n.retransmits);
    percentiles(&t->rtt);
    if (t->error) printf("  %s", pl_strerror(t->error));
    else if (t->done_at) printf("  done at %s ms", ms_text(t->done_at, rate, sizeof rate));
    putchar('\n');
    if (!t->turn.n) return;
    printf("%12s %-41s %12s %9" PRIu64 " %7s", "", "request to whole answer, ms", "", t->turn.n, "");
    percentiles(&t->turn);
    putchar('\n');
}

/* The sender of a flow at the end: where its window is, and what it has been through. */
static void sender_row(const struct sim_run *r, unsigned i)
{
    const struct traffic *t = &r->flow[i];
    const struct program_conn *c = t->conn[traffic_sender(t)];
    struct run_mark n = run_flow_counts(r, i);
    struct pl_tcp_status st;
    char text[4][24] = {"none", "", "", "-"};
    printf("%-12s ", r->scenario->flow[i].name);
    if (c && c->handle && pl_status(c->program->node->stack, c->handle, &st, sizeof st) == 0) {
        if (st.ssthresh_bytes < PL_CC_CWND_MAX) snprintf(text[0], sizeof text[0], "%" PRIu32, st.ssthresh_bytes);
        if (st.pacing_rate) rate_text(st.pacing_rate * 8, text[3], sizeof text[3]);
        printf("%-8s %-14s %10" PRIu32 " %10s %14s %10s %10s", st.cc_name, st.cc_doing, st.cwnd_bytes, text[0], text[3], ms_text(st.srtt, text[1], sizeof text[1]),
            ms_text(st.rto, text[2], sizeof text[2]));
    } else {
        printf("%-8s %-14s %10s %10s %14s %10s %10s", "-", "-", "-", "-", "-", "-", "-");
    }
    printf(" %10" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n", n.recoveries, n.probes, n.time_outs, n.undone);
}

static void way_row(const struct sim_run *r, unsigned link, unsigned way)
{
    const struct scenario_link *l = &r->scenario->link[link];
    const struct sim_direction *d = &r->sim->link[link]->dir[way];
    struct run_way_mark n = run_way_counts(r, link, way);
    char name[40];
    snprintf(name, sizeof name, "%s>%s", r->scenario->node[l->node[way]].name, r->scenario->node[l->node[!way]].name);
    printf("%-29s %12" PRIu64 " %12" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %7u", name, n.frames, n.delivered, n.lost_full, n.lost_codel,
        n.lost_way, n.lost_mtu, n.marked, d->fullest);
    percentiles(&d->wait);
    putchar('\n');
}

static void as_text(const struct sim_run *r)
{
    char text[40];
    printf("%-12s %-16s %-8s %14s %12s %9s %7s %10s %10s %10s %10s\n", "flow", "way", "kind", "goodput", "bytes", "segments", "again", "rtt 50%", "90%", "99%", "max ms");
    for (unsigned i = 0; i < r->scenario->flows; i++)
        flow_row(r, i);
    printf("\n%-12s %-8s %-14s %10s %10s %14s %10s %10s %10s %9s %9s %9s\n", "sender", "cc", "doing", "cwnd", "ssthresh", "paced", "srtt ms", "rto ms", "recoveries", "probes",
        "time-outs", "undone");
    for (unsigned i = 0; i < r->scenario->flows; i++)
        sender_row(r, i);
    printf("\n%-29s %12s %12s %6s %6s %6s %6s %6s %7s %10s %10s %10s %10s\n", "link", "frames", "delivered", "full", "codel", "way", "mtu", "marked", "fullest", "queue 50%",
        "90%", "99%", "max ms");
    for (unsigned i = 0; i < r->sim->links; i++)
        for (unsigned way = 0; way < 2; way++)
            way_row(r, i, way);
    putchar('\n');
    unsigned fair = run_fairness(r);
    if (fair) printf("fairness of the bulk flows (Jain) %u.%04u; ", fair / 10000, fair % 10000);
    printf("%s ms simulated, %s ms of them measured; seed %" PRIu64 ", digest %016" PRIx64 "\n", ms_text(r->sim->now, text, sizeof text),
        ms_text(r->sim->now - r->scenario->warmup, text + 20, sizeof text - 20), r->sim->seed, r->digest);
}

static void flow_line(const struct sim_run *r, unsigned i)
{
    const struct traffic *t = &r->flow[i];
    struct run_mark n = run_flow_counts(r, i);
    CLI_EVENT(stdout, "flow", {"name", r->scenario->flow[i].name, 0}, {"goodput_bps", NULL, run_goodput(r, i)}, {"bytes", NULL, n.received},
        {"segments", NULL, n.segments}, {"retransmits", NULL, n.retransmits}, {"retransmitted_bytes", NULL, n.retransmitted_bytes},
        {"rtt_samples", NULL, t->rtt.n}, {"rtt_min_ns", NULL, t->rtt.min}, {"rtt_p50_ns", NULL, hist_permille(&t->rtt, 500)},
        {"rtt_p90_ns", NULL, hist_permille(&t->rtt, 900)}, {"rtt_p99_ns", NULL, hist_permille(&t->rtt, 990)}, {"rtt_max_ns", NULL, t->rtt.max},
        {"recoveries", NULL, n.recoveries}, {"loss_probes", NULL, n.probes},
        {"time_outs", NULL, n.time_outs}, {"undone", NULL, n.undone}, {"turns", NULL, t->turn.n}, {"turn_p50_ns", NULL, hist_permille(&t->turn, 500)}, {"turn_p99_ns", NULL, hist_permille(&t->turn, 990)},
        {"done_ns", NULL, t->done_at}, {"error", t->error ? pl_error_name(t->error) : "", 0});
}

static void way_line(const struct sim_run *r, unsigned link, unsigned way)
{
    const struct scenario_link *l = &r->scenario->link[link];
    const struct sim_direction *d = &r->sim->link[link]->dir[way];
    struct run_way_mark n = run_way_counts(r, link, way);
    CLI_EVENT(stdout, "link", {"from", r->scenario->node[l->node[way]].name, 0}, {"to", r->scenario->node[l->node[!way]].name, 0}, {"frames", NULL, n.frames},
        {"bytes", NULL, n.bytes}, {"delivered", NULL, n.delivered}, {"delivered_bytes", NULL, n.delivered_bytes}, {"lost", NULL, n.lost},
        {"lost_queue_full", NULL, n.lost_full}, {"lost_codel", NULL, n.lost_codel}, {"lost_on_the_way", NULL, n.lost_way}, {"lost_mtu", NULL, n.lost_mtu},
        {"marked", NULL, n.marked}, {"queue_fullest", NULL, d->fullest}, {"queue_p50_ns", NULL, hist_permille(&d->wait, 500)},
        {"queue_p90_ns", NULL, hist_permille(&d->wait, 900)}, {"queue_p99_ns", NULL, hist_permille(&d->wait, 990)}, {"queue_max_ns", NULL, d->wait.max});
}

void sim_report(const struct sim_run *r)
{
    char digest[20];
    if (!cli_as_json) {
        as_text(r);
        return;
    }
    for (unsigned i = 0; i < r->scenario->flows; i++)
        flow_line(r, i);
    for (unsigned i = 0; i < r->sim->links; i++)
        for (unsigned way = 0; way < 2; way++)
            way_line(r, i, way);
    snprintf(digest, sizeof digest, "%016" PRIx64, r->digest);
    CLI_EVENT(stdout, "run", {"seed", NULL, r->sim->seed}, {"time_ns", NULL, r->sim->now}, {"measured_from_ns", NULL, r->scenario->warmup},
        {"fairness_jain_10000", NULL, run_fairness(r)}, {"digest", digest, 0});
}
