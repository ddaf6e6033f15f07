/* SPDX-License-Identifier: MIT
 *
 * answer.c: the server engine: what leaves. Composes heads, the texts of errors and chunk lines; keeps count of what the transport took.
 * RFC 9110 sections 6.6, 8 and 15, RFC 9112 sections 4, 6, 7.1 and 9.
 */
#include <string.h>

#include "http/chars.h"
#include "http/compose.h"
#include "http/conditions.h"
#include "http/server.h"

#define TEXT_BYTES_MAX 4096               /* of one text in an answer */

/* An answer as it will be sent. */
struct reply {
    int status;
    uint64_t from, to;                    /* the caller's body */
    bool streamed;                        /* of unknown length */
    bool own_text;                        /* the body is the status and its name */
    bool persist;
    const struct pl_http_answer *fields;
};

static bool text_valid(const char *s)
{
    if (!s)
        return true;
    size_t n = http_cstr(s, TEXT_BYTES_MAX);
    return n > 0 && n <= TEXT_BYTES_MAX && http_is_value(s, n);
}

static bool answer_valid(const struct pl_http_answer *a)
{
    return a && a->status >= 200 && a->status <= 599 && text_valid(a->etag) && text_valid(a->content_type) && text_valid(a->location) &&
           text_valid(a->allow) && (!a->ranges || a->length != PL_HTTP_LENGTH_UNKNOWN);
}

/* RFC 9110 6.4.1, 15.3.5, 15.4.5: these never have content. */
static bool bodyless(int status)
{
    return status == 204 || status == 304;
}

/* What is left of the request's body can be skipped, or there is nothing left. */
static bool body_skippable(const struct pl_http_server *s)
{
    if (s->in != IN_BODY || s->body.framing == PL_HTTP_BODY_NONE)
        return s->in != IN_DEAF;
    /* RFC 9110 10.1.1: who waits for a 100 and gets a final answer may or may not send the body. */
    if (s->parser.head.flags & PL_HTTP_H_EXPECT)
        return false;
    return s->body.framing == PL_HTTP_BODY_LENGTH && s->body.left <= s->config.discard_bytes_max;
}

static bool may_persist(const struct pl_http_server *s, const struct reply *r)
{
    const struct pl_http_head *head = &s->parser.head;
    if (!(head->flags & PL_HTTP_H_PERSIST) || s->close_after || s->eof || r->fields->close || !body_skippable(s))
        return false;
    if (s->config.requests_max > 0 && s->requests >= s->config.requests_max)
        return false;
    /* RFC 1945 7.2.2: in HTTP/1.0 only the end of the connection ends a body of unknown length. */
    return !(r->streamed && head->minor == 0 && head->method != PL_HTTP_HEAD);
}

static void put_field(struct http_writer *w, const char *name_and_colon, const char *value)
{
    if (!value)
        return;
    http_put_cstr(w, name_and_colon);
    http_put_cstr(w, value);
    HTTP_PUT(w, "\r\n");
}

static void put_length(struct http_writer *w, const struct reply *r, uint64_t bytes)
{
    /* RFC 9110 8.6: no Content-Length in a 204; in a 304 it would have to be that of the 200. */
    if (bodyless(r->status))
        return;
    HTTP_PUT(w, "Content-Length: ");
    http_put_decimal(w, bytes);
    HTTP_PUT(w, "\r\n");
}

/* RFC 9110 14.4 */
static void put_content_range(struct http_writer *w, const struct reply *r)
{
    if (r->status != 206 && (r->status != 416 || !r->fields->ranges))
        return;
    HTTP_PUT(w, "Content-Range: bytes ");
    if (r->status == 206) {
        http_put_decimal(w, r->from);
        HTTP_PUT(w, "-");
        http_put_decimal(w, r->to - 1);
    } else {
        HTTP_PUT(w, "*");
    }
    HTTP_PUT(w, "/");
    http_put_decimal(w, r->fields->length);
    HTTP_PUT(w, "\r\n");
}

static size_t own_text_bytes(int status)
{
    return 4 + http_cstr(pl_http_reason(status), 64) + 1;
}

static void put_own_text(struct http_writer *w, int status)
{
    http_put_decimal(w, (uint64_t)status);
    HTTP_PUT(w, " ");
    http_put_cstr(w, pl_http_reason(status));
}

static void put_body_fields(struct http_writer *w, const struct pl_http_head *request, const struct reply *r)
{
    if (r->own_text) {
        HTTP_PUT(w, "Content-Type: text/plain; charset=utf-8\r\n");
        put_length(w, r, own_text_bytes(r->status));
        return;
    }
    if (!bodyless(r->status))
        put_field(w, "Content-Type: ", r->fields->content_type);
    if (!r->streamed)
        put_length(w, r, r->to - r->from);
    else if (request->minor >= 1)
        HTTP_PUT(w, "Transfer-Encoding: chunked\r\n");
}

static void put_head(struct http_writer *w, const struct pl_http_server *s, const struct reply *r)
{
    const struct pl_http_head *request = &s->parser.head;
    /* RFC 9110 2.5, 6.2: the version is the highest one we conform to, whatever minor version the request has. */
    HTTP_PUT(w, "HTTP/1.1 ");
    put_own_text(w, r->status);
    HTTP_PUT(w, "\r\n");
    http_put_date(w, "Date: ", s->date);
    put_body_fields(w, request, r);
    put_content_range(w, r);
    if (r->status < 400) {
        http_put_date(w, "Last-Modified: ", r->fields->last_modified);
        put_field(w, "ETag: ", r->fields->etag);
        if (r->fields->ranges)
            HTTP_PUT(w, "Accept-Ranges: bytes\r\n");
    }
    put_field(w, "Location: ", r->fields->location);
    put_field(w, "Allow: ", r->fields->allow);
    if (!r->persist)
        HTTP_PUT(w, "Connection: close\r\n");
    else if (request->minor == 0)
        HTTP_PUT(w, "Connection: keep-alive\r\n");
    HTTP_PUT(w, "\r\n");
    if (r->own_text && request->method != PL_HTTP_HEAD) {
        put_own_text(w, r->status);
        HTTP_PUT(w, "\n");
    }
}

/* A writer for the room behind the own bytes that were not sent yet. */
static struct http_writer out_writer(struct pl_http_server *s)
{
    char *out = server_out(s);
    if (s->out_at > 0) {
        memmove(out, out + s->out_at, s->out_end - s->out_at);
        s->out_end -= s->out_at;
        s->out_at = 0;
    }
    return (struct http_writer){out + s->out_end, s->config.out_bytes - s->out_end, 0};
}

static void out_commit(struct pl_http_server *s, const struct http_writer *w, pl_time now)
{
    if (!server_out_pending(s)) {
        s->out_since = now;
        s->moved_out = 0;
    }
    s->out_end += (uint32_t)w->at;
}

static int queue(struct pl_http_server *s, struct reply *r, pl_time now)
{
    const struct pl_http_head *request = &s->parser.head;
    struct http_writer w = out_writer(s);
    r->persist = may_persist(s, r);
    put_head(&w, s, r);
    if (w.at > w.bytes)
        return PL_EMSGSIZE;
    out_commit(s, &w, now);
    bool body = request->method != PL_HTTP_HEAD && !bodyless(r->status) && !r->own_text;
    s->answer = body && r->streamed ? ANSWER_STREAM : ANSWER_SENDING;
    s->chunked = request->minor >= 1;
    s->chunk_open = false;
    s->stream_over = false;
    s->body_at = body && !r->streamed ? r->from : 0;
    s->body_end = body && !r->streamed ? r->to : 0;
    if (!r->persist) {
        s->close_after = true;
        if (!body_skippable(s))
            s->in = IN_DEAF;
    }
    return r->status;
}

int pl_http_server_answer(pl_http_server *s, const struct pl_http_answer *a, pl_time now)
{
    int method = s->parser.head.method;
    if (s->answer != ANSWER_DUE || s->life != LIFE_OPEN || !answer_valid(a))
        return PL_EINVAL;
    struct reply r = {.status = a->status, .fields = a, .to = a->length};
    if (a->length == PL_HTTP_LENGTH_UNKNOWN) {
        r.streamed = true;
        r.to = 0;
    } else if (a->ranges && a->status == 200 && (method == PL_HTTP_GET || method == PL_HTTP_HEAD)) {
        struct http_judgement j = http_judge(&s->parser.head, server_mem_const(s), a, s->date);
        r.status = j.status;
        r.from = j.from;
        r.to = j.to;
        r.own_text = j.status >= 400;
    }
    if (bodyless(r.status))
        r.streamed = false;
    return queue(s, &r, now);
}

int pl_http_server_error(pl_http_server *s, int status, const char *allow, pl_time now)
{
    struct pl_http_answer a = {.status = status, .last_modified = PL_HTTP_NO_DATE, .allow = allow};
    if (s->answer != ANSWER_DUE || s->life != LIFE_OPEN || !answer_valid(&a))
        return PL_EINVAL;
    struct reply r = {.status = status, .fields = &a, .own_text = !bodyless(status)};
    return queue(s, &r, now);
}

void server_refuse(struct pl_http_server *s, int status, pl_time now)
{
    struct pl_http_answer a = {.status = status, .last_modified = PL_HTTP_NO_DATE, .close = true};
    struct reply r = {.status = status, .fields = &a, .own_text = true};
    s->close_after = true;
    s->in = IN_DEAF;
    /* While an answer is under way a second one would be taken for that of a later request. The head of an error is short and always
     * fits, but behind a 100 that nobody has taken yet; then the end of the connection says enough. */
    if ((s->answer == ANSWER_NONE || s->answer == ANSWER_DUE) && queue(s, &r, now) < 0) {
        s->answer = ANSWER_SENT;
        s->out_at = s->out_end = 0;
    }
    server_advance(s, now);
}

void pl_http_server_continue(pl_http_server *s, pl_time now)
{
    if (s->answer != ANSWER_DUE || s->in != IN_BODY || s->body.total > 0 || !(s->parser.head.flags & PL_HTTP_H_EXPECT))
        return;
    struct http_writer w = out_writer(s);
    HTTP_PUT(&w, "HTTP/1.1 100 Continue\r\n\r\n");
    if (w.at > w.bytes)
        return;
    out_commit(s, &w, now);
    s->parser.head.flags &= (uint8_t)~PL_HTTP_H_EXPECT;
}

int pl_http_server_body(pl_http_server *s, uint64_t n, pl_time now)
{
    char line[HTTP_CHUNK_HEAD_BYTES];
    if (s->answer != ANSWER_STREAM || s->life != LIFE_OPEN || server_out_pending(s))
        return PL_EAGAIN;
    if (n > UINT64_MAX - s->body_end)
        return PL_EINVAL;
    struct http_writer w = out_writer(s);
    if (s->chunked && n > 0)
        http_put(&w, line, http_chunk_open(line, n));
    else if (s->chunked)
        HTTP_PUT(&w, "0\r\n\r\n");
    out_commit(s, &w, now);
    s->body_end += n;
    s->chunk_open = s->chunked && n > 0;
    s->stream_over = n == 0;
    if (!server_out_pending(s)) {         /* the end of a body that the connection's end delimits */
        s->answer = ANSWER_SENT;
        server_advance(s, now);
    }
    return PL_OK;
}

void pl_http_server_out(const pl_http_server *s, struct pl_http_out *out)
{
    out->own = server_mem_const(s) + s->config.head_bytes_max + s->out_at;
    out->own_bytes = s->out_end - s->out_at;
    out->body_at = s->body_at;
    out->body_bytes = s->body_end - s->body_at;
}

void pl_http_server_sent(pl_http_server *s, uint64_t n, pl_time now)
{
    uint64_t own = s->out_end - s->out_at;
    uint64_t own_taken = n < own ? n : own, left = s->body_end - s->body_at;
    uint64_t body_taken = n - own_taken < left ? n - own_taken : left;
    s->out_at += (uint32_t)own_taken;
    s->body_at += body_taken;
    s->moved_out += own_taken + body_taken;
    if (server_out_pending(s) || s->answer == ANSWER_DUE)
        return;
    if (s->chunk_open) {
        struct http_writer w = out_writer(s);
        HTTP_PUT(&w, "\r\n");
        s->chunk_open = false;
        out_commit(s, &w, now);
        return;
    }
    if (s->answer == ANSWER_SENDING || (s->answer == ANSWER_STREAM && s->stream_over))
        s->answer = ANSWER_SENT;
    server_advance(s, now);
}
