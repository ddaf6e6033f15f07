/* SPDX-License-Identifier: MIT
 *
 * A run of frames given at once results in what the same frames given one by one result in: the same segments in return, events in the same order, the
 * same deadline. Two stacks with three connections send each other text, lose and reorder some of it, close, and abort; whatever arrives at host 1 is
 * given to it in one pl_rx, and to a copy of it in several.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "support/duo.h"

enum { CONNS = 3, FRAMES = 12, SEEDS = 100, STEPS = 60, EVENTS = 32 };

struct frames {
    uint8_t bytes[FRAMES][DUO_FRAME_BYTES];
    struct pl_frame f[FRAMES];
    int n;
};

static void flatten(struct pl_frame *f, uint8_t *bytes)
{
    size_t at = f->span[0].len;           /* the headers are there already */
    for (unsigned k = 1; k < f->nspans; k++) {
        memcpy(bytes + at, f->span[k].base, f->span[k].len);
        at += f->span[k].len;
    }
    f->span[0] = (struct pl_span){bytes, at};
    f->nspans = 1;
}

static void take(pl_stack *s, struct frames *fr, pl_time now)
{
    for (int i = 0; i < FRAMES; i++)
        fr->f[i].span[0] = (struct pl_span){fr->bytes[i], PL_HEADER_BYTES_MAX};
    fr->n = pl_tx(s, 0, fr->f, FRAMES, now);
    assert_in_range(fr->n, 0, FRAMES);
    for (int i = 0; i < fr->n; i++)
        flatten(&fr->f[i], fr->bytes[i]);
}

/* Some are lost, and two neighbours change places. */
static void spoil(struct frames *fr, struct prng *g)
{
    for (int i = fr->n; i-- > 0;)
        if (prng_below(g, 10) == 0) fr->f[i] = fr->f[--fr->n];
    if (fr->n > 1 && prng_below(g, 3) == 0) {
        uint32_t i = prng_below(g, (uint32_t)fr->n - 1);
        struct pl_frame moved = fr->f[i];
        fr->f[i] = fr->f[i + 1];
        fr->f[i + 1] = moved;
    }
}

static unsigned events(pl_stack *s, struct pl_event e[EVENTS])
{
    unsigned n = 0;
    memset(e, 0, EVENTS * sizeof *e);
    while (n < EVENTS && pl_event_next(s, &e[n]))
        n++;
    return n;
}

static void assert_same_news(pl_stack *at_once, pl_stack *singly)
{
    struct pl_event a[EVENTS], b[EVENTS];
    unsigned n = events(at_once, a);
    assert_int_equal(n, events(singly, b));
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(a[i].handle, b[i].handle);
        assert_int_equal(a[i].bits, b[i].bits);
    }
    assert_int_equal(pl_deadline(at_once), pl_deadline(singly));
}

static void assert_same_answers(pl_stack *at_once, pl_stack *singly, struct frames *answers, pl_time now)
{
    static struct frames others;
    take(at_once, answers, now);
    take(singly, &others, now);
    assert_int_equal(answers->n, others.n);
    for (int i = 0; i < answers->n; i++) {
        assert_int_equal(answers->f[i].span[0].len, others.f[i].span[0].len);
        assert_memory_equal(answers->bytes[i], others.bytes[i], others.f[i].span[0].len);
    }
}

static void use(pl_stack *s, pl_conn c, struct prng *g)
{
    static uint8_t text[3000];
    switch (prng_below(g, 300)) {
    case 0: pl_close(s, c); break;
    case 1: pl_abort(s, c); break;
    case 2: pl_finish(s, c); break;
    default:
        if (prng_below(g, 3)) pl_send(s, c, text, 1 + prng_below(g, sizeof text));
        if (prng_below(g, 2)) pl_recv(s, c, text, sizeof text);
    }
}

static int step(struct duo *d, pl_conn both[CONNS][2], struct prng *g)
{
    static struct frames there, back;
    for (int i = 0; i < CONNS; i++)
        use(d->s[0], both[i][0], g), use(d->s[1], both[i][1], g);
    d->now += prng_below(g, 4) ? PL_MS : 300 * PL_MS;
    pl_poll(d->s[0], d->now);
    pl_poll(d->s[1], d->now);
    duo_drain_events(d);
    take(d->s[0], &there, d->now);
    spoil(&there, g);
    struct pl_env env = d->env[1];
    pl_stack *copy = block_copy(d->s[1], &env);
    pl_rx(d->s[1], 0, there.f, (size_t)there.n, d->now);
    for (int i = 0; i < there.n; i++)
        pl_rx(copy, 0, &there.f[i], 1, d->now);
    assert_same_news(d->s[1], copy);
    assert_same_answers(d->s[1], copy, &back, d->now);
    assert_null(block_chunks_are_accounted(d->s[1]));
    block_free(copy);
    spoil(&back, g);
    pl_rx(d->s[0], 0, back.f, (size_t)back.n, d->now);
    return there.n;
}

static void at_once_or_one_by_one(void **state)
{
    (void)state;
    int most = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct duo d;
        struct prng g;
        pl_conn both[CONNS][2];
        prng_seed(&g, seed);
        duo_init(&d, NULL, false);
        for (int i = 0; i < CONNS; i++)
            duo_open(&d, false, (uint16_t)(80 + i), both[i]);
        for (unsigned i = 0; i < STEPS; i++) {
            int n = step(&d, both, &g);
            most = n > most ? n : most;
        }
        duo_free(&d);
    }
    assert_in_range(most, 6, FRAMES);     /* else nothing was tried */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_once_or_one_by_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
