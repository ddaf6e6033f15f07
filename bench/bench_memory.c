/* SPDX-License-Identifier: MIT
 *
 * bench_memory: what a segment costs: two stacks in one thread, frames handed from one to the other in memory. MTU 1500, every checksum made and
 * verified in software, payload copied in and out; both ends counted together. Measured twice: "one by one", each segment made by one stack and
 * taken by the other; and "cut and joined", where the stacks exchange super-frames, which os/driver/segment.c cuts into the same packets of 1500
 * bytes and os/driver/join.c joins again, as os/driver/with_gso.c does in front of a device without GSO. There each packet is also copied once,
 * as into a device's buffer.
 *
 *     bench_memory                    ns per 1448-byte segment for windows of 64 KiB, 256 KiB and 1 MiB, several rounds, interleaved
 *     bench_memory --once WINDOW MB   one transfer, for counting instructions: `valgrind --tool=callgrind`; --once-joined: cut and joined
 *     bench_memory --json
 *
 * Instructions include libc's memcpy: about 165 for each copy of a segment, for no piece is long enough for `rep movsb`, which callgrind would count
 * byte by byte.
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
#include "os/driver/frame.h"
#include "os/driver/join.h"
#include "os/driver/segment.h"

enum { BATCH = 32, ROUNDS = 9, WINDOWS = 3, SEGMENT = 1448, MTU = 1500, WAYS = 2 };
static const unsigned windows[WINDOWS] = {64 << 10, 256 << 10, 1 << 20};

struct host {
    pl_stack *stack;
    void *block;
    struct pl_env env;
};

struct pairing {
    struct host a, b;
    pl_conn from, to;
    pl_listener l;
    bool joined;
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

static void host_make(struct host *h, const char *address, unsigned window, uint8_t seed, bool joined)
{
    struct pl_config c;
    struct pl_addr a;
    pl_config_default(&c, sizeof c);
    c.connections_max = c.half_open_max = c.time_wait_max = 16;
    c.sndbuf_bytes = c.rcvbuf_bytes = window;
    c.sndbuf_max = c.rcvbuf_max = 0;
    c.chunks_max = 2048;
    c.seed[0] = seed;
    size_t bytes = pl_stack_size(&c);
    h->block = aligned_alloc(64, bytes);
    h->env = (struct pl_env){0};
    int e = h->block ? pl_stack_init(h->block, bytes, &c, &h->env, PL_S, &h->stack) : PL_ENOMEM;
    if (e)
        fail("no stack", e);
    struct pl_iface_params link = {.mtu = MTU, .link = PL_LINK_IP, .gso_bytes = joined ? 65535 : 0, .csum_offload = joined};
    pl_addr_parse(address, &a);
    if ((e = pl_iface_add(h->stack, &link)) < 0 || (e = pl_addr_add(h->stack, 0, &a, 24)) < 0)
        fail("no interface", e);
}

static pl_time now = PL_S;

static void carry(struct host *from, struct host *to)
{
    static uint8_t header[BATCH][PL_HEADER_BYTES_MAX];
    static struct pl_frame frames[BATCH];
    int n;
    for (int i = 0; i < BATCH; i++)
        frames[i].span[0] = (struct pl_span){header[i], sizeof header[i]};
    while ((n = pl_tx(from->stack, 0, frames, BATCH, now)) > 0) {
        pl_rx(to->stack, 0, frames, (size_t)n, now);
        for (int i = 0; i < n; i++)
            frames[i].span[0] = (struct pl_span){header[i], sizeof header[i]};
        if (n < BATCH)
            break;
    }
}

static void arrive(struct host *to, const struct pl_frame *wire, int n)
{
    static struct pl_frame joined[JOIN_FRAMES_MAX];
    n = join_frames(wire, n, joined, false, to->env.cpu);
    pl_rx(to->stack, 0, joined, (size_t)n, now);
}

/* The same with super-frames, which are cut up and joined on the way. */
static void carry_joined(struct host *from, struct host *to)
{
    static uint8_t wire[JOIN_FRAMES_MAX][MTU], header[PL_HEADER_BYTES_MAX], cut_header[SEGMENT_HEADER_BYTES_MAX];
    static struct pl_frame whole, packet, arrived[JOIN_FRAMES_MAX];
    struct segmenter cut;
    int n = 0;
    for (;;) {
        whole.span[0] = (struct pl_span){header, sizeof header};
        if (pl_tx(from->stack, 0, &whole, 1, now) != 1 || !segmenter_begin(&cut, &whole, false, true, from->env.cpu))
            break;
        while (segmenter_next(&cut, &packet, cut_header)) {
            arrived[n].span[0] = (struct pl_span){wire[n], frame_bytes(&packet)};
            arrived[n].nspans = arrived[n].gso_segs = 1;
            frame_gather(&packet, wire[n]);
            if (++n == JOIN_FRAMES_MAX)
                arrive(to, arrived, n), n = 0;
        }
    }
    if (n)
        arrive(to, arrived, n);
}

static void drain(struct host *h)
{
    struct pl_event e;
    while (pl_event_next(h->stack, &e))
        ;
}

/* Sends `bytes` from a to b; returns CPU seconds. */
static double transfer(struct pairing *p, uint64_t bytes)
{
    struct host *a = &p->a, *b = &p->b;
    pl_conn from = p->from, to = p->to;
    void (*way)(struct host *, struct host *) = p->joined ? carry_joined : carry;
    static uint8_t text[16384], sink[16384];
    uint64_t sent = 0, got = 0;
    double start = cpu_seconds();
    while (got < bytes) {
        ptrdiff_t n;
        while (sent < bytes && (n = pl_send(a->stack, from, text, sizeof text < bytes - sent ? sizeof text : (size_t)(bytes - sent))) > 0)
            sent += (uint64_t)n;
        uint64_t before = got;
        now += 10 * PL_US;
        way(a, b);
        drain(b);
        while ((n = pl_recv(b->stack, to, sink, sizeof sink)) > 0)
            got += (uint64_t)n;
        way(b, a);
        drain(a);
        if (got == before) {
            now += PL_MS;
            pl_poll(a->stack, now);
            pl_poll(b->stack, now);
        }
    }
    return cpu_seconds() - start;
}

static void pairing_make(struct pairing *p, unsigned window, bool joined)
{
    p->joined = joined;
    struct pl_listen_params lp = {.local = {.port = 7}};
    struct pl_connect_params cp = {.remote = {.port = 7}};
    host_make(&p->a, "192.0.2.1", window, 1, joined);
    host_make(&p->b, "192.0.2.2", window, 2, joined);
    pl_addr_parse("192.0.2.2", &cp.remote.addr);
    int e = pl_listen(p->b.stack, &lp, &p->l);
    if (e == 0)
        e = pl_connect(p->a.stack, &cp, &p->from);
    void (*way)(struct host *, struct host *) = joined ? carry_joined : carry;
    for (int i = 0; i < 4; i++)
        way(&p->a, &p->b), way(&p->b, &p->a);
    if (e == 0)
        e = pl_accept(p->b.stack, p->l, &p->to, NULL);
    if (e)
        fail("no connection", e);
    transfer(p, 32 << 20);                /* past slow start */
}

static void pairing_free(struct pairing *p)
{
    free(p->a.block);
    free(p->b.block);
}

static int by_value(const void *x, const void *y) { return *(const double *)x < *(const double *)y ? -1 : 1; }

/* Instructions per segment by callgrind, in a child: the difference of two transfers, so that start and slow start cancel out. 0: no valgrind. */
static double instructions(const char *self, unsigned window, bool joined)
{
    double counts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        char command[512];
        int mb = i ? 24 : 8;
        snprintf(command, sizeof command, "valgrind --tool=callgrind --callgrind-out-file=/dev/null '%s' --once%s %u %d 2>&1 | sed -n 's/.*Collected : //p'", self,
                 joined ? "-joined" : "", window, mb);
        FILE *f = popen(command, "r");
        if (!f || fscanf(f, "%lf", &counts[i]) != 1)
            counts[i] = 0;
        if (f)
            pclose(f);
    }
    return counts[0] > 0 && counts[1] > 0 ? (counts[1] - counts[0]) / (16.0 * (1 << 20) / SEGMENT) : 0;
}

static void once(unsigned window, unsigned mb, bool joined)
{
    struct pairing p;
    pairing_make(&p, window, joined);
    transfer(&p, (uint64_t)mb << 20);
    pairing_free(&p);
}

static double show(const char *self, unsigned window, bool joined, double ns[ROUNDS], bool json)
{
    static const char *const names[WAYS] = {"one by one", "cut and joined"};
    qsort(ns, ROUNDS, sizeof(double), by_value);
    double median = ns[ROUNDS / 2], count = instructions(self, window, joined);
    if (json)
        printf("{\"way\":\"%s\",\"window_bytes\":%u,\"ns_per_segment\":%.1f,\"ns_min\":%.1f,\"instructions\":%.0f}\n", names[joined], window, median, ns[0], count);
    else
        printf("%-14s %7u KiB  %8.1f %8.1f               %8.0f                 %6.1f\n", names[joined], window >> 10, median, ns[0], count, SEGMENT * 8 / median);
    return median;
}

int main(int argc, char **argv)
{
    bool once_joined = argc == 4 && strcmp(argv[1], "--once-joined") == 0;
    if (once_joined || (argc == 4 && strcmp(argv[1], "--once") == 0)) {
        once((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), once_joined);
        return 0;
    }
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json)
        return fprintf(stderr, "usage: bench_memory [--json | --once WINDOW MB | --once-joined WINDOW MB]\n"), 2;
    static struct pairing p[WAYS][WINDOWS];
    static double ns[WAYS][WINDOWS][ROUNDS];
    enum { BYTES = 128 << 20 };
    for (int way = 0; way < WAYS; way++)
        for (int w = 0; w < WINDOWS; w++)
            pairing_make(&p[way][w], windows[w], way == 1);
    for (int r = 0; r < ROUNDS; r++)                     /* interleaved: what disturbs the machine disturbs all alike */
        for (int w = 0; w < WAYS * WINDOWS; w++)
            ns[w % WAYS][w / WAYS][r] = transfer(&p[w % WAYS][w / WAYS], BYTES) * 1e9 / ((double)BYTES / SEGMENT);
    if (!json)
        printf("               window      ns per segment (median, min)   instructions per segment   Gbit/s of one core\n");
    for (int way = 0; way < WAYS; way++) {
        double median[WINDOWS];
        for (int w = 0; w < WINDOWS; w++) {
            median[w] = show(argv[0], windows[w], way == 1, ns[way][w], json);
            pairing_free(&p[way][w]);
        }
        if (!json)
            printf("largest window / smallest: %.2f\n", median[WINDOWS - 1] / median[0]);
    }
    return 0;
}
