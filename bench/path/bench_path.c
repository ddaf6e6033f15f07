/* SPDX-License-Identifier: MIT
 *
 * bench_path: parley against this kernel's TCP on the same bad path: the simulator's link (sim/with_link.h) as a relay in real time, between two kernels in
 * namespaces, and with parley in the place of one of them. See usage below.
 *
 * A pair are two transfers with the same luck: of the sender's frames those with the same numbers are lost. All of one seed run side by side, so that what
 * disturbs the machine disturbs them alike.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/path/figures.h"
#include "bench/path/transfer.h"
#include "os/host/testnet.h"

static const char usage[] =
    "usage: bench_path [options] [WORD ...]\n"
    "  only rows whose line (\"cubic 1% parley to kernel\") has all WORDs\n"
    "  --quick          2 pairs of 5 s: a look, no proof\n"
    "  --pairs N        of transfers in each row (8)\n"
    "  --seconds N      that are measured of each (15), after --warm-up N (3)\n"
    "  --side-by-side N transfers at one time (9)\n"
    "  --rate MBIT      of the link (20)    --rtt MS  there and back (40)    --loss PERCENT  only this one (0.1, 1, 3)\n"
    "  --seed N         of the first pair's losses (1); the next has N + 1\n"
    "  --self           the kernel in parley's place: what the instrument adds\n"
    "  --json FILE      the figures of each row as well, one object per line; -: instead of the table\n"
    "  --keep DIR       of each transfer, in this folder: a capture, the sender's numbers as they went, its counters\n"
    "A row compares parley's goodput with the kernel's under the same losses: the ratio, and the interval in which it lies with 95 %.\n"
    "It fails when a transfer does, never for a figure.\n";

static const char *const controls[] = {"reno", "cubic", "bbr"};
static const char *const who_names[] = {[KERNEL_TO_KERNEL] = "kernel to kernel", [PARLEY_TO_KERNEL] = "parley to kernel", [KERNEL_TO_PARLEY] = "kernel to parley"};
enum { CONTROLS = 3, LOSSES_MAX = 3, WHO = 3, SIDE_MAX = 64, WORDS_MAX = 16, JOBS_MAX = CONTROLS * LOSSES_MAX * FIGURES_MAX * WHO, PAIRS_MIN = 5 };
#define WANTED 0.95
static const double late_limit_ms = 2;    /* 99 % of the frames: a twentieth of the round trip. Later, and a row says that it was disturbed */

static struct options {
    uint64_t seed, rate;
    uint32_t loss[LOSSES_MAX];            /* per million */
    int losses, pairs, side_by_side;
    pl_time rtt, warm_up, measured;
    bool self;
    const char *json, *keep;
    const char *words[WORDS_MAX];
    int nwords;
} o = {.seed = 1, .rate = 20000000, .loss = {1000, 10000, 30000}, .losses = 3, .pairs = 8, .side_by_side = 9, .rtt = 40 * PL_MS, .warm_up = 3 * PL_S,
    .measured = 15 * PL_S};

/* ---- jobs: one transfer each, in a child */

struct job {
    int control, loss, pair;              /* indices */
    int member;                           /* 0: kernel to kernel; 1, 2: the others of enum transfer_who, or the kernel again with --self */
    bool started, done;
    pid_t pid;
    int report;
    struct transfer_result result;
};
static struct job jobs[JOBS_MAX];
static int njobs;
static FILE *json;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_path: %s: %s\n", what, why);
    exit(1);
}

static const char *member_name(int member) { return o.self && member ? "kernel again" : who_names[member]; }

static void row_name(char name[100], int control, int loss, int member)
{
    snprintf(name, 100, "%s %g%% %s", controls[control], o.loss[loss] / 1e4, member_name(member));
}

static bool row_wanted(int control, int loss, int member)
{
    char name[100];
    row_name(name, control, loss, member);
    for (int i = 0; i < o.nwords; i++) {
        const char *at = strstr(name, o.words[i]);
        while (at && at > name && at[-1] != ' ')        /* "1%" is not meant to find "0.1%" */
            at = strstr(at + 1, o.words[i]);
        if (!at) return false;
    }
    return true;
}

static void make_jobs(void)
{
    for (int c = 0; c < CONTROLS; c++) {
        for (int l = 0; l < o.losses; l++) {
            bool wanted[WHO] = {false, row_wanted(c, l, 1), !o.self && row_wanted(c, l, 2)};
            wanted[0] = wanted[1] || wanted[2];
            for (int p = 0; p < o.pairs; p++)
                for (int m = 0; m < WHO; m++)
                    if (wanted[m]) jobs[njobs++] = (struct job){.control = c, .loss = l, .pair = p, .member = m};
        }
    }
}

/* Frames leave the link in time whatever else runs, where that is allowed. A relay needs a twentieth of a processor; one that would spin is ended. */
static void go_first(void)
{
    setrlimit(RLIMIT_RTTIME, &(struct rlimit){.rlim_cur = 1000000, .rlim_max = 2000000});
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &(struct sched_param){.sched_priority = 1}) < 0) setpriority(PRIO_PROCESS, 0, -10);
}

static void start(struct job *j)
{
    int ends[2];
    static char keep[4096];
    struct transfer_params t = {.who = o.self ? KERNEL_TO_KERNEL : (enum transfer_who)j->member, .control = controls[j->control], .rate = o.rate, .rtt = o.rtt,
        .loss = o.loss[j->loss], .seed = o.seed + (uint64_t)j->pair, .warm_up = o.warm_up, .measured = o.measured};
    if (pipe(ends) < 0) fail("pipe", strerror(errno));
    fflush(NULL);
    pid_t parent = getpid();
    j->pid = fork();
    if (j->pid < 0) fail("fork", strerror(errno));
    j->report = ends[0];
    j->started = true;
    if (j->pid > 0) {
        close(ends[1]);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    go_first();
    alarm((unsigned)((o.warm_up + o.measured) / PL_S) + 30);
    if (o.keep) {
        snprintf(keep, sizeof keep, "%s/%s-%g-%s-%d", o.keep, t.control, t.loss / 1e4, o.self && j->member ? "again" : who_names[j->member], j->pair + 1);
        for (char *c = keep + strlen(o.keep); *c; c++)
            if (*c == ' ') *c = '-';
        t.keep = keep;
    }
    transfer_play(&t, &j->result);
    _exit(write(ends[1], &j->result, sizeof j->result) == sizeof j->result ? 0 : 1);
}

static void finish(struct job *j)
{
    char name[100];
    ssize_t n = read(j->report, &j->result, sizeof j->result);
    close(j->report);
    j->done = true;
    if (n == sizeof j->result && !j->result.why[0]) return;
    row_name(name, j->control, j->loss, j->member);
    fail(name, n == sizeof j->result ? j->result.why : "the transfer's process ended without a result");
}

/* ---- rows */

struct row {
    int n;
    double kernel[FIGURES_MAX], other[FIGURES_MAX], late_ms;
    uint64_t lost[2], again[2];           /* of all the kernel's transfers, of all the others: lost on the link, retransmitted */
    uint64_t refused;
};

static struct job *partner(const struct job *of)
{
    for (struct job *j = jobs; j < jobs + njobs; j++)
        if (j->member == 0 && j->control == of->control && j->loss == of->loss && j->pair == of->pair) return j;
    return NULL;
}

static void gather(struct row *r, int control, int loss, int member)
{
    *r = (struct row){0};
    for (const struct job *j = jobs; j < jobs + njobs; j++) {
        if (j->control != control || j->loss != loss || j->member != member) continue;
        const struct transfer_result *both[2] = {&partner(j)->result, &j->result};
        r->kernel[r->n] = both[0]->mbit_s;
        r->other[r->n++] = both[1]->mbit_s;
        for (int i = 0; i < 2; i++) {
            if (both[i]->late_ms[1] > r->late_ms) r->late_ms = both[i]->late_ms[1];
            r->refused += both[i]->refused;
            r->lost[i] += both[i]->lost + both[i]->lost_full;
            r->again[i] += both[i]->retransmits;
        }
    }
}

/* How the interval stands to what is wanted. */
static const char *verdict(const struct row *r, const struct ratio *q)
{
    if (r->n < PAIRS_MIN) return "few";
    if (q->low >= WANTED) return "all";
    return q->high >= WANTED ? "reaches" : "no";
}

static void show_json(const struct row *r, const struct ratio *q, int control, int loss, int member)
{
    fprintf(json, "{\"control\":\"%s\",\"loss_percent\":%g,\"way\":\"%s\",\"pairs\":%d,\"kernel_mbit_s\":%.3f,\"mbit_s\":%.3f,\"ratio\":%.4f,", controls[control],
        o.loss[loss] / 1e4, member_name(member), r->n, figures_median(r->kernel, r->n), figures_median(r->other, r->n), q->middle);
    if (isfinite(q->high)) fprintf(json, "\"low\":%.4f,\"high\":%.4f,\"wanted\":%g,\"verdict\":\"%s\",", q->low, q->high, WANTED, verdict(r, q));
    fprintf(json, "\"kernel_lost\":%llu,\"lost\":%llu,\"kernel_retransmits\":%llu,\"retransmits\":%llu,", (unsigned long long)r->lost[0],
        (unsigned long long)r->lost[1], (unsigned long long)r->again[0], (unsigned long long)r->again[1]);
    fprintf(json, "\"late_p99_ms\":%.3f,\"disturbed\":%s,\"ratios\":[", r->late_ms, r->late_ms > late_limit_ms || r->refused ? "true" : "false");
    for (int i = 0; i < r->n; i++)
        fprintf(json, "%s%.4f", i ? "," : "", r->other[i] / r->kernel[i]);
    fprintf(json, "]}\n");
    fflush(json);
}

static void show_row(int control, int loss, int member)
{
    struct row r;
    gather(&r, control, loss, member);
    if (!r.n) return;
    struct ratio q = figures_ratio(r.kernel, r.other, r.n);
    if (json) show_json(&r, &q, control, loss, member);
    if (json == stdout) return;
    printf("%-6s %4g %%  %-17s %7.2f %7.2f %8.3f   ", controls[control], o.loss[loss] / 1e4, member_name(member), figures_median(r.kernel, r.n),
        figures_median(r.other, r.n), q.middle);
    if (isfinite(q.high)) printf("%5.3f .. %5.3f", q.low, q.high);
    else printf("one pair only ");
    printf("   %-7s  %6.2f%s\n", verdict(&r, &q), r.late_ms, r.refused ? "  disturbed: a TUN was full" : r.late_ms > late_limit_ms ? "  disturbed: the machine was busy" : "");
    fflush(stdout);
}

static void show_head(void)
{
    struct transfer_params t = {.rate = o.rate, .rtt = o.rtt};
    if (json == stdout) return;
    printf("%g Mbit/s, %g ms, a queue of %llu bytes, losses in the sender's direction; %d pairs, %g s of each after %g s, %d at a time\n"
           "goodput: medians in Mbit/s; ratio: geometric mean; late: 99 %% of the frames left the link no later than that\n"
           "0.95: the interval is above it (all), holds it (reaches), is below it (no); few: too few pairs to say\n\n"
           "control   loss  from and to        kernel  %-7s   ratio   95 %% interval   0.95     late/ms\n",
        (double)o.rate / 1e6, (double)o.rtt / 1e6, (unsigned long long)transfer_queue_bytes(&t), o.pairs, (double)o.measured / 1e9, (double)o.warm_up / 1e9,
        o.side_by_side, o.self ? "again" : "parley");
    fflush(stdout);
}

/* ---- the run */

/* Waits until one of the children reports. */
static void wait_for_one(void)
{
    struct pollfd fd[SIDE_MAX];
    struct job *of[SIDE_MAX];
    nfds_t n = 0;
    for (int i = 0; i < njobs; i++) {
        if (!jobs[i].started || jobs[i].done) continue;
        of[n] = &jobs[i];
        fd[n++] = (struct pollfd){.fd = jobs[i].report, .events = POLLIN};
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)              /* a namespace goes slowly: nobody waits for that */
        ;
    if (poll(fd, n, -1) < 0 && errno != EINTR) fail("poll", strerror(errno));
    for (nfds_t i = 0; i < n; i++)
        if (fd[i].revents) finish(of[i]);
}

static void run(void)
{
    int running = 0, next = 0, shown = 0;
    while (shown < njobs) {
        while (running < o.side_by_side && next < njobs)
            start(&jobs[next++]), running++;
        wait_for_one();
        running = 0;
        for (int i = 0; i < next; i++)
            running += !jobs[i].done;
        /* A row when the last of its jobs is done: they stand together. */
        int end = shown;
        while (end < njobs && jobs[end].done && jobs[end].control == jobs[shown].control && jobs[end].loss == jobs[shown].loss)
            end++;
        if (end == shown || (end < njobs && jobs[end].control == jobs[shown].control && jobs[end].loss == jobs[shown].loss)) continue;
        for (int m = 1; m < WHO; m++)
            show_row(jobs[shown].control, jobs[shown].loss, m);
        shown = end;
    }
}

static bool number(const char *text, double low, double high, double *to)
{
    char *end;
    *to = strtod(text, &end);
    return end != text && !*end && *to >= low && *to <= high;
}

static bool read_options(int argc, char **argv)
{
    double v;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (name[0] != '-') {
            if (o.nwords == WORDS_MAX) return false;
            o.words[o.nwords++] = name;
            continue;
        }
        if (strcmp(name, "--self") == 0) {
            o.self = true;
            continue;
        }
        if (strcmp(name, "--quick") == 0) {
            o.pairs = 2;
            o.measured = 5 * PL_S;
            o.warm_up = 2 * PL_S;
            continue;
        }
        i++;
        if (strcmp(name, "--pairs") == 0 && number(value, 1, FIGURES_MAX, &v)) o.pairs = (int)v;
        else if (strcmp(name, "--seconds") == 0 && number(value, 1, 3600, &v)) o.measured = (pl_time)(v * 1e9);
        else if (strcmp(name, "--warm-up") == 0 && number(value, 0, 3600, &v)) o.warm_up = (pl_time)(v * 1e9);
        else if (strcmp(name, "--side-by-side") == 0 && number(value, 1, SIDE_MAX, &v)) o.side_by_side = (int)v;
        else if (strcmp(name, "--rate") == 0 && number(value, 0.1, 1000, &v)) o.rate = (uint64_t)(v * 1e6);
        else if (strcmp(name, "--rtt") == 0 && number(value, 0, 2000, &v)) o.rtt = (pl_time)(v * 1e6);
        else if (strcmp(name, "--loss") == 0 && number(value, 0, 50, &v)) o.loss[0] = (uint32_t)(v * 1e4 + 0.5), o.losses = 1;
        else if (strcmp(name, "--seed") == 0 && number(value, 0, 1e15, &v)) o.seed = (uint64_t)v;
        else if (strcmp(name, "--json") == 0 && *value) o.json = value;
        else if (strcmp(name, "--keep") == 0 && *value) o.keep = value;
        else return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    char why[400];
    for (int i = 1; i < argc; i++)        /* `make bench-path` puts options of its own before it */
        if (strcmp(argv[i], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!read_options(argc, argv)) return fputs(usage, stderr), 2;
    if (!testnet_tun_possible(why, sizeof why)) {
        printf("bench_path: left out: %s\n", why);
        return 0;
    }
    if (o.json) json = strcmp(o.json, "-") == 0 ? stdout : fopen(o.json, "w");
    if (o.json && !json) fail(o.json, strerror(errno));
    if (o.keep && mkdir(o.keep, 0777) < 0 && errno != EEXIST) fail(o.keep, strerror(errno));
    make_jobs();
    if (!njobs) fail("no row", "none contains all of these words");
    show_head();
    run();
    if (json && json != stdout) printf("\nall of it, each pair's ratio too: %s\n", o.json);
    return 0;
}
