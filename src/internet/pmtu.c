/* SPDX-License-Identifier: MIT
 *
 * pmtu.c: which MTU to believe, and the cache of those believed.
 */
#include "internet/pmtu.h"
#include <string.h>

/* RFC 1191 7: what links had in common when routers did not say their MTU yet. */
static uint32_t plateau_below(uint32_t bytes)
{
    static const uint16_t plateaus[] = {65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, PMTU_IP4_MIN};
    for (unsigned i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++)
        if (plateaus[i] < bytes)
            return plateaus[i];
    return PMTU_IP4_MIN;
}

uint32_t pmtu_judge(bool ip6, uint32_t told, uint32_t quoted_bytes, uint32_t current)
{
    if (ip6) {
        /* RFC 8201 4: a Packet Too Big that reports less than the IPv6 minimum is discarded */
        if (told < PMTU_IP6_MIN)
            return 0;
    } else if (told == 0) {
        /* RFC 1191 5: a router from before that document; what did not fit is the only hint */
        told = plateau_below(quoted_bytes && quoted_bytes < current ? quoted_bytes : current);
    } else if (told < PMTU_IP4_MIN) {
        told = PMTU_IP4_MIN;              /* threats V21: or a forger makes us send crumbs */
    }
    return told < current ? told : 0;     /* RFC 8201 4: never increased by a message */
}

static struct path_entry *set_of(const struct slots *paths, const struct siphash_key *key, const uint8_t remote[16], uint32_t zone,
                                 uint32_t *members)
{
    uint64_t words[3] = {0, 0, zone};
    memcpy(words, remote, 16);
    uint32_t sets = (paths->capacity + PMTU_SET - 1) / PMTU_SET;
    uint32_t first = (uint32_t)(siphash13_words(key, words, 3) % sets) * PMTU_SET;
    *members = paths->capacity - first < PMTU_SET ? paths->capacity - first : PMTU_SET;
    return (struct path_entry *)slots_at(paths, 1) + first;
}

static bool is_for(const struct path_entry *e, const uint8_t remote[16], uint32_t zone, pl_time now)
{
    return e->mtu && now < e->expires && e->zone == zone && memcmp(e->remote, remote, 16) == 0;
}

uint32_t pmtu_find(const struct slots *paths, const struct siphash_key *key, const uint8_t remote[16], uint32_t zone, pl_time now)
{
    if (paths->fresh == 0)                /* nothing was ever learned: the usual case */
        return 0;
    uint32_t members;
    const struct path_entry *e = set_of(paths, key, remote, zone, &members);
    for (uint32_t i = 0; i < members; i++)
        if (is_for(&e[i], remote, zone, now))
            return e[i].mtu;
    return 0;
}

void pmtu_learn(struct slots *paths, const struct siphash_key *key, const uint8_t remote[16], uint32_t zone, uint32_t mtu, pl_time now)
{
    while (paths->used < paths->capacity) /* the table is taken whole: its entries are places of the cache */
        slots_take(paths);
    if (paths->capacity == 0)
        return;
    uint32_t members;
    struct path_entry *e = set_of(paths, key, remote, zone, &members), *at = e;
    for (uint32_t i = 0; i < members; i++) {
        if (is_for(&e[i], remote, zone, now)) {
            if (mtu < e[i].mtu)
                e[i].mtu = mtu;
            e[i].expires = now + PMTU_LIFE_NS;
            return;
        }
        if (e[i].expires < at->expires)
            at = &e[i];
    }
    *at = (struct path_entry){.zone = zone, .mtu = mtu, .expires = now + PMTU_LIFE_NS};
    memcpy(at->remote, remote, 16);
}

void pmtu_shift(struct slots *paths, pl_time by)
{
    for (uint32_t slot = slots_next(paths, 0); slot; slot = slots_next(paths, slot)) {
        struct path_entry *e = slots_at(paths, slot);
        if (e->mtu)
            e->expires += by;
    }
}
