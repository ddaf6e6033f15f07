/* SPDX-License-Identifier: MIT
 *
 * header.c: see header.h.
 */
#include "sim/header.h"

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* The whole IP header; NULL if there is none. *len: the bytes of the frame from there on. */
static const uint8_t *find_ip(const struct packet *p, bool ethernet, size_t *len)
{
    const uint8_t *b = p->bytes;
    size_t n = p->len;
    if (ethernet) {
        if (n < 14) return NULL;
        b += 14, n -= 14;
    }
    *len = n;
    if (n < 20) return NULL;
    if (b[0] >> 4 == 4) return (b[0] & 15) >= 5 && (size_t)(b[0] & 15) * 4 <= n ? b : NULL;
    return b[0] >> 4 == 6 && n >= 40 ? b : NULL;
}

static uint8_t *writable(struct packet *p, const uint8_t *at)
{
    return p->bytes + (at - p->bytes);
}

/* RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m') */
uint16_t header_sum_fix(uint16_t sum, uint16_t before, uint16_t after)
{
    uint32_t s = (uint32_t)(uint16_t)~sum + (uint16_t)~before + after;
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

int header_ecn(const struct packet *p, bool ethernet)
{
    size_t len;
    const uint8_t *ip = find_ip(p, ethernet, &len);
    if (!ip) return -1;
    return ip[0] >> 4 == 4 ? ip[1] & 3 : ip[1] >> 4 & 3;
}

static void set_ecn(struct packet *p, bool ethernet, unsigned ecn)
{
    size_t len;
    uint8_t *ip = writable(p, find_ip(p, ethernet, &len));
    if (ip[0] >> 4 == 6) {
        ip[1] = (uint8_t)((ip[1] & 0xcf) | ecn << 4);
        return;
    }
    uint16_t before = (uint16_t)get16(ip);
    ip[1] = (uint8_t)((ip[1] & 0xfc) | ecn);
    put16(ip + 10, header_sum_fix((uint16_t)get16(ip + 10), before, (uint16_t)get16(ip)));
}

bool header_mark(struct packet *p, bool ethernet)
{
    if (header_ecn(p, ethernet) <= HEADER_NOT_ECT) return false;
    set_ecn(p, ethernet, HEADER_CE);
    return true;
}

bool header_bleach(struct packet *p, bool ethernet)
{
    if (header_ecn(p, ethernet) <= HEADER_NOT_ECT) return false;
    set_ecn(p, ethernet, HEADER_NOT_ECT);
    return true;
}

const uint8_t *header_tcp(const struct packet *p, bool ethernet, size_t *len)
{
    size_t n, header, total;
    const uint8_t *b = find_ip(p, ethernet, &n);
    if (!b) return NULL;
    if (b[0] >> 4 == 4) {
        header = (size_t)(b[0] & 15) * 4;
        total = get16(b + 2);
        if (b[9] != 6 || total < header) return NULL;
    } else {
        header = 40;
        if (b[6] != 6) return NULL;
        total = 40 + get16(b + 4);
    }
    if (total > n || total - header < 20) return NULL;
    *len = total - header;
    return b + header;
}

bool header_is_icmp(const struct packet *p, bool ethernet)
{
    size_t n;
    const uint8_t *b = find_ip(p, ethernet, &n);
    if (!b) return false;
    if (b[0] >> 4 == 4) return b[9] == 1;
    return b[6] == 58 && n > 40 && (b[40] < 133 || b[40] > 137);
}

static unsigned option_bit(uint8_t kind)
{
    switch (kind) {
    case 2: return HEADER_MSS;
    case 3: return HEADER_WSCALE;
    case 4: return HEADER_SACK_OK;
    case 5: return HEADER_SACK;
    case 8: return HEADER_TIMESTAMPS;
    case 28: return HEADER_USER_TIMEOUT;
    default: return HEADER_OTHER;
    }
}

/* Overwrites the option, and keeps the checksum right word by word. A sum that the device is to finish does not cover the options yet. */
static void overwrite(struct packet *p, uint8_t *tcp, size_t at, size_t n)
{
    for (; n; n--, at++) {
        uint8_t *word = tcp + (at & ~(size_t)1);
        uint16_t before = (uint16_t)get16(word);
        tcp[at] = 1;
        if (!(p->flags & PL_F_CSUM_PARTIAL)) put16(tcp + 16, header_sum_fix((uint16_t)get16(tcp + 16), before, (uint16_t)get16(word)));
    }
}

bool header_strip(struct packet *p, bool ethernet, unsigned options)
{
    size_t len;
    const uint8_t *found = header_tcp(p, ethernet, &len);
    if (!found) return false;
    uint8_t *tcp = writable(p, found);
    size_t end = (size_t)(tcp[12] >> 4) * 4;
    bool any = false;
    if (end > len) return false;
    for (size_t at = 20; at < end && tcp[at] != 0;) {
        size_t n = tcp[at] == 1 ? 1 : at + 1 < end ? tcp[at + 1] : 0;
        if (n == 0 || (n == 1 && tcp[at] != 1) || at + n > end) break;
        if (tcp[at] != 1 && options & option_bit(tcp[at])) {
            overwrite(p, tcp, at, n);
            any = true;
        }
        at += n;
    }
    return any;
}
