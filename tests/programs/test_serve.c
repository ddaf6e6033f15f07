/* SPDX-License-Identifier: MIT
 *
 * test_serve.c: `parley serve`, `parley get`, `parley ping` against the kernel, in a network namespace; and how serve ends. Mission M16 and M20 through the
 * program; RFC 9112 9.3 (persistence, pipelining), RFC 1945 (one request a connection).
 * TIME-LIMIT: 120 s
 */
#include "support/http_tree.h"
#include "support/program.h"
#include "support/program_net.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/http_sockets.h"
#include "os/host/testnet.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LARGE (3u << 20)

static pid_t server;
static char said[4096];
static int said_fd = -1;

/* ---------------------------------------------------------------- a server in the namespace ---------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads what the program says until `what` is in it, or its end. */
static bool await_word(const char *what, double limit)
{
    double end = seconds() + limit;
    size_t n = strlen(said);
    while (!(*what && strstr(said, what)) && n + 1 < sizeof said && seconds() < end) {
        struct pollfd p = {.fd = said_fd, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0) continue;
        ssize_t got = read(said_fd, said + n, sizeof said - 1 - n);
        if (got <= 0) break;
        n += (size_t)got;
        said[n] = '\0';
    }
    return strstr(said, what) != NULL;
}

static pid_t spawn(const char *const argv[])
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (said_fd >= 0) close(said_fd);
    said_fd = ends[0];
    said[0] = '\0';
    pid_t pid = testnet_spawn(&program_net, 0, argv, ends[1]);
    close(ends[1]);
    return pid;
}

static void start_server(void)
{
    const char *const argv[] = {program_path(), "serve", tree_path(""), NULL};
    server = spawn(argv);
    assert_true(server > 0);
    if (!await_word("Ctrl-C ends it", 5)) fprintf(stderr, "%s", said);
    assert_non_null(strstr(said, "curl http://10.77.0.2/"));
    assert_non_null(strstr(said, "curl http://[fd77::2]/"));
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

static int setup(void **state)
{
    (void)state;
    if (program_net_works) start_server();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (program_net_works && server > 0) {
        kill(server, SIGKILL);
        program_await(server, 1);
    }
    server = 0;
    return 0;
}

/* ---------------------------------------------------------------- talking to it ---------------------------------------------------------------- */

static int dial(bool six)
{
    struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
    inet_pton(AF_INET, "10.77.0.2", &a4.sin_addr);
    inet_pton(AF_INET6, "fd77::2", &a6.sin6_addr);
    int fd = testnet_socket(&program_net, 0, six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 5}, sizeof(struct timeval));
    assert_int_equal(six ? connect(fd, (struct sockaddr *)&a6, sizeof a6) : connect(fd, (struct sockaddr *)&a4, sizeof a4), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads until the end of the stream, or `size` - 1 bytes. */
static size_t get_all(int fd, char *to, size_t size)
{
    size_t n = 0;
    ssize_t got;
    while (n < size - 1 && (got = read(fd, to + n, size - 1 - n)) > 0)
        n += (size_t)got;
    to[n] = '\0';
    return n;
}

static void http_1_0_is_one_request_a_connection(void **state)
{
    char answer[2000];
    (void)state;
    NEEDS_TUN;
    for (int six = 0; six < 2; six++) {
        int fd = dial(six);
        put(fd, "GET /small HTTP/1.0\r\n\r\n");
        get_all(fd, answer, sizeof answer);            /* ends: the server has closed */
        assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
        assert_string_equal(answer + strlen(answer) - 10, "\r\n\r\nhello\n");
        close(fd);
    }
}

static void http_1_1_pipelined_requests_are_answered_in_order(void **state)
{
    char answer[4000];
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    put(fd, "GET /small HTTP/1.1\r\nHost: a\r\n\r\nGET /nosuch HTTP/1.1\r\nHost: a\r\n\r\nHEAD /small HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    get_all(fd, answer, sizeof answer);
    const char *second = strstr(answer, "HTTP/1.1 404 Not Found");
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK", 15), 0);
    assert_non_null(second);
    assert_int_equal(program_count(second, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(program_count(answer, "\r\n\r\nhello\n"), 2);
    close(fd);
    assert_true(await_word("\"HEAD /small HTTP/1.1\" 200 0", 2));
    assert_non_null(strstr(said, "\"GET /nosuch HTTP/1.1\" 404"));
    assert_int_equal(program_count(said, "\"GET /small HTTP/1.1\" 200 6"), 2);
}

/* RFC 9110 14 (ranges), 13 (conditions), 15.4.2 (a folder's address ends with /); RFC 9112 6.3 (a length that is said twice is none). */
static void ranges_conditions_folders_and_smuggling_are_answered_as_the_rfc_says(void **state)
{
    static const struct { const char *request, *answer, *holds; } asked[] = {
        {"GET /small HTTP/1.1\r\nRange: bytes=1-3\r\n", "HTTP/1.1 206 ", "\r\n\r\nell"}, {"GET /small HTTP/1.1\r\nRange: bytes=-2\r\n", "HTTP/1.1 206 ", "\r\n\r\no\n"},
        {"GET /small HTTP/1.1\r\nRange: bytes=9-\r\n", "HTTP/1.1 416 ", "Content-Range: bytes */6"},
        {"GET /small HTTP/1.1\r\nIf-None-Match: *\r\n", "HTTP/1.1 304 ", "ETag: "},
        {"GET /small HTTP/1.1\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n", "HTTP/1.1 304 ", ""},
        {"GET /small HTTP/1.1\r\nIf-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n", "HTTP/1.1 200 ", "hello"},
        {"GET /small HTTP/1.1\r\nIf-Match: \"other\"\r\n", "HTTP/1.1 412 ", ""}, {"GET /sub HTTP/1.1\r\n", "HTTP/1.1 301 ", "Location: ./sub/"},
        {"GET /sub/ HTTP/1.1\r\n", "HTTP/1.1 200 ", "\r\n\r\nthe index\n"}, {"GET / HTTP/1.1\r\n", "HTTP/1.1 200 ", "href=\"./small\""},
        {"GET /../secret HTTP/1.1\r\n", "HTTP/1.1 40", ""}, {"DELETE /small HTTP/1.1\r\n", "HTTP/1.1 405 ", "Allow: GET, HEAD"},
        {"POST /small HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 400 ", "Connection: close"},
        {"POST /small HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "HTTP/1.1 400 ", "Connection: close"}};
    char request[300], answer[20000];
    (void)state;
    NEEDS_TUN;
    tree_dir("sub");
    tree_file("sub/index.html", "the index\n");
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        int fd = dial(i & 1);
        snprintf(request, sizeof request, "%sHost: a\r\nConnection: close\r\n\r\n", asked[i].request);
        put(fd, request);
        get_all(fd, answer, sizeof answer);
        close(fd);
        if (strncmp(answer, asked[i].answer, strlen(asked[i].answer)) || !strstr(answer, asked[i].holds))
            fail_msg("%s is answered with:\n%s", asked[i].request, answer);
    }
}

static void a_bad_request_is_refused_and_logged(void **state)
{
    char answer[2000];
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    put(fd, "nonsense\r\n\r\n");
    get_all(fd, answer, sizeof answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 400 ", 13), 0);
    close(fd);
    assert_true(await_word("\" 400 ", 2));
}

/* What a request says appears in the log in printable characters only: a terminal must not obey it. */
static void the_log_repeats_no_control_characters(void **state)
{
    char answer[2000];
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    put(fd, "GET /\x7f\"%1b[2J HTTP/1.0\r\n\r\n");
    get_all(fd, answer, sizeof answer);
    close(fd);
    assert_true(await_word(" HTTP/1.", 2));
    for (const char *c = said; *c; c++)
        assert_true((*c >= 0x20 && *c < 0x7f) || *c == '\n');
}

static void many_connections_at_once_are_served(void **state)
{
    int fd[200];
    char answer[2000];
    (void)state;
    NEEDS_TUN;
    for (int i = 0; i < 200; i++)
        fd[i] = dial(i & 1);
    for (int i = 0; i < 200; i++)
        put(fd[i], "GET /small HTTP/1.0\r\n\r\n");
    for (int i = 0; i < 200; i++) {
        get_all(fd[i], answer, sizeof answer);
        assert_non_null(strstr(answer, "\r\n\r\nhello\n"));
        close(fd[i]);
    }
}

static void curl_fetches_a_large_file_over_both_families(void **state)
{
    (void)state;
    NEEDS_TUN;
    static const char *const url[] = {"http://10.77.0.2/large", "http://[fd77::2]/large"};
    for (int i = 0; i < 2; i++) {
        const char *const argv[] = {"curl", "-q", "--noproxy", "*", "-sS", "--fail", "-g", "--max-time", "20", url[i], NULL};
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t pid = testnet_spawn(&program_net, 0, argv, ends[1]);
        close(ends[1]);
        char *got = malloc(LARGE + 1000);
        size_t n = get_all(ends[0], got, LARGE + 1000);
        close(ends[0]);
        assert_int_equal(program_await(pid, 5), 0);
        assert_int_equal(n, LARGE);
        for (size_t k = 0; k < n; k++)
            if (got[k] != tree_large_byte(k)) fail_msg("byte %zu differs", k);
        free(got);
    }
}

/* Two parleys on one machine reach each other through the kernel. */
static void parley_gets_what_parley_serves(void **state)
{
    (void)state;
    NEEDS_TUN;
    const char *const argv[] = {program_path(), "get", "http://10.77.0.2/small", NULL};
    pid_t pid = spawn(argv);
    await_word("", 5);
    assert_int_equal(program_await(pid, 5), 0);
    assert_string_equal(said, "hello\n");
}

static void get_fetches_from_the_kernels_sockets(void **state)
{
    static const char *const url[] = {"http://localhost:8080/large", "http://[fd77:0:0:1::1]:8080/large"};
    char out[600];
    (void)state;
    NEEDS_TUN;
    pid_t parent = getpid(), serving = fork();
    if (serving == 0) {
        struct http_sockets *s;
        bool in = testnet_enter(&program_net, 0) == 0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!in || getppid() != parent) _exit(1);
        if (http_sockets_open(&(struct http_sockets_params){.address = "::", .port = 8080, .dir = tree_path("")}, &s) < 0) _exit(1);
        http_sockets_run(s, -1);
        _exit(0);
    }
    snprintf(out, sizeof out, "%s", tree_path("got"));
    for (int i = 0; i < 2; i++) {
        const char *const argv[] = {program_path(), "get", url[i], "-o", out, NULL};
        int status = -1;
        for (int tries = 0; tries < 50 && status != 0; tries++) {          /* the server may not listen yet */
            status = program_await(spawn(argv), 20);
            if (status) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        }
        assert_int_equal(status, 0);
        FILE *f = fopen(out, "rb");
        char *got = malloc(LARGE + 1);
        size_t n = fread(got, 1, LARGE + 1, f);
        fclose(f);
        assert_int_equal(n, LARGE);
        for (size_t k = 0; k < n; k++)
            if (got[k] != tree_large_byte(k)) fail_msg("byte %zu differs", k);
        free(got);
        unlink(out);
    }
    kill(serving, SIGKILL);
    program_await(serving, 1);
}

static void get_says_what_went_wrong(void **state)
{
    static const struct { const char *url, *says; } bad[] = {
        {"http://10.77.0.2/nosuch", "404 Not Found"}, {"http://localhost:81/", "refused"}, {"http://10.77.0.2:81/", "refused"}};
    (void)state;
    NEEDS_TUN;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const char *const argv[] = {program_path(), "get", bad[i].url, NULL};
        pid_t pid = spawn(argv);
        assert_true(await_word(bad[i].says, 5));
        assert_int_equal(program_await(pid, 5), 1);
    }
}

static void ping_is_answered(void **state)
{
    static const char *const to[] = {"localhost", "10.77.0.2", "fd77:0:0:1::1"};
    (void)state;
    NEEDS_TUN;
    for (size_t i = 0; i < COUNT_OF(to); i++) {
        const char *const argv[] = {program_path(), "ping", "-c", "1", to[i], NULL};
        pid_t pid = spawn(argv);
        assert_true(await_word("1 sent, 1 answered", 5));
        assert_int_equal(program_await(pid, 5), 0);
    }
}

/* ---------------------------------------------------------------- how it ends ---------------------------------------------------------------- */

static void ctrl_c_bids_farewell_to_idle_connections_and_ends(void **state)
{
    char answer[2000];
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    put(fd, "GET /small HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(read(fd, answer, sizeof answer) > 0);
    double began = seconds();
    kill(server, SIGINT);
    assert_int_equal(read(fd, answer, sizeof answer), 0);             /* a FIN, no reset */
    assert_true(seconds() - began < 1);
    close(fd);
    assert_int_equal(program_await(server, 3), 0);
    assert_true(seconds() - began < 2);   /* nothing but TIME-WAIT was left, and that is not waited for */
    server = 0;
}

static void ctrl_c_resets_after_two_seconds_who_does_not_take_the_rest(void **state)
{
    char answer[100];
    (void)state;
    NEEDS_TUN;
    tree_large_file("huge", 64u << 20);
    int fd = dial(true);
    put(fd, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(read(fd, answer, sizeof answer) > 0);
    double began = seconds();
    kill(server, SIGINT);
    assert_int_equal(program_await(server, 5), 0);
    assert_true(seconds() - began > 1.5 && seconds() - began < 3);
    while (read(fd, said, sizeof said) > 0)
        ;
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    server = 0;
    unlink(tree_path("huge"));
}

static void ctrl_c_twice_ends_at_once(void **state)
{
    char answer[100];
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    put(fd, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(read(fd, answer, sizeof answer) > 0);
    double began = seconds();
    kill(server, SIGINT);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    kill(server, SIGINT);
    assert_int_equal(program_await(server, 3), 130);
    assert_true(seconds() - began < 1);
    close(fd);
    server = 0;
}

static void a_lost_interface_ends_it_with_a_sentence(void **state)
{
    (void)state;
    NEEDS_TUN;
    int fd = dial(false);
    assert_int_equal(testnet_link_delete(&program_net, 0, "parley0"), 0);
    assert_true(await_word("was taken away", 3));
    assert_int_equal(program_await(server, 3), 1);
    close(fd);
    server = 0;
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(http_1_0_is_one_request_a_connection),
        SERVED(http_1_1_pipelined_requests_are_answered_in_order),
        SERVED(ranges_conditions_folders_and_smuggling_are_answered_as_the_rfc_says),
        SERVED(a_bad_request_is_refused_and_logged),
        SERVED(the_log_repeats_no_control_characters),
        SERVED(many_connections_at_once_are_served),
        SERVED(curl_fetches_a_large_file_over_both_families),
        SERVED(parley_gets_what_parley_serves),
        SERVED(get_fetches_from_the_kernels_sockets),
        SERVED(get_says_what_went_wrong),
        SERVED(ping_is_answered),
        SERVED(ctrl_c_bids_farewell_to_idle_connections_and_ends),
        SERVED(ctrl_c_resets_after_two_seconds_who_does_not_take_the_rest),
        SERVED(ctrl_c_twice_ends_at_once),
        SERVED(a_lost_interface_ends_it_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
