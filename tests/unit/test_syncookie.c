/* SPDX-License-Identifier: MIT
 *
 * SYN cookies, RFC 4987 3.6: the model, and a listener that ran out of half-open entries, through the doors. Threats V46, V47.
 */
#include "support/played.h"

#include "transport/tcp/models/syncookie.h"

/* ------------------------------------------------------------------ the model ------------------------------------------------------------------ */

static const struct siphash_key key = {1, 2}, other_key = {1, 3};
static const struct tcp_tuple tuple = {IP4(192, 0, 2, 1), IP4(192, 0, 2, 2), 80, 40000, 0};
static const pl_time noon = 12 * 3600 * PL_S;

/* What is understood from a cookie that was made at `made` and comes back at `now`. */
static bool comes_back(const struct tcp_options *o, pl_time made, pl_time now, struct tcp_options *got)
{
    uint32_t ts = o->ts_ok ? syncookie_clock(0x12345678, o) : 0;
    uint32_t iss = syncookie_make(&key, &tuple, 77, o, ts, made);
    return syncookie_check(&key, &tuple, 77, iss, o->ts_ok, ts, now, got);
}

static void options_come_back_as_they_went(void **state)
{
    (void)state;
    for (unsigned scale = 0; scale <= 15; scale++)            /* 15: no scaling */
        for (unsigned sack = 0; sack < 2; sack++) {
            struct tcp_options got, o = {.peer_mss = 1460, .ts_ok = true, .sack_ok = sack, .wscale_ok = scale < 15, .snd_wscale = scale < 15 ? (uint8_t)scale : 0};
            assert_true(comes_back(&o, noon, noon, &got));
            assert_true(got.ts_ok);
            assert_int_equal(got.sack_ok, o.sack_ok);
            assert_int_equal(got.wscale_ok, o.wscale_ok);
            assert_int_equal(got.snd_wscale, o.snd_wscale);
            assert_int_equal(got.peer_mss, 1460);
        }
    struct tcp_options got, plain = {.peer_mss = 536};
    assert_true(comes_back(&plain, noon, noon, &got));
    assert_false(got.ts_ok || got.sack_ok || got.wscale_ok);
    assert_int_equal(got.snd_wscale, 0);
}

static void a_segment_size_comes_back_as_the_next_smaller_one_that_is_known(void **state)     /* RFC 9293 3.7.1, MUST-16 */
{
    static const uint16_t known[] = {48, 536, 1200, 1360, 1400, 1440, 1460, 8940};
    (void)state;
    for (uint32_t mss = 48; mss <= 65535; mss += mss < 10000 ? 1 : 97) {
        struct tcp_options got, o = {.peer_mss = (uint16_t)mss};
        unsigned i = COUNT_OF(known) - 1;
        while (known[i] > mss)
            i--;
        assert_true(comes_back(&o, noon, noon, &got));
        assert_int_equal(got.peer_mss, known[i]);
    }
}

static void a_cookie_is_good_in_its_period_and_the_next(void **state)
{
    const struct tcp_options o = {.peer_mss = 1460};
    struct tcp_options got;
    pl_time begin = noon / SYNCOOKIE_PERIOD * SYNCOOKIE_PERIOD;
    (void)state;
    assert_true(comes_back(&o, begin, begin, &got));
    assert_true(comes_back(&o, begin, begin + 2 * SYNCOOKIE_PERIOD - 1, &got));
    assert_true(comes_back(&o, begin + SYNCOOKIE_PERIOD - 1, begin + SYNCOOKIE_PERIOD, &got));
    for (unsigned n = 2; n < 70; n++)     /* also when its five bits come round */
        assert_false(comes_back(&o, begin, begin + n * SYNCOOKIE_PERIOD, &got));
    for (unsigned n = 1; n < 70; n++)     /* made in the future */
        assert_false(comes_back(&o, begin + n * SYNCOOKIE_PERIOD, begin, &got));
    assert_true(comes_back(&o, 0, 0, &got));                  /* the first period has none before it */
    assert_true(comes_back(&o, 0, SYNCOOKIE_PERIOD, &got));
    assert_false(comes_back(&o, 31 * SYNCOOKIE_PERIOD, 0, &got));
}

static void nobody_elses_cookie_is_taken(void **state)
{
    const struct tcp_options o = {.peer_mss = 1460, .ts_ok = true, .sack_ok = true, .wscale_ok = true, .snd_wscale = 7};
    struct tcp_options got;
    uint32_t ts = syncookie_clock(5000, &o), iss = syncookie_make(&key, &tuple, 77, &o, ts, noon);
    (void)state;
    assert_true(syncookie_check(&key, &tuple, 77, iss, true, ts, noon, &got));
    assert_false(syncookie_check(&other_key, &tuple, 77, iss, true, ts, noon, &got));
    assert_false(syncookie_check(&key, &tuple, 78, iss, true, ts, noon, &got));
    for (unsigned i = 0; i < sizeof tuple; i++) {
        struct tcp_tuple t = tuple;
        ((uint8_t *)&t)[i] ^= 1;
        assert_false(syncookie_check(&key, &t, 77, iss, true, ts, noon, &got));
    }
}

static void what_a_cookie_carries_cannot_be_changed(void **state)                            /* threats V47 */
{
    const struct tcp_options o = {.peer_mss = 1460, .ts_ok = true, .sack_ok = true, .wscale_ok = true, .snd_wscale = 7};
    struct tcp_options got;
    uint32_t ts = syncookie_clock(5000, &o), iss = syncookie_make(&key, &tuple, 77, &o, ts, noon);
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++)
        assert_false(syncookie_check(&key, &tuple, 77, iss ^ 1u << bit, true, ts, noon, &got));
    for (unsigned bit = 0; bit < 5; bit++)
        assert_false(syncookie_check(&key, &tuple, 77, iss, true, ts ^ 1u << bit, noon, &got));
    assert_false(syncookie_check(&key, &tuple, 77, iss, false, 0, noon, &got));              /* the timestamp was left away */
    const struct tcp_options plain = {.peer_mss = 1460};
    iss = syncookie_make(&key, &tuple, 77, &plain, 0, noon);
    assert_false(syncookie_check(&key, &tuple, 77, iss, true, ts, noon, &got));              /* or put there */
    assert_false(syncookie_check(&key, &tuple, 77, iss, true, 0, noon, &got));
}

static void guesses_are_as_good_as_their_number(void **state)                                /* 24 bits: none of 100 000 in two periods is likely */
{
    struct tcp_options got;
    unsigned taken = 0;
    (void)state;
    for (uint32_t i = 0; i < 100000; i++)
        taken += syncookie_check(&key, &tuple, 77, i * 2654435761u, false, 0, noon, &got);
    assert_in_range(taken, 0, 1);
}

static void the_timestamp_is_never_ahead_of_the_clock(void **state)      /* RFC 7323 5.3: what follows it must not look old */
{
    static const uint32_t around[] = {0, 64, 5000, 0x7fffffc0, 0x80000000, 0xffffffc0};
    (void)state;
    for (unsigned i = 0; i < COUNT_OF(around); i++)
        for (uint32_t clock = around[i] - 70; clock != around[i] + 70; clock++)
            for (uint8_t scale = 0; scale <= 14; scale++) {
                const struct tcp_options o = {.ts_ok = true, .wscale_ok = true, .snd_wscale = scale, .sack_ok = scale & 1};
                assert_in_range(clock - syncookie_clock(clock, &o), 0, 127);
            }
}

/* ------------------------------------------------------------------ a listener that overflows ------------------------------------------------------------------ */

static struct pl_config two_half_open(bool timestamps)
{
    struct pl_config c = duo_config();
    c.half_open_max = 2;
    c.timestamps = timestamps;
    c.rcvbuf_bytes = 1 << 17;             /* scale 2 */
    c.chunks_max = 400;
    return c;
}

/* SYNs of hosts that will never answer: as many as there are entries. */
static void overflow(struct played *p)
{
    uint32_t n[PL_STATE_COUNT];
    for (uint16_t i = 0; i < 2; i++) {
        struct forged s = played_segment(p, PL_SYN, (uint32_t)-1, 0, 0);
        s.src.port = (uint16_t)(6000 + i);
        duo_give_segment(&p->d, 1, &s);
    }
    pl_states(p->d.s[1], n);
    assert_int_equal(n[PL_SYN_RECEIVED], 2);
    struct forged r;
    while (duo_take_segment(&p->d, 1, &r)) {
    }
}

/* The peer's SYN: the answer is *r; `first` and `echo` are set. */
static void syn(struct played *p, const struct wire_tcp_opts *o, struct forged *r)
{
    struct forged s = played_segment(p, PL_SYN, (uint32_t)-1, 0, 0);
    s.opts = *o;
    s.opts.ts_val = (uint32_t)(p->d.now / PL_MS);
    duo_give_segment(&p->d, 1, &s);
    assert_true(duo_take_segment(&p->d, 1, r));
    assert_int_equal(r->flags, PL_SYN | PL_ACK);
    assert_int_equal(r->ack, PLAYED_ISS + 1);
    p->first = r->seq + 1;
    p->ts = r->opts.have & WIRE_OPT_TIMESTAMPS;
    p->echo = r->opts.ts_val;
}

static uint32_t half_open(const struct played *p)
{
    uint32_t n[PL_STATE_COUNT];
    pl_states(p->d.s[1], n);
    return n[PL_SYN_RECEIVED];
}

static uint64_t cookies_sent(const struct played *p)
{
    struct pl_counters c;
    assert_int_equal(pl_counters(p->d.s[1], &c, sizeof c), PL_OK);
    assert_int_equal(c.sent[PL_WHY_SYN_ACK_COOKIE], c.drops[PL_DROP_TCP_COOKIE_SENT]);
    return c.sent[PL_WHY_SYN_ACK_COOKIE];
}

static const struct wire_tcp_opts everything = {.have = WIRE_OPT_MSS | WIRE_OPT_WSCALE | WIRE_OPT_SACK_PERMITTED | WIRE_OPT_TIMESTAMPS, .mss = 1400, .wscale = 7};

static void assert_refused(struct played *p)
{
    struct forged r;
    pl_conn c;
    assert_true(duo_take_segment(&p->d, 1, &r));
    assert_int_equal(r.flags, PL_RST);
    assert_int_equal(p->d.s[1]->pools.conns.used, 0);
    assert_int_equal(pl_accept(p->d.s[1], p->listener, &c, NULL), PL_EAGAIN);
}

/* With timestamps the SYN-ACK offers all that was asked for; without them only the MSS can be remembered. */
static void the_answer_offers_what_can_be_remembered(void **state)
{
    for (unsigned timestamps = 0; timestamps < 2; timestamps++) {
        struct pl_config config = two_half_open(timestamps);
        struct played p;
        struct forged r;
        played_init(&p, SIX(state), &config);
        overflow(&p);
        syn(&p, &everything, &r);
        assert_int_equal(half_open(&p), 2);
        assert_int_equal(cookies_sent(&p), 1);
        assert_int_equal(r.opts.have, timestamps ? everything.have : WIRE_OPT_MSS);
        assert_int_equal(r.opts.mss, p.ipv6 ? 1440 : 1460);
        assert_int_equal(r.wnd, 65535);
        if (timestamps) {
            assert_int_equal(r.opts.wscale, 2);
            assert_int_equal(r.opts.ts_ecr, (uint32_t)(p.d.now / PL_MS));
        }
        played_free(&p);
    }
}

/* The third message, bare or with text, makes the connection that the first and the second agreed on; again it does nothing new. */
static void the_third_message_makes_the_connection(void **state)
{
    for (unsigned row = 0; row < 4; row++) {
        bool timestamps = row & 1, text = row & 2;
        struct pl_config config = two_half_open(timestamps);
        struct played p;
        struct forged r;
        struct pl_endpoint remote;
        pl_conn none;
        played_init(&p, SIX(state), &config);
        overflow(&p);
        syn(&p, &everything, &r);
        p.d.now += 30 * PL_MS;
        p.wnd = 500;
        played_gives(&p, PL_ACK | (text ? PL_PSH : 0), 0, 0, text ? 700 : 0);
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, &remote), PL_OK);
        assert_int_equal(remote.port, PLAYED_PEER_PORT);
        played_gives(&p, PL_ACK | (text ? PL_PSH : 0), 0, 0, text ? 700 : 0);
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &none, NULL), PL_EAGAIN);
        assert_int_equal(p.d.s[1]->pools.conns.used, 1);
        struct pl_tcp_status q = played_status(&p);
        assert_int_equal(q.state, PL_ESTABLISHED);
        assert_int_equal(q.peer_mss, 1400);
        assert_int_equal(q.mss, 1400 - (timestamps ? 12 : 0));
        assert_int_equal(q.timestamps, timestamps);
        assert_int_equal(q.sack, timestamps);
        assert_int_equal(q.window_scaling, timestamps);
        assert_int_equal(q.snd_wscale, timestamps ? 7 : 0);
        assert_int_equal(q.rcv_wscale, timestamps ? 2 : 0);
        assert_int_equal(q.snd.wnd, timestamps ? 500u << 7 : 500);
        assert_int_equal(q.snd.iss + 1, p.first);
        assert_true(q.srtt <= 1 * PL_S && q.rto <= 3 * PL_S);    /* nobody remembers when the SYN-ACK left */
        assert_int_equal(played_reads(&p), text ? 700 : 0);
        played_drains(&p);
        played_sends(&p, 3000);           /* and text flows both ways */
        assert_true(played_takes(&p, &r));
        assert_int_equal(r.seq, 0);
        assert_int_equal(r.ack, text ? 700 : 0);
        assert_in_range(r.text_bytes, timestamps ? 1388 : 500, timestamps ? 1388 : 500);
        assert_int_equal(r.opts.have, timestamps ? WIRE_OPT_TIMESTAMPS : 0);
        played_gives(&p, PL_ACK, text ? 700 : 0, (uint32_t)r.text_bytes, 100);
        assert_int_equal(played_reads(&p), 100);
        assert_int_equal(half_open(&p), 2);
        played_free(&p);
    }
}

static void move(struct duo *d, unsigned from, pl_conn a, pl_conn b, size_t bytes)
{
    static uint8_t text[40000], room[40000];
    size_t sent = 0, got = 0;
    assert_true(bytes <= sizeof text);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    for (unsigned n = 0; got < bytes; n++) {
        assert_true(n < 1000);
        ptrdiff_t k = sent < bytes ? pl_send(d->s[from], a, text + sent, bytes - sent) : 0;
        sent += k > 0 ? (size_t)k : 0;
        duo_exchange(d);
        for (; (k = pl_recv(d->s[1 - from], b, room + got, sizeof room - got)) > 0;)
            got += (size_t)k;
        duo_drain_events(d);
        d->now += 50 * PL_MS;
    }
    assert_memory_equal(text, room, bytes);
}

/* Two stacks of ours: what both believe agrees. */
static void a_client_that_got_a_cookie_agrees_with_the_server(void **state)
{
    for (unsigned timestamps = 0; timestamps < 2; timestamps++) {
        struct pl_config config = two_half_open(timestamps);
        struct played p;
        struct pl_tcp_status a, b;
        pl_conn server;
        played_init(&p, SIX(state), &config);
        overflow(&p);
        pl_conn client = duo_connect(&p.d, 0, p.ipv6, PLAYED_PORT);
        duo_exchange(&p.d);
        assert_int_equal(cookies_sent(&p), 1);
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &server, NULL), PL_OK);
        assert_int_equal(pl_status(p.d.s[0], client, &a, sizeof a), PL_OK);
        assert_int_equal(pl_status(p.d.s[1], server, &b, sizeof b), PL_OK);
        assert_int_equal(a.state, PL_ESTABLISHED);
        assert_int_equal(b.state, PL_ESTABLISHED);
        assert_int_equal(a.snd_wscale, b.rcv_wscale);
        assert_int_equal(a.rcv_wscale, b.snd_wscale);
        assert_int_equal(a.timestamps, b.timestamps);
        assert_int_equal(a.sack, b.sack);
        assert_int_equal(a.mss, b.mss);
        assert_int_equal(a.timestamps, timestamps);
        move(&p.d, 0, client, server, 40000);
        move(&p.d, 1, server, client, 40000);
        pl_finish(p.d.s[0], client);
        pl_finish(p.d.s[1], server);
        duo_run(&p.d, 1 * PL_S);
        assert_int_equal(pl_status(p.d.s[1], server, &b, sizeof b), PL_OK);
        assert_int_equal(b.error, 0);
        played_free(&p);
    }
}

static void a_forged_acknowledgement_makes_nothing(void **state)
{
    for (unsigned timestamps = 0; timestamps < 2; timestamps++) {
        struct pl_config config = two_half_open(timestamps);
        struct played p;
        struct forged r;
        played_init(&p, SIX(state), &config);
        overflow(&p);
        syn(&p, &everything, &r);
        for (unsigned bit = 0; bit < 32; bit++) {             /* another acknowledgement number */
            struct forged s = played_segment(&p, PL_ACK, 0, 0, 0);
            s.ack = ((s.ack - 1) ^ 1u << bit) + 1;
            duo_give_segment(&p.d, 1, &s);
            assert_refused(&p);
            p.d.now += 20 * PL_MS;                            /* RSTs are limited in number */
        }
        played_gives(&p, PL_ACK, 1, 0, 0);                    /* another sequence number */
        assert_refused(&p);
        struct forged s = played_segment(&p, PL_ACK, 0, 0, 0);
        s.src.port++;                                         /* another peer */
        duo_give_segment(&p.d, 1, &s);
        assert_refused(&p);
        if (timestamps) {
            s = played_segment(&p, PL_ACK, 0, 0, 0);
            s.opts.ts_ecr ^= 3;                               /* another window scale */
            duo_give_segment(&p.d, 1, &s);
            assert_refused(&p);
        }
        p.d.now += 100 * PL_MS;
        played_gives(&p, PL_ACK, 0, 0, 0);                    /* and the right one is as good as before */
        assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
        played_free(&p);
    }
}

/* A cookie ages though new ones keep being sent. */
static void a_stale_acknowledgement_makes_nothing(void **state)
{
    for (unsigned periods = 1; periods < 4; periods++) {
        struct pl_config config = two_half_open(true);
        struct played p, q;
        struct forged r;
        played_init(&p, SIX(state), &config);
        overflow(&p);
        syn(&p, &everything, &r);
        q = p;                                                /* what the peer remembers */
        for (unsigned i = 0; i < periods; i++) {
            p.d.now += SYNCOOKIE_PERIOD;
            played_wait(&p, p.d.now);
            while (duo_take_segment(&p.d, 1, &r)) {
            }
            while (half_open(&p) < 2) {
                struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
                s.src.port = (uint16_t)(7000 + 10 * i + half_open(&p));
                duo_give_segment(&p.d, 1, &s);
            }
            struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
            s.src.port = (uint16_t)(8000 + i);
            duo_give_segment(&p.d, 1, &s);
            while (duo_take_segment(&p.d, 1, &r)) {
            }
        }
        p.first = q.first;
        p.echo = q.echo;
        assert_int_equal(cookies_sent(&p), 1 + periods);
        played_gives(&p, PL_ACK, 0, 0, 0);
        if (periods < 2)
            assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
        else
            assert_refused(&p);
        played_free(&p);
    }
}

/* Nobody can try acknowledgements on a listener that has room: not even the right one is taken. */
static void without_an_overflow_no_cookie_is_believed(void **state)
{
    struct pl_config config = two_half_open(true);
    struct played under_load, at_ease;    /* the same secret */
    struct forged r;
    played_init(&under_load, SIX(state), &config);
    overflow(&under_load);
    syn(&under_load, &everything, &r);
    played_init(&at_ease, SIX(state), &config);
    at_ease.first = under_load.first;
    at_ease.echo = under_load.echo;
    at_ease.ts = true;
    played_gives(&at_ease, PL_ACK, 0, 0, 0);
    assert_refused(&at_ease);
    played_gives(&under_load, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(under_load.d.s[1], under_load.listener, &under_load.c, NULL), PL_OK);
    played_free(&under_load);
    played_free(&at_ease);
}

static void a_cookie_outlives_a_move_of_the_stack_in_time(void **state)  /* parley.h, pl_stack_shift_time */
{
    struct pl_config config = two_half_open(true);
    struct played p;
    struct forged r;
    played_init(&p, SIX(state), &config);
    overflow(&p);
    syn(&p, &everything, &r);
    pl_stack_shift_time(p.d.s[1], 7 * 86400 * PL_S);
    p.d.now += 7 * 86400 * PL_S + 10 * PL_MS;
    played_gives(&p, PL_ACK, 0, 0, 0);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &p.c, NULL), PL_OK);
    played_free(&p);
}

static void switched_off_a_full_listener_is_silent(void **state)
{
    struct pl_config config = two_half_open(true);
    struct played p;
    struct forged s, r;
    config.syn_cookies = false;
    played_init(&p, SIX(state), &config);
    overflow(&p);
    s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    duo_give_segment(&p.d, 1, &s);
    assert_false(duo_take_segment(&p.d, 1, &r));
    assert_int_equal(cookies_sent(&p), 0);
    played_free(&p);
}

static void a_full_accept_queue_sends_no_cookies(void **state)            /* it could not keep what they promise */
{
    struct pl_config config = two_half_open(true);
    struct played p;
    struct forged r;
    config.backlog_default = 2;
    played_init(&p, SIX(state), &config);
    overflow(&p);
    for (unsigned i = 0; i < 2; i++, p.peer_port++) {
        syn(&p, &everything, &r);
        played_gives(&p, PL_ACK, 0, 0, 0);
    }
    struct forged s = played_segment(&p, PL_SYN, (uint32_t)-1, 0, 0);
    duo_give_segment(&p.d, 1, &s);
    while (duo_take_segment(&p.d, 1, &r))
        assert_false(r.flags & PL_SYN);
    assert_int_equal(cookies_sent(&p), 2);
    played_free(&p);
}

/* Threats V46: 100 000 SYNs of nobody: open connections do not notice, and who means it gets in. */
static void a_flood_harms_neither_old_connections_nor_new_ones(void **state)
{
    struct pl_config config = two_half_open(true);
    struct played p;
    struct forged r;
    pl_conn server, fresh;
    played_init(&p, SIX(state), &config);
    pl_conn client = duo_connect(&p.d, 0, p.ipv6, PLAYED_PORT);
    duo_exchange(&p.d);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &server, NULL), PL_OK);
    uint32_t chunks = p.d.s[1]->pools.chunks.used;
    for (uint32_t i = 0; i < 100000; i++) {
        struct forged s = played_segment(&p, PL_SYN, i * 2654435761u, 0, 0);
        s.src.port = (uint16_t)(1024 + i % 60000);
        s.src.addr.b[15] = (uint8_t)(3 + i / 60000);
        duo_give_segment(&p.d, 1, &s);
        while (i % 3 && duo_take_segment(&p.d, 1, &r)) {
        }
        if (i % 1000 == 0)
            p.d.now += 1 * PL_MS;
        if (i % 20000 == 0) {
            move(&p.d, 0, client, server, 3000);
            move(&p.d, 1, server, client, 3000);
        }
    }
    duo_exchange(&p.d);
    assert_int_equal(p.d.s[1]->pools.conns.used, 1);
    assert_in_range(half_open(&p), 1, 2);
    assert_int_equal(p.d.s[1]->pools.chunks.used, chunks);
    pl_conn late = duo_connect(&p.d, 0, p.ipv6, PLAYED_PORT);
    duo_exchange(&p.d);
    assert_int_equal(pl_accept(p.d.s[1], p.listener, &fresh, NULL), PL_OK);
    move(&p.d, 0, late, fresh, 20000);
    move(&p.d, 1, server, client, 20000);
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_come_back_as_they_went),
        cmocka_unit_test(a_segment_size_comes_back_as_the_next_smaller_one_that_is_known),
        cmocka_unit_test(a_cookie_is_good_in_its_period_and_the_next),
        cmocka_unit_test(nobody_elses_cookie_is_taken),
        cmocka_unit_test(what_a_cookie_carries_cannot_be_changed),
        cmocka_unit_test(guesses_are_as_good_as_their_number),
        cmocka_unit_test(the_timestamp_is_never_ahead_of_the_clock),
        BOTH(the_answer_offers_what_can_be_remembered),
        BOTH(the_third_message_makes_the_connection),
        BOTH(a_client_that_got_a_cookie_agrees_with_the_server),
        BOTH(a_forged_acknowledgement_makes_nothing),
        BOTH(a_stale_acknowledgement_makes_nothing),
        BOTH(without_an_overflow_no_cookie_is_believed),
        BOTH(a_cookie_outlives_a_move_of_the_stack_in_time),
        BOTH(switched_off_a_full_listener_is_silent),
        BOTH(a_full_accept_queue_sends_no_cookies),
        BOTH(a_flood_harms_neither_old_connections_nor_new_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
