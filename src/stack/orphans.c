/* SPDX-License-Identifier: MIT
 *
 * orphans.c: connections whose handle was given back: how many there may be, in all and of one peer. RFC 9293 3.8.6.1 lets a host end connections to
 * keep itself from being exhausted; threats V48, V49. How long each may last is life.c's.
 *
 * They stand in a list by age, in the nodes that accept queues use before. When there are too many in all the oldest goes: it had the most time, and is
 * likely to be held by its peer on purpose. When there are too many of one peer, the one that has just become an orphan goes: nobody else pays for that
 * peer. What a peer has is counted in a table of keyed buckets; two peers may share one, which is not to be brought about from outside. Every step costs
 * the same, however many there are.
 */
#include "stack/net.h"

enum { ON_CHUNKS = 2, ON_ORPHANS = 3 };  /* which list a connection's node is on; 1: an accept queue */

/* An IPv6 host has 64 bits to choose from: they count as one. The key is secret: two peers meet by chance only. */
static uint32_t *count_of_peer(pl_stack *s, const struct tcp *c)
{
    bool ipv6 = tcp_ipv6(&c->flow);
    uint64_t peer[2] = {0, c->flow.zone};
    memcpy(peer, ipv6 ? c->flow.remote : c->flow.remote + 8, 8);
    uint32_t *counts = stack_at(s, s->orphan_counts);
    return &counts[siphash13_words(&s->flows.key, peer, 2) & (s->orphan_buckets - 1)];
}

static uint32_t share(uint32_t of, uint32_t quarters)
{
    uint32_t n = (uint32_t)((uint64_t)of * quarters / 4);
    return n >= 4 ? n : of < 4 ? of : 4;
}

uint32_t orphans_most(const struct pl_config *c) { return c->orphans_max ? c->orphans_max : share(c->connections_max, 3); }
uint32_t orphans_most_of_peer(const struct pl_config *c) { return c->orphans_per_peer_max ? c->orphans_per_peer_max : share(c->connections_max, 2); }

uint32_t orphans_buckets(const struct pl_config *c)
{
    uint32_t n = 16;
    while (n < c->connections_max / 4)
        n *= 2;
    return n;
}

static void give_up(pl_stack *s, struct tcp_ctx *x, struct tcp *c)
{
    s->counters.orphans_reset++;
    tcp_owe_reset(x, c, PL_WHY_TOO_MANY_ORPHANS);
    tcp_die(x, c, PL_ECONNABORTED, PL_WHY_TOO_MANY_ORPHANS);
}

void orphan_begins(pl_stack *s, uint32_t slot, struct tcp_ctx *x)
{
    struct tcp *c = conn_at(s, slot);
    struct list_node *nodes = stack_conn_nodes(s);
    if (nodes[slot].on == ON_CHUNKS)
        list_remove(&s->chunk_waiters, nodes, slot);
    if (c->state == PL_CLOSED || c->state == PL_TIME_WAIT || nodes[slot].on == ON_ORPHANS)
        return;
    uint32_t *of_peer = count_of_peer(s, c);
    if (*of_peer >= orphans_most_of_peer(&s->config)) {
        give_up(s, x, c);
        return;
    }
    if (s->orphans.count >= orphans_most(&s->config)) {
        uint32_t oldest = s->orphans.head;
        struct tcp_ctx other = stack_tcp_ctx(s);
        give_up(s, &other, conn_at(s, oldest));
        conn_after(s, oldest, &other);
    }
    list_append(&s->orphans, nodes, slot, ON_ORPHANS);
    ++*of_peer;
}

void orphan_ends(pl_stack *s, uint32_t slot)
{
    struct list_node *nodes = stack_conn_nodes(s);
    if (nodes[slot].on != ON_ORPHANS)
        return;
    list_remove(&s->orphans, nodes, slot);
    --*count_of_peer(s, conn_at(s, slot));
}
