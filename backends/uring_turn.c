/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_turn.c - one poll(): into the ring, into the kernel, and out
 * of the ring.
 *
 * The trap is what passes unseen between two looks: so the bell is watched
 * before anything else is, and whatever is not the kernel's yet keeps poll()
 * from sleeping.
 *
 * A ring whose descriptor somebody watches (`nested`) is readable when it has
 * completions, and tells of nothing else: so poll() does not return 0 before
 * all is the kernel's, and what is to be done later has an alarm in the ring.
 * With owner=strict an eventfd is watched instead, which the kernel writes to,
 * and poll() empties when it has taken all. What comes of a write to another
 * eventfd, as the bell is, the kernel tells there a while later, when it may
 * long have been taken; and once only (seen with Linux 6.18), until the eventfd
 * is registered anew.
 */

#include "uring.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    SECOND_NS = 1000000000,
    MOMENT_NS = 1000000, // where the kernel has no memory for more
    YEAR_BITS = 55,      // 2^55 ns are a year; the kernel cannot add 2^63
};

/* --- into the ring --- */

static void
fill_bell(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (u->bell_rings || (sqe = uring_next_entry(&u->ring)) == NULL)
        return;
    io_uring_prep_poll_multishot(sqe, u->bell, POLLIN);
    sqe->user_data = uring_bell(u);
    u->bell_rings = 1;
}

static void
fill_move(struct uring *u)
{
    if (u->moves_owed && poni_uring_fill_move(u))
        u->moves_owed = 0;
}

static void
fill_cancels(struct uring *u)
{
    while (u->cancels.first != NULL) {
        struct io_uring_sqe *sqe = uring_next_entry(&u->ring);

        if (sqe == NULL)
            return;
        poni_uring_fill_cancel(sqe, uring_pop(&u->cancels));
    }
}

static void
fill_queued(struct uring *u)
{
    while (u->queued.first != NULL) {
        struct io_uring_sqe *sqe = uring_next_entry(&u->ring);

        if (sqe == NULL)
            return;
        poni_uring_put(u, sqe, uring_pop(&u->queued));
    }
}

static void
fill_later(struct uring *u)
{
    struct pons_op *op;

    if (u->later.first == NULL || u->host->now(u->host) < u->later_ns)
        return;
    while ((op = uring_pop(&u->later)) != NULL)
        if (op->backend[0] == URING_DOUBTS)
            poni_uring_ask_cancel(u, op);
        else
            poni_uring_ask(u, op);
}

/* The kernel copies the time when it takes the entry. */
static void
fill_alarm(struct uring *u)
{
    struct io_uring_sqe *sqe;

    if (!u->nested || u->alarm_set || u->later.first == NULL ||
        (sqe = uring_next_entry(&u->ring)) == NULL)
        return;
    u->alarm.tv_sec = (int64_t)(u->later_ns / SECOND_NS);
    u->alarm.tv_nsec = (long long)(u->later_ns % SECOND_NS);
    io_uring_prep_timeout(sqe, &u->alarm, 0, IORING_TIMEOUT_ABS);
    sqe->user_data = URING_ALARM;
    u->alarm_set = 1;
}

/* The bell first: without it a wake could be missed. Cancels before ops: they
 * must not wait for what they are to end. */
static void
turn_fill(struct uring *u)
{
    fill_move(u);
    fill_bell(u);
    fill_later(u);
    fill_alarm(u);
    fill_cancels(u);
    fill_queued(u);
}

/* --- out of it --- */

static void
take_bell(struct uring *u, uint64_t which, int32_t res, unsigned flags)
{
    if (flags & IORING_CQE_F_MORE || which != uring_bell(u))
        return;
    u->bell_rings = 0;
    if (res >= 0 || res == -ECANCELED)
        return;
    u->host->log(u->host, PONS_LOG_ERROR, "uring",
                 "the eventfd of wake() can be watched no more: %s",
                 strerror(-res));
    u->broken = res;
}

/* What one completion says. 1: *ev is an event. */
static int
take_one(struct uring *u, const struct io_uring_cqe *cqe, struct pons_event *ev)
{
    uint64_t who = cqe->user_data;
    struct pons_op *op = (struct pons_op *)(uintptr_t)(who & ~(uint64_t)1);

    if (who == URING_BELL || who == URING_BELL_TOO)
        take_bell(u, who, cqe->res, cqe->flags);
    if (who == URING_ALARM)
        u->alarm_set = 0;
    if (who < URING_SPECIAL)
        return 0;
    if (who & URING_CANCEL)
        return poni_uring_cancel_told(u, op, cqe->res, ev);
    return poni_uring_told(u, op, cqe->res, cqe->flags, ev);
}

/* What does not fit stays in the ring. */
static int
turn_take(struct uring *u, struct pons_event *events, unsigned cap)
{
    const struct io_uring_cq *cq = &u->ring.io.cq;
    unsigned head = *cq->khead, n = 0;
    struct pons_op *op;

    while (n < cap && (op = uring_pop(&u->finished)) != NULL)
        events[n++] = (struct pons_event){
            .op = op, .res = op->res, .flags = op->event_flags};
    /* Pairs with the kernel's release: the completion is written. */
    while (n < cap && head != io_uring_smp_load_acquire(cq->ktail)) {
        n += (unsigned)take_one(u, &cq->cqes[head & cq->ring_mask], &events[n]);
        head++;
    }
    /* Pairs with the kernel's acquire: they have been read. */
    io_uring_smp_store_release(cq->khead, head);
    return (int)n;
}

/* --- given up: the kernel takes nothing any more --- */

static void
last_ends(struct uring *u, struct pons_op *op, int32_t res)
{
    op->res = res;
    op->event_flags = 0;
    op->backend[0] = URING_FINISHED;
    uring_push(&u->finished, op);
}

/* What an entry that the kernel did not take was for. */
static void
last_of_entry(struct uring *u, uint64_t who)
{
    struct pons_op *op = (struct pons_op *)(uintptr_t)(who & ~(uint64_t)1);

    if (who < URING_SPECIAL)
        return;
    if (!(who & URING_CANCEL)) {
        if (op->backend[0] == URING_ASKS)
            uring_unlink(&u->cancels, op);
        last_ends(u, op, -ECANCELED);
    } else if (op->backend[0] == URING_OUTLIVED) {
        last_ends(u, op, op->res);
    } else if (op->backend[0] == URING_ASKED) {
        op->backend[0] = URING_TOLD; // but the kernel was not
    }
}

static void
last_fill(struct uring *u)
{
    struct io_uring_sq *sq = &u->ring.io.sq;
    unsigned head = sq->sqe_tail - uring_unsubmitted(&u->ring);
    struct pons_op *op;

    for (unsigned i = head; i != sq->sqe_tail; i++)
        last_of_entry(u, sq->sqes[i & sq->ring_mask].user_data);
    sq->sqe_tail = head;
    while ((op = uring_pop(&u->cancels)) != NULL)
        op->backend[0] = URING_TOLD;
    while ((op = uring_pop(&u->queued)) != NULL)
        last_ends(u, op, -ECANCELED);
    while ((op = uring_pop(&u->later)) != NULL)
        if (op->backend[0] == URING_DOUBTS)
            op->backend[0] = URING_TOLD;
        else
            last_ends(u, op, -ECANCELED);
}

/* What it has not begun ends; what it has, when the kernel says so. */
static int
turn_last(struct uring *u, struct pons_event *events, unsigned cap)
{
    int n;

    last_fill(u);
    n = turn_take(u, events, cap);
    last_fill(u); // what is to be asked again will not be
    if (n == 0)
        n = turn_take(u, events, cap);
    return n > 0 ? n : u->broken;
}

/* --- poll --- */

static int
turn_must_not_wait(const struct uring *u, uint64_t deadline_ns)
{
    return deadline_ns == 0 || u->finished.first != NULL ||
           u->queued.first != NULL || u->cancels.first != NULL ||
           uring_has_completions(&u->ring) ||
           __atomic_load_n(&u->rung, __ATOMIC_RELAXED) != 0;
}

/* How long the kernel may wait. Nothing will report what is in u->later. */
static uint64_t
turn_left_ns(const struct uring *u, uint64_t deadline_ns)
{
    const uint64_t most = UINT64_C(1) << YEAR_BITS;
    uint64_t now;

    if (u->later.first != NULL && u->later_ns < deadline_ns)
        deadline_ns = u->later_ns;
    if (deadline_ns == PONS_NEVER)
        return PONS_NEVER;
    now = u->host->now(u->host);
    if (deadline_ns <= now)
        return 0;
    return deadline_ns - now < most ? deadline_ns - now : most;
}

/* Errors that pass: a signal, the time, a backlog of completions, no memory for
 * more at once (then it waits a moment for some to end). */
static int
turn_entered(struct uring *u, int n)
{
    switch (n) {
    case -EINTR:
    case -ETIME:
        return 0;
    case -EBUSY:
    case -EAGAIN:
    case -ENOMEM:
        u->overflows++;
        n = poni_uring_ring_enter(&u->ring, 0, !uring_has_completions(&u->ring),
                                  MOMENT_NS);
        return n == -EINTR || n == -ETIME || n == -EBUSY ? 0 : n;
    default:
        break;
    }
    if (n >= 0)
        return 0;
    u->host->log(u->host, PONS_LOG_ERROR, "uring",
                 "io_uring_enter: %s: the ring is given up", strerror(-n));
    u->broken = n;
    return n;
}

/* At most one system call, if there is reason for one. */
static int
turn_enter(struct uring *u, uint64_t deadline_ns)
{
    unsigned submit = uring_unsubmitted(&u->ring), wait = 0;
    unsigned flags = IO_URING_READ_ONCE(*u->ring.io.sq.kflags);
    uint64_t left = 0;

    if (!turn_must_not_wait(u, deadline_ns)) {
        left = turn_left_ns(u, deadline_ns);
        wait = left > 0;
    }
    if (flags & IORING_SQ_CQ_OVERFLOW)
        u->overflows++;
    if (submit == 0 && wait == 0 &&
        !(flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)))
        return 0;
    u->enters++;
    return turn_entered(u, poni_uring_ring_enter(&u->ring, submit, wait, left));
}

/* Whether there was a wake; answers it. Pairs with wake(): what the waker
 * wrote before is visible after. */
static int
turn_rung(struct uring *u)
{
    return __atomic_load_n(&u->rung, __ATOMIC_RELAXED) != 0 &&
           __atomic_exchange_n(&u->rung, 0, __ATOMIC_SEQ_CST) != 0;
}

static int
turn_is_late(const struct uring *u, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && u->host->now(u->host) >= deadline_ns);
}

/* Whether the ring was too small, and is emptier than it was: then poll() goes
 * on, whatever its deadline, for what is to come later has been asked now. */
static int
turn_has_backlog(const struct uring *u, unsigned unsubmitted)
{
    return (u->queued.first != NULL || u->cancels.first != NULL) &&
           uring_unsubmitted(&u->ring) < unsubmitted;
}

/* Whether there is what nobody who watches the ring would hear of. */
static int
turn_is_unseen(const struct uring *u)
{
    return u->nested && (uring_unsubmitted(&u->ring) > 0 ||
                         u->queued.first != NULL || u->cancels.first != NULL ||
                         (u->later.first != NULL && !u->alarm_set));
}

/* So that it tells of the next write to an eventfd, too. */
static void
turn_renews_herald(struct uring *u)
{
    int err = poni_uring_register(&u->ring, IORING_UNREGISTER_EVENTFD, NULL, 0);

    if (err == 0)
        err = poni_uring_register(&u->ring, IORING_REGISTER_EVENTFD, &u->herald,
                                  1);
    if (err == 0)
        return;
    u->host->log(u->host, PONS_LOG_ERROR, "uring",
                 "the ring's eventfd cannot be registered anew: %s",
                 strerror(-err));
    u->broken = err;
}

/* Nothing is left to take: empties what is watched. 1: it may have told of more
 * meanwhile. */
static int
turn_hushes(struct uring *u)
{
    uint64_t times;

    if (u->herald < 0 || read(u->herald, &times, sizeof times) < 0)
        return 0;
    turn_renews_herald(u);
    return 1;
}

int
poni_uring_turn(struct uring *u, struct pons_event *events, unsigned cap,
                uint64_t deadline_ns)
{
    unsigned unsubmitted;
    int n;

    do {
        if (u->broken < 0)
            return turn_last(u, events, cap);
        turn_fill(u);
        unsubmitted = uring_unsubmitted(&u->ring);
        n = turn_enter(u, deadline_ns);
        if (n < 0)
            return turn_last(u, events, cap);
        n = turn_take(u, events, cap);
    } while (n == 0 && (turn_has_backlog(u, unsubmitted) || turn_is_unseen(u) ||
                        turn_hushes(u) ||
                        (!turn_rung(u) && !turn_is_late(u, deadline_ns))));
    return n;
}
