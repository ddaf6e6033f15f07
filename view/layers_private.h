/* SPDX-License-Identifier: MIT
 *
 * layers_private.h: what layers.c (the bytes) and fields.c (their meaning) share.
 */
#ifndef VIEW_LAYERS_PRIVATE_H
#define VIEW_LAYERS_PRIVATE_H

#include "view/decode.h"
#include "view/layers.h"

/* fields.c: prints each field of that header. */
void fields_print(FILE *out, const struct view_frame *, const struct view_part *, const uint8_t *frame);

#endif
