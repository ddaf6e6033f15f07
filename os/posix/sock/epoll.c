/* SPDX-License-Identifier: MIT
 *
 * epoll.c: epoll(7). A wake-up of a socket puts the items that watch it at the end of their epoll's ready list; epoll_wait asks each item there
 * for its level. An item that has nothing to say leaves the list; a level-triggered one that has goes to its end again; an edge-triggered one leaves
 * until the next wake-up; a one-shot one is silent until EPOLL_CTL_MOD.
 */
#include "os/posix/sock/inside.h"

struct epoll_item {
    struct sock *epoll, *target;
    uint32_t events;
    epoll_data_t data;
    bool silent, ready;                   /* silent: one-shot, and it was told */
    struct epoll_item *next_item, *next_watcher, *next_ready;
};

enum { ALWAYS = EPOLLERR | EPOLLHUP };

static uint32_t level(struct epoll_item *i) { return i->silent ? 0 : (uint32_t)(unsigned short)ready_events(i->target) & (i->events | ALWAYS); }

static void make_ready(struct epoll_item *i)
{
    struct sock *e = i->epoll;
    if (i->ready)
        return;
    epoll_wake(e, EPOLLIN | EPOLLRDNORM); /* whoever watches this epoll; circles are refused */
    i->ready = true;
    i->next_ready = NULL;
    if (e->ready_last)
        e->ready_last->next_ready = i;
    else
        e->ready_first = i;
    e->ready_last = i;
}

static struct epoll_item *pop_ready(struct sock *e)
{
    struct epoll_item *i = e->ready_first;
    if (!i)
        return NULL;
    e->ready_first = i->next_ready;
    if (!e->ready_first)
        e->ready_last = NULL;
    i->ready = false;
    return i;
}

void epoll_wake(struct sock *s, uint32_t events)
{
    for (struct epoll_item *i = s->watchers; i; i = i->next_watcher)
        if (!i->silent && (events == WAKE_ALL || (events & i->events)))
            make_ready(i);
}

bool epoll_ready(struct sock *e)
{
    for (struct epoll_item *i = e->ready_first; i; i = i->next_ready)
        if (level(i))
            return true;
    return false;
}

/* ------------------------------------------------------------ items ------------------------------------------------------------ */

static void remove_item(struct epoll_item *i)
{
    struct epoll_item **at = &i->epoll->items;
    while (*at != i)
        at = &(*at)->next_item;
    *at = i->next_item;
    at = &i->target->watchers;
    while (*at != i)
        at = &(*at)->next_watcher;
    *at = i->next_watcher;
    if (i->ready) {
        struct epoll_item *last = NULL;
        for (at = &i->epoll->ready_first; *at != i; at = &(*at)->next_ready)
            last = *at;
        *at = i->next_ready;
        if (i->epoll->ready_last == i)
            i->epoll->ready_last = last;
    }
    free(i);
}

void epoll_forget_socket(struct sock *s)
{
    while (s->watchers)
        remove_item(s->watchers);
}

void epoll_free(struct sock *e)
{
    while (e->items)
        remove_item(e->items);
}

static int add_item(struct sock *e, struct sock *target, const struct epoll_event *event)
{
    struct epoll_item *i = calloc(1, sizeof *i);
    if (!i)
        return -ENOMEM;
    *i = (struct epoll_item){.epoll = e, .target = target, .next_item = e->items, .next_watcher = target->watchers};
    e->items = target->watchers = i;
    i->events = event->events;
    i->data = event->data;
    if (level(i))
        make_ready(i);
    return 0;
}

static int change_item(struct epoll_item *i, const struct epoll_event *event)
{
    if ((event->events | i->events) & EPOLLEXCLUSIVE)
        return -EINVAL;
    i->events = event->events;
    i->data = event->data;
    i->silent = false;
    if (level(i))
        make_ready(i);
    return 0;
}

/* ------------------------------------------------------------ calls ------------------------------------------------------------ */

int sock_epoll_create(struct sock_world *w, int flags)
{
    struct sock *e;
    if (flags & ~EPOLL_CLOEXEC)
        return -EINVAL;
    int fd = sock_make(w, SOCK_KIND_EPOLL, &e);
    if (fd >= 0)
        e->cloexec = flags != 0;
    return fd;
}

/* epoll_ctl(2), ELOOP: "a circular loop of epoll instances monitoring one another, or a nesting depth of epoll instances greater than 5" */
static bool may_watch(const struct sock *e, const struct sock *target, int depth)
{
    if (target == e || depth > 5)
        return false;
    for (const struct epoll_item *i = target->items; i; i = i->next_item)
        if (i->target->kind == SOCK_KIND_EPOLL && !may_watch(e, i->target, depth + 1))
            return false;
    return true;
}

int sock_epoll_ctl(struct sock_world *w, int epoll_fd, int what, int fd, struct epoll_event *event)
{
    struct sock *e = sock_find(w, epoll_fd), *target = sock_find(w, fd);
    if (what != EPOLL_CTL_DEL && !event)
        return -EFAULT;
    if (!e || !target)
        return -EBADF;
    if (e->kind != SOCK_KIND_EPOLL || e == target)
        return -EINVAL;
    if (what == EPOLL_CTL_ADD && target->kind == SOCK_KIND_EPOLL && !may_watch(e, target, 1))
        return -ELOOP;
    struct epoll_item *i = e->items;
    while (i && i->target != target)
        i = i->next_item;
    switch (what) {
    case EPOLL_CTL_ADD:
        return i ? -EEXIST : add_item(e, target, event);
    case EPOLL_CTL_MOD:
        return i ? change_item(i, event) : -ENOENT;
    case EPOLL_CTL_DEL:
        if (!i)
            return -ENOENT;
        remove_item(i);
        return 0;
    default:
        return -EINVAL;
    }
}

/* Those that were told and stay are at the list's end, behind whatever was not reached: everyone gets his turn. */
static int collect(struct sock *e, struct epoll_event *out, int max)
{
    struct epoll_item *stop = e->ready_last, *i;
    int n = 0;
    bool last = false;
    while (n < max && !last && (i = pop_ready(e)) != NULL) {
        uint32_t events = level(i);
        last = i == stop;
        if (!events)
            continue;
        out[n].events = events;
        out[n++].data = i->data;
        if (i->events & EPOLLONESHOT)
            i->silent = true;
        else if (!(i->events & EPOLLET))
            make_ready(i);
    }
    return n;
}

int sock_epoll_wait(struct sock_world *w, int epoll_fd, struct epoll_event *out, int max, pl_time timeout, struct sock_op *op)
{
    struct sock *e = sock_find(w, epoll_fd);
    if (max <= 0)
        return -EINVAL;
    if (!e)
        return -EBADF;
    if (e->kind != SOCK_KIND_EPOLL)
        return -EINVAL;
    if (op && op->begun && op->serial != e->serial)
        return -EBADF;
    if (!out)
        return -EFAULT;
    int n = collect(e, out, max);
    if (op)
        op->serial = e->serial;
    return n ? n : ready_wait(w, timeout, op);
}
