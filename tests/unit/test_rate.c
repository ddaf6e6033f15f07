/* SPDX-License-Identifier: MIT
 *
 * Delivery-rate samples, draft-ietf-ccwg-bbr section 4.1.
 */
#include "support/unit.h"

#include "transport/tcp/models/rate.h"

enum { MSS = 1000 };
struct sent {
    struct rate_snapshot p;
    pl_time at;
    uint32_t end, bytes;
};

static void send_one(struct rate *c, struct sent *s, pl_time now, uint32_t seq, uint32_t in_flight)
{
    *s = (struct sent){.at = now, .end = seq + MSS, .bytes = MSS};
    rate_sent(c, &s->p, now, MSS, in_flight);
}
static void arrived(struct rate *c, struct rate_round *rs, const struct sent *s, pl_time now) { rate_delivered(c, rs, &s->p, s->bytes, s->at, s->end, now); }
static struct pl_cc_rate one_ack(struct rate *c, const struct sent *s, pl_time now, pl_time min_rtt)
{
    struct rate_round rs = {0};
    struct pl_cc_rate out;
    arrived(c, &rs, s, now);
    rate_finish(c, &rs, min_rtt, &out);
    return out;
}

/* A link of 1 segment each 10 ms, 40 ms away, a window of 6: the samples are the link's rate. */
static void a_steady_flight_measures_the_link(void **state)                             /* 4.1.1.2.4 */
{
    (void)state;
    struct rate c = {0};
    struct sent s[64];
    pl_time t = 1 * PL_S, ack_at[64];
    for (unsigned i = 0; i < 6; i++) {
        send_one(&c, &s[i], t, i * MSS, (i + 1) * MSS);
        ack_at[i] = t + 40 * PL_MS + (i + 1) * 10 * PL_MS;
    }
    for (unsigned i = 0; i + 6 < COUNT_OF(s); i++) {
        struct pl_cc_rate r = one_ack(&c, &s[i], ack_at[i], 50 * PL_MS);
        assert_true(r.valid && !r.app_limited);
        if (i >= 12) {                                   /* before, the six that went at once stand in the sums */
            assert_int_equal(r.delivered, 6 * MSS);
            assert_true(r.interval == 60 * PL_MS);
            assert_int_equal(r.tx_in_flight, 6 * MSS);
            assert_int_equal(r.prior_delivered, (i - 5) * MSS);
        }
        send_one(&c, &s[i + 6], ack_at[i], (i + 6) * MSS, 6 * MSS);
        ack_at[i + 6] = ack_at[i + 5] + 10 * PL_MS;
    }
}

static void acks_that_bunch_do_not_raise_the_rate_above_that_of_sending(void **state)   /* 4.1.1.2.2, 4.1.1.2.3 */
{
    (void)state;
    struct rate c = {0};
    struct sent s[10];
    for (unsigned i = 0; i < 10; i++)
        send_one(&c, &s[i], 10 * PL_MS * i, i * MSS, (i + 1) * MSS);
    /* the ACK of the first comes at 100 ms, and that of all others 1 ms later */
    struct pl_cc_rate r = one_ack(&c, &s[0], 100 * PL_MS, 0);
    assert_true(r.valid && r.delivered == MSS && r.interval == 100 * PL_MS);
    send_one(&c, &s[0], 100 * PL_MS, 10 * MSS, 10 * MSS);
    struct rate_round rs = {0};
    for (unsigned i = 1; i < 10; i++)
        arrived(&c, &rs, &s[i], 101 * PL_MS);
    rate_finish(&c, &rs, 0, &r);
    assert_int_equal(r.delivered, 10 * MSS);             /* of the last: it was sent before anything had arrived */
    assert_true(r.interval == 101 * PL_MS);
    /* what was sent 100 ms after the first was: 10 segments arrived since, 1 ms after; but they took 90 ms to send */
    r = one_ack(&c, &s[0], 102 * PL_MS, 0);
    assert_true(r.interval == 100 * PL_MS && r.delivered == 10 * MSS);
}

static void the_newest_transmission_counts_not_the_highest_number(void **state)         /* 4.1.2.3: IsNewestPacket */
{
    (void)state;
    struct rate c = {0};
    struct sent first, second, again;
    send_one(&c, &first, 0, 0, MSS);
    send_one(&c, &second, 1 * PL_MS, MSS, 2 * MSS);
    c.delivered = 500;                                   /* so that the snapshots differ */
    send_one(&c, &again, 20 * PL_MS, 0, 2 * MSS);        /* the first, repeated */
    struct rate_round rs = {0};
    struct pl_cc_rate r;
    arrived(&c, &rs, &again, 60 * PL_MS);
    arrived(&c, &rs, &second, 60 * PL_MS);
    rate_finish(&c, &rs, 0, &r);
    assert_int_equal(r.prior_delivered, 500);
    assert_true(c.first_send_time == again.at);
    assert_int_equal(rs.newly_acked, 2 * MSS);
}

/* Two sent at the same moment: the one that ends later is the newer. The numbers may wrap between them. */
static void of_two_sent_at_once_the_later_end_is_the_newer(void **state)                /* 4.1.2.3: IsNewestPacket */
{
    (void)state;
    struct rate c = {0};
    struct sent a, b, before;
    send_one(&c, &before, 0, UINT32_MAX - 2000, MSS);
    send_one(&c, &a, 5 * PL_MS, UINT32_MAX - 999 - MSS, 2 * MSS);
    c.lost = 77;
    send_one(&c, &b, 5 * PL_MS, UINT32_MAX - 999, 3 * MSS);
    struct rate_round rs = {0};
    struct pl_cc_rate r;
    arrived(&c, &rs, &a, 9 * PL_MS);
    assert_int_equal(rs.lost, 0);
    arrived(&c, &rs, &b, 9 * PL_MS);
    assert_int_equal(rs.lost, 77);
    struct rate_round other = {0};
    arrived(&c, &other, &b, 9 * PL_MS);
    arrived(&c, &other, &a, 9 * PL_MS);
    rate_finish(&c, &other, 0, &r);
    assert_int_equal(r.tx_in_flight, 3 * MSS);
}

static void an_interval_below_the_smallest_rtt_is_no_sample(void **state)               /* 4.1.2.3, 4.1.3.5 */
{
    (void)state;
    struct rate c = {0};
    struct sent s;
    send_one(&c, &s, 0, 0, MSS);
    struct rate copy = c;
    assert_true(one_ack(&copy, &s, 30 * PL_MS, 30 * PL_MS).valid);
    copy = c;
    struct pl_cc_rate r = one_ack(&copy, &s, 30 * PL_MS, 31 * PL_MS);
    assert_false(r.valid);
    assert_int_equal(r.delivered, MSS);                  /* the counts hold nevertheless */
    copy = c;
    assert_false(one_ack(&copy, &s, 0, 0).valid);        /* no time has passed */
    struct rate_round rs = {0};
    rate_finish(&c, &rs, 0, &r);
    assert_false(r.valid);                               /* nothing arrived */
    assert_true(r.delivered == 0 && r.prior_delivered == 0);
}

static void after_silence_the_interval_starts_anew(void **state)                        /* 4.1.2.2: OnPacketSent */
{
    (void)state;
    struct rate c = {0};
    struct sent s, two;
    send_one(&c, &s, 0, 0, MSS);
    one_ack(&c, &s, 50 * PL_MS, 0);
    send_one(&c, &s, 10 * PL_S, MSS, MSS);
    send_one(&c, &two, 10 * PL_S + 5 * PL_MS, 2 * MSS, 2 * MSS);     /* in flight already: the interval goes on */
    assert_true(two.p.first_send_time == 10 * PL_S);
    struct pl_cc_rate r = one_ack(&c, &s, 10 * PL_S + 50 * PL_MS, 0);
    assert_true(r.interval == 50 * PL_MS && r.delivered == MSS);
}

static void a_gap_in_the_stream_marks_samples_until_it_is_acknowledged(void **state)    /* 4.1.1.3, 4.1.2.4 */
{
    (void)state;
    struct rate c = {0};
    struct sent s[4];
    send_one(&c, &s[0], 0, 0, MSS);
    send_one(&c, &s[1], 0, MSS, 2 * MSS);
    rate_limited(&c, 0, 0, 2 * MSS, 10 * MSS);
    assert_true(c.app_limited == 2 * MSS);
    send_one(&c, &s[2], 1 * PL_MS, 2 * MSS, 3 * MSS);
    assert_false(one_ack(&c, &s[0], 50 * PL_MS, 0).app_limited);     /* sent before */
    assert_false(one_ack(&c, &s[1], 50 * PL_MS, 0).app_limited);
    assert_true(c.app_limited != 0);                     /* all that was sent before the gap has arrived, nothing beyond it */
    assert_true(one_ack(&c, &s[2], 51 * PL_MS, 0).app_limited);
    assert_true(c.app_limited == 0);
    send_one(&c, &s[3], 52 * PL_MS, 3 * MSS, MSS);
    assert_false(one_ack(&c, &s[3], 99 * PL_MS, 0).app_limited);
}

static void it_is_no_gap_while_something_waits_or_the_window_is_full(void **state)      /* 4.1.2.4: CheckIfApplicationLimited */
{
    (void)state;
    struct rate c = {0};
    rate_limited(&c, 1, 0, 2 * MSS, 10 * MSS);
    assert_true(c.app_limited == 0);
    rate_limited(&c, 0, 1, 2 * MSS, 10 * MSS);
    assert_true(c.app_limited == 0);
    rate_limited(&c, 0, 0, 10 * MSS, 10 * MSS);
    assert_true(c.app_limited == 0);
    rate_limited(&c, 0, 0, 0, 10 * MSS);                 /* at the very start: not 0, which means none */
    assert_true(c.app_limited == 1);
}

static void what_was_lost_since_the_sending_is_counted(void **state)                    /* 2.3: RS.lost, 5.5.10.2 */
{
    (void)state;
    struct rate c = {.lost = 12345};
    struct sent s[3];
    struct pl_cc_lost why;
    struct rate_round rs = {0};
    for (unsigned i = 0; i < 3; i++)
        send_one(&c, &s[i], i * PL_MS, i * MSS, (i + 1) * MSS);
    rate_lost(&c, &rs, &s[0].p, 0, 400, 50 * PL_MS, &why);  /* a part of it */
    assert_int_equal(why.lost_since_sent, 400);
    rate_lost(&c, &rs, &s[0].p, 400, 600, 50 * PL_MS, NULL);
    rate_lost(&c, NULL, &s[1].p, MSS, MSS, 51 * PL_MS, &why); /* by a timer */
    assert_int_equal(rs.newly_lost, 1000);
    assert_true(why.bytes == MSS && why.seq == MSS);
    assert_int_equal(why.lost_since_sent, 2000);
    assert_true(why.lost_total == 14345 && why.delivered_total == 0 && why.now == 51 * PL_MS);
    assert_int_equal(why.tx_in_flight, 2 * MSS);
    assert_int_equal(one_ack(&c, &s[2], 60 * PL_MS, 0).lost, 2000);
}

static void totals_beyond_4_gib_are_rebuilt_from_32_bits(void **state)
{
    (void)state;
    const uint64_t start = ((uint64_t)7 << 32) - 1500, lost = ((uint64_t)3 << 32) - 10;
    struct rate c = {.delivered = start, .lost = lost};
    struct sent s[3];
    struct pl_cc_lost why;
    for (unsigned i = 0; i < 3; i++)
        send_one(&c, &s[i], i * PL_MS, i * MSS, (i + 1) * MSS);
    one_ack(&c, &s[0], 50 * PL_MS, 0);
    rate_lost(&c, NULL, &s[2].p, 2 * MSS, MSS, 51 * PL_MS, &why);
    assert_true(why.prior_delivered == start && why.lost_since_sent == MSS && why.lost_total == lost + MSS);
    struct pl_cc_rate r = one_ack(&c, &s[1], 52 * PL_MS, 0);         /* C.delivered passed the multiple of 2^32 */
    assert_true(c.delivered == start + 2 * MSS);
    assert_true(r.prior_delivered == start && r.delivered == 2 * MSS && r.lost == MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_flight_measures_the_link),
        cmocka_unit_test(acks_that_bunch_do_not_raise_the_rate_above_that_of_sending),
        cmocka_unit_test(the_newest_transmission_counts_not_the_highest_number),
        cmocka_unit_test(of_two_sent_at_once_the_later_end_is_the_newer),
        cmocka_unit_test(an_interval_below_the_smallest_rtt_is_no_sample),
        cmocka_unit_test(after_silence_the_interval_starts_anew),
        cmocka_unit_test(a_gap_in_the_stream_marks_samples_until_it_is_acknowledged),
        cmocka_unit_test(it_is_no_gap_while_something_waits_or_the_window_is_full),
        cmocka_unit_test(what_was_lost_since_the_sending_is_counted),
        cmocka_unit_test(totals_beyond_4_gib_are_rebuilt_from_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
