/* SPDX-License-Identifier: MIT
 *
 * target.c: request targets, hosts and paths. RFC 9112 section 3.2, RFC 9110 section 4.2, RFC 3986 sections 2.1, 3.2 and 6.2.2.
 *
 * A path is checked here, before any program sees it, so that no ".." and no NUL can be smuggled behind an escape; the program decodes it
 * with the same function and needs no check of its own.
 */
#include "http/chars.h"
#include "http/parse.h"

static bool is_reg_name_char(char c)
{
    if (http_is_alpha(c) || http_is_digit(c))
        return true;
    switch (c) {
    case '-': case '.': case '_': case '~': case '%':                                       /* unreserved, escapes */
    case '!': case '$': case '&': case '\'': case '(': case ')': case '*': case '+': case ',': case ';': case '=':
        return true;
    default:
        return false;
    }
}

/* Characters of an IP literal between its brackets: IPv6, IPvFuture and a zone. */
static bool is_literal_char(char c)
{
    return c == ':' || is_reg_name_char(c);
}

static bool port_valid(const char *s, size_t n)
{
    uint64_t port = 0;
    return n == 0 || (n <= 5 && http_decimal(s, n, &port) && port <= 65535);
}

bool http_host_valid(const char *s, size_t n)
{
    size_t i = 0;
    if (n > 0 && s[0] == '[') {
        for (i = 1; i < n && s[i] != ']'; i++) {
            if (!is_literal_char(s[i]))
                return false;
        }
        if (i == n || i == 1)
            return false;
        i++;
    } else {
        while (i < n && is_reg_name_char(s[i]))
            i++;
    }
    if (i == n)
        return true;
    /* RFC 9110 4.2.4: a user name before the host is a phishing aid; '@' is not a character of a host. */
    return s[i] == ':' && i > 0 && port_valid(s + i + 1, n - i - 1);
}

static struct pl_http_text piece(size_t from, size_t to)
{
    return (struct pl_http_text){(uint16_t)from, (uint16_t)(to - from)};
}

/* mem[from, to) = absolute-path [ "?" query ] */
static int split_origin(struct pl_http_head *head, const char *mem, size_t from, size_t to)
{
    size_t path_end = from;
    while (path_end < to && mem[path_end] != '?' && mem[path_end] != '#')
        path_end++;
    head->path = piece(from, path_end);
    if (path_end < to && mem[path_end] == '?')
        head->query = piece(path_end + 1, to);
    for (size_t i = path_end; i < to; i++) {
        if (mem[i] == '#')                /* RFC 9112 3.2.1: a fragment is never sent */
            return HTTP_BAD;
    }
    return pl_http_path_decode(mem + from, path_end - from, NULL, 0) < 0 ? HTTP_BAD : HTTP_DONE;
}

/* RFC 9112 3.2.2: http://host/path; a server MUST accept it, and its host wins over the Host field. */
static int split_absolute(struct pl_http_head *head, const char *mem, size_t from, size_t to)
{
    size_t host_at = from + 7;
    if (to - from < 8 || !HTTP_IS(mem + from, 7, "http://"))
        return HTTP_BAD;
    size_t host_end = host_at;
    while (host_end < to && mem[host_end] != '/' && mem[host_end] != '?' && mem[host_end] != '#')
        host_end++;
    /* RFC 9110 4.2.1: an http URI with an empty host is invalid. */
    if (host_end == host_at || mem[host_at] == ':' || !http_host_valid(mem + host_at, host_end - host_at))
        return HTTP_BAD;
    head->host = piece(host_at, host_end);
    head->flags |= PL_HTTP_H_ABSOLUTE;
    if (host_end < to && mem[host_end] == '/')
        return split_origin(head, mem, host_end, to);
    /* RFC 9110 4.2.3: an empty path means "/". The slash that ends the scheme stands for it; OPTIONS would mean "*". */
    head->path = piece(host_at - 1, host_at);
    if (host_end < to) {
        if (mem[host_end] == '#')
            return HTTP_BAD;
        head->query = piece(host_end + 1, to);
        for (size_t i = host_end; i < to; i++) {
            if (mem[i] == '#')
                return HTTP_BAD;
        }
    }
    return HTTP_DONE;
}

int http_target_split(struct pl_http_head *head, const char *mem)
{
    size_t from = head->target.at, to = from + head->target.len;
    if (head->method == PL_HTTP_CONNECT) {
        /* RFC 9112 3.2.3: authority-form, only for CONNECT, and with a port. */
        if (!http_host_valid(mem + from, to - from) || mem[to - 1] == ':' || mem[from] == ':')
            return HTTP_BAD;
        head->host = head->target;
        return HTTP_DONE;
    }
    if (mem[from] == '/')
        return split_origin(head, mem, from, to);
    if (mem[from] == '*') {
        /* RFC 9112 3.2.4: asterisk-form, only for OPTIONS. */
        head->path = head->target;
        return head->target.len == 1 && head->method == PL_HTTP_OPTIONS ? HTTP_DONE : HTTP_BAD;
    }
    return split_absolute(head, mem, from, to);
}

/* Decodes one character at s[*i]; -1: bad escape, NUL or an encoded '/'. */
static int path_char(const char *s, size_t n, size_t *i)
{
    char c = s[(*i)++];
    if (c != '%')
        return (uint8_t)c;
    if (n - *i < 2)
        return -1;
    int hi = http_hex(s[*i]), lo = http_hex(s[*i + 1]);
    *i += 2;
    if (hi < 0 || lo < 0)
        return -1;
    int value = hi * 16 + lo;
    return value == 0 || value == '/' ? -1 : value;
}

struct path_writer {
    char *out;
    size_t bytes, at;                     /* at counts on beyond the room, so that the caller sees the overflow */
};

static void path_put(struct path_writer *w, char c)
{
    if (w->at < w->bytes)
        w->out[w->at] = c;
    w->at++;
}

/* One segment, s[*i] up to the next '/' or the end. Returns its decoded length, -1 if refused; "." and empty ones leave nothing behind. */
static ptrdiff_t path_segment(struct path_writer *w, const char *s, size_t n, size_t *i)
{
    size_t start = w->at, len = 0;
    bool dots = true;
    while (*i < n && s[*i] != '/') {
        int c = path_char(s, n, i);
        if (c < 0)
            return -1;
        dots = dots && c == '.';
        len++;
        path_put(w, (char)(uint8_t)c);
    }
    if (dots && len == 2)
        return -1;                        /* ".." */
    if (dots && len == 1) {
        w->at = start;
        return 0;
    }
    return (ptrdiff_t)len;
}

ptrdiff_t pl_http_path_decode(const char *path, size_t len, char *out, size_t out_bytes)
{
    struct path_writer w = {out, out ? out_bytes : 0, 0};
    if (len == 0 || path[0] != '/')
        return PL_EINVAL;
    path_put(&w, '/');
    size_t i = 1;
    while (i < len) {
        ptrdiff_t segment = path_segment(&w, path, len, &i);
        if (segment < 0)
            return PL_EINVAL;
        if (i < len) {
            i++;                          /* the '/' */
            if (segment > 0)
                path_put(&w, '/');
        }
    }
    if (out) {
        if (w.at >= out_bytes)
            return PL_EMSGSIZE;
        out[w.at] = '\0';
    }
    return (ptrdiff_t)w.at;
}
