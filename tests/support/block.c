/* SPDX-License-Identifier: MIT */
#include "support/block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/net.h"

static char said[200];

#define SAY(...) (snprintf(said, sizeof said, __VA_ARGS__), said)

pl_stack *block_new(const struct pl_config *config, struct pl_env *env, pl_time now)
{
    size_t bytes = pl_stack_size(config);
    pl_stack *s = NULL;
    if (bytes == 0) {
        fprintf(stderr, "block_new: %s\n", pl_config_problem(config));
        abort();
    }
    void *block = aligned_alloc(64, bytes);
    if (block)
        memset(block, config->mem_is_zero ? 0 : 0xa5, bytes);
    if (!block || pl_stack_init(block, bytes, config, env, now, &s) != PL_OK)
        abort();
    return s;
}

void block_free(pl_stack *s) { free(s); }

pl_stack *block_copy(const pl_stack *s, struct pl_env *env)
{
    void *block = aligned_alloc(64, s->bytes);
    pl_stack *copy = NULL;
    if (!block)
        abort();
    memcpy(block, s, s->bytes);
    if (pl_stack_attach(block, s->bytes, env, &copy) != PL_OK)
        abort();
    return copy;
}

const struct slots *block_pool(const pl_stack *s, unsigned n, const char **name)
{
    static const char *const names[] = {"conns", "flights", "records", "gaps", "half_opens", "time_waits", "listeners",
                                        "udps",  "ifaces",  "addrs",   "routes", "neighbors", "paths"};
    const struct slots *const pools[] = {&s->pools.conns, &s->pools.flights, &s->pools.records, &s->pools.gaps, &s->half_opens, &s->time_waits, &s->listeners,
                                         &s->udps,  &s->ifaces,  &s->addrs,   &s->routes, &s->neighbors, &s->paths};
    if (n >= sizeof pools / sizeof pools[0])
        return NULL;
    *name = names[n];
    return pools[n];
}

const char *block_place(const pl_stack *s, size_t byte)
{
    const char *name;
    const struct slots *p;
    for (unsigned n = 0; (p = block_pool(s, n, &name)) != NULL; n++)
        for (uint32_t slot = 1; slot <= p->capacity; slot++) {
            size_t at = (size_t)((const uint8_t *)slots_at(p, slot) - (const uint8_t *)s);
            if (byte >= at && byte < at + p->slot_bytes)
                return SAY("byte %zu of the slot %u of %s", byte - at, slot, name);
        }
    return byte < sizeof *s ? "in struct pl_stack" : "in no pool";
}

static bool zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        if (b[i])
            return false;
    return true;
}

const char *block_free_slots_are_zero(const pl_stack *s)
{
    const char *name;
    const struct slots *p;
    for (unsigned n = 0; (p = block_pool(s, n, &name)) != NULL; n++) {
        uint32_t live = 0;
        for (uint32_t slot = 1; slot <= p->capacity; slot++) {
            if (slots_live(p, slot))
                live++;
            else if (!zero(slots_at(p, slot), p->slot_bytes))
                return SAY("%s: the free slot %u is not zero", name, slot);
            if (slot > p->fresh && !zero(slots_meta(p, slot), sizeof(struct slot_meta)))
                return SAY("%s: slot %u was never used, and its bookkeeping is not zero", name, slot);
        }
        if (live != p->used)
            return SAY("%s: %u slots are taken, the count says %u", name, live, p->used);
    }
    for (uint32_t ref = 1; ref <= s->wheel.capacity; ref++) {
        enum flow_kind kind = flow_kind_of(&s->flows, ref);
        if (slots_live(flow_pool(&s->flows, kind), ref - s->flows.first[kind]))
            continue;
        if (wheel_when(&s->wheel, ref) != PL_NEVER)
            return SAY("ref %u of kind %d is free and has a deadline", ref, (int)kind);
        if (!zero(&stack_ready_nodes(s)[ref], sizeof(struct list_node)))
            return SAY("ref %u of kind %d is free and on a queue", ref, (int)kind);
        if (kind <= FLOW_LISTENER && !zero(&stack_event_nodes(s)[ref], sizeof(struct list_node)))
            return SAY("ref %u of kind %d is free and has an event", ref, (int)kind);
        if (kind == FLOW_CONN && !zero(&stack_conn_nodes(s)[ref], sizeof(struct list_node)))
            return SAY("connection %u is free and on a list", ref);
    }
    for (uint32_t n = 0; n < s->config.ifaces_max; n++) {
        const struct iface *i = stack_iface(s, (int32_t)n);
        const struct owed *ring = (const struct owed *)stack_at(s, s->owed) + (size_t)n * s->config.owed_max;
        for (uint32_t k = i ? i->owed_count : 0; k < s->config.owed_max; k++)
            if (!zero(&ring[((i ? i->owed_head : 0) + k) & (s->config.owed_max - 1)], sizeof *ring))
                return SAY("interface %u: a free place in its ring of replies is not zero", n);
    }
    return NULL;
}

/* Marks a chain; false: a chunk is in two chains, or is not taken. */
static bool mark(const pl_stack *s, uint8_t *seen, uint32_t chunk, uint32_t n)
{
    for (; n && chunk; n--, chunk = chunks_next(&s->pools.chunks, chunk))
        if (chunk > s->pools.chunks.fresh || seen[chunk]++ || chunks_meta(&s->pools.chunks, chunk)->state == 0)
            return false;
    return n == 0 || n > UINT32_MAX / 2;
}

static bool mark_stream(const pl_stack *s, uint8_t *seen, const struct stream *t) { return mark(s, seen, t->head, t->count); }

static const char *mark_all(const pl_stack *s, uint8_t *seen)
{
    for (uint32_t n = slots_next(&s->pools.conns, 0); n; n = slots_next(&s->pools.conns, n))
        if (!mark_stream(s, seen, &conn_at(s, n)->snd_stream) || !mark_stream(s, seen, &conn_at(s, n)->rcv_stream))
            return SAY("connection %u: a chunk of its streams is not its own", n);
    for (uint32_t n = slots_next(&s->udps, 0); n; n = slots_next(&s->udps, n))
        if (!mark_stream(s, seen, &udp_at(s, n)->received) || !mark_stream(s, seen, &udp_at(s, n)->to_send))
            return SAY("socket %u: a chunk of its queues is not its own", n);
    for (uint32_t n = slots_next(&s->ifaces, 0); n; n = slots_next(&s->ifaces, n)) {
        const struct iface *i = slots_at(&s->ifaces, n);
        const struct owed *ring = (const struct owed *)stack_at(s, s->owed) + (size_t)(n - 1) * s->config.owed_max;
        for (uint32_t k = 0; k < i->owed_count; k++)
            if (!mark(s, seen, ring[(i->owed_head + k) & (s->config.owed_max - 1)].text_head, UINT32_MAX))
                return SAY("interface %u: a chunk of an owed reply is not its own", n);
    }
    return NULL;
}

const char *block_chunks_are_accounted(const pl_stack *s)
{
    uint8_t *seen = calloc(s->pools.chunks.capacity + 1, 1);
    const char *wrong = mark_all(s, seen);
    uint32_t taken = 0;
    for (uint32_t c = 1; c <= s->pools.chunks.fresh && !wrong; c++) {
        const struct chunk_meta *m = chunks_meta(&s->pools.chunks, c);
        taken += m->state != 0;
        if (m->state == 1 && !seen[c])
            wrong = SAY("chunk %u is taken and in no chain", c);
        if (m->state == 0 && m->pins)
            wrong = SAY("chunk %u is free and pinned", c);
    }
    if (!wrong && taken != s->pools.chunks.used)
        wrong = SAY("%u chunks are taken, the count says %u", taken, s->pools.chunks.used);
    uint32_t kept = 0;
    uint64_t promised = 0;
    for (uint32_t n = slots_next(&s->pools.conns, 0); n; n = slots_next(&s->pools.conns, n)) {
        const struct tcp *c = conn_at(s, n);
        kept += c->rcv_stream.kept + c->snd_stream.kept;
        promised += c->rcv.promised;
    }
    if (!wrong && (kept != s->pools.chunks.kept || s->pools.chunks.used + kept > s->pools.chunks.capacity))
        wrong = SAY("%u chunks are kept, the count says %u, and %u are used", kept, s->pools.chunks.kept, s->pools.chunks.used);
    if (!wrong && promised != s->pools.chunks.promised)
        wrong = SAY("%llu bytes are promised, the count says %llu", (unsigned long long)promised, (unsigned long long)s->pools.chunks.promised);
    free(seen);
    return wrong;
}

const char *block_is_empty(const pl_stack *s)
{
    static const char *const kept[] = {"ifaces", "addrs", "routes", "paths"};
    const char *name;
    const struct slots *p;
    for (unsigned n = 0; (p = block_pool(s, n, &name)) != NULL; n++) {
        bool may_stay = false;
        for (unsigned k = 0; k < sizeof kept / sizeof kept[0]; k++)
            may_stay |= strcmp(kept[k], name) == 0;
        if (!may_stay && p->used && (strcmp(name, "neighbors") != 0))
            return SAY("%s: %u are left", name, p->used);
    }
    if (s->pools.chunks.used)
        return SAY("%u chunks are left", s->pools.chunks.used);
    if (s->pools.chunks.kept || s->pools.chunks.promised)
        return SAY("%u chunks are kept and %llu bytes promised", s->pools.chunks.kept, (unsigned long long)s->pools.chunks.promised);
    if (s->events.count || s->chunk_waiters.count)
        return SAY("%u events and %u waiters are left", s->events.count, s->chunk_waiters.count);
    if (s->time_wait_oldest || s->time_wait_newest)
        return SAY("the order of TIME-WAIT entries is not empty");
    if (s->flows.count != s->neighbors.used)
        return SAY("%u flows are left beside %u neighbours", s->flows.count, s->neighbors.used);
    if (s->wheel.count > s->neighbors.used)
        return SAY("%u deadlines are left beside %u neighbours", s->wheel.count, s->neighbors.used);
    for (uint32_t n = slots_next(&s->ifaces, 0); n; n = slots_next(&s->ifaces, n)) {
        const struct iface *i = slots_at(&s->ifaces, n);
        if (i->queue.count)
            return SAY("interface %u: %u refs are still queued", n, i->queue.count);
    }
    return block_free_slots_are_zero(s);
}
