/* SPDX-License-Identifier: MIT
 *
 * demo_above.c: scenes of act a about what stands on TCP, and beside it: HTTP/1.0 and 1.1, heartbeats, UDP.
 *
 * The server's program is the HTTP engine of the library with answers from memory; the client's types its requests by hand, so that they can be shown.
 */
#include "cli/demo_play.h"
#include <parley/http.h>
#include <stdio.h>
#include <string.h>

#define CONNECTIONS 4
#define ENGINE_WORDS 4096

/* ---------------------------------------------------------------- a small site ---------------------------------------------------------------- */

struct visitor {                          /* a connection at the server */
    pl_conn conn;
    pl_http_server *engine;
    char body[40];
    uint64_t memory[ENGINE_WORDS];
};

struct asker {                            /* a connection at the client */
    pl_conn conn;
    bool connected, ended;
    char text[2000];
    size_t n;
};

static struct site {
    struct pair *pair;
    pl_listener listener;
    struct pl_http_config http;
    struct visitor visitor[CONNECTIONS];
    unsigned visitors;
    struct asker asker[CONNECTIONS];
    unsigned askers;
} site;

static void close_visitor(struct visitor *v, bool in_order)
{
    pl_stack *s = site.pair->node[PAIR_SERVER]->stack;
    if (!in_order) pl_abort(s, v->conn);
    pl_close(s, v->conn);
    v->conn = 0;
}

static void answer(struct visitor *v, pl_time now)
{
    size_t n;
    const char *path = pl_http_server_text(v->engine, pl_http_server_head(v->engine)->path, &n);
    snprintf(v->body, sizeof v->body, "this is %.*s\n", (int)(n < 20 ? n : 20), path);
    struct pl_http_answer a = {.status = 200, .length = strlen(v->body), .last_modified = PL_HTTP_NO_DATE, .content_type = "text/plain"};
    pl_http_server_answer(v->engine, &a, now);
}

static bool send_answer(struct visitor *v, pl_time now)
{
    pl_stack *s = site.pair->node[PAIR_SERVER]->stack;
    struct pl_http_out out;
    pl_http_server_out(v->engine, &out);
    ptrdiff_t own = out.own_bytes ? pl_send(s, v->conn, out.own, out.own_bytes) : 0;
    ptrdiff_t body = own >= 0 && out.body_bytes ? pl_send(s, v->conn, v->body + out.body_at, (size_t)out.body_bytes) : 0;
    if (own < 0 || body < 0 || own + body == 0) return false;
    pl_http_server_sent(v->engine, (uint64_t)(own + body), now);
    return true;
}

static void run_visitor(struct visitor *v, pl_time now)
{
    pl_stack *s = site.pair->node[PAIR_SERVER]->stack;
    struct pl_http_event event;
    pl_http_server_time(v->engine, now);
    for (bool moved = true; moved && v->conn;) {
        unsigned wants = pl_http_server_wants(v->engine);
        struct pl_span span = {0};
        moved = false;
        if (wants & (PL_HTTP_WANT_CLOSE | PL_HTTP_WANT_ABORT)) {
            close_visitor(v, wants & PL_HTTP_WANT_CLOSE);
            return;
        }
        if (wants & PL_HTTP_WANT_FINISH) {
            pl_finish(s, v->conn);
            pl_http_server_finished(v->engine, now);
            moved = true;
            continue;
        }
        if (wants & PL_HTTP_WANT_SEND) moved = send_answer(v, now);
        if (!(wants & PL_HTTP_WANT_RECV)) continue;
        int r = pl_recv_peek(s, v->conn, &span, 1);
        if (r < 0 && r != PL_EAGAIN) {
            close_visitor(v, false);
            return;
        }
        size_t used = pl_http_server_feed(v->engine, span.base, span.len, now, &event);
        if (used) pl_recv_consume(s, v->conn, used);
        if (event.kind == PL_HTTP_REQUEST) answer(v, now);
        if (r == 0 && !used && event.kind == PL_HTTP_NONE) pl_http_server_eof(v->engine, now);
        moved |= used || event.kind != PL_HTTP_NONE || r == 0;
    }
}

static void run_site(struct sim_node *n)
{
    pl_time due = PL_NEVER;
    for (unsigned i = 0; i < site.visitors; i++) {
        struct visitor *v = &site.visitor[i];
        if (v->conn) run_visitor(v, n->sim->now);
        pl_time at = v->conn ? pl_http_server_deadline(v->engine) : PL_NEVER;
        if (at < due) due = at;
    }
    sim_node_wake(n, due);
}

static void server_event(struct sim_node *n, const struct pl_event *e)
{
    while (e->handle == site.listener && site.visitors < CONNECTIONS) {
        struct visitor *v = &site.visitor[site.visitors];
        if (pl_accept(n->stack, site.listener, &v->conn, NULL) < 0) break;
        v->engine = pl_http_server_init(v->memory, sizeof v->memory, &site.http, n->sim->now);
        site.visitors++;
    }
    run_site(n);
}

static void client_event(struct sim_node *n, const struct pl_event *e)
{
    ptrdiff_t got;
    for (unsigned i = 0; i < site.askers; i++) {
        struct asker *a = &site.asker[i];
        if (e->handle != a->conn) continue;
        a->connected |= (e->bits & PL_EV_CONNECTED) != 0;
        while ((got = pl_recv(n->stack, a->conn, a->text + a->n, sizeof a->text - 1 - a->n)) > 0)
            a->n += (size_t)got;
        a->text[a->n] = '\0';
        a->ended |= got != PL_EAGAIN && got != PL_ENOTCONN;
    }
}

static void open_site(struct pair *p)
{
    memset(&site, 0, sizeof site);
    site.pair = p;
    pl_http_config_default(&site.http, sizeof site.http);
    site.http.head_bytes_max = 4096;
    site.http.line_bytes_max = 2000;
    p->node[PAIR_CLIENT]->on_event = client_event;
    p->node[PAIR_SERVER]->on_event = server_event;
    p->node[PAIR_SERVER]->on_time = run_site;
    pl_listen(p->node[PAIR_SERVER]->stack, &(struct pl_listen_params){.local = {.port = DEMO_PORT}, .cookie = 1}, &site.listener);
    if (p->opts.isn[PAIR_SERVER] >= 0) pl_set(p->node[PAIR_SERVER]->stack, site.listener, PL_OPT_ISN, p->opts.isn[PAIR_SERVER]);
}

static struct asker *dial(struct pair *p)
{
    struct asker *a = &site.asker[site.askers];
    const struct pl_addr *at = p->opts.v6 ? p->opts.hosts.v6 : p->opts.hosts.v4;
    struct pl_connect_params c = {.remote = {.addr = at[PAIR_SERVER], .port = DEMO_PORT}, .local = {.port = (uint16_t)(DEMO_CLIENT_PORT + site.askers)},
        .isn = (uint32_t)p->opts.isn[PAIR_CLIENT], .isn_fixed = p->opts.isn[PAIR_CLIENT] >= 0};
    pl_time end = p->sim->now + 300 * PL_S;
    if (pl_connect(p->node[PAIR_CLIENT]->stack, &c, &a->conn) < 0) return NULL;
    site.askers++;
    while (!a->connected && !a->ended && p->sim->now < end && sim_step(p->sim))
        ;
    return a->connected ? a : NULL;
}

static unsigned answers(const struct asker *a)
{
    unsigned n = 0;
    for (const char *at = a->text; (at = strstr(at, "this is /")) != NULL; at++)
        n++;
    return n;
}

/* The client's program writes, and reads until so many answers are there. */
static void ask(struct pair *p, struct asker *a, const char *text, unsigned wanted)
{
    pl_time end = p->sim->now + 300 * PL_S;
    pl_send(p->node[PAIR_CLIENT]->stack, a->conn, text, strlen(text));
    while (answers(a) < wanted && !a->ended && p->sim->now < end && sim_step(p->sim))
        ;
}

static void tell_answers(struct pair *p, struct demo_watch *w, const struct asker *a)
{
    char all[200] = "";
    size_t n = 0;
    for (const char *at = a->text; (at = strstr(at, "this is /")) != NULL && n < sizeof all; at += 9)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s\"%.*s\"", n ? ", " : "", (int)strcspn(at, "\n"), at);
    demo_say(p, w, "The client's program reads: %.15s, %s", a->text, all);
}

static void hang_up(struct pair *p, struct asker *a)
{
    pl_close(p->node[PAIR_CLIENT]->stack, a->conn);
    a->conn = 0;
}

/* ---------------------------------------------------------------- M16 ---------------------------------------------------------------- */

static void play_http(struct pair *p, struct demo_watch *w)
{
    open_site(p);
    demo_say(p, w, "HTTP/1.0: one request, and the server ends the connection after its answer.");
    struct asker *a = dial(p);
    if (!a) return;
    ask(p, a, "GET /one HTTP/1.0\r\n\r\n", 1);
    pair_run_for(p, DEMO_PAUSE);
    tell_answers(p, w, a);
    hang_up(p, a);
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "HTTP/1.1: three requests at once on one connection, without waiting for the answers (pipelining).");
    a = dial(p);
    if (!a) return;
    ask(p, a, "GET /one HTTP/1.1\r\nHost: server\r\n\r\nGET /two HTTP/1.1\r\nHost: server\r\n\r\nGET /three HTTP/1.1\r\nHost: server\r\n\r\n", 3);
    pair_run_for(p, DEMO_PAUSE);
    tell_answers(p, w, a);
    demo_say(p, w, "The connection stays: a fourth request needs no handshake.");
    a->n = 0;
    a->text[0] = '\0';
    ask(p, a, "GET /four HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n", 1);
    pair_run_for(p, DEMO_PAUSE);
    tell_answers(p, w, a);
    hang_up(p, a);
    pair_run(p);
}

/* ---------------------------------------------------------------- M17 ---------------------------------------------------------------- */

static const char heartbeat[] = "GET /here HTTP/1.1\r\nHost: server\r\n\r\n";

static void play_online(struct pair *p, struct demo_watch *w)
{
    open_site(p);
    struct asker *a = dial(p);
    if (!a) return;
    for (unsigned i = 1; i <= 3; i++) {
        demo_say(p, w, "heartbeat %u: the client asks, as it does every 30 s", i);
        ask(p, a, heartbeat, i);
        demo_say(p, w, "%s", answers(a) == i ? "the client counts the network up, the server counts the client online" : "no answer");
        pair_run_for(p, 30 * PL_S - p->sim->now % (30 * PL_S));
    }
    demo_say(p, w, "The client's program falls silent. After 60 s the server counts it offline and drops it:");
    pair_run_for(p, 90 * PL_S);
    demo_say(p, w, "%s", site.visitors && site.visitor[0].conn ? "The server still counts it." :
        "The server's program has forgotten it; its TCP still waits for the client's FIN, a minute at most.");
    hang_up(p, a);
    pair_run_for(p, 5 * PL_S);
    a = dial(p);
    if (!a) return;
    demo_say(p, w, "Another connection; and now the server is switched off. For the client it is as if the network broke.");
    pair_run_for(p, DEMO_PAUSE);
    sim_node_power(p->node[PAIR_SERVER], false);
    a->n = 0;
    pl_time asked = p->sim->now;
    pl_send(p->node[PAIR_CLIENT]->stack, a->conn, heartbeat, strlen(heartbeat));
    pair_run_for(p, 30 * PL_S);
    demo_say(p, w, "No answer within %llu s: the client counts the network down, and aborts.", (unsigned long long)((p->sim->now - asked) / PL_S));
    pl_abort(p->node[PAIR_CLIENT]->stack, a->conn);
    hang_up(p, a);
    pair_run_for(p, PL_S);
}

/* ---------------------------------------------------------------- M19 ---------------------------------------------------------------- */

static void drop_the_third_datagram(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 3);
}

static void tell_datagrams(struct pair *p, struct demo_watch *w, enum pair_side side, pl_udp socket, const char *who)
{
    char text[100];
    ptrdiff_t n;
    while ((n = pl_udp_recv(p->node[side]->stack, socket, NULL, text, sizeof text)) != PL_EAGAIN)
        if (n < 0) demo_say(p, w, "The %s's program is told: %s.", who, pl_strerror((int)n));
        else demo_say(p, w, "The %s's program reads \"%.*s\".", who, (int)n, text);
}

static void play_udp(struct pair *p, struct demo_watch *w)
{
    const struct pl_addr *at = p->opts.v6 ? p->opts.hosts.v6 : p->opts.hosts.v4;
    struct pl_endpoint here = {.addr = at[PAIR_CLIENT], .port = 5000}, there = {.addr = at[PAIR_SERVER], .port = 53};
    pl_stack *c = p->node[PAIR_CLIENT]->stack, *s = p->node[PAIR_SERVER]->stack;
    pl_udp client, server;
    p->node[PAIR_CLIENT]->on_event = p->node[PAIR_SERVER]->on_event = NULL;      /* this program reads by itself */
    if (pl_udp_open(c, &here, 1, &client) || pl_udp_open(s, &there, 1, &server)) return;
    demo_say(p, w, "No handshake: the first datagram is the question itself. Eight bytes of header (ports, length, checksum), %d of IP below it, eight of text.",
        p->opts.v6 ? 40 : 20);
    pl_udp_send(c, client, &there, "question", 8);
    pair_run_for(p, 20 * PL_MS);
    tell_datagrams(p, w, PAIR_SERVER, server, "server");
    pl_udp_send(s, server, &here, "answer", 6);
    pair_run_for(p, 20 * PL_MS);
    tell_datagrams(p, w, PAIR_CLIENT, client, "client");
    demo_say(p, w, "Three more. One is lost; nobody notices, nobody repeats it.");
    pl_udp_send(c, client, &there, "first", 5);
    pl_udp_send(c, client, &there, "second", 6);
    pl_udp_send(c, client, &there, "third", 5);
    pair_run_for(p, 100 * PL_MS);
    tell_datagrams(p, w, PAIR_SERVER, server, "server");
    demo_say(p, w, "And where nobody listens, ICMP says so:");
    there.port = 54;
    pl_udp_send(c, client, &there, "anybody?", 8);
    pair_run_for(p, 100 * PL_MS);
    tell_datagrams(p, w, PAIR_CLIENT, client, "client");
}

const struct demo_scene demo_scenes_above[] = {
    {.name = "http", .rows = "M16", .title = "HTTP/1.0 and HTTP/1.1 on top", .watch = "Watch who ends the connection, and when: after one answer, or only when "
        "asked to.", .extra = true, .play = play_http},
    {.name = "online", .rows = "M17", .title = "staying online", .watch = "Watch what TCP does not tell by itself, and small requests do: whether the other is "
        "still there.", .extra = true, .play = play_online},
    {.name = "udp", .rows = "M19", .title = "UDP, for those who do not need any of this", .watch = "Watch how little there is: no states, no numbers, no "
        "repetition.", .extra = true, .show_others = true, .prepare = drop_the_third_datagram, .play = play_udp},
    {0}};
