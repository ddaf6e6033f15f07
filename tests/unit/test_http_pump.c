/* SPDX-License-Identifier: MIT
 *
 * The two pumps over a stream in memory that takes and gives as few bytes at a time as the test likes, refuses now and then, or breaks:
 * what reaches the client is the file, whatever the stream does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/host/http_parley.h"
#include "os/host/http_pump.h"
#include "support/duo.h"
#include "support/http_tree.h"

#define PIPE_MAX   300000
#define LARGE      3000000

/* One direction. */
struct pipe {
    uint8_t bytes[PIPE_MAX];
    size_t n, room;
    bool finished, broken;
};

/* One end of a connection. */
struct end {
    struct pipe *in, *out;
    uint32_t random;
    uint64_t consumed;
    bool hesitates,                       /* one call in three finds nothing to do */
         knows_room;
    bool closed, aborted;
};

static bool hesitate(struct end *e)
{
    e->random = e->random * 1664525u + 1013904223u;
    return e->hesitates && (e->random >> 16) % 3 == 0;
}

static int end_peek(void *conn, struct pl_span *span)
{
    struct end *e = conn;
    if (hesitate(e))
        return PL_EAGAIN;
    if (e->in->n == 0)
        return e->in->broken ? PL_ECONNRESET : e->in->finished ? 0 : PL_EAGAIN;
    *span = (struct pl_span){e->in->bytes, e->hesitates && e->in->n > 1000 ? 1000 : e->in->n};
    return 1;
}

static int end_consume(void *conn, size_t n)
{
    struct end *e = conn;
    assert_true(n <= e->in->n);
    memmove(e->in->bytes, e->in->bytes + n, e->in->n - n);
    e->in->n -= n;
    e->consumed += n;
    return PL_OK;
}

static ptrdiff_t end_send(void *conn, const struct pl_span *spans, int n)
{
    struct end *e = conn;
    size_t sent = 0;
    if (e->out->broken)
        return PL_ECONNRESET;
    assert_false(e->out->finished);
    for (int i = 0; i < n && !hesitate(e); i++) {
        size_t take = e->out->room - e->out->n < spans[i].len ? e->out->room - e->out->n : spans[i].len;
        memcpy(e->out->bytes + e->out->n, spans[i].base, take);
        e->out->n += take;
        sent += take;
    }
    return sent > 0 ? (ptrdiff_t)sent : PL_EAGAIN;
}

static size_t end_room(void *conn)
{
    struct end *e = conn;
    return e->knows_room ? e->out->room - e->out->n : SIZE_MAX;
}

static int end_finish(void *conn)
{
    struct end *e = conn;
    assert_false(e->out->finished);
    e->out->finished = true;
    return PL_OK;
}

static void end_close(void *conn)
{
    struct end *e = conn;
    assert_false(e->closed);
    e->closed = true;
    e->out->finished = true;
}

static void end_abort(void *conn)
{
    struct end *e = conn;
    end_close(conn);
    e->aborted = true;
    e->out->broken = e->in->broken = true;
    e->out->n = e->in->n = 0;
}

static const struct http_io memory_io = {end_peek, end_consume, end_send, end_room, end_finish, end_close, end_abort};

/* Both ends, and what the client got. */
static struct world {
    struct pipe up, down;
    struct end server_end, client_end;
    struct http_root root;
    struct http_pump_buffer buffer;
    struct http_pump pump;
    struct http_fetch fetch;
    struct pl_http_config config;
    char log[2000];
    size_t body, wrong;
    pl_time now;
} w;

static int on_event(void *user, pl_http_client *client, const struct pl_http_event *event)
{
    (void)user;
    (void)client;
    size_t at = strlen(w.log);
    if (event->kind == PL_HTTP_BODY) {
        for (size_t i = 0; i < event->body_bytes; i++)
            w.wrong += ((const char *)event->body)[i] != tree_large_byte(w.body++);
    } else if (event->kind == PL_HTTP_RESPONSE) {
        w.body = 0;
    } else {
        snprintf(w.log + at, sizeof w.log - at, "%s %d %zu|", event->kind == PL_HTTP_BROKEN ? "broken" : "done",
                 event->kind == PL_HTTP_BROKEN ? event->fault : event->status, w.body);
    }
    return 0;
}

static int make_tree(void **state)
{
    (void)state;
    const char *dir = tree_make();
    tree_large_file("large", LARGE);
    tree_large_file("small", 10);
    tree_file("empty", "");
    tree_dir("sub");
    return http_root_open(&w.root, dir, true);
}

static int remove_tree(void **state)
{
    (void)state;
    http_root_close(&w.root);
    tree_remove();
    return 0;
}

static void begin(size_t room, bool hesitates, bool knows_room)
{
    struct http_root root = w.root;
    memset(&w, 0, sizeof w);
    w.root = root;
    pl_http_config_default(&w.config, sizeof w.config);
    w.up.room = w.down.room = room;
    w.server_end = (struct end){.in = &w.up, .out = &w.down, .hesitates = hesitates, .knows_room = knows_room};
    w.client_end = (struct end){.in = &w.down, .out = &w.up, .hesitates = hesitates, .knows_room = knows_room};
    size_t sn = pl_http_server_size(&w.config), cn = pl_http_client_size(&w.config);
    http_pump_init(&w.pump, pl_http_server_init(malloc(sn), sn, &w.config, 0), &memory_io, &w.server_end, &w.root, &w.buffer);
    http_fetch_init(&w.fetch, pl_http_client_init(malloc(cn), cn, &w.config, 0), &memory_io, &w.client_end, on_event, NULL);
}

static void end(void)
{
    http_pump_end(&w.pump);
    http_fetch_end(&w.fetch);
    assert_true(w.server_end.closed && w.client_end.closed);
    assert_int_equal(w.pump.content.fd, -1);
    assert_null(w.pump.content.text);
    assert_null(w.buffer.owner);
    free(w.pump.engine);
    free(w.fetch.engine);
}

static void ask(int method, int minor, bool close, const char *target, const char *fields)
{
    struct pl_http_request r = {.method = method, .minor = minor, .close = close, .host = "h", .target = target, .fields = fields};
    assert_int_equal(pl_http_client_request(w.fetch.engine, &r, 0), PL_OK);
}

/* Bytes that were moved so far. */
static uint64_t moved(void)
{
    return w.pump.sent_bytes + w.fetch.received_bytes + w.server_end.consumed;
}

static void run(void)
{
    for (int quiet = 0; quiet < 30;) {
        uint64_t before = moved();
        unsigned waits = http_pump_run(&w.pump, w.now, 1000000000) | http_fetch_run(&w.fetch, w.now);
        quiet = before == moved() && !(waits & HTTP_PUMP_AGAIN) ? quiet + 1 : 0;
    }
}

static void whatever_the_stream_does_the_file_arrives(void **state)
{
    (void)state;
    static const size_t rooms[] = {100, 1460, 65536, PIPE_MAX};
    for (size_t i = 0; i < 16; i++) {
        begin(rooms[i / 4], i & 1, i & 2);
        ask(PL_HTTP_GET, 1, false, "/large", NULL);
        ask(PL_HTTP_GET, 1, false, "/small", NULL);
        ask(PL_HTTP_HEAD, 1, false, "/large", NULL);
        ask(PL_HTTP_GET, 1, false, "/empty", NULL);
        ask(PL_HTTP_GET, 1, false, "/none", NULL);
        run();
        char expected[200];
        snprintf(expected, sizeof expected, "done 200 %d|done 200 10|done 200 0|done 200 0|done 404 14|", LARGE);
        assert_string_equal(w.log, expected);
        assert_int_equal(w.wrong, 14);     /* the text of the 404 is not the pattern */
        assert_false(w.server_end.closed);
        assert_true(pl_http_client_reusable(w.fetch.engine));
        assert_true(http_fetch_run(&w.fetch, w.now) & HTTP_PUMP_IDLE);
        end();
    }
}

static void a_range_begins_where_it_should(void **state)
{
    (void)state;
    begin(5000, true, true);
    ask(PL_HTTP_GET, 1, false, "/large", "Range: bytes=0-99999\r\n");
    run();
    assert_string_equal(w.log, "done 206 100000|");
    assert_int_equal(w.wrong, 0);
    end();
}

static void both_ends_close_in_good_order(void **state)
{
    (void)state;
    for (int minor = 0; minor < 2; minor++) {
        begin(5000, true, false);
        ask(PL_HTTP_GET, minor, true, "/small", NULL);
        run();
        assert_string_equal(w.log, "done 200 10|");
        assert_true(w.server_end.closed && !w.server_end.aborted);
        assert_true(w.client_end.closed && !w.client_end.aborted);
        assert_int_equal(w.fetch.error, 0);
        end();
    }
}

static void a_broken_stream_ends_both_pumps(void **state)
{
    (void)state;
    begin(5000, false, false);
    ask(PL_HTTP_GET, 1, false, "/large", NULL);
    http_fetch_run(&w.fetch, 0);
    http_pump_run(&w.pump, 0, 0);
    assert_true(w.pump.content.fd >= 0);
    w.up.broken = w.down.broken = true;
    w.up.n = 0;
    assert_true(http_pump_run(&w.pump, 0, 0) & HTTP_PUMP_CLOSED);
    assert_int_equal(w.pump.content.fd, -1);
    run();
    assert_int_equal(w.fetch.error, PL_ECONNRESET);
    end();
}

/* The length was promised in the head; a file that shrinks meanwhile can only end in a reset, never in wrong bytes. */
static void a_file_that_shrinks_aborts_the_connection(void **state)
{
    (void)state;
    tree_large_file("shrinks", 200000);
    begin(1000, false, false);
    ask(PL_HTTP_GET, 1, false, "/shrinks", NULL);
    http_fetch_run(&w.fetch, 0);
    http_pump_run(&w.pump, 0, 0);
    tree_large_file("shrinks", 70000);
    run();
    assert_true(w.server_end.aborted);
    assert_int_equal(w.wrong, 0);
    assert_int_equal(w.fetch.error, PL_ECONNRESET);
    end();
}

static void a_silent_server_is_reported_as_a_time_out(void **state)
{
    (void)state;
    begin(5000, false, false);
    ask(PL_HTTP_GET, 1, false, "/small", NULL);
    http_fetch_run(&w.fetch, 0);
    assert_int_equal(http_fetch_deadline(&w.fetch), 30 * PL_S);
    assert_true(http_fetch_run(&w.fetch, 30 * PL_S) & HTTP_PUMP_CLOSED);
    assert_string_equal(w.log, "broken 8 0|");
    assert_true(w.client_end.aborted);
    end();
}

static void an_idle_client_is_dropped(void **state)
{
    (void)state;
    begin(5000, false, false);
    assert_int_equal(http_pump_run(&w.pump, 0, 0), HTTP_PUMP_READ);
    assert_int_equal(http_pump_deadline(&w.pump), 60 * PL_S);
    assert_int_equal(http_pump_run(&w.pump, 60 * PL_S, 0), HTTP_PUMP_READ);           /* half-closed, lingers */
    assert_true(w.down.finished);
    assert_true(http_pump_run(&w.pump, 62 * PL_S, 0) & HTTP_PUMP_CLOSED);
    assert_false(w.server_end.aborted);
    end();
}

/* parley's own stream: a program may lower the buffer below what is in it. */
static void a_lowered_send_buffer_has_no_room(void **state)
{
    struct duo d;
    pl_conn both[2];
    static const char text[10000];
    struct pl_config c = duo_config();
    (void)state;
    c.sndbuf_bytes = 20000;
    duo_init(&d, &c, false);
    duo_open(&d, false, 80, both);
    struct http_parley_stream s = {.stack = d.s[0], .conn = both[0]};
    size_t before = http_parley_io.send_room(&s);
    assert_int_equal(pl_send(d.s[0], both[0], text, sizeof text), sizeof text);
    assert_int_equal(http_parley_io.send_room(&s), before - sizeof text);
    assert_int_equal(pl_set(d.s[0], both[0], PL_OPT_SNDBUF, 1000), PL_OK);
    assert_int_equal(http_parley_io.send_room(&s), 4096);
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_stream_does_the_file_arrives),
        cmocka_unit_test(a_range_begins_where_it_should),
        cmocka_unit_test(both_ends_close_in_good_order),
        cmocka_unit_test(a_broken_stream_ends_both_pumps),
        cmocka_unit_test(a_file_that_shrinks_aborts_the_connection),
        cmocka_unit_test(a_silent_server_is_reported_as_a_time_out),
        cmocka_unit_test(an_idle_client_is_dropped),
        cmocka_unit_test(a_lowered_send_buffer_has_no_room),
    };
    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
