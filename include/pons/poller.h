/* SPDX-License-Identifier: MIT */
#ifndef PONS_POLLER_H
#define PONS_POLLER_H

/*
 * pons/poller.h - the small contract: an engine that reports readiness.
 *
 * Five functions, and two for files if it likes. The core's readiness adapter
 * (core/adapter.c) makes a reactor of them: it tries the system call, asks the
 * poller only about what would block, and keeps all ops. Rules R1, R7, R8, R12
 * to R15 of pons/reactor.h hold here as they stand, with "ready" for "event",
 * and besides:
 *
 *   level   Without PONS_POLLER_EDGE a descriptor is reported by every wait()
 *           for as long as it is ready for what `want` names; control() with a
 *           smaller `want`, or 0, makes it quiet, errors and hang-ups included.
 *   edge    With PONS_POLLER_EDGE a report may come once per change; what was
 *           ready when control() added the descriptor is reported.
 *   error   An error or hang-up is reported as every wanted direction ready:
 *           the system call finds the errno.
 *   cookie  Is reported as it was given by the latest control(). Any value but
 *           UINT64_MAX, which a poller may keep for its own descriptors.
 *   wake    wait() that returns 0 before its deadline means a wake; signals do
 *           not end it. A wake may also end a wait() that fills something.
 *   files   With submit() and cancel() a poller does itself, of what is left to
 *           the blocking pool otherwise, what its `opcodes` name. It may use
 * the op's `next`, `backend[1]`, `backend[2]` and `backend2` until wait() has
 * reported it.
 *
 * Ownership   Descriptors are borrowed from control(want != 0) to control(0),
 *             ops from submit() to their report.
 */

#include "op.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pons_poller_caps {
    /* A report may come once per change. */
    PONS_POLLER_EDGE = 1u << 0,

    /* Deadlines finer than 1 ms are kept; R11: otherwise the adapter uses a
     * timerfd. */
    PONS_POLLER_NANOSECONDS = 1u << 1,

    /* bind() to another thread is not allowed. */
    PONS_POLLER_PINNED = 1u << 2,

    /* Reports PONS_ENDING: with EDGE, a short count then means empty, which
     * saves a system call per wait. */
    PONS_POLLER_ENDINGS = 1u << 3,

    /* Waits in the loop of a library, which allocates as it likes (R12) and
     * tells nobody when it makes another call than one that is refused (R15).
     * What it does is right all the same. */
    PONS_POLLER_WRAPS = 1u << 4,
};

/* Directions of control() and of a report. */
enum pons_direction {
    PONS_READABLE = 1u << 0,
    PONS_WRITABLE = 1u << 1,
    PONS_ENDING = 1u << 2, /* of a report, beside a direction: there is a
                              half-close, hang-up, error or urgent mark, so
                              that more can follow a short count */
    PONS_ENDED = 1u << 3,  /* of a report, alone: the cookie is the address of
                              an op of submit() that has ended; op->res holds */
};

struct pons_ready {
    uint64_t cookie;
    uint32_t ready; /* enum pons_direction; names a direction, or ENDED */
    uint32_t reserved;
};

PONS_STATIC_ASSERT(sizeof(struct pons_ready) == 16, "ABI: pons_ready");

/* The head of an engine's own struct, filled by open(). */
struct pons_poller {
    const struct pons_poller_ops *ops;
    uint64_t opcodes; /* 1 << each that submit() takes; 0: none. READ and WRITE,
                         which are those of files then, only together */
};

PONS_STATIC_ASSERT(sizeof(struct pons_poller) == 16, "ABI: pons_poller");

struct pons_poller_ops {
    uint32_t abi, size; /* PONS_ABI; of this struct */
    const char *name;
    uint32_t caps; /* enum pons_poller_caps */
    uint32_t reserved;

    /* Makes a poller, or a reason. Any thread. */
    int (*open)(struct pons_poller **out, const struct pons_config *config,
                const struct pons_host *host, struct pons_reason *reason);

    /* Nothing is watched any more. Any thread. Also in a forked child, where it
     * must leave the parent's watches alone. */
    void (*close)(struct pons_poller *p);

    /*
     * From watching `fd` for `had` to watching it for `want`, both sets of
     * directions; 0 is not watching. -EPERM: this kind of descriptor is always
     * ready (regular files). -EBADF: it is not open; a user may have closed it
     * while it was watched, and that has ended the watch. The owner.
     */
    int (*control)(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
                   unsigned want);

    /* How many were filled, or -errno: broken for good. The owner. */
    int (*wait)(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
                uint64_t deadline_ns);

    /* Any thread, any signal handler. */
    int (*wake)(struct pons_poller *p);

    /*
     * Optional, and only together; the owner. submit() is given those ops of
     * `opcodes` that end by themselves and answers as that of pons/reactor.h
     * does; cancel() is a request (R5).
     */
    int (*submit)(struct pons_poller *p, struct pons_op *op);
    void (*cancel)(struct pons_poller *p, struct pons_op *op);
};

#ifdef __cplusplus
}
#endif
#endif /* PONS_POLLER_H */
