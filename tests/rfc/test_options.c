/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.1, 3.9.2; RFC 7323 2, 3, 5: options where they belong and where they do not.
 */
#include "rfc/peer.h"
#include "wire/ip4_hdr.h"

static uint8_t buffer[8192];

static struct pl_config with_timestamps(void)
{
    struct pl_config c = duo_config();
    c.timestamps = true;
    return c;
}

/* MUST-5, RFC 7323 2.2-c, 3.2-i: every option on every kind of segment is read over, and changes nothing that was agreed. */
static void options_may_stand_on_any_segment(void **state)
{
    static const uint8_t flags[] = {PL_ACK, PL_ACK | PL_PSH, PL_ACK | PL_URG, PL_ACK | PL_FIN};
    struct peer p;
    peer_open(&p, state, NULL, 0);
    struct pl_tcp_status before = peer_status(&p);
    uint32_t taken = 0;
    for (unsigned i = 0; i < COUNT_OF(flags); i++)
        for (unsigned have = 0; have < 32; have++) {
            struct forged f = peer_segment(&p, flags[i], 0, i == 0 || (flags[i] & PL_FIN && have < 31) ? 0 : 5);
            f.opts = (struct wire_tcp_opts){.have = (uint8_t)have, .mss = 100, .wscale = 7, .ts_val = 9, .ts_ecr = 8, .nsack = have & WIRE_OPT_SACK ? 1 : 0,
                                            .sack = {{1, 2}}};
            if (flags[i] & PL_FIN && have < 31)
                f.flags = PL_ACK;                        /* the FIN comes once, with all of them */
            peer_says(&p, &f);
            taken += (uint32_t)f.text_bytes;
            struct pl_tcp_status now = peer_status(&p);
            assert_int_equal(now.rcv.nxt, before.rcv.nxt + taken + (f.flags & PL_FIN ? 1 : 0));
            assert_int_equal(now.snd.wnd, PEER_WND);
            assert_int_equal(now.mss, before.mss);
            assert_int_equal(now.snd_wscale, 0);
            assert_false(now.timestamps || now.sack || now.window_scaling);
            struct forged heard = {.seq = 0};
            peer_hears_all(&p, &heard);
            assert_int_equal(heard.opts.have, 0);
        }
    assert_int_equal(peer_status(&p).state, PL_CLOSE_WAIT);
    peer_free(&p);
}

/* RFC 7323 5.3-a, 5.3-b: what is older than what was seen is dropped for that reason, whatever its flags and wherever it lies, and is answered. */
static void an_old_timestamp_comes_before_every_other_check(void **state)
{
    static const uint8_t flags[] = {PL_ACK, PL_ACK | PL_PSH, PL_ACK | PL_FIN, PL_ACK | PL_URG, PL_SYN, PL_SYN | PL_ACK, 0};
    static const int32_t offs[] = {0, 10, -100, 1000000};
    struct pl_config c = with_timestamps();
    struct peer p;
    peer_open(&p, state, &c, WIRE_OPT_TIMESTAMPS);
    uint64_t drops = 0;
    for (unsigned i = 0; i < COUNT_OF(flags); i++)
        for (unsigned k = 0; k < COUNT_OF(offs); k++) {
            p.ts_val = 99;
            struct forged f = peer_segment(&p, flags[i], offs[k], 20);
            peer_says(&p, &f);
            assert_int_equal(peer_drops(&p, PL_DROP_TCP_PAWS), ++drops);
            assert_int_equal(peer_hears_all(&p, &f), 1);
            assert_int_equal(f.flags, PL_ACK);
            assert_int_equal(f.ack, PEER_ISS + 1);
            assert_int_equal(f.opts.ts_ecr, 100);
        }
    assert_int_equal(peer_status(&p).rcvbuf_used, 0);
    assert_int_equal(peer_status(&p).state, PL_ESTABLISHED);
    peer_free(&p);
}

/* RFC 7323 5.3-c: text behind a gap is judged when it arrives, and not again when the gap is filled by something newer. */
static void text_behind_a_gap_is_judged_when_it_arrives(void **state)
{
    struct pl_config c = with_timestamps();
    struct peer p;
    peer_open(&p, state, &c, WIRE_OPT_TIMESTAMPS);
    p.ts_val = 99;
    struct forged f = peer_segment(&p, PL_ACK, 100, 100);
    peer_says(&p, &f);
    assert_int_equal(peer_drops(&p, PL_DROP_TCP_PAWS), 1);
    p.ts_val = 101;
    f = peer_segment(&p, PL_ACK, 100, 100);
    peer_says(&p, &f);
    p.ts_val = 200;
    f = peer_segment(&p, PL_ACK, 0, 100);
    peer_says(&p, &f);
    assert_int_equal(pl_recv(p.d.s[0], p.c, buffer, sizeof buffer), 200);
    assert_int_equal(peer_drops(&p, PL_DROP_TCP_PAWS), 1);
    peer_free(&p);
}

/* RFC 7323 5.2-d: old timestamps, or none, do not save from a RST. */
static void a_rst_is_not_judged_by_its_timestamp(void **state)
{
    struct pl_config c = with_timestamps();
    for (unsigned with = 0; with < 2; with++) {
        struct peer p;
        peer_open(&p, state, &c, WIRE_OPT_TIMESTAMPS);
        p.ts_val = 1;
        struct forged f = peer_segment(&p, PL_RST, 0, 0);
        if (!with)
            f.opts.have = 0;
        peer_says(&p, &f);
        assert_int_equal(pl_error(p.d.s[0], p.c), PL_ECONNRESET);
        assert_int_equal(peer_drops(&p, PL_DROP_TCP_RST_TAKEN), 1);
        peer_free(&p);
    }
}

/* RFC 7323 5.2-e: the timestamp of a RST that does not count is not remembered, wherever the RST lies and whatever it carries. */
static void a_rst_s_timestamp_changes_nothing(void **state)
{
    static const int32_t offs[] = {-1, 1, 100, -5};
    struct pl_config c = with_timestamps();
    for (unsigned i = 0; i < COUNT_OF(offs); i++) {
        struct peer p;
        peer_open(&p, state, &c, WIRE_OPT_TIMESTAMPS);
        p.ts_val = 1000000;
        struct forged f = peer_segment(&p, PL_RST | PL_ACK, offs[i], 20);
        peer_says(&p, &f);
        peer_hears_all(&p, NULL);
        p.ts_val = 101;
        f = peer_segment(&p, PL_ACK | PL_PSH, 0, 10);
        peer_says(&p, &f);
        assert_int_equal(pl_recv(p.d.s[0], p.c, buffer, sizeof buffer), 10);
        assert_int_equal(peer_hears_all(&p, &f), 1);
        assert_int_equal(f.opts.ts_ecr, 101);
        peer_free(&p);
    }
}

/* RFC 7323 3.2-c: a SYN without ACK whose echo field holds whatever makes no round-trip sample. */
static void the_echo_of_a_segment_without_ack_is_ignored(void **state)
{
    struct pl_config c = with_timestamps();
    struct duo d;
    struct forged syn, f;
    struct pl_tcp_status st;
    duo_init(&d, &c, false);
    pl_conn conn = duo_connect(&d, 0, SIX(state), 80);
    assert_true(duo_take_segment(&d, 0, &syn));
    d.now += 300 * PL_MS;
    f = (struct forged){.src = syn.dst, .dst = syn.src, .seq = 7000, .wnd = 1000, .flags = PL_SYN,
                        .opts = {.have = WIRE_OPT_TIMESTAMPS, .ts_val = 5, .ts_ecr = syn.opts.ts_val}};
    duo_give_segment(&d, 0, &f);
    assert_int_equal(pl_status(d.s[0], conn, &st, sizeof st), PL_OK);
    assert_int_equal(st.state, PL_SYN_RECEIVED);
    assert_true(st.srtt == 0);
    duo_free(&d);
}

/* MUST-50: IP options that TCP knows nothing of: end, no operation, record route, timestamp, stream identifier, router alert, one of nobody's. */
static void ip_options_change_nothing(void **state)
{
    static const uint8_t options[][8] = {{0}, {1, 1, 1, 1, 1, 1, 1, 0}, {7, 7, 4, 0, 0, 0, 0, 0}, {68, 8, 5, 0, 0, 0, 0, 0}, {136, 4, 0, 1, 0},
                                         {148, 4, 0, 0, 0}, {158, 8, 1, 2, 3, 4, 5, 6}};
    (void)state;
    struct duo d;
    duo_init(&d, NULL, false);
    duo_listen(&d, 1, 80, 0);
    for (unsigned i = 0; i < COUNT_OF(options); i++) {
        uint8_t plain[FORGE_BYTES_MAX], b[FORGE_BYTES_MAX];
        struct forged f = {.src = duo_endpoint(0, false, (uint16_t)(5000 + i)), .dst = duo_endpoint(1, false, 80), .seq = 1, .wnd = 1000, .flags = PL_SYN};
        size_t n = forge_tcp(plain, &f);
        memcpy(b, plain, 20);
        memcpy(b + 20, options[i], 8);
        memcpy(b + 28, plain + 20, n - 20);
        b[0] = 0x47;
        b[3] = (uint8_t)(n + 8);
        wire_ip4_sum_set(b, 28);
        duo_give(&d, 1, b, n + 8);
        assert_true(duo_take_segment(&d, 1, &f));
        assert_int_equal(f.flags, PL_SYN | PL_ACK);
        assert_int_equal(f.ack, 2);
        f = (struct forged){.src = f.dst, .dst = f.src, .seq = 2, .ack = f.seq + 1, .wnd = 1000, .flags = PL_RST};
        duo_give_segment(&d, 1, &f);
    }
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(options_may_stand_on_any_segment),
        BOTH(an_old_timestamp_comes_before_every_other_check),
        BOTH(text_behind_a_gap_is_judged_when_it_arrives),
        BOTH(a_rst_is_not_judged_by_its_timestamp),
        BOTH(a_rst_s_timestamp_changes_nothing),
        BOTH(the_echo_of_a_segment_without_ack_is_ignored),
        cmocka_unit_test(ip_options_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
