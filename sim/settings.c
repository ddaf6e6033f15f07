/* SPDX-License-Identifier: MIT
 *
 * settings.c: see settings.h.
 */
#include "sim/settings.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t worth;
};
static const struct unit times[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {0}};
static const struct unit rates[] = {{"bit", 1}, {"kbit", 1000}, {"Mbit", 1000000}, {"Gbit", 1000000000}, {0}};
static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {0}};
static const struct unit chances[] = {{"%", 10000}, {0}};
static const struct unit counts[] = {{"", 1}, {0}};

static const struct {
    const struct unit *units;
    const char *like;
} kinds[] = {
    [SETTING_TIME] = {times, "a time such as 20ms or 1.5s"},
    [SETTING_RATE] = {rates, "a rate such as 10Mbit"},
    [SETTING_BYTES] = {sizes, "a number of bytes such as 1500 or 64kB"},
    [SETTING_COUNT] = {counts, "a whole number"},
    [SETTING_CHANCE] = {chances, "a chance such as 1% or 0.01%"},
    [SETTING_ON] = {NULL, "on or off"},
    [SETTING_MASK] = {NULL, "up to 64 digits 0 and 1, the first frame's first"},
    [SETTING_WORD] = {NULL, "one of"},
    [SETTING_WORDS] = {NULL, "some of, with commas between:"},
    [SETTING_NAME] = {NULL, "a name of up to 15 letters, digits, - and _"},
};

static bool times_worth(uint64_t *v, uint64_t worth)
{
    if (*v > UINT64_MAX / worth) return false;
    *v *= worth;
    return true;
}

/* digits[.digits]unit: nothing is rounded. */
static bool decimal(const char *text, const struct unit *units, uint64_t *value)
{
    uint64_t v = 0, scale = 1;
    const char *at = text;
    bool point = false;
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !point && at > text); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (v > (UINT64_MAX - 9) / 10 || (point && !times_worth(&scale, 10))) return false;
        v = v * 10 + (uint64_t)(*at - '0');
    }
    if (at == text || at[-1] == '.') return false;
    for (; units->name; units++) {
        if (strcmp(units->name, at)) continue;
        if (!times_worth(&v, units->worth) || v % scale) return false;
        *value = v / scale;
        return true;
    }
    return false;
}

bool setting_value(enum setting_type type, const char *text, uint64_t *value)
{
    return decimal(text, kinds[type].units, value);
}

bool setting_is_name(const char *text)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t n = strlen(text);
    return n > 0 && n < SETTING_NAME_BYTES && strspn(text, good) == n;
}

static int word_of(const char *const *words, const char *text, size_t len)
{
    for (int i = 0; words[i]; i++)
        if (strlen(words[i]) == len && !memcmp(words[i], text, len)) return i;
    return -1;
}

static bool read_mask(const char *text, uint64_t *mask)
{
    size_t n = strlen(text);
    *mask = 0;
    if (!n || n > 64 || strspn(text, "01") != n) return false;
    for (size_t i = 0; i < n; i++)
        *mask |= (uint64_t)(text[i] == '1') << i;
    return true;
}

static bool read_words(const char *const *words, const char *text, uint32_t *bits)
{
    *bits = 0;
    for (;;) {
        size_t len = strcspn(text, ",");
        int i = word_of(words, text, len);
        if (i < 0) return false;
        *bits |= 1u << i;
        if (!text[len]) return true;
        text += len + 1;
    }
}

static bool read_number(const struct setting *s, const char *text, void *to)
{
    uint64_t v;
    uint64_t max = s->max ? s->max : s->type == SETTING_CHANCE ? 1000000 : s->type == SETTING_COUNT ? UINT32_MAX : UINT64_MAX / 4;
    if (!decimal(text, kinds[s->type].units, &v) || v < s->min || v > max) return false;
    if (s->type == SETTING_COUNT || s->type == SETTING_CHANCE) *(uint32_t *)to = (uint32_t)v;
    else *(uint64_t *)to = v;
    return true;
}

static bool read_value(const struct setting *s, const char *text, void *to)
{
    int i;
    switch (s->type) {
    case SETTING_ON:
        *(bool *)to = !strcmp(text, "on");
        return !strcmp(text, "on") || !strcmp(text, "off");
    case SETTING_MASK: return read_mask(text, to);
    case SETTING_WORDS: return read_words(s->words, text, to);
    case SETTING_WORD:
        i = word_of(s->words, text, strlen(text));
        *(uint8_t *)to = (uint8_t)i;
        return i >= 0;
    case SETTING_NAME:
        if (!setting_is_name(text)) return false;
        strcpy(to, text);
        return true;
    default: return read_number(s, text, to);
    }
}

static size_t append(char *why, size_t size, size_t at, const char *text)
{
    int n = at < size ? snprintf(why + at, size - at, "%s", text) : 0;
    return at + (size_t)n;
}

/* The value as it would be written, in the unit that needs the fewest digits. */
static size_t append_value(char *why, size_t size, size_t at, const struct setting *s, uint64_t v)
{
    const struct unit *best = kinds[s->type].units;
    char text[60];
    for (const struct unit *u = best; u->name; u++)
        if (v && v % u->worth == 0 && u->worth > best->worth) best = u;
    if (v % best->worth) snprintf(text, sizeof text, "%" PRIu64 ".%04" PRIu64 "%s", v / best->worth, v % best->worth, best->name);
    else snprintf(text, sizeof text, "%" PRIu64 "%s", v / best->worth, best->name);
    return append(why, size, at, text);
}

static void explain(const struct setting *s, const char *value, char *why, size_t size)
{
    size_t at = (size_t)snprintf(why, size, "%s=%s: expected %s", s->name, value, kinds[s->type].like);
    for (int i = 0; s->words && s->words[i]; i++)
        at = append(why, size, append(why, size, at, " "), s->words[i]);
    if (s->min || (s->max && kinds[s->type].units)) {
        at = append_value(why, size, append(why, size, at, s->max ? ", from " : ", at least "), s, s->min);
        if (s->max) append_value(why, size, append(why, size, at, " to "), s, s->max);
    }
}

bool setting_read(const struct setting *table, size_t n, const char *word, void *to, unsigned *which, char *why, size_t size)
{
    size_t len = strcspn(word, "=");
    for (unsigned i = 0; i < n; i++) {
        if (strlen(table[i].name) != len || memcmp(table[i].name, word, len)) continue;
        *which = i;
        const char *value = word[len] ? word + len + 1 : "";
        if (!word[len] && table[i].type == SETTING_ON) value = "on";
        if (read_value(&table[i], value, (char *)to + table[i].offset)) return true;
        explain(&table[i], value, why, size);
        return false;
    }
    size_t at = (size_t)snprintf(why, size, "there is no \"%.*s\" here; there is", (int)len, word);
    for (unsigned i = 0; i < n; i++)
        at = append(why, size, append(why, size, at, " "), table[i].name);
    return false;
}
