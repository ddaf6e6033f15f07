/* SPDX-License-Identifier: MIT
 *
 * http_listing.h: a directory as a page of HTML.
 */
#ifndef PARLEY_OS_HOST_HTTP_LISTING_H
#define PARLEY_OS_HOST_HTTP_LISTING_H

#include <stddef.h>

#define HTTP_LISTING_ENTRIES_MAX 5000

/* A page that lists the directory open as `fd` (which is closed), sorted by name, hidden names left out, at most HTTP_LISTING_ENTRIES_MAX
 * of them. `path`: how the reader knows it. The page is the caller's to free; NULL: out of memory, or the directory cannot be read. */
char *http_listing_make(int fd, const char *path, size_t *bytes);

#endif
