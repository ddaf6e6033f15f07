/* SPDX-License-Identifier: MIT
 *
 * random.h: secrets from the system, for pl_config.seed.
 */
#ifndef OS_HOST_RANDOM_H
#define OS_HOST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills n bytes from the kernel's random source, waiting for it right after boot if need be. False: this system has none. */
bool host_random(void *bytes, size_t n);

#endif
