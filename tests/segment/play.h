/* SPDX-License-Identifier: MIT
 *
 * play.h: one cell of the table: the segment is given to the stack, and all that follows from it is compared with the row.
 */
#ifndef SEGMENT_PLAY_H
#define SEGMENT_PLAY_H

#include "segment/scene.h"

/* NULL: as the row says; else what is different (static storage). */
const char *play(struct scene *, const struct table_kind *, const struct table_row *);

#endif
