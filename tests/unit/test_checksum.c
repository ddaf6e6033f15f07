/* SPDX-License-Identifier: MIT
 *
 * The Internet checksum against a naive sum of big-endian words, for every loop that the machine has.
 */
#include "support/unit.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/prng.h"
#include "support/guard.h"

enum { LENGTH_MAX = 2100 };

static uint32_t cpus[3];
static unsigned ncpus;

static int find_cpus(void **state)
{
    (void)state;
    uint32_t cpu = cpu_probe();
    cpus[ncpus++] = CPU_PROBED;
    if (cpu & CPU_SSE2)
        cpus[ncpus++] = CPU_PROBED | CPU_SSE2;
    if (cpu & CPU_AVX2)
        cpus[ncpus++] = CPU_PROBED | CPU_SSE2 | CPU_AVX2;
    return 0;
}

/* RFC 1071 1: 16-bit words in network order, end-around carry. */
static uint16_t naive(const uint8_t *p, size_t n)
{
    uint32_t s = 0;
    for (size_t i = 0; i < n; i++) {
        s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
        s = (s & 0xffff) + (s >> 16);
    }
    return (uint16_t)s;
}

/* A sum over native words, as a big-endian number. */
static uint16_t as_be(uint32_t sum)
{
    uint16_t folded = csum_fold(sum);
    uint8_t b[2];
    memcpy(b, &folded, 2);
    return get_be16(b);
}

static void fill(uint8_t *p, size_t n, struct prng *g)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)prng_next(g);
}

static void every_length_agrees_with_the_naive_sum(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 1);
    uint8_t *block = guard_alloc(LENGTH_MAX);
    fill(block, LENGTH_MAX, &g);
    for (size_t n = 0; n <= LENGTH_MAX; n++) {
        const uint8_t *p = block + LENGTH_MAX - n;               /* ends at the forbidden page */
        uint16_t expected = naive(p, n);
        for (unsigned c = 0; c < ncpus; c++) {
            uint32_t sum = csum_bytes(p, n, cpus[c]);
            assert_int_equal(as_be(sum), expected);
        }
    }
    guard_reset();
}

static void every_alignment_agrees_with_the_naive_sum(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 19, 20, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 1447, 1448, 1460};
    struct prng g;
    prng_seed(&g, 2);
    static uint8_t block[LENGTH_MAX];
    fill(block, sizeof block, &g);
    for (size_t align = 0; align < 64; align++)
        for (size_t i = 0; i < COUNT_OF(lengths); i++)
            for (unsigned c = 0; c < ncpus; c++)
                assert_int_equal(as_be(csum_bytes(block + align, lengths[i], cpus[c])), naive(block + align, lengths[i]));
}

static void all_ones_do_not_overflow(void **state)
{
    (void)state;
    size_t n = 1 << 20;
    uint8_t *p = malloc(n);
    memset(p, 0xff, n);
    for (unsigned c = 0; c < ncpus; c++) {
        assert_int_equal(csum_fold(csum_bytes(p, n, cpus[c])), 0xffff);
        assert_int_equal(as_be(csum_bytes(p, n - 1, cpus[c])), naive(p, n - 1));
    }
    memset(p, 0, n);
    for (unsigned c = 0; c < ncpus; c++)
        assert_int_equal(csum_bytes(p, n, cpus[c]), 0);
    free(p);
}

static void spans_split_anywhere_give_the_same_sum(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 3);
    static uint8_t block[4096];
    fill(block, sizeof block, &g);
    for (unsigned round = 0; round < 20000; round++) {
        struct pl_span spans[6];
        size_t at = prng_below(&g, 64), begin = at;
        unsigned nspans = 1 + prng_below(&g, COUNT_OF(spans));
        for (unsigned i = 0; i < nspans; i++) {
            size_t len = prng_below(&g, 4) ? prng_below(&g, 600) : prng_below(&g, 3);
            spans[i] = (struct pl_span){block + at, len};
            at += len;
        }
        size_t total = at - begin, off = prng_below(&g, (uint32_t)total + 1), n = prng_below(&g, (uint32_t)(total - off) + 1);
        uint32_t cpu = cpus[prng_below(&g, ncpus)];
        assert_int_equal(as_be(csum_spans(spans, nspans, off, n, cpu)), naive(block + begin + off, n));
    }
}

static void pieces_may_be_added(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 4);
    uint8_t block[256];
    for (unsigned round = 0; round < 2000; round++) {
        fill(block, sizeof block, &g);
        size_t cut = prng_below(&g, sizeof block + 1);
        uint32_t a = csum_bytes(block, cut, cpus[0]), b = csum_bytes(block + cut, sizeof block - cut, cpus[0]);
        assert_int_equal(as_be(csum_add(a, cut & 1 ? csum_swap(b) : b)), naive(block, sizeof block));
    }
}

static void the_pseudo_header_is_that_of_the_address_family(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 5);
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t src[16], dst[16], plain[40] = {0};
        fill(src, 16, &g);
        fill(dst, 16, &g);
        uint8_t protocol = (uint8_t)(1 + prng_below(&g, 255));
        uint32_t length = prng_below(&g, 65536);
        if (round & 1) {                  /* RFC 9293 3.1, figure 2 */
            if (round % 10 == 1)
                memset(src, 0, 16), memset(dst, 0, 16);          /* 0.0.0.0: no second zero */
            memcpy(src, mapped, 12);
            memcpy(dst, mapped, 12);
            memcpy(plain, src + 12, 4);
            memcpy(plain + 4, dst + 12, 4);
            plain[9] = protocol;
            put_be16(plain + 10, (uint16_t)length);
            assert_int_equal(as_be(csum_pseudo(src, dst, protocol, length)), naive(plain, 12));
        } else {                          /* RFC 8200 8.1 */
            length += 65536;
            memcpy(plain, src, 16);
            memcpy(plain + 16, dst, 16);
            put_be32(plain + 32, length);
            plain[39] = protocol;
            assert_int_equal(as_be(csum_pseudo(src, dst, protocol, length)), naive(plain, 40));
        }
    }
}

static void a_stored_checksum_verifies(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 6);
    uint8_t block[60];
    for (unsigned round = 0; round < 2000; round++) {
        fill(block, sizeof block, &g);
        memset(block + 16, 0, 2);
        csum_store(block + 16, csum_bytes(block, sizeof block, cpus[0]), false);
        assert_int_equal(csum_fold(csum_bytes(block, sizeof block, cpus[0])), 0xffff);
    }
}

static void udp_sends_a_computed_zero_as_ones(void **state)
{
    (void)state;
    uint8_t b[2];
    csum_store(b, 0xffff, true);
    assert_int_equal(get_be16(b), 0xffff);
    csum_store(b, 0xffff, false);
    assert_int_equal(get_be16(b), 0);
}

static void known_sum_of_rfc_1071(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};   /* section 3: ddf2 */
    for (unsigned c = 0; c < ncpus; c++)
        assert_int_equal(as_be(csum_bytes(bytes, sizeof bytes, cpus[c])), 0xddf2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sum_of_rfc_1071),
        cmocka_unit_test(every_length_agrees_with_the_naive_sum),
        cmocka_unit_test(every_alignment_agrees_with_the_naive_sum),
        cmocka_unit_test(all_ones_do_not_overflow),
        cmocka_unit_test(spans_split_anywhere_give_the_same_sum),
        cmocka_unit_test(pieces_may_be_added),
        cmocka_unit_test(the_pseudo_header_is_that_of_the_address_family),
        cmocka_unit_test(a_stored_checksum_verifies),
        cmocka_unit_test(udp_sends_a_computed_zero_as_ones),
    };
    return cmocka_run_group_tests(tests, find_cpus, NULL);
}
