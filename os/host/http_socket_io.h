/* SPDX-License-Identifier: MIT
 *
 * http_socket_io.h: a kernel socket as the byte stream of http_pump.h.
 */
#ifndef PARLEY_OS_HOST_HTTP_SOCKET_IO_H
#define PARLEY_OS_HOST_HTTP_SOCKET_IO_H

#include <sys/socket.h>

#include "os/host/http_pump.h"

struct http_socket {
    int fd;
    uint8_t *buffer;                      /* received, not consumed: [at, at + n) */
    size_t room, at, n;
};

extern const struct http_io http_socket_io;

/* Takes over a connected, non-blocking socket; `buffer` of `room` bytes stays the caller's. */
void http_socket_init(struct http_socket *, int fd, void *buffer, size_t room);
/* Fills a socket address from numeric text; its length, or 0. */
socklen_t http_socket_address(const char *address, uint16_t port, struct sockaddr_storage *);
/* The pl_error for an errno value. */
int http_socket_error(int error);
/* Milliseconds for poll() until the deadline, rounded up; -1: no end. */
int http_poll_ms(pl_time deadline, pl_time now);
pl_time http_clock(void);

#endif
