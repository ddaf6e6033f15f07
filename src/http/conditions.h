/* SPDX-License-Identifier: MIT
 *
 * conditions.h: conditional requests and ranges, as a pure judgement. RFC 9110 sections 13 and 14.
 */
#ifndef PARLEY_HTTP_CONDITIONS_H
#define PARLEY_HTTP_CONDITIONS_H

#include <parley/http.h>

struct http_judgement {
    int status;                           /* 200, 206, 304, 412 or 416 */
    uint64_t from, to;                    /* 206: the bytes [from, to) */
};

/* What GET or HEAD of a file of answer->length bytes gets, by the fields of the request, answer->etag and answer->last_modified.
 * date: now, or PL_HTTP_NO_DATE. */
struct http_judgement http_judge(const struct pl_http_head *, const char *mem, const struct pl_http_answer *, int64_t date);

#endif
