/* SPDX-License-Identifier: MIT */
#ifndef PONS_REACTOR_H
#define PONS_REACTOR_H

/*
 * pons/reactor.h - what an I/O engine must provide. For authors of engines.
 *
 * A reactor completes operations for one seat. It runs no task, keeps no timer
 * and calls nobody: poll() fills an array. An engine that only knows readiness
 * implements the smaller contract of pons/poller.h, and the core makes a
 * reactor of it. These are the rules; `pons conform` tests any engine for them,
 * under the same numbers:
 *
 *   R1  owner     One reactor per seat; only its owner thread calls it, except
 *                 wake. While the owner is outside every function here, the
 *                 core may bind() it to another thread: ops then end within
 *                 50 ms while the old owner spins or sleeps interruptibly, and
 *                 without waking it for each. An engine that cannot declares
 *                 PONS_REACTOR_PINNED.
 *   R2  lifetime  From submit = PENDING until the last event (the one without
 *                 MORE; for zero-copy the notification) the op and all it
 *                 points to stay; the engine touches no op after its last event
 *                 or after DONE. DONE gives no event and sets op->res.
 *                 UNSUPPORTED only for ops that end by themselves (files,
 *                 names; pons/op.h has the table); every reactor does sockets,
 *                 pipes and POLL. An opcode whose bit is not in `opcodes` is
 *                 not asked for: so an engine may be older than an opcode.
 *                 SEND_ZC, a capability, may end in two steps: an event with
 *                 MORE has the count that was sent, as soon as it is known, and
 *                 the last, with 0, comes when nobody reads the buffer any
 *                 more: late, if the other side is. Or in one, as when it was
 *                 copied: the last event, or DONE, has the count, and always an
 *                 error. After the count a cancel changes nothing.
 *   R3  once      Exactly one last event per pending op, and none after it.
 *   R4  no fail   submit and cancel cannot fail: errors are results. A full
 *                 queue delays; it never drops an op or a cancel.
 *   R5  cancel    cancel is a request, and idempotent; the op's own event is
 *                 the only truth: its result, or -ECANCELED and then nothing
 *                 was consumed.
 *   R6  batched   With PONS_REACTOR_COMPLETION, submit makes no system call
 *                 while the queue has room; poll at most one unless a queue
 *                 overflowed. What R9 has to know of a descriptor and the
 *                 engine cannot tell (the mode of a listener, whether there
 *                 are offsets) may be looked at in submit.
 *   R7  poll      Fills an array and calls nobody; more than `cap` events stay
 *                 for the next call. Deadlines are absolute host time,
 *                 PONS_NEVER none; it returns 0 before its deadline only after
 *                 wake, and signals do not end it; deadline 0 never sleeps. A
 *                 poll whose deadline is over looks, too.
 *                 Who watches the pollable descriptor of an engine that has
 *                 one (PONS_CONTROL_POLLABLE_FD) need not sleep here: from a
 *                 poll that returned 0 to the next submit or cancel it is
 *                 readable as soon as there is an event or a wake, or the
 *                 engine has work of its own to do; polls that have nothing
 *                 more to tell make it unreadable.
 *   R8  wake      wake before or during poll makes it return; several may count
 *                 as one; none is lost; from a signal handler inside any
 *                 function here too, errno kept.
 *   R9  results   Those of the system call: short counts, 0 at the end, the
 *                 same errno. EAGAIN is never a result (MSG_DONTWAIT is
 *                 -EINVAL); a bad descriptor is a result. A descriptor that is
 *                 in blocking mode never blocks the owner; a listener in
 *                 blocking mode is -EINVAL with a sentence.
 *   R10 multishot ACCEPT_MULTI, RECV_MULTI and POLL_MULTI are capabilities, by
 *                 their bits in `opcodes`; the adapter has them. Each success
 *                 is an event with MORE; an error, RECV_MULTI's 0 (the end, or
 *                 an empty datagram) and -ECANCELED are the last; a success may
 *                 be the last, too, at any time: who wants more submits again.
 *                 Nothing is lost between two events or two ops, nor by a
 *                 cancel: what no event told stays in the kernel. RECV_MULTI
 *                 lends a buffer of its group with each success (BUFFER), taken
 *                 when there are bytes and not before; it is the core's until
 *                 PONS_CONTROL_RETURN. No buffer left ends the op with
 *                 -ENOBUFS, at once or in mid-stream; that is flow control:
 *                 nothing was consumed. MSG_PEEK, MSG_OOB and MSG_ERRQUEUE are
 *                 -EINVAL, as is a group that is not there. POLL_MULTI tells
 *                 what holds at first, and again whenever something new comes;
 *                 it may repeat itself, not without end.
 *   R11 timers    Are the core's: one deadline per poll, never early.
 *   R12 thrift    After warm-up no allocation per op (a wrapped library's is
 *                 declared), no callback into user code, no lock held while
 *                 waiting, no thread beyond those declared.
 *   R13 virtual   With PONS_REACTOR_VIRTUAL_TIME, time, randomness and memory
 *                 come from pons_host only: same host, same calls, same events.
 *   R14 close     Asked only of an empty reactor; within 1 s no descriptor,
 *                 memory, thread or process is left. forked() frees the child's
 *                 copies and disturbs no op of the parent.
 *   R15 refusal   EPERM by sysctl or seccomp, ENOSYS, ENOMEM by memlock are
 *                 reasons in words; features are found by trying; a fallback
 *                 while running is reported, to the host's log (a wrapped
 *                 library's is declared: PONS_POLLER_WRAPS).
 *
 * Ownership   Ops are borrowed between submit and their last event. Config and
 *             host are borrowed until close.
 */

#include "op.h"
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What submit answers. */
enum pons_submitted {
    PONS_SUBMIT_PENDING,     /* an event will come */
    PONS_SUBMIT_DONE,        /* ended; op->res holds; no event */
    PONS_SUBMIT_UNSUPPORTED, /* the core asks the blocking pool */
};

enum pons_event_flags {
    PONS_EVENT_MORE = 1u << 0,   /* not the last of this op */
    PONS_EVENT_BUFFER = 1u << 1, /* a buffer is lent: number flags >> 16 */
};

/* The number of the buffer that an event with BUFFER lends. */
#define PONS_EVENT_BUFFER_SHIFT 16

/* 16 bytes, like a completion-queue entry. */
struct pons_event {
    struct pons_op *op;
    int32_t res;
    uint32_t flags; /* enum pons_event_flags */
};

PONS_STATIC_ASSERT(sizeof(struct pons_event) == 16, "ABI: pons_event");

/* pons_reactor.caps */
enum pons_reactor_caps {
    PONS_REACTOR_COMPLETION = 1u << 0,   /* R6 */
    PONS_REACTOR_PINNED = 1u << 1,       /* R1 */
    PONS_REACTOR_VIRTUAL_TIME = 1u << 2, /* R13 */
    PONS_REACTOR_REGISTERS = 1u << 3,    /* keeps descriptors between ops: they
                                            have a home, and need forget() */
    PONS_REACTOR_FILES = 1u << 4,        /* READ and WRITE at an offset, too */
};

/* The head of an engine's own struct, filled by open(). */
struct pons_reactor {
    const struct pons_reactor_ops *ops;
    uint64_t caps;         /* enum pons_reactor_caps */
    uint64_t opcodes[2];   /* a bit per opcode that is done natively */
    uintptr_t reserved[2]; /* zero */
};

PONS_STATIC_ASSERT(sizeof(struct pons_reactor) == 48, "ABI: pons_reactor");

/* control(what, arg); -ENOTSUP for what the engine does not know. */
enum pons_reactor_control {
    PONS_CONTROL_POLLABLE_FD = 1, /* arg int *: a descriptor of the engine's, to
                                     be watched until close, never read; see R7.
                                     Asked for before bind, or by the owner,
                                     and only where it is used */
    PONS_CONTROL_STATS = 2,       /* arg FILE *: a line of its own figures */

    /* With RECV_MULTI: */
    PONS_CONTROL_LEND = 3,   /* arg struct pons_buffers *: a group to lend from,
                                until close; -EEXIST, -EINVAL, -ENOMEM, -ENOSPC:
                                no room for another group */
    PONS_CONTROL_RETURN = 4, /* arg struct pons_lent_buffer *: it may be lent
                                again; -EINVAL: it was not lent */
    PONS_CONTROL_LENDING = 5, /* arg struct pons_buffers *, but for base: what
                                 the core is about to lend. `size`, `count` and
                                 `ahead` become what the engine's own options
                                 ask for */
};

/* A group of buffers for RECV_MULTI. The memory is the core's, and stays until
 * the reactor has been closed. */
struct pons_buffers {
    void *base;     /* buffer i is at base + i * size */
    uint32_t size;  /* bytes of each, at least 1 */
    uint32_t count; /* a power of two, up to PONS_BUFFERS_MAX */
    uint16_t group; /* its number, from 0 */
    uint16_t ahead; /* of LENDING, else 0: so many of one op that nobody has
                       taken, and the core cancels it until they are */
    uint16_t reserved[2];
};

PONS_STATIC_ASSERT(sizeof(struct pons_buffers) == 24, "ABI: pons_buffers");

#define PONS_BUFFERS_MAX 32768u

struct pons_lent_buffer {
    uint16_t group, index;
};

PONS_STATIC_ASSERT(sizeof(struct pons_lent_buffer) == 4,
                   "ABI: pons_lent_buffer");

struct pons_reactor_ops {
    uint32_t abi, size; /* PONS_ABI; of this struct */
    const char *name;

    /* Makes a reactor, or a reason. Any thread; bind() follows. */
    int (*open)(struct pons_reactor **out, const struct pons_config *config,
                const struct pons_host *host, struct pons_reason *reason);

    /* The calling thread owns it from now on. 0 or -errno. */
    int (*bind)(struct pons_reactor *r);

    /* Empty: the core has drained it. Any thread. */
    void (*close)(struct pons_reactor *r);

    /* Optional. The owner, but for POLLABLE_FD. */
    int (*control)(struct pons_reactor *r, unsigned what, void *arg);

    /* Optional. The owner, before close(fd): no op of `fd` is pending. */
    int (*forget)(struct pons_reactor *r, int fd);

    /* Optional. In a forked child, instead of close; see R14. */
    void (*forked)(struct pons_reactor *r);

    /* The owner. enum pons_submitted. */
    int (*submit)(struct pons_reactor *r, struct pons_op *op);

    /* The owner; `op` is pending. */
    void (*cancel)(struct pons_reactor *r, struct pons_op *op);

    /* The owner. How many events were filled, or -errno: broken for good. What
     * it has not begun ends first, with -ECANCELED. */
    int (*poll)(struct pons_reactor *r, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns);

    /* Any thread, any signal handler, until close begins. */
    int (*wake)(struct pons_reactor *r);
};

PONS_STATIC_ASSERT(offsetof(struct pons_reactor_ops, wake) == 88,
                   "ABI: pons_reactor_ops");

#ifdef __cplusplus
}
#endif
#endif /* PONS_REACTOR_H */
