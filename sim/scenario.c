/* SPDX-License-Identifier: MIT
 *
 * scenario.c: lines into words, words to their statement; what only the whole can be asked. See scenario.h.
 */
#include "sim/scenario_private.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool reader_fail(struct reader *r, const char *format, ...)
{
    size_t n = 0;
    if (r->line) n = (size_t)snprintf(r->error, r->size, "line %u: ", r->line);
    va_list args;
    va_start(args, format);
    vsnprintf(r->error + n, r->size - n, format, args);
    va_end(args);
    /* What the file holds is quoted, perhaps to a terminal. */
    for (char *c = r->error; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    return false;
}

bool reader_settings(struct reader *r, unsigned first, const struct setting *table, size_t n, void *to, uint32_t *set)
{
    uint32_t seen = 0;
    char why[300];
    for (unsigned i = first; i < r->words; i++) {
        unsigned which = 0;
        if (!setting_read(table, n, r->word[i], to, &which, why, sizeof why)) return reader_fail(r, "%s", why);
        if (seen >> which & 1) return reader_fail(r, "%s is said twice", table[which].name);
        seen |= 1u << which;
    }
    if (set) *set = seen;
    return true;
}

bool reader_node(struct reader *r, const char *name, unsigned *node)
{
    for (unsigned i = 0; i < r->s->nodes; i++)
        if (!strcmp(r->s->node[i].name, name)) {
            *node = i;
            return true;
        }
    return reader_fail(r, "no host or router \"%s\" was named above", name);
}

bool reader_way(struct reader *r, const char *text, unsigned *link, unsigned *ways)
{
    char left[64];
    size_t n = strcspn(text, "<>");
    const char *right = text + n;
    bool both = !strncmp(right, "<>", 2);
    unsigned from, to;
    if (*right == '\0' || (*right == '<' && !both) || n >= sizeof left) return reader_fail(r, "\"%s\" is no way: a>b is one, a<>b are both", text);
    memcpy(left, text, n);
    left[n] = '\0';
    if (!reader_node(r, left, &from) || !reader_node(r, right + 1 + both, &to)) return false;
    for (unsigned i = 0; i < r->s->links; i++)
        for (unsigned side = 0; side < 2; side++)
            if (r->s->link[i].node[side] == from && r->s->link[i].node[!side] == to) {
                *link = i;
                *ways = both ? 3 : 1u << side;
                return true;
            }
    return reader_fail(r, "no link between %s and %s was named above", left, right + 1 + both);
}

static bool statement_seed(struct reader *r)
{
    static const char digits[] = "0123456789";
    size_t n = strlen(r->word[1]);
    if (strspn(r->word[1], digits) != n || n > 19) return reader_fail(r, "seed %s: expected a whole number of up to 19 digits", r->word[1]);
    r->s->seed = strtoull(r->word[1], NULL, 10);
    return true;
}

static bool read_time(struct reader *r, const char *verb, pl_time *to)
{
    if (setting_value(SETTING_TIME, r->word[1], to) && *to <= 1000 * 3600 * PL_S) return true;
    return reader_fail(r, "%s %s: expected a time such as 20ms or 1.5s, at most 1000h", verb, r->word[1]);
}

static bool statement_time(struct reader *r)
{
    if (!read_time(r, "time", &r->s->time)) return false;
    return r->s->time > 0 || reader_fail(r, "time %s: a run lasts longer than that", r->word[1]);
}

static bool statement_warmup(struct reader *r)
{
    return read_time(r, "warmup", &r->s->warmup);
}

static const struct {
    const char *verb, *form;
    unsigned words_min, words_max;
    bool (*statement)(struct reader *);
} verbs[] = {
    {"seed", "seed NUMBER", 2, 2, statement_seed},
    {"time", "time T", 2, 2, statement_time},
    {"warmup", "warmup T", 2, 2, statement_warmup},
    {"host", "host NAME [setting=value ...]", 2, SCENARIO_WORDS_MAX, statement_host},
    {"router", "router NAME", 2, 2, statement_router},
    {"link", "link A B [setting=value ...]", 3, SCENARIO_WORDS_MAX, statement_link},
    {"way", "way A>B setting=value ...", 3, SCENARIO_WORDS_MAX, statement_way},
    {"impair", "impair A>B KIND [setting=value ...], or A<>B for both ways", 3, SCENARIO_WORDS_MAX, statement_impair},
    {"flow", "flow A B KIND [setting=value ...]", 4, SCENARIO_WORDS_MAX, statement_flow},
    {"at", "at T A>B setting=value ..., or down, or up", 4, SCENARIO_WORDS_MAX, statement_at},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static bool read_line(struct reader *r, char *line)
{
    char *rest = NULL;
    line[strcspn(line, "#")] = '\0';
    r->words = 0;
    for (char *w = strtok_r(line, " \t\r", &rest); w; w = strtok_r(NULL, " \t\r", &rest)) {
        if (r->words == SCENARIO_WORDS_MAX) return reader_fail(r, "more than %d words", SCENARIO_WORDS_MAX);
        r->word[r->words++] = w;
    }
    if (!r->words) return true;
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].verb, r->word[0])) continue;
        if (r->words < verbs[i].words_min || r->words > verbs[i].words_max) return reader_fail(r, "the form is: %s", verbs[i].form);
        return verbs[i].statement(r);
    }
    char known[200] = "";
    for (size_t i = 0; i < VERBS; i++)
        strcat(strcat(known, " "), verbs[i].verb);
    return reader_fail(r, "there is no \"%s\"; a line begins with one of%s", r->word[0], known);
}

/* RFC 8200 5: a host has IPv6 on links that carry 1280 bytes. */
static bool carries_v6(struct reader *r, const struct scenario_flow *f)
{
    const struct scenario *s = r->s;
    for (unsigned i = 0; f->plan.v6 && i < s->links; i++)
        for (unsigned side = 0; side < 2; side++)
            if ((s->link[i].node[side] == f->node[0] || s->link[i].node[side] == f->node[1]) && s->link[i].params[side].mtu < 1280)
                return reader_fail(r, "IPv6 needs an MTU of 1280; that of %s has %u", s->node[s->link[i].node[side]].name, (unsigned)s->link[i].params[side].mtu);
    return true;
}

static bool whole(struct reader *r)
{
    struct scenario *s = r->s;
    r->line = 0;
    if (!s->time) return reader_fail(r, "it does not say how long it runs: time 30s");
    if (s->warmup >= s->time) return reader_fail(r, "the warmup lasts as long as the run, or longer");
    if (!s->flows) return reader_fail(r, "nothing happens in it: flow A B bulk");
    for (unsigned i = 0; i < s->flows; i++) {
        r->line = s->flow[i].line;
        if (scenario_first_link(s, s->flow[i].node[0], s->flow[i].node[1]) < 0)
            return reader_fail(r, "no links lead from %s to %s", s->node[s->flow[i].node[0]].name, s->node[s->flow[i].node[1]].name);
        if (!carries_v6(r, &s->flow[i])) return false;
    }
    return true;
}

struct scenario *scenario_read(const char *text, size_t bytes, char *error, size_t size)
{
    struct scenario *s = calloc(1, sizeof *s);
    char *copy = malloc(bytes + 1);
    struct reader r = {.s = s, .error = error, .size = size};
    bool good = s && copy;
    if (!good) reader_fail(&r, "out of memory");
    else if (memchr(text, 0, bytes)) good = reader_fail(&r, "it holds a byte 0: this is no text");
    if (good) {
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
        s->seed = 1;
    }
    for (char *line = copy, *next; good && line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        r.line++;
        good = read_line(&r, line);
    }
    if (good) good = whole(&r);
    free(copy);
    if (good) return s;
    scenario_free(s);
    return NULL;
}

void scenario_free(struct scenario *s)
{
    free(s);
}

int scenario_first_link(const struct scenario *s, unsigned from, unsigned to)
{
    /* Breadth first, backwards from the end, so that the step before `from` is the answer. Hosts do not pass on. */
    unsigned queue[SIM_NODES_MAX], first = 0, n = 0;
    bool seen[SIM_NODES_MAX] = {false};
    queue[n++] = to;
    seen[to] = true;
    while (first < n) {
        unsigned at = queue[first++];
        if (at != to && !s->node[at].router) continue;
        for (unsigned i = 0; i < s->links; i++)
            for (unsigned side = 0; side < 2; side++) {
                unsigned other = s->link[i].node[!side];
                if (s->link[i].node[side] != at || seen[other]) continue;
                if (other == from) return (int)i;
                seen[other] = true;
                queue[n++] = other;
            }
    }
    return -1;
}
