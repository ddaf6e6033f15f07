/* SPDX-License-Identifier: MIT
 *
 * run.c: a script, event after event. Time is the target's; a relative time counts from when the event before was over.
 *
 * Packets are matched by flow: a script without ports speaks of one connection at a time, the one that the latest connect() or the first SYN to the latest
 * listen() made. What is sent on other flows is passed over. One call may wait while the script goes on.
 */
#include "drill/run.h"
#include "drill/calls.h"
#include "drill/code.h"
#include "drill/constants.h"
#include "drill/packet.h"
#include "drill/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FLOWS = 64, PEER_PORT = 40000, DEFAULT_PORT = 8080, TOLERANCE_US = 4000, PACKET_ROOM = 65600 };
#define FOREVER_US ((int64_t)7 * 86400 * 1000000)        /* after "*": a week; whatever takes longer is not coming */

struct run {
    const struct drill_script *script;
    const struct drill_options *options;
    struct drill_target target;
    bool made, failed;
    struct drill_net net;
    struct drill_config config;
    int64_t tolerance_us;
    uint16_t bind_port, connect_port, next_peer_port;
    struct drill_names names;
    uint16_t bound[DRILL_FDS];            /* a script's descriptor's port */
    int type[DRILL_FDS];                  /* SOCK_STREAM, SOCK_DGRAM */
    bool connecting[DRILL_FDS];           /* its connect() was not told yet what became of it */
    int tested;                           /* the script's descriptor that code speaks of; -1: none yet */
    uint16_t listens;                     /* the port of a listen() whose first SYN is still to come */
    struct drill_flow flow[FLOWS];
    int flows, current;                   /* current: -1 none */
    struct drill_doing *doing;            /* the call that waits */
    int64_t doing_until;
    const struct drill_event *event;      /* at hand */
    char error[600];
    uint8_t *bytes;                       /* room for a packet */
};

static bool fail(struct run *r, const char *what, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct run *r, const char *what, ...)
{
    if (r->failed)
        return false;
    r->failed = true;
    va_list args;
    va_start(args, what);
    vsnprintf(r->error, sizeof r->error, what, args);
    va_end(args);
    return false;
}

static int64_t now(struct run *r) { return r->made ? r->target.now_us(r->target.self) : 0; }

static void clock_text(int64_t us, char *to, size_t size) { snprintf(to, size, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000)); }

static bool in_time(struct run *r, const char *what, int64_t is, int64_t from, int64_t until)
{
    char a[40], b[40];
    if (is >= from - r->tolerance_us && is <= until + r->tolerance_us)
        return true;
    clock_text(is, a, sizeof a);
    clock_text(from, b, sizeof b);
    return fail(r, "%s at %s, %lld us %s than expected (%s%s)", what, a, (long long)(is < from ? from - is : is - until), is < from ? "earlier" : "later", b,
                until > from ? " at the soonest" : "");
}

/* ------------------------------------------------------------------ settings ------------------------------------------------------------------ */

static bool port(struct run *r, const char *text, uint16_t *to)
{
    char *end;
    long v = strtol(text, &end, 10);
    *to = (uint16_t)v;
    return *text && !*end && v > 0 && v < 65536 ? true : fail(r, "\"%s\" is no port", text);
}

static bool script_setting(struct run *r, const char *name, const char *value)
{
    char *end = NULL;
    if (strcmp(name, "ip_version") == 0) {
        r->net.ipv6 = strcmp(value, "ipv6") == 0;
        return r->net.ipv6 || strcmp(value, "ipv4") == 0 ? true : fail(r, "ip_version is ipv4 or ipv6, not \"%s\"", value);
    }
    if (strcmp(name, "tolerance_usecs") == 0) {
        r->tolerance_us = strtoll(value, &end, 10);
        return *value && !*end && r->tolerance_us >= 0 ? true : fail(r, "tolerance_usecs is a number of microseconds, not \"%s\"", value);
    }
    if (strcmp(name, "mtu") == 0) {
        unsigned long v = strtoul(value, &end, 10);
        r->net.mtu = (uint32_t)v;
        return *value && !*end && v >= 576 && v <= 65535 ? true : fail(r, "mtu is a number from 576 to 65535, not \"%s\"", value);
    }
    if (strcmp(name, "bind_port") == 0 || strcmp(name, "connect_port") == 0)
        return port(r, value, *name == 'b' ? &r->bind_port : &r->connect_port);
    if (strcmp(name, "local_ip") == 0 || strcmp(name, "remote_ip") == 0) {
        snprintf(*name == 'l' ? r->net.local : r->net.remote, sizeof r->net.local, "%s", value);
        return true;
    }
    /* what says how packetdrill itself should go about it */
    if (strcmp(name, "tcp_ts_tick_usecs") == 0 || strcmp(name, "verbose") == 0 || strcmp(name, "netmask_ip") == 0 || strcmp(name, "gateway_ip") == 0)
        return true;
    return fail(r, "the setting --%s is not known; ip_version, mtu, tolerance_usecs, local_ip, remote_ip, bind_port and connect_port are", name);
}

static void open_names(struct run *r)
{
    struct drill_names *n = &r->names;
    struct sockaddr_storage *both[] = {&n->bind, &n->connect};
    n->domain = r->net.ipv6 ? AF_INET6 : AF_INET;
    n->bytes = r->net.ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)both[i];
        const char *address = i ? r->net.remote : r->net.local;
        in4->sin_family = (sa_family_t)n->domain;
        in4->sin_port = htons(i ? r->connect_port : r->bind_port);
        if (inet_pton(n->domain, address, r->net.ipv6 ? (void *)&((struct sockaddr_in6 *)(void *)both[i])->sin6_addr : (void *)&in4->sin_addr) != 1)
            fail(r, "\"%s\" is no address of this family", address);
    }
}

static bool begin(struct run *r)
{
    const struct drill_options *o = r->options;
    r->net = (struct drill_net){.ipv6 = o->ipv6, .mtu = 1500};
    r->tolerance_us = TOLERANCE_US;
    r->bind_port = r->connect_port = DEFAULT_PORT;
    r->next_peer_port = PEER_PORT;
    r->current = r->tested = -1;
    memset(r->names.fd, -1, sizeof r->names.fd);
    struct pl_config *c = &r->config.stack;
    pl_config_default(c, sizeof *c);
    c->connections_max = c->half_open_max = c->time_wait_max = 64;       /* small: a script is made ready in microseconds */
    c->chunks_max = 1024;
    c->records_max = 4096;
    c->mem_is_zero = true;         /* every target's block comes fresh from the system */
    c->check = true;
    memset(c->seed, 7, sizeof c->seed);
    for (const struct drill_setting *s = r->script->settings; s; s = s->next)
        if (!script_setting(r, s->name, s->value))
            return false;
    if (!r->net.local[0])
        snprintf(r->net.local, sizeof r->net.local, "%s", r->net.ipv6 ? "fd00::1" : "192.168.0.1");
    if (!r->net.remote[0])
        snprintf(r->net.remote, sizeof r->net.remote, "%s", r->net.ipv6 ? "2001:db8::1" : "192.0.2.1");
    if (o->tolerance_us)
        r->tolerance_us = o->tolerance_us;
    open_names(r);
    return !r->failed && (!o->settings || drill_settings(&r->config, o->settings, r->error, sizeof r->error) || (r->failed = true, false));
}

/* The stack is made when the script first needs it: until then it may change settings. */
static bool make(struct run *r)
{
    const struct drill_options *o = r->options;
    struct drill_ears ears = {.story = o->story, .hears = o->hears, .user = o->hears_user};
    if (!r->made)
        r->made = o->plug ? drill_plug(&r->target, o->plug, &r->net, o->settings, r->error, sizeof r->error)
                          : drill_inside(&r->target, &r->net, &r->config, &ears, r->error, sizeof r->error);
    r->failed |= !r->made;
    return r->made;
}

/* ------------------------------------------------------------------ flows ------------------------------------------------------------------ */

static void address(const char *text, bool ipv6, struct drill_address *to) { inet_pton(ipv6 ? AF_INET6 : AF_INET, text, to->b); }

static struct drill_flow *flow_new(struct run *r, uint8_t protocol, uint16_t local_port, uint16_t remote_port)
{
    if (r->flows == FLOWS) {
        fail(r, "more than %d connections in one script", FLOWS);
        return NULL;
    }
    r->current = r->flows++;
    struct drill_flow *f = &r->flow[r->current];
    *f = (struct drill_flow){.ipv6 = r->net.ipv6, .protocol = protocol, .local_port = local_port, .remote_port = remote_port};
    address(r->net.local, r->net.ipv6, &f->local);
    address(r->net.remote, r->net.ipv6, &f->remote);
    return f;
}

static struct drill_flow *flow_of_ports(struct run *r, const struct drill_packet *p)
{
    uint16_t local = (uint16_t)(p->in ? p->dst_port : p->src_port), remote = (uint16_t)(p->in ? p->src_port : p->dst_port);
    for (int i = 0; i < r->flows; i++)
        if (r->flow[i].protocol == p->protocol && r->flow[i].local_port == local && r->flow[i].remote_port == remote) {
            r->current = i;
            return &r->flow[i];
        }
    return flow_new(r, p->protocol, local, remote);
}

/* The flow that a packet of the script belongs to. */
static struct drill_flow *flow_for(struct run *r, const struct drill_packet *p)
{
    if (p->src_port >= 0)
        return flow_of_ports(r, p);
    if (p->in && p->protocol == DRILL_TCP && r->listens) {
        uint16_t local = r->listens;
        r->listens = 0;
        return flow_new(r, DRILL_TCP, local, r->next_peer_port++);
    }
    if (r->current >= 0 && (p->protocol == DRILL_ICMP || r->flow[r->current].protocol == p->protocol))
        return &r->flow[r->current];
    return flow_new(r, p->protocol == DRILL_ICMP ? (p->quoted_protocol ? p->quoted_protocol : DRILL_TCP) : p->protocol, r->bind_port, r->next_peer_port++);
}

/* connect() was called: its SYN, or its datagrams, tell the local port. A call that only asks again what became of the first one makes no flow. */
static void flow_connects(struct run *r, const struct drill_doing *d, int script_fd)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)&d->name;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&d->name;
    bool udp = script_fd >= 0 && script_fd < DRILL_FDS && r->type[script_fd] == SOCK_DGRAM;
    bool begins = udp ? d->result == 0 : d->result == -EINPROGRESS || d->result == DRILL_WAITS;
    if (!begins || (script_fd >= 0 && !udp && r->connecting[script_fd]) || d->name.ss_family != r->names.domain)
        return;
    struct drill_flow *f = flow_new(r, udp ? DRILL_UDP : DRILL_TCP, script_fd >= 0 && script_fd < DRILL_FDS ? r->bound[script_fd] : 0, ntohs(in4->sin_port));
    if (f)
        memcpy(f->remote.b, r->net.ipv6 ? (const void *)&in6->sin6_addr : (const void *)&in4->sin_addr, r->net.ipv6 ? 16 : 4);
}

static bool belongs(struct drill_flow *f, const struct drill_flow *ends, uint8_t protocol)
{
    if (protocol == DRILL_ICMP)
        return memcmp(f->remote.b, ends->remote.b, f->ipv6 ? 16 : 4) == 0;
    if (f->local_port == 0 && f->remote_port == ends->remote_port && f->protocol == ends->protocol)
        f->local_port = ends->local_port;
    return drill_packet_of(f, ends);
}

/* ------------------------------------------------------------------ calls ------------------------------------------------------------------ */

static int script_fd(const struct drill_doing *d)
{
    const struct drill_value *v = d->event->call->args;
    return v && v->kind == VALUE_NUMBER && v->number >= 0 && v->number < DRILL_FDS ? (int)v->number : -1;
}

/* What a call that succeeded means for what follows. */
static void learn(struct run *r, const struct drill_doing *d)
{
    int fd = script_fd(d);
    const struct drill_value *result = d->event->call->result;
    int made = result && result->kind == VALUE_NUMBER && result->number >= 0 && result->number < DRILL_FDS ? (int)result->number : -1;
    if (d->result < 0)
        return;
    switch (d->function) {
    case FN_SOCKET:
        if (made >= 0) {
            r->type[made] = (int)(d->arg[1] & 15);
            r->bound[made] = 0;
            r->tested = made;
        }
        break;
    case FN_ACCEPT:
    case FN_ACCEPT4:
        r->tested = made;
        break;
    case FN_BIND:
        if (fd >= 0) {
            r->bound[fd] = ntohs(((const struct sockaddr_in *)(const void *)&d->name)->sin_port);
            if (r->type[fd] == SOCK_DGRAM)
                flow_new(r, DRILL_UDP, r->bound[fd], r->connect_port);
        }
        break;
    case FN_LISTEN:
        r->listens = fd >= 0 ? r->bound[fd] : 0;
        break;
    default:
        break;
    }
}

/* Whether the next connect() of this descriptor only asks again. */
static void learn_connecting(struct run *r, const struct drill_doing *d)
{
    int fd = script_fd(d);
    if (fd < 0)
        return;
    if (d->function == FN_CONNECT)
        r->connecting[fd] = d->result == -EINPROGRESS || d->result == -EALREADY;
    else if (d->function == FN_CLOSE || (d->function == FN_GETSOCKOPT && d->arg[1] == SOL_SOCKET && d->arg[2] == SO_ERROR && d->option.number[0] != 0))
        r->connecting[fd] = false;
}

static bool finish_call(struct run *r)
{
    struct drill_doing *d = r->doing;
    const struct drill_event *at = r->event;
    r->doing = NULL;
    r->event = d->event;                  /* a failure is this event's */
    bool good = !d->event->call->blocking || in_time(r, "the call returned", r->target.returned_us ? r->target.returned_us(r->target.self) : now(r), r->doing_until, r->doing_until);
    good = good && (drill_call_check(d, &r->names, r->error, sizeof r->error) || (r->failed = true, false));
    if (good) {
        learn(r, d);
        learn_connecting(r, d);
        r->event = at;
    }
    drill_call_end(d);
    return good;
}

/* Lets time pass; a call that waits is asked again whenever it may get further. With `packet` until one was sent. */
static bool pass(struct run *r, int64_t until, bool packet)
{
    while (!r->failed) {
        r->target.pass(r->target.self, until, (packet ? STOP_AT_PACKET : 0u) | (r->doing ? STOP_AT_CALL : 0u), r->doing ? &r->doing->wait : NULL);
        if (!r->doing)
            return true;
        struct drill_doing *d = r->doing;
        d->result = r->target.call(r->target.self, d->function, d->arg, &d->wait);
        if (d->result != DRILL_WAITS)
            return finish_call(r) && (packet || pass(r, until, false));
        if (now(r) >= until)
            return true;
        if (packet)
            return true;
    }
    return false;
}

static bool wait_for_call(struct run *r)
{
    while (r->doing && !r->failed) {
        int64_t until = r->doing_until + r->tolerance_us;
        struct drill_doing *d = r->doing;
        if (now(r) >= until) {
            r->event = d->event;
            char t[40];
            clock_text(r->doing_until, t, sizeof t);
            return fail(r, "%s still waits; it should have returned at %s", d->event->call->name, t);
        }
        r->target.pass(r->target.self, until, STOP_AT_CALL, &d->wait);
        d->result = r->target.call(r->target.self, d->function, d->arg, &d->wait);
        if (d->result != DRILL_WAITS)
            return finish_call(r);
    }
    return !r->failed;
}

static bool run_call(struct run *r, int64_t base, int64_t until)
{
    const struct drill_event *e = r->event;
    if (!wait_for_call(r))
        return false;
    r->event = e;
    if (!pass(r, until, false))
        return false;
    struct drill_doing *d = drill_call_begin(e, &r->names, r->error, sizeof r->error);
    if (!d)
        return r->failed = true, false;
    r->doing = d;
    d->began_us = now(r);
    r->doing_until = (e->call->until.base == DRILL_AFTER ? base : 0) + e->call->until.us;
    d->result = r->target.call(r->target.self, d->function, d->arg, &d->wait);
    if (d->function == FN_CONNECT)
        flow_connects(r, d, script_fd(d));
    if (d->result == DRILL_WAITS) {
        if (e->call->blocking)
            return true;
        r->doing = NULL;
        drill_call_end(d);
        return fail(r, "%s waits; the script says that it returns at once. A call that waits has two times: +0...+.5", e->call->name);
    }
    return finish_call(r);
}

/* ------------------------------------------------------------------ packets ------------------------------------------------------------------ */

static bool run_arrival(struct run *r, int64_t at)
{
    if (!pass(r, at, false))
        return false;
    const struct drill_packet *p = r->event->packet;
    struct drill_flow *f = flow_for(r, p);
    if (!f)
        return false;
    size_t n = drill_packet_build(p, f, r->bytes, r->error, sizeof r->error);
    if (!n)
        return r->failed = true, false;
    r->target.arrives(r->target.self, r->bytes, n);
    return true;
}

/* The next packet that was sent on the flow; what goes elsewhere is passed over. */
static bool next_sent(struct run *r, struct drill_flow *f, const struct drill_packet *want, int64_t deadline, struct drill_packet *sent, int64_t *sent_us)
{
    for (;;) {
        struct drill_flow ends;
        size_t n;
        while (r->target.sent(r->target.self, r->bytes, &n, sent_us)) {
            if (!drill_packet_read(r->bytes, n, sent, &ends, r->error, sizeof r->error))
                return r->failed = true, false;
            if ((sent->protocol == want->protocol || want->protocol != DRILL_ICMP) && belongs(f, &ends, sent->protocol))
                return true;
        }
        if (now(r) >= deadline)
            return false;
        if (!pass(r, deadline, true))
            return false;
    }
}

static bool run_departure(struct run *r, int64_t from, int64_t until)
{
    const struct drill_event *e = r->event;
    const struct drill_packet *want = e->packet;
    struct drill_flow *f = flow_for(r, want);
    struct drill_packet sent;
    int64_t sent_us = 0, deadline = e->time.base == DRILL_ANY ? now(r) + FOREVER_US : until + r->tolerance_us;
    char why[300], was[300];
    if (!f)
        return false;
    if (!next_sent(r, f, want, deadline, &sent, &sent_us)) {
        clock_text(now(r), was, sizeof was);
        return fail(r, "nothing was sent until %s", was);
    }
    r->event = e;
    bool matches = drill_packet_matches(want, &sent, f, why, sizeof why);
    drill_packet_print(&sent, f, was, sizeof was);
    if (r->options->times)
        fprintf(r->options->times, "%lld.%06lld %s\n", (long long)(sent_us / 1000000), (long long)(sent_us % 1000000), was);
    if (!matches)
        return fail(r, "%s; sent was: %s", why, was);
    return e->time.base == DRILL_ANY || in_time(r, "the packet was sent", sent_us, from, until);
}

/* ------------------------------------------------------------------ code, shell ------------------------------------------------------------------ */

struct information {
    uint8_t bytes[512];
    size_t n;
    FILE *says;
};

static bool look_up(void *user, const char *name, double *v)
{
    struct information *i = user;
    return drill_info(name, i->bytes, i->n, v);
}

static void say(void *user, const char *text)
{
    struct information *i = user;
    if (i->says)
        fprintf(i->says, "%s\n", text);
}

static bool run_code(struct run *r, int64_t at)
{
    struct information i = {.says = r->options->says};
    struct drill_wait wait = {0};
    socklen_t bytes = sizeof i.bytes;
    if (!pass(r, at, false))
        return false;
    if (r->tested < 0)
        return fail(r, "no socket yet that this code could speak of");
    intptr_t arg[6] = {r->names.fd[r->tested], IPPROTO_TCP, TCP_INFO, (intptr_t)i.bytes, (intptr_t)&bytes};
    long e = r->target.call(r->target.self, FN_GETSOCKOPT, arg, &wait);
    if (e < 0)
        return fail(r, "TCP_INFO of descriptor %d: %s", r->tested, drill_errno_name((int)-e));
    i.n = bytes;
    return drill_code_run(r->script->name, r->event->line, r->event->text, look_up, say, &i, r->error, sizeof r->error) || (r->failed = true, false);
}

static bool run_shell(struct run *r)
{
    if (r->options->plug)
        return make(r) && (r->target.shell(r->target.self, r->event->text) ? true : fail(r, "this shell line was refused"));
    if (r->made)
        return fail(r, "settings are made before the first packet or call: the stack is there now");
    return drill_shell(&r->config, r->event->text, r->error, sizeof r->error) || (r->failed = true, false);
}

/* ------------------------------------------------------------------ the script ------------------------------------------------------------------ */

static bool run_event(struct run *r)
{
    const struct drill_event *e = r->event;
    if (e->kind == EVENT_SHELL)
        return run_shell(r);
    if (!make(r))
        return false;
    int64_t base = e->time.base == DRILL_AT ? 0 : now(r), from = base + e->time.us, until = e->time.range ? base + e->time.until_us : from;
    if (e->time.base == DRILL_AT && from < now(r) - r->tolerance_us && !(e->kind == EVENT_PACKET && !e->packet->in))
        return fail(r, "its time is over: it is %lld us later already", (long long)(now(r) - from));
    if (e->kind == EVENT_CALL)
        return run_call(r, base, from);
    if (e->kind == EVENT_CODE)
        return run_code(r, from);
    return e->packet->in ? run_arrival(r, from) : run_departure(r, from, until);
}

static bool nothing_left(struct run *r)
{
    struct drill_packet sent;
    struct drill_flow ends;
    size_t n;
    int64_t us;
    char was[300];
    if (!r->options->strict || !r->made || !r->target.sent(r->target.self, r->bytes, &n, &us))
        return true;
    if (!drill_packet_read(r->bytes, n, &sent, &ends, r->error, sizeof r->error))
        return r->failed = true, false;
    drill_packet_print(&sent, r->current >= 0 ? &r->flow[r->current] : &ends, was, sizeof was);
    return fail(r, "the script is over, and this was sent that it does not expect: %s", was);
}

static void tell(struct run *r, FILE *to)
{
    const struct drill_event *e = r->event;
    size_t n = strlen(r->script->name);
    if (strncmp(r->error, r->script->name, n) == 0 && r->error[n] == ':')
        fprintf(to, "%s\n", r->error);    /* code says its line itself */
    else
        fprintf(to, "%s:%d: %s\n", r->script->name, e ? e->line : r->script->settings ? r->script->settings->line : 1, r->error);
    if (e)
        fprintf(to, "    %s\n", e->source);
    if (r->options->story && r->made && r->target.story) {
        fprintf(to, "so far:\n");
        r->target.story(r->target.self, to);
    }
}

bool drill_run(const struct drill_script *script, const struct drill_options *options, FILE *failure)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r || !(r->bytes = malloc(PACKET_ROOM))) {
        fprintf(failure, "%s: out of memory\n", script->name);
        free(r);
        return false;
    }
    r->script = script;
    r->options = options;
    bool good = begin(r);
    for (const struct drill_event *e = script->events; e && good; e = e->next) {
        r->event = e;
        good = run_event(r);
    }
    good = good && wait_for_call(r) && nothing_left(r);
    if (!good)
        tell(r, failure);
    drill_call_end(r->doing);
    if (r->made)
        r->target.end(r->target.self);
    free(r->bytes);
    free(r);
    return good;
}
