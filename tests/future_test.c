/* SPDX-License-Identifier: MIT */
/*
 * tests/future_test.c - pons/future.h: the macros, cancel down the chain, the
 * wakers' bookkeeping, and yield wherever one may be.
 */

#include "everywhere.h"

#include <errno.h>
#include <string.h>

#include "pons/time.h"

/* --- a waker that counts, as an executor of one's own would have --- */

struct tally {
    int clones, wakes, notifies, releases;
};

static void
tally_clone(void *data)
{
    ((struct tally *)data)->clones++;
}

static void
tally_wake(void *data)
{
    ((struct tally *)data)->wakes++;
}

static void
tally_notify(void *data)
{
    ((struct tally *)data)->notifies++;
}

static void
tally_release(void *data)
{
    ((struct tally *)data)->releases++;
}

static const struct pons_waker_ops tally_ops = {
    .size = sizeof tally_ops,
    .clone = tally_clone,
    .wake = tally_wake,
    .notify = tally_notify,
    .release = tally_release,
};

static struct pons_waker
tally_waker(struct tally *t)
{
    struct pons_waker w = {&tally_ops, t};

    return w;
}

static void
check_tally(const struct tally *t, int clones, int wakes, int notifies,
            int releases)
{
    CHECK_EQ(t->clones, clones);
    CHECK_EQ(t->wakes, wakes);
    CHECK_EQ(t->notifies, notifies);
    CHECK_EQ(t->releases, releases);
}

static void
setting_a_waker_clones_it_once_and_releases_the_one_before(void)
{
    struct tally a = {0}, b = {0};
    struct pons_waker slot = {NULL, NULL}, wa = tally_waker(&a),
                      wb = tally_waker(&b);

    pons_waker_set(&slot, &wa);
    pons_waker_set(&slot, &wa);
    check_tally(&a, 1, 0, 0, 0);
    pons_waker_set(&slot, &wb);
    check_tally(&a, 1, 0, 0, 1);
    check_tally(&b, 1, 0, 0, 0);
    CHECK(slot.ops == &tally_ops && slot.data == &b);
    pons_waker_drop(&slot);
    check_tally(&b, 1, 0, 0, 1);
}

static void
wake_and_drop_empty_the_slot_and_notify_keeps_it(void)
{
    struct tally t = {0};
    struct pons_waker slot = {NULL, NULL}, w = tally_waker(&t);

    pons_waker_set(&slot, &w);
    pons_waker_notify(&slot);
    pons_waker_notify(&slot);
    check_tally(&t, 1, 0, 2, 0);
    pons_waker_wake(&slot);
    check_tally(&t, 1, 1, 2, 0);
    CHECK(slot.ops == NULL && slot.data == NULL);
    pons_waker_set(&slot, &w);
    pons_waker_drop(&slot);
    CHECK(slot.ops == NULL && slot.data == NULL);
    check_tally(&t, 2, 1, 2, 1);
}

static void
an_empty_slot_may_be_woken_notified_and_dropped(void)
{
    struct pons_waker slot = {NULL, NULL}, empty = {NULL, NULL};
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);

    pons_waker_wake(&slot);
    pons_waker_notify(&slot);
    pons_waker_drop(&slot);
    pons_waker_set(&slot, &w);
    pons_waker_set(&slot, &empty);
    CHECK(slot.ops == NULL);
    check_tally(&t, 1, 0, 0, 1);
}

/* The slot is empty before the wake: what it calls may fill it again. */
static struct pons_waker refilled;
static struct tally refill;

static void
refill_wake(void *data)
{
    struct pons_waker w = tally_waker(&refill);

    (void)data;
    CHECK(refilled.ops == NULL);
    pons_waker_set(&refilled, &w);
}

static void
a_wake_may_set_the_slot_that_it_came_from(void)
{
    struct pons_waker_ops ops = tally_ops;
    struct tally t = {0};

    ops.wake = refill_wake;
    refilled = (struct pons_waker){&ops, &t};
    pons_waker_wake(&refilled);
    CHECK(refilled.data == &refill);
    pons_waker_drop(&refilled);
    check_tally(&refill, 1, 0, 0, 1);
}

/* --- a leaf that a test ends, and functions of PONS_AWAIT on it --- */

struct leaf {
    struct pons_future base;
    struct pons_waker waker;
    int polls, cancels;
};

static enum pons_poll
leaf_poll(struct pons_future *f, struct pons_waker *w)
{
    struct leaf *l = pons_container_of(f, struct leaf, base);

    l->polls++;
    if (f->result != -EINPROGRESS) {
        pons_waker_drop(&l->waker);
        return PONS_READY;
    }
    pons_waker_set(&l->waker, w);
    return PONS_PENDING;
}

static void
leaf_cancel(struct pons_future *f)
{
    struct leaf *l = pons_container_of(f, struct leaf, base);

    l->cancels++;
    f->result = -ECANCELED;
}

static const struct pons_future_ops leaf_ops = {
    .size = sizeof leaf_ops,
    .name = "leaf",
    .poll = leaf_poll,
    .cancel = leaf_cancel,
};

static void
leaf_init(struct leaf *l)
{
    memset(l, 0xa5, sizeof *l);
    l->waker = (struct pons_waker){NULL, NULL};
    l->polls = l->cancels = 0;
    pons_future_init(&l->base, &leaf_ops);
}

static void
init_makes_a_future_that_has_not_been_polled(void)
{
    struct leaf l;

    leaf_init(&l);
    CHECK(l.base.ops == &leaf_ops);
    CHECK(l.base.child == NULL);
    CHECK_EQ(l.base.result, -EINPROGRESS);
    CHECK_EQ(l.base.resume, 0);
    CHECK_EQ(l.base.state, 0);
    CHECK_EQ(l.base.reserved, 0);
}

struct sum {
    struct pons_future base;
    struct leaf leaf;
    int64_t total;
    int rounds, past_the_end;
};

static enum pons_poll
sum_poll(struct pons_future *f, struct pons_waker *w)
{
    struct sum *s = pons_container_of(f, struct sum, base);

    PONS_BEGIN(f);
    for (s->rounds = 0; s->rounds < 3; s->rounds++) {
        leaf_init(&s->leaf);
        PONS_AWAIT(f, w, &s->leaf);
        if (s->leaf.base.result == 99)
            PONS_RETURN(f, -99);
        s->total += s->leaf.base.result;
    }
    s->past_the_end++;
    PONS_END(f);
}

static const struct pons_future_ops sum_ops = {
    .size = sizeof sum_ops,
    .name = "sum",
    .poll = sum_poll,
};

static void
sum_init(struct sum *s)
{
    memset(s, 0, sizeof *s);
    pons_future_init(&s->base, &sum_ops);
}

static void
await_resumes_where_it_waited_with_locals_in_the_struct(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct sum s;

    sum_init(&s);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pons_future_poll(&s.base, &w), PONS_PENDING);
        CHECK(s.base.child == &s.leaf.base);
        CHECK_EQ(pons_future_poll(&s.base, &w), PONS_PENDING);
        CHECK_EQ(s.leaf.polls, 2 + (i > 0)); // the first by the round before
        CHECK_EQ(s.rounds, i);
        CHECK_EQ(s.base.result, -EINPROGRESS);
        s.leaf.base.result = 10 + i;
        if (i < 2)
            CHECK_EQ(pons_future_poll(&s.base, &w), PONS_PENDING);
    }
    CHECK_EQ(pons_future_poll(&s.base, &w), PONS_READY);
    CHECK_EQ(s.base.result, 0);
    CHECK_EQ(s.total, 33);
    CHECK(s.base.child == NULL);
    check_tally(&t, 3, 0, 0,
                3); // one clone for each wait, however often polled
}

static void
a_child_that_is_ready_at_once_costs_no_return(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct sum s;

    sum_init(&s);
    CHECK_EQ(pons_future_poll(&s.base, &w), PONS_PENDING);
    s.leaf.base.result = 99;
    CHECK_EQ(pons_future_poll(&s.base, &w), PONS_READY);
    CHECK_EQ(s.base.result, -99); // PONS_RETURN
    CHECK_EQ(s.rounds, 0);
    CHECK_EQ(s.past_the_end, 0);
}

static void
a_function_that_has_ended_stays_ended(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct sum s;

    sum_init(&s);
    CHECK_EQ(pons_future_poll(&s.base, &w), PONS_PENDING);
    s.leaf.base.result = 99;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pons_future_poll(&s.base, &w), PONS_READY);
        CHECK_EQ(s.base.result, -99);
        CHECK_EQ(s.leaf.polls, 2);
    }
}

/* A function that awaits a function. */
struct outer {
    struct pons_future base;
    struct sum sum;
};

static enum pons_poll
outer_poll(struct pons_future *f, struct pons_waker *w)
{
    struct outer *o = pons_container_of(f, struct outer, base);

    PONS_BEGIN(f);
    sum_init(&o->sum);
    PONS_AWAIT(f, w, &o->sum);
    PONS_RETURN(f, o->sum.base.result);
    PONS_END(f);
}

static const struct pons_future_ops outer_ops = {
    .size = sizeof outer_ops,
    .name = "outer",
    .poll = outer_poll,
};

static void
cancel_goes_down_to_the_leaf_that_is_waited_for(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct outer o;

    pons_future_init(&o.base, &outer_ops);
    CHECK_EQ(pons_future_poll(&o.base, &w), PONS_PENDING);
    pons_future_cancel(&o.base);
    pons_future_cancel(&o.base);
    CHECK_EQ(o.sum.leaf.cancels, 2);
    CHECK_EQ(o.sum.leaf.base.result, -ECANCELED);
}

static void
cancel_of_a_function_between_two_waits_does_nothing(void)
{
    struct outer o;

    pons_future_init(&o.base, &outer_ops); // no child yet
    pons_future_cancel(&o.base);
    CHECK_EQ(o.base.result, -EINPROGRESS);
}

/* --- awaiting --- */

static void
body_await(void *unused)
{
    struct pons_sleep s;

    (void)unused;
    pons_sleep_init(&s, pons_now());
    CHECK_EQ(pons_await(&s.base), 0);
    pons_sleep_init(&s, pons_after_ns(1));
    CHECK_EQ(pons_await(&s.base), 0);
}

static void
await_returns_the_result_wherever_it_is_called(void)
{
    everywhere(body_await, NULL);
}

static void
body_yield(void *unused)
{
    struct pons_yield y;

    (void)unused;
    for (int i = 0; i < 300; i++)
        CHECK_EQ(pons_yield(), 0);
    for (int i = 0; i < 300; i++) {
        pons_yield_init(&y);
        CHECK_EQ(pons_await(&y.base), 0);
    }
}

static void
yield_returns_wherever_it_is_called(void)
{
    everywhere(body_yield, NULL);
}

/* --- a foreign executor --- */

static void
a_yield_polled_by_a_foreign_executor_notifies_and_ends(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct pons_yield y;

    pons_yield_init(&y);
    CHECK_EQ(pons_future_poll(&y.base, &w), PONS_PENDING);
    check_tally(&t, 0, 0, 1, 0);
    CHECK_EQ(pons_future_poll(&y.base, &w), PONS_READY);
    CHECK_EQ(y.base.result, 0);
}

static void
a_leaf_of_ours_polled_outside_any_wait_says_so(void)
{
    struct tally t = {0};
    struct pons_waker w = tally_waker(&t);
    struct pons_sleep s;

    pons_sleep_init(&s, pons_after_ms(1000));
    CHECK_EQ(pons_future_poll(&s.base, &w), PONS_READY);
    CHECK_EQ(s.base.result, -EINVAL);
    CHECK_HAS(pons_last_error(), "outside a task");
    check_tally(&t, 0, 0, 0, 0);
}

/* A stackless task that lends its child another waker, as a select would. */
struct relay {
    struct pons_future base;
    struct pons_sleep sleep;
    struct pons_waker own, foreign; // own: the task's, cloned
    struct pons_waker_ops ops;
    struct tally tally;
    int two_wakers;
};

static void
relay_clone(void *data)
{
    ((struct relay *)data)->tally.clones++;
}

static void
relay_wake(void *data)
{
    struct relay *r = data;

    r->tally.wakes++;
    pons_waker_notify(&r->own);
}

static void
relay_release(void *data)
{
    ((struct relay *)data)->tally.releases++;
}

static enum pons_poll
relay_poll(struct pons_future *f, struct pons_waker *w)
{
    struct relay *r = pons_container_of(f, struct relay, base);
    struct tally other = {0};
    struct pons_waker replaced = tally_waker(&other);

    pons_waker_set(&r->own, w);
    if (r->two_wakers-- > 0) { // a waker that is replaced before the wake
        CHECK_EQ(pons_future_poll(&r->sleep.base, &replaced), PONS_PENDING);
        CHECK_EQ(pons_future_poll(&r->sleep.base, &r->foreign), PONS_PENDING);
        check_tally(&other, 1, 0, 0, 1);
        return PONS_PENDING;
    }
    if (pons_future_poll(&r->sleep.base, &r->foreign) == PONS_PENDING)
        return PONS_PENDING;
    f->result = r->sleep.base.result;
    pons_waker_drop(&r->own);
    return PONS_READY;
}

static const struct pons_future_ops relay_ops = {
    .size = sizeof relay_ops,
    .name = "relay",
    .poll = relay_poll,
};

static void
body_relay(void *unused)
{
    struct pons_task *t;
    struct relay r;
    int64_t result;

    (void)unused;
    memset(&r, 0, sizeof r);
    pons_future_init(&r.base, &relay_ops);
    pons_sleep_init(&r.sleep, pons_after_ms(50)); // not over at the first poll
    r.two_wakers = 1;
    r.ops = (struct pons_waker_ops){.size = sizeof r.ops,
                                    .clone = relay_clone,
                                    .wake = relay_wake,
                                    .notify = relay_wake,
                                    .release = relay_release};
    r.foreign = (struct pons_waker){&r.ops, &r};
    CHECK_EQ(pons_spawn_future(NULL, &r.base, &t), 0);
    CHECK_EQ(pons_join(t, &result), 0);
    CHECK_EQ(result, 0);
    CHECK(pons_now() >= r.sleep.deadline_ns);
    CHECK_EQ(r.tally.clones, 1);
    CHECK_EQ(r.tally.wakes, 1); // which consumed the clone
    CHECK_EQ(r.tally.releases, 0);
}

static void
a_foreign_waker_is_cloned_woken_once_and_released_when_replaced(void)
{
    everywhere_in_fibers(body_relay, NULL);
}

static const struct unit_test tests[] = {
    {"setting_a_waker_clones_it_once_and_releases_the_one_before",
     setting_a_waker_clones_it_once_and_releases_the_one_before},
    {"wake_and_drop_empty_the_slot_and_notify_keeps_it",
     wake_and_drop_empty_the_slot_and_notify_keeps_it},
    {"an_empty_slot_may_be_woken_notified_and_dropped",
     an_empty_slot_may_be_woken_notified_and_dropped},
    {"a_wake_may_set_the_slot_that_it_came_from",
     a_wake_may_set_the_slot_that_it_came_from},
    {"init_makes_a_future_that_has_not_been_polled",
     init_makes_a_future_that_has_not_been_polled},
    {"await_resumes_where_it_waited_with_locals_in_the_struct",
     await_resumes_where_it_waited_with_locals_in_the_struct},
    {"a_child_that_is_ready_at_once_costs_no_return",
     a_child_that_is_ready_at_once_costs_no_return},
    {"a_function_that_has_ended_stays_ended",
     a_function_that_has_ended_stays_ended},
    {"cancel_goes_down_to_the_leaf_that_is_waited_for",
     cancel_goes_down_to_the_leaf_that_is_waited_for},
    {"cancel_of_a_function_between_two_waits_does_nothing",
     cancel_of_a_function_between_two_waits_does_nothing},
    {"await_returns_the_result_wherever_it_is_called",
     await_returns_the_result_wherever_it_is_called},
    {"yield_returns_wherever_it_is_called",
     yield_returns_wherever_it_is_called},
    {"a_yield_polled_by_a_foreign_executor_notifies_and_ends",
     a_yield_polled_by_a_foreign_executor_notifies_and_ends},
    {"a_leaf_of_ours_polled_outside_any_wait_says_so",
     a_leaf_of_ours_polled_outside_any_wait_says_so},
    {"a_foreign_waker_is_cloned_woken_once_and_released_when_replaced",
     a_foreign_waker_is_cloned_woken_once_and_released_when_replaced},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("future", tests, argc, argv);
}
