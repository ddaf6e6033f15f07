/* SPDX-License-Identifier: MIT
 *
 * get.c: `parley get URL`: fetches one file over HTTP, on parley's own TCP.
 */
#include "cli/fetch.h"
#include "cli/heartbeat.h"
#include "cli/progress.h"
#include "os/host/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *output;
static pl_time every;
static uint64_t count;

static const struct cli_option options[] = {
    {.letter = 'o', .name = "output", .value = "FILE", .read = cli_read_text, .to = &output, .help = "where to; default: stdout"},
    {.letter = 'e', .name = "every", .value = "TIME", .read = cli_read_time, .to = &every,
        .help = "ask again after each TIME, on the same connection while it lasts, and tell whether the server is online; what it sends is not kept"},
    {.letter = 'n', .name = "count", .value = "N", .read = cli_read_u64, .to = &count, .help = "with --every: so often; default: until Ctrl-C"},
    {0}};

struct url {
    char host[256];                       /* without brackets */
    char authority[300];                  /* as in the URL */
    char target[4096];
    uint16_t port;
};

/* http://host[:port][/path][?query]; RFC 9110 section 4.2.1. */
static bool parse(const char *text, struct url *u)
{
    char why[80], port[8] = "";
    const char *at = text;
    if (!strncasecmp(at, "http://", 7)) at += 7;
    else if (strstr(at, "://")) return false;
    size_t authority = strcspn(at, "/?#"), target = strcspn(at + authority, "#");
    const char *end = at + authority, *colon = NULL;
    if (!authority || authority >= sizeof u->authority || memchr(at, '@', authority) || target >= sizeof u->target - 1) return false;
    snprintf(u->authority, sizeof u->authority, "%.*s", (int)authority, at);
    if (*at == '[') {
        const char *close = memchr(at, ']', authority);
        if (!close || (close + 1 < end && close[1] != ':')) return false;
        snprintf(u->host, sizeof u->host, "%.*s", (int)(close - at - 1), at + 1);
        if (close + 1 < end) colon = close + 1;
    } else {
        colon = memchr(at, ':', authority);
        snprintf(u->host, sizeof u->host, "%.*s", (int)((colon ? colon : end) - at), at);
    }
    u->port = 80;
    if (colon) snprintf(port, sizeof port, "%.*s", (int)(end - colon - 1), colon + 1);
    if (colon && !cli_read_port(port, &u->port, why, sizeof why)) return false;
    snprintf(u->target, sizeof u->target, "%s%.*s", *end == '/' ? "" : "/", (int)target, end);
    for (const char *c = u->target; *c; c++)
        if (*c <= 0x20 || *c >= 0x7f) return false;
    return *u->host != '\0';
}

static struct progress progress;

static bool write_body(void *user, const void *bytes, size_t n)
{
    const struct cli_fetch *f = user;
    progress_tell(&progress, "received", f->bytes, f->length, host_now());
    return fwrite(bytes, 1, n, f->out) == n;
}

static int report(const struct cli_fetch *f, bool complete, bool written, const char *url)
{
    if (cli_interrupted()) return cli_say(130, "interrupted after %llu bytes", (unsigned long long)f->bytes);
    if (!written) return cli_say(CLI_FAILED, "cannot write %s: %s", output ? output : "to stdout", strerror(errno));
    if (!complete) return cli_say(CLI_FAILED, "%s: %s", url, f->problem);
    if (f->http_status >= 400) return cli_say(CLI_FAILED, "%s: the server answers %d %s", url, f->http_status, f->reason);
    if (cli_as_json) CLI_EVENT(stderr, "over", {"url", url, 0}, {"status", NULL, (uint64_t)f->http_status}, {"body_bytes", NULL, f->bytes},
        {"output", output ? output : "-", 0});
    else if (output) fprintf(stderr, "%llu bytes to %s\n", (unsigned long long)f->bytes, output);
    return CLI_DONE;
}

static int fetch(struct cli_host *h, const struct url *u, const char *url, FILE *out)
{
    struct pl_addr addr[8];
    const char *why;
    bool complete = false;
    struct cli_fetch f = {.host = u->authority, .target = u->target, .on_body = write_body, .out = out};
    f.user = &f;
    int n = cli_resolve(h, u->host, addr, 8, &why);
    if (!n) return cli_say(CLI_FAILED, "%s: %s", u->host, why);
    progress_begin(&progress, !output, host_now());
    for (int i = 0; i < n && !complete && !f.bytes && !cli_interrupted(); i++) {
        f.remote = (struct pl_endpoint){.addr = addr[i], .port = u->port};
        complete = cli_fetch(h, &f);
    }
    progress_end(&progress);
    errno = 0;
    bool written = fflush(out) == 0 && !ferror(out);
    int status = report(&f, complete, written, url);
    if (!h->lost) cli_host_farewell(h);
    return status;
}

static int keep_online(struct cli_host *h, const struct url *u)
{
    struct pl_addr addr[8];
    const char *why;
    if (!cli_resolve(h, u->host, addr, 8, &why)) return cli_say(CLI_FAILED, "%s: %s", u->host, why);
    return cli_heartbeat(h, &(struct cli_heartbeat){.remote = {.addr = addr[0], .port = u->port}, .host = u->authority, .target = u->target,
        .every = every, .count = count});
}

static int run(char *const *operands, int n)
{
    struct cli_host h = {0};
    struct url u;
    (void)n;
    if (!parse(operands[0], &u)) return cli_say(CLI_USAGE, "\"%s\" is no address of a page: it looks like http://HOST[:PORT]/PATH", operands[0]);
    if (count && !every) return cli_say(CLI_USAGE, "--count belongs to --every");
    if (every && output) return cli_say(CLI_USAGE, "with --every nothing is kept; leave out --output");
    int status = cli_host_open(&h);
    if (status) return status;
    cli_catch_signals(&h);
    if (every) {
        status = keep_online(&h, &u);
        cli_host_close(&h);
        return status;
    }
    FILE *out = output ? fopen(output, "wb") : stdout;
    if (out) status = fetch(&h, &u, operands[0], out);
    else status = cli_say(CLI_FAILED, "cannot write %s: %s", output, strerror(errno));
    if (out && out != stdout) fclose(out);
    cli_host_close(&h);
    return status;
}

const struct cli_command cli_get = {
    .name = "get", .operands = "URL", .summary = "fetches one file over HTTP, on parley's own TCP",
    .details = CLI_LINK_HELP
        "\n"
        "The host \"localhost\" is the kernel at the other end of the link. Beyond it parley gets as far as the kernel forwards packets.\n"
        "\n"
        "  python3 -m http.server 8000 &  parley get http://localhost:8000/        as root\n"
        "  parley get --every 5s http://localhost:8000/                a heartbeat: is the server still there?\n"
        "  parley get --iface packet:eth0 --addr 192.0.2.9/24 --gateway 192.0.2.1 -o page http://example.net/\n",
    .options = {options, cli_link_options}, .operands_min = 1, .operands_max = 1, .run = run};
