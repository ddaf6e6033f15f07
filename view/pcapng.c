/* SPDX-License-Identifier: MIT
 *
 * pcapng.c: section header, interface description and enhanced packet blocks. See pcapng.h.
 *
 * Every block is: type, length, body padded to 32 bits, length again; options are code, length, value padded to 32 bits.
 */
#include "view/pcapng.h"
#include "view/decode.h"
#include <inttypes.h>
#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_IF_NAME = 2, OPT_IF_TSRESOL = 9, OPT_EPB_FLAGS = 2, OPT_SHB_USERAPPL = 4 };
enum { LINK_ETHERNET = 1, LINK_RAW_IP = 101 };

static void put16(FILE *out, unsigned v)
{
    fputc(v & 0xff, out);
    fputc(v >> 8 & 0xff, out);
}

static void put32(FILE *out, uint32_t v)
{
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

static uint32_t padded(size_t n)
{
    return (uint32_t)((n + 3) / 4 * 4);
}

static void pad(FILE *out, size_t n)
{
    for (size_t i = n; i < padded(n); i++)
        fputc(0, out);
}

static uint32_t option_bytes(const char *text)
{
    return text && *text ? 4 + padded(strlen(text)) : 0;
}

static void put_option(FILE *out, unsigned code, const char *text)
{
    if (!text || !*text) return;
    size_t n = strlen(text);
    put16(out, code);
    put16(out, (unsigned)n);
    fwrite(text, 1, n, out);
    pad(out, n);
}

static void put_end_of_options(FILE *out)
{
    put32(out, OPT_END);
}

void pcapng_begin(struct pcapng *p, FILE *out)
{
    const char *program = "parley";
    uint32_t bytes = 28 + option_bytes(program) + 4;
    memset(p, 0, sizeof *p);
    p->out = out;
    put32(out, BLOCK_SECTION);
    put32(out, bytes);
    put32(out, 0x1a2b3c4d);
    put16(out, 1);
    put16(out, 0);
    put32(out, UINT32_MAX);                            /* length of the section: not said */
    put32(out, UINT32_MAX);
    put_option(out, OPT_SHB_USERAPPL, program);
    put_end_of_options(out);
    put32(out, bytes);
}

int pcapng_interface(struct pcapng *p, const char *name, bool ethernet)
{
    if (p->interfaces == PCAPNG_INTERFACES_MAX) return -1;
    uint32_t bytes = 20 + option_bytes(name) + 8 + 4;
    put32(p->out, BLOCK_INTERFACE);
    put32(p->out, bytes);
    put16(p->out, ethernet ? LINK_ETHERNET : LINK_RAW_IP);
    put16(p->out, 0);
    put32(p->out, 0);                                  /* nothing is cut off */
    put_option(p->out, OPT_IF_NAME, name);
    put16(p->out, OPT_IF_TSRESOL);
    put16(p->out, 1);
    put32(p->out, 9);                                  /* 10^-9 s, then padding */
    put_end_of_options(p->out);
    put32(p->out, bytes);
    return (int)p->interfaces++;
}

void pcapng_frame(struct pcapng *p, int interface, pl_time when, const struct pl_span *span, unsigned nspans, bool inbound,
                  const char *comment)
{
    if (interface < 0 || (unsigned)interface >= p->interfaces) return;
    char *note = p->note[interface];
    size_t len = 0;
    for (unsigned i = 0; i < nspans; i++)
        len += span[i].len;
    uint32_t bytes = 32 + padded(len) + option_bytes(note) + option_bytes(comment) + 8 + 4;
    put32(p->out, BLOCK_PACKET);
    put32(p->out, bytes);
    put32(p->out, (uint32_t)interface);
    put32(p->out, (uint32_t)(when >> 32));
    put32(p->out, (uint32_t)when);
    put32(p->out, (uint32_t)len);
    put32(p->out, (uint32_t)len);
    for (unsigned i = 0; i < nspans; i++)
        if (span[i].len) fwrite(span[i].base, 1, span[i].len, p->out);
    pad(p->out, len);
    put_option(p->out, OPT_COMMENT, note);
    put_option(p->out, OPT_COMMENT, comment);
    put16(p->out, OPT_EPB_FLAGS);
    put16(p->out, 4);
    put32(p->out, inbound ? 1 : 2);
    put_end_of_options(p->out);
    put32(p->out, bytes);
    note[0] = 0;
}

static void event_sentence(const struct pl_trace_event *e, char *buf, size_t size)
{
    const char *text = e->drop ? pl_drop_text((enum pl_drop)e->drop) : e->why ? pl_reason_text((enum pl_reason)e->why) : "";
    const char *rule = e->drop ? pl_drop_rule((enum pl_drop)e->drop) : e->why ? pl_reason_rule((enum pl_reason)e->why) : "";
    char states[60] = "";
    if (e->protocol == 6 && e->state_before != e->state_after)
        snprintf(states, sizeof states, "%s -> %s%s", pl_state_name((enum pl_state)e->state_before),
                 pl_state_name((enum pl_state)e->state_after), *text ? ": " : "");
    snprintf(buf, size, "%s%s%s%s%s", states, text, *rule ? " [" : "", rule, *rule ? "]" : "");
}

void pcapng_note(struct pcapng *p, int interface, const char *line)
{
    if (interface < 0 || (unsigned)interface >= p->interfaces) return;
    char *note = p->note[interface];
    size_t n = strlen(note), m = strlen(line);
    if (!m || n + m + 2 > PCAPNG_NOTE_BYTES) return;
    if (n) note[n++] = '\n';
    memcpy(note + n, line, m + 1);
}

void pcapng_event(struct pcapng *p, int interface, const struct pl_trace_event *e)
{
    char text[400];
    if (interface < 0 || (unsigned)interface >= p->interfaces) return;
    event_sentence(e, text, sizeof text);
    if (e->kind == PL_TRACE_IN || e->kind == PL_TRACE_OUT) {
        pcapng_frame(p, interface, e->now, e->frame, e->nspans, e->kind == PL_TRACE_IN, text);
        return;
    }
    pcapng_note(p, interface, text);
}
