/* SPDX-License-Identifier: MIT
 *
 * layers.c: one message through the layers. See layers.h.
 */
#include "view/layers_private.h"
#include "view/ladder.h"
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *layer; int colour; } layer_names[] = {
    [VIEW_ETHERNET] = {"Ethernet", "data link", 33}, [VIEW_ARP] = {"ARP", "data link", 34}, [VIEW_IP4] = {"IPv4", "network", 32},
    [VIEW_IP6] = {"IPv6", "network", 32}, [VIEW_TCP] = {"TCP", "transport", 36}, [VIEW_UDP] = {"UDP", "transport", 36},
    [VIEW_ICMP4] = {"ICMP", "network", 34}, [VIEW_ICMP6] = {"ICMPv6", "network", 34}, [VIEW_PAYLOAD] = {"data", "application", 35},
    [VIEW_PADDING] = {"padding", "data link", 33},
};

void layers_opts_default(struct layers_opts *o, FILE *out)
{
    struct ladder_opts l;
    ladder_opts_default(&l, out);
    memset(o, 0, sizeof *o);
    o->out = out;
    o->colour = l.colour;
    o->unicode = l.unicode;
}

static const char *part_name(const struct layers_opts *o, const struct view_part *p)
{
    return p->layer == VIEW_PAYLOAD && o->application ? o->application : layer_names[p->layer].name;
}

static void colour(const struct layers_opts *o, const struct view_part *p)
{
    if (o->colour) fprintf(o->out, "\033[%dm", p ? layer_names[p->layer].colour : 0);
}

/* [Ethernet 14 | IPv4 20 | TCP 20+12 | HTTP 78] */
static void print_frame_line(const struct layers_opts *o, const struct view_frame *v)
{
    fputc('[', o->out);
    for (unsigned i = 0; i < v->parts; i++) {
        const struct view_part *p = &v->part[i];
        if (i) fputs(" | ", o->out);
        colour(o, p);
        if ((p->layer == VIEW_TCP || p->layer == VIEW_IP4) && p->len > 20) fprintf(o->out, "%s 20+%zu", part_name(o, p), p->len - 20);
        else fprintf(o->out, "%s %zu", part_name(o, p), p->len);
        colour(o, NULL);
    }
    fputs("]\n", o->out);
}

static size_t payload_bytes(const struct view_frame *v)
{
    const struct view_part *p = view_find(v, VIEW_PAYLOAD);
    return p ? p->len : 0;
}

static void print_way_down(const struct layers_opts *o, const struct view_frame *v)
{
    size_t n = payload_bytes(v);
    const struct view_part *payload = view_find(v, VIEW_PAYLOAD);
    fprintf(o->out, "%s on the way down, each layer puts its header in front:\n", o->unicode ? "▼" : "v");
    if (payload) fprintf(o->out, "   %-12s %-9s %5zu bytes\n", "application", part_name(o, payload), n);
    for (unsigned i = v->parts; i > 0; i--) {
        const struct view_part *p = &v->part[i - 1];
        if (p->layer == VIEW_PAYLOAD || p->layer == VIEW_PADDING) continue;
        n += p->len;
        fprintf(o->out, "   %-12s %-9s %5zu bytes  = ", layer_names[p->layer].layer, part_name(o, p), n);
        colour(o, p);
        fprintf(o->out, "%zu of its own", p->len);
        colour(o, NULL);
        if (n > p->len) fprintf(o->out, " + %zu from above", n - p->len);
        fputc('\n', o->out);
    }
    const struct view_part *padding = view_find(v, VIEW_PADDING);
    if (padding)
        fprintf(o->out, "   %-12s %-9s %5zu bytes  = %zu + %zu to fill the link's frame up\n", "", "", n + padding->len, n, padding->len);
}

/* What the layer looks at before it hands the rest up. */
static const char *why_up(const struct view_frame *v, unsigned i)
{
    switch (v->part[i].layer) {
    case VIEW_ETHERNET: return "is it for this station? the type says who gets the rest";
    case VIEW_IP4:
    case VIEW_IP6: return "is it for this host? the protocol says who gets the rest";
    case VIEW_TCP: return "which connection? in order, whole, once, to the program";
    case VIEW_UDP: return "which port? its program gets the rest as it is";
    default: return "it is for this layer itself";
    }
}

static void print_way_up(const struct layers_opts *o, const struct view_frame *v, size_t bytes)
{
    fprintf(o->out, "%s on the way up, each layer takes its header off:\n", o->unicode ? "▲" : "^");
    for (unsigned i = 0; i < v->parts; i++) {
        const struct view_part *p = &v->part[i];
        if (p->layer == VIEW_PADDING) continue;
        if (p->layer == VIEW_PAYLOAD) {
            fprintf(o->out, "   %-12s %-9s %5zu bytes arrive\n", "application", part_name(o, p), p->len);
            continue;
        }
        fprintf(o->out, "   %-12s %-9s %5zu - %zu = %zu: %s\n", layer_names[p->layer].layer, part_name(o, p), bytes, p->len, bytes - p->len,
            why_up(v, i));
        bytes -= p->len;
        /* The internet layer knows the packet's length; what the link added behind it goes here. */
        const struct view_part *padding = view_find(v, VIEW_PADDING);
        if (padding && p->layer != VIEW_ETHERNET && i > 0 && v->part[i - 1].layer == VIEW_ETHERNET) {
            fprintf(o->out, "   %-12s %-9s %5zu - %zu = %zu: the link filled its frame up\n", "", "", bytes, padding->len,
                    bytes - padding->len);
            bytes -= padding->len;
        }
    }
}

static void print_bytes(const struct layers_opts *o, const uint8_t *frame, const struct view_part *p, bool as_text)
{
    size_t max = o->payload_max ? o->payload_max : 256, shown = as_text && p->len > max ? max : p->len;
    for (size_t i = 0; i < shown; i += 16) {
        fprintf(o->out, "  %04zx  ", p->at + i);
        colour(o, p);
        for (size_t j = i; j < i + 16; j++) {
            if (j < shown) fprintf(o->out, "%s%02x", j > i ? " " : "", frame[p->at + j]);
            else if (as_text) fputs("   ", o->out);
        }
        if (as_text) fputs("  ", o->out);
        for (size_t j = i; as_text && j < i + 16 && j < shown; j++) {
            uint8_t c = frame[p->at + j];
            fputc(c >= 0x20 && c < 0x7f ? c : '.', o->out);
        }
        colour(o, NULL);
        fputc('\n', o->out);
    }
    if (shown < p->len) fprintf(o->out, "        and %zu more bytes\n", p->len - shown);
}

static void print_part(const struct layers_opts *o, const struct view_frame *v, const struct view_part *p, const uint8_t *frame)
{
    bool is_header = p->layer != VIEW_PAYLOAD && p->layer != VIEW_PADDING;
    colour(o, p);
    fprintf(o->out, "%s", part_name(o, p));
    colour(o, NULL);
    fprintf(o->out, ", %s layer: bytes %zu to %zu\n", layer_names[p->layer].layer, p->at, p->at + p->len - 1);
    print_bytes(o, frame, p, !is_header);
    if (is_header && !o->no_fields) fields_print(o->out, v, p, frame);
}

void layers_print(const struct layers_opts *o, const uint8_t *frame, size_t bytes)
{
    struct view_frame v;
    view_decode(&v, frame, bytes, o->ethernet);
    if (!o->no_summary) print_way_down(o, &v);
    print_frame_line(o, &v);
    for (unsigned i = 0; i < v.parts; i++)
        print_part(o, &v, &v.part[i], frame);
    if (!o->no_summary) print_way_up(o, &v, bytes);
}

void layers_event(const struct layers_opts *o, const struct pl_trace_event *e)
{
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < e->nspans; i++)
        n += e->frame[i].len;
    if (!e->frame || !n) return;
    uint8_t *whole = malloc(n);
    if (!whole) return;
    for (uint32_t i = 0; i < e->nspans; i++) {
        memcpy(whole + at, e->frame[i].base, e->frame[i].len);
        at += e->frame[i].len;
    }
    layers_print(o, whole, n);
    free(whole);
}
