/* SPDX-License-Identifier: MIT
 *
 * test_tx.c: who may send next (src/stack/tx.c).
 */
#include "support/unit.h"

#include <parley/parley.h>

enum { MEMORY = 512 << 10 };
static _Alignas(64) uint8_t block[MEMORY];

static pl_stack *on_ethernet(struct pl_env *env)
{
    struct pl_iface_params link = {.mtu = 1500, .link = PL_LINK_ETHERNET, .mac = {2, 0, 0, 0, 0, 1}};
    struct pl_config c;
    struct pl_addr us;
    pl_stack *s;
    pl_config_small(&c, sizeof c);
    c.seed[0] = 1;
    assert_in_range(pl_stack_size(&c), 1, sizeof block);
    memset(block, 0, sizeof block);
    assert_int_equal(pl_stack_init(block, sizeof block, &c, env, PL_S, &s), PL_OK);
    assert_int_equal(pl_iface_add(s, &link), 0);
    assert_int_equal(pl_addr_parse("192.0.2.1", &us), PL_OK);
    assert_int_equal(pl_addr_add(s, 0, &us, 24), PL_OK);
    return s;
}

static int one(pl_stack *s, struct pl_frame *f)
{
    static uint8_t header[PL_HEADER_BYTES_MAX];
    f->span[0] = (struct pl_span){header, sizeof header};
    return pl_tx(s, 0, f, 1, PL_S);
}

/* Whether it is the replies' turn or the connections': the question for the next hop goes out at once, and then nothing is pending. */
static void a_connection_that_waits_for_its_next_hop_has_asked_for_it(void **state)
{
    (void)state;
    for (int turns = 0; turns < 2; turns++) {
        struct pl_env env = {0};
        struct pl_frame f = {0};
        pl_stack *s = on_ethernet(&env);
        for (int i = 0; i < turns; i++)
            assert_int_equal(one(s, &f), 0);
        struct pl_connect_params p = {.remote = {.port = 80}};
        pl_conn c;
        assert_int_equal(pl_addr_parse("192.0.2.2", &p.remote.addr), PL_OK);
        assert_int_equal(pl_connect(s, &p, &c), PL_OK);
        assert_int_equal(one(s, &f), 1);
        const uint8_t *type = (const uint8_t *)f.span[0].base + 12;
        assert_int_equal(type[0] << 8 | type[1], 0x0806);
        assert_int_equal(one(s, &f), 0);
        assert_true(pl_deadline(s) > PL_S);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_connection_that_waits_for_its_next_hop_has_asked_for_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
