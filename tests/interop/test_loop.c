/* SPDX-License-Identifier: MIT
 *
 * test_loop.c: the host loop: a real stack on real devices against the kernel's TCP, both driven by one thread.
 *
 * The kernel's sockets are watched by the same loop. Each direction carries a pattern whose period is a prime, so that a piece that is
 * lost, repeated or moved shows.
 */
#include "support/skip.h"
#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/driver/memory.h"
#include "os/driver/with_gso.h"
#include "os/host/clock.h"
#include "os/host/loop.h"
#include "os/host/random.h"
#include "os/host/testnet.h"

enum { PERIOD = 65521, OURS = 0, KERNEL = 1, PORT = 7000 };

static uint8_t pattern[2 * PERIOD];
static char why[400];

static void make_pattern(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < PERIOD; i++)
        pattern[i] = pattern[PERIOD + i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
}

static void check_pattern(const uint8_t *p, size_t n, size_t at)
{
    while (n > 0) {
        size_t piece = n < PERIOD ? n : PERIOD;
        if (memcmp(p, pattern + at % PERIOD, piece) != 0) fail_msg("the stream differs behind byte %zu", at);
        p += piece, at += piece, n -= piece;
    }
}

/* ---- a stack in a loop, with connections that send and receive the pattern */

struct end {                              /* of one connection, ours or the kernel's */
    bool used, finished, peer_finished;
    pl_conn conn;                         /* ours; or */
    int fd;                               /* the kernel's */
    size_t to_send, sent, got;
    int error;
};

struct host {
    struct host_loop loop;
    pl_stack *stack;
    void *block;
    pl_listener listener;
    size_t to_send;                       /* by each accepted connection */
    struct end ends[64];
    unsigned n;
    int lost_iface, lost_error;
    struct pl_env env;
};

static void host_open(struct host *h, host_events_fn *on_events, host_lost_fn *on_lost)
{
    memset(h, 0, sizeof *h);
    h->lost_iface = -1;
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    c.connections_max = c.half_open_max = c.time_wait_max = 128;
    c.records_max = 8192;
    c.records_per_conn_max = 2048;
    c.chunks_max = 2048;
    c.sndbuf_bytes = c.rcvbuf_bytes = 256 << 10;
    c.sndbuf_max = c.rcvbuf_max = 0;
    c.msl = 50 * PL_MS;
    c.user_timeout = 2 * PL_S;
    c.orphan_timeout = 2 * PL_S;
    c.fin_wait_2_timeout = 2 * PL_S;
    assert_true(host_random(c.seed, sizeof c.seed));
    size_t bytes = pl_stack_size(&c);
    assert_true(bytes > 0);
    h->block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    assert_non_null(h->block);
    assert_int_equal(pl_stack_init(h->block, bytes, &c, &h->env, host_now(), &h->stack), 0);
    struct host_loop_params p = {.on_events = on_events, .on_lost = on_lost, .user = h};
    assert_int_equal(host_loop_init(&h->loop, h->stack, &p), 0);
}

static void host_close(struct host *h)
{
    host_loop_fini(&h->loop);
    free(h->block);
}

static struct pl_addr addr_of(const char *text)
{
    struct pl_addr a;
    assert_int_equal(pl_addr_parse(text, &a), 0);
    return a;
}

static int host_add(struct host *h, struct pl_driver *d, const char *four, const char *six)
{
    int iface = host_loop_add_driver(&h->loop, d);
    assert_true(iface >= 0);
    struct pl_addr a = addr_of(four), b = addr_of(six);
    assert_int_equal(pl_addr_add(h->stack, iface, &a, 24), 0);
    assert_int_equal(pl_addr_add(h->stack, iface, &b, 64), 0);
    return iface;
}

static void host_listen(struct host *h, size_t to_send)
{
    struct pl_listen_params p = {.local = {.port = PORT}};
    h->to_send = to_send;
    assert_int_equal(pl_listen(h->stack, &p, &h->listener), 0);
}

static struct end *host_connect(struct host *h, const char *to, uint16_t port, size_t to_send)
{
    struct pl_connect_params p = {.remote = {.addr = addr_of(to), .port = port}};
    struct end *e = &h->ends[h->n++];
    *e = (struct end){.used = true, .to_send = to_send};
    assert_int_equal(pl_connect(h->stack, &p, &e->conn), 0);
    return e;
}

static bool send_ours(struct host *h, struct end *e)
{
    bool any = false;
    while (e->sent < e->to_send) {
        size_t n = e->to_send - e->sent < PERIOD ? e->to_send - e->sent : PERIOD;
        ptrdiff_t k = pl_send(h->stack, e->conn, pattern + e->sent % PERIOD, n);
        if (k == PL_EAGAIN) return any;
        if (k < 0) {
            e->error = (int)k;
            return any;
        }
        e->sent += (size_t)k;
        any = true;
    }
    if (!e->finished) {
        int error = pl_finish(h->stack, e->conn);
        if (error < 0 && error != PL_ENOTCONN) e->error = error;
        e->finished = error == 0;
        any |= e->finished;
    }
    return any;
}

static bool receive_ours(struct host *h, struct end *e)
{
    static uint8_t bytes[65536];
    bool any = false;
    while (!e->peer_finished) {
        ptrdiff_t k = pl_recv(h->stack, e->conn, bytes, sizeof bytes);
        if (k == PL_EAGAIN || k == PL_ENOTCONN) return any;
        any = true;
        if (k < 0) {
            e->error = (int)k;
            return any;
        }
        e->peer_finished = k == 0;
        check_pattern(bytes, (size_t)k, e->got);
        e->got += (size_t)k;
    }
    return any;
}

static bool act(void *user)
{
    struct host *h = user;
    struct pl_event event;
    bool any = false;
    while (pl_event_next(h->stack, &event))
        any = true;
    pl_conn c;
    while (h->listener && pl_accept(h->stack, h->listener, &c, NULL) == 0) {
        assert_in_range(h->n, 0, COUNT_OF(h->ends) - 1);
        h->ends[h->n++] = (struct end){.used = true, .conn = c, .to_send = h->to_send};
        any = true;
    }
    for (unsigned i = 0; i < h->n; i++) {
        struct end *e = &h->ends[i];
        if (!e->used) continue;
        if (e->error == 0) any |= send_ours(h, e);
        if (e->error == 0) any |= receive_ours(h, e);
        if (e->error || (e->finished && e->peer_finished)) {
            pl_close(h->stack, e->conn);
            e->used = false;
            any = true;
        }
    }
    return any;
}

static void note_loss(void *user, int iface, struct pl_driver *driver, int error)
{
    struct host *h = user;
    assert_non_null(driver);
    h->lost_iface = iface;
    h->lost_error = error;
}

static unsigned host_connections(struct host *h)
{
    uint32_t counts[PL_STATE_COUNT];
    unsigned n = 0;
    pl_states(h->stack, counts);
    for (int i = 0; i < PL_STATE_COUNT; i++)
        if (i != PL_LISTEN && i != PL_CLOSED) n += counts[i];
    return n;
}

static bool host_idle(const struct host *h)
{
    for (unsigned i = 0; i < h->n; i++)
        if (h->ends[i].used) return false;
    return true;
}

/* ---- the kernel's ends, watched by the loop */

struct kernel_end {
    struct end end;
    struct host *host;
};

static void kernel_act(void *user, int fd, short revents)
{
    struct kernel_end *k = user;
    struct end *e = &k->end;
    static uint8_t bytes[65536];
    if (revents & POLLOUT && !e->finished) {
        while (e->sent < e->to_send) {
            size_t n = e->to_send - e->sent < PERIOD ? e->to_send - e->sent : PERIOD;
            ssize_t took = send(fd, pattern + e->sent % PERIOD, n, MSG_NOSIGNAL);
            if (took < 0) {
                if (errno != EAGAIN) e->error = errno;
                break;
            }
            e->sent += (size_t)took;
        }
        if (e->sent == e->to_send) {
            shutdown(fd, SHUT_WR);
            e->finished = true;
            host_loop_watch(&k->host->loop, fd, POLLIN, kernel_act, k);
        }
    }
    if (revents & (POLLIN | POLLHUP | POLLERR) && !e->peer_finished) {
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        if (got < 0 && errno != EAGAIN) e->error = errno;
        if (got == 0) e->peer_finished = true;
        if (got > 0) {
            check_pattern(bytes, (size_t)got, e->got);
            e->got += (size_t)got;
        }
    }
    if (e->error || (e->finished && e->peer_finished)) {
        host_loop_unwatch(&k->host->loop, fd);
        e->used = false;
    }
}

static void kernel_watch(struct kernel_end *k, struct host *h, int fd, size_t to_send)
{
    *k = (struct kernel_end){.end = {.used = true, .fd = fd, .to_send = to_send}, .host = h};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    assert_int_equal(host_loop_watch(&h->loop, fd, POLLIN | POLLOUT, kernel_act, k), 0);
}

static socklen_t address(const char *text, uint16_t port, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    struct sockaddr_in *four = (struct sockaddr_in *)to;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        return sizeof *four;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    return sizeof *six;
}

/* ---- a network with the kernel at the other end */

struct kind {
    bool ethernet, offload, gso, veth;
};
static const struct kind tun = {false, false, false, false};
static const struct kind tun_offload = {false, true, false, false};
static const struct kind tun_gso = {false, false, true, false};
static const struct kind tap = {true, false, false, false};
static const struct kind tap_offload = {true, true, false, false};
static const struct kind af_packet = {true, true, false, true};

struct rig {
    struct testnet net;
    struct host host;
    int iface;
    const struct kind *kind;
};

static bool rig_open(struct rig *r, const struct kind *k)
{
    if (!(k->veth ? testnet_af_packet_possible(why, sizeof why) : testnet_tun_possible(why, sizeof why))) return false;
    struct pl_driver *d;
    r->kind = k;
    assert_int_equal(testnet_open(&r->net, 2, why, sizeof why), 0);
    if (k->veth) {
        assert_int_equal(testnet_veth(&r->net, OURS, "ours0", KERNEL, "kern0", 1500), 0);
        assert_int_equal(testnet_quiet(&r->net, OURS, "ours0"), 0);
        assert_int_equal(testnet_af_packet(&r->net, OURS, "ours0", &d, why, sizeof why), 0);
    } else {
        struct tun_params p = {.name = "kern0", .tap = k->ethernet, .offload = k->offload, .up = true};
        assert_int_equal(testnet_tun(&r->net, KERNEL, &p, &d, why, sizeof why), 0);
    }
    if (k->gso) assert_int_equal(with_gso_open(d, &(struct with_gso_params){.join = true}, &d), 0);
    assert_int_equal(testnet_addr(&r->net, KERNEL, "kern0", "10.9.0.2", 24), 0);
    assert_int_equal(testnet_addr(&r->net, KERNEL, "kern0", "fd09::2", 64), 0);
    host_open(&r->host, act, note_loss);
    r->iface = host_add(&r->host, d, "10.9.0.1", "fd09::1");
    return true;
}

static void rig_close(struct rig *r)
{
    host_close(&r->host);
    testnet_close(&r->net);
}

static int kernel_socket(struct rig *r, int version)
{
    int s = testnet_socket(&r->net, KERNEL, version == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    assert_true(s >= 0);
    return s;
}

/* Turns until both ends are done. */
static void run_until_done(struct rig *r, const struct kernel_end *k)
{
    pl_time end = host_now() + 30 * PL_S;
    while (k->end.used || !host_idle(&r->host)) {
        assert_true(host_loop_run_once(&r->host.loop, PL_S) >= 0);
        const struct end *e = &r->host.ends[0];
        if (host_now() > end)
            fail_msg("stuck: kernel sent %zu got %zu, ours sent %zu got %zu", k->end.sent, k->end.got, e->sent, e->got);
    }
}

static void expect_moved(struct rig *r, const struct kernel_end *k, size_t bytes)
{
    const struct end *e = &r->host.ends[0];
    assert_int_equal(k->end.error, 0);
    assert_int_equal(e->error, 0);
    assert_int_equal(k->end.got, bytes);
    assert_int_equal(e->got, bytes);
    /* TIME-WAIT of 2 x 50 ms, and then nothing is left. */
    pl_time end = host_now() + 3 * PL_S;
    while (host_connections(&r->host) > 0) {
        assert_true(host_loop_run_once(&r->host.loop, PL_S) >= 0);
        assert_true(host_now() < end);
    }
    assert_int_equal(r->host.loop.lost, 0);
}

static void the_kernel_connects_and_both_send(void **state)
{
    enum { TOTAL = 3000001 };
    for (int version = 4; version <= 6; version += 2) {
        static struct rig r;
        if (!rig_open(&r, *state)) SKIP_BECAUSE(why);
        host_listen(&r.host, TOTAL);
        int s = kernel_socket(&r, version);
        fcntl(s, F_SETFL, O_NONBLOCK);
        struct sockaddr_storage to;
        socklen_t n = address(version == 4 ? "10.9.0.1" : "fd09::1", PORT, &to);
        assert_true(connect(s, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS);
        struct kernel_end k;
        kernel_watch(&k, &r.host, s, TOTAL);
        run_until_done(&r, &k);
        assert_int_equal(r.host.n, 1);
        close(s);
        expect_moved(&r, &k, TOTAL);
        rig_close(&r);
    }
}

static void we_connect_and_both_send(void **state)
{
    enum { TOTAL = 3000001 };
    for (int version = 4; version <= 6; version += 2) {
        static struct rig r;
        if (!rig_open(&r, *state)) SKIP_BECAUSE(why);
        const char *them = version == 4 ? "10.9.0.2" : "fd09::2";
        int s = kernel_socket(&r, version), c = -1;
        struct sockaddr_storage at;
        socklen_t n = address(them, 80, &at);
        assert_int_equal(bind(s, (struct sockaddr *)&at, n), 0);
        assert_int_equal(listen(s, 1), 0);
        fcntl(s, F_SETFL, O_NONBLOCK);
        host_connect(&r.host, them, 80, TOTAL);
        for (pl_time end = host_now() + 3 * PL_S; c < 0; c = accept(s, NULL, NULL)) {
            assert_true(host_loop_run_once(&r.host.loop, PL_MS) >= 0);
            assert_true(host_now() < end);
        }
        struct kernel_end k;
        kernel_watch(&k, &r.host, c, TOTAL);
        run_until_done(&r, &k);
        close(c);
        close(s);
        expect_moved(&r, &k, TOTAL);
        rig_close(&r);
    }
}

static void an_interface_deleted_in_mid_transfer_is_reported_and_releases_everything(void **state)
{
    static struct rig r;
    if (!rig_open(&r, *state)) SKIP_BECAUSE(why);
    host_listen(&r.host, (size_t)1 << 40);
    int s = kernel_socket(&r, 4);
    fcntl(s, F_SETFL, O_NONBLOCK);
    struct sockaddr_storage to;
    socklen_t n = address("10.9.0.1", PORT, &to);
    assert_true(connect(s, (struct sockaddr *)&to, n) == 0 || errno == EINPROGRESS);
    struct kernel_end k;
    kernel_watch(&k, &r.host, s, (size_t)1 << 40);
    while (k.end.got < 1000000 || r.host.n == 0 || r.host.ends[0].got < 1000000)
        assert_true(host_loop_run_once(&r.host.loop, PL_S) >= 0);
    assert_int_equal(testnet_link_delete(&r.net, KERNEL, "kern0"), 0);
    pl_time end = host_now() + 3 * PL_S;
    while (r.host.lost_iface < 0 || !host_idle(&r.host)) {
        assert_true(host_loop_run_once(&r.host.loop, 100 * PL_MS) >= 0);
        assert_true(host_now() < end);
    }
    assert_int_equal(r.host.lost_iface, r.iface);
    assert_int_equal(r.host.lost_error, PL_ENETDOWN);
    assert_int_equal(r.host.ends[0].error, PL_ENETDOWN);
    assert_int_equal(host_connections(&r.host), 0);
    assert_null(host_loop_driver(&r.host.loop, r.iface));
    close(s);
    rig_close(&r);
}

/* ---- the loop by itself */

static struct pl_iface_params in_memory = {.mtu = 1500, .link = PL_LINK_IP};

/* Two hosts on a cable so short that it is full all the time. */
static void a_full_device_costs_time_and_nothing_else(void **state)
{
    (void)state;
    enum { TOTAL = 500000 };
    for (int gso = 0; gso < 3; gso++) {
        struct pl_driver *da, *db;
        static struct host a, b;
        assert_int_equal(memory_pair_open(&(struct memory_params){.a = in_memory, .b = in_memory, .frames_max = 2}, &da, &db), 0);
        if (gso) {
            assert_int_equal(with_gso_open(da, &(struct with_gso_params){.join = gso == 2}, &da), 0);
            assert_int_equal(with_gso_open(db, &(struct with_gso_params){.join = gso == 2}, &db), 0);
        }
        host_open(&a, act, note_loss);
        host_open(&b, act, note_loss);
        host_add(&a, da, "10.7.0.1", "fd07::1");
        host_add(&b, db, "10.7.0.2", "fd07::2");
        host_listen(&b, TOTAL);
        struct end *e = host_connect(&a, gso ? "fd07::2" : "10.7.0.2", PORT, TOTAL);
        pl_time end = host_now() + 20 * PL_S;
        while (e->used || b.n == 0 || b.ends[0].used) {
            assert_true(host_loop_run_once(&a.loop, 0) >= 0);
            assert_true(host_loop_run_once(&b.loop, 0) >= 0);
            if (host_now() > end) fail_msg("stuck: a sent %zu got %zu, b sent %zu got %zu", e->sent, e->got, b.ends[0].sent, b.ends[0].got);
        }
        assert_int_equal(e->error | b.ends[0].error, 0);
        assert_int_equal(e->got, TOTAL);
        assert_int_equal(b.ends[0].got, TOTAL);
        struct pl_tcp_status ignored;
        assert_int_equal(pl_status(a.stack, e->conn, &ignored, sizeof ignored), PL_EHANDLE);
        assert_int_equal(a.loop.lost + b.loop.lost, 0);
        host_close(&a);
        host_close(&b);
    }
}

static struct host_loop *loop_of_signal;
static void on_alarm(int number)
{
    (void)number;
    host_loop_stop(loop_of_signal);
}

static void a_signal_handler_ends_the_sleep(void **state)
{
    (void)state;
    static struct host h;
    host_open(&h, act, note_loss);
    loop_of_signal = &h.loop;
    signal(SIGALRM, on_alarm);
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(host_loop_run(&h.loop), 0);
    host_loop_stop(&h.loop);              /* before it runs: at once */
    assert_int_equal(host_loop_run(&h.loop), 0);
    signal(SIGALRM, SIG_DFL);
    host_close(&h);
}

static void the_timeout_is_kept_and_an_idle_loop_sleeps(void **state)
{
    (void)state;
    static struct host h;
    host_open(&h, act, note_loss);
    pl_time before = host_now();
    assert_int_equal(host_loop_run_once(&h.loop, 5 * PL_MS), 0);
    assert_true(host_now() - before >= 5 * PL_MS);
    assert_in_range(h.loop.turns, 1, 3);
    assert_int_equal(host_loop_run_once(&h.loop, 0), 0);
    host_close(&h);
}

static void count_wakes(void *user, int fd, short revents)
{
    uint64_t n;
    assert_true(revents & POLLIN);
    assert_int_equal(read(fd, &n, sizeof n), sizeof n);
    ++*(int *)user;
}

static void a_watched_descriptor_calls_until_it_is_unwatched(void **state)
{
    (void)state;
    static struct host h;
    host_open(&h, act, note_loss);
    int fd = eventfd(1, EFD_NONBLOCK), wakes = 0;
    uint64_t one = 1;
    assert_int_equal(host_loop_watch(&h.loop, fd, POLLIN, count_wakes, &wakes), 0);
    assert_int_equal(host_loop_run_once(&h.loop, PL_S), 1);
    assert_int_equal(wakes, 1);
    assert_int_equal(host_loop_run_once(&h.loop, 0), 0);
    host_loop_unwatch(&h.loop, fd);
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
    assert_int_equal(host_loop_run_once(&h.loop, 0), 0);
    assert_int_equal(wakes, 1);
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++)
        assert_int_equal(host_loop_watch(&h.loop, 1000 + i, POLLIN, count_wakes, &wakes), 0);
    assert_int_equal(host_loop_watch(&h.loop, fd, POLLIN, count_wakes, &wakes), PL_ENOMEM);
    close(fd);
    host_close(&h);
}

static void an_interface_that_the_stack_refuses_stays_the_callers(void **state)
{
    (void)state;
    static struct host h;
    struct pl_driver *a, *b;
    host_open(&h, act, note_loss);
    assert_int_equal(memory_pair_open(&(struct memory_params){.a = {.mtu = 100}, .b = in_memory}, &a, &b), 0);
    assert_int_equal(host_loop_add_driver(&h.loop, a), PL_EINVAL);
    a->ops->close(a);
    b->ops->close(b);
    host_close(&h);
}

#define CASE(k, f) {.name = #k ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)&k}
#define EACH_KIND(f) CASE(tun, f), CASE(tun_offload, f), CASE(tun_gso, f), CASE(tap, f), CASE(tap_offload, f), CASE(af_packet, f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_device_costs_time_and_nothing_else),
        cmocka_unit_test(a_signal_handler_ends_the_sleep),
        cmocka_unit_test(the_timeout_is_kept_and_an_idle_loop_sleeps),
        cmocka_unit_test(a_watched_descriptor_calls_until_it_is_unwatched),
        cmocka_unit_test(an_interface_that_the_stack_refuses_stays_the_callers),
        EACH_KIND(the_kernel_connects_and_both_send),
        EACH_KIND(we_connect_and_both_send),
        EACH_KIND(an_interface_deleted_in_mid_transfer_is_reported_and_releases_everything),
    };
    make_pattern();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
