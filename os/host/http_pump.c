/* SPDX-License-Identifier: MIT
 *
 * http_pump.c: the server's side of http_pump.h.
 */
#include "os/host/http_pump.h"

#include "os/host/http_site.h"

void http_pump_init(struct http_pump *p, pl_http_server *engine, const struct http_io *io, void *conn, const struct http_root *root,
                    struct http_pump_buffer *buffer)
{
    *p = (struct http_pump){.engine = engine, .io = io, .conn = conn, .root = root, .buffer = buffer, .content = {.fd = -1}};
}

static void content_end(struct http_pump *p)
{
    http_content_close(&p->content);
    if (p->buffer->owner == p)
        p->buffer->owner = NULL;
}

static unsigned over(struct http_pump *p, bool in_order)
{
    if (!p->closed) {
        content_end(p);
        if (in_order)
            p->io->close(p->conn);
        else
            p->io->abort(p->conn);
    }
    p->closed = true;
    return HTTP_PUMP_CLOSED;
}

/* Makes buffer hold the file at `at`, as far as it is wanted and can be sent. False: the file does not have the bytes it had when it was
 * answered for. */
static bool load(struct http_pump *p, const struct pl_http_out *out, size_t room)
{
    struct http_pump_buffer *b = p->buffer;
    if (b->owner == p && out->body_at >= b->at && out->body_at - b->at < b->n)
        return true;
    size_t n = sizeof b->bytes < room ? sizeof b->bytes : room;
    if (n > out->body_bytes)
        n = (size_t)out->body_bytes;
    b->owner = NULL;
    ptrdiff_t got = http_content_read(&p->content, out->body_at, b->bytes, n);
    if (got <= 0)
        return false;
    b->owner = p;
    b->at = out->body_at;
    b->n = (size_t)got;
    return true;
}

/* Sends once. Bytes sent, PL_EAGAIN, or another error; PL_EIO: the file failed us, and with it the length we promised. */
static ptrdiff_t send_some(struct http_pump *p, pl_time now)
{
    struct pl_http_out out;
    struct pl_span spans[2];
    int n = 0;
    size_t room = p->io->send_room ? p->io->send_room(p->conn) : SIZE_MAX;
    if (room == 0)
        return PL_EAGAIN;
    pl_http_server_out(p->engine, &out);
    if (out.own_bytes > 0)
        spans[n++] = (struct pl_span){(void *)(uintptr_t)out.own, out.own_bytes};
    if (out.body_bytes > 0) {
        if (!load(p, &out, room))
            return PL_EIO;
        size_t skip = (size_t)(out.body_at - p->buffer->at), len = p->buffer->n - skip;
        if (len > out.body_bytes)
            len = (size_t)out.body_bytes;
        spans[n++] = (struct pl_span){p->buffer->bytes + skip, len};
    }
    ptrdiff_t sent = p->io->send(p->conn, spans, n);
    if (sent > 0) {
        p->sent_bytes += (uint64_t)sent;
        pl_http_server_sent(p->engine, (uint64_t)sent, now);
        if (!(pl_http_server_wants(p->engine) & PL_HTTP_WANT_SEND))
            content_end(p);
    }
    return sent;
}

static void tell(struct http_pump *p, int status, bool refused)
{
    struct pl_http_out out;
    if (!p->on_answer)
        return;
    pl_http_server_out(p->engine, &out);
    p->on_answer(p, status, out.body_bytes, refused);
}

/* Feeds once. 1: something moved; 0: nothing did; another error: the connection failed. */
static int feed_some(struct http_pump *p, pl_time now)
{
    struct pl_http_event event;
    struct pl_span span = {NULL, 0};
    int r = p->io->recv_peek(p->conn, &span);
    if (r < 0 && r != PL_EAGAIN)
        return r;
    size_t used = pl_http_server_feed(p->engine, span.base, span.len, now, &event);
    if (used > 0)
        p->io->recv_consume(p->conn, used);
    if (event.kind == PL_HTTP_REQUEST) {
        content_end(p);
        tell(p, http_site_answer(p->root, p->engine, &p->content, now), false);
    }
    if (event.kind == PL_HTTP_REFUSED)
        tell(p, event.status, true);
    if (used > 0 || event.kind != PL_HTTP_NONE)
        return 1;
    if (r == 0) {
        pl_http_server_eof(p->engine, now);
        return 1;
    }
    return 0;
}

unsigned http_pump_run(struct http_pump *p, pl_time now, int64_t unix_s)
{
    uint64_t turn_end = p->sent_bytes + HTTP_PUMP_TURN_BYTES;
    if (p->closed)
        return HTTP_PUMP_CLOSED;
    pl_http_server_date(p->engine, unix_s);
    pl_http_server_time(p->engine, now);
    for (;;) {
        unsigned wants = pl_http_server_wants(p->engine), waits = 0;
        bool moved = false;
        if (wants & (PL_HTTP_WANT_CLOSE | PL_HTTP_WANT_ABORT))
            return over(p, wants & PL_HTTP_WANT_CLOSE);
        if (wants & PL_HTTP_WANT_FINISH) {
            if (p->io->finish(p->conn) < 0)
                return over(p, false);
            pl_http_server_finished(p->engine, now);
            continue;
        }
        if (wants & PL_HTTP_WANT_SEND) {
            ptrdiff_t sent = send_some(p, now);
            if (sent < 0 && sent != PL_EAGAIN)
                return over(p, false);
            moved = sent > 0;
            waits |= HTTP_PUMP_WRITE;
        }
        if (wants & PL_HTTP_WANT_RECV) {
            int fed = feed_some(p, now);
            if (fed < 0)
                return over(p, false);
            moved = moved || fed > 0;
            waits |= HTTP_PUMP_READ;
        }
        if (!moved)
            return waits;
        if (p->sent_bytes >= turn_end)
            return waits | HTTP_PUMP_AGAIN;
    }
}

pl_time http_pump_deadline(const struct http_pump *p)
{
    return p->closed ? PL_NEVER : pl_http_server_deadline(p->engine);
}

void http_pump_end(struct http_pump *p)
{
    over(p, false);
}
