/* SPDX-License-Identifier: MIT
 *
 * calls_check.c: a call's result, errno and what it wrote, compared with the script.
 */
#include "drill/calls_inside.h"
#include "drill/constants.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void text_of(long result, char *to, size_t size)
{
    if (result < 0)
        snprintf(to, size, "-1 %s", drill_errno_name((int)-result));
    else
        snprintf(to, size, "%ld", result);
}

static bool check_result(struct drill_reading *r, struct drill_names *names)
{
    struct drill_doing *d = r->d;
    const struct drill_call *c = r->call;
    int64_t want = 0;
    char got[40], expected[60];
    if (!c->result)
        return true;
    if (!calls_number(r, c->result, &want))
        return false;
    text_of(d->result, got, sizeof got);
    snprintf(expected, sizeof expected, "%lld%s%s", (long long)want, c->error ? " " : "", c->error ? c->error : "");
    if (want < 0) {
        if (c->error && !drill_errno(c->error))
            return calls_fail(r, "the error %s is not known", c->error);
        if (d->result >= 0 || (c->error && -d->result != drill_errno(c->error)))
            return calls_fail(r, "%s: %s expected, it returned %s", c->name, expected, got);
        return true;
    }
    if (d->form->makes_fd && d->result >= 0 && want < DRILL_FDS) {
        names->fd[want] = (int)d->result;            /* the script calls it so */
        return true;
    }
    return d->result == want ? true : calls_fail(r, "%s: %s expected, it returned %s", c->name, expected, got);
}

static bool check_option(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    uint8_t want[512];
    size_t bytes = 0;
    if (!d->expect || d->expect->kind == VALUE_ANY)
        return true;
    if (!calls_option(r, d->expect, want, sizeof want, &bytes))
        return false;
    size_t whole = bytes < d->option_room ? bytes : d->option_room;
    if (d->expect->kind != VALUE_STRING && d->option_bytes < whole)
        return calls_fail(r, "getsockopt: %zu bytes expected, %u came", whole, (unsigned)d->option_bytes);
    if (d->expect->kind == VALUE_STRING ? strncmp((char *)want, (char *)d->option.bytes, sizeof want) == 0 : memcmp(want, d->option.bytes, bytes < d->option_bytes ? bytes : d->option_bytes) == 0)
        return true;
    if (d->expect->kind == VALUE_STRING)
        return calls_fail(r, "getsockopt: \"%s\" expected, it is \"%.60s\"", d->expect->text, (char *)d->option.bytes);
    int w, g;
    memcpy(&w, want, sizeof w);
    memcpy(&g, d->option.bytes, sizeof g);
    return calls_fail(r, "getsockopt: %d expected, it is %d", w, g);
}

static bool check_poll(struct drill_reading *r)
{
    size_t i = 0;
    for (const struct drill_value *p = r->d->expect->kind == VALUE_LIST ? r->d->expect->first : NULL; p; p = p->next, i++) {
        const struct drill_value *f = calls_field(p, "revents");
        int64_t want = 0;
        if (f && f->kind == VALUE_ANY)
            continue;
        if (f && !calls_number(r, f, &want))
            return false;
        if (f && (short)want != r->d->poll[i].revents)
            return calls_fail(r, "poll: revents of descriptor %zu: 0x%x expected, 0x%x came", i + 1, (unsigned)want, (unsigned)r->d->poll[i].revents);
    }
    return true;
}

static bool check_epoll(struct drill_reading *r)
{
    const struct drill_value *v = r->d->expect, *p = v->kind == VALUE_LIST ? v->first : v->kind == VALUE_STRUCT ? v : NULL;
    for (long i = 0; p && i < r->d->result; i++, p = v->kind == VALUE_LIST ? p->next : NULL) {
        const struct drill_value *e = calls_field(p, "events"), *f = calls_field(p, "fd");
        int64_t events = 0, data = 0;
        f = f ? f : calls_field(p, "ptr");
        f = f ? f : calls_field(p, "u32");
        f = f ? f : calls_field(p, "u64");
        if (e && e->kind != VALUE_ANY && (!calls_number(r, e, &events) || (uint32_t)events != r->d->epoll[i].events))
            return calls_fail(r, "epoll_wait: event %ld: 0x%x expected, 0x%x came", i + 1, (unsigned)events, (unsigned)r->d->epoll[i].events);
        if (f && f->kind != VALUE_ANY && (!calls_number(r, f, &data) || (uint64_t)data != r->d->epoll[i].data.u64))
            return calls_fail(r, "epoll_wait: event %ld is of %lld, not %lld", i + 1, (long long)r->d->epoll[i].data.u64, (long long)data);
    }
    return true;
}

static bool check_what_was_read(struct drill_reading *r)
{
    const struct drill_value *v = r->d->expect;
    size_t n = r->d->result < 0 ? 0 : (size_t)r->d->result;
    if (!v || v->kind != VALUE_STRING || r->d->result < 0)
        return true;
    if (n <= v->bytes && memcmp(v->text, r->d->buffer, n) == 0)
        return true;
    return calls_fail(r, "%s: other bytes were read than the script says", r->call->name);
}

static bool check_written(struct drill_reading *r)
{
    struct drill_doing *d = r->d;
    int64_t want = 0;
    switch (d->function) {
    case FN_GETSOCKOPT:
        return d->result < 0 || check_option(r);
    case FN_POLL:
        return d->result < 0 || check_poll(r);
    case FN_EPOLL_WAIT:
        return d->result <= 0 || check_epoll(r);
    case FN_READ:
    case FN_RECV:
    case FN_RECVFROM:
        return check_what_was_read(r);
    case FN_RECVMSG:
        if (d->result < 0 || !d->expect || d->expect->kind == VALUE_ANY || !calls_number(r, d->expect, &want))
            return !r->failed;
        return d->message.msg_flags == (int)want ? true : calls_fail(r, "recvmsg: msg_flags 0x%x expected, 0x%x came", (unsigned)want, (unsigned)d->message.msg_flags);
    case FN_IOCTL:
        if (d->result < 0 || d->expect->kind != VALUE_LIST || !d->expect->first || d->expect->first->kind == VALUE_ANY || !calls_number(r, d->expect->first, &want))
            return !r->failed;
        return d->option.number[0] == (int)want ? true : calls_fail(r, "ioctl: %lld expected, it gave %d", (long long)want, d->option.number[0]);
    default:
        return true;
    }
}

bool drill_call_check(struct drill_doing *d, struct drill_names *names, char *error, size_t size)
{
    struct drill_reading r = {.d = d, .call = d->event->call, .names = names, .error = error, .error_size = size};
    bool good = check_result(&r, names) && check_written(&r);
    if (good && d->function == FN_CLOSE && d->result == 0)
        for (int i = 0; i < DRILL_FDS; i++)
            if (names->fd[i] == d->arg[0])
                names->fd[i] = -1;
    return good;
}
