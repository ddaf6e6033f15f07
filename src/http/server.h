/* SPDX-License-Identifier: MIT
 *
 * server.h: the server engine of one connection, shared by server.c (what arrives), answer.c (what leaves) and server_time.c (deadlines).
 *
 * Three small machines side by side:
 *
 *   in:      IDLE --first byte--> HEAD --head good--> BODY --end of the body--> WHOLE --answer sent--> IDLE
 *            any --refusal, or an answer that ends the connection before the body was read--> DEAF (bytes are dropped, and counted)
 *   answer:  NONE --head good--> DUE --pl_http_server_answer--> SENDING | STREAM --all sent--> SENT --request WHOLE--> NONE
 *   life:    OPEN --last answer sent--> FINISHING --half-closed--> LINGER --peer's end, time, too many bytes--> CLOSED
 *            OPEN --the peer takes nothing--> ABORTED
 *
 * LINGER is RFC 9112 section 9.6: closing at once with unread bytes in the receive buffer would make TCP reset the connection, and the
 * reset may overtake the answer.
 */
#ifndef PARLEY_HTTP_SERVER_H
#define PARLEY_HTTP_SERVER_H

#include <parley/http.h>

#include "http/body.h"
#include "http/parse.h"

enum http_in { IN_IDLE = 0, IN_HEAD, IN_BODY, IN_WHOLE, IN_DEAF };
enum http_answer_state { ANSWER_NONE = 0, ANSWER_DUE, ANSWER_SENDING, ANSWER_STREAM, ANSWER_SENT };
enum http_life { LIFE_OPEN = 0, LIFE_FINISHING, LIFE_LINGER, LIFE_CLOSED, LIFE_ABORTED };

struct pl_http_server {
    struct pl_http_config config;
    struct http_parser parser;            /* with the head of the current request */
    struct http_body body;                /* of the current request */
    uint64_t body_at, body_end;           /* the caller's body: still to send */
    uint64_t requests;
    uint64_t drained;                     /* bytes dropped while DEAF */
    uint64_t moved_in, moved_out;         /* bytes since in_since, out_since */
    int64_t date;                         /* Unix seconds for the Date field */
    pl_time in_since;                     /* IDLE, HEAD, LINGER: when it began; BODY: begin of the current rate window */
    pl_time out_since;                    /* begin of the current rate window of sending */
    uint32_t out_at, out_end;             /* own bytes still to send: out[out_at, out_end) */
    uint8_t in;                           /* enum http_in */
    uint8_t answer;                       /* enum http_answer_state */
    uint8_t life;                         /* enum http_life */
    bool close_after;                     /* no further request after the current answer */
    bool eof;                             /* the peer has finished sending */
    bool chunked;                         /* STREAM: in chunks */
    bool chunk_open;                      /* STREAM: a chunk's CRLF is due behind its bytes */
    bool stream_over;                     /* STREAM: its end has been queued */
};

static inline char *server_mem(struct pl_http_server *s)
{
    return (char *)(s + 1);
}

static inline const char *server_mem_const(const struct pl_http_server *s)
{
    return (const char *)(s + 1);
}

static inline char *server_out(struct pl_http_server *s)
{
    return server_mem(s) + s->config.head_bytes_max;
}

static inline bool server_out_pending(const struct pl_http_server *s)
{
    return s->out_at < s->out_end || s->body_at < s->body_end;
}

/* answer.c: answers `status` and ends the connection. While another answer is under way, only ends the connection behind it. */
void server_refuse(struct pl_http_server *, int status, pl_time now);
/* server.c: goes on to the next request, or to the end, if the current one is over. */
void server_advance(struct pl_http_server *, pl_time now);

#endif
