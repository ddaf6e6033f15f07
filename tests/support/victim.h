/* SPDX-License-Identifier: MIT
 *
 * victim.h: one stack, 192.0.2.2 and 2001:db8::2, with a listener on port 80, and peers played by hand: what TCP attacks are tried on. Each frame
 * that goes in ends at an unreadable page; what became of it, and why something was said in return, is read from the trace.
 */
#ifndef PARLEY_TESTS_VICTIM_H
#define PARLEY_TESTS_VICTIM_H

#include "support/block.h"
#include "support/forge.h"

enum { VICTIM_PORT = 80, VICTIM_FRAME_BYTES = 2200 };

struct victim {
    pl_stack *s;
    struct pl_env env;
    pl_time now;
    pl_listener listener;
    uint16_t drop;                        /* enum pl_drop of the last frame in */
    uint16_t why;                         /* enum pl_reason of the last frame out */
    unsigned frames_out;
    size_t frame_bytes;                   /* of the last frame out, as it was on the wire: */
    uint8_t frame[VICTIM_FRAME_BYTES];
};

/* Tables for a dozen connections, no timestamps, a fixed seed, invariants checked; for tests to change. */
struct pl_config victim_config(void);
void victim_make(struct victim *, const struct pl_config *);        /* NULL: victim_config() */
/* Asserts that the block is sound: chunks accounted for, free slots zero. */
void victim_free(struct victim *);
struct pl_endpoint victim_endpoint(bool v6, uint16_t port);
struct pl_endpoint victim_stranger(bool v6, uint32_t number, uint16_t port);       /* 198.18.0.0/15 or 2001:db8:bad::/48: an address for each number */

/* Frames by hand; `give` returns enum pl_drop. The options of give_options are bytes as they shall stand in the header, n a multiple of 4. */
enum pl_drop victim_give(struct victim *, const struct forged *);
enum pl_drop victim_give_options(struct victim *, const struct forged *, const uint8_t *options, size_t n);
enum pl_drop victim_give_frame(struct victim *, const uint8_t *frame, size_t n);
/* Makes the checksums of a frame right, by what its headers say now. */
void victim_sum(uint8_t *frame, size_t n);
bool victim_take(struct victim *, struct forged *);                 /* the next segment; false: silence. `text` points into v->frame */
void victim_silent(struct victim *);                                /* asserts that there is nothing to say */
unsigned victim_hush(struct victim *);                              /* takes and forgets everything; how many frames it was */
void victim_wait(struct victim *, pl_time by);                      /* timers fire; what they bring about waits inside */
/* Runs from deadline to deadline until `by` has passed; what is said is counted and forgotten, unless `answer` wants it. */
unsigned victim_run(struct victim *, pl_time by, void (*answer)(void *, const struct forged *), void *user);
uint64_t victim_drops(const struct victim *, enum pl_drop);
uint32_t victim_events(struct victim *, pl_handle);                 /* bits of the events of this handle; all events are taken */

/* One connection as its peer sees it. */
struct peer {
    struct victim *v;
    struct pl_endpoint at, victim;
    pl_conn c;                            /* the victim's handle */
    uint32_t iss, seq;                    /* the peer's first, and its next number */
    uint32_t irs, ack;                    /* the victim's first, and what the peer has of it */
    uint16_t wnd;
    bool ts;                              /* timestamps were agreed on: */
    uint32_t ts_val, ts_ecr;
    struct wire_tcp_opts syn;             /* options of the victim's SYN or SYN-ACK */
};

struct peer_wish {                        /* how to open; all zero is fine */
    uint32_t iss;                         /* 0: 5000, unless `iss_given` */
    struct wire_tcp_opts opts;            /* of the peer's SYN */
    uint16_t wnd;                         /* 0: 65535 */
    uint32_t number;                      /* of the stranger */
    uint16_t port;                        /* 0: 40000 */
    const uint8_t *raw;                   /* instead of opts: raw_bytes as they shall stand there */
    size_t raw_bytes;
    uint32_t victim_iss;                  /* with fix_iss */
    bool fix_iss, iss_given;
};
/* The peer connects to the victim's listener; the connection is accepted. */
struct peer peer_connects(struct victim *, bool v6, const struct peer_wish *);
/* The victim connects to the peer's port. */
struct peer peer_accepts(struct victim *, bool v6, const struct peer_wish *);
/* The half of either: the SYN is given and the SYN-ACK taken; the victim has connected and its SYN is taken. */
struct peer peer_half_open(struct victim *, bool v6, const struct peer_wish *);
struct peer peer_called(struct victim *, bool v6, const struct peer_wish *);

/* The segment that the peer would send next: of the right numbers, no text. */
struct forged peer_segment(struct peer *, uint8_t flags);
enum pl_drop peer_says(struct peer *, uint8_t flags, const char *text);            /* takes its place in the peer's stream, as does a FIN */
/* The next frame of the victim must be this acknowledgement or text; peer->ack follows it. */
void peer_hears(struct peer *, uint8_t flags, size_t text_bytes, enum pl_reason why);
enum pl_state peer_state(const struct peer *);                      /* of the victim's connection */
struct pl_tcp_status peer_status(const struct peer *);
/* Text to and fro, in order, acknowledged; `after` says what the connection has been through. */
void peer_works(struct peer *, const char *after);

#endif
