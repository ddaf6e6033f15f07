/* SPDX-License-Identifier: MIT
 *
 * The 32 functions of the plug, called as packetdrill calls them: their order, what moves virtual time and what does not, calls that really wait, real
 * descriptors, the string of flags; and what a preloaded plug answers in the system's place.
 *
 * Nothing here waits for real time to pass: a thread is waited for until the system says that it sleeps.
 */
#include "support/skip.h"
#include "support/unit.h"
#include "plug/interface.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

static char object[4096], self[4096];
static void (*init)(const char *, struct packetdrill_interface *);

struct plugged {
    struct packetdrill_interface with;
    void *u;
};

static struct plugged plug_in(const char *flags)
{
    struct plugged p;
    memset(&p, 0xee, sizeof p);
    init(flags, &p.with);
    p.u = p.with.userdata;
    return p;
}

static void unplug(struct plugged *p) { p->with.free(p->u); }

static int64_t asked(struct plugged *p)
{
    struct timeval t;
    assert_int_equal(p->with.gettimeofday(p->u, &t, NULL), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static struct sockaddr_in name4(const char *address, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

/* ------------------------------------------------------------------ packets ------------------------------------------------------------------ */

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, HEADERS = 40 };

static uint16_t sum(const uint8_t *p, size_t n, uint32_t s)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static void put(uint8_t *p, uint32_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static uint32_t get32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* From 192.0.2.1:9000 to 192.168.0.1:8080. */
static void send_tcp(struct plugged *p, uint8_t flags, uint32_t seq, uint32_t ack, size_t text)
{
    uint8_t b[HEADERS + 100] = {0x45};
    size_t n = HEADERS + text;
    put(b + 2, (uint32_t)n, 2);
    b[8] = 64, b[9] = 6;
    put(b + 12, 0xc0000201, 4), put(b + 16, 0xc0a80001, 4);
    put(b + 10, sum(b, 20, 0), 2);
    put(b + 20, 9000, 2), put(b + 22, 8080, 2), put(b + 24, seq, 4), put(b + 28, ack, 4);
    b[32] = 0x50, b[33] = flags;
    put(b + 34, 30000, 2);
    uint32_t pseudo = 0xc000u + 0x0201 + 0xc0a8 + 0x0001 + 6 + (uint32_t)(n - 20);
    put(b + 36, sum(b + 20, n - 20, pseudo), 2);
    assert_int_equal(p->with.netdev_send(p->u, b, n), 0);
}

static size_t receive(struct plugged *p, uint8_t *b, size_t room, long long *us)
{
    size_t n = room;
    assert_int_equal(p->with.netdev_receive(p->u, b, &n, us), 0);
    return n;
}

static int listener(struct plugged *p)
{
    struct sockaddr_in a = name4("192.168.0.1", 8080);
    int fd = p->with.socket(p->u, AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(p->with.bind(p->u, fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(p->with.listen(p->u, fd, 1), 0);
    return fd;
}

/* Returns the stack's first sequence number. */
static uint32_t shake_hands(struct plugged *p)
{
    uint8_t b[2000];
    long long us;
    send_tcp(p, SYN, 0, 0, 0);
    assert_true(receive(p, b, sizeof b, &us) >= 40);
    assert_int_equal(b[33], SYN | ACK);
    uint32_t isn = get32(b + 24);
    send_tcp(p, ACK, 1, isn + 1, 0);
    return isn;
}

static int connection(struct plugged *p)
{
    int l = listener(p);
    shake_hands(p);
    int fd = p->with.accept(p->u, l, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

/* ------------------------------------------------------------------ the struct ------------------------------------------------------------------ */

/* packetdrill's header is another one than ours: the order of the members is what both agree on. */
static void every_function_is_there_in_order(void **state)
{
    (void)state;
    static const size_t at[] = {
#define AT(member) offsetof(struct packetdrill_interface, member)
        AT(userdata), AT(free), AT(socket), AT(bind), AT(listen), AT(accept), AT(connect), AT(read), AT(readv), AT(recv), AT(recvfrom), AT(recvmsg), AT(write), AT(writev),
        AT(send), AT(sendto), AT(sendmsg), AT(fcntl), AT(ioctl), AT(close), AT(shutdown), AT(getsockopt), AT(setsockopt), AT(poll), AT(netdev_send), AT(netdev_receive),
        AT(usleep), AT(gettimeofday), AT(epoll_create), AT(epoll_ctl), AT(epoll_wait), AT(pipe), AT(splice)};
    for (size_t i = 0; i < COUNT_OF(at); i++)
        assert_int_equal(at[i], i * sizeof(void *));
    assert_int_equal(sizeof(struct packetdrill_interface), COUNT_OF(at) * sizeof(void *));
    assert_int_equal(COUNT_OF(at), 1 + 32);
    struct plugged p = plug_in(NULL);
    void *each[COUNT_OF(at)];
    memcpy(each, &p.with, sizeof each);
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        assert_non_null(each[i]);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(each[i], each[k]);
    }
    unplug(&p);
}

/* ------------------------------------------------------------------ time ------------------------------------------------------------------ */

static void time_moves_only_when_asked(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    int64_t a = asked(&p), b = asked(&p);
    assert_int_equal(b, a + 1);
    p.with.usleep(p.u, 1000);
    assert_int_equal(asked(&p), b + 1000 + 20 + 1);
    p.with.usleep(p.u, 0);
    assert_int_equal(asked(&p), b + 1000 + 20 + 1 + 20 + 1);
    int64_t before = asked(&p);
    close(listener(&p));                  /* calls take no time */
    assert_int_equal(asked(&p), before + 1);
    unplug(&p);
}

static void receiving_jumps_to_the_next_timer(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    uint8_t b[2000];
    long long us = -1, first;
    listener(&p);
    int64_t before = asked(&p);
    send_tcp(&p, SYN, 0, 0, 0);
    assert_true(receive(&p, b, sizeof b, &first) >= 40);
    assert_int_equal(first, before);      /* at once */
    assert_true(receive(&p, b, sizeof b, &us) >= 40);
    assert_int_equal(us, first + 1000000);               /* RFC 6298 2.1: the SYN-ACK again after a second */
    assert_int_equal(asked(&p), us + 1);
    unplug(&p);
}

static void receiving_gives_nothing_when_nothing_will_be_sent(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    uint8_t b[2000];
    long long us;
    assert_int_equal(receive(&p, b, sizeof b, &us), 0);  /* no stack yet */
    listener(&p);
    assert_int_equal(receive(&p, b, sizeof b, &us), 0);
    send_tcp(&p, SYN, 0, 0, 0);
    assert_true(receive(&p, b, sizeof b, &us) >= 40);
    send_tcp(&p, RST, 1, 0, 0);
    assert_int_equal(receive(&p, b, sizeof b, &us), 0);  /* nobody is left to repeat anything */
    unplug(&p);
}

static void a_packet_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    uint8_t b[2000];
    long long us;
    size_t n = 10;
    listener(&p);
    send_tcp(&p, SYN, 0, 0, 0);
    assert_int_equal(p.with.netdev_receive(p.u, b, &n, &us), -1);
    assert_int_equal(errno, EMSGSIZE);
    unplug(&p);
}

/* ------------------------------------------------------------------ calls that wait ------------------------------------------------------------------ */

struct reader {
    struct plugged *p;
    int fd;
    atomic_int tid, done;
    atomic_bool ask;                      /* it may ask for the time now */
    ssize_t result;
    int64_t at;
};

static void *read_in_thread(void *of)
{
    struct reader *r = of;
    char b[100];
    atomic_store(&r->tid, (int)syscall(SYS_gettid));
    r->result = r->p->with.read(r->p->u, r->fd, b, sizeof b);
    atomic_store(&r->done, 1);
    while (!atomic_load(&r->ask))
        sched_yield();
    r->at = asked(r->p);
    return NULL;
}

static bool sleeps(int tid)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    const char *end = strrchr(text, ')');
    return end && end[1] && end[2] == 'S';
}

static void until_it_sleeps(const struct reader *r)
{
    for (int seen = 0; seen < 5;) {
        assert_int_equal(atomic_load(&r->done), 0);
        seen = atomic_load(&r->tid) && sleeps(atomic_load(&r->tid)) ? seen + 1 : 0;
        sched_yield();
    }
}

static void a_call_that_waits_sleeps_and_time_stands_still_until_it_asked(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    struct reader r = {.p = &p, .fd = connection(&p)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_in_thread, &r), 0);
    until_it_sleeps(&r);
    int64_t before = asked(&p);
    p.with.usleep(p.u, 50000);
    until_it_sleeps(&r);                  /* time alone does not wake it */
    uint8_t b[2000];
    long long us;
    int64_t came = asked(&p);
    assert_int_equal(came, before + 50021);
    send_tcp(&p, RST, 1, 0, 0);
    while (!atomic_load(&r.done))
        sched_yield();
    for (int i = 0; i < 3; i++)
        assert_int_equal(asked(&p), came);               /* it was woken, and has not asked */
    atomic_store(&r.ask, true);
    pthread_join(thread, NULL);
    assert_int_equal(r.result, -1);
    assert_int_equal(r.at, came);         /* the very moment */
    assert_int_equal(asked(&p), came + 1);
    assert_int_equal(receive(&p, b, sizeof b, &us), 0);
    unplug(&p);
}

static void a_time_limit_wakes_it_at_its_time(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    struct reader r = {.p = &p, .fd = connection(&p), .ask = true};
    struct timeval limit = {.tv_usec = 300000};
    pthread_t thread;
    assert_int_equal(p.with.setsockopt(p.u, r.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    int64_t before = asked(&p);
    assert_int_equal(pthread_create(&thread, NULL, read_in_thread, &r), 0);
    until_it_sleeps(&r);
    p.with.usleep(p.u, 1000000);
    pthread_join(thread, NULL);
    assert_int_equal(r.result, -1);
    assert_int_equal(r.at, before + 300000);
    assert_int_equal(asked(&p), before + 1000021);
    unplug(&p);
}

/* ------------------------------------------------------------------ descriptors, flags ------------------------------------------------------------------ */

static void descriptors_are_real_ones(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    struct stat st;
    int fd = p.with.socket(p.u, AF_INET, SOCK_STREAM, 0), epoll = p.with.epoll_create(p.u, 1);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(fstat(epoll, &st), 0);
    assert_true(fd != epoll);
    assert_int_equal(p.with.close(p.u, fd), 0);
    assert_int_equal(fstat(fd, &st), -1);
    assert_int_equal(p.with.close(p.u, fd), -1);
    assert_int_equal(errno, EBADF);
    unplug(&p);
    assert_int_equal(fstat(epoll, &st), -1);             /* what was left open goes with the plug */
}

static bool takes(const char *flags)
{
    struct plugged p = plug_in(flags);
    int fd = p.with.socket(p.u, AF_INET, SOCK_STREAM, 0);
    bool good = fd >= 0;
    if (!good)
        assert_true(errno == ENOSYS || errno == EINVAL);
    unplug(&p);
    return good;
}

static void flags_are_settings(void **state)
{
    (void)state;
    assert_true(takes(NULL));
    assert_true(takes(""));
    assert_true(takes("rto_min=200ms,sack=1,mtu=1280,local_ip=10.0.0.1,local_ip6=fd00::9,"));
    assert_true(takes("mtu=576"));        /* IPv4 alone */
    static const char *const bad[] = {"nonsense", "nonsense=1", "rto_min=fast", "mtu=100", "mtu=70000", "local_ip=fd00::1", "local_ip6=10.0.0.1", "local_ip=x", "sack=2x", "connections_max=0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (takes(bad[i]))
            fail_msg("\"%s\" was taken", bad[i]);
}

static void a_flag_makes_its_setting(void **state)
{
    (void)state;
    struct plugged p = plug_in("rto_initial=3s");
    uint8_t b[2000];
    long long first, us;
    listener(&p);
    send_tcp(&p, SYN, 0, 0, 0);
    receive(&p, b, sizeof b, &first);
    assert_true(receive(&p, b, sizeof b, &us) >= 40);
    assert_int_equal(us, first + 3000000);
    unplug(&p);
}

static void bytes_go_through_a_pipe(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    int l = listener(&p), ends[2];
    uint32_t isn = shake_hands(&p);
    int fd = p.with.accept(p.u, l, NULL, NULL);
    uint8_t b[2000];
    char got[100];
    long long us;
    assert_int_equal(p.with.pipe(p.u, ends), 0);
    assert_int_equal(write(ends[1], "abcde", 5), 5);
    assert_int_equal(p.with.splice(p.u, ends[0], NULL, fd, NULL, 100, 0), 5);
    assert_int_equal(receive(&p, b, sizeof b, &us), 45);
    assert_memory_equal(b + 40, "abcde", 5);
    send_tcp(&p, ACK, 1, isn + 6, 7);
    assert_int_equal(p.with.splice(p.u, fd, NULL, ends[1], NULL, 100, 0), 7);
    assert_int_equal(read(ends[0], got, sizeof got), 7);
    off64_t off = 0;
    assert_int_equal(p.with.splice(p.u, fd, &off, ends[1], NULL, 1, 0), -1);
    assert_int_equal(errno, ESPIPE);
    assert_int_equal(p.with.splice(p.u, ends[0], NULL, ends[1], NULL, 1, 0), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(p.with.splice(p.u, fd, NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK), -1);
    assert_int_equal(errno, EAGAIN);
    close(ends[0]);
    close(ends[1]);
    unplug(&p);
}

/* ------------------------------------------------------------------ preloaded ------------------------------------------------------------------ */

static void getsockopt_and_close_are_the_plugs(void **state)
{
    (void)state;
    struct plugged p = plug_in("sndbuf_bytes=50000");
    struct tcp_info info = {0};
    uint32_t memory[9] = {0};
    struct stat st;
    int fd = connection(&p), ours = socket(AF_UNIX, SOCK_STREAM, 0), type = 0;
    socklen_t size = sizeof info;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
    size = sizeof memory;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, 55 /* SO_MEMINFO */, memory, &size), 0);
    assert_int_equal(size, sizeof memory);
    assert_int_equal(memory[3], 50000);
    size = sizeof type;
    assert_int_equal(getsockopt(ours, SOL_SOCKET, SO_TYPE, &type, &size), 0);         /* the system's stay the system's */
    assert_int_equal(type, SOCK_STREAM);
    assert_int_equal(close(ours), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(fstat(fd, &st), -1);
    uint8_t b[2000];
    long long us;
    assert_true(receive(&p, b, sizeof b, &us) >= 40);
    assert_true(b[33] & FIN);             /* it was the connection's end, too */
    unplug(&p);
}

static void shell_lines_are_settings(void **state)
{
    (void)state;
    struct plugged p = plug_in("");
    uint8_t b[2000];
    long long first, us;
    assert_true(system(NULL) != 0);
    assert_int_equal(system("sysctl -q net.ipv4.tcp_sack=0"), 0);
    assert_int_equal(system("parley rto_initial=2s"), 0);
    assert_true(system("true") != 0);
    assert_true(system("parley nonsense=1") != 0);
    listener(&p);
    assert_true(system("parley rto_initial=1s") != 0);   /* the stack is there now */
    assert_int_equal(system("parley rto_initial=2s"), 0);                             /* but this is so already */
    send_tcp(&p, SYN, 0, 0, 0);
    receive(&p, b, sizeof b, &first);
    receive(&p, b, sizeof b, &us);
    assert_int_equal(us, first + 2000000);
    unplug(&p);
    assert_true(system("parley rto_initial=2s") != 0);   /* whose? */
}

static void ticks_pass_and_memory_is_locked(void **state)
{
    (void)state;
    struct tms t;
    clock_t a = times(&t), b = times(&t);
    assert_true(b != a);                  /* packetdrill waits for that */
    assert_int_equal(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
}

static int preloaded(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(getsockopt_and_close_are_the_plugs), cmocka_unit_test(shell_lines_are_settings),
                                       cmocka_unit_test(ticks_pass_and_memory_is_locked)};
    return cmocka_run_group_tests_name("plug.preloaded", tests, NULL, NULL);
}

static void what_packetdrill_calls_without_it_is_answered_when_preloaded(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        setenv("LD_PRELOAD", object, 1);
        execl(self, self, "--preloaded", NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_plug_is_there(void **state)
{
    (void)state;
    SKIP_BECAUSE("the plug is built without sanitizers: run the gcc build's test");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest missing[] = {cmocka_unit_test(the_plug_is_there)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_there_in_order), cmocka_unit_test(time_moves_only_when_asked), cmocka_unit_test(receiving_jumps_to_the_next_timer),
        cmocka_unit_test(receiving_gives_nothing_when_nothing_will_be_sent), cmocka_unit_test(a_packet_that_does_not_fit_is_told),
        cmocka_unit_test(a_call_that_waits_sleeps_and_time_stands_still_until_it_asked), cmocka_unit_test(a_time_limit_wakes_it_at_its_time),
        cmocka_unit_test(descriptors_are_real_ones), cmocka_unit_test(flags_are_settings), cmocka_unit_test(a_flag_makes_its_setting),
        cmocka_unit_test(bytes_go_through_a_pipe), cmocka_unit_test(what_packetdrill_calls_without_it_is_answered_when_preloaded),
    };
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0)
        snprintf(object, sizeof object, "%.*s/libparley-packetdrill.so", (int)(strrchr(self, '/') - self), self);
    void *plug = n > 0 && access(object, R_OK) == 0 ? dlopen(object, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!plug)
        return cmocka_run_group_tests_name("plug", missing, NULL, NULL);
    *(void **)&init = dlsym(plug, "packetdrill_interface_init");
    return !init ? 1 : argc > 1 && strcmp(argv[1], "--preloaded") == 0 ? preloaded() : cmocka_run_group_tests_name("plug", tests, NULL, NULL);
}
