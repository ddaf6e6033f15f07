/* SPDX-License-Identifier: MIT
 *
 * test_congestion.c: TCP_CONGESTION as far as no kernel has it: the names of parley's own, and of a program's (pl_env.cc). The rest is compared (behave_options.c).
 */
#include "support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "os/posix/sock/sock.h"
#include "support/duo.h"

static struct duo d;
static struct sock_world *knows, *knows_not;
static const struct pl_cc_ops own[2] = {{.name = "steady"}, {.name = "cubic"}};

static int setup(void **state)
{
    (void)state;
    struct pl_config c = duo_config();
    c.cc_state_bytes = PL_CC_STATE_BYTES; /* room for a program's own */
    duo_init(&d, &c, false);
    d.env[0].cc = own;
    d.env[0].cc_count = 2;
    struct sock_params p = {.stack = d.s[0], .config = &c, .env = &d.env[0], .now = d.now, .seed = 5};
    knows = sock_world_new(&p);
    p.env = NULL;
    knows_not = sock_world_new(&p);
    return knows && knows_not ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sock_world_free(knows);
    sock_world_free(knows_not);
    duo_free(&d);
    return 0;
}

static int set(struct sock_world *w, int s, const char *name) { return sock_setsockopt(w, s, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)); }

static void is(struct sock_world *w, int s, const char *name)
{
    char b[16] = "";
    socklen_t n = sizeof b;
    assert_int_equal(sock_getsockopt(w, s, IPPROTO_TCP, TCP_CONGESTION, b, &n), 0);
    assert_int_equal(n, 16);
    assert_string_equal(b, name);
}

static int64_t of_the_stack(void)
{
    uint32_t cursor = 0;
    pl_conn c;
    int64_t v;
    assert_true(pl_conn_next(d.s[0], &cursor, &c));
    assert_int_equal(pl_get(d.s[0], c, PL_OPT_CONGESTION, &v), PL_OK);
    return v;
}

static void a_programs_own_is_chosen_by_its_name_and_a_built_in_one_goes_first(void **state)
{
    (void)state;
    int s = sock_socket(knows, AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(0xc0000202)}};
    assert_int_equal(set(knows, s, "steady"), 0);
    is(knows, s, "steady");
    sock_connect(knows, s, (struct sockaddr *)&to, sizeof to, NULL);
    assert_int_equal(of_the_stack(), PL_CC_USER);
    assert_int_equal(set(knows, s, "cubic"), 0);
    is(knows, s, "cubic");
    assert_int_equal(of_the_stack(), PL_CC_CUBIC);
}

static void whoever_is_not_told_of_it_does_not_find_it(void **state)
{
    (void)state;
    int s = sock_socket(knows_not, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(set(knows_not, s, "steady"), -ENOENT);
    is(knows_not, s, "cubic");
}

static void parleys_name_for_reno_goes_too(void **state)
{
    (void)state;
    int s = sock_socket(knows, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(set(knows, s, "newreno"), 0);
    is(knows, s, "reno");
    assert_int_equal(set(knows, s, "a-name-of-more-than-15"), -ENOENT);
    is(knows, s, "reno");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_programs_own_is_chosen_by_its_name_and_a_built_in_one_goes_first),
        cmocka_unit_test(whoever_is_not_told_of_it_does_not_find_it),
        cmocka_unit_test(parleys_name_for_reno_goes_too),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
