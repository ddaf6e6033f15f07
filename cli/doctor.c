/* SPDX-License-Identifier: MIT
 *
 * doctor.c: `parley doctor`: what this machine allows, found out by trying, and what to do about the rest.
 */
#include "cli/cli.h"
#include "os/host/testnet.h"
#include "view/jsonl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static bool json;

static const struct cli_option options[] = {{.name = "json", .to = &json, .help = "as one JSON object"}, {0}};

struct fact {
    const char *key, *what, *needed_for;
    bool (*find_out)(char *why, size_t why_size);     /* false: not possible, and `why` */
    const char *remedy;
    bool possible;
    char why[400];
};

static bool in_path(const char *program)
{
    char path[4200];
    const char *dirs = getenv("PATH");
    for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs;) {
        size_t n = strcspn(dirs, ":");
        snprintf(path, sizeof path, "%.*s/%s", (int)(n < 4000 ? n : 4000), dirs, program);
        if (access(path, X_OK) == 0) return true;
        dirs += n + (dirs[n] == ':');
    }
    return false;
}

static bool curl_here(char *why, size_t why_size)
{
    snprintf(why, why_size, "there is no program curl");
    return in_path("curl");
}

static bool is_root(char *why, size_t why_size)
{
    snprintf(why, why_size, "you are user %u", (unsigned)geteuid());
    return geteuid() == 0;
}

static bool tun_device(char *why, size_t why_size)
{
    if (access("/dev/net/tun", R_OK | W_OK) == 0) return true;
    snprintf(why, why_size, access("/dev/net/tun", F_OK) == 0 ? "/dev/net/tun may not be opened by this user" : "there is no /dev/net/tun");
    return false;
}

static struct fact facts[] = {
    {.key = "root", .what = "root", .needed_for = "serve, get and ping on this machine's own network", .find_out = is_root,
        .remedy = "use --netns, or run it as root"},
    {.key = "namespaces", .what = "network namespaces", .needed_for = "act c of the demo, and --netns", .find_out = testnet_possible,
        .remedy = "as root: sysctl -w kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0, whichever this system "
                  "has; in a container: allow it user namespaces"},
    {.key = "tun_device", .what = "/dev/net/tun", .needed_for = "TUN and TAP", .find_out = tun_device,
        .remedy = "as root: modprobe tun; chmod 666 /dev/net/tun. In a container: --device /dev/net/tun"},
    {.key = "tun", .what = "TUN in a namespace", .needed_for = "the fast way of act c and --netns", .find_out = testnet_tun_possible,
        .remedy = "see /dev/net/tun; without it AF_PACKET is used"},
    {.key = "af_packet", .what = "AF_PACKET in a namespace", .needed_for = "act c and --netns where there is no TUN", .find_out = testnet_af_packet_possible,
        .remedy = "see network namespaces"},
    {.key = "curl", .what = "curl", .needed_for = "act c: the kernel's side of it", .find_out = curl_here, .remedy = "apt install curl"},
};

#define FACTS (sizeof facts / sizeof *facts)

static void print_json(const struct utsname *u)
{
    printf("{\"system\":");
    jsonl_string(stdout, u->sysname);
    printf(",\"release\":");
    jsonl_string(stdout, u->release);
    printf(",\"machine\":");
    jsonl_string(stdout, u->machine);
    printf(",\"processors\":%ld", sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < FACTS; i++) {
        printf(",\"%s\":{\"possible\":%s", facts[i].key, facts[i].possible ? "true" : "false");
        if (!facts[i].possible) {
            printf(",\"why\":");
            jsonl_string(stdout, facts[i].why);
            printf(",\"remedy\":");
            jsonl_string(stdout, facts[i].remedy);
        }
        putchar('}');
    }
    puts("}");
}

static void print_text(const struct utsname *u)
{
    printf("%s %s on %s, %ld processors\n\n", u->sysname, u->release, u->machine, sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < FACTS; i++) {
        printf("  %-4s %-26s for %s\n", facts[i].possible ? "yes" : "no", facts[i].what, facts[i].needed_for);
        if (!facts[i].possible) printf("       %s\n       what to do: %s\n", facts[i].why, facts[i].remedy);
    }
    bool c = facts[1].possible && (facts[3].possible || facts[4].possible);
    printf("\nActs a and b of the demo need nothing of all this. Act c %s here.\n", c ? "works" : "does not work");
}

static int run(char *const *operands, int n)
{
    struct utsname u;
    (void)operands, (void)n;
    uname(&u);
    for (size_t i = 0; i < FACTS; i++)
        facts[i].possible = facts[i].find_out(facts[i].why, sizeof facts[i].why);
    if (json) print_json(&u);
    else print_text(&u);
    return CLI_DONE;
}

const struct cli_command cli_doctor = {.name = "doctor", .operands = "", .summary = "tells what this machine allows, and what to do about the rest",
    .options = {options}, .run = run};
