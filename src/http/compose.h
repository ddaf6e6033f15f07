/* SPDX-License-Identifier: MIT
 *
 * compose.h: writes heads into a bounded room. A writer counts on when the room is used up, so that one check at the end suffices.
 */
#ifndef PARLEY_HTTP_COMPOSE_H
#define PARLEY_HTTP_COMPOSE_H

#include <parley/http.h>

struct http_writer {
    char *out;
    size_t bytes;                         /* room */
    size_t at;                            /* length so far; > bytes: it did not fit */
};

void http_put(struct http_writer *, const char *s, size_t n);
#define HTTP_PUT(w, literal) http_put(w, "" literal, sizeof(literal) - 1)
void http_put_cstr(struct http_writer *, const char *s); /* a text of ours or checked with http_cstr: NUL-terminated, bounded by 65535 */
void http_put_decimal(struct http_writer *, uint64_t value);
/* "Name: " date CRLF; nothing for PL_HTTP_NO_DATE or a date that cannot be written. */
void http_put_date(struct http_writer *, const char *name_and_colon, int64_t unix_s);

#endif
