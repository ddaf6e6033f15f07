/* SPDX-License-Identifier: MIT
 *
 * rtnl.c: see rtnl.h. Each call opens a socket, sends one request, and waits for the answer that NLM_F_ACK asks for.
 */
#include "os/host/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* One request being put together: a header, the message of its kind, and attributes, some of which contain others. */
struct request {
    struct nlmsghdr *head;
    _Alignas(8) uint8_t bytes[1024];
    _Alignas(8) uint8_t answer[4096];
    uint8_t route_type;                   /* of the route that was answered */
};

static void *begin(struct request *r, uint16_t type, uint16_t flags, size_t message_bytes)
{
    memset(r, 0, sizeof *r);
    r->head = (struct nlmsghdr *)(void *)r->bytes;
    r->head->nlmsg_type = type;
    r->head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    r->head->nlmsg_len = (uint32_t)NLMSG_LENGTH(message_bytes);
    return NLMSG_DATA(r->head);
}

/* All requests of this file fit: names are short. */
static struct rtattr *add(struct request *r, unsigned short type, const void *value, size_t n)
{
    struct rtattr *a = (struct rtattr *)(void *)(r->bytes + NLMSG_ALIGN(r->head->nlmsg_len));
    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(n);
    if (n) memcpy(RTA_DATA(a), value, n);
    r->head->nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head->nlmsg_len) + RTA_ALIGN(a->rta_len));
    return a;
}

static void add_u32(struct request *r, unsigned short type, uint32_t value) { add(r, type, &value, sizeof value); }
static void add_name(struct request *r, unsigned short type, const char *name) { add(r, type, name, strlen(name) + 1); }

/* Ends the attribute that contains all that was added since. */
static void close_nest(struct request *r, struct rtattr *a) { a->rta_len = (unsigned short)(r->bytes + r->head->nlmsg_len - (uint8_t *)a); }

static int ask(struct request *r)
{
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (s < 0) return -errno;
    int result = 0;
    if (send(s, r->bytes, r->head->nlmsg_len, 0) < 0) result = -errno;
    while (result == 0) {
        ssize_t got = recv(s, r->answer, sizeof r->answer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) result = -errno;
        struct nlmsghdr h;
        struct nlmsgerr e;
        if (got < (ssize_t)(NLMSG_HDRLEN + sizeof(struct rtmsg))) {
            if (result == 0) result = -EIO;
            break;
        }
        memcpy(&h, r->answer, sizeof h);
        if (h.nlmsg_type == RTM_NEWROUTE) r->route_type = ((const struct rtmsg *)(const void *)(r->answer + NLMSG_HDRLEN))->rtm_type;
        if (h.nlmsg_type != NLMSG_ERROR) continue;
        memcpy(&e, r->answer + NLMSG_HDRLEN, sizeof e);
        result = e.error;
        break;
    }
    close(s);
    return result;
}

static int index_of(const char *name)
{
    int index = (int)if_nametoindex(name);
    return index > 0 ? index : -ENODEV;
}

/* A request about an existing link. */
static struct ifinfomsg *begin_link(struct request *r, uint16_t type, const char *name, int *error)
{
    struct ifinfomsg *m = begin(r, type, 0, sizeof *m);
    m->ifi_family = AF_UNSPEC;
    m->ifi_index = index_of(name);
    *error = m->ifi_index < 0 ? m->ifi_index : 0;
    return m;
}

int rtnl_link_up(const char *name, bool up)
{
    struct request r;
    int error;
    struct ifinfomsg *m = begin_link(&r, RTM_NEWLINK, name, &error);
    m->ifi_change = IFF_UP;
    m->ifi_flags = up ? IFF_UP : 0;
    return error ? error : ask(&r);
}

int rtnl_link_mtu(const char *name, uint32_t mtu)
{
    struct request r;
    int error;
    begin_link(&r, RTM_NEWLINK, name, &error);
    add_u32(&r, IFLA_MTU, mtu);
    return error ? error : ask(&r);
}

int rtnl_link_delete(const char *name)
{
    struct request r;
    int error;
    begin_link(&r, RTM_DELLINK, name, &error);
    return error ? error : ask(&r);
}

int rtnl_veth_add(const char *name, const char *peer, int peer_ns, uint32_t mtu)
{
    struct request r;
    if (strlen(name) >= IFNAMSIZ || strlen(peer) >= IFNAMSIZ) return -EINVAL;
    struct ifinfomsg *m = begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *m);
    m->ifi_family = AF_UNSPEC;
    add_name(&r, IFLA_IFNAME, name);
    add_u32(&r, IFLA_MTU, mtu);
    struct rtattr *info = add(&r, IFLA_LINKINFO, NULL, 0);
    add(&r, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = add(&r, IFLA_INFO_DATA, NULL, 0);
    struct ifinfomsg far_end = {.ifi_family = AF_UNSPEC};
    struct rtattr *end = add(&r, VETH_INFO_PEER, &far_end, sizeof far_end);
    add_name(&r, IFLA_IFNAME, peer);
    add_u32(&r, IFLA_MTU, mtu);
    add_u32(&r, IFLA_NET_NS_FD, (uint32_t)peer_ns);
    close_nest(&r, end);
    close_nest(&r, data);
    close_nest(&r, info);
    return ask(&r);
}

/* The address as the kernel has it: IPv4 in 4 bytes. */
static uint8_t family_of(const struct pl_addr *a, const uint8_t **bytes, size_t *n)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool four = memcmp(a->b, mapped, 12) == 0;
    *bytes = four ? a->b + 12 : a->b;
    *n = four ? 4 : 16;
    return four ? AF_INET : AF_INET6;
}

static bool is_up(const char *name)
{
    struct ifreq ifr = {0};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
    bool up = s >= 0 && ioctl(s, SIOCGIFFLAGS, &ifr) == 0 && ifr.ifr_flags & IFF_UP;
    if (s >= 0) close(s);
    return up;
}

/* The kernel acknowledges a new IPv6 address before workers of its own have found the link ready and entered the route by which it receives
 * for the address; what arrives in between is dropped. So this waits until the address is local, at most two seconds (a link without a
 * cable is never ready). */
static void wait_until_local(const uint8_t *addr)
{
    struct request r;
    for (int i = 0; i < 2000; i++) {
        struct rtmsg *m = begin(&r, RTM_GETROUTE, 0, sizeof *m);
        m->rtm_family = AF_INET6;
        m->rtm_dst_len = 128;
        add(&r, RTA_DST, addr, 16);
        if (ask(&r) == 0 && r.route_type == RTN_LOCAL) return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

int rtnl_addr_add(const char *name, const struct pl_addr *addr, unsigned prefix_bits)
{
    struct request r;
    const uint8_t *bytes;
    size_t n;
    int index = index_of(name);
    if (index < 0) return index;
    struct ifaddrmsg *m = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *m);
    m->ifa_family = family_of(addr, &bytes, &n);
    if (prefix_bits > n * 8) return -EINVAL;
    m->ifa_prefixlen = (uint8_t)prefix_bits;
    m->ifa_index = (unsigned)index;
    if (n == 16) m->ifa_flags = IFA_F_NODAD;
    add(&r, IFA_LOCAL, bytes, n);
    add(&r, IFA_ADDRESS, bytes, n);
    int error = ask(&r);
    if (error == 0 && n == 16 && is_up(name)) wait_until_local(bytes);
    return error;
}

int rtnl_route_add(const char *name, const struct pl_addr *to, unsigned prefix_bits, const struct pl_addr *via)
{
    struct request r;
    const uint8_t *bytes, *via_bytes;
    size_t n, via_n;
    int index = index_of(name);
    if (index < 0) return index;
    struct rtmsg *m = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *m);
    m->rtm_family = family_of(to, &bytes, &n);
    if (prefix_bits > n * 8) return -EINVAL;
    m->rtm_dst_len = (uint8_t)prefix_bits;
    m->rtm_table = RT_TABLE_MAIN;
    m->rtm_protocol = RTPROT_BOOT;
    m->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    m->rtm_type = RTN_UNICAST;
    if (prefix_bits) add(&r, RTA_DST, bytes, n);
    add_u32(&r, RTA_OIF, (uint32_t)index);
    if (via) {
        if (family_of(via, &via_bytes, &via_n) != m->rtm_family) return -EINVAL;
        add(&r, RTA_GATEWAY, via_bytes, via_n);
    }
    return ask(&r);
}

int rtnl_sysctl(const char *path, const char *value)
{
    char file[256];
    if (snprintf(file, sizeof file, "/proc/sys/net/%s", path) >= (int)sizeof file) return -EINVAL;
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t n = strlen(value);
    int result = write(fd, value, n) == (ssize_t)n ? 0 : -errno;
    close(fd);
    return result;
}
