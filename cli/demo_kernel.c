/* SPDX-License-Identifier: MIT
 *
 * demo_kernel.c: act c: the same with the Linux kernel: curl fetches a file from parley, parley fetches it from a server on the kernel's sockets, over
 * IPv4 and IPv6.
 *
 * The kernel's side lives in a network namespace that only this process's descriptors keep alive; children die with this process. What is drawn
 * is parley's own trace: of a long transfer its beginning and its end, and a line for what lies between.
 */
#include "cli/cli.h"
#include "cli/demo.h"
#include "cli/demo_files.h"
#include "cli/fetch.h"
#include "os/host/clock.h"
#include "os/host/http_parley.h"
#include "os/host/http_sockets.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "file"
#define COPY_NAME "copy"
#define DATA_SHOWN 3                      /* segments with text, before the middle is left out */
#define KERNEL_PORT 8080

struct kernel_act {
    struct demo_opts *opts;
    int pcap_iface;
    uint16_t port;                        /* the server's, of the transfer under way */
    struct cli_host host;
    struct demo_files files;
    struct http_parley *server;
    uint32_t crc;
    /* the ladder of the transfer under way */
    struct ladder *ladder;                /* NULL: not drawn */
    pl_time began;
    unsigned data_shown;
    bool closing, asked_kernel;
    uint8_t ours;                         /* our state at the end of the trace so far */
    uint64_t frames, segments, bytes, acks;        /* left out */
    /* progress */
    bool terminal;
    pl_time told_at;
    /* curl */
    int curl_out;
    bool curl_over;
    char curl_says[300];
    size_t curl_bytes;
};

/* ---------------------------------------------------------------- the ladder ---------------------------------------------------------------- */

static void say_middle(struct kernel_act *k, pl_time now)
{
    char text[200];
    if (!k->frames && !k->acks) return;
    snprintf(text, sizeof text, "... %.1f MiB more: %llu segments in %llu frames, %llu acknowledgements ...",
        (double)k->bytes / (1 << 20), (unsigned long long)k->segments, (unsigned long long)k->frames, (unsigned long long)k->acks);
    ladder_say(k->ladder, now, text);
    k->frames = k->acks = 0;
}

/* Whether the event belongs to the middle; counts it then. */
static bool in_the_middle(struct kernel_act *k, const struct pl_trace_event *e)
{
    if (k->closing || (e->kind != PL_TRACE_IN && e->kind != PL_TRACE_OUT)) return false;
    if (!e->seg || e->seg->flags & PL_SYN) return false;
    if (e->seg->flags & (PL_FIN | PL_RST)) {
        k->closing = true;
        return false;
    }
    if (e->seg->len && k->data_shown < DATA_SHOWN) {
        k->data_shown++;
        return false;
    }
    if (k->data_shown < DATA_SHOWN) return false;
    if (e->seg->len) {
        k->frames++;
        k->segments += e->seg->segs ? e->seg->segs : 1;
        k->bytes += e->seg->len;
    } else {
        k->acks++;
    }
    return true;
}

struct kernels_view {                     /* what a child in the namespace reads, and hands back */
    uint16_t port;
    char text[200];
};

/* /proc/net/tcp: local and remote as hex ADDRESS:PORT, then the state (what ss prints). */
static int read_kernels_view(void *arg, int *fd)
{
    static const char *const state[] = {"?", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT",
        "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECEIVED"};
    static const char *const file[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    struct kernels_view *v = arg;
    char line[400];
    (void)fd;
    for (int i = 0; i < 2 && !v->text[0]; i++) {
        FILE *f = fopen(file[i], "r");
        while (f && fgets(line, sizeof line, f)) {
            unsigned local, remote, s;
            if (sscanf(line, " %*d: %*[0-9A-F]:%X %*[0-9A-F]:%X %X", &local, &remote, &s) != 3 || s == 10 || s >= sizeof state / sizeof state[0]) continue;
            if (local != v->port && remote != v->port) continue;
            snprintf(v->text, sizeof v->text, "%s (port %u, parley's is %u)", state[s], local, remote);
        }
        if (f) fclose(f);
    }
    return 0;
}

/* What the kernel itself says of its side, as `ss -tan` would print it, beside ours. */
static void tell_kernels_view(struct kernel_act *k, pl_time now, uint8_t ours)
{
    struct kernels_view v = {.port = k->port};
    char text[300];
    k->asked_kernel = true;
    if (testnet_run(&k->host.net, k->host.kernel_ns, read_kernels_view, &v, sizeof v, NULL)) return;
    snprintf(text, sizeof text, "Linux says of its side (as in ss -tan): %s. Ours: %s.", v.text[0] ? v.text : "no connection any more, CLOSED",
        pl_state_name((enum pl_state)ours));
    ladder_say(k->ladder, now, text);
}

static void traced(void *user, const struct pl_trace_event *event)
{
    struct kernel_act *k = user;
    struct pl_trace_event e = *event;
    cli_pcap_event(&k->opts->pcap, k->pcap_iface, event);
    if (!k->ladder || e.protocol != 6) return;
    k->ours = e.state_after;
    e.now -= e.now > k->began ? k->began : e.now;
    bool was_closing = k->closing;
    if (in_the_middle(k, &e)) {
        if (!k->asked_kernel) tell_kernels_view(k, e.now, e.state_after);
        return;
    }
    if (k->closing && !was_closing) say_middle(k, e.now);
    ladder_event(k->ladder, 0, &e);
}

static void draw(struct kernel_act *k, const char *peer)
{
    struct ladder_opts l;
    ladder_opts_default(&l, stdout);
    l.width = demo_width();
    l.quiet = LADDER_NO_OPTIONS | LADDER_NO_OTHERS | LADDER_NO_DECISIONS | LADDER_NO_TIMERS | LADDER_NO_STATES;
    l.one_sided = true;
    l.name[0] = "parley";
    l.name[1] = peer;
    k->ladder = ladder_new(&l);
    k->began = host_now();
    k->data_shown = 0;
    k->closing = k->asked_kernel = false;
    k->frames = k->segments = k->bytes = k->acks = 0;
}

static void drawn(struct kernel_act *k)
{
    if (k->ladder) tell_kernels_view(k, host_now() - k->began, k->ours);
    if (k->ladder) ladder_free(k->ladder);
    k->ladder = NULL;
}

/* ---------------------------------------------------------------- progress and result ---------------------------------------------------------------- */

static void tell_progress(struct kernel_act *k, const char *what)
{
    struct pl_iface_info info;
    pl_time now = host_now();
    if (!k->terminal || now - k->told_at < 200 * PL_MS) return;
    k->told_at = now;
    pl_iface_info(k->host.stack, k->host.iface, &info, sizeof info);
    fprintf(stderr, "\r  %s: %.0f MiB so far in %.1f s ", what, (double)(info.rx_bytes + info.tx_bytes) / (1 << 20), (double)(now - k->began) / PL_S);
}

static void end_progress(struct kernel_act *k)
{
    if (k->terminal && k->told_at) fprintf(stderr, "\r%70s\r", "");
    k->told_at = 0;
}

/* One line: what was fetched, how fast, and whether it is the same. */
static int result(struct kernel_act *k, const char *what, pl_time took)
{
    uint32_t crc;
    uint64_t bytes;
    char path[512];
    bool read = demo_files_crc(&k->files, COPY_NAME, &crc, &bytes), same = read && demo_files_equal(&k->files, FILE_NAME, COPY_NAME);
    demo_files_path(&k->files, COPY_NAME, path, sizeof path);
    unlink(path);
    if (!same) return cli_say(CLI_FAILED, "%s: what arrived is not what was sent (%llu bytes, CRC-32 %08x instead of %08x)", what,
        (unsigned long long)(read ? bytes : 0), read ? crc : 0, k->crc);
    printf("  %-38s %llu bytes in %.2f s, every byte the same (%08x)\n", what, (unsigned long long)bytes, (double)took / PL_S, crc);
    fflush(stdout);
    return CLI_DONE;
}

/* ---------------------------------------------------------------- parley serves, curl fetches ---------------------------------------------------------------- */

static bool server_events(struct cli_host *h)
{
    struct kernel_act *k = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e)) {
        any = true;
        if (k->server) http_parley_event(k->server, &e);
    }
    return (k->server && http_parley_run(k->server, h->loop.now, time(NULL))) || any;
}

static void curl_writes(void *user, int fd, short revents)
{
    struct kernel_act *k = user;
    char bytes[200];
    (void)revents;
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0) {
        k->curl_over = true;
        host_loop_unwatch(&k->host.loop, fd);
        return;
    }
    size_t room = sizeof k->curl_says - 1 - k->curl_bytes, take = (size_t)n < room ? (size_t)n : room;
    memcpy(k->curl_says + k->curl_bytes, bytes, take);
    k->curl_bytes += take;
    k->curl_says[k->curl_bytes] = '\0';
}

static void turn_until(struct kernel_act *k, const char *what, const bool *over)
{
    while (!*over) {
        pl_time tick = host_now() + 100 * PL_MS, due = k->server ? http_parley_deadline(k->server) : PL_NEVER;
        if (!cli_host_turn(&k->host, due < tick ? due : tick)) return;
        tell_progress(k, what);
    }
}

/* Lets the connections end, and draws their farewell. */
static void let_end(struct kernel_act *k)
{
    pl_time end = host_now() + 2 * PL_S;
    while ((http_parley_connections(k->server) || cli_host_open_connections(&k->host)) && host_now() < end)
        if (!cli_host_turn(&k->host, host_now() + 10 * PL_MS)) return;
}

static int curl_fetches(struct kernel_act *k, int family, bool picture)
{
    char url[100], path[512], addr[72], what[80];
    pl_addr_text(&k->host.ours.of[family].addr, addr, sizeof addr);
    snprintf(url, sizeof url, family ? "http://[%s]/" FILE_NAME : "http://%s/" FILE_NAME, addr);
    snprintf(what, sizeof what, "curl from parley, %s", family ? "IPv6" : "IPv4");
    demo_files_path(&k->files, COPY_NAME, path, sizeof path);
    const char *const argv[] = {"curl", "-q", "--noproxy", "*", "-sS", "--fail", "--max-time", "120", "-o", path, url, NULL};
    int ends[2];
    if (pipe(ends) < 0) return cli_say(CLI_FAILED, "no pipe for curl: %s", strerror(errno));
    if (picture) {
        printf("\n  curl -q --noproxy '*' -o copy %s\n\n", url);
        fflush(stdout);
        draw(k, "Linux (curl)");
    }
    k->began = host_now();
    k->curl_over = false;
    k->port = 80;
    k->curl_bytes = 0;
    pid_t pid = testnet_spawn(&k->host.net, k->host.kernel_ns, argv, ends[1]);
    close(ends[1]);
    host_loop_watch(&k->host.loop, ends[0], POLLIN, curl_writes, k);
    if (pid > 0) turn_until(k, what, &k->curl_over);
    pl_time took = host_now() - k->began;
    end_progress(k);
    let_end(k);
    drawn(k);
    host_loop_unwatch(&k->host.loop, ends[0]);
    close(ends[0]);
    int status = pid > 0 ? testnet_wait(pid) : -1;
    if (status) return cli_say(CLI_FAILED, "%s: curl ended with status %d%s%s", what, status, k->curl_bytes ? ": " : "", k->curl_says);
    return result(k, what, took);
}

static int parley_serves(struct kernel_act *k)
{
    struct http_parley_params params = {.stack = k->host.stack, .local = {.port = 80}, .dir = k->files.dir, .cookie = 1};
    int error = http_parley_open(&params, &k->server);
    if (error) return cli_say(CLI_FAILED, "cannot serve: %s", pl_strerror(error));
    int status = curl_fetches(k, 0, true);
    if (!status && k->host.ours.n > 1) status = curl_fetches(k, 1, false);
    http_parley_close(k->server);
    k->server = NULL;
    return status;
}

/* ---------------------------------------------------------------- the kernel serves, parley fetches ---------------------------------------------------------------- */

/* A child that serves the folder on the kernel's sockets until *stop is closed. Returns its pid when it listens, or -1. */
static pid_t start_kernel_server(struct kernel_act *k, const char *address, int *stop)
{
    int stops[2], ready[2];
    char byte = 0;
    pid_t parent = getpid();
    if (pipe(stops) < 0) return -1;
    if (pipe(ready) < 0) {
        close(stops[0]), close(stops[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct http_sockets *s;
        struct http_sockets_params p = {.address = address, .port = KERNEL_PORT, .dir = k->files.dir};
        close(stops[1]);
        bool good = testnet_enter(&k->host.net, k->host.kernel_ns) == 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* after entering, which undoes it */
        if (getppid() != parent || !good || http_sockets_open(&p, &s) < 0 || write(ready[1], &byte, 1) != 1) _exit(1);
        http_sockets_run(s, stops[0]);
        _exit(0);
    }
    close(stops[0]);
    close(ready[1]);
    *stop = stops[1];
    bool listens = pid > 0 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    if (listens) return pid;
    close(stops[1]);
    if (pid > 0) testnet_wait(pid);
    return -1;
}

struct keeping {
    struct kernel_act *k;
    FILE *out;
    const char *what;
};

static bool keep(void *user, const void *bytes, size_t n)
{
    struct keeping *keeping = user;
    tell_progress(keeping->k, keeping->what);
    return fwrite(bytes, 1, n, keeping->out) == n;
}

static int parley_fetches(struct kernel_act *k, int family, bool picture)
{
    char addr[72], host[72], path[512], what[80];
    int stop;
    k->port = KERNEL_PORT;
    struct cli_fetch f = {.remote = {.addr = k->host.kernels.of[family].addr, .port = KERNEL_PORT}, .target = "/" FILE_NAME, .host = host};
    pl_addr_text(&f.remote.addr, addr, sizeof addr);
    pl_endpoint_text(&f.remote, host, sizeof host);
    snprintf(what, sizeof what, "parley from the kernel's sockets, %s", family ? "IPv6" : "IPv4");
    demo_files_path(&k->files, COPY_NAME, path, sizeof path);
    struct keeping keeping = {k, fopen(path, "wb"), what};
    if (!keeping.out) return cli_say(CLI_FAILED, "cannot write %s: %s", path, strerror(errno));
    pid_t pid = start_kernel_server(k, addr, &stop);
    if (pid < 0) {
        fclose(keeping.out);
        return cli_say(CLI_FAILED, "no server on %s in the namespace", host);
    }
    if (picture) {
        printf("\n  parley get -o copy http://%s/" FILE_NAME "\n\n", host);
        fflush(stdout);
        draw(k, "Linux");
    }
    f.on_body = keep;
    f.user = &keeping;
    k->began = host_now();
    bool complete = cli_fetch(&k->host, &f);
    pl_time took = host_now() - k->began;
    end_progress(k);
    fclose(keeping.out);
    cli_host_farewell(&k->host);
    drawn(k);
    close(stop);
    testnet_wait(pid);
    if (!complete || f.http_status != 200) return cli_say(CLI_FAILED, "%s: %s", what, complete ? f.reason : f.problem);
    return result(k, what, took);
}

/* ---------------------------------------------------------------- the act ---------------------------------------------------------------- */

static bool have_curl(void)
{
    return system("command -v curl >/dev/null 2>&1") == 0;
}

static int play(struct kernel_act *k)
{
    uint64_t bytes;
    demo_files_crc(&k->files, FILE_NAME, &k->crc, &bytes);
    printf("On %s. The file has %llu MiB.\n", k->host.what, (unsigned long long)(bytes >> 20));
    fflush(stdout);
    if (k->host.ours.n < 2) puts("This kernel has no IPv6, so all of it is over IPv4.");
    bool curl = have_curl();
    int status = curl ? parley_serves(k) : CLI_DONE;
    if (!curl) puts("  There is no curl here (apt install curl), so nobody fetches from parley.");
    if (!status) status = parley_fetches(k, 0, true);
    if (!status && k->host.ours.n > 1) status = parley_fetches(k, 1, false);
    return status;
}

int demo_act_c(struct demo_opts *o)
{
    char why[400], text[600];
    struct kernel_act k = {.opts = o, .pcap_iface = -1, .terminal = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO)};
    demo_heading("ACT C", "the same with the Linux kernel");
    demo_text("curl fetches a file from parley, and parley fetches it from a server on the kernel's TCP. The trace is parley's; Linux is asked for its "
              "states in the middle and at the end. Times are real, and so are the sequence numbers: by a clock and a keyed hash. Where len is many thousands, one frame to or "
              "from the interface stands for many segments of 1448 bytes or less: the kernel cuts and joins them.");
    fflush(stdout);
    k.host.on_events = server_events;
    k.host.user = &k;
    k.host.env = (struct pl_env){.trace = traced, .trace_user = &k};
    if (!cli_host_open_private(&k.host, why, sizeof why)) {
        demo_text("");
        snprintf(text, sizeof text, "Left out: %s. `parley doctor` says what works here, and what to do about the rest.", why);
        demo_text(text);
        return CLI_DONE;
    }
    if (o->pcap.out) {
        struct pl_iface_info info;
        pl_iface_info(k.host.stack, k.host.iface, &info, sizeof info);
        k.pcap_iface = cli_pcap_interface(&o->pcap, "parley", info.params.link == PL_LINK_ETHERNET);
        o->pcap.offset = o->pcap.last + PL_S - host_now();
    }
    int status = CLI_FAILED;
    if (demo_files_make(&k.files, FILE_NAME, o->bytes)) {
        status = play(&k);
        demo_files_remove(&k.files);
    } else {
        cli_say(CLI_FAILED, "no folder for the file: %s", strerror(errno));
    }
    cli_host_close(&k.host);
    if (status == CLI_DONE) puts("\nNothing is left behind: the namespaces and the files are gone.");
    return status;
}
