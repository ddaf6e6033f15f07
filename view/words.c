/* SPDX-License-Identifier: MIT
 *
 * words.c: the small pieces of text that all views share. Declared in decode.h.
 */
#include "view/decode.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *view_flags(uint8_t flags, char *buf, size_t size)
{
    static const struct { uint8_t bit; char name[4]; } order[] = {
        {PL_SYN, "SYN"}, {PL_FIN, "FIN"}, {PL_RST, "RST"}, {PL_PSH, "PSH"},
        {PL_URG, "URG"}, {PL_ECE, "ECE"}, {PL_CWR, "CWR"}, {PL_ACK, "ACK"},
    };
    size_t n = 0;
    snprintf(buf, size, "-");
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (flags & order[i].bit && n < size) n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "," : "", order[i].name);
    return buf;
}

const char *view_options(const struct pl_trace_segment *s, char *buf, size_t size)
{
    char part[6][100] = {""};
    size_t n = 0;
    if (s->opts & 1) snprintf(part[0], sizeof part[0], "mss=%u", s->mss);
    if (s->opts & 2) snprintf(part[1], sizeof part[1], "wscale=%u", s->wscale);
    if (s->opts & 4) snprintf(part[2], sizeof part[2], "sackOK");
    if (s->opts & 8) snprintf(part[3], sizeof part[3], "ts=%" PRIu32 "/%" PRIu32, s->ts_val, s->ts_ecr);
    if (s->opts & 16) {
        size_t m = (size_t)snprintf(part[4], sizeof part[4], "sack=");
        for (unsigned i = 0; i < s->nsack && i < 4; i++)
            m += (size_t)snprintf(part[4] + m, sizeof part[4] - m, "%s%" PRIu32 "-%" PRIu32, i ? "," : "", s->sack[2 * i],
                                  s->sack[2 * i + 1]);
    }
    if (s->opts & 32) snprintf(part[5], sizeof part[5], "uto=%" PRIu32 "s", s->user_timeout_s);
    if (size) buf[0] = 0;
    for (unsigned i = 0; i < 6; i++)
        if (part[i][0] && n < size) n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", part[i]);
    return buf;
}

const char *view_time(pl_time t, char *buf, size_t size)
{
    snprintf(buf, size, "%" PRIu64 ".%06" PRIu64, t / PL_S, t % PL_S / 1000);
    return buf;
}

const char *view_duration(pl_time t, char *buf, size_t size)
{
    static const struct { pl_time one; const char *name; } unit[] = {{PL_S, "s"}, {PL_MS, "ms"}, {PL_US, "us"}, {1, "ns"}};
    unsigned u = 0;
    while (u < 3 && t < unit[u].one)
        u++;
    uint64_t whole = t / unit[u].one, milli = t % unit[u].one * 1000 / unit[u].one;
    char digits[8] = "";
    if (milli) {
        snprintf(digits, sizeof digits, ".%03u", (unsigned)milli);
        for (size_t n = strlen(digits); digits[n - 1] == '0'; n--)
            digits[n - 1] = 0;
    }
    snprintf(buf, size, "%" PRIu64 "%s %s", whole, digits, unit[u].name);
    return buf;
}

/* RFC 5952 4.2.3: the longest run of zero groups, two at least, the first of equals. Its start; 8: none. */
static unsigned longest_zeros(const unsigned group[8], unsigned *length)
{
    unsigned best = 8;
    *length = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        while (i + n < 8 && !group[i + n])
            n++;
        if (n > *length) best = i, *length = n;
        i += n;
    }
    return best;
}

const char *view_addr(const struct pl_addr *a, char *buf, size_t size)
{
    static const uint8_t mapped[12] = {[10] = 0xff, 0xff};
    unsigned group[8], zeros, length;
    char text[80];
    size_t n = 0;
    if (!memcmp(a->b, mapped, sizeof mapped)) {
        snprintf(buf, size, "%u.%u.%u.%u", a->b[12], a->b[13], a->b[14], a->b[15]);
        return buf;
    }
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)a->b[2 * i] << 8 | a->b[2 * i + 1];
    zeros = longest_zeros(group, &length);
    for (unsigned i = 0; i < 8;) {
        if (i == zeros) {
            n += (size_t)snprintf(text + n, sizeof text - n, "::");
            i += length;
            continue;
        }
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%x", i && i != zeros + length ? ":" : "", group[i]);
        i++;
    }
    if (a->zone) snprintf(text + n, sizeof text - n, "%%%" PRIu32, a->zone);
    snprintf(buf, size, "%s", text);
    return buf;
}

const char *view_endpoint(const struct pl_endpoint *e, char *buf, size_t size)
{
    char text[80];
    view_addr(&e->addr, text, sizeof text);
    if (!e->port) snprintf(buf, size, "%s", text);
    else snprintf(buf, size, strchr(text, ':') ? "[%s]:%u" : "%s:%u", text, e->port);
    return buf;
}

const char *view_protocol(uint8_t protocol)
{
    switch (protocol) {
    case 0: return "ARP";
    case 1: return "ICMP";
    case 6: return "TCP";
    case 17: return "UDP";
    case 58: return "ICMPv6";
    default: return "IP";
    }
}
