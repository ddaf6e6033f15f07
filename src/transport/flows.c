/* SPDX-License-Identifier: MIT */
#include "transport/flows.h"

static struct flow_place *places(const struct flows *t) { return (struct flow_place *)((uintptr_t)t + t->places); }

/* Addresses whose first 12 bytes are alike (IPv4, or none yet) are told apart by their last 4: a third of the work. The protocol takes bits that no zone
 * uses; if one did, two flows would have one hash, no more. */
static uint32_t hash_of(const struct flows *t, const struct flow *f)
{
    uint64_t rest = (uint64_t)f->local_port << 48 | (uint64_t)f->remote_port << 32 | (f->zone ^ (uint32_t)f->protocol << 24), w[5] = {0};
    if (memcmp(f->local, f->remote, 12) == 0) {
        memcpy(w, f->local + 12, 4);
        memcpy((uint8_t *)w + 4, f->remote + 12, 4);
        w[1] = rest;
        return (uint32_t)siphash13_words(&t->key, w, 2);
    }
    memcpy(w, f->local, 16);
    memcpy(w + 2, f->remote, 16);
    w[4] = rest;
    return (uint32_t)siphash13_words(&t->key, w, 5);
}

uint32_t flow_hash(const struct flows *t, const struct flow *f) { return hash_of(t, f); }

static const uint8_t any_ip4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, any[16] = {0};

static bool is_ip4(const uint8_t a[16]) { return memcmp(a, any_ip4, 12) == 0; }
static bool any_of_family(const struct flow *f)
{
    return memcmp(f->local, any_ip4, 16) == 0 || (f->zone == FLOW_ZONE_IP6 && memcmp(f->local, any, 16) == 0);
}

bool flow_local_is_any(const struct flow *f) { return memcmp(f->local, any, 16) == 0 || memcmp(f->local, any_ip4, 16) == 0; }

/* How many there are of its kind that flow_find_bound looks for; NULL: it has a remote, and is found as it is. */
static uint32_t *bound_count(struct flows *t, const struct flow *f)
{
    if (f->remote_port || memcmp(f->remote, any, 16) != 0)
        return NULL;
    if (any_of_family(f))
        return &t->bound_family;
    return memcmp(f->local, any, 16) == 0 ? &t->bound_anywhere : &t->bound_here;
}

void flow_insert_hashed(struct flows *t, uint32_t ref)
{
    const struct flow *f = flow_at(t, ref);
    struct flow_place *at = places(t), moved, put = {f->hash, ref};
    uint32_t i = f->hash & t->mask, *bound = bound_count(t, f);
    for (; at[i].ref; i = (i + 1) & t->mask)
        if (at[i].hash == put.hash)       /* what is inserted last is found first */
            moved = at[i], at[i] = put, put = moved;
    at[i] = put;
    t->count++;
    if (bound)
        ++*bound;
}

void flow_insert(struct flows *t, uint32_t ref)
{
    struct flow *f = flow_at(t, ref);
    f->hash = hash_of(t, f);
    flow_insert_hashed(t, ref);
}

void flow_remove(struct flows *t, uint32_t ref)
{
    const struct flow *f = flow_at(t, ref);
    struct flow_place *at = places(t);
    uint32_t gap = f->hash & t->mask;
    while (at[gap].ref && at[gap].ref != ref)
        gap = (gap + 1) & t->mask;
    if (!at[gap].ref)
        return;
    /* A search ends at the first empty place: whoever has its own place at the gap or before it moves there. */
    for (uint32_t i = (gap + 1) & t->mask; at[i].ref; i = (i + 1) & t->mask)
        if (((i - at[i].hash) & t->mask) >= ((i - gap) & t->mask))
            at[gap] = at[i], gap = i;
    at[gap] = (struct flow_place){0};
    uint32_t *bound = bound_count(t, f);
    t->count--;
    if (bound)
        --*bound;
}

void flow_fetch_ahead(const struct flows *t, const struct flow *f) { __builtin_prefetch(&places(t)[f->hash & t->mask]); }

uint32_t flow_find(const struct flows *t, struct flow *key)
{
    const struct flow_place *at = places(t);
    key->hash = hash_of(t, key);
    for (uint32_t i = key->hash & t->mask; at[i].ref; i = (i + 1) & t->mask)
        if (at[i].hash == key->hash && flow_same(flow_at(t, at[i].ref), key))
            return at[i].ref;
    return 0;
}

uint32_t flow_find_kind(const struct flows *t, const struct flow *key, enum flow_kind kind)
{
    const struct flow_place *at = places(t);
    for (uint32_t i = key->hash & t->mask; at[i].ref; i = (i + 1) & t->mask)
        if (at[i].hash == key->hash && flow_kind_of(t, at[i].ref) == kind && flow_same(flow_at(t, at[i].ref), key))
            return at[i].ref;
    return 0;
}

uint32_t flow_find_bound(const struct flows *t, const struct flow *key)
{
    struct flow k = *key;
    memset(k.remote, 0, sizeof k.remote);
    k.remote_port = 0;
    uint32_t ref = t->bound_here ? flow_find(t, &k) : 0;     /* the address itself first, then every address */
    if (ref == 0 && t->bound_family) {
        bool ip4 = is_ip4(key->local);
        memcpy(k.local, ip4 ? any_ip4 : any, 16);
        k.zone = ip4 ? 0 : FLOW_ZONE_IP6;
        ref = flow_find(t, &k);
    }
    if (ref || !t->bound_anywhere)
        return ref;
    memset(k.local, 0, sizeof k.local);
    k.zone = 0;
    return flow_find(t, &k);
}

bool flow_port_taken(const struct flows *t, const struct flow *wanted) { return flow_find_bound(t, wanted) != 0; }

/* RFC 6056 3.3.3: offset = F(local, remote, secret); port = min + (offset + counter) % range, and on to the next while it is taken. */
bool flow_port_choose(struct flows *t, struct flow *k, const struct siphash_key *secret, uint32_t *counter)
{
    enum { MIN = 32768, RANGE = 65536 - MIN };
    uint8_t id[40] = {0};
    memcpy(id, k->local, 16);
    memcpy(id + 16, k->remote, 16);
    id[32] = (uint8_t)(k->remote_port >> 8), id[33] = (uint8_t)k->remote_port, id[34] = k->protocol;
    uint32_t offset = (uint32_t)siphash24(secret, id, sizeof id);
    for (uint32_t i = 0; i < RANGE; i++) {
        k->local_port = (uint16_t)(MIN + (offset + (*counter)++) % RANGE);
        if (!flow_find(t, k) && !flow_port_taken(t, k))
            return true;
    }
    return false;
}
