/* SPDX-License-Identifier: MIT
 *
 * UDP sockets through two stacks back to back: RFC 768, RFC 1122 4.1, both families, with and without a link layer.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
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

static pl_udp open_on(struct host *h, uint16_t port)
{
    pl_udp u;
    assert_int_equal(pl_udp_open(h->s, &(struct pl_endpoint){.port = port}, h->number, &u), PL_OK);
    return u;
}

static struct pl_endpoint to_host(unsigned number, int family, uint16_t port) { return (struct pl_endpoint){.addr = host_addr(number, family), .port = port}; }

static int send_text(struct host *h, pl_udp u, struct pl_endpoint to, const char *text) { return pl_udp_send(h->s, u, &to, text, strlen(text)); }

static void expect_text(struct host *h, pl_udp u, const char *text, struct pl_endpoint *from)
{
    char got[2000];
    ptrdiff_t n = pl_udp_recv(h->s, u, from, got, sizeof got);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static void m19_datagrams_go_both_ways_in_every_family_and_on_every_link(void **state)
{
    (void)state;
    static const int families[] = {4, 6, 0};
    for (unsigned link = 0; link < 2; link++) {
        make_both((enum pl_link)link, NULL);
        pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
        for (unsigned i = 0; i < 3; i++) {
            struct pl_endpoint from;
            assert_int_equal(send_text(&a, ua, to_host(2, families[i], 2000), "ping"), PL_OK);
            hosts_run(&a, &b, a.now + PL_S);
            expect_text(&b, ub, "ping", &from);
            struct pl_addr expect = host_addr(1, families[i]);
            assert_memory_equal(from.addr.b, expect.b, 16);
            assert_int_equal(from.addr.zone, expect.zone);
            assert_int_equal(from.port, 1000);
            assert_int_equal(pl_udp_send(b.s, ub, &from, "pong", 4), PL_OK);
            hosts_run(&a, &b, a.now + PL_S);
            expect_text(&a, ua, "pong", &from);
            assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_EAGAIN);
        }
        free_both(NULL);
    }
}

static void an_event_says_that_there_is_something_to_read(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    struct pl_event e;
    assert_false(pl_ready(b.s, ub) & PL_EV_READABLE);
    send_text(&a, ua, to_host(2, 4, 2000), "one");
    send_text(&a, ua, to_host(2, 4, 2000), "two");
    hosts_run(&a, &b, a.now + PL_MS);
    assert_true(pl_event_next(b.s, &e));
    assert_true(e.handle == ub && e.cookie == 2 && e.bits == PL_EV_READABLE);
    assert_false(pl_event_next(b.s, &e));
    assert_true(pl_ready(b.s, ub) & PL_EV_READABLE);
    expect_text(&b, ub, "one", NULL);
    expect_text(&b, ub, "two", NULL);
    assert_false(pl_ready(b.s, ub) & PL_EV_READABLE);
}

static void datagrams_of_every_size_arrive_whole(void **state)
{
    (void)state;
    uint8_t text[1600], got[1600];
    struct prng g;
    prng_seed(&g, 4);
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)prng_next(&g);
    make_both(PL_LINK_ETHERNET, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        struct pl_endpoint to = to_host(2, families[i], 2000);
        size_t most = i == 0 ? 1472 : 1452;
        for (size_t n = 0; n <= most; n += n < 40 || n > 1440 ? 1 : 97) {
            assert_int_equal(pl_udp_send(a.s, ua, &to, text, n), PL_OK);
            hosts_run(&a, &b, a.now + PL_MS);
            memset(got, 0, sizeof got);
            assert_int_equal(pl_udp_recv(b.s, ub, NULL, got, sizeof got), n);
            assert_memory_equal(got, text, n);
        }
        assert_int_equal(pl_udp_send(a.s, ua, &to, text, most + 1), PL_EMSGSIZE);
    }
    assert_int_equal(host_drops(&b, PL_DROP_UDP_CHECKSUM), 0);
}

static void a_short_buffer_loses_the_rest_and_only_of_that_datagram(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    send_text(&a, ua, to_host(2, 4, 2000), "abcdefgh");
    send_text(&a, ua, to_host(2, 4, 2000), "next");
    hosts_run(&a, &b, a.now + PL_MS);
    char got[4] = "....";
    assert_int_equal(pl_udp_recv(b.s, ub, NULL, got, 3), 8);
    assert_memory_equal(got, "abc.", 4);
    expect_text(&b, ub, "next", NULL);
}

static void many_datagrams_stay_in_order_and_no_chunk_is_lost(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    struct pl_endpoint to = to_host(2, 4, 2000);
    uint32_t sent = 0, received = 0;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t text[1400];
        for (unsigned k = 0; k < 7; k++) {
            memset(text, (int)sent, sizeof text);
            put_be32(text, sent);
            if (pl_udp_send(a.s, ua, &to, text, 4 + sent * 37 % 1390) == PL_OK)
                sent++;
        }
        hosts_run(&a, &b, a.now + PL_MS);
        ptrdiff_t n;
        while ((n = pl_udp_recv(b.s, ub, NULL, text, sizeof text)) >= 0) {
            assert_int_equal(n, 4 + received * 37 % 1390);
            assert_int_equal(get_be32(text), received);
            for (ptrdiff_t i = 4; i < n; i++)
                assert_int_equal(text[i], (uint8_t)received);
            received++;
        }
    }
    assert_int_equal(sent, received);
    assert_int_equal(sent, 2000 * 7);
    assert_int_equal(host_drops(&b, PL_DROP_UDP_FULL), 0);
}

static void a_full_send_buffer_says_when_there_is_room_again(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000);
    struct pl_endpoint to = to_host(2, 4, 2000);
    uint8_t text[1000] = {0};
    struct pl_event e;
    int rc;
    unsigned n = 0;
    assert_int_equal(pl_set(a.s, ua, PL_OPT_SNDBUF, 5000), PL_OK);
    while ((rc = pl_udp_send(a.s, ua, &to, text, sizeof text)) == PL_OK)
        n++;
    assert_int_equal(rc, PL_EAGAIN);
    assert_int_equal(n, 4);
    assert_false(pl_event_next(a.s, &e));
    assert_true(host_tx(&a));
    assert_true(pl_event_next(a.s, &e));
    assert_true(e.handle == ua && (e.bits & PL_EV_WRITABLE));
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, sizeof text), PL_OK);
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, 4990), PL_EMSGSIZE);
}

static void few_chunks(struct pl_config *c)
{
    c->chunks_max = 16;
    c->chunk_bytes = 256;
    c->sndbuf_bytes = c->rcvbuf_bytes = 2048;
}

static void an_empty_pool_is_a_counted_drop_or_eagain_and_nothing_leaks(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, few_chunks);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    struct pl_endpoint to = to_host(2, 6, 2000);
    uint8_t text[1400] = {0};
    for (unsigned round = 0; round < 300; round++) {
        int rc;
        while ((rc = pl_udp_send(a.s, ua, &to, text, round * 13 % 1400)) == PL_OK)
            ;
        assert_int_equal(rc, PL_EAGAIN);
        hosts_run(&a, &b, a.now + PL_MS);
        unsigned n = 0;
        while (pl_udp_recv(b.s, ub, NULL, text, sizeof text) >= 0)
            n++;
        assert_true(n > 0);
    }
    while (pl_udp_send(a.s, ua, &to, text, 1000) == PL_OK)
        ;
    for (unsigned k = 0; k < 5; k++) {    /* nobody reads */
        hosts_run(&a, &b, a.now + PL_MS);
        pl_udp_send(a.s, ua, &to, text, 1000);
    }
    assert_true(host_drops(&b, PL_DROP_UDP_FULL) > 0);
}

static void the_receive_buffer_is_bounded(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ub = open_on(&b, 2000);
    assert_int_equal(pl_set(b.s, ub, PL_OPT_RCVBUF, 300), PL_OK);
    struct frame f;
    for (unsigned i = 0; i < 10; i++) {
        frame_udp(&f, 4, 1, 2, 1000, 2000, "0123456789", 10);
        host_rx(&b, f.b + 14, f.n - 14);
    }
    assert_int_equal(host_drops(&b, PL_DROP_UDP_FULL), 5);
    unsigned n = 0;
    char got[16];
    while (pl_udp_recv(b.s, ub, NULL, got, sizeof got) == 10)
        n++;
    assert_int_equal(n, 5);
}

static void rfc1122_4_1_3_3_port_unreachable_is_told_once(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET, NULL);
        pl_udp ua = open_on(&a, 1000);
        send_text(&a, ua, to_host(2, families[i], 9), "anybody?");
        hosts_run(&a, &b, a.now + PL_MS);
        assert_int_equal(host_drops(&b, PL_DROP_UDP_NO_PORT), 1);
        assert_int_equal(host_sent(&b, PL_WHY_ICMP_PORT_UNREACHABLE), 1);
        struct pl_event e;
        assert_true(pl_event_next(a.s, &e));
        assert_true(e.handle == ua && (e.bits & PL_EV_ERROR));
        assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_ECONNREFUSED);
        assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_EAGAIN);
        free_both(NULL);
    }
}

static void a_neighbour_that_does_not_answer_is_an_error_after_three_requests(void **state)
{
    (void)state;
    static const int families[] = {4, 6};
    for (unsigned i = 0; i < 2; i++) {
        make_both(PL_LINK_ETHERNET, NULL);
        pl_udp ua = open_on(&a, 1000);
        pl_time start = a.now;
        send_text(&a, ua, to_host(77, families[i], 9), "hello");
        unsigned asked = 0;
        for (; a.now < start + 10 * PL_S; host_wait(&a, a.now + PL_S / 10))
            while (host_tx(&a)) {
                assert_int_equal(a.out_why, families[i] == 4 ? PL_WHY_ARP_REQUEST : PL_WHY_ND_SOLICIT);
                assert_true(a.now <= start + 3 * PL_S);
                asked++;
            }
        assert_int_equal(asked, 3);
        assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_EHOSTUNREACH);
        assert_int_equal(pl_deadline(a.s) == 0, 1);                 /* the event is still untaken */
        struct pl_event e;
        assert_true(pl_event_next(a.s, &e));
        assert_int_equal(pl_deadline(a.s), PL_NEVER);               /* the failure is forgotten, no timer is left */
        uint32_t cursor = 0;
        struct pl_neighbor n;
        assert_false(pl_neighbor_next(a.s, &cursor, &n));
        free_both(NULL);
    }
}

static void while_a_failure_is_remembered_sending_fails_at_once(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    pl_udp ua = open_on(&a, 1000);
    send_text(&a, ua, to_host(77, 4, 9), "hello");
    for (unsigned k = 0; k < 40; k++) {
        host_tx_all(&a);
        host_wait(&a, a.now + PL_S / 10);
    }
    host_tx_all(&a);
    assert_int_equal(send_text(&a, ua, to_host(77, 4, 9), "again"), PL_EHOSTUNREACH);
    assert_int_equal(send_text(&a, ua, to_host(2, 4, 9), "others"), PL_OK);
    host_wait(&a, a.now + 4 * PL_S);
    assert_int_equal(send_text(&a, ua, to_host(77, 4, 9), "later"), PL_OK);
}

static void what_cannot_be_sent_is_refused_with_its_error(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000), other;
    struct pl_endpoint to = to_host(2, 4, 0);
    assert_int_equal(pl_udp_send(a.s, ua, &to, "x", 1), PL_EADDRINVALID);
    to = (struct pl_endpoint){.port = 7};
    assert_int_equal(pl_udp_send(a.s, ua, &to, "x", 1), PL_EADDRINVALID);
    assert_int_equal(pl_addr_parse("198.51.100.1", &to.addr), PL_OK);
    assert_int_equal(pl_udp_send(a.s, ua, &to, "x", 1), PL_ENETUNREACH);
    assert_int_equal(pl_udp_send(a.s, ua, NULL, "x", 1), PL_EINVAL);
    assert_int_equal(pl_udp_send(a.s, ua + 1, &to, "x", 1), PL_EHANDLE);
    assert_int_equal(pl_udp_open(a.s, &(struct pl_endpoint){.port = 1000}, 0, &other), PL_EADDRINUSE);
    struct pl_endpoint foreign = to_host(2, 4, 1000);
    assert_int_equal(pl_udp_open(a.s, &foreign, 0, &other), PL_EADDRNOTAVAIL);
    assert_int_equal(pl_close(a.s, ua), PL_OK);
    assert_int_equal(pl_udp_send(a.s, ua, &to, "x", 1), PL_EHANDLE);
    assert_int_equal(pl_udp_open(a.s, &(struct pl_endpoint){.port = 1000}, 0, &other), PL_OK);
}

static void ports_are_chosen_when_none_is_given_and_run_out_cleanly(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp u[5];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pl_udp_open(a.s, NULL, 0, &u[i]), PL_OK);
    assert_int_equal(pl_udp_open(a.s, NULL, 0, &u[4]), PL_ENOMEM);
    assert_int_equal(pl_close(a.s, u[2]), PL_OK);
    assert_int_equal(pl_udp_open(a.s, NULL, 0, &u[4]), PL_OK);
    assert_true(u[4] != u[2]);
}

static void bound_to_one_address_it_hears_only_that(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    struct pl_endpoint local = to_host(2, 6, 2000);
    pl_udp ua = open_on(&a, 1000), ub;
    assert_int_equal(pl_udp_open(b.s, &local, 0, &ub), PL_OK);
    send_text(&a, ua, to_host(2, 4, 2000), "four");
    send_text(&a, ua, to_host(2, 6, 2000), "six");
    hosts_run(&a, &b, a.now + PL_MS);
    assert_int_equal(host_drops(&b, PL_DROP_UDP_NO_PORT), 1);
    expect_text(&b, ub, "six", NULL);
    assert_int_equal(pl_udp_recv(b.s, ub, NULL, NULL, 0), PL_EAGAIN);
    /* and it speaks only from there */
    assert_int_equal(send_text(&b, ub, to_host(1, 4, 1000), "x"), PL_EADDRNOTAVAIL);
}

static void a_broadcast_reaches_everybody_and_is_answered_by_nobody_without_a_socket(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    static const char *const targets[] = {"192.0.2.255", "255.255.255.255", "224.0.0.1", "ff02::1"};
    for (unsigned i = 0; i < COUNT_OF(targets); i++) {
        struct pl_endpoint to = {.port = 2000};
        assert_int_equal(pl_addr_parse(targets[i], &to.addr), PL_OK);
        if (i == 3)
            to.addr.zone = 1;
        assert_int_equal(send_text(&a, ua, to, "all"), PL_OK);
        hosts_run(&a, &b, a.now + PL_MS);
        expect_text(&b, ub, "all", NULL);
        to.port = 2001;
        assert_int_equal(send_text(&a, ua, to, "all"), PL_OK);
        hosts_run(&a, &b, a.now + PL_MS);
        assert_int_equal(host_drops(&b, PL_DROP_UDP_NO_PORT), i + 1);
    }
    assert_int_equal(host_sent(&b, PL_WHY_ICMP_PORT_UNREACHABLE), 0);
}

static void options_of_a_socket(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000);
    int64_t v;
    assert_int_equal(pl_set(a.s, ua, PL_OPT_DSCP, 46), PL_OK);
    assert_int_equal(pl_set(a.s, ua, PL_OPT_HOP_LIMIT, 3), PL_OK);
    assert_int_equal(pl_set(a.s, ua, PL_OPT_DSCP, 64), PL_EINVAL);
    assert_int_equal(pl_set(a.s, ua, PL_OPT_HOP_LIMIT, 0), PL_EINVAL);
    assert_int_equal(pl_set(a.s, ua, PL_OPT_NODELAY, 1), PL_EINVAL);
    assert_int_equal(pl_get(a.s, ua, PL_OPT_DSCP, &v), PL_OK);
    assert_int_equal(v, 46);
    send_text(&a, ua, to_host(2, 4, 7), "x");
    assert_true(host_tx(&a));
    assert_int_equal(a.out[1], 46 << 2);
    assert_int_equal(a.out[8], 3);
    send_text(&a, ua, to_host(2, 6, 7), "x");
    assert_true(host_tx(&a));
    assert_int_equal(get_be16(a.out) >> 4 & 0xff, 46 << 2);
    assert_int_equal(a.out[7], 3);
}

static void a_path_mtu_is_learned_from_the_network_and_obeyed(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    host_knows(&a, 2);
    pl_udp ua = open_on(&a, 1000);
    struct pl_endpoint to = to_host(2, 6, 2000);
    uint8_t text[1452] = {0};
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, sizeof text), PL_OK);
    assert_true(host_tx(&a));
    struct frame f;
    frame_icmp(&f, 6, 2, 1, WIRE_ICMP6_TOO_BIG, 0, 1400, a.out + 14, 1232);
    host_rx(&a, f.b, f.n);
    assert_int_equal(a.traced_drop, PL_DROP_NONE);
    assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_EMSGSIZE);
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, 1353), PL_EMSGSIZE);
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, 1352), PL_OK);
    host_wait(&a, a.now + 601 * PL_S);
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, 1452), PL_OK);
}

static void an_interface_that_goes_fails_what_waited_on_it(void **state)
{
    (void)state;
    make_both(PL_LINK_ETHERNET, NULL);
    pl_udp ua = open_on(&a, 1000);
    send_text(&a, ua, to_host(2, 4, 9), "x");
    assert_true(host_tx(&a));             /* the request; the datagram waits */
    assert_false(host_tx(&a));
    assert_int_equal(pl_iface_remove(a.s, a.iface), PL_OK);
    assert_int_equal(pl_udp_recv(a.s, ua, NULL, NULL, 0), PL_ENETDOWN);
    assert_int_equal(send_text(&a, ua, to_host(2, 4, 9), "x"), PL_ENETUNREACH);
    struct pl_event e;
    while (pl_event_next(a.s, &e))
        ;
    assert_int_equal(pl_deadline(a.s), PL_NEVER);
}

static void a_socket_outlives_its_interface(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, NULL);
    pl_udp ua = open_on(&a, 1000), ub = open_on(&b, 2000);
    send_text(&a, ua, to_host(2, 4, 2000), "one");
    assert_true(host_tx(&a));             /* the socket still stands in the interface's queue */
    struct pl_iface_info info;
    assert_int_equal(pl_iface_info(a.s, 0, &info, sizeof info), PL_OK);
    assert_int_equal(pl_iface_remove(a.s, 0), PL_OK);
    assert_int_equal(pl_rx(a.s, 0, NULL, 0, a.now), PL_EINVAL);
    assert_int_equal(pl_iface_add(a.s, &info.params), 0);
    struct pl_addr addr = host_addr(1, 4);
    assert_int_equal(pl_addr_add(a.s, 0, &addr, 24), PL_OK);
    assert_int_equal(send_text(&a, ua, to_host(2, 4, 2000), "two"), PL_OK);
    hosts_run(&a, &b, a.now + PL_MS);
    expect_text(&b, ub, "two", NULL);
    assert_int_equal(pl_close(a.s, ua), PL_OK);
}

static void a_held_frame_keeps_its_bytes_until_it_is_done(void **state)
{
    (void)state;
    make_both(PL_LINK_IP, few_chunks);
    pl_udp ua = open_on(&a, 1000);
    struct pl_endpoint to = to_host(2, 4, 2000);
    uint8_t head[PL_HEADER_BYTES_MAX], text[180];
    memset(text, 'x', sizeof text);
    assert_int_equal(pl_udp_send(a.s, ua, &to, text, sizeof text), PL_OK);
    struct pl_frame f = {.span = {{head, sizeof head}}};
    assert_int_equal(pl_tx(a.s, 0, &f, 1, a.now), 1);
    assert_int_equal(pl_tx_hold(a.s, &f), PL_OK);
    memset(text, 'y', sizeof text);
    for (unsigned round = 0; round < 20; round++) {
        while (pl_udp_send(a.s, ua, &to, text, sizeof text) == PL_OK)
            ;
        host_tx_all(&a);
        pl_poll(a.s, a.now);
    }
    for (unsigned k = 1; k < f.nspans; k++)
        for (size_t i = 0; i < f.span[k].len; i++)
            assert_int_equal(((uint8_t *)f.span[k].base)[i], 'x');
    pl_tx_done(a.s, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(m19_datagrams_go_both_ways_in_every_family_and_on_every_link, free_both),
        cmocka_unit_test_teardown(an_event_says_that_there_is_something_to_read, free_both),
        cmocka_unit_test_teardown(datagrams_of_every_size_arrive_whole, free_both),
        cmocka_unit_test_teardown(a_short_buffer_loses_the_rest_and_only_of_that_datagram, free_both),
        cmocka_unit_test_teardown(many_datagrams_stay_in_order_and_no_chunk_is_lost, free_both),
        cmocka_unit_test_teardown(a_full_send_buffer_says_when_there_is_room_again, free_both),
        cmocka_unit_test_teardown(an_empty_pool_is_a_counted_drop_or_eagain_and_nothing_leaks, free_both),
        cmocka_unit_test_teardown(the_receive_buffer_is_bounded, free_both),
        cmocka_unit_test_teardown(rfc1122_4_1_3_3_port_unreachable_is_told_once, free_both),
        cmocka_unit_test_teardown(a_neighbour_that_does_not_answer_is_an_error_after_three_requests, free_both),
        cmocka_unit_test_teardown(while_a_failure_is_remembered_sending_fails_at_once, free_both),
        cmocka_unit_test_teardown(what_cannot_be_sent_is_refused_with_its_error, free_both),
        cmocka_unit_test_teardown(ports_are_chosen_when_none_is_given_and_run_out_cleanly, free_both),
        cmocka_unit_test_teardown(bound_to_one_address_it_hears_only_that, free_both),
        cmocka_unit_test_teardown(a_broadcast_reaches_everybody_and_is_answered_by_nobody_without_a_socket, free_both),
        cmocka_unit_test_teardown(options_of_a_socket, free_both),
        cmocka_unit_test_teardown(a_path_mtu_is_learned_from_the_network_and_obeyed, free_both),
        cmocka_unit_test_teardown(an_interface_that_goes_fails_what_waited_on_it, free_both),
        cmocka_unit_test_teardown(a_socket_outlives_its_interface, free_both),
        cmocka_unit_test_teardown(a_held_frame_keeps_its_bytes_until_it_is_done, free_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
