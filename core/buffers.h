/* SPDX-License-Identifier: MIT */
#ifndef PONI_BUFFERS_H
#define PONI_BUFFERS_H

/*
 * core/buffers.h - the buffers that a program is lent: a group for each seat
 * whose reactor lends (R10), made when it is first needed, and single ones of
 * the heap for whoever has no such group, or finds it empty.
 *
 *     free: the reactor's --> lent: its item is told, taken --> returned
 *
 * A buffer that another thread returns waits in `returned` until the owner of
 * the seat next comes by. The group outlives its seat for as long as one of its
 * buffers is out.
 */

#include "seat.h"

enum {
    BUFFERS = 64,         // in a seat's group, where its engine has no option
    BUFFER_BYTES = 16384, // of each, likewise; and of one of the heap
    BUFFERS_AHEAD = 16,   // lent to one multishot and not taken, likewise
};

/* A buffer that is out, with what is in it. */
struct poni_buffer {
    struct poni_buffer *next;
    struct poni_buffers *of; // NULL: of the heap, the data behind it
    char *data;
    uint32_t size;
    uint32_t number;
};

/* The group of `s`; NULL: its reactor does not lend, or there is no memory. The
 * owner. */
struct poni_buffers *poni_buffers_of(struct poni_seat *s);

/* The owner: at how many of its results that nobody has taken a multishot of
 * `s` pauses. */
unsigned poni_buffers_ahead(const struct poni_seat *s);

/* The owner: the reactor has lent this one, with `size` bytes in it. */
struct poni_buffer *poni_buffers_lent(struct poni_seat *s, unsigned number,
                                      uint32_t size);

/* The owner: what others have returned goes back to the reactor. */
void poni_buffers_collect(struct poni_seat *s);

/* One of the heap, or NULL. */
struct poni_buffer *poni_buffer_new(uint32_t size);

/* Any thread: nobody uses its bytes any more. */
void poni_buffer_return(struct poni_buffer *item);

/* The reactor of `s` has been closed. */
void poni_buffers_close(struct poni_seat *s);

#endif /* PONI_BUFFERS_H */
