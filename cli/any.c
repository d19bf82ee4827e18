/* SPDX-License-Identifier: MIT */
/*
 * cli/any.c - waits for whichever of many futures ends first.
 *
 * The waiter's own waker cannot tell which of a thousand futures may go on. So
 * each member lends its future a waker that puts the member on a list and then
 * wakes the waiter; a turn polls what is on the list.
 *
 * A waker may be used late: after its future ended, its member was freed, and
 * the waiter has gone. So members and the any itself are counted, a waker holds
 * its member, a member its any.
 */

#include "any.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

/*
 *            any_arm              a turn takes it, then polls
 *   IDLE ---------------> WOKEN ------------------------------> WAITING
 *    ^                      ^            its waker was used        |
 *    |                      +--------------------------------------+
 *    |  its callback begins, or any_disarm                         | the poll
 *    +----------------------------- ENDED <------------------------+ was READY
 */
enum any_state {
    ANY_IDLE,    // has no future; on no list
    ANY_WOKEN,   // on any->woken, or on the turn's batch
    ANY_WAITING, // on no list
    ANY_ENDED,   // on any->ended
};

TAILQ_HEAD(any_list, any_member);

struct any {
    struct pons_future base; // the owner's; a turn awaits it
    int cancelled;           // the owner's
    uint32_t refs;           // the owner's, and one per member

    pthread_mutex_t lock; // guards all below; never held over a call out
    struct any_list woken, ended;
    struct pons_waker waiter; // empty unless a turn sleeps
};

struct any_member {
    any_ended_f *ended; // set once, with the next two
    void *arg;
    struct any *any;
    uint32_t refs; // the owner's, and one per waker

    struct pons_future *future; // the owner's; NULL: not armed
    int polled;                 // the owner's; whether `future` has been

    enum any_state state; // any->lock guards it and the link
    TAILQ_ENTRY(any_member) link;
};

static void
any_unref(struct any *a)
{
    /* Acquire and release: the last one sees what the others did with it. */
    if (__atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    pons_waker_drop(&a->waiter);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void
member_ref(void *data)
{
    struct any_member *m = data;

    /* Relaxed: who clones has a reference, so the count cannot reach 0. */
    __atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
}

static void
member_unref(void *data)
{
    struct any_member *m = data;

    /* Acquire and release: as in any_unref(). */
    if (__atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    any_unref(m->any);
    free(m);
}

static void
member_notify(void *data)
{
    struct any_member *m = data;
    struct any *a = m->any;
    struct pons_waker waiter = {NULL, NULL};

    pthread_mutex_lock(&a->lock);
    if (m->state == ANY_WAITING) {
        m->state = ANY_WOKEN;
        TAILQ_INSERT_TAIL(&a->woken, m, link);
        waiter = a->waiter;
        a->waiter = (struct pons_waker){NULL, NULL};
    }
    pthread_mutex_unlock(&a->lock);
    pons_waker_wake(&waiter);
}

static void
member_wake(void *data)
{
    member_notify(data);
    member_unref(data);
}

static const struct pons_waker_ops member_waker_ops = {
    .size = sizeof member_waker_ops,
    .clone = member_ref,
    .wake = member_wake,
    .notify = member_notify,
    .release = member_unref,
};

/* Takes `m` off whichever list it is on. */
static void
member_leave(struct any_member *m, enum any_state next)
{
    struct any *a = m->any;

    if (m->state == ANY_WOKEN)
        TAILQ_REMOVE(&a->woken, m, link);
    else if (m->state == ANY_ENDED)
        TAILQ_REMOVE(&a->ended, m, link);
    m->state = next;
}

static void
member_poll(struct any_member *m)
{
    struct any *a = m->any;
    struct pons_waker w = {&member_waker_ops, m};

    m->polled = 1;
    if (pons_future_poll(m->future, &w) == PONS_PENDING)
        return;
    pthread_mutex_lock(&a->lock);
    member_leave(m, ANY_ENDED); // it may have been woken while it was polled
    TAILQ_INSERT_TAIL(&a->ended, m, link);
    pthread_mutex_unlock(&a->lock);
}

/*
 * Polls what was woken before the call. What is woken meanwhile stays for the
 * next poll: a future that wakes itself must not keep the others waiting.
 */
static void
any_poll_woken(struct any *a)
{
    struct any_list batch = TAILQ_HEAD_INITIALIZER(batch);
    struct any_member *m;

    pthread_mutex_lock(&a->lock);
    TAILQ_CONCAT(&batch, &a->woken, link);
    while ((m = TAILQ_FIRST(&batch))) {
        TAILQ_REMOVE(&batch, m, link);
        m->state = ANY_WAITING;
        pthread_mutex_unlock(&a->lock);
        member_poll(m);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
}

/* Leaves `w` with the members. 1: one was woken before that, so poll again. */
static int
any_sleep(struct any *a, const struct pons_waker *w)
{
    struct pons_waker fresh = {NULL, NULL}, old;
    int woken;

    pons_waker_set(&fresh, w);
    pthread_mutex_lock(&a->lock);
    old = a->waiter;
    a->waiter = fresh;
    woken = !TAILQ_EMPTY(&a->woken);
    pthread_mutex_unlock(&a->lock);
    pons_waker_drop(&old);
    return woken;
}

static enum pons_poll
any_poll(struct pons_future *f, struct pons_waker *w)
{
    struct any *a = pons_container_of(f, struct any, base);

    any_poll_woken(a);
    if (!TAILQ_EMPTY(&a->ended)) // only the owner puts members there
        PONS_RETURN(f, 0);
    if (a->cancelled)
        PONS_RETURN(f, -ECANCELED);
    if (any_sleep(a, w))
        pons_waker_notify(w);
    return PONS_PENDING;
}

static void
any_cancel(struct pons_future *f)
{
    pons_container_of(f, struct any, base)->cancelled = 1;
}

static const struct pons_future_ops any_ops = {
    .size = sizeof any_ops,
    .name = "any",
    .poll = any_poll,
    .cancel = any_cancel,
};

int
any_new(struct any **out)
{
    struct any *a = calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    a->refs = 1;
    pthread_mutex_init(&a->lock, NULL);
    TAILQ_INIT(&a->woken);
    TAILQ_INIT(&a->ended);
    *out = a;
    return 0;
}

void
any_free(struct any *a)
{
    if (a)
        any_unref(a);
}

int
any_member_new(struct any_member **out, struct any *a, any_ended_f *ended,
               void *arg)
{
    struct any_member *m = calloc(1, sizeof *m);

    if (!m)
        return -ENOMEM;
    m->ended = ended;
    m->arg = arg;
    m->any = a;
    m->refs = 1;
    m->state = ANY_IDLE;
    __atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED); // as in member_ref()
    *out = m;
    return 0;
}

void
any_member_free(struct any_member *m)
{
    if (m)
        member_unref(m);
}

void
any_arm(struct any_member *m, struct pons_future *f)
{
    struct any *a = m->any;

    m->future = f;
    m->polled = 0;
    pthread_mutex_lock(&a->lock);
    m->state = ANY_WOKEN;
    TAILQ_INSERT_TAIL(&a->woken, m, link);
    pthread_mutex_unlock(&a->lock);
}

int
any_armed(const struct any_member *m)
{
    return m->future != NULL;
}

void
any_disarm(struct any_member *m)
{
    struct pons_future *f = m->future;
    enum any_state was;

    if (!f)
        return;
    if (!m->polled) // only what has been polled can be asked to end
        member_poll(m);
    pthread_mutex_lock(&m->any->lock);
    was = m->state;
    member_leave(m, ANY_IDLE);
    pthread_mutex_unlock(&m->any->lock);
    m->future = NULL;
    if (was == ANY_ENDED)
        return;
    pons_future_cancel(f);
    /* It ends, whether with ECANCELED or not: nobody asks for the result. */
    if (pons_await(f) < 0)
        return;
}

/* Taken one by one: a callback may disarm others that have ended too. */
static struct any_member *
any_take_ended(struct any *a)
{
    struct any_member *m;

    pthread_mutex_lock(&a->lock);
    m = TAILQ_FIRST(&a->ended);
    if (m)
        member_leave(m, ANY_IDLE);
    pthread_mutex_unlock(&a->lock);
    if (m)
        m->future = NULL;
    return m;
}

int
any_turn(struct any *a)
{
    struct any_member *m;
    int64_t err;

    pons_future_init(&a->base, &any_ops);
    a->cancelled = 0;
    err = pons_await(&a->base);
    while ((m = any_take_ended(a)))
        m->ended(m->arg);
    return err < 0 ? (int)err : 0;
}
