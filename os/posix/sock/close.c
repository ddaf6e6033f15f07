/* SPDX-License-Identifier: MIT
 *
 * close.c: shutdown and close. RFC 9293 3.10.4, 3.10.5; POSIX close, shutdown; socket(7) SO_LINGER.
 */
#include "os/posix/sock/inside.h"

static int shutdown_stream(struct sock *s, bool rd, bool wr)
{
    sock_sync(s);
    if (s->state == SOCK_LISTENING) {
        if (!rd)
            return 0;
        sock_detach(s);                   /* what waits in the queue is reset; the port stays */
        s->state = SOCK_IDLE;
        epoll_wake(s, WAKE_ALL);
        return 0;
    }
    if (s->state == SOCK_CONNECTING && !s->over)
        return sock_disconnect(s);
    bool open = s->state == SOCK_CONNECTED && !s->over;
    if (open && wr && !s->shut_wr)
        pl_finish(s->world->stack, s->handle);
    if (open && rd && wr)
        stream_note_shut(s);
    s->shut_rd |= rd;                     /* also of one that is not connected yet: it holds then, too */
    s->shut_wr |= wr;
    epoll_wake(s, WAKE_ALL);
    return open ? 0 : -ENOTCONN;
}

int sock_shutdown(struct sock_world *w, int fd, int how)
{
    struct sock *s;
    int error = sock_find_socket(w, fd, &s);
    if (error)
        return error;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    bool rd = how != SHUT_WR, wr = how != SHUT_RD;
    if (s->kind == SOCK_KIND_TCP)
        return shutdown_stream(s, rd, wr);
    s->shut_rd |= rd;
    s->shut_wr |= wr;
    epoll_wake(s, WAKE_ALL);
    return s->state == SOCK_CONNECTED ? 0 : -ENOTCONN;
}

/* ------------------------------------------------------------ close ------------------------------------------------------------ */

static bool all_acknowledged(const struct sock *s)
{
    struct pl_tcp_status st;
    return pl_status(s->world->stack, s->handle, &st, sizeof st) != PL_OK || st.state == PL_FIN_WAIT_2 || st.state == PL_TIME_WAIT ||
           st.state == PL_CLOSED;
}

static int gone(struct sock *s)
{
    sock_detach(s);                       /* unread text: the stack resets (RFC 9293 3.6.1, SHLD-3) */
    sock_drop(s);
    return 0;
}

static int linger_on(struct sock *s, struct sock_op *op)
{
    if (all_acknowledged(s) || s->world->now >= op->until)
        return gone(s);
    op->fd = s->fd;
    op->events = 0;
    return SOCK_BLOCKED;
}

static int linger(struct sock *s, struct sock_op *op)
{
    if (!s->shut_wr)
        pl_finish(s->world->stack, s->handle);
    epoll_forget_socket(s);
    s->closing = true;
    op->begun = true;
    op->serial = s->serial;
    op->until = s->world->now + (pl_time)s->opt.linger.l_linger * PL_S;
    return linger_on(s, op);
}

int sock_close(struct sock_world *w, int fd, struct sock_op *op)
{
    int i = fd < w->first_fd ? -1 : fd - w->first_fd;
    struct sock *s = i < 0 || i >= w->files_high ? NULL : w->file[i];
    if (op && op->begun)
        return s && s->closing && s->serial == op->serial ? linger_on(s, op) : -EBADF;
    if (!s || (s->closing && op))
        return -EBADF;
    sock_sync(s);
    bool lingers = s->kind == SOCK_KIND_TCP && !s->over && s->opt.linger.l_onoff && !s->closing;
    if (lingers && s->opt.linger.l_linger == 0 && (s->state == SOCK_CONNECTED || s->state == SOCK_CONNECTING))
        pl_abort(w->stack, s->handle);    /* RFC 9293 3.10.5: before ESTABLISHED, too: in SYN-RECEIVED, when two SYNs have crossed, the peer has to know */
    else if (lingers && s->state == SOCK_CONNECTED && op && stream_look(s, 0, NULL, 1) == 0)
        return linger(s, op);
    return gone(s);
}

bool close_ready(const struct sock *s) { return all_acknowledged(s); }
