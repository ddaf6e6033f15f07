/* SPDX-License-Identifier: MIT
 *
 * test_bound.c: whom a packet finds that is for several: bound to one address, to one family, to everything (flows.c); and the questions of whoever
 * binds: who holds a port, and where would packets come from.
 */
#include "support/duo.h"
#include "support/unit.h"

static struct duo d;

static int setup(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    c.listeners_max = 3;
    duo_init(&d, &c, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    duo_free(&d);
    return 0;
}

static struct pl_endpoint any(int family, uint16_t port)
{
    struct pl_endpoint e = {.port = port};
    if (family == 4)
        e.addr.b[10] = e.addr.b[11] = 0xff;
    if (family == 6)
        e.addr.zone = PL_ZONE_IP6;
    return e;
}

static pl_listener listener(struct pl_endpoint local)
{
    pl_listener l = 0;
    assert_int_equal(pl_listen(d.s[1], &(struct pl_listen_params){.local = local}, &l), PL_OK);
    return l;
}

/* Whether a SYN of that family is taken. */
static int reached(bool ipv6, pl_listener l)
{
    pl_conn c = duo_connect(&d, 0, ipv6, 80), other;
    duo_exchange(&d);
    int e = pl_accept(d.s[1], l, &other, NULL);
    pl_abort(d.s[0], c);
    pl_close(d.s[0], c);
    duo_exchange(&d);
    return e;
}

static void a_listener_of_one_family_does_not_hear_the_other(void **state)
{
    (void)state;
    pl_listener four = listener(any(4, 80));
    assert_int_equal(reached(true, four), PL_EAGAIN);
    assert_int_equal(reached(false, four), PL_OK);
    pl_listener six = listener(any(6, 80));
    assert_int_equal(reached(true, four), PL_EAGAIN);
    assert_int_equal(pl_accept(d.s[1], six, &(pl_conn){0}, NULL), PL_OK);
    assert_int_equal(pl_close(d.s[1], four), PL_OK);
    assert_int_equal(reached(false, six), PL_EAGAIN);
    assert_int_equal(reached(true, six), PL_OK);
}

static void one_address_is_asked_before_its_family_and_that_before_all(void **state)
{
    (void)state;
    pl_listener all = listener(any(0, 80)), four = listener(any(4, 80)), one = listener(duo_endpoint(1, false, 80));
    assert_int_equal(reached(false, one), PL_OK);
    assert_int_equal(pl_close(d.s[1], one), PL_OK);
    assert_int_equal(reached(false, four), PL_OK);
    assert_int_equal(pl_close(d.s[1], four), PL_OK);
    assert_int_equal(reached(false, all), PL_OK);
    assert_int_equal(reached(true, all), PL_OK);
}

static void datagrams_too(void **state)
{
    (void)state;
    pl_udp u[2], from;
    char got[8];
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_endpoint e = any(v6 ? 6 : 4, 53);
        assert_int_equal(pl_udp_open(d.s[1], &e, 0, &u[v6]), PL_OK);
    }
    assert_int_equal(pl_udp_open(d.s[0], NULL, 0, &from), PL_OK);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_endpoint to = duo_endpoint(1, v6, 53), back;
        assert_int_equal(pl_udp_send(d.s[0], from, &to, "x", 1), PL_OK);
        duo_exchange(&d);
        assert_int_equal(pl_udp_recv(d.s[1], u[!v6], NULL, got, 8), PL_EAGAIN);
        assert_int_equal(pl_udp_recv(d.s[1], u[v6], &back, got, 8), 1);
        assert_int_equal(pl_udp_send(d.s[1], u[v6], &back, "y", 1), PL_OK);     /* from the address that the route says, not from 0.0.0.0 */
        duo_exchange(&d);
        assert_int_equal(pl_udp_recv(d.s[0], from, &back, got, 8), 1);
        assert_memory_equal(back.addr.b, to.addr.b, 16);
    }
}

static void a_backlog_can_be_changed(void **state)
{
    (void)state;
    pl_listener l = listener(any(0, 80));
    int64_t v;
    assert_int_equal(pl_set(d.s[1], l, PL_OPT_BACKLOG, 1), PL_OK);
    assert_int_equal(pl_get(d.s[1], l, PL_OPT_BACKLOG, &v), PL_OK);
    assert_int_equal(v, 1);
    assert_int_equal(pl_set(d.s[1], l, PL_OPT_BACKLOG, 0), PL_EINVAL);
    duo_connect(&d, 0, false, 80);
    duo_exchange(&d);
    duo_connect(&d, 0, false, 80);
    duo_exchange(&d);
    assert_int_equal(pl_accept(d.s[1], l, &(pl_conn){0}, NULL), PL_OK);
    assert_int_equal(pl_accept(d.s[1], l, &(pl_conn){0}, NULL), PL_EAGAIN);
}

static void who_holds_a_port_is_known_until_the_end_of_time_wait(void **state)
{
    (void)state;
    pl_conn c[2];
    uint32_t n[PL_STATE_COUNT];
    struct pl_endpoint four = duo_endpoint(1, false, 80), six = duo_endpoint(1, true, 80), all = {.port = 80}, other = {.port = 81};
    duo_open(&d, false, 80, c);
    pl_port_states(d.s[1], &all, n);
    assert_int_equal(n[PL_ESTABLISHED], 1);
    pl_close(d.s[1], c[1]);               /* nobody owns it any more */
    duo_exchange(&d);
    pl_close(d.s[0], c[0]);
    duo_exchange(&d);
    pl_port_states(d.s[1], &four, n);
    assert_int_equal(n[PL_TIME_WAIT], 1);
    assert_int_equal(n[PL_ESTABLISHED], 0);
    pl_port_states(d.s[1], &six, n);
    assert_int_equal(n[PL_TIME_WAIT], 0);
    pl_port_states(d.s[1], &other, n);
    assert_int_equal(n[PL_TIME_WAIT], 0);
    listener(any(0, 80));
    pl_port_states(d.s[1], &all, n);
    assert_int_equal(n[PL_LISTEN], 1);
}

static void the_way_to_a_peer_is_told(void **state)
{
    (void)state;
    struct pl_endpoint me = duo_endpoint(0, true, 0), peer = duo_endpoint(1, true, 0);
    struct pl_addr from, nowhere;
    uint32_t mtu;
    assert_int_equal(pl_path(d.s[0], &peer.addr, &from, &mtu), PL_OK);
    assert_memory_equal(from.b, me.addr.b, 16);
    assert_int_equal(mtu, 1500);
    assert_int_equal(pl_addr_parse("198.51.100.1", &nowhere), PL_OK);
    assert_int_equal(pl_path(d.s[0], &nowhere, &from, NULL), PL_ENETUNREACH);
    assert_int_equal(pl_path(d.s[0], NULL, NULL, NULL), PL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_listener_of_one_family_does_not_hear_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(one_address_is_asked_before_its_family_and_that_before_all, setup, teardown),
        cmocka_unit_test_setup_teardown(datagrams_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backlog_can_be_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_holds_a_port_is_known_until_the_end_of_time_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(the_way_to_a_peer_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
