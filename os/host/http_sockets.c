/* SPDX-License-Identifier: MIT
 *
 * http_sockets.c: the server of http_sockets.h.
 */
#include "os/host/http_sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/host/http_socket_io.h"

#define CONNECTIONS_DEFAULT 256
#define CONNECTIONS_MAX     4096
#define RECV_BYTES          4096          /* per connection; what a request does not fill stays in the kernel */
#define ACCEPT_PAUSE        (100 * PL_MS) /* after the system ran out of descriptors */

struct connection {
    struct http_pump pump;
    struct http_socket socket;
    unsigned waits;                       /* enum http_pump_want of its last run */
    uint8_t received[RECV_BYTES];
    /* the engine's memory follows */
};

struct http_sockets {
    struct pl_http_config http;
    struct http_root root;
    struct http_pump_buffer buffer;
    int listener;
    uint16_t port;
    unsigned max, count;
    uint64_t requests;
    pl_time paused_until;                 /* no accept before */
    struct connection **connections;      /* [0, count) */
    struct pollfd *polls;                 /* stop, listener, then the connections */
};

static int listen_on(const struct http_sockets_params *params, uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t len = http_socket_address(params->address ? params->address : "127.0.0.1", params->port, &address);
    if (len == 0)
        return -EINVAL;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    /* The port lies at the same place in both families' addresses. */
    const uint8_t *bytes = (const uint8_t *)&address;
    *port = (uint16_t)(bytes[2] << 8 | bytes[3]);
    return fd;
}

int http_sockets_open(const struct http_sockets_params *params, struct http_sockets **out)
{
    struct http_sockets *s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    if (params->http)
        s->http = *params->http;
    else
        pl_http_config_default(&s->http, sizeof s->http);
    s->max = params->connections_max ? params->connections_max : CONNECTIONS_DEFAULT;
    s->listener = -1;
    s->root.fd = -1;
    int error =
        s->max > CONNECTIONS_MAX || pl_http_server_size(&s->http) == 0 ? -EINVAL : http_root_open(&s->root, params->dir, params->listing);
    if (error == 0) {
        s->connections = calloc(s->max, sizeof *s->connections);
        s->polls = calloc(s->max + 2, sizeof *s->polls);
        error = s->connections && s->polls ? 0 : -ENOMEM;
    }
    if (error == 0) {
        s->listener = listen_on(params, &s->port);
        error = s->listener < 0 ? s->listener : 0;
    }
    if (error != 0) {
        http_sockets_close(s);
        return error;
    }
    *out = s;
    return 0;
}

uint16_t http_sockets_port(const struct http_sockets *s)
{
    return s->port;
}

uint64_t http_sockets_requests(const struct http_sockets *s)
{
    return s->requests;
}

static bool add(struct http_sockets *s, int fd, pl_time now)
{
    size_t engine_bytes = pl_http_server_size(&s->http);
    size_t head = (sizeof(struct connection) + 7) & ~(size_t)7;
    struct connection *c = malloc(head + engine_bytes);
    if (!c)
        return false;
    http_socket_init(&c->socket, fd, c->received, sizeof c->received);
    pl_http_server *engine = pl_http_server_init((uint8_t *)c + head, engine_bytes, &s->http, now);
    http_pump_init(&c->pump, engine, &http_socket_io, &c->socket, &s->root, &s->buffer);
    c->waits = HTTP_PUMP_READ;
    s->connections[s->count++] = c;
    return true;
}

static void accept_some(struct http_sockets *s, pl_time now)
{
    while (s->count < s->max) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                s->paused_until = now + ACCEPT_PAUSE;
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return;
        }
        if (!add(s, fd, now)) {
            close(fd);
            s->paused_until = now + ACCEPT_PAUSE;
            return;
        }
    }
}

static void drop(struct http_sockets *s, unsigned i)
{
    http_pump_end(&s->connections[i]->pump);
    s->requests += pl_http_server_requests(s->connections[i]->pump.engine);
    free(s->connections[i]);
    s->connections[i] = s->connections[--s->count];
}

/* Fills s->polls; the earliest deadline. */
static pl_time prepare(struct http_sockets *s, int stop_fd, pl_time now)
{
    bool accepts = s->count < s->max && now >= s->paused_until;
    pl_time deadline = s->count < s->max && !accepts ? s->paused_until : PL_NEVER;
    s->polls[0] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
    s->polls[1] = (struct pollfd){.fd = accepts ? s->listener : -1, .events = POLLIN};
    for (unsigned i = 0; i < s->count; i++) {
        const struct connection *c = s->connections[i];
        pl_time own = c->waits & HTTP_PUMP_AGAIN ? now : http_pump_deadline(&c->pump);
        short events = (short)((c->waits & HTTP_PUMP_READ ? POLLIN : 0) | (c->waits & HTTP_PUMP_WRITE ? POLLOUT : 0));
        s->polls[i + 2] = (struct pollfd){.fd = c->socket.fd, .events = events};
        if (own < deadline)
            deadline = own;
    }
    return deadline;
}

int http_sockets_run(struct http_sockets *s, int stop_fd)
{
    for (;;) {
        pl_time now = http_clock(), deadline = prepare(s, stop_fd, now);
        if (poll(s->polls, s->count + 2, http_poll_ms(deadline, now)) < 0 && errno != EINTR)
            return -errno;
        if (s->polls[0].revents)
            return 0;
        now = http_clock();
        int64_t unix_s = time(NULL);
        for (unsigned i = s->count; i-- > 0;) {            /* backwards: drop() moves the last one, which has had its turn, into the gap */
            struct connection *c = s->connections[i];
            if (s->polls[i + 2].revents || (c->waits & HTTP_PUMP_AGAIN) || now >= http_pump_deadline(&c->pump)) {
                c->waits = http_pump_run(&c->pump, now, unix_s);
                if (c->waits & HTTP_PUMP_CLOSED)
                    drop(s, i);
            }
        }
        if (s->polls[1].revents)
            accept_some(s, now);
    }
}

void http_sockets_close(struct http_sockets *s)
{
    while (s->count > 0)
        drop(s, s->count - 1);
    if (s->listener >= 0)
        close(s->listener);
    http_root_close(&s->root);
    free(s->connections);
    free(s->polls);
    free(s);
}
