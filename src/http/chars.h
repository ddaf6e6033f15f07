/* SPDX-License-Identifier: MIT
 *
 * chars.h: the character classes of RFC 9110 section 5.6 and the few text operations the HTTP engines need. All on (bytes, length):
 * nothing here looks for a NUL, because what comes from the wire has none.
 */
#ifndef PARLEY_HTTP_CHARS_H
#define PARLEY_HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool http_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool http_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool http_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 5234: control characters, HTAB included. */
static inline bool http_is_ctl(char c)
{
    uint8_t u = (uint8_t)c;
    return u < 0x20 || u == 0x7f;
}

static inline char http_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool http_is_tchar(char c);               /* RFC 9110 5.6.2 */
bool http_is_token(const char *s, size_t n);
int http_hex(char c);                     /* -1: not a hex digit */

bool http_same(const char *a, size_t an, const char *b, size_t bn);           /* octet by octet */
bool http_same_nocase(const char *a, size_t an, const char *b, size_t bn);    /* ASCII letters in either case */
#define HTTP_IS(s, n, literal) http_same_nocase(s, n, "" literal, sizeof(literal) - 1)

/* 1*DIGIT and nothing else, without overflow. */
bool http_decimal(const char *s, size_t n, uint64_t *value);

/* Length of a caller's C string, at most max + 1. */
size_t http_cstr(const char *s, size_t max);
/* Printable, no control characters: fit to stand in a field value. */
bool http_is_value(const char *s, size_t n);

/* Drops blanks at both ends. */
void http_trim(const char **s, size_t *n);

/* Takes the next element of a comma-separated list off (s, n), trimmed; skips empty ones (RFC 9110 5.6.1); quoted strings stay whole. */
bool http_list_next(const char **s, size_t *n, const char **item, size_t *item_len);

#endif
