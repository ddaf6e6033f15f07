/* SPDX-License-Identifier: MIT
 *
 * calls_kernel.c: the system calls themselves, on sockets in two namespaces with a veth between them.
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/host/testnet.h"
#include "os/why.h"

static struct testnet net;
static struct calls kernel;               /* the signal handler's */

static void on_signal(int signal) { kernel.pipes += signal == SIGPIPE; }      /* SIGALRM: a call that waits for ever ends with EINTR */

/* ------------------------------------------------------------ sockets ------------------------------------------------------------ */

/* A child in each namespace makes sockets for us, as long as we live: entering one each time would take far longer than the calls. */
static int maker[2] = {-1, -1};

struct wish {
    int domain, type, protocol;
};

static void make_sockets(int from)
{
    struct wish w;
    while (recv(from, &w, sizeof w, 0) == (ssize_t)sizeof w) {
        int fd = socket(w.domain, w.type, w.protocol), error = fd < 0 ? -errno : 0;
        char room[CMSG_SPACE(sizeof fd)] = {0};
        struct iovec v = {&error, sizeof error};
        struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = fd < 0 ? 0 : sizeof room};
        if (fd >= 0) {
            struct cmsghdr *c = CMSG_FIRSTHDR(&m);
            *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
            memcpy(CMSG_DATA(c), &fd, sizeof fd);
        }
        sendmsg(from, &m, 0);
        if (fd >= 0)
            close(fd);
    }
}

static int start_maker(int host)
{
    int both[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both) < 0)
        return -errno;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        close(both[0]);
        if (host == 1)
            close(maker[0]);
        if (testnet_enter(&net, host) == 0)
            make_sockets(both[1]);
        _exit(0);
    }
    close(both[1]);
    maker[host] = both[0];
    return 0;
}

static int make_socket(int host, int domain, int type, int protocol)
{
    struct wish w = {domain, type, protocol};
    int error = -EIO, fd = -1;
    char room[CMSG_SPACE(sizeof fd)];
    struct iovec v = {&error, sizeof error};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    if (send(maker[host], &w, sizeof w, 0) < 0 || recvmsg(maker[host], &m, type & SOCK_CLOEXEC ? MSG_CMSG_CLOEXEC : 0) <= 0)
        return -EIO;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (error || !c)
        return error;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* ------------------------------------------------------------ calls ------------------------------------------------------------ */

static ssize_t told(ssize_t result) { return result < 0 ? -errno : result; }

/* A behaviour has that long; then whatever waits is interrupted. */
static void k_patience(unsigned seconds) { alarm(seconds); }

static int k_socket(struct calls *k, int host, int domain, int type, int protocol)
{
    (void)k;
    return make_socket(host, domain, type, protocol);
}

#define PASS(result, name, parameters, arguments)                                                                                      \
    static result k_##name parameters                                                                                                  \
    {                                                                                                                                  \
        (void)k;                                                                                                                       \
        return (result)told(name arguments);                                                                                           \
    }
PASS(int, bind, (struct calls *k, int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
PASS(int, listen, (struct calls *k, int fd, int backlog), (fd, backlog))
PASS(int, accept4, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
PASS(int, connect, (struct calls *k, int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
PASS(int, getsockname, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))
PASS(int, getpeername, (struct calls *k, int fd, struct sockaddr *a, socklen_t *n), (fd, a, n))
PASS(ssize_t, sendmsg, (struct calls *k, int fd, const struct msghdr *m, int flags), (fd, m, flags))
PASS(ssize_t, recvmsg, (struct calls *k, int fd, struct msghdr *m, int flags), (fd, m, flags))
PASS(ssize_t, sendto, (struct calls *k, int fd, const void *b, size_t n, int flags, const struct sockaddr *a, socklen_t an), (fd, b, n, flags, a, an))
PASS(ssize_t, recvfrom, (struct calls *k, int fd, void *b, size_t n, int flags, struct sockaddr *a, socklen_t *an), (fd, b, n, flags, a, an))
PASS(ssize_t, read, (struct calls *k, int fd, void *b, size_t n), (fd, b, n))
PASS(ssize_t, write, (struct calls *k, int fd, const void *b, size_t n), (fd, b, n))
PASS(ssize_t, readv, (struct calls *k, int fd, const struct iovec *v, int n), (fd, v, n))
PASS(ssize_t, writev, (struct calls *k, int fd, const struct iovec *v, int n), (fd, v, n))
PASS(int, shutdown, (struct calls *k, int fd, int how), (fd, how))
PASS(int, close, (struct calls *k, int fd), (fd))
PASS(int, getsockopt, (struct calls *k, int fd, int level, int name, void *v, socklen_t *n), (fd, level, name, v, n))
PASS(int, setsockopt, (struct calls *k, int fd, int level, int name, const void *v, socklen_t n), (fd, level, name, v, n))
PASS(int, fcntl, (struct calls *k, int fd, int command, long argument), (fd, command, argument))
PASS(int, ioctl, (struct calls *k, int fd, unsigned long request, void *argument), (fd, request, argument))
PASS(int, poll, (struct calls *k, struct pollfd *p, nfds_t n, int ms), (p, n, ms))
PASS(int, epoll_ctl, (struct calls *k, int e, int what, int fd, struct epoll_event *event), (e, what, fd, event))
PASS(int, epoll_wait, (struct calls *k, int e, struct epoll_event *events, int max, int ms), (e, events, max, ms))

static int k_epoll_create(struct calls *k, int host, int flags)
{
    (void)k, (void)host;
    return (int)told(epoll_create1(flags));
}

/* A veth hands a packet over at once, but for a softirq that another thread may have to run. */
static void k_elapse(struct calls *k, int ms)
{
    (void)k;
    poll(NULL, 0, ms);
}

static void k_settle(struct calls *k) { k_elapse(k, 2); }

struct calls *calls_kernel_new(char *why, size_t why_size)
{
    static const char *const address[2][2] = {{"192.0.2.1", "2001:db8::1"}, {"192.0.2.2", "2001:db8::2"}};
    if (!testnet_possible(why, why_size))
        return NULL;
    if (testnet_open(&net, 2, why, why_size) < 0)
        return NULL;
    int e = testnet_veth(&net, 0, "left", 1, "right", 1500);
    for (int host = 0; host < 2 && !e; host++)
        for (int six = 0; six < 2 && !e; six++)
            e = testnet_addr(&net, host, host ? "right" : "left", address[host][six], six ? 64 : 24);
    for (int host = 0; host < 2 && !e; host++)
        e = start_maker(host);
    if (e) {
        why_not(why, why_size, e, "namespaces: a link between the two cannot be made: %s", strerror(-e));
        testnet_close(&net);
        return NULL;
    }
    kernel = (struct calls){"the kernel", 0, NULL, k_socket, k_bind, k_listen, k_accept4, k_connect, k_getsockname, k_getpeername, k_sendmsg, k_recvmsg,
                            k_sendto, k_recvfrom, k_read, k_write, k_readv, k_writev, k_shutdown, k_close, k_getsockopt, k_setsockopt, k_fcntl, k_ioctl,
                            k_poll, k_epoll_create, k_epoll_ctl, k_epoll_wait, k_settle, k_elapse, k_patience};
    struct sigaction handler = {.sa_handler = on_signal};
    sigaction(SIGPIPE, &handler, NULL);
    sigaction(SIGALRM, &handler, NULL);
    return &kernel;
}

void calls_kernel_free(struct calls *k)
{
    (void)k;
    signal(SIGPIPE, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    close(maker[0]);
    close(maker[1]);
    while (wait(NULL) > 0) {
    }
    testnet_close(&net);
}
