/* SPDX-License-Identifier: MIT
 *
 * heartbeat.c: see heartbeat.h. RFC 9112 section 9.3: the requests share a connection as long as the server keeps it; when it is gone the next beat
 * makes another one. TCP alone would not tell: a connection on which nothing is sent stays for ever (mission M10).
 */
#include "cli/heartbeat.h"
#include "os/host/clock.h"
#include "os/host/http_parley.h"
#include "view/decode.h"
#include <stdlib.h>
#include <string.h>

struct beats {
    struct cli_host *h;
    const struct cli_heartbeat *wanted;
    struct pl_http_config config;
    void *memory;
    pl_http_client *client;
    struct http_parley_stream stream;
    struct http_fetch fetch;
    bool live;                            /* there is a connection */
    bool usable;                          /* and it has been made */
    bool answered;                        /* the latest beat was */
    enum { UNKNOWN, ONLINE, OFFLINE } state;
    int http_status;
    pl_time sent_at;
    uint64_t beats, answers;
};

static void tell(struct beats *b, const char *event, const char *text, pl_time took)
{
    char span[40];
    if (cli_as_json) CLI_EVENT(stdout, event, {"time_ns", NULL, host_wall_clock()}, {"beat", NULL, b->beats}, {"text", text, 0}, {"took_ns", NULL, took});
    else if (took) printf("%s: beat %llu, %s in %s\n", event, (unsigned long long)b->beats, text, view_duration(took / PL_US * PL_US, span, sizeof span));
    else printf("%s: beat %llu, %s\n", event, (unsigned long long)b->beats, text);
    fflush(stdout);
}

static int heard(void *user, pl_http_client *client, const struct pl_http_event *e)
{
    struct beats *b = user;
    char text[40];
    (void)client;
    if (e->kind == PL_HTTP_RESPONSE) b->http_status = e->status;
    if (e->kind != PL_HTTP_RESPONSE_END) return 0;
    b->answered = true;
    b->answers++;
    b->state = ONLINE;
    snprintf(text, sizeof text, "%d %.30s", b->http_status, pl_http_reason(b->http_status));
    tell(b, "online", text, host_now() - b->sent_at);
    return 0;
}

static void hang_up(struct beats *b)
{
    if (b->live) http_fetch_end(&b->fetch);
    b->live = b->usable = false;
}

static void offline(struct beats *b, const char *why)
{
    b->state = OFFLINE;
    tell(b, "offline", why, 0);
    hang_up(b);
}

/* What the connection has become. */
static void run_fetch(struct beats *b, pl_time now)
{
    if (!b->live || !b->usable) return;
    if (!(http_fetch_run(&b->fetch, now) & HTTP_PUMP_CLOSED)) return;
    b->live = b->usable = false;          /* between two beats: the next makes another */
    if (!b->answered && b->state != OFFLINE) offline(b, b->fetch.error ? pl_strerror(b->fetch.error) : "the server ended the connection");
}

static bool on_events(struct cli_host *h)
{
    struct beats *b = h->user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(h->stack, &e)) {
        any = true;
        b->usable |= b->live && e.handle == b->stream.conn && e.bits & (PL_EV_CONNECTED | PL_EV_ERROR | PL_EV_CLOSED);
    }
    if (any) run_fetch(b, h->loop.now);
    return any;
}

/* 0 or an enum pl_error. */
static int dial(struct beats *b)
{
    if (b->live) return 0;
    b->client = pl_http_client_init(b->memory, pl_http_client_size(&b->config), &b->config, host_now());
    b->stream = (struct http_parley_stream){.stack = b->h->stack};
    int error = pl_connect(b->h->stack, &(struct pl_connect_params){.remote = b->wanted->remote, .cookie = 1}, &b->stream.conn);
    if (error) return error;
    http_fetch_init(&b->fetch, b->client, &http_parley_io, &b->stream, heard, b);
    b->live = true;
    return 0;
}

static void beat(struct beats *b)
{
    struct pl_http_request request = {.method = PL_HTTP_GET, .minor = 1, .host = b->wanted->host, .target = b->wanted->target};
    b->beats++;
    b->answered = false;
    b->sent_at = host_now();
    if (b->state == OFFLINE) b->state = UNKNOWN;       /* each beat without an answer is told */
    int error = dial(b);
    if (!error) error = pl_http_client_request(b->client, &request, b->sent_at);
    if (error) offline(b, pl_strerror(error));
    else run_fetch(b, b->sent_at);
}

int cli_heartbeat(struct cli_host *h, const struct cli_heartbeat *wanted)
{
    struct beats b = {.h = h, .wanted = wanted};
    pl_http_config_default(&b.config, sizeof b.config);
    b.config.answer_ns = wanted->every;
    b.memory = malloc(pl_http_client_size(&b.config));
    if (!b.memory) return cli_say(CLI_FAILED, "no memory");
    h->on_events = on_events;
    h->user = &b;
    while (!cli_interrupted() && !h->lost && !(wanted->count && b.beats == wanted->count)) {
        beat(&b);
        pl_time next = b.sent_at + wanted->every;
        bool last = wanted->count && b.beats == wanted->count;
        while (!cli_interrupted() && host_now() < next && !(last && (b.answered || b.state == OFFLINE)))
            if (!cli_host_turn(h, next)) break;
        if (!cli_interrupted() && !h->lost && !b.answered && b.state != OFFLINE) offline(&b, "no answer in time");
    }
    hang_up(&b);
    if (!h->lost) cli_host_farewell(h);
    free(b.memory);
    if (cli_as_json) CLI_EVENT(stdout, "over", {"beats", NULL, b.beats}, {"answers", NULL, b.answers});
    else printf("%llu beats, %llu answered\n", (unsigned long long)b.beats, (unsigned long long)b.answers);
    return cli_interrupted() ? 130 : h->lost || b.state != ONLINE ? CLI_FAILED : CLI_DONE;
}
