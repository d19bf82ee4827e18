/* SPDX-License-Identifier: MIT */
#ifndef PONI_URING_H
#define PONI_URING_H

/*
 * backends/uring.h - what the files of the reactor uring share.
 *
 *   uring.c         the tables; open, submit, cancel, wake, close
 *   uring_turn.c    poll
 *   uring_ring.c    the ring: made, entered, taken down
 *   uring_probe.c   what this kernel can do, found by trying; why it cannot
 *   uring_entry.c   an op as an entry of the ring
 *   uring_result.c  what the kernel says of an entry, as what R9 wants
 *   uring_cancel.c  an op's cancel, until the kernel has answered it
 *   uring_owner.c   which thread has it; the move to another one (R1)
 *   uring_aside.c   calls of our own, where an entry would not be right
 *   uring_buffers.c groups of buffers for RECV_MULTI
 *   uring_zero_copy.c  when a send is worth lending its buffer, and what came
 *
 * All is the owner's, but `rung`.
 */

#include "pons/reactor.h"

#include <liburing.h>

/* Younger than the oldest liburing that we are built with (2.3). */
#define URING_ENTER_NO_IOWAIT (1u << 7) // Linux 6.15
#define URING_FEAT_NO_IOWAIT  (1u << 17)
#define URING_RWF_NOSIGNAL    0x00000100 // Linux 6.18
#define URING_ZC_REPORT_USAGE (1u << 3)  // Linux 6.2
#define URING_ZC_COPIED       (1u << 31)
enum {
    URING_OP_WAITID = 50,           // Linux 6.7
    URING_OP_FIXED_FD_INSTALL = 54, // Linux 6.8
    URING_OP_FTRUNCATE = 55,        // Linux 6.9
    URING_OPS = 64,                 // bits of a probe
};

#define URING_NOBODY 0 // the number of no thread

/* --- the ring --- */

struct uring_ring {
    struct io_uring io;
    unsigned enter_flags;  // of every io_uring_enter(2)
    int index;             // as which the descriptor is registered, or -1
    uint64_t index_thread; // whose index that is
};

/* 0 or -errno. `flags` beside those that every ring has. */
int poni_uring_ring_open(struct uring_ring *r, unsigned entries, unsigned cq,
                         unsigned flags);
void poni_uring_ring_close(struct uring_ring *r);

/* In a forked child, which has no copy of the memory. */
void poni_uring_ring_forked(struct uring_ring *r);

/* io_uring_register(2); 0 or more, or -errno. */
int poni_uring_register(const struct uring_ring *r, unsigned what, void *arg,
                        unsigned count);

/*
 * Gives the kernel `submit` entries and waits for `wait` completions, `left_ns`
 * at the most (PONS_NEVER). How many entries were taken, or -errno.
 */
int poni_uring_ring_enter(struct uring_ring *r, unsigned submit, unsigned wait,
                          uint64_t left_ns);

/* An entry that is all zero; NULL: it is full. */
static inline struct io_uring_sqe *
uring_next_entry(struct uring_ring *r)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->io);

    if (sqe != NULL)
        __builtin_memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static inline unsigned
uring_unsubmitted(const struct uring_ring *r)
{
    return io_uring_sq_ready(&r->io);
}

static inline int
uring_is_full(const struct uring_ring *r)
{
    return io_uring_sq_space_left(&r->io) == 0;
}

static inline int
uring_has_completions(const struct uring_ring *r)
{
    return io_uring_cq_ready(&r->io) != 0;
}

/* --- ops --- */

/*
 * Where a pending op is; in op->backend[0].
 *
 *   submit --> QUEUED <--> RINGS --cancel--> ASKS --> ASKED --> TOLD
 *                |           |                 ^        |  |      |
 *                |      LATER, STILL           '-DOUBTS-'  |      |
 *                |           |                             |      |
 *              cancel      cancel          its end: OUTLIVED    its end
 *                v           v                             |      |
 *              FINISHED <----'                             v      v
 *                '----------------> its event <------------+------'
 *
 * An op is not told before the cancel that names it has been answered: or that
 * cancel could meet the next op in the same memory.
 */
enum uring_place {
    URING_QUEUED,   // u->queued: there was no room in the ring
    URING_LATER,    // u->later: asked again in a moment
    URING_STILL,    // u->still: nothing will ever end it but its cancel
    URING_RINGS,    // in the ring
    URING_ASKS,     // in the ring, and in u->cancels, whose turn is to come
    URING_ASKED,    // in the ring, and so is its cancel
    URING_TOLD,     // in the ring, and the kernel knows of the cancel
    URING_DOUBTS,   // in the ring, where the cancel did not find it; and in
                    // u->later
    URING_OUTLIVED, // has ended (op->res, event_flags); its cancel has not
    URING_FINISHED, // u->finished, which poll() tells first
};

/* What its entry does; in op->backend2. */
enum uring_step {
    URING_CALLS,      // what the op asks for
    URING_INSISTS,    // the same, where the kernel may wait (WRITE)
    URING_LENDS,      // the same, without a copy (SEND_ZC)
    URING_WORKS,      // the same, by a thread of the kernel's
    URING_WATCHES,    // polls, then the call again
    URING_WATCHES_TO, // the same for SPLICE's other end
    URING_HELPS,      // polls, then a call of our own
    URING_LOOKS_ON,   // POLL: a multishot one
    URING_SETTLES,    // POLL: that has told, op->res, and is taken back
    URING_LENT,       // SEND_ZC: that has told; its buffer comes back
    URING_REGRETS,    // SEND_ZC: that has failed, op->res; the same
};

/* op->backend[2]: of which move its entry is, how often it was ready and
 * would block all the same, and whether it is a CONNECT that was begun. */
#define URING_MOVE(op)  ((uint32_t)(op)->backend[2])
#define URING_ROUND     (UINT64_C(1) << 32)
#define URING_ROUNDS(x) ((x)->backend[2] >> 32 & 0xff)
#define URING_BEGUN     (UINT64_C(1) << 63)

/* Who an entry is of: an op, its cancel, or one of these. */
#define URING_CANCEL 1u // beside the op
enum {
    URING_BELL = 2,
    URING_MOVES = 4,
    URING_BELL_TOO = 6,
    URING_ALARM = 8,
    URING_SPECIAL = 16
};

/* By op->next and, backwards, op->backend[1]. */
struct uring_list {
    struct pons_op *first, *last;
};

static inline void
uring_push(struct uring_list *l, struct pons_op *op)
{
    op->next = NULL;
    op->backend[1] = (uintptr_t)l->last;
    if (l->last != NULL)
        l->last->next = op;
    else
        l->first = op;
    l->last = op;
}

static inline void
uring_unlink(struct uring_list *l, struct pons_op *op)
{
    struct pons_op *before = (struct pons_op *)(uintptr_t)op->backend[1];

    if (before != NULL)
        before->next = op->next;
    else
        l->first = op->next;
    if (op->next != NULL)
        op->next->backend[1] = op->backend[1];
    else
        l->last = before;
}

static inline struct pons_op *
uring_pop(struct uring_list *l)
{
    struct pons_op *op = l->first;

    if (op != NULL)
        uring_unlink(l, op);
    return op;
}

/* --- the reactor --- */

enum { URING_GROUPS = 64 };

struct uring_group {
    struct pons_buffers buffers; // count 0: there is none
    struct io_uring_buf_ring *ring;
    size_t ring_size;
    uint64_t *lent; // a bit per buffer
};

/* What the kernel can do. */
struct uring_can {
    uint64_t opcodes; // PONS_OP_...
    int nosignal;     // RWF_NOSIGNAL
    int registers;    // io_uring_register(2) is allowed
    int reports;      // whether a SEND_ZC was copied all the same
};

enum { URING_SKIPS = 512 };

struct uring_zero_copy {
    uint64_t at_least;          // bytes; what has fewer is sent plainly
    uint64_t lent, copied;      // for PONS_CONTROL_STATS
    uint8_t skips[URING_SKIPS]; // by descriptor: sends until the next try
};

/* buffers=, buffer_size=, ahead= */
struct uring_lending {
    uint32_t count, size; // a power of two; bytes
    uint16_t ahead;
};

struct uring {
    struct pons_reactor base;
    const struct pons_host *host;
    struct uring_can can;
    int strict;       // owner=strict
    int registers;    // registered=yes
    unsigned workers; // of io-wq; 0: the kernel's own number

    struct uring_ring ring;
    struct uring_list queued, later, still, cancels, finished;
    uint64_t later_ns; // when that is looked at
    int bell;          // the eventfd behind wake()
    int bell_rings;    // it is watched by the ring
    int broken;        // -errno; what poll() says from now on
    int nested;        // who watches its descriptor sleeps elsewhere
    int alarm_set;     // nested: in the ring, for later_ns
    struct __kernel_timespec alarm;
    int herald; // nested and strict: the eventfd that is watched; or -1

    uint64_t owner;  // the number of a thread
    uint32_t moves;  // to another owner, so far
    int moves_owed;  // the last one's cancel has no entry yet
    uint64_t enters; // for PONS_CONTROL_STATS, as are these
    uint64_t repeats, overflows;

    struct uring_group *groups; // URING_GROUPS, or NULL: none yet
    struct uring_lending lending;
    struct uring_zero_copy zero_copy;

    /* Any thread: a wake that poll() has not answered. On a line of its own,
     * since wakers write it. */
    __attribute__((aligned(64))) uint32_t rung;
};

/* The bell of the present owner: the one before may not have been taken out
 * yet, and nobody may wait for that. */
static inline uint64_t
uring_bell(const struct uring *u)
{
    return u->moves % 2 == 0 ? URING_BELL : URING_BELL_TOO;
}

static inline struct uring *
uring_self(struct pons_reactor *r)
{
    return pons_container_of(r, struct uring, base);
}

/* --- uring_probe.c --- */

/* What there is; `bell` is there to be written to. Or refuses, in words. */
int poni_uring_probe(struct uring_can *can, const struct pons_host *host,
                     int bell, struct pons_reason *reason);

/* The words for what io_uring_setup(2) said. */
int poni_uring_refuse(const struct pons_host *host, struct pons_reason *reason,
                      int err);

/* --- uring_entry.c --- */

/* Of the kernel's opcodes that there are (`ops`), what can be done of ours. */
uint64_t poni_uring_opcodes(uint64_t ops);

/* Fills an entry with what `op` does next. */
void poni_uring_fill(const struct uring *u, struct io_uring_sqe *sqe,
                     struct pons_op *op);

/* What poll(2) waits for when the call would block. */
unsigned poni_uring_events(const struct pons_op *op);

/* --- uring_turn.c --- */

/* What poll() does and says. */
int poni_uring_turn(struct uring *u, struct pons_event *events, unsigned cap,
                    uint64_t deadline_ns);

/* --- uring_result.c --- */

/* Puts `op` into the ring, or where it waits for that. */
void poni_uring_ask(struct uring *u, struct pons_op *op);

/* Into this entry. */
void poni_uring_put(struct uring *u, struct io_uring_sqe *sqe,
                    struct pons_op *op);

/* Into u->later, in one of its two places. */
void poni_uring_postpone(struct uring *u, struct pons_op *op,
                         enum uring_place place);

/* What a completion says of `op`. 1: *ev is an event. */
int poni_uring_told(struct uring *u, struct pons_op *op, int32_t res,
                    unsigned flags, struct pons_event *ev);

/* --- uring_cancel.c --- */

void poni_uring_cancel(struct uring *u, struct pons_op *op);

/* In the ring: its cancel's turn is to come. */
void poni_uring_ask_cancel(struct uring *u, struct pons_op *op);

void poni_uring_fill_cancel(struct io_uring_sqe *sqe, struct pons_op *op);

/* What the kernel says of a cancel. 1: *ev is the event of its op. */
int poni_uring_cancel_told(struct uring *u, struct pons_op *op, int32_t res,
                           struct pons_event *ev);

/* The op's last word. 1: *ev; 0: its cancel has not been answered. */
int poni_uring_ends(struct uring *u, struct pons_op *op, int32_t res,
                    unsigned flags, struct pons_event *ev);

/* --- uring_owner.c --- */

/* The number of the thread that calls. */
uint64_t poni_uring_thread(void);
int poni_uring_bind(struct uring *u);

/* Takes everything out, in one entry. 0: there is no room for it yet. */
int poni_uring_fill_move(struct uring *u);

/* Takes back what the calling thread has there. */
void poni_uring_leave(struct uring *u);

/* Makes poni_uring_bind()'s kick possible, in this process. */
void poni_uring_prepare(void);

/* --- uring_aside.c --- */

/* Whether `op` is refused before it is asked: then *res is the result. */
int poni_uring_refused(struct uring *u, const struct pons_op *op, int32_t *res);

/* The call of a HELPS, once, without blocking. 1: it has ended, with *res. */
int poni_uring_help(const struct pons_op *op, int32_t *res);

/* How a WRITE is made to what knows no RWF_NOWAIT. */
enum uring_step poni_uring_instead(int fd);

/* --- uring_buffers.c --- */

int poni_uring_lend(struct uring *u, const struct pons_buffers *b);
int poni_uring_return(struct uring *u, const struct pons_lent_buffer *l);
int poni_uring_has_group(const struct uring *u, uint16_t group);

/* It goes to the core. */
void poni_uring_lent(struct uring *u, uint16_t group, uint16_t index);

/* It was taken for nothing. */
void poni_uring_not_lent(struct uring *u, uint16_t group, uint16_t index);
void poni_uring_free_groups(struct uring *u, int forked);

/* --- uring_zero_copy.c --- */

/* What a SEND_ZC does next: URING_LENDS, or a plain URING_CALLS. */
enum uring_step poni_uring_send_step(struct uring *u, const struct pons_op *op);

/* The completion before the last. 1: *ev is an event. */
int poni_uring_lent_told(struct uring *u, struct pons_op *op, int32_t res,
                         struct pons_event *ev);

/* The last one, which says in `res` whether there was a copy. */
void poni_uring_lent_back(struct uring *u, const struct pons_op *op,
                          int32_t res);

/* Whether a send without a copy has failed because it was one. Then it is sent
 * plainly, and so are the next ones. */
int poni_uring_lent_in_vain(const struct pons_op *op, int32_t res);
void poni_uring_send_plainly(struct uring *u, const struct pons_op *op);

#endif /* PONI_URING_H */
