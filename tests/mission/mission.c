/* SPDX-License-Identifier: MIT
 *
 * mission.c: see mission.h.
 */
#include "mission/mission.h"

bool mission_four = false, mission_six = true;

void mission_start_isn(struct pair *p, void **state, int64_t client, int64_t server, mission_configure *configure, void *user)
{
    struct pair_opts o;
    pair_opts_default(&o);
    o.v6 = SIX(state);
    o.isn[PAIR_CLIENT] = client;
    o.isn[PAIR_SERVER] = server;
    o.configure = configure;
    o.user = user;
    int rc = pair_init(p, &o);
    if (rc) fprintf(stderr, "pair_init: %s\n", sim_failure(p->sim));
    assert_int_equal(rc, 0);
}

void mission_start(struct pair *p, void **state, mission_configure *configure, void *user)
{
    mission_start_isn(p, state, 0, 0, configure, user);
}

void mission_assert_clean(struct pair *p, enum pair_side side)
{
    uint32_t n[PL_STATE_COUNT];
    pl_states(p->node[side]->stack, n);
    for (unsigned s = 0; s < PL_STATE_COUNT; s++)
        if (s != PL_LISTEN && n[s]) {
            fprintf(stderr, "%s still has %u in %s\n", p->node[side]->name, (unsigned)n[s], pl_state_name((enum pl_state)s));
            fail();
        }
}

struct program_conn *mission_establish(struct pair *p, struct program_conn **accepted)
{
    struct program_plan hold = plan_hold();
    hold.keep_handle = true;
    assert_int_equal(pair_listen(p, 80, hold), 0);
    struct program_conn *c = pair_connect(p, 80, hold);
    assert_non_null(c);
    RUN_FOR(p, 100 * PL_MS);
    struct program_conn *s = pair_conn(p, PAIR_SERVER, 0);
    assert_non_null(s);
    assert_int_equal(pair_state(p, PAIR_CLIENT), PL_ESTABLISHED);
    assert_int_equal(pair_state(p, PAIR_SERVER), PL_ESTABLISHED);
    EXPECT(p, "*\n");
    if (accepted) *accepted = s;
    return c;
}

struct pl_tcp_status mission_status(const struct program_conn *c)
{
    struct pl_tcp_status s = {0};
    assert_int_equal(pl_status(STACK(c), c->handle, &s, sizeof s), 0);
    return s;
}

const struct pair_segment *mission_last(const struct pair *p, enum pair_side from)
{
    for (size_t i = p->segments; i > 0; i--)
        if (p->segment[i - 1].from == from) return &p->segment[i - 1];
    fail();
    return NULL;
}

void mission_assert_states(const struct pair *p, enum pair_side side, const char *expected)
{
    char got[400] = "";
    int last = -1;
    for (size_t i = 0; i < p->events; i++) {
        const struct pl_trace_event *e = &p->event[i].e;
        if (p->event[i].side != side || e->kind != PL_TRACE_STATE) continue;
        if ((side == PAIR_CLIENT ? e->local.port : e->remote.port) != p->port) continue;
        size_t n = strlen(got);
        if (last != e->state_before) n += (size_t)snprintf(got + n, sizeof got - n, "%s%s", n ? " / " : "", pl_state_name(e->state_before));
        snprintf(got + n, sizeof got - n, " %s", pl_state_name(e->state_after));
        last = e->state_after;
    }
    assert_string_equal(got, expected);
}

static uint32_t sum16(uint32_t s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return s;
}

static void store_sum(uint8_t *to, uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    s = ~s & 0xffff;
    to[0] = (uint8_t)(s >> 8);
    to[1] = (uint8_t)s;
}

static uint8_t *put(uint8_t *p, unsigned bytes, uint32_t v)
{
    for (unsigned i = bytes; i > 0; i--)
        *p++ = (uint8_t)(v >> 8 * (i - 1));
    return p;
}

void mission_forge_options(struct pair *p, enum pair_side from, const struct pair_forged *f, const void *options, size_t bytes, pl_time at)
{
    uint8_t b[1500] = {0}, *t = b + (p->opts.v6 ? 40 : 20), *w = t;
    uint32_t tcp_bytes = (uint32_t)(20 + bytes + f->text_bytes), pseudo;
    const struct pl_addr *addr = p->opts.v6 ? p->opts.hosts.v6 : p->opts.hosts.v4;
    assert_true(tcp_bytes <= 1400 && bytes % 4 == 0 && bytes <= 40);
    w = put(w, 2, from == PAIR_CLIENT ? f->client_port : f->server_port);
    w = put(w, 2, from == PAIR_CLIENT ? f->server_port : f->client_port);
    w = put(w, 4, f->seq);
    w = put(w, 4, f->ack);
    w = put(w, 1, (uint32_t)(5 + bytes / 4) << 4);
    w = put(w, 1, f->flags);
    put(w, 2, f->window);
    memcpy(t + 20, options, bytes);
    if (f->text_bytes) memcpy(t + 20 + bytes, f->text, f->text_bytes);
    if (p->opts.v6) {
        put(b, 4, 0x60000000);
        put(put(put(b + 4, 2, tcp_bytes), 1, 6), 1, 64);
        memcpy(b + 8, addr[from].b, 16);
        memcpy(b + 24, addr[!from].b, 16);
        pseudo = sum16(6 + tcp_bytes, b + 8, 32);
    } else {
        put(put(b, 2, 0x4500), 2, 20 + tcp_bytes);
        put(put(b + 8, 1, 64), 1, 6);
        memcpy(b + 12, addr[from].b + 12, 4);
        memcpy(b + 16, addr[!from].b + 12, 4);
        store_sum(b + 10, sum16(0, b, 20));
        pseudo = sum16(6 + tcp_bytes, b + 12, 8);
    }
    store_sum(t + 16, sum16(pseudo, t, tcp_bytes));
    sim_inject(p->link, !from, b, (size_t)(t - b) + tcp_bytes, at);
}

const uint8_t *mission_tcp_header(const struct pair *p, const struct pair_segment *s)
{
    assert_non_null(s->frame);
    return s->frame + (p->opts.v6 ? 40 : 20);
}

void mission_play_client(struct pair *p)
{
    sim_node_power(p->node[PAIR_CLIENT], false);
}
