/* SPDX-License-Identifier: MIT
 *
 * info.c: the fields of Linux's struct tcp_info by name. The system's newer header has them all, and cannot be read beside the C library's.
 */
#include "drill/constants.h"

#include <linux/tcp.h>
#include <string.h>

struct field {
    const char *name;
    size_t at, bytes;
};
#define F(name) {#name, offsetof(struct tcp_info, name), sizeof((struct tcp_info *)0)->name}
static const struct field fields[] = {
    F(tcpi_state), F(tcpi_ca_state), F(tcpi_retransmits), F(tcpi_probes), F(tcpi_backoff), F(tcpi_options), F(tcpi_rto), F(tcpi_ato), F(tcpi_snd_mss), F(tcpi_rcv_mss),
    F(tcpi_unacked), F(tcpi_sacked), F(tcpi_lost), F(tcpi_retrans), F(tcpi_fackets), F(tcpi_last_data_sent), F(tcpi_last_ack_sent), F(tcpi_last_data_recv), F(tcpi_last_ack_recv),
    F(tcpi_pmtu), F(tcpi_rcv_ssthresh), F(tcpi_rtt), F(tcpi_rttvar), F(tcpi_snd_ssthresh), F(tcpi_snd_cwnd), F(tcpi_advmss), F(tcpi_reordering), F(tcpi_rcv_rtt), F(tcpi_rcv_space),
    F(tcpi_total_retrans), F(tcpi_pacing_rate), F(tcpi_max_pacing_rate), F(tcpi_bytes_acked), F(tcpi_bytes_received), F(tcpi_segs_out), F(tcpi_segs_in), F(tcpi_notsent_bytes),
    F(tcpi_min_rtt), F(tcpi_data_segs_in), F(tcpi_data_segs_out), F(tcpi_delivery_rate), F(tcpi_busy_time), F(tcpi_rwnd_limited), F(tcpi_sndbuf_limited), F(tcpi_delivered),
    F(tcpi_delivered_ce), F(tcpi_bytes_sent), F(tcpi_bytes_retrans), F(tcpi_dsack_dups), F(tcpi_reord_seen), F(tcpi_rcv_ooopack), F(tcpi_snd_wnd),
};

bool drill_info(const char *name, const void *info, size_t bytes, double *value)
{
    int64_t number;
    const struct tcp_info *i = info;
    if (bytes >= offsetof(struct tcp_info, tcpi_rto)) {       /* the fields that are parts of a byte */
        if (strcmp(name, "tcpi_snd_wscale") == 0)
            return *value = i->tcpi_snd_wscale, true;
        if (strcmp(name, "tcpi_rcv_wscale") == 0)
            return *value = i->tcpi_rcv_wscale, true;
        if (strcmp(name, "tcpi_delivery_rate_app_limited") == 0)
            return *value = i->tcpi_delivery_rate_app_limited, true;
    }
    for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++)
        if (strcmp(fields[k].name, name) == 0) {
            uint64_t v = 0;
            if (fields[k].at + fields[k].bytes > bytes)
                return false;
            memcpy(&v, (const uint8_t *)info + fields[k].at, fields[k].bytes);      /* the machine's byte order: little-endian, as the field's own */
            *value = (double)v;
            return true;
        }
    if (!drill_constant(name, &number))
        return false;
    *value = (double)number;
    return true;
}
