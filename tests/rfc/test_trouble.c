/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.8.3: between R1 and R2: the program hears that its peer is silent, and R2 is its own to set.
 */
#include "support/played.h"

static uint32_t events(struct played *p) { return duo_events(&p->d, 1, p->c); }

static void time_out(struct played *p)
{
    uint64_t before = played_status(p).retransmits;
    while (played_status(p).retransmits == before) {
        assert_true(played_next_deadline(p));
        (void)played_drains(p);
    }
}

/* SHLD-9, MUST-47: told once at R1 = 3, not before; progress ends the trouble, and the next one is told anew. */
static void the_program_hears_of_a_silent_peer_at_r1(void **state)
{
    struct played p;
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    for (uint32_t round = 0; round < 2; round++) {
        played_sends(&p, 500);
        (void)played_drains(&p);
        duo_drain_events(&p.d);
        for (unsigned i = 1; i <= 2; i++) {
            time_out(&p);
            assert_false(events(&p) & PL_EV_TROUBLE);
            assert_int_equal(played_status(&p).soft_error, 0);
        }
        pl_time now = p.d.now;
        while (!(pl_status(p.d.s[1], p.c, &(struct pl_tcp_status){0}, sizeof(struct pl_tcp_status)) || played_status(&p).soft_error) &&
               p.d.now < now + 100 * PL_S) {
            pl_time at = pl_deadline(p.d.s[1]);
            p.d.now = at > p.d.now ? at : p.d.now;
            pl_poll(p.d.s[1], p.d.now);
            struct pl_event e;
            uint32_t bits = 0;
            while (pl_event_next(p.d.s[1], &e))
                bits |= e.bits;
            assert_true(((bits & PL_EV_TROUBLE) != 0) == (played_status(&p).soft_error != 0));
            (void)played_drains(&p);
        }
        assert_int_equal(played_status(&p).soft_error, PL_ETIMEDOUT);
        assert_int_equal(played_status(&p).error, 0);
        assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
        played_gives(&p, PL_ACK, 0, 500 * (round + 1), 0);
        assert_int_equal(played_status(&p).soft_error, 0);
    }
    played_free(&p);
}

/* MUST-22: the same for a SYN that nobody answers. */
static void the_program_hears_of_an_unanswered_syn_at_r1(void **state)
{
    struct duo d;
    struct forged f;
    struct pl_tcp_status st;
    uint32_t told = 0;
    duo_init(&d, NULL, false);
    pl_conn c = duo_connect(&d, 0, SIX(state), 80);
    for (unsigned sent = 0; sent < 4; sent++) {
        assert_int_equal(told, 0);
        while (!duo_take_segment(&d, 0, &f)) {
            pl_time at = pl_deadline(d.s[0]);
            d.now = at > d.now ? at : d.now;
            pl_poll(d.s[0], d.now);
            struct pl_event e;
            while (pl_event_next(d.s[0], &e))
                told |= e.bits & PL_EV_TROUBLE;
        }
    }
    assert_int_equal(told, PL_EV_TROUBLE);
    assert_int_equal(pl_status(d.s[0], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_SYN_SENT);
    assert_int_equal(st.soft_error, PL_ETIMEDOUT);
    duo_free(&d);
}

/* MUST-21: a user timeout is R2, also when it is longer than what the config's count of repeats comes to. */
static void a_user_timeout_lifts_the_count_of_repeats(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.data_retries = 2;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_USER_TIMEOUT, (int64_t)(1800 * PL_S)), PL_OK);
    played_sends(&p, 500);
    (void)played_drains(&p);
    pl_time start = p.d.now;
    for (unsigned i = 0; i < 10; i++)
        time_out(&p);
    assert_int_equal(played_status(&p).error, 0);
    played_wait(&p, start + 1790 * PL_S);
    assert_int_equal(played_status(&p).error, 0);
    played_wait(&p, start + 1810 * PL_S);
    assert_int_equal(played_status(&p).error, PL_ETIMEDOUT);
    played_free(&p);
}

/* Is this host 0 asking its peer, alone, for its link address: an ARP request or a neighbour solicitation to the peer's own MAC? */
static bool asks_the_neighbour(const uint8_t *frame, size_t n, bool six, const uint8_t mac[6])
{
    if (n < 42 || memcmp(frame, mac, 6) != 0)
        return false;
    return six ? n >= 55 && frame[12] == 0x86 && frame[20] == 58 && frame[54] == 135 : frame[12] == 8 && frame[13] == 6 && frame[21] == 1;
}

/* MUST-20a, SHLD-10: at R1, the third repeat and not before, the neighbour is asked whether it is there; it answers, and the connection goes on. */
static void at_r1_the_neighbour_is_asked(void **state)
{
    struct duo d;
    pl_conn c[2];
    uint8_t frame[DUO_FRAME_BYTES], mac[6];
    struct pl_tcp_status st;
    struct pl_neighbor nb = {.state = 99};
    uint32_t cursor = 0;
    unsigned asked = 0;
    duo_init(&d, NULL, true);
    duo_open(&d, SIX(state), 80, c);
    duo_run(&d, PL_S);
    assert_true(pl_neighbor_next(d.s[0], &cursor, &nb));
    memcpy(mac, nb.mac, 6);
    assert_int_equal(pl_send(d.s[0], c[0], "text", 4), 4);
    while (!asked) {
        size_t n;
        assert_int_equal(pl_status(d.s[0], c[0], &st, sizeof st), PL_OK);
        while ((n = duo_take(&d, 0, frame)) != 0)
            if (asks_the_neighbour(frame, n, SIX(state), mac)) {
                asked++;
                duo_give(&d, 1, frame, n);
            }
        duo_drain_events(&d);
        assert_true(st.backoffs <= 4);
        if (st.backoffs < 3)
            assert_int_equal(asked, 0);
        pl_time at = pl_deadline(d.s[0]);
        d.now = at > d.now ? at : d.now;
        pl_poll(d.s[0], d.now);
    }
    cursor = 0;
    assert_true(pl_neighbor_next(d.s[0], &cursor, &nb));
    assert_int_equal(nb.state, 4);        /* probe */
    duo_exchange(&d);                     /* the answer, and the next repeat */
    duo_run(&d, 10 * PL_S);
    cursor = 0;
    assert_true(pl_neighbor_next(d.s[0], &cursor, &nb));
    assert_int_equal(nb.state, 1);
    assert_int_equal(pl_status(d.s[0], c[0], &st, sizeof st), PL_OK);
    assert_int_equal(st.sndbuf_used, 0);
    assert_int_equal(st.soft_error, 0);
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_program_hears_of_a_silent_peer_at_r1),
        BOTH(the_program_hears_of_an_unanswered_syn_at_r1),
        BOTH(a_user_timeout_lifts_the_count_of_repeats),
        BOTH(at_r1_the_neighbour_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
