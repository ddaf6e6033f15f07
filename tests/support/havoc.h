/* SPDX-License-Identifier: MIT
 *
 * havoc.h: two stacks, a link that loses, repeats, reorders, mutates and forges frames, and programs that make any call at any time: a run is
 * a seed. Whatever happens, these hold, and are asserted:
 *
 *   - the stacks' own invariants (config.check);
 *   - after a time was polled, and output and events were taken until both give nothing, pl_deadline lies in the future;
 *   - no event tells of a handle that was given back;
 *   - each chunk is in one chain, and every free slot is zero.
 */
#ifndef PARLEY_TESTS_HAVOC_H
#define PARLEY_TESTS_HAVOC_H

#include "base/prng.h"
#include "support/block.h"
#include "support/forge.h"

enum { HANDLES = 24, ASKED = 4, FLYING = 64, FRAME = 2200, PORTS = 4 };

struct havoc_host {
    pl_stack *s;
    struct pl_env env;
    pl_handle handle[HANDLES];            /* connections, listeners and sockets, as they come; 0: free place */
    pl_incoming asked[ASKED];             /* SYNs to be decided on; may be stale */
    struct pl_frame held[4];              /* handed to a slow device */
    bool holding[4];
    uint8_t held_hdr[4][256];
    bool ready;
};

struct havoc_frame {
    uint8_t to;                           /* host */
    uint8_t flags;
    uint32_t bytes;
    uint8_t frame[FRAME];
};

struct havoc {
    struct prng p;
    struct havoc_host h[2];
    struct havoc_frame fly[FLYING];
    unsigned flies;
    pl_time now;
    bool ethernet, dead, ending;
    bool mild;                            /* nobody forges or mutates much, and the programs mostly transfer */
    unsigned seed, step;
    uint64_t log;                         /* a hash of everything the stacks ever said: frames, events, deadlines, results */
    pl_time shift;                        /* how far this run was moved in time since it began */
};


struct havoc *havoc_new(unsigned seed);
void havoc_step(struct havoc *);
/* Ends what cannot be copied: frames that a slow device still holds. */
void havoc_settle_devices(struct havoc *);
/* The same run again, from here on, in blocks at other addresses, moved in time. */
struct havoc *havoc_fork(const struct havoc *, pl_time shift);
/* All handles are given back, the link perhaps dies, time passes: asserts that nothing is left within the bounds of docs/defaults.md. */
void havoc_end(struct havoc *);
void havoc_free(struct havoc *);
const char *havoc_where(void);            /* seed and step, for messages */

#endif
