/* SPDX-License-Identifier: MIT
 *
 * test_regressions.c: rules that were broken once: the receiving side, resets and answers, handshakes, memory, and the life of connections. The sending
 * side: test_regressions_sender.c.
 */
#include "support/played.h"

#include "stack/net.h"

/* ------------------------------------------------------------------ text ------------------------------------------------------------------ */

/* RFC 9293 3.10.7.4 seventh: "Once in the ESTABLISHED state, it is possible to deliver segment data to user RECEIVE buffers": text at RCV.NXT inside the
 * window is taken, whatever else is remembered. */
static void text_in_order_is_taken_though_the_table_of_gaps_is_full(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.gaps_per_conn_max = 1;
    config.rcvbuf_bytes = 16384;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_gives(&p, PL_ACK, 4000, 0, 1000);
    played_gives(&p, PL_ACK, 0, 0, 1000);
    assert_int_equal(played_status(&p).rcv.nxt - (PLAYED_ISS + 1), 1000);
    played_gives(&p, PL_ACK, 500, 0, 1500);
    assert_int_equal(played_status(&p).rcv.nxt - (PLAYED_ISS + 1), 2000);
    played_gives(&p, PL_ACK, 2000, 0, 1000);
    played_gives(&p, PL_ACK, 3000, 0, 1000);
    assert_int_equal(played_status(&p).rcv.nxt - (PLAYED_ISS + 1), 5000);
    assert_int_equal(played_reads(&p), 5000);
    played_free(&p);
}

/* Threats V33: text far ahead of the rest takes what it needs, and nothing of what text in order needs. */
static void one_byte_at_the_far_end_of_the_window_does_not_take_every_chunk(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged r;
    config.rcvbuf_bytes = 32768;
    config.chunks_max = 64;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_gives(&p, PL_ACK, 32767, 0, 1);
    played_drains(&p);
    assert_in_range(p.d.s[1]->pools.chunks.used, 0, 16);
    pl_conn sparse = p.c;
    p.peer_port++;                        /* another connection goes on */
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 60000, 0, NULL);
    played_gives(&p, PL_ACK, 0, 0, 1000);
    assert_int_equal(played_reads(&p), 1000);
    played_sends(&p, 1000);
    assert_true(played_takes(&p, &r));
    assert_int_equal(pl_abort(p.d.s[1], sparse), PL_OK);
    played_free(&p);
}

/* RFC 9293 3.10.7.4 eighth: a FIN counts where the stream ends. One that lies where text followed was none (a blind guess inside the window): it is
 * forgotten, and does not end the stream when sequence numbers come round. */
static void a_fin_that_text_went_past_is_forgotten(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.rcvbuf_bytes = 16384;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_gives(&p, PL_ACK | PL_FIN, 500, 0, 0);
    assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
    played_gives(&p, PL_ACK, 0, 0, 1000);
    assert_int_equal(played_status(&p).rcv.nxt - (PLAYED_ISS + 1), 1000);
    assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
    assert_false(((struct tcp *)slots_at(&p.d.s[1]->pools.conns, (uint32_t)p.c))->fin_known);
    played_gives(&p, PL_ACK | PL_FIN, 1000, 0, 0);
    assert_int_equal(played_status(&p).state, PL_CLOSE_WAIT);
    assert_int_equal(played_reads(&p), 1000);
    played_free(&p);
}

/* RFC 7323 2.2: the shift count announced in the SYN holds for the connection, whatever the program does to its buffer before the answer. */
static void the_window_scale_that_was_announced_is_the_one_used(void **state)
{
    static const struct {
        uint32_t at_syn, later;
    } rows[] = {{1 << 20, 65535}, {65535, 1 << 20}, {1 << 20, 1}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_config config = duo_config();
        struct duo d;
        struct forged syn, r;
        struct pl_tcp_status q;
        config.rcvbuf_bytes = rows[i].at_syn;
        config.chunks_max = 400;
        duo_init(&d, &config, false);
        pl_conn c = duo_connect(&d, 1, SIX(state), 80);
        assert_true(duo_take_segment(&d, 1, &syn));
        assert_int_equal(pl_set(d.s[1], c, PL_OPT_RCVBUF, rows[i].later), PL_OK);
        struct forged s = {.src = syn.dst, .dst = syn.src, .seq = 7000, .ack = syn.seq + 1, .flags = PL_SYN | PL_ACK, .wnd = 60000,
                           .opts = {.have = WIRE_OPT_WSCALE | WIRE_OPT_MSS, .wscale = 3, .mss = 1000}};
        duo_give_segment(&d, 1, &s);
        assert_true(duo_take_segment(&d, 1, &r));
        assert_int_equal(pl_status(d.s[1], c, &q, sizeof q), PL_OK);
        assert_int_equal(q.rcv_wscale, syn.opts.wscale);
        assert_true((uint32_t)r.wnd << syn.opts.wscale <= q.rcv.wnd);
        duo_free(&d);
    }
}

/* ------------------------------------------------------------------ resets and answers ------------------------------------------------------------------ */

/* RFC 9293 3.10.7.4, MUST-66: with a window of zero "special allowance should be made to accept valid ... RSTs", and a RST may carry text (3.5.3). */
static void a_reset_with_text_is_taken_at_a_window_of_zero(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.rcvbuf_bytes = 1000;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    played_gives(&p, PL_ACK | PL_PSH, 0, 0, 1000);
    played_drains(&p);
    assert_int_equal(played_status(&p).rcv.wnd, 0);
    played_gives(&p, PL_RST | PL_ACK, 1001, 0, 4);           /* not the next byte: no RST for us */
    assert_int_equal(played_status(&p).state, PL_ESTABLISHED);
    played_gives(&p, PL_RST | PL_ACK, 1000, 0, 4);
    assert_int_equal(played_status(&p).state, PL_CLOSED);
    assert_int_equal(played_status(&p).error, PL_ECONNRESET);
    played_free(&p);
}

/* RFC 9293 3.8.4 (MUST-29's other side), threats V44: blind segments use up the answers to blind segments, not those to the peer's keepalive. */
static void a_keepalive_is_answered_however_many_blind_segments_came(void **state)
{
    struct played p;
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    for (unsigned i = 0; i < 40; i++)
        played_gives(&p, PL_ACK, 900000000, 0, 0);
    for (unsigned i = 0; i < 40; i++)
        played_gives(&p, PL_RST, 100, 0, 0);
    played_drains(&p);
    for (unsigned i = 0; i < 3; i++) {
        played_gives(&p, PL_ACK, (uint32_t)-1, 0, 0);
        assert_int_equal(played_drains(&p), 1);
    }
    played_free(&p);
}

/* RFC 5961 7, threats V45: two ends that disagree answer each other's answers a bounded number of times. */
static void time_wait_and_a_half_open_entry_do_not_answer_each_other_for_ever(void **state)
{
    struct duo d;
    pl_conn both[2];
    struct pl_tcp_status q;
    uint8_t frame[DUO_FRAME_BYTES];
    duo_init(&d, NULL, false);
    duo_open(&d, SIX(state), 80, both);
    assert_int_equal(pl_finish(d.s[0], both[0]), PL_OK);
    duo_exchange(&d);
    assert_int_equal(pl_finish(d.s[1], both[1]), PL_OK);
    duo_exchange(&d);
    assert_int_equal(pl_status(d.s[0], both[0], &q, sizeof q), PL_OK);
    assert_int_equal(q.state, PL_TIME_WAIT);
    pl_close(d.s[0], both[0]);
    pl_close(d.s[1], both[1]);
    duo_listen(&d, 1, 80, 0);
    struct forged old = {.src = q.local, .dst = q.remote, .seq = q.snd.nxt + 1000000, .flags = PL_SYN, .wnd = 1000};
    uint32_t before = d.frames[0] + d.frames[1];
    duo_give_segment(&d, 1, &old);
    for (unsigned quiet = 0, host = 1; quiet < 2 && d.frames[0] + d.frames[1] - before < 2000; host = 1 - host) {
        size_t n = duo_take(&d, host, frame);
        quiet = n ? 0 : quiet + 1;
        if (n)
            duo_give(&d, 1 - host, frame, n);
    }
    assert_in_range(d.frames[0] + d.frames[1] - before, 1, 60);
    duo_free(&d);
}

/* RFC 5961 7 for each of them alone: so many blind segments at one time, so few answers. */
static void a_half_open_entry_answers_blind_segments_a_bounded_number_of_times(void **state)
{
    struct played p;
    struct forged s, r;
    unsigned answers = 0;
    played_init(&p, SIX(state), NULL);
    s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    duo_give_segment(&p.d, 1, &s);
    assert_true(duo_take_segment(&p.d, 1, &r));
    p.first = r.seq + 1;
    for (unsigned i = 0; i < 1000; i++) {
        played_gives(&p, PL_ACK, 900000000, 0, 0);
        answers += played_drains(&p);
    }
    assert_in_range(answers, 1, 30);
    played_gives(&p, PL_ACK, 0, 0, 0);    /* and the handshake goes on */
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    played_free(&p);
}

static void enter_time_wait(struct played *p)
{
    uint32_t n[PL_STATE_COUNT];
    assert_int_equal(pl_finish(p->d.s[1], p->c), PL_OK);
    played_drains(p);
    played_gives(p, PL_ACK | PL_FIN, 0, 1, 0);
    played_drains(p);
    pl_states(p->d.s[1], n);
    assert_int_equal(n[PL_TIME_WAIT], 1);
}

static void time_wait_answers_blind_segments_a_bounded_number_of_times(void **state)
{
    struct played p;
    unsigned answers = 0;
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    enter_time_wait(&p);
    for (unsigned i = 0; i < 1000; i++) {
        played_gives(&p, PL_ACK, 900000000, 1, 0);
        answers += played_drains(&p);
    }
    assert_in_range(answers, 0, 30);
    p.d.now += 10 * PL_S;                 /* the peer's FIN again is answered always: it may have missed our ACK */
    for (unsigned i = 0; i < 3; i++) {
        played_gives(&p, PL_ACK | PL_FIN, 0, 1, 0);
        assert_int_equal(played_drains(&p), 1);
    }
    played_free(&p);
}

/* RFC 9293 3.6.1, MAY-2, RFC 6191: a SYN ends TIME-WAIT only by beginning the next incarnation: where there is no room for that, TIME-WAIT stays. */
static void a_syn_that_finds_no_room_leaves_time_wait_alone(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    uint32_t n[PL_STATE_COUNT];
    config.syn_cookies = false;
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    enter_time_wait(&p);
    struct forged s = played_segment(&p, PL_SYN, 5000000, 0, 0);
    for (uint16_t i = 1; i <= config.half_open_max; i++) {
        struct forged other = s;
        other.src.port = (uint16_t)(s.src.port + i);
        duo_give_segment(&p.d, 1, &other);
    }
    duo_give_segment(&p.d, 1, &s);
    pl_states(p.d.s[1], n);
    assert_int_equal(n[PL_SYN_RECEIVED], config.half_open_max);
    assert_int_equal(n[PL_TIME_WAIT], 1);
    played_free(&p);
}

/* ------------------------------------------------------------------ memory ------------------------------------------------------------------ */

/* parley.h, pl_send: PL_EAGAIN is followed by PL_EV_WRITABLE: also when the memory comes back from a dead connection that is given back. */
static void closing_a_dead_connection_wakes_who_waits_for_memory(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    config.chunks_max = 9;                /* one is kept to send from */
    played_init(&p, SIX(state), &config);
    played_open_plain(&p, 1000);
    for (uint32_t i = 0; i < 5; i++)
        played_gives(&p, PL_ACK, 800 * i, 0, 800);
    played_drains(&p);
    played_gives(&p, PL_RST, 4000, 0, 0);
    pl_conn dead = p.c;
    assert_int_equal(p.d.s[1]->pools.chunks.used, 8);
    p.peer_port++;
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 60000, 0, NULL);
    duo_events(&p.d, 1, p.c);
    assert_int_equal(pl_send(p.d.s[1], p.c, "x", 1), PL_EAGAIN);
    assert_int_equal(duo_events(&p.d, 1, p.c), 0);
    assert_int_equal(pl_close(p.d.s[1], dead), PL_OK);
    assert_true(duo_events(&p.d, 1, p.c) & PL_EV_WRITABLE);
    assert_int_equal(pl_send(p.d.s[1], p.c, "x", 1), 1);
    played_free(&p);
}

/* The same when a driver lets go of a frame whose bytes were acknowledged meanwhile. */
static void the_end_of_a_hold_wakes_who_waits_for_memory(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    static uint8_t room[PL_HEADER_BYTES_MAX];
    static char text[2000];
    struct pl_frame f;
    config.chunks_max = 3;                /* one is kept for what arrives */
    played_init(&p, SIX(state), &config);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1400}, 60000, 0, NULL);
    assert_int_equal(pl_send(p.d.s[1], p.c, text, sizeof text), 1024);
    memset(&f, 0, sizeof f);
    f.span[0] = (struct pl_span){room, sizeof room};
    assert_int_equal(pl_tx(p.d.s[1], 0, &f, 1, p.d.now), 1);
    assert_int_equal(pl_tx_hold(p.d.s[1], &f), PL_OK);
    played_gives(&p, PL_ACK, 0, 1024, 0);
    duo_events(&p.d, 1, p.c);
    assert_int_equal(pl_send(p.d.s[1], p.c, "x", 1), PL_EAGAIN);
    duo_events(&p.d, 1, p.c);
    pl_tx_done(p.d.s[1], &f);
    assert_true(duo_events(&p.d, 1, p.c) & PL_EV_WRITABLE);
    assert_int_equal(pl_send(p.d.s[1], p.c, "x", 1), 1);
    played_free(&p);
}

/* parley.h, pl_close: a connection that pl_conn_next found in an accept queue is given back for good: pl_accept does not hand it out, or it is handed out
 * alive; no slot is lost either way. */
static void a_connection_closed_before_it_was_accepted_leaves_nothing_behind(void **state)
{
    for (unsigned abort_first = 0; abort_first < 2; abort_first++) {
        struct played p;
        struct pl_event e;
        pl_conn h = 0, a = 0;
        uint32_t cursor = 0;
        played_init(&p, SIX(state), NULL);
        struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0), r;
        duo_give_segment(&p.d, 1, &s);
        assert_true(duo_take_segment(&p.d, 1, &r));
        p.first = r.seq + 1;
        played_gives(&p, PL_ACK, 0, 0, 0);
        bool found = pl_conn_next(p.d.s[1], &cursor, &h);     /* today nobody finds it before it is accepted */
        if (found && abort_first)
            pl_abort(p.d.s[1], h);
        int closed = found ? pl_close(p.d.s[1], h) : PL_EHANDLE;
        int accepted = pl_accept(p.d.s[1], p.listener, &a, NULL);
        if (closed == PL_OK) {
            assert_int_equal(accepted, PL_EAGAIN);
        } else {
            assert_int_equal(accepted, PL_OK);
            assert_int_equal(pl_close(p.d.s[1], a), PL_OK);
        }
        while (pl_event_next(p.d.s[1], &e))
            assert_true(e.handle == p.listener);
        played_drains(&p);
        played_gives(&p, PL_ACK | PL_FIN, 0, 1, 0);          /* whichever way it went, the peer helps it on */
        played_drains(&p);
        p.d.now += 300 * PL_S;
        pl_poll(p.d.s[1], p.d.now);
        assert_int_equal(p.d.s[1]->pools.conns.used, 0);
        p.peer_port++;                    /* and the listener goes on */
        played_open_plain(&p, 1000);
        played_free(&p);
    }
}

/* ------------------------------------------------------------------ life ------------------------------------------------------------------ */

/* Threats V48, V49: every orphan reaches CLOSED in its time, however often the peer speaks and even if the host never calls pl_poll. */
static void an_orphan_ends_in_time_though_its_peer_never_stops_talking(void **state)
{
    struct played p;
    played_init(&p, SIX(state), NULL);
    played_open(&p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS, .mss = 1000}, 0, 0, NULL);
    played_sends(&p, 1000);
    assert_int_equal(pl_close(p.d.s[1], p.c), PL_OK);
    played_drains(&p);
    pl_time begin = p.d.now;
    while (p.d.s[1]->pools.conns.used && p.d.now < begin + 400 * PL_S) {
        p.d.now += 10 * PL_MS;
        played_gives(&p, PL_ACK, 0, 0, 0);
        played_drains(&p);
    }
    assert_in_range(p.d.now - begin, 100 * PL_S, 130 * PL_S);
    played_free(&p);
}

/* RFC 9293 3.8.4: so many probes as were asked for; more than can be counted are refused. */
static void many_keepalive_probes_are_counted(void **state)
{
    static const uint32_t rows[] = {1, 3, 254, 255, 256, 1000};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct pl_config config = duo_config();
        struct played p;
        unsigned probes = 0;
        config.keepalive_idle = config.keepalive_interval = 1 * PL_S;
        config.keepalive_probes = rows[i];
        if (pl_config_problem(&config)) {
            assert_true(rows[i] > 255);
            continue;
        }
        played_init(&p, SIX(state), &config);
        played_open_plain(&p, 1000);
        assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_KEEPALIVE, 1), PL_OK);
        while (played_status(&p).state == PL_ESTABLISHED && probes < 2000) {
            struct forged s;
            assert_true(played_next_deadline(&p));
            while (played_takes(&p, &s))
                probes += s.flags == PL_ACK;
        }
        assert_int_equal(played_status(&p).error, PL_ETIMEDOUT);
        assert_int_equal(probes, rows[i]);
        played_free(&p);
    }
}

/* How many bare ACKs host 1 has to say; what else it says passes by. */
static unsigned takes_all(struct duo *d)
{
    struct forged r;
    unsigned n = 0;
    while (duo_take_segment(d, 1, &r))
        n += r.flags == PL_ACK;
    return n;
}

/* Host 1's next deadline, `end` at most, is now; false: nothing is due by then. */
static bool next_deadline(struct duo *d, pl_time end)
{
    duo_drain_events(d);
    pl_time at = pl_deadline(d->s[1]);
    bool due = at < end;
    d->now = !due ? end == PL_NEVER ? d->now : end : at > d->now ? at : d->now;
    pl_poll(d->s[1], d->now);
    return due;
}

/* RFC 9293 3.8.4: asked for before the connection is open, probes go out once it has been silent, however long opening took. */
static void keepalive_asked_for_before_the_handshake_is_done_holds(void **state)
{
    for (unsigned slow = 0; slow < 2; slow++) {
        struct pl_config config = duo_config();
        struct duo d;
        struct forged r;
        struct pl_tcp_status q;
        unsigned probes = 0;
        config.keepalive_idle = 5 * PL_S;
        config.keepalive_interval = 1 * PL_S;
        config.keepalive_probes = 3;
        duo_init(&d, &config, false);
        pl_conn c = duo_connect(&d, 1, SIX(state), 80);
        assert_int_equal(pl_set(d.s[1], c, PL_OPT_KEEPALIVE, 1), PL_OK);
        assert_true(duo_take_segment(&d, 1, &r));
        struct forged s = {.src = r.dst, .dst = r.src, .seq = 7000, .ack = r.seq + 1, .flags = PL_SYN | PL_ACK, .wnd = 60000};
        pl_time end = d.now + (slow ? 10 * PL_S : 10 * PL_MS);
        while (d.now < end) {
            takes_all(&d);
            next_deadline(&d, end);
        }
        duo_give_segment(&d, 1, &s);
        takes_all(&d);
        for (unsigned n = 0; n < 20 && next_deadline(&d, PL_NEVER); n++)
            probes += takes_all(&d);
        assert_int_equal(probes, 3);
        assert_int_equal(pl_status(d.s[1], c, &q, sizeof q), PL_OK);
        assert_int_equal(q.error, PL_ETIMEDOUT);
        duo_free(&d);
    }
}

/* RFC 9293 3.9.2.2, SHLD-25: an error that did not end the attempt is made available: when the attempt ends in vain, the program hears what is known.
 * `crossed`: in SYN-RECEIVED after a simultaneous open. */
static void a_connect_that_gives_up_reports_the_soft_error(void **state)
{
    for (unsigned row = 0; row < 4; row++) {
        bool told = row & 1, crossed = row & 2;
        struct played p;
        struct forged r;
        uint8_t frame[DUO_FRAME_BYTES], again[DUO_FRAME_BYTES];
        played_init(&p, SIX(state), NULL);
        p.c = duo_connect(&p.d, 1, p.ipv6, 99);
        size_t n = duo_take(&p.d, 1, frame);
        assert_true(forge_read(frame, n, &r));
        if (crossed) {
            struct forged s = {.src = r.dst, .dst = r.src, .seq = 7000, .wnd = 60000, .flags = PL_SYN};
            duo_give_segment(&p.d, 1, &s);
            assert_int_equal(played_status(&p).state, PL_SYN_RECEIVED);
        }
        if (told)
            played_icmp(&p, p.ipv6 ? 1 : 3, p.ipv6 ? 3 : 1, 0, frame, n);
        for (unsigned i = 0; i < 100 && played_status(&p).state != PL_CLOSED; i++) {
            while (duo_take(&p.d, 1, again)) {
            }
            assert_true(played_next_deadline(&p));
        }
        assert_int_equal(played_status(&p).state, PL_CLOSED);
        assert_int_equal(played_status(&p).error, told ? PL_EHOSTUNREACH : PL_ETIMEDOUT);
        played_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(text_in_order_is_taken_though_the_table_of_gaps_is_full),
        BOTH(one_byte_at_the_far_end_of_the_window_does_not_take_every_chunk),
        BOTH(a_fin_that_text_went_past_is_forgotten),
        BOTH(the_window_scale_that_was_announced_is_the_one_used),
        BOTH(a_reset_with_text_is_taken_at_a_window_of_zero),
        BOTH(a_keepalive_is_answered_however_many_blind_segments_came),
        BOTH(time_wait_and_a_half_open_entry_do_not_answer_each_other_for_ever),
        BOTH(a_half_open_entry_answers_blind_segments_a_bounded_number_of_times),
        BOTH(time_wait_answers_blind_segments_a_bounded_number_of_times),
        BOTH(a_syn_that_finds_no_room_leaves_time_wait_alone),
        BOTH(closing_a_dead_connection_wakes_who_waits_for_memory),
        BOTH(the_end_of_a_hold_wakes_who_waits_for_memory),
        BOTH(a_connection_closed_before_it_was_accepted_leaves_nothing_behind),
        BOTH(an_orphan_ends_in_time_though_its_peer_never_stops_talking),
        BOTH(many_keepalive_probes_are_counted),
        BOTH(keepalive_asked_for_before_the_handshake_is_done_holds),
        BOTH(a_connect_that_gives_up_reports_the_soft_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
