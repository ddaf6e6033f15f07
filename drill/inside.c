/* SPDX-License-Identifier: MIT
 *
 * inside.c: a script's target inside this process: one stack behind an interface without link layer, its sockets, virtual time. Nothing waits: time is a
 * number that jumps to whatever comes next.
 */
#include "drill/settings.h"
#include "drill/target.h"
#include "os/posix/sock/sock.h"
#include "view/ladder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BEGINS ((pl_time)0)                /* the stack's clock when the script's is 0 */
enum { FIRST_FD = 3 };

struct sent {
    struct sent *next;
    int64_t us;
    size_t n;
    uint8_t packet[];
};

struct inside {
    void *block;
    size_t block_bytes;
    pl_stack *stack;
    struct pl_env env;
    struct sock_world *world;
    struct ladder *ladder;
    FILE *story;
    char *story_text;
    size_t story_bytes;
    int iface;
    pl_time now;
    bool asked;                           /* the call that waits was asked, and nothing has happened since */
    struct sent *first, **last;
    uint8_t header[PL_HEADER_BYTES_MAX];
};

static int64_t us_of(pl_time t) { return (int64_t)((t - BEGINS) / PL_US); }

static void keep(struct inside *i, const struct pl_frame *f)
{
    size_t n = 0;
    for (unsigned k = 0; k < f->nspans; k++)
        n += f->span[k].len;
    struct sent *s = malloc(sizeof *s + n);
    if (!s)
        return;                           /* the script misses its packet and says so */
    *s = (struct sent){.us = us_of(i->now), .n = n};
    uint8_t *to = s->packet;
    for (unsigned k = 0; k < f->nspans; to += f->span[k].len, k++)
        memcpy(to, f->span[k].base, f->span[k].len);
    *i->last = s;
    i->last = &s->next;
}

/* The stack says and does whatever it wants now. */
static void settle(struct inside *i)
{
    for (bool more = true; more;) {
        more = false;
        sock_turn(i->world, i->now);
        for (;;) {
            struct pl_frame f = {.nspans = 1};
            f.span[0] = (struct pl_span){i->header, sizeof i->header};
            if (pl_tx(i->stack, i->iface, &f, 1, i->now) <= 0)
                break;
            keep(i, &f);
            more = true;
        }
    }
}

static int64_t now_us(void *self) { return us_of(((struct inside *)self)->now); }

/* One that waits for several descriptors (fd < 0) cannot be asked which: it is tried whenever something has happened. One that was tried, and nothing
 * has happened since, waits: so time goes on whatever the call says. */
static bool may_get_further(struct inside *i, const struct sock_op *op)
{
    return !i->asked && (op->fd < 0 || op->until <= i->now || sock_op_ready(i->world, op));
}

static void pass(void *self, int64_t until_us, unsigned stop, const struct drill_wait *waiting)
{
    struct inside *i = self;
    const struct sock_op *op = waiting ? (const struct sock_op *)(const void *)waiting->own : NULL;
    pl_time until = BEGINS + (pl_time)(until_us < 0 ? 0 : until_us) * PL_US;
    for (;;) {
        settle(i);
        if ((stop & STOP_AT_PACKET) && i->first)
            return;
        if ((stop & STOP_AT_CALL) && op && may_get_further(i, op))
            return;
        if (i->now >= until)
            return;
        pl_time next = pl_deadline(i->stack);
        if ((stop & STOP_AT_CALL) && op && op->until > i->now && op->until < next)
            next = op->until;
        i->now = next > until ? until : next > i->now ? next : i->now;
        i->asked = false;
        pl_poll(i->stack, i->now);
    }
}

static void arrives(void *self, const uint8_t *packet, size_t n)
{
    struct inside *i = self;
    struct pl_frame f = {.nspans = 1};
    f.span[0] = (struct pl_span){(void *)(uintptr_t)packet, (uint32_t)n};
    i->asked = false;
    pl_rx(i->stack, i->iface, &f, 1, i->now);
    settle(i);
}

static bool sent(void *self, uint8_t *packet, size_t *n, int64_t *us)
{
    struct inside *i = self;
    settle(i);
    struct sent *s = i->first;
    if (!s)
        return false;
    i->first = s->next;
    if (!i->first)
        i->last = &i->first;
    memcpy(packet, s->packet, s->n);
    *n = s->n;
    *us = s->us;
    free(s);
    return true;
}

static pl_time ms(intptr_t timeout) { return timeout < 0 ? PL_NEVER : (pl_time)timeout * PL_MS; }

static ssize_t message(struct inside *i, bool out, const intptr_t *a, void *name, socklen_t *name_bytes, struct sock_op *op, const struct iovec *iov, size_t iovs, int flags)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = iovs, .msg_name = name, .msg_namelen = name_bytes ? *name_bytes : 0};
    ssize_t n = out ? sock_sendmsg(i->world, (int)a[0], &m, flags, op) : sock_recvmsg(i->world, (int)a[0], &m, flags, op);
    if (!out && name_bytes && n >= 0)
        *name_bytes = m.msg_namelen;
    return n;
}

static long call(void *self, enum drill_function fn, const intptr_t a[6], struct drill_wait *wait)
{
    struct inside *i = self;
    struct sock_world *w = i->world;
    struct sock_op *op = (struct sock_op *)(void *)wait->own;
    void *p1 = (void *)a[1], *p2 = (void *)a[2], *p3 = (void *)a[3], *p4 = (void *)a[4];
    struct iovec one = {p1, (size_t)a[2]};
    int fd = (int)a[0];
    socklen_t name_bytes = (socklen_t)a[5];
    long r = -ENOSYS;
    settle(i);
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
    settle(i);
    i->asked = r == SOCK_BLOCKED;
    return r == SOCK_BLOCKED ? DRILL_WAITS : r;
}

static void trace(void *user, const struct pl_trace_event *e) { ladder_event(((struct inside *)user)->ladder, 0, e); }

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
    if (i->world)
        sock_world_free(i->world);
    if (i->ladder)
        ladder_free(i->ladder);
    if (i->story)
        fclose(i->story);
    free(i->story_text);
    for (struct sent *s = i->first, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    if (i->block)
        munmap(i->block, i->block_bytes);
    free(i);
}

static bool address(const char *text, struct pl_addr *to)
{
    *to = (struct pl_addr){.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    return strchr(text, ':') ? inet_pton(AF_INET6, text, to->b) == 1 : inet_pton(AF_INET, text, to->b + 12) == 1;
}

/* One interface, one address, and everything else behind it. */
static bool connect_net(struct inside *i, const struct drill_net *net, char *error, size_t size)
{
    struct pl_addr local, remote;
    struct pl_iface_params params = {.mtu = net->mtu, .link = PL_LINK_IP};
    if (!address(net->local, &local) || !address(net->remote, &remote)) {
        snprintf(error, size, "\"%s\" is no address", address(net->local, &local) ? net->remote : net->local);
        return false;
    }
    i->iface = pl_iface_add(i->stack, &params);
    if (i->iface < 0 || pl_addr_add(i->stack, i->iface, &local, net->ipv6 ? 64 : 16) < 0) {
        snprintf(error, size, "an interface with mtu %u and address %s cannot be made", net->mtu, net->local);
        return false;
    }
    struct pl_route any = {.iface = i->iface};
    if (!net->ipv6)
        any.destination.b[10] = any.destination.b[11] = 0xff;
    return pl_route_add(i->stack, &any) == PL_OK;
}

static bool make(struct inside *i, const struct drill_net *net, const struct drill_config *config, bool with_story, char *error, size_t size)
{
    size_t bytes = pl_stack_size(&config->stack);
    if (!bytes) {
        snprintf(error, size, "these settings make no stack: %s", pl_config_problem(&config->stack));
        return false;
    }
    i->last = &i->first;
    i->now = BEGINS;
    if (with_story && (i->story = open_memstream(&i->story_text, &i->story_bytes)) != NULL) {
        struct ladder_opts o;
        ladder_opts_default(&o, i->story);
        o.one_sided = true;
        o.colour = false;
        o.name[0] = "parley", o.name[1] = "script";
        i->ladder = ladder_new(&o);
        i->env = (struct pl_env){.trace = i->ladder ? trace : NULL, .trace_user = i};
    }
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);      /* zero, and touched where it is used */
    i->block = block == MAP_FAILED ? NULL : block;
    i->block_bytes = bytes;
    if (!i->block || pl_stack_init(i->block, bytes, &config->stack, &i->env, i->now, &i->stack) != PL_OK) {
        snprintf(error, size, "no memory for a stack of %zu bytes", bytes);
        return false;
    }
    struct sock_params p = {.stack = i->stack, .config = &config->stack, .now = i->now, .first_fd = FIRST_FD, .seed = 1, .isn_fixed = config->isn_fixed, .isn = config->isn};
    i->world = sock_world_new(&p);
    return i->world ? connect_net(i, net, error, size) : (snprintf(error, size, "no memory for sockets"), false);
}

bool drill_inside(struct drill_target *t, const struct drill_net *net, const struct drill_config *config, bool with_story, char *error, size_t size)
{
    _Static_assert(sizeof(struct sock_op) <= sizeof(struct drill_wait), "room for a call on its way");
    struct inside *i = calloc(1, sizeof *i);
    if (!i || !make(i, net, config, with_story, error, size)) {
        if (i)
            end(i);
        return false;
    }
    *t = (struct drill_target){.self = i, .now_us = now_us, .pass = pass, .arrives = arrives, .sent = sent, .call = call, .story = story, .end = end};
    return true;
}
