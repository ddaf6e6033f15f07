/* SPDX-License-Identifier: MIT
 *
 * request.c: the client engine: requests leave. RFC 9112 sections 3 and 9.3.2, RFC 1945 section 5. States: client.h.
 */
#include <string.h>

#include "http/chars.h"
#include "http/client.h"
#include "http/compose.h"

#define TEXT_BYTES_MAX 60000              /* a target or a host; out_bytes is what limits them */

/* RFC 9112 3.2, 11.1: what the program passes on may come from an untrusted URL; nothing in it may end a line or a word. */
static bool target_valid(const char *s)
{
    size_t n = s ? http_cstr(s, TEXT_BYTES_MAX) : 0;
    if (n == 0 || n > TEXT_BYTES_MAX || s[0] != '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (http_is_ctl(s[i]) || s[i] == ' ' || s[i] == '#' || (uint8_t)s[i] >= 0x80)
            return false;
    }
    return true;
}

static bool host_valid(const char *s)
{
    size_t n = s ? http_cstr(s, TEXT_BYTES_MAX) : 0;
    return n > 0 && n <= TEXT_BYTES_MAX && http_host_valid(s, n);
}

/* The fields that say where a message ends, or for whom it is, are the engine's own. */
static bool field_allowed(const char *s, size_t n)
{
    size_t colon = 0;
    while (colon < n && s[colon] != ':')
        colon++;
    return colon < n && http_is_token(s, colon) && http_is_value(s + colon, n - colon) && !HTTP_IS(s, colon, "host") &&
           !HTTP_IS(s, colon, "connection") && !HTTP_IS(s, colon, "content-length") && !HTTP_IS(s, colon, "transfer-encoding") &&
           !HTTP_IS(s, colon, "expect") && !HTTP_IS(s, colon, "te") && !HTTP_IS(s, colon, "upgrade");
}

/* Further field lines: each a whole field, each ended by CRLF. */
static bool fields_valid(const char *s)
{
    size_t n = s ? http_cstr(s, TEXT_BYTES_MAX) : 0, at = 0;
    if (n > TEXT_BYTES_MAX)
        return false;
    while (at < n) {
        size_t end = at;
        while (end < n && s[end] != '\r')
            end++;
        if (n - end < 2 || s[end + 1] != '\n' || !field_allowed(s + at, end - at))
            return false;
        at = end + 2;
    }
    return true;
}

static void put_request(struct http_writer *w, const struct pl_http_request *r)
{
    http_put_cstr(w, pl_http_method_name(r->method));
    HTTP_PUT(w, " ");
    http_put_cstr(w, r->target);
    http_put_cstr(w, r->minor == 0 ? " HTTP/1.0\r\nHost: " : " HTTP/1.1\r\nHost: ");
    http_put_cstr(w, r->host);
    HTTP_PUT(w, "\r\n");
    if (r->fields)
        http_put_cstr(w, r->fields);
    /* RFC 9112 9.3, appendix C.2.2: 1.1 persists unless told to close, 1.0 closes unless told to persist. */
    if (r->minor == 1 && r->close)
        HTTP_PUT(w, "Connection: close\r\n");
    if (r->minor == 0 && !r->close)
        HTTP_PUT(w, "Connection: keep-alive\r\n");
    HTTP_PUT(w, "\r\n");
}

int pl_http_client_request(pl_http_client *c, const struct pl_http_request *r, pl_time now)
{
    if (!r || (r->method != PL_HTTP_GET && r->method != PL_HTTP_HEAD) || (r->minor != 0 && r->minor != 1) || !target_valid(r->target) ||
        !host_valid(r->host) || !fields_valid(r->fields))
        return PL_EINVAL;
    if (c->in == CLIENT_OVER || c->in == CLIENT_BROKEN || c->last_queued)
        return PL_ECLOSING;
    if (c->ring_count >= c->config.pipeline_max)
        return PL_EAGAIN;
    char *out = client_out(c);
    memmove(out, out + c->out_at, c->out_end - c->out_at);
    c->out_end -= c->out_at;
    c->out_at = 0;
    struct http_writer w = {out + c->out_end, c->config.out_bytes - c->out_end, 0};
    put_request(&w, r);
    if (w.at > w.bytes)
        return w.at > c->config.out_bytes ? PL_EMSGSIZE : PL_EAGAIN;
    c->out_end += (uint32_t)w.at;
    if (c->ring_count == 0)
        c->since = now;
    c->ring[(c->ring_at + c->ring_count++) % PL_HTTP_PIPELINE] = (uint8_t)r->method;
    c->last_queued = r->close;
    return PL_OK;
}

void pl_http_client_out(const pl_http_client *c, struct pl_http_out *out)
{
    out->own = client_mem_const(c) + c->config.head_bytes_max + c->out_at;
    out->own_bytes = c->out_end - c->out_at;
    out->body_at = 0;
    out->body_bytes = 0;
}

void pl_http_client_sent(pl_http_client *c, uint64_t n, pl_time now)
{
    uint64_t own = c->out_end - c->out_at;
    c->out_at += (uint32_t)(n < own ? n : own);
    /* The server cannot answer before it has the request: the wait for the first answer begins when the request has left. */
    if (n > 0 && c->in == CLIENT_HEAD && c->parser.at == 0)
        c->since = now;
}
