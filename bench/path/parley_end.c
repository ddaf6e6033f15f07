/* SPDX-License-Identifier: MIT
 *
 * parley_end.c: see ends.h.
 */
#include "bench/path/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <parley/cc.h>

#include "os/host/clock.h"
#include "os/host/random.h"

static uint8_t piece[256 << 10];

static enum pl_cc_algorithm algorithm(const char *control)
{
    return strcmp(control, "bbr") == 0 ? PL_CC_BBR : strcmp(control, "cubic") == 0 ? PL_CC_CUBIC : PL_CC_NEWRENO;
}

static bool failed(char *why, size_t why_size, const char *what, int error)
{
    snprintf(why, why_size, "parley: %s: %s", what, pl_strerror(error));
    return false;
}

static void move(struct parley_end *p)
{
    ptrdiff_t n;
    do {
        n = p->control ? pl_send(p->stack, p->conn, piece, sizeof piece) : pl_recv(p->stack, p->conn, piece, sizeof piece);
        if (n > 0 && !p->control) p->got += (uint64_t)n;
    } while (n > 0);
    if (n != PL_EAGAIN) p->error = n < 0 ? (int)n : PL_EPIPE;
}

static bool on_events(void *user)
{
    struct parley_end *p = user;
    struct pl_event e;
    bool any = false;
    while (pl_event_next(p->stack, &e)) {
        any = true;
        if (p->listener && e.handle == p->listener && !p->conn) pl_accept(p->stack, p->listener, &p->conn, NULL);
        if (p->conn && !p->error) move(p);
    }
    return any;
}

static bool make_stack(struct parley_end *p, char *why, size_t why_size)
{
    struct pl_config c;
    pl_config_default(&c, sizeof c);
    c.sndbuf_bytes = c.rcvbuf_bytes = ENDS_BUFFER_BYTES;
    c.mem_is_zero = true;
    if (p->control) c.congestion_control = (uint8_t)algorithm(p->control);
    host_random(c.seed, sizeof c.seed);
    size_t bytes = pl_stack_size(&c);
    uint8_t *block = calloc(1, bytes + 64);
    if (!block) return failed(why, why_size, "a stack", PL_ENOMEM);
    int error = pl_stack_init(block + (64 - (uintptr_t)block % 64), bytes, &c, &p->env, host_now(), &p->stack);
    if (error == 0) error = host_loop_init(&p->loop, p->stack, &(struct host_loop_params){.on_events = on_events, .user = p});
    return error == 0 || failed(why, why_size, "a stack", error);
}

bool parley_begins(struct parley_end *p, struct pl_driver *d, const char *control, char *why, size_t why_size)
{
    struct pl_connect_params to = {.remote = {.port = ENDS_PORT}};
    struct pl_addr us;
    p->control = control;
    if (!make_stack(p, why, why_size)) return false;
    int iface = host_loop_add_driver(&p->loop, d);
    if (iface < 0) return failed(why, why_size, "an interface", iface);
    int error = pl_addr_parse(ENDS_NEAR, &us);
    if (error == 0) error = pl_addr_add(p->stack, iface, &us, 24);
    if (error == 0) error = pl_addr_parse(ENDS_FAR, &to.remote.addr);
    if (error == 0 && control) error = pl_connect(p->stack, &to, &p->conn);
    if (error == 0 && !control) error = pl_listen(p->stack, &(struct pl_listen_params){.local = {.port = ENDS_PORT}}, &p->listener);
    return error == 0 || failed(why, why_size, "a connection", error);
}

void parley_numbers(const struct parley_end *p, struct end_numbers *n)
{
    struct pl_tcp_status st = {0};
    pl_status(p->stack, p->conn, &st, sizeof st);
    *n = (struct end_numbers){.cwnd_bytes = st.cwnd_bytes, .ssthresh_bytes = st.ssthresh_bytes < INT32_MAX ? st.ssthresh_bytes : 0,
        .in_flight_bytes = st.in_flight_bytes, .retransmits = st.retransmits, .rto_ms = st.rto / PL_MS, .srtt = st.srtt};
}

void parley_counted(const struct parley_end *p, FILE *to)
{
    struct pl_counters c;
    pl_counters(p->stack, &c, sizeof c);
    for (unsigned i = 0; i < PL_WHY_SENT_COUNT; i++)
        if (c.sent[i]) fprintf(to, "%s\t%llu\n", pl_reason_text((enum pl_reason)i), (unsigned long long)c.sent[i]);
}
