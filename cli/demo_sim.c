/* SPDX-License-Identifier: MIT
 *
 * demo_sim.c: act a: plays the scenes of demo_scenes.c on two hosts in memory, and draws them.
 */
#include "cli/cli.h"
#include "cli/demo.h"
#include <stdio.h>
#include <string.h>

bool demo_scene_exists(const char *name)
{
    for (const struct demo_scene *s = demo_scenes; s->name; s++)
        if (!strcmp(s->name, name)) return true;
    return false;
}

void demo_list_scenes(void)
{
    for (const struct demo_scene *s = demo_scenes; s->name; s++)
        printf("  %-20s %s%s\n", s->name, s->title, s->extra ? " (only when asked for)" : "");
}

static struct pair_opts pair_options(const struct demo_opts *o)
{
    struct pair_opts p;
    pair_opts_default(&p);
    p.seed = o->seed;
    p.v6 = o->v6;
    memcpy(p.isn, o->isn, sizeof p.isn);
    return p;
}

static struct ladder *new_ladder(const struct demo_opts *o)
{
    struct ladder_opts l;
    if (o->json) return NULL;
    ladder_opts_default(&l, stdout);
    l.width = demo_width();
    l.quiet = LADDER_NO_OPTIONS | LADDER_NO_OTHERS | LADDER_NO_DECISIONS;
    l.name[PAIR_CLIENT] = "client";
    l.name[PAIR_SERVER] = "server";
    return ladder_new(&l);
}

static int play(const struct demo_scene *s, const struct demo_opts *o)
{
    struct pair p;
    struct pair_opts options = pair_options(o);
    struct demo_watch watch;
    if (pair_init(&p, &options)) return cli_say(CLI_FAILED, "the simulation does not start: %s", sim_failure(p.sim));
    struct ladder *l = new_ladder(o);
    if (!o->json) {
        demo_heading(s->name, s->title);
        demo_text(s->watch);
    }
    demo_watch_pair(&watch, &p, l);
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

int demo_act_a(const struct demo_opts *o)
{
    if (!o->scene && !o->json) {
        demo_heading("ACT A", "two hosts in memory, 10 ms apart");
        demo_text("Each arrow is a segment, with both sides' states after it, and with the time when it left: in seconds, by a clock that jumps to "
                  "whatever happens next. On an arrow: seq, the number of its first byte; ack, the next byte awaited; len, its bytes of text; win, "
                  "how many more its sender is ready to take. A cross: lost on the way. Dots at an arrow's end: something else happens before it "
                  "arrives; at its start: it left earlier. A line that is no arrow, with a point: one side alone.");
    }
    for (const struct demo_scene *s = demo_scenes; s->name; s++) {
        bool wanted = o->scene ? !strcmp(o->scene, s->name) : !s->extra;
        int status = wanted ? play(s, o) : CLI_DONE;
        fflush(stdout);
        if (status) return status;
    }
    return CLI_DONE;
}
