/* SPDX-License-Identifier: MIT
 *
 * demo_layers.c: act b: one HTTP request on its way through the layers, and its answer.
 *
 * Two simulated hosts on an Ethernet; on the client a program with the HTTP client engine, on the server one with the server engine. The bytes that
 * are shown are those of the wire.
 */
#include "cli/cli.h"
#include "cli/demo.h"
#include "os/host/http_parley.h"
#include "view/decode.h"
#include "view/jsonl.h"
#include "view/layers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] = "Hello from the other side of the wire.\n";

struct play {
    struct pair pair;
    struct layers_opts layers;
    struct demo_watch watch;
    bool json, asked, answered;
    /* client */
    struct http_parley_stream client;
    struct http_fetch fetch;
    char status_line[80], body[200];
    size_t body_bytes;
    /* server */
    pl_listener listener;
    pl_conn server;
    pl_http_server *engine;
    uint64_t client_memory[8192], server_memory[8192];
};

/* ---------------------------------------------------------------- the two programs ---------------------------------------------------------------- */

static int client_hears(void *user, pl_http_client *client, const struct pl_http_event *e)
{
    struct play *p = user;
    if (e->kind == PL_HTTP_RESPONSE) {
        size_t len;
        const struct pl_http_head *head = pl_http_client_head(client);
        const char *reason = pl_http_client_text(client, head->reason, &len);
        snprintf(p->status_line, sizeof p->status_line, "%u %.*s", head->status, (int)len, reason);
    }
    if (e->kind == PL_HTTP_BODY && p->body_bytes + e->body_bytes < sizeof p->body) {
        memcpy(p->body + p->body_bytes, e->body, e->body_bytes);
        p->body_bytes += e->body_bytes;
    }
    return 0;
}

static void client_event(struct sim_node *n, const struct pl_event *e)
{
    struct play *p = n->user;
    (void)e;
    http_fetch_run(&p->fetch, n->sim->now);
}

/* Hands the engine what has arrived, and the stream what the engine says. */
static void server_event(struct sim_node *n, const struct pl_event *e)
{
    struct play *p = n->user;
    struct pl_span span;
    struct pl_http_event event;
    struct pl_http_out out;
    pl_time now = n->sim->now;
    if (e->handle == p->listener) {
        pl_accept(n->stack, p->listener, &p->server, NULL);
        return;
    }
    while (pl_recv_peek(n->stack, p->server, &span, 1) > 0) {
        size_t used = pl_http_server_feed(p->engine, span.base, span.len, now, &event);
        pl_recv_consume(n->stack, p->server, used);
        if (event.kind == PL_HTTP_REQUEST) {
            struct pl_http_answer a = {.status = 200, .length = sizeof page - 1, .last_modified = PL_HTTP_NO_DATE, .content_type = "text/plain"};
            pl_http_server_answer(p->engine, &a, now);
        }
        if (!used && event.kind == PL_HTTP_NONE) break;
    }
    pl_http_server_out(p->engine, &out);
    pl_set(n->stack, p->server, PL_OPT_CORK, 1);
    ptrdiff_t own = out.own_bytes ? pl_send(n->stack, p->server, out.own, out.own_bytes) : 0;
    ptrdiff_t body = out.body_bytes ? pl_send(n->stack, p->server, page + out.body_at, (size_t)out.body_bytes) : 0;
    pl_set(n->stack, p->server, PL_OPT_CORK, 0);
    if (own > 0 && body >= 0) pl_http_server_sent(p->engine, (uint64_t)(own + body), now);
}

/* ---------------------------------------------------------------- the picture ---------------------------------------------------------------- */

static void show(struct play *p, const struct packet *packet, bool request)
{
    if (request) {
        printf("\nThe program says \"GET /hello\" to its TCP. One frame leaves the client:\n\n");
    } else {
        printf("\nThe answer comes back the same way, in one frame of %zu bytes (only layers and text are shown):\n\n", packet->len);
        p->layers.no_fields = p->layers.no_summary = true;
    }
    layers_print(&p->layers, packet->bytes, packet->len);
}

static void see(void *user, const struct sim_tap_event *t)
{
    struct play *p = user;
    struct view_frame v;
    if (p->json || t->fate != SIM_SENT) return;
    view_decode(&v, t->packet->bytes, t->packet->len, true);
    if (!v.has_segment || !v.segment.len) return;
    bool *done = t->from == PAIR_CLIENT ? &p->asked : &p->answered;
    if (!*done) show(p, t->packet, t->from == PAIR_CLIENT);
    *done = true;
}

static void client_told(void *user, const struct pl_trace_event *e)
{
    struct play *p = user;
    if (p->watch.pcap) cli_pcap_event(p->watch.pcap, p->watch.pcap_iface[PAIR_CLIENT], e);
    if (p->json) jsonl_event(stdout, "client", e, true);
}

static void server_told(void *user, const struct pl_trace_event *e)
{
    struct play *p = user;
    if (p->watch.pcap) cli_pcap_event(p->watch.pcap, p->watch.pcap_iface[PAIR_SERVER], e);
    if (p->json) jsonl_event(stdout, "server", e, true);
}

static int set_up(struct play *p, struct demo_opts *o)
{
    struct pl_http_config http;
    struct pair_opts options;
    pair_opts_default(&options);
    options.seed = o->seed;
    options.v6 = o->v6;
    options.hosts.link.ethernet = true;
    memcpy(options.isn, o->isn, sizeof options.isn);
    if (pair_init(&p->pair, &options)) return cli_say(CLI_FAILED, "the simulation does not start: %s", sim_failure(p->pair.sim));
    for (unsigned side = 0; side < 2; side++) {
        if (o->loss_per_million) impair_loss(pair_impair(&p->pair, (enum pair_side)side), o->loss_per_million);
        if (o->json || o->pcap.out) sim_node_trace(p->pair.node[side], side ? server_told : client_told, p);
    }
    demo_capture_pair(&p->watch, o, true);
    struct sim_node *client = p->pair.node[PAIR_CLIENT], *server = p->pair.node[PAIR_SERVER];
    pl_http_config_default(&http, sizeof http);
    pl_http_client *asking = pl_http_client_init(p->client_memory, sizeof p->client_memory, &http, 0);
    p->engine = pl_http_server_init(p->server_memory, sizeof p->server_memory, &http, 0);
    pl_http_client_request(asking, &(struct pl_http_request){.method = PL_HTTP_GET, .minor = 1, .host = "server", .target = "/hello"}, 0);
    http_fetch_init(&p->fetch, asking, &http_parley_io, &p->client, client_hears, p);
    /* The pair's own programs step aside: these are ours. */
    program_free(p->pair.program[PAIR_CLIENT]);
    program_free(p->pair.program[PAIR_SERVER]);
    p->pair.program[PAIR_CLIENT] = p->pair.program[PAIR_SERVER] = NULL;
    client->on_event = client_event;
    server->on_event = server_event;
    client->user = server->user = p;
    sim_tap(p->pair.sim, see, p);
    struct pl_connect_params c = {.remote = {.addr = o->v6 ? options.hosts.v6[1] : options.hosts.v4[1], .port = 80}, .isn_fixed = o->isn[0] >= 0,
        .isn = (uint32_t)o->isn[0]};
    p->client.stack = client->stack;
    int error = pl_listen(server->stack, &(struct pl_listen_params){.local = {.port = 80}}, &p->listener);
    if (!error && o->isn[1] >= 0) error = pl_set(server->stack, p->listener, PL_OPT_ISN, o->isn[1]);
    if (!error) error = pl_connect(client->stack, &c, &p->client.conn);
    return error ? cli_say(CLI_FAILED, "the programs do not start: %s", pl_strerror(error)) : CLI_DONE;
}

int demo_act_b(struct demo_opts *o)
{
    struct play *p = calloc(1, sizeof *p);
    if (!p) return cli_say(CLI_FAILED, "no memory");
    p->json = o->json;
    layers_opts_default(&p->layers, stdout);
    p->layers.ethernet = true;
    p->layers.application = "HTTP";
    if (!o->json) {
        demo_heading("ACT B", "one message through the layers, byte by byte");
        demo_text("Watch each layer wrap what the layer above hands it, without looking inside, and its peer on the other host take exactly that off "
                  "again.");
    }
    int status = set_up(p, o);
    if (status == CLI_DONE) sim_run_idle(p->pair.sim, 600 * PL_S);
    if (status == CLI_DONE && (p->body_bytes != sizeof page - 1 || memcmp(p->body, page, p->body_bytes)))
        status = cli_say(CLI_FAILED, "the answer did not arrive: %s", sim_failure(p->pair.sim) ? sim_failure(p->pair.sim) : "too many losses");
    if (status == CLI_DONE && !o->json) printf("\nThe client's program reads: %s, \"%.*s\"\n", p->status_line, (int)p->body_bytes - 1, p->body);
    pair_free(&p->pair);
    free(p);
    return status;
}
