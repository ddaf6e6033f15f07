/* SPDX-License-Identifier: MIT */
#include "script/scripts.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "drill/run.h"

#define SCRIPTS "tests/script"            /* tests run at the top of the checkout */
#define TOUR "docs/scripts.md"            /* its first block of code is a script, and must be true */

struct one {
    char path[300];
    bool ipv6;
    const char *plug;
};

struct list {
    struct CMUnitTest *cases;
    size_t n, room;
    const char *plug;
};

static struct drill_script *load(const char *path, char *error, size_t size)
{
    FILE *f = fopen(path, "r");
    static char text[1 << 20];
    if (!f) {
        snprintf(error, size, "%s: cannot be read", path);
        return NULL;
    }
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    if (strcmp(path, TOUR) != 0)
        return drill_parse(path, text, n, error, size);
    char *from = strstr(text, "```\n"), *to = from ? strstr(from + 4, "```\n") : NULL;
    if (!to) {
        snprintf(error, size, "%s: it has no block of code", path);
        return NULL;
    }
    return drill_parse(path, from + 4, (size_t)(to - from - 4), error, size);
}

/* "0.100000 > S 0:0(0) ..." line by line: the same packets, each at the same time but for the tolerance. A call takes a microsecond of the plug's time: a round trip
 * measures some more than here, and each back-off doubles the difference; a ten-thousandth of the time covers it. */
static void same_times(const char *here, const char *there)
{
    enum { TOLERANCE_US = 4000 };
    const char *a = here, *b = there;
    while (*a && *b) {
        size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n"), ta = strcspn(a, " "), tb = strcspn(b, " ");
        double at = strtod(a, NULL), bt = strtod(b, NULL), off = at < bt ? bt - at : at - bt;
        if (na - ta != nb - tb || memcmp(a + ta, b + tb, na - ta) != 0 || off * 1e6 > TOLERANCE_US + at * 100)
            fail_msg("sent here:  %.*s\nby the plug: %.*s", (int)na, a, (int)nb, b);
        a += na + (a[na] != 0);
        b += nb + (b[nb] != 0);
    }
    if (*a || *b)
        fail_msg("sent %s only: %s", *a ? "here" : "by the plug", *a ? a : b);
}

/* A script that passes on the plug sends the same in this process. */
static void compare(const struct drill_script *s, const struct drill_options *plug, const char *there)
{
    char *here = NULL, *text = NULL;
    size_t n, m;
    struct drill_options o = *plug;
    FILE *failure = open_memstream(&text, &m);
    o.plug = NULL;
    o.times = open_memstream(&here, &n);
    bool good = drill_run(s, &o, failure);
    fclose(failure);
    fclose(o.times);
    if (!good)
        fail_msg("%s", text);
    same_times(here, there);
    free(here);
    free(text);
}

static void run_one(void **state)
{
    const struct one *o = *state;
    char error[700], *text = NULL, *times = NULL;
    size_t bytes, times_bytes;
    struct drill_script *s = load(o->path, error, sizeof error);
    if (!s)
        fail_msg("%s", error);
    FILE *failure = open_memstream(&text, &bytes);
    struct drill_options options = {.ipv6 = o->ipv6, .strict = !o->plug, .story = true, .plug = o->plug, .times = o->plug ? open_memstream(&times, &times_bytes) : NULL};
    bool good = drill_run(s, &options, failure);
    fclose(failure);
    if (options.times)
        fclose(options.times);
    if (!good)
        print_message("%s\n", text);
    else if (o->plug)
        compare(s, &options, times);
    drill_free(s);
    free(times);
    free(text);
    assert_true(good);
}

static void add(struct list *l, const char *path, const char *shown, bool ipv6, bool both)
{
    if (l->n == l->room)
        l->cases = realloc(l->cases, (l->room = l->room * 2 + 64) * sizeof *l->cases);
    struct one *o = calloc(1, sizeof *o);
    char *name = malloc(360);
    snprintf(o->path, sizeof o->path, "%s", path);
    snprintf(name, 360, "%s%s", shown, both ? ipv6 ? " over IPv6" : " over IPv4" : "");
    o->ipv6 = ipv6;
    o->plug = l->plug;
    l->cases[l->n++] = (struct CMUnitTest){.name = name, .test_func = run_one, .initial_state = o};
}

static bool has_version(const char *path)
{
    char error[700];
    bool has = false;
    struct drill_script *s = load(path, error, sizeof error);
    for (const struct drill_setting *o = s ? s->settings : NULL; o; o = o->next)
        has |= strcmp(o->name, "ip_version") == 0;
    drill_free(s);
    return has;
}

static void collect(struct list *l, const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[300];
        struct stat st;
        size_t len = strlen(names[i]->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            collect(l, path);
        } else if (len > 4 && strcmp(names[i]->d_name + len - 4, ".pkt") == 0) {
            bool both = !has_version(path);
            add(l, path, path + strlen(SCRIPTS) + 1, false, both);
            if (both)
                add(l, path, path + strlen(SCRIPTS) + 1, true, true);
        }
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

size_t scripts_cases(struct CMUnitTest **cases, const char *plug)
{
    struct list l = {.plug = plug};
    add(&l, TOUR, TOUR, false, false);
    collect(&l, SCRIPTS);
    *cases = l.cases;
    return l.n;
}
