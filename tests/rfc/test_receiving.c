/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.8.6.1, 3.8.6.3, 3.10.7.4: when ACKs leave, and what a receiver takes while its window is closed.
 */
#include "rfc/peer.h"

static uint8_t buffer[8192];

/* Fills our receive buffer to the last byte; the window is closed and the peer knows it. */
static void fill(struct peer *p)
{
    struct forged f, last = {.wnd = 1};
    for (uint32_t wnd; (wnd = peer_status(p).rcv.wnd) != 0;) {
        f = peer_segment(p, PL_ACK | PL_PSH, 0, wnd < PEER_MSS ? wnd : PEER_MSS);
        peer_says(p, &f);
        while (peer_hears(p, &last)) {
        }
    }
    peer_waits(p, 1 * PL_S);
    peer_hears_all(p, &last);
    assert_int_equal(last.wnd, 0);
    assert_int_equal(peer_status(p).rcvbuf_used, 4096);
}

/* SHLD-18, MUST-40: text that nobody pushed waits for company, and less than half a second, whatever the config says. */
static void an_ack_waits_for_company_but_less_than_half_a_second(void **state)
{
    static const pl_time delays[] = {40 * PL_MS, 499 * PL_MS};
    struct pl_config c = duo_config();
    for (unsigned i = 0; i < COUNT_OF(delays); i++) {
        struct peer p;
        struct forged f;
        c.delayed_ack = delays[i];
        peer_open(&p, state, &c, 0);
        f = peer_segment(&p, PL_ACK, 0, 10);
        peer_says(&p, &f);
        assert_false(peer_hears(&p, &f));
        pl_time start = p.d.now;
        peer_waits_for_deadline(&p);
        assert_true(p.d.now == start + delays[i] && delays[i] < 500 * PL_MS);
        assert_true(peer_hears(&p, &f));
        assert_int_equal(f.ack, PEER_ISS + 11);
        assert_int_equal(f.flags, PL_ACK);
        peer_free(&p);
    }
    c.delayed_ack = 500 * PL_MS;
    assert_non_null(pl_config_problem(&c));
}

/* MUST-58, MUST-59: what arrived together is answered once, after the last of it. */
static void segments_that_arrive_together_are_acknowledged_by_one_ack(void **state)
{
    static uint8_t bytes[5][FORGE_BYTES_MAX];
    struct peer p;
    struct pl_frame frames[5];
    struct forged f;
    peer_open(&p, state, NULL, 0);
    memset(frames, 0, sizeof frames);
    for (unsigned i = 0; i < 5; i++) {
        f = peer_segment(&p, PL_ACK | PL_PSH, (int32_t)(i * 100), 100);
        frames[i].span[0] = (struct pl_span){bytes[i], forge_tcp(bytes[i], &f)};
        frames[i].nspans = 1;
    }
    assert_int_equal(pl_rx(p.d.s[0], 0, frames, 5, p.d.now), PL_OK);
    assert_true(peer_hears(&p, &f));
    assert_int_equal(f.ack, PEER_ISS + 501);
    assert_false(peer_hears(&p, &f));
    peer_waits(&p, 1 * PL_S);
    assert_false(peer_hears(&p, &f));
    assert_int_equal(pl_recv(p.d.s[0], p.c, buffer, sizeof buffer), 500);
    peer_free(&p);
}

/* MAY-8: the program does not read for a day: the window stays closed, each probe hears so, and nothing is lost. */
static void a_window_stays_closed_until_the_program_reads(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    fill(&p);
    for (unsigned hour = 0; hour < 24; hour++) {
        peer_waits(&p, 3600 * PL_S);
        f = peer_segment(&p, PL_ACK, hour & 1 ? -1 : 0, 1);
        peer_says(&p, &f);
        assert_int_equal(peer_hears_all(&p, &f), 1);
        assert_int_equal(f.wnd, 0);
        assert_int_equal(f.ack, PEER_ISS + 4097);
    }
    assert_int_equal(pl_recv(p.d.s[0], p.c, buffer, sizeof buffer), 4096);
    assert_int_equal(peer_hears_all(&p, &f), 1);
    assert_int_equal(f.wnd, 4096);
    peer_free(&p);
}

/* MUST-66: URG counts while our window is closed. */
static void a_closed_window_still_hears_of_urgent_data(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    fill(&p);
    duo_drain_events(&p.d);
    f = peer_segment(&p, PL_ACK | PL_URG, 0, 10);
    f.up = 10;
    peer_says(&p, &f);
    assert_true(duo_events(&p.d, 0, p.c) & PL_EV_URGENT);
    assert_int_equal(pl_urgent(p.d.s[0], p.c), 4096 + 10);
    assert_int_equal(peer_status(&p).rcvbuf_used, 4096);             /* the text itself finds no room */
    peer_free(&p);
}

/* SHLD-2, MUST-66: a RST counts whatever it carries, also while our window is closed. */
static void a_rst_with_text_resets_with_the_window_open_or_closed(void **state)
{
    for (unsigned closed = 0; closed < 2; closed++) {
        struct peer p;
        struct forged f;
        peer_open(&p, state, NULL, 0);
        if (closed)
            fill(&p);
        f = peer_segment(&p, PL_RST, 0, 0);
        f.text = "because";
        f.text_bytes = 7;
        peer_says(&p, &f);
        assert_int_equal(pl_error(p.d.s[0], p.c), PL_ECONNRESET);
        assert_int_equal(peer_status(&p).state, PL_CLOSED);
        assert_int_equal(peer_status(&p).rcvbuf_used, closed ? 4096 : 0);
        assert_false(peer_hears(&p, &f));
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(an_ack_waits_for_company_but_less_than_half_a_second),
        BOTH(segments_that_arrive_together_are_acknowledged_by_one_ack),
        BOTH(a_window_stays_closed_until_the_program_reads),
        BOTH(a_closed_window_still_hears_of_urgent_data),
        BOTH(a_rst_with_text_resets_with_the_window_open_or_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
