/* SPDX-License-Identifier: MIT
 *
 * demo.h: what the acts of `parley demo` share.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "cli/pcap.h"
#include "sim/pair.h"
#include "view/ladder.h"

struct demo_opts {
    const char *act;                      /* "a", "b", "c"; NULL: all */
    const char *scene;                    /* of act a; NULL: the main ones */
    const char *row;                      /* of the mission; NULL: not chosen by it */
    bool isn_given;
    int64_t isn[2];                       /* of client and server; -1: by clock and keyed hash, as in earnest */
    uint64_t seed;
    uint32_t loss_per_million;
    bool v6, json;
    uint64_t bytes;                       /* of act c's file */
    const char *pcap_path;
    struct cli_pcap pcap;                 /* the acts add to it */
    int pcap_iface[2][2];                 /* of client and server; [1]: Ethernet. -1: not declared yet */
};

/* Each returns an enum cli_exit. */
int demo_act_a(struct demo_opts *);
int demo_act_b(struct demo_opts *);
int demo_act_c(struct demo_opts *);
void demo_list_scenes(void);
bool demo_scene_exists(const char *name);
bool demo_shows_row(const char *rows, const char *row);      /* whether "M1 M2" holds "M2" */

/* A heading with a few words beside it, and a paragraph below, in the style of this terminal. Both wait for nothing. */
void demo_heading(const char *name, const char *title);
void demo_text(const char *text);
unsigned demo_width(void);

/* demo_ladder.c: the pair's traces and its wire, on a ladder or as JSON. */
struct demo_watch {
    struct cli_pcap *pcap;                /* NULL: none */
    int pcap_iface[2];
    struct ladder *ladder;                /* the caller's; NULL: JSON */
    struct sim_link *link;
    bool asleep;                          /* draws nothing */
};
void demo_watch_pair(struct demo_watch *, struct pair *, struct ladder *);
/* The next scene's frames come behind those of the last one: its clock starts at 0 again, the file's does not. */
void demo_capture_pair(struct demo_watch *, struct demo_opts *, bool ethernet);

/* A scene plays on a pair that has been made and is being watched; the tables are in demo_play.h. */
struct demo_scene {
    const char *name, *title, *watch;
    const char *rows;                     /* of docs/mission.md that it shows: "M1 M2" */
    bool extra;                           /* not part of the act unless it is asked for */
    bool isn_zero;                        /* both first numbers are 0, unless --isn says otherwise */
    uint32_t isn[2];                      /* or these, if not 0 */
    bool show_options, show_others;       /* on the ladder: the options of TCP; what is not TCP */
    void (*configure)(struct pl_config *, enum pair_side, void *);       /* NULL: nothing */
    void (*prepare)(struct pair *);       /* before anything happens: what the network does; NULL: nothing */
    void (*play)(struct pair *, struct demo_watch *);
};

#endif
