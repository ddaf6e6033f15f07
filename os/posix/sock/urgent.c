/* SPDX-License-Identifier: MIT
 *
 * urgent.c: the out-of-band byte, made of RFC 9293 3.8.5's urgent data, which is none: the stack leaves all bytes in the stream and says how far the
 * urgent ones reach; the last of them is what programs know as the out-of-band byte (RFC 6093 3.4). It stands at the mark: a read stops before
 * it, the next one goes on behind it, and MSG_OOB gives it as soon as it has come; with SO_OOBINLINE it is a byte like others.
 */
#include "os/posix/sock/inside.h"

void urgent_sync(struct sock *s)
{
    ptrdiff_t ahead = pl_urgent(s->world->stack, s->handle);
    if (ahead <= 0)
        return;
    uint64_t mark = s->taken + (uint64_t)ahead - 1;
    if (s->urgent != URGENT_NONE && mark == s->mark)
        return;
    s->urgent = URGENT_AHEAD;
    s->mark = mark;
}

static bool has_come(struct sock *s, uint8_t *byte) { return s->mark >= s->taken && stream_look(s, (size_t)(s->mark - s->taken), byte, 1) == 1; }

bool urgent_here(struct sock *s)
{
    uint8_t byte;
    return s->urgent == URGENT_AHEAD && s->handle && has_come(s, &byte);
}

size_t urgent_limit(struct sock *s, size_t n)
{
    if (s->urgent == URGENT_NONE || s->mark < s->taken)
        return n;
    size_t before = (size_t)(s->mark - s->taken);
    if (before == 0 && s->opt.oob_inline)
        return n;                         /* who stands at the mark reads on */
    return before < n ? before : n;
}

size_t urgent_skip(struct sock *s)
{
    uint8_t byte;
    return s->urgent != URGENT_NONE && s->mark == s->taken && !s->opt.oob_inline && has_come(s, &byte);
}

void urgent_pass(struct sock *s)
{
    if (!urgent_skip(s))
        return;
    pl_recv_consume(s->world->stack, s->handle, 1);
    s->taken++;
    s->urgent = URGENT_NONE;
}

ssize_t urgent_receive(struct sock *s, struct msghdr *m, int flags)
{
    uint8_t byte;
    if (s->opt.oob_inline || s->urgent != URGENT_AHEAD)
        return -EINVAL;
    if (has_come(s, &byte)) {
        bool room = message_bytes(m) != 0;
        m->msg_flags |= room ? MSG_OOB : MSG_OOB | MSG_TRUNC;
        message_put(m, 0, &byte, room);
        if (!(flags & MSG_PEEK))
            s->urgent = URGENT_READ;
        return room;
    }
    return s->over || s->peer_finished || s->shut_rd ? 0 : -EAGAIN;
}
