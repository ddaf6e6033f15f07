/* SPDX-License-Identifier: MIT
 *
 * make_packet.c: see make_packet.h.
 */
#include "support/make_packet.h"

#include <string.h>

uint32_t slow_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}
static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static uint32_t pseudo_sum(const uint8_t *from, const uint8_t *to, size_t address_bytes, uint8_t protocol, size_t n)
{
    uint8_t tail[8] = {0};
    put32(tail, (uint32_t)n);
    tail[7] = protocol;
    uint32_t sum = slow_sum(from, address_bytes, 0);
    sum = slow_sum(to, address_bytes, sum);
    return slow_sum(tail, 8, sum);
}

static size_t make_transport(const struct made *m, uint8_t *p, size_t *sum_at)
{
    size_t header = 0;
    *sum_at = 2;                          /* ICMP */
    if (m->protocol == 6 || m->protocol == 17) {
        put16(p, m->sport);
        put16(p + 2, m->dport);
    }
    if (m->protocol == 6) {
        header = 20 + m->options_bytes;
        put32(p + 4, m->seq);
        put32(p + 8, m->ack);
        p[12] = (uint8_t)(header / 4 << 4);
        p[13] = m->flags;
        put16(p + 14, m->window);
        memcpy(p + 20, m->options, m->options_bytes);
        *sum_at = 16;
    } else if (m->protocol == 17) {
        header = 8;
        put16(p + 4, 8 + m->payload_bytes);
        *sum_at = 6;
    }
    if (m->payload_bytes) memcpy(p + header, m->payload, m->payload_bytes);
    return header + m->payload_bytes;
}

size_t make_packet(const struct made *m, uint8_t *to, size_t *l4)
{
    static const uint8_t zero[16], mac_a[6] = {2, 0, 0, 0, 0, 1}, mac_b[6] = {2, 0, 0, 0, 0, 2};
    static const uint8_t a4[4] = {10, 9, 0, 1}, b4[4] = {10, 9, 0, 2}, a6[16] = {0xfd, 9, [15] = 1}, b6[16] = {0xfd, 9, [15] = 2};
    bool default_addrs = memcmp(m->from, zero, 16) == 0 && memcmp(m->to, zero, 16) == 0;
    const uint8_t *from = default_addrs ? (m->version == 4 ? a4 : a6) : m->from;
    const uint8_t *dest = default_addrs ? (m->version == 4 ? b4 : b6) : m->to;
    size_t l3 = 0, address_bytes = m->version == 4 ? 4 : 16, sum_at;
    if (m->ethernet) {
        memcpy(to, memcmp(m->mac_to, zero, 6) ? m->mac_to : mac_b, 6);
        memcpy(to + 6, memcmp(m->mac_from, zero, 6) ? m->mac_from : mac_a, 6);
        put16(to + 12, m->version == 4 ? 0x0800 : 0x86dd);
        l3 = 14;
    }
    uint8_t *ip = to + l3;
    size_t ip_bytes = m->version == 4 ? 20 : 40;
    memset(ip, 0, ip_bytes + 60);
    size_t n = make_transport(m, ip + ip_bytes, &sum_at);
    if (m->version == 4) {
        ip[0] = 0x45;
        put16(ip + 2, ip_bytes + n);
        put16(ip + 4, m->ip_id);
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = m->protocol;
        memcpy(ip + 12, from, 4);
        memcpy(ip + 16, dest, 4);
        put16(ip + 10, 0xffff ^ slow_sum(ip, 20, 0));
    } else {
        ip[0] = 0x60;
        put16(ip + 4, n);
        ip[6] = m->protocol;
        ip[7] = 64;
        memcpy(ip + 8, from, 16);
        memcpy(ip + 24, dest, 16);
    }
    uint8_t *t = ip + ip_bytes;
    uint32_t sum = m->protocol == 1 ? 0 : pseudo_sum(from, dest, address_bytes, m->protocol, n);
    if (!m->partial) sum = 0xffff ^ slow_sum(t, n, sum);
    if (!m->partial && m->protocol == 17 && sum == 0) sum = 0xffff;
    put16(t + sum_at, sum);
    *l4 = l3 + ip_bytes;
    return l3 + ip_bytes + n;
}

static bool read_transport(struct read_packet *r, const uint8_t *t, size_t n)
{
    size_t header = 0;
    if (r->protocol == 6) {
        if (n < 20) return false;
        header = (size_t)(t[12] >> 4) * 4;
        if (header < 20 || header > n) return false;
        r->seq = get32(t + 4);
        r->ack = get32(t + 8);
        r->flags = t[13];
        r->window = get16(t + 14);
        r->options = t + 20;
        r->options_bytes = header - 20;
        r->l4_sum_field = get16(t + 16);
    } else if (r->protocol == 17) {
        if (n < 8 || get16(t + 4) != n) return false;
        header = 8;
        r->l4_sum_field = get16(t + 6);
    } else if (r->protocol != 1 && r->protocol != 58) {
        return false;
    }
    if (header) {
        r->sport = get16(t);
        r->dport = get16(t + 2);
    }
    r->payload = t + header;
    r->payload_bytes = n - header;
    return true;
}

bool read_packet(const uint8_t *p, size_t n, bool ethernet, struct read_packet *r)
{
    *r = (struct read_packet){0};
    size_t l3 = ethernet ? 14 : 0;
    if (n < l3 + 20) return false;
    const uint8_t *ip = p + l3;
    r->version = ip[0] >> 4;
    if (ethernet && get16(p + 12) != (r->version == 4 ? 0x0800 : 0x86dd)) return false;
    size_t header = r->version == 4 ? (size_t)(ip[0] & 15) * 4 : 40;
    if ((r->version != 4 && r->version != 6) || n < l3 + header) return false;
    size_t total = r->version == 4 ? get16(ip + 2) : 40u + get16(ip + 4);
    if (total < header || l3 + total > n) return false;
    r->protocol = r->version == 4 ? ip[9] : ip[6];
    r->ip_id = r->version == 4 ? get16(ip + 4) : 0;
    r->from = ip + (r->version == 4 ? 12 : 8);
    r->to = ip + (r->version == 4 ? 16 : 24);
    r->ip_sum_right = r->version == 6 || slow_sum(ip, header, 0) == 0xffff;
    r->l4 = l3 + header;
    const uint8_t *t = ip + header;
    if (!read_transport(r, t, total - header)) return false;
    uint32_t sum = r->protocol == 1 ? 0 : pseudo_sum(r->from, r->to, r->version == 4 ? 4 : 16, r->protocol, total - header);
    r->l4_sum_right = slow_sum(t, total - header, sum) == 0xffff;
    return true;
}
