/* SPDX-License-Identifier: MIT
 *
 * Threat V66: HTTP requests made to overrun a buffer, to be read differently by two parsers (smuggling), or to wrap a number. Each is
 * refused with the right status, the connection ends, and nothing behind the refusal is taken for a request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "support/http_play.h"

#define H       "Host: h\r\n"
#define POST    "POST / HTTP/1.1\r\n" H
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define HIDDEN  "GET /hidden HTTP/1.1\r\n" H "\r\n"

static struct http_play p;

/* The request is refused, whole and byte by byte, and what follows it is never reported. */
static void refused(const char *request, size_t n, int status)
{
    static char text[1 << 17];
    memcpy(text, request, n);
    memcpy(text + n, HIDDEN, sizeof HIDDEN - 1);
    for (size_t step = 0; step < 2; step++) {
        char log[32];
        play_server(&p, NULL);
        play_feed(&p, text, n + sizeof HIDDEN - 1, n > 1000 ? 1000 * (1 - step) : step);
        snprintf(log, sizeof log, "REFUSED %d|", status);
        if (!strstr(p.log, log))
            print_error("<%.200s>: %s\n", request, p.log);
        assert_non_null(strstr(p.log, log));
        assert_null(strstr(p.log, "hidden"));
        assert_int_equal(pl_http_server_wants(p.server), PL_HTTP_WANT_FINISH);
        assert_true(p.sent_bytes < 2 * 512);
        play_end(&p);
    }
}

static void v66_lines_and_heads_without_end_meet_a_limit(void **state)
{
    (void)state;
    static char text[1 << 16];
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    refused(text, sizeof text, 414);                       /* a target of 64 KB */
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    refused(text, sizeof text, 431);                       /* a field of 64 KB */
    for (size_t n = 16; n + 5 <= sizeof text; n += 5)
        memcpy(text + n, "A:b\r\n", 5);
    refused(text, sizeof text, 431);                       /* thousands of fields */
    for (size_t n = 0; n + 2 <= sizeof text; n += 2)
        memcpy(text + n, "\r\n", 2);
    refused(text, sizeof text, 400);                       /* empty lines without end */
    memset(text, 0, sizeof text);
    refused(text, sizeof text, 400);
}

static void v66_ambiguous_framing_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
        {POST "Content-Length: 5, 5\r\n\r\nhello", 400},
        {POST "Content-Length: 5, 6\r\n\r\nhello", 400},
        {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400},
        {POST "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello", 400},
        {POST "Content-Length: +5\r\n\r\nhello", 400},
        {POST "Content-Length: -5\r\n\r\nhello", 400},
        {POST "Content-Length: 0x5\r\n\r\nhello", 400},
        {POST "Content-Length: 5 5\r\n\r\nhello", 400},
        {POST "Content-Length:\r\n\r\nhello", 400},
        {POST "Content-Length: 18446744073709551616\r\n\r\nhello", 400},
        {POST "Content-Length: 18446744073709551615\r\n\r\nhello", 413},
        {POST "Content-Length : 5\r\n\r\nhello", 400},
        {POST "Content-Length\t: 5\r\n\r\nhello", 400},
        {POST " Content-Length: 5\r\n\r\nhello", 400},
        {POST "X: y\r\n Content-Length: 5\r\n\r\nhello", 400},
        {POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding:\x0b""chunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
        {POST "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", 501},
        {POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
        {POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" H H "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused(rows[i].request, strlen(rows[i].request), rows[i].status);
}

static void v66_line_ends_other_than_crlf_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "GET / HTTP/1.1\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n",
        "GET / HTTP/1.1\rHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        CHUNKED "5\nhello\r\n0\r\n\r\n",
        CHUNKED "5;x\nhello\r\n0\r\n\r\n",
        CHUNKED "5\r\nhello\n0\r\n\r\n",
        CHUNKED "0\r\n\n",
        CHUNKED "0\r\nX: y\n\r\n",
        CHUNKED "5;x\r\rhello\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused(rows[i], strlen(rows[i]), 400);
}

static void v66_chunk_sizes_cannot_wrap_or_be_negative(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {CHUNKED "ffffffffffffffff\r\nhello", 400},
        {CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "8000000000000000\r\nhello", 400},
        {CHUNKED "7fffffffffffffff\r\nhello", 413},          /* a size that fits into 63 bits is only too much */
        {CHUNKED "100001\r\nhello", 413},
        {CHUNKED "-5\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "5.\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "5_0\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED ";\r\nhello\r\n0\r\n\r\n", 400},
        {CHUNKED "5\r\nhello0\r\n\r\n", 400},
        {CHUNKED "4\r\nhello\r\n0\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refused(rows[i].request, strlen(rows[i].request), rows[i].status);
}

static void v66_bodies_never_turn_into_requests(void **state)
{
    (void)state;
    char text[512];
    static const struct {
        const char *request, *log;
    } rows[] = {
        {POST "Content-Length: 44\r\n\r\n", "POST / 1.1 h keep|BODY 44|END|GET /next 1.1 h keep|END|"},
        {CHUNKED "2c\r\n", "POST / 1.1 h keep|BODY 44|END|GET /next 1.1 h keep|END|"},
    };
    assert_int_equal(sizeof HIDDEN - 1 + 11, 44);
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%s%s%s%sGET /next HTTP/1.1\r\n" H "\r\n", rows[i].request, HIDDEN, "01234567890",
                 i == 1 ? "\r\n0\r\n\r\n" : "");
        for (size_t step = 0; step < 2; step++) {
            play_server(&p, NULL);
            play_feed(&p, text, strlen(text), step);
            assert_string_equal(p.log, rows[i].log);
            play_end(&p);
        }
    }
}

static void v66_paths_never_leave_the_root(void **state)
{
    (void)state;
    static const char *const paths[] = {"/../etc/passwd", "/a/../../etc/passwd", "/%2e%2e/x", "/.%2e/x",    "/%2E./x",     "/..",
                                        "/a/..",          "/a%2f..%2fx",         "/%00",      "/x%00.html", "/%2e%2e%2fx", "/a/%2e%2e"};
    char text[256];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "\r\n", paths[i]);
        refused(text, (size_t)n, 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v66_lines_and_heads_without_end_meet_a_limit),
        cmocka_unit_test(v66_ambiguous_framing_is_refused),
        cmocka_unit_test(v66_line_ends_other_than_crlf_are_refused),
        cmocka_unit_test(v66_chunk_sizes_cannot_wrap_or_be_negative),
        cmocka_unit_test(v66_bodies_never_turn_into_requests),
        cmocka_unit_test(v66_paths_never_leave_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
