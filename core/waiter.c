/* SPDX-License-Identifier: MIT */
/*
 * core/waiter.c - see core/waiter.h.
 */

#include "waiter.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "futex.h"
#include "lock.h"
#include "runtime.h"
#include "seat.h"
#include "self.h"
#include "spin.h"

enum {
    POLL_ON_STACK = 64,      // descriptors; more are allocated
    POLL_SLICE_NS = 1000000, // without a doorbell (no descriptor left) the
                             // thread looks at its word this often
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
waiter_unref(void *data)
{
    struct poni_waiter *w = data;

    if (poni_sub(&w->refs, 1) == 1)
        free(w);
}

static void
waiter_ref(void *data)
{
    struct poni_waiter *w = data;

    poni_add_relaxed(&w->refs, 1);
}

/*
 * The word is RINGING and the thread lets go of nothing. On a seat it looks for
 * NOTIFIED before it sleeps: so that comes first, and then the ring, for which
 * `rings` keeps it there.
 */
static void
waiter_ring(struct poni_waiter *w)
{
    struct poni_seat *seat = w->seat;

    if (seat == NULL) {
        (void)!write(w->bell, &(uint64_t){1}, sizeof(uint64_t));
        (void)poni_swap(&w->word, WAITER_NOTIFIED);
        return;
    }
    poni_add(&w->rings, 1);
    (void)poni_swap(&w->word, WAITER_NOTIFIED);
    poni_seat_ring(seat);
    poni_sub(&w->rings, 1);
}

/*
 * Release pairs with the acquire of poni_waiter_notified() and _clear(): what
 * the notifier wrote is there for the next poll. Also where the word stays the
 * same.
 */
static void
waiter_notify(void *data)
{
    struct poni_waiter *w = data;
    uint32_t old = poni_load_relaxed(&w->word), next;
    int saved = errno;

    do {
        next = old == WAITER_POLLING || old == WAITER_RINGING ? WAITER_RINGING
                                                              : WAITER_NOTIFIED;
    } while (!__atomic_compare_exchange_n(&w->word, &old, next, 1,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    if (old == WAITER_ASLEEP) {
        poni_spin_rung(&w->spin);
        poni_futex_wake(&w->word, 1);
    } else if (old == WAITER_POLLING) {
        waiter_ring(w);
    }
    errno = saved;
}

static void
waiter_wake(void *data)
{
    waiter_notify(data);
    waiter_unref(data);
}

const struct pons_waker_ops poni_waiter_waker_ops = {
    .size = sizeof poni_waiter_waker_ops,
    .clone = waiter_ref,
    .wake = waiter_wake,
    .notify = waiter_notify,
    .release = waiter_unref,
};

/* The thread has ended; wakers may still hold its waiter. */
static void
waiter_thread_ended(void *data)
{
    struct poni_waiter *w = data;

    if (w->made != NULL)
        poni_runtime_release(w->made);
    w->made = NULL;
    poni_self.waiter = NULL; // a later destructor's wait makes a new one
    waiter_unref(w);
}

static void
waiter_key(void)
{
    (void)pthread_key_create(&key, waiter_thread_ended);
}

struct poni_waiter *
poni_waiter_self(void)
{
    struct poni_waiter *w = poni_self.waiter;

    if (w != NULL)
        return w;
    pthread_once(&once, waiter_key);
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->refs = 1;
    if (poni_spin_limit_ns() > 0)
        poni_spin_paid(&w->spin);
    poni_self.waiter = w;
    (void)pthread_setspecific(key, w);
    return w;
}

void
poni_waiter_clear(struct poni_waiter *w)
{
    if (poni_load_relaxed(&w->word) != WAITER_AWAKE)
        (void)poni_swap(&w->word, WAITER_AWAKE);
}

void
poni_wait_list(struct poni_wait *wait, struct pons_op *op, short events)
{
    op->event_flags = (uint16_t)events;
    op->res = 0;
    op->next = wait->ops;
    wait->ops = op;
    wait->op_count++;
}

void
poni_wait_unlist(struct poni_wait *wait, const struct pons_op *op)
{
    struct pons_op **at = &wait->ops;

    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
    wait->op_count--;
}

/* Spins for as long as it has paid, deadline or not: that is shorter than a
 * sleep's own inaccuracy. 1: notified. */
static int
waiter_spin(struct poni_waiter *w)
{
    uint64_t began;

    if (poni_spin_limit_ns() == 0)
        return 0;
    began = poni_ticks();
    do {
        for (int i = 0; i < 8; i++) {
            if (poni_waiter_notified(w)) {
                poni_spin_paid(&w->spin);
                return 1;
            }
            poni_pause();
        }
    } while (poni_ticks() - began < w->spin.ticks);
    poni_spin_missed(&w->spin);
    return 0;
}

static void
waiter_sleep(struct poni_waiter *w, uint64_t deadline_ns)
{
    uint32_t awake = WAITER_AWAKE;
    uint64_t began;

    if (waiter_spin(w))
        return;
    if (!poni_cas_seq(&w->word, &awake, WAITER_ASLEEP))
        return; // notified
    began = poni_ticks();
    /* Acquire pairs with waiter_notify(). */
    while (poni_load_acquire(&w->word) == WAITER_ASLEEP)
        if (poni_futex_wait(&w->word, WAITER_ASLEEP, deadline_ns) == -ETIMEDOUT)
            break;
    if (poni_waiter_notified(w))
        poni_spin_slept(&w->spin, poni_ticks() - began);
    awake = WAITER_ASLEEP;
    (void)poni_cas_seq(&w->word, &awake, WAITER_AWAKE);
}

static void
wait_ppoll(struct pollfd *fds, nfds_t n, uint64_t deadline_ns)
{
    uint64_t now = deadline_ns == PONS_NEVER ? 0 : pons_now(), left;
    struct timespec span;

    left = deadline_ns > now ? deadline_ns - now : 0;
    span.tv_sec = (time_t)(left / PONS_S);
    span.tv_nsec = (long)(left % PONS_S);
    if (ppoll(fds, n, deadline_ns == PONS_NEVER ? NULL : &span, NULL) < 0)
        for (nfds_t i = 0; i < n; i++)
            fds[i].revents = 0; // a signal: look again
}

/* The bell rings in fds[0]; the ops follow in the order of their list. */
static void
waiter_ppoll(struct poni_waiter *w, struct poni_wait *wait, struct pollfd *fds,
             unsigned n, uint64_t deadline_ns)
{
    uint32_t awake = WAITER_AWAKE;
    unsigned i = 1;

    fds[0] = (struct pollfd){.fd = w->bell, .events = POLLIN};
    for (struct pons_op *op = wait->ops; op != NULL && i < n; op = op->next)
        fds[i++] =
            (struct pollfd){.fd = op->fd, .events = (short)op->event_flags};
    if (poni_cas_seq(&w->word, &awake, WAITER_POLLING)) {
        wait_ppoll(fds, i, deadline_ns);
        awake = WAITER_POLLING;
        (void)poni_cas_seq(&w->word, &awake, WAITER_AWAKE);
        i = 1;
        for (struct pons_op *op = wait->ops; op != NULL && i < n; op = op->next)
            op->res = (unsigned short)fds[i++].revents;
    }
}

/* Waits for a notifier that is about to write to the bell, or to ring a seat.
 * Acquire pairs with its last touch in waiter_ring(). */
static void
waiter_settle(struct poni_waiter *w)
{
    for (int i = 0; poni_load_acquire(&w->word) == WAITER_RINGING ||
                    poni_load_acquire(&w->rings) > 0;
         i++)
        i < 100 ? poni_pause() : (void)sched_yield();
}

static void
waiter_poll(struct poni_waiter *w, struct poni_wait *wait, uint64_t deadline_ns)
{
    struct pollfd on_stack[POLL_ON_STACK + 1], *fds = on_stack;
    unsigned n = wait->op_count + 1;

    if (n > POLL_ON_STACK + 1) {
        fds = malloc(n * sizeof *fds);
        if (fds == NULL) { // look at the first ones, and often
            fds = on_stack;
            n = POLL_ON_STACK + 1;
        }
    }
    w->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->bell < 0 || n < wait->op_count + 1) {
        uint64_t slice = pons_after_ns(POLL_SLICE_NS);

        deadline_ns = slice < deadline_ns ? slice : deadline_ns;
    }
    waiter_ppoll(w, wait, fds, n, deadline_ns);
    waiter_settle(w);
    if (w->bell >= 0)
        close(w->bell);
    if (fds != on_stack)
        free(fds);
}

static uint64_t
wait_earliest(const struct poni_wait *wait, uint64_t deadline_ns)
{
    for (const struct pons_sleep *s = wait->sleeps; s != NULL; s = s->links[0])
        if (s->deadline_ns < deadline_ns)
            deadline_ns = s->deadline_ns;
    return deadline_ns;
}

void
poni_waiter_park(struct poni_waiter *w, struct poni_wait *wait,
                 uint64_t deadline_ns)
{
    deadline_ns = wait_earliest(wait, deadline_ns);
    for (struct pons_op *op = wait->ops; op != NULL; op = op->next)
        op->res = 0;
    if (wait->ops != NULL)
        waiter_poll(w, wait, deadline_ns);
    else
        waiter_sleep(w, deadline_ns);
    poni_waiter_clear(w);
}

void
poni_waiter_drive(struct poni_waiter *w, struct poni_seat *seat,
                  uint64_t deadline_ns)
{
    uint32_t awake = WAITER_AWAKE;

    w->seat = seat;
    if (poni_cas_seq(&w->word, &awake, WAITER_POLLING)) {
        poni_seat_work(seat, &w->word, WAITER_NOTIFIED, deadline_ns);
        awake = WAITER_POLLING;
        (void)poni_cas_seq(&w->word, &awake, WAITER_AWAKE);
        waiter_settle(w);
    } else {
        poni_seat_step(seat, 0); // who yields lets the seat's tasks run
    }
    w->seat = NULL;
    poni_waiter_clear(w);
}
