/* SPDX-License-Identifier: MIT
 *
 * heartbeat.h: `parley get --every`: a small request at fixed intervals, and what its answers say of the network. Mission M17.
 */
#ifndef CLI_HEARTBEAT_H
#define CLI_HEARTBEAT_H

#include "cli/host.h"

struct cli_heartbeat {
    struct pl_endpoint remote;
    const char *host, *target;            /* for the request */
    pl_time every;                        /* no answer within it: the network, or the server, is down */
    uint64_t count;                       /* 0: until Ctrl-C */
};

/* One line for each answer and each change on stdout. An enum cli_exit: failed if the last beat had no answer; 130 after Ctrl-C. */
int cli_heartbeat(struct cli_host *, const struct cli_heartbeat *);

#endif
