/* SPDX-License-Identifier: MIT
 *
 * The HTTP engines on the kernel's TCP, in a network namespace of the test's own: our server against curl and against raw bytes, our client
 * against our server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/host/http_socket_io.h"
#include "os/host/http_sockets.h"
#include "support/http_tree.h"
#include "support/skip.h"

#define LARGE (50 * 1024 * 1024)

static struct {
    const char *why_not;                  /* no namespace: every case is skipped */
    uint16_t port;
    pid_t pid;
    int stop;
    bool curl;
} t;

static bool loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void quick(struct pl_http_config *c)
{
    pl_http_config_default(c, sizeof *c);
    c->linger_ns = 500 * PL_MS;
}

/* Forks a server of the tree; it ends with this process, or when t.stop is closed. */
static void start_server(const char *dir)
{
    int stop[2], ready[2];
    assert_int_equal(pipe(stop), 0);
    assert_int_equal(pipe(ready), 0);
    t.pid = fork();
    assert_true(t.pid >= 0);
    if (t.pid == 0) {
        struct pl_http_config config;
        quick(&config);
        struct http_sockets_params params = {.address = "::", .dir = dir, .listing = true, .connections_max = 20, .http = &config};
        struct http_sockets *server;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(stop[1]);
        if (http_sockets_open(&params, &server) != 0)
            _exit(1);
        uint16_t port = http_sockets_port(server);
        if (write(ready[1], &port, sizeof port) != sizeof port)
            _exit(1);
        int r = http_sockets_run(server, stop[0]);
        http_sockets_close(server);
        _exit(r == 0 ? 0 : 1);
    }
    close(stop[0]);
    close(ready[1]);
    t.stop = stop[1];
    assert_int_equal(read(ready[0], &t.port, sizeof t.port), sizeof t.port);
    close(ready[0]);
}

static int set_up(void **state)
{
    (void)state;
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        t.why_not = "network namespaces are not allowed here";
        return 0;
    }
    if (!loopback_up()) {
        t.why_not = "no loopback in the new network namespace";
        return 0;
    }
    const char *dir = tree_make();
    tree_file("index.html", "<p>welcome</p>\n");
    tree_large_file("large", LARGE);
    tree_dir("sub");
    tree_file("sub/a b.txt", "0123456789");
    tree_link("../secret", "out");
    t.curl = system("command -v curl >/dev/null 2>&1") == 0;
    start_server(dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status = 0;
    if (t.pid > 0) {
        close(t.stop);
        waitpid(t.pid, &status, 0);
    }
    tree_remove();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#define NEEDS_NAMESPACE                                                                                                                \
    if (t.why_not)                                                                                                                     \
    SKIP_BECAUSE(t.why_not)
#define NEEDS_CURL                                                                                                                     \
    NEEDS_NAMESPACE;                                                                                                                   \
    if (!t.curl)                                                                                                                       \
    SKIP_BECAUSE("curl is not installed")

/* Runs curl with these arguments (URL host[:port]/path made from `path`); what it printed, up to 4000 bytes. */
static const char *curl(const char *host, const char *path, const char *arguments)
{
    static char out[4001];
    char command[1000];
    snprintf(command, sizeof command, "curl -q --noproxy '*' -g -sS --max-time 20 %s 'http://%s:%u%s' 2>&1", arguments, host, t.port, path);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof out - 1, f);
    pclose(f);
    out[n] = '\0';
    return out;
}

static void curl_gets_pages_over_both_families(void **state)
{
    (void)state;
    NEEDS_CURL;
    assert_string_equal(curl("127.0.0.1", "/", ""), "<p>welcome</p>\n");
    assert_string_equal(curl("[::1]", "/", ""), "<p>welcome</p>\n");
    assert_string_equal(curl("[::1]", "/", "-0 -o /dev/null -w '%{http_code} %{http_version} %{content_type} %{size_download}'"),
                        "200 1.1 text/html; charset=utf-8 15");
    assert_string_equal(curl("127.0.0.1", "/sub/a%20b.txt", ""), "0123456789");
}

static void curl_sees_status_and_fields(void **state)
{
    (void)state;
    NEEDS_CURL;
    const char *code = "-o /dev/null -w '%{http_code} %{size_download}'";
    char arguments[200];
    assert_string_equal(curl("127.0.0.1", "/none", code), "404 14");
    assert_string_equal(curl("127.0.0.1", "/out", code), "404 14");
    assert_string_equal(curl("127.0.0.1", "/%2e%2e/secret", code), "400 16");
    assert_string_equal(curl("127.0.0.1", "/../secret", "--path-as-is -o /dev/null -w '%{http_code}'"), "400");
    assert_string_equal(curl("127.0.0.1", "/sub", code), "301 0");
    assert_string_equal(curl("127.0.0.1", "/sub?x=y", "-L -o /dev/null -w '%{url_effective}'") + strlen("http://127.0.0.1:") +
                            (t.port > 9999 ? 5 : 4),
                        "/sub/?x=y");
    assert_non_null(strstr(curl("127.0.0.1", "/sub/", ""), "<a href=\"./a%20b.txt\">a b.txt</a>"));
    const char *head = curl("127.0.0.1", "/large", "-I");
    assert_non_null(strstr(head, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(head, "Content-Length: 52428800\r\n"));
    assert_non_null(strstr(head, "Date: "));
    assert_non_null(strstr(head, "Accept-Ranges: bytes\r\n"));
    char etag[100];
    const char *tag = strstr(head, "ETag: ");
    assert_non_null(tag);
    assert_int_equal(sscanf(tag, "ETag: %60[^\r]", etag), 1);
    snprintf(arguments, sizeof arguments, "-H 'If-None-Match: %s' %s", etag, code);
    assert_string_equal(curl("127.0.0.1", "/large", arguments), "304 0");
    assert_string_equal(curl("127.0.0.1", "/", "-X DELETE -o /dev/null -w '%{http_code}'"), "405");
    assert_non_null(strstr(curl("127.0.0.1", "/", "-X DELETE -D - -o /dev/null"), "Allow: GET, HEAD"));
    assert_non_null(strstr(curl("127.0.0.1", "/", "-d x=y -D - -o /dev/null"), "HTTP/1.1 405 "));
    assert_non_null(strstr(curl("127.0.0.1", "/", "-X BREW -D - -o /dev/null"), "HTTP/1.1 501 "));
}

static void curl_gets_ranges(void **state)
{
    (void)state;
    NEEDS_CURL;
    assert_string_equal(curl("127.0.0.1", "/sub/a%20b.txt", "-r 2-4"), "234");
    assert_string_equal(curl("127.0.0.1", "/sub/a%20b.txt", "-r 7-"), "789");
    assert_string_equal(curl("127.0.0.1", "/sub/a%20b.txt", "-r -2"), "89");
    assert_string_equal(curl("127.0.0.1", "/sub/a%20b.txt", "-r 10- -o /dev/null -w '%{http_code}'"), "416");
}

/* Mission M16: one connection carries many requests, unless the version is 1.0. */
static void curl_reuses_the_connection_in_1_1_only(void **state)
{
    (void)state;
    NEEDS_CURL;
    char more[300];
    for (int minor = 0; minor <= 1; minor++) {
        snprintf(more, sizeof more,
                 "%s -w '%%{num_connects} ' -o /dev/null 'http://127.0.0.1:%u/' -o /dev/null 'http://127.0.0.1:%u/' -o /dev/null",
                 minor ? "" : "-0", t.port, t.port);
        assert_string_equal(curl("127.0.0.1", "/", more), minor ? "1 0 0 " : "1 1 1 ");
    }
}

static void curl_gets_50_mib_unharmed(void **state)
{
    (void)state;
    NEEDS_CURL;
    char command[700];
    static const char *const hosts[] = {"127.0.0.1", "[::1]"};
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "curl -q --noproxy '*' -g -sS --max-time 50 'http://%s:%u/large' | cmp - '%s'", hosts[i], t.port,
                 tree_path("large"));
        assert_int_equal(system(command), 0);
    }
}

/* Our own client. */

struct got {
    size_t body, wrong;
    bool check;
    char log[500];
};

static int on_event(void *user, pl_http_client *client, const struct pl_http_event *event)
{
    struct got *g = user;
    (void)client;
    if (event->kind == PL_HTTP_BODY) {
        for (size_t i = 0; g->check && i < event->body_bytes; i++)
            g->wrong += ((const char *)event->body)[i] != tree_large_byte(g->body + i);
        g->body += event->body_bytes;
    } else if (event->kind == PL_HTTP_RESPONSE) {
        g->body = 0;
    } else if (event->kind == PL_HTTP_RESPONSE_END) {
        snprintf(g->log + strlen(g->log), sizeof g->log - strlen(g->log), "%d %zu|", event->status, g->body);
    }
    return 0;
}

static int get(const char *address, int method, int minor, const char *const *targets, unsigned n, struct got *got)
{
    struct http_get_params p = {.address = address, .port = t.port, .targets = targets, .target_count = n, .method = method, .minor = minor,
                                .on_event = on_event, .user = got};
    return http_sockets_get(&p);
}

static void our_client_gets_what_it_asks_for_in_order(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    static const char *const five[] = {"/", "/none", "/sub/a%20b.txt", "/large", "/"};
    struct got got = {0};
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 1, five, 5, &got), 0);
    assert_string_equal(got.log, "200 15|404 14|200 10|200 52428800|200 15|");
    memset(&got, 0, sizeof got);
    assert_int_equal(get("::1", PL_HTTP_HEAD, 1, five, 5, &got), 0);
    assert_string_equal(got.log, "200 0|404 0|200 0|200 0|200 0|");
    memset(&got, 0, sizeof got);
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 0, five, 1, &got), 0);
    assert_string_equal(got.log, "200 15|");
    static const char *const large[] = {"/large"};
    for (int i = 0; i < 2; i++) {
        got = (struct got){.check = true};
        assert_int_equal(get(i ? "::1" : "127.0.0.1", PL_HTTP_GET, i, large, 1, &got), 0);
        assert_string_equal(got.log, "200 52428800|");
        assert_int_equal(got.wrong, 0);
    }
}

static void our_client_names_its_failures(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    static const char *const one[] = {"/"}, *const bad[] = {"x y"};
    struct got got = {0};
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 1, bad, 1, &got), PL_EINVAL);
    assert_int_equal(get("localhost", PL_HTTP_GET, 1, one, 1, &got), PL_EINVAL);
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 1, one, 0, &got), PL_EINVAL);
    uint16_t port = t.port;
    t.port = 1;
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 1, one, 1, &got), PL_ECONNREFUSED);
    t.port = port;
    assert_string_equal(got.log, "");
}

/* Raw bytes over a socket. */

static int dial(void)
{
    struct sockaddr_storage address;
    socklen_t len = http_socket_address("127.0.0.1", t.port, &address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
    return fd;
}

/* Sends text (and half-closes, if told so), reads to the end. */
static const char *converse(const char *text, bool half_close)
{
    static char out[10000];
    size_t n = 0;
    ssize_t r;
    int fd = dial();
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    if (half_close)
        shutdown(fd, SHUT_WR);
    while (n < sizeof out - 1 && (r = recv(fd, out + n, sizeof out - 1 - n, 0)) > 0)
        n += (size_t)r;
    assert_int_equal(r, 0);                /* an orderly end, never a reset */
    out[n] = '\0';
    close(fd);
    return out;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void raw_pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    const char *out =
        converse("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
                 "GET /sub/a%20b.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                 false);
    assert_int_equal(count(out, "HTTP/1.1 "), 5);
    const char *at = out;
    static const char *const parts[] = {"200 OK",      "welcome", "404 Not Found",     "200 OK",
                                        "206 Partial", "200 OK",  "Connection: close", "welcome"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        at = strstr(at, parts[i]);
        assert_non_null(at);
        at++;
    }
    /* who half-closes after asking gets the answers, too */
    out = converse("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", true);
    assert_int_equal(count(out, "welcome"), 2);
}

static void the_server_of_1_0_ends_the_connection(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    assert_int_equal(count(converse("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", false), "welcome"), 1);
}

/* The refusal arrives although the peer goes on sending: half-close and linger, no reset. */
static void a_refusal_is_read_before_the_end(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    static char text[40000];
    strcpy(text, "GET / HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n\r\n");
    memset(text + strlen(text), 'x', sizeof text - 1 - strlen(text));
    assert_non_null(strstr(converse(text, false), "HTTP/1.1 400 Bad Request\r\n"));
}

static void more_connections_than_the_limit_wait_for_their_turn(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    int fds[30];
    char byte[100];
    for (int i = 0; i < 30; i++) {
        fds[i] = dial();
        assert_int_equal(send(fds[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27, MSG_NOSIGNAL), 27);
    }
    for (int i = 0; i < 30; i++) {        /* the server takes 20; each that ends makes room for one that waits */
        assert_true(recv(fds[i], byte, sizeof byte, 0) > 0);
        close(fds[i]);
    }
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Printed, not judged: how busy a machine is that runs tests is nobody's fault. */
static void speed_is_reported(void **state)
{
    (void)state;
    NEEDS_NAMESPACE;
    static const char *const ten[] = {"/large", "/large", "/large", "/large", "/large", "/large", "/large", "/large", "/large", "/large"};
    struct got got = {0};
    double begin = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    assert_int_equal(get("127.0.0.1", PL_HTTP_GET, 1, ten, 10, &got), 0);
    double took = seconds(CLOCK_MONOTONIC) - begin;
    assert_int_equal(count(got.log, "200 52428800|"), 10);
    printf("# kernel sockets, our engines at both ends: %.1f Gbit/s, client busy %.0f %%\n", 10.0 * LARGE * 8 / took / 1e9,
           100 * (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / took);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curl_gets_pages_over_both_families),
        cmocka_unit_test(curl_sees_status_and_fields),
        cmocka_unit_test(curl_gets_ranges),
        cmocka_unit_test(curl_reuses_the_connection_in_1_1_only),
        cmocka_unit_test(curl_gets_50_mib_unharmed),
        cmocka_unit_test(our_client_gets_what_it_asks_for_in_order),
        cmocka_unit_test(our_client_names_its_failures),
        cmocka_unit_test(raw_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(the_server_of_1_0_ends_the_connection),
        cmocka_unit_test(a_refusal_is_read_before_the_end),
        cmocka_unit_test(more_connections_than_the_limit_wait_for_their_turn),
        cmocka_unit_test(speed_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
