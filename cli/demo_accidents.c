/* SPDX-License-Identifier: MIT
 *
 * demo_accidents.c: scenes of act a in which the network, or a stranger, makes trouble: wrong acknowledgements, old duplicates, lost messages.
 */
#include "cli/demo_play.h"
#include <string.h>

static void play_refused(struct pair *p, struct demo_watch *w)
{
    pair_connect(p, 81, plan_hold());
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "connect() fails: %s.", pl_strerror(demo_conn(p, PAIR_CLIENT)->error));
}

/* ---------------------------------------------------------------- M3 ---------------------------------------------------------------- */

static void play_bad_ack(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    struct pair_forged syn = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_SYN, .seq = 1000, .window = 65535};
    struct pair_forged ack = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_ACK, .seq = 1001, .ack = 77777, .window = 65535};
    pair_forge(p, PAIR_CLIENT, &syn, p->sim->now + 10 * PL_MS);
    pair_forge(p, PAIR_CLIENT, &ack, p->sim->now + 15 * PL_MS);
    pair_run_for(p, 22 * PL_MS);
    demo_say(p, w, "Who cannot hear the server's answer does not know its first number and cannot finish.");
}

static void drop_the_servers_answer(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_SERVER), 1);
}

/* The right answer is lost once, so that the wrong one comes before it. */
static void play_bad_syn_ack(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    struct pair_forged wrong = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_SYN | PL_ACK, .seq = 5000, .ack = 77777, .window = 65535};
    pair_connect_from(p, PAIR_CLIENT, DEMO_CLIENT_PORT, DEMO_PORT, plan_hold());
    pair_forge(p, PAIR_SERVER, &wrong, p->sim->now + 50 * PL_MS);
    pair_run_for(p, 100 * PL_MS);
    demo_say(p, w, "The client stays in SYN-SENT: an answer to something it never said is no answer. The RST carries the number that was wrongly "
                   "acknowledged, so that only who sent it can believe it.");
    demo_until(p, demo_connected);
}

/* ---------------------------------------------------------------- M5 ---------------------------------------------------------------- */

static void play_old_syn_ack(struct pair *p, struct demo_watch *w)
{
    struct pair_forged old = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_SYN | PL_ACK, .seq = 5000, .ack = 4711, .window = 65535};
    pair_forge(p, PAIR_SERVER, &old, p->sim->now + 10 * PL_MS);
    pair_run_for(p, 50 * PL_MS);
    demo_say(p, w, "A client that is asking already says the same, and goes on asking:");
    drop_the_servers_answer(p);
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect_from(p, PAIR_CLIENT, DEMO_CLIENT_PORT + 1, DEMO_PORT, plan_hold());
    old.client_port++;
    pair_forge(p, PAIR_SERVER, &old, p->sim->now + 50 * PL_MS);
    demo_until(p, demo_connected);
}

static void play_old_data(struct pair *p, struct demo_watch *w)
{
    if (!demo_open_unseen(p, w)) return;
    size_t first = p->segments;
    demo_send(p, PAIR_CLIENT, 300);
    demo_deliver(p, PAIR_CLIENT);
    demo_say(p, w, "The same segment arrives once more, five seconds late; then one from a connection long ago, whose numbers are far away and which knows nothing of the timestamps agreed on in this one.");
    for (size_t i = first; i < p->segments; i++)
        if (p->segment[i].from == PAIR_CLIENT && p->segment[i].len) {
            pair_replay(p, i, p->sim->now + 5 * PL_S);
            break;
        }
    uint32_t far_away = 3000000000u + (uint32_t)p->opts.isn[PAIR_CLIENT];
    struct pair_forged old = {.client_port = p->port, .server_port = DEMO_PORT, .flags = PL_ACK | PL_PSH, .seq = far_away, .ack = 1, .window = 1000,
        .text = "old bytes", .text_bytes = 9};
    pair_forge(p, PAIR_CLIENT, &old, p->sim->now + 6 * PL_S);
    pair_run_for(p, 10 * PL_S);
    demo_say(p, w, "The server's program has read %llu bytes: none twice, and none of the old ones.", (unsigned long long)demo_conn(p, PAIR_SERVER)->received);
}

/* ---------------------------------------------------------------- M6 ---------------------------------------------------------------- */

static void play_open(struct pair *p, struct demo_watch *w)
{
    (void)w;
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    demo_until(p, demo_connected);
}

static void drop_the_third(struct pair *p)
{
    impair_drop_nth(pair_impair(p, PAIR_CLIENT), 2);
}

static void play_third_lost(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    pair_run_for(p, 500 * PL_MS);
    demo_say(p, w, "The client believes in the connection, the server not yet: it repeats its answer until it hears that it was heard.");
    demo_until(p, demo_connected);
}

static void drop_everything(struct pair *p)
{
    impair_loss(pair_impair(p, PAIR_CLIENT), 1000000);
}

static bool client_over(const struct pair *p)
{
    return demo_conn(p, PAIR_CLIENT)->over || demo_conn(p, PAIR_CLIENT)->error;
}

static void play_gives_up(struct pair *p, struct demo_watch *w)
{
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    demo_until(p, client_over);
    demo_say(p, w, "The client's program is told: %s.", pl_strerror(demo_conn(p, PAIR_CLIENT)->error));
}

static void play_server_gives_up(struct pair *p, struct demo_watch *w)
{
    struct pair_forged syn = {.client_port = DEMO_CLIENT_PORT, .server_port = DEMO_PORT, .flags = PL_SYN, .seq = 1000, .window = 65535};
    pair_listen(p, DEMO_PORT, plan_hold());
    sim_node_power(p->node[PAIR_CLIENT], false);
    pair_forge(p, PAIR_CLIENT, &syn, p->sim->now + 10 * PL_MS);
    pair_run_for(p, 200 * PL_S);
    demo_say(p, w, "The server forgets it. Its program was never told: a connection that did not come about is none.");
}

/* ---------------------------------------------------------------- M9 ---------------------------------------------------------------- */

static bool both_over(const struct pair *p)
{
    return demo_conn(p, PAIR_CLIENT)->over && demo_conn(p, PAIR_SERVER)->over;
}

static void play_old_segment(struct pair *p, struct demo_watch *w)
{
    w->asleep = w->ladder != NULL;
    if (!demo_open_unseen(p, w)) return;
    w->asleep = w->ladder != NULL;
    size_t first = p->segments, old = first;
    demo_send(p, PAIR_CLIENT, 500);
    demo_deliver(p, PAIR_CLIENT);
    while (old < p->segments && !(p->segment[old].from == PAIR_CLIENT && p->segment[old].len))
        old++;
    uint16_t port = p->port;
    demo_finish(p, PAIR_CLIENT);
    demo_until(p, demo_server_sees_end);
    demo_finish(p, PAIR_SERVER);
    demo_until(p, both_over);
    pair_run_for(p, DEMO_PAUSE);
    w->asleep = false;
    demo_say(p, w, "A first connection, from port %u, has carried 500 bytes and is over. The client stays in TIME-WAIT for a minute; then the same ports again:", port);
    pair_run_for(p, 61 * PL_S);
    struct program_conn *c = pair_connect_from(p, PAIR_CLIENT, port, DEMO_PORT, plan_hold());
    pair_run_for(p, DEMO_PAUSE);
    struct program_conn *s = pair_conn(p, PAIR_SERVER, 1);
    if (!c || !s || old >= p->segments) return;
    demo_say(p, w, "A copy of the first connection's data comes out of the network, a minute late:");
    pair_replay(p, old, p->sim->now + 10 * PL_MS);
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "The new connection's program has read %llu bytes of it, and the connection stands.", (unsigned long long)s->received);
}

/* ---------------------------------------------------------------- M14 ---------------------------------------------------------------- */

static void be_rough(struct pair *p)
{
    struct impair *i = pair_impair(p, PAIR_CLIENT);
    impair_drop_nth(i, 4);
    impair_duplicate_nth(i, 5);
    impair_reorder_nth(i, 6, 2);
    impair_corrupt_nth(i, 9, 500);
    impair_delay_nth(i, 11, 70 * PL_MS);
    impair_drop_nth(pair_impair(p, PAIR_SERVER), 4);
}

static void play_rough(struct pair *p, struct demo_watch *w)
{
    struct program_plan sink = plan_sink(0);
    pair_listen(p, DEMO_PORT, sink);
    pair_connect(p, DEMO_PORT, plan_hold());
    if (!demo_until(p, demo_connected)) return;
    demo_send(p, PAIR_CLIENT, 14480);
    demo_deliver(p, PAIR_CLIENT);
    demo_finish(p, PAIR_CLIENT);
    demo_until(p, demo_server_sees_end);
    struct program_conn *s = demo_conn(p, PAIR_SERVER);
    demo_say(p, w, "The server's program has read %llu of 14480 bytes, %s.", (unsigned long long)s->received,
        s->mismatch ? "but not what was sent" : "each compared with what was sent, in order and once");
    pair_run(p);
}

const struct demo_scene demo_scenes_accidents[] = {
    {.name = "refused", .rows = "M12", .title = "nobody listens there", .watch = "Watch the RST: there is no such door, and the client knows at once.",
        .extra = true, .play = play_refused},
    {.name = "bad-ack", .rows = "M3", .title = "a stranger guesses", .watch = "Watch the third message with a wrong ack: it makes no connection, it is answered "
        "with RST.", .extra = true, .play = play_bad_ack},
    {.name = "bad-syn-ack", .rows = "M3", .title = "the second message acknowledges what was never said", .watch = "Watch the client answer with RST and wait "
        "for the right one.", .extra = true, .prepare = drop_the_servers_answer, .play = play_bad_syn_ack},
    {.name = "old-syn-ack", .rows = "M5", .title = "an old SYN+ACK comes out of the network", .watch = "Watch the client, which did not ask, or did not ask "
        "that: RST.", .extra = true, .play = play_old_syn_ack},
    {.name = "old-data", .rows = "M5", .title = "old data comes out of the network", .watch = "Watch the server say again what it awaits, and take nothing.",
        .extra = true, .play = play_old_data},
    {.name = "syn-ack-lost", .rows = "M6", .title = "the second message is lost", .watch = "Watch whoever notices first repeat its own message.", .extra = true,
        .prepare = drop_the_servers_answer, .play = play_open},
    {.name = "third-lost", .rows = "M6", .title = "the third message is lost", .watch = "Watch the server repeat its answer after a second, and the client its "
        "acknowledgement.", .extra = true, .prepare = drop_the_third, .play = play_third_lost},
    {.name = "gives-up", .rows = "M6", .title = "no message gets through", .watch = "Watch the pauses double, up to two minutes, and the end with a clear error.", .extra = true,
        .prepare = drop_everything, .play = play_gives_up},
    {.name = "server-gives-up", .rows = "M6", .title = "the client is gone after its SYN", .watch = "Watch the server repeat its answer, ever more rarely, and "
        "forget.", .extra = true, .play = play_server_gives_up},
    {.name = "old-segment", .rows = "M9", .title = "the dead connection's data and the next connection", .watch = "Watch a segment of the first connection "
        "arrive in the second, on the same ports: it is refused.", .extra = true, .play = play_old_segment},
    {.name = "rough", .rows = "M14", .title = "everything goes wrong on the way", .watch = "Watch segments that are lost, doubled, overtaken, damaged and late, "
        "and the ack that only counts what is there without a gap.", .extra = true, .prepare = be_rough, .play = play_rough},
    {0}};
