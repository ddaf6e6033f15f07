/* SPDX-License-Identifier: MIT
 *
 * The client engine against the server engine, in memory, over a pipe that carries any number of bytes at a time. Mission M16.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <parley/http.h>

#define PIPE_BYTES 4096

/* One direction of a connection. */
struct wire {
    char bytes[PIPE_BYTES];
    size_t n;
    bool ended;
};

struct pair {
    struct pl_http_config config;
    pl_http_server *server;
    pl_http_client *client;
    struct wire up, down;                 /* to the server, to the client */
    size_t step;                          /* bytes moved at a time */
    int connections, answers;
    char order[256];                      /* paths in the order in which the server saw them, then the bodies the client got */
    char got[256];
    bool seen_end;                        /* the client saw the end of the server's bytes */
};

static void open_connection(struct pair *p)
{
    free(p->server);
    free(p->client);
    size_t sn = pl_http_server_size(&p->config), cn = pl_http_client_size(&p->config);
    p->server = pl_http_server_init(malloc(sn), sn, &p->config, 0);
    p->client = pl_http_client_init(malloc(cn), cn, &p->config, 0);
    assert_non_null(p->server);
    assert_non_null(p->client);
    p->up.n = p->down.n = 0;
    p->up.ended = p->down.ended = p->seen_end = false;
    p->connections++;
}

static void begin(struct pair *p, size_t step)
{
    memset(p, 0, sizeof *p);
    pl_http_config_default(&p->config, sizeof p->config);
    p->step = step;
    open_connection(p);
}

static void end(struct pair *p)
{
    free(p->server);
    free(p->client);
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void wire_put(struct wire *w, const struct pl_http_out *out, size_t own, size_t body)
{
    memcpy(w->bytes + w->n, out->own, own);
    w->n += own;
    for (size_t i = 0; i < body; i++)                      /* the file of /N is N N N ... */
        w->bytes[w->n++] = (char)('0' + (out->body_at + i) % 10);
}

/* Moves up to p->step bytes of output onto the wire. */
static bool take_output(struct pair *p, bool server)
{
    struct pl_http_out out;
    struct wire *w = server ? &p->down : &p->up;
    if (server)
        pl_http_server_out(p->server, &out);
    else
        pl_http_client_out(p->client, &out);
    size_t room = min(PIPE_BYTES - w->n, p->step);
    size_t own = min(out.own_bytes, room), body = (size_t)(out.body_bytes < room - own ? out.body_bytes : room - own);
    wire_put(w, &out, own, body);
    if (server)
        pl_http_server_sent(p->server, own + body, 0);
    else
        pl_http_client_sent(p->client, own + body, 0);
    return own + body > 0;
}

static void drop_front(struct wire *w, size_t n)
{
    memmove(w->bytes, w->bytes + n, w->n - n);
    w->n -= n;
}

/* "/N" is a file of N bytes. */
static void answer(struct pair *p)
{
    size_t len;
    const char *path = pl_http_server_text(p->server, pl_http_server_head(p->server)->path, &len);
    snprintf(p->order + strlen(p->order), sizeof p->order - strlen(p->order), "%.*s ", (int)len, path);
    struct pl_http_answer a = {.status = 200, .length = strtoull(path + 1, NULL, 10), .last_modified = PL_HTTP_NO_DATE};
    assert_int_equal(pl_http_server_answer(p->server, &a, 0), 200);
}

static bool step_server(struct pair *p)
{
    struct pl_http_event event;
    bool moved = take_output(p, true);
    size_t used = pl_http_server_feed(p->server, p->up.bytes, min(p->up.n, p->step), 0, &event);
    drop_front(&p->up, used);
    if (event.kind == PL_HTTP_REQUEST_END)
        answer(p);
    if (pl_http_server_wants(p->server) & PL_HTTP_WANT_FINISH) {
        p->down.ended = true;
        pl_http_server_finished(p->server, 0);
        moved = true;
    }
    return moved || used > 0 || event.kind != PL_HTTP_NONE;
}

static bool step_client(struct pair *p)
{
    struct pl_http_event event;
    bool moved = take_output(p, false);
    size_t used = pl_http_client_feed(p->client, p->down.bytes, min(p->down.n, p->step), 0, &event);
    if (used == 0 && event.kind == PL_HTTP_NONE && p->down.n == 0 && p->down.ended && !p->seen_end) {
        pl_http_client_eof(p->client, 0, &event);
        p->seen_end = true;
        moved = true;
    }
    if (event.kind == PL_HTTP_RESPONSE_END) {
        strcat(p->got, ". ");
        p->answers++;
    } else if (event.kind == PL_HTTP_BODY) {
        strncat(p->got, event.body, event.body_bytes);
    }
    assert_int_not_equal(event.kind, PL_HTTP_BROKEN);
    drop_front(&p->down, used);
    return moved || used > 0 || event.kind != PL_HTTP_NONE;
}

static void run(struct pair *p)
{
    for (bool moved = true; moved;) {
        moved = step_server(p);
        moved = step_client(p) || moved;
    }
}

static int get(struct pair *p, int minor, const char *target)
{
    struct pl_http_request r = {.method = PL_HTTP_GET, .minor = minor, .close = minor == 0, .host = "h", .target = target};
    return pl_http_client_request(p->client, &r, 0);
}

static const size_t steps[] = {1, 2, 7, 100, PIPE_BYTES};

static void http_1_0_takes_one_connection_per_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct pair p;
        begin(&p, steps[i]);
        for (int n = 1; n <= 3; n++) {
            char target[8];
            snprintf(target, sizeof target, "/%d", n);
            if (n > 1)
                open_connection(&p);
            assert_int_equal(get(&p, 0, target), PL_OK);
            assert_int_equal(get(&p, 0, target), PL_ECLOSING);
            run(&p);
            assert_true(p.down.ended);     /* the server ends it */
            assert_false(pl_http_client_reusable(p.client));
        }
        assert_int_equal(p.connections, 3);
        assert_int_equal(p.answers, 3);
        assert_string_equal(p.order, "/1 /2 /3 ");
        assert_string_equal(p.got, "0. 01. 012. ");
        end(&p);
    }
}

static void http_1_1_persists(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct pair p;
        begin(&p, steps[i]);
        for (int n = 1; n <= 4; n++) {
            assert_int_equal(get(&p, 1, "/2"), PL_OK);
            run(&p);
            assert_int_equal(p.answers, n);
            assert_true(pl_http_client_reusable(p.client));
            assert_false(p.down.ended);
        }
        assert_int_equal(p.connections, 1);
        assert_int_equal(pl_http_server_requests(p.server), 4);
        end(&p);
    }
}

static void five_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct pair p;
        begin(&p, steps[i]);
        static const char *const targets[] = {"/5", "/1", "/4", "/0", "/3"};
        for (size_t n = 0; n < 5; n++)
            assert_int_equal(get(&p, 1, targets[n]), PL_OK);
        assert_int_equal(pl_http_client_unanswered(p.client), 5);
        run(&p);
        assert_int_equal(p.connections, 1);
        assert_string_equal(p.order, "/5 /1 /4 /0 /3 ");
        assert_string_equal(p.got, "01234. 0. 0123. . 012. ");
        assert_true(pl_http_client_reusable(p.client));
        end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_1_0_takes_one_connection_per_request),
        cmocka_unit_test(http_1_1_persists),
        cmocka_unit_test(five_pipelined_requests_are_answered_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
