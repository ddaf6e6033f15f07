/* SPDX-License-Identifier: MIT
 *
 * test_matrix.c: the connection matrix: the same program of behaviours runs on the Linux kernel and on parley's socket layer, and they must say the
 * same, line by line, but for the differences that differences.c lists; and that list is the one of docs/sockets.md, no longer and no shorter.
 *
 *     posix.test_matrix               compares
 *     posix.test_matrix NAME          prints what both said of the behaviours whose name contains NAME
 */
/* TIME-LIMIT: 120 s */
#include "support/skip.h"
#include "support/unit.h"

#include <stdio.h>

#include "behave.h"
#include "differences.h"

static const struct behaviour *const all[] = {behave_names, behave_opening, behave_stream, behave_ends, behave_options, behave_ready, behave_epoll,
                                              behave_datagrams, behave_urgent};
static const char *wanted;               /* NULL: all */

enum { FIRST_PORT = 2000, PORTS_EACH = 8 };

static void run(struct calls *k, const struct behaviour *b, unsigned number, struct scene *t)
{
    memset(t, 0, sizeof *t);
    t->k = k;
    t->port = (uint16_t)(FIRST_PORT + number * PORTS_EACH);
    k->patience(10);
    b->run(t);
    k->patience(0);
    for (int i = 0; i < t->fds; i++)
        k->close(k, t->fd[i]);
    k->settle(k);
}

/* ------------------------------------------------------------ comparing ------------------------------------------------------------ */

struct pair_of_lines {
    const char *kernel, *parley;          /* the rest of both texts */
    int n, m;                             /* how long the first lines are; -1: before the first */
};

static bool next_lines(struct pair_of_lines *l)
{
    if (l->n >= 0 && *l->kernel)
        l->kernel += l->n + (l->kernel[l->n] == '\n');
    if (l->m >= 0 && *l->parley)
        l->parley += l->m + (l->parley[l->m] == '\n');
    l->n = (int)strcspn(l->kernel, "\n");
    l->m = (int)strcspn(l->parley, "\n");
    return *l->kernel || *l->parley;
}

static bool line_is(const char *line, int n, const char *text) { return (size_t)n == strlen(text) && memcmp(line, text, (size_t)n) == 0; }
static bool same(const struct pair_of_lines *l) { return l->n == l->m && memcmp(l->kernel, l->parley, (size_t)l->n) == 0; }

static bool is_listed(const char *name, const struct pair_of_lines *l)
{
    for (const struct difference *d = differences; d->name; d++)
        if (strcmp(d->name, name) == 0 && line_is(l->kernel, l->n, d->kernel) && line_is(l->parley, l->m, d->parley))
            return true;
    return false;
}

/* How many lines differ that are not listed, or are listed and do not differ. */
static unsigned wrong_lines(const char *name, const char *kernel, const char *parley)
{
    unsigned wrong = 0, found = 0, due = 0;
    for (struct pair_of_lines l = {kernel, parley, -1, -1}; next_lines(&l);) {
        bool listed = !same(&l) && is_listed(name, &l);
        found += listed;
        wrong += !same(&l) && !listed;
    }
    for (const struct difference *d = differences; d->name; d++)
        due += strcmp(d->name, name) == 0;
    return wrong + (found > due ? found - due : due - found);
}

static void print(const char *name, const char *kernel, const char *parley)
{
    printf("%s\n", name);
    for (struct pair_of_lines l = {kernel, parley, -1, -1}; next_lines(&l);)
        if (same(&l))
            printf("    %.*s\n", l.n, l.kernel);
        else
            printf("    %-60.*s | %.*s%s\n", l.n, l.kernel, l.m, l.parley, is_listed(name, &l) ? "   (listed)" : "");
}

static unsigned each(struct calls *kernel, unsigned *wrong)
{
    static struct scene on_kernel, on_parley;
    unsigned n = 0;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (const struct behaviour *b = all[i]; b->name; b++, n++) {
            if (wanted && !strstr(b->name, wanted))
                continue;
            struct calls *parley = calls_parley_new();
            run(parley, b, n, &on_parley);
            calls_parley_free(parley);
            run(kernel, b, n, &on_kernel);
            unsigned lines = wrong_lines(b->name, on_kernel.text, on_parley.text);
            if (wanted || lines)
                print(b->name, on_kernel.text, on_parley.text);
            *wrong += lines;
        }
    return n;
}

static void the_kernel_and_parley_say_the_same(void **state)
{
    (void)state;
    char why[300];
    unsigned wrong = 0;
    struct calls *kernel = calls_kernel_new(why, sizeof why);
    if (!kernel)
        SKIP_BECAUSE(why);
    unsigned n = each(kernel, &wrong);
    calls_kernel_free(kernel);
    printf("# %u behaviours\n", n);
    assert_int_equal(wrong, 0);
    assert_true(n >= 120);
}

/* On parley alone, where there are no namespaces: every behaviour runs to its end, and none waits for what never comes. */
static void no_behaviour_waits_in_vain(void **state)
{
    (void)state;
    static struct scene t;
    unsigned n = 0;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (const struct behaviour *b = all[i]; b->name; b++, n++) {
            if (wanted && !strstr(b->name, wanted))
                continue;
            struct calls *parley = calls_parley_new();
            run(parley, b, n, &t);
            calls_parley_free(parley);
            if (strstr(t.text, "ETIME\n") || strstr(t.text, "in vain") || t.length == 0)
                fail_msg("%s:\n%s", b->name, t.text);
        }
}

static char *document(void)
{
    static char text[65536];
    FILE *f = fopen("docs/sockets.md", "r");
    if (!f)
        return NULL;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    return text;
}

/* One row of the document for each, and no other row that is about a behaviour. */
static void every_difference_is_documented(void **state)
{
    (void)state;
    char *text = document();
    if (!text)
        SKIP_BECAUSE("docs/sockets.md is not found from here: run it at the top of the checkout");
    size_t n = 0, rows = 0;
    for (; differences[n].name; n++) {
        char row[300];
        snprintf(row, sizeof row, "| %s | `%s` | `%s` | ", differences[n].name, differences[n].kernel, differences[n].parley);
        if (!strstr(text, row))
            fail_msg("docs/sockets.md lacks this row, with a reason: %s", row);
    }
    for (size_t i = 0; i < COUNT_OF(all); i++)
        for (const struct behaviour *b = all[i]; b->name; b++) {
            char start[200];
            snprintf(start, sizeof start, "| %s | ", b->name);
            for (const char *at = text; (at = strstr(at, start)) != NULL; at++)
                rows++;
        }
    assert_int_equal(rows, n);
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_behaviour_waits_in_vain),
        cmocka_unit_test(the_kernel_and_parley_say_the_same),
        cmocka_unit_test(every_difference_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
