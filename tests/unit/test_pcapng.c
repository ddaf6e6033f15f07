/* SPDX-License-Identifier: MIT
 *
 * test_pcapng.c: the capture file, block by block, read back here without the writer's help.
 */
#include "support/unit.h"

#include "view/pcapng.h"

static char *file;
static size_t file_bytes, at;
static FILE *stream;
static struct pcapng capture;

static void begin(void)
{
    stream = open_memstream(&file, &file_bytes);
    pcapng_begin(&capture, stream);
    at = 0;
}

static uint32_t get(size_t n)
{
    uint32_t v = 0;
    assert_true(at + n <= file_bytes);
    for (size_t i = 0; i < n; i++)
        v |= (uint32_t)(uint8_t)file[at + i] << (8 * i);
    at += n;
    return v;
}

static size_t block_end;

/* Enters the next block of that type; both its lengths agree. */
static void enter(uint32_t type)
{
    size_t start = at;
    assert_int_equal(get(4), type);
    uint32_t n = get(4);
    assert_int_equal(n % 4, 0);
    at = start + n - 4;
    assert_int_equal(get(4), n);
    at = start + 8;
    block_end = start + n - 4;
}

static void leave(void)
{
    assert_int_equal(at, block_end);
    at += 4;
}

static void expect_option(unsigned code, const void *value, size_t n)
{
    assert_int_equal(get(2), code);
    assert_int_equal(get(2), n);
    assert_memory_equal(file + at, value, n);
    at += (n + 3) / 4 * 4;
}

static void expect_end_of_options(void)
{
    assert_int_equal(get(4), 0);
}

static void expect_section(void)
{
    enter(0x0a0d0d0a);
    assert_int_equal(get(4), 0x1a2b3c4d);
    assert_int_equal(get(2), 1);
    assert_int_equal(get(2), 0);
    assert_int_equal(get(4), UINT32_MAX);
    assert_int_equal(get(4), UINT32_MAX);
    expect_option(4, "parley", 6);
    expect_end_of_options();
    leave();
}

static void expect_interface(unsigned link, const char *name)
{
    enter(1);
    assert_int_equal(get(2), link);
    assert_int_equal(get(2), 0);
    assert_int_equal(get(4), 0);
    expect_option(2, name, strlen(name));
    expect_option(9, "\x09", 1);
    expect_end_of_options();
    leave();
}

static void expect_packet(uint32_t interface, uint64_t when, const char *bytes, size_t n)
{
    enter(6);
    assert_int_equal(get(4), interface);
    assert_int_equal(get(4), when >> 32);
    assert_int_equal(get(4), when & UINT32_MAX);
    assert_int_equal(get(4), n);
    assert_int_equal(get(4), n);
    assert_memory_equal(file + at, bytes, n);
    at += (n + 3) / 4 * 4;
}

static void expect_end_of_file(void)
{
    assert_int_equal(at, file_bytes);
    free(file);
}

static void frames_of_two_interfaces_with_comments(void **x)
{
    (void)x;
    struct pl_span span[2] = {{(void *)(uintptr_t) "abc", 3}, {(void *)(uintptr_t) "de", 2}};
    begin();
    assert_int_equal(pcapng_interface(&capture, "client", false), 0);
    assert_int_equal(pcapng_interface(&capture, "server", true), 1);
    pcapng_frame(&capture, 1, 0x123456789abcdef0u, span, 2, false, "why");
    pcapng_frame(&capture, 0, 5, span, 1, true, NULL);
    fclose(stream);
    expect_section();
    expect_interface(101, "client");
    expect_interface(1, "server");
    expect_packet(1, 0x123456789abcdef0u, "abcde", 5);
    expect_option(1, "why", 3);
    expect_option(2, "\x02\0\0\0", 4);                 /* outbound */
    expect_end_of_options();
    leave();
    expect_packet(0, 5, "abc", 3);
    expect_option(2, "\x01\0\0\0", 4);
    expect_end_of_options();
    leave();
    expect_end_of_file();
}

static void reasons_and_what_happened_between_are_comments(void **x)
{
    (void)x;
    struct pl_span span = {(void *)(uintptr_t) "SYN!", 4};
    struct pl_trace_event e = {.now = 1, .kind = PL_TRACE_STATE, .protocol = 6, .state_before = PL_CLOSED, .state_after = PL_SYN_SENT,
        .why = PL_WHY_CALL_CONNECT};
    begin();
    pcapng_interface(&capture, "c", false);
    pcapng_event(&capture, 0, &e);
    e.kind = PL_TRACE_TIMER;
    e.state_before = PL_SYN_SENT;
    e.why = PL_WHY_TIMER_RTO;
    pcapng_event(&capture, 0, &e);
    e.kind = PL_TRACE_OUT;
    e.why = PL_WHY_SYN_REPEAT;
    e.frame = &span;
    e.nspans = 1;
    pcapng_event(&capture, 0, &e);
    e.kind = PL_TRACE_IN;
    e.why = 0;
    e.drop = PL_DROP_TCP_PAWS;
    pcapng_event(&capture, 0, &e);
    fclose(stream);
    expect_section();
    expect_interface(101, "c");
    expect_packet(0, 1, "SYN!", 4);
    const char *between = "CLOSED -> SYN-SENT: connect() was called [RFC 9293 3.10.1]\nthe retransmission timer ran out [RFC 6298 5.4]";
    expect_option(1, between, strlen(between));
    const char *why = "no answer to our SYN in time: ask again [RFC 9293 3.8.1]";
    expect_option(1, why, strlen(why));
    expect_option(2, "\x02\0\0\0", 4);
    expect_end_of_options();
    leave();
    expect_packet(0, 1, "SYN!", 4);
    const char *drop = "the timestamp is older than one already seen [RFC 7323 5.3]";
    expect_option(1, drop, strlen(drop));
    expect_option(2, "\x01\0\0\0", 4);
    expect_end_of_options();
    leave();
    expect_end_of_file();
}

static void notes_beyond_their_room_are_left_out_whole(void **x)
{
    (void)x;
    struct pl_trace_event e = {.kind = PL_TRACE_TIMER, .protocol = 6, .why = PL_WHY_TIMER_RTO};
    begin();
    pcapng_interface(&capture, "c", false);
    for (int i = 0; i < 100; i++)
        pcapng_event(&capture, 0, &e);
    fclose(stream);
    free(file);
    size_t n = strlen(capture.note[0]), one = strlen("the retransmission timer ran out [RFC 6298 5.4]");
    assert_true(n < PCAPNG_NOTE_BYTES);
    assert_int_equal((n + 1) % (one + 1), 0);
}

static void an_interface_that_was_not_declared_writes_nothing(void **x)
{
    (void)x;
    struct pl_span span = {(void *)(uintptr_t) "x", 1};
    begin();
    pcapng_frame(&capture, 0, 0, &span, 1, true, NULL);
    pcapng_frame(&capture, -1, 0, &span, 1, true, NULL);
    for (int i = 0; i < PCAPNG_INTERFACES_MAX; i++)
        assert_int_equal(pcapng_interface(&capture, "if", false), i);
    assert_int_equal(pcapng_interface(&capture, "if", false), -1);
    fclose(stream);
    expect_section();
    for (int i = 0; i < PCAPNG_INTERFACES_MAX; i++)
        expect_interface(101, "if");
    expect_end_of_file();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_two_interfaces_with_comments),
        cmocka_unit_test(reasons_and_what_happened_between_are_comments),
        cmocka_unit_test(notes_beyond_their_room_are_left_out_whole),
        cmocka_unit_test(an_interface_that_was_not_declared_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
