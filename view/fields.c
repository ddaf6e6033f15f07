/* SPDX-License-Identifier: MIT
 *
 * fields.c: every field of every header that we speak: where it stands in the frame, how long it is, its name as in its RFC, its value.
 * view_decode has established that the header is there in full.
 */
#include "view/layers_private.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct reader {
    FILE *out;
    const struct view_frame *v;
    const uint8_t *frame;
    size_t at;                            /* of the header in the frame */
};

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* One line. `size`: "2", "4 bits". offset: within the header. */
static void field(const struct reader *r, size_t offset, const char *size, const char *name, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void field(const struct reader *r, size_t offset, const char *size, const char *name, const char *format, ...)
{
    va_list args;
    fprintf(r->out, "      %4zu  %-7s %-22s ", r->at + offset, size, name);
    va_start(args, format);
    vfprintf(r->out, format, args);
    va_end(args);
    fputc('\n', r->out);
}

static const char *mac(const uint8_t *p, char *buf, size_t size)
{
    snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
    return buf;
}

static const char *ip4(const uint8_t *p, char *buf, size_t size)
{
    snprintf(buf, size, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
    return buf;
}

static const char *ip6(const uint8_t *p, char *buf, size_t size)
{
    struct pl_addr a = {.zone = 0};
    memcpy(a.b, p, 16);
    return view_addr(&a, buf, size);
}

static const char *protocol_name(unsigned protocol)
{
    switch (protocol) {
    case 1: return "ICMP";
    case 6: return "TCP";
    case 17: return "UDP";
    case 58: return "ICMPv6";
    default: return "another";
    }
}

static const char *type_name(unsigned type)
{
    return type == 0x0800 ? "IPv4" : type == 0x0806 ? "ARP" : type == 0x86dd ? "IPv6" : "another protocol";
}

/* ---------------------------------------- checksums: RFC 1071 ---------------------------------------- */

static uint32_t sum(uint32_t s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        s = (s & 0xffff) + (s >> 16) + get16(p + i);
    if (n % 2) s += (uint32_t)p[n - 1] << 8;
    return s;
}

static bool sum_is_right(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s == 0xffff;
}

/* Of a transport header with its text, over the pseudo-header of the address family (RFC 9293 3.1, RFC 8200 8.1). */
static const char *transport_sum(const struct reader *r, unsigned protocol, bool pseudo_header)
{
    const struct view_part *ip = view_find(r->v, VIEW_IP6), *payload = view_find(r->v, VIEW_PAYLOAD);
    const struct view_part *last = payload ? payload : &r->v->part[r->v->parts - 1];
    if (!payload && last->layer == VIEW_PADDING) last--;
    size_t end = last->at + last->len, n = end - r->at;
    uint32_t s = pseudo_header ? protocol + (uint32_t)n : 0;
    if (pseudo_header && ip) {
        s = sum(s, r->frame + ip->at + 8, 32);
    } else if (pseudo_header) {
        ip = view_find(r->v, VIEW_IP4);
        if (!ip) return "";
        s = sum(s, r->frame + ip->at + 12, 8);
    }
    return sum_is_right(sum(s, r->frame + r->at, n)) ? "right" : "WRONG";
}

/* ---------------------------------------- the headers ---------------------------------------- */

static void fields_ethernet(const struct reader *r, const uint8_t *p)
{
    char a[32];
    field(r, 0, "6", "destination", "%s", mac(p, a, sizeof a));
    field(r, 6, "6", "source", "%s", mac(p + 6, a, sizeof a));
    field(r, 12, "2", "type", "0x%04x: %s", get16(p + 12), type_name(get16(p + 12)));
}

static void fields_arp(const struct reader *r, const uint8_t *p)
{
    char a[32];
    unsigned op = get16(p + 6);
    field(r, 0, "2", "hardware", "%u%s", get16(p), get16(p) == 1 ? ": Ethernet" : "");
    field(r, 2, "2", "protocol", "0x%04x: %s", get16(p + 2), type_name(get16(p + 2)));
    field(r, 4, "1", "hardware length", "%u", p[4]);
    field(r, 5, "1", "protocol length", "%u", p[5]);
    field(r, 6, "2", "opcode", "%u: %s", op, op == 1 ? "who has the target address?" : op == 2 ? "the sender has it" : "another");
    field(r, 8, "6", "sender hardware", "%s", mac(p + 8, a, sizeof a));
    field(r, 14, "4", "sender protocol", "%s", ip4(p + 14, a, sizeof a));
    field(r, 18, "6", "target hardware", "%s", mac(p + 18, a, sizeof a));
    field(r, 24, "4", "target protocol", "%s", ip4(p + 24, a, sizeof a));
}

static void fields_ip4(const struct reader *r, const uint8_t *p, size_t len)
{
    char a[32];
    field(r, 0, "4 bits", "version", "%u", p[0] >> 4);
    field(r, 0, "4 bits", "header length", "%u words: %zu bytes", p[0] & 15, len);
    field(r, 1, "6 bits", "DSCP", "%u", p[1] >> 2);
    field(r, 1, "2 bits", "ECN", "%u", p[1] & 3);
    field(r, 2, "2", "total length", "%u", get16(p + 2));
    field(r, 4, "2", "identification", "0x%04x", get16(p + 4));
    field(r, 6, "3 bits", "flags", "%s%s%s", p[6] & 0x40 ? "DF: not to be fragmented" : "may be fragmented",
          p[6] & 0x20 ? ", MF: more follow" : "", p[6] & 0x80 ? ", reserved bit" : "");
    field(r, 6, "13 bits", "fragment offset", "%u", (get16(p + 6) & 0x1fff) * 8);
    field(r, 8, "1", "time to live", "%u", p[8]);
    field(r, 9, "1", "protocol", "%u: %s", p[9], protocol_name(p[9]));
    field(r, 10, "2", "header checksum", "0x%04x: %s", get16(p + 10), sum_is_right(sum(0, p, len)) ? "right" : "WRONG");
    field(r, 12, "4", "source address", "%s", ip4(p + 12, a, sizeof a));
    field(r, 16, "4", "destination address", "%s", ip4(p + 16, a, sizeof a));
    if (len > 20) field(r, 20, "", "options", "%zu bytes", len - 20);
}

static void fields_ip6(const struct reader *r, const uint8_t *p)
{
    char a[80];
    unsigned class = (p[0] & 15u) << 4 | p[1] >> 4;
    field(r, 0, "4 bits", "version", "%u", p[0] >> 4);
    field(r, 0, "8 bits", "traffic class", "DSCP %u, ECN %u", class >> 2, class & 3);
    field(r, 1, "20 bits", "flow label", "0x%05" PRIx32, get32(p) & 0xfffff);
    field(r, 4, "2", "payload length", "%u", get16(p + 4));
    field(r, 6, "1", "next header", "%u: %s", p[6], protocol_name(p[6]));
    field(r, 7, "1", "hop limit", "%u", p[7]);
    field(r, 8, "16", "source address", "%s", ip6(p + 8, a, sizeof a));
    field(r, 24, "16", "destination address", "%s", ip6(p + 24, a, sizeof a));
}

static void option_text(const uint8_t *o, unsigned len, char *buf, size_t size)
{
    if (o[0] == 0) snprintf(buf, size, "end of the options");
    else if (o[0] == 1) snprintf(buf, size, "no operation: padding");
    else if (o[0] == 2 && len == 4) snprintf(buf, size, "maximum segment size: %u", get16(o + 2));
    else if (o[0] == 3 && len == 3) snprintf(buf, size, "window scale: %u (windows count %lu bytes)", o[2], 1ul << (o[2] < 15 ? o[2] : 14));
    else if (o[0] == 4 && len == 2) snprintf(buf, size, "selective acknowledgement permitted");
    else if (o[0] == 8 && len == 10) snprintf(buf, size, "timestamps: mine %" PRIu32 ", your last %" PRIu32, get32(o + 2), get32(o + 6));
    else if (o[0] == 5 && len >= 10) {
        size_t n = (size_t)snprintf(buf, size, "selective acknowledgement:");
        for (unsigned i = 2; i + 8 <= len && n < size; i += 8)
            n += (size_t)snprintf(buf + n, size - n, " %" PRIu32 "-%" PRIu32, get32(o + i), get32(o + i + 4));
    } else snprintf(buf, size, "kind %u", o[0]);
}

static void fields_tcp_options(const struct reader *r, const uint8_t *p, size_t len)
{
    char text[160], size[24];
    for (size_t i = 20; i < len;) {
        size_t n = p[i] <= 1 ? 1 : i + 1 < len ? p[i + 1] : 0;
        if (p[i] == 0) n = len - i;                    /* what follows the end is padding */
        if (n == 0 || (p[i] > 1 && n < 2) || i + n > len) {
            field(r, i, "", "option", "malformed");
            return;
        }
        option_text(p + i, (unsigned)n, text, sizeof text);
        snprintf(size, sizeof size, "%zu", n);
        field(r, i, size, "option", "%s", text);
        i += n;
    }
}

static void fields_tcp(const struct reader *r, const uint8_t *p, size_t len)
{
    char flags[40];
    field(r, 0, "2", "source port", "%u", get16(p));
    field(r, 2, "2", "destination port", "%u", get16(p + 2));
    field(r, 4, "4", "sequence number", "%" PRIu32, get32(p + 4));
    field(r, 8, "4", "acknowledgment number", "%" PRIu32 "%s", get32(p + 8), p[13] & PL_ACK ? "" : " (not valid: no ACK flag)");
    field(r, 12, "4 bits", "data offset", "%u words: %zu bytes", p[12] >> 4, len);
    field(r, 12, "4 bits", "reserved", "%u", p[12] & 15);
    field(r, 13, "1", "control bits", "%s", view_flags(p[13], flags, sizeof flags));
    field(r, 14, "2", "window", "%u", get16(p + 14));
    field(r, 16, "2", "checksum", "0x%04x: %s", get16(p + 16), transport_sum(r, 6, true));
    field(r, 18, "2", "urgent pointer", "%u%s", get16(p + 18), p[13] & PL_URG ? "" : " (not valid: no URG flag)");
    fields_tcp_options(r, p, len);
}

static void fields_udp(const struct reader *r, const uint8_t *p)
{
    field(r, 0, "2", "source port", "%u", get16(p));
    field(r, 2, "2", "destination port", "%u", get16(p + 2));
    field(r, 4, "2", "length", "%u", get16(p + 4));
    field(r, 6, "2", "checksum", "0x%04x: %s", get16(p + 6), get16(p + 6) ? transport_sum(r, 17, true) : "none");
}

static const char *icmp_name(unsigned type, bool six)
{
    if (!six)
        return type == 8    ? "echo request"
               : type == 0  ? "echo reply"
               : type == 3  ? "destination unreachable"
               : type == 11 ? "time exceeded"
               : type == 12 ? "parameter problem"
                            : "another";
    switch (type) {
    case 1: return "destination unreachable";
    case 2: return "packet too big";
    case 3: return "time exceeded";
    case 4: return "parameter problem";
    case 128: return "echo request";
    case 129: return "echo reply";
    case 135: return "neighbour solicitation";
    case 136: return "neighbour advertisement";
    default: return "another";
    }
}

static void fields_icmp(const struct reader *r, const uint8_t *p, bool six)
{
    bool echo = six ? p[0] == 128 || p[0] == 129 : p[0] == 8 || p[0] == 0;
    field(r, 0, "1", "type", "%u: %s", p[0], icmp_name(p[0], six));
    field(r, 1, "1", "code", "%u", p[1]);
    field(r, 2, "2", "checksum", "0x%04x: %s", get16(p + 2), transport_sum(r, 58, six));
    if (echo) {
        field(r, 4, "2", "identifier", "%u", get16(p + 4));
        field(r, 6, "2", "sequence number", "%u", get16(p + 6));
    } else if (six && p[0] == 2) {
        field(r, 4, "4", "MTU", "%" PRIu32, get32(p + 4));
    } else if (!six && p[0] == 3 && p[1] == 4) {
        field(r, 6, "2", "next-hop MTU", "%u", get16(p + 6));
    } else {
        field(r, 4, "4", "depends on the type", "0x%08" PRIx32, get32(p + 4));
    }
}

void fields_print(FILE *out, const struct view_frame *v, const struct view_part *part, const uint8_t *frame)
{
    struct reader r = {out, v, frame, part->at};
    const uint8_t *p = frame + part->at;
    switch (part->layer) {
    case VIEW_ETHERNET: fields_ethernet(&r, p); break;
    case VIEW_ARP: fields_arp(&r, p); break;
    case VIEW_IP4: fields_ip4(&r, p, part->len); break;
    case VIEW_IP6: fields_ip6(&r, p); break;
    case VIEW_TCP: fields_tcp(&r, p, part->len); break;
    case VIEW_UDP: fields_udp(&r, p); break;
    case VIEW_ICMP4: fields_icmp(&r, p, false); break;
    case VIEW_ICMP6: fields_icmp(&r, p, true); break;
    default: break;
    }
}
