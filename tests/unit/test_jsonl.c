/* SPDX-License-Identifier: MIT
 *
 * test_jsonl.c: the trace as JSON lines and as lines of text.
 */
#include "support/unit.h"

#include "view/decode.h"
#include "view/jsonl.h"
#include "view/text.h"

static char *got;
static size_t got_bytes;
static FILE *stream;

static void begin(void)
{
    stream = open_memstream(&got, &got_bytes);
}

static void expect(const char *want)
{
    fclose(stream);
    assert_string_equal(got, want);
    free(got);
}

static struct pl_trace_segment syn = {.flags = PL_SYN,
                                      .seq = 4294967295u,
                                      .wnd = 65535,
                                      .wnd_raw = 65535,
                                      .segs = 1,
                                      .opts = 31,
                                      .mss = 1460,
                                      .wscale = 8,
                                      .ts_val = 7,
                                      .ts_ecr = 0,
                                      .nsack = 2,
                                      .sack = {10, 20, 30, 40}};

static struct pl_trace_event event(int kind)
{
    struct pl_trace_event e = {.now = 12345678901,
                               .kind = (uint8_t)kind,
                               .protocol = 6,
                               .state_before = PL_CLOSED,
                               .state_after = PL_SYN_SENT,
                               .iface = 0,
                               .local = {.addr = {.b = IP4(192, 0, 2, 1)}, .port = 49152},
                               .remote = {.addr = {.b = IP4(192, 0, 2, 2)}, .port = 80}};
    return e;
}

static void an_outgoing_segment_is_one_object_with_keys_in_order(void **x)
{
    (void)x;
    uint8_t bytes[4] = {0x45, 0, 0xff, 9};
    struct pl_span span[2] = {{bytes, 3}, {bytes + 3, 1}};
    struct pl_trace_event e = event(PL_TRACE_OUT);
    e.why = PL_WHY_SYN_REPEAT;
    e.seg = &syn;
    e.frame = span;
    e.nspans = 2;
    e.frame_bytes = 4;
    e.conn = 18446744073709551615u;
    e.cookie = 3;
    begin();
    jsonl_event(stream, "client", &e, true);
    expect(
        "{\"time_ns\":12345678901,\"node\":\"client\",\"kind\":\"out\",\"protocol\":\"TCP\",\"iface\":0,\"local\":\"192.0.2.1:49152\","
        "\"remote\":\"192.0.2.2:80\",\"conn\":18446744073709551615,\"cookie\":3,\"state_before\":\"CLOSED\",\"state_after\":\"SYN-SENT\","
        "\"why\":\"SYN_REPEAT\",\"text\":\"no answer to our SYN in time: ask again\",\"rule\":\"RFC 9293 3.8.1\","
        "\"segment\":{\"flags\":\"SYN\",\"seq\":4294967295,\"ack\":0,\"len\":0,\"win\":65535,\"win_raw\":65535,\"up\":0,\"segs\":1,"
        "\"mss\":1460,\"wscale\":8,\"sack_permitted\":true,\"ts_val\":7,\"ts_ecr\":0,\"sack\":[[10,20],[30,40]]},"
        "\"frame_bytes\":4,\"frame\":\"4500ff09\"}\n");
}

static void what_says_nothing_is_left_out(void **x)
{
    (void)x;
    struct pl_trace_event e = event(PL_TRACE_IN);
    e.protocol = 0;
    e.iface = -1;
    e.drop = PL_DROP_RUNT;
    memset(&e.local, 0, sizeof e.local);
    memset(&e.remote, 0, sizeof e.remote);
    begin();
    jsonl_event(stream, NULL, &e, true);
    expect("{\"time_ns\":12345678901,\"kind\":\"in\",\"protocol\":\"ARP\",\"local\":\"::\",\"remote\":\"::\",\"drop\":\"RUNT\","
           "\"drop_text\":\"the frame is shorter than its header\",\"drop_rule\":\"threats V1\"}\n");
}

static void timers_and_decisions_carry_their_numbers(void **x)
{
    (void)x;
    struct pl_trace_event e = event(PL_TRACE_TIMER);
    e.state_after = PL_CLOSED;
    e.a = 1000000000;
    e.iface = -1;
    begin();
    jsonl_event(stream, NULL, &e, false);
    e.kind = PL_TRACE_DECISION;
    e.a = -1;
    e.b = 9007199254740993;
    jsonl_event(stream, NULL, &e, false);
    expect("{\"time_ns\":12345678901,\"kind\":\"timer\",\"protocol\":\"TCP\",\"local\":\"192.0.2.1:49152\",\"remote\":\"192.0.2.2:80\","
           "\"state_before\":\"CLOSED\",\"state_after\":\"CLOSED\",\"interval_ns\":1000000000}\n"
           "{\"time_ns\":12345678901,\"kind\":\"decision\",\"protocol\":\"TCP\",\"local\":\"192.0.2.1:49152\",\"remote\":\"192.0.2.2:80\","
           "\"state_before\":\"CLOSED\",\"state_after\":\"CLOSED\",\"before\":-1,\"after\":9007199254740993}\n");
}

static void strings_are_escaped_and_valid_utf8_only(void **x)
{
    (void)x;
    begin();
    jsonl_string(stream, "a\"b\\c\n\t\x01\x7f \xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80");
    fputc('\n', stream);
    /* cut short; overlong; a surrogate; above U+10FFFF; a lone continuation */
    jsonl_string(stream, "\xc3");
    jsonl_string(stream, "\xc0\xaf");
    jsonl_string(stream, "\xed\xa0\x80");
    jsonl_string(stream, "\xf4\x90\x80\x80");
    jsonl_string(stream, "\x80x");
    expect("\"a\\\"b\\\\c\\u000a\\u0009\\u0001\x7f \xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80\"\n"
           "\"\\ufffd\"\"\\ufffd\\ufffd\"\"\\ufffd\\ufffd\\ufffd\"\"\\ufffd\\ufffd\\ufffd\\ufffd\"\"\\ufffdx\"");
}

static void a_line_of_text_says_who_what_and_why(void **x)
{
    (void)x;
    char line[TEXT_LINE_MAX];
    struct pl_trace_event e = event(PL_TRACE_OUT);
    e.why = PL_WHY_SYN_REPEAT;
    e.seg = &syn;
    size_t n = text_event(line, sizeof line, "client", &e);
    assert_string_equal(
        line, "12.345678 client out 192.0.2.1:49152 > 192.0.2.2:80 TCP SYN seq=4294967295 ack=0 len=0 win=65535 mss=1460 wscale=8 "
              "sackOK ts=7/0 sack=10-20,30-40 CLOSED->SYN-SENT: no answer to our SYN in time: ask again [RFC 9293 3.8.1]");
    assert_int_equal(n, strlen(line));
    e.kind = PL_TRACE_IN;
    e.why = 0;
    e.seg = NULL;
    e.protocol = 17;
    e.frame_bytes = 99;
    e.drop = PL_DROP_UDP_NO_PORT;
    text_event(line, sizeof line, NULL, &e);
    assert_string_equal(
        line, "12.345678 in 192.0.2.2:80 > 192.0.2.1:49152 UDP len=99 UDP_NO_PORT: no program listens on this UDP port [RFC 1122 4.1.3.1]");
}

static void a_line_is_cut_to_any_size_and_terminated(void **x)
{
    (void)x;
    struct pl_trace_event e = event(PL_TRACE_OUT);
    e.why = PL_WHY_SYN_REPEAT;
    e.seg = &syn;
    for (size_t size = 1; size < 300; size++) {
        char *line = malloc(size);
        size_t n = text_event(line, size, "client", &e);
        assert_true(n < size);
        assert_int_equal(strlen(line), n);
        free(line);
    }
}

static const char *addr(const char *hex)
{
    static char text[80];
    struct pl_addr a = {.zone = 0};
    for (int i = 0; i < 16; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], 0};
        a.b[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return view_addr(&a, text, sizeof text);
}

static void addresses_are_written_by_rfc_5952(void **x)
{
    (void)x;
    assert_string_equal(addr("20010db8000000000000000000000001"), "2001:db8::1");
    assert_string_equal(addr("00000000000000000000000000000000"), "::");
    assert_string_equal(addr("00000000000000000000000000000001"), "::1");
    assert_string_equal(addr("20010000000000000000000000000000"), "2001::");
    assert_string_equal(addr("20010db8000000010001000100010001"), "2001:db8:0:1:1:1:1:1");      /* 4.2.2: one group is not shortened */
    assert_string_equal(addr("20010000000000010000000000000001"), "2001:0:0:1::1");             /* 4.2.3: the longest */
    assert_string_equal(addr("20010db8000000000001000000000001"), "2001:db8::1:0:0:1");         /* 4.2.3: the first of equals */
    assert_string_equal(addr("00000000000000000000ffffc0000201"), "192.0.2.1");
}

static void spans_of_time_take_the_unit_that_suits(void **x)
{
    (void)x;
    char b[40];
    assert_string_equal(view_duration(0, b, sizeof b), "0 ns");
    assert_string_equal(view_duration(999, b, sizeof b), "999 ns");
    assert_string_equal(view_duration(1500, b, sizeof b), "1.5 us");
    assert_string_equal(view_duration(200 * PL_MS, b, sizeof b), "200 ms");
    assert_string_equal(view_duration(60 * PL_S, b, sizeof b), "60 s");
    assert_string_equal(view_duration(1010 * PL_MS, b, sizeof b), "1.01 s");
    assert_string_equal(view_duration(PL_NEVER, b, sizeof b), "18446744073.709 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outgoing_segment_is_one_object_with_keys_in_order),
        cmocka_unit_test(what_says_nothing_is_left_out),
        cmocka_unit_test(timers_and_decisions_carry_their_numbers),
        cmocka_unit_test(strings_are_escaped_and_valid_utf8_only),
        cmocka_unit_test(a_line_of_text_says_who_what_and_why),
        cmocka_unit_test(a_line_is_cut_to_any_size_and_terminated),
        cmocka_unit_test(addresses_are_written_by_rfc_5952),
        cmocka_unit_test(spans_of_time_take_the_unit_that_suits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
