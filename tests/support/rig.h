/* SPDX-License-Identifier: MIT
 *
 * rig.h: a stack of ours and the kernel's own TCP, in two namespaces of the test's own, and a link between them of a chosen kind: we are
 * 10.9.0.1 and fd09::1, the kernel is 10.9.0.2 and fd09::2. All of it runs in the test's one thread: our program in `on_event`, the kernel's
 * sockets in watches of the host loop.
 */
#ifndef PARLEY_TESTS_RIG_H
#define PARLEY_TESTS_RIG_H

#include <sys/socket.h>

#include "os/host/loop.h"
#include "os/host/testnet.h"

enum { RIG_OURS, RIG_KERNEL, RIG_FAR, RIG_NAMESPACES };          /* the namespaces; nothing leads to the third until a test makes it so */
#define RIG_OUR_IFACE "ours0"             /* only on a veth */
#define RIG_KERNEL_IFACE "kern0"
#define RIG_PATIENCE (20 * PL_S)          /* what may take long on a loaded machine, but not forever */

struct rig_kind {
    const char *name;
    bool tap, veth;                       /* neither: TUN */
    bool offload;                         /* the link carries super-frames and unfinished checksums both ways */
    bool wrapped;                         /* in with_gso, that joins */
    struct pl_driver *(*wrap)(struct pl_driver *);       /* a test's own middleware around it all; NULL: none */
};
/* tun, tun+gso, tun in with_gso, tap, tap+gso, af_packet, af_packet+gso */
#define RIG_KINDS 7
extern const struct rig_kind rig_kinds[RIG_KINDS];
const struct rig_kind *rig_kind(const char *name);

struct rig;
typedef void rig_event_fn(void *user, const struct pl_event *);
typedef bool rig_done_fn(void *user);

struct rig {
    const struct rig_kind *kind;
    struct testnet net;
    struct host_loop loop;
    pl_stack *stack;
    void *block;
    struct pl_env env;
    int iface;
    uint64_t device_errors;               /* of the driver, after it was lost */
    int lost;                             /* the error that the device was lost with */
    rig_event_fn *on_event;               /* NULL: events are forgotten */
    void *user;
    uint64_t events;
    pl_time patience;                     /* rig_run asks `done` at least this often; 0: only when something happened */
};

/* The config for a peer that is near: MSL 50 ms, user timeout 2 s, invariants checked after each event. */
void rig_config(struct pl_config *);
/* False, with the reason in rig_why, when this machine does not allow it. config NULL: rig_config. */
bool rig_open(struct rig *, const struct rig_kind *, const struct pl_config *config);
extern char rig_why[400];
void rig_close(struct rig *);

/* Runs the loop until `done` says so. False: `limit` nanoseconds passed before that. done NULL: just for that long. */
bool rig_run(struct rig *, rig_done_fn *done, void *user, pl_time limit);
/* What we have to say leaves, but nothing that came is read: so segments of both ends cross on their way. */
void rig_transmit(struct rig *);
/* The other half: what came is read, `most` frames of it, but nothing is said. */
void rig_receive(struct rig *, unsigned most);
/* What we have to say is lost. How many frames it was. */
unsigned rig_lose(struct rig *);
/* Whether every pool of connections, timers' records, buffers and events is unused. Listeners may stay. */
bool rig_nothing_left(const struct rig *);
/* Runs the loop until nothing is left (TIME-WAIT included); fails the test case, saying what is left, if that does not come in time. */
void rig_comes_to_rest(struct rig *);

/* The ends. version 4 or 6. */
struct pl_endpoint rig_endpoint(int version, bool kernels, uint16_t port);
socklen_t rig_sockaddr(int version, bool kernels, uint16_t port, struct sockaddr_storage *);
/* Sockets of the kernel that live in its namespace, not blocking; type as in socket(2). rig_sockets: n <= 250 of them by one errand. */
int rig_socket(struct rig *, int version, int type, int protocol);
void rig_sockets(struct rig *, int version, int type, int *fds, unsigned n);
/* A listening socket on the kernel's address, port chosen by it and returned. */
int rig_kernel_listens(struct rig *, int version, int backlog, uint16_t *port);
/* How many sockets the kernel has in each state, by the numbers of /proc/net/tcp (1 ESTABLISHED, 6 TIME-WAIT, 10 LISTEN), both families. */
#define RIG_KERNEL_STATES 13
enum { RIG_K_ESTABLISHED = 1, RIG_K_TIME_WAIT = 6, RIG_K_LISTEN = 10 };
void rig_kernel_states(struct rig *, unsigned counts[RIG_KERNEL_STATES]);

#endif
