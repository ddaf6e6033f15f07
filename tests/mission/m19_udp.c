/* SPDX-License-Identifier: MIT
 *
 * m19_udp.c: mission M19: UDP beside TCP, RFC 768, RFC 1122 4.1, RFC 8200 8.1: datagrams whole or not at all, each on its own, with no
 * handshake, no order and no repetition; and what happens where nobody listens.
 */
#include "mission/mission.h"

struct udp {
    struct pair p;
    pl_stack *stack[2];
    pl_udp socket[2];
    struct pl_endpoint at[2];             /* where each is reached */
};

static void start(struct udp *u, void **state, mission_configure *configure)
{
    mission_start(&u->p, state, configure, NULL);
    for (unsigned i = 0; i < 2; i++) {
        u->p.node[i]->on_event = NULL;                                 /* the test asks by itself */
        u->stack[i] = u->p.node[i]->stack;
        u->at[i] = (struct pl_endpoint){.addr = (SIX(state) ? u->p.opts.hosts.v6 : u->p.opts.hosts.v4)[i], .port = (uint16_t)(5000 + i)};
        assert_int_equal(pl_udp_open(u->stack[i], &u->at[i], 7 + i, &u->socket[i]), 0);
    }
}

static void assert_gets(struct udp *u, unsigned side, const void *bytes, size_t n)
{
    uint8_t got[2000];
    struct pl_endpoint from;
    assert_int_equal(pl_udp_recv(u->stack[side], u->socket[side], &from, got, sizeof got), n);
    assert_memory_equal(got, bytes, n);
    assert_int_equal(from.port, u->at[!side].port);
    assert_memory_equal(from.addr.b, u->at[!side].addr.b, 16);
}

static void assert_gets_nothing(struct udp *u, unsigned side)
{
    uint8_t got[10];
    assert_int_equal(pl_udp_recv(u->stack[side], u->socket[side], NULL, got, sizeof got), PL_EAGAIN);
}

static void a_datagram_goes_without_a_handshake_and_arrives_after_one_trip(void **state)
{
    struct udp u;
    start(&u, state, NULL);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "question", 8), 0);
    RUN_FOR(&u.p, 10 * PL_MS - 1);
    assert_gets_nothing(&u, 1);
    RUN_FOR(&u.p, 1);
    assert_int_equal(pl_ready(u.stack[1], u.socket[1]) & PL_EV_READABLE, PL_EV_READABLE);
    assert_gets(&u, 1, "question", 8);
    assert_gets_nothing(&u, 1);
    assert_int_equal(pl_udp_send(u.stack[1], u.socket[1], &u.at[0], "answer", 6), 0);
    RUN(&u.p);
    assert_gets(&u, 0, "answer", 6);
    assert_int_equal(pair_count_events(&u.p, PAIR_CLIENT, PL_TRACE_OUT, PL_WHY_UDP_DATAGRAM), 1);
    assert_int_equal(pair_count_events(&u.p, PAIR_SERVER, PL_TRACE_OUT, PL_WHY_UDP_DATAGRAM), 1);
    assert_int_equal(pair_count_events(&u.p, PAIR_CLIENT, PL_TRACE_OUT, 0), 1);    /* and nothing else */
    assert_int_equal(pair_segments(&u.p), 0);
    pair_free(&u.p);
}

static uint8_t frame[2000];
static size_t frame_bytes;

static void keep(void *user, const struct sim_tap_event *t)
{
    (void)user;
    if (t->fate != SIM_SENT) return;
    frame_bytes = t->packet->len < sizeof frame ? t->packet->len : sizeof frame;
    memcpy(frame, t->packet->bytes, frame_bytes);
}

static void the_header_is_eight_bytes_with_a_sum(void **state)
{
    struct udp u;
    start(&u, state, NULL);
    sim_tap(u.p.sim, keep, NULL);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "odd", 3), 0);
    RUN(&u.p);
    size_t at = SIX(state) ? 40 : 20, addresses = SIX(state) ? 8 : 12, bytes = SIX(state) ? 32 : 8;
    const uint8_t want[] = {5000 >> 8, 5000 & 255, 5001 >> 8, 5001 & 255, 0, 11};
    assert_int_equal(frame_bytes, at + 11);
    assert_memory_equal(frame + at, want, sizeof want);
    assert_memory_equal(frame + at + 8, "odd", 3);
    uint32_t sum = 17 + 11;
    for (size_t i = 0; i < bytes; i++)
        sum += i % 2 ? frame[addresses + i] : (uint32_t)frame[addresses + i] << 8;
    for (size_t i = 0; i < 11; i++)
        sum += i % 2 ? frame[at + i] : (uint32_t)frame[at + i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    assert_int_equal(sum, 0xffff);
    assert_true(frame[at + 6] || frame[at + 7]);
    pair_free(&u.p);
}

static void datagrams_keep_their_bounds_and_their_lengths(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 100, 1000, 1452, 5};
    struct udp u;
    uint8_t bytes[1472];
    start(&u, state, NULL);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        pattern_fill(i, 0, bytes, lengths[i]);
        assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], bytes, lengths[i]), 0);
    }
    RUN(&u.p);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        pattern_fill(i, 0, bytes, lengths[i]);
        assert_gets(&u, 1, bytes, lengths[i]);
    }
    assert_gets_nothing(&u, 1);
    pair_free(&u.p);
}

static void the_largest_is_what_one_packet_holds(void **state)
{
    struct udp u;
    uint8_t bytes[1473] = {1, 2, 3};
    size_t most = SIX(state) ? 1452 : 1472;
    start(&u, state, NULL);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], bytes, most + 1), PL_EMSGSIZE);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], bytes, most), 0);
    RUN(&u.p);
    assert_gets(&u, 1, bytes, most);
    pair_free(&u.p);
}

static void what_is_lost_stays_lost_and_what_comes_twice_comes_twice(void **state)
{
    struct udp u;
    start(&u, state, NULL);
    impair_drop_nth(pair_impair(&u.p, PAIR_CLIENT), 2);
    impair_duplicate_nth(pair_impair(&u.p, PAIR_CLIENT), 3);
    impair_delay_nth(pair_impair(&u.p, PAIR_CLIENT), 4, 50 * PL_MS);
    for (char i = '1'; i <= '5'; i++)
        assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], &i, 1), 0);
    RUN(&u.p);
    assert_gets(&u, 1, "1", 1);
    assert_gets(&u, 1, "3", 1);
    assert_gets(&u, 1, "3", 1);
    assert_gets(&u, 1, "5", 1);
    assert_gets(&u, 1, "4", 1);
    assert_gets_nothing(&u, 1);
    pair_free(&u.p);
}

static void a_corrupted_datagram_is_dropped(void **state)
{
    struct udp u;
    start(&u, state, NULL);
    uint32_t first = SIX(state) ? 40 * 8 : 20 * 8;
    for (uint32_t bit = first; bit < first + 12 * 8; bit += 5) {
        bool in_length = bit >= first + 32 && bit < first + 48;        /* a length that does not fit is dropped for that */
        size_t sum = pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_CHECKSUM);
        size_t length = pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_LENGTH);
        struct impair *i = pair_impair(&u.p, PAIR_CLIENT);
        i->rules = 0;
        impair_corrupt_nth(i, 1, bit);
        assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "text", 4), 0);
        RUN(&u.p);
        assert_gets_nothing(&u, 1);
        sum = pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_CHECKSUM) - sum;
        length = pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_LENGTH) - length;
        assert_int_equal(sum + length, 1);
        assert_true(sum == 1 || in_length);
    }
    pair_free(&u.p);
}

static void a_port_nobody_listens_on_is_reported_once(void **state)
{
    struct udp u;
    uint8_t byte;
    start(&u, state, NULL);
    struct pl_endpoint nobody = u.at[1];
    nobody.port = 9;
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &nobody, "anybody?", 8), 0);
    RUN(&u.p);
    assert_int_equal(pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_NO_PORT), 1);
    assert_int_equal(pair_count_events(&u.p, PAIR_SERVER, PL_TRACE_OUT, PL_WHY_ICMP_PORT_UNREACHABLE), 1);
    assert_int_equal(pl_ready(u.stack[0], u.socket[0]) & PL_EV_ERROR, PL_EV_ERROR);
    assert_int_equal(pl_udp_recv(u.stack[0], u.socket[0], NULL, &byte, 1), PL_ECONNREFUSED);
    assert_int_equal(pl_udp_recv(u.stack[0], u.socket[0], NULL, &byte, 1), PL_EAGAIN);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "still usable", 12), 0);
    RUN(&u.p);
    assert_gets(&u, 1, "still usable", 12);
    pair_free(&u.p);
}

static void a_short_buffer_gets_the_front_and_the_whole_length(void **state)
{
    struct udp u;
    char got[4] = "....";
    start(&u, state, NULL);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "0123456789", 10), 0);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "next", 4), 0);
    RUN(&u.p);
    assert_int_equal(pl_udp_recv(u.stack[1], u.socket[1], NULL, got, 3), 10);
    assert_memory_equal(got, "012.", 4);
    assert_gets(&u, 1, "next", 4);
    pair_free(&u.p);
}

static void a_full_receive_buffer_drops_what_comes_and_counts_it(void **state)
{
    struct udp u;
    uint8_t bytes[1000] = {0};
    unsigned got = 0;
    start(&u, state, NULL);
    assert_int_equal(pl_set(u.stack[1], u.socket[1], PL_OPT_RCVBUF, 5000), 0);
    for (unsigned i = 0; i < 20; i++) {
        bytes[0] = (uint8_t)i;
        assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], bytes, sizeof bytes), 0);
        RUN(&u.p);
    }
    while (pl_udp_recv(u.stack[1], u.socket[1], NULL, bytes, sizeof bytes) > 0)
        assert_int_equal(bytes[0], got++);                             /* the oldest are kept */
    assert_true(got >= 4 && got <= 5);
    assert_int_equal(pair_count_drops(&u.p, PAIR_SERVER, PL_DROP_UDP_FULL), 20 - got);
    pair_free(&u.p);
}

static void the_calls_say_what_is_wrong(void **state)
{
    struct udp u;
    pl_udp h;
    struct pl_endpoint to;
    start(&u, state, NULL);
    assert_int_equal(pl_udp_open(u.stack[0], &u.at[0], 0, &h), PL_EADDRINUSE);
    assert_int_equal(pl_udp_open(u.stack[0], &u.at[1], 0, &h), PL_EADDRNOTAVAIL);
    to = u.at[1];
    to.port = 0;
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &to, "x", 1), PL_EADDRINVALID);
    assert_int_equal(pl_addr_parse(SIX(state) ? "2001:db8:ffff::1" : "198.51.100.1", &to.addr), 0);
    to.port = 9;
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &to, "x", 1), PL_ENETUNREACH);
    assert_int_equal(pl_send(u.stack[0], u.socket[0], "x", 1), PL_EHANDLE);       /* it is no connection */
    assert_int_equal(pl_close(u.stack[0], u.socket[0]), 0);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "x", 1), PL_EHANDLE);
    assert_int_equal(pl_udp_recv(u.stack[0], u.socket[0], NULL, &to, 1), PL_EHANDLE);
    assert_int_equal(pl_udp_open(u.stack[0], &u.at[0], 0, &h), 0);     /* the port is free again */
    assert_true(h != u.socket[0]);
    pair_free(&u.p);
}

static void a_socket_on_every_address_serves_both_families(void **state)
{
    struct udp u;
    struct pl_endpoint any = {.port = 53}, to, from;
    pl_udp h;
    char got[8];
    start(&u, state, NULL);
    assert_int_equal(pl_udp_open(u.stack[1], &any, 0, &h), 0);
    for (unsigned six = 0; six < 2; six++) {
        pl_udp client;
        to = (struct pl_endpoint){.addr = (six ? u.p.opts.hosts.v6 : u.p.opts.hosts.v4)[1], .port = 53};
        assert_int_equal(pl_udp_open(u.stack[0], NULL, 0, &client), 0);
        assert_int_equal(pl_udp_send(u.stack[0], client, &to, "?", 1), 0);
        RUN(&u.p);
        assert_int_equal(pl_udp_recv(u.stack[1], h, &from, got, sizeof got), 1);
        assert_memory_equal(from.addr.b, (six ? u.p.opts.hosts.v6 : u.p.opts.hosts.v4)[0].b, 16);
        assert_int_equal(pl_udp_send(u.stack[1], h, &from, "!", 1), 0);
        RUN(&u.p);
        assert_int_equal(pl_udp_recv(u.stack[0], client, &from, got, sizeof got), 1);
        assert_memory_equal(from.addr.b, to.addr.b, 16);               /* the answer comes from where the question went */
        assert_int_equal(from.port, 53);
    }
    pair_free(&u.p);
}

static void udp_and_tcp_share_port_numbers_and_the_link(void **state)
{
    struct udp u;
    struct pl_listen_params l = {.local = {.port = 5001}};
    struct pl_connect_params c = {0};
    pl_listener listener;
    pl_conn conn, accepted;
    char got[4];
    start(&u, state, NULL);
    assert_int_equal(pl_listen(u.stack[1], &l, &listener), 0);         /* the port of the UDP socket */
    c.remote = u.at[1];
    c.local = u.at[0];
    assert_int_equal(pl_connect(u.stack[0], &c, &conn), 0);
    assert_int_equal(pl_udp_send(u.stack[0], u.socket[0], &u.at[1], "udp", 3), 0);
    assert_int_equal(pl_send(u.stack[0], conn, "tcp", 3), 3);
    RUN(&u.p);
    assert_gets(&u, 1, "udp", 3);
    assert_gets_nothing(&u, 1);
    assert_int_equal(pl_accept(u.stack[1], listener, &accepted, NULL), 0);
    assert_int_equal(pl_recv(u.stack[1], accepted, got, sizeof got), 3);
    assert_memory_equal(got, "tcp", 3);
    pair_free(&u.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_datagram_goes_without_a_handshake_and_arrives_after_one_trip),
        BOTH(the_header_is_eight_bytes_with_a_sum),
        BOTH(datagrams_keep_their_bounds_and_their_lengths),
        BOTH(the_largest_is_what_one_packet_holds),
        BOTH(what_is_lost_stays_lost_and_what_comes_twice_comes_twice),
        BOTH(a_corrupted_datagram_is_dropped),
        BOTH(a_port_nobody_listens_on_is_reported_once),
        BOTH(a_short_buffer_gets_the_front_and_the_whole_length),
        BOTH(a_full_receive_buffer_drops_what_comes_and_counts_it),
        BOTH(the_calls_say_what_is_wrong),
        BOTH(a_socket_on_every_address_serves_both_families),
        BOTH(udp_and_tcp_share_port_numbers_and_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
