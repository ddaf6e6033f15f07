/* SPDX-License-Identifier: MIT
 *
 * http_site.h: answers requests from a served directory: GET and HEAD of files, index pages and lists; OPTIONS; 405 for the rest.
 */
#ifndef PARLEY_OS_HOST_HTTP_SITE_H
#define PARLEY_OS_HOST_HTTP_SITE_H

#include <parley/http.h>

#include "os/host/http_files.h"

/* Answers the request that waits in `engine` (call it on PL_HTTP_REQUEST). *content: what the body bytes are read from; it is left
 * closed (fd -1, text NULL) when the answer needs none of the caller's bytes. Returns the status of the answer. */
int http_site_answer(const struct http_root *, pl_http_server *engine, struct http_content *content, pl_time now);

#endif
