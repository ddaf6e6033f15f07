/* SPDX-License-Identifier: MIT
 *
 * golden_cells.c: the cells, and what they must reach. See golden_cells.h.
 *
 * Goodput. A segment of 1500 bytes carries 1448 of text (IPv4, timestamps), so "the link" is rate * 1448 / 1500. How many segments a window holds on average when
 * each is lost with chance p is what the RFCs' response functions say:
 *
 *   Reno    sqrt(3 / 2p): RFC 9438 5.1 with alpha 1, beta 1/2; the constant of Mathis, Semke, Mahdavi and Ott (1997) for windows that grow by one segment in
 *           a round trip. Delayed acknowledgements do not slow that down here: growth is by bytes that were acknowledged, RFC 3465 2.1.
 *   CUBIC   (C * (3 + beta) / (4 * (1 - beta)))^(1/4) * RTT^(3/4) / p^(3/4): RFC 9438 5.1, C 0.4, beta 0.7; in the Reno-friendly region, 4.3, that of Reno.
 *
 * They bind where the link has more: there the goodput is within 25 % of it. Where the link binds it is not less than 75 % of that.
 */
#include "support/golden_cells.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SEGMENT 1500
#define TEXT 1448
#define MEASURED_S 60

static const char *const algorithms[] = {"newreno", "cubic", "bbr"};
enum { NEWRENO, CUBIC, BBR };

static struct golden_cell *cells(size_t n)
{
    struct golden_cell *c = calloc(n, sizeof *c);
    if (!c) {
        fputs("golden: out of memory\n", stderr);
        abort();
    }
    return c;
}

static double mbit(uint64_t bps) { return (double)bps / 1e6; }

/* ---------------------------------------- goodput ---------------------------------------- */

enum { BOUND, LEAST, MOST, KIND };        /* of golden_cell.number */
enum { PINNED, LINK, RESPONSE };

static double window(unsigned algorithm, double rtt_s, double p)
{
    double reno = sqrt(1.5 / p);
    double cubic = sqrt(sqrt(0.4 * (3 + 0.7) / (4 * (1 - 0.7)))) * sqrt(rtt_s / p) * sqrt(sqrt(rtt_s / p));
    return algorithm == CUBIC && cubic > reno ? cubic : reno;
}

static void bounds(struct golden_cell *c, unsigned algorithm, unsigned rate, unsigned rtt_ms, double p)
{
    double link = rate * (double)TEXT / SEGMENT, rtt_s = rtt_ms / 1e3;
    c->number[BOUND] = link;
    c->number[KIND] = LINK;
    c->number[MOST] = 0;                  /* no bound */
    if (p > 0.01) {
        c->number[KIND] = PINNED;
    } else if (algorithm == BBR) {
        c->number[LEAST] = 0.85;
    } else if (p == 0) {
        c->number[LEAST] = 0.97;
    } else {
        double w = window(algorithm, rtt_s, p), response = w * TEXT * 8 / rtt_s / 1e6;
        c->number[LEAST] = 0.75;
        if (w < 8) c->number[KIND] = PINNED;
        else if (response < link) c->number[KIND] = RESPONSE, c->number[BOUND] = response, c->number[MOST] = 1.25;
    }
}

static void take_goodput(const struct sim_run *r, double sum[GOLDEN_SUMS])
{
    sum[0] += mbit(run_goodput(r, 0));
    sum[1] += (double)run_flow_counts(r, 0).retransmits;
    sum[2] += 1;
}

static void judge_goodput(const struct golden_cell *c, const double sum[GOLDEN_SUMS], char *text, size_t size)
{
    static const char *const kind[] = {"-", "link", "response"};
    double got = sum[0] / sum[2], ratio = got / c->number[BOUND];
    const char *verdict = "ok";
    if (c->number[KIND] == PINNED) verdict = "pinned";
    else if (ratio < c->number[LEAST]) verdict = "FAIL: too little";
    else if (c->number[MOST] > 0 && ratio > c->number[MOST]) verdict = "FAIL: too much";
    snprintf(text, size, "%9.3f %9.3f %-8s %6.3f %9.1f %3.0f  %s", got, c->number[BOUND], kind[(int)c->number[KIND]], ratio, sum[1] / sum[2], sum[2], verdict);
}

/* The response functions speak of averages: so many runs that 200 losses can be expected in what is measured, which leaves chance about 5 %; and each of them so
 * long that its share is ten, for it takes several until the window that slow start has left is forgotten. */
static void settle(struct golden_cell *c, double p, double *seconds)
{
    double losses_s = c->number[BOUND] * 1e6 / 8 / TEXT * p;
    if (*seconds < ceil(20 / losses_s)) *seconds = ceil(20 / losses_s);
    c->runs = losses_s * *seconds / 2 > 200 ? 1 : (unsigned)ceil(200 / (losses_s * *seconds / 2));
}

static void goodput_cell(struct golden_cell *c, unsigned algorithm, unsigned rate, unsigned rtt_ms, const char *loss, double p)
{
    uint64_t bdp = (uint64_t)rate * 1000 / 8 * rtt_ms, queue = (bdp + SEGMENT - 1) / SEGMENT;
    if (queue < 64) queue = 64;
    uint64_t room = 3 * (bdp + queue * SEGMENT) + 65536;      /* what flies, and what stays in the buffers while two losses of it are repaired in turn */
    double seconds = 200 * rtt_ms / 1000 > MEASURED_S ? 200 * rtt_ms / 1000 : MEASURED_S;
    bounds(c, algorithm, rate, rtt_ms, p);
    if (c->number[KIND] == RESPONSE) settle(c, p, &seconds);
    int at = snprintf(c->scenario, sizeof c->scenario,
        "time %.0fs\nwarmup %.0fms\nhost a cc=%s sndbuf=%" PRIu64 " csum-offload\nhost b cc=%s rcvbuf=%" PRIu64 " csum-offload\n"
        "link a b rate=%uMbit delay=%uus queue=%" PRIu64 "\nflow a b bulk\n",
        seconds, seconds * 500, algorithms[algorithm], room, algorithms[algorithm], room, rate, rtt_ms * 500, queue);
    if (p > 0) snprintf(c->scenario + at, sizeof c->scenario - (size_t)at, "impair a>b loss chance=%s\n", loss);
    snprintf(c->key, sizeof c->key, "%-8s %4uMbit %3ums %5s", algorithms[algorithm], rate, rtt_ms, loss);
    c->cost = c->number[BOUND] * seconds / MEASURED_S * (c->runs ? c->runs : 1);
    c->take = take_goodput;
    c->judge = judge_goodput;
}

static const char goodput_head[] =
    "# Goodput of one flow in Mbit/s: algorithm, rate, round-trip time and loss; measured; expected; by what; the ratio of both; segments sent again; runs;\n"
    "# verdict.\n"
    "# The queue holds the larger of rate * round-trip time and 64 frames; each data segment is lost with the chance given. Measured over the second half of the larger\n"
    "# of 60 s and 200 round trips (or 20 losses where `response` binds, see below). `link`: what the link carries less headers, of which NewReno and CUBIC must reach 97 % without loss and 75 % with up to 1 %, BBR\n"
    "# 85 % with up to 1 %. `response`: the response function of RFC 9438 5.1 or Reno's, within 25 %, the average of so many runs that 200 losses fall into them, and ten\n"
    "# into each. The rest is pinned: a change shows. `make golden` writes it anew.\n";

struct golden_table golden_goodput(double dearest)
{
    static const unsigned rate[] = {1, 10, 100, 1000}, rtt_ms[] = {1, 20, 100, 300};
    static const struct { const char *text; double p; } loss[] = {{"0%", 0}, {"0.01%", 1e-4}, {"0.1%", 1e-3}, {"1%", 1e-2}, {"5%", 5e-2}};
    struct golden_table t = {"tests/sim/golden/goodput.txt", goodput_head, NULL, COUNT(algorithms) * COUNT(rate) * COUNT(rtt_ms) * COUNT(loss)};
    t.cell = cells(t.n);
    for (size_t i = 0; i < t.n; i++) {
        size_t l = i % COUNT(loss), d = i / COUNT(loss) % COUNT(rtt_ms), r = i / COUNT(loss) / COUNT(rtt_ms) % COUNT(rate);
        goodput_cell(&t.cell[i], (unsigned)(i / COUNT(loss) / COUNT(rtt_ms) / COUNT(rate)), rate[r], rtt_ms[d], loss[l].text, loss[l].p);
        t.cell[i].left_out = t.cell[i].cost > dearest;
    }
    return t;
}

/* ---------------------------------------- shares ---------------------------------------- */

#define HOSTS 4

static const struct bottleneck {
    const char *name;
    unsigned mbit, delay_ms, queue;
} middle = {"20Mbit  40ms", 20, 19, 100}, small = {"10Mbit  20ms", 10, 9, 32};

/* The flows come from up to four hosts, begin 100 ms apart, and their ways to the bottleneck jitter by up to 200 us: without that, what comes when the queue is full
 * would always be the same one's. */
static void share_scenario(struct golden_cell *c, const struct bottleneck *b, unsigned n, const char *const algorithm[])
{
    int at = snprintf(c->scenario, sizeof c->scenario, "time %us\nhost server rcvbuf=1MiB\nrouter r\n", MEASURED_S);
    for (unsigned i = 0; i < HOSTS && i < n; i++)
        at += snprintf(c->scenario + at, sizeof c->scenario - (size_t)at, "host h%u\nlink h%u r rate=1Gbit delay=1ms jitter=200us\n", i, i);
    at += snprintf(c->scenario + at, sizeof c->scenario - (size_t)at, "link r server rate=%uMbit delay=%ums queue=%u\n", b->mbit, b->delay_ms, b->queue);
    for (unsigned i = 0; i < n; i++)
        at += snprintf(c->scenario + at, sizeof c->scenario - (size_t)at, "flow h%u server bulk start=%ums cc=%s\n", i % HOSTS, i * 100, algorithm[i]);
}

static void take_equal(const struct sim_run *r, double sum[GOLDEN_SUMS])
{
    double least = 1e9, most = 0, jain = run_fairness(r) / 10000.;
    for (unsigned i = 0; i < r->scenario->flows; i++) {
        double got = mbit(run_goodput(r, i));
        sum[0] += got;
        if (got < least) least = got;
        if (got > most) most = got;
    }
    sum[1] += least;
    sum[2] += most;
    sum[3] += jain;
    if (sum[4] == 0 || jain < sum[4]) sum[4] = jain;
}

static void judge_equal(const struct golden_cell *c, const double sum[GOLDEN_SUMS], char *text, size_t size)
{
    double jain = sum[3] / c->runs;
    snprintf(text, size, "%7.3f %7.3f %7.3f  Jain %6.4f, least %6.4f  %s", sum[0] / c->runs, sum[1] / c->runs, sum[2] / c->runs, jain, sum[4],
        jain >= 0.95 ? "ok" : "FAIL: below 0.95");
}

/* Half of the flows are one algorithm's, half the other's. */
static void take_beside(const struct sim_run *r, double sum[GOLDEN_SUMS])
{
    for (unsigned i = 0; i < r->scenario->flows; i++)
        sum[i & 1] += mbit(run_goodput(r, i));
}

static void judge_beside(const struct golden_cell *c, const double half[GOLDEN_SUMS], char *text, size_t size)
{
    double share = half[0] / (half[0] + half[1]);
    const char *verdict = "pinned";
    if (c->number[MOST] > 0) verdict = share < c->number[LEAST] ? "FAIL: too little" : share > c->number[MOST] ? "FAIL: too much" : "ok";
    snprintf(text, size, "%7.3f %7.3f %7.3f share %6.4f  %s", (half[0] + half[1]) / c->runs, half[0] / c->runs, half[1] / c->runs, share, verdict);
}

static const char shares_head[] =
    "# Bulk flows over one bottleneck, for 60 s from the start; rate, round-trip time without the queue, which has 100 frames (20 Mbit/s) or 32. Mbit/s.\n"
    "# Equal ones, averages of eight runs: all, the least, the most, Jain's index, which must be 0.95; and that of the run that was least fair. Two algorithms beside each\n"
    "# other, as many flows of one as of the other: all, the first's, the second's, and the first's share, of several runs. At 10 Mbit/s CUBIC is in its Reno-friendly\n"
    "# region, where it is to have \"approximately the same average window\" as Reno (RFC 9438 4.3): there its share is 0.4 to 0.6. The others are pinned.\n";

struct golden_table golden_shares(void)
{
    static const unsigned equal[] = {2, 4, 16}, beside[] = {2, 8};
    static const struct { unsigned a, b; const struct bottleneck *at; } pair[] = {{CUBIC, NEWRENO, &small}, {CUBIC, NEWRENO, &middle}, {BBR, CUBIC, &small},
        {BBR, CUBIC, &middle}, {BBR, NEWRENO, &middle}};
    struct golden_table t = {"tests/sim/golden/shares.txt", shares_head, NULL, COUNT(algorithms) * COUNT(equal) + COUNT(pair) * COUNT(beside)};
    struct golden_cell *c = t.cell = cells(t.n);
    const char *name[16];
    for (size_t a = 0; a < COUNT(algorithms); a++)
        for (size_t k = 0; k < COUNT(equal); k++, c++) {
            for (unsigned i = 0; i < equal[k]; i++)
                name[i] = algorithms[a];
            share_scenario(c, &middle, equal[k], name);
            snprintf(c->key, sizeof c->key, "%s %2u %-26s", middle.name, equal[k], algorithms[a]);
            c->runs = 8;
            c->take = take_equal;
            c->judge = judge_equal;
        }
    for (size_t p = 0; p < COUNT(pair); p++)
        for (size_t k = 0; k < COUNT(beside); k++, c++) {
            char both[40];
            for (unsigned i = 0; i < beside[k]; i++)
                name[i] = algorithms[i & 1 ? pair[p].b : pair[p].a];
            share_scenario(c, pair[p].at, beside[k], name);
            snprintf(both, sizeof both, "%s beside %u %s", algorithms[pair[p].a], beside[k] / 2, algorithms[pair[p].b]);
            snprintf(c->key, sizeof c->key, "%s %2u %-26s", pair[p].at->name, beside[k] / 2, both);
            if (pair[p].a == CUBIC && pair[p].at == &small) c->number[LEAST] = 0.4, c->number[MOST] = 0.6;
            c->runs = c->number[MOST] > 0 ? 6 : 2;
            c->take = take_beside;
            c->judge = judge_beside;
        }
    return t;
}

/* ---------------------------------------- queue delay ---------------------------------------- */

static void take_delay(const struct sim_run *r, double sum[GOLDEN_SUMS])
{
    static const unsigned permille[] = {500, 900, 990, 1000};
    for (unsigned i = 0; i < r->scenario->flows; i++)
        sum[0] += mbit(run_goodput(r, i));
    for (unsigned i = 0; i < COUNT(permille); i++)
        sum[1 + i] = (double)hist_permille(&r->sim->link[0]->dir[0].wait, permille[i]) / PL_MS;
}

static void judge_delay(const struct golden_cell *c, const double sum[GOLDEN_SUMS], char *text, size_t size)
{
    (void)c;
    snprintf(text, size, "%8.3f %8.3f %8.3f %8.3f %8.3f  pinned", sum[0], sum[1], sum[2], sum[3], sum[4]);
}

static const char delay_head[] =
    "# How long frames wait at a bottleneck of 20 Mbit/s, 40 ms, with 268 frames of queue (four times what is under way), dropped at its tail or by CoDel (RFC 8289): flows,\n"
    "# algorithm, queue; Mbit/s of all; the 50th, 90th and 99th percentile and the longest, in ms. Measured from 10 s to 60 s.\n"
    "# No bound is set: all is pinned, a change shows.\n";

struct golden_table golden_delay(void)
{
    static const char *const queue[] = {"droptail", "codel"};
    static const unsigned flows[] = {1, 4};
    struct golden_table t = {"tests/sim/golden/delay.txt", delay_head, NULL, COUNT(algorithms) * COUNT(queue) * COUNT(flows)};
    t.cell = cells(t.n);
    for (size_t i = 0; i < t.n; i++) {
        struct golden_cell *c = &t.cell[i];
        const char *q = queue[i % 2], *a = algorithms[i / 2 % COUNT(algorithms)];
        unsigned n = flows[i / 2 / COUNT(algorithms)];
        int at = snprintf(c->scenario, sizeof c->scenario, "time 60s\nwarmup 10s\nhost a cc=%s\nhost b cc=%s\nlink a b rate=20Mbit delay=20ms queue=268 aqm=%s\n", a, a, q);
        for (unsigned k = 0; k < n; k++)
            at += snprintf(c->scenario + at, sizeof c->scenario - (size_t)at, "flow a b bulk start=%ums\n", k * 100);
        snprintf(c->key, sizeof c->key, "%u %-8s %-8s", n, a, q);
        c->take = take_delay;
        c->judge = judge_delay;
    }
    return t;
}

/* ---------------------------------------- from cold ---------------------------------------- */

#define FILL_S 30

static void take_fill(const struct sim_run *r, double sum[GOLDEN_SUMS])
{
    sum[0] = mbit(run_goodput(r, 0));
    sum[1] = (double)traffic_received(&r->flow[0]) * 8 / 1e6;
}

static void judge_fill(const struct golden_cell *c, const double sum[GOLDEN_SUMS], char *text, size_t size)
{
    double ratio = sum[0] / c->number[BOUND];
    snprintf(text, size, "%9.3f %9.3f %6.3f %7.3f s  %s", sum[0], c->number[BOUND], ratio, FILL_S - sum[1] / c->number[BOUND], ratio < c->number[LEAST] ? "FAIL: too little" : "ok");
}

static const char fill_head[] =
    "# 1 Gbit/s filled from cold by auto-tuning: the largest buffers, algorithm, round-trip time; Mbit/s in the last third of 30 s, what the link carries less headers, the\n"
    "# ratio, which must be 0.97 (BBR 0.85); and how much of the 30 s the link has stood idle in all, the handshake included. The queue holds rate * round-trip time.\n";

struct golden_table golden_fill(void)
{
    static const struct { const char *name, *buffers; unsigned rtt_ms; } pipe[] = {{"64MB", " sndbuf-max=64MB rcvbuf-max=64MB", 300}, {"default", "", 100}};
    struct golden_table t = {"tests/sim/golden/fill.txt", fill_head, NULL, COUNT(pipe) * COUNT(algorithms)};
    t.cell = cells(t.n);
    for (size_t i = 0; i < t.n; i++) {
        struct golden_cell *c = &t.cell[i];
        const char *a = algorithms[i % COUNT(algorithms)], *b = pipe[i / COUNT(algorithms)].buffers;
        unsigned rtt_ms = pipe[i / COUNT(algorithms)].rtt_ms;
        snprintf(c->scenario, sizeof c->scenario, "time %us\nwarmup %us\nhost a cc=%s%s csum-offload\nhost b cc=%s%s csum-offload\nlink a b rate=1Gbit delay=%uus queue=%u\nflow a b bulk\n",
            FILL_S, FILL_S * 2 / 3, a, b, a, b, rtt_ms * 500, 1000000 / 8 * rtt_ms / SEGMENT);
        snprintf(c->key, sizeof c->key, "%-8s %-8s %3ums", pipe[i / COUNT(algorithms)].name, a, rtt_ms);
        c->number[BOUND] = 1000. * TEXT / SEGMENT;
        c->number[LEAST] = i % COUNT(algorithms) == BBR ? 0.85 : 0.97;
        c->take = take_fill;
        c->judge = judge_fill;
    }
    return t;
}

/* ---------------------------------------- all of them ---------------------------------------- */

unsigned golden_check(const struct golden_table *t, char *const *words, bool write, bool told)
{
    char(*line)[GOLDEN_LINE] = calloc(t->n, sizeof *line);
    unsigned bad = 0;
    if (!line) abort();
    golden_play(t->cell, t->n, words, told, line);
    if (write && !golden_write(t->path, t->head, t->n, t->cell, line)) {
        perror(t->path);
        bad = 1;
    }
    if (write)
        for (size_t i = 0; i < t->n; i++)
            bad += strstr(line[i], "FAIL") != NULL;
    else
        bad = golden_compare(t->path, t->n, t->cell, line);
    free(line);
    return bad;
}
