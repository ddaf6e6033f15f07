/* SPDX-License-Identifier: MIT
 *
 * http_play.h: plays bytes into an HTTP engine and writes down, as one text, everything it reports and sends, so that a test compares a
 * whole conversation with one string.
 */
#ifndef PARLEY_TESTS_HTTP_PLAY_H
#define PARLEY_TESTS_HTTP_PLAY_H

#include <parley/http.h>

#include <stddef.h>

struct http_play {
    struct pl_http_config config;
    pl_http_server *server;               /* in guarded memory */
    pl_http_client *client;
    pl_time now;
    char log[1 << 16];                    /* events: "REQ GET /x 1.1 keep|", "BODY 5|" joined to runs, "END|", "REFUSED 400|", ... */
    size_t log_bytes;
    char sent[1 << 17];                   /* what the engine sent; the caller's body appears as the letters a to z by offset */
    size_t sent_bytes;
    size_t pending_body;                  /* BODY bytes not logged yet, so that the log does not depend on how input was cut */
    bool hold;                            /* do not answer requests */
    int answer_status;                    /* the answer to each request; 0: a file of answer_length bytes */
    uint64_t answer_length;
};

/* An engine with the default config, which `change` (or NULL) may alter first. */
void play_server(struct http_play *, void (*change)(struct pl_http_config *));
void play_client(struct http_play *, void (*change)(struct pl_http_config *));
void play_end(struct http_play *);

/* Feeds bytes in pieces of `step` (0: all at once), each ending at an unreadable page, answering and taking output as it comes. Returns
 * the bytes that were consumed. */
size_t play_feed(struct http_play *, const char *bytes, size_t n, size_t step);
/* Takes everything that the engine wants to send. */
void play_flush(struct http_play *);
/* Writes events of the client down. */
void play_event(struct http_play *, const struct pl_http_event *);
void play_log(struct http_play *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
