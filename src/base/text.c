/* SPDX-License-Identifier: MIT
 *
 * text.c: numbers, addresses (RFC 4291 2.2, RFC 5952) and durations as text, and addresses back from text.
 */
#include "base/text.h"
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void text_char(struct text *t, char c)
{
    if (t->len + 1 >= t->cap)
        return;
    t->at[t->len++] = c;
    t->at[t->len] = 0;
}

void text_put(struct text *t, const char *s)
{
    while (*s)
        text_char(t, *s++);
}

void text_u64(struct text *t, uint64_t v)
{
    char digits[20];
    unsigned n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        text_char(t, digits[--n]);
}

void text_i64(struct text *t, int64_t v)
{
    if (v < 0)
        text_char(t, '-');
    text_u64(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void text_hex(struct text *t, uint64_t v, unsigned digits)
{
    while (digits--)
        text_char(t, digits < 16 ? hex_digits[v >> (4 * digits) & 15] : '0');
}

static bool is_mapped(const uint8_t b[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(b, prefix, sizeof prefix) == 0;
}

/* RFC 5952 4.2: the longest run of two or more zero groups is what "::" stands for, the first of several. */
static unsigned longest_zero_run(const uint16_t group[8], unsigned *start)
{
    unsigned best = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned run = 0;
        while (i + run < 8 && group[i + run] == 0)
            run++;
        if (run > best)
            best = run, *start = i;
        if (run)
            i += run - 1;
    }
    return best >= 2 ? best : 0;
}

static void put_group(struct text *t, uint16_t v)
{
    text_hex(t, v, v > 0xfff ? 4 : v > 0xff ? 3 : v > 0xf ? 2 : 1);   /* RFC 5952 4.1: no leading zeros */
}

static void put_ip6(struct text *t, const uint8_t b[16])
{
    uint16_t group[8];
    for (unsigned i = 0; i < 8; i++)
        group[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
    unsigned start = 8, run = longest_zero_run(group, &start);
    for (unsigned i = 0; i < 8; i++) {
        if (run && i == start) {
            text_put(t, "::");
            i += run - 1;
            continue;
        }
        if (i && !(run && i == start + run))
            text_char(t, ':');
        put_group(t, group[i]);
    }
}

void text_addr(struct text *t, const struct pl_addr *a)
{
    if (is_mapped(a->b)) {
        for (unsigned i = 12; i < 16; i++) {
            if (i > 12)
                text_char(t, '.');
            text_u64(t, a->b[i]);
        }
    } else {
        put_ip6(t, a->b);
    }
    if (a->zone) {
        text_char(t, '%');
        text_u64(t, a->zone);
    }
}

void text_endpoint(struct text *t, const struct pl_endpoint *e)
{
    bool brackets = !is_mapped(e->addr.b);
    if (brackets)
        text_char(t, '[');
    text_addr(t, &e->addr);
    text_put(t, brackets ? "]:" : ":");
    text_u64(t, e->port);
}

void text_duration(struct text *t, pl_time d)
{
    static const struct {
        pl_time unit;
        char name[4];
    } units[] = {{PL_S, "s"}, {PL_MS, "ms"}, {PL_US, "us"}, {1, "ns"}};
    if (d == PL_NEVER) {
        text_put(t, "never");
        return;
    }
    unsigned i = 0;
    while (d < units[i].unit && i < 3)
        i++;
    if (d == 0)
        i = 1;                            /* "0 ms" */
    text_u64(t, d / units[i].unit);
    /* At most three decimals, cut and not rounded: what is printed has passed. */
    uint64_t thousandths = i < 3 ? d % units[i].unit / (units[i].unit / 1000) : 0;
    if (thousandths) {
        text_char(t, '.');
        for (uint64_t power = 100; thousandths; power /= 10) {
            text_char(t, (char)('0' + thousandths / power));
            thousandths %= power;
        }
    }
    text_char(t, ' ');
    text_put(t, units[i].name);
}

/* A run of characters that is being read. */
struct chars {
    const char *p, *end;
};

static bool eat(struct chars *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted)
        return false;
    c->p++;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A decimal number up to `max`; no leading zeros, which some read as octal. */
static bool read_decimal(struct chars *c, uint32_t max, uint32_t *out)
{
    const char *start = c->p;
    uint64_t v = 0;
    while (c->p < c->end && *c->p >= '0' && *c->p <= '9' && v <= max)
        v = v * 10 + (uint64_t)(*c->p++ - '0');
    if (c->p == start || v > max || (*start == '0' && c->p - start > 1))
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool read_ip4(struct chars *c, uint8_t four[4])
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t v;
        if ((i && !eat(c, '.')) || !read_decimal(c, 255, &v))
            return false;
        four[i] = (uint8_t)v;
    }
    return true;
}

static bool read_group(struct chars *c, uint8_t two[2])
{
    unsigned v = 0, n = 0;
    for (int h; n < 4 && c->p < c->end && (h = hex_value(*c->p)) >= 0; n++, c->p++)
        v = v << 4 | (unsigned)h;
    two[0] = (uint8_t)(v >> 8), two[1] = (uint8_t)v;
    return n > 0;
}

/* RFC 4291 2.2, forms 1 to 3: groups, at most one "::", and dotted decimal for the last two groups. */
static bool read_ip6(struct chars *c, uint8_t b[16])
{
    unsigned n = 0, gap = 17;             /* bytes read; where "::" stood */
    if (c->end - c->p >= 2 && c->p[0] == ':' && c->p[1] == ':')
        c->p += 2, gap = 0;
    while (n < 16 && c->p < c->end && *c->p != '%') {
        struct chars mark = *c;
        if (n <= 12 && read_ip4(c, b + n)) {
            n += 4;
            break;
        }
        *c = mark;
        if (!read_group(c, b + n))
            return false;
        n += 2;
        if (n == 16 || c->p == c->end || *c->p == '%')
            break;
        if (!eat(c, ':'))
            return false;
        if (gap > 16 && eat(c, ':'))
            gap = n;
        else if (c->p == c->end || *c->p == '%')
            return false;                 /* a single colon at the end */
    }
    if (gap > 16)
        return n == 16;
    if (n > 14)
        return false;                     /* "::" stands for at least one group */
    memmove(b + 16 - (n - gap), b + gap, n - gap);
    memset(b + gap, 0, 16 - n);
    return true;
}

bool text_parse_addr(const char *s, size_t n, struct pl_addr *out)
{
    struct chars c = {s, s + n};
    struct pl_addr a = {.zone = 0};
    uint8_t four[4];
    if (read_ip4(&c, four) && c.p == c.end) {
        a.b[10] = a.b[11] = 0xff;
        memcpy(a.b + 12, four, 4);
        *out = a;
        return true;
    }
    c.p = s;
    if (!read_ip6(&c, a.b))
        return false;
    if (eat(&c, '%') && !read_decimal(&c, UINT32_MAX, &a.zone))
        return false;
    if (c.p != c.end)
        return false;
    *out = a;
    return true;
}
