/* SPDX-License-Identifier: MIT
 *
 * chars.c: see chars.h. RFC 9110 section 5.6.
 */
#include "http/chars.h"

bool http_is_tchar(char c)
{
    if (http_is_alpha(c) || http_is_digit(c))
        return true;
    switch (c) {
    case '!': case '#': case '$': case '%': case '&': case '\'': case '*': case '+':
    case '-': case '.': case '^': case '_': case '`': case '|': case '~':
        return true;
    default:
        return false;
    }
}

bool http_is_token(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!http_is_tchar(s[i]))
            return false;
    }
    return n > 0;
}

int http_hex(char c)
{
    if (http_is_digit(c))
        return c - '0';
    c = http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_same(const char *a, size_t an, const char *b, size_t bn)
{
    if (an != bn)
        return false;
    for (size_t i = 0; i < an; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

bool http_same_nocase(const char *a, size_t an, const char *b, size_t bn)
{
    if (an != bn)
        return false;
    for (size_t i = 0; i < an; i++) {
        if (http_lower(a[i]) != http_lower(b[i]))
            return false;
    }
    return true;
}

bool http_decimal(const char *s, size_t n, uint64_t *value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (!http_is_digit(s[i]))
            return false;
        uint64_t digit = (uint64_t)(s[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return n > 0;
}

/* The bound keeps compilers from turning this loop into a call of strlen, which the core must not need. */
size_t http_cstr(const char *s, size_t max)
{
    size_t n = 0;
    while (n <= max && s[n] != '\0')
        n++;
    return n;
}

bool http_is_value(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (http_is_ctl(s[i]))
            return false;
    }
    return true;
}

void http_trim(const char **s, size_t *n)
{
    while (*n > 0 && http_is_blank((*s)[0])) {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && http_is_blank((*s)[*n - 1]))
        (*n)--;
}

bool http_list_next(const char **s, size_t *n, const char **item, size_t *item_len)
{
    while (*n > 0) {
        size_t i = 0;
        bool quoted = false;
        for (; i < *n && (quoted || (*s)[i] != ','); i++) {
            if ((*s)[i] == '"')
                quoted = !quoted;
            else if (quoted && (*s)[i] == '\\' && i + 1 < *n)
                i++;
        }
        *item = *s;
        *item_len = i;
        http_trim(item, item_len);
        size_t step = i < *n ? i + 1 : i;
        *s += step;
        *n -= step;
        if (*item_len > 0)
            return true;
    }
    return false;
}
