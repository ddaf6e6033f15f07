/* SPDX-License-Identifier: MIT
 *
 * calls.c: the table of calls that scripts make, and how each one's arguments are read. What comes back is judged in calls_check.c.
 */
#include "drill/calls_inside.h"
#include "drill/constants.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool calls_fail(struct drill_reading *r, const char *what, ...)
{
    if (r->failed)
        return false;
    r->failed = true;
    va_list args;
    va_start(args, what);
    vsnprintf(r->error, r->error_size, what, args);
    va_end(args);
    return false;
}

/* ------------------------------------------------------------------ values ------------------------------------------------------------------ */

bool calls_number(struct drill_reading *r, const struct drill_value *v, int64_t *out)
{
    *out = 0;
    if (!v)
        return calls_fail(r, "%s: an argument is missing", r->call->name);
    switch (v->kind) {
    case VALUE_NUMBER:
        *out = v->number;
        return true;
    case VALUE_WORD:
        if ((*out = drill_errno(v->text)) != 0)
            return true;                  /* SO_ERROR's values */
        return drill_constant(v->text, out) ? true : calls_fail(r, "the name %s is not known", v->text);
    case VALUE_OR:
        for (const struct drill_value *p = v->first; p; p = p->next) {
            int64_t part;
            if (!calls_number(r, p, &part))
                return false;
            *out |= part;
        }
        return true;
    case VALUE_CALL: {
        int64_t n = 0;
        if (strcmp(v->text, "htons") == 0 && calls_number(r, v->first, &n))
            return *out = htons((uint16_t)n), true;
        if (strcmp(v->text, "htonl") == 0 && calls_number(r, v->first, &n))
            return *out = htonl((uint32_t)n), true;
        return calls_fail(r, "%s() is not a number that is known here", v->text);
    }
    default:
        return calls_fail(r, "%s: a number or a name is expected where %s stands", r->call->name, v->kind == VALUE_ANY ? "..." : v->kind == VALUE_STRING ? "a text" : "a bracket");
    }
}

const struct drill_value *calls_field(const struct drill_value *of, const char *name)
{
    for (const struct drill_value *f = of ? of->first : NULL; f; f = f->next)
        if (f->name && strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static intptr_t number(struct drill_reading *r)
{
    int64_t n = 0;
    calls_number(r, r->next, &n);
    if (r->next)
        r->next = r->next->next;
    return (intptr_t)n;
}

/* A descriptor of the script's as the target's. One that the script never got stays what it is: the call must say EBADF. */
static intptr_t calls_fd(const struct drill_reading *r, int64_t script)
{
    return script >= 0 && script < DRILL_FDS ? (r->names->fd[script] >= 0 ? r->names->fd[script] : 1000000 + (intptr_t)script) : (intptr_t)script;
}

static const struct drill_value *any(struct drill_reading *r)
{
    const struct drill_value *v = r->next;
    if (!v)
        calls_fail(r, "%s: an argument is missing", r->call->name);
    else
        r->next = v->next;
    return v;
}

/* ------------------------------------------------------------------ addresses ------------------------------------------------------------------ */

/* {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("192.0.2.1")} */
static bool address_struct(struct drill_reading *r, const struct drill_value *v, struct sockaddr_storage *to, socklen_t *bytes)
{
    const struct drill_value *family = calls_field(v, "sa_family"), *port = calls_field(v, "sin_port"), *addr = calls_field(v, "sin_addr");
    struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)to;
    int64_t f, p = 0, a = 0;
    port = port ? port : calls_field(v, "sin6_port");
    addr = addr ? addr : calls_field(v, "sin6_addr");
    if (!family || !calls_number(r, family, &f) || (port && !calls_number(r, port, &p)))
        return calls_fail(r, "an address looks like {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"192.0.2.1\")}");
    memset(to, 0, sizeof *to);
    to->ss_family = (sa_family_t)f;
    *bytes = f == AF_INET6 ? sizeof *in6 : sizeof *in4;
    in4->sin_port = (in_port_t)p;         /* at the same place in both */
    if (!addr)
        return true;
    const struct drill_value *text = addr->kind == VALUE_CALL ? addr->first : addr;
    if (text && text->kind == VALUE_CALL)
        text = text->first;
    for (; text && text->kind != VALUE_STRING; text = text->next) {}        /* inet_pton(AF_INET6, "...", &a) */
    if (text)
        return inet_pton((int)f, text->text, f == AF_INET6 ? (void *)&in6->sin6_addr : (void *)&in4->sin_addr) == 1 ? true
                                                                                                                : calls_fail(r, "\"%s\" is no address of this family", text->text);
    if (!calls_number(r, addr, &a))
        return false;
    in4->sin_addr.s_addr = (in_addr_t)a;
    return true;
}

static void name(struct drill_reading *r, const struct sockaddr_storage *open)
{
    const struct drill_value *v = any(r);
    int64_t n;
    r->d->name_bytes = r->names->bytes;
    if (!v || r->failed)
        return;
    if (v->kind == VALUE_ANY)
        r->d->name = *open;
    else if (v->kind == VALUE_STRUCT)
        address_struct(r, v, &r->d->name, &r->d->name_bytes);
    else if (calls_number(r, v, &n))
        r->d->no_name = true, r->d->name_bytes = 0;
}

static void name_length(struct drill_reading *r)
{
    const struct drill_value *v = any(r);
    int64_t n;
    if (v && v->kind != VALUE_ANY && calls_number(r, v, &n))
        r->d->name_bytes = (socklen_t)n;
}

/* ------------------------------------------------------------------ buffers ------------------------------------------------------------------ */

static uint8_t *room(struct drill_reading *r, size_t n)
{
    if (n > 64u << 20) {
        calls_fail(r, "%s: %zu bytes are more than a script may move at once", r->call->name, n);
        n = 0;
    }
    r->d->buffer = calloc(1, n + 1);
    r->d->buffer_bytes = n;
    if (!r->d->buffer)
        calls_fail(r, "out of memory");
    return r->d->buffer;
}

/* "..., 1000" or "\"text\", 4" */
static void buffer(struct drill_reading *r, bool out)
{
    const struct drill_value *v = any(r);
    int64_t n = 0;
    if (r->failed || !calls_number(r, r->next, &n))
        return;
    r->next = r->next->next;
    if (n < 0)
        n = 0;
    uint8_t *to = room(r, (size_t)n);
    if (r->failed || v->kind != VALUE_STRING) {
        if (!r->failed && v->kind != VALUE_ANY)
            calls_fail(r, "%s: a buffer is ... or \"text\"", r->call->name);
    } else if (out) {
        memcpy(to, v->text, v->bytes < (size_t)n ? v->bytes : (size_t)n);
    } else {
        r->d->expect = v;
    }
    r->d->arg[1] = (intptr_t)to;
    r->d->arg[2] = (intptr_t)n;
}

/* [{..., 1000}, {"abc", 3}] */
static size_t pieces(struct drill_reading *r, const struct drill_value *list)
{
    size_t n = 0, all = 0, at = 0;
    if (!list || list->kind != VALUE_LIST)
        return calls_fail(r, "pieces look like [{..., 1000}, {..., 2000}]"), 0;
    for (const struct drill_value *p = list->first; p; p = p->next, n++) {
        int64_t bytes = 0;
        if (p->kind != VALUE_STRUCT || !p->first || !p->first->next || n == DRILL_PIECES || !calls_number(r, p->first->next, &bytes) || bytes < 0)
            return calls_fail(r, "at most %d pieces, each {..., BYTES}", DRILL_PIECES), 0;
        all += (size_t)bytes;
        r->d->piece[n].iov_len = (size_t)bytes;
    }
    uint8_t *to = room(r, all);
    n = 0;
    for (const struct drill_value *p = list->first; p && !r->failed; p = p->next, n++) {
        r->d->piece[n].iov_base = to + at;
        if (p->first->kind == VALUE_STRING)
            memcpy(to + at, p->first->text, p->first->bytes < r->d->piece[n].iov_len ? p->first->bytes : r->d->piece[n].iov_len);
        at += r->d->piece[n].iov_len;
    }
    return n;
}

static void message(struct drill_reading *r, bool out)
{
    const struct drill_value *v = any(r), *f;
    struct drill_doing *d = r->d;
    if (r->failed)
        return;
    if (v->kind != VALUE_STRUCT)
        calls_fail(r, "a message looks like {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0}");
    d->message.msg_iovlen = pieces(r, calls_field(v, "msg_iov"));
    d->message.msg_iov = d->piece;
    if ((f = calls_field(v, "msg_control")) != NULL && !(f->kind == VALUE_ANY || (f->kind == VALUE_LIST && !f->first)))
        calls_fail(r, "msg_control is not supported");
    f = calls_field(v, "msg_name");
    if (!out || (f && f->kind != VALUE_NUMBER && f->kind != VALUE_WORD)) {
        d->name_bytes = out ? r->names->bytes : sizeof d->name;
        if (out && f->kind == VALUE_STRUCT)
            address_struct(r, f, &d->name, &d->name_bytes);
        else if (out)
            d->name = r->names->connect;
        d->message.msg_name = f ? &d->name : NULL;
        d->message.msg_namelen = f ? d->name_bytes : 0;
    }
    if (!out)
        d->expect = calls_field(v, "msg_flags");
    d->arg[1] = (intptr_t)&d->message;
}

/* ------------------------------------------------------------------ options ------------------------------------------------------------------ */

/* [1], [{onoff=1, linger=0}], {onoff=1, linger=0}, "cubic" */
bool calls_option(struct drill_reading *r, const struct drill_value *v, uint8_t *to, size_t size, size_t *bytes)
{
    const struct drill_value *inner = v && v->kind == VALUE_LIST && v->first && v->first->kind == VALUE_STRUCT ? v->first : v;
    const struct drill_value *a = NULL, *b = NULL;
    int64_t n, m = 0;
    memset(to, 0, size);
    *bytes = 0;
    if (v->kind == VALUE_STRING) {
        *bytes = v->bytes < size ? v->bytes : size;
        memcpy(to, v->text, *bytes);
        return true;
    }
    if (inner->kind == VALUE_STRUCT) {
        bool time = calls_field(inner, "tv_sec") != NULL;
        a = calls_field(inner, time ? "tv_sec" : "onoff"), b = calls_field(inner, time ? "tv_usec" : "linger");
        if (!a || !calls_number(r, a, &n) || (b && !calls_number(r, b, &m)))
            return calls_fail(r, "an option's value looks like [1], \"text\", {onoff=1, linger=0} or {tv_sec=1, tv_usec=0}");
        if (time)
            memcpy(to, &(struct timeval){.tv_sec = n, .tv_usec = m}, *bytes = sizeof(struct timeval));
        else
            memcpy(to, &(struct linger){(int)n, (int)m}, *bytes = sizeof(struct linger));
        return true;
    }
    if (v->kind == VALUE_NUMBER || v->kind == VALUE_WORD)
        return calls_number(r, v, &n);    /* NULL, or a bad pointer */
    if (v->kind != VALUE_LIST)
        return calls_fail(r, "%s: an option's value is expected", r->call->name);
    for (const struct drill_value *p = v->first; p; p = p->next) {
        if (*bytes + sizeof(int) > size || !calls_number(r, p, &n))
            return calls_fail(r, "too many numbers in this option");
        memcpy(to + *bytes, &(int){(int)n}, sizeof(int));
        *bytes += sizeof(int);
    }
    return true;
}

static void set_option(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    size_t bytes = 0;
    d->arg[1] = number(r), d->arg[2] = number(r);
    const struct drill_value *v = any(r);
    if (r->failed || !calls_option(r, v, d->option.bytes, sizeof d->option, &bytes))
        return;
    d->arg[3] = bytes || v->kind == VALUE_LIST ? (intptr_t)d->option.bytes : 0;
    d->arg[4] = number(r);
}

static void get_option(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    int64_t n = sizeof d->option;
    d->arg[1] = number(r), d->arg[2] = number(r);
    d->expect = any(r);
    const struct drill_value *length = any(r);
    if (r->failed)
        return;
    if (length->kind == VALUE_LIST && length->first)
        calls_number(r, length->first, &n);
    d->option_bytes = d->option_room = (socklen_t)(n <= (int64_t)sizeof d->option ? n : (int64_t)sizeof d->option);      /* a negative one is the call's to refuse */
    d->arg[3] = (intptr_t)d->option.bytes;
    d->arg[4] = (intptr_t)&d->option_bytes;
}

/* ------------------------------------------------------------------ poll, epoll ------------------------------------------------------------------ */

static void poll_set(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    const struct drill_value *v = any(r);
    size_t n = 0;
    d->expect = v;
    for (const struct drill_value *p = v && v->kind == VALUE_LIST ? v->first : NULL; p; p = p->next, n++) {
        int64_t fd = 0, events = 0;
        if (n == DRILL_POLLS || !calls_number(r, calls_field(p, "fd"), &fd) || !calls_number(r, calls_field(p, "events"), &events)) {
            calls_fail(r, "at most %d of {fd=4, events=POLLIN, revents=0}", DRILL_POLLS);
            return;
        }
        d->poll[n] = (struct pollfd){.fd = (int)calls_fd(r, fd), .events = (short)events};
    }
    d->arg[0] = (intptr_t)d->poll;
    d->arg[1] = number(r), d->arg[2] = number(r);
    if (!r->failed && (size_t)d->arg[1] > n)
        calls_fail(r, "poll: %zu descriptors are described, %ld are asked for", n, (long)d->arg[1]);
}

static void epoll_control(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    int64_t script;
    d->arg[1] = number(r);
    script = number(r);
    d->arg[2] = calls_fd(r, script);
    const struct drill_value *v = any(r), *f;
    int64_t events = 0, data = 0;
    if (r->failed)
        return;
    if (v->kind == VALUE_STRUCT) {
        calls_number(r, calls_field(v, "events"), &events);
        if ((f = calls_field(v, "fd")) != NULL || (f = calls_field(v, "ptr")) != NULL || (f = calls_field(v, "u32")) != NULL || (f = calls_field(v, "u64")) != NULL)
            calls_number(r, f, &data);
        d->epoll[0] = (struct epoll_event){.events = (uint32_t)events, .data = {.u64 = (uint64_t)data}};
        d->arg[3] = (intptr_t)&d->epoll[0];
    } else {
        d->arg[3] = calls_number(r, v, &data) ? 0 : 0;   /* NULL */
    }
}

static void epoll_set(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    d->expect = any(r);
    d->arg[1] = (intptr_t)d->epoll;
    d->arg[2] = number(r), d->arg[3] = number(r);
    if (!r->failed && d->arg[2] > DRILL_POLLS)
        calls_fail(r, "epoll_wait: at most %d events at once", DRILL_POLLS);
}

static void control_io(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    d->arg[1] = number(r);
    const struct drill_value *v = any(r);
    int64_t n = 0;
    if (!r->failed && v->kind == VALUE_LIST && v->first)
        calls_number(r, v->first, &n);
    else if (!r->failed && v->kind != VALUE_ANY)
        calls_number(r, v, &n);
    d->expect = v;
    d->option.number[0] = (int)n;
    d->arg[2] = d->arg[1] == 0 ? 0 : (intptr_t)d->option.number;
}

/* ------------------------------------------------------------------ the table ------------------------------------------------------------------ */

static void accepted(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    (void)any(r);
    (void)any(r);
    d->name_bytes = sizeof d->name;
    d->arg[1] = (intptr_t)&d->name;
    d->arg[2] = (intptr_t)&d->name_bytes;
    d->arg[3] = r->next && !r->failed ? number(r) : 0;
}

static void read_arguments(struct drill_reading *r, const char *pattern)
{
    struct drill_doing *d = r->d;
    int at = 0;
    for (const char *p = pattern; *p && !r->failed; p++)
        switch (*p) {
        case 'n': d->arg[at++] = number(r); break;
        case 'f': d->arg[at++] = calls_fd(r, number(r)); break;
        case 'B': name(r, &r->names->bind), name_length(r), d->arg[1] = d->no_name ? 0 : (intptr_t)&d->name, d->arg[2] = (intptr_t)d->name_bytes, at = 3; break;
        case 'C': name(r, &r->names->connect), name_length(r), d->arg[1] = d->no_name ? 0 : (intptr_t)&d->name, d->arg[2] = (intptr_t)d->name_bytes, at = 3; break;
        case 'T': name(r, &r->names->connect), name_length(r), d->arg[4] = d->no_name ? 0 : (intptr_t)&d->name, d->arg[5] = (intptr_t)d->name_bytes, at = 6; break;
        case 'F': (void)any(r), (void)any(r), d->name_bytes = sizeof d->name, d->arg[4] = (intptr_t)&d->name, d->arg[5] = (intptr_t)&d->name_bytes, at = 6; break;
        case 'A': accepted(r), at = 4; break;
        case 'i': buffer(r, false), at = 3; break;
        case 'o': buffer(r, true), at = 3; break;
        case 'v': d->arg[2] = (intptr_t)pieces(r, any(r)), d->arg[1] = (intptr_t)d->piece, at = 3, (void)number(r); break;
        case 'm': message(r, false), at = 2; break;
        case 'M': message(r, true), at = 2; break;
        case 'S': set_option(r); break;
        case 'G': get_option(r); break;
        case 'P': poll_set(r); break;
        case 'E': epoll_control(r); break;
        case 'W': epoll_set(r); break;
        case 'I': control_io(r); break;
        case 'd': if (r->next && r->next->kind == VALUE_ANY) (void)any(r), d->arg[at++] = r->names->domain; else d->arg[at++] = number(r); break;
        case '?': if (r->next) d->arg[at++] = number(r); break;
        default: break;
        }
    if (r->next && !r->failed)
        calls_fail(r, "%s has fewer arguments than stand here", r->call->name);
}

static const struct drill_form forms[] = {
    {"socket", FN_SOCKET, "dnn", true},    {"bind", FN_BIND, "fB", false},          {"listen", FN_LISTEN, "fn", false},       {"accept", FN_ACCEPT, "fA", true},
    {"accept4", FN_ACCEPT4, "fA", true},   {"connect", FN_CONNECT, "fC", false},    {"read", FN_READ, "fi", false},           {"readv", FN_READV, "fv", false},
    {"recv", FN_RECV, "fin", false},       {"recvfrom", FN_RECVFROM, "finF", false}, {"recvmsg", FN_RECVMSG, "fmn", false},   {"write", FN_WRITE, "fo", false},
    {"writev", FN_WRITEV, "fv", false},    {"send", FN_SEND, "fon", false},         {"sendto", FN_SENDTO, "fonT", false},     {"sendmsg", FN_SENDMSG, "fMn", false},
    {"fcntl", FN_FCNTL, "fn?", false},     {"ioctl", FN_IOCTL, "fI", false},        {"close", FN_CLOSE, "f", false},          {"shutdown", FN_SHUTDOWN, "fn", false},
    {"getsockopt", FN_GETSOCKOPT, "fG", false}, {"setsockopt", FN_SETSOCKOPT, "fS", false}, {"poll", FN_POLL, "P", false},
    {"epoll_create", FN_EPOLL_CREATE, "n", true}, {"epoll_create1", FN_EPOLL_CREATE, "n", true}, {"epoll_ctl", FN_EPOLL_CTL, "fE", false}, {"epoll_wait", FN_EPOLL_WAIT, "fW", false},
};

struct drill_doing *drill_call_begin(const struct drill_event *e, const struct drill_names *names, char *error, size_t size)
{
    const struct drill_form *form = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].name, e->call->name) == 0)
            form = &forms[i];
    if (!form) {
        snprintf(error, size, "the call %s is not supported", e->call->name);
        return NULL;
    }
    struct drill_doing *d = calloc(1, sizeof *d);
    if (!d) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    struct drill_reading r = {.d = d, .call = e->call, .names = names, .next = e->call->args, .error = error, .error_size = size};
    d->event = e;
    d->form = form;
    d->function = form->function;
    read_arguments(&r, form->pattern);
    if (form->function == FN_EPOLL_CREATE && strcmp(form->name, "epoll_create") == 0)
        d->arg[0] = d->arg[0] > 0 ? 0 : -1;              /* its size is a hint of old, but it has to be one: with flags that there are not it fails as it would */
    if (r.failed) {
        drill_call_end(d);
        return NULL;
    }
    return d;
}

void drill_call_end(struct drill_doing *d)
{
    if (d)
        free(d->buffer);
    free(d);
}

bool drill_calls_known(const struct drill_script *script, char *error, size_t size)
{
    struct drill_names names = {.bytes = sizeof(struct sockaddr_in), .domain = AF_INET};
    char why[300];
    memset(names.fd, -1, sizeof names.fd);
    for (const struct drill_event *e = script->events; e; e = e->next) {
        struct drill_doing *d = e->kind == EVENT_CALL ? drill_call_begin(e, &names, why, sizeof why) : NULL;
        drill_call_end(d);
        if (e->kind == EVENT_CALL && !d) {
            snprintf(error, size, "%s:%d: %s", script->name, e->line, why);
            return false;
        }
    }
    return true;
}
