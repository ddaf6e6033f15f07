/* SPDX-License-Identifier: MIT */
#include "segment/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <parley/parley.h>

static const char path[] = "tests/segment/table.txt";
static struct table t;
static unsigned line_number;

enum { STATE, KIND, STAMP, SPACES };

static void bad(const char *what, const char *word)
{
    fprintf(stderr, "%s:%u: %s '%s'\n", path, line_number, what, word);
    exit(1);
}

/* ------------------------------------------------------------ words ------------------------------------------------------------ */

static char *trimmed(char *s)
{
    while (*s == ' ')
        s++;
    for (size_t n = strlen(s); n && s[n - 1] == ' ';)
        s[--n] = '\0';
    return s;
}

/* Cuts at the first `c`: what is before it; *rest is what follows, NULL: nothing. */
static char *cut(char **rest, char c)
{
    char *s = *rest, *at = strchr(s, c);
    *rest = at ? at + 1 : NULL;
    if (at)
        *at = '\0';
    return trimmed(s);
}

static unsigned fields(char *line, char *out[], unsigned max)
{
    unsigned n = 0;
    for (char *rest = line; rest; n++) {
        if (n == max)
            bad("too many fields in", line);
        out[n] = cut(&rest, '|');
    }
    return n;
}

static unsigned count_of(unsigned what) { return what == STATE ? t.nstates : what == KIND ? t.nkinds : t.nstamps; }
static const char *name_of(unsigned what, unsigned n) { return what == STATE ? t.states[n] : what == KIND ? t.kinds[n].name : t.stamps[n]; }

static bool named(const char *word, unsigned what, struct table_set *set)
{
    *set = (struct table_set){{0, 0}};
    for (unsigned n = 0; n < count_of(what); n++)
        if (strcmp(word, "*") == 0 || strcmp(name_of(what, n), word) == 0)
            set->bits[n / 64] |= (uint64_t)1 << n % 64;
    for (unsigned n = 0; n < t.ngroups; n++)
        if (t.groups[n].what == what && strcmp(t.groups[n].name, word) == 0)
            *set = t.groups[n].set;
    return set->bits[0] || set->bits[1];
}

static struct table_set set_of(const char *words, unsigned what)
{
    struct table_set all = {{0, 0}}, one;
    char text[600], *save = NULL;
    snprintf(text, sizeof text, "%s", words);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        bool out = *w == '-';
        if (!named(w + out, what, &one))
            bad("unknown", w + out);
        for (unsigned i = 0; i < 2; i++)
            all.bits[i] = out ? all.bits[i] & ~one.bits[i] : all.bits[i] | one.bits[i];
    }
    return all;
}

static uint8_t flags_of(char *words)
{
    static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    uint8_t flags = 0;
    if (strcmp(words, "-") == 0)
        return 0;
    for (char *rest = words; rest;) {
        const char *w = cut(&rest, ',');
        unsigned n = 0;
        while (n < 8 && strcmp(names[n], w) != 0)
            n++;
        if (n == 8)
            bad("unknown flag", w);
        flags |= (uint8_t)(1u << n);
    }
    return flags;
}

/* ------------------------------------------------------------ lines ------------------------------------------------------------ */

static void read_kind(char *line)
{
    char *f[7];
    if (t.nkinds == TABLE_KINDS_MAX || fields(line, f, 7) != 7)
        bad("not 7 fields", line);
    t.kinds[t.nkinds++] = (struct table_kind){.name = f[0], .flags = flags_of(f[1]), .seq = f[2], .ack = f[3], .text = f[4], .up = (uint16_t)atoi(f[5])};
}

static void read_group(char *line)
{
    char *f[2], text[600], *save = NULL;
    struct table_set set;
    unsigned what = 0;
    if (t.ngroups == TABLE_GROUPS_MAX || fields(line, f, 2) != 2)
        bad("not 2 fields", line);
    snprintf(text, sizeof text, "%s", f[1]);
    const char *w = strtok_r(text, " ", &save);
    if (w && strcmp(w, "*") == 0)         /* of what all: the next word tells */
        w = strtok_r(NULL, " ", &save);
    for (what = 0; what < SPACES && w && !named(w + (*w == '-'), what, &set);)
        what++;
    if (!w || what == SPACES)
        bad("unknown", f[1]);
    t.groups[t.ngroups].name = f[0];
    t.groups[t.ngroups].what = what;
    t.groups[t.ngroups++].set = set_of(f[1], what);
}

static unsigned windows_of(const char *word)
{
    if (strcmp(word, "*") != 0 && strcmp(word, "open") != 0 && strcmp(word, "closed") != 0)
        bad("unknown window", word);
    return *word == '*' ? 3 : *word == 'o' ? 1 : 2;
}

static enum table_answer answer_of(const char *word)
{
    static const char *const names[] = {"-", "ACK", "delayed ACK", "ACK again", "challenge ACK", "SYN-ACK", "new SYN-ACK", "RST of ACK", "RST of SEQ",
                                        "RST of SND.NXT"};
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++)
        if (strcmp(names[n], word) == 0)
            return (enum table_answer)n;
    bad("unknown answer", word);
    return ANSWER_NOTHING;
}

static void read_told(struct table_row *r, char *words)
{
    static const char *const names[] = {"opened", "to accept", "end", "urgent", "acked", "closed", "reset", "refused", "held", "restart", "W bytes"};
    if (strcmp(words, "-") == 0)
        return;
    for (char *rest = words; rest;) {
        const char *w = cut(&rest, ',');
        char more[16];
        unsigned n = 0;
        while (n < sizeof names / sizeof names[0] && strcmp(names[n], w) != 0)
            n++;
        if (n < sizeof names / sizeof names[0])
            r->told |= 1u << n;
        else if (sscanf(w, "%u %15s", &n, more) == 2 && strcmp(more, "bytes") == 0)
            r->bytes = n;
        else if (sscanf(w, "%u %15s", &n, more) == 2 && strcmp(more, "kept") == 0)
            r->kept = n;
        else
            bad("unknown program", w);
    }
}

static uint16_t drop_of(const char *word)
{
    if (strcmp(word, "accepted") == 0)
        return PL_DROP_NONE;
    for (unsigned n = 1; n < PL_DROP_COUNT; n++)
        if (strcmp(pl_drop_name((enum pl_drop)n), word) == 0)
            return (uint16_t)n;
    bad("unknown drop", word);
    return 0;
}

static void read_row(char *line)
{
    char *f[9];
    struct table_row *r = &t.rows[t.nrows];
    if (t.nrows++ == TABLE_ROWS_MAX || fields(line, f, 9) != 9)
        bad("not 9 fields", line);
    *r = (struct table_row){.states = set_of(f[0], STATE), .kinds = set_of(f[1], KIND), .stamps = set_of(f[2], STAMP), .windows = windows_of(f[3]),
                            .answer = answer_of(f[4]), .next = f[5], .drop = drop_of(f[7]), .rule = f[8], .line = line_number};
    read_told(r, f[6]);
}

static void read_absent(char *line)
{
    char *f[3];
    if (t.nabsent == TABLE_ROWS_MAX || fields(line, f, 3) != 3)
        bad("not 3 fields", line);
    t.absent[t.nabsent++] = (struct table_row){.states = set_of(f[0], STATE), .windows = windows_of(f[1])};
}

static void read_line(char *line)
{
    if (*line == '|') {
        read_row(line + 1);
        return;
    }
    char *rest = line, *first = cut(&rest, ' ');
    if (*first == '\0' || *first == '#' || strcmp(first, "step") == 0 || strcmp(first, "deviation") == 0)
        return;
    else if (!rest)
        bad("unknown", first);
    else if (strcmp(first, "state") == 0 && t.nstates < TABLE_STATES_MAX)
        t.states[t.nstates++] = cut(&rest, '|');
    else if (strcmp(first, "timestamps") == 0 && t.nstamps < STAMPS)
        t.stamps[t.nstamps++] = cut(&rest, '|');
    else if (strcmp(first, "kind") == 0)
        read_kind(rest);
    else if (strcmp(first, "group") == 0)
        read_group(rest);
    else if (strcmp(first, "absent") == 0)
        read_absent(rest);
    else
        bad("unknown", first);
}

const struct table *table_read(void)
{
    static char text[1 << 18];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (n == 0 || n == sizeof text - 1) {
        fprintf(stderr, "%s: cannot be read; this program runs in the project's top folder\n", path);
        exit(1);
    }
    fclose(file);
    for (char *rest = text; rest;) {
        char *line = rest, *end = strchr(line, '\n');
        rest = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        line_number++;
        read_line(line);
    }
    return &t;
}

static bool has(const struct table_set *s, unsigned n) { return s->bits[n / 64] >> n % 64 & 1; }

unsigned table_rows(unsigned state, unsigned kind, unsigned stamps, bool closed, const struct table_row **first)
{
    unsigned found = 0;
    for (unsigned n = t.nrows; n-- > 0;) {
        const struct table_row *r = &t.rows[n];
        if (has(&r->states, state) && has(&r->kinds, kind) && has(&r->stamps, stamps) && (r->windows & (closed ? 2 : 1))) {
            found++;
            *first = r;
        }
    }
    return found;
}

unsigned table_absent(unsigned state, bool closed)
{
    unsigned found = 0;
    for (unsigned n = 0; n < t.nabsent; n++)
        found += has(&t.absent[n].states, state) && (t.absent[n].windows & (closed ? 2 : 1));
    return found;
}
