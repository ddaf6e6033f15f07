/* SPDX-License-Identifier: MIT
 *
 * test_kernel_says.c: what the kernel's TCP thinks of ours, and how the two treat each other away from the plain stream: refusals, closed windows,
 * farewells, TIME-WAIT, ICMP, UDP, path MTU (missions M8, M9, M19, M20). Beside it: test_kernel_ss.c (states and numbers), test_kernel_resets.c,
 * test_kernel_silence.c, test_kernel_meets.c (handshakes, TIME-WAIT), test_kernel_asks.c (options, ECN, Fast Open, cookies, urgent data).
 */
#include "support/skip.h"
#include "support/talk.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "os/host/clock.h"
#include "support/make_packet.h"

/* On a loaded machine a process may sleep for longer than a tail loss probe waits, so one of a few tries is to be clean. */
static void nothing_is_sent_twice_on_a_clean_path(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        bool clean = false;
        for (int attempt = 0; attempt < 8 && !clean; attempt++) {
            struct talk t = talk_open(&r, version, client);
            talk_stream(&t, talk_to_kernel, 1 << 20);
            talk_stream(&t, talk_from_kernel, 1 << 20);
            struct tcp_info i = talk_info(&t);
            clean = i.tcpi_total_retrans == 0 && i.tcpi_dsack_dups == 0 && i.tcpi_reord_seen == 0 && talk_status(&t).retransmits == 0;
            assert_int_equal(talk_status(&t).bytes_received, 1 << 20);
            assert_int_equal(i.tcpi_bytes_received, 1 << 20);
            talk_close(&t);
        }
        assert_true(clean);
    }
    rig_close(&r);
}

/* ---- refused */

static bool kernel_has_result(void *user)
{
    const struct talk *t = user;
    return talk_info(t).tcpi_state != 2;       /* SYN-SENT */
}

static void what_is_refused_is_told_so(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = {.rig = &r, .version = version};
        struct pl_connect_params p = {.remote = rig_endpoint(version, true, 1)};
        pl_time began = host_now();
        assert_int_equal(pl_connect(r.stack, &p, &t.conn), 0);
        assert_true(rig_run(&r, talk_has_error, &t, RIG_PATIENCE));
        assert_int_equal(pl_error(r.stack, t.conn), PL_ECONNREFUSED);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 1), PL_ECONNREFUSED);
        assert_true(host_now() - began < 900 * PL_MS);   /* by the first SYN's answer */
        pl_close(r.stack, t.conn);

        struct sockaddr_storage to;
        socklen_t n = rig_sockaddr(version, false, 1, &to), size = sizeof errno;
        int error = 0;
        t.fd = rig_socket(&r, version, SOCK_STREAM, 0);
        assert_true(connect(t.fd, (struct sockaddr *)&to, n) < 0 && errno == EINPROGRESS);
        assert_true(rig_run(&r, kernel_has_result, &t, RIG_PATIENCE));
        assert_int_equal(getsockopt(t.fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
        assert_int_equal(error, ECONNREFUSED);
        close(t.fd);
        rig_comes_to_rest(&r);
    }
    rig_close(&r);
}

/* ---- closed windows */

static bool window_is_closed(void *user)
{
    struct talk *t = user;
    talk_we_write(t);
    return talk_status(t).snd.wnd == 0;
}

static void the_kernels_closed_window_is_probed_and_opens(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, version == 4);
        t.total = 16 << 20;
        assert_true(rig_run(&r, window_is_closed, &t, RIG_PATIENCE));
        uint64_t probes = talk_sent_because(&r, PL_WHY_PROBE_ZERO_WINDOW);
        rig_run(&r, NULL, NULL, 900 * PL_MS);            /* 200 ms, 400 ms */
        assert_in_range(talk_sent_because(&r, PL_WHY_PROBE_ZERO_WINDOW) - probes, 1, 4);
        assert_int_equal(talk_status(&t).state, PL_ESTABLISHED);
        assert_true(rig_run(&r, talk_to_kernel, &t, RIG_PATIENCE));
        talk_close(&t);
    }
    rig_close(&r);
}

static bool our_window_is_closed(void *user)
{
    struct talk *t = user;
    talk_kernel_writes(t);
    return talk_status(t).rcvbuf_used == talk_status(t).rcvbuf_bytes;
}
static bool kernel_probed(void *user)
{
    const struct talk *t = user;
    return talk_info(t).tcpi_probes > 0 || talk_info(t).tcpi_backoff > 0;
}

static void our_closed_window_is_probed_and_opens(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.rcvbuf_bytes = c.rcvbuf_max = 65536;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, version == 4);
        t.total = 16 << 20;
        assert_true(rig_run(&r, our_window_is_closed, &t, RIG_PATIENCE));
        assert_true(rig_run(&r, kernel_probed, &t, RIG_PATIENCE));
        rig_run(&r, NULL, NULL, 700 * PL_MS);
        assert_int_equal(talk_info(&t).tcpi_state, 1);
        assert_int_equal(talk_status(&t).rcv.wnd, 0);
        assert_int_equal(talk_status(&t).rcvbuf_used, 65536); /* nothing beyond it was taken, and nothing lost */
        assert_true(rig_run(&r, talk_from_kernel, &t, RIG_PATIENCE));
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- farewells */

static void each_half_closes_by_itself(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    TALK_EACH_ROLE_AND_VERSION {
        struct talk t = talk_open(&r, version, client);
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        talk_meets(&t, PL_FIN_WAIT_2, TALK_K_CLOSE_WAIT);
        assert_int_equal(recv(t.fd, talk_buffer, 1, 0), 0);
        talk_stream(&t, talk_from_kernel, 300000);
        close(t.fd);
        t.fd = -1;
        talk_meets(&t, PL_TIME_WAIT, -1);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 1), 0);
        talk_close(&t);

        t = talk_open(&r, version, client);
        assert_int_equal(shutdown(t.fd, SHUT_WR), 0);
        talk_meets(&t, PL_CLOSE_WAIT, TALK_K_FIN_WAIT2);
        assert_int_equal(pl_recv(r.stack, t.conn, talk_buffer, 1), 0);
        talk_stream(&t, talk_to_kernel, 300000);
        assert_int_equal(pl_finish(r.stack, t.conn), 0);
        talk_meets(&t, PL_CLOSED, TALK_K_CLOSE);           /* the kernel's socket has left its TIME-WAIT to an entry */
        assert_int_equal(pl_error(r.stack, t.conn), 0);
        talk_close(&t);
    }
    rig_close(&r);
}

static void kernel_closes_last(struct talk *t)
{
    pl_close(t->rig->stack, t->conn);
    t->conn = 0;
    for (pl_time end = host_now() + RIG_PATIENCE; recv(t->fd, talk_buffer, 1, 0) != 0; rig_run(t->rig, NULL, NULL, PL_MS))
        assert_true(host_now() < end);
    close(t->fd);
    t->fd = -1;
    rig_run(t->rig, NULL, NULL, 20 * PL_MS);
}

static void time_wait_of_ours_makes_way_for_the_kernel(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.msl = 20 * PL_S;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    for (int i = 0; i < 4; i++) {
        int version = i & 1 ? 6 : 4;
        assert_int_equal(testnet_sysctl(&r.net, RIG_KERNEL, "ipv4/tcp_timestamps", i < 2 ? "1" : "0"), 0);
        struct talk t = talk_open(&r, version, false);
        uint32_t states[PL_STATE_COUNT];
        kernel_closes_last(&t);
        pl_states(r.stack, states);
        assert_int_equal(states[PL_TIME_WAIT], i + 1);
        pl_time began = host_now();
        talk_again(&t, 0, t.kernel_port);
        assert_true(host_now() - began < 900 * PL_MS);   /* its first SYN */
        pl_states(r.stack, states);
        assert_int_equal(states[PL_TIME_WAIT], i);
        talk_stream(&t, talk_to_kernel, 10000);
        kernel_closes_last(&t);
        pl_close(r.stack, t.listener);
    }
    rig_close(&r);
}

static void time_wait_of_the_kernel_makes_way_for_us(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = talk_open(&r, version, true);
        uint16_t our_port = talk_status(&t).local.port;
        unsigned states[RIG_KERNEL_STATES];
        close(t.fd);
        talk_meets(&t, PL_CLOSE_WAIT, -1);
        pl_close(r.stack, t.conn);
        rig_comes_to_rest(&r);
        rig_kernel_states(&r, states);
        assert_int_equal(states[RIG_K_TIME_WAIT], version == 4 ? 1 : 2);
        pl_time began = host_now();
        talk_again(&t, our_port, 0);
        assert_true(host_now() - began < 900 * PL_MS);
        rig_kernel_states(&r, states);
        assert_int_equal(states[RIG_K_TIME_WAIT], version == 4 ? 0 : 1);
        talk_stream(&t, talk_to_kernel, 10000);
        talk_stream(&t, talk_from_kernel, 10000);
        close(t.fd);                      /* leaves one behind again */
        t.fd = -1;
        talk_meets(&t, PL_CLOSE_WAIT, -1);
        talk_close(&t);
    }
    rig_close(&r);
}

/* ---- without connections */

struct datagrams {
    struct rig *rig;
    pl_udp u;
    int fd;
    ptrdiff_t got;
    struct pl_endpoint from;
};
static bool we_heard(void *user)
{
    struct datagrams *d = user;
    d->got = pl_udp_recv(d->rig->stack, d->u, &d->from, talk_buffer, sizeof talk_buffer);
    return d->got != PL_EAGAIN;
}
static bool kernel_heard(void *user)
{
    struct datagrams *d = user;
    errno = 0;
    d->got = recv(d->fd, talk_buffer, sizeof talk_buffer, 0);
    return d->got >= 0 || errno != EAGAIN;
}

static void a_closed_udp_port_is_told(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        struct datagrams d = {.rig = &r, .fd = rig_socket(&r, version, SOCK_DGRAM, 0)};
        struct sockaddr_storage to;
        socklen_t n = rig_sockaddr(version, false, 9, &to);
        assert_int_equal(connect(d.fd, (struct sockaddr *)&to, n), 0);
        assert_int_equal(send(d.fd, "hello", 5, 0), 5);
        assert_true(rig_run(&r, kernel_heard, &d, RIG_PATIENCE));
        assert_int_equal(d.got, -1);
        assert_int_equal(errno, ECONNREFUSED);
        close(d.fd);

        struct pl_endpoint any = {.port = 0}, closed = rig_endpoint(version, true, 9);
        assert_int_equal(pl_udp_open(r.stack, &any, 1, &d.u), 0);
        assert_int_equal(pl_udp_send(r.stack, d.u, &closed, "hello", 5), 0);
        assert_true(rig_run(&r, we_heard, &d, RIG_PATIENCE));
        assert_int_equal(d.got, PL_ECONNREFUSED);
        assert_int_equal(pl_udp_recv(r.stack, d.u, &d.from, talk_buffer, sizeof talk_buffer), PL_EAGAIN);
        assert_int_equal(pl_close(r.stack, d.u), 0);
    }
    rig_close(&r);
}

static void datagrams_are_exchanged(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        struct datagrams d = {.rig = &r, .fd = rig_socket(&r, version, SOCK_DGRAM, 0)};
        struct pl_endpoint local = {.port = TALK_PORT};
        struct sockaddr_storage a;
        socklen_t n = rig_sockaddr(version, false, TALK_PORT, &a);
        assert_int_equal(pl_udp_open(r.stack, &local, 1, &d.u), 0);
        assert_int_equal(connect(d.fd, (struct sockaddr *)&a, n), 0);
        for (size_t bytes = 0; bytes <= 1400; bytes += 350) {
            transfer_fill(0, talk_buffer, bytes);
            assert_int_equal(send(d.fd, talk_buffer, bytes, 0), bytes);
            assert_true(rig_run(&r, we_heard, &d, RIG_PATIENCE));
            assert_int_equal(d.got, bytes);
            assert_int_equal(transfer_check(0, talk_buffer, bytes), bytes);
            assert_int_equal(d.from.port, talk_port_of(d.fd));
            assert_int_equal(pl_udp_send(r.stack, d.u, &d.from, talk_buffer, bytes), 0);
            memset(talk_buffer, 0, bytes);
            assert_true(rig_run(&r, kernel_heard, &d, RIG_PATIENCE));
            assert_int_equal(d.got, bytes);
            assert_int_equal(transfer_check(0, talk_buffer, bytes), bytes);
        }
        close(d.fd);
        pl_close(r.stack, d.u);
    }
    rig_close(&r);
}

/* `size` bytes of ICMP message. */
static void kernel_pings(struct rig *r, int version, size_t size)
{
    struct datagrams d = {.rig = r, .fd = rig_socket(r, version, SOCK_RAW, version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6)};
    struct sockaddr_storage to;
    socklen_t n = rig_sockaddr(version, false, 0, &to);
    static uint8_t echo[2000];
    transfer_fill(0, echo, size);
    memcpy(echo, (uint8_t[8]){version == 4 ? 8 : 128, 0, 0, 0, 0x12, 0x34, 0, 1}, 8);
    if (version == 4) {
        uint32_t sum = 0xffff ^ slow_sum(echo, size, 0);
        echo[2] = (uint8_t)(sum >> 8), echo[3] = (uint8_t)sum;
    }
    assert_int_equal(sendto(d.fd, echo, size, 0, (struct sockaddr *)&to, n), size);
    const uint8_t *answer = version == 4 ? talk_buffer + 20 : talk_buffer;
    do {                                  /* the raw socket hears Neighbour Discovery as well */
        assert_true(rig_run(r, kernel_heard, &d, RIG_PATIENCE));
        assert_true(d.got > 0);
    } while (answer[0] != (version == 4 ? 0 : 129));
    assert_int_equal(d.got, size + (version == 4 ? 20 : 0));
    assert_memory_equal(answer + 4, echo + 4, size - 4);
    close(d.fd);
}

static void both_answer_pings(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    for (int version = 4; version <= 6; version += 2) {
        kernel_pings(&r, version, 8);
        kernel_pings(&r, version, 64);
        kernel_pings(&r, version, 1448);
        struct datagrams d = {.rig = &r};
        struct pl_endpoint any = {.port = 0}, kernel = rig_endpoint(version, true, 0);
        if (version == 6) any.addr = rig_endpoint(6, false, 0).addr;
        assert_int_equal(pl_echo_open(r.stack, &any, 1, &d.u), 0);
        for (size_t size = 2; size < 1400; size += 699) {
            uint8_t ping[1400];
            transfer_fill(0, ping, size);
            assert_int_equal(pl_udp_send(r.stack, d.u, &kernel, ping, size), 0);
            assert_true(rig_run(&r, we_heard, &d, RIG_PATIENCE));
            assert_int_equal(d.got, size);
            assert_memory_equal(talk_buffer, ping, size);
            assert_memory_equal(d.from.addr.b, kernel.addr.b, 16);
        }
        pl_close(r.stack, d.u);
    }
    rig_close(&r);
}

/* ---- a narrower path: behind the kernel lies a link of MTU 1300 to a third host, whose own MTU is 1500, so only ICMP can tell */

enum { NARROW = 1300 };
static void far_link(struct rig *r)
{
    struct pl_route route = {.prefix_bits = 24, .iface = r->iface};
    assert_int_equal(testnet_veth(&r->net, RIG_KERNEL, "narrow0", RIG_FAR, "far0", 1500), 0);
    assert_int_equal(testnet_link_mtu(&r->net, RIG_KERNEL, "narrow0", NARROW), 0);
    assert_int_equal(testnet_sysctl(&r->net, RIG_KERNEL, "ipv4/ip_forward", "1"), 0);
    assert_int_equal(testnet_sysctl(&r->net, RIG_KERNEL, "ipv6/conf/all/forwarding", "1"), 0);
    assert_int_equal(testnet_addr(&r->net, RIG_KERNEL, "narrow0", "10.7.0.1", 24), 0);
    assert_int_equal(testnet_addr(&r->net, RIG_KERNEL, "narrow0", "fd07::1", 64), 0);
    assert_int_equal(testnet_addr(&r->net, RIG_FAR, "far0", "10.7.0.2", 24), 0);
    assert_int_equal(testnet_addr(&r->net, RIG_FAR, "far0", "fd07::2", 64), 0);
    assert_int_equal(testnet_route(&r->net, RIG_FAR, "far0", "10.9.0.0", 24, "10.7.0.1"), 0);
    assert_int_equal(testnet_route(&r->net, RIG_FAR, "far0", "fd09::", 64, "fd07::1"), 0);
    pl_addr_parse("10.7.0.0", &route.destination);
    route.gateway = rig_endpoint(4, true, 0).addr;
    assert_int_equal(pl_route_add(r->stack, &route), 0);
    pl_addr_parse("fd07::", &route.destination);
    route.gateway = rig_endpoint(6, true, 0).addr;
    route.prefix_bits = 64;
    assert_int_equal(pl_route_add(r->stack, &route), 0);
}

/* The far end listens, or connects to us: a socket of the kernel's in the third namespace. */
static struct talk far_talk(struct rig *r, int version, bool client)
{
    struct talk t = {.rig = r, .version = version, .client = client, .kernel_listener = -1, .fd = -1};
    struct sockaddr_storage a = {.ss_family = version == 4 ? AF_INET : AF_INET6};
    int s = testnet_socket(&r->net, RIG_FAR, a.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(s >= 0);
    if (client) {
        t.kernel_listener = s;
        assert_int_equal(bind(s, (struct sockaddr *)&a, version == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)), 0);
        assert_int_equal(listen(s, 1), 0);
        t.kernel_port = talk_port_of(s);
    } else {
        struct pl_listen_params p = {.local = {.port = TALK_PORT}};
        socklen_t n = rig_sockaddr(version, false, TALK_PORT, &a);
        assert_int_equal(pl_listen(r->stack, &p, &t.listener), 0);
        t.fd = s;
        assert_true(connect(s, (struct sockaddr *)&a, n) < 0 && errno == EINPROGRESS);
    }
    return t;
}

static void we_connect_far(struct talk *t)
{
    struct pl_connect_params p = {.remote = {.port = t->kernel_port}};
    pl_addr_parse(t->version == 4 ? "10.7.0.2" : "fd07::2", &p.remote.addr);
    assert_int_equal(pl_connect(t->rig->stack, &p, &t->conn), 0);
}

static void narrow_path(void **state, bool client)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.user_timeout = 0;                   /* a loaded kernel may take seconds to notice that a new cable is plugged in */
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    r.patience = PL_MS;
    far_link(&r);
    for (int version = 4; version <= 6; version += 2) {
        struct talk t = far_talk(&r, version, client);
        if (client) we_connect_far(&t);
        talk_becomes_open(&t);
        assert_int_equal(talk_status(&t).mss, version == 4 ? 1448 : 1428);
        pl_time began = host_now();
        talk_stream(&t, talk_to_kernel, 1 << 20);
        assert_int_equal(talk_status(&t).mss, NARROW - (version == 4 ? 52 : 72));
        assert_true(host_now() - began < 3 * PL_S);
        talk_stream(&t, talk_from_kernel, 1 << 20);
        if (client) {                     /* the next connection knows */
            uint32_t narrow = talk_status(&t).mss;
            close(t.fd);
            pl_close(r.stack, t.conn);
            t.fd = -1;
            we_connect_far(&t);
            talk_becomes_open(&t);
            assert_int_equal(talk_status(&t).mss, narrow);
        }
        talk_close(&t);
    }
    rig_close(&r);
}

static void a_narrow_path_is_found_out_by_a_client(void **state) { narrow_path(state, true); }
static void a_narrow_path_is_found_out_by_a_server(void **state) { narrow_path(state, false); }

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}
#define WITH_AND_WITHOUT_LINK(f) CASE("tun+gso", f), CASE("af_packet+gso", f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_AND_WITHOUT_LINK(nothing_is_sent_twice_on_a_clean_path),
        WITH_AND_WITHOUT_LINK(what_is_refused_is_told_so),
        WITH_AND_WITHOUT_LINK(the_kernels_closed_window_is_probed_and_opens),
        WITH_AND_WITHOUT_LINK(our_closed_window_is_probed_and_opens),
        WITH_AND_WITHOUT_LINK(each_half_closes_by_itself),
        WITH_AND_WITHOUT_LINK(time_wait_of_ours_makes_way_for_the_kernel),
        WITH_AND_WITHOUT_LINK(time_wait_of_the_kernel_makes_way_for_us),
        WITH_AND_WITHOUT_LINK(a_closed_udp_port_is_told),
        WITH_AND_WITHOUT_LINK(datagrams_are_exchanged),
        WITH_AND_WITHOUT_LINK(both_answer_pings),
        WITH_AND_WITHOUT_LINK(a_narrow_path_is_found_out_by_a_client),
        CASE("tap", a_narrow_path_is_found_out_by_a_client),
        WITH_AND_WITHOUT_LINK(a_narrow_path_is_found_out_by_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
