/* SPDX-License-Identifier: MIT
 *
 * demo_scenes.c: the scenes of act a. Each is a little play: who calls what and when, and what the network does to it.
 *
 * The plays wait for what has happened (connected, received, finished), not for the clock, so that they also work out when --loss makes
 * everything later. Pauses between are the programs' own: a program that thinks before it closes lets the acknowledgement go first.
 */
#include "cli/demo.h"
#include <string.h>

#define PORT 80
#define CLIENT_PORT 49152
#define GIVE_UP (600 * PL_S)
#define PAUSE (200 * PL_MS)

typedef bool when_fn(const struct pair *);

/* Steps until it holds, or nothing happens any more. */
static bool until(struct pair *p, when_fn *holds)
{
    pl_time end = p->sim->now + GIVE_UP;
    while (!holds(p) && p->sim->now < end && sim_step(p->sim))
        ;
    return holds(p);
}

static struct program_conn *of(const struct pair *p, enum pair_side side)
{
    return pair_conn((struct pair *)(uintptr_t)p, side, 0);
}

static bool connected(const struct pair *p)
{
    const struct program_conn *c = of(p, PAIR_CLIENT), *s = of(p, PAIR_SERVER);
    return c && s && (c->connected || c->accepted) && (s->accepted || s->connected);
}

static bool client_has_all(const struct pair *p)
{
    return of(p, PAIR_CLIENT)->received >= of(p, PAIR_SERVER)->plan.send_bytes;
}

static bool server_sees_end(const struct pair *p)
{
    return of(p, PAIR_SERVER)->peer_finished || of(p, PAIR_SERVER)->over;
}

static bool client_sees_end(const struct pair *p)
{
    return of(p, PAIR_CLIENT)->peer_finished || of(p, PAIR_CLIENT)->over;
}

static bool closing_begun(const struct pair *p)
{
    return pair_state(p, PAIR_SERVER) == PL_LAST_ACK || of(p, PAIR_SERVER)->over;
}

static void say(struct pair *p, struct demo_watch *w, const char *text)
{
    if (w->ladder) ladder_say(w->ladder, p->sim->now, text);
}

/* A connection that is made offstage: its handshake is like any other. */
static bool open_unseen(struct pair *p, struct demo_watch *w)
{
    w->asleep = w->ladder != NULL;
    pair_listen(p, PORT, plan_hold());
    pair_connect(p, PORT, plan_hold());
    bool open = until(p, connected);
    pair_run_for(p, PAUSE);
    w->asleep = false;
    if (!open) say(p, w, "The connection does not come about: the network loses too much.");
    return open;
}

static void finish(struct pair *p, enum pair_side side)
{
    struct program_conn *c = of(p, side);
    if (c && c->handle) program_finish(c);
}

/* The server's program answers 119 bytes as soon as it has read 99. The hook runs where a program would: while its events are handled. */
enum { REQUEST = 99, ANSWER = 119 };

static void (*program_on_event)(struct sim_node *, const struct pl_event *);

static void answering(struct sim_node *n, const struct pl_event *e)
{
    program_on_event(n, e);
    struct program *program = n->user;
    if (!program->conns) return;
    struct program_conn *c = program->conn[0];
    if (c->received < REQUEST || c->plan.send_bytes) return;
    c->plan.send_bytes = ANSWER;
    program_pump(c);
}

static void serve_answers(struct pair *p)
{
    struct sim_node *n = p->node[PAIR_SERVER];
    program_on_event = n->on_event;
    n->on_event = answering;
    pair_listen(p, PORT, plan_hold());
}

static void client_sends(struct pair *p, uint64_t bytes)
{
    struct program_conn *c = of(p, PAIR_CLIENT);
    c->plan.send_bytes = bytes;
    program_pump(c);
}

/* ---------------------------------------------------------------- a whole life ---------------------------------------------------------------- */

static void farewell(struct pair *p, struct demo_watch *w)
{
    say(p, w, "The client's program has said all: it closes its direction. The server may still talk.");
    finish(p, PAIR_CLIENT);
    until(p, server_sees_end);
    pair_run_for(p, PAUSE);
    say(p, w, "The server's program has read the end of the stream, and closes too.");
    finish(p, PAIR_SERVER);
}

static void play_life(struct pair *p, struct demo_watch *w)
{
    serve_answers(p);
    say(p, w, "Three messages: each side tells its first sequence number and hears that it was heard.");
    pair_connect(p, PORT, plan_hold());
    if (!until(p, connected)) return;
    pair_run_for(p, PAUSE);
    say(p, w, "The client sends 99 bytes, the server answers 119: ack is always the next byte awaited.");
    client_sends(p, REQUEST);
    until(p, client_has_all);
    pair_run_for(p, PAUSE);
    farewell(p, w);
    until(p, closing_begun);
    pair_run(p);
}

/* ---------------------------------------------------------------- accidents ---------------------------------------------------------------- */

static void lose_first_syn(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 1);
}

static void play_open_only(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_listen(p, PORT, plan_hold());
    pair_connect(p, PORT, plan_hold());
    until(p, connected);
}

/* The client's last ACK is the one that answers the server's FIN; every other segment passes. */
static struct match_tcp last_ack = {.flags_mask = PL_FIN | PL_SYN | PL_PSH | PL_ACK, .flags = PL_ACK, .port = PORT};

static void lose_last_ack(struct pair *p)
{
    /* The client's pure ACKs are: the handshake's third message, and the last one. */
    struct impair_rule rule = {.kind = IMPAIR_DROP, .match = match_tcp, .match_user = &last_ack, .nth = 2};
    impair_add(pair_impair(p, PAIR_CLIENT), &rule);
}

static void play_last_ack_lost(struct pair *p, struct demo_watch *w)
{
    if (!open_unseen(p, w)) return;
    farewell(p, w);
    pair_run(p);
}

static void delay_first_syn(struct pair *p)
{
    impair_delay_nth(pair_impair(p, PAIR_CLIENT), 1, 60 * PL_MS);
}

static void play_old_syn(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, PORT, plan_hold());
    uint32_t isn = p->opts.isn[PAIR_CLIENT] >= 0 ? (uint32_t)p->opts.isn[PAIR_CLIENT] : 0;
    struct pair_forged old = {.client_port = CLIENT_PORT, .server_port = PORT, .flags = PL_SYN, .seq = isn - 10, .window = 65535};
    pair_forge(p, PAIR_CLIENT, &old, p->sim->now + 20 * PL_MS);
    pair_connect(p, PORT, plan_hold());
    until(p, connected);
    say(p, w, "Only now do both agree. After two messages the server would have believed in the old one.");
}

static void play_simultaneous_open(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_connect_from(p, PAIR_CLIENT, CLIENT_PORT, PORT, plan_hold());
    pair_connect_from(p, PAIR_SERVER, PORT, CLIENT_PORT, plan_hold());
    until(p, connected);
    pair_run_for(p, PAUSE);
}

static void play_simultaneous_close(struct pair *p, struct demo_watch *w)
{
    if (!open_unseen(p, w)) return;
    say(p, w, "Both programs close at the same moment: the two FINs cross.");
    finish(p, PAIR_CLIENT);
    finish(p, PAIR_SERVER);
    pair_run(p);
}

static void play_half_close(struct pair *p, struct demo_watch *w)
{
    if (!open_unseen(p, w)) return;
    say(p, w, "The client asks, and closes its direction at once: nothing more will come from here.");
    client_sends(p, REQUEST);
    finish(p, PAIR_CLIENT);
    until(p, server_sees_end);
    pair_run_for(p, PAUSE);
    struct program_conn *s = of(p, PAIR_SERVER);
    say(p, w, "The server still has 2000 bytes to say. The client, closed for sending, still takes them.");
    s->plan.send_bytes = 2000;
    program_pump(s);
    until(p, client_has_all);
    pair_run_for(p, PAUSE);
    finish(p, PAIR_SERVER);
    until(p, client_sees_end);
    pair_run(p);
}

static void play_refused(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_connect(p, 81, plan_hold());
    pair_run_for(p, PAUSE);
}

static void play_bad_ack(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, PORT, plan_hold());
    struct pair_forged syn = {.client_port = CLIENT_PORT, .server_port = PORT, .flags = PL_SYN, .seq = 1000, .window = 65535};
    struct pair_forged ack = {.client_port = CLIENT_PORT, .server_port = PORT, .flags = PL_ACK, .seq = 1001, .ack = 77777, .window = 65535};
    pair_forge(p, PAIR_CLIENT, &syn, p->sim->now + 10 * PL_MS);
    pair_forge(p, PAIR_CLIENT, &ack, p->sim->now + 15 * PL_MS);
    pair_run_for(p, 22 * PL_MS);
    say(p, w, "Who cannot hear the server's answer does not know its first number and cannot finish.");
}

static bool all_received(const struct pair *p)
{
    return of(p, PAIR_SERVER)->received >= of(p, PAIR_CLIENT)->plan.send_bytes;
}

static void lose_third_data(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 5);
}

static void play_transfer(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_listen(p, PORT, plan_hold());
    pair_connect(p, PORT, plan_hold());
    if (!until(p, connected)) return;
    client_sends(p, 12000);
    until(p, all_received);
    pair_run_for(p, PAUSE);
}

const struct demo_scene demo_scenes[] = {
    {.name = "life", .title = "a connection from beginning to end",
        .watch = "Watch the two states: nobody is ESTABLISHED before it knows that the other side hears it. SYN and FIN count as one byte each.",
        .play = play_life},
    {.name = "syn-lost", .title = "the first message is lost",
        .watch = "Watch the client ask again after a second: the handshake needs one copy of each message to get through.",
        .prepare = lose_first_syn, .play = play_open_only},
    {.name = "last-ack-lost", .title = "the last message is lost",
        .watch = "Watch what TIME-WAIT is for: the side that closed first stays to answer a FIN that comes again, and its wait starts anew.",
        .prepare = lose_last_ack, .play = play_last_ack_lost},
    {.name = "old-syn", .title = "an old SYN comes out of the network",
        .watch = "Watch why the handshake has three messages: the client does not know the old number and says so with RST (RFC 9293, figure 8).",
        .prepare = delay_first_syn, .play = play_old_syn},
    {.name = "simultaneous-open", .title = "both sides call at the same time",
        .watch = "Watch the SYNs cross: there is no client and no server, and yet one connection, not two (RFC 9293, figure 7).",
        .play = play_simultaneous_open},
    {.name = "simultaneous-close", .title = "both sides hang up at the same time",
        .watch = "Watch both go through CLOSING and both wait (RFC 9293, figure 13).", .play = play_simultaneous_close},
    {.name = "half-close", .title = "one side is done, the other is not",
        .watch = "Watch the two directions end apart: after the client's FIN the server goes on sending.", .play = play_half_close},
    {.name = "refused", .title = "nobody listens there", .watch = "Watch the RST: there is no such door, and the client knows at once.",
        .extra = true, .play = play_refused},
    {.name = "bad-ack", .title = "a stranger guesses", .watch = "Watch the third message with a wrong ack: it makes no connection.",
        .extra = true, .play = play_bad_ack},
    {.name = "transfer", .title = "a segment is lost in the middle",
        .watch = "Watch what comes behind the gap wait for it, and the ack stand still until the gap is filled.", .extra = true,
        .prepare = lose_third_data, .play = play_transfer},
    {0}};
