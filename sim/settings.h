/* SPDX-License-Identifier: MIT
 *
 * settings.h: words of the form name=value, from a table of the names, into a struct. Integers only: 1.5s and 0.01% are exact or refused.
 */
#ifndef SIM_SETTINGS_H
#define SIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
    SETTING_TIME,                         /* uint64_t ns: 20ms, 1.5s; units ns us ms s m h */
    SETTING_RATE,                         /* uint64_t bits a second: 10Mbit; units bit kbit Mbit Gbit */
    SETTING_BYTES,                        /* uint64_t: 1500, 64kB, 10MB, 1GB; KiB, MiB, GiB */
    SETTING_COUNT,                        /* uint32_t */
    SETTING_CHANCE,                       /* uint32_t per million: 1%, 0.01% */
    SETTING_ON,                           /* bool: on or off */
    SETTING_MASK,                         /* uint64_t, bit 0 first: 0010 */
    SETTING_WORD,                         /* uint8_t: which of `words` */
    SETTING_WORDS,                        /* uint32_t: bit of each of `words`, with commas between */
    SETTING_NAME,                         /* char[SETTING_NAME_BYTES]: letters, digits, - and _ */
};
#define SETTING_NAME_BYTES 16

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;
    uint64_t min, max;                    /* of numbers; max 0: whatever fits */
    const char *const *words;             /* ends with NULL */
};

/* One word. *which: the index in the table. False: a sentence in `why`. */
bool setting_read(const struct setting *table, size_t n, const char *word, void *to, unsigned *which, char *why, size_t size);
/* A value alone, of the types with numbers and units. */
bool setting_value(enum setting_type, const char *text, uint64_t *value);
bool setting_is_name(const char *text);

#endif
