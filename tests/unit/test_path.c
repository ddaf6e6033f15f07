/* SPDX-License-Identifier: MIT
 *
 * Connections over links with neighbours and gateways: resolution, parking, failure, confirmation by progress (RFC 4861 7.2, 7.3.1), routes and
 * source addresses in use (RFC 1122 3.3), and times that move with the block.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "support/net_play.h"

static struct host a, b;

static int free_both(void **state)
{
    (void)state;
    if (a.s)
        host_free(&a);
    if (b.s)
        host_free(&b);
    return 0;
}

static void make_both(enum pl_link link)
{
    host_make(&a, 1, link, NULL);
    host_make(&b, 2, link, NULL);
}

static pl_listener listen_on(struct host *h, uint16_t port)
{
    pl_listener l;
    assert_int_equal(pl_listen(h->s, &(struct pl_listen_params){.local = {.port = port}}, &l), PL_OK);
    return l;
}

static pl_conn connect_to(struct host *h, struct pl_addr remote)
{
    pl_conn c;
    assert_int_equal(pl_connect(h->s, &(struct pl_connect_params){.remote = {.addr = remote, .port = 80}}, &c), PL_OK);
    return c;
}

static enum pl_state state_of(struct host *h, pl_conn c)
{
    struct pl_tcp_status st;
    assert_int_equal(pl_status(h->s, c, &st, sizeof st), PL_OK);
    return st.state;
}

static int neighbor_state(struct host *h, unsigned number, int family)
{
    uint32_t cursor = 0;
    struct pl_neighbor n;
    struct pl_addr want = host_addr(number, family);
    while (pl_neighbor_next(h->s, &cursor, &n))
        if (memcmp(n.addr.b, want.b, 16) == 0)
            return n.state;
    return -1;
}

static void m20_a_connection_over_ethernet_in_every_family(void **state)
{
    (void)state;
    static const int families[] = {4, 6, 0};
    for (unsigned i = 0; i < 3; i++) {
        make_both(PL_LINK_ETHERNET);
        pl_listener l = listen_on(&b, 80);
        pl_conn c = connect_to(&a, host_addr(2, families[i])), peer;
        hosts_run(&a, &b, a.now + PL_MS);
        assert_int_equal(state_of(&a, c), PL_ESTABLISHED);
        assert_int_equal(pl_accept(b.s, l, &peer, NULL), PL_OK);
        assert_int_equal(pl_send(a.s, c, "hello", 5), 5);
        hosts_run(&a, &b, a.now + PL_MS);
        char got[8];
        assert_int_equal(pl_recv(b.s, peer, got, sizeof got), 5);
        assert_memory_equal(got, "hello", 5);
        enum pl_reason ask = families[i] == 4 ? PL_WHY_ARP_REQUEST : PL_WHY_ND_SOLICIT;
        assert_int_equal(host_sent(&a, ask), 1);
        assert_int_equal(host_sent(&b, ask), 0);                    /* it learned the sender from the question (RFC 826) */
        free_both(NULL);
    }
}

static void progress_confirms_the_neighbour_so_that_nobody_probes(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    pl_listener l = listen_on(&b, 80);
    pl_conn c = connect_to(&a, host_addr(2, 4)), peer;
    hosts_run(&a, &b, a.now + PL_MS);
    assert_int_equal(pl_accept(b.s, l, &peer, NULL), PL_OK);
    char got[8];
    for (unsigned k = 0; k < 100; k++) {
        assert_int_equal(pl_send(a.s, c, "x", 1), 1);
        hosts_run(&a, &b, a.now + 3 * PL_S);
        assert_int_equal(pl_recv(b.s, peer, got, sizeof got), 1);
    }
    assert_int_equal(neighbor_state(&a, 2, 4), 1);
    assert_int_equal(host_sent(&a, PL_WHY_ARP_REQUEST), 1);
}

static void a_peer_that_does_not_exist_fails_the_attempt_in_three_seconds(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET);
        pl_conn c = connect_to(&a, host_addr(77, families[i]));
        pl_time start = a.now;
        while (state_of(&a, c) == PL_SYN_SENT && a.now < start + 60 * PL_S) {
            while (host_tx(&a))
                assert_true(a.out_why == PL_WHY_ARP_REQUEST || a.out_why == PL_WHY_ND_SOLICIT);
            host_wait(&a, a.now + PL_S / 10);
        }
        assert_int_equal(pl_error(a.s, c), PL_EHOSTUNREACH);
        assert_in_range(a.now - start, 3 * PL_S, 4 * PL_S);
        free_both(NULL);
    }
}

static void an_established_connection_survives_a_neighbour_that_is_away(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    pl_listener l = listen_on(&b, 80);
    pl_conn c = connect_to(&a, host_addr(2, 4)), peer;
    hosts_run(&a, &b, a.now + PL_MS);
    assert_int_equal(pl_accept(b.s, l, &peer, NULL), PL_OK);
    hosts_run(&a, &b, a.now + 100 * PL_S);                          /* stale */
    assert_int_equal(pl_send(a.s, c, "hello", 5), 5);
    for (pl_time end = a.now + 40 * PL_S; a.now < end; host_wait(&a, a.now + PL_S / 10))
        while (host_tx(&a))
            ;                             /* everything is lost: b is switched off */
    assert_int_equal(state_of(&a, c), PL_ESTABLISHED);
    assert_true(host_sent(&a, PL_WHY_ARP_REQUEST) >= 1 + 3 + 3);    /* probed, then asked for anew */
    b.now = a.now;
    hosts_run(&a, &b, a.now + 130 * PL_S);
    char got[8];
    assert_int_equal(pl_recv(b.s, peer, got, sizeof got), 5);
    assert_in_range(neighbor_state(&a, 2, 4), 1, 2);                /* reachable, or stale again by now */
}

static void through_a_gateway_the_frame_goes_to_the_gateway(void **state)
{
    (void)state;
    static const char *const far[] = {"198.51.100.9", "2001:db8:ffff::9"}, *const any[] = {"0.0.0.0", "::"};
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET);
        host_knows(&a, 2);
        struct pl_route r = {.gateway = host_addr(2, families[i]), .iface = 0};
        struct pl_addr remote;
        assert_int_equal(pl_addr_parse(any[i], &r.destination), PL_OK);
        assert_int_equal(pl_addr_parse(far[i], &remote), PL_OK);
        pl_conn c;
        struct pl_connect_params params = {.remote = {.addr = remote, .port = 80}};
        assert_int_equal(pl_connect(a.s, &params, &c), PL_ENETUNREACH);
        assert_int_equal(pl_route_add(a.s, &r), PL_OK);
        assert_int_equal(pl_connect(a.s, &params, &c), PL_OK);
        assert_true(host_tx(&a));
        assert_memory_equal(a.out, b.mac, 6);
        assert_memory_equal(a.out + (i == 0 ? 30 : 38), i == 0 ? remote.b + 12 : remote.b, i == 0 ? 4 : 16);
        assert_int_equal(pl_route_remove(a.s, &r), PL_OK);
        assert_int_equal(pl_route_remove(a.s, &r), PL_ENETUNREACH);
        assert_int_equal(pl_connect(a.s, &params, &c), PL_ENETUNREACH);
        free_both(NULL);
    }
}

static void what_the_calls_refuse(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    struct pl_iface_params p = {.mtu = 575, .link = PL_LINK_IP};
    assert_int_equal(pl_iface_add(a.s, &p), PL_EINVAL);
    p.mtu = 65536;
    assert_int_equal(pl_iface_add(a.s, &p), PL_EINVAL);
    p.mtu = 576, p.link = 2;
    assert_int_equal(pl_iface_add(a.s, &p), PL_EINVAL);
    p.link = PL_LINK_ETHERNET;
    assert_int_equal(pl_iface_add(a.s, &p), PL_EINVAL);             /* no address */
    p.mac[0] = 3;
    assert_int_equal(pl_iface_add(a.s, &p), PL_EINVAL);             /* a group's */
    p.mac[0] = 2;
    int second = pl_iface_add(a.s, &p);
    assert_int_equal(second, 1);
    struct pl_addr v6 = host_addr(9, 6), v4 = host_addr(9, 4);
    assert_int_equal(pl_addr_add(a.s, second, &v6, 64), PL_EINVAL); /* RFC 8200 5: an MTU of 1280 is needed */
    assert_int_equal(pl_addr_add(a.s, second, &v4, 33), PL_EINVAL);
    assert_int_equal(pl_addr_add(a.s, 7, &v4, 24), PL_EINVAL);
    assert_int_equal(pl_addr_add(a.s, second, &v4, 24), PL_OK);
    assert_int_equal(pl_addr_add(a.s, 0, &v4, 24), PL_EADDRINUSE);
    assert_int_equal(pl_addr_add(a.s, 0, &(struct pl_addr){.zone = 0}, 0), PL_EINVAL);
    assert_int_equal(pl_addr_remove(a.s, 0, &v4), PL_EADDRNOTAVAIL);
    assert_int_equal(pl_addr_remove(a.s, second, &v4), PL_OK);
    for (unsigned i = 20; pl_addr_add(a.s, 0, &(struct pl_addr){.b = IP4(192, 0, 2, (uint8_t)i)}, 24) == PL_OK; i++)
        assert_true(i < 30);
    assert_int_equal(pl_addr_add(a.s, 0, &v6, 64), PL_ENOMEM);
    struct pl_neighbor n = {.addr = host_addr(3, 4), .iface = 0, .mac = {1}};
    assert_int_equal(pl_neighbor_add(a.s, &n), PL_EINVAL);
    assert_int_equal(pl_neighbor_remove(a.s, 0, &n.addr), PL_EHOSTUNREACH);
    struct pl_route r = {.gateway = host_addr(2, 6), .destination = host_addr(0, 4), .prefix_bits = 24};
    assert_int_equal(pl_route_add(a.s, &r), PL_EINVAL);             /* two families */
    assert_int_equal(pl_iface_remove(a.s, 5), PL_EINVAL);
    assert_int_equal(pl_iface_ready(a.s, 5, true), PL_EINVAL);
    assert_int_equal(pl_rx(a.s, 5, NULL, 0, a.now), PL_EINVAL);
}

static void the_lists_show_what_was_added(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    uint32_t cursor = 0;
    int iface;
    struct pl_addr addr;
    unsigned bits, n = 0;
    static const unsigned expect_bits[] = {24, 64, 64};
    static const int families[] = {4, 6, 0};
    while (pl_addr_next(a.s, &cursor, &iface, &addr, &bits)) {
        struct pl_addr expect = host_addr(1, families[n]);
        assert_memory_equal(addr.b, expect.b, 16);
        assert_int_equal(addr.zone, expect.zone);
        assert_int_equal(bits, expect_bits[n]);
        assert_int_equal(iface, 0);
        n++;
    }
    assert_int_equal(n, 3);
    struct pl_route r = {.gateway = host_addr(2, 4), .metric = 7, .prefix_bits = 8}, got;
    assert_int_equal(pl_addr_parse("10.0.0.0", &r.destination), PL_OK);
    assert_int_equal(pl_route_add(a.s, &r), PL_OK);
    cursor = 0;
    assert_true(pl_route_next(a.s, &cursor, &got));
    assert_int_equal(got.prefix_bits, 8);
    assert_int_equal(got.metric, 7);
    assert_memory_equal(got.gateway.b, r.gateway.b, 16);
    assert_memory_equal(got.destination.b, r.destination.b, 16);
    assert_false(pl_route_next(a.s, &cursor, &got));
    struct pl_iface_info info;
    assert_int_equal(pl_iface_info(a.s, 0, &info, sizeof info), PL_OK);
    assert_true(info.up && info.ready && info.params.mtu == 1500);
}

static void moved_in_time_and_memory_a_question_is_repeated_when_it_was_due(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    connect_to(&a, host_addr(77, 4));
    assert_true(host_tx(&a));
    assert_false(host_tx(&a));
    void *copy = aligned_alloc(64, (a.block_bytes + 63) / 64 * 64);
    memcpy(copy, a.block, a.block_bytes);
    memset(a.block, 0x5a, a.block_bytes);
    free(a.block);
    a.block = copy;
    assert_int_equal(pl_stack_attach(copy, a.block_bytes, &a.env, &a.s), PL_OK);
    pl_time before = a.now;
    pl_stack_shift_time(a.s, 1000 * PL_S);
    a.now = before + 1000 * PL_S;
    host_wait(&a, a.now + PL_S - PL_MS);
    assert_false(host_tx(&a));
    host_wait(&a, a.now + 2 * PL_MS);
    assert_true(host_tx(&a));
    assert_int_equal(a.out_why, PL_WHY_ARP_REQUEST);
}

static void a_device_that_is_full_is_asked_for_nothing(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET);
    connect_to(&a, host_addr(2, 4));
    assert_int_equal(pl_deadline(a.s), 0);
    assert_int_equal(pl_iface_ready(a.s, 0, false), PL_OK);
    assert_true(pl_deadline(a.s) > 0);
    assert_false(host_tx(&a));
    assert_int_equal(pl_iface_ready(a.s, 0, true), PL_OK);
    assert_int_equal(pl_deadline(a.s), 0);
    assert_true(host_tx(&a));
}

static void after_every_idle_pl_tx_the_deadline_lies_ahead(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET);
        connect_to(&a, host_addr(77, families[i]));
        struct frame f;
        for (unsigned k = 0; k < 50; k++) {
            frame_echo(&f, families[i], 60 + k % 5, 1);             /* from stations that nobody knows */
            host_rx(&a, f.b, f.n);
            host_tx_all(&a);
            struct pl_event e;
            while (pl_event_next(a.s, &e))
                host_tx_all(&a);
            assert_true(pl_deadline(a.s) > a.now);
            host_wait(&a, a.now + 377 * PL_MS);
            host_tx_all(&a);
        }
        free_both(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(m20_a_connection_over_ethernet_in_every_family, free_both),
        cmocka_unit_test_teardown(progress_confirms_the_neighbour_so_that_nobody_probes, free_both),
        cmocka_unit_test_teardown(a_peer_that_does_not_exist_fails_the_attempt_in_three_seconds, free_both),
        cmocka_unit_test_teardown(an_established_connection_survives_a_neighbour_that_is_away, free_both),
        cmocka_unit_test_teardown(through_a_gateway_the_frame_goes_to_the_gateway, free_both),
        cmocka_unit_test_teardown(what_the_calls_refuse, free_both),
        cmocka_unit_test_teardown(the_lists_show_what_was_added, free_both),
        cmocka_unit_test_teardown(moved_in_time_and_memory_a_question_is_repeated_when_it_was_due, free_both),
        cmocka_unit_test_teardown(a_device_that_is_full_is_asked_for_nothing, free_both),
        cmocka_unit_test_teardown(after_every_idle_pl_tx_the_deadline_lies_ahead, free_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
