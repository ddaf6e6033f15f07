/* SPDX-License-Identifier: MIT
 *
 * plug.c: see plug.h.
 */
#include "plug/plug.h"
#include "drill/settings.h"
#include "os/posix/sock/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#define EPOCH_US 1700000000000000ll       /* what gettimeofday says at the beginning */
enum { SLEEP_IS_LATE_US = 20, WAKE_PATIENCE_MS = 2000 };

struct plug *plug_last;

/* ------------------------------------------------------------------ the stack ------------------------------------------------------------------ */

static bool address_of(const char *text, struct pl_addr *to)
{
    *to = (struct pl_addr){.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    return strchr(text, ':') ? inet_pton(AF_INET6, text, to->b) == 1 : inet_pton(AF_INET, text, to->b + 12) == 1;
}

static bool add_address(struct plug *p, const struct pl_addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    int e = pl_addr_add(p->stack, p->iface, a, memcmp(a->b, mapped, 12) == 0 ? 32 : 128);
    return e == PL_OK || e == PL_EADDRINUSE;
}

static bool make_net(struct plug *p)
{
    struct pl_iface_params params = {.mtu = p->mtu, .link = PL_LINK_IP};
    struct pl_addr a;
    struct pl_route v4 = {.destination = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}}, v6 = {.prefix_bits = 0};
    p->iface = v4.iface = v6.iface = pl_iface_add(p->stack, &params);
    return p->iface >= 0 && address_of(p->local4, &a) && add_address(p, &a) && address_of(p->local6, &a) && add_address(p, &a) &&
           pl_route_add(p->stack, &v4) == PL_OK && pl_route_add(p->stack, &v6) == PL_OK;
}

bool plug_ready(struct plug *p)
{
    if (p->stack)
        return true;
    p->block_bytes = pl_stack_size(&p->config.stack);
    if (!p->block_bytes) {
        fprintf(stderr, "parley: these settings make no stack: %s\n", pl_config_problem(&p->config.stack));
        errno = EINVAL;
        return false;
    }
    void *block = mmap(NULL, p->block_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED)
        return false;
    p->block = block;
    struct sock_params params = {.config = &p->config.stack, .now = p->now, .files_max = PLUG_FDS, .seed = 1, .isn_fixed = p->config.isn_fixed, .isn = p->config.isn};
    if (pl_stack_init(block, p->block_bytes, &p->config.stack, &p->env, p->now, &p->stack) != PL_OK || !make_net(p) ||
        (params.stack = p->stack, p->world = sock_world_new(&params)) == NULL) {
        munmap(block, p->block_bytes);
        p->block = NULL, p->stack = NULL;
        errno = ENOMEM;
        return false;
    }
    return true;
}

bool plug_knows_address(struct plug *p, const struct sockaddr *name)
{
    struct pl_addr a = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    if (name->sa_family == AF_INET)
        memcpy(a.b + 12, &((const struct sockaddr_in *)(const void *)name)->sin_addr, 4);
    else if (name->sa_family == AF_INET6)
        memcpy(a.b, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr, 16);
    else
        return false;
    static const struct pl_addr any4 = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, any6 = {.zone = 0};
    if (memcmp(a.b, any4.b, 16) == 0 || memcmp(a.b, any6.b, 16) == 0)
        return true;
    return add_address(p, &a);
}

/* Whatever address packetdrill lets packets come to is ours. */
static void know_destination(struct plug *p, const uint8_t *b, size_t n)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (n >= 20 && b[0] >> 4 == 4 && b[16] < 224) {
        memcpy(&in4.sin_addr, b + 16, 4);
        plug_knows_address(p, (struct sockaddr *)&in4);
    } else if (n >= 40 && b[0] >> 4 == 6 && b[24] != 0xff) {
        memcpy(&in6.sin6_addr, b + 24, 16);
        plug_knows_address(p, (struct sockaddr *)&in6);
    }
}

/* ------------------------------------------------------------------ time ------------------------------------------------------------------ */

static int64_t us_of(const struct plug *p) { return EPOCH_US + (int64_t)(p->now / PL_US); }

static void keep(struct plug *p, const struct pl_frame *f)
{
    size_t n = 0;
    for (unsigned k = 0; k < f->nspans; k++)
        n += f->span[k].len;
    struct plug_sent *s = malloc(sizeof *s + n);
    if (!s)
        return;
    *s = (struct plug_sent){.us = us_of(p), .n = n};
    uint8_t *to = s->packet;
    for (unsigned k = 0; k < f->nspans; to += f->span[k].len, k++)
        memcpy(to, f->span[k].base, f->span[k].len);
    *p->last = s;
    p->last = &s->next;
}

static void wake(struct plug *p)
{
    bool any = false;
    for (struct plug_waiter *w = p->waiters; w; w = w->next)
        if (!w->woken && (w->op->until <= p->now || sock_op_ready(p->world, w->op))) {
            w->woken = any = true;
            if (p->frozen < (int)(sizeof p->frozen_by / sizeof p->frozen_by[0]))
                p->frozen_by[p->frozen++] = w->thread;
        }
    if (any)
        pthread_cond_broadcast(&p->changed);
}

void plug_settle(struct plug *p)
{
    uint8_t header[PL_HEADER_BYTES_MAX];
    for (bool more = true; p->stack && more;) {
        more = false;
        sock_turn(p->world, p->now);
        for (;;) {
            struct pl_frame f = {.nspans = 1};
            f.span[0] = (struct pl_span){header, sizeof header};
            if (pl_tx(p->stack, p->iface, &f, 1, p->now) <= 0)
                break;
            keep(p, &f);
            more = true;
        }
    }
    if (p->stack)
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
    pl_time next = p->stack ? pl_deadline(p->stack) : PL_NEVER;
    for (const struct plug_waiter *w = p->waiters; w; w = w->next)
        next = !w->woken && w->op->until < next ? w->op->until : next;
    return next;
}

/* Moves time to `until`, stopping at each thing that happens on the way. */
static void advance(struct plug *p, pl_time until)
{
    plug_settle(p);
    while (p->now < until) {
        let_woken_ask(p);
        pl_time next = next_of(p);
        p->now = next > until ? until : next > p->now ? next : p->now;
        if (p->stack)
            pl_poll(p->stack, p->now);
        plug_settle(p);
    }
}

static int do_usleep(void *u, useconds_t us)
{
    struct plug *p = u;
    pthread_mutex_lock(&p->lock);
    advance(p, p->now + ((pl_time)us + SLEEP_IS_LATE_US) * PL_US);
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
        advance(p, p->now + PL_US);
    int64_t us = us_of(p);
    pthread_mutex_unlock(&p->lock);
    if (tv)
        *tv = (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    return 0;
}

/* ------------------------------------------------------------------ packets ------------------------------------------------------------------ */

static int netdev_send(void *u, const void *bytes, size_t n)
{
    struct plug *p = u;
    struct pl_frame f = {.nspans = 1};
    f.span[0] = (struct pl_span){(void *)(uintptr_t)bytes, (uint32_t)n};
    pthread_mutex_lock(&p->lock);
    bool ready = plug_ready(p);
    if (ready) {
        know_destination(p, bytes, n);
        pl_rx(p->stack, p->iface, &f, 1, p->now);
        plug_settle(p);
    }
    pthread_mutex_unlock(&p->lock);
    return ready ? 0 : -1;
}

/* Nothing is queued: time jumps to what the stack does next, again and again until it sends something or nothing is left to wait for. */
static void until_sent(struct plug *p)
{
    plug_settle(p);
    while (!p->first) {
        let_woken_ask(p);
        plug_settle(p);
        pl_time next = next_of(p);
        if (p->first || next == PL_NEVER)
            return;
        advance(p, next > p->now ? next : p->now + PL_US);
    }
}

static int netdev_receive(void *u, void *to, size_t *n, long long *time_us)
{
    struct plug *p = u;
    pthread_mutex_lock(&p->lock);
    until_sent(p);
    struct plug_sent *s = p->first;
    size_t room = *n;
    *n = 0;
    int result = 0;
    if (s && s->n > room) {
        errno = EMSGSIZE;
        result = -1;
    } else if (s) {
        memcpy(to, s->packet, s->n);
        *n = s->n;
        *time_us = s->us;
    }
    if (s) {
        p->first = s->next;
        if (!p->first)
            p->last = &p->first;
        free(s);
    }
    pthread_mutex_unlock(&p->lock);
    return result;
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
        if (address_of(value, &a) && (strchr(value, ':') != NULL) == (one[8] != 0))
            return true;
        snprintf(error, size, "\"%s\" is no address for %s", value, one);
        return false;
    }
    if (strcmp(one, "mtu") == 0) {
        p->mtu = (uint32_t)strtoul(value, NULL, 10);
        if (p->mtu >= 1280 && p->mtu <= 65535)
            return true;
        snprintf(error, size, "mtu is a number from 1280 to 65535");
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
    if (p->world)
        sock_world_free(p->world);
    if (p->block)
        munmap(p->block, p->block_bytes);
    for (struct plug_sent *s = p->first, *next; s; s = next) {
        next = s->next;
        free(s);
    }
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
    p->last = &p->first;
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
