/* SPDX-License-Identifier: MIT
 *
 * words.c: names and sentences: errors, drops, reasons, states.
 */
#include <parley/trace.h>

static const char *const drop_names[] = {"NONE",
#define X(name, sentence, rule) #name,
#include <parley/drops.def>
#undef X
};
static const char *const drop_texts[] = {"taken",
#define X(name, sentence, rule) sentence,
#include <parley/drops.def>
#undef X
};
static const char *const drop_rules[] = {"",
#define X(name, sentence, rule) rule,
#include <parley/drops.def>
#undef X
};
static const char *const reason_names[] = {"NONE",
#define X(name, sentence, rule) #name,
#include <parley/reasons.def>
#undef X
};
static const char *const reason_texts[] = {"",
#define X(name, sentence, rule) sentence,
#include <parley/reasons.def>
#undef X
};
static const char *const reason_rules[] = {"",
#define X(name, sentence, rule) rule,
#include <parley/reasons.def>
#undef X
};
static const char *const state_names[] = {
#define X(name, text) text,
    PL_STATES(X)
#undef X
};
static const char *const error_names[] = {
#define X(name, text) "PL_" #name,
    PL_ERRORS(X)
#undef X
};
static const char *const error_texts[] = {
#define X(name, text) text,
    PL_ERRORS(X)
#undef X
};

#define PICK(table, i) ((unsigned)(i) < sizeof(table) / sizeof(table)[0] ? (table)[i] : "?")

const char *pl_drop_name(enum pl_drop d) { return PICK(drop_names, d); }
const char *pl_drop_text(enum pl_drop d) { return PICK(drop_texts, d); }
const char *pl_drop_rule(enum pl_drop d) { return PICK(drop_rules, d); }
const char *pl_reason_name(enum pl_reason r) { return PICK(reason_names, r); }
const char *pl_reason_text(enum pl_reason r) { return PICK(reason_texts, r); }
const char *pl_reason_rule(enum pl_reason r) { return PICK(reason_rules, r); }
const char *pl_state_name(enum pl_state s) { return PICK(state_names, s); }

const char *pl_strerror(int e) { return e == 0 ? "no error" : PICK(error_texts, e - PL_ERROR_FIRST_ - 1); }
const char *pl_error_name(int e) { return e == 0 ? "PL_OK" : PICK(error_names, e - PL_ERROR_FIRST_ - 1); }
