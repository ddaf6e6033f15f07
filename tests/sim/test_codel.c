/* SPDX-License-Identifier: MIT
 *
 * test_codel.c: CoDel against the control law of RFC 8289, on arrivals made by hand: what is dropped when, and what is marked instead.
 */
#include "support/unit.h"

#include "sim/codel.h"
#include "sim/header.h"
#include <stdio.h>

static struct fifo q;
static struct codel c;
static char log_text[20000];

static int begin(void **x)
{
    (void)x;
    q = (struct fifo){0};
    c = (struct codel){.maxpacket = 1500};
    log_text[0] = 0;
    return 0;
}

static int end(void **x)
{
    (void)x;
    fifo_free(&q);
    return 0;
}

static void told(void *user, enum codel_deed deed, struct packet *p, pl_time now)
{
    size_t n = strlen(log_text);
    (void)user;
    snprintf(log_text + n, sizeof log_text - n, "%s%llu", deed == CODEL_MARKED ? " m" : " ", (unsigned long long)(now / PL_MS));
    if (deed == CODEL_DROPPED) packet_free(p);
}

/* An IPv4 header with that ECN field, and room behind it. */
static struct packet *frame(uint8_t ecn)
{
    uint8_t b[1000] = {0x45, ecn, 3, 232, 0, 0, 0x40, 0, 64, 6};
    return packet_from_bytes(b, sizeof b);
}

static void fill(unsigned n, pl_time at, uint8_t ecn)
{
    while (n--)
        fifo_put(&q, frame(ecn), at);
}

/* One frame leaves each millisecond. */
static void drain(pl_time from_ms, pl_time to_ms)
{
    for (pl_time t = from_ms; t <= to_ms; t++)
        packet_free(codel_take(&c, &q, t * PL_MS, told, NULL));
}

static void assert_near(pl_time got, pl_time want)
{
    if (got < want || got - want > want / 65536 + 1) fail_msg("%llu ns instead of %llu", (unsigned long long)got, (unsigned long long)want);
}

static void the_control_law_is_interval_over_root_of_count(void **x)
{
    (void)x;
    assert_int_equal(codel_control_law(7, 100 * PL_MS, 1), 7 + 100 * PL_MS);
    assert_near(codel_control_law(0, 100 * PL_MS, 2), 70710678);
    assert_near(codel_control_law(0, 100 * PL_MS, 3), 57735026);
    assert_int_equal(codel_control_law(0, 100 * PL_MS, 4), 50 * PL_MS);
    assert_int_equal(codel_control_law(0, 100 * PL_MS, 10000), PL_MS);
    assert_near(codel_control_law(0, 3600 * PL_S, 1000003), 3599994600);
    assert_near(codel_control_law(0, 100 * PL_MS, UINT32_MAX), 1525);
}

static void drops_follow_the_control_law(void **x)
{
    (void)x;
    /* Above the target of 5 ms from 5 ms on; an interval later the first drop; the second an interval behind it, then interval / sqrt(count) each, counted from
     * where the last one was due, not from where it fell on the millisecond. */
    fill(3000, 0, 0);
    drain(0, 852);
    assert_string_equal(log_text, " 105 205 276 334 384 429 469 507 543 576 608 638 667 694 721 747 772 796 820 843");
    assert_true(c.dropping);
    assert_int_equal(c.count, 20);
}

static void nothing_is_dropped_below_the_target_or_within_the_interval(void **x)
{
    (void)x;
    /* Each waits 4 ms, for a second. */
    for (pl_time t = 0; t < 1000; t++) {
        fill(1, t * PL_MS, 0);
        if (t >= 4) packet_free(codel_take(&c, &q, t * PL_MS, told, NULL));
    }
    assert_string_equal(log_text, "");
    /* Long waits, but not for the length of an interval: one frame in time begins it anew. */
    end(NULL);
    begin(NULL);
    fill(100, 0, 0);
    drain(0, 99);
    fill(1, 99 * PL_MS, 0);
    fill(100, 60 * PL_MS, 0);
    drain(100, 199);
    assert_string_equal(log_text, "");
}

static void one_frame_is_no_standing_queue(void **x)
{
    (void)x;
    c.maxpacket = 1000;
    for (pl_time t = 0; t < 1000; t++) {
        fill(2 - (t > 0), t * PL_MS < 500 * PL_MS ? 0 : t * PL_MS - 500 * PL_MS, 0);
        packet_free(codel_take(&c, &q, t * PL_MS, told, NULL));
    }
    assert_string_equal(log_text, "");
    /* two are */
    fill(1, 0, 0);
    for (pl_time t = 1000; t < 1110; t++) {
        fill(1, 0, 0);
        packet_free(codel_take(&c, &q, t * PL_MS, told, NULL));
    }
    assert_string_equal(log_text, " 1100");
}

static void an_empty_queue_ends_it(void **x)
{
    (void)x;
    fill(120, 0, 0);
    drain(0, 105);
    assert_string_equal(log_text, " 105");
    assert_true(c.dropping);
    drain(106, 120);
    assert_null(codel_take(&c, &q, 121 * PL_MS, told, NULL));
    assert_false(c.dropping);
    assert_int_equal(c.first_above_time, 0);
}

/* After 20 drops, a pause, and again a full queue: it goes on where it was if the pause was less than 16 intervals, else it begins with 1. */
static unsigned count_after_a_pause(pl_time pause_ms)
{
    end(NULL);
    begin(NULL);
    fill(2000, 0, 0);
    drain(0, 852);
    end(NULL);
    packet_free(codel_take(&c, &q, 853 * PL_MS, told, NULL));
    pl_time t = 860 + pause_ms;
    fill(1000, t * PL_MS - 50 * PL_MS, 0);
    drain(t, t + 100);
    return c.count;
}

static void a_short_pause_does_not_lose_the_rate_found(void **x)
{
    (void)x;
    assert_int_equal(count_after_a_pause(100), 19);    /* 20 less the 1 that it began with */
    assert_int_equal(count_after_a_pause(1300), 19);
    assert_int_equal(count_after_a_pause(1700), 1);
    /* Less what it began with that time, not the 1 of the first */
    assert_int_equal(count_after_a_pause(100), 19);
    end(NULL);
    packet_free(codel_take(&c, &q, 1070 * PL_MS, told, NULL));
    fill(1000, 1100 * PL_MS, 0);
    drain(1150, 1250);
    assert_in_range(c.count, 1, 10);
}

static void a_shorter_interval_does_not_lose_the_rate_found(void **x)
{
    (void)x;
    /* The next drop was due long after now, by the interval that was: RFC 8289 5.6 compares now - drop_next, which is negative. */
    fill(3000, 0, 0);
    drain(0, 852);
    end(NULL);
    packet_free(codel_take(&c, &q, 853 * PL_MS, told, NULL));
    c.interval = PL_MS;
    c.drop_next = 5 * PL_S;
    fill(100, 850 * PL_MS, 0);
    drain(860, 861);
    assert_true(c.dropping);
    assert_int_equal(c.count, 19);
}

static void with_ecn_frames_are_marked_and_go_out(void **x)
{
    (void)x;
    c.ecn = true;
    fill(400, 0, HEADER_ECT0);
    unsigned got = 0, marked = 0;
    for (pl_time t = 0; t <= 350; t++) {
        struct packet *p = codel_take(&c, &q, t * PL_MS, told, NULL);
        got++;
        marked += header_ecn(p, false) == HEADER_CE;
        packet_free(p);
    }
    assert_string_equal(log_text, " m105 m205 m276 m334");
    assert_int_equal(got, 351);
    assert_int_equal(marked, 4);
    assert_int_equal(q.packets, 400 - 351);
}

static void with_ecn_other_frames_are_dropped(void **x)
{
    (void)x;
    c.ecn = true;
    fill(400, 0, HEADER_NOT_ECT);
    drain(0, 300);
    assert_string_equal(log_text, " 105 205 276");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(the_control_law_is_interval_over_root_of_count),
        T(drops_follow_the_control_law),
        T(nothing_is_dropped_below_the_target_or_within_the_interval),
        T(one_frame_is_no_standing_queue),
        T(an_empty_queue_ends_it),
        T(a_short_pause_does_not_lose_the_rate_found),
        T(a_shorter_interval_does_not_lose_the_rate_found),
        T(with_ecn_frames_are_marked_and_go_out),
        T(with_ecn_other_frames_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
