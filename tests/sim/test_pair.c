/* SPDX-License-Identifier: MIT
 *
 * test_pair.c: two real stacks on the deterministic network: that a run is the same twice, that forged and repeated frames are what they
 * claim to be, that expectations fail when they should, and a swarm of bad networks over which every transfer must come through whole.
 */
#include "support/unit.h"

#include "sim/pair.h"
#include <stdio.h>
#include <unistd.h>

static struct pair p;

static int end(void **x)
{
    (void)x;
    pair_free(&p);
    return 0;
}

/* pair_expect with its picture of the difference thrown away: for expectations that must fail. */
static bool quietly_expect(const char *lines)
{
    fflush(stderr);
    int kept = dup(2);
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    dup2(fileno(nowhere), 2);
    bool ok = pair_expect(&p, lines);
    fflush(stderr);
    dup2(kept, 2);
    close(kept);
    fclose(nowhere);
    p.expected = 0;
    return ok;
}

static void request_and_answer(void)
{
    assert_int_equal(pair_init(&p, NULL), 0);
    assert_int_equal(pair_listen(&p, 80, plan_echo()), 0);
    struct program_plan plan = plan_source(99, 5);
    plan.verify = true;
    plan.expect_salt = 5;
    assert_non_null(pair_connect(&p, 80, plan));
    assert_int_equal(pair_run(&p), SIM_IDLE);
}

static void a_connection_is_told_as_the_rfc_draws_it(void **x)
{
    (void)x;
    request_and_answer();
    assert_true(pair_expect(&p,
        "# the handshake; the request and the FIN go along with the third message\n"
        "C> SYN         seq=0   ack=0   len=0  at=0ms  why=SYN_CONNECT    states=SYN-SENT,SYN-RECEIVED mss=1460\n"
        "S> SYN,ACK     seq=0   ack=1   len=0  at=10ms why=SYN_ACK_ANSWER states=ESTABLISHED,SYN-RECEIVED\n"
        "C> FIN,PSH,ACK seq=1   ack=1   len=99 at=20ms arrives=30ms       states=FIN-WAIT-1,CLOSE-WAIT\n"
        "S> FIN,PSH,ACK seq=1   ack=101 len=99 at=30ms                    states=TIME-WAIT,LAST-ACK\n"
        "C> ACK         seq=101 ack=101 len=0  at=40ms why=ACK_FIN        states=TIME-WAIT,CLOSED arrived\n"));
    assert_true(pair_received(pair_conn(&p, PAIR_CLIENT, 0), 99));
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 99));
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_CLOSED);
    assert_int_equal(p.sim->now, 40 * PL_MS + 60 * PL_S);      /* TIME-WAIT: twice 30 s */
}

static void expectations_that_do_not_hold_fail(void **x)
{
    (void)x;
    static const char *const wrong[] = {
        "",
        "*\nC> SYN",
        "C> SYN",
        "S> SYN\n*",
        "C> SYN,ACK\n*",
        "C> SYN seq=1\n*",
        "C> SYN ack=1\n*",
        "C> SYN len=1\n*",
        "C> SYN win=1\n*",
        "C> SYN mss=1\n*",
        "C> SYN why=DATA_NEW\n*",
        "C> SYN drop=RUNT\n*",
        "C> SYN states=SYN-SENT,LISTEN\n*",
        "C> SYN at=1ms\n*",
        "C> SYN arrives=11ms\n*",
        "C> SYN lost\n*",
        "C> SYN flying\n*",
        "C> SYN copied\n*",
        "C> SYN delayed\n*",
        "C> SYN corrupted\n*",
        "C> SYN injected\n*",
        "C> SYN nonsense\n*",
        "C> SYN seq=x\n*",
        "C> SYN at=1parsec\n*",
        "C> SYM\n*",
        "X> SYN\n*",
        "C>\n*",
        "C> SYN what=1\n*",
        "*\nC> ACK\nC> ACK",
        "C> SYN\n*\nS> RST\n*",
        "*\nC> ?\n*\nC> ?\n*\nC> ?\n*\nC> ?\n*",
    };
    request_and_answer();
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        if (quietly_expect(wrong[i])) fail_msg("this should not hold: %s", wrong[i]);
    static const char *const right[] = {
        "*", "*\n*", "C> SYN\n*", "C> ?\n*\nC> ACK\n*", "*\nS> SYN,ACK\n*\nS> ?\n*", "# remark\n  C> SYN arrived at=0s drop=NONE \n\n*"};
    for (size_t i = 0; i < COUNT_OF(right); i++)
        if (!quietly_expect(right[i])) fail_msg("this should hold: %s", right[i]);
}

static void each_expectation_goes_on_where_the_last_one_ended(void **x)
{
    (void)x;
    assert_int_equal(pair_init(&p, NULL), 0);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    assert_non_null(pair_connect(&p, 80, plan_hold()));
    assert_true(pair_run_to_state(&p, PAIR_SERVER, PL_ESTABLISHED, PL_S));
    assert_int_equal(pair_state(&p, PAIR_CLIENT), PL_ESTABLISHED);
    assert_true(pair_expect(&p, "C> SYN\nS> SYN,ACK\nC> ACK seq=1 ack=1 len=0"));
    assert_int_equal(program_send_pattern(pair_conn(&p, PAIR_CLIENT, 0), 7), 7);
    pair_run_for(&p, PL_S);
    assert_true(pair_expect(&p, "C> PSH,ACK seq=1 ack=1 len=7\nS> ACK ack=8"));
    assert_true(pair_expect(&p, ""));
}

static void the_fate_of_each_segment_is_known(void **x)
{
    (void)x;
    assert_int_equal(pair_init(&p, NULL), 0);
    assert_int_equal(pair_listen(&p, 80, plan_echo()), 0);
    impair_drop_nth(pair_impair(&p, PAIR_CLIENT), 1);
    impair_duplicate_nth(pair_impair(&p, PAIR_SERVER), 1);
    impair_corrupt_nth(pair_impair(&p, PAIR_CLIENT), 3, 8 * 50);
    assert_non_null(pair_connect(&p, 80, plan_source(100, 1)));
    assert_int_equal(pair_run(&p), SIM_IDLE);
    assert_true(pair_expect(&p, "C> SYN lost at=0s states=SYN-SENT,LISTEN\nC> SYN arrived at=1s why=SYN_REPEAT\nS> SYN,ACK copied\n"
                                "C> ? corrupted drop=TCP_CHECKSUM\n*"));
    assert_true(pair_count_events(&p, PAIR_CLIENT, PL_TRACE_TIMER, PL_WHY_TIMER_RTO) >= 1);
    assert_int_equal(pair_count_drops(&p, PAIR_SERVER, PL_DROP_TCP_CHECKSUM), 1);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 100));
}

static void options_over_every_kind_of_link(bool v6, bool ethernet)
{
    struct pair_opts o;
    pair_opts_default(&o);
    o.v6 = v6;
    o.hosts.link.ethernet = ethernet;
    assert_int_equal(pair_init(&p, &o), 0);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    /* A handshake made by hand. The stack would drop it if any checksum, length or address were wrong. */
    struct pair_forged f = {.client_port = 5000, .server_port = 80, .flags = PL_SYN, .seq = 100, .window = 1000};
    if (ethernet) {                                    /* the server must know whom to answer */
        struct pl_neighbor n = {.addr = v6 ? o.hosts.v6[0] : o.hosts.v4[0], .iface = 0, .mac = {2, 0, 0, 0, 0, 1}};
        assert_int_equal(pl_neighbor_add(p.node[PAIR_SERVER]->stack, &n), 0);
    }
    sim_node_power(p.node[PAIR_CLIENT], false);        /* so that nobody resets it */
    pair_forge(&p, PAIR_CLIENT, &f, 0);
    pair_run_for(&p, 100 * PL_MS);
    f.flags = PL_ACK, f.seq = 101, f.ack = 1;
    f.text = "odd", f.text_bytes = 3;
    pair_forge(&p, PAIR_CLIENT, &f, p.sim->now);
    pair_run_for(&p, 100 * PL_MS);
    struct program_conn *c = pair_conn(&p, PAIR_SERVER, 0);
    assert_non_null(c);
    assert_int_equal(c->received, 3);
    assert_true(pair_expect(&p, "C> SYN seq=100 len=0 injected arrived drop=NONE\nS> SYN,ACK seq=0 ack=101 lost\n"
                                "C> ACK seq=101 ack=1 len=3 injected arrived drop=NONE\nS> ACK ack=104 lost\n"));
    pair_free(&p);
}

static void forged_segments_are_taken_for_real(void **x)
{
    (void)x;
    for (unsigned i = 0; i < 4; i++)
        options_over_every_kind_of_link(i & 1, i & 2);
}

static void a_replayed_segment_arrives_again(void **x)
{
    (void)x;
    request_and_answer();
    size_t before = pair_segments(&p);
    pair_replay(&p, 0, p.sim->now + PL_S);
    assert_true(pair_expect(&p, "*"));
    pair_run_for(&p, 100 * PL_S);
    assert_true(pair_segments(&p) > before + 1);
    assert_true(p.segment[before].injected);
    assert_int_equal(p.segment[before].seq, p.segment[0].seq);
    assert_int_equal(p.segment[before].fate, PAIR_ARRIVED);
    /* Nobody opened that connection: the answer to the old SYN is answered with a reset. */
    assert_int_equal(p.segment[before + 1].flags, PL_SYN | PL_ACK);
    assert_int_equal(p.segment[before + 2].flags & PL_RST, PL_RST);
}

/* ---------------------------------------- the same run twice, and many bad networks ---------------------------------------- */

struct weather {
    struct sim_prng dice;
    struct pair_opts opts;
    uint64_t bytes[2];
    struct program_plan plan[2];
    bool simultaneous;
};

static unsigned dice(struct weather *w, unsigned n)
{
    return sim_prng_below(&w->dice, n);
}

static void bad_network(struct weather *w, struct impair *im)
{
    if (dice(w, 2)) impair_loss(im, dice(w, 100000));
    if (dice(w, 2))
        impair_add(im, &(struct impair_rule){.kind = IMPAIR_DUPLICATE, .per_million = 1 + dice(w, 100000), .delay = dice(w, 100) * PL_MS});
    if (dice(w, 2))
        impair_add(im, &(struct impair_rule){.kind = IMPAIR_DELAY, .per_million = 1 + dice(w, 100000), .delay = dice(w, 300) * PL_MS});
    if (dice(w, 2))
        impair_add(
            im, &(struct impair_rule){.kind = IMPAIR_REORDER, .per_million = 1 + dice(w, 100000), .behind = 1 + dice(w, 5), .delay = PL_S});
    if (!dice(w, 3))
        impair_add(im, &(struct impair_rule){.kind = IMPAIR_CORRUPT, .per_million = 1 + dice(w, 50000), .bit = IMPAIR_ANY_BIT});
}

static void draw(struct weather *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    sim_prng_seed(&w->dice, sim_prng_mix(seed, 0x77));
    pair_opts_default(&w->opts);
    w->opts.seed = seed;
    w->opts.v6 = dice(w, 2);
    w->opts.hosts.link.ethernet = dice(w, 2);
    w->opts.hosts.link.delay = dice(w, 50) * PL_MS;
    w->opts.hosts.link.rate = dice(w, 3) ? 0 : 1000000 + dice(w, 100000000);
    if (!dice(w, 3)) w->opts.hosts.link.queue_packets = 5 + dice(w, 50);
    w->opts.isn[0] = dice(w, 2) ? (int64_t)UINT32_MAX - dice(w, 100000) : -1;       /* so that numbers wrap in the middle */
    w->opts.isn[1] = dice(w, 2) ? (int64_t)INT32_MAX - dice(w, 100000) : -1;
    w->bytes[0] = dice(w, 200000);
    w->bytes[1] = dice(w, 200000);
    w->simultaneous = !dice(w, 5);
    for (unsigned i = 0; i < 2; i++) {
        w->plan[i] = plan_source(w->bytes[i], i);
        w->plan[i].verify = true;
        w->plan[i].expect_salt = !i;
        if (dice(w, 2)) w->plan[i].write_bytes = 1 + dice(w, 3000);
    }
    unsigned mode = dice(w, 3);
    if (mode == 1) w->plan[1].finish_last = true;
    if (mode == 2 && !w->simultaneous) {
        w->plan[1] = plan_echo();
        w->plan[0].expect_salt = 0;
        w->bytes[1] = w->bytes[0];
    }
}

static bool nothing_left(struct sim_node *n)
{
    uint32_t count[PL_STATE_COUNT];
    pl_states(n->stack, count);
    for (int s = 0; s < PL_STATE_COUNT; s++)
        if (count[s] && s != PL_LISTEN) return false;
    return true;
}

/* Both programs have all bytes of the other in order, and no connection is left in any state. */
static bool comes_through(uint64_t seed)
{
    struct weather w;
    struct program_conn *end_of[2];
    draw(&w, seed);
    if (pair_init(&p, &w.opts)) return false;
    for (unsigned i = 0; i < 2; i++)
        bad_network(&w, pair_impair(&p, (enum pair_side)i));
    if (w.simultaneous) {
        end_of[0] = pair_connect_from(&p, PAIR_CLIENT, 1000, 2000, w.plan[0]);
        end_of[1] = pair_connect_from(&p, PAIR_SERVER, 2000, 1000, w.plan[1]);
    } else {
        pair_listen(&p, 80, w.plan[1]);
        end_of[0] = pair_connect(&p, 80, w.plan[0]);
        end_of[1] = NULL;
    }
    enum sim_end how = pair_run(&p);
    if (!end_of[1]) end_of[1] = pair_conn(&p, PAIR_SERVER, 0);
    bool ok = how == SIM_IDLE && pair_received(end_of[0], w.bytes[1]) && pair_received(end_of[1], w.bytes[0]);
    for (unsigned i = 0; i < 2; i++)
        ok = ok && end_of[i]->over && nothing_left(p.node[i]);
    if (!ok)
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(p.sim) ? sim_failure(p.sim) : "not whole, or not over");
    return ok;
}

static void the_same_seed_gives_the_same_run_to_the_byte(void **x)
{
    (void)x;
    uint64_t digest[2] = {0, 0};
    for (unsigned turn = 0; turn < 2; turn++) {
        comes_through(12);
        assert_true(p.segments > 50);
        for (size_t i = 0; i < p.segments; i++) {
            digest[turn] = sim_prng_mix(digest[turn], p.segment[i].sent);
            for (size_t j = 0; j < p.segment[i].frame_bytes; j++)
                digest[turn] = sim_prng_mix(digest[turn], p.segment[i].frame[j]);
        }
        pair_free(&p);
    }
    assert_true(digest[0] == digest[1]);
}

static void every_transfer_comes_through_a_bad_network(void **x)
{
    (void)x;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        assert_true(comes_through(seed));
        pair_free(&p);
    }
}

static void a_dead_peer_is_noticed_and_nothing_is_left(void **x)
{
    (void)x;
    assert_int_equal(pair_init(&p, NULL), 0);
    assert_int_equal(pair_listen(&p, 80, plan_hold()), 0);
    struct program_conn *c = pair_connect(&p, 80, plan_hold());
    assert_true(pair_run_to_state(&p, PAIR_SERVER, PL_ESTABLISHED, PL_S));
    sim_node_power(p.node[PAIR_SERVER], false);
    program_send_pattern(c, 10);
    assert_int_equal(pair_run(&p), SIM_IDLE);
    assert_int_equal(c->error, PL_ETIMEDOUT);
    assert_true(nothing_left(p.node[PAIR_CLIENT]));
    assert_int_equal(p.segment[p.segments - 1].fate, PAIR_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_connection_is_told_as_the_rfc_draws_it, end),
        cmocka_unit_test_teardown(expectations_that_do_not_hold_fail, end),
        cmocka_unit_test_teardown(each_expectation_goes_on_where_the_last_one_ended, end),
        cmocka_unit_test_teardown(the_fate_of_each_segment_is_known, end),
        cmocka_unit_test_teardown(forged_segments_are_taken_for_real, end),
        cmocka_unit_test_teardown(a_replayed_segment_arrives_again, end),
        cmocka_unit_test_teardown(the_same_seed_gives_the_same_run_to_the_byte, end),
        cmocka_unit_test_teardown(every_transfer_comes_through_a_bad_network, end),
        cmocka_unit_test_teardown(a_dead_peer_is_noticed_and_nothing_is_left, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
