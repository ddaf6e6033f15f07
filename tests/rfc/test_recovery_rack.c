/* SPDX-License-Identifier: MIT
 *
 * RFC 8985: RACK, step by step, as a peer sees it that is played by hand; a round trip is 100 ms. The models alone: tests/unit/test_rack.c.
 */
#include "support/played.h"

enum { MSS = 1000, RTT_MS = 100 };

static struct pl_config roomy(void)
{
    struct pl_config c = duo_config();
    c.sndbuf_bytes = 65536;
    c.chunks_max = 400;
    c.records_max = c.records_per_conn_max = 200;
    c.congestion_control = PL_CC_NEWRENO;
    c.loss_probe = false;
    return c;
}

static void opened(struct played *p, void **state)
{
    struct pl_config c = roomy();
    played_init(p, SIX(state), &c);
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED, .mss = MSS}, 60000, RTT_MS * PL_MS, NULL);
}

/* So many segments, a millisecond apart. */
static void flight(struct played *p, unsigned segments)
{
    for (unsigned n = 0; n < segments; n++) {
        played_sends(p, MSS);
        assert_int_equal(played_drains(p), 1);
        p->d.now += PL_MS;
    }
}

static void a_round_trip_later(struct played *p) { p->d.now += RTT_MS * PL_MS; }

/* A lost segment is repeated at this moment, and neither earlier nor later. */
static void repeated_at(struct played *p, uint32_t seq, pl_time at)
{
    struct forged s;
    assert_true(played_hears(p, &s));
    assert_int_equal(s.seq, seq);
    if (p->d.now != at)
        fail_msg("repeated at %llu us, not at %llu", (unsigned long long)(p->d.now / PL_US), (unsigned long long)(at / PL_US));
}

/* RFC 8985 6.2, RFC 8985 6.2-b: sent at T, something sent later has arrived: it is lost at T + RTT + min_RTT / 4, and a timer tells. RFC 8985 4-b */
static void a_segment_is_lost_when_reordering_explains_it_no_more(void **state)
{
    struct played p;
    opened(&p, state);
    pl_time start = p.d.now;
    flight(&p, 2);
    p.d.now = start + 101 * PL_MS;
    played_sacks(&p, 0, MSS, 2 * MSS);
    assert_int_equal(played_drains(&p), 0);
    repeated_at(&p, 0, start + 125 * PL_MS);
    assert_int_equal(played_status(&p).retransmits, 1);
    played_free(&p);
}

/* RFC 8985 3.3.2-a: three SACKed, and no reordering was seen: no window. One of three lies before the hole in time but not in sequence: it counts. */
static void three_reported_segments_leave_no_time(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    flight(&p, 6);
    a_round_trip_later(&p);
    played_sacks(&p, 0, MSS, 3 * MSS);
    assert_int_equal(played_drains(&p), 0);
    played_sacks(&p, 0, MSS, 4 * MSS);
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 0);
    assert_int_equal(played_drains(&p), 0);
    played_free(&p);
}

/* RFC 8985 3.3.2-a: nor is there one while a loss is repaired: the next hole is taken for lost as soon as something behind it has arrived. */
static void while_a_loss_is_repaired_there_is_no_window(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    flight(&p, 8);
    a_round_trip_later(&p);
    played_sacks(&p, 0, MSS, 4 * MSS);
    assert_true(played_takes(&p, &s) && s.seq == 0);
    p.d.now += 5 * PL_MS;
    struct forged f = played_segment(&p, PL_ACK, 0, 0, 0);           /* the fifth is missing as well; only one behind it has arrived */
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 2, .sack = {{p.first + 5 * MSS, p.first + 6 * MSS}, {p.first + MSS, p.first + 4 * MSS}}};
    duo_give_segment(&p.d, 1, &f);
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 4 * MSS);
    played_free(&p);
}

/* An original arrives after one that was sent later: RFC 8985 6.2 step 3. From then on three reports are no loss, time alone decides. */
static void reorders_once(struct played *p, uint32_t from)
{
    flight(p, 2);
    a_round_trip_later(p);
    played_sacks(p, from, from + MSS, from + 2 * MSS);
    p->d.now += 2 * PL_MS;
    played_sacks(p, from + 2 * MSS, 0, 0);
    assert_int_equal(played_status(p).retransmits, 0);
}

static void once_reordering_was_seen_only_time_decides(void **state)
{
    struct played p;
    opened(&p, state);
    reorders_once(&p, 0);
    flight(&p, 8);
    pl_time start = p.d.now - 8 * PL_MS;
    p.d.now = start + 107 * PL_MS;
    played_sacks(&p, 2 * MSS, 3 * MSS, 9 * MSS);         /* six */
    assert_int_equal(played_drains(&p), 0);
    p.d.now = start + 123 * PL_MS;
    played_sacks(&p, 10 * MSS, 0, 0);     /* it was only late */
    played_wait(&p, p.d.now + 5 * PL_S);
    assert_int_equal(played_status(&p).retransmits, 0);
    /* and if it is not: a quarter of the shortest round trip after the longest time that it could have taken */
    flight(&p, 4);
    start = p.d.now - 4 * PL_MS;
    p.d.now = start + 102 * PL_MS;
    played_sacks(&p, 10 * MSS, 11 * MSS, 13 * MSS);
    repeated_at(&p, 10 * MSS, start + 100 * PL_MS + 25 * PL_MS);
    played_free(&p);
}

/* How long a segment that is missing is waited for beyond a round trip; then the peer tells that it came twice, so the repair was for nothing. Or that it did
 * not, and it was not. */
static pl_time waits_beyond_a_round_trip(struct played *p, uint32_t *at, bool twice)
{
    struct forged s, f;
    pl_time start = p->d.now;
    flight(p, 2);
    p->d.now = start + 101 * PL_MS;
    played_sacks(p, *at, *at + MSS, *at + 2 * MSS);
    assert_true(played_hears(p, &s));
    assert_int_equal(s.seq, *at);
    pl_time waited = p->d.now - start - 100 * PL_MS;
    *at += 2 * MSS;
    a_round_trip_later(p);
    f = played_segment(p, PL_ACK, 0, *at, 0);
    if (twice)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 1, .sack = {{p->first + *at - 2 * MSS, p->first + *at - MSS}}};
    duo_give_segment(&p->d, 1, &f);
    p->d.now += 10 * PL_S;
    pl_poll(p->d.s[1], p->d.now);
    return waited / PL_MS;
}

/* RFC 8985 3.3.2-b, RFC 8985 6.2 step 4: "for every round trip in which the sender receives some DSACK" a quarter more; RFC 8985 3.3.2-c, 3.3.2-d: SRTT is the bound; "up to 16
 * loss recoveries, after which it resets". */
static void reports_of_duplicates_make_it_wait_longer_for_16_recoveries(void **state)
{
    static const unsigned wider[] = {25, 50, 75, 100, 101, 101};     /* SRTT is a little over 100 ms; the timer is rounded up */
    struct played p;
    uint32_t at = 2 * MSS;
    opened(&p, state);
    reorders_once(&p, 0);
    p.d.now += 10 * PL_S;
    pl_poll(p.d.s[1], p.d.now);
    for (unsigned n = 0; n < COUNT_OF(wider); n++) {
        unsigned waited = (unsigned)waits_beyond_a_round_trip(&p, &at, true);
        if (waited != wider[n])
            fail_msg("after %u reports it waited %u ms beyond the round trip, not %u", n, waited, wider[n]);
    }
    for (unsigned n = 1; n <= 16; n++)
        assert_int_equal(waits_beyond_a_round_trip(&p, &at, false), 101);
    assert_int_equal(waits_beyond_a_round_trip(&p, &at, false), 25);
    played_free(&p);
}

/* RFC 8985 6.2 step 5, RFC 8985 3.4: a repetition is lost like any other segment; and RFC 8985 9.3-c, RFC 5681 4.3: it is answered as a congestion of its own. */
static void a_lost_repetition_is_noticed_and_answered_again(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    played_sends(&p, 60 * MSS);
    assert_int_equal(played_drains(&p), 10);
    a_round_trip_later(&p);
    played_sacks(&p, 10 * MSS, 0, 0);
    assert_int_equal(played_drains(&p), 18);             /* slow start by 8 MSS an ACK */
    a_round_trip_later(&p);
    for (uint32_t k = 12; k <= 14; k++)
        played_sacks(&p, 10 * MSS, 11 * MSS, k * MSS);
    assert_true(played_takes(&p, &s) && s.seq == 10 * MSS);
    uint32_t once = played_status(&p).ssthresh_bytes;
    assert_int_equal(once, 9 * MSS);
    played_drains(&p);
    for (uint32_t k = 15; k <= 28; k++) { /* new segments go behind the repetition */
        played_sacks(&p, 10 * MSS, 11 * MSS, k * MSS);
        played_drains(&p);
    }
    uint32_t nxt = played_status(&p).snd.nxt - p.first;
    assert_true(nxt > 32 * MSS);
    assert_int_equal(played_status(&p).retransmits, 1);
    a_round_trip_later(&p);
    played_sacks(&p, 10 * MSS, 11 * MSS, 29 * MSS);      /* the first of those has arrived, the repetition has not */
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 10 * MSS);
    assert_int_equal(played_status(&p).retransmits, 2);
    assert_true(played_status(&p).ssthresh_bytes < once);
    uint32_t twice = played_status(&p).ssthresh_bytes;
    assert_in_range(twice, 4 * MSS, 5 * MSS);
    /* no time-out was needed, and it ends where ssthresh is now */
    a_round_trip_later(&p);
    played_sacks(&p, nxt, 0, 0);
    assert_int_equal(played_status(&p).cwnd_bytes, twice + MSS);     /* and goes on from there */
    assert_int_equal(played_status(&p).backoffs, 0);
    played_free(&p);
}

/* RFC 8985 9.1, the first example: P1 and P3 of three are lost; both are repaired without a time-out. */
static void the_first_example_of_section_9_1(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    pl_time start = p.d.now;
    for (unsigned n = 0; n < 3; n++) {
        played_sends(&p, MSS);
        assert_int_equal(played_drains(&p), 1);
        p.d.now += 30 * PL_MS;
    }
    p.d.now = start + 130 * PL_MS;
    played_sacks(&p, 0, MSS, 2 * MSS);    /* P2: sent 30 ms after P1 */
    assert_true(played_takes(&p, &s) && s.seq == 0);
    p.d.now = start + 230 * PL_MS;
    played_sacks(&p, 2 * MSS, 0, 0);      /* R1: sent 70 ms after P3 */
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 2 * MSS);
    assert_int_equal(played_status(&p).backoffs, 0);
    played_free(&p);
}

/* The second: P1 and P2 are lost, and so is R1; R2 shows it. (There are five, so that the window lets both go.) */
static void the_second_example_of_section_9_1(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    pl_time start = p.d.now;
    for (unsigned n = 0; n < 5; n++) {
        played_sends(&p, MSS);
        assert_int_equal(played_drains(&p), 1);
        p.d.now += 30 * PL_MS;
    }
    p.d.now = start + 220 * PL_MS;
    played_sacks(&p, 0, 2 * MSS, 5 * MSS);
    assert_true(played_takes(&p, &s) && s.seq == 0);
    assert_true(played_takes(&p, &s) && s.seq == MSS);
    a_round_trip_later(&p);
    played_sacks(&p, 0, MSS, 5 * MSS);    /* R2 */
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.seq, 0);
    assert_int_equal(played_status(&p).backoffs, 0);
    played_free(&p);
}

/* RFC 8985 6.3: a time-out marks the first segment, and of the others what is older than a round trip and the window: what went a moment ago is not repeated. */
static void a_time_out_does_not_repeat_what_has_just_been_sent(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    pl_time start = p.d.now;
    flight(&p, 1);
    p.d.now = start + 290 * PL_MS;
    flight(&p, 2);
    assert_true(played_hears(&p, &s));
    assert_true(p.d.now == start + 300 * PL_MS);
    assert_int_equal(s.seq, 0);
    assert_int_equal(played_drains(&p), 0);
    p.d.now += 50 * PL_MS;
    played_sacks(&p, MSS, 0, 0);
    assert_int_equal(played_drains(&p), 0);
    p.d.now += 50 * PL_MS;
    played_sacks(&p, 3 * MSS, 0, 0);
    assert_int_equal(played_status(&p).retransmits, 1);
    played_free(&p);
}

/* RFC 8985 9.3-a, 9.3-b, RFC 9937 6.2: seven of ten are lost and known to be; as many go as arrived, not all of them. RFC 8985 9.2: nor is there a rescue. */
static void what_is_lost_goes_as_fast_as_the_window_lets_it(void **state)
{
    struct played p;
    struct forged s;
    opened(&p, state);
    flight(&p, 10);
    a_round_trip_later(&p);
    played_sacks(&p, 0, 7 * MSS, 10 * MSS);
    for (uint32_t n = 0; n < 3; n++) {
        assert_true(played_takes(&p, &s));
        assert_int_equal(s.seq, n * MSS);
    }
    assert_int_equal(played_drains(&p), 0);
    a_round_trip_later(&p);
    played_sacks(&p, MSS, 7 * MSS, 10 * MSS);            /* one arrived, and nothing else was lost: one more than that */
    assert_int_equal(played_drains(&p), 2);
    assert_int_equal(played_status(&p).ssthresh_bytes, 5 * MSS);
    played_free(&p);
}

/* RFC 8985 4-a: without SACK there is no RACK: two duplicates and a long time say nothing. */
static void without_sack_time_says_nothing(void **state)
{
    struct played p;
    struct forged s;
    struct pl_config c = roomy();
    played_init(&p, SIX(state), &c);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = MSS}, 60000, RTT_MS * PL_MS, NULL);
    pl_time start = p.d.now;
    flight(&p, 6);
    p.d.now = start + 150 * PL_MS;
    played_sacks(&p, 0, MSS, 3 * MSS);    /* a block that nobody agreed on */
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_true(played_hears(&p, &s));
    assert_true(p.d.now == start + 300 * PL_MS);         /* the time-out */
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_segment_is_lost_when_reordering_explains_it_no_more),
        BOTH(three_reported_segments_leave_no_time),
        BOTH(while_a_loss_is_repaired_there_is_no_window),
        BOTH(once_reordering_was_seen_only_time_decides),
        BOTH(reports_of_duplicates_make_it_wait_longer_for_16_recoveries),
        BOTH(a_lost_repetition_is_noticed_and_answered_again),
        BOTH(the_first_example_of_section_9_1),
        BOTH(the_second_example_of_section_9_1),
        BOTH(a_time_out_does_not_repeat_what_has_just_been_sent),
        BOTH(what_is_lost_goes_as_fast_as_the_window_lets_it),
        BOTH(without_sack_time_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
