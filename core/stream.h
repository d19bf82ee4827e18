/* SPDX-License-Identifier: MIT */
#ifndef PONI_STREAM_H
#define PONI_STREAM_H

/*
 * core/stream.h - a descriptor, its home, and who is at it.
 *
 * Its home is the seat whose reactor keeps it registered: the first that had to
 * wait on it. A stream holds its home's runtime, so that the seat stays memory;
 * when that runtime has stopped the home counts for nothing, and the next that
 * has to wait takes its place.
 */

#include "io.h"
#include "pons/stream.h"

enum stream_phase { STREAM_OPEN, STREAM_CLOSING };

enum stream_kind { STREAM_SOCKET, STREAM_OTHER };

struct pons_stream {
    /* Set once. */
    int fd;
    uint16_t kind;         // enum stream_kind
    uint16_t ahead_is_fds; // under the lock: see there
    uint64_t epoch;        // of the process that made it (P10)
    int64_t refs;          // who keeps the struct: core/stream.c

    uint32_t lock;  // guards all below
    uint32_t phase; // enum stream_phase
    struct poni_seat *home;
    struct stream_way {
        struct pons_op *current; // TURN to ENDED_RECALLED
        struct pons_op *queue;   // QUEUED, oldest first, by op.next
    } way[2];                    // reading, writing
    struct pons_op *polls;       // IO_POLLS in course, by op.core[1]
    struct pons_waker closer;    // woken when the last op has ended
    uint64_t begun;              // ops that somebody else has ended, or will

    /* Bytes that were read and given back: read first (core/line.c). Line
     * readers have reserved the room to give all of theirs back. Or connections
     * of a listener, an int each (core/multishot.c): ahead_is_fds. */
    char *ahead;
    size_t ahead_at, ahead_end, ahead_cap, ahead_reserved;
};

/* -EOWNERDEAD with the sentence in a forked child, else 0. Before the lock: who
 * held it may not be here. */
int poni_stream_check(const struct pons_stream *s);

/* Under the lock: room to give back `size` bytes, beside all that others have
 * reserved: in ahead_reserved until the caller takes it off. 0 or -ENOMEM. */
int poni_stream_reserve_ahead(struct pons_stream *s, size_t size);

/* Under the lock: `bytes`, for which there is room, come first from now on. */
void poni_stream_give_back(struct pons_stream *s, const char *bytes, size_t n);

/* Moves up to `size` of the bytes ahead to `buffer`. Under the lock. */
size_t poni_stream_take_ahead(struct pons_stream *s, void *buffer, size_t size);

/* The same for a RECVMSG. 1: op->res holds; 0: it is not about those bytes. */
int poni_stream_take_message(struct pons_stream *s, struct pons_op *op);

/* A stream of `fd`, which is as it should be. NULL: no memory. */
struct pons_stream *poni_stream_new(int fd, enum stream_kind kind);

/*
 * Any thread. While there are refs the struct stays, closed or not. An op is
 * one, too: it may be ended by another, and the stream closed, while its poller
 * is about to take the lock. It is counted in `begun`, under the lock that is
 * held anyway, and given up by its poller. poni_stream_leave() gives up the
 * stream's own, at its end.
 */
void poni_stream_ref(struct pons_stream *s);
void poni_stream_unref(struct pons_stream *s);
void poni_stream_leave(struct pons_stream *s);

/* The home, if it still counts. Under the lock. */
struct poni_seat *poni_stream_home(struct pons_stream *s);

#endif /* PONI_STREAM_H */
