/* SPDX-License-Identifier: MIT */
#include "transport/tcp/cc/none.h"

void none_on_start(void *user, struct pl_cc *cc, void *state, pl_time now, pl_time srtt)
{
    (void)user, (void)state, (void)now, (void)srtt;
    cc->cwnd = cc->ssthresh = PL_CC_CWND_MAX;
    cc->pacing_rate = 0;
    cc->quantum = 0;
}

const char *none_on_describe(void *user, const struct pl_cc *cc, const void *state)
{
    (void)user, (void)cc, (void)state;
    return "unlimited";
}
