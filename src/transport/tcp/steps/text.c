/* SPDX-License-Identifier: MIT
 *
 * text.c: RFC 9293 3.10.7.4 seventh: the text of a segment goes into the receive stream, each byte once and in order.
 *
 * Text in order is appended; text behind a gap is written in place further back, and the set of ranges in `gaps` says which bytes are
 * there. When the gap closes, RCV.NXT jumps over everything that had come early.
 */
#include "base/seq.h"
#include "transport/tcp/tcp.h"

enum what { APPEND, WRITE, COMPARE };

/* Text [off, off + n) of the segment, piece by piece, goes to the end of the stream, or to `at`, or is compared with what is there. Returns the bytes
 * that found room, or that are the same. */
static uint32_t each_piece(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, uint32_t off, uint32_t n, uint32_t at, enum what what)
{
    size_t skip = (size_t)seg->text_off + off;
    uint32_t done = 0;
    for (uint32_t i = 0; i < seg->nspans && done < n; i++) {
        const struct pl_span *s = &seg->spans[i];
        if (skip >= s->len) {
            skip -= s->len;
            continue;
        }
        uint32_t piece = s->len - skip < n - done ? (uint32_t)(s->len - skip) : n - done;
        const uint8_t *from = (const uint8_t *)s->base + skip;
        uint32_t took = piece;
        if (what == APPEND)
            took = stream_append(&x->pools->chunks, &c->rcv_stream, from, piece);
        else if (!(what == WRITE ? stream_write_at(&x->pools->chunks, &c->rcv_stream, at + done, from, piece)
                                 : stream_same(&x->pools->chunks, &c->rcv_stream, at + done, from, piece)))
            took = 0;
        done += took;
        skip = 0;
        if (took < piece)
            break;
    }
    return done;
}

/* RFC 9293 3.10.7.4 first: "If a segment's contents straddle the boundary between old and new, only the new parts are processed." */
static void trim(struct tcp *c, struct tcp_seg *seg)
{
    if (seq_lt(seg->seq, c->rcv.nxt)) {
        uint32_t old = c->rcv.nxt - seg->seq;
        if (old > seg->text)
            old = seg->text;
        seg->seq += old;
        seg->text -= old;
        seg->text_off += old;
    }
    uint32_t edge = c->rcv.nxt + c->rcv.wnd;
    if (seq_lt(seg->seq + seg->text, edge))
        return;
    seg->flags &= (uint8_t)~PL_FIN;       /* "trimming off any portions that lie outside the window (including SYN and FIN)" */
    seg->text = seq_gt(edge, seg->seq) ? edge - seg->seq : 0;
}

static inline void received(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, uint32_t n)
{
    tcp_rcvbuf_tune(x, c, seg, n);        /* before it is counted: it may be what follows a round trip */
    c->rcv.nxt += n;
    c->rcv.wnd = c->rcv.wnd > n ? c->rcv.wnd - n : 0;
    c->count.bytes_received += n;
    if (c->state != PL_SYN_RECEIVED)      /* text that came before ESTABLISHED is told then */
        x->news |= PL_EV_READABLE;
}

static enum pl_drop in_order(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    uint32_t n = each_piece(x, c, seg, 0, seg->text, 0, APPEND);
    if (n < seg->text) {
        seg->flags &= (uint8_t)~PL_FIN;
        x->starved = true;
    }
    if (n == 0) {                         /* the peer will repeat it; meanwhile it hears how far we are */
        tcp_owe_duplicate(x, c, PL_WHY_ACK_NOW);
        return PL_DROP_TCP_NO_CHUNK;
    }
    received(x, c, seg, n);
    bool full_or_pushed = (seg->flags & PL_PSH) || n >= c->opt.mss;
    if (c->no_delack)
        delack_owe(&c->delack, PL_WHY_ACK_NOW);
    else if (delack_text(&c->delack, seg->segs, full_or_pushed) && !c->timers.at[TIMER_DELACK])
        timers_set(&c->timers, TIMER_DELACK, x->now + x->config->delayed_ack);    /* SHLD-18; MUST-40: less than 0.5 s */
    return PL_DROP_NONE;
}

/* Writes those parts of the segment that are not there yet (the first data for a byte wins, threats V36). */
static bool write_missing(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, struct ranges *gaps)
{
    uint32_t from = seg->seq, end = seg->seq + seg->text;
    struct range gap;
    while (seq_lt(from, end) && ranges_gap(gaps, from, end, &gap)) {
        uint32_t n = gap.hi - gap.lo;
        if (each_piece(x, c, seg, gap.lo - seg->seq, n, c->rcv_stream.len + (gap.lo - c->rcv.nxt), WRITE) < n)
            return false;
        from = gap.hi;
    }
    return true;
}

/* How far a segment may reach: a loss leaves gaps of some segments, so much is believed, and as much as has come already, in order or not. Else some
 * lone bytes, step by step or at the far end of the window, would take every chunk in front of them (threats V35). */
static bool reaches_too_far(const struct tcp_ctx *x, const struct tcp *c, const struct tcp_seg *seg)
{
    enum { FAR = 64 << 10 };
    uint32_t reach = seg->seq - c->rcv.nxt + seg->text;
    uint32_t end = c->rcv_stream.head_off + c->rcv_stream.len + reach;
    uint32_t chunks = (end + x->pools->chunks.chunk_bytes - 1) >> x->pools->chunks.shift, more = chunks > c->rcv_stream.count ? chunks - c->rcv_stream.count : 0;
    uint64_t believed = (uint64_t)FAR + c->count.bytes_received;
    if (more && reach > believed) {       /* counted only for a segment that would take a chunk and is far out */
        const struct ranges *gaps = tcp_gaps(x, c);
        for (uint32_t i = 0; gaps && i < gaps->count; i++)
            believed += 2 * (uint64_t)(gaps->at[i].hi - gaps->at[i].lo);
        if (reach > believed + 2 * (uint64_t)seg->text)
            return true;
    }
    /* Text behind a gap takes nothing of the last chunks: an eighth of the pool, and what connections keep for themselves. */
    return chunks_spare(&x->pools->chunks) < more + x->pools->chunks.capacity / 8 + 2;
}

/* Text behind a gap: SHLD-31: kept, and never let go while a SACK reports it: RFC 2018 8-b. */
static enum pl_drop ahead(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    struct range merged = {0, 0};
    if (reaches_too_far(x, c, seg))
        return PL_DROP_TCP_NO_CHUNK;
    if (!tcp_gaps_take(x, c))
        return PL_DROP_TCP_TOO_MANY_GAPS;
    if (!ranges_takes(tcp_gaps(x, c), seg->seq, seg->seq + seg->text))           /* before it takes chunks */
        return PL_DROP_TCP_TOO_MANY_GAPS;
    if (!write_missing(x, c, seg, tcp_gaps(x, c)))
        return PL_DROP_TCP_NO_CHUNK;
    (void)ranges_add(tcp_gaps(x, c), seg->seq, seg->seq + seg->text, &merged);
    ooo_arrived(tcp_ooo(x, c), merged);
    return PL_DROP_NONE;
}

/* Text in order, with text behind a gap waiting: RCV.NXT moves over whatever it joins. It needs no place in the set, which may be full. */
static enum pl_drop fills_gap(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    struct ranges *gaps = tcp_gaps(x, c);
    if (!write_missing(x, c, seg, gaps)) {
        tcp_shed_early_text(x, c);        /* no memory: what came early makes room for what is in order */
        return in_order(x, c, seg);
    }
    uint32_t n = ranges_pop_front(gaps, seg->seq + seg->text) - c->rcv.nxt;
    stream_extend(&c->rcv_stream, n);
    received(x, c, seg, n);
    c->delack.now = 0;                    /* one ACK of the new RCV.NXT says it all */
    delack_owe(&c->delack, PL_WHY_ACK_GAP_FILLED);
    return PL_DROP_NONE;
}

/* Bytes [lo, hi) of the segment are in the stream already: the first ones stay, but that others came is counted (threats V36). */
static bool same(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg, uint32_t lo, uint32_t hi)
{
    uint32_t unread = c->rcv.nxt - c->rcv_stream.len;
    lo = seq_max(lo, unread);
    return !seq_lt(lo, hi) || each_piece(x, c, seg, lo - seg->seq, hi - lo, lo - unread, COMPARE) == hi - lo;
}

static void compare_overlaps(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    uint32_t end = seg->seq + seg->text, at = seg->seq;
    struct range part;
    bool equal = !seq_lt(at, c->rcv.nxt) || same(x, c, seg, at, seq_min(end, c->rcv.nxt));
    for (; equal && tcp_has_gaps(x, c) && ranges_overlap(tcp_gaps(x, c), at, end, &part); at = part.hi)
        equal = same(x, c, seg, part.lo, part.hi);
    x->counters->overlaps_differing += !equal;
}

/* RFC 2883 4.2: of a segment that holds several parts that were there already, the first is told. False: there was none, or it will not be told. */
static bool tell_first_duplicate(struct tcp_ctx *x, struct tcp *c, uint32_t begin, const struct tcp_seg *seg)
{
    struct range part;
    if (seq_lt(begin, seg->seq))          /* what `trim` cut off */
        return tcp_came_twice(x, c, begin, seg->seq);
    return ranges_overlap(tcp_gaps(x, c), seg->seq, seg->seq + seg->text, &part) && tcp_came_twice(x, c, part.lo, part.hi);
}

/* RFC 9293 3.10.7.4 sixth, 3.8.5: "If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal to the user that the remote side has urgent data if
 * the urgent pointer (RCV.UP) is in advance of the data consumed." MUST-31, 32: told whenever the pointer advances. The pointer names a sequence number,
 * which may lie beyond this segment; nothing is ever indexed by it (threats V37, V38). */
void text_sixth_urgent(struct tcp_ctx *x, struct tcp *c, const struct tcp_seg *seg)
{
    if (!(seg->flags & PL_URG) || seg->up == 0 || c->fin_received || c->state < PL_ESTABLISHED)
        return;
    uint32_t up = seg->seq + seg->up, consumed = c->rcv.nxt - c->rcv_stream.len;
    if (!seq_gt(up, consumed) || (c->urgent_in && !seq_gt(up, c->rcv.up)))
        return;
    c->rcv.up = up;
    c->urgent_in = true;
    x->news |= PL_EV_URGENT;
}

enum pl_drop text_seventh(struct tcp_ctx *x, struct tcp *c, struct tcp_seg *seg)
{
    if (seg->text == 0)
        return PL_DROP_NONE;
    /* CLOSE-WAIT, CLOSING, LAST-ACK, TIME-WAIT: "This should not occur since a FIN has been received from the remote side. Ignore the segment text." */
    if (c->fin_received)
        return PL_DROP_TCP_AFTER_FIN;
    uint32_t begin = seg->seq;
    if (c->gaps || seq_lt(begin, c->rcv.nxt))
        compare_overlaps(x, c, seg);
    trim(c, seg);
    bool told = (c->gaps || begin != seg->seq) && tell_first_duplicate(x, c, begin, seg);
    if (seg->text == 0) {
        if (!told)
            tcp_owe_duplicate(x, c, PL_WHY_ACK_DUPLICATE);
        return PL_DROP_NONE;
    }
    /* RFC 9293 3.6.1, SHLD-3: text for a program that has closed: tell the peer that it was not taken. */
    if (c->orphan) {
        tcp_owe_reset(x, c, PL_WHY_RST_DATA_AFTER_CLOSE);
        tcp_die(x, c, PL_ECONNABORTED, PL_WHY_CALL_ABORT);
        return PL_DROP_TCP_DATA_AFTER_CLOSE;
    }
    if (seg->seq == c->rcv.nxt && !tcp_has_gaps(x, c))
        return in_order(x, c, seg);
    enum pl_drop drop;
    if (seg->seq == c->rcv.nxt) {
        drop = fills_gap(x, c, seg);
    } else {
        drop = ahead(x, c, seg);
        if (!told)                        /* MAY-13, RFC 5681 4.2, RFC 2018 4-d: at once, for text out of order */
            tcp_owe_duplicate(x, c, PL_WHY_ACK_OUT_OF_ORDER);
    }
    tcp_gaps_forget(x, c);
    return drop;
}
