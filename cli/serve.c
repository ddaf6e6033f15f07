/* SPDX-License-Identifier: MIT
 *
 * serve.c: `parley serve DIR`: the files of a folder over HTTP, on parley's own TCP.
 */
#include "cli/host.h"
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

static const struct cli_option options[] = {
    {.letter = 'p', .name = "port", .value = "N", .read = cli_read_port, .to = &port, .help = "the port to listen on; default 80"}, {0}};

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
    printf("%s - - [%s] \"%s %s HTTP/1.%d\" %d %llu\n", pl_addr_text(&a->remote.addr, who, sizeof who), when, a->method, target, a->minor, a->status,
        (unsigned long long)a->bytes);
    fflush(stdout);
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

static void serve_until_interrupted(struct cli_host *h, struct http_parley *server)
{
    while (!cli_interrupted() && cli_host_turn(h, http_parley_deadline(server)))
        ;
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
    (void)n;
    int status = cli_host_open(&h);
    if (status) return status;
    struct http_parley_params params = {.stack = h.stack, .local = {.port = port}, .dir = operands[0], .listing = true, .cookie = 1,
        .on_answer = log_answer};
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
    status = h.lost ? CLI_FAILED : CLI_DONE;
    cli_host_close(&h);
    return status;
}

const struct cli_command cli_serve = {
    .name = "serve", .operands = "DIR", .summary = "serves the files of a folder over HTTP, on parley's own TCP",
    .details = CLI_LINK_HELP
        "\n"
        "Ctrl-C: no further connections, a farewell to those that are open (2 seconds at most, then a reset), and the end. Again: at once.\n"
        "One line per request goes to stdout, everything else to stderr.\n"
        "\n"
        "  parley serve .                                              as root\n"
        "  parley serve --iface tap:tap0 --kernel 10.1.0.1/24 --addr 10.1.0.2/24 .\n"
        "  parley serve --netns .                                      as anybody\n",
    .options = {options, cli_link_options}, .operands_min = 1, .operands_max = 1, .run = run};
