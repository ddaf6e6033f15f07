/* SPDX-License-Identifier: MIT
 *
 * test_ladder.c: the sequence diagram, from hand-made events, against whole pictures.
 */
#include "view/ladder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct ladder *ladder;
static char *picture;
static size_t picture_bytes;
static FILE *stream;

static struct ladder_opts plain_opts(void)
{
    struct ladder_opts o;
    stream = open_memstream(&picture, &picture_bytes);
    ladder_opts_default(&o, stream);
    o.width = 100;
    o.colour = o.unicode = false;
    return o;
}

static void begin(bool unicode, unsigned quiet)
{
    struct ladder_opts o = plain_opts();
    o.unicode = unicode;
    o.quiet = quiet;
    ladder = ladder_new(&o);
}

static void expect(const char *want)
{
    ladder_free(ladder);
    fclose(stream);
    if (strcmp(picture, want)) fprintf(stderr, "%s", picture);    /* cmocka's messages are cut */
    assert_true(!strcmp(picture, want));
    free(picture);
}

static struct pl_trace_event event(unsigned side, pl_time now, int kind, int why, int before, int after)
{
    struct pl_trace_event e = {.now = now, .kind = (uint8_t)kind, .why = (uint16_t)why, .protocol = 6, .state_before = (uint8_t)before,
        .state_after = (uint8_t)after};
    struct pl_endpoint end[2] = {{.port = 49152}, {.port = 80}};
    end[0].addr.b[15] = 1;
    end[1].addr.b[15] = 2;
    e.local = end[side];
    e.remote = end[!side];
    return e;
}

static struct pl_trace_segment segment(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    return (struct pl_trace_segment){
        .flags = (uint8_t)flags, .seq = seq, .ack = ack, .len = len, .wnd = 65535, .wnd_raw = 65535, .segs = 1};
}

static void out(unsigned side, pl_time now, struct pl_trace_segment s, int why, int before, int after)
{
    struct pl_trace_event e = event(side, now, PL_TRACE_OUT, why, before, after);
    e.seg = &s;
    e.frame_bytes = 40 + s.len;
    ladder_event(ladder, side, &e);
}

static void in(unsigned side, pl_time now, struct pl_trace_segment s, int drop, int before, int after)
{
    struct pl_trace_event e = event(side, now, PL_TRACE_IN, 0, before, after);
    e.seg = &s;
    e.drop = (uint16_t)drop;
    ladder_event(ladder, side, &e);
}

static void state(unsigned side, pl_time now, int why, int before, int after)
{
    struct pl_trace_event e = event(side, now, PL_TRACE_STATE, why, before, after);
    ladder_event(ladder, side, &e);
}

static void timer(unsigned side, pl_time now, int why, int in_state, int64_t interval)
{
    struct pl_trace_event e = event(side, now, PL_TRACE_TIMER, why, in_state, in_state);
    e.a = interval;
    ladder_event(ladder, side, &e);
}

static void note_of(const struct ladder_note *base, struct pl_trace_segment s)
{
    unsigned from = base->from;
    uint8_t f[60] = {0x60, [5] = 20, [6] = 6, [7] = 64, [40 + 12] = 5 << 4};
    f[8 + 15] = from ? 2 : 1;
    f[24 + 15] = from ? 1 : 2;
    uint16_t source = from ? 80 : 49152, destination = from ? 49152 : 80;
    uint8_t *t = f + 40;
    t[0] = (uint8_t)(source >> 8), t[1] = (uint8_t)source, t[2] = (uint8_t)(destination >> 8), t[3] = (uint8_t)destination;
    for (int i = 0; i < 4; i++) {
        t[4 + i] = (uint8_t)(s.seq >> (24 - 8 * i));
        t[8 + i] = (uint8_t)(s.ack >> (24 - 8 * i));
    }
    t[13] = s.flags;
    t[14] = t[15] = 0xff;
    struct ladder_note n = *base;
    n.frame = f;
    n.frame_bytes = sizeof f;
    ladder_note_link(ladder, &n);
}

static void note(enum ladder_wire what, unsigned from, pl_time now, uint64_t id, struct pl_trace_segment s, const char *why)
{
    note_of(&(struct ladder_note){.what = what, .from = from, .now = now, .id = id, .why = why, .extra = PL_NEVER}, s);
}

static void note_copy(enum ladder_wire what, uint64_t id, struct pl_trace_segment s)
{
    note_of(&(struct ladder_note){.what = what, .id = id, .copy = 1}, s);
}

static void handshake(void)
{
    struct pl_trace_segment syn = segment(PL_SYN, 0, 0, 0), syn_ack = segment(PL_SYN | PL_ACK, 0, 1, 0), ack = segment(PL_ACK, 1, 1, 0);
    syn.opts = 15, syn.mss = 1460, syn.wscale = 8, syn.ts_val = 7;
    state(0, 0, PL_WHY_CALL_CONNECT, PL_CLOSED, PL_SYN_SENT);
    out(0, 0, syn, PL_WHY_SYN_CONNECT, PL_SYN_SENT, PL_SYN_SENT);
    state(1, 10 * PL_MS, PL_WHY_GOT_SYN, PL_LISTEN, PL_SYN_RECEIVED);
    in(1, 10 * PL_MS, syn, 0, PL_LISTEN, PL_SYN_RECEIVED);
    out(1, 10 * PL_MS, syn_ack, PL_WHY_SYN_ACK_ANSWER, PL_SYN_RECEIVED, PL_SYN_RECEIVED);
    state(0, 20 * PL_MS, PL_WHY_GOT_SYN_ACK, PL_SYN_SENT, PL_ESTABLISHED);
    in(0, 20 * PL_MS, syn_ack, 0, PL_SYN_SENT, PL_ESTABLISHED);
    out(0, 20 * PL_MS, ack, PL_WHY_ACK_HANDSHAKE, PL_ESTABLISHED, PL_ESTABLISHED);
    state(1, 30 * PL_MS, PL_WHY_GOT_ACK_OF_SYN, PL_SYN_RECEIVED, PL_ESTABLISHED);
    in(1, 30 * PL_MS, ack, 0, PL_SYN_RECEIVED, PL_ESTABLISHED);
}

static void handshake_is_three_rows_with_the_states_after_each(void **x)
{
    (void)x;
    begin(true, 0);
    handshake();
    expect(
           "           client                                                                       server\n"
           "  0.000000 SYN-SENT     ──SYN seq=0 ack=0 len=0 win=65535─────────────────────────────▶ SYN-RECEIVED\n"
           "           connect() was called: ask the peer to open, telling it our first sequence number\n"
           "           [RFC 9293 3.10.1]\n"
           "           options: mss=1460 wscale=8 sackOK ts=7/0\n"
           "  0.010000 ESTABLISHED  ◀─────────────────────────SYN,ACK seq=0 ack=1 len=0 win=65535── SYN-RECEIVED\n"
           "           the SYN is acknowledged, and our own first sequence number told in the same segment\n"
           "           [RFC 9293 3.10.7.2]\n"
           "  0.020000 ESTABLISHED  ──ACK seq=1 ack=1 len=0 win=65535─────────────────────────────▶ ESTABLISHED\n"
           "           the third message: now the peer knows that we heard its answer [RFC 9293 3.5, figure 6]\n");
}

static void simultaneous_open_is_half_rows(void **x)
{
    (void)x;
    begin(true, LADDER_NO_REASONS);
    struct pl_trace_segment a = segment(PL_SYN, 100, 0, 0), b = segment(PL_SYN, 300, 0, 0);
    struct pl_trace_segment c = segment(PL_SYN | PL_ACK, 100, 301, 0), d = segment(PL_SYN | PL_ACK, 300, 101, 0);
    out(0, 0, a, PL_WHY_SYN_CONNECT, PL_SYN_SENT, PL_SYN_SENT);
    out(1, 1 * PL_MS, b, PL_WHY_SYN_CONNECT, PL_SYN_SENT, PL_SYN_SENT);
    in(1, 10 * PL_MS, a, 0, PL_SYN_SENT, PL_SYN_RECEIVED);
    out(1, 10 * PL_MS, d, PL_WHY_SYN_ACK_CROSSED, PL_SYN_RECEIVED, PL_SYN_RECEIVED);
    in(0, 11 * PL_MS, b, 0, PL_SYN_SENT, PL_SYN_RECEIVED);
    out(0, 11 * PL_MS, c, PL_WHY_SYN_ACK_CROSSED, PL_SYN_RECEIVED, PL_SYN_RECEIVED);
    in(0, 20 * PL_MS, d, 0, PL_SYN_RECEIVED, PL_ESTABLISHED);
    in(1, 21 * PL_MS, c, 0, PL_SYN_RECEIVED, PL_ESTABLISHED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 SYN-SENT     ──SYN seq=100 ack=0 len=0 win=65535─────────────────────────···\n"
           "  0.001000 SYN-RECEIVED ◀───────────────────────────SYN seq=300 ack=0 len=0 win=65535── SYN-SENT\n"
           "  0.010000              ···──SYN seq=100 ack=0 len=0 win=65535────────────────────────▶ SYN-RECEIVED\n"
           "  0.010000              ···───────────────────SYN,ACK seq=300 ack=101 len=0 win=65535── SYN-RECEIVED\n"
           "  0.011000 SYN-RECEIVED ──SYN,ACK seq=100 ack=301 len=0 win=65535─────────────────────▶ ESTABLISHED\n"
           "  0.020000 ESTABLISHED  ◀──────────────────SYN,ACK seq=300 ack=101 len=0 win=65535──···\n");
}

static void a_lost_segment_dies_on_the_way_and_its_timer_is_a_row(void **x)
{
    (void)x;
    begin(true, LADDER_NO_REASONS);
    struct pl_trace_segment syn = segment(PL_SYN, 4294967295u, 0, 0);
    ladder_set_state(ladder, 1, PL_LISTEN);
    out(0, 0, syn, PL_WHY_SYN_CONNECT, PL_SYN_SENT, PL_SYN_SENT);
    note(LADDER_SENT, 0, 0, 1, syn, NULL);
    note(LADDER_LOST, 0, 0, 1, syn, "lost on the way");
    timer(0, PL_S, PL_WHY_TIMER_RTO, PL_SYN_SENT, (int64_t)PL_S);
    out(0, PL_S, syn, PL_WHY_SYN_REPEAT, PL_SYN_SENT, PL_SYN_SENT);
    note(LADDER_SENT, 0, PL_S, 2, syn, NULL);
    note(LADDER_ARRIVING, 0, PL_S + 10 * PL_MS, 2, syn, NULL);
    in(1, PL_S + 10 * PL_MS, syn, 0, PL_LISTEN, PL_SYN_RECEIVED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 SYN-SENT     ──SYN seq=4294967295 ack=0 len=0 win=65535─────✗                LISTEN\n"
           "           lost on the way\n"
           "  1.000000 SYN-SENT     • timer, 1 s after the first SYN\n"
           "  1.000000 SYN-SENT     ──SYN seq=4294967295 ack=0 len=0 win=65535────────────────────▶ SYN-RECEIVED\n");
}

static void time_wait_ends_with_one_row_for_timer_and_change(void **x)
{
    (void)x;
    begin(false, LADDER_NO_REASONS);
    struct pl_trace_segment fin = segment(PL_FIN | PL_ACK, 220, 121, 0), ack = segment(PL_ACK, 101, 221, 0);
    out(1, 0, fin, PL_WHY_FIN_CLOSE, PL_CLOSE_WAIT, PL_LAST_ACK);
    in(0, 10 * PL_MS, fin, 0, PL_FIN_WAIT_2, PL_TIME_WAIT);
    out(0, 10 * PL_MS, ack, PL_WHY_ACK_FIN, PL_TIME_WAIT, PL_TIME_WAIT);
    in(1, 20 * PL_MS, ack, PL_DROP_NONE, PL_LAST_ACK, PL_CLOSED);
    timer(0, 60 * PL_S, PL_WHY_TIMER_2MSL, PL_TIME_WAIT, (int64_t)(60 * PL_S));
    state(0, 60 * PL_S, PL_WHY_TIMER_2MSL, PL_TIME_WAIT, PL_CLOSED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 TIME-WAIT    <---------------------FIN,ACK seq=220 ack=121 len=0 win=65535-- LAST-ACK\n"
           "  0.010000 TIME-WAIT    --ACK seq=101 ack=221 len=0 win=65535-------------------------> CLOSED\n"
           " 60.000000 CLOSED       * TIME-WAIT -> CLOSED\n");
}

static void overtaken_segment_is_two_half_rows(void **x)
{
    (void)x;
    begin(false, LADDER_NO_REASONS);
    struct pl_trace_segment a = segment(PL_ACK, 1, 1, 100), b = segment(PL_ACK, 101, 1, 100);
    out(0, 0, a, PL_WHY_DATA_NEW, PL_ESTABLISHED, PL_ESTABLISHED);
    out(0, 0, b, PL_WHY_DATA_NEW, PL_ESTABLISHED, PL_ESTABLISHED);
    in(1, 10 * PL_MS, b, 0, PL_ESTABLISHED, PL_ESTABLISHED);
    in(1, 15 * PL_MS, a, 0, PL_ESTABLISHED, PL_ESTABLISHED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 ESTABLISHED  --ACK seq=1 ack=1 len=100 win=65535-------------------------...\n"
           "  0.000000 ESTABLISHED  --ACK seq=101 ack=1 len=100 win=65535-------------------------> ESTABLISHED\n"
           "  0.015000              ...--ACK seq=1 ack=1 len=100 win=65535------------------------> ESTABLISHED\n");
}

static void data_and_acknowledgements_that_cross_stay_whole_rows(void **x)
{
    (void)x;
    begin(true, LADDER_NO_REASONS);
    struct pl_trace_segment a = segment(PL_PSH | PL_ACK, 1, 1, 99), b = segment(PL_PSH | PL_ACK, 1, 1, 119);
    out(0, 0, a, PL_WHY_DATA_NEW, PL_ESTABLISHED, PL_ESTABLISHED);
    out(1, 1 * PL_MS, b, PL_WHY_DATA_NEW, PL_ESTABLISHED, PL_ESTABLISHED);
    in(1, 10 * PL_MS, a, 0, PL_ESTABLISHED, PL_ESTABLISHED);
    in(0, 11 * PL_MS, b, 0, PL_ESTABLISHED, PL_ESTABLISHED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 ESTABLISHED  ──PSH,ACK seq=1 ack=1 len=99 win=65535────────────────────────▶ ESTABLISHED\n"
           "  0.001000 ESTABLISHED  ◀───────────────────────PSH,ACK seq=1 ack=1 len=119 win=65535── ESTABLISHED\n");
}

static void a_segment_from_nowhere_is_a_half_row(void **x)
{
    (void)x;
    begin(true, LADDER_NO_REASONS);
    struct pl_trace_segment old = segment(PL_SYN, 90, 0, 0), answer = segment(PL_SYN | PL_ACK, 300, 91, 0), rst = segment(PL_RST, 91, 0, 0);
    note(LADDER_INJECTED, 0, 0, 1, old, NULL);
    note(LADDER_ARRIVING, 0, 0, 1, old, NULL);
    in(1, 0, old, 0, PL_LISTEN, PL_SYN_RECEIVED);
    out(1, 0, answer, PL_WHY_SYN_ACK_ANSWER, PL_SYN_RECEIVED, PL_SYN_RECEIVED);
    in(0, 10 * PL_MS, answer, PL_DROP_TCP_CLOSED, PL_CLOSED, PL_CLOSED);
    out(0, 10 * PL_MS, rst, PL_WHY_RST_CLOSED, PL_CLOSED, PL_CLOSED);
    in(1, 20 * PL_MS, rst, PL_DROP_TCP_RST_TAKEN, PL_SYN_RECEIVED, PL_LISTEN);
    expect(
           "           client                                                                       server\n"
           "  0.000000              ···──SYN seq=90 ack=0 len=0 win=65535─────────────────────────▶ SYN-RECEIVED\n"
           "           nobody sent this now: it comes from outside, or from long ago\n"
           "  0.000000 CLOSED       ◀──────────────────────SYN,ACK seq=300 ack=91 len=0 win=65535── SYN-RECEIVED\n"
           "           client: no such connection and nobody listens on the port [RFC 9293 3.10.7.1]\n"
           "  0.010000 CLOSED       ──RST seq=91 ack=0 len=0 win=65535────────────────────────────▶ LISTEN\n"
           "           server: the reset was taken; the rest of the segment is void\n"
           "           [RFC 9293 3.10.7.3, 3.10.7.4 second]\n");
}

static void a_copy_made_by_the_network_arrives_in_a_row_of_its_own(void **x)
{
    (void)x;
    begin(false, LADDER_NO_REASONS);
    struct pl_trace_segment a = segment(PL_ACK, 1, 1, 0);
    out(0, 0, a, PL_WHY_ACK_NOW, PL_ESTABLISHED, PL_ESTABLISHED);
    note(LADDER_SENT, 0, 0, 1, a, NULL);
    note_copy(LADDER_DUPLICATED, 1, a);
    note(LADDER_ARRIVING, 0, 10 * PL_MS, 1, a, NULL);
    in(1, 10 * PL_MS, a, 0, PL_ESTABLISHED, PL_ESTABLISHED);
    note_copy(LADDER_ARRIVING, 1, a);
    in(1, 10 * PL_MS, a, PL_DROP_TCP_DUPLICATE, PL_ESTABLISHED, PL_ESTABLISHED);
    expect(
           "           client                                                                       server\n"
           "  0.000000 ESTABLISHED  --ACK seq=1 ack=1 len=0 win=65535-----------------------------> ESTABLISHED\n"
           "  0.010000              ...--ACK seq=1 ack=1 len=0 win=65535--------------------------> ESTABLISHED\n"
           "           a copy that the network made\n"
           "           server: nothing new in the segment [RFC 9293 3.10.7.4 first]\n");
}

static void numbers_of_ten_digits_fit_in_100_columns(void **x)
{
    (void)x;
    begin(true, LADDER_NO_REASONS);
    struct pl_trace_segment a = segment(PL_FIN | PL_PSH | PL_ACK, 4294967295u, 4294967294u, 65495);
    a.wnd = 1073725440;
    out(0, 0, a, PL_WHY_DATA_NEW, PL_ESTABLISHED, PL_FIN_WAIT_1);
    in(1, 10 * PL_MS, a, 0, PL_ESTABLISHED, PL_CLOSE_WAIT);
    expect(
           "           client                                                                       server\n"
           "  0.000000 FIN-WAIT-1   ──FIN,PSH,ACK─────────────────────────────────────────────────▶ CLOSE-WAIT\n"
           "           seq=4294967295 ack=4294967294 len=65495 win=1073725440\n");
}

static void with_one_side_traced_each_segment_is_a_row_at_once(void **x)
{
    (void)x;
    struct ladder_opts o = plain_opts();
    o.unicode = true;
    o.one_sided = true;
    o.quiet = LADDER_NO_REASONS;
    o.name[1] = "Linux";
    ladder = ladder_new(&o);
    struct pl_trace_segment syn = segment(PL_SYN, 0, 0, 0), syn_ack = segment(PL_SYN | PL_ACK, 0, 1, 0);
    out(0, 0, syn, PL_WHY_SYN_CONNECT, PL_SYN_SENT, PL_SYN_SENT);
    in(0, 20 * PL_MS, syn_ack, 0, PL_SYN_SENT, PL_ESTABLISHED);
    ladder_set_state(ladder, 1, PL_ESTABLISHED);
    out(0, 20 * PL_MS, segment(PL_ACK, 1, 1, 0), PL_WHY_ACK_HANDSHAKE, PL_ESTABLISHED, PL_ESTABLISHED);
    expect(
           "           client                                                                       Linux\n"
           "  0.000000 SYN-SENT     ──SYN seq=0 ack=0 len=0 win=65535─────────────────────────────▶\n"
           "  0.020000 ESTABLISHED  ◀─────────────────────────SYN,ACK seq=0 ack=1 len=0 win=65535──\n"
           "  0.020000 ESTABLISHED  ──ACK seq=1 ack=1 len=0 win=65535─────────────────────────────▶ ESTABLISHED\n");
}

static void colour_only_when_asked_for(void **x)
{
    (void)x;
    struct ladder_opts o = plain_opts();
    o.colour = true;
    ladder = ladder_new(&o);
    out(0, 0, segment(PL_RST, 1, 0, 0), PL_WHY_RST_CLOSED, PL_CLOSED, PL_CLOSED);
    ladder_free(ladder);
    fclose(stream);
    assert_non_null(strstr(picture, "\033[31m"));
    assert_true(!strcmp(picture + strlen(picture) - 5, "\033[0m\n"));
    free(picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_is_three_rows_with_the_states_after_each),
        cmocka_unit_test(simultaneous_open_is_half_rows),
        cmocka_unit_test(a_lost_segment_dies_on_the_way_and_its_timer_is_a_row),
        cmocka_unit_test(time_wait_ends_with_one_row_for_timer_and_change),
        cmocka_unit_test(overtaken_segment_is_two_half_rows),
        cmocka_unit_test(data_and_acknowledgements_that_cross_stay_whole_rows),
        cmocka_unit_test(a_segment_from_nowhere_is_a_half_row),
        cmocka_unit_test(a_copy_made_by_the_network_arrives_in_a_row_of_its_own),
        cmocka_unit_test(numbers_of_ten_digits_fit_in_100_columns),
        cmocka_unit_test(with_one_side_traced_each_segment_is_a_row_at_once),
        cmocka_unit_test(colour_only_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
