/* SPDX-License-Identifier: MIT
 *
 * tun.c: see tun.h.
 *
 * With offload every packet is preceded by a struct virtio_net_hdr (vnet.h). One read(2) or writev(2) moves one packet; a super-frame makes
 * that cheap. UDP segmentation offload (TUN_F_USO4, USO6) is not asked for: the kernel then cuts UDP super-frames up itself, and pl_rx
 * takes super-frames of TCP only.
 */
#include "os/driver/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "os/driver/frame.h"
#include "os/driver/vnet.h"
#include "os/why.h"

enum { MTU_DEFAULT = 1500, TXQUEUELEN = 10000 };

struct tun {
    struct pl_driver driver;
    int fd;
    bool vnet, gone;
    struct vnet_rx rx;
};

/* True when the interface behind the descriptor does not exist any more. */
static bool is_gone(struct tun *t)
{
    struct ifreq ifr = {0};
    if (!t->gone && ioctl(t->fd, TUNGETIFF, &ifr) < 0) t->gone = true;
    return t->gone;
}

static ptrdiff_t read_one(struct pl_driver *driver, struct virtio_net_hdr *header, void *buf, size_t n)
{
    struct tun *t = (struct tun *)driver;
    struct iovec iov[2] = {{header, sizeof *header}, {buf, n}};
    ssize_t got;
    do {
        got = t->vnet ? readv(t->fd, iov, 2) : read(t->fd, buf, n);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        if (errno == EAGAIN) return 0;
        if (is_gone(t)) return PL_ENETDOWN;
        driver->errors++;
        return 0;
    }
    size_t overhead = t->vnet ? sizeof *header : 0;
    return (size_t)got > overhead ? (ptrdiff_t)((size_t)got - overhead) : 0;
}

static int tun_recv(struct pl_driver *driver, struct pl_frame *frames, int n)
{
    struct tun *t = (struct tun *)driver;
    if (t->gone) return PL_ENETDOWN;
    return vnet_rx_batch(&t->rx, driver, frames, n, read_one);
}

/* Returns 1: taken (or lost: an interface that is down, or that refuses the packet, is a wire that loses it), 0: full, or an error. */
static int send_one(struct tun *t, const struct pl_frame *f)
{
    struct virtio_net_hdr header;
    struct iovec iov[1 + PL_SPANS];
    int n = 0;
    if (!t->vnet && (f->gso_segs > 1 || f->flags & PL_F_CSUM_PARTIAL)) {
        t->driver.errors++;
        return 1;
    }
    if (t->vnet) {
        if (!vnet_describe(&header, f, t->rx.ethernet)) {
            t->driver.errors++;
            return 1;
        }
        iov[n++] = (struct iovec){&header, sizeof header};
    }
    for (unsigned i = 0; i < f->nspans; i++)
        iov[n++] = (struct iovec){f->span[i].base, f->span[i].len};
    ssize_t sent;
    do {
        sent = writev(t->fd, iov, n);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        if (errno == EAGAIN) return 0;
        if (is_gone(t)) return PL_ENETDOWN;
        t->driver.errors++;
        return 1;
    }
    t->driver.tx_frames++;
    t->driver.tx_bytes += (uint64_t)sent - (t->vnet ? sizeof header : 0);
    return 1;
}

static int tun_send(struct pl_driver *driver, const struct pl_frame *frames, int n)
{
    struct tun *t = (struct tun *)driver;
    if (t->gone) return PL_ENETDOWN;
    for (int i = 0; i < n; i++) {
        int taken = send_one(t, &frames[i]);
        if (taken < 1) return i > 0 ? i : taken;
    }
    return n;
}

static int tun_pollfd(struct pl_driver *driver) { return ((struct tun *)driver)->fd; }

static void tun_close(struct pl_driver *driver)
{
    struct tun *t = (struct tun *)driver;
    if (t->fd >= 0) close(t->fd);
    vnet_rx_free(&t->rx);
    free(t);
}

static const struct pl_driver_ops tun_ops = {tun_recv, tun_send, tun_pollfd, NULL, tun_close};

static int open_device(char *why, size_t why_size)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) return fd;
    const char *advice = errno == ENOENT  ? "the kernel has no TUN here: modprobe tun, or give the container /dev/net/tun"
                         : errno == EACCES ? "its mode does not allow this user: run as root, or chmod 666 /dev/net/tun"
                                           : "this container does not allow the device";
    return why_not(why, why_size, PL_ENETDOWN, "cannot open /dev/net/tun (%s): %s", strerror(errno), advice);
}

/* Makes the interface, or attaches to it; its name comes back in ifr. */
static int attach(struct tun *t, const struct tun_params *p, struct ifreq *ifr, char *why, size_t why_size)
{
    if (p->fd > 0) {
        t->fd = p->fd;
        fcntl(t->fd, F_SETFL, fcntl(t->fd, F_GETFL) | O_NONBLOCK);
        if (ioctl(t->fd, TUNGETIFF, ifr) < 0)
            return why_not(why, why_size, PL_EINVAL, "descriptor %d is no TUN device: %s", p->fd, strerror(errno));
        bool tap = ifr->ifr_flags & IFF_TAP, vnet = ifr->ifr_flags & IFF_VNET_HDR;
        if (tap != p->tap || vnet != p->offload)
            return why_not(why, why_size, PL_EINVAL, "%s was opened as %s with%s offload",
                           ifr->ifr_name, tap ? "TAP" : "TUN", vnet ? "" : "out");
    } else {
        t->fd = open_device(why, why_size);
        if (t->fd < 0) return PL_ENETDOWN;
        if (p->name && strlen(p->name) >= sizeof ifr->ifr_name)
            return why_not(why, why_size, PL_EINVAL, "interface name '%s' is too long", p->name);
        if (p->name) strcpy(ifr->ifr_name, p->name);
        ifr->ifr_flags = (short)((p->tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (p->offload ? IFF_VNET_HDR : 0));
        if (ioctl(t->fd, TUNSETIFF, ifr) < 0) {
            const char *advice = errno == EPERM  ? "it needs CAP_NET_ADMIN (root), or a device that belongs to this user"
                                 : errno == EBUSY ? "another program has it"
                                 : errno == EINVAL ? "an interface of another kind has this name"
                                                   : strerror(errno);
            return why_not(why, why_size, PL_ENETDOWN, "cannot make the %s interface '%s': %s",
                           p->tap ? "TAP" : "TUN", p->name ? p->name : "", advice);
        }
    }
    int bytes = sizeof(struct virtio_net_hdr);
    unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (p->offload && (ioctl(t->fd, TUNSETVNETHDRSZ, &bytes) < 0 || ioctl(t->fd, TUNSETOFFLOAD, offload) < 0))
        return why_not(why, why_size, PL_ENETDOWN, "%s takes no offload: %s", ifr->ifr_name, strerror(errno));
    return 0;
}

/* MTU, queue and state of the kernel's side. Who may not set them takes them as they are. */
static int configure(const struct tun_params *p, struct ifreq *ifr, uint32_t *mtu, char *why, size_t why_size)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) return why_not(why, why_size, PL_ENETDOWN, "cannot open a socket: %s", strerror(errno));
    int result = 0;
    struct ifreq now = *ifr;
    ifr->ifr_mtu = (int)*mtu;
    if (ioctl(s, SIOCSIFMTU, ifr) < 0) {
        if (ioctl(s, SIOCGIFMTU, &now) == 0)
            *mtu = (uint32_t)now.ifr_mtu;
        else
            result = why_not(why, why_size, PL_ENETDOWN, "cannot set the MTU of %s to %u: %s", ifr->ifr_name, *mtu, strerror(errno));
    }
    /* Without super-frames a burst of the kernel's TCP overruns the default queue of 500 packets. */
    ifr->ifr_qlen = TXQUEUELEN;
    if (!p->offload) ioctl(s, SIOCSIFTXQLEN, ifr);
    if (result == 0 && p->up) {
        ioctl(s, SIOCGIFFLAGS, ifr);
        if (!(ifr->ifr_flags & IFF_UP)) {
            ifr->ifr_flags |= IFF_UP;
            if (ioctl(s, SIOCSIFFLAGS, ifr) < 0)
                result = why_not(why, why_size, PL_ENETDOWN, "cannot bring %s up: %s", ifr->ifr_name, strerror(errno));
        }
    }
    close(s);
    return result;
}

static void fill_params(struct tun *t, const struct tun_params *p, uint32_t mtu)
{
    struct pl_iface_params *i = &t->driver.params;
    i->mtu = mtu;
    i->link = p->tap ? PL_LINK_ETHERNET : PL_LINK_IP;
    i->csum_offload = p->offload;
    i->gso_bytes = p->offload ? 65535 : 0;
    static const uint8_t none[6];
    memcpy(i->mac, p->mac, 6);
    if (p->tap && memcmp(p->mac, none, 6) == 0) {
        if (getrandom(i->mac, 6, 0) != 6) memcpy(i->mac, "\x02parle", 6);
        i->mac[0] = (uint8_t)((i->mac[0] & ~1) | 2);        /* unicast, locally administered */
    }
}

int tun_open(const struct tun_params *p, struct pl_driver **out, char *why, size_t why_size)
{
    uint32_t mtu = p->mtu ? p->mtu : MTU_DEFAULT;
    struct ifreq ifr = {0};
    if (mtu < 576 || mtu > 65535) return why_not(why, why_size, PL_EINVAL, "MTU %u is not between 576 and 65535", mtu);
    struct tun *t = calloc(1, sizeof *t);
    if (!t) return why_not(why, why_size, PL_ENOMEM, "out of memory");
    t->driver.ops = &tun_ops;
    t->vnet = p->offload;
    t->fd = -1;
    int error = attach(t, p, &ifr, why, why_size);
    snprintf(t->driver.name, sizeof t->driver.name, "%s", ifr.ifr_name);
    if (error == 0 && p->fd <= 0) error = configure(p, &ifr, &mtu, why, why_size);
    if (error == 0 && !vnet_rx_init(&t->rx, p->tap, p->offload, mtu)) error = why_not(why, why_size, PL_ENOMEM, "out of memory");
    if (error != 0) {
        if (t->fd == p->fd) t->fd = -1;   /* stays the caller's when it is refused */
        tun_close(&t->driver);
        return error;
    }
    fill_params(t, p, mtu);
    *out = &t->driver;
    return 0;
}

int tun_fd(const struct pl_driver *driver) { return ((const struct tun *)driver)->fd; }
