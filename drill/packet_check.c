/* SPDX-License-Identifier: MIT
 *
 * packet_check.c: what the stack sent: read, compared with what a script wants, printed as a script would write it.
 */
#include "drill/octets.h"
#include "drill/packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t get32(const uint8_t *p) { return get16(p) << 16 | get16(p + 2); }

static bool bad(char *error, size_t size, const char *what, ...) __attribute__((format(printf, 3, 4)));
static bool bad(char *error, size_t size, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    vsnprintf(error, size, what, args);
    va_end(args);
    return false;
}

/* ------------------------------------------------------------------ reading ------------------------------------------------------------------ */

static void read_values(struct drill_option *o, const uint8_t *p, unsigned n)
{
    unsigned each = o->kind == OPTION_SACK || o->kind == OPTION_TS ? 4 : o->kind == OPTION_MSS || o->kind == OPTION_UTO ? 2
                  : o->kind == OPTION_ACCECN_0 || o->kind == OPTION_ACCECN_1 ? 3 : o->kind == OPTION_WSCALE ? 1 : 0;
    if (each == 0 || n % each || n / each > 8) {
        o->raw_bytes = (uint8_t)n;
        memcpy(o->raw, p, n);
        return;
    }
    for (; o->n < n / each; o->n++) {
        const uint8_t *at = p + each * o->n;
        o->value[o->n] = each == 4 ? get32(at) : each == 3 ? (uint32_t)at[0] << 16 | get16(at + 1) : each == 2 ? get16(at) : at[0];
    }
    if (o->kind == OPTION_UTO && o->n == 1) {
        o->value[1] = o->value[0] >> 15;
        o->value[0] &= 0x7fff;
        o->n = 2;
    }
}

static bool read_options(const uint8_t *p, size_t n, struct drill_packet *s, char *error, size_t size)
{
    while (n) {
        if (s->noptions == sizeof s->option / sizeof s->option[0])
            return bad(error, size, "more options than can be");
        struct drill_option *o = &s->option[s->noptions++];
        o->kind = p[0];
        if (o->kind == OPTION_EOL)
            return true;                  /* what follows is padding */
        if (o->kind == OPTION_NOP) {
            p++, n--;
            continue;
        }
        if (n < 2 || p[1] < 2 || p[1] > n)
            return bad(error, size, "option %u has a length that cannot be", o->kind);
        read_values(o, p + 2, p[1] - 2u);
        n -= p[1];
        p += p[1];
    }
    return true;
}

static bool read_tcp(const uint8_t *p, size_t n, struct drill_packet *s, struct drill_flow *ends, char *error, size_t size)
{
    size_t header = n >= 20 ? (size_t)(p[12] >> 4) * 4 : 0;
    if (header < 20 || header > n)
        return bad(error, size, "a TCP header of %zu bytes in %zu", header, n);
    ends->local_port = (uint16_t)get16(p), ends->remote_port = (uint16_t)get16(p + 2);
    s->has_seq = true;
    s->text = (uint32_t)(n - header);
    s->seq = get32(p + 4);
    s->end = s->seq + s->text;
    s->flags = (uint16_t)(p[13] | (p[12] & 1) << 8);
    s->has_ack = s->flags & 16;
    s->ack = get32(p + 8);
    s->has_window = true;
    s->window = get16(p + 14);
    s->has_urgent = s->flags & 32;
    s->urgent = get16(p + 18);
    return read_options(p + 20, header - 20, s, error, size);
}

static bool read_icmp(const uint8_t *p, size_t n, struct drill_packet *s, char *error, size_t size)
{
    static _Thread_local char type[8], code[8];          /* the numbers as words, until the next packet is read */
    if (n < 8)
        return bad(error, size, "an ICMP message of %zu bytes", n);
    snprintf(type, sizeof type, "%u", p[0]);
    snprintf(code, sizeof code, "%u", p[1]);
    s->icmp_type = type, s->icmp_code = code;
    s->mtu = get16(p + 6);
    s->echo_id = get16(p + 4);
    return true;
}

static bool read_ip(const uint8_t *b, size_t n, struct drill_packet *s, struct drill_flow *ends, size_t *header, char *error, size_t size)
{
    ends->ipv6 = n && b[0] >> 4 == 6;
    *header = ends->ipv6 ? 40 : n ? (size_t)(b[0] & 15) * 4 : 0;
    if (n < 20 || (b[0] >> 4 != 4 && !ends->ipv6) || *header < 20 || n < *header)
        return bad(error, size, "this is no IP packet (%zu bytes)", n);
    size_t told = ends->ipv6 ? 40 + get16(b + 4) : get16(b + 2);
    if (told != n)
        return bad(error, size, "the IP header says %zu bytes, there are %zu", told, n);
    if (!ends->ipv6 && octets_sum(b, *header, 0) != 0xffff)
        return bad(error, size, "the IP header's checksum is wrong");
    uint8_t tos = ends->ipv6 ? (uint8_t)(get16(b) >> 4) : b[1];
    s->tos = tos & 0xfc;
    s->ecn = tos & 3;
    s->ttl = ends->ipv6 ? b[7] : b[8];
    s->dont_fragment = !ends->ipv6 && b[6] & 0x40;
    s->flow_label = ends->ipv6 ? (int32_t)(get32(b) & 0xfffff) : -1;
    s->protocol = ends->ipv6 ? b[6] : b[9];
    memcpy(ends->local.b, ends->ipv6 ? b + 8 : b + 12, ends->ipv6 ? 16 : 4);
    memcpy(ends->remote.b, ends->ipv6 ? b + 24 : b + 16, ends->ipv6 ? 16 : 4);
    return true;
}

bool drill_packet_read(const uint8_t *b, size_t n, struct drill_packet *s, struct drill_flow *ends, char *error, size_t size)
{
    size_t header;
    *s = (struct drill_packet){.src_port = -1, .dst_port = -1, .mtu = -1, .echo_id = -1};
    *ends = (struct drill_flow){.isn_known = false};
    if (!read_ip(b, n, s, ends, &header, error, size))
        return false;
    uint8_t protocol = ends->protocol = s->protocol;
    const uint8_t *p = b + header;
    size_t left = n - header, a = ends->ipv6 ? 16 : 4;
    uint8_t tail[4] = {0, protocol, (uint8_t)(left >> 8), (uint8_t)left};
    uint32_t pseudo = protocol == 1 ? 0 : octets_sum(tail, 4, octets_sum(ends->remote.b, a, octets_sum(ends->local.b, a, 0)));
    if ((protocol != 17 || (left >= 8 && get16(p + 6))) && octets_sum(p, left, pseudo) != 0xffff)
        return bad(error, size, "the transport's checksum is wrong");
    if (protocol == 6)
        return read_tcp(p, left, s, ends, error, size);
    if (protocol == 1 || protocol == 58) {
        s->protocol = DRILL_ICMP;
        return read_icmp(p, left, s, error, size);
    }
    if (protocol != 17 || left < 8)
        return bad(error, size, "a packet of protocol %u with %zu bytes", protocol, left);
    ends->local_port = (uint16_t)get16(p), ends->remote_port = (uint16_t)get16(p + 2);
    s->text = (uint32_t)left - 8;
    return true;
}

bool drill_packet_of(const struct drill_flow *f, const struct drill_flow *ends)
{
    size_t a = f->ipv6 ? 16 : 4;
    return f->ipv6 == ends->ipv6 && f->protocol == ends->protocol && f->local_port == ends->local_port && f->remote_port == ends->remote_port &&
           memcmp(f->local.b, ends->local.b, a) == 0 && memcmp(f->remote.b, ends->remote.b, a) == 0;
}

/* ------------------------------------------------------------------ printing ------------------------------------------------------------------ */

struct text {
    char *to;
    size_t size, n;
};

static void add(struct text *t, const char *what, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    int n = t->n < t->size ? vsnprintf(t->to + t->n, t->size - t->n, what, args) : 0;
    va_end(args);
    t->n += n > 0 ? (size_t)n : 0;
}

static uint32_t script_stamp(const struct drill_flow *f, uint32_t live)
{
    for (unsigned i = f->nstamps; i-- > 0;)
        if (f->stamp[i].live == live)
            return f->stamp[i].script;
    return f->nstamps ? f->stamp[0].script + (live - f->stamp[0].live) : live;
}

static void print_raw(struct text *t, const struct drill_option *o)
{
    for (unsigned i = 0; i < o->raw_bytes; i++)
        add(t, "%02x", o->raw[i]);
}

static void print_option(struct text *t, const struct drill_option *o, const struct drill_flow *f, bool in)
{
    switch (o->kind) {
    case OPTION_EOL:
        add(t, "eol");
        break;
    case OPTION_NOP:
        add(t, "nop");
        break;
    case OPTION_MSS:
        add(t, "mss %u", o->value[0]);
        break;
    case OPTION_WSCALE:
        add(t, "wscale %u", o->value[0]);
        break;
    case OPTION_SACK_OK:
        add(t, "sackOK");
        break;
    case OPTION_SACK:
        add(t, "sack");
        for (unsigned i = 0; i + 1 < o->n; i += 2)
            add(t, " %u:%u", o->value[i], o->value[i + 1]);
        break;
    case OPTION_TS:
        add(t, "TS val %u ecr %u", in ? o->value[0] : script_stamp(f, o->value[0]), o->value[1]);
        break;
    case OPTION_UTO:
        add(t, "uto %u%s", o->value[0], o->value[1] ? "m" : "s");
        break;
    case OPTION_FAST_OPEN:
        add(t, o->raw_bytes ? "FO " : "FO");
        print_raw(t, o);
        break;
    case OPTION_ACCECN_0:
    case OPTION_ACCECN_1:
        add(t, "ECN");
        for (unsigned i = 0; i < o->n; i++)
            add(t, " %s %u", i == 1 ? "ceb" : (i == 0) == (o->kind == OPTION_ACCECN_0) ? "e0b" : "e1b", o->value[i]);
        break;
    default:
        add(t, "kind %u 0x", o->kind);
        print_raw(t, o);
        break;
    }
}

void drill_packet_print(const struct drill_packet *p, const struct drill_flow *f, char *text, size_t size)
{
    static const char letters[] = "FSRP.UEWA";
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};
    struct text t = {text, size, 0};
    uint32_t off = p->in ? 0 : f->isn_offset;
    add(&t, "%c ", p->in ? '<' : '>');
    if (p->ecn > 0)
        add(&t, "[%s] ", ecn[p->ecn & 3]);
    if (p->protocol == DRILL_UDP) {
        add(&t, "udp (%u)", p->text);
        return;
    }
    if (p->protocol == DRILL_ICMP) {
        add(&t, "icmp %s %s", p->icmp_type, p->icmp_code ? p->icmp_code : "");
        return;
    }
    for (unsigned i = 0; letters[i]; i++)
        if (p->flags & 1u << i)
            add(&t, "%c", letters[i]);
    add(&t, "%s %u:%u(%u)", p->flags ? "" : "-", p->seq - off, p->end - off, p->text);
    if (p->has_ack)
        add(&t, " ack %u", p->ack);
    if (p->has_window)
        add(&t, " win %u", p->window);
    if (p->has_urgent)
        add(&t, " urg %u", p->urgent);
    for (unsigned i = 0; i < p->noptions; i++) {
        add(&t, i ? "," : " <");
        print_option(&t, &p->option[i], f, p->in);
    }
    if (p->noptions)
        add(&t, ">");
}

/* ------------------------------------------------------------------ comparing ------------------------------------------------------------------ */

static bool option_matches(const struct drill_option *w, const struct drill_option *s)
{
    if (w->kind != s->kind)
        return false;
    if (w->any)
        return true;
    if (w->raw_bytes != s->raw_bytes || memcmp(w->raw, s->raw, w->raw_bytes) != 0 || w->n != s->n)
        return false;
    if (w->kind == OPTION_TS)             /* the stack's clock is its own: the script names its readings; what it echoes is the script's */
        return w->value[1] == s->value[1];
    return memcmp(w->value, s->value, w->n * sizeof w->value[0]) == 0;
}

static bool options_match(const struct drill_packet *w, const struct drill_packet *s, const struct drill_flow *f, char *error, size_t size)
{
    unsigned i = 0;
    if (w->any_options)
        return true;
    while (i < w->noptions && i < s->noptions && option_matches(&w->option[i], &s->option[i]))
        i++;
    if (i == w->noptions && i == s->noptions)
        return true;
    char want[200] = "none", sent[200] = "none";
    struct text tw = {want, sizeof want, 0}, ts = {sent, sizeof sent, 0};
    if (i < w->noptions)
        print_option(&tw, &w->option[i], f, true);
    if (i < s->noptions)
        print_option(&ts, &s->option[i], f, false);
    return bad(error, size, "option %u: %s expected, %s sent", i + 1, want, sent);
}

static bool same(char *error, size_t size, const char *what, uint32_t want, uint32_t sent)
{
    return want == sent ? true : bad(error, size, "%s: %u expected, %u sent", what, want, sent);
}

static void learn(const struct drill_packet *w, const struct drill_packet *s, struct drill_flow *f)
{
    for (unsigned i = 0; i < s->noptions; i++)
        for (unsigned k = 0; s->option[i].kind == OPTION_TS && k < w->noptions; k++)
            if (w->option[k].kind == OPTION_TS && !w->option[k].any) {
                unsigned at = f->nstamps < DRILL_STAMPS ? f->nstamps++ : DRILL_STAMPS - 1;
                f->stamp[at].script = w->option[k].value[0];
                f->stamp[at].live = s->option[i].value[0];
            }
}

/* The first SYN tells the ISN. One after a FIN or RST begins a new incarnation, whose number stands where the script says, give or take what time is off
 * by; should nothing come of it the numbers of before hold again. */
static void learn_number(const struct drill_packet *w, const struct drill_packet *s, struct drill_flow *f)
{
    uint32_t off = s->seq - w->seq - f->isn_offset;
    bool near = off + DRILL_TICKS <= 2 * DRILL_TICKS, syn = (s->flags & 2) && (w->flags & 2);
    if (syn && (!f->isn_known || (f->ended && near))) {
        f->anew = f->isn_known;
        f->isn_before = f->isn_offset;
        f->isn_offset = s->seq - w->seq;
        f->isn_known = true;
        f->ended = false;
    } else if (f->anew && s->seq - w->seq == f->isn_before) {
        f->isn_offset = f->isn_before;
    }
}

static bool tcp_matches(const struct drill_packet *w, const struct drill_packet *s, struct drill_flow *f, char *error, size_t size)
{
    learn_number(w, s, f);
    f->ended |= (s->flags & 5) != 0;
    if (w->flags != s->flags) {
        static const char letters[] = "FSRP.UEWA";
        char want[12] = "-", sent[12] = "-";
        for (unsigned i = 0, a = 0, b = 0; letters[i]; i++) {
            if (w->flags & 1u << i)
                want[a++] = letters[i], want[a] = 0;
            if (s->flags & 1u << i)
                sent[b++] = letters[i], sent[b] = 0;
        }
        return bad(error, size, "flags: %s expected, %s sent", want, sent);
    }
    return same(error, size, "sequence number", w->seq, s->seq - f->isn_offset) && same(error, size, "bytes of text", w->text, s->text) &&
           (!w->has_ack || same(error, size, "ack", w->ack, s->ack)) && (!w->has_window || same(error, size, "win", w->window, s->window)) &&
           (!w->has_urgent || same(error, size, "urg", w->urgent, s->urgent)) && options_match(w, s, f, error, size);
}

bool drill_packet_matches(const struct drill_packet *w, const struct drill_packet *s, struct drill_flow *f, char *error, size_t size)
{
    if (w->protocol != s->protocol)
        return bad(error, size, "a packet of protocol %u expected, one of %u sent", w->protocol, s->protocol);
    if (w->ecn != DRILL_ECN_ANY && !same(error, size, "ECN bits", (uint32_t)w->ecn, (uint32_t)s->ecn))
        return false;
    if (w->tos >= 0 && !same(error, size, "tos", (uint32_t)w->tos & 0xfc, (uint32_t)s->tos))
        return false;
    if (w->dont_fragment >= 0 && !same(error, size, "df", (uint32_t)w->dont_fragment, (uint32_t)s->dont_fragment))
        return false;
    if ((w->ttl >= 0 && !same(error, size, "ttl", (uint32_t)w->ttl, (uint32_t)s->ttl)) ||
        (w->flow_label >= 0 && !same(error, size, "flowlabel", (uint32_t)w->flow_label, (uint32_t)s->flow_label)))
        return false;
    if (w->protocol == DRILL_UDP)
        return same(error, size, "bytes of text", w->text, s->text);
    if (w->protocol == DRILL_TCP && !tcp_matches(w, s, f, error, size))
        return false;
    learn(w, s, f);
    return true;
}
