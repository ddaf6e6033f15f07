/* SPDX-License-Identifier: MIT
 *
 * calls.h: a script's call as arguments of a system call, and what it gave back compared with what the script says.
 */
#ifndef DRILL_CALLS_H
#define DRILL_CALLS_H

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "drill/script.h"
#include "drill/target.h"

enum { DRILL_FDS = 1024, DRILL_POLLS = 16, DRILL_PIECES = 16 };

struct drill_names {                      /* what a script leaves open: "..." */
    struct sockaddr_storage bind, connect;
    socklen_t bytes;
    int fd[DRILL_FDS];                    /* the target's descriptor for the script's; -1: none */
    int domain;                           /* AF_INET, AF_INET6: of socket(..., ...) */
};

/* A call that was begun. */
struct drill_doing {
    const struct drill_event *event;
    const struct drill_form *form;
    int64_t began_us;
    enum drill_function function;
    intptr_t arg[6];
    struct drill_wait wait;
    long result;
    /* what the arguments point to */
    struct sockaddr_storage name;
    socklen_t name_bytes;
    bool no_name;                         /* NULL stands where the address would */
    uint8_t *buffer;
    size_t buffer_bytes;
    struct iovec piece[DRILL_PIECES];
    struct msghdr message;
    struct pollfd poll[DRILL_POLLS];
    struct epoll_event epoll[DRILL_POLLS];
    union {
        int number[16];
        uint8_t bytes[512];
        struct linger linger;
        struct timeval time;
    } option;
    socklen_t option_bytes, option_room;
    const struct drill_value *expect;     /* what an argument must hold afterwards */
};

/* Prepares the call of an event. NULL: error says what is not understood. */
struct drill_doing *drill_call_begin(const struct drill_event *, const struct drill_names *, char *error, size_t error_size);
/* doing->result is known: is it what the script says? Learns descriptors. */
bool drill_call_check(struct drill_doing *, struct drill_names *, char *error, size_t error_size);
void drill_call_end(struct drill_doing *);
/* Can every call of the script be made, as it is written? False: error says the line, and what is not known. */
bool drill_calls_known(const struct drill_script *, char *error, size_t error_size);

#endif
