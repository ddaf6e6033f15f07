/* SPDX-License-Identifier: MIT
 *
 * test_transfer.c: a stream between us and the kernel's TCP arrives byte by byte as it was sent: over TUN, TAP and AF_PACKET, plain and with
 * super-frames, IPv4 and IPv6, both ways (mission M20). tests/long/test_transfer_gib.c does the same with a gibibyte.
 */
#include "support/skip.h"
#include "support/transfer.h"
#include "support/unit.h"

enum { BYTES = 16 << 20 };

static void play(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, NULL)) SKIP_BECAUSE(rig_why);
    for (int version = 4; version <= 6; version += 2) {
        transfer_run(&r, version, true, BYTES);
        transfer_run(&r, version, false, BYTES);
    }
    assert_int_equal(host_loop_driver(&r.loop, r.iface)->errors, 0);
    rig_close(&r);
}

int main(void)
{
    struct CMUnitTest tests[RIG_KINDS];
    static char names[RIG_KINDS][80];
    for (unsigned i = 0; i < RIG_KINDS; i++) {
        snprintf(names[i], sizeof names[i], "%s: a stream arrives as it was sent, both families, both ways", rig_kinds[i].name);
        tests[i] = (struct CMUnitTest){.name = names[i], .test_func = play, .initial_state = (void *)(uintptr_t)&rig_kinds[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
