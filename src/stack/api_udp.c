/* SPDX-License-Identifier: MIT
 *
 * api_udp.c: the program's calls on UDP and echo sockets.
 */
#include "stack/net.h"
#include "wire/ip_proto.h"
#include "wire/udp_hdr.h"

enum { UDP_BUFFER_BYTES = 64 * 1024 };

static int open_socket(pl_stack *s, uint8_t protocol, const struct pl_endpoint *local, uint64_t cookie, pl_udp *out)
{
    static const struct pl_endpoint any;
    if (out == NULL)
        return PL_EINVAL;
    if (local == NULL)
        local = &any;
    if (!route_addr_is_zero(local->addr.b) && !path_is_ours(s, &local->addr) && !path_is_group(s, &local->addr))
        return PL_EADDRNOTAVAIL;
    struct flow flow = {.local_port = local->port, .zone = local->addr.zone, .protocol = protocol, .kind = FLOW_UDP};
    memcpy(flow.local, local->addr.b, 16);
    if (flow.local_port == 0) {
        if (!flow_port_choose(&s->flows, &flow, &s->secrets.ports, &s->port_counter))
            return PL_EADDRNOTAVAIL;
    } else if (flow_find(&s->flows, &flow)) {            /* one address and all of them are two: whoever is more special is asked first */
        return PL_EADDRINUSE;
    }
    uint32_t slot = slots_take(&s->udps);
    if (slot == 0)
        return PL_ENOMEM;
    struct udp_sock *u = udp_at(s, slot);
    u->flow = flow;
    u->cookie = cookie;
    u->rcvbuf_bytes = u->sndbuf_bytes = UDP_BUFFER_BYTES;
    flow_insert(&s->flows, flow_ref(&s->flows, FLOW_UDP, slot));
    *out = handle_of(HANDLE_UDP, &s->udps, slot);
    return PL_OK;
}

int pl_udp_open(pl_stack *s, const struct pl_endpoint *local, uint64_t cookie, pl_udp *out)
{
    return open_socket(s, WIRE_PROTO_UDP, local, cookie, out);
}

int pl_echo_open(pl_stack *s, const struct pl_endpoint *local, uint64_t cookie, pl_udp *out)
{
    return open_socket(s, WIRE_PROTO_ICMP4, local, cookie, out);
}

/* Does the datagram fit into one packet, and into the spans of one frame? */
static bool fits(const pl_stack *s, const struct udp_sock *u, const struct path *path, bool ip4, size_t n)
{
    size_t hdr_bytes = (ip4 ? 20u : 40u) + (u->flow.protocol == WIRE_PROTO_UDP ? 8u : 6u);
    size_t spanned = (size_t)(PL_SPANS - 2) << s->pools.chunks.shift;     /* one chunk is lost to where it begins, one span to the headers */
    return hdr_bytes + n <= path->mtu && n <= spanned && sizeof(struct udp_record) + n <= u->sndbuf_bytes;
}

int pl_udp_send(pl_stack *s, pl_udp handle, const struct pl_endpoint *to, const void *bytes, size_t n)
{
    static const struct udp_record none;
    uint32_t slot = handle_slot(s, handle, HANDLE_UDP);
    if (slot == 0)
        return PL_EHANDLE;
    struct udp_sock *u = udp_at(s, slot);
    bool echo = u->flow.protocol == WIRE_PROTO_ICMP4;
    if (to == NULL || (n && bytes == NULL) || (echo && n < 2))
        return PL_EINVAL;
    if (route_addr_is_zero(to->addr.b) || (to->port == 0 && !echo))
        return PL_EADDRINVALID;
    net_reap(s);
    struct pl_addr local = {.zone = 0}, remote = to->addr;
    if (!route_addr_is_multicast(u->flow.local) && !flow_local_is_any(&u->flow)) {      /* who listens to a group speaks for himself */
        memcpy(local.b, u->flow.local, 16);
        local.zone = u->flow.zone;
    }
    struct path path;
    int error = path_find(s, &remote, &local, &path);
    if (error != PL_OK)
        return error;
    if (!fits(s, u, &path, wire_addr_is_ip4(remote.b), n))
        return PL_EMSGSIZE;
    uint32_t need = (uint32_t)(sizeof(struct udp_record) + n);
    if (u->to_send.len + need > u->sndbuf_bytes || !udp_has_chunks_for(s, &u->to_send, need)) {
        u->short_of_room = true;
        return PL_EAGAIN;
    }
    struct udp_record r = none;
    r.zone = remote.zone | local.zone, r.port = echo ? 0 : to->port, r.bytes = (uint32_t)n;
    memcpy(r.remote, remote.b, 16);
    memcpy(r.local, local.b, 16);
    stream_append(&s->pools.chunks, &u->to_send, &r, sizeof r);
    stream_append(&s->pools.chunks, &u->to_send, bytes, (uint32_t)n);
    if (u->to_send_records++ == 0) {
        u->path = path;
        u->path_known = true;
        ref_ready(s, flow_ref(&s->flows, FLOW_UDP, slot), path.iface);
    }
    return PL_OK;
}

ptrdiff_t pl_udp_recv(pl_stack *s, pl_udp handle, struct pl_endpoint *from, void *bytes, size_t n)
{
    uint32_t slot = handle_slot(s, handle, HANDLE_UDP);
    if (slot == 0)
        return PL_EHANDLE;
    struct udp_sock *u = udp_at(s, slot);
    net_reap(s);
    if (u->error) {
        int error = u->error;
        u->error = 0;
        return error;
    }
    if (u->received_records == 0)
        return PL_EAGAIN;
    struct udp_record r;
    stream_copy(&s->pools.chunks, &u->received, 0, &r, sizeof r);
    size_t give = n < r.bytes ? n : r.bytes;
    if (give)
        stream_copy(&s->pools.chunks, &u->received, sizeof r, bytes, (uint32_t)give);
    if (from) {
        *from = (struct pl_endpoint){.port = r.port};
        from->addr.zone = r.zone;
        memcpy(from->addr.b, r.remote, 16);
    }
    stream_drop(&s->pools.chunks, &u->received, (uint32_t)sizeof r + r.bytes);
    u->received_records--;
    wake_chunk_waiters(s);
    return (ptrdiff_t)r.bytes;
}
