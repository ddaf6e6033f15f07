/* SPDX-License-Identifier: MIT
 *
 * Flow control: the receiver's edge and the sender's silly-window question. RFC 9293 3.8.6, RFC 7323 2.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/seq.h"
#include "transport/tcp/models/window.h"

static void scale_is_the_smallest_that_announces_the_buffer(void **state)               /* RFC 7323 2.2, 2.3 */
{
    static const struct {
        uint32_t max;
        uint8_t scale;
    } rows[] = {{0, 0}, {1, 0}, {65535, 0}, {65536, 1}, {131070, 1}, {131071, 2}, {1 << 20, 5}, {15 << 20, 8}, {64 << 20, 11}, {1 << 30, 14}, {UINT32_MAX, 14}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(window_scale_for(rows[i].max), rows[i].scale);
}

/* RFC 7323 2.4-c */
static void the_field_rounds_down_so_that_it_promises_only_what_is_there(void **state)    /* RFC 7323 2.4 */
{
    (void)state;
    for (uint8_t scale = 0; scale <= 14; scale++)
        for (uint32_t wnd = 0; wnd < 70000; wnd += 7) {
            uint32_t most = (uint32_t)65535 << scale, meant = wnd < most ? wnd : most;
            uint32_t told = (uint32_t)window_field(wnd, scale) << scale;
            assert_true(told <= meant && meant - told < (uint32_t)1 << scale);
        }
    assert_int_equal(window_field(1 << 30, 0), 65535);
    assert_int_equal(window_field(1 << 30, 14), 65535);
}

/* A receiver as text.c and output.c play it: text arrives, the program reads, ACKs leave. */
struct receiver {
    uint32_t nxt, wnd, len, rcvbuf, mss;
    uint8_t scale;
    uint32_t edge, told;                  /* the true one, and the rightmost that the peer was told */
};

static uint32_t room_of(const struct receiver *r) { return r->rcvbuf > r->len ? r->rcvbuf - r->len : 0; }

static void tell(struct receiver *r)
{
    r->wnd = window_to_offer(r->wnd, room_of(r), r->mss, r->rcvbuf, r->scale);
    assert_true(seq_ge(r->nxt + r->wnd, r->edge));                   /* SHLD-14: the right edge never moves left */
    assert_true(r->wnd <= room_of(r));                               /* and never beyond the buffer, however many ACKs leave */
    r->edge = r->nxt + r->wnd;
    uint32_t told = r->nxt + ((uint32_t)window_field(r->wnd, r->scale) << r->scale);
    assert_true(seq_le(told, r->edge) && r->edge - told < (uint32_t)1 << r->scale);
    if (seq_gt(told, r->told))
        r->told = told;
}

/* RFC 7323 2.4-b */
static void the_right_edge_never_moves_left_nor_beyond_the_buffer(void **state)         /* RFC 9293 3.8.6, SHLD-14 */
{
    (void)state;
    struct prng p;
    prng_seed(&p, 38);
    for (uint8_t scale = 0; scale <= 14; scale++) {
        struct receiver r = {.nxt = 0xffff0000, .mss = 536 + prng_below(&p, 9000), .scale = scale};
        r.rcvbuf = (1 + prng_below(&p, 65535)) << prng_below(&p, scale + 1u);
        r.wnd = r.rcvbuf < 65535 ? r.rcvbuf : 65535;                 /* as a SYN announces it, unscaled */
        r.edge = r.told = r.nxt + r.wnd;
        for (int n = 0; n < 20000; n++) {
            uint32_t k = prng_below(&p, 4) ? prng_below(&p, 2 * r.mss) : 1;
            if (prng_below(&p, 2)) {      /* the peer sends up to the edge that it was told: it all finds room */
                uint32_t most = r.told - r.nxt;
                k = k < most ? k : most;
                r.nxt += k, r.len += k, r.wnd -= k;
                if (prng_below(&p, 2))
                    tell(&r);
            } else {
                r.len -= k < r.len ? k : r.len;
                if (window_update_due(r.wnd, room_of(&r), r.mss, r.rcvbuf, scale))
                    tell(&r);
            }
            assert_true(r.len <= r.rcvbuf);
        }
    }
}

static void the_edge_moves_only_by_a_worthwhile_step(void **state)                      /* RFC 9293 3.8.6.2.2, MUST-39 */
{
    static const struct {
        uint32_t current, room, mss, rcvbuf, offer;
    } rows[] = {
        {0, 1, 1000, 10000, 0},           /* a byte came free: silly */
        {0, 999, 1000, 10000, 0},
        {0, 1000, 1000, 10000, 1000},     /* one segment */
        {0, 50, 1000, 100, 50},           /* half of a buffer that is smaller than two segments */
        {0, 49, 1000, 100, 0},
        {4000, 4999, 1000, 10000, 4000},
        {4000, 5000, 1000, 10000, 5000},
        {4000, 3000, 1000, 10000, 4000},  /* less room than promised: the promise stays */
        {4000, 0, 1000, 10000, 4000},
        {0, 1, 1000, 1, 1},               /* a buffer of one byte */
        {60000, 70000, 1000, 100000, 65535},         /* no more than the field can say */
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(window_to_offer(rows[i].current, rows[i].room, rows[i].mss, rows[i].rcvbuf, 0), rows[i].offer);
}

static void an_update_that_is_due_moves_the_edge(void **state)     /* else output would send the same window again and again */
{
    (void)state;
    struct prng p;
    prng_seed(&p, 862);
    for (int n = 0; n < 200000; n++) {
        uint8_t scale = (uint8_t)prng_below(&p, 15);
        uint32_t rcvbuf = 1 + prng_below(&p, 1u << (1 + prng_below(&p, 29))), mss = 48 + prng_below(&p, 9000);
        uint32_t current = prng_below(&p, rcvbuf + 1), room = prng_below(&p, rcvbuf + 1);
        if (window_update_due(current, room, mss, rcvbuf, scale))
            assert_true(window_to_offer(current, room, mss, rcvbuf, scale) > current);
    }
}

static void a_window_that_opens_again_is_announced(void **state)   /* an empty buffer after a closed window is always worth telling */
{
    (void)state;
    for (uint32_t rcvbuf = 1; rcvbuf < 200000; rcvbuf = rcvbuf * 3 / 2 + 1)
        for (uint32_t mss = 48; mss < 10000; mss *= 2)
            assert_true(window_update_due(0, rcvbuf, mss, rcvbuf, window_scale_for(rcvbuf)));
}

static void sender_avoids_silly_segments(void **state)                                  /* RFC 9293 3.8.6.2.1, MUST-38; 3.7.4 Nagle */
{
    static const struct {
        struct window_question q;
        uint32_t bytes;
    } rows[] = {
        /* sendable, unsent, mss, max_wnd, in_flight, nagle, overridden */
        {{0, 5000, 1000, 8000, false, false, false}, 0},             /* the window is closed */
        {{5000, 5000, 1000, 8000, false, true, false}, 5000},        /* (2) everything, nothing in flight */
        {{4500, 9000, 1000, 20000, false, true, false}, 4000},       /* (1) full segments; the rest waits */
        {{500, 9000, 1000, 8000, true, true, false}, 0},             /* a scrap of the window: silly */
        {{500, 500, 1000, 8000, true, true, false}, 0},              /* Nagle: something is in flight */
        {{500, 500, 1000, 8000, true, false, false}, 500},           /* Nagle off */
        {{500, 500, 1000, 8000, false, true, false}, 500},           /* nothing in flight */
        {{500, 9000, 1000, 1000, true, true, false}, 500},           /* (3) half of the largest window ever */
        {{499, 9000, 1000, 1000, true, true, false}, 0},
        {{500, 9000, 1000, 8000, false, true, true}, 500},           /* (4) the override time-out */
        {{2500, 2500, 1000, 8000, true, true, false}, 2000},         /* full segments may go under Nagle, the tail waits */
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(window_worth_sending(&rows[i].q), rows[i].bytes);
}

static void never_more_than_sendable_and_small_pieces_only_for_a_reason(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 8621);
    for (int n = 0; n < 200000; n++) {
        struct window_question q = {.unsent = 1 + prng_below(&p, 20000), .mss = 48 + prng_below(&p, 3000), .max_wnd = prng_below(&p, 30000),
                                    .in_flight = prng_below(&p, 2), .nagle = prng_below(&p, 2), .overridden = prng_below(&p, 8) == 0};
        q.sendable = prng_below(&p, q.unsent + 1);
        uint32_t bytes = window_worth_sending(&q);
        assert_true(bytes <= q.sendable);
        bool tail = bytes == q.unsent && (!q.nagle || !q.in_flight);
        bool half = q.max_wnd && bytes >= q.max_wnd / 2;
        if (bytes % q.mss)
            assert_true(tail || half || q.overridden);
        if (!q.in_flight && q.sendable == q.unsent)
            assert_int_equal(bytes, q.unsent);                       /* nothing to wait for: it goes */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_is_the_smallest_that_announces_the_buffer),
        cmocka_unit_test(the_field_rounds_down_so_that_it_promises_only_what_is_there),
        cmocka_unit_test(the_right_edge_never_moves_left_nor_beyond_the_buffer),
        cmocka_unit_test(the_edge_moves_only_by_a_worthwhile_step),
        cmocka_unit_test(an_update_that_is_due_moves_the_edge),
        cmocka_unit_test(a_window_that_opens_again_is_announced),
        cmocka_unit_test(sender_avoids_silly_segments),
        cmocka_unit_test(never_more_than_sendable_and_small_pieces_only_for_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
