/* SPDX-License-Identifier: MIT
 *
 * bench_turns: what small things cost: two stacks in one thread, packets handed from one to the other in memory, every checksum in software; both
 * ends counted together.
 *
 *     bench_turns                     one byte there and one back; and whole connections: open, a byte each way, close (7 segments), with a
 *                                     thousand and with a million TIME-WAIT entries at the client or at the server
 *                     between them the same by this kernel's TCP over `lo`, system calls and all (bench/loopback.h)
 *     bench_turns --once turn|client|server COUNT      so many of one, for counting instructions: `valgrind --tool=callgrind`
 *     bench_turns --json
 *
 * Time is virtual: a connection takes CYCLE of it, so 2 MSL / CYCLE entries are in TIME-WAIT once that time has passed, and from then on each new
 * one comes with one that ends by its timer. The ports of the server change with each connection, for one pair of addresses and one port of
 * the server has no more than 32768 ports for the client.
 *
 * Goals (docs/architecture.md, speed): 1 M round trips and 250,000 connections per CPU-second, and no more than 1.25 times the cost with a million.
 */
#include <parley/parley.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench/loopback.h"

#define CYCLE (60 * PL_US)
enum { PORTS = 61, FEW = 1000, MANY = 1000000, FRAMES = 8, ROUNDS = 5 };

struct host {
    pl_stack *stack;
    void *block;
    struct pl_env env;
};

struct pairing {
    struct host a, b;                     /* client, server */
    pl_listener listener[PORTS];
    pl_conn from, to;                     /* the connection of the round trips */
    bool server_first;                    /* who closes first, and so keeps the TIME-WAIT entry */
    unsigned port;
    pl_time now;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench_turns: %s\n", what);
    exit(1);
}

static void host_make(struct host *h, const char *address, uint32_t time_waits, uint8_t seed)
{
    struct pl_config c;
    struct pl_addr a;
    pl_config_default(&c, sizeof c);
    c.connections_max = c.half_open_max = 64;
    c.listeners_max = PORTS;
    c.time_wait_max = time_waits + time_waits / 8;
    c.msl = CYCLE * time_waits / 2;
    c.sndbuf_bytes = c.rcvbuf_bytes = 16 << 10;
    c.sndbuf_max = c.rcvbuf_max = 0;
    c.chunks_max = 64;
    c.mem_is_zero = true;
    c.seed[0] = seed;
    size_t bytes = pl_stack_size(&c);
    must(bytes > 0, pl_config_problem(&c));
    h->block = aligned_alloc(64, bytes);
    must(h->block != NULL, "no memory");
    memset(h->block, 0, bytes);
    must(pl_stack_init(h->block, bytes, &c, &h->env, PL_S, &h->stack) == PL_OK, "no stack");
    struct pl_iface_params link = {.mtu = 1500, .link = PL_LINK_IP};
    pl_addr_parse(address, &a);
    must(pl_iface_add(h->stack, &link) == 0 && pl_addr_add(h->stack, 0, &a, 24) == PL_OK, "no interface");
}

static void drain(struct host *h)
{
    struct pl_event e;
    while (pl_event_next(h->stack, &e)) {
    }
}

static int carry(struct pairing *p, struct host *from, struct host *to)
{
    static uint8_t header[FRAMES][PL_HEADER_BYTES_MAX];
    static struct pl_frame frames[FRAMES];
    for (int i = 0; i < FRAMES; i++)
        frames[i].span[0] = (struct pl_span){header[i], sizeof header[i]};
    int n = pl_tx(from->stack, 0, frames, FRAMES, p->now);
    if (n > 0) pl_rx(to->stack, 0, frames, (size_t)n, p->now);
    drain(to);
    return n;
}

static pl_conn opened(struct pairing *p, pl_conn *accepted)
{
    struct pl_connect_params cp = {.remote = {.port = (uint16_t)(1000 + p->port)}};
    pl_conn c;
    uint8_t byte = 1;
    pl_addr_parse("192.0.2.2", &cp.remote.addr);
    must(pl_connect(p->a.stack, &cp, &c) == PL_OK, "no connection");
    carry(p, &p->a, &p->b);
    carry(p, &p->b, &p->a);
    must(pl_send(p->a.stack, c, &byte, 1) == 1, "not connected");      /* goes with the third message */
    carry(p, &p->a, &p->b);
    must(pl_accept(p->b.stack, p->listener[p->port], accepted, NULL) == PL_OK, "not accepted");
    must(pl_recv(p->b.stack, *accepted, &byte, 1) == 1, "the byte is not there");
    p->port = (p->port + 1) % PORTS;
    return c;
}

/* A whole connection: 7 segments. */
static void cycle(struct pairing *p)
{
    pl_conn at_b, at_a = opened(p, &at_b);
    struct host *first = p->server_first ? &p->b : &p->a, *second = p->server_first ? &p->a : &p->b;
    pl_conn h1 = p->server_first ? at_b : at_a, h2 = p->server_first ? at_a : at_b;
    uint8_t byte = 2;
    p->now += CYCLE;
    must(pl_send(p->b.stack, at_b, &byte, 1) == 1, "no answer");
    carry(p, &p->b, &p->a);
    must(pl_recv(p->a.stack, at_a, &byte, 1) == 1, "the answer is not there");
    must(pl_close(first->stack, h1) == PL_OK, "not closed");
    carry(p, first, second);
    must(pl_recv(second->stack, h2, &byte, 1) == 0, "the end is not there");
    must(pl_close(second->stack, h2) == PL_OK, "not closed");
    carry(p, second, first);
    carry(p, first, second);
}

static void open_one(struct pairing *p)
{
    p->from = opened(p, &p->to);
    pl_set(p->a.stack, p->from, PL_OPT_NODELAY, 1);      /* the answer comes with the acknowledgement, but for the first */
}

static void turn(struct pairing *p)
{
    uint8_t byte = 1;
    p->now += PL_US;
    must(pl_send(p->a.stack, p->from, &byte, 1) == 1, "not sent");
    carry(p, &p->a, &p->b);
    must(pl_recv(p->b.stack, p->to, &byte, 1) == 1 && pl_send(p->b.stack, p->to, &byte, 1) == 1, "not there");
    carry(p, &p->b, &p->a);
    must(pl_recv(p->a.stack, p->from, &byte, 1) == 1, "not back");
}

static uint32_t time_waits(const struct pairing *p)
{
    uint32_t counts[PL_STATE_COUNT];
    pl_states(p->server_first ? p->b.stack : p->a.stack, counts);
    return counts[PL_TIME_WAIT];
}

static void pairing_make(struct pairing *p, uint32_t entries, bool server_first)
{
    *p = (struct pairing){.now = PL_S, .server_first = server_first};
    host_make(&p->a, "192.0.2.1", server_first ? FEW : entries, 1);
    host_make(&p->b, "192.0.2.2", server_first ? entries : FEW, 2);
    for (unsigned i = 0; i < PORTS; i++) {
        struct pl_listen_params lp = {.local = {.port = (uint16_t)(1000 + i)}};
        must(pl_listen(p->b.stack, &lp, &p->listener[i]) == PL_OK, "no listener");
    }
}

static void pairing_free(struct pairing *p)
{
    free(p->a.block);
    free(p->b.block);
}

static double repeat(struct pairing *p, void (*what)(struct pairing *), unsigned times)
{
    double start = cpu_seconds();
    for (unsigned i = 0; i < times; i++)
        what(p);
    return (cpu_seconds() - start) / times * 1e9;
}

static int once(const char *what, unsigned times)
{
    struct pairing p;
    bool turns = strcmp(what, "turn") == 0;
    pairing_make(&p, FEW, strcmp(what, "server") == 0);
    if (turns) open_one(&p);
    repeat(&p, turns ? turn : cycle, times);
    pairing_free(&p);
    return 0;
}

/* Instructions of one by callgrind: the difference of two runs, so that all but the repeated cancels out. 0: no valgrind. */
static double instructions(const char *self, const char *what)
{
    double counts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char command[512];
        snprintf(command, sizeof command, "valgrind --tool=callgrind --callgrind-out-file=/dev/null '%s' --once %s %d 2>&1 | sed -n 's/.*Collected : //p'", self, what,
                 i ? 3000 : 1500);
        FILE *f = popen(command, "r");
        if (!f || fscanf(f, "%lf", &counts[i]) != 1) counts[i] = 0;
        if (f) pclose(f);
    }
    return counts[0] > 0 && counts[1] > 0 ? (counts[1] - counts[0]) / 1500 : 0;
}

struct result {
    const char *name;
    double ns;                            /* the least of the rounds */
    double instructions;
    uint32_t entries;
};

static void show(const struct result *r, bool json)
{
    if (json)
        printf("{\"what\":\"%s\",\"time_wait_entries\":%u,\"ns\":%.0f,\"per_cpu_second\":%.0f,\"instructions\":%.0f}\n", r->name, r->entries, r->ns, 1e9 / r->ns,
               r->instructions);
    else
        printf("%-34s %9u %10.0f %16.0f %14.0f\n", r->name, r->entries, r->ns, 1e9 / r->ns, r->instructions);
}

static void keep_least(struct result *r, double ns)
{
    if (r->ns == 0 || (ns > 0 && ns < r->ns)) r->ns = ns;
}

static void measure(struct result *r, struct pairing *p, void (*what)(struct pairing *), unsigned times)
{
    keep_least(r, repeat(p, what, times));
    r->entries = time_waits(p);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--once") == 0) return once(argv[2], (unsigned)atoi(argv[3]));
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json) return fprintf(stderr, "usage: bench_turns [--json | --once turn|client|server COUNT]\n"), 2;
    char why[400] = "";
    struct loopback kernel;
    bool compared = loopback_open(&kernel, why, sizeof why);
    struct result k[] = {{.name = "the kernel's round trip, lo"}, {.name = "the kernel's connection, lo", .entries = FEW}};
    struct result r[] = {{.name = "round trip of a byte"}, {.name = "connection, client closes first"}, {.name = "connection, server closes first"},
                         {.name = "the same, client with a million"}, {.name = "the same, server with a million"}};
    static struct pairing p[5];
    for (int i = 0; i < 5; i++) {
        pairing_make(&p[i], i < 3 ? FEW : MANY, i == 2 || i == 4);
        if (i > 0) repeat(&p[i], cycle, i < 3 ? 3 * FEW : MANY + MANY / 20);       /* until as many end as begin */
    }
    open_one(&p[0]);
    for (int round = 0; round < ROUNDS; round++) {       /* interleaved: what disturbs the machine disturbs all alike */
        for (int i = 0; i < 5; i++)
            measure(&r[i], &p[i], i == 0 ? turn : cycle, i == 0 ? 200000 : 50000);
        for (int i = 0; compared && i < 2; i++)
            keep_least(&k[i], loopback_ns(&kernel, i ? LOOPBACK_CYCLE : LOOPBACK_TURN, i ? 3000 : 20000));
    }
    r[0].instructions = instructions(argv[0], "turn");
    r[1].instructions = instructions(argv[0], "client");
    r[2].instructions = instructions(argv[0], "server");
    if (!json) printf("%-34s %9s %10s %16s %14s\n", "", "TIME-WAIT", "ns", "per CPU-second", "instructions");
    for (int i = 0; i < 5; i++) {
        show(&r[i], json);
        pairing_free(&p[i]);
    }
    for (int i = 0; i < 2 && k[i].ns > 0; i++)
        show(&k[i], json);
    if (compared) loopback_close(&kernel);
    if (json) return 0;
    printf("a million / a thousand: client %.2f, server %.2f\n", r[3].ns / r[1].ns, r[4].ns / r[2].ns);
    if (k[0].ns > 0 && k[1].ns > 0)
        printf("the kernel's over lo / parley's: round trip %.1f, connection %.1f\n", k[0].ns / r[0].ns, k[1].ns / r[1].ns);
    else
        printf("without the kernel's figures: %s\n", why[0] ? why : "its sockets failed");
    return 0;
}
