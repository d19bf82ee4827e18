/* SPDX-License-Identifier: MIT */
#ifndef PONI_OPCODE_H
#define PONI_OPCODE_H

/*
 * core/opcode.h - what each opcode is called, and how the core does it where a
 * reactor does not.
 */

#include "pons/reactor.h"

enum poni_way {
    WAY_WAITS,   // for others: is tried, and waits for readiness (poni_op_try)
    WAY_AT_ONCE, // ends at once: is called where it is
    WAY_BLOCKS,  // ends by itself, some time: is called on the pool
};

/* "openat". Never NULL. */
const char *poni_opcode_name(unsigned opcode);

struct pons_runtime;

/*
 * Who does the i-th operation that a program can ask for, in `rt`, into `who`:
 * "epoll", "the pool elastic". Returns its name: there are more of these than
 * opcodes, as pread. NULL: that was the last.
 */
const char *poni_operation_explain(const struct pons_runtime *rt, unsigned i,
                                   char *who, size_t size);

/* READ, WRITE and their kin have two ways: at an offset they block. */
enum poni_way poni_op_way(const struct pons_op *op);

/* Makes the system call of an op that does not WAIT and returns what it said, 0
 * or a count or -errno. May block. Any thread. Keeps errno. */
int32_t poni_op_call(const struct pons_op *op);

/* A READ at an offset, without waiting for the disk. 1: it did all that was
 * asked, op->res holds; 0: nothing is known. Keeps errno. */
int poni_op_read_cached(struct pons_op *op);

/* Whether `r` says that it does the opcode. What was there before opcodes could
 * be missing is asked for in any case. */
static inline int
poni_reactor_has(const struct pons_reactor *r, unsigned opcode)
{
    return opcode <= PONS_OP_POLL ||
           (r->opcodes[opcode / 64] >> opcode % 64 & 1) != 0;
}

/* The same of an op: reading and writing at an offset is a capability. */
static inline int
poni_reactor_does(const struct pons_reactor *r, const struct pons_op *op)
{
    if ((op->opcode == PONS_OP_READ || op->opcode == PONS_OP_WRITE) &&
        op->offset != PONS_AT_POSITION && !(r->caps & PONS_REACTOR_FILES))
        return 0;
    return poni_reactor_has(r, op->opcode);
}

#endif /* PONI_OPCODE_H */
