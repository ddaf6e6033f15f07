/* SPDX-License-Identifier: MIT
 *
 * af_packet.c: see af_packet.h.
 *
 * PACKET_VNET_HDR is always on. Without it frames of this machine's own TCP arrive through a veth with their checksums unfinished and up to
 * 64 KiB long, and nothing says so; with it both are told (vnet.h), and we may send the like. Frames that this machine sends out through
 * the interface are not ours to see (PACKET_IGNORE_OUTGOING). The kernel takes a VLAN tag off before it hands the frame over: a tagged
 * frame is of another network and is left out.
 */
#include "os/driver/af_packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "os/driver/frame.h"
#include "os/driver/vnet.h"
#include "os/why.h"

enum { SOCKET_BUFFER_BYTES = 16 << 20, ETHERNET_BYTES = 14 };

struct af_packet {
    struct pl_driver driver;
    int fd, ifindex;
    bool gone;
    struct vnet_rx rx;
};

/* An interface that is merely down may come back; one that has no name any more does not. */
static bool is_gone(struct af_packet *a)
{
    struct ifreq ifr = {.ifr_ifindex = a->ifindex};
    if (!a->gone && ioctl(a->fd, SIOCGIFNAME, &ifr) < 0) a->gone = true;
    return a->gone;
}

static bool has_vlan_tag(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct tpacket_auxdata aux;
        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA || c->cmsg_len < CMSG_LEN(sizeof aux)) continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        return aux.tp_status & TP_STATUS_VLAN_VALID;
    }
    return false;
}

static ptrdiff_t read_one(struct pl_driver *driver, struct virtio_net_hdr *header, void *buf, size_t n)
{
    struct af_packet *a = (struct af_packet *)driver;
    union {
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct cmsghdr align;
    } control;
    for (;;) {
        struct iovec iov[2] = {{header, sizeof *header}, {buf, n}};
        struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof control};
        ssize_t got = recvmsg(a->fd, &m, MSG_DONTWAIT);
        if (got < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) return 0;
            if (is_gone(a)) return PL_ENETDOWN;
            driver->errors++;
            return 0;
        }
        if ((size_t)got <= sizeof *header || m.msg_flags & MSG_TRUNC) return PL_EINVAL;
        if (!has_vlan_tag(&m)) return got - (ssize_t)sizeof *header;
    }
}

static int af_packet_recv(struct pl_driver *driver, struct pl_frame *frames, int n)
{
    struct af_packet *a = (struct af_packet *)driver;
    if (a->gone) return PL_ENETDOWN;
    return vnet_rx_batch(&a->rx, driver, frames, n, read_one);
}

/* Returns 1: taken or lost, 0: full, or an error. */
static int send_one(struct af_packet *a, const struct pl_frame *f)
{
    struct virtio_net_hdr header;
    struct iovec iov[1 + PL_SPANS] = {{&header, sizeof header}};
    if (!vnet_describe(&header, f, true)) {
        a->driver.errors++;
        return 1;
    }
    for (unsigned i = 0; i < f->nspans; i++)
        iov[1 + i] = (struct iovec){f->span[i].base, f->span[i].len};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 1u + f->nspans};
    ssize_t sent;
    do {
        sent = sendmsg(a->fd, &m, MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno == EAGAIN) return 0;
        if (is_gone(a)) return PL_ENETDOWN;
        a->driver.errors++;               /* ENOBUFS: its queue is full; ENETDOWN: it is down; EMSGSIZE: the MTU was lowered */
        return 1;
    }
    a->driver.tx_frames++;
    a->driver.tx_bytes += (uint64_t)sent - sizeof header;
    return 1;
}

static int af_packet_send(struct pl_driver *driver, const struct pl_frame *frames, int n)
{
    struct af_packet *a = (struct af_packet *)driver;
    if (a->gone) return PL_ENETDOWN;
    for (int i = 0; i < n; i++) {
        int taken = send_one(a, &frames[i]);
        if (taken < 1) return i > 0 ? i : taken;
    }
    return n;
}

static int af_packet_pollfd(struct pl_driver *driver) { return ((struct af_packet *)driver)->fd; }

static void af_packet_close(struct pl_driver *driver)
{
    struct af_packet *a = (struct af_packet *)driver;
    if (a->fd >= 0) close(a->fd);
    vnet_rx_free(&a->rx);
    free(a);
}

static const struct pl_driver_ops af_packet_ops = {af_packet_recv, af_packet_send, af_packet_pollfd, NULL, af_packet_close};

/* Protocol 0: nothing arrives before the socket is bound to its interface. */
int af_packet_socket(void) { return socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

/* What the interface is. */
static int look_up(struct af_packet *a, const struct af_packet_params *p, char *why, size_t why_size)
{
    struct ifreq ifr = {0};
    if (!p->name || strlen(p->name) >= sizeof ifr.ifr_name)
        return why_not(why, why_size, PL_EINVAL, "no interface name was given, or a too long one");
    strcpy(ifr.ifr_name, p->name);
    strcpy(a->driver.name, p->name);
    if (ioctl(a->fd, SIOCGIFINDEX, &ifr) < 0) return why_not(why, why_size, PL_EINVAL, "there is no interface '%s'", p->name);
    a->ifindex = ifr.ifr_ifindex;
    struct pl_iface_params *i = &a->driver.params;
    if (ioctl(a->fd, SIOCGIFHWADDR, &ifr) < 0 || ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return why_not(why, why_size, PL_EINVAL, "interface '%s' is not Ethernet", p->name);
    static const uint8_t none[6];
    memcpy(i->mac, memcmp(p->mac, none, 6) ? (const void *)p->mac : ifr.ifr_hwaddr.sa_data, 6);
    if (ioctl(a->fd, SIOCGIFMTU, &ifr) < 0)
        return why_not(why, why_size, PL_EINVAL, "interface '%s' has no MTU: %s", p->name, strerror(errno));
    i->mtu = ifr.ifr_mtu > 65535 ? 65535u : (uint32_t)ifr.ifr_mtu;
    i->link = PL_LINK_ETHERNET;
    i->gso_bytes = 65535;
    i->csum_offload = true;
    return 0;
}

/* A few super-frames fill the default buffers. Who may not go beyond the system's limit gets the limit. */
static void set_buffer(int fd, int force, int ask)
{
    int bytes = SOCKET_BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) < 0) setsockopt(fd, SOL_SOCKET, ask, &bytes, sizeof bytes);
}

static int bind_to(struct af_packet *a, char *why, size_t why_size)
{
    int on = 1;
    if (setsockopt(a->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0)
        return why_not(why, why_size, PL_ENETDOWN, "this kernel's AF_PACKET has no PACKET_VNET_HDR: %s", strerror(errno));
    if (setsockopt(a->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0)
        return why_not(why, why_size, PL_ENETDOWN, "this kernel's AF_PACKET has no PACKET_IGNORE_OUTGOING (Linux 4.20): %s",
                       strerror(errno));
    setsockopt(a->fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on);
    set_buffer(a->fd, SO_RCVBUFFORCE, SO_RCVBUF);
    set_buffer(a->fd, SO_SNDBUFFORCE, SO_SNDBUF);
    /* Neighbour Discovery asks by multicast addresses (RFC 4861 2.3) that the card would filter out. */
    struct packet_mreq multicast = {.mr_ifindex = a->ifindex, .mr_type = PACKET_MR_ALLMULTI};
    setsockopt(a->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &multicast, sizeof multicast);
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = a->ifindex};
    if (bind(a->fd, (struct sockaddr *)&at, sizeof at) < 0)
        return why_not(why, why_size, PL_ENETDOWN, "cannot bind to '%s': %s", a->driver.name, strerror(errno));
    /* Binding to an interface that is down leaves an error behind; it is up when it is up. */
    socklen_t size = sizeof on;
    getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &on, &size);
    return 0;
}

int af_packet_open(const struct af_packet_params *p, struct pl_driver **out, char *why, size_t why_size)
{
    struct af_packet *a = calloc(1, sizeof *a);
    if (!a) return why_not(why, why_size, PL_ENOMEM, "out of memory");
    a->driver.ops = &af_packet_ops;
    a->fd = p->fd > 0 ? p->fd : af_packet_socket();
    int error = 0;
    if (a->fd < 0)
        error = why_not(why, why_size, PL_ENETDOWN, "cannot open an AF_PACKET socket, it needs CAP_NET_RAW (%s): run as root, or in `unshare -Urn`",
                        strerror(errno));
    if (error == 0) error = look_up(a, p, why, why_size);
    if (error == 0) error = bind_to(a, why, why_size);
    if (error == 0 && !vnet_rx_init(&a->rx, true, true, a->driver.params.mtu)) error = why_not(why, why_size, PL_ENOMEM, "out of memory");
    if (error != 0) {
        if (a->fd == p->fd) a->fd = -1;   /* stays the caller's when it is refused */
        af_packet_close(&a->driver);
        return error;
    }
    *out = &a->driver;
    return 0;
}
