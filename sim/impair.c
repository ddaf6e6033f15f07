/* SPDX-License-Identifier: MIT
 *
 * impair.c: rules applied to frames one by one. See impair.h.
 *
 * Each rule throws a die of its own, seeded by the impairment's seed and the rule's number: adding a rule changes no other rule's luck.
 */
#include "sim/impair.h"
#include "sim/header.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void impair_init(struct impair *im, uint64_t seed)
{
    memset(im, 0, sizeof *im);
    im->seed = seed;
}

void impair_free(struct impair *im)
{
    for (unsigned i = 0; i < im->nheld; i++)
        packet_free(im->held[i].packet);
    im->nheld = 0;
}

struct impair_rule *impair_add(struct impair *im, const struct impair_rule *rule)
{
    if (im->rules == IMPAIR_RULES_MAX) return NULL;
    struct impair_rule *r = &im->rule[im->rules];
    *r = *rule;
    r->seen = r->hit = 0;
    sim_prng_seed(&r->prng, sim_prng_mix(im->seed, im->rules + 1));
    im->rules++;
    return r;
}

struct impair_rule *impair_drop_nth(struct impair *im, uint32_t n)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_DROP, .nth = n});
}

struct impair_rule *impair_drop_mask(struct impair *im, uint64_t mask)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_DROP, .mask = mask, .masked = true});
}

struct impair_rule *impair_drop_if(struct impair *im, impair_match_fn *match, void *user)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_DROP, .match = match, .match_user = user});
}

struct impair_rule *impair_loss(struct impair *im, uint32_t per_million)
{
    struct impair_rule rule = {.kind = IMPAIR_DROP, .per_million = per_million};
    if (!per_million) rule.masked = true;              /* chance 0 selects none, while "no selection" would select all */
    return impair_add(im, &rule);
}

struct impair_rule *impair_duplicate_nth(struct impair *im, uint32_t n)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_DUPLICATE, .nth = n, .copies = 1});
}

struct impair_rule *impair_delay_nth(struct impair *im, uint32_t n, pl_time by)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_DELAY, .nth = n, .delay = by});
}

struct impair_rule *impair_reorder_nth(struct impair *im, uint32_t n, uint32_t behind)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_REORDER, .nth = n, .behind = behind, .delay = IMPAIR_HOLD_DEFAULT});
}

struct impair_rule *impair_corrupt_nth(struct impair *im, uint32_t n, uint32_t bit)
{
    return impair_add(im, &(struct impair_rule){.kind = IMPAIR_CORRUPT, .nth = n, .bit = bit});
}

static bool chance(struct impair_rule *r, uint32_t per_million)
{
    return sim_prng_below(&r->prng, 1000000) < per_million;
}

/* The chain makes its step, then the frame its luck in the state reached. */
static bool burst_selects(struct impair_rule *r)
{
    if (chance(r, r->in_burst ? r->burst_leave : r->burst_enter)) r->in_burst = !r->in_burst;
    return chance(r, r->in_burst ? r->burst_bad : r->burst_good);
}

static bool rule_selects(struct impair_rule *r, const struct packet *p, pl_time now)
{
    if (now < r->from || (r->until && now >= r->until)) return false;
    if (r->match && !r->match(r->match_user, p)) return false;
    uint64_t number = ++r->seen;
    bool hit = true;
    if (r->nth) {
        hit = number >= r->nth && number - r->nth < (r->count ? r->count : 1);
    } else if (r->masked) {
        hit = number <= 64 && (r->mask >> (number - 1) & 1);
    } else if (r->burst_enter) {
        hit = burst_selects(r);
    } else if (r->per_million) {
        hit = chance(r, r->per_million);
    }
    r->hit += hit;
    return hit;
}

static void list_add(struct impair_list *list, struct packet *p, pl_time extra)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct impair_out *out = realloc(list->out, capacity * sizeof *out);
        if (!out) {
            fputs("impair: out of memory\n", stderr);
            abort();
        }
        list->out = out;
        list->capacity = capacity;
    }
    list->out[list->n++] = (struct impair_out){p, extra};
}

static void corrupt(struct impair_rule *r, struct packet *p)
{
    if (!p->len) return;
    uint64_t bits = (uint64_t)p->len * 8;
    uint64_t bit = r->bit == IMPAIR_ANY_BIT ? sim_prng_below(&r->prng, bits > UINT32_MAX ? UINT32_MAX : (uint32_t)bits) : r->bit % bits;
    p->bytes[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
    p->flags &= (uint8_t)~(PL_F_CSUM_OK | PL_F_CSUM_PARTIAL);
}

/* False if the rule was to change the frame and found nothing to change. */
static bool changes(const struct impair *im, struct impair_rule *r, struct packet *p)
{
    switch (r->kind) {
    case IMPAIR_CORRUPT: corrupt(r, p); return true;
    case IMPAIR_STRIP: return header_strip(p, im->ethernet, r->options);
    case IMPAIR_BLEACH: return header_bleach(p, im->ethernet);
    case IMPAIR_MARK: return header_mark(p, im->ethernet);
    default: return true;
    }
}

/* One frame has passed: those that wait for it come one nearer, and leave right behind it when their count is full. */
static void release_overtaken(struct impair *im, struct impair_list *list)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < im->nheld; i++) {
        struct impair_held *h = &im->held[i];
        if (--h->left == 0) {
            list_add(list, h->packet, 0);
        } else {
            im->held[kept++] = *h;
        }
    }
    im->nheld = kept;
}

void impair_push(struct impair *im, struct packet *p, pl_time now, struct impair_list *list)
{
    pl_time extra = 0, gap = 0, hold = 0;
    uint32_t copies = 0, behind = 0;
    list->did = 0;
    for (unsigned i = 0; i < im->rules; i++) {
        struct impair_rule *r = &im->rule[i];
        if (!rule_selects(r, p, now)) continue;
        if (!changes(im, r, p)) continue;
        list->did |= 1u << r->kind;
        switch (r->kind) {
        case IMPAIR_DUPLICATE: copies += r->copies ? r->copies : 1, gap = r->delay; break;
        case IMPAIR_DELAY: extra += r->delay; break;
        case IMPAIR_REORDER: behind = r->behind, hold = r->delay; break;
        default: break;
        }
    }
    if (list->did & 1u << IMPAIR_DROP) {
        packet_free(p);
        return;
    }
    bool held = behind && im->nheld < IMPAIR_HELD_MAX;
    if (!held) list_add(list, p, extra);
    for (uint32_t i = 1; i <= copies; i++) {
        struct packet *twin = packet_copy(p);
        twin->copy = i;
        list_add(list, twin, extra + i * gap);
    }
    if (!held || copies) release_overtaken(im, list);
    /* Last, so that a frame does not count as one that overtakes itself. */
    if (held) im->held[im->nheld++] = (struct impair_held){p, behind, now + (hold ? hold : IMPAIR_HOLD_DEFAULT)};
}

pl_time impair_deadline(const struct impair *im)
{
    pl_time first = PL_NEVER;
    for (unsigned i = 0; i < im->nheld; i++)
        if (im->held[i].until < first) first = im->held[i].until;
    return first;
}

void impair_release(struct impair *im, pl_time now, struct impair_list *list)
{
    unsigned kept = 0;
    list->did = 0;
    for (unsigned i = 0; i < im->nheld; i++) {
        if (im->held[i].until <= now) {
            list_add(list, im->held[i].packet, 0);
        } else {
            im->held[kept++] = im->held[i];
        }
    }
    im->nheld = kept;
}

void impair_list_clear(struct impair_list *list)
{
    list->n = 0;
    list->did = 0;
}

void impair_list_free(struct impair_list *list)
{
    free(list->out);
    memset(list, 0, sizeof *list);
}
