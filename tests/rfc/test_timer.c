/* SPDX-License-Identifier: MIT
 *
 * RFC 6298, RFC 9293 3.8.3, RFC 2018 5: the retransmission timer on a connection, and what many repeats lead to.
 */
#include "rfc/peer.h"

static const char text[4096];

/* RFC 6298 5.3: the ACK of new text starts the timer anew. */
static void an_ack_of_new_text_starts_the_timer_anew(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    assert_int_equal(pl_send(p.d.s[0], p.c, text, 2000), 2000);
    pl_time sent = p.d.now;
    assert_int_equal(peer_hears_all(&p, NULL), 2);
    assert_true(pl_deadline(p.d.s[0]) == sent + peer_status(&p).rto);
    p.d.now += 150 * PL_MS;
    peer_acks(&p, p.iss + 1001);
    assert_false(peer_hears(&p, &f));
    pl_time due = p.d.now + peer_status(&p).rto;
    peer_waits_to_hear(&p, &f);
    assert_true(p.d.now == due);
    assert_int_equal(f.seq, p.iss + 1001);
    peer_free(&p);
}

/* RFC 6298 3-b: each round trip of text that was sent once gives a sample; RFC 6298 2.2, 2.3-a, 2.3-b: and this is what it does to SRTT. */
static void every_round_trip_gives_a_sample(void **state)
{
    struct peer p;
    pl_time srtt = 0, rttvar = 0;
    peer_open(&p, state, NULL, 0);
    struct pl_tcp_status st = peer_status(&p);           /* the handshake's sample */
    srtt = st.srtt, rttvar = st.rttvar;
    for (unsigned i = 0; i < 20; i++) {
        pl_time r = (50 + (i * 37) % 100) * PL_MS, delta = srtt > r ? srtt - r : r - srtt;
        assert_int_equal(pl_send(p.d.s[0], p.c, text, 100), 100);
        assert_int_equal(peer_hears_all(&p, NULL), 1);
        p.d.now += r;
        peer_acks(&p, p.iss + 1 + 100 * (i + 1));
        rttvar = rttvar - rttvar / 4 + delta / 4;
        srtt = srtt - srtt / 8 + r / 8;
        assert_true(peer_status(&p).srtt == srtt && peer_status(&p).rttvar == rttvar);
    }
    peer_free(&p);
}

/* RFC 2018 5-c, 5.1-b, 8-c: everything was reported, nothing acknowledged: after a time-out the first segment is repeated, and it is still there. */
static void a_time_out_repeats_what_a_sack_reported(void **state)
{
    struct peer p;
    struct forged f;
    char first[PEER_MSS];
    peer_open(&p, state, NULL, WIRE_OPT_SACK_PERMITTED);
    assert_true(peer_status(&p).sack);
    memset(first, 'f', sizeof first);
    assert_int_equal(pl_send(p.d.s[0], p.c, first, sizeof first), PEER_MSS);
    assert_int_equal(pl_send(p.d.s[0], p.c, text, 2000), 2000);
    assert_int_equal(peer_hears_all(&p, NULL), 3);
    f = peer_segment(&p, PL_ACK, 0, 0);
    f.ack = p.iss + 1;
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 1, .sack = {{p.iss + 1, p.iss + 3001}}};
    peer_says(&p, &f);
    assert_int_equal(peer_status(&p).sndbuf_used, 3000);
    uint8_t frame[DUO_FRAME_BYTES];
    size_t n;
    do                                    /* it may be woken early: a loss probe was due before */
        peer_waits_for_deadline(&p);
    while (!(n = duo_take(&p.d, 0, frame)));
    assert_true(forge_read(frame, n, &f));
    assert_int_equal(f.seq, p.iss + 1);
    assert_int_equal(f.text_bytes, PEER_MSS);
    assert_memory_equal(f.text, first, sizeof first);
    peer_acks(&p, p.iss + 1001);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.seq, p.iss + 1001);               /* the next one too */
    peer_free(&p);
}

static uint8_t neighbour_state(const struct duo *d, bool ipv6)
{
    struct pl_endpoint e = duo_endpoint(1, ipv6, 0);
    struct pl_neighbor n;
    for (uint32_t cursor = 0; pl_neighbor_next(d->s[0], &cursor, &n);)
        if (memcmp(n.addr.b, e.addr.b, 16) == 0)
            return n.state;
    return 255;
}

/* MUST-20a, SHLD-10: at the third repeat, and not before, the neighbour layer is told to look. */
static void at_the_third_repeat_the_neighbour_is_doubted(void **state)
{
    enum { REACHABLE = 1, PROBE = 4 };
    struct pl_config config = duo_config();
    config.loss_probe = false;            /* it would be the first repeat, and no time-out */
    struct duo d;
    pl_conn c[2];
    struct pl_tcp_status st;
    duo_init(&d, &config, true);
    duo_open(&d, SIX(state), 80, c);
    d.cut[1] = true;
    assert_int_equal(pl_send(d.s[0], c[0], text, 100), 100);
    duo_exchange(&d);
    for (unsigned repeats = 0; repeats < 3;) {
        assert_int_equal(neighbour_state(&d, SIX(state)), REACHABLE);
        pl_time next = pl_deadline(d.s[0]);
        assert_true(next > d.now && next < d.now + 2 * PL_S);
        d.now = next;
        duo_exchange(&d);
        duo_drain_events(&d);
        assert_int_equal(pl_status(d.s[0], c[0], &st, sizeof st), PL_OK);
        repeats = (unsigned)st.retransmits;
    }
    assert_int_equal(neighbour_state(&d, SIX(state)), PROBE);
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_ack_of_new_text_starts_the_timer_anew),
        BOTH(every_round_trip_gives_a_sample),
        BOTH(a_time_out_repeats_what_a_sack_reported),
        BOTH(at_the_third_repeat_the_neighbour_is_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
