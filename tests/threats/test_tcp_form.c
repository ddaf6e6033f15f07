/* SPDX-License-Identifier: MIT
 *
 * Threats V28 to V34, V37 to V39 and V52: segments whose header, options, urgent pointer or flags are broken or nonsense. Each row names what
 * becomes of the segment and what is said in return; afterwards a connection that was there before goes on working. IPv4 and IPv6.
 */
#include "base/bytes.h"
#include "support/victim_case.h"
#include "wire/ip4_hdr.h"

/* ------------------------------------------------------------ V28: the header ------------------------------------------------------------ */

static void v28_a_data_offset_below_5_or_beyond_the_segment_is_dropped(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL), stranger = {.v = &v, .at = victim_stranger(v6, 9, 7), .victim = victim_endpoint(v6, VICTIM_PORT)};
        size_t at = v6 ? 40 : 20;
        uint64_t before = victim_drops(&v, PL_DROP_TCP_HEADER), expected = before;
        for (unsigned whose = 0; whose < 3; whose++)
            for (unsigned text = 0; text <= 40; text += 4)
                for (unsigned words = 0; words < 16; words++) {
                    uint8_t frame[FORGE_BYTES_MAX];
                    struct forged f = peer_segment(whose == 0 ? &p : &stranger, whose == 1 ? PL_SYN : PL_ACK | PL_PSH);
                    if (whose == 2)
                        f.dst.port = 4444;
                    f.text_bytes = text;
                    size_t n = forge_tcp(frame, &f);
                    if (words >= 5 && words * 4 <= n - at)
                        continue;
                    frame[at + 12] = (uint8_t)(words << 4);
                    victim_sum(frame, n);
                    assert_int_equal(victim_give_frame(&v, frame, n), PL_DROP_TCP_HEADER);
                    victim_silent(&v);
                    expected++;
                }
        assert_int_equal(victim_drops(&v, PL_DROP_TCP_HEADER), expected);
        assert_true(expected - before > 300);
        peer_works(&p, "impossible data offsets");
        forget(&p);
    }
    assert_int_equal(count(PL_SYN_RECEIVED), 0);
}

static void v28_a_segment_cut_short_anywhere_is_dropped(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        size_t at = v6 ? 40 : 20;
        struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
        f.text_bytes = 10;
        f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_TIMESTAMPS | WIRE_OPT_SACK, .nsack = 2};
        uint8_t frame[FORGE_BYTES_MAX];
        size_t n = forge_tcp(frame, &f);
        for (size_t bytes = 0; bytes < n - at; bytes++) {
            uint8_t cut[FORGE_BYTES_MAX];
            memcpy(cut, frame, at + bytes);
            put_be16(cut + (v6 ? 4 : 2), (uint16_t)(v6 ? bytes : at + bytes));
            if (bytes >= 20)
                victim_sum(cut, at + bytes);
            else if (!v6)
                wire_ip4_sum_set(cut, 20);
            enum pl_drop drop = victim_give_frame(&v, cut, at + bytes);
            if (bytes < n - at - 10)
                assert_int_equal(drop, PL_DROP_TCP_HEADER);
            else                          /* less text is a shorter segment: taken once, its beginning again after that */
                assert_true(drop == PL_DROP_NONE || drop == PL_DROP_TCP_DUPLICATE);
            (void)victim_hush(&v);
        }
        char got[16];
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 9);
        p.seq += 9;
        peer_works(&p, "segments cut short");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V29: options ------------------------------------------------------------ */

struct bad_option {
    const char *name;
    uint8_t bytes[40];
    uint8_t n;
};
static const struct bad_option bad_options[] = {
    {"MSS, length 0", {2, 0, 5, 0xb4}, 4},
    {"MSS, length 1", {2, 1, 5, 0xb4}, 4},
    {"MSS, length 3", {2, 3, 5, 0xb4}, 4},
    {"MSS, length 255", {2, 255, 5, 0xb4}, 4},
    {"MSS, length 4 with one byte left", {1, 2, 4, 5}, 4},
    {"window scale, length 2", {3, 2, 7, 1}, 4},
    {"window scale, length 4", {3, 4, 7, 1}, 4},
    {"SACK permitted, length 3", {4, 3, 1, 1}, 4},
    {"SACK, length 2", {5, 2, 1, 1}, 4},
    {"SACK, length 11", {5, 11, 0, 0, 0, 1, 0, 0, 0, 9, 9, 1}, 12},
    {"SACK, five blocks' length", {5, 42, 0, 0}, 40},
    {"timestamps, length 9", {8, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}, 12},
    {"timestamps, length 0", {8, 0, 0, 0}, 4},
    {"AO, length 1", {29, 1, 0, 0}, 4},
    {"AO, length 0", {29, 0, 0, 0}, 4},
    {"MD5, length beyond the end", {19, 18, 0, 0}, 4},
    {"unknown, length 0", {253, 0, 0, 0}, 4},
    {"unknown, length 255", {253, 255, 0, 0}, 4},
    {"a kind at the last byte", {1, 1, 1, 2}, 4},
    {"a kind and a length at the end", {1, 1, 2, 4}, 4},
    {"forty NOPs", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 40},
    {"garbage after the end of options", {0, 2, 0, 255}, 4},
};

/* The bad option is ignored, the rest of the segment counts: in the handshake of both roles, and on a connection. */
static void v29_an_option_of_wrong_length_ends_the_parse_and_not_the_connection(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < COUNT_OF(bad_options); i++) {
            const struct bad_option *o = &bad_options[i];
            struct peer_wish w = {.raw = o->bytes, .raw_bytes = o->n, .number = i};
            struct peer p = peer_connects(&v, v6, &w), q = peer_accepts(&v, v6, &w);
            assert_int_equal(peer_status(&p).peer_mss, v6 ? 1220 : 536);           /* the default: nothing of it was believed */
            peer_works(&p, o->name);
            peer_works(&q, o->name);
            struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
            f.text_bytes = 7;
            assert_int_equal(victim_give_options(&v, &f, o->bytes, o->n), PL_DROP_NONE);
            char got[16];
            assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 7);
            assert_memory_equal(got, "xxxxxxx", 7);
            p.seq += 7;
            peer_hears(&p, PL_ACK, 0, PL_WHY_ACK_NOW);
            peer_works(&p, o->name);
            forget(&p);
            forget(&q);
        }
}

/* What stands before the bad option is believed. */
static void v29_what_stands_before_the_bad_option_counts(void **state)
{
    (void)state;
    static const uint8_t options[] = {2, 4, 2, 0, 3, 9, 7, 1, 8, 10, 0, 0};
    struct peer p = peer_connects(&v, false, &(struct peer_wish){.raw = options, .raw_bytes = sizeof options});
    assert_int_equal(peer_status(&p).peer_mss, 512);
    assert_false(peer_status(&p).window_scaling);
    assert_false(peer_status(&p).timestamps);
    peer_works(&p, "a bad option behind a good one");
    forget(&p);
}

/* Every kind that means something and some that do not, every length, at the beginning and in the last four bytes of the options. */
static void v29_every_kind_and_length_leaves_the_text_alone(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {0, 1, 2, 3, 4, 5, 8, 14, 19, 28, 29, 30, 34, 253, 255};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_SACK_PERMITTED | WIRE_OPT_WSCALE, .wscale = 3}});
        for (unsigned k = 0; k < COUNT_OF(kinds); k++)
            for (unsigned length = 0; length < 256; length++)
                for (unsigned at = 0; at < 4; at++) {
                    uint8_t options[40];
                    char got[4];
                    memset(options, at & 1 ? 0xff : 1, sizeof options);
                    memset(options, 1, at == 0 ? 0 : 36 + at);
                    options[at == 0 ? 0 : 36 + at] = kinds[k];
                    if (at < 3)
                        options[(at == 0 ? 0 : 36 + at) + 1] = (uint8_t)length;
                    struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
                    f.text_bytes = 1;
                    assert_int_equal(victim_give_options(&v, &f, options, sizeof options), PL_DROP_NONE);
                    assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 1);
                    p.seq++;
                    (void)victim_hush(&v);
                }
        victim_wait(&v, PL_S);
        (void)victim_hush(&v);
        peer_works(&p, "every option");
        assert_int_equal(peer_status(&p).snd_wscale, 3);
        forget(&p);
    }
}

/* On a connection with timestamps a broken option is no option: RFC 7323 3.2, the segment is dropped and nothing else happens. */
static void v29_a_broken_timestamp_is_no_timestamp(void **state)
{
    (void)state;
    struct pl_config c = victim_config();
    static const uint8_t options[][12] = {{8, 9, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}, {8, 11, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1}, {8, 0, 1}, {1, 1, 8, 255},
                                          {2, 3, 8, 10}};
    victim_free(&v);
    c.timestamps = true;
    victim_make(&v, &c);
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, &(struct peer_wish){.opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 77}});
        assert_true(peer_status(&p).timestamps);
        for (unsigned i = 0; i < COUNT_OF(options); i++) {
            struct forged f = peer_segment(&p, PL_ACK | PL_PSH);
            f.text_bytes = 5;
            assert_int_equal(victim_give_options(&v, &f, options[i], 12), PL_DROP_TCP_NO_TIMESTAMP);
            victim_silent(&v);
            peer_works(&p, "a broken timestamp");
        }
        forget(&p);
    }
}

/* ------------------------------------------------------------ V30, V31: scale and MSS ------------------------------------------------------------ */

static void v30_a_window_scale_above_14_counts_as_14(void **state)
{
    (void)state;
    static const uint8_t scales[] = {0, 1, 13, 14, 15, 31, 32, 64, 128, 255};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < 2 * COUNT_OF(scales); i++) {
            uint8_t scale = scales[i / 2], expected = scale < 14 ? scale : 14;
            struct peer_wish w = {.opts = {.have = WIRE_OPT_WSCALE, .wscale = scale}, .number = i};
            struct peer p = i & 1 ? peer_accepts(&v, v6, &w) : peer_connects(&v, v6, &w);
            assert_int_equal(peer_status(&p).snd_wscale, expected);
            peer_works(&p, "a window scale");
            assert_int_equal(peer_status(&p).snd.wnd, (uint32_t)65535 << expected);
            forget(&p);
        }
}

static void v30_a_repeated_window_scale_is_still_bounded(void **state)
{
    (void)state;
    static const uint8_t repeated[][8] = {{3, 3, 2, 1, 3, 3, 255, 1}, {3, 3, 255, 1, 3, 3, 2, 1}, {3, 3, 255, 3, 3, 200, 3, 3}};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned i = 0; i < COUNT_OF(repeated); i++) {
            struct peer p = peer_connects(&v, v6, &(struct peer_wish){.raw = repeated[i], .raw_bytes = 8, .number = i});
            assert_in_range(peer_status(&p).snd_wscale, 0, 14);
            peer_works(&p, "a repeated window scale");
            forget(&p);
        }
}

static void v30_a_window_scale_after_the_handshake_is_ignored(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned agreed = 0; agreed < 2; agreed++) {
            struct peer_wish w = {.opts = {.have = agreed ? WIRE_OPT_WSCALE : 0, .wscale = 3}, .number = agreed, .wnd = 1000};
            struct peer p = peer_connects(&v, v6, &w);
            struct forged f = peer_segment(&p, PL_ACK);
            f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_WSCALE, .wscale = 14};
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            assert_int_equal(peer_status(&p).snd.wnd, agreed ? 8000 : 1000);
            assert_int_equal(peer_status(&p).snd_wscale, agreed ? 3 : 0);
            assert_int_equal(peer_status(&p).window_scaling, agreed);
            peer_works(&p, "a window scale on an ACK");
            forget(&p);
        }
}

static void v31_a_tiny_mss_is_raised_to_the_floor_where_it_is_used(void **state)
{
    (void)state;
    static const struct {
        uint16_t mss, used;
    } rows[] = {{0, 48}, {1, 48}, {8, 48}, {47, 48}, {48, 48}, {49, 49}, {65535, 1460}};
    for (unsigned i = 0; i < 4 * COUNT_OF(rows); i++) {
        bool v6 = i & 1, active = i & 2;
        uint16_t used = rows[i / 4].used == 1460 && v6 ? 1440 : rows[i / 4].used;
        struct peer_wish w = {.opts = {.have = WIRE_OPT_MSS, .mss = rows[i / 4].mss}, .number = i};
        struct peer p = active ? peer_accepts(&v, v6, &w) : peer_connects(&v, v6, &w);
        struct forged f;
        uint8_t text[480] = {0};
        assert_int_equal(peer_status(&p).mss, used);
        assert_int_equal(peer_status(&p).peer_mss, rows[i / 4].mss);
        assert_int_equal(pl_set(v.s, p.c, PL_OPT_NODELAY, 1), PL_OK);
        assert_int_equal(pl_send(v.s, p.c, text, sizeof text), sizeof text);
        unsigned segments = 0;
        for (; victim_take(&v, &f); segments++) {
            assert_in_range(f.text_bytes, 1, used);
            p.ack += (uint32_t)f.text_bytes;
        }
        assert_in_range(segments, 1, (sizeof text + 47) / 48);
        assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(peer_status(&p).sndbuf_used, 0);
        peer_works(&p, "a tiny MSS");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V32 to V34: SACK ------------------------------------------------------------ */

/* A flight of `n` bytes from a connection where SACK was agreed on. */
static struct peer in_flight(bool v6, uint32_t iss, uint16_t mss, size_t n)
{
    struct peer_wish w = {.opts = {.have = WIRE_OPT_MSS | WIRE_OPT_SACK_PERMITTED, .mss = mss}, .fix_iss = true, .victim_iss = iss};
    struct peer p = peer_connects(&v, v6, &w);
    uint8_t text[4096] = {0};
    assert_true(peer_status(&p).sack);
    assert_int_equal(pl_send(v.s, p.c, text, n), n);
    (void)victim_hush(&v);
    assert_true(peer_status(&p).in_flight_bytes > 0);
    return p;
}

static void v34_senseless_sack_blocks_are_ignored_and_the_ack_counts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t lo, hi;                   /* from SND.UNA */
    } rows[] = {
        {"below SND.UNA", -2000, -1000},      {"across SND.UNA", -1000, 500},  {"above SND.NXT", 100000, 100500}, {"across SND.NXT", 500, 100000},
        {"reversed", 1500, 500},              {"of no length", 1000, 1000},    {"the whole sequence space", 0, -1}, {"half of it", 0, 0x80000000},
        {"all of the flight", 0, 2000},       {"the SYN", -1, 0},              {"a byte", 1000, 1001},            {"far away", 0x70000000, 0x70000001},
    };
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned iss = 0; iss < 2; iss++)
            for (unsigned i = 0; i < COUNT_OF(rows); i++) {
                struct peer p = in_flight(v6, iss ? 0xfffffe00 : 1000, 500, 2000);
                struct forged f = peer_segment(&p, PL_ACK);
                uint32_t una = p.ack, records = v.s->pools.records.used;
                f.ack = p.ack = una + 500;
                f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 4};
                for (unsigned k = 0; k < 4; k++)
                    f.opts.sack[k].lo = una + (uint32_t)rows[i].lo, f.opts.sack[k].hi = una + (uint32_t)rows[i].hi;
                assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
                assert_int_equal(peer_status(&p).snd.una, una + 500);
                assert_true(v.s->pools.records.used <= records);
                victim_silent(&v);
                /* Nothing that was only "selectively" acknowledged is forgotten: it is repeated when the rest of the flight stays unacknowledged. A loss probe
                 * goes before, unless a block was believed: only one of them makes sense. */
                victim_wait(&v, 2 * PL_S);
                assert_true(victim_take(&v, &f));
                assert_int_equal(v.why == PL_WHY_PROBE_LOSS, rows[i].lo != 0 || rows[i].hi != 2000);
                if (v.why == PL_WHY_PROBE_LOSS) {
                    assert_int_equal(f.seq, una + 1500);
                    victim_wait(&v, 2 * PL_S);
                    assert_true(victim_take(&v, &f));
                }
                assert_int_equal(f.seq, una + 500);
                assert_int_equal(f.text_bytes, 500);
                (void)victim_hush(&v);
                p.ack = una + 2000;
                assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
                assert_int_equal(peer_status(&p).sndbuf_used, 0);
                peer_works(&p, rows[i].name);
                forget(&p);
            }
}

/* V32: many SACKs over a queue of tiny segments; V33: alternating blocks that would split it. The records of the queue never become more, whatever
 * the blocks say, and the text is repeated and arrives whole. */
static void v32_and_v33_sacks_neither_split_nor_overflow_the_queue(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = in_flight(v6, 0xfffffff0, 48, 480);
        uint32_t una = p.ack, records = v.s->pools.records.used, x = 12345;
        for (unsigned round = 0; round < 5000; round++) {
            struct forged f = peer_segment(&p, PL_ACK);
            f.opts = (struct wire_tcp_opts){.have = WIRE_OPT_SACK, .nsack = 4};
            for (unsigned k = 0; k < 4; k++) {
                x = x * 1664525 + 1013904223;
                f.opts.sack[k].lo = una + (round & 1 ? x >> 23 : 96 * k + (round & 2 ? 48 : 0));
                f.opts.sack[k].hi = f.opts.sack[k].lo + (round & 1 ? x >> 8 & 255 : 48);
            }
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            (void)victim_hush(&v);
            assert_true(v.s->pools.records.used <= records);
            assert_true(peer_status(&p).in_flight_bytes <= 480);
        }
        p.ack = una + 480;
        assert_int_equal(peer_says(&p, PL_ACK, NULL), PL_DROP_NONE);
        assert_int_equal(v.s->pools.records.used, 0);
        peer_works(&p, "5000 SACKs");
        forget(&p);
    }
}

/* ------------------------------------------------------------ V37 to V39: urgent ------------------------------------------------------------ */

static void v37_and_v38_the_urgent_pointer_indexes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t up;
        size_t text;
        ptrdiff_t ahead;                  /* as the program is told, before it has read */
    } rows[] = {
        {"pointer 0", 0, 1, 0},           {"pointer 0 without text", 0, 0, 0},        {"at the end", 1, 1, 1},  {"far behind one byte", 0xffff, 1, 0xffff},
        {"far ahead without text", 0xffff, 0, 0xffff}, {"in the middle", 3, 10, 3}, {"one beyond", 11, 10, 11}, {"pointer 0x8000", 0x8000, 2, 0x8000},
    };
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned wrap = 0; wrap < 2; wrap++)
            for (unsigned i = 0; i < COUNT_OF(rows); i++) {
                struct peer p = peer_connects(&v, v6, &(struct peer_wish){.iss = wrap ? 0xfffffffc : 1, .number = i});
                struct forged f = peer_segment(&p, PL_ACK | PL_PSH | PL_URG);
                char got[16];
                f.up = rows[i].up;
                f.text_bytes = rows[i].text;
                f.text = "0123456789";
                assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
                p.seq += (uint32_t)rows[i].text;
                assert_int_equal(!!(victim_events(&v, p.c) & PL_EV_URGENT), rows[i].ahead != 0);
                assert_int_equal(pl_urgent(v.s, p.c), rows[i].ahead);
                assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), rows[i].text ? (ptrdiff_t)rows[i].text : PL_EAGAIN);
                assert_memory_equal(got, "0123456789", rows[i].text);
                ptrdiff_t left = rows[i].ahead - (ptrdiff_t)rows[i].text;
                assert_int_equal(pl_urgent(v.s, p.c), left > 0 ? left : 0);
                if (rows[i].text)
                    peer_hears(&p, PL_ACK, 0, PL_WHY_ACK_NOW);
                peer_works(&p, rows[i].name);
                /* the pointer again, an older one, and none: told no second time */
                f = peer_segment(&p, PL_ACK | PL_URG);
                f.seq = p.seq;
                f.up = 0;
                (void)victim_events(&v, p.c);
                assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
                assert_false(victim_events(&v, p.c) & PL_EV_URGENT);
                peer_works(&p, rows[i].name);
                forget(&p);
            }
}

/* With text that nobody has read yet, pointer 0 lies ahead of what was consumed; it says nothing all the same. */
static void v37_pointer_0_behind_unread_text_is_no_urgent_data(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        assert_int_equal(peer_says(&p, PL_ACK | PL_PSH, "unread"), PL_DROP_NONE);
        (void)victim_events(&v, p.c);
        assert_int_equal(peer_says(&p, PL_ACK | PL_PSH | PL_URG, "more"), PL_DROP_NONE);
        assert_false(victim_events(&v, p.c) & PL_EV_URGENT);
        assert_int_equal(pl_urgent(v.s, p.c), 0);
        char got[16];
        assert_int_equal(pl_recv(v.s, p.c, got, sizeof got), 10);
        (void)victim_hush(&v);
        peer_works(&p, "pointer 0 behind unread text");
        forget(&p);
    }
}

/* V39: URG where there is no stream yet, and nothing of it in the next connection that gets the same slot. */
static void v39_urgent_state_begins_and_ends_with_the_connection(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = {.v = &v, .at = victim_stranger(v6, 1, 40000), .victim = victim_endpoint(v6, VICTIM_PORT), .iss = 5000, .seq = 5001,
                         .wnd = 65535};
        struct forged f = {.src = p.at, .dst = p.victim, .seq = 5000, .flags = PL_SYN | PL_URG, .up = 9, .wnd = 65535, .text_bytes = 20};
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);              /* SYN with urgent text at a listener: the text is not taken */
        assert_true(victim_take(&v, &f));
        assert_int_equal(f.ack, 5001);
        p.irs = f.seq, p.ack = f.seq + 1;
        f = peer_segment(&p, PL_ACK | PL_URG);
        f.up = 0;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(pl_accept(v.s, v.listener, &p.c, NULL), PL_OK);
        assert_int_equal(pl_urgent(v.s, p.c), 0);
        assert_false(pl_ready(v.s, p.c) & PL_EV_URGENT);
        peer_works(&p, "a SYN with urgent text");
        f = peer_segment(&p, PL_ACK | PL_URG);
        f.up = 100;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(pl_urgent(v.s, p.c), 100);
        assert_int_equal(pl_send_urgent(v.s, p.c, "urgent", 6), 6);
        (void)victim_hush(&v);
        forget(&p);

        struct peer q = peer_called(&v, v6, &(struct peer_wish){.number = 2});
        assert_int_equal((uint32_t)q.c, (uint32_t)p.c);                      /* the same slot */
        static const uint8_t flags[] = {PL_URG, PL_URG | PL_ACK, PL_URG | PL_PSH | PL_FIN};
        for (unsigned i = 0; i < 3; i++) {    /* SYN-SENT: no SYN, no RST: dropped */
            f = peer_segment(&q, flags[i]);
            f.up = 0xffff;
            assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_SYN_SENT_OTHER);
            victim_silent(&v);
        }
        assert_int_equal(pl_urgent(v.s, q.c), 0);
        f = peer_segment(&q, PL_SYN | PL_ACK | PL_URG);
        f.seq = q.iss;
        f.up = 0;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        peer_hears(&q, PL_ACK, 0, PL_WHY_ACK_HANDSHAKE);
        assert_int_equal(pl_urgent(v.s, q.c), 0);
        assert_false(victim_events(&v, q.c) & PL_EV_URGENT);
        peer_works(&q, "URG in SYN-SENT");
        assert_int_equal(peer_status(&q).snd.up, 0);
        forget(&q);

        /* SYNs that cross, the peer's with an urgent pointer: not synchronised yet, so nothing is urgent, then or later. */
        q = peer_called(&v, v6, &(struct peer_wish){.number = 3});
        f = peer_segment(&q, PL_SYN | PL_URG);
        f.seq = q.iss;
        f.ack = 0;
        f.up = 500;
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(peer_state(&q), PL_SYN_RECEIVED);
        assert_int_equal(pl_urgent(v.s, q.c), 0);
        assert_true(victim_take(&v, &f));
        assert_int_equal(f.flags, PL_SYN | PL_ACK);
        f = peer_segment(&q, PL_ACK);
        assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
        assert_int_equal(peer_state(&q), PL_ESTABLISHED);
        assert_int_equal(pl_urgent(v.s, q.c), 0);
        assert_false(victim_events(&v, q.c) & PL_EV_URGENT);
        peer_works(&q, "URG on a SYN that crossed");
        forget(&q);
    }
}

/* ------------------------------------------------------------ V52: flags ------------------------------------------------------------ */

enum { FIN = PL_FIN, SYN = PL_SYN, RST = PL_RST, PSH = PL_PSH, ACK = PL_ACK, URG = PL_URG };

static void v52_a_listener_takes_a_syn_and_nothing_that_only_looks_like_one(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t flags, answer;            /* 0: silence */
        enum pl_drop drop;
    } rows[] = {
        {"SYN,ACK", SYN | ACK, RST, PL_DROP_TCP_LISTEN_ACK},
        {"ACK", ACK, RST, PL_DROP_TCP_LISTEN_ACK},
        {"FIN,ACK", FIN | ACK, RST, PL_DROP_TCP_LISTEN_ACK},
        {"SYN,FIN,ACK", SYN | FIN | ACK, RST, PL_DROP_TCP_LISTEN_ACK},
        {"SYN,FIN", SYN | FIN, 0, PL_DROP_TCP_SYN_FIN},
        {"SYN,FIN,PSH,URG", SYN | FIN | PSH | URG, 0, PL_DROP_TCP_SYN_FIN},
        {"SYN,RST", SYN | RST, 0, PL_DROP_TCP_LISTEN_RST},
        {"RST", RST, 0, PL_DROP_TCP_LISTEN_RST},
        {"RST,ACK", RST | ACK, 0, PL_DROP_TCP_LISTEN_RST},
        {"all flags", 0xff, 0, PL_DROP_TCP_LISTEN_RST},
        {"no flags", 0, 0, PL_DROP_TCP_LISTEN_OTHER},
        {"FIN", FIN, 0, PL_DROP_TCP_LISTEN_OTHER},
        {"FIN,PSH,URG", FIN | PSH | URG, 0, PL_DROP_TCP_LISTEN_OTHER},
        {"ECE,CWR", 0xc0, 0, PL_DROP_TCP_LISTEN_OTHER},
    };
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        for (unsigned i = 0; i < COUNT_OF(rows); i++)
            for (unsigned text = 0; text < 2; text++) {
                struct forged f = {.src = victim_stranger(v6, 3, 99), .dst = victim_endpoint(v6, VICTIM_PORT), .seq = 77, .ack = 0xdeadbeef,
                                   .flags = rows[i].flags, .text_bytes = text, .wnd = 100}, got;
                if (victim_give(&v, &f) != rows[i].drop)
                    fail_msg("%s: %s", rows[i].name, pl_drop_name((enum pl_drop)v.drop));
                if (rows[i].answer) {
                    assert_true(victim_take(&v, &got));
                    assert_int_equal(got.flags, rows[i].answer);
                    assert_int_equal(got.seq, 0xdeadbeef);
                    assert_int_equal(got.text_bytes, 0);
                }
                victim_silent(&v);
                assert_int_equal(count(PL_SYN_RECEIVED), 0);
                peer_works(&p, rows[i].name);
                victim_wait(&v, PL_S);    /* refills the bucket of resets */
                victim_silent(&v);
            }
        forget(&p);
    }
}

static void v52_an_acknowledgement_that_is_not_of_our_syn_is_reset_and_the_entry_stays(void **state)
{
    (void)state;
    static const int64_t off[] = {0, -1, 2, 1000, -70000, 0x7fffffff, -0x80000000ll};
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned wrap = 0; wrap < 2; wrap++) {
            struct peer_wish w = {.fix_iss = true, .victim_iss = wrap ? 0xffffffff : 9000, .number = wrap};
            struct peer p = peer_half_open(&v, v6, &w);
            for (unsigned i = 0; i < COUNT_OF(off); i++) {
                struct forged f = peer_segment(&p, PL_ACK), got;
                f.ack = p.irs + (uint32_t)off[i];
                f.text_bytes = i & 1 ? 10 : 0;
                assert_int_equal(victim_give(&v, &f), PL_DROP_TCP_SYN_RECEIVED_ACK);
                assert_true(victim_take(&v, &got));
                assert_int_equal(v.why, PL_WHY_RST_BAD_ACK);
                assert_int_equal(got.flags, RST);
                assert_int_equal(got.seq, f.ack);
                victim_silent(&v);
                assert_int_equal(count(PL_SYN_RECEIVED), 1);
                victim_wait(&v, 100 * PL_MS);
            }
            struct forged f = peer_segment(&p, PL_ACK);
            assert_int_equal(victim_give(&v, &f), PL_DROP_NONE);
            assert_int_equal(pl_accept(v.s, v.listener, &p.c, NULL), PL_OK);
            (void)victim_events(&v, 0);
            (void)victim_hush(&v);
            peer_works(&p, "wrong acknowledgements of our SYN");
            forget(&p);
        }
}

/* All 256 combinations of flags at each state: nothing but an exact RST, or a FIN where its number is due, changes the state. */
static void v52_no_nonsense_flags_move_an_established_connection(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct peer p = peer_connects(&v, v6, NULL);
        for (unsigned flags = 0; flags < 256; flags++) {
            if ((flags & RST) || (flags & (FIN | ACK | SYN)) == (FIN | ACK))
                continue;
            struct forged f = peer_segment(&p, (uint8_t)flags);
            enum pl_drop drop = victim_give(&v, &f);
            assert_int_equal(drop, flags & SYN ? PL_DROP_TCP_SYN_CHALLENGED : flags & ACK ? PL_DROP_NONE : PL_DROP_TCP_NO_ACK);
            if (victim_hush(&v))
                assert_int_equal(v.why, PL_WHY_ACK_CHALLENGE);
            assert_int_equal(peer_state(&p), PL_ESTABLISHED);
        }
        peer_works(&p, "every combination of flags");
        forget(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(v28_a_data_offset_below_5_or_beyond_the_segment_is_dropped, make, unmake),
        cmocka_unit_test_setup_teardown(v28_a_segment_cut_short_anywhere_is_dropped, make, unmake),
        cmocka_unit_test_setup_teardown(v29_an_option_of_wrong_length_ends_the_parse_and_not_the_connection, make, unmake),
        cmocka_unit_test_setup_teardown(v29_what_stands_before_the_bad_option_counts, make, unmake),
        cmocka_unit_test_setup_teardown(v29_every_kind_and_length_leaves_the_text_alone, make, unmake),
        cmocka_unit_test_setup_teardown(v29_a_broken_timestamp_is_no_timestamp, make, unmake),
        cmocka_unit_test_setup_teardown(v30_a_window_scale_above_14_counts_as_14, make, unmake),
        cmocka_unit_test_setup_teardown(v30_a_repeated_window_scale_is_still_bounded, make, unmake),
        cmocka_unit_test_setup_teardown(v30_a_window_scale_after_the_handshake_is_ignored, make, unmake),
        cmocka_unit_test_setup_teardown(v31_a_tiny_mss_is_raised_to_the_floor_where_it_is_used, make, unmake),
        cmocka_unit_test_setup_teardown(v32_and_v33_sacks_neither_split_nor_overflow_the_queue, make, unmake),
        cmocka_unit_test_setup_teardown(v34_senseless_sack_blocks_are_ignored_and_the_ack_counts, make, unmake),
        cmocka_unit_test_setup_teardown(v37_and_v38_the_urgent_pointer_indexes_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(v37_pointer_0_behind_unread_text_is_no_urgent_data, make, unmake),
        cmocka_unit_test_setup_teardown(v39_urgent_state_begins_and_ends_with_the_connection, make, unmake),
        cmocka_unit_test_setup_teardown(v52_a_listener_takes_a_syn_and_nothing_that_only_looks_like_one, make, unmake),
        cmocka_unit_test_setup_teardown(v52_an_acknowledgement_that_is_not_of_our_syn_is_reset_and_the_entry_stays, make, unmake),
        cmocka_unit_test_setup_teardown(v52_no_nonsense_flags_move_an_established_connection, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
