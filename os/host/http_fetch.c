/* SPDX-License-Identifier: MIT
 *
 * http_fetch.c: the client's side of http_pump.h.
 */
#include "os/host/http_pump.h"

#define TURN_BYTES (4u << 20)             /* received before others have their turn */

void http_fetch_init(struct http_fetch *f, pl_http_client *engine, const struct http_io *io, void *conn,
                     int (*on_event)(void *, pl_http_client *, const struct pl_http_event *), void *user)
{
    *f = (struct http_fetch){.engine = engine, .io = io, .conn = conn, .on_event = on_event, .user = user};
}

static unsigned over(struct http_fetch *f, bool in_order, int error)
{
    if (!f->closed) {
        f->error = error;
        if (in_order)
            f->io->close(f->conn);
        else
            f->io->abort(f->conn);
    }
    f->closed = true;
    return HTTP_PUMP_CLOSED;
}

static int send_some(struct http_fetch *f, pl_time now)
{
    struct pl_http_out out;
    pl_http_client_out(f->engine, &out);
    struct pl_span span = {(void *)(uintptr_t)out.own, out.own_bytes};
    ptrdiff_t sent = f->io->send(f->conn, &span, 1);
    if (sent > 0)
        pl_http_client_sent(f->engine, (uint64_t)sent, now);
    return sent > 0 ? 1 : (int)sent;
}

/* What the peer's end means: first what the engine makes of it, then the stream's own error. */
static int feed_some(struct http_fetch *f, pl_time now)
{
    struct pl_http_event event;
    struct pl_span span = {NULL, 0};
    int r = f->io->recv_peek(f->conn, &span);
    size_t used = pl_http_client_feed(f->engine, span.base, span.len, now, &event);
    if (event.kind == PL_HTTP_NONE && used == 0 && r <= 0 && r != PL_EAGAIN) {
        if (r < 0)
            return r;
        f->eof = true;
        pl_http_client_eof(f->engine, now, &event);
    }
    f->received_bytes += used;
    int told = event.kind != PL_HTTP_NONE ? f->on_event(f->user, f->engine, &event) : 0;
    if (used > 0)
        f->io->recv_consume(f->conn, used);
    return told < 0 ? told : used > 0 || event.kind != PL_HTTP_NONE || f->eof ? 1 : 0;
}

unsigned http_fetch_run(struct http_fetch *f, pl_time now)
{
    struct pl_http_event event;
    uint64_t turn_end = f->received_bytes + TURN_BYTES;
    if (f->closed)
        return HTTP_PUMP_CLOSED;
    pl_http_client_time(f->engine, now, &event);
    if (event.kind != PL_HTTP_NONE)
        f->on_event(f->user, f->engine, &event);
    for (;;) {
        unsigned wants = pl_http_client_wants(f->engine), waits = 0;
        bool moved = false;
        if (wants & (PL_HTTP_WANT_CLOSE | PL_HTTP_WANT_ABORT))
            return over(f, wants & PL_HTTP_WANT_CLOSE, 0);
        if (wants & PL_HTTP_WANT_SEND) {
            int sent = send_some(f, now);
            /* A server may answer and close before it has read everything: what it said is still to be read. */
            if (sent < 0 && sent != PL_EAGAIN && sent != PL_EPIPE)
                return over(f, false, sent);
            moved = sent > 0;
            waits |= sent == PL_EPIPE ? 0 : HTTP_PUMP_WRITE;
        }
        if (wants & PL_HTTP_WANT_RECV) {
            int fed = feed_some(f, now);
            if (fed < 0)
                return over(f, false, fed);
            moved = moved || fed > 0;
            waits |= HTTP_PUMP_READ;
        }
        if (!moved)
            return waits | (pl_http_client_reusable(f->engine) ? HTTP_PUMP_IDLE : 0u);
        if (f->received_bytes >= turn_end)
            return waits | HTTP_PUMP_AGAIN;
    }
}

pl_time http_fetch_deadline(const struct http_fetch *f)
{
    return f->closed ? PL_NEVER : pl_http_client_deadline(f->engine);
}

void http_fetch_end(struct http_fetch *f)
{
    over(f, pl_http_client_reusable(f->engine), f->error);
}
