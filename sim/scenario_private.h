/* SPDX-License-Identifier: MIT
 *
 * scenario_private.h: what the reader of statements (scenario.c) and the statements (scenario_net.c, scenario_play.c) share.
 */
#ifndef SIM_SCENARIO_PRIVATE_H
#define SIM_SCENARIO_PRIVATE_H

#include "sim/scenario.h"

#define SCENARIO_WORDS_MAX 32

struct reader {
    struct scenario *s;
    unsigned line, words;
    char *word[SCENARIO_WORDS_MAX];
    char *error;                          /* the first problem, as a sentence; "": none */
    size_t size;
};

/* All give whether it is well; if not the reader has its sentence. */
bool reader_fail(struct reader *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The words from `first` on as settings; *set (may be NULL) gets the bits of those that are there. */
bool reader_settings(struct reader *, unsigned first, const struct setting *table, size_t n, void *to, uint32_t *set);
bool reader_node(struct reader *, const char *name, unsigned *node);
/* "a>b" or "a<>b" */
bool reader_way(struct reader *, const char *text, unsigned *link, unsigned *ways);

/* Statements: word[0] is the verb, `words` is at least what the table in scenario.c says. */
bool statement_host(struct reader *);
bool statement_router(struct reader *);
bool statement_link(struct reader *);
bool statement_way(struct reader *);
bool statement_at(struct reader *);
bool statement_impair(struct reader *);
bool statement_flow(struct reader *);

#endif
