/* SPDX-License-Identifier: MIT
 *
 * sock.h: the socket calls of POSIX and Linux over one stack, without threads, real descriptors or a clock of its own.
 *
 * A world owns one stack's events and a table of descriptors, small numbers of its own. Somebody else drives it: a script in virtual time, or
 * threads with a lock around it. After every door (pl_rx, pl_poll) he calls sock_turn; after every call here he lets pl_tx send.
 *
 * Every call gives what the system call gives: a result >= 0, or the negative errno. A call that may wait takes a struct sock_op. If it would
 * wait it gives SOCK_BLOCKED and says in the op for what and until when; the caller turns the world and calls again with the same arguments and
 * the same op, until something else comes back:
 *
 *     struct sock_op op = {0};
 *     while ((n = sock_recv(w, fd, buffer, sizeof buffer, 0, &op)) == SOCK_BLOCKED)
 *         wait until sock_op_ready(w, &op), or op.until;          (frames, pl_rx, pl_poll, sock_turn)
 *
 * A call that is to end early (a signal came) ends with sock_op_interrupt. Without an op (NULL) no call waits: it acts as with O_NONBLOCK.
 *
 * What differs from Linux is listed in docs/sockets.md.
 */
#ifndef OS_POSIX_SOCK_H
#define OS_POSIX_SOCK_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <parley/parley.h>

#define SOCK_BLOCKED (-4096)              /* beyond every errno */

struct sock_world;

struct sock_params {
    pl_stack *stack;                      /* its events belong to the world from now on; outlives the world */
    const struct pl_config *config;       /* what the stack was made with; read by sock_world_new only */
    const struct pl_env *env;             /* the stack's: names the congestion controls of the program's own. NULL: there are none; outlives the world */
    pl_time now;
    int first_fd;                         /* the lowest descriptor, 0 .. */
    int files_max;                        /* descriptors at one time, then EMFILE; 0: 1024 */
    int somaxconn;                        /* the longest backlog; 0: 4096 */
    uint16_t port_min, port_max;          /* what bind(0) chooses from; 0: 32768, 60999 */
    uint64_t seed;                        /* of that choice */
    bool isn_fixed;                       /* isn: of every connection, instead of the keyed clock: for tests and demonstrations (PL_OPT_ISN) */
    uint32_t isn;
};

/* NULL: no memory (or, errno EINVAL, a range that is none). */
struct sock_world *sock_world_new(const struct sock_params *);
/* Closes every descriptor as the end of a process does: open connections are finished in the background, or reset if something is unread. */
void sock_world_free(struct sock_world *);
/* What became true since the last turn: readiness, errors, edges. `now` as at the doors; runs the stack's timers, too. */
void sock_turn(struct sock_world *, pl_time now);

/* A call on its way. All zero before the first call. */
struct sock_op {
    int fd;                               /* told with SOCK_BLOCKED: waits for one of `events` (POLLIN, POLLOUT, ...) of this descriptor; */
    short events;                         /* fd -1: for any change (poll, epoll_wait) */
    bool broken_pipe;                     /* told with EPIPE: the process is owed a SIGPIPE */
    bool begun, repeated;                 /* from here on the call's own */
    pl_time until;                        /* told with SOCK_BLOCKED: call again then at the latest. PL_NEVER: no limit */
    uint64_t serial;                      /* of the descriptor's object: when the number was closed and given to another, the call ends with EBADF */
    size_t done;                          /* bytes so far */
};
/* Would the call now get further? At op->until it would. */
bool sock_op_ready(struct sock_world *, const struct sock_op *);
/* What a waiting call returns when a signal ends it: the bytes that it moved so far, or -EINTR. */
ssize_t sock_op_interrupt(const struct sock_op *);

/* AF_INET and AF_INET6, SOCK_STREAM and SOCK_DGRAM, | SOCK_NONBLOCK | SOCK_CLOEXEC. EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EINVAL, EMFILE,
 * ENOBUFS. */
int sock_socket(struct sock_world *, int domain, int type, int protocol);
/* Waits with SO_LINGER (op; until everything is acknowledged, or l_linger). The descriptor is gone in any case. */
int sock_close(struct sock_world *, int fd, struct sock_op *);
int sock_shutdown(struct sock_world *, int fd, int how);
int sock_bind(struct sock_world *, int fd, const struct sockaddr *, socklen_t);
int sock_getsockname(struct sock_world *, int fd, struct sockaddr *, socklen_t *);
int sock_getpeername(struct sock_world *, int fd, struct sockaddr *, socklen_t *);
int sock_listen(struct sock_world *, int fd, int backlog);
/* accept4: flags SOCK_NONBLOCK | SOCK_CLOEXEC */
int sock_accept(struct sock_world *, int fd, struct sockaddr *, socklen_t *, int flags, struct sock_op *);
int sock_connect(struct sock_world *, int fd, const struct sockaddr *, socklen_t, struct sock_op *);

/* flags: MSG_DONTWAIT, MSG_NOSIGNAL, MSG_MORE, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL; those without meaning here are ignored, as on Linux.
 * recvmsg sets msg_namelen, msg_controllen (0) and msg_flags. */
ssize_t sock_sendmsg(struct sock_world *, int fd, const struct msghdr *, int flags, struct sock_op *);
ssize_t sock_recvmsg(struct sock_world *, int fd, struct msghdr *, int flags, struct sock_op *);
ssize_t sock_sendto(struct sock_world *, int fd, const void *, size_t, int flags, const struct sockaddr *, socklen_t, struct sock_op *);
ssize_t sock_recvfrom(struct sock_world *, int fd, void *, size_t, int flags, struct sockaddr *, socklen_t *, struct sock_op *);
ssize_t sock_send(struct sock_world *, int fd, const void *, size_t, int flags, struct sock_op *);
ssize_t sock_recv(struct sock_world *, int fd, void *, size_t, int flags, struct sock_op *);
ssize_t sock_write(struct sock_world *, int fd, const void *, size_t, struct sock_op *);
ssize_t sock_read(struct sock_world *, int fd, void *, size_t, struct sock_op *);
ssize_t sock_writev(struct sock_world *, int fd, const struct iovec *, int count, struct sock_op *);
ssize_t sock_readv(struct sock_world *, int fd, const struct iovec *, int count, struct sock_op *);

int sock_getsockopt(struct sock_world *, int fd, int level, int name, void *, socklen_t *);
int sock_setsockopt(struct sock_world *, int fd, int level, int name, const void *, socklen_t);
/* F_GETFL, F_SETFL (O_NONBLOCK), F_GETFD, F_SETFD (FD_CLOEXEC). EINVAL for others. */
int sock_fcntl(struct sock_world *, int fd, int command, long argument);
/* FIONREAD, FIONBIO, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK. ENOTTY for others. */
int sock_ioctl(struct sock_world *, int fd, unsigned long request, void *argument);

/* Level: which of POLLIN, POLLOUT, POLLPRI, POLLERR, POLLHUP, POLLRDHUP ... hold now. POLLNVAL: no such descriptor. */
short sock_events(struct sock_world *, int fd);
/* timeout: how long from now (PL_NEVER: for ever, 0: not at all); read by the first call only. */
int sock_poll(struct sock_world *, struct pollfd *, nfds_t, pl_time timeout, struct sock_op *);
/* flags: 0 or EPOLL_CLOEXEC */
int sock_epoll_create(struct sock_world *, int flags);
/* EPOLLIN and so on, EPOLLET, EPOLLONESHOT, EPOLLRDHUP. One epoll may be in another. */
int sock_epoll_ctl(struct sock_world *, int epoll_fd, int what, int fd, struct epoll_event *);
int sock_epoll_wait(struct sock_world *, int epoll_fd, struct epoll_event *, int max, pl_time timeout, struct sock_op *);

/* The negative errno for an enum pl_error, 0 for PL_OK. */
int sock_errno(int pl_error);

#endif
