/* SPDX-License-Identifier: MIT
 *
 * Slow start with HyStart++: RFC 9406. Section 4.2 is written down a second time here, as it stands there, and compared over random ACKs.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/cc/hystart.h"

enum { MSS = 1000 };

/* A sender in slow start. Each flight is acknowledged segment by segment. */
struct sender {
    struct pl_cc cc;
    struct hystart h;
    uint32_t una, nxt;
};

static void sender_init(struct sender *s, uint32_t first)
{
    *s = (struct sender){.cc = {.cwnd = 10 * MSS, .ssthresh = PL_CC_CWND_MAX, .mss = MSS}, .una = first, .nxt = first + 10 * MSS};
}

static void ack(struct sender *s, uint32_t bytes, pl_time rtt)
{
    s->una += bytes;
    struct pl_cc_ack a = {.acked = bytes, .delivered = bytes, .rtt = rtt, .una = s->una, .nxt = s->nxt, .limited = true};
    hystart_slow_start(&s->h, &s->cc, &a);
    s->nxt = s->una + s->cc.cwnd;
}

/* Acknowledges all up to the end of the round. */
static void play_round(struct sender *s, pl_time rtt)
{
    uint32_t end = s->h.started ? s->h.window_end : s->nxt;
    while (s->una != end && s->cc.cwnd < s->cc.ssthresh)
        ack(s, end - s->una < MSS ? end - s->una : MSS, rtt);
}

static void slow_start_grows_by_bytes_acknowledged(void **state)   /* RFC 9406 4.2 */
{
    (void)state;
    struct sender s;
    sender_init(&s, 0);
    ack(&s, MSS, 0);
    assert_int_equal(s.cc.cwnd, 11 * MSS);
    ack(&s, 1, 0);                        /* section 6: dividing ACKs gains nothing; threats V53 */
    assert_int_equal(s.cc.cwnd, 11 * MSS + 1);
    assert_int_equal(s.cc.ssthresh, PL_CC_CWND_MAX);
}

static void an_ack_counts_for_8_mss_at_most_unless_segments_are_paced(void **state)     /* RFC 9406 4.3-c */
{
    (void)state;
    for (unsigned paced = 0; paced < 2; paced++)
        for (uint32_t n = 1; n < 40; n++) {
            struct sender s;
            sender_init(&s, 0);
            struct pl_cc_ack a = {.acked = n * MSS, .una = n * MSS, .nxt = 50 * MSS, .limited = true, .paced = paced};
            hystart_slow_start(&s.h, &s.cc, &a);
            assert_int_equal(s.cc.cwnd, (10 + (paced || n < 8 ? n : 8)) * MSS);
        }
}

static void a_window_that_is_not_used_does_not_grow(void **state)  /* RFC 7661 4.1 */
{
    (void)state;
    struct sender s;
    sender_init(&s, 0);
    struct pl_cc_ack a = {.acked = MSS, .una = MSS, .nxt = 2 * MSS};
    hystart_slow_start(&s.h, &s.cc, &a);
    assert_int_equal(s.cc.cwnd, 10 * MSS);
}

static void slow_start_ends_at_ssthresh_exactly(void **state)
{
    (void)state;
    struct sender s;
    sender_init(&s, 0);
    s.cc.ssthresh = 12 * MSS + 500;
    for (int n = 0; n < 3; n++)
        ack(&s, MSS, 0);
    assert_int_equal(s.cc.cwnd, 12 * MSS + 500);
    s.cc.ssthresh = PL_CC_CWND_MAX;
    s.cc.cwnd = PL_CC_CWND_MAX - 1;
    ack(&s, 5 * MSS, 0);
    assert_int_equal(s.cc.cwnd, PL_CC_CWND_MAX);
}

/* RFC 9406 4.3-a: max(4 ms, min(last / 8, 16 ms)) */
static void css_begins_when_a_rounds_shortest_rtt_exceeds_the_last_by_the_threshold(void **state)
{
    static const struct {
        pl_time last, thresh;
    } rows[] = {{1 * PL_MS, 4 * PL_MS},    {8 * PL_MS, 4 * PL_MS},    {32 * PL_MS, 4 * PL_MS},   {40 * PL_MS, 5 * PL_MS},
                {120 * PL_MS, 15 * PL_MS}, {128 * PL_MS, 16 * PL_MS}, {200 * PL_MS, 16 * PL_MS}, {1 * PL_S, 16 * PL_MS}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct sender s;
        sender_init(&s, 0);
        play_round(&s, rows[i].last);
        play_round(&s, rows[i].last + rows[i].thresh - 1);
        assert_false(s.h.css);
        assert_string_equal(hystart_describe(&s.h, &s.cc), "slow start");
        sender_init(&s, 0);
        play_round(&s, rows[i].last);
        play_round(&s, rows[i].last + rows[i].thresh);
        assert_true(s.h.css);
        assert_string_equal(hystart_describe(&s.h, &s.cc), "conservative slow start");
    }
}

static void fewer_than_8_samples_of_a_round_say_nothing(void **state)                   /* RFC 9406 4.3-b */
{
    (void)state;
    for (int samples = 0; samples <= 12; samples++) {
        struct sender s;
        sender_init(&s, 0);
        play_round(&s, 20 * PL_MS);
        for (int n = 0; n < 12; n++)
            ack(&s, MSS, n < samples ? 60 * PL_MS : 0);   /* an ACK without a sample is none */
        assert_int_equal(s.h.css, samples >= 8);
    }
}

static void the_shortest_of_a_round_counts(void **state)           /* RFC 9406 4.2 */
{
    (void)state;
    struct sender s;
    sender_init(&s, 0);
    play_round(&s, 20 * PL_MS);
    ack(&s, MSS, 20 * PL_MS);             /* one quick one among the slow: no queue that stands */
    for (int n = 0; n < 15; n++)
        ack(&s, MSS, 90 * PL_MS);
    assert_false(s.h.css);
}

static void enter_css(struct sender *s, uint32_t first)
{
    sender_init(s, first);
    play_round(s, 20 * PL_MS);
    for (int n = 0; n < 8; n++)
        ack(s, MSS, 30 * PL_MS);
    assert_true(s->h.css);
}

static void css_grows_by_a_quarter(void **state)                   /* RFC 9406 4.3-a, 4.3-d */
{
    (void)state;
    struct sender s;
    enter_css(&s, 0);
    uint32_t before = s.cc.cwnd;
    ack(&s, MSS, 30 * PL_MS);
    assert_int_equal(s.cc.cwnd, before + MSS / 4);
    ack(&s, 20 * MSS, 30 * PL_MS);        /* L first, then the divisor */
    assert_int_equal(s.cc.cwnd, before + MSS / 4 + 8 * MSS / 4);
}

/* RFC 9406 4.3-a: CSS_ROUNDS is 5; the round in which CSS began is the first of them. At the end ssthresh = cwnd (4.2). Across the wrap of the numbers, too. */
static void five_rounds_of_css_end_slow_start(void **state)
{
    static const uint32_t firsts[] = {0, 0x80000000u - 25000, 0xffffffffu - 30000};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(firsts); i++) {
        struct sender s;
        enter_css(&s, firsts[i]);
        for (int round = 1; round <= 5; round++) {
            assert_int_equal(s.cc.ssthresh, PL_CC_CWND_MAX);
            play_round(&s, 31 * PL_MS);
            assert_int_equal(s.cc.ssthresh, round < 5 ? (uint32_t)PL_CC_CWND_MAX : s.cc.cwnd);
        }
    }
}

static void a_false_alarm_brings_slow_start_back(void **state)     /* RFC 9406 4.2: below cssBaselineMinRtt, of a round with samples enough */
{
    (void)state;
    struct sender s;
    enter_css(&s, 0);
    play_round(&s, 30 * PL_MS);           /* not below the baseline */
    assert_true(s.h.css);
    for (int n = 0; n < 7; n++) {
        ack(&s, MSS, 21 * PL_MS);
        assert_true(s.h.css);
    }
    ack(&s, MSS, 30 * PL_MS);             /* the eighth; the shortest of them is below */
    assert_false(s.h.css);
    uint32_t before = s.cc.cwnd;
    ack(&s, MSS, 30 * PL_MS);
    assert_int_equal(s.cc.cwnd, before + MSS);
    for (int round = 0; round < 20; round++)
        play_round(&s, 21 * PL_MS);
    assert_int_equal(s.cc.ssthresh, PL_CC_CWND_MAX);
}

static void the_rounds_of_an_earlier_css_do_not_count(void **state)
{
    (void)state;
    struct sender s;
    enter_css(&s, 0);
    for (int round = 0; round < 4; round++)
        play_round(&s, 30 * PL_MS);
    assert_int_equal(s.h.css_rounds, 4);
    play_round(&s, 20 * PL_MS);
    assert_false(s.h.css);
    while (!s.h.css)
        ack(&s, MSS, 40 * PL_MS);
    assert_int_equal(s.h.css_rounds, 0);
}

/* RFC 9406 4.3-e */
static void once_a_threshold_is_known_slow_start_is_the_plain_one(void **state)
{
    (void)state;
    struct sender s;
    enter_css(&s, 0);
    s.cc.ssthresh = 1000000;              /* a loss was answered */
    s.cc.cwnd = MSS;
    ack(&s, MSS, 30 * PL_MS);
    assert_int_equal(s.cc.cwnd, 2 * MSS); /* not a quarter */
    assert_string_equal(hystart_describe(&s.h, &s.cc), "slow start");
    for (unsigned n = 0; n < 1000 && s.cc.cwnd < s.cc.ssthresh; n++)
        ack(&s, MSS, (30 + n) * PL_MS);
    assert_int_equal(s.cc.cwnd, 1000000);
    assert_int_equal(s.cc.ssthresh, 1000000);
}

/* RFC 9406 4.2 from its text, with infinity and with segment counts of its own. */
struct as_written {
    uint64_t last, current, baseline, cwnd, ssthresh;
    uint32_t window_end;
    unsigned count, rounds;
    bool css, any;
};

static uint64_t low(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void written_ack(struct as_written *w, const struct pl_cc_ack *a)
{
    const uint64_t infinity = UINT64_MAX;
    if (!w->any) {
        w->any = true;
        w->last = w->current = w->baseline = infinity;
        w->window_end = a->nxt;
    }
    uint64_t n = a->paced ? a->acked : low(a->acked, 8 * MSS);
    w->cwnd += w->css ? n / 4 : n;
    if (a->rtt) {
        w->current = low(w->current, a->rtt);
        w->count++;
        if (!w->css) {
            if (w->count >= 8 && w->current != infinity && w->last != infinity) {
                uint64_t thresh = low(w->last / 8, 16 * PL_MS);
                thresh = thresh > 4 * PL_MS ? thresh : 4 * PL_MS;
                if (w->current >= w->last + thresh) {
                    w->baseline = w->current;
                    w->css = true;
                    w->rounds = 0;
                }
            }
        } else if (w->count >= 8 && w->current < w->baseline) {
            w->baseline = infinity;
            w->css = false;
        }
    }
    if ((int32_t)(a->una - w->window_end) >= 0) {
        w->window_end = a->nxt;
        w->last = w->current;
        w->current = infinity;
        w->count = 0;
        if (w->css && ++w->rounds == 5)
            w->ssthresh = w->cwnd;
    }
}

static void it_does_what_the_pseudocode_says(void **state)         /* RFC 9406 4.2 */
{
    (void)state;
    struct prng p;
    unsigned left_slow_start = 0, entered_css = 0, came_back = 0;
    prng_seed(&p, 9406);
    for (int run = 0; run < 4000; run++) {
        struct sender s;
        struct as_written w = {.cwnd = 10 * MSS, .ssthresh = PL_CC_CWND_MAX};
        sender_init(&s, (uint32_t)prng_next(&p));
        uint32_t base = (1 + prng_below(&p, 200)) * 1000000, jitter = 1 + prng_below(&p, 1u << prng_below(&p, 25));
        uint32_t slope = prng_below(&p, 3) ? prng_below(&p, 60000) : 0;
        bool paced = prng_below(&p, 2);
        for (uint32_t n = 0; n < 3000 && s.cc.cwnd < s.cc.ssthresh && s.cc.cwnd < 20000000; n++) {
            uint32_t bytes = prng_below(&p, 4) ? MSS : 1 + prng_below(&p, 12 * MSS);
            if (bytes > s.nxt - s.una)
                bytes = s.nxt - s.una;
            s.una += bytes;
            bool was = w.css;
            struct pl_cc_ack a = {.acked = bytes, .una = s.una, .nxt = s.nxt, .limited = true, .paced = paced,
                                  .rtt = prng_below(&p, 8) ? base + prng_below(&p, jitter) + (pl_time)n * slope : 0};
            hystart_slow_start(&s.h, &s.cc, &a);
            written_ack(&w, &a);
            assert_true(s.cc.cwnd == w.cwnd);
            assert_true(s.cc.ssthresh == w.ssthresh);
            assert_true(s.h.css == w.css);
            entered_css += !was && w.css;
            came_back += was && !w.css;
            s.nxt = s.una + s.cc.cwnd;
        }
        left_slow_start += s.cc.ssthresh < PL_CC_CWND_MAX;
    }
    assert_true(entered_css > 100 && came_back > 100 && left_slow_start > 100);     /* all of it was tried */
}

/* ACKs that find the window not used are not listened to: the end of the round may be more than 2 GiB behind when it is used again. */
static void a_round_ends_after_two_gigabytes_that_did_not_use_the_window(void **state)
{
    (void)state;
    for (uint32_t gap = 0x10000000u; gap; gap += 0x10000000u) {
        struct sender s;
        sender_init(&s, 0);
        ack(&s, MSS, 20 * PL_MS);
        s.una += gap, s.nxt += gap;
        ack(&s, MSS, 20 * PL_MS);
        assert_int_equal(s.h.window_end, s.una + 10 * MSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_start_grows_by_bytes_acknowledged),
        cmocka_unit_test(an_ack_counts_for_8_mss_at_most_unless_segments_are_paced),
        cmocka_unit_test(a_window_that_is_not_used_does_not_grow),
        cmocka_unit_test(slow_start_ends_at_ssthresh_exactly),
        cmocka_unit_test(css_begins_when_a_rounds_shortest_rtt_exceeds_the_last_by_the_threshold),
        cmocka_unit_test(fewer_than_8_samples_of_a_round_say_nothing),
        cmocka_unit_test(the_shortest_of_a_round_counts),
        cmocka_unit_test(css_grows_by_a_quarter),
        cmocka_unit_test(five_rounds_of_css_end_slow_start),
        cmocka_unit_test(a_false_alarm_brings_slow_start_back),
        cmocka_unit_test(the_rounds_of_an_earlier_css_do_not_count),
        cmocka_unit_test(once_a_threshold_is_known_slow_start_is_the_plain_one),
        cmocka_unit_test(a_round_ends_after_two_gigabytes_that_did_not_use_the_window),
        cmocka_unit_test(it_does_what_the_pseudocode_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
