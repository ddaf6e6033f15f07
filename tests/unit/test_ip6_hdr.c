/* SPDX-License-Identifier: MIT
 *
 * The IPv6 header and the walk over extension headers: every rule of RFC 8200 4 that the walk knows, threats V12, V14 to V16, every
 * truncation, random chains.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/prng.h"
#include "support/guard.h"
#include "wire/ip6_hdr.h"

static void the_header_is_read_and_written(void **state)
{
    (void)state;
    uint8_t bytes[41] = {0x6a, 0xb1, 0x23, 0x45, 0x05, 0xdc, 6, 64, 0x20, 1, 0x0d, 0xb8};
    bytes[39] = 9;
    struct wire_ip6 h;
    for (size_t n = 0; n <= 41; n++)
        assert_int_equal(wire_ip6_read(guard_copy(bytes, n), n, &h), n >= 40);
    assert_int_equal(h.dscp, 0xab >> 2);
    assert_int_equal(h.ecn, 3);
    assert_int_equal(h.flow, 0x12345);
    assert_int_equal(h.payload_bytes, 1500);
    assert_int_equal(h.next, 6);
    assert_int_equal(h.hop_limit, 64);
    assert_int_equal(h.src[0], 0x20);
    assert_int_equal(h.dst[15], 9);
    for (unsigned version = 0; version < 16; version++) {
        bytes[0] = (uint8_t)(version << 4 | 0xa);
        assert_int_equal(wire_ip6_read(bytes, 40, &h), version == 6);
    }
    guard_reset();
    struct prng g;
    prng_seed(&g, 1);
    for (unsigned round = 0; round < 5000; round++) {
        uint8_t back[40];
        for (unsigned i = 0; i < 40; i++)
            bytes[i] = (uint8_t)prng_next(&g);
        bytes[0] = (uint8_t)(0x60 | (bytes[0] & 15));
        assert_true(wire_ip6_read(bytes, 40, &h));
        wire_ip6_write(back, &h);
        assert_memory_equal(back, bytes, 40);
    }
}

/* A packet being put together. */
struct packet {
    uint8_t b[2048];
    size_t n, next_at;
};

static void start(struct packet *p)
{
    memset(p, 0, sizeof *p);
    p->b[0] = 0x60;
    p->n = 40;
    p->next_at = 6;
}

/* An extension header of 8 * units bytes, its last fields given. */
static size_t put_ext(struct packet *p, uint8_t kind, unsigned units, const void *body, size_t n)
{
    size_t at = p->n;
    p->b[p->next_at] = kind;
    p->next_at = at;
    p->b[at + 1] = (uint8_t)(units - 1);
    memset(p->b + at + 2, 0, 8 * units - 2);
    memcpy(p->b + at + 2, body, n);
    p->n += 8 * units;
    return at;
}

static void finish(struct packet *p, uint8_t kind)
{
    p->b[p->next_at] = kind;
    memset(p->b + p->n, 0xab, 20);
    p->n += 20;
}

static bool walk(const struct packet *p, struct wire_ip6_chain *c)
{
    memset(c, 0xee, sizeof *c);
    bool ok = wire_ip6_walk(guard_copy(p->b, p->n), p->n, c);
    assert_int_equal(ok, c->problem == WIRE_IP6_OK);
    guard_reset();
    return ok;
}

static void a_packet_without_extensions_ends_at_once(void **state)
{
    (void)state;
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    finish(&p, WIRE_PROTO_TCP);
    assert_true(walk(&p, &c));
    assert_int_equal(c.next, WIRE_PROTO_TCP);
    assert_int_equal(c.off, 40);
    assert_int_equal(c.next_at, 6);
    assert_int_equal(c.count, 0);
    assert_false(c.has_frag);
}

static void known_headers_are_walked_through(void **state)
{
    (void)state;
    static const uint8_t alert[] = {5, 2, 0, 0, 1, 0};
    static const uint8_t skipped[] = {0x1e, 3, 1, 2, 3, 0};    /* unknown, action 00 */
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    put_ext(&p, WIRE_PROTO_HOPOPT, 1, alert, sizeof alert);
    put_ext(&p, WIRE_PROTO_DSTOPTS, 3, skipped, sizeof skipped);
    size_t at = put_ext(&p, WIRE_PROTO_ROUTING, 2, "\0\0", 2);  /* type 0, no segments left: ignored (RFC 5095) */
    finish(&p, WIRE_PROTO_ICMP6);
    assert_true(walk(&p, &c));
    assert_int_equal(c.next, WIRE_PROTO_ICMP6);
    assert_int_equal(c.off, 40 + 8 + 24 + 16);
    assert_int_equal(c.next_at, at);
    assert_int_equal(c.count, 3);
    assert_true(c.router_alert);
}

static void hop_by_hop_is_only_accepted_first(void **state)
{
    (void)state;
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    size_t before = put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "", 0);
    put_ext(&p, WIRE_PROTO_HOPOPT, 1, "", 0);
    finish(&p, WIRE_PROTO_TCP);
    assert_false(walk(&p, &c));
    assert_int_equal(c.problem, WIRE_IP6_BAD_ORDER);
    assert_int_equal(c.problem_at, before);
}

static void the_walk_stops_behind_a_fragment_header(void **state)
{
    (void)state;
    static const uint8_t first[] = {0, 1, 0x12, 0x34, 0x56, 0x78}, later[] = {0x05, 0xa9, 0, 0, 0, 7}, last[] = {0x05, 0xa8, 0, 0, 0, 7};
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    size_t before = put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "", 0);
    size_t at = put_ext(&p, WIRE_PROTO_FRAGMENT, 1, first, sizeof first);
    put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "", 0);
    finish(&p, WIRE_PROTO_TCP);
    assert_true(walk(&p, &c));
    assert_true(c.has_frag && c.mf);
    assert_int_equal(c.frag_off, 0);
    assert_int_equal(c.frag_id, 0x12345678);
    assert_int_equal(c.frag_at, at);
    assert_int_equal(c.frag_next_at, before);
    assert_int_equal(c.next, WIRE_PROTO_DSTOPTS);
    assert_int_equal(c.off, at + 8);
    /* RFC 7112: the first fragment holds the whole header chain; whoever needs to know goes on. */
    assert_true(wire_ip6_walk_on(p.b, p.n, &c));
    assert_int_equal(c.next, WIRE_PROTO_TCP);
    assert_int_equal(c.off, at + 16);
    assert_true(c.has_frag && c.mf);

    memcpy(p.b + at + 2, later, sizeof later);
    assert_true(walk(&p, &c));
    assert_true(c.mf);
    assert_int_equal(c.frag_off, 1448);
    memcpy(p.b + at + 2, last, sizeof last);
    assert_true(walk(&p, &c));
    assert_true(c.has_frag && !c.mf);
    assert_int_equal(c.frag_off, 1448);
    assert_int_equal(c.off, at + 8);
}

static void a_first_fragment_without_its_header_chain_is_noticed(void **state)
{
    (void)state;
    static const uint8_t first[] = {0, 1, 0, 0, 0, 1};
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    put_ext(&p, WIRE_PROTO_FRAGMENT, 1, first, sizeof first);
    size_t at = put_ext(&p, WIRE_PROTO_DSTOPTS, 2, "", 0);
    p.b[at] = WIRE_PROTO_TCP;
    p.n = at + 8;
    assert_true(walk(&p, &c));
    assert_false(wire_ip6_walk_on(p.b, p.n, &c));
    assert_int_equal(c.problem, WIRE_IP6_TRUNCATED);
    assert_int_equal(c.problem_at, at);
}

static void an_atomic_fragment_is_walked_through(void **state)
{
    (void)state;
    static const uint8_t atomic[] = {0, 0, 0, 0, 0, 9};
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    put_ext(&p, WIRE_PROTO_FRAGMENT, 1, atomic, sizeof atomic);
    put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "", 0);
    finish(&p, WIRE_PROTO_UDP);
    p.b[41] = 255;                        /* reserved in this header, not a length: RFC 8200 4.5 */
    assert_true(walk(&p, &c));
    assert_true(c.has_frag && !c.mf);
    assert_int_equal(c.frag_id, 9);
    assert_int_equal(c.next, WIRE_PROTO_UDP);
    assert_int_equal(c.off, 56);
}

static void segments_left_is_refused_at_the_routing_type(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        uint8_t body[] = {(uint8_t)type, 1};
        struct packet p;
        struct wire_ip6_chain c;
        start(&p);
        size_t at = put_ext(&p, WIRE_PROTO_ROUTING, 3, body, sizeof body);
        finish(&p, WIRE_PROTO_TCP);
        assert_false(walk(&p, &c));
        assert_int_equal(c.problem, WIRE_IP6_BAD_ROUTING);
        assert_int_equal(c.problem_at, at + 2);
    }
}

static void an_unknown_option_says_itself_what_to_do(void **state)
{
    (void)state;
    for (unsigned type = 2; type < 256; type++) {
        static const uint8_t expected[] = {WIRE_IP6_OK, WIRE_IP6_OPT_DISCARD, WIRE_IP6_OPT_REPORT, WIRE_IP6_OPT_REPORT_UNICAST};
        uint8_t body[] = {1, 0, (uint8_t)type, 2};
        struct packet p;
        struct wire_ip6_chain c;
        start(&p);
        size_t at = put_ext(&p, type & 1 ? WIRE_PROTO_HOPOPT : WIRE_PROTO_DSTOPTS, 1, body, sizeof body);
        finish(&p, WIRE_PROTO_TCP);
        walk(&p, &c);
        assert_int_equal(c.problem, expected[type >> 6]);
        if (c.problem)
            assert_int_equal(c.problem_at, at + 4);
    }
}

static void a_jumbo_option_is_not_trusted(void **state)
{
    (void)state;
    static const uint8_t jumbo[] = {0xc2, 4, 0xff, 0xff, 0xff, 0xff};      /* threats V16 */
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    put_ext(&p, WIRE_PROTO_HOPOPT, 1, jumbo, sizeof jumbo);
    finish(&p, WIRE_PROTO_TCP);
    assert_false(walk(&p, &c));
    assert_int_equal(c.problem, WIRE_IP6_OPT_REPORT_UNICAST);
}

static void an_option_longer_than_its_header_is_refused(void **state)
{
    (void)state;
    for (unsigned length = 0; length < 256; length++) {
        uint8_t body[] = {1, (uint8_t)length, 0, 0, 0, 0};
        struct packet p;
        struct wire_ip6_chain c;
        start(&p);
        size_t at = put_ext(&p, WIRE_PROTO_DSTOPTS, 1, body, sizeof body);
        finish(&p, WIRE_PROTO_TCP);
        assert_int_equal(walk(&p, &c), length <= 4);
        if (length > 4) {
            assert_int_equal(c.problem, WIRE_IP6_BAD_LENGTH);
            assert_int_equal(c.problem_at, at + 3);
        }
    }
    struct packet p;
    struct wire_ip6_chain c;
    start(&p);
    size_t at = put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "\0\0\0\0\0\1", 6);     /* a type with no room for its length */
    finish(&p, WIRE_PROTO_TCP);
    assert_false(walk(&p, &c));
    assert_int_equal(c.problem, WIRE_IP6_BAD_LENGTH);
    assert_int_equal(c.problem_at, at + 7);
}

static void long_chains_and_many_options_are_refused(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 200; count++) {           /* threats V14 */
        struct packet p;
        struct wire_ip6_chain c;
        start(&p);
        for (unsigned i = 0; i < count; i++)
            put_ext(&p, WIRE_PROTO_DSTOPTS, 1, "\1\4", 2);
        finish(&p, WIRE_PROTO_TCP);
        assert_int_equal(walk(&p, &c), count <= WIRE_IP6_EXT_MAX);
        if (count > WIRE_IP6_EXT_MAX) {
            assert_int_equal(c.problem, WIRE_IP6_TOO_MANY);
            assert_int_equal(c.problem_at, 40 + 8 * WIRE_IP6_EXT_MAX);
        }
    }
    for (unsigned count = 0; count < 100; count++) {
        uint8_t body[200];
        struct packet p;
        struct wire_ip6_chain c;
        for (unsigned i = 0; i < 100; i++)
            body[2 * i] = i < count ? 1 : 0, body[2 * i + 1] = 0;
        start(&p);
        put_ext(&p, WIRE_PROTO_HOPOPT, 26, body, sizeof body);
        finish(&p, WIRE_PROTO_TCP);
        assert_int_equal(walk(&p, &c), count <= WIRE_IP6_OPTS_MAX);
    }
}

static void every_truncation_is_noticed(void **state)
{
    (void)state;
    static const uint8_t atomic[] = {0, 0, 0, 0, 0, 9};
    struct packet p;
    start(&p);
    put_ext(&p, WIRE_PROTO_HOPOPT, 2, "\1\4", 2);
    put_ext(&p, WIRE_PROTO_FRAGMENT, 1, atomic, sizeof atomic);
    size_t end = put_ext(&p, WIRE_PROTO_DSTOPTS, 3, "", 0) + 24;
    finish(&p, WIRE_PROTO_TCP);
    size_t whole = p.n;
    for (p.n = 40; p.n <= whole; p.n++) {
        struct wire_ip6_chain c;
        assert_int_equal(walk(&p, &c), p.n >= end);
        if (p.n < end) {
            assert_int_equal(c.problem, WIRE_IP6_TRUNCATED);
            assert_int_equal(c.problem_at, p.n < 56 ? 40 : p.n < 64 ? 56 : 64);
        }
    }
}

static void random_chains_are_survived(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 43, 44, 60, 60, 60, 6, 58, 59, 50};
    struct prng g;
    prng_seed(&g, 2);
    uint8_t *end = (uint8_t *)guard_alloc(400) + 400;
    unsigned good = 0;
    for (unsigned round = 0; round < 100000; round++) {
        size_t n = 40 + prng_below(&g, 200);
        uint8_t *p = end - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)(prng_below(&g, 3) ? prng_below(&g, 5) : prng_next(&g));
        p[6] = kinds[prng_below(&g, sizeof kinds)];
        for (size_t i = 40; i < n; i += 8)
            p[i] = kinds[prng_below(&g, sizeof kinds)];
        struct wire_ip6_chain c;
        bool ok = wire_ip6_walk(p, n, &c);
        assert_true(c.off <= n && c.next_at < n && c.count <= WIRE_IP6_EXT_MAX);
        if (ok && c.has_frag)
            ok = wire_ip6_walk_on(p, n, &c);
        assert_true(c.off <= n && c.next_at < n && c.count <= WIRE_IP6_EXT_MAX && c.problem_at <= n);
        good += ok && c.count;
    }
    assert_true(good > 1000);
    guard_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_read_and_written),
        cmocka_unit_test(a_packet_without_extensions_ends_at_once),
        cmocka_unit_test(known_headers_are_walked_through),
        cmocka_unit_test(hop_by_hop_is_only_accepted_first),
        cmocka_unit_test(the_walk_stops_behind_a_fragment_header),
        cmocka_unit_test(a_first_fragment_without_its_header_chain_is_noticed),
        cmocka_unit_test(an_atomic_fragment_is_walked_through),
        cmocka_unit_test(segments_left_is_refused_at_the_routing_type),
        cmocka_unit_test(an_unknown_option_says_itself_what_to_do),
        cmocka_unit_test(a_jumbo_option_is_not_trusted),
        cmocka_unit_test(an_option_longer_than_its_header_is_refused),
        cmocka_unit_test(long_chains_and_many_options_are_refused),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(random_chains_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
