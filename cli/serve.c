/* SPDX-License-Identifier: MIT
 *
 * serve.c: `parley serve DIR`: the files of a folder over HTTP, on parley's own TCP.
 */
#include "cli/host.h"
#include "cli/progress.h"
#include "os/host/clock.h"
#include "os/host/http_parley.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint16_t port = 80;
static pl_time offline_after;
static uint64_t answers, body_bytes;
static unsigned online, online_most;
static struct progress progress;

static const struct cli_option options[] = {
    {.letter = 'p', .name = "port", .value = "N", .read = cli_read_port, .to = &port, .help = "the port to listen on; default 80"},
    {.name = "offline-after", .value = "TIME", .read = cli_read_time, .to = &offline_after,
        .help = "count a client offline and drop it when nothing was heard of it for so long (default 60 s), and tell who comes and goes"},
    {0}};

/* One line per request, in the form that other servers use too; who asked may have put anything into the target. */
static void log_answer(void *user, const struct http_parley_answer *a)
{
    char who[80], when[40], target[600];
    time_t now = time(NULL);
    struct tm tm;
    size_t n = 0;
    (void)user;
    strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S %z", localtime_r(&now, &tm));
    for (const char *s = a->target; *s && n + 1 < sizeof target; s++)
        target[n++] = *s > 0x20 && *s < 0x7f && *s != '"' && *s != '\\' ? *s : '?';
    target[n] = '\0';
    progress_end(&progress);              /* the line belongs to the log now */
    answers++;
    body_bytes += a->bytes;
    pl_addr_text(&a->remote.addr, who, sizeof who);
    if (cli_as_json) {
        CLI_EVENT(stdout, "answer", {"time_ns", NULL, host_wall_clock()}, {"remote", who, 0}, {"remote_port", NULL, a->remote.port}, {"method", a->method, 0},
            {"target", target, 0}, {"minor", NULL, (uint64_t)a->minor}, {"status", NULL, (uint64_t)a->status}, {"body_bytes", NULL, a->bytes});
        return;
    }
    printf("%s - - [%s] \"%s %s HTTP/1.%d\" %d %llu\n", who, when, a->method, target, a->minor, a->status,
        (unsigned long long)a->bytes);
    fflush(stdout);
}

/* Mission M17: the server's view of who is there. */
static void tell_online(void *user, const struct pl_endpoint *remote, bool is_online, bool silent)
{
    char who[80];
    (void)user;
    online += is_online ? 1 : -1u;
    if (online > online_most) online_most = online;
    if (!offline_after) return;
    progress_end(&progress);
    pl_endpoint_text(remote, who, sizeof who);
    const char *why = is_online ? "it has connected" : silent ? "nothing was heard of it for too long" : "the connection is over";
    if (cli_as_json) CLI_EVENT(stdout, is_online ? "online" : "offline", {"time_ns", NULL, host_wall_clock()}, {"remote", who, 0}, {"why", why, 0});
    else printf("%s is %s: %s\n", who, is_online ? "online" : "offline", why);
    fflush(stdout);
}

/* What was served, once Ctrl-C ends it. */
static void tell_totals(const struct cli_host *h)
{
    struct pl_iface_info i = {0};
    if (!h->lost) pl_iface_info(h->stack, h->iface, &i, sizeof i);
    if (cli_as_json) CLI_EVENT(stdout, "over", {"answers", NULL, answers}, {"body_bytes", NULL, body_bytes}, {"connections_most", NULL, online_most},
        {"received_frames", NULL, i.rx_frames}, {"sent_frames", NULL, i.tx_frames}, {"sent_bytes", NULL, i.tx_bytes});
    else fprintf(stderr, "%llu requests answered, %.1f MiB; %u connections at most at one time\n", (unsigned long long)answers,
        (double)body_bytes / (1 << 20), online_most);
}

static bool on_events(struct cli_host *h)
{
    struct http_parley *server = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e))
        any = true, server ? http_parley_event(server, &e) : false;
    return (server && http_parley_run(server, h->loop.now, time(NULL))) || any;
}

static void announce(const struct cli_host *h, const char *dir)
{
    char text[72];
    for (int i = 0; cli_as_json && i < h->ours.n; i++) {
        struct pl_endpoint e = {.addr = h->ours.of[i].addr, .port = port};
        CLI_EVENT(stdout, "listening", {"local", pl_endpoint_text(&e, text, sizeof text), 0}, {"folder", dir, 0});
    }
    if (cli_as_json) return;
    printf("parley serves %s on %s:\n", dir, h->what);
    for (int i = 0; i < h->ours.n; i++) {
        struct pl_endpoint e = {.addr = h->ours.of[i].addr, .port = port};
        pl_endpoint_text(&e, text, sizeof text);
        if (port == 80) *strrchr(text, ':') = '\0';
        printf("  curl http://%s/\n", text);
    }
    puts(h->has_net ? "In the shell below, type that; leave it with exit." : "Ctrl-C ends it.");
    fflush(stdout);
}

/* A shell whose network is the namespace's. */
static pid_t start_shell(const struct cli_host *h)
{
    const char *shell = getenv("SHELL");
    if (!shell || !*shell) shell = "/bin/sh";
    pid_t pid = fork();
    if (pid) return pid;
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    int error = testnet_enter(&h->net, h->kernel_ns);
    if (!error) execlp(shell, shell, (char *)NULL);
    fprintf(stderr, "parley serve: cannot run %s in the namespace: %s\n", shell, strerror(error ? -error : errno));
    _exit(127);
}

/* Only while something is moving: between two requests the line belongs to whoever reads. */
static void tell_progress(const struct cli_host *h)
{
    static uint64_t before;
    struct pl_iface_info i = {0};
    if (!progress.wanted || pl_iface_info(h->stack, h->iface, &i, sizeof i) < 0) return;
    if (!online) {
        progress_end(&progress);
        progress.began = host_now();
        before = i.tx_bytes;
    } else {
        progress_tell(&progress, "sending", i.tx_bytes - before, UINT64_MAX, host_now());
    }
}

static void serve_until_interrupted(struct cli_host *h, struct http_parley *server)
{
    progress_begin(&progress, true, host_now());
    while (!cli_interrupted()) {
        pl_time tick = progress.wanted && online ? host_now() + 200 * PL_MS : PL_NEVER, due = http_parley_deadline(server);
        if (!cli_host_turn(h, due < tick ? due : tick)) break;
        tell_progress(h);
    }
    progress_end(&progress);
}

static void serve_shell(struct cli_host *h, struct http_parley *server)
{
    signal(SIGINT, SIG_IGN);              /* Ctrl-C is for what runs in the shell */
    pid_t pid = start_shell(h);
    while (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) {
        pl_time tick = host_now() + 100 * PL_MS, due = http_parley_deadline(server);
        if (!cli_host_turn(h, due < tick ? due : tick)) break;
    }
}

static int run(char *const *operands, int n)
{
    struct cli_host h = {.on_events = on_events};
    struct http_parley *server;
    struct pl_http_config http;
    (void)n;
    pl_http_config_default(&http, sizeof http);
    if (offline_after) http.idle_ns = offline_after;
    int status = cli_host_open(&h);
    if (status) return status;
    struct http_parley_params params = {.stack = h.stack, .local = {.port = port}, .dir = operands[0], .listing = true, .cookie = 1,
        .on_answer = log_answer, .on_online = tell_online, .http = &http};
    int error = http_parley_open(&params, &server);
    if (error) {
        cli_say(CLI_FAILED, "cannot serve %s: %s", operands[0], error == PL_EIO ? strerror(errno) : pl_strerror(error));
        cli_host_close(&h);
        return CLI_FAILED;
    }
    h.user = server;
    cli_catch_signals(&h);
    signal(SIGPIPE, SIG_IGN);             /* who reads our log may go; who fetches from us stays */
    announce(&h, operands[0]);
    if (h.has_net) serve_shell(&h, server);
    else serve_until_interrupted(&h, server);
    pl_time end = host_now() + 2 * PL_S;
    http_parley_shutdown(server, host_now());
    while (!h.lost && http_parley_connections(server) && host_now() < end) {
        pl_time due = http_parley_deadline(server);
        if (!cli_host_turn(&h, due < end ? due : end)) break;
    }
    h.user = NULL;
    http_parley_close(server);
    if (!h.lost && host_now() < end) cli_host_farewell(&h);
    else if (!h.lost) cli_host_turn(&h, 0);
    tell_totals(&h);
    status = h.lost ? CLI_FAILED : CLI_DONE;
    cli_host_close(&h);
    return status;
}

const struct cli_command cli_serve = {
    .name = "serve", .operands = "DIR", .summary = "serves the files of a folder over HTTP, on parley's own TCP",
    .details = CLI_LINK_HELP
        "\n"
        "Ctrl-C: no further connections, a farewell to those that are open (2 seconds at most, then a reset), and the end. Again: at once.\n"
        "One line per request goes to stdout, and with --offline-after one for each client that comes or goes; everything else to stderr.\n"
        "\n"
        "  parley serve .                                              as root\n"
        "  parley serve --iface tap:tap0 --kernel 10.1.0.1/24 --addr 10.1.0.2/24 .\n"
        "  parley serve --netns .                                      as anybody\n",
    .options = {options, cli_link_options}, .operands_min = 1, .operands_max = 1, .run = run};
