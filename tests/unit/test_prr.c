/* SPDX-License-Identifier: MIT
 *
 * Proportional rate reduction, RFC 9937: the two examples of its section 8 to the number, and what it promises in section 7.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "transport/tcp/models/prr.h"

enum { MSS = 1000 };

/* The figures count segments: here each is a byte. A sender with 20 in flight and a window of 20, Reno's ssthresh of 10 after a loss, limited transmit,
 * recovery at the third SACK. */
struct sender {
    struct prr p;
    uint32_t cwnd, inflight;              /* in segments, as in the figures */
    unsigned sacks;
    bool recovering;
};

/* A SACK for one segment more; `lost` segments are found to be missing by it. What goes, as in the line "s": 'N', 'R' or ' '. */
static char sack(struct sender *s, uint32_t lost)
{
    if (++s->sacks < 3) {                 /* RFC 3042: it left the network, a new one follows */
        s->inflight--;
        return 'N';
    }
    s->inflight -= 1 + lost;
    bool first = !s->recovering;
    if (first) {
        s->recovering = true;
        /* SND.NXT - SND.UNA = 22, of which 3 are SACKed, 1 of them by this ACK */
        prr_begin(&s->p, 22 - 3 + 1);
    }
    struct prr_ack a = {.delivered = 1, .inflight = s->inflight, .ssthresh = 10, .mss = 1};
    s->cwnd = prr_ack(&s->p, &a);
    if (s->cwnd <= s->inflight)
        return ' ';
    assert_int_equal(s->cwnd, s->inflight + 1);
    prr_sent(&s->p, 1);
    return first ? 'R' : 'N';
}

/* RFC 9937 6.1, 6.2, 6.3, Figure 1: the zeroth segment is lost; the ACKs 1 to 22. At ACK 19 as many are in flight as ssthresh says, and section 6.2 lets one more
 * go with ACK 20, where the figure has it one ACK earlier; all else is as in the figure. */
static void figure_1_a_single_loss(void **state)
{
    static const unsigned c[22] = {20, 20, 19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 10 /* 11 */, 10, 10, 10};
    static const unsigned i[22] = {19, 19, 18, 18, 17, 17, 16, 16, 15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 9 /* 10 */, 9, 9};
    static const char sent[] = "NNR N N N N N N N  NN";
    (void)state;
    struct sender s = {.cwnd = 20, .inflight = 20};
    for (unsigned k = 0; k < 21; k++) {   /* the 22nd ends it: 6.4 */
        char what = sack(&s, k == 2 ? 1 : 0);
        assert_int_equal(s.cwnd, c[k]);
        assert_int_equal(s.inflight, i[k]);
        assert_int_equal(what, sent[k]);
        s.inflight += what != ' ';
    }
    assert_int_equal(s.inflight, 10);     /* and so many are in flight at the end: ssthresh */
}

/* Figure 2: the first fifteen segments are lost, five ACKs come. */
static void figure_2_a_burst_of_losses(void **state)
{
    static const unsigned c[5] = {20, 20, 5, 5, 5}, i[5] = {19, 19, 4, 4, 4};
    (void)state;
    struct sender s = {.cwnd = 20, .inflight = 20};
    for (unsigned k = 0; k < 5; k++) {
        char what = sack(&s, k == 2 ? 15 : 0);
        assert_int_equal(s.cwnd, c[k]);
        assert_int_equal(s.inflight, i[k]);
        assert_true(what == (k < 2 ? 'N' : k == 2 ? 'R' : 'N'));     /* what goes is not PRR's business */
        s.inflight++;
    }
    /* "PRR enters PRR-SSRB and increases the window by exactly 1 segment per ACK until inflight rises to ssthresh" */
    for (unsigned k = 0; k < 20; k++) {
        s.inflight--;
        struct prr_ack a = {.delivered = 1, .inflight = s.inflight, .ssthresh = 10, .mss = 1, .safe = true};
        uint32_t go = prr_ack(&s.p, &a)  - s.inflight;
        assert_int_equal(go, s.inflight < 9 ? 2 : 1);
        prr_sent(&s.p, go);
        s.inflight += go;
    }
    assert_int_equal(s.inflight, 10);
}

/* RFC 9937 6.2: "Force a fast retransmit upon entering recovery", and only then. */
static void the_first_repetition_always_goes(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 100 * MSS);
    struct prr_ack a = {.delivered = 0, .inflight = 90 * MSS, .ssthresh = 10 * MSS, .mss = MSS};
    assert_int_equal(prr_ack(&p, &a), 91 * MSS);
    prr_sent(&p, MSS);
    assert_int_equal(prr_ack(&p, &a), 90 * MSS);
    a.delivered = 9 * MSS;                /* a tenth of it may go, and did */
    assert_int_equal(prr_ack(&p, &a), 90 * MSS);
    a.delivered = MSS + 1;                /* rounded up */
    assert_int_equal(prr_ack(&p, &a), 90 * MSS + 1);
}

/* With nothing to recover it must not divide by nothing. */
static void an_episode_of_nothing_is_one_of_a_byte(void **state)
{
    (void)state;
    struct prr p;
    prr_begin(&p, 0);
    struct prr_ack a = {.delivered = 5, .inflight = 20, .ssthresh = 10, .mss = MSS};
    assert_int_equal(prr_ack(&p, &a), 20 + 50);
}

/* Section 7: "PRR-CRB strictly bounds the data transmitted to be equal to or less than the amount of data delivered": as long as what flies is at most
 * ssthresh and no ACK is safe. And whatever happens, cwnd is never below what flies, and catches up to ssthresh at most. */
static void no_more_goes_than_arrived(void **state)
{
    (void)state;
    struct prng r;
    prng_seed(&r, 9937);
    for (unsigned round = 0; round < 2000; round++) {
        struct prr p;
        uint32_t ssthresh = (2 + prng_below(&r, 100)) * MSS, inflight = ssthresh, arrived = 0, sent = 0;
        prr_begin(&p, 2 * ssthresh);
        for (unsigned n = 0; n < 100; n++) {
            uint32_t gone = 1 + prng_below(&r, 3 * MSS), lost = prng_below(&r, 4) ? 0 : prng_below(&r, 10 * MSS);
            gone = gone < inflight ? gone : inflight;
            inflight -= gone;
            inflight -= lost < inflight ? lost : inflight;
            arrived += gone;
            struct prr_ack a = {.delivered = gone, .inflight = inflight, .ssthresh = ssthresh, .mss = MSS};
            uint32_t cwnd = prr_ack(&p, &a);
            assert_true(cwnd >= inflight && cwnd <= ssthresh);
            if (prng_below(&r, 3)) {      /* the program does not always have something: it catches up later */
                prr_sent(&p, cwnd - inflight);
                sent += cwnd - inflight;
                inflight = cwnd;
            }
            assert_true(sent <= arrived + MSS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figure_1_a_single_loss),
        cmocka_unit_test(figure_2_a_burst_of_losses),
        cmocka_unit_test(the_first_repetition_always_goes),
        cmocka_unit_test(an_episode_of_nothing_is_one_of_a_byte),
        cmocka_unit_test(no_more_goes_than_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
