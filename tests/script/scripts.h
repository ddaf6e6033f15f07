/* SPDX-License-Identifier: MIT
 *
 * scripts.h: the scripts below tests/script, as cases.
 */
#ifndef TESTS_SCRIPTS_H
#define TESTS_SCRIPTS_H

#include "support/unit.h"

/* One case for each script and family: "handshake/passive.pkt over IPv6". A script that says its own --ip_version has one case only. `plug`: run on this shared
 * object; NULL: in this process. Returns the number of cases. */
size_t scripts_cases(struct CMUnitTest **cases, const char *plug);

#endif
