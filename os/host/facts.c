/* SPDX-License-Identifier: MIT
 *
 * facts.c: see facts.h. One function per fact.
 *
 * Where the kernel can be asked by doing the thing in a namespace of our own, that is done: rules of containers, security modules and
 * sysctls are too many to be read.
 */
#include "os/host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "os/driver/af_packet.h"
#include "os/host/random.h"
#include "os/host/testnet.h"

enum { BUFFER_BYTES_WANTED = 4 << 20 };

#define SAY(field, ...) snprintf(field, sizeof field, __VA_ARGS__)

static void kernel(struct host_fact *f)
{
    struct utsname u;
    unsigned major = 0, minor = 0;
    uname(&u);
    SAY(f->is, "%s %s on %s", u.sysname, u.release, u.machine);
    sscanf(u.release, "%u.%u", &major, &minor);
    /* PACKET_IGNORE_OUTGOING came with 4.20. */
    if (major > 4 || (major == 4 && minor >= 20)) return;
    f->verdict = HOST_LESS;
    SAY(f->advice, "AF_PACKET needs Linux 4.20 or later; TUN and TAP work");
}

/* A line "name: value" of /proc/self/status, value in hexadecimal. */
static uint64_t status_hex(const char *name)
{
    char line[256];
    uint64_t value = 0;
    size_t n = strlen(name);
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, n) == 0 && line[n] == ':') value = strtoull(line + n + 1, NULL, 16);
    if (file) fclose(file);
    return value;
}

static bool has_capability(unsigned number) { return status_hex("CapEff") >> number & 1; }

static void rights(struct host_fact *f)
{
    bool admin = has_capability(CAP_NET_ADMIN), raw = has_capability(CAP_NET_RAW);
    SAY(f->is, "user %u %s CAP_NET_ADMIN and %s CAP_NET_RAW in this network namespace", (unsigned)geteuid(),
        admin ? "has" : "does not have", raw ? "has" : "does not have");
    if (admin && raw) return;
    f->verdict = HOST_LESS;
    SAY(f->advice, "run as root (or with these capabilities) "
                   "to put parley on this machine's own interfaces; in namespaces of its own it does without");
}

static void random_source(struct host_fact *f)
{
    char bytes[32];
    if (host_random(bytes, sizeof bytes)) {
        SAY(f->is, "getrandom works");
        return;
    }
    f->verdict = HOST_MISSING;
    SAY(f->is, "getrandom fails: %s", strerror(errno));
    SAY(f->advice, "sequence numbers need a secret: allow the call in the container's seccomp profile");
}

/* Splits "what is wrong: what to do" as the drivers and testnet say it, at the last ": ". */
static void split_advice(struct host_fact *f, const char *why)
{
    const char *cut = NULL;
    for (const char *at = strstr(why, ": "); at; at = strstr(at + 1, ": "))
        cut = at;
    if (cut) {
        SAY(f->is, "%.*s", (int)(cut - why), why);
        SAY(f->advice, "%s", cut + 2);
    } else {
        SAY(f->is, "%s", why);
        SAY(f->advice, "run as root on a machine that allows it");
    }
}

static void namespaces(struct host_fact *f)
{
    struct testnet net;
    char why[400];
    if (testnet_open(&net, 2, why, sizeof why) < 0) {
        f->verdict = HOST_MISSING;
        split_advice(f, why);
        return;
    }
    SAY(f->is, net.user_ns < 0 ? "network namespaces can be made as root" : "network namespaces can be made inside a user namespace");
    testnet_close(&net);
}

static void tun_device(struct host_fact *f)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        SAY(f->is, "can be opened");
        close(fd);
        return;
    }
    f->verdict = HOST_MISSING;
    SAY(f->is, "cannot be opened: %s", strerror(errno));
    SAY(f->advice, "%s",
        errno == ENOENT   ? "modprobe tun; in a container pass the device in (--device /dev/net/tun)"
        : errno == EACCES ? "run as root, or chmod 666 /dev/net/tun (any user may then make interfaces, but only in namespaces of its own)"
                          : "the container forbids the device: allow character device 10:200");
}

static void tun_interface(struct host_fact *f, bool tap, bool offload)
{
    struct testnet net;
    struct pl_driver *d;
    char why[400];
    bool works = testnet_open(&net, 1, why, sizeof why) == 0;
    if (works) {
        works = testnet_tun(&net, 0, &(struct tun_params){.tap = tap, .offload = offload, .up = true}, &d, why, sizeof why) == 0;
        if (works) d->ops->close(d);
        testnet_close(&net);
    }
    if (works) {
        SAY(f->is, "an interface can be made");
    } else {
        f->verdict = offload ? HOST_LESS : HOST_MISSING;
        split_advice(f, why);
    }
}
static void tun_plain(struct host_fact *f) { tun_interface(f, false, false); }
static void tap_plain(struct host_fact *f) { tun_interface(f, true, false); }
static void tun_offload(struct host_fact *f) { tun_interface(f, false, true); }

static void af_packet_here(struct host_fact *f)
{
    int fd = af_packet_socket();
    if (fd >= 0) {
        SAY(f->is, "a socket can be opened");
        close(fd);
        return;
    }
    f->verdict = HOST_MISSING;
    SAY(f->is, "a socket cannot be opened: %s", strerror(errno));
    SAY(f->advice, "run as root, or with CAP_NET_RAW: setcap cap_net_raw,cap_net_admin+ep on the program");
}

static void af_packet_inside(struct host_fact *f)
{
    char why[400];
    if (testnet_af_packet_possible(why, sizeof why)) {
        SAY(f->is, "works on a veth pair, with super-frames and unfinished checksums");
        return;
    }
    f->verdict = HOST_MISSING;
    split_advice(f, why);
}

/* The number in a file of /proc/sys; -1: there is none. */
static long long sysctl_number(const char *path)
{
    long long value = -1;
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%lld", &value) != 1) value = -1;
    if (file) fclose(file);
    return value;
}

static void ip6(struct host_fact *f)
{
    bool built = access("/proc/net/if_inet6", F_OK) == 0;
    if (built && sysctl_number("/proc/sys/net/ipv6/conf/all/disable_ipv6") != 1) {
        SAY(f->is, "the kernel speaks it");
        return;
    }
    f->verdict = HOST_LESS;
    SAY(f->is, built ? "switched off here" : "the kernel does not speak it");
    SAY(f->advice, "%s; parley speaks IPv6 anyhow, but has no such kernel to talk to",
        built ? "sysctl net.ipv6.conf.all.disable_ipv6=0" : "boot without ipv6.disable=1");
}

static void buffers(struct host_fact *f)
{
    long long rmem = sysctl_number("/proc/sys/net/core/rmem_max"), wmem = sysctl_number("/proc/sys/net/core/wmem_max");
    if (rmem < 0) {
        SAY(f->is, "not told in this namespace");
        return;
    }
    SAY(f->is, "a socket may ask for %lld and %lld bytes", rmem, wmem);
    /* Root goes beyond the limit (SO_RCVBUFFORCE). */
    if (geteuid() == 0 || rmem >= BUFFER_BYTES_WANTED) return;
    f->verdict = HOST_LESS;
    SAY(f->advice, "AF_PACKET loses frames in bursts: sysctl net.core.rmem_max=16777216 net.core.wmem_max=16777216");
}

static void processors(struct host_fact *f)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    SAY(f->is, "%ld online", n);
    if (n >= 2) return;
    f->verdict = HOST_LESS;
    SAY(f->advice, "the kernel and parley take turns on one: measurements say little");
}

static const struct {
    const char *name, *used_for;
    void (*find)(struct host_fact *);
} list[] = {
    {"kernel", "everything", kernel},
    {"rights", "this machine's own interfaces", rights},
    {"random source", "secrets", random_source},
    {"namespaces", "the demo against the kernel, tests", namespaces},
    {"/dev/net/tun", "TUN and TAP", tun_device},
    {"TUN", "IP packets to and from the kernel", tun_plain},
    {"TAP", "Ethernet frames to and from the kernel", tap_plain},
    {"TUN offload", "speed: super-frames of 64 KiB", tun_offload},
    {"AF_PACKET here", "this machine's own interfaces", af_packet_here},
    {"AF_PACKET inside", "the demo against the kernel without root", af_packet_inside},
    {"IPv6", "both families against the kernel", ip6},
    {"socket buffers", "speed of AF_PACKET without root", buffers},
    {"processors", "measurements", processors},
};

_Static_assert(sizeof list / sizeof *list <= HOST_FACTS_MAX, "HOST_FACTS_MAX is enough");

int host_facts(struct host_fact *facts, int max)
{
    int n = 0;
    for (size_t i = 0; i < sizeof list / sizeof *list && n < max; i++) {
        facts[n] = (struct host_fact){.name = list[i].name, .used_for = list[i].used_for};
        list[i].find(&facts[n++]);
    }
    return n;
}
