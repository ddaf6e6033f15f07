/* SPDX-License-Identifier: MIT
 *
 * test_network.c: what links do beyond the first form (test_world.c): jitter, changes, exact queue delays; losses in bursts; boxes in the middle and routers.
 */
#include "support/unit.h"

#include "sim/header.h"
#include "sim/pair.h"
#include "sim/router.h"
#include <stdio.h>

/* ---------------------------------------- a link between two machines that only note ---------------------------------------- */

static struct sim *sim;
static struct { pl_time at; uint8_t first; size_t len; } got[4000];
static unsigned gots;

static int rx(struct sim_node *n, int iface, const struct pl_frame *f, size_t count, pl_time now)
{
    (void)n, (void)iface;
    for (size_t i = 0; i < count && gots < COUNT_OF(got); i++, gots++) {
        got[gots].at = now;
        got[gots].first = *(const uint8_t *)f[i].span[0].base;
        got[gots].len = f[i].span[0].len;
    }
    return 0;
}

static int tx(struct sim_node *n, int iface, struct pl_frame *f, size_t count, pl_time now)
{
    (void)n, (void)iface, (void)f, (void)count, (void)now;
    return 0;
}

static void poll_nothing(struct sim_node *n, pl_time now)
{
    (void)n, (void)now;
}

static pl_time never(const struct sim_node *n)
{
    (void)n;
    return PL_NEVER;
}

static bool no_event(struct sim_node *n, struct pl_event *e)
{
    (void)n, (void)e;
    return false;
}

static const struct sim_node_ops silent = {rx, tx, poll_nothing, never, no_event};

static struct sim_link *world(uint64_t seed, struct sim_link_params p)
{
    sim_free(sim);
    gots = 0;
    sim = sim_new(seed);
    return sim_add_link(sim, &p, sim_add_node(sim, "a", &silent, NULL), 0, sim_add_node(sim, "b", &silent, NULL), 0);
}

static int end(void **x)
{
    (void)x;
    sim_free(sim);
    sim = NULL;
    return 0;
}

static void send(struct sim_link *l, uint8_t first, size_t len)
{
    static uint8_t bytes[3000];
    bytes[0] = first;
    sim_link_send(l, 0, packet_from_bytes(bytes, len), sim->now);
}

static void queue_delay_is_exact_to_the_packet(void **x)
{
    (void)x;
    /* 1250 bytes at 1 Mbit/s: 10 ms each */
    struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000, .delay = 3 * PL_MS, .queue_packets = 5});
    for (unsigned i = 0; i < 8; i++)
        send(l, (uint8_t)i, 1250);
    sim_run_until(sim, 25 * PL_MS);
    send(l, 9, 1250);
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 7);
    static const struct { unsigned at_ms, first; } want[] = {{13, 0}, {23, 1}, {33, 2}, {43, 3}, {53, 4}, {63, 5}, {73, 9}};
    for (unsigned i = 0; i < gots; i++)
        if (got[i].at != want[i].at_ms * PL_MS || got[i].first != want[i].first) fail_msg("frame %u at %llu", got[i].first, (unsigned long long)got[i].at);
    const struct sim_direction *d = &l->dir[0];
    assert_int_equal(d->lost_full, 2);
    assert_int_equal(d->fullest, 5);
    assert_int_equal(d->wait.n, 7);
    assert_int_equal(d->wait.min, 0);
    assert_int_equal(d->wait.max, 50 * PL_MS);
    /* 0 10 20 30 35 40 50; the percentile is at most 3 % above */
    assert_in_range(hist_permille(&d->wait, 500), 30 * PL_MS, 31 * PL_MS);
    assert_in_range(hist_permille(&d->wait, 143), 10 * PL_MS, 10 * PL_MS + PL_MS / 2);
    assert_int_equal(hist_permille(&d->wait, 1000), 50 * PL_MS);
}

static void a_changed_rate_holds_from_the_next_frame(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000});
    for (unsigned i = 0; i < 3; i++)
        send(l, (uint8_t)i, 1250);
    sim_run_until(sim, 15 * PL_MS);
    sim_link_set(l, 0, &(struct sim_link_params){.rate = 500000, .delay = PL_MS});
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(got[0].at, 10 * PL_MS);
    assert_int_equal(got[1].at, 20 * PL_MS);           /* was under way */
    assert_int_equal(got[2].at, 41 * PL_MS);           /* 20 ms at the new rate, and the new delay */
}

static void a_frame_that_may_not_leave_yet_stands_in_nobodys_way(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000, .queue_packets = 1});
    struct packet *p = packet_from_bytes((const uint8_t[125]){108}, 125);
    p->not_before = 50 * PL_MS;
    sim_link_send(l, 0, p, 0);
    send(l, 1, 125);
    send(l, 2, 125);
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 3);
    assert_int_equal(got[0].at, PL_MS);
    assert_int_equal(got[1].at, 2 * PL_MS);
    assert_int_equal(got[2].at, 51 * PL_MS);
    assert_int_equal(got[2].first, 'l');
}

static void jitter_keeps_the_order_unless_told_otherwise(void **x)
{
    (void)x;
    for (unsigned reorders = 0; reorders < 2; reorders++) {
        struct sim_link *l = world(3, (struct sim_link_params){.delay = 10 * PL_MS, .jitter = 5 * PL_MS, .jitter_reorders = reorders});
        for (unsigned i = 0; i < 250; i++) {
            send(l, (uint8_t)i, 100);
            sim_run_until(sim, (i + 1) * PL_MS);
        }
        sim_run_idle(sim, PL_NEVER);
        assert_int_equal(gots, 250);
        unsigned back = 0, late = 0;
        for (unsigned i = 0; i < gots; i++) {
            pl_time under_way = got[i].at - got[i].first * PL_MS;
            assert_in_range(under_way, 10 * PL_MS, 15 * PL_MS);
            late += under_way > 12500 * PL_US;
            back += i && got[i].first < got[i - 1].first;
        }
        if (reorders) assert_true(back > 20);
        else assert_int_equal(back, 0);
        if (reorders) assert_in_range(late, 100, 150);
    }
}

static void a_shorter_delay_does_not_reorder(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 100 * PL_MS});
    send(l, 1, 100);
    sim_run_until(sim, 50 * PL_MS);
    sim_link_set(l, 0, &(struct sim_link_params){.delay = 10 * PL_MS});
    send(l, 2, 100);
    sim_run_until(sim, 95 * PL_MS);
    send(l, 3, 100);
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(got[0].first, 1);
    assert_int_equal(got[1].first, 2);
    assert_int_equal(got[1].at, 100 * PL_MS);
    assert_int_equal(got[2].at, 105 * PL_MS);
}

static void codel_on_a_link_keeps_the_wait_short(void **x)
{
    (void)x;
    for (unsigned aqm = 0; aqm < 2; aqm++) {
        struct sim_link *l = world(1, (struct sim_link_params){.rate = 10000000, .queue_packets = 1000, .queue = aqm ? SIM_CODEL : SIM_DROP_TAIL, .mtu = 1500});
        /* 20 % more than the link takes, for ten seconds */
        for (unsigned i = 0; i < 10000; i++) {
            send(l, 0, 1500);
            sim_run_until(sim, sim->now + PL_MS);
        }
        sim_run_idle(sim, PL_NEVER);
        const struct sim_direction *d = &l->dir[0];
        assert_int_equal(d->frames, 10000);
        assert_int_equal(d->delivered + d->lost, 10000);
        assert_int_equal(aqm ? d->lost_full : d->lost_codel, 0);
        if (aqm) assert_true(d->lost_codel > 1000);
        pl_time median = hist_permille(&d->wait, 500);
        if (aqm) assert_in_range(median, 0, 300 * PL_MS);
        else assert_in_range(median, 500 * PL_MS, 1300 * PL_MS);
    }
}

static void a_queue_of_bytes_holds_exactly_these(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000, .queue_bytes = 2500});
    for (unsigned i = 0; i < 3; i++)
        send(l, (uint8_t)i, 1250);
    assert_int_equal(l->dir[0].lost_full, 0);
    send(l, 3, 1);
    assert_int_equal(l->dir[0].lost_full, 1);
}

static void a_super_frame_is_as_large_as_its_segments(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.mtu = 1500, .ethernet = true});
    for (unsigned more = 0; more < 2; more++) {
        struct packet *p = packet_from_bytes((const uint8_t[2974]){0}, 2974);
        p->hdr_len = 54, p->gso_segs = 2, p->gso_size = (uint16_t)(1460 + more);
        sim_link_send(l, 0, p, sim->now);
        assert_int_equal(l->dir[0].lost_mtu, more);
    }
}

static void jitter_has_both_its_ends(void **x)
{
    (void)x;
    struct sim_link *l = world(3, (struct sim_link_params){.delay = 10, .jitter = 1, .jitter_reorders = true});
    unsigned late = 0;
    for (unsigned i = 0; i < 100; i++)
        send(l, 0, 1);
    sim_run_idle(sim, PL_NEVER);
    for (unsigned i = 0; i < gots; i++)
        late += got[i].at == 11;
    assert_in_range(late, 30, 70);
}

static pl_time first_deed;                             /* of CoDel */

static void note_codel(void *user, const struct sim_tap_event *e)
{
    (void)user;
    if (e->why && strstr(e->why, "CoDel") && !first_deed) first_deed = e->now;
}

static void send_ecn(struct sim_link *l, uint8_t ecn)
{
    sim_link_send(l, 0, packet_from_bytes((const uint8_t[1500]){0x45, ecn}, 1500), sim->now);
}

static void codel_on_a_link_has_the_link_s_settings(void **x)
{
    (void)x;
    for (unsigned ecn = 0; ecn < 2; ecn++) {
        /* A frame leaves each millisecond, the nth after waiting n; over 20 ms from 20 ms on, and 50 ms later that was so for an interval. */
        struct sim_link *l = world(1, (struct sim_link_params){.rate = 12000000, .queue = SIM_CODEL, .codel_target = 20 * PL_MS, .codel_interval = 50 * PL_MS, .ecn = ecn});
        first_deed = 0;
        sim_tap(sim, note_codel, NULL);
        for (unsigned i = 0; i < 200; i++)
            send_ecn(l, HEADER_ECT0);
        sim_run_idle(sim, PL_NEVER);
        assert_int_equal(first_deed, 70 * PL_MS);
        assert_true((ecn ? l->dir[0].marked : l->dir[0].lost_codel) > 1);
        assert_int_equal(ecn ? l->dir[0].lost_codel : l->dir[0].marked, 0);
    }
}

static void codel_on_a_link_lets_one_frame_of_the_mtu_wait(void **x)
{
    (void)x;
    /* 12 ms a frame: each waits for longer than the target, but behind it is one only; with one more, two. */
    for (unsigned more = 0; more < 2; more++) {
        struct sim_link *l = world(1, (struct sim_link_params){.rate = 1000000, .queue = SIM_CODEL, .mtu = 1500});
        for (unsigned i = 0; i < 2 + more; i++)
            send_ecn(l, 0);
        for (unsigned i = 0; i < 40; i++) {
            sim_run_until(sim, (12 * i + 1) * PL_MS);
            send_ecn(l, 0);
        }
        sim_run_idle(sim, PL_NEVER);
        if (more) assert_true(l->dir[0].lost_codel > 0);
        else assert_int_equal(l->dir[0].lost_codel, 0);
    }
}

static void a_mark_on_the_way_is_counted(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 1});
    impair_add(sim_link_impair(l, 0), &(struct impair_rule){.kind = IMPAIR_MARK});
    send_ecn(l, HEADER_ECT0);
    send_ecn(l, HEADER_NOT_ECT);
    assert_int_equal(l->dir[0].marked, 1);
}

static void each_direction_throws_its_own_dice(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 1});
    uint64_t lost[2] = {0, 0};
    for (unsigned side = 0; side < 2; side++)
        impair_loss(sim_link_impair(l, side), 500000);
    for (unsigned i = 0; i < 64; i++)
        for (unsigned side = 0; side < 2; side++) {
            uint64_t before = l->dir[side].lost_way;
            sim_link_send(l, side, packet_from_bytes("x", 1), sim->now);
            lost[side] |= (l->dir[side].lost_way - before) << i;
        }
    assert_true(lost[0] != lost[1]);
}

/* ---------------------------------------- losses in bursts ---------------------------------------- */

struct tally { unsigned lost, bursts; };

static struct tally burst_run(uint64_t seed, struct impair_rule rule, unsigned n)
{
    struct impair im;
    struct impair_list list = {0};
    struct tally t = {0};
    bool before = false;
    impair_init(&im, seed);
    impair_add(&im, &rule);
    for (unsigned i = 0; i < n; i++) {
        impair_push(&im, packet_from_bytes("x", 1), 0, &list);
        bool lost = list.n == 0;
        t.lost += lost;
        t.bursts += lost && !before;
        before = lost;
        for (size_t k = 0; k < list.n; k++)
            packet_free(list.out[k].packet);
        impair_list_clear(&list);
    }
    impair_list_free(&list);
    impair_free(&im);
    return t;
}

static void bursts_have_their_share_and_length(void **x)
{
    (void)x;
    /* Gilbert: in the bad state for enter / (enter + leave) = 1/26 of the time, 1 / leave = 4 frames long on average. */
    struct tally t = burst_run(7, (struct impair_rule){.kind = IMPAIR_DROP, .burst_enter = 10000, .burst_leave = 250000, .burst_bad = 1000000}, 1000000);
    assert_in_range(t.lost, 38461 - 800, 38461 + 800);
    assert_in_range(t.lost * 100 / t.bursts, 390, 410);
    /* Elliott: 1 % lost in the good state, half in the bad one: 25/26 * 1 % + 1/26 * 50 % */
    t = burst_run(7, (struct impair_rule){.kind = IMPAIR_DROP, .burst_enter = 10000, .burst_leave = 250000, .burst_bad = 500000, .burst_good = 10000}, 1000000);
    assert_in_range(t.lost, 28846 - 600, 28846 + 600);
    /* the same seed, the same frames; another, others */
    struct impair_rule rule = {.kind = IMPAIR_DROP, .burst_enter = 10000, .burst_leave = 250000, .burst_bad = 1000000};
    struct tally one = burst_run(1, rule, 10000), again = burst_run(1, rule, 10000), other = burst_run(2, rule, 10000);
    assert_memory_equal(&one, &again, sizeof one);
    assert_memory_not_equal(&one, &other, sizeof one);
}

static void a_rule_has_its_time(void **x)
{
    (void)x;
    struct sim_link *l = world(1, (struct sim_link_params){.delay = 1});
    impair_add(sim_link_impair(l, 0), &(struct impair_rule){.kind = IMPAIR_DROP, .from = 10, .until = 20});
    for (pl_time t = 0; t < 30; t++) {
        sim_run_until(sim, t);
        send(l, (uint8_t)t, 1);
    }
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 20);
    assert_int_equal(got[9].first, 9);
    assert_int_equal(got[10].first, 20);
}

/* ---------------------------------------- boxes in the middle ---------------------------------------- */

static uint16_t sum_of(const uint8_t *p, size_t n)
{
    uint32_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

static void ecn_is_marked_and_bleached_with_the_sum_kept_right(void **x)
{
    (void)x;
    uint8_t four[20] = {0x45, 0x02, 0, 20, 1, 2, 3, 4, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, six[40] = {0x60, 0x20};
    uint16_t sum = (uint16_t)~sum_of(four, 20);
    four[10] = (uint8_t)(sum >> 8), four[11] = (uint8_t)sum;
    struct packet *p = packet_from_bytes(four, 20), *q = packet_from_bytes(six, 40), *cut = packet_from_bytes(four, 19);
    assert_int_equal(header_ecn(p, false), HEADER_ECT0);
    assert_true(header_mark(p, false));
    assert_int_equal(header_ecn(p, false), HEADER_CE);
    assert_int_equal(sum_of(p->bytes, 20), 0xffff);
    assert_true(header_bleach(p, false));
    assert_int_equal(header_ecn(p, false), HEADER_NOT_ECT);
    assert_int_equal(sum_of(p->bytes, 20), 0xffff);
    assert_false(header_mark(p, false));               /* not of an ECN-capable transport */
    assert_false(header_bleach(p, false));
    assert_true(header_mark(q, false));
    assert_int_equal(q->bytes[1], 0x30);
    assert_int_equal(header_ecn(cut, false), -1);
    assert_false(header_mark(cut, false));
    packet_free(p), packet_free(q), packet_free(cut);
}

static void stripped_options_are_missed_by_the_peer(void **x)
{
    (void)x;
    struct pair p;
    struct pair_opts o;
    for (unsigned family = 0; family < 4; family++) {
        pair_opts_default(&o);
        o.v6 = family & 1;
        o.hosts.link.ethernet = family >> 1;
        assert_int_equal(pair_init(&p, &o), 0);
        struct impair_rule *r = impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_STRIP, .options = HEADER_SACK_OK | HEADER_WSCALE});
        assert_int_equal(pair_listen(&p, 80, plan_echo()), 0);
        assert_non_null(pair_connect(&p, 80, plan_source(1000, 1)));
        assert_int_equal(pair_run(&p), SIM_IDLE);
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 1000));
        assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_CHECKSUM), 0);
        unsigned i = 0;
        while (p.segment[i].flags != (PL_SYN | PL_ACK))
            i++;
        assert_int_equal(p.segment[i].seg.opts, HEADER_MSS | HEADER_TIMESTAMPS);
        assert_true(r->hit >= 1);
        pair_free(&p);
    }
}

static void match_kinds_tell_text_acks_and_syns_apart(void **x)
{
    (void)x;
    struct pair p;
    uint64_t hit[4];
    assert_int_equal(pair_init(&p, NULL), 0);
    struct match_kind kind[4] = {{MATCH_DATA, false}, {MATCH_ACK, false}, {MATCH_SYN, false}, {MATCH_ICMP, false}};
    struct impair_rule *r[4];
    for (unsigned i = 0; i < 4; i++)
        r[i] = impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DELAY, .match = match_kind, .match_user = &kind[i]});
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    assert_non_null(pair_connect(&p, 80, plan_hold()));
    assert_true(pair_run_to_state(&p, PAIR_SERVER, PL_ESTABLISHED, PL_S));
    program_send_pattern(pair_conn(&p, PAIR_CLIENT, 0), 7);
    pair_run_for(&p, PL_S);
    for (unsigned i = 0; i < 4; i++)
        hit[i] = r[i]->hit;
    assert_int_equal(hit[0], 1);
    assert_int_equal(hit[1], 1);
    assert_int_equal(hit[2], 1);
    assert_int_equal(hit[3], 0);
    pair_free(&p);
}

static bool is_kind(int kind, const uint8_t *b, size_t n)
{
    struct match_kind m = {.ethernet = false};
    m.kind = (unsigned)kind;
    struct packet *p = packet_from_bytes(b, n);
    bool is = match_kind(&m, p);
    packet_free(p);
    return is;
}

static void bare_acks_and_icmp_are_nothing_else(void **x)
{
    (void)x;
    static const struct { uint8_t flags; bool ack, syn; } of[] = {
        {0x10, true, false}, {0x18, true, false}, {0x12, false, true}, {0x11, false, false}, {0x14, false, false}, {0x02, false, true}};
    for (size_t i = 0; i < COUNT_OF(of); i++) {
        uint8_t b[40] = {0x45, 0, 0, 40, [9] = 6, [32] = 0x50, of[i].flags};
        assert_int_equal(is_kind(MATCH_ACK, b, 40), of[i].ack);
        assert_int_equal(is_kind(MATCH_SYN, b, 40), of[i].syn);
        assert_false(is_kind(MATCH_DATA, b, 40));
    }
    /* Neighbour Discovery goes through where ICMP does not: without it nothing would (RFC 4890 4.3.1). */
    for (unsigned type = 1; type < 140; type++) {
        uint8_t b[48] = {0x60, [6] = 58, [40] = (uint8_t)type};
        assert_int_equal(is_kind(MATCH_ICMP, b, 48), type < 133 || type > 137);
    }
}

/* ---------------------------------------- a router ---------------------------------------- */

static struct packet *datagram(unsigned from, unsigned to, size_t len, uint8_t hops, bool dont_fragment)
{
    uint8_t b[2000] = {0x45, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, dont_fragment ? 0x40 : 0, 0, hops, 17, 0, 0, 10, 0, 0, (uint8_t)from, 10, 0, 0, (uint8_t)to};
    uint16_t sum = (uint16_t)~sum_of(b, 20);
    b[10] = (uint8_t)(sum >> 8), b[11] = (uint8_t)sum;
    return packet_from_bytes(b, len);
}

static uint8_t last_frame[60];

static void keep_last(void *user, const struct sim_tap_event *e)
{
    (void)user;
    if (e->fate == SIM_ARRIVING && e->packet->len >= sizeof last_frame) memcpy(last_frame, e->packet->bytes, sizeof last_frame);
}

static void a_router_passes_on_and_says_what_is_too_large(void **x)
{
    (void)x;
    struct router r;
    sim_free(sim);
    gots = 0;
    sim = sim_new(1);
    router_init(&r, 1);
    r.way[1] = 0, r.way[2] = 1;
    struct sim_node *a = sim_add_node(sim, "a", &silent, NULL), *m = sim_add_node(sim, "r", &router_ops, &r), *b = sim_add_node(sim, "b", &silent, NULL);
    struct sim_link *left = sim_add_link(sim, &(struct sim_link_params){.delay = 5}, a, 0, m, 0);
    sim_add_link(sim, &(struct sim_link_params){.delay = 7, .mtu = 1000}, m, 1, b, 0);
    sim_link_send(left, 0, datagram(1, 2, 1000, 64, true), 0);
    sim_link_send(left, 0, datagram(1, 2, 1001, 64, true), 0);     /* answered */
    sim_link_send(left, 0, datagram(1, 2, 1001, 64, false), 0);    /* lost */
    sim_link_send(left, 0, datagram(1, 2, 100, 1, true), 0);       /* at its last hop */
    sim_link_send(left, 0, datagram(1, 3, 100, 64, true), 0);      /* to nobody */
    sim_link_send(left, 0, packet_from_bytes("\x45", 1), 0);       /* no packet at all */
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 2);
    assert_int_equal(got[0].at, 10);                   /* the error, back over 5 ns */
    assert_int_equal(got[0].len, 28 + 548);
    assert_int_equal(got[1].at, 12);
    assert_int_equal(got[1].len, 1000);
    assert_int_equal(r.forwarded, 2);
    assert_int_equal(r.too_large, 2);
    assert_int_equal(r.hops_ended, 1);
    assert_int_equal(r.no_way, 2);
}

static void a_router_says_the_mtu_in_both_families_and_nothing_about_errors(void **x)
{
    (void)x;
    struct router r;
    sim_free(sim);
    gots = 0;
    sim = sim_new(1);
    router_init(&r, 1);
    r.way[1] = 0, r.way[2] = 1;
    struct sim_node *a = sim_add_node(sim, "a", &silent, NULL), *m = sim_add_node(sim, "r", &router_ops, &r), *b = sim_add_node(sim, "b", &silent, NULL);
    struct sim_link *left = sim_add_link(sim, &(struct sim_link_params){.delay = 5}, a, 0, m, 0);
    sim_add_link(sim, &(struct sim_link_params){.delay = 7, .mtu = 1400}, m, 1, b, 0);
    uint8_t six[1500] = {0x60, [4] = 1460 >> 8, 1460 & 255, 6, 64, [8] = 0xfd, [23] = 1, [24] = 0xfd, [39] = 2};
    sim_tap(sim, keep_last, NULL);
    sim_link_send(left, 0, packet_from_bytes(six, sizeof six), 0);
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 1);
    assert_int_equal(last_frame[40], 2);
    assert_int_equal(last_frame[46] << 8 | last_frame[47], 1400);
    six[6] = 58, six[40] = 1;
    sim_link_send(left, 0, packet_from_bytes(six, sizeof six), sim->now);
    sim_run_idle(sim, PL_NEVER);
    assert_int_equal(gots, 1);
    assert_int_equal(r.too_large, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {
        T(queue_delay_is_exact_to_the_packet),
        T(a_changed_rate_holds_from_the_next_frame),
        T(a_frame_that_may_not_leave_yet_stands_in_nobodys_way),
        T(jitter_keeps_the_order_unless_told_otherwise),
        T(a_shorter_delay_does_not_reorder),
        T(codel_on_a_link_keeps_the_wait_short),
        T(a_queue_of_bytes_holds_exactly_these),
        T(a_super_frame_is_as_large_as_its_segments),
        T(jitter_has_both_its_ends),
        T(codel_on_a_link_has_the_link_s_settings),
        T(codel_on_a_link_lets_one_frame_of_the_mtu_wait),
        T(a_mark_on_the_way_is_counted),
        T(each_direction_throws_its_own_dice),
        T(bare_acks_and_icmp_are_nothing_else),
        T(a_router_says_the_mtu_in_both_families_and_nothing_about_errors),
        T(bursts_have_their_share_and_length),
        T(a_rule_has_its_time),
        T(ecn_is_marked_and_bleached_with_the_sum_kept_right),
        T(stripped_options_are_missed_by_the_peer),
        T(match_kinds_tell_text_acks_and_syns_apart),
        T(a_router_passes_on_and_says_what_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
