/* SPDX-License-Identifier: MIT
 *
 * test_transfer_gib.c: tests/interop/test_transfer.c with a gibibyte each way, per driver and family. TIME-LIMIT: 600 s
 */
#include "support/skip.h"
#include "support/transfer.h"
#include "support/unit.h"

static void play(void **state)
{
    struct rig r;
    struct pl_config c;
    rig_config(&c);
    c.check = false;                      /* here speed counts; the short test checks */
    if (!rig_open(&r, *state, &c)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        transfer_run(&r, version, true, (uint64_t)1 << 30);
        transfer_run(&r, version, false, (uint64_t)1 << 30);
    }
    assert_int_equal(host_loop_driver(&r.loop, r.iface)->errors, 0);
    rig_close(&r);
}

int main(void)
{
    struct CMUnitTest tests[RIG_KINDS];
    static char names[RIG_KINDS][80];
    for (unsigned i = 0; i < RIG_KINDS; i++) {
        snprintf(names[i], sizeof names[i], "%s: a gibibyte each way, both families", rig_kinds[i].name);
        tests[i] = (struct CMUnitTest){.name = names[i], .test_func = play, .initial_state = (void *)(uintptr_t)&rig_kinds[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
