/* SPDX-License-Identifier: MIT
 *
 * bench_tun: what a byte costs on a real network: parley with the kernel's TCP over TUN with super-frames, beside the kernel's TCP with itself
 * over a veth pair, in the same run, in turn. What is compared is GB per CPU-second of everybody together: both programs' user and system time and the
 * kernel's threads that help them. The kernel's side always copies (send, recv); ours is measured with copying calls and in place. All of it once
 * with the kernel's own choice of congestion control, and once with Reno at its end, as ours: BBR's pacing timers cost more than the rest.
 *
 *     bench_tun                       GB per CPU-second in both directions and their ratio to kernel with kernel (median of several rounds)
 *     bench_tun --json
 *     bench_tun --mib N --rounds N    how much per transfer (1024), how often (5)
 *     bench_tun --only WORD           only the rows whose name contains WORD: for profiling
 *     bench_tun --ipv6
 *     bench_tun --chunk N             bytes of a chunk of our streams (4096)
 *
 * Needs TUN and namespaces; where they are not allowed it says so and succeeds.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/host/clock.h"
#include "os/host/loop.h"
#include "os/host/random.h"
#include "os/host/testnet.h"

enum { OURS, KERNEL, OTHER_KERNEL, NAMESPACES, PORT = 5001, BUFFER_BYTES = 128 << 10, ROUNDS_MAX = 99, CONTROLS = 2 };
enum direction { SENDING, RECEIVING };
enum kind { KERNEL_KERNEL, COPYING, IN_PLACE };

struct row {
    const char *name;
    enum kind kind;
    enum direction direction;             /* ours */
    double rate[CONTROLS][ROUNDS_MAX], wall[CONTROLS][ROUNDS_MAX];
};
static struct row rows[] = {
    {.name = "kernel to kernel", .kind = KERNEL_KERNEL},
    {.name = "parley to kernel, copying", .kind = COPYING, .direction = SENDING},
    {.name = "parley to kernel, in place", .kind = IN_PLACE, .direction = SENDING},
    {.name = "kernel to parley, copying", .kind = COPYING, .direction = RECEIVING},
    {.name = "kernel to parley, in place", .kind = IN_PLACE, .direction = RECEIVING},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static struct testnet net;
static int version = 4;
static uint64_t total = (uint64_t)1 << 30;
static uint8_t buffer[BUFFER_BYTES];
static char control[CONTROLS][32] = {"", "reno"};        /* the kernel's congestion control; the first is its default */
static uint32_t chunk_bytes;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_tun: %s: %s\n", what, why);
    exit(1);
}

/* ---- CPU time */

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static double cpu_of_self(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

/* The kernel's own threads that carry packets when a program's time slice was not enough. */
static double cpu_of_ksoftirqd(void)
{
    static int pids[64], n = -1;
    char path[64], text[400];
    double ticks = 0;
    if (n < 0) {
        DIR *d = opendir("/proc");
        n = 0;
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
            snprintf(path, sizeof path, "/proc/%.20s/comm", e->d_name);
            FILE *f = atoi(e->d_name) > 0 ? fopen(path, "r") : NULL;
            if (f && fgets(text, sizeof text, f) && strncmp(text, "ksoftirqd/", 10) == 0 && n < 64) pids[n++] = atoi(e->d_name);
            if (f) fclose(f);
        }
        if (d) closedir(d);
    }
    for (int i = 0; i < n; i++) {
        unsigned long user = 0, system = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
        FILE *f = fopen(path, "r");
        if (f && fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) ticks += (double)(user + system);
        if (f) fclose(f);
    }
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

/* ---- the kernel's programs: children that report their CPU time */

static socklen_t address(const char *host4, const char *host6, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    struct sockaddr_in *a4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)to;
    if (version == 4) {
        *a4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT)};
        inet_pton(AF_INET, host4, &a4->sin_addr);
        return sizeof *a4;
    }
    *a6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    inet_pton(AF_INET6, host6, &a6->sin6_addr);
    return sizeof *a6;
}

static int kernel_listens(int ns)
{
    struct sockaddr_storage any;
    socklen_t n = address("0.0.0.0", "::", &any);
    int one = 1, s = testnet_socket(&net, ns, version == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 || bind(s, (struct sockaddr *)&any, n) < 0 || listen(s, 1) < 0)
        fail("no listening socket", strerror(errno));
    return s;
}

static void kernel_sends(int s)
{
    for (uint64_t left = total; left > 0;) {
        ssize_t n = send(s, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer, MSG_NOSIGNAL);
        if (n < 0) fail("the kernel's program cannot send", strerror(errno));
        left -= (uint64_t)n;
    }
    shutdown(s, SHUT_WR);
    while (recv(s, buffer, sizeof buffer, 0) > 0)
        ;
}

static void kernel_receives(int s)
{
    uint64_t got = 0;
    for (ssize_t n; (n = recv(s, buffer, sizeof buffer, 0)) != 0; got += (uint64_t)n)
        if (n < 0) fail("the kernel's program cannot receive", strerror(errno));
    if (got != total) fail("the kernel's program", "received too little");
}

struct program {
    pid_t pid;
    int report;
};

/* `listener` >= 0: accepts there; else connects s to `to`. */
static struct program kernel_program(int listener, int s, const struct sockaddr_storage *to, socklen_t to_bytes, bool sends)
{
    int report[2];
    if (pipe(report) < 0) fail("pipe", strerror(errno));
    struct program p = {.pid = fork(), .report = report[0]};
    if (p.pid < 0) fail("fork", strerror(errno));
    if (p.pid > 0) {
        close(report[1]);
        return p;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(60);
    double began = cpu_of_self();
    if (listener >= 0) s = accept(listener, NULL, NULL);
    else if (connect(s, (const struct sockaddr *)to, to_bytes) < 0) s = -1;
    if (s < 0) fail("the kernel's program has no connection", strerror(errno));
    if (sends) kernel_sends(s);
    else kernel_receives(s);
    double spent = cpu_of_self() - began;
    _exit(write(report[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
}

static double program_end(struct program p)
{
    double spent = 0;
    int status;
    if (read(p.report, &spent, sizeof spent) != sizeof spent) fail("a program of the kernel's side", "failed");
    close(p.report);
    waitpid(p.pid, &status, 0);
    return spent;
}

/* ---- parley's program */

struct ours {
    struct host_loop loop;
    pl_stack *stack;
    void *block;
    struct pl_env env;
    struct row *row;
    pl_listener listener;
    pl_conn conn;
    uint64_t moved;
    bool over;
};
static struct ours us;

static void we_send(void)
{
    while (us.moved < total) {
        size_t want = total - us.moved < BUFFER_BYTES ? (size_t)(total - us.moved) : BUFFER_BYTES;
        struct pl_span span = {NULL, 0};
        ptrdiff_t n;
        if (us.row->kind == COPYING) {
            n = pl_send(us.stack, us.conn, buffer, want);
        } else {
            n = pl_send_reserve(us.stack, us.conn, want, &span);
            if (n == 0) pl_send_commit(us.stack, us.conn, span.len < want ? span.len : want);
            if (n == 0) n = (ptrdiff_t)(span.len < want ? span.len : want);
        }
        if (n == PL_EAGAIN) return;
        if (n < 0) fail("we cannot send", pl_strerror((int)n));
        us.moved += (uint64_t)n;
    }
    pl_finish(us.stack, us.conn);
}

static void we_receive(void)
{
    ptrdiff_t n;
    for (;;) {
        if (us.row->kind == COPYING) {
            n = pl_recv(us.stack, us.conn, buffer, sizeof buffer);
        } else {
            struct pl_span spans[16];
            size_t bytes = 0;
            n = pl_recv_peek(us.stack, us.conn, spans, 16);
            for (ptrdiff_t i = 0; i < n; i++)
                bytes += spans[i].len;
            if (n > 0) pl_recv_consume(us.stack, us.conn, bytes);
            if (n > 0) n = (ptrdiff_t)bytes;
        }
        if (n == PL_EAGAIN) return;
        if (n < 0) fail("we cannot receive", pl_strerror((int)n));
        if (n == 0) break;
        us.moved += (uint64_t)n;
    }
    pl_close(us.stack, us.conn);
    us.conn = 0;
    us.over = true;
}

static bool on_events(void *user)
{
    struct pl_event e;
    bool any = false;
    (void)user;
    while (pl_event_next(us.stack, &e)) {
        any = true;
        if (us.listener && e.handle == us.listener) pl_accept(us.stack, us.listener, &us.conn, NULL);
        if (!us.conn || e.handle != us.conn) continue;
        if (us.row->direction == SENDING && us.moved < total) we_send();
        if (e.bits & (PL_EV_READABLE | PL_EV_PEER_FINISHED | PL_EV_ERROR | PL_EV_CLOSED)) we_receive();
    }
    return any;
}

static void we_start(void)
{
    struct pl_config c;
    struct pl_driver *d;
    struct pl_addr a;
    char why[300];
    pl_config_default(&c, sizeof c);
    c.msl = 50 * PL_MS;
    c.mem_is_zero = true;
    host_random(c.seed, sizeof c.seed);
    if (chunk_bytes) {
        c.chunks_max = (uint32_t)((uint64_t)c.chunks_max * c.chunk_bytes / chunk_bytes);
        c.chunk_bytes = chunk_bytes;
    }
    if (pl_config_problem(&c) && chunk_bytes) fail("--chunk", "a power of two, 256 to 65536");
    size_t bytes = pl_stack_size(&c);
    us.block = calloc(1, bytes + 64);
    void *aligned = us.block ? (void *)(((uintptr_t)us.block + 63) & ~(uintptr_t)63) : NULL;
    if (!us.block || pl_stack_init(aligned, bytes, &c, &us.env, host_now(), &us.stack) < 0) fail("no stack", "out of memory");
    if (host_loop_init(&us.loop, us.stack, &(struct host_loop_params){.on_events = on_events}) < 0) fail("no loop", strerror(errno));
    struct tun_params p = {.name = "kern0", .offload = true, .up = true};
    if (testnet_tun(&net, KERNEL, &p, &d, why, sizeof why) < 0) fail("no TUN", why);
    int iface = host_loop_add_driver(&us.loop, d);
    if (pl_addr_parse("10.9.0.1", &a) < 0 || pl_addr_add(us.stack, iface, &a, 24) < 0) fail("no address", "refused");
    if (pl_addr_parse("fd09::1", &a) < 0 || pl_addr_add(us.stack, iface, &a, 64) < 0) fail("no address", "refused");
    if (testnet_addr(&net, KERNEL, "kern0", "10.9.0.2", 24) || testnet_addr(&net, KERNEL, "kern0", "fd09::2", 64)) fail("no address", "the kernel's");
}

static struct program our_peer(void)
{
    struct sockaddr_storage to;
    if (us.row->direction == SENDING) {
        int listener = kernel_listens(KERNEL);
        struct program p = kernel_program(listener, -1, NULL, 0, false);
        struct pl_connect_params cp = {.remote = {.port = PORT}};
        close(listener);
        pl_addr_parse(version == 4 ? "10.9.0.2" : "fd09::2", &cp.remote.addr);
        int e = pl_connect(us.stack, &cp, &us.conn);
        if (e < 0) fail("we cannot connect", pl_strerror(e));
        return p;
    }
    struct pl_listen_params lp = {.local = {.port = PORT}};
    int e = pl_listen(us.stack, &lp, &us.listener), s = testnet_socket(&net, KERNEL, version == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (e < 0 || s < 0) fail("we cannot listen", pl_strerror(e));
    socklen_t n = address("10.9.0.1", "fd09::1", &to);
    struct program p = kernel_program(-1, s, &to, n, true);
    close(s);
    return p;
}

/* ---- one transfer */

static void with_parley(struct row *row, int cc, int round)
{
    us.row = row;
    us.moved = 0;
    us.over = false;
    us.listener = us.conn = 0;
    struct program peer = our_peer();
    double softirq = cpu_of_ksoftirqd(), self = cpu_of_self();
    pl_time began = host_now();
    while (!us.over)
        if (host_loop_run_once(&us.loop, PL_S) < 0 || host_now() - began > 60 * PL_S) fail(row->name, "stands still");
    pl_time ended = host_now();
    self = cpu_of_self() - self;
    for (pl_time rest = ended; host_now() < rest + 20 * PL_MS;)
        host_loop_run_once(&us.loop, PL_MS);             /* the last acknowledgements */
    double cpu = self + program_end(peer) + cpu_of_ksoftirqd() - softirq;
    if (us.listener) pl_close(us.stack, us.listener);
    if (us.moved != total) fail(row->name, "too few bytes");
    row->rate[cc][round] = (double)total / 1e9 / cpu;
    row->wall[cc][round] = (double)total * 8 / (double)(ended - began);
}

static void without_parley(struct row *row, int cc, int round)
{
    struct sockaddr_storage to;
    socklen_t n = address("10.8.0.1", "fd08::1", &to);
    int listener = kernel_listens(OURS), s = testnet_socket(&net, OTHER_KERNEL, version == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    double softirq = cpu_of_ksoftirqd();
    pl_time began = host_now();
    struct program server = kernel_program(listener, -1, NULL, 0, false), client = kernel_program(-1, s, &to, n, true);
    close(listener);
    close(s);
    double cpu = program_end(server) + program_end(client);
    row->wall[cc][round] = (double)total * 8 / (double)(host_now() - began);
    row->rate[cc][round] = (double)total / 1e9 / (cpu + cpu_of_ksoftirqd() - softirq);
}

static int by_value(const void *x, const void *y) { return *(const double *)x < *(const double *)y ? -1 : 1; }

static double median(const double *v, int n)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, v, sizeof(double) * (size_t)n);
    qsort(sorted, (size_t)n, sizeof(double), by_value);
    return sorted[n / 2];
}

static void show(bool json, int cc, int rounds)
{
    double ratio[ROUNDS_MAX];
    if (!json) printf("IPv%d, the kernel's TCP with %-8s GB per CPU-second   to kernel with kernel   Gbit/s\n", version, control[cc]);
    for (int i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        if (r->rate[cc][0] <= 0) continue;
        for (int k = 0; k < rounds; k++)
            ratio[k] = rows[0].rate[cc][k] > 0 ? r->rate[cc][k] / rows[0].rate[cc][k] : 0;
        if (json)
            printf("{\"name\":\"%s\",\"ip\":%d,\"control\":\"%s\",\"gb_per_cpu_s\":%.3f,\"ratio\":%.3f,\"gbit_per_s\":%.2f}\n", r->name, version,
                   control[cc], median(r->rate[cc], rounds), median(ratio, rounds), median(r->wall[cc], rounds));
        else
            printf("  %-33s %17.2f   %21.2f   %6.1f\n", r->name, median(r->rate[cc], rounds), median(ratio, rounds), median(r->wall[cc], rounds));
    }
}

/* In a namespace: reads the default. */
static int read_control(void *arg, int *fd)
{
    FILE *f = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "r");
    (void)fd;
    int found = f ? fscanf(f, "%31s", (char *)arg) : 0;
    if (f) fclose(f);
    return found == 1 ? 0 : -EIO;
}

static void one_round(int cc, const char *only, int round)
{
    for (int ns = 0; ns < NAMESPACES; ns++)
        if (testnet_sysctl(&net, ns, "ipv4/tcp_congestion_control", control[cc])) fail("no such congestion control", control[cc]);
    for (int i = 0; i < ROWS; i++)
        if (strstr(rows[i].name, only)) (rows[i].kind == KERNEL_KERNEL ? without_parley : with_parley)(&rows[i], cc, round);
}

int main(int argc, char **argv)
{
    bool json = false;
    const char *only = "";
    int rounds = 5;
    char why[400];
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--json") == 0) json = true;
        else if (strcmp(argv[i], "--ipv6") == 0) version = 6;
        else if (strcmp(argv[i], "--only") == 0) only = value, i++;
        else if (strcmp(argv[i], "--chunk") == 0 && atoi(value) > 0) chunk_bytes = (uint32_t)atoi(value), i++;
        else if (strcmp(argv[i], "--mib") == 0 && atoi(value) > 0) total = (uint64_t)atoi(value) << 20, i++;
        else if (strcmp(argv[i], "--rounds") == 0 && atoi(value) > 0 && atoi(value) <= ROUNDS_MAX) rounds = atoi(value), i++;
        else return fprintf(stderr, "usage: bench_tun [--json] [--ipv6] [--only WORD] [--mib N] [--rounds N] [--chunk N]\n"), 2;
    }
    if (!testnet_tun_possible(why, sizeof why) || testnet_open(&net, NAMESPACES, why, sizeof why) < 0) {
        printf("bench_tun: left out: %s\n", why);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    if (testnet_veth(&net, OURS, "a0", OTHER_KERNEL, "b0", 1500) || testnet_addr(&net, OURS, "a0", "10.8.0.1", 24) ||
        testnet_addr(&net, OTHER_KERNEL, "b0", "10.8.0.2", 24) || testnet_addr(&net, OURS, "a0", "fd08::1", 64) ||
        testnet_addr(&net, OTHER_KERNEL, "b0", "fd08::2", 64))
        fail("no veth pair", "refused");
    if (testnet_run(&net, KERNEL, read_control, control[0], sizeof control[0], NULL)) fail("the kernel's congestion control", "not to be read");
    int controls = strcmp(control[0], control[1]) == 0 ? 1 : 2;
    we_start();
    for (int round = 0; round < rounds; round++)         /* in turn: what disturbs the machine disturbs all alike */
        for (int cc = 0; cc < controls; cc++)
            one_round(cc, only, round);
    for (int cc = 0; cc < controls; cc++)
        show(json, cc, rounds);
    host_loop_fini(&us.loop);
    free(us.block);
    testnet_close(&net);
    return 0;
}
