/* SPDX-License-Identifier: MIT
 *
 * BBR on a bottleneck in virtual time (support/cc_link.h): how much of the link it gets, how long the queue is, and what it makes of changes.
 * draft-ietf-ccwg-bbr, its appendix A where one is named.
 */
#include "support/unit.h"

#include "support/cc_link.h"
#include "transport/tcp/cc/bbr.h"
#include "transport/tcp/cc/bbr_state.h"

#define MBIT 1000000ull
#define BDP(mbit, ms) ((uint32_t)((mbit) * 125 * (ms)))

static const struct bbr *inside(const struct cc_flow *f) { return (const struct bbr *)(const void *)f->state; }
static unsigned percent(uint64_t part, uint64_t whole) { return (unsigned)((part * 100 + whole / 2) / whole); }
static uint64_t goodput(const struct cc_link *l) { return l->rate * l->mss / (l->mss + 40); }

static struct cc_flow *one(struct cc_link *l, uint64_t mbit, unsigned ms, uint32_t queue_bytes)
{
    cc_link_init(l, mbit * MBIT, ms * PL_MS, queue_bytes < 64 * 1500 ? 64 * 1500 : queue_bytes);
    return cc_link_add(l, &bbr_ops, l->now);
}

static void startup_fills_the_link_within_a_few_rounds(void **state)                    /* 5.3.1.1; A.1 */
{
    static const struct {
        unsigned mbit, ms, rounds;        /* log2(BDP / initial window), and a few more; at 1 Mbit/s a packet takes most of one */
    } rows[] = {{1, 20, 8}, {10, 40, 5}, {100, 20, 8}, {100, 100, 10}, {1000, 20, 11}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct cc_link l;
        struct cc_flow *f = one(&l, rows[i].mbit, rows[i].ms, BDP(rows[i].mbit, rows[i].ms));
        cc_link_run(&l, rows[i].rounds * l.rtt);
        assert_in_range(percent(inside(f)->max_bw, goodput(&l)), 98, 102);
        assert_in_range(cc_link_share(&l, f, 500 * PL_MS), 90, 101);
        assert_int_equal(f->rtos, 0);
        cc_link_free(&l);
    }
}

/* The pipe being full it leaves Startup, Drain empties the queue, and it cruises with next to none. */
static void the_queue_is_small_once_startup_is_over(void **state)                       /* 5.3.1.2, 5.3.2; A.3 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 50, 40, 8 * BDP(50, 40));
    assert_true(cc_link_run_to_phase(&l, f, "Drain", 20 * l.rtt));
    assert_true(inside(f)->full_bw_reached && inside(f)->full_bw_count == 3);
    assert_in_range(percent(f->cc.pacing_rate, inside(f)->bw), 49, 50);
    assert_true(f->in_flight > BDP(50, 40) * 3 / 2);     /* there was a queue */
    assert_true(cc_link_run_to_phase(&l, f, "ProbeBW_CRUISE", 10 * l.rtt));
    assert_int_equal(f->losses, 0);
    cc_link_run(&l, 2 * l.rtt);
    f->max_rtt = 0;
    cc_link_run(&l, 10 * l.rtt);
    assert_string_equal(cc_flow_phase(f), "ProbeBW_CRUISE");
    assert_in_range(f->max_rtt, l.rtt, l.rtt * 105 / 100);
    cc_link_free(&l);
}

static void without_losses_a_path_of_its_own_is_full(void **state)                      /* 5.3.3 */
{
    static const struct {
        unsigned mbit, ms;
    } rows[] = {{1, 1}, {1, 100}, {10, 20}, {100, 1}, {100, 100}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct cc_link l;
        struct cc_flow *f = one(&l, rows[i].mbit, rows[i].ms, BDP(rows[i].mbit, rows[i].ms));
        cc_link_run(&l, 5 * PL_S);
        assert_in_range(cc_link_share(&l, f, 20 * PL_S), 97, 101);
        cc_link_free(&l);
    }
}

static void random_loss_up_to_one_percent_costs_little(void **state)                    /* 3.1; 5.3.3.8.3 */
{
    static const struct {
        unsigned mbit, ms, loss_ppm, seconds, seeds, least;
    } rows[] = {{10, 100, 100, 30, 1, 95}, {10, 100, 10000, 60, 6, 86}, {100, 20, 1000, 30, 1, 95}, {100, 20, 10000, 30, 2, 88}, {100, 100, 10000, 30, 2, 88},
                {1000, 20, 10000, 8, 1, 88}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        unsigned sum = 0;
        for (unsigned seed = 0; seed < rows[i].seeds; seed++) {
            struct cc_link l;
            struct cc_flow *f = one(&l, rows[i].mbit, rows[i].ms, BDP(rows[i].mbit, rows[i].ms));
            prng_seed(&l.luck, seed);
            l.loss_ppm = rows[i].loss_ppm;
            cc_link_run(&l, 5 * PL_S);
            sum += cc_link_share(&l, f, rows[i].seconds * PL_S);
            assert_in_range(f->losses, 1, UINT32_MAX);
            cc_link_free(&l);
        }
        assert_in_range(sum / rows[i].seeds, rows[i].least, 101);
    }
}

/* DOWN, CRUISE, REFILL, UP again and again: each 2 to 3 s, or after 63 rounds. */
static void it_goes_round_in_probe_bw(void **state)                                     /* 5.3.3 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 80, BDP(20, 80));
    cc_link_run(&l, 30 * PL_S);
    assert_int_equal(cc_flow_visits(f, "Startup"), 1);
    assert_int_equal(cc_flow_visits(f, "Drain"), 1);
    static const char *const circle[] = {"ProbeBW_DOWN", "ProbeBW_REFILL", "ProbeBW_UP"};
    for (unsigned i = 0; i < COUNT_OF(circle); i++)
        assert_in_range(cc_flow_visits(f, circle[i]), 7, 15);
    assert_in_range(cc_flow_visits(f, "ProbeBW_CRUISE"), 7, 15);
    cc_link_free(&l);
}

/* A window of few segments: probing as often as Reno fills it, one segment a round. */
static void a_small_window_is_probed_each_few_rounds(void **state)                      /* 5.3.3.8.3 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 5, 40, BDP(5, 40));      /* 17 segments: 17 rounds of 42 ms and more, and three of UP */
    cc_link_run(&l, 5 * PL_S);
    unsigned before = cc_flow_visits(f, "ProbeBW_UP");
    cc_link_run(&l, 20 * PL_S);
    assert_in_range(cc_flow_visits(f, "ProbeBW_UP") - before, 15, 30);
    cc_link_free(&l);
}

/* While RTTs as small as the smallest come by, there is no ProbeRTT; when the path becomes longer, there is, and then the model knows. */
static void a_longer_path_is_measured_by_probe_rtt(void **state)                        /* 5.3.4; A.10 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    cc_link_run(&l, 20 * PL_S);
    assert_int_equal(cc_flow_visits(f, "ProbeRTT"), 0);
    assert_in_range(inside(f)->min_rtt, 40 * PL_MS, 42 * PL_MS);
    l.rtt = 60 * PL_MS;
    assert_true(cc_link_run_to_phase(&l, f, "ProbeRTT", 5500 * PL_MS));
    pl_time from = l.now;
    f->min_in_flight = UINT32_MAX;
    assert_true(cc_link_run_to_phase(&l, f, "ProbeBW_CRUISE", 1 * PL_S));
    assert_in_range(l.now - from, 200 * PL_MS, 400 * PL_MS);
    assert_in_range(f->min_in_flight, 1, BDP(20, 40) / 2 + l.mss);
    cc_link_run(&l, 6 * PL_S);
    assert_in_range(inside(f)->min_rtt, 60 * PL_MS, 62 * PL_MS);
    assert_in_range(cc_link_share(&l, f, 4 * PL_S), 92, 101);
    /* and back: a shorter one shows at once */
    l.rtt = 30 * PL_MS;
    cc_link_run(&l, 3 * PL_S);
    assert_in_range(inside(f)->min_rtt, 30 * PL_MS, 32 * PL_MS);
    cc_link_free(&l);
}

static void a_program_with_little_to_send_does_not_lower_max_bw(void **state)           /* 5.5.4; A.7, A.22 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    cc_link_run(&l, 6 * PL_S);
    f->app_rate = l.rate / 10;
    f->app_at = l.now;
    f->app_sent = 0;
    cc_link_run(&l, 12 * PL_S);
    assert_in_range(percent(inside(f)->max_bw, goodput(&l)), 95, 102);
    assert_in_range(cc_link_share(&l, f, 2 * PL_S), 8, 12);
    f->app_rate = 0;                      /* at once as fast as ever */
    cc_link_run(&l, 2 * l.rtt);
    assert_in_range(cc_link_share(&l, f, 500 * PL_MS), 90, 101);
    cc_link_free(&l);
}

static void such_a_program_never_ends_startup(void **state)                             /* A.7 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    f->app_rate = l.rate / 10;
    f->app_at = l.now;
    cc_link_run(&l, 20 * PL_S);
    assert_string_equal(cc_flow_phase(f), "Startup");
    assert_false(inside(f)->full_bw_reached);
    f->app_rate = 0;
    cc_link_run(&l, 20 * l.rtt);
    assert_true(inside(f)->full_bw_reached);
    assert_in_range(cc_link_share(&l, f, 1 * PL_S), 90, 101);
    cc_link_free(&l);
}

static void silence_takes_the_place_of_probe_rtt(void **state)                          /* 5.4.1; A.11 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    assert_true(cc_link_run_to_phase(&l, f, "ProbeBW_UP", 10 * PL_S));
    f->app_rate = 1;                      /* nothing for long */
    f->app_at = l.now;
    f->app_sent = 0;
    cc_link_run(&l, 7 * PL_S);
    assert_int_equal(f->in_flight, 0);
    l.rtt = 43 * PL_MS;                   /* so that no RTT as small as the smallest comes by */
    f->app_rate = 0;
    assert_false(inside(f)->idle_restart);
    cc_link_run(&l, 1 * PL_MS);           /* something is sent */
    assert_true(inside(f)->idle_restart);
    assert_in_range(percent(f->cc.pacing_rate, inside(f)->bw), 99, 100);         /* at bw itself, whatever the phase */
    cc_link_run(&l, 4 * PL_S);
    assert_int_equal(cc_flow_visits(f, "ProbeRTT"), 0);
    assert_false(inside(f)->idle_restart);
    cc_link_free(&l);
}

static void acks_that_come_in_heaps_do_not_stall_it(void **state)                       /* 5.5.9; A.12, A.13 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 50, 10, 4 * BDP(50, 10));
    l.slot = 30 * PL_MS;                  /* three round trips' worth at once */
    cc_link_run(&l, 3 * PL_S);
    assert_in_range(cc_link_share(&l, f, 5 * PL_S), 90, 101);
    assert_true(inside(f)->extra_acked > BDP(50, 10));
    l.slot = 0;
    cc_link_run(&l, 6 * PL_S);            /* ten rounds later it is forgotten */
    assert_in_range(inside(f)->extra_acked, 0, 4 * l.mss);
    cc_link_free(&l);
}

static void two_flows_share_the_link(void **state)                                      /* 5.3.3.1 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *a = one(&l, 50, 40, BDP(50, 40)), *b = cc_link_add(&l, &bbr_ops, l.now + 3 * PL_S);
    cc_link_run(&l, 20 * PL_S);
    uint64_t was = b->rate.delivered;
    unsigned first = cc_link_share(&l, a, 40 * PL_S);
    unsigned second = (unsigned)((b->rate.delivered - was) / (goodput(&l) * 40 / 100));
    assert_in_range(first, 32, 68);
    assert_in_range(second, 32, 68);
    assert_in_range(first + second, 94, 102);
    cc_link_free(&l);
}

static void ten_times_the_bandwidth_is_found(void **state)                              /* A.15 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 10, 40, BDP(100, 40));
    cc_link_run(&l, 10 * PL_S);
    l.rate *= 10;
    cc_link_run(&l, 8 * PL_S);
    assert_in_range(cc_link_share(&l, f, 3 * PL_S), 90, 101);
    cc_link_free(&l);
}

static void a_tenth_of_the_bandwidth_is_understood(void **state)                        /* A.16 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 100, 40, BDP(100, 40) / 2);
    cc_link_run(&l, 10 * PL_S);
    l.rate /= 10;
    cc_link_run(&l, 3 * PL_S);
    assert_in_range(percent(inside(f)->bw_shortterm, goodput(&l)), 0, 130);      /* the short-term model, long before max_bw's window is over */
    cc_link_run(&l, 17 * PL_S);
    assert_in_range(percent(inside(f)->max_bw, goodput(&l)), 90, 110);
    uint64_t lost = f->losses;
    assert_in_range(cc_link_share(&l, f, 10 * PL_S), 90, 101);
    assert_in_range(f->losses - lost, 0, l.rate * 10 / 1500 / 50);               /* 2 % */
    cc_link_free(&l);
}

static void a_shallow_queue_is_kept_within(void **state)                                /* 5.3.1.3, 5.3.3.6; A.21 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f;
    cc_link_init(&l, 50 * MBIT, 40 * PL_MS, BDP(50, 40) / 5);
    f = cc_link_add(&l, &bbr_ops, l.now);
    cc_link_run(&l, 6 * PL_S);
    assert_in_range(inside(f)->inflight_longterm, BDP(50, 40) / 2, BDP(50, 40) * 13 / 10);
    uint64_t lost = f->losses;
    assert_in_range(cc_link_share(&l, f, 20 * PL_S), 88, 101);
    assert_in_range(f->losses - lost, 0, l.rate * 20 / 1500 / 50);
    cc_link_free(&l);
}

static void less_than_a_packet_in_the_pipe_is_enough(void **state)                      /* 5.6.4.3; A.14 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 1, 1, 0);
    cc_link_run(&l, 5 * PL_S);
    assert_in_range(cc_link_share(&l, f, 10 * PL_S), 97, 101);
    assert_true(f->cc.cwnd >= 4 * l.mss && f->cc.cwnd <= 16 * l.mss);
    cc_link_free(&l);
}

static void a_black_hole_ends_with_time_outs_and_it_comes_back(void **state)            /* 5.6.4.4 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    cc_link_run(&l, 5 * PL_S);
    l.black_out = 200;
    cc_link_run(&l, 30 * PL_S);
    assert_in_range(f->rtos, 2, 150);
    assert_int_equal(l.black_out, 0);
    assert_in_range(cc_link_share(&l, f, 10 * PL_S), 95, 101);
    cc_link_free(&l);
}

static void the_same_run_is_the_same_bit_for_bit(void **state)
{
    (void)state;
    struct cc_link a, b;
    for (int i = 0; i < 2; i++) {
        struct cc_link *l = i ? &b : &a;
        one(l, 20, 40, BDP(20, 40));
        cc_link_add(l, &bbr_ops, l->now + 1 * PL_S);
        l->loss_ppm = 5000;
        cc_link_run(l, 20 * PL_S);
    }
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(a.flow[i].state, b.flow[i].state, sizeof a.flow[i].state);
        assert_true(a.flow[i].rate.delivered == b.flow[i].rate.delivered);
    }
    assert_memory_not_equal(a.flow[0].state, a.flow[1].state, sizeof a.flow[0].state);
    cc_link_free(&a);
    cc_link_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_fills_the_link_within_a_few_rounds),
        cmocka_unit_test(the_queue_is_small_once_startup_is_over),
        cmocka_unit_test(without_losses_a_path_of_its_own_is_full),
        cmocka_unit_test(random_loss_up_to_one_percent_costs_little),
        cmocka_unit_test(it_goes_round_in_probe_bw),
        cmocka_unit_test(a_small_window_is_probed_each_few_rounds),
        cmocka_unit_test(a_longer_path_is_measured_by_probe_rtt),
        cmocka_unit_test(a_program_with_little_to_send_does_not_lower_max_bw),
        cmocka_unit_test(such_a_program_never_ends_startup),
        cmocka_unit_test(silence_takes_the_place_of_probe_rtt),
        cmocka_unit_test(acks_that_come_in_heaps_do_not_stall_it),
        cmocka_unit_test(two_flows_share_the_link),
        cmocka_unit_test(ten_times_the_bandwidth_is_found),
        cmocka_unit_test(a_tenth_of_the_bandwidth_is_understood),
        cmocka_unit_test(a_shallow_queue_is_kept_within),
        cmocka_unit_test(less_than_a_packet_in_the_pipe_is_enough),
        cmocka_unit_test(a_black_hole_ends_with_time_outs_and_it_comes_back),
        cmocka_unit_test(the_same_run_is_the_same_bit_for_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
