/* SPDX-License-Identifier: MIT
 *
 * inside.c: a script's target inside this process: one stack behind an interface without link layer, its sockets, virtual time. Nothing waits: time is a
 * number that jumps to whatever comes next.
 */
#include "drill/node.h"
#include "drill/target.h"
#include "view/ladder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FD = 3, PACKET_ROOM = 65600 };

struct inside {
    struct node node;                     /* its clock is 0 when the script's is */
    struct drill_ears ears;
    struct ladder *ladder;
    FILE *story;
    char *story_text;
    size_t story_bytes;
    bool asked;                           /* the call that waits was tried, and nothing has happened since */
};

static int64_t now_us(void *self) { return (int64_t)(((struct inside *)self)->node.now / PL_US); }

/* One that waits for several descriptors (fd < 0) cannot be asked which: it is tried whenever something has happened. One that was tried, and nothing
 * has happened since, waits: so time goes on whatever the call says. */
static bool may_get_further(struct inside *i, const struct sock_op *op)
{
    return !i->asked && (op->fd < 0 || op->until <= i->node.now || sock_op_ready(i->node.world, op));
}

static void pass(void *self, int64_t until_us, unsigned stop, const struct drill_wait *waiting)
{
    struct inside *i = self;
    const struct sock_op *op = waiting ? (const struct sock_op *)(const void *)waiting->own : NULL;
    pl_time until = (pl_time)(until_us < 0 ? 0 : until_us) * PL_US;
    for (;;) {
        node_settle(&i->node);
        if ((stop & STOP_AT_PACKET) && i->node.first)
            return;
        if ((stop & STOP_AT_CALL) && op && may_get_further(i, op))
            return;
        if (i->node.now >= until)
            return;
        pl_time next = pl_deadline(i->node.stack);
        if ((stop & STOP_AT_CALL) && op && op->until > i->node.now && op->until < next)
            next = op->until;
        i->node.now = next > until ? until : next > i->node.now ? next : i->node.now;
        i->asked = false;
        pl_poll(i->node.stack, i->node.now);
    }
}

static void arrives(void *self, const uint8_t *packet, size_t n)
{
    struct inside *i = self;
    i->asked = false;
    node_arrives(&i->node, packet, n);
    node_settle(&i->node);
}

static bool sent(void *self, uint8_t *packet, size_t *n, int64_t *us)
{
    struct inside *i = self;
    pl_time at = 0;
    node_settle(&i->node);
    bool one = node_take(&i->node, packet, PACKET_ROOM, n, &at);
    *us = (int64_t)(at / PL_US);
    return one;
}

static pl_time ms(intptr_t timeout) { return timeout < 0 ? PL_NEVER : (pl_time)timeout * PL_MS; }

static ssize_t message(struct inside *i, bool out, const intptr_t *a, void *name, socklen_t *name_bytes, struct sock_op *op, const struct iovec *iov, size_t iovs, int flags)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = iovs, .msg_name = name, .msg_namelen = name_bytes ? *name_bytes : 0};
    ssize_t n = out ? sock_sendmsg(i->node.world, (int)a[0], &m, flags, op) : sock_recvmsg(i->node.world, (int)a[0], &m, flags, op);
    if (!out && name_bytes && n >= 0)
        *name_bytes = m.msg_namelen;
    return n;
}

static long call(void *self, enum drill_function fn, const intptr_t a[6], struct drill_wait *wait)
{
    struct inside *i = self;
    struct sock_world *w = i->node.world;
    struct sock_op *op = (struct sock_op *)(void *)wait->own;
    void *p1 = (void *)a[1], *p2 = (void *)a[2], *p3 = (void *)a[3], *p4 = (void *)a[4];
    struct iovec one = {p1, (size_t)a[2]};
    int fd = (int)a[0];
    socklen_t name_bytes = (socklen_t)a[5];
    long r = -ENOSYS;
    node_settle(&i->node);
    switch (fn) {
    case FN_SOCKET: r = sock_socket(w, fd, (int)a[1], (int)a[2]); break;
    case FN_BIND: r = sock_bind(w, fd, p1, (socklen_t)a[2]); break;
    case FN_LISTEN: r = sock_listen(w, fd, (int)a[1]); break;
    case FN_ACCEPT: r = sock_accept(w, fd, p1, p2, 0, op); break;
    case FN_ACCEPT4: r = sock_accept(w, fd, p1, p2, (int)a[3], op); break;
    case FN_CONNECT: r = sock_connect(w, fd, p1, (socklen_t)a[2], op); break;
    case FN_READ: r = sock_read(w, fd, p1, (size_t)a[2], op); break;
    case FN_RECV: r = message(i, false, a, NULL, NULL, op, &one, 1, (int)a[3]); break;
    case FN_RECVFROM: r = message(i, false, a, p4, (socklen_t *)a[5], op, &one, 1, (int)a[3]); break;
    case FN_READV: r = sock_readv(w, fd, p1, (int)a[2], op); break;
    case FN_RECVMSG: r = sock_recvmsg(w, fd, p1, (int)a[2], op); break;
    case FN_WRITE: r = sock_write(w, fd, p1, (size_t)a[2], op); break;
    case FN_SEND: r = message(i, true, a, NULL, NULL, op, &one, 1, (int)a[3]); break;
    case FN_SENDTO: r = message(i, true, a, p4, &name_bytes, op, &one, 1, (int)a[3]); break;
    case FN_WRITEV: r = sock_writev(w, fd, p1, (int)a[2], op); break;
    case FN_SENDMSG: r = sock_sendmsg(w, fd, p1, (int)a[2], op); break;
    case FN_FCNTL: r = sock_fcntl(w, fd, (int)a[1], a[2]); break;
    case FN_IOCTL: r = sock_ioctl(w, fd, (unsigned long)a[1], p2); break;
    case FN_CLOSE: r = sock_close(w, fd, op); break;
    case FN_SHUTDOWN: r = sock_shutdown(w, fd, (int)a[1]); break;
    case FN_GETSOCKOPT: r = sock_getsockopt(w, fd, (int)a[1], (int)a[2], p3, p4); break;
    case FN_SETSOCKOPT: r = sock_setsockopt(w, fd, (int)a[1], (int)a[2], p3, (socklen_t)a[4]); break;
    case FN_POLL: r = sock_poll(w, (struct pollfd *)a[0], (nfds_t)a[1], ms(a[2]), op); break;
    case FN_EPOLL_CREATE: r = sock_epoll_create(w, fd); break;
    case FN_EPOLL_CTL: r = sock_epoll_ctl(w, fd, (int)a[1], (int)a[2], p3); break;
    case FN_EPOLL_WAIT: r = sock_epoll_wait(w, fd, p1, (int)a[2], ms(a[3]), op); break;
    case FN_COUNT: break;
    }
    node_settle(&i->node);
    i->asked = r == SOCK_BLOCKED;
    return r == SOCK_BLOCKED ? DRILL_WAITS : r;
}

static void trace(void *user, const struct pl_trace_event *e)
{
    struct inside *i = user;
    if (i->ladder)
        ladder_event(i->ladder, 0, e);
    if (i->ears.hears)
        i->ears.hears(i->ears.user, i->node.stack, e);
}

static void story(void *self, FILE *to)
{
    struct inside *i = self;
    if (!i->ladder)
        return;
    ladder_flush(i->ladder);
    fflush(i->story);
    fwrite(i->story_text, 1, i->story_bytes, to);
}

static void end(void *self)
{
    struct inside *i = self;
    node_close(&i->node);
    if (i->ladder)
        ladder_free(i->ladder);
    if (i->story)
        fclose(i->story);
    free(i->story_text);
    free(i);
}

static void tell_story(struct inside *i)
{
    struct ladder_opts o;
    if ((i->story = open_memstream(&i->story_text, &i->story_bytes)) == NULL)
        return;
    ladder_opts_default(&o, i->story);
    o.one_sided = true;
    o.colour = false;
    o.name[0] = "parley", o.name[1] = "script";
    i->ladder = ladder_new(&o);
}

static bool make(struct inside *i, const struct drill_net *net, const struct drill_config *config, char *error, size_t size)
{
    struct node_params p = {.config = config, .mtu = net->mtu, .first_fd = FIRST_FD};
    struct pl_addr local, remote;
    bool ours = node_address(net->local, &local);
    if (!ours || !node_address(net->remote, &remote)) {
        snprintf(error, size, "\"%s\" is no address", ours ? net->remote : net->local);
        return false;
    }
    if (i->ears.story)
        tell_story(i);
    if (i->ladder || i->ears.hears)
        i->node.env = (struct pl_env){.trace = trace, .trace_user = i};
    if (node_open(&i->node, &p, error, size) < 0)
        return false;
    if (node_add_address(&i->node, &local))
        return true;
    snprintf(error, size, "%s cannot be an address of the stack", net->local);
    return false;
}

bool drill_inside(struct drill_target *t, const struct drill_net *net, const struct drill_config *config, const struct drill_ears *ears, char *error,
                  size_t size)
{
    _Static_assert(sizeof(struct sock_op) <= sizeof(struct drill_wait), "room for a call on its way");
    struct inside *i = calloc(1, sizeof *i);
    if (i)
        i->ears = *ears;
    if (!i || !make(i, net, config, error, size)) {
        if (i)
            end(i);
        return false;
    }
    *t = (struct drill_target){.self = i, .now_us = now_us, .pass = pass, .arrives = arrives, .sent = sent, .call = call, .story = story, .end = end};
    return true;
}
