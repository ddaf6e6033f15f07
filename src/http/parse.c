/* SPDX-License-Identifier: MIT
 *
 * parse.c: pass one over the head of a message: bytes to lines. Theory of operation: parse.h. RFC 9112 sections 2.2 and 5.2.
 */
#include "http/parse.h"

#include <string.h>

#include "http/chars.h"

enum http_phase { PHASE_START = 0, PHASE_FIELDS };

void http_parser_reset(struct http_parser *p, bool response)
{
    memset(p, 0, sizeof *p);
    p->response = response;
}

static int start_line_end(struct http_parser *p, const char *mem, size_t len)
{
    if (len == 0 && !p->response) {
        /* RFC 9112 2.2: at least one empty line before a request SHOULD be ignored; without a bound it would be a way to talk forever. */
        if (p->blank_lines++ >= HTTP_BLANK_LINES_MAX)
            return HTTP_BAD;
        p->at = 0;
        return HTTP_MORE;
    }
    int r = p->response ? http_status_line(&p->head, mem, len) : http_request_line(&p->head, mem, len);
    if (r != HTTP_DONE)
        return r;
    p->phase = PHASE_FIELDS;
    p->head.fields_at = p->at;
    p->line_at = p->at;
    return HTTP_MORE;
}

static int field_line_end(struct http_parser *p, const struct pl_http_config *config, char *mem, size_t len)
{
    if (len == 0) {
        p->head.bytes = p->at;
        return http_fields_check(&p->head, mem, p->response);
    }
    if (http_is_blank(mem[p->line_at])) {
        /* RFC 9112 2.2, 5.2: a line that begins with a blank hides either whitespace after the start line or a folded field. A server
         * refuses both; a user agent replaces a fold by spaces before it reads the field. */
        if (!p->response || p->head.field_count == 0)
            return HTTP_BAD;
        mem[p->line_at - 2] = ' ';
        mem[p->line_at - 1] = ' ';
    } else if (p->head.field_count++ >= config->field_count_max) {
        return HTTP_HEAD_TOO_LARGE;
    }
    p->line_at = p->at;
    return HTTP_MORE;
}

static int take_byte(struct http_parser *p, const struct pl_http_config *config, char *mem, char c)
{
    /* RFC 9112 2.2: a lone LF may be taken for a line end, a lone CR never; parsers that disagree on either can be played against each
     * other, so both are refused. */
    if (p->cr != (c == '\n'))
        return HTTP_BAD;
    if (http_is_ctl(c) && c != '\t' && c != '\r' && c != '\n')
        return HTTP_BAD;
    if (p->phase == PHASE_START && c != '\r' && c != '\n' && p->at >= config->line_bytes_max)
        return p->response ? HTTP_HEAD_TOO_LARGE : http_request_line_too_long(mem, p->at);
    if (p->at >= config->head_bytes_max)
        return HTTP_HEAD_TOO_LARGE;
    mem[p->at++] = c;
    p->cr = c == '\r';
    if (c != '\n')
        return HTTP_MORE;
    size_t len = (size_t)(p->at - 2 - p->line_at);
    return p->phase == PHASE_START ? start_line_end(p, mem, len) : field_line_end(p, config, mem, len);
}

int http_parser_feed(struct http_parser *p, const struct pl_http_config *config, char *mem, const char *in, size_t n, size_t *used)
{
    int r = HTTP_MORE;
    size_t i = 0;
    while (i < n && r == HTTP_MORE)
        r = take_byte(p, config, mem, in[i++]);
    *used = i;
    return r;
}
