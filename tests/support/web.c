/* SPDX-License-Identifier: MIT
 *
 * web.c: see web.h.
 */
#include "support/web.h"
#include "support/http_tree.h"
#include "support/unit.h"
#include <stdio.h>

#define COOKIES_OF_SERVER 1000

static void run_server(struct sim_node *n)
{
    struct web *w = n->user;
    while (http_parley_run(w->server, n->sim->now, 784111777))       /* any date will do: RFC 9110 section 5.6.7's */
        ;
    sim_node_wake(n, http_parley_deadline(w->server));
}

static void server_event(struct sim_node *n, const struct pl_event *e)
{
    struct web *w = n->user;
    http_parley_event(w->server, e);
    run_server(n);
}

static void client_event(struct sim_node *n, const struct pl_event *e)
{
    struct web *w = n->user;
    struct web_client *c = &w->client[e->cookie - 1];
    ptrdiff_t got;
    c->connected |= (e->bits & PL_EV_CONNECTED) != 0;
    while ((got = pl_recv(n->stack, c->conn, c->text + c->n, sizeof c->text - 1 - c->n)) > 0)
        c->n += (size_t)got;
    c->text[c->n] = '\0';
    if ((got == 0 || (got != PL_EAGAIN && got != PL_ENOTCONN)) && !c->ended) {
        c->ended = true;
        c->ended_at = n->sim->now;
        c->error = (int)got;
    }
}

void web_start(struct web *w, bool six, const struct pl_http_config *http)
{
    struct pair_opts o;
    memset(w, 0, sizeof *w);
    pair_opts_default(&o);
    o.v6 = six;
    assert_int_equal(pair_init(&w->pair, &o), 0);
    for (int i = 0; i < 2; i++) {
        program_free(w->pair.program[i]);
        w->pair.program[i] = NULL;
        w->pair.node[i]->user = w;
    }
    w->pair.node[PAIR_CLIENT]->on_event = client_event;
    w->pair.node[PAIR_SERVER]->on_event = server_event;
    w->pair.node[PAIR_SERVER]->on_time = run_server;
    struct http_parley_params p = {.stack = w->pair.node[PAIR_SERVER]->stack, .local = {.port = 80}, .dir = tree_path(""), .cookie = COOKIES_OF_SERVER,
        .connections_max = 16, .http = http};
    assert_int_equal(http_parley_open(&p, &w->server), 0);
}

void web_end(struct web *w)
{
    assert_null(sim_failure(w->pair.sim));
    http_parley_close(w->server);
    pair_free(&w->pair);
}

unsigned web_dial(struct web *w)
{
    struct web_client *c = &w->client[w->clients++];
    const struct pl_addr *server = w->pair.opts.v6 ? w->pair.opts.hosts.v6 : w->pair.opts.hosts.v4;
    struct pl_connect_params p = {.remote = {.addr = server[PAIR_SERVER], .port = 80}, .cookie = w->clients};
    assert_int_equal(pl_connect(w->pair.node[PAIR_CLIENT]->stack, &p, &c->conn), 0);
    while (!c->connected && sim_step(w->pair.sim))
        ;
    assert_true(c->connected);
    return w->clients - 1;
}

void web_type(struct web *w, unsigned client, const char *text)
{
    ptrdiff_t n = pl_send(w->pair.node[PAIR_CLIENT]->stack, w->client[client].conn, text, strlen(text));
    assert_int_equal(n, (ptrdiff_t)strlen(text));
}

void web_forget(struct web *w, unsigned client)
{
    w->client[client].n = 0;
    w->client[client].text[0] = '\0';
}

void web_hang_up(struct web *w, unsigned client)
{
    assert_int_equal(pl_close(w->pair.node[PAIR_CLIENT]->stack, w->client[client].conn), 0);
}
