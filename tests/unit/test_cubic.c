/* SPDX-License-Identifier: MIT
 *
 * CUBIC, RFC 9438: its rules about growth, losses, time-outs, and times in which the window is not used. What comes of them: test_cubic_paths.c.
 */
#include "support/unit.h"

#include <math.h>

#include "base/prng.h"
#include "support/cubic_flow.h"

enum { MSS = 1448 };

static void the_cube_root_is_exact(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 3);
    assert_int_equal(cubic_root(0), 0);
    assert_int_equal(cubic_root(UINT64_MAX), 2642245);
    for (uint64_t r = 1; r <= 2642245; r += r < 3000 ? 1 : 1 + prng_below(&p, 500)) {
        assert_int_equal(cubic_root(r * r * r), r);
        assert_int_equal(cubic_root(r * r * r - 1), r - 1);
        if (r < 2642245)
            assert_int_equal(cubic_root((r + 1) * (r + 1) * (r + 1) - 1), r);
    }
}

static void the_window_is_the_cubic_function_to_the_byte(void **state)                  /* RFC 9438 4.2, Figure 1; RFC 9438 5.1: C = 0.4 */
{
    static const uint32_t mss[] = {1, 48, 536, 1448, 8960, 65483};
    (void)state;
    struct prng p;
    unsigned between = 0;
    prng_seed(&p, 9438);
    for (int n = 0; n < 300000; n++) {
        struct cubic_stage s = {.w_max = prng_below(&p, 1u << (1 + prng_below(&p, 30))), .k_ms = prng_below(&p, 1u << (1 + prng_below(&p, 20)))};
        uint32_t m = mss[prng_below(&p, COUNT_OF(mss))];
        pl_time t = (pl_time)prng_below(&p, 1u << (1 + prng_below(&p, 30))) * PL_MS + prng_below(&p, 1000000);
        long double d = ((long double)(t / PL_MS) - s.k_ms) / 1000, w = s.w_max + 0.4L * d * d * d * m;
        uint32_t got = cubic_window(&s, t, m);
        if (w <= 1)
            assert_true(got <= 2);
        else if (w >= 4294967295.0L)
            assert_true(got >= UINT32_MAX - 1);
        else
            assert_true(fabsl(got - w) <= 1 + w * 1e-12L);
        between += w > 1 && w < 4294967295.0L && got != s.w_max;
    }
    assert_true(between > 50000);
}

static void far_away_from_k_the_window_is_out_of_bounds_whatever_the_mss(void **state)
{
    (void)state;
    struct cubic_stage s = {.w_max = 1 << 30, .k_ms = 1300000};
    assert_int_equal(cubic_window(&s, 3600 * 24 * 1000 * PL_S, 1), UINT32_MAX);
    assert_int_equal(cubic_window(&s, (pl_time)INT64_MAX, 65535), UINT32_MAX);
    s.w_max = 0;
    assert_int_equal(cubic_window(&s, 0, 1), 0);
}

static void the_window_grows_by_half_in_a_round_trip_at_most(void **state)              /* RFC 9438 4.2: target <= 1.5 cwnd */
{
    (void)state;
    for (unsigned ms = 10; ms <= 10000; ms *= 10) {
        struct flow f;
        flow_after_a_loss(&f, MSS, 1000 * MSS, ms * PL_MS);
        f.now += 1000 * PL_S;             /* of use, though nothing was heard: far beyond K */
        f.c.seen = f.now;
        uint32_t before = f.cc.cwnd;
        flow_round(&f, 1u << 20);
        assert_in_range(f.cc.cwnd, before + before / 4, before / 2 * 3 + before / 5);   /* the window grows within the round: e^0.5 = 1.65 */
        before = f.cc.cwnd;
        flow_ack(&f, before);
        assert_in_range(f.cc.cwnd, before, before / 2 * 3 + 1);
    }
}

/* RFC 9438 4.3-b */
static void renos_estimate_grows_by_9_17_of_a_segment_a_window_and_by_one_from_cwnd_prior_on(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 20 * MSS, 10 * PL_MS);         /* K = 2.5 s: Reno is ahead */
    double before = f.cc.cwnd;
    for (int round = 0; round < 10; round++)
        flow_round(&f, 1000);
    assert_true(fabs((f.cc.cwnd - before) / MSS - 10 * 9 / 17.0) < 0.2);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "Reno-friendly");
    while (f.cc.cwnd < 20 * MSS)
        flow_round(&f, 1000);
    before = f.cc.cwnd;
    for (int round = 0; round < 10; round++)
        flow_round(&f, 1000);
    assert_true(fabs((f.cc.cwnd - before) / MSS - 10) < 0.4);
    before = f.cc.cwnd;
    flow_ack(&f, 100 * f.cc.cwnd);             /* of windows that are long gone: as one; RFC 5681 3.1 */
    assert_in_range(f.cc.cwnd - before, 0, MSS + 1);
    flow_lose(&f);
    flow_ack(&f, MSS);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "concave");
}

/* RFC 9438 4.6-a, 4.6-b */
static void a_loss_sets_ssthresh_to_seven_tenths_of_what_was_in_flight(void **state)
{
    static const struct {
        uint32_t cwnd, flight, ssthresh;
    } rows[] = {{100 * MSS, 100 * MSS, 70 * MSS}, {100 * MSS, 50 * MSS, 35 * MSS}, {3 * MSS, 2 * MSS, 2 * MSS}, {MSS, MSS, 2 * MSS}, {100 * MSS, 0, 2 * MSS},
                {100 * MSS, 130 * MSS, 70 * MSS},         /* more flies than may: from before an earlier reduction */
                {1 << 30, 1 << 30, 751619276}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct flow f;
        flow_init(&f, MSS, rows[i].cwnd, PL_CC_CWND_MAX, 10 * PL_MS);
        cubic_on_loss(NULL, &f.cc, &f.c, f.now, rows[i].flight);
        assert_int_equal(f.cc.ssthresh, rows[i].ssthresh);
        assert_int_equal(f.cc.cwnd, rows[i].cwnd);       /* the stack leads it there (PRR) */
        assert_int_equal(f.c.stage.w_max, rows[i].cwnd);
        assert_int_equal(f.c.stage.cwnd_prior, rows[i].cwnd);
    }
}

/* RFC 9438 4.7-a */
static void a_loss_below_w_max_lowers_it_further(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 1000 * MSS, 1000 * MSS, 10 * PL_MS);
    flow_lose(&f);
    assert_int_equal(f.c.stage.w_max, 1000 * MSS);
    f.cc.cwnd = 900 * MSS;
    flow_lose(&f);
    assert_int_equal(f.c.stage.w_max, 765 * MSS);        /* 900 (1 + 0.7) / 2 */
    assert_int_equal(f.c.stage.cwnd_prior, 900 * MSS);
    f.cc.cwnd = 765 * MSS;
    flow_lose(&f);
    assert_int_equal(f.c.stage.w_max, 765 * MSS);        /* not below: remembered as it is */
    f.cc.cwnd = 1 << 30;
    flow_lose(&f);
    assert_int_equal(f.c.stage.w_max, 1 << 30);
}

static void a_loss_that_leaves_the_window_as_it_is_ends_the_epoch_too(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 2 * MSS, 10 * PL_MS);
    f.now += PL_S;
    flow_lose(&f);
    flow_ack(&f, MSS);
    assert_int_equal(f.cc.cwnd, 2 * MSS);
    assert_true(f.c.stage.epoch == f.now);
}

static void while_a_loss_is_repaired_the_stack_leads_the_window(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 100 * MSS, 200 * MSS, 10 * PL_MS);
    cubic_on_loss(NULL, &f.cc, &f.c, f.now, 100 * MSS);
    f.phase = PL_CC_RECOVERY;
    for (uint32_t n = 0; n < 60; n++) {
        f.cc.cwnd = (100 - n / 2) * MSS;  /* PRR */
        flow_ack(&f, 5 * MSS);
        assert_int_equal(f.cc.cwnd, (100 - n / 2) * MSS);
    }
    f.phase = PL_CC_OPEN;
    f.cc.cwnd = 69 * MSS;                 /* less flew: slow start to ssthresh, then an epoch */
    flow_ack(&f, 40 * MSS);
    assert_int_equal(f.cc.cwnd, 70 * MSS);
    f.now += PL_S;
    flow_ack(&f, 40 * MSS);                    /* the ACK that begins it lets nothing grow, however much it says */
    assert_int_equal(f.cc.cwnd, 70 * MSS);
    assert_true(f.c.stage.epoch == f.now);
    assert_int_equal(f.c.stage.k_ms, 4217);               /* cbrt(30 / 0.4) = 4.2172 s */
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "concave");
}

/* RFC 9438 4.8, 4.6-b, 4.10-a; RFC 5681 3.1 */
static void a_time_out_starts_again_from_one_segment_and_the_next_epoch_has_no_plateau(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 1000 * MSS, 10 * PL_MS);
    uint32_t cwnd = f.cc.cwnd;
    cubic_on_rto(NULL, &f.cc, &f.c, f.now, 100 * MSS, true);
    assert_int_equal(f.cc.cwnd, MSS);
    assert_int_equal(f.cc.ssthresh, 70 * MSS);
    assert_int_equal(f.c.stage.cwnd_prior, cwnd);
    cubic_on_rto(NULL, &f.cc, &f.c, f.now, MSS, false);  /* backed off: ssthresh stays */
    assert_int_equal(f.cc.ssthresh, 70 * MSS);
    f.phase = PL_CC_LOSS;                 /* and slow start goes on while what was lost is repaired; without HyStart++ */
    for (int n = 0; n < 200 && f.cc.cwnd < f.cc.ssthresh; n++) {
        uint32_t before = f.cc.cwnd;
        f.rtt += 10 * PL_MS;
        flow_ack(&f, MSS);
        assert_int_equal(f.cc.cwnd, before + MSS);
    }
    assert_int_equal(f.cc.cwnd, 70 * MSS);
    f.phase = PL_CC_OPEN;
    flow_ack(&f, MSS);
    assert_int_equal(f.c.stage.k_ms, 0);
    assert_int_equal(f.c.stage.w_max, 70 * MSS);
    assert_int_equal(f.c.stage.w_est, 70 * MSS);
    f.rtt = 100 * PL_MS;
    for (int round = 0; round < 40; round++)             /* 0.4 t^3 + 70 after 4 s and a bit; Reno would have 91 */
        flow_round(&f, 1000);
    assert_in_range(f.cc.cwnd, 93 * MSS, 99 * MSS);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "convex");
    flow_lose(&f);
    flow_ack(&f, MSS);
    assert_true(f.c.stage.k_ms > 3000);   /* the first epoch after the time-out only */
}

static void a_loss_before_the_first_epoch_after_a_time_out_has_a_plateau(void **state)  /* Figure 2 */
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 1000 * MSS, 1000 * MSS, 10 * PL_MS);
    cubic_on_rto(NULL, &f.cc, &f.c, f.now, 1000 * MSS, true);
    f.cc.cwnd = 100 * MSS;
    flow_lose(&f);
    flow_ack(&f, MSS);
    assert_int_equal(f.c.stage.w_max, 85 * MSS);         /* 4.7 */
    assert_int_equal(f.c.stage.k_ms, 3347);               /* cbrt((85 - 70) / 0.4) */
}

/* RFC 9438 4.9.2-a, 4.9.2-b */
static void a_spurious_loss_leaves_no_trace(void **state)
{
    (void)state;
    for (int timeout = 0; timeout < 2; timeout++) {
        struct flow f, calm;
        flow_after_a_loss(&f, MSS, 1000 * MSS, 100 * PL_MS);
        for (int round = 0; round < 20; round++)
            flow_round(&f, 100);
        calm = f;
        if (timeout) {
            cubic_on_rto(NULL, &f.cc, &f.c, f.now, f.cc.cwnd, true);
            cubic_on_rto(NULL, &f.cc, &f.c, f.now, f.cc.cwnd, false);
            f.phase = PL_CC_LOSS;
        } else {
            cubic_on_loss(NULL, &f.cc, &f.c, f.now, f.cc.cwnd);
            f.phase = PL_CC_RECOVERY;
            f.cc.cwnd -= 100 * MSS;       /* PRR */
        }
        flow_ack(&f, MSS);
        cubic_on_undo(NULL, &f.cc, &f.c, f.now);
        f.phase = PL_CC_OPEN;
        assert_int_equal(f.cc.cwnd, calm.cc.cwnd);
        assert_int_equal(f.cc.ssthresh, calm.cc.ssthresh);
        assert_memory_equal(&f.c.stage, &calm.c.stage, sizeof f.c.stage);
        for (int round = 0; round < 100; round++) {
            flow_round(&f, 100);
            flow_round(&calm, 100);
            assert_int_equal(f.cc.cwnd, calm.cc.cwnd);
        }
    }
}

static void an_undo_in_the_initial_slow_start_goes_on_with_it(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 10 * MSS, PL_CC_CWND_MAX, 20 * PL_MS);
    flow_round(&f, 100);
    f.rtt = 60 * PL_MS;
    flow_round(&f, 100);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "conservative slow start");
    uint32_t before = f.cc.cwnd;
    cubic_on_rto(NULL, &f.cc, &f.c, f.now, before, true);
    f.phase = PL_CC_LOSS;
    flow_ack(&f, MSS);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "slow start");
    cubic_on_undo(NULL, &f.cc, &f.c, f.now);
    f.phase = PL_CC_OPEN;
    assert_int_equal(f.cc.ssthresh, PL_CC_CWND_MAX);
    assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "conservative slow start");
    flow_ack(&f, MSS);
    assert_int_equal(f.cc.cwnd, before + MSS / 4);
}

/* RFC 9438 4.9.2-c */
static void an_undo_that_comes_late_changes_nothing(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 20 * MSS, 10 * PL_MS);
    while (f.cc.cwnd <= 20 * MSS)
        flow_round(&f, 100);
    struct flow before = f;
    cubic_on_undo(NULL, &f.cc, &f.c, f.now);
    assert_memory_equal(&f.cc, &before.cc, sizeof f.cc);
    assert_memory_equal(&f.c.stage, &before.c.stage, sizeof f.c.stage);
    f.cc.cwnd = MSS;                      /* nor one that answers to nothing */
    cubic_on_undo(NULL, &f.cc, &f.c, f.now);
    assert_int_equal(f.cc.cwnd, MSS);
}

/* A path of one flow: 1250 segments a second, 50 ms and a queue of any length. */
static void play_path_round(struct flow *f)
{
    double segments = (double)f->cc.cwnd / MSS;
    f->rtt = (pl_time)(fmax(50, segments / 1.25) * 1e6);
    flow_round(f, 1u << 20);
}

/* RFC 9438 4.10-b; RFC 9406 4.3-a, 4.3-e; RFC 9438 4.10: K = 0, W_max = cwnd_prior = cwnd */
static void slow_start_ends_without_a_loss_where_the_queue_begins(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 10 * MSS, PL_CC_CWND_MAX, 50 * PL_MS);
    for (int round = 0; round < 30 && f.cc.ssthresh == PL_CC_CWND_MAX; round++)
        play_path_round(&f);
    uint32_t segments = f.cc.ssthresh / MSS;
    assert_in_range(segments, 62, 400);   /* a bandwidth-delay product is 62: CSS takes 1.25^5 = 3.1 of what slow start reached */
    assert_int_equal(f.c.stage.w_max, f.c.stage.cwnd_prior);
    assert_int_equal(f.c.stage.k_ms, 0);
    uint32_t before = f.cc.cwnd;
    play_path_round(&f);
    assert_in_range(f.cc.cwnd, before, before + MSS + MSS / 2);      /* alpha is 1: W_est has reached cwnd_prior */
}

/* RFC 9438 4.10-a */
static void below_ssthresh_there_is_slow_start(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 10 * MSS, 40 * MSS, 50 * PL_MS);
    for (uint32_t n = 11; n <= 40; n++) {
        assert_string_equal(cubic_on_describe(NULL, &f.cc, &f.c), "slow start");
        flow_ack(&f, MSS);
        assert_int_equal(f.cc.cwnd, n * MSS);
    }
    flow_ack(&f, MSS);
    flow_ack(&f, MSS);
    assert_in_range(f.cc.cwnd, 40 * MSS, 40 * MSS + MSS / 10);
}

/* RFC 9438 4.2-a, 4.6-c, 5.8 */
static void time_in_which_the_window_is_not_used_does_not_count(void **state)
{
    (void)state;
    struct flow busy, lazy;
    flow_after_a_loss(&busy, MSS, 1000 * MSS, 100 * PL_MS);
    lazy = busy;
    for (int round = 0; round < 100; round++) {
        flow_round(&busy, 50);
        flow_round(&lazy, 50);
        assert_int_equal(lazy.cc.cwnd, busy.cc.cwnd);
        if (round % 10 == 3) {            /* a minute of little to do */
            uint32_t before = lazy.cc.cwnd;
            lazy.idle = true;
            for (int n = 0; n < 600; n++) {
                lazy.now += 100 * PL_MS;
                flow_ack(&lazy, MSS);
            }
            lazy.idle = false;
            assert_int_equal(lazy.cc.cwnd, before);
        }
        if (round % 10 == 7) {            /* an hour of nothing */
            lazy.now += 3600 * PL_S;
            cubic_on_restart(NULL, &lazy.cc, &lazy.c, lazy.now, 3600 * PL_S, true);
        }
    }
    assert_true(busy.cc.cwnd > 1000 * MSS);
}

static void who_else_changes_the_window_or_the_mss_ends_the_epoch(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 1000 * MSS, 100 * PL_MS);
    for (int round = 0; round < 10; round++)
        flow_round(&f, 50);
    f.cc.cwnd = 100 * MSS;                /* validated, RFC 7661 */
    f.cc.ssthresh = 80 * MSS;
    flow_ack(&f, MSS);
    assert_int_equal(f.cc.cwnd, 100 * MSS);              /* not back to Reno's estimate at once */
    assert_true(f.c.stage.epoch == f.now);
    assert_int_equal(f.c.stage.k_ms, 13103);             /* cbrt(900 / 0.4) */
    f.now += PL_S;
    f.cc.mss = 500;
    flow_ack(&f, 500);
    assert_true(f.c.stage.epoch == f.now);
}

static void only_the_first_epoch_after_a_time_out_has_no_plateau(void **state)          /* RFC 9438 4.8 */
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 100 * MSS, 100 * MSS, 10 * PL_MS);
    cubic_on_rto(NULL, &f.cc, &f.c, f.now, 100 * MSS, true);
    f.cc.cwnd = f.cc.ssthresh;
    flow_ack(&f, MSS);
    assert_int_equal(f.c.stage.k_ms, 0);
    f.cc.ssthresh = f.cc.cwnd = 60 * MSS;
    flow_ack(&f, MSS);
    assert_int_equal(f.c.stage.w_max, 70 * MSS);
    assert_int_equal(f.c.stage.k_ms, 2924);              /* cbrt(10 / 0.4) */
}

static void who_comes_from_another_algorithm_goes_on_with_its_window_unpaced(void **state)
{
    (void)state;
    struct flow f;
    flow_init(&f, MSS, 100 * MSS, 50 * MSS, 10 * PL_MS);
    memset(&f.c, 0, sizeof f.c);
    f.cc.pacing_rate = 1000000;
    f.cc.quantum = 3000;
    cubic_on_start(NULL, &f.cc, &f.c, f.now, f.rtt);
    assert_true(f.cc.pacing_rate == 0 && f.cc.quantum == 0);
    assert_int_equal(f.cc.cwnd, 100 * MSS);
    assert_int_equal(f.cc.ssthresh, 50 * MSS);
    flow_ack(&f, MSS);
    assert_int_equal(f.c.stage.w_max, 100 * MSS);
    assert_int_equal(f.c.stage.k_ms, 0);
}

static void days_without_a_loss_are_survived(void **state)
{
    (void)state;
    struct flow f;
    flow_after_a_loss(&f, MSS, 1000 * MSS, PL_S);
    uint32_t before = f.cc.cwnd;
    for (int hour = 0; hour < 24 * 10; hour++) {
        f.now += 3600 * PL_S;
        flow_ack(&f, f.cc.cwnd);
        assert_in_range(f.cc.cwnd, before, PL_CC_CWND_MAX);
        before = f.cc.cwnd;
    }
    assert_int_equal(f.cc.cwnd, PL_CC_CWND_MAX);
}

static void whatever_happens_the_window_only_falls_by_losses_and_is_bounded(void **state)
{
    (void)state;
    struct prng p;
    struct flow f;
    prng_seed(&p, 8312);
    flow_init(&f, 536, 5360, PL_CC_CWND_MAX, PL_MS);
    for (int n = 0; n < 1000000; n++) {
        uint32_t bytes = prng_below(&p, 1u << (1 + prng_below(&p, 30))), before = f.cc.cwnd;
        f.now += prng_below(&p, 1u << (1 + prng_below(&p, 31)));
        f.rtt = prng_below(&p, 1u << (1 + prng_below(&p, 31)));
        f.idle = prng_below(&p, 5) == 0;
        if (prng_below(&p, 1000) == 0)
            f.now += (pl_time)prng_below(&p, 1u << 30) * PL_MS;
        switch (prng_below(&p, 300)) {
        case 0: cubic_on_rto(NULL, &f.cc, &f.c, f.now, bytes, prng_below(&p, 2)); before = 0; break;
        case 1: cubic_on_loss(NULL, &f.cc, &f.c, f.now, bytes); f.phase = PL_CC_RECOVERY; break;
        case 2: cubic_on_undo(NULL, &f.cc, &f.c, f.now); break;
        case 3: cubic_on_restart(NULL, &f.cc, &f.c, f.now, bytes, true); break;
        case 4: f.cc.mss = 1 + prng_below(&p, 65535); break;
        case 5: f.cc.cwnd = f.cc.mss + prng_below(&p, 1 << 20); before = 0; break;
        case 6: f.cc.cwnd = PL_CC_CWND_MAX - prng_below(&p, 100); before = 0; break;
        case 7: memset(&f.c, 0, sizeof f.c), cubic_on_start(NULL, &f.cc, &f.c, f.now, f.rtt); break;
        default: flow_ack(&f, bytes); f.phase = f.phase == PL_CC_RECOVERY && prng_below(&p, 5) ? PL_CC_RECOVERY : PL_CC_OPEN; break;
        }
        assert_in_range(f.cc.cwnd, before ? before : 1, PL_CC_CWND_MAX);
        assert_in_range(f.cc.ssthresh, 2, PL_CC_CWND_MAX);
        assert_true(f.c.stage.w_max <= PL_CC_CWND_MAX && f.c.stage.w_est <= PL_CC_CWND_MAX && f.c.stage.epoch <= f.now);
        assert_non_null(cubic_on_describe(NULL, &f.cc, &f.c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cube_root_is_exact),
        cmocka_unit_test(the_window_is_the_cubic_function_to_the_byte),
        cmocka_unit_test(far_away_from_k_the_window_is_out_of_bounds_whatever_the_mss),
        cmocka_unit_test(the_window_grows_by_half_in_a_round_trip_at_most),
        cmocka_unit_test(renos_estimate_grows_by_9_17_of_a_segment_a_window_and_by_one_from_cwnd_prior_on),
        cmocka_unit_test(a_loss_sets_ssthresh_to_seven_tenths_of_what_was_in_flight),
        cmocka_unit_test(a_loss_below_w_max_lowers_it_further),
        cmocka_unit_test(a_loss_that_leaves_the_window_as_it_is_ends_the_epoch_too),
        cmocka_unit_test(while_a_loss_is_repaired_the_stack_leads_the_window),
        cmocka_unit_test(a_time_out_starts_again_from_one_segment_and_the_next_epoch_has_no_plateau),
        cmocka_unit_test(a_loss_before_the_first_epoch_after_a_time_out_has_a_plateau),
        cmocka_unit_test(a_spurious_loss_leaves_no_trace),
        cmocka_unit_test(an_undo_in_the_initial_slow_start_goes_on_with_it),
        cmocka_unit_test(an_undo_that_comes_late_changes_nothing),
        cmocka_unit_test(slow_start_ends_without_a_loss_where_the_queue_begins),
        cmocka_unit_test(below_ssthresh_there_is_slow_start),
        cmocka_unit_test(time_in_which_the_window_is_not_used_does_not_count),
        cmocka_unit_test(who_else_changes_the_window_or_the_mss_ends_the_epoch),
        cmocka_unit_test(only_the_first_epoch_after_a_time_out_has_no_plateau),
        cmocka_unit_test(who_comes_from_another_algorithm_goes_on_with_its_window_unpaced),
        cmocka_unit_test(days_without_a_loss_are_survived),
        cmocka_unit_test(whatever_happens_the_window_only_falls_by_losses_and_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
