/* SPDX-License-Identifier: MIT
 *
 * watch.c: see watch.h.
 */
#include "bench/path/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "os/host/clock.h"

static FILE *create(const char *name, const char *ending, char *why, size_t why_size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", name, ending);
    FILE *f = fopen(path, "w");
    if (!f) snprintf(why, why_size, "%.100s: %s", path, strerror(errno));
    return f;
}

/* Interface 0 is ours, 1 the device. */
static void wire(void *user, const struct sim_tap_event *t)
{
    struct watch *w = user;
    struct pl_span span = {(void *)(uintptr_t)t->packet->bytes, t->packet->len};
    char text[200];
    snprintf(text, sizeof text, "#%" PRIu64 "%s%s", t->packet->id, t->fate == SIM_LOST ? " lost: " : "", t->fate == SIM_LOST ? t->why : "");
    if (t->fate == SIM_SENT) pcapng_frame(&w->capture, (int)t->from, t->now, &span, 1, false, text);
    else if (t->fate == SIM_ARRIVING) pcapng_frame(&w->capture, (int)!t->from, t->now, &span, 1, true, text);
    else pcapng_note(&w->capture, (int)t->from, text);
}

/* The frame itself follows on the link; here is why it was sent, and what happened in between. */
static void told(void *user, const struct pl_trace_event *e)
{
    struct watch *w = user;
    if (e->kind == PL_TRACE_OUT) pcapng_note(&w->capture, 0, pl_reason_text((enum pl_reason)e->why));
    else if (!e->frame) pcapng_event(&w->capture, 0, e);
}

bool watch_open(struct watch *w, const char *name, struct sim_link *link, struct pl_env *env, char *why, size_t why_size)
{
    w->capture_out = create(name, "pcapng", why, why_size);
    w->series = create(name, "tsv", why, why_size);
    w->counted = create(name, "txt", why, why_size);
    if (!w->capture_out || !w->series || !w->counted) return false;
    pcapng_begin(&w->capture, w->capture_out);
    pcapng_interface(&w->capture, "near", false);
    pcapng_interface(&w->capture, "far", false);
    w->began = w->next = host_now();
    sim_tap(link->sim, wire, w);
    env->trace = told;
    env->trace_user = w;
    fputs("ms\tgot\tcwnd\tssthresh\tin_flight\tretransmits\tsrtt_us\trto_ms\n", w->series);
    return true;
}

bool watch_wants(const struct watch *w, pl_time now) { return now >= w->next; }

void watch_numbers(struct watch *w, pl_time now, uint64_t got, const struct end_numbers *n)
{
    w->next += WATCH_EVERY;
    fprintf(w->series, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", (now - w->began) / PL_MS, got,
            n->cwnd_bytes, n->ssthresh_bytes, n->in_flight_bytes, n->retransmits, n->srtt / PL_US, n->rto_ms);
}

FILE *watch_counted(struct watch *w) { return w->counted; }

void watch_close(struct watch *w)
{
    fclose(w->counted);
    fclose(w->capture_out);
    fclose(w->series);
}
