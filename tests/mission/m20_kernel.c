/* SPDX-License-Identifier: MIT
 *
 * m20_kernel.c: mission M20: all of it against a real peer, the Linux kernel's own TCP, in both roles, over IPv4 and IPv6: act c of `parley demo`. More of it is
 * in tests/interop and tests/programs.
 * TIME-LIMIT: 90 s
 */
#include "support/program.h"
#include "support/skip.h"
#include "support/unit.h"
#include "os/host/testnet.h"

static void the_demo_and_the_kernel_exchange_50_mib_in_both_roles_over_both_families(void **state)
{
    static const char *const lines[] = {"curl from parley, IPv4", "curl from parley, IPv6", "parley from the kernel's sockets, IPv4",
        "parley from the kernel's sockets, IPv6"};
    char why[300];
    (void)state;
    if (!testnet_af_packet_possible(why, sizeof why)) SKIP_BECAUSE(why);
    struct program_run *r = program_run("demo --act c", NULL);
    if (r->status) fprintf(stderr, "%s%s", r->out, r->err);
    assert_int_equal(r->status, 0);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        const char *line = strstr(r->out, lines[i]);
        assert_non_null(line);
        assert_non_null(strstr(line, "52428800 bytes in "));
        assert_true(strcspn(line, "\n") > (size_t)(strstr(line, "every byte the same") - line));
    }
    program_forget(r);
}

/* The handshake of both roles, and a farewell that each side began or answered, as parley's own trace has them. */
static void handshake_and_farewell_of_both_roles_are_on_the_ladder(void **state)
{
    static const char *const in_order[] = {"curl -q --noproxy", "<--", "SYN seq=", "SYN,ACK seq=", "ESTABLISHED  <--", "CLOSE-WAIT", "FIN,ACK seq=",
        "LAST-ACK     --FIN,ACK seq=", "CLOSED       <--", "parley get", "SYN-SENT     --SYN seq=", "ESTABLISHED  <--", "SYN,ACK seq=",
        /* The server may close first, or both at once. */
        "FIN,", "FIN,", "parley from the kernel's sockets"};
    char why[300];
    (void)state;
    if (!testnet_af_packet_possible(why, sizeof why)) SKIP_BECAUSE(why);
    struct program_run *r = program_run("demo --act c --size 2", NULL);
    assert_int_equal(r->status, 0);
    const char *at = r->out;
    for (size_t i = 0; i < COUNT_OF(in_order); i++) {
        const char *next = strstr(at, in_order[i]);
        if (!next) fprintf(stderr, "not there, or not in this order: %s\n%s", in_order[i], r->out);
        assert_non_null(next);
        at = next + strlen(in_order[i]);
    }
    program_forget(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_and_the_kernel_exchange_50_mib_in_both_roles_over_both_families),
        cmocka_unit_test(handshake_and_farewell_of_both_roles_are_on_the_ladder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
