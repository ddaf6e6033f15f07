/* SPDX-License-Identifier: MIT
 *
 * http_sockets.h: the HTTP engines on the kernel's TCP: a server of a directory and a client, for tests, comparisons and demonstrations
 * against the kernel. One thread, poll(), bounded. Nothing here is needed to run them on parley.
 */
#ifndef PARLEY_OS_HOST_HTTP_SOCKETS_H
#define PARLEY_OS_HOST_HTTP_SOCKETS_H

#include <parley/http.h>

/* ---- server ---- */

struct http_sockets;

struct http_sockets_params {
    const char *address;                  /* numeric IPv4 or IPv6; NULL: "127.0.0.1" */
    uint16_t port;                        /* 0: any free one, see http_sockets_port */
    const char *dir;                      /* the directory to serve */
    bool listing;                         /* list directories that have no index.html */
    unsigned connections_max;             /* further ones wait in the kernel's backlog; 0: 256; at most 4096 */
    const struct pl_http_config *http;    /* NULL: pl_http_config_default */
};

/* Binds and listens; *out is then to be given to http_sockets_close. 0, or a negative errno value. */
int http_sockets_open(const struct http_sockets_params *, struct http_sockets **out);
uint16_t http_sockets_port(const struct http_sockets *);
/* Serves until stop_fd becomes readable or its other end is closed (as when the parent of a forked server ends). 0, or a negative errno. */
int http_sockets_run(struct http_sockets *, int stop_fd);
uint64_t http_sockets_requests(const struct http_sockets *);        /* answered on connections that are over */
/* Resets what is still open. */
void http_sockets_close(struct http_sockets *);

/* ---- client ---- */

struct http_get_params {
    const char *address;                  /* numeric IPv4 or IPv6 (with %zone) */
    uint16_t port;
    const char *host;                     /* for the Host field; NULL: made of address and port */
    const char *const *targets;           /* what to ask for, in this order; all are pipelined on one connection */
    unsigned target_count;                /* 1 to PL_HTTP_PIPELINE */
    int method;                           /* PL_HTTP_GET or PL_HTTP_HEAD */
    int minor;                            /* 0: HTTP/1.0 (then a single target) or 1 */
    const char *fields;                   /* NULL, or further field lines with CRLF */
    const struct pl_http_config *http;    /* NULL: pl_http_config_default */
    int (*on_event)(void *user, pl_http_client *, const struct pl_http_event *);    /* see struct http_fetch */
    void *user;
};

/* Connects, asks, and returns when the answers are complete or the connection is over. 0, or a negative enum pl_error: that of the
 * connection, of on_event, PL_EINVAL for a bad parameter, or PL_EIO when the server broke the rules (on_event was told). */
int http_sockets_get(const struct http_get_params *);

#endif
