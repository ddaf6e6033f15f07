/* SPDX-License-Identifier: MIT
 *
 * demo.c: `parley demo`: options, headings, and which acts are played.
 */
#include "cli/cli.h"
#include "cli/demo.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct demo_opts opts = {.isn = {100, 300}, .seed = 1, .bytes = (uint64_t)50 << 20, .pcap_iface = {{-1, -1}, {-1, -1}}};
static bool list;

static bool read_isn(const char *text, void *to, char *why, size_t why_size)
{
    int64_t *isn = to;
    char *end;
    snprintf(why, why_size, "two numbers below 2^32, client's and server's, as in 0,0; or \"keyed\"");
    opts.isn_given = true;
    if (!strcmp(text, "keyed")) {
        isn[0] = isn[1] = -1;
        return true;
    }
    for (int i = 0; i < 2; i++) {
        if (*text < '0' || *text > '9') return false;
        unsigned long long v = strtoull(text, &end, 10);
        if (v > UINT32_MAX || *end != (i ? '\0' : ',')) return false;
        isn[i] = (int64_t)v;
        text = end + 1;
    }
    return true;
}

static bool read_loss(const char *text, void *to, char *why, size_t why_size)
{
    char *end;
    double v = strtod(text, &end);
    if (*end == '%') end++;
    if (end == text || *end || !(v >= 0 && v <= 90)) {
        snprintf(why, why_size, "how many of a hundred segments are lost, 0 to 90, as in 5 or 0.5");
        return false;
    }
    *(uint32_t *)to = (uint32_t)(v * 10000);
    return true;
}

static bool read_act(const char *text, void *to, char *why, size_t why_size)
{
    if (strlen(text) != 1 || !strchr("abc", *text)) {
        snprintf(why, why_size, "a, b or c");
        return false;
    }
    *(const char **)to = text;
    return true;
}

bool cli_read_scene(const char *text, void *to, char *why, size_t why_size)
{
    if (!demo_scene_exists(text)) {
        snprintf(why, why_size, "the name of a scene (`parley demo --list` prints them)");
        return false;
    }
    *(const char **)to = text;
    return true;
}

static bool read_row(const char *text, void *to, char *why, size_t why_size)
{
    uint64_t v;
    char rest[40];
    snprintf(why, why_size, "a row of the mission, M1 to M20");
    if ((*text != 'M' && *text != 'm') || !cli_read_u64(text + 1, &v, rest, sizeof rest) || v < 1 || v > 20) return false;
    static char row[8];
    snprintf(row, sizeof row, "M%u", (unsigned)v);
    *(const char **)to = row;
    return true;
}

static bool read_bytes(const char *text, void *to, char *why, size_t why_size)
{
    uint64_t v;
    if (!cli_read_u64(text, &v, why, why_size) || v < 1 || v > 4096) {
        snprintf(why, why_size, "the size of the file in MiB, 1 to 4096");
        return false;
    }
    *(uint64_t *)to = v << 20;
    return true;
}

static const struct cli_option options[] = {
    {.name = "act", .value = "a|b|c", .read = read_act, .to = &opts.act, .help = "play only this act"},
    {.name = "scene", .value = "NAME", .read = cli_read_scene, .to = &opts.scene, .help = "play only this scene of act a"},
    {.name = "row", .value = "MN", .read = read_row, .to = &opts.row, .help = "play what shows row MN of docs/mission.md, M1 to M20"},
    {.name = "list", .to = &list, .help = "list the scenes, and the rows that each shows"},
    {.name = "pcap", .value = "FILE", .read = cli_read_text, .to = &opts.pcap_path, .help = "keep all frames, with the reasons, as a capture file"},
    {.name = "isn", .value = "C,S", .read = read_isn, .to = opts.isn,
        .help = "initial sequence numbers of client and server; default 100,300 as in the figures of RFC 9293. \"keyed\": by a clock and a "
                "keyed hash, as in earnest"},
    {.name = "seed", .value = "N", .read = cli_read_u64, .to = &opts.seed, .help = "the network's dice; the same seed gives the same run. Default 1"},
    {.name = "loss", .value = "P", .read = read_loss, .to = &opts.loss_per_million, .help = "lose P of a hundred segments, both ways (acts a and b)"},
    {.name = "v6", .to = &opts.v6, .help = "over IPv6 (acts a and b; act c does both)"},
    {.name = "size", .value = "MIB", .read = read_bytes, .to = &opts.bytes, .help = "size of the file of act c; default 50"},
    {.name = "json", .to = &cli_as_json, .help = "the trace as JSON lines instead of pictures (acts a and b)"},
    {0}};

unsigned demo_width(void)
{
    struct winsize w;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 80) return w.ws_col < 120 ? w.ws_col : 120;
    return 100;
}

static void style(const char *code)
{
    struct ladder_opts l;
    ladder_opts_default(&l, stdout);
    if (l.colour) printf("\033[%sm", code);
}

void demo_heading(const char *name, const char *title)
{
    putchar('\n');
    style("1");
    printf("%s: %s", name, title);
    style("0");
    putchar('\n');
}

void demo_text(const char *text)
{
    size_t room = demo_width(), column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column && column + 1 + word > room) {
            putchar('\n');
            column = 0;
        } else if (column) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static int run(char *const *operands, int n)
{
    static int (*const acts[])(struct demo_opts *) = {demo_act_a, demo_act_b, demo_act_c};
    (void)operands, (void)n;
    if (list) {
        demo_list_scenes();
        return CLI_DONE;
    }
    if (opts.scene && opts.act && *opts.act != 'a') return cli_say(CLI_USAGE, "scenes belong to act a; leave out --act %s", opts.act);
    opts.json = cli_as_json;
    if (opts.json && opts.act && *opts.act == 'c') return cli_say(CLI_USAGE, "--json is for acts a and b");
    if (opts.row && (opts.scene || opts.act)) return cli_say(CLI_USAGE, "--row chooses by itself; leave out --scene and --act");
    if (opts.row && opts.json && demo_shows_row("M20", opts.row)) return cli_say(CLI_USAGE, "--json is for acts a and b");
    if (opts.pcap_path && !cli_pcap_open(&opts.pcap, opts.pcap_path, 0)) return cli_say(CLI_FAILED, "cannot write %s: %s", opts.pcap_path, strerror(errno));
    static const char *const rows_of_act[] = {"", "M12 M18", "M16 M20"};
    int status = CLI_DONE;
    for (int i = 0; i < 3 && status == CLI_DONE; i++) {
        bool wanted = opts.row ? i == 0 || (demo_shows_row(rows_of_act[i], opts.row) && !(opts.json && i == 2)) : opts.act ? *opts.act == 'a' + i : opts.scene ? i == 0 : !(opts.json && i == 2);
        if (wanted) status = acts[i](&opts);
        fflush(stdout);
    }
    if (!cli_pcap_close(&opts.pcap)) status = cli_say(CLI_FAILED, "the capture file is not complete: %s", strerror(errno));
    if (status == CLI_DONE && !opts.act && !opts.scene && !opts.row && !opts.json) {
        demo_heading("Again, piece by piece", "parley demo --list, --scene NAME, --row M9, --act b");
        demo_text("--isn 0,0 makes the arithmetic of seq and ack easy; --seed N and --loss P change the network's luck. With your own files: parley serve "
                  "DIR.");
    }
    return status;
}

const struct cli_command cli_demo = {
    .name = "demo", .operands = "", .summary = "shows two hosts that shake hands, talk and part; then the same with the Linux kernel",
    .details = "Act a: two hosts in memory, every segment an arrow between both sides' states, with the reason why it was sent.\n"
               "Act b: one message on its way down the layers and up again, byte by byte.\n"
               "Act c: curl fetches a file from parley, and parley fetches one from a server on the kernel's TCP, over IPv4 and IPv6, in\n"
               "network namespaces that vanish afterwards. Where the system does not allow that, the act is left out and says why.\n"
               "\n"
               "On an arrow: seq, the number of its first byte; ack, the next byte awaited; len, its bytes of text; win, how many more its sender\n"
               "is ready to take; #2, that it belongs to the second connection. The states are those after it. A cross: lost on the way. Dots at\n"
               "its end: something else happens before it arrives; at its start: it left earlier. A point, and no arrow: one side alone.\n",
    .options = {options}, .operands_max = 0, .run = run};
