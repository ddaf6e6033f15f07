/* SPDX-License-Identifier: MIT
 *
 * test_regressions_recovery.c: rules of loss recovery and congestion control that were broken once, where features meet that each have tests of their own.
 */
#include "support/played.h"

#include "base/seq.h"
#include <parley/cc.h>

enum { MSS = 1000 };

static void opened(struct played *p, void **state, const struct pl_config *config, uint8_t have)
{
    struct pl_config c = config ? *config : duo_config();
    c.sndbuf_bytes = 1 << 20;
    c.chunks_max = 600;
    c.timestamps = have & WIRE_OPT_TIMESTAMPS;
    played_init(p, SIX(state), &c);
    played_open(p, &(struct wire_tcp_opts){.have = WIRE_OPT_MSS | have, .mss = MSS}, 60000, 100 * PL_MS, NULL);
}

/* RFC 6298 5.1: the timer runs while something is outstanding. The time-out has passed and the repetition has not gone yet, when the peer reports the very
 * segment: then the rest waits behind what flies, and if that is lost only the timer is left. */
static void a_report_of_the_first_segment_after_a_time_out_leaves_a_timer(void **state)
{
    struct pl_config c = duo_config();
    struct played p;
    c.loss_probe = false;
    opened(&p, state, &c, WIRE_OPT_SACK_PERMITTED);
    played_sends(&p, 4 * MSS);
    assert_int_equal(played_drains(&p), 4);
    pl_time rto = played_status(&p).rto;
    played_wait(&p, p.d.now + rto - 10 * PL_MS);
    played_sends(&p, 3 * MSS);
    assert_int_equal(played_drains(&p), 3);
    assert_true(played_next_deadline(&p));
    assert_int_equal(played_status(&p).time_outs, 1);
    played_sacks(&p, 0, 0, MSS);
    assert_true(played_status(&p).in_flight_bytes > played_status(&p).cwnd_bytes);
    assert_int_equal(played_drains(&p), 0);
    duo_drain_events(&p.d);
    assert_true(pl_deadline(p.d.s[1]) != PL_NEVER);
    struct forged s;
    assert_true(played_hears(&p, &s));
    played_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_report_of_the_first_segment_after_a_time_out_leaves_a_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
