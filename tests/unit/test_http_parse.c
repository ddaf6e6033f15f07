/* SPDX-License-Identifier: MIT
 *
 * Heads of requests, good and bad: what the engine reports for each, and that it does not depend on how the bytes were cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "support/http_play.h"

struct row {
    const char *rule;
    const char *request;
    const char *log;
};

/* The same bytes whole, one by one, and in pieces: the same reports, the same answers. */
static void expect(const char *rule, const char *request, size_t n, const char *log)
{
    static struct http_play whole, cut;
    play_server(&whole, NULL);
    play_feed(&whole, request, n, 0);
    if (strcmp(whole.log, log) != 0)
        print_error("%s: <%.300s>\n", rule, request);
    assert_string_equal(whole.log, log);
    for (size_t step = 1; step <= 7; step += 2) {
        play_server(&cut, NULL);
        play_feed(&cut, request, n, step);
        assert_string_equal(cut.log, whole.log);
        assert_string_equal(cut.sent, whole.sent);
        play_end(&cut);
    }
    play_end(&whole);
}

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(rows[i].rule, rows[i].request, strlen(rows[i].request), rows[i].log);
}
#define RUN(rows) run(rows, sizeof(rows) / sizeof((rows)[0]))
#define H "Host: h\r\n"

static void good_requests_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"9112 3", "GET / HTTP/1.1\r\n" H "\r\n", "GET / 1.1 h keep|END|"},
        {"9112 3.2.1", "GET /a/b?c=d&e HTTP/1.1\r\n" H "\r\n", "GET /a/b?c=d&e 1.1 h keep|END|"},
        {"9112 3.2.1", "GET /a??b HTTP/1.1\r\n" H "\r\n", "GET /a??b 1.1 h keep|END|"},
        {"1945 5.1", "GET / HTTP/1.0\r\n\r\n", "GET / 1.0  close|END|"},
        {"9112 9.3: asked for", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0  keep|END|"},
        {"9112 9.3", "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "GET / 1.1 h close|END|"},
        {"9110 7.6.1: a list", "GET / HTTP/1.1\r\n" H "Connection: foo, ,CLOSE\r\n\r\n", "GET / 1.1 h close|END|"},
        {"9112 9.3: close wins", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", "GET / 1.0  close|END|"},
        {"9110 2.5: higher minor version", "GET / HTTP/1.7\r\n" H "\r\n", "GET / 1.1 h keep|END|"},
        {"9112 2.2: empty line before a request", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "GET / 1.1 h keep|END|"},
        {"9112 3.2.2", "GET http://x:8080/p?q HTTP/1.1\r\n" H "\r\n", "GET /p?q 1.1 x:8080 keep|END|"},
        {"9110 4.2.3: empty path", "GET http://x HTTP/1.1\r\n" H "\r\n", "GET / 1.1 x keep|END|"},
        {"9110 4.2.3", "GET HTTP://x?q HTTP/1.1\r\n" H "\r\n", "GET /?q 1.1 x keep|END|"},
        {"9112 3.2.4", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * 1.1 h keep|END|"},
        {"9112 3.2.3", "CONNECT h:80 HTTP/1.1\r\n" H "\r\n", "CONNECT  1.1 h:80 keep|END|"},
        {"9112 5: no blank after the colon", "GET / HTTP/1.1\r\nHost:h\r\n\r\n", "GET / 1.1 h keep|END|"},
        {"9112 5: blanks around the value", "GET / HTTP/1.1\r\nhOST: \t h \t\r\n\r\n", "GET / 1.1 h keep|END|"},
        {"9112 5: empty value", "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", "GET / 1.1 h keep|END|"},
        {"9110 5.5: obs-text", "GET / HTTP/1.1\r\n" H "X: \xe4\xff\r\n\r\n", "GET / 1.1 h keep|END|"},
        {"9112 3.2: empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1.1  keep|END|"},
        {"3986 3.2.2", "GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]:80\r\n\r\n", "GET / 1.1 [fe80::1%25eth0]:80 keep|END|"},
        {"9112 6.3", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello", "POST / 1.1 h keep|BODY 5|END|"},
        {"9112 6.3", "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "POST / 1.1 h keep|END|"},
        {"9112 6.3", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "POST / 1.0  close|BODY 5|END|"},
        {"9112 7.1", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "POST / 1.1 h keep|BODY 5|END|"},
        {"9112 9.3.2", "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n", "GET /1 1.1 h keep|END|GET /2 1.1 h keep|END|"},
        {"9110 10.1.1: not in 1.0", "GET / HTTP/1.0\r\nExpect: magic\r\n\r\n", "GET / 1.0  close|END|"},
    };
    RUN(rows);
}

static void bad_request_lines_are_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1945 5.1: HTTP/0.9 names no version", "GET /\r\n", "REFUSED 400|"},
        {"9112 3: two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3: two blanks", "GET /  HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3: blank at the end", "GET / HTTP/1.1 \r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3: blank in front", " GET / HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3: tab", "GET\t/ HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3: tab in target", "GET /a\tb HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 2.3: in capitals", "GET / http/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 2.3", "GET / HTTP/1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 2.3", "GET / HTTP/1.10\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 2.3", "GET / HTTP/11.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9110 15.6.6", "GET / HTTP/2.0\r\n" H "\r\n", "REFUSED 505|"},
        {"9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "REFUSED 505|"},
        {"9110 9.1: unknown method", "FETCH / HTTP/1.1\r\n" H "\r\n", "REFUSED 501|"},
        {"9110 9.1: case-sensitive", "get / HTTP/1.1\r\n" H "\r\n", "REFUSED 501|"},
        {"9112 3.1: not a token", "G(T / HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 2.2: more than two empty lines", "\r\n\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.4", "GET * HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.4", "OPTIONS *x HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.3: without a port", "CONNECT h: HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.3", "CONNECT /x HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2", "GET index.html HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"another scheme", "GET https://h/ HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9110 4.2.1: empty host", "GET http:///x HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9110 4.2.4: user name", "GET http://u@h/ HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.1: fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"9112 3.2.1: fragment", "GET /a?b#c HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"3986 2: not ASCII", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"3986 2.1: half an escape", "GET /%4 HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"3986 2.1: no hex", "GET /%zz HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"traversal", "GET /../etc/passwd HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"traversal, encoded", "GET /a/%2e%2E/b HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"traversal, half encoded", "GET /.%2e HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"encoded slash", "GET /a%2fb HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"encoded NUL", "GET /a%00.html HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
        {"traversal in absolute-form", "GET http://h/../x HTTP/1.1\r\n" H "\r\n", "REFUSED 400|"},
    };
    RUN(rows);
}

static void bad_header_sections_are_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"9112 3.2: Host missing in 1.1", "GET / HTTP/1.1\r\n\r\n", "REFUSED 400|"},
        {"9112 3.2: two Hosts", "GET / HTTP/1.1\r\n" H H "\r\n", "REFUSED 400|"},
        {"9112 3.2: two Hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", "REFUSED 400|"},
        {"9112 3.2: invalid Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "REFUSED 400|"},
        {"9112 3.2: invalid Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "REFUSED 400|"},
        {"9112 3.2: invalid Host", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "REFUSED 400|"},
        {"9112 3.2: invalid Host", "GET / HTTP/1.1\r\nHost: h, i\r\n\r\n", "REFUSED 400|"},
        {"3986 3.2.3: port", "GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", "REFUSED 400|"},
        {"3986 3.2.3: port", "GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n", "REFUSED 400|"},
        {"3986 3.2.2: bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "REFUSED 400|"},
        {"9112 3.2: invalid Host beside absolute-form", "GET http://x/ HTTP/1.1\r\nHost: a b\r\n\r\n", "REFUSED 400|"},
        {"9112 5.1: blank before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", "REFUSED 400|"},
        {"9112 5: no colon", "GET / HTTP/1.1\r\n" H "nocolon\r\n\r\n", "REFUSED 400|"},
        {"9112 5: no name", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n", "REFUSED 400|"},
        {"9110 5.1: not a token", "GET / HTTP/1.1\r\n" H "a(b: x\r\n\r\n", "REFUSED 400|"},
        {"9112 5.2: folded", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "REFUSED 400|"},
        {"9112 5.2: folded by a tab", "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", "REFUSED 400|"},
        {"9112 2.2: blank before the first field", "GET / HTTP/1.1\r\n " H "\r\n", "REFUSED 400|"},
        {"9110 10.1.1", "GET / HTTP/1.1\r\n" H "Expect: magic\r\n\r\n", "REFUSED 417|"},
        {"9112 6.3", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "REFUSED 400|"},
        {"9112 6.3: twice the same", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "REFUSED 400|"},
        {"9112 6.1", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", "REFUSED 501|"},
        {"9112 6.3: chunked not last", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n", "REFUSED 400|"},
        {"9112 6.3: not chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", "REFUSED 400|"},
        {"9112 6.3: none", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", "REFUSED 400|"},
        {"9112 7: twice chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n", "REFUSED 400|"},
        {"9112 7: twice chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "REFUSED 400|"},
        {"9112 7.1: no parameters", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked;q=1\r\n\r\n", "REFUSED 400|"},
        {"9112 6.1: in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "REFUSED 400|"},
        {"9112 6.1: with length", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "REFUSED 400|"},
        {"9110 15.5.14: beyond body_bytes_max", "POST / HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n", "REFUSED 413|"},
        {"9110 15.5.14", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n",
         "POST / 1.1 h keep|REFUSED 413|"},
    };
    RUN(rows);
}

/* Each control character, anywhere in a head: refused at that byte. RFC 9112 2.2, RFC 9110 5.5. */
static void control_characters_are_refused_everywhere(void **state)
{
    (void)state;
    static const char good[] = "GET /ab HTTP/1.1\r\nHost: h\r\nX: yz\r\n\r\n";
    const size_t n = sizeof good - 1;
    for (size_t at = 0; at < n; at++) {
        if (good[at] == '\r' || good[at] == '\n')
            continue;
        for (int c = 0; c < 33; c++) {
            int byte = c < 32 ? c : 0x7f;
            char bad[sizeof good];
            static struct http_play p;
            memcpy(bad, good, sizeof good);
            bad[at] = (char)byte;
            play_server(&p, NULL);
            play_feed(&p, bad, n, 0);
            bool blank = byte == '\t' && at >= 23;         /* in a value, or around it */
            if (!blank)
                assert_string_equal(p.log, "REFUSED 400|");
            play_end(&p);
        }
    }
}

/* RFC 9112 2.2: a line ends with CRLF; neither a lone LF nor a lone CR counts, wherever it stands. */
static void bare_cr_and_bare_lf_are_refused(void **state)
{
    (void)state;
    static const char good[] = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
    const size_t n = sizeof good - 1;
    for (size_t at = 0; at < n; at++) {
        if (good[at] != '\r' && good[at] != '\n')
            continue;
        char bad[sizeof good];
        memcpy(bad, good, at);
        memcpy(bad + at, good + at + 1, n - at);           /* one of the two is missing */
        static struct http_play p;
        play_server(&p, NULL);
        play_feed(&p, bad, n - 1, 0);
        assert_string_equal(p.log, at == n - 1 ? "" : "REFUSED 400|");      /* without the very last LF the head is not complete */
        play_end(&p);
    }
}

static void small(struct pl_http_config *c)
{
    c->line_bytes_max = 64;
    c->head_bytes_max = 256;
    c->field_count_max = 4;
    c->body_bytes_max = 10;
}

static void expect_small(const char *request, size_t n, const char *log)
{
    static struct http_play p;
    for (size_t step = 0; step < 3; step++) {
        play_server(&p, small);
        play_feed(&p, request, n, step);
        assert_string_equal(p.log, log);
        play_end(&p);
    }
}

static void limits_hold_to_the_byte(void **state)
{
    (void)state;
    char text[600];
    /* a request line of exactly 64 bytes, and of 65 */
    for (int extra = 0; extra < 2; extra++) {
        size_t target = 64 - strlen("GET  HTTP/1.0") + (size_t)extra, n = 0;
        memcpy(text, "GET /", 5);
        memset(text + 5, 'x', target - 1);
        n = 4 + target;
        memcpy(text + n, " HTTP/1.0\r\n\r\n", 13);
        char log[128] = "REFUSED 414|";
        if (!extra)
            snprintf(log, sizeof log, "GET %.*s 1.0  close|END|", (int)target, text + 4);
        expect_small(text, n + 13, log);
    }
    /* a head of exactly 256 bytes, and of 257 */
    for (size_t size = 256; size <= 257; size++) {
        const char *start = "GET / HTTP/1.0\r\nX: ";
        memcpy(text, start, strlen(start));
        memset(text + strlen(start), 'y', size - 4 - strlen(start));
        memcpy(text + size - 4, "\r\n\r\n", 4);
        expect_small(text, size, size == 256 ? "GET / 1.0  close|END|" : "REFUSED 431|");
    }
    const char *four = "GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", *five = "GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n";
    expect_small(four, strlen(four), "GET / 1.0  close|END|");
    expect_small(five, strlen(five), "REFUSED 431|");
    const char *body = "POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n0123456789";
    expect_small(body, strlen(body), "POST / 1.0  close|BODY 10|END|");
    body = "POST / HTTP/1.0\r\nContent-Length: 11\r\n\r\n";
    expect_small(body, strlen(body), "REFUSED 413|");
    body = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n4\r\nghij\r\n0\r\n\r\n";
    expect_small(body, strlen(body), "POST / 1.1 h keep|BODY 10|END|");
    body = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nghijk\r\n0\r\n\r\n";
    expect_small(body, strlen(body), "POST / 1.1 h keep|BODY 6|REFUSED 413|");
}

/* RFC 9112 3: which refusal a line that never ends gets. */
static void an_endless_line_is_judged_by_its_beginning(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'A', sizeof text);
    expect_small(text, sizeof text, "REFUSED 501|");
    memcpy(text, "GET /", 5);
    expect_small(text, sizeof text, "REFUSED 414|");
    memset(text, '(', sizeof text);
    expect_small(text, sizeof text, "REFUSED 400|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_are_read),
        cmocka_unit_test(bad_request_lines_are_refused),
        cmocka_unit_test(bad_header_sections_are_refused),
        cmocka_unit_test(control_characters_are_refused_everywhere),
        cmocka_unit_test(bare_cr_and_bare_lf_are_refused),
        cmocka_unit_test(limits_hold_to_the_byte),
        cmocka_unit_test(an_endless_line_is_judged_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
