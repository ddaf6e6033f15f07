/* SPDX-License-Identifier: MIT
 *
 * completion.c: `parley --completion bash`: the completion of the shell, from the tables of options that --help is printed from. `make install` puts it
 * where bash looks for it.
 */
#include "cli/cli.h"
#include "cli/demo.h"
#include <stdio.h>
#include <string.h>

/* What may stand behind an option: words for compgen -W, or a letter for compgen -A. */
static void value_words(const struct cli_option *o)
{
    if (!strcmp(o->value, "FILE")) {
        fputs("files=file", stdout);
        return;
    }
    fputs("words='", stdout);
    if (o->read == cli_read_scene) {
        demo_each_scene_name(stdout);
    } else if (!strcmp(o->value, "MN")) {
        for (int i = 1; i <= 20; i++)
            printf("M%d ", i);
    } else if (!strcmp(o->value, "KIND:NAME")) {
        fputs("tun: tap: packet:", stdout);
    } else if (strchr(o->value, '|')) {
        for (const char *c = o->value; *c; c++)
            putchar(*c == '|' ? ' ' : *c);
    }
    putchar('\'');
}

static const struct cli_option *next_option(const struct cli_command *c, int *table, const struct cli_option *o)
{
    for (o = o ? o + 1 : c->options[0]; !o || !o->name; o = c->options[*table])
        if (++*table == CLI_OPTION_TABLES) return NULL;
    return o;
}

static void values_of(const struct cli_command *c)
{
    int table = 0;
    for (const struct cli_option *o = NULL; (o = next_option(c, &table, o)) != NULL;) {
        if (!o->value) continue;
        printf("    '%s --%s'", c->name, o->name);
        if (o->letter) printf(" | '%s -%c'", c->name, o->letter);
        fputs(") ", stdout);
        value_words(o);
        puts(" ;;");
    }
}

static void options_of(const struct cli_command *c)
{
    int table = 0;
    printf("        %s) words='--help", c->name);
    for (const struct cli_option *o = NULL; (o = next_option(c, &table, o)) != NULL;) {
        printf(" --%s", o->name);
        if (o->letter) printf(" -%c", o->letter);
    }
    puts("' ;;");
}

int cli_completion(const char *shell)
{
    if (strcmp(shell, "bash")) return cli_say(CLI_USAGE, "--completion knows bash only, not \"%s\"", shell);
    puts("# bash completion for parley; made by `parley --completion bash`\n"
         "_parley()\n"
         "{\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words= files=\n"
         "    COMPREPLY=()\n"
         "    case \"$command $prev\" in");
    for (const struct cli_command *const *c = cli_commands; *c; c++)
        values_of(*c);
    fputs("    *)\n"
          "        if [ \"$COMP_CWORD\" = 1 ]; then\n"
          "            words='--help --version --completion", stdout);
    for (const struct cli_command *const *c = cli_commands; *c; c++)
        printf(" %s", (*c)->name);
    puts("'\n"
         "        else case \"$command\" in");
    for (const struct cli_command *const *c = cli_commands; *c; c++)
        options_of(*c);
    puts("        --completion) words=bash ;;\n"
         "        esac; fi\n"
         "        if [ \"${cur#-}\" = \"$cur\" ]; then case \"$command\" in serve) words= files=directory ;; drill) words= files=file ;; esac; fi ;;\n"
         "    esac\n"
         "    if [ -n \"$files\" ]; then\n"
         "        compopt -o filenames 2>/dev/null || true\n"
         "        mapfile -t COMPREPLY < <(compgen -A \"$files\" -- \"$cur\")\n"
         "    else\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
         "    fi\n"
         "}\n"
         "complete -F _parley parley");
    return CLI_DONE;
}
