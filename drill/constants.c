/* SPDX-License-Identifier: MIT */
#include "drill/constants.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct constant {
    const char *name;
    int64_t value;
};

#define C(name) {#name, name}
static const struct constant constants[] = {
    C(AF_INET), C(AF_INET6), C(AF_UNSPEC), C(AF_UNIX), C(PF_INET), C(PF_INET6), C(SOCK_STREAM), C(SOCK_DGRAM), C(SOCK_RAW), C(SOCK_NONBLOCK), C(SOCK_CLOEXEC),
    C(IPPROTO_IP), C(IPPROTO_TCP), C(IPPROTO_UDP), C(IPPROTO_IPV6), C(IPPROTO_ICMP), C(IPPROTO_ICMPV6),
    C(INADDR_ANY), C(INADDR_LOOPBACK),
    C(SOL_SOCKET), C(SOL_IP), C(SOL_IPV6), C(SOL_TCP), {"SOL_UDP", IPPROTO_UDP},
    C(SO_REUSEADDR), C(SO_REUSEPORT), C(SO_KEEPALIVE), C(SO_LINGER), C(SO_RCVBUF), C(SO_SNDBUF), C(SO_ERROR), C(SO_TYPE), C(SO_ACCEPTCONN), C(SO_DOMAIN), C(SO_PROTOCOL),
    C(SO_RCVTIMEO), C(SO_SNDTIMEO), C(SO_RCVLOWAT), C(SO_SNDLOWAT), C(SO_OOBINLINE), C(SO_BROADCAST), C(SO_PRIORITY), C(SO_BUF_LOCK), C(SO_DEBUG), C(SO_DONTROUTE), C(SO_RCVBUFFORCE),
    C(SO_SNDBUFFORCE), C(SO_MARK), C(SO_TIMESTAMP), C(SO_TIMESTAMPNS), C(SO_TIMESTAMPING), C(SO_ZEROCOPY), C(SO_MAX_PACING_RATE), C(SO_INCOMING_CPU), C(SO_BUSY_POLL), C(SO_PEEK_OFF),
    C(TCP_NODELAY), C(TCP_CORK), C(TCP_MAXSEG), C(TCP_KEEPIDLE), C(TCP_KEEPINTVL), C(TCP_KEEPCNT), C(TCP_SYNCNT), C(TCP_USER_TIMEOUT), C(TCP_DEFER_ACCEPT), C(TCP_QUICKACK),
    C(TCP_INFO), C(TCP_CONGESTION), C(TCP_LINGER2), C(TCP_WINDOW_CLAMP), C(TCP_FASTOPEN), C(TCP_FASTOPEN_CONNECT), C(TCP_NOTSENT_LOWAT), C(TCP_TIMESTAMP), C(TCP_MD5SIG),
    C(TCP_CC_INFO), C(TCP_INQ), C(TCP_THIN_LINEAR_TIMEOUTS), C(TCP_SAVED_SYN), C(TCP_SAVE_SYN), C(TCP_TX_DELAY), C(TCP_ZEROCOPY_RECEIVE), C(TCP_REPAIR), C(TCP_ULP),
    C(IP_TTL), C(IP_TOS), C(IP_MTU), C(IP_MTU_DISCOVER), C(IP_PMTUDISC_DO), C(IP_PMTUDISC_DONT), C(IP_PMTUDISC_WANT), C(IP_PMTUDISC_PROBE), C(IP_RECVERR), C(IP_RECVTOS),
    C(IP_RECVTTL), C(IP_PKTINFO), C(IP_TRANSPARENT), C(IP_FREEBIND), C(IP_BIND_ADDRESS_NO_PORT),
    C(IPV6_V6ONLY), C(IPV6_UNICAST_HOPS), C(IPV6_TCLASS), C(IPV6_MTU), C(IPV6_MTU_DISCOVER), C(IPV6_RECVERR), C(IPV6_RECVTCLASS), C(IPV6_RECVHOPLIMIT), C(IPV6_RECVPKTINFO),
    C(MSG_PEEK), C(MSG_DONTWAIT), C(MSG_WAITALL), C(MSG_OOB), C(MSG_NOSIGNAL), C(MSG_TRUNC), C(MSG_CTRUNC), C(MSG_MORE), C(MSG_EOR), C(MSG_ERRQUEUE), C(MSG_FASTOPEN),
    C(MSG_ZEROCOPY), C(MSG_DONTROUTE), C(MSG_CONFIRM),
    C(F_GETFL), C(F_SETFL), C(F_GETFD), C(F_SETFD), C(FD_CLOEXEC), C(O_RDONLY), C(O_WRONLY), C(O_RDWR), C(O_NONBLOCK),
    C(FIONREAD), C(FIONBIO), {"SIOCINQ", FIONREAD}, C(SIOCOUTQ), C(SIOCOUTQNSD), C(SIOCATMARK),
    C(SHUT_RD), C(SHUT_WR), C(SHUT_RDWR),
    C(POLLIN), C(POLLOUT), C(POLLPRI), C(POLLERR), C(POLLHUP), C(POLLNVAL), C(POLLRDHUP), C(POLLRDNORM), C(POLLRDBAND), C(POLLWRNORM), C(POLLWRBAND),
    C(EPOLLIN), C(EPOLLOUT), C(EPOLLPRI), C(EPOLLERR), C(EPOLLHUP), C(EPOLLRDHUP), C(EPOLLRDNORM), C(EPOLLWRNORM), C(EPOLLET), C(EPOLLONESHOT), C(EPOLLEXCLUSIVE),
    C(EPOLL_CTL_ADD), C(EPOLL_CTL_MOD), C(EPOLL_CTL_DEL), C(EPOLL_CLOEXEC),
    /* states and options of struct tcp_info */
    C(TCP_ESTABLISHED), C(TCP_SYN_SENT), C(TCP_SYN_RECV), C(TCP_FIN_WAIT1), C(TCP_FIN_WAIT2), C(TCP_TIME_WAIT), C(TCP_CLOSE), C(TCP_CLOSE_WAIT), C(TCP_LAST_ACK), C(TCP_LISTEN),
    C(TCP_CLOSING), C(TCPI_OPT_TIMESTAMPS), C(TCPI_OPT_SACK), C(TCPI_OPT_WSCALE), C(TCPI_OPT_ECN), C(TCPI_OPT_ECN_SEEN), C(TCPI_OPT_SYN_DATA), C(TCP_CA_Open), C(TCP_CA_Disorder),
    C(TCP_CA_CWR), C(TCP_CA_Recovery), C(TCP_CA_Loss), {"NULL", 0},
};

static const struct constant errors[] = {
    C(EAGAIN), C(EWOULDBLOCK), C(EINPROGRESS), C(EALREADY), C(EISCONN), C(ENOTCONN), C(ECONNREFUSED), C(ECONNRESET), C(ECONNABORTED), C(ETIMEDOUT), C(EHOSTUNREACH), C(ENETUNREACH),
    C(ENETDOWN), C(EPIPE), C(EBADF), C(EINVAL), C(ENOTSOCK), C(EOPNOTSUPP), C(EADDRINUSE), C(EADDRNOTAVAIL), C(EAFNOSUPPORT), C(EPROTONOSUPPORT), C(ESOCKTNOSUPPORT), C(EPROTOTYPE),
    C(ENOPROTOOPT), C(EDESTADDRREQ), C(EMSGSIZE), C(ENOBUFS), C(ENOMEM), C(EMFILE), C(EINTR), C(EFAULT), C(EACCES), C(EPERM), C(ENOENT), C(EEXIST), C(ENOTTY), C(EPROTO), C(EDOM),
    C(ENOSYS), C(ENOTSUP), C(EIO), C(EHOSTDOWN), C(ENETRESET), C(EREMOTEIO), C(ESHUTDOWN), C(ETOOMANYREFS), C(EBUSY), C(ENODEV), C(ESPIPE), C(ENFILE), C(ELOOP), C(ENONET),
};

static const struct constant *find(const struct constant *from, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(from[i].name, name) == 0)
            return &from[i];
    return NULL;
}
#define FIND(table, name) find(table, sizeof(table) / sizeof(table)[0], name)

bool drill_constant(const char *name, int64_t *value)
{
    const struct constant *c = FIND(constants, name);
    if (c)
        *value = c->value;
    return c != NULL;
}

int drill_errno(const char *name)
{
    const struct constant *c = FIND(errors, name);
    return c ? (int)c->value : 0;
}

const char *drill_errno_name(int number)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].value == number)
            return errors[i].name;
    return "?";
}
