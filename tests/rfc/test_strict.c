/* SPDX-License-Identifier: MIT
 *
 * Rules of RFC 9293, 6298, 7323 and 2018 that a stack can break unnoticed as long as everything goes well: each case is one in which the breach shows.
 */
#include "rfc/peer.h"
#include "wire/tcp_hdr.h"

static const char text[4096];

static uint64_t sent_because(const struct peer *p, enum pl_reason why)
{
    struct pl_counters c;
    assert_int_equal(pl_counters(p->d.s[0], &c, sizeof c), 0);
    return c.sent[why];
}

/* RFC 6298 5.1: text that follows does not put off the timer of what is under way. */
static void the_timer_runs_for_the_oldest_text(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    assert_int_equal(pl_set(p.d.s[0], p.c, PL_OPT_NODELAY, 1), 0);
    pl_time due = p.d.now + peer_status(&p).rto;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pl_send(p.d.s[0], p.c, text, 10), 10);
        assert_int_equal(peer_hears_all(&p, NULL), 1);
        p.d.now += 50 * PL_MS;
    }
    assert_false(peer_hears(&p, &f));
    peer_waits_to_hear(&p, &f);
    assert_true(p.d.now == due);
    assert_int_equal(f.seq, p.iss + 1);
    peer_free(&p);
}

/* RFC 6298 5.2: everything is acknowledged: the timer stops, so that the next text has a whole one. */
static void what_is_acknowledged_leaves_no_timer_to_the_next_text(void **state)
{
    struct peer p;
    struct forged f;
    peer_open(&p, state, NULL, 0);
    assert_int_equal(pl_send(p.d.s[0], p.c, text, 500), 500);
    assert_int_equal(peer_hears_all(&p, NULL), 1);
    peer_acks(&p, p.iss + 501);
    p.d.now += 150 * PL_MS;
    pl_poll(p.d.s[0], p.d.now);
    assert_int_equal(pl_send(p.d.s[0], p.c, text, 500), 500);
    assert_int_equal(peer_hears_all(&p, NULL), 1);
    pl_time due = p.d.now + peer_status(&p).rto;
    peer_waits_to_hear(&p, &f);
    assert_true(p.d.now == due);
    assert_int_equal(f.seq, p.iss + 501);
    peer_free(&p);
}

/* MUST-26: while text is outstanding the retransmission timer watches over the peer, however long its pauses grow: no keepalive, and no death by one. */
static void no_keepalive_while_text_is_outstanding(void **state)
{
    struct pl_config c = duo_config();
    struct peer p;
    struct forged f;
    c.keepalive_idle = c.keepalive_interval = PL_S;
    c.keepalive_probes = 3;
    peer_open(&p, state, &c, 0);
    assert_int_equal(pl_set(p.d.s[0], p.c, PL_OPT_KEEPALIVE, 1), 0);
    assert_int_equal(pl_send(p.d.s[0], p.c, text, 10), 10);
    for (pl_time end = p.d.now + 100 * PL_S; p.d.now < end;)
        if (!peer_hears(&p, &f)) peer_waits_for_deadline(&p);
    assert_int_equal(sent_because(&p, PL_WHY_PROBE_KEEPALIVE), 0);
    assert_true(sent_because(&p, PL_WHY_DATA_REPEAT_RTO) > 5);
    assert_int_equal(peer_status(&p).state, PL_ESTABLISHED);
    peer_acks(&p, p.iss + 11);                           /* and when it is idle again, they come */
    peer_waits_to_hear(&p, &f);
    assert_int_equal(f.seq, p.iss + 10);
    assert_int_equal(sent_because(&p, PL_WHY_PROBE_KEEPALIVE), 1);
    peer_free(&p);
}

/* RFC 7323 2.4-b, 2.4-c: each ACK rounds its window down to the scale's unit, but a byte that any of them let in stays let in. */
static void what_was_once_let_in_is_taken_although_later_windows_are_rounded(void **state)
{
    enum { ODD = 997 };
    struct pl_config c = duo_config();
    struct peer p;
    struct forged f;
    c.rcvbuf_bytes = 1 << 20;                            /* a unit of 32 bytes */
    c.chunks_max = (2 << 20) / c.chunk_bytes;
    peer_open(&p, state, &c, WIRE_OPT_WSCALE);
    struct pl_tcp_status st = peer_status(&p);
    uint32_t unit = 1u << st.rcv_wscale, edge = 0;
    assert_int_equal(unit, 32);
    f = peer_segment(&p, PL_ACK | PL_PSH, 0, 32);        /* the room that is left is a multiple of the unit: nothing hides what rounding takes */
    peer_says(&p, &f);
    peer_waits(&p, PL_S);                                /* the first scaled window */
    while (peer_hears(&p, &f))
        edge = f.ack + ((uint32_t)f.wnd << st.rcv_wscale);
    unsigned rounded = 0;
    for (st = peer_status(&p); st.rcv.nxt != edge; st = peer_status(&p)) {
        uint32_t left = edge - st.rcv.nxt;
        f = peer_segment(&p, PL_ACK | PL_PSH, 0, left < ODD ? left : ODD);
        peer_says(&p, &f);
        peer_waits(&p, PL_S);
        assert_int_equal(peer_status(&p).rcv.nxt, st.rcv.nxt + f.text_bytes);
        while (peer_hears(&p, &f))
            rounded += f.ack + ((uint32_t)f.wnd << st.rcv_wscale) != edge;
    }
    assert_true(rounded > 500);
    peer_free(&p);
}

/* RFC 2018 4-f: what fits into 40 bytes of options: four blocks, three beside timestamps. */
static void an_ack_reports_as_many_gaps_as_fit(void **state)
{
    for (unsigned ts = 0; ts < 2; ts++) {
        struct pl_config c = duo_config();
        struct peer p;
        struct forged f;
        c.timestamps = ts;
        c.rcvbuf_bytes = 16384;
        peer_open(&p, state, &c, (uint8_t)(WIRE_OPT_SACK_PERMITTED | (ts ? WIRE_OPT_TIMESTAMPS : 0)));
        for (unsigned gaps = 1; gaps <= 6; gaps++) {
            f = peer_segment(&p, PL_ACK, (int32_t)(200 * gaps), 100);
            peer_says(&p, &f);
            assert_int_equal(peer_hears_all(&p, &f), 1);
            unsigned most = ts ? 3 : 4;
            assert_int_equal(f.opts.nsack, gaps < most ? gaps : most);
            assert_int_equal(f.opts.sack[0].lo, PEER_ISS + 1 + 200 * gaps);
            assert_int_equal(f.opts.sack[0].hi, PEER_ISS + 1 + 200 * gaps + 100);
        }
        peer_free(&p);
    }
}

/* RFC 2018 4-b: none of them unless the peer permitted it, whether it was offered or not. */
static void no_blocks_unless_the_peer_permitted_them(void **state)
{
    for (unsigned ours = 0; ours < 2; ours++) {
        struct pl_config c = duo_config();
        struct peer p;
        struct forged f;
        c.sack = ours;
        peer_open(&p, state, &c, 0);
        f = peer_segment(&p, PL_ACK, 200, 100);
        peer_says(&p, &f);
        assert_int_equal(peer_hears_all(&p, &f), 1);     /* a duplicate ACK all the same */
        assert_int_equal(f.ack, PEER_ISS + 1);
        assert_int_equal(f.opts.have, 0);
        peer_free(&p);
    }
}

/* RFC 2018 8-b: no memory is left, so text that came early makes room for text in order; from then on no block reports it. It is taken when it comes again. */
static void what_was_let_go_is_not_reported(void **state)
{
    struct pl_config c = duo_config();
    struct peer p;
    struct forged f;
    char got[2000], sent[1400];
    c.chunk_bytes = 512;
    c.chunks_max = 40;
    c.sndbuf_bytes = 1 << 20;
    peer_open(&p, state, &c, WIRE_OPT_SACK_PERMITTED);
    for (unsigned i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 7);
    f = peer_segment(&p, PL_ACK, 300, 100);
    f.text = sent + 300;
    peer_says(&p, &f);
    assert_int_equal(peer_hears_all(&p, &f), 1);
    assert_int_equal(f.opts.nsack, 1);
    while (pl_send(p.d.s[0], p.c, text, sizeof text) > 0)
        ;                                                /* takes every chunk that it may have */
    assert_int_equal(chunks_to_send(&p.d.s[0]->pools.chunks), 0);         /* what is left is for streams that hold nothing, and what the connection keeps */
    f = peer_segment(&p, PL_ACK | PL_PSH, 0, sizeof sent);
    f.text = sent;
    peer_says(&p, &f);
    struct pl_tcp_status st = peer_status(&p);
    assert_in_range(st.bytes_received, 400, 1024);       /* what had room */
    while (peer_hears(&p, &f)) {
        assert_int_equal(f.ack, PEER_ISS + 1 + (uint32_t)st.bytes_received);
        for (unsigned k = 0; k < f.opts.nsack; k++)      /* RFC 2883: that they came twice may be said once, as what lies before the ACK */
            assert_true((int32_t)(f.opts.sack[k].hi - f.ack) <= 0);
    }
    ptrdiff_t n = pl_recv(p.d.s[0], p.c, got, sizeof got);
    assert_int_equal(n, st.bytes_received);
    f = peer_segment(&p, PL_ACK | PL_PSH, 0, sizeof sent - (size_t)n);
    f.text = sent + n;
    peer_says(&p, &f);
    assert_true(peer_hears_all(&p, &f) > 0);
    assert_int_equal(f.opts.nsack, 0);
    assert_int_equal(pl_recv(p.d.s[0], p.c, got + n, sizeof got - (size_t)n), sizeof sent - (size_t)n);
    assert_memory_equal(got, sent, sizeof sent);
    peer_free(&p);
}

/* SHLD-3: "if new data is received after CLOSE is called, its TCP implementation SHOULD send a RST to show that data was lost". */
static void text_after_a_close_is_answered_with_a_reset(void **state)
{
    for (unsigned fin_acked = 0; fin_acked < 2; fin_acked++) {
        struct peer p;
        struct forged f;
        peer_open(&p, state, NULL, 0);
        struct forged late = peer_segment(&p, PL_ACK | PL_PSH, 0, 20);
        assert_int_equal(pl_close(p.d.s[0], p.c), 0);
        assert_true(peer_hears(&p, &f));
        assert_int_equal(f.flags, PL_FIN | PL_ACK);
        if (fin_acked) {
            struct forged ack = late;
            ack.flags = PL_ACK, ack.text_bytes = 0, ack.ack = p.iss + 2;
            peer_says(&p, &ack);
            late.ack = ack.ack;
        }
        peer_says(&p, &late);
        assert_true(peer_hears(&p, &f));
        assert_int_equal(f.flags, PL_RST);
        assert_int_equal(f.seq, p.iss + 2);
        assert_int_equal(peer_drops(&p, PL_DROP_TCP_DATA_AFTER_CLOSE), 1);
        assert_null(block_chunks_are_accounted(p.d.s[0]));
        peer_free(&p);
    }
}

/* MUST-7, and threats V29: behind an option whose length is wrong for its kind nothing is believed, even if that length stays inside the header. */
static void nothing_behind_an_option_of_wrong_length_is_believed(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[12];
        const char *what;
    } rows[] = {
        {{2, 3, 5, 3, 3, 7, 4, 2, 1, 1, 1, 0}, "MSS of 3 bytes"},
        {{3, 4, 7, 7, 2, 4, 5, 0, 4, 2, 1, 0}, "window scale of 4"},
        {{4, 3, 0, 3, 3, 7, 2, 4, 5, 0, 1, 0}, "SACK-permitted of 3"},
        {{8, 3, 1, 3, 3, 7, 2, 4, 5, 0, 4, 2}, "timestamps of 3"},
        {{5, 3, 1, 3, 3, 7, 2, 4, 5, 0, 4, 2}, "SACK of 3"},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct wire_tcp_opts o;
        wire_tcp_opts_read(rows[i].bytes, sizeof rows[i].bytes, &o);
        if (o.have || !o.malformed) fail_msg("%s: believed %02x", rows[i].what, o.have);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_timer_runs_for_the_oldest_text),
        BOTH(what_is_acknowledged_leaves_no_timer_to_the_next_text),
        BOTH(no_keepalive_while_text_is_outstanding),
        BOTH(what_was_once_let_in_is_taken_although_later_windows_are_rounded),
        BOTH(an_ack_reports_as_many_gaps_as_fit),
        BOTH(no_blocks_unless_the_peer_permitted_them),
        BOTH(what_was_let_go_is_not_reported),
        BOTH(text_after_a_close_is_answered_with_a_reset),
        cmocka_unit_test(nothing_behind_an_option_of_wrong_length_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
