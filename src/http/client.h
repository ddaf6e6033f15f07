/* SPDX-License-Identifier: MIT
 *
 * client.h: the client engine of one connection, shared by client.c (what arrives) and request.c (what leaves).
 *
 *   in:   HEAD --head good--> BODY --its end--> HEAD (the answer to the next request) ...
 *         any --fault--> BROKEN;  BODY/HEAD --last answer, or the server closes in good order--> OVER
 *
 * A ring remembers the method of each request that has no complete answer, because the answer to a HEAD has no body whatever its fields
 * say (RFC 9112 section 6.3), and answers carry no name: they are matched by order alone (section 9.2).
 */
#ifndef PARLEY_HTTP_CLIENT_H
#define PARLEY_HTTP_CLIENT_H

#include <parley/http.h>

#include "http/body.h"
#include "http/parse.h"

enum http_client_in { CLIENT_HEAD = 0, CLIENT_BODY, CLIENT_OVER, CLIENT_BROKEN };

struct pl_http_client {
    struct pl_http_config config;
    struct http_parser parser;
    struct http_body body;
    uint64_t moved_in;                    /* body bytes since `since` */
    pl_time since;                        /* begin of the wait for the answer that is due, or of the rate window of its body */
    uint32_t out_at, out_end;             /* requests still to send: out[out_at, out_end) */
    uint8_t ring[PL_HTTP_PIPELINE];       /* methods of the unanswered requests */
    uint8_t ring_at, ring_count;
    uint8_t in;                           /* enum http_client_in */
    bool last_queued;                     /* a request that ends the connection was queued */
    uint32_t pad_;
};

static inline char *client_mem(struct pl_http_client *c)
{
    return (char *)(c + 1);
}

static inline const char *client_mem_const(const struct pl_http_client *c)
{
    return (const char *)(c + 1);
}

static inline char *client_out(struct pl_http_client *c)
{
    return client_mem(c) + c->config.head_bytes_max;
}

#endif
