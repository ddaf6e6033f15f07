/* SPDX-License-Identifier: MIT
 *
 * plug.h: the state behind the plug, and the map of this folder:
 *
 *   plug.c      making and ending; the stack, its packets, virtual time
 *   calls.c     the socket calls: real descriptors outside, the world's inside; calls that wait
 *   preload.c   what packetdrill calls without the plug, when this object is preloaded: getsockopt, close, system, times, mlockall
 *
 * Time is virtual. It moves in usleep (by what was asked and 20 us, as a real sleep is late), in gettimeofday (by 1 us, as a real call takes time), and in
 * netdev_receive, which jumps to whatever the stack does next.
 *
 * A call that waits comes from a thread of its own and sleeps on `changed`. When it may get further, time stands still until that thread has asked for the
 * time: so the moment at which the call returned is measured as it was, however long the machine takes to wake a thread.
 */
#ifndef PLUG_PLUG_H
#define PLUG_PLUG_H

#include <pthread.h>

#include "drill/node.h"
#include "plug/interface.h"
#include <parley/parley.h>

enum { PLUG_FDS = 4096, PLUG_ADDRS = 16 };

struct plug_waiter {                      /* a call that sleeps */
    struct plug_waiter *next;
    pthread_t thread;
    struct sock_op *op;
    bool woken;
};

struct plug {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct drill_config config;
    char local4[64], local6[64];
    uint32_t mtu;
    struct node node;                     /* its stack is NULL as long as it was not needed: settings may still change */
    int frozen;                           /* threads that were woken and have not asked for the time yet */
    pthread_t frozen_by[16];
    struct plug_waiter *waiters;
    int inside[PLUG_FDS];                 /* a real descriptor's socket in the world, -1: none */
};

/* plug.c; all with the lock held */
bool plug_ready(struct plug *);                           /* makes the stack if it is not there. False: errno */
void plug_settle(struct plug *);                          /* what the stack wants to say and do now; wakes who may get further */
void plug_unfreeze(struct plug *);                        /* this thread waits for its time no more */
bool plug_knows_address(struct plug *, const struct sockaddr *);      /* makes it an address of ours if it is none yet */
extern struct plug *plug_last;                            /* the one that preload.c speaks to */

/* calls.c */
void plug_fill(struct packetdrill_interface *);
int plug_getsockopt(void *, int fd, int level, int name, void *, socklen_t *);
int plug_close(void *, int fd);
bool plug_has(const struct plug *, int fd);

#endif
