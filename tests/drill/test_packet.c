/* SPDX-License-Identifier: MIT
 *
 * Packets between script and wire: what is built is read again, by parley's own codecs too; each field that differs is named.
 */
#include "support/unit.h"

#include "drill/packet.h"
#include "wire/tcp_hdr.h"
#include "wire/tcp_opts.h"

static uint8_t bytes[DRILL_PACKET_BYTES];

static struct drill_script *one(const char *text)
{
    char error[300] = "";
    struct drill_script *s = drill_parse("t", text, strlen(text), error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    return s;
}

static struct drill_flow flow(bool ipv6)
{
    struct drill_flow f = {.ipv6 = ipv6, .protocol = DRILL_TCP, .local_port = 8080, .remote_port = 40000};
    f.local.b[0] = f.remote.b[0] = 10;
    f.local.b[ipv6 ? 15 : 3] = 1;
    f.remote.b[ipv6 ? 15 : 3] = 2;
    return f;
}

/* What arrives is read as what was sent if the two ends are exchanged. */
static void what_is_built_is_read_again(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0 < S 7:7(0) win 100 <mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 7>", "0 < [ect0] P.UEW 1:101(100) ack 3 win 4 urg 5 <nop,nop,sack 1:2 3:4>", "0 < - 0:0(0) win 0",
        "0 < FR 4294967295:0(1) win 65535 <FO 0102030405060708,eol>", "0 < .A 1:1(0) ack 9 win 1 <ECN e0b 1 ceb 2 e1b 3,nop>", "0 < . 1:1(0) ack 9 win 1 <uto 5m,nop,kind 77 ab>",
    };
    for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
        char error[200], text[300];
        struct drill_script *s = one(texts[i / 2]);
        struct drill_flow f = flow(i % 2), ends, back = flow(i % 2);
        size_t n = drill_packet_build(s->events->packet, &f, bytes, error, sizeof error);
        assert_true(n > 0);
        struct drill_packet got;
        if (!drill_packet_read(bytes, n, &got, &ends, error, sizeof error))
            fail_msg("%s: %s", texts[i / 2], error);
        back.local = f.remote, back.remote = f.local, back.local_port = f.remote_port, back.remote_port = f.local_port;
        assert_true(drill_packet_of(&back, &ends));
        s->events->packet->in = got.in = false;
        bool same = drill_packet_matches(s->events->packet, &got, &back, error, sizeof error);
        drill_packet_print(&got, &back, text, sizeof text);
        if (!same)
            fail_msg("%s: %s: %s", texts[i / 2], error, text);
        drill_free(s);
    }
}

static void the_cores_codec_reads_it_too(void **state)
{
    (void)state;
    char error[200];
    struct drill_script *s = one("0 < S. 7:7(0) ack 4 win 100 <mss 1460,sackOK,TS val 5 ecr 6,nop,wscale 7>");
    struct drill_flow f = flow(false);
    f.isn_offset = 1000;
    f.nstamps = 1;
    f.stamp[0].script = 6, f.stamp[0].live = 777;
    size_t n = drill_packet_build(s->events->packet, &f, bytes, error, sizeof error);
    struct wire_tcp h;
    struct wire_tcp_opts o;
    assert_true(wire_tcp_read(bytes + 20, n - 20, &h));
    wire_tcp_opts_read(bytes + 40, h.hdr_bytes - 20, &o);
    assert_int_equal(h.src_port, 40000);
    assert_int_equal(h.ack, 1004);
    assert_int_equal(h.flags, 0x12);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.wscale, 7);
    assert_int_equal(o.ts_ecr, 777);
    drill_free(s);
}

static void each_difference_is_named(void **state)
{
    (void)state;
    static const struct { const char *want, *sent, *says; } pairs[] = {
        {"0 > S 0:0(0) win 1", "0 > S. 0:0(0) win 1", "flags: S expected, S. sent"},
        {"0 > . 1:1(0) ack 2 win 1", "0 > . 2:2(0) ack 2 win 1", "sequence number: 1 expected, 2 sent"},
        {"0 > . 1:2(1) ack 2 win 1", "0 > . 1:3(2) ack 2 win 1", "bytes of text: 1 expected, 2 sent"},
        {"0 > . 1:1(0) ack 2 win 1", "0 > . 1:1(0) ack 3 win 1", "ack: 2 expected, 3 sent"},
        {"0 > . 1:1(0) ack 2 win 1", "0 > . 1:1(0) ack 2 win 9", "win: 1 expected, 9 sent"},
        {"0 > . 1:1(0) ack 2 <mss 5>", "0 > . 1:1(0) ack 2 <mss 6>", "option 1: mss 5 expected, mss 6 sent"},
        {"0 > . 1:1(0) ack 2", "0 > . 1:1(0) ack 2 <nop,nop,sack 1:2>", "option 1: none expected, nop sent"},
        {"0 > . 1:1(0) ack 2 <nop,nop,TS val 1 ecr 2>", "0 > . 1:1(0) ack 2 <nop,nop,TS val 1 ecr 3>", "ecr 3 sent"},
        {"0 > [ect0] . 1:1(0) ack 2", "0 > [ce] . 1:1(0) ack 2", "ECN bits: 2 expected, 3 sent"},
        {"0 > udp (3)", "0 > udp (4)", "bytes of text: 3 expected, 4 sent"},
        {"0 > udp (3)", "0 > . 1:1(0) ack 1", "protocol"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char error[200] = "";
        struct drill_script *w = one(pairs[i].want), *s = one(pairs[i].sent);
        struct drill_flow f = flow(false);
        s->events->packet->ecn = s->events->packet->ecn < 0 ? 0 : s->events->packet->ecn;
        assert_false(drill_packet_matches(w->events->packet, s->events->packet, &f, error, sizeof error));
        if (!strstr(error, pairs[i].says))
            fail_msg("%s: %s", pairs[i].want, error);
        drill_free(w);
        drill_free(s);
    }
}

static void what_may_be_anything_is_not_compared(void **state)
{
    (void)state;
    char error[200] = "";
    struct drill_script *w = one("0 > . 1:1(0) ack 2 <...>"), *s = one("0 > . 1:1(0) ack 2 win 77 <nop,nop,TS val 9 ecr 9>");
    struct drill_flow f = flow(false);
    assert_true(drill_packet_matches(w->events->packet, s->events->packet, &f, error, sizeof error));
    drill_free(w);
    drill_free(s);
}

static bool matches(struct drill_flow *f, const char *want, const char *sent)
{
    char error[200] = "";
    struct drill_script *w = one(want), *s = one(sent);
    bool same = drill_packet_matches(w->events->packet, s->events->packet, f, error, sizeof error);
    drill_free(w);
    drill_free(s);
    return same;
}

/* A new incarnation's number stands where the script says, give or take a millisecond of its clock; the old one's are known still. */
static void a_new_incarnation_has_a_number_of_its_own(void **state)
{
    (void)state;
    struct drill_flow f = flow(false);
    assert_true(matches(&f, "0 > S. 0:0(0) ack 1", "0 > S. 1000:1000(0) ack 1"));
    assert_false(matches(&f, "0 > S. 500:500(0) ack 1", "0 > S. 1504:1504(0) ack 1"));       /* the old one lives */
    assert_true(matches(&f, "0 > F. 1:1(0) ack 1", "0 > F. 1001:1001(0) ack 1"));
    assert_false(matches(&f, "0 > S. 500:500(0) ack 1", "0 > S. 1751:1751(0) ack 1"));
    assert_true(matches(&f, "0 > S. 500:500(0) ack 1", "0 > S. 1504:1504(0) ack 1"));
    assert_false(matches(&f, "0 > S. 500:500(0) ack 1", "0 > S. 1505:1505(0) ack 1"));       /* repeated, it is the same */
    assert_true(matches(&f, "0 > . 501:501(0) ack 1", "0 > . 1505:1505(0) ack 1"));
    assert_true(matches(&f, "0 > . 2:2(0) ack 1", "0 > . 1002:1002(0) ack 1"));
    assert_false(matches(&f, "0 > . 2:2(0) ack 1", "0 > . 1003:1003(0) ack 1"));
}

static void a_wrong_checksum_is_seen(void **state)
{
    (void)state;
    char error[200];
    struct drill_script *s = one("0 < P. 1:11(10) ack 1 win 5");
    for (int v6 = 0; v6 < 2; v6++) {
        struct drill_flow f = flow(v6), ends;
        struct drill_packet got;
        size_t n = drill_packet_build(s->events->packet, &f, bytes, error, sizeof error);
        bytes[n - 1] ^= 1;
        assert_false(drill_packet_read(bytes, n, &got, &ends, error, sizeof error));
        assert_non_null(strstr(error, "checksum"));
        for (size_t cut = 0; cut < n; cut++)             /* nor is anything read behind the end */
            assert_false(drill_packet_read(bytes, cut, &got, &ends, error, sizeof error));
    }
    drill_free(s);
}

static void icmp_says_what_the_family_has(void **state)
{
    (void)state;
    char error[200];
    struct drill_script *s = one("0 < icmp unreachable frag_needed mtu 1200 [1:11(10)]\n+0 < icmp packet_too_big mtu 1300 [1:11(10)]");
    struct drill_flow v4 = flow(false), v6 = flow(true);
    assert_int_equal(drill_packet_build(s->events->packet, &v4, bytes, error, sizeof error), 20 + 8 + 28);
    assert_int_equal(bytes[20], 3);
    assert_int_equal(bytes[21], 4);
    assert_int_equal(bytes[26] << 8 | bytes[27], 1200);
    assert_int_equal(drill_packet_build(s->events->packet, &v6, bytes, error, sizeof error), 0);
    assert_non_null(strstr(error, "no code \"frag_needed\""));
    assert_int_equal(drill_packet_build(s->events->next->packet, &v6, bytes, error, sizeof error), 40 + 8 + 48);
    assert_int_equal(bytes[40], 2);
    drill_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_is_read_again),          cmocka_unit_test(the_cores_codec_reads_it_too),
        cmocka_unit_test(each_difference_is_named),             cmocka_unit_test(what_may_be_anything_is_not_compared),
        cmocka_unit_test(a_new_incarnation_has_a_number_of_its_own),
        cmocka_unit_test(a_wrong_checksum_is_seen),             cmocka_unit_test(icmp_says_what_the_family_has),
    };
    return cmocka_run_group_tests_name("drill.packet", tests, NULL, NULL);
}
