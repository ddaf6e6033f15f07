/* SPDX-License-Identifier: MIT
 *
 * nc.c: `parley nc`: stdin and stdout at one end of a TCP connection, or of UDP's datagrams.
 */
#include "cli/nc.h"
#include "os/host/clock.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE (15 * PL_S)              /* for a connection to be made */
#define UDP_SILENCE PL_S                  /* after stdin's end: no answer will come any more */

static struct nc nc;

static const struct cli_option options[] = {
    {.letter = 'l', .name = "listen", .to = &nc.listen, .help = "wait for a connection on PORT instead of making one; the first to come is served, the only one"},
    {.letter = 'u', .name = "udp", .to = &nc.udp, .help = "UDP: each read of stdin is a datagram (1232 bytes at most)"},
    {.letter = '4', .name = "ipv4", .to = &nc.four, .help = "only IPv4 addresses of HOST"},
    {.letter = '6', .name = "ipv6", .to = &nc.six, .help = "only IPv6 addresses of HOST"},
    {.letter = 'p', .name = "source-port", .value = "N", .read = cli_read_port, .to = &nc.source_port, .help = "the port to connect from; default: any"},
    {.letter = 'w', .name = "timeout", .value = "TIME", .read = cli_read_time, .to = &nc.timeout,
        .help = "give up when the connection is not made in so long (default 15 s), or when nothing moved for so long (default: never; UDP: ends "
                "1 s after the end of stdin without an answer)"},
    {.letter = 'k', .name = "keepalive", .value = "TIME", .read = cli_read_time, .to = &cli_link.keepalive,
        .help = "ask a silent peer after so long whether it is still there, up to three times; no answer ends it"},
    {0}};

void nc_fail(struct nc *n, const char *what)
{
    snprintf(n->problem, sizeof n->problem, "%s: %s", what, strerror(errno));
    n->over = true;
}

static bool pump(struct nc *n)
{
    uint64_t before = n->sent + n->received;
    bool moved = n->udp ? nc_udp_pump(n) : nc_tcp_pump(n);
    if (n->sent + n->received != before) n->moved = host_now();
    return moved;
}

static void in_ready(void *user, int fd, short revents)
{
    struct nc *n = user;
    (void)fd, (void)revents;
    standard_unwatch(&n->in, &n->host.loop);
}

static void out_ready(void *user, int fd, short revents)
{
    struct nc *n = user;
    (void)fd, (void)revents;
    standard_unwatch(&n->out, &n->host.loop);
}

void nc_wait_in(struct nc *n)
{
    standard_watch(&n->in, &n->host.loop, in_ready, n, false);
}

void nc_wait_out(struct nc *n)
{
    standard_watch(&n->out, &n->host.loop, out_ready, n, true);
}

static bool on_events(struct cli_host *h)
{
    struct nc *n = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e))
        any = true;
    return pump(n) || any;
}

/* ---------------------------------------------------------------- the time that it may take ---------------------------------------------------------------- */

/* When it is given up for lack of news; PL_NEVER. */
static pl_time patience_ends(const struct nc *n)
{
    if (n->listen && !n->connected && !n->timeout) return PL_NEVER;
    if (n->udp && n->in_over && !n->listen && !n->timeout) return n->moved + UDP_SILENCE;
    if (n->udp || n->connected) return n->timeout ? n->moved + n->timeout : PL_NEVER;
    return n->moved + (n->timeout ? n->timeout : PATIENCE);
}

static void give_up(struct nc *n)
{
    char why[300] = "";
    n->over = true;
    if (n->udp && (n->in_over || n->listen)) return;   /* silence is how UDP ends */
    int len = n->handle ? pl_explain(n->host.stack, n->handle, why, sizeof why) : 0;
    while (len > 0 && why[len - 1] == ' ')
        why[--len] = '\0';
    snprintf(n->problem, sizeof n->problem, "%s%s%.200s", n->connected ? "nothing moved for too long" : n->listen ? "nobody came" : "no answer in time",
        *why ? ": " : "", why);
}

static void turn_until_over(struct nc *n)
{
    n->moved = host_now();
    while (!n->over && !cli_interrupted()) {
        pl_time due = patience_ends(n), tick = n->progress.wanted ? host_now() + 200 * PL_MS : PL_NEVER;
        if (!cli_host_turn(&n->host, due < tick ? due : tick)) return;
        if (!n->over && host_now() >= patience_ends(n)) give_up(n);
        progress_tell(&n->progress, n->received > n->sent ? "received" : "sent", n->received > n->sent ? n->received : n->sent, UINT64_MAX, host_now());
    }
}

/* ---------------------------------------------------------------- beginning and end ---------------------------------------------------------------- */

static void announce(const struct nc *n, uint16_t port)
{
    const struct cli_host *h = &n->host;
    char text[72];
    for (int i = 0; i < h->ours.n; i++) {
        pl_endpoint_text(&(struct pl_endpoint){.addr = h->ours.of[i].addr, .port = port}, text, sizeof text);
        if (cli_as_json) CLI_EVENT(stderr, "listening", {"local", text, 0}, {"protocol", n->udp ? "UDP" : "TCP", 0});
        else fprintf(stderr, "listening on %s\n", text);
    }
    if (!h->has_net || cli_as_json) return;
    if (h->net.user_ns >= 0) fprintf(stderr, "a shell in its network: nsenter --preserve-credentials --user=/proc/%d/fd/%d --net=/proc/%d/fd/%d\n",
        getpid(), h->net.user_ns, getpid(), h->net.net_ns[h->kernel_ns]);
    else fprintf(stderr, "a shell in its network: nsenter --net=/proc/%d/fd/%d\n", getpid(), h->net.net_ns[h->kernel_ns]);
}

static int result(struct nc *n)
{
    char peer[72];
    const char *why = n->problem[0] ? n->problem : n->error ? pl_strerror(n->error) : "";
    progress_end(&n->progress);
    if (cli_as_json) CLI_EVENT(stderr, "over", {"sent_bytes", NULL, n->sent}, {"received_bytes", NULL, n->received},
        {"error", cli_interrupted() ? "interrupted" : why, 0});
    if (cli_interrupted()) return 130;
    if (n->host.lost) return CLI_FAILED;  /* said when it happened */
    if (n->strangers && !cli_as_json) fprintf(stderr, "%llu datagrams came from others than the peer\n", (unsigned long long)n->strangers);
    if (!*why) return CLI_DONE;
    if (n->problem[0] || !n->peer.port) return cli_say(CLI_FAILED, "%s", why);
    return cli_say(CLI_FAILED, "%s: %s", pl_endpoint_text(&n->peer, peer, sizeof peer), why);
}

/* What was not finished is reset: the peer must not take the half for the whole. */
static int finish(struct nc *n)
{
    pl_stack *s = n->host.stack;
    int status = result(n);
    if (n->handle && !n->udp && status != CLI_DONE) pl_abort(s, n->handle);
    if (n->handle) pl_close(s, n->handle);
    n->handle = 0;
    return status;
}

static int run_once(struct nc *n, const struct pl_endpoint *remote, uint16_t port)
{
    char text[72];
    n->over = n->connected = false;
    n->error = 0;
    n->problem[0] = '\0';
    int error = n->udp ? nc_udp_begin(n, remote, port) : nc_tcp_begin(n, remote, port);
    if (error && remote) return cli_say(CLI_FAILED, "%s: %s", pl_endpoint_text(remote, text, sizeof text), pl_strerror(error));
    if (error) return cli_say(CLI_FAILED, "cannot listen on port %u: %s", port, pl_strerror(error));
    if (!remote) announce(n, port);
    turn_until_over(n);
    return finish(n);
}

static int connect_to(struct nc *n, const char *host, uint16_t port)
{
    static const uint8_t four[12] = {[10] = 0xff, [11] = 0xff};
    struct pl_addr addr[8];
    const char *why;
    int status = CLI_FAILED, count = cli_resolve(&n->host, host, addr, 8, &why), tried = 0;
    if (!count) return cli_say(CLI_FAILED, "%s: %s", host, why);
    for (int i = 0; i < count && status == CLI_FAILED && !n->connected && !n->host.lost; i++) {
        bool is_four = !memcmp(addr[i].b, four, sizeof four);
        if ((n->four && !is_four) || (n->six && is_four)) continue;
        tried++;
        status = run_once(n, &(struct pl_endpoint){.addr = addr[i], .port = port}, 0);
    }
    return tried ? status : cli_say(CLI_FAILED, "%s: no address of that family", host);
}

static int run(char *const *operands, int words)
{
    uint16_t port;
    char why[80];
    if (words != (nc.listen ? 1 : 2)) return cli_say(CLI_USAGE, nc.listen ? "with --listen it needs the PORT alone" : "it needs HOST and PORT");
    if (!cli_read_port(operands[words - 1], &port, why, sizeof why)) return cli_say(CLI_USAGE, "\"%s\": expected %s", operands[words - 1], why);
    if (nc.four && nc.six) return cli_say(CLI_USAGE, "-4 and -6 leave no address");
    if (nc.udp && cli_link.keepalive) return cli_say(CLI_USAGE, "--keepalive is TCP's");
    nc.host = (struct cli_host){.on_events = on_events, .user = &nc};
    int status = cli_host_open(&nc.host);
    if (status) return status;
    cli_catch_signals(&nc.host);
    signal(SIGPIPE, SIG_IGN);             /* told by write's error */
    standard_open(&nc.in, STDIN_FILENO, false);
    standard_open(&nc.out, STDOUT_FILENO, true);
    progress_begin(&nc.progress, true, host_now());
    nc.progress.wanted = nc.progress.wanted && !isatty(STDIN_FILENO);
    status = nc.listen ? run_once(&nc, NULL, port) : connect_to(&nc, operands[0], port);
    if (!nc.host.lost) cli_host_farewell(&nc.host);
    standard_close(&nc.in);
    standard_close(&nc.out);
    cli_host_close(&nc.host);
    return status;
}

const struct cli_command cli_nc = {
    .name = "nc", .operands = "HOST PORT | -l PORT", .summary = "joins stdin and stdout to a connection, on parley's own TCP",
    .details = CLI_LINK_HELP
        "\n"
        "Stdin goes to the peer, what the peer sends to stdout, both at once. The end of stdin ends our direction (FIN) and no more: what the\n"
        "peer still sends arrives. When the peer ends its direction stdout is closed, and stdin still goes out. It is over, with status 0, when\n"
        "both have ended and the peer has acknowledged everything; anything else ends with a reset, a sentence and status 1 (Ctrl-C: 130).\n"
        "The host \"localhost\" is the kernel at the other end of the link.\n"
        "\n"
        "  parley nc -l 5000 > file                                    as root; then, elsewhere: nc -N 10.77.0.2 5000 < file\n"
        "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | parley nc localhost 8000\n"
        "  parley nc -u localhost 53 < question > answer\n",
    .options = {options, cli_link_options}, .operands_min = 1, .operands_max = 2, .run = run};
