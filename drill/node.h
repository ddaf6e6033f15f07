/* SPDX-License-Identifier: MIT
 *
 * node.h: one stack with sockets behind one interface without link layer, in virtual time: what scripts run on, in this process (inside.c) and behind
 * packetdrill's interface (plug/). Everything that is sent is kept until it is taken, with its time.
 */
#ifndef DRILL_NODE_H
#define DRILL_NODE_H

#include "drill/settings.h"
#include "os/posix/sock/sock.h"
#include <parley/parley.h>

struct node_sent;

struct node {
    void *block;
    size_t block_bytes;
    pl_stack *stack;
    struct sock_world *world;
    struct pl_env env;                    /* its trace may be set before node_open */
    int iface;
    pl_time now;                          /* the owner's to move; pl_poll and node_settle after it */
    struct node_sent *first, *last;
};

struct node_params {
    const struct drill_config *config;
    uint32_t mtu;
    int first_fd, files_max;              /* as in sock_params */
};

/* Makes the stack at node->now; `node` is zero but for `now` and `env`. Everything but its own addresses lies behind the interface. 0, or -EINVAL (the settings
 * make no stack: error says why), -ENOMEM. After a failure nothing is left. */
int node_open(struct node *, const struct node_params *, char *error, size_t error_size);
void node_close(struct node *);
/* "192.0.2.1", "2001:db8::1". False: it is no address. */
bool node_address(const char *text, struct pl_addr *);
bool node_add_address(struct node *, const struct pl_addr *);         /* one more of ours; true, too, if it was */
void node_arrives(struct node *, const void *packet, size_t n);
/* The stack says and does whatever it wants now. */
void node_settle(struct node *);
/* Takes the oldest packet that was sent. False: none, or (*n then tells its bytes) it has more than `room`: it is gone. */
bool node_take(struct node *, void *to, size_t room, size_t *n, pl_time *sent);

#endif
