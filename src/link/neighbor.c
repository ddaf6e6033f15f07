/* SPDX-License-Identifier: MIT
 *
 * neighbor.c: the states of RFC 4861 7.3.2 and what moves between them. Says what has to be sent; sends nothing.
 */
#include "link/neighbor.h"
#include <string.h>

static bool expired(const struct nud *n, pl_time now)
{
    return n->state == NUD_REACHABLE && now >= n->confirmed + n->reachable_ms * PL_MS;
}

static void rest(struct nud *n, enum nud_state state)
{
    n->state = (uint8_t)state;
    n->tries = 0;
    n->when = PL_NEVER;
}

static void reach(struct nud *n, pl_time now)
{
    rest(n, NUD_REACHABLE);
    n->confirmed = now;
}

void nud_init(struct nud *n, uint32_t spread)
{
    *n = (struct nud){.state = NUD_INCOMPLETE, .when = PL_NEVER};
    /* RFC 4861 6.3.2: between half and one and a half of the base, so that neighbours' probes do not fall in step */
    n->reachable_ms = (uint32_t)(NUD_REACHABLE_NS / PL_MS / 2) + spread % (uint32_t)(NUD_REACHABLE_NS / PL_MS + 1);
}

void nud_set_permanent(struct nud *n, const uint8_t mac[6])
{
    rest(n, NUD_PERMANENT);
    memcpy(n->mac, mac, 6);
}

/* One more request: the next one is due a second later. */
static enum nud_act ask(struct nud *n, enum nud_state state, pl_time now)
{
    n->state = (uint8_t)state;
    n->tries++;
    n->when = now + NUD_RETRANS_NS;
    return state == NUD_PROBE ? NUD_ASK_UNICAST : NUD_ASK;
}

enum nud_act nud_wanted(struct nud *n, pl_time now)
{
    n->used = now;
    if (n->state == NUD_INCOMPLETE && n->tries == 0)
        return ask(n, NUD_INCOMPLETE, now);
    if (n->state == NUD_STALE || expired(n, now)) {
        /* RFC 4861 7.3.3: the packet goes to the address that is known; if nothing confirms it within the delay, it is probed */
        n->state = NUD_DELAY;
        n->tries = 0;
        n->when = now + NUD_DELAY_NS;
    }
    return NUD_NOTHING;
}

enum nud_act nud_fires(struct nud *n, pl_time now)
{
    if (now < n->when)
        return NUD_NOTHING;
    switch (n->state) {
    case NUD_INCOMPLETE:
        if (n->tries < NUD_TRIES)
            return ask(n, NUD_INCOMPLETE, now);
        /* RFC 4861 7.2.2: resolution failed; remembered for a while so that not every packet asks anew */
        n->state = NUD_FAILED;
        n->when = now + NUD_FAILED_NS;
        return NUD_GIVE_UP;
    case NUD_DELAY:
        n->tries = 0;
        return ask(n, NUD_PROBE, now);
    case NUD_PROBE:
        /* RFC 4861 7.3.3: no answer to the probes: the entry goes, and the next packet resolves the next hop again */
        return n->tries < NUD_TRIES ? ask(n, NUD_PROBE, now) : NUD_REMOVE;
    case NUD_FAILED:
        return NUD_REMOVE;
    default:
        return NUD_NOTHING;
    }
}

enum nud_act nud_heard(struct nud *n, const uint8_t mac[6], pl_time now)
{
    if (n->state == NUD_PERMANENT)
        return NUD_NOTHING;
    bool known = nud_usable(n);
    if (known && memcmp(n->mac, mac, 6) == 0)
        return NUD_NOTHING;
    /* RFC 4861 7.2.3: a new or changed address, not proven in both directions: STALE */
    memcpy(n->mac, mac, 6);
    rest(n, NUD_STALE);
    if (known)
        return NUD_NOTHING;
    n->used = now;
    return NUD_RESOLVED;
}

enum nud_act nud_answered(struct nud *n, const uint8_t *mac, bool solicited, bool override, pl_time now)
{
    if (n->state == NUD_PERMANENT)
        return NUD_NOTHING;
    if (!nud_usable(n)) {
        if (mac == NULL)                  /* RFC 4861 7.2.5: on a link that has addresses, an answer without one says nothing */
            return NUD_NOTHING;
        memcpy(n->mac, mac, 6);
        rest(n, NUD_STALE);
        if (solicited)
            reach(n, now);
        return NUD_RESOLVED;
    }
    bool differs = mac != NULL && memcmp(n->mac, mac, 6) != 0;
    if (differs && !override) {
        /* RFC 4861 7.2.5 I.: somebody else claims the address without the right to override: only doubt what is known */
        if (n->state == NUD_REACHABLE)
            rest(n, NUD_STALE);
        return NUD_NOTHING;
    }
    if (differs)
        memcpy(n->mac, mac, 6);
    if (solicited)
        reach(n, now);
    else if (differs)
        rest(n, NUD_STALE);
    return NUD_NOTHING;
}

void nud_confirm(struct nud *n, pl_time now)
{
    if (n->state == NUD_REACHABLE)
        n->confirmed = now;
    else if (n->state == NUD_STALE || n->state == NUD_DELAY || n->state == NUD_PROBE)
        reach(n, now);
}

enum nud_act nud_doubt(struct nud *n, pl_time now)
{
    if (n->state != NUD_REACHABLE && n->state != NUD_STALE && n->state != NUD_DELAY)
        return NUD_NOTHING;
    n->tries = 0;
    return ask(n, NUD_PROBE, now);
}

enum nud_state nud_state_now(const struct nud *n, pl_time now) { return expired(n, now) ? NUD_STALE : (enum nud_state)n->state; }

unsigned nud_spare(const struct nud *n, pl_time now)
{
    switch (nud_state_now(n, now)) {
    case NUD_FAILED:
        return 3;
    case NUD_STALE:
        return 2;
    case NUD_REACHABLE:
        return now - n->used > NUD_DELAY_NS ? 1 : 0;
    default:
        return 0;
    }
}

void nud_shift(struct nud *n, pl_time by)
{
    n->confirmed += by;
    n->used += by;
    if (n->when != PL_NEVER)
        n->when += by;
}
