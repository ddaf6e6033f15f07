/* SPDX-License-Identifier: MIT
 *
 * kernel_end.c: see ends.h.
 */
#include "bench/path/ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static uint8_t piece[256 << 10];

static struct sockaddr_in at(const char *address)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(ENDS_PORT)};
    inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

static bool failed(char *why, size_t why_size, const char *what)
{
    snprintf(why, why_size, "%s: %s", what, strerror(errno));
    return false;
}

bool kernel_tune(const struct testnet *net, int ns, char *why, size_t why_size)
{
    char sizes[64];
    snprintf(sizes, sizeof sizes, "4096 %d %d", ENDS_BUFFER_BYTES, ENDS_BUFFER_BYTES);
    /* What an earlier connection learned of the path must not help a later one. */
    const char *const set[][2] = {{"ipv4/tcp_no_metrics_save", "1"}, {"ipv4/tcp_rmem", sizes}, {"ipv4/tcp_wmem", sizes}};
    for (unsigned i = 0; i < sizeof set / sizeof *set; i++) {
        int error = testnet_sysctl(net, ns, set[i][0], set[i][1]);
        if (error) {
            errno = -error;
            return failed(why, why_size, set[i][0]);
        }
    }
    return true;
}

bool kernel_connects(struct kernel_end *k, const struct testnet *net, int ns, const char *to, const char *control, char *why, size_t why_size)
{
    struct sockaddr_in a = at(to);
    k->fd = testnet_socket(net, ns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (k->fd < 0) return failed(why, why_size, "a socket");
    if (setsockopt(k->fd, IPPROTO_TCP, TCP_CONGESTION, control, (socklen_t)strlen(control)) < 0) return failed(why, why_size, control);
    return connect(k->fd, (struct sockaddr *)&a, sizeof a) == 0 || errno == EINPROGRESS || failed(why, why_size, "connect");
}

bool kernel_listens(struct kernel_end *k, const struct testnet *net, int ns, char *why, size_t why_size)
{
    struct sockaddr_in a = at("0.0.0.0");
    k->listener = testnet_socket(net, ns, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (k->listener < 0 || bind(k->listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(k->listener, 1) < 0)
        return failed(why, why_size, "a listening socket");
    return true;
}

bool kernel_accepts(struct kernel_end *k)
{
    if (k->fd < 0) k->fd = accept4(k->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return k->fd >= 0 || errno == EAGAIN;
}

bool kernel_sends(struct kernel_end *k)
{
    while (send(k->fd, piece, sizeof piece, MSG_NOSIGNAL) >= 0)
        ;
    return errno == EAGAIN;
}

bool kernel_receives(struct kernel_end *k)
{
    for (ssize_t n;; k->got += (uint64_t)n) {
        n = recv(k->fd, piece, sizeof piece, 0);
        if (n <= 0) return n < 0 && errno == EAGAIN;
    }
}

void kernel_numbers(const struct kernel_end *k, struct end_numbers *n)
{
    struct tcp_info i = {0};
    socklen_t size = sizeof i;
    getsockopt(k->fd, IPPROTO_TCP, TCP_INFO, &i, &size);
    uint64_t flying = i.tcpi_unacked + i.tcpi_retrans - (uint64_t)i.tcpi_sacked - i.tcpi_lost;
    *n = (struct end_numbers){.cwnd_bytes = (uint64_t)i.tcpi_snd_cwnd * i.tcpi_snd_mss, .in_flight_bytes = flying * i.tcpi_snd_mss,
        .ssthresh_bytes = i.tcpi_snd_ssthresh < INT32_MAX ? (uint64_t)i.tcpi_snd_ssthresh * i.tcpi_snd_mss : 0, .retransmits = i.tcpi_total_retrans,
        .rto_ms = i.tcpi_rto / 1000, .srtt = i.tcpi_rtt * PL_US};
}

struct counted {
    char name[4096], value[4096];         /* the two lines of a group: names, and their values */
};

/* In a namespace. */
static int read_counted(void *arg, int *fd)
{
    struct counted *c = arg;
    FILE *f = fopen("/proc/net/netstat", "r");
    (void)fd;
    if (!f) return -errno;
    bool found = fgets(c->name, sizeof c->name, f) && fgets(c->value, sizeof c->value, f);
    fclose(f);
    return found ? 0 : -EIO;
}

void kernel_counted(const struct testnet *net, int ns, FILE *to)
{
    static struct counted c;
    if (testnet_run(net, ns, read_counted, &c, sizeof c, NULL)) return;
    char *name_rest, *value_rest, *name = strtok_r(c.name, " \n", &name_rest), *value = strtok_r(c.value, " \n", &value_rest);
    while ((name = strtok_r(NULL, " \n", &name_rest)) && (value = strtok_r(NULL, " \n", &value_rest)))
        if (strncmp(name, "TCP", 3) == 0 && strcmp(value, "0") != 0) fprintf(to, "%s\t%s\n", name, value);
}
