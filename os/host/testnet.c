/* SPDX-License-Identifier: MIT
 *
 * testnet.c: see testnet.h.
 *
 * A child makes the namespaces with unshare(2) and hands their descriptors to this process over a socket; then it is gone. Everything that
 * has to happen inside a namespace happens in a child that enters it with setns(2), because without root a process that has entered a user
 * namespace cannot leave it. Sockets and TUN descriptors stay in the namespace in which they were made, so those are handed back too.
 */
#include "os/host/testnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "os/driver/af_packet.h"
#include "os/host/rtnl.h"
#include "os/why.h"

/* What a child and its parent share: a page for the result and a socket for descriptors. */
struct child {
    pid_t pid;
    int socket[2];                        /* [0]: the parent's end */
};

static int send_fds(int s, const int *fds, int n)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * (TESTNET_NAMESPACES_MAX + 1))];
        struct cmsghdr align;
    } control = {0};
    char byte = 0;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
    return sendmsg(s, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* Returns how many there were (at most `max`), -errno if nothing was sent. */
static int receive_fds(int s, int *fds, int max)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * (TESTNET_NAMESPACES_MAX + 1))];
        struct cmsghdr align;
    } control;
    char byte;
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do {
        got = recvmsg(s, &m, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return got < 0 ? -errno : -EPIPE;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS) return 0;
    int n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(c), sizeof(int) * (size_t)(n < max ? n : max));
    return n < max ? n : max;
}

static void tie_to(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  /* it died before we could ask to die with it */
}

/* fork(2); the child dies with this process. Returns the pid, 0 in the child, -errno. */
static pid_t fork_tied(struct child *c)
{
    if (c && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->socket) < 0) return -errno;
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) {
        int error = errno;
        if (c) close(c->socket[0]), close(c->socket[1]);
        return -error;
    }
    if (pid > 0) {
        if (c) {
            c->pid = pid;
            close(c->socket[1]);
        }
        return pid;
    }
    tie_to(parent);
    if (c) close(c->socket[0]);
    return 0;
}

int testnet_wait(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t n = strlen(text);
    int result = write(fd, text, n) == (ssize_t)n ? 0 : -errno;
    close(fd);
    return result;
}

/* A user namespace in which this user, and nobody else, is root. */
static int become_root(void)
{
    char map[64];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER) < 0) return -errno;
    write_file("/proc/self/setgroups", "deny");         /* else an unprivileged user may not write the other two; absent on old kernels */
    snprintf(map, sizeof map, "0 %u 1", uid);
    int error = write_file("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "0 %u 1", gid);
    if (error == 0) error = write_file("/proc/self/gid_map", map);
    return error;
}

/* In a child: makes n namespaces; fds: theirs, then the user namespace's if one was needed. Returns 0 or -errno, *step: what failed. */
static int make_namespaces(int n, int *fds, int *nfds, const char **step)
{
    bool own_user = false;
    *nfds = 0;
    for (int i = 0; i < n; i++) {
        *step = "a network namespace (unshare CLONE_NEWNET)";
        if (unshare(CLONE_NEWNET) < 0) {
            if (errno != EPERM || own_user) return -errno;
            *step = "a user namespace (unshare CLONE_NEWUSER)";
            int error = become_root();
            if (error) return error;
            own_user = true;
            *step = "a network namespace inside a user namespace";
            if (unshare(CLONE_NEWNET) < 0) return -errno;
        }
        *step = "loopback in a new namespace";
        int error = rtnl_link_up("lo", true);
        if (error) return error;
        *step = "/proc/self/ns/net";
        fds[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (fds[i] < 0) return -errno;
        ++*nfds;
    }
    if (!own_user) return 0;
    *step = "/proc/self/ns/user";
    fds[n] = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    if (fds[n] < 0) return -errno;
    ++*nfds;
    return 0;
}

/* What went wrong in the child that makes the namespaces. */
struct refusal {
    int error;
    char step[80];
};

static int explain(const struct refusal *r, char *why, size_t why_size)
{
    const char *advice = "";
    if (r->error == -EPERM || r->error == -EACCES)
        advice = ": run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
                 "kernel.apparmor_restrict_unprivileged_userns=0; in a container also its seccomp profile)";
    else if (r->error == -ENOSPC)
        advice = ": the limit of namespaces is reached (sysctl user.max_user_namespaces, user.max_net_namespaces)";
    else if (r->error == -EINVAL || r->error == -ENOSYS)
        advice = ": this kernel is built without them";
    return why_not(why, why_size, PL_ENETDOWN, "the kernel refuses %s: %s%s", r->step, strerror(-r->error), advice);
}

int testnet_open(struct testnet *t, int n, char *why, size_t why_size)
{
    *t = (struct testnet){.user_ns = -1};
    if (n < 1 || n > TESTNET_NAMESPACES_MAX)
        return why_not(why, why_size, PL_EINVAL, "between 1 and %d namespaces", TESTNET_NAMESPACES_MAX);
    struct refusal *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r == MAP_FAILED) return why_not(why, why_size, PL_ENETDOWN, "no memory: %s", strerror(errno));
    struct child c;
    pid_t pid = fork_tied(&c);
    if (pid == 0) {
        int fds[TESTNET_NAMESPACES_MAX + 1], nfds;
        const char *step = "";
        r->error = make_namespaces(n, fds, &nfds, &step);
        snprintf(r->step, sizeof r->step, "%s", step);
        _exit(r->error == 0 && send_fds(c.socket[1], fds, nfds) == 0 ? 0 : 1);
    }
    if (pid < 0) *r = (struct refusal){(int)pid, "a child process"};
    int fds[TESTNET_NAMESPACES_MAX + 1], got = pid > 0 ? receive_fds(c.socket[0], fds, TESTNET_NAMESPACES_MAX + 1) : -1;
    if (pid > 0) {
        close(c.socket[0]);
        testnet_wait(pid);
    }
    int result = 0;
    if (got >= n) {
        memcpy(t->net_ns, fds, sizeof(int) * (size_t)n);
        t->n = n;
        if (got > n) t->user_ns = fds[n];
    } else {
        if (r->error == 0) *r = (struct refusal){-EIO, "to hand over a namespace"};
        result = explain(r, why, why_size);
    }
    munmap(r, sizeof *r);
    return result;
}

void testnet_close(struct testnet *t)
{
    for (int i = 0; i < t->n; i++)
        close(t->net_ns[i]);
    if (t->user_ns >= 0) close(t->user_ns);
    *t = (struct testnet){.user_ns = -1};
}

int testnet_enter(const struct testnet *t, int ns)
{
    if (ns < 0 || ns >= t->n) return -EINVAL;
    if (t->user_ns >= 0 && setns(t->user_ns, CLONE_NEWUSER) < 0) return -errno;
    return setns(t->net_ns[ns], CLONE_NEWNET) < 0 ? -errno : 0;
}

/* The page that a child of testnet_run writes its result to. */
struct shared {
    int result;
    uint8_t bytes[];
};

int testnet_run(const struct testnet *t, int ns, testnet_fn *fn, void *arg, size_t size, int *fd)
{
    struct shared *s = mmap(NULL, sizeof *s + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED) return -errno;
    struct child c;
    pid_t parent = getpid(), pid = fork_tied(&c);
    if (pid == 0) {
        int given = -1;
        s->result = testnet_enter(t, ns);
        tie_to(parent);                   /* entering a user namespace with new rights undid it */
        if (s->result == 0) s->result = fn(arg, &given);
        if (size) memcpy(s->bytes, arg, size);
        int error = given >= 0 ? send_fds(c.socket[1], &given, 1) : 0;
        if (error) s->result = error;
        _exit(0);
    }
    int result = (int)pid;
    if (pid > 0) {
        int given = -1;
        receive_fds(c.socket[0], &given, 1);
        close(c.socket[0]);
        int status = testnet_wait(pid);
        result = status == 0 ? s->result : -EIO;
        if (size) memcpy(arg, s->bytes, size);
        if (fd) *fd = given;
        else if (given >= 0) close(given);
    }
    munmap(s, sizeof *s + size);
    return result;
}

pid_t testnet_spawn(const struct testnet *t, int ns, const char *const argv[], int out_fd)
{
    pid_t parent = getpid(), pid = fork_tied(NULL);
    if (pid != 0) return pid;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) dup2(nothing, 0);
    if (out_fd >= 0) {
        dup2(out_fd, 1);
        dup2(out_fd, 2);
    }
    if (testnet_enter(t, ns) == 0) {
        tie_to(parent);                   /* entering a user namespace with new rights undid it */
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    }
    dprintf(2, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* The things to do inside. */
struct task {
    char name[32], other[32], path[128], value[64];
    struct pl_addr to, via;
    bool has_via, up;
    unsigned bits;
    uint32_t mtu;
    int peer_ns, domain, type, protocol;
};

static bool read_addr(const char *text, struct pl_addr *to)
{
    *to = (struct pl_addr){.b = {[10] = 0xff, [11] = 0xff}};
    return inet_pton(AF_INET, text, to->b + 12) == 1 || inet_pton(AF_INET6, text, to->b) == 1;
}

static void set_name(char *to, const char *from) { snprintf(to, 32, "%s", from); }

static int do_veth(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    int error = rtnl_veth_add(k->name, k->other, k->peer_ns, k->mtu);
    return error ? error : rtnl_link_up(k->name, true);
}
static int do_up(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    return rtnl_link_up(k->name, k->up);
}
static int do_mtu(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    return rtnl_link_mtu(k->name, k->mtu);
}
static int do_delete(void *arg, int *fd)
{
    (void)fd;
    return rtnl_link_delete(((const struct task *)arg)->name);
}
static int do_addr(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    return rtnl_addr_add(k->name, &k->to, k->bits);
}
static int do_route(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    return rtnl_route_add(k->name, &k->to, k->bits, k->has_via ? &k->via : NULL);
}
static int do_sysctl(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    return rtnl_sysctl(k->path, k->value);
}
static int do_socket(void *arg, int *fd)
{
    const struct task *k = arg;
    *fd = socket(k->domain, k->type | SOCK_CLOEXEC, k->protocol);
    return *fd < 0 ? -errno : 0;
}

static int sysctl_of(const char *name, const char *leaf, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "ipv6/conf/%s/%s", name, leaf);
    int error = rtnl_sysctl(path, value);
    return error == -ENOENT ? 0 : error;  /* a kernel without IPv6 says nothing there either */
}

/* No duplicate address detection and no router solicitations: addresses work at once, and the link is silent until somebody speaks. */
static int calm(const char *name)
{
    int error = sysctl_of(name, "accept_dad", "0");
    if (error == 0) error = sysctl_of(name, "router_solicitations", "0");
    return error ? error : sysctl_of(name, "accept_ra", "0");
}
static int do_calm(void *arg, int *fd)
{
    (void)fd;
    return calm(((const struct task *)arg)->name);
}
static int do_quiet(void *arg, int *fd)
{
    const struct task *k = arg;
    (void)fd;
    int error = sysctl_of(k->name, "addr_gen_mode", "1");       /* none */
    return error ? error : sysctl_of(k->name, "disable_ipv6", "1");
}

static int run_task(const struct testnet *t, int ns, testnet_fn *fn, struct task *k) { return testnet_run(t, ns, fn, k, 0, NULL); }

int testnet_veth(const struct testnet *t, int ns_a, const char *name_a, int ns_b, const char *name_b, uint32_t mtu)
{
    if (ns_b < 0 || ns_b >= t->n) return -EINVAL;
    struct task k = {.peer_ns = t->net_ns[ns_b], .mtu = mtu};
    set_name(k.name, name_a);
    set_name(k.other, name_b);
    int error = run_task(t, ns_a, do_veth, &k);
    if (error == 0) error = run_task(t, ns_a, do_calm, &k);
    set_name(k.name, name_b);
    k.up = true;
    if (error == 0) error = run_task(t, ns_b, do_calm, &k);
    return error ? error : run_task(t, ns_b, do_up, &k);
}

int testnet_addr(const struct testnet *t, int ns, const char *name, const char *addr, unsigned prefix_bits)
{
    struct task k = {.bits = prefix_bits};
    set_name(k.name, name);
    return !read_addr(addr, &k.to) ? -EINVAL : run_task(t, ns, do_addr, &k);
}

int testnet_route(const struct testnet *t, int ns, const char *name, const char *to, unsigned prefix_bits, const char *via)
{
    struct task k = {.bits = prefix_bits, .has_via = via};
    set_name(k.name, name);
    if (!read_addr(to, &k.to) || (via && !read_addr(via, &k.via))) return -EINVAL;
    return run_task(t, ns, do_route, &k);
}

int testnet_link_up(const struct testnet *t, int ns, const char *name, bool up)
{
    struct task k = {.up = up};
    set_name(k.name, name);
    return run_task(t, ns, do_up, &k);
}

int testnet_link_mtu(const struct testnet *t, int ns, const char *name, uint32_t mtu)
{
    struct task k = {.mtu = mtu};
    set_name(k.name, name);
    return run_task(t, ns, do_mtu, &k);
}

int testnet_link_delete(const struct testnet *t, int ns, const char *name)
{
    struct task k = {0};
    set_name(k.name, name);
    return run_task(t, ns, do_delete, &k);
}

int testnet_quiet(const struct testnet *t, int ns, const char *name)
{
    struct task k = {0};
    set_name(k.name, name);
    return run_task(t, ns, do_quiet, &k);
}

int testnet_sysctl(const struct testnet *t, int ns, const char *path, const char *value)
{
    struct task k = {0};
    snprintf(k.path, sizeof k.path, "%s", path);
    snprintf(k.value, sizeof k.value, "%s", value);
    return run_task(t, ns, do_sysctl, &k);
}

int testnet_socket(const struct testnet *t, int ns, int domain, int type, int protocol)
{
    struct task k = {.domain = domain, .type = type, .protocol = protocol};
    int fd = -1, error = testnet_run(t, ns, do_socket, &k, 0, &fd);
    if (error == 0) return fd;
    errno = -error;
    return -1;
}

/* Drivers. */
struct tun_task {
    struct tun_params params;
    char name[32], why[256];
    struct pl_iface_params iface;
    int error;
};

static int do_tun(void *arg, int *fd)
{
    struct tun_task *k = arg;
    struct pl_driver *d;
    bool up = k->params.up;
    k->params.name = k->name;
    k->params.up = false;
    k->error = tun_open(&k->params, &d, k->why, sizeof k->why);
    if (k->error < 0) return 0;
    snprintf(k->name, sizeof k->name, "%s", d->name);
    k->iface = d->params;
    *fd = tun_fd(d);                      /* the child ends here and closes nothing before the descriptor is on its way */
    int error = calm(k->name);
    if (error == 0 && up) error = rtnl_link_up(k->name, true);
    if (error) k->error = why_not(k->why, sizeof k->why, PL_ENETDOWN, "cannot bring %s up: %s", k->name, strerror(-error));
    return 0;
}

int testnet_tun(const struct testnet *t, int ns, const struct tun_params *p, struct pl_driver **out, char *why, size_t why_size)
{
    struct tun_task k = {.params = *p};
    int fd = -1;
    if (p->name) set_name(k.name, p->name);
    int error = testnet_run(t, ns, do_tun, &k, sizeof k, &fd);
    if (error) return why_not(why, why_size, PL_ENETDOWN, "cannot enter the namespace: %s", strerror(-error));
    if (k.error == 0) {
        struct tun_params again = {.tap = p->tap, .offload = p->offload, .mtu = k.iface.mtu, .fd = fd};
        memcpy(again.mac, k.iface.mac, 6);
        k.error = tun_open(&again, out, k.why, sizeof k.why);
    }
    if (k.error < 0) {
        if (fd >= 0) close(fd);
        return why_not(why, why_size, k.error, "%s", k.why);
    }
    return 0;
}

static int do_af_packet_socket(void *arg, int *fd)
{
    (void)arg;
    *fd = af_packet_socket();
    return *fd < 0 ? -errno : 0;
}

int testnet_af_packet(const struct testnet *t, int ns, const char *name, struct pl_driver **out, char *why, size_t why_size)
{
    int fd = -1;
    struct af_packet_params p = {.name = name};
    int error = testnet_run(t, ns, do_af_packet_socket, NULL, 0, &fd);
    if (error) return why_not(why, why_size, PL_ENETDOWN, "cannot open an AF_PACKET socket in the namespace: %s", strerror(-error));
    p.fd = fd;
    error = af_packet_open(&p, out, why, why_size);
    if (error < 0) close(fd);
    return error;
}

/* What is possible here. */
bool testnet_possible(char *why, size_t why_size)
{
    struct testnet t;
    if (testnet_open(&t, 1, why, why_size) < 0) return false;
    testnet_close(&t);
    return true;
}

bool testnet_tun_possible(char *why, size_t why_size)
{
    struct testnet t;
    struct pl_driver *d;
    if (testnet_open(&t, 1, why, why_size) < 0) return false;
    bool possible = testnet_tun(&t, 0, &(struct tun_params){.up = true}, &d, why, why_size) == 0;
    if (possible) d->ops->close(d);
    testnet_close(&t);
    return possible;
}

bool testnet_af_packet_possible(char *why, size_t why_size)
{
    struct testnet t;
    struct pl_driver *d;
    if (testnet_open(&t, 1, why, why_size) < 0) return false;
    int error = testnet_veth(&t, 0, "plug0", 0, "plug1", 1500);
    if (error) why_not(why, why_size, PL_ENETDOWN, "cannot make a veth pair: %s", strerror(-error));
    bool possible = error == 0 && testnet_af_packet(&t, 0, "plug0", &d, why, why_size) == 0;
    if (possible) d->ops->close(d);
    testnet_close(&t);
    return possible;
}
