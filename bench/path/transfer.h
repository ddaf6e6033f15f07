/* SPDX-License-Identifier: MIT
 *
 * transfer.h: one bulk transfer over the path, in namespaces of its own.
 *
 *     sender's kernel -- TUN -- link of the simulation -- TUN -- receiver's kernel
 *
 * The process that calls is the relay, reads and writes the kernels' sockets, and, in one of the two places, is parley: then that TUN and kernel are missing, and
 * the stack's frames go straight to the link. No offload anywhere: packets of 1500 bytes.
 */
#ifndef BENCH_PATH_TRANSFER_H
#define BENCH_PATH_TRANSFER_H

#include <parley/types.h>

enum transfer_who { KERNEL_TO_KERNEL, PARLEY_TO_KERNEL, KERNEL_TO_PARLEY };

struct transfer_params {
    enum transfer_who who;
    const char *control;                  /* congestion control of the sender, by the kernel's name */
    uint64_t rate;                        /* bits per second */
    pl_time rtt;
    uint32_t loss;                        /* per million, of the sender's frames; those of one seed are lost by their number, whoever sends them */
    uint64_t seed;
    pl_time warm_up, measured;
    const char *keep;                     /* files of this name: .pcapng, what the link saw; .tsv, the sender every 50 ms; .txt, what it counted. NULL: none */
};

struct transfer_result {
    char why[200];                        /* "": it went well */
    double mbit_s;                        /* of the receiving program, in the time that is measured */
    double late_ms[3];                    /* by how much frames left the link too late: the median, 99 %, the worst */
    uint64_t frames, lost, lost_full;     /* of the sender; of those: by chance, by the queue */
    uint64_t retransmits;
    uint64_t refused;                     /* frames that a TUN had no room for: the path was not what it should be */
};

/* Bytes of the link's queue: the product of rate and round trip, but 64 packets at least. */
uint64_t transfer_queue_bytes(const struct transfer_params *);
/* In a process that ends afterwards: descriptors and memory are left to its end. */
void transfer_play(const struct transfer_params *, struct transfer_result *);

#endif
