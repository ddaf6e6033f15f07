/* SPDX-License-Identifier: MIT
 *
 * siphash.h: SipHash (Aumasson and Bernstein), the keyed hash behind initial sequence numbers (RFC 9293 3.4.1), timestamps offsets,
 * ports (RFC 6056) and the demultiplexer's table. 2-4 rounds where the output is seen on the wire, 1-3 for tables.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};
uint64_t siphash24(const struct siphash_key *, const void *bytes, size_t n);
uint64_t siphash13_words(const struct siphash_key *, const uint64_t *words, unsigned nwords);   /* whole 8-byte words, host order */

#endif
