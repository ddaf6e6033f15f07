/* SPDX-License-Identifier: MIT */
#include "drill/scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scan_fail(struct scan *s, const char *what, ...)
{
    if (s->failed)
        return;
    s->failed = true;
    int n = snprintf(s->error, s->error_size, "%s:%d: ", s->name, s->line);
    va_list args;
    va_start(args, what);
    if (n >= 0 && (size_t)n < s->error_size)
        vsnprintf(s->error + n, s->error_size - (size_t)n, what, args);
    va_end(args);
}

/* What is kept lies in blocks that begin with the address of the one before. */
void *scan_keep(struct scan *s, size_t bytes)
{
    void **block = calloc(1, sizeof(max_align_t) + bytes);
    if (!block) {                         /* the readers go on with nothing more to read: no caller needs to ask */
        fputs("out of memory\n", stderr);
        abort();
    }
    *block = *s->memory;
    *s->memory = block;
    return (char *)block + sizeof(max_align_t);
}

const char *scan_keep_text(struct scan *s, const char *from, size_t bytes)
{
    char *to = scan_keep(s, bytes + 1);
    memcpy(to, from, bytes);
    return to;
}

static bool comment(struct scan *s)
{
    size_t left = (size_t)(s->end - s->at);
    if (left >= 2 && s->at[0] == '/' && s->at[1] == '/') {
        while (s->at < s->end && *s->at != '\n')
            s->at++;
        return true;
    }
    if (*s->at == '#') {
        while (s->at < s->end && *s->at != '\n')
            s->at++;
        return true;
    }
    if (left >= 2 && s->at[0] == '/' && s->at[1] == '*') {
        int line = s->line;
        for (s->at += 2; s->at < s->end && !(s->at[0] == '*' && s->at + 1 < s->end && s->at[1] == '/'); s->at++)
            s->line += *s->at == '\n';
        if (s->at == s->end) {
            s->line = line;
            scan_fail(s, "this comment has no end: */ is missing");
        } else {
            s->at += 2;
        }
        return true;
    }
    return false;
}

void scan_blank(struct scan *s)
{
    if (s->failed)
        s->at = s->end;
    if (s->at != s->blank)
        s->last = s->at, s->last_line = s->line;
    while (s->at < s->end) {
        if (isspace((unsigned char)*s->at)) {
            s->line += *s->at == '\n';
            s->at++;
        } else if (!comment(s)) {
            break;
        }
    }
    s->blank = s->at;
}

bool scan_same_line(struct scan *s)
{
    scan_blank(s);
    return s->at < s->end && s->line == s->last_line;
}

bool scan_done(struct scan *s)
{
    scan_blank(s);
    return s->at >= s->end;
}

char scan_peek(struct scan *s)
{
    scan_blank(s);
    return s->at < s->end ? *s->at : 0;
}

static bool in_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

bool scan_sees(struct scan *s, const char *what)
{
    size_t n = strlen(what);
    scan_blank(s);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, what, n) != 0)
        return false;
    return !(in_word(what[n - 1]) && s->at + n < s->end && in_word(s->at[n]));
}

bool scan_takes(struct scan *s, const char *what)
{
    if (!scan_sees(s, what))
        return false;
    s->at += strlen(what);
    return true;
}

void scan_wants(struct scan *s, const char *what)
{
    if (scan_takes(s, what) || s->failed)
        return;
    if (s->at >= s->end)
        scan_fail(s, "\"%s\" expected, and the script ends here", what);
    else
        scan_fail(s, "\"%s\" expected, not \"%.*s\"", what, (int)strcspn(s->at, "\n"), s->at);
}

const char *scan_word(struct scan *s)
{
    scan_blank(s);
    if (s->at >= s->end || !(isalpha((unsigned char)*s->at) || *s->at == '_'))
        return NULL;
    const char *from = s->at;
    while (s->at < s->end && in_word(*s->at))
        s->at++;
    return scan_keep_text(s, from, (size_t)(s->at - from));
}

bool scan_number(struct scan *s, int64_t *out)
{
    scan_blank(s);
    const char *p = s->at;
    bool minus = p < s->end && *p == '-';
    p += minus;
    bool hex = s->end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2]);
    p += hex ? 2 : 0;
    uint64_t v = 0, base = hex ? 16 : 10;
    const char *digits = p;
    for (; p < s->end && (hex ? isxdigit((unsigned char)*p) : isdigit((unsigned char)*p)); p++) {
        uint64_t d = isdigit((unsigned char)*p) ? (uint64_t)(*p - '0') : (uint64_t)(tolower((unsigned char)*p) - 'a' + 10);
        if (v > ((uint64_t)INT64_MAX - d) / base) {
            scan_fail(s, "this number is too large");
            return false;
        }
        v = v * base + d;
    }
    if (p == digits)
        return false;
    s->at = p;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return true;
}

int64_t scan_want_number(struct scan *s, const char *what)
{
    int64_t v = 0;
    if (!scan_number(s, &v) && !s->failed)
        scan_fail(s, "%s expected: a number", what);
    return v;
}

uint32_t scan_want_u32(struct scan *s, const char *what)
{
    int64_t v = scan_want_number(s, what);
    if (v < 0 || v > UINT32_MAX)
        scan_fail(s, "%s: %lld does not fit into 32 bits", what, (long long)v);
    return (uint32_t)v;
}

bool scan_seconds(struct scan *s, int64_t *us)
{
    scan_blank(s);
    const char *p = s->at;
    int64_t v = 0;
    int decimals = 0;
    bool digits = false;
    for (; p < s->end && isdigit((unsigned char)*p); p++, digits = true) {
        if (v > 1000000000)
            return scan_fail(s, "this time is longer than a script can take: 30 years"), false;
        v = v * 10 + (*p - '0');
    }
    v *= 1000000;
    if (p + 1 < s->end && *p == '.' && isdigit((unsigned char)p[1]))
        for (int64_t unit = 100000; ++p < s->end && isdigit((unsigned char)*p); unit /= 10, decimals++, digits = true)
            v += (*p - '0') * unit;       /* finer than a microsecond: let go */
    if (!digits)
        return false;
    s->at = p;
    *us = v;
    return true;
}

const char *scan_until(struct scan *s, const char *end, const char *what)
{
    size_t n = strlen(end);
    const char *from = s->at;
    int line = s->line;
    for (; s->at + n <= s->end; s->at++) {
        if (memcmp(s->at, end, n) == 0) {
            const char *text = scan_keep_text(s, from, (size_t)(s->at - from));
            s->at += n;
            return text;
        }
        s->line += *s->at == '\n';
    }
    s->line = line;
    scan_fail(s, "%s has no end: %s is missing", what, end);
    return "";
}
