/* SPDX-License-Identifier: MIT
 *
 * demo_scenes.c: act a's first scenes, those that are played without being asked for. Each is a little play: who calls what and when, and what the
 * network does to it.
 */
#include "cli/demo_play.h"

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
    pair_listen(p, DEMO_PORT, plan_hold());
}

/* ---------------------------------------------------------------- a whole life ---------------------------------------------------------------- */

static void play_life(struct pair *p, struct demo_watch *w)
{
    serve_answers(p);
    demo_say(p, w, "The client is CLOSED, the server in LISTEN. Three messages: each side tells its first sequence number and hears that it was heard.");
    pair_connect(p, DEMO_PORT, plan_hold());
    if (!demo_until(p, demo_connected)) return;
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "The client sends 99 bytes, the server answers 119: ack is always the next byte awaited.");
    demo_send(p, PAIR_CLIENT, REQUEST);
    demo_until(p, demo_client_has_all);
    pair_run_for(p, DEMO_PAUSE);
    demo_farewell(p, w);
    demo_until(p, demo_closing_begun);
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
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    demo_until(p, demo_connected);
}

/* The client's last ACK is the one that answers the server's FIN; every other segment passes. */
static struct match_tcp last_ack = {.flags_mask = PL_FIN | PL_SYN | PL_PSH | PL_ACK, .flags = PL_ACK, .port = DEMO_PORT};

static void lose_last_ack(struct pair *p)
{
    /* The client's pure ACKs are: the handshake's third message, and the last one. */
    struct impair_rule rule = {.kind = IMPAIR_DROP, .match = match_tcp, .match_user = &last_ack, .nth = 2};
    impair_add(pair_impair(p, PAIR_CLIENT), &rule);
}

static void play_last_ack_lost(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    demo_farewell(p, w);
    pair_run(p);
}

static void delay_first_syn(struct pair *p)
{
    impair_delay_nth(pair_impair(p, PAIR_CLIENT), 1, 60 * PL_MS);
}

static void play_old_syn(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    uint32_t isn = p->opts.isn[PAIR_CLIENT] >= 0 ? (uint32_t)p->opts.isn[PAIR_CLIENT] : 0;
    struct pair_forged old = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_SYN, .seq = isn - 10, .window = 65535};
    pair_forge(p, PAIR_CLIENT, &old, p->sim->now + 20 * PL_MS);
    pair_connect(p, DEMO_PORT, plan_hold());
    demo_until(p, demo_connected);
    demo_say(p, w, "Only now do both agree. With two messages the server would have been ESTABLISHED after the old SYN: a connection of which "
                   "nobody knows, that waits for ever. The third message is the one that was missing then.");
}

static void play_simultaneous_open(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_connect_from(p, PAIR_CLIENT, DEMO_CLIENT_PORT, DEMO_PORT, plan_hold());
    pair_connect_from(p, PAIR_SERVER, DEMO_PORT, DEMO_CLIENT_PORT, plan_hold());
    demo_until(p, demo_connected);
    pair_run_for(p, DEMO_PAUSE);
}

static void play_simultaneous_close(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    demo_say(p, w, "Both programs close at the same moment: the two FINs cross.");
    demo_finish(p, PAIR_CLIENT);
    demo_finish(p, PAIR_SERVER);
    pair_run(p);
}

static void play_half_close(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    demo_say(p, w, "The client asks, and closes its direction at once: nothing more will come from here.");
    demo_send(p, PAIR_CLIENT, REQUEST);
    demo_finish(p, PAIR_CLIENT);
    demo_until(p, demo_server_sees_end);
    pair_run_for(p, DEMO_PAUSE);
    struct program_conn *s = demo_conn(p, PAIR_SERVER);
    demo_say(p, w, "The server still has 2000 bytes to say. The client, closed for sending, still takes them.");
    s->plan.send_bytes = 2000;
    program_pump(s);
    demo_until(p, demo_client_has_all);
    pair_run_for(p, DEMO_PAUSE);
    demo_finish(p, PAIR_SERVER);
    demo_until(p, demo_client_sees_end);
    pair_run(p);
}

static void lose_third_data(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 5);
}

static void play_transfer(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    if (!demo_until(p, demo_connected)) return;
    struct pl_tcp_status status;
    if (pl_status(p->node[PAIR_CLIENT]->stack, demo_conn(p, PAIR_CLIENT)->handle, &status, sizeof status) == 0 && status.rcv_wscale)
        demo_say(p, w, "The field has 16 bits, so a SYN can say win=65535 at most. Both SYNs carried a scale: the client's window is counted in units of "
                       "%u bytes from now on, and win jumps to what is really there.", 1u << status.rcv_wscale);
    demo_send(p, PAIR_CLIENT, 12000);
    demo_deliver(p, PAIR_CLIENT);
    demo_say(p, w, "The server's program has read %llu bytes, in order and each once.", (unsigned long long)demo_conn(p, PAIR_SERVER)->received);
}

const struct demo_scene demo_scenes_first[] = {
    {.name = "life", .rows = "M1 M2 M8 M15", .title = "a connection from beginning to end",
        .watch = "Watch the two states: nobody is ESTABLISHED before it knows that the other side hears it. SYN and FIN count as one byte each.",
        .play = play_life},
    {.name = "syn-lost", .rows = "M6", .title = "the first message is lost",
        .watch = "Watch the client ask again after a second: the handshake needs one copy of each message to get through.",
        .prepare = lose_first_syn, .play = play_open_only},
    {.name = "last-ack-lost", .rows = "M9", .title = "the last message is lost",
        .watch = "Watch what TIME-WAIT is for: the side that closed first stays to answer a FIN that comes again, and its wait starts anew.",
        .prepare = lose_last_ack, .play = play_last_ack_lost},
    {.name = "old-syn", .rows = "M5", .title = "an old SYN comes out of the network",
        .watch = "Watch why the handshake has three messages: the client does not know the old number and says so with RST (RFC 9293, figure 8).",
        .prepare = delay_first_syn, .play = play_old_syn},
    {.name = "simultaneous-open", .rows = "M7", .title = "both sides call at the same time",
        .watch = "Watch the SYNs cross: there is no client and no server, and yet one connection, not two (RFC 9293, figure 7).",
        .play = play_simultaneous_open},
    {.name = "simultaneous-close", .rows = "M7", .title = "both sides hang up at the same time",
        .watch = "Watch both go through CLOSING and both wait (RFC 9293, figure 13).", .play = play_simultaneous_close},
    {.name = "half-close", .rows = "M8", .title = "one side is done, the other is not",
        .watch = "Watch the two directions end apart: after the client's FIN the server goes on sending.", .play = play_half_close},
    {.name = "transfer", .rows = "M14", .title = "a segment is lost in the middle",
        .watch = "Watch what comes behind the gap wait for it, and the ack stand still until the gap is filled.",
        .prepare = lose_third_data, .play = play_transfer},
    {.name = "arithmetic", .rows = "M13 M2", .title = "seq and ack, byte by byte", .extra = true, .isn_zero = true,
        .watch = "Watch the numbers, which begin at 0 here (in earnest a clock and a keyed hash choose them: --isn keyed): 99 bytes from the client, 119 from the server. ack is the seq that is expected next, and SYN "
                 "and FIN count as one byte.",
        .play = play_life},
    {.name = "third-says-it", .rows = "M13", .title = "from the third message to the second", .extra = true, .isn = {999, 1999},
        .watch = "Watch the third message: seq=1000, ack=2000. So the second had seq=1999, ack=1000, and the first seq=999.",
        .play = play_open_only},
    {0}};
