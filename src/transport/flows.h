/* SPDX-License-Identifier: MIT
 *
 * flows.h: who is who, and which packet is whose.
 *
 * Every record that can be found by addresses and ports begins with a struct flow. A `ref` is a number over all kinds of records: connections
 * first, then UDP sockets, listeners, half-open entries, TIME-WAIT entries, neighbours. The same number indexes the deadline wheel and the ready
 * lists. The table is a keyed hash of (protocol, zone, both endpoints), so that nobody outside can choose the place.
 *
 * A flow stands at the place that its hash names or at the next free one behind it, and each place keeps the whole hash beside the ref: with a million
 * flows, to find that there is no such flow, to insert one and to remove one read a single cache line of the table, and none of the other records.
 */
#ifndef TRANSPORT_FLOWS_H
#define TRANSPORT_FLOWS_H

#include "base/siphash.h"
#include "base/slots.h"
#include <parley/types.h>
#include <string.h>

enum flow_kind { FLOW_CONN, FLOW_UDP, FLOW_LISTENER, FLOW_HALF_OPEN, FLOW_TIME_WAIT, FLOW_NEIGHBOR, FLOW_KINDS };

struct flow {
    uint8_t local[16], remote[16];        /* remote all zero: a listener or an unconnected UDP socket; local all zero: every address of ours,
                                             of one family if it is IPv4's (mapped) or has the zone FLOW_ZONE_IP6 */
    uint16_t local_port, remote_port;
    uint32_t zone;
    uint8_t protocol;                     /* 6, 17, or 1 for an echo socket (both families) */
    uint8_t kind;                         /* enum flow_kind */
    uint8_t foreign;                      /* local is no address of ours: a catch-all listener speaks for it */
    uint8_t pad_;
    uint32_t hash;
};

struct flow_place {
    uint32_t hash, ref;                   /* ref 0: empty */
};

/* The zone of a flow bound to every IPv6 address of ours, and to no IPv4 address. */
#define FLOW_ZONE_IP6 PL_ZONE_IP6

struct flows {
    uint64_t places;                      /* offset of struct flow_place[mask + 1] from this struct; half of them are never taken */
    uint64_t pool[FLOW_KINDS];            /* offset of each kind's struct slots from this struct */
    uint32_t first[FLOW_KINDS + 1];       /* refs first[k] + 1 .. first[k + 1] are kind k's slots 1 .. */
    uint32_t mask, count;
    uint32_t bound_here, bound_anywhere;  /* flows without a remote: for one address of ours, for every address, */
    uint32_t bound_family, pad_;          /* for every address of one family */
    struct siphash_key key;
};

static inline uint32_t flow_ref(const struct flows *t, enum flow_kind kind, uint32_t slot) { return t->first[kind] + slot; }
static inline enum flow_kind flow_kind_of(const struct flows *t, uint32_t ref)
{
    int k = 0;
    while (ref > t->first[k + 1])
        k++;
    return (enum flow_kind)k;
}
static inline struct slots *flow_pool(const struct flows *t, enum flow_kind kind) { return (struct slots *)((uintptr_t)t + t->pool[kind]); }
/* The record behind a ref, whatever its kind: it begins with a struct flow (but for neighbours). */
static inline void *flow_at(const struct flows *t, uint32_t ref)
{
    enum flow_kind k = flow_kind_of(t, ref);
    return slots_at(flow_pool(t, k), ref - t->first[k]);
}

static inline bool flow_same(const struct flow *a, const struct flow *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port && a->zone == b->zone && a->protocol == b->protocol &&
           memcmp(a->local, b->local, 32) == 0;   /* local and remote */
}
uint32_t flow_hash(const struct flows *, const struct flow *);
void flow_insert(struct flows *, uint32_t ref);                     /* the record's addresses, ports, protocol are set; computes its hash */
void flow_insert_hashed(struct flows *, uint32_t ref);              /* the record's flow is a copy of one whose hash is set already */
void flow_remove(struct flows *, uint32_t ref);
/* A removal that is to come: asks the memory for the flow's place, so that flow_remove need not wait. */
void flow_fetch_ahead(const struct flows *, const struct flow *);
/* Exactly this flow (addresses, ports, zone, protocol), or 0. `key->hash` is set on the way. */
uint32_t flow_find(const struct flows *, struct flow *key);
/* Another record of the same flow, of this kind: one may stand in front of another (a half-open entry that reopens TIME-WAIT). key->hash is set. 0: none. */
uint32_t flow_find_kind(const struct flows *, const struct flow *key, enum flow_kind);
/* Bound to every address of ours, or to every one of a family: no address to send from. */
bool flow_local_is_any(const struct flow *);
/* The listener or unconnected socket that serves this packet: bound to the local address first, then to all of its family, then to all. 0: none. */
uint32_t flow_find_bound(const struct flows *, const struct flow *key);
/* A free local port for (protocol, local, remote): RFC 6056 algorithm 3 (keyed offset per destination, plus a counter), and the hash with it; false: none is
 * free. */
bool flow_port_choose(struct flows *, struct flow *wanted, const struct siphash_key *, uint32_t *counter);
/* Is the local port taken by a listener or socket that would collide with this bound flow? */
bool flow_port_taken(const struct flows *, const struct flow *wanted);

#endif
