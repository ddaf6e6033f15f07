/* SPDX-License-Identifier: MIT
 *
 * test_table.c: every state and every kind of segment, with and without timestamps, the window open and closed, IPv4 and IPv6, and with numbers that wrap
 * past 2^32 and 2^31 on the way: what RFC 9293 3.10.7 answers, which state follows, and what the program is told, by tests/segment/table.txt.
 */
#include <stdio.h>

#include "segment/play.h"
#include "support/unit.h"

static const struct table *table;

/* Ours, the peer's, the peer's timestamps. */
static const uint32_t numbers[][3] = {{1000, 5000, 77},
                                      {0xfffffff8, 0xffffffe8, 0xffffffff},
                                      {0xffffffff, 0xffffffff, 0},
                                      {0, 0, 0x7fffffff},
                                      {0xfffffff0, 0xfffffc00, 0xffffffff},
                                      {0x7ffffff0, 0x7ffffff5, 0x80000000},
                                      {0xffffffee, 0x10, 0xfffffffe}};

static const char *tells(const struct scene_params *p, unsigned kind, const char *wrong, const struct table_row *r)
{
    static char text[700];
    snprintf(text, sizeof text, "%s, %s, timestamps %s, window %s, IPv%c, ISS %u, IRS %u, TS.Recent %u: %s\n    table.txt:%u: %s", p->state,
             table->kinds[kind].name, table->stamps[p->stamps], p->closed ? "closed" : "open", p->v6 ? '6' : '4', p->iss, p->irs,
             p->ts, wrong, r->line, r->rule);
    return text;
}

static unsigned play_kinds(const struct scene_params *p, unsigned state)
{
    static struct scene s;
    const struct table_row *r;
    unsigned wrong = 0;
    scene_make(&s, p);
    for (unsigned kind = 0; kind < table->nkinds; kind++) {
        if (table_rows(state, kind, p->stamps, p->closed, &r) == 0)
            continue;                     /* every_cell_stands_in_exactly_one_row says so */
        scene_again(&s);
        const char *what = play(&s, &table->kinds[kind], r);
        if (what && ++wrong)
            print_error("%s\n", tells(p, kind, what, r));
    }
    scene_free(&s);
    return wrong;
}

static void play_state(void **of)
{
    unsigned state = **(unsigned **)of, wrong = 0;
    for (unsigned n = 0; n < COUNT_OF(numbers); n++)
        for (unsigned rest = 0; rest < 4u * STAMPS; rest++) {
            struct scene_params p = {table->states[state], (enum table_stamps)(rest / 4), rest & 1, rest & 2, numbers[n][0], numbers[n][1], numbers[n][2]};
            if (!table_absent(state, p.closed))
                wrong += play_kinds(&p, state);
        }
    assert_int_equal(wrong, 0);
}

static void every_cell_stands_in_exactly_one_row(void **unused)
{
    static unsigned used[TABLE_ROWS_MAX];
    const struct table_row *r;
    unsigned wrong = 0;
    (void)unused;
    for (unsigned cell = 0; cell < table->nstates * table->nkinds * STAMPS * 2; cell++) {
        unsigned closed = cell % 2, stamps = cell / 2 % STAMPS, kind = cell / 2 / STAMPS % table->nkinds, state = cell / 2 / STAMPS / table->nkinds;
        unsigned rows = table_rows(state, kind, stamps, closed, &r), absent = table_absent(state, closed);
        if (absent == 0 && rows == 1)
            used[r - table->rows]++;
        else if (absent != 1 && ++wrong)
            print_error("%s, %s, timestamps %s, window %s: in %u rows, declared absent %u times\n", table->states[state], table->kinds[kind].name,
                        table->stamps[stamps], closed ? "closed" : "open", rows, absent);
    }
    for (unsigned n = 0; n < table->nrows; n++)
        if (!used[n] && ++wrong)
            print_error("table.txt:%u: no cell stands in this row\n", table->rows[n].line);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    static struct CMUnitTest tests[1 + TABLE_STATES_MAX];
    static unsigned states[TABLE_STATES_MAX];
    table = table_read();
    tests[0] = (struct CMUnitTest)cmocka_unit_test(every_cell_stands_in_exactly_one_row);
    for (unsigned n = 0; n < table->nstates; n++) {
        states[n] = n;
        tests[1 + n] = (struct CMUnitTest){.name = table->states[n], .test_func = play_state, .initial_state = &states[n]};
    }
    return _cmocka_run_group_tests("segment.test_table", tests, 1 + table->nstates, NULL, NULL);
}
