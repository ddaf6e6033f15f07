/* SPDX-License-Identifier: MIT
 *
 * Threats V35, V46 to V49, V55 and V56: whoever wants memory, work, time or traffic of the stack gets a bounded share, and every connection that
 * nobody owns comes to an end. Pools are looked into; time is virtual. IPv4 and IPv6.
 */
#include "base/bytes.h"
#include "support/duo.h"
#include "support/victim_case.h"

static struct tcp *inside(const struct peer *p) { return slots_at(&v.s->pools.conns, (uint32_t)p->c & 0x3fffffff); }
static uint32_t chunks_taken(void) { return v.s->pools.chunks.capacity - chunks_free(&v.s->pools.chunks); }
static uint32_t ranges_of(const struct peer *p)
{
    uint32_t gaps = inside(p)->gaps;
    return gaps ? ooo_ranges(slots_at(&v.s->pools.gaps, gaps))->count : 0;
}

/* ------------------------------------------------------------ V35: SegmentSmack ------------------------------------------------------------ */

static enum pl_drop gives_byte(struct peer *p, uint32_t at, size_t n)
{
    struct forged f = peer_segment(p, PL_ACK);
    f.seq += at;
    f.text_bytes = n;
    return victim_give(&v, &f);
}

/* The set of ranges has a fixed size, and an insert is a binary search and one move of at most that size: so the work per segment is bounded by it,
 * whatever is sent. What found no place is dropped, and never told to the peer as received. */
static void v35_a_thousand_tiny_gaps_take_no_more_than_their_share(void **state)
{
    (void)state;
    static const uint32_t caps[] = {1, 8, 128};
    for (unsigned i = 0; i < 2 * COUNT_OF(caps); i++) {
        struct pl_config c = victim_config();
        uint32_t cap = caps[i / 2];
        c.gaps_per_conn_max = cap;
        remake(&c);
        struct peer_wish w = {.opts = {.have = WIRE_OPT_SACK_PERMITTED}, .iss = 0xfffffe00};
        struct peer p = peer_connects(&v, i & 1, &w);
        bool has[4096] = {false};
        for (uint32_t n = 0; n < 1000; n++) {
            uint32_t at = 1 + 2 * (n * 7 % 1000);
            enum pl_drop drop = gives_byte(&p, at, 1);
            assert_int_equal(drop, n < cap ? PL_DROP_NONE : PL_DROP_TCP_TOO_MANY_GAPS);
            has[at] = drop == PL_DROP_NONE;
            assert_int_equal(ranges_of(&p), n < cap ? n + 1 : cap);
            assert_in_range(chunks_taken(), 1, 4096 / 512 + 1);
            struct forged f;
            assert_true(victim_take(&v, &f));              /* one answer each */
            assert_int_equal(f.ack, p.seq);
            for (unsigned k = 0; k < f.opts.nsack; k++)
                for (uint32_t seq = f.opts.sack[k].lo; seq != f.opts.sack[k].hi; seq++)
                    assert_true(has[seq - p.seq]);
            victim_silent(&v);
        }
        char got[4096];
        assert_int_equal(gives_byte(&p, 0, 1000), PL_DROP_NONE);     /* what is in order needs no place in the set */
        assert_int_equal(gives_byte(&p, 1000, 1000), PL_DROP_NONE);
        (void)victim_hush(&v);
        ptrdiff_t whole = pl_recv(v.s, p.c, got, sizeof got);
        assert_in_range(whole, 2000, 2001);
        p.seq += (uint32_t)whole;
        assert_int_equal(inside(&p)->gaps, 0);
        peer_works(&p, "a thousand gaps");
        forget(&p);
        assert_int_equal(chunks_taken(), 0);
        assert_int_equal(v.s->pools.gaps.used, 0);
    }
}

static void v35_a_byte_at_the_far_end_of_a_large_window_is_not_believed(void **state)
{
    (void)state;
    struct pl_config c = victim_config();
    c.rcvbuf_bytes = 1 << 20;
    c.chunks_max = 4096;
    remake(&c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_WSCALE}});
        assert_int_equal(gives_byte(&p, 0, 1), PL_DROP_NONE);      /* brings the scaled window to the peer */
        p.seq++;
        victim_wait(&v, PL_S);
        (void)victim_hush(&v);
        assert_true(inside(&p)->rcv.wnd > 900000);
        uint32_t before = chunks_taken();
        assert_int_equal(gives_byte(&p, 900000, 1), PL_DROP_TCP_NO_CHUNK);
        (void)victim_hush(&v);
        assert_int_equal(chunks_taken(), before);
        for (uint32_t n = 0; n < 2000; n++) {
            (void)gives_byte(&p, 1 + n * 331 % 1000000, 1);
            (void)victim_hush(&v);
        }
        assert_in_range(chunks_taken(), before, before + (64 << 10) / 512 + 8);     /* 64 KiB are believed, and little more for each byte that came */
        char got[8];
        assert_int_equal(pl_recv(v.s, p.c, got, 1), 1);
        assert_int_equal(gives_byte(&p, 0, 1), PL_DROP_NONE);
        victim_wait(&v, PL_S);
        (void)victim_hush(&v);
        forget(&p);
        assert_int_equal(chunks_taken(), 0);
    }
}

/* All connections but one fill what they can with text behind gaps: the last one goes on working, and so do they. */
static void v35_text_behind_gaps_leaves_room_for_text_in_order(void **state)
{
    (void)state;
    struct pl_config c = victim_config();
    c.chunks_max = 60;
    remake(&c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p[12];
        for (unsigned i = 0; i < 12; i++)
            p[i] = peer_connects(&v, v6, &(struct peer_wish){.number = i});
        for (unsigned n = 0; n < 4000; n++) {
            (void)gives_byte(&p[n % 11], 1 + n * 37 % 4000, 1 + n % 90);
            (void)victim_hush(&v);
            assert_true(ranges_of(&p[n % 11]) <= c.gaps_per_conn_max);
            if (n % 500 == 499)
                peer_works(&p[11], "others' gaps");
        }
        assert_true(chunks_free(&v.s->pools.chunks) >= 60 / 16 + 2);
        assert_true(victim_drops(&v, PL_DROP_TCP_NO_CHUNK) + victim_drops(&v, PL_DROP_TCP_TOO_MANY_GAPS) > 1000);
        for (unsigned i = 0; i < 12; i++)
            forget(&p[i]);
        assert_int_equal(chunks_taken(), 0);
    }
}

/* -------------------------------------------------- V46, V47: SYN flood, cookies -------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
enum { FLOOD = 100000 };
#else
enum { FLOOD = 1000000 };
#endif

struct flood {
    uint8_t frames[64][80];
    uint32_t n;                           /* SYNs sent so far */
    uint64_t answers;
};

/* 64 SYNs from addresses that nobody has, and whatever is said in return. */
static void flood_64(struct flood *fl)
{
    struct pl_frame in[64], out[64];
    static uint8_t room[64][PL_HEADER_BYTES_MAX];
    memset(in, 0, sizeof in);
    for (unsigned i = 0; i < 64; i++, fl->n++) {
        bool v6 = i & 1;
        struct forged f = {.src = victim_stranger(v6, 1000 + fl->n % 100000, (uint16_t)(1024 + fl->n % 60000)),
                           .dst = victim_endpoint(v6, VICTIM_PORT), .seq = fl->n * 2654435761u, .flags = PL_SYN, .wnd = 1000};
        in[i].span[0] = (struct pl_span){fl->frames[i], forge_tcp(fl->frames[i], &f)};
        in[i].nspans = 1;
    }
    v.now += 64 * 100 * PL_US;
    assert_int_equal(pl_rx(v.s, 0, in, 64, v.now), PL_OK);
    for (int got = 1; got > 0;) {
        memset(out, 0, sizeof out);
        for (unsigned i = 0; i < 64; i++)
            out[i].span[0] = (struct pl_span){room[i], sizeof room[i]};
        got = pl_tx(v.s, 0, out, 64, v.now);
        fl->answers += (unsigned)got;
    }
}

/* A client that is served although there is no room for it. The connection; c 0: it was not. */
static struct peer cookied(bool v6, uint32_t number, const struct wire_tcp_opts *opts)
{
    struct peer p = {.v = &v, .at = victim_stranger(v6, number, 50000), .victim = victim_endpoint(v6, VICTIM_PORT), .iss = 77 * number,
                     .seq = 77 * number + 1, .wnd = 5000, .ts_val = opts->ts_val};
    struct forged f = {.src = p.at, .dst = p.victim, .seq = p.iss, .flags = PL_SYN, .wnd = p.wnd, .opts = *opts};
    assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_COOKIE_SENT);
    assert_true(victim_take(&v, &f));
    assert_int_equal(v.why, PL_WHY_SYN_ACK_COOKIE);
    assert_int_equal(f.flags, PL_SYN | PL_ACK);
    assert_int_equal(f.ack, p.seq);
    p.irs = f.seq, p.ack = f.seq + 1;
    p.syn = f.opts;
    p.ts = f.opts.have & WIRE_OPT_TIMESTAMPS;
    p.ts_ecr = f.opts.ts_val;
    return p;
}

static void enter(struct peer *p)
{
    p->ts_val++;
    assert_int_equal(peer_says(p, PL_ACK, NULL), PL_DROP_NONE);
    assert_int_equal(pl_accept(v.s, v.listener, &p->c, NULL), PL_OK);
    (void)victim_events(&v, 0);
}

static void flood(bool cookies)
{
    static struct flood fl;
    struct pl_config c = victim_config();
    c.half_open_max = 1024;
    c.owed_max = 64;
    c.timestamps = true;
    c.syn_cookies = cookies;
    remake(&c);
    memset(&fl, 0, sizeof fl);
    struct peer p[2] = {peer_connects(&v, false, NULL), peer_connects(&v, true, NULL)};
    size_t bytes = pl_stack_bytes(v.s);
    uint32_t chunks = chunks_taken(), served = 0;
    pl_trace_fn *trace = v.env.trace;
    while (fl.n < FLOOD) {
        v.env.trace = NULL;
        for (unsigned i = 0; i < 500; i++)
            flood_64(&fl);
        v.env.trace = trace;
        assert_in_range(v.s->half_opens.used, 900, 1024);
        assert_int_equal(v.s->pools.conns.used, 2);
        assert_int_equal(chunks_taken(), chunks);
        assert_int_equal(pl_stack_bytes(v.s), bytes);
        (void)victim_hush(&v);
        peer_works(&p[0], "a flood of SYNs");
        peer_works(&p[1], "a flood of SYNs");
        if (!cookies)
            continue;
        flood_64(&fl);                    /* fill up what has expired */
        (void)victim_hush(&v);
        for (unsigned v6 = 0; v6 < 2; v6++) {
            struct peer q = cookied(v6, 7, &(struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS | WIRE_OPT_WSCALE | WIRE_OPT_SACK_PERMITTED,
                                                                   .wscale = 7, .ts_val = 5});
            enter(&q);
            peer_works(&q, "a flood of SYNs, by cookie");
            assert_int_equal(peer_status(&q).snd_wscale, 7);
            assert_true(peer_status(&q).timestamps && peer_status(&q).sack);
            forget(&q);
            served++;
        }
    }
    uint64_t turned_away = victim_drops(&v, cookies ? PL_DROP_TCP_COOKIE_SENT : PL_DROP_TCP_BACKLOG);
    assert_int_equal(victim_drops(&v, cookies ? PL_DROP_TCP_BACKLOG : PL_DROP_TCP_COOKIE_SENT), 0);
    assert_true(turned_away > FLOOD - FLOOD / 20 && turned_away < fl.n + 2 * served);
    if (!cookies)                         /* V56: what could be remembered is answered six times at most, the rest not at all */
        assert_true(fl.answers <= 6 * (fl.n - turned_away));
    else
        assert_true(fl.answers <= fl.n + 6 * 1024 * (1 + (uint64_t)fl.n / 10000 / 60));
    (void)victim_run(&v, 200 * PL_S, NULL, NULL);
    assert_int_equal(v.s->half_opens.used, 0);
    struct peer q = peer_connects(&v, true, &(struct peer_wish){.number = 9});      /* and when it is over, everything is as before */
    peer_works(&q, "the flood's end");
    forget(&q);
    forget(&p[0]);
    forget(&p[1]);
}

static void v46_a_million_forged_syns_harm_no_connection_and_take_no_memory(void **state)
{
    (void)state;
    flood(false);
}

static void v46_a_million_forged_syns_and_cookies_for_who_is_real(void **state)
{
    (void)state;
    flood(true);
}

/* A listener that asks the program first: SYNs wait up to its backlog and for its time, the rest is dropped by name: no answer, no cookie, no memory; the other
 * listener has its own share of the table. */
static void v46_a_deferred_listener_holds_its_backlog_and_answers_nobody(void **state)
{
    enum { WAIT = 100 };
    struct pl_config c = victim_config();
    struct pl_listen_params all = {.catch_all = true, .deferred = true, .backlog = WAIT};
    pl_listener l;
    pl_incoming in;
    (void)state;
    c.half_open_max = WAIT + 20;
    c.deferred_timeout = 10 * PL_S;
    remake(&c);
    assert_int_equal(pl_listen(v.s, &all, &l), PL_OK);
    struct peer p = peer_connects(&v, true, NULL);
    uint32_t chunks = chunks_taken();
    for (uint32_t n = 0; n < 200000; n++) {
        struct forged f = {.src = victim_stranger(n & 1, n, 9), .dst = forge_endpoint(n & 1 ? "2001:db8:dead::1" : "203.0.113.9", (uint16_t)n), .seq = n,
                           .flags = PL_SYN, .wnd = 1000};
        enum pl_drop drop = victim_give(&v, &f);
        if (drop != (n % 50000 < WAIT ? PL_DROP_NONE : PL_DROP_TCP_BACKLOG))
            fail_msg("SYN %u: %s", n, pl_drop_name(drop));
        if (n % 5000 == 0) {
            assert_in_range(v.s->half_opens.used, 1, WAIT);
            peer_works(&p, "a flood at another listener");
            struct peer q = peer_connects(&v, false, &(struct peer_wish){.number = 77});    /* without a cookie: there is room */
            forget(&q);
            for (unsigned i = 0; i < 3 && n % 50000; i++)               /* given to the program, they count all the same */
                assert_int_equal(pl_incoming_next(v.s, l, &in, NULL, NULL), PL_OK);
        }
        if (n % 50000 == 49999) {
            victim_wait(&v, 10 * PL_S);
            assert_int_equal(v.s->half_opens.used, 0);
            assert_int_equal(pl_incoming_next(v.s, l, &in, NULL, NULL), PL_EAGAIN);
        }
    }
    victim_silent(&v);
    assert_int_equal(chunks_taken(), chunks);
    assert_int_equal(victim_drops(&v, PL_DROP_TCP_COOKIE_SENT), 0);
    assert_int_equal(pl_close(v.s, l), PL_OK);
    forget(&p);
}

static void fill_half_open(bool v6, uint32_t from)
{
    for (uint32_t n = from; v.s->half_opens.used < v.s->half_opens.capacity; n++) {
        struct forged f = {.src = victim_stranger(v6, n, 9), .dst = victim_endpoint(v6, VICTIM_PORT), .seq = n, .flags = PL_SYN, .wnd = 1000};
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(victim_hush(&v), 1);
        assert_int_equal(v.why, PL_WHY_SYN_ACK_ANSWER);             /* no cookie while there is room */
    }
}

static void v47_a_cookie_keeps_the_options_it_can_and_offers_no_others(void **state)
{
    (void)state;
    static const uint16_t mss[][2] = {{0, 48}, {100, 48}, {536, 536}, {1459, 1440}, {1460, 1460}, {65535, 8940}};
    struct pl_config config = config_with_timestamps();
    remake(&config);
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < 2 * COUNT_OF(mss); i++) {
            fill_half_open(v6, 1000);
            bool ts = i & 1;
            struct wire_tcp_opts opts = {.have = (uint8_t)(WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED | WIRE_OPT_WSCALE | (ts ? WIRE_OPT_TIMESTAMPS : 0)),
                                         .mss = mss[i / 2][0], .wscale = (uint8_t)(i + 3), .ts_val = 0xfffffff0};
            struct peer p = cookied(v6, 100 + i, &opts);
            uint8_t agreed = p.syn.have & (WIRE_OPT_SACK_PERMITTED | WIRE_OPT_WSCALE | WIRE_OPT_TIMESTAMPS);
            assert_int_equal(agreed, ts ? WIRE_OPT_SACK_PERMITTED | WIRE_OPT_WSCALE | WIRE_OPT_TIMESTAMPS : 0);
            enter(&p);
            struct pl_tcp_status st = peer_status(&p);
            assert_int_equal(st.timestamps, ts);
            assert_int_equal(st.sack, ts);
            assert_int_equal(st.snd_wscale, ts ? (i + 3 > 14 ? 14 : i + 3) : 0);
            assert_int_equal(st.peer_mss, mss[i / 2][1]);
            assert_true(st.mss >= 48);
            peer_works(&p, "a cookie");
            forget(&p);
        }
}

static bool believed(const struct forged *f)
{
    pl_conn c;
    enum pl_drop drop = victim_give(&v, f);
    (void)victim_hush(&v);
    bool yes = pl_accept(v.s, v.listener, &c, NULL) == PL_OK;
    if (yes) {
        assert_int_equal(pl_abort(v.s, c), PL_OK);
        assert_int_equal(pl_close(v.s, c), PL_OK);
        (void)victim_hush(&v);
    } else {
        assert_int_equal(drop, PL_DROP_TCP_LISTEN_ACK);
    }
    return yes;
}

static void v47_a_cookie_cannot_be_guessed_changed_or_used_by_another(void **state)
{
    (void)state;
    struct pl_config config = config_with_timestamps();
    remake(&config);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        fill_half_open(v6, 1000);
        struct wire_tcp_opts opts = {.have = WIRE_OPT_MSS | WIRE_OPT_TIMESTAMPS | WIRE_OPT_WSCALE, .mss = 1460, .wscale = 2, .ts_val = 1};
        struct peer p = cookied(v6, 5, &opts);
        struct forged good = peer_segment(&p, PL_ACK), f;
        for (unsigned bit = 0; bit < 32; bit++) {
            f = good, f.ack ^= 1u << bit;
            assert_false(believed(&f));
            f = good, f.seq ^= 1u << bit;
            assert_false(believed(&f));
        }
        for (unsigned bit = 0; bit < 6; bit++) {               /* scale and SACK ride in the timestamp */
            f = good, f.opts.ts_ecr ^= 1u << bit;
            assert_false(believed(&f));
        }
        f = good, f.opts.have = 0;
        assert_false(believed(&f));
        f = good, f.src.port++;
        assert_false(believed(&f));
        f = good, f.src = victim_stranger(v6, 6, f.src.port);
        assert_false(believed(&f));
        uint32_t x = 99;
        for (unsigned n = 0; n < 20000; n++) {
            f = good;
            x = x * 1664525 + 1013904223;
            f.ack = (x & 0xffffff00) | (good.ack & 0xff);        /* the counter and the MSS can be known */
            if (f.ack != good.ack)
                assert_false(believed(&f));
            if (n % 400 == 0)
                victim_wait(&v, 10 * PL_MS);
        }
        fill_half_open(v6, 5000);
        assert_true(believed(&good));
        victim_wait(&v, 200 * PL_S);
        (void)victim_run(&v, 200 * PL_S, NULL, NULL);
    }
}

static void v47_a_cookie_ages_and_counts_only_while_there_is_no_room(void **state)
{
    (void)state;
    struct pl_config config = config_with_timestamps();
    remake(&config);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct wire_tcp_opts opts = {.have = WIRE_OPT_MSS, .mss = 1460};
        fill_half_open(v6, 1000);
        struct peer old = cookied(v6, 5, &opts);
        struct forged replay = peer_segment(&old, PL_ACK);
        assert_true(believed(&replay));
        for (unsigned i = 1; i <= 13; i++) {                   /* 130 s later the flood still goes on: two periods are over */
            (void)victim_run(&v, 10 * PL_S, NULL, NULL);
            fill_half_open(v6, 1000 + 100 * i);
            (void)cookied(v6, 100 + i, &opts);
        }
        assert_false(believed(&replay));
        struct peer last = cookied(v6, 300, &opts);
        struct forged late = peer_segment(&last, PL_ACK);
        (void)victim_run(&v, 129 * PL_S, NULL, NULL);      /* the flood is over: nobody may try numbers on an idle listener */
        assert_false(believed(&late));
        assert_int_equal(v.s->half_opens.used, 0);
    }
}

/* -------------------------------------------------- V48, V49: connections that nobody ends -------------------------------------------------- */

/* The peers answer everything: here is what I have; do not send more. */
struct crowd {
    struct peer p[10];
    unsigned n, resets;
    uint16_t wnd;
    bool ack_all;                         /* takes what arrives, else nothing beyond the SYN */
};
static void answers(void *user, const struct forged *f)
{
    struct crowd *crowd = user;
    for (unsigned i = 0; i < crowd->n; i++) {
        struct peer *p = &crowd->p[i];
        if (memcmp(&p->at, &f->dst, sizeof p->at) != 0)
            continue;
        crowd->resets += f->flags & PL_RST ? 1 : 0;
        if (f->flags & PL_RST)
            return;
        if (crowd->ack_all && f->seq == p->ack)
            p->ack += (uint32_t)f->text_bytes + (f->flags & PL_FIN ? 1 : 0);
        p->wnd = crowd->wnd;
        (void)peer_says(p, PL_ACK, NULL);
    }
}

static void v48_a_closed_window_holds_no_connection_that_nobody_owns(void **state)
{
    (void)state;
    static const char text[2000] = {1};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned how = 0; how < 3; how++) {
            struct crowd crowd = {.n = 10};
            for (unsigned i = 0; i < crowd.n; i++)
                crowd.p[i] = peer_connects(&v, v6, &(struct peer_wish){.number = i});
            for (unsigned i = 0; i < crowd.n; i++) {
                if (how == 0) {           /* closed before anything was sent */
                    crowd.p[i].wnd = 0;
                    assert_int_equal(peer_says(&crowd.p[i], PL_ACK, NULL), PL_DROP_NONE);
                }
                assert_int_equal(pl_send(v.s, crowd.p[i].c, text, sizeof text), sizeof text);
                if (how == 2)             /* some of it was taken */
                    crowd.ack_all = true;
            }
            assert_true(chunks_taken() >= 4 * crowd.n);
            (void)victim_run(&v, PL_S, answers, &crowd);
            crowd.ack_all = false;
            for (unsigned i = 0; i < crowd.n; i++) {
                if (how == 2)
                    assert_int_equal(pl_send(v.s, crowd.p[i].c, text, sizeof text), sizeof text);
                assert_int_equal(pl_close(v.s, crowd.p[i].c), PL_OK);
            }
            assert_int_equal(v.s->pools.conns.used, crowd.n);
            (void)victim_run(&v, 60 * PL_S, answers, &crowd);
            struct peer other = peer_connects(&v, v6, &(struct peer_wish){.number = 99});       /* meanwhile others are served */
            peer_works(&other, "zero windows");
            forget(&other);
            (void)victim_run(&v, 61 * PL_S, answers, &crowd);
            assert_int_equal(v.s->pools.conns.used, 0);
            assert_int_equal(crowd.resets, crowd.n);           /* and the peers are told */
            assert_int_equal(chunks_taken(), 0);
        }
}

static void v48_an_owner_may_wait_for_ever_or_name_a_bound(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct crowd crowd = {.n = 2};
        for (unsigned i = 0; i < 2; i++)
            crowd.p[i] = peer_connects(&v, v6, &(struct peer_wish){.number = i});
        for (unsigned i = 0; i < 2; i++) {
            crowd.p[i].wnd = 0;
            assert_int_equal(peer_says(&crowd.p[i], PL_ACK, NULL), PL_DROP_NONE);
            if (i == 1)
                assert_int_equal(pl_set(v.s, crowd.p[i].c, PL_OPT_USER_TIMEOUT, (int64_t)(30 * PL_S)), PL_OK);
            assert_int_equal(pl_send(v.s, crowd.p[i].c, "text", 4), 4);
        }
        (void)victim_run(&v, 31 * PL_S, answers, &crowd);
        assert_int_equal(peer_state(&crowd.p[1]), PL_CLOSED);
        assert_int_equal(pl_error(v.s, crowd.p[1].c), PL_ETIMEDOUT);
        unsigned probes = victim_run(&v, (pl_time)30 * 86400 * PL_S, answers, &crowd);       /* RFC 9293 3.8.6.1, MUST-37 */
        assert_int_equal(peer_state(&crowd.p[0]), PL_ESTABLISHED);
        assert_in_range(probes, 30 * 86400 / 130, 30 * 86400 / 110);
        crowd.p[0].wnd = 1000;
        assert_int_equal(peer_says(&crowd.p[0], PL_ACK, NULL), PL_DROP_NONE);
        peer_hears(&crowd.p[0], PL_ACK | PL_PSH, 4, PL_WHY_DATA_NEW);
        assert_int_equal(peer_says(&crowd.p[0], PL_ACK, NULL), PL_DROP_NONE);
        peer_works(&crowd.p[0], "a month without window");
        forget(&crowd.p[0]);
        forget(&crowd.p[1]);
    }
}

/* Brings a connection into a closing state and gives its handle back. */
static struct peer orphan_in(enum pl_state to, bool v6, uint32_t number, bool text)
{
    struct peer p = peer_connects(&v, v6, &(struct peer_wish){.number = number});
    if (to == PL_LAST_ACK)
        assert_int_equal(peer_says(&p, PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
    if (text)
        assert_int_equal(pl_send(v.s, p.c, "text", 4), 4);
    assert_int_equal(pl_finish(v.s, p.c), PL_OK);
    (void)victim_hush(&v);
    if (to == PL_FIN_WAIT_2)
        p.ack += 1 + (text ? 4 : 0), assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
    if (to == PL_CLOSING)
        assert_int_equal(peer_says(&p, PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
    assert_int_equal(peer_state(&p), to);
    assert_int_equal(pl_close(v.s, p.c), PL_OK);
    (void)victim_hush(&v);
    return p;
}

enum behaviour { SILENT, REPEATS_ITS_ACK, ASKS_WHETHER_ALIVE, CLOSES_ITS_WINDOW, SENDS_OLD_TEXT, CHALLENGED_RESETS, BEHAVIOURS };

static void v49_every_orphan_reaches_closed(void **state)
{
    (void)state;
    static const struct {
        enum pl_state state;
        unsigned seconds;
    } rows[] = {{PL_FIN_WAIT_1, 120}, {PL_FIN_WAIT_2, 60}, {PL_CLOSING, 120}, {PL_LAST_ACK, 120}};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned r = 0; r < COUNT_OF(rows); r++)
            for (unsigned b = 0; b < 2 * BEHAVIOURS; b++) {
                struct peer p = orphan_in(rows[r].state, v6, b, b & 1);
                pl_time begin = v.now;
                assert_int_equal(count(rows[r].state), 1);
                while (v.now - begin < (rows[r].seconds + 1) * PL_S) {
                    struct forged f = peer_segment(&p, PL_ACK);
                    switch ((enum behaviour)(b / 2)) {
                    case ASKS_WHETHER_ALIVE:
                        f.seq--;
                        break;
                    case CLOSES_ITS_WINDOW:
                        f.wnd = 0;
                        break;
                    case SENDS_OLD_TEXT:
                        f.seq -= 10, f.text_bytes = 10;
                        break;
                    case CHALLENGED_RESETS:
                        f.seq += 10, f.flags = PL_RST;
                        break;
                    default:
                        break;
                    }
                    if (b / 2 != SILENT)
                        (void)victim_give(&v, &f);
                    (void)victim_run(&v, PL_S / 2, NULL, NULL);
                }
                if (v.s->pools.conns.used || v.s->time_waits.used)
                    fail_msg("row %u, behaviour %u: a connection is left after %u s", r, b, rows[r].seconds);
                assert_int_equal(chunks_taken(), 0);
                assert_int_equal(v.s->pools.flights.used + v.s->pools.records.used + v.s->pools.gaps.used, 0);
            }
}

/* Half-open entries and connections that wait to be accepted, when their listener is closed; and a FIN-WAIT-2 that its program still owns. */
static void v49_what_has_no_listener_any_more_ends_and_what_has_an_owner_does_not(void **state)
{
    (void)state;
    (void)peer_half_open(&v, false, &(struct peer_wish){.number = 1});
    struct peer waiting = peer_half_open(&v, true, &(struct peer_wish){.number = 2});
    struct peer owned = peer_connects(&v, true, &(struct peer_wish){.number = 3});
    assert_int_equal(peer_says(&waiting, PL_ACK | PL_PSH, "text"), PL_DROP_NONE);
    (void)victim_hush(&v);
    assert_int_equal(pl_finish(v.s, owned.c), PL_OK);
    peer_hears(&owned, PL_FIN | PL_ACK, 0, PL_WHY_FIN_CLOSE);
    assert_int_equal(peer_says(&owned, PL_ACK, NULL), PL_DROP_NONE);
    assert_int_equal(pl_close(v.s, v.listener), PL_OK);
    assert_int_equal(victim_hush(&v), 2);                       /* both are reset */
    assert_int_equal(v.s->half_opens.used, 0);
    assert_int_equal(v.s->pools.conns.used, 1);
    (void)victim_run(&v, 86400 * PL_S, NULL, NULL);
    assert_int_equal(peer_state(&owned), PL_FIN_WAIT_2);
    assert_int_equal(peer_says(&owned, PL_ACK | PL_PSH, "late"), PL_DROP_NONE);
    char got[8];
    assert_int_equal(pl_recv(v.s, owned.c, got, sizeof got), 4);
    assert_int_equal(pl_close(v.s, owned.c), PL_OK);
    (void)victim_run(&v, 61 * PL_S, NULL, NULL);
    assert_null(block_is_empty(v.s));
}

/* -------------------------------------------------- V55: calls at every moment -------------------------------------------------- */

enum action { CLOSE, ABORT, ABORT_AND_CLOSE, FINISH, READ_AND_CLOSE, SEND, CLOSE_TWICE, CLOSE_LISTENER, ACTIONS };

struct play {
    struct duo d;
    pl_listener listener;
    bool v6;
    unsigned position, at, host;          /* the position at which `action` is taken by `host` */
    enum action action;
    pl_handle gone[2][32];                /* given back: nothing more is told of them */
    unsigned gones[2];
};

static int give_back(struct play *y, unsigned host, pl_handle h)
{
    int e = pl_close(y->d.s[host], h);
    if (e == PL_OK && y->gones[host] < 32)
        y->gone[host][y->gones[host]++] = h;
    return e;
}

static void act(struct play *y, unsigned host, pl_handle h)
{
    pl_stack *s = y->d.s[host];
    char text[64];
    switch (y->action) {
    case CLOSE_TWICE:
        (void)give_back(y, host, h);
        assert_int_equal(pl_close(s, h), PL_EHANDLE);
        assert_int_equal(pl_abort(s, h), PL_EHANDLE);
        assert_int_equal(pl_send(s, h, "x", 1), PL_EHANDLE);
        break;
    case CLOSE_LISTENER:
        (void)give_back(y, 1, y->listener);
        break;
    case ABORT_AND_CLOSE:
        (void)pl_abort(s, h);
        (void)give_back(y, host, h);
        break;
    case READ_AND_CLOSE:
        (void)pl_recv(s, h, text, sizeof text);
        (void)give_back(y, host, h);
        break;
    case CLOSE:
        (void)give_back(y, host, h);
        break;
    case ABORT:
        (void)pl_abort(s, h);
        break;
    case FINISH:
        (void)pl_finish(s, h);
        break;
    default:
        (void)pl_send(s, h, "more", 4);
        break;
    }
}

/* One more moment at which a program might do something: for this connection, or for all that the host has. */
static void moment(struct play *y, unsigned host, pl_handle h)
{
    if (++y->position != y->at || (h && host != y->host))
        return;
    if (h) {
        act(y, host, h);
        return;
    }
    pl_conn c;
    for (uint32_t cursor = 0; pl_conn_next(y->d.s[y->host], &cursor, &c);)
        act(y, y->host, c);
}

static void program(struct play *y, unsigned host)
{
    pl_stack *s = y->d.s[host];
    struct pl_event e;
    char text[256] = {0};
    while (pl_event_next(s, &e)) {
        pl_conn c = e.handle;
        for (unsigned i = 0; i < y->gones[host]; i++)
            assert_true(e.handle != y->gone[host][i]);
        moment(y, host, c);
        if (e.bits & PL_EV_ACCEPTABLE)
            while (pl_accept(s, e.handle, &c, NULL) == PL_OK) {
                moment(y, host, c);
                (void)pl_send_urgent(s, c, text, 100);
            }
        moment(y, host, c);
        if (e.bits & PL_EV_CONNECTED && host == 0)
            (void)pl_send(s, c, text, 200);
        if (e.bits & PL_EV_READABLE && !(e.bits & PL_EV_ACCEPTABLE)) {
            ptrdiff_t got = pl_recv(s, c, text, sizeof text);
            moment(y, host, c);
            if (got > 0 && host == 0)
                (void)pl_finish(s, c);
            if (got == 0 || e.bits & PL_EV_PEER_FINISHED)
                (void)pl_finish(s, c);
        }
        moment(y, host, c);
        if (e.bits & PL_EV_CLOSED)
            (void)give_back(y, host, c);
    }
}

/* A connection's whole life; how many moments it had. */
static unsigned plays(bool v6, unsigned at, unsigned host, enum action action)
{
    struct play y = {.v6 = v6, .at = at, .host = host, .action = action};
    duo_init(&y.d, NULL, false);
    y.listener = duo_listen(&y.d, 1, 80, 4);
    pl_conn client = duo_connect(&y.d, 0, v6, 80);
    for (unsigned round = 0; round < 60; round++) {
        uint8_t frame[DUO_FRAME_BYTES];
        for (unsigned h = 0; h < 2; h++) {
            for (size_t n; (n = duo_take(&y.d, h, frame)) != 0;) {
                moment(&y, h, 0);         /* between the sending and the arrival */
                duo_give(&y.d, 1 - h, frame, n);
                moment(&y, 1 - h, 0);     /* before its events are taken */
                program(&y, 1 - h);
            }
            program(&y, h);
        }
        y.d.now += round < 30 ? 20 * PL_MS : 10 * PL_S;
        pl_poll(y.d.s[0], y.d.now);
        moment(&y, 0, 0);
        pl_poll(y.d.s[1], y.d.now);
    }
    (void)pl_close(y.d.s[0], client);
    (void)pl_close(y.d.s[1], y.listener);
    pl_conn c;
    for (unsigned h = 0; h < 2; h++)
        for (uint32_t cursor = 0; pl_conn_next(y.d.s[h], &cursor, &c);)
            assert_int_equal(pl_close(y.d.s[h], c), PL_OK);
    duo_run(&y.d, 300 * PL_S);
    for (unsigned h = 0; h < 2; h++) {
        const char *left = block_is_empty(y.d.s[h]), *dirty = block_free_slots_are_zero(y.d.s[h]);
        if (left || dirty)
            fail_msg("action %d of host %u at moment %u: %s", (int)action, host, at, left ? left : dirty);
    }
    duo_free(&y.d);
    return y.position;
}

static void v55_any_call_at_any_moment_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        unsigned moments = plays(v6, 0, 0, CLOSE);
        assert_in_range(moments, 60, 400);
        for (unsigned at = 1; at <= moments; at++)
            for (unsigned host = 0; host < 2; host++)
                for (unsigned a = 0; a < ACTIONS; a++)
                    (void)plays(v6, at, host, (enum action)a);
    }
}

/* The peer's RST and FIN arrive while text is being repeated, and the program acts on the event: nothing is repeated afterwards. */
static void v55_nothing_is_repeated_after_the_peers_reset(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned when = 0; when < 3; when++) {
            struct peer p = peer_connects(&v, v6, &(struct peer_wish){.number = when});
            assert_int_equal(pl_send(v.s, p.c, "text", 4), 4);
            if (when > 0)
                (void)victim_hush(&v);
            if (when > 1)
                victim_wait(&v, 3 * PL_S);        /* the repetition is due and not taken yet */
            struct forged f = peer_segment(&p, PL_RST | PL_ACK);
            assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_RST_TAKEN);
            assert_true(victim_events(&v, p.c) & PL_EV_ERROR);
            assert_int_equal(pl_abort(v.s, p.c), PL_ECONNRESET);
            assert_int_equal(pl_send(v.s, p.c, "x", 1), PL_ECONNRESET);
            assert_int_equal(pl_close(v.s, p.c), PL_OK);
            assert_int_equal(victim_run(&v, 300 * PL_S, NULL, NULL), 0);
            assert_int_equal(v.s->pools.conns.used, 0);
            assert_int_equal(chunks_taken(), 0);
        }
}

/* ------------------------------------------------------------ V56: amplification ------------------------------------------------------------ */

enum { SYN_ACKS = 1 + 5 };

struct tally {
    unsigned frames;
    size_t bytes, text;
};
static void tally(void *user, const struct forged *f)
{
    struct tally *t = user;
    t->frames++;
    t->bytes += v.frame_bytes;
    t->text += f->text_bytes;
}

static void v56_a_forged_syn_brings_six_answers_of_its_own_size(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned text = 0; text < 2; text++) {
            struct forged f = {.src = victim_stranger(v6, 1, 9), .dst = victim_endpoint(v6, VICTIM_PORT), .seq = 5, .flags = PL_SYN, .wnd = 1000,
                               .text_bytes = text ? 1000 : 0};
            struct tally t = {0};
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            (void)victim_run(&v, 600 * PL_S, tally, &t);
            assert_in_range(t.frames, 1, SYN_ACKS);
            assert_true(t.bytes <= t.frames * (v6 ? 60u : 40u) + t.frames * 24u);
            assert_int_equal(t.text, 0);
            assert_int_equal(v.s->half_opens.used, 0);
        }
}

/* Text, FINs and acknowledgements before the handshake is done: at most one small answer each, never text, and no program hears of it. */
static void v56_nothing_is_echoed_before_the_handshake_is_done(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned flags = 0; flags < 256; flags++)
            for (unsigned where = 0; where < 3; where++) {     /* a half-open entry, the listener, a port where nobody listens */
                struct peer p = peer_half_open(&v, v6, &(struct peer_wish){.number = flags});
                struct forged f = peer_segment(&p, (uint8_t)flags);
                struct tally t = {0};
                f.text_bytes = 1000;
                f.ack = 12345;
                if (where)
                    f.src.port++;
                if (where == 2)
                    f.dst.port++;
                (void)victim_give(&v, &f);
                while (victim_take(&v, &f))
                    tally(&t, &f);
                assert_in_range(t.frames, 0, 1);
                assert_true(t.bytes <= (v6 ? 84 : 64));
                assert_int_equal(t.text, 0);
                assert_int_equal(v.s->pools.conns.used, 0);
                assert_false(pl_event_next(v.s, &(struct pl_event){.bits = 0}));
                for (unsigned k = 0; k < 2; k++) {            /* away with the entries */
                    f = peer_segment(&p, PL_RST);
                    f.src.port = (uint16_t)(p.at.port + k);
                    f.seq += k;           /* its SYN had the number after the other's */
                    (void)victim_give(&v, &f);
                    (void)victim_hush(&v);
                }
                assert_int_equal(v.s->half_opens.used, 0);
                v.now += 2 * PL_MS;       /* the bucket of resets */
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v35_a_thousand_tiny_gaps_take_no_more_than_their_share, make, unmake),
        cmocka_unit_test_setup_teardown(v35_a_byte_at_the_far_end_of_a_large_window_is_not_believed, make, unmake),
        cmocka_unit_test_setup_teardown(v35_text_behind_gaps_leaves_room_for_text_in_order, make, unmake),
        cmocka_unit_test_setup_teardown(v46_a_million_forged_syns_harm_no_connection_and_take_no_memory, make, unmake),
        cmocka_unit_test_setup_teardown(v46_a_million_forged_syns_and_cookies_for_who_is_real, make, unmake),
        cmocka_unit_test_setup_teardown(v46_a_deferred_listener_holds_its_backlog_and_answers_nobody, make, unmake),
        cmocka_unit_test_setup_teardown(v47_a_cookie_keeps_the_options_it_can_and_offers_no_others, make, unmake),
        cmocka_unit_test_setup_teardown(v47_a_cookie_cannot_be_guessed_changed_or_used_by_another, make, unmake),
        cmocka_unit_test_setup_teardown(v47_a_cookie_ages_and_counts_only_while_there_is_no_room, make, unmake),
        cmocka_unit_test_setup_teardown(v48_a_closed_window_holds_no_connection_that_nobody_owns, make, unmake),
        cmocka_unit_test_setup_teardown(v48_an_owner_may_wait_for_ever_or_name_a_bound, make, unmake),
        cmocka_unit_test_setup_teardown(v49_every_orphan_reaches_closed, make, unmake),
        cmocka_unit_test_setup_teardown(v49_what_has_no_listener_any_more_ends_and_what_has_an_owner_does_not, make, unmake),
        cmocka_unit_test(v55_any_call_at_any_moment_leaves_nothing_behind),
        cmocka_unit_test_setup_teardown(v55_nothing_is_repeated_after_the_peers_reset, make, unmake),
        cmocka_unit_test_setup_teardown(v56_a_forged_syn_brings_six_answers_of_its_own_size, make, unmake),
        cmocka_unit_test_setup_teardown(v56_nothing_is_echoed_before_the_handshake_is_done, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
