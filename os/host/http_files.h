/* SPDX-License-Identifier: MIT
 *
 * http_files.h: the files of one served directory, and nothing outside of it.
 *
 * The kernel itself is asked to resolve each path beneath the directory (openat2 with RESOLVE_BENEATH), so neither "..", nor a symbolic
 * link, nor one that is swapped in while we look, leads out; links that stay inside work. Where openat2 is missing or forbidden, each
 * component is opened on its own without following any link. Names that begin with a dot are neither served nor listed.
 */
#ifndef PARLEY_OS_HOST_HTTP_FILES_H
#define PARLEY_OS_HOST_HTTP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_root {
    int fd;
    bool listing;                         /* directories without index.html are listed; else 403 */
    bool walk;                            /* open component by component, as if there were no openat2 */
};

/* What a path leads to: a file (fd >= 0) or a page made in memory (text). */
struct http_content {
    int fd;
    char *text;
    uint64_t bytes;
    int64_t modified_s;                   /* Unix seconds; of a page: INT64_MIN */
    char etag[56];                        /* with its quotes; of a page: empty */
    const char *type;                     /* media type, static text */
};

/* Opens a directory for serving; 0, or a negative errno value. */
int http_root_open(struct http_root *, const char *dir, bool listing);
void http_root_close(struct http_root *);

/* Opens what the decoded path (starting with '/', as pl_http_path_decode writes it) leads to. Returns the status of the answer: 200 with
 * *content open; 301: a directory, and the path lacks its final '/'; 403, 404, 500, 503 (out of descriptors or memory). */
int http_content_open(const struct http_root *, const char *path, size_t len, struct http_content *);
/* Reads up to n bytes at an offset. Fewer than there should be: the file has shrunk. Negative errno value on failure. */
ptrdiff_t http_content_read(const struct http_content *, uint64_t at, void *out, size_t n);
void http_content_close(struct http_content *);

/* The media type for a file name, by its extension; "application/octet-stream" if it is not known. */
const char *http_media_type(const char *name);

#endif
