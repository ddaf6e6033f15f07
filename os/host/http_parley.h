/* SPDX-License-Identifier: MIT
 *
 * http_parley.h: the HTTP engines on parley's own TCP: a connection as the byte stream of http_pump.h, and a server for many connections.
 *
 * The server is told of the stack's events by the program, which owns the loop:
 *
 *     http_parley_open(&params, &server);
 *     on events:    while (pl_event_next(stack, &e)) http_parley_event(server, &e, now);
 *                   busy = http_parley_run(server, now, unix_s);
 *     to sleep:     not beyond http_parley_deadline(server)
 */
#ifndef PARLEY_OS_HOST_HTTP_PARLEY_H
#define PARLEY_OS_HOST_HTTP_PARLEY_H

#include <parley/parley.h>

#include "os/host/http_pump.h"

/* The stream: a connection of a stack. */
struct http_parley_stream {
    pl_stack *stack;
    pl_conn conn;
};
extern const struct http_io http_parley_io;       /* conn: struct http_parley_stream * */

struct http_parley;

struct http_parley_answer {               /* for the access log */
    struct pl_endpoint remote;
    int status;
    uint64_t bytes;                       /* of the body */
    const char *method, *target;          /* of a refused request: "-"; the target cut to what fits */
    int minor;
};

struct http_parley_params {
    pl_stack *stack;
    struct pl_endpoint local;             /* as for pl_listen */
    const char *dir;                      /* the directory to serve */
    bool listing;                         /* list directories that have no index.html */
    unsigned connections_max;             /* further ones wait in the backlog; 0: 1024 */
    uint64_t cookie;                      /* connections get cookie + 1 ..., the listener cookie: no others may use these */
    const struct pl_http_config *http;    /* NULL: pl_http_config_default */
    void (*on_answer)(void *user, const struct http_parley_answer *);       /* may be NULL */
    /* A client is there, or is not any more; silent: because nothing was heard of it for too long. May be NULL. */
    void (*on_online)(void *user, const struct pl_endpoint *remote, bool online, bool silent);
    void *user;
};

/* Opens the directory and listens. 0 or a negative enum pl_error (PL_EIO: the directory; errno says more). */
int http_parley_open(const struct http_parley_params *, struct http_parley **out);
/* Whether the event was one of this server's; it is noted for the next http_parley_run. */
bool http_parley_event(struct http_parley *, const struct pl_event *);
/* Does what can be done. Returns whether anything was: then it wants to be called again before the program sleeps. */
bool http_parley_run(struct http_parley *, pl_time now, int64_t unix_s);
/* When http_parley_run is wanted at the latest; PL_NEVER. */
pl_time http_parley_deadline(const struct http_parley *);
unsigned http_parley_connections(const struct http_parley *);
uint64_t http_parley_requests(const struct http_parley *);                 /* answered so far */
/* No further connections; those that are idle end now, the others with the answer under way. */
void http_parley_shutdown(struct http_parley *, pl_time now);
/* Resets what is still open, and frees everything. */
void http_parley_close(struct http_parley *);

#endif
