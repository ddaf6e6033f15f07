/* SPDX-License-Identifier: MIT
 *
 * RFC 5482: the user timeout option: when it is sent, when it is heeded, and what follows from it.
 */
#include "support/played.h"
#include "transport/tcp/models/user_timeout.h"

enum { HAVE_BOTH = WIRE_OPT_MSS | WIRE_OPT_USER_TIMEOUT };

static struct pl_config switched_on(void)
{
    struct pl_config c = duo_config();
    c.user_timeout_option = true;
    return c;
}

/* A connection whose peer advertised `word` in its SYN, 0: nothing. Our ACK-only segments are not waited for. */
static void open_with(struct played *p, bool six, const struct pl_config *config, uint16_t word, struct forged *syn_ack)
{
    struct wire_tcp_opts o = {.have = word ? HAVE_BOTH : WIRE_OPT_MSS, .mss = 1000, .user_timeout = word};
    played_init(p, six, config);
    played_open(p, &o, 60000, 0, syn_ack);
}

static void advertise(struct played *p, uint16_t word)
{
    struct forged s = played_segment(p, PL_ACK, 0, 0, 0);
    s.opts.have |= WIRE_OPT_USER_TIMEOUT;
    s.opts.user_timeout = word;
    duo_give_segment(&p->d, 1, &s);
}

static pl_time in_force(struct played *p) { return played_status(p).user_timeout; }

static int set(struct played *p, enum pl_option o, int64_t v) { return pl_set(p->d.s[1], p->c, o, v); }

/* Sends a byte that the peer acknowledges; the option that our segment carried, 0: none. `at`: bytes sent before. */
static uint16_t said_with_a_byte(struct played *p, uint32_t at)
{
    struct forged s;
    played_sends(p, 1);
    assert_true(played_takes(p, &s));
    assert_int_equal(s.text_bytes, 1);
    assert_false(played_takes(p, &s) && s.text_bytes);
    played_gives(p, PL_ACK, 0, at + 1, 0);
    (void)played_drains(p);
    return s.opts.have & WIRE_OPT_USER_TIMEOUT ? s.opts.user_timeout : 0;
}

/* RFC 5482 3-b, 3-c: off by default: neither sent nor heeded; RFC 5482 3.3-a */
static void off_by_default(void **state)
{
    struct played p;
    struct forged syn_ack;
    int64_t on = -1;
    open_with(&p, SIX(state), NULL, 600, &syn_ack);
    assert_false(syn_ack.opts.have & WIRE_OPT_USER_TIMEOUT);
    assert_int_equal(pl_get(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT_OPTION, &on), PL_OK);
    assert_int_equal(on, 0);
    advertise(&p, 700);
    assert_int_equal(in_force(&p), 0);
    assert_int_equal(played_status(&p).peer_user_timeout, 0);
    assert_int_equal(said_with_a_byte(&p, 0), 0);
    played_free(&p);
}

/* RFC 5482 3, 3-c, 3.1-c, 3.3-a: exchanged in SYN and SYN-ACK and once more in the first segment without SYN; in force once ESTABLISHED. */
static void exchanged_by_the_passive_side(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    struct forged syn_ack;
    config.user_timeout = 200 * PL_S;
    open_with(&p, SIX(state), &config, 600, &syn_ack);
    assert_true(syn_ack.opts.have & WIRE_OPT_USER_TIMEOUT);
    assert_int_equal(syn_ack.opts.user_timeout, 200);
    assert_int_equal(in_force(&p), 600 * PL_S);
    assert_int_equal(played_status(&p).peer_user_timeout, 600 * PL_S);
    assert_int_equal(said_with_a_byte(&p, 0), 200);
    assert_int_equal(said_with_a_byte(&p, 1), 0);
    played_free(&p);
}

/* The same of a connection that we open; set between the call and the SYN: RFC 5482 3-c, 3.1-c, 3.3-a. */
static void exchanged_by_the_active_side(void **state)
{
    struct duo d;
    struct forged syn, ack;
    struct pl_tcp_status st;
    duo_init(&d, NULL, false);
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_USER_TIMEOUT_OPTION, 1), PL_OK);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_USER_TIMEOUT_ADVERTISED, (int64_t)(150 * PL_S)), PL_OK);
    assert_true(duo_take_segment(&d, 0, &syn));
    assert_true(syn.opts.have & WIRE_OPT_USER_TIMEOUT);
    assert_int_equal(syn.opts.user_timeout, 150);
    struct forged answer = {.src = syn.dst, .dst = syn.src, .seq = 7000, .ack = syn.seq + 1, .wnd = 20000, .flags = PL_SYN | PL_ACK,
                            .opts = {.have = HAVE_BOTH, .mss = 1000, .user_timeout = 0x8000 | 5}};
    assert_int_equal(pl_status(d.s[0], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.user_timeout, 0);
    duo_give_segment(&d, 0, &answer);
    assert_int_equal(pl_status(d.s[0], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.user_timeout, 300 * PL_S);
    assert_true(duo_take_segment(&d, 0, &ack));
    assert_int_equal(ack.flags, PL_ACK);
    assert_int_equal(ack.opts.user_timeout, 150);
    duo_free(&d);
}

/* RFC 5482 3.3-a: both sides open at once: it is known in SYN-RECEIVED, and counts from ESTABLISHED on. */
static void known_before_it_counts(void **state)
{
    struct duo d;
    struct forged syn, r;
    struct pl_tcp_status st;
    duo_init(&d, NULL, false);
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    assert_int_equal(pl_set(d.s[0], c, PL_OPT_USER_TIMEOUT_OPTION, 1), PL_OK);
    assert_true(duo_take_segment(&d, 0, &syn));
    struct forged crossed = {.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 20000, .flags = PL_SYN,
                             .opts = {.have = HAVE_BOTH, .mss = 1000, .user_timeout = 400}};
    duo_give_segment(&d, 0, &crossed);
    assert_int_equal(pl_status(d.s[0], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_SYN_RECEIVED);
    assert_int_equal(st.user_timeout, 0);
    assert_int_equal(st.peer_user_timeout, 400 * PL_S);
    assert_true(duo_take_segment(&d, 0, &r));
    assert_int_equal(r.opts.user_timeout, 300);
    struct forged ack = {.src = syn.dst, .dst = syn.src, .seq = 7001, .ack = syn.seq + 1, .wnd = 20000, .flags = PL_ACK};
    duo_give_segment(&d, 0, &ack);
    assert_int_equal(pl_status(d.s[0], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.user_timeout, 400 * PL_S);
    duo_free(&d);
}

/* RFC 5482 3.1-c, 3.1-d, 3.1-e, 3-e: min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)); RFC 5482 3.1-f: 100 s by default. */
static void the_longer_wish_within_limits(void **state)
{
    static const struct {
        uint32_t ours_s;
        uint16_t word;
        uint32_t result_s;
    } rows[] = {{120, 110, 120}, {110, 120, 120}, {1, 2, 100}, {1, 99, 100}, {1, 101, 101}, {3700, 5, 3600}, {5, 3700, 3600}, {5, 0xffff, 3600}, {5, 0x8000 | 2, 120}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_config config = switched_on();
        struct played p;
        open_with(&p, SIX(state), &config, 0, NULL);
        assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_ADVERTISED, (int64_t)(rows[i].ours_s * PL_S)), PL_OK);
        assert_int_equal(in_force(&p), 0);
        advertise(&p, rows[i].word);
        assert_int_equal(in_force(&p), rows[i].result_s * PL_S);
        played_free(&p);
    }
}

/* RFC 5482 3.1-g: an RTO that has grown beyond the lower limit. */
static void never_below_the_rto(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    config.user_timeout_min = config.user_timeout_max = 1 * PL_S;
    config.rto_initial = 3 * PL_S;
    open_with(&p, SIX(state), &config, 0, NULL);
    played_sends(&p, 1);
    for (int i = 0; i < 6; i++) {
        (void)played_drains(&p);
        assert_true(played_next_deadline(&p));
    }
    (void)played_drains(&p);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_ADVERTISED, (int64_t)(1 * PL_S)), PL_OK);
    advertise(&p, 1);
    assert_true(played_status(&p).rto > 5 * PL_S);
    assert_true(in_force(&p) > played_status(&p).rto);
    played_free(&p);
}

/* RFC 5482 3-a, 3.1-a: what the program set stays; RFC 5482 3.1-b: but it hears of the peer's wish, once for each. */
static void the_programs_own_stays(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    open_with(&p, SIX(state), &config, 0, NULL);
    int64_t v = -1;
    assert_int_equal(pl_get(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT_CHANGEABLE, &v), PL_OK);
    assert_int_equal(v, 1);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT, (int64_t)(30 * PL_S)), PL_OK);
    assert_int_equal(pl_get(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT_CHANGEABLE, &v), PL_OK);
    assert_int_equal(v, 0);
    duo_drain_events(&p.d);
    advertise(&p, 500);
    assert_int_equal(in_force(&p), 30 * PL_S);
    assert_true(duo_events(&p.d, 1, p.c) & PL_EV_USER_TIMEOUT);
    assert_int_equal(played_status(&p).peer_user_timeout, 500 * PL_S);
    advertise(&p, 500);
    assert_false(duo_events(&p.d, 1, p.c) & PL_EV_USER_TIMEOUT);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_CHANGEABLE, 1), PL_OK);
    assert_int_equal(in_force(&p), 500 * PL_S);
    played_free(&p);
}

/* RFC 5482 3-d: told when a new one is used, and only then; in a segment with room for it. RFC 5482 3.2: once. */
static void told_when_it_changes(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    struct forged s;
    open_with(&p, SIX(state), &config, 0, NULL);
    assert_int_equal(said_with_a_byte(&p, 0), 300);     /* RFC 9293's five minutes */
    assert_int_equal(said_with_a_byte(&p, 1), 0);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT, (int64_t)(40 * PL_S)), PL_OK);
    played_sends(&p, 1500);
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.text_bytes, 1000);               /* full-sized: MUST-16: no room for an option */
    assert_false(s.opts.have & WIRE_OPT_USER_TIMEOUT);
    assert_int_equal(set(&p, PL_OPT_NODELAY, 1), PL_OK);
    assert_true(played_takes(&p, &s));
    assert_int_equal(s.text_bytes, 500);
    assert_int_equal(s.opts.user_timeout, 40);
    played_gives(&p, PL_ACK, 0, 1502, 0);
    (void)played_drains(&p);
    assert_int_equal(said_with_a_byte(&p, 1502), 0);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_CHANGEABLE, 1), PL_OK);
    (void)said_with_a_byte(&p, 1503);
    advertise(&p, 900);                                 /* adopted: a new one is in use */
    assert_int_equal(in_force(&p), 900 * PL_S);
    assert_int_equal(said_with_a_byte(&p, 1504), 300);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_OPTION, 0), PL_OK);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT, (int64_t)(40 * PL_S)), PL_OK);
    assert_int_equal(said_with_a_byte(&p, 1505), 0);
    played_free(&p);
}

/* RFC 5482 3.1-c: and it is what ends the connection. */
static void the_adopted_timeout_ends_it(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    open_with(&p, SIX(state), &config, 0, NULL);
    assert_int_equal(set(&p, PL_OPT_USER_TIMEOUT_ADVERTISED, (int64_t)(1 * PL_S)), PL_OK);
    advertise(&p, 2000);
    played_sends(&p, 1);
    (void)played_drains(&p);
    pl_time start = p.d.now;
    played_wait(&p, start + 1990 * PL_S);
    assert_int_equal(played_status(&p).error, 0);
    played_wait(&p, start + 2001 * PL_S);
    assert_int_equal(played_status(&p).error, PL_ETIMEDOUT);
    played_free(&p);
}

/* RFC 5482 3.3-b, 3.3-c, 3.3-d, 3.3-e, 3.4-a, 3.4-b: the bytes. */
static void the_format(void **state)
{
    static const struct {
        uint64_t ms;
        uint16_t word;
    } rows[] = {{1, 1}, {1000, 1}, {1001, 2}, {32767000, 32767}, {32767001, 0x8000 | 547}, {UINT64_C(32767) * 60000, 0xffff}, {UINT64_MAX / 2, 0xffff}, {0, 1}};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(user_timeout_word(rows[i].ms), rows[i].word);
    assert_int_equal(user_timeout_ms(0x8000 | 3), 180000);
    assert_int_equal(user_timeout_ms(3), 3000);
    assert_int_equal(user_timeout_ms(0x7fff), 32767000);
    uint8_t bytes[40];
    struct wire_tcp_opts o = {.have = WIRE_OPT_USER_TIMEOUT, .user_timeout = 0x8123};
    assert_int_equal(wire_tcp_opts_write(bytes, &o), 4);
    assert_memory_equal(bytes, ((uint8_t[]){28, 4, 0x81, 0x23}), 4);
    wire_tcp_opts_read((uint8_t[]){28, 3, 1, 1}, 4, &o);
    assert_true(o.malformed && !(o.have & WIRE_OPT_USER_TIMEOUT));
}

static void zero_is_ignored(void **state)              /* RFC 5482 3.4-b */
{
    static const uint16_t words[] = {0, 0x8000};
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        struct pl_config config = switched_on();
        struct played p;
        open_with(&p, SIX(state), &config, 0, NULL);
        duo_drain_events(&p.d);
        advertise(&p, words[i]);
        assert_int_equal(in_force(&p), 0);
        assert_false(duo_events(&p.d, 1, p.c) & PL_EV_USER_TIMEOUT);
        played_free(&p);
    }
}

/* RFC 5482 4.2 */
static void keepalive_comes_later_than_the_user_timeout(void **state)
{
    struct pl_config config = switched_on();
    struct played p;
    struct forged s;
    open_with(&p, SIX(state), &config, 500, NULL);
    assert_int_equal(set(&p, PL_OPT_KEEPALIVE_IDLE, (int64_t)(10 * PL_S)), PL_OK);
    assert_int_equal(set(&p, PL_OPT_KEEPALIVE, 1), PL_OK);
    pl_time start = p.d.now;
    (void)played_drains(&p);
    while (!played_takes(&p, &s))
        assert_true(played_next_deadline(&p));
    assert_true(p.d.now - start > 500 * PL_S && p.d.now - start < 501 * PL_S);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(off_by_default),
        BOTH(exchanged_by_the_passive_side),
        BOTH(exchanged_by_the_active_side),
        BOTH(known_before_it_counts),
        BOTH(the_longer_wish_within_limits),
        BOTH(never_below_the_rto),
        BOTH(the_programs_own_stays),
        BOTH(told_when_it_changes),
        BOTH(the_adopted_timeout_ends_it),
        BOTH(zero_is_ignored),
        cmocka_unit_test(the_format),
        BOTH(keepalive_comes_later_than_the_user_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
