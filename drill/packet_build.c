/* SPDX-License-Identifier: MIT
 *
 * packet_build.c: a script's packet as bytes: RFC 791, 8200, 9293 3.1, 768, 792, 4443.
 */
#include "drill/octets.h"
#include "drill/packet.h"

#include <stdio.h>
#include <string.h>

static uint8_t *put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
    return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v) { return put16(put16(p, v >> 16), v); }

static uint16_t transport_sum(const struct drill_flow *f, uint8_t protocol, const uint8_t *from, const uint8_t *to, const uint8_t *p, size_t n)
{
    size_t a = f->ipv6 ? 16 : 4;
    uint8_t tail[4] = {0, protocol, (uint8_t)(n >> 8), (uint8_t)n};
    return (uint16_t)~octets_sum(p, n, octets_sum(tail, 4, octets_sum(to, a, octets_sum(from, a, 0))));
}

/* From the script's number to the stack's. */
static uint32_t stack_stamp(const struct drill_flow *f, uint32_t script)
{
    for (unsigned i = f->nstamps < DRILL_STAMPS ? f->nstamps : DRILL_STAMPS; i-- > 0;)
        if (f->stamp[i].script == script)
            return f->stamp[i].live;
    return script;
}

static uint8_t *put_option(uint8_t *p, const struct drill_option *o, const struct drill_flow *f)
{
    *p++ = o->kind;
    if (o->kind == OPTION_EOL || o->kind == OPTION_NOP)
        return p;
    uint8_t *length = p++;
    switch (o->kind) {
    case OPTION_MSS:
        p = o->n ? put16(p, o->value[0]) : p;
        break;
    case OPTION_WSCALE:
        if (o->n)
            *p++ = (uint8_t)o->value[0];
        break;
    case OPTION_SACK:                     /* of what the stack has sent */
        for (unsigned i = 0; i < o->n; i++)
            p = put32(p, o->value[i] + f->isn_offset);
        break;
    case OPTION_TS:
        p = o->n ? put32(put32(p, o->value[0]), o->value[1] ? stack_stamp(f, o->value[1]) : 0) : p;
        break;
    case OPTION_UTO:
        p = put16(p, o->value[0] | (o->value[1] ? 0x8000 : 0));
        break;
    case OPTION_ACCECN_0:
    case OPTION_ACCECN_1:
        for (unsigned i = 0; i < o->n; i++) {
            *p++ = (uint8_t)(o->value[i] >> 16);
            p = put16(p, o->value[i]);
        }
        break;
    default:
        break;
    }
    memcpy(p, o->raw, o->raw_bytes);
    p += o->raw_bytes;
    *length = (uint8_t)(p - length + 1);
    return p;
}

static size_t put_tcp(uint8_t *to, const struct drill_packet *w, struct drill_flow *f, char *error, size_t size)
{
    f->ended |= (w->flags & 5) != 0;
    uint8_t options[20 * 40], *p = options;
    for (unsigned i = 0; i < w->noptions; i++)
        p = put_option(p, &w->option[i], f);
    size_t n = (size_t)(p - options), padded = (n + 3) / 4 * 4;
    if (padded > 40) {
        snprintf(error, size, "these options take %zu bytes; a header has room for 40", padded);
        return 0;
    }
    memset(to, 0, 20 + padded + w->text);
    put16(put16(to, f->remote_port), f->local_port);
    put32(put32(to + 4, w->seq), w->has_ack ? w->ack + f->isn_offset : 0);
    to[12] = (uint8_t)((20 + padded) / 4 << 4 | (w->flags >> 8 & 1));
    to[13] = (uint8_t)w->flags;
    put16(put16(put16(to + 14, w->window), 0), w->urgent);
    memcpy(to + 20, options, n);          /* the rest is zero: EOL */
    size_t all = 20 + padded + w->text;
    put16(to + 16, transport_sum(f, DRILL_TCP, f->remote.b, f->local.b, to, all));
    return all;
}

static size_t put_udp(uint8_t *to, const struct drill_packet *w, const struct drill_flow *f)
{
    size_t all = 8 + w->text;
    memset(to, 0, all);
    put16(put16(put16(to, f->remote_port), f->local_port), (uint32_t)all);
    uint16_t s = transport_sum(f, DRILL_UDP, f->remote.b, f->local.b, to, all);
    put16(to + 6, s ? s : 0xffff);
    return all;
}

/* ------------------------------------------------------------------ ICMP ------------------------------------------------------------------ */

struct name {
    const char *name;
    int number;
};

static bool number_of(const struct name *names, size_t n, const char *word, int *out)
{
    if (word && word[0] >= '0' && word[0] <= '9')
        return sscanf(word, "%i", out) == 1 && *out >= 0 && *out <= 255;
    for (size_t i = 0; word && i < n; i++)
        if (strcmp(names[i].name, word) == 0) {
            *out = names[i].number;
            return true;
        }
    return false;
}

static const struct name types4[] = {{"echo_reply", 0}, {"unreachable", 3}, {"source_quench", 4}, {"redirect", 5}, {"echo_request", 8}, {"time_exceeded", 11},
                                     {"parameter_problem", 12}};
static const struct name codes4[] = {{"net_unreachable", 0}, {"host_unreachable", 1}, {"protocol_unreachable", 2}, {"port_unreachable", 3}, {"frag_needed", 4},
                                     {"source_route_failed", 5}, {"net_unreachable_for_tos", 11}, {"host_unreachable_for_tos", 12}, {"admin_prohibited", 13},
                                     {"host_precedence", 14}, {"precedence_cutoff", 15}, {"exceeded_ttl", 0}, {"exceeded_frag", 1}};
static const struct name types6[] = {{"unreachable", 1}, {"packet_too_big", 2}, {"time_exceeded", 3}, {"parameter_problem", 4}, {"echo_request", 128}, {"echo_reply", 129}};
static const struct name codes6[] = {{"no_route", 0}, {"net_unreachable", 0}, {"admin_prohibited", 1}, {"out_of_scope", 2}, {"host_unreachable", 3},
                                     {"address_unreachable", 3}, {"port_unreachable", 4}, {"exceeded_ttl", 0}, {"exceeded_frag", 1}};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool icmp_numbers(const struct drill_packet *w, bool ipv6, int *type, int *code, char *error, size_t size)
{
    *code = 0;
    if (!number_of(ipv6 ? types6 : types4, ipv6 ? COUNT(types6) : COUNT(types4), w->icmp_type, type)) {
        snprintf(error, size, "%s has no message \"%s\"", ipv6 ? "ICMPv6" : "ICMP", w->icmp_type);
        return false;
    }
    if (w->icmp_code && !number_of(ipv6 ? codes6 : codes4, ipv6 ? COUNT(codes6) : COUNT(codes4), w->icmp_code, code)) {
        snprintf(error, size, "%s has no code \"%s\"", ipv6 ? "ICMPv6" : "ICMP", w->icmp_code);
        return false;
    }
    return true;
}

static uint8_t *put_ip(uint8_t *p, const struct drill_flow *f, bool out, uint8_t protocol, size_t payload, uint8_t tos, uint8_t ttl, uint32_t label, uint16_t id);

/* The packet of the stack that an error quotes: its header and the first 8 bytes of what follows. */
static uint8_t *put_quote(uint8_t *p, const struct drill_packet *w, const struct drill_flow *f)
{
    uint8_t protocol = w->quoted_protocol;
    size_t payload = (protocol == DRILL_UDP ? 8 : 20) + w->text;
    p = put_ip(p, f, true, protocol, payload, 0, 64, 0, 1);
    p = put16(put16(p, f->local_port), f->remote_port);
    return protocol == DRILL_UDP ? put32(p, (uint32_t)payload << 16) : put32(p, w->seq + f->isn_offset);
}

static size_t put_icmp(uint8_t *to, const struct drill_packet *w, const struct drill_flow *f, char *error, size_t size)
{
    int type, code;
    if (!icmp_numbers(w, f->ipv6, &type, &code, error, size))
        return 0;
    uint8_t *p = to;
    *p++ = (uint8_t)type;
    *p++ = (uint8_t)code;
    p = put16(p, 0);
    p = put32(p, w->mtu >= 0 ? (uint32_t)w->mtu : w->echo_id >= 0 ? (uint32_t)w->echo_id << 16 : 0);
    if (w->quoted_protocol)
        p = put_quote(p, w, f);
    size_t n = (size_t)(p - to);
    put16(to + 2, f->ipv6 ? transport_sum(f, 58, f->remote.b, f->local.b, to, n) : (uint16_t)~octets_sum(to, n, 0));
    return n;
}

/* ------------------------------------------------------------------ IP ------------------------------------------------------------------ */

static uint8_t *put_ip(uint8_t *p, const struct drill_flow *f, bool out, uint8_t protocol, size_t payload, uint8_t tos, uint8_t ttl, uint32_t label, uint16_t id)
{
    const uint8_t *from = out ? f->local.b : f->remote.b, *to = out ? f->remote.b : f->local.b;
    uint8_t *start = p;
    if (f->ipv6) {
        p = put32(p, 6u << 28 | (uint32_t)tos << 20 | label);
        p = put16(p, (uint32_t)payload);
        *p++ = protocol;
        *p++ = ttl;
        memcpy(p, from, 16);
        memcpy(p + 16, to, 16);
        return p + 32;
    }
    *p++ = 0x45;
    *p++ = tos;
    p = put16(p, (uint32_t)payload + 20);
    p = put16(put16(p, id), 0x4000);      /* not to be cut */
    *p++ = ttl;
    *p++ = protocol;
    p = put16(p, 0);
    memcpy(p, from, 4);
    memcpy(p + 4, to, 4);
    put16(start + 10, (uint16_t)~octets_sum(start, 20, 0));
    return p + 8;
}

size_t drill_packet_build(const struct drill_packet *w, struct drill_flow *f, uint8_t out[DRILL_PACKET_BYTES], char *error, size_t size)
{
    size_t header = f->ipv6 ? 40 : 20, n;
    uint8_t protocol = w->protocol == DRILL_ICMP && f->ipv6 ? 58 : w->protocol;
    if (w->protocol == DRILL_TCP)
        n = put_tcp(out + header, w, f, error, size);
    else if (w->protocol == DRILL_UDP)
        n = put_udp(out + header, w, f);
    else
        n = put_icmp(out + header, w, f, error, size);
    if (n == 0)
        return 0;
    if (n + (f->ipv6 ? 0 : 20) > 65535) {
        snprintf(error, size, "a packet of %zu bytes is longer than IP allows", n + header);
        return 0;
    }
    uint8_t tos = (uint8_t)((w->tos >= 0 ? w->tos : 0) | (w->ecn >= 0 ? w->ecn : 0));
    put_ip(out, f, false, protocol, n, tos, (uint8_t)(w->ttl >= 0 ? w->ttl : 64), w->flow_label >= 0 ? (uint32_t)w->flow_label : 0, f->ip_id++);
    return header + n;
}
