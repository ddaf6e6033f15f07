/* SPDX-License-Identifier: MIT
 *
 * ladder_rows.c: how a row looks.
 *
 *       time state        arrow with the segment on it                                     state
 *            sentences, wrapped
 *
 * Widths are counted in columns: every character used here is one column wide.
 */
#include "view/ladder_private.h"
#include <inttypes.h>
#include <string.h>

#define TIME_WIDTH 10
#define STATE_WIDTH 12
#define INDENT (TIME_WIDTH + 1)

struct glyphs {
    const char *shaft, *right, *left, *lost, *gap, *dot, *to, *bar;
};
static const struct glyphs glyphs_unicode = {"─", "▶", "◀", "✗", "·", "•", "→", "│"};
static const struct glyphs glyphs_ascii = {"-", ">", "<", "x", ".", "*", "->", "|"};

static const struct glyphs *glyphs(const struct ladder *l)
{
    return l->opts.unicode ? &glyphs_unicode : &glyphs_ascii;
}

enum tint { TINT_NONE, TINT_DIM, TINT_BOLD, TINT_RED, TINT_GREEN, TINT_YELLOW, TINT_BLUE, TINT_MAGENTA, TINT_CYAN };

static void tint(const struct ladder *l, enum tint t)
{
    static const char *const code[] = {"0", "2", "1", "31", "32", "33", "34", "35", "36"};
    if (l->opts.colour) fprintf(l->opts.out, "\033[%sm", code[t]);
}

static unsigned arrow_width(const struct ladder *l)
{
    return l->opts.width - INDENT - 2 * (STATE_WIDTH + 1);
}

static void repeat(FILE *out, const char *what, size_t n)
{
    while (n--)
        fputs(what, out);
}

static void title(struct ladder *l)
{
    if (l->titled) return;
    l->titled = true;
    tint(l, TINT_BOLD);
    fprintf(l->opts.out, "%*s%-*s%*s%s\n", INDENT, "", STATE_WIDTH + 1, l->name[0], (int)arrow_width(l) + 1, "", l->name[1]);
    tint(l, TINT_NONE);
}

static void print_when(const struct ladder *l, pl_time t)
{
    char buf[32];
    fprintf(l->opts.out, "%*s ", TIME_WIDTH, view_time(t, buf, sizeof buf));
}

static const char *state_text(uint8_t state)
{
    return state < PL_STATE_COUNT ? pl_state_name((enum pl_state)state) : "";
}

static void left_state(const struct ladder *l, uint8_t state, bool changed)
{
    if (changed) tint(l, TINT_BOLD);
    fprintf(l->opts.out, "%-*s ", STATE_WIDTH, state_text(state));
    if (changed) tint(l, TINT_NONE);
}

static void right_state(const struct ladder *l, uint8_t state, bool changed)
{
    const char *text = state_text(state);
    if (*text) fputc(' ', l->opts.out);
    if (changed) tint(l, TINT_BOLD);
    fputs(text, l->opts.out);
    if (changed) tint(l, TINT_NONE);
    fputc('\n', l->opts.out);
}

/* How far the next word goes; what stands in brackets is one word (the rule: a citation cut in two is hard to look for). */
static size_t word_length(const char *text)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    size_t rest = end ? (size_t)(end - text) : 0;
    return rest && rest < 60 ? rest + strcspn(end, " ") : strcspn(text, " ");
}

/* From column INDENT on, wrapped at words. The text is ours (from the .def lists, or the narrator's), so it has no bytes wider than a column. */
static void wrapped(const struct ladder *l, const char *text)
{
    size_t room = l->opts.width - INDENT, column = 0;
    while (*text) {
        size_t word = word_length(text);
        if (column && column + 1 + word > room) {
            fprintf(l->opts.out, "\n%*s", INDENT, "");
            column = 0;
        } else if (column) {
            fputc(' ', l->opts.out);
            column++;
        }
        fwrite(text, 1, word, l->opts.out);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
}

/* One paragraph below the row. */
static void paragraph(const struct ladder *l, const char *text)
{
    tint(l, TINT_DIM);
    fprintf(l->opts.out, "%*s", INDENT, "");
    wrapped(l, text);
    tint(l, TINT_NONE);
    fputc('\n', l->opts.out);
}

static void sentence(const struct ladder *l, const char *who, const char *text, const char *rule)
{
    char buf[400];
    if (!text || !*text) return;
    snprintf(buf, sizeof buf, "%s%s%s%s%s%s", who, *who ? ": " : "", text, rule && *rule ? " [" : "", rule ? rule : "",
             rule && *rule ? "]" : "");
    paragraph(l, buf);
}

/* ---------------------------------------- frames ---------------------------------------- */

static void frame_label(const struct ladder_frame *f, char *label, size_t size, char *numbers, size_t numbers_size)
{
    char flags[40], stream[16] = "";
    if (f->stream) snprintf(stream, sizeof stream, "#%u ", f->stream + 1);
    if (!f->has_seg) {
        if (f->protocol == 17) snprintf(label, size, "UDP %u > %u", f->source.port, f->destination.port);
        else snprintf(label, size, "%s", view_protocol(f->protocol));
        snprintf(numbers, numbers_size, "(%" PRIu32 " bytes)", f->bytes);
        return;
    }
    snprintf(label, size, "%s%s", stream, view_flags(f->seg.flags, flags, sizeof flags));
    snprintf(numbers, numbers_size, "seq=%" PRIu32 " ack=%" PRIu32 " len=%" PRIu32 " win=%" PRIu32, f->seg.seq, f->seg.ack, f->seg.len,
        f->seg.wnd);
    size_t n = strlen(numbers);
    if (f->seg.flags & PL_URG) snprintf(numbers + n, numbers_size - n, " up=%u", f->seg.up);
}

static enum tint frame_tint(const struct ladder_frame *f)
{
    if (!f->has_seg) return TINT_BLUE;
    if (f->seg.flags & PL_RST) return TINT_RED;
    if (f->seg.flags & PL_SYN) return TINT_GREEN;
    if (f->seg.flags & PL_FIN) return TINT_YELLOW;
    return f->seg.len ? TINT_CYAN : TINT_NONE;
}

/* The arrow fills its columns from the sender's side: label, shaft, and then its end: a head, a cross where it dies, or dots where it is
 * under way. Drawn rightwards; mirrored for the other direction. */
static void arrow(const struct ladder *l, const char *label, enum row_form form, bool rightwards)
{
    const struct glyphs *g = glyphs(l);
    FILE *out = l->opts.out;
    size_t room = arrow_width(l), text = strlen(label), used = text + 2;
    size_t dots = form == ROW_LEAVES || form == ROW_ARRIVES ? 3 : 0, end = form == ROW_LEAVES ? 0 : 1, blank = 0;
    if (form == ROW_LOST) blank = room / 4;
    if (used + end + dots + blank > room) blank = used + end + dots < room ? room - used - end - dots : 0;
    size_t shaft = used + end + dots + blank < room ? room - used - end - dots - blank : 0;
    const char *head = form == ROW_LOST ? g->lost : rightwards ? g->right : g->left;
    if (rightwards) {
        if (form == ROW_ARRIVES) repeat(out, g->gap, dots);
        repeat(out, g->shaft, 2);
        fputs(label, out);
        repeat(out, g->shaft, shaft);
        if (end) fputs(head, out);
        if (form == ROW_LEAVES) repeat(out, g->gap, dots);
        repeat(out, " ", blank);
    } else {
        repeat(out, " ", blank);
        if (form == ROW_LEAVES) repeat(out, g->gap, dots);
        if (end) fputs(head, out);
        repeat(out, g->shaft, shaft);
        fputs(label, out);
        repeat(out, g->shaft, 2);
        if (form == ROW_ARRIVES) repeat(out, g->gap, dots);
    }
}

/* What the wire and the receiver have to say. */
static void row_remarks(const struct ladder *l, const struct ladder_frame *f, enum row_form form)
{
    char buf[160], span[40];
    if (form == ROW_LOST) {
        sentence(l, "", f->lost_why ? f->lost_why : "it never arrives", NULL);
        return;
    }
    if (f->delayed && form != ROW_ARRIVES) {
        if (f->extra == PL_NEVER) snprintf(buf, sizeof buf, "held back on the way until others have overtaken it");
        else snprintf(buf, sizeof buf, "delayed on the way by %s", view_duration(f->extra, span, sizeof span));
        sentence(l, "", buf, NULL);
    }
    if (form == ROW_LEAVES) return;
    if (f->injected) sentence(l, "", "nobody sent this now: it comes from outside, or from long ago", NULL);
    if (f->copy) sentence(l, "", "a copy that the network made", NULL);
    if (f->corrupted) sentence(l, "", "a bit was inverted on the way", NULL);
    if (f->drop) sentence(l, l->name[!f->from], pl_drop_text((enum pl_drop)f->drop), pl_drop_rule((enum pl_drop)f->drop));
}

void row_frame(struct ladder *l, const struct ladder_frame *f, enum row_form form)
{
    char label[220], numbers[100], options[220];
    bool rightwards = f->from == 0, split;
    title(l);
    frame_label(f, label, 80, numbers, sizeof numbers);
    size_t used = strlen(label) + 1 + strlen(numbers) + 3 + (form == ROW_LEAVES || form == ROW_ARRIVES ? 3 : 0);
    split = used > arrow_width(l);
    if (!split) snprintf(label + strlen(label), sizeof label - strlen(label), " %s", numbers);
    print_when(l, form == ROW_ARRIVES || (form == ROW_WHOLE && f->foreign) ? f->arrived : f->sent);
    /* A half row tells of one side only. */
    bool show[2] = {f->protocol == 6, f->protocol == 6};         /* what is not TCP has no states */
    if (form == ROW_LEAVES) show[!f->from] = false;
    if (form == ROW_ARRIVES) show[f->from] = false;
    left_state(l, show[0] ? f->state[0] : LADDER_UNKNOWN, show[0] && f->changed[0]);
    tint(l, form == ROW_LOST ? TINT_RED : frame_tint(f));
    arrow(l, label, form, rightwards);
    tint(l, TINT_NONE);
    right_state(l, show[1] ? f->state[1] : LADDER_UNKNOWN, show[1] && f->changed[1]);
    if (split) paragraph(l, numbers);
    if (form != ROW_ARRIVES && f->why && !(l->opts.quiet & LADDER_NO_REASONS))
        sentence(l, "", pl_reason_text((enum pl_reason)f->why), pl_reason_rule((enum pl_reason)f->why));
    if (f->has_seg && (form != ROW_ARRIVES || f->foreign) && !(l->opts.quiet & LADDER_NO_OPTIONS)) {
        struct pl_trace_segment s = f->seg;
        if (!(s.flags & PL_SYN)) s.opts &= 16 | 32;         /* timestamps on every segment would drown the rest */
        if (*view_options(&s, options, sizeof options)) sentence(l, "options", options, NULL);
    }
    row_remarks(l, f, form);
}

/* ---------------------------------------- everything else ---------------------------------------- */

/* What the number of a timer's event means depends on the timer (steps/): the handshake's and keepalive's count from the beginning. */
static void timer_text(const struct ladder_item *i, const char *dot, char *text, size_t size)
{
    char span[40];
    view_duration((pl_time)(i->a > 0 ? i->a : 0), span, sizeof span);
    if (i->a <= 0 || i->state_before == PL_SYN_RECEIVED) snprintf(text, size, "%s timer", dot);
    else if (i->state_before == PL_SYN_SENT) snprintf(text, size, "%s timer, %s after the first SYN", dot, span);
    else if (i->why == PL_WHY_TIMER_KEEPALIVE) snprintf(text, size, "%s timer, after %s of silence", dot, span);
    else snprintf(text, size, "%s timer, set to %s", dot, span);
}

void row_item(struct ladder *l, const struct ladder_item *i)
{
    char text[120] = "";
    const struct glyphs *g = glyphs(l);
    title(l);
    if (i->kind == ITEM_SAY) {
        print_when(l, i->now);
        wrapped(l, i->text);
        fputc('\n', l->opts.out);
        return;
    }
    if (i->kind == ITEM_STATE) {
        snprintf(text, sizeof text, "%s %s %s %s", g->dot, state_text(i->state_before), g->to, state_text(i->state_after));
    } else if (i->kind == ITEM_TIMER) {
        timer_text(i, g->dot, text, sizeof text);
    } else {
        snprintf(text, sizeof text, "%s decision: %" PRId64 " %s %" PRId64, g->dot, i->a, g->to, i->b);
    }
    print_when(l, i->now);
    /* The text has one dot and at most one arrow that take more bytes than columns. */
    size_t columns = 0;
    for (const char *c = text; *c; c++)
        columns += ((uint8_t)*c & 0xc0) != 0x80;
    left_state(l, i->side == 0 ? i->state_after : LADDER_UNKNOWN, i->side == 0 && i->kind == ITEM_STATE);
    if (i->side == 1 && columns < arrow_width(l)) repeat(l->opts.out, " ", arrow_width(l) - columns);
    fputs(text, l->opts.out);
    right_state(l, i->side == 1 ? i->state_after : LADDER_UNKNOWN, i->side == 1 && i->kind == ITEM_STATE);
    if (!(l->opts.quiet & LADDER_NO_REASONS))
        sentence(l, "", pl_reason_text((enum pl_reason)i->why), pl_reason_rule((enum pl_reason)i->why));
}
