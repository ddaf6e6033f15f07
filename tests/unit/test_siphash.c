/* SPDX-License-Identifier: MIT
 *
 * SipHash against the vectors that its authors published, and the generators against theirs.
 */
#include "support/unit.h"

#include "base/prng.h"
#include "base/siphash.h"
#include "support/guard.h"

static void siphash24_gives_the_published_vectors(void **state)
{
    (void)state;
    /* Key 00 01 .. 0f, message 00 01 .. n-1. The one for n = 15 is worked through in the paper's appendix A. */
    static const uint64_t expected[] = {
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
        0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    };
    static const struct siphash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t message[16];
    for (uint8_t i = 0; i < 16; i++)
        message[i] = i;
    for (size_t n = 0; n < COUNT_OF(expected); n++)
        assert_true(siphash24(&key, guard_copy(message, n), n) == expected[n]);
    guard_reset();
}

static void siphash13_over_words_is_siphash13_over_their_bytes(void **state)
{
    (void)state;
    /* Bytes 00 01 .. read as little-endian words, under a zero key; computed with an independent implementation (CPython's). */
    static const uint64_t words[] = {0x0706050403020100, 0x0f0e0d0c0b0a0908, 0x1716151413121110, 0x1f1e1d1c1b1a1918, 0x2726252423222120};
    static const struct {
        unsigned n;
        uint64_t hash;
    } expected[] = {{1, 0xead411e67ebe2eea}, {2, 0x8972188433a5c5b7}, {3, 0x31185a47af932f3a}, {5, 0x95bc321ab41d8206}};
    static const struct siphash_key key = {0, 0};
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(siphash13_words(&key, words, expected[i].n) == expected[i].hash);
}

static void every_key_bit_and_message_bit_matters(void **state)
{
    (void)state;
    uint64_t message[3] = {1, 2, 3};
    struct siphash_key key = {4, 5};
    uint64_t first = siphash13_words(&key, message, 3), first24 = siphash24(&key, message, 24);
    for (unsigned bit = 0; bit < 64; bit++) {
        for (unsigned word = 0; word < 3; word++) {
            message[word] ^= (uint64_t)1 << bit;
            assert_true(siphash13_words(&key, message, 3) != first && siphash24(&key, message, 24) != first24);
            message[word] ^= (uint64_t)1 << bit;
        }
        key.k0 ^= (uint64_t)1 << bit;
        assert_true(siphash13_words(&key, message, 3) != first && siphash24(&key, message, 24) != first24);
        key.k0 ^= (uint64_t)1 << bit;
        key.k1 ^= (uint64_t)1 << bit;
        assert_true(siphash13_words(&key, message, 3) != first && siphash24(&key, message, 24) != first24);
        key.k1 ^= (uint64_t)1 << bit;
    }
}

static void splitmix64_seeds_with_its_published_numbers(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 0);
    assert_true(g.s[0] == 0xe220a8397b1dcdaf && g.s[1] == 0x6e789e6aa1b965f4);
    prng_seed(&g, 1234567);
    assert_true(g.s[0] == 6457827717110365317u && g.s[1] == 3203168211198807973u);
}

static void xoshiro256starstar_gives_its_published_numbers(void **state)
{
    (void)state;
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240u, 1216172134540287360u};
    struct prng g = {{1, 2, 3, 4}};
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(prng_next(&g) == expected[i]);
}

static void prng_below_is_within_bounds_and_even(void **state)
{
    (void)state;
    struct prng g;
    prng_seed(&g, 3);
    assert_int_equal(prng_below(&g, 0), 0);
    assert_int_equal(prng_below(&g, 1), 0);
    unsigned seen[10] = {0};
    for (unsigned i = 0; i < 100000; i++)
        seen[prng_below(&g, 10)]++;
    for (unsigned i = 0; i < 10; i++)
        assert_in_range(seen[i], 9600, 10400);
    /* Four draws share three results here: without throwing some away, every third result would come twice as often. */
    unsigned thirds = 0;
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t x = prng_below(&g, 0xc0000000);
        assert_true(x < 0xc0000000);
        thirds += x % 3 == 0;
    }
    assert_in_range(thirds, 32500, 34200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash24_gives_the_published_vectors),
        cmocka_unit_test(siphash13_over_words_is_siphash13_over_their_bytes),
        cmocka_unit_test(every_key_bit_and_message_bit_matters),
        cmocka_unit_test(splitmix64_seeds_with_its_published_numbers),
        cmocka_unit_test(xoshiro256starstar_gives_its_published_numbers),
        cmocka_unit_test(prng_below_is_within_bounds_and_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
