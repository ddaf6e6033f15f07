/* SPDX-License-Identifier: MIT
 *
 * Mutated conversations against both engines, from a fixed seed: whatever arrives, however it is cut, the engines stay within their memory,
 * report the same for the same bytes, never stall and never ask for nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <parley/http.h>

#include "support/guard.h"

#define ROUNDS     100000
#define INPUT_MAX  1024

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static const char *const corpus_requests[] = {
    "GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /a%20b?c HTTP/1.1\r\nHost: [::1]:80\r\nRange: bytes=1-2\r\nIf-None-Match: \"x\", W/\"y\"\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=\"y\"\r\nhello\r\na\r\n0123456789\r\n0\r\nTrailer: z\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n0123456789HEAD / HTTP/1.0\r\nDate:\r\n\r\n",
    "GET http://h:80/x/./y HTTP/1.0\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-Range: \"x\"\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close, x\r\n\r\n",
    "\r\nCONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
};
static const char *const corpus_responses[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\nHTTP/1.0 200\r\n\r\nuntil the end",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: a\r\n b\r\n\r\n5;x\r\nhello\r\n0\r\nT: u\r\n\r\n",
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nxy",
};
static const char *const words[] = {
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "\0",
    "%",
    "%00",
    "%2e",
    "/",
    "..",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
    "ffffffffffffffff",
    "0",
    "-1",
    "18446744073709551616",
    "HTTP/1.1",
    "HTTP/2.0",
    "Host: h\r\n",
    "\"",
    "\\",
    "Connection: close\r\n",
    "Range: bytes=",
    "Connection: keep-alive\r\n",
    "\r\n\r\n",
    "GET ",
    "HEAD ",
    "0\r\n\r\n",
    "\x80\xff",
};
#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static size_t mutate(char *text, const char *const *corpus, uint32_t n_corpus)
{
    const char *from = corpus[rnd(n_corpus)];
    size_t n = strlen(from);
    memcpy(text, from, n);
    for (uint32_t i = rnd(5); i > 0; i--) {
        size_t at = rnd((uint32_t)n + 1);
        const char *word = words[rnd(COUNT(words))];
        size_t len = *word ? strlen(word) : 1, cut = rnd(3) == 0 ? rnd(20) : 0;
        switch (rnd(3)) {
        case 0:                           /* a byte changes */
            if (at < n)
                text[at] = (char)rnd(256);
            break;
        case 1:                           /* a word is put in */
            if (n + len > INPUT_MAX)
                break;
            memmove(text + at + len, text + at, n - at);
            memcpy(text + at, word, len);
            n += len;
            break;
        default:                          /* something is left out */
            if (cut > n - at)
                cut = n - at;
            memmove(text + at, text + at + cut, n - at - cut);
            n -= cut;
            break;
        }
    }
    return n;
}

/* What one engine did with an input, in few words. */
struct outcome {
    uint64_t hash;
    size_t consumed;
    unsigned wants;
    uint64_t sent;
};

static void mix(struct outcome *o, uint64_t value)
{
    o->hash = (o->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    o->hash ^= o->hash >> 29;
}

struct bench {
    struct pl_http_config config;
    void *mem;
    char *input_end;                      /* the first unreadable byte */
};

static void server_event(pl_http_server *s, const struct pl_http_event *event, struct outcome *o)
{
    if (event->kind == PL_HTTP_BODY) {
        for (size_t i = 0; i < event->body_bytes; i++)
            mix(o, (uint8_t)((const char *)event->body)[i]);
    } else if (event->kind != PL_HTTP_NONE) {
        mix(o, 1000u + event->kind);
        mix(o, event->status);
    }
    if (event->kind == PL_HTTP_REQUEST) {
        const struct pl_http_head *head = pl_http_server_head(s);
        char path[INPUT_MAX + 1];
        size_t len;
        const char *text = pl_http_server_text(s, head->path, &len);
        mix(o, head->method);
        /* what passed the parser decodes, and holds no ".." segment */
        if (len > 0 && text[0] == '/') {
            assert_true(pl_http_path_decode(text, len, path, sizeof path) > 0);
            assert_null(strstr(path, "/../"));
        }
        pl_http_server_continue(s, 0);
    } else if (event->kind == PL_HTTP_REQUEST_END && (pl_http_server_wants(s) & PL_HTTP_WANT_ANSWER)) {
        struct pl_http_answer a = {.status = 200, .length = 20, .last_modified = 784111777, .etag = "\"x\"", .ranges = true};
        mix(o, (uint64_t)pl_http_server_answer(s, &a, 0));
    }
}

static void server_output(pl_http_server *s, struct outcome *o)
{
    struct pl_http_out out;
    pl_http_server_out(s, &out);
    assert_true(out.own_bytes <= 2048);
    assert_true(out.body_at <= 20 && out.body_bytes <= 20 - out.body_at);
    for (size_t i = 0; i < out.own_bytes; i++)
        mix(o, ((const uint8_t *)out.own)[i]);
    mix(o, out.body_at);
    o->sent += out.own_bytes + out.body_bytes;
    pl_http_server_sent(s, out.own_bytes + out.body_bytes, 0);
}

static struct outcome play_server(const struct bench *b, const char *text, size_t n, uint32_t step_max)
{
    struct outcome o = {0};
    pl_http_server *s = pl_http_server_init(b->mem, pl_http_server_size(&b->config), &b->config, 0);
    int idle = 0;
    while (idle < 2) {
        struct pl_http_event event;
        size_t piece = n - o.consumed;
        if (step_max > 0 && piece > 0)
            piece = 1 + rnd(step_max) < piece ? 1 + seed % step_max : piece;
        if (piece > n - o.consumed)
            piece = n - o.consumed;
        memcpy(b->input_end - piece, text + o.consumed, piece);
        size_t used = pl_http_server_feed(s, b->input_end - piece, piece, 0, &event);
        assert_true(used <= piece);
        o.consumed += used;
        server_event(s, &event, &o);
        if (pl_http_server_wants(s) & PL_HTTP_WANT_SEND)
            server_output(s, &o);
        idle = used == 0 && event.kind == PL_HTTP_NONE ? idle + 1 : 0;
    }
    o.wants = pl_http_server_wants(s);
    mix(&o, pl_http_server_requests(s));
    /* It consumed everything, wants something, and comes to an end when nothing more happens. */
    assert_int_equal(o.consumed, n);
    assert_true(o.wants != 0);
    for (pl_time now = 0; !(o.wants & PL_HTTP_WANT_CLOSE); now += 30 * PL_S) {
        assert_true(now < 600 * PL_S);
        pl_http_server_time(s, now);
        if (pl_http_server_wants(s) & PL_HTTP_WANT_SEND)
            server_output(s, &o);
        if (pl_http_server_wants(s) & PL_HTTP_WANT_FINISH)
            pl_http_server_finished(s, now);
        o.wants = pl_http_server_wants(s);
        mix(&o, o.wants);
    }
    return o;
}

static struct outcome play_client(const struct bench *b, const char *text, size_t n, uint32_t step_max)
{
    struct outcome o = {0};
    struct pl_http_event event;
    pl_http_client *c = pl_http_client_init(b->mem, pl_http_client_size(&b->config), &b->config, 0);
    for (int i = 0; i < 3; i++) {
        struct pl_http_request r = {.method = i == 1 ? PL_HTTP_HEAD : PL_HTTP_GET, .minor = 1, .host = "h", .target = "/"};
        assert_int_equal(pl_http_client_request(c, &r, 0), PL_OK);
    }
    do {
        size_t piece = n - o.consumed;
        if (step_max > 0 && piece > step_max)
            piece = 1 + rnd(step_max);
        memcpy(b->input_end - piece, text + o.consumed, piece);
        size_t used = pl_http_client_feed(c, b->input_end - piece, piece, 0, &event);
        assert_true(used <= piece);
        assert_true(used > 0 || event.kind != PL_HTTP_NONE || piece == 0);
        o.consumed += used;
        if (event.kind == PL_HTTP_BODY) {
            for (size_t i = 0; i < event.body_bytes; i++)
                mix(&o, (uint8_t)((const char *)event.body)[i]);
        } else if (event.kind != PL_HTTP_NONE) {
            mix(&o, 1000u + event.kind);
            mix(&o, event.fault);
            mix(&o, event.status);
        }
    } while (o.consumed < n || event.kind != PL_HTTP_NONE);
    pl_http_client_eof(c, 0, &event);
    mix(&o, event.kind);
    mix(&o, event.fault);
    o.wants = pl_http_client_wants(c);
    assert_true(o.wants & (PL_HTTP_WANT_CLOSE | PL_HTTP_WANT_ABORT));
    return o;
}

static void fuzz(struct outcome (*play)(const struct bench *, const char *, size_t, uint32_t), const char *const *corpus, uint32_t n_corpus)
{
    struct bench b;
    char text[INPUT_MAX];
    pl_http_config_default(&b.config, sizeof b.config);
    b.config.line_bytes_max = 100;
    b.config.head_bytes_max = 200;
    b.config.field_count_max = 6;
    b.config.body_bytes_max = 12;
    size_t bytes = pl_http_server_size(&b.config), client_bytes = pl_http_client_size(&b.config);
    bytes = bytes > client_bytes ? bytes : client_bytes;
    b.mem = guard_alloc(bytes);
    b.input_end = (char *)guard_alloc(INPUT_MAX) + INPUT_MAX;
    seed = 20260801;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = seed;
        size_t n = mutate(text, corpus, n_corpus);
        struct outcome whole = play(&b, text, n, 0), cut = play(&b, text, n, 1 + rnd(12));
        if (whole.hash != cut.hash)
            print_error("round %d, seed %llu: <%.*s>\n", round, (unsigned long long)start, (int)n, text);
        assert_int_equal(whole.hash, cut.hash);
        assert_int_equal(whole.sent, cut.sent);
        assert_int_equal(whole.consumed, cut.consumed);
        assert_int_equal(whole.wants, cut.wants);
    }
    guard_free(b.mem, bytes);
    guard_free(b.input_end - INPUT_MAX, INPUT_MAX);
}

static void the_server_survives_mutated_requests(void **state)
{
    (void)state;
    fuzz(play_server, corpus_requests, COUNT(corpus_requests));
}

static void the_client_survives_mutated_responses(void **state)
{
    (void)state;
    fuzz(play_client, corpus_responses, COUNT(corpus_responses));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_survives_mutated_requests),
        cmocka_unit_test(the_client_survives_mutated_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
