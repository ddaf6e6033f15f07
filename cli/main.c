/* SPDX-License-Identifier: MIT
 *
 * main.c: the program `parley`: finds the subcommand. Exit status: 0 done, 1 failed, 2 the command line cannot be meant so.
 */
#include "cli/cli.h"
#include <parley/parley.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct cli_command *const cli_commands[] = {&cli_demo, &cli_sim, &cli_drill, &cli_serve, &cli_get, &cli_nc, &cli_ping, &cli_doctor, NULL};

static void help(void)
{
    puts("parley: TCP/IP as a library, and this program to see it at work\n");
    puts("usage: parley COMMAND [options] [operands]\n");
    for (const struct cli_command *const *c = cli_commands; *c; c++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", (*c)->name, *(*c)->operands ? " " : "", (*c)->operands);
        printf("  %-26s %s\n", left, (*c)->summary);
    }
    puts("\n`parley COMMAND --help` explains each; `parley --version` tells the version, `parley --completion bash` prints\nthe completion for bash. Exit status: 0 done, 1 failed, 2 usage.");
    puts("Begin with `parley demo`.");
}

/* What was said to a full disk was not said. */
static int all_written(int status)
{
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    return written || status != CLI_DONE ? status : cli_say(CLI_FAILED, "standard output could not be written");
}

int main(int argc, char **argv)
{
    /* A reader of our output that goes away (| head) is told by write's error, and a peer's close by the stack. */
    signal(SIGPIPE, SIG_DFL);
    if (argc < 2) {
        help();
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help();
        return CLI_DONE;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("parley %s\n", pl_version());
        return CLI_DONE;
    }
    if (!strcmp(argv[1], "--completion")) return cli_completion(argc > 2 ? argv[2] : "bash");
    for (const struct cli_command *const *c = cli_commands; *c; c++)
        if (!strcmp(argv[1], (*c)->name)) return all_written(cli_run(*c, argc - 2, argv + 2));
    return cli_say(CLI_USAGE, "there is no command \"%s\"; `parley --help` lists them", argv[1]);
}
