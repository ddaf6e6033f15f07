/* SPDX-License-Identifier: MIT
 *
 * scene.h: a stack in one of the table's states, and its peer. It is brought there once; each kind of segment is tried on a copy of the block.
 */
#ifndef SEGMENT_SCENE_H
#define SEGMENT_SCENE_H

#include "segment/table.h"
#include "support/victim.h"

struct scene_params {
    const char *state;
    enum table_stamps stamps;
    bool closed, v6;
    uint32_t iss, irs, ts;                /* ours, the peer's, the peer's timestamps */
};

struct scene {
    struct scene_params is;
    struct victim v;
    struct peer peer;
    void *saved;                          /* the block as it was when the state was reached */
    bool orphan, entry, twin;             /* the program holds no handle; a TIME-WAIT entry answers; its full twin shall */
    bool listens;                         /* on the segment's port */
    bool agreed;                          /* timestamps */
    uint32_t unread, unread_seq;          /* bytes that the program has not read; the number of the first */
    struct { uint32_t una, nxt, wnd, max_wnd, wl1, wl2; } snd;
    struct { uint32_t nxt, wnd; } rcv;
};

void scene_make(struct scene *, const struct scene_params *);
void scene_again(struct scene *);         /* back to where scene_make had left it */
void scene_free(struct scene *);
struct forged scene_segment(const struct scene *, const struct table_kind *);

/* The byte of the peer's text with this number: whoever takes it for another is found out. */
static inline uint8_t scene_byte(uint32_t seq) { return (uint8_t)(seq % 251); }

/* Looking inside; NULL: there is none. */
const struct tcp *scene_conn(const struct scene *);
const struct half_open *scene_half_open(const struct scene *);
struct time_wait *scene_entry(const struct scene *);
uint32_t scene_held(const struct scene *);                          /* bytes behind gaps */

#endif
