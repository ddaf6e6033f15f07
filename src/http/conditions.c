/* SPDX-License-Identifier: MIT
 *
 * conditions.c: see conditions.h. The order is that of RFC 9110 section 13.2.2, whose steps are numbered below.
 */
#include "http/conditions.h"

#include "http/chars.h"
#include "http/parse.h"

#define FIND(head, mem, cursor, literal, value) http_field_find(head, mem, cursor, "" literal, sizeof(literal) - 1, value)

struct view {
    const struct pl_http_head *head;
    const char *mem;
    const struct pl_http_answer *answer;
    int64_t now_s;
    size_t etag_len;
};

static bool is_weak(const char *s, size_t n)
{
    return n >= 2 && s[0] == 'W' && s[1] == '/';
}

/* RFC 9110 8.8.3.2 */
static bool etag_same(const struct view *v, const char *s, size_t n, bool strong)
{
    const char *own = v->answer->etag;
    size_t own_len = v->etag_len;
    if (own_len == 0 || (strong && (is_weak(s, n) || is_weak(own, own_len))))
        return false;
    size_t skip = is_weak(s, n) ? 2 : 0, own_skip = is_weak(own, own_len) ? 2 : 0;
    return http_same(s + skip, n - skip, own + own_skip, own_len - own_skip);
}

enum found { ABSENT, NO, YES };

/* A list of entity tags, which may be spread over several lines, or "*". */
static enum found find_etag(const struct view *v, const char *name, size_t name_len, bool strong)
{
    struct pl_http_text value;
    uint16_t cursor = 0;
    enum found found = ABSENT;
    while (found != YES && http_field_find(v->head, v->mem, &cursor, name, name_len, &value)) {
        const char *s = v->mem + value.at, *item;
        size_t n = value.len, len;
        found = n == 1 && s[0] == '*' ? YES : NO;
        while (found == NO && http_list_next(&s, &n, &item, &len)) {
            if (etag_same(v, item, len, strong))
                found = YES;
        }
    }
    return found;
}

/* ABSENT: no such field, no valid date in it (13.1.3: ignored), or the file has no date. YES: modified after that date. */
static enum found modified_since(const struct view *v, const char *name, size_t name_len)
{
    struct pl_http_text value;
    uint16_t cursor = 0;
    int64_t date;
    if (v->answer->last_modified == PL_HTTP_NO_DATE || !http_field_find(v->head, v->mem, &cursor, name, name_len, &value) ||
        !pl_http_date_read(v->mem + value.at, value.len, v->now_s, &date))
        return ABSENT;
    return v->answer->last_modified > date ? YES : NO;
}

/* Step 5. RFC 9110 13.1.5: an exact match, by a strong entity tag or by the very date. */
static bool if_range_holds(const struct view *v)
{
    struct pl_http_text value;
    uint16_t cursor = 0;
    int64_t date;
    if (!FIND(v->head, v->mem, &cursor, "if-range", &value))
        return true;
    const char *s = v->mem + value.at;
    if (value.len > 0 && (s[0] == '"' || is_weak(s, value.len)))
        return etag_same(v, s, value.len, true);
    /* 8.8.2.2: a date is a strong validator only if the file had not changed for a second or more when it was sent. */
    return v->answer->last_modified != PL_HTTP_NO_DATE && v->now_s != PL_HTTP_NO_DATE &&
           pl_http_date_read(s, value.len, v->now_s, &date) && date == v->answer->last_modified && date < v->now_s;
}

/* A position; numbers beyond 64 bits are beyond every file. */
static bool position(const char *s, size_t n, uint64_t *value)
{
    for (size_t i = 0; i < n; i++) {
        if (!http_is_digit(s[i]))
            return false;
    }
    if (n > 0 && !http_decimal(s, n, value))
        *value = UINT64_MAX;
    return n > 0;
}

/* RFC 9110 14.1.2: one range of bytes. 200: not one (several ranges, another unit, bad syntax), which 14.2 lets a server ignore. */
static struct http_judgement one_range(const char *s, size_t n, uint64_t size)
{
    struct http_judgement whole = {200, 0, size}, none = {416, 0, 0};
    uint64_t first = 0, last = UINT64_MAX;
    if (n < 6 || !HTTP_IS(s, 6, "bytes="))
        return whole;
    s += 6;
    n -= 6;
    http_trim(&s, &n);
    size_t dash = 0;
    while (dash < n && s[dash] != '-')
        dash++;
    if (dash == n)
        return whole;
    size_t after = n - dash - 1;
    if (dash == 0) {                      /* "-500": the last 500 */
        if (!position(s + 1, after, &last))
            return whole;
        if (last == 0 || size == 0)
            return none;
        return (struct http_judgement){206, last >= size ? 0 : size - last, size};
    }
    if (!position(s, dash, &first) || (after > 0 && !position(s + dash + 1, after, &last)) || last < first)
        return whole;
    if (first >= size)
        return none;
    return (struct http_judgement){206, first, last >= size - 1 ? size : last + 1};
}

struct http_judgement http_judge(const struct pl_http_head *head, const char *mem, const struct pl_http_answer *answer, int64_t date)
{
    struct view v = {head, mem, answer, date, answer->etag ? http_cstr(answer->etag, 65535) : 0};
    struct http_judgement whole = {200, 0, answer->length}, failed = {412, 0, 0}, same = {304, 0, 0};
    enum found match = find_etag(&v, "if-match", 8, true);                                  /* 1 */
    if (match == NO || (match == ABSENT && modified_since(&v, "if-unmodified-since", 19) == YES))    /* 2 */
        return failed;
    enum found none_match = find_etag(&v, "if-none-match", 13, false);                      /* 3 */
    if (none_match == YES || (none_match == ABSENT && modified_since(&v, "if-modified-since", 17) == NO))    /* 4 */
        return same;
    struct pl_http_text value, again;
    uint16_t cursor = 0;
    /* 14.2: Range is defined for GET only. More than one Range line is no valid field. */
    if (head->method != PL_HTTP_GET || !FIND(head, mem, &cursor, "range", &value) || FIND(head, mem, &cursor, "range", &again) ||
        !if_range_holds(&v))                                                                /* 5 */
        return whole;
    return one_range(mem + value.at, value.len, answer->length);
}
