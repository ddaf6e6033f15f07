/* SPDX-License-Identifier: MIT
 *
 * client.c: the client engine: received bytes become answers, matched to requests by their order. RFC 9112 sections 4, 6.3, 8, 9; RFC 1945
 * section 6. States: client.h.
 */
#include "http/client.h"

#include <string.h>

#include "http/config.h"

size_t pl_http_client_size(const struct pl_http_config *config)
{
    if (!http_config_valid(config))
        return 0;
    return (sizeof(struct pl_http_client) + config->head_bytes_max + config->out_bytes + 7) & ~(size_t)7;
}

pl_http_client *pl_http_client_init(void *mem, size_t bytes, const struct pl_http_config *config, pl_time now)
{
    size_t need = pl_http_client_size(config);
    if (need == 0 || !mem || bytes < need || (uintptr_t)mem % 8 != 0)
        return NULL;
    struct pl_http_client *c = mem;
    memset(c, 0, sizeof *c);
    c->config = *config;
    c->since = now;
    http_parser_reset(&c->parser, true);
    return c;
}

static void broken(struct pl_http_client *c, int fault, struct pl_http_event *event)
{
    c->in = CLIENT_BROKEN;
    c->out_at = c->out_end = 0;
    event->kind = PL_HTTP_BROKEN;
    event->fault = (uint8_t)fault;
}

/* A refusal of the parser, in the client's words. */
static int fault_of(int refusal)
{
    switch (refusal) {
    case HTTP_BAD_VERSION:
        return PL_HTTP_F_VERSION;
    case HTTP_LINE_TOO_LONG:
    case HTTP_HEAD_TOO_LARGE:
        return PL_HTTP_F_TOO_LARGE;
    case HTTP_BAD_FRAMING:
        return PL_HTTP_F_FRAMING;
    default:
        return PL_HTTP_F_SYNTAX;
    }
}

static void response_end(struct pl_http_client *c, pl_time now, struct pl_http_event *event)
{
    const struct pl_http_head *head = &c->parser.head;
    event->kind = PL_HTTP_RESPONSE_END;
    event->status = head->status;
    c->ring_at = (uint8_t)((c->ring_at + 1) % PL_HTTP_PIPELINE);
    c->ring_count--;
    c->since = now;
    /* RFC 9112 9.3: after "close", or without "keep-alive" in 1.0, no further answer follows; 9.3.2: what is unanswered may be asked
     * again on another connection, for GET and HEAD are idempotent. */
    bool over = !(head->flags & PL_HTTP_H_PERSIST) || (c->last_queued && c->ring_count == 0);
    c->in = over ? CLIENT_OVER : CLIENT_HEAD;
    if (over)
        c->out_at = c->out_end = 0;
    else
        http_parser_reset(&c->parser, true);
}

static void response_head(struct pl_http_client *c, pl_time now, struct pl_http_event *event)
{
    struct pl_http_head *head = &c->parser.head;
    if (head->status == 101) {            /* RFC 9110 15.2.2: never without an Upgrade of ours */
        broken(c, PL_HTTP_F_SYNTAX, event);
        return;
    }
    if (head->status < 200) {             /* RFC 9110 15.2: any number of interim answers comes before the final one */
        http_parser_reset(&c->parser, true);
        return;
    }
    /* RFC 9112 6.3 item 1 */
    if (c->ring[c->ring_at] == PL_HTTP_HEAD)
        head->framing = PL_HTTP_BODY_NONE;
    http_body_reset(&c->body, head->framing, head->content_length, UINT64_MAX);
    c->in = CLIENT_BODY;
    c->moved_in = 0;
    c->since = now;
    event->kind = PL_HTTP_RESPONSE;
    event->status = head->status;
}

static size_t feed_head(struct pl_http_client *c, const char *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    size_t at = 0;
    while (at < n && event->kind == PL_HTTP_NONE) {
        size_t used;
        /* RFC 9112 9.2: bytes that answer no request are no response; reading them as one later would be response splitting. */
        if (c->ring_count == 0) {
            broken(c, PL_HTTP_F_UNASKED, event);
            return n;
        }
        int r = http_parser_feed(&c->parser, &c->config, client_mem(c), bytes + at, n - at, &used);
        at += used;
        if (r == HTTP_DONE)
            response_head(c, now, event);
        else if (r != HTTP_MORE)
            broken(c, fault_of(r), event);
    }
    return at;
}

static size_t feed_body(struct pl_http_client *c, const char *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    size_t used, data;
    int r = http_body_feed(&c->body, bytes, n, &used, &data);
    c->moved_in += used;
    if (r == HTTP_BODY_BAD) {
        broken(c, PL_HTTP_F_FRAMING, event);
    } else if (r == HTTP_BODY_END) {
        response_end(c, now, event);
    } else if (r == HTTP_BODY_DATA) {
        event->kind = PL_HTTP_BODY;
        event->body = bytes + used - data;
        event->body_bytes = data;
    }
    return used;
}

size_t pl_http_client_feed(pl_http_client *c, const void *bytes, size_t n, pl_time now, struct pl_http_event *event)
{
    memset(event, 0, sizeof *event);
    switch (c->in) {
    case CLIENT_HEAD:
        return feed_head(c, bytes, n, now, event);
    case CLIENT_BODY:
        return feed_body(c, bytes, n, now, event);
    default:
        return n;                         /* over or broken: what comes now answers nothing */
    }
}

void pl_http_client_eof(pl_http_client *c, pl_time now, struct pl_http_event *event)
{
    memset(event, 0, sizeof *event);
    if (c->in == CLIENT_BODY) {
        /* RFC 9112 8: only a body without a length of its own is complete now. */
        if (c->body.framing != PL_HTTP_BODY_UNTIL_CLOSE && c->body.framing != PL_HTTP_BODY_NONE) {
            broken(c, PL_HTTP_F_TRUNCATED, event);
            return;
        }
        c->parser.head.flags &= (uint8_t)~PL_HTTP_H_PERSIST;
        response_end(c, now, event);
        return;
    }
    if (c->in != CLIENT_HEAD)
        return;
    if (c->parser.at > 0)
        broken(c, PL_HTTP_F_TRUNCATED, event);
    else if (c->ring_count > 0)
        broken(c, PL_HTTP_F_UNANSWERED, event);
    else
        c->in = CLIENT_OVER;
}

const struct pl_http_head *pl_http_client_head(const pl_http_client *c)
{
    return &c->parser.head;
}

const char *pl_http_client_text(const pl_http_client *c, struct pl_http_text text, size_t *len)
{
    *len = text.len;
    return client_mem_const(c) + text.at;
}

bool pl_http_client_field(const pl_http_client *c, uint16_t *cursor, struct pl_http_text *name, struct pl_http_text *value)
{
    return c->parser.head.bytes > 0 && http_field_next(&c->parser.head, client_mem_const(c), cursor, name, value);
}

unsigned pl_http_client_wants(const pl_http_client *c)
{
    if (c->in == CLIENT_BROKEN)
        return PL_HTTP_WANT_ABORT;
    if (c->in == CLIENT_OVER)
        return PL_HTTP_WANT_CLOSE;
    return PL_HTTP_WANT_RECV | (c->out_at < c->out_end ? PL_HTTP_WANT_SEND : 0u);
}

pl_time pl_http_client_deadline(const pl_http_client *c)
{
    if (c->in == CLIENT_BODY)
        return http_deadline(c->since, c->config.rate_ns);
    return c->in == CLIENT_HEAD && c->ring_count > 0 ? http_deadline(c->since, c->config.answer_ns) : PL_NEVER;
}

void pl_http_client_time(pl_http_client *c, pl_time now, struct pl_http_event *event)
{
    memset(event, 0, sizeof *event);
    if (now < pl_http_client_deadline(c))
        return;
    if (c->in == CLIENT_BODY && c->moved_in >= c->config.rate_bytes_min) {
        c->since = now;
        c->moved_in = 0;
        return;
    }
    broken(c, PL_HTTP_F_TIMEOUT, event);
}

unsigned pl_http_client_unanswered(const pl_http_client *c)
{
    return c->ring_count;
}

bool pl_http_client_reusable(const pl_http_client *c)
{
    return c->in == CLIENT_HEAD && c->ring_count == 0 && c->parser.at == 0 && !c->last_queued;
}
