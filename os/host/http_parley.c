/* SPDX-License-Identifier: MIT
 *
 * http_parley.c: see http_parley.h.
 *
 * A connection is run when an event of the stack named it, when its own share of a turn was used up (HTTP_PUMP_AGAIN), or when a time-out of its
 * engine has passed. Those that are to run stand in a list; time-outs are seconds long, so the connections are looked through for them only when
 * the earliest that was seen has come.
 */
#include "os/host/http_parley.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_DEFAULT 1024

/* ---------------------------------------------------------------- the stream ---------------------------------------------------------------- */

static int io_recv_peek(void *conn, struct pl_span *span)
{
    struct http_parley_stream *s = conn;
    return pl_recv_peek(s->stack, s->conn, span, 1);
}

static int io_recv_consume(void *conn, size_t n)
{
    struct http_parley_stream *s = conn;
    return pl_recv_consume(s->stack, s->conn, n);
}

static ptrdiff_t io_send(void *conn, const struct pl_span *spans, int n)
{
    struct http_parley_stream *s = conn;
    ptrdiff_t sent = 0;
    for (int i = 0; i < n; i++) {
        ptrdiff_t took = pl_send(s->stack, s->conn, spans[i].base, spans[i].len);
        if (took < 0) return sent > 0 ? sent : took;
        sent += took;
        if ((size_t)took < spans[i].len) break;
    }
    return sent;
}

/* Never 0: asking pl_send in vain is what makes PL_EV_WRITABLE follow. */
static size_t io_send_room(void *conn)
{
    struct http_parley_stream *s = conn;
    struct pl_tcp_status status;
    if (pl_status(s->stack, s->conn, &status, sizeof status) < 0) return 4096;
    /* it may have been lowered: what is in it stays */
    size_t room = status.sndbuf_used < status.sndbuf_bytes ? status.sndbuf_bytes - status.sndbuf_used : 0;
    return room > 4096 ? room : 4096;
}

static int io_finish(void *conn)
{
    struct http_parley_stream *s = conn;
    return pl_finish(s->stack, s->conn);
}

static void io_close(void *conn)
{
    struct http_parley_stream *s = conn;
    pl_close(s->stack, s->conn);
    s->conn = 0;
}

static void io_abort(void *conn)
{
    struct http_parley_stream *s = conn;
    pl_abort(s->stack, s->conn);
    pl_close(s->stack, s->conn);
    s->conn = 0;
}

const struct http_io http_parley_io = {io_recv_peek, io_recv_consume, io_send, io_send_room, io_finish, io_close, io_abort};

/* ---------------------------------------------------------------- the server ---------------------------------------------------------------- */

struct connection {
    struct http_pump pump;                /* first: a pump's owner is found by it */
    struct http_parley *server;
    struct http_parley_stream stream;
    struct pl_endpoint remote;
    bool listed;                          /* stands in the list of those to run */
    bool told_offline;
    /* the engine's memory follows */
};

struct http_parley {
    struct http_parley_params params;
    struct pl_http_config http;
    struct http_root root;
    struct http_pump_buffer buffer;
    pl_listener listener;
    bool acceptable;
    unsigned max, count, runs, next_free;
    struct connection **connection;       /* by slot, [0, max) */
    unsigned *run;                        /* slots to run, [0, runs); room for those listed while others are run */
    pl_time earliest;                     /* no time-out before */
    uint64_t requests;
};

static void log_answer(struct http_pump *pump, int status, uint64_t bytes, bool refused)
{
    struct connection *c = (struct connection *)pump;
    struct http_parley *s = c->server;
    struct http_parley_answer a = {.remote = c->remote, .status = status, .bytes = bytes, .method = "-", .target = "-"};
    char target[512];
    s->requests++;
    if (!s->params.on_answer) return;
    if (!refused) {
        size_t len;
        const struct pl_http_head *head = pl_http_server_head(pump->engine);
        const char *text = pl_http_server_text(pump->engine, head->target, &len);
        if (len > sizeof target - 1) len = sizeof target - 1;
        memcpy(target, text, len);
        target[len] = '\0';
        a.method = pl_http_method_name(head->method);
        a.target = target;
        a.minor = head->minor;
    }
    s->params.on_answer(s->params.user, &a);
}

int http_parley_open(const struct http_parley_params *params, struct http_parley **out)
{
    struct http_parley *s = calloc(1, sizeof *s);
    if (!s) return PL_ENOMEM;
    s->params = *params;
    s->max = params->connections_max ? params->connections_max : CONNECTIONS_DEFAULT;
    s->root.fd = -1;
    s->earliest = PL_NEVER;
    if (params->http) s->http = *params->http;
    else pl_http_config_default(&s->http, sizeof s->http);
    s->connection = calloc(s->max, sizeof *s->connection);
    s->run = calloc(2 * (size_t)s->max, sizeof *s->run);
    int error = !s->connection || !s->run ? PL_ENOMEM : pl_http_server_size(&s->http) == 0 ? PL_EINVAL : 0;
    if (!error && http_root_open(&s->root, params->dir, params->listing) < 0) error = PL_EIO;
    struct pl_listen_params listen = {.local = params->local, .cookie = params->cookie};
    if (!error) error = pl_listen(params->stack, &listen, &s->listener);
    if (error) http_parley_close(s);
    else *out = s;
    return error;
}

static void list(struct http_parley *s, unsigned slot)
{
    if (s->connection[slot]->listed) return;
    s->connection[slot]->listed = true;
    s->run[s->runs++] = slot;
}

bool http_parley_event(struct http_parley *s, const struct pl_event *e)
{
    uint64_t first = s->params.cookie + 1;
    if (e->handle == s->listener) {
        s->acceptable = true;
        return true;
    }
    if (e->cookie < first || e->cookie - first >= s->max) return false;
    unsigned slot = (unsigned)(e->cookie - first);
    if (s->connection[slot] && s->connection[slot]->stream.conn == e->handle) list(s, slot);
    return true;
}

static struct connection *connection_new(struct http_parley *s, pl_conn conn, pl_time now)
{
    size_t engine_bytes = pl_http_server_size(&s->http), head = (sizeof(struct connection) + 7) & ~(size_t)7;
    struct connection *c = malloc(head + engine_bytes);
    if (!c) return NULL;
    *c = (struct connection){.server = s, .stream = {s->params.stack, conn}};
    pl_http_server *engine = pl_http_server_init((uint8_t *)c + head, engine_bytes, &s->http, now);
    http_pump_init(&c->pump, engine, &http_parley_io, &c->stream, &s->root, &s->buffer);
    c->pump.on_answer = log_answer;
    return c;
}

static void accept_all(struct http_parley *s, pl_time now)
{
    pl_conn conn;
    struct pl_endpoint remote;
    while (s->count < s->max && s->listener && pl_accept(s->params.stack, s->listener, &conn, &remote) == 0) {
        while (s->connection[s->next_free])
            s->next_free = (s->next_free + 1) % s->max;
        struct connection *c = connection_new(s, conn, now);
        if (!c) {
            pl_abort(s->params.stack, conn);
            pl_close(s->params.stack, conn);
            continue;
        }
        c->remote = remote;
        s->connection[s->next_free] = c;
        s->count++;
        pl_set_cookie(s->params.stack, conn, s->params.cookie + 1 + s->next_free);
        list(s, s->next_free);
        if (s->params.on_online) s->params.on_online(s->params.user, &remote, true, false);
    }
    s->acceptable = s->count == s->max;   /* full: asked again when one has ended */
}

static void tell_offline(struct connection *c, bool silent)
{
    struct http_parley *s = c->server;
    if (!c->told_offline && s->params.on_online) s->params.on_online(s->params.user, &c->remote, false, silent);
    c->told_offline = true;
}

static void drop(struct http_parley *s, unsigned slot)
{
    tell_offline(s->connection[slot], false);
    http_pump_end(&s->connection[slot]->pump);
    free(s->connection[slot]);
    s->connection[slot] = NULL;
    s->count--;
}

static void run_one(struct http_parley *s, unsigned slot, pl_time now, int64_t unix_s)
{
    struct connection *c = s->connection[slot];
    c->listed = false;
    if (http_pump_deadline(&c->pump) <= now) tell_offline(c, true);
    unsigned waits = http_pump_run(&c->pump, now, unix_s);
    pl_time due = http_pump_deadline(&c->pump);
    if (waits & HTTP_PUMP_CLOSED) {
        drop(s, slot);
        return;
    }
    if (waits & HTTP_PUMP_AGAIN) list(s, slot);
    if (due < s->earliest) s->earliest = due;
}

/* Lists the connections whose time-out has passed, and finds the next one. */
static void look_for_due(struct http_parley *s, pl_time now)
{
    s->earliest = PL_NEVER;
    for (unsigned i = 0; i < s->max; i++) {
        if (!s->connection[i]) continue;
        pl_time due = http_pump_deadline(&s->connection[i]->pump);
        if (due <= now) list(s, i);
        else if (due < s->earliest) s->earliest = due;
    }
}

bool http_parley_run(struct http_parley *s, pl_time now, int64_t unix_s)
{
    if (now >= s->earliest) look_for_due(s, now);
    if (s->acceptable && s->count < s->max) accept_all(s, now);
    unsigned n = s->runs;
    for (unsigned i = 0; i < n; i++)
        run_one(s, s->run[i], now, unix_s);
    /* Those listed meanwhile stand behind. */
    memmove(s->run, s->run + n, (s->runs - n) * sizeof *s->run);
    s->runs -= n;
    return n > 0;
}

pl_time http_parley_deadline(const struct http_parley *s)
{
    return s->runs ? 0 : s->earliest;
}

unsigned http_parley_connections(const struct http_parley *s)
{
    return s->count;
}

uint64_t http_parley_requests(const struct http_parley *s)
{
    return s->requests;
}

void http_parley_shutdown(struct http_parley *s, pl_time now)
{
    if (s->listener) pl_close(s->params.stack, s->listener);
    s->listener = 0;
    for (unsigned i = 0; i < s->max; i++) {
        if (!s->connection[i]) continue;
        pl_http_server_shutdown(s->connection[i]->pump.engine, now);
        list(s, i);
    }
}

void http_parley_close(struct http_parley *s)
{
    if (s->listener) pl_close(s->params.stack, s->listener);
    for (unsigned i = 0; s->connection && i < s->max; i++)
        if (s->connection[i]) drop(s, i);
    http_root_close(&s->root);
    free(s->connection);
    free(s->run);
    free(s);
}
