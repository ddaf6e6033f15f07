/* SPDX-License-Identifier: MIT
 *
 * The same addresses and ports again: RFC 9293 3.6.1 (MAY-2), 3.10.1; RFC 6191; RFC 7323 5.4. Host 1 is in TIME-WAIT; its peer is played by hand.
 */
#include "rfc/peer.h"

enum { IRS = 7000, ISS = 100, HIS = 5000, TS = 40000 };

struct twice {
    struct duo d;
    bool six, ts;
    pl_listener l;
    pl_conn c;                            /* the old connection, whose handle host 1 still holds */
    struct forged fin;                    /* the peer's */
    uint32_t nxt;                         /* host 1's SND.NXT */
    pl_time over;                         /* when TIME-WAIT ends */
};

static struct forged segment(const struct twice *w, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t ts)
{
    struct forged f = {.src = duo_endpoint(0, w->six, HIS), .dst = duo_endpoint(1, w->six, 80), .seq = seq, .ack = ack, .wnd = 9000, .flags = flags};
    if (w->ts)
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = ts};
    return f;
}

static void gives(struct twice *w, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t ts)
{
    struct forged f = segment(w, flags, seq, ack, ts);
    duo_give_segment(&w->d, 1, &f);
}

static void answers(struct twice *w, uint8_t flags, struct forged *f)
{
    assert_true(duo_take_segment(&w->d, 1, f));
    assert_int_equal(f->flags, flags);
}

static void silent(struct twice *w)
{
    struct forged f;
    assert_false(duo_take_segment(&w->d, 1, &f));
}

static unsigned count(const struct twice *w, enum pl_state state)
{
    uint32_t n[PL_STATE_COUNT];
    pl_states(w->d.s[1], n);
    return n[state];
}

static void until(struct twice *w, pl_time at)
{
    for (pl_time next; (next = pl_deadline(w->d.s[1])) <= at && next;) {
        w->d.now = next > w->d.now ? next : w->d.now + 1;
        pl_poll(w->d.s[1], w->d.now);
    }
    w->d.now = at;
    pl_poll(w->d.s[1], at);
}

/* The peer connects, host 1 closes first. */
static void init(struct twice *w, void **state, struct pl_config *config, bool ts)
{
    struct forged f;
    config->timestamps = ts;
    duo_init(&w->d, config, false);
    w->six = SIX(state);
    w->ts = ts;
    w->l = duo_listen(&w->d, 1, 80, 0);
    assert_int_equal(pl_set(w->d.s[1], w->l, PL_OPT_ISN, ISS), PL_OK);
    gives(w, PL_SYN, IRS, 0, TS);
    answers(w, PL_SYN | PL_ACK, &f);
    gives(w, PL_ACK, IRS + 1, ISS + 1, TS);
    assert_int_equal(pl_accept(w->d.s[1], w->l, &w->c, NULL), PL_OK);
    assert_int_equal(pl_finish(w->d.s[1], w->c), PL_OK);
    answers(w, PL_FIN | PL_ACK, &f);
    w->fin = segment(w, PL_FIN | PL_ACK, IRS + 1, ISS + 2, TS);
    duo_give_segment(&w->d, 1, &w->fin);
    answers(w, PL_ACK, &f);
    w->nxt = ISS + 2;
    w->over = w->d.now + 2 * config->msl;
    assert_int_equal(count(w, PL_TIME_WAIT), 1);
    duo_drain_events(&w->d);
}

/* A newer SYN, 10 s later; host 1 answers it. */
static uint32_t reopened(struct twice *w)
{
    struct forged f;
    until(w, w->d.now + 10 * PL_S);
    gives(w, PL_SYN, IRS + 1000, 0, TS + 5);
    answers(w, PL_SYN | PL_ACK, &f);
    assert_int_equal(f.ack, IRS + 1001);
    assert_true((int32_t)(f.seq - w->nxt) > 0);          /* MAY-2 (1): "larger than the largest sequence number it used" */
    assert_int_equal(count(w, PL_TIME_WAIT), 0);
    assert_int_equal(count(w, PL_SYN_RECEIVED), 1);
    return f.seq;
}

/* It is as if nothing had been: the peer's FIN again is acknowledged with the old numbers (and timestamps: PAWS's), and nothing but the end of its time, which
 * ran on, ends it. */
static void waits_as_before(struct twice *w)
{
    struct forged f;
    assert_int_equal(count(w, PL_TIME_WAIT), 1);
    assert_int_equal(count(w, PL_SYN_RECEIVED), 0);
    silent(w);
    gives(w, PL_ACK, IRS + 500, w->nxt, TS);
    answers(w, PL_ACK, &f);
    assert_int_equal(f.seq, w->nxt);
    assert_int_equal(f.ack, IRS + 2);
    if (w->ts)
        assert_int_equal(f.opts.ts_ecr, TS);
    until(w, w->over - 1);
    assert_int_equal(count(w, PL_TIME_WAIT), 1);
    until(w, w->over);
    assert_int_equal(count(w, PL_TIME_WAIT), 0);
    assert_int_equal(pl_close(w->d.s[1], w->c), PL_OK);
    assert_int_equal(pl_close(w->d.s[1], w->l), PL_OK);
    assert_null(block_is_empty(w->d.s[1]));
    duo_free(&w->d);
}

#define WITH_AND_WITHOUT_TIMESTAMPS                                                                                                    \
    struct pl_config config = duo_config();                                                                                            \
    for (unsigned ts = 0; ts < 2; ts++)

/* MAY-2 (2): "returns to TIME-WAIT state if the SYN turns out to be an old duplicate": the peer, which knows nothing of it, resets. */
static void a_reset_proves_the_syn_old(void **state)
{
    WITH_AND_WITHOUT_TIMESTAMPS {
        struct twice w;
        init(&w, state, &config, ts);
        uint32_t iss = reopened(&w);
        gives(&w, PL_RST, IRS + 1001, iss + 1, TS + 6);
        waits_as_before(&w);
    }
}

static void so_does_a_third_syn_in_the_window(void **state)
{
    WITH_AND_WITHOUT_TIMESTAMPS {
        struct twice w;
        init(&w, state, &config, ts);
        reopened(&w);
        gives(&w, PL_SYN, IRS + 2000, 0, TS + 6);
        waits_as_before(&w);
    }
}

static void so_does_silence(void **state)
{
    WITH_AND_WITHOUT_TIMESTAMPS {
        struct twice w;
        config.syn_ack_retries = 2;       /* 1 + 2 + 4 s */
        init(&w, state, &config, ts);
        reopened(&w);
        for (unsigned i = 0; i < 2; i++) {
            struct forged f;
            until(&w, w.d.now + (1 + i) * PL_S);
            answers(&w, PL_SYN | PL_ACK, &f);
        }
        until(&w, w.d.now + 4 * PL_S - 1);
        assert_int_equal(count(&w, PL_TIME_WAIT), 0);
        until(&w, w.d.now + 1);
        waits_as_before(&w);
    }
}

static void so_does_a_listener_that_goes(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    struct forged f;
    init(&w, state, &config, false);
    reopened(&w);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    answers(&w, PL_RST, &f);
    assert_int_equal(count(&w, PL_TIME_WAIT), 1);
    until(&w, w.over);
    assert_int_equal(count(&w, PL_TIME_WAIT), 0);
    assert_int_equal(pl_close(w.d.s[1], w.c), PL_OK);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

/* Its time runs on meanwhile, and ends it if the handshake lasts that long; then there is nothing to go back to. */
static void the_wait_may_end_while_the_handshake_lasts(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    struct forged f;
    config.msl = 6 * PL_S;
    init(&w, state, &config, false);
    uint32_t iss = reopened(&w);
    until(&w, w.d.now + 1 * PL_S);
    answers(&w, PL_SYN | PL_ACK, &f);
    until(&w, w.over);
    assert_true(duo_events(&w.d, 1, w.c) == 0);          /* CLOSED was told at TIME-WAIT's begin */
    gives(&w, PL_RST, IRS + 1001, iss + 1, 0);
    assert_int_equal(count(&w, PL_TIME_WAIT), 0);
    assert_int_equal(count(&w, PL_SYN_RECEIVED), 0);
    assert_int_equal(pl_close(w.d.s[1], w.c), PL_OK);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

static void the_third_message_ends_the_wait_for_good(void **state)
{
    WITH_AND_WITHOUT_TIMESTAMPS {
        struct twice w;
        struct forged f;
        pl_conn c;
        struct pl_tcp_status st;
        init(&w, state, &config, ts);
        uint32_t iss = reopened(&w);
        gives(&w, PL_ACK, IRS + 1001, iss + 1, TS + 6);
        assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_OK);
        assert_int_equal(count(&w, PL_TIME_WAIT), 0);
        assert_int_equal(pl_status(w.d.s[1], w.c, &st, sizeof st), PL_OK);     /* the old handle is good until it is given back */
        assert_int_equal(st.state, PL_CLOSED);
        assert_int_equal(st.error, PL_OK);
        assert_int_equal(pl_close(w.d.s[1], w.c), PL_OK);
        gives(&w, PL_RST, IRS + 1001, 0, TS + 6);
        assert_int_equal(pl_error(w.d.s[1], c), PL_ECONNRESET);
        assert_int_equal(count(&w, PL_TIME_WAIT), 0);                          /* no way back from there */
        gives(&w, PL_ACK, IRS + 500, w.nxt, TS);
        answers(&w, PL_RST, &f);
        assert_int_equal(pl_close(w.d.s[1], c), PL_OK);
        assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
        assert_null(block_is_empty(w.d.s[1]));
        duo_free(&w.d);
    }
}

/* The program may abort what waits behind (RFC 9293 3.10.5), and the table may need the place. */
static void what_waits_behind_may_be_taken_away(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    init(&w, state, &config, false);
    uint32_t iss = reopened(&w);
    assert_int_equal(pl_abort(w.d.s[1], w.c), PL_OK);
    assert_int_equal(count(&w, PL_SYN_RECEIVED), 1);
    gives(&w, PL_RST, IRS + 1001, iss + 1, 0);
    assert_int_equal(count(&w, PL_TIME_WAIT) + count(&w, PL_SYN_RECEIVED), 0);
    assert_int_equal(pl_close(w.d.s[1], w.c), PL_OK);
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

/* ------------------------------------------------------------ we open ------------------------------------------------------------ */

static int reconnect(struct twice *w, pl_conn *c, const uint32_t *isn)
{
    struct pl_connect_params p = {.local = duo_endpoint(1, w->six, 80), .remote = duo_endpoint(0, w->six, HIS), .isn_fixed = isn != NULL, .isn = isn ? *isn : 0};
    return pl_connect(w->d.s[1], &p, c);
}

/* RFC 6191 2, RFC 7323 5.4: more than a second after the peer last spoke, with timestamps: its slowest clock has ticked, and ours. */
static void connect_may_use_the_ports_when_timestamps_tell_old_from_new(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    struct forged f;
    struct pl_tcp_status st;
    pl_conn c;
    init(&w, state, &config, true);
    assert_int_equal(reconnect(&w, &c, NULL), PL_EADDRINUSE);
    until(&w, w.d.now + 500 * PL_MS);
    duo_give_segment(&w.d, 1, &w.fin);    /* the wait begins anew */
    answers(&w, PL_ACK, &f);
    uint32_t last_ts = f.opts.ts_val;
    until(&w, w.d.now + 1 * PL_S);
    assert_int_equal(reconnect(&w, &c, NULL), PL_EADDRINUSE);
    uint32_t old_isn = w.nxt - 5;
    until(&w, w.d.now + 1 * PL_MS);
    assert_int_equal(reconnect(&w, &c, &old_isn), PL_EADDRINUSE);       /* a number that was used before */
    assert_int_equal(reconnect(&w, &c, NULL), PL_OK);
    answers(&w, PL_SYN, &f);
    assert_true((int32_t)(f.seq - w.nxt) > 0);
    assert_true((int32_t)(f.opts.ts_val - last_ts) > 0);
    assert_int_equal(count(&w, PL_TIME_WAIT), 0);
    assert_int_equal(pl_status(w.d.s[1], w.c, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_CLOSED);
    assert_int_equal(st.error, PL_OK);
    assert_int_equal(pl_close(w.d.s[1], w.c), PL_OK);
    struct forged reply = segment(&w, PL_SYN | PL_ACK, IRS + 9000, f.seq + 1, TS + 50);
    reply.opts.ts_ecr = f.opts.ts_val;
    duo_give_segment(&w.d, 1, &reply);
    assert_int_equal(pl_status(w.d.s[1], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_ESTABLISHED);
    duo_free(&w.d);
}

static void our_iss_lies_above_the_old_numbers(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    struct forged f;
    pl_conn c;
    init(&w, state, &config, true);
    until(&w, w.d.now + 2 * PL_S);
    uint32_t isn = w.nxt + 1;
    assert_int_equal(reconnect(&w, &c, &isn), PL_OK);
    answers(&w, PL_SYN, &f);
    assert_int_equal(f.seq, isn);
    duo_free(&w.d);
}

static void without_timestamps_connect_has_to_wait(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    pl_conn c;
    init(&w, state, &config, false);
    until(&w, w.over - 1);
    assert_int_equal(reconnect(&w, &c, NULL), PL_EADDRINUSE);
    until(&w, w.over);
    assert_int_equal(reconnect(&w, &c, NULL), PL_OK);
    assert_int_equal(reconnect(&w, &c, NULL), PL_EISCONN);              /* RFC 9293 3.10.1: "connection already exists" */
    duo_free(&w.d);
}

static void a_half_open_connection_exists_too(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    pl_conn c;
    init(&w, state, &config, true);
    reopened(&w);
    assert_int_equal(reconnect(&w, &c, NULL), PL_EISCONN);
    duo_free(&w.d);
}

/* Every port towards one server is in TIME-WAIT: the oldest of them serves again. */
static void a_chosen_port_is_a_free_one_as_long_as_there_is_one(void **state)
{
    enum { PORTS = 32768 };
    struct pl_config config = duo_config();
    struct duo d;
    config.timestamps = true;
    config.check = false;
    config.connections_max = 2, config.time_wait_max = PORTS + 1;
    duo_init(&d, &config, false);
    uint16_t first = 0;
    for (unsigned i = 0; i < PORTS; i++) {
        struct pl_connect_params p = {.remote = duo_endpoint(0, SIX(state), 80)};
        struct forged f;
        pl_conn c;
        assert_int_equal(pl_connect(d.s[1], &p, &c), PL_OK);
        assert_true(duo_take_segment(&d, 1, &f));
        first = i ? first : f.src.port;
        struct forged g = {.src = f.dst, .dst = f.src, .seq = IRS, .ack = f.seq + 1, .wnd = 9000, .flags = PL_SYN | PL_ACK,
                           .opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = TS, .ts_ecr = f.opts.ts_val}};
        duo_give_segment(&d, 1, &g);
        assert_int_equal(pl_finish(d.s[1], c), PL_OK);
        assert_true(duo_take_segment(&d, 1, &f));
        if (!(f.flags & PL_FIN))          /* the handshake's third message came first */
            assert_true(duo_take_segment(&d, 1, &f));
        g.seq = IRS + 1, g.ack = f.seq + 1, g.flags = PL_FIN | PL_ACK;
        duo_give_segment(&d, 1, &g);
        assert_int_equal(pl_close(d.s[1], c), PL_OK);
        while (duo_take_segment(&d, 1, &f)) {
        }
    }
    uint32_t n[PL_STATE_COUNT];
    pl_states(d.s[1], n);
    assert_int_equal(n[PL_TIME_WAIT], PORTS);
    struct pl_connect_params p = {.remote = duo_endpoint(0, SIX(state), 80)};
    struct forged f;
    pl_conn c;
    assert_int_equal(pl_connect(d.s[1], &p, &c), PL_EADDRNOTAVAIL);     /* within the second */
    d.now += 1001 * PL_MS;
    pl_poll(d.s[1], d.now);
    assert_int_equal(pl_connect(d.s[1], &p, &c), PL_OK);
    assert_true(duo_take_segment(&d, 1, &f));
    assert_int_equal(f.src.port, first);
    pl_states(d.s[1], n);
    assert_int_equal(n[PL_TIME_WAIT], PORTS - 1);
    duo_free(&d);
}

/* ------------------------------------------------------------ what is told of entries ------------------------------------------------------------ */

static bool has(const char *text, const char *word) { return strstr(text, word) != NULL; }

static void entries_are_listed_and_explained(void **state)
{
    struct pl_config config = duo_config();
    struct twice w;
    struct pl_entry e, last = {0};
    struct forged f;
    uint32_t cursor = 0;
    char text[600];
    init(&w, state, &config, false);
    assert_true(pl_entry_next(w.d.s[1], &cursor, &e, sizeof e));
    assert_int_equal(e.state, PL_TIME_WAIT);
    assert_int_equal(e.remote.port, HIS);
    assert_int_equal(e.local.port, 80);
    assert_true(e.until == w.over && e.handle == w.c && !e.reopens && !e.deferred);
    assert_false(pl_entry_next(w.d.s[1], &cursor, &last, sizeof last));
    until(&w, w.over - 18 * PL_S);
    assert_true(pl_explain(w.d.s[1], w.c, text, sizeof text) > 0);
    assert_true(has(text, "TIME-WAIT") && has(text, "ends in 18 s"));
    assert_true(pl_entry_explain(w.d.s[1], &e, text, sizeof text) > 0);
    assert_true(has(text, "TIME-WAIT") && has(text, "ends in 18 s"));
    for (size_t size = 1; size < 40; size++) {           /* cut, never beyond */
        memset(text, '#', sizeof text);
        assert_true(pl_explain(w.d.s[1], w.c, text, size) < (int)size);
        assert_true(text[size] == '#');
        assert_true(pl_entry_explain(w.d.s[1], &e, text, size) < (int)size);
        assert_true(text[size] == '#');
    }
    gives(&w, PL_SYN, IRS + 1000, 0, 0);
    answers(&w, PL_SYN | PL_ACK, &f);
    cursor = 0;
    assert_true(pl_entry_next(w.d.s[1], &cursor, &e, sizeof e));        /* half-open ones come first */
    assert_int_equal(e.state, PL_SYN_RECEIVED);
    assert_true(e.reopens && e.handle == w.l && e.until == w.d.now + config.rto_initial);
    assert_true(pl_entry_explain(w.d.s[1], &e, text, sizeof text) > 0);
    assert_true(has(text, "SYN-RECEIVED") && has(text, "repeated in 1 s"));
    assert_true(pl_entry_next(w.d.s[1], &cursor, &last, sizeof last));
    assert_true(last.state == PL_TIME_WAIT && last.reopens);
    assert_true(pl_entry_explain(w.d.s[1], &last, text, sizeof text) > 0);
    assert_true(has(text, "newer SYN"));
    assert_false(pl_entry_next(w.d.s[1], &cursor, &last, sizeof last));
    gives(&w, PL_RST, IRS + 1001, 0, 0);
    assert_int_equal(pl_entry_explain(w.d.s[1], &e, text, sizeof text), PL_EHANDLE);
    assert_int_equal(pl_entry_explain(w.d.s[1], NULL, text, sizeof text), PL_EINVAL);
    duo_free(&w.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_reset_proves_the_syn_old),
        BOTH(so_does_a_third_syn_in_the_window),
        BOTH(so_does_silence),
        BOTH(so_does_a_listener_that_goes),
        BOTH(the_wait_may_end_while_the_handshake_lasts),
        BOTH(the_third_message_ends_the_wait_for_good),
        BOTH(what_waits_behind_may_be_taken_away),
        BOTH(connect_may_use_the_ports_when_timestamps_tell_old_from_new),
        BOTH(our_iss_lies_above_the_old_numbers),
        BOTH(without_timestamps_connect_has_to_wait),
        BOTH(a_half_open_connection_exists_too),
        BOTH(a_chosen_port_is_a_free_one_as_long_as_there_is_one),
        BOTH(entries_are_listed_and_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
