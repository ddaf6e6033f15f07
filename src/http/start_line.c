/* SPDX-License-Identifier: MIT
 *
 * start_line.c: the request line and the status line. RFC 9112 sections 2.3, 3 and 4; RFC 1945 sections 5.1 and 6.1.
 */
#include "http/chars.h"
#include "http/parse.h"

#define METHOD_BYTES_MAX 32               /* longer tokens are no method of anybody's */

static int method_of(const char *s, size_t n)
{
#define X(name)                                                                                                                        \
    if (http_same(s, n, #name, sizeof(#name) - 1))                                                                                     \
        return PL_HTTP_##name;
    PL_HTTP_METHODS(X)
#undef X
    return PL_HTTP_NO_METHOD;
}

const char *pl_http_method_name(int method)
{
    switch (method) {
#define X(name)                                                                                                                        \
    case PL_HTTP_##name:                                                                                                               \
        return #name;
        PL_HTTP_METHODS(X)
#undef X
    default:
        return "";
    }
}

/* RFC 9112 2.3: "HTTP" "/" DIGIT "." DIGIT, in capitals. */
static int version_of(struct pl_http_head *head, const char *s, size_t n)
{
    if (n != 8 || !http_same(s, 5, "HTTP/", 5) || !http_is_digit(s[5]) || s[6] != '.' || !http_is_digit(s[7]))
        return HTTP_BAD;
    if (s[5] != '1')
        return HTTP_BAD_VERSION;
    /* RFC 9110 2.5: a higher minor version is treated as the highest one known. */
    head->minor = s[7] == '0' ? 0 : 1;
    return HTTP_DONE;
}

static size_t find_blank(const char *s, size_t from, size_t n)
{
    while (from < n && s[from] != ' ')
        from++;
    return from;
}

int http_request_line_too_long(const char *mem, size_t len)
{
    size_t method_len = find_blank(mem, 0, len);
    if (!http_is_token(mem, method_len))
        return HTTP_BAD;
    /* RFC 9112 3: a method longer than any known one gets 501, a target longer than any wanted one gets 414. */
    return method_of(mem, method_len) == PL_HTTP_NO_METHOD ? HTTP_NOT_IMPLEMENTED : HTTP_LINE_TOO_LONG;
}

/* RFC 9112 3: method SP request-target SP HTTP-version, with single spaces. Lenient splitting at other blanks is a MAY that makes room
 * for smuggling, and is refused. */
int http_request_line(struct pl_http_head *head, const char *mem, size_t len)
{
    size_t method_len = find_blank(mem, 0, len);
    if (!http_is_token(mem, method_len) || method_len == len)
        return HTTP_BAD;
    size_t target_at = method_len + 1;
    size_t target_end = find_blank(mem, target_at, len);
    if (target_end == len || target_end == target_at)
        return HTTP_BAD;                  /* also HTTP/0.9, which names no version */
    for (size_t i = target_at; i < target_end; i++) {
        /* RFC 3986 2: a URI is made of printable ASCII. */
        if (http_is_ctl(mem[i]) || (uint8_t)mem[i] >= 0x80)
            return HTTP_BAD;
    }
    int r = version_of(head, mem + target_end + 1, len - target_end - 1);
    if (r != HTTP_DONE)
        return r;
    head->method = (uint8_t)method_of(mem, method_len);
    if (method_len > METHOD_BYTES_MAX || head->method == PL_HTTP_NO_METHOD)
        return HTTP_NOT_IMPLEMENTED;
    head->target.at = (uint16_t)target_at;
    head->target.len = (uint16_t)(target_end - target_at);
    return http_target_split(head, mem);
}

/* RFC 9112 4: HTTP-version SP 3DIGIT SP [reason]. Servers exist that leave the last space out when there is no reason; nothing can hide
 * behind that, so it is taken. */
int http_status_line(struct pl_http_head *head, const char *mem, size_t len)
{
    if (len < 8)
        return HTTP_BAD;
    int r = version_of(head, mem, 8);
    if (r != HTTP_DONE)
        return r;
    if (len < 12 || mem[8] != ' ' || !http_is_digit(mem[9]) || !http_is_digit(mem[10]) || !http_is_digit(mem[11]))
        return HTTP_BAD;
    head->status = (uint16_t)((mem[9] - '0') * 100 + (mem[10] - '0') * 10 + (mem[11] - '0'));
    if (head->status < 100 || head->status > 599 || (len > 12 && mem[12] != ' '))
        return HTTP_BAD;
    if (len > 13) {
        head->reason.at = 13;
        head->reason.len = (uint16_t)(len - 13);
    }
    return HTTP_DONE;
}
