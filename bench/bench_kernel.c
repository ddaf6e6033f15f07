/* SPDX-License-Identifier: MIT
 *
 * bench_kernel: parley against this kernel's TCP over TUN, TAP and AF_PACKET, beside kernel against kernel over a veth pair, in the same
 * run and taking turns. One connection, one direction at a time; each end is a process, and the CPU time of both is counted.
 *
 *     bench_kernel [--mb N] [--rounds N] [WORD ...]      only paths whose name contains a WORD
 *
 * What is shown is the median of the rounds: Gbit/s, GB per CPU-second of both ends together, and that as a share of kernel against kernel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/driver/with_gso.h"
#include "os/host/clock.h"
#include "os/host/loop.h"
#include "os/host/random.h"
#include "os/host/testnet.h"

enum { ROUNDS_MAX = 31, PIECE = 256 << 10, PORT = 7000, NEAR = 0, FAR = 1 };

struct path {
    const char *name;
    bool parley, veth, tap, offload, gso, sending;
};
static const struct path paths[] = {
    {"kernel to kernel, veth", .veth = true},
    {"sending, TUN offload", .parley = true, .offload = true, .sending = true},
    {"receiving, TUN offload", .parley = true, .offload = true},
    {"sending, TAP offload", .parley = true, .tap = true, .offload = true, .sending = true},
    {"receiving, TAP offload", .parley = true, .tap = true, .offload = true},
    {"sending, AF_PACKET", .parley = true, .veth = true, .sending = true},
    {"receiving, AF_PACKET", .parley = true, .veth = true},
    {"sending, TUN in with_gso", .parley = true, .gso = true, .sending = true},
    {"receiving, TUN in with_gso", .parley = true, .gso = true},
    {"sending, TUN", .parley = true, .sending = true},
    {"receiving, TUN", .parley = true},
};
enum { PATHS = sizeof paths / sizeof *paths };

static char why[400];
static uint8_t piece[PIECE];

static void die(const char *what)
{
    fprintf(stderr, "bench_kernel: %s: %s\n", what, why[0] ? why : strerror(errno));
    exit(1);
}

/* ---- the kernel's end: sends or receives `total` bytes and ends */

static struct sockaddr_in at(const char *address)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

static int move(int s, size_t total, bool send_it)
{
    for (size_t done = 0; done < total;) {
        size_t n = total - done < PIECE ? total - done : PIECE;
        ssize_t k = send_it ? send(s, piece, n, MSG_NOSIGNAL) : recv(s, piece, n, 0);
        if (k <= 0) return 1;
        done += (size_t)k;
    }
    char last;
    shutdown(s, SHUT_WR);
    return recv(s, &last, 1, 0) == 0 ? 0 : 1;
}

static int kernel_connects(int s, size_t total, bool sending)
{
    struct sockaddr_in a = at("10.9.0.1");
    for (int i = 0; connect(s, (struct sockaddr *)&a, sizeof a) < 0; i++) {
        if (i == 1000) return 1;
        usleep(1000);
    }
    return move(s, total, sending);
}

static int kernel_accepts(int s, size_t total, bool sending)
{
    int c = accept(s, NULL, NULL);
    return c < 0 ? 1 : move(c, total, sending);
}

/* ---- parley's end: accepts one connection */

struct end {
    pl_stack *stack;
    struct host_loop loop;
    pl_listener listener;
    pl_conn conn;
    size_t total, done;
    bool sending, finished, over;
};

static bool move_some(struct end *e)
{
    bool any = false;
    while (e->done < e->total) {
        size_t n = e->total - e->done < PIECE ? e->total - e->done : PIECE;
        ptrdiff_t k = e->sending ? pl_send(e->stack, e->conn, piece, n) : pl_recv(e->stack, e->conn, piece, n);
        if (k == PL_EAGAIN) return any;
        if (k <= 0) {
            snprintf(why, sizeof why, "%s", pl_strerror((int)k));
            die("parley's end");
        }
        e->done += (size_t)k;
        any = true;
    }
    if (!e->finished) {
        e->finished = any = true;
        pl_finish(e->stack, e->conn);
    }
    char last;
    if (pl_recv(e->stack, e->conn, &last, 1) == 0) e->over = true;
    return any;
}

static bool act(void *user)
{
    struct end *e = user;
    struct pl_event event;
    bool any = false;
    while (pl_event_next(e->stack, &event))
        any = true;
    if (!e->conn && pl_accept(e->stack, e->listener, &e->conn, NULL) == 0) any = true;
    return (e->conn && !e->over && move_some(e)) || any;
}

static int parley_accepts(struct pl_driver *d, size_t total, bool sending)
{
    static struct end e;
    struct pl_env env = {0};
    struct pl_config c;
    struct pl_addr us;
    pl_config_default(&c, sizeof c);
    c.sndbuf_bytes = c.rcvbuf_bytes = 4 << 20;
    c.sndbuf_max = c.rcvbuf_max = 0;
    c.msl = 10 * PL_MS;
    host_random(c.seed, sizeof c.seed);
    size_t bytes = pl_stack_size(&c);
    void *block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!block || pl_stack_init(block, bytes, &c, &env, host_now(), &e.stack) < 0) die("no stack");
    e.total = total;
    e.sending = sending;
    if (host_loop_init(&e.loop, e.stack, &(struct host_loop_params){.on_events = act, .user = &e}) < 0) die("no loop");
    int iface = host_loop_add_driver(&e.loop, d);
    pl_addr_parse("10.9.0.1", &us);
    if (iface < 0 || pl_addr_add(e.stack, iface, &us, 24) < 0) die("no interface");
    if (pl_listen(e.stack, &(struct pl_listen_params){.local = {.port = PORT}}, &e.listener) < 0) die("cannot listen");
    while (!e.over)
        if (host_loop_run_once(&e.loop, PL_NEVER) < 0) die("the loop");
    pl_close(e.stack, e.conn);
    for (int i = 0; i < 20; i++)
        host_loop_run_once(&e.loop, PL_MS);
    host_loop_fini(&e.loop);
    free(block);
    return 0;
}

/* ---- one measurement */

struct result {
    double gbit_s, gb_per_cpu_s;
};

static double cpu_of_children(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct pl_driver *open_device(const struct path *p, const struct testnet *net)
{
    struct pl_driver *d = NULL;
    int error;
    if (p->veth) {
        if (testnet_veth(net, NEAR, "near0", FAR, "far0", 1500)) die("no veth");
        if (!p->parley) return testnet_addr(net, NEAR, "near0", "10.9.0.1", 24) ? (die("no address"), NULL) : NULL;
        testnet_quiet(net, NEAR, "near0");
        error = testnet_af_packet(net, NEAR, "near0", &d, why, sizeof why);
    } else {
        struct tun_params t = {.name = "far0", .tap = p->tap, .offload = p->offload, .up = true};
        error = testnet_tun(net, FAR, &t, &d, why, sizeof why);
    }
    if (error == 0 && p->gso) error = with_gso_open(d, &(struct with_gso_params){.join = true}, &d);
    if (error < 0) die("no device");
    return d;
}

static void wait_for(pid_t pid, const char *who)
{
    int status = testnet_wait(pid);
    if (status == 0) return;
    snprintf(why, sizeof why, "exit status %d", status);
    die(who);
}

static struct result measure(const struct path *p, size_t total)
{
    struct testnet net;
    if (testnet_open(&net, 2, why, sizeof why) < 0) die("no namespaces");
    struct pl_driver *d = open_device(p, &net);
    if (testnet_addr(&net, FAR, "far0", "10.9.0.2", 24)) die("no address");
    int far = testnet_socket(&net, FAR, AF_INET, SOCK_STREAM, 0), near = -1;
    if (!p->parley) {
        struct sockaddr_in a = at("10.9.0.1");
        near = testnet_socket(&net, NEAR, AF_INET, SOCK_STREAM, 0);
        if (bind(near, (struct sockaddr *)&a, sizeof a) < 0 || listen(near, 1) < 0) die("cannot listen");
    }
    double cpu = cpu_of_children();
    pl_time began = host_now();
    pid_t one = fork();
    if (one == 0) _exit(p->parley ? parley_accepts(d, total, p->sending) : kernel_accepts(near, total, p->sending));
    if (d) d->ops->close(d);              /* the child's copy holds the device */
    pid_t other = fork();
    if (other == 0) _exit(kernel_connects(far, total, !p->sending));
    wait_for(other, "the kernel's end");
    double seconds = (double)(host_now() - began) / 1e9;
    wait_for(one, p->parley ? "parley's end" : "the kernel's other end");
    cpu = cpu_of_children() - cpu;
    close(far);
    if (near >= 0) close(near);
    testnet_close(&net);
    return (struct result){(double)total * 8 / 1e9 / seconds, (double)total / 1e9 / cpu};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return values[n / 2];
}

static bool wanted(const char *name, char **words, int n)
{
    for (int i = 0; i < n; i++)
        if (strstr(name, words[i])) return true;
    return n == 0;
}

int main(int argc, char **argv)
{
    size_t total = (size_t)512 << 20;
    int rounds = 5, first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        long value = strtol(argv[first + 1], NULL, 10);
        if (strcmp(argv[first], "--mb") == 0 && value > 0) total = (size_t)value << 20;
        else if (strcmp(argv[first], "--rounds") == 0 && value > 0 && value <= ROUNDS_MAX) rounds = (int)value;
        else break;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!testnet_possible(why, sizeof why)) {
        printf("skipped: %s\n", why);
        return 0;
    }
    bool tun_possible = testnet_tun_possible(why, sizeof why);
    if (!tun_possible) printf("without TUN and TAP: %s\n", why);
    static double gbit[PATHS][ROUNDS_MAX], gb[PATHS][ROUNDS_MAX];
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < PATHS; i++) {
            if ((i > 0 && !wanted(paths[i].name, argv + first, argc - first)) || (!paths[i].veth && !tun_possible)) continue;
            /* Without super-frames an eighth is enough. */
            bool slow = paths[i].parley && !paths[i].veth && !paths[i].offload;
            struct result r = measure(&paths[i], slow ? total / 8 : total);
            gbit[i][round] = r.gbit_s;
            gb[i][round] = r.gb_per_cpu_s;
        }
    printf("%-28s %8s %14s %10s\n", "MTU 1500, IPv4", "Gbit/s", "GB/CPU-second", "of kernel");
    double base = median(gb[0], rounds);
    for (int i = 0; i < PATHS; i++)
        if (gb[i][0] > 0) {
            double each = median(gb[i], rounds);
            printf("%-28s %8.1f %14.2f %9.0f%%\n", paths[i].name, median(gbit[i], rounds), each, 100 * each / base);
        }
    return 0;
}
