/* SPDX-License-Identifier: MIT
 *
 * behave.h: the program of behaviours that runs on the kernel and on parley. A behaviour makes calls and says what came of them, in words that do
 * not depend on who answered (no descriptor numbers, no chosen ports); the matrix compares what was said.
 */
#ifndef TESTS_POSIX_BEHAVE_H
#define TESTS_POSIX_BEHAVE_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "calls.h"

enum { SCENE_FDS = 128, SCENE_TEXT = 8192 };

struct scene {
    struct calls *k;
    uint16_t port;                        /* nobody else's: port .. port + 7 */
    int fd[SCENE_FDS], fds;               /* closed at the end */
    char text[SCENE_TEXT];
    size_t length;
};

struct behaviour {
    const char *name;
    void (*run)(struct scene *);
};
extern const struct behaviour behave_names[], behave_opening[], behave_stream[], behave_ends[], behave_options[], behave_ready[], behave_epoll[],
    behave_datagrams[], behave_urgent[];

struct name {                             /* an address, as calls take it */
    struct sockaddr_storage ss;
    socklen_t n;
};
struct name name4(int host, uint16_t port);
struct name name6(int host, uint16_t port);
struct name any4(uint16_t port);
struct name any6(uint16_t port);
struct name mapped(int host, uint16_t port);            /* ::ffff:192.0.2.x */
#define SA(name) ((struct sockaddr *)&(name).ss), (name).n

void say(struct scene *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void told(struct scene *, const char *what, ssize_t result);         /* "what = 3", "what = EAGAIN" */
void told_fd(struct scene *, const char *what, int result);          /* "what = ok": a descriptor, that is kept */
void told_bytes(struct scene *, const char *what, ssize_t result, const void *bytes);
void told_name(struct scene *, const char *what, const struct name *, uint16_t chosen_port);     /* port 0, itself, or "chosen" */
const char *ready_text(unsigned events);  /* "IN|OUT|HUP"; static storage */
void told_ready(struct scene *, const char *what, int fd);           /* all that poll can say of it now */

int keep(struct scene *, int fd);         /* closed at the end */
void gone(struct scene *, int fd);        /* was closed */
int make(struct scene *, int host, int domain, int type);
int tcp4(struct scene *, int host);
int tcp6(struct scene *, int host);
int udp4(struct scene *, int host);
int listener(struct scene *, uint16_t port, int backlog);            /* host 1, every IPv4 address */
struct both {
    int l, c, s;                          /* listener and accepted socket of host 1, client of host 0 */
};
struct both connected(struct scene *);    /* over IPv4 to t->port; all three nonblocking but for nothing: they wait */
void nonblocking(struct scene *, int fd);
void set_int(struct scene *, const char *what, int fd, int level, int name, int v);
void get_int(struct scene *, const char *what, int fd, int level, int name);
void await(struct scene *, int fd, short events);                    /* until it is so, or a long time has passed */
void reset_by_peer(struct scene *, struct both *);                   /* the server's end is closed with a reset; it has arrived */

#endif
