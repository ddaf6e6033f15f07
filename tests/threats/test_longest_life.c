/* SPDX-License-Identifier: MIT
 *
 * Threats V48, V49, as a whole: pl_longest_life names a time, and no peer outlives it: silent ones, closed windows for ever, a byte now and then, no FIN,
 * FINs for ever, handshakes left open, and peers that do whatever comes to their mind. Once the program has closed everything, nothing is left.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "support/victim.h"

static struct victim v;
static uint32_t sent_up_to;               /* the end of what the victim has sent, its FIN included */
static unsigned resets;

static void listens(void *user, const struct forged *f)
{
    struct peer *p = user;
    uint32_t end = f->seq + (uint32_t)f->text_bytes + (f->flags & (PL_FIN | PL_SYN) ? 1 : 0);
    resets += f->flags & PL_RST ? 1 : 0;
    if (!(f->flags & PL_RST) && (int32_t)(end - sent_up_to) > 0)
        sent_up_to = end;
    (void)p;
}

/* ------------------------------------------------------------ how it begins ------------------------------------------------------------ */

enum beginning { EMPTY, WITH_TEXT, CLOSE_WAIT, FIN_WAIT_1, FIN_WAIT_2, CLOSING, ONLY_CALLED, CROSSED, HALF_OPEN, NOT_ACCEPTED, UNREAD, BEGINNINGS };
enum { TEXT = 3000 };

static void queue_text(const struct peer *p)
{
    static const char text[TEXT] = {1};
    assert_int_equal(pl_send(v.s, p->c, text, TEXT), TEXT);
}

/* A SYN of the peer's crosses ours: SYN-RECEIVED, actively. */
static struct peer crosses(bool v6)
{
    struct peer p = peer_called(&v, v6, NULL);
    struct forged f = {.src = p.at, .dst = p.victim, .seq = p.iss, .flags = PL_SYN, .wnd = 1000};
    (void)victim_give(&v, &f);
    return p;
}

static struct peer begin(enum beginning b, bool v6)
{
    struct peer p;
    switch (b) {
    case ONLY_CALLED:
        return peer_called(&v, v6, NULL);
    case CROSSED:
        p = crosses(v6);
        queue_text(&p);
        return p;
    case HALF_OPEN:
        return peer_half_open(&v, v6, NULL);
    case NOT_ACCEPTED:
        p = peer_half_open(&v, v6, NULL);
        (void)peer_says(&p, PL_ACK | PL_PSH, "text");
        return p;
    default:
        p = peer_connects(&v, v6, NULL);
    }
    if (b == UNREAD)
        (void)peer_says(&p, PL_ACK | PL_PSH, "text");
    if (b == CLOSE_WAIT)
        (void)peer_says(&p, PL_ACK | PL_FIN, NULL);
    if (b != EMPTY)
        queue_text(&p);
    if (b == FIN_WAIT_1 || b == FIN_WAIT_2 || b == CLOSING)
        assert_int_equal(pl_finish(v.s, p.c), PL_OK);
    (void)victim_run(&v, PL_S, listens, &p);
    if (b == FIN_WAIT_2)
        p.ack = sent_up_to, (void)peer_says(&p, PL_ACK, NULL);
    if (b == CLOSING)
        (void)peer_says(&p, PL_ACK | PL_FIN, NULL);
    return p;
}

/* ------------------------------------------------------------ what the peer does ------------------------------------------------------------ */

enum act { SILENT, ACKS_NOTHING, ZERO_WINDOW, ACKS_A_BYTE, ACKS_ALL, FIN, FIN_UNACKED, SYN_ACK, SYN, ASKS, WRONG_RST, OLD_TEXT, ACTS };

static void act(struct peer *p, enum act a)
{
    struct forged f = peer_segment(p, PL_ACK);
    switch (a) {
    case SILENT:
        return;
    case ZERO_WINDOW:
        p->wnd = f.wnd = 0;
        break;
    case ACKS_A_BYTE:
        p->wnd = f.wnd = 1;
        p->ack += p->ack != sent_up_to;
        f.ack = p->ack;
        break;
    case ACKS_ALL:
    case FIN:
        f.ack = p->ack = sent_up_to;
        p->wnd = f.wnd = 65535;
        f.flags |= a == FIN ? PL_FIN : 0;
        break;
    case FIN_UNACKED:
        f.flags |= PL_FIN;
        break;
    case SYN_ACK:
        f.flags |= PL_SYN, f.seq = p->iss;
        break;
    case SYN:
        f.flags = PL_SYN, f.seq = p->iss, f.ack = 0;
        break;
    case ASKS:
        f.seq--;
        break;
    case WRONG_RST:
        f.flags = PL_RST, f.seq += 10;
        break;
    case OLD_TEXT:
        f.seq -= 10, f.text_bytes = 10;
        break;
    default:
        break;
    }
    (void)victim_give(&v, &f);
}

/* One act, again and again; or, WORST: a byte now and then until the lifetime is all but over, then everything, then a FIN, and then FINs for ever. */
enum { WORST = ACTS, ERRATIC, STRATEGIES };

static enum act next_act(unsigned strategy, pl_time age, pl_time every, struct prng *g)
{
    if (strategy == ERRATIC)
        return (enum act)prng_below(g, prng_below(g, 2) ? ACTS : FIN);
    if (strategy != WORST)
        return (enum act)strategy;
    if (age + 3 * every < v.s->config.orphan_lifetime)
        return ACKS_A_BYTE;
    return age + every < v.s->config.orphan_lifetime ? ACKS_ALL : FIN;
}

static pl_time next_wait(unsigned strategy, pl_time age, pl_time every, struct prng *g)
{
    const struct pl_config *c = &v.s->config;
    if (strategy == ERRATIC)
        return PL_MS + prng_below(g, (uint32_t)((prng_below(g, 2) ? c->orphan_timeout : 2 * c->msl) / PL_MS)) * PL_MS;
    if (strategy == WORST && v.s->time_waits.used)
        return 2 * c->msl - PL_MS;
    if (strategy == WORST && age + 3 * every > c->orphan_lifetime)
        return c->orphan_lifetime / 100;
    return every;
}

/* The peer finished its handshake: the program has a connection again, and gives it back. */
static bool taken_and_given_back(void)
{
    pl_conn c;
    if (pl_accept(v.s, v.listener, &c, NULL) != PL_OK)
        return false;
    assert_int_equal(pl_close(v.s, c), PL_OK);
    return true;
}

static bool anything_left(void) { return v.s->pools.conns.used || v.s->half_opens.used || v.s->time_waits.used; }

/* How long it lasted after everything was closed. */
static pl_time outlives(enum beginning b, unsigned strategy, bool v6, bool listener_closes, struct prng *g)
{
    sent_up_to = 0;
    resets = 0;
    struct peer p = begin(b, v6);
    if ((int32_t)(p.ack - sent_up_to) > 0)
        sent_up_to = p.ack;
    if (b != HALF_OPEN && b != NOT_ACCEPTED)
        assert_int_equal(pl_close(v.s, p.c), PL_OK);
    if (listener_closes)
        assert_int_equal(pl_close(v.s, v.listener), PL_OK);
    pl_time start = v.now, bound = pl_longest_life(&v.s->config, NULL, 0), end = start;
    const struct pl_config *c = &v.s->config;
    pl_time least = c->orphan_timeout < 2 * c->msl ? c->orphan_timeout : 2 * c->msl;
    /* the worst one speaks before the repeats are used up */
    pl_time every = strategy != WORST ? least * 9 / 10 : c->orphan_lifetime / 20 < least ? c->orphan_lifetime / 20 : least;
    while (anything_left()) {
        pl_time age = v.now - start, wait = next_wait(strategy, age, every, g);
        if (age > bound)
            fail_msg("begun as %d, strategy %u: left after %llu ms, the bound is %llu ms", b, strategy, (unsigned long long)(age / PL_MS),
                     (unsigned long long)(bound / PL_MS));
        if (age < bound && age + wait > bound)
            wait = bound - age;
        (void)victim_run(&v, wait, listens, &p);
        end = v.now;
        if (anything_left())
            act(&p, next_act(strategy, v.now - start, every, g));
        if (!listener_closes && taken_and_given_back())
            start = v.now;
    }
    const char *problem = block_chunks_are_accounted(v.s);
    if (!problem && listener_closes)
        problem = block_is_empty(v.s);
    if (problem)
        fail_msg("begun as %d, strategy %u: %s", b, strategy, problem);
    return end - start;
}

/* ------------------------------------------------------------ configs ------------------------------------------------------------ */

static void as_it_comes(struct pl_config *c) { (void)c; }
static void hasty(struct pl_config *c)
{
    c->msl = 50 * PL_MS, c->orphan_timeout = 2 * PL_S, c->orphan_lifetime = 5 * PL_S, c->fin_wait_2_timeout = PL_S, c->rto_initial = 200 * PL_MS;
    c->syn_ack_retries = 3, c->deferred_timeout = PL_S;
}
static void patient(struct pl_config *c)
{
    c->msl = 120 * PL_S, c->orphan_timeout = c->orphan_lifetime = 3600 * PL_S, c->fin_wait_2_timeout = 2 * 3600 * PL_S, c->orphan_retries = 100;
    c->syn_ack_retries = 20;
}
static void progress_outlasts_all(struct pl_config *c) { c->orphan_timeout = 5000 * PL_S, c->orphan_lifetime = 500 * PL_S, c->user_timeout = 10000 * PL_S; }

static void (*const configs[])(struct pl_config *) = {as_it_comes, hasty, patient, progress_outlasts_all};

static void make_with(unsigned config)
{
    struct pl_config c = victim_config();
    configs[config](&c);
    victim_make(&v, &c);
}

static void no_peer_outlives_the_bound(void **state)
{
    (void)state;
    for (unsigned config = 0; config < COUNT_OF(configs); config++)
        for (enum beginning b = 0; b < BEGINNINGS; b++)
            for (unsigned strategy = 0; strategy < ERRATIC; strategy++)
                for (unsigned how = 0; how < 2; how++) {
                    struct prng g;
                    prng_seed(&g, 1);
                    if (b == NOT_ACCEPTED && how == 0)
                        continue;         /* the program owns it: it may accept it still */
                    make_with(config);
                    (void)outlives(b, strategy, how, b == NOT_ACCEPTED || how, &g);
                    victim_free(&v);
                }
}

static void nor_does_one_without_a_plan(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct prng g;
        prng_seed(&g, seed);
        enum beginning b = (enum beginning)prng_below(&g, BEGINNINGS);
        make_with(prng_below(&g, COUNT_OF(configs)));
        (void)outlives(b, ERRATIC, seed & 1, b == NOT_ACCEPTED || prng_below(&g, 2), &g);
        victim_free(&v);
    }
}

/* The bound is no loose talk: the worst peer comes near it. */
static void the_worst_peer_comes_near_it(void **state)
{
    (void)state;
    for (unsigned config = 0; config < 3; config++) {
        struct prng g;
        prng_seed(&g, 1);
        make_with(config);
        pl_time bound = pl_longest_life(&v.s->config, NULL, 0), lasted = outlives(WITH_TEXT, WORST, false, true, &g);
        assert_true(lasted <= bound);
        if (lasted < bound / 10 * 8)
            fail_msg("config %u: %llu of %llu ms", config, (unsigned long long)(lasted / PL_MS), (unsigned long long)(bound / PL_MS));
        victim_free(&v);
    }
}

/* At a deferred listener: the program says yes at the last moment, and then nobody answers. */
static void a_handshake_decided_late_comes_near_it_too(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct pl_config c = victim_config();
        c.msl = PL_MS, c.orphan_lifetime = PL_S;         /* so that nothing lasts longer than a handshake */
        victim_make(&v, &c);
        struct pl_listen_params params = {.local.port = 81, .deferred = true};
        pl_listener l;
        pl_incoming in;
        uint32_t n[PL_STATE_COUNT];
        pl_time bound = pl_longest_life(&c, NULL, 0), lasted = c.deferred_timeout - PL_MS;
        assert_int_equal(pl_listen(v.s, &params, &l), PL_OK);
        struct peer p = peer_half_open(&v, v6, NULL);
        struct forged f = {.src = p.at, .dst = p.victim, .seq = 1, .flags = PL_SYN, .wnd = 1000};
        (void)peer_says(&p, PL_RST, NULL);
        f.dst.port = 81;
        (void)victim_give(&v, &f);
        assert_int_equal(pl_incoming_next(v.s, l, &in, NULL, NULL), PL_OK);
        (void)victim_run(&v, lasted, listens, &p);
        assert_int_equal(pl_incoming_accept(v.s, in, 0), PL_OK);
        for (; pl_states(v.s, n), n[PL_SYN_RECEIVED]; lasted += 100 * PL_MS)
            (void)victim_run(&v, 100 * PL_MS, listens, &p);
        assert_in_range(lasted, bound / 10 * 9, bound);
        victim_free(&v);
    }
}

/* An interface that never takes a frame changes nothing. */
static void nor_what_waits_for_a_device(void **state)
{
    (void)state;
    for (enum beginning b = 0; b < BEGINNINGS; b++) {
        make_with(0);
        struct peer p;
        if (b == HALF_OPEN) {
            assert_int_equal(pl_iface_ready(v.s, 0, false), PL_OK);
            struct forged f = {.src = victim_stranger(false, 0, 40000), .dst = victim_endpoint(false, VICTIM_PORT), .seq = 5000, .flags = PL_SYN, .wnd = 1000};
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        } else {
            p = begin(b, false);
            assert_int_equal(pl_iface_ready(v.s, 0, false), PL_OK);
            if (b != NOT_ACCEPTED)
                assert_int_equal(pl_close(v.s, p.c), PL_OK);
            else
                assert_int_equal(pl_close(v.s, v.listener), PL_OK);
        }
        pl_time end = v.now + pl_longest_life(&v.s->config, NULL, 0);
        while (anything_left()) {
            pl_time at = pl_deadline(v.s);
            assert_true(at <= end);
            v.now = at > v.now ? at : v.now;
            pl_poll(v.s, v.now);
            (void)victim_events(&v, 0);
        }
        victim_free(&v);
    }
}

/* The sum in words, and by hand. */
static void the_sum_is_told(void **state)
{
    struct pl_config c;
    char text[2000], little[20];
    (void)state;
    pl_config_default(&c, sizeof c);
    pl_time bound = pl_longest_life(&c, text, sizeof text);
    assert_int_equal(bound, (900 + 11 * 60) * PL_S);
    static const char *const parts[] = {"CLOSED within", "1560 s", "8 repeats in vain", "60 s", "10 repeats of the peer's FIN", "96 s", "30 s at most", "3072 orphans", "2048 of one peer", "247 s", "7875 s"};
    for (unsigned i = 0; i < COUNT_OF(parts); i++)
        if (!strstr(text, parts[i]))
            fail_msg("\"%s\" is missing in\n%s", parts[i], text);
    assert_int_equal(pl_longest_life(&c, little, sizeof little), bound);
    assert_int_equal(strlen(little), sizeof little - 1);
    c.msl = 0;
    assert_int_equal(pl_longest_life(&c, text, sizeof text), 0);
    c.msl = PL_S;
    c.syn_ack_retries = 100;                                          /* now a half-open entry lasts longest */
    assert_true(pl_longest_life(&c, NULL, 0) > 90 * 120 * PL_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_peer_outlives_the_bound),
        cmocka_unit_test(nor_does_one_without_a_plan),
        cmocka_unit_test(the_worst_peer_comes_near_it),
        cmocka_unit_test(a_handshake_decided_late_comes_near_it_too),
        cmocka_unit_test(nor_what_waits_for_a_device),
        cmocka_unit_test(the_sum_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
