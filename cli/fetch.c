/* SPDX-License-Identifier: MIT
 *
 * fetch.c: see fetch.h.
 */
#include "cli/fetch.h"
#include "os/host/clock.h"
#include "os/host/http_parley.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (15 * PL_S)

struct going {
    struct cli_fetch *f;
    struct http_parley_stream stream;
    struct http_fetch fetch;
    bool connected, over, complete;
};

static int heard(void *user, pl_http_client *client, const struct pl_http_event *e)
{
    struct going *g = user;
    struct cli_fetch *f = g->f;
    if (e->kind == PL_HTTP_RESPONSE) {
        size_t len;
        const struct pl_http_head *head = pl_http_client_head(client);
        const char *reason = pl_http_client_text(client, head->reason, &len);
        f->http_status = head->status;
        f->length = head->framing == PL_HTTP_BODY_LENGTH ? head->content_length : UINT64_MAX;
        snprintf(f->reason, sizeof f->reason, "%.*s", (int)(len < 60 ? len : 60), reason);
    }
    if (e->kind == PL_HTTP_BODY) {
        f->bytes += e->body_bytes;
        if (f->on_body && !f->on_body(f->user, e->body, e->body_bytes)) return PL_EIO;
    }
    if (e->kind == PL_HTTP_RESPONSE_END) g->complete = true;
    if (e->kind == PL_HTTP_BROKEN) snprintf(f->problem, sizeof f->problem, "%s", pl_http_fault_text(e->fault));
    return 0;
}

static void run_fetch(struct going *g, pl_time now)
{
    unsigned waits = http_fetch_run(&g->fetch, now);
    g->over = waits & (HTTP_PUMP_CLOSED | HTTP_PUMP_IDLE);
}

static bool on_events(struct cli_host *h)
{
    struct going *g = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e)) {
        any = true;
        g->connected |= (e.bits & (PL_EV_CONNECTED | PL_EV_ERROR | PL_EV_CLOSED)) != 0;
    }
    if (any && g->connected && !g->over) run_fetch(g, h->loop.now);
    return any;
}

static void explain(struct cli_host *h, struct going *g, const char *what)
{
    char why[300] = "";
    int n = pl_explain(h->stack, g->stream.conn, why, sizeof why);
    while (n > 0 && n < (int)sizeof why && why[n - 1] == ' ')
        why[--n] = '\0';
    snprintf(g->f->problem, sizeof g->f->problem, "%s%s%s", what, *why ? ": " : "", why);
}

static void run_loop(struct cli_host *h, struct going *g)
{
    pl_time end = host_now() + (g->f->patience ? g->f->patience : PATIENCE);
    while (!g->over && !cli_interrupted()) {
        pl_time due = g->connected ? http_fetch_deadline(&g->fetch) : end;
        if (!cli_host_turn(h, due)) return;
        if (!g->connected && host_now() >= end) {
            explain(h, g, "no answer in time");
            return;
        }
        if (g->connected && !g->over && host_now() >= due) run_fetch(g, host_now());
    }
}

bool cli_fetch(struct cli_host *h, struct cli_fetch *f)
{
    struct pl_http_config config;
    char remote[72];
    struct going g = {.f = f, .stream = {.stack = h->stack}};
    bool (*events_before)(struct cli_host *) = h->on_events;
    void *user_before = h->user;
    pl_http_config_default(&config, sizeof config);
    size_t bytes = pl_http_client_size(&config);
    void *memory = malloc(bytes);
    pl_http_client *client = memory ? pl_http_client_init(memory, bytes, &config, host_now()) : NULL;
    struct pl_http_request request = {.method = PL_HTTP_GET, .minor = 1, .close = true, .host = f->host, .target = f->target};
    f->http_status = 0;
    f->bytes = 0;
    f->problem[0] = '\0';
    int error = client ? pl_http_client_request(client, &request, host_now()) : PL_ENOMEM;
    if (!error) error = pl_connect(h->stack, &(struct pl_connect_params){.remote = f->remote, .cookie = 1}, &g.stream.conn);
    if (error) {
        snprintf(f->problem, sizeof f->problem, "%s: %s", pl_endpoint_text(&f->remote, remote, sizeof remote), pl_strerror(error));
        free(memory);
        return false;
    }
    http_fetch_init(&g.fetch, client, &http_parley_io, &g.stream, heard, &g);
    h->on_events = on_events;
    h->user = &g;
    run_loop(h, &g);
    if (!f->problem[0] && !g.complete) {
        int why = g.fetch.error ? g.fetch.error : h->lost ? PL_ENETDOWN : PL_ECONNABORTED;
        snprintf(f->problem, sizeof f->problem, "%s: %s", pl_endpoint_text(&f->remote, remote, sizeof remote), pl_strerror(why));
    }
    http_fetch_end(&g.fetch);
    h->on_events = events_before;
    h->user = user_before;
    free(memory);
    return g.complete;
}
