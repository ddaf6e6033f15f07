/* SPDX-License-Identifier: MIT
 *
 * standard.c: see standard.h.
 */
#include "cli/standard.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096                   /* POSIX's PIPE_BUF here: a pipe that poll calls writable takes as much */

void standard_open(struct standard *s, int fd, bool for_writing)
{
    struct stat is;
    char path[40];
    *s = (struct standard){.fd = fd, .kind = STANDARD_FILE};
    if (fstat(fd, &is) < 0 || S_ISREG(is.st_mode) || S_ISBLK(is.st_mode)) return;      /* a closed one: the first read or write says so */
    s->kind = S_ISSOCK(is.st_mode) ? STANDARD_SOCKET : STANDARD_ASKED;
    if (s->kind == STANDARD_SOCKET) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, (for_writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (again < 0) return;
    s->fd = again;
    s->kind = STANDARD_OPENED;
}

static bool may_try(const struct standard *s, short events)
{
    struct pollfd p = {.fd = s->fd, .events = events};
    return s->kind != STANDARD_ASKED || poll(&p, 1, 0) > 0;
}

static ptrdiff_t result(ssize_t n)
{
    return n >= 0 ? n : errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? PL_EAGAIN : PL_EIO;
}

ptrdiff_t standard_read(struct standard *s, void *to, size_t n)
{
    if (!may_try(s, POLLIN)) return PL_EAGAIN;
    return result(s->kind == STANDARD_SOCKET ? recv(s->fd, to, n, MSG_DONTWAIT) : read(s->fd, to, n));
}

ptrdiff_t standard_write(struct standard *s, const void *from, size_t n)
{
    if (!may_try(s, POLLOUT)) return PL_EAGAIN;
    if (s->kind == STANDARD_ASKED && n > PAGE_BYTES) n = PAGE_BYTES;
    return result(s->kind == STANDARD_SOCKET ? send(s->fd, from, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(s->fd, from, n));
}

void standard_watch(struct standard *s, struct host_loop *l, host_watch_fn *fn, void *user, bool for_writing)
{
    if (!s->watched) s->watched = host_loop_watch(l, s->fd, for_writing ? POLLOUT : POLLIN, fn, user) == 0;
}

void standard_unwatch(struct standard *s, struct host_loop *l)
{
    if (s->watched) host_loop_unwatch(l, s->fd);
    s->watched = false;
}

void standard_close(struct standard *s)
{
    if (s->kind == STANDARD_OPENED) close(s->fd);
    s->kind = STANDARD_FILE;
    s->fd = -1;
}

void standard_end(struct standard *s)
{
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (s->kind == STANDARD_SOCKET) shutdown(s->fd, SHUT_WR);
    standard_close(s);
    /* The number stays taken, or the next file to be opened would be standard output. */
    if (nothing >= 0) dup2(nothing, STDOUT_FILENO), close(nothing);
}
