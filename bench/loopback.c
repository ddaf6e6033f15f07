/* SPDX-License-Identifier: MIT
 *
 * loopback.c: see loopback.h. The sockets block, but never for long: what one end sends is with the other when send returns.
 */
#include "bench/loopback.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "os/host/testnet.h"

enum { PORT = 7000 };
struct request {
    enum loopback_what what;
    unsigned times;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sockaddr_in here(void) { return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}; }

static bool byte_goes(int from, int to)
{
    char byte = 1;
    return send(from, &byte, 1, MSG_NOSIGNAL) == 1 && recv(to, &byte, 1, 0) == 1;
}

static bool opened(int listener, int *a, int *b)
{
    struct sockaddr_in to = here();
    int on = 1;
    *b = -1;
    *a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*a < 0 || connect(*a, (struct sockaddr *)&to, sizeof to) < 0) return false;
    *b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return *b >= 0 && setsockopt(*a, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

static bool cycle(int listener)
{
    int a, b;
    char byte;
    bool good = opened(listener, &a, &b) && byte_goes(a, b) && byte_goes(b, a);
    if (a >= 0) close(a);
    good = good && recv(b, &byte, 1, 0) == 0;
    if (b >= 0) close(b);
    return good;
}

static double measured(int listener, int a, int b, const struct request *r)
{
    bool good = true;
    double start = cpu_seconds();
    for (unsigned i = 0; good && i < r->times; i++)
        good = r->what == LOOPBACK_CYCLE ? cycle(listener) : byte_goes(a, b) && byte_goes(b, a);
    return good ? (cpu_seconds() - start) / r->times * 1e9 : 0;
}

static int serve(int ask, int answer)
{
    struct sockaddr_in at = here();
    struct request r;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), a, b;
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 16) < 0 || !opened(listener, &a, &b)) return 1;
    while (read(ask, &r, sizeof r) == (ssize_t)sizeof r) {
        double ns = measured(listener, a, b, &r);
        if (write(answer, &ns, sizeof ns) != (ssize_t)sizeof ns) return 1;
    }
    return 0;
}

bool loopback_open(struct loopback *l, char *why, size_t why_size)
{
    struct testnet net;
    int ask[2], answer[2];
    if (testnet_open(&net, 1, why, why_size) < 0) return false;
    /* as many TIME-WAIT entries as the other side of the comparison has; ports do not run out either */
    testnet_sysctl(&net, 0, "ipv4/tcp_max_tw_buckets", "1000");
    if (pipe(ask) < 0 || pipe(answer) < 0 || (l->child = fork()) < 0) return false;
    if (l->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ask[1]);
        close(answer[0]);
        _exit(testnet_enter(&net, 0) < 0 ? 1 : serve(ask[0], answer[1]));
    }
    close(ask[0]);
    close(answer[1]);
    testnet_close(&net);
    l->ask = ask[1];
    l->answer = answer[0];
    return true;
}

double loopback_ns(struct loopback *l, enum loopback_what what, unsigned times)
{
    struct request r = {what, times};
    double ns = 0;
    if (write(l->ask, &r, sizeof r) != (ssize_t)sizeof r || read(l->answer, &ns, sizeof ns) != (ssize_t)sizeof ns) return 0;
    return ns;
}

void loopback_close(struct loopback *l)
{
    close(l->ask);
    close(l->answer);
    testnet_wait(l->child);
}
