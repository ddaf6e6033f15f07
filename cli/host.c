/* SPDX-License-Identifier: MIT
 *
 * host.c: see host.h.
 */
#include "cli/host.h"
#include "os/driver/af_packet.h"
#include "os/host/clock.h"
#include "os/host/random.h"
#include "os/host/rtnl.h"
#include "view/jsonl.h"
#include "view/text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAREWELL (2 * PL_S)

/* ---------------------------------------------------------------- options ---------------------------------------------------------------- */

struct cli_link_opts cli_link;

static bool read_addr(const char *text, void *to, char *why, size_t why_size)
{
    char copy[64];
    struct cli_addrs *list = to;
    const char *slash = strchr(text, '/');
    struct cli_addr a = {.bits = 0};
    uint64_t bits = 0;
    snprintf(why, why_size, "an address, and behind / how many bits name the network, as in 10.1.0.2/24 or fd00::2/64");
    snprintf(copy, sizeof copy, "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
    if (pl_addr_parse(copy, &a.addr)) return false;
    bool four = !memcmp(a.addr.b, (const uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
    bits = four ? 24 : 64;
    if (slash && (!cli_read_u64(slash + 1, &bits, copy, sizeof copy) || bits > (four ? 32u : 128u))) return false;
    if (list->n == CLI_ADDRS_MAX) {
        snprintf(why, why_size, "at most %d addresses", CLI_ADDRS_MAX);
        return false;
    }
    a.bits = (unsigned)bits;
    list->of[list->n++] = a;
    return true;
}

static bool read_iface(const char *text, void *to, char *why, size_t why_size)
{
    const char *colon = strchr(text, ':');
    size_t kind = colon ? (size_t)(colon - text) : 0;
    if (!colon || !colon[1] || strlen(colon + 1) > 15 || !((kind == 3 && (!memcmp(text, "tun", 3) || !memcmp(text, "tap", 3))) ||
        (kind == 6 && !memcmp(text, "packet", 6)))) {
        snprintf(why, why_size, "tun:NAME, tap:NAME or packet:IFACE (names have 15 letters at most)");
        return false;
    }
    *(const char **)to = text;
    return true;
}

const struct cli_option cli_link_options[] = {
    {.name = "iface", .value = "KIND:NAME", .read = read_iface, .to = &cli_link.iface,
        .help = "the link: tun:NAME or tap:NAME, made if it is not there; or packet:IFACE, an Ethernet interface that is shared with the kernel"},
    {.name = "addr", .value = "A/BITS", .read = read_addr, .to = &cli_link.ours, .help = "an address of parley's on it; may be given again"},
    {.name = "kernel", .value = "A/BITS", .read = read_addr, .to = &cli_link.kernels,
        .help = "an address that the kernel gets on its side of a TUN or TAP; may be given again"},
    {.name = "gateway", .value = "A", .read = read_addr, .to = &cli_link.gateways, .help = "the way to everywhere else; one for each family"},
    {.name = "netns", .to = &cli_link.netns, .help = "instead: in a network namespace of its own, which vanishes afterwards"},
    {.letter = 'v', .name = "trace", .to = &cli_link.trace, .help = "tell everything that TCP does and why, on stderr"},
    {.name = "pcap", .value = "FILE", .read = cli_read_text, .to = &cli_link.pcap, .help = "keep all frames, with the reasons, as a capture file"},
    {.name = "json", .to = &cli_as_json, .help = "everything that is said as JSON, one object a line; with --trace the trace too"},
    {0}};

/* ---------------------------------------------------------------- signals ---------------------------------------------------------------- */

static volatile sig_atomic_t interrupts;
static struct host_loop *interrupted_loop;

static void on_signal(int signal)
{
    if (interrupts++) _exit(128 + signal);
    host_loop_stop(interrupted_loop);
}

void cli_catch_signals(struct cli_host *h)
{
    struct sigaction a = {.sa_handler = on_signal};
    interrupted_loop = &h->loop;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

bool cli_interrupted(void)
{
    return interrupts > 0;
}

/* ---------------------------------------------------------------- the stack ---------------------------------------------------------------- */

static void trace(void *user, const struct pl_trace_event *event)
{
    struct cli_host *h = user;
    struct pl_trace_event e = *event;
    cli_pcap_event(&h->pcap, h->pcap_iface, event);
    if (!cli_link.trace) return;
    e.now -= e.now > h->began ? h->began : e.now;
    if (cli_as_json) jsonl_event(stderr, "parley", &e, false);
    else text_print(stderr, "parley", &e);
}

static bool on_events(void *user)
{
    struct cli_host *h = user;
    struct pl_event e;
    if (h->on_events) return h->on_events(h);
    bool any = false;
    while (pl_event_next(h->stack, &e))
        any = true;
    return any;
}

static void on_lost(void *user, int iface, struct pl_driver *driver, int error)
{
    struct cli_host *h = user;
    (void)iface, (void)error;
    h->lost = true;
    cli_say(CLI_FAILED, "the interface %s was taken away", driver->name);
}

static bool make_stack(struct cli_host *h, char *why, size_t why_size)
{
    struct pl_config config;
    pl_config_default(&config, sizeof config);
    config.mem_is_zero = true;
    if (cli_link.keepalive) {
        config.keepalive_idle = config.keepalive_interval = cli_link.keepalive;
        config.keepalive_probes = 3;
    }
    if (!host_random(config.seed, sizeof config.seed)) {
        snprintf(why, why_size, "the system has no random numbers");
        return false;
    }
    h->block_bytes = pl_stack_size(&config);
    h->block = mmap(NULL, h->block_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (h->block == MAP_FAILED) {
        h->block = NULL;
        snprintf(why, why_size, "no memory for the stack (%zu MiB)", h->block_bytes >> 20);
        return false;
    }
    h->began = host_now();
    if (cli_link.pcap && !cli_pcap_open(&h->pcap, cli_link.pcap, host_wall_clock() - h->began)) {
        snprintf(why, why_size, "cannot write %s: %s", cli_link.pcap, strerror(errno));
        return false;
    }
    if (cli_link.trace || cli_link.pcap) {
        h->env.trace = trace;
        h->env.trace_user = h;
    }
    int error = pl_stack_init(h->block, h->block_bytes, &config, &h->env, h->began, &h->stack);
    if (!error) error = host_loop_init(&h->loop, h->stack, &(struct host_loop_params){on_events, on_lost, h});
    if (error) {
        snprintf(why, why_size, "the stack does not start: %s", pl_strerror(error));
        return false;
    }
    h->has_loop = true;
    return true;
}

/* Hands the driver over, and gives the stack its addresses and gateways. */
static bool plug_in(struct cli_host *h, struct pl_driver *d, const struct cli_addrs *gateways, char *why, size_t why_size)
{
    char text[64];
    h->pcap_iface = cli_pcap_interface(&h->pcap, d->name, d->params.link == PL_LINK_ETHERNET);
    h->iface = host_loop_add_driver(&h->loop, d);
    if (h->iface < 0) {
        snprintf(why, why_size, "the stack refuses the interface %s: %s", d->name, pl_strerror(h->iface));
        d->ops->close(d);
        return false;
    }
    for (int i = 0; i < h->ours.n; i++) {
        int error = pl_addr_add(h->stack, h->iface, &h->ours.of[i].addr, h->ours.of[i].bits);
        if (!error) continue;
        snprintf(why, why_size, "the stack refuses the address %s: %s", pl_addr_text(&h->ours.of[i].addr, text, sizeof text), pl_strerror(error));
        return false;
    }
    for (int i = 0; i < gateways->n; i++) {
        struct pl_route r = {.gateway = gateways->of[i].addr, .iface = h->iface};
        if (!memcmp(r.gateway.b, (const uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12)) memcpy(r.destination.b, r.gateway.b, 12);
        int error = pl_route_add(h->stack, &r);
        if (!error) continue;
        snprintf(why, why_size, "the stack refuses the gateway %s: %s", pl_addr_text(&r.gateway, text, sizeof text), pl_strerror(error));
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- links ---------------------------------------------------------------- */

static void add(struct cli_addrs *list, const char *format, unsigned network, unsigned bits)
{
    char text[64];
    struct cli_addr *a = &list->of[list->n++];
    snprintf(text, sizeof text, format, network);
    pl_addr_parse(text, &a->addr);
    a->bits = bits;
}

static void default_addrs(struct cli_host *h, unsigned n)
{
    add(&h->kernels, "10.77.%u.1", n, 24);
    add(&h->ours, "10.77.%u.2", n, 24);
    add(&h->kernels, n ? "fd77:0:0:%x::1" : "fd77::1", n, 64);
    add(&h->ours, n ? "fd77:0:0:%x::2" : "fd77::2", n, 64);
}

/* A kernel without IPv6 refuses the second of the default addresses: then the link is one of IPv4 alone. */
static bool do_without_ip6(struct cli_host *h, int i, int error)
{
    bool refused = error == -EACCES || error == -EPERM || error == -EOPNOTSUPP || error == -EAFNOSUPPORT || error == -ENOENT;
    if (i != 1 || !refused || cli_link.ours.n) return false;
    h->kernels.n = h->ours.n = 1;
    return true;
}

static bool kernel_addrs(struct cli_host *h, const char *name, char *why, size_t why_size)
{
    char text[64];
    for (int i = 0; i < h->kernels.n; i++) {
        int error = rtnl_addr_add(name, &h->kernels.of[i].addr, h->kernels.of[i].bits);
        if (!error || error == -EEXIST || do_without_ip6(h, i, error)) continue;
        snprintf(why, why_size, "the kernel does not take %s on %s: %s", pl_addr_text(&h->kernels.of[i].addr, text, sizeof text), name,
            strerror(-error));
        return false;
    }
    return true;
}

static bool open_default(struct cli_host *h, char *why, size_t why_size)
{
    struct pl_driver *d;
    char path[80];
    unsigned n = 0;
    if (tun_open(&(struct tun_params){.name = "parley%d", .offload = true, .up = true}, &d, why, why_size) < 0) return false;
    sscanf(d->name, "parley%u", &n);
    if (!cli_link.ours.n) {
        default_addrs(h, n % 256);
    } else {
        h->ours = cli_link.ours;
        h->kernels = cli_link.kernels;
    }
    if (!kernel_addrs(h, d->name, why, why_size)) {
        d->ops->close(d);
        return false;
    }
    /* What comes from our own interface may pass through, so that two parleys on one machine reach each other. */
    snprintf(path, sizeof path, "ipv4/conf/%s/forwarding", d->name);
    rtnl_sysctl(path, "1");
    snprintf(h->what, sizeof h->what, "the TUN interface %s", d->name);
    return plug_in(h, d, cli_link.gateways.n ? &cli_link.gateways : &h->kernels, why, why_size);
}

static bool open_named(struct cli_host *h, char *why, size_t why_size)
{
    struct pl_driver *d;
    const char *name = strchr(cli_link.iface, ':') + 1;
    int error;
    h->ours = cli_link.ours;
    h->kernels = cli_link.kernels;
    if (cli_link.iface[0] == 'p') {
        error = af_packet_open(&(struct af_packet_params){.name = name}, &d, why, why_size);
        snprintf(h->what, sizeof h->what, "the Ethernet interface %s", name);
    } else {
        error = tun_open(&(struct tun_params){.name = name, .tap = cli_link.iface[1] == 'a', .offload = true, .up = true}, &d, why, why_size);
        snprintf(h->what, sizeof h->what, "the %s interface %s", cli_link.iface[1] == 'a' ? "TAP" : "TUN", name);
    }
    if (error < 0) return false;
    if (!kernel_addrs(h, d->name, why, why_size)) {
        d->ops->close(d);
        return false;
    }
    return plug_in(h, d, &cli_link.gateways, why, why_size);
}

static bool private_addrs(struct cli_host *h, const char *name, char *why, size_t why_size)
{
    char text[64];
    for (int i = 0; i < h->kernels.n; i++) {
        int error = testnet_addr(&h->net, h->kernel_ns, name, pl_addr_text(&h->kernels.of[i].addr, text, sizeof text), h->kernels.of[i].bits);
        if (!error || do_without_ip6(h, i, error)) continue;
        snprintf(why, why_size, "the namespace's kernel does not take %s: %s", text, strerror(-error));
        return false;
    }
    return true;
}

/* A TUN in a namespace; where /dev/net/tun may not be opened, a cable between two namespaces with AF_PACKET at our end. */
static bool private_driver(struct cli_host *h, struct pl_driver **d, char *why, size_t why_size)
{
    char first[200];
    if (testnet_tun(&h->net, 0, &(struct tun_params){.name = "tun0", .offload = true, .up = true}, d, first, sizeof first) == 0) {
        h->kernel_ns = 0;
        snprintf(h->what, sizeof h->what, "a TUN interface in a network namespace of its own%s", h->net.user_ns >= 0 ? ", without root" : "");
        if (private_addrs(h, "tun0", why, why_size)) return true;
        (*d)->ops->close(*d);
        return false;
    }
    h->kernel_ns = 1;
    snprintf(h->what, sizeof h->what, "a virtual Ethernet between two network namespaces of its own%s", h->net.user_ns >= 0 ? ", without root" : "");
    int error = testnet_veth(&h->net, 0, "parley", 1, "kernel", 1500);
    if (!error) error = testnet_quiet(&h->net, 0, "parley");
    if (error) {
        snprintf(why, why_size, "no TUN (%.80s) and no virtual Ethernet (%s)", first, strerror(-error));
        return false;
    }
    return private_addrs(h, "kernel", why, why_size) && testnet_af_packet(&h->net, 0, "parley", d, why, why_size) == 0;
}

static bool open_private(struct cli_host *h, char *why, size_t why_size)
{
    struct pl_driver *d = NULL;
    if (testnet_open(&h->net, 2, why, why_size) < 0) return false;
    h->has_net = true;
    default_addrs(h, 0);
    return private_driver(h, &d, why, why_size) && plug_in(h, d, &h->kernels, why, why_size);
}

/* ---------------------------------------------------------------- the host ---------------------------------------------------------------- */

bool cli_host_open_private(struct cli_host *h, char *why, size_t why_size)
{
    bool (*act)(struct cli_host *) = h->on_events;
    void *user = h->user;
    struct pl_env env = h->env;
    *h = (struct cli_host){.on_events = act, .user = user, .env = env};
    if (make_stack(h, why, why_size) && open_private(h, why, why_size)) return true;
    cli_host_close(h);
    return false;
}

int cli_host_open(struct cli_host *h)
{
    char why[400] = "";
    bool (*act)(struct cli_host *) = h->on_events;
    void *user = h->user;
    *h = (struct cli_host){.on_events = act, .user = user};
    if (cli_link.netns && (cli_link.iface || cli_link.ours.n)) return cli_say(CLI_USAGE, "--netns makes its own link; leave out --iface and --addr");
    if (cli_link.iface && !cli_link.ours.n) return cli_say(CLI_USAGE, "with --iface say also which address parley has there: --addr A/BITS");
    if (!cli_link.iface && cli_link.ours.n && !cli_link.kernels.n)
        return cli_say(CLI_USAGE, "with --addr say also what the kernel's side of the link is: --kernel A/BITS, or --iface packet:IFACE");
    if (!make_stack(h, why, sizeof why)) {
        cli_host_close(h);
        return cli_say(CLI_FAILED, "%s", why);
    }
    bool done = cli_link.netns ? open_private(h, why, sizeof why) : cli_link.iface ? open_named(h, why, sizeof why) : open_default(h, why, sizeof why);
    if (done) return CLI_DONE;
    cli_host_close(h);
    if (geteuid() != 0 && !cli_link.netns) {
        char *advice = strstr(why, ": run as root");            /* said better here */
        if (advice) *advice = '\0';
        return cli_say(CLI_FAILED, "making a network interface needs root; --netns does without (%s; `parley doctor` says what works here)", why);
    }
    return cli_say(CLI_FAILED, "%s; `parley doctor` says what works here", why);
}

void cli_host_close(struct cli_host *h)
{
    if (h->has_loop) host_loop_fini(&h->loop);
    if (h->has_net) testnet_close(&h->net);
    if (h->block) munmap(h->block, h->block_bytes);
    if (!cli_pcap_close(&h->pcap)) cli_say(CLI_FAILED, "the capture file is not complete: %s", strerror(errno));
    h->block = NULL;
    h->stack = NULL;
    h->has_loop = h->has_net = false;
}

bool cli_host_turn(struct cli_host *h, pl_time until)
{
    pl_time now = host_now();
    if (host_loop_run_once(&h->loop, until == PL_NEVER ? PL_NEVER : until > now ? until - now : 0) < 0) {
        cli_say(CLI_FAILED, "waiting for the device failed: %s", strerror(errno));
        return false;
    }
    cli_pcap_flush(&h->pcap);
    return !h->lost;
}

unsigned cli_host_open_connections(const struct cli_host *h)
{
    uint32_t counts[PL_STATE_COUNT];
    unsigned n = 0;
    pl_states(h->stack, counts);
    for (int i = 0; i < PL_STATE_COUNT; i++)
        if (i != PL_CLOSED && i != PL_LISTEN && i != PL_TIME_WAIT) n += counts[i];
    return n;
}

void cli_host_farewell(struct cli_host *h)
{
    pl_time end = host_now() + FAREWELL;
    while (cli_host_open_connections(h) && host_now() < end && cli_host_turn(h, end))
        ;
    pl_abort_all(h->stack);               /* those that were given back and wait for their peer as well */
    for (int i = 0; i < 3 && !h->lost; i++)
        cli_host_turn(h, 0);              /* what the last calls gave to send */
}
