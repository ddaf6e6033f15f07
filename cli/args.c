/* SPDX-License-Identifier: MIT
 *
 * args.c: options from their table: reading them, and printing them as help. See cli.h.
 */
#include "cli/cli.h"
#include "view/jsonl.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *speaker = "";
bool cli_as_json;

void cli_json_line(FILE *out, const char *event, const struct cli_field *field, size_t n)
{
    fprintf(out, "{\"event\":\"%s\"", event);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, ",\"%s\":", field[i].key);
        if (field[i].text) jsonl_string(out, field[i].text);
        else fprintf(out, "%" PRIu64, field[i].number);
    }
    fputs("}\n", out);
    fflush(out);
}

void cli_name(const char *subcommand)
{
    speaker = subcommand;
}

int cli_say(int status, const char *format, ...)
{
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fflush(stdout);
    if (cli_as_json) CLI_EVENT(stderr, "problem", {"command", speaker, 0}, {"text", text, 0});
    else fprintf(stderr, "parley%s%s: %s\n", *speaker ? " " : "", speaker, text);
    return status;
}

/* ---------------------------------------------------------------- values ---------------------------------------------------------------- */

bool cli_read_text(const char *text, void *to, char *why, size_t why_size)
{
    if (!*text) {
        snprintf(why, why_size, "a text that is not empty");
        return false;
    }
    *(const char **)to = text;
    return true;
}

bool cli_read_u64(const char *text, void *to, char *why, size_t why_size)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) {
        snprintf(why, why_size, "a whole number, 0 or more");
        return false;
    }
    *(uint64_t *)to = v;
    return true;
}

bool cli_read_port(const char *text, void *to, char *why, size_t why_size)
{
    uint64_t v;
    if (!cli_read_u64(text, &v, why, why_size) || v == 0 || v > 65535) {
        snprintf(why, why_size, "a port, 1 to 65535");
        return false;
    }
    *(uint16_t *)to = (uint16_t)v;
    return true;
}

bool cli_read_time(const char *text, void *to, char *why, size_t why_size)
{
    static const struct { const char *name; double ns; } unit[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"m", 60e9}, {"h", 3600e9}};
    char *end;
    double v = strtod(text, &end);
    snprintf(why, why_size, "a time of 1 ms or more, in seconds or with its unit, as in 5, 0.5, 200ms, 2m");
    if (*text < '0' || *text > '9') return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++)
        if (!strcmp(end, unit[i].name) && v * unit[i].ns >= 1e6 && v * unit[i].ns <= 1e17) {
            *(pl_time *)to = (pl_time)(v * unit[i].ns);
            return true;
        }
    return false;
}

/* ---------------------------------------------------------------- reading ---------------------------------------------------------------- */

static const struct cli_option *find(const struct cli_command *c, char letter, const char *name, size_t len)
{
    for (int t = 0; t < CLI_OPTION_TABLES; t++)
        for (const struct cli_option *o = c->options[t]; o && o->name; o++)
            if (letter ? o->letter == letter : strlen(o->name) == len && !memcmp(o->name, name, len)) return o;
    return NULL;
}

static int refuse(const struct cli_command *c, const char *format, const char *word)
{
    char text[300];
    snprintf(text, sizeof text, format, word);
    return cli_say(CLI_USAGE, "%s; `parley %s --help` explains the options", text, c->name);
}

/* Gives the option its value: *attached (behind '=' or the letter) or the next word. Returns the words used beyond the first, -1: refused. */
static int take(const struct cli_command *c, const struct cli_option *o, const char *word, const char *attached, const char *next)
{
    char why[120], text[300];
    if (!o->value) {
        if (attached) return refuse(c, "%s takes no value", word), -1;
        *(bool *)o->to = true;
        return 0;
    }
    const char *value = attached ? attached : next;
    if (!value) return refuse(c, "%s needs a value", word), -1;
    if (!o->read(value, o->to, why, sizeof why)) {
        snprintf(text, sizeof text, "--%s %s: expected %s", o->name, value, why);
        return refuse(c, "%s", text), -1;
    }
    return attached ? 0 : 1;
}

static int read_option(const struct cli_command *c, char *const *argv)
{
    const char *word = argv[0];
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *o = word[1] == '-' ? find(c, 0, word + 2, len - 2) : find(c, word[1], NULL, 0);
    if (!o) return refuse(c, "there is no option %s", word), -1;
    const char *attached = equals ? equals + 1 : word[1] != '-' && word[2] ? word + 2 : NULL;
    return take(c, o, word, attached, argv[1]);
}

int cli_run(const struct cli_command *c, int argc, char **argv)
{
    int n = 0;
    bool options = true;
    cli_name(c->name);
    for (int i = 0; i < argc; i++) {
        if (options && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) return cli_help(c), CLI_DONE;
        if (options && !strcmp(argv[i], "--")) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            int used = read_option(c, argv + i);
            if (used < 0) return CLI_USAGE;
            i += used;
        } else {
            argv[n++] = argv[i];          /* the operands move to the front, over words that were read already */
        }
    }
    if (n < c->operands_min) return refuse(c, "it needs %s", c->operands);
    if (n > c->operands_max) return refuse(c, "\"%s\" is one word too many", argv[c->operands_max]);
    return c->run(argv, n);
}

/* ---------------------------------------------------------------- help ---------------------------------------------------------------- */

/* Words of `text` from column `indent` on, wrapped before column 96. */
static void wrapped(const char *text, int indent)
{
    int column = indent;
    while (*text) {
        int word = (int)strcspn(text, " ");
        if (column > indent && column + 1 + word > 96) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void help_option(const struct cli_option *o)
{
    char left[60], letter[8] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
    printf("%-28s", left);
    if (strlen(left) >= 28) printf("\n%28s", "");
    wrapped(o->help, 28);
}

void cli_help(const struct cli_command *c)
{
    printf("usage: parley %s [options]%s%s\n\n", c->name, *c->operands ? " " : "", c->operands);
    wrapped(c->summary, 0);
    putchar('\n');
    for (int t = 0; t < CLI_OPTION_TABLES; t++)
        for (const struct cli_option *o = c->options[t]; o && o->name; o++)
            help_option(o);
    puts("  -h, --help                print this");
    if (!c->details) return;
    putchar('\n');
    fputs(c->details, stdout);
}
