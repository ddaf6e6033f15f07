/* SPDX-License-Identifier: MIT
 *
 * stack.c: the block: its size, its making, attaching, shifting in time.
 *
 * `plan` walks through the tables in one fixed order and gives each its offset; size and making use the same plan. Nothing is written but the
 * header: pools start from zero memory, and a slot is initialised when it is first taken.
 */
#include "base/checksum.h"
#include "stack/net.h"

#define MAGIC 0x59454c524150ULL            /* "PARLEY" */
enum { VERSION = 1 };

struct plan {
    size_t conns, flights, records, gaps, half_opens, time_waits, listeners, udps, ifaces, addrs, routes, neighbors, paths;
    size_t chunks, wheel, places, ready_nodes, event_nodes, conn_nodes, owed, orphans;
    size_t total;
    uint32_t refs, event_refs, nplaces, flights_n, gaps_n;
};

static size_t region(size_t *at, size_t bytes)
{
    size_t here = *at;
    *at += (bytes + 63) & ~(size_t)63;
    return here;
}

static uint32_t power_of_two(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

static uint32_t flight_bytes(const struct pl_config *c) { return (uint32_t)sizeof(struct tcp_flight) + c->cc_state_bytes; }

static void plan(const struct pl_config *c, struct plan *p)
{
    size_t at = 0;
    p->flights_n = c->flights_max ? c->flights_max : c->connections_max;
    p->gaps_n = c->gaps_max ? c->gaps_max : c->connections_max;
    p->event_refs = c->connections_max + c->udp_max + c->listeners_max;
    p->refs = p->event_refs + c->half_open_max + c->time_wait_max + c->neighbors_max;
    p->nplaces = power_of_two(2 * p->refs);          /* at most half are taken: searches are short */
    region(&at, sizeof(struct pl_stack));
    p->conns = region(&at, slots_bytes(sizeof(struct tcp), c->connections_max));
    p->flights = region(&at, slots_bytes(flight_bytes(c), p->flights_n));
    p->records = region(&at, slots_bytes(sizeof(struct rtx_record), c->records_max));
    p->gaps = region(&at, slots_bytes(ooo_bytes(c->gaps_per_conn_max), p->gaps_n));
    p->half_opens = region(&at, slots_bytes(sizeof(struct half_open), c->half_open_max));
    p->time_waits = region(&at, slots_bytes(sizeof(struct time_wait), c->time_wait_max));
    p->listeners = region(&at, slots_bytes(sizeof(struct listener), c->listeners_max));
    p->udps = region(&at, slots_bytes(sizeof(struct udp_sock), c->udp_max));
    p->ifaces = region(&at, slots_bytes(sizeof(struct iface), c->ifaces_max));
    p->addrs = region(&at, slots_bytes(sizeof(struct addr_entry), c->addrs_max));
    p->routes = region(&at, slots_bytes(sizeof(struct route_entry), c->routes_max));
    p->neighbors = region(&at, slots_bytes(sizeof(struct neighbor), c->neighbors_max));
    p->paths = region(&at, slots_bytes(sizeof(struct path_entry), c->paths_max));
    p->wheel = region(&at, wheel_bytes(p->refs));
    p->places = region(&at, p->nplaces * sizeof(struct flow_place));
    p->ready_nodes = region(&at, (p->refs + (size_t)1) * sizeof(struct list_node));
    p->event_nodes = region(&at, (p->event_refs + (size_t)1) * sizeof(struct list_node));
    p->conn_nodes = region(&at, (c->connections_max + (size_t)1) * sizeof(struct list_node));
    p->orphans = region(&at, orphans_buckets(c) * sizeof(uint32_t));
    p->owed = region(&at, (size_t)c->ifaces_max * c->owed_max * sizeof(struct owed));
    p->chunks = region(&at, chunks_bytes(c->chunk_bytes, c->chunks_max));
    p->total = at;
}

size_t pl_stack_size(const struct pl_config *c)
{
    struct plan p;
    if (pl_config_problem(c))
        return 0;
    plan(c, &p);
    return p.total;
}

size_t pl_stack_bytes(const pl_stack *s) { return s->bytes; }

/* What must be equal for a block to be usable by this build. */
static uint32_t layout(void)
{
    static const uint32_t sizes[] = {sizeof(struct pl_stack), sizeof(struct tcp), sizeof(struct half_open), sizeof(struct time_wait), sizeof(struct owed),
                                     sizeof(struct udp_sock), sizeof(struct neighbor), sizeof(struct rtx_record), sizeof(struct tcp_flight), sizeof(struct listener),
                                     sizeof(struct iface), PL_DROP_COUNT, PL_WHY_COUNT};
    uint32_t h = 2166136261u;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        h = (h ^ sizes[i]) * 16777619u;
    return h;
}

static struct siphash_key key_of(const struct siphash_key *root, uint8_t label)
{
    uint8_t a[2] = {label, 0}, b[2] = {label, 1};
    return (struct siphash_key){siphash24(root, a, 2), siphash24(root, b, 2)};
}

/* 32 bytes of seed become one key per purpose. */
static struct siphash_key root_of(const uint8_t seed[32])
{
    struct siphash_key first;
    memcpy(&first, seed, sizeof first);
    return key_of(&(struct siphash_key){siphash24(&first, seed + 16, 16), first.k0 ^ first.k1}, 0);
}

static void set_secrets(pl_stack *s, const uint8_t seed[32], bool whole)
{
    struct siphash_key root = root_of(seed);
    s->secrets.tcp.isn = key_of(&root, 1);
    s->secrets.ports = key_of(&root, 2);
    s->secrets.fragments = key_of(&root, 3);
    prng_seed(&s->prng, siphash24(&root, seed, 32));
    if (!whole)                           /* what existing entries were made with stays */
        return;
    s->secrets.tcp.timestamps = key_of(&root, 4);
    s->secrets.tcp.cookies = key_of(&root, 6);
    s->flows.key = key_of(&root, 5);
}

static void make_pools(pl_stack *s, const struct pl_config *c, const struct plan *p)
{
    slots_init(&s->pools.conns, stack_at(s, p->conns), sizeof(struct tcp), c->connections_max);
    slots_init(&s->pools.flights, stack_at(s, p->flights), flight_bytes(c), p->flights_n);
    slots_init(&s->pools.records, stack_at(s, p->records), sizeof(struct rtx_record), c->records_max);
    slots_init(&s->pools.gaps, stack_at(s, p->gaps), ooo_bytes(c->gaps_per_conn_max), p->gaps_n);
    slots_init(&s->half_opens, stack_at(s, p->half_opens), sizeof(struct half_open), c->half_open_max);
    slots_init(&s->time_waits, stack_at(s, p->time_waits), sizeof(struct time_wait), c->time_wait_max);
    slots_init(&s->listeners, stack_at(s, p->listeners), sizeof(struct listener), c->listeners_max);
    slots_init(&s->udps, stack_at(s, p->udps), sizeof(struct udp_sock), c->udp_max);
    slots_init(&s->ifaces, stack_at(s, p->ifaces), sizeof(struct iface), c->ifaces_max);
    slots_init(&s->addrs, stack_at(s, p->addrs), sizeof(struct addr_entry), c->addrs_max);
    slots_init(&s->routes, stack_at(s, p->routes), sizeof(struct route_entry), c->routes_max);
    slots_init(&s->neighbors, stack_at(s, p->neighbors), sizeof(struct neighbor), c->neighbors_max);
    slots_init(&s->paths, stack_at(s, p->paths), sizeof(struct path_entry), c->paths_max);
    chunks_init(&s->pools.chunks, stack_at(s, p->chunks), c->chunk_bytes, c->chunks_max);
    s->pools.chunks.promises_max = (uint64_t)c->chunk_bytes * c->chunks_max * c->window_overcommit;
    wheel_init(&s->wheel, stack_at(s, p->wheel), p->refs, s->now);
    s->ready_nodes = p->ready_nodes;
    s->event_nodes = p->event_nodes;
    s->conn_nodes = p->conn_nodes;
    s->owed = p->owed;
    s->orphan_counts = p->orphans;
    s->orphan_buckets = orphans_buckets(c);
}

static void make_flows(pl_stack *s, const struct pl_config *c, const struct plan *p)
{
    struct flows *t = &s->flows;
    const struct slots *pools[FLOW_KINDS] = {[FLOW_CONN] = &s->pools.conns, [FLOW_UDP] = &s->udps, [FLOW_LISTENER] = &s->listeners,
                                             [FLOW_HALF_OPEN] = &s->half_opens, [FLOW_TIME_WAIT] = &s->time_waits, [FLOW_NEIGHBOR] = &s->neighbors};
    (void)c;
    t->places = (uint64_t)((char *)stack_at(s, p->places) - (char *)t);
    t->mask = p->nplaces - 1;
    for (int k = 0; k < FLOW_KINDS; k++) {
        t->pool[k] = (uint64_t)((const char *)pools[k] - (const char *)t);
        t->first[k + 1] = t->first[k] + pools[k]->capacity;
    }
}

int pl_stack_init(void *block, size_t bytes, const struct pl_config *c, struct pl_env *env, pl_time now, pl_stack **out)
{
    struct plan p;
    pl_stack *s = block;
    if (!block || !env || !out || ((uintptr_t)block & 63) || pl_config_problem(c))
        return PL_EINVAL;
    plan(c, &p);
    if (bytes < p.total)
        return PL_ESIZE;
    if (!c->mem_is_zero)
        memset(block, 0, p.total);
    s->magic = MAGIC;
    s->version = VERSION;
    s->layout = layout();
    s->bytes = p.total;
    s->env = env;
    s->now = now;
    s->config = *c;
    make_pools(s, c, &p);
    make_flows(s, c, &p);
    set_secrets(s, c->seed, true);
    memset(s->config.seed, 0, sizeof s->config.seed);     /* the derived keys are enough */
    if (!env->cpu)
        env->cpu = cpu_probe();
    *out = s;
    return PL_OK;
}

int pl_stack_attach(void *block, size_t bytes, struct pl_env *env, pl_stack **out)
{
    pl_stack *s = block;
    if (!block || !env || !out || ((uintptr_t)block & 63))
        return PL_EINVAL;
    if (bytes < sizeof *s || s->magic != MAGIC || s->version != VERSION || s->layout != layout())
        return PL_ELAYOUT;
    if (bytes < s->bytes)
        return PL_ESIZE;
    if (!env->cpu)
        env->cpu = cpu_probe();
    s->env = env;
    *out = s;
    return PL_OK;
}

void stack_now(pl_stack *s, pl_time now)
{
    if (now < s->now)
        s->counters.time_backwards++;
    else
        s->now = now;
}

/* 0 is "not set" in these. */
static void shift(pl_time *t, pl_time by)
{
    if (*t)
        *t += by;
}

static void shift_conn(pl_stack *s, struct tcp *c, pl_time by)
{
    for (int i = 0; i < TIMER_COUNT; i++)
        shift(&c->timers.at[i], by);
    c->ts.recent_at += by;                /* these are times, 0 too */
    c->progress_at += by;
    c->heard_at += by;
    (void)s;
}

void pl_stack_shift_time(pl_stack *s, pl_time by)
{
    wheel_shift(&s->wheel, by);
    for (uint32_t n = slots_next(&s->pools.conns, 0); n; n = slots_next(&s->pools.conns, n))
        shift_conn(s, conn_at(s, n), by);
    for (uint32_t n = slots_next(&s->pools.flights, 0); n; n = slots_next(&s->pools.flights, n)) {
        struct tcp_flight *f = slots_at(&s->pools.flights, n);
        shift(&f->rto_at, by);
        shift(&f->next_at, by);
    }
    for (uint32_t n = slots_next(&s->half_opens, 0); n; n = slots_next(&s->half_opens, n))
        shift(&((struct half_open *)slots_at(&s->half_opens, n))->resend_at, by);
    for (uint32_t n = slots_next(&s->time_waits, 0); n; n = slots_next(&s->time_waits, n))
        shift(&((struct time_wait *)slots_at(&s->time_waits, n))->until, by);
    if (s->cookies_until)
        s->cookies_until += by;
    net_shift_time(s, by);
    s->now += by;
    s->shifted += by;
}

void pl_stack_reseed(pl_stack *s, const uint8_t seed[32]) { set_secrets(s, seed, false); }
