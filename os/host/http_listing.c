/* SPDX-License-Identifier: MIT
 *
 * http_listing.c: see http_listing.h. File names are anybody's text: each is escaped twice over, as part of a URL and as part of a page.
 */
#include "os/host/http_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put_html(FILE *out, const char *s)
{
    for (; *s; s++) {
        switch (*s) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, out); break;
        }
    }
}

/* RFC 3986 2.3: everything that is not unreserved is escaped. */
static void put_url(FILE *out, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c))
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
}

static void put_entry(FILE *out, int dir, const char *name)
{
    struct stat st;
    bool known = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    const char *slash = known && S_ISDIR(st.st_mode) ? "/" : "";
    fputs("<tr><td><a href=\"./", out);                    /* "./": a name like "a:b" is not a scheme */
    put_url(out, name);
    fprintf(out, "%s\">", slash);
    put_html(out, name);
    fprintf(out, "%s</a></td><td align=\"right\">", slash);
    if (known && S_ISREG(st.st_mode))
        fprintf(out, "%" PRIu64, (uint64_t)st.st_size);
    fputs("</td></tr>\n", out);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_names(DIR *dir, char **names, bool *more)
{
    size_t n = 0;
    const struct dirent *entry;
    *more = false;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (n == HTTP_LISTING_ENTRIES_MAX) {
            *more = true;
            break;
        }
        names[n] = strdup(entry->d_name);
        if (!names[n])
            break;
        n++;
    }
    qsort(names, n, sizeof names[0], by_name);
    return n;
}

static void put_page(FILE *out, DIR *dir, const char *path, char **names)
{
    bool more;
    size_t n = read_names(dir, names, &more);
    fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>", out);
    put_html(out, path);
    fputs("</title></head>\n<body><h1>", out);
    put_html(out, path);
    fputs("</h1>\n<table>\n", out);
    if (strcmp(path, "/") != 0)
        fputs("<tr><td><a href=\"../\">../</a></td><td></td></tr>\n", out);
    for (size_t i = 0; i < n; i++) {
        put_entry(out, dirfd(dir), names[i]);
        free(names[i]);
    }
    fputs("</table>\n", out);
    if (more)
        fprintf(out, "<p>Only %d names are shown.</p>\n", HTTP_LISTING_ENTRIES_MAX);
    fputs("</body></html>\n", out);
}

char *http_listing_make(int fd, const char *path, size_t *bytes)
{
    char *page = NULL;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return NULL;
    }
    char **names = calloc(HTTP_LISTING_ENTRIES_MAX, sizeof *names);
    FILE *out = names ? open_memstream(&page, bytes) : NULL;
    if (out) {
        put_page(out, dir, path, names);
        if (fclose(out) != 0) {
            free(page);
            page = NULL;
        }
    }
    free(names);
    closedir(dir);
    return page;
}
