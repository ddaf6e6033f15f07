/* SPDX-License-Identifier: MIT
 *
 * impair.h: what a bad network does to frames: loses, repeats, delays, reorders and corrupts them.
 *
 * It stands alone: a frame goes in, a list of (frame, extra delay) comes out, and time is an argument. Simulated links use one per
 * direction; a fault wrapper around a real driver uses the same.
 *
 * An impairment is a list of rules. Each rule looks at every frame in turn: `match` narrows it to some frames, and those it counts. Of the
 * counted frames it selects some: the nth and the `count` from there on; or those whose bit is set in a mask; or each with a chance;
 * or in bursts (Gilbert and Elliott's chain of a good and a bad state); or, if none of these is given, all. With from and until it looks only at frames of
 * that time. What is selected suffers what the rule says. Every rule counts every frame, also one that another
 * rule drops, so rules can be written down independently of each other.
 */
#ifndef SIM_IMPAIR_H
#define SIM_IMPAIR_H

#include "sim/packet.h"
#include "sim/prng.h"

enum impair_kind {
    IMPAIR_DROP,
    IMPAIR_DUPLICATE,                     /* `copies` more of it, each `delay` after the one before */
    IMPAIR_DELAY,                         /* arrives `delay` later than it would; frames behind it overtake it */
    IMPAIR_REORDER,                       /* is held until `behind` more frames have passed, but `delay` at most */
    IMPAIR_CORRUPT,                       /* bit number `bit` is inverted, counted from the first bit of the frame; IMPAIR_ANY_BIT: a die */
    /* Habits of boxes in the middle. */
    IMPAIR_STRIP,                         /* TCP options, bits of enum header_option in `options`, become NOPs */
    IMPAIR_BLEACH,                        /* the ECN field becomes Not-ECT */
    IMPAIR_MARK,                          /* a frame of an ECN-capable transport is marked: CE */
};
#define IMPAIR_ANY_BIT UINT32_MAX
#define IMPAIR_HOLD_DEFAULT (1 * PL_S)    /* how long a reordered frame waits for frames to overtake it */

typedef bool impair_match_fn(void *user, const struct packet *);

struct impair_rule {
    uint8_t kind;                         /* enum impair_kind */
    impair_match_fn *match;               /* NULL: every frame */
    void *match_user;
    uint32_t nth, count;                  /* counted from 1; count 0 counts as 1 */
    uint64_t mask;                        /* bit i: the (i + 1)th; frames behind the 64th are not selected */
    bool masked;                          /* the mask is used, even if it is zero */
    uint32_t per_million;                 /* chance */
    /* Gilbert-Elliott, used if burst_enter is not 0: chances per million. Before each frame the state may change: good to bad with burst_enter, bad to good with
     * burst_leave (so bursts last 1 / leave frames on average); the frame is selected with burst_bad or burst_good. It begins in the good state. */
    uint32_t burst_enter, burst_leave, burst_bad, burst_good;
    pl_time from, until;                  /* until 0: for ever */
    pl_time delay;
    uint32_t behind, copies, bit, options;
    /* kept by impair */
    uint64_t seen, hit;                   /* frames counted, frames selected */
    struct sim_prng prng;
    bool in_burst;
};

struct impair_held {
    struct packet *packet;
    uint32_t left;                        /* frames that may still overtake it */
    pl_time until;
};

#define IMPAIR_RULES_MAX 32
#define IMPAIR_HELD_MAX 64

struct impair {
    uint64_t seed;
    bool ethernet;                        /* frames begin with an Ethernet header: for what reads them */
    struct impair_rule rule[IMPAIR_RULES_MAX];
    unsigned rules;
    struct impair_held held[IMPAIR_HELD_MAX];
    unsigned nheld;
};

/* What came out. Bits of `did` say what happened to the frame that went in: 1 << enum impair_kind. */
struct impair_out {
    struct packet *packet;                /* the reader's; packet_free */
    pl_time extra;                        /* on top of the link's own delay */
};
struct impair_list {
    struct impair_out *out;
    size_t n, capacity;
    uint32_t did;
};

void impair_init(struct impair *, uint64_t seed);
void impair_free(struct impair *);        /* drops what is held */
/* Adds a copy of the rule; NULL: IMPAIR_RULES_MAX are in use. The result may be changed until the first frame. */
struct impair_rule *impair_add(struct impair *, const struct impair_rule *);
/* The common ones. n counts from 1. */
struct impair_rule *impair_drop_nth(struct impair *, uint32_t n);
struct impair_rule *impair_drop_mask(struct impair *, uint64_t mask);
struct impair_rule *impair_drop_if(struct impair *, impair_match_fn *, void *user);
struct impair_rule *impair_loss(struct impair *, uint32_t per_million);
struct impair_rule *impair_duplicate_nth(struct impair *, uint32_t n);
struct impair_rule *impair_delay_nth(struct impair *, uint32_t n, pl_time by);
struct impair_rule *impair_reorder_nth(struct impair *, uint32_t n, uint32_t behind);
struct impair_rule *impair_corrupt_nth(struct impair *, uint32_t n, uint32_t bit);

/* Takes the packet over and appends to the list (which the caller cleared) what leaves in its place now: nothing, it, its copies, and
 * frames held earlier whose time has come, in order. */
void impair_push(struct impair *, struct packet *, pl_time now, struct impair_list *);
pl_time impair_deadline(const struct impair *);        /* when impair_release is wanted; PL_NEVER */
void impair_release(struct impair *, pl_time now, struct impair_list *);

void impair_list_clear(struct impair_list *);          /* forgets the entries: their packets were taken */
void impair_list_free(struct impair_list *);

/* A match function: TCP segments, `user` is a struct match_tcp. */
struct match_tcp {
    uint8_t flags_mask, flags;            /* (flags of the segment & mask) == flags */
    uint16_t port;                        /* either port; 0: any */
    uint32_t len_min;                     /* bytes of text at least */
    bool ethernet;
    bool seq_given;
    uint32_t seq;                         /* exactly, when seq_given */
};
bool match_tcp(void *user, const struct packet *);

/* A match function: `user` is a struct match_kind. */
struct match_kind {
    enum { MATCH_DATA, MATCH_ACK, MATCH_SYN, MATCH_ICMP } kind;      /* TCP with text; TCP's bare ACKs; SYN and SYN-ACK; ICMP but not Neighbour Discovery */
    bool ethernet;
};
bool match_kind(void *user, const struct packet *);

#endif
