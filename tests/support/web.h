/* SPDX-License-Identifier: MIT
 *
 * web.h: a web server on one simulated host (os/host/http_parley) and hand-typed clients on the other: what they type and what they read are texts.
 */
#ifndef PARLEY_TESTS_WEB_H
#define PARLEY_TESTS_WEB_H

#include "os/host/http_parley.h"
#include "sim/pair.h"

#define WEB_CLIENTS_MAX 8

struct web_client {
    pl_conn conn;
    char text[65536];                     /* everything read so far, terminated */
    size_t n;
    bool connected, ended;                /* ended: the server has finished */
    pl_time ended_at;
    int error;
};

struct web {
    struct pair pair;
    struct http_parley *server;
    struct web_client client[WEB_CLIENTS_MAX];
    unsigned clients;
};

/* Serves support/http_tree's directory on port 80. http NULL: the default. The pair's own programs are gone. */
void web_start(struct web *, bool six, const struct pl_http_config *http);
void web_end(struct web *);
/* Connects, and runs until it stands; the client's number. */
unsigned web_dial(struct web *);
void web_type(struct web *, unsigned client, const char *text);
/* Forgets what was read so far. */
void web_forget(struct web *, unsigned client);
void web_hang_up(struct web *, unsigned client);

#endif
