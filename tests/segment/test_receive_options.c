/* SPDX-License-Identifier: MIT
 *
 * Options and buffers of the receiver: RFC 7323 2.3, 3.2, 5.2, RFC 5961 7, RFC 9293 3.8.6; threats V36 and V59. IPv4 and IPv6.
 */
#include "support/unit.h"

#include "base/seq.h"
#include "support/victim.h"

static struct victim v;

static void begin(uint32_t challenge_acks)
{
    struct pl_config c = victim_config();
    c.timestamps = true;
    c.challenge_acks = challenge_acks;
    victim_make(&v, &c);
}

static struct pl_counters counters(void)
{
    struct pl_counters n;
    assert_int_equal(pl_counters(v.s, &n, sizeof n), PL_OK);
    return n;
}

static void forget(struct peer *p)
{
    (void)pl_abort(v.s, p->c);
    (void)pl_close(v.s, p->c);
    (void)victim_hush(&v);
}

static const struct peer_wish timestamps = {.opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 700}};

/* RFC 7323 3.2-e, 5.2-c: the RST of an abort; 5.2-b: RFC 7323 5.2-b: one that answers what belongs to no connection. */
static void a_reset_carries_timestamps_where_they_were_agreed_on(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &timestamps);
        struct forged f;
        assert_int_equal(pl_abort(v.s, p.c), PL_OK);
        assert_true(victim_take(&v, &f) && f.flags & PL_RST);
        assert_true(f.opts.have == WIRE_OPT_TIMESTAMPS && f.opts.ts_ecr == 700 && f.opts.ts_val != 0);
        f = peer_segment(&p, PL_ACK);
        victim_give(&v, &f);
        struct forged r;
        assert_true(victim_take(&v, &r) && r.flags == PL_RST && r.opts.have == WIRE_OPT_TIMESTAMPS);
        assert_true(r.opts.ts_val == 0 && r.opts.ts_ecr == f.opts.ts_val);
        f.opts.have = 0;
        victim_give(&v, &f);
        assert_true(victim_take(&v, &r) && r.flags == PL_RST && r.opts.have == 0);
        assert_int_equal(pl_close(v.s, p.c), PL_OK);
    }
    victim_free(&v);
}

/* RFC 7323 2.3-g */
static void a_scale_above_14_is_counted(void **state)
{
    (void)state;
    begin(10);
    for (unsigned i = 0; i < 4; i++) {
        struct peer p = peer_connects(&v, i & 1, &(struct peer_wish){.opts = {.have = WIRE_OPT_WSCALE, .wscale = i & 2 ? 15 : 14}});
        assert_int_equal(peer_status(&p).snd_wscale, 14);
        assert_int_equal(counters().wscale_too_large, i & 2 ? i - 1 : 0);
        forget(&p);
    }
    victim_free(&v);
}

/* RFC 5961 7-b: the limit is the config's. */
static void the_limit_of_challenge_acks_is_the_configs(void **state)
{
    static const unsigned limits[] = {1, 3, 10, 255};
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(limits); i++) {
        begin(limits[i / 2]);
        struct peer p = peer_connects(&v, i & 1, &timestamps);
        struct forged f;
        unsigned answers = 0;
        for (unsigned n = 0; n < 300; n++) {
            f = peer_segment(&p, PL_SYN);
            victim_give(&v, &f);
            answers += victim_hush(&v);
        }
        assert_int_equal(answers, limits[i / 2]);
        victim_wait(&v, 5 * PL_S);
        victim_give(&v, &f);
        assert_int_equal(victim_hush(&v), 1);
        forget(&p);
        victim_free(&v);
    }
    struct pl_config c = victim_config();
    c.challenge_acks = 0;
    assert_non_null(pl_config_problem(&c));
    c.challenge_acks = 10;
    c.challenge_period = 0;
    assert_non_null(pl_config_problem(&c));
}

/* Threats V36: the first bytes stay, and others for the same place are counted; the same ones again are not. */
static void other_bytes_for_the_same_place_are_counted(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.iss = 0xfffffffa});
        static const struct {
            uint32_t at;
            const char *text;
            unsigned counted;
        } rows[] = {{4, "efgh", 0}, {4, "efgh", 0}, {2, "cdeXgh", 1}, {0, "abcd", 1}, {6, "YYij", 2}, {8, "ijkl", 2}};
        uint64_t before = counters().overlaps_differing;
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            struct forged f = peer_segment(&p, PL_ACK);
            f.seq += rows[i].at;
            f.text = rows[i].text, f.text_bytes = strlen(rows[i].text);
            victim_give(&v, &f);
            (void)victim_hush(&v);
            assert_int_equal(counters().overlaps_differing - before, rows[i].counted);
        }
        char got[32];
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 12);
        assert_memory_equal(got, "abcdefghijkl", 12);
        forget(&p);
    }
    victim_free(&v);
}

/* Threats V59: a third message that forgot them is taken, and counted. */
static void forgotten_timestamps_are_counted(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_half_open(&v, v6, &timestamps);
        struct forged f = peer_segment(&p, PL_ACK);
        f.opts.have = 0;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(counters().timestamps_forgotten, v6 + 1);
        assert_int_equal(pl_accept(v.s, v.listener, &p.c, NULL), PL_OK);
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_NO_TIMESTAMP);
        assert_int_equal(counters().timestamps_forgotten, v6 + 1);
        forget(&p);
    }
    victim_free(&v);
}

/* SHLD-14: a receive buffer lowered while the connection lives: the edge stays, the window closes as text arrives; raised, it opens again. */
static void a_lowered_receive_buffer_closes_the_window_step_by_step(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.iss = 0xfffff000});
        struct forged f;
        uint32_t edge = p.seq + peer_status(&p).rcv.wnd, given = 0;
        assert_int_equal(pl_set(v.s, p.c, PL_OPT_RCVBUF, 1000), PL_OK);
        while (given < 4000) {
            f = peer_segment(&p, PL_ACK | PL_PSH);
            f.seq += given;
            f.text_bytes = 500;
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            given += 500;
            while (victim_take(&v, &f))
                assert_int_equal(f.ack + f.wnd, edge);
        }
        char got[8192];
        assert_int_equal(pl_recv(v.s, p.c, got, 3500), 3500);
        victim_wait(&v, PL_S);
        while (victim_take(&v, &f))
            assert_true(seq_ge(f.ack + f.wnd, edge) && f.wnd <= 1000);
        assert_int_equal(pl_set(v.s, p.c, PL_OPT_RCVBUF, 20000), PL_OK);
        assert_true(victim_take(&v, &f));
        assert_int_equal(f.wnd, 20000 - 500);
        forget(&p);
    }
    victim_free(&v);
}

/* The send buffer: lowered below what is in it, it takes nothing; raised, the program hears that it may go on. */
static void a_send_buffer_follows_at_once(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.wnd = 100});
        char text[3000] = {0};
        int64_t value;
        assert_int_equal(pl_send(v.s, p.c, text, 3000), 3000);
        assert_int_equal(pl_set(v.s, p.c, PL_OPT_SNDBUF, 1000), PL_OK);
        assert_int_equal(pl_get(v.s, p.c, PL_OPT_SNDBUF, &value), PL_OK);
        assert_int_equal(value, 1000);
        assert_int_equal(pl_send(v.s, p.c, text, 1), PL_EAGAIN);
        (void)victim_events(&v, p.c);
        assert_int_equal(pl_set(v.s, p.c, PL_OPT_SNDBUF, 4000), PL_OK);
        assert_true(victim_events(&v, p.c) & PL_EV_WRITABLE);
        assert_int_equal(pl_send(v.s, p.c, text, 3000), 1000);
        forget(&p);
    }
    victim_free(&v);
}

/* The FIN that rides on the last bytes is explained as what it is. */
static void a_fin_beside_text_has_its_own_reason(void **state)
{
    (void)state;
    begin(10);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.wnd = 1000});
        struct forged f;
        assert_int_equal(pl_send(v.s, p.c, "bye", 3), 3);
        assert_int_equal(pl_finish(v.s, p.c), PL_OK);
        assert_true(victim_take(&v, &f) && f.flags & PL_FIN && f.text_bytes == 3);
        assert_int_equal(v.why, PL_WHY_DATA_NEW_FIN);
        victim_wait(&v, 2 * PL_S);
        assert_true(victim_take(&v, &f) && f.flags & PL_FIN && f.text_bytes == 3);
        assert_int_equal(v.why, PL_WHY_DATA_REPEAT_RTO_FIN);
        forget(&p);
    }
    victim_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_carries_timestamps_where_they_were_agreed_on),
        cmocka_unit_test(a_scale_above_14_is_counted),
        cmocka_unit_test(the_limit_of_challenge_acks_is_the_configs),
        cmocka_unit_test(other_bytes_for_the_same_place_are_counted),
        cmocka_unit_test(forgotten_timestamps_are_counted),
        cmocka_unit_test(a_lowered_receive_buffer_closes_the_window_step_by_step),
        cmocka_unit_test(a_send_buffer_follows_at_once),
        cmocka_unit_test(a_fin_beside_text_has_its_own_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
