/* SPDX-License-Identifier: MIT
 *
 * jsonl.c: one JSON object (RFC 8259) per event. See jsonl.h.
 */
#include "view/jsonl.h"
#include "view/decode.h"
#include <inttypes.h>

/* Length of the valid UTF-8 sequence at s; 0: none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
static unsigned utf8_length(const uint8_t *s)
{
    unsigned n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (unsigned i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
    if (s[0] == 0xed && s[1] > 0x9f) return 0;
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return n;
}

void jsonl_string(FILE *out, const char *text)
{
    const uint8_t *s = (const uint8_t *)text;
    fputc('"', out);
    while (*s) {
        unsigned n = utf8_length(s);
        if (!n) {
            fputs("\\ufffd", out);
            s++;
        } else if (*s == '"' || *s == '\\') {
            fprintf(out, "\\%c", *s++);
        } else if (*s < 0x20) {
            fprintf(out, "\\u%04x", *s++);
        } else {
            fwrite(s, 1, n, out);
            s += n;
        }
    }
    fputc('"', out);
}

static void string_key(FILE *out, const char *key, const char *value)
{
    fprintf(out, ",\"%s\":", key);
    jsonl_string(out, value);
}

static void segment(FILE *out, const struct pl_trace_segment *s)
{
    char flags[40];
    fprintf(out,
            ",\"segment\":{\"flags\":\"%s\",\"seq\":%" PRIu32 ",\"ack\":%" PRIu32 ",\"len\":%" PRIu32 ",\"win\":%" PRIu32
            ",\"win_raw\":%u,\"up\":%u,\"segs\":%u",
            view_flags(s->flags, flags, sizeof flags), s->seq, s->ack, s->len, s->wnd, s->wnd_raw, s->up, s->segs ? s->segs : 1);
    if (s->opts & 1) fprintf(out, ",\"mss\":%u", s->mss);
    if (s->opts & 2) fprintf(out, ",\"wscale\":%u", s->wscale);
    if (s->opts & 4) fputs(",\"sack_permitted\":true", out);
    if (s->opts & 8) fprintf(out, ",\"ts_val\":%" PRIu32 ",\"ts_ecr\":%" PRIu32, s->ts_val, s->ts_ecr);
    if (s->opts & 16) {
        fputs(",\"sack\":[", out);
        for (unsigned i = 0; i < s->nsack && i < 4; i++)
            fprintf(out, "%s[%" PRIu32 ",%" PRIu32 "]", i ? "," : "", s->sack[2 * i], s->sack[2 * i + 1]);
        fputc(']', out);
    }
    if (s->opts & 32) fprintf(out, ",\"user_timeout_s\":%" PRIu32, s->user_timeout_s);
    fputc('}', out);
}

static void frame_hex(FILE *out, const struct pl_trace_event *e)
{
    fputs(",\"frame\":\"", out);
    for (uint32_t i = 0; i < e->nspans; i++)
        for (size_t j = 0; j < e->frame[i].len; j++)
            fprintf(out, "%02x", ((const uint8_t *)e->frame[i].base)[j]);
    fputc('"', out);
}

static void reasons(FILE *out, const struct pl_trace_event *e)
{
    if (e->why) {
        string_key(out, "why", pl_reason_name((enum pl_reason)e->why));
        string_key(out, "text", pl_reason_text((enum pl_reason)e->why));
        string_key(out, "rule", pl_reason_rule((enum pl_reason)e->why));
    }
    if (e->drop) {
        string_key(out, "drop", pl_drop_name((enum pl_drop)e->drop));
        string_key(out, "drop_text", pl_drop_text((enum pl_drop)e->drop));
        string_key(out, "drop_rule", pl_drop_rule((enum pl_drop)e->drop));
    }
}

void jsonl_event(FILE *out, const char *node, const struct pl_trace_event *e, bool with_frame)
{
    static const char *const kind[] = {"in", "out", "state", "timer", "decision"};
    char text[80];
    fprintf(out, "{\"time_ns\":%" PRIu64, e->now);
    if (node) string_key(out, "node", node);
    string_key(out, "kind", e->kind < sizeof kind / sizeof kind[0] ? kind[e->kind] : "unknown");
    string_key(out, "protocol", view_protocol(e->protocol));
    if (e->iface >= 0) fprintf(out, ",\"iface\":%" PRId32, e->iface);
    string_key(out, "local", view_endpoint(&e->local, text, sizeof text));
    string_key(out, "remote", view_endpoint(&e->remote, text, sizeof text));
    if (e->conn) fprintf(out, ",\"conn\":%" PRIu64 ",\"cookie\":%" PRIu64, e->conn, e->cookie);
    if (e->protocol == 6) {
        string_key(out, "state_before", pl_state_name((enum pl_state)e->state_before));
        string_key(out, "state_after", pl_state_name((enum pl_state)e->state_after));
    }
    reasons(out, e);
    if (e->kind == PL_TRACE_TIMER) fprintf(out, ",\"interval_ns\":%" PRId64, e->a);
    if (e->kind == PL_TRACE_DECISION) fprintf(out, ",\"before\":%" PRId64 ",\"after\":%" PRId64, e->a, e->b);
    if (e->seg) segment(out, e->seg);
    if (e->frame) {
        fprintf(out, ",\"frame_bytes\":%" PRIu32, e->frame_bytes);
        if (e->gso_size) fprintf(out, ",\"gso_size\":%u", e->gso_size);
        if (with_frame) frame_hex(out, e);
    }
    fputs("}\n", out);
}
