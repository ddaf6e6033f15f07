/* SPDX-License-Identifier: MIT
 *
 * http_play.c: see http_play.h.
 */
#include "support/http_play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/guard.h"

void play_log(struct http_play *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(p->log + p->log_bytes, sizeof p->log - p->log_bytes, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof p->log - p->log_bytes)
        abort();
    p->log_bytes += (size_t)n;
}

static void begin(struct http_play *p, void (*change)(struct pl_http_config *))
{
    memset(p, 0, sizeof *p);
    p->now = PL_S;
    p->answer_length = 3;
    pl_http_config_default(&p->config, sizeof p->config);
    if (change)
        change(&p->config);
}

void play_server(struct http_play *p, void (*change)(struct pl_http_config *))
{
    begin(p, change);
    size_t n = pl_http_server_size(&p->config);
    p->server = pl_http_server_init(guard_alloc(n), n, &p->config, p->now);
    if (!p->server)
        abort();
}

void play_client(struct http_play *p, void (*change)(struct pl_http_config *))
{
    begin(p, change);
    size_t n = pl_http_client_size(&p->config);
    p->client = pl_http_client_init(guard_alloc(n), n, &p->config, p->now);
    if (!p->client)
        abort();
}

void play_end(struct http_play *p)
{
    if (p->server)
        guard_free(p->server, pl_http_server_size(&p->config));
    if (p->client)
        guard_free(p->client, pl_http_client_size(&p->config));
}

static void log_body(struct http_play *p)
{
    if (p->pending_body > 0)
        play_log(p, "BODY %zu|", p->pending_body);
    p->pending_body = 0;
}

static void log_request(struct http_play *p)
{
    const struct pl_http_head *head = pl_http_server_head(p->server);
    size_t path_len, query_len, host_len;
    const char *path = pl_http_server_text(p->server, head->path, &path_len);
    const char *query = pl_http_server_text(p->server, head->query, &query_len);
    const char *host = pl_http_server_text(p->server, head->host, &host_len);
    play_log(p, "%s %.*s%s%.*s 1.%d %.*s %s|", pl_http_method_name(head->method), (int)path_len, path, query_len > 0 ? "?" : "",
             (int)query_len, query, head->minor, (int)host_len, host, head->flags & PL_HTTP_H_PERSIST ? "keep" : "close");
}

static void answer(struct http_play *p)
{
    if (p->hold || !(pl_http_server_wants(p->server) & PL_HTTP_WANT_ANSWER))
        return;
    struct pl_http_answer a = {.status = 200, .length = p->answer_length, .last_modified = PL_HTTP_NO_DATE};
    if (p->answer_status)
        pl_http_server_error(p->server, p->answer_status, NULL, p->now);
    else
        pl_http_server_answer(p->server, &a, p->now);
}

void play_event(struct http_play *p, const struct pl_http_event *event)
{
    if (event->kind == PL_HTTP_BODY)
        p->pending_body += event->body_bytes;
    else if (event->kind != PL_HTTP_NONE)
        log_body(p);
    switch (event->kind) {
    case PL_HTTP_REQUEST:
        log_request(p);
        break;
    case PL_HTTP_REQUEST_END:
        play_log(p, "END|");
        break;
    case PL_HTTP_REFUSED:
        play_log(p, "REFUSED %d|", event->status);
        break;
    case PL_HTTP_RESPONSE:
        play_log(p, "RESPONSE %d|", event->status);
        break;
    case PL_HTTP_RESPONSE_END:
        play_log(p, "DONE %d|", event->status);
        break;
    case PL_HTTP_BROKEN:
        play_log(p, "BROKEN %d|", event->fault);
        break;
    default:
        break;
    }
}

void play_flush(struct http_play *p)
{
    struct pl_http_out out;
    for (;;) {
        if (p->server)
            pl_http_server_out(p->server, &out);
        else
            pl_http_client_out(p->client, &out);
        if (out.own_bytes == 0 && out.body_bytes == 0)
            return;
        if (out.own_bytes + out.body_bytes > sizeof p->sent - p->sent_bytes)
            abort();
        memcpy(p->sent + p->sent_bytes, out.own, out.own_bytes);
        p->sent_bytes += out.own_bytes;
        for (uint64_t i = 0; i < out.body_bytes; i++)
            p->sent[p->sent_bytes++] = (char)('a' + (out.body_at + i) % 26);
        p->sent[p->sent_bytes] = '\0';
        if (p->server)
            pl_http_server_sent(p->server, out.own_bytes + out.body_bytes, p->now);
        else
            pl_http_client_sent(p->client, out.own_bytes + out.body_bytes, p->now);
    }
}

/* One piece, until the engine neither consumes nor reports anything. */
static size_t feed_piece(struct http_play *p, const char *bytes, size_t n)
{
    size_t at = 0;
    for (;;) {
        struct pl_http_event event;
        size_t used = p->server ? pl_http_server_feed(p->server, bytes + at, n - at, p->now, &event)
                                : pl_http_client_feed(p->client, bytes + at, n - at, p->now, &event);
        if (used > n - at)
            abort();
        at += used;
        play_event(p, &event);
        bool ended = event.kind == PL_HTTP_REQUEST_END;
        if (p->server && ended)
            answer(p);
        if (p->server)
            play_flush(p);
        if (used == 0 && event.kind == PL_HTTP_NONE)
            return at;
    }
}

size_t play_feed(struct http_play *p, const char *bytes, size_t n, size_t step)
{
    size_t at = 0;
    if (step == 0)
        step = n;
    while (at < n) {
        size_t piece = n - at < step ? n - at : step;
        char *guarded = guard_copy(bytes + at, piece);
        size_t used = feed_piece(p, guarded, piece);
        guard_free(guarded, piece);
        at += used;
        if (used == 0)
            break;                        /* it takes no more for now */
    }
    log_body(p);
    return at;
}
