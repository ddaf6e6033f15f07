/* SPDX-License-Identifier: MIT
 *
 * The server engine: which answers it sends, when it keeps or ends the connection, and what it does when time passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "support/http_play.h"

#define H "Host: h\r\n"
#define MTIME INT64_C(784111777)
#define MTIME_TEXT "Sun, 06 Nov 1994 08:49:37 GMT"

static struct http_play p;

static void feed(const char *text)
{
    assert_int_equal(play_feed(&p, text, strlen(text), 0), strlen(text));
}

/* What was sent since the last look. */
static const char *sent(void)
{
    static char copy[sizeof p.sent];
    memcpy(copy, p.sent, p.sent_bytes);
    copy[p.sent_bytes] = '\0';
    p.sent_bytes = 0;
    return copy;
}

static unsigned wants(void)
{
    return pl_http_server_wants(p.server);
}

static bool ended(void)
{
    return wants() == PL_HTTP_WANT_FINISH;
}

/* Answers the request that waits as if it were for a file. */
static int answer_file(uint64_t size)
{
    struct pl_http_answer a = {
        .status = 200, .length = size, .last_modified = MTIME, .etag = "\"tag\"", .content_type = "text/plain", .ranges = true};
    int r = pl_http_server_answer(p.server, &a, p.now);
    play_flush(&p);
    return r;
}

static void http_1_0_closes_after_the_answer(void **state)
{
    (void)state;
    play_server(&p, NULL);
    feed("GET / HTTP/1.0\r\n\r\n");
    assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    assert_true(ended());
    play_end(&p);
}

static void http_1_0_persists_when_asked(void **state)
{
    (void)state;
    play_server(&p, NULL);
    for (int i = 0; i < 3; i++) {
        feed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc");
        assert_false(ended());
    }
    play_end(&p);
}

static void http_1_1_persists_until_told_to_close(void **state)
{
    (void)state;
    play_server(&p, NULL);
    for (int i = 0; i < 3; i++) {
        feed("GET / HTTP/1.1\r\n" H "\r\n");
        assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        assert_int_equal(wants(), PL_HTTP_WANT_RECV);
    }
    feed("GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    assert_true(ended());
    assert_int_equal(pl_http_server_requests(p.server), 4);
    play_end(&p);
}

/* RFC 9112 9.3.2: the second request is not even looked at before the first answer has left. */
static void pipelined_requests_wait_and_are_answered_in_order(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    const char *first = "GET /1 HTTP/1.1\r\n" H "\r\n",
               *both = "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.0\r\n\r\nGET /3 HTTP/1.1\r\n" H "\r\n";
    size_t used = play_feed(&p, both, strlen(both), 0);
    assert_int_equal(used, strlen(first));
    assert_int_equal(wants(), PL_HTTP_WANT_ANSWER);
    assert_int_equal(play_feed(&p, both + used, strlen(both) - used, 0), 0);
    p.hold = false;
    assert_int_equal(answer_file(1), 200);
    used += play_feed(&p, both + used, strlen(both) - used, 0);
    assert_string_equal(p.log, "GET /1 1.1 h keep|END|GET /2 1.0  close|END|");
    /* 1.0 ended the connection: the third one is dropped */
    assert_int_equal(used, strlen(both));
    assert_true(ended());
    play_end(&p);
}

/* RFC 9110 9.3.2 */
static void head_gets_the_fields_of_get_without_content(void **state)
{
    (void)state;
    play_server(&p, NULL);
    feed("HEAD / HTTP/1.1\r\n" H "\r\n");
    assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    p.answer_status = 404;
    feed("HEAD / HTTP/1.1\r\n" H "\r\n");
    assert_string_equal(sent(), "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n");
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    assert_string_equal(sent(),
                        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n404 Not Found\n");
    assert_false(ended());
    play_end(&p);
}

static void errors_name_themselves_and_405_what_is_allowed(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    pl_http_server_date(p.server, MTIME);
    feed("DELETE / HTTP/1.1\r\n" H "\r\n");
    assert_int_equal(pl_http_server_error(p.server, 405, "GET, HEAD", p.now), 405);
    play_flush(&p);
    assert_string_equal(sent(), "HTTP/1.1 405 Method Not Allowed\r\nDate: " MTIME_TEXT "\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                "Content-Length: 23\r\nAllow: GET, HEAD\r\n\r\n405 Method Not Allowed\n");
    assert_int_equal(pl_http_server_error(p.server, 405, NULL, p.now), PL_EINVAL);        /* nothing is asked */
    feed("GET / HTTP/3.0\r\n");
    assert_string_equal(sent(),
                        "HTTP/1.1 505 HTTP Version Not Supported\r\nDate: " MTIME_TEXT "\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 31\r\nConnection: close\r\n\r\n505 HTTP Version Not Supported\n");
    assert_true(ended());
    play_end(&p);
}

static void answers_that_are_malformed_or_too_long_are_not_queued(void **state)
{
    (void)state;
    static char longer[3000];
    memset(longer, 'x', sizeof longer - 1);
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    struct pl_http_answer a = {.status = 200, .last_modified = PL_HTTP_NO_DATE, .location = "/x\r\nSet-Cookie: y"};
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), PL_EINVAL);
    a.location = longer;
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), PL_EMSGSIZE);
    a.location = NULL;
    a.status = 199;
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), PL_EINVAL);
    a.status = 600;
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), PL_EINVAL);
    assert_int_equal(wants(), PL_HTTP_WANT_ANSWER);
    a.status = 204;
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), 204);
    play_flush(&p);
    assert_string_equal(sent(), "HTTP/1.1 204 No Content\r\n\r\n");
    play_end(&p);
}

struct condition {
    const char *fields;
    int status;
    uint64_t from, to;                    /* the part of the file that is sent */
};

static void expect_condition_at(const char *method, const struct condition *c, uint64_t size, int64_t now_s)
{
    char text[512];
    struct pl_http_answer a = {.status = 200, .length = size, .last_modified = MTIME, .etag = "\"tag\"", .ranges = true};
    play_server(&p, NULL);
    p.hold = true;
    pl_http_server_date(p.server, now_s);
    snprintf(text, sizeof text, "%s / HTTP/1.1\r\n" H "%s\r\n", method, c->fields);
    feed(text);
    int r = pl_http_server_answer(p.server, &a, p.now);
    if (r != c->status)
        print_error("%s with <%s>\n", method, c->fields);
    assert_int_equal(r, c->status);
    struct pl_http_out out;
    pl_http_server_out(p.server, &out);
    bool body = strcmp(method, "GET") == 0 && c->status < 300;
    assert_int_equal(out.body_at, body ? c->from : 0);
    assert_int_equal(out.body_bytes, body ? c->to - c->from : 0);
    play_flush(&p);
    play_end(&p);
}

static void expect_condition(const char *method, const struct condition *c, uint64_t size)
{
    expect_condition_at(method, c, size, MTIME + 100);
}

/* RFC 9110 13.1, 13.2.2 */
static void conditional_requests_follow_the_order_of_the_rfc(void **state)
{
    (void)state;
    static const struct condition rows[] = {
        {"", 200, 0, 100},
        {"If-None-Match: \"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: W/\"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: \"a\", \"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: \"a\"\r\nIf-None-Match: \"tag\"\r\n", 304, 0, 0},
        {"If-None-Match: \"a,\\\"tag\"\r\n", 200, 0, 100},
        {"If-None-Match: *\r\n", 304, 0, 0},
        {"If-None-Match: \"other\"\r\n", 200, 0, 100},
        {"If-None-Match: \"other\"\r\nIf-Modified-Since: " MTIME_TEXT "\r\n", 200, 0, 100},
        {"If-Modified-Since: " MTIME_TEXT "\r\n", 304, 0, 0},
        {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200, 0, 100},
        {"If-Modified-Since: Sunday, 06-Nov-94 08:49:38 GMT\r\n", 304, 0, 0},
        {"If-Modified-Since: yesterday\r\n", 200, 0, 100},
        {"If-Match: \"tag\"\r\n", 200, 0, 100},
        {"If-Match: *\r\n", 200, 0, 100},
        {"If-Match: W/\"tag\"\r\n", 412, 0, 0},
        {"If-Match: \"other\"\r\n", 412, 0, 0},
        {"If-Match: \"other\"\r\nIf-None-Match: \"tag\"\r\n", 412, 0, 0},
        {"If-Unmodified-Since: " MTIME_TEXT "\r\n", 200, 0, 100},
        {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 412, 0, 0},
        {"If-Match: \"tag\"\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", 200, 0, 100},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_condition("GET", &rows[i], 100);
        expect_condition("HEAD", &rows[i], 100);
    }
}

/* RFC 9110 14.1.2, 14.2, 13.1.5 */
static void single_ranges_are_served(void **state)
{
    (void)state;
    static const struct condition rows[] = {
        {"Range: bytes=0-0\r\n", 206, 0, 1},
        {"Range: bytes=0-99\r\n", 206, 0, 100},
        {"Range: bytes=10-\r\n", 206, 10, 100},
        {"Range: bytes=-1\r\n", 206, 99, 100},
        {"Range: bytes=-1000\r\n", 206, 0, 100},
        {"Range: bytes=99-1000\r\n", 206, 99, 100},
        {"Range: bytes=99-99999999999999999999999999\r\n", 206, 99, 100},
        {"Range: bytes=0-18446744073709551615\r\n", 206, 0, 100},
        {"Range: BYTES=1-2\r\n", 206, 1, 3},
        {"Range: bytes=100-\r\n", 416, 0, 0},
        {"Range: bytes=99999999999999999999999999-\r\n", 416, 0, 0},
        {"Range: bytes=-0\r\n", 416, 0, 0},
        {"Range: bytes=2-1\r\n", 200, 0, 100},
        {"Range: bytes=\r\n", 200, 0, 100},
        {"Range: bytes=-\r\n", 200, 0, 100},
        {"Range: bytes=1\r\n", 200, 0, 100},
        {"Range: bytes=a-b\r\n", 200, 0, 100},
        {"Range: bytes=1-b\r\n", 200, 0, 100},
        {"Range: bytes=1-2,4-5\r\n", 200, 0, 100},
        {"Range: lines=1-2\r\n", 200, 0, 100},
        {"Range: bytes=1-2\r\nRange: bytes=3-4\r\n", 200, 0, 100},
        {"Range: bytes=1-2\r\nIf-Range: \"tag\"\r\n", 206, 1, 3},
        {"Range: bytes=1-2\r\nIf-Range: W/\"tag\"\r\n", 200, 0, 100},
        {"Range: bytes=1-2\r\nIf-Range: \"other\"\r\n", 200, 0, 100},
        {"Range: bytes=1-2\r\nIf-Range: " MTIME_TEXT "\r\n", 206, 1, 3},
        {"Range: bytes=1-2\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT\r\n", 200, 0, 100},
        {"Range: bytes=1-2\r\nIf-None-Match: \"tag\"\r\n", 304, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_condition("GET", &rows[i], 100);
    static const struct condition head = {"Range: bytes=1-2\r\n", 200, 0, 0}, empty[] = {
        {"Range: bytes=0-\r\n", 416, 0, 0}, {"Range: bytes=-1\r\n", 416, 0, 0}, {"", 200, 0, 0},
    };
    expect_condition("HEAD", &head, 100);
    for (size_t i = 0; i < 3; i++)
        expect_condition("GET", &empty[i], 0);
    /* 8.8.2.2: a file that may still change within this second has no date to rely on */
    static const struct condition young = {"Range: bytes=1-2\r\nIf-Range: " MTIME_TEXT "\r\n", 200, 0, 100};
    expect_condition_at("GET", &young, 100, MTIME);
}

static void answers_to_ranges_and_conditions_have_the_right_fields(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "Range: bytes=1-3\r\n\r\n");
    answer_file(10);
    assert_string_equal(sent(),
                        "HTTP/1.1 206 Partial Content\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nContent-Range: bytes 1-3/10\r\n"
                        "Last-Modified: " MTIME_TEXT "\r\nETag: \"tag\"\r\nAccept-Ranges: bytes\r\n\r\nbcd");
    feed("GET / HTTP/1.1\r\n" H "Range: bytes=10-\r\n\r\n");
    answer_file(10);
    assert_string_equal(sent(), "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 26\r\n"
                                "Content-Range: bytes */10\r\n\r\n416 Range Not Satisfiable\n");
    feed("GET / HTTP/1.1\r\n" H "If-None-Match: \"tag\"\r\n\r\n");
    answer_file(10);
    assert_string_equal(sent(),
                        "HTTP/1.1 304 Not Modified\r\nLast-Modified: " MTIME_TEXT "\r\nETag: \"tag\"\r\nAccept-Ranges: bytes\r\n\r\n");
    play_end(&p);
}

/* RFC 9112 7.1 in 1.1; RFC 1945 7.2.2 in 1.0. */
static void bodies_of_unknown_length_are_chunked_or_end_the_connection(void **state)
{
    (void)state;
    for (int minor = 0; minor <= 1; minor++) {
        struct pl_http_answer a = {.status = 200, .length = PL_HTTP_LENGTH_UNKNOWN, .last_modified = PL_HTTP_NO_DATE};
        play_server(&p, NULL);
        p.hold = true;
        feed(minor ? "GET / HTTP/1.1\r\n" H "\r\n" : "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_int_equal(pl_http_server_answer(p.server, &a, p.now), 200);
        assert_int_equal(pl_http_server_body(p.server, 3, p.now), PL_EAGAIN);            /* the head has not left */
        play_flush(&p);
        assert_int_equal(wants(), PL_HTTP_WANT_BODY);
        assert_int_equal(pl_http_server_body(p.server, 3, p.now), PL_OK);
        play_flush(&p);
        assert_int_equal(pl_http_server_body(p.server, 17, p.now), PL_OK);
        play_flush(&p);
        assert_int_equal(pl_http_server_body(p.server, 0, p.now), PL_OK);
        play_flush(&p);
        if (minor) {
            assert_string_equal(sent(),
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n11\r\ndefghijklmnopqrst\r\n0\r\n\r\n");
            assert_int_equal(wants(), PL_HTTP_WANT_RECV);
        } else {
            assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdefghijklmnopqrst");
            assert_true(ended());
        }
        assert_int_equal(pl_http_server_body(p.server, 1, p.now), PL_EAGAIN);
        play_end(&p);
    }
}

/* The transport may take any number of bytes at a time. */
static void output_taken_byte_by_byte_is_the_same(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    struct pl_http_answer a = {.status = 200, .length = 5, .last_modified = PL_HTTP_NO_DATE};
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), 200);
    char text[200];
    size_t n = 0;
    while (wants() & PL_HTTP_WANT_SEND) {
        struct pl_http_out out;
        pl_http_server_out(p.server, &out);
        text[n++] = out.own_bytes > 0 ? *(const char *)out.own : (char)('a' + out.body_at);
        pl_http_server_sent(p.server, 1, p.now);
    }
    text[n] = '\0';
    assert_string_equal(text, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    play_end(&p);
}

/* RFC 9110 10.1.1 */
static void expect_100_continue_is_answered(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    pl_http_server_continue(p.server, p.now);
    pl_http_server_continue(p.server, p.now);             /* once is enough */
    play_flush(&p);
    assert_string_equal(sent(), "HTTP/1.1 100 Continue\r\n\r\n");
    feed("xy");
    assert_int_equal(pl_http_server_error(p.server, 403, NULL, p.now), 403);
    play_flush(&p);
    assert_null(strstr(sent(), "Connection: close"));
    /* and when it is refused, the body may or may not come: the connection cannot go on */
    feed("POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(pl_http_server_error(p.server, 403, NULL, p.now), 403);
    play_flush(&p);
    assert_non_null(strstr(sent(), "Connection: close"));
    assert_true(ended());
    play_end(&p);
}

static void an_early_answer_keeps_the_connection_only_if_the_body_is_short(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("POST / HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nab");
    pl_http_server_error(p.server, 405, "GET", p.now);
    play_flush(&p);
    assert_int_equal(wants(), PL_HTTP_WANT_RECV);
    feed("cd");
    feed("POST / HTTP/1.1\r\n" H "Content-Length: 70000\r\n\r\nab");
    pl_http_server_error(p.server, 405, "GET", p.now);
    play_flush(&p);
    assert_true(ended());
    play_end(&p);
    play_server(&p, NULL);
    p.hold = true;
    feed("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    pl_http_server_error(p.server, 405, "GET", p.now);
    play_flush(&p);
    assert_true(ended());
    play_end(&p);
}

static void few(struct pl_http_config *c)
{
    c->requests_max = 2;
}

static void the_last_allowed_request_ends_the_connection(void **state)
{
    (void)state;
    play_server(&p, few);
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    assert_null(strstr(sent(), "Connection"));
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    assert_non_null(strstr(sent(), "Connection: close"));
    assert_true(ended());
    play_end(&p);
}

/* RFC 9112 9.6: half-close, read on for a while, then close. */
static void the_end_is_a_half_close_and_a_linger(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        play_server(&p, NULL);
        feed("GET / HTTP/1.0\r\n\r\n");
        pl_http_server_finished(p.server, p.now);
        assert_int_equal(wants(), PL_HTTP_WANT_RECV);
        if (way == 0) {
            pl_http_server_eof(p.server, p.now);
        } else if (way == 1) {
            assert_int_equal(pl_http_server_deadline(p.server), p.now + 2 * PL_S);
            p.now += 2 * PL_S;
            pl_http_server_time(p.server, p.now);
        } else {
            static char junk[65537];
            play_feed(&p, junk, sizeof junk, 0);
        }
        assert_int_equal(wants(), PL_HTTP_WANT_CLOSE);
        assert_int_equal(pl_http_server_deadline(p.server), PL_NEVER);
        play_end(&p);
    }
}

static void the_end_of_the_peers_bytes_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        bool hold;
    } rows[] = {{"", false}, {"GET / HT", false}, {"POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nabc", false},
                {"GET / HTTP/1.1\r\n" H "\r\n", false}};
    for (size_t i = 0; i < 4; i++) {
        play_server(&p, NULL);
        feed(rows[i].before);
        sent();
        pl_http_server_eof(p.server, p.now);
        assert_true(ended());
        assert_string_equal(sent(), "");
        pl_http_server_finished(p.server, p.now);
        assert_int_equal(wants(), PL_HTTP_WANT_CLOSE);
        play_end(&p);
    }
    /* a request that came whole is still answered */
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    pl_http_server_eof(p.server, p.now);
    assert_int_equal(wants(), PL_HTTP_WANT_ANSWER);
    answer_file(3);
    assert_non_null(strstr(sent(), "Connection: close\r\n\r\nabc"));
    assert_true(ended());
    play_end(&p);
    /* and the end is the end, also when it comes while an answer is under way */
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    struct pl_http_answer a = {.status = 200, .length = 3, .last_modified = PL_HTTP_NO_DATE};
    assert_int_equal(pl_http_server_answer(p.server, &a, p.now), 200);
    pl_http_server_eof(p.server, p.now);
    assert_int_equal(wants(), PL_HTTP_WANT_SEND);
    play_flush(&p);
    assert_true(ended());
    play_end(&p);
}

static void advance(pl_time ns)
{
    p.now += ns;
    pl_http_server_time(p.server, p.now);
    assert_true(pl_http_server_deadline(p.server) > p.now);
    play_flush(&p);
}

/* Mission M17: who says nothing for long counts as offline. */
static void an_idle_connection_ends_in_silence(void **state)
{
    (void)state;
    play_server(&p, NULL);
    for (int i = 0; i < 3; i++) {
        advance(59 * PL_S);
        feed("GET / HTTP/1.1\r\n" H "\r\n");               /* a heartbeat in time */
        sent();
    }
    assert_int_equal(pl_http_server_deadline(p.server), p.now + 60 * PL_S);
    advance(60 * PL_S - 1);
    assert_int_equal(wants(), PL_HTTP_WANT_RECV);
    advance(1);
    assert_true(ended());
    assert_string_equal(sent(), "");
    play_end(&p);
}

static void a_head_that_trickles_in_is_refused_in_time(void **state)
{
    (void)state;
    play_server(&p, NULL);
    feed("G");
    for (int i = 0; i < 19; i++) {
        advance(PL_S);
        feed("E");                        /* each byte would be in time, if that were what counts */
    }
    assert_false(ended());
    advance(PL_S);
    assert_non_null(strstr(sent(), "HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(ended());
    play_end(&p);
}

static void a_body_that_trickles_in_is_refused(void **state)
{
    (void)state;
    static char part[512];
    play_server(&p, NULL);
    p.hold = true;
    feed("POST / HTTP/1.1\r\n" H "Content-Length: 10000\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        play_feed(&p, part, 512, 0);
        advance(20 * PL_S);
        assert_int_equal(wants() & PL_HTTP_WANT_RECV, PL_HTTP_WANT_RECV);
    }
    play_feed(&p, part, 511, 0);
    advance(20 * PL_S);
    assert_non_null(strstr(sent(), "HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(ended());
    play_end(&p);
}

static void a_peer_that_takes_nothing_is_aborted(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    struct pl_http_answer a = {.status = 200, .length = 1000000, .last_modified = PL_HTTP_NO_DATE};
    pl_http_server_answer(p.server, &a, p.now);
    for (int i = 0; i < 3; i++) {
        pl_http_server_sent(p.server, 512, p.now);
        p.now += 20 * PL_S;
        pl_http_server_time(p.server, p.now);
        assert_int_equal(wants() & PL_HTTP_WANT_SEND, PL_HTTP_WANT_SEND);
    }
    pl_http_server_sent(p.server, 511, p.now);
    p.now += 20 * PL_S;
    pl_http_server_time(p.server, p.now);
    assert_int_equal(wants(), PL_HTTP_WANT_ABORT);
    play_end(&p);
}

static void timeless(struct pl_http_config *c)
{
    c->idle_ns = c->head_ns = c->rate_ns = c->linger_ns = 0;
}

static void without_limits_there_are_no_deadlines(void **state)
{
    (void)state;
    play_server(&p, timeless);
    assert_int_equal(pl_http_server_deadline(p.server), PL_NEVER);
    feed("GET / HTTP/1.0\r\n");
    assert_int_equal(pl_http_server_deadline(p.server), PL_NEVER);
    feed("\r\n");
    pl_http_server_finished(p.server, p.now);
    assert_int_equal(pl_http_server_deadline(p.server), PL_NEVER);
    play_end(&p);
}

static void shutdown_ends_idle_connections_at_once_and_busy_ones_after_the_answer(void **state)
{
    (void)state;
    play_server(&p, NULL);
    pl_http_server_shutdown(p.server, p.now);
    assert_true(ended());
    play_end(&p);
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "\r\n");
    pl_http_server_shutdown(p.server, p.now);
    assert_false(ended());
    answer_file(3);
    assert_non_null(strstr(sent(), "Connection: close"));
    assert_true(ended());
    play_end(&p);
}

/* No pointer in it: a copy goes on like the original. */
static void a_copied_engine_continues_elsewhere(void **state)
{
    (void)state;
    static uint64_t copy[5000];
    play_server(&p, NULL);
    feed("GET /abc HTT");
    size_t n = pl_http_server_size(&p.config);
    assert_true(n <= sizeof copy);
    memcpy(copy, p.server, n);
    memset(p.server, 0xee, n);
    pl_http_server *original = p.server;
    p.server = (pl_http_server *)copy;
    feed("P/1.1\r\n" H "\r\n");
    assert_string_equal(p.log, "GET /abc 1.1 h keep|END|");
    assert_string_equal(sent(), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    p.server = original;
    play_end(&p);
}

static void fields_can_be_walked(void **state)
{
    (void)state;
    play_server(&p, NULL);
    p.hold = true;
    feed("GET / HTTP/1.1\r\n" H "A:  1 \r\nB:\r\n\r\n");
    uint16_t cursor = 0;
    struct pl_http_text name, value;
    char all[200] = "";
    while (pl_http_server_field(p.server, &cursor, &name, &value)) {
        size_t nl, vl;
        const char *n = pl_http_server_text(p.server, name, &nl), *v = pl_http_server_text(p.server, value, &vl);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s=%.*s;", (int)nl, n, (int)vl, v);
    }
    assert_string_equal(all, "Host=h;A=1;B=;");
    play_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_1_0_closes_after_the_answer),
        cmocka_unit_test(http_1_0_persists_when_asked),
        cmocka_unit_test(http_1_1_persists_until_told_to_close),
        cmocka_unit_test(pipelined_requests_wait_and_are_answered_in_order),
        cmocka_unit_test(head_gets_the_fields_of_get_without_content),
        cmocka_unit_test(errors_name_themselves_and_405_what_is_allowed),
        cmocka_unit_test(answers_that_are_malformed_or_too_long_are_not_queued),
        cmocka_unit_test(conditional_requests_follow_the_order_of_the_rfc),
        cmocka_unit_test(single_ranges_are_served),
        cmocka_unit_test(answers_to_ranges_and_conditions_have_the_right_fields),
        cmocka_unit_test(bodies_of_unknown_length_are_chunked_or_end_the_connection),
        cmocka_unit_test(output_taken_byte_by_byte_is_the_same),
        cmocka_unit_test(expect_100_continue_is_answered),
        cmocka_unit_test(an_early_answer_keeps_the_connection_only_if_the_body_is_short),
        cmocka_unit_test(the_last_allowed_request_ends_the_connection),
        cmocka_unit_test(the_end_is_a_half_close_and_a_linger),
        cmocka_unit_test(the_end_of_the_peers_bytes_ends_the_connection),
        cmocka_unit_test(an_idle_connection_ends_in_silence),
        cmocka_unit_test(a_head_that_trickles_in_is_refused_in_time),
        cmocka_unit_test(a_body_that_trickles_in_is_refused),
        cmocka_unit_test(a_peer_that_takes_nothing_is_aborted),
        cmocka_unit_test(without_limits_there_are_no_deadlines),
        cmocka_unit_test(shutdown_ends_idle_connections_at_once_and_busy_ones_after_the_answer),
        cmocka_unit_test(a_copied_engine_continues_elsewhere),
        cmocka_unit_test(fields_can_be_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
