/* SPDX-License-Identifier: MIT
 *
 * demo_life.c: scenes of act a about what two programs have of a connection: agreed options, flags, calls, silence, and a peer that dies.
 */
#include "cli/demo_play.h"

/* ---------------------------------------------------------------- M4 ---------------------------------------------------------------- */

static void small_server(struct pl_config *c, enum pair_side side, void *user)
{
    (void)user;
    if (side == PAIR_SERVER) c->rcvbuf_bytes = c->rcvbuf_max = 32768;
}

static void tell_agreed(struct pair *p, struct demo_watch *w, enum pair_side side, const char *name)
{
    struct pl_tcp_status s;
    if (pl_status(p->node[side]->stack, demo_conn(p, side)->handle, &s, sizeof s) < 0) return;
    demo_say(p, w, "The %s now sends at most %u bytes in a segment (the peer takes %u, options included) and %u ahead of the acknowledgement; "
                   "timestamps %s, SACK %s.", name, s.mss, s.peer_mss, s.snd.wnd, s.timestamps ? "on" : "off", s.sack ? "on" : "off");
}

static void play_options(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    if (!demo_until(p, demo_connected)) return;
    pair_run_for(p, DEMO_PAUSE);
    tell_agreed(p, w, PAIR_CLIENT, "client");
    tell_agreed(p, w, PAIR_SERVER, "server");
    demo_send(p, PAIR_CLIENT, 3000);
    demo_deliver(p, PAIR_CLIENT);
}

/* ---------------------------------------------------------------- M8: the server begins ---------------------------------------------------------------- */

static void play_server_closes(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    demo_say(p, w, "This time the server closes first, and the client has nothing more to say: its ACK and its FIN travel together.");
    demo_conn(p, PAIR_CLIENT)->plan.finish_last = true;
    demo_conn(p, PAIR_CLIENT)->plan.hold = false;
    demo_finish(p, PAIR_SERVER);
    pair_run(p);
}

/* ---------------------------------------------------------------- M10, M11 ---------------------------------------------------------------- */

static void play_idle(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    demo_say(p, w, "Nobody says anything for thirty days.");
    size_t before = p->segments;
    pair_run_for(p, 30 * 86400 * PL_S);
    demo_say(p, w, "Thirty days later: %zu segments were sent meanwhile, both are %s. The client speaks:", p->segments - before,
        pl_state_name(pair_state(p, PAIR_CLIENT)));
    demo_send(p, PAIR_CLIENT, 5);
    demo_deliver(p, PAIR_CLIENT);
    demo_say(p, w, "The server's program has read %llu bytes.", (unsigned long long)demo_conn(p, PAIR_SERVER)->received);
}

static bool client_over(const struct pair *p)
{
    return demo_conn(p, PAIR_CLIENT)->over || demo_conn(p, PAIR_CLIENT)->error;
}

static void play_keepalive(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    struct program_conn *c = demo_conn(p, PAIR_CLIENT);
    pl_set(p->node[PAIR_CLIENT]->stack, c->handle, PL_OPT_KEEPALIVE, 1);
    demo_say(p, w, "The client's program asks for keepalive. Two hours of silence; the server is there and answers:");
    pair_run_for(p, 7300 * PL_S);
    demo_say(p, w, "The server's machine dies, without a word.");
    sim_node_power(p->node[PAIR_SERVER], false);
    pair_run_for(p, 8200 * PL_S);
    if (client_over(p)) demo_say(p, w, "Nine questions without an answer: the client's program is told \"%s\" and the connection is released.", pl_strerror(c->error));
}

/* ---------------------------------------------------------------- M12 ---------------------------------------------------------------- */

static void play_flags(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    if (!demo_until(p, demo_connected)) return;
    pair_run_for(p, DEMO_PAUSE);
    struct program_conn *c = demo_conn(p, PAIR_CLIENT), *s = demo_conn(p, PAIR_SERVER);
    demo_say(p, w, "SYN and ACK are seen above. PSH: the last bytes that the program gave; hand them up at once.");
    demo_send(p, PAIR_CLIENT, 100);
    demo_deliver(p, PAIR_CLIENT);
    demo_say(p, w, "URG: the urgent pointer is valid, and says up to where the bytes are urgent.");
    pl_send_urgent(p->node[PAIR_CLIENT]->stack, c->handle, "!", 1);
    sim_node_wake(p->node[PAIR_CLIENT], p->sim->now);
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "The server's program %s. RST: the client's program aborts, everything ends at once.",
        s->seen_bits & PL_EV_URGENT ? "was told of it" : "was not told of it");
    if (c->handle) program_abort(c);
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "The server's program is told: %s.", pl_strerror(s->error));
}

/* ---------------------------------------------------------------- M15 ---------------------------------------------------------------- */

static void tell_states(struct pair *p, struct demo_watch *w, const char *call)
{
    demo_say(p, w, "%s -- client %s, server %s", call, pl_state_name(pair_state(p, PAIR_CLIENT)), pl_state_name(pair_state(p, PAIR_SERVER)));
}

static void play_calls(struct pair *p, struct demo_watch *w)
{
    tell_states(p, w, "before anything");
    pair_listen(p, DEMO_PORT, plan_hold());
    tell_states(p, w, "the server has called pl_listen()");
    pair_connect(p, DEMO_PORT, plan_hold());
    tell_states(p, w, "the client has called pl_connect()");
    if (!demo_until(p, demo_connected)) return;
    tell_states(p, w, "pl_accept() gives the server its connection");
    pair_run_for(p, DEMO_PAUSE);
    demo_send(p, PAIR_CLIENT, 10);
    demo_deliver(p, PAIR_CLIENT);
    tell_states(p, w, "pl_send() and pl_recv() have moved 10 bytes");
    demo_finish(p, PAIR_CLIENT);
    demo_until(p, demo_server_sees_end);
    tell_states(p, w, "the client has called pl_finish(), pl_recv() tells the server of the end");
    pair_run_for(p, DEMO_PAUSE);
    demo_finish(p, PAIR_SERVER);
    demo_until(p, demo_client_sees_end);
    pair_run_for(p, DEMO_PAUSE);
    tell_states(p, w, "the server has called pl_finish() too");
    pair_run(p);
    tell_states(p, w, "two maximum segment lifetimes later");
}

const struct demo_scene demo_scenes_life[] = {
    {.name = "options", .rows = "M4", .title = "what the two SYNs agree on", .watch = "Watch mss, wscale, sackOK and ts: offered in the SYN, accepted in the "
        "SYN+ACK, used afterwards. The server has little room here.", .extra = true, .show_options = true, .configure = small_server, .play = play_options},
    {.name = "server-closes", .rows = "M8", .title = "the other side begins", .watch = "Watch three messages do the work of four.", .extra = true,
        .play = play_server_closes},
    {.name = "idle", .rows = "M10", .title = "nothing to say for long", .watch = "Watch the clock: no segment keeps the connection alive, and none is needed.",
        .extra = true, .play = play_idle},
    {.name = "keepalive", .rows = "M11", .title = "a machine dies", .watch = "Watch the client ask after two hours of silence, again every 75 s, and give up.",
        .extra = true, .play = play_keepalive},
    {.name = "flags", .rows = "M12", .title = "what the flags mean", .watch = "Watch SYN, ACK, PSH, URG and RST; FIN is in every farewell.", .extra = true,
        .play = play_flags},
    {.name = "calls", .rows = "M15", .title = "the programs' calls and the states", .watch = "Watch each call move the states, and nothing else move them but "
        "segments and time.", .extra = true, .play = play_calls},
    {0}};
