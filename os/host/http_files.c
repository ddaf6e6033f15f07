/* SPDX-License-Identifier: MIT
 *
 * http_files.c: see http_files.h.
 */
#include "os/host/http_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/host/http_listing.h"

/* O_NONBLOCK: a FIFO among the files must not block us; it is turned away once we see what it is. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

int http_root_open(struct http_root *root, const char *dir, bool listing)
{
    *root = (struct http_root){.fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), .listing = listing};
    return root->fd < 0 ? -errno : 0;
}

void http_root_close(struct http_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

/* Without openat2: one component after the other, following no link. */
static int open_by_steps(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (at >= 0 && *path) {
        size_t len = strcspn(path, "/");
        bool last = path[len] == '\0' || path[len + 1] == '\0';
        if (len == 0 || len > NAME_MAX || (len == 2 && path[0] == '.' && path[1] == '.')) {
            close(at);
            errno = len > NAME_MAX ? ENAMETOOLONG : EXDEV;
            return -1;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        /* A final '/' asks for a directory. */
        int flags = !last ? O_PATH | O_DIRECTORY | O_CLOEXEC : path[len] == '/' ? OPEN_FLAGS | O_DIRECTORY : OPEN_FLAGS;
        int next = openat(at, name, flags | O_NOFOLLOW);
        int error = errno;
        close(at);
        errno = error;
        at = next;
        path += len + (path[len] == '/');
    }
    return at;
}

/* path: relative; "." is the root itself. */
static int open_beneath(const struct http_root *root, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int attempt = 0; !root->walk && attempt < 8; attempt++) {
        long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno == ENOSYS || errno == EPERM || errno == E2BIG || errno == EINVAL)
            break;                        /* an older kernel, or a sandbox that does not know the call */
        if (errno != EAGAIN)              /* EAGAIN: something was renamed while the kernel looked */
            return -1;
    }
    return open_by_steps(root->fd, path);
}

static int status_of_errno(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return 503;
    case EIO:
        return 500;
    default:                              /* ENOENT, ENOTDIR, EXDEV (it leads outside), ELOOP, ENAMETOOLONG, ENXIO, ... */
        return 404;
    }
}

static bool has_hidden_part(const char *path)
{
    return strstr(path, "/.") != NULL;
}

static void describe(struct http_content *c, const struct stat *st, const char *name)
{
    c->bytes = (uint64_t)st->st_size;
    c->modified_s = st->st_mtim.tv_sec;
    c->type = http_media_type(name);
    snprintf(c->etag, sizeof c->etag, "\"%" PRIx64 "-%" PRIx64 "-%lx\"", (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
             (unsigned long)st->st_mtim.tv_nsec);
}

/* A regular file: 200. Something else: its status, fd closed. 0: a directory, *fd left open. */
static int take_file(struct http_content *c, int fd, const char *name)
{
    struct stat st;
    int status = 0;
    if (fstat(fd, &st) != 0)
        status = 500;
    else if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        status = 403;
    if (status != 0 || S_ISDIR(st.st_mode)) {
        if (status != 0)
            close(fd);
        return status;
    }
    describe(c, &st, name);
    c->fd = fd;
    return 200;
}

/* A directory, open as `fd`, which this takes over: its index.html, else its list. `path` ends with '/'. */
static int open_directory(const struct http_root *root, int fd, const char *path, struct http_content *c)
{
    char index[PATH_MAX];
    int status = 0;
    snprintf(index, sizeof index, "%sindex.html", path + 1);
    int file = strlen(path) + sizeof "index.html" < sizeof index ? open_beneath(root, index) : -1;
    if (file >= 0) {
        status = take_file(c, file, index);
        if (status == 0)
            close(file);                  /* a directory of that name */
    }
    if (status == 200 || !root->listing) {
        close(fd);
        return status == 200 ? 200 : 403;
    }
    size_t bytes;
    c->text = http_listing_make(fd, path, &bytes);         /* closes fd */
    if (!c->text)
        return 503;
    c->bytes = bytes;
    c->type = "text/html; charset=utf-8";
    return 200;
}

int http_content_open(const struct http_root *root, const char *path, size_t len, struct http_content *c)
{
    *c = (struct http_content){.fd = -1, .modified_s = INT64_MIN, .type = ""};
    /* A NUL would end the path for the kernel, but not for whoever looked at it before. */
    if (len == 0 || path[0] != '/' || len >= PATH_MAX || strlen(path) != len || has_hidden_part(path))
        return 404;
    int fd = open_beneath(root, len == 1 ? "." : path + 1);
    if (fd < 0)
        return status_of_errno(errno);
    int status = take_file(c, fd, path);
    if (status != 0)
        return status;
    if (path[len - 1] == '/')
        return open_directory(root, fd, path, c);
    close(fd);
    return 301;
}

ptrdiff_t http_content_read(const struct http_content *c, uint64_t at, void *out, size_t n)
{
    if (c->text) {
        if (at >= c->bytes)
            return 0;
        n = n < c->bytes - at ? n : (size_t)(c->bytes - at);
        memcpy(out, c->text + at, n);
        return (ptrdiff_t)n;
    }
    ssize_t r;
    do {
        r = pread(c->fd, out, n, (off_t)at);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}

void http_content_close(struct http_content *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->text);
    c->fd = -1;
    c->text = NULL;
}

const char *http_media_type(const char *name)
{
    static const char *const types[][2] = {
        {"html", "text/html; charset=utf-8"},
        {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"},
        {"js", "text/javascript; charset=utf-8"},
        {"mjs", "text/javascript; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"},
        {"md", "text/markdown; charset=utf-8"},
        {"csv", "text/csv; charset=utf-8"},
        {"xml", "text/xml"},
        {"json", "application/json"},
        {"wasm", "application/wasm"},
        {"pdf", "application/pdf"},
        {"zip", "application/zip"},
        {"gz", "application/gzip"},
        {"tar", "application/x-tar"},
        {"svg", "image/svg+xml"},
        {"png", "image/png"},
        {"jpg", "image/jpeg"},
        {"jpeg", "image/jpeg"},
        {"gif", "image/gif"},
        {"webp", "image/webp"},
        {"avif", "image/avif"},
        {"ico", "image/x-icon"},
        {"mp3", "audio/mpeg"},
        {"ogg", "audio/ogg"},
        {"wav", "audio/wav"},
        {"mp4", "video/mp4"},
        {"webm", "video/webm"},
        {"woff", "font/woff"},
        {"woff2", "font/woff2"},
        {"ttf", "font/ttf"},
        {"pcap", "application/vnd.tcpdump.pcap"},
        {"pcapng", "application/x-pcapng"},
        {"c", "text/plain; charset=utf-8"},
        {"h", "text/plain; charset=utf-8"},
        {"log", "text/plain; charset=utf-8"},
    };
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(dot + 1, types[i][0]) == 0)
            return types[i][1];
    }
    return "application/octet-stream";
}
