/* SPDX-License-Identifier: MIT
 *
 * transfer.c: see transfer.h.
 */
#include "bench/path/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/path/ends.h"
#include "os/host/clock.h"
#include "sim/with_link.h"
#include "bench/path/watch.h"

enum { NEAR, FAR, NAMESPACES, BATCH = 32, ROUNDS_MAX = 64, FDS = 5 };

struct play {
    const struct transfer_params *params;
    struct testnet net;
    struct pl_driver *link, *near;        /* near: the sender's TUN, if the kernel is there */
    struct kernel_end sender, receiver;
    struct parley_end ours;
    struct watch watch;
    uint64_t refused;
    bool over;                            /* a connection ended, which none should */
    char *why;
    size_t why_size;
};

uint64_t transfer_queue_bytes(const struct transfer_params *t)
{
    uint64_t product = (uint64_t)((double)t->rate / 8 * (double)t->rtt / 1e9), packets = 64 * 1500;
    return product > packets ? product : packets;
}

/* ---- what poll(2) finds */

static void on_receiver(void *user, int fd, short revents)
{
    struct play *p = user;
    (void)fd, (void)revents;
    if (!kernel_receives(&p->receiver)) p->over = true;
}
static void on_sender(void *user, int fd, short revents)
{
    struct play *p = user;
    (void)fd, (void)revents;
    if (!kernel_sends(&p->sender)) p->over = true;
}
static void on_listener(void *user, int fd, short revents)
{
    struct play *p = user;
    (void)fd, (void)revents;
    if (!kernel_accepts(&p->receiver)) p->over = true;
    if (p->receiver.fd < 0 || p->params->who != PARLEY_TO_KERNEL) return;
    host_loop_unwatch(&p->ours.loop, p->receiver.listener);
    host_loop_watch(&p->ours.loop, p->receiver.fd, POLLIN, on_receiver, p);
}

/* ---- kernel to kernel: the relay alone */

static bool pass_on(struct play *p, struct pl_driver *from, struct pl_driver *to)
{
    struct pl_frame frames[BATCH];
    int n = from->ops->recv(from, frames, BATCH);
    if (n <= 0) return n < 0 ? (p->over = true, false) : false;
    int sent = to->ops->send(to, frames, n);
    if (sent < 0) p->over = true;
    else p->refused += (uint64_t)(n - sent);
    return true;
}

static void relay_once(struct play *p, pl_time until)
{
    bool more = true;
    for (int i = 0; i < ROUNDS_MAX && more; i++) {
        more = pass_on(p, p->near, p->link);
        more = pass_on(p, p->link, p->near) || more;
    }
    struct pollfd fd[FDS] = {{.fd = p->near->ops->pollfd(p->near), .events = POLLIN}, {.fd = p->link->ops->pollfd(p->link), .events = POLLIN},
        {.fd = p->sender.fd, .events = POLLOUT}, {.fd = p->receiver.fd, .events = POLLIN},
        {.fd = p->receiver.fd < 0 ? p->receiver.listener : -1, .events = POLLIN}};
    pl_time now = host_now(), due = p->link->ops->deadline(p->link, now);
    if (due > until) due = until;
    pl_time left = due > now ? due - now : 0;
    struct timespec t = {.tv_sec = (time_t)(left / PL_S), .tv_nsec = (long)(left % PL_S)};
    if (ppoll(fd, FDS, &t, NULL) <= 0) return;
    if (fd[2].revents) on_sender(p, fd[2].fd, fd[2].revents);
    if (fd[3].revents) on_receiver(p, fd[3].fd, fd[3].revents);
    if (fd[4].revents) on_listener(p, fd[4].fd, fd[4].revents);
}

/* ---- the whole */

static struct pl_driver *device(struct play *p, int ns, const char *address)
{
    struct tun_params t = {.name = "path0", .up = true};
    struct pl_driver *d;
    if (testnet_tun(&p->net, ns, &t, &d, p->why, p->why_size) < 0 || !kernel_tune(&p->net, ns, p->why, p->why_size)) return NULL;
    int error = testnet_addr(&p->net, ns, "path0", address, 24);
    if (error == 0) return d;
    snprintf(p->why, p->why_size, "no address: %s", strerror(-error));
    return NULL;
}

static bool make_path(struct play *p)
{
    const struct transfer_params *t = p->params;
    struct with_link_params w = {.link = {.rate = t->rate, .delay = t->rtt / 2, .queue_bytes = transfer_queue_bytes(t)}, .seed = t->seed, .clock = host_now};
    w.loss[t->who == KERNEL_TO_PARLEY ? WITH_LINK_IN : WITH_LINK_OUT] = t->loss;
    if (testnet_open(&p->net, NAMESPACES, p->why, p->why_size) < 0) return false;
    struct pl_driver *far = device(p, FAR, ENDS_FAR);
    if (!far) return false;
    if (t->who == KERNEL_TO_KERNEL && !(p->near = device(p, NEAR, ENDS_NEAR))) return false;
    int error = with_link_open(far, &w, &p->link);
    if (error < 0) snprintf(p->why, p->why_size, "no link: %s", pl_strerror(error));
    return error == 0;
}

static bool begin(struct play *p)
{
    const struct transfer_params *t = p->params;
    struct host_loop *l = &p->ours.loop;
    bool listens = t->who == KERNEL_TO_PARLEY || kernel_listens(&p->receiver, &p->net, FAR, p->why, p->why_size);
    if (!listens) return false;
    if (t->who != KERNEL_TO_KERNEL && !parley_begins(&p->ours, p->link, t->who == PARLEY_TO_KERNEL ? t->control : NULL, p->why, p->why_size)) return false;
    if (t->who == PARLEY_TO_KERNEL) return host_loop_watch(l, p->receiver.listener, POLLIN, on_listener, p) == 0;
    bool to_us = t->who == KERNEL_TO_PARLEY;
    if (!kernel_connects(&p->sender, &p->net, to_us ? FAR : NEAR, to_us ? ENDS_NEAR : ENDS_FAR, t->control, p->why, p->why_size)) return false;
    return !to_us || host_loop_watch(l, p->sender.fd, POLLOUT, on_sender, p) == 0;
}

static void numbers(const struct play *p, struct end_numbers *n)
{
    if (p->params->who == PARLEY_TO_KERNEL) parley_numbers(&p->ours, n);
    else kernel_numbers(&p->sender, n);
}

static uint64_t got(const struct play *p) { return p->params->who == KERNEL_TO_PARLEY ? p->ours.got : p->receiver.got; }

/* False: the connection is over before that. */
static bool run_until(struct play *p, pl_time until)
{
    for (pl_time now; (now = host_now()) < until && !p->over && !p->ours.error;) {
        pl_time stop = p->params->keep && until - now > WATCH_EVERY ? now + WATCH_EVERY : until;
        if (p->params->who == KERNEL_TO_KERNEL) relay_once(p, stop);
        else if (host_loop_run_once(&p->ours.loop, stop - now) < 0) p->over = true;
        if (p->params->keep && watch_wants(&p->watch, host_now())) {
            struct end_numbers n;
            numbers(p, &n);
            watch_numbers(&p->watch, host_now(), got(p), &n);
        }
    }
    if (p->over || p->ours.error)
        snprintf(p->why, p->why_size, "the connection ended%s%s", p->ours.error ? ": " : "", p->ours.error ? pl_strerror(p->ours.error) : "");
    return !p->over && !p->ours.error;
}

static void sum_up(struct play *p, struct transfer_result *r)
{
    const struct hist *late = with_link_late(p->link);
    const struct sim_direction *d = &with_link_link(p->link)->dir[p->params->who == KERNEL_TO_PARLEY ? WITH_LINK_IN : WITH_LINK_OUT];
    static const unsigned permille[] = {500, 990, 1000};
    struct end_numbers n;
    for (unsigned i = 0; i < 3; i++)
        r->late_ms[i] = (double)hist_permille(late, permille[i]) / 1e6;
    r->frames = d->frames;
    r->lost = d->lost_way;
    r->lost_full = d->lost_full;
    numbers(p, &n);
    r->retransmits = n.retransmits;
    r->refused = p->refused + with_link_refused(p->link);
}

void transfer_play(const struct transfer_params *t, struct transfer_result *r)
{
    static struct play p;
    *r = (struct transfer_result){0};
    p = (struct play){.params = t, .sender = {-1, -1, 0}, .receiver = {-1, -1, 0}, .why = r->why, .why_size = sizeof r->why};
    prctl(PR_SET_TIMERSLACK, 1UL);        /* the kernel may be 50 us late otherwise */
    if (!make_path(&p)) return;
    if (t->keep && !watch_open(&p.watch, t->keep, with_link_link(p.link), &p.ours.env, r->why, sizeof r->why)) return;
    pl_time began = host_now();
    if (!begin(&p) || !run_until(&p, began + t->warm_up)) return;
    uint64_t before = got(&p);
    pl_time from = host_now();
    if (!run_until(&p, from + t->measured)) return;
    r->mbit_s = (double)(got(&p) - before) * 8e3 / (double)(host_now() - from);
    sum_up(&p, r);
    if (!t->keep) return;
    if (t->who == PARLEY_TO_KERNEL) parley_counted(&p.ours, watch_counted(&p.watch));
    else kernel_counted(&p.net, t->who == KERNEL_TO_KERNEL ? NEAR : FAR, watch_counted(&p.watch));
    watch_close(&p.watch);
}
