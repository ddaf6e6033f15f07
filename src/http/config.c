/* SPDX-License-Identifier: MIT
 *
 * config.c: the limits of the HTTP engines: defaults and ranges.
 */
#include "http/config.h"

#include <string.h>

int pl_http_config_default(struct pl_http_config *config, size_t size)
{
    if (!config || size != sizeof *config)
        return PL_EINVAL;
    memset(config, 0, sizeof *config);
    config->size = (uint32_t)size;
    config->line_bytes_max = 8000;        /* RFC 9112 3: at least 8000 octets are RECOMMENDED */
    config->head_bytes_max = 16384;
    config->field_count_max = 100;
    config->out_bytes = 2048;
    config->pipeline_max = PL_HTTP_PIPELINE;
    config->discard_bytes_max = 65536;
    config->body_bytes_max = 1 << 20;
    config->idle_ns = 60 * PL_S;
    config->head_ns = 20 * PL_S;
    config->rate_ns = 20 * PL_S;
    config->rate_bytes_min = 512;
    config->answer_ns = 30 * PL_S;
    config->linger_ns = 2 * PL_S;
    return PL_OK;
}

bool http_config_valid(const struct pl_http_config *c)
{
    return c && c->size == sizeof *c && c->head_bytes_max >= 128 && c->head_bytes_max <= 65000 && c->line_bytes_max >= 64 &&
           c->line_bytes_max <= c->head_bytes_max && c->out_bytes >= 512 && c->out_bytes <= 65000 && c->field_count_max <= 65000 &&
           c->pipeline_max >= 1 && c->pipeline_max <= PL_HTTP_PIPELINE;
}

pl_time http_deadline(pl_time since, uint64_t span_ns)
{
    return span_ns == 0 || since > PL_NEVER - span_ns ? PL_NEVER : since + span_ns;
}
