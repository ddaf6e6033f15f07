/* SPDX-License-Identifier: MIT
 *
 * test_device_gone.c: the kernel's interface is taken away in mid-transfer: the program hears of it by an event, and the stack gives everything
 * back. An interface that is only down is a wire that loses everything: no more than time is lost, unless it lasts.
 */
#include "support/skip.h"
#include "support/transfer.h"
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "os/host/clock.h"
#include "support/make_packet.h"

enum { MIDDLE = 8 << 20 };
static const uint64_t endless = (uint64_t)1 << 40;

static bool in_the_middle(void *user) { return ((const struct transfer *)user)->got >= MIDDLE; }
static bool failed(void *user) { return ((const struct transfer *)user)->error != 0; }
static bool is_lost(void *user) { return ((const struct rig *)user)->lost != 0; }

static void nothing_is_left_at_once(struct rig *r)
{
    uint32_t states[PL_STATE_COUNT];
    pl_states(r->stack, states);
    for (int i = 0; i < PL_STATE_COUNT; i++)
        assert_int_equal(states[i], 0);
    assert_true(rig_nothing_left(r));
    assert_true(pl_deadline(r->stack) == PL_NEVER);      /* no timer, no event, nothing to send */
}

/* `ours`: the end of the veth that lies with us; a TUN or TAP has but one. */
static void take_away(struct rig *r, bool ours)
{
    int error = ours ? testnet_link_delete(&r->net, RIG_OURS, RIG_OUR_IFACE) : testnet_link_delete(&r->net, RIG_KERNEL, RIG_KERNEL_IFACE);
    assert_int_equal(error, 0);
}

static void play_gone(const struct rig_kind *kind, int version, bool to_kernel, bool ours)
{
    struct rig r;
    struct transfer t;
    struct pl_addr addr;
    uint32_t cursor = 0;
    int iface;
    unsigned bits;
    assert_true(rig_open(&r, kind, NULL));
    transfer_begin(&t, &r, version, to_kernel, endless);
    assert_true(rig_run(&r, in_the_middle, &t, RIG_PATIENCE));
    assert_false(rig_nothing_left(&r));
    take_away(&r, ours);
    assert_true(rig_run(&r, failed, &t, RIG_PATIENCE));
    assert_int_equal(t.error, PL_ENETDOWN);
    assert_true(t.event_bits & PL_EV_ERROR);
    assert_int_equal(r.lost, PL_ENETDOWN);
    assert_null(host_loop_driver(&r.loop, r.iface));
    assert_false(pl_addr_next(r.stack, &cursor, &iface, &addr, &bits));
    transfer_end(&t);
    nothing_is_left_at_once(&r);
    struct pl_connect_params p = {.remote = rig_endpoint(version, true, 80)};
    assert_int_equal(pl_connect(r.stack, &p, &t.conn), PL_ENETUNREACH);
    rig_close(&r);
}

static void taken_away_in_mid_transfer(void **state)
{
    const struct rig_kind *kind = *state;
    struct rig r;
    if (!rig_open(&r, kind, NULL)) SKIP_BECAUSE(rig_why);
    rig_close(&r);
    for (int version = 4; version <= 6; version += 2)
        for (int to_kernel = 0; to_kernel <= 1; to_kernel++)
            for (int ours = 0; ours <= kind->veth; ours++)
                play_gone(kind, version, to_kernel, ours);
}

/* ---- connections of every state */

enum { PORT = 7008, WAITING = 3 };
struct many {
    struct rig *rig;
    pl_listener listener;
    pl_conn silent, finished, in_time_wait;     /* SYN-SENT, FIN-WAIT-2, TIME-WAIT */
    unsigned errors, down;
};

static void hear(void *user, const struct pl_event *e)
{
    struct many *m = user;
    if (!(e->bits & PL_EV_ERROR)) return;
    m->errors++;
    m->down += pl_error(m->rig->stack, e->handle) == PL_ENETDOWN;
}

static uint32_t count(const struct rig *r, enum pl_state state)
{
    uint32_t states[PL_STATE_COUNT];
    pl_states(r->stack, states);
    return states[state];
}

/* A SYN whose sender will not go on. */
static void send_lone_syn(struct rig *r)
{
    uint8_t bytes[200];
    size_t l4;
    struct made m = {.version = 4, .protocol = 6, .sport = 999, .dport = PORT, .seq = 77, .flags = PL_SYN, .window = 1000,
                     .from = {10, 9, 0, 99}, .to = {10, 9, 0, 1}};
    size_t n = make_packet(&m, bytes, &l4);
    struct sockaddr_storage to;
    socklen_t to_bytes = rig_sockaddr(4, false, 0, &to);
    int s = rig_socket(r, 4, SOCK_RAW, IPPROTO_RAW);
    assert_int_equal(sendto(s, bytes, n, 0, (struct sockaddr *)&to, to_bytes), n);
    close(s);
}

static bool all_there(void *user)
{
    const struct rig *r = ((const struct many *)user)->rig;
    return count(r, PL_SYN_SENT) == 1 && count(r, PL_SYN_RECEIVED) == 1 && count(r, PL_CLOSE_WAIT) == 1 && count(r, PL_FIN_WAIT_2) == 1 &&
           count(r, PL_TIME_WAIT) == 1 && count(r, PL_ESTABLISHED) == WAITING - 1;
}

static bool both_connected(void *user)
{
    const struct many *m = user;
    return count(m->rig, PL_ESTABLISHED) == 2;
}

static bool both_wait_for_fin(void *user) { return count(((const struct many *)user)->rig, PL_FIN_WAIT_2) == 2; }

static pl_conn we_connect(struct rig *r, struct pl_endpoint to)
{
    pl_conn c;
    struct pl_connect_params p = {.remote = to};
    assert_int_equal(pl_connect(r->stack, &p, &c), 0);
    return c;
}

static void every_state_ends_with_the_device(void **state)
{
    struct rig r;
    struct many m = {.rig = &r};
    struct pl_config c;
    uint16_t port;
    int clients[WAITING], fd[2];
    rig_config(&c);
    c.msl = 10 * PL_S;
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    r.on_event = hear;
    r.user = &m;
    struct pl_listen_params lp = {.local = {.port = PORT}};
    assert_int_equal(pl_listen(r.stack, &lp, &m.listener), 0);

    /* Two of ours have finished; the kernel closes the first of them. */
    int listener = rig_kernel_listens(&r, 4, 5, &port);
    pl_conn ours[2] = {we_connect(&r, rig_endpoint(4, true, port)), 0};
    ours[1] = we_connect(&r, rig_endpoint(4, true, port));
    assert_true(rig_run(&r, both_connected, &m, RIG_PATIENCE));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pl_finish(r.stack, ours[i]), 0);
        fd[i] = accept(listener, NULL, NULL);
        assert_true(fd[i] >= 0);
    }
    assert_true(rig_run(&r, both_wait_for_fin, &m, RIG_PATIENCE));
    close(fd[0]);

    /* Some of the kernel's wait to be accepted; one of them has finished already. */
    rig_sockets(&r, 4, SOCK_STREAM, clients, WAITING);
    struct sockaddr_storage to;
    socklen_t to_bytes = rig_sockaddr(4, false, PORT, &to);
    for (int i = 0; i < WAITING; i++)
        assert_true(connect(clients[i], (struct sockaddr *)&to, to_bytes) == 0 || errno == EINPROGRESS);
    rig_run(&r, NULL, NULL, 20 * PL_MS);
    assert_int_equal(shutdown(clients[0], SHUT_WR), 0);

    send_lone_syn(&r);
    struct pl_endpoint nobody = {.port = 80};
    assert_int_equal(pl_addr_parse("10.9.0.77", &nobody.addr), 0);
    we_connect(&r, nobody);
    assert_true(rig_run(&r, all_there, &m, RIG_PATIENCE));
    assert_int_equal(m.errors, 0);

    take_away(&r, false);
    assert_true(rig_run(&r, is_lost, &r, RIG_PATIENCE));
    rig_run(&r, NULL, NULL, 1 * PL_MS);
    assert_int_equal(m.errors, 2);        /* SYN-SENT and FIN-WAIT-2; TIME-WAIT was over for the program */
    assert_int_equal(m.down, 2);
    uint32_t cursor = 0;
    pl_conn conn;
    for (int i = 0; i < WAITING; i++) {
        assert_int_equal(pl_accept(r.stack, m.listener, &conn, NULL), 0);
        assert_int_equal(pl_error(r.stack, conn), PL_ENETDOWN);
    }
    assert_int_equal(pl_accept(r.stack, m.listener, &conn, NULL), PL_EAGAIN);
    for (; pl_conn_next(r.stack, &cursor, &conn);)
        assert_int_equal(pl_close(r.stack, conn), 0);
    assert_int_equal(pl_close(r.stack, m.listener), 0);
    nothing_is_left_at_once(&r);
    for (int i = 0; i < WAITING; i++)
        close(clients[i]);
    close(fd[1]);
    close(listener);
    rig_close(&r);
}

/* ---- only down */

static bool complete(void *user)
{
    const struct transfer *t = user;
    return t->error != 0 || transfer_done(user);
}

static void down_for_a_moment_costs_only_time(void **state)
{
    for (int to_kernel = 0; to_kernel <= 1; to_kernel++) {
        struct rig r;
        struct transfer t;
        if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
        transfer_begin(&t, &r, 4, to_kernel, 2 * MIDDLE);
        assert_true(rig_run(&r, in_the_middle, &t, RIG_PATIENCE));
        assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, false), 0);
        rig_run(&r, NULL, NULL, 250 * PL_MS);
        assert_int_equal(t.error, 0);
        assert_int_equal(r.lost, 0);
        assert_true(t.got < t.bytes);
        assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, true), 0);
        assert_true(rig_run(&r, complete, &t, RIG_PATIENCE));
        assert_int_equal(t.error, 0);
        transfer_end(&t);
        rig_comes_to_rest(&r);
        rig_close(&r);
    }
}

static void down_for_long_ends_with_the_user_timeout(void **state)
{
    struct rig r;
    struct transfer t;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    transfer_begin(&t, &r, 4, true, endless);
    assert_true(rig_run(&r, in_the_middle, &t, RIG_PATIENCE));
    assert_int_equal(testnet_link_up(&r.net, RIG_KERNEL, RIG_KERNEL_IFACE, false), 0);
    pl_time began = host_now();
    assert_true(rig_run(&r, failed, &t, RIG_PATIENCE));
    assert_int_equal(t.error, PL_ETIMEDOUT);
    assert_true(host_now() - began >= 1900 * PL_MS);      /* it counts from the last progress, which was just before */
    assert_int_equal(r.lost, 0);
    transfer_end(&t);
    rig_comes_to_rest(&r);
    rig_close(&r);
}

#define CASE(kind, f) {.name = kind ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)rig_kind(kind)}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE("tun", taken_away_in_mid_transfer),
        CASE("tun+gso", taken_away_in_mid_transfer),
        CASE("tun in with_gso", taken_away_in_mid_transfer),
        CASE("tap+gso", taken_away_in_mid_transfer),
        CASE("af_packet+gso", taken_away_in_mid_transfer),
        CASE("tun", every_state_ends_with_the_device),
        CASE("tap+gso", every_state_ends_with_the_device),
        CASE("af_packet+gso", every_state_ends_with_the_device),
        CASE("tun+gso", down_for_a_moment_costs_only_time),
        CASE("tap", down_for_a_moment_costs_only_time),
        CASE("af_packet+gso", down_for_a_moment_costs_only_time),
        CASE("tun+gso", down_for_long_ends_with_the_user_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
