/* SPDX-License-Identifier: MIT
 *
 * nc_udp.c: stdin in datagrams to the peer, its datagrams to stdout. RFC 768.
 *
 * A read from stdin (a line, from a terminal) is a datagram, of at most what fits unfragmented into any path of IPv6. UDP has no end and no
 * connection: who listens answers to the first that is heard, and the end of stdin is told to nobody.
 */
#include "cli/nc.h"
#include <string.h>

#define DATAGRAM_BYTES 1232               /* 1280 (RFC 8200 section 5) without the headers of IPv6 and UDP */
#define TURN_DATAGRAMS 256

int nc_udp_begin(struct nc *nc, const struct pl_endpoint *remote, uint16_t port)
{
    if (remote) nc->peer = *remote;
    nc->connected = remote != NULL;
    return pl_udp_open(nc->host.stack, &(struct pl_endpoint){.port = remote ? nc->source_port : port}, 2, &nc->handle);
}

static bool pump_in(struct nc *nc)
{
    bool moved = false;
    for (int i = 0; i < TURN_DATAGRAMS && !nc->in_over; i++) {
        if (nc->n == 0) {
            ptrdiff_t n = standard_read(&nc->in, nc->buffer, DATAGRAM_BYTES);
            if (n == PL_EAGAIN) {
                nc_wait_in(nc);
                return moved;
            }
            if (n < 0) return nc_fail(nc, "cannot read stdin"), true;
            nc->in_over = n == 0;
            nc->n = (size_t)n;
            if (nc->in_over && cli_as_json) CLI_EVENT(stderr, "input-ended", {"sent_bytes", NULL, nc->sent});
            if (nc->in_over) return true;
        }
        int error = pl_udp_send(nc->host.stack, nc->handle, &nc->peer, nc->buffer, nc->n);
        if (error == PL_EAGAIN) return moved;          /* PL_EV_WRITABLE follows */
        if (error) {
            nc->error = error;
            nc->over = true;
            return true;
        }
        nc->sent += nc->n;
        nc->n = 0;
        moved = true;
    }
    return moved;
}

/* The first whom a listener hears is the peer. */
static bool from_peer(struct nc *nc, const struct pl_endpoint *from)
{
    char text[72];
    if (!nc->connected) {
        nc->connected = true;
        nc->peer = *from;
        pl_endpoint_text(from, text, sizeof text);
        if (cli_as_json) CLI_EVENT(stderr, "connected", {"remote", text, 0});
        else fprintf(stderr, "the peer is %s\n", text);
    }
    if (from->port == nc->peer.port && !memcmp(&from->addr, &nc->peer.addr, sizeof from->addr)) return true;
    nc->strangers++;
    return false;
}

static bool pump_out(struct nc *nc)
{
    struct pl_endpoint from;
    bool moved = false;
    for (int i = 0; i < TURN_DATAGRAMS; i++) {
        while (nc->out_at < nc->out_n) {
            ptrdiff_t n = standard_write(&nc->out, nc->pending + nc->out_at, nc->out_n - nc->out_at);
            if (n == PL_EAGAIN) {
                nc_wait_out(nc);
                return moved;
            }
            if (n < 0) return nc_fail(nc, "cannot write to stdout"), true;
            nc->out_at += (size_t)n;
            nc->received += (uint64_t)n;
            moved = true;
        }
        ptrdiff_t n = pl_udp_recv(nc->host.stack, nc->handle, &from, nc->pending, sizeof nc->pending);
        if (n == PL_EAGAIN) return moved;
        if (n < 0) {
            nc->error = (int)n;
            nc->over = true;
            return true;
        }
        nc->out_at = 0;
        nc->out_n = from_peer(nc, &from) ? (size_t)n : 0;
        moved = true;
    }
    return moved;
}

bool nc_udp_pump(struct nc *nc)
{
    if (!nc->handle || nc->over) return false;
    bool moved = pump_out(nc);
    if (nc->connected && !nc->over) moved |= pump_in(nc);
    return moved;
}
