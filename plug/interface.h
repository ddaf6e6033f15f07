/* SPDX-License-Identifier: MIT
 *
 * interface.h: what packetdrill asks of a stack that is not the kernel (--so_filename): a shared object that exports packetdrill_interface_init, which fills
 * this. Each function takes `userdata` first and is otherwise the system call. Declared from that description.
 */
#ifndef PLUG_INTERFACE_H
#define PLUG_INTERFACE_H

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *, socklen_t);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *, socklen_t *);
    int (*connect)(void *userdata, int fd, const struct sockaddr *, socklen_t);
    ssize_t (*read)(void *userdata, int fd, void *, size_t);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *, int);
    ssize_t (*recv)(void *userdata, int fd, void *, size_t, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *, size_t, int flags, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *, size_t);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *, int);
    ssize_t (*send)(void *userdata, int fd, const void *, size_t, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *, size_t, int flags, const struct sockaddr *, socklen_t);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *, socklen_t *);
    int (*setsockopt)(void *userdata, int fd, int level, int name, const void *, socklen_t);
    int (*poll)(void *userdata, struct pollfd *, nfds_t, int timeout_ms);
    /* An IP packet for the stack; the oldest one that it sent, and when. */
    int (*netdev_send)(void *userdata, const void *, size_t);
    int (*netdev_receive)(void *userdata, void *, size_t *, long long *time_us);
    int (*usleep)(void *userdata, useconds_t);
    int (*gettimeofday)(void *userdata, struct timeval *, struct timezone *);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epoll_fd, int what, int fd, struct epoll_event *);
    int (*epoll_wait)(void *userdata, int epoll_fd, struct epoll_event *, int max, int timeout_ms);
    int (*pipe)(void *userdata, int fd[2]);
    int (*splice)(void *userdata, int in, off64_t *off_in, int out, off64_t *off_out, size_t, unsigned flags);
};

__attribute__((visibility("default"))) void packetdrill_interface_init(const char *flags, struct packetdrill_interface *);

#endif
