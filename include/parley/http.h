/* SPDX-License-Identifier: MIT
 *
 * http.h: HTTP/1.0 and HTTP/1.1 as two engines, a server's and a client's, without any I/O. RFC 9110, 9112, 1945.
 *
 * Theory of operation. An engine is one block of the caller's memory, sized by its config, with no pointer in it. It knows nothing of
 * the transport: the caller feeds it the bytes that arrived and the time, takes events out one by one, and asks what is to be sent.
 * Bytes to send come in two parts: the engine's own (heads, chunk lines, the text of errors), then a range of the *caller's* body by
 * offset. The engine never sees a body that is being sent, so nothing is copied.
 *
 *     received bytes --> pl_http_server_feed --> events (REQUEST, BODY, REQUEST_END, REFUSED)
 *     pl_http_server_answer <-- the program
 *     pl_http_server_out --> "my bytes, then yours from A to B" --> transport --> pl_http_server_sent(n)
 *     pl_http_server_wants says what the engine waits for; pl_http_server_deadline, when to call pl_http_server_time at the latest
 *
 * The server takes one request at a time: feeding stops (consumes 0) until its answer was handed to the transport. Pipelined requests
 * wait in the transport's receive buffer, so answers are in order and the memory per connection is fixed, whatever the peer sends.
 *
 * Everything is valid C11 and C++17. Time is in nanoseconds (pl_time), dates are Unix seconds and come from the caller.
 */
#ifndef PARLEY_HTTP_H
#define PARLEY_HTTP_H

#include <parley/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the words ---------------------------------------------------------------------------------------------------------------- */

/* Methods, RFC 9110 section 9.3 and RFC 5789. A method outside of this list is answered with 501 by the engine. */
#define PL_HTTP_METHODS(X)                                                                                                             \
    X(GET)                                                                                                                             \
    X(HEAD)                                                                                                                            \
    X(POST)                                                                                                                            \
    X(PUT)                                                                                                                             \
    X(DELETE)                                                                                                                          \
    X(CONNECT)                                                                                                                         \
    X(OPTIONS)                                                                                                                         \
    X(TRACE)                                                                                                                           \
    X(PATCH)
enum pl_http_method {
    PL_HTTP_NO_METHOD = 0,
#define X(name) PL_HTTP_##name,
    PL_HTTP_METHODS(X)
#undef X
};

/* How a body ends, RFC 9112 section 6.3. */
enum pl_http_framing {
    PL_HTTP_BODY_NONE = 0,
    PL_HTTP_BODY_LENGTH,                  /* after content_length bytes */
    PL_HTTP_BODY_CHUNKED,                 /* after the last chunk and its trailer */
    PL_HTTP_BODY_UNTIL_CLOSE,             /* responses only: when the peer ends the connection */
};

/* A piece of a head: offset and length within the head's bytes. at == 0 && len == 0: absent. */
struct pl_http_text {
    uint16_t at, len;
};

enum pl_http_head_flag {
    PL_HTTP_H_PERSIST = 1,                /* the sender is willing to keep the connection, RFC 9112 section 9.3 */
    PL_HTTP_H_EXPECT = 2,                 /* request: "Expect: 100-continue" */
    PL_HTTP_H_ABSOLUTE = 4,               /* request: the target came in absolute-form */
    PL_HTTP_H_LENGTH = 8,                 /* a Content-Length was given (in an answer to HEAD or a 304 it announces no body) */
};

/* A head that has been read and found good. Texts are read with pl_http_server_text / pl_http_client_text. */
struct pl_http_head {
    uint64_t content_length;              /* bytes; with PL_HTTP_H_LENGTH */
    uint8_t method;                       /* request: enum pl_http_method */
    uint8_t minor;                        /* HTTP/1.minor: 0 or 1 */
    uint8_t framing;                      /* enum pl_http_framing */
    uint8_t flags;                        /* enum pl_http_head_flag */
    uint16_t status;                      /* response: 100 to 599 */
    uint16_t field_count;                 /* lines of the header section */
    uint16_t fields_at;                   /* where the first field line begins */
    uint16_t bytes;                       /* length of the whole head, empty line included */
    struct pl_http_text target;           /* request: the request target as sent */
    struct pl_http_text path;             /* request: its path, still percent-encoded, starts with '/'; or "*" (OPTIONS) */
    struct pl_http_text query;            /* request: what follows '?', without it */
    struct pl_http_text host;             /* request: host[:port], of the target in absolute-form, else of the Host field */
    struct pl_http_text reason;           /* response: the reason phrase */
    uint32_t pad_;
};

/* Limits and time-outs of one connection; the same struct for both engines. Filled by pl_http_config_default. A time of 0: no limit. */
struct pl_http_config {
    uint32_t size;                        /* of this struct, set by pl_http_config_default */
    uint32_t line_bytes_max;              /* start line without CRLF; beyond: 414. Default 8000, RFC 9112 section 3; 64 to head_bytes_max */
    uint32_t head_bytes_max;              /* whole head; beyond: 431. Default 16384; 128 to 65000 */
    uint32_t field_count_max;             /* beyond: 431. Default 100 */
    uint32_t out_bytes;                   /* room for what the engine itself sends; default 2048; 512 to 65000 */
    uint32_t requests_max;                /* server: requests served on one connection, 0: any number. Default 0 */
    uint32_t pipeline_max;                /* client: requests without an answer yet, 1 to PL_HTTP_PIPELINE. Default PL_HTTP_PIPELINE */
    uint32_t discard_bytes_max;           /* server: unread request body skipped to keep the connection. Default 65536 */
    uint64_t body_bytes_max;              /* server: body of a request; beyond: 413. Default 1 MiB */
    uint64_t idle_ns;                     /* server: without a request. Default 60 s: a peer unheard for longer counts as offline */
    uint64_t head_ns;                     /* server: from the first byte of a request to the end of its head, default 20 s: 408 */
    uint64_t rate_ns;                     /* a body must move at least rate_bytes_min in each such time, in both directions. Default 20 s */
    uint64_t rate_bytes_min;              /* default 512 */
    uint64_t answer_ns;                   /* client: without a byte of the answer that is due. Default 30 s */
    uint64_t linger_ns;                   /* server: how long after the last answer the peer's bytes are still read. Default 2 s */
};
#define PL_HTTP_PIPELINE 32

/* Fills `config` with the defaults above. size: sizeof *config. PL_EINVAL: size is not one that this version knows. */
int pl_http_config_default(struct pl_http_config *config, size_t size);

/* "Not Found" for 404; for a status without a name, the name of its class (9110 section 15). Static text, never NULL. */
const char *pl_http_reason(int status);
/* "GET" for PL_HTTP_GET; "" for values outside of the enum. */
const char *pl_http_method_name(int method);

enum pl_http_event_kind {
    PL_HTTP_NONE = 0,                     /* nothing to report: more bytes are needed, or the engine waits for the answer to be sent */
    PL_HTTP_REQUEST,                      /* server: a head is ready */
    PL_HTTP_RESPONSE,                     /* client: a head is ready (1xx are not reported) */
    PL_HTTP_BODY,                         /* `body` lies in the bytes that were fed */
    PL_HTTP_REQUEST_END,                  /* server: the request is complete */
    PL_HTTP_RESPONSE_END,                 /* client: the response is complete */
    PL_HTTP_REFUSED,                      /* server: the request was bad; the engine itself answers `status` and ends the connection */
    PL_HTTP_BROKEN,                       /* client: no further answer can come; `fault` says why */
};

/* Why a client's connection broke. X(name, sentence) */
#define PL_HTTP_FAULTS(X)                                                                                                              \
    X(NONE, "no fault")                                                                                                                \
    X(SYNTAX, "the response violates the grammar of HTTP/1.x")                                                                         \
    X(VERSION, "the response is of another major version of HTTP")                                                                     \
    X(TOO_LARGE, "the head of the response is larger than the configured limit")                                                       \
    X(FRAMING, "the length of the response is ambiguous or malformed")                                                                 \
    X(TRUNCATED, "the connection ended in the middle of a response")                                                                   \
    X(UNANSWERED, "the connection ended before the request was answered")                                                              \
    X(UNASKED, "the server sent bytes that answer no request")                                                                         \
    X(TIMEOUT, "the server did not answer in time")
enum pl_http_fault {
#define X(name, text) PL_HTTP_F_##name,
    PL_HTTP_FAULTS(X)
#undef X
};
const char *pl_http_fault_text(int fault);

struct pl_http_event {
    uint8_t kind;                         /* enum pl_http_event_kind */
    uint8_t fault;                        /* BROKEN: enum pl_http_fault */
    uint16_t status;                      /* REFUSED: status sent. RESPONSE, RESPONSE_END: status received */
    uint32_t pad_;
    const void *body;                     /* BODY: in the fed bytes, valid as long as those */
    size_t body_bytes;
};

/* What is to be sent now: first own_bytes of the engine's (valid until the next call other than _wants and _deadline), then the caller's
 * body from body_at for body_bytes. Both lengths 0: nothing. */
struct pl_http_out {
    const void *own;
    size_t own_bytes;
    uint64_t body_at;
    uint64_t body_bytes;
};

/* What an engine waits for. */
enum pl_http_want {
    PL_HTTP_WANT_RECV = 1,                /* feed me what arrives (and tell me of its end) */
    PL_HTTP_WANT_SEND = 2,                /* pl_http_*_out has bytes */
    PL_HTTP_WANT_ANSWER = 4,              /* server: the program owes an answer */
    PL_HTTP_WANT_BODY = 8,                /* server: the program owes the next part of a body of unknown length */
    PL_HTTP_WANT_FINISH = 16,             /* half-close now, then call pl_http_*_finished */
    PL_HTTP_WANT_CLOSE = 32,              /* over: close the connection */
    PL_HTTP_WANT_ABORT = 64,              /* over, the peer does not take or send what it should: abort (reset) the connection */
};

/* ---- the server's side of one connection ---------------------------------------------------------------------------------------- */

typedef struct pl_http_server pl_http_server;

/* Bytes of memory that one engine needs; 0: the config is out of range. */
size_t pl_http_server_size(const struct pl_http_config *config);
/* Makes an engine for a new connection in `mem` (aligned for uint64_t, owned by the caller, may be copied bytewise). NULL: too small, or
 * the config is out of range. There is nothing to free. */
pl_http_server *pl_http_server_init(void *mem, size_t bytes, const struct pl_http_config *config, pl_time now);

/* Takes received bytes up to the next event; returns how many were consumed, 0 to n. Call again with the rest (or with n = 0) until it
 * consumes 0 and reports PL_HTTP_NONE. A rest that is not consumed belongs to a later request: keep it and feed it again later. */
size_t pl_http_server_feed(pl_http_server *, const void *bytes, size_t n, pl_time now, struct pl_http_event *event);
/* The Unix time for the Date field of this and all later answers (RFC 9110 section 6.6.1: an origin server with a clock sends it); call
 * it before the first feed and whenever the second changes. Without it, or with PL_HTTP_NO_DATE: no Date. */
void pl_http_server_date(pl_http_server *, int64_t unix_s);
/* The peer has finished sending, and everything received has been consumed. Answers that are due are still sent. */
void pl_http_server_eof(pl_http_server *, pl_time now);

/* The head of the request between PL_HTTP_REQUEST and the last byte of its answer. */
const struct pl_http_head *pl_http_server_head(const pl_http_server *);
/* Bytes of a piece of that head; not NUL-terminated: *len says how many. */
const char *pl_http_server_text(const pl_http_server *, struct pl_http_text, size_t *len);
/* Walks the header fields: *cursor starts at 0; false after the last. */
bool pl_http_server_field(const pl_http_server *, uint16_t *cursor, struct pl_http_text *name, struct pl_http_text *value);

#define PL_HTTP_LENGTH_UNKNOWN UINT64_MAX /* chunked in 1.1, until the connection ends in 1.0 */
#define PL_HTTP_NO_DATE        INT64_MIN

/* An answer. Zero-initialise, set last_modified to PL_HTTP_NO_DATE, then set what is known. Texts are NUL-terminated, copied, may be
 * NULL; a text that is empty, too long or holds control characters is refused with PL_EINVAL. */
struct pl_http_answer {
    int status;                           /* 200 to 599 */
    bool close;                           /* end the connection after this answer */
    uint64_t length;                      /* bytes of the caller's body, or PL_HTTP_LENGTH_UNKNOWN */
    int64_t last_modified;                /* Unix seconds, or PL_HTTP_NO_DATE */
    const char *etag;                     /* entity tag with its quotes */
    const char *content_type;
    const char *location;
    const char *allow;
    bool ranges;                          /* a file: conditions and a single range of the request are applied, RFC 9110 sections 13, 14 */
};

/* Queues the answer to the current request; once per request, any time after PL_HTTP_REQUEST. With `ranges`, status 200 may turn into
 * 206, 304, 412 or 416, and the body range asked for by pl_http_server_out is that part of the file. A HEAD is answered without a body.
 * Returns the status sent. PL_EINVAL: no request waits, or a field is malformed; PL_EMSGSIZE: the head does not fit into out_bytes
 * (nothing was queued, answer something shorter). */
int pl_http_server_answer(pl_http_server *, const struct pl_http_answer *, pl_time now);
/* Queues an answer that has the status and its name as its text; `allow` for 405, else NULL. */
int pl_http_server_error(pl_http_server *, int status, const char *allow, pl_time now);
/* Sends "100 Continue" if the request asked for it and no answer is queued yet; else does nothing. RFC 9110 section 10.1.1. */
void pl_http_server_continue(pl_http_server *, pl_time now);

/* Body of unknown length: n > 0 more bytes (at the running offset that pl_http_server_out names) are ready; n == 0: the body is
 * complete. Only while PL_HTTP_WANT_BODY; PL_EAGAIN otherwise. */
int pl_http_server_body(pl_http_server *, uint64_t n, pl_time now);

void pl_http_server_out(const pl_http_server *, struct pl_http_out *);
/* The transport took n bytes of what pl_http_server_out named, 0 <= n <= own_bytes + body_bytes. */
void pl_http_server_sent(pl_http_server *, uint64_t n, pl_time now);
/* The half-close asked for by PL_HTTP_WANT_FINISH was done. */
void pl_http_server_finished(pl_http_server *, pl_time now);

unsigned pl_http_server_wants(const pl_http_server *);              /* enum pl_http_want, or-ed */
pl_time pl_http_server_deadline(const pl_http_server *);            /* PL_NEVER: none */
void pl_http_server_time(pl_http_server *, pl_time now);            /* acts on deadlines that have passed */
/* The program shuts down: the connection ends after the answer in progress, at once when idle. */
void pl_http_server_shutdown(pl_http_server *, pl_time now);
uint64_t pl_http_server_requests(const pl_http_server *);           /* requests seen on this connection so far */

/* ---- the client's side of one connection ---------------------------------------------------------------------------------------- */

typedef struct pl_http_client pl_http_client;

struct pl_http_request {
    int method;                           /* PL_HTTP_GET or PL_HTTP_HEAD */
    int minor;                            /* 0: HTTP/1.0, 1: HTTP/1.1 */
    bool close;                           /* the last request on this connection */
    const char *host;                     /* host[:port] as in the URL */
    const char *target;                   /* path and query, percent-encoded, starts with '/' */
    const char *fields;                   /* NULL, or further field lines, each ended by CRLF */
};

size_t pl_http_client_size(const struct pl_http_config *config);
pl_http_client *pl_http_client_init(void *mem, size_t bytes, const struct pl_http_config *config, pl_time now);

/* Queues a request, without waiting for earlier answers. PL_EAGAIN: pipeline_max requests are unanswered or the room for unsent
 * requests is used up: send and try again. PL_EINVAL: not a valid request. PL_EMSGSIZE: it never fits into out_bytes. PL_ECLOSING: this
 * connection takes no more requests. */
int pl_http_client_request(pl_http_client *, const struct pl_http_request *, pl_time now);

size_t pl_http_client_feed(pl_http_client *, const void *bytes, size_t n, pl_time now, struct pl_http_event *event);
/* The server has finished sending. Completes a body that ends with the connection; reports what remained unanswered. */
void pl_http_client_eof(pl_http_client *, pl_time now, struct pl_http_event *event);

const struct pl_http_head *pl_http_client_head(const pl_http_client *);     /* between RESPONSE and RESPONSE_END */
const char *pl_http_client_text(const pl_http_client *, struct pl_http_text, size_t *len);
bool pl_http_client_field(const pl_http_client *, uint16_t *cursor, struct pl_http_text *name, struct pl_http_text *value);

void pl_http_client_out(const pl_http_client *, struct pl_http_out *);
void pl_http_client_sent(pl_http_client *, uint64_t n, pl_time now);

unsigned pl_http_client_wants(const pl_http_client *);
pl_time pl_http_client_deadline(const pl_http_client *);
/* Acts on a deadline that has passed: reports PL_HTTP_BROKEN with PL_HTTP_F_TIMEOUT, the sign that the network is down. */
void pl_http_client_time(pl_http_client *, pl_time now, struct pl_http_event *event);
unsigned pl_http_client_unanswered(const pl_http_client *);         /* requests without a complete response */
bool pl_http_client_reusable(const pl_http_client *);               /* nothing is pending and the connection may carry more requests */

/* ---- tools ---------------------------------------------------------------------------------------------------------------------- */

/* Decodes a path: percent-encoding undone, "." segments and empty segments removed, always starting with '/', NUL-terminated, a final
 * '/' kept. Returns the length. PL_EINVAL: not starting with '/', a bad or encoded-NUL escape, an encoded '/', a ".." segment (however
 * encoded). PL_EMSGSIZE: does not fit. `out` may be NULL: only checked. RFC 3986 section 2.1, 6.2.2. */
ptrdiff_t pl_http_path_decode(const char *path, size_t len, char *out, size_t out_bytes);

/* "Sun, 06 Nov 1994 08:49:37 GMT" and its NUL into out[30]; false: outside of the years 1 to 9999. RFC 9110 section 5.6.7. */
bool pl_http_date_write(int64_t unix_s, char out[30]);
/* Reads any of the three forms of section 5.6.7; false: not a date. `now_s` (or PL_HTTP_NO_DATE) settles two-digit years. */
bool pl_http_date_read(const char *text, size_t len, int64_t now_s, int64_t *unix_s);

#ifdef __cplusplus
}
#endif
#endif
