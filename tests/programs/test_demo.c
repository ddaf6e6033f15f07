/* SPDX-License-Identifier: MIT
 *
 * test_demo.c: `parley demo`, and what every command says of itself: help, version, refusals.
 * TIME-LIMIT: 120 s
 */
#include "support/program.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/testnet.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Runs, expects the status, and returns what it said for further questions. */
static struct program_run *expect(const char *words, int status)
{
    struct program_run *r = program_run(words, NULL);
    if (r->status != status) fprintf(stderr, "parley %s: status %d\n%s%s", words, r->status, r->out, r->err);
    assert_int_equal(r->status, status);
    return r;
}

static void every_command_explains_its_options(void **state)
{
    static const struct { const char *words, *says[4]; } help[] = {
        {"--help", {"demo", "serve DIR", "get URL", "doctor"}}, {"demo --help", {"--scene NAME", "--isn C,S", "--seed N", "--loss P"}},
        {"serve --help", {"--port N", "--iface KIND:NAME", "10.77.0.2", "Ctrl-C"}}, {"get --help", {"-o, --output FILE", "localhost", "--trace", "--netns"}},
        {"ping --help", {"-c, --count N", "--addr A/BITS", "ICMP", "HOST"}}, {"doctor --help", {"--json", "--json", "machine", "options"}}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(help); i++) {
        struct program_run *r = expect(help[i].words, 0);
        for (int k = 0; k < 4; k++)
            assert_non_null(strstr(r->out, help[i].says[k]));
        assert_int_equal(r->err_bytes, 0);
        program_forget(r);
    }
}

static void the_version_is_told(void **state)
{
    (void)state;
    struct program_run *r = expect("--version", 0);
    assert_int_equal(strncmp(r->out, "parley 0.", 9), 0);
    program_forget(r);
}

static void a_command_line_that_cannot_be_meant_ends_with_2_and_says_what_to_do(void **state)
{
    static const struct { const char *words, *says; } bad[] = {
        {"dance", "parley --help"}, {"demo --dance", "there is no option --dance"}, {"demo -x", "there is no option -x"},
        {"demo --isn 1", "as in 0,0"}, {"demo --isn 1,4294967296", "below 2^32"}, {"demo --isn -1,2", "as in 0,0"}, {"demo --isn 1,2,3", "as in 0,0"},
        {"demo --loss 91", "0 to 90"}, {"demo --loss x", "0 to 90"}, {"demo --loss nan", "0 to 90"}, {"demo --seed -1", "whole number"},
        {"demo --seed 99999999999999999999", "whole number"}, {"demo --act d", "a, b or c"}, {"demo --scene nosuch", "--list"},
        {"demo --scene", "needs a value"}, {"demo --list=yes", "takes no value"}, {"demo word", "one word too many"},
        {"demo --scene life --act b", "leave out --act b"}, {"serve", "it needs DIR"}, {"serve --port 0 .", "1 to 65535"},
        {"serve --port 65536 .", "1 to 65535"}, {"serve --iface eth0 .", "tun:NAME"}, {"serve --iface tun:x .", "--addr"},
        {"serve --addr 10.1.0.2/24 .", "--kernel"}, {"serve --addr 10.1.0.2/33 .", "as in 10.1.0.2/24"}, {"serve --addr 300.1.0.2 .", "as in"},
        {"serve --netns --iface tun:x --addr 10.0.0.1 .", "--netns makes its own link"}, {"get", "it needs URL"}, {"get ftp://host/", "http://HOST"},
        {"get http://", "http://HOST"}, {"get http://host:0/", "http://HOST"}, {"get http://u@host/", "http://HOST"}, {"ping", "it needs HOST"},
        {"ping -c x 10.0.0.1", "whole number"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct program_run *r = expect(bad[i].words, 2);
        if (!strstr(r->err, bad[i].says)) fprintf(stderr, "parley %s says: %s", bad[i].words, r->err);
        assert_non_null(strstr(r->err, bad[i].says));
        assert_int_equal(strncmp(r->err, "parley", 6), 0);
        assert_int_equal(r->out_bytes, 0);
        program_forget(r);
    }
}

/* Mission M13, as the program prints it. */
static void with_isn_0_0_the_arithmetic_is_that_of_the_mission(void **state)
{
    static const char *const in_order[] = {
        "SYN seq=0 ack=0 len=0", "SYN,ACK seq=0 ack=1 len=0", "ACK seq=1 ack=1 len=0", "PSH,ACK seq=1 ack=1 len=99", "PSH,ACK seq=1 ack=100 len=119",
        "ACK seq=100 ack=120 len=0", "FIN,ACK seq=100 ack=120 len=0", "ACK seq=120 ack=101 len=0", "FIN,ACK seq=120 ack=101 len=0",
        "ACK seq=101 ack=121 len=0", "TIME-WAIT -> CLOSED"};
    (void)state;
    struct program_run *r = expect("demo --isn 0,0", 0);
    const char *at = r->out;
    for (size_t i = 0; i < COUNT_OF(in_order); i++) {
        at = strstr(at, in_order[i]);
        if (!at) fprintf(stderr, "not there, or not in this order: %s\n", in_order[i]);
        assert_non_null(at);
    }
    program_forget(r);
}

/* The picture itself. It is plain ASCII here: LC_ALL=C. After a change that is meant: parley demo --scene life --isn 0,0 --seed 1. */
static const char life[] =
    "\n"
    "life: a connection from beginning to end\n"
    "Watch the two states: nobody is ESTABLISHED before it knows that the other side hears it. SYN and\n"
    "FIN count as one byte each.\n"
    "           client                                                                       server\n"
    "  0.000000 The client is CLOSED, the server in LISTEN. Three messages: each side tells its first\n"
    "           sequence number and hears that it was heard.\n"
    "  0.000000 SYN-SENT     --SYN seq=0 ack=0 len=0 win=65535-----------------------------> SYN-RECEIVED\n"
    "           connect() was called: ask the peer to open, telling it our first sequence number\n"
    "           [RFC 9293 3.10.1]\n"
    "  0.010000 ESTABLISHED  <-------------------------SYN,ACK seq=0 ack=1 len=0 win=65535-- SYN-RECEIVED\n";

static void the_first_scene_looks_as_it_should(void **state)
{
    (void)state;
    struct program_run *r = expect("demo --scene life --isn 0,0 --seed 1", 0);
    if (strncmp(r->out, life, strlen(life))) fprintf(stderr, "%s", r->out);
    assert_int_equal(strncmp(r->out, life, strlen(life)), 0);
    assert_null(strchr(r->out, '\033'));
    program_forget(r);
}

static void every_scene_plays_also_with_losses_and_over_ipv6(void **state)
{
    static const char *const how[] = {"", "--v6", "--isn keyed", "--loss 20", "--loss 60 --seed 7", "--json"};
    char words[200], name[40];
    int used;
    (void)state;
    struct program_run *list = expect("demo --list", 0);
    unsigned scenes = 0;
    for (const char *at = list->out; *at != '\n' && sscanf(at, " %39s%n", name, &used) == 1; at = strchr(at, '\n') + 1, scenes++) {
        for (size_t i = 0; i < COUNT_OF(how); i++) {
            snprintf(words, sizeof words, "demo --scene %s %s", name, how[i]);
            struct program_run *r = expect(words, 0);
            assert_true(r->out_bytes > 200);
            program_forget(r);
        }
    }
    assert_true(scenes >= 7);
    program_forget(list);
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    struct program_run *a = expect("demo --act a --isn keyed --loss 30 --seed 5", 0), *b = expect("demo --act a --isn keyed --loss 30 --seed 5", 0),
        *c = expect("demo --act a --isn keyed --loss 30 --seed 6", 0);
    assert_string_equal(a->out, b->out);
    assert_string_not_equal(a->out, c->out);
    program_forget(a);
    program_forget(b);
    program_forget(c);
}

static void json_is_one_object_a_line(void **state)
{
    (void)state;
    struct program_run *r = expect("demo --json", 0);
    unsigned lines = 0;
    for (char *line = strtok(r->out, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        assert_int_equal(strncmp(line, "{\"time_ns\":", 11), 0);
        assert_int_equal(line[strlen(line) - 1], '}');
    }
    assert_true(lines > 100);
    program_forget(r);
}

/* Mission M18: 14 bytes of Ethernet, 20 or 40 of IP, 32 of TCP, and every checksum right. */
static void act_b_shows_what_each_layer_adds(void **state)
{
    (void)state;
    struct program_run *r = expect("demo --act b", 0), *six = expect("demo --act b --v6", 0), *lossy = expect("demo --act b --loss 30", 0);
    assert_non_null(strstr(r->out, "[Ethernet 14 | IPv4 20 | TCP 20+12 | HTTP 37]"));
    assert_non_null(strstr(r->out, "= 14 of its own + 89 from above"));
    assert_int_equal(program_count(r->out, ": right"), 2);
    assert_non_null(strstr(r->out, "200 OK, \"Hello from the other side of the wire.\""));
    assert_non_null(strstr(six->out, "[Ethernet 14 | IPv6 40 | TCP 20+12 | HTTP 37]"));
    assert_non_null(strstr(lossy->out, "200 OK, \"Hello"));
    program_forget(r);
    program_forget(six);
    program_forget(lossy);
}

/* ---------------------------------------------------------------- act c ---------------------------------------------------------------- */

static void assert_act_c_played(const struct program_run *r)
{
    if (program_count(r->out, "every byte the same") != 4) fprintf(stderr, "%s%s", r->out, r->err);
    assert_int_equal(program_count(r->out, "every byte the same"), 4);
    assert_non_null(strstr(r->out, "curl from parley, IPv4"));
    assert_non_null(strstr(r->out, "curl from parley, IPv6"));
    assert_non_null(strstr(r->out, "parley from the kernel's sockets, IPv4"));
    assert_non_null(strstr(r->out, "parley from the kernel's sockets, IPv6"));
    /* Handshake and farewell, of both roles. */
    assert_int_equal(program_count(r->out, "SYN,ACK seq="), 2);
    assert_true(program_count(r->out, "FIN,") >= 4);
}

static void act_c_plays_with_the_kernel(void **state)
{
    char why[300];
    (void)state;
    if (!testnet_af_packet_possible(why, sizeof why)) SKIP_BECAUSE(why);
    struct program_run *r = expect("demo --act c", 0);
    assert_act_c_played(r);
    program_forget(r);
}

static int become_nobody(void)
{
    return setgid(65534) || setuid(65534);
}

static void act_c_needs_no_root(void **state)
{
    (void)state;
    if (geteuid() != 0) SKIP_BECAUSE("not root, so the case before has shown it");
    if (access(program_path(), X_OK)) SKIP_BECAUSE("no program");
    struct program_run *r = program_run("demo --act c --size 5", become_nobody);
    if (r->status == 127) SKIP_BECAUSE("the build's folder cannot be read by other users");
    assert_int_equal(r->status, 0);
    /* Where users may have no namespaces, that is said; else everything works. */
    if (!strstr(r->out, "Left out: ")) assert_act_c_played(r);
    program_forget(r);
}

/* A user namespace of our own in which no network namespace may be made. */
static int forbid_namespaces(void)
{
    unsigned uid = geteuid();
    if (unshare(CLONE_NEWUSER) < 0) return 77;
    int fd = open("/proc/self/uid_map", O_WRONLY);
    if (fd < 0 || dprintf(fd, "0 %u 1", uid) < 0) return 77;
    close(fd);
    fd = open("/proc/sys/user/max_net_namespaces", O_WRONLY);
    if (fd < 0 || write(fd, "0", 1) != 1) return 77;
    close(fd);
    return 0;
}

static void where_namespaces_are_refused_act_c_says_why_and_the_demo_succeeds(void **state)
{
    (void)state;
    struct program_run *r = program_run("demo", forbid_namespaces);
    if (r->status == 77) SKIP_BECAUSE("no user namespace to forbid namespaces in");
    assert_int_equal(r->status, 0);
    const char *out = strstr(r->out, "Left out: ");
    assert_non_null(out);
    assert_non_null(strstr(out, "parley doctor"));
    assert_int_equal(r->err_bytes, 0);
    program_forget(r);
}

static bool empty(const char *dir)
{
    DIR *d = opendir(dir);
    bool any = false;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        any |= e->d_name[0] != '.';
    if (d) closedir(d);
    return !any;
}

static bool within(double seconds, bool wanted, const char *dir)
{
    for (double t = 0; t < seconds; t += 0.01) {
        if (empty(dir) == wanted) return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return false;
}

static void act_c_leaves_nothing_behind_however_it_ends(void **state)
{
    static const int how[] = {SIGINT, SIGTERM, SIGKILL};
    char dir[] = "/tmp/parley-test-XXXXXX", why[300];
    (void)state;
    if (!testnet_af_packet_possible(why, sizeof why)) SKIP_BECAUSE(why);
    assert_non_null(mkdtemp(dir));
    setenv("TMPDIR", dir, 1);
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        pid_t pid = program_start("demo --act c --size 400", -1);
        assert_true(within(20, false, dir));
        kill(pid, how[i]);
        assert_int_equal(program_await(pid, 30), 128 + how[i]);
        assert_true(within(30, true, dir));
    }
    unsetenv("TMPDIR");
    assert_int_equal(rmdir(dir), 0);
}

static void the_doctor_knows_this_machine(void **state)
{
    (void)state;
    struct program_run *r = expect("doctor", 0), *j = expect("doctor --json", 0);
    assert_non_null(strstr(r->out, "network namespaces"));
    assert_non_null(strstr(r->out, "Act c"));
    assert_non_null(strstr(r->out, "Whatever nobody owns is CLOSED within"));
    assert_non_null(strstr(j->out, "\"longest_life_s\":1560"));
    assert_int_equal(j->out[0], '{');
    assert_non_null(strstr(j->out, "{\"name\":\"namespaces\",\"verdict\":\""));
    assert_non_null(strstr(j->out, "\"act_c\":"));
    program_forget(r);
    program_forget(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_explains_its_options),
        cmocka_unit_test(the_version_is_told),
        cmocka_unit_test(a_command_line_that_cannot_be_meant_ends_with_2_and_says_what_to_do),
        cmocka_unit_test(with_isn_0_0_the_arithmetic_is_that_of_the_mission),
        cmocka_unit_test(the_first_scene_looks_as_it_should),
        cmocka_unit_test(every_scene_plays_also_with_losses_and_over_ipv6),
        cmocka_unit_test(a_seed_decides_everything),
        cmocka_unit_test(json_is_one_object_a_line),
        cmocka_unit_test(act_b_shows_what_each_layer_adds),
        cmocka_unit_test(act_c_plays_with_the_kernel),
        cmocka_unit_test(act_c_needs_no_root),
        cmocka_unit_test(where_namespaces_are_refused_act_c_says_why_and_the_demo_succeeds),
        cmocka_unit_test(act_c_leaves_nothing_behind_however_it_ends),
        cmocka_unit_test(the_doctor_knows_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
