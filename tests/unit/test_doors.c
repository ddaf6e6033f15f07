/* SPDX-License-Identifier: MIT
 *
 * The doors, handles and events as include/parley/parley.h promises them.
 */
#include "support/unit.h"

#include "support/duo.h"

static void fine(const char *wrong)
{
    if (wrong)
        print_error("%s\n", wrong);
    assert_null(wrong);
}

/* ------------------------------------------------------------------ what goes is gone ------------------------------------------------------------------ */

static void unread_text_of_a_dead_waiting_connection_goes_with_its_listener(void **state)
{
    (void)state;
    struct duo d;
    duo_init(&d, NULL, false);
    pl_listener l = duo_listen(&d, 1, 80, 0);
    pl_conn c = duo_connect(&d, 0, false, 80);
    duo_exchange(&d);
    assert_int_equal(pl_send(d.s[0], c, "never read", 10), 10);
    duo_exchange(&d);
    assert_int_equal(pl_abort(d.s[0], c), PL_OK);
    duo_exchange(&d);                     /* the RST: dead before anybody accepted it */
    assert_int_equal(pl_close(d.s[1], l), PL_OK);
    assert_int_equal(pl_close(d.s[0], c), PL_OK);
    duo_run(&d, 1 * PL_S);
    fine(block_is_empty(d.s[0]));
    fine(block_is_empty(d.s[1]));
    duo_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unread_text_of_a_dead_waiting_connection_goes_with_its_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
