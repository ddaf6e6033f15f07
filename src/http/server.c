/* SPDX-License-Identifier: MIT
 *
 * server.c: the server engine: received bytes become events. RFC 9112 sections 6.3, 9.3 (persistence), 9.3.2 (pipelining), 9.6 (tear-down);
 * RFC 1945. The states: server.h.
 */
#include "http/server.h"

#include <string.h>

#include "http/config.h"

size_t pl_http_server_size(const struct pl_http_config *config)
{
    if (!http_config_valid(config))
        return 0;
    return (sizeof(struct pl_http_server) + config->head_bytes_max + config->out_bytes + 7) & ~(size_t)7;
}

pl_http_server *pl_http_server_init(void *mem, size_t bytes, const struct pl_http_config *config, pl_time now)
{
    size_t need = pl_http_server_size(config);
    if (need == 0 || !mem || bytes < need || (uintptr_t)mem % 8 != 0)
        return NULL;
    struct pl_http_server *s = mem;
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->date = PL_HTTP_NO_DATE;
    s->in_since = now;
    http_parser_reset(&s->parser, false);
    return s;
}

/* The current request is over when it was read to its end (or will not be read) and its answer was sent. */
void server_advance(struct pl_http_server *s, pl_time now)
{
    if (s->life != LIFE_OPEN || s->answer != ANSWER_SENT || (s->in != IN_WHOLE && s->in != IN_DEAF))
        return;
    if (s->close_after || s->eof || s->in == IN_DEAF) {
        s->life = LIFE_FINISHING;
        s->in = IN_DEAF;
        return;
    }
    s->in = IN_IDLE;
    s->answer = ANSWER_NONE;
    s->in_since = now;
    http_parser_reset(&s->parser, false);
}

static void report(struct pl_http_event *event, int kind, int status)
{
    event->kind = (uint8_t)kind;
    event->status = (uint16_t)status;
}

static void refuse(struct pl_http_server *s, int status, pl_time now, struct pl_http_event *event)
{
    server_refuse(s, status, now);
    report(event, PL_HTTP_REFUSED, status);
}

static size_t feed_head(struct pl_http_server *s, const char *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    size_t used;
    if (s->in == IN_IDLE) {
        s->in = IN_HEAD;
        s->in_since = now;
    }
    int r = http_parser_feed(&s->parser, &s->config, server_mem(s), bytes, n, &used);
    if (r == HTTP_MORE)
        return used;
    s->requests++;
    const struct pl_http_head *head = &s->parser.head;
    if (r != HTTP_DONE) {
        refuse(s, r, now, event);
    } else if (head->framing == PL_HTTP_BODY_LENGTH && head->content_length > s->config.body_bytes_max) {
        refuse(s, 413, now, event);
    } else {
        http_body_reset(&s->body, head->framing, head->content_length, s->config.body_bytes_max);
        s->in = IN_BODY;
        s->in_since = now;
        s->moved_in = 0;
        s->answer = ANSWER_DUE;
        report(event, PL_HTTP_REQUEST, 0);
    }
    return used;
}

static size_t feed_body(struct pl_http_server *s, const char *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    size_t used, data;
    int r = http_body_feed(&s->body, bytes, n, &used, &data);
    s->moved_in += used;
    if (r == HTTP_BODY_BAD) {
        refuse(s, 400, now, event);
    } else if (r == HTTP_BODY_TOO_LARGE) {
        refuse(s, 413, now, event);
    } else if (r == HTTP_BODY_DATA) {
        report(event, PL_HTTP_BODY, 0);
        event->body = bytes + used - data;
        event->body_bytes = data;
    } else if (r == HTTP_BODY_END) {
        s->in = IN_WHOLE;
        report(event, PL_HTTP_REQUEST_END, 0);
        server_advance(s, now);
    }
    return used;
}

size_t pl_http_server_feed(pl_http_server *s, const void *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    memset(event, 0, sizeof *event);
    switch (s->in) {
    case IN_IDLE:
        return n > 0 ? feed_head(s, bytes, n, now, event) : 0;
    case IN_HEAD:
        return feed_head(s, bytes, n, now, event);
    case IN_BODY:
        return feed_body(s, bytes, n, now, event);
    case IN_DEAF:
        s->drained += n;
        if (s->life == LIFE_LINGER && s->drained > s->config.discard_bytes_max)
            s->life = LIFE_CLOSED;
        return n;
    default:
        return 0;                         /* WHOLE: what comes now is a later request */
    }
}

void pl_http_server_eof(pl_http_server *s, pl_time now)
{
    s->eof = true;
    if (s->life == LIFE_LINGER)
        s->life = LIFE_CLOSED;
    if (s->life != LIFE_OPEN)
        return;
    bool cut_off = s->in == IN_HEAD || (s->in == IN_BODY && s->body.framing != PL_HTTP_BODY_NONE);
    if (s->in == IN_IDLE || cut_off) {
        /* RFC 9112 8: an incomplete request gets no answer, unless one is under way already. */
        s->in = IN_DEAF;
        if (s->answer == ANSWER_NONE || s->answer == ANSWER_DUE)
            s->answer = ANSWER_SENT;
        if (s->answer == ANSWER_SENT)
            s->out_at = s->out_end = 0;   /* a 100 that nobody waits for any more */
    }
    server_advance(s, now);
}

void pl_http_server_date(pl_http_server *s, int64_t unix_s)
{
    s->date = unix_s;
}

const struct pl_http_head *pl_http_server_head(const pl_http_server *s)
{
    return &s->parser.head;
}

const char *pl_http_server_text(const pl_http_server *s, struct pl_http_text text, size_t *len)
{
    *len = text.len;
    return server_mem_const(s) + text.at;
}

bool pl_http_server_field(const pl_http_server *s, uint16_t *cursor, struct pl_http_text *name, struct pl_http_text *value)
{
    return s->parser.head.bytes > 0 && http_field_next(&s->parser.head, server_mem_const(s), cursor, name, value);
}

static bool may_receive(const struct pl_http_server *s)
{
    if (s->eof || s->in == IN_WHOLE)
        return false;
    return s->in != IN_DEAF || s->drained <= s->config.discard_bytes_max;
}

unsigned pl_http_server_wants(const pl_http_server *s)
{
    switch (s->life) {
    case LIFE_FINISHING:
        return PL_HTTP_WANT_FINISH;
    case LIFE_LINGER:
        return PL_HTTP_WANT_RECV;
    case LIFE_CLOSED:
        return PL_HTTP_WANT_CLOSE;
    case LIFE_ABORTED:
        return PL_HTTP_WANT_ABORT;
    default:
        break;
    }
    unsigned wants = may_receive(s) ? PL_HTTP_WANT_RECV : 0;
    if (server_out_pending(s))
        wants |= PL_HTTP_WANT_SEND;
    else if (s->answer == ANSWER_STREAM)
        wants |= PL_HTTP_WANT_BODY;
    if (s->answer == ANSWER_DUE)
        wants |= PL_HTTP_WANT_ANSWER;
    return wants;
}

void pl_http_server_finished(pl_http_server *s, pl_time now)
{
    if (s->life != LIFE_FINISHING)
        return;
    s->life = s->eof || s->drained > s->config.discard_bytes_max ? LIFE_CLOSED : LIFE_LINGER;
    s->in_since = now;
}

uint64_t pl_http_server_requests(const pl_http_server *s)
{
    return s->requests;
}
