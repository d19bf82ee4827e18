/* SPDX-License-Identifier: MIT */
/*
 * tests/time_test.c - pons/time.h: sleeps that are never early, deadlines that
 * ask, masks that hide.
 */

#include "pons/time.h"

#include <errno.h>
#include <string.h>

#include "everywhere.h"
#include "pons/error.h"

enum { SLEEPERS = 40 };

/* --- the clock --- */

static void
deadlines_are_ahead_and_saturate(void)
{
    uint64_t now = pons_now();

    CHECK(now > 0 && now < PONS_NEVER);
    CHECK(pons_now() >= now);
    CHECK(pons_after_ns(5) >= now + 5);
    CHECK(pons_after_ms(5) >= now + 5 * PONS_MS);
    CHECK_EQ(pons_after_ns(PONS_NEVER), PONS_NEVER);
    CHECK_EQ(pons_after_ns(PONS_NEVER - 1), PONS_NEVER);
    CHECK_EQ(pons_after_ms(PONS_NEVER), PONS_NEVER);
    CHECK_EQ(pons_after_ms(PONS_NEVER / PONS_MS), PONS_NEVER);
    CHECK_EQ(PONS_S, 1000 * PONS_MS);
    CHECK_EQ(PONS_MS, 1000 * PONS_US);
}

/* --- sleeping --- */

static void
sleep_body(void *arg)
{
    static const uint64_t spans[] = {0, 1, 70000, 700000, 2000000, 2100000};

    (void)arg;
    for (int i = 0; i < 6; i++) {
        uint64_t until = pons_after_ns(spans[i]);

        CHECK_EQ(pons_sleep(spans[i]), 0);
        CHECK(pons_now() >= until);
        until = pons_after_ns(spans[i]);
        CHECK_EQ(pons_sleep_until(until), 0);
        CHECK(pons_now() >= until);
    }
    CHECK_EQ(pons_sleep_until(1), 0); // long ago
}

static void
sleep_is_never_early(void)
{
    everywhere(sleep_body, NULL);
}

struct nap {
    uint64_t until;
};

static int64_t
naps(void *arg)
{
    struct nap *n = arg;

    CHECK_EQ(pons_sleep_until(n->until), 0);
    CHECK(pons_now() >= n->until);
    return 1;
}

static void
sleepers_body(void *arg)
{
    struct agent a[SLEEPERS];
    struct nap n[SLEEPERS];
    uint64_t base = pons_after_ms(1);

    (void)arg;
    for (unsigned i = 0; i < SLEEPERS; i++) {
        n[i].until = base + (i * 37 % SLEEPERS) * 50000;
        agent_start(&a[i], naps, &n[i]);
    }
    for (unsigned i = 0; i < SLEEPERS; i++)
        CHECK_EQ(agent_join(&a[i]), 1);
}

static void
many_sleepers_each_wake_after_their_time(void)
{
    everywhere(sleepers_body, NULL);
}

/* A future of two sleeps at once: ready when the first is, cancels the other.
 */
struct first_of {
    struct pons_future base;
    struct pons_sleep soon, late;
};

static enum pons_poll
first_of_poll(struct pons_future *f, struct pons_waker *w)
{
    struct first_of *o = pons_container_of(f, struct first_of, base);

    if (pons_future_poll(&o->late.base, w) == PONS_READY) {
        f->result = -1;
        return PONS_READY;
    }
    if (pons_future_poll(&o->soon.base, w) == PONS_PENDING)
        return PONS_PENDING;
    CHECK_EQ(o->soon.base.result, 0);
    CHECK_EQ(o->late.base.result, -EINPROGRESS);
    pons_future_cancel(&o->late.base);
    CHECK_EQ(pons_future_poll(&o->late.base, w), PONS_READY);
    f->result = o->late.base.result;
    return PONS_READY;
}

static const struct pons_future_ops first_of_ops = {
    .size = sizeof first_of_ops, .name = "first_of", .poll = first_of_poll};

static void
select_body(void *arg)
{
    struct first_of o;

    (void)arg;
    pons_future_init(&o.base, &first_of_ops);
    pons_sleep_init(&o.soon, pons_after_ms(1));
    pons_sleep_init(&o.late, PONS_NEVER);
    CHECK_EQ(pons_await(&o.base), -ECANCELED);
    CHECK(pons_now() >= o.soon.deadline_ns);
}

static void
of_two_sleeps_the_first_wakes(void)
{
    everywhere(select_body, NULL);
}

/* Many sleeps that are due one soon after the other, and polled together. */
struct comb {
    struct pons_future base;
    struct pons_sleep teeth[SLEEPERS];
    uint64_t ended; // a bit for each
};

static enum pons_poll
comb_poll(struct pons_future *f, struct pons_waker *w)
{
    struct comb *c = pons_container_of(f, struct comb, base);

    for (int i = 0; i < SLEEPERS; i++) {
        if (c->ended >> i & 1)
            continue;
        if (pons_future_poll(&c->teeth[i].base, w) == PONS_PENDING)
            continue;
        CHECK(pons_now() >= c->teeth[i].deadline_ns);
        c->ended |= UINT64_C(1) << i;
    }
    return c->ended == (UINT64_C(1) << SLEEPERS) - 1 ? PONS_READY
                                                     : PONS_PENDING;
}

static const struct pons_future_ops comb_ops = {
    .size = sizeof comb_ops, .name = "comb", .poll = comb_poll};

static void
comb_body(void *arg)
{
    uint64_t base = pons_after_ms(1);
    struct comb c;

    (void)arg;
    pons_future_init(&c.base, &comb_ops);
    c.ended = 0;
    for (unsigned i = 0; i < SLEEPERS; i++)
        pons_sleep_init(&c.teeth[i], base + i * UINT64_C(40000));
    CHECK_EQ(pons_await(&c.base), -EINPROGRESS); // comb has no answer
}

static void
sleep_whose_neighbour_wakes_is_not_early(void)
{
    everywhere(comb_body, NULL);
}

/* --- deadlines --- */

static int64_t
answers(void *n)
{
    return *(int64_t *)n;
}

static int64_t
sleeps_for_ever(void *arg)
{
    (void)arg;
    return pons_sleep_until(PONS_NEVER);
}

static int64_t
sleeps_then_answers(void *arg)
{
    CHECK_EQ(pons_sleep_until(PONS_NEVER), -ECANCELED);
    CHECK_EQ(pons_sleep(1), -ECANCELED); // sticky, while the deadline is open
    CHECK(pons_cancelled());
    return answers(arg);
}

static void
timeout_body(void *arg)
{
    int64_t five = 5, answer = 0;
    uint64_t soon;

    (void)arg;
    CHECK_EQ(pons_timeout(PONS_NEVER, answers, &five, &answer), 0);
    CHECK_EQ(answer, 5);
    CHECK_EQ(pons_timeout(1, answers, &five, &answer), 0); // long ago
    CHECK_EQ(pons_timeout(1, answers, &five, NULL), 0);
    soon = pons_after_ms(1);
    answer = 66;
    CHECK_EQ(pons_timeout(soon, sleeps_for_ever, NULL, &answer), -ETIME);
    CHECK(pons_now() >= soon);
    CHECK_HAS(pons_last_error(), "deadline");
    CHECK_EQ(answer, 66);
    CHECK_EQ(
        pons_timeout(pons_after_ms(1), sleeps_then_answers, &five, &answer),
        0); // an answer after all
    CHECK_EQ(answer, 5);
    CHECK(!pons_cancelled());
    CHECK_EQ(pons_sleep(1), 0); // and over
}

static void
deadline_asks_and_an_answer_counts(void)
{
    everywhere(timeout_body, NULL);
}

struct nested {
    uint64_t outer, inner;
    int inner_err;
};

static int64_t
nests(void *arg)
{
    struct nested *n = arg;

    n->inner_err = pons_timeout(n->inner, sleeps_for_ever, NULL, NULL);
    if (n->inner_err == -ETIME)
        CHECK_EQ(pons_sleep(1), 0); // the outer one has not passed
    return n->inner_err == 0 ? -ECANCELED : 3;
}

static void
nested_body(void *arg)
{
    struct nested n = {pons_after_ms(60000), pons_after_ms(1), 1};
    int64_t answer = 0;

    (void)arg;
    CHECK_EQ(pons_timeout(n.outer, nests, &n, &answer), 0);
    CHECK_EQ(n.inner_err, -ETIME);
    CHECK_EQ(answer, 3);
    n = (struct nested){pons_after_ms(1), pons_after_ms(60000), 1};
    CHECK_EQ(pons_timeout(n.outer, nests, &n, &answer), -ETIME);
    CHECK_EQ(n.inner_err, 0); // not its own deadline
    n.outer = n.inner = pons_after_ms(1);
    CHECK_EQ(pons_timeout(n.outer, nests, &n, &answer), -ETIME);
    CHECK_EQ(n.inner_err, 0); // the caller does not go on
}

static void
earliest_of_nested_deadlines_counts(void)
{
    everywhere(nested_body, NULL);
}

static int64_t
says_cancelled(void *arg)
{
    (void)arg;
    return -ECANCELED;
}

static void
own_ecanceled_is_an_answer(void)
{
    int64_t answer = 0;

    CHECK_EQ(pons_timeout(pons_after_ms(60000), says_cancelled, NULL, &answer),
             0);
    CHECK_EQ(answer, -ECANCELED);
}

/* --- the future form --- */

static void
timeout_future_body(void *arg)
{
    struct pons_timeout t;
    struct pons_sleep s;
    uint64_t soon = pons_after_ms(1);

    (void)arg;
    pons_sleep_init(&s, PONS_NEVER);
    pons_timeout_init(&t, soon, &s.base);
    CHECK_EQ(pons_await(&t.base), -ETIME);
    CHECK(pons_now() >= soon);
    CHECK_EQ(s.base.result, -ECANCELED);
    pons_sleep_init(&s, soon);
    pons_timeout_init(&t, PONS_NEVER, &s.base);
    CHECK_EQ(pons_await(&t.base), 0);
    pons_sleep_init(&s, pons_after_ms(1));
    pons_timeout_init(&t, pons_after_ms(60000), &s.base);
    CHECK_EQ(pons_await(&t.base), 0);
}

static void
timeout_future_has_the_childs_result_or_etime(void)
{
    everywhere(timeout_future_body, NULL);
}

/* A child that is ready at the poll after it was asked: it has succeeded. */
struct late {
    struct pons_future base;
    int asked;
};

static enum pons_poll
late_poll(struct pons_future *f, struct pons_waker *w)
{
    struct late *l = pons_container_of(f, struct late, base);

    (void)w;
    if (!l->asked)
        return PONS_PENDING;
    f->result = 17;
    return PONS_READY;
}

static void
late_cancel(struct pons_future *f)
{
    struct late *l = pons_container_of(f, struct late, base);

    l->asked++;
}

static const struct pons_future_ops late_ops = {.size = sizeof late_ops,
                                                .name = "late",
                                                .poll = late_poll,
                                                .cancel = late_cancel};

static int64_t
awaits(void *f)
{
    return pons_await(f);
}

static void
late_body(void *arg)
{
    struct pons_timeout t;
    int64_t answer = 0;
    struct late l;

    (void)arg;
    pons_future_init(&l.base, &late_ops);
    l.asked = 0;
    pons_timeout_init(&t, pons_after_ms(1), &l.base);
    CHECK_EQ(pons_await(&t.base), 17);
    CHECK_EQ(l.asked, 1);
    pons_future_init(&l.base, &late_ops);
    l.asked = 0;
    CHECK_EQ(pons_timeout(pons_after_ms(1), awaits, &l.base, &answer), 0);
    CHECK_EQ(answer, 17);
    CHECK_EQ(l.asked, 1);
}

static void
loser_that_succeeded_after_all_is_the_result(void)
{
    everywhere(late_body, NULL);
}

/* Ends when it is asked to, and not before. */
static enum pons_poll
stubborn_poll(struct pons_future *f, struct pons_waker *w)
{
    struct late *l = pons_container_of(f, struct late, base);

    (void)w;
    f->result = -ECANCELED;
    return l->asked ? PONS_READY : PONS_PENDING;
}

static const struct pons_future_ops stubborn_ops = {.size = sizeof stubborn_ops,
                                                    .name = "stubborn",
                                                    .poll = stubborn_poll,
                                                    .cancel = late_cancel};

static int64_t
awaits_a_stubborn_one(void *arg)
{
    struct pons_timeout t;
    struct late l = {.asked = 0};

    (void)arg;
    pons_future_init(&l.base, &stubborn_ops);
    pons_timeout_init(&t, pons_after_ms(60000), &l.base);
    return pons_await(&t.base);
}

/* Cancelled from outside: that is no deadline. */
static int64_t
awaits_a_timeout(void *arg)
{
    struct pons_timeout t;
    struct pons_sleep s;

    (void)arg;
    pons_sleep_init(&s, PONS_NEVER);
    pons_timeout_init(&t, pons_after_ms(60000), &s.base);
    return pons_await(&t.base);
}

static int64_t
calls_a_timeout(void *arg)
{
    int64_t answer = 0;
    int err = pons_timeout(pons_after_ms(60000), sleeps_for_ever, arg, &answer);

    return err < 0 ? err : answer;
}

static void
cancelled_body(void *arg)
{
    pons_fiber_f *fn[] = {awaits_a_timeout, calls_a_timeout,
                          awaits_a_stubborn_one};

    (void)arg;
    for (int i = 0; i < 6; i++) {
        struct pons_task *t;
        int64_t answer;

        CHECK_EQ(pons_spawn(NULL, fn[i % 3], NULL, &t), 0);
        if (i < 3)
            let_others_run();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK_EQ(answer, -ECANCELED);
    }
}

static void
cancel_from_outside_is_not_a_deadline(void)
{
    everywhere_in_fibers(cancelled_body, NULL);
}

/* --- masks --- */

static int64_t
flushes(void *arg)
{
    struct pons_mask m;
    int64_t five = 5, answer = 0;

    (void)arg;
    CHECK_EQ(pons_sleep_until(PONS_NEVER), -ECANCELED);
    pons_mask_open(&m, 60 * PONS_S);
    CHECK_EQ(pons_sleep(1), 0); // hidden
    CHECK_EQ(pons_yield(), 0);
    CHECK(pons_cancelled()); // and still true
    CHECK_EQ(pons_timeout(pons_after_ms(1), sleeps_for_ever, NULL, NULL),
             -ETIME); // a deadline set inside counts
    CHECK_EQ(pons_timeout(PONS_NEVER, answers, &five, &answer), 0);
    pons_mask_close(&m);
    CHECK_EQ(pons_sleep(1), -ECANCELED);
    return 1;
}

static void
mask_body(void *arg)
{
    int64_t answer = 0;
    struct pons_task *t;

    (void)arg;
    CHECK_EQ(pons_timeout(pons_after_ms(1), flushes, NULL, &answer), 0);
    CHECK_EQ(answer, 1);
    if (pons_runtime_current() == NULL)
        return;
    CHECK_EQ(pons_spawn(NULL, flushes, NULL, &t), 0);
    let_others_run();
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 1);
}

static void
mask_hides_cancels_and_deadlines_from_outside(void)
{
    everywhere(mask_body, NULL);
}

static int64_t
masked_for_ever(void *arg)
{
    struct pons_mask outer, inner;
    uint64_t until = pons_after_ms(1);
    int64_t n;

    (void)arg;
    pons_mask_open(&outer, PONS_MS);
    pons_mask_open(&inner, 0);
    n = pons_sleep_until(PONS_NEVER);
    CHECK(pons_now() >= until); // the longer of the two
    pons_mask_close(&inner);
    pons_mask_close(&outer);
    pons_mask_close(&outer); // again does nothing
    return n;
}

static void
grace_body(void *arg)
{
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    CHECK_EQ(pons_timeout(1, masked_for_ever, NULL, NULL), -ETIME);
    if (pons_runtime_current() == NULL)
        return;
    for (int i = 0; i < 2; i++) { // cancelled before, and while it sleeps
        CHECK_EQ(pons_spawn(NULL, masked_for_ever, NULL, &t), 0);
        if (i > 0)
            let_others_run();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK_EQ(answer, -ECANCELED);
    }
}

static void
mask_ends_with_its_grace(void)
{
    everywhere(grace_body, NULL);
}

static void
deadline_inside_a_mask_of_a_thread_counts(void)
{
    struct pons_mask m;

    pons_mask_open(&m, PONS_S); // nothing is outside: nothing is hidden
    CHECK_EQ(pons_timeout(pons_after_ms(1), sleeps_for_ever, NULL, NULL),
             -ETIME);
    pons_mask_close(&m);
    CHECK_EQ(pons_sleep(1), 0);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(deadlines_are_ahead_and_saturate),
    T(sleep_is_never_early),
    T(many_sleepers_each_wake_after_their_time),
    T(of_two_sleeps_the_first_wakes),
    T(sleep_whose_neighbour_wakes_is_not_early),
    T(deadline_asks_and_an_answer_counts),
    T(earliest_of_nested_deadlines_counts),
    T(own_ecanceled_is_an_answer),
    T(timeout_future_has_the_childs_result_or_etime),
    T(loser_that_succeeded_after_all_is_the_result),
    T(cancel_from_outside_is_not_a_deadline),
    T(mask_hides_cancels_and_deadlines_from_outside),
    T(mask_ends_with_its_grace),
    T(deadline_inside_a_mask_of_a_thread_counts),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("time", tests, argc, argv);
}
