/* SPDX-License-Identifier: MIT
 *
 * m15_calls.c: mission M15: the program's calls drive the connection, and each state is visible to it: the effect of every call in every
 * state (RFC 9293 3.10.1 to 3.10.6), the events, pl_status and pl_explain.
 */
#include "mission/mission.h"

enum where {
    AT_SYN_SENT, AT_SYN_RECEIVED, AT_ESTABLISHED, AT_FIN_WAIT_1, AT_FIN_WAIT_2, AT_CLOSE_WAIT, AT_CLOSING, AT_LAST_ACK, AT_TIME_WAIT,
    AT_CLOSED, AT_RESET, AT_REFUSED, AT_ABORTED, WHERES
};

static struct program_plan keeper(void)
{
    struct program_plan p = plan_hold();
    p.keep_handle = true;
    p.paused = true;                                                   /* the test makes all calls */
    return p;
}

static struct program_conn *established(struct pair *p, void **state, struct program_conn **server)
{
    mission_start(p, state, NULL, NULL);
    struct program_conn *c = mission_establish(p, server);
    c->plan = (*server)->plan = keeper();
    return c;
}

static struct program_conn *opening(struct pair *p, void **state, enum where w)
{
    mission_start(p, state, NULL, NULL);
    p->link->down = w != AT_REFUSED;
    struct program_conn *c = pair_connect(p, 80, keeper());
    assert_non_null(c);
    if (w == AT_SYN_RECEIVED) pair_forge(p, PAIR_SERVER, &(struct pair_forged){p->port, 80, PL_SYN, 300, 0, 1000, NULL, 0}, 5 * PL_MS);
    RUN_FOR(p, 50 * PL_MS);
    return c;
}

/* A client's connection brought to that place, by calls and segments alone. */
static struct program_conn *bring(struct pair *p, void **state, enum where w)
{
    if (w == AT_SYN_SENT || w == AT_SYN_RECEIVED || w == AT_REFUSED) return opening(p, state, w);
    struct program_conn *s, *c = established(p, state, &s);
    bool peer_first = w == AT_CLOSE_WAIT || w == AT_LAST_ACK || w == AT_CLOSED || w == AT_CLOSING;
    bool finishes = w == AT_FIN_WAIT_1 || w == AT_FIN_WAIT_2 || w == AT_TIME_WAIT || w == AT_LAST_ACK || w == AT_CLOSED || w == AT_CLOSING;
    if (w == AT_RESET) assert_int_equal(program_abort(s), 0);
    if (w == AT_ABORTED) assert_int_equal(program_abort(c), 0);
    if (peer_first) assert_int_equal(program_finish(s), 0);
    if (w != AT_CLOSING) RUN_FOR(p, 50 * PL_MS);
    p->link->down = w == AT_FIN_WAIT_1 || w == AT_LAST_ACK;
    if (finishes) assert_int_equal(program_finish(c), 0);
    RUN_FOR(p, w == AT_CLOSING ? 15 * PL_MS : 50 * PL_MS);
    if (w == AT_TIME_WAIT) {
        assert_int_equal(program_finish(s), 0);
        RUN_FOR(p, 50 * PL_MS);
    }
    return c;
}

static const struct row {
    enum pl_state state;
    int error;
    int send, recv, finish, abort;        /* what pl_send of one byte, pl_recv, pl_finish and pl_abort give there */
    bool resets;                          /* pl_abort sends a RST */
    uint32_t ready;                       /* bits of pl_ready, but for PL_EV_CONNECTED */
    uint32_t told;                        /* bits of the events so far */
} rows[WHERES] = {
#define W PL_EV_WRITABLE
#define END (PL_EV_READABLE | PL_EV_PEER_FINISHED)
#define FAILED (PL_EV_READABLE | PL_EV_WRITABLE | PL_EV_ERROR | PL_EV_CLOSED)
    [AT_SYN_SENT] = {PL_SYN_SENT, 0, 1, PL_EAGAIN, 0, 0, false, W, 0},
    [AT_SYN_RECEIVED] = {PL_SYN_RECEIVED, 0, 1, PL_EAGAIN, 0, 0, true, W, 0},
    [AT_ESTABLISHED] = {PL_ESTABLISHED, 0, 1, PL_EAGAIN, 0, 0, true, W, PL_EV_CONNECTED},
    [AT_FIN_WAIT_1] = {PL_FIN_WAIT_1, 0, PL_EPIPE, PL_EAGAIN, PL_ECLOSING, 0, true, W, PL_EV_CONNECTED},
    [AT_FIN_WAIT_2] = {PL_FIN_WAIT_2, 0, PL_EPIPE, PL_EAGAIN, PL_ECLOSING, 0, true, W, PL_EV_CONNECTED},
    [AT_CLOSE_WAIT] = {PL_CLOSE_WAIT, 0, 1, 0, 0, 0, true, W | END, PL_EV_CONNECTED | END},
    [AT_CLOSING] = {PL_CLOSING, 0, PL_EPIPE, 0, PL_ECLOSING, 0, false, W | END, PL_EV_CONNECTED | END},
    [AT_LAST_ACK] = {PL_LAST_ACK, 0, PL_EPIPE, 0, PL_ECLOSING, 0, false, W | END, PL_EV_CONNECTED | END},
    [AT_TIME_WAIT] = {PL_TIME_WAIT, 0, PL_EPIPE, 0, PL_ECLOSING, 0, false, W | END | PL_EV_CLOSED, PL_EV_CONNECTED | END | PL_EV_CLOSED},
    [AT_CLOSED] = {PL_CLOSED, 0, PL_EPIPE, 0, PL_ECLOSING, PL_ENOTCONN, false, W | END | PL_EV_CLOSED,
        PL_EV_CONNECTED | END | PL_EV_CLOSED},
    [AT_RESET] = {PL_CLOSED, PL_ECONNRESET, PL_ECONNRESET, PL_ECONNRESET, PL_ECONNRESET, PL_ECONNRESET, false, FAILED,
        PL_EV_CONNECTED | PL_EV_ERROR | PL_EV_CLOSED},
    [AT_REFUSED] = {PL_CLOSED, PL_ECONNREFUSED, PL_ECONNREFUSED, PL_ECONNREFUSED, PL_ECONNREFUSED, PL_ECONNREFUSED, false, FAILED,
        PL_EV_ERROR | PL_EV_CLOSED},
    [AT_ABORTED] = {PL_CLOSED, PL_ECONNABORTED, PL_ECONNABORTED, PL_ECONNABORTED, PL_ECONNABORTED, PL_ECONNABORTED, false, FAILED,
        PL_EV_CONNECTED},
};

static void each_state_is_visible_to_the_program(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        char text[400], begin[40];
        struct program_conn *c = bring(&p, state, (enum where)w);
        const struct row *r = &rows[w];
        struct pl_tcp_status s = mission_status(c);
        assert_string_equal(pl_state_name(s.state), pl_state_name(r->state));
        assert_int_equal(s.error, r->error);
        assert_int_equal(pl_error(STACK(c), c->handle), r->error);
        assert_int_equal(pl_ready(STACK(c), c->handle) & ~(uint32_t)PL_EV_CONNECTED, r->ready);
        assert_int_equal(c->seen_bits & r->told, r->told);
        if (!(r->told & PL_EV_CLOSED) && w != AT_ABORTED) assert_int_equal(c->seen_bits & (PL_EV_CLOSED | PL_EV_ERROR), 0);
        if (!(r->told & PL_EV_PEER_FINISHED)) assert_int_equal(c->seen_bits & PL_EV_PEER_FINISHED, 0);
        assert_int_equal(s.local.port, p.port);
        assert_int_equal(s.remote.port, 80);
        assert_memory_equal(s.remote.addr.b, (SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4)[1].b, 16);
        assert_true(s.owned);
        snprintf(begin, sizeof begin, "%s: ", pl_state_name(r->state));
        int n = pl_explain(STACK(c), c->handle, text, sizeof text);
        assert_true(n > (int)strlen(begin) && strlen(text) == (size_t)n);
        assert_memory_equal(text, begin, strlen(begin));
        if (r->error) assert_non_null(strstr(text, pl_strerror(r->error)));
        pair_free(&p);
    }
}

static void send_in_each_state(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        struct pl_span span;
        struct program_conn *c = bring(&p, state, (enum where)w);
        assert_int_equal(pl_send(STACK(c), c->handle, "x", 1), rows[w].send);
        assert_int_equal(pl_send_reserve(STACK(c), c->handle, 10, &span), rows[w].send == 1 ? 0 : rows[w].send);
        assert_true((span.len > 0) == (rows[w].send == 1));
        assert_int_equal(mission_status(c).state, rows[w].state);
        assert_int_equal(mission_status(c).sndbuf_used, rows[w].send == 1 || w == AT_FIN_WAIT_1 ? rows[w].send == 1 : 0);
        pair_free(&p);
    }
}

static void receive_in_each_state(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        char byte;
        struct pl_span span[2];
        struct program_conn *c = bring(&p, state, (enum where)w);
        assert_int_equal(pl_recv(STACK(c), c->handle, &byte, 1), rows[w].recv);
        assert_int_equal(pl_recv_peek(STACK(c), c->handle, span, 2), rows[w].recv);
        assert_int_equal(pl_recv_consume(STACK(c), c->handle, 1), PL_EINVAL);
        pair_free(&p);
    }
}

static void finish_in_each_state(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        struct program_conn *c = bring(&p, state, (enum where)w);
        assert_int_equal(pl_finish(STACK(c), c->handle), rows[w].finish);
        if (rows[w].finish == 0) {
            enum pl_state now = mission_status(c).state;
            assert_int_equal(now, w == AT_ESTABLISHED ? PL_FIN_WAIT_1 : w == AT_CLOSE_WAIT ? PL_LAST_ACK : rows[w].state);
            assert_int_equal(pl_finish(STACK(c), c->handle), PL_ECLOSING);
            assert_int_equal(pl_send(STACK(c), c->handle, "x", 1), PL_EPIPE);
        }
        pair_free(&p);
    }
}

static void abort_in_each_state(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        struct program_conn *c = bring(&p, state, (enum where)w);
        size_t from = p.segments, resets = 0;
        assert_int_equal(pl_abort(STACK(c), c->handle), rows[w].abort);
        assert_int_equal(mission_status(c).state, PL_CLOSED);
        RUN_FOR(&p, 1 * PL_MS);
        for (size_t i = from; i < p.segments; i++)
            resets += p.segment[i].from == PAIR_CLIENT && p.segment[i].flags & PL_RST;
        assert_int_equal(resets, rows[w].resets);
        if (rows[w].resets) assert_int_equal(mission_last(&p, PAIR_CLIENT)->seq, mission_status(c).snd.nxt);
        uint32_t n[PL_STATE_COUNT];
        pl_states(STACK(c), n);
        for (unsigned s = 0; s < PL_STATE_COUNT; s++)
            assert_int_equal(n[s], 0);
        assert_int_equal(pl_close(STACK(c), c->handle), 0);            /* the handle stays until here */
        c->handle = 0;
        pair_free(&p);
    }
}

static void close_gives_the_handle_back_in_each_state(void **state)
{
    for (int w = 0; w < WHERES; w++) {
        struct pair p;
        char text[8];
        struct pl_span span;
        struct pl_tcp_status s;
        int64_t v;
        struct program_conn *c = bring(&p, state, (enum where)w);
        pl_conn h = c->handle;
        pl_stack *k = STACK(c);
        assert_int_equal(program_close(c), 0);
        assert_int_equal(pl_close(k, h), PL_EHANDLE);
        assert_int_equal(pl_send(k, h, "x", 1), PL_EHANDLE);
        assert_int_equal(pl_recv(k, h, text, 1), PL_EHANDLE);
        assert_int_equal(pl_send_reserve(k, h, 1, &span), PL_EHANDLE);
        assert_int_equal(pl_send_commit(k, h, 1), PL_EHANDLE);
        assert_int_equal(pl_recv_peek(k, h, &span, 1), PL_EHANDLE);
        assert_int_equal(pl_recv_consume(k, h, 1), PL_EHANDLE);
        assert_int_equal(pl_finish(k, h), PL_EHANDLE);
        assert_int_equal(pl_abort(k, h), PL_EHANDLE);
        assert_int_equal(pl_status(k, h, &s, sizeof s), PL_EHANDLE);
        assert_int_equal(pl_error(k, h), PL_EHANDLE);
        assert_int_equal(pl_explain(k, h, text, sizeof text), PL_EHANDLE);
        assert_int_equal(pl_set(k, h, PL_OPT_NODELAY, 1), PL_EHANDLE);
        assert_int_equal(pl_get(k, h, PL_OPT_NODELAY, &v), PL_EHANDLE);
        assert_int_equal(pl_set_cookie(k, h, 1), PL_EHANDLE);
        assert_int_equal(pl_ready(k, h), 0);
        /* a stranger's handle does not work either, and the old one stays dead when its slot is used again */
        assert_int_equal(pl_send(k, 12345, "x", 1), PL_EHANDLE);
        assert_non_null(pair_connect(&p, 81, keeper()));
        assert_int_equal(pl_send(k, h, "x", 1), PL_EHANDLE);
        p.link->down = false;
        RUN(&p);
        assert_null(sim_failure(p.sim));                               /* no event for it was told */
        pair_free(&p);
    }
}

/* -------------------- opening -------------------- */

static void connect_says_what_is_wrong(void **state)
{
    struct pair p;
    struct pl_connect_params c = {0};
    pl_conn h, first;
    mission_start(&p, state, NULL, NULL);
    pl_stack *k = p.node[PAIR_CLIENT]->stack;
    const struct pl_addr *a = SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4;
    c.remote.addr = a[1];
    assert_int_equal(pl_connect(k, &c, &h), PL_EINVAL);                /* port 0 */
    c.remote.port = 80;
    assert_int_equal(pl_connect(k, NULL, &h), PL_EINVAL);
    assert_int_equal(pl_connect(k, &c, NULL), PL_EINVAL);
    memset(&c.remote.addr, 0, sizeof c.remote.addr);
    assert_int_equal(pl_connect(k, &c, &h), PL_EADDRINVALID);          /* MUST-46 */
    assert_int_equal(pl_addr_parse(SIX(state) ? "ff02::1" : "224.0.0.1", &c.remote.addr), 0);
    assert_int_equal(pl_connect(k, &c, &h), PL_EADDRINVALID);
    if (!SIX(state)) {
        assert_int_equal(pl_addr_parse("255.255.255.255", &c.remote.addr), 0);
        assert_int_equal(pl_connect(k, &c, &h), PL_EADDRINVALID);
        assert_int_equal(pl_addr_parse("192.0.2.255", &c.remote.addr), 0);
        assert_int_equal(pl_connect(k, &c, &h), PL_EADDRINVALID);
    }
    assert_int_equal(pl_addr_parse(SIX(state) ? "2001:db8:ffff::1" : "198.51.100.1", &c.remote.addr), 0);
    assert_int_equal(pl_connect(k, &c, &h), PL_ENETUNREACH);
    c.remote.addr = a[1];
    c.local.addr = a[1];
    assert_int_equal(pl_connect(k, &c, &h), PL_EADDRNOTAVAIL);         /* not ours */
    c.local.addr = a[0];
    c.local.port = 4000;
    assert_int_equal(pl_connect(k, &c, &first), 0);
    assert_int_equal(pl_connect(k, &c, &h), PL_EISCONN);               /* the same connection twice: RFC 9293 3.10.1 */
    c.remote.port = 81;
    assert_int_equal(pl_connect(k, &c, &h), 0);                        /* the same port to another: that is another one */
    assert_int_equal(pl_close(k, h), 0);
    assert_int_equal(pl_close(k, first), 0);
    mission_assert_clean(&p, PAIR_CLIENT);
    pair_free(&p);
}

static void two_connections(struct pl_config *c, enum pair_side side, void *user)
{
    (void)user;
    if (side == PAIR_CLIENT) c->connections_max = 2;
}

static void connect_says_when_no_slot_is_free_and_a_closed_one_is_free_again(void **state)
{
    struct pair p;
    struct pl_connect_params c = {.remote.port = 80};
    pl_conn h[3];
    mission_start(&p, state, two_connections, NULL);
    pl_stack *k = p.node[PAIR_CLIENT]->stack;
    c.remote.addr = (SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4)[1];
    assert_int_equal(pl_connect(k, &c, &h[0]), 0);
    assert_int_equal(pl_connect(k, &c, &h[1]), 0);
    assert_int_equal(pl_connect(k, &c, &h[2]), PL_ENOMEM);
    assert_int_equal(pl_close(k, h[0]), 0);
    assert_int_equal(pl_connect(k, &c, &h[2]), 0);
    assert_true(h[2] != h[0]);
    pair_free(&p);
}

static void connect_chooses_address_and_port_itself(void **state)
{
    struct pair p;
    struct pl_connect_params c = {.remote.port = 80};
    struct pl_tcp_status s;
    pl_conn h[8];
    mission_start(&p, state, NULL, NULL);
    pl_stack *k = p.node[PAIR_CLIENT]->stack;
    const struct pl_addr *a = SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4;
    c.remote.addr = a[1];
    uint16_t port[8];
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(pl_connect(k, &c, &h[i]), 0);
        assert_int_equal(pl_status(k, h[i], &s, sizeof s), 0);
        assert_memory_equal(s.local.addr.b, a[0].b, 16);               /* MUST-44 */
        port[i] = s.local.port;
        assert_true(port[i] >= 1024);
        for (unsigned j = 0; j < i; j++)
            assert_true(port[i] != port[j]);
    }
    pair_free(&p);
}

static void listen_and_accept_say_what_is_wrong(void **state)
{
    struct pair p;
    struct pl_listen_params l = {0};
    struct pl_endpoint from;
    pl_listener h, h2;
    pl_conn c;
    mission_start(&p, state, NULL, NULL);
    pl_stack *k = p.node[PAIR_SERVER]->stack;
    const struct pl_addr *a = SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4;
    assert_int_equal(pl_listen(k, &l, &h), PL_EINVAL);                 /* port 0 */
    l.local.port = 80;
    l.local.addr = a[0];
    assert_int_equal(pl_listen(k, &l, &h), PL_EADDRNOTAVAIL);          /* the client's address */
    l.local.addr = a[1];
    assert_int_equal(pl_listen(k, &l, &h), 0);
    assert_int_equal(pl_listen(k, &l, &h2), PL_EADDRINUSE);
    assert_int_equal(pl_accept(k, h, &c, &from), PL_EAGAIN);
    assert_int_equal(pl_accept(k, 999, &c, &from), PL_EHANDLE);
    assert_int_equal(pl_send(k, h, "x", 1), PL_EHANDLE);               /* a listener is no connection */
    assert_int_equal(pl_finish(k, h), PL_EHANDLE);
    assert_int_equal(pl_close(k, h), 0);
    assert_int_equal(pl_accept(k, h, &c, &from), PL_EHANDLE);
    assert_int_equal(pl_listen(k, &l, &h2), 0);                        /* the port is free again */
    assert_true(h2 != h);
    pair_free(&p);
}

static void accept_returns_after_the_handshake_with_the_oldest_first(void **state)
{
    struct pair p;
    struct pl_listen_params l = {.local.port = 80, .cookie = 77};
    pl_listener h;
    pl_conn c;
    struct pl_endpoint from;
    mission_start(&p, state, NULL, NULL);
    pl_stack *k = p.node[PAIR_SERVER]->stack;
    p.node[PAIR_SERVER]->on_event = NULL;
    assert_int_equal(pl_listen(k, &l, &h), 0);
    assert_int_equal(pl_ready(k, h), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(pair_connect(&p, 80, keeper()));
        RUN_FOR(&p, 29 * PL_MS);
        assert_int_equal(pl_ready(k, h), i ? PL_EV_ACCEPTABLE : 0);    /* the third message arrives after 30 ms */
        RUN_FOR(&p, 1 * PL_MS);
        assert_int_equal(pl_ready(k, h), PL_EV_ACCEPTABLE);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pl_accept(k, h, &c, &from), 0);
        assert_int_equal(from.port, 49152 + i);
        assert_memory_equal(from.addr.b, (SIX(state) ? p.opts.hosts.v6 : p.opts.hosts.v4)[0].b, 16);
    }
    assert_int_equal(pl_accept(k, h, &c, &from), PL_EAGAIN);
    assert_int_equal(pl_ready(k, h), 0);
    pair_free(&p);
}

static void closing_a_listener_resets_what_waits_on_it(void **state)
{
    struct pair p;
    struct pl_listen_params l = {.local.port = 80};
    pl_listener h;
    mission_start(&p, state, NULL, NULL);
    p.node[PAIR_SERVER]->on_event = NULL;
    assert_int_equal(pl_listen(p.node[PAIR_SERVER]->stack, &l, &h), 0);
    struct program_conn *done = pair_connect(&p, 80, keeper());
    RUN_FOR(&p, 50 * PL_MS);
    struct program_conn *half = pair_connect(&p, 80, keeper());
    RUN_FOR(&p, 15 * PL_MS);                                           /* in SYN-RECEIVED */
    assert_int_equal(pl_close(p.node[PAIR_SERVER]->stack, h), 0);
    RUN(&p);
    assert_int_equal(done->error, PL_ECONNRESET);
    assert_true(half->error == PL_ECONNRESET || half->error == PL_ECONNREFUSED);
    uint32_t n[PL_STATE_COUNT];
    pl_states(p.node[PAIR_SERVER]->stack, n);
    for (unsigned s = 0; s < PL_STATE_COUNT; s++)
        assert_int_equal(n[s], 0);
    pair_free(&p);
}

static void data_queued_before_the_connection_stands_goes_with_the_third_message(void **state)
{
    struct pair p;
    mission_start(&p, state, NULL, NULL);
    assert_int_equal(pair_listen(&p, 80, plan_sink(0)), 0);
    struct program_conn *c = pair_connect(&p, 80, keeper());
    assert_int_equal(program_send_pattern(c, 100), 100);               /* 3.10.2: queue it in SYN-SENT */
    assert_int_equal(program_finish(c), 0);
    RUN(&p);
    assert_true(pair_received(pair_conn(&p, PAIR_SERVER, 0), 100));
    EXPECT(&p, "C> SYN         seq=0 len=0\n"
               "S> SYN,ACK     seq=0 ack=1\n"
               "C> FIN,PSH,ACK seq=1 ack=1 len=100\n"
               "S> FIN,ACK     seq=1 ack=102\n"
               "C> ACK         seq=102 ack=2\n");
    pair_free(&p);
}

/* -------------------- buffers and events -------------------- */

static void sndbuf_5000(struct pl_config *c, enum pair_side side, void *user)
{
    (void)side;
    (void)user;
    c->sndbuf_bytes = 5000;
}

static void a_full_buffer_is_eagain_and_writable_follows(void **state)
{
    struct pair p;
    uint8_t bytes[8000] = {0};
    mission_start(&p, state, sndbuf_5000, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    c->plan = keeper();
    assert_int_equal(pl_send(STACK(c), c->handle, bytes, sizeof bytes), 5000);
    assert_int_equal(pl_send(STACK(c), c->handle, bytes, 1), PL_EAGAIN);
    assert_int_equal(pl_ready(STACK(c), c->handle) & PL_EV_WRITABLE, 0);
    c->seen_bits = 0;
    RUN_FOR(&p, 19 * PL_MS);
    assert_int_equal(c->seen_bits & PL_EV_WRITABLE, 0);
    RUN_FOR(&p, 50 * PL_MS);
    assert_int_equal(c->seen_bits & PL_EV_WRITABLE, PL_EV_WRITABLE);
    assert_int_equal(pl_send(STACK(c), c->handle, bytes, 3000), 3000);
    c->seen_bits = 0;
    RUN_FOR(&p, 100 * PL_MS);
    assert_int_equal(c->seen_bits & PL_EV_WRITABLE, 0);                /* nothing was refused: nobody waits */
    pair_free(&p);
}

static bool no_event(struct sim_node *n, struct pl_event *e)
{
    (void)n;
    (void)e;
    return false;
}

static pl_time deadline_without_events(const struct sim_node *n)
{
    pl_time t = pl_deadline(n->stack);
    return t ? t : PL_NEVER;
}

static void events_of_one_handle_are_coalesced_until_they_are_taken(void **state)
{
    struct pair p;
    struct pl_event e;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    struct sim_node_ops deaf = sim_stack_ops;
    deaf.event_next = no_event;
    deaf.deadline = deadline_without_events;
    p.node[PAIR_SERVER]->ops = &deaf;                                  /* a program that does not look for a while */
    pl_set(STACK(c), c->handle, PL_OPT_NODELAY, 1);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(program_send_pattern(c, 100), 100);
        RUN_FOR(&p, 5 * PL_MS);
    }
    assert_int_equal(program_finish(c), 0);
    RUN_FOR(&p, 50 * PL_MS);
    assert_true(pl_deadline(STACK(s)) == 0);                           /* an event waits */
    assert_true(pl_event_next(STACK(s), &e));
    assert_true(e.handle == s->handle);
    assert_int_equal(e.cookie, s->number + 1);
    assert_int_equal(e.bits, PL_EV_READABLE | PL_EV_PEER_FINISHED);
    assert_false(pl_event_next(STACK(s), &e));                         /* one for all of it */
    assert_true(pl_deadline(STACK(s)) != 0);
    pair_free(&p);
}

static void what_comes_later_does_not_wipe_out_what_was_told_before(void **state)
{
    struct pair p;
    struct pl_event e;
    static const uint8_t block[8000];
    mission_start(&p, state, sndbuf_5000, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    struct sim_node_ops deaf = sim_stack_ops;
    deaf.event_next = no_event;
    deaf.deadline = deadline_without_events;
    p.node[PAIR_SERVER]->ops = &deaf;
    assert_int_equal(pl_send(STACK(s), s->handle, block, sizeof block), 5000);
    assert_int_equal(program_send_pattern(c, 100), 100);               /* arrives after 10 ms; the ACK that makes room after 20 */
    RUN_FOR(&p, 50 * PL_MS);
    assert_true(pl_event_next(STACK(s), &e));
    assert_int_equal(e.bits, PL_EV_READABLE | PL_EV_WRITABLE);
    assert_false(pl_event_next(STACK(s), &e));
    pair_free(&p);
}

static void an_event_that_was_not_taken_goes_with_its_handle(void **state)
{
    struct pair p;
    struct pl_event e;
    mission_start(&p, state, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    struct sim_node_ops deaf = sim_stack_ops;
    deaf.event_next = no_event;
    deaf.deadline = deadline_without_events;
    p.node[PAIR_SERVER]->ops = &deaf;
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN_FOR(&p, 20 * PL_MS);
    assert_int_equal(program_close(s), 0);
    assert_false(pl_event_next(p.node[PAIR_SERVER]->stack, &e));
    pair_free(&p);
}

static void status_tells_the_numbers_of_the_connection(void **state)
{
    struct pair p;
    mission_start_isn(&p, state, 100, 300, NULL, NULL);
    struct program_conn *s, *c = mission_establish(&p, &s);
    s->plan = keeper();
    assert_int_equal(program_send_pattern(c, 250), 250);
    RUN_FOR(&p, 15 * PL_MS);
    struct pl_tcp_status a = mission_status(c), b = mission_status(s);
    assert_int_equal(a.snd.iss, 100);
    assert_int_equal(a.snd.una, 101);
    assert_int_equal(a.snd.nxt, 351);
    assert_int_equal(a.rcv.irs, 300);
    assert_int_equal(a.rcv.nxt, 301);
    assert_int_equal(a.sndbuf_used, 250);
    assert_int_equal(a.in_flight_bytes, 250);
    assert_int_equal(a.bytes_sent, 250);
    assert_int_equal(a.bytes_acked, 0);
    assert_int_equal(b.rcv.nxt, 351);
    assert_int_equal(b.rcvbuf_used, 250);
    assert_int_equal(b.bytes_received, 250);
    RUN(&p);
    a = mission_status(c);
    assert_int_equal(a.snd.una, 351);
    assert_int_equal(a.sndbuf_used, 0);
    assert_int_equal(a.in_flight_bytes, 0);
    assert_int_equal(a.bytes_acked, 250);
    assert_true(a.srtt >= 20 * PL_MS && a.srtt < 30 * PL_MS && a.min_rtt == 20 * PL_MS);
    assert_int_equal(a.segs_out, 3);
    assert_int_equal(a.segs_in, 2);
    assert_int_equal(a.retransmits, 0);
    pair_free(&p);
}

static void explain_says_what_is_waited_for(void **state)
{
    struct pair p;
    char text[400];
    mission_start(&p, state, NULL, NULL);
    struct program_conn *c = mission_establish(&p, NULL);
    p.link->down = true;
    assert_int_equal(program_send_pattern(c, 100), 100);
    RUN_FOR(&p, 1 * PL_MS);
    assert_true(pl_explain(STACK(c), c->handle, text, sizeof text) > 0);
    assert_non_null(strstr(text, "100 bytes"));
    assert_non_null(strstr(text, "Loss probe in 219 ms"));
    int n = pl_explain(STACK(c), c->handle, text, 10);                 /* cut, and always terminated */
    assert_int_equal(strlen(text), n < 10 ? n : 9);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(each_state_is_visible_to_the_program),
        BOTH(send_in_each_state),
        BOTH(receive_in_each_state),
        BOTH(finish_in_each_state),
        BOTH(abort_in_each_state),
        BOTH(close_gives_the_handle_back_in_each_state),
        BOTH(connect_says_what_is_wrong),
        BOTH(connect_says_when_no_slot_is_free_and_a_closed_one_is_free_again),
        BOTH(connect_chooses_address_and_port_itself),
        BOTH(listen_and_accept_say_what_is_wrong),
        BOTH(accept_returns_after_the_handshake_with_the_oldest_first),
        BOTH(closing_a_listener_resets_what_waits_on_it),
        BOTH(data_queued_before_the_connection_stands_goes_with_the_third_message),
        BOTH(a_full_buffer_is_eagain_and_writable_follows),
        BOTH(events_of_one_handle_are_coalesced_until_they_are_taken),
        BOTH(what_comes_later_does_not_wipe_out_what_was_told_before),
        BOTH(an_event_that_was_not_taken_goes_with_its_handle),
        BOTH(status_tells_the_numbers_of_the_connection),
        BOTH(explain_says_what_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
