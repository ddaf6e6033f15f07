/* SPDX-License-Identifier: MIT
 *
 * testnet.h: networks of the kernel's own to test and demonstrate against, which leave nothing behind.
 *
 * A namespace here has no name and no process: all that keeps it alive are descriptors of this process. When the process ends, whichever
 * way, kill -9 included, they are closed and the kernel takes namespaces, interfaces, addresses and routes away. What runs inside runs in
 * children that die with this process. With root the namespaces are plain network namespaces; without, they belong to a user namespace
 * in which the user is root (`unshare -Urn` as a library); /dev/net/tun then works only where its mode lets the user in.
 *
 *     struct testnet net;
 *     if (testnet_open(&net, 2, why, sizeof why) < 0) ...            two namespaces, 0 and 1
 *     testnet_veth(&net, 0, "ours", 1, "theirs", 1500);
 *     testnet_addr(&net, 1, "theirs", "10.1.0.1", 24);               the kernel's end
 *     testnet_quiet(&net, 0, "ours");                                ours has no address, so only parley answers on it
 *     testnet_af_packet(&net, 0, "ours", &driver, why, sizeof why);
 */
#ifndef OS_HOST_TESTNET_H
#define OS_HOST_TESTNET_H

#include <sys/types.h>
#include <parley/driver.h>
#include "os/driver/tun.h"

#define TESTNET_NAMESPACES_MAX 4

struct testnet {
    int user_ns;                          /* descriptor of the user namespace, -1: root needs none */
    int net_ns[TESTNET_NAMESPACES_MAX];
    int n;
};

/* Makes n namespaces with loopback up. Returns 0, or PL_ENETDOWN (not allowed here), PL_EINVAL with a sentence in `why`. */
int testnet_open(struct testnet *, int n, char *why, size_t why_size);
void testnet_close(struct testnet *);
/* Whether testnet_open works here, found out by trying: false, and in `why` what forbids it and what to do about it. */
bool testnet_possible(char *why, size_t why_size);
/* The same, as one answer for TUN and TAP, and for AF_PACKET on a veth. */
bool testnet_tun_possible(char *why, size_t why_size);
bool testnet_af_packet_possible(char *why, size_t why_size);

/* Runs fn(arg) inside a namespace, in a child of this process, and waits for it. What fn wrote to the `size` bytes at arg comes back, and
 * so does the descriptor that it left in *fd (fd NULL: none; fn sees -1). Returns what fn returned, or -errno. */
typedef int testnet_fn(void *arg, int *fd);
int testnet_run(const struct testnet *, int ns, testnet_fn *fn, void *arg, size_t size, int *fd);
/* Starts a program inside; it dies with this process. stdin is /dev/null; stdout and stderr go to out_fd (-1: are kept). Returns the
 * process, or -errno. */
pid_t testnet_spawn(const struct testnet *, int ns, const char *const argv[], int out_fd);
/* Waits for it: its exit status, 128 + signal, or -errno. */
int testnet_wait(pid_t);
/* Makes this process itself enter a namespace for good. For children: without root there is no way back, and no threads may run. 0 or
 * -errno. */
int testnet_enter(const struct testnet *, int ns);

/* A socket of the kernel that lives in a namespace, as socket(2). -1 with errno. */
int testnet_socket(const struct testnet *, int ns, int domain, int type, int protocol);

/* Interfaces. All return 0 or -errno, and take addresses as text. */
int testnet_veth(const struct testnet *, int ns_a, const char *name_a, int ns_b, const char *name_b, uint32_t mtu);     /* both up */
int testnet_addr(const struct testnet *, int ns, const char *name, const char *addr, unsigned prefix_bits);
int testnet_route(const struct testnet *, int ns, const char *name, const char *to, unsigned prefix_bits, const char *via /* or NULL */);
int testnet_link_up(const struct testnet *, int ns, const char *name, bool up);
int testnet_link_mtu(const struct testnet *, int ns, const char *name, uint32_t mtu);
int testnet_link_delete(const struct testnet *, int ns, const char *name);
/* The kernel has no address on this interface and gives itself none: it is a mere plug. */
int testnet_quiet(const struct testnet *, int ns, const char *name);
/* /proc/sys/net/... of a namespace. */
int testnet_sysctl(const struct testnet *, int ns, const char *path, const char *value);

/* Drivers whose kernel side is in a namespace. As tun_open and af_packet_open. The kernel's side of TUN and TAP is made up with `up`. */
int testnet_tun(const struct testnet *, int ns, const struct tun_params *, struct pl_driver **, char *why, size_t why_size);
int testnet_af_packet(const struct testnet *, int ns, const char *name, struct pl_driver **, char *why, size_t why_size);

#endif
