/* SPDX-License-Identifier: MIT
 *
 * nc.h: what the parts of `parley nc` share: nc.c is the command, nc_tcp.c a stream between a connection and stdin, stdout, nc_udp.c the same with
 * datagrams.
 */
#ifndef CLI_NC_H
#define CLI_NC_H

#include "cli/host.h"
#include "cli/progress.h"
#include "cli/standard.h"

#define NC_BUFFER_BYTES 65536

struct nc {
    /* what is wanted */
    bool listen, udp, four, six;
    uint16_t source_port;                 /* 0: any */
    pl_time timeout;                      /* 0: the defaults */
    /* at work */
    struct cli_host host;
    struct standard in, out;
    struct progress progress;
    pl_listener listener;
    pl_handle handle;                     /* the connection or the UDP socket; 0: none */
    struct pl_endpoint peer;
    bool connected;
    bool in_over;                         /* stdin has ended */
    bool finished;                        /* and the peer was told */
    bool peer_over;                       /* the peer has ended its direction, and everything was written */
    bool over;
    int error;                            /* of the connection; 0: none */
    char problem[300];                    /* of ours; "": none */
    uint64_t sent, received;              /* bytes: handed to the stack, written to stdout */
    uint64_t strangers;                   /* UDP: datagrams from others than the peer */
    pl_time moved;                        /* when bytes last went either way */
    uint8_t buffer[NC_BUFFER_BYTES];      /* from stdin: [at, n) the stack has not taken yet */
    size_t at, n;
    uint8_t pending[NC_BUFFER_BYTES];     /* UDP: [out_at, out_n) stdout has not taken yet */
    size_t out_at, out_n;
};

/* Each: `remote` NULL: listens on `port`. An enum pl_error, or 0: then nc_run. */
int nc_tcp_begin(struct nc *, const struct pl_endpoint *remote, uint16_t port);
int nc_udp_begin(struct nc *, const struct pl_endpoint *remote, uint16_t port);
/* Moves what can be moved; whether anything was. */
bool nc_tcp_pump(struct nc *);
bool nc_udp_pump(struct nc *);
/* For the parts: stdin or stdout cannot be used. Ends it. */
void nc_fail(struct nc *, const char *what);
void nc_wait_in(struct nc *);
void nc_wait_out(struct nc *);

#endif
