/* SPDX-License-Identifier: MIT
 *
 * m17_online.c: mission M17: staying online. A client sends a small request at fixed intervals; a server that hears nothing for long counts it offline
 * and drops it; a client that gets no answer counts the network down.
 */
#include "mission/mission.h"
#include "support/http_tree.h"
#include "support/web.h"

#define INTERVAL (30 * PL_S)

static void ask(struct web *w, unsigned c)
{
    web_forget(w, c);
    web_type(w, c, "HEAD /here HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void a_request_at_intervals_keeps_the_client_online(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    unsigned c = web_dial(&w);
    for (unsigned i = 0; i < 100; i++) {              /* 50 minutes */
        ask(&w, c);
        RUN_FOR(&w.pair, INTERVAL);
        assert_non_null(strstr(w.client[c].text, "200 OK"));
    }
    assert_false(w.client[c].ended);
    assert_int_equal(http_parley_connections(w.server), 1);
    web_hang_up(&w, c);
    web_end(&w);
}

static void a_client_unheard_for_long_is_dropped(void **state)
{
    static struct web w;
    struct pl_http_config http;
    pl_http_config_default(&http, sizeof http);
    web_start(&w, SIX(state), NULL);
    unsigned c = web_dial(&w);
    ask(&w, c);
    RUN_FOR(&w.pair, 1 * PL_S);
    pl_time answered = w.pair.sim->now - 1 * PL_S;
    RUN_FOR(&w.pair, http.idle_ns - 2 * PL_S);
    assert_false(w.client[c].ended);
    RUN_FOR(&w.pair, 10 * PL_S);
    assert_true(w.client[c].ended);
    assert_int_equal(w.client[c].error, 0);           /* in good order: a FIN */
    assert_true(w.client[c].ended_at >= answered + http.idle_ns && w.client[c].ended_at < answered + http.idle_ns + 2 * PL_S);
    web_hang_up(&w, c);
    RUN_FOR(&w.pair, 200 * PL_S);
    assert_int_equal(http_parley_connections(w.server), 0);
    mission_assert_clean(&w.pair, PAIR_SERVER);
    web_end(&w);
}

/* A client whose machine has died can't even answer the farewell: the server's side is gone all the same. */
static void a_dead_client_is_dropped_too(void **state)
{
    static struct web w;
    web_start(&w, SIX(state), NULL);
    unsigned c = web_dial(&w);
    ask(&w, c);
    RUN_FOR(&w.pair, 1 * PL_S);
    sim_node_power(w.pair.node[PAIR_CLIENT], false);
    RUN_FOR(&w.pair, 70 * PL_S);
    assert_int_equal(http_parley_connections(w.server), 0);
    RUN_FOR(&w.pair, 300 * PL_S);
    mission_assert_clean(&w.pair, PAIR_SERVER);
    web_end(&w);
}

/* ---------------------------------------------------------------- the client's side ---------------------------------------------------------------- */

struct online {
    struct http_parley_stream stream;
    struct http_fetch fetch;
    unsigned answers;
    int fault;
    pl_time fault_at;
    struct sim *sim;
};

static int heard(void *user, pl_http_client *client, const struct pl_http_event *e)
{
    struct online *o = user;
    (void)client;
    o->answers += e->kind == PL_HTTP_RESPONSE_END;
    if (e->kind == PL_HTTP_BROKEN) {
        o->fault = e->fault;
        o->fault_at = o->sim->now;
    }
    return 0;
}

static void run_client(struct sim_node *n)
{
    struct online *o = n->user;
    http_fetch_run(&o->fetch, n->sim->now);
    sim_node_wake(n, http_fetch_deadline(&o->fetch));
}

static void client_event(struct sim_node *n, const struct pl_event *e)
{
    (void)e;
    run_client(n);
}

static void a_client_without_an_answer_counts_the_network_down(void **state)
{
    static struct web w;
    static uint64_t memory[4096];
    struct online o = {.fault = 0};
    struct pl_http_config http;
    web_start(&w, SIX(state), NULL);
    struct sim_node *n = w.pair.node[PAIR_CLIENT];
    unsigned c = web_dial(&w);                        /* then the connection is the engine's */
    pl_http_config_default(&http, sizeof http);
    pl_http_client *engine = pl_http_client_init(memory, sizeof memory, &http, w.pair.sim->now);
    assert_non_null(engine);
    o.sim = w.pair.sim;
    o.stream = (struct http_parley_stream){n->stack, w.client[c].conn};
    http_fetch_init(&o.fetch, engine, &http_parley_io, &o.stream, heard, &o);
    n->user = &o;
    n->on_event = client_event;
    n->on_time = run_client;
    const struct pl_http_request ask_for = {.method = PL_HTTP_HEAD, .minor = 1, .host = "a", .target = "/here"};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(pl_http_client_request(engine, &ask_for, w.pair.sim->now), 0);
        run_client(n);
        RUN_FOR(&w.pair, INTERVAL);
        assert_int_equal(o.answers, i + 1);
    }
    assert_int_equal(o.fault, 0);
    w.pair.link->down = true;
    pl_time asked = w.pair.sim->now;
    assert_int_equal(pl_http_client_request(engine, &ask_for, asked), 0);
    run_client(n);
    RUN_FOR(&w.pair, http.answer_ns + 1 * PL_S);
    assert_int_equal(o.fault, PL_HTTP_F_TIMEOUT);
    assert_int_equal(o.fault_at, asked + http.answer_ns);
    web_end(&w);
}

static int setup(void **state)
{
    (void)state;
    tree_make();
    tree_file("here", "yes\n");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tree_remove();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_request_at_intervals_keeps_the_client_online),
        BOTH(a_client_unheard_for_long_is_dropped),
        BOTH(a_dead_client_is_dropped_too),
        BOTH(a_client_without_an_answer_counts_the_network_down),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
