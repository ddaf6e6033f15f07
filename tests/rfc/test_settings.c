/* SPDX-License-Identifier: MIT
 *
 * Every option of a connection in every state, on listeners, UDP sockets and stale handles: what can be set is read back, what is out of range is refused
 * and changes nothing. RFC 9293 3.9.1; MUST-17, 21, 24, 27, 48, 49.
 */
#include "support/played.h"

#define LONGEST ((int64_t)UINT32_MAX * 1000000)

static const struct row {
    enum pl_option option;
    int64_t min, max;
    int64_t mid, mid_read;                /* a value between, and how it is read back */
    bool udp;
} rows[] = {
    {PL_OPT_NODELAY, 0, 1, 1, 1, false},
    {PL_OPT_CORK, 0, 1, 1, 1, false},
    {PL_OPT_DELAYED_ACK, 0, 1, 0, 0, false},
    {PL_OPT_KEEPALIVE, 0, 1, 1, 1, false},
    {PL_OPT_KEEPALIVE_IDLE, 1, LONGEST, 1500001, 2000000, false},
    {PL_OPT_KEEPALIVE_INTERVAL, 1, LONGEST, 1000000, 1000000, false},
    {PL_OPT_KEEPALIVE_PROBES, 1, 255, 7, 7, false},
    {PL_OPT_USER_TIMEOUT, 0, LONGEST, 30000000001, 30001000000, false},
    {PL_OPT_USER_TIMEOUT_OPTION, 0, 1, 1, 1, false},
    {PL_OPT_USER_TIMEOUT_CHANGEABLE, 0, 1, 0, 0, false},
    {PL_OPT_USER_TIMEOUT_ADVERTISED, 0, (int64_t)32767 * 60000000000, 1500000000, 2000000000, false},
    {PL_OPT_SNDBUF, 1, 1 << 30, 5000, 5000, true},
    {PL_OPT_RCVBUF, 1, 1 << 30, 5000, 5000, true},
    {PL_OPT_DSCP, 0, 63, 46, 46, true},
    {PL_OPT_HOP_LIMIT, 1, 255, 9, 9, true},
};

static int64_t get(pl_stack *s, pl_handle h, enum pl_option o)
{
    int64_t v = -77;
    assert_int_equal(pl_get(s, h, o, &v), PL_OK);
    return v;
}

/* What is out of range is PL_EINVAL and leaves no trace. */
static void refuses(pl_stack *s, pl_handle h, const struct row *r, bool readable)
{
    const int64_t wrong[] = {r->min - 1, r->max + 1, INT64_MIN, INT64_MAX};
    int64_t before = readable ? get(s, h, r->option) : 0;
    for (unsigned i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(pl_set(s, h, r->option, wrong[i]), PL_EINVAL);
    if (readable)
        assert_int_equal(get(s, h, r->option), before);
}

static void takes(pl_stack *s, pl_handle h, const struct row *r)
{
    assert_int_equal(pl_set(s, h, r->option, r->min), PL_OK);
    assert_int_equal(pl_set(s, h, r->option, r->max), PL_OK);
    int64_t most = get(s, h, r->option);
    if (r->option != PL_OPT_USER_TIMEOUT_ADVERTISED)
        assert_int_equal(most, r->max);
    refuses(s, h, r, true);
    assert_int_equal(pl_set(s, h, r->option, r->mid), PL_OK);
    assert_int_equal(get(s, h, r->option), r->mid_read);
    assert_int_equal(pl_get(s, h, r->option, NULL), PL_EINVAL);
}

/* Brings the connection of `p` into a state; SYN-SENT and SYN-RECEIVED are ours to open. */
static pl_conn bring(struct played *p, enum pl_state state)
{
    struct forged syn;
    if (state != PL_SYN_SENT && state != PL_SYN_RECEIVED) {
        played_open_plain(p, 1000);
        (void)played_drains(p);
    }
    switch (state) {
    case PL_SYN_SENT:
    case PL_SYN_RECEIVED: {
        pl_conn c = duo_connect(&p->d, 1, p->ipv6, 81);
        assert_true(duo_take_segment(&p->d, 1, &syn));
        struct forged crossed = {.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 20000, .flags = PL_SYN};
        if (state == PL_SYN_RECEIVED)
            duo_give_segment(&p->d, 1, &crossed);
        return c;
    }
    case PL_CLOSE_WAIT:
    case PL_LAST_ACK:
        played_gives(p, PL_FIN | PL_ACK, 0, 0, 0);
        break;
    default:
        break;
    }
    if (state != PL_ESTABLISHED && state != PL_CLOSE_WAIT)
        assert_int_equal(pl_finish(p->d.s[1], p->c), PL_OK);
    (void)played_drains(p);
    if (state == PL_FIN_WAIT_2)
        played_gives(p, PL_ACK, 0, 1, 0);
    if (state == PL_CLOSING)
        played_gives(p, PL_FIN | PL_ACK, 0, 0, 0);
    if (state == PL_TIME_WAIT)
        played_gives(p, PL_FIN | PL_ACK, 0, 1, 0);
    if (state == PL_CLOSED)
        assert_int_equal(pl_abort(p->d.s[1], p->c), PL_OK);
    return p->c;
}

static void every_option_in_every_state(void **state)
{
    for (enum pl_state where = PL_SYN_SENT; where < PL_STATE_COUNT + 1; where++) {
        enum pl_state to = where == PL_STATE_COUNT ? PL_CLOSED : where;
        struct played p;
        struct pl_tcp_status st;
        played_init(&p, SIX(state), NULL);
        pl_stack *s = p.d.s[1];
        pl_conn c = bring(&p, to);
        assert_int_equal(pl_status(s, c, &st, sizeof st), PL_OK);
        assert_int_equal(st.state, to);
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            if (to != PL_CLOSED && to != PL_TIME_WAIT) {
                takes(s, c, &rows[i]);
                continue;
            }
            refuses(s, c, &rows[i], true);
            int64_t before = get(s, c, rows[i].option);
            assert_int_equal(pl_set(s, c, rows[i].option, rows[i].mid), PL_ENOTCONN);
            assert_int_equal(get(s, c, rows[i].option), before);
        }
        assert_int_equal(pl_status(s, c, &st, sizeof st), PL_OK);
        assert_int_equal(st.state, to);
        assert_int_equal(pl_close(s, c), PL_OK);
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {          /* the handle is stale */
            int64_t v = 5;
            assert_int_equal(pl_set(s, c, rows[i].option, rows[i].mid), PL_EHANDLE);
            assert_int_equal(pl_get(s, c, rows[i].option, &v), PL_EHANDLE);
            assert_int_equal(v, 5);
        }
        played_free(&p);
    }
}

static void what_is_no_option_of_it(void **state)
{
    static const int nonsense[] = {-1, 100, 1 << 30};
    struct played p;
    int64_t v;
    pl_udp udp;
    struct pl_endpoint local = duo_endpoint(1, SIX(state), 53);
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    pl_stack *s = p.d.s[1];
    assert_int_equal(pl_udp_open(s, &local, 0, &udp), PL_OK);
    const pl_handle handles[] = {p.c, p.listener, udp};
    for (unsigned h = 0; h < COUNT_OF(handles); h++)
        for (unsigned i = 0; i < COUNT_OF(nonsense); i++) {
            assert_int_equal(pl_set(s, handles[h], (enum pl_option)nonsense[i], 1), PL_EINVAL);
            assert_int_equal(pl_get(s, handles[h], (enum pl_option)nonsense[i], &v), PL_EINVAL);
        }
    assert_int_equal(pl_set(s, p.c, PL_OPT_ISN, 1), PL_EINVAL);
    assert_int_equal(pl_get(s, p.c, PL_OPT_ISN, &v), PL_EINVAL);
    assert_int_equal(pl_set(s, udp, PL_OPT_ISN, 1), PL_EINVAL);
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        refuses(s, p.listener, &rows[i], false);
        if (rows[i].udp) {
            takes(s, udp, &rows[i]);
            continue;
        }
        refuses(s, udp, &rows[i], false);
        assert_int_equal(pl_set(s, udp, rows[i].option, rows[i].mid), PL_EINVAL);
        assert_int_equal(pl_get(s, udp, rows[i].option, &v), PL_EINVAL);
    }
    const int64_t isns[] = {-1, 0, UINT32_MAX};
    for (unsigned i = 0; i < COUNT_OF(isns); i++) {
        assert_int_equal(pl_set(s, p.listener, PL_OPT_ISN, isns[i]), PL_OK);
        assert_int_equal(get(s, p.listener, PL_OPT_ISN), isns[i]);
    }
    assert_int_equal(pl_set(s, p.listener, PL_OPT_ISN, -2), PL_EINVAL);
    assert_int_equal(pl_set(s, p.listener, PL_OPT_ISN, (int64_t)UINT32_MAX + 1), PL_EINVAL);
    assert_int_equal(get(s, p.listener, PL_OPT_ISN), UINT32_MAX);
    played_free(&p);
}

/* MUST-24, 27, 29: idle time, interval and number of probes of one connection; another keeps the config's. */
static void keepalive_of_one_connection(void **state)
{
    struct played p;
    struct forged f;
    pl_time at[3];
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    (void)played_drains(&p);
    pl_stack *s = p.d.s[1];
    pl_conn first = p.c;
    assert_int_equal(pl_set(s, first, PL_OPT_KEEPALIVE_IDLE, (int64_t)(10 * PL_S)), PL_OK);
    assert_int_equal(pl_set(s, first, PL_OPT_KEEPALIVE_INTERVAL, (int64_t)(2 * PL_S)), PL_OK);
    assert_int_equal(pl_set(s, first, PL_OPT_KEEPALIVE_PROBES, 3), PL_OK);
    (void)played_drains(&p);
    duo_drain_events(&p.d);
    assert_int_equal(pl_deadline(s), PL_NEVER);          /* not switched on yet */
    assert_int_equal(pl_set(s, first, PL_OPT_KEEPALIVE, 1), PL_OK);
    pl_time start = p.d.now;
    (void)played_drains(&p);
    for (unsigned i = 0; i < 3; i++) {
        while (!played_takes(&p, &f))
            assert_true(played_next_deadline(&p));
        assert_int_equal(f.seq, UINT32_MAX);
        at[i] = p.d.now - start;
    }
    assert_true(at[0] == 10 * PL_S && at[1] == 12 * PL_S && at[2] == 14 * PL_S);
    assert_int_equal(pl_error(s, first), PL_OK);
    while (!played_takes(&p, &f))
        assert_true(played_next_deadline(&p));
    assert_int_equal(f.flags, PL_RST);
    assert_int_equal(p.d.now - start, 16 * PL_S);
    assert_int_equal(pl_error(s, first), PL_ETIMEDOUT);
    p.peer_port++;
    played_open_plain(&p, 1000);
    assert_int_equal(get(s, p.c, PL_OPT_KEEPALIVE_IDLE), 7200 * PL_S);
    assert_int_equal(get(s, p.c, PL_OPT_KEEPALIVE_INTERVAL), 75 * PL_S);
    assert_int_equal(get(s, p.c, PL_OPT_KEEPALIVE_PROBES), 9);
    played_free(&p);
}

/* MUST-27: changed while it runs: from when the peer was heard; a time that has passed already counts at once. */
static void keepalive_changed_while_it_runs(void **state)
{
    struct played p;
    struct forged f;
    played_init(&p, SIX(state), NULL);
    played_open_plain(&p, 1000);
    (void)played_drains(&p);
    pl_stack *s = p.d.s[1];
    pl_time start = p.d.now;
    assert_int_equal(pl_set(s, p.c, PL_OPT_KEEPALIVE, 1), PL_OK);
    (void)played_drains(&p);
    played_wait(&p, start + 60 * PL_S);
    assert_int_equal(pl_set(s, p.c, PL_OPT_KEEPALIVE_IDLE, (int64_t)(100 * PL_S)), PL_OK);
    (void)played_drains(&p);
    played_wait(&p, start + 99 * PL_S);
    assert_false(played_takes(&p, &f));
    played_wait(&p, start + 100 * PL_S);
    assert_true(played_takes(&p, &f));
    played_gives(&p, PL_ACK, 0, 0, 0);    /* alive */
    played_wait(&p, start + 150 * PL_S);
    assert_int_equal(pl_set(s, p.c, PL_OPT_KEEPALIVE_IDLE, (int64_t)(20 * PL_S)), PL_OK);
    (void)played_drains(&p);
    assert_true(played_next_deadline(&p));
    assert_true(p.d.now - start < 151 * PL_S);
    assert_true(played_takes(&p, &f));
    assert_int_equal(f.seq, UINT32_MAX);
    assert_int_equal(pl_set(s, p.c, PL_OPT_KEEPALIVE, 0), PL_OK);
    (void)played_drains(&p);
    played_wait(&p, start + 9000 * PL_S);
    assert_false(played_takes(&p, &f));
    assert_int_equal(pl_error(s, p.c), PL_OK);
    played_free(&p);
}

/* Every error has a name and a sentence of its own; what is none has "?". */
static void every_error_in_words(void **state)
{
    static const int errors[] = {
#define X(name, text) PL_##name,
        PL_ERRORS(X)
#undef X
    };
    (void)state;
    assert_string_equal(pl_strerror(PL_OK), "no error");
    assert_string_equal(pl_error_name(PL_OK), "PL_OK");
    for (unsigned i = 0; i < COUNT_OF(errors); i++) {
        assert_true(errors[i] < 0 && strlen(pl_strerror(errors[i])) > 5 && strncmp(pl_error_name(errors[i]), "PL_E", 4) == 0);
        for (unsigned j = 0; j < i; j++)
            assert_true(strcmp(pl_strerror(errors[i]), pl_strerror(errors[j])) != 0 && strcmp(pl_error_name(errors[i]), pl_error_name(errors[j])) != 0);
    }
    assert_string_equal(pl_strerror(PL_ERROR_END_), "?");
    assert_string_equal(pl_strerror(-1), "?");
    assert_string_equal(pl_strerror(1), "?");
    assert_string_equal(pl_error_name(-12345), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(every_option_in_every_state),
        BOTH(what_is_no_option_of_it),
        BOTH(keepalive_of_one_connection),
        BOTH(keepalive_changed_while_it_runs),
        cmocka_unit_test(every_error_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
