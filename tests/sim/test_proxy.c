/* SPDX-License-Identifier: MIT
 *
 * test_proxy.c: what a catch-all, deferred listener is for: a host in the middle that speaks for every host behind it, and lets a connection be made only
 * when the one behind it was.
 *
 *     client 192.0.2.1 ---- 192.0.2.2 middle 198.51.100.1 ---- 198.51.100.7 server
 *
 * The client's default route leads to the middle, which forwards nothing: it answers in the server's name.
 */
#include "support/unit.h"

#include <string.h>

#include "sim/program.h"
#include "support/forge.h"

enum { SPLICES = 8, BYTES = 200000 };

struct splice {
    pl_incoming in;
    pl_conn inner, outer;                 /* to the client, to the server */
    bool finished[2];
};

struct middle {
    struct sim *sim;
    struct sim_node *client, *middle, *server;
    struct sim_link *link[2];
    struct program *at_client, *at_server;
    pl_listener all;
    struct splice splice[SPLICES];
    unsigned splices, withdrawn;
    struct pl_endpoint to;
};

static bool four = false, six = true;
#define BOTH(f)                                                                                                                        \
    {#f "_ipv4", f, NULL, NULL, &four}, {#f "_ipv6", f, NULL, NULL, &six}

/* What one side sent goes to the other, as far as it takes it; the end of the stream as well. */
static void pump(pl_stack *s, struct splice *p, unsigned from)
{
    pl_conn c[2] = {p->inner, p->outer};
    struct pl_span span[4];
    if (!c[0] || !c[1])
        return;
    for (int n; (n = pl_recv_peek(s, c[from], span, 4)) > 0;) {
        ptrdiff_t took = pl_send(s, c[1 - from], span[0].base, span[0].len);
        if (took <= 0)
            return;                       /* PL_EV_WRITABLE brings us back */
        assert_int_equal(pl_recv_consume(s, c[from], (size_t)took), PL_OK);
    }
    if ((pl_ready(s, c[from]) & PL_EV_PEER_FINISHED) && !p->finished[1 - from]) {
        p->finished[1 - from] = true;
        assert_int_equal(pl_finish(s, c[1 - from]), PL_OK);
    }
}

/* A SYN came: try the other side first. The number of the splice is the cookie of all that belongs to it. */
static void incoming(struct middle *m, pl_stack *s)
{
    struct pl_connect_params there = {.cookie = m->splices + 1};
    struct splice *p = &m->splice[m->splices];
    while (pl_incoming_next(s, m->all, &p->in, &there.remote, NULL) == PL_OK) {
        assert_true(++m->splices < SPLICES);
        assert_int_equal(pl_connect(s, &there, &p->outer), PL_OK);
        p = &m->splice[m->splices];
        there.cookie = m->splices + 1;
    }
}

static void refuse(pl_stack *s, struct splice *p)
{
    int e = pl_error(s, p->outer);
    assert_int_equal(pl_incoming_refuse(s, p->in, e == PL_ECONNREFUSED ? PL_REFUSE_RESET : PL_REFUSE_HOST_UNREACHABLE), PL_OK);
    assert_int_equal(pl_close(s, p->outer), PL_OK);
    p->in = p->outer = 0;
}

static void acts(struct sim_node *n, const struct pl_event *e)
{
    struct middle *m = n->user;
    pl_stack *s = n->stack;
    pl_conn c;
    struct pl_tcp_status st;
    if (e->handle == m->all) {
        m->withdrawn += (e->bits & PL_EV_WITHDRAWN) != 0;
        incoming(m, s);
        while (pl_accept(s, m->all, &c, NULL) == PL_OK) {
            assert_int_equal(pl_status(s, c, &st, sizeof st), PL_OK);
            m->splice[st.cookie - 1].inner = c;
            pump(s, &m->splice[st.cookie - 1], 1);
        }
        return;
    }
    struct splice *p = &m->splice[e->cookie - 1];
    if (e->handle == p->outer && p->in && (e->bits & PL_EV_ERROR)) {
        refuse(s, p);
        return;
    }
    if (e->handle == p->outer && p->in && (e->bits & PL_EV_CONNECTED)) {
        assert_int_equal(pl_incoming_accept(s, p->in, e->cookie), PL_OK);
        p->in = 0;
    }
    pump(s, p, 0);
    pump(s, p, 1);
    if (p->inner && p->outer && (pl_ready(s, p->inner) & pl_ready(s, p->outer) & PL_EV_CLOSED)) {
        assert_int_equal(pl_close(s, p->inner), PL_OK);
        assert_int_equal(pl_close(s, p->outer), PL_OK);
        p->inner = p->outer = 0;
    }
}

static void init(struct middle *m, void **state, bool ethernet)
{
    bool v6 = **(bool **)state;
    struct pl_config config;
    pl_config_default(&config, sizeof config);
    config.connections_max = config.half_open_max = config.time_wait_max = 32, config.chunks_max = 2048, config.records_max = 2048;
    config.check = true;
    struct sim_hosts_params near = {.link = {.delay = 10 * PL_MS, .mtu = 1500, .ethernet = ethernet}}, far = near;
    near.v4[0] = forge_endpoint("192.0.2.1", 0).addr, near.v4[1] = forge_endpoint("192.0.2.2", 0).addr;
    near.v6[0] = forge_endpoint("2001:db8::1", 0).addr, near.v6[1] = forge_endpoint("2001:db8::2", 0).addr;
    far.v4[0] = forge_endpoint("198.51.100.1", 0).addr, far.v4[1] = forge_endpoint("198.51.100.7", 0).addr;
    far.v6[0] = forge_endpoint("2001:db8:77::1", 0).addr, far.v6[1] = forge_endpoint("2001:db8:77::7", 0).addr;
    *m = (struct middle){.sim = sim_new(1), .to = forge_endpoint(v6 ? "2001:db8:77::7" : "198.51.100.7", 80)};
    m->client = sim_add_host(m->sim, "client", &config);
    config.syn_retries = 1, config.rto_initial = 1500 * PL_MS;          /* 4.5 s, within the 30 that a SYN may wait for */
    m->middle = sim_add_host(m->sim, "middle", &config);
    m->server = sim_add_host(m->sim, "server", &config);
    m->link[0] = sim_connect_hosts(m->sim, m->client, m->middle, &near);
    m->link[1] = sim_connect_hosts(m->sim, m->middle, m->server, &far);
    assert_true(m->link[0] && m->link[1]);
    struct pl_route all = {.destination = forge_endpoint(v6 ? "::" : "0.0.0.0", 0).addr, .gateway = v6 ? near.v6[1] : near.v4[1]};
    assert_int_equal(pl_route_add(m->client->stack, &all), PL_OK);
    struct pl_listen_params p = {.catch_all = true, .deferred = true};
    assert_int_equal(pl_listen(m->middle->stack, &p, &m->all), PL_OK);
    m->middle->on_event = acts;
    m->middle->user = m;
    m->at_client = program_new(m->client);
    m->at_server = program_new(m->server);
}

static void end(struct middle *m)
{
    assert_null(sim_failure(m->sim));
    for (unsigned i = 0; i < m->splices; i++)
        assert_true(!m->splice[i].in && !m->splice[i].inner && !m->splice[i].outer);
    program_free(m->at_client);
    program_free(m->at_server);
    sim_free(m->sim);
}

static struct program_conn *connect_from_client(struct middle *m)
{
    struct program_plan plan = plan_source(BYTES, 5);
    plan.verify = true;
    plan.expect_salt = 5;
    struct program_conn *c = program_connect(m->at_client, (struct pl_connect_params){.remote = m->to}, &plan, NULL);
    assert_non_null(c);
    return c;
}

static void loses(struct middle *m)
{
    for (unsigned l = 0; l < 2; l++)
        for (unsigned dir = 0; dir < 2; dir++)
            assert_non_null(impair_add(&m->link[l]->dir[dir].impair, &(struct impair_rule){.kind = IMPAIR_DROP, .per_million = 20000}));
}

/* The client talks to the server's address, and gets what the server says, whole, over links that lose. */
static void text_flows_through_both_ways(void **state)
{
    for (unsigned bad = 0; bad < 4; bad++) {
        struct middle m;
        struct program_plan echo = plan_echo();
        init(&m, state, bad & 2);
        if (bad & 1)
            loses(&m);
        assert_int_equal(program_listen(m.at_server, &m.to, &echo, -1), 0);
        struct program_conn *c[3];
        for (unsigned i = 0; i < 3; i++)
            c[i] = connect_from_client(&m);
        assert_int_equal(sim_run_idle(m.sim, 3600 * PL_S), SIM_IDLE);
        for (unsigned i = 0; i < 3; i++)
            assert_true(c[i]->over && c[i]->error == 0 && !c[i]->mismatch && c[i]->received == BYTES);
        assert_int_equal(m.splices, 3);
        end(&m);
    }
}

/* The client learns of the server's refusal as if it had spoken to it, and never was connected. */
static void the_servers_refusal_is_the_clients(void **state)
{
    struct middle m;
    init(&m, state, false);
    struct program_conn *c = connect_from_client(&m);
    assert_int_equal(sim_run_idle(m.sim, 3600 * PL_S), SIM_IDLE);
    assert_false(c->connected);
    assert_int_equal(c->error, PL_ECONNREFUSED);
    assert_true(c->over_at == 40 * PL_MS);               /* there and back on both links */
    end(&m);
}

static void a_silent_server_is_unreachable(void **state)
{
    struct middle m;
    init(&m, state, false);
    m.link[1]->down = true;
    struct program_conn *c = connect_from_client(&m);
    assert_int_equal(sim_run_idle(m.sim, 3600 * PL_S), SIM_IDLE);
    assert_false(c->connected);
    assert_int_equal(c->error, PL_EHOSTUNREACH);
    assert_int_equal(m.splices, 1);                      /* the repeated SYNs asked nothing new */
    assert_true(c->over_at == 10 * PL_MS + 4500 * PL_MS + 10 * PL_MS);
    end(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(text_flows_through_both_ways),
        BOTH(the_servers_refusal_is_the_clients),
        BOTH(a_silent_server_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
