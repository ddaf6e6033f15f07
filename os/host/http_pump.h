/* SPDX-License-Identifier: MIT
 *
 * http_pump.h: moves bytes between an HTTP engine and a byte stream, whatever the stream is: a connection of parley's or a kernel socket.
 *
 * Theory of operation. Nothing blocks and nothing is called back. The owner of a connection calls http_pump_run (http_fetch_run for a
 * client) whenever the stream may have become readable or writable, and when the deadline passes; the pump does all that can be done and
 * says what it waits for. The stream is reached through the few calls of struct http_io, which are those of TCP's user interface (RFC
 * 9293 section 3.10): receive, send, close our direction, close, abort. Bytes are received in place: looked at, then consumed as far as
 * the engine took them, so that requests which wait for their turn wait in the stream's own buffer, where they close the peer's window.
 */
#ifndef PARLEY_OS_HOST_HTTP_PUMP_H
#define PARLEY_OS_HOST_HTTP_PUMP_H

#include <parley/http.h>

#include "os/host/http_files.h"

/* A byte stream. All calls return at once; errors are negative enum pl_error. `conn` is the stream's own. */
struct http_io {
    /* What has arrived: 1: *span holds len > 0 bytes, which stay valid until recv_consume; 0: the peer has finished and everything was
     * consumed; PL_EAGAIN: nothing yet; another error: the connection failed. */
    int (*recv_peek)(void *conn, struct pl_span *span);
    int (*recv_consume)(void *conn, size_t n);
    /* Takes bytes of the n spans in order; how many, > 0, or PL_EAGAIN: none now. The bytes are copied, or gone, when it returns. */
    ptrdiff_t (*send)(void *conn, const struct pl_span *spans, int n);
    /* How many bytes send would take now, about; NULL: not known. Saves reading from a file what cannot be sent. */
    size_t (*send_room)(void *conn);
    int (*finish)(void *conn);            /* our direction is over (FIN); receiving goes on */
    void (*close)(void *conn);            /* both directions are over; conn is not used any more */
    void (*abort)(void *conn);            /* the same, by a reset */
};

enum http_pump_want {
    HTTP_PUMP_READ = 1,                   /* run again when the stream is readable */
    HTTP_PUMP_WRITE = 2,                  /* run again when the stream is writable */
    HTTP_PUMP_AGAIN = 4,                  /* run again soon: the share of this turn is used up */
    HTTP_PUMP_CLOSED = 8,                 /* over: io->close or io->abort was called */
    HTTP_PUMP_IDLE = 16,                  /* client: nothing is pending; queue a request, or end it with http_fetch_end */
};

#define HTTP_PUMP_READ_BYTES (64 * 1024)  /* a file is read in such pieces */
#define HTTP_PUMP_TURN_BYTES (1024 * 1024) /* sent by one connection before others have their turn */

/* A piece of a file on its way out; one buffer serves all connections of a thread. Zero-initialise. */
struct http_pump_buffer {
    const void *owner;                    /* the pump whose content this is */
    uint64_t at;
    size_t n;
    uint8_t bytes[HTTP_PUMP_READ_BYTES];
};

/* ---- the server's side ---- */

struct http_pump {
    pl_http_server *engine;
    const struct http_io *io;
    void *conn;
    const struct http_root *root;
    struct http_pump_buffer *buffer;
    struct http_content content;          /* of the answer under way */
    uint64_t sent_bytes;
    bool closed;
    /* Told of each answer as it begins, for the access log; may be set after http_pump_init. The request is pl_http_server_head, of which
     * nothing is left when it was refused; `bytes`: of the body to come. */
    void (*on_answer)(struct http_pump *, int status, uint64_t bytes, bool refused);
};

/* Everything is borrowed from the caller for the life of the pump. */
void http_pump_init(struct http_pump *, pl_http_server *engine, const struct http_io *, void *conn, const struct http_root *,
                    struct http_pump_buffer *);
/* Does what can be done; enum http_pump_want. unix_s: the date for answers. */
unsigned http_pump_run(struct http_pump *, pl_time now, int64_t unix_s);
pl_time http_pump_deadline(const struct http_pump *);
/* Aborts the connection if it is not closed yet, and releases the file under way. */
void http_pump_end(struct http_pump *);

/* ---- the client's side ---- */

struct http_fetch {
    pl_http_client *engine;
    const struct http_io *io;
    void *conn;
    /* Told of each event, with `user`. Returns 0, or negative to end the fetch (the connection is aborted). */
    int (*on_event)(void *user, pl_http_client *, const struct pl_http_event *);
    void *user;
    uint64_t received_bytes;
    int error;                            /* 0, or the enum pl_error of the stream, or what on_event returned */
    bool closed, eof;
};

void http_fetch_init(struct http_fetch *, pl_http_client *engine, const struct http_io *, void *conn,
                     int (*on_event)(void *, pl_http_client *, const struct pl_http_event *), void *user);
unsigned http_fetch_run(struct http_fetch *, pl_time now);
pl_time http_fetch_deadline(const struct http_fetch *);
/* Ends the connection: in good order when nothing is pending, else by a reset. */
void http_fetch_end(struct http_fetch *);

#endif
