/* SPDX-License-Identifier: MIT
 *
 * match.c: the predicates of impair.h: what a rule may look for in a frame. Reads no further than the frame goes; what it cannot read
 * does not match.
 */
#include "sim/impair.h"
#include "sim/header.h"

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

bool match_tcp(void *user, const struct packet *p)
{
    const struct match_tcp *m = user;
    size_t len;
    const uint8_t *t = header_tcp(p, m->ethernet, &len);
    if (!t) return false;
    size_t header = (size_t)(t[12] >> 4) * 4;
    if (header < 20 || header > len) return false;
    uint32_t seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    if ((t[13] & m->flags_mask) != m->flags) return false;
    if (m->port && get16(t) != m->port && get16(t + 2) != m->port) return false;
    if (m->seq_given && seq != m->seq) return false;
    return len - header >= m->len_min;
}

bool match_kind(void *user, const struct packet *p)
{
    const struct match_kind *m = user;
    size_t len;
    if (m->kind == MATCH_ICMP) return header_is_icmp(p, m->ethernet);
    const uint8_t *t = header_tcp(p, m->ethernet, &len);
    if (!t) return false;
    size_t header = (size_t)(t[12] >> 4) * 4;
    switch (m->kind) {
    case MATCH_DATA: return len > header;
    case MATCH_ACK: return len <= header && (t[13] & 0x17) == 0x10;
    default: return t[13] & 0x02;
    }
}
