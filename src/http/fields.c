/* SPDX-License-Identifier: MIT
 *
 * fields.c: pass two over the head of a message: the field lines, and what they say about framing and persistence. RFC 9112 sections 5,
 * 6 and 9.3, RFC 9110 sections 5.5, 7.2, 8.6 and 10.1.1. Theory of operation: parse.h.
 */
#include "http/chars.h"
#include "http/parse.h"

struct seen {
    unsigned hosts, lengths;
    bool coded;                           /* a Transfer-Encoding is there */
    bool chunked_last;                    /* "chunked" is its last coding */
    bool other_coding;                    /* a coding besides chunked, or chunked not last: unknown to us */
    bool bad_coding;
    bool close, keep_alive;
};

/* The line at `from`, without CRLF. Pass one has made sure that it ends within the head. */
static size_t line_end(const struct pl_http_head *head, const char *mem, size_t from)
{
    while (from < head->bytes && mem[from] != '\r')
        from++;
    return from;
}

bool http_field_next(const struct pl_http_head *head, const char *mem, uint16_t *cursor, struct pl_http_text *name,
                     struct pl_http_text *value)
{
    size_t at = *cursor < head->fields_at ? head->fields_at : *cursor;
    size_t end = line_end(head, mem, at);
    if (end == at || end >= head->bytes)
        return false;
    size_t colon = at;
    while (colon < end && mem[colon] != ':')
        colon++;
    const char *s = mem + colon + (colon < end);
    size_t n = (size_t)(mem + end - s);
    http_trim(&s, &n);
    *name = (struct pl_http_text){(uint16_t)at, (uint16_t)(colon - at)};
    *value = (struct pl_http_text){(uint16_t)(s - mem), (uint16_t)n};
    *cursor = (uint16_t)(end + 2);
    return true;
}

bool http_field_find(const struct pl_http_head *head, const char *mem, uint16_t *cursor, const char *name, size_t name_len,
                     struct pl_http_text *value)
{
    struct pl_http_text at;
    while (http_field_next(head, mem, cursor, &at, value)) {
        if (http_same_nocase(mem + at.at, at.len, name, name_len))
            return true;
    }
    return false;
}

/* RFC 9112 6.1, 7: the codings in the order they were applied; "chunked" once, last, and without parameters. */
static void read_codings(struct seen *seen, const char *s, size_t n)
{
    const char *item;
    size_t len;
    seen->coded = true;
    while (http_list_next(&s, &n, &item, &len)) {
        if (seen->chunked_last)
            seen->bad_coding = true;      /* something after chunked, be it chunked again */
        seen->chunked_last = HTTP_IS(item, len, "chunked");
        if (!seen->chunked_last)
            seen->other_coding = true;
    }
}

/* RFC 9110 7.6.1 */
static void read_connection(struct seen *seen, const char *s, size_t n)
{
    const char *item;
    size_t len;
    while (http_list_next(&s, &n, &item, &len)) {
        seen->close = seen->close || HTTP_IS(item, len, "close");
        seen->keep_alive = seen->keep_alive || HTTP_IS(item, len, "keep-alive");
    }
}

static int read_host(struct pl_http_head *head, struct seen *seen, const char *mem, struct pl_http_text value)
{
    /* RFC 9112 3.2: more than one Host, or an invalid one: 400. In absolute-form its value is ignored, but must still be valid. */
    if (seen->hosts++ > 0 || !http_host_valid(mem + value.at, value.len))
        return HTTP_BAD;
    if (head->host.len == 0)
        head->host = value;
    return HTTP_DONE;
}

static int read_length(struct pl_http_head *head, struct seen *seen, const char *s, size_t n)
{
    /* RFC 9110 8.6, 9112 6.3: a list of equal lengths may be repaired or refused. Refused: only a confused or a hostile sender repeats
     * it. */
    if (seen->lengths++ > 0 || !http_decimal(s, n, &head->content_length))
        return HTTP_BAD_FRAMING;
    head->flags |= PL_HTTP_H_LENGTH;
    return HTTP_DONE;
}

static int read_field(struct pl_http_head *head, struct seen *seen, const char *mem, struct pl_http_text name, struct pl_http_text value,
                      bool response)
{
    const char *key = mem + name.at, *s = mem + value.at;
    if (HTTP_IS(key, name.len, "content-length"))
        return read_length(head, seen, s, value.len);
    if (HTTP_IS(key, name.len, "transfer-encoding"))
        read_codings(seen, s, value.len);
    else if (HTTP_IS(key, name.len, "connection"))
        read_connection(seen, s, value.len);
    else if (!response && HTTP_IS(key, name.len, "host"))
        return read_host(head, seen, mem, value);
    else if (!response && HTTP_IS(key, name.len, "expect") && head->minor >= 1) {
        /* RFC 9110 10.1.1: the only expectation there is; ignored in HTTP/1.0. */
        if (!HTTP_IS(s, value.len, "100-continue"))
            return HTTP_EXPECTATION;
        head->flags |= PL_HTTP_H_EXPECT;
    }
    return HTTP_DONE;
}

/* RFC 9112 6.3 for a request. */
static int frame_request(struct pl_http_head *head, const struct seen *seen)
{
    if (seen->coded) {
        /* 6.1: with Content-Length, or in HTTP/1.0, the framing is faulty; 6.3 item 4: chunked must be last. */
        if (seen->lengths > 0 || head->minor == 0 || !seen->chunked_last || seen->bad_coding)
            return HTTP_BAD;
        if (seen->other_coding)
            return HTTP_NOT_IMPLEMENTED;  /* 6.1: a coding that the server does not understand */
        head->framing = PL_HTTP_BODY_CHUNKED;
    } else if (head->content_length > 0) {
        head->framing = PL_HTTP_BODY_LENGTH;
    }
    return HTTP_DONE;
}

/* RFC 9112 6.3 for a response, but for HEAD, which only the client knows of. */
static int frame_response(struct pl_http_head *head, const struct seen *seen)
{
    if (head->status < 200 || head->status == 204 || head->status == 304)
        head->framing = PL_HTTP_BODY_NONE;
    else if (seen->coded) {
        /* 6.3 item 3: both lengths together ought to be handled as an error. 7.4: other codings may only come when asked for by a TE
         * field, which we never send and could not undo. */
        if (seen->lengths > 0 || head->minor == 0 || seen->bad_coding || seen->other_coding || !seen->chunked_last)
            return HTTP_BAD_FRAMING;
        head->framing = PL_HTTP_BODY_CHUNKED;
    } else if (head->flags & PL_HTTP_H_LENGTH)
        head->framing = head->content_length > 0 ? PL_HTTP_BODY_LENGTH : PL_HTTP_BODY_NONE;
    else
        head->framing = PL_HTTP_BODY_UNTIL_CLOSE;
    return HTTP_DONE;
}

int http_fields_check(struct pl_http_head *head, const char *mem, bool response)
{
    struct seen seen = {0};
    struct pl_http_text name, value;
    uint16_t cursor = 0;
    while (http_field_next(head, mem, &cursor, &name, &value)) {
        /* RFC 9112 5.1: no whitespace between name and colon; without a colon the name holds blanks or runs to the end of the line. */
        if (!http_is_token(mem + name.at, name.len) || mem[name.at + name.len] != ':')
            return HTTP_BAD;
        int r = read_field(head, &seen, mem, name, value, response);
        if (r != HTTP_DONE)
            return r == HTTP_BAD_FRAMING && !response ? HTTP_BAD : r;
    }
    /* RFC 9112 3.2: HTTP/1.1 without Host: 400. */
    if (!response && head->minor >= 1 && seen.hosts == 0)
        return HTTP_BAD;
    /* RFC 9112 9.3: close wins; 1.1 persists; 1.0 persists when asked to. */
    if (!seen.close && (head->minor >= 1 || seen.keep_alive))
        head->flags |= PL_HTTP_H_PERSIST;
    return response ? frame_response(head, &seen) : frame_request(head, &seen);
}
