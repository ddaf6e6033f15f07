/* SPDX-License-Identifier: MIT
 *
 * The rules of memory for what arrives (docs/architecture.md, section 3): many connections between two hosts whose pools are tiny. Whatever the
 * others leave unread, and whatever is lost on the way, a connection whose program reads gets its bytes; no right edge moves left (SHLD-14); in
 * the end all of it has arrived. IPv4 and IPv6.
 */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "base/seq.h"
#include "stack/stack.h"
#include "support/duo.h"

enum { CONNS = 12, EACH = 12000, HELD = 4 };

struct side {
    pl_conn c;
    uint32_t given, got;
    struct right_edge edge;
};

struct crowd {
    struct duo d;
    struct prng r;
    struct side side[CONNS][2];
    unsigned reading[2];                  /* bit: the program of this connection reads */
    bool both_ways;
    unsigned loss;                        /* one in so many; 0: none */
    uint64_t refused;                     /* segments for which there was no chunk */
    struct {
        uint8_t frame[DUO_FRAME_BYTES];
        size_t n;
    } held[2][HELD];                      /* frames on the way that are late */
};

static uint8_t pattern(unsigned conn, unsigned host, uint32_t at) { return (uint8_t)(at * 7 + (at >> 8) + conn * 31 + host); }

static void open_all(struct crowd *w, const struct pl_config *config, bool ipv6)
{
    duo_init(&w->d, config, false);
    pl_listener l = duo_listen(&w->d, 1, 80, CONNS);
    for (unsigned i = 0; i < CONNS; i++) {
        w->side[i][0].c = duo_connect(&w->d, 0, ipv6, 80);
        duo_exchange(&w->d);
        assert_int_equal(pl_accept(w->d.s[1], l, &w->side[i][1].c, NULL), PL_OK);
    }
    duo_drain_events(&w->d);
}

/* Each program gives what is taken, and reads if it is one that reads. True: something moved. */
static bool programs(struct crowd *w)
{
    bool moved = false;
    uint8_t b[1500];
    for (unsigned i = 0; i < CONNS; i++)
        for (unsigned h = 0; h < 2; h++) {
            struct side *s = &w->side[i][h];
            uint32_t n = EACH - s->given < sizeof b ? EACH - s->given : (uint32_t)sizeof b;
            for (uint32_t k = 0; k < n; k++)
                b[k] = pattern(i, h, s->given + k);
            ptrdiff_t took = n && (h == 0 || w->both_ways) ? pl_send(w->d.s[h], s->c, b, n) : 0;
            assert_true(took >= 0 || took == PL_EAGAIN);
            if (took > 0)
                s->given += (uint32_t)took, moved = true;
            if (!(w->reading[h] >> i & 1))
                continue;
            ptrdiff_t got = pl_recv(w->d.s[h], s->c, b, 1 + prng_below(&w->r, sizeof b));
            assert_true(got > 0 || got == PL_EAGAIN);
            for (ptrdiff_t k = 0; k < got; k++, s->got++)
                assert_int_equal(b[k], pattern(i, !h, s->got));
            moved |= got > 0;
        }
    return moved;
}

static void watch(struct crowd *w, unsigned host, const struct forged *f)
{
    for (unsigned i = 0; i < CONNS; i++) {
        struct side *s = &w->side[i][host];
        struct pl_tcp_status st;
        if (pl_status(w->d.s[host], s->c, &st, sizeof st) != PL_OK || st.local.port != f->src.port || st.remote.port != f->dst.port)
            continue;
        right_edge_stays(&s->edge, &st, f);
    }
}

static bool deliver(struct crowd *w)
{
    bool moved = false;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    for (unsigned h = 0; h < 2; h++)
        for (size_t n; (n = duo_take(&w->d, h, frame)) != 0; moved = true) {
            assert_true(forge_read(frame, n, &f));
            watch(w, h, &f);
            unsigned luck = w->loss ? prng_below(&w->r, w->loss) : 2;
            unsigned place = prng_below(&w->r, HELD);
            if (luck == 0)
                continue;
            if (luck == 1) {              /* late: what was late before goes now */
                if (w->held[h][place].n)
                    duo_give(&w->d, !h, w->held[h][place].frame, w->held[h][place].n);
                memcpy(w->held[h][place].frame, frame, n);
                w->held[h][place].n = n;
                continue;
            }
            duo_give(&w->d, !h, frame, n);
        }
    return moved;
}

static uint32_t at_most(const struct crowd *w, unsigned host)
{
    uint32_t least = EACH;
    for (unsigned i = 0; i < CONNS; i++)
        if (w->reading[host] >> i & 1)
            least = w->side[i][host].got < least ? w->side[i][host].got : least;
    return least;
}

/* Until every program that reads has everything. */
static void run(struct crowd *w, pl_time limit, const char *what)
{
    pl_time stop = w->d.now + limit;
    while (at_most(w, 1) < EACH || (w->both_ways && at_most(w, 0) < EACH)) {
        for (bool more = true; more;) {
            more = programs(w);
            more |= deliver(w);
            duo_drain_events(&w->d);
        }
        duo_drain_events(&w->d);
        if (at_most(w, 1) == EACH && (!w->both_ways || at_most(w, 0) == EACH))
            break;
        pl_time a = pl_deadline(w->d.s[0]), b = pl_deadline(w->d.s[1]), next = a < b ? a : b;
        if (next > stop)
            fail_msg("%s: after %llu s a reader has %u of %u bytes", what, (unsigned long long)(limit / PL_S), at_most(w, 1), EACH);
        w->d.now = next > w->d.now ? next : w->d.now + 1;
        pl_poll(w->d.s[0], w->d.now);
        pl_poll(w->d.s[1], w->d.now);
        assert_null(block_chunks_are_accounted(w->d.s[0]));
        assert_null(block_chunks_are_accounted(w->d.s[1]));
    }
}

static struct pl_config tiny(uint32_t chunks, uint32_t overcommit, uint32_t rcvbuf)
{
    struct pl_config c = duo_config();
    c.connections_max = c.flights_max = c.gaps_max = CONNS;
    c.half_open_max = c.backlog_default = CONNS;
    c.records_max = 64 * CONNS, c.records_per_conn_max = 64;
    c.chunks_max = chunks;
    c.window_overcommit = overcommit;
    c.rcvbuf_bytes = rcvbuf;
    c.sndbuf_bytes = 8000;
    c.data_retries = 100;                 /* who sends to a program that does not read waits for it: that is not the subject here */
    return c;
}

/* Connections whose programs read finish while the others never read; then those read too, and finish. */
static void whoever_reads_gets_its_bytes_whatever_the_others_do(void **state)
{
    static const struct {
        uint32_t chunks, overcommit, rcvbuf;
        unsigned loss;
        bool both_ways;
        unsigned reading[2];
        uint32_t tuned;                   /* the largest size of auto-tuned buffers; 0: fixed */
    } rows[] = {
        {100, 1, 4096, 0, false, {0xfff, 1}, 0},
        {100, 8, 8000, 0, false, {0xfff, 0x0f0}, 0},
        {100, 64, 200000, 20, false, {0xfff, 0x801}, 0},
        {60, 64, 70000, 12, false, {0xfff, 0x7}, 0},
        {48, 8, 3000, 0, false, {0xfff, 0x800}, 0},
        {120, 8, 6000, 30, true, {0x00f, 0x03c}, 0},
        {100, 64, 100000, 0, true, {0xff0, 0x0ff}, 0},
        {72, 2, 100000, 15, true, {0xfff, 0xfff}, 0},
        {100, 8, 2000, 25, true, {0x0f0, 0xff0}, 300000},
        {72, 64, 3000, 0, false, {0xfff, 0x801}, 300000},
    };
    uint64_t refused = 0, shed = 0;
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct crowd *w = calloc(1, sizeof *w);
        struct pl_config c = tiny(rows[i / 2].chunks, rows[i / 2].overcommit, rows[i / 2].rcvbuf);
        char what[64];
        c.sndbuf_max = c.rcvbuf_max = rows[i / 2].tuned;
        snprintf(what, sizeof what, "row %u, IPv%d", i / 2, i & 1 ? 6 : 4);
        prng_seed(&w->r, 300 + i);
        w->loss = rows[i / 2].loss;
        w->both_ways = rows[i / 2].both_ways;
        open_all(w, &c, i & 1);
        w->reading[0] = rows[i / 2].reading[0] & (w->both_ways ? rows[i / 2].reading[1] : 0xfff);
        w->reading[1] = w->both_ways ? w->reading[0] : rows[i / 2].reading[1];
        run(w, 1200 * PL_S, what);
        w->reading[0] = w->reading[1] = 0xfff;
        w->loss = 0;
        run(w, 1200 * PL_S, what);
        for (unsigned h = 0; h < 2; h++) {
            struct pl_counters n;
            assert_int_equal(pl_counters(w->d.s[h], &n, sizeof n), PL_OK);
            refused += n.drops[PL_DROP_TCP_NO_CHUNK];
            shed += n.early_text_shed;
            for (unsigned k = 0; k < CONNS; k++) {
                assert_int_equal(pl_abort(w->d.s[h], w->side[k][h].c), PL_OK);
                assert_int_equal(pl_close(w->d.s[h], w->side[k][h].c), PL_OK);
            }
            assert_int_equal(w->d.s[h]->pools.chunks.used + w->d.s[h]->pools.chunks.kept, 0);
            assert_true(w->d.s[h]->pools.chunks.promised == 0);
        }
        duo_free(&w->d);
        free(w);
    }
    assert_true(refused > 0 && shed > 0);                            /* it was tight enough */
}

/* overcommit 1: what is promised is there: nothing that lies in the window is ever refused, in order or not. */
static void without_overcommit_nothing_that_was_promised_is_refused(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct crowd *w = calloc(1, sizeof *w);
        struct pl_config c = tiny(600, 1, 60000);
        prng_seed(&w->r, 17);
        open_all(w, &c, v6);
        w->reading[0] = 0xfff, w->reading[1] = 1;
        run(w, 600 * PL_S, "promises");
        struct pl_counters n;
        assert_int_equal(pl_counters(w->d.s[1], &n, sizeof n), PL_OK);
        assert_int_equal(n.drops[PL_DROP_TCP_NO_CHUNK], 0);
        assert_true(w->d.s[1]->pools.chunks.promised + ((uint64_t)w->d.s[1]->pools.chunks.used << w->d.s[1]->pools.chunks.shift) <= w->d.s[1]->pools.chunks.promises_max);
        duo_free(&w->d);
        free(w);
    }
}

/* Whose handle was given back takes nothing any more: it holds no promise that others could be given, while it waits for the peer's FIN. */
static void an_orphan_is_promised_nothing(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_config c = tiny(600, 1, 60000);
        struct duo d;
        pl_conn both[2];
        duo_init(&d, &c, false);
        duo_open(&d, v6, 80, both);
        const struct chunks *p = &d.s[0]->pools.chunks;
        assert_int_equal(p->promised, 60000);
        assert_int_equal(pl_send(d.s[0], both[0], "last words", 10), 10);
        assert_int_equal(pl_close(d.s[0], both[0]), PL_OK);
        duo_exchange(&d);
        assert_int_equal(d.s[0]->pools.conns.used, 1);   /* FIN-WAIT-2 */
        assert_int_equal(p->promised, 0);
        assert_int_equal(p->kept, 0);
        duo_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_reads_gets_its_bytes_whatever_the_others_do),
        cmocka_unit_test(an_orphan_is_promised_nothing),
        cmocka_unit_test(without_overcommit_nothing_that_was_promised_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
