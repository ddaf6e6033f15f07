/* SPDX-License-Identifier: MIT
 *
 * http_get.c: the client of http_sockets.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/host/http_socket_io.h"
#include "os/host/http_sockets.h"

#define RECV_BYTES (64 * 1024)

struct get {
    const struct http_get_params *params;
    struct http_fetch fetch;
    struct http_socket socket;
    unsigned answers;
    bool broken;
    uint8_t received[RECV_BYTES];
    uint64_t engine[];
};

static int note_event(void *user, pl_http_client *client, const struct pl_http_event *event)
{
    struct get *g = user;
    g->answers += event->kind == PL_HTTP_RESPONSE_END;
    g->broken = g->broken || event->kind == PL_HTTP_BROKEN;
    return g->params->on_event ? g->params->on_event(g->params->user, client, event) : 0;
}

static int queue_requests(pl_http_client *client, const struct http_get_params *p, pl_time now)
{
    char host[80];
    const char *brackets[2] = {strchr(p->address, ':') ? "[" : "", strchr(p->address, ':') ? "]" : ""};
    /* RFC 6874: a zone means nothing to the server. */
    snprintf(host, sizeof host, "%s%.*s%s:%u", brackets[0], (int)strcspn(p->address, "%"), p->address, brackets[1], p->port);
    for (unsigned i = 0; i < p->target_count; i++) {
        struct pl_http_request r = {.method = p->method,
                                    .minor = p->minor,
                                    .close = i + 1 == p->target_count,
                                    .host = p->host ? p->host : host,
                                    .target = p->targets[i],
                                    .fields = p->fields};
        int error = pl_http_client_request(client, &r, now);
        if (error < 0)
            return error == PL_EAGAIN ? PL_EMSGSIZE : error;
    }
    return PL_OK;
}

/* A socket that is on its way to be connected; or a negative pl_error. */
static int start_connect(const struct http_get_params *p)
{
    struct sockaddr_storage address;
    socklen_t len = http_socket_address(p->address, p->port, &address);
    if (len == 0)
        return PL_EINVAL;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return PL_EIO;
    if (connect(fd, (struct sockaddr *)&address, len) != 0 && errno != EINPROGRESS) {
        int error = http_socket_error(errno);
        close(fd);
        return error;
    }
    return fd;
}

/* Waits for connect() to end; 0 or a negative pl_error. */
static int await_connect(int fd, pl_time deadline)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int r, error = 0;
    do {
        r = poll(&poll_fd, 1, http_poll_ms(deadline, http_clock()));
    } while (r < 0 && errno == EINTR);
    if (r <= 0)
        return r == 0 ? PL_ETIMEDOUT : PL_EIO;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    return error ? http_socket_error(error) : PL_OK;
}

static void transfer(struct get *g)
{
    for (;;) {
        unsigned waits = http_fetch_run(&g->fetch, http_clock());
        if (waits & (HTTP_PUMP_CLOSED | HTTP_PUMP_IDLE))
            return;
        short events = (short)((waits & HTTP_PUMP_READ ? POLLIN : 0) | (waits & HTTP_PUMP_WRITE ? POLLOUT : 0));
        struct pollfd poll_fd = {.fd = g->socket.fd, .events = events};
        poll(&poll_fd, 1, waits & HTTP_PUMP_AGAIN ? 0 : http_poll_ms(http_fetch_deadline(&g->fetch), http_clock()));
    }
}

int http_sockets_get(const struct http_get_params *params)
{
    struct pl_http_config config;
    pl_http_config_default(&config, sizeof config);
    if (params->http)
        config = *params->http;
    else
        config.out_bytes = 32768;         /* all requests of a full pipeline */
    size_t engine_bytes = pl_http_client_size(&config);
    struct get *g = engine_bytes ? malloc(sizeof *g + engine_bytes) : NULL;
    if (!g)
        return engine_bytes ? PL_ENOMEM : PL_EINVAL;
    memset(g, 0, offsetof(struct get, received));
    g->params = params;
    pl_http_client *client = pl_http_client_init(g->engine, engine_bytes, &config, http_clock());
    int r = params->target_count > 0 ? queue_requests(client, params, http_clock()) : PL_EINVAL;
    int fd = r < 0 ? r : start_connect(params);
    if (fd >= 0) {
        http_socket_init(&g->socket, fd, g->received, sizeof g->received);
        http_fetch_init(&g->fetch, client, &http_socket_io, &g->socket, note_event, g);
        r = await_connect(fd, http_clock() + (config.answer_ns ? config.answer_ns : 3600 * PL_S));
        if (r == 0)
            transfer(g);
        http_fetch_end(&g->fetch);
        if (r == 0 && g->answers < params->target_count)
            r = g->fetch.error ? g->fetch.error : g->broken ? PL_EIO : PL_ECONNRESET;
    } else {
        r = fd;
    }
    free(g);
    return r;
}
