/* SPDX-License-Identifier: MIT
 *
 * longest.c: pl_longest_life: from the config alone: how long can what nobody owns last, whatever its peer and the network do? Each addend is a bound
 * that some step enforces; tests/threats/test_longest_life.c tries to outlive their sum.
 */
#include "base/text.h"
#include "stack/net.h"

/* An answer, and so many repeats of it, each after twice the time of the one before: RFC 6298 5.5. */
static pl_time backed_off(const struct pl_config *c, pl_time first, uint32_t repeats)
{
    pl_time sum = 0, next = first < c->rto_max ? first : c->rto_max;
    for (uint32_t i = 0; i <= repeats; i++) {
        sum += next;
        next = 2 * next < c->rto_max ? 2 * next : c->rto_max;
    }
    return sum;
}

static void line(struct text *t, const char *before, pl_time time, const char *after)
{
    text_put(t, before);
    text_duration(t, time);
    text_put(t, after);
    text_char(t, '\n');
}

static void counted(struct text *t, const char *before, uint64_t n, const char *after)
{
    text_put(t, before);
    text_u64(t, n);
    text_put(t, after);
}

/* What a program owns lasts as long as the program wants; this is what ends it without the program. */
static void owned(struct text *t, const struct pl_config *c)
{
    text_put(t, "What a program owns it may keep; but it fails, and the program is told,\n");
    line(t, "  when a SYN is not answered for                 ", backed_off(c, c->rto_initial, c->syn_retries), "");
    line(t, "  when data is not acknowledged for, at most     ", c->user_timeout ? c->user_timeout : backed_off(c, c->rto_max, c->data_retries), "");
    line(t, "  with keepalive, when the peer is silent for    ", c->keepalive_idle + c->keepalive_probes * c->keepalive_interval, "");
}

pl_time pl_longest_life(const struct pl_config *config, char *buffer, size_t size)
{
    if (!config || config->size != sizeof *config)
        return 0;
    struct pl_config seeded = *config, *c = &seeded;
    seeded.seed[0] = 1;                   /* the one field that a config may lack here */
    if (pl_config_problem(c))
        return 0;
    pl_time resolve = NUD_TRIES * NUD_RETRANS_NS, half = c->deferred_timeout + resolve + backed_off(c, c->rto_initial, c->syn_ack_retries);
    pl_time time_wait = (1 + TIME_WAIT_RESTARTS) * 2 * c->msl, orphan = c->orphan_lifetime;
    pl_time longest = orphan + time_wait > half ? orphan + time_wait : half;
    if (!buffer || size == 0)
        return longest;
    struct text t = text_of(buffer, size);
    line(&t, "Whatever nobody owns is CLOSED within            ", longest, ", whatever its peer and the network do:");
    line(&t, "  an orphan that makes progress lasts            ", orphan, "; sooner it ends");
    line(&t, "    without acknowledgement of anything after    ", c->orphan_timeout, "");
    counted(&t, "    or after ", c->orphan_retries, " repeats in vain,\n");
    line(&t, "    with all acknowledged and no FIN after       ", c->fin_wait_2_timeout, "");
    line(&t, "  then TIME-WAIT, 2 MSL, lasts                   ", 2 * c->msl, "");
    counted(&t, "    begun anew by ", TIME_WAIT_RESTARTS, " repeats of the peer's FIN at most\n");
    line(&t, "  a half-open entry                              ", half, "");
    line(&t, "    at a deferred listener undecided for         ", c->deferred_timeout, " at most, then");
    counted(&t, "    its SYN-ACK repeated ", c->syn_ack_retries, " times, ");
    line(&t, "after at most ", resolve, " for the neighbour's address");
    counted(&t, "At most ", orphans_most(c), " orphans at a time");
    counted(&t, ", ", orphans_most_of_peer(c), " of one peer.\n");
    owned(&t, c);
    return longest;
}
