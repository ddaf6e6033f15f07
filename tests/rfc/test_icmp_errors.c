/* SPDX-License-Identifier: MIT
 *
 * RFC 9293 3.9.2.2: ICMP errors about segments of an open connection.
 */
#include "rfc/peer.h"

#include "base/checksum.h"
#include "internet/ip4.h"
#include "internet/ip6.h"
#include "wire/icmp4_hdr.h"

/* An error from the peer's address that quotes `quoted`, a frame of ours. Returns its length. */
static size_t error_about(uint8_t *to, const uint8_t *quoted, const struct pl_endpoint *from, const struct pl_endpoint *us, uint8_t type, uint8_t code)
{
    bool six = quoted[0] >> 4 == 6;
    size_t at = six ? 40 : 20, quote = at + 8, n = 8 + quote;
    struct wire_icmp h = {.type = type, .code = code};
    wire_icmp_write(to + at, &h);
    memcpy(to + at + 8, quoted, quote);
    uint32_t sum = csum_bytes(to + at, n, 0);
    if (six) {
        sum = csum_add(sum, csum_pseudo(from->addr.b, us->addr.b, WIRE_PROTO_ICMP6, (uint32_t)n));
        ip6_write(to, &(struct ip6_out){.local = from->addr.b, .remote = us->addr.b, .protocol = WIRE_PROTO_ICMP6, .hop_limit = 64,
                                        .payload_bytes = (uint32_t)n});
    } else {
        ip4_write(to, &(struct ip4_out){.local = from->addr.b, .remote = us->addr.b, .protocol = WIRE_PROTO_ICMP4, .hop_limit = 64,
                                        .payload_bytes = (uint32_t)n});
    }
    csum_store(to + at + 2, sum, false);
    return at + n;
}

/* MUST-54, MUST-56, SHLD-25, MUST-47: told to the program of the connection that is quoted, and of no other; nobody aborts; progress ends the trouble. */
static void a_soft_error_is_told_to_its_connection_and_aborts_nothing(void **state)
{
    static const struct {
        uint8_t type, code;
        int error;
    } four[] = {{3, 0, PL_ENETUNREACH}, {3, 1, PL_EHOSTUNREACH}, {3, 5, PL_EHOSTUNREACH}, {11, 0, PL_EHOSTUNREACH}, {11, 1, PL_EHOSTUNREACH},
                {12, 0, PL_EHOSTUNREACH}},
      six[] = {{1, 0, PL_ENETUNREACH}, {1, 3, PL_EHOSTUNREACH}, {3, 0, PL_EHOSTUNREACH}, {3, 1, PL_EHOSTUNREACH}, {4, 0, PL_EHOSTUNREACH},
               {4, 2, PL_EHOSTUNREACH}};
    for (unsigned i = 0; i < COUNT_OF(four); i++) {
        uint8_t type = SIX(state) ? six[i].type : four[i].type, code = SIX(state) ? six[i].code : four[i].code;
        struct peer p;
        struct pl_tcp_status st;
        uint8_t frame[DUO_FRAME_BYTES], error[DUO_FRAME_BYTES];
        peer_open(&p, state, NULL, 0);
        pl_conn other = duo_connect(&p.d, 0, SIX(state), 81);
        assert_int_equal(peer_hears_all(&p, NULL), 1);
        assert_int_equal(pl_send(p.d.s[0], p.c, "text", 4), 4);
        size_t n = duo_take(&p.d, 0, frame);
        assert_true(n > 0);
        st = peer_status(&p);
        n = error_about(error, frame, &st.remote, &st.local, type, code);
        duo_drain_events(&p.d);
        duo_give(&p.d, 0, error, n);
        assert_true(pl_ready(p.d.s[0], p.c) != 0);
        assert_true(duo_events(&p.d, 0, p.c) & PL_EV_ERROR);
        st = peer_status(&p);
        assert_int_equal(st.state, PL_ESTABLISHED);
        assert_int_equal(st.error, 0);
        assert_int_equal(st.soft_error, SIX(state) ? six[i].error : four[i].error);
        assert_int_equal(pl_status(p.d.s[0], other, &st, sizeof st), PL_OK);
        assert_int_equal(st.soft_error, 0);
        assert_int_equal(st.state, PL_SYN_SENT);
        peer_acks(&p, p.iss + 5);
        assert_int_equal(peer_status(&p).soft_error, 0);
        assert_int_equal(pl_send(p.d.s[0], p.c, "more", 4), 4);
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_soft_error_is_told_to_its_connection_and_aborts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
