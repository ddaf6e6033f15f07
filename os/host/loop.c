/* SPDX-License-Identifier: MIT
 *
 * loop.c: see loop.h; the order of calls is the one that parley.h prescribes.
 *
 * One turn:  recv from each device that may have something, pl_rx;  pl_poll;  repeat { on_events; pl_tx and send until 0 } until quiet.
 *
 * A device that is full takes only part of what pl_tx gave. The spans of the rest point into the stack's block and hold until the next call
 * other than pl_tx, so they are copied to the port's stash, at most one batch, and the interface is told to be not ready: the stack gives
 * nothing more for it, and it does not count for pl_deadline. When the device is writable the stash goes first.
 *
 * A busy loop does not poll: a device that had frames is simply asked again. Every BUSY_TURNS turns descriptors are looked at anyway, so
 * that a flood on one of them starves none. A program that always has something to do is interrupted after ROUNDS_MAX rounds for the same
 * reason.
 */
#include "os/host/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "base/check.h"
#include "os/driver/frame.h"
#include "os/host/clock.h"

enum { BUSY_TURNS = 16, ROUNDS_MAX = 64 };

struct host_stash {
    unsigned first, count;
    struct pl_frame frame[HOST_LOOP_BATCH];         /* one span each, in memory of its own */
};

int host_loop_init(struct host_loop *l, pl_stack *stack, const struct host_loop_params *params)
{
    *l = (struct host_loop){.stack = stack, .params = *params};
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++)
        l->watch[i].fd = -1;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->wake_fd < 0) return PL_EIO;
    prctl(PR_SET_TIMERSLACK, 1UL);        /* the kernel may be 50 us late otherwise */
    l->now = host_now();
    return 0;
}

static void stash_free(struct host_port *p)
{
    if (!p->stash) return;
    for (unsigned i = p->stash->first; i < p->stash->count; i++)
        free(p->stash->frame[i].span[0].base);
    free(p->stash);
    p->stash = NULL;
}

static void port_close(struct host_port *p)
{
    stash_free(p);
    p->driver->ops->close(p->driver);
    *p = (struct host_port){0};
}

void host_loop_fini(struct host_loop *l)
{
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++)
        if (l->port[i].driver) port_close(&l->port[i]);
    if (l->wake_fd >= 0) close(l->wake_fd);
    l->wake_fd = -1;
}

int host_loop_add_driver(struct host_loop *l, struct pl_driver *driver)
{
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++) {
        if (l->port[i].driver) continue;
        int iface = pl_iface_add(l->stack, &driver->params);
        if (iface >= 0) l->port[i] = (struct host_port){.driver = driver, .iface = iface, .readable = true, .writable = true};
        return iface;
    }
    return PL_ENOMEM;
}

struct pl_driver *host_loop_driver(const struct host_loop *l, int iface)
{
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++)
        if (l->port[i].driver && l->port[i].iface == iface) return l->port[i].driver;
    return NULL;
}

int host_loop_watch(struct host_loop *l, int fd, short events, host_watch_fn *fn, void *user)
{
    struct host_watch *place = NULL;
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++) {
        struct host_watch *w = &l->watch[i];
        if (w->fd == fd) place = w;
        if (w->fd < 0 && !place) place = w;
    }
    if (!place) return PL_ENOMEM;
    *place = (struct host_watch){fd, events, fn, user};
    return 0;
}

void host_loop_unwatch(struct host_loop *l, int fd)
{
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++)
        if (l->watch[i].fd == fd) l->watch[i].fd = -1;
}

void host_loop_stop(struct host_loop *l)
{
    int saved = errno;
    uint64_t one = 1;
    l->stopping = 1;
    /* A full counter wakes just as well. */
    if (write(l->wake_fd, &one, sizeof one) < 0) errno = saved;
    errno = saved;
}

/* The device is gone: everything on it fails, and the program is told. */
static void lose(struct host_loop *l, struct host_port *p, int error)
{
    struct host_port was = *p;
    pl_iface_remove(l->stack, was.iface);
    if (l->params.on_lost) l->params.on_lost(l->params.user, was.iface, was.driver, error);
    port_close(p);
}

/* Frames in. Returns whether there were any. */
static bool receive(struct host_loop *l, struct host_port *p)
{
    int n = p->driver->ops->recv(p->driver, l->frames, HOST_LOOP_BATCH);
    p->readable = n > 0;
    if (n > 0) {
        l->now = host_now();
        pl_rx(l->stack, p->iface, l->frames, (size_t)n, l->now);
    }
    if (n < 0) lose(l, p, n);
    return n != 0;
}

/* Copies what the device did not take. */
static void stash(struct host_loop *l, struct host_port *p, const struct pl_frame *frames, int n)
{
    p->writable = false;
    pl_iface_ready(l->stack, p->iface, false);
    p->stash = calloc(1, sizeof *p->stash);
    for (int i = 0; i < n; i++) {
        size_t bytes = frame_bytes(&frames[i]);
        void *copy = p->stash ? malloc(bytes ? bytes : 1) : NULL;
        if (!copy) {
            l->lost++;                    /* as on a wire that loses it: TCP sends again */
            continue;
        }
        struct pl_frame *kept = &p->stash->frame[p->stash->count++];
        *kept = frames[i];
        frame_gather(&frames[i], copy);
        kept->span[0] = (struct pl_span){copy, bytes};
        kept->nspans = 1;
    }
}

/* Offers the stash to the device; the interface is ready again when all of it is gone. Returns whether anything was taken. */
static bool unstash(struct host_loop *l, struct host_port *p)
{
    struct host_stash *s = p->stash;
    int left = s ? (int)(s->count - s->first) : 0;
    int sent = left > 0 ? p->driver->ops->send(p->driver, &s->frame[s->first], left) : 0;
    if (sent < 0) {
        lose(l, p, sent);
        return true;
    }
    for (int i = 0; i < sent; i++)
        free(s->frame[s->first++].span[0].base);
    if (sent < left) return sent > 0;
    stash_free(p);
    p->writable = true;
    pl_iface_ready(l->stack, p->iface, true);
    return true;
}

/* Frames out until there are none or the device is full. Returns whether there were any. */
static bool transmit(struct host_loop *l, struct host_port *p)
{
    bool any = false;
    while (p->driver && p->writable) {
        for (int i = 0; i < HOST_LOOP_BATCH; i++)
            l->frames[i].span[0] = (struct pl_span){l->header[i], sizeof l->header[i]};
        int n = pl_tx(l->stack, p->iface, l->frames, HOST_LOOP_BATCH, l->now);
        CHECK(n >= 0);
        if (n == 0) break;
        any = true;
        int sent = p->driver->ops->send(p->driver, l->frames, n);
        if (sent < 0) lose(l, p, sent);
        else if (sent < n) stash(l, p, l->frames + sent, n - sent);
    }
    return any;
}

static bool act_on_events(struct host_loop *l)
{
    if (l->params.on_events) return l->params.on_events(l->params.user);
    struct pl_event event;
    bool any = false;
    while (pl_event_next(l->stack, &event))
        any = true;
    return any;
}

/* One turn without sleeping. Returns whether anything was done. */
static bool turn(struct host_loop *l)
{
    bool any = false;
    l->turns++;
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++) {
        struct host_port *p = &l->port[i];
        if (p->driver && p->readable) any |= receive(l, p);
    }
    for (int round = 0;; round++) {
        bool more = false;
        l->now = host_now();
        pl_poll(l->stack, l->now);
        /* Events first: what the program answers then carries the acknowledgement. */
        more |= act_on_events(l);
        for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++)
            more |= l->port[i].driver && transmit(l, &l->port[i]);
        any |= more;
        if (!more) break;
        if (round == ROUNDS_MAX) return true;
    }
    /* Nothing to send, no event left: so nothing may be due, or the loop would spin. */
    CHECK(pl_deadline(l->stack) > l->now);
    return any;
}

/* When the loop has to go on even if no descriptor says so. */
static pl_time next_due(const struct host_loop *l, pl_time now)
{
    pl_time due = pl_deadline(l->stack);
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++) {
        struct pl_driver *d = l->port[i].driver;
        pl_time at = d && d->ops->deadline ? d->ops->deadline(d, now) : PL_NEVER;
        if (at < due) due = at;
    }
    return due;
}

struct polled {
    struct pollfd fd[1 + HOST_LOOP_DRIVERS_MAX + HOST_LOOP_WATCHES_MAX];
    int port[1 + HOST_LOOP_DRIVERS_MAX + HOST_LOOP_WATCHES_MAX];     /* of fd[i]: the port's number, -1: a watch, or the wake-up */
    nfds_t n;
};

static void gather(struct host_loop *l, struct polled *w)
{
    w->n = 0;
    w->port[w->n] = -1;
    w->fd[w->n++] = (struct pollfd){.fd = l->wake_fd, .events = POLLIN};
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++) {
        struct host_port *p = &l->port[i];
        int fd = p->driver ? p->driver->ops->pollfd(p->driver) : -1;
        if (fd < 0) continue;
        w->port[w->n] = i;
        w->fd[w->n++] = (struct pollfd){.fd = fd, .events = (short)(POLLIN | (p->writable ? 0 : POLLOUT))};
    }
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++) {
        if (l->watch[i].fd < 0) continue;
        w->port[w->n] = -1;
        w->fd[w->n++] = (struct pollfd){.fd = l->watch[i].fd, .events = l->watch[i].events};
    }
}

static void call_watch(struct host_loop *l, int fd, short revents)
{
    for (int i = 0; i < HOST_LOOP_WATCHES_MAX; i++)
        if (l->watch[i].fd == fd) {
            l->watch[i].fn(l->watch[i].user, fd, revents);
            return;                       /* it may have changed the list */
        }
}

/* Acts on what poll found. Returns whether anything was done. */
static bool dispatch(struct host_loop *l, const struct polled *w)
{
    bool any = false;
    uint64_t count;
    if (w->fd[0].revents && read(l->wake_fd, &count, sizeof count) > 0) any = true;
    for (nfds_t i = 1; i < w->n; i++) {
        short revents = w->fd[i].revents;
        if (!revents) continue;
        any = true;
        if (w->port[i] < 0) {
            call_watch(l, w->fd[i].fd, revents);
            continue;
        }
        struct host_port *p = &l->port[w->port[i]];
        if (!p->driver) continue;         /* lost by what came before it */
        p->readable = p->readable || revents & ~POLLOUT;
        if (!p->writable && revents & POLLOUT) unstash(l, p);
    }
    return any;
}

/* Drivers that want to be asked again without a descriptor saying so: those in memory, and those that are due. */
static bool ask_due(struct host_loop *l)
{
    bool any = false;
    pl_time now = host_now();
    for (int i = 0; i < HOST_LOOP_DRIVERS_MAX; i++) {
        struct host_port *p = &l->port[i];
        struct pl_driver *d = p->driver;
        if (!d || !d->ops->deadline || d->ops->deadline(d, now) > now) continue;
        p->readable = true;
        any = true;
        if (!p->writable) unstash(l, p);
    }
    return any;
}

/* Waits for descriptors until `until` (0: looks only). Returns 1: something to do, 0: nothing, PL_EIO. */
static int wait_until(struct host_loop *l, pl_time until)
{
    struct polled w;
    gather(l, &w);
    pl_time now = host_now();
    pl_time left = until > now ? until - now : 0;
    struct timespec t = {.tv_sec = (time_t)(left / PL_S), .tv_nsec = (long)(left % PL_S)};
    l->sleeps += left > 0;
    l->busy_turns = 0;
    int n = ppoll(w.fd, w.n, until == PL_NEVER ? NULL : &t, NULL);
    if (n < 0) return errno == EINTR ? 0 : PL_EIO;
    bool any = n > 0 && dispatch(l, &w);
    return ask_due(l) || any;
}

int host_loop_run_once(struct host_loop *l, pl_time timeout)
{
    pl_time began = host_now();
    if (turn(l)) {
        if (++l->busy_turns < BUSY_TURNS) return 1;
        int error = wait_until(l, 0);
        return error < 0 ? error : 1;
    }
    pl_time until = timeout == PL_NEVER ? PL_NEVER : began + timeout;
    if (timeout != PL_NEVER && until < began) until = PL_NEVER;
    pl_time due = next_due(l, l->now);
    int found = wait_until(l, due < until ? due : until);
    if (found < 0) return found;
    bool any = turn(l);
    return any || found;
}

int host_loop_run(struct host_loop *l)
{
    while (!l->stopping) {
        int result = host_loop_run_once(l, PL_NEVER);
        if (result < 0) return result;
    }
    l->stopping = 0;
    return 0;
}
