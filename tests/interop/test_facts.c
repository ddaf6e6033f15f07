/* SPDX-License-Identifier: MIT
 *
 * test_facts.c: what `parley doctor` will say is true, and says what to do.
 */
#include "support/skip.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/host/facts.h"
#include "os/host/testnet.h"

static struct host_fact facts[HOST_FACTS_MAX];

static const struct host_fact *fact(int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(facts[i].name, name) == 0) return &facts[i];
    return NULL;
}

static void what_is_not_good_comes_with_advice(void **state)
{
    (void)state;
    int n = host_facts(facts, HOST_FACTS_MAX);
    assert_true(n >= 10);
    for (int i = 0; i < n; i++) {
        assert_true(facts[i].is[0] != 0 && facts[i].used_for[0] != 0);
        assert_int_equal(facts[i].verdict != HOST_GOOD, facts[i].advice[0] != 0);
    }
    assert_int_equal(host_facts(facts, 3), 3);
}

static void the_facts_agree_with_what_can_be_done(void **state)
{
    (void)state;
    char why[400];
    int n = host_facts(facts, HOST_FACTS_MAX), fd = open("/dev/net/tun", O_RDWR);
    assert_int_equal(fact(n, "/dev/net/tun")->verdict == HOST_GOOD, fd >= 0);
    if (fd >= 0) close(fd);
    assert_int_equal(fact(n, "namespaces")->verdict == HOST_GOOD, testnet_possible(why, sizeof why));
    assert_int_equal(fact(n, "TUN")->verdict == HOST_GOOD, testnet_tun_possible(why, sizeof why));
    assert_int_equal(fact(n, "AF_PACKET inside")->verdict == HOST_GOOD, testnet_af_packet_possible(why, sizeof why));
}

/* A system call refused, as containers do. */
static bool refuse(unsigned call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(code), code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void a_container_that_forbids_namespaces_is_told_so(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!refuse(SYS_unshare, EPERM)) _exit(77);
        int n = host_facts(facts, HOST_FACTS_MAX);
        const char *const missing[] = {"namespaces", "TUN", "TAP", "AF_PACKET inside"};
        for (size_t i = 0; i < COUNT_OF(missing); i++) {
            const struct host_fact *f = fact(n, missing[i]);
            if (f->verdict != HOST_MISSING || !strstr(f->is, "unshare") || !strstr(f->advice, "run as root")) _exit(1);
        }
        _exit(fact(n, "random source")->verdict == HOST_GOOD ? 0 : 2);
    }
    int status = testnet_wait(child);
    if (status == 77) SKIP_BECAUSE("no seccomp filters here");
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_good_comes_with_advice),
        cmocka_unit_test(the_facts_agree_with_what_can_be_done),
        cmocka_unit_test(a_container_that_forbids_namespaces_is_told_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
