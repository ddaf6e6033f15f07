/* SPDX-License-Identifier: MIT
 *
 * Threats V6, V11, V14, V29, V32, V33, V35, V45 and V46, the side of them that is work: what a packet costs, in instructions of the processor, must not
 * grow with what came before it, or only as far as the config's tables let it. Each case counts the same packet early and late in the attack.
 */
#include "base/bytes.h"
#include "support/skip.h"
#include "support/steps.h"
#include "support/victim_case.h"
#include "wire/ip4_hdr.h"

#if defined(__SANITIZE_ADDRESS__)
#define COUNT_OR_SKIP() SKIP_BECAUSE("instructions are counted in the build without sanitizers")
#else
#define COUNT_OR_SKIP() \
    if (!steps_possible()) SKIP_BECAUSE("this machine does not let a process trace its child (ptrace)")
#endif

/* As the others' victims, but that the stack does not look through its own records after each event. */
static struct pl_config unchecked(bool timestamps)
{
    struct pl_config c = victim_config();
    c.check = false;
    c.timestamps = timestamps;
    return c;
}

static int make_unchecked(void **state)
{
    struct pl_config c = unchecked(false);
    (void)state;
    victim_make(&v, &c);
    return 0;
}

/* One packet in, and what is said to it. */
struct packet_in {
    uint8_t bytes[FORGE_BYTES_MAX];
    size_t n;
};

static void give(void *user)
{
    static uint8_t room[4][PL_HEADER_BYTES_MAX];
    const struct packet_in *p = user;
    struct pl_frame f, out[4];
    memset(&f, 0, sizeof f);
    memset(out, 0, sizeof out);
    f.span[0] = (struct pl_span){(uint8_t *)(uintptr_t)p->bytes, p->n};
    f.nspans = 1;
    (void)pl_rx(v.s, 0, &f, 1, v.now);
    for (unsigned i = 0; i < 4; i++)
        out[i].span[0] = (struct pl_span){room[i], sizeof room[i]};
    (void)pl_tx(v.s, 0, out, 4, v.now);
}

static uint64_t cost(const struct packet_in *p)
{
    pl_trace_fn *trace = v.env.trace;
    v.env.trace = NULL;
    uint64_t n = steps_of(give, (void *)(uintptr_t)p);
    v.env.trace = trace;
    return n;
}

static void happens(const struct packet_in *p)
{
    pl_trace_fn *trace = v.env.trace;
    v.env.trace = NULL;
    give((void *)(uintptr_t)p);
    v.env.trace = trace;
    (void)victim_hush(&v);
}

static struct packet_in packet(const struct forged *f)
{
    struct packet_in p;
    p.n = forge_tcp(p.bytes, f);
    return p;
}

static void within(const char *what, uint64_t late, uint64_t early, unsigned percent)
{
    print_message("%s: %llu, late %llu instructions\n", what, (unsigned long long)early, (unsigned long long)late);
    if (late * 100 > early * percent)
        fail_msg("%s: %llu instructions, early it was %llu", what, (unsigned long long)late, (unsigned long long)early);
}

/* ---- V35 */

static struct packet_in tiny(struct peer *p, uint32_t at)
{
    struct forged f = peer_segment(p, PL_ACK);
    f.seq += at;
    f.text_bytes = 1;
    return packet(&f);
}

/* The set is full after 128 gaps; a gap more is a search in it and a refusal, whether it is the 200th or the 20000th, and one inside the set moves at most
 * all of it once. Filling up costs what a move of the whole set costs, and no more. */
static void v35_a_tiny_segment_costs_no_more_the_more_there_were(void **state)
{
    (void)state;
    COUNT_OR_SKIP();
    struct pl_config c = unchecked(false);
    c.gaps_per_conn_max = 128;
    c.rcvbuf_bytes = 60000;
    remake(&c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_SACK_PERMITTED}});
        struct packet_in front = tiny(&p, 1), back, q;
        uint64_t first = cost(&front);
        for (uint32_t gaps = 0; gaps < 127; gaps++) {
            q = tiny(&p, 3 + 2 * gaps);
            happens(&q);
        }
        within("a byte in front of 127 gaps", cost(&front), first, 200);       /* moves them all by one place */
        happens(&front);
        back = tiny(&p, 1001);
        uint64_t refused = cost(&back);
        within("a byte behind 128 gaps, refused", refused, first, 150);
        for (uint32_t i = 0; i < 20000; i++) {
            q = tiny(&p, 1001 + 2 * (i * 7 % 20000));
            happens(&q);
        }
        within("the 20000th after that", cost(&back), refused, 102);
        forget(&p);
    }
}

/* ---- V32, V33 */

/* What an ACK costs whose four SACK blocks lie as far apart as a queue of `segments` segments allows, so that each is a long search; the sixth in a row. */
static uint64_t sack_over(uint32_t segments, bool v6)
{
    static const char text[48 * 10000];
    struct pl_config c = unchecked(false);
    c.congestion_control = PL_CC_NONE;
    c.sndbuf_bytes = sizeof text;
    c.chunks_max = 2000;
    c.records_max = c.records_per_conn_max = 10000;
    remake(&c);
    struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED | WIRE_OPT_WSCALE, .mss = 48, .wscale = 10}});
    struct forged f = peer_segment(&p, PL_ACK);
    f.wnd = 0xffff;
    (void)victim_give(&v, &f);
    assert_int_equal(pl_send(v.s, p.c, text, 48 * segments), 48 * segments);
    (void)victim_hush(&v);
    assert_int_equal(peer_status(&p).in_flight_bytes, 48 * segments);
    assert_int_equal(v.s->pools.records.used, segments);
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 4};
    for (uint32_t k = 0; k < 4; k++) {
        f.opts.sack[k].lo = f.ack + 48 * (1 + k * (segments - 2) / 3);
        f.opts.sack[k].hi = f.opts.sack[k].lo + 48;
    }
    struct packet_in q = packet(&f);
    for (unsigned n = 0; n < 5; n++)
        happens(&q);
    return cost(&q);
}

/* The search through the queue is bounded, however long it is: SACK_BUDGET in steps/ack.c. */
static void v33_a_sack_costs_no_more_the_longer_the_queue_is(void **state)
{
    (void)state;
    COUNT_OR_SKIP();
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint64_t bounded = sack_over(5000, v6);
        within("four SACK blocks over a long queue", sack_over(10000, v6), bounded, 102);
        within("the bound of that, and 25 for each record that may be looked at", bounded, sack_over(10, v6) + 2048 * 25, 100);
    }
}

/* ---- V45: the hundredth unacceptable segment costs what the first one did, or less, for it is not answered */

static void v45_an_unacceptable_segment_costs_the_same_for_ever(void **state)
{
    static const uint8_t flags[] = {PL_ACK, PL_SYN, PL_RST, PL_SYN | PL_ACK, PL_ACK | PL_FIN | PL_URG | PL_PSH};
    (void)state;
    COUNT_OR_SKIP();
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < COUNT_OF(flags); i++) {
            struct peer p = peer_connects(&v, v6, NULL);
            struct forged f = peer_segment(&p, flags[i]);
            f.seq += flags[i] == PL_RST ? 10 : 0x40000000;
            struct packet_in q = packet(&f);
            uint64_t first = cost(&q);
            for (unsigned n = 0; n < 1000; n++)
                happens(&q);
            within("an unacceptable segment", cost(&q), first, 102);
            forget(&p);
        }
}

/* ---- V46: a SYN when the table is full, refused or answered by a cookie: neither the table's size nor the number of SYNs before it shows */

static uint64_t syn_at_a_full_table(bool cookies, bool v6, uint32_t table, uint32_t syns)
{
    struct pl_config c = unchecked(true);
    c.half_open_max = table;
    c.syn_cookies = cookies;
    remake(&c);
    for (uint32_t n = 0;; n++) {
        struct forged f = {.src = victim_stranger(v6, n, 4000), .dst = victim_endpoint(v6, VICTIM_PORT), .seq = n, .flags = PL_SYN, .wnd = 1000,
                           .opts = {.have = WIRE_OPT_MSS | WIRE_OPT_TIMESTAMPS, .mss = 1460}};
        struct packet_in q = packet(&f);
        if (n == syns) {
            assert_int_equal(v.s->half_opens.used, table);
            return cost(&q);
        }
        happens(&q);
    }
}

static void v46_a_syn_costs_no_more_the_more_there_were(void **state)
{
    (void)state;
    COUNT_OR_SKIP();
    for (unsigned cookies = 0; cookies < 2; cookies++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            const char *what = cookies ? "a SYN, by cookie" : "a SYN that finds no room";
            uint64_t first = syn_at_a_full_table(cookies, v6, 16, 16);
            within(what, syn_at_a_full_table(cookies, v6, 16, 20000), first, 125);
            within(what, syn_at_a_full_table(cookies, v6, 1024, 1024), first, 125);
        }
}

/* ---- V11: fragments that never become a datagram are not kept, so the thousandth costs what the first one did */

static void v11_a_fragment_costs_the_same_for_ever(void **state)
{
    (void)state;
    COUNT_OR_SKIP();
    uint32_t chunks = chunks_free(&v.s->pools.chunks);
    struct forged f = {.src = victim_stranger(false, 1, 9), .dst = victim_endpoint(false, VICTIM_PORT), .flags = PL_SYN, .text_bytes = 8};
    struct packet_in q = packet(&f);
    uint64_t first = 0;
    for (unsigned n = 0; n < 5000; n++) {
        put_be16(q.bytes + 4, (uint16_t)(n / 100));
        put_be16(q.bytes + 6, (uint16_t)(0x2000 | (n * 37 % 8000)));
        wire_ip4_sum_set(q.bytes, 20);
        if (n == 0) first = cost(&q);
        if (n == 4999) within("a fragment", cost(&q), first, 102);
        happens(&q);
    }
    assert_int_equal(chunks_free(&v.s->pools.chunks), chunks);
}

/* ---- V6, V14, V29: options and extension headers: the worst that fits into a packet is a small multiple of the plain one */

static void v29_the_worst_options_cost_little(void **state)
{
    static const struct {
        const char *what;
        uint8_t first[4], rest;
    } rows[] = {{"40 NOPs", {1, 1, 1, 1}, 1}, {"20 options of two bytes", {253, 2, 253, 2}, 0}, {"an option that is too long", {253, 255, 0, 0}, 0},
                {"an option of length 0", {253, 0, 0, 0}, 0}};
    (void)state;
    COUNT_OR_SKIP();
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        struct forged f = peer_segment(&p, PL_ACK);
        f.seq += 0x40000000;              /* so that nothing but the header is looked at */
        struct packet_in plain = packet(&f);
        uint64_t usual = cost(&plain);
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            size_t at = (v6 ? 40 : 20) + 20;
            f.opts = (struct wire_tcp_opts){.have = 0};
            f.text_bytes = 40;
            struct packet_in q = packet(&f);
            for (unsigned k = 0; k < 40; k++)
                q.bytes[at + k] = rows[i].rest ? rows[i].rest : rows[i].first[k % 4];
            q.bytes[at - 8] = 0xf0;
            victim_sum(q.bytes, q.n);
            within(rows[i].what, cost(&q), usual, 300);
        }
        forget(&p);
    }
}

static void v14_the_longest_chain_of_headers_costs_little(void **state)
{
    (void)state;
    COUNT_OR_SKIP();
    struct forged f = {.src = victim_stranger(true, 1, 9), .dst = victim_endpoint(true, VICTIM_PORT), .flags = PL_SYN, .text_bytes = 1300};
    struct packet_in q = packet(&f);
    uint64_t usual = cost(&q);
    for (unsigned at = 40, i = 0; i < 160; i++, at += 8)      /* destination options, each of one PadN */
        memcpy(q.bytes + at, (uint8_t[8]){60, 0, 1, 4, 0, 0, 0, 0}, 8);
    q.bytes[6] = 60;
    within("160 extension headers", cost(&q), usual, 200);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_unchecked, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(v35_a_tiny_segment_costs_no_more_the_more_there_were),
        CASE(v33_a_sack_costs_no_more_the_longer_the_queue_is),
        CASE(v45_an_unacceptable_segment_costs_the_same_for_ever),
        CASE(v46_a_syn_costs_no_more_the_more_there_were),
        CASE(v11_a_fragment_costs_the_same_for_ever),
        CASE(v29_the_worst_options_cost_little),
        CASE(v14_the_longest_chain_of_headers_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
