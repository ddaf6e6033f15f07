/* SPDX-License-Identifier: MIT
 *
 * pair_expect.c: what was sent against what should have been, line by line. The language is described in pair.h.
 */
#include "sim/pair_private.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name; uint8_t bit; } flag_names[] = {
    {"SYN", PL_SYN}, {"FIN", PL_FIN}, {"RST", PL_RST}, {"PSH", PL_PSH}, {"URG", PL_URG}, {"ECE", PL_ECE}, {"CWR", PL_CWR}, {"ACK", PL_ACK},
};

/* ---------------------------------------- a segment as a line ---------------------------------------- */

static const char *state_name(uint8_t s)
{
    return s < PL_STATE_COUNT ? pl_state_name((enum pl_state)s) : "?";
}

static void segment_text(const struct pair_segment *s, char *buf, size_t size)
{
    char flags[40] = "";
    for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++)
        if (s->flags & flag_names[i].bit) {
            if (flags[0]) strcat(flags, ",");
            strcat(flags, flag_names[i].name);
        }
    int n =
        snprintf(buf, size, "%c> %-7s seq=%" PRIu32 " ack=%" PRIu32 " len=%" PRIu32 " win=%" PRIu32 " states=%s,%s", s->from ? 'S' : 'C',
                 flags[0] ? flags : "-", s->seq, s->ack, s->len, s->win, state_name(s->state[0]), state_name(s->state[1]));
    if (n < 0 || (size_t)n >= size) return;
    snprintf(buf + n, size - (size_t)n, " why=%s%s%s%s%s%s%s", s->why ? pl_reason_name((enum pl_reason)s->why) : "-",
        s->drop ? " drop=" : "", s->drop ? pl_drop_name((enum pl_drop)s->drop) : "",
        s->fate == PAIR_LOST ? " lost" : s->fate == PAIR_FLYING ? " flying" : "", s->copies ? " copied" : "",
        s->delayed ? " delayed" : "", s->injected ? " injected" : "");
}

char *pair_text(const struct pair *p)
{
    char *text = NULL, line[400];
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out) return NULL;
    for (size_t i = 0; i < p->segments; i++) {
        const struct pair_segment *s = &p->segment[i];
        segment_text(s, line, sizeof line);
        fprintf(out, "%" PRIu64 ".%06" PRIu64 " %s\n", s->sent / PL_S, s->sent % PL_S / 1000, line);
    }
    fclose(out);
    return text;
}

/* ---------------------------------------- a line against a segment ---------------------------------------- */

struct verdict {
    bool differs;
    char what[200];                       /* the words that differ, or what cannot be read */
};

static void differs(struct verdict *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void differs(struct verdict *v, const char *format, ...)
{
    size_t n = strlen(v->what);
    va_list args;
    v->differs = true;
    va_start(args, format);
    if (n && n + 2 < sizeof v->what) n += (size_t)snprintf(v->what + n, sizeof v->what - n, ", ");
    if (n < sizeof v->what) vsnprintf(v->what + n, sizeof v->what - n, format, args);
    va_end(args);
}

static void check_flags(struct verdict *v, const struct pair_segment *s, const char *word)
{
    uint8_t want = 0;
    if (!strcmp(word, "?")) return;
    for (const char *at = word; *at && strcmp(word, "-");) {
        size_t n = strcspn(at, ","), i = 0;
        while (i < 8 && (strlen(flag_names[i].name) != n || strncmp(flag_names[i].name, at, n)))
            i++;
        if (i == 8) {
            differs(v, "'%s' is not a list of flags", word);
            return;
        }
        want |= flag_names[i].bit;
        at += n + (at[n] == ',');
    }
    if (want != s->flags) differs(v, "flags");
}

static bool parse_time(const char *word, pl_time *t)
{
    char *unit;
    *t = strtoull(word, &unit, 10);
    if (unit == word) return false;
    pl_time one = !strcmp(unit, "ns") ? 1 : !strcmp(unit, "us") ? PL_US : !strcmp(unit, "ms") ? PL_MS : !strcmp(unit, "s") ? PL_S : 0;
    *t *= one;
    return one != 0;
}

static void check_number(struct verdict *v, const char *key, const char *value, uint32_t got)
{
    char *end;
    unsigned long long want = strtoull(value, &end, 10);
    if (*end || end == value) differs(v, "'%s=%s' is not a number", key, value);
    else if (want != got) differs(v, "%s is %" PRIu32, key, got);
}

static void check_value(struct verdict *v, const struct pair_segment *s, const char *key, const char *value)
{
    char states[60];
    pl_time t;
    if (!strcmp(key, "seq")) check_number(v, key, value, s->seq);
    else if (!strcmp(key, "ack")) check_number(v, key, value, s->ack);
    else if (!strcmp(key, "len")) check_number(v, key, value, s->len);
    else if (!strcmp(key, "win")) check_number(v, key, value, s->win);
    else if (!strcmp(key, "mss")) check_number(v, key, value, s->seg.mss);
    else if (!strcmp(key, "why")) {
        if (strcmp(value, s->why ? pl_reason_name((enum pl_reason)s->why) : "-"))
            differs(v, "why is %s", pl_reason_name((enum pl_reason)s->why));
    } else if (!strcmp(key, "drop")) {
        if (strcmp(value, pl_drop_name((enum pl_drop)s->drop))) differs(v, "drop is %s", pl_drop_name((enum pl_drop)s->drop));
    } else if (!strcmp(key, "states")) {
        snprintf(states, sizeof states, "%s,%s", state_name(s->state[0]), state_name(s->state[1]));
        if (strcmp(value, states)) differs(v, "states are %s", states);
    } else if (!strcmp(key, "at") || !strcmp(key, "arrives")) {
        pl_time got = key[1] == 't' ? s->sent : s->arrived;
        if (!parse_time(value, &t)) differs(v, "'%s=%s' is not a time", key, value);
        else if (t != got) differs(v, "%s is %" PRIu64 " ns", key, got);
    } else differs(v, "'%s' is not a word of this language", key);
}

static void check_word(struct verdict *v, const struct pair_segment *s, const char *word)
{
    if (!strcmp(word, "lost")) {
        if (s->fate != PAIR_LOST) differs(v, "not lost");
    } else if (!strcmp(word, "arrived")) {
        if (s->fate != PAIR_ARRIVED) differs(v, "not arrived");
    } else if (!strcmp(word, "flying")) {
        if (s->fate != PAIR_FLYING) differs(v, "not flying");
    } else if (!strcmp(word, "copied")) {
        if (!s->copies) differs(v, "not copied");
    } else if (!strcmp(word, "delayed")) {
        if (!s->delayed) differs(v, "not delayed");
    } else if (!strcmp(word, "corrupted")) {
        if (!s->corrupted) differs(v, "not corrupted");
    } else if (!strcmp(word, "injected")) {
        if (!s->injected) differs(v, "not injected");
    } else {
        differs(v, "'%s' is not a word of this language", word);
    }
}

static struct verdict compare(const struct pair_segment *s, const char *line)
{
    struct verdict v = {0};
    char copy[400], *save = NULL;
    snprintf(copy, sizeof copy, "%s", line);
    char *word = strtok_r(copy, " \t", &save);
    if (!word || (strcmp(word, "C>") && strcmp(word, "S>"))) {
        differs(&v, "the line does not begin with C> or S>");
        return v;
    }
    if ((word[0] == 'S') != (s->from == PAIR_SERVER)) differs(&v, "sender");
    word = strtok_r(NULL, " \t", &save);
    check_flags(&v, s, word ? word : "(nothing)");
    while (word && (word = strtok_r(NULL, " \t", &save))) {
        char *value = strchr(word, '=');
        if (value) *value++ = 0;
        if (value) check_value(&v, s, word, value);
        else check_word(&v, s, word);
    }
    return v;
}

/* ---------------------------------------- all lines against all segments ---------------------------------------- */

struct script {
    char *text;
    char **line;
    size_t lines;
};

static struct script read_script(const char *text)
{
    struct script s = {.text = strdup(text), .line = calloc(strlen(text) + 1, sizeof(char *))};
    if (!s.text || !s.line) abort();
    for (char *at = s.text; *at;) {
        size_t n = strcspn(at, "\n");
        bool last = !at[n];
        at[n] = 0;
        char *start = at + strspn(at, " \t");
        for (size_t e = strlen(start); e && (start[e - 1] == ' ' || start[e - 1] == '\t'); e--)
            start[e - 1] = 0;
        if (*start && *start != '#') s.line[s.lines++] = start;
        if (last) break;
        at += n + 1;
    }
    return s;
}

/* Whether segments [i, end) fit lines [j, lines). `*` tries every length, so this branches only at stars. */
static bool fits(const struct pair *p, size_t i, const struct script *s, size_t j)
{
    for (; j < s->lines; i++, j++) {
        if (!strcmp(s->line[j], "*")) {
            for (size_t k = i; k <= p->segments; k++)
                if (fits(p, k, s, j + 1)) return true;
            return false;
        }
        if (i >= p->segments || compare(&p->segment[i], s->line[j]).differs) return false;
    }
    return i == p->segments;
}

/* How many lines from the front fit, taking each star as short as possible: for the picture of a failure. */
static void print_difference(const struct pair *p, const struct script *s)
{
    size_t i = p->expected, j = 0;
    char text[400];
    fprintf(stderr, "pair_expect: what was sent differs from what was expected (* marks a difference)\n");
    while (i < p->segments || j < s->lines) {
        const char *line = j < s->lines ? s->line[j] : NULL;
        bool star = line && !strcmp(line, "*");
        if (star && (i >= p->segments || (j + 1 < s->lines && !compare(&p->segment[i], s->line[j + 1]).differs))) {
            j++;
            continue;
        }
        if (i >= p->segments) {
            fprintf(stderr, " * nothing sent\n       expected    %s\n", line);
            j++;
            continue;
        }
        const struct pair_segment *g = &p->segment[i++];
        segment_text(g, text, sizeof text);
        struct verdict v = line && !star ? compare(g, line) : (struct verdict){0};
        bool bad = v.differs || !line;
        fprintf(stderr, " %c %" PRIu64 ".%06" PRIu64 "  %s\n", bad ? '*' : ' ', g->sent / PL_S, g->sent % PL_S / 1000, text);
        if (!line) fprintf(stderr, "       nothing was expected here\n");
        else if (v.differs) fprintf(stderr, "       expected    %s   (%s)\n", line, v.what);
        if (!star && line) j++;
    }
}

bool pair_expect(struct pair *p, const char *lines)
{
    struct script s = read_script(lines);
    bool ok = fits(p, p->expected, &s, 0);
    if (!ok) print_difference(p, &s);
    if (!ok && sim_failure(p->sim)) fprintf(stderr, "the simulation failed: %s\n", sim_failure(p->sim));
    p->expected = p->segments;
    free(s.line);
    free(s.text);
    return ok;
}
