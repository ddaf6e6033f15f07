/* SPDX-License-Identifier: MIT
 *
 * RFC 5961: segments from somebody who does not know the numbers.
 */
#include "rfc/peer.h"

static uint8_t buffer[8192];

/* MAY-12, RFC 5961 5.2-a, 5.2-b: the ACK number of text lies within what was sent and the largest window before it. */
static void the_ack_number_of_text_is_judged_at_both_edges(void **state)
{
    static const struct {
        int32_t from_una;
        bool taken;
        enum pl_drop drop;
    } rows[] = {
        {-PEER_WND - 1, false, PL_DROP_TCP_ACK_TOO_OLD}, {-PEER_WND, true, PL_DROP_NONE}, {-1, true, PL_DROP_NONE}, {0, true, PL_DROP_NONE},
        {100, true, PL_DROP_NONE}, {101, false, PL_DROP_TCP_ACK_TOO_NEW}, {INT32_MAX, false, PL_DROP_TCP_ACK_TOO_NEW},
        {INT32_MIN + 101, false, PL_DROP_TCP_ACK_TOO_OLD},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct peer p;
        struct forged f;
        peer_open(&p, state, NULL, 0);
        assert_int_equal(pl_send(p.d.s[0], p.c, buffer, 100), 100);
        assert_int_equal(peer_hears_all(&p, NULL), 1);
        f = peer_segment(&p, PL_ACK | PL_PSH, 0, 50);
        f.ack = p.iss + 1 + (uint32_t)rows[i].from_una;
        peer_says(&p, &f);
        assert_int_equal(pl_recv(p.d.s[0], p.c, buffer, sizeof buffer), rows[i].taken ? 50 : PL_EAGAIN);
        if (rows[i].drop)
            assert_int_equal(peer_drops(&p, rows[i].drop), 1);
        assert_int_equal(peer_hears_all(&p, &f), 1);
        assert_int_equal(f.flags, PL_ACK);
        assert_int_equal(f.seq, p.iss + 101);
        assert_int_equal(f.ack, PEER_ISS + (rows[i].taken ? 51 : 1));
        peer_free(&p);
    }
}

/* RFC 5961 4.2, 4.2-a, 4.2-b, 4.2-c: a peer that was restarted: its SYN is challenged, and its RST, which knows the number now, counts. */
static void the_rst_that_answers_a_challenge_ends_the_connection(void **state)
{
    static const int32_t offs[] = {-100000, -1, 0, 1, 4095, 4096, 1000000};
    for (unsigned i = 0; i < COUNT_OF(offs); i++) {
        struct peer p;
        struct forged f, challenge;
        peer_open(&p, state, NULL, 0);
        f = peer_segment(&p, PL_SYN, offs[i], 0);
        f.ack = 0;
        peer_says(&p, &f);
        assert_int_equal(peer_hears_all(&p, &challenge), 1);
        assert_int_equal(challenge.flags, PL_ACK);
        assert_int_equal(challenge.seq, p.iss + 1);
        assert_int_equal(challenge.ack, PEER_ISS + 1);
        assert_int_equal(peer_status(&p).state, PL_ESTABLISHED);
        f.flags = PL_RST;
        f.seq = challenge.ack;
        peer_says(&p, &f);
        assert_int_equal(pl_error(p.d.s[0], p.c), PL_ECONNRESET);
        assert_false(peer_hears(&p, &f));
        peer_free(&p);
    }
}

/* RFC 5961 7-a: ten in five seconds, and of this connection alone. */
static void challenges_are_limited(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    for (unsigned round = 0; round < 3; round++) {
        unsigned heard = 0;
        for (unsigned i = 0; i < 100; i++) {
            f = peer_segment(&p, i & 1 ? PL_SYN : PL_RST, 5, 0);
            peer_says(&p, &f);
            heard += peer_hears_all(&p, NULL);
            p.d.now += 10 * PL_MS;
        }
        assert_int_equal(heard, 10);
        f = peer_segment(&p, PL_ACK | PL_PSH, 0, 10);     /* the ACK of text is never held back */
        peer_says(&p, &f);
        assert_int_equal(peer_hears_all(&p, NULL), 1);
        p.d.now += 4 * PL_S;
    }
    assert_int_equal(peer_status(&p).state, PL_ESTABLISHED);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_ack_number_of_text_is_judged_at_both_edges),
        BOTH(the_rst_that_answers_a_challenge_ends_the_connection),
        BOTH(challenges_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
