/* SPDX-License-Identifier: MIT
 *
 * run.c: a script with a mistake fails with the mistake's line and a message that names it; the same script without it passes.
 */
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/run.h"

#define SOCKET "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                                                    /* 1 line */
#define LISTENS SOCKET "+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"                                                          /* 3 */
#define ACCEPTED LISTENS "+0 < S 0:0(0) win 32792 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n+.1 < . 1:1(0) ack 1 win 32792\n+0 accept(3, ..., ...) = 4\n"      /* 7 */
#define WRITTEN ACCEPTED "+0 write(4, ..., 100) = 100\n"                                                                          /* 8 */

static bool run(const char *text, bool strict, char **said)
{
    char error[700];
    size_t bytes;
    FILE *to = open_memstream(said, &bytes);
    struct drill_script *s = drill_parse("t.pkt", text, strlen(text), error, sizeof error);
    bool good = s && drill_run(s, &(struct drill_options){.strict = strict}, to);
    if (!s)
        fputs(error, to);
    fclose(to);
    drill_free(s);
    return good;
}

static void passes(const char *text)
{
    char *said;
    bool good = run(text, true, &said);
    if (!good)
        fail_msg("%s\n%s", text, said);
    free(said);
}

static void fails(const char *text, int line, const char *says)
{
    char *said, where[40];
    bool good = run(text, true, &said);
    snprintf(where, sizeof where, "t.pkt:%d: ", line);
    if (good)
        fail_msg("passed, and should not have:\n%s", text);
    if (strncmp(said, where, strlen(where)) != 0 || !strstr(said, says))
        fail_msg("\"%s...%s\" expected, it says: %s", where, says, said);
    free(said);
}

static void a_packet_at_the_wrong_time(void **state)
{
    (void)state;
    passes(WRITTEN "+0 > P. 1:101(100) ack 1\n+.3 > P. 1:101(100) ack 1\n");
    passes("--tolerance_usecs=50000\n" WRITTEN "+0 > P. 1:101(100) ack 1\n+.34 > P. 1:101(100) ack 1\n");
    passes(WRITTEN "+0 > P. 1:101(100) ack 1\n+.2~+.4 > P. 1:101(100) ack 1\n");
    passes(WRITTEN "+0 > P. 1:101(100) ack 1\n* > P. 1:101(100) ack 1\n");
    fails(WRITTEN "+0 > P. 1:101(100) ack 1\n+.4 > P. 1:101(100) ack 1\n", 10, "100000 us earlier than expected (0.500000)");
    fails(WRITTEN "+0 > P. 1:101(100) ack 1\n+.2 > P. 1:101(100) ack 1\n", 10, "nothing was sent until 0.304000");
    fails(WRITTEN "+0 > P. 1:101(100) ack 1\n+.31~+.4 > P. 1:101(100) ack 1\n", 10, "10000 us earlier than expected (0.410000 at the soonest)");
    fails(WRITTEN "+1 < . 1:1(0) ack 101 win 1000\n+0 > P. 1:101(100) ack 1\n", 10, "1000000 us earlier");
    fails(ACCEPTED "0.05 write(4, ..., 1) = 1\n", 8, "its time is over: it is 50000 us later already");
}

static void a_packet_that_is_another_one(void **state)
{
    (void)state;
    static const struct { const char *packet, *says; } wrong[] = {
        {"> . 1:101(100) ack 1", "flags: . expected, P. sent"},
        {"> P. 2:102(100) ack 1", "sequence number: 2 expected, 1 sent"},
        {"> P. 1:102(101) ack 1", "bytes of text: 101 expected, 100 sent"},
        {"> P. 1:101(100) ack 2", "ack: 2 expected, 1 sent"},
        {"> P. 1:101(100) ack 1 win 7", "win: 7 expected, 65535 sent"},
        {"> P. 1:101(100) ack 1 <nop,nop,TS val 1 ecr 2>", "option 1: nop expected, none sent"},
        {"> [ce] P. 1:101(100) ack 1", "ECN bits: 3 expected, 0 sent"},
        {"> (tos 0x10) P. 1:101(100) ack 1", "tos: 16 expected, 0 sent"},
        {"> (ttl 3) P. 1:101(100) ack 1", "ttl: 3 expected, 64 sent"},
        {"> 9 > 9 P. 1:101(100) ack 1", "nothing was sent"},
        {"> udp (100)", "nothing was sent"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char text[1000];
        snprintf(text, sizeof text, WRITTEN "+0 %s\n", wrong[i].packet);
        fails(text, 9, wrong[i].says);
    }
    fails(LISTENS "+0 < S 0:0(0) win 32792 <mss 1000>\n+0 > S. 0:0(0) ack 1\n", 5, "option 1: none expected, mss 1460 sent");
    fails(LISTENS "+0 < S 0:0(0) win 32792 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1400>\n", 5, "option 1: mss 1400 expected, mss 1460 sent");
    fails(LISTENS "+0 < S 0:0(0) win 32792 <mss 1000>\n+0 > S. 0:0(0) ack 1 <mss 1460,sackOK>\n", 5, "option 2: sackOK expected, none sent");
}

static void packets_that_are_missing_or_too_many(void **state)
{
    (void)state;
    fails(ACCEPTED "+0 > P. 1:101(100) ack 1\n", 8, "nothing was sent until 0.104000");
    fails(WRITTEN, 8, "the script is over, and this was sent that it does not expect: > P. 1:101(100) ack 1");
    char *said;
    assert_true(run(WRITTEN, false, &said));             /* only whoever asks for it is told */
    free(said);
    fails(WRITTEN "+.4 > P. 1:101(100) ack 1\n", 9, "400000 us earlier");       /* one that nobody expected stands before it */
}

static void calls_that_wait_and_should_not_and_the_other_way_round(void **state)
{
    (void)state;
    passes(ACCEPTED "+0...0.1 read(4, ..., 10) = 5\n+.1 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n");
    fails(ACCEPTED "+0 read(4, ..., 10) = 5\n", 8, "read waits; the script says that it returns at once");
    fails(ACCEPTED "+0...0.2 read(4, ..., 10) = 5\n+.1 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n", 8, "the call returned at 0.200000, 100000 us earlier than expected (0.300000)");
    fails(ACCEPTED "+0...0.1 read(4, ..., 10) = 5\n+.2 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n", 8, "read still waits; it should have returned at 0.200000");
    fails(ACCEPTED "+0...0.1 read(4, ..., 10) = 5\n", 8, "read still waits; it should have returned at 0.200000");
    fails(ACCEPTED "+0...0.1 poll([{fd=4, events=POLLIN, revents=0}], 1, 500) = 0\n", 8, "poll still waits; it should have returned at 0.200000");
    fails(ACCEPTED "+0...0.5 write(4, ..., 10) = 10\n", 8, "500000 us earlier than expected");
    fails(ACCEPTED "+0...0.1 read(4, ..., 10) = 4\n+.1 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n", 8, "read: 4 expected, it returned 5");
}

static void results_and_values(void **state)
{
    (void)state;
    static const struct { const char *call, *says; } wrong[] = {
        {"write(4, ..., 10) = 9", "write: 9 expected, it returned 10"},
        {"bind(9, ..., ...) = 0", "bind: 0 expected, it returned -1 EBADF"},
        {"bind(9, ..., ...) = -1 EINVAL", "bind: -1 EINVAL expected, it returned -1 EBADF"},
        {"write(4, ..., 10) = -1 EAGAIN", "write: -1 EAGAIN expected, it returned 10"},
        {"bind(9, ..., ...) = -1 EWHAT", "the error EWHAT is not known"},
        {"getsockopt(4, SOL_SOCKET, SO_TYPE, [7], [4]) = 0", "getsockopt: 7 expected, it is 1"},
        {"getsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [0, 0], [8]) = 0", "getsockopt: 8 bytes expected, 4 came"},
        {"getsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", [16]) = 0", "getsockopt: \"reno\" expected, it is \"cubic\""},
        {"getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, [8]) = 0", "getsockopt: 1 expected, it is 0"},
        {"poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1", "poll: revents of descriptor 1: 0x1 expected, 0x4 came"},
        {"ioctl(4, FIONREAD, [3]) = 0", "ioctl: 3 expected, it gave 0"},
        {"fcntl(4, F_GETFL) = 7", "fcntl: 7 expected, it returned 2"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char text[1000];
        snprintf(text, sizeof text, ACCEPTED "+0 %s\n", wrong[i].call);
        fails(text, 8, wrong[i].says);
    }
    fails(ACCEPTED "+0 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n+0 read(4, \"hello\", 10) = 5\n", 10, "other bytes were read");
    fails(ACCEPTED "+0 < P. 1:6(5) ack 1 win 1000\n+0 > . 1:1(0) ack 6\n+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=MSG_TRUNC}, 0) = 5\n", 10,
          "recvmsg: msg_flags 0x20 expected, 0x0 came");
    fails(SOCKET "+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLOUT, fd=3}) = 0\n+0 epoll_wait(5, {events=EPOLLIN, fd=3}, 1, 0) = 1\n", 4,
          "epoll_wait: event 1: 0x1 expected, 0x14 came");
    fails(SOCKET "+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLOUT, fd=3}) = 0\n+0 epoll_wait(5, {events=..., fd=7}, 1, 0) = 1\n", 4,
          "epoll_wait: event 1 is of 3, not 7");
}

static void what_is_not_known(void **state)
{
    (void)state;
    fails(SOCKET "+0 sendfile(3, 4, 0, 100) = 100\n", 2, "the call sendfile is not supported");
    fails(SOCKET "+0 setsockopt(3, SOL_NOTHING, 1, [1], 4) = 0\n", 2, "the name SOL_NOTHING is not known");
    fails(SOCKET "+0 setsockopt(3, SOL_TCP, TCP_NOTHING, [1], 4) = 0\n", 2, "the name TCP_NOTHING is not known");
    fails(SOCKET "+0 listen(3) = 0\n", 2, "listen: an argument is missing");
    fails(SOCKET "+0 listen(3, 1, 2) = 0\n", 2, "listen has fewer arguments than stand here");
    fails(SOCKET "+0 listen(3, ...) = 0\n", 2, "a number or a name is expected where ... stands");
    fails("--nothing=1\n" SOCKET, 1, "the setting --nothing is not known");
    fails("--ip_version=ipv5\n" SOCKET, 1, "ip_version is ipv4 or ipv6");
    fails("--mtu=12\n" SOCKET, 1, "mtu is a number from 576");
    fails("--tolerance_usecs=x\n" SOCKET, 1, "tolerance_usecs is a number of microseconds");
    fails("--bind_port=0\n" SOCKET, 1, "is no port");
    fails("--local_ip=1.2.3\n" SOCKET, 1, "is no address of this family");
    fails(SOCKET "+0 connect(3, {sa_family = AF_INET, sin_port = htons(1), sin_addr = inet_addr(\"1.2.3\")}, ...) = 0\n", 2, "\"1.2.3\" is no address");
}

static void shell_lines_make_settings_and_nothing_else(void **state)
{
    (void)state;
    passes("0 `sysctl -q net.ipv4.tcp_sack=0`\n+0 `parley rto_min=300ms`\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n");
    fails("0 `rm -rf x`\n", 1, "no command runs in a script");
    fails("0 `parley nothing=1`\n", 1, "there is no setting \"nothing\"");
    fails("0 `parley sack=7`\n", 1, "is not 0 or 1");
    fails("0 `parley sack`\n", 1, "NAME=VALUE expected");
    fails("0 `sysctl -q net.ipv4.tcp_ecn=1`\n", 1, "parley knows 0 only");
    fails(SOCKET "+0 `parley sack=0`\n", 2, "settings are made before the first packet or call");
    fails("0 `parley connections_max=0`\n+0 socket(..., SOCK_STREAM, 0) = 3\n", 2, "these settings make no stack");
}

static void code_asserts(void **state)
{
    (void)state;
    passes(ACCEPTED "+0 %{ assert tcpi_state == TCP_ESTABLISHED }%\n");
    fails(ACCEPTED "+0 %{ assert tcpi_state == TCP_LISTEN }%\n", 8, "assert tcpi_state == TCP_LISTEN does not hold");
    fails(ACCEPTED "+0 %{ assert True\nassert tcpi_snd_cwnd == 77, tcpi_snd_cwnd }%\n", 9, "assert tcpi_snd_cwnd == 77 does not hold");
    fails(ACCEPTED "+0 %{ import os }%\n", 8, "import");
    fails(ACCEPTED "+0 %{ assert tcpi_nothing == 1 }%\n", 8, "tcpi_nothing");
    fails("0 %{ assert True }%\n", 1, "no socket yet");
}

/* A second connect() that only asks what became of the first does not change whose packets the script speaks of. */
static void asking_again_makes_no_connection(void **state)
{
    (void)state;
    passes(SOCKET "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <...>\n+0 connect(3, ..., ...) = -1 EALREADY\n"
           "+.1 < S. 0:0(0) ack 1 win 1000 <mss 1000>\n+0 > . 1:1(0) ack 1\n+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 1) = 1\n+0 > P. 1:2(1) ack 1\n");
}

/* accept4 is here only: the plug's interface has no such call. */
static void accept4_has_flags(void **state)
{
    (void)state;
    passes(LISTENS "+0 fcntl(3, F_SETFL, O_NONBLOCK) = 0\n+0 accept4(3, ..., ..., SOCK_NONBLOCK) = -1 EAGAIN\n+0 accept4(3, ..., ..., 1) = -1 EINVAL\n"
           "+0 < S 0:0(0) win 32792 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n+.1 < . 1:1(0) ack 1 win 32792\n"
           "+0 accept4(3, ..., ..., SOCK_NONBLOCK|SOCK_CLOEXEC) = 4\n+0 fcntl(4, F_GETFL) = 2050\n+0 fcntl(4, F_GETFD) = FD_CLOEXEC\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_at_the_wrong_time), cmocka_unit_test(a_packet_that_is_another_one), cmocka_unit_test(packets_that_are_missing_or_too_many),
        cmocka_unit_test(calls_that_wait_and_should_not_and_the_other_way_round), cmocka_unit_test(results_and_values), cmocka_unit_test(what_is_not_known),
        cmocka_unit_test(shell_lines_make_settings_and_nothing_else), cmocka_unit_test(code_asserts), cmocka_unit_test(asking_again_makes_no_connection),
        cmocka_unit_test(accept4_has_flags),
    };
    return cmocka_run_group_tests_name("drill.run", tests, NULL, NULL);
}
