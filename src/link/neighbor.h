/* SPDX-License-Identifier: MIT
 *
 * neighbor.h: what is known about a neighbour's link address: the state machine of RFC 4861 7.3, the same for ARP (RFC 826, RFC 1122 2.3.2)
 * and for Neighbour Discovery.
 *
 *   INCOMPLETE --answer--> REACHABLE --30 s without confirmation--> STALE --a packet goes--> DELAY --5 s--> PROBE --3 silent probes--> (removed)
 *       |                     ^  ^                                                             |            |
 *       +-- 3 tries --> FAILED|  +------------------- confirmed by answer or by TCP's progress +------------+
 *                         +-- 3 s --> (removed)
 *
 * REACHABLE turns STALE when it is next looked at: no timer runs for a neighbour that nobody talks to. `when` is the one deadline of the states
 * that have one (INCOMPLETE, DELAY, PROBE, FAILED). PERMANENT was set by the program and nothing from the network changes it.
 */
#ifndef LINK_NEIGHBOR_H
#define LINK_NEIGHBOR_H

#include <parley/types.h>

/* As shown by pl_neighbor_next. */
enum nud_state { NUD_INCOMPLETE, NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_FAILED };

enum { NUD_TRIES = 3 };                   /* MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT, RFC 4861 10 */
#define NUD_RETRANS_NS   (1 * PL_S)       /* RETRANS_TIMER; RFC 1122 2.3.2.1: not more often than once a second */
#define NUD_DELAY_NS     (5 * PL_S)       /* DELAY_FIRST_PROBE_TIME */
#define NUD_REACHABLE_NS (30 * PL_S)      /* REACHABLE_TIME, multiplied by 0.5 .. 1.5 (MIN_RANDOM_FACTOR, MAX_RANDOM_FACTOR) */
#define NUD_FAILED_NS    (3 * PL_S)       /* how long a failure is remembered */

struct nud {
    uint8_t state, tries;                 /* enum nud_state; requests sent in INCOMPLETE and PROBE */
    uint8_t mac[6];                       /* valid but in INCOMPLETE and FAILED */
    uint32_t reachable_ms;                /* this entry's REACHABLE_TIME */
    uint32_t pad_;
    pl_time confirmed;                    /* when it was last known to be reachable */
    pl_time when;                         /* the next deadline, PL_NEVER: none */
    pl_time used;                         /* when a packet last went: the oldest makes room */
};

/* What the caller has to do now. */
enum nud_act {
    NUD_NOTHING,
    NUD_ASK,                              /* ask everybody: ARP broadcast, or solicited-node multicast */
    NUD_ASK_UNICAST,                      /* ask the known link address whether it is still right */
    NUD_RESOLVED,                         /* the address has become known: what waits may go */
    NUD_GIVE_UP,                          /* FAILED now: what waits gets an error; the entry stays until `when` */
    NUD_REMOVE,                           /* the entry is of no more use */
};

/* A new entry, in INCOMPLETE with nothing asked yet. `spread` is any number that differs between entries: varies the reachable time. */
void nud_init(struct nud *, uint32_t spread);
void nud_set_permanent(struct nud *, const uint8_t mac[6]);
/* A packet wants to go there. NUD_ASK for a new entry; starts DELAY for a stale one. */
enum nud_act nud_wanted(struct nud *, pl_time now);
static inline bool nud_usable(const struct nud *n) { return n->state != NUD_INCOMPLETE && n->state != NUD_FAILED; }
/* The deadline has come (or may have: it is looked at). */
enum nud_act nud_fires(struct nud *, pl_time now);
/* The neighbour's own packet to us names its link address (ARP request, neighbour solicitation): STALE if new, RFC 4861 7.2.3, RFC 826. */
enum nud_act nud_heard(struct nud *, const uint8_t mac[6], pl_time now);
/* An answer: a neighbour advertisement with its flags, RFC 4861 7.2.5; an ARP reply counts as solicited, override. mac NULL: no address in it. */
enum nud_act nud_answered(struct nud *, const uint8_t *mac, bool solicited, bool override, pl_time now);
/* Progress of an upper layer, RFC 4861 7.3.1; repeated retransmission, RFC 1122 2.3.2.1(3). */
void nud_confirm(struct nud *, pl_time now);
enum nud_act nud_doubt(struct nud *, pl_time now);
/* The state as it is at `now`: an old REACHABLE shows as STALE. */
enum nud_state nud_state_now(const struct nud *, pl_time now);
/* How willingly it makes room for another: 0 never, more is better. */
unsigned nud_spare(const struct nud *, pl_time now);
void nud_shift(struct nud *, pl_time by);

#endif
