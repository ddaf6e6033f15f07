/* SPDX-License-Identifier: MIT
 *
 * plug.c: see plug.h.
 */
#include "plug/plug.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#define EPOCH_US 1700000000000000ll       /* what gettimeofday says at the beginning */
enum { SLEEP_IS_LATE_US = 20, WAKE_PATIENCE_MS = 2000, IP4_MTU_MIN = 576, IP6_MTU_MIN = 1280 };

struct plug *plug_last;

/* ------------------------------------------------------------------ the stack ------------------------------------------------------------------ */

bool plug_ready(struct plug *p)
{
    char error[300];
    struct node_params params = {.config = &p->config, .mtu = p->mtu, .files_max = PLUG_FDS};
    struct pl_addr v4, v6;
    if (p->node.stack)
        return true;
    int e = node_open(&p->node, &params, error, sizeof error);
    if (e < 0) {
        fprintf(stderr, "parley: %s\n", error);
        errno = -e;
        return false;
    }
    if (node_address(p->local4, &v4))
        node_add_address(&p->node, &v4);
    if (p->mtu >= IP6_MTU_MIN && node_address(p->local6, &v6))
        node_add_address(&p->node, &v6);
    return true;
}

static bool know(struct plug *p, bool ipv6, const void *address)
{
    static const struct pl_addr any4 = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, any6 = {.zone = 0};
    struct pl_addr a = ipv6 ? any6 : any4;
    memcpy(ipv6 ? a.b : a.b + 12, address, ipv6 ? 16 : 4);
    return memcmp(a.b, ipv6 ? any6.b : any4.b, 16) == 0 || node_add_address(&p->node, &a);
}

bool plug_knows_address(struct plug *p, const struct sockaddr *name)
{
    if (name->sa_family == AF_INET)
        return know(p, false, &((const struct sockaddr_in *)(const void *)name)->sin_addr);
    return name->sa_family == AF_INET6 && know(p, true, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr);
}

/* Whatever address packetdrill lets packets come to is ours. */
static void know_destination(struct plug *p, const uint8_t *b, size_t n)
{
    if (n >= 20 && b[0] >> 4 == 4 && b[16] < 224)
        know(p, false, b + 16);
    else if (n >= 40 && b[0] >> 4 == 6 && b[24] != 0xff)
        know(p, true, b + 24);
}

/* ------------------------------------------------------------------ time ------------------------------------------------------------------ */

static int64_t us_of(pl_time t) { return EPOCH_US + (int64_t)(t / PL_US); }

static void wake(struct plug *p)
{
    bool any = false;
    for (struct plug_waiter *w = p->waiters; w; w = w->next)
        if (!w->woken && (w->op->until <= p->node.now || sock_op_ready(p->node.world, w->op))) {
            w->woken = any = true;
            if (p->frozen < (int)(sizeof p->frozen_by / sizeof p->frozen_by[0]))
                p->frozen_by[p->frozen++] = w->thread;
        }
    if (any)
        pthread_cond_broadcast(&p->changed);
}

void plug_settle(struct plug *p)
{
    if (!p->node.stack)
        return;
    node_settle(&p->node);
    wake(p);
}

/* A thread that was woken gets its time first. It is not waited for without end: it may have died. */
static void let_woken_ask(struct plug *p)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAKE_PATIENCE_MS / 1000;
    for (int i = 0; i < p->frozen; i++)
        if (pthread_equal(p->frozen_by[i], pthread_self()))
            return;
    while (p->frozen)
        if (pthread_cond_timedwait(&p->changed, &p->lock, &until) == ETIMEDOUT)
            p->frozen = 0;
}

void plug_unfreeze(struct plug *p)
{
    for (int i = 0; i < p->frozen; i++)
        if (pthread_equal(p->frozen_by[i], pthread_self())) {
            p->frozen_by[i--] = p->frozen_by[--p->frozen];
            pthread_cond_broadcast(&p->changed);
        }
}

static pl_time next_of(const struct plug *p)
{
    pl_time next = p->node.stack ? pl_deadline(p->node.stack) : PL_NEVER;
    for (const struct plug_waiter *w = p->waiters; w; w = w->next)
        next = !w->woken && w->op->until < next ? w->op->until : next;
    return next;
}

/* Moves time to `until`, stopping at each thing that happens on the way. */
static void advance(struct plug *p, pl_time until)
{
    plug_settle(p);
    while (p->node.now < until) {
        let_woken_ask(p);
        pl_time next = next_of(p);
        p->node.now = next > until ? until : next > p->node.now ? next : p->node.now;
        if (p->node.stack)
            pl_poll(p->node.stack, p->node.now);
        plug_settle(p);
    }
}

static int do_usleep(void *u, useconds_t us)
{
    struct plug *p = u;
    pthread_mutex_lock(&p->lock);
    advance(p, p->node.now + ((pl_time)us + SLEEP_IS_LATE_US) * PL_US);
    pthread_mutex_unlock(&p->lock);
    return 0;
}

static int do_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
    struct plug *p = u;
    (void)tz;
    pthread_mutex_lock(&p->lock);
    int frozen = p->frozen;
    plug_unfreeze(p);
    if (frozen == 0)
        advance(p, p->node.now + PL_US);
    int64_t us = us_of(p->node.now);
    pthread_mutex_unlock(&p->lock);
    if (tv)
        *tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    return 0;
}

/* ------------------------------------------------------------------ packets ------------------------------------------------------------------ */

static int netdev_send(void *u, const void *bytes, size_t n)
{
    struct plug *p = u;
    pthread_mutex_lock(&p->lock);
    bool ready = plug_ready(p);
    if (ready) {
        know_destination(p, bytes, n);
        node_arrives(&p->node, bytes, n);
        plug_settle(p);
    }
    pthread_mutex_unlock(&p->lock);
    return ready ? 0 : -1;
}

/* Nothing is queued: time jumps to what the stack does next, again and again until it sends something or nothing is left to wait for. */
static void until_sent(struct plug *p)
{
    plug_settle(p);
    while (!p->node.first) {
        let_woken_ask(p);
        plug_settle(p);
        pl_time next = next_of(p);
        if (p->node.first || next == PL_NEVER)
            return;
        advance(p, next > p->node.now ? next : p->node.now + PL_US);
    }
}

static int netdev_receive(void *u, void *to, size_t *n, long long *time_us)
{
    struct plug *p = u;
    pl_time at = 0;
    size_t bytes;
    pthread_mutex_lock(&p->lock);
    until_sent(p);
    bool taken = node_take(&p->node, to, *n, &bytes, &at);
    pthread_mutex_unlock(&p->lock);
    *n = taken ? bytes : 0;
    if (taken)
        *time_us = us_of(at);
    else if (bytes)
        errno = EMSGSIZE;
    return !taken && bytes ? -1 : 0;
}

/* ------------------------------------------------------------------ making and ending ------------------------------------------------------------------ */

/* "local_ip=..., local_ip6=..., mtu=..." are the plug's own; the rest are the stack's. */
static bool setting(struct plug *p, char *one, char *error, size_t size)
{
    char *value = strchr(one, '=');
    if (!value) {
        snprintf(error, size, "\"%s\": name=value expected", one);
        return false;
    }
    *value++ = 0;
    if (strcmp(one, "local_ip") == 0 || strcmp(one, "local_ip6") == 0) {
        struct pl_addr a;
        char *to = one[8] ? p->local6 : p->local4;
        snprintf(to, sizeof p->local4, "%s", value);
        if (node_address(value, &a) && (strchr(value, ':') != NULL) == (one[8] != 0))
            return true;
        snprintf(error, size, "\"%s\" is no address for %s", value, one);
        return false;
    }
    if (strcmp(one, "mtu") == 0) {
        p->mtu = (uint32_t)strtoul(value, NULL, 10);
        if (p->mtu >= IP4_MTU_MIN && p->mtu <= 65535)
            return true;
        snprintf(error, size, "mtu is a number from 576 to 65535; below 1280 there is no IPv6");
        return false;
    }
    return drill_setting(&p->config, one, value, error, size);
}

static bool settings(struct plug *p, const char *flags)
{
    char error[300], one[200];
    for (const char *at = flags ? flags : ""; *at;) {
        size_t n = strcspn(at, ",");
        snprintf(one, sizeof one, "%.*s", (int)n, at);
        if (n && !setting(p, one, error, sizeof error)) {
            fprintf(stderr, "parley: %s\n", error);
            return false;
        }
        at += n + (at[n] == ',');
    }
    return true;
}

static void do_free(void *u)
{
    struct plug *p = u;
    if (!p)
        return;
    if (plug_last == p)
        plug_last = NULL;
    for (int fd = 0; fd < PLUG_FDS; fd++)
        if (p->inside[fd] >= 0)
            syscall(SYS_close, fd);
    node_close(&p->node);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int no_socket(void *u, int domain, int type, int protocol)
{
    (void)u, (void)domain, (void)type, (void)protocol;
    errno = ENOSYS;                       /* the flags were refused, and nothing can be run on nothing */
    return -1;
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *to)
{
    struct plug *p = calloc(1, sizeof *p);
    *to = (struct packetdrill_interface){.userdata = p};
    plug_fill(to);
    to->free = do_free;
    to->netdev_send = netdev_send;
    to->netdev_receive = netdev_receive;
    to->usleep = do_usleep;
    to->gettimeofday = do_gettimeofday;
    if (!p) {
        fprintf(stderr, "parley: no memory\n");
        to->socket = no_socket;
        return;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    memset(p->inside, -1, sizeof p->inside);
    p->mtu = 1500;
    snprintf(p->local4, sizeof p->local4, "192.168.0.1");
    snprintf(p->local6, sizeof p->local6, "fd3d:fa7b:d17d::1");
    pl_config_default(&p->config.stack, sizeof p->config.stack);
    p->config.stack.addrs_max = PLUG_ADDRS;
    p->config.stack.mem_is_zero = true;
    memset(p->config.stack.seed, 7, sizeof p->config.stack.seed);
    plug_last = p;
    if (!settings(p, flags))
        to->socket = no_socket;
}
