/* SPDX-License-Identifier: MIT
 *
 * compose.c: see compose.h. Also the names of status codes, RFC 9110 section 15.
 */
#include "http/compose.h"

#include <string.h>

#include "http/chars.h"

void http_put(struct http_writer *w, const char *s, size_t n)
{
    if (w->at <= w->bytes && n <= w->bytes - w->at)
        memcpy(w->out + w->at, s, n);
    w->at += n;
}

void http_put_cstr(struct http_writer *w, const char *s)
{
    http_put(w, s, http_cstr(s, 65535));
}

void http_put_decimal(struct http_writer *w, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (char)(value % 10));
        value /= 10;
    } while (value > 0);
    http_put(w, digits + at, sizeof digits - at);
}

void http_put_date(struct http_writer *w, const char *name_and_colon, int64_t unix_s)
{
    char date[30];
    if (unix_s == PL_HTTP_NO_DATE || !pl_http_date_write(unix_s, date))
        return;
    http_put_cstr(w, name_and_colon);
    http_put(w, date, sizeof date - 1);
    HTTP_PUT(w, "\r\n");
}

/* X(status, name) */
#define REASONS(X)                                                                                                                     \
    X(100, "Continue") X(101, "Switching Protocols") X(200, "OK") X(201, "Created") X(202, "Accepted")                                 \
    X(203, "Non-Authoritative Information") X(204, "No Content") X(205, "Reset Content") X(206, "Partial Content")                     \
    X(300, "Multiple Choices") X(301, "Moved Permanently") X(302, "Found") X(303, "See Other") X(304, "Not Modified")                  \
    X(307, "Temporary Redirect") X(308, "Permanent Redirect") X(400, "Bad Request") X(401, "Unauthorized") X(403, "Forbidden")         \
    X(404, "Not Found") X(405, "Method Not Allowed") X(406, "Not Acceptable") X(408, "Request Timeout") X(409, "Conflict")             \
    X(410, "Gone") X(411, "Length Required") X(412, "Precondition Failed") X(413, "Content Too Large") X(414, "URI Too Long")          \
    X(415, "Unsupported Media Type") X(416, "Range Not Satisfiable") X(417, "Expectation Failed") X(421, "Misdirected Request")        \
    X(422, "Unprocessable Content") X(426, "Upgrade Required") X(429, "Too Many Requests")                                             \
    X(431, "Request Header Fields Too Large") X(500, "Internal Server Error") X(501, "Not Implemented") X(502, "Bad Gateway")          \
    X(503, "Service Unavailable") X(504, "Gateway Timeout") X(505, "HTTP Version Not Supported")

const char *pl_http_reason(int status)
{
    switch (status) {
#define X(code, text)                                                                                                                  \
    case code:                                                                                                                         \
        return text;
        REASONS(X)
#undef X
    default:
        break;
    }
    switch (status / 100) {
    case 1: return "Informational";
    case 2: return "Successful";
    case 3: return "Redirection";
    case 4: return "Client Error";
    case 5: return "Server Error";
    default: return "Unknown";
    }
}

const char *pl_http_fault_text(int fault)
{
    switch (fault) {
#define X(name, text)                                                                                                                  \
    case PL_HTTP_F_##name:                                                                                                             \
        return text;
        PL_HTTP_FAULTS(X)
#undef X
    default:
        return "unknown fault";
    }
}
