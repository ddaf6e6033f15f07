/* SPDX-License-Identifier: MIT
 *
 * inside.h: what a world is made of, and the map of this folder:
 *
 *   world.c     the table of descriptors, a turn: the stack's events become errors and wake-ups
 *   address.c   struct sockaddr and struct pl_endpoint; errno
 *   bind.c      who may have which port; names of both ends
 *   open.c      listen, accept, connect
 *   stream.c    bytes of a TCP connection        urgent.c   its out-of-band byte
 *   datagram.c  UDP
 *   message.c   the send and receive families, down to one struct msghdr each
 *   close.c     shutdown and close
 *   option.c    SOL_SOCKET        option_ip.c  IPPROTO_IP, IPPROTO_IPV6        option_tcp.c  IPPROTO_TCP        info.c  TCP_INFO
 *   control.c   fcntl, ioctl
 *   ready.c     readiness and poll               epoll.c    epoll
 */
#ifndef OS_POSIX_INSIDE_H
#define OS_POSIX_INSIDE_H

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "os/posix/sock/sock.h"

enum sock_kind { SOCK_KIND_TCP, SOCK_KIND_UDP, SOCK_KIND_EPOLL };
enum sock_state { SOCK_IDLE, SOCK_LISTENING, SOCK_CONNECTING, SOCK_CONNECTED };

/* What an accepted socket inherits. Numbers are in the units of the option; -1 or 0: the stack's default, as said. */
struct sock_options {
    bool reuse_addr, keepalive, oob_inline, broadcast, v6_only, nodelay, cork, quickack;
    struct linger linger;
    pl_time rcv_timeout, snd_timeout;     /* ns, 0: none */
    int rcvbuf, sndbuf;                   /* bytes as set, 0: default */
    int buf_lock;                         /* SO_BUF_LOCK: which of them is not auto-tuned */
    bool buf_lock_set;                    /* by that option, not by setting a size */
    int rcvlowat, priority;
    int keep_idle, keep_interval, keep_count;     /* 0: default */
    int user_timeout_ms, syn_count, maxseg;       /* 0: default */
    int congestion;                       /* 1 + enum pl_cc_algorithm; 0: default */
    int ttl, hops;                        /* -1: default */
    int tos, tclass;
};

enum urgent_state { URGENT_NONE, URGENT_AHEAD, URGENT_READ };       /* READ: the byte was taken, the mark is still ahead */

struct epoll_item;

struct held {                             /* a datagram */
    struct held *next;
    struct pl_endpoint from;
    size_t bytes;
    uint8_t payload[];
};

struct sock {
    struct sock_world *world;
    uint64_t serial;                      /* no two objects of a world have the same */
    int fd;
    uint8_t kind, state;
    bool nonblock, cloexec;
    bool v6;                              /* AF_INET6 */
    bool bound_port, bound_addr;          /* by bind(): kept when a connection ends */
    bool port_mine;                       /* bind() chose the port */
    bool connect_unreported;              /* connect() was begun without waiting and did not tell its end yet */
    bool peer_finished, over, shut_rd, shut_wr;
    bool starved;                         /* nothing can be written: an edge is due when something can */
    bool corked_by_more, closing;
    bool refuses;                         /* shut in both directions: what comes after `received_at_shut` bytes is answered with a reset */
    int error;                            /* SO_ERROR: positive errno, told once */
    bool error_seen;                      /* what the connection died of is in `error`, or was */
    pl_handle handle;                     /* of listener, connection or UDP socket; 0: none */
    struct pl_endpoint local, remote;     /* local.port 0: not bound. All addresses: as pl_listen takes them */
    struct sock_options opt;
    /* TCP */
    uint64_t taken;                       /* bytes read so far */
    uint64_t mark;                        /* where in them the out-of-band byte stands */
    uint8_t urgent;                       /* enum urgent_state */
    uint64_t received_at_shut;
    struct held *held, *held_last;        /* UDP: the datagram that comes next, taken out of the stack to look at it; more only across a connect() */
    /* epoll: of a socket, the items that watch it; of an epoll descriptor, its items, and those that may be ready, oldest first */
    struct epoll_item *watchers, *items, *ready_first, *ready_last;
};

struct sock_world {
    pl_stack *stack;
    const struct pl_env *env;             /* NULL: not told */
    struct pl_config config;
    pl_time now;
    struct sock **file;                   /* [files_max], by descriptor less first_fd */
    int first_fd, files_max, files_high, somaxconn;     /* files_high: none at or above it is in use */
    uint32_t starved;                     /* how many sockets are */
    uint16_t port_min, port_max;
    uint64_t random, serials;
    bool isn_fixed;
    uint32_t isn;
    uint8_t scratch[65536];               /* a datagram on its way */
};

/* world.c */
struct sock *sock_find(struct sock_world *, int fd);                /* NULL: EBADF */
int sock_find_socket(struct sock_world *, int fd, struct sock **);  /* 0, -EBADF, -ENOTSOCK (an epoll descriptor) */
int sock_find_again(struct sock_world *, int fd, const struct sock_op *, struct sock **);       /* also -EBADF: it is not the one that op waits on */
int sock_make(struct sock_world *, enum sock_kind, struct sock **); /* a descriptor, -EMFILE, -ENOBUFS */
void sock_drop(struct sock *);                                      /* out of the table, and freed; the handle was given back */
void sock_take_events(struct sock_world *, const struct sock *but);  /* those of `but` are forgotten */
void sock_attach(struct sock *, pl_handle);                         /* its events come to this socket */
void sock_detach(struct sock *);                                    /* gives the handle back: pl_close */
void sock_sync(struct sock *);                                      /* state and error as the stack has them now */
int sock_error_take(struct sock *);                                 /* the negative pending error, or 0; it is told then */
/* A waiting call: fills the op and gives SOCK_BLOCKED; or `late` if op->until has come, or there is no op. timeout: ns, 0 for ever. */
ssize_t sock_wait(struct sock *, struct sock_op *, short events, pl_time timeout, ssize_t late);
uint64_t sock_random(struct sock_world *);

/* address.c */
int sock_address_in(const struct sock *, const struct sockaddr *, socklen_t, struct pl_endpoint *);     /* 0, -EINVAL, -EAFNOSUPPORT, -ENETUNREACH */
int sock_address_out(const struct sock *, const struct pl_endpoint *, struct sockaddr *, socklen_t *);  /* 0, -EINVAL, -EFAULT */
bool sock_address_is_ip4(const struct pl_addr *);
bool sock_address_is_any(const struct pl_addr *);                   /* of one family or both */
bool sock_address_is_group(const struct sock *, const struct pl_addr *, bool *broadcast);
void sock_address_any(const struct sock *, struct pl_addr *);       /* what a socket that is not bound listens to */
bool sock_address_overlaps(const struct pl_addr *, const struct pl_addr *);

/* bind.c */
int sock_bind_chosen(struct sock *);                                /* unless it has a port: one that is free. 0, -EAGAIN, -EADDRINUSE */
bool sock_listen_conflict(const struct sock *);                     /* another socket listens there */

/* stream.c, urgent.c, datagram.c */
ssize_t stream_send(struct sock *, const struct msghdr *, int flags, struct sock_op *);
ssize_t stream_receive(struct sock *, struct msghdr *, int flags, struct sock_op *);
void stream_note_shut(struct sock *);                               /* SHUT_RDWR: nobody will read what comes from now on */
bool stream_refuses(struct sock *);                                 /* something did come: the connection was reset */
size_t stream_readable(struct sock *);                              /* bytes up to the mark */
bool stream_writable(struct sock *);
size_t stream_look(struct sock *, size_t offset, void *, size_t n); /* copies of what is readable */
void urgent_sync(struct sock *);
bool urgent_here(struct sock *);                                    /* the byte has come and was not taken */
ssize_t urgent_receive(struct sock *, struct msghdr *, int flags);
size_t urgent_limit(struct sock *, size_t n);                       /* how much of n bytes may be read before the mark stops the call */
size_t urgent_skip(struct sock *);                                  /* at the mark: 1, the byte that is stepped over; else 0 */
void urgent_pass(struct sock *);                                    /* steps over it */
int datagram_open(struct sock *);                                   /* binds it in the stack. 0 or -errno */
int datagram_connect(struct sock *, const struct pl_endpoint *);    /* NULL: dissolves */
ssize_t datagram_send(struct sock *, const struct msghdr *, int flags, struct sock_op *);
ssize_t datagram_receive(struct sock *, struct msghdr *, int flags, struct sock_op *);
void datagram_pull(struct sock *);                                  /* the next datagram, if there is one, is held; errors are noted */
void datagram_forget(struct sock *);                                /* all that is held */

/* message.c: pieces of a message in order */
size_t message_bytes(const struct msghdr *);
void message_put(const struct msghdr *, size_t at, const void *, size_t n);
void message_get(const struct msghdr *, size_t at, void *, size_t n);

/* close.c: a close that lingers would end now */
bool close_ready(const struct sock *);

/* open.c */
int sock_disconnect(struct sock *);                                 /* connect(AF_UNSPEC) */

/* option*.c, info.c */
void option_defaults(struct sock *);
void option_apply(struct sock *);                                   /* to a connection or UDP socket that has just been made */
int option_to_stack(struct sock *, enum pl_option, int64_t value);  /* now, if there is a connection. 0 or -errno */
int option_int_in(const void *, socklen_t, int *);                  /* 0, -EINVAL, -EFAULT */
int option_out(const void *value, size_t size, void *, socklen_t *);            /* cut to what there is room for */
int option_ip_set(struct sock *, int name, const void *, socklen_t);
int option_ip_get(struct sock *, int name, void *, socklen_t *);
int option_ip6_set(struct sock *, int name, const void *, socklen_t);
int option_ip6_get(struct sock *, int name, void *, socklen_t *);
int option_tcp_set(struct sock *, int name, const void *, socklen_t);
int option_tcp_get(struct sock *, int name, void *, socklen_t *);
int info_tcp(struct sock *, void *, socklen_t *);

/* ready.c, epoll.c */
short ready_events(struct sock *);
int ready_wait(struct sock_world *, pl_time timeout, struct sock_op *);          /* SOCK_BLOCKED for any change, or 0 when the time is over */
bool epoll_ready(struct sock *);                                    /* epoll_wait would give something */
enum { WAKE_ALL = 0 };
void epoll_wake(struct sock *, uint32_t events);                    /* something of these happened; WAKE_ALL: a change of state */
void epoll_forget_socket(struct sock *);
void epoll_free(struct sock *);

#endif
