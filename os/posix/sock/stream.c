/* SPDX-License-Identifier: MIT
 *
 * stream.c: the bytes of a TCP connection: what send, recv and their kin do there, with their errors in the order in which Linux tells them:
 * bytes first, then what the connection died of (once), then the end of the stream.
 */
#include "os/posix/sock/inside.h"

enum { LOOK_SPANS = 256 };                /* MSG_PEEK sees that many chunks */

/* ------------------------------------------------------------ out ------------------------------------------------------------ */

static struct pl_tcp_status status_of(const struct sock *s)
{
    struct pl_tcp_status st;
    if (!s->handle || pl_status(s->world->stack, s->handle, &st, sizeof st) != PL_OK)
        memset(&st, 0, sizeof st);
    return st;
}

/* Linux: a third of the buffer is free before anybody is told that there is room. */
bool stream_writable(struct sock *s)
{
    if (s->state != SOCK_CONNECTED || s->over || s->shut_wr)
        return s->state != SOCK_CONNECTING;
    struct pl_tcp_status st = status_of(s);
    return st.sndbuf_bytes > st.sndbuf_used && st.sndbuf_bytes - st.sndbuf_used >= st.sndbuf_used / 2;
}

static int cannot_send(struct sock *s, int flags, struct sock_op *op)
{
    int error = sock_error_take(s);
    if (error == 0)
        error = -EPIPE;
    if (error == -EPIPE && op && !(flags & MSG_NOSIGNAL))
        op->broken_pipe = true;
    return error;
}

/* MSG_MORE holds a small segment back until a call without it. */
static void more(struct sock *s, bool follows)
{
    if (follows == s->corked_by_more)
        return;
    s->corked_by_more = follows;
    pl_set(s->world->stack, s->handle, PL_OPT_CORK, follows || s->opt.cork);
}

/* Gives the stack what it takes of bytes [from, to), piece by piece. Bytes taken (0: no room), or -1. */
static ptrdiff_t give(struct sock *s, const struct msghdr *m, size_t from, size_t to)
{
    size_t at = 0, done = from;
    for (size_t i = 0; i < (size_t)m->msg_iovlen && done < to; at += m->msg_iov[i].iov_len, i++) {
        const struct iovec *v = &m->msg_iov[i];
        if (done >= at + v->iov_len)
            continue;
        size_t skip = done - at, n = v->iov_len - skip < to - done ? v->iov_len - skip : to - done;
        ptrdiff_t took = pl_send(s->world->stack, s->handle, (const uint8_t *)v->iov_base + skip, n);
        if (took < 0 && took != PL_EAGAIN && done == from)
            return -1;
        if (took < 0)
            break;
        done += (size_t)took;
        if ((size_t)took < n)
            break;
    }
    return (ptrdiff_t)(done - from);
}

/* The last byte alone is urgent: it goes when all before it went. */
static ptrdiff_t give_urgent(struct sock *s, const struct msghdr *m, size_t from, size_t to)
{
    uint8_t last;
    ptrdiff_t took = from < to - 1 ? give(s, m, from, to - 1) : 0;
    if (took < 0 || from + (size_t)took < to - 1)
        return took;
    message_get(m, to - 1, &last, 1);
    ptrdiff_t one = pl_send_urgent(s->world->stack, s->handle, &last, 1);
    return one == 1 ? took + 1 : one == PL_EAGAIN || took ? took : -1;
}

static void starve(struct sock *s)
{
    if (!s->starved)
        s->world->starved++;
    s->starved = true;
}

ssize_t stream_send(struct sock *s, const struct msghdr *m, int flags, struct sock_op *op)
{
    size_t bytes = message_bytes(m), done = op ? op->done : 0;
    bool wait = op && !s->nonblock && !(flags & MSG_DONTWAIT);
    sock_sync(s);
    if (s->state == SOCK_CONNECTING && !s->over && !s->shut_wr)
        return wait ? sock_wait(s, op, POLLOUT, s->opt.snd_timeout, -EAGAIN) : -EAGAIN;
    if (s->error || s->shut_wr || s->over || s->state != SOCK_CONNECTED)
        return done ? (ssize_t)done : cannot_send(s, flags, op);
    if (bytes == 0)
        return 0;
    more(s, (flags & MSG_MORE) != 0);
    ptrdiff_t took = flags & MSG_OOB ? give_urgent(s, m, done, bytes) : give(s, m, done, bytes);
    if (took < 0) {
        sock_sync(s);
        return done ? (ssize_t)done : cannot_send(s, flags, op);
    }
    done += (size_t)took;
    if (op)
        op->done = done;
    if (done == bytes)
        return (ssize_t)done;
    starve(s);
    ssize_t late = done ? (ssize_t)done : -EAGAIN;
    return wait ? sock_wait(s, op, POLLOUT, s->opt.snd_timeout, late) : late;
}

/* ------------------------------------------------------------ in ------------------------------------------------------------ */

void stream_note_shut(struct sock *s)
{
    s->received_at_shut = status_of(s).bytes_received;
    s->refuses = true;
}

/* RFC 1122 4.2.2.13: new data for one who has closed both directions: "its TCP SHOULD send a RST to show that data was lost". */
bool stream_refuses(struct sock *s)
{
    struct pl_tcp_status st = status_of(s);
    if (!s->refuses || s->over || st.bytes_received == s->received_at_shut)
        return false;
    if (st.rcvbuf_used == st.bytes_received - s->received_at_shut)      /* nothing older is unread */
        pl_recv_consume(s->world->stack, s->handle, st.rcvbuf_used);
    pl_abort(s->world->stack, s->handle);
    return true;
}

size_t stream_look(struct sock *s, size_t offset, void *to, size_t n)
{
    struct pl_span span[LOOK_SPANS];
    int spans = s->handle ? pl_recv_peek(s->world->stack, s->handle, span, LOOK_SPANS) : 0;
    size_t at = 0, done = 0;
    for (int i = 0; i < spans && done < n; at += span[i].len, i++) {
        if (offset + done >= at + span[i].len)
            continue;
        size_t skip = offset + done - at, piece = span[i].len - skip < n - done ? span[i].len - skip : n - done;
        if (to)
            memcpy((uint8_t *)to + done, (const uint8_t *)span[i].base + skip, piece);
        done += piece;
    }
    return done;
}

static size_t in_stack(struct sock *s)
{
    return s->handle && (s->state == SOCK_CONNECTED || s->over) && s->state != SOCK_LISTENING ? status_of(s).rcvbuf_used : 0;
}

size_t stream_readable(struct sock *s) { return urgent_limit(s, in_stack(s)); }

/* Moves what can be had now into the message from `done` on: up to the mark, or the end of what has come. A look begins `skip` bytes ahead. */
static size_t take(struct sock *s, struct msghdr *m, size_t done, size_t n, int flags, size_t skip)
{
    uint8_t piece[4096];
    size_t got = 0;
    while (got < n) {
        size_t want = n - got < sizeof piece ? n - got : sizeof piece;
        size_t have = stream_look(s, flags & MSG_PEEK ? skip + got : 0, flags & MSG_TRUNC ? NULL : piece, want);
        if (have == 0)
            break;
        if (!(flags & MSG_TRUNC))
            message_put(m, done + got, piece, have);
        if (!(flags & MSG_PEEK)) {
            pl_recv_consume(s->world->stack, s->handle, have);
            s->taken += have;
        }
        got += have;
    }
    return got;
}

/* Nothing to read: what a call that has moved nothing says. 1: it may wait. */
static int nothing(struct sock *s)
{
    if (s->peer_finished)
        return 0;
    if (s->error)
        return sock_error_take(s);
    if (s->shut_rd || s->over)
        return 0;
    return s->state == SOCK_IDLE || s->state == SOCK_LISTENING ? -ENOTCONN : 1;
}

static bool ended(const struct sock *s) { return s->error || s->peer_finished || s->shut_rd || s->over; }

ssize_t stream_receive(struct sock *s, struct msghdr *m, int flags, struct sock_op *op)
{
    size_t bytes = message_bytes(m), done = op && !(flags & MSG_PEEK) ? op->done : 0;
    bool wait = op && !s->nonblock && !(flags & MSG_DONTWAIT);
    sock_sync(s);
    if (flags & MSG_OOB)
        return urgent_receive(s, m, flags);
    size_t low = (size_t)s->opt.rcvlowat < bytes ? (size_t)s->opt.rcvlowat : bytes;
    size_t target = flags & MSG_WAITALL ? bytes : low;
    size_t had = done, skip = flags & MSG_PEEK ? urgent_skip(s) : 0;
    if (done == 0 && !(flags & MSG_PEEK))
        urgent_pass(s);
    size_t here = skip ? in_stack(s) - skip : stream_readable(s);
    done += take(s, m, done, here < bytes - done ? here : bytes - done, flags, skip);
    if (op && !(flags & MSG_PEEK))
        op->done = done;
    bool stopped = done > had && urgent_limit(s, SIZE_MAX) == 0;    /* the mark: whoever has bytes goes home */
    if (done >= (target ? target : 1) || (bytes == 0 && here) || (done && (ended(s) || stopped)))
        return (ssize_t)done;
    if (done == 0) {
        int why = nothing(s);
        if (why <= 0)
            return why;
    }
    ssize_t late = done ? (ssize_t)done : -EAGAIN;
    ssize_t result = wait ? sock_wait(s, op, POLLIN, s->opt.rcv_timeout, late) : late;
    if (result == SOCK_BLOCKED && (flags & MSG_PEEK))
        op->fd = -1;                      /* what there is stays: POLLIN would say nothing new */
    return result;
}
