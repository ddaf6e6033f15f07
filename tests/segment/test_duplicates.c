/* SPDX-License-Identifier: MIT
 *
 * RFC 2883 and RFC 2018 4: what the receiver tells of text that came early or twice; RFC 9293 3.10.7.4, RFC 5681 4.2: how many ACKs it takes.
 * The sequence numbers of half of the cases wrap. IPv4 and IPv6.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "support/victim.h"

static struct victim v;
static uint8_t bytes[1 << 16];            /* the peer's stream */

static int make(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    struct pl_config c = victim_config();
    c.timestamps = true;
    c.gaps_per_conn_max = 64;
    victim_make(&v, &c);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    victim_free(&v);
    return 0;
}

static struct peer open_with(bool v6, uint8_t have, bool wraps)
{
    return peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = have, .ts_val = 100}, .iss = wraps ? 0xfffff800 : 5000});
}

static void shut(struct peer *p)
{
    (void)pl_abort(v.s, p->c);
    (void)pl_close(v.s, p->c);
    (void)victim_hush(&v);
    assert_int_equal(v.s->pools.gaps.used, 0);
}

/* Bytes [at, at + n) of the peer's stream; `p->seq` stays its first. */
static enum pl_drop gives(struct peer *p, uint32_t at, size_t n)
{
    struct forged f = peer_segment(p, PL_ACK);
    f.seq = p->iss + 1 + at;
    f.text = bytes + at;
    f.text_bytes = n;
    return victim_give(&v, &f);
}

struct told {                             /* an ACK, in offsets of the peer's stream */
    uint32_t ack;
    unsigned n;
    struct {
        uint32_t lo, hi;
    } block[4];
};

static bool hears(struct peer *p, struct told *t)
{
    struct forged f;
    if (!victim_take(&v, &f))
        return false;
    *t = (struct told){.ack = f.ack - p->iss - 1, .n = f.opts.nsack};
    for (unsigned i = 0; i < t->n; i++)
        t->block[i].lo = f.opts.sack[i].lo - p->iss - 1, t->block[i].hi = f.opts.sack[i].hi - p->iss - 1;
    return true;
}

/* RFC 2883 4-a, 4-b, 4-c, 4-d, 4-e, 4.2: the examples of its sections 4.1, 4.2 and 5, each ACK as it is written there. */
static void the_examples_of_rfc_2883(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct {
            uint32_t at, n;
            struct told told;
        } step[8];
    } example[] = {
        {"1: a segment again", {{0, 500, {500, 0, {{0, 0}}}}, {500, 500, {1000, 0, {{0, 0}}}}, {0, 500, {1000, 1, {{0, 500}}}}}},
        {"2: behind a gap, then an old one", {{0, 1000, {1000, 0, {{0, 0}}}}, {1500, 500, {1000, 1, {{1500, 2000}}}},
                                              {500, 500, {1000, 2, {{500, 1000}, {1500, 2000}}}}}},
        {"3: one behind a gap again", {{0, 500, {500, 0, {{0, 0}}}}, {1000, 500, {500, 1, {{1000, 1500}}}}, {1500, 500, {500, 1, {{1000, 2000}}}},
                                       {1500, 500, {500, 2, {{1500, 2000}, {1000, 2000}}}}}},
        {"4: the front of a segment", {{500, 500, {0, 1, {{500, 1000}}}}, {0, 500, {1000, 0, {{0, 0}}}}, {1500, 500, {1000, 1, {{1500, 2000}}}},
                                       {500, 1000, {2000, 1, {{500, 1000}}}}}},
        {"5: two parts below the ACK number", {{0, 500, {500, 0, {{0, 0}}}}, {2500, 500, {500, 1, {{2500, 3000}}}}, {500, 500, {1000, 1, {{2500, 3000}}}},
                                               {1500, 500, {1000, 2, {{1500, 2000}, {2500, 3000}}}}, {500, 1500, {2000, 2, {{500, 1000}, {2500, 3000}}}}}},
        {"6: two parts above it", {{0, 500, {500, 0, {{0, 0}}}}, {3000, 500, {500, 1, {{3000, 3500}}}}, {1000, 500, {500, 2, {{1000, 1500}, {3000, 3500}}}},
                                   {1500 + 500, 500, {500, 3, {{2000, 2500}, {1000, 1500}, {3000, 3500}}}},
                                   {1000, 1500, {500, 3, {{1000, 1500}, {1000, 2500}, {3000, 3500}}}}}},
    };
    for (unsigned i = 0; i < 4 * COUNT_OF(example); i++) {
        struct peer p = open_with(i & 1, WIRE_OPT_SACK_PERMITTED, i & 2);
        for (unsigned k = 0; k < 8 && example[i / 4].step[k].n; k++) {
            const struct told *want = &example[i / 4].step[k].told;
            struct told got;
            gives(&p, example[i / 4].step[k].at, example[i / 4].step[k].n);
            if (!hears(&p, &got)) {       /* a delayed one */
                victim_wait(&v, 50 * PL_MS);
                assert_true(hears(&p, &got));
            }
            if (got.ack != want->ack || got.n != want->n || memcmp(got.block, want->block, want->n * sizeof want->block[0]) != 0)
                fail_msg("example %s, step %u: ACK %u, %u blocks, [%u, %u) [%u, %u)", example[i / 4].name, k, got.ack, got.n, got.block[0].lo,
                         got.block[0].hi, got.block[1].lo, got.block[1].hi);
            if (hears(&p, &got))
                fail_msg("example %s, step %u: another ACK %u, %u blocks, [%u, %u)", example[i / 4].name, k, got.ack, got.n, got.block[0].lo, got.block[0].hi);
        }
        shut(&p);
    }
}

/* RFC 2883 4.3: an old segment whose timestamp is old too. */
static void what_paws_drops_is_told_as_well(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = open_with(v6, WIRE_OPT_SACK_PERMITTED | WIRE_OPT_TIMESTAMPS, v6);
        struct told t;
        assert_true(p.ts);
        p.ts_val = 200;
        assert_int_equal(gives(&p, 0, 300), PL_DROP_NONE);
        (void)victim_hush(&v);
        victim_wait(&v, 50 * PL_MS);
        (void)victim_hush(&v);
        p.ts_val = 150;
        assert_int_equal(gives(&p, 100, 200), PL_DROP_TCP_PAWS);
        assert_true(hears(&p, &t));
        assert_true(t.ack == 300 && t.n == 1 && t.block[0].lo == 100 && t.block[0].hi == 300);
        assert_int_equal(v.why, PL_WHY_ACK_DSACK);
        assert_int_equal(gives(&p, 1000, 200), PL_DROP_TCP_PAWS);     /* ahead, and never taken: nothing came twice */
        assert_true(hears(&p, &t));
        assert_int_equal(t.n, 0);
        shut(&p);
    }
}

/* RFC 2018 4-b: not agreed, nothing told: plain duplicates, one each, for the peer counts them. MAY-13, RFC 5681 4.2. */
static void without_sack_each_segment_has_an_ack_of_its_own(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = open_with(v6, 0, v6);
        struct told t;
        for (unsigned i = 0; i < 10; i++)
            gives(&p, 100 + 100 * i, 100);
        for (unsigned i = 0; i < 10; i++)
            assert_true(hears(&p, &t) && t.ack == 0 && t.n == 0);
        victim_silent(&v);
        gives(&p, 0, 100);
        assert_true(hears(&p, &t) && t.ack == 1100);
        for (unsigned i = 0; i < 5; i++)
            gives(&p, 100 * i, 100);
        for (unsigned i = 0; i < 5; i++)
            assert_true(hears(&p, &t) && t.ack == 1100 && t.n == 0);
        victim_silent(&v);
        shut(&p);
    }
}

/* With SACK: three for text that makes one block, however much it is; as many as it takes for blocks; one for each duplicate: RFC 2883 4-b. RFC 2018 4-d */
static void with_sack_as_many_acks_leave_as_the_news_takes(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = open_with(v6, WIRE_OPT_SACK_PERMITTED, v6);
        struct told t;
        for (unsigned i = 0; i < 10; i++)
            gives(&p, 100 + 100 * i, 100);
        for (unsigned i = 0; i < 3; i++)
            assert_true(hears(&p, &t) && t.ack == 0 && t.n == 1 && t.block[0].lo == 100 && t.block[0].hi == 1100);
        victim_silent(&v);
        gives(&p, 0, 100);
        assert_true(hears(&p, &t) && t.ack == 1100 && t.n == 0);
        for (unsigned i = 0; i < 8; i++)
            gives(&p, 100 * i, 60);
        for (unsigned i = 0; i < 8; i++)
            assert_true(hears(&p, &t) && t.ack == 1100 && t.n == 1 && t.block[0].lo == 100 * i && t.block[0].hi == 100 * i + 60);
        victim_silent(&v);
        for (unsigned i = 0; i < 3; i++)  /* old text and new behind it: at once, and the text is acknowledged once */
            gives(&p, 1050 + 100 * i, 150);
        for (unsigned i = 0; i < 3; i++)
            assert_true(hears(&p, &t) && t.ack == 1400 && t.n == 1 && t.block[0].lo == 1050 + 100 * i && t.block[0].hi == 1100 + 100 * i);
        victim_silent(&v);
        shut(&p);
    }
}

/* RFC 2018 4-c: text of ours that fills its segment has no room for the report: then an ACK of its own brings it. */
static void a_duplicate_is_told_beside_text_only_if_there_is_room(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned full = 0; full < 2; full++) {
            struct peer p = open_with(v6, WIRE_OPT_SACK_PERMITTED, v6);
            struct forged f;
            unsigned told = 0;
            gives(&p, 0, 500);
            victim_wait(&v, 50 * PL_MS);
            (void)victim_hush(&v);
            uint32_t mss = peer_status(&p).mss;
            gives(&p, 0, 500);
            assert_int_equal(pl_send(v.s, p.c, bytes, full ? mss : 100), full ? mss : 100);
            for (unsigned n = 0; victim_take(&v, &f); n++) {
                assert_true(n < 2);
                assert_true(f.text_bytes + (f.opts.nsack ? 12 : 0) <= mss);
                told += f.opts.nsack;
            }
            assert_int_equal(told, 1);
            shut(&p);
        }
}

/* Numbers that the peer never used are no duplicates, and a FIN that comes again is one. */
static void only_what_was_received_can_come_twice(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = open_with(v6, WIRE_OPT_SACK_PERMITTED, v6);
        struct told t;
        struct forged f = peer_segment(&p, PL_ACK);
        f.seq = p.iss + 1 - 100000;
        f.text_bytes = 1000;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_DUPLICATE);
        assert_true(hears(&p, &t) && t.n == 0);
        gives(&p, 0, 500);
        victim_wait(&v, 50 * PL_MS);
        (void)victim_hush(&v);
        f = peer_segment(&p, PL_ACK);
        f.seq = p.iss + 1 - 300;
        f.text_bytes = 500;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_DUPLICATE);
        assert_true(hears(&p, &t) && t.n == 1 && t.block[0].lo == 0 && t.block[0].hi == 200);
        f = peer_segment(&p, PL_ACK | PL_FIN);
        f.seq = p.iss + 501;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_true(hears(&p, &t) && t.ack == 501 && t.n == 0);
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_DUPLICATE);
        assert_true(hears(&p, &t) && t.ack == 501 && t.n == 1 && t.block[0].lo == 500 && t.block[0].hi == 501);
        victim_silent(&v);
        shut(&p);
    }
}

/* No record left to remember it in: a plain duplicate ACK. */
static void a_full_pool_costs_the_report_only(void **state)
{
    (void)state;
    struct pl_config c = victim_config();
    victim_free(&v);
    c.gaps_max = 1;
    victim_make(&v, &c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = open_with(v6, WIRE_OPT_SACK_PERMITTED, v6);
        struct peer q = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_SACK_PERMITTED}, .number = 7});
        struct told t;
        gives(&q, 100, 100);
        (void)victim_hush(&v);
        gives(&p, 0, 500);
        victim_wait(&v, 50 * PL_MS);
        (void)victim_hush(&v);
        gives(&p, 0, 500);
        assert_true(hears(&p, &t) && t.ack == 500 && t.n == 0);
        victim_silent(&v);
        (void)pl_abort(v.s, q.c);
        (void)pl_close(v.s, q.c);
        shut(&p);
    }
}

/* ------------------------------------------------ any order, any overlap, any batch ------------------------------------------------ */

enum { SPACE = 20000 };
struct model {
    bool held[SPACE + 4096];
    uint32_t nxt, read;
    struct {
        uint32_t lo, hi;
    } twice[8];
    unsigned ntwice;
};

/* What the segment brings; the first run of it that was there already is to be told. */
static void model_takes(struct model *m, uint32_t at, uint32_t n, uint32_t edge)
{
    uint32_t end = at + n < edge ? at + n : edge, lo = at;
    while (lo < end && !(lo < m->nxt || m->held[lo]))
        lo++;
    uint32_t hi = lo;
    while (hi < end && (lo < m->nxt ? hi < m->nxt : m->held[hi]))
        hi++;
    if (lo < hi)
        m->twice[m->ntwice].lo = lo, m->twice[m->ntwice++].hi = hi;
    for (uint32_t i = at; i < end; i++)
        m->held[i] = true;
    while (m->held[m->nxt])
        m->nxt++;
}

/* Each block but a first one that is awaited is a run of bytes that are held, whole; and no duplicate is left untold. */
static void model_hears(struct model *m, const struct told *t, unsigned *untold)
{
    assert_int_equal(t->ack, m->nxt);
    unsigned first = *untold < m->ntwice ? 1 : 0;
    if (first) {
        assert_true(t->n >= 1 && t->block[0].lo == m->twice[*untold].lo && t->block[0].hi == m->twice[*untold].hi);
        ++*untold;
        if (t->block[0].lo >= m->nxt)
            assert_true(t->n >= 2 && t->block[1].lo <= t->block[0].lo && t->block[0].hi <= t->block[1].hi);
    }
    for (unsigned i = first; i < t->n; i++) {
        assert_true(t->block[i].lo > m->nxt && t->block[i].lo < t->block[i].hi && t->block[i].hi <= SPACE + 4000);
        assert_false(m->held[t->block[i].lo - 1] || m->held[t->block[i].hi]);
        for (uint32_t b = t->block[i].lo; b < t->block[i].hi; b++)
            assert_true(m->held[b]);
        for (unsigned k = first; k < i; k++)
            assert_true(t->block[k].lo != t->block[i].lo);
    }
}

/* RFC 2018 4-c, 4-e, 4-f; RFC 2883 4-a, 4-b, 4-c, 4-d: for random segments, what is told is exactly what is held, and each duplicate is told once. */
static void random_arrivals_are_told_as_they_are(void **state)
{
    (void)state;
    static struct model m;
    struct prng r;
    prng_seed(&r, 2883);
    unsigned told_twice = 0;
    for (unsigned run = 0; run < 40; run++) {
        struct peer p = open_with(run & 1, (uint8_t)(WIRE_OPT_SACK_PERMITTED | (run & 4 ? WIRE_OPT_TIMESTAMPS : 0)), run & 2);
        memset(&m, 0, sizeof m);
        while (m.nxt < SPACE) {
            m.ntwice = 0;
            for (unsigned batch = 1 + prng_below(&r, 8); batch; batch--) {
                uint32_t back = prng_below(&r, 4) == 0 ? prng_below(&r, 600) : 0, at = m.nxt - (back < m.nxt ? back : m.nxt) + prng_below(&r, 1500);
                if (prng_below(&r, 3) == 0)
                    at = m.nxt;
                uint32_t n = 1 + prng_below(&r, 400), edge = peer_status(&p).rcv.nxt + peer_status(&p).rcv.wnd - p.iss - 1;
                if (at >= edge)
                    continue;
                enum pl_drop drop = gives(&p, at, n);
                if (drop == PL_DROP_NONE || drop == PL_DROP_TCP_DUPLICATE)
                    model_takes(&m, at, n, edge);
                else
                    fail_msg("dropped: %s", pl_drop_name(drop));
                assert_int_equal(peer_status(&p).rcv.nxt - p.iss - 1, m.nxt);
            }
            unsigned untold = 0;
            struct told t;
            while (hears(&p, &t))
                model_hears(&m, &t, &untold);
            assert_int_equal(untold, m.ntwice);
            told_twice += untold;
            uint8_t got[4096];
            for (ptrdiff_t n; (n = pl_recv(v.s, p.c, got, sizeof got)) > 0; m.read += (uint32_t)n)
                assert_memory_equal(got, bytes + m.read, (size_t)n);
            while (hears(&p, &t))         /* window updates */
                model_hears(&m, &t, &untold);
        }
        assert_int_equal(m.read, m.nxt);
        shut(&p);
    }
    assert_true(told_twice > 1000);
}

/* RFC 2883 5: our own sender: three ACKs that tell of duplicates, below the ACK number or above, are no sign of a loss; three others are. */
static void reports_of_duplicates_are_no_sign_of_a_loss(void **state)
{
    (void)state;
    enum { BELOW, ABOVE, NEWS };
    for (unsigned kind = BELOW; kind <= NEWS; kind++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            struct peer p = peer_half_open(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_SACK_PERMITTED | WIRE_OPT_MSS, .mss = 500}});
            struct forged f;
            victim_wait(&v, 40 * PL_MS);  /* a round-trip time: reordering within a quarter of it is no loss */
            assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
            assert_int_equal(pl_accept(v.s, v.listener, &p.c, NULL), PL_OK);
            assert_int_equal(pl_send(v.s, p.c, bytes, 2000), 2000);
            assert_int_equal(victim_hush(&v), 4);
            victim_wait(&v, 40 * PL_MS);
            uint32_t una = peer_status(&p).snd.una;
            bool again = false;
            for (unsigned i = 0; i < 3; i++) {
                struct forged a = peer_segment(&p, PL_ACK);
                assert_false(again);
                a.ack = una;
                a.opts.have |= WIRE_OPT_SACK;
                a.opts.nsack = kind == ABOVE ? 2 : 1;
                struct wire_tcp_sack *b = a.opts.sack;
                if (kind == BELOW)
                    b[0].lo = una - 100, b[0].hi = una;
                else if (kind == ABOVE)
                    b[0].lo = una + 600, b[0].hi = una + 700, b[1].lo = una + 500, b[1].hi = una + 1000;
                else
                    b[0].lo = una + 500, b[0].hi = una + 1000 + 500 * i;
                victim_give(&v, &a);
                again = victim_take(&v, &f) && f.seq == una && f.text_bytes;
            }
            assert_int_equal(again, kind == NEWS);
            shut(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_examples_of_rfc_2883, make, unmake),
        cmocka_unit_test_setup_teardown(what_paws_drops_is_told_as_well, make, unmake),
        cmocka_unit_test_setup_teardown(without_sack_each_segment_has_an_ack_of_its_own, make, unmake),
        cmocka_unit_test_setup_teardown(with_sack_as_many_acks_leave_as_the_news_takes, make, unmake),
        cmocka_unit_test_setup_teardown(a_duplicate_is_told_beside_text_only_if_there_is_room, make, unmake),
        cmocka_unit_test_setup_teardown(only_what_was_received_can_come_twice, make, unmake),
        cmocka_unit_test_setup_teardown(a_full_pool_costs_the_report_only, make, unmake),
        cmocka_unit_test_setup_teardown(random_arrivals_are_told_as_they_are, make, unmake),
        cmocka_unit_test_setup_teardown(reports_of_duplicates_are_no_sign_of_a_loss, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
