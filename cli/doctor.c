/* SPDX-License-Identifier: MIT
 *
 * doctor.c: `parley doctor`: what this machine allows, and what to do about the rest; and how long a connection can last. What is found out is in os/host/facts.
 */
#include "cli/cli.h"
#include "os/host/facts.h"
#include "os/host/testnet.h"
#include "view/jsonl.h"
#include <stdio.h>

static bool json;

static const struct cli_option options[] = {{.name = "json", .to = &json, .help = "as one JSON object"}, {0}};

static const char *const verdicts[] = {[HOST_GOOD] = "good", [HOST_LESS] = "less", [HOST_MISSING] = "missing"};

static void key(const char *name, const char *value)
{
    printf("\"%s\":", name);
    jsonl_string(stdout, value);
}

static void print_json(const struct host_fact *facts, int n, const struct pl_config *config, bool act_c, const char *why)
{
    printf("{\"facts\":[");
    for (int i = 0; i < n; i++) {
        printf(i ? ",{" : "{");
        key("name", facts[i].name);
        printf(",\"verdict\":\"%s\",", verdicts[facts[i].verdict]);
        key("used_for", facts[i].used_for);
        putchar(',');
        key("is", facts[i].is);
        putchar(',');
        key("advice", facts[i].advice);
        putchar('}');
    }
    printf("],\"longest_life_s\":%.3f,\"act_c\":%s", (double)pl_longest_life(config, NULL, 0) / 1e9, act_c ? "true" : "false");
    if (!act_c) {
        putchar(',');
        key("act_c_why", why);
    }
    puts("}");
}

static void print_text(const struct host_fact *facts, int n, const struct pl_config *config, bool act_c, const char *why)
{
    char life[2000];
    for (int i = 0; i < n; i++) {
        printf("%-8s %s (for %s)\n         %s\n", verdicts[facts[i].verdict], facts[i].name, facts[i].used_for, facts[i].is);
        if (facts[i].advice[0]) printf("         what to do: %s\n", facts[i].advice);
    }
    (void)pl_longest_life(config, life, sizeof life);
    printf("\nConnections, with parley's defaults:\n%s", life);
    puts("\nActs a and b of the demo need nothing of all this.");
    if (act_c) puts("Act c and --netns work here.");
    else printf("Act c and --netns do not work here: %s\n", why);
}

static int run(char *const *operands, int n)
{
    static struct host_fact facts[HOST_FACTS_MAX];
    char why[400];
    struct pl_config config;
    (void)operands, (void)n;
    int count = host_facts(facts, HOST_FACTS_MAX);
    bool act_c = testnet_tun_possible(why, sizeof why) || testnet_af_packet_possible(why, sizeof why);
    pl_config_default(&config, sizeof config);
    if (json) print_json(facts, count, &config, act_c, why);
    else print_text(facts, count, &config, act_c, why);
    return CLI_DONE;
}

const struct cli_command cli_doctor = {.name = "doctor", .operands = "", .summary = "tells what this machine allows, and what to do about the rest",
    .options = {options}, .run = run};
