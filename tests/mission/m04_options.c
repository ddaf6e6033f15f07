/* SPDX-License-Identifier: MIT
 *
 * m04_options.c: mission M4: the handshake exchanges windows, MSS and options, and both sides then use them. RFC 9293 3.7.1, RFC 7323, RFC
 * 2018; docs/defaults.md.
 */
#include "mission/mission.h"

enum { MSS = 1, WSCALE = 2, SACK = 4, TS = 8, SACK_BLOCKS = 16 };       /* as in struct pl_trace_segment's opts */

struct wishes {
    unsigned of[2];                       /* bits of WSCALE, SACK, TS: what each side's config allows */
    uint32_t rcvbuf[2];                   /* 0: default */
    uint32_t mtu;
};

static void as_wished(struct pl_config *c, enum pair_side side, void *user)
{
    const struct wishes *w = user;
    c->window_scaling = w->of[side] & WSCALE;
    c->sack = w->of[side] & SACK;
    c->timestamps = w->of[side] & TS;
    if (w->rcvbuf[side]) c->rcvbuf_bytes = c->rcvbuf_max = w->rcvbuf[side];
    c->window_overcommit = 64;            /* windows here are larger than the pool */
}

static void check_status(struct program_conn *c, unsigned both)
{
    struct pl_tcp_status s = mission_status(c);
    assert_int_equal(s.window_scaling, (both & WSCALE) != 0);
    assert_int_equal(s.sack, (both & SACK) != 0);
    assert_int_equal(s.timestamps, (both & TS) != 0);
    assert_int_equal(s.rcv_wscale, both & WSCALE ? 8 : 0);             /* 65535 << 8 is the first that holds 15 MiB */
    assert_int_equal(s.snd_wscale, both & WSCALE ? 8 : 0);
}

/* Every segment behind the handshake carries timestamps if both want them, and no others; SACK blocks only if both want those; its
 * window is the field times the scale. */
static unsigned check_segments(struct pair *p, unsigned both, uint32_t mss)
{
    unsigned full = 0;
    for (size_t i = 2; i < p->segments; i++) {
        const struct pair_segment *t = &p->segment[i];
        assert_false(t->flags & PL_SYN);
        assert_int_equal(t->seg.opts & ~SACK_BLOCKS, t->flags & PL_RST ? 0 : both & TS);
        if (!(both & SACK)) assert_int_equal(t->seg.opts & SACK_BLOCKS, 0);
        assert_int_equal(t->win, (uint32_t)t->seg.wnd_raw << (both & WSCALE ? 8 : 0));
        assert_true(t->len <= mss);
        full += t->len == mss;
    }
    return full;
}

/* MUST-65, SHLD-28, RFC 7323 2.2-b, 2.3-a, 2.3-b, 2.3-e, 3.2-d, 3.2-f, RFC 2018 2, 4-b */
static void every_combination_is_agreed_by_both_and_used(void **state)
{
    for (unsigned i = 0; i < 64; i++) {
        struct wishes w = {.of = {(i & 7) << 1, (i >> 3) << 1}};
        unsigned both = w.of[0] & w.of[1];
        struct program_plan client = plan_source(40000, 1), server = plan_source(30000, 2);
        struct pair p;
        client.verify = server.verify = client.keep_handle = true;
        client.expect_salt = 2;
        server.expect_salt = 1;
        mission_start(&p, state, as_wished, &w);
        assert_int_equal(pair_listen(&p, 80, server), 0);
        struct program_conn *c = pair_connect(&p, 80, client);
        RUN_FOR(&p, 30 * PL_MS);
        assert_int_equal(p.segment[0].seg.opts, MSS | w.of[0]);
        assert_int_equal(p.segment[1].seg.opts, MSS | both);           /* only what the peer offered */
        assert_int_equal(p.segment[0].seg.mss, SIX(state) ? 1440 : 1460);
        assert_int_equal(p.segment[1].seg.mss, SIX(state) ? 1440 : 1460);
        assert_int_equal(p.segment[0].win, 65535);
        assert_int_equal(p.segment[1].win, 65535);
        if (w.of[0] & WSCALE) assert_int_equal(p.segment[0].seg.wscale, 8);     /* of the largest size, 15 MiB */
        check_status(c, both);
        check_status(pair_conn(&p, PAIR_SERVER, 0), both);
        RUN(&p);
        assert_true(pair_received(c, 30000));
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 40000));
        uint32_t mss = (SIX(state) ? 1440 : 1460) - (both & TS ? 12 : 0);
        assert_true(check_segments(&p, both, mss) >= 40000 / mss + 30000 / mss);
        pair_free(&p);
    }
}

/* MUST-1, REC-1, RFC 7323 2.2-a, 2.2-d, 2.3-b, 2.3-c, 2.3-d */
static void the_window_of_a_syn_is_never_scaled(void **state)
{
    struct wishes w = {.of = {WSCALE | SACK | TS, WSCALE | SACK | TS}, .rcvbuf = {4000, 20000000}};
    struct pair p;
    mission_start(&p, state, as_wished, &w);
    struct program_conn *s, *c = mission_establish(&p, &s);
    assert_int_equal(p.segment[0].win, 4000);
    assert_int_equal(p.segment[0].seg.wnd_raw, 4000);
    assert_int_equal(p.segment[0].seg.wscale, 0);
    assert_int_equal(p.segment[1].seg.wnd_raw, 65535);
    assert_int_equal(p.segment[1].seg.wscale, 9);
    assert_int_equal(mission_status(c).snd.wnd, 65535);                /* what the SYN-ACK said, not 65535 << 9 */
    assert_int_equal(mission_status(s).snd.wnd, 4000);
    assert_int_equal(mission_status(c).snd_wscale, 9);
    assert_int_equal(mission_status(s).snd_wscale, 0);
    assert_int_equal(program_send_pattern(c, 10), 10);
    RUN(&p);
    uint32_t wnd = mission_status(c).snd.wnd;                          /* the first scaled one */
    assert_true(wnd > 19900000 && wnd <= 20000000 && wnd % 512 == 0);
    pair_free(&p);
}

static void without_scaling_no_window_exceeds_16_bits(void **state)
{
    struct wishes w = {.of = {SACK | TS, WSCALE | SACK | TS}};
    struct pair p;
    mission_start(&p, state, as_wished, &w);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, plan_source(500000, 1)));
    RUN(&p);
    for (size_t i = 0; i < p.segments; i++)
        assert_true(p.segment[i].win <= 65535);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 500000));
    pair_free(&p);
}

/* RFC 7323 2.4-d */
static void a_sender_never_goes_beyond_the_window_it_was_told(void **state)
{
    static const uint32_t rcvbuf[] = {500, 3000, 20000, 65535, 200000};
    for (size_t k = 0; k < COUNT_OF(rcvbuf); k++) {
        struct wishes w = {.of = {WSCALE | SACK | TS, WSCALE | SACK | TS}, .rcvbuf = {0, rcvbuf[k]}};
        struct pair p;
        mission_start(&p, state, as_wished, &w);
        assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
        assert_non_null(pair_connect(&p, 80, plan_source(300000, 1)));
        RUN(&p);
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 300000));
        uint32_t edge = 0;
        for (size_t i = 0; i < p.segments; i++) {
            const struct pair_segment *t = &p.segment[i];
            if (t->from == PAIR_SERVER) edge = t->ack + t->win > edge ? t->ack + t->win : edge;
            else if (i > 1) assert_true(t->seq + t->len + (t->flags & PL_FIN ? 1 : 0) <= edge);
            if (t->from == PAIR_SERVER) assert_true(t->win <= rcvbuf[k]);
        }
        assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_NO_CHUNK), 0);
        pair_free(&p);
    }
}

/* MUST-67 */
static void the_mss_follows_from_the_mtu(void **state)
{
    static const uint32_t mtus[] = {576, 1280, 1400, 1500, 9000};
    for (size_t i = 0; i < COUNT_OF(mtus); i++) {
        struct pair_opts o;
        struct pair p;
        if (SIX(state) && mtus[i] < 1280) continue;
        pair_opts_default(&o);
        o.v6 = SIX(state);
        o.hosts.link.mtu = mtus[i];
        if (mtus[i] < 1280) memset(o.hosts.v6, 0, sizeof o.hosts.v6);
        assert_int_equal(pair_init(&p, &o), 0);
        assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
        assert_non_null(pair_connect(&p, 80, plan_source(50000, 1)));
        RUN(&p);
        uint32_t headers = SIX(state) ? 60 : 40, largest = 0;
        assert_int_equal(p.segment[0].seg.mss, mtus[i] - headers);
        assert_int_equal(p.segment[1].seg.mss, mtus[i] - headers);
        for (size_t k = 0; k < p.segments; k++)
            largest = p.segment[k].frame_bytes > largest ? (uint32_t)p.segment[k].frame_bytes : largest;
        assert_int_equal(largest, mtus[i]);
        assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 50000));
        pair_free(&p);
    }
}

/* -------------------- a peer played by hand -------------------- */

/* The test plays a client that offers these options; the server's program sends 5000 bytes. Returns its connection. */
static struct program_conn *offer(struct pair *p, void **state, const void *options, size_t bytes, uint16_t window)
{
    struct program_plan server = {.send_bytes = 5000, .salt = 1, .hold = true, .keep_handle = true};
    mission_start(p, state, NULL, NULL);
    mission_play_client(p);
    assert_int_equal(pair_listen(p, 80, server), 0);
    struct pair_forged f = {5000, 80, PL_SYN, 100, 0, window, NULL, 0};
    mission_forge_options(p, PAIR_CLIENT, &f, options, bytes, 1 * PL_MS);
    RUN_FOR(p, 2 * PL_MS);
    f.flags = PL_ACK, f.seq = 101, f.ack = 1;
    pair_forge(p, PAIR_CLIENT, &f, 3 * PL_MS);
    RUN_FOR(p, 2 * PL_MS);
    struct program_conn *c = pair_conn(p, PAIR_SERVER, 0);
    assert_non_null(c);
    return c;
}

static uint32_t first_len(const struct pair *p)
{
    for (size_t i = 0; i < p->segments; i++)
        if (p->segment[i].from == PAIR_SERVER && p->segment[i].len) return p->segment[i].len;
    return 0;
}

static void a_peer_without_mss_option_gets_segments_of_the_default(void **state)
{
    struct pair p;
    offer(&p, state, "", 0, 60000);
    assert_int_equal(p.segment[1].seg.opts, MSS);
    assert_int_equal(first_len(&p), SIX(state) ? 1220 : 536);          /* MUST-15 */
    pair_free(&p);
}

/* MUST-14, 16 */
static void a_peers_mss_bounds_the_segments(void **state)
{
    static const struct { uint16_t mss; uint32_t len4, len6; } rows[] = {
        {1460, 1460, 1440}, {1000, 1000, 1000}, {100, 100, 100}, {48, 48, 48}, {1, 48, 48}, {0, 48, 48}, {65535, 1460, 1440},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        uint8_t option[4] = {2, 4, (uint8_t)(rows[i].mss >> 8), (uint8_t)rows[i].mss};
        struct program_conn *c = offer(&p, state, option, 4, 60000);
        assert_int_equal(first_len(&p), SIX(state) ? rows[i].len6 : rows[i].len4);
        assert_int_equal(mission_status(c).peer_mss, rows[i].mss);
        pair_free(&p);
    }
}

/* MUST-16 */
static void timestamps_make_room_for_themselves(void **state)
{
    static const uint8_t options[] = {2, 4, 1000 >> 8, 1000 & 255, 1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0};
    struct pair p;
    struct program_conn *c;
    mission_start(&p, state, NULL, NULL);
    mission_play_client(&p);
    assert_int_equal(pair_listen(&p, 80, (struct program_plan){.send_bytes = 5000, .hold = true}), 0);
    mission_forge_options(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_SYN, 100, 0, 60000, NULL, 0}, options, sizeof options,
        1 * PL_MS);
    mission_forge_options(&p, PAIR_CLIENT, &(struct pair_forged){5000, 80, PL_ACK, 101, 1, 60000, NULL, 0}, options + 4, 12, 3 * PL_MS);
    RUN_FOR(&p, 5 * PL_MS);
    c = pair_conn(&p, PAIR_SERVER, 0);
    assert_non_null(c);
    assert_int_equal(first_len(&p), 988);
    assert_int_equal(mission_status(c).mss, 988);
    pair_free(&p);
}

/* RFC 7323 2.3-f */
static void a_scale_above_14_counts_as_14(void **state)
{
    static const uint8_t options[] = {1, 3, 3, 200};
    struct pair p;
    struct program_conn *c = offer(&p, state, options, 4, 3);
    assert_int_equal(mission_status(c).snd_wscale, 14);
    assert_int_equal(mission_status(c).snd.wnd, 3 << 14);              /* the third message's window is scaled */
    pair_free(&p);
}

static void an_unknown_option_is_skipped_and_a_broken_one_ends_the_list(void **state)
{
    static const uint8_t unknown[] = {254, 6, 1, 2, 3, 4, 1, 1, 2, 4, 3, 232}, broken[] = {2, 4, 3, 232, 8, 1, 0, 0},
                         endless[] = {2, 4, 3, 232, 99, 200, 0, 0}, ended[] = {0, 0, 0, 0, 2, 4, 3, 232};
    struct pair p;
    offer(&p, state, unknown, sizeof unknown, 60000);                  /* MUST-6 */
    assert_int_equal(first_len(&p), 1000);
    pair_free(&p);
    offer(&p, state, broken, sizeof broken, 60000);                    /* MUST-7 */
    assert_int_equal(first_len(&p), 1000);
    pair_free(&p);
    offer(&p, state, endless, sizeof endless, 60000);
    assert_int_equal(first_len(&p), 1000);
    pair_free(&p);
    offer(&p, state, ended, sizeof ended, 60000);                      /* what stands behind the end is not read */
    assert_int_equal(first_len(&p), SIX(state) ? 1220 : 536);
    pair_free(&p);
}

/* -------------------- timestamps and SACK at work -------------------- */

/* RFC 7323 3.2-a, 3.2-b, 4.1 */
static void an_ack_echoes_the_timestamp_of_what_it_acknowledges(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(1)), 0);
    assert_non_null(pair_connect(&p, 80, (struct program_plan){.hold = true, .salt = 1}));
    RUN_FOR(&p, 50 * PL_MS);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(program_send_pattern(pair_conn(&p, PAIR_CLIENT, 0), 100) == 100);
        RUN_FOR(&p, 137 * PL_MS);
    }
    assert_int_equal(p.segment[0].seg.ts_ecr, 0);                      /* RFC 7323 3.2: no echo without ACK */
    uint32_t last[2] = {p.segment[0].seg.ts_val, 0};
    for (size_t i = 1; i < p.segments; i++) {
        const struct pair_segment *t = &p.segment[i];
        assert_int_equal(t->seg.ts_ecr, last[!t->from]);
        if (t->from == PAIR_SERVER && last[1]) assert_true(t->seg.ts_val >= last[1]);
        last[t->from] = t->seg.ts_val;
    }
    /* one tick a millisecond */
    const struct pair_segment *end = mission_last(&p, PAIR_CLIENT);
    assert_int_equal(end->seg.ts_val - p.segment[0].seg.ts_val, (end->sent - p.segment[0].sent) / PL_MS);
    pair_free(&p);
}

/* SHLD-31, MAY-13, RFC 2018 4-a, 4-c, 4-d, 4-e */
static void a_gap_is_reported_in_sack_blocks_newest_first(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    pl_set(STACK(c), c->handle, PL_OPT_NODELAY, 1);
    impair_drop_mask(pair_impair(&p, PAIR_CLIENT), 0x05);              /* the first and the third */
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(program_send_pattern(c, 100), 100);
        RUN_FOR(&p, 1 * PL_MS);
    }
    RUN_FOR(&p, 15 * PL_MS);
    EXPECT(&p, "C> PSH,ACK seq=1   len=100 lost\n"
               "C> PSH,ACK seq=101 len=100\n"
               "C> PSH,ACK seq=201 len=100 lost\n"
               "C> PSH,ACK seq=301 len=100\n"
               "S> ACK ack=1\n"
               "S> ACK ack=1\n");
    const struct pl_trace_segment *a = &p.segment[p.segments - 2].seg, *b = &p.segment[p.segments - 1].seg;
    assert_int_equal(a->nsack, 1);
    assert_int_equal(a->sack[0], 101);
    assert_int_equal(a->sack[1], 201);
    assert_int_equal(b->nsack, 2);
    assert_int_equal(b->sack[0], 301);
    assert_int_equal(b->sack[1], 401);
    assert_int_equal(b->sack[2], 101);
    assert_int_equal(b->sack[3], 201);
    RUN(&p);
    assert_int_equal(pair_conn(&p, PAIR_SERVER, 0)->received, 400);
    for (unsigned i = 0; i < mission_last(&p, PAIR_SERVER)->seg.nsack; i++)      /* the gaps are closed: what is told came twice */
        assert_true(mission_last(&p, PAIR_SERVER)->seg.sack[2 * i + 1] <= mission_last(&p, PAIR_SERVER)->ack);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(every_combination_is_agreed_by_both_and_used),
        BOTH(the_window_of_a_syn_is_never_scaled),
        BOTH(without_scaling_no_window_exceeds_16_bits),
        BOTH(a_sender_never_goes_beyond_the_window_it_was_told),
        BOTH(the_mss_follows_from_the_mtu),
        BOTH(a_peer_without_mss_option_gets_segments_of_the_default),
        BOTH(a_peers_mss_bounds_the_segments),
        BOTH(timestamps_make_room_for_themselves),
        BOTH(a_scale_above_14_counts_as_14),
        BOTH(an_unknown_option_is_skipped_and_a_broken_one_ends_the_list),
        BOTH(an_ack_echoes_the_timestamp_of_what_it_acknowledges),
        BOTH(a_gap_is_reported_in_sack_blocks_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
