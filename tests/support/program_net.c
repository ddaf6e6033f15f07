/* SPDX-License-Identifier: MIT */
#include "support/program_net.h"
#include "os/driver/tun.h"
#include "support/http_tree.h"

struct testnet program_net;
bool program_net_works;
char program_net_why[300];

void program_net_open(size_t large_bytes)
{
    struct pl_driver *d;
    tree_make();
    tree_file("small", "hello\n");
    tree_large_file("large", large_bytes);
    if (testnet_open(&program_net, 1, program_net_why, sizeof program_net_why) < 0) return;
    program_net_works = testnet_tun(&program_net, 0, &(struct tun_params){.up = true}, &d, program_net_why, sizeof program_net_why) == 0;
    if (program_net_works) d->ops->close(d);
}

void program_net_close(void)
{
    testnet_close(&program_net);
    tree_remove();
}
