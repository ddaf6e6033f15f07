/* SPDX-License-Identifier: MIT
 *
 * Every state and every kind of segment: what RFC 9293 3.10.7 answers, and which state follows; with RFC 5961, RFC 1337 and the choices of
 * docs/defaults.md. One table; each pair of state and kind stands in exactly one row, which cites its paragraph. It runs over IPv4 and IPv6, and
 * with numbers that wrap past 2^32 and 2^31 on the way.
 *
 * The connection when the segment arrives: 10 bytes of ours are acknowledged and 5 are not; 20 bytes of the peer's were received and read.
 */
#include "support/unit.h"

#include "support/duo.h"

enum state { CLOSED, LISTEN, SYN_SENT, RCVD_PASSIVE, RCVD_ACTIVE, ESTAB, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT, STATES, SAME };

enum kind {
    SYN,                  /* seq = RCV.NXT; where no SYN was received yet: the peer's first number */
    SYN_AGAIN,            /* seq = IRS: the SYN that was received */
    SYN_FIN,
    SYN_ACK,              /* as SYN, ack = SND.NXT */
    SYN_ACK_AGAIN,
    ACK,                  /* seq = RCV.NXT, ack = SND.NXT */
    ACK_NOTHING,          /* ack = SND.UNA */
    ACK_OLD,              /* ack = SND.UNA - 1 */
    ACK_TOO_OLD,          /* ack = SND.UNA - 65537: further back than any window of the peer's */
    ACK_BEYOND,           /* ack = SND.NXT + 1 */
    RST_EXACT,            /* seq = RCV.NXT; with an ACK of SND.NXT, as all of these but the next */
    RST_NO_ACK,           /* seq = RCV.NXT */
    RST_INSIDE,           /* seq = RCV.NXT + 1 */
    RST_LEFT,             /* seq = RCV.NXT - 1 */
    RST_RIGHT_EDGE,       /* seq = RCV.NXT + RCV.WND */
    FIN,                  /* seq = RCV.NXT, ack = SND.UNA */
    FIN_AND_ACK,          /* seq = RCV.NXT, ack = SND.NXT */
    FIN_AGAIN,            /* seq = RCV.NXT - 1, ack = SND.UNA */
    TEXT,                 /* 10 bytes, PSH, seq = RCV.NXT, ack = SND.UNA */
    TEXT_AND_ACK,         /* the same, ack = SND.NXT */
    TEXT_OLD,             /* seq = RCV.NXT - 10 */
    TEXT_OVERLAPPING,     /* seq = RCV.NXT - 5 */
    TEXT_AHEAD,           /* seq = RCV.NXT + 1 */
    TEXT_BEYOND,          /* seq = RCV.NXT + RCV.WND */
    NO_FLAGS,
    ALL_FLAGS,            /* seq = RCV.NXT, ack = SND.NXT */
    KINDS
};

enum reply {
    NOTHING,
    AN_ACK,               /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
    A_SYN_ACK,            /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
    RST_OF_ACK,           /* <SEQ=SEG.ACK><CTL=RST> */
    RST_OF_SEQ,           /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
};

#define S(state) (1u << (state))
#define RCVD (S(RCVD_PASSIVE) | S(RCVD_ACTIVE))
#define OPEN (S(ESTAB) | S(FIN_WAIT_1) | S(FIN_WAIT_2))                        /* the peer may still send */
#define HEARD_ALL (S(CLOSE_WAIT) | S(CLOSING) | S(LAST_ACK))                   /* the peer's FIN was received */
#define SYNCHRONISED (OPEN | HEARD_ALL)                                        /* but for TIME-WAIT, which has rows of its own */
#define K(kind) (1u << (kind))
#define SYNS (K(SYN) | K(SYN_AGAIN) | K(SYN_FIN))
#define SYN_ACKS (K(SYN_ACK) | K(SYN_ACK_AGAIN))
#define RSTS (K(RST_EXACT) | K(RST_NO_ACK) | K(RST_INSIDE) | K(RST_LEFT) | K(RST_RIGHT_EDGE) | K(ALL_FLAGS))
#define TEXTS_OF_UNA (K(TEXT) | K(TEXT_OLD) | K(TEXT_OVERLAPPING) | K(TEXT_AHEAD) | K(TEXT_BEYOND))
#define WITH_ACK                                                                                                                                      \
    (SYN_ACKS | K(ACK) | K(ACK_NOTHING) | K(ACK_OLD) | K(ACK_TOO_OLD) | K(ACK_BEYOND) | K(FIN) | K(FIN_AND_ACK) | K(FIN_AGAIN) | K(TEXT_AND_ACK) |    \
     TEXTS_OF_UNA)
#define OF_UNA_OR_OLDER (K(ACK_NOTHING) | K(ACK_OLD) | K(ACK_TOO_OLD) | K(FIN) | K(FIN_AGAIN) | TEXTS_OF_UNA)

static const struct row {
    uint32_t states, kinds;
    enum reply reply;
    enum state next;
    enum pl_drop drop;
    uint32_t took;                        /* RCV.NXT advances by this */
    const char *rule;
} table[] = {
    /* CLOSED */
    {S(CLOSED), RSTS, NOTHING, SAME, PL_DROP_TCP_CLOSED, 0, "3.10.7.1: a RST is discarded"},
    {S(CLOSED), SYNS | K(NO_FLAGS), RST_OF_SEQ, SAME, PL_DROP_TCP_CLOSED, 0, "3.10.7.1: ACK bit off: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>"},
    {S(CLOSED), WITH_ACK, RST_OF_ACK, SAME, PL_DROP_TCP_CLOSED, 0, "3.10.7.1: ACK bit on: <SEQ=SEG.ACK><CTL=RST>"},
    /* LISTEN */
    {S(LISTEN), RSTS, NOTHING, SAME, PL_DROP_TCP_LISTEN_RST, 0, "3.10.7.2 first"},
    {S(LISTEN), WITH_ACK, RST_OF_ACK, SAME, PL_DROP_TCP_LISTEN_ACK, 0, "3.10.7.2 second"},
    {S(LISTEN), K(SYN) | K(SYN_AGAIN), A_SYN_ACK, RCVD_PASSIVE, PL_DROP_NONE, 1, "3.10.7.2 third"},
    {S(LISTEN), K(SYN_FIN), NOTHING, SAME, PL_DROP_TCP_SYN_FIN, 0, "threats V52: nonsense"},
    {S(LISTEN), K(NO_FLAGS), NOTHING, SAME, PL_DROP_TCP_LISTEN_OTHER, 0, "3.10.7.2 fourth"},
    /* SYN-SENT */
    {S(SYN_SENT), OF_UNA_OR_OLDER | K(ACK_BEYOND), RST_OF_ACK, SAME, PL_DROP_TCP_SYN_SENT_ACK, 0, "3.10.7.3 first: SEG.ACK =< ISS or SEG.ACK > SND.NXT"},
    {S(SYN_SENT), RSTS & ~K(RST_NO_ACK), NOTHING, CLOSED, PL_DROP_TCP_RST_TAKEN, 0, "3.10.7.3 second: the ACK is acceptable: connection reset"},
    {S(SYN_SENT), K(RST_NO_ACK), NOTHING, SAME, PL_DROP_TCP_SYN_SENT_RST, 0, "3.10.7.3 second: no ACK: drop"},
    {S(SYN_SENT), SYN_ACKS, AN_ACK, ESTAB, PL_DROP_NONE, 1, "3.10.7.3 fourth: our SYN is acknowledged"},
    {S(SYN_SENT), SYNS, A_SYN_ACK, RCVD_ACTIVE, PL_DROP_NONE, 1, "3.10.7.3 fourth: simultaneous open, MUST-10"},
    {S(SYN_SENT), K(ACK) | K(FIN_AND_ACK) | K(TEXT_AND_ACK) | K(NO_FLAGS), NOTHING, SAME, PL_DROP_TCP_SYN_SENT_OTHER, 0, "3.10.7.3 fifth"},
    /* SYN-RECEIVED */
    {RCVD, K(SYN_AGAIN), A_SYN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 first: the SYN-ACK was lost; 3.8.1"},
    {S(RCVD_PASSIVE), K(SYN) | K(SYN_FIN) | K(SYN_ACK), NOTHING, LISTEN, PL_DROP_TCP_SYN_RETURNED, 0, "3.10.7.4 fourth: passive: return to LISTEN"},
    {S(RCVD_ACTIVE), K(SYN) | K(SYN_FIN) | K(SYN_ACK), AN_ACK, SAME, PL_DROP_TCP_SYN_CHALLENGED, 0, "3.10.7.4 fourth: else as synchronised; RFC 5961 4.2"},
    {S(RCVD_PASSIVE), K(SYN_ACK_AGAIN), AN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 first: not acceptable: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>"},
    {S(RCVD_ACTIVE), K(SYN_ACK_AGAIN), NOTHING, ESTAB, PL_DROP_NONE, 0, "3.5 figure 7: the SYN-ACK of a simultaneous open"},
    {S(RCVD_PASSIVE), K(RST_EXACT) | K(RST_NO_ACK) | K(ALL_FLAGS), NOTHING, LISTEN, PL_DROP_TCP_RST_TAKEN, 0, "3.10.7.4 second: passive: return to LISTEN"},
    {S(RCVD_ACTIVE), K(RST_EXACT) | K(RST_NO_ACK) | K(ALL_FLAGS), NOTHING, CLOSED, PL_DROP_TCP_RST_TAKEN, 0, "3.10.7.4 second: active: connection refused"},
    {RCVD, K(ACK), NOTHING, ESTAB, PL_DROP_NONE, 0, "3.10.7.4 fifth"},
    {RCVD, K(ACK_NOTHING) | K(ACK_OLD) | K(ACK_TOO_OLD) | K(ACK_BEYOND) | K(FIN) | K(TEXT) | K(TEXT_OVERLAPPING) | K(TEXT_AHEAD), RST_OF_ACK, SAME,
     PL_DROP_TCP_SYN_RECEIVED_ACK, 0, "3.10.7.4 fifth: the ACK is not acceptable"},
    {RCVD, K(FIN_AND_ACK), AN_ACK, CLOSE_WAIT, PL_DROP_NONE, 1, "3.10.7.4 fifth, eighth"},
    {RCVD, K(TEXT_AND_ACK), AN_ACK, ESTAB, PL_DROP_NONE, 10, "3.10.7.4 fifth, seventh"},
    /* first: what is not acceptable, in every state that goes through 3.10.7.4 */
    {RCVD | SYNCHRONISED, K(RST_LEFT) | K(RST_RIGHT_EDGE), NOTHING, SAME, PL_DROP_TCP_RST_OUTSIDE, 0, "3.10.7.4 first, second; RFC 5961 3.2 case 1"},
    {RCVD | SYNCHRONISED, K(FIN_AGAIN) | K(TEXT_OLD), AN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 first: not acceptable: ACK"},
    {SYNCHRONISED, K(SYN_AGAIN) | K(SYN_ACK_AGAIN), AN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 first: an old SYN is outside the window"},
    {RCVD | SYNCHRONISED, K(TEXT_BEYOND), AN_ACK, SAME, PL_DROP_TCP_OUTSIDE_WINDOW, 0, "3.10.7.4 first: not acceptable: ACK"},
    /* second: RST inside the window but not exact */
    {RCVD | SYNCHRONISED, K(RST_INSIDE), AN_ACK, SAME, PL_DROP_TCP_RST_CHALLENGED, 0, "3.10.7.4 second; RFC 5961 3.2 case 3"},
    {SYNCHRONISED, K(RST_EXACT) | K(RST_NO_ACK) | K(ALL_FLAGS), NOTHING, CLOSED, PL_DROP_TCP_RST_TAKEN, 0, "3.10.7.4 second; RFC 5961 3.2 case 2"},
    /* fourth: SYN */
    {SYNCHRONISED, K(SYN) | K(SYN_FIN) | K(SYN_ACK), AN_ACK, SAME, PL_DROP_TCP_SYN_CHALLENGED, 0, "3.10.7.4 fourth; RFC 5961 4.2"},
    /* fifth: ACK */
    {RCVD | SYNCHRONISED, K(NO_FLAGS), NOTHING, SAME, PL_DROP_TCP_NO_ACK, 0, "3.10.7.4 fifth: the ACK bit is off"},
    {S(ESTAB) | S(FIN_WAIT_2) | S(CLOSE_WAIT), K(ACK), NOTHING, SAME, PL_DROP_NONE, 0, "3.10.7.4 fifth"},
    {S(FIN_WAIT_1), K(ACK), NOTHING, FIN_WAIT_2, PL_DROP_NONE, 0, "3.10.7.4 fifth: our FIN is acknowledged"},
    {S(CLOSING), K(ACK), NOTHING, TIME_WAIT, PL_DROP_NONE, 0, "3.10.7.4 fifth: our FIN is acknowledged"},
    {S(LAST_ACK), K(ACK) | K(FIN_AND_ACK) | K(TEXT_AND_ACK), NOTHING, CLOSED, PL_DROP_NONE, 0, "3.10.7.4 fifth: delete the TCB, enter CLOSED, and return"},
    {SYNCHRONISED, K(ACK_NOTHING) | K(ACK_OLD), NOTHING, SAME, PL_DROP_NONE, 0, "3.10.7.4 fifth: a duplicate can be ignored"},
    {SYNCHRONISED, K(ACK_TOO_OLD), AN_ACK, SAME, PL_DROP_TCP_ACK_TOO_OLD, 0, "3.10.7.4 fifth; RFC 5961 5.2"},
    {SYNCHRONISED, K(ACK_BEYOND), AN_ACK, SAME, PL_DROP_TCP_ACK_TOO_NEW, 0, "3.10.7.4 fifth: acks something not yet sent: ACK, drop"},
    /* seventh: text */
    {OPEN, K(TEXT), AN_ACK, SAME, PL_DROP_NONE, 10, "3.10.7.4 seventh"},
    {S(ESTAB) | S(FIN_WAIT_2), K(TEXT_AND_ACK), AN_ACK, SAME, PL_DROP_NONE, 10, "3.10.7.4 seventh"},
    {S(FIN_WAIT_1), K(TEXT_AND_ACK), AN_ACK, FIN_WAIT_2, PL_DROP_NONE, 10, "3.10.7.4 fifth, seventh"},
    {OPEN, K(TEXT_OVERLAPPING), AN_ACK, SAME, PL_DROP_NONE, 5, "3.10.7.4 first: only the new parts are processed"},
    {OPEN, K(TEXT_AHEAD), AN_ACK, SAME, PL_DROP_NONE, 0, "3.10.7.4 first: held for later; RFC 5681 4.2: an immediate duplicate ACK"},
    {HEARD_ALL, K(TEXT) | K(TEXT_OVERLAPPING) | K(TEXT_AHEAD), NOTHING, SAME, PL_DROP_TCP_AFTER_FIN, 0, "3.10.7.4 seventh: ignore the segment text"},
    {S(CLOSE_WAIT), K(TEXT_AND_ACK), NOTHING, SAME, PL_DROP_TCP_AFTER_FIN, 0, "3.10.7.4 fifth, seventh"},
    {S(CLOSING), K(TEXT_AND_ACK), NOTHING, TIME_WAIT, PL_DROP_TCP_AFTER_FIN, 0, "3.10.7.4 fifth, seventh"},
    /* eighth: FIN */
    {S(ESTAB), K(FIN) | K(FIN_AND_ACK), AN_ACK, CLOSE_WAIT, PL_DROP_NONE, 1, "3.10.7.4 eighth"},
    {S(FIN_WAIT_1), K(FIN), AN_ACK, CLOSING, PL_DROP_NONE, 1, "3.10.7.4 eighth: our FIN is not acknowledged"},
    {S(FIN_WAIT_1), K(FIN_AND_ACK), AN_ACK, TIME_WAIT, PL_DROP_NONE, 1, "3.10.7.4 eighth: our FIN is acknowledged"},
    {S(FIN_WAIT_2), K(FIN) | K(FIN_AND_ACK), AN_ACK, TIME_WAIT, PL_DROP_NONE, 1, "3.10.7.4 eighth"},
    {HEARD_ALL, K(FIN), NOTHING, SAME, PL_DROP_NONE, 0, "3.10.7.4 eighth: remain"},
    {S(CLOSE_WAIT), K(FIN_AND_ACK), NOTHING, SAME, PL_DROP_NONE, 0, "3.10.7.4 eighth: remain"},
    {S(CLOSING), K(FIN_AND_ACK), NOTHING, TIME_WAIT, PL_DROP_NONE, 0, "3.10.7.4 fifth; eighth: remain"},
    /* TIME-WAIT */
    {S(TIME_WAIT), RSTS, NOTHING, SAME, PL_DROP_TCP_RST_TIME_WAIT, 0, "RFC 1337 3 (deviates from 3.10.7.4 second, docs/defaults.md)"},
    {S(TIME_WAIT), SYNS | SYN_ACKS, AN_ACK, SAME, PL_DROP_TCP_SYN_CHALLENGED, 0, "3.10.7.4 fourth: nobody listens for a new incarnation"},
    {S(TIME_WAIT), K(NO_FLAGS), NOTHING, SAME, PL_DROP_TCP_NO_ACK, 0, "3.10.7.4 fifth"},
    {S(TIME_WAIT), K(ACK) | K(ACK_NOTHING) | K(ACK_OLD) | K(ACK_TOO_OLD) | K(ACK_BEYOND), NOTHING, SAME, PL_DROP_TCP_DUPLICATE, 0,
     "3.10.7.4 fifth: only a retransmission of the FIN wants an answer"},
    {S(TIME_WAIT), K(TEXT_OLD), AN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 first"},
    {S(TIME_WAIT), K(FIN_AGAIN), AN_ACK, SAME, PL_DROP_TCP_DUPLICATE, 0, "3.10.7.4 fifth: acknowledge it, and restart the 2 MSL timeout"},
    {S(TIME_WAIT), K(FIN) | K(FIN_AND_ACK) | K(TEXT_AND_ACK) | (TEXTS_OF_UNA & ~K(TEXT_OLD)), AN_ACK, SAME, PL_DROP_TCP_OUTSIDE_WINDOW, 0,
     "3.10.7.4 first: behind the peer's FIN nothing is acceptable"},
};

static const char *const state_names[] = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED (passive)", "SYN-RECEIVED (active)", "ESTABLISHED", "FIN-WAIT-1",
                                          "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"};
static const char *const kind_names[] = {"SYN", "SYN again", "SYN,FIN", "SYN,ACK", "SYN,ACK again", "ACK", "ACK of SND.UNA", "ACK old", "ACK too old",
                                         "ACK beyond", "RST exact", "RST without ACK", "RST inside", "RST left", "RST at the right edge", "FIN",
                                         "FIN and ACK", "FIN again", "text", "text and ACK", "text old", "text overlapping", "text ahead", "text beyond",
                                         "no flags", "all flags"};

/* The stack under test is host 0; its peer is played by hand. */
struct scene {
    struct duo d;
    bool ipv6;
    uint32_t iss, irs;
    struct {
        uint32_t una, nxt;
    } snd;
    struct {
        uint32_t nxt, wnd;
    } rcv;
    pl_conn conn;
};

enum { OURS = 4000, THEIRS = 80 };

static struct forged segment(const struct scene *s, uint8_t flags, uint32_t seq, uint32_t ack, size_t text_bytes)
{
    return (struct forged){.src = duo_endpoint(1, s->ipv6, THEIRS), .dst = duo_endpoint(0, s->ipv6, OURS), .seq = seq, .ack = ack, .wnd = 65535, .flags = flags,
                           .text_bytes = text_bytes};
}

static void give(struct scene *s, uint8_t flags, uint32_t seq, uint32_t ack, size_t text_bytes)
{
    struct forged f = segment(s, flags, seq, ack, text_bytes);
    duo_give_segment(&s->d, 0, &f);
}

/* The stack must have something to say; afterwards it has nothing more. */
static struct forged take(struct scene *s)
{
    struct forged f, more;
    assert_true(duo_take_segment(&s->d, 0, &f));
    assert_false(duo_take_segment(&s->d, 0, &more));
    return f;
}

static void connect_out(struct scene *s)
{
    struct pl_connect_params p = {.remote = duo_endpoint(1, s->ipv6, THEIRS), .local = {.port = OURS}, .isn_fixed = true, .isn = s->iss};
    assert_int_equal(pl_connect(s->d.s[0], &p, &s->conn), PL_OK);
    take(s);
}

static void establish(struct scene *s)
{
    uint8_t bytes[20];
    connect_out(s);
    give(s, PL_SYN | PL_ACK, s->irs, s->iss + 1, 0);
    take(s);
    assert_int_equal(pl_send(s->d.s[0], s->conn, "0123456789", 10), 10);
    take(s);
    give(s, PL_ACK | PL_PSH, s->irs + 1, s->iss + 11, 20);
    take(s);
    assert_int_equal(pl_recv(s->d.s[0], s->conn, bytes, 20), 20);
    assert_int_equal(pl_send(s->d.s[0], s->conn, "abcde", 5), 5);
    take(s);
    s->snd.una = s->iss + 11, s->snd.nxt = s->iss + 16;
    s->rcv.nxt = s->irs + 21;
}

static void finish(struct scene *s)
{
    assert_int_equal(pl_finish(s->d.s[0], s->conn), PL_OK);
    assert_true(take(s).flags & PL_FIN);
    s->snd.nxt++;
}

static void peer_finishes(struct scene *s, uint32_t ack)
{
    give(s, PL_FIN | PL_ACK, s->rcv.nxt, ack, 0);
    take(s);
    s->rcv.nxt++;
}

static void all_acked(struct scene *s)
{
    give(s, PL_ACK, s->rcv.nxt, s->snd.nxt, 0);
    s->snd.una = s->snd.nxt;
}

static void reach(struct scene *s, enum state state)
{
    struct pl_tcp_status st;
    s->snd.una = s->iss, s->snd.nxt = s->iss + 1;
    s->rcv.nxt = s->irs, s->rcv.wnd = 4096;
    if (state == LISTEN || state == RCVD_PASSIVE)
        assert_int_equal(pl_set(s->d.s[0], duo_listen(&s->d, 0, OURS, 0), PL_OPT_ISN, s->iss), PL_OK);
    if (state == RCVD_PASSIVE || state == RCVD_ACTIVE) {
        if (state == RCVD_ACTIVE)
            connect_out(s);
        give(s, PL_SYN, s->irs, 0, 0);
        s->rcv.wnd = take(s).wnd;
        s->rcv.nxt++;
    }
    if (state == SYN_SENT)
        connect_out(s);
    if (state < ESTAB)
        return;
    establish(s);
    if (state == CLOSE_WAIT || state == LAST_ACK)
        peer_finishes(s, s->snd.una);
    if (state == FIN_WAIT_1 || state == FIN_WAIT_2 || state == CLOSING || state == LAST_ACK || state == TIME_WAIT)
        finish(s);
    if (state == FIN_WAIT_2 || state == TIME_WAIT)
        all_acked(s);
    if (state == CLOSING || state == TIME_WAIT)
        peer_finishes(s, s->snd.una);
    assert_int_equal(pl_status(s->d.s[0], s->conn, &st, sizeof st), PL_OK);
    assert_int_equal(st.rcv.nxt, s->rcv.nxt);
    assert_int_equal(st.snd.nxt, s->snd.nxt);
    assert_int_equal(st.snd.una, s->snd.una);
    s->rcv.wnd = st.rcv.wnd;
}

static struct forged make(const struct scene *s, enum kind kind)
{
    uint32_t seq = s->rcv.nxt, una = s->snd.una, nxt = s->snd.nxt, edge = s->rcv.nxt + s->rcv.wnd;
    switch (kind) {
    case SYN: return segment(s, PL_SYN, seq, 0, 0);
    case SYN_AGAIN: return segment(s, PL_SYN, s->irs, 0, 0);
    case SYN_FIN: return segment(s, PL_SYN | PL_FIN, seq, 0, 0);
    case SYN_ACK: return segment(s, PL_SYN | PL_ACK, seq, nxt, 0);
    case SYN_ACK_AGAIN: return segment(s, PL_SYN | PL_ACK, s->irs, nxt, 0);
    case ACK: return segment(s, PL_ACK, seq, nxt, 0);
    case ACK_NOTHING: return segment(s, PL_ACK, seq, una, 0);
    case ACK_OLD: return segment(s, PL_ACK, seq, una - 1, 0);
    case ACK_TOO_OLD: return segment(s, PL_ACK, seq, una - 65537, 0);
    case ACK_BEYOND: return segment(s, PL_ACK, seq, nxt + 1, 0);
    case RST_EXACT: return segment(s, PL_RST | PL_ACK, seq, nxt, 0);
    case RST_NO_ACK: return segment(s, PL_RST, seq, 0, 0);
    case RST_INSIDE: return segment(s, PL_RST | PL_ACK, seq + 1, nxt, 0);
    case RST_LEFT: return segment(s, PL_RST | PL_ACK, seq - 1, nxt, 0);
    case RST_RIGHT_EDGE: return segment(s, PL_RST | PL_ACK, edge, nxt, 0);
    case FIN: return segment(s, PL_FIN | PL_ACK, seq, una, 0);
    case FIN_AND_ACK: return segment(s, PL_FIN | PL_ACK, seq, nxt, 0);
    case FIN_AGAIN: return segment(s, PL_FIN | PL_ACK, seq - 1, una, 0);
    case TEXT: return segment(s, PL_ACK | PL_PSH, seq, una, 10);
    case TEXT_AND_ACK: return segment(s, PL_ACK | PL_PSH, seq, nxt, 10);
    case TEXT_OLD: return segment(s, PL_ACK | PL_PSH, seq - 10, una, 10);
    case TEXT_OVERLAPPING: return segment(s, PL_ACK | PL_PSH, seq - 5, una, 10);
    case TEXT_AHEAD: return segment(s, PL_ACK | PL_PSH, seq + 1, una, 10);
    case TEXT_BEYOND: return segment(s, PL_ACK | PL_PSH, edge, una, 10);
    case NO_FLAGS: return segment(s, 0, seq, 0, 0);
    default: return segment(s, 0xff, seq, nxt, 0);
    }
}

/* The state that the one record of the stack is in. */
static enum state state_now(const struct scene *s, enum state before)
{
    static const enum state of[PL_STATE_COUNT] = {CLOSED, LISTEN, SYN_SENT, RCVD_ACTIVE, ESTAB, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT};
    uint32_t counts[PL_STATE_COUNT];
    pl_states(s->d.s[0], counts);
    enum state is = counts[PL_LISTEN] ? LISTEN : CLOSED;
    for (unsigned n = PL_SYN_SENT; n < PL_STATE_COUNT; n++)
        if (counts[n])
            is = of[n];
    return is == RCVD_ACTIVE && (before == LISTEN || before == RCVD_PASSIVE) ? RCVD_PASSIVE : is;
}

static enum pl_drop one_drop(const struct pl_counters *before, const struct pl_counters *after)
{
    enum pl_drop which = PL_DROP_NONE;
    for (unsigned n = 1; n < PL_DROP_COUNT; n++)
        for (uint64_t k = before->drops[n]; k < after->drops[n]; k++) {
            assert_int_equal(which, PL_DROP_NONE);   /* one segment, one reason */
            which = (enum pl_drop)n;
        }
    return which;
}

static bool reply_right(const struct scene *s, const struct row *row, const struct forged *in, bool any, const struct forged *out)
{
    uint32_t len = (uint32_t)in->text_bytes + (in->flags & PL_SYN ? 1 : 0) + (in->flags & PL_FIN ? 1 : 0);
    uint32_t nxt = s->rcv.nxt + row->took;
    if (row->reply == NOTHING || !any)
        return any == (row->reply != NOTHING);
    if (out->text_bytes || out->src.port != OURS || out->dst.port != THEIRS)
        return false;
    switch (row->reply) {
    case AN_ACK: return out->flags == PL_ACK && out->seq == s->snd.nxt && out->ack == nxt;
    case A_SYN_ACK: return out->flags == (PL_SYN | PL_ACK) && out->seq == s->iss && out->ack == nxt;
    case RST_OF_ACK: return out->flags == PL_RST && out->seq == in->ack;
    default: return out->flags == (PL_RST | PL_ACK) && out->seq == 0 && out->ack == in->seq + len;
    }
}

static void play(enum state state, enum kind kind, const struct row *row, bool ipv6, uint32_t iss, uint32_t irs)
{
    struct scene s = {.ipv6 = ipv6, .iss = iss, .irs = irs};
    struct pl_counters before, after;
    struct forged out = {.seq = 0}, more;
    duo_init(&s.d, NULL, false);
    reach(&s, state);
    assert_int_equal(state_now(&s, state), state);
    struct forged in = make(&s, kind);
    pl_counters(s.d.s[0], &before, sizeof before);
    duo_give_segment(&s.d, 0, &in);
    pl_counters(s.d.s[0], &after, sizeof after);
    enum pl_drop drop = one_drop(&before, &after);
    enum state next = row->next == SAME ? state : row->next, is = state_now(&s, state);
    bool any = duo_take_segment(&s.d, 0, &out), right = reply_right(&s, row, &in, any, &out);
    bool twice = duo_take_segment(&s.d, 0, &more);
    if (is != next || drop != row->drop || !right || twice)
        print_error("%s, %s (IPv%c, ISS %u, IRS %u): state %s, expected %s; drop %s, expected %s; %s%s: flags %02x seq %u ack %u\n    RFC 9293 %s\n",
                    state_names[state], kind_names[kind], ipv6 ? '6' : '4', iss, irs, state_names[is], state_names[next], pl_drop_name(drop),
                    pl_drop_name(row->drop), any ? "replied" : "no reply", right ? "" : " (wrong)", out.flags, out.seq, out.ack, row->rule);
    assert_true(is == next && drop == row->drop && right && !twice);
    duo_free(&s.d);
}

static const struct row *row_of(enum state state, enum kind kind)
{
    const struct row *found = NULL;
    for (unsigned n = 0; n < COUNT_OF(table); n++)
        if ((table[n].states & S(state)) && (table[n].kinds & K(kind))) {
            if (found)
                print_error("%s, %s stands in two rows\n", state_names[state], kind_names[kind]);
            assert_null(found);
            found = &table[n];
        }
    if (!found)
        print_error("%s, %s stands in no row\n", state_names[state], kind_names[kind]);
    assert_non_null(found);
    return found;
}

static void every_pair_stands_in_exactly_one_row(void **state)
{
    (void)state;
    for (unsigned s = 0; s < STATES; s++)
        for (unsigned k = 0; k < KINDS; k++)
            row_of((enum state)s, (enum kind)k);
}

static void play_all(enum state s, bool ipv6)
{
    static const uint32_t isns[][2] = {{1000, 5000}, {0xfffffff8, 0xffffffe8}, {0xffffffff, 0xffffffff}, {0, 0}, {0x7ffffff0, 0x7ffffff5}, {0xffffffee, 0x10}};
    for (unsigned k = 0; k < KINDS; k++)
        for (unsigned n = 0; n < COUNT_OF(isns); n++)
            play(s, (enum kind)k, row_of(s, (enum kind)k), ipv6, isns[n][0], isns[n][1]);
}

#define PLAY(state)                                                                                                                                   \
    static void state##_ip4(void **unused) { (void)unused, play_all(state, false); }                                                                  \
    static void state##_ip6(void **unused) { (void)unused, play_all(state, true); }
PLAY(CLOSED)
PLAY(LISTEN)
PLAY(SYN_SENT)
PLAY(RCVD_PASSIVE)
PLAY(RCVD_ACTIVE)
PLAY(ESTAB)
PLAY(FIN_WAIT_1)
PLAY(FIN_WAIT_2)
PLAY(CLOSE_WAIT)
PLAY(CLOSING)
PLAY(LAST_ACK)
PLAY(TIME_WAIT)

int main(void)
{
#define BOTH(state) cmocka_unit_test(state##_ip4), cmocka_unit_test(state##_ip6)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_stands_in_exactly_one_row),
        BOTH(CLOSED), BOTH(LISTEN), BOTH(SYN_SENT), BOTH(RCVD_PASSIVE), BOTH(RCVD_ACTIVE), BOTH(ESTAB),
        BOTH(FIN_WAIT_1), BOTH(FIN_WAIT_2), BOTH(CLOSE_WAIT), BOTH(CLOSING), BOTH(LAST_ACK), BOTH(TIME_WAIT),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
