/* SPDX-License-Identifier: MIT
 *
 * rig.c: see rig.h.
 */
#include "support/rig.h"

#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/driver/with_gso.h"
#include "os/host/clock.h"
#include "os/host/random.h"
#include "stack/stack.h"

const struct rig_kind rig_kinds[RIG_KINDS] = {
    {.name = "tun"}, {.name = "tun+gso", .offload = true}, {.name = "tun in with_gso", .wrapped = true},
    {.name = "tap", .tap = true}, {.name = "tap+gso", .tap = true, .offload = true},
    {.name = "af_packet", .veth = true}, {.name = "af_packet+gso", .veth = true, .offload = true},
};
char rig_why[400];

const struct rig_kind *rig_kind(const char *name)
{
    for (unsigned i = 0; i < RIG_KINDS; i++)
        if (strcmp(rig_kinds[i].name, name) == 0) return &rig_kinds[i];
    fail_msg("no such kind of link: %s", name);
    return NULL;
}

void rig_config(struct pl_config *c)
{
    pl_config_default(c, sizeof *c);
    c->msl = 50 * PL_MS;
    c->user_timeout = 2 * PL_S;
    c->check = true;
    assert_true(host_random(c->seed, sizeof c->seed));
}

/* ---- the link */

static int plain_frames(void *arg, int *fd)
{
    static const uint32_t off[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM, ETHTOOL_SGRO};
    struct ifreq r = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
    (void)fd;
    strcpy(r.ifr_name, arg);
    for (unsigned i = 0; i < COUNT_OF(off) && error == 0; i++) {
        struct ethtool_value v = {off[i], 0};
        r.ifr_data = (void *)&v;
        error = ioctl(s, SIOCETHTOOL, &r) < 0 ? -errno : 0;
    }
    close(s);
    return error;
}

static struct pl_driver *open_veth(struct rig *r)
{
    struct pl_driver *d;
    char end[] = RIG_KERNEL_IFACE;
    assert_int_equal(testnet_veth(&r->net, RIG_OURS, RIG_OUR_IFACE, RIG_KERNEL, RIG_KERNEL_IFACE, 1500), 0);
    assert_int_equal(testnet_quiet(&r->net, RIG_OURS, RIG_OUR_IFACE), 0);
    if (testnet_af_packet(&r->net, RIG_OURS, RIG_OUR_IFACE, &d, rig_why, sizeof rig_why) < 0) fail_msg("%s", rig_why);
    if (!r->kind->offload) {
        d->params.gso_bytes = 0;
        d->params.csum_offload = false;
        assert_int_equal(testnet_run(&r->net, RIG_KERNEL, plain_frames, end, sizeof end, NULL), 0);
    }
    return d;
}

static struct pl_driver *open_device(struct rig *r)
{
    struct pl_driver *d, *wrapped;
    if (r->kind->veth) return open_veth(r);
    struct tun_params p = {.name = RIG_KERNEL_IFACE, .tap = r->kind->tap, .offload = r->kind->offload, .up = true};
    if (testnet_tun(&r->net, RIG_KERNEL, &p, &d, rig_why, sizeof rig_why) < 0) fail_msg("%s", rig_why);
    if (r->kind->wrapped) {
        assert_int_equal(with_gso_open(d, &(struct with_gso_params){.join = true}, &wrapped), 0);
        d = wrapped;
    }
    return r->kind->wrap ? r->kind->wrap(d) : d;
}

/* ---- the stack and the loop */

static bool on_events(void *user)
{
    struct rig *r = user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(r->stack, &e)) {
        any = true;
        r->events++;
        if (r->on_event) r->on_event(r->user, &e);
    }
    return any;
}

static void on_lost(void *user, int iface, struct pl_driver *d, int error)
{
    struct rig *r = user;
    (void)iface;
    r->device_errors = d->errors;
    r->lost = error;
}

static void add_address(struct rig *r, int version)
{
    struct pl_endpoint us = rig_endpoint(version, false, 0);
    assert_int_equal(pl_addr_add(r->stack, r->iface, &us.addr, version == 4 ? 24 : 64), 0);
}

/* Found out once; it costs two namespaces. */
static bool possible(const struct rig_kind *kind)
{
    static int tun, af_packet;            /* 0: not known, 1: yes, -1: no */
    int *known = kind->veth ? &af_packet : &tun;
    if (*known <= 0) *known = (kind->veth ? testnet_af_packet_possible : testnet_tun_possible)(rig_why, sizeof rig_why) ? 1 : -1;
    return *known > 0;
}

bool rig_open(struct rig *r, const struct rig_kind *kind, const struct pl_config *config)
{
    struct pl_config c;
    *r = (struct rig){.kind = kind};
    if (!possible(kind)) return false;
    if (config) c = *config;
    else rig_config(&c);
    size_t bytes = pl_stack_size(&c);
    if (bytes == 0) fail_msg("%s", pl_config_problem(&c));
    r->block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    assert_non_null(r->block);
    assert_int_equal(pl_stack_init(r->block, bytes, &c, &r->env, host_now(), &r->stack), 0);
    assert_int_equal(host_loop_init(&r->loop, r->stack, &(struct host_loop_params){on_events, on_lost, r}), 0);
    if (testnet_open(&r->net, RIG_NAMESPACES, rig_why, sizeof rig_why) < 0) fail_msg("%s", rig_why);
    r->iface = host_loop_add_driver(&r->loop, open_device(r));
    assert_true(r->iface >= 0);
    add_address(r, 4);
    add_address(r, 6);
    assert_int_equal(testnet_addr(&r->net, RIG_KERNEL, RIG_KERNEL_IFACE, "10.9.0.2", 24), 0);
    assert_int_equal(testnet_addr(&r->net, RIG_KERNEL, RIG_KERNEL_IFACE, "fd09::2", 64), 0);
    return true;
}

void rig_close(struct rig *r)
{
    host_loop_fini(&r->loop);
    testnet_close(&r->net);
    free(r->block);
    r->block = NULL;
}

bool rig_run(struct rig *r, rig_done_fn *done, void *user, pl_time limit)
{
    pl_time end = host_now() + limit;
    for (;;) {
        if (done && done(user)) return true;
        pl_time now = host_now();
        if (now >= end) return false;
        pl_time wait = r->patience && r->patience < end - now ? r->patience : end - now;
        assert_true(host_loop_run_once(&r->loop, wait) >= 0);
    }
}

static unsigned say(struct rig *r, bool to_device)
{
    struct pl_driver *d = host_loop_driver(&r->loop, r->iface);
    uint8_t header[PL_HEADER_BYTES_MAX];
    for (unsigned said = 0;; said++) {
        struct pl_frame f = {.span[0] = {header, sizeof header}};
        int n = pl_tx(r->stack, r->iface, &f, 1, host_now());
        if (n == 0) return said;
        assert_int_equal(n, 1);
        if (to_device) assert_int_equal(d->ops->send(d, &f, 1), 1);
    }
}

void rig_transmit(struct rig *r) { say(r, true); }
unsigned rig_lose(struct rig *r) { return say(r, false); }

void rig_receive(struct rig *r, unsigned most)
{
    struct pl_driver *d = host_loop_driver(&r->loop, r->iface);
    struct pl_frame f;
    while (most-- > 0 && (memset(&f, 0, sizeof f), d->ops->recv(d, &f, 1) == 1))
        assert_int_equal(pl_rx(r->stack, r->iface, &f, 1, host_now()), 0);
}

static bool nothing_left(void *user)
{
    const pl_stack *s = ((const struct rig *)user)->stack;
    return s->pools.conns.used + s->pools.flights.used + s->pools.records.used + s->pools.gaps.used + s->half_opens.used + s->time_waits.used + s->pools.chunks.used == 0;
}

bool rig_nothing_left(const struct rig *r) { return nothing_left((void *)(uintptr_t)r); }

void rig_comes_to_rest(struct rig *r)
{
    if (rig_run(r, nothing_left, r, 5 * PL_S)) return;
    const pl_stack *s = r->stack;
    uint32_t states[PL_STATE_COUNT], cursor = 0;
    char text[500];
    pl_states(s, states);
    for (int i = 0; i < PL_STATE_COUNT; i++)
        if (states[i]) print_error("%u connections in state %d\n", states[i], i);
    for (pl_conn c; pl_conn_next(s, &cursor, &c);)
        if (pl_explain(s, c, text, sizeof text) > 0) print_error("%s\n", text);
    fail_msg("left: %u connections, %u flights, %u records, %u gaps, %u half-open, %u time-wait, %u chunks", s->pools.conns.used, s->pools.flights.used,
             s->pools.records.used, s->pools.gaps.used, s->half_opens.used, s->time_waits.used, s->pools.chunks.used);
}

/* ---- the ends */

struct pl_endpoint rig_endpoint(int version, bool kernels, uint16_t port)
{
    struct pl_endpoint e = {.port = port};
    assert_int_equal(pl_addr_parse(version == 4 ? kernels ? "10.9.0.2" : "10.9.0.1" : kernels ? "fd09::2" : "fd09::1", &e.addr), 0);
    return e;
}

socklen_t rig_sockaddr(int version, bool kernels, uint16_t port, struct sockaddr_storage *to)
{
    struct pl_endpoint e = rig_endpoint(version, kernels, port);
    memset(to, 0, sizeof *to);
    if (version == 4) {
        struct sockaddr_in *a = (struct sockaddr_in *)to;
        *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&a->sin_addr, e.addr.b + 12, 4);
        return sizeof *a;
    }
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)to;
    *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&a->sin6_addr, e.addr.b, 16);
    return sizeof *a;
}

int rig_socket(struct rig *r, int version, int type, int protocol)
{
    int s = testnet_socket(&r->net, RIG_KERNEL, version == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, protocol);
    if (s < 0) fail_msg("no socket: %s", strerror(errno));
    return s;
}

#define ERRAND_FDS_MAX 250                /* SCM_RIGHTS takes 253 */
struct errand {
    int domain, type, to;
    unsigned n;
};
union errand_control {
    char bytes[CMSG_SPACE(sizeof(int) * ERRAND_FDS_MAX)];
    struct cmsghdr align;
};

static int make_sockets(void *arg, int *fd)
{
    struct errand *e = arg;
    int fds[ERRAND_FDS_MAX];
    (void)fd;
    for (unsigned i = 0; i < e->n; i++)
        if ((fds[i] = socket(e->domain, e->type, 0)) < 0) return -errno;
    union errand_control control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(sizeof(int) * e->n)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * e->n)};
    memcpy(CMSG_DATA(c), fds, sizeof(int) * e->n);
    return sendmsg(e->to, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

void rig_sockets(struct rig *r, int version, int type, int *fds, unsigned n)
{
    int pair[2];
    assert_in_range(n, 1, ERRAND_FDS_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct errand e = {version == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, pair[1], n};
    assert_int_equal(testnet_run(&r->net, RIG_KERNEL, make_sockets, &e, sizeof e, NULL), 0);
    union errand_control control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    assert_int_equal(recvmsg(pair[0], &m, MSG_CMSG_CLOEXEC), 1);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    assert_non_null(c);
    assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof(int) * n));
    memcpy(fds, CMSG_DATA(c), sizeof(int) * n);
    close(pair[0]);
    close(pair[1]);
}

int rig_kernel_listens(struct rig *r, int version, int backlog, uint16_t *port)
{
    struct sockaddr_storage a;
    int s = rig_socket(r, version, SOCK_STREAM, 0);
    socklen_t n = rig_sockaddr(version, true, 0, &a);
    assert_int_equal(bind(s, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(s, backlog), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(version == 4 ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
    return s;
}

static int count_states(void *arg, int *fd)
{
    static const char *const lists[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    unsigned *counts = arg;
    (void)fd;
    for (unsigned i = 0; i < COUNT_OF(lists); i++) {
        FILE *f = fopen(lists[i], "r");
        char line[400];
        unsigned state;
        if (!f) return -errno;
        while (fgets(line, sizeof line, f))
            if (sscanf(line, " %*d: %*s %*s %x", &state) == 1 && state < RIG_KERNEL_STATES) counts[state]++;
        fclose(f);
    }
    return 0;
}

void rig_kernel_states(struct rig *r, unsigned counts[RIG_KERNEL_STATES])
{
    memset(counts, 0, sizeof(unsigned) * RIG_KERNEL_STATES);
    assert_int_equal(testnet_run(&r->net, RIG_KERNEL, count_states, counts, sizeof(unsigned) * RIG_KERNEL_STATES, NULL), 0);
}
