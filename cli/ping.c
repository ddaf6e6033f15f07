/* SPDX-License-Identifier: MIT
 *
 * ping.c: `parley ping HOST`: ICMP and ICMPv6 echo, from parley's own stack. RFC 792, RFC 4443 section 4.1.
 */
#include "cli/host.h"
#include "os/host/clock.h"
#include "view/decode.h"
#include <stdio.h>
#include <string.h>

#define INTERVAL PL_S
#define WAIT_LAST PL_S
#define DATA_BYTES 56

static uint64_t count = 4;

static const struct cli_option options[] = {
    {.letter = 'c', .name = "count", .value = "N", .read = cli_read_u64, .to = &count, .help = "how many requests; default 4, 0: until Ctrl-C"}, {0}};

struct ping {
    pl_udp socket;
    struct pl_endpoint to;
    uint64_t sent, received, last_answered;           /* last: its number, 16 bits */
    pl_time least, most, sum;
};

/* The time of sending travels in the data, so a late answer is measured right too. */
static int send_one(struct cli_host *h, struct ping *p)
{
    uint8_t datagram[2 + DATA_BYTES] = {0};
    pl_time now = host_now();
    uint16_t seq = (uint16_t)(p->sent + 1);
    datagram[0] = (uint8_t)(seq >> 8);
    datagram[1] = (uint8_t)seq;
    memcpy(datagram + 2, &now, sizeof now);
    int error = pl_udp_send(h->stack, p->socket, &p->to, datagram, sizeof datagram);
    p->sent++;
    return error;
}

static bool take_one(struct cli_host *h, struct ping *p)
{
    uint8_t datagram[2 + DATA_BYTES];
    struct pl_endpoint from;
    char text[72], span[40];
    pl_time sent_at;
    ptrdiff_t n = pl_udp_recv(h->stack, p->socket, &from, datagram, sizeof datagram);
    if (n == PL_EAGAIN) return false;
    if (n < 0) {
        if (cli_as_json) CLI_EVENT(stdout, "trouble", {"text", pl_strerror((int)n), 0});
        else printf("the network says: %s\n", pl_strerror((int)n));
        fflush(stdout);
        return true;
    }
    if (n < (ptrdiff_t)sizeof datagram) return true;
    memcpy(&sent_at, datagram + 2, sizeof sent_at);
    pl_time took = host_now() - sent_at;
    p->received++;
    p->last_answered = (uint64_t)(datagram[0] << 8 | datagram[1]);
    p->sum += took;
    if (p->received == 1 || took < p->least) p->least = took;
    if (took > p->most) p->most = took;
    pl_addr_text(&from.addr, text, sizeof text);
    if (cli_as_json) {
        CLI_EVENT(stdout, "answer", {"from", text, 0}, {"seq", NULL, (uint64_t)(datagram[0] << 8 | datagram[1])}, {"bytes", NULL, (uint64_t)n + 6},
            {"took_ns", NULL, took});
        return true;
    }
    printf("%td bytes from %s: seq=%u time=%s\n", n + 6, text, (unsigned)(datagram[0] << 8 | datagram[1]),
        view_duration(took / PL_US * PL_US, span, sizeof span));
    fflush(stdout);
    return true;
}

static bool on_events(struct cli_host *h)
{
    struct ping *p = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e))
        any = true;
    while (any && take_one(h, p))
        ;
    return any;
}

static void tell_silence(const struct ping *p)
{
    if (!p->sent || p->last_answered == (p->sent & 0xffff)) return;
    if (cli_as_json) CLI_EVENT(stdout, "silence", {"seq", NULL, p->sent});
    else printf("seq=%llu: no answer yet\n", (unsigned long long)p->sent);
    fflush(stdout);
}

static void ping(struct cli_host *h, struct ping *p)
{
    pl_time next = host_now(), end = PL_NEVER;
    while (!cli_interrupted() && host_now() < end && !(count && p->received >= count)) {
        if (host_now() >= next && (!count || p->sent < count)) {
            tell_silence(p);
            int error = send_one(h, p);
            if (error && cli_as_json) CLI_EVENT(stdout, "trouble", {"seq", NULL, p->sent}, {"text", pl_strerror(error), 0});
            else if (error) printf("seq=%llu cannot be sent: %s\n", (unsigned long long)p->sent, pl_strerror(error));
            next += INTERVAL;
            if (count && p->sent == count) end = host_now() + WAIT_LAST;
        }
        if (!cli_host_turn(h, end < next ? end : next)) return;
    }
}

static void tell_result(const struct ping *p)
{
    char a[40], b[40], c[40];
    pl_time mean = p->received ? p->sum / p->received : 0;
    if (cli_as_json) {
        CLI_EVENT(stdout, "over", {"sent", NULL, p->sent}, {"answered", NULL, p->received}, {"least_ns", NULL, p->least}, {"mean_ns", NULL, mean},
            {"most_ns", NULL, p->most});
        return;
    }
    printf("%llu sent, %llu answered", (unsigned long long)p->sent, (unsigned long long)p->received);
    if (p->received) printf("; least %s, mean %s, most %s", view_duration(p->least / PL_US * PL_US, a, sizeof a),
        view_duration(mean / PL_US * PL_US, b, sizeof b), view_duration(p->most / PL_US * PL_US, c, sizeof c));
    putchar('\n');
}

static int run(char *const *operands, int n)
{
    struct ping p = {0};
    struct cli_host h = {.on_events = on_events, .user = &p};
    struct pl_addr addr[8];
    const char *why;
    char text[72];
    (void)n;
    int status = cli_host_open(&h);
    if (status) return status;
    if (!cli_resolve(&h, operands[0], addr, 8, &why)) {
        cli_host_close(&h);
        return cli_say(CLI_FAILED, "%s: %s", operands[0], why);
    }
    p.to.addr = addr[0];
    cli_catch_signals(&h);
    int error = pl_echo_open(h.stack, &(struct pl_endpoint){0}, 1, &p.socket);
    if (error) {
        cli_host_close(&h);
        return cli_say(CLI_FAILED, "no echo socket: %s", pl_strerror(error));
    }
    if (!cli_as_json) printf("ping %s on %s\n", pl_addr_text(&p.to.addr, text, sizeof text), h.what);
    fflush(stdout);
    ping(&h, &p);
    tell_silence(&p);
    tell_result(&p);
    cli_host_close(&h);
    return p.received ? CLI_DONE : CLI_FAILED;
}

const struct cli_command cli_ping = {
    .name = "ping", .operands = "HOST", .summary = "asks for echoes, ICMP and ICMPv6",
    .details = CLI_LINK_HELP "\nThe host \"localhost\" is the kernel at the other end of the link. Exit status 1 if no answer came.\n",
    .options = {options, cli_link_options}, .operands_min = 1, .operands_max = 1, .run = run};
