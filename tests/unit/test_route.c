/* SPDX-License-Identifier: MIT
 *
 * Routes and source addresses: longest prefix, metric, RFC 6724 5 (reduced), the strong host model, and what kind of address is which.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/text.h"
#include "internet/route.h"
#include "wire/ip_proto.h"

static struct {
    _Alignas(64) struct slots addrs;
    _Alignas(64) struct slots routes;
    _Alignas(64) uint8_t addr_memory[4096];
    _Alignas(64) uint8_t route_memory[4096];
} t;

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    assert_true(slots_bytes(sizeof(struct addr_entry), 32) <= sizeof t.addr_memory);
    assert_true(slots_bytes(sizeof(struct route_entry), 32) <= sizeof t.route_memory);
    slots_init(&t.addrs, t.addr_memory, sizeof(struct addr_entry), 32);
    slots_init(&t.routes, t.route_memory, sizeof(struct route_entry), 32);
    return 0;
}

static const uint8_t *addr_of(const char *text)
{
    static struct pl_addr ring[16];
    static unsigned at;
    struct pl_addr *a = &ring[at++ % 16];
    assert_true(text_parse_addr(text, strlen(text), a));
    return a->b;
}

static uint32_t add_addr(int iface, const char *text, unsigned bits)
{
    uint32_t slot = slots_take(&t.addrs);
    struct addr_entry *e = slots_at(&t.addrs, slot);
    memcpy(e->addr, addr_of(text), 16);
    e->iface = iface;
    e->prefix_bits = wire_addr_is_ip4(e->addr) ? bits + 96 : bits;
    e->zone = route_addr_is_link_local6(e->addr) ? (uint32_t)iface + 1 : 0;
    return slot;
}

static uint32_t add_route(int iface, const char *text, unsigned bits, const char *gateway, uint32_t metric)
{
    uint32_t slot = slots_take(&t.routes);
    struct route_entry *e = slots_at(&t.routes, slot);
    memcpy(e->destination, addr_of(text), 16);
    e->prefix_bits = wire_addr_is_ip4(e->destination) ? bits + 96 : bits;
    if (gateway)
        memcpy(e->gateway, addr_of(gateway), 16);
    e->iface = iface;
    e->metric = metric;
    return slot;
}

/* The next hop as text "iface address", or "none". */
static const char *hop_to(const char *text, uint32_t zone, int only)
{
    static char line[80];
    struct route_hop hop;
    struct text out = text_of(line, sizeof line);
    if (!route_find(&t.addrs, &t.routes, addr_of(text), zone, only, &hop))
        return "none";
    struct pl_addr a = {.zone = 0};
    memcpy(a.b, hop.addr, 16);
    text_i64(&out, hop.iface);
    text_char(&out, ' ');
    text_addr(&out, &a);
    return line;
}

static void the_longest_prefix_wins_then_the_metric_then_the_older(void **state)
{
    (void)state;
    add_addr(0, "192.0.2.1", 24);
    add_addr(1, "10.1.0.1", 16);
    add_route(0, "0.0.0.0", 0, "192.0.2.254", 0);
    add_route(0, "10.0.0.0", 8, "192.0.2.253", 5);
    add_route(1, "10.0.0.0", 8, "10.1.0.254", 3);
    add_route(0, "10.0.0.0", 8, "192.0.2.252", 3);
    add_route(0, "10.1.2.0", 24, "192.0.2.251", 9);
    assert_string_equal(hop_to("192.0.2.77", 0, -1), "0 192.0.2.77");
    assert_string_equal(hop_to("198.51.100.1", 0, -1), "0 192.0.2.254");
    assert_string_equal(hop_to("10.2.0.1", 0, -1), "1 10.1.0.254");
    assert_string_equal(hop_to("10.1.9.9", 0, -1), "1 10.1.9.9");
    assert_string_equal(hop_to("10.1.2.9", 0, -1), "0 192.0.2.251");
    assert_string_equal(hop_to("10.2.0.1", 0, 0), "0 192.0.2.252");         /* the interface is given by the source address */
    assert_string_equal(hop_to("198.51.100.1", 0, 1), "none");
    assert_string_equal(hop_to("2001:db8::1", 0, -1), "none");
}

static void the_default_of_one_family_is_not_that_of_the_other(void **state)
{
    (void)state;
    add_addr(0, "2001:db8::1", 64);
    add_addr(0, "::5", 64);               /* its prefix holds the mapped form of every IPv4 address, which must not matter */
    add_route(0, "::", 0, "2001:db8::254", 0);
    assert_string_equal(hop_to("2001:db9::1", 0, -1), "0 2001:db8::254");
    assert_string_equal(hop_to("192.0.2.1", 0, -1), "none");
    assert_false(route_addr_on_link(&t.addrs, 0, addr_of("192.0.2.1")));
    add_route(1, "0.0.0.0", 0, "192.0.2.254", 0);
    assert_string_equal(hop_to("192.0.2.1", 0, -1), "1 192.0.2.254");
    assert_string_equal(hop_to("2001:db9::1", 0, -1), "0 2001:db8::254");
}

static void a_link_local_destination_needs_its_zone(void **state)
{
    (void)state;
    add_addr(0, "fe80::1", 64);
    add_addr(1, "fe80::1", 64);
    assert_string_equal(hop_to("fe80::2", 0, -1), "none");
    assert_string_equal(hop_to("fe80::2", 1, -1), "0 fe80::2");
    assert_string_equal(hop_to("fe80::2", 2, -1), "1 fe80::2");
    assert_string_equal(hop_to("fe80::2", 2, 0), "none");
    assert_int_equal(route_addr_find(&t.addrs, -1, addr_of("fe80::1"), 0), 0);
    assert_int_equal(route_addr_find(&t.addrs, -1, addr_of("fe80::1"), 1), 1);
    assert_int_equal(route_addr_find(&t.addrs, -1, addr_of("fe80::1"), 2), 2);
    assert_int_equal(route_addr_find(&t.addrs, 1, addr_of("fe80::1"), 0), 2);
}

static void strong_hosts_an_address_belongs_to_its_interface(void **state)
{
    (void)state;
    uint32_t slot = add_addr(0, "192.0.2.1", 24);
    assert_int_equal(route_addr_find(&t.addrs, 0, addr_of("192.0.2.1"), 0), slot);
    assert_int_equal(route_addr_find(&t.addrs, -1, addr_of("192.0.2.1"), 0), slot);
    assert_int_equal(route_addr_find(&t.addrs, 1, addr_of("192.0.2.1"), 0), 0);
    slots_give(&t.addrs, slot);
    assert_int_equal(route_addr_find(&t.addrs, 0, addr_of("192.0.2.1"), 0), 0);
}

static void a_removed_route_is_gone(void **state)
{
    (void)state;
    add_addr(0, "192.0.2.1", 24);
    uint32_t slot = add_route(0, "0.0.0.0", 0, "192.0.2.254", 0);
    assert_string_equal(hop_to("8.8.8.8", 0, -1), "0 192.0.2.254");
    slots_give(&t.routes, slot);
    assert_string_equal(hop_to("8.8.8.8", 0, -1), "none");
}

static void a_group_is_its_own_next_hop(void **state)
{
    (void)state;
    add_addr(0, "192.0.2.1", 24);
    add_route(0, "0.0.0.0", 0, "192.0.2.254", 0);
    assert_string_equal(hop_to("239.1.2.3", 0, -1), "0 239.1.2.3");
}

static const char *source_to(int iface, const char *text)
{
    static char line[64];
    uint32_t slot = route_source(&t.addrs, iface, addr_of(text));
    if (slot == 0)
        return "none";
    struct pl_addr a = {.zone = 0};
    memcpy(a.b, ((struct addr_entry *)slots_at(&t.addrs, slot))->addr, 16);
    struct text out = text_of(line, sizeof line);
    text_addr(&out, &a);
    return line;
}

static void rfc6724_the_source_address(void **state)
{
    (void)state;
    add_addr(0, "fe80::1", 64);
    add_addr(0, "2001:db8:1::1", 64);
    add_addr(0, "2001:db8:2::1", 64);
    add_addr(0, "fd00::1", 64);
    add_addr(0, "192.0.2.1", 24);
    add_addr(0, "198.51.100.1", 24);
    add_addr(1, "2001:db8:2::2", 64);
    assert_string_equal(source_to(0, "2001:db8:2::99"), "2001:db8:2::1");  /* rule 8: longest match */
    assert_string_equal(source_to(0, "2001:db8:1::99"), "2001:db8:1::1");
    assert_string_equal(source_to(0, "fe80::99"), "fe80::1");              /* rule 2: same scope */
    assert_string_equal(source_to(0, "ff02::1"), "fe80::1");
    assert_string_equal(source_to(0, "fd00::99"), "fd00::1");
    assert_string_equal(source_to(0, "2001:db8:2::1"), "2001:db8:2::1");   /* rule 1: the same */
    assert_string_equal(source_to(1, "2001:db8:1::99"), "2001:db8:2::2");  /* only addresses of the interface */
    assert_string_equal(source_to(0, "198.51.100.9"), "198.51.100.1");
    assert_string_equal(source_to(0, "8.8.8.8"), "192.0.2.1");            /* none is better: the older */
    assert_string_equal(source_to(1, "8.8.8.8"), "none");
    assert_string_equal(source_to(2, "fe80::99"), "none");
}

static void rfc6724_rule_2_a_scope_that_is_too_small_is_the_last_choice(void **state)
{
    (void)state;
    add_addr(0, "169.254.7.7", 16);
    add_addr(0, "192.0.2.1", 24);
    assert_string_equal(source_to(0, "172.16.0.1"), "192.0.2.1");
    assert_string_equal(source_to(0, "169.254.9.9"), "169.254.7.7");
}

static void directed_broadcasts(void **state)
{
    (void)state;
    add_addr(0, "192.0.2.65", 26);
    add_addr(0, "10.0.0.0", 31);
    add_addr(0, "172.16.0.1", 32);
    add_addr(1, "203.0.113.1", 24);
    static const struct {
        const char *text;
        int iface;
        bool is;
    } rows[] = {
        {"192.0.2.127", 0, true},  {"192.0.2.64", 0, true},   {"192.0.2.126", 0, false}, {"192.0.2.65", 0, false},
        {"192.0.2.255", 0, false}, {"10.0.0.1", 0, false},    {"10.0.0.0", 0, false},    {"172.16.0.1", 0, false},
        {"203.0.113.255", 0, false}, {"203.0.113.255", 1, true}, {"203.0.113.255", -1, true}, {"2001:db8::ffff", -1, false},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(route_addr_is_directed_broadcast(&t.addrs, rows[i].iface, addr_of(rows[i].text)), rows[i].is);
}

static void v17_who_cannot_be_a_sender(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool martian;
    } rows[] = {
        {"0.0.0.0", true},   {"0.1.2.3", true},    {"127.0.0.1", true},       {"127.255.255.255", true}, {"224.0.0.1", true},
        {"239.1.1.1", true}, {"240.0.0.1", true},  {"255.255.255.255", true}, {"1.0.0.1", false},        {"192.0.2.1", false},
        {"::", true},        {"::1", true},        {"ff02::1", true},         {"fe80::1", false},        {"2001:db8::1", false},
        {"126.0.0.1", false}, {"128.0.0.1", false}, {"223.255.255.255", false}, {"::2", false},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(route_addr_is_martian_source(addr_of(rows[i].text)), rows[i].martian);
}

static void common_bits_against_counting_them_one_by_one(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 5);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t a[16], b[16];
        for (unsigned i = 0; i < 16; i++)
            a[i] = b[i] = (uint8_t)prng_next(&g);
        for (unsigned flips = prng_below(&g, 4); flips; flips--)
            b[prng_below(&g, 16)] ^= (uint8_t)(1u << prng_below(&g, 8));
        unsigned bits = 0;
        while (bits < 128 && ((a[bits / 8] ^ b[bits / 8]) & (0x80 >> bits % 8)) == 0)
            bits++;
        assert_int_equal(route_common_bits(a, b), bits);
    }
}

static void scopes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int scope;
    } rows[] = {
        {"192.0.2.1", 14}, {"169.254.0.1", 2}, {"127.0.0.1", 2}, {"10.0.0.1", 14},  {"224.0.0.251", 2}, {"239.0.0.1", 14}, {"::1", 2},
        {"fe80::1", 2},    {"fec0::1", 5},     {"fd00::1", 14},  {"2001:db8::1", 14}, {"ff01::1", 1},   {"ff02::1", 2},    {"ff0e::1", 14},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(route_scope_of(addr_of(rows[i].text)), rows[i].scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_longest_prefix_wins_then_the_metric_then_the_older, start),
        cmocka_unit_test_setup(the_default_of_one_family_is_not_that_of_the_other, start),
        cmocka_unit_test_setup(a_link_local_destination_needs_its_zone, start),
        cmocka_unit_test_setup(strong_hosts_an_address_belongs_to_its_interface, start),
        cmocka_unit_test_setup(a_removed_route_is_gone, start),
        cmocka_unit_test_setup(a_group_is_its_own_next_hop, start),
        cmocka_unit_test_setup(rfc6724_the_source_address, start),
        cmocka_unit_test_setup(rfc6724_rule_2_a_scope_that_is_too_small_is_the_last_choice, start),
        cmocka_unit_test_setup(directed_broadcasts, start),
        cmocka_unit_test_setup(v17_who_cannot_be_a_sender, start),
        cmocka_unit_test_setup(common_bits_against_counting_them_one_by_one, start),
        cmocka_unit_test_setup(scopes, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
