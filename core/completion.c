/* SPDX-License-Identifier: MIT */
/*
 * core/completion.c - a wake that works from a signal handler.
 *
 *               poll               complete
 *       NEW ----------> WAITING ----------> WAKING
 *        |  <----------    |                  |
 *        |  other waker    | cancel           | complete: the last touch
 *        |                 v                  v
 *        |             CANCELLED            DONE
 *        +------------- complete -------------^
 *
 * An ordinary wake may take a lock, push on the queue of the seat that it runs
 * on, or free what it held the last reference to: a handler may have
 * interrupted just that. So the completer borrows the waiter's waker and puts a
 * task into its seat's inbox by an exchange, whatever thread this is. The
 * reference is the waiter's to give up; and that it still has it is what WAKING
 * says: the waiter sees it only while another thread is between two lines of
 * completion_wake(), and looks again. (A handler of its own thread has come to
 * its end before the thread goes on.)
 *
 * CLAIMED, beside the state, says that a completer has come: it is the only
 * one, and a cancel is too late.
 */

#include "pons/completion.h"

#include <sched.h>

#include "fork.h"
#include "future.h"
#include "seat.h"
#include "self.h"
#include "task.h"

enum completion_state {
    COMPLETION_NEW,
    COMPLETION_WAITING, // `waker`, `seat` and `epoch` hold
    COMPLETION_WAKING,  // the completer is using them
    COMPLETION_DONE,    // `value` holds; the completer has let go
    COMPLETION_CANCELLED,
};

enum { COMPLETION_STATE = 7u, COMPLETION_CLAIMED = 8u };

enum { LOOKS = 100 }; // before the processor is given to who is WAKING

static enum completion_state
completion_state(uint32_t word)
{
    return (enum completion_state)(word & COMPLETION_STATE);
}

/* --- the completer: signal handlers, too --- */

static int
completion_claim(struct pons_completion *c)
{
    uint32_t *word = &c->base.state, old = poni_load_relaxed(word);

    do {
        if (old & COMPLETION_CLAIMED)
            return -EALREADY;
        if (old == COMPLETION_CANCELLED)
            return -ECANCELED;
    } while (!poni_cas(word, &old, old | COMPLETION_CLAIMED));
    return 0;
}

/* NEW to DONE, or WAITING to WAKING. Which. */
static enum completion_state
completion_pass(uint32_t *word)
{
    uint32_t old = poni_load_relaxed(word);
    enum completion_state to;

    /* Release pairs with the acquire in completion_poll(): publishes `value`.
     * Acquire pairs with completion_wait(): the waker is in place. */
    do {
        to = completion_state(old) == COMPLETION_NEW ? COMPLETION_DONE
                                                     : COMPLETION_WAKING;
    } while (!poni_cas(word, &old, (uint32_t)to | COMPLETION_CLAIMED));
    return to;
}

static int
completion_wake(const struct pons_completion *c)
{
    struct pons_task *t = c->waker.data;

    if (!poni_epoch_is(c->epoch))
        return -EOWNERDEAD; // its seat's bell is the parent's, too
    if (c->waker.ops != &poni_task_waker_ops)
        pons_waker_notify(&c->waker);
    else if (task_wake(&t->word) == OWES_ENQUEUE)
        poni_seat_post_task(c->seat, t);
    return 0;
}

int
pons_completion_complete(struct pons_completion *c, int64_t result)
{
    int saved = errno, err = completion_claim(c);

    if (err < 0)
        return err;
    c->value = result;
    if (completion_pass(&c->base.state) == COMPLETION_DONE)
        return 0;
    err = completion_wake(c);
    /* Release pairs with the acquire in completion_poll(): we have let go. */
    poni_store_release(&c->base.state, COMPLETION_DONE | COMPLETION_CLAIMED);
    errno = saved;
    return err;
}

/* --- the waiter --- */

/* From -> to, unless somebody was faster. A claim stays. */
static int
completion_move(struct pons_completion *c, enum completion_state from,
                enum completion_state to)
{
    uint32_t *word = &c->base.state, old = poni_load_relaxed(word);

    return completion_state(old) == from &&
           poni_cas_seq(word, &old, (uint32_t)to | (old & COMPLETION_CLAIMED));
}

/* The same, if no completer has come. */
static int
completion_cancel(struct pons_completion *c, enum completion_state from)
{
    uint32_t unclaimed = from;

    return poni_cas_seq(&c->base.state, &unclaimed, COMPLETION_CANCELLED);
}

/* NEW: nobody else looks at the waker. 1: it waits. */
static int
completion_wait(struct pons_completion *c, const struct pons_waker *w)
{
    pons_waker_set(&c->waker, w);
    c->seat = poni_self.seat;
    c->epoch = poni_epoch();
    /* Release pairs with completion_pass(). */
    return completion_move(c, COMPLETION_NEW, COMPLETION_WAITING);
}

static enum pons_poll
completion_end(struct pons_completion *c, int64_t result)
{
    pons_waker_drop(&c->waker);
    return poni_ready(&c->base, result);
}

static enum pons_poll
completion_poll(struct pons_future *f, struct pons_waker *w)
{
    struct pons_completion *c =
        pons_container_of(f, struct pons_completion, base);

    poni_unpolled_remove(f);
    for (int looks = 0;;) {
        /* Acquire pairs with both releases of the completer. */
        switch (completion_state(poni_load_acquire(&f->state))) {
        case COMPLETION_NEW:
            if ((!poni_cancel_due(&poni_self) ||
                 !completion_cancel(c, COMPLETION_NEW)) &&
                completion_wait(c, w))
                return PONS_PENDING;
            break;
        case COMPLETION_WAITING:
            if (c->waker.ops == w->ops && c->waker.data == w->data)
                return PONS_PENDING;
            (void)completion_move(c, COMPLETION_WAITING, COMPLETION_NEW);
            break;
        case COMPLETION_WAKING:
            ++looks < LOOKS ? poni_pause() : (void)sched_yield();
            break;
        case COMPLETION_DONE:
            return completion_end(c, c->value);
        case COMPLETION_CANCELLED:
            return completion_end(c, -ECANCELED);
        }
    }
}

/* Who cancels polls again. */
static void
completion_ask(struct pons_future *f)
{
    (void)completion_cancel(pons_container_of(f, struct pons_completion, base),
                            COMPLETION_WAITING);
}

static const struct pons_future_ops completion_ops = {
    .size = sizeof completion_ops,
    .name = "completion",
    .poll = completion_poll,
    .cancel = completion_ask,
};

void
pons_completion_init(struct pons_completion *c)
{
    *c = (struct pons_completion){.value = 0};
    poni_future_init(&c->base, &completion_ops);
}
