/* SPDX-License-Identifier: MIT
 *
 * The client engine: the requests it writes, the answers it reads, and when it gives up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "support/http_play.h"

static struct http_play p;

static int ask(int method, int minor, bool close, const char *target, const char *fields)
{
    struct pl_http_request r = {.method = method, .minor = minor, .close = close, .host = "h:80", .target = target, .fields = fields};
    return pl_http_client_request(p.client, &r, p.now);
}

static void feed(const char *text)
{
    play_feed(&p, text, strlen(text), 0);
}

static void eof(void)
{
    struct pl_http_event event;
    pl_http_client_eof(p.client, p.now, &event);
    play_event(&p, &event);
}

static void requests_are_written_as_their_version_asks(void **state)
{
    (void)state;
    play_client(&p, NULL);
    assert_int_equal(ask(PL_HTTP_GET, 1, false, "/a?b", NULL), PL_OK);
    assert_int_equal(ask(PL_HTTP_HEAD, 0, false, "/", "X: y\r\nRange: bytes=0-\r\n"), PL_OK);
    assert_int_equal(ask(PL_HTTP_GET, 1, true, "/", NULL), PL_OK);
    assert_int_equal(ask(PL_HTTP_GET, 1, true, "/", NULL), PL_ECLOSING);
    play_flush(&p);
    assert_string_equal(p.sent, "GET /a?b HTTP/1.1\r\nHost: h:80\r\n\r\n"
                                "HEAD / HTTP/1.0\r\nHost: h:80\r\nX: y\r\nRange: bytes=0-\r\nConnection: keep-alive\r\n\r\n"
                                "GET / HTTP/1.1\r\nHost: h:80\r\nConnection: close\r\n\r\n");
    play_end(&p);
    play_client(&p, NULL);
    assert_int_equal(ask(PL_HTTP_GET, 0, true, "/", NULL), PL_OK);
    play_flush(&p);
    assert_string_equal(p.sent, "GET / HTTP/1.0\r\nHost: h:80\r\n\r\n");
    play_end(&p);
}

/* RFC 9112 11.1: nothing that a program passes on can end a line or a word. */
static void requests_that_would_smuggle_are_refused(void **state)
{
    (void)state;
    play_client(&p, NULL);
    static const char *const targets[] = {"", "x", "/a b", "/a\r\nX: y", "/a\tb", "/a#b", "/\xc3\xa4", "http://h/"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        assert_int_equal(ask(PL_HTTP_GET, 1, false, targets[i], NULL), PL_EINVAL);
    static const char *const fields[] = {"X",
                                         "X: y",
                                         "X: y\n",
                                         "X : y\r\n",
                                         "X: y\r\n\r\n",
                                         ": y\r\n",
                                         "Host: x\r\n",
                                         "content-length: 1\r\n",
                                         "Transfer-Encoding: chunked\r\n",
                                         "Connection: close\r\n",
                                         "X: a\rb\r\n",
                                         "X: a\nb\r\n",
                                         "Upgrade: h2c\r\n"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        assert_int_equal(ask(PL_HTTP_GET, 1, false, "/", fields[i]), PL_EINVAL);
    static const char *const hosts[] = {"", "a b", "a/b", "u@h", "h\r\nX: y", "h:99999"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct pl_http_request r = {.method = PL_HTTP_GET, .minor = 1, .host = hosts[i], .target = "/"};
        assert_int_equal(pl_http_client_request(p.client, &r, p.now), PL_EINVAL);
    }
    assert_int_equal(ask(PL_HTTP_POST, 1, false, "/", NULL), PL_EINVAL);
    assert_int_equal(ask(PL_HTTP_GET, 2, false, "/", NULL), PL_EINVAL);
    assert_int_equal(pl_http_client_unanswered(p.client), 0);
    play_end(&p);
}

static void the_pipeline_and_the_room_are_bounded(void **state)
{
    (void)state;
    static char target[2100];
    play_client(&p, NULL);
    for (int i = 0; i < PL_HTTP_PIPELINE; i++)
        assert_int_equal(ask(PL_HTTP_GET, 1, false, "/", NULL), PL_OK);
    assert_int_equal(ask(PL_HTTP_GET, 1, false, "/", NULL), PL_EAGAIN);
    play_end(&p);
    play_client(&p, NULL);
    memset(target, 'x', sizeof target - 1);
    target[0] = '/';
    assert_int_equal(ask(PL_HTTP_GET, 1, false, target, NULL), PL_EMSGSIZE);
    target[1500] = '\0';
    assert_int_equal(ask(PL_HTTP_GET, 1, false, target, NULL), PL_OK);
    assert_int_equal(ask(PL_HTTP_GET, 1, false, target, NULL), PL_EAGAIN);
    play_flush(&p);
    assert_int_equal(ask(PL_HTTP_GET, 1, false, target, NULL), PL_OK);
    play_end(&p);
}

struct row {
    const char *rule;
    const char *asked;                    /* a letter for each request: g GET, h HEAD */
    const char *answer;
    bool eof;                             /* the server ends the connection behind it */
    const char *log;
    bool reusable;
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct row rows[] = {
    {"9112 6.3 length", "g", OK "Content-Length: 3\r\n\r\nabc", false, "RESPONSE 200|BODY 3|DONE 200|", true},
    {"9112 6.3 length 0", "g", OK "Content-Length: 0\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 6.3 chunked", "g", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false, "RESPONSE 200|BODY 3|DONE 200|", true},
    {"9112 6.3 until close", "g", OK "\r\nabc", true, "RESPONSE 200|BODY 3|DONE 200|", false},
    {"9112 6.3 until close, nothing", "g", OK "\r\n", true, "RESPONSE 200|DONE 200|", false},
    {"1945 7.2.2", "g", "HTTP/1.0 200 OK\r\n\r\nabc", true, "RESPONSE 200|BODY 3|DONE 200|", false},
    {"9112 9.3 1.0", "g", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, "RESPONSE 200|BODY 3|DONE 200|", false},
    {"9112 9.3 1.0 kept", "g", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false, "RESPONSE 200|DONE 200|",
     true},
    {"9112 9.3", "g", OK "Content-Length: 0\r\nConnection: close\r\n\r\n", false, "RESPONSE 200|DONE 200|", false},
    {"9112 6.3 HEAD", "h", OK "Content-Length: 3\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 6.3 HEAD", "h", OK "Transfer-Encoding: chunked\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 6.3 HEAD without length", "h", OK "\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 6.3 204", "g", "HTTP/1.1 204 No Content\r\n\r\n", false, "RESPONSE 204|DONE 204|", true},
    {"9112 6.3 304", "g", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", false, "RESPONSE 304|DONE 304|", true},
    {"9110 15.2", "g", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK "Content-Length: 0\r\n\r\n", false,
     "RESPONSE 200|DONE 200|", true},
    {"9112 9.3.2 in order", "ghg",
     OK "Content-Length: 1\r\n\r\nx" OK "Content-Length: 9\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nyy", false,
     "RESPONSE 200|BODY 1|DONE 200|RESPONSE 200|DONE 200|RESPONSE 404|BODY 2|DONE 404|", true},
    {"9112 4: empty reason", "g", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"no blank before an absent reason", "g", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 5.2: a user agent unfolds", "g", OK "X: a\r\n  b\r\n\tc\r\nContent-Length: 0\r\n\r\n", false, "RESPONSE 200|DONE 200|", true},
    {"9112 5.2: folded length", "g", OK "Content-Length:\r\n 3\r\n\r\nabc", false, "RESPONSE 200|BODY 3|DONE 200|", true},
    {"9112 9.2: nobody asked", "", OK "Content-Length: 0\r\n\r\n", false, "BROKEN 7|", false},
    {"9112 9.2: more than asked", "g", OK "Content-Length: 0\r\n\r\nHTTP", false, "RESPONSE 200|DONE 200|BROKEN 7|", false},
    {"9112 8: cut off in the head", "g", "HTTP/1.1 20", true, "BROKEN 5|", false},
    {"9112 8: cut off in the body", "g", OK "Content-Length: 3\r\n\r\nab", true, "RESPONSE 200|BODY 2|BROKEN 5|", false},
    {"9112 8: cut off in a chunk", "g", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true, "RESPONSE 200|BODY 3|BROKEN 5|", false},
    {"never answered", "g", "", true, "BROKEN 6|", false},
    {"the second never answered", "gg", OK "Content-Length: 0\r\n\r\n", true, "RESPONSE 200|DONE 200|BROKEN 6|", false},
    {"9112 2.2", "g", "HTTP/1.1 200 OK\n\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "HTTP/1.1 2000 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "HTTP/1.1 099 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "HTTP/1.1 600 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "HTTP/1.1  200 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "ICY 200 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 4", "g", "\r\nHTTP/1.1 200 OK\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 5.1", "g", OK "A : b\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 2.2: blank before the first field", "g", OK " A: b\r\n\r\n", false, "BROKEN 1|", false},
    {"9110 15.2.2: no upgrade asked for", "g", "HTTP/1.1 101 Switching Protocols\r\n\r\n", false, "BROKEN 1|", false},
    {"9112 2.3", "g", "HTTP/2.0 200 OK\r\n\r\n", false, "BROKEN 2|", false},
    {"9112 6.3", "g", OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", false, "BROKEN 4|", false},
    {"9112 6.3", "g", OK "Content-Length: -3\r\n\r\nabc", false, "BROKEN 4|", false},
    {"9112 6.3", "g", OK "Content-Length: 18446744073709551616\r\n\r\nabc", false, "BROKEN 4|", false},
    {"9112 6.3", "g", OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false, "BROKEN 4|", false},
    {"9112 7", "g", OK "Transfer-Encoding: gzip\r\n\r\n", false, "BROKEN 4|", false},
    {"9112 7", "g", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", false, "BROKEN 4|", false},
    {"9112 7.1", "g", OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", false, "RESPONSE 200|BROKEN 4|", false},
};

static void answers_are_read_or_named_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t step = 0; step < 4; step++) {
            play_client(&p, NULL);
            for (const char *a = rows[i].asked; *a; a++)
                assert_int_equal(ask(*a == 'h' ? PL_HTTP_HEAD : PL_HTTP_GET, 1, false, "/", NULL), PL_OK);
            play_flush(&p);
            play_feed(&p, rows[i].answer, strlen(rows[i].answer), step);
            if (rows[i].eof)
                eof();
            if (strcmp(p.log, rows[i].log) != 0)
                print_error("%s: <%s>\n", rows[i].rule, rows[i].answer);
            assert_string_equal(p.log, rows[i].log);
            assert_int_equal(pl_http_client_reusable(p.client), rows[i].reusable);
            assert_int_equal(!(pl_http_client_wants(p.client) & (PL_HTTP_WANT_CLOSE | PL_HTTP_WANT_ABORT)), rows[i].reusable);
            play_end(&p);
        }
    }
}

static void tiny(struct pl_http_config *c)
{
    c->line_bytes_max = 64;
    c->head_bytes_max = 128;
    c->field_count_max = 3;
}

static void large_heads_are_refused(void **state)
{
    (void)state;
    char text[400];
    static const struct {
        size_t reason, value;
        int fields;
        const char *log;
    } sizes[] = {
        {51, 1, 1, "RESPONSE 200|"}, {52, 1, 1, "BROKEN 3|"}, {2, 200, 1, "BROKEN 3|"}, {2, 1, 3, "RESPONSE 200|"}, {2, 1, 4, "BROKEN 3|"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int n = snprintf(text, sizeof text, "HTTP/1.1 200 %0*d\r\n", (int)sizes[i].reason, 0);
        for (int f = 0; f < sizes[i].fields; f++)
            n += snprintf(text + n, sizeof text - (size_t)n, "A: %0*d\r\n", (int)sizes[i].value, 0);
        snprintf(text + n, sizeof text - (size_t)n, "\r\n");
        play_client(&p, tiny);
        ask(PL_HTTP_GET, 1, false, "/", NULL);
        feed(text);
        assert_string_equal(p.log, sizes[i].log);
        play_end(&p);
    }
}

static void after_the_last_answer_the_connection_is_over(void **state)
{
    (void)state;
    play_client(&p, NULL);
    ask(PL_HTTP_GET, 1, true, "/", NULL);
    feed(OK "Content-Length: 0\r\n\r\n");                  /* even if the server forgets to say close */
    assert_int_equal(pl_http_client_wants(p.client), PL_HTTP_WANT_CLOSE);
    assert_int_equal(ask(PL_HTTP_GET, 1, true, "/", NULL), PL_ECLOSING);
    play_end(&p);
}

static void a_server_that_ends_early_leaves_the_rest_countable(void **state)
{
    (void)state;
    play_client(&p, NULL);
    for (int i = 0; i < 3; i++)
        ask(PL_HTTP_GET, 1, false, "/", NULL);
    play_flush(&p);
    feed(OK "Content-Length: 0\r\nConnection: close\r\n\r\n" OK "Content-Length: 0\r\n\r\n");
    assert_string_equal(p.log, "RESPONSE 200|DONE 200|");
    assert_int_equal(pl_http_client_unanswered(p.client), 2);
    assert_int_equal(pl_http_client_wants(p.client), PL_HTTP_WANT_CLOSE);
    play_end(&p);
}

static void advance(pl_time ns)
{
    struct pl_http_event event;
    p.now += ns;
    pl_http_client_time(p.client, p.now, &event);
    play_event(&p, &event);
    assert_true(pl_http_client_deadline(p.client) > p.now);
}

/* Mission M17: no answer in time means that the network is down. */
static void an_answer_that_does_not_come_in_time_is_a_fault(void **state)
{
    (void)state;
    play_client(&p, NULL);
    assert_int_equal(pl_http_client_deadline(p.client), PL_NEVER);
    for (int i = 0; i < 3; i++) {                         /* heartbeats that are answered */
        ask(PL_HTTP_HEAD, 1, false, "/", NULL);
        play_flush(&p);
        assert_int_equal(pl_http_client_deadline(p.client), p.now + 30 * PL_S);
        advance(29 * PL_S);
        feed(OK "\r\n");
        assert_int_equal(pl_http_client_deadline(p.client), PL_NEVER);
        advance(1000 * PL_S);
    }
    ask(PL_HTTP_HEAD, 1, false, "/", NULL);
    play_flush(&p);
    advance(30 * PL_S - 1);
    assert_null(strstr(p.log, "BROKEN"));
    advance(1);
    assert_non_null(strstr(p.log, "BROKEN 8|"));
    assert_int_equal(pl_http_client_wants(p.client), PL_HTTP_WANT_ABORT);
    play_end(&p);
}

static void interim_answers_do_not_extend_the_wait(void **state)
{
    (void)state;
    play_client(&p, NULL);
    ask(PL_HTTP_GET, 1, false, "/", NULL);
    play_flush(&p);
    for (int i = 0; i < 29; i++) {
        advance(PL_S);
        feed("HTTP/1.1 102 Processing\r\n\r\n");
    }
    assert_string_equal(p.log, "");
    advance(PL_S);
    assert_string_equal(p.log, "BROKEN 8|");
    play_end(&p);
}

static void a_body_that_trickles_in_is_a_fault(void **state)
{
    (void)state;
    static char part[512];
    play_client(&p, NULL);
    ask(PL_HTTP_GET, 1, false, "/", NULL);
    feed(OK "Content-Length: 100000\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        play_feed(&p, part, 512, 0);
        advance(20 * PL_S);
    }
    assert_null(strstr(p.log, "BROKEN"));
    play_feed(&p, part, 511, 0);
    advance(20 * PL_S);
    assert_non_null(strstr(p.log, "BROKEN 8|"));
    play_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_written_as_their_version_asks),
        cmocka_unit_test(requests_that_would_smuggle_are_refused),
        cmocka_unit_test(the_pipeline_and_the_room_are_bounded),
        cmocka_unit_test(answers_are_read_or_named_broken),
        cmocka_unit_test(large_heads_are_refused),
        cmocka_unit_test(after_the_last_answer_the_connection_is_over),
        cmocka_unit_test(a_server_that_ends_early_leaves_the_rest_countable),
        cmocka_unit_test(an_answer_that_does_not_come_in_time_is_a_fault),
        cmocka_unit_test(interim_answers_do_not_extend_the_wait),
        cmocka_unit_test(a_body_that_trickles_in_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
