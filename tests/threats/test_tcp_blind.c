/* SPDX-License-Identifier: MIT
 *
 * Threats V36, V41 to V45, V50, V51, V53, V54 and V59: somebody beside the path, or a peer that lies: guessed numbers, resets, SYNs, text and
 * acknowledgements that cannot be. Each row names the drop and the answer, and the connection goes on working. IPv4 and IPv6.
 */
#include "support/duo.h"
#include "support/victim_case.h"

enum { DAY = 86400 };

/* An answer of the connection as it is: its own numbers, whatever the segment claimed. */
static void hears_where_we_are(struct peer *p, enum pl_reason why)
{
    if (why)
        peer_hears(p, PL_ACK, 0, why);
    victim_silent(p->v);
}

static void expect_drop(const char *name, enum pl_drop drop, enum pl_drop expected)
{
    if (drop != expected)
        fail_msg("%s: %s, not %s", name, pl_drop_name(drop), pl_drop_name(expected));
}

static const uint32_t isses[] = {5000, 0xffffff00, 0x7fffff00};

static struct peer_wish at_isn(unsigned i, uint32_t number)
{
    return (struct peer_wish){.iss = isses[i % COUNT_OF(isses)], .victim_iss = isses[(i + 1) % COUNT_OF(isses)], .fix_iss = true, .number = number};
}

/* ------------------------------------------------------------ V36 ------------------------------------------------------------ */

static void gives_text(struct peer *p, uint32_t from, uint32_t n, char with)
{
    char text[1000];
    struct forged f = peer_segment(p, PL_ACK);
    memset(text, with, n);
    f.seq += from;
    f.text = text;
    f.text_bytes = n;
    (void)victim_give(&v, &f);
    (void)victim_hush(&v);
}

static void v36_of_two_versions_of_a_byte_the_first_wins(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(isses); i++) {
        struct peer_wish w = at_isn(i / 2, i);
        struct peer p = peer_connects(&v, i & 1, &w);
        char got[1000], expected[1000];
        gives_text(&p, 100, 100, 'a');    /* behind a gap */
        gives_text(&p, 300, 100, 'b');
        gives_text(&p, 100, 100, 'C');    /* the same again */
        gives_text(&p, 50, 400, 'd');     /* over both and around them */
        gives_text(&p, 150, 200, 'E');
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), PL_EAGAIN);
        gives_text(&p, 0, 500, 'f');
        memset(expected, 'f', 50), memset(expected + 50, 'd', 50), memset(expected + 100, 'a', 100), memset(expected + 200, 'd', 100);
        memset(expected + 300, 'b', 100), memset(expected + 400, 'd', 50), memset(expected + 450, 'f', 50);
        gives_text(&p, 0, 500, 'G');      /* all of it is old now, though unread */
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 500);
        assert_memory_equal(got, expected, 500);
        p.seq += 500;
        peer_works(&p, "overlapping text");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V41, V42, V43 ------------------------------------------------------------ */

/* Offsets from RCV.NXT; the window is 4096 bytes. */
static void v41_only_an_exact_reset_closes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t off;
        enum pl_drop drop;
        enum pl_reason answer;
    } rows[] = {
        {"just before", -1, PL_DROP_TCP_RST_OUTSIDE, 0},
        {"one after", 1, PL_DROP_TCP_RST_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"in the middle", 2000, PL_DROP_TCP_RST_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"the last byte", 4095, PL_DROP_TCP_RST_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"the right edge", 4096, PL_DROP_TCP_RST_OUTSIDE, 0},
        {"beyond", 70000, PL_DROP_TCP_RST_OUTSIDE, 0},
        {"opposite", 0x7fffffff, PL_DROP_TCP_RST_OUTSIDE, 0},
        {"quite opposite", 0x80000000, PL_DROP_TCP_RST_OUTSIDE, 0},
        {"exactly", 0, PL_DROP_TCP_RST_TAKEN, 0},
    };
    for (unsigned i = 0; i < 2 * COUNT_OF(isses); i++)
        for (unsigned role = 0; role < 2; role++) {
            struct peer_wish w = at_isn(i / 2, i);
            struct peer p = role ? peer_accepts(&v, i & 1, &w) : peer_connects(&v, i & 1, &w);
            for (unsigned r = 0; r < COUNT_OF(rows); r++) {
                struct forged f = peer_segment(&p, r & 1 ? PL_RST : PL_RST | PL_ACK);
                assert_int_equal(peer_status(&p).rcv.wnd, 4096);
                f.seq += (uint32_t)rows[r].off;
                expect_drop(rows[r].name, victim_give(&v, &f), rows[r].drop);
                hears_where_we_are(&p, rows[r].answer);
                if (rows[r].drop == PL_DROP_TCP_RST_TAKEN) {
                    assert_int_equal(peer_state(&p), PL_CLOSED);
                    assert_int_equal(pl_error(v.s, p.c), PL_ECONNRESET);
                } else {
                    peer_works(&p, rows[r].name);
                    char rest[8];         /* the window is whole again for the next row */
                    assert_int_equal(pl_recv(v.s, p.c, rest, sizeof rest), PL_EAGAIN);
                    victim_wait(&v, 10 * PL_S);
                    peer_says(&p, PL_ACK | PL_PSH, "12");
                    assert_int_equal(pl_recv(v.s, p.c, rest, sizeof rest), 2);
                    struct tcp *c = slots_at(&v.s->pools.conns, (uint32_t)p.c & 0x3fffffff);
                    v.s->pools.chunks.promised += 4096 - c->rcv.promised;
                    c->rcv.wnd = c->rcv.promised = 4096;             /* a window update is not worth a segment yet */
                    (void)victim_hush(&v);
                    victim_wait(&v, PL_S);
                    (void)victim_hush(&v);
                }
            }
            forget(&p);
        }
}

/* Resets at every 4096th number, as somebody would who does not know any: one challenge, and the connection lives. */
static void v41_a_sweep_of_resets_over_the_sequence_space_closes_nothing(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.iss = 0x12345678});
        unsigned said = 0;
        uint8_t frame[FORGE_BYTES_MAX];
        for (uint32_t seq = 7, n = 0; n < 1u << 20; n++, seq += 4096) {
            struct forged f = peer_segment(&p, PL_RST);
            f.seq = seq;
            struct pl_frame in;
            memset(&in, 0, sizeof in);
            in.span[0] = (struct pl_span){frame, forge_tcp(frame, &f)};
            in.nspans = 1;
            assert_int_equal(pl_rx(v.s, 0, &in, 1, v.now), PL_OK);
            said += victim_hush(&v);
        }
        assert_int_equal(said, 1);
        assert_int_equal(v.why, PL_WHY_ACK_CHALLENGE);
        peer_works(&p, "a sweep of resets");
        forget(&p);
    }
}

static void v42_a_syn_on_an_open_connection_is_challenged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t off;
        uint8_t flags;
        size_t text;
        enum pl_drop drop;
        enum pl_reason answer;
    } rows[] = {
        {"exact", 0, PL_SYN, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"in the window", 1000, PL_SYN, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"with ACK", 1000, PL_SYN | PL_ACK, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"with text", 0, PL_SYN | PL_ACK, 100, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"with FIN", 0, PL_SYN | PL_FIN | PL_ACK, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"the old one", -1, PL_SYN, 0, PL_DROP_TCP_DUPLICATE, PL_WHY_ACK_DUPLICATE},
        {"the old one with ACK", -1, PL_SYN | PL_ACK, 0, PL_DROP_TCP_DUPLICATE, PL_WHY_ACK_DUPLICATE},
        {"an older one", -100000, PL_SYN, 0, PL_DROP_TCP_DUPLICATE, PL_WHY_ACK_DUPLICATE},
        {"beyond the window", 100000, PL_SYN, 0, PL_DROP_TCP_OUTSIDE_WINDOW, PL_WHY_ACK_DUPLICATE},
    };
    for (unsigned i = 0; i < 2 * COUNT_OF(isses); i++) {
        struct peer_wish w = at_isn(i / 2, i);
        struct peer p = peer_connects(&v, i & 1, &w);
        for (unsigned r = 0; r < COUNT_OF(rows); r++) {
            struct forged f = peer_segment(&p, rows[r].flags);
            f.seq += (uint32_t)rows[r].off;
            f.text_bytes = rows[r].text;
            expect_drop(rows[r].name, victim_give(&v, &f), rows[r].drop);
            hears_where_we_are(&p, rows[r].answer);
            assert_int_equal(peer_state(&p), PL_ESTABLISHED);
            peer_works(&p, rows[r].name);
            victim_wait(&v, 10 * PL_S);
            (void)victim_hush(&v);
        }
        forget(&p);
    }
}

static void v43_text_whose_acknowledgement_is_a_guess_is_not_taken(void **state)
{
    (void)state;
    enum { WINDOW = 1000 };
    static const struct {
        const char *name;
        int64_t off;                      /* from SND.UNA = SND.NXT */
        enum pl_drop drop;
        enum pl_reason answer;
    } rows[] = {
        {"2^31 behind", -0x80000000ll, PL_DROP_TCP_ACK_TOO_OLD, PL_WHY_ACK_CHALLENGE},
        {"2^30 behind", -0x40000000, PL_DROP_TCP_ACK_TOO_OLD, PL_WHY_ACK_CHALLENGE},
        {"one more than the largest window behind", -WINDOW - 1, PL_DROP_TCP_ACK_TOO_OLD, PL_WHY_ACK_CHALLENGE},
        {"the largest window behind", -WINDOW, PL_DROP_NONE, PL_WHY_ACK_NOW},
        {"one behind", -1, PL_DROP_NONE, PL_WHY_ACK_NOW},
        {"exact", 0, PL_DROP_NONE, PL_WHY_ACK_NOW},
        {"one ahead", 1, PL_DROP_TCP_ACK_TOO_NEW, PL_WHY_ACK_TOO_NEW},
        {"2^30 ahead", 0x40000000, PL_DROP_TCP_ACK_TOO_NEW, PL_WHY_ACK_TOO_NEW},
        {"2^31 - 1 ahead", 0x7fffffff, PL_DROP_TCP_ACK_TOO_NEW, PL_WHY_ACK_TOO_NEW},
    };
    for (unsigned i = 0; i < 2 * COUNT_OF(isses); i++)
        for (unsigned r = 0; r < COUNT_OF(rows); r++) {
            struct peer_wish w = at_isn(i / 2, i);
            w.wnd = WINDOW;
            struct peer p = peer_connects(&v, i & 1, &w);
            struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
            struct pl_tcp_status before = peer_status(&p);
            char got[16];
            f.ack += (uint32_t)rows[r].off;
            f.text_bytes = 5;
            expect_drop(rows[r].name, victim_give(&v, &f), rows[r].drop);
            assert_int_equal(peer_status(&p).snd.una, before.snd.una);
            assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), rows[r].drop ? PL_EAGAIN : 5);
            p.seq += rows[r].drop ? 0 : 5;
            hears_where_we_are(&p, rows[r].answer);
            peer_works(&p, rows[r].name);
            forget(&p);
        }
}

/* ------------------------------------------------------------ V44, V45: challenges ------------------------------------------------------------ */

enum { PROBE_KINDS = 6 };
static struct forged probe(struct peer *p, unsigned n)
{
    static const uint8_t flags[PROBE_KINDS] = {PL_RST, PL_SYN, PL_ACK, PL_ACK, PL_ACK, PL_SYN | PL_ACK};
    struct forged f = peer_segment(p, flags[n % PROBE_KINDS]);
    f.seq += n % PROBE_KINDS == 2 ? 100000 : n % PROBE_KINDS < 2 ? 7 : 0;         /* a bare ACK outside the window */
    f.ack += n % PROBE_KINDS == 3 ? 0x80000000 : n % PROBE_KINDS == 4 ? 9 : 0;    /* one too old, one too new */
    return f;
}

static void twin_of(struct victim *twin, struct victim *of)
{
    *twin = *of;
    twin->env.trace_user = twin;
    twin->s = block_copy(of->s, &twin->env);
}

/* Takes everything that the stack has to say; what goes to `to` is appended to the log. Returns how much went elsewhere. */
struct log {
    uint8_t bytes[1 << 17];
    size_t n;
};
static unsigned collect(struct victim *from, const struct pl_endpoint *to, struct log *log)
{
    struct forged f;
    unsigned elsewhere = 0;
    while (victim_take(from, &f)) {
        if (memcmp(&f.dst, to, sizeof *to) != 0) {
            elsewhere++;
            continue;
        }
        assert_true(log->n + from->frame_bytes <= sizeof log->bytes);
        memcpy(log->bytes + log->n, from->frame, from->frame_bytes);
        log->n += from->frame_bytes;
    }
    return elsewhere;
}

/* What B's peer sees of a stack must not depend on what happens on A: else a third party learns from one what arrives at the other. Two copies of a
 * stack, one of them probed 101 times a second on A and on a half-open entry, must say the same to B, bit for bit and at the same times. */
static void v44_probing_one_connection_changes_nothing_on_another(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer a = peer_connects(&v, v6, &(struct peer_wish){.number = 1}), b = peer_connects(&v, v6, &(struct peer_wish){.number = 2});
        struct peer half = peer_half_open(&v, v6, &(struct peer_wish){.number = 3});
        struct victim twin;
        static struct log logs[2];
        twin_of(&twin, &v);
        logs[0].n = logs[1].n = 0;
        unsigned bites = 0;
        for (unsigned n = 0; n < 303; n++) {
            v.now += PL_S / 101;
            twin.now = v.now;
            pl_poll(v.s, v.now);
            pl_poll(twin.s, twin.now);
            struct forged f = probe(&a, n);
            (void)victim_give(&v, &f);
            f = peer_segment(&half, PL_ACK);
            f.seq += 100000;
            (void)victim_give(&v, &f);
            bites += collect(&v, &b.at, &logs[0]);
            (void)collect(&twin, &b.at, &logs[1]);
            f = probe(&b, n / 3);
            if (n % 7 == 0)
                f = peer_segment(&b, PL_ACK | PL_PSH), f.text_bytes = 3, b.seq += 3;
            assert_int_equal(victim_give(&v, &f), victim_give(&twin, &f));
            (void)collect(&v, &b.at, &logs[0]);
            (void)collect(&twin, &b.at, &logs[1]);
            assert_int_equal(logs[0].n, logs[1].n);
        }
        assert_memory_equal(logs[0].bytes, logs[1].bytes, logs[0].n);
        assert_in_range(bites, 12, 40);                                 /* the probing did bite */
        assert_in_range(logs[0].n, 40 * (20 + 5), sizeof logs[0].bytes);
        victim_free(&twin);
        (void)victim_run(&v, 200 * PL_S, NULL, NULL);
        char got[512];
        while (pl_recv(v.s, b.c, got, sizeof got) > 0) {
        }
        peer_works(&a, "probes");
        peer_works(&b, "probes");
        forget(&a);
        forget(&b);
    }
}

static void v45_challenges_are_bounded_and_text_is_exempt(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        for (unsigned period = 0; period < 3; period++) {
            unsigned challenges = 0;
            for (unsigned n = 0; n < 1000; n++) {
                struct forged f = probe(&p, n == 5 || n % PROBE_KINDS == 5 ? 0 : n);
                (void)victim_give(&v, &f);
                if (victim_take(&v, &f)) {
                    assert_int_equal(f.flags, PL_ACK);
                    assert_int_equal(f.seq, p.ack);
                    assert_int_equal(f.ack, p.seq);
                    challenges++;
                }
                victim_silent(&v);
                v.now += PL_MS;
                if (n % 100 == 99)        /* the limit is used up: text and its acknowledgement pass all the same */
                    peer_works(&p, "challenges");
            }
            assert_int_equal(challenges, 10);
            victim_wait(&v, 5 * PL_S);
            (void)victim_hush(&v);
        }
        forget(&p);
    }
}

/* Both sides of a connection believe in numbers that the other never had: what one says the other must contradict; it has to come to an end. */
static void v45_two_desynchronised_stacks_do_not_talk_for_ever(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned both = 0; both < 2; both++) {
            struct duo d;
            pl_conn c[2];
            duo_init(&d, NULL, false);
            duo_open(&d, v6, 80, c);
            for (unsigned h = 0; h <= both; h++)
                ((struct tcp *)slots_at(&d.s[h]->pools.conns, (uint32_t)c[h] & 0x3fffffff))->rcv.nxt += 1u << 20;
            uint32_t before = d.frames[0] + d.frames[1];
            assert_int_equal(pl_send(d.s[1], c[1], "text", 4), 4);
            duo_run(&d, 5 * PL_S);
            uint32_t frames = d.frames[0] + d.frames[1] - before;
            assert_in_range(frames, 2, 60);
            pl_abort(d.s[0], c[0]);
            pl_abort(d.s[1], c[1]);
            duo_free(&d);
        }
}

/* Two forged SYNs make two listeners hold entries for each other, with numbers that do not fit: each SYN-ACK is contradicted by an ACK, which has to
 * be contradicted in turn ... */
static void v45_two_half_open_entries_do_not_talk_for_ever(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct duo d;
        duo_init(&d, NULL, false);
        duo_listen(&d, 0, 80, 4);
        duo_listen(&d, 1, 80, 4);
        for (unsigned h = 0; h < 2; h++) {
            struct forged f = {.src = duo_endpoint(1 - h, v6, 80), .dst = duo_endpoint(h, v6, 80), .seq = 1000 + 77777 * h, .flags = PL_SYN,
                               .wnd = 1000};
            duo_give_segment(&d, h, &f);
        }
        for (unsigned n = 0; n < 400; n++) {
            uint8_t frame[DUO_FRAME_BYTES];
            size_t bytes = duo_take(&d, n & 1, frame);
            if (bytes)
                duo_give(&d, 1 - (n & 1), frame, bytes);
        }
        assert_in_range(d.frames[0] + d.frames[1], 4, 60);
        duo_run(&d, 200 * PL_S);
        assert_in_range(d.frames[0] + d.frames[1], 4, 400);
        uint32_t counts[PL_STATE_COUNT];
        pl_states(d.s[0], counts);
        assert_int_equal(counts[PL_SYN_RECEIVED], 0);
        duo_free(&d);
    }
}

static void v45_two_time_wait_entries_do_not_talk_for_ever(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct duo d;
        pl_conn c[2];
        struct forged f;
        duo_init(&d, NULL, false);
        duo_open(&d, v6, 80, c);
        for (unsigned h = 0; h < 2; h++)
            assert_int_equal(pl_finish(d.s[h], c[h]), PL_OK);         /* both close at once, so both are in TIME-WAIT */
        uint8_t frames[2][DUO_FRAME_BYTES];
        size_t bytes[2];
        for (unsigned h = 0; h < 2; h++)
            bytes[h] = duo_take(&d, h, frames[h]);
        for (unsigned h = 0; h < 2; h++)
            duo_give(&d, 1 - h, frames[h], bytes[h]);
        assert_true(forge_read(frames[0], bytes[0], &f));
        duo_exchange(&d);
        for (unsigned h = 0; h < 2; h++) {
            uint32_t counts[PL_STATE_COUNT];
            pl_states(d.s[h], counts);
            assert_int_equal(counts[PL_TIME_WAIT], 1);
            ((struct time_wait *)slots_at(&d.s[h]->time_waits, 1))->rcv_nxt += 1u << 20;
        }
        uint32_t before = d.frames[0] + d.frames[1];
        f.flags = PL_ACK, f.seq -= 5;
        duo_give_segment(&d, 1, &f);
        for (unsigned n = 0; n < 400; n++) {
            uint8_t frame[DUO_FRAME_BYTES];
            size_t got = duo_take(&d, 1 - (n & 1), frame);
            if (got)
                duo_give(&d, n & 1, frame, got);
        }
        assert_in_range(d.frames[0] + d.frames[1] - before, 1, 60);
        duo_free(&d);
    }
}

/* ------------------------------------------------------------ V50: TIME-WAIT ------------------------------------------------------------ */

static unsigned time_waits(void)
{
    uint32_t counts[PL_STATE_COUNT];
    pl_states(v.s, counts);
    return counts[PL_TIME_WAIT];
}

/* The victim closes first. */
static struct peer in_time_wait(bool v6, const struct peer_wish *w)
{
    struct peer p = peer_connects(&v, v6, w);
    peer_works(&p, "nothing");
    p.ts_val++;
    assert_int_equal(pl_finish(v.s, p.c), PL_OK);
    peer_hears(&p, PL_FIN | PL_ACK, 0, PL_WHY_FIN_CLOSE);
    assert_int_equal(peer_says(&p, PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
    peer_hears(&p, PL_ACK, 0, PL_WHY_ACK_FIN);
    assert_int_equal(pl_close(v.s, p.c), PL_OK);
    assert_int_equal(time_waits(), 1);
    return p;
}

static void v50_nothing_closes_time_wait_early(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t flags;
        int64_t off;                      /* from the number after the peer's FIN */
        size_t text;
        enum pl_drop drop;
        enum pl_reason answer;
    } rows[] = {
        {"RST, exact", PL_RST, 0, 0, PL_DROP_TCP_RST_TIME_WAIT, 0},
        {"RST,ACK in the window", PL_RST | PL_ACK, 100, 0, PL_DROP_TCP_RST_TIME_WAIT, 0},
        {"RST,SYN", PL_RST | PL_SYN, 100, 0, PL_DROP_TCP_RST_TIME_WAIT, 0},
        {"old text", PL_ACK, -6, 5, PL_DROP_TCP_DUPLICATE, PL_WHY_ACK_DUPLICATE},
        {"new text", PL_ACK, 0, 5, PL_DROP_TCP_OUTSIDE_WINDOW, PL_WHY_ACK_DUPLICATE},
        {"an old ACK", PL_ACK, -6, 0, PL_DROP_TCP_DUPLICATE, PL_WHY_ACK_DUPLICATE},
        {"the last ACK again", PL_ACK, 0, 0, PL_DROP_TCP_DUPLICATE, 0},
        {"no flags", 0, 0, 0, PL_DROP_TCP_NO_ACK, 0},
        {"an old SYN", PL_SYN, -100, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"the SYN of the old connection", PL_SYN, -8, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"a SYN at the number of the FIN", PL_SYN, -1, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"SYN,ACK", PL_SYN | PL_ACK, 5000, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"SYN,FIN", PL_SYN | PL_FIN, 5000, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
        {"another FIN", PL_FIN | PL_ACK, 50, 0, PL_DROP_TCP_OUTSIDE_WINDOW, PL_WHY_ACK_DUPLICATE},
        {"all flags but RST", 0xff & ~PL_RST, 0, 0, PL_DROP_TCP_SYN_CHALLENGED, PL_WHY_ACK_CHALLENGE},
    };
    for (unsigned i = 0; i < 2 * COUNT_OF(isses); i++) {
        struct peer_wish w = at_isn(i / 2, i);
        struct peer other = peer_connects(&v, i & 1, &(struct peer_wish){.number = 99, .port = 7}), p = in_time_wait(i & 1, &w);
        pl_time end = v.now + 60 * PL_S;
        for (unsigned r = 0; r < COUNT_OF(rows); r++) {
            struct forged f = peer_segment(&p, rows[r].flags);
            f.seq += (uint32_t)rows[r].off;
            f.text_bytes = rows[r].text;
            expect_drop(rows[r].name, victim_give(&v, &f), rows[r].drop);
            hears_where_we_are(&p, rows[r].answer);
            assert_int_equal(time_waits(), 1);
            peer_works(&other, rows[r].name);
            victim_wait(&v, PL_S);
        }
        victim_wait(&v, end - v.now - 1);
        assert_int_equal(time_waits(), 1);
        struct forged f = peer_segment(&p, PL_FIN | PL_ACK);            /* our last ACK was lost: 2 MSL begin anew */
        f.seq--;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_DUPLICATE);
        hears_where_we_are(&p, PL_WHY_ACK_TIME_WAIT);
        victim_wait(&v, 60 * PL_S - 1);
        assert_int_equal(time_waits(), 1);
        victim_wait(&v, 1);
        assert_int_equal(time_waits(), 0);
        forget(&other);
    }
}

static void v50_time_wait_gives_way_only_to_what_is_provably_newer(void **state)
{
    (void)state;
    static const struct {
        bool old_ts, new_ts;
        int64_t ts, seq;                  /* against the old connection's last */
        bool accepted;
    } rows[] = {
        {true, true, 1, 1, true},         {true, true, 1, -5000, true},         {true, true, 0, 1, true},        {true, true, 0, 0, true},
        {true, true, 0, -1, false},       {true, true, -1, 1, false},           {true, true, -1, 100000, false}, {true, true, 0x80000001ll, 1, false},
        {true, false, 0, 1, true},        {true, false, 0, 0, true},            {true, false, 0, -1, false},     {false, true, 0, -5000, true},
        {false, false, 0, 1, true},       {false, false, 0, 0x7fffffff, true},  {false, false, 0, 0, true},      {false, false, 0, -1, false},
        {false, false, 0, -0x7fffffff, false},
    };
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            struct peer_wish w = at_isn(i, i);
            w.opts = (struct wire_tcp_opts){.have = rows[i].old_ts ? WIRE_OPT_TIMESTAMPS : 0, .ts_val = i & 1 ? 0xfffffff8 : 500};
            struct peer p = in_time_wait(v6, &w);
            assert_int_equal(p.ts, rows[i].old_ts);
            struct forged f = peer_segment(&p, PL_SYN), got;
            f.seq += (uint32_t)rows[i].seq;
            f.opts = (struct wire_tcp_opts){.have = rows[i].new_ts ? WIRE_OPT_TIMESTAMPS : 0, .ts_val = p.ts_val + (uint32_t)rows[i].ts};
            assert_int_equal(pl_set(v.s, v.listener, PL_OPT_ISN, (int64_t)(uint32_t)(p.ack - 1000)), PL_OK);
            enum pl_drop drop = victim_give(&v, &f);
            if (drop != (rows[i].accepted ? PL_DROP_NONE : PL_DROP_TCP_SYN_CHALLENGED))
                fail_msg("row %u: %s", i, pl_drop_name(drop));
            assert_int_equal(time_waits(), !rows[i].accepted);
            assert_true(victim_take(&v, &got));
            if (rows[i].accepted) {
                assert_int_equal(got.flags, PL_SYN | PL_ACK);
                assert_int_equal(got.ack, f.seq + 1);
                assert_true((int32_t)(got.seq - p.ack) > 0);             /* beyond everything that was sent before */
                f = peer_segment(&p, PL_RST);
                f.seq = got.ack;
                assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_RST_TAKEN);
            } else {
                assert_int_equal(got.flags, PL_ACK);
                assert_int_equal(got.seq, p.ack);
                assert_int_equal(got.ack, p.seq);
            }
            victim_silent(&v);
            victim_wait(&v, 61 * PL_S);
            assert_int_equal(time_waits(), 0);
        }
}

/* ------------------------------------------------------------ V51: wraps ------------------------------------------------------------ */

static void v51_a_whole_life_across_the_wrap_of_sequence_numbers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * 9; i++) {
        bool v6 = i & 1, active = i & 2;
        struct peer_wish w = {.iss = 0xffffffff - 37 * (i / 4), .victim_iss = 0xffffff00 + 31 * (i / 4), .fix_iss = true, .number = i};
        struct peer p = active ? peer_accepts(&v, v6, &w) : peer_connects(&v, v6, &w);
        char text[300], got[1000];
        struct forged f;
        gives_text(&p, 100, 100, 'b');
        gives_text(&p, 300, 100, 'd');
        f = peer_segment(&p, PL_ACK);
        gives_text(&p, 200, 100, 'c');
        gives_text(&p, 0, 100, 'a');
        p.seq += 400;
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 400);
        for (unsigned k = 0; k < 400; k++)
            assert_int_equal(got[k], "abcd"[k / 100]);
        for (unsigned k = 0; k < sizeof text; k++)
            text[k] = (char)k;
        assert_int_equal(pl_send(v.s, p.c, text, sizeof text), sizeof text);
        assert_true(victim_take(&v, &f));
        assert_int_equal(f.seq, p.ack);
        assert_int_equal(f.ack, p.seq);
        assert_int_equal(f.text_bytes, sizeof text);
        victim_wait(&v, 3 * PL_S);        /* lost: repeated */
        assert_true(victim_take(&v, &f));
        assert_int_equal(f.seq, p.ack);
        assert_memory_equal(f.text, text, sizeof text);
        (void)victim_hush(&v);
        f = peer_segment(&p, PL_ACK);     /* half of it, then all, then the half again */
        f.ack = p.ack + 150;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(peer_status(&p).sndbuf_used, 150);
        (void)victim_hush(&v);
        p.ack += 300;
        assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(peer_status(&p).snd.una, p.ack);
        (void)victim_hush(&v);
        peer_works(&p, "the wrap");
        assert_int_equal(pl_finish(v.s, p.c), PL_OK);
        peer_hears(&p, PL_FIN | PL_ACK, 0, PL_WHY_FIN_CLOSE);
        assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(peer_state(&p), PL_FIN_WAIT_2);
        assert_int_equal(peer_says(&p, PL_FIN | PL_ACK, NULL), PL_DROP_NONE);
        peer_hears(&p, PL_ACK, 0, PL_WHY_ACK_FIN);
        assert_int_equal(peer_state(&p), PL_TIME_WAIT);
        assert_int_equal(pl_close(v.s, p.c), PL_OK);
        victim_wait(&v, 61 * PL_S);
        assert_int_equal(time_waits(), 0);
    }
}

static void v51_resets_at_a_window_that_spans_the_wrap(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq;
        enum pl_drop drop;
    } rows[] = {{0xffffff01, PL_DROP_TCP_RST_OUTSIDE}, {0xffffff03, PL_DROP_TCP_RST_CHALLENGED}, {0xffffffff, PL_DROP_TCP_RST_CHALLENGED},
                {0, PL_DROP_TCP_RST_CHALLENGED},       {1, PL_DROP_TCP_RST_CHALLENGED},          {0xf00 + 1, PL_DROP_TCP_RST_CHALLENGED},
                {0xf02, PL_DROP_TCP_RST_OUTSIDE},      {0x7fffffff, PL_DROP_TCP_RST_OUTSIDE},    {0xffffff02, PL_DROP_TCP_RST_TAKEN}};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.iss = 0xffffff01});
        assert_int_equal(peer_status(&p).rcv.wnd, 4096);
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            struct forged f = peer_segment(&p, PL_RST);
            f.seq = rows[i].seq;
            assert_int_equal(victim_give(&v, &f), rows[i].drop);
            (void)victim_hush(&v);
        }
        forget(&p);
    }
}

static void v51_timestamps_wrap_and_grow_stale(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 0xfffffffa}});
        for (unsigned i = 0; i < 6; i++)
            peer_works(&p, "a timestamp near its wrap");
        assert_true(p.ts_val < 0x100);
        struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
        f.opts.ts_val = 0xfffffffc;       /* before the wrap: older */
        f.text_bytes = 5;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_PAWS);
        hears_where_we_are(&p, PL_WHY_ACK_DUPLICATE);
        f.opts.ts_val = p.ts_val - 0x7fffffff;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_PAWS);
        hears_where_we_are(&p, PL_WHY_ACK_DUPLICATE);
        peer_works(&p, "old timestamps");
        (void)victim_run(&v, (pl_time)23 * DAY * PL_S, NULL, NULL);
        f = peer_segment(&p, PL_ACK | PL_PSH);
        f.opts.ts_val -= 9;
        f.text_bytes = 5;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_PAWS);
        hears_where_we_are(&p, PL_WHY_ACK_DUPLICATE);
        /* After 25 days the peer's clock may have gone half round: RFC 7323 5.5. */
        (void)victim_run(&v, (pl_time)2 * DAY * PL_S, NULL, NULL);
        p.ts_val += (uint32_t)((uint64_t)25 * DAY * 1000);
        peer_works(&p, "25 idle days");
        f = peer_segment(&p, PL_ACK | PL_PSH);
        f.opts.ts_val -= 9;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_PAWS);
        hears_where_we_are(&p, PL_WHY_ACK_DUPLICATE);
        (void)victim_run(&v, (pl_time)60 * DAY * PL_S, NULL, NULL);      /* our own clock goes round as well */
        p.ts_val -= 77;
        peer_works(&p, "60 idle days");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V53, V54: lies ------------------------------------------------------------ */

static void v53_acknowledgements_of_what_was_never_sent_or_in_slices_gain_nothing(void **state)
{
    (void)state;
    struct pl_config c = victim_config();
    victim_free(&v);
    c.sndbuf_bytes = 60000;
    victim_make(&v, &c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer_wish w = {.opts = {.have = WIRE_OPT_MSS, .mss = 1000}, .fix_iss = true, .victim_iss = 0xfffffff0};
        struct peer p = peer_connects(&v, v6, &w);
        static uint8_t text[60000];
        struct forged f = peer_segment(&p, PL_ACK);
        assert_int_equal(pl_send(v.s, p.c, text, sizeof text), sizeof text);
        assert_int_equal(victim_hush(&v), 10);                              /* RFC 6928: ten segments */
        struct pl_tcp_status before = peer_status(&p);
        static const uint32_t ahead[] = {1, 1000, 50000, 1u << 20, 0x7fffffff};
        for (unsigned i = 0; i < COUNT_OF(ahead); i++) {
            f.ack = before.snd.nxt + ahead[i];
            assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_ACK_TOO_NEW);
            peer_hears(&(struct peer){.v = &v, .seq = p.seq, .ack = before.snd.nxt}, PL_ACK, 0, PL_WHY_ACK_TOO_NEW);
            victim_silent(&v);
        }
        assert_int_equal(peer_status(&p).cwnd_bytes, before.cwnd_bytes);
        assert_int_equal(peer_status(&p).snd.una, before.snd.una);
        unsigned sent = 0;
        for (unsigned i = 1; i <= 1000; i++) {      /* one segment, acknowledged byte by byte: one segment's worth of growth */
            f.ack = before.snd.una + i;
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            sent += victim_hush(&v);
        }
        assert_int_equal(peer_status(&p).cwnd_bytes, before.cwnd_bytes + 1000);
        assert_int_equal(sent, 2);
        f.ack = before.snd.una + 6000;    /* in the other direction: one ACK for much is no more than 8 MSS */
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_in_range(peer_status(&p).cwnd_bytes, before.cwnd_bytes + 1000, before.cwnd_bytes + 6000);
        for (unsigned i = 0; i < 40 && peer_status(&p).sndbuf_used; i++) {
            (void)victim_hush(&v);
            f.ack = peer_status(&p).snd.nxt;
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        }
        p.ack = f.ack;
        peer_works(&p, "lying acknowledgements");
        forget(&p);
    }
}

/* The window shrinks at random below what is in flight, to nothing too, and acknowledgements take random steps: nothing new is ever sent beyond the
 * edge that the peer named last, and in the end everything has arrived. */
static void v54_a_shrinking_window_stops_new_text_and_loses_none(void **state)
{
    (void)state;
    enum { BYTES = 30000 };
    for (unsigned run = 0; run < 20; run++) {
        struct peer_wish w = {.opts = {.have = WIRE_OPT_MSS, .mss = (uint16_t)(run & 2 ? 1460 : 100)}, .fix_iss = true, .victim_iss = 0xffffff00,
                              .number = run};
        struct peer p = peer_connects(&v, run & 1, &w);
        static uint8_t text[BYTES], got[BYTES];
        static const uint16_t windows[] = {0, 0, 1, 48, 100, 1000, 3000, 4096};
        uint32_t first = p.ack, x = run + 1, given = 0, known = 0, top = 0, edge = 65535, steps = 0;
        for (unsigned i = 0; i < BYTES; i++)
            text[i] = (uint8_t)(i * 31 + (i >> 8));
        memset(got, 0, sizeof got);
        while (known < BYTES) {
            struct forged f;
            if (given < BYTES) {
                ptrdiff_t took = pl_send(v.s, p.c, text + given, BYTES - given);
                given += took > 0 ? (uint32_t)took : 0;
            }
            while (victim_take(&v, &f)) {
                uint32_t at = f.seq - first;
                if (!f.text_bytes)
                    continue;
                assert_true(at + f.text_bytes <= BYTES);
                assert_true(at <= top);
                if (at + f.text_bytes > top) {              /* new text */
                    assert_true(at + f.text_bytes <= edge);
                    top = at + (uint32_t)f.text_bytes;
                }
                memcpy(got + at, f.text, f.text_bytes);
            }
            x = x * 1664525 + 1013904223;
            known += x >> 30 && top > known ? (x >> 8) % (top - known + 1) : 0;
            p.ack = first + known;
            p.wnd = ++steps > 3000 ? 4096 : windows[x >> 13 & 7];
            edge = known + p.wnd;
            assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
            struct pl_tcp_status st = peer_status(&p);
            assert_int_equal(st.snd.wnd, p.wnd);
            assert_true(st.in_flight_bytes <= top - known);
            (void)victim_events(&v, 0);
            if (pl_deadline(v.s) != PL_NEVER && pl_deadline(v.s) > v.now && (x >> 5 & 3) == 0)
                v.now = pl_deadline(v.s);
            pl_poll(v.s, v.now);
            assert_true(steps < 20000);
        }
        assert_memory_equal(got, text, BYTES);
        p.wnd = 4096;
        peer_says(&p, PL_ACK, NULL);
        (void)victim_hush(&v);
        peer_works(&p, "a shrinking window");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V59: PAWS ------------------------------------------------------------ */

static void v59_segments_without_the_agreed_timestamps(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer_wish w = {.opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 1000}};
        struct peer p = peer_connects(&v, v6, &w);
        struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
        char got[16];
        f.opts.have = 0;
        f.text_bytes = 5;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_NO_TIMESTAMP);
        victim_silent(&v);
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), PL_EAGAIN);
        f.flags |= PL_FIN;
        assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_NO_TIMESTAMP);
        assert_int_equal(peer_state(&p), PL_ESTABLISHED);
        peer_works(&p, "a segment without timestamps");

        for (unsigned with = 0; with < 2; with++) {           /* a third message without: an old peer's; text may come with it */
            struct peer_wish x = {.opts = w.opts, .number = 1 + with};
            struct peer q = peer_half_open(&v, v6, &x);
            f = peer_segment(&q, PL_ACK);
            f.opts.have = 0;
            f.text_bytes = with ? 3 : 0;
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            assert_int_equal(pl_accept(v.s, v.listener, &q.c, NULL), PL_OK);
            assert_true(peer_status(&q).timestamps);
            assert_int_equal(pl_recv(v.s, q.c, got, sizeof got), with ? 3 : PL_EAGAIN);
            q.seq += with ? 3 : 0;
            victim_wait(&v, PL_S);
            (void)victim_hush(&v);
            peer_works(&q, "a third message without timestamps");
            f = peer_segment(&q, PL_ACK | PL_PSH);             /* but only there */
            f.opts.have = 0;
            assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_NO_TIMESTAMP);
            forget(&q);
        }
        for (unsigned how = 0; how < 2; how++) {               /* a RST needs none, and an old one is as good */
            struct peer_wish x = {.opts = w.opts, .number = 4 + how};
            struct peer q = peer_connects(&v, v6, &x);
            peer_works(&q, "nothing");
            f = peer_segment(&q, PL_RST | PL_ACK);
            f.opts.have = how ? WIRE_OPT_TIMESTAMPS : 0;
            f.opts.ts_val = 1;
            assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_RST_TAKEN);
            assert_int_equal(peer_state(&q), PL_CLOSED);
            assert_int_equal(pl_error(v.s, q.c), PL_ECONNRESET);
            forget(&q);
        }
        forget(&p);
    }
}

/* A segment whose acknowledgement gives it away as a guess must not leave its timestamp behind: every good segment would look old after it. */
static void v59_a_guessed_segment_leaves_no_timestamp_behind(void **state)
{
    (void)state;
    static const struct {
        uint32_t ack;
        uint8_t flags;
        enum pl_drop drop;
    } rows[] = {{0x80000000, PL_ACK, PL_DROP_TCP_ACK_TOO_OLD}, {0x40000000, PL_ACK, PL_DROP_TCP_ACK_TOO_NEW}, {0, PL_PSH, PL_DROP_TCP_NO_ACK},
                {0, PL_SYN, PL_DROP_TCP_SYN_CHALLENGED}};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < COUNT_OF(rows); i++) {
            struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 1000}});
            peer_works(&p, "nothing");
            struct forged f = peer_segment(&p, rows[i].flags);
            f.seq -= 1000;                /* it need not know RCV.NXT: it covers it */
            f.text_bytes = 1400;
            f.ack += rows[i].ack;
            f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS, .ts_val = p.ts_val + 0x7ffffff0};
            assert_int_equal(victim_give(&v, &f), rows[i].drop);
            (void)victim_hush(&v);
            peer_works(&p, "a guessed segment with a timestamp from the future");
            forget(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v36_of_two_versions_of_a_byte_the_first_wins, make, unmake),
        cmocka_unit_test_setup_teardown(v41_only_an_exact_reset_closes, make, unmake),
        cmocka_unit_test_setup_teardown(v41_a_sweep_of_resets_over_the_sequence_space_closes_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(v42_a_syn_on_an_open_connection_is_challenged, make, unmake),
        cmocka_unit_test_setup_teardown(v43_text_whose_acknowledgement_is_a_guess_is_not_taken, make, unmake),
        cmocka_unit_test_setup_teardown(v44_probing_one_connection_changes_nothing_on_another, make, unmake),
        cmocka_unit_test_setup_teardown(v45_challenges_are_bounded_and_text_is_exempt, make, unmake),
        cmocka_unit_test(v45_two_desynchronised_stacks_do_not_talk_for_ever),
        cmocka_unit_test(v45_two_half_open_entries_do_not_talk_for_ever),
        cmocka_unit_test(v45_two_time_wait_entries_do_not_talk_for_ever),
        cmocka_unit_test_setup_teardown(v50_nothing_closes_time_wait_early, make, unmake),
        cmocka_unit_test_setup_teardown(v50_time_wait_gives_way_only_to_what_is_provably_newer, make_with_timestamps, unmake),
        cmocka_unit_test_setup_teardown(v51_a_whole_life_across_the_wrap_of_sequence_numbers, make, unmake),
        cmocka_unit_test_setup_teardown(v51_resets_at_a_window_that_spans_the_wrap, make, unmake),
        cmocka_unit_test_setup_teardown(v51_timestamps_wrap_and_grow_stale, make_with_timestamps, unmake),
        cmocka_unit_test_setup_teardown(v53_acknowledgements_of_what_was_never_sent_or_in_slices_gain_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(v54_a_shrinking_window_stops_new_text_and_loses_none, make, unmake),
        cmocka_unit_test_setup_teardown(v59_segments_without_the_agreed_timestamps, make_with_timestamps, unmake),
        cmocka_unit_test_setup_teardown(v59_a_guessed_segment_leaves_no_timestamp_behind, make_with_timestamps, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
