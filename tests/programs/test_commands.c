/* SPDX-License-Identifier: MIT
 *
 * test_commands.c: what all commands share: options that --help, the manual and the completion agree on; --json that parses; --pcap that can be read;
 * progress on a terminal; heartbeats (mission M17).
 * TIME-LIMIT: 120 s
 */
#include "support/http_tree.h"
#include "support/program.h"
#include "support/program_net.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/testnet.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const commands[] = {"demo", "sim", "serve", "get", "nc", "ping", "doctor"};

static int group_setup(void **state)
{
    (void)state;
    program_net_open(3u << 20);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    program_net_close();
    return 0;
}

/* ---------------------------------------------------------------- options ---------------------------------------------------------------- */

/* All long options in a text, sorted, each once, with a blank before and behind. `dash`: how the text writes '-'. */
static void options_in(const char *text, const char *end, const char *dash, char *list, size_t size)
{
    char *name[80], copy[40], mark[12];
    size_t n = 0, used = 0;
    snprintf(mark, sizeof mark, "%s%s", dash, dash);
    for (const char *at = text; (at = strstr(at, mark)) != NULL && at < end;) {
        size_t len = 0;
        at += strlen(mark);
        while (len < sizeof copy - 1 && ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || !strncmp(at, dash, strlen(dash)))) {
            bool is_dash = !strncmp(at, dash, strlen(dash));
            copy[len++] = is_dash ? '-' : *at;
            at += is_dash ? strlen(dash) : 1;
        }
        copy[len] = '\0';
        size_t k = 0;
        while (k < n && strcmp(name[k], copy))
            k++;
        if (!len || k < n || n == COUNT_OF(name)) continue;
        for (k = n++; k > 0 && strcmp(name[k - 1], copy) > 0; k--)
            name[k] = name[k - 1];
        name[k] = strdup(copy);
    }
    list[0] = '\0';
    for (size_t k = 0; k < n; k++) {
        used += (size_t)snprintf(list + used, size - used, " %s", name[k]);
        free(name[k]);
    }
}

/* Those of the list of options in --help: the lines that begin with two blanks and a dash, up to the option's name. */
static void options_of_help(const char *command, char *list, size_t size)
{
    char words[60], heads[4000] = "";
    snprintf(words, sizeof words, "%s --help", command);
    struct program_run *r = program_run(words, NULL);
    char *rest = NULL;
    for (char *line = strtok_r(r->out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!strncmp(line, "  -", 3) || !strncmp(line, "      --", 8)) {
            const char *name = strstr(line, "--");
            size_t used = strlen(heads);
            if (strncmp(name, "--help", 6)) snprintf(heads + used, sizeof heads - used, "%.*s ", (int)strcspn(name, " "), name);
        }
    options_in(heads, heads + strlen(heads), "-", list, size);
    program_forget(r);
}

static char *manual;

/* From its heading to the next. */
static const char *section(const char *name, const char **end)
{
    char heading[60];
    snprintf(heading, sizeof heading, "\n.SH %s\n", name);
    const char *at = strstr(manual, heading);
    if (!at) fail_msg("the manual has no section %s", name);
    *end = strstr(at + 4, "\n.SH ");
    return at;
}

static void read_manual(void)
{
    char path[4300];
    manual = calloc(1, 65536);
    snprintf(path, sizeof path, "%s", program_path());
    for (int i = 0; i < 4; i++)            /* build/UID/VARIANT/parley: the sources are above */
        *strrchr(path, '/') = '\0';
    strcat(path, "/docs/parley.1");
    FILE *f = fopen(path, "r");
    if (f) manual[fread(manual, 1, 65535, f)] = '\0', fclose(f);
    else free(manual), manual = NULL;
}

/* The headings of a list of options: other paragraphs mention options too. */
static void add_headings(const char *from, const char *end, char *text, size_t size)
{
    while ((from = strstr(from, "\n.TP\n")) != NULL && from < end) {
        from += 5;
        snprintf(text + strlen(text), size - strlen(text), "%.*s ", (int)strcspn(from, "\n"), from);
    }
}

static void help_and_manual_name_the_same_options(void **state)
{
    char help[2000], page[2000], text[20000], upper[20];
    (void)state;
    read_manual();
    if (!manual) SKIP_BECAUSE("this build is not in the checkout");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        const char *end, *from;
        text[0] = '\0';
        for (size_t k = 0; k <= strlen(commands[i]); k++)
            upper[k] = (char)(commands[i][k] >= 'a' ? commands[i][k] - 32 : commands[i][k]);
        from = section(upper, &end);
        add_headings(from, end, text, sizeof text);
        from = section("LINK OPTIONS", &end);
        if (strcmp(commands[i], "demo") && strcmp(commands[i], "sim") && strcmp(commands[i], "doctor")) add_headings(from, end, text, sizeof text);
        options_in(text, text + strlen(text), "\\-", page, sizeof page);
        options_of_help(commands[i], help, sizeof help);
        assert_true(strlen(help) > 4);
        assert_string_equal(page, help);
    }
    free(manual);
}

static void the_completion_completes(void **state)
{
    static const struct { const char *words, *gives; } how[] = {
        {"parley d", "demo drill doctor"}, {"parley si", "sim"}, {"parley sim --l", "--ladder"}, {"parley demo --sc", "--scene"}, {"parley demo --scene simul", "simultaneous-open simultaneous-close"},
        {"parley demo --act \"\"", "a b c"}, {"parley demo --row M2", "M2 M20"}, {"parley nc --keep", "--keepalive"}, {"parley nc -l", "-l"},
        {"parley get --iface t", "tun: tap:"}, {"parley get --pcap sma", "small"}, {"parley get -o la", "large"}, {"parley drill lar", "large"}, {"parley serve --offline", "--offline-after"},
        {"parley ping --c", "--count"}, {"parley doctor --j", "--json"}};
    char command[1000], got[500];
    (void)state;
    if (system("command -v bash >/dev/null")) SKIP_BECAUSE("no bash");
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        unsigned words = program_count(how[i].words, " ");
        snprintf(command, sizeof command, "cd %s && bash -c 'set -eu; . <(%s --completion bash); COMP_WORDS=(%s); COMP_CWORD=%u; _parley; echo \"${COMPREPLY[*]}\"'",
            tree_path(""), program_path(), how[i].words, words);
        FILE *p = popen(command, "r");
        got[fread(got, 1, sizeof got - 1, p)] = '\0';
        pclose(p);
        got[strcspn(got, "\n")] = '\0';
        if (strcmp(got, how[i].gives)) fail_msg("%s: \"%s\" instead of \"%s\"", how[i].words, got, how[i].gives);
    }
}

/* The disk is full: the status says that not everything is there, and the sentence why, though stdio tells it only once. */
static void a_full_disk_is_told(void **state)
{
    static const char *const how[] = {"demo --list >/dev/full 2>/dev/null", "demo --scene transfer --pcap /dev/full 2>&1 >/dev/null | grep -q 'No space left'; test $? = 0 && exit 1"};
    char command[700];
    (void)state;
    if (access("/dev/full", W_OK)) SKIP_BECAUSE("no /dev/full");
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        snprintf(command, sizeof command, "%s %s", program_path(), how[i]);
        int status = system(command);
        if (WEXITSTATUS(status) != 1) fail_msg("%s: %d", how[i], WEXITSTATUS(status));
    }
}

/* ---------------------------------------------------------------- in the namespace ---------------------------------------------------------------- */

/* `sh -c` in the namespace, in the tree; $P is the program. */
static int shell(const char *script)
{
    char text[3000];
    snprintf(text, sizeof text, "cd %s; P=%s; %s", tree_path(""), program_path(), script);
    pid_t pid = testnet_spawn(&program_net, 0, (const char *const[]){"/bin/sh", "-c", text, NULL}, -1);
    return program_await(pid, 30);
}

static char *content(const char *name)
{
    char *bytes = calloc(1, 1 << 20);
    FILE *f = fopen(tree_path(name), "r");
    if (f) bytes[fread(bytes, 1, (1 << 20) - 1, f)] = '\0', fclose(f);
    return bytes;
}

static void assert_says(const char *name, const char *what)
{
    char *text = content(name);
    if (!strstr(text, what)) fail_msg("%s does not say \"%s\" but:\n%s", name, what, text);
    free(text);
}

static void assert_parses(const char *name)
{
    char command[600];
    snprintf(command, sizeof command, "python3 -m json.tool --json-lines %s > /dev/null", tree_path(name));
    if (system(command)) {
        char *text = content(name);
        fail_msg("%s is no JSON:\n%s", name, text);
    }
}

static void every_line_of_json_parses(void **state)
{
    (void)state;
    NEEDS_TUN;
    if (system("command -v python3 > /dev/null")) SKIP_BECAUSE("no python3 to parse it with");
    assert_int_equal(shell("$P serve --json --offline-after 5 . > serve.out 2> serve.err & S=$!; sleep 0.5;"
                           "$P get --json -o got http://10.77.0.2/small 2> get.err; $P get --json --trace http://10.77.0.2/nosuch > get404.out 2> get404.err;"
                           "$P get --json --every 100ms -n 2 http://10.77.0.2/small > every.out 2> every.err; $P get --json http://10.77.0.2:81/ 2> refused.err;"
                           "$P ping --json -c 1 10.77.0.2 > ping.out; $P ping --json -c 1 192.0.2.1 > away.out; $P doctor --json > doctor.out;"
                           "$P demo --json --scene udp > demo.out; kill -INT $S; wait $S"), 0);
    static const struct { const char *name, *says; } out[] = {
        {"serve.out", "\"event\":\"listening\""}, {"serve.out", "\"event\":\"answer\""}, {"serve.out", "\"event\":\"online\""}, {"serve.out", "\"event\":\"over\",\"answers\":4"},
        {"get.err", "\"status\":200,\"body_bytes\":6,\"output\":\"got\""}, {"get404.err", "\"kind\":\"out\""}, {"get404.err", "404 Not Found"},
        {"every.out", "\"event\":\"online\""}, {"every.out", "\"beats\":2,\"answers\":2"}, {"refused.err", "\"event\":\"problem\",\"command\":\"get\""},
        {"ping.out", "\"event\":\"answer\""}, {"ping.out", "\"sent\":1,\"answered\":1"}, {"away.out", "\"answered\":0"}, {"doctor.out", "\"facts\":["},
        {"demo.out", "\"protocol\":\"UDP\""}};
    for (size_t i = 0; i < COUNT_OF(out); i++) {
        assert_says(out[i].name, out[i].says);
        assert_parses(out[i].name);
    }
}

/* ---------------------------------------------------------------- capture files ---------------------------------------------------------------- */

struct capture {
    unsigned interfaces, frames, inbound, comments;
    bool links[3];                        /* [1] Ethernet, [2] raw IP */
    bool ordered;
};

static uint32_t get32(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Reads it block by block; every length must fit. */
static void read_capture(const char *path, struct capture *c, const char *comment)
{
    FILE *f = fopen(path, "rb");
    uint8_t *b = malloc(64u << 20);
    uint64_t last = 0;
    assert_non_null(f);
    size_t n = fread(b, 1, 64u << 20, f), at = 0;
    fclose(f);
    *c = (struct capture){.ordered = true};
    assert_true(n > 28 && get32(b) == 0x0a0d0d0a && get32(b + 8) == 0x1a2b3c4d);
    while (at < n) {
        assert_true(n - at >= 12);
        uint32_t type = get32(b + at), bytes = get32(b + at + 4);
        assert_true(bytes >= 12 && bytes % 4 == 0 && bytes <= n - at);
        assert_int_equal(get32(b + at + bytes - 4), bytes);
        if (type == 1) {
            c->interfaces++;
            c->links[b[at + 8] == 1 ? 1 : 2] = true;
        }
        if (type == 6) {
            uint64_t when = (uint64_t)get32(b + at + 12) << 32 | get32(b + at + 16);
            uint32_t len = get32(b + at + 20);
            assert_true(get32(b + at + 8) < c->interfaces && len <= bytes - 32);
            c->frames++;
            c->ordered = c->ordered && when >= last;
            last = when;
            for (uint32_t o = at + 28 + (len + 3) / 4 * 4; o + 4 < at + bytes - 4 && (b[o] | b[o + 1] << 8);) {
                uint32_t code = b[o] | (uint32_t)b[o + 1] << 8, size = b[o + 2] | (uint32_t)b[o + 3] << 8;
                if (code == 1 && size >= strlen(comment) && memmem(b + o + 4, size, comment, strlen(comment))) c->comments++;
                if (code == 2) c->inbound += b[o + 4] == 1;
                o += 4 + (size + 3) / 4 * 4;
            }
        }
        at += bytes;
    }
    assert_int_equal(at, n);
    free(b);
}

static void the_demos_capture_holds_all_acts(void **state)
{
    char words[600];
    struct capture c;
    (void)state;
    snprintf(words, sizeof words, "demo --size 1 --pcap %s", tree_path("demo.pcapng"));
    struct program_run *r = program_run(words, NULL);
    assert_int_equal(r->status, 0);
    bool act_c = !strstr(r->out, "Left out");
    program_forget(r);
    read_capture(tree_path("demo.pcapng"), &c, "[RFC 9293 3.10.1]");
    assert_int_equal(c.interfaces, act_c ? 5 : 4);
    assert_true(c.links[1] && c.links[2] && c.ordered);
    assert_true(c.frames > 150 && c.inbound > 70 && c.comments >= 5);
}

static void a_simulated_run_is_reported_captured_drawn_and_kept_over_time(void **state)
{
    static const char scenario[] = "time 3s\nhost a\nhost b\nrouter r\nlink a r delay=5ms\nlink r b rate=5Mbit delay=5ms queue=20\nimpair r>b loss nth=10\nflow a b bulk bytes=300kB\n";
    struct capture c;
    (void)state;
    FILE *f = fopen(tree_path("sim.txt"), "w");
    fwrite(scenario, 1, sizeof scenario - 1, f);
    fclose(f);
    f = fopen(tree_path("bad.txt"), "w");
    fputs("time 3s\nhost a\nlink a b\n", f);
    fclose(f);
    assert_int_equal(shell("$P sim --json sim.txt > sim.json && $P sim --json sim.txt > sim2.json && cmp sim.json sim2.json && $P sim --json --seed 9 sim.txt > sim3.json && ! cmp -s "
                           "sim.json sim3.json && $P sim --pcap caps --series sim.csv --every 50ms sim.txt > sim.out && $P sim --series sim.jsonl sim.txt > /dev/null && "
                           "$P sim --ladder sim.txt > sim.ladder && $P sim --decisions sim.txt > sim.decisions && $P sim -n sim.txt"), 0);
    assert_int_equal(shell("grep -q 'what is missing is lost' sim.decisions && ! grep -q 'decision: ' sim.ladder"), 0);
    assert_int_equal(shell("$P sim bad.txt 2> bad.err"), 1);
    assert_int_equal(shell("$P sim none.txt 2> none.err"), 1);
    assert_int_equal(shell("$P sim --json --ladder sim.txt 2> both.err"), 2);
    assert_int_equal(shell("$P sim --pcap /dev/null/x sim.txt 2> where.err"), 1);
    /* Told to end in the middle, it leaves whole rows and captures, and ends by the signal. */
    assert_int_equal(shell("sed 's/3s/100h/; s/ bytes=300kB//' sim.txt > long.txt; $P sim --pcap caps2 --series long.csv long.txt 2> long.err & until [ -s long.csv ]; do :; done; "
                           "kill -TERM $!; wait $!; [ $? = 143 ] && [ -z \"$(tail -c 1 long.csv)\" ] && tail -n 1 long.csv | grep -q ',link,b>r,' && grep -q ': interrupted$' long.err"), 0);
    read_capture(tree_path("caps2/r-b.pcapng"), &c, "lost on the way");
    assert_true(c.ordered && c.comments >= 1);
    assert_parses("sim.json");
    assert_parses("sim.jsonl");
    static const struct { const char *name, *says; } out[] = {{"sim.json", "\"event\":\"flow\",\"name\":\"flow1\",\"goodput_bps\":"}, {"sim.json", "\"lost_on_the_way\":1"},
        {"sim.json", "\"bytes\":300000"}, {"sim.out", "a>b              bulk"}, {"sim.out", "recoveries    probes time-outs    undone"}, {"sim.csv", ",pacing_bps,delivery_bps,retransmits,recoveries,loss_probes,time_outs,undone,queue_packets"}, {"sim.out", "digest "}, {"sim.csv", "time_ns,kind,name,received_bytes,goodput_bps,cwnd_bytes"},
        {"sim.csv", "\n50000000,flow,flow1,"}, {"sim.csv", "\n3000000000,link,r>b,,,,,,,,,,,,,,,,0,0,1,0\n"}, {"sim.ladder", "SYN-SENT"}, {"bad.err", "bad.txt: line 3: no host or router \"b\" was named above"},
        {"none.err", "none.txt: No such file"}, {"where.err", "Not a directory"}};
    for (size_t i = 0; i < COUNT_OF(out); i++)
        assert_says(out[i].name, out[i].says);
    read_capture(tree_path("caps/a-r.pcapng"), &c, "[RFC 9293 3.10.1]");
    assert_int_equal(c.interfaces, 2);
    assert_true(c.ordered && c.frames > 400 && c.inbound > 200 && c.inbound * 2 == c.frames && c.comments == 1);
    read_capture(tree_path("caps/r-b.pcapng"), &c, "lost on the way");
    assert_int_equal(c.inbound * 2 + 1, c.frames);
    assert_int_equal(c.comments, 1);
}

static void every_command_captures(void **state)
{
    struct capture c;
    (void)state;
    NEEDS_TUN;
    assert_int_equal(shell("$P serve --pcap serve.pcapng . > serve.out 2>&1 & S=$!; sleep 0.5; $P get --pcap get.pcapng -o got http://10.77.0.2/large 2> get.err;"
                           "$P ping -c 1 --pcap ping.pcapng 10.77.0.2 > ping.out; printf 'GET /small HTTP/1.0\\r\\n\\r\\n' | $P nc --pcap nc.pcapng 10.77.0.2 80 > nc.out;"
                           "kill -INT $S; wait $S"), 0);
    static const struct { const char *name, *comment; unsigned frames; } files[] = {
        {"serve.pcapng", "our own first sequence number told in the same segment", 20}, {"get.pcapng", "connect() was called", 20},
        {"ping.pcapng", "", 2}, {"nc.pcapng", "connect() was called", 6}};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        read_capture(tree_path(files[i].name), &c, files[i].comment);
        assert_true(c.frames >= files[i].frames && c.comments > 0 && c.ordered && c.inbound > 0);
    }
    assert_int_equal(shell("$P ping --pcap /nosuch/file localhost 2> err"), 1);
    assert_says("err", "cannot write /nosuch/file: No such file");
}

/* ---------------------------------------------------------------- mission M17 ---------------------------------------------------------------- */

static void heartbeats_tell_both_sides_who_is_online(void **state)
{
    (void)state;
    NEEDS_TUN;
    /* Beats each 0.2 s keep a client online that would be dropped after 0.5 s; one each 1 s does not; then the server's end is seen. */
    assert_int_equal(shell("$P serve --offline-after 500ms . > serve.out 2>&1 & S=$!; sleep 0.5; $P get --every 200ms -n 6 http://10.77.0.2/small > steady.out; echo; "
                           "$P get --every 1s -n 2 http://10.77.0.2/small > slow.out; $P get --every 200ms -n 8 http://10.77.0.2/small > end.out & G=$!; sleep 0.7;"
                           "kill -INT $S; wait $S; wait $G"), 1);
    assert_says("steady.out", "6 beats, 6 answered");
    assert_says("slow.out", "2 beats, 2 answered");
    assert_says("end.out", "online: beat 1, 200 OK in ");
    assert_says("end.out", "offline: beat ");
    assert_says("serve.out", " is offline: nothing was heard of it for too long");
    assert_says("serve.out", " is offline: the connection is over");
    char *text = content("serve.out");
    /* steady: once; slow: twice, a new connection for each beat; end: once */
    assert_int_equal(program_count(text, " is online: it has connected"), 4);
    free(text);
}

/* ---------------------------------------------------------------- progress ---------------------------------------------------------------- */

/* A terminal for stderr, on which the transfer is slow enough to be told about. */
static void long_transfers_tell_how_far_they_are(void **state)
{
    char said[8000] = "", command[1000];
    (void)state;
    NEEDS_TUN;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) SKIP_BECAUSE("no pseudo-terminal");
    snprintf(command, sizeof command, "cd %s; (sleep 1.6; echo end) | %s nc -l -w 5 7000 > nc.got 2> %s & sleep 0.5;"
        "bash -c 'exec 3<>/dev/tcp/10.77.0.2/7000; cat small >&3; cat <&3 > /dev/null'; wait", tree_path(""), program_path(), ptsname(terminal));
    if (system("command -v bash >/dev/null")) SKIP_BECAUSE("no bash");
    pid_t pid = testnet_spawn(&program_net, 0, (const char *const[]){"/bin/sh", "-c", command, NULL}, -1);
    size_t n = 0;
    for (int i = 0; i < 60 && !strstr(said, "MiB/s"); i++) {
        struct pollfd p = {.fd = terminal, .events = POLLIN};
        if (poll(&p, 1, 100) <= 0 || !(p.revents & POLLIN)) continue;
        ssize_t got = read(terminal, said + n, sizeof said - 1 - n);
        if (got <= 0) break;
        n += (size_t)got;
        said[n] = '\0';
    }
    assert_int_equal(program_await(pid, 10), 0);
    assert_non_null(strstr(said, "\r  received 0.0 MiB in "));
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_manual_name_the_same_options),
        cmocka_unit_test(the_completion_completes),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(every_line_of_json_parses),
        cmocka_unit_test(the_demos_capture_holds_all_acts),
        cmocka_unit_test(a_simulated_run_is_reported_captured_drawn_and_kept_over_time),
        cmocka_unit_test(every_command_captures),
        cmocka_unit_test(heartbeats_tell_both_sides_who_is_online),
        cmocka_unit_test(long_transfers_tell_how_far_they_are),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
