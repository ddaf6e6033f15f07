/* SPDX-License-Identifier: MIT
 *
 * RACK's steps one by one, RFC 8985 6.2 and 6.3, and when a loss probe is due, 7.2. Detection is compared with the RFC's own loop over all segments.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/seq.h"
#include "transport/tcp/models/rack.h"

enum { RECORDS = 60, MSS = 100 };

struct bench {
    struct slots records;
    struct chunks chunks;                 /* nothing of it is read */
    struct rtx_queue q;
    uint32_t una, nxt;
    pl_time now;
    _Alignas(64) uint8_t memory[16384];
};

static struct bench *bench_new(void)
{
    struct bench *b = aligned_alloc(64, (sizeof *b + 63) / 64 * 64);
    memset(b, 0, sizeof *b);
    slots_init(&b->records, b->memory, sizeof(struct rtx_record), RECORDS);
    b->chunks.chunk_bytes = 1u << 30;
    b->una = b->nxt = 0xfffff000u;
    b->now = 1000 * PL_MS;
    return b;
}

static uint32_t send(struct bench *b)
{
    uint32_t id = rtx_append(&b->records, &b->q, RECORDS, b->nxt, MSS, (struct stream_at){1, 0}, false, b->now);
    assert_true(id != 0);
    b->nxt += MSS;
    return id;
}

static struct rtx_heard heard(const struct bench *b) { return (struct rtx_heard){.now = b->now, .mss = MSS}; }

static struct rtx_heard sack(struct bench *b, uint32_t lo, uint32_t hi)
{
    struct rtx_heard h = heard(b);
    uint32_t budget = 1000;
    rtx_sack(&b->records, &b->chunks, &b->q, RECORDS, lo, hi, &budget, &h);
    return h;
}

static void ignore(void *user, struct rtx_record *r)
{
    unsigned *n = user;
    assert_false(r->flags & (RTX_LOST | RTX_SACKED));
    ++*n;
}

/* ------------------------------------------------------------------ step 1 ------------------------------------------------------------------ */

/* RFC 8985 6.2-a: "a windowed min-filtered estimate of recent RTT measurements that can adapt when migrating to significantly longer paths" */
static void the_smallest_round_trip_of_the_last_while(void **state)
{
    (void)state;
    struct rack r = {0};
    rack_init(&r);
    pl_time now = 400 * PL_S;
    static const pl_time first[] = {50 * PL_MS, 20 * PL_MS, 90 * PL_MS};
    static const pl_time least[] = {50 * PL_MS, 20 * PL_MS, 20 * PL_MS};
    for (unsigned i = 0; i < 3; i++) {
        rack_rtt(&r, first[i], now += PL_MS);
        assert_true(r.min_rtt == least[i]);
    }
    assert_true(r.sampled);
    pl_time moved = now + 10 * PL_S, forgotten = 0;
    for (now = moved; !forgotten && now < moved + 1000 * PL_S; now += PL_S) {        /* the path is longer now */
        rack_rtt(&r, 100 * PL_MS, now);
        if (r.min_rtt == 100 * PL_MS)
            forgotten = now;
    }
    assert_in_range(forgotten - moved, RACK_MIN_PERIOD, 2 * RACK_MIN_PERIOD);
    rack_rtt(&r, 30 * PL_MS, now);
    assert_true(r.min_rtt == 30 * PL_MS);
}

/* ------------------------------------------------------------------ steps 2 and 3 ------------------------------------------------------------------ */

static void the_segment_sent_last_of_those_that_arrived(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct rack r = {0};
    rack_init(&r);
    uint32_t una = b->una;
    for (unsigned i = 0; i < 4; i++)
        send(b), b->now += 10 * PL_MS;
    struct rtx_heard h = sack(b, una + 2 * MSS, una + 3 * MSS);
    rack_update(&r, &h);
    assert_true(r.known && r.segment.sent == 1020 * PL_MS && r.segment.end == una + 3 * MSS);
    assert_true(r.rtt == 20 * PL_MS);
    b->now += 5 * PL_MS;                  /* one that was sent before arrives after it: its round trip counts, it is not RACK.segment */
    h = sack(b, una + MSS, una + 2 * MSS);
    rack_update(&r, &h);
    assert_true(r.segment.sent == 1020 * PL_MS && r.rtt == 35 * PL_MS);
    assert_true(r.reordering_seen);       /* step 3 */
    struct rtx_heard nothing = heard(b);
    rack_update(&r, &nothing);
    assert_true(r.rtt == 35 * PL_MS);
    free(b);
}

static void what_was_sent_twice_is_no_sign_of_reordering(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct rack r = {0};
    uint32_t una = b->una, head = send(b);
    send(b);
    b->now += 10 * PL_MS;
    struct rtx_heard h = sack(b, una + MSS, una + 2 * MSS);
    rack_update(&r, &h);
    rtx_mark_lost(&b->records, &b->q, head);
    rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, head, MSS, b->now);
    b->now += 10 * PL_MS;
    h = heard(b);
    rtx_ack(&b->records, &b->chunks, &b->q, una + 2 * MSS, &h);
    rack_update(&r, &h);
    assert_false(r.reordering_seen);
    free(b);
}

/* ------------------------------------------------------------------ step 4 ------------------------------------------------------------------ */

static void the_reordering_window(void **state)
{
    static const struct { bool seen, repairing; uint32_t sacked_segs; uint16_t mult; pl_time srtt, wnd; } rows[] = {
        {false, false, 0, 1, 100 * PL_MS, 10 * PL_MS}, {false, false, 2, 1, 100 * PL_MS, 10 * PL_MS}, {false, false, 3, 1, 100 * PL_MS, 0},
        {false, true, 0, 1, 100 * PL_MS, 0},           {false, true, 9, 5, 100 * PL_MS, 0},           {true, true, 9, 1, 100 * PL_MS, 10 * PL_MS},
        {true, false, 3, 3, 100 * PL_MS, 30 * PL_MS},  {true, false, 0, 20, 100 * PL_MS, 100 * PL_MS}, {true, true, 0, 65535, 70 * PL_MS, 70 * PL_MS},
        {true, false, 0, 1, 5 * PL_MS, 5 * PL_MS},
    };
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct rack r = {.min_rtt = 40 * PL_MS, .reordering_seen = rows[i].seen, .reo_wnd_mult = rows[i].mult};
        struct rtx_queue q = {.sacked_segs = rows[i].sacked_segs};
        struct rack_question ask = {.srtt = rows[i].srtt, .repairing = rows[i].repairing};
        assert_true(rack_reo_wnd(&r, &q, &ask) == rows[i].wnd);
    }
}

/* "the RACK.reo_wnd increases linearly for every round trip in which the sender receives some DSACK option ... persists using the inflated RACK.reo_wnd for
 * up to 16 loss recoveries" */
static void duplicates_widen_it_once_a_round_trip_for_16_recoveries(void **state)
{
    (void)state;
    struct rack r = {0};
    rack_init(&r);
    assert_int_equal(r.reo_wnd_mult, 1);
    struct rack_question q = {.una = 0xffffff00u, .nxt = 0x100};
    rack_dsack(&r, &q);
    assert_int_equal(r.reo_wnd_mult, 1);
    q.dsack = true;
    for (unsigned round = 2; round < 10; round++) {
        for (unsigned n = 0; n < 5; n++) {
            rack_dsack(&r, &q);           /* the first of this round trip */
            assert_int_equal(r.reo_wnd_mult, round);
            q.una += 10;
        }
        q.una = q.nxt - 1;
        rack_dsack(&r, &q);
        assert_int_equal(r.reo_wnd_mult, round);
        q.una = q.nxt;                    /* "SND.UNA >= RACK.dsack_round" */
        q.nxt += 1000;
    }
    for (unsigned n = 0; n < 15; n++) {
        rack_recovered(&r);
        assert_int_equal(r.reo_wnd_mult, 9);
    }
    q.dsack = false;
    rack_dsack(&r, &q);
    q.dsack = true;
    rack_dsack(&r, &q);                   /* another one: 16 from here */
    assert_int_equal(r.reo_wnd_mult, 10);
    for (unsigned n = 0; n < 15; n++)
        rack_recovered(&r);
    assert_int_equal(r.reo_wnd_mult, 10);
    rack_recovered(&r);
    assert_int_equal(r.reo_wnd_mult, 1);
    rack_recovered(&r);
    assert_int_equal(r.reo_wnd_mult, 1);
}

/* Nobody asks while nothing is missing: the round trip of the last report may be more than 2 GiB ago. */
static void a_report_after_two_gigabytes_without_is_one_of_a_new_round_trip(void **state)
{
    (void)state;
    struct rack r = {0};
    rack_init(&r);
    struct rack_question q = {.una = 1000, .nxt = 2000, .dsack = true};
    for (unsigned n = 2; n < 8; n++) {
        rack_dsack(&r, &q);
        assert_int_equal(r.reo_wnd_mult, n);
        q.una += 0x70000000u;
        q.nxt += 0x70000000u;
        if (n % 2) {
            q.una += 0x20000000u;
            q.nxt += 0x20000000u;
        }
    }
}

static void it_grows_without_limit_but_does_not_wrap(void **state)
{
    (void)state;
    struct rack r = {.reo_wnd_mult = UINT16_MAX};
    struct rack_question q = {.una = 1, .nxt = 2, .dsack = true};
    rack_dsack(&r, &q);
    assert_int_equal(r.reo_wnd_mult, UINT16_MAX);
}

/* ------------------------------------------------------------------ step 5 ------------------------------------------------------------------ */

/* RACK_detect_loss() as it stands in the RFC, over a queue of which the records are copied. */
struct model {
    struct rtx_record r[RECORDS + 1];
    bool lost[RECORDS + 1];
    pl_time timeout, latest;
    unsigned waiting;
};

static void model_detect(struct model *m, const struct bench *b, const struct rack *r, const struct rack_question *q)
{
    memset(m, 0, sizeof *m);
    pl_time wnd = rack_reo_wnd(r, &b->q, q), allowed = r->rtt + wnd ? r->rtt + wnd : 1;
    for (uint32_t id = b->q.head; id; id = m->r[id].next) {
        m->r[id] = *rtx_at(&b->records, id);
        m->lost[id] = m->r[id].flags & RTX_LOST;
        struct rtx_when w = {.sent = m->r[id].sent, .end = m->r[id].seq + m->r[id].len, .order = m->r[id].order};
        if (m->r[id].flags & (RTX_SACKED | RTX_LOST) || !r->known || !rtx_sent_after(&r->segment, &w))
            continue;
        if (w.sent + allowed <= q->now)
            m->lost[id] = true;
        else
            m->waiting++, m->timeout = w.sent + allowed - q->now > m->timeout ? w.sent + allowed - q->now : m->timeout;
    }
    m->latest = r->segment.sent + allowed > q->now ? r->segment.sent + allowed - q->now : 0;
}

static void one_round(struct prng *p, struct bench *b, struct rack *r, unsigned *marks, unsigned *timers, unsigned *repeats)
{
    for (unsigned n = prng_below(p, 8); n && b->q.count < RECORDS - 5; n--)
        send(b), b->now += prng_below(p, 2) ? 0 : prng_below(p, 3 * PL_MS);
    for (uint32_t id, n = prng_below(p, 4); n && (id = rtx_first_lost(&b->records, &b->q)); n--)
        rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, id, MSS, b->now);
    b->now += prng_below(p, 20 * PL_MS);
    if (!b->q.count)
        return;
    uint32_t lo = b->una + prng_below(p, b->q.count) * MSS, una = b->una + prng_below(p, 3) * MSS;
    struct rtx_heard h = seq_lt(lo, b->nxt) ? sack(b, lo, seq_lt(lo + 2 * MSS, b->nxt) ? lo + 2 * MSS : b->nxt) : heard(b);
    if (prng_below(p, 3) == 0 && seq_le(una, b->nxt))
        rtx_ack(&b->records, &b->chunks, &b->q, b->una = una, &h);
    h.min_rtt = r->min_rtt;
    rack_update(r, &h);
    if (h.valid)
        rack_rtt(r, b->now - h.rack.sent + 1, b->now);
    struct rack_question q = {.now = b->now, .srtt = 30 * PL_MS, .una = b->una, .nxt = b->nxt, .repairing = prng_below(p, 2), .dsack = prng_below(p, 9) == 0};
    rack_dsack(r, &q);
    struct model m;
    unsigned called = 0;
    model_detect(&m, b, r, &q);
    uint32_t before = b->q.lost;
    struct rack_verdict v = rack_detect(r, &b->records, &b->q, &q, ignore, &called);
    assert_int_equal(called, b->q.lost - before);
    assert_int_equal(v.bytes, called * MSS);
    bool again = false;
    for (uint32_t id = b->q.head; id; id = rtx_at(&b->records, id)->next) {
        assert_int_equal((rtx_at(&b->records, id)->flags & RTX_LOST) != 0, m.lost[id]);
        again |= m.lost[id] && !(m.r[id].flags & RTX_LOST) && m.r[id].flags & RTX_RETRANSMITTED;
    }
    assert_int_equal(v.again, again);
    /* the timer covers all that is waited for; if they are many, not later than if RACK.segment itself were */
    assert_int_equal(v.timeout != 0, m.timeout != 0);
    if (m.timeout && m.waiting <= 16)
        assert_true(v.timeout == m.timeout);
    else if (m.timeout)
        assert_in_range(v.timeout, m.timeout, m.latest);
    *marks += called, *timers += v.timeout != 0, *repeats += again;
}

static void it_finds_what_the_rfc_s_loop_finds(void **state)
{
    (void)state;
    struct prng p;
    unsigned marks = 0, timers = 0, repeats = 0;
    for (unsigned seed = 1; seed <= 300; seed++) {
        prng_seed(&p, seed);
        struct bench *b = bench_new();
        struct rack r = {0};
        rack_init(&r);
        for (unsigned n = 0; n < 60; n++)
            one_round(&p, b, &r, &marks, &timers, &repeats);
        free(b);
    }
    print_message("%u lost, %u timers, %u rounds with a repetition lost\n", marks, timers, repeats);
    assert_true(marks > 1000 && timers > 500 && repeats > 100);
}

/* 3.3, the second example of 9.1: a repetition is lost when something that was sent after it has arrived, in the same batch too. */
static void a_lost_repetition_is_told_from_one_that_is_under_way(void **state)
{
    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        struct bench *b = bench_new();
        struct rack r = {.min_rtt = 20 * PL_MS, .reo_wnd_mult = 1, .rtt = 20 * PL_MS};
        uint32_t una = b->una, head = send(b), lost = 0;
        send(b);
        rtx_mark_lost(&b->records, &b->q, head);
        b->now += 20 * PL_MS;
        pl_time again = b->now;
        if (!after)
            send(b);
        rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, head, MSS, b->now);
        if (after)
            send(b);
        b->now += 20 * PL_MS;
        struct rtx_heard h = sack(b, una + 2 * MSS, una + 3 * MSS);
        rack_update(&r, &h);
        struct rack_question q = {.now = b->now, .srtt = 20 * PL_MS, .una = una, .nxt = b->nxt, .repairing = true};
        struct rack_verdict v = rack_detect(&r, &b->records, &b->q, &q, ignore, &lost);
        assert_int_equal((rtx_at(&b->records, head)->flags & RTX_LOST) != 0, after);
        assert_int_equal(v.again, after);
        assert_true(!after || v.again_sent == again);
        free(b);
    }
}

/* ------------------------------------------------------------------ 6.3, 7.2 ------------------------------------------------------------------ */

static void a_time_out_marks_the_first_and_what_is_old_enough(void **state)
{
    (void)state;
    struct prng p;
    prng_seed(&p, 63);
    for (unsigned n = 0; n < 500; n++) {
        struct bench *b = bench_new();
        struct rack r = {.known = true, .rtt = prng_below(&p, 30) * PL_MS, .min_rtt = 20 * PL_MS, .reo_wnd_mult = 1, .reordering_seen = prng_below(&p, 2)};
        uint32_t first = b->una;
        for (unsigned k = 0; k < 12; k++)
            send(b), b->now += prng_below(&p, 8) * PL_MS;
        (void)sack(b, first + 2 * MSS, first + 4 * MSS);
        uint32_t what = prng_below(&p, 3);
        if (what)                         /* known to be lost; or even repeated a moment ago: lost all the same, it is the one that timed out */
            rtx_mark_lost(&b->records, &b->q, b->q.head);
        if (what == 2)
            rtx_sent_again(&b->records, &b->chunks, &b->q, UINT32_MAX, b->q.head, MSS, b->now);
        struct rack_question q = {.now = b->now, .srtt = 25 * PL_MS, .una = first, .nxt = b->nxt, .repairing = true};
        pl_time allowed = r.rtt + (r.reordering_seen ? 5 * PL_MS : 0);
        bool expect[RECORDS + 1] = {false};
        unsigned called = 0, want = 0;
        for (uint32_t id = b->q.head; id; id = rtx_at(&b->records, id)->next) {
            const struct rtx_record *rec = rtx_at(&b->records, id);
            expect[id] = !(rec->flags & RTX_SACKED) && (id == b->q.head || rec->sent + (allowed ? allowed : 1) <= b->now);
            want += expect[id] && !(rec->flags & RTX_LOST);
        }
        rack_mark_on_rto(&r, &b->records, &b->q, &q, ignore, &called);
        assert_int_equal(called, want);
        for (uint32_t id = b->q.head; id; id = rtx_at(&b->records, id)->next)
            assert_int_equal((rtx_at(&b->records, id)->flags & RTX_LOST) != 0, expect[id]);
        free(b);
    }
}

static void when_a_probe_is_due(void **state)
{
    (void)state;
    assert_true(rack_pto(0, false, 200 * PL_MS) == PL_S);
    assert_true(rack_pto(0, true, 200 * PL_MS) == PL_S);
    assert_true(rack_pto(50 * PL_MS, false, 200 * PL_MS) == 100 * PL_MS);
    assert_true(rack_pto(50 * PL_MS, true, 200 * PL_MS) == 300 * PL_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_round_trip_of_the_last_while),
        cmocka_unit_test(the_segment_sent_last_of_those_that_arrived),
        cmocka_unit_test(what_was_sent_twice_is_no_sign_of_reordering),
        cmocka_unit_test(the_reordering_window),
        cmocka_unit_test(duplicates_widen_it_once_a_round_trip_for_16_recoveries),
        cmocka_unit_test(a_report_after_two_gigabytes_without_is_one_of_a_new_round_trip),
        cmocka_unit_test(it_grows_without_limit_but_does_not_wrap),
        cmocka_unit_test(it_finds_what_the_rfc_s_loop_finds),
        cmocka_unit_test(a_lost_repetition_is_told_from_one_that_is_under_way),
        cmocka_unit_test(a_time_out_marks_the_first_and_what_is_old_enough),
        cmocka_unit_test(when_a_probe_is_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
