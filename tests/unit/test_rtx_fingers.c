/* SPDX-License-Identifier: MIT
 *
 * The scoreboard of a long window: an ACK's blocks lie far apart, in front where a hole was filled and behind where text arrives. Both are found within the
 * budget of an ACK, however many records fly behind them and stand between them.
 */
#include "support/unit.h"

#include "transport/tcp/models/rtx_queue.h"

enum { RECORDS = 12000, MSS = 1000, BUDGET = 2048 };

static void both_ends_of_a_long_window_are_found_by_each_ack(void **state)
{
    (void)state;
    struct slots pool;
    struct chunks chunks = {0};
    struct rtx_queue q = {0};
    size_t bytes = (slots_bytes(sizeof(struct rtx_record), RECORDS) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes);
    memset(memory, 0, bytes);
    slots_init(&pool, memory, sizeof(struct rtx_record), RECORDS);
    for (uint32_t i = 0; i < 10000; i++)
        assert_true(rtx_append(&pool, &q, RECORDS, i * MSS, MSS, (struct stream_at){0, 0}, false, 1 + i) != 0);
    /* each second segment of the first 4000 has arrived: as many records; from 5000 on one after the other arrives, and 5000 fly behind */
    struct rtx_heard h = {.now = 100000, .mss = MSS};
    for (uint32_t i = 1; i < 4000; i += 2) {
        uint32_t budget = BUDGET;
        rtx_sack(&pool, &chunks, &q, RECORDS, i * MSS, (i + 1) * MSS, &budget, &h);
    }
    assert_int_equal(q.sacked, 2000 * MSS);
    for (uint32_t n = 1; n < 20; n++) {
        uint32_t budget = BUDGET;
        rtx_sack(&pool, &chunks, &q, RECORDS, 1 * MSS, 2 * MSS, &budget, &h);        /* lowest first */
        rtx_sack(&pool, &chunks, &q, RECORDS, 5000 * MSS, (5000 + n) * MSS, &budget, &h);
        if (n > 2) {                      /* the first two searches go there */
            assert_int_equal(q.sacked, (2000 + n) * MSS);
            assert_true(budget > BUDGET - 16);
        }
    }
    rtx_free(&pool, &q);
    assert_int_equal(pool.used, 0);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_of_a_long_window_are_found_by_each_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
