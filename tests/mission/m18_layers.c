/* SPDX-License-Identifier: MIT
 *
 * m18_layers.c: mission M18: the layers are visible: which bytes each adds on the way of one message, and takes off again. What `parley demo --act b`
 * draws is held against the frames themselves.
 */
#include "mission/mission.h"
#include "view/decode.h"
#include "view/layers.h"

enum { TEXT = 77, ETHERNET = 14, TCP = 20 + 12 };     /* TCP with the timestamps option */

static void open_ethernet(struct pair *p, void **state)
{
    struct pair_opts o;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.hosts.link.ethernet = true;
    assert_int_equal(pair_init(p, &o), 0);
}

/* The first segment with text, after the connection was used by programs that know nothing of all this. */
static const struct pair_segment *message(struct pair *p)
{
    assert_int_equal(pair_listen(p, 80, plan_sink(5)), 0);
    assert_non_null(pair_connect(p, 80, plan_source(TEXT, 5)));
    RUN(p);
    assert_true(pair_received(pair_conn(p, PAIR_SERVER, 0), TEXT));
    for (size_t i = 0; i < p->segments; i++)
        if (p->segment[i].len) return &p->segment[i];
    fail();
    return NULL;
}

static void each_layer_adds_its_header_in_front_and_leaves_the_rest_alone(void **state)
{
    struct pair p;
    struct view_frame v;
    open_ethernet(&p, state);
    const struct pair_segment *s = message(&p);
    size_t ip = SIX(state) ? 40 : 20;
    assert_int_equal(s->frame_bytes, ETHERNET + ip + TCP + TEXT);
    view_decode(&v, s->frame, s->frame_bytes, true);
    static const enum view_layer four[] = {VIEW_ETHERNET, VIEW_IP4, VIEW_TCP, VIEW_PAYLOAD}, six[] = {VIEW_ETHERNET, VIEW_IP6, VIEW_TCP, VIEW_PAYLOAD};
    const size_t length[] = {ETHERNET, ip, TCP, TEXT};
    size_t at = 0;
    assert_int_equal(v.parts, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(v.part[i].layer, SIX(state) ? six[i] : four[i]);
        assert_int_equal(v.part[i].at, at);
        assert_int_equal(v.part[i].len, length[i]);
        at += length[i];
    }
    for (size_t i = 0; i < TEXT; i++)
        assert_int_equal(s->frame[at - TEXT + i], pattern_byte(5, i));
    pair_free(&p);
}

/* Every byte of the frame is printed once, in its place. */
static void the_picture_shows_every_byte_under_its_layer(void **state)
{
    struct pair p;
    char *text = NULL, hex[8];
    size_t size, shown = 0;
    open_ethernet(&p, state);
    const struct pair_segment *s = message(&p);
    FILE *out = open_memstream(&text, &size);
    struct layers_opts o;
    layers_opts_default(&o, out);
    o.ethernet = true;
    layers_print(&o, s->frame, s->frame_bytes);
    fclose(out);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned at;
        int used;
        if (sscanf(line, "  %4x%n", &at, &used) != 1 || used != 6 || strncmp(line + 6, "  ", 2)) continue;
        assert_int_equal(at, shown);
        for (const char *c = line + 8; shown < s->frame_bytes && sscanf(c, "%2[0-9a-f]", hex) == 1 && strlen(hex) == 2; c += 3) {
            assert_int_equal(strtoul(hex, NULL, 16), s->frame[shown]);
            shown++;
            if (c[2] != ' ' || c[3] == ' ') break;
        }
    }
    assert_int_equal(shown, s->frame_bytes);
    free(text);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(each_layer_adds_its_header_in_front_and_leaves_the_rest_alone),
        BOTH(the_picture_shows_every_byte_under_its_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
