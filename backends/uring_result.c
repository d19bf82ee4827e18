/* SPDX-License-Identifier: MIT */
/*
 * backends/uring_result.c - what the kernel says of an entry, as what R9 wants.
 *
 * Most results are those of the system call and end the op. The others ask for
 * another entry, and the core sees nothing of it:
 *
 *   ECANCELED that nobody asked for   the move to another thread: once more
 *   EINTR                             a move, or a signal: once more
 *   EAGAIN                            a full socket, a non-blocking tty:
 * polled, then once more; with no end to that, later EOPNOTSUPP of a first
 * WRITE       a tty in blocking mode and its like: see backends/uring_aside.c
 *   events that a POLL did not name   POLLRDHUP is told always: that POLL looks
 *                                     on until something else comes
 *   EINVAL of a POLL                  a file, which is not what is asked for
 *
 * A CONNECT that is taken up again finds itself under way (EALREADY), or
 * connected.
 */

#include "uring.h"

#include <errno.h>
#include <poll.h>

enum {
    ROUNDS_MAX = 16, // of an op that is ready, and would block: then later
    LATER_NS = 1000000,
    ERESTARTSYS = 512, // the kernel's own; some operations let it out
    ERESTART_RESTARTBLOCK = 516,
};

/* Told of each descriptor, whatever is asked for. */
#define RESULT_ALWAYS (POLLERR | POLLHUP | POLLNVAL)

/* --- into the ring --- */

void
poni_uring_put(struct uring *u, struct io_uring_sqe *sqe, struct pons_op *op)
{
    op->backend[0] = URING_RINGS;
    op->backend[2] = (op->backend[2] & ~(uint64_t)UINT32_MAX) | u->moves;
    poni_uring_fill(u, sqe, op);
}

void
poni_uring_ask(struct uring *u, struct pons_op *op)
{
    struct io_uring_sqe *sqe = NULL;

    /* Not before the cancel of what the last owner had begun. */
    if (u->queued.first == NULL && !u->moves_owed)
        sqe = uring_next_entry(&u->ring);
    if (sqe == NULL) {
        op->backend[0] = URING_QUEUED;
        uring_push(&u->queued, op);
        return;
    }
    poni_uring_put(u, sqe, op);
}

void
poni_uring_postpone(struct uring *u, struct pons_op *op, enum uring_place place)
{
    if (u->later.first == NULL)
        u->later_ns = u->host->now(u->host) + LATER_NS;
    op->backend[0] = place;
    uring_push(&u->later, op);
}

static int
result_repeats(struct uring *u, struct pons_op *op, enum uring_step step)
{
    u->repeats++;
    op->backend2 = step;
    poni_uring_ask(u, op);
    return 0;
}

/* There is nothing that would tell when it is worth another try. */
static int
result_waits(struct uring *u, struct pons_op *op)
{
    op->backend2 = URING_CALLS;
    poni_uring_postpone(u, op, URING_LATER);
    return 0;
}

/* It is polled for what its descriptor, a file's, is not and never will be. */
static int
result_stays(struct uring *u, struct pons_op *op)
{
    op->backend[0] = URING_STILL;
    uring_push(&u->still, op);
    return 0;
}

/* --- one by one --- */

static int
result_was_asked(const struct pons_op *op)
{
    return op->backend[0] != URING_RINGS;
}

/* And no poll before it. */
static int
result_is_calls(const struct pons_op *op)
{
    return op->backend2 <= URING_WORKS;
}

static int
result_is_interrupt(int32_t res)
{
    return res == -EINTR ||
           (res <= -ERESTARTSYS && res >= -ERESTART_RESTARTBLOCK);
}

/* It was interrupted, or taken out, before it had done anything. */
static int
result_anew(struct uring *u, struct pons_op *op)
{
    if (op->opcode == PONS_OP_CONNECT)
        op->backend[2] |= URING_BEGUN;
    return result_repeats(u, op, (enum uring_step)op->backend2);
}

static int
result_would_block(struct uring *u, struct pons_op *op)
{
    if (op->opcode == PONS_OP_WRITE && op->backend2 == URING_CALLS &&
        op->offset == PONS_AT_POSITION)
        return result_repeats(u, op, URING_INSISTS);
    if (op->opcode == PONS_OP_CONNECT || URING_ROUNDS(op) == ROUNDS_MAX)
        return result_waits(u, op);
    op->backend[2] += URING_ROUND;
    return result_repeats(u, op, URING_WATCHES);
}

/* It may wait without a way to say so. What is in non-blocking mode will not:
 * that is tried here, for it may be in no state to be polled for. */
static int
result_not_supported(struct uring *u, struct pons_op *op, struct pons_event *ev)
{
    enum uring_step step = poni_uring_instead(op->fd);
    int32_t res;

    if (step == URING_HELPS && poni_uring_help(op, &res))
        return poni_uring_ends(u, op, res, 0, ev);
    return result_repeats(u, op, step);
}

/* A poll before a call has told. */
static int
result_watched(struct uring *u, struct pons_op *op, int32_t res,
               struct pons_event *ev)
{
    if (res < 0)
        return poni_uring_ends(u, op, res, 0, ev);
    if (op->backend2 == URING_HELPS) {
        if (poni_uring_help(op, &res))
            return poni_uring_ends(u, op, res, 0, ev);
        return result_repeats(u, op, URING_HELPS);
    }
    if (op->opcode == PONS_OP_SPLICE && op->backend2 == URING_WATCHES)
        return result_repeats(u, op, URING_WATCHES_TO);
    if (op->opcode == PONS_OP_SEND_ZC)
        return result_repeats(u, op, poni_uring_send_step(u, op));
    return result_repeats(u, op, URING_CALLS);
}

static int
result_of_poll(struct uring *u, struct pons_op *op, int32_t res,
               struct pons_event *ev)
{
    if (op->backend2 == URING_SETTLES)
        return poni_uring_ends(u, op, op->res, 0, ev);
    if (res >= 0) {
        res &= (int32_t)(poni_uring_events(op) | RESULT_ALWAYS);
        if (res == 0)
            return result_repeats(u, op, URING_LOOKS_ON);
    }
    return poni_uring_ends(u, op, res, 0, ev);
}

static int
result_of_connect(struct uring *u, struct pons_op *op, int32_t res,
                  struct pons_event *ev)
{
    if (res == -EISCONN && op->backend[2] & URING_BEGUN)
        res = 0;
    return poni_uring_ends(u, op, res, 0, ev);
}

static unsigned
result_buffer(unsigned flags)
{
    return flags >> IORING_CQE_BUFFER_SHIFT;
}

/* What a RECV_MULTI has for the core: 0 bytes, and errors, take no buffer. */
static unsigned
result_lends(struct uring *u, const struct pons_op *op, int32_t res,
             unsigned flags)
{
    if (!(flags & IORING_CQE_F_BUFFER))
        return 0;
    if (res <= 0) {
        poni_uring_not_lent(u, op->buffer_group,
                            (uint16_t)result_buffer(flags));
        return 0;
    }
    poni_uring_lent(u, op->buffer_group, (uint16_t)result_buffer(flags));
    return PONS_EVENT_BUFFER | result_buffer(flags) << PONS_EVENT_BUFFER_SHIFT;
}

static int
result_of_multishot(struct uring *u, struct pons_op *op, int32_t res,
                    unsigned flags, struct pons_event *ev)
{
    if (op->opcode == PONS_OP_RECV_MULTI)
        return poni_uring_ends(u, op, res, result_lends(u, op, res, flags), ev);
    if (op->opcode == PONS_OP_POLL_MULTI && res >= 0) {
        res &= (int32_t)(poni_uring_events(op) | RESULT_ALWAYS);
        if (res == 0)
            return result_repeats(u, op, URING_LOOKS_ON);
    }
    return poni_uring_ends(u, op, res, 0, ev);
}

/* --- the last of an entry, and those before --- */

static int
result_is_poll_only(const struct pons_op *op)
{
    return op->opcode == PONS_OP_POLL || op->opcode == PONS_OP_POLL_MULTI;
}

static int
result_is_of_kind(const struct pons_op *op, int32_t res)
{
    return res == -EOPNOTSUPP && op->opcode == PONS_OP_WRITE &&
           op->backend2 == URING_CALLS && op->offset == PONS_AT_POSITION;
}

static int
result_is_under_way(const struct pons_op *op, int32_t res)
{
    return res == -EALREADY && op->opcode == PONS_OP_CONNECT &&
           op->backend[2] & URING_BEGUN;
}

/* Nothing was done yet: a poll before the call, an interruption. */
static int
result_is_nothing(const struct pons_op *op, int32_t res)
{
    if (res == -EAGAIN || result_is_interrupt(res) ||
        result_is_of_kind(op, res) || result_is_under_way(op, res) ||
        poni_uring_lent_in_vain(op, res))
        return 1;
    if (result_is_calls(op) || op->backend2 == URING_SETTLES)
        return 0;
    if (result_is_poll_only(op))
        return res == -EINVAL ||
               (res >= 0 &&
                !(res & (int32_t)(poni_uring_events(op) | RESULT_ALWAYS)));
    return 1;
}

static int
result_ends_entry(struct uring *u, struct pons_op *op, int32_t res,
                  unsigned flags, struct pons_event *ev)
{
    if (op->opcode == PONS_OP_CLOSE && result_is_interrupt(res))
        res = 0; // it is closed
    if (result_was_asked(op) && result_is_nothing(op, res))
        return poni_uring_ends(u, op, -ECANCELED, 0, ev);
    if (op->backend2 == URING_SETTLES)
        return result_of_poll(u, op, res, ev);
    if (!result_was_asked(op) &&
        (result_is_interrupt(res) ||
         (res == -ECANCELED && URING_MOVE(op) != u->moves)))
        return result_anew(u, op);
    if (result_is_poll_only(op) && res == -EINVAL)
        return result_stays(u, op);
    if (op->opcode == PONS_OP_POLL)
        return result_of_poll(u, op, res, ev);
    if (op->opcode == PONS_OP_POLL_MULTI)
        return result_of_multishot(u, op, res, flags, ev);
    if (!result_is_calls(op))
        return result_watched(u, op, res, ev);
    if (res == -EAGAIN)
        return result_would_block(u, op);
    if (result_is_of_kind(op, res))
        return result_not_supported(u, op, ev);
    if (result_is_under_way(op, res))
        return result_repeats(u, op, URING_WATCHES);
    if (poni_uring_lent_in_vain(op, res)) {
        poni_uring_send_plainly(u, op);
        return result_repeats(u, op, URING_CALLS);
    }
    if (op->opcode == PONS_OP_CONNECT)
        return result_of_connect(u, op, res, ev);
    return result_of_multishot(u, op, res, flags, ev); // or of one shot
}

/* A POLL that looks on has seen what it was to see: it is taken back. */
static int
result_settles(struct uring *u, struct pons_op *op, int32_t res)
{
    res &= (int32_t)(poni_uring_events(op) | RESULT_ALWAYS);
    if (res <= 0 || op->backend2 == URING_SETTLES)
        return 0;
    op->res = res;
    op->backend2 = URING_SETTLES;
    if (!result_was_asked(op))
        poni_uring_ask_cancel(u, op);
    return 0;
}

/* Another completion of this entry will come. */
static int
result_more(struct uring *u, struct pons_op *op, int32_t res, unsigned flags,
            struct pons_event *ev)
{
    unsigned more = PONS_EVENT_MORE;

    if (op->opcode == PONS_OP_POLL)
        return result_settles(u, op, res);
    if (op->opcode == PONS_OP_SEND_ZC)
        return poni_uring_lent_told(u, op, res, ev);
    if (op->opcode == PONS_OP_POLL_MULTI)
        res &= (int32_t)(poni_uring_events(op) | RESULT_ALWAYS);
    if (op->opcode == PONS_OP_POLL_MULTI && res == 0)
        return 0;
    if (op->opcode == PONS_OP_RECV_MULTI)
        more |= result_lends(u, op, res, flags);
    *ev = (struct pons_event){.op = op, .res = res, .flags = more};
    return 1;
}

/* The buffer of a SEND_ZC is free. One that has failed is dealt with only now:
 * it may be sent again. */
static int
result_of_buffer(struct uring *u, struct pons_op *op, int32_t res,
                 struct pons_event *ev)
{
    if (op->backend2 == URING_REGRETS) {
        op->backend2 = URING_LENDS;
        return result_ends_entry(u, op, op->res, 0, ev);
    }
    poni_uring_lent_back(u, op, res);
    return poni_uring_ends(u, op, 0, 0, ev);
}

/* What nearly every completion says: a recv or send that was asked once, and
 * nothing since, has gone well. */
static inline int
result_is_plain(const struct pons_op *op, int32_t res, unsigned flags)
{
    return res >= 0 && op->backend[0] == URING_RINGS &&
           op->backend2 == URING_CALLS &&
           (op->opcode == PONS_OP_RECV || op->opcode == PONS_OP_SEND) &&
           !(flags & (IORING_CQE_F_MORE | IORING_CQE_F_NOTIF));
}

int
poni_uring_told(struct uring *u, struct pons_op *op, int32_t res,
                unsigned flags, struct pons_event *ev)
{
    if (result_is_plain(op, res, flags)) {
        *ev = (struct pons_event){.op = op, .res = res};
        return 1;
    }
    if (flags & IORING_CQE_F_MORE)
        return result_more(u, op, res, flags, ev);
    if (flags & IORING_CQE_F_NOTIF)
        return result_of_buffer(u, op, res, ev);
    return result_ends_entry(u, op, res, flags, ev);
}
