/* SPDX-License-Identifier: MIT
 *
 * A deferred listener: RFC 9293 3.10.7.2's answer to a SYN waits for the program. Host 1 listens on port 80; the peer is played by hand, or is a stack.
 */
#include "rfc/peer.h"

enum { IRS = 7000, ISS = 100, HIS = 5000 };

struct waits {
    struct duo d;
    bool six;
    pl_listener l;
    pl_incoming in;
};

static void init(struct waits *w, void **state, const struct pl_config *config, uint32_t backlog)
{
    struct pl_listen_params p = {.local.port = 80, .backlog = backlog, .deferred = true, .cookie = 3};
    duo_init(&w->d, config, false);
    w->six = SIX(state);
    w->in = 0;
    assert_int_equal(pl_listen(w->d.s[1], &p, &w->l), PL_OK);
    assert_int_equal(pl_set(w->d.s[1], w->l, PL_OPT_ISN, ISS), PL_OK);
}

static struct forged segment(const struct waits *w, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack)
{
    return (struct forged){.src = duo_endpoint(0, w->six, port), .dst = duo_endpoint(1, w->six, 80), .seq = seq, .ack = ack, .wnd = 9000, .flags = flags};
}

static void gives(struct waits *w, uint16_t port, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct forged f = segment(w, port, flags, seq, ack);
    duo_give_segment(&w->d, 1, &f);
}

static void silent(struct waits *w)
{
    struct forged f;
    assert_false(duo_take_segment(&w->d, 1, &f));
}

static uint64_t drops(const struct waits *w, enum pl_drop drop)
{
    struct pl_counters n;
    pl_counters(w->d.s[1], &n, sizeof n);
    return n.drops[drop];
}

static unsigned half_open(const struct waits *w)
{
    uint32_t n[PL_STATE_COUNT];
    pl_states(w->d.s[1], n);
    return n[PL_SYN_RECEIVED];
}

/* A SYN arrives and is given to the program. */
static void asked(struct waits *w, void **state, const struct pl_config *config)
{
    init(w, state, config, 2);
    gives(w, HIS, PL_SYN, IRS, 0);
    assert_int_equal(pl_incoming_next(w->d.s[1], w->l, &w->in, NULL, NULL), PL_OK);
    duo_drain_events(&w->d);
}

static void until(struct waits *w, pl_time at)
{
    while (pl_deadline(w->d.s[1]) <= at) {
        w->d.now = pl_deadline(w->d.s[1]) > w->d.now ? pl_deadline(w->d.s[1]) : w->d.now;
        pl_poll(w->d.s[1], w->d.now);
        if (pl_deadline(w->d.s[1]) == 0)
            break;
    }
    w->d.now = at;
    pl_poll(w->d.s[1], at);
}

static void a_syn_is_answered_when_the_program_says_so(void **state)
{
    struct waits w;
    struct pl_endpoint local, remote, his = duo_endpoint(0, SIX(state), HIS), ours = duo_endpoint(1, SIX(state), 80);
    struct forged f;
    pl_incoming other;
    pl_conn c;
    struct pl_event e;
    init(&w, state, NULL, 0);
    pl_stack *s = w.d.s[1];
    assert_int_equal(pl_incoming_next(s, w.l, &other, NULL, NULL), PL_EAGAIN);
    gives(&w, HIS, PL_SYN, IRS, 0);
    assert_int_equal(pl_ready(s, w.l), PL_EV_INCOMING);
    assert_int_equal(duo_events(&w.d, 1, w.l), PL_EV_INCOMING);
    silent(&w);
    assert_int_equal(pl_incoming_next(s, w.l, &w.in, &local, &remote), PL_OK);
    assert_memory_equal(&local, &ours, sizeof local);
    assert_memory_equal(&remote, &his, sizeof remote);
    assert_int_equal(pl_incoming_next(s, w.l, &other, NULL, NULL), PL_EAGAIN);
    for (unsigned i = 1; i <= 4; i++) {   /* the peer repeats itself */
        until(&w, w.d.now + i * PL_S);
        gives(&w, HIS, PL_SYN, IRS, 0);
        assert_int_equal(drops(&w, PL_DROP_TCP_DEFERRED), i);
        silent(&w);
    }
    assert_int_equal(duo_events(&w.d, 1, w.l), 0);
    assert_int_equal(pl_incoming_accept(s, w.in, 4711), PL_OK);
    assert_true(duo_take_segment(&w.d, 1, &f));
    assert_int_equal(f.flags, PL_SYN | PL_ACK);
    assert_int_equal(f.seq, ISS);
    assert_int_equal(f.ack, IRS + 1);
    silent(&w);
    assert_int_equal(pl_incoming_accept(s, w.in, 1), PL_EHANDLE);
    assert_int_equal(pl_incoming_refuse(s, w.in, PL_REFUSE_RESET), PL_EHANDLE);
    assert_int_equal(pl_close(s, w.in), PL_EHANDLE);
    until(&w, w.d.now + 1 * PL_S - 1);
    silent(&w);
    until(&w, w.d.now + 1);               /* from here on it is as any other: repeated after the first RTO, and to a repeated SYN */
    assert_true(duo_take_segment(&w.d, 1, &f));
    gives(&w, HIS, PL_SYN, IRS, 0);
    assert_true(duo_take_segment(&w.d, 1, &f));
    assert_int_equal(f.flags, PL_SYN | PL_ACK);
    gives(&w, HIS, PL_ACK, IRS + 1, ISS + 1);
    assert_int_equal(pl_accept(s, w.l, &c, &remote), PL_OK);
    assert_memory_equal(&remote, &his, sizeof remote);
    duo_drain_events(&w.d);
    f = segment(&w, HIS, PL_ACK | PL_PSH, IRS + 1, ISS + 1);
    f.text_bytes = 10;
    duo_give_segment(&w.d, 1, &f);
    assert_true(pl_event_next(s, &e));
    assert_true(e.handle == c && e.cookie == 4711 && e.bits & PL_EV_READABLE);
    duo_free(&w.d);
}

static void the_oldest_comes_first_and_any_may_be_decided_first(void **state)
{
    struct waits w;
    struct pl_endpoint remote;
    struct forged f;
    pl_incoming in[3];
    init(&w, state, NULL, 3);
    for (uint16_t i = 0; i < 3; i++)
        gives(&w, (uint16_t)(HIS + i), PL_SYN, IRS + i, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(duo_events(&w.d, 1, w.l), PL_EV_INCOMING);    /* again for each that is left */
        assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &in[i], NULL, &remote), PL_OK);
        assert_int_equal(remote.port, HIS + i);
    }
    assert_int_equal(duo_events(&w.d, 1, w.l), 0);
    for (unsigned i = 3; i-- > 0;) {
        assert_int_equal(pl_incoming_accept(w.d.s[1], in[i], 0), PL_OK);
        assert_true(duo_take_segment(&w.d, 1, &f));
        assert_int_equal(f.dst.port, HIS + i);
    }
    duo_free(&w.d);
}

/* The client is a stack: what reaches its program is the proof that the refusal quotes and acknowledges the right numbers. */
static void each_refusal_reaches_the_program_that_asked(void **state)
{
    static const struct { enum pl_refusal how; int error; } rows[] = {
        {PL_REFUSE_RESET, PL_ECONNREFUSED}, {PL_REFUSE_HOST_UNREACHABLE, PL_EHOSTUNREACH}, {PL_REFUSE_NET_UNREACHABLE, PL_ENETUNREACH},
        {PL_REFUSE_PROHIBITED, PL_EHOSTUNREACH}, {PL_REFUSE_SILENTLY, PL_OK},
    };
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct waits w;
        init(&w, state, NULL, 0);
        pl_conn c = duo_connect(&w.d, 0, w.six, 80);
        duo_exchange(&w.d);
        assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_OK);
        assert_int_equal(pl_incoming_refuse(w.d.s[1], w.in, (enum pl_refusal)5), PL_EINVAL);
        assert_int_equal(pl_incoming_refuse(w.d.s[1], w.in, rows[i].how), PL_OK);
        assert_int_equal(half_open(&w), 0);
        duo_exchange(&w.d);
        if (pl_error(w.d.s[0], c) != rows[i].error)
            fail_msg("refusal %d: %s", rows[i].how, pl_error_name(pl_error(w.d.s[0], c)));
        assert_int_equal(pl_incoming_accept(w.d.s[1], w.in, 0), PL_EHANDLE);
        assert_int_equal(duo_events(&w.d, 1, w.l), PL_EV_INCOMING);    /* not withdrawn: the program knows */
        if (rows[i].how == PL_REFUSE_SILENTLY) {                       /* and the next SYN asks again */
            duo_run(&w.d, 1 * PL_S);
            assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_OK);
        }
        duo_free(&w.d);
    }
}

/* RFC 792; RFC 4443 3.1: type, code, what is quoted; RFC 9293 3.10.7.1: the reset. */
static void what_a_refusal_looks_like(void **state)
{
    static const uint8_t code[][2] = {[PL_REFUSE_HOST_UNREACHABLE] = {1, 3}, [PL_REFUSE_NET_UNREACHABLE] = {0, 0}, [PL_REFUSE_PROHIBITED] = {13, 1}};
    for (enum pl_refusal how = PL_REFUSE_RESET; how <= PL_REFUSE_PROHIBITED; how++) {
        struct waits w;
        struct forged f;
        uint8_t frame[DUO_FRAME_BYTES];
        asked(&w, state, NULL);
        assert_int_equal(pl_incoming_refuse(w.d.s[1], w.in, how), PL_OK);
        size_t n = duo_take(&w.d, 1, frame), head = w.six ? 40 : 20;
        if (how == PL_REFUSE_RESET) {
            assert_true(forge_read(frame, n, &f));
            assert_int_equal(f.flags, PL_RST | PL_ACK);
            assert_int_equal(f.seq, 0);
            assert_int_equal(f.ack, IRS + 1);
        } else {
            assert_int_equal(n, head + 8 + head + 20);
            assert_int_equal(frame[head], w.six ? 1 : 3);
            assert_int_equal(frame[head + 1], code[how][w.six]);
            memset(&f, 0, sizeof f);
            assert_false(forge_read(frame + head + 8, head + 20, &f));     /* it has no checksum, but all fields */
            assert_int_equal(f.src.port, HIS);
            assert_int_equal(f.dst.port, 80);
            assert_int_equal(f.seq, IRS);
        }
        silent(&w);
        duo_free(&w.d);
    }
}

/* As many as the backlog; the next is dropped by name and never answered with a cookie. */
static void a_full_backlog_takes_no_more_and_sends_no_cookie(void **state)
{
    struct waits w;
    pl_incoming in;
    init(&w, state, NULL, 2);
    for (uint16_t i = 0; i < 4; i++)
        gives(&w, (uint16_t)(HIS + i), PL_SYN, IRS, 0);
    assert_int_equal(half_open(&w), 2);
    assert_int_equal(drops(&w, PL_DROP_TCP_BACKLOG), 2);
    assert_int_equal(drops(&w, PL_DROP_TCP_COOKIE_SENT), 0);
    silent(&w);
    assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &in, NULL, NULL), PL_OK);
    assert_int_equal(pl_incoming_refuse(w.d.s[1], in, PL_REFUSE_SILENTLY), PL_OK);
    gives(&w, HIS + 2, PL_SYN, IRS, 0);
    assert_int_equal(half_open(&w), 2);
    duo_free(&w.d);
}

static void what_is_not_decided_in_time_is_let_go(void **state)
{
    struct pl_config config = duo_config();
    for (unsigned given = 0; given < 2; given++) {
        struct waits w;
        config.deferred_timeout = given ? 7 * PL_S : 30 * PL_S;
        init(&w, state, &config, 2);
        gives(&w, HIS, PL_SYN, IRS, 0);
        if (given)
            assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_OK);
        duo_drain_events(&w.d);
        pl_time end = w.d.now + config.deferred_timeout;
        until(&w, end - 2);
        gives(&w, HIS, PL_SYN, IRS, 0);   /* a repeated SYN gains it no time */
        until(&w, end - 1);
        assert_int_equal(half_open(&w), 1);
        until(&w, end);
        assert_int_equal(half_open(&w), 0);
        assert_int_equal(duo_events(&w.d, 1, w.l), given ? PL_EV_WITHDRAWN : 0);
        if (given)
            assert_int_equal(pl_incoming_accept(w.d.s[1], w.in, 0), PL_EHANDLE);
        assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_EAGAIN);
        silent(&w);
        assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
        assert_null(block_is_empty(w.d.s[1]));
        duo_free(&w.d);
    }
}

/* RFC 9293 3.10.7.4 second, RFC 5961 3.2: the peer's own reset withdraws it; a guess does not. */
static void a_reset_withdraws_it(void **state)
{
    struct waits w;
    struct forged f;
    asked(&w, state, NULL);
    gives(&w, HIS, PL_RST, IRS, 0);
    silent(&w);
    gives(&w, HIS, PL_RST, IRS + 2, 0);
    assert_true(duo_take_segment(&w.d, 1, &f));          /* inside the window: challenged, with the number before our SYN, which was not sent */
    assert_int_equal(f.flags, PL_ACK);
    assert_int_equal(f.seq, ISS);
    assert_int_equal(f.ack, IRS + 1);
    assert_int_equal(half_open(&w), 1);
    gives(&w, HIS, PL_RST, IRS + 1, 0);
    assert_int_equal(half_open(&w), 0);
    assert_int_equal(duo_events(&w.d, 1, w.l), PL_EV_WITHDRAWN);
    assert_int_equal(pl_incoming_refuse(w.d.s[1], w.in, PL_REFUSE_RESET), PL_EHANDLE);
    silent(&w);
    duo_free(&w.d);
}

/* RFC 9293 3.10.7.4 first and fourth: a peer that has begun anew, with a number outside or inside the window. */
static void another_syn_is_judged_as_in_syn_received(void **state)
{
    struct waits w;
    struct forged f;
    asked(&w, state, NULL);
    gives(&w, HIS, PL_SYN, IRS - 100000, 0);
    assert_true(duo_take_segment(&w.d, 1, &f));
    assert_int_equal(f.flags, PL_ACK);
    assert_int_equal(f.ack, IRS + 1);
    gives(&w, HIS, PL_RST, f.ack, 0);     /* so the peer finds out, and resets what is old: RFC 9293 3.5.1 */
    assert_int_equal(half_open(&w), 0);
    gives(&w, HIS, PL_SYN, IRS - 100000, 0);
    assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_OK);
    gives(&w, HIS, PL_SYN, IRS - 100000 + 5, 0);
    assert_int_equal(drops(&w, PL_DROP_TCP_SYN_RETURNED), 1);
    assert_int_equal(half_open(&w), 0);
    silent(&w);
    duo_free(&w.d);
}

/* Nothing was sent, so nothing can be acknowledged, not even by a lucky guess: RFC 9293 3.10.7.4 fifth. */
static void an_acknowledgement_opens_nothing(void **state)
{
    for (uint32_t ack = ISS; ack <= ISS + 2; ack++) {
        struct waits w;
        struct forged f;
        pl_conn c;
        asked(&w, state, NULL);
        gives(&w, HIS, PL_ACK, IRS + 1, ack);
        assert_true(duo_take_segment(&w.d, 1, &f));
        assert_int_equal(f.flags, PL_RST);
        assert_int_equal(f.seq, ack);
        assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_EAGAIN);
        assert_int_equal(half_open(&w), 1);
        duo_free(&w.d);
    }
}

static void a_listener_that_goes_resets_what_waits(void **state)
{
    struct waits w;
    struct forged f;
    asked(&w, state, NULL);
    gives(&w, HIS + 1, PL_SYN, IRS, 0);   /* not given yet */
    assert_int_equal(pl_close(w.d.s[1], w.l), PL_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(duo_take_segment(&w.d, 1, &f));
        assert_int_equal(f.flags, PL_RST | PL_ACK);
        assert_int_equal(f.ack, IRS + 1);
    }
    silent(&w);
    assert_int_equal(pl_incoming_accept(w.d.s[1], w.in, 0), PL_EHANDLE);
    assert_null(block_is_empty(w.d.s[1]));
    duo_free(&w.d);
}

static void closing_the_handle_refuses_by_reset(void **state)
{
    struct waits w;
    struct forged f;
    asked(&w, state, NULL);
    assert_int_equal(pl_close(w.d.s[1], w.in), PL_OK);
    assert_true(duo_take_segment(&w.d, 1, &f));
    assert_int_equal(f.flags, PL_RST | PL_ACK);
    assert_int_equal(pl_close(w.d.s[1], w.in), PL_EHANDLE);
    duo_free(&w.d);
}

/* What the SYN agreed to is remembered until the answer. */
static void the_options_of_the_syn_are_agreed_when_it_is_answered(void **state)
{
    struct pl_config config = duo_config();
    struct waits w;
    struct forged f;
    pl_conn c;
    struct pl_tcp_status st;
    config.timestamps = true;
    init(&w, state, &config, 0);
    f = segment(&w, HIS, PL_SYN, IRS, 0);
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE | WIRE_OPT_TIMESTAMPS | WIRE_OPT_SACK_PERMITTED, .mss = 1234, .wscale = 5, .ts_val = 77};
    duo_give_segment(&w.d, 1, &f);
    assert_int_equal(pl_incoming_next(w.d.s[1], w.l, &w.in, NULL, NULL), PL_OK);
    until(&w, w.d.now + 20 * PL_S);
    assert_int_equal(pl_incoming_accept(w.d.s[1], w.in, 0), PL_OK);
    assert_true(duo_take_segment(&w.d, 1, &f));
    assert_int_equal(f.opts.have, WIRE_OPT_MSS | WIRE_OPT_WSCALE | WIRE_OPT_TIMESTAMPS | WIRE_OPT_SACK_PERMITTED);
    assert_int_equal(f.opts.ts_ecr, 77);
    w.d.now += 40 * PL_MS;
    uint32_t ts = f.opts.ts_val;
    f = segment(&w, HIS, PL_ACK, IRS + 1, ISS + 1);
    f.wnd = 100;
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = 20100, .ts_ecr = ts};
    duo_give_segment(&w.d, 1, &f);
    assert_int_equal(pl_accept(w.d.s[1], w.l, &c, NULL), PL_OK);
    assert_int_equal(pl_status(w.d.s[1], c, &st, sizeof st), PL_OK);
    assert_int_equal(st.peer_mss, 1234);
    assert_int_equal(st.snd.wnd, 100 << 5);
    assert_true(st.timestamps && st.sack);
    assert_int_equal(st.srtt, 40 * PL_MS);               /* of the SYN-ACK's round trip, not of the program's thinking */
    duo_free(&w.d);
}

static void calls_that_do_not_fit(void **state)
{
    struct waits w;
    pl_incoming in;
    init(&w, state, NULL, 0);
    pl_listener plain = duo_listen(&w.d, 1, 81, 0);
    assert_int_equal(pl_incoming_next(w.d.s[1], plain, &in, NULL, NULL), PL_EINVAL);
    assert_int_equal(pl_incoming_next(w.d.s[1], w.l, NULL, NULL, NULL), PL_EINVAL);
    assert_int_equal(pl_incoming_next(w.d.s[1], 0, &in, NULL, NULL), PL_EHANDLE);
    assert_int_equal(pl_incoming_accept(w.d.s[1], w.l, 0), PL_EHANDLE);
    assert_int_equal(pl_incoming_refuse(w.d.s[1], 0, PL_REFUSE_RESET), PL_EHANDLE);
    duo_free(&w.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_syn_is_answered_when_the_program_says_so),
        BOTH(the_oldest_comes_first_and_any_may_be_decided_first),
        BOTH(each_refusal_reaches_the_program_that_asked),
        BOTH(what_a_refusal_looks_like),
        BOTH(a_full_backlog_takes_no_more_and_sends_no_cookie),
        BOTH(what_is_not_decided_in_time_is_let_go),
        BOTH(a_reset_withdraws_it),
        BOTH(another_syn_is_judged_as_in_syn_received),
        BOTH(an_acknowledgement_opens_nothing),
        BOTH(a_listener_that_goes_resets_what_waits),
        BOTH(closing_the_handle_refuses_by_reset),
        BOTH(the_options_of_the_syn_are_agreed_when_it_is_answered),
        BOTH(calls_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
