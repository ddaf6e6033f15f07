/* SPDX-License-Identifier: MIT
 * TIME-LIMIT: 180 s
 *
 * m14_delivery.c: mission M14: data arrives complete, in order, once, whatever the channel loses, repeats, reorders, delays or corrupts;
 * through buffers of one byte, windows that close, and segments of any size. RFC 9293 3.7, 3.8; RFC 6298; RFC 5681.
 */
#include "mission/mission.h"

enum { LOSE = 1, REPEAT = 2, REORDER = 4, DELAY = 8, CORRUPT = 16 };
#define PERCENT 10000

static void spoil(struct impair *i, unsigned how)
{
    static const struct { unsigned bit; struct impair_rule rule; } rules[] = {
        {LOSE, {.kind = IMPAIR_DROP, .per_million = 3 * PERCENT}},
        {REPEAT, {.kind = IMPAIR_DUPLICATE, .per_million = 5 * PERCENT, .copies = 2, .delay = 3 * PL_MS}},
        {REORDER, {.kind = IMPAIR_REORDER, .per_million = 5 * PERCENT, .behind = 4, .delay = 30 * PL_MS}},
        {DELAY, {.kind = IMPAIR_DELAY, .per_million = 5 * PERCENT, .delay = 25 * PL_MS}},
        {CORRUPT, {.kind = IMPAIR_CORRUPT, .per_million = 3 * PERCENT, .bit = IMPAIR_ANY_BIT}},
    };
    for (size_t k = 0; k < COUNT_OF(rules); k++)
        if (how & rules[k].bit) assert_non_null(impair_add(i, &rules[k].rule));
}

/* A transfer both ways, from handshake to CLOSED on both sides, through a channel that is as bad both ways. */
static void both_ways(void **state, unsigned how, uint64_t seed, uint64_t bytes, mission_configure *configure, void *user)
{
    struct program_plan client = plan_source(bytes, seed), server = plan_source(bytes + 12345, seed + 1000);
    struct pair_opts o;
    struct pair p;
    client.verify = server.verify = true;
    client.expect_salt = server.salt;
    server.expect_salt = client.salt;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.seed = seed;
    o.isn[0] = o.isn[1] = -1;
    o.configure = configure;
    o.user = user;
    assert_int_equal(pair_init(&p, &o), 0);
    assert_int_equal(pair_listen(&p, 80, server), 0);
    struct program_conn *c = pair_connect(&p, 80, client);
    spoil(pair_impair(&p, PAIR_CLIENT), how);
    spoil(pair_impair(&p, PAIR_SERVER), how);
    enum sim_end end = pair_run(&p);
    if (end != SIM_IDLE) fprintf(stderr, "how %#x, seed %" PRIu64 ": %s\n", how, seed,
        sim_failure(p.sim) ? sim_failure(p.sim) : "not over after an hour");
    assert_int_equal(end, SIM_IDLE);
    bool whole = pair_received(c, bytes + 12345) && pair_received(pair_conn(&p, PAIR_SERVER, 0), bytes);
    if (!whole) fprintf(stderr, "how %#x, seed %" PRIu64 "\n", how, seed);
    assert_true(whole);
    assert_int_equal(p.program[PAIR_SERVER]->conns, 1);
    mission_assert_clean(&p, PAIR_CLIENT);
    mission_assert_clean(&p, PAIR_SERVER);
    size_t hurt = 0;
    for (size_t i = 0; i < p.segments; i++)
        hurt += p.segment[i].fate == PAIR_LOST || p.segment[i].copies || p.segment[i].delayed || p.segment[i].corrupted;
    assert_true(how == 0 || bytes < 400000 || hurt > 10);
    pair_free(&p);
}

#define SEEDS 3
static void whatever(void **state, unsigned how, uint64_t bytes)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        both_ways(state, how, seed, bytes, NULL, NULL);
}

static void complete_in_order_once_over_a_good_channel(void **state) { whatever(state, 0, 4000000); }
static void whatever_the_channel_loses(void **state) { whatever(state, LOSE, 1000000); }
static void whatever_the_channel_repeats(void **state) { whatever(state, REPEAT, 1000000); }
static void whatever_the_channel_reorders(void **state) { whatever(state, REORDER, 1000000); }
static void whatever_the_channel_delays(void **state) { whatever(state, DELAY, 1000000); }
static void whatever_the_channel_corrupts(void **state) { whatever(state, CORRUPT, 1000000); }
static void whatever_it_does_all_at_once(void **state) { whatever(state, LOSE | REPEAT | REORDER | DELAY | CORRUPT, 400000); }

static void a_channel_that_loses_every_third_frame(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    for (unsigned i = 0; i < 2; i++)
        assert_non_null(impair_loss(pair_impair(&p, (enum pair_side)i), 33 * PERCENT));
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_source(30000, 1));
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 30000));
    assert_int_equal(c->error, 0);
    pair_free(&p);
}

/* -------------------- small things -------------------- */

struct buffers {
    uint32_t snd, rcv;
};

static void with_buffers(struct pl_config *c, enum pair_side side, void *user)
{
    const struct buffers *b = user;
    (void)side;
    c->sndbuf_bytes = b->snd;
    c->rcvbuf_bytes = b->rcv;
    c->sndbuf_max = c->rcvbuf_max = 0;
}

static void through_buffers_of_any_size(void **state)
{
    static const struct { struct buffers b; uint64_t bytes; } rows[] = {
        {{1, 1}, 300}, {{1, 100000}, 300}, {{100000, 1}, 300}, {{2, 3}, 300}, {{100, 99}, 20000}, {{1460, 1461}, 100000},
        {{65535, 65536}, 300000},
        {{65536, 131071}, 300000}, {{100000, 3000}, 100000}, {{3000, 100000}, 100000},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buffers b = rows[i].b;
        both_ways(state, 0, i + 1, rows[i].bytes, with_buffers, &b);
        both_ways(state, LOSE | REORDER, i + 1, rows[i].bytes + 2000, with_buffers, &b);
    }
}

static void in_writes_of_one_byte(void **state)
{
    struct program_plan client = plan_source(5000, 1);
    struct pair p;
    client.write_bytes = 1;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, client));
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 5000));
    pair_free(&p);
}

static void in_segments_of_48_bytes(void **state)
{
    static const uint8_t option[4] = {2, 4, 0, 48};
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, (struct program_plan){.send_bytes = 2000, .salt = 1}), 0);
    mission_forge_options(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 100, 0, 60000, NULL, 0}, option, 4, 1 * PL_MS);
    uint8_t got[2000] = {0};
    uint32_t have = 0;
    struct pair_forged ack = {5000, 80, PL_ACK, 101, 1, 60000, NULL, 0};
    for (unsigned round = 0; round < 500 && have < 2000; round++) {
        size_t from = p.segments;
        pair_forge(&p, PAIR_CLIENT, &ack, p.sim->now + 2 * PL_MS);
        RUN_FOR(&p, 3 * PL_MS);
        for (size_t i = from; i < p.segments; i++) {
            const struct pair_segment *t = &p.segment[i];
            if (t->from != PAIR_SERVER || !t->len || t->seq != have + 1) continue;
            assert_true(t->len <= 48 && have + t->len <= 2000);
            memcpy(got + have, t->frame + t->frame_bytes - t->len, t->len);
            have += t->len;
        }
        ack.ack = have + 1;
    }
    assert_int_equal(have, 2000);
    for (uint32_t i = 0; i < have; i++)
        assert_int_equal(got[i], pattern_byte(1, i));
    pair_free(&p);
}

static void in_the_smallest_packets_of_each_family(void **state)
{
    struct pair_opts o;
    struct pair p;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.hosts.link.mtu = SIX(state) ? 1280 : 576;
    if (!o.v6) memset(o.hosts.v6, 0, sizeof o.hosts.v6);
    assert_int_equal(pair_init(&p, &o), 0);
    spoil(pair_impair(&p, PAIR_CLIENT), LOSE | REORDER);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, plan_source(300000, 1)));
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 300000));
    pair_free(&p);
}

static void over_a_slow_link_with_a_short_queue(void **state)
{
    struct pair_opts o;
    struct pair p;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.hosts.link.rate = 2000000;
    o.hosts.link.queue_packets = 8;
    assert_int_equal(pair_init(&p, &o), 0);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, plan_source(1000000, 1)));
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 1000000));
    assert_true(pair_conn(&p, PAIR_SERVER, 0)->over_at < 60 * PL_S);   /* 4.2 s at the link's rate */
    pair_free(&p);
}

static void with_super_frames_and_offload(void **state)
{
    for (unsigned lossy = 0; lossy < 2; lossy++) {
        struct pair_opts o;
        struct pair p;
        pair_opts_default(&o);
        o.v6 = SIX(state);
        o.hosts.gso_bytes = 65535;
        o.hosts.csum_offload = true;
        assert_int_equal(pair_init(&p, &o), 0);
        if (lossy) spoil(pair_impair(&p, PAIR_CLIENT), LOSE | REORDER | REPEAT);
        assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
        assert_non_null(pair_connect(&p, 80, plan_source(3000000, 1)));
        RUN(&p);
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 3000000));
        unsigned super = 0;
        for (size_t i = 0; i < p.segments; i++)
            super += p.segment[i].seg.segs > 1;
        assert_true(super > 10);
        pair_free(&p);
    }
}

static void over_ethernet_with_its_neighbours_to_be_found_first(void **state)
{
    struct pair_opts o;
    struct pair p;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.hosts.link.ethernet = true;
    assert_int_equal(pair_init(&p, &o), 0);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, plan_source(300000, 1)));
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 300000));
    pair_free(&p);
}

/* -------------------- windows that close -------------------- */

static void rcv_10000(struct pl_config *c, enum pair_side side, void *user)
{
    (void)user;
    if (side == PAIR_SERVER) c->rcvbuf_bytes = c->rcvbuf_max = 10000;
}

/* The server's program does not read; the client has more than the window takes. Returns with the window closed. */
static struct program_conn *closed_window(struct pair *p, void **state, struct program_conn **server)
{
    mission_start(p, state, rcv_10000, NULL);
    struct program_conn *c = mission_establish(p, server);
    (*server)->plan.paused = true;
    (*server)->plan.verify = true;
    (*server)->plan.expect_salt = c->plan.salt = 6;
    assert_int_equal(program_send_pattern(c, 30000), 30000);
    RUN_FOR(p, 1 * PL_S);                                              /* the last scrap of the window goes by the override time-out */
    assert_int_equal(mission_last(p, PAIR_SERVER)->win, 0);
    assert_int_equal(mission_last(p, PAIR_SERVER)->ack, 10001);
    EXPECT(p, "*\n");
    return c;
}

static void a_closed_window_is_probed_with_growing_pauses_for_hours_and_data_goes_on_then(void **state)
{
    struct pair p;
    struct program_conn *s, *c = closed_window(&p, state, &s);
    RUN_FOR(&p, 3600 * PL_S);
    const struct pair_segment *last = NULL;
    pl_time pause = 0;
    unsigned probes = 0;
    for (size_t i = 3; i < p.segments; i++) {
        const struct pair_segment *t = &p.segment[i];
        if (t->why != PL_WHY_PROBE_ZERO_WINDOW) continue;
        assert_int_equal(t->from, PAIR_CLIENT);
        assert_int_equal(t->seq, 10000);                               /* SND.UNA - 1 */
        assert_int_equal(t->len, 0);
        if (last) {
            pl_time now = t->sent - last->sent;
            assert_true(pause == 0 || now == (2 * pause < 120 * PL_S ? 2 * pause : 120 * PL_S));      /* SHLD-30 */
            pause = now;
        }
        last = t;
        probes++;
    }
    assert_true(probes > 30 && pause == 120 * PL_S);
    assert_int_equal(c->error, 0);                                     /* MUST-37: as long as the peer answers, it stays */
    assert_int_equal(mission_status(c).state, PL_ESTABLISHED);
    assert_int_equal(mission_status(s).rcvbuf_used, 10000);
    EXPECT(&p, "*\n");
    s->plan.paused = false;
    program_pump(s);
    RUN_FOR(&p, 200 * PL_MS);
    assert_int_equal(s->received, 30000);
    assert_false(s->mismatch);
    EXPECT(&p, "S> ACK ack=10001 win=10000 why=WINDOW_UPDATE\n *\n");
    assert_int_equal(mission_status(c).retransmits, 0);
    pair_free(&p);
}

static void a_lost_window_update_is_found_by_the_next_probe(void **state)
{
    struct pair p;
    struct program_conn *s, *c = closed_window(&p, state, &s);
    RUN_FOR(&p, 5 * PL_S);
    EXPECT(&p, "*\n");
    impair_drop_nth(pair_impair(&p, PAIR_SERVER), 1);
    s->plan.paused = false;
    program_pump(s);
    RUN_FOR(&p, 60 * PL_S);
    EXPECT(&p, "S> ACK ack=10001 win=10000 lost why=WINDOW_UPDATE\n"
               "C> ACK seq=10000 len=0 why=PROBE_ZERO_WINDOW\n"
               "S> ACK ack=10001 win=10000\n"
               "*\n");
    assert_int_equal(s->received, 30000);
    assert_false(s->mismatch);
    assert_int_equal(c->error, 0);
    pair_free(&p);
}

static void a_fin_waits_behind_a_closed_window_too(void **state)
{
    struct pair p;
    struct program_conn *s, *c = closed_window(&p, state, &s);
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 600 * PL_S);
    assert_false(s->peer_finished);
    assert_int_equal(mission_status(c).state, PL_FIN_WAIT_1);
    s->plan.paused = false;
    program_pump(s);
    RUN_FOR(&p, 1 * PL_S);
    assert_true(pair_received(s, 30000));
    assert_int_equal(mission_status(s).state, PL_CLOSE_WAIT);
    pair_free(&p);
}

static void the_closed_side_still_takes_acks_and_resets(void **state)
{
    struct pair p;
    struct program_conn *s, *c = closed_window(&p, state, &s);
    c->plan.verify = true;
    s->plan.salt = c->plan.expect_salt = 8;
    assert_int_equal(program_send_pattern(s, 5000), 5000);             /* MUST-66: its peer's ACKs come through a window of zero */
    RUN_FOR(&p, 1 * PL_S);
    assert_int_equal(c->received, 5000);
    assert_int_equal(mission_status(s).snd.una, 5001);
    assert_int_equal(mission_status(s).retransmits, 0);
    c->plan.keep_handle = s->plan.keep_handle = true;
    assert_int_equal(program_abort(c), 0);
    RUN_FOR(&p, 1 * PL_S);
    assert_int_equal(pl_error(STACK(s), s->handle), PL_ECONNRESET);
    pair_free(&p);
}

static void a_slow_reader_gets_no_silly_segments(void **state)
{
    struct pair p;
    struct program_conn *s, *c = closed_window(&p, state, &s);
    uint32_t mss = mission_status(c).mss, read = 0;
    uint8_t got[100];
    size_t from = p.segments;
    while (read < 20000) {                                             /* 100 bytes every 50 ms */
        ptrdiff_t n = pl_recv(STACK(s), s->handle, got, sizeof got);
        assert_true(n > 0);
        for (ptrdiff_t i = 0; i < n; i++)
            assert_int_equal(got[i], pattern_byte(6, read + (uint32_t)i));
        read += (uint32_t)n;
        RUN_FOR(&p, 50 * PL_MS);
    }
    /* Full segments, or what the sender's override time-out lets go (0.1 to 1 s, 3.8.6.2.1); offers of a segment and more. */
    pl_time data_at = 0;
    for (size_t i = from; i < p.segments; i++) {
        const struct pair_segment *t = &p.segment[i];
        if (t->from == PAIR_CLIENT && t->len) {
            assert_true(t->len == mss || t->seq + t->len == 30001 || t->sent - data_at >= 200 * PL_MS);
            data_at = t->sent;
        }
        if (t->why == PL_WHY_WINDOW_UPDATE) assert_true(t->win >= mss);
    }
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_NO_CHUNK), 0);
    pair_free(&p);
}

/* The window that was promised is there to the last byte, however many ACKs told of it. */
static void a_reader_that_stands_still_is_filled_to_its_window_and_no_further(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan.paused = true;
    c->plan.send_bytes = 3000000;
    program_pump(c);
    RUN_FOR(&p, 3600 * PL_S);
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_NO_CHUNK), 0);
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_OUTSIDE_WINDOW), 0);
    assert_int_equal(mission_last(&p, PAIR_SERVER)->win, 0);
    assert_true(mission_status(s).rcvbuf_used <= 1048576 && mission_status(s).rcvbuf_used > 1048576 - 256);
    assert_int_equal(mission_status(c).retransmits, 0);
    assert_int_equal(c->error, 0);
    s->plan.paused = false;
    s->plan.verify = true;
    s->plan.expect_salt = c->plan.salt;
    program_pump(s);
    RUN_FOR(&p, 60 * PL_S);
    assert_int_equal(s->received, 3000000);
    assert_false(s->mismatch);
    pair_free(&p);
}

/* -------------------- how a loss is repaired -------------------- */

static void a_loss_with_data_behind_it_is_repaired_at_the_third_duplicate(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    uint32_t mss = mission_status(c).mss;
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    assert_int_equal(program_send_pattern(c, 5 * mss), 5 * mss);
    RUN(&p);
    const struct pair_segment *again = NULL;
    for (size_t i = 4; i < p.segments; i++)
        if (p.segment[i].from == PAIR_CLIENT && p.segment[i].seq == 1) again = &p.segment[i];
    assert_non_null(again);
    assert_int_equal(again->why, PL_WHY_DATA_REPEAT_RACK);
    assert_true(again->sent == 120 * PL_MS);                           /* one round trip, not one RTO */
    assert_int_equal(mission_status(c).retransmits, 1);
    assert_int_equal(s->received, 5 * mss);
    pair_free(&p);
}

/* RFC 8985 7: 2 SRTT after the last of several segments; what the probe's answer shows to be missing before it goes at once, or when reordering cannot
 * explain it any more: RACK's window is a quarter of the round trip while nothing is being repaired. */
static void a_lost_tail_is_repaired_by_a_loss_probe(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    uint32_t mss = mission_status(c).mss;
    assert_int_equal(mss, SIX(state) ? 1428 : 1448);
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 2, .count = 2}));
    assert_int_equal(program_send_pattern(c, 3 * mss), 3 * mss);
    RUN(&p);
    pl_time start = 100 * PL_MS;
    unsigned probes = 0, others = 0;
    for (size_t i = 0; i < p.segments; i++) {
        const struct pair_segment *t = &p.segment[i];
        if (t->from != PAIR_CLIENT || !t->len || t->sent == start) continue;
        if (t->why == PL_WHY_PROBE_LOSS) {
            probes++;
            assert_int_equal(t->seq, 1 + 2 * mss);
            assert_true(t->sent == start + 20 * PL_MS + 40 * PL_MS);   /* after the ACK of the first, RFC 8985 7.2 */
        } else {
            others++;
            assert_int_equal(t->seq, 1 + mss);
            assert_int_equal(t->why, PL_WHY_DATA_REPEAT_RACK);
            assert_true(t->sent == start + 80 * PL_MS);
        }
    }
    assert_int_equal(probes, 1);
    assert_int_equal(others, 1);
    assert_int_equal(s->received, 3 * mss);
    pair_free(&p);
}

/* The probe is lost as well: the retransmission timer, which it started anew, has the last word. */
static void a_loss_with_nothing_behind_it_is_probed_then_waits_for_the_rto(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    assert_non_null(impair_add(pair_impair(&p, PAIR_CLIENT), &(struct impair_rule){.kind = IMPAIR_DROP, .nth = 1, .count = 3}));
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN(&p);
    EXPECT(&p, "C> PSH,ACK seq=1 len=100 at=100ms  lost\n"
               "C> PSH,ACK seq=1 len=100 at=320ms  lost why=PROBE_LOSS\n"
               "C> PSH,ACK seq=1 len=100 at=540ms  lost why=DATA_REPEAT_RTO\n"
               "C> PSH,ACK seq=1 len=100 at=980ms\n"
               "S> ACK     ack=101       at=990ms\n");
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(complete_in_order_once_over_a_good_channel),
        BOTH(whatever_the_channel_loses),
        BOTH(whatever_the_channel_repeats),
        BOTH(whatever_the_channel_reorders),
        BOTH(whatever_the_channel_delays),
        BOTH(whatever_the_channel_corrupts),
        BOTH(whatever_it_does_all_at_once),
        BOTH(a_channel_that_loses_every_third_frame),
        BOTH(through_buffers_of_any_size),
        BOTH(in_writes_of_one_byte),
        BOTH(in_segments_of_48_bytes),
        BOTH(in_the_smallest_packets_of_each_family),
        BOTH(over_a_slow_link_with_a_short_queue),
        BOTH(with_super_frames_and_offload),
        BOTH(over_ethernet_with_its_neighbours_to_be_found_first),
        BOTH(a_closed_window_is_probed_with_growing_pauses_for_hours_and_data_goes_on_then),
        BOTH(a_lost_window_update_is_found_by_the_next_probe),
        BOTH(a_fin_waits_behind_a_closed_window_too),
        BOTH(the_closed_side_still_takes_acks_and_resets),
        BOTH(a_slow_reader_gets_no_silly_segments),
        BOTH(a_reader_that_stands_still_is_filled_to_its_window_and_no_further),
        BOTH(a_loss_with_data_behind_it_is_repaired_at_the_third_duplicate),
        BOTH(a_lost_tail_is_repaired_by_a_loss_probe),
        BOTH(a_loss_with_nothing_behind_it_is_probed_then_waits_for_the_rto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
