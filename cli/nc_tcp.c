/* SPDX-License-Identifier: MIT
 *
 * nc_tcp.c: stdin to the connection, the connection to stdout. RFC 9293 section 3.10: SEND, RECEIVE, CLOSE of one direction.
 *
 * Each direction holds back the other end: while the send buffer is full stdin is not read, while stdout takes nothing the stack's receive buffer
 * fills and its window closes. So memory is bounded, and nothing is thrown away. The end of stdin becomes our FIN, the peer's FIN the end of stdout;
 * it is over when both directions have ended and the peer has everything.
 */
#include "cli/nc.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TURN_BYTES (1u << 20)             /* of one direction before the other, and the device, have their turn */

int nc_tcp_begin(struct nc *nc, const struct pl_endpoint *remote, uint16_t port)
{
    pl_stack *s = nc->host.stack;
    if (!remote) return pl_listen(s, &(struct pl_listen_params){.local = {.port = port}, .backlog = 1, .cookie = 1}, &nc->listener);
    struct pl_connect_params p = {.remote = *remote, .local = {.port = nc->source_port}, .cookie = 2};
    nc->peer = *remote;
    return pl_connect(s, &p, &nc->handle);
}

static void say_connected(struct nc *nc)
{
    struct pl_tcp_status status;
    char local[72], remote[72];
    nc->connected = true;
    pl_stack *s = nc->host.stack;
    if (cli_link.keepalive) pl_set(s, nc->handle, PL_OPT_KEEPALIVE, 1);
    if (pl_status(s, nc->handle, &status, sizeof status) < 0) return;
    pl_endpoint_text(&status.local, local, sizeof local);
    pl_endpoint_text(&status.remote, remote, sizeof remote);
    if (cli_as_json) CLI_EVENT(stderr, "connected", {"local", local, 0}, {"remote", remote, 0});
    else if (nc->listen) fprintf(stderr, "connected with %s\n", remote);
}

/* The first to come is the one; others are refused from then on. */
static void accept_one(struct nc *nc)
{
    pl_stack *s = nc->host.stack;
    if (pl_accept(s, nc->listener, &nc->handle, &nc->peer) < 0) return;
    pl_close(s, nc->listener);
    nc->listener = 0;
    say_connected(nc);
}

/* stdin to the send buffer. Whether anything moved. */
static bool pump_in(struct nc *nc)
{
    pl_stack *s = nc->host.stack;
    uint64_t end = nc->sent + TURN_BYTES;
    bool moved = false;
    while (!nc->finished && nc->sent < end) {
        if (nc->at == nc->n && nc->in_over) {
            nc->finished = true;
            pl_finish(s, nc->handle);
            if (cli_as_json) CLI_EVENT(stderr, "input-ended", {"sent_bytes", NULL, nc->sent});
            return true;
        }
        if (nc->at == nc->n) {
            ptrdiff_t n = standard_read(&nc->in, nc->buffer, sizeof nc->buffer);
            if (n == PL_EAGAIN) {
                nc_wait_in(nc);
                return moved;
            }
            if (n < 0) return nc_fail(nc, "cannot read stdin"), true;
            nc->at = 0;
            nc->n = (size_t)n;
            nc->in_over = n == 0;
            continue;
        }
        ptrdiff_t took = pl_send(s, nc->handle, nc->buffer + nc->at, nc->n - nc->at);
        if (took <= 0) return moved;      /* full: PL_EV_WRITABLE follows; or dead: the receiving side says of what */
        nc->at += (size_t)took;
        nc->sent += (uint64_t)took;
        moved = true;
    }
    return moved;
}

/* The receive buffer to stdout. */
static bool pump_out(struct nc *nc)
{
    pl_stack *s = nc->host.stack;
    uint64_t end = nc->received + TURN_BYTES;
    struct pl_span span;
    bool moved = false;
    while (!nc->peer_over && nc->received < end) {
        int r = pl_recv_peek(s, nc->handle, &span, 1);
        if (r == PL_EAGAIN) return moved;
        if (r < 0) {
            nc->error = r;
            nc->over = true;
            return true;
        }
        if (r == 0) {
            nc->peer_over = true;
            standard_unwatch(&nc->out, &nc->host.loop);
            standard_end(&nc->out);
            if (cli_as_json) CLI_EVENT(stderr, "peer-finished", {"received_bytes", NULL, nc->received});
            else if (!nc->in_over && isatty(STDIN_FILENO)) fputs("the peer has finished; Ctrl-D ends our direction too\n", stderr);
            return true;
        }
        ptrdiff_t n = standard_write(&nc->out, span.base, span.len);
        if (n == PL_EAGAIN) {
            nc_wait_out(nc);
            return moved;
        }
        if (n < 0) return nc_fail(nc, "cannot write to stdout"), true;
        pl_recv_consume(s, nc->handle, (size_t)n);
        nc->received += (uint64_t)n;
        moved = true;
    }
    return moved;
}

/* With our FIN acknowledged the peer has everything (TIME-WAIT counts as over); a connection that has died will not get further. */
static void look_whether_over(struct nc *nc)
{
    uint32_t ready = pl_ready(nc->host.stack, nc->handle);
    if (!nc->peer_over) return;
    if (ready & PL_EV_ERROR) nc->error = pl_error(nc->host.stack, nc->handle);
    if (ready & (PL_EV_ERROR | PL_EV_CLOSED)) nc->over = true;
}

bool nc_tcp_pump(struct nc *nc)
{
    if (nc->listener) accept_one(nc);
    if (!nc->handle || nc->over) return false;
    uint32_t ready = pl_ready(nc->host.stack, nc->handle);
    if (!nc->connected && ready & PL_EV_ERROR) {
        nc->error = pl_error(nc->host.stack, nc->handle);
        nc->over = true;
        return true;
    }
    if (!nc->connected) {
        if (!(ready & PL_EV_CONNECTED)) return false;
        say_connected(nc);
    }
    bool moved = pump_out(nc);
    if (!nc->over) moved |= pump_in(nc);
    if (!nc->over) look_whether_over(nc);
    return moved;
}
