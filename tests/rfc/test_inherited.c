/* SPDX-License-Identifier: MIT
 *
 * Options set on a listener are those of its connections, from the SYN-ACK to TIME-WAIT's last ACK: RFC 9293 3.9.1.1, 3.9.2 (MUST-48, 49). And what the
 * network says of a connection that is half open: RFC 9293 3.9.2.2, RFC 5927 4.1.
 */
#include "support/played.h"

enum { ISS = 3000 };

static size_t take_raw(struct played *p, uint8_t frame[DUO_FRAME_BYTES], struct forged *f)
{
    size_t n = duo_take(&p->d, 1, frame);
    if (n)
        assert_true(forge_read(frame, n, f));
    return n;
}

static uint8_t tos_of(const uint8_t *frame) { return frame[0] >> 4 == 4 ? frame[1] : (uint8_t)(frame[0] << 4 | frame[1] >> 4); }
static uint8_t ttl_of(const uint8_t *frame) { return frame[frame[0] >> 4 == 4 ? 8 : 7]; }

static void expect(struct played *p, uint8_t flags, uint8_t ttl, uint8_t dscp, struct forged *f)
{
    uint8_t frame[DUO_FRAME_BYTES];
    assert_true(take_raw(p, frame, f) > 0);
    assert_int_equal(f->flags, flags);
    assert_int_equal(ttl_of(frame), ttl);
    assert_int_equal(tos_of(frame), dscp << 2);
}

static void syn_of(struct played *p, uint16_t mss)
{
    struct forged f = played_segment(p, PL_SYN, (uint32_t)-1, 0, 0);
    f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE, .mss = mss, .wscale = 1};
    duo_give_segment(&p->d, 1, &f);
}

static void syn(struct played *p) { syn_of(p, 1000); }

static int64_t option(const struct played *p, pl_handle h, enum pl_option o)
{
    int64_t v = -77;
    assert_int_equal(pl_get(p->d.s[1], h, o, &v), PL_OK);
    return v;
}

/* Each option, read back on the listener and on the connection that comes of it; and not on one that was opened otherwise. */
static void each_option_is_inherited(void **state)
{
    static const struct { enum pl_option o; int64_t v; } rows[] = {
        {PL_OPT_NODELAY, 1}, {PL_OPT_CORK, 1}, {PL_OPT_DELAYED_ACK, 0}, {PL_OPT_KEEPALIVE, 1}, {PL_OPT_USER_TIMEOUT, 77 * (int64_t)PL_S},
        {PL_OPT_SNDBUF, 5000}, {PL_OPT_RCVBUF, 6000}, {PL_OPT_DSCP, 46}, {PL_OPT_HOP_LIMIT, 17}, {PL_OPT_KEEPALIVE_IDLE, 5 * (int64_t)PL_S},
        {PL_OPT_KEEPALIVE_INTERVAL, 6 * (int64_t)PL_S}, {PL_OPT_KEEPALIVE_PROBES, 4}, {PL_OPT_USER_TIMEOUT_OPTION, 1},
        {PL_OPT_USER_TIMEOUT_ADVERTISED, 90 * (int64_t)PL_S}, {PL_OPT_USER_TIMEOUT_CHANGEABLE, 1}, {PL_OPT_BUFFERS_FIXED, 0},
    };
    struct played p;
    pl_conn other;
    int64_t was[COUNT_OF(rows)];
    played_init(&p, SIX(state), NULL);
    pl_stack *s = p.d.s[1];
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        was[i] = option(&p, p.listener, rows[i].o);      /* the config's */
        assert_true(was[i] != rows[i].v || rows[i].o == PL_OPT_USER_TIMEOUT_CHANGEABLE);   /* which the user timeout took away */
        assert_int_equal(pl_set(s, p.listener, rows[i].o, rows[i].v), PL_OK);
        assert_int_equal(option(&p, p.listener, rows[i].o), rows[i].v);
    }
    assert_int_equal(pl_set(s, p.listener, PL_OPT_DSCP, 64), PL_EINVAL);
    assert_int_equal(pl_set(s, p.listener, PL_OPT_HOP_LIMIT, 0), PL_EINVAL);
    assert_int_equal(pl_set(s, p.listener, (enum pl_option)99, 1), PL_EINVAL);
    played_open_plain(&p, 1000);
    struct pl_connect_params there = {.remote = duo_endpoint(0, SIX(state), 99)};
    assert_int_equal(pl_connect(s, &there, &other), PL_OK);
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(option(&p, p.c, rows[i].o), rows[i].v);
        if (rows[i].o != PL_OPT_USER_TIMEOUT_CHANGEABLE)
            assert_true(option(&p, other, rows[i].o) != rows[i].v);
    }
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(pl_set(s, p.c, rows[i].o, was[i]), PL_OK);     /* each may change it for itself */
        assert_int_equal(option(&p, p.listener, rows[i].o), rows[i].v);
    }
    played_free(&p);
}

/* They do something: keepalive and user timeout bite without another call. */
static void an_inherited_keepalive_probes(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged f;
    config.keepalive_idle = 10 * PL_S;
    played_init(&p, SIX(state), &config);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_KEEPALIVE, 1), PL_OK);
    played_open_plain(&p, 1000);
    played_wait(&p, p.d.now + 10 * PL_S - 1);
    assert_false(played_takes(&p, &f));
    played_wait(&p, p.d.now + 1);
    assert_true(played_takes(&p, &f));
    assert_int_equal(f.seq, (uint32_t)-1);
    played_free(&p);
}

static void an_inherited_user_timeout_bites(void **state)
{
    struct played p;
    played_init(&p, SIX(state), NULL);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_USER_TIMEOUT, 3 * (int64_t)PL_S), PL_OK);
    played_open_plain(&p, 1000);
    played_sends(&p, 10);
    for (unsigned i = 0; i < 100 && pl_error(p.d.s[1], p.c) == PL_OK && p.d.now < 1100 * PL_S; i++) {
        played_drains(&p);
        played_next_deadline(&p);
    }
    assert_int_equal(pl_error(p.d.s[1], p.c), PL_ETIMEDOUT);
    assert_true(p.d.now == 1003 * PL_S);
    played_free(&p);
}

/* RFC 7323 2.3: the scale is fixed by the SYN-ACK: the receive buffer counts from there on. */
static void the_receive_buffer_stands_in_the_syn_ack(void **state)
{
    static const struct { uint32_t bytes; uint16_t wnd; uint8_t scale; } rows[] = {{1000, 1000, 0}, {40000, 40000, 0}, {1 << 20, 65535, 5}};
    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        struct played p;
        struct forged f;
        played_init(&p, SIX(state), NULL);
        assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_RCVBUF, rows[i].bytes), PL_OK);
        syn(&p);
        assert_true(duo_take_segment(&p.d, 1, &f));
        assert_int_equal(f.wnd, rows[i].wnd);
        assert_int_equal(f.opts.wscale, rows[i].scale);
        /* changed meanwhile: never below what the scale that was told can express */
        assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_RCVBUF, 7), PL_OK);
        p.first = f.seq + 1;
        played_gives(&p, PL_ACK, 0, 0, 0);
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
        assert_int_equal(option(&p, p.c, PL_OPT_RCVBUF), rows[i].scale ? 1 << rows[i].scale : 7);
        played_free(&p);
    }
}

/* MUST-48, MUST-49: of every segment, to the last: SYN-ACK and its repetition, text, FIN, TIME-WAIT's ACKs. */
static void hop_limit_and_dscp_from_the_first_segment_to_the_last(void **state)
{
    struct played p;
    struct forged f;
    played_init(&p, SIX(state), NULL);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_HOP_LIMIT, 3), PL_OK);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_DSCP, 46), PL_OK);
    syn(&p);
    expect(&p, PL_SYN | PL_ACK, 3, 46, &f);
    played_wait(&p, p.d.now + 1 * PL_S);
    expect(&p, PL_SYN | PL_ACK, 3, 46, &f);
    p.first = f.seq + 1;
    struct forged bad = played_segment(&p, PL_ACK, 0, 99, 0);
    duo_give_segment(&p.d, 1, &bad);
    expect(&p, PL_RST, 3, 46, &f);        /* the half-open entry's answer to a wrong acknowledgement */
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    played_sends(&p, 10);
    expect(&p, PL_ACK | PL_PSH, 3, 46, &f);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_HOP_LIMIT, 9), PL_OK);
    assert_int_equal(pl_set(p.d.s[1], p.c, PL_OPT_DSCP, 10), PL_OK);
    assert_int_equal(pl_finish(p.d.s[1], p.c), PL_OK);
    played_gives(&p, PL_ACK, 0, 10, 0);
    expect(&p, PL_ACK | PL_FIN, 9, 10, &f);
    played_gives(&p, PL_ACK | PL_FIN, 0, 11, 0);
    expect(&p, PL_ACK, 9, 10, &f);
    assert_int_equal(pl_close(p.d.s[1], p.c), PL_OK);
    played_gives(&p, PL_ACK | PL_FIN, 0, 11, 0);         /* TIME-WAIT, and nobody holds the connection any more */
    expect(&p, PL_ACK, 9, 10, &f);
    played_free(&p);
}

/* Cookies as well: hop limit, DSCP, window; the scale is the config's, for a cookie does not remember another. */
static void a_cookie_syn_ack_has_them_too(void **state)
{
    struct pl_config config = duo_config();
    struct played p;
    struct forged f;
    config.half_open_max = 1;
    config.timestamps = true;
    played_init(&p, SIX(state), &config);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_HOP_LIMIT, 3), PL_OK);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_DSCP, 46), PL_OK);
    assert_int_equal(pl_set(p.d.s[1], p.listener, PL_OPT_RCVBUF, 1234), PL_OK);
    syn(&p);
    expect(&p, PL_SYN | PL_ACK, 3, 46, &f);
    p.peer_port++;
    syn(&p);
    expect(&p, PL_SYN | PL_ACK, 3, 46, &f);
    assert_int_equal(f.wnd, 1234);
    p.first = f.seq + 1;
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    assert_int_equal(option(&p, p.c, PL_OPT_RCVBUF), 1234);
    assert_int_equal(option(&p, p.c, PL_OPT_HOP_LIMIT), 3);
    struct pl_counters n;
    pl_counters(p.d.s[1], &n, sizeof n);
    assert_int_equal(n.drops[PL_DROP_TCP_COOKIE_SENT], 1);
    played_free(&p);
}

/* ------------------------------------------------------------ ICMP ------------------------------------------------------------ */

static uint64_t drops(const struct played *p, enum pl_drop drop)
{
    struct pl_counters n;
    pl_counters(p->d.s[1], &n, sizeof n);
    return n.drops[drop];
}

/* RFC 5927 4.1, 4.2: an error about our SYN-ACK is no reason to forget the handshake; one that quotes another number is not even believed. */
static void an_icmp_error_does_not_end_a_handshake(void **state)
{
    struct played p;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    played_init(&p, SIX(state), NULL);
    syn(&p);
    size_t n = take_raw(&p, frame, &f), tcp = SIX(state) ? 40 : 20;
    p.first = f.seq + 1;
    for (unsigned hard = 0; hard < 2; hard++)
        played_icmp(&p, SIX(state) ? 1 : 3, SIX(state) ? (hard ? 4 : 3) : (hard ? 3 : 1), 0, frame, n);
    assert_int_equal(drops(&p, PL_DROP_ICMP_QUOTE_SEQ), 0);
    frame[tcp + 7]++;
    played_icmp(&p, SIX(state) ? 1 : 3, 1, 0, frame, n);
    assert_int_equal(drops(&p, PL_DROP_ICMP_QUOTE_SEQ), 1);
    assert_int_equal(drops(&p, PL_DROP_ICMP_QUOTE), 0);
    played_wait(&p, p.d.now + 1 * PL_S);
    assert_true(take_raw(&p, frame, &f) > 0);            /* repeated as ever */
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    played_free(&p);
}

/* RFC 1191 6.4, RFC 8201 4: what it says of the path is remembered for the connection to come. */
static void a_path_mtu_learned_by_the_syn_ack_counts(void **state)
{
    struct played p;
    uint8_t frame[DUO_FRAME_BYTES];
    struct forged f;
    played_init(&p, SIX(state), NULL);
    syn_of(&p, 1440);
    size_t n = take_raw(&p, frame, &f);
    p.first = f.seq + 1;
    played_icmp(&p, SIX(state) ? 2 : 3, SIX(state) ? 0 : 4, SIX(state) ? 1280 : 900, frame, n);
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    assert_int_equal(played_status(&p).mss, SIX(state) ? 1220 : 860);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(each_option_is_inherited),
        BOTH(an_inherited_keepalive_probes),
        BOTH(an_inherited_user_timeout_bites),
        BOTH(the_receive_buffer_stands_in_the_syn_ack),
        BOTH(hop_limit_and_dscp_from_the_first_segment_to_the_last),
        BOTH(a_cookie_syn_ack_has_them_too),
        BOTH(an_icmp_error_does_not_end_a_handshake),
        BOTH(a_path_mtu_learned_by_the_syn_ack_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
