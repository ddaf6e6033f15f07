/* SPDX-License-Identifier: MIT
 *
 * Paths, dates, chunk lines, configs: the small pure pieces of the HTTP engines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <parley/http.h>

#include "http/body.h"
#include "support/guard.h"

static void paths_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;             /* out NULL: refused */
    } rows[] = {
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"//a", "/a"},
        {"/a//b", "/a/b"},
        {"/a/b/", "/a/b/"},
        {"/./a", "/a"},
        {"/a/.", "/a/"},
        {"/a/./b", "/a/b"},
        {"/%2e/a", "/a"},
        {"/...", "/..."},
        {"/.a", "/.a"},
        {"/a..", "/a.."},
        {"/%41%62", "/Ab"},
        {"/a%20b", "/a b"},
        {"/%25", "/%"},
        {"/%c3%a4", "/\xc3\xa4"},
        {"/%0a", "/\n"},
        {"/%3f", "/?"},
        {"/a+b", "/a+b"},
        {"", NULL},
        {"a", NULL},
        {"/..", NULL},
        {"/../", NULL},
        {"/a/..", NULL},
        {"/a/../b", NULL},
        {"/%2e%2e", NULL},
        {"/.%2E/x", NULL},
        {"/%2F", NULL},
        {"/%00", NULL},
        {"/%", NULL},
        {"/%4", NULL},
        {"/%4g", NULL},
        {"/%%41", NULL},
        {"/\\..", "/\\.."},
        {"/%2e%2e%2e", "/..."},
        {"/a/%2e./b", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].in);
        char *in = guard_copy(rows[i].in, n), out[64];
        ptrdiff_t r = pl_http_path_decode(in, n, out, sizeof out);
        assert_int_equal(pl_http_path_decode(in, n, NULL, 0), r);
        if (rows[i].out) {
            assert_string_equal(out, rows[i].out);
            assert_int_equal(r, strlen(rows[i].out));
            size_t room = strlen(rows[i].out) + 1;
            char *tight = guard_alloc(room);
            assert_int_equal(pl_http_path_decode(in, n, tight, room), r);
            assert_int_equal(pl_http_path_decode(in, n, tight + 1, room - 1), PL_EMSGSIZE);
            guard_free(tight, room);
        } else {
            assert_int_equal(r, PL_EINVAL);
        }
        guard_free(in, n);
    }
}

static bool read_date(const char *text, int64_t now_s, int64_t *unix_s)
{
    size_t n = strlen(text);
    char *in = guard_copy(text, n);
    bool ok = pl_http_date_read(in, n, now_s, unix_s);
    guard_free(in, n);
    return ok;
}

/* RFC 9110 5.6.7 */
static void dates_are_read_in_three_forms(void **state)
{
    (void)state;
    int64_t t = 0;
    static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < 3; i++) {
        t = 0;
        assert_true(read_date(same[i], PL_HTTP_NO_DATE, &t));
        assert_int_equal(t, 784111777);
    }
    assert_true(read_date("Sun Nov 06 08:49:37 1994", PL_HTTP_NO_DATE, &t));
    /* two digits: never more than 50 years ahead */
    assert_true(read_date("Sunday, 06-Nov-94 08:49:37 GMT", 1800000000, &t));
    assert_int_equal(t, 784111777);
    assert_true(read_date("Friday, 06-Nov-26 08:49:37 GMT", 1800000000, &t));
    assert_int_equal(t, 1793954977);
    static const char *const bad[] = {
        "", "Sun", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994",
        "1994-11-06T08:49:37Z", "Sun, 29 Feb 1900 00:00:00 GMT",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(read_date(bad[i], PL_HTTP_NO_DATE, &t));
}

/* The other direction, against the C library, over all months, leap years and the ends of the range. */
static void dates_are_written_as_the_c_library_writes_them(void **state)
{
    (void)state;
    char out[30], expected[64];
    int64_t back;
    for (int64_t t = INT64_C(-62135596800); t <= INT64_C(253402300799); t += INT64_C(86400) * 367 * 3 + 4711) {
        time_t libc = (time_t)t;
        struct tm tm;
        gmtime_r(&libc, &tm);
        assert_true(pl_http_date_write(t, out));
        strftime(expected, sizeof expected, "%a, %d %b ", &tm);
        char year[32];
        int n = tm.tm_year + 1900;
        snprintf(year, sizeof year, "%04d", n);
        strcat(expected, year);
        strftime(expected + strlen(expected), 20, " %H:%M:%S GMT", &tm);
        assert_string_equal(out, expected);
        assert_true(read_date(out, PL_HTTP_NO_DATE, &back));
        assert_int_equal(back, t);
    }
    for (int64_t day = 0; day < 1500; day++) {            /* every day of four years */
        assert_true(pl_http_date_write(day * 86400 + 86399, out));
        assert_true(read_date(out, PL_HTTP_NO_DATE, &back));
        assert_int_equal(back, day * 86400 + 86399);
    }
    assert_true(pl_http_date_write(INT64_C(253402300799), out));
    assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_true(pl_http_date_write(INT64_C(-62135596800), out));
    assert_string_equal(out, "Mon, 01 Jan 0001 00:00:00 GMT");
    assert_false(pl_http_date_write(INT64_C(253402300800), out));
    assert_false(pl_http_date_write(INT64_C(-62135596801), out));
    assert_false(pl_http_date_write(INT64_MAX, out));
    assert_false(pl_http_date_write(INT64_MIN, out));
}

/* Decodes a chunked body in pieces; -1: refused, -2: not complete, else its body bytes, put into `out`. *rest: bytes behind it. */
static ptrdiff_t decode(const char *text, size_t n, size_t step, char *out, size_t *rest)
{
    struct http_body b;
    http_body_reset(&b, PL_HTTP_BODY_CHUNKED, 0, UINT64_MAX);
    size_t at = 0, total = 0;
    for (;;) {
        size_t piece = n - at < step ? n - at : step, used, data;
        char *in = guard_copy(text + at, piece);
        int r = http_body_feed(&b, in, piece, &used, &data);
        assert_true(used <= piece && data <= used);
        memcpy(out + total, in + used - data, data);
        total += data;
        guard_free(in, piece);
        at += used;
        *rest = n - at;
        if (r == HTTP_BODY_BAD)
            return -1;
        if (r == HTTP_BODY_END)
            return (ptrdiff_t)total;
        if (at == n)
            return -2;
    }
}

/* RFC 9112 7.1 */
static void chunks_are_decoded_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        ptrdiff_t result;
        const char *body;
        size_t rest;
    } rows[] = {
        {"0\r\n\r\n", 0, "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", 5, "hello", 0},
        {"5\r\nhello\r\n0\r\n\r\nGET /", 5, "hello", 5},
        {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 5, "abcde", 0},
        {"A\r\n0123456789\r\n0\r\n\r\n", 10, "0123456789", 0},
        {"0000000000000000000005\r\nhello\r\n000\r\n\r\n", 5, "hello", 0},
        {"5;x\r\nhello\r\n0;y=z\r\n\r\n", 5, "hello", 0},
        {"5 ; x=\"a;\\\"b\"\r\nhello\r\n0\r\n\r\n", 5, "hello", 0},
        {"5\t;x\r\nhello\r\n0\r\n\r\n", 5, "hello", 0},
        {"0\r\nTrailer: x\r\nOther:\r\n\r\n", 0, "", 0},
        {"5\r\nhell", -2, "hell", 0},
        {"5\r\nhello\r\n0\r\n", -2, "hello", 0},
        {"\r\n", -1, "", 0},
        {"-1\r\n", -1, "", 3},
        {"+5\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {" 5\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"0x5\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"g\r\n", -1, "", 0},
        {"5 \r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5 x;y\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5 5\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5\r\rhello\r\n0\r\n\r\n", -1, "", 0},
        {"5;x\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5;x\ry\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5;\"\r\nhello\r\n0\r\n\r\n", -1, "", 0},
        {"5\r\nhello0\r\n\r\n", -1, "hello", 0},
        {"5\r\nhello!\r\n0\r\n\r\n", -1, "hello", 0},
        {"5\r\nhello\n0\r\n\r\n", -1, "hello", 0},
        {"5\r\nhello\r0\r\n\r\n", -1, "hello", 0},
        {"0\r\n\n", -1, "", 0},
        {"0\r\nX : y\r\n\r\n", -1, "", 0},
        {"0\r\nX: y\r\n z\r\n\r\n", -1, "", 0},
        {"0\r\nnocolon\r\n\r\n", -1, "", 0},
        {"0\r\n: x\r\n\r\n", -1, "", 0},
        {"0\r\nX: y\nZ: w\r\n\r\n", -1, "", 0},
        {"7fffffffffffffff\r\n", -2, "", 0},
        {"10000000000000000\r\n", -1, "", 0},
        {"ffffffffffffffff\r\n", -1, "", 0},
        {"fffffffffffffffff\r\n", -1, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = strlen(rows[i].in);
        for (size_t step = 1; step <= n; step++) {
            char out[64] = {0};
            size_t rest = 0;
            ptrdiff_t r = decode(rows[i].in, n, step, out, &rest);
            if (r != rows[i].result)
                print_error("<%s> in steps of %zu\n", rows[i].in, step);
            assert_int_equal(r, rows[i].result);
            assert_string_equal(out, rows[i].body);
            if (r >= 0)
                assert_int_equal(rest, rows[i].rest);
        }
    }
}

/* RFC 9112 7.1.1, 7.1.2: nothing around the chunks may go on without end. */
static void chunk_lines_and_trailers_are_bounded(void **state)
{
    (void)state;
    static char text[200000], out[70000];
    size_t rest, n;
    for (size_t ext = HTTP_CHUNK_LINE_MAX - 1; ext <= HTTP_CHUNK_LINE_MAX + 1; ext++) {      /* the length of the line with its CR */
        strcpy(text, "0;");
        memset(text + 2, 'x', ext - 3);
        strcpy(text + ext - 1, "\r\n\r\n");
        assert_int_equal(decode(text, strlen(text), 1000, out, &rest), ext <= HTTP_CHUNK_LINE_MAX ? 0 : -1);
    }
    n = 0;
    for (size_t i = 0; i < 1000; i++)                     /* many chunks of one byte with long extensions */
        n += (size_t)sprintf(text + n, "1;%0100d\r\nx\r\n", 0);
    assert_int_equal(decode(text, n, n, out, &rest), -1);
    memset(text, '0', 300);
    strcpy(text + 300, "\r\n\r\n");
    assert_int_equal(decode(text, 304, 304, out, &rest), -1);
    strcpy(text, "0\r\n");
    for (n = 3; n < HTTP_TRAILER_BYTES_MAX + 100; n += 6)
        memcpy(text + n, "A: b\r\n", 6);
    assert_int_equal(decode(text, n, n, out, &rest), -1);
}

static void what_the_encoder_writes_the_decoder_reads(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 9, 10, 15, 16, 255, 256, 4095, 65536};
    static char text[70000], out[70000];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t n = http_chunk_open(text, sizes[i]), rest;
        memset(text + n, 'q', (size_t)sizes[i]);
        n += (size_t)sizes[i];
        memcpy(text + n, "\r\n0\r\n\r\n", 7);
        n += 7;
        assert_int_equal(decode(text, n, n, out, &rest), sizes[i]);
        assert_int_equal(rest, 0);
    }
    char line[HTTP_CHUNK_HEAD_BYTES];
    assert_int_equal(http_chunk_open(line, UINT64_MAX), 18);
    assert_memory_equal(line, "ffffffffffffffff\r\n", 18);
}

static void configs_out_of_range_make_no_engine(void **state)
{
    (void)state;
    struct pl_http_config good, c;
    assert_int_equal(pl_http_config_default(&good, sizeof good), PL_OK);
    assert_int_equal(pl_http_config_default(&good, sizeof good - 1), PL_EINVAL);
    assert_int_equal(pl_http_config_default(&good, sizeof good), PL_OK);
    assert_true(pl_http_server_size(&good) > good.head_bytes_max + good.out_bytes);
#define BAD(field, value)                                                                                                              \
    c = good;                                                                                                                          \
    c.field = value;                                                                                                                   \
    assert_int_equal(pl_http_server_size(&c), 0);                                                                                      \
    assert_int_equal(pl_http_client_size(&c), 0);
    BAD(size, 0)
    BAD(head_bytes_max, 127)
    BAD(head_bytes_max, 65001)
    BAD(line_bytes_max, 63)
    BAD(line_bytes_max, good.head_bytes_max + 1)
    BAD(out_bytes, 511)
    BAD(out_bytes, 65001)
    BAD(pipeline_max, 0)
    BAD(pipeline_max, PL_HTTP_PIPELINE + 1)
    size_t n = pl_http_server_size(&good);
    void *mem = guard_alloc(n);
    assert_null(pl_http_server_init(mem, n - 1, &good, 0));
    assert_null(pl_http_server_init(NULL, n, &good, 0));
    assert_non_null(pl_http_server_init(mem, n, &good, 0));
    guard_free(mem, n);
}

static void names_exist_for_all_numbers(void **state)
{
    (void)state;
    for (int status = -1; status < 1000; status++)
        assert_true(strlen(pl_http_reason(status)) > 1);
    assert_string_equal(pl_http_reason(404), "Not Found");
    assert_string_equal(pl_http_reason(299), "Successful");
    assert_string_equal(pl_http_method_name(PL_HTTP_HEAD), "HEAD");
    assert_string_equal(pl_http_method_name(99), "");
    assert_string_equal(pl_http_fault_text(PL_HTTP_F_TIMEOUT), "the server did not answer in time");
    assert_true(strlen(pl_http_fault_text(99)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded_or_refused),
        cmocka_unit_test(dates_are_read_in_three_forms),
        cmocka_unit_test(dates_are_written_as_the_c_library_writes_them),
        cmocka_unit_test(chunks_are_decoded_or_refused),
        cmocka_unit_test(chunk_lines_and_trailers_are_bounded),
        cmocka_unit_test(what_the_encoder_writes_the_decoder_reads),
        cmocka_unit_test(configs_out_of_range_make_no_engine),
        cmocka_unit_test(names_exist_for_all_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
