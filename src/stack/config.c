/* SPDX-License-Identifier: MIT
 *
 * config.c: the numbers of docs/defaults.md, and what a config may hold.
 */
#include "stack/net.h"
#include "transport/tcp/cc/cubic.h"
#include "transport/tcp/cc/newreno.h"

/* RFC 9293 3.8.3: data_retries, rto_max: 15 minutes (SHLD-11); syn_retries: 4 minutes (MUST-23). 3.8.4: keepalive_idle: 2 hours (MUST-28). RFC 5482 3.1-f: user_timeout_min. */
void pl_config_default(struct pl_config *config, size_t size)
{
    struct pl_config c = {.size = sizeof c, .connections_max = 4096, .half_open_max = 1024, .time_wait_max = 16384, .listeners_max = 64, .udp_max = 256,
                          .ifaces_max = 8, .addrs_max = 64, .routes_max = 64, .neighbors_max = 512, .paths_max = 512, .records_max = 65536,
                          .records_per_conn_max = 16384, .cc_state_bytes = PL_CC_STATE_BYTES, .gaps_max = 512, .gaps_per_conn_max = 128, .chunks_max = 12288, .chunk_bytes = 4096,
                          .window_overcommit = 8, .owed_max = 64,
                          .sndbuf_bytes = 1 << 20, .rcvbuf_bytes = 1 << 20, .sndbuf_max = 16 << 20, .rcvbuf_max = 15 << 20, .syn_retries = 7, .syn_ack_retries = 5, .data_retries = 15,
                          .orphan_retries = 8, .challenge_acks = 10, .challenge_period = 5 * PL_S, .backlog_default = 128, .msl = 30 * PL_S, .rto_initial = 1 * PL_S, .rto_min = 200 * PL_MS,
                          .rto_max = 120 * PL_S, .delayed_ack = 40 * PL_MS, .fin_wait_2_timeout = 60 * PL_S, .orphan_timeout = 120 * PL_S,
                          .orphan_lifetime = 900 * PL_S, .deferred_timeout = 30 * PL_S,
                          .keepalive_idle = 7200 * PL_S, .keepalive_interval = 75 * PL_S, .keepalive_probes = 9,
                          .user_timeout_min = 100 * PL_S, .user_timeout_max = 3600 * PL_S,
                          .congestion_control = PL_CC_CUBIC, .loss_probe = true, .validate_window = true,
                          .syn_cookies = true, .window_scaling = true, .timestamps = true, .sack = true, .hop_limit = 64};
    memcpy(config, &c, size < sizeof c ? size : sizeof c);
}

void pl_config_small(struct pl_config *config, size_t size)
{
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    c.connections_max = 4;
    c.half_open_max = 4;
    c.time_wait_max = 4;
    c.listeners_max = 2;
    c.udp_max = 2;
    c.ifaces_max = 1;
    c.addrs_max = 3;
    c.routes_max = 2;
    c.neighbors_max = 4;
    c.paths_max = 4;
    c.flights_max = c.gaps_max = 4;
    c.cc_state_bytes = sizeof(struct cubic);
    c.records_max = 64;
    c.records_per_conn_max = 32;
    c.gaps_per_conn_max = 8;
    c.chunk_bytes = 512;
    c.chunks_max = 80;
    c.owed_max = 4;
    c.sndbuf_bytes = 4096;
    c.rcvbuf_bytes = 4096;
    c.sndbuf_max = c.rcvbuf_max = 0;
    c.backlog_default = 4;
    memcpy(config, &c, size < sizeof c ? size : sizeof c);
}

struct field {
    uint32_t value, min, max;
    const char *problem;
};

static const char *first_problem(const struct field *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (f[i].value < f[i].min || f[i].value > f[i].max)
            return f[i].problem;
    return NULL;
}

static bool power_of_two(uint32_t n) { return n && !(n & (n - 1)); }

static bool zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

_Static_assert(sizeof(struct newreno) == 48 && PL_CC_STATE_BYTES == 448, "cc_state_bytes in parley.h, and below");
#define CC_STATE_PROBLEM "cc_state_bytes: a multiple of 8, 48 to 448"

const char *pl_config_problem(const struct pl_config *c)
{
    enum { MANY = 1 << 26 };
    if (!c || c->size != sizeof *c)
        return "size: must be sizeof(struct pl_config), as set by pl_config_default";
    const struct field fields[] = {
        {c->connections_max, 1, MANY, "connections_max: 1 to 67108864"},
        {c->half_open_max, 1, MANY, "half_open_max: 1 to 67108864"},
        {c->time_wait_max, 1, MANY, "time_wait_max: 1 to 67108864"},
        {c->listeners_max, 1, MANY, "listeners_max: 1 to 67108864"},
        {c->udp_max, 1, MANY, "udp_max: 1 to 67108864"},
        {c->ifaces_max, 1, 1 << 14, "ifaces_max: 1 to 16384"},
        {c->addrs_max, 1, 1 << 20, "addrs_max: 1 to 1048576"},
        {c->routes_max, 1, 1 << 20, "routes_max: 1 to 1048576"},
        {c->neighbors_max, 1, 1 << 20, "neighbors_max: 1 to 1048576"},
        {c->paths_max, 1, 1 << 20, "paths_max: 1 to 1048576"},
        {c->flights_max, 0, MANY, "flights_max: 0 to 67108864"},
        {c->cc_state_bytes, sizeof(struct newreno), PL_CC_STATE_BYTES, CC_STATE_PROBLEM},
        {c->records_max, 2, MANY, "records_max: 2 to 67108864"},
        {c->records_per_conn_max, 1, MANY, "records_per_conn_max: 1 to 67108864"},
        {c->gaps_max, 0, MANY, "gaps_max: 0 to 67108864"},
        {c->gaps_per_conn_max, 1, 1 << 16, "gaps_per_conn_max: 1 to 65536"},
        {c->chunk_bytes, 256, 65536, "chunk_bytes: a power of two, 256 to 65536"},
        {c->chunks_max, 1, MANY, "chunks_max: 1 to 67108864"},
        {c->window_overcommit, 1, 1 << 16, "window_overcommit: 1 to 65536"},
        {c->owed_max, 1, 1 << 16, "owed_max: a power of two, 1 to 65536"},
        {c->sndbuf_bytes, 1, 1 << 30, "sndbuf_bytes: 1 to 2^30"},
        {c->rcvbuf_bytes, 1, 1 << 30, "rcvbuf_bytes: 1 to 2^30"},
        {c->sndbuf_max, 0, 1 << 30, "sndbuf_max: 0 to 2^30"},
        {c->rcvbuf_max, 0, 1 << 30, "rcvbuf_max: 0 to 2^30"},
        {c->syn_retries, 0, 100, "syn_retries: 0 to 100"},
        {c->syn_ack_retries, 0, 100, "syn_ack_retries: 0 to 100"},
        {c->data_retries, 0, 100, "data_retries: 0 to 100"},
        {c->orphan_retries, 0, 100, "orphan_retries: 0 to 100"},
        {c->challenge_acks, 1, 255, "challenge_acks: 1 to 255"},
        {c->keepalive_probes, 1, 255, "keepalive_probes: 1 to 255"},
        {c->backlog_default, 1, MANY, "backlog_default: 1 to 67108864"},
        {c->orphans_max, 0, MANY, "orphans_max: 0 to 67108864"},
        {c->orphans_per_peer_max, 0, MANY, "orphans_per_peer_max: 0 to 67108864"},
        {c->hop_limit, 1, 255, "hop_limit: 1 to 255"},
    };
    const char *problem = first_problem(fields, sizeof fields / sizeof fields[0]);
    if (problem)
        return problem;
    if (c->cc_state_bytes % 8)
        return CC_STATE_PROBLEM;
    if (c->congestion_control < PL_CC_USER && cc_state_bytes(&(struct pl_env){0}, c->congestion_control) > c->cc_state_bytes)
        return "congestion_control: one whose state fits into cc_state_bytes";
    if (!power_of_two(c->chunk_bytes))
        return "chunk_bytes: a power of two, 256 to 65536";
    if (!power_of_two(c->owed_max))
        return "owed_max: a power of two, 1 to 65536";
    if (c->rto_initial == 0 || c->rto_min == 0 || c->rto_max < c->rto_initial || c->rto_max > 3600 * PL_S)
        return "rto_initial, rto_min, rto_max: more than 0, rto_initial =< rto_max =< 1 hour";
    if (c->delayed_ack >= 500 * PL_MS)
        return "delayed_ack: less than 500 ms (RFC 9293 3.8.6.3, MUST-40)";
    if (c->msl == 0 || c->msl > 3600 * PL_S)
        return "msl: more than 0, at most 1 hour";
    const pl_time most = STACK_LONGEST_TIMEOUT;
    if (c->challenge_period == 0 || c->challenge_period > 24 * 86400 * PL_S)
        return "challenge_period: more than 0, at most 24 days";
    if (c->user_timeout > TCP_LONGEST_TIMEOUT)
        return "user_timeout: at most 2^32 - 1 ms, 49 days; 0: off";
    /* RFC 5482 3-e */
    if (c->user_timeout_min == 0 || c->user_timeout_min > c->user_timeout_max || c->user_timeout_max > TCP_LONGEST_TIMEOUT)
        return "user_timeout_min, user_timeout_max: more than 0, min =< max =< 2^32 - 1 ms, 49 days";
    if (c->deferred_timeout == 0 || c->deferred_timeout > most)
        return "deferred_timeout: more than 0, at most 100 years";
    if (c->fin_wait_2_timeout == 0 || c->fin_wait_2_timeout > most)
        return "fin_wait_2_timeout: more than 0, at most 100 years";
    if (c->orphan_timeout == 0 || c->orphan_timeout > most)
        return "orphan_timeout: more than 0, at most 100 years";
    if (c->orphan_lifetime == 0 || c->orphan_lifetime > TCP_LONGEST_TIMEOUT / 2)
        return "orphan_lifetime: more than 0, at most 24 days";
    if (c->keepalive_idle == 0 || c->keepalive_idle > TCP_LONGEST_TIMEOUT)
        return "keepalive_idle: more than 0, at most 2^32 - 1 ms, 49 days";
    if (c->keepalive_interval == 0 || c->keepalive_interval > TCP_LONGEST_TIMEOUT)
        return "keepalive_interval: more than 0, at most 2^32 - 1 ms, 49 days";
    if (zero(c->seed, sizeof c->seed))
        return "seed: all zero; fill it from the system's random source";
    return NULL;
}
