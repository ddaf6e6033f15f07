/* SPDX-License-Identifier: MIT
 *
 * ready.c: what a descriptor is ready for, as poll(2) on Linux says it; and poll.
 */
#include "os/posix/sock/inside.h"

enum { READ = POLLIN | POLLRDNORM, WRITE = POLLOUT | POLLWRNORM };

static bool enough_to_read(struct sock *s)
{
    struct pl_tcp_status st;
    uint32_t low = (uint32_t)s->opt.rcvlowat;
    if (pl_status(s->world->stack, s->handle, &st, sizeof st) != PL_OK)
        return false;
    if (low > st.rcvbuf_bytes / 2)
        low = st.rcvbuf_bytes / 2;        /* more would never come together */
    if (s->urgent != URGENT_NONE && s->mark == s->taken && !s->opt.oob_inline)
        low++;                            /* the byte at the mark will be stepped over */
    return st.rcvbuf_used >= low;
}

static int of_ends(bool in, bool out) { return (in ? READ | POLLRDHUP : 0) | (in && out ? POLLHUP : 0); }

static short of_connection(struct sock *s)
{
    bool end_in = s->shut_rd || s->peer_finished || s->over, end_out = s->shut_wr || s->over;
    int bits = of_ends(end_in, end_out);
    if (enough_to_read(s))
        bits |= READ;
    if (stream_writable(s)) {
        bits |= WRITE;
    } else if (!s->starved) {             /* who saw that is told when it changes */
        s->starved = true;
        s->world->starved++;
    }
    if (urgent_here(s))
        bits |= POLLPRI;
    return (short)bits;
}

static short of_stream(struct sock *s)
{
    int bits = s->error ? POLLERR : 0;
    if (s->state == SOCK_LISTENING)
        return pl_ready(s->world->stack, s->handle) & PL_EV_ACCEPTABLE ? (short)(bits | READ) : (short)bits;
    if (s->state == SOCK_CONNECTED)
        return (short)(bits | of_connection(s));
    if (s->over)
        return (short)(bits | READ | WRITE | POLLHUP | POLLRDHUP);
    return (short)(bits | of_ends(s->shut_rd, s->shut_wr) | (s->state == SOCK_CONNECTING ? 0 : WRITE | POLLHUP));
}

static short of_datagrams(struct sock *s)
{
    int bits = s->error ? POLLERR : 0;
    if (s->held || s->shut_rd)
        bits |= READ;
    if (s->shut_rd)
        bits |= POLLRDHUP;
    if (s->shut_rd && s->shut_wr)
        bits |= POLLHUP;
    if (!s->handle || (pl_ready(s->world->stack, s->handle) & PL_EV_WRITABLE))
        bits |= WRITE | POLLWRBAND;
    return (short)bits;
}

short ready_events(struct sock *s)
{
    sock_sync(s);
    return s->kind == SOCK_KIND_TCP ? of_stream(s) : s->kind == SOCK_KIND_UDP ? of_datagrams(s) : epoll_ready(s) ? READ : 0;
}

short sock_events(struct sock_world *w, int fd)
{
    struct sock *s = sock_find(w, fd);
    return s ? ready_events(s) : POLLNVAL;
}

int sock_poll(struct sock_world *w, struct pollfd *p, nfds_t n, pl_time timeout, struct sock_op *op)
{
    int ready = 0;
    if (n && !p)
        return -EFAULT;
    for (nfds_t i = 0; i < n; i++) {
        p[i].revents = p[i].fd < 0 ? 0 : (short)(sock_events(w, p[i].fd) & (p[i].events | POLLERR | POLLHUP | POLLNVAL));
        ready += p[i].revents != 0;
    }
    return ready ? ready : ready_wait(w, timeout, op);
}

int ready_wait(struct sock_world *w, pl_time timeout, struct sock_op *op)
{
    if (!op)
        return 0;
    if (!op->begun) {
        op->begun = true;
        op->until = timeout == PL_NEVER ? PL_NEVER : w->now + timeout;
    }
    if (w->now >= op->until)
        return 0;
    op->fd = -1;
    op->events = 0;
    return SOCK_BLOCKED;
}
