/* SPDX-License-Identifier: MIT */
#ifndef PONS_CALL_H
#define PONS_CALL_H

/*
 * pons/call.h - what the futures of single system calls have in common: those
 * of pons/file.h, pons/process.h, and pons_socket.
 *
 * A reactor does the call, if it can; else the blocking pool, but for a read of
 * what is in memory, which is made at once. On an ordinary thread it is the
 * plain system call, unless a deadline of the caller bounds it. The result is
 * the same, 0 or a count or -errno: `pons explain -v` says who does which.
 *
 * Ownership   Paths, buffers and tables are borrowed until the call returned or
 *             the future ended.
 *
 * Threads     Any thread, any task.
 *
 * Failure     The errno of the system call. -ECANCELED when cancelled before it
 *             began, and then nothing was done. One that is running in the
 *             kernel or on the pool goes on, is waited for, and its result is
 *             the result: no descriptor is lost. Where the pool is asked, also
 *             what its policy says: -EBUSY (refused), -EAGAIN (the system gave
 *             no thread). -EDEADLK inside poll().
 */

#include "bridge.h"
#include "future.h"
#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All fields are Pons's. */
struct pons_call {
    struct pons_op op;
    struct pons_job job; /* where no reactor does it */
    struct pons_waker waker;
    void *place; /* the seat, pool or wait that has it */
    uint32_t lock;
    uint32_t opcode; /* that was asked for */
    uintptr_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_call) == 264, "ABI: pons_call");

/* The future form of a call: its base.result is what the calling form returns.
 */
#define PONS_CALL_FUTURE(name)   \
    struct name {                \
        struct pons_future base; \
        struct pons_call call;   \
    }

#ifdef __cplusplus
}
#endif
#endif /* PONS_CALL_H */
