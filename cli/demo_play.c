/* SPDX-License-Identifier: MIT
 *
 * demo_play.c: see demo_play.h.
 *
 * The plays wait for what has happened (connected, received, finished), not for the clock, so that they also work out when --loss makes
 * everything later. Pauses between are the programs' own: a program that thinks before it closes lets the acknowledgement go first.
 */
#include "cli/demo_play.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GIVE_UP (600 * PL_S)

bool demo_until(struct pair *p, demo_when_fn *holds)
{
    pl_time end = p->sim->now + GIVE_UP;
    while (!holds(p) && p->sim->now < end && sim_step(p->sim))
        ;
    return holds(p);
}

struct program_conn *demo_conn(const struct pair *p, enum pair_side side)
{
    return pair_conn((struct pair *)(uintptr_t)p, side, 0);
}

bool demo_connected(const struct pair *p)
{
    const struct program_conn *c = demo_conn(p, PAIR_CLIENT), *s = demo_conn(p, PAIR_SERVER);
    return c && s && (c->connected || c->accepted) && (s->accepted || s->connected);
}

bool demo_client_has_all(const struct pair *p)
{
    return demo_conn(p, PAIR_CLIENT)->received >= demo_conn(p, PAIR_SERVER)->plan.send_bytes;
}

static bool demo_server_has_all(const struct pair *p)
{
    return demo_conn(p, PAIR_SERVER)->received >= demo_conn(p, PAIR_CLIENT)->plan.send_bytes;
}

bool demo_server_sees_end(const struct pair *p)
{
    return demo_conn(p, PAIR_SERVER)->peer_finished || demo_conn(p, PAIR_SERVER)->over;
}

bool demo_client_sees_end(const struct pair *p)
{
    return demo_conn(p, PAIR_CLIENT)->peer_finished || demo_conn(p, PAIR_CLIENT)->over;
}

bool demo_closing_begun(const struct pair *p)
{
    return pair_state(p, PAIR_SERVER) == PL_LAST_ACK || demo_conn(p, PAIR_SERVER)->over;
}

void demo_say(struct pair *p, struct demo_watch *w, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (w->ladder) ladder_say(w->ladder, p->sim->now, text);
}

bool demo_open_unseen(struct pair *p, struct demo_watch *w)
{
    w->asleep = w->ladder != NULL;
    pair_listen(p, DEMO_PORT, plan_hold());
    pair_connect(p, DEMO_PORT, plan_hold());
    bool open = demo_until(p, demo_connected);
    pair_run_for(p, DEMO_PAUSE);
    w->asleep = false;
    if (!open) demo_say(p, w, "The connection does not come about: the network loses too much.");
    return open;
}

void demo_finish(struct pair *p, enum pair_side side)
{
    struct program_conn *c = demo_conn(p, side);
    if (c && c->handle) program_finish(c);
}

void demo_send(struct pair *p, enum pair_side side, uint64_t bytes)
{
    struct program_conn *c = demo_conn(p, side);
    c->plan.send_bytes += bytes;
    program_pump(c);
}

void demo_deliver(struct pair *p, enum pair_side from)
{
    demo_until(p, from == PAIR_CLIENT ? demo_server_has_all : demo_client_has_all);
    pair_run_for(p, DEMO_PAUSE);
}

void demo_farewell(struct pair *p, struct demo_watch *w)
{
    demo_say(p, w, "The client's program has said all: it closes its direction. The server may still talk.");
    demo_finish(p, PAIR_CLIENT);
    demo_until(p, demo_server_sees_end);
    pair_run_for(p, DEMO_PAUSE);
    demo_say(p, w, "The server's program has read the end of the stream, and closes too.");
    demo_finish(p, PAIR_SERVER);
}
