/* SPDX-License-Identifier: MIT
 *
 * user_timeout.h: the numbers of RFC 5482's User Timeout Option: how a time stands in its 16 bits, and which time both sides' wishes come to.
 */
#ifndef TCP_MODELS_USER_TIMEOUT_H
#define TCP_MODELS_USER_TIMEOUT_H

#include <stdint.h>

enum { USER_TIMEOUT_MINUTES = 0x8000 };   /* the granularity bit: the other 15 are minutes, else seconds */
#define USER_TIMEOUT_WORD_MS_MAX (UINT64_C(32767) * 60000)         /* 22 days */

/* As it stands in the option: seconds as long as they fit, else minutes, rounded up; at most what fits. Never zero: RFC 5482 3.4. */
uint16_t user_timeout_word(uint64_t ms);
uint64_t user_timeout_ms(uint16_t word);  /* 0: reserved, to be ignored */

struct user_timeout_wishes {
    uint64_t ours_ms, theirs_ms;          /* ADV_UTO, REMOTE_UTO */
    uint64_t lower_ms, upper_ms;          /* L_LIMIT, U_LIMIT */
    uint64_t rto_ms;                      /* in force: the timeout is longer, whatever the limits say */
};
uint32_t user_timeout_both(const struct user_timeout_wishes *);

#endif
