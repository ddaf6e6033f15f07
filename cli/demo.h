/* SPDX-License-Identifier: MIT
 *
 * demo.h: what the acts of `parley demo` share.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "sim/pair.h"
#include "view/ladder.h"

struct demo_opts {
    const char *act;                      /* "a", "b", "c"; NULL: all */
    const char *scene;                    /* of act a; NULL: the main ones */
    int64_t isn[2];                       /* of client and server; -1: by clock and keyed hash, as in earnest */
    uint64_t seed;
    uint32_t loss_per_million;
    bool v6, json;
    uint64_t bytes;                       /* of act c's file */
};

/* Each returns an enum cli_exit. */
int demo_act_a(const struct demo_opts *);
int demo_act_b(const struct demo_opts *);
int demo_act_c(const struct demo_opts *);
void demo_list_scenes(void);
bool demo_scene_exists(const char *name);

/* A heading with a few words beside it, and a paragraph below, in the style of this terminal. Both wait for nothing. */
void demo_heading(const char *name, const char *title);
void demo_text(const char *text);
unsigned demo_width(void);

/* demo_ladder.c: the pair's traces and its wire, on a ladder or as JSON. */
struct demo_watch {
    struct ladder *ladder;                /* the caller's; NULL: JSON */
    struct sim_link *link;
    bool asleep;                          /* draws nothing */
};
void demo_watch_pair(struct demo_watch *, struct pair *, struct ladder *);

/* demo_scenes.c: a scene plays on a pair that has been made and is being watched. */
struct demo_scene {
    const char *name, *title, *watch;
    bool extra;                           /* not part of the act unless it is asked for */
    void (*prepare)(struct pair *);       /* before anything happens: what the network does; NULL: nothing */
    void (*play)(struct pair *, struct demo_watch *);
};
extern const struct demo_scene demo_scenes[];      /* ends with a name of NULL */

#endif
