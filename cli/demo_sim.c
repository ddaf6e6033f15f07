/* SPDX-License-Identifier: MIT
 *
 * demo_sim.c: act a: plays the scenes of demo_scenes.c on two hosts in memory, and draws them.
 */
#include "cli/cli.h"
#include "cli/demo_play.h"
#include <stdio.h>
#include <string.h>

static const struct demo_scene *const tables[] = {demo_scenes_first, demo_scenes_accidents, demo_scenes_life, demo_scenes_above, NULL};

/* Walks all scenes: *table and the scene start at 0 and NULL. NULL: the end. */
static const struct demo_scene *next_scene(const struct demo_scene *s, unsigned *table)
{
    s = s ? s + 1 : tables[*table];
    while (!s->name) {
        if (!tables[++*table]) return NULL;
        s = tables[*table];
    }
    return s;
}

bool demo_scene_exists(const char *name)
{
    unsigned table = 0;
    for (const struct demo_scene *s = NULL; (s = next_scene(s, &table)) != NULL;)
        if (!strcmp(s->name, name)) return true;
    return false;
}

bool demo_shows_row(const char *rows, const char *row)
{
    size_t n = strlen(row);
    for (const char *at = rows; (at = strstr(at, row)) != NULL; at += n)
        if (at[n] == ' ' || at[n] == '\0') return true;
    return false;
}

void demo_list_scenes(void)
{
    unsigned table = 0;
    for (const struct demo_scene *s = NULL; (s = next_scene(s, &table)) != NULL;)
        printf("  %-20s %-14s %s%s\n", s->name, s->rows, s->title, s->extra ? "" : " *");
    puts("\n  act b                M12 M18        one message through the layers, byte by byte *\n"
         "  act c                M16 M20        the same with the Linux kernel *\n"
         "\n* played by `parley demo` without being asked. M1 to M20 are the rows of docs/mission.md: `parley demo --row M9` plays what shows one.");
}

static struct pair_opts pair_options(const struct demo_scene *s, const struct demo_opts *o)
{
    struct pair_opts p;
    pair_opts_default(&p);
    p.seed = o->seed;
    p.v6 = o->v6;
    memcpy(p.isn, o->isn, sizeof p.isn);
    if (!o->isn_given && s->isn_zero) p.isn[0] = p.isn[1] = 0;
    for (int i = 0; i < 2 && !o->isn_given && s->isn[0]; i++)
        p.isn[i] = s->isn[i];
    p.configure = s->configure;
    return p;
}

static struct ladder *new_ladder(const struct demo_scene *s, const struct demo_opts *o)
{
    struct ladder_opts l;
    if (o->json) return NULL;
    ladder_opts_default(&l, stdout);
    l.width = demo_width();
    l.quiet = (s->show_options ? 0 : LADDER_NO_OPTIONS) | (s->show_others ? 0 : LADDER_NO_OTHERS) | LADDER_NO_DECISIONS;
    l.name[PAIR_CLIENT] = "client";
    l.name[PAIR_SERVER] = "server";
    return ladder_new(&l);
}

static int play(const struct demo_scene *s, struct demo_opts *o)
{
    struct pair p;
    struct pair_opts options = pair_options(s, o);
    struct demo_watch watch;
    if (pair_init(&p, &options)) return cli_say(CLI_FAILED, "the simulation does not start: %s", sim_failure(p.sim));
    struct ladder *l = new_ladder(s, o);
    if (!o->json) {
        demo_heading(s->name, s->title);
        demo_text(s->watch);
    }
    demo_watch_pair(&watch, &p, l);
    demo_capture_pair(&watch, o, false);
    if (s->prepare) s->prepare(&p);
    for (unsigned side = 0; side < 2 && o->loss_per_million; side++)
        impair_loss(pair_impair(&p, (enum pair_side)side), o->loss_per_million);
    s->play(&p, &watch);
    if (l) ladder_free(l);
    const char *failure = sim_failure(p.sim);
    int status = failure ? cli_say(CLI_FAILED, "scene %s: %s", s->name, failure) : CLI_DONE;
    pair_free(&p);
    return status;
}

int demo_act_a(struct demo_opts *o)
{
    if (!o->scene && !o->row && !o->json) {
        demo_heading("ACT A", "two hosts in memory, 10 ms apart");
        demo_text("Each arrow is a segment, with both sides' states after it, and with the time when it left: in seconds, by a clock that jumps to "
                  "whatever happens next. On an arrow: seq, the number of its first byte; ack, the next byte awaited; len, its bytes of text; win, "
                  "how many more its sender is ready to take. A cross: lost on the way. Dots at an arrow's end: something else happens before it "
                  "arrives; at its start: it left earlier. A line that is no arrow, with a point: one side alone.");
    }
    unsigned table = 0;
    for (const struct demo_scene *s = NULL; (s = next_scene(s, &table)) != NULL;) {
        bool wanted = o->scene ? !strcmp(o->scene, s->name) : o->row ? demo_shows_row(s->rows, o->row) : !s->extra;
        int status = wanted ? play(s, o) : CLI_DONE;
        fflush(stdout);
        if (status) return status;
    }
    return CLI_DONE;
}
