/* SPDX-License-Identifier: MIT
 *
 * vnet.c: see vnet.h.
 *
 * Receiving reuses one buffer from its start in each batch. While a whole largest packet still fits behind what was read, the batch goes
 * on: one 64 KiB super-frame, or some forty packets of 1500 bytes.
 */
#include "os/driver/vnet.h"

#include <stdlib.h>
#include <string.h>
#include "base/checksum.h"
#include "os/driver/frame.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5       /* since Linux 6.2 */
#endif

enum { SPLIT_FRAMES = 64, ETHERNET_BYTES = 14, VLAN_BYTES = 4, BATCH_BYTES = 65536, ALIGN = 64, LEAD = 2 };

bool vnet_describe(struct virtio_net_hdr *h, const struct pl_frame *f, bool ethernet)
{
    *h = (struct virtio_net_hdr){0};
    if (f->flags & PL_F_CSUM_PARTIAL) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = f->csum_start;
        h->csum_offset = f->csum_off;
    }
    if (f->gso_size == 0 || f->gso_segs <= 1) return true;

    struct layout at;
    if (!(f->flags & PL_F_CSUM_PARTIAL) || f->nspans == 0 || !layout_find(f->span[0].base, f->span[0].len, ethernet, &at)) return false;
    if (at.protocol == 6)
        h->gso_type = at.version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    else
        h->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
    /* CWR on a super-frame is to be on its first segment only. */
    if (at.protocol == 6 && ((const uint8_t *)f->span[0].base)[at.l4 + 13] & PL_CWR) h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    h->gso_size = f->gso_size;
    h->hdr_len = at.payload;
    return true;
}

enum vnet_verdict vnet_apply(const struct virtio_net_hdr *h, struct pl_frame *f, bool ethernet)
{
    /* NEEDS_CSUM: made on this machine and not summed yet. DATA_VALID: the card has checked it. */
    if (h->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID)) f->flags |= PL_F_CSUM_OK;
    uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
    if (type == VIRTIO_NET_HDR_GSO_NONE) return VNET_FRAME;

    struct layout at;
    if (h->gso_size == 0 || !layout_find(f->span[0].base, f->span[0].len, ethernet, &at)) return VNET_BAD;
    bool tcp = type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
    if (!(tcp && at.protocol == 6) && !(type == VIRTIO_NET_HDR_GSO_UDP_L4 && at.protocol == 17)) return VNET_BAD;
    if (at.end > f->span[0].len) return VNET_BAD;
    size_t payload = at.end - at.payload;
    if (payload <= h->gso_size) return VNET_FRAME;
    f->gso_size = h->gso_size;
    f->gso_segs = (uint16_t)((payload + h->gso_size - 1) / h->gso_size);
    return tcp ? VNET_FRAME : VNET_SPLIT;
}

bool vnet_rx_init(struct vnet_rx *rx, bool ethernet, bool vnet, size_t mtu)
{
    size_t link = ethernet ? ETHERNET_BYTES + VLAN_BYTES : 0;
    *rx = (struct vnet_rx){.ethernet = ethernet, .vnet = vnet};
    rx->packet_bytes_max = link + (vnet ? 65535 : mtu);
    rx->bytes = BATCH_BYTES + rx->packet_bytes_max + ALIGN;
    rx->memory = aligned_alloc(ALIGN, (rx->bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1));
    if (vnet) rx->header = malloc(SPLIT_FRAMES * sizeof *rx->header);
    if (rx->memory && (!vnet || rx->header)) return true;
    vnet_rx_free(rx);
    return false;
}

void vnet_rx_free(struct vnet_rx *rx)
{
    free(rx->memory);
    free(rx->header);
    rx->memory = NULL;
    rx->header = NULL;
}

/* The next datagrams of the super-frame that is being split. */
static int split_batch(struct vnet_rx *rx, struct pl_frame *frames, int n)
{
    int k = 0;
    while (k < n && k < SPLIT_FRAMES && segmenter_next(&rx->split, &frames[k], rx->header[k])) {
        frames[k].hdr_len = 0;
        k++;
    }
    if (k == 0) rx->splitting = false;
    return k;
}

static void received(struct pl_driver *d, size_t bytes)
{
    d->rx_frames++;
    d->rx_bytes += bytes;
}

int vnet_rx_batch(struct vnet_rx *rx, struct pl_driver *d, struct pl_frame *frames, int n, vnet_read_fn *read_one)
{
    int k = 0;
    size_t used = 0;
    if (rx->splitting && (k = split_batch(rx, frames, n)) > 0) return k;

    while (k < n && rx->bytes - used >= rx->packet_bytes_max + ALIGN) {
        struct virtio_net_hdr header = {0};
        /* LEAD aligns the IP header behind Ethernet's 14 bytes. */
        uint8_t *at = rx->memory + used + (rx->ethernet ? LEAD : 0);
        ptrdiff_t got = read_one(d, &header, at, rx->packet_bytes_max);
        if (got == PL_EINVAL) {
            d->errors++;
            continue;
        }
        if (got <= 0) return k > 0 ? k : (int)got;
        struct pl_frame *f = &frames[k];
        *f = (struct pl_frame){.nspans = 1, .gso_segs = 1};
        f->span[0] = (struct pl_span){at, (size_t)got};
        enum vnet_verdict verdict = rx->vnet ? vnet_apply(&header, f, rx->ethernet) : VNET_FRAME;
        if (verdict == VNET_BAD) {
            d->errors++;
            continue;
        }
        received(d, (size_t)got);
        used += ((size_t)got + LEAD + ALIGN - 1) & ~(size_t)(ALIGN - 1);
        if (verdict == VNET_SPLIT) {
            rx->whole = *f;
            rx->splitting = segmenter_begin(&rx->split, &rx->whole, rx->ethernet, true, cpu_probe());
            /* The frames before it are the caller's first. */
            return k > 0 || !rx->splitting ? k : split_batch(rx, frames, n);
        }
        k++;
    }
    return k;
}
