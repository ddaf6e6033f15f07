/* SPDX-License-Identifier: MIT
 *
 * parse.c: a script's settings, and its events: time, then a packet, a call, a shell line or a piece of code.
 */
#include "drill/parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_DEEP = 32 };                /* values inside values: nobody means more */

/* "+.1", "1.5", "*", "+0~+.2" */
static struct drill_time read_time(struct scan *s)
{
    struct drill_time t = {.base = DRILL_AT};
    if (scan_takes(s, "*")) {
        t.base = DRILL_ANY;
        return t;
    }
    if (scan_takes(s, "+"))
        t.base = DRILL_AFTER;
    if (!scan_seconds(s, &t.us)) {
        scan_fail(s, "a time expected: seconds since the start (1.5), since the event before (+.1), or * for any");
        return t;
    }
    if (scan_takes(s, "~")) {
        (void)scan_takes(s, "+");         /* what the range begins with says what both count from */
        t.range = true;
        if (!scan_seconds(s, &t.until_us))
            scan_fail(s, "the end of the range expected: seconds");
        if (t.until_us < t.us)
            scan_fail(s, "this range of times ends before it begins");
    }
    return t;
}

/* ------------------------------------------------------------------ values ------------------------------------------------------------------ */

static struct drill_value *read_value(struct scan *s, int deep);

static struct drill_value *value_of(struct scan *s, enum drill_value_kind kind)
{
    struct drill_value *v = scan_keep(s, sizeof *v);
    v->kind = kind;
    return v;
}

/* What stands between brackets, with commas; the opening one is taken. */
static struct drill_value *read_values(struct scan *s, const char *close, int deep)
{
    struct drill_value *first = NULL, **last = &first;
    if (scan_takes(s, close))
        return NULL;
    do {
        *last = read_value(s, deep);
        if (s->failed)
            return NULL;
        last = &(*last)->next;
    } while (scan_takes(s, ","));
    scan_wants(s, close);
    return first;
}

static int escaped(struct scan *s)
{
    char c = *s->at++;
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '0':
        return 0;
    case 'x': {
        int v = 0;
        for (int i = 0; i < 2 && s->at < s->end && isxdigit((unsigned char)*s->at); i++, s->at++)
            v = v * 16 + (isdigit((unsigned char)*s->at) ? *s->at - '0' : tolower((unsigned char)*s->at) - 'a' + 10);
        return v;
    }
    default:
        return (unsigned char)c;
    }
}

static struct drill_value *read_string(struct scan *s)
{
    struct drill_value *v = value_of(s, VALUE_STRING);
    const char *end = s->at;
    while (end < s->end && *end != '"' && *end != '\n')
        end += *end == '\\' && end + 1 < s->end ? 2 : 1;
    if (end >= s->end || *end != '"') {
        scan_fail(s, "this string has no end: \" is missing");
        return v;
    }
    char *to = scan_keep(s, (size_t)(end - s->at) + 1);
    v->text = to;
    while (s->at < end)
        to[v->bytes++] = (char)(*s->at == '\\' ? (s->at++, escaped(s)) : *s->at++);
    s->at = end + 1;
    return v;
}

/* One field of a struct: "name = value", "name(...) = value", or a value without a name as in an iovec. */
static struct drill_value *read_field(struct scan *s, int deep)
{
    const char *from = s->at;
    int line = s->line;
    const char *name = scan_word(s);
    if (name && scan_takes(s, "("))       /* the length of what follows: told by what follows */
        (void)read_values(s, ")", deep);
    if (name && !s->failed && scan_takes(s, "=")) {
        struct drill_value *v = read_value(s, deep);
        if (v)
            v->name = name;
        return v;
    }
    if (!s->failed)
        s->at = from, s->line = line;
    return read_value(s, deep);
}

static struct drill_value *read_struct(struct scan *s, int deep)
{
    struct drill_value *v = value_of(s, VALUE_STRUCT), **last = &v->first;
    if (scan_takes(s, "}"))
        return v;
    do {
        *last = read_field(s, deep);
        if (s->failed)
            return v;
        last = &(*last)->next;
    } while (scan_takes(s, ","));
    scan_wants(s, "}");
    return v;
}

static struct drill_value *read_one(struct scan *s, int deep)
{
    struct drill_value *v;
    int64_t number;
    const char *word;
    if (scan_takes(s, "..."))
        return value_of(s, VALUE_ANY);
    if (scan_takes(s, "[")) {
        v = value_of(s, VALUE_LIST);
        v->first = read_values(s, "]", deep);
        return v;
    }
    if (scan_takes(s, "{"))
        return read_struct(s, deep);
    if (scan_takes(s, "\""))
        return read_string(s);
    if (scan_number(s, &number)) {
        v = value_of(s, VALUE_NUMBER);
        v->number = number;
        return v;
    }
    if ((word = scan_word(s)) != NULL) {
        bool call = scan_takes(s, "(");
        v = value_of(s, call ? VALUE_CALL : VALUE_WORD);
        v->text = word;
        v->first = call ? read_values(s, ")", deep) : NULL;
        return v;
    }
    scan_fail(s, "a value expected: a number, a name, \"text\", ..., [list] or {fields}");
    return NULL;
}

static struct drill_value *read_value(struct scan *s, int deep)
{
    if (deep >= VALUES_DEEP) {
        scan_fail(s, "brackets are nested more than %d deep here", VALUES_DEEP);
        return NULL;
    }
    struct drill_value *v = read_one(s, deep + 1);
    if (!v || !scan_sees(s, "|"))
        return v;
    struct drill_value *either = value_of(s, VALUE_OR), *last = v;
    either->first = v;
    while (!s->failed && scan_takes(s, "|")) {
        last->next = read_one(s, deep + 1);
        if (last->next)
            last = last->next;
    }
    return either;
}

/* ------------------------------------------------------------------ events ------------------------------------------------------------------ */

static struct drill_call *read_call(struct scan *s, const struct drill_time *began)
{
    struct drill_call *c = scan_keep(s, sizeof *c);
    if (scan_takes(s, "...")) {
        c->blocking = true;
        c->until = read_time(s);
        c->until.base = began->base;      /* "+0...0.2": both count from the same */
        if (!s->failed && (began->base == DRILL_ANY || c->until.us < began->us))
            scan_fail(s, "a blocking call ends after it began: +0...+.5");
    }
    c->name = scan_word(s);
    if (!c->name) {
        scan_fail(s, "after the time a packet (< or >), a call, `a shell line` or %%{ code }%% is expected");
        return c;
    }
    scan_wants(s, "(");
    if (!s->failed)
        c->args = read_values(s, ")", 0);
    scan_wants(s, "=");
    if (!s->failed)
        c->result = read_value(s, 0);
    if (c->result && c->result->kind == VALUE_ANY)
        c->result = NULL;
    if (!s->failed) {
        c->error = scan_word(s);
        if (scan_takes(s, "("))
            (void)scan_until(s, ")", "this remark");
    }
    return c;
}

static struct drill_event *read_event(struct scan *s)
{
    struct drill_event *e = scan_keep(s, sizeof *e);
    scan_blank(s);
    const char *from = s->at;
    e->line = s->line;
    e->time = read_time(s);
    char c = s->failed ? 0 : scan_peek(s);
    if (c == '<' || c == '>') {
        e->kind = EVENT_PACKET;
        e->packet = parse_packet(s);
    } else if (scan_takes(s, "`")) {
        e->kind = EVENT_SHELL;
        e->text = scan_until(s, "`", "this shell line");
    } else if (scan_takes(s, "%{")) {
        e->kind = EVENT_CODE;
        e->text = scan_until(s, "}%", "this code");
    } else if (!s->failed) {
        e->kind = EVENT_CALL;
        e->call = read_call(s, &e->time);
    }
    scan_blank(s);
    e->last_line = s->last_line;
    e->source = s->failed ? "" : scan_keep_text(s, from, (size_t)(s->last - from));
    return e;
}

/* "--name=value" up to the end of the word */
static struct drill_setting *read_setting(struct scan *s)
{
    struct drill_setting *o = scan_keep(s, sizeof *o);
    o->line = s->line;
    const char *from = s->at;
    while (s->at < s->end && !isspace((unsigned char)*s->at) && *s->at != '=')
        s->at++;
    o->name = scan_keep_text(s, from, (size_t)(s->at - from));
    o->value = "";
    if (s->at < s->end && *s->at == '=') {
        from = ++s->at;
        while (s->at < s->end && !isspace((unsigned char)*s->at))
            s->at++;
        o->value = scan_keep_text(s, from, (size_t)(s->at - from));
    }
    if (!*o->name)
        scan_fail(s, "a setting's name is missing: --name=value");
    return o;
}

static void read_script(struct scan *s, struct drill_script *script)
{
    struct drill_setting **setting = &script->settings;
    struct drill_event **event = &script->events;
    while (!s->failed && scan_takes(s, "--")) {
        *setting = read_setting(s);
        setting = &(*setting)->next;
    }
    /* before the first time a shell line may stand on its own: it happens at 0 */
    while (!s->failed && !scan_done(s)) {
        if (scan_sees(s, "`")) {
            struct drill_event *e = scan_keep(s, sizeof *e);
            e->line = s->line;
            e->kind = EVENT_SHELL;
            e->time = (struct drill_time){.base = DRILL_AFTER};
            (void)scan_takes(s, "`");
            e->text = scan_until(s, "`", "this shell line");
            e->last_line = s->line;
            e->source = e->text;
            *event = e;
        } else {
            *event = read_event(s);
        }
        event = &(*event)->next;
    }
}

struct drill_script *drill_parse(const char *name, const char *text, size_t bytes, char *error, size_t error_size)
{
    struct drill_script *script = calloc(1, sizeof *script);
    if (!script)
        return NULL;
    struct scan s = {.name = name, .line = 1, .error = error, .error_size = error_size, .memory = &script->memory};
    s.at = scan_keep_text(&s, text, bytes);              /* ends with a zero: what is printed of it ends there */
    s.end = s.at + bytes;
    s.name = script->name = scan_keep_text(&s, name, strlen(name));
    if (memchr(text, 0, bytes))
        scan_fail(&s, "this is no text: it has a zero byte in it");
    if (!s.failed)
        read_script(&s, script);
    if (!s.failed && !script->events)
        scan_fail(&s, "there is no event in this script");
    if (s.failed) {
        drill_free(script);
        return NULL;
    }
    return script;
}

void drill_free(struct drill_script *script)
{
    if (!script)
        return;
    for (void **block = script->memory, **next; block; block = next) {
        next = *block;
        free(block);
    }
    free(script);
}
