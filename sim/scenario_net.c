/* SPDX-License-Identifier: MIT
 *
 * scenario_net.c: the statements that make the network, and those that change it later: host, router, link, way, at. See scenario.h.
 */
#include "sim/scenario_private.h"
#include <parley/cc.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR (3600 * PL_S)

static struct scenario_node *add_node(struct reader *r)
{
    struct scenario *s = r->s;
    const char *name = r->word[1];
    if (!setting_is_name(name)) {
        reader_fail(r, "\"%s\" is no name: up to 15 letters, digits, - and _", name);
        return NULL;
    }
    for (unsigned i = 0; i < s->nodes; i++)
        if (!strcmp(s->node[i].name, name)) {
            reader_fail(r, "%s was named in line %u already", name, s->node[i].line);
            return NULL;
        }
    if (s->nodes == SIM_NODES_MAX) {
        reader_fail(r, "more than %d hosts and routers", SIM_NODES_MAX);
        return NULL;
    }
    struct scenario_node *n = &s->node[s->nodes];
    memset(n, 0, sizeof *n);
    strcpy(n->name, name);
    n->line = r->line;
    n->router = !strcmp(r->word[0], "router");
    n->number = 1;
    for (unsigned i = 0; i < s->nodes; i++)
        n->number += s->node[i].router == n->router;
    s->nodes++;
    return n;
}

const char *const scenario_cc_words[] = {[PL_CC_NEWRENO] = "newreno", [PL_CC_CUBIC] = "cubic", [PL_CC_BBR] = "bbr", [PL_CC_NONE] = "none", NULL};

static const struct setting host_settings[] = {
    {"cc", SETTING_WORD, offsetof(struct scenario_host, cc), 0, 0, scenario_cc_words},
    {"sndbuf", SETTING_BYTES, offsetof(struct scenario_host, sndbuf), 2048, 1 << 30, NULL},
    {"rcvbuf", SETTING_BYTES, offsetof(struct scenario_host, rcvbuf), 2048, 1 << 30, NULL},
    {"sndbuf-max", SETTING_BYTES, offsetof(struct scenario_host, sndbuf_max), 2048, 1 << 30, NULL},
    {"rcvbuf-max", SETTING_BYTES, offsetof(struct scenario_host, rcvbuf_max), 2048, 1 << 30, NULL},
    {"timestamps", SETTING_ON, offsetof(struct scenario_host, timestamps), 0, 0, NULL},
    {"sack", SETTING_ON, offsetof(struct scenario_host, sack), 0, 0, NULL},
    {"wscale", SETTING_ON, offsetof(struct scenario_host, window_scaling), 0, 0, NULL},
    {"csum-offload", SETTING_ON, offsetof(struct scenario_host, csum_offload), 0, 0, NULL},
    {"delayed-ack", SETTING_TIME, offsetof(struct scenario_host, delayed_ack), PL_MS, 500 * PL_MS, NULL},
    {"rto-min", SETTING_TIME, offsetof(struct scenario_host, rto_min), PL_MS, 60 * PL_S, NULL},
};

bool statement_host(struct reader *r)
{
    struct scenario_node *n = add_node(r);
    struct pl_config c;
    if (!n) return false;
    pl_config_default(&c, sizeof c);
    struct scenario_host *h = &n->host;
    *h = (struct scenario_host){.timestamps = c.timestamps, .sack = c.sack, .window_scaling = c.window_scaling, .cc = c.congestion_control, .delayed_ack = c.delayed_ack,
        .rto_min = c.rto_min};
    if (!reader_settings(r, 2, host_settings, COUNT(host_settings), h, NULL)) return false;
    if (h->sndbuf && h->sndbuf_max && h->sndbuf_max < h->sndbuf) return reader_fail(r, "sndbuf-max is less than sndbuf");
    if (h->rcvbuf && h->rcvbuf_max && h->rcvbuf_max < h->rcvbuf) return reader_fail(r, "rcvbuf-max is less than rcvbuf");
    /* A size without a largest one is fixed; a largest one without a size, the first size if it is less than the usual. */
    if (!h->sndbuf && h->sndbuf_max && h->sndbuf_max < c.sndbuf_bytes) h->sndbuf = h->sndbuf_max;
    if (!h->rcvbuf && h->rcvbuf_max && h->rcvbuf_max < c.rcvbuf_bytes) h->rcvbuf = h->rcvbuf_max;
    if (!h->sndbuf_max) h->sndbuf_max = h->sndbuf ? 0 : c.sndbuf_max;
    if (!h->rcvbuf_max) h->rcvbuf_max = h->rcvbuf ? 0 : c.rcvbuf_max;
    if (!h->sndbuf) h->sndbuf = c.sndbuf_bytes;
    if (!h->rcvbuf) h->rcvbuf = c.rcvbuf_bytes;
    return true;
}

bool statement_router(struct reader *r)
{
    return add_node(r) != NULL;
}

static const char *const queue_words[] = {"droptail", "codel", NULL};

static const struct setting link_settings[] = {
    {"rate", SETTING_RATE, offsetof(struct sim_link_params, rate), 8, 100000000000, NULL},
    {"delay", SETTING_TIME, offsetof(struct sim_link_params, delay), 0, HOUR, NULL},
    {"jitter", SETTING_TIME, offsetof(struct sim_link_params, jitter), 0, HOUR, NULL},
    {"jitter-reorders", SETTING_ON, offsetof(struct sim_link_params, jitter_reorders), 0, 0, NULL},
    {"queue", SETTING_COUNT, offsetof(struct sim_link_params, queue_packets), 1, 0, NULL},
    {"queue-bytes", SETTING_BYTES, offsetof(struct sim_link_params, queue_bytes), 1, 0, NULL},
    {"aqm", SETTING_WORD, offsetof(struct sim_link_params, queue), 0, 0, queue_words},
    {"target", SETTING_TIME, offsetof(struct sim_link_params, codel_target), PL_US, HOUR, NULL},
    {"interval", SETTING_TIME, offsetof(struct sim_link_params, codel_interval), PL_US, HOUR, NULL},
    {"ecn", SETTING_ON, offsetof(struct sim_link_params, ecn), 0, 0, NULL},
    {"mtu", SETTING_COUNT, offsetof(struct sim_link_params, mtu), 576, 65535, NULL},
};

static bool fits(struct reader *r, const struct sim_link_params *p)
{
    if (p->queue != SIM_CODEL && (p->ecn || p->codel_target || p->codel_interval)) return reader_fail(r, "target, interval and ecn are CoDel's: aqm=codel");
    return true;
}

bool statement_link(struct reader *r)
{
    struct scenario *s = r->s;
    struct scenario_link *l = &s->link[s->links];
    unsigned node[2];
    if (!reader_node(r, r->word[1], &node[0]) || !reader_node(r, r->word[2], &node[1])) return false;
    if (node[0] == node[1]) return reader_fail(r, "a link has two ends");
    if (s->links == SIM_LINKS_MAX) return reader_fail(r, "more than %d links", SIM_LINKS_MAX);
    for (unsigned i = 0; i < s->links; i++)
        if ((s->link[i].node[0] == node[0] && s->link[i].node[1] == node[1]) || (s->link[i].node[0] == node[1] && s->link[i].node[1] == node[0]))
            return reader_fail(r, "%s and %s were linked in line %u already", r->word[1], r->word[2], s->link[i].line);
    for (unsigned i = 0; i < 2; i++) {
        struct scenario_node *n = &s->node[node[i]];
        if (!n->router && n->links) return reader_fail(r, "host %s has a link already; what has several is a router", n->name);
        if (n->links == SIM_IFACES_MAX) return reader_fail(r, "router %s has %d links already", n->name, SIM_IFACES_MAX);
    }
    memset(l, 0, sizeof *l);
    l->params[0].mtu = 1500;
    if (!reader_settings(r, 3, link_settings, COUNT(link_settings), &l->params[0], NULL) || !fits(r, &l->params[0])) return false;
    l->params[1] = l->params[0];
    l->line = r->line;
    for (unsigned i = 0; i < 2; i++)
        s->node[l->node[i] = node[i]].links++;
    strcat(strcat(strcpy(l->name, r->word[1]), "-"), r->word[2]);
    /* a-b to c and a to b-c: the capture files must not be the same one. */
    for (unsigned i = 0; i < s->links; i++)
        if (!strcmp(s->link[i].name, l->name)) {
            sprintf(l->name + strlen(l->name), ".%u", s->links + 1);
            break;
        }
    s->links++;
    return true;
}

bool statement_way(struct reader *r)
{
    unsigned link, ways;
    if (!reader_way(r, r->word[1], &link, &ways)) return false;
    for (unsigned i = 0; i < 2; i++) {
        struct sim_link_params *p = &r->s->link[link].params[i];
        if (ways >> i & 1 && (!reader_settings(r, 2, link_settings, COUNT(link_settings), p, NULL) || !fits(r, p))) return false;
    }
    return true;
}

static bool add_change(struct reader *r, struct scenario_change *c)
{
    struct scenario *s = r->s;
    bool down = !strcmp(r->word[3], "down"), up = !strcmp(r->word[3], "up");
    if (down || up) {
        if (r->words > 4) return reader_fail(r, "nothing may follow \"%s\"", r->word[3]);
        c->deed = down ? SCENARIO_DOWN : SCENARIO_UP;
        return true;
    }
    c->deed = SCENARIO_SET;
    if (!reader_settings(r, 3, link_settings, COUNT(link_settings), &c->params, &c->set)) return false;
    /* What would be CoDel's without CoDel is judged after all changes before it in the text. */
    for (unsigned way = 0; way < 2; way++) {
        struct sim_link_params p = s->link[c->link].params[way];
        for (unsigned i = 0; i < s->changes; i++)
            if (s->change[i].link == c->link && s->change[i].ways >> way & 1) scenario_apply(&s->change[i], &p);
        scenario_apply(c, &p);
        if (c->ways >> way & 1 && !fits(r, &p)) return false;
    }
    return true;
}

bool statement_at(struct reader *r)
{
    struct scenario *s = r->s;
    struct scenario_change c = {0};
    if (!setting_value(SETTING_TIME, r->word[1], &c.at) || c.at > 1000 * HOUR) return reader_fail(r, "at %s: expected a time such as 20ms or 1.5s, at most 1000h", r->word[1]);
    if (!reader_way(r, r->word[2], &c.link, &c.ways)) return false;
    if (s->changes == SCENARIO_CHANGES_MAX) return reader_fail(r, "more than %d changes", SCENARIO_CHANGES_MAX);
    if (!add_change(r, &c)) return false;
    s->change[s->changes++] = c;
    return true;
}

static size_t bytes_of(enum setting_type type)
{
    switch (type) {
    case SETTING_ON:
    case SETTING_WORD: return 1;
    case SETTING_COUNT:
    case SETTING_CHANCE: return 4;
    default: return 8;
    }
}

void scenario_apply(const struct scenario_change *c, struct sim_link_params *p)
{
    for (unsigned i = 0; i < COUNT(link_settings); i++)
        if (c->set >> i & 1)
            memcpy((char *)p + link_settings[i].offset, (const char *)&c->params + link_settings[i].offset, bytes_of(link_settings[i].type));
}
