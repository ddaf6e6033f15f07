/* SPDX-License-Identifier: MIT
 *
 * standard.h: standard input and output in an event loop, without ever waiting in them.
 *
 * What a descriptor is decides how: a file never makes anybody wait; a socket is asked with MSG_DONTWAIT; a pipe or terminal is opened a second
 * time, without blocking, because the flag of the first belongs to everybody who shares it (the shell would get its terminal back not blocking).
 * Where it cannot be opened again, poll(2) is asked first: then a read does not wait, nor does a write of one page.
 */
#ifndef CLI_STANDARD_H
#define CLI_STANDARD_H

#include "os/host/loop.h"

struct standard {
    int fd;
    enum { STANDARD_FILE, STANDARD_SOCKET, STANDARD_OPENED, STANDARD_ASKED } kind;
    bool watched;
};

void standard_open(struct standard *, int fd, bool for_writing);
/* Bytes; 0: the end; PL_EAGAIN: not now; PL_EIO: errno says why. */
ptrdiff_t standard_read(struct standard *, void *, size_t n);
ptrdiff_t standard_write(struct standard *, const void *, size_t n);     /* never 0 */
/* Calls fn once it may be worth trying again. */
void standard_watch(struct standard *, struct host_loop *, host_watch_fn *, void *user, bool for_writing);
void standard_unwatch(struct standard *, struct host_loop *);
/* The reader of our output learns that there will be no more. */
void standard_end(struct standard *);
void standard_close(struct standard *);

#endif
