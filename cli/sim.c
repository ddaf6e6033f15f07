/* SPDX-License-Identifier: MIT
 *
 * sim.c: `parley sim`: plays a scenario (docs/scenarios.md) on the deterministic network and reports. See sim.h.
 */
#include "cli/sim.h"
#include "cli/cli.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    uint64_t seed;
    const char *seed_text, *pcap, *series;
    pl_time every;
    bool ladder, decisions, dry;
} o = {.every = PL_S / 10};

static bool read_seed(const char *text, void *to, char *why, size_t size)
{
    o.seed_text = text;
    return cli_read_u64(text, to, why, size);
}

static const struct cli_option own[] = {
    {0, "seed", "N", read_seed, &o.seed, "the network's dice; default: the scenario's, or 1"},
    {0, "pcap", "DIR", cli_read_text, &o.pcap, "keep all frames, in one capture file (pcapng) per link, in this folder"},
    {0, "ladder", NULL, NULL, &o.ladder, "draw the first flow as a sequence of segments"},
    {0, "decisions", NULL, NULL, &o.decisions, "the same, with what its ends decided about windows, losses and timers, and why"},
    {0, "series", "FILE", cli_read_text, &o.series, "windows, rates and queues over time: CSV, or JSON lines if FILE ends with .jsonl"},
    {0, "every", "T", cli_read_time, &o.every, "how often --series writes; default: 100ms"},
    {'n', "dry-run", NULL, NULL, &o.dry, "only read the scenario"},
    {0, "json", NULL, NULL, &cli_as_json, "the summary as lines of JSON"},
    {0},
};

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t got = 1;
    *n = 0;
    if (!f) return NULL;
    while (got) {
        char *more = *n < (size_t)1 << 24 ? realloc(text, *n + 65536) : NULL;
        if (!more) errno = *n < (size_t)1 << 24 ? ENOMEM : EFBIG;
        if (!more) break;
        text = more;
        *n += got = fread(text + *n, 1, 65536, f);
    }
    if (got || ferror(f)) {
        free(text);
        text = NULL;
    }
    int error = errno;
    fclose(f);
    errno = error;
    return text;
}

/* The first signal ends the run at the next frame, so that the files are whole up to there; a second one ends the program. */
static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    interrupted = signal;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

struct play {
    struct sim_run *run;
    struct sim_series series;
    uint64_t told_of;                     /* frames and what became of them */
    bool progress, shown;
    struct timespec told;
};

static double seconds_since(const struct timespec *then)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)(t.tv_sec - then->tv_sec) + (double)(t.tv_nsec - then->tv_nsec) / 1e9;
}

static void tick(void *user, struct sim_run *r)
{
    struct play *p = user;
    sim_series_tick(&p->series, r);
}

/* A line on stderr for a person who waits. It says where the virtual clock is; the run does not know of it. */
static void watch_clock(void *user, const struct sim_tap_event *e)
{
    struct play *p = user;
    if (interrupted) sim_fail(p->run->sim, "interrupted");
    if (++p->told_of % 1024 || !p->progress || seconds_since(&p->told) < (p->shown ? 0.2 : 1)) return;
    clock_gettime(CLOCK_MONOTONIC, &p->told);
    p->shown = true;
    fprintf(stderr, "\r  %.1f of %.1f s simulated   ", (double)e->now / PL_S, (double)p->run->scenario->time / PL_S);
}

static struct ladder *new_ladder(const struct scenario *s)
{
    struct ladder_opts l;
    ladder_opts_default(&l, stdout);
    l.quiet = LADDER_NO_OPTIONS | LADDER_NO_OTHERS | (o.decisions ? 0 : LADDER_NO_DECISIONS);
    l.port = RUN_PORT;
    for (unsigned i = 0; i < 2; i++)
        l.name[i] = s->node[s->flow[0].node[i]].name;
    return ladder_new(&l);
}

static int play(struct sim_run *r)
{
    struct play p = {.run = r, .progress = !cli_as_json && isatty(STDERR_FILENO) && !(o.ladder && isatty(STDOUT_FILENO))};
    struct sim_watch *watch = NULL;
    char why[4400];
    clock_gettime(CLOCK_MONOTONIC, &p.told);
    catch_signals();
    sim_tap(r->sim, watch_clock, &p);
    if (o.series && !sim_series_open(&p.series, o.series)) return cli_say(CLI_FAILED, "%s: %s", o.series, strerror(errno));
    struct ladder *ladder = o.ladder ? new_ladder(r->scenario) : NULL;
    if (o.pcap || ladder) {
        watch = sim_watch_new(r, o.pcap, ladder, why, sizeof why);
        if (!watch) cli_say(CLI_FAILED, "%s", why);
    }
    bool good = (watch || !(o.pcap || ladder)) && run_play(r, o.every, tick, &p);
    int status = good ? CLI_DONE : CLI_FAILED;
    if (p.shown) fprintf(stderr, "\r%79s\r", "");
    if (ladder) ladder_free(ladder);
    if (!good && sim_failure(r->sim)) cli_say(CLI_FAILED, "%s", sim_failure(r->sim));
    if (!sim_watch_close(watch)) status = cli_say(CLI_FAILED, "%s: %s", o.pcap, strerror(errno));
    if (!sim_series_close(&p.series)) status = cli_say(CLI_FAILED, "%s: %s", o.series, strerror(errno));
    if (good) sim_report(r);
    return status;
}

static int run(char *const *operands, int n)
{
    char error[500], why[700];
    size_t bytes;
    (void)n;
    o.ladder |= o.decisions;
    if (cli_as_json && o.ladder) return cli_say(CLI_USAGE, "--json and %s both want stdout", o.decisions ? "--decisions" : "--ladder");
    char *text = read_file(operands[0], &bytes);
    if (!text) return cli_say(CLI_FAILED, "%s: %s", operands[0], strerror(errno));
    struct scenario *s = scenario_read(text, bytes, error, sizeof error);
    free(text);
    if (!s) return cli_say(CLI_FAILED, "%s: %s", operands[0], error);
    int status = CLI_DONE;
    if (!o.dry) {
        struct sim_run *r = run_new(s, o.seed_text ? o.seed : s->seed, why, sizeof why);
        status = r ? play(r) : cli_say(CLI_FAILED, "%s: %s", operands[0], why);
        run_free(r);
    }
    scenario_free(s);
    /* Who started us is told by what it ended. */
    if (interrupted) {
        fflush(stdout);
        signal(interrupted, SIG_DFL);
        raise(interrupted);
    }
    return status;
}

const struct cli_command cli_sim = {
    .name = "sim",
    .operands = "FILE",
    .summary = "play a scenario on the deterministic network: goodput, delays, losses, fairness",
    .details = "FILE says which hosts, routers and links there are, what goes wrong on them, and who sends what to whom; docs/scenarios.md is the tour, sim/scenarios/\n"
               "has examples. Time is virtual; a run is the scenario and the seed, and is the same, frame by frame, on every machine: equal digests say so.\n",
    .options = {own},
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
