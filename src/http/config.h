/* SPDX-License-Identifier: MIT
 *
 * config.h: what both engines ask of their config.
 */
#ifndef PARLEY_HTTP_CONFIG_H
#define PARLEY_HTTP_CONFIG_H

#include <parley/http.h>

bool http_config_valid(const struct pl_http_config *);
/* since + span; a span of 0 means no limit. */
pl_time http_deadline(pl_time since, uint64_t span_ns);

#endif
