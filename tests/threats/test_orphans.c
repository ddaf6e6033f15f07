/* SPDX-License-Identifier: MIT
 *
 * Threats V48, V49: how many connections there may be that nobody owns, in all and of one peer; RFC 9293 3.8.6.1.
 */
#include "support/unit.h"

#include "support/victim.h"

static struct victim v;

static void make_with(uint32_t most, uint32_t most_of_peer)
{
    struct pl_config c = victim_config();
    c.orphans_max = most, c.orphans_per_peer_max = most_of_peer;
    victim_make(&v, &c);
}

static uint64_t given_up(void)
{
    struct pl_counters n;
    assert_int_equal(pl_counters(v.s, &n, sizeof n), PL_OK);
    return n.orphans_reset;
}

/* A connection with text that its peer does not take, from which the program has gone; how many resets that made, in *to the last one's peer. */
static unsigned leave(struct peer *p, bool v6, uint32_t number, uint16_t port, struct pl_endpoint *to)
{
    struct forged f;
    unsigned resets = 0;
    (void)victim_hush(&v);
    *p = peer_connects(&v, v6, &(struct peer_wish){.number = number, .port = port});
    assert_int_equal(pl_send(v.s, p->c, "text", 4), 4);
    (void)victim_hush(&v);
    assert_int_equal(pl_close(v.s, p->c), PL_OK);
    while (victim_take(&v, &f))
        if (f.flags & PL_RST) {
            assert_int_equal(v.why, PL_WHY_TOO_MANY_ORPHANS);
            *to = f.dst;
            resets++;
        }
    return resets;
}

static bool same(const struct pl_endpoint *a, const struct pl_endpoint *b) { return memcmp(a, b, sizeof *a) == 0; }

/* RFC 9293 3.8.6.1; threats V48, V49: the oldest makes room. */
static void too_many_in_all(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p[8];
        struct pl_endpoint to;
        make_with(5, 12);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(leave(&p[i], v6, i, 0, &to), 0);
        assert_int_equal(v.s->pools.conns.used, 5);
        for (unsigned i = 5; i < 8; i++) {
            assert_int_equal(leave(&p[i], v6, i, 0, &to), 1);
            assert_true(same(&to, &p[i - 5].at));
            assert_int_equal(v.s->pools.conns.used, 5);
        }
        assert_int_equal(given_up(), 3);
        /* one in the middle ends well: there is room again */
        p[6].ack += 5;
        assert_int_equal(peer_says(&p[6], PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(peer_says(&p[6], PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(v.s->pools.conns.used, 4);
        assert_int_equal(leave(&p[0], v6, 20, 0, &to), 0);
        assert_int_equal(leave(&p[0], v6, 21, 0, &to), 1);
        assert_true(same(&to, &p[3].at));
        (void)victim_run(&v, 200 * PL_S, NULL, NULL);
        assert_int_equal(v.s->pools.conns.used, 0);
        assert_int_equal(v.s->orphans.count, 0);
        victim_free(&v);
    }
}

/* Nobody else pays for a peer that holds too many: its newest goes. */
static void too_many_of_one_peer(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p[8];
        struct pl_endpoint to;
        make_with(12, 2);
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(leave(&p[i], v6, v6 ? i : 1, (uint16_t)(40000 + i), &to), i >= 2);        /* an IPv6 /64 is one peer */
            if (i >= 2)
                assert_true(same(&to, &p[i].at));
        }
        assert_int_equal(leave(&p[5], !v6, 1, 0, &to), 0);
        assert_int_equal(v.s->pools.conns.used, 3);
        assert_int_equal(given_up(), 3);
        p[0].ack += 5;                    /* the peer takes one and finishes: it may have another */
        assert_int_equal(peer_says(&p[0], PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(peer_says(&p[0], PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(leave(&p[6], v6, 1, 50000, &to), 0);
        assert_int_equal(leave(&p[7], v6, 1, 50001, &to), 1);
        (void)victim_run(&v, 200 * PL_S, NULL, NULL);
        victim_free(&v);
    }
}

/* What ends, however it ends, is no orphan any more. */
static void what_ends_is_counted_out(void **state)
{
    (void)state;
    make_with(2, 2);
    for (unsigned i = 0; i < 60; i++) {
        struct peer p = peer_connects(&v, i & 1, &(struct peer_wish){.number = 1, .port = (uint16_t)(41000 + i)});
        if (i % 3 == 0)
            assert_int_equal(peer_says(&p, PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(pl_close(v.s, p.c), PL_OK);
        (void)victim_hush(&v);
        assert_int_equal(v.s->orphans.count, 1);
        struct forged rst = peer_segment(&p, PL_RST);
        p.ack++;
        if (i % 3 == 1)
            (void)victim_give(&v, &rst);
        else
            (void)peer_says(&p, i % 3 ? PL_FIN | PL_ACK : PL_ACK, NULL);
        assert_int_equal(v.s->orphans.count, 0);
        (void)victim_run(&v, 61 * PL_S, NULL, NULL);
    }
    assert_int_equal(given_up(), 0);
    victim_free(&v);
}

/* docs/defaults.md: three quarters of the connections, half of them of one peer; a small table is not divided. */
static void the_shares_by_default(void **state)
{
    static const struct {
        uint32_t connections, most, most_of_peer;
    } rows[] = {{1, 1, 1}, {4, 4, 4}, {8, 6, 4}, {4096, 3072, 2048}, {10000000, 7500000, 5000000}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_config c = {.connections_max = rows[i].connections};
        assert_int_equal(orphans_most(&c), rows[i].most);
        assert_int_equal(orphans_most_of_peer(&c), rows[i].most_of_peer);
        c.orphans_max = 7, c.orphans_per_peer_max = 6;
        assert_int_equal(orphans_most(&c), 7);
        assert_int_equal(orphans_most_of_peer(&c), 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_in_all),
        cmocka_unit_test(too_many_of_one_peer),
        cmocka_unit_test(what_ends_is_counted_out),
        cmocka_unit_test(the_shares_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
