/* SPDX-License-Identifier: MIT
 *
 * Echo: requests of others answered, sockets of our own, RFC 792, RFC 1122 3.2.2.6, RFC 4443 4.1 and 4.2; and the replies that belong to no
 * connection while their next hop is not known.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "support/net_play.h"
#include "wire/icmp6_hdr.h"

static struct host a, b;

static void make_both(enum pl_link link, void (*change)(struct pl_config *))
{
    host_make(&a, 1, link, change);
    host_make(&b, 2, link, change);
}

static int free_both(void **state)
{
    (void)state;
    if (a.s)
        host_free(&a);
    if (b.s)
        host_free(&b);
    return 0;
}

static void a_ping_comes_back_with_its_bytes_in_every_family_and_on_every_link(void **state)
{
    (void)state;
    static const int families[] = {4, 6, 0};
    for (unsigned link = 0; link < 2; link++) {
        make_both((enum pl_link)link, NULL);
        pl_udp ping;
        assert_int_equal(pl_echo_open(a.s, &(struct pl_endpoint){.port = 77}, 5, &ping), PL_OK);
        for (unsigned i = 0; i < 3; i++) {
            for (size_t n = 2; n <= 1400; n += n < 20 ? 1 : 345) {
                uint8_t text[1400], got[1500];
                for (size_t k = 0; k < n; k++)
                    text[k] = (uint8_t)(k * 7 + n);
                struct pl_endpoint to = {.addr = host_addr(2, families[i])}, from;
                assert_int_equal(pl_udp_send(a.s, ping, &to, text, n), PL_OK);
                hosts_run(&a, &b, a.now + PL_MS);
                assert_int_equal(pl_udp_recv(a.s, ping, &from, got, sizeof got), n);
                assert_memory_equal(got, text, n);
                assert_memory_equal(from.addr.b, to.addr.b, 16);
            }
        }
        assert_int_equal(host_drops(&a, PL_DROP_ICMP_CHECKSUM) + host_drops(&b, PL_DROP_ICMP_CHECKSUM), 0);
        free_both(NULL);
    }
}

static void what_goes_out_and_comes_back_is_as_the_rfc_draws_it(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ping;
    struct pl_endpoint to = {.addr = host_addr(2, 4)};
    assert_int_equal(pl_echo_open(a.s, &(struct pl_endpoint){.port = 0x1234}, 0, &ping), PL_OK);
    assert_int_equal(pl_udp_send(a.s, ping, &to, "\0\5hello", 7), PL_OK);
    assert_true(host_tx(&a));
    assert_int_equal(a.out_why, PL_WHY_ECHO_REQUEST);
    assert_int_equal(a.out_bytes, 20 + 8 + 5);
    const uint8_t request[] = {8, 0, a.out[22], a.out[23], 0x12, 0x34, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    assert_memory_equal(a.out + 20, request, sizeof request);
    assert_int_equal(csum_fold(csum_bytes(a.out + 20, 13, 0)), 0xffff);
    host_rx(&b, a.out, a.out_bytes);
    assert_true(host_tx(&b));
    assert_int_equal(b.out_why, PL_WHY_ECHO_REPLY);
    const uint8_t reply[] = {0, 0, b.out[22], b.out[23], 0x12, 0x34, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    assert_memory_equal(b.out + 20, reply, sizeof reply);
    assert_int_equal(csum_fold(csum_bytes(b.out + 20, 13, 0)), 0xffff);
    assert_memory_equal(b.out + 12, a.out + 16, 4);
    assert_memory_equal(b.out + 16, a.out + 12, 4);
}

static void only_the_socket_with_that_identifier_hears_the_answer(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp one, two;
    struct frame f;
    assert_int_equal(pl_echo_open(a.s, &(struct pl_endpoint){.port = 1}, 0, &one), PL_OK);
    assert_int_equal(pl_echo_open(a.s, &(struct pl_endpoint){.port = 2}, 0, &two), PL_OK);
    frame_icmp(&f, 4, 2, 1, WIRE_ICMP4_ECHO_REPLY, 0, wire_icmp_echo_word(2, 9), "abc", 3);
    host_rx(&a, f.b + 14, f.n - 14);
    assert_int_equal(pl_udp_recv(a.s, one, NULL, NULL, 0), PL_EAGAIN);
    uint8_t got[8];
    assert_int_equal(pl_udp_recv(a.s, two, NULL, got, sizeof got), 5);
    assert_memory_equal(got, "\0\11abc", 5);
    frame_icmp(&f, 4, 2, 1, WIRE_ICMP4_ECHO_REPLY, 0, wire_icmp_echo_word(3, 9), "abc", 3);
    host_rx(&a, f.b + 14, f.n - 14);
    assert_int_equal(host_drops(&a, PL_DROP_ICMP_TYPE), 1);
    assert_int_equal(pl_udp_send(a.s, one, &(struct pl_endpoint){.addr = host_addr(2, 4)}, "x", 1), PL_EINVAL);
}

static void an_error_about_a_ping_reaches_its_socket(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET, NULL);
        host_knows(&a, 2);
        pl_udp ping;
        struct pl_endpoint to = {.addr = host_addr(2, families[i])};
        assert_int_equal(pl_echo_open(a.s, NULL, 0, &ping), PL_OK);
        assert_int_equal(pl_udp_send(a.s, ping, &to, "\0\1hi", 4), PL_OK);
        assert_true(host_tx(&a));
        struct frame f;
        if (families[i] == 4)
            frame_icmp(&f, 4, 2, 1, WIRE_ICMP4_TIME_EXCEEDED, 0, 0, a.out + 14, a.out_bytes - 14);
        else
            frame_icmp(&f, 6, 2, 1, WIRE_ICMP6_TIME_EXCEEDED, 0, 0, a.out + 14, a.out_bytes - 14);
        host_rx(&a, f.b, f.n);
        assert_int_equal(pl_udp_recv(a.s, ping, NULL, NULL, 0), PL_EHOSTUNREACH);
        free_both(NULL);
    }
}

static void an_answer_waits_for_its_next_hop_and_then_goes(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    struct frame f;
    frame_echo(&f, 4, 1, 2);
    host_rx(&b, f.b, f.n);                /* b does not know a yet */
    assert_true(host_tx(&b));
    assert_int_equal(b.out_why, PL_WHY_ARP_REQUEST);
    assert_false(host_tx(&b));
    assert_true(pl_deadline(b.s) > b.now);                          /* silence until the answer comes or a second has passed */
    frame_arp(&f, 2, b.mac, a.mac, host_addr(1, 4).b, host_addr(2, 4).b);
    host_rx(&b, f.b, f.n);
    assert_int_equal(b.traced_drop, PL_DROP_NONE);
    assert_true(host_tx(&b));
    assert_int_equal(b.out_why, PL_WHY_ECHO_REPLY);
    assert_memory_equal(b.out, a.mac, 6);
    assert_false(host_tx(&b));
}

static void an_answer_that_waits_holds_up_nobody_else(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    host_knows(&b, 3);
    struct frame f;
    frame_echo(&f, 6, 1, 2);
    host_rx(&b, f.b, f.n);
    for (unsigned i = 0; i < 10; i++) {
        frame_echo(&f, 6, 3, 2);
        host_rx(&b, f.b, f.n);
        frame_echo(&f, 4, 3, 2);
        host_rx(&b, f.b, f.n);
    }
    unsigned replies = 0, asked = 0;
    while (host_tx(&b))
        b.out_why == PL_WHY_ECHO_REPLY ? replies++ : asked++;
    assert_int_equal(replies, 20);
    assert_int_equal(asked, 1);
    /* nobody answers: it is let go, counted, and nothing remains */
    pl_time end = b.now + 10 * PL_S;
    for (; b.now < end; host_wait(&b, b.now + PL_S / 4))
        while (host_tx(&b))
            assert_int_equal(b.out_why, PL_WHY_ND_SOLICIT);
    assert_int_equal(host_drops(&b, PL_DROP_NEIGHBOR_FAILED), 1);
    assert_int_equal(host_sent(&b, PL_WHY_ND_SOLICIT), 3);
    assert_int_equal(pl_deadline(b.s), PL_NEVER);
}

static void small_ring(struct pl_config *c) { c->owed_max = 8; }

static void a_full_ring_is_a_counted_drop_and_arp_still_gets_through(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, small_ring);
    host_knows(&b, 1);
    struct frame f;
    for (unsigned i = 0; i < 20; i++) {
        frame_echo(&f, 4, 1, 2);
        host_rx(&b, f.b, f.n);
    }
    assert_int_equal(host_drops(&b, PL_DROP_OWED_FULL), 14);        /* a quarter of the ring is kept for ARP and ND */
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    frame_arp(&f, 1, all, a.mac, host_addr(1, 4).b, host_addr(2, 4).b);
    host_rx(&b, f.b, f.n);
    unsigned replies = 0, arps = 0;
    while (host_tx(&b))
        b.out_why == PL_WHY_ECHO_REPLY ? replies++ : arps++;
    assert_int_equal(replies, 6);
    assert_int_equal(arps, 1);
}

static void few_chunks(struct pl_config *c)
{
    c->chunks_max = 8;
    c->chunk_bytes = 256;
    c->sndbuf_bytes = c->rcvbuf_bytes = 1024;
}

static void without_chunks_an_echo_is_a_counted_drop_and_nothing_leaks(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, few_chunks);
    host_knows(&b, 1);
    uint8_t text[1000] = {0};
    for (unsigned round = 0; round < 100; round++) {
        struct frame f;
        for (unsigned i = 0; i < 5; i++) {
            frame_icmp(&f, 4, 1, 2, WIRE_ICMP4_ECHO, 0, 1, text, sizeof text);
            host_rx(&b, f.b, f.n);
        }
        assert_int_equal(host_tx_all(&b), 2);
        assert_int_equal(host_drops(&b, PL_DROP_OWED_NO_CHUNK), 3 * (round + 1));
    }
}

static void an_echo_larger_than_one_frame_can_hold_is_a_counted_drop(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    host_knows(&b, 1);
    uint8_t text[3000] = {0};
    struct frame f;
    frame_icmp(&f, 4, 1, 2, WIRE_ICMP4_ECHO, 0, 1, text, sizeof text);     /* larger than our MTU: what comes in is not ours to limit */
    host_rx(&b, f.b, f.n);
    assert_int_equal(b.traced_drop, PL_DROP_OWED_TOO_BIG);
    assert_false(host_tx(&b));
}

static void headers_in_pieces_are_put_together(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    host_knows(&b, 1);
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        struct frame f;
        frame_echo(&f, families[i], 1, 2);
        for (size_t first = 1; first < f.n; first++) {
            uint8_t second_byte = 0;
            struct pl_frame in = {.span = {{f.b, first}, {&second_byte, 0}, {f.b + first, f.n - first}}, .nspans = 3};
            assert_int_equal(pl_rx(b.s, 0, &in, 1, b.now), PL_OK);
            assert_int_equal(b.traced_drop, PL_DROP_NONE);
            assert_true(host_tx(&b));
            assert_int_equal(b.out_why, PL_WHY_ECHO_REPLY);
            assert_memory_equal(b.out + b.out_l4 + 8, "abcdefgh", 8);
        }
    }
}

static void rfc4443_4_2_an_echo_to_a_group_is_answered_over_ipv6_only(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    host_knows(&b, 1);
    struct frame f;
    frame_echo(&f, 0, 1, 2);
    static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1}, all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
    memcpy(f.b, all_nodes_mac, 6);
    memcpy(f.b + 38, all_nodes, 16);
    frame_sum(&f);
    host_rx(&b, f.b, f.n);
    assert_true(host_tx(&b));
    struct pl_addr us = host_addr(2, 0);
    assert_memory_equal(b.out + 22, us.b, 16);
    frame_echo(&f, 4, 1, 2);
    memset(f.b, 0xff, 6);
    f.b[33] = 255;
    frame_fix(&f);
    host_rx(&b, f.b, f.n);
    assert_int_equal(b.traced_drop, PL_DROP_ICMP_TYPE);
    assert_false(host_tx(&b));
}

static void a_stale_neighbour_is_probed_by_unicast_while_traffic_goes_on(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET, NULL);
        pl_udp ping;
        struct pl_endpoint to = {.addr = host_addr(2, families[i])};
        assert_int_equal(pl_echo_open(a.s, NULL, 0, &ping), PL_OK);
        assert_int_equal(pl_udp_send(a.s, ping, &to, "\0\1", 2), PL_OK);
        hosts_run(&a, &b, a.now + 50 * PL_S);                       /* resolved, then stale: longer than 1.5 * 30 s */
        enum pl_reason ask = families[i] == 4 ? PL_WHY_ARP_REQUEST : PL_WHY_ND_SOLICIT;
        uint64_t asked = host_sent(&a, ask);
        assert_int_equal(asked, 1);
        assert_int_equal(pl_udp_send(a.s, ping, &to, "\0\2", 2), PL_OK);
        assert_true(host_tx(&a));
        assert_int_equal(a.out_why, PL_WHY_ECHO_REQUEST);           /* at once, to the address that was known */
        host_wait(&a, a.now + 5 * PL_S + PL_MS);
        assert_true(host_tx(&a));
        assert_int_equal(a.out_why, ask);
        assert_memory_equal(a.out, b.mac, 6);
        host_rx(&b, a.out, a.out_bytes);
        b.now = a.now;
        hosts_run(&b, &a, b.now + PL_S);
        uint32_t cursor = 0;
        struct pl_neighbor n;
        bool reachable = false;
        while (pl_neighbor_next(a.s, &cursor, &n))
            reachable |= n.state == 1 && memcmp(n.mac, b.mac, 6) == 0;
        assert_true(reachable);
        free_both(NULL);
    }
}

static void the_table_of_neighbours_makes_room(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);    /* eight neighbours */
    static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    for (unsigned i = 10; i < 200; i++) {
        uint8_t mac[6];
        struct frame f;
        mac_of(i, mac);
        frame_arp(&f, 1, all, mac, host_addr(i, 4).b, host_addr(2, 4).b);
        host_rx(&b, f.b, f.n);
        assert_int_equal(b.traced_drop, PL_DROP_NONE);
        assert_true(host_tx(&b));
        assert_int_equal(b.out_why, PL_WHY_ARP_REPLY);
        assert_memory_equal(b.out, mac, 6);
        frame_echo(&f, 4, i, 2);          /* the newest is always known */
        host_rx(&b, f.b, f.n);
        assert_true(host_tx(&b));
        assert_int_equal(b.out_why, PL_WHY_ECHO_REPLY);
        assert_memory_equal(b.out, mac, 6);
        host_wait(&b, b.now + 10 * PL_S); /* DELAY and PROBE of the one before end */
        host_tx_all(&b);
    }
    uint32_t cursor = 0;
    unsigned n = 0;
    struct pl_neighbor out;
    while (pl_neighbor_next(b.s, &cursor, &out))
        n++;
    assert_true(n <= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_ping_comes_back_with_its_bytes_in_every_family_and_on_every_link, free_both),
        cmocka_unit_test_teardown(what_goes_out_and_comes_back_is_as_the_rfc_draws_it, free_both),
        cmocka_unit_test_teardown(only_the_socket_with_that_identifier_hears_the_answer, free_both),
        cmocka_unit_test_teardown(an_error_about_a_ping_reaches_its_socket, free_both),
        cmocka_unit_test_teardown(an_answer_waits_for_its_next_hop_and_then_goes, free_both),
        cmocka_unit_test_teardown(an_answer_that_waits_holds_up_nobody_else, free_both),
        cmocka_unit_test_teardown(a_full_ring_is_a_counted_drop_and_arp_still_gets_through, free_both),
        cmocka_unit_test_teardown(without_chunks_an_echo_is_a_counted_drop_and_nothing_leaks, free_both),
        cmocka_unit_test_teardown(an_echo_larger_than_one_frame_can_hold_is_a_counted_drop, free_both),
        cmocka_unit_test_teardown(headers_in_pieces_are_put_together, free_both),
        cmocka_unit_test_teardown(rfc4443_4_2_an_echo_to_a_group_is_answered_over_ipv6_only, free_both),
        cmocka_unit_test_teardown(a_stale_neighbour_is_probed_by_unicast_while_traffic_goes_on, free_both),
        cmocka_unit_test_teardown(the_table_of_neighbours_makes_room, free_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
