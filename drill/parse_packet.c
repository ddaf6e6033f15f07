/* SPDX-License-Identifier: MIT
 *
 * parse_packet.c: a packet as a script writes it.
 *
 *     < [ect0] (tos 0x10) 5000 > 80 S. 0:0(0) ack 1 win 65535 urg 3 <mss 1460,nop,wscale 7>
 *     > udp (1000)
 *     < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]
 */
#include "drill/parse.h"

#include <ctype.h>
#include <string.h>

static void want_range(struct scan *s, int64_t v, int64_t most, const char *what)
{
    if (v < 0 || v > most)
        scan_fail(s, "%s: %lld is not between 0 and %lld", what, (long long)v, (long long)most);
}

/* ------------------------------------------------------------------ IP ------------------------------------------------------------------ */

static bool ecn_word(const char *w, struct drill_packet *p)
{
    static const struct { const char *word; int8_t ecn; } words[] = {{"noecn", 0}, {"ect1", 1}, {"ect0", 2}, {"ce", 3}, {"ect01", DRILL_ECN_ANY}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(w, words[i].word) == 0) {
            p->ecn = words[i].ecn;
            return true;
        }
    return false;
}

/* "[ect0]"; "[1:1001(1000)]" belongs to an ICMP message and is left */
static void ecn(struct scan *s, struct drill_packet *p)
{
    const char *at = s->at;
    int line = s->line;
    if (!scan_takes(s, "["))
        return;
    const char *w = scan_word(s);
    if (!w || strcmp(w, "udp") == 0) {
        s->at = at, s->line = line;
        return;
    }
    if (!ecn_word(w, p))
        scan_fail(s, "[%s]: noecn, ect0, ect1, ect01 or ce expected", w);
    scan_wants(s, "]");
}

/* "(tos 0x10, ttl 64)" */
static void ip_fields(struct scan *s, struct drill_packet *p)
{
    if (!scan_takes(s, "("))
        return;
    do {
        const char *w = scan_word(s);
        int64_t v = w ? scan_want_number(s, w) : 0;
        if (w && strcmp(w, "tos") == 0) {
            want_range(s, v, 255, "tos");
            p->tos = (int16_t)v;
        } else if (w && strcmp(w, "ttl") == 0) {
            want_range(s, v, 255, "ttl");
            p->ttl = (int16_t)v;
        } else if (w && strcmp(w, "df") == 0) {
            want_range(s, v, 1, "df");
            if (p->in)
                scan_fail(s, "df can be asked of what is sent only");
            p->dont_fragment = (int8_t)v;
        } else if (w && strcmp(w, "flowlabel") == 0) {
            want_range(s, v, 0xfffff, "flowlabel");
            p->flow_label = (int32_t)v;
        } else {
            scan_fail(s, "in these brackets tos, ttl, df or flowlabel is expected");
        }
    } while (!s->failed && scan_takes(s, ","));
    scan_wants(s, ")");
}

/* ------------------------------------------------------------------ TCP ------------------------------------------------------------------ */

static void flags(struct scan *s, struct drill_packet *p)
{
    static const char letters[] = "FSRP.UEWA";           /* bit by bit */
    if (scan_takes(s, "-"))
        return;
    scan_blank(s);
    const char *from = s->at, *which;
    for (; s->at < s->end && *s->at && (which = strchr(letters, *s->at)) != NULL; s->at++)
        p->flags |= (uint16_t)(1u << (which - letters));
    if (s->at == from || (s->at < s->end && isalnum((unsigned char)*s->at)))
        scan_fail(s, "flags expected: letters of F S R P . (ACK) U E (ECE) W (CWR) A (AE), or -");
}

/* "1:1001(1000)" */
static void sequence(struct scan *s, struct drill_packet *p)
{
    p->has_seq = true;
    p->seq = scan_want_u32(s, "a sequence number");
    scan_wants(s, ":");
    p->end = scan_want_u32(s, "the sequence number behind the last byte");
    scan_wants(s, "(");
    p->text = scan_want_u32(s, "a number of bytes");
    scan_wants(s, ")");
    if (!s->failed && p->end - p->seq != p->text)
        scan_fail(s, "%u:%u(%u): from %u to %u are %u bytes", p->seq, p->end, p->text, p->seq, p->end, p->end - p->seq);
    if (p->text > 65495)
        scan_fail(s, "%u bytes of text do not fit into a packet", p->text);
}

static void raw(struct scan *s, struct drill_option *o)
{
    scan_blank(s);
    const char *from = s->at;
    unsigned digits = 0;
    uint8_t byte = 0;
    if (s->at + 1 < s->end && s->at[0] == '0' && (s->at[1] == 'x' || s->at[1] == 'X'))
        from = s->at += 2;
    for (; s->at < s->end && isxdigit((unsigned char)*s->at); s->at++) {
        byte = (uint8_t)(byte << 4 | (isdigit((unsigned char)*s->at) ? *s->at - '0' : tolower((unsigned char)*s->at) - 'a' + 10));
        if (++digits % 2 == 0 && o->raw_bytes < sizeof o->raw)
            o->raw[o->raw_bytes++] = byte;
    }
    if (digits % 2 || digits / 2 > sizeof o->raw || (s->at < s->end && isalnum((unsigned char)*s->at)))
        scan_fail(s, "\"%.*s\": an even number of hexadecimal digits is expected, at most %zu", (int)(s->at - from) + 1, from, 2 * sizeof o->raw);
}

static void sack(struct scan *s, struct drill_option *o)
{
    int64_t lo;
    while (!s->failed && o->n < 8 && scan_number(s, &lo)) {
        want_range(s, lo, UINT32_MAX, "a SACK block's left edge");
        scan_wants(s, ":");
        o->value[o->n++] = (uint32_t)lo;
        o->value[o->n++] = scan_want_u32(s, "a SACK block's right edge");
    }
    if (o->n == 0)
        o->any = scan_takes(s, "...");
}

static void timestamps(struct scan *s, struct drill_option *o)
{
    o->n = 2;
    scan_wants(s, "val");
    if (scan_takes(s, "..."))
        o->any = true;
    else
        o->value[0] = scan_want_u32(s, "a timestamp");
    scan_wants(s, "ecr");
    if (scan_takes(s, "..."))
        o->any = true;
    else
        o->value[1] = scan_want_u32(s, "the timestamp that is echoed");
}

/* RFC 9768 3.2.3: three counters of 24 bits, in one of two orders, the last ones may be missing. The first name says which order. */
static void accurate_ecn(struct scan *s, struct drill_option *o)
{
    const char *first = NULL, *w;
    const char *at = s->at;
    while (!s->failed && o->n < 3 && (at = s->at, w = scan_word(s)) != NULL) {
        if (strcmp(w, "e1b") != 0 && strcmp(w, "ceb") != 0 && strcmp(w, "e0b") != 0) {
            s->at = at;
            break;
        }
        first = first ? first : w;
        o->value[o->n++] = scan_want_u32(s, w) & 0xffffff;
    }
    o->kind = first && strcmp(first, "e1b") == 0 ? OPTION_ACCECN_1 : OPTION_ACCECN_0;
}

static void number(struct scan *s, struct drill_option *o, int64_t most, const char *what)
{
    o->n = 1;
    if (scan_takes(s, "...")) {
        o->any = true;
        return;
    }
    int64_t v = scan_want_number(s, what);
    want_range(s, v, most, what);
    o->value[0] = (uint32_t)v;
}

/* "uto 30s", "uto 5m": RFC 5482 2 */
static void user_timeout(struct scan *s, struct drill_option *o)
{
    number(s, o, 0x7fff, "uto");
    o->n = 2;
    o->value[1] = s->at < s->end && *s->at == 'm';
    if (s->at < s->end && (*s->at == 'm' || *s->at == 's'))
        s->at++;
}

static void option(struct scan *s, struct drill_option *o)
{
    const char *w = scan_word(s);
    if (!w) {
        scan_fail(s, "an option expected: mss, wscale, nop, eol, sackOK, sack, TS, FO, ECN, md5, uto, or kind");
    } else if (strcmp(w, "nop") == 0) {
        o->kind = OPTION_NOP;
    } else if (strcmp(w, "eol") == 0) {
        o->kind = OPTION_EOL;
    } else if (strcmp(w, "sackOK") == 0) {
        o->kind = OPTION_SACK_OK;
    } else if (strcmp(w, "mss") == 0) {
        o->kind = OPTION_MSS;
        number(s, o, 65535, "mss");
    } else if (strcmp(w, "wscale") == 0) {
        o->kind = OPTION_WSCALE;
        number(s, o, 255, "wscale");
    } else if (strcmp(w, "sack") == 0) {
        o->kind = OPTION_SACK;
        sack(s, o);
    } else if (strcmp(w, "TS") == 0) {
        o->kind = OPTION_TS;
        timestamps(s, o);
    } else if (strcmp(w, "FO") == 0) {
        o->kind = OPTION_FAST_OPEN;
        raw(s, o);
    } else if (strcmp(w, "FOEXP") == 0) {
        o->kind = OPTION_EXPERIMENT;
        o->raw[0] = 0xf9, o->raw[1] = 0x89, o->raw_bytes = 2;         /* RFC 7413's experimental number */
        raw(s, o);
    } else if (strcmp(w, "ECN") == 0) {
        accurate_ecn(s, o);
    } else if (strcmp(w, "md5") == 0) {
        o->kind = OPTION_MD5;
        raw(s, o);
    } else if (strcmp(w, "uto") == 0) {
        o->kind = OPTION_UTO;
        user_timeout(s, o);
    } else if (strcmp(w, "kind") == 0) {                 /* of our own: any option, byte by byte */
        int64_t kind = scan_want_number(s, "an option's kind");
        want_range(s, kind, 255, "an option's kind");
        o->kind = (uint8_t)kind;
        raw(s, o);
    } else {
        scan_fail(s, "option \"%s\" is not known; mss, wscale, nop, eol, sackOK, sack, TS, FO, FOEXP, ECN, md5, uto and kind are", w);
    }
}

static void options(struct scan *s, struct drill_packet *p)
{
    if (!scan_takes(s, "<"))
        return;
    if (scan_takes(s, "...")) {
        p->any_options = true;
    } else if (!scan_sees(s, ">")) {
        do {
            if (p->noptions == sizeof p->option / sizeof p->option[0]) {
                scan_fail(s, "more options than 40 bytes can hold");
                return;
            }
            option(s, &p->option[p->noptions++]);
        } while (!s->failed && scan_takes(s, ","));
    }
    scan_wants(s, ">");
}

static void tcp(struct scan *s, struct drill_packet *p)
{
    p->protocol = DRILL_TCP;
    flags(s, p);
    if (!s->failed)
        sequence(s, p);
    if ((p->has_ack = scan_takes(s, "ack")))
        p->ack = scan_want_u32(s, "ack");
    if ((p->has_window = scan_takes(s, "win")))
        p->window = scan_want_u32(s, "win");
    if ((p->has_urgent = scan_takes(s, "urg")))
        p->urgent = scan_want_u32(s, "urg");
    if (p->window > 65535 || p->urgent > 65535)
        scan_fail(s, "win and urg are numbers of 16 bits: as they stand in the header, not scaled");
    options(s, p);
    if (p->in && p->any_options)
        scan_fail(s, "a packet that arrives needs its options written out: <...> is for what is sent");
}

/* ------------------------------------------------------------------ UDP, ICMP ------------------------------------------------------------------ */

static void udp(struct scan *s, struct drill_packet *p)
{
    p->protocol = DRILL_UDP;
    scan_wants(s, "(");
    p->text = scan_want_u32(s, "a number of bytes");
    scan_wants(s, ")");
    if (p->text > 65507)
        scan_fail(s, "%u bytes do not fit into a datagram", p->text);
}

/* "[1:1461(1460)]" or "[udp (1000)]" */
static void quoted(struct scan *s, struct drill_packet *p)
{
    if (p->quoted_protocol || !scan_takes(s, "["))
        return;
    if (scan_takes(s, "udp")) {
        p->quoted_protocol = DRILL_UDP;
        scan_wants(s, "(");
        p->text = scan_want_u32(s, "a number of bytes");
        scan_wants(s, ")");
    } else {
        p->quoted_protocol = DRILL_TCP;
        sequence(s, p);
    }
    scan_wants(s, "]");
}

static const char *word_or_number(struct scan *s)
{
    const char *from, *w = scan_word(s);
    int64_t v;
    if (w)
        return w;
    from = s->at;
    return scan_number(s, &v) ? scan_keep_text(s, from, (size_t)(s->at - from)) : NULL;
}

static void icmp(struct scan *s, struct drill_packet *p)
{
    p->protocol = DRILL_ICMP;
    p->icmp_type = word_or_number(s);
    if (!p->icmp_type)
        scan_fail(s, "a type of ICMP message expected: unreachable, time_exceeded, packet_too_big, ... or a number");
    /* a number on the next line is the time of the next event */
    if (scan_same_line(s) && !scan_sees(s, "mtu") && !scan_sees(s, "id"))
        p->icmp_code = word_or_number(s);
    while (!s->failed) {
        if (scan_takes(s, "mtu"))
            p->mtu = scan_want_u32(s, "mtu");
        else if (scan_takes(s, "id"))
            p->echo_id = scan_want_u32(s, "id");
        else if (scan_sees(s, "["))
            quoted(s, p);
        else
            return;
    }
}

struct drill_packet *parse_packet(struct scan *s)
{
    struct drill_packet *p = scan_keep(s, sizeof *p);
    *p = (struct drill_packet){.in = scan_takes(s, "<"), .ecn = DRILL_ECN_ANY, .tos = -1, .ttl = -1, .dont_fragment = -1, .flow_label = -1, .src_port = -1, .dst_port = -1, .mtu = -1, .echo_id = -1};
    if (!p->in)
        scan_wants(s, ">");
    ecn(s, p);
    ip_fields(s, p);
    ecn(s, p);
    if (isdigit((unsigned char)scan_peek(s))) {
        int64_t from = scan_want_number(s, "a port");
        scan_wants(s, ">");
        int64_t to = scan_want_number(s, "a port");
        want_range(s, from, 65535, "a port");
        want_range(s, to, 65535, "a port");
        p->src_port = (int32_t)from, p->dst_port = (int32_t)to;
    }
    if (scan_sees(s, "["))
        quoted(s, p);
    if (scan_takes(s, "udp"))
        udp(s, p);
    else if (scan_takes(s, "icmp"))
        icmp(s, p);
    else if (p->quoted_protocol)
        scan_fail(s, "icmp expected: only an ICMP message quotes a packet");
    else if (!s->failed)
        tcp(s, p);
    return p;
}
