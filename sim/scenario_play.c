/* SPDX-License-Identifier: MIT
 *
 * scenario_play.c: the statements that say what happens in the network: impair and flow. See scenario.h.
 */
#include "sim/scenario_private.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR (3600 * PL_S)

static const char *const only_words[] = {"data", "ack", "syn", "icmp", NULL};
static const char *const option_words[] = {"mss", "wscale", "sackok", "timestamps", "sack", "uto", "other", NULL};

struct impair_words {
    struct impair_rule rule;
    uint8_t only;
};
#define RULE(field) offsetof(struct impair_words, rule.field)
enum { ONLY, FROM, UNTIL, CHANCE, NTH, COUNT_, MASK, OWN };
#define COMMON                                                                                                                                       \
    {"only", SETTING_WORD, offsetof(struct impair_words, only), 0, 0, only_words}, {"from", SETTING_TIME, RULE(from), 0, 1000 * HOUR, NULL},       \
        {"until", SETTING_TIME, RULE(until), 1, 1000 * HOUR, NULL}, {"chance", SETTING_CHANCE, RULE(per_million), 0, 0, NULL},                      \
        {"nth", SETTING_COUNT, RULE(nth), 1, 0, NULL}, {"count", SETTING_COUNT, RULE(count), 1, 0, NULL}, {"mask", SETTING_MASK, RULE(mask), 0, 0, NULL}

static const struct setting plain[] = {COMMON};
static const struct setting burst[] = {
    {"only", SETTING_WORD, offsetof(struct impair_words, only), 0, 0, only_words}, {"from", SETTING_TIME, RULE(from), 0, 1000 * HOUR, NULL},
    {"until", SETTING_TIME, RULE(until), 1, 1000 * HOUR, NULL}, {"enter", SETTING_CHANCE, RULE(burst_enter), 1, 1000000, NULL},
    {"leave", SETTING_CHANCE, RULE(burst_leave), 1, 1000000, NULL}, {"bad", SETTING_CHANCE, RULE(burst_bad), 0, 0, NULL},
    {"good", SETTING_CHANCE, RULE(burst_good), 0, 0, NULL}};
static const struct setting duplicate[] = {COMMON, {"copies", SETTING_COUNT, RULE(copies), 1, 100, NULL}, {"after", SETTING_TIME, RULE(delay), 0, HOUR, NULL}};
static const struct setting late[] = {COMMON, {"by", SETTING_TIME, RULE(delay), 1, HOUR, NULL}};
static const struct setting reorder[] = {COMMON, {"behind", SETTING_COUNT, RULE(behind), 1, 1000000, NULL}, {"hold", SETTING_TIME, RULE(delay), 1, HOUR, NULL}};
static const struct setting strip[] = {COMMON, {"options", SETTING_WORDS, RULE(options), 0, 0, option_words}};

static const struct {
    const char *name;
    uint8_t kind;
    const struct setting *table;
    size_t n;
    const char *needs;                    /* the first of its own settings must be there */
} impairs[] = {
    {"loss", IMPAIR_DROP, plain, COUNT(plain), NULL},
    {"burst", IMPAIR_DROP, burst, COUNT(burst), "enter"},
    {"duplicate", IMPAIR_DUPLICATE, duplicate, COUNT(duplicate), NULL},
    {"delay", IMPAIR_DELAY, late, COUNT(late), "by"},
    {"reorder", IMPAIR_REORDER, reorder, COUNT(reorder), "behind"},
    {"corrupt", IMPAIR_CORRUPT, plain, COUNT(plain), NULL},
    {"strip", IMPAIR_STRIP, strip, COUNT(strip), "options"},
    {"bleach-ecn", IMPAIR_BLEACH, plain, COUNT(plain), NULL},
    {"mark-ecn", IMPAIR_MARK, plain, COUNT(plain), NULL},
    {"block-icmp", IMPAIR_DROP, plain, COUNT(plain), NULL},
};

static bool selection(struct reader *r, struct impair_words *w, uint32_t set)
{
    unsigned ways = (set >> CHANCE & 1) + (set >> NTH & 1) + (set >> MASK & 1);
    if (ways > 1) return reader_fail(r, "chance, nth and mask exclude each other");
    if (set >> COUNT_ & 1 && !(set >> NTH & 1)) return reader_fail(r, "count goes with nth");
    if (set >> MASK & 1) w->rule.masked = true;
    /* A chance of 0 selects none, while no selection would select all. */
    if (set >> CHANCE & 1 && !w->rule.per_million) w->rule.masked = true;
    return true;
}

bool statement_impair(struct reader *r)
{
    struct scenario *s = r->s;
    struct impair_words w = {.rule = {.bit = IMPAIR_ANY_BIT, .burst_bad = 1000000}};
    unsigned link, ways, k = 0;
    uint32_t set;
    if (!reader_way(r, r->word[1], &link, &ways)) return false;
    while (k < COUNT(impairs) && strcmp(impairs[k].name, r->word[2]))
        k++;
    if (k == COUNT(impairs)) {
        char known[200] = "";
        for (k = 0; k < COUNT(impairs); k++)
            strcat(strcat(known, " "), impairs[k].name);
        return reader_fail(r, "there is no impairment \"%s\"; there is%s", r->word[2], known);
    }
    bool is_burst = impairs[k].table == burst, icmp = !strcmp(impairs[k].name, "block-icmp");
    if (!reader_settings(r, 3, impairs[k].table, impairs[k].n, &w, &set)) return false;
    if (is_burst && (~set & (1u << CHANCE | 1u << NTH))) return reader_fail(r, "burst needs enter=CHANCE and leave=CHANCE");
    if (!is_burst && impairs[k].needs && !(set >> OWN & 1)) return reader_fail(r, "%s needs %s=...", impairs[k].name, impairs[k].needs);
    if (!is_burst && !selection(r, &w, set)) return false;
    if (icmp && set >> ONLY & 1) return reader_fail(r, "block-icmp is about ICMP only");
    if (set >> UNTIL & 1 && w.rule.until <= w.rule.from) return reader_fail(r, "it ends before it begins");
    unsigned here = 0;
    for (unsigned i = 0; i < s->rules; i++)
        here += s->rule[i].link == link;
    if (s->rules == SCENARIO_RULES_MAX || here == IMPAIR_RULES_MAX) return reader_fail(r, "more than %d impairments, or %d of one link", SCENARIO_RULES_MAX, IMPAIR_RULES_MAX);
    w.rule.kind = impairs[k].kind;
    uint8_t only = icmp ? 1 + MATCH_ICMP : set >> ONLY & 1 ? (uint8_t)(w.only + 1) : 0;
    s->rule[s->rules++] = (struct scenario_rule){.link = link, .ways = ways, .rule = w.rule, .only = only};
    return true;
}

/* ---------------------------------------- flows ---------------------------------------- */

#define PLAN(field) offsetof(struct scenario_flow, plan.field)
#define FLOW                                                                                                                                         \
    {"name", SETTING_NAME, offsetof(struct scenario_flow, name), 0, 0, NULL}, {"start", SETTING_TIME, PLAN(start), 0, 1000 * HOUR, NULL},          \
        {"stop", SETTING_TIME, PLAN(stop), 1, 1000 * HOUR, NULL}, {"v6", SETTING_ON, PLAN(v6), 0, 0, NULL},                                        \
        {"cc", SETTING_WORD, PLAN(cc), 0, 0, scenario_cc_words}
enum { NAME, START, STOP, V6, CC, FIRST, SECOND };
static const struct setting bulk[] = {FLOW, {"bytes", SETTING_BYTES, PLAN(bytes), 1, 0, NULL}};
static const struct setting request[] = {FLOW, {"size", SETTING_BYTES, PLAN(request), 1, 1 << 30, NULL}, {"answer", SETTING_BYTES, PLAN(answer), 1, 1 << 30, NULL},
    {"think", SETTING_TIME, PLAN(think), 0, HOUR, NULL}, {"count", SETTING_COUNT, PLAN(count), 1, 0, NULL}};
static const struct setting rated[] = {FLOW, {"rate", SETTING_RATE, PLAN(rate), 8, 100000000000, NULL}, {"bytes", SETTING_BYTES, PLAN(bytes), 1, 0, NULL}};
static const struct setting onoff[] = {FLOW, {"on", SETTING_TIME, PLAN(on), PL_MS, HOUR, NULL}, {"off", SETTING_TIME, PLAN(off), PL_MS, HOUR, NULL},
    {"rate", SETTING_RATE, PLAN(rate), 8, 100000000000, NULL}, {"bytes", SETTING_BYTES, PLAN(bytes), 1, 0, NULL}};

static const struct {
    const char *name;
    uint8_t kind;
    const struct setting *table;
    size_t n;
    uint32_t needs;
    const char *form;
} kinds[] = {
    {"bulk", TRAFFIC_BULK, bulk, COUNT(bulk), 0, ""},
    {"request", TRAFFIC_REQUEST, request, COUNT(request), 1u << FIRST | 1u << SECOND, "size=BYTES and answer=BYTES"},
    {"rated", TRAFFIC_RATED, rated, COUNT(rated), 1u << FIRST, "rate=RATE"},
    {"onoff", TRAFFIC_ONOFF, onoff, COUNT(onoff), 1u << FIRST | 1u << SECOND, "on=TIME and off=TIME"},
};

bool statement_flow(struct reader *r)
{
    struct scenario *s = r->s;
    struct scenario_flow f = {.line = r->line};
    unsigned k = 0;
    uint32_t set;
    for (unsigned i = 0; i < 2; i++) {
        if (!reader_node(r, r->word[1 + i], &f.node[i])) return false;
        if (s->node[f.node[i]].router) return reader_fail(r, "%s is a router: flows go from host to host", r->word[1 + i]);
    }
    if (f.node[0] == f.node[1]) return reader_fail(r, "a flow goes from one host to another");
    while (k < COUNT(kinds) && strcmp(kinds[k].name, r->word[3]))
        k++;
    if (k == COUNT(kinds)) return reader_fail(r, "there is no flow \"%s\"; there is bulk request rated onoff", r->word[3]);
    if (!reader_settings(r, 4, kinds[k].table, kinds[k].n, &f, &set)) return false;
    if ((set & kinds[k].needs) != kinds[k].needs) return reader_fail(r, "%s needs %s", kinds[k].name, kinds[k].form);
    if (set >> STOP & 1 && f.plan.stop <= f.plan.start) return reader_fail(r, "it stops before it starts");
    if (s->flows == SCENARIO_FLOWS_MAX) return reader_fail(r, "more than %d flows", SCENARIO_FLOWS_MAX);
    if (!(set >> NAME & 1)) snprintf(f.name, sizeof f.name, "flow%u", s->flows + 1);
    for (unsigned i = 0; i < s->flows; i++)
        if (!strcmp(s->flow[i].name, f.name)) return reader_fail(r, "a flow named %s stands in line %u already", f.name, s->flow[i].line);
    f.plan.kind = kinds[k].kind;
    f.plan.cc_given = set >> CC & 1;
    s->flow[s->flows++] = f;
    return true;
}
