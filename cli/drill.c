/* SPDX-License-Identifier: MIT
 *
 * drill.c: `parley drill`: runs scripts of segments and system calls, packetdrill's language, in this process and in virtual time.
 */
#include "cli/cli.h"
#include "drill/calls.h"
#include "drill/run.h"
#include "drill/settings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool ipv6, strict, quiet, json, dry, times;
    const char *settings, *tolerance, *plug;
} o;

static const struct cli_option own[] = {
    {'6', "ipv6", NULL, NULL, &o.ipv6, "run over IPv6; a script's own --ip_version decides if it has one"},
    {'s', "set", "NAME=VALUE,...", cli_read_text, &o.settings, "settings of the stack, as in docs/scripts.md: rto_min=200ms,sack=0"},
    {'t', "tolerance", "US", cli_read_text, &o.tolerance, "how many microseconds a packet may be off; default: the script's, or 4000"},
    {'p', "plug", "OBJECT", cli_read_text, &o.plug, "run them on a shared object with packetdrill's interface instead"},
    {0, "strict", NULL, NULL, &o.strict, "a script fails if something was sent that it does not expect, after its last line, too"},
    {0, "times", NULL, NULL, &o.times, "tell when each packet was sent that a script expects, and what it was"},
    {'n', "dry-run", NULL, NULL, &o.dry, "only read the scripts"},
    {'q', "quiet", NULL, NULL, &o.quiet, "failures only, and without the ladder"},
    {0, "json", NULL, NULL, &o.json, "one line of JSON for each script"},
    {0},
};

struct tally {
    unsigned passed, failed;
    struct drill_options options;
};

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    *n = 0;
    if (!f)
        return NULL;
    for (size_t room = 0, got = 1; got;) {
        if (room - *n < 65536) {
            char *more = realloc(text, room += 1 << 17);
            if (!more) {
                free(text);
                text = NULL;
                break;
            }
            text = more;
        }
        got = fread(text + *n, 1, room - *n, f);
        *n += got;
    }
    if (text && ferror(f)) {
        free(text);
        text = NULL;
    }
    fclose(f);
    return text;
}

static void json_string(const char *s)
{
    putchar('"');
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < 32)
            printf("\\u%04x", *s);
        else
            putchar(*s);
    putchar('"');
}

static void result(struct tally *t, const char *path, bool good, const char *failure, double ms)
{
    good ? t->passed++ : t->failed++;
    if (o.json) {
        printf("{\"script\":");
        json_string(path);
        printf(",\"passed\":%s,\"ms\":%.3f", good ? "true" : "false", ms);
        if (!good) {
            printf(",\"failure\":");
            json_string(failure);
        }
        puts("}");
    } else if (!good) {
        printf("FAILED %s\n%s\n", path, failure);
    } else if (!o.quiet) {
        printf("ok     %s\n", path);
    }
    fflush(stdout);
}

static double ms_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void one(struct tally *t, const char *path)
{
    char error[700], *text_of_failure = NULL;
    size_t n, failure_bytes;
    double began = ms_now();
    char *text = read_file(path, &n);
    if (!text) {
        snprintf(error, sizeof error, "%s: %s", path, strerror(errno));
        result(t, path, false, error, 0);
        return;
    }
    struct drill_script *script = drill_parse(path, text, n, error, sizeof error);
    free(text);
    if (!script || o.dry) {
        bool good = script && drill_calls_known(script, error, sizeof error);
        result(t, path, good, error, ms_now() - began);
    } else {
        FILE *failure = open_memstream(&text_of_failure, &failure_bytes);
        bool good = failure && drill_run(script, &t->options, failure);
        if (failure)
            fclose(failure);
        result(t, path, good, text_of_failure ? text_of_failure : "out of memory", ms_now() - began);
        free(text_of_failure);
    }
    drill_free(script);
}

static int scripts_only(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && (e->d_type != DT_REG || (n > 4 && strcmp(e->d_name + n - 4, ".pkt") == 0));
}

/* A file; or a folder: every .pkt below it, in order. */
static void each(struct tally *t, const char *path, int deep)
{
    struct stat st;
    struct dirent **names;
    int n;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode) || deep > 16) {
        one(t, path);
        return;
    }
    if ((n = scandir(path, &names, scripts_only, alphasort)) < 0) {
        one(t, path);
        return;
    }
    for (int i = 0; i < n; i++) {
        char below[4096];
        if (snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name) < (int)sizeof below)
            each(t, below, deep + 1);
        free(names[i]);
    }
    free(names);
}

static int run(char *const *operands, int n)
{
    struct tally t = {.options = {.ipv6 = o.ipv6, .strict = o.strict, .story = !o.quiet, .settings = o.settings, .plug = o.plug, .says = stderr,
                                  .times = o.times ? stdout : NULL}};
    double began = ms_now();
    if (o.tolerance) {
        char *end;
        t.options.tolerance_us = strtoll(o.tolerance, &end, 10);
        if (*end || t.options.tolerance_us <= 0)
            return cli_say(CLI_USAGE, "--tolerance is a number of microseconds, not \"%s\"", o.tolerance);
    }
    if (o.plug && access(o.plug, R_OK) != 0)
        return cli_say(CLI_USAGE, "--plug %s: %s", o.plug, strerror(errno));
    if (o.settings && !o.plug) {
        char why[300];
        struct drill_config config = {.isn_fixed = false};
        pl_config_default(&config.stack, sizeof config.stack);
        if (!drill_settings(&config, o.settings, why, sizeof why))
            return cli_say(CLI_USAGE, "--set %s: %s", o.settings, why);
    }
    for (int i = 0; i < n; i++)
        each(&t, operands[i], 0);
    double seconds = (ms_now() - began) / 1e3;
    if (t.passed + t.failed == 0)
        return cli_say(CLI_FAILED, "no script (*.pkt) was found there");
    if (!o.json) {
        printf("%u passed, %u failed", t.passed, t.failed);
        if (t.passed + t.failed > 1 && seconds > 0)
            printf(", %.0f scripts a second", (t.passed + t.failed) / seconds);
        putchar('\n');
    }
    return t.failed ? CLI_FAILED : CLI_DONE;
}

const struct cli_command cli_drill = {
    .name = "drill",
    .operands = "SCRIPT...",
    .summary = "run scripts of segments and system calls (packetdrill's language) in virtual time",
    .details = "Each SCRIPT is a file, or a folder whose *.pkt files are run. A script says what arrives (<), what the program calls, and what must\n"
               "be sent (>), and when. Nothing leaves this process and nothing waits: a script that lasts an hour runs in a millisecond. A failure\n"
               "shows the line, what was expected, what happened, and the ladder so far. docs/scripts.md is the tour of the language.\n",
    .options = {own},
    .operands_min = 1,
    .operands_max = 1000000,
    .run = run,
};
