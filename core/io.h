/* SPDX-License-Identifier: MIT */
#ifndef PONI_IO_H
#define PONI_IO_H

/*
 * core/io.h - one operation on a stream: from its future to a reactor and back.
 *
 *   state            where it is                        left by
 *   NEW              nowhere                            first poll
 *   QUEUED           behind another, in its direction   its turn, cancel, close
 *   TURN             nobody has it; it may start        next poll
 *   STARTING         its poll is starting it            that poll
 *   POSTED           inbox of the stream's home         the home seat
 *   INFLIGHT         its reactor                        the event
 *   RECALLED         its reactor; a cancel is in the    the event, or the inbox
 *                    home's inbox
 *   ENDED_RECALLED   ended, but still in that inbox     the inbox
 *   LISTED           the wait of an ordinary thread     that thread's next poll
 *   ENDED            nowhere                            -
 *
 * A call of several parts (IO_HOLDS) keeps its direction's turn while its op is
 * NEW or ENDED, too, until it lets go; a multishot does, or a close ends it.
 *
 * All but NEW and ENDED are entered and left under the stream's lock; ENDED is
 * stored with release, after the waker and the result have been dealt with, and
 * then the struct may be gone.
 */

#include "pons/stream.h"
#include "self.h"

enum io_state {
    IO_NEW,
    IO_QUEUED,
    IO_TURN,
    IO_STARTING,
    IO_POSTED,
    IO_INFLIGHT,
    IO_RECALLED,
    IO_ENDED_RECALLED,
    IO_LISTED,
    IO_ENDED,
    IO_FORGET, // not an operation: a stream asks its home to forget it
};

/* op.flags */
enum {
    IO_ASKED = 1u << 0,  // its poller has cancelled it
    IO_POLLS = 1u << 1,  // waits for readiness: does not queue
    IO_WRITES = 1u << 2, // which direction
    IO_HOLDS = 1u << 4,  // one part of a longer call: its end keeps the turn
    IO_HOLDS_SHORT = 1u << 5, // the same if it went well, but not all of it
    IO_COUNTED = 1u << 7,     // in the stream's `begun`
};

/* io.reserved, the poller's: the call has just said that it would block. */
enum { IO_TRIED = 1 };

enum {
    IO_LEN_MAX = 0x7ffff000, // what one system call moves on Linux
};

/* op.user: whose an op is. The owner of its seat reads it without a lock. */
enum io_user {
    USER_STREAM,  // an operation on a stream: here
    USER_INSTEAD, // the same, which waits by a POLL: core/instead.h
    USER_MULTI,   // the same, which tells more than once: core/multishot.h
    USER_SEND_ZC, // the same, which counts before it ends: core/send_zc.h
    USER_CALL,    // no stream's: core/call.h
    USER_WATCH,   // the same, which waits by a POLL
    USER_FILES,   // nobody's: the engine beside the reactor, core/files.h
};

static inline enum io_user
poni_op_user(const struct pons_op *op)
{
    return (enum io_user)(uintptr_t)op->user;
}

static inline void
poni_op_belongs(struct pons_op *op, enum io_user user)
{
    op->user = (void *)(uintptr_t)user;
}

/* Every struct of pons/stream.h that is one operation begins like this. */
struct poni_leaf {
    struct pons_future base;
    struct pons_io io;
};

/* Field by field: as one assignment gcc 12 makes it a string instruction, which
 * takes 10 ns where these take 2. */
static inline void
poni_op_clear(struct pons_op *op)
{
    op->next = NULL;
    op->opcode = op->state = 0;
    op->flags = 0;
    op->fd = op->res = 0;
    op->event_flags = 0;
    op->user = NULL;
    op->reactor = NULL;
    op->backend[0] = op->backend[1] = op->backend[2] = 0;
    op->addr = NULL;
    op->offset2 = op->offset = 0;
    op->len = op->op_flags = 0;
    op->buffer_group = op->buffer_index = 0;
    op->fd2 = 0;
    op->backend2 = 0;
    op->core[0] = op->core[1] = 0;
}

/* The ops table of such a future: poll, cancel, describe. */
extern const struct pons_future_ops poni_io_ops;

void poni_io_init(struct poni_leaf *leaf, struct pons_stream *s,
                  enum pons_opcode opcode, unsigned flags);
enum pons_poll poni_io_poll(struct pons_future *f, struct pons_waker *w);

/* Whether the end of `op`, with that result, keeps the turn. */
static inline int
poni_io_keeps_turn(const struct pons_op *op, int64_t res)
{
    if (op->flags & IO_HOLDS_SHORT)
        return res >= 0 && (res < (int64_t)op->len || op->len == IO_LEN_MAX);
    return (op->flags & IO_HOLDS) != 0;
}

/* Whether that of `leaf` has: then its call lets go of it. */
static inline int
poni_io_kept(const struct poni_leaf *leaf)
{
    return poni_io_keeps_turn(&leaf->io.op, leaf->base.result);
}

/* The longer call that `leaf` was the last part of has ended: passes the turn
 * on, if it has it. */
void poni_io_let_go(struct poni_leaf *leaf);

/* The owner: the op of `leaf`, in course, passes its turn on and stays in
 * course, as one that does not queue. */
void poni_io_pass(struct poni_leaf *leaf);
void poni_io_cancel(struct pons_future *f);

/* The stream closes: everything in course is asked to end, nothing new begins.
 * 1: nothing is in course; 0: `closer` is woken when that is so. */
int poni_stream_recall(struct pons_stream *s, const struct pons_waker *closer);

/* The home seat met a stream's request to be forgotten; core/stream.c. */
void poni_stream_forget_posted(struct poni_seat *s, struct pons_op *op);

/* The owner of the seat: an event of its reactor, an op from its inbox. */
void poni_io_event(struct poni_seat *s, struct pons_op *op, int32_t res,
                   uint32_t flags);
void poni_io_posted(struct poni_seat *s, struct pons_op *op);

/* The owner: the last event of an op of a stream. */
void poni_io_end_event(struct poni_seat *s, struct pons_op *op, int32_t res);

#endif /* PONI_IO_H */
