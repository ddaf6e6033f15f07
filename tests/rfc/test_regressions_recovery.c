/* SPDX-License-Identifier: MIT
 *
 * test_regressions_recovery.c: rules of loss recovery and congestion control that were broken once, where features meet that each have tests of their own.
 */
#include "support/played.h"

#include "base/seq.h"
#include <parley/cc.h>

enum { MSS = 1000 };

static void opened(struct played *p, void **state, const struct pl_config *config, uint8_t have)
{
    struct pl_config c = config ? *config : duo_config();
    c.sndbuf_bytes = 1 << 20;
    c.chunks_max = 600;
    c.timestamps = have & WIRE_OPT_TIMESTAMPS;
    played_init(p, SIX(state), &c);
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | have, .mss = MSS}, 60000, 100 * PL_MS, NULL);
}

/* RFC 6298 5.1: the timer runs while something is outstanding. The time-out has passed and the repetition has not gone yet, when the peer reports the very
 * segment: then the rest waits behind what flies, and if that is lost only the timer is left. */
static void a_report_of_the_first_segment_after_a_time_out_leaves_a_timer(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    c.loss_probe = false;
    opened(&p, state, &c, WIRE_OPT_SACK_PERMITTED);
    played_sends(&p, 4 * MSS);
    assert_int_equal(played_drains(&p), 4);
    pl_time rto = played_status(&p).rto;
    played_wait(&p, p.d.now + rto - 10 * PL_MS);
    played_sends(&p, 3 * MSS);
    assert_int_equal(played_drains(&p), 3);
    assert_true(played_next_deadline(&p));
    assert_int_equal(played_status(&p).time_outs, 1);
    played_sacks(&p, 0, 0, MSS);
    assert_true(played_status(&p).in_flight_bytes > played_status(&p).cwnd_bytes);
    assert_int_equal(played_drains(&p), 0);
    duo_drain_events(&p.d);
    assert_true(pl_deadline(p.d.s[1]) != PL_NEVER);
    struct forged s;
    assert_true(played_hears(&p, &s));
    played_free(&p);
}

/* RFC 5681 3.2: an algorithm that leads its own window, as BBR, has no ssthresh. Who takes over in the midst of a repair must not end it at an infinite one. */
static void an_algorithm_that_takes_over_a_repair_answers_to_the_loss(void **state)
{
    static const uint8_t froms[] = {PL_CC_BBR, PL_CC_NONE}, tos[] = {PL_CC_NEWRENO, PL_CC_CUBIC};
    for (unsigned i = 0; i < 8; i++) {
        struct pl_config c = duo_config();
        struct played p;
        bool timed_out = i & 4;
        c.loss_probe = false;
        c.cc_state_bytes = PL_CC_STATE_BYTES;
        c.congestion_control = froms[i & 1];
        opened(&p, state, &c, WIRE_OPT_SACK_PERMITTED);
        played_sends(&p, 20 * MSS);
        while (played_drains(&p), played_status(&p).snd.nxt - p.first < 10 * MSS)
            assert_true(played_next_deadline(&p));
        p.d.now += 100 * PL_MS;
        if (timed_out)
            while (played_drains(&p), played_status(&p).time_outs == 0)
                assert_true(played_next_deadline(&p));
        else
            played_sacks(&p, 0, MSS, 5 * MSS);
        played_drains(&p);
        uint32_t end = played_status(&p).snd.nxt - p.first;
        assert_int_equal(played_status(&p).phase, timed_out ? PL_CC_LOSS : PL_CC_RECOVERY);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, tos[i >> 1 & 1]), PL_OK);
        assert_in_range(played_status(&p).ssthresh_bytes, 2 * MSS, end);
        p.d.now += 100 * PL_MS;
        played_gives(&p, PL_ACK, 0, end, 0);
        assert_int_equal(played_status(&p).phase, PL_CC_OPEN);
        assert_in_range(played_status(&p).cwnd_bytes, MSS, 2 * end);
        played_free(&p);
    }
}

static void twenty_segments(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    (void)user, (void)state, (void)now, (void)srtt;
    cc->cwnd = 20 * MSS;
}

/* The same where NewReno stands in for a program's own, which is gone since pl_stack_attach. */
static void the_stand_in_answers_to_the_loss(void **state)
{
    static const struct pl_cc_ops own = {.name = "own", .flags = PL_CC_OWN_RECOVERY, .state_bytes = 8, .on_start = twenty_segments};
    struct played p;
    opened(&p, state, NULL, WIRE_OPT_SACK_PERMITTED);
    p.d.env[1].cc = &own, p.d.env[1].cc_count = 1;
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    played_sends(&p, 20 * MSS);
    assert_int_equal(played_drains(&p), 20);
    p.d.now += 100 * PL_MS;
    played_sacks(&p, 0, MSS, 5 * MSS);
    played_drains(&p);
    assert_int_equal(played_status(&p).phase, PL_CC_RECOVERY);
    p.d.env[1].cc_count = 0;
    played_sacks(&p, 0, MSS, 6 * MSS);
    assert_in_range(played_status(&p).ssthresh_bytes, 2 * MSS, 20 * MSS);
    p.d.now += 100 * PL_MS;
    played_gives(&p, PL_ACK, 0, 20 * MSS, 0);
    assert_int_equal(played_status(&p).phase, PL_CC_OPEN);
    assert_in_range(played_status(&p).cwnd_bytes, MSS, 20 * MSS);
    played_free(&p);
}

/* RFC 5682 3.1 (3b), RFC 4015 3.2: the time-out was needless, so the repetition was not what the first ACK answered: what RACK made of it (RFC 8985 6.2) must not
 * have everything lost a second time. The ACK comes later than a round trip after the repetition, when RFC 8985 6.2 step 2 takes it for an answer to that. */
static void what_a_needless_time_out_told_rack_is_forgotten(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    c.loss_probe = false;
    opened(&p, state, &c, WIRE_OPT_SACK_PERMITTED);
    played_sends(&p, 20 * MSS);
    assert_int_equal(played_drains(&p), 10);
    while (played_status(&p).time_outs == 0)
        assert_true(played_next_deadline(&p));
    assert_int_equal(played_drains(&p), 1);
    p.d.now += 150 * PL_MS;               /* the round trip is 100 ms so far */
    played_gives(&p, PL_ACK, 0, MSS, 0);
    assert_int_equal(played_drains(&p), 2);
    p.d.now += 1 * PL_MS;
    played_gives(&p, PL_ACK, 0, 2 * MSS, 0);
    assert_int_equal(played_status(&p).undone, 1);
    assert_int_equal(played_status(&p).recoveries, 0);
    assert_int_equal(played_status(&p).lost_bytes, 0);
    for (unsigned n = 3; n <= 10; n++) {
        played_drains(&p);
        played_wait(&p, p.d.now + 40 * PL_MS);
        played_gives(&p, PL_ACK, 0, n * MSS, 0);
    }
    assert_int_equal(played_status(&p).recoveries, 0);
    assert_int_equal(played_status(&p).retransmits, 1);
    assert_true(played_status(&p).ssthresh_bytes > 1 << 20);
    played_free(&p);
}

/* RFC 5681 3.2 (2): "additional data sent in limited transmit" is no part of FlightSize; what the window lets go all the same is. */
static void what_the_window_had_room_for_is_not_limited_transmit(void **state)
{
    for (unsigned sack = 0; sack < 2; sack++) {
        struct played p;
        struct pl_config c = duo_config();
        c.congestion_control = PL_CC_NEWRENO;
        opened(&p, state, &c, sack ? WIRE_OPT_SACK_PERMITTED : 0);
        played_sends(&p, 2 * MSS);
        assert_int_equal(played_drains(&p), 2);
        p.d.now += 100 * PL_MS;
        played_sacks(&p, 0, sack ? MSS : 0, sack ? 2 * MSS : 0);
        played_sends(&p, 8 * MSS);        /* a window of ten: there is room for it */
        assert_int_equal(played_drains(&p), 8);
        for (unsigned n = 2; n < 5; n++) {
            p.d.now += 10 * PL_MS;
            played_sacks(&p, 0, sack ? MSS : 0, sack ? (n + 1) * MSS : 0);
        }
        assert_int_equal(played_status(&p).recoveries, 1);
        assert_int_equal(played_status(&p).ssthresh_bytes, 5 * MSS);
        played_free(&p);
    }
}

/* RFC 8985 6.2 step 5: the timer lies ahead; once it lay behind, and pl_rx never returned. A smaller path MTU has all sent again in sequence order, and an undo (RFC 4015) before that has happened leaves a young
 * repetition in front of older segments: what those have waited too long is no reason to look again at once, for ever. */
static void racks_timer_lies_ahead_when_older_segments_stand_behind_younger_ones(void **state)
{
    enum { TEXT = MSS - 12 };             /* beside timestamps */
    struct played p;
    uint8_t frame[DUO_FRAME_BYTES];
    opened(&p, state, NULL, WIRE_OPT_SACK_PERMITTED | WIRE_OPT_TIMESTAMPS);
    played_sends(&p, 30 * TEXT);
    size_t n = duo_take(&p.d, 1, frame);
    assert_int_equal(played_drains(&p), 9);
    uint32_t early = p.echo;
    p.d.now += 100 * PL_MS;
    for (unsigned i = 3; i <= 8; i++) {
        p.wnd = i < 8 ? 10 * TEXT : 60000;
        played_sacks(&p, 0, 2 * TEXT, i * TEXT);
        played_drains(&p);
        p.echo = early;
    }
    assert_int_equal(played_status(&p).retransmits, 2);
    uint32_t end = played_status(&p).snd.nxt - p.first;
    assert_true(end > 10 * TEXT);         /* the last of it left after both repetitions */
    p.d.now += 100 * PL_MS;
    struct pl_tcp_status st = played_status(&p);
    struct forged f;
    assert_true(forge_read(frame, n, &f));
    f.seq = st.snd.una, f.text = NULL;
    n = forge_tcp(frame, &f);
    played_icmp(&p, p.ipv6 ? 2 : 3, p.ipv6 ? 0 : 4, 1400, frame, n);
    assert_true(played_status(&p).lost_bytes >= 3 * TEXT);
    played_sacks(&p, TEXT, 10 * TEXT, end);
    assert_int_equal(played_status(&p).undone, 1);
    assert_int_equal(played_status(&p).lost_bytes, 0);
    played_drains(&p);
    duo_drain_events(&p.d);
    assert_true(pl_deadline(p.d.s[1]) > p.d.now);
    played_free(&p);
}

/* RFC 9937 6.2: what duplicates say has left the network does not make room twice: a smaller path MTU has taken all of it out of the network already. */
static void a_smaller_mtu_in_a_repair_without_sack_lets_no_more_than_the_window_go(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    struct forged f;
    uint8_t frame[DUO_FRAME_BYTES];
    c.congestion_control = PL_CC_NEWRENO;
    opened(&p, state, &c, 0);
    played_sends(&p, 30 * MSS);
    size_t n = duo_take(&p.d, 1, frame);
    assert_int_equal(played_drains(&p), 9);
    p.d.now += 100 * PL_MS;
    for (unsigned i = 0; i < 9; i++) {
        played_gives(&p, PL_ACK, 0, 0, 0);
        played_drains(&p);
    }
    assert_int_equal(played_status(&p).phase, PL_CC_RECOVERY);
    assert_true(forge_read(frame, n, &f));
    f.text = NULL;
    n = forge_tcp(frame, &f);
    played_icmp(&p, p.ipv6 ? 2 : 3, p.ipv6 ? 0 : 4, 1400, frame, n);
    uint32_t most = played_status(&p).cwnd_bytes;
    assert_in_range(played_drains(&p) * MSS, MSS, most);
    played_free(&p);
}

/* ------------------------------------------------------------------- super-frames ------------------------------------------------------------------- */

static void opened_with_gso(struct played *p, void **state, struct pl_config *c, unsigned segments, uint8_t have)
{
    struct pl_iface_params gso = {.mtu = 1500, .link = PL_LINK_IP, .gso_bytes = PL_HEADER_BYTES_MAX + segments * MSS};
    c->sndbuf_bytes = 1 << 20;
    c->chunks_max = 600;
    c->loss_probe = false;
    played_init(p, SIX(state), c);
    played_iface(p, &gso);
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | have, .mss = MSS}, 60000, 100 * PL_MS, NULL);
}

/* All that it has to say: how many bytes of text. */
static size_t text_out(struct played *p)
{
    uint8_t headers[PL_HEADER_BYTES_MAX];
    struct pl_frame f = {.nspans = 1, .span = {{headers, sizeof headers}}};
    size_t bytes = 0;
    while (pl_tx(p->d.s[1], 0, &f, 1, p->d.now) == 1) {
        for (unsigned i = 1; i < f.nspans; i++)
            bytes += f.span[i].len;
        f.nspans = 1;
        f.span[0] = (struct pl_span){headers, sizeof headers};
    }
    return bytes;
}

static void times_out(struct played *p)
{
    uint32_t before = played_status(p).time_outs;
    while (played_status(p).time_outs == before)
        assert_true(played_next_deadline(p));
}

/* RFC 5682 2.1 (2b), 3.1 (2b): "transmit up to two new (previously unsent) segments", be they one frame. */
static void two_new_segments_after_a_time_out_may_be_one_frame(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    opened_with_gso(&p, state, &c, 10, 0);
    played_sends(&p, 20 * MSS);
    assert_int_equal(text_out(&p), 10 * MSS);
    times_out(&p);
    assert_int_equal(text_out(&p), MSS);
    played_gives(&p, PL_ACK, 0, MSS, 0);
    assert_int_equal(text_out(&p), 2 * MSS);
    played_free(&p);
}

/* RFC 5681 3.1: after a time-out one segment goes, also of a super-frame for which no record is left to cut it. */
static void a_frame_that_cannot_be_cut_is_repeated_by_segments(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    c.records_max = 2, c.records_per_conn_max = 2;
    opened_with_gso(&p, state, &c, 5, WIRE_OPT_SACK_PERMITTED);
    played_sends(&p, 20 * MSS);
    size_t out = text_out(&p);
    assert_true(out >= 5 * MSS);
    for (unsigned n = 0; n < 2; n++) {
        times_out(&p);
        assert_int_equal(text_out(&p), MSS);
    }
    for (size_t got = MSS; got < 20 * MSS; got += MSS) {     /* and it ends */
        p.d.now += 20 * PL_MS;
        played_gives(&p, PL_ACK, 0, (uint32_t)got, 0);
        text_out(&p);
        while (played_status(&p).snd.nxt - p.first <= got) {
            assert_true(played_next_deadline(&p));
            text_out(&p);
        }
    }
    played_free(&p);
}

/* config.records_per_conn_max bounds what one connection takes of the pool that all share, also where frames of many segments are repeated by segments:
 * after a time-out, after three duplicates. What may not be cut goes all the same, piece by piece. */
static void a_repair_takes_no_more_records_than_a_connection_may(void **state)
{
    for (unsigned have = 0; have < 2; have++) {
        struct pl_config c = duo_config();
        struct played p;
        c.records_max = 64, c.records_per_conn_max = 3;
        opened_with_gso(&p, state, &c, 10, have ? WIRE_OPT_SACK_PERMITTED : 0);
        struct slots *records = &p.d.s[1]->pools.records;
        played_sends(&p, 30 * MSS);
        text_out(&p);
        times_out(&p);
        for (size_t got = MSS; got < 30 * MSS; got += MSS) {
            p.d.now += 20 * PL_MS;
            played_gives(&p, PL_ACK, 0, (uint32_t)got, 0);
            for (unsigned n = 0; n < 4 && got == 5 * MSS; n++)
                played_gives(&p, PL_ACK, 0, (uint32_t)got, 0);
            text_out(&p);
            assert_true(records->used <= 3);
            while (played_status(&p).snd.nxt - p.first <= got) {
                assert_true(played_next_deadline(&p));
                text_out(&p);
                assert_true(records->used <= 3);
            }
        }
        played_free(&p);
    }
}

/* ---------------------------------------------------------------------- pacing ---------------------------------------------------------------------- */

static void at_20_ms_a_segment(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    (void)user, (void)state, (void)now, (void)srtt;
    cc->cwnd = PL_CC_CWND_MAX;
    cc->pacing_rate = 50 * MSS;
    cc->quantum = MSS;
}

/* RFC 8985 7.3: a loss probe is due, but what it would repeat is lost already, and goes when its time comes: not when the retransmission timer runs out. */
static void a_probe_that_has_nothing_to_say_does_not_hold_up_what_is_lost(void **state)
{
    static const struct pl_cc_ops paced = {.name = "paced", .flags = PL_CC_OWN_RECOVERY, .state_bytes = 8, .on_start = at_20_ms_a_segment};
    struct played p;
    struct forged f;
    uint8_t frame[DUO_FRAME_BYTES];
    opened(&p, state, NULL, WIRE_OPT_SACK_PERMITTED);
    p.d.env[1].cc = &paced, p.d.env[1].cc_count = 1;
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_CONGESTION, PL_CC_USER), PL_OK);
    played_sends(&p, 8 * MSS);
    size_t n = duo_take(&p.d, 1, frame);
    while (played_drains(&p), played_status(&p).snd.nxt - p.first < 8 * MSS)
        assert_true(played_next_deadline(&p));
    played_gives(&p, PL_ACK, 0, MSS, 0);  /* the probe is due two round trips later */
    assert_int_equal(played_drains(&p), 0);
    assert_int_equal(played_status(&p).loss_probes, 0);
    assert_true(forge_read(frame, n, &f));
    f.seq += MSS, f.text = NULL;
    n = forge_tcp(frame, &f);
    duo_drain_events(&p.d);
    p.d.now = pl_deadline(p.d.s[1]) - 5 * PL_MS;
    played_icmp(&p, p.ipv6 ? 2 : 3, p.ipv6 ? 0 : 4, 1400, frame, n);
    assert_int_equal(played_status(&p).lost_bytes, 7 * MSS);
    pl_time last = p.d.now;
    for (unsigned sent = played_drains(&p), some; sent < 7; sent += some) {
        assert_true(played_next_deadline(&p));
        some = played_drains(&p);
        last = some ? p.d.now : last;
        assert_in_range(p.d.now - last, 0, 25 * PL_MS);
    }
    assert_int_equal(played_status(&p).time_outs, 0);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_report_of_the_first_segment_after_a_time_out_leaves_a_timer),
        BOTH(an_algorithm_that_takes_over_a_repair_answers_to_the_loss),
        BOTH(the_stand_in_answers_to_the_loss),
        BOTH(what_a_needless_time_out_told_rack_is_forgotten),
        BOTH(what_the_window_had_room_for_is_not_limited_transmit),
        BOTH(racks_timer_lies_ahead_when_older_segments_stand_behind_younger_ones),
        BOTH(a_smaller_mtu_in_a_repair_without_sack_lets_no_more_than_the_window_go),
        BOTH(two_new_segments_after_a_time_out_may_be_one_frame),
        BOTH(a_frame_that_cannot_be_cut_is_repeated_by_segments),
        BOTH(a_repair_takes_no_more_records_than_a_connection_may),
        BOTH(a_probe_that_has_nothing_to_say_does_not_hold_up_what_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
