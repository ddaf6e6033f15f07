/* SPDX-License-Identifier: MIT
 *
 * hystart.h: slow start, with HyStart++ (RFC 9406) while it is the initial one. Any algorithm may use it: one call for each ACK.
 *
 * A round is the time in which the segments that were in flight at its beginning are acknowledged. When the shortest RTT of a round is clearly longer than
 * that of the round before, a queue is filling: the window grows four times slower (conservative slow start, CSS). When the RTT falls again, that was
 * jitter, and slow start goes on. After five rounds of CSS the window stays where it is: ssthresh = cwnd.
 */
#ifndef TCP_CC_HYSTART_H
#define TCP_CC_HYSTART_H

#include <parley/cc.h>

/* RFC 9406 4.3-a, 4.3-b, 4.3-d: the constants as recommended */
#define HYSTART_MIN_RTT_THRESH (4 * PL_MS)
#define HYSTART_MAX_RTT_THRESH (16 * PL_MS)
enum { HYSTART_MIN_RTT_DIVISOR = 8, HYSTART_N_RTT_SAMPLE = 8, HYSTART_CSS_GROWTH_DIVISOR = 4, HYSTART_CSS_ROUNDS = 5, HYSTART_L = 8 };
_Static_assert(HYSTART_CSS_GROWTH_DIVISOR >= 2, "RFC 9406 4.3");

/* All zero: nothing is known yet. The names are those of section 4.2; an RTT of 0 stands for "infinity". */
struct hystart {
    pl_time last_round_min_rtt, current_round_min_rtt, css_baseline_min_rtt;
    uint32_t window_end;                  /* the round ends when it is acknowledged */
    uint8_t rtt_sample_count;
    uint8_t css_rounds;                   /* that have ended */
    bool started;                         /* window_end holds */
    bool css;
};

/* An ACK arrived while cc->cwnd < cc->ssthresh, and nothing is being repaired by fast recovery: cwnd grows, never beyond ssthresh, if ack->limited. When
 * HyStart++ has found the end of the initial slow start, ssthresh is set to cwnd: the caller goes on to congestion avoidance with the next ACK. */
void hystart_slow_start(struct hystart *, struct pl_cc *, const struct pl_cc_ack *);
/* "slow start" or "conservative slow start" */
const char *hystart_describe(const struct hystart *, const struct pl_cc *);

#endif
