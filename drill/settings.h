/* SPDX-License-Identifier: MIT
 *
 * settings.h: the config of a stack by name: "rto_min=200ms", "msl=1s", "sack=0", and what Linux's sysctl calls the same: "net.ipv4.tcp_sack=0". Also
 * "isn=4294967000": the first sequence number of every connection, which is no part of a config.
 */
#ifndef DRILL_SETTINGS_H
#define DRILL_SETTINGS_H

#include <parley/parley.h>

struct drill_config {
    struct pl_config stack;
    bool isn_fixed;                       /* for sock_params */
    uint32_t isn;
};

/* Sets a field of the config. A time has a unit (ns, us, ms, s) or is seconds, as with sysctl; a size may end with K, M or G (1024s).
 * False: error says what is wrong with it. */
bool drill_setting(struct drill_config *, const char *name, const char *value, char *error, size_t error_size);
/* A list "name=value,name=value". */
bool drill_settings(struct drill_config *, const char *list, char *error, size_t error_size);
/* A shell line of a script: settings made with sysctl or "parley NAME=VALUE ..."; everything else is refused. */
bool drill_shell(struct drill_config *, const char *line, char *error, size_t error_size);

#endif
