/* SPDX-License-Identifier: MIT
 *
 * test_drivers.c: the drivers against the Linux kernel, in network namespaces of the test's own. There is no stack here: the other side of
 * the kernel's ping, UDP and TCP is played by hand with packets made byte by byte (make_packet.h), so that what is tested is the drivers
 * alone.
 *
 * Run by root, the whole program runs once more as nobody.
 */
#include "support/skip.h"
#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/driver/frame.h"
#include "os/driver/with_gso.h"
#include "os/host/clock.h"
#include "os/host/testnet.h"
#include "support/make_packet.h"

enum { OURS, KERNEL, PATIENCE_MS = 3000 };

/* ---- a device of some kind, whose other side is the kernel in namespace KERNEL with 10.9.0.2 and fd09::2 */

struct kind {
    const char *name;
    bool ethernet, offload, gso, veth;
};
static const struct kind tun = {"tun", false, false, false, false};
static const struct kind tun_offload = {"tun with offload", false, true, false, false};
static const struct kind tun_gso = {"tun in with_gso", false, false, true, false};
static const struct kind tap = {"tap", true, false, false, false};
static const struct kind tap_offload = {"tap with offload", true, true, false, false};
static const struct kind tap_gso = {"tap in with_gso", true, false, true, false};
static const struct kind af_packet = {"af_packet on veth", true, true, false, true};

struct rig {
    struct testnet net;
    struct pl_driver *d;
    const struct kind *kind;
    const char *link;                     /* the kernel's interface towards us */
    int version;
    uint8_t kernel_mac[6];
    struct pl_frame frame;                /* the last one received */
    struct read_packet packet;
};

static uint8_t payload[65536];
static uint8_t out_bytes[70000];
static char why[400];

static void fill_payload(void)
{
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + (i >> 8));
}

/* Returns false with `why` filled when this machine does not allow it. */
static bool rig_open(struct rig *r, const struct kind *k, int version)
{
    *r = (struct rig){.kind = k, .version = version, .link = "kern0"};
    if (!(k->veth ? testnet_af_packet_possible(why, sizeof why) : testnet_tun_possible(why, sizeof why))) return false;
    assert_int_equal(testnet_open(&r->net, 2, why, sizeof why), 0);
    if (k->veth) {
        assert_int_equal(testnet_veth(&r->net, OURS, "ours0", KERNEL, "kern0", 1500), 0);
        assert_int_equal(testnet_quiet(&r->net, OURS, "ours0"), 0);
        assert_int_equal(testnet_af_packet(&r->net, OURS, "ours0", &r->d, why, sizeof why), 0);
    } else {
        struct tun_params p = {.name = "kern0", .tap = k->ethernet, .offload = k->offload, .up = true};
        assert_int_equal(testnet_tun(&r->net, KERNEL, &p, &r->d, why, sizeof why), 0);
    }
    assert_string_equal(r->d->name, k->veth ? "ours0" : "kern0");
    assert_int_equal(r->d->params.mtu, 1500);
    assert_int_equal(r->d->params.link, k->ethernet ? PL_LINK_ETHERNET : PL_LINK_IP);
    assert_int_equal(r->d->params.gso_bytes != 0, k->offload);
    if (k->gso) {
        struct pl_driver *inner = r->d;
        assert_int_equal(with_gso_open(inner, &(struct with_gso_params){.join = true}, &r->d), 0);
        assert_int_equal(r->d->params.gso_bytes, 65535);
    }
    assert_int_equal(testnet_addr(&r->net, KERNEL, "kern0", "10.9.0.2", 24), 0);
    assert_int_equal(testnet_addr(&r->net, KERNEL, "kern0", "fd09::2", 64), 0);
    fill_payload();
    return true;
}

static void rig_close(struct rig *r)
{
    r->d->ops->close(r->d);
    testnet_close(&r->net);
}

static struct made from_us(const struct rig *r, uint8_t protocol)
{
    struct made m = {.ethernet = r->kind->ethernet, .version = r->version, .protocol = protocol, .window = 65535};
    memcpy(m.mac_from, r->d->params.mac, 6);
    memcpy(m.mac_to, r->kernel_mac, 6);
    return m;
}

static void send_frame(struct rig *r, const struct pl_frame *f)
{
    struct pollfd p = {.fd = r->d->ops->pollfd(r->d), .events = POLLOUT};
    int taken;
    while ((taken = r->d->ops->send(r->d, f, 1)) == 0)
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    assert_int_equal(taken, 1);
}

static void send_made(struct rig *r, const struct made *m)
{
    size_t l4;
    struct pl_frame f = {.nspans = 1};
    f.span[0] = (struct pl_span){out_bytes, make_packet(m, out_bytes, &l4)};
    send_frame(r, &f);
}

/* Who has 10.9.0.1, fd09::1? We. Returns whether the frame was such a question. */
static bool answer_neighbor(struct rig *r)
{
    uint8_t *p = r->frame.span[0].base;
    size_t n = r->frame.span[0].len;
    static const uint8_t us4[4] = {10, 9, 0, 1}, us6[16] = {0xfd, 9, [15] = 1};
    if (!r->kind->ethernet) return false;
    if (n >= 42 && p[12] == 8 && p[13] == 6 && p[21] == 1 && memcmp(p + 38, us4, 4) == 0) {
        uint8_t answer[42];
        memcpy(answer, p, 42);
        memcpy(answer, p + 6, 6);
        memcpy(answer + 6, r->d->params.mac, 6);
        answer[21] = 2;
        memcpy(answer + 22, r->d->params.mac, 6);
        memcpy(answer + 28, us4, 4);
        memcpy(answer + 32, p + 22, 10);
        struct pl_frame f = {.nspans = 1};
        f.span[0] = (struct pl_span){answer, 42};
        send_frame(r, &f);
        return true;
    }
    struct read_packet q;
    if (read_packet(p, n, true, &q) && q.protocol == 58 && q.payload[0] == 135 && memcmp(q.payload + 8, us6, 16) == 0) {
        uint8_t body[32] = {136, [4] = 0x60};     /* solicited, override */
        memcpy(body + 8, us6, 16);
        body[24] = 2, body[25] = 1;
        memcpy(body + 26, r->d->params.mac, 6);
        struct made m = from_us(r, 58);
        memcpy(m.mac_to, p + 6, 6);
        memcpy(m.from, us6, 16);
        memcpy(m.to, q.from, 16);
        m.payload = body;
        m.payload_bytes = sizeof body;
        size_t l4, bytes = make_packet(&m, out_bytes, &l4);
        out_bytes[14 + 7] = 255;          /* RFC 4861 7.1.2 */
        struct pl_frame f = {.nspans = 1};
        f.span[0] = (struct pl_span){out_bytes, bytes};
        send_frame(r, &f);
        return true;
    }
    return false;
}

/* The next packet of this protocol and version that is for us. False: none came in time. */
static bool next_packet_within(struct rig *r, uint8_t protocol, int ms)
{
    pl_time end = host_now() + (pl_time)ms * PL_MS;
    for (;;) {
        int n = r->d->ops->recv(r->d, &r->frame, 1);
        assert_true(n >= 0);
        if (n == 0) {
            struct pollfd p = {.fd = r->d->ops->pollfd(r->d), .events = POLLIN};
            pl_time now = host_now();
            if (now >= end || poll(&p, 1, (int)((end - now) / PL_MS) + 1) == 0) return false;
            continue;
        }
        /* Judged in one piece; the driver's own spans are judged by what TCP receives. */
        static uint8_t whole[70000];
        size_t bytes = frame_bytes(&r->frame);
        assert_in_range(bytes, 1, sizeof whole);
        frame_gather(&r->frame, whole);
        r->frame.span[0] = (struct pl_span){whole, bytes};
        r->frame.nspans = 1;
        if (answer_neighbor(r) || !read_packet(whole, bytes, r->kind->ethernet, &r->packet)) continue;
        static const uint8_t us4[4] = {10, 9, 0, 1}, us6[16] = {0xfd, 9, [15] = 1};
        bool ours = memcmp(r->packet.to, r->packet.version == 4 ? us4 : us6, r->packet.version == 4 ? 4 : 16) == 0;
        if (r->packet.protocol != protocol || r->packet.version != r->version || !ours) continue;
        if (r->kind->ethernet) memcpy(r->kernel_mac, whole + 6, 6);
        assert_true(r->packet.ip_sum_right);
        assert_true(r->packet.l4_sum_right || r->frame.flags & PL_F_CSUM_OK);
        if (!r->kind->offload && !r->kind->gso) assert_int_equal(r->frame.flags, 0);
        return true;
    }
}

static void next_packet(struct rig *r, uint8_t protocol) { assert_true(next_packet_within(r, protocol, PATIENCE_MS)); }

/* ---- the kernel's side */

static int kernel_socket(struct rig *r, int type, int protocol)
{
    int s = testnet_socket(&r->net, KERNEL, r->version == 4 ? AF_INET : AF_INET6, type, protocol);
    assert_true(s >= 0);
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return s;
}

static socklen_t our_address(int version, uint16_t port, struct sockaddr_storage *to)
{
    memset(to, 0, sizeof *to);
    if (version == 4) {
        struct sockaddr_in *a = (struct sockaddr_in *)to;
        *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        inet_pton(AF_INET, "10.9.0.1", &a->sin_addr);
        return sizeof *a;
    }
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)to;
    *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    inet_pton(AF_INET6, "fd09::1", &a->sin6_addr);
    return sizeof *a;
}

static int kernel_connect(struct rig *r, int type)
{
    struct sockaddr_storage to;
    int s = kernel_socket(r, type, 0);
    socklen_t n = our_address(r->version, 7000, &to);
    if (type == SOCK_STREAM) fcntl(s, F_SETFL, O_NONBLOCK);
    int result = connect(s, (struct sockaddr *)&to, n);
    assert_true(result == 0 || errno == EINPROGRESS);
    return s;
}

/* ---- cases */

static void each_version(void **state, void (*play)(struct rig *))
{
    for (int version = 4; version <= 6; version += 2) {
        struct rig r;
        if (!rig_open(&r, *state, version)) SKIP_BECAUSE(why);
        play(&r);
        assert_int_equal(r.d->errors, 0);
        rig_close(&r);
    }
}

static void play_ping(struct rig *r)
{
    int s = kernel_socket(r, SOCK_RAW, r->version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    uint8_t echo[64] = {r->version == 4 ? 8 : 128, [4] = 0x12, 0x34, 0, 1}, answer[64], heard[256];
    memcpy(echo + 8, payload, sizeof echo - 8);
    if (r->version == 4) {
        uint32_t sum = 0xffff ^ slow_sum(echo, sizeof echo, 0);
        echo[2] = (uint8_t)(sum >> 8), echo[3] = (uint8_t)sum;
    }
    struct sockaddr_storage to;
    socklen_t n = our_address(r->version, 0, &to);
    assert_int_equal(sendto(s, echo, sizeof echo, 0, (struct sockaddr *)&to, n), sizeof echo);
    next_packet(r, r->version == 4 ? 1 : 58);
    assert_int_equal(r->packet.payload_bytes, sizeof echo);
    assert_memory_equal(r->packet.payload + 4, echo + 4, sizeof echo - 4);

    memcpy(answer, r->packet.payload, sizeof answer);
    answer[0] = r->version == 4 ? 0 : 129;
    answer[2] = answer[3] = 0;
    struct made m = from_us(r, r->version == 4 ? 1 : 58);
    m.payload = answer;
    m.payload_bytes = sizeof answer;
    send_made(r, &m);
    for (;;) {                            /* the raw socket sees Neighbour Discovery as well */
        ssize_t got = recv(s, heard, sizeof heard, 0);
        assert_true(got > 0);
        const uint8_t *icmp = r->version == 4 ? heard + 20 : heard;
        if (icmp[0] == answer[0]) {
            assert_memory_equal(icmp + 4, echo + 4, sizeof echo - 4);
            break;
        }
    }
    close(s);
}
static void a_ping_arrives_and_its_answer_too(void **state) { each_version(state, play_ping); }

static void play_udp(struct rig *r)
{
    int s = kernel_connect(r, SOCK_DGRAM);
    uint8_t heard[2000];
    assert_int_equal(send(s, payload, 1000, 0), 1000);
    next_packet(r, 17);
    assert_int_equal(r->packet.payload_bytes, 1000);
    assert_memory_equal(r->packet.payload, payload, 1000);
    struct made m = from_us(r, 17);
    m.sport = 7000;
    m.dport = r->packet.sport;
    m.payload = payload + 5;
    m.payload_bytes = 999;
    send_made(r, &m);
    assert_int_equal(recv(s, heard, sizeof heard, 0), 999);
    assert_memory_equal(heard, payload + 5, 999);
    close(s);
}
static void datagrams_pass_both_ways(void **state) { each_version(state, play_udp); }

/* A connection whose one end is the kernel's socket and whose other end is played here. */
struct played {
    int s;
    uint16_t port;
    uint32_t nxt, peer_nxt;
};

static struct made segment(struct rig *r, const struct played *t, uint8_t flags)
{
    struct made m = from_us(r, 6);
    m.sport = 7000;
    m.dport = t->port;
    m.seq = t->nxt;
    m.ack = t->peer_nxt;
    m.flags = flags;
    return m;
}

static struct played handshake(struct rig *r)
{
    struct played t = {.s = kernel_connect(r, SOCK_STREAM), .nxt = 1000000};
    next_packet(r, 6);
    assert_int_equal(r->packet.flags & 0x3f, PL_SYN);
    t.port = r->packet.sport;
    t.peer_nxt = r->packet.seq + 1;
    struct made m = segment(r, &t, PL_SYN | PL_ACK);
    static const uint8_t mss[4] = {2, 4, 1400 >> 8, 1400 & 255};
    memcpy(m.options, mss, 4);
    m.options_bytes = 4;
    send_made(r, &m);
    t.nxt++;
    next_packet(r, 6);
    assert_int_equal(r->packet.flags & 0x3f, PL_ACK);
    assert_int_equal(r->packet.ack, t.nxt);
    struct pollfd p = {.fd = t.s, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    return t;
}

static void play_receive_stream(struct rig *r)
{
    enum { TOTAL = 300000 };
    struct played t = handshake(r);
    size_t sent = 0, got = 0;
    bool super_frames = false;
    while (got < TOTAL) {
        while (sent < TOTAL) {
            size_t at = sent % sizeof payload, n = sizeof payload - at < TOTAL - sent ? sizeof payload - at : TOTAL - sent;
            ssize_t k = send(t.s, payload + at, n, MSG_NOSIGNAL);
            if (k < 0) break;
            sent += (size_t)k;
        }
        next_packet(r, 6);
        if (r->packet.payload_bytes == 0) continue;
        if (r->packet.seq != t.peer_nxt) continue;       /* sent again because the machine was slow */
        for (size_t i = 0; i < r->packet.payload_bytes; i++)
            if (r->packet.payload[i] != payload[(got + i) % sizeof payload]) fail_msg("byte %zu differs", got + i);
        if (r->frame.gso_segs > 1) {
            super_frames = true;
            assert_int_equal(r->frame.gso_size, 1400);
            assert_int_equal(r->frame.gso_segs, (r->packet.payload_bytes + 1399) / 1400);
            assert_true(r->frame.flags & PL_F_CSUM_OK);
        } else {
            assert_in_range(r->packet.payload_bytes, 1, 1400);
        }
        got += r->packet.payload_bytes;
        t.peer_nxt += (uint32_t)r->packet.payload_bytes;
        struct made m = segment(r, &t, PL_ACK);
        send_made(r, &m);
    }
    if (r->kind->offload) assert_true(super_frames);
    close(t.s);
}
static void a_stream_from_the_kernel_arrives_whole(void **state) { each_version(state, play_receive_stream); }

static void play_super_frame(struct rig *r)
{
    enum { TOTAL = 60000, MSS = 1400 };
    struct played t = handshake(r);
    struct made m = segment(r, &t, PL_ACK | PL_PSH);
    static uint8_t bytes[70000], heard[TOTAL];
    m.payload = payload;
    m.payload_bytes = TOTAL;
    m.partial = true;
    size_t l4, n = make_packet(&m, bytes, &l4), header = n - TOTAL;
    struct pl_frame f = {.nspans = 1, .flags = PL_F_CSUM_PARTIAL, .csum_start = (uint16_t)l4, .csum_off = 16, .gso_size = MSS,
                         .gso_segs = (TOTAL + MSS - 1) / MSS, .hdr_len = (uint16_t)header};
    f.span[0] = (struct pl_span){bytes, header};
    for (size_t at = 0; at < TOTAL; at += 4096)
        f.span[f.nspans++] = (struct pl_span){bytes + header + at, TOTAL - at < 4096 ? TOTAL - at : 4096};
    send_frame(r, &f);
    fcntl(t.s, F_SETFL, 0);
    for (size_t got = 0; got < TOTAL;) {
        ssize_t k = recv(t.s, heard + got, TOTAL - got, 0);
        assert_true(k > 0);
        got += (size_t)k;
    }
    assert_memory_equal(heard, payload, TOTAL);
    t.nxt += TOTAL;
    do
        next_packet(r, 6);
    while (r->packet.ack != t.nxt);
    close(t.s);
}
static void a_super_frame_of_60_kb_is_read_by_the_kernels_socket(void **state) { each_version(state, play_super_frame); }

static void play_unfinished_checksum(struct rig *r)
{
    struct played t = handshake(r);
    struct made m = segment(r, &t, PL_ACK | PL_PSH);
    m.payload = (const uint8_t *)"hello";
    m.payload_bytes = 5;
    m.partial = true;
    size_t l4, n = make_packet(&m, out_bytes, &l4);
    struct pl_frame f = {.nspans = 1, .flags = PL_F_CSUM_PARTIAL, .csum_start = (uint16_t)l4, .csum_off = 16};
    f.span[0] = (struct pl_span){out_bytes, n};
    send_frame(r, &f);
    char heard[8];
    fcntl(t.s, F_SETFL, 0);
    assert_int_equal(recv(t.s, heard, sizeof heard, 0), 5);
    assert_memory_equal(heard, "hello", 5);
    close(t.s);
}
static void an_unfinished_checksum_is_finished_by_the_device(void **state) { each_version(state, play_unfinished_checksum); }

static void an_interface_down_loses_frames_and_one_deleted_is_reported(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, 4)) SKIP_BECAUSE(why);
    struct made m = from_us(&r, 17);
    m.payload_bytes = 1;
    m.payload = payload;
    assert_int_equal(testnet_link_up(&r.net, r.kind->veth ? OURS : KERNEL, r.kind->veth ? "ours0" : "kern0", false), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(r.d->ops->recv(r.d, &r.frame, 1) >= 0);     /* what was queued before may still come */
        send_made(&r, &m);
    }
    assert_int_equal(testnet_link_up(&r.net, r.kind->veth ? OURS : KERNEL, r.kind->veth ? "ours0" : "kern0", true), 0);
    r.d->errors = 0;
    play_udp(&r);
    assert_int_equal(testnet_link_delete(&r.net, KERNEL, "kern0"), 0);
    struct pollfd p = {.fd = r.d->ops->pollfd(r.d), .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    int n;
    while ((n = r.d->ops->recv(r.d, &r.frame, 1)) > 0)
        ;
    assert_int_equal(n, PL_ENETDOWN);
    assert_int_equal(r.d->ops->recv(r.d, &r.frame, 1), PL_ENETDOWN);
    size_t l4;
    struct pl_frame f = {.nspans = 1};
    f.span[0] = (struct pl_span){out_bytes, make_packet(&m, out_bytes, &l4)};
    assert_int_equal(r.d->ops->send(r.d, &f, 1), PL_ENETDOWN);
    rig_close(&r);
}

static void many_datagrams_come_in_batches_that_do_not_overlap(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, 4)) SKIP_BECAUSE(why);
    int s = kernel_connect(&r, SOCK_DGRAM);
    assert_int_equal(send(s, payload, 1, 0), 1);
    next_packet(&r, 17);                  /* the neighbour is known from here on */
    for (int i = 0; i < 20; i++)
        assert_int_equal(send(s, payload + i, 1200, 0), 1200);
    struct pl_frame frames[32];
    int n = r.d->ops->recv(r.d, frames, 32), seen = 0;
    assert_true(n >= 10);
    for (int i = 0; i < n; i++) {
        struct read_packet p;
        if (!read_packet(frames[i].span[0].base, frames[i].span[0].len, r.kind->ethernet, &p)) continue;
        if (p.protocol != 17 || p.version != 4) continue;
        assert_int_equal(p.payload_bytes, 1200);
        assert_memory_equal(p.payload, payload + seen, 1200);
        seen++;
    }
    assert_true(seen >= 10);
    close(s);
    rig_close(&r);
}

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
static void udp_super_datagrams_of_the_kernel_arrive_as_datagrams(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, 4)) SKIP_BECAUSE(why);
    int s = kernel_connect(&r, SOCK_DGRAM), size = 1000;
    assert_int_equal(setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size), 0);
    assert_int_equal(send(s, payload, 30500, 0), 30500);
    for (size_t at = 0; at < 30500; at += 1000) {
        next_packet(&r, 17);
        assert_int_equal(r.packet.payload_bytes, at == 30000 ? 500 : 1000);
        assert_memory_equal(r.packet.payload, payload + at, r.packet.payload_bytes);
        assert_int_equal(r.frame.gso_size, 0);
    }
    assert_int_equal(r.d->errors, 0);
    close(s);
    rig_close(&r);
}

static void a_vlan_tag_is_another_network(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, 4)) SKIP_BECAUSE(why);
    struct pl_driver *peer;
    assert_int_equal(testnet_af_packet(&r.net, KERNEL, "kern0", &peer, why, sizeof why), 0);
    struct made m = {.ethernet = true, .version = 4, .protocol = 17, .payload = payload, .payload_bytes = 50};
    memcpy(m.mac_to, r.d->params.mac, 6);
    static const uint8_t us[4] = {10, 9, 0, 1}, them[4] = {10, 9, 0, 2};
    memcpy(m.from, them, 4);
    memcpy(m.to, us, 4);
    size_t l4, n = make_packet(&m, out_bytes, &l4);
    static uint8_t tagged[200];
    memcpy(tagged, out_bytes, 12);
    tagged[12] = 0x81, tagged[15] = 5;
    memcpy(tagged + 16, out_bytes + 12, n - 12);
    struct pl_frame f[2] = {{.nspans = 1}, {.nspans = 1}};
    f[0].span[0] = (struct pl_span){tagged, n + 4};
    f[1].span[0] = (struct pl_span){out_bytes, n};
    out_bytes[n - 1] ^= 0xff;
    out_bytes[l4 + 6] = out_bytes[l4 + 7] = 0;        /* without a checksum */
    assert_int_equal(peer->ops->send(peer, f, 2), 2);
    struct pl_frame in;
    struct pollfd p = {.fd = r.d->ops->pollfd(r.d), .events = POLLIN};
    do {
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    } while (r.d->ops->recv(r.d, &in, 1) == 0 || ((uint8_t *)in.span[0].base)[23] != 17);
    assert_int_equal(in.span[0].len, n);
    assert_int_equal(((uint8_t *)in.span[0].base)[n - 1], out_bytes[n - 1]);      /* the second, not the first */
    peer->ops->close(peer);
    rig_close(&r);
}

/* ---- the namespaces themselves */

static int list_ipv6(void *arg, int *fd)
{
    (void)fd;
    FILE *f = fopen("/proc/net/if_inet6", "r");
    char line[200];
    int *ours = arg;
    *ours = 0;
    while (f && fgets(line, sizeof line, f))
        *ours += strstr(line, "ours0") != NULL;
    if (f) fclose(f);
    return 0;
}

static void on_a_shared_link_the_kernel_has_no_address_at_our_end(void **state)
{
    struct rig r;
    if (!rig_open(&r, *state, 4)) SKIP_BECAUSE(why);
    int addresses = -1;
    assert_int_equal(testnet_run(&r.net, OURS, list_ipv6, &addresses, sizeof addresses, NULL), 0);
    assert_int_equal(addresses, 0);
    /* And so nobody but us answers: a connection attempt that we ignore gets no reset. */
    int s = kernel_connect(&r, SOCK_STREAM);
    next_packet(&r, 6);
    struct pollfd p = {.fd = s, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 50), 0);
    close(s);
    rig_close(&r);
}

static void interfaces_addresses_and_commands_work_inside(void **state)
{
    (void)state;
    struct testnet net;
    if (testnet_open(&net, 2, why, sizeof why) < 0) SKIP_BECAUSE(why);
    assert_int_equal(testnet_veth(&net, 0, "a0", 1, "b0", 1400), 0);
    assert_int_equal(testnet_veth(&net, 0, "a0", 1, "b1", 1400), -EEXIST);
    assert_int_equal(testnet_addr(&net, 0, "a0", "10.8.0.1", 24), 0);
    assert_int_equal(testnet_addr(&net, 1, "b0", "10.8.0.2", 24), 0);
    assert_int_equal(testnet_addr(&net, 1, "none", "10.8.0.2", 24), -ENODEV);
    assert_int_equal(testnet_addr(&net, 1, "b0", "10.8.0.256", 24), -EINVAL);
    assert_int_equal(testnet_addr(&net, 1, "b0", "10.8.0.3", 33), -EINVAL);
    assert_int_equal(testnet_route(&net, 1, "b0", "0.0.0.0", 0, "10.8.0.1"), 0);
    assert_int_equal(testnet_route(&net, 1, "b0", "fd77::", 64, NULL), 0);
    assert_int_equal(testnet_sysctl(&net, 1, "ipv4/ip_forward", "1"), 0);
    assert_int_equal(testnet_sysctl(&net, 1, "ipv4/no_such", "1"), -ENOENT);
    assert_int_equal(testnet_link_mtu(&net, 0, "a0", 1300), 0);
    assert_int_equal(testnet_run(&net, 2, list_ipv6, NULL, 0, NULL), -EINVAL);
    int out[2];
    assert_int_equal(pipe(out), 0);
    const char *const show[] = {"cat", "/proc/net/route", NULL};
    pid_t pid = testnet_spawn(&net, 1, show, out[1]);
    assert_true(pid > 0);
    close(out[1]);
    assert_int_equal(testnet_wait(pid), 0);
    char text[1000] = "";
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "b0\t00000000\t0100080A"));      /* default by 10.8.0.1 */
    close(out[0]);
    const char *const missing[] = {"/no/such/program", NULL};
    int nothing = open("/dev/null", O_WRONLY);
    pid = testnet_spawn(&net, 1, missing, nothing);
    assert_int_equal(testnet_wait(pid), 127);
    close(nothing);
    testnet_close(&net);
}

/* What a process that is killed had: the veth end in the outer namespace tells when its namespace is gone. */
struct doomed {
    struct testnet outer;
    int report;
};

static void doomed_child(const struct doomed *d)
{
    struct testnet mine;
    const char *const idle[] = {"sleep", "1000", NULL};
    pid_t pids[2] = {getpid(), -1};
    if (testnet_open(&mine, 1, why, sizeof why) < 0) _exit(1);
    if (d->outer.user_ns < 0) {           /* only root may tie namespaces of different owners together */
        struct testnet both = {.user_ns = -1, .net_ns = {d->outer.net_ns[0], mine.net_ns[0]}, .n = 2};
        if (testnet_veth(&both, 0, "outer", 1, "inner", 1500) != 0) _exit(2);
    }
    pids[1] = testnet_spawn(&mine, 0, idle, -1);
    if (pids[1] < 0 || write(d->report, pids, sizeof pids) != sizeof pids) _exit(3);
    for (;;)
        pause();
}

static int has_outer(void *arg, int *fd)
{
    (void)arg, (void)fd;
    return if_nametoindex("outer") != 0;
}

static void kill_minus_9_leaves_nothing(void **state)
{
    (void)state;
    struct doomed d;
    int report[2];
    if (testnet_open(&d.outer, 1, why, sizeof why) < 0) SKIP_BECAUSE(why);
    assert_int_equal(pipe(report), 0);
    d.report = report[1];
    pid_t child = fork(), pids[2];
    assert_true(child >= 0);
    if (child == 0) doomed_child(&d);
    close(report[1]);
    assert_int_equal(read(report[0], pids, sizeof pids), sizeof pids);
    close(report[0]);
    int inner = (int)syscall(SYS_pidfd_open, pids[1], 0);
    assert_true(inner >= 0);
    bool tied = d.outer.user_ns < 0;
    if (tied) assert_int_equal(testnet_run(&d.outer, 0, has_outer, NULL, 0, NULL), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct pollfd p = {.fd = inner, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);       /* what ran inside has ended */
    close(inner);
    /* The kernel takes a namespace away in its own time. */
    pl_time end = host_now() + 5 * PL_S;
    while (tied && testnet_run(&d.outer, 0, has_outer, NULL, 0, NULL) != 0)
        assert_true(host_now() < end);
    testnet_close(&d.outer);
}

static unsigned count_interfaces(void)
{
    struct if_nameindex *list = if_nameindex();
    unsigned n = 0;
    while (list && list[n].if_index)
        n++;
    if_freenameindex(list);
    return n;
}

static void nothing_of_it_is_seen_outside(void **state)
{
    (void)state;
    unsigned before = count_interfaces();
    struct testnet net;
    if (testnet_open(&net, 2, why, sizeof why) < 0) SKIP_BECAUSE(why);
    assert_int_equal(testnet_veth(&net, 0, "a0", 1, "b0", 1500), 0);
    assert_int_equal(count_interfaces(), before);
    testnet_close(&net);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);    /* and no child is left */
    assert_int_equal(errno, ECHILD);
}

/* unshare(2) refused, as many containers do. */
static bool refuse_unshare(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(code), code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void refused_namespaces_are_reported_with_advice(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!refuse_unshare()) _exit(77);
        bool right = !testnet_possible(why, sizeof why) && strstr(why, "unshare") && strstr(why, "run as root");
        right = right && !testnet_tun_possible(why, sizeof why) && !testnet_af_packet_possible(why, sizeof why) && strstr(why, "unshare");
        _exit(right ? 0 : 1);
    }
    int status = testnet_wait(child);
    if (status == 77) SKIP_BECAUSE("no seccomp filters here");
    assert_int_equal(status, 0);
}

static void bad_tun_parameters_are_refused_with_a_sentence(void **state)
{
    (void)state;
    struct pl_driver *d = NULL;
    why[0] = 0;
    assert_int_equal(tun_open(&(struct tun_params){.mtu = 100}, &d, why, sizeof why), PL_EINVAL);
    assert_non_null(strstr(why, "MTU 100"));
    int nothing = open("/dev/null", O_RDWR);
    assert_int_equal(tun_open(&(struct tun_params){.fd = nothing}, &d, why, sizeof why), PL_EINVAL);
    assert_non_null(strstr(why, "no TUN device"));
    assert_int_equal(close(nothing), 0);  /* stayed ours */
    struct testnet net;
    if (testnet_open(&net, 1, why, sizeof why) < 0) SKIP_BECAUSE(why);
    assert_true(testnet_af_packet(&net, 0, "lo", &d, why, sizeof why) == PL_EINVAL && strstr(why, "not Ethernet"));
    assert_true(testnet_af_packet(&net, 0, "none0", &d, why, sizeof why) == PL_EINVAL && strstr(why, "no interface"));
    testnet_close(&net);
}

/* ---- the same as nobody */

static char *const *main_argv;

static void all_of_it_works_for_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0) SKIP_BECAUSE("this is not run by root: what it would run again has just run");
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(self >= 0);
    FILE *log = tmpfile();
    assert_non_null(log);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0) _exit(99);
        dup2(fileno(log), 1);
        dup2(fileno(log), 2);
        setenv("CMOCKA_MESSAGE_OUTPUT", "TAP", 1);
        extern char **environ;
        fexecve(self, main_argv, environ);
        _exit(98);
    }
    close(self);
    int status = testnet_wait(child);
    char line[400];
    rewind(log);
    unsigned passed = 0, skipped = 0;
    bool af_packet_passed = false, refused = false;
    while (fgets(line, sizeof line, log)) {
        refused |= strstr(line, "SKIP-REASON") && strstr(line, "refuses");
        if (strstr(line, "# SKIP ")) {
            skipped++;
        } else if (strncmp(line, "ok ", 3) == 0) {
            passed++;
            af_packet_passed |= strstr(line, "af_packet") != NULL;
        } else if (strncmp(line, "not ok", 6) == 0 || status != 0) {
            print_error("as nobody: %s", line);
        }
    }
    fclose(log);
    if (refused) SKIP_BECAUSE("nobody may not make a user namespace here");
    assert_int_equal(status, 0);
    assert_true(af_packet_passed);
    assert_true(passed >= 10);
}

#define CASE(k, f) {.name = #k ": " #f, .test_func = f, .initial_state = (void *)(uintptr_t)&k}
#define EACH_KIND(f) CASE(tun, f), CASE(tun_offload, f), CASE(tap, f), CASE(tap_offload, f), CASE(af_packet, f)
#define EACH_SEGMENTING(f) CASE(tun_offload, f), CASE(tap_offload, f), CASE(af_packet, f), CASE(tun_gso, f), CASE(tap_gso, f)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        EACH_KIND(a_ping_arrives_and_its_answer_too),
        EACH_KIND(datagrams_pass_both_ways),
        EACH_KIND(a_stream_from_the_kernel_arrives_whole),
        CASE(tun_gso, a_stream_from_the_kernel_arrives_whole),
        CASE(tap_gso, a_stream_from_the_kernel_arrives_whole),
        EACH_SEGMENTING(a_super_frame_of_60_kb_is_read_by_the_kernels_socket),
        EACH_SEGMENTING(an_unfinished_checksum_is_finished_by_the_device),
        EACH_KIND(an_interface_down_loses_frames_and_one_deleted_is_reported),
        EACH_KIND(many_datagrams_come_in_batches_that_do_not_overlap),
        EACH_KIND(udp_super_datagrams_of_the_kernel_arrive_as_datagrams),
        CASE(af_packet, a_vlan_tag_is_another_network),
        CASE(af_packet, on_a_shared_link_the_kernel_has_no_address_at_our_end),
        cmocka_unit_test(interfaces_addresses_and_commands_work_inside),
        cmocka_unit_test(kill_minus_9_leaves_nothing),
        cmocka_unit_test(nothing_of_it_is_seen_outside),
        cmocka_unit_test(refused_namespaces_are_reported_with_advice),
        cmocka_unit_test(bad_tun_parameters_are_refused_with_a_sentence),
        cmocka_unit_test(all_of_it_works_for_nobody),
    };
    (void)argc;
    main_argv = argv;
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
