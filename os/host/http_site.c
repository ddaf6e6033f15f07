/* SPDX-License-Identifier: MIT
 *
 * http_site.c: see http_site.h. RFC 9110 sections 9.3 and 15.
 */
#include "os/host/http_site.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ALLOWED "GET, HEAD, OPTIONS"

/* A directory asked for without its final '/': relative links in its pages would miss. The answer names only the last part of the path
 * ("./dir/"), so that no text of the request can turn it into another host. */
static int redirect(pl_http_server *engine, pl_time now)
{
    char location[1024];
    const struct pl_http_head *head = pl_http_server_head(engine);
    size_t path_len, query_len;
    const char *path = pl_http_server_text(engine, head->path, &path_len);
    const char *query = pl_http_server_text(engine, head->query, &query_len);
    const char *last = path + path_len;
    while (last > path && last[-1] != '/')
        last--;
    int n = snprintf(location, sizeof location, "./%.*s/%s%.*s", (int)(path + path_len - last), last, query_len > 0 ? "?" : "",
                     (int)query_len, query);
    struct pl_http_answer a = {.status = 301, .last_modified = PL_HTTP_NO_DATE, .location = location};
    int status = n < (int)sizeof location ? pl_http_server_answer(engine, &a, now) : PL_EINVAL;
    return status > 0 ? status : pl_http_server_error(engine, 404, NULL, now);
}

static int answer_content(pl_http_server *engine, struct http_content *c, pl_time now)
{
    struct pl_http_answer a = {
        .status = 200, .length = c->bytes, .last_modified = c->modified_s, .content_type = c->type, .etag = c->etag[0] ? c->etag : NULL,
        .ranges = !c->text,
    };
    struct pl_http_out out;
    int status = pl_http_server_answer(engine, &a, now);
    if (status < 0)
        status = pl_http_server_error(engine, 500, NULL, now);
    pl_http_server_out(engine, &out);
    if (out.body_bytes == 0)              /* HEAD, 304, 416, an empty file */
        http_content_close(c);
    return status;
}

int http_site_answer(const struct http_root *root, pl_http_server *engine, struct http_content *content, pl_time now)
{
    char path[PATH_MAX];
    const struct pl_http_head *head = pl_http_server_head(engine);
    *content = (struct http_content){.fd = -1};
    if (head->method == PL_HTTP_OPTIONS) {
        struct pl_http_answer a = {.status = 204, .last_modified = PL_HTTP_NO_DATE, .allow = ALLOWED};
        return pl_http_server_answer(engine, &a, now);
    }
    if (head->method != PL_HTTP_GET && head->method != PL_HTTP_HEAD)
        return pl_http_server_error(engine, 405, ALLOWED, now);
    size_t raw_len;
    const char *raw = pl_http_server_text(engine, head->path, &raw_len);
    ptrdiff_t len = pl_http_path_decode(raw, raw_len, path, sizeof path);
    int status = len < 0 ? 404 : http_content_open(root, path, (size_t)len, content);
    if (status == 200)
        return answer_content(engine, content, now);
    return status == 301 ? redirect(engine, now) : pl_http_server_error(engine, status, NULL, now);
}
