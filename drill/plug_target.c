/* SPDX-License-Identifier: MIT
 *
 * plug_target.c: a script's target behind packetdrill's interface: the shared object that packetdrill would load, driven through its 32 functions.
 *
 * A call that may wait is made by a thread of its own, as packetdrill does it. It is looked at again when that thread has come back, or sleeps. Time moves
 * only by what this file asks the object for, so nothing here depends on how fast the machine is.
 */
#include "drill/target.h"
#include "plug/interface.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

enum { STEP_US = 500, LONGEST_SLEEP_US = 1000000000, ROOM = 65600, PATIENCE_MS = 10000 };

struct queued {
    struct queued *next;
    int64_t us;
    size_t n;
    uint8_t packet[];
};

struct behind {
    void *object;
    struct packetdrill_interface with;
    int (*system)(const char *);
    int64_t began_us;
    struct queued *first, **last;
    int jobs;                             /* calls that have not come back */
    int64_t returned_us;
};

struct job {                              /* a call in a thread of its own */
    struct behind *b;
    enum drill_function fn;
    intptr_t arg[6];
    pthread_t thread;
    atomic_int tid, done;
    long result;
    int64_t returned_us;
};

/* ------------------------------------------------------------------ calls ------------------------------------------------------------------ */

static long call_now(struct behind *b, enum drill_function fn, const intptr_t a[6])
{
    struct packetdrill_interface *i = &b->with;
    void *u = i->userdata, *p1 = (void *)a[1], *p2 = (void *)a[2], *p3 = (void *)a[3], *p4 = (void *)a[4];
    int fd = (int)a[0];
    long r = -1;
    errno = ENOSYS;
    switch (fn) {
    case FN_SOCKET: r = i->socket(u, fd, (int)a[1], (int)a[2]); break;
    case FN_BIND: r = i->bind(u, fd, p1, (socklen_t)a[2]); break;
    case FN_LISTEN: r = i->listen(u, fd, (int)a[1]); break;
    case FN_ACCEPT: r = i->accept(u, fd, p1, p2); break;
    case FN_CONNECT: r = i->connect(u, fd, p1, (socklen_t)a[2]); break;
    case FN_READ: r = i->read(u, fd, p1, (size_t)a[2]); break;
    case FN_READV: r = i->readv(u, fd, p1, (int)a[2]); break;
    case FN_RECV: r = i->recv(u, fd, p1, (size_t)a[2], (int)a[3]); break;
    case FN_RECVFROM: r = i->recvfrom(u, fd, p1, (size_t)a[2], (int)a[3], p4, (socklen_t *)a[5]); break;
    case FN_RECVMSG: r = i->recvmsg(u, fd, p1, (int)a[2]); break;
    case FN_WRITE: r = i->write(u, fd, p1, (size_t)a[2]); break;
    case FN_WRITEV: r = i->writev(u, fd, p1, (int)a[2]); break;
    case FN_SEND: r = i->send(u, fd, p1, (size_t)a[2], (int)a[3]); break;
    case FN_SENDTO: r = i->sendto(u, fd, p1, (size_t)a[2], (int)a[3], p4, (socklen_t)a[5]); break;
    case FN_SENDMSG: r = i->sendmsg(u, fd, p1, (int)a[2]); break;
    case FN_FCNTL: r = i->fcntl(u, fd, (int)a[1], (long)a[2]); break;
    case FN_IOCTL: r = i->ioctl(u, fd, (unsigned long)a[1], p2); break;
    case FN_CLOSE: r = i->close(u, fd); break;
    case FN_SHUTDOWN: r = i->shutdown(u, fd, (int)a[1]); break;
    case FN_GETSOCKOPT: r = i->getsockopt(u, fd, (int)a[1], (int)a[2], p3, p4); break;
    case FN_SETSOCKOPT: r = i->setsockopt(u, fd, (int)a[1], (int)a[2], p3, (socklen_t)a[4]); break;
    case FN_POLL: r = i->poll(u, (struct pollfd *)a[0], (nfds_t)a[1], (int)a[2]); break;
    case FN_EPOLL_CREATE: r = i->epoll_create(u, fd < 0 ? 0 : 1); break;
    case FN_EPOLL_CTL: r = i->epoll_ctl(u, fd, (int)a[1], (int)a[2], p3); break;
    case FN_EPOLL_WAIT: r = i->epoll_wait(u, fd, p1, (int)a[2], (int)a[3]); break;
    case FN_ACCEPT4:                      /* the interface has no such call */
    case FN_COUNT:
        break;
    }
    return r < 0 ? -errno : r;
}

static bool may_wait(enum drill_function fn)
{
    switch (fn) {
    case FN_SOCKET: case FN_BIND: case FN_LISTEN: case FN_FCNTL: case FN_IOCTL: case FN_SHUTDOWN: case FN_GETSOCKOPT: case FN_SETSOCKOPT: case FN_EPOLL_CREATE: case FN_EPOLL_CTL:
        return false;
    default:
        return true;
    }
}

static void *run_job(void *of)
{
    struct job *j = of;
    struct timeval now;
    atomic_store(&j->tid, (int)syscall(SYS_gettid));
    j->result = call_now(j->b, j->fn, j->arg);
    atomic_store(&j->done, 1);            /* first: from the next line on time may move, and nobody must let it without seeing this */
    j->b->with.gettimeofday(j->b->with.userdata, &now, NULL);         /* time stands still until then; packetdrill asks, too */
    j->returned_us = (int64_t)now.tv_sec * 1000000 + now.tv_usec - j->b->began_us;
    return NULL;
}

static bool sleeps(int tid)
{
    char path[64], stat[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    size_t n = fread(stat, 1, sizeof stat - 1, f);
    fclose(f);
    stat[n] = 0;
    const char *end = strrchr(stat, ')');
    return end && strlen(end) > 2 && end[2] == 'S';
}

/* Until the thread is back or sleeps in its call: seen twice, for on its way there it may sleep for a lock. */
static bool back(struct job *j)
{
    struct timespec pause = {.tv_nsec = 20000};
    int seen = 0;
    for (int64_t waited_us = 0; seen < 3 && waited_us < PATIENCE_MS * 1000; waited_us += 20) {
        if (atomic_load(&j->done))
            return true;
        seen = atomic_load(&j->tid) && sleeps(atomic_load(&j->tid)) ? seen + 1 : 0;
        nanosleep(&pause, NULL);
    }
    return atomic_load(&j->done);
}

static long call(void *self, enum drill_function fn, const intptr_t arg[6], struct drill_wait *wait)
{
    struct job *j;
    if (!may_wait(fn))
        return call_now(self, fn, arg);
    memcpy(&j, wait->own, sizeof j);
    if (!j) {
        j = calloc(1, sizeof *j);
        if (!j)
            return -ENOMEM;
        j->b = self;
        j->fn = fn;
        memcpy(j->arg, arg, sizeof j->arg);
        if (pthread_create(&j->thread, NULL, run_job, j) != 0) {
            free(j);
            return -EAGAIN;
        }
        memcpy(wait->own, &j, sizeof j);
        j->b->jobs++;
    }
    if (!back(j))
        return DRILL_WAITS;
    pthread_join(j->thread, NULL);
    j->b->jobs--;
    long result = j->result;
    j->b->returned_us = j->returned_us;
    free(j);
    memset(wait->own, 0, sizeof wait->own);
    return result;
}

/* ------------------------------------------------------------------ time and packets ------------------------------------------------------------------ */

static int64_t asked_us(struct behind *b)
{
    struct timeval t;
    b->with.gettimeofday(b->with.userdata, &t, NULL);
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static int64_t now_us(void *self)
{
    struct behind *b = self;
    return asked_us(b) - b->began_us;
}

/* Takes the next packet; time jumps to it. False: there will be none. */
static bool fetch(struct behind *b)
{
    struct queued *q = malloc(sizeof *q + ROOM);
    long long us = 0;
    size_t n = ROOM;
    if (!q || b->with.netdev_receive(b->with.userdata, q->packet, &n, &us) != 0 || n == 0) {
        free(q);
        return false;
    }
    q->next = NULL;
    q->us = us - b->began_us;
    q->n = n;
    *b->last = q;
    b->last = &q->next;
    return true;
}

static bool done(const struct drill_wait *waiting)
{
    struct job *j = NULL;
    if (waiting)
        memcpy(&j, waiting->own, sizeof j);
    return j && atomic_load(&j->done);
}

static int64_t returned_us(void *self) { return ((struct behind *)self)->returned_us; }

static void pass(void *self, int64_t until_us, unsigned stop, const struct drill_wait *waiting)
{
    struct behind *b = self;
    if ((stop & STOP_AT_PACKET) && (b->first || fetch(b)))
        return;
    for (int64_t now; (now = now_us(b)) < until_us;) {
        int64_t left = until_us - now, step = (stop & STOP_AT_CALL) && left > STEP_US ? STEP_US : left;
        if ((stop & STOP_AT_CALL) && done(waiting))
            return;
        step = step < LONGEST_SLEEP_US ? step : LONGEST_SLEEP_US;
        if (step > 30)                    /* a sleep is 20 us late */
            b->with.usleep(b->with.userdata, (useconds_t)step - 25);
    }
}

static void arrives(void *self, const uint8_t *packet, size_t n)
{
    struct behind *b = self;
    b->with.netdev_send(b->with.userdata, packet, n);
}

static bool sent(void *self, uint8_t *packet, size_t *n, int64_t *us)
{
    struct behind *b = self;
    struct queued *q = b->first;
    if (!q)
        return false;
    b->first = q->next;
    if (!b->first)
        b->last = &b->first;
    memcpy(packet, q->packet, q->n);
    *n = q->n;
    *us = q->us;
    free(q);
    return true;
}

/* As packetdrill has its shell lines run when the object is preloaded. */
static bool shell(void *self, const char *line)
{
    struct behind *b = self;
    return b->system && b->system(line) == 0;
}

static void end(void *self)
{
    struct behind *b = self;
    if (b->jobs)                          /* a script failed while a call waits: its thread sleeps inside the object, which so has to stay */
        return;
    if (b->with.free)
        b->with.free(b->with.userdata);
    for (struct queued *q = b->first, *next; q; q = next) {
        next = q->next;
        free(q);
    }
    dlclose(b->object);
    free(b);
}

bool drill_plug(struct drill_target *t, const char *object, const struct drill_net *net, const char *settings, char *error, size_t size)
{
    char flags[1000];
    void (*init)(const char *, struct packetdrill_interface *);
    struct behind *b = calloc(1, sizeof *b);
    if (!b || !(b->object = dlopen(object, RTLD_NOW | RTLD_LOCAL))) {
        snprintf(error, size, "%s", b ? dlerror() : "out of memory");
        free(b);
        return false;
    }
    *(void **)&init = dlsym(b->object, "packetdrill_interface_init");
    *(void **)&b->system = dlsym(b->object, "system");
    if (!init) {
        snprintf(error, size, "%s: %s", object, dlerror());
        dlclose(b->object);
        free(b);
        return false;
    }
    snprintf(flags, sizeof flags, "mtu=%u,%s=%s%s%s", net->mtu, net->ipv6 ? "local_ip6" : "local_ip", net->local, settings ? "," : "", settings ? settings : "");
    b->last = &b->first;
    init(flags, &b->with);
    b->began_us = asked_us(b);
    *t = (struct drill_target){.self = b, .now_us = now_us, .pass = pass, .arrives = arrives, .sent = sent, .call = call, .returned_us = returned_us, .shell = shell, .end = end};
    return true;
}
