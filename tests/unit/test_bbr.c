/* SPDX-License-Identifier: MIT
 *
 * BBR's rules one by one, through the functions that the stack calls: draft-ietf-ccwg-bbr section 5. What becomes of them on a link: test_bbr_link.c.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "support/cc_link.h"
#include "transport/tcp/cc/bbr.h"
#include "transport/tcp/cc/bbr_state.h"

enum { MSS = 1460 };
#define MBIT 1000000ull
#define BDP(mbit, ms) ((uint32_t)((mbit) * 125 * (ms)))

static struct bbr *inside(struct cc_flow *f) { return (struct bbr *)(void *)f->state; }
static unsigned percent(uint64_t part, uint64_t whole) { return (unsigned)((part * 100 + whole / 2) / whole); }
static struct cc_flow *one(struct cc_link *l, uint64_t mbit, unsigned ms, uint32_t queue_bytes)
{
    cc_link_init(l, mbit * MBIT, ms * PL_MS, queue_bytes);
    return cc_link_add(l, &bbr_ops, l->now);
}

/* A flow that nothing happened to; and ACKs for it, made by hand. */
struct bare {
    struct pl_cc cc;
    uint64_t state[PL_CC_STATE_BYTES / 8];
    struct bbr *b;
    struct pl_cc_ack a;
};
static void start(struct bare *x, pl_time srtt)
{
    memset(x, 0, sizeof *x);
    x->cc = (struct pl_cc){.cwnd = 10 * MSS, .ssthresh = PL_CC_CWND_MAX, .mss = MSS};
    x->b = (struct bbr *)(void *)x->state;
    x->a = (struct pl_cc_ack){.now = 1 * PL_S, .phase = PL_CC_OPEN};
    bbr_on_start(NULL, &x->cc, x->state, x->a.now, srtt);
}
/* `bytes` arrive: a round of `rtt` in which they were delivered; so much stays in flight. */
static void round_of(struct bare *x, uint32_t bytes, pl_time rtt, uint32_t in_flight)
{
    x->a.now += rtt;
    x->a.rtt = x->a.srtt = rtt;
    x->a.rate = (struct pl_cc_rate){.valid = true, .delivered = bytes, .interval = rtt, .prior_delivered = x->a.delivered_total, .tx_in_flight = bytes};
    x->a.in_flight_before = in_flight + bytes;
    x->a.in_flight = in_flight;
    x->a.acked = x->a.delivered = bytes;
    x->a.delivered_total += bytes;
    x->a.rate.app_limited = x->a.app_limited;
    bbr_on_ack(NULL, &x->cc, x->state, &x->a);
}
static void lost(struct bare *x, uint32_t seq, uint32_t bytes, uint32_t lost_since_sent, uint32_t tx_in_flight, bool app_limited)
{
    x->a.lost_total += bytes;
    bbr_on_lost(NULL, &x->cc, x->state, &(struct pl_cc_lost){.now = x->a.now, .bytes = bytes, .seq = seq, .delivered_total = x->a.delivered_total,
        .lost_total = x->a.lost_total, .lost_since_sent = lost_since_sent, .tx_in_flight = tx_in_flight, .app_limited = app_limited});
}
static const char *phase(const struct bare *x) { return bbr_on_describe(NULL, &x->cc, x->state); }
/* Three rounds without growth: Startup is over; then little in flight: Drain too; then the time of the next probe, and a round of REFILL. */
static void go_to_up(struct bare *x)
{
    for (int i = 0; i < 5; i++)
        round_of(x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    round_of(x, 100 * MSS, 100 * PL_MS, 50 * MSS);
    assert_string_equal(phase(x), "ProbeBW_CRUISE");
    for (int i = 0; i < 40 && strcmp(phase(x), "ProbeBW_UP") != 0; i++)
        round_of(x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    assert_string_equal(phase(x), "ProbeBW_UP");
}

static void it_starts_at_the_initial_window_over_the_rtt(void **state)                  /* 5.6.2: InitPacingRate; 5.6.4.1 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    assert_int_equal(x.cc.cwnd, 10 * MSS);
    assert_int_equal(x.cc.pacing_rate, 10 * MSS * 10 * 277 / 100);
    assert_int_equal(x.cc.quantum, 2 * MSS);
    assert_string_equal(phase(&x), "Startup");
    start(&x, 0);                         /* not known: 1 ms, until it is */
    assert_int_equal(x.cc.pacing_rate, 10 * MSS * 1000ull * 277 / 100);
    assert_int_equal(x.cc.quantum, 10 * MSS * 277 / 100);
    x.a.srtt = 100 * PL_MS;
    x.a.in_flight = x.a.in_flight_before = MSS;
    bbr_on_ack(NULL, &x.cc, x.state, &x.a);
    assert_int_equal(x.cc.pacing_rate, 10 * MSS * 10 * 277 / 100);
}

static void each_state_has_its_gain(void **state)                                       /* 5.6.1 */
{
    static const struct {
        const char *phase;
        unsigned pacing, pacing_at_most, cwnd;
    } rows[] = {{"Startup", 274, 400, 200}, {"Drain", 49, 50, 200}, {"ProbeBW_CRUISE", 99, 99, 200}, {"ProbeBW_REFILL", 99, 99, 200},
                {"ProbeBW_UP", 124, 124, 225}, {"ProbeBW_DOWN", 89, 89, 200}, {"ProbeRTT", 99, 99, 50}};
    struct cc_link l;
    struct cc_flow *f = one(&l, 50, 40, 4 * BDP(50, 40));
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].phase, "ProbeRTT") == 0)
            l.rtt += 20 * PL_MS;
        assert_true(cc_link_run_to_phase(&l, f, rows[i].phase, 6 * PL_S));
        cc_link_run(&l, l.rtt / 4);
        assert_string_equal(cc_flow_phase(f), rows[i].phase);
        const struct bbr *b = inside(f);
        if (b->bw)
            assert_in_range(percent(f->cc.pacing_rate, b->bw), rows[i].pacing, rows[i].pacing_at_most);
        uint64_t bdp = b->bw * (b->min_rtt / 1000) / 1000000;
        if (i)
            /* and what comes in heaps */
            assert_in_range(percent(rows[i].cwnd == 50 ? f->cc.cwnd : b->max_inflight, bdp), rows[i].cwnd - 1, rows[i].cwnd + 6);
    }
    cc_link_free(&l);
}

static void startup_ends_when_many_places_of_a_round_are_lost(void **state)             /* 5.3.1.3; A.2 */
{
    static const struct {
        unsigned places, gap, tx_in_flight, phase, ends;
    } rows[] = {
        {6, 2 * MSS, 100 * MSS, PL_CC_RECOVERY, true},
        {5, 2 * MSS, 100 * MSS, PL_CC_RECOVERY, false},  /* too few places */
        {6, MSS, 100 * MSS, PL_CC_RECOVERY, false},      /* side by side: one place */
        {6, 2 * MSS, 300 * MSS, PL_CC_RECOVERY, false},  /* no more than 2 % */
        {6, 2 * MSS, 100 * MSS, PL_CC_LOSS, false},      /* after a time-out */
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        for (int app_limited = 0; app_limited < 2; app_limited++) {
            struct bare x;
            start(&x, 50 * PL_MS);        /* the BDP is half of what arrives in a round: the larger counts */
            x.a.app_limited = app_limited;
            round_of(&x, 50 * MSS, 100 * PL_MS, 100 * MSS);
            for (unsigned n = 0; n < rows[i].places; n++)
                lost(&x, n * rows[i].gap, MSS, (n + 1) * MSS, rows[i].tx_in_flight, app_limited);
            bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);
            x.a.phase = (uint8_t)rows[i].phase;
            round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);             /* what was sent before it */
            x.a.rate.lost = 0;
            assert_string_equal(phase(&x), "Startup");
            x.a.now += 100 * PL_MS;       /* and after: of that round 6 are lost */
            x.a.rate.prior_delivered = x.a.delivered_total;
            x.a.rate.lost = rows[i].places * MSS;
            x.a.rate.tx_in_flight = rows[i].tx_in_flight;
            for (unsigned n = 0; n < rows[i].places; n++)
                lost(&x, n * rows[i].gap, MSS, (n + 1) * MSS, rows[i].tx_in_flight, app_limited);
            x.a.delivered_total += 100 * MSS;
            x.a.in_flight = 300 * MSS;
            bbr_on_ack(NULL, &x.cc, x.state, &x.a);
            assert_string_equal(phase(&x), rows[i].ends ? "Drain" : "Startup");
            assert_int_equal(x.b->full_bw_reached, rows[i].ends);
            if (rows[i].ends) {
                assert_int_equal(x.b->inflight_longterm, 100 * MSS);
                bbr_on_undo(NULL, &x.cc, x.state, x.a.now);              /* 5.5.11.2: nothing was lost: back, and look on */
                assert_string_equal(phase(&x), "Startup");
                assert_false(x.b->full_bw_reached);
                assert_true(x.b->inflight_longterm == BBR_INFINITY);
            }
        }
}

static void without_sack_one_loss_ends_startup(void **state)                            /* 5.3.1.3 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    x.a.no_sack = true;
    round_of(&x, 50 * MSS, 100 * PL_MS, 100 * MSS);
    bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);           /* all that is known */
    x.a.phase = PL_CC_RECOVERY;
    round_of(&x, 50 * MSS, 100 * PL_MS, 300 * MSS);
    assert_string_equal(phase(&x), "Drain");
}

static void drain_ends_after_three_rounds_at_the_latest(void **state)                   /* 5.3.2; A.4 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    for (int i = 0; i < 5; i++)
        round_of(&x, 100 * MSS, 100 * PL_MS, 200 * MSS);
    assert_string_equal(phase(&x), "Drain");
    for (int i = 0; i < 3; i++) {
        round_of(&x, 90 * MSS, 100 * PL_MS, 200 * MSS);
        assert_string_equal(phase(&x), i < 2 ? "Drain" : "ProbeBW_DOWN");
    }
}

/* In flight before the lost burst: 98 segments, of which one was lost: 0.98 more would have made 2 %. */
static void what_was_in_flight_when_losses_grew_too_many_is_the_bound(void **state)     /* 5.5.10.2: InflightAtLoss; A.21 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, MSS, MSS, 100 * MSS, false);             /* 1 % */
    assert_string_equal(phase(&x), "ProbeBW_UP");
    assert_true(x.b->inflight_longterm == BBR_INFINITY);
    lost(&x, MSS, 2 * MSS, 3 * MSS, 100 * MSS, false);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    assert_int_equal(x.b->inflight_longterm, 98 * MSS + (98 * MSS * 2 - 100 * MSS) / 98);
    lost(&x, 3 * MSS, 40 * MSS, 43 * MSS, 50 * MSS, false);          /* once for each probe */
    assert_int_equal(x.b->inflight_longterm, 98 * MSS + (98 * MSS * 2 - 100 * MSS) / 98);
}

static void the_bound_falls_by_three_tenths_at_most(void **state)                       /* 5.5.10.2: Beta */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 10 * MSS, false);
    assert_int_equal(x.b->inflight_longterm, 70 * MSS);  /* 0.7 of bw * min_rtt */
}

static void a_program_with_little_to_send_ends_the_probe_but_sets_no_bound(void **state) /* 5.5.10.2; A.6 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 100 * MSS, true);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    assert_true(x.b->inflight_longterm == BBR_INFINITY);
}

static void without_sack_any_loss_ends_the_probe(void **state)                          /* 5.5.10.2: IsInflightTooHigh */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    x.a.no_sack = true;
    go_to_up(&x);
    bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 130 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    assert_in_range(x.b->inflight_longterm, 129 * MSS, 130 * MSS);
    x.a.phase = PL_CC_RECOVERY;
    round_of(&x, 50 * MSS, 100 * PL_MS, 130 * MSS);
    bbr_on_recovered(NULL, &x.cc, x.state, x.a.now);
    bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);           /* once for each probe; but the short term hears of it */
    assert_in_range(x.b->inflight_longterm, 129 * MSS, 130 * MSS);
    round_of(&x, 50 * MSS, 100 * PL_MS, 130 * MSS);
    assert_true(x.b->bw_shortterm < x.b->max_bw);
}

static void a_loss_that_was_none_is_undone(void **state)                                /* 5.5.11; A.18, A.19 */
{
    (void)state;
    for (int rto = 0; rto < 2; rto++) {
        struct bare x;
        start(&x, 100 * PL_MS);
        go_to_up(&x);
        x.b->inflight_longterm = 300 * MSS;
        x.b->inflight_shortterm = 250 * MSS;
        x.b->bw_shortterm = 2 * x.b->max_bw;
        uint32_t cwnd = x.cc.cwnd;
        for (uint32_t n = 1; n <= 5; n++) /* the third is too many, and the last must not be what is saved */
            lost(&x, n * 2 * MSS, MSS, n * MSS, 100 * MSS, false);
        if (rto)
            bbr_on_rto(NULL, &x.cc, x.state, x.a.now, 100 * MSS, true);
        else
            bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);
        x.a.phase = rto ? PL_CC_LOSS : PL_CC_RECOVERY;
        assert_string_equal(phase(&x), "ProbeBW_DOWN");
        assert_in_range(x.b->inflight_longterm, 95 * MSS, 100 * MSS);
        assert_int_equal(x.cc.cwnd, rto ? 101 * MSS : cwnd);
        if (!rto) {
            round_of(&x, 10 * MSS, 100 * PL_MS, 100 * MSS);
            assert_true(x.b->inflight_shortterm < 250 * MSS);
        }
        bbr_on_undo(NULL, &x.cc, x.state, x.a.now);
        assert_string_equal(phase(&x), "ProbeBW_REFILL");
        assert_int_equal(x.b->inflight_longterm, 300 * MSS);
        assert_int_equal(x.cc.cwnd, cwnd);
        x.b->state = BBR_PROBE_BW_CRUISE;
        bbr_on_undo(NULL, &x.cc, x.state, x.a.now);      /* it is undone already */
        assert_string_equal(phase(&x), "ProbeBW_CRUISE");
    }
}

static void a_time_out_lets_one_segment_go_and_the_window_comes_back(void **state)      /* 5.6.4.4 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    uint32_t cwnd = x.cc.cwnd;
    bbr_on_rto(NULL, &x.cc, x.state, x.a.now, 100 * MSS, true);
    lost(&x, 0, 60 * MSS, 60 * MSS, 100 * MSS, false);
    assert_int_equal(x.cc.cwnd, 41 * MSS);               /* what is still in flight, and one more */
    lost(&x, 60 * MSS, 40 * MSS, 100 * MSS, 100 * MSS, false);
    assert_int_equal(x.cc.cwnd, MSS);
    bbr_on_rto(NULL, &x.cc, x.state, x.a.now, MSS, false);
    lost(&x, 0, MSS, MSS, MSS, false);
    assert_int_equal(x.cc.cwnd, MSS);
    x.a.phase = PL_CC_LOSS;
    round_of(&x, MSS, 100 * PL_MS, 0);
    assert_int_equal(x.cc.cwnd, 4 * MSS); /* 5.6.4.6: BBR.MinPipeCwnd */
    struct bare copy = x;
    bbr_on_recovered(NULL, &x.cc, x.state, x.a.now);
    assert_int_equal(x.cc.cwnd, cwnd);
    x.b->no_sack = true;                  /* then all is lost */
    bbr_on_rto(NULL, &x.cc, x.state, x.a.now, 100 * MSS, true);
    assert_int_equal(x.cc.cwnd, MSS);
    copy.a.phase = PL_CC_OPEN;            /* or nobody says that it is over */
    round_of(&copy, MSS, 100 * PL_MS, 0);
    assert_in_range(copy.cc.cwnd, 30 * MSS, cwnd);       /* as far as the model lets it */
}

/* Cruising, of each round something is lost: as fast as arrived, but at most 0.7 less; until REFILL. */
static void losses_while_cruising_bound_the_short_term(void **state)                    /* 5.5.10.3 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    for (int i = 0; i < 5; i++)
        round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    round_of(&x, 100 * MSS, 100 * PL_MS, 50 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_CRUISE");
    round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    uint64_t full = x.b->max_bw;
    assert_int_equal(full, 1000 * MSS);
    assert_int_equal(x.cc.pacing_rate, full * 99 / 100);
    lost(&x, 0, 10 * MSS, 10 * MSS, 100 * MSS, false);
    round_of(&x, 95 * MSS, 100 * PL_MS, 90 * MSS);       /* of the round before the loss */
    assert_true(x.b->bw_shortterm == full);              /* bw_latest is the largest of the round */
    lost(&x, 20 * MSS, MSS, MSS, 100 * MSS, false);
    round_of(&x, 95 * MSS, 100 * PL_MS, 90 * MSS);
    assert_int_equal(x.b->bw_shortterm, 950 * MSS);
    assert_int_equal(x.cc.pacing_rate, 950 * MSS);       /* and no margin below it */
    assert_int_equal(x.b->inflight_shortterm, 95 * MSS > x.cc.cwnd * 7 / 10 ? 95 * MSS : x.b->inflight_shortterm);
    lost(&x, 40 * MSS, MSS, MSS, 100 * MSS, false);
    round_of(&x, 95 * MSS, 100 * PL_MS, 90 * MSS);
    lost(&x, 60 * MSS, 90 * MSS, 90 * MSS, 100 * MSS, false);
    round_of(&x, 5 * MSS, 100 * PL_MS, 90 * MSS);        /* (of what was sent before) */
    lost(&x, 300 * MSS, 90 * MSS, 90 * MSS, 100 * MSS, false);
    round_of(&x, 5 * MSS, 100 * PL_MS, 90 * MSS);
    assert_int_equal(x.b->bw_shortterm, 950 * MSS * 7 / 10);
    for (int i = 0; i < 40 && strcmp(phase(&x), "ProbeBW_REFILL") != 0; i++)
        round_of(&x, 50 * MSS, 100 * PL_MS, 50 * MSS);
    assert_true(x.b->bw_shortterm == BBR_BW_INFINITY && x.b->inflight_shortterm == BBR_INFINITY);
    assert_int_equal(x.cc.pacing_rate, full * 99 / 100);
}

static void after_a_probe_that_went_too_far_the_next_is_short(void **state)             /* 5.3.3.6 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 120 * MSS, false);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    x.b->inflight_longterm = 120 * MSS;
    round_of(&x, 100 * MSS, 100 * PL_MS, 90 * MSS);
    for (int i = 0; i < 40 && strcmp(phase(&x), "ProbeBW_UP") != 0; i++)
        round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_UP");
    round_of(&x, 100 * MSS, 100 * PL_MS, 110 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_UP");
    round_of(&x, 100 * MSS, 100 * PL_MS, 130 * MSS);     /* as much as was too much */
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    assert_true(x.b->prev_probe_precautionary && !x.b->prev_probe_too_high);
    round_of(&x, 100 * MSS, 100 * PL_MS, 130 * MSS);     /* nothing was lost: on, at once */
    assert_string_equal(phase(&x), "ProbeBW_REFILL");
    assert_false(x.b->prev_probe_precautionary);
}

/* While UP uses all of inflight_longterm, it grows by 1, 2, 4 ... segments a round. */
static void the_bound_rises_faster_and_faster(void **state)                             /* 5.3.3.5: RaiseInflightLongtermSlope; A.15 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    x.b->inflight_longterm = x.cc.cwnd = 150 * MSS;
    uint32_t was = x.b->inflight_longterm, grown[6];
    for (int i = 0; i < 6; i++) {
        uint32_t bytes = x.b->inflight_longterm;
        for (int part = 0; part < 50; part++) {          /* a round in as many ACKs */
            x.a.rate.prior_delivered = part ? 0 : x.a.delivered_total;
            x.a.now += 2 * PL_MS;
            x.a.in_flight_before = x.a.rate.delivered = x.a.rate.tx_in_flight = x.cc.cwnd = x.b->inflight_longterm;
            x.a.delivered = bytes / 50;
            x.a.delivered_total += bytes / 50;
            x.b->max_bw_filter[1] = x.b->max_bw = 4000 * MSS;        /* the model allows more */
            bbr_on_ack(NULL, &x.cc, x.state, &x.a);
        }
        grown[i] = (x.b->inflight_longterm - was) / MSS;
        was = x.b->inflight_longterm;
    }
    assert_string_equal(phase(&x), "ProbeBW_UP");        /* the plateau does not count while the bound binds */
    for (int i = 2; i < 6; i++)
        assert_in_range(grown[i], grown[i - 1] * 3 / 2, grown[i - 1] * 3);
}

static void probe_rtt_in_startup_leads_back_to_startup(void **state)                    /* 5.3.4.4; A.20 */
{
    (void)state;
    struct cc_link l;
    struct cc_flow *f = one(&l, 20, 40, BDP(20, 40));
    f->app_rate = l.rate / 5;
    f->app_at = l.now;
    cc_link_run(&l, 2 * PL_S);
    l.rtt = 60 * PL_MS;
    assert_true(cc_link_run_to_phase(&l, f, "ProbeRTT", 6 * PL_S));
    f->app_rate = 0;                      /* what is measured now carries ProbeRTT's own mark, and ends nothing */
    assert_true(cc_link_run_to_phase(&l, f, "Startup", 1 * PL_S));
    assert_false(inside(f)->full_bw_reached);
    cc_link_run(&l, 2 * PL_S);
    assert_true(inside(f)->full_bw_reached);
    cc_link_free(&l);
}

static void what_probe_rtt_measures_is_not_the_path(void **state)                       /* 5.3.4.3: MarkConnectionAppLimited */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    x.b->state = BBR_PROBE_BW_CRUISE;
    for (int i = 0; i < 60 && strcmp(phase(&x), "ProbeRTT") != 0; i++) {
        x.b->cycle_stamp = x.a.now;
        x.b->rounds_since_probe_up = 0;
        round_of(&x, 100 * MSS, 120 * PL_MS, 100 * MSS);
    }
    assert_string_equal(phase(&x), "ProbeRTT");
    assert_int_equal(x.cc.cwnd, bbr_probe_rtt_cwnd(x.b, MSS));
    uint64_t max_bw = x.b->max_bw;
    x.b->max_bw_filter[0] = 0;
    x.b->max_bw_filter[1] = 0;            /* nothing else holds it up */
    struct bare copy = x;
    copy.b = (struct bbr *)(void *)copy.state;
    copy.a.delivered_total--;             /* sent before it */
    round_of(&copy, 20 * MSS, 120 * PL_MS, 30 * MSS);
    assert_true(copy.b->max_bw < max_bw);
    round_of(&x, 20 * MSS, 120 * PL_MS, 30 * MSS);
    round_of(&x, 20 * MSS, 120 * PL_MS, 30 * MSS);
    assert_true(x.b->max_bw == max_bw);
    round_of(&x, 20 * MSS, 120 * PL_MS, 30 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_CRUISE");
    assert_true(x.cc.cwnd > 100 * MSS);   /* 5.6.4.5: restored */
    round_of(&x, 30 * MSS, 120 * PL_MS, 30 * MSS);       /* sent in it */
    round_of(&x, 30 * MSS, 120 * PL_MS, 30 * MSS);       /* and before that had arrived */
    assert_true(x.b->max_bw == max_bw);
    round_of(&x, 90 * MSS, 120 * PL_MS, 90 * MSS);       /* sent after it */
    assert_true(x.b->max_bw == 90 * MSS * PL_S / (120 * PL_MS));
}

static void startup_goes_on_while_a_round_brings_a_quarter_more(void **state)           /* 5.3.1.2 */
{
    (void)state;
    for (uint32_t each = 8; each <= 9; each++) {         /* 24 % in three rounds: over; 27 %: not, for it counts anew */
        struct bare x;
        start(&x, 100 * PL_MS);
        for (uint32_t i = 0; i < 4; i++)
            round_of(&x, (100 + each * i) * MSS, 100 * PL_MS, 400 * MSS);
        assert_int_equal(x.b->full_bw_reached, each == 8);
    }
}

static void what_an_idle_program_could_do_may_raise_max_bw_but_not_lower_it(void **state) /* 5.5.5, 5.5.6 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
    x.a.app_limited = true;
    round_of(&x, 120 * MSS, 100 * PL_MS, 100 * MSS);
    assert_int_equal(x.b->max_bw, 1200 * MSS);
    bbr_advance_max_bw_filter(x.b);
    round_of(&x, 50 * MSS, 100 * PL_MS, 100 * MSS);
    assert_int_equal(x.b->max_bw_filter[1], 0);
    bbr_advance_max_bw_filter(x.b);       /* a cycle without a sample forgets none */
    bbr_advance_max_bw_filter(x.b);
    x.a.app_limited = false;
    round_of(&x, 50 * MSS, 100 * PL_MS, 100 * MSS);
    assert_int_equal(x.b->max_bw, 1200 * MSS);
    bbr_advance_max_bw_filter(x.b);
    round_of(&x, 40 * MSS, 100 * PL_MS, 100 * MSS);
    assert_int_equal(x.b->max_bw, 500 * MSS);            /* two cycles */
}

static void up_lasts_three_rounds_without_growth(void **state)                          /* 5.3.3.7 */
{
    (void)state;
    for (int app_limited = 0; app_limited < 2; app_limited++) {
        struct bare x;
        start(&x, 100 * PL_MS);
        go_to_up(&x);
        round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
        round_of(&x, 100 * MSS, 100 * PL_MS, 100 * MSS);
        assert_string_equal(phase(&x), "ProbeBW_UP");
        round_of(&x, 100 * MSS, 100 * PL_MS, 150 * MSS);
        assert_string_equal(phase(&x), "ProbeBW_DOWN");
        uint64_t cycle = x.b->max_bw_filter[1];
        assert_true(cycle > 0);
        x.a.app_limited = app_limited;    /* 5.5.6: a cycle is over when its probe was measured, not when the program was idle */
        round_of(&x, 100 * MSS, 100 * PL_MS, 150 * MSS);
        assert_int_equal(x.b->max_bw_filter[1], app_limited ? cycle : 0);
        /* 5.5.10.2: what is lost from then on is no answer to the probe */
        lost(&x, 0, 30 * MSS, 30 * MSS, 100 * MSS, false);
        assert_true(x.b->inflight_longterm == BBR_INFINITY);
    }
}

static void down_leaves_headroom_below_the_bound(void **state)                          /* 5.3.3.1; A.8 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 100 * MSS, false);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    x.b->inflight_longterm = 100 * MSS;
    round_of(&x, 90 * MSS, 100 * PL_MS, 86 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    assert_int_equal(x.cc.cwnd, 100 * MSS);
    round_of(&x, 90 * MSS, 100 * PL_MS, 85 * MSS);
    assert_string_equal(phase(&x), "ProbeBW_CRUISE");
    assert_int_equal(x.cc.cwnd, 85 * MSS);
}

static void what_down_sends_slowly_is_not_taken_for_the_path(void **state)              /* 5.5.10.3, docs/decisions/0008 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 100 * MSS, false);     /* has its answer; the short-term model needs none */
    assert_string_equal(phase(&x), "ProbeBW_DOWN");
    for (int before = 1; before >= 0; before--) {        /* sent before DOWN, sent in it */
        lost(&x, 10 * MSS, MSS, MSS, 100 * MSS, false);
        x.a.now += 100 * PL_MS;
        x.a.rate = (struct pl_cc_rate){.valid = true, .delivered = 81 * MSS, .interval = 100 * PL_MS};
        x.a.rate.prior_delivered = x.a.delivered_total - (uint32_t)before;
        x.a.delivered = 40 * MSS;
        x.a.delivered_total += 40 * MSS;
        x.a.in_flight = 140 * MSS;
        x.b->loss_round_delivered = x.a.rate.prior_delivered;
        bbr_on_ack(NULL, &x.cc, x.state, &x.a);
        assert_string_equal(phase(&x), "ProbeBW_DOWN");
        assert_int_equal(x.b->bw_shortterm, before ? 810 * MSS : 900 * MSS);
        bbr_reset_short_term_model(x.b);
        bbr_reset_congestion_signals(x.b);
    }
}

static void a_loss_in_the_probe_is_answered_once(void **state)                          /* 5.3.3.9: ResetCongestionSignals */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    lost(&x, 0, 3 * MSS, 3 * MSS, 100 * MSS, false);
    round_of(&x, 50 * MSS, 100 * PL_MS, 140 * MSS);
    assert_true(x.b->bw_shortterm == BBR_BW_INFINITY);
    lost(&x, 9 * MSS, MSS, MSS, 100 * MSS, false);
    round_of(&x, 50 * MSS, 100 * PL_MS, 140 * MSS);
    uint64_t bound = x.b->bw_shortterm;
    assert_true(bound < x.b->max_bw);
    round_of(&x, 20 * MSS, 100 * PL_MS, 140 * MSS);      /* and a round without a loss asks for none */
    round_of(&x, 20 * MSS, 100 * PL_MS, 140 * MSS);
    assert_true(x.b->bw_shortterm == bound);
}

/* What is restored is what was so when the episode that is undone began. */
static void each_episode_has_its_own_undo(void **state)                                 /* 5.5.11.1 */
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct bare x;
        start(&x, 100 * PL_MS);
        go_to_up(&x);
        x.b->bw_shortterm = 700 * MSS;
        lost(&x, 0, 3 * MSS, 3 * MSS, 100 * MSS, false); /* ends UP */
        if (how) {
            bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);
            bbr_on_recovered(NULL, &x.cc, x.state, x.a.now);
            x.a.phase = PL_CC_LOSS;
        }
        round_of(&x, 90 * MSS, 100 * PL_MS, 140 * MSS);  /* how 0: OPEN as ever */
        uint32_t bound = x.b->inflight_longterm = 55 * MSS;
        x.b->bw_shortterm = 600 * MSS;
        lost(&x, 9 * MSS, MSS, MSS, 100 * MSS, false);
        bbr_on_loss(NULL, &x.cc, x.state, x.a.now, 100 * MSS);
        x.b->bw_shortterm = 500 * MSS;
        x.b->full_bw_count = 2;
        bbr_on_undo(NULL, &x.cc, x.state, x.a.now);
        assert_string_equal(phase(&x), "ProbeBW_DOWN");  /* this one ended no probe */
        assert_int_equal(x.b->inflight_longterm, bound);
        assert_int_equal(x.b->bw_shortterm, 600 * MSS);
        assert_int_equal(x.b->full_bw_count, 0);
    }
}

static void a_restart_counts_only_if_the_program_was_silent(void **state)               /* 5.4.1 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    go_to_up(&x);
    uint64_t rate = x.cc.pacing_rate;
    bbr_on_restart(NULL, &x.cc, x.state, x.a.now + PL_S, PL_S, false);
    assert_true(x.cc.pacing_rate == rate && !x.b->idle_restart);
    bbr_on_restart(NULL, &x.cc, x.state, x.a.now + PL_S, PL_S, true);
    assert_int_equal(x.cc.pacing_rate, 1000 * MSS * 99 / 100);
    assert_true(x.b->idle_restart && x.b->extra_acked_interval_start == x.a.now + PL_S);
    /* silent in ProbeRTT for long enough: it is over */
    x.b->state = BBR_PROBE_RTT;
    x.b->probe_rtt_done_stamp = x.a.now + PL_S;
    x.b->prior_cwnd = 100 * MSS;
    x.cc.cwnd = 50 * MSS;
    bbr_on_restart(NULL, &x.cc, x.state, x.a.now + PL_S, PL_S, true);
    assert_string_equal(phase(&x), "ProbeRTT");
    bbr_on_restart(NULL, &x.cc, x.state, x.a.now + PL_S + 1, PL_S, true);
    assert_string_equal(phase(&x), "ProbeBW_CRUISE");
    assert_int_equal(x.cc.cwnd, 100 * MSS);
    assert_true(x.b->probe_rtt_min_stamp == x.a.now + PL_S + 1);
}

static void without_a_sample_it_stays_paced_and_three_quanta_fit(void **state)          /* 5.6.2, 5.5.8.1, 5.6.4.2 */
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    uint64_t rate = x.cc.pacing_rate;
    x.b->full_bw_reached = true;
    x.a.delivered = x.a.delivered_total = MSS;
    bbr_on_ack(NULL, &x.cc, x.state, &x.a);
    assert_true(x.cc.pacing_rate == rate);
    assert_int_equal(bbr_inflight(x.b, &x.cc, 0, 100), 6 * MSS);
    x.cc.quantum = 65536;
    assert_int_equal(bbr_inflight(x.b, &x.cc, 0, 100), 3 * 65536);
    x.b->state = BBR_PROBE_BW_UP;
    assert_int_equal(bbr_inflight(x.b, &x.cc, 0, 100), 3 * 65536 + 2 * MSS);
    assert_int_equal(bbr_inflight(x.b, &x.cc, 1000000 * 10, 50), 500000 + 2 * MSS);
}

static void a_hundred_gigabits_overflow_nothing(void **state)
{
    (void)state;
    struct bare x;
    start(&x, 100 * PL_MS);
    for (int i = 0; i < 12; i++)
        round_of(&x, 1250000000, 100 * PL_MS, 500000000);            /* 100 Gbit/s for 100 ms */
    assert_int_equal(x.b->max_bw, 12500000000);
    assert_int_equal(x.cc.cwnd, PL_CC_CWND_MAX);
    assert_in_range(x.cc.pacing_rate, 6000000000, 40000000000);
    assert_int_equal(x.cc.quantum, 65536);
    assert_true(bbr_bytes_in(12500000000, 300 * PL_MS) == 3750000000);
    assert_true(bbr_bytes_in(BBR_BW_MAX, 1000000 * PL_S) == BBR_BW_MAX * 1000000);
    assert_true(bbr_bytes_in(BBR_BW_MAX, PL_NEVER - 1) >= BBR_BW_MAX * 1000000);
    assert_true(bbr_bytes_in(1000, 1500 * PL_US) == 1);
    round_of(&x, 1 << 30, 1, 0);          /* a rate that no path has */
    assert_int_equal(x.b->max_bw, BBR_BW_MAX);
    assert_in_range(x.cc.pacing_rate, 1, BBR_BW_MAX * 3);
}

static void whatever_is_told_it_goes_on(void **state)
{
    (void)state;
    struct prng p;
    struct bare x;
    prng_seed(&p, 3);
    for (int run = 0; run < 200; run++) {
        start(&x, prng_below(&p, 2) * 50 * PL_MS);
        x.a.no_sack = prng_below(&p, 4) == 0;
        for (int i = 0; i < 400; i++) {
            uint32_t some = prng_below(&p, 200) * MSS + prng_below(&p, 3), flight = prng_below(&p, 400) * MSS;
            x.a.now += prng_next(&p) >> (28 + prng_below(&p, 36));
            x.a.phase = (uint8_t)prng_below(&p, 3);
            x.a.una += some;
            switch (prng_below(&p, 10)) {
            case 0:
                bbr_on_loss(NULL, &x.cc, x.state, x.a.now, flight);
                break;
            case 1:
                bbr_on_rto(NULL, &x.cc, x.state, x.a.now, flight, prng_below(&p, 2));
                break;
            case 2:
                bbr_on_recovered(NULL, &x.cc, x.state, x.a.now);
                break;
            case 3:
                bbr_on_undo(NULL, &x.cc, x.state, x.a.now);
                break;
            case 4:
                bbr_on_restart(NULL, &x.cc, x.state, x.a.now, 1 * PL_S, prng_below(&p, 2));
                break;
            case 5:
            case 6:
                lost(&x, prng_below(&p, 1000) * MSS, some, some + prng_below(&p, 9) * MSS, prng_below(&p, 300) * MSS, prng_below(&p, 4) == 0);
                break;
            default:
                x.a.app_limited = prng_below(&p, 5) == 0;
                round_of(&x, some, prng_below(&p, 300) * PL_MS + 1, flight);
                x.a.rtt = prng_below(&p, 8) ? x.a.rtt : 0;
            }
            assert_in_range(x.cc.cwnd, MSS, PL_CC_CWND_MAX);
            assert_in_range(x.cc.pacing_rate, 1, BBR_BW_MAX * 3);
            assert_in_range(x.cc.quantum, 2 * MSS, 65536);
            assert_non_null(phase(&x));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_at_the_initial_window_over_the_rtt),
        cmocka_unit_test(each_state_has_its_gain),
        cmocka_unit_test(startup_ends_when_many_places_of_a_round_are_lost),
        cmocka_unit_test(without_sack_one_loss_ends_startup),
        cmocka_unit_test(drain_ends_after_three_rounds_at_the_latest),
        cmocka_unit_test(what_was_in_flight_when_losses_grew_too_many_is_the_bound),
        cmocka_unit_test(the_bound_falls_by_three_tenths_at_most),
        cmocka_unit_test(a_program_with_little_to_send_ends_the_probe_but_sets_no_bound),
        cmocka_unit_test(without_sack_any_loss_ends_the_probe),
        cmocka_unit_test(a_loss_that_was_none_is_undone),
        cmocka_unit_test(a_time_out_lets_one_segment_go_and_the_window_comes_back),
        cmocka_unit_test(losses_while_cruising_bound_the_short_term),
        cmocka_unit_test(after_a_probe_that_went_too_far_the_next_is_short),
        cmocka_unit_test(the_bound_rises_faster_and_faster),
        cmocka_unit_test(probe_rtt_in_startup_leads_back_to_startup),
        cmocka_unit_test(what_probe_rtt_measures_is_not_the_path),
        cmocka_unit_test(startup_goes_on_while_a_round_brings_a_quarter_more),
        cmocka_unit_test(what_an_idle_program_could_do_may_raise_max_bw_but_not_lower_it),
        cmocka_unit_test(up_lasts_three_rounds_without_growth),
        cmocka_unit_test(down_leaves_headroom_below_the_bound),
        cmocka_unit_test(what_down_sends_slowly_is_not_taken_for_the_path),
        cmocka_unit_test(a_loss_in_the_probe_is_answered_once),
        cmocka_unit_test(each_episode_has_its_own_undo),
        cmocka_unit_test(a_restart_counts_only_if_the_program_was_silent),
        cmocka_unit_test(without_a_sample_it_stays_paced_and_three_quanta_fit),
        cmocka_unit_test(a_hundred_gigabits_overflow_nothing),
        cmocka_unit_test(whatever_is_told_it_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
