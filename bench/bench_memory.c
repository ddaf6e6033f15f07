/* SPDX-License-Identifier: MIT
 *
 * bench_memory: what a segment costs: two stacks in one thread, frames handed from one to the other in memory. MTU 1500, every checksum made and
 * verified in software, payload copied in and out; both ends counted together.
 *
 *     bench_memory                    ns per 1448-byte segment for windows of 64 KiB, 256 KiB and 1 MiB, several rounds, interleaved
 *     bench_memory --once WINDOW MB   one transfer, for counting instructions: `valgrind --tool=callgrind`
 *     bench_memory --json
 *
 * Goals (docs/architecture.md, speed): at most 400 ns and 2,500 instructions, and no more than 1.25 times from the smallest to the largest window.
 */
#include <inttypes.h>
#include <parley/parley.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32, ROUNDS = 9, WINDOWS = 3, SEGMENT = 1448 };
static const unsigned windows[WINDOWS] = {64 << 10, 256 << 10, 1 << 20};

struct host {
    pl_stack *stack;
    void *block;
    struct pl_env env;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what, int e)
{
    fprintf(stderr, "bench_memory: %s: %s\n", what, pl_strerror(e));
    exit(1);
}

static void host_make(struct host *h, const char *address, unsigned window, uint8_t seed)
{
    struct pl_config c;
    struct pl_addr a;
    pl_config_default(&c, sizeof c);
    c.connections_max = c.half_open_max = c.time_wait_max = 16;
    c.sndbuf_bytes = c.rcvbuf_bytes = window;
    c.chunks_max = 2048;
    c.seed[0] = seed;
    size_t bytes = pl_stack_size(&c);
    h->block = aligned_alloc(64, bytes);
    h->env = (struct pl_env){0};
    int e = h->block ? pl_stack_init(h->block, bytes, &c, &h->env, PL_S, &h->stack) : PL_ENOMEM;
    if (e)
        fail("no stack", e);
    struct pl_iface_params link = {.mtu = 1500, .link = PL_LINK_IP};
    pl_addr_parse(address, &a);
    if ((e = pl_iface_add(h->stack, &link)) < 0 || (e = pl_addr_add(h->stack, 0, &a, 24)) < 0)
        fail("no interface", e);
}

static pl_time now = PL_S;

static int carry(struct host *from, struct host *to)
{
    static uint8_t header[BATCH][PL_HEADER_BYTES_MAX];
    static struct pl_frame frames[BATCH];
    int total = 0, n;
    for (int i = 0; i < BATCH; i++)
        frames[i].span[0] = (struct pl_span){header[i], sizeof header[i]};
    while ((n = pl_tx(from->stack, 0, frames, BATCH, now)) > 0) {
        pl_rx(to->stack, 0, frames, (size_t)n, now);
        total += n;
        for (int i = 0; i < n; i++)
            frames[i].span[0] = (struct pl_span){header[i], sizeof header[i]};
        if (n < BATCH)
            break;
    }
    return total;
}

static void drain(struct host *h)
{
    struct pl_event e;
    while (pl_event_next(h->stack, &e))
        ;
}

/* Sends `bytes` from a to b; returns CPU seconds. */
static double transfer(struct host *a, struct host *b, pl_conn from, pl_conn to, uint64_t bytes)
{
    static uint8_t text[16384], sink[16384];
    uint64_t sent = 0, got = 0;
    double start = cpu_seconds();
    while (got < bytes) {
        ptrdiff_t n;
        while (sent < bytes && (n = pl_send(a->stack, from, text, sizeof text < bytes - sent ? sizeof text : (size_t)(bytes - sent))) > 0)
            sent += (uint64_t)n;
        uint64_t before = got;
        now += 10 * PL_US;
        carry(a, b);
        drain(b);
        while ((n = pl_recv(b->stack, to, sink, sizeof sink)) > 0)
            got += (uint64_t)n;
        carry(b, a);
        drain(a);
        if (got == before) {
            now += PL_MS;
            pl_poll(a->stack, now);
            pl_poll(b->stack, now);
        }
    }
    return cpu_seconds() - start;
}

struct pairing {
    struct host a, b;
    pl_conn from, to;
    pl_listener l;
};

static void pairing_make(struct pairing *p, unsigned window)
{
    struct pl_listen_params lp = {.local = {.port = 7}};
    struct pl_connect_params cp = {.remote = {.port = 7}};
    host_make(&p->a, "192.0.2.1", window, 1);
    host_make(&p->b, "192.0.2.2", window, 2);
    pl_addr_parse("192.0.2.2", &cp.remote.addr);
    int e = pl_listen(p->b.stack, &lp, &p->l);
    if (e == 0)
        e = pl_connect(p->a.stack, &cp, &p->from);
    for (int i = 0; i < 4; i++)
        carry(&p->a, &p->b), carry(&p->b, &p->a);
    if (e == 0)
        e = pl_accept(p->b.stack, p->l, &p->to, NULL);
    if (e)
        fail("no connection", e);
    transfer(&p->a, &p->b, p->from, p->to, 32 << 20);    /* past slow start */
}

static void pairing_free(struct pairing *p)
{
    free(p->a.block);
    free(p->b.block);
}

static int by_value(const void *x, const void *y) { return *(const double *)x < *(const double *)y ? -1 : 1; }

/* Instructions per segment by callgrind, in a child: the difference of two transfers, so that start and slow start cancel out. 0: no valgrind. */
static double instructions(const char *self, unsigned window)
{
    double counts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char command[512];
        int mb = i ? 24 : 8;
        snprintf(command, sizeof command, "valgrind --tool=callgrind --callgrind-out-file=/dev/null '%s' --once %u %d 2>&1 | sed -n 's/.*Collected : //p'", self,
                 window, mb);
        FILE *f = popen(command, "r");
        if (!f || fscanf(f, "%lf", &counts[i]) != 1)
            counts[i] = 0;
        if (f)
            pclose(f);
    }
    return counts[0] && counts[1] ? (counts[1] - counts[0]) / (16.0 * (1 << 20) / SEGMENT) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--once") == 0) {
        struct pairing p;
        pairing_make(&p, (unsigned)atoi(argv[2]));
        transfer(&p.a, &p.b, p.from, p.to, (uint64_t)atoi(argv[3]) << 20);
        pairing_free(&p);
        return 0;
    }
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json)
        return fprintf(stderr, "usage: bench_memory [--json | --once WINDOW MB]\n"), 2;
    static struct pairing p[WINDOWS];
    static double ns[WINDOWS][ROUNDS];
    enum { BYTES = 256 << 20 };
    for (int w = 0; w < WINDOWS; w++)
        pairing_make(&p[w], windows[w]);
    for (int r = 0; r < ROUNDS; r++)                     /* interleaved: what disturbs the machine disturbs all alike */
        for (int w = 0; w < WINDOWS; w++)
            ns[w][r] = transfer(&p[w].a, &p[w].b, p[w].from, p[w].to, BYTES) * 1e9 / ((double)BYTES / SEGMENT);
    if (!json)
        printf("window      ns per segment (median, min)   instructions per segment   Gbit/s of one core\n");
    double first = 0, last = 0;
    for (int w = 0; w < WINDOWS; w++) {
        qsort(ns[w], ROUNDS, sizeof(double), by_value);
        double median = ns[w][ROUNDS / 2], count = instructions(argv[0], windows[w]);
        first = w == 0 ? median : first;
        last = median;
        if (json)
            printf("{\"window_bytes\":%u,\"ns_per_segment\":%.1f,\"ns_min\":%.1f,\"instructions\":%.0f}\n", windows[w], median, ns[w][0], count);
        else
            printf("%7u KiB  %8.1f %8.1f               %8.0f                 %6.1f\n", windows[w] >> 10, median, ns[w][0], count, SEGMENT * 8 / median);
        pairing_free(&p[w]);
    }
    if (!json)
        printf("largest window / smallest: %.2f\n", last / first);
    return 0;
}
