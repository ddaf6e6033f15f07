/* SPDX-License-Identifier: MIT */
#include "drill/code.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP = 64 };

struct code {
    const char *script, *p;
    int line, deep, open;                 /* open: brackets around here, in which lines do not end */
    bool failed;
    drill_lookup *lookup;
    drill_say *say;
    void *user;
    char *error;
    size_t error_size;
};

static double fail(struct code *c, const char *what, ...) __attribute__((format(printf, 2, 3)));
static double fail(struct code *c, const char *what, ...)
{
    if (c->failed)
        return 0;
    c->failed = true;
    int n = snprintf(c->error, c->error_size, "%s:%d: ", c->script, c->line);
    va_list args;
    va_start(args, what);
    if (n >= 0 && (size_t)n < c->error_size)
        vsnprintf(c->error + n, c->error_size - (size_t)n, what, args);
    va_end(args);
    return 0;
}

static void blank(struct code *c)
{
    for (;; c->p++) {
        if (*c->p == '#')
            while (c->p[1] && c->p[1] != '\n')
                c->p++;
        else if (*c->p == '\\' && c->p[1] == '\n')
            c->p++, c->line++;
        else if (*c->p == '\n' && c->open)
            c->line++;
        else if (*c->p == '\n' || !isspace((unsigned char)*c->p))
            return;
    }
}

static bool in_word(char ch) { return isalnum((unsigned char)ch) || ch == '_'; }

static bool takes(struct code *c, const char *what)
{
    size_t n = strlen(what);
    blank(c);
    if (strncmp(c->p, what, n) != 0 || (in_word(what[n - 1]) && in_word(c->p[n])))
        return false;
    c->p += n;
    return true;
}

/* An operator that is not the beginning of a longer one. */
static bool takes_but(struct code *c, const char *what, const char *longer)
{
    size_t n = strlen(what);
    blank(c);
    return strncmp(c->p, what, n) == 0 && (c->p[n] == 0 || !strchr(longer, c->p[n])) && takes(c, what);
}

static void wants(struct code *c, const char *what)
{
    if (!takes(c, what))
        fail(c, "\"%s\" expected before \"%.*s\"", what, (int)strcspn(c->p, "\n"), c->p);
}

static double expression(struct code *c);

static double function(struct code *c, const char *name)
{
    double v[8];
    unsigned n = 0;
    c->open++;
    do {
        if (n == sizeof v / sizeof v[0])
            return fail(c, "%s: at most 8 numbers", name);
        v[n++] = expression(c);
    } while (!c->failed && takes(c, ","));
    wants(c, ")");
    c->open--;
    bool least = strcmp(name, "min") == 0, most = strcmp(name, "max") == 0;
    if (strcmp(name, "abs") == 0 && n == 1)
        return fabs(v[0]);
    if (strcmp(name, "int") == 0 && n == 1)
        return trunc(v[0]);
    if (!least && !most)
        return fail(c, "%s() is not known here: abs, int, min and max are", name);
    double best = v[0];
    for (unsigned i = 1; i < n; i++)
        best = (least ? v[i] < best : v[i] > best) ? v[i] : best;
    return best;
}

static double atom(struct code *c)
{
    blank(c);
    if (takes(c, "(")) {
        c->open++;
        double v = expression(c);
        wants(c, ")");
        c->open--;
        return v;
    }
    if (isdigit((unsigned char)*c->p) || (*c->p == '.' && isdigit((unsigned char)c->p[1]))) {
        char *end;
        double v = c->p[0] == '0' && (c->p[1] | 32) == 'x' ? (double)strtoull(c->p, &end, 16) : strtod(c->p, &end);
        c->p = end;
        return v;
    }
    char name[64];
    size_t n = 0;
    while (in_word(c->p[n]) && n < sizeof name - 1)
        n++;
    if (n == 0 || isdigit((unsigned char)*c->p))
        return fail(c, "a number or a name expected before \"%.*s\"", (int)strcspn(c->p, "\n"), c->p);
    memcpy(name, c->p, n);
    name[n] = 0;
    c->p += n;
    if (strcmp(name, "True") == 0 || strcmp(name, "False") == 0)
        return name[0] == 'T';
    if (takes(c, "("))
        return function(c, name);
    double v = 0;
    return c->lookup(c->user, name, &v) ? v : fail(c, "%s is not known here", name);
}

static double unary(struct code *c)
{
    if (++c->deep > DEEP)
        return fail(c, "this expression is nested more than %d deep", DEEP);
    double v = takes(c, "-") ? -unary(c) : takes(c, "~") ? (double)~(int64_t)unary(c) : takes(c, "+") ? unary(c) : atom(c);
    c->deep--;
    return v;
}

static double product(struct code *c)
{
    double v = unary(c);
    while (!c->failed) {
        bool whole = takes(c, "//"), part = !whole && takes(c, "/"), rest = !whole && !part && takes(c, "%");
        if (!whole && !part && !rest) {
            if (!takes_but(c, "*", "*"))
                return v;
            v *= unary(c);
            continue;
        }
        double by = unary(c);
        if (!c->failed && fpclassify(by) == FP_ZERO)
            return fail(c, "division by zero");
        v = part ? v / by : whole ? floor(v / by) : v - floor(v / by) * by;
    }
    return v;
}

static double additive(struct code *c)
{
    double v = product(c);
    for (;;) {
        if (takes(c, "+"))
            v += product(c);
        else if (takes(c, "-"))
            v -= product(c);
        else
            return v;
    }
}

static double shifted(struct code *c)
{
    double v = additive(c);
    for (;;) {
        bool left = takes(c, "<<");
        if (!left && !takes(c, ">>"))
            return v;
        double by = additive(c);
        if (by < 0 || by > 62)
            return fail(c, "a shift by %g", by);
        v = left ? (double)((int64_t)v << (int)by) : (double)((int64_t)v >> (int)by);
    }
}

static double bits(struct code *c)
{
    double v = shifted(c);
    for (;;) {
        if (takes(c, "&"))
            v = (double)((int64_t)v & (int64_t)shifted(c));
        else if (takes(c, "|"))
            v = (double)((int64_t)v | (int64_t)shifted(c));
        else if (takes(c, "^"))
            v = (double)((int64_t)v ^ (int64_t)shifted(c));
        else
            return v;
    }
}

static double comparison(struct code *c)
{
    double a = bits(c);
    bool compared = false, holds = true;
    while (!c->failed) {
        double b;
        if (takes(c, "=="))
            b = bits(c), holds = holds && !(a < b) && !(a > b);
        else if (takes(c, "!="))
            b = bits(c), holds = holds && (a < b || a > b);
        else if (takes(c, "<="))
            b = bits(c), holds = holds && a <= b;
        else if (takes(c, ">="))
            b = bits(c), holds = holds && a >= b;
        else if (takes_but(c, "<", "<"))
            b = bits(c), holds = holds && a < b;
        else if (takes_but(c, ">", ">"))
            b = bits(c), holds = holds && a > b;
        else
            break;
        a = b;
        compared = true;
    }
    return compared ? holds : a;
}

static bool truth(double v) { return fpclassify(v) != FP_ZERO; }

static double negation(struct code *c)
{
    if (++c->deep > DEEP)
        return fail(c, "this expression is nested more than %d deep", DEEP);
    double v = takes(c, "not") ? !truth(negation(c)) : comparison(c);
    c->deep--;
    return v;
}

static double conjunction(struct code *c)
{
    double v = negation(c);
    while (!c->failed && takes(c, "and")) {
        double b = negation(c);
        v = truth(v) && truth(b);
    }
    return v;
}

static double expression(struct code *c)
{
    double v = conjunction(c);
    while (!c->failed && takes(c, "or")) {
        double b = conjunction(c);
        v = truth(v) || truth(b);
    }
    return v;
}

/* "text" or 'text': what an assertion or print says */
static bool string(struct code *c, char *to, size_t size)
{
    blank(c);
    char quote = *c->p;
    if (quote != '"' && quote != '\'')
        return false;
    size_t n = 0;
    for (c->p++; *c->p && *c->p != quote && *c->p != '\n'; c->p++)
        if (n + 1 < size)
            to[n++] = *c->p;
    to[n] = 0;
    if (*c->p == quote)
        c->p++;
    else
        fail(c, "this string has no end: %c is missing", quote);
    return true;
}

static void words(struct code *c, char *to, size_t size)      /* strings and numbers with commas: as print would say them */
{
    size_t n = 0;
    to[0] = 0;
    do {
        char one[200];
        if (!string(c, one, sizeof one))
            snprintf(one, sizeof one, "%.10g", expression(c));
        if (n < size)
            n += (size_t)snprintf(to + n, size - n, "%s%s", n ? " " : "", one);
    } while (!c->failed && takes(c, ","));
}

static void assertion(struct code *c)
{
    blank(c);
    const char *from = c->p;
    int line = c->line;
    double v = expression(c);
    int n = (int)(c->p - from);
    char why[300] = "";
    if (!c->failed && takes(c, ","))
        words(c, why, sizeof why);
    if (c->failed || truth(v))
        return;
    c->line = line;
    /* what the first name in it is says more than that it does not hold */
    char name[64] = "";
    for (const char *p = from; p < from + n && !name[0]; p++)
        if (isalpha((unsigned char)*p) && (p == from || !in_word(p[-1]))) {
            size_t k = 0;
            double is;
            while (in_word(p[k]) && k < sizeof name - 1)
                k++;
            memcpy(name, p, k);
            name[k] = 0;
            if (!c->lookup(c->user, name, &is))
                name[0] = 0;
            else if (!why[0])
                snprintf(why, sizeof why, "%s is %.10g", name, is);
        }
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    fail(c, "assert %.*s does not hold%s%s", n, from, why[0] ? ": " : "", why);
}

static void statement(struct code *c)
{
    char text[400];
    if (takes(c, "assert")) {
        assertion(c);
    } else if (takes(c, "print")) {
        bool bracket = takes(c, "(");
        c->open += bracket;
        words(c, text, sizeof text);
        if (bracket) {
            wants(c, ")");
            c->open--;
        }
        if (!c->failed)
            c->say(c->user, text);
    } else {
        fail(c, "\"%.*s\": only assert and print are understood here", (int)strcspn(c->p, "\n"), c->p);
    }
    blank(c);
    if (!c->failed && *c->p && *c->p != '\n' && *c->p != ';')
        fail(c, "\"%.*s\" is not understood here", (int)strcspn(c->p, "\n"), c->p);
}

bool drill_code_run(const char *script, int line, const char *code, drill_lookup *lookup, drill_say *say, void *user, char *error, size_t error_size)
{
    struct code c = {.script = script, .p = code, .line = line, .lookup = lookup, .say = say, .user = user, .error = error, .error_size = error_size};
    while (!c.failed) {
        blank(&c);
        if (*c.p == '\n')
            c.line++;
        if (*c.p == '\n' || *c.p == ';')
            c.p++;
        else if (*c.p == 0)
            break;
        else
            statement(&c);
    }
    return !c.failed;
}
