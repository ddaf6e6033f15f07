/* SPDX-License-Identifier: MIT
 *
 * tcp.h: the connection, RFC 9293, and the map of this folder.
 *
 * The variables have the RFC's names: SND.UNA is c->snd.una, SEG.SEQ is seg->seq. A segment that arrives goes through input.c, whose order is
 * the order of section 3.10.7; each step is a function in steps/, in the file of its concern:
 *
 *   closed.c      3.10.7.1   no such connection               ack.c         3.10.7.4 fifth: the ACK
 *   listen.c      3.10.7.2   a SYN for a listener              text.c        3.10.7.4 sixth, seventh: urgent, text
 *   half_open.c   3.10.7.4   passive SYN-RECEIVED              teardown.c    3.10.7.4 eighth: FIN; and our own FIN
 *   handshake.c   3.10.7.3   SYN-SENT                          time_wait.c   TIME-WAIT
 *   acceptable.c  3.10.7.4   first to fourth                   rto.c persist.c keepalive.c life.c   3.10.8: timers
 *   icmp_error.c  3.9.2.2                                      user_timeout.c   RFC 5482
 *
 * A step returns PL_DROP_NONE (go on) or why the segment is dropped. Steps record what is owed; they do not send. output.c answers, from the
 * connection alone, what should be sent next and when (tcp_want), and forms the segment at the last moment (tcp_build). user.c holds the calls
 * of 3.10.1 to 3.10.6, settings.c their options, timeouts.c is 3.10.8. models/ know no connection, cc/ decides how much may fly. state.c is the only writer of the state.
 * recovery.c finds out what was lost, or was not after all, and leads the window through the repair; flight.c keeps what a sender must remember; told.c
 * tells the trace what became of it.
 *
 * Calls go one way: input, output, user, settings, timeouts -> steps -> models. state, flight, recovery, told, receive, buffers, check and explain are for all.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include <string.h>

#include "base/chunks.h"
#include "base/seq.h"
#include "base/slots.h"
#include "transport/flows.h"
#include "transport/tcp/cc/cc.h"
#include "transport/tcp/models/delack.h"
#include "transport/tcp/models/isn.h"
#include "transport/tcp/models/options.h"
#include "transport/tcp/models/out_of_order.h"
#include "transport/tcp/models/prr.h"
#include "transport/tcp/models/rack.h"
#include "transport/tcp/models/rtt.h"
#include "transport/tcp/models/rtx_queue.h"
#include "transport/tcp/models/timers.h"
#include "transport/tcp/models/timestamps.h"
#include "transport/tcp/models/tune.h"
#include "transport/tcp/models/validate.h"
#include "transport/tcp/models/window.h"
#include <parley/parley.h>

/* Could the last answer to a loss have been a mistake? RFC 3522, RFC 4015, RFC 5682, RFC 2883. */
struct tcp_undo {
    pl_time first_again;                  /* Eifel: when something was first sent again, by the peers' clock; 0: not yet, or the question is answered */
    pl_time srtt, rttvar;                 /* SRTT_prev, RTTVAR_prev */
    uint32_t first_seq;                   /* what that was */
    uint32_t marker, until;               /* SND.UNA and SND.NXT at the answer: what the peer reports twice there counts */
    uint32_t again;                       /* bytes sent again since, of which the peer has not said that it had them already */
    uint64_t again_where;                 /* where they lie: bit k: from marker + (k << again_shift) on */
    bool possible, after_rto;
    bool asked;                           /* first_again was set: RFC 3522 3.2: once for a repair */
    bool adapt;                           /* RFC 4015 3.2 (11): the next round-trip time of text beyond `until` makes the timer anew */
    uint8_t frto;                         /* RFC 5682: the step it is in: 2 or 3; 0: not at work */
    uint8_t frto_new;                     /* segments that it may send */
    uint8_t again_shift;
    uint8_t pad_[5];
};

/* What a sender waits for. Linux's tcp_info counts the same. */
enum tcp_limit { LIMIT_IDLE, LIMIT_BUSY, LIMIT_RWND, LIMIT_SNDBUF, TCP_LIMITS };

/* What the sender of a connection must remember of what is under way, and of the path. Taken from a pool when something is first sent. A connection that has
 * nothing outstanding keeps it until another one needs it. Times are ctx->wire_now, but those that say when to act. */
struct tcp_flight {
    struct rtx_queue queue;
    struct rack rack;
    struct prr prr;
    struct rate rate;
    struct validate validate;
    struct tcp_undo undo;
    pl_time rto_at;                       /* the retransmission timer; its slot in c->timers may hold something that comes before */
    pl_time armed_at;                     /* when that slot was last set */
    pl_time next_at;                      /* paced: when the next quantum may begin */
    pl_time reduced_at;                   /* the last answer to a loss: what was sent again later and is lost is another one */
    pl_time idle_since;
    pl_time sent_at;                      /* text last went */
    pl_time limit_since;                  /* what held the sender back: since when, and in all, idle times left out; `limit` says what it is */
    pl_time limit_spent[TCP_LIMITS - 1];
    uint32_t quantum_left;
    uint32_t owner, idle_next, idle_prev; /* slots: of its connection; of other flights that have nothing outstanding */
    uint32_t dupacks;
    bool in_recovery, in_rto_recovery;    /* fast recovery; resending after a time-out */
    uint8_t retries;                      /* time-outs without progress: RFC 9293 3.8.3's R1 and R2 */
    uint8_t left;                         /* RFC 3042: duplicates that each let one segment more go: 2 at most */
    bool idle;
    bool probe_due;                       /* TLP: a loss probe wants to go */
    uint8_t algorithm;                    /* whose cc_state it is */
    uint8_t cc_flags;                     /* enum pl_cc_flag */
    uint8_t limit;                        /* enum tcp_limit */
    uint32_t limited;                     /* bytes that limited transmit let go: not part of FlightSize, RFC 5681 3.2 (2) */
    uint32_t left_network;                /* without SACK: bytes that duplicates say have arrived: RFC 9937 6.2 */
    struct { uint32_t recoveries, timeouts, probes, undone, reneged; } count;
    uint64_t cc_state[];                  /* config.cc_state_bytes */
};
struct tcp_idle_flights {
    uint32_t first, last;                 /* the first is the longest idle */
};

/* The connection. Who writes what: snd.una, wnd, wl1, wl2: ack.c and the handshake; snd.nxt: output.c; rcv.nxt: text.c, teardown.c and the
 * handshake; rcv.wnd: those and output.c; state: state.c alone. */
struct tcp {
    struct flow flow;
    pl_handle handle;                     /* 0 in a scratch connection (half-open, TIME-WAIT) */
    uint64_t cookie;
    struct {
        uint32_t una, nxt, wnd, up, wl1, wl2, iss;
        uint32_t max_wnd;                 /* MAX.SND.WND, RFC 5961 5.2 */
    } snd;
    struct {
        uint32_t nxt, wnd, up, irs;       /* wnd: what is on offer: the right edge is nxt + wnd */
        uint32_t promised;                /* what of it is counted in the pool; brought up to date when wnd is told to the peer */
    } rcv;
    uint8_t state;                        /* enum pl_state */
    uint8_t syn_retries;                  /* SYN or SYN-ACK repeated this often */
    uint8_t probes;                       /* keepalive probes without answer */
    uint8_t hop_limit, tos;
    uint8_t challenges;                   /* challenge ACKs since challenge_ms */
    uint8_t persist_backoffs;
    bool wants_write;                     /* pl_send took less than asked: tell when there is room */
    int16_t error;                        /* 0 or enum pl_error: what the connection died of */
    int16_t soft_error;
    /* whole bytes: each segment asks for them */
    bool fin_queued, fin_sent, fin_acked; /* our FIN: the program finished; it is part of SND.NXT; it is acknowledged */
    bool probe_due, keepalive_due, override_due;         /* zero-window probe, keepalive, the sender's override time-out */
    bool urgent_out;                      /* bytes before SND.UP are not acknowledged */
    bool released;                        /* the stack has let go of its flow: CLOSED, or a TIME-WAIT entry stands for it */
    bool active : 1;                      /* opened by connect() */
    bool reopens : 1;                     /* half open, on the ports of a connection that is in TIME-WAIT: it goes back there if nothing comes of it */
    bool syn_due : 1;                     /* a SYN or SYN-ACK wants to be sent */
    bool syn_sent : 1, syn_repeated : 1;  /* our SYN or SYN-ACK went, first at syn_sent_at; it went again */
    bool syn_acked : 1;                   /* the peer acknowledged our SYN */
    bool orphan : 1;                      /* the handle was given back */
    bool fin_received : 1;                /* the peer's FIN is part of RCV.NXT */
    bool fin_known : 1;                   /* the peer's FIN was seen; it stands at fin_seq, perhaps behind a gap */
    bool nodelay : 1, keepalive : 1, no_delack : 1, cork : 1;
    bool urgent_in : 1;                   /* bytes before RCV.UP are not read: "urgent mode" */
    bool uto_enabled : 1, uto_changeable : 1;            /* RFC 5482 3: ENABLED, CHANGEABLE */
    bool below_recover : 1;               /* SND.UNA has not passed `recover` */
    bool uto_due : 1;                     /* the user timeout option wants to go along with a segment */
    bool sndbuf_fixed : 1, rcvbuf_fixed : 1;             /* no auto-tuning: the program set the size, or the config gives no larger one */
    uint8_t keepalive_probes;
    uint8_t syn_retries_max;              /* PL_OPT_SYN_RETRIES; 0: the config's */
    uint8_t algorithm;                    /* PL_OPT_CONGESTION */
    uint16_t arrived_before;              /* models/tune.h: what arrived in the receiver's round trip before this, in 16 KiB */
    uint32_t challenge_ms;
    uint32_t fin_seq;
    struct tcp_options opt;
    struct timestamps ts;
    struct tcp_timers timers;
    struct rtt rtt;
    struct pl_cc cc;
    struct delack delack;
    struct stream snd_stream, rcv_stream; /* snd: from the first unacknowledged byte on; rcv: in order and unread, then what is out of order */
    uint32_t snd_sent;                    /* bytes of snd_stream that are inside SND.NXT */
    uint32_t flight, gaps;                /* slots, 0 = none; flight: may be idle; gaps: struct ooo */
    uint32_t sndbuf_bytes, rcvbuf_bytes;
    uint32_t time_wait;                   /* its TIME-WAIT entry */
    uint32_t listener;                    /* while in an accept queue */
    int32_t path_iface;                   /* the path, as path.c keeps it */
    uint32_t path_neighbor, path_generation, path_mtu;
    uint32_t user_timeout_ms;             /* 0: off */
    uint16_t adv_uto, remote_uto;         /* RFC 5482 3: ADV_UTO, 0: not said by the program; REMOTE_UTO, 0: none came. As they stand in the option */
    uint32_t keepalive_idle_ms, keepalive_interval_ms;
    uint32_t recover;                     /* RFC 6582: SND.NXT when a loss was noticed last; outlives the flight */
    union {
        uint32_t orphan_ms;               /* when it became one. Times in ms are of ctx->wire_now: a shift in time, of any length, leaves them as they are */
        uint32_t round_ms;                /* until then: when the receiver's round trip began, by the timestamps' clock */
    };
    uint32_t round_received;              /* what had arrived by then, modulo 2^32 */
    pl_time progress_at;                  /* when SND.UNA moved, or something came to be outstanding */
    union {
        pl_time heard_at;                 /* when something acceptable arrived */
        pl_time syn_sent_at;              /* until our SYN is acknowledged */
    };
    struct {
        uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
        uint32_t segs_out, segs_in, retransmits;
    } count;
};
_Static_assert(sizeof(struct tcp) <= 512, "the hot block of a connection");

/* The options that a listener's connections inherit: every one that pl_set sets on a connection. */
struct tcp_inherited {
    uint32_t sndbuf_bytes, rcvbuf_bytes, user_timeout_ms, keepalive_idle_ms, keepalive_interval_ms;
    uint16_t adv_uto, mss_max;
    uint8_t keepalive_probes, hop_limit, tos, algorithm;
    bool nodelay : 1, keepalive : 1, no_delack : 1, cork : 1, uto_enabled : 1, uto_changeable : 1, sndbuf_fixed : 1, rcvbuf_fixed : 1;
    uint8_t pad_[3];
};

/* A passive connection in SYN-RECEIVED, until its handshake is done. */
struct half_open {
    struct flow flow;
    uint32_t iss, irs;
    uint16_t answered_ms;                 /* when an ACK that could meet an answer was last owed (limits loops), 0: never; wraps after a minute */
    uint16_t remote_uto;
    pl_time resend_at;                    /* HALF_DEFERRED: until when the program may decide */
    union {
        uint64_t cookie;                  /* its listener is a deferred one: of the connection to be */
        uint32_t ts_offset;               /* else, so that it is computed once only */
    };
    uint32_t listener, ts_recent;
    uint16_t peer_mss, snd_wnd;
    uint8_t snd_wscale : 4, rcv_wscale : 4;
    uint8_t flags;                        /* enum half_open_flag */
    uint8_t retries : 7, small : 1;       /* small: its SYN-ACK announced the small window; a repeat says the same */
    uint8_t ack_why;                      /* an ACK owed at once: enum pl_reason */
};
enum half_open_flag {
    HALF_WSCALE = 1, HALF_TS = 2, HALF_SACK = 4, HALF_SYN_DUE = 8, HALF_SENT = 16, HALF_REPEATED = 32,
    HALF_DEFERRED = 64,                   /* no SYN-ACK before the program says so */
    HALF_REOPENS = 128,                   /* a TIME-WAIT entry of the same addresses and ports is parked behind it */
};
_Static_assert(sizeof(struct half_open) <= 96, "a half-open entry");
_Static_assert(PL_WHY_COUNT <= 256, "entries keep a reason in one byte");
/* Owes neither its SYN-ACK nor an ACK; it has nothing else to send. */
static inline bool half_open_silent(const struct half_open *h) { return !(h->flags & HALF_SYN_DUE) && !h->ack_why; }

struct time_wait {
    struct flow flow;
    uint32_t snd_nxt, rcv_nxt, rcv_wnd, ts_recent;
    uint32_t owner;                       /* the connection's slot while the program still holds it, 0 = none */
    pl_time until;
    uint32_t order_next, order_prev;      /* by age: the oldest is recycled */
    uint8_t ack_why, hop_limit;           /* ack_why: an ACK owed: enum pl_reason, 0 = none */
    uint16_t ts_ok : 1, parked : 1;       /* parked: a newer SYN made a half-open entry, which stands in front of it */
    uint16_t restarts : 4, rcv_wscale : 4, dscp : 6;     /* restarts: how often its 2 MSL began anew */
    uint32_t answered_ms;                 /* when something but a FIN was last answered, 0: never */
};
enum { TIME_WAIT_RESTARTS = 10 };         /* a FIN is repeated that often within 2 MSL at an RTO of 50 ms that doubles */
_Static_assert(sizeof(struct time_wait) <= 96, "a TIME-WAIT entry");

/* A segment that arrived, after its checks of form. */
struct tcp_seg {
    uint32_t seq, ack;
    uint32_t len;                         /* SEG.LEN: text, SYN and FIN */
    uint32_t text;                        /* bytes of text */
    uint32_t wnd;                         /* SEG.WND: scaled but on a SYN */
    uint16_t wnd_raw, up;
    uint8_t flags, tos;
    uint16_t segs;                        /* segments that this one stands for */
    bool had_text;                        /* a closed window cut its text off: it is no bare ACK */
    struct wire_tcp_opts opts;
    const struct pl_span *spans;          /* the frame; its text starts at text_off */
    uint32_t nspans, text_off;
};

/* A segment that answers one which belongs to no connection, or resets one: recorded by a step, sent by the stack. */
struct tcp_reply {
    bool due;
    uint8_t flags;
    uint16_t why;
    bool ts;                              /* with timestamps, RFC 7323 5.2 */
    uint32_t seq, ack, ts_val, ts_ecr;
};
/* RFC 7323 5.2-b: "if the segment causing the <RST> to be generated contains a Timestamps option, the <RST> should also contain" one, whose TSval is 0
 * and whose TSecr is that segment's TSval. */
static inline void tcp_reply_to(struct tcp_reply *r, const struct tcp_seg *seg)
{
    r->ts = seg->opts.have & WIRE_OPT_TIMESTAMPS;
    r->ts_val = 0;
    r->ts_ecr = r->ts ? seg->opts.ts_val : 0;
}

/* What the connections of a stack share. */
struct tcp_pools {
    struct slots conns, flights, records, gaps;          /* struct tcp, struct tcp_flight, struct rtx_record, struct ooo */
    struct tcp_idle_flights idle;
    struct chunks chunks;
};

/* What a connection needs of its world for the length of one call, and what the call results in. */
struct tcp_ctx {
    pl_time now;
    uint32_t link_mtu;                    /* of the interface that a segment is built for; 0: not known */
    pl_time wire_now;                     /* the clock that peers see: not moved by pl_stack_shift_time */
    struct tcp_pools *pools;
    const struct pl_config *config;
    const struct tcp_secrets *secrets;
    struct pl_env *env;
    struct pl_counters *counters;
    /* results */
    struct tcp_reply reply;
    uint32_t news;                        /* enum pl_event_bit for the program */
    bool progress;                        /* the peer acknowledged something: its neighbour is alive */
    bool doubt;                           /* repeated in vain: is the neighbour still there? (R1, RFC 9293 3.8.3) */
    bool chunks_freed;
    bool starved;                         /* text in order found no chunk: what came early, whoever's, should go */
    uint32_t mtu_learned;                 /* an ICMP message about the path was accepted: its MTU */
};
/* For the next call at the same time: the results are taken. */
static inline void tcp_ctx_renew(struct tcp_ctx *x)
{
    x->reply.due = false;
    x->news = x->mtu_learned = 0;
    x->progress = x->doubt = x->chunks_freed = x->starved = false;
}

/* What the connection would send, and when: the one answer to both questions. */
enum tcp_what { WANT_NOTHING, WANT_SYN, WANT_SYN_ACK, WANT_RESEND, WANT_DATA, WANT_PROBE, WANT_ACK };
struct tcp_want {
    pl_time when;                         /* <= now: at once. Later: look again then. PL_NEVER: nothing until something happens */
    uint8_t what;                         /* enum tcp_what */
    bool fin;                             /* the FIN goes along */
    uint16_t why;                         /* enum pl_reason */
    uint32_t bytes;                       /* text; WANT_DATA: may be several segments */
    uint32_t more;                        /* WANT_DATA: text that may follow at once, in segments of their own */
    uint32_t record;                      /* WANT_RESEND */
    bool loss_probe;                      /* WANT_RESEND, WANT_DATA: RFC 8985 7.3 */
};

struct tcp_out {                          /* a segment ready for the wire, options and text included */
    uint32_t seq, ack, wnd;
    uint16_t wnd_raw, why, up;
    uint8_t flags, nspans;
    uint16_t segs;
    uint32_t text;
    struct wire_tcp_opts opts;
};

/* input.c */
enum pl_drop tcp_input(struct tcp_ctx *, struct tcp *, struct tcp_seg *);             /* 3.10.7.3, 3.10.7.4 */
enum pl_drop tcp_input_checks(struct tcp_ctx *, struct tcp *, struct tcp_seg *);      /* 3.10.7.4 first to fourth, and the ACK bit: a half-open entry */
enum pl_drop tcp_input_rest(struct tcp_ctx *, struct tcp *, struct tcp_seg *);        /* from the fifth on */

/* output.c. gso_bytes: the largest frame the interface takes, 0: one segment at a time */
struct tcp_want tcp_want(struct tcp_ctx *, struct tcp *, uint32_t gso_bytes);
/* After tcp_build, and if nothing else happened since: as much once more, which is what tcp_want would say now. False: it has to be asked. */
bool tcp_want_again(const struct tcp_ctx *, const struct tcp *, struct tcp_want *);
/* Right after tcp_build: true: tcp_want would have nothing to send, and *when is what tcp_settle says. Mostly that is so, and quickly seen; false says nothing. */
bool tcp_said_all(struct tcp_ctx *, struct tcp *, pl_time *when);
/* Nothing is to be sent, said tcp_want: arms the persist and life timers that follow from it, and says when the connection wants to be called. */
pl_time tcp_settle(struct tcp_ctx *, struct tcp *, const struct tcp_want *);
/* Forms the segment and records that it was sent. `spans` receives the text, at most max. */
void tcp_build(struct tcp_ctx *, struct tcp *, const struct tcp_want *, struct tcp_out *, struct pl_span *spans, unsigned max);

/* timeouts.c: 3.10.8: whatever is due at ctx->now. */
void tcp_timeouts(struct tcp_ctx *, struct tcp *);

/* user.c: 3.10.1 to 3.10.6 */
void tcp_init(struct tcp_ctx *, struct tcp *);                                         /* defaults from the config */
void tcp_user_open(struct tcp_ctx *, struct tcp *, uint32_t iss);
ptrdiff_t tcp_user_send(struct tcp_ctx *, struct tcp *, const void *, size_t);
int tcp_user_reserve(struct tcp_ctx *, struct tcp *, size_t want, struct pl_span *);
int tcp_user_commit(struct tcp_ctx *, struct tcp *, size_t);
void tcp_user_urgent(struct tcp *);                                                      /* what was given so far is urgent */
ptrdiff_t tcp_user_recv(struct tcp_ctx *, struct tcp *, void *, size_t);
int tcp_user_peek(struct tcp_ctx *, struct tcp *, struct pl_span *, unsigned max);
int tcp_user_consume(struct tcp_ctx *, struct tcp *, size_t);
int tcp_user_finish(struct tcp_ctx *, struct tcp *);
void tcp_user_close(struct tcp_ctx *, struct tcp *);                                   /* the program gave its handle back */
int tcp_user_abort(struct tcp_ctx *, struct tcp *);
uint32_t tcp_user_ready(const struct tcp_ctx *, const struct tcp *);
void tcp_user_status(const struct tcp_ctx *, const struct tcp *, struct pl_tcp_status *);

/* settings.c: the options of a connection (pl_set, pl_get; a listener's for the connections that come of it). check: PL_OK or PL_EINVAL, whatever the
 * connection; apply: of a value that was checked; get: PL_OK or PL_EINVAL (not an option of a connection) */
int tcp_setting_check(const struct pl_env *, const struct pl_config *, enum pl_option, int64_t value);
void tcp_setting_apply(struct tcp_ctx *, struct tcp *, enum pl_option, int64_t value);
int tcp_setting_get(const struct tcp_ctx *, const struct tcp *, enum pl_option, int64_t *value);
void tcp_inherit(struct tcp *, const struct tcp_inherited *);                            /* after tcp_init: the options that were set on a listener */
void tcp_bequeath(const struct tcp *, struct tcp_inherited *);                           /* what pl_set has set on this one, for others */

/* steps/: each cites its paragraph */
enum pl_drop closed_arrives(const struct tcp_seg *, struct tcp_reply *);
enum pl_drop listen_arrives(const struct tcp_seg *, struct tcp_reply *);               /* PL_DROP_NONE: make a half-open entry */
void half_open_make(struct tcp_ctx *, struct tcp *scratch, const struct tcp_seg *, uint32_t iss);
void half_open_thaw(struct tcp_ctx *, const struct half_open *, struct tcp *scratch);
void half_open_freeze(const struct tcp_ctx *, struct half_open *, const struct tcp *scratch);
enum pl_drop handshake_arrives(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
enum pl_drop handshake_fifth_ack(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
void handshake_timeout(struct tcp_ctx *, struct tcp *);                                 /* the SYN or SYN-ACK was not answered */
enum pl_drop acceptable_first_sequence(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
enum pl_drop acceptable_second_rst(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
enum pl_drop acceptable_fourth_syn(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
enum pl_drop ack_fifth(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
void text_sixth_urgent(struct tcp_ctx *, struct tcp *, const struct tcp_seg *);
enum pl_drop text_seventh(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
enum pl_drop teardown_eighth_fin(struct tcp_ctx *, struct tcp *, struct tcp_seg *);
void teardown_finish(struct tcp_ctx *, struct tcp *);                                   /* the program has finished sending */
void teardown_fin_acked(struct tcp_ctx *, struct tcp *);                                /* our FIN is acknowledged */
void time_wait_freeze(struct time_wait *, const struct tcp *, pl_time until);
void time_wait_thaw(struct tcp_ctx *, const struct time_wait *, struct tcp *scratch);
enum pl_drop time_wait_arrives(const struct tcp_ctx *, struct time_wait *, const struct tcp_seg *);
bool time_wait_accepts_syn(const struct tcp_ctx *, const struct time_wait *, const struct tcp_seg *);
bool time_wait_allows_connect(const struct tcp_ctx *, const struct time_wait *);
uint32_t time_wait_iss(const struct time_wait *, uint32_t iss);                         /* of a new incarnation: this one or a greater */
void rto_fires(struct tcp_ctx *, struct tcp *);
void persist_fires(struct tcp_ctx *, struct tcp *);
void keepalive_fires(struct tcp_ctx *, struct tcp *);
void keepalive_heard(struct tcp_ctx *, struct tcp *);
void keepalive_rearm(struct tcp_ctx *, struct tcp *, bool from_now);                   /* its settings changed */
uint16_t user_timeout_advertised(const struct tcp_ctx *, const struct tcp *);          /* RFC 5482: ADV_UTO as it stands in the option */
void user_timeout_tell(struct tcp_ctx *, struct tcp *);                                 /* ESTABLISHED, or a setting changed: the peer is to hear of it */
void user_timeout_arrives(struct tcp_ctx *, struct tcp *, const struct tcp_seg *);
void life_fires(struct tcp_ctx *, struct tcp *);
void life_rearm(struct tcp_ctx *, struct tcp *);
enum pl_drop icmp_error_arrives(struct tcp_ctx *, struct tcp *, uint32_t seq, int error, bool hard, uint32_t mtu);
enum pl_drop icmp_error_half_open(struct tcp_ctx *, struct tcp *scratch, uint32_t seq, int error, uint32_t mtu);

/* buffers.c: shared by all: the sizes of the two buffers */
void tcp_buffers_first(const struct tcp_ctx *, struct tcp *);                            /* as the config says */
uint32_t tcp_rcvbuf_most(const struct tcp_ctx *, const struct tcp *);                    /* what the window's scale has to reach */
void tcp_rcvbuf_scaled(struct tcp *);                                                    /* the scale is known: not below what it can express */
void tcp_round_begins(const struct tcp_ctx *, struct tcp *);                             /* ESTABLISHED: the first round trip of the receiver */
void tcp_rcvbuf_grow(struct tcp_ctx *, struct tcp *, uint32_t echo, uint32_t n);          /* n bytes of text arrived in order: a round may be over */
void tcp_rcvbuf_shrink(struct tcp_ctx *, struct tcp *);                                  /* before a window is offered: is memory short? */
void tcp_sndbuf_tune(struct tcp_ctx *, struct tcp *);                                    /* after an ACK */
uint8_t tcp_sndbuf_bound(const struct tcp_ctx *, const struct tcp *);                    /* enum pl_buffer_bound */
uint8_t tcp_rcvbuf_bound(const struct tcp_ctx *, const struct tcp *);
/* state.c: shared by all; receive.c: what the receiving steps and output.c share */
void tcp_state(struct tcp_ctx *, struct tcp *, enum pl_state, enum pl_reason);
void tcp_die(struct tcp_ctx *, struct tcp *, int error, enum pl_reason);                /* CLOSED, with an error for the program (0: none) */
void tcp_return(struct tcp_ctx *, struct tcp *, enum pl_reason);                         /* a passive one in SYN-RECEIVED: back where it came from */
void tcp_owe_reset(struct tcp_ctx *, struct tcp *, enum pl_reason);                     /* <SEQ=SND.NXT><CTL=RST> */
void tcp_trace(struct tcp_ctx *, const struct tcp *, enum pl_trace_kind, enum pl_reason, int64_t a, int64_t b);
void tcp_doubt(struct tcp_ctx *, struct tcp *);                                         /* R1 is reached: IP and the program hear of it */
void tcp_outstanding_begins(const struct tcp_ctx *, struct tcp *);                       /* the first that is given, or sent, when all is acknowledged */
void tcp_receive_begins(struct tcp_ctx *, struct tcp *);                                 /* ESTABLISHED: memory is kept for a segment, the window counts */
void tcp_receive_ends(struct tcp_ctx *, struct tcp *);                                   /* nothing more is taken from the peer */
uint32_t tcp_first_window(const struct tcp_ctx *, const struct tcp *);                   /* that a SYN announces */
bool tcp_window_worth_telling(const struct tcp_ctx *, const struct tcp *);
void tcp_log_scale(struct tcp_ctx *, const struct tcp *, const struct wire_tcp_opts *);      /* of a SYN, if it is too large */
void tcp_offer_window(struct tcp_ctx *, struct tcp *);                                   /* RCV.WND as it is told next */
bool tcp_shed_early_text(struct tcp_ctx *, struct tcp *);                                /* what lies behind gaps is let go. False: there is nothing */
bool tcp_gaps_take(struct tcp_ctx *, struct tcp *);                                      /* a struct ooo, unless there is one; false: the pool is empty */
void tcp_gaps_forget(struct tcp_ctx *, struct tcp *);                                    /* gives it back if nothing is in it */
bool tcp_came_twice(struct tcp_ctx *, struct tcp *, uint32_t lo, uint32_t hi);           /* RFC 2883: the peer will be told, once. False: it will not */
void tcp_owe_duplicate(struct tcp_ctx *, struct tcp *, enum pl_reason);                  /* one more ACK, for the peer counts them */
bool tcp_may_challenge(struct tcp_ctx *, struct tcp *);                                 /* the per-connection limit of RFC 5961 7 */
void tcp_release(struct tcp_ctx *, struct tcp *);                                       /* gives chunks, records, gaps back; what is readable stays unless `orphan` */
/* flight.c */
bool tcp_flight_can(const struct tcp_ctx *, const struct tcp *);                        /* something may be sent: there is a flight for it */
void tcp_flight_begins(struct tcp_ctx *, struct tcp *);                                  /* the first that is sent when all is acknowledged. tcp_flight_can() */
void tcp_flight_end(struct tcp_ctx *, struct tcp *);                                    /* nothing is outstanding any more */
void tcp_flight_give(struct tcp_ctx *, struct tcp *);                                   /* nothing will be sent any more */
void tcp_flight_algorithm(struct tcp_ctx *, struct tcp *);                               /* c->algorithm was changed */
void tcp_flight_own_algorithm(const struct tcp_ctx *, struct tcp *, struct tcp_flight *);    /* a program's own: it may be gone since pl_stack_attach */
void tcp_limited(const struct tcp_ctx *, struct tcp_flight *, enum tcp_limit);           /* from now on, by this */
uint32_t tcp_paced(const struct tcp_ctx *, const struct tcp *, const struct tcp_flight *);    /* bytes that pacing lets go now */
void tcp_pace(const struct tcp_ctx *, struct tcp *, struct tcp_flight *, uint32_t bytes);     /* so many were sent */
void tcp_rto_restart(const struct tcp_ctx *, const struct tcp *, struct tcp_flight *);   /* RFC 6298 5.3 */
/* What comes first: RTO, loss probe, RACK's timer (0: none) */
void tcp_rto_arm(const struct tcp_ctx *, struct tcp *, struct tcp_flight *, pl_time reorder_timeout);
bool tcp_may_probe(const struct tcp_ctx *, const struct tcp *, const struct tcp_flight *);       /* a loss probe: RFC 8985 7.2 */
/* recovery.c */
struct tcp_ack {                          /* an ACK as the sender takes it */
    const struct tcp_seg *seg;
    struct rtx_heard h;
    uint32_t acked;                       /* sequence numbers that SND.UNA advanced */
    uint32_t pipe;                        /* before it */
    bool duplicate, dsack;                /* RFC 5681 2; RFC 2883: it tells what came twice */
    bool limited;                         /* the window was used, growing it is justified */
};
void tcp_recovery_ack(struct tcp_ctx *, struct tcp *, struct tcp_flight *, struct tcp_ack *);
void tcp_recovery_late_ack(struct tcp_ctx *, struct tcp *, struct tcp_flight *, const struct tcp_ack *);     /* nothing is outstanding any more */
void tcp_recovery_rto(struct tcp_ctx *, struct tcp *, struct tcp_flight *);
void tcp_recovery_reorder_fires(struct tcp_ctx *, struct tcp *);                         /* RFC 8985 6.2: RACK's timer */
void tcp_recovery_probe_fires(struct tcp_ctx *, struct tcp *);                           /* RFC 8985 7.3 */
void tcp_recovery_sent_again(struct tcp_ctx *, struct tcp *, struct tcp_flight *, uint32_t seq, uint32_t bytes);
/* told.c: whoever listens to the trace hears what a call has changed of the sender's state: around what may change it, if somebody does */
struct tcp_seen {
    const char *doing;                    /* NULL: not to be told */
    uint64_t pacing_rate;
    pl_time reo_wnd, unused_since;
    uint32_t cwnd, undone, repairs;
    uint16_t reo_wnd_mult;
    uint8_t frto, left, expired;
    bool known, reordering_seen;
};
pl_time tcp_reo_wnd(const struct tcp_ctx *, const struct tcp *, const struct tcp_flight *);     /* RACK.reo_wnd as of now */
void tcp_look(struct tcp_ctx *, struct tcp *, struct tcp_seen *);
void tcp_tell(struct tcp_ctx *, struct tcp *, const struct tcp_seen *);
/* check.c: asserts what holds in each state (our own mistakes only). explain.c: the same facts as sentences. */
void tcp_check(const struct tcp_ctx *, const struct tcp *);
size_t tcp_explain(const struct tcp_ctx *, const struct tcp *, char *text, size_t size);
struct text;
void tcp_explain_sender(const struct tcp_ctx *, const struct tcp *, struct text *);           /* explain_sender.c */

/* The same for entries that have no room to count: one in half a second. */
static inline uint32_t answered_at(pl_time now) { return (uint32_t)(now / PL_MS) | 1; }
static inline bool answered_lately(uint32_t answered_ms, pl_time now) { return answered_ms && (uint32_t)(now / PL_MS) - (answered_ms & ~1u) < 500; }

/* Times that a connection keeps in 32 bits: whole milliseconds, rounded up, so that what is not zero stays so. */
#define TCP_LONGEST_TIMEOUT (UINT32_MAX * PL_MS)
static inline uint32_t tcp_ms(pl_time t) { return (uint32_t)((t + PL_MS - 1) / PL_MS); }
static inline bool tcp_ipv6(const struct flow *f)                                       /* not IPv4-mapped */
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(f->local, mapped, 12) != 0;
}
static inline bool tcp_synchronised(const struct tcp *c) { return c->state >= PL_ESTABLISHED; }
/* What is remembered, NULL: nothing; and the same if something is outstanding, NULL: nothing is. */
static inline struct tcp_flight *tcp_memory(const struct tcp_ctx *x, const struct tcp *c) { return c->flight ? slots_at(&x->pools->flights, c->flight) : NULL; }
static inline bool tcp_outstanding(const struct tcp *c) { return c->syn_acked && c->snd.una != c->snd.nxt; }
static inline struct tcp_flight *tcp_flight(const struct tcp_ctx *x, const struct tcp *c) { return c->flight && c->snd.una != c->snd.nxt ? slots_at(&x->pools->flights, c->flight) : NULL; }
/* Bytes believed to be in the network: RFC 9937 6.2-a, 6.2-b. */
static inline uint32_t tcp_pipe(const struct tcp_flight *f) { return f->queue.pipe - (f->left_network < f->queue.pipe ? f->left_network : f->queue.pipe); }
static inline struct cc_call tcp_cc(const struct tcp_ctx *x, struct tcp *c, struct tcp_flight *f)
{
    c->cc.mss = c->opt.mss;
    if (f->algorithm >= PL_CC_USER)
        tcp_flight_own_algorithm(x, c, f);
    return (struct cc_call){.env = x->env, .cc = &c->cc, .state = f->cc_state, .algorithm = f->algorithm};
}
static inline struct ooo *tcp_ooo(const struct tcp_ctx *x, const struct tcp *c) { return c->gaps ? slots_at(&x->pools->gaps, c->gaps) : NULL; }
static inline struct ranges *tcp_gaps(const struct tcp_ctx *x, const struct tcp *c) { return c->gaps ? ooo_ranges(slots_at(&x->pools->gaps, c->gaps)) : NULL; }
static inline bool tcp_has_gaps(const struct tcp_ctx *x, const struct tcp *c) { return c->gaps && tcp_gaps(x, c)->count; }
static inline uint32_t tcp_unsent(const struct tcp *c) { return c->snd_stream.len - c->snd_sent; }
static inline uint32_t tcp_rcv_room(const struct tcp *c) { return c->rcvbuf_bytes > c->rcv_stream.len ? c->rcvbuf_bytes - c->rcv_stream.len : 0; }
/* Each segment with text asks, each ACK asks: mostly there is nothing to do. */
static inline void tcp_rcvbuf_tune(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, uint32_t n)
{
    if (!c->rcvbuf_fixed && (!c->opt.ts_ok || seq_gt(seg->opts.ts_ecr, c->round_ms)))
        tcp_rcvbuf_grow(x, c, seg->opts.ts_ecr, n);
}
static inline void tcp_sndbuf_follow(struct tcp_ctx *x, struct tcp *c)
{
    if (!c->sndbuf_fixed && (c->cc.cwnd > c->sndbuf_bytes / 2 || c->sndbuf_bytes > x->config->sndbuf_bytes))
        tcp_sndbuf_tune(x, c);
}
/* The program was refused room to send, and now there is some worth an event. */
static inline bool tcp_writable_again(const struct tcp *c) { return c->wants_write && tune_worth_telling(c->sndbuf_bytes, c->snd_stream.len); }
/* What a SYN announces when memory is short: as much as will be kept for the connection. */
static inline uint32_t tcp_small_window(const struct tcp *c) { return c->rcvbuf_bytes < 1460 ? c->rcvbuf_bytes : 1460; }
/* Should the peer be told, unasked, how much room there is? Asked often; mostly the step is too small at first sight. */
static inline bool tcp_window_update_due(const struct tcp_ctx *x, const struct tcp *c)
{
    uint32_t room = tcp_rcv_room(c), step = room > c->rcv.wnd ? room - c->rcv.wnd : 0;
    return !(step < c->opt.mss && step < c->rcvbuf_bytes / 4 && step < 16384) && tcp_window_worth_telling(x, c);
}
static inline struct rtt_bounds tcp_rtt_bounds(const struct tcp_ctx *x)
{
    return (struct rtt_bounds){x->config->rto_initial, x->config->rto_min, x->config->rto_max};
}
static inline struct tcp_tuple tcp_tuple(const struct flow *f)
{
    struct tcp_tuple t = {.local_port = f->local_port, .remote_port = f->remote_port, .zone = f->zone};
    memcpy(t.local, f->local, 16);
    memcpy(t.remote, f->remote, 16);
    return t;
}
static inline uint32_t tcp_timestamp_offset(const struct tcp_ctx *x, const struct flow *f)
{
    struct tcp_tuple t = tcp_tuple(f);
    return x->config->timestamps ? isn_timestamp_offset(x->secrets, &t) : 0;
}

#endif
