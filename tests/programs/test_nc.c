/* SPDX-License-Identifier: MIT
 *
 * test_nc.c: `parley nc` against the kernel's sockets, in a network namespace: bytes both ways, both half-closes (RFC 9293 3.6), UDP (RFC 768), and
 * every way in which it ends.
 * TIME-LIMIT: 120 s
 */
#include "support/http_tree.h"
#include "support/program.h"
#include "support/program_net.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/testnet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LARGE (64u << 20)
#define PORT 7000


static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int group_setup(void **state)
{
    (void)state;
    program_net_open(LARGE);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    program_net_close();
    return 0;
}

/* ---------------------------------------------------------------- the program ---------------------------------------------------------------- */

/* `parley nc WORDS` in the namespace; stdin, stdout are what the shell makes of `ends` ("< a > b"), stderr the file "said". All in the tree. */
static pid_t start(const char *words, const char *ends)
{
    char command[1000];
    unlink(tree_path("said"));
    snprintf(command, sizeof command, "cd %s && exec %s nc %s %s 2> said", tree_path(""), program_path(), words, ends);
    pid_t pid = testnet_spawn(&program_net, 0, (const char *const[]){"/bin/sh", "-c", command, NULL}, -1);
    assert_true(pid > 0);
    return pid;
}

static char *content(const char *name, size_t *n)
{
    char *bytes = calloc(1, LARGE + 2);
    int fd = open(tree_path(name), O_RDONLY);
    ssize_t got;
    *n = 0;
    while (fd >= 0 && (got = read(fd, bytes + *n, LARGE + 1 - *n)) > 0)
        *n += (size_t)got;
    if (fd >= 0) close(fd);
    return bytes;
}

static bool says(const char *what)
{
    size_t n;
    char *text = content("said", &n);
    bool there = strstr(text, what) != NULL;
    free(text);
    return there;
}

static bool await_words(const char *what)
{
    for (int i = 0; i < 500; i++, pause_ms(10))
        if (says(what)) return true;
    return false;
}

static void assert_ends(pid_t pid, int status)
{
    int got = program_await(pid, 20);
    if (got != status) {
        size_t n;
        char *text = content("said", &n);
        fail_msg("it ended with %d, not %d, and said: %s", got, status, text);
    }
}

static void assert_content(const char *name, const char *text)
{
    size_t n;
    char *got = content(name, &n);
    assert_string_equal(got, text);
    free(got);
}

static void assert_large(const char *name)
{
    size_t n;
    char *got = content(name, &n);
    assert_int_equal(n, LARGE);
    for (size_t i = 0; i < n; i++)
        if (got[i] != tree_large_byte(i)) fail_msg("byte %zu of %s differs", i, name);
    free(got);
}

/* ---------------------------------------------------------------- the kernel's side ---------------------------------------------------------------- */

static int listening(int type)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    int fd = testnet_socket(&program_net, 0, AF_INET6, type, 0), one = 1;
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    if (type == SOCK_STREAM) assert_int_equal(listen(fd, 5), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
    return fd;
}

static int accepted(int listener)
{
    int fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
    close(listener);
    return fd;
}

static int dialled(bool six)
{
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    inet_pton(AF_INET, "10.77.0.2", &a4.sin_addr);
    inet_pton(AF_INET6, "fd77::2", &a6.sin6_addr);
    int fd = testnet_socket(&program_net, 0, six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 10}, sizeof(struct timeval));
    assert_int_equal(six ? connect(fd, (struct sockaddr *)&a6, sizeof a6) : connect(fd, (struct sockaddr *)&a4, sizeof a4), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until the end of the stream. */
static void assert_reads(int fd, const char *text)
{
    char got[200] = "";
    size_t n = 0;
    ssize_t r;
    while (n < sizeof got - 1 && (r = read(fd, got + n, sizeof got - 1 - n)) > 0)
        n += (size_t)r;
    assert_int_equal(r, 0);
    assert_string_equal(got, text);
}

/* Sends the large file and takes the same, both at once, and half-closes. */
static void exchange_large(int fd)
{
    static char piece[65536];
    size_t out = 0, in = 0;
    bool open_in = true, open_out = true;
    while (open_in || open_out) {
        struct pollfd p = {.fd = fd, .events = (short)((open_in ? POLLIN : 0) | (open_out ? POLLOUT : 0))};
        assert_true(poll(&p, 1, 10000) > 0);
        if (open_in && p.revents & (POLLIN | POLLHUP | POLLERR)) {
            ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
            assert_true(n >= 0);
            for (ssize_t i = 0; i < n; i++)
                if (piece[i] != tree_large_byte(in + (size_t)i)) fail_msg("byte %zu differs", in + (size_t)i);
            in += (size_t)n;
            open_in = n > 0;
        }
        if (open_out && p.revents & POLLOUT) {
            size_t n = LARGE - out < sizeof piece ? LARGE - out : sizeof piece;
            for (size_t i = 0; i < n; i++)
                piece[i] = tree_large_byte(out + i);
            ssize_t took = send(fd, piece, n, MSG_DONTWAIT | MSG_NOSIGNAL);
            assert_true(took > 0 || errno == EAGAIN);
            if (took > 0) out += (size_t)took;
            if (out == LARGE) open_out = false, shutdown(fd, SHUT_WR);
        }
    }
    assert_int_equal(in, LARGE);
}

static bool interface_exists(void)
{
    return testnet_link_up(&program_net, 0, "parley0", true) == 0;
}

/* ---------------------------------------------------------------- bytes ---------------------------------------------------------------- */

static void large_files_both_ways_at_once(void **state)
{
    static const struct { const char *words, *ends; } how[] = {
        {"10.77.0.1 7000", "< large > got"}, {"fd77::1 7000", "< large > got"}, {"localhost 7000", "< large | cat > got"}};
    (void)state;
    NEEDS_TUN;
    for (size_t i = 0; i < COUNT_OF(how); i++) {
        int l = listening(SOCK_STREAM);
        pid_t pid = start(how[i].words, how[i].ends);
        int fd = accepted(l);
        exchange_large(fd);
        assert_ends(pid, 0);
        close(fd);
        assert_large("got");
        unlink(tree_path("got"));
    }
}

static void a_listener_takes_one_connection_and_says_where_it_listens(void **state)
{
    (void)state;
    NEEDS_TUN;
    for (int six = 0; six < 2; six++) {
        pid_t pid = start("-l 7000", "< small > got");
        assert_true(await_words("listening on [fd77::2]:7000"));
        assert_true(says("listening on 10.77.0.2:7000"));
        int fd = dialled(six);
        put(fd, "question\n");
        assert_reads(fd, "hello\n");
        struct sockaddr_in again = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        inet_pton(AF_INET, "10.77.0.2", &again.sin_addr);
        int second = testnet_socket(&program_net, 0, AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(second, (struct sockaddr *)&again, sizeof again), -1);
        assert_int_equal(errno, ECONNREFUSED);
        close(second);
        close(fd);
        assert_ends(pid, 0);
        assert_content("got", "question\n");
    }
}

/* ---------------------------------------------------------------- half-close ---------------------------------------------------------------- */

static void after_the_end_of_stdin_the_answer_still_arrives(void **state)
{
    (void)state;
    NEEDS_TUN;
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< small > got");
    int fd = accepted(l);
    assert_reads(fd, "hello\n");          /* and its end: a FIN */
    pause_ms(200);
    put(fd, "the answer\n");
    close(fd);
    assert_ends(pid, 0);
    assert_content("got", "the answer\n");
}

static void after_the_peers_end_stdout_ends_and_stdin_still_goes_out(void **state)
{
    char got[100];
    (void)state;
    NEEDS_TUN;
    unlink(tree_path("in"));
    unlink(tree_path("out"));
    assert_int_equal(mkfifo(tree_path("in"), 0600) | mkfifo(tree_path("out"), 0600), 0);
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< in > out");
    int in = open(tree_path("in"), O_WRONLY), out = open(tree_path("out"), O_RDONLY);
    int fd = accepted(l);
    put(fd, "all\n");
    shutdown(fd, SHUT_WR);
    assert_int_equal(read(out, got, sizeof got), 4);
    assert_int_equal(poll(&(struct pollfd){.fd = out, .events = POLLIN}, 1, 5000), 1);
    assert_int_equal(read(out, got, sizeof got), 0);           /* stdout was closed */
    assert_int_equal(write(in, "later\n", 6), 6);
    pause_ms(100);
    assert_int_equal(write(in, "last\n", 5), 5);
    close(in);
    assert_reads(fd, "later\nlast\n");
    close(fd);
    close(out);
    assert_ends(pid, 0);
}

/* ---------------------------------------------------------------- nobody reads ---------------------------------------------------------------- */

static long resident_kib(pid_t pid)
{
    char path[60], line[200];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "VmRSS: %ld", &kib);
    if (f) fclose(f);
    return kib;
}

static void who_does_not_read_holds_back_the_peer_and_not_memory(void **state)
{
    static char piece[65536];
    size_t sent = 0, got = 0;
    ssize_t n;
    (void)state;
    NEEDS_TUN;
    unlink(tree_path("out"));
    assert_int_equal(mkfifo(tree_path("out"), 0600), 0);
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< /dev/null > out");
    int out = open(tree_path("out"), O_RDONLY), fd = accepted(l);
    for (int quiet = 0; quiet < 20; quiet++, pause_ms(10)) {
        while ((n = send(fd, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
            sent += (size_t)n;
            quiet = 0;
        }
        assert_true(sent < LARGE);
    }
    assert_in_range(resident_kib(pid), 1, 40 * 1024);
    shutdown(fd, SHUT_WR);
    while ((n = read(out, piece, sizeof piece)) > 0)
        got += (size_t)n;
    assert_int_equal(got, sent);
    assert_ends(pid, 0);
    close(fd);
    close(out);
}

static void without_a_reader_of_stdout_it_ends_with_a_reset(void **state)
{
    char byte;
    (void)state;
    NEEDS_TUN;
    unlink(tree_path("in"));
    unlink(tree_path("out"));
    assert_int_equal(mkfifo(tree_path("in"), 0600) | mkfifo(tree_path("out"), 0600), 0);
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< in > out");
    int in = open(tree_path("in"), O_WRONLY), out = open(tree_path("out"), O_RDONLY), fd = accepted(l);
    close(out);
    put(fd, "for nobody\n");
    assert_ends(pid, 1);
    assert_true(says("cannot write to stdout: Broken pipe"));
    while (read(fd, &byte, 1) > 0)
        ;
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    close(in);
}

/* ---------------------------------------------------------------- what goes wrong ---------------------------------------------------------------- */

static void it_says_what_went_wrong(void **state)
{
    static const struct { const char *words, *says; int status; } bad[] = {
        {"localhost 7001", "10.77.0.1:7001: connection refused by the peer", 1}, {"-6 localhost 7001", "[fd77::1]:7001: connection refused", 1},
        {"192.0.2.1 7001 -w 5", "no route", 1}, {"-u localhost 7001 -w 5", "connection refused", 1}, {"-6 10.77.0.1 7001", "no address of that family", 1},
        {"-l 7001 -w 0.2", "nobody came", 1}, {"nosuch.invalid 7001", "nosuch.invalid: ", 1}, {"localhost 0", "1 to 65535", 2}, {"localhost", "HOST and PORT", 2},
        {"-l localhost 7001", "PORT alone", 2}, {"-4 -6 localhost 7001", "no address", 2}, {"-u -k 5 localhost 7001", "TCP's", 2}, {"-w x localhost 7001", "a time", 2}};
    (void)state;
    NEEDS_TUN;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        pid_t pid = start(bad[i].words, "< small > got");
        assert_ends(pid, bad[i].status);
        if (!says(bad[i].says)) fail_msg("nc %s does not say \"%s\"", bad[i].words, bad[i].says);
        assert_false(interface_exists());
    }
}

static void silence_beyond_the_timeout_ends_it(void **state)
{
    char byte;
    (void)state;
    NEEDS_TUN;
    int l = listening(SOCK_STREAM);
    pid_t pid = start("-w 300ms localhost 7000", "< /dev/null > got");
    int fd = accepted(l);
    assert_ends(pid, 1);
    assert_true(says("nothing moved for too long"));
    assert_int_equal(read(fd, &byte, 1), 0);           /* its FIN, then the reset */
    close(fd);
}

static void a_reset_by_the_peer_is_told(void **state)
{
    (void)state;
    NEEDS_TUN;
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< /dev/null > got");
    int fd = accepted(l);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    close(fd);
    assert_ends(pid, 1);
    assert_true(says("connection reset"));
}

static void a_lost_interface_ends_it(void **state)
{
    (void)state;
    NEEDS_TUN;
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< /dev/null > got");
    int fd = accepted(l);
    assert_int_equal(testnet_link_delete(&program_net, 0, "parley0"), 0);
    assert_ends(pid, 1);
    assert_true(says("parley0 was taken away"));
    close(fd);
}

static void ctrl_c_resets_and_leaves_nothing(void **state)
{
    char byte;
    (void)state;
    NEEDS_TUN;
    unlink(tree_path("in"));
    assert_int_equal(mkfifo(tree_path("in"), 0600), 0);
    int l = listening(SOCK_STREAM);
    pid_t pid = start("localhost 7000", "< in > got");
    int in = open(tree_path("in"), O_WRONLY), fd = accepted(l);
    assert_int_equal(write(in, "half", 4), 4);
    assert_int_equal(read(fd, &byte, 1), 1);
    kill(pid, SIGINT);
    assert_ends(pid, 130);
    while (read(fd, &byte, 1) > 0)
        ;
    assert_int_equal(errno, ECONNRESET);  /* not an end: the peer must not take the half for the whole */
    close(fd);
    close(in);
    assert_false(interface_exists());
}

/* ---------------------------------------------------------------- the rest ---------------------------------------------------------------- */

static void keepalive_asks_a_silent_peer(void **state)
{
    (void)state;
    NEEDS_TUN;
    unlink(tree_path("in"));
    assert_int_equal(mkfifo(tree_path("in"), 0600), 0);
    int l = listening(SOCK_STREAM);
    pid_t pid = start("-v --keepalive 100ms localhost 7000", "< in > got");
    int in = open(tree_path("in"), O_WRONLY), fd = accepted(l);
    assert_true(await_words("[RFC 9293 3.8.4]"));
    close(fd);
    close(in);
    assert_ends(pid, 0);
}

static void udp_goes_both_ways(void **state)
{
    char got[100] = "";
    struct sockaddr_in6 from;
    socklen_t size = sizeof from;
    (void)state;
    NEEDS_TUN;
    int s = listening(SOCK_DGRAM);
    pid_t pid = start("-u localhost 7000", "< small > got");
    assert_int_equal(recvfrom(s, got, sizeof got, 0, (struct sockaddr *)&from, &size), 6);
    assert_string_equal(got, "hello\n");
    assert_int_equal(sendto(s, "answer\n", 7, 0, (struct sockaddr *)&from, size), 7);
    assert_ends(pid, 0);
    assert_content("got", "answer\n");
    /* The other role. */
    pid = start("-u -l -w 500ms 7000", "< small > got");
    assert_true(await_words("listening on [fd77::2]:7000"));
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    inet_pton(AF_INET6, "fd77::2", &to.sin6_addr);
    assert_int_equal(sendto(s, "question\n", 9, 0, (struct sockaddr *)&to, sizeof to), 9);
    assert_int_equal(recv(s, got, sizeof got, 0), 6);
    assert_ends(pid, 0);
    assert_content("got", "question\n");
    close(s);
}

static void json_tells_what_happens(void **state)
{
    (void)state;
    NEEDS_TUN;
    int l = listening(SOCK_STREAM);
    pid_t pid = start("--json --trace localhost 7000", "< small > got");
    int fd = accepted(l);
    assert_reads(fd, "hello\n");
    close(fd);
    assert_ends(pid, 0);
    static const char *const lines[] = {"{\"event\":\"connected\",\"local\":\"10.77.0.2:", "\"remote\":\"10.77.0.1:7000\"}\n",
        "{\"event\":\"input-ended\",\"sent_bytes\":6}\n", "{\"event\":\"peer-finished\",\"received_bytes\":0}\n",
        "{\"event\":\"over\",\"sent_bytes\":6,\"received_bytes\":0,\"error\":\"\"}\n", "\"kind\":\"out\",\"protocol\":\"TCP\""};
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (!says(lines[i])) fail_msg("not there: %s", lines[i]);
    char command[600];
    snprintf(command, sizeof command, "python3 -m json.tool --json-lines %s > /dev/null", tree_path("said"));
    if (system("command -v python3 > /dev/null")) SKIP_BECAUSE("no python3 to parse it with");
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_files_both_ways_at_once),
        cmocka_unit_test(a_listener_takes_one_connection_and_says_where_it_listens),
        cmocka_unit_test(after_the_end_of_stdin_the_answer_still_arrives),
        cmocka_unit_test(after_the_peers_end_stdout_ends_and_stdin_still_goes_out),
        cmocka_unit_test(who_does_not_read_holds_back_the_peer_and_not_memory),
        cmocka_unit_test(without_a_reader_of_stdout_it_ends_with_a_reset),
        cmocka_unit_test(it_says_what_went_wrong),
        cmocka_unit_test(silence_beyond_the_timeout_ends_it),
        cmocka_unit_test(a_reset_by_the_peer_is_told),
        cmocka_unit_test(a_lost_interface_ends_it),
        cmocka_unit_test(ctrl_c_resets_and_leaves_nothing),
        cmocka_unit_test(keepalive_asks_a_silent_peer),
        cmocka_unit_test(udp_goes_both_ways),
        cmocka_unit_test(json_tells_what_happens),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
