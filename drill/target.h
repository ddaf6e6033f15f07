/* SPDX-License-Identifier: MIT
 *
 * target.h: what a script runs on: a stack with sockets, in virtual time. Two are there: the library in this process (inside.c), and whatever exports
 * packetdrill's plug (plug.c).
 *
 * Times are microseconds since the target was made. Calls have the system's arguments and give a result >= 0 or the negative errno.
 */
#ifndef DRILL_TARGET_H
#define DRILL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum drill_function {
    FN_SOCKET, FN_BIND, FN_LISTEN, FN_ACCEPT, FN_ACCEPT4, FN_CONNECT, FN_READ, FN_READV, FN_RECV, FN_RECVFROM, FN_RECVMSG, FN_WRITE, FN_WRITEV, FN_SEND, FN_SENDTO, FN_SENDMSG,
    FN_FCNTL, FN_IOCTL, FN_CLOSE, FN_SHUTDOWN, FN_GETSOCKOPT, FN_SETSOCKOPT, FN_POLL, FN_EPOLL_CREATE, FN_EPOLL_CTL, FN_EPOLL_WAIT, FN_COUNT
};

#define DRILL_WAITS (-4096)               /* the call waits: let time pass and call again with the same arguments and the same wait */

struct drill_wait {                       /* a call on its way; all zero before the first time */
    max_align_t own[8];                   /* the target's */
};

enum drill_stop { STOP_AT_PACKET = 1, STOP_AT_CALL = 2 };

struct drill_target {
    void *self;
    int64_t (*now_us)(void *self);
    /* Lets time pass until `until_us`, or until a packet was sent (STOP_AT_PACKET), or the waiting call may get further (STOP_AT_CALL). */
    void (*pass)(void *self, int64_t until_us, unsigned stop, const struct drill_wait *waiting /* or NULL */);
    void (*arrives)(void *self, const uint8_t *packet, size_t n);
    /* The oldest packet sent that was not taken yet; `packet` has room for 65600 bytes. */
    bool (*sent)(void *self, uint8_t *packet, size_t *n, int64_t *sent_us);
    long (*call)(void *self, enum drill_function, const intptr_t arg[6], struct drill_wait *);
    /* When the latest call that may wait came back; NULL: now. Time may have moved on since: a packet was waited for meanwhile. */
    int64_t (*returned_us)(void *self);
    /* Runs a shell line that makes a setting; NULL: settings are made before the target is. */
    bool (*shell)(void *self, const char *line);
    /* What happened so far, for a script that failed; may be NULL. */
    void (*story)(void *self, FILE *);
    void (*end)(void *self);
};

/* Where the script's packets come from and go to. */
struct drill_net {
    bool ipv6;
    char local[64], remote[64];           /* addresses as text */
    uint32_t mtu;
};

struct drill_config;
struct pl_stack;
struct pl_trace_event;
typedef void drill_hears_fn(void *user, const struct pl_stack *, const struct pl_trace_event *);
struct drill_ears {
    bool story;                           /* what happens is kept for target.story */
    drill_hears_fn *hears;                /* may be NULL */
    void *user;
};
/* The library in this process. False: error says why. */
bool drill_inside(struct drill_target *, const struct drill_net *, const struct drill_config *, const struct drill_ears *, char *error, size_t error_size);

/* A shared object with packetdrill's interface. `settings`: "name=value,..." or NULL. */
bool drill_plug(struct drill_target *, const char *object, const struct drill_net *, const char *settings, char *error, size_t error_size);

#endif
