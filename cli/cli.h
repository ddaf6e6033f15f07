/* SPDX-License-Identifier: MIT
 *
 * cli.h: what the subcommands of `parley` share: how one is described, how its options are read, how it speaks to the user.
 *
 * A subcommand is a table of options and a function. The table is both what is parsed and what --help and the man page print, so the two cannot differ.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <parley/types.h>

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,                       /* it was tried and did not work; stderr says why */
    CLI_USAGE = 2,                        /* the command line cannot be meant so; stderr says what to do */
};

/* Reads the text of an option's value to where it belongs. False, with a sentence in `why`: what was expected. */
typedef bool cli_read_fn(const char *text, void *to, char *why, size_t why_size);

struct cli_option {
    char letter;                          /* 'o' for -o; 0: none */
    const char *name;                     /* "isn" for --isn */
    const char *value;                    /* what the help calls its value; NULL: a flag, and `to` a bool */
    cli_read_fn *read;                    /* NULL for a flag */
    void *to;
    const char *help;
};

#define CLI_OPTION_TABLES 2

struct cli_command {
    const char *name, *operands;          /* "get", "URL" */
    const char *summary;                  /* one line */
    const char *details;                  /* paragraphs for --help, may be NULL */
    const struct cli_option *options[CLI_OPTION_TABLES];    /* each ends with a name of NULL; shared tables may follow the own one */
    int operands_min, operands_max;
    int (*run)(char *const *operands, int n);               /* enum cli_exit */
};

extern const struct cli_command cli_drill, cli_demo, cli_sim, cli_serve, cli_get, cli_nc, cli_ping, cli_doctor;
/* All of them; ends with NULL. */
extern const struct cli_command *const cli_commands[];

/* Reads the command line behind the subcommand's name and runs it. */
int cli_run(const struct cli_command *, int argc, char **argv);
void cli_help(const struct cli_command *);
/* Prints what the shell needs to complete our command lines. */
int cli_completion(const char *shell);

/* Readers of values. */
cli_read_fn cli_read_scene;               /* the name of one of the demo's scenes */
cli_read_fn cli_read_text;                /* const char * */
cli_read_fn cli_read_u64;                 /* uint64_t */
cli_read_fn cli_read_port;                /* uint16_t, 1 .. 65535 */
cli_read_fn cli_read_time;                /* pl_time, more than 0: "5", "0.5", "5s", "200ms", "2m", "1h" */

/* "parley NAME: sentence" on stderr; returns `status`, so that it can be the last word of a function. */
int cli_say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_name(const char *subcommand);    /* what cli_say puts in front */

/* --json: whatever is said is one JSON object a line; cli_say's sentences are {"event":"problem","text":...}. */
extern bool cli_as_json;
struct cli_field {
    const char *key, *text;               /* text NULL: the number */
    uint64_t number;
};
/* One line: {"event":"name","key":value,...}; flushed. */
void cli_json_line(FILE *, const char *event, const struct cli_field *, size_t n);
#define CLI_EVENT(out, event, ...)                                                                                                                   \
    cli_json_line(out, event, (const struct cli_field[]){__VA_ARGS__}, sizeof((const struct cli_field[]){__VA_ARGS__}) / sizeof(struct cli_field))

#endif
