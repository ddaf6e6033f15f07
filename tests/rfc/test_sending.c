/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.7.4, 3.8.6: when text leaves, when it waits, and what a window that shrinks or closes changes.
 */
#include "rfc/peer.h"

static const char text[4096];

static void sends(struct peer *p, size_t n) { assert_int_equal(pl_send(p->d.s[0], p->c, text, n), n); }

/* MAY-16, SHLD-7, SHLD-27, MUST-60: the first leaves at once; while one small segment is under way what follows gathers, and leaves as one, with one PSH. */
static void nagle_gathers_small_writes_until_the_ack(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    sends(&p, 10);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.text_bytes, 10);
    for (unsigned i = 0; i < 5; i++) {
        sends(&p, 10);
        assert_false(peer_hears(&p, &f));
    }
    peer_acks(&p, p.iss + 11);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.text_bytes, 50);
    assert_int_equal(f.flags, PL_ACK | PL_PSH);
    assert_false(peer_hears(&p, &f));
    peer_free(&p);
}

/* SHLD-7: a full segment does not wait. SHLD-28 */
static void a_full_segment_never_waits_for_an_ack(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    sends(&p, 10);
    assert_int_equal(peer_hears_all(&p, NULL), 1);
    sends(&p, PEER_MSS + 5);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.text_bytes, PEER_MSS);
    assert_false(peer_hears(&p, &f));
    peer_free(&p);
}

/* MUST-17 */
static void with_nagle_off_each_write_leaves_at_once(void **state)
{
    struct peer p;
    struct forged f;
    int64_t v = 7;
    peer_open(&p, state, NULL, 0);
    assert_int_equal(pl_get(p.d.s[0], p.c, PL_OPT_NODELAY, &v), PL_OK);
    assert_int_equal(v, 0);
    assert_int_equal(pl_set(p.d.s[0], p.c, PL_OPT_NODELAY, 1), PL_OK);
    for (unsigned i = 0; i < 5; i++) {
        sends(&p, 10);
        assert_true(peer_hears(&p, &f));
        assert_int_equal(f.text_bytes, 10);
        assert_false(peer_hears(&p, &f));
    }
    peer_free(&p);
}

/* MUST-34, SHLD-15, SHLD-16, MAY-7, RFC 7323 2.4-a: the right edge moves left into what is under way. */
static void after_the_window_shrank_old_text_is_repeated_and_nothing_new_leaves(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    sends(&p, 3000);
    assert_int_equal(peer_hears_all(&p, &f), 3);
    p.wnd = 1500;                         /* 3000 bytes are under way */
    peer_acks(&p, p.iss + 1);
    assert_int_equal(peer_status(&p).snd.wnd, 1500);
    sends(&p, 1000);
    assert_false(peer_hears(&p, &f));
    peer_waits_for_deadline(&p);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.seq, p.iss + 1);
    assert_int_equal(f.text_bytes, PEER_MSS);
    assert_false(peer_hears(&p, &f));
    p.wnd = 500;
    peer_acks(&p, p.iss + 1001);
    assert_true(peer_hears(&p, &f));      /* half of it lies beyond the right edge: it was inside once */
    assert_int_equal(f.seq, p.iss + 1001);
    assert_int_equal(f.text_bytes, PEER_MSS);
    while (peer_hears(&p, &f))
        assert_true(f.seq + f.text_bytes <= p.iss + 3001);
    p.wnd = PEER_WND;
    peer_acks(&p, p.iss + 3001);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.seq, p.iss + 3001);
    assert_int_equal(f.text_bytes, 1000);
    peer_free(&p);
}

/* MUST-35, SHLD-17: the window shrinks to zero over what is under way, and stays so for a day; the peer answers whatever it hears. */
static void a_window_that_shrank_to_zero_is_probed_and_the_connection_stays(void **state)
{
    struct peer p;
    struct forged f;
    unsigned heard = 0;
    peer_open(&p, state, NULL, 0);
    sends(&p, 1500);
    assert_int_equal(peer_hears_all(&p, NULL), 1);       /* Nagle */
    p.wnd = 0;
    peer_acks(&p, p.iss + 1);
    for (pl_time end = p.d.now + 24 * 3600 * PL_S; p.d.now < end;) {
        peer_waits_for_deadline(&p);
        while (peer_hears(&p, &f)) {
            assert_int_equal(f.seq, p.iss + 1);
            heard++;
            peer_acks(&p, p.iss + 1);
        }
    }
    assert_true(heard > 24 * 3600 / 121);
    assert_int_equal(peer_status(&p).state, PL_ESTABLISHED);
    p.wnd = PEER_WND;
    peer_acks(&p, p.iss + 1001);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.seq, p.iss + 1001);
    assert_int_equal(f.text_bytes, 500);
    peer_free(&p);
}

/* MUST-36, SHLD-29: the window closes while nothing is under way: the first probe leaves one RTO after there was something to send. */
static void the_first_probe_of_a_closed_window_leaves_after_the_rto(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    p.wnd = 0;
    peer_acks(&p, p.iss + 1);
    sends(&p, 100);
    pl_time closed = p.d.now, rto = peer_status(&p).rto;
    assert_false(peer_hears(&p, &f));
    peer_waits_for_deadline(&p);
    assert_true(p.d.now == closed + rto);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.seq, p.iss);                      /* docs/defaults.md: SND.UNA - 1, no text */
    assert_int_equal(f.text_bytes, 0);
    assert_false(peer_hears(&p, &f));
    p.wnd = PEER_WND;
    peer_acks(&p, p.iss + 1);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.text_bytes, 100);
    peer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(nagle_gathers_small_writes_until_the_ack),
        BOTH(a_full_segment_never_waits_for_an_ack),
        BOTH(with_nagle_off_each_write_leaves_at_once),
        BOTH(after_the_window_shrank_old_text_is_repeated_and_nothing_new_leaves),
        BOTH(a_window_that_shrank_to_zero_is_probed_and_the_connection_stays),
        BOTH(the_first_probe_of_a_closed_window_leaves_after_the_rto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
