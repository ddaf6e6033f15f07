/* SPDX-License-Identifier: MIT
 *
 * parse.h: reads the head of a message byte by byte into the engine's memory. RFC 9112 sections 2 to 5.
 *
 * Theory of operation. Pass one (parse.c) sees each byte once: it refuses what no head may contain (bare CR, bare LF, control
 * characters), finds the ends of lines, holds the limits, and reads the start line as soon as it is whole. Pass two (fields.c) runs when
 * the empty line is there: it checks each field line and settles how the body ends. Whether the bytes arrive one by one or all at once
 * makes no difference to the verdict or to the number of bytes consumed.
 *
 * Strictness is the defence against request smuggling (RFC 9112 section 11.2): where the RFC lets a recipient repair or refuse, a request
 * is refused. Responses are read with the two allowances that RFC 9112 demands of user agents (folded lines) or that servers in
 * the field need (no space after a status code without a reason).
 */
#ifndef PARLEY_HTTP_PARSE_H
#define PARLEY_HTTP_PARSE_H

#include <parley/http.h>

/* What a parser says; the others are the status (400, 414, 431, 501, 505, 417) that a server answers with. */
enum { HTTP_MORE = 0, HTTP_DONE = 1 };

/* X-macros would hide it: of a response, 400 means syntax, 431 and 414 size, 505 version, 422 framing. */
enum { HTTP_BAD = 400, HTTP_LINE_TOO_LONG = 414, HTTP_HEAD_TOO_LARGE = 431, HTTP_BAD_FRAMING = 422, HTTP_EXPECTATION = 417,
       HTTP_NOT_IMPLEMENTED = 501, HTTP_BAD_VERSION = 505 };

#define HTTP_BLANK_LINES_MAX 2            /* empty lines tolerated before a request, RFC 9112 section 2.2 */

struct http_parser {
    struct pl_http_head head;
    uint16_t at;                          /* bytes kept so far */
    uint16_t line_at;                     /* where the line being read begins */
    uint8_t phase;                        /* enum http_phase */
    uint8_t cr;                           /* the last byte was a CR */
    uint8_t blank_lines;                  /* skipped before the start line */
    uint8_t response;                     /* reads a response */
};

void http_parser_reset(struct http_parser *, bool response);

/* Consumes up to n bytes into `mem` (config->head_bytes_max bytes); *used says how many. HTTP_MORE, HTTP_DONE or a refusal; after a
 * refusal the offending byte counts as consumed. */
int http_parser_feed(struct http_parser *, const struct pl_http_config *, char *mem, const char *in, size_t n, size_t *used);

/* start_line.c: reads the line mem[0, len). HTTP_DONE or a refusal. */
int http_request_line(struct pl_http_head *, const char *mem, size_t len);
int http_status_line(struct pl_http_head *, const char *mem, size_t len);
/* The refusal for a request line that is longer than the limit, judged by its beginning. */
int http_request_line_too_long(const char *mem, size_t len);

/* fields.c: checks the header section and settles framing and persistence. HTTP_DONE or a refusal. */
int http_fields_check(struct pl_http_head *, const char *mem, bool response);
/* Walks the field lines of a checked head. */
bool http_field_next(const struct pl_http_head *, const char *mem, uint16_t *cursor, struct pl_http_text *name, struct pl_http_text *value);
/* First field of that name at or after *cursor. */
bool http_field_find(const struct pl_http_head *, const char *mem, uint16_t *cursor, const char *name, size_t name_len,
                     struct pl_http_text *value);

/* target.c: host[:port], RFC 3986 section 3.2.2 and 3.2.3; an empty one is for the caller to judge. */
bool http_host_valid(const char *s, size_t n);
/* Splits a request target (RFC 9112 section 3.2); 400 or HTTP_DONE. */
int http_target_split(struct pl_http_head *, const char *mem);

#endif
