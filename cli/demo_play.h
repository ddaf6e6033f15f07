/* SPDX-License-Identifier: MIT
 *
 * demo_play.h: what the plays of act a are written with: waiting for what happens, the narrator, and the programs' calls.
 */
#ifndef CLI_DEMO_PLAY_H
#define CLI_DEMO_PLAY_H

#include "cli/demo.h"

#define DEMO_PORT 80
#define DEMO_CLIENT_PORT 49152
#define DEMO_PAUSE (200 * PL_MS)

typedef bool demo_when_fn(const struct pair *);

/* Steps until it holds, or nothing happens any more, ten minutes at most. Whether it holds. */
bool demo_until(struct pair *, demo_when_fn *holds);
demo_when_fn demo_connected, demo_client_has_all, demo_server_sees_end, demo_client_sees_end, demo_closing_begun;

struct program_conn *demo_conn(const struct pair *, enum pair_side);
/* A line of the narrator's. */
void demo_say(struct pair *, struct demo_watch *, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A connection that is made offstage: its handshake is like any other. False: the network loses too much. */
bool demo_open_unseen(struct pair *, struct demo_watch *);
void demo_finish(struct pair *, enum pair_side);
void demo_send(struct pair *, enum pair_side, uint64_t bytes);
/* Steps until all that this side was told to send is there, then a pause. */
void demo_deliver(struct pair *, enum pair_side from);
/* The client closes, then the server. */
void demo_farewell(struct pair *, struct demo_watch *);

/* The plays, by file. */
typedef void demo_play_fn(struct pair *, struct demo_watch *);
extern const struct demo_scene demo_scenes_first[], demo_scenes_accidents[], demo_scenes_life[], demo_scenes_above[];

#endif
