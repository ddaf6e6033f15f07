/* SPDX-License-Identifier: MIT
 *
 * server_time.c: the deadlines of the server engine: against peers that are silent, or slow on purpose. RFC 9112 section 9.5.
 *
 * A head has a time of its own from its first byte, however its bytes trickle in. A body, in either direction, is measured in windows of
 * rate_ns, each of which must move rate_bytes_min bytes.
 */
#include "http/config.h"
#include "http/server.h"

static pl_time in_deadline(const struct pl_http_server *s)
{
    switch (s->in) {
    case IN_IDLE:
        return http_deadline(s->in_since, s->config.idle_ns);
    case IN_HEAD:
        return http_deadline(s->in_since, s->config.head_ns);
    case IN_BODY:
        return s->body.framing == PL_HTTP_BODY_NONE ? PL_NEVER : http_deadline(s->in_since, s->config.rate_ns);
    default:
        return PL_NEVER;
    }
}

static pl_time out_deadline(const struct pl_http_server *s)
{
    return server_out_pending(s) ? http_deadline(s->out_since, s->config.rate_ns) : PL_NEVER;
}

pl_time pl_http_server_deadline(const pl_http_server *s)
{
    if (s->life == LIFE_LINGER)
        return http_deadline(s->in_since, s->config.linger_ns);
    if (s->life != LIFE_OPEN)
        return PL_NEVER;
    pl_time in = in_deadline(s), out = out_deadline(s);
    return in < out ? in : out;
}

static void in_expired(struct pl_http_server *s, pl_time now)
{
    if (s->in == IN_IDLE) {
        s->answer = ANSWER_SENT;          /* nothing to answer: only the end is left */
        s->in = IN_DEAF;
        server_advance(s, now);
    } else if (s->in == IN_BODY && s->moved_in >= s->config.rate_bytes_min) {
        s->in_since = now;
        s->moved_in = 0;
    } else {
        server_refuse(s, 408, now);       /* RFC 9110 15.5.9 */
    }
}

void pl_http_server_time(pl_http_server *s, pl_time now)
{
    if (now < pl_http_server_deadline(s))
        return;
    if (s->life == LIFE_LINGER) {
        s->life = LIFE_CLOSED;
        return;
    }
    if (now >= out_deadline(s)) {
        if (s->moved_out < s->config.rate_bytes_min) {
            s->life = LIFE_ABORTED;
            return;
        }
        s->out_since = now;
        s->moved_out = 0;
    }
    if (now >= in_deadline(s))
        in_expired(s, now);
}

void pl_http_server_shutdown(pl_http_server *s, pl_time now)
{
    s->close_after = true;
    if (s->life == LIFE_OPEN && s->in == IN_IDLE) {
        s->answer = ANSWER_SENT;
        s->in = IN_DEAF;
        server_advance(s, now);
    }
}
