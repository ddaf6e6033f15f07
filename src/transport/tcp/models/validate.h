/* SPDX-License-Identifier: MIT
 *
 * validate.h: does the congestion window still say something of the path? Only as far as it was used lately: RFC 7661.
 *
 * In each round trip it is measured how much was acknowledged: a pipeACK sample; the largest of the last max(3 RTT, 1 s) is pipeACK. While that is less than
 * half of cwnd the window is not validated: it stays (what the program may need next is not thrown away), but it grows only if it is full, what goes is
 * spread over a round trip, a loss is answered from what was really used, and every five minutes half of it goes.
 *
 *   memory is new            validate_init
 *   the first is sent again after nothing was outstanding      validate_restart
 *   each ACK                 validate_ack, but not while a loss is repaired
 *   a loss is noticed        validate_loss, then the congestion control, then validate_reduce; what is sent again meanwhile: validate_resent
 *   all is repaired          validate_recovered
 *   the timer ran out, or an answer is taken back              validate_forget
 */
#ifndef TCP_MODELS_VALIDATE_H
#define TCP_MODELS_VALIDATE_H

#include "base/seq.h"
#include <parley/cc.h>

enum { VALIDATE_PERIODS = 4 };            /* into which the sampling period is divided, RFC 7661 4.5.1 */
#define VALIDATE_PERIOD_MIN (PL_S / VALIDATE_PERIODS)
#define VALIDATE_NVP (300 * PL_S)         /* RFC 7661 4.4-b, 5 */
#define VALIDATE_UNDEFINED UINT32_MAX     /* "the undefined value" of pipeACK */

/* Times: one clock, that is not shifted. */
struct validate {
    pl_time at;                           /* when what the next sample counts from was acknowledged, or the first after an idle time sent */
    pl_time period_at;                    /* when the newest measurement period began */
    pl_time since;                        /* not validated: since then; 0: validated */
    uint32_t sample_una, sample_end;      /* the sample that is being taken: from where on, and up to where; waiting: sample_end is SND.NXT at the last one's end */
    uint32_t highest[VALIDATE_PERIODS];   /* the largest sample of each period, the newest first */
    uint32_t pipe_ack;                    /* pipeACK */
    uint32_t full_end;                    /* if full: SND.NXT when the window was last full */
    uint32_t loss_flight;                 /* a loss is repaired that was noticed while not validated: max(pipeACK, LossFlightSize); 0: none is */
    uint32_t resent, resent_to;           /* R: bytes that were sent again since; the end of the highest of them */
    struct { uint32_t bytes, us; } rate;  /* the delivery rate: of the last sample that the program did not limit, or of a faster one. us 0: none yet */
    bool on;                              /* else only the rate is measured */
    bool rates;                           /* it is measured here: the algorithm asks for no samples of its own */
    bool waiting;                         /* the next sample begins when something was sent */
    bool full;                            /* not more than a round trip ago no whole segment fitted any more */
    bool paced;                           /* cc->pacing_rate is ours */
    bool rate_limited;                    /* `rate` is of a sample that the program limited */
    uint8_t expired;                      /* how often five minutes were over, modulo 256 */
    uint8_t pad_[5];
};

struct validate_ack {
    pl_time now, srtt;                    /* srtt 0: not known */
    uint32_t una_before, una, nxt;        /* SND.UNA before and after it; SND.NXT */
    uint32_t pipe;                        /* before it */
};

/* on: the window is the stack's concern (config.validate_window, and no PL_CC_OWN_RECOVERY). rates: no PL_CC_WANTS_RATE */
void validate_init(struct validate *, bool on, bool rates, uint32_t nxt, pl_time now);
void validate_idle(struct validate *, struct pl_cc *, pl_time now, pl_time idle, pl_time srtt);
/* A sample is complete, or one may begin: not for each ACK. */
void validate_sample(struct validate *, struct pl_cc *, const struct validate_ack *);
/* FlightSize as far as it was validated: what the answer to a loss is reckoned from. RFC 7661 4.4.1-a */
uint32_t validate_loss(struct validate *, struct pl_cc *, uint32_t flight);
void validate_reduce(const struct validate *, struct pl_cc *);                       /* cc->ssthresh as 4.4.1 has it */
void validate_recovered(struct validate *, struct pl_cc *, uint32_t nxt, pl_time now);
void validate_forget(struct validate *, struct pl_cc *, uint32_t nxt, pl_time now);
static inline bool validate_holds(const struct validate *v) { return v->since == 0; }
/* `bytes` arrived within `interval`. */
void validate_rate(struct validate *, uint32_t bytes, pl_time interval, bool app_limited);

/* RFC 7661 4.4.1-b: R does not count what is repeated once more. */
static inline void validate_resent(struct validate *v, uint32_t seq, uint32_t bytes)
{
    if (v->loss_flight && (v->resent == 0 || seq_gt(seq + bytes, v->resent_to))) {
        v->resent += bytes;
        v->resent_to = seq + bytes;
    }
}

/* nxt: SND.NXT before it. idle: for so long nothing was outstanding. */
static inline void validate_restart(struct validate *v, struct pl_cc *cc, uint32_t nxt, pl_time now, pl_time idle, pl_time srtt)
{
    v->waiting = true;
    v->sample_end = nxt;
    v->at = now;
    if (v->on && idle >= VALIDATE_PERIOD_MIN)            /* else the next sample brings it up to date */
        validate_idle(v, cc, now, idle, srtt);
}

/* May the window grow by this ACK? RFC 7661 4.4-c, 4.4-d, 4.5.3: as long as it is or was full within a round trip; in slow start also while it is validated (4.3). */
static inline bool validate_ack(struct validate *v, struct pl_cc *cc, const struct validate_ack *a)
{
    if (a->pipe + cc->mss > cc->cwnd) {
        v->full = true;
        v->full_end = a->nxt;
    } else if (v->full && seq_gt(a->una, v->full_end)) {
        v->full = false;
    }
    if (v->waiting || seq_ge(a->una, v->sample_end))
        validate_sample(v, cc, a);
    return v->full || (v->since == 0 && cc->cwnd < cc->ssthresh && v->on);
}

#endif
