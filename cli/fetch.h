/* SPDX-License-Identifier: MIT
 *
 * fetch.h: one GET on parley's TCP: what `parley get` and the demo share.
 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "cli/host.h"

struct cli_fetch {
    /* what is wanted */
    struct pl_endpoint remote;
    const char *host, *target;            /* for the request: host[:port], and the path */
    bool (*on_body)(void *user, const void *bytes, size_t n);     /* false: it cannot be kept; the fetch ends */
    void *user;
    FILE *out;                            /* the caller's own */
    pl_time patience;                     /* for the connection to be made; 0: 15 s */
    /* what came of it */
    int http_status;                      /* 0: no answer came */
    char reason[64];
    uint64_t bytes, length;               /* of the body: received, announced (UINT64_MAX: not) */
    char problem[400];                    /* "": none, the whole answer arrived */
};

/* Runs the host's loop until the answer is complete or hopeless. Whether it is complete. Uses h->on_events and h->user meanwhile. The farewell is the
 * caller's (cli_host_farewell). */
bool cli_fetch(struct cli_host *, struct cli_fetch *);

#endif
