/* SPDX-License-Identifier: MIT
 *
 * host.h: a parley host for the subcommands: a stack, the loop that drives it, and the link that it is on, as the options say.
 *
 *     parley's addresses   [ stack ]---driver---( TUN, TAP, AF_PACKET )---[ kernel ]   the kernel's addresses
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include "cli/cli.h"
#include "cli/pcap.h"
#include "os/host/loop.h"
#include "os/host/testnet.h"

#define CLI_ADDRS_MAX 8

struct cli_addr {
    struct pl_addr addr;
    unsigned bits;
};
struct cli_addrs {
    struct cli_addr of[CLI_ADDRS_MAX];
    int n;
};

struct cli_link_opts {
    const char *iface;                    /* "tun:NAME", "tap:NAME", "packet:IFACE"; NULL: a TUN of our own */
    struct cli_addrs ours, kernels, gateways;
    const char *pcap;                     /* a capture file; NULL: none */
    bool netns, trace;
    pl_time keepalive;                    /* for connections that want it: idle time and interval; 0: the config's */
};
extern struct cli_link_opts cli_link;
extern const struct cli_option cli_link_options[];
/* The paragraphs on links for a subcommand's --help. */
#define CLI_LINK_HELP                                                                                                                                 \
    "Without --iface (needs root): makes a TUN interface, parley0 if that name is free. The kernel has 10.77.0.1 and fd77::1 on it,\n"                \
    "parley 10.77.0.2 and fd77::2, and the kernel is parley's gateway. For parley1 it is 10.77.1.x and fd77:0:0:1::x, and so on.\n"                   \
    "The interface is gone when parley ends.\n"                                                                                                      \
    "--pcap FILE keeps every frame, with the reason why it was sent as the packet's comment, for Wireshark and tshark.\n"                            \
    "Without root: --netns does the same in a network namespace of its own, where the system lets users have them (`parley doctor`).\n"

struct cli_host {
    void *block;
    size_t block_bytes;
    pl_stack *stack;
    struct pl_env env;
    struct host_loop loop;
    int iface;
    pl_time began;
    struct cli_addrs ours, kernels;
    struct testnet net;
    bool has_net, has_loop, lost;
    int kernel_ns;                        /* where in `net` the kernel's side is */
    char what[160];                       /* the link, in words */
    struct cli_pcap pcap;
    int pcap_iface;
    /* Called in the loop for the events, as host_events_fn. */
    bool (*on_events)(struct cli_host *);
    void *user;
};

/* A host on the link of the options (cli_link), or on a private one in namespaces of its own. Return an enum cli_exit; on failure everything is
 * undone and was said on stderr, or in `why` for the private one. */
int cli_host_open(struct cli_host *);
bool cli_host_open_private(struct cli_host *, char *why, size_t why_size);
void cli_host_close(struct cli_host *);
/* One turn of the loop, sleeping until `until` at most. False: the device is gone or poll failed (said on stderr). */
bool cli_host_turn(struct cli_host *, pl_time until);
/* Connections that are neither over nor in TIME-WAIT. */
unsigned cli_host_open_connections(const struct cli_host *);
/* Turns until there are none of these, 2 s at most: the farewells. */
void cli_host_farewell(struct cli_host *);

/* The addresses of a host that the link has the family for. "localhost" is the kernel at the other end of the link. Names are the system's to
 * resolve. Returns how many (at most `max`), 0 with *why. */
int cli_resolve(const struct cli_host *, const char *name, struct pl_addr *to, int max, const char **why);

/* The first SIGINT or SIGTERM makes cli_interrupted true and wakes the loop, a second one ends the program at once. */
void cli_catch_signals(struct cli_host *);
bool cli_interrupted(void);

#endif
