/* SPDX-License-Identifier: MIT */
#ifndef PONI_CALL_H
#define PONI_CALL_H

/*
 * core/call.h - one system call as a future: from a reactor, the pool, or here.
 *
 *   state            where it is                        left by
 *   NEW              nowhere                            first poll
 *   JOB              the pool                           done(), on any thread
 *   INFLIGHT         its reactor                        the event
 *   RECALLED         its reactor; a cancel is in the    the event, or the inbox
 *                    seat's inbox
 *   ENDED_RECALLED   ended, but still in that inbox     the inbox
 *   LISTED           the wait of an ordinary thread     that thread's next poll
 *   AGAIN            nobody has it: for the pool        next poll
 *   ENDED            nowhere                            -
 *
 * All but NEW, JOB and LISTED are entered under the future's lock, and so is
 * the waker changed. From ENDED on, and the lock free, the struct may be gone.
 */

#include "pons/call.h"
#include "seat.h"

/* Every struct that is one call begins like this. */
struct poni_call {
    struct pons_future base;
    struct pons_call call;
};

enum poni_call_flags {
    CALL_CANCELS = 0,
    CALL_MASKED = 1u << 8, // it is made whatever happens
};

/* Makes `f`, the base of such a struct, the future of that call. Its op, to be
 * filled in. */
struct pons_op *poni_call_init(struct pons_future *f, enum pons_opcode opcode,
                               int fd, enum poni_call_flags flags);

/* The poll, cancel and describe of it. */
extern const struct pons_future_ops poni_call_ops;

/* The calling form: waits for `f`, just initialised, which pons_`name`() and
 * struct pons_`name` are. */
int64_t poni_call_await(struct pons_future *f, const char *name);

/* The owner of the seat: an event of its reactor, an op from its inbox. */
void poni_call_event(struct poni_seat *s, struct pons_op *op, int32_t res);
void poni_call_posted(struct poni_seat *s, struct pons_op *op);

/* --- waitid; core/process.c --- */

/* Looks, without waiting. 1: it ended, op->res holds. */
int poni_waitid_look(struct pons_op *op);

/* A descriptor of its own that is readable when it is worth another look; -1:
 * there is none such. */
int poni_waitid_open(const struct pons_op *op);

#endif /* PONI_CALL_H */
