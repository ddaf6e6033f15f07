/* SPDX-License-Identifier: MIT
 *
 * calls.h: the socket calls of two hosts on one link, of the Linux kernel or of parley, so that one program can be run on either.
 *
 *     host 0: 192.0.2.1, 2001:db8::1        host 1: 192.0.2.2, 2001:db8::2
 *
 * Results are those of the system call, errors the negative errno. On the kernel the hosts are two namespaces and time is real; on parley they are
 * two stacks in memory, time is virtual, and a call that waits lets it pass.
 */
#ifndef TESTS_POSIX_CALLS_H
#define TESTS_POSIX_CALLS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

struct calls {
    const char *name;
    unsigned pipes;                       /* SIGPIPEs so far */
    void *own;
    int (*socket)(struct calls *, int host, int domain, int type, int protocol);
    int (*bind)(struct calls *, int, const struct sockaddr *, socklen_t);
    int (*listen)(struct calls *, int, int);
    int (*accept)(struct calls *, int, struct sockaddr *, socklen_t *, int flags);
    int (*connect)(struct calls *, int, const struct sockaddr *, socklen_t);
    int (*getsockname)(struct calls *, int, struct sockaddr *, socklen_t *);
    int (*getpeername)(struct calls *, int, struct sockaddr *, socklen_t *);
    ssize_t (*sendmsg)(struct calls *, int, const struct msghdr *, int);
    ssize_t (*recvmsg)(struct calls *, int, struct msghdr *, int);
    ssize_t (*sendto)(struct calls *, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t (*recvfrom)(struct calls *, int, void *, size_t, int, struct sockaddr *, socklen_t *);
    ssize_t (*read)(struct calls *, int, void *, size_t);
    ssize_t (*write)(struct calls *, int, const void *, size_t);
    ssize_t (*readv)(struct calls *, int, const struct iovec *, int);
    ssize_t (*writev)(struct calls *, int, const struct iovec *, int);
    int (*shutdown)(struct calls *, int, int);
    int (*close)(struct calls *, int);
    int (*getsockopt)(struct calls *, int, int, int, void *, socklen_t *);
    int (*setsockopt)(struct calls *, int, int, int, const void *, socklen_t);
    int (*fcntl)(struct calls *, int, int, long);
    int (*ioctl)(struct calls *, int, unsigned long, void *);
    int (*poll)(struct calls *, struct pollfd *, nfds_t, int timeout_ms);
    int (*epoll_create)(struct calls *, int host, int flags);
    int (*epoll_ctl)(struct calls *, int, int, int, struct epoll_event *);
    int (*epoll_wait)(struct calls *, int, struct epoll_event *, int, int timeout_ms);
    void (*settle)(struct calls *);       /* what is on its way arrives and is answered */
    void (*elapse)(struct calls *, int ms);
    void (*patience)(unsigned seconds);   /* what then still waits fails with EINTR; 0: no limit */
};

/* Fresh hosts. NULL: not possible here, and `why` says what forbids it. */
struct calls *calls_kernel_new(char *why, size_t why_size);
void calls_kernel_free(struct calls *);
struct calls *calls_parley_new(void);
void calls_parley_free(struct calls *);

#endif
