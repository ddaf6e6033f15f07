/* SPDX-License-Identifier: MIT
 *
 * text.c: one line per event. See text.h.
 */
#include "view/text.h"
#include "view/decode.h"
#include <inttypes.h>
#include <stdarg.h>

struct line {
    char *buf;
    size_t size, n;
};

static void put(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *l, const char *format, ...)
{
    if (l->n + 1 >= l->size) return;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->buf + l->n, l->size - l->n, format, args);
    va_end(args);
    l->n += n < 0 ? 0 : (size_t)n;
    if (l->n >= l->size) l->n = l->size - 1;
}

static void put_ends(struct line *l, const struct pl_trace_event *e)
{
    char local[80], remote[80];
    view_endpoint(&e->local, local, sizeof local);
    view_endpoint(&e->remote, remote, sizeof remote);
    if (e->kind == PL_TRACE_IN) put(l, " %s > %s", remote, local);
    else if (e->kind == PL_TRACE_OUT) put(l, " %s > %s", local, remote);
    else if (e->conn || e->local.port) put(l, " %s - %s", local, remote);
}

static void put_frame(struct line *l, const struct pl_trace_event *e)
{
    char flags[40], options[220];
    if (!e->seg) {
        put(l, " %s len=%" PRIu32, view_protocol(e->protocol), e->frame_bytes);
        return;
    }
    const struct pl_trace_segment *s = e->seg;
    put(l, " TCP %s seq=%" PRIu32 " ack=%" PRIu32 " len=%" PRIu32 " win=%" PRIu32, view_flags(s->flags, flags, sizeof flags), s->seq,
        s->ack, s->len, s->wnd);
    if (s->flags & PL_URG) put(l, " up=%u", s->up);
    if (s->segs > 1) put(l, " segs=%u", s->segs);
    if (*view_options(s, options, sizeof options)) put(l, " %s", options);
}

static void put_state(struct line *l, const struct pl_trace_event *e)
{
    if (e->protocol != 6) return;
    put(l, " %s", pl_state_name((enum pl_state)e->state_before));
    if (e->state_before != e->state_after) put(l, "->%s", pl_state_name((enum pl_state)e->state_after));
}

static void put_sentence(struct line *l, const char *text, const char *rule)
{
    put(l, ": %s", text);
    if (*rule) put(l, " [%s]", rule);
}

size_t text_event(char *buf, size_t size, const char *node, const struct pl_trace_event *e)
{
    static const char *const kind[] = {"in", "out", "state", "timer", "decision"};
    char when[32], span[40];
    struct line l = {buf, size, 0};
    if (size) buf[0] = 0;
    put(&l, "%s", view_time(e->now, when, sizeof when));
    if (node && *node) put(&l, " %s", node);
    put(&l, " %s", e->kind < sizeof kind / sizeof kind[0] ? kind[e->kind] : "?");
    put_ends(&l, e);
    if (e->kind == PL_TRACE_IN || e->kind == PL_TRACE_OUT) put_frame(&l, e);
    put_state(&l, e);
    if (e->kind == PL_TRACE_TIMER && e->a > 0) put(&l, " after %s", view_duration((pl_time)e->a, span, sizeof span));
    if (e->kind == PL_TRACE_DECISION) put(&l, " %" PRId64 "->%" PRId64, e->a, e->b);
    if (e->drop) {
        put(&l, " %s", pl_drop_name((enum pl_drop)e->drop));
        put_sentence(&l, pl_drop_text((enum pl_drop)e->drop), pl_drop_rule((enum pl_drop)e->drop));
    } else if (e->why) {
        put_sentence(&l, pl_reason_text((enum pl_reason)e->why), pl_reason_rule((enum pl_reason)e->why));
    }
    return l.n;
}

void text_print(FILE *out, const char *node, const struct pl_trace_event *e)
{
    char buf[TEXT_LINE_MAX];
    text_event(buf, sizeof buf, node, e);
    fprintf(out, "%s\n", buf);
}
