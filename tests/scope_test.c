/* SPDX-License-Identifier: MIT */
/*
 * tests/scope_test.c - pons/scope.h: what a scope started has ended when close
 * returns, and close says why.
 */

#include "pons/scope.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/fiber.h"
#include "core/lock.h"
#include "everywhere.h"
#include "pons/error.h"

enum { CHILDREN = 20, DEPTH = 5 };
#ifdef PONI_TSAN
enum { VERY_MANY = 5000 }; // it is a hundred times slower at them
#else
enum { VERY_MANY = 200000 };
#endif

static int
is(const int *flag)
{
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void
add(int *flag)
{
    __atomic_fetch_add(flag, 1, __ATOMIC_ACQ_REL);
}

static int64_t
counts(void *n)
{
    (void)!pons_yield();
    add(n);
    return 1;
}

static int64_t
counts_for_ever(void *n)
{
    int64_t answer = pons_sleep_until(PONS_NEVER);

    add(n);
    return answer;
}

static int64_t
fails(void *err)
{
    return *(int *)err;
}

/* Masked: it ends a while after it was asked. */
static int64_t
tidies_up(void *n)
{
    struct pons_mask m;
    int64_t answer = pons_sleep_until(PONS_NEVER);

    pons_mask_open(&m, 60 * PONS_S);
    CHECK_EQ(pons_sleep(PONS_MS), 0);
    add(n);
    pons_mask_close(&m);
    return answer;
}

/* --- joining --- */

static void
join_body(void *arg)
{
    struct pons_scope s;
    int n = 0;

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(pons_scope_spawn(&s, counts, &n), 0);
    CHECK_EQ(pons_scope_close(&s), 0);
    CHECK_EQ(n, CHILDREN);
    CHECK_EQ(pons_scope_close(&s), 0); // again
    CHECK_EQ(pons_scope_spawn(&s, counts, &n), -ECANCELED);
    pons_scope_open(&s, pons_after_ms(60000));
    CHECK_EQ(pons_scope_close(&s), 0); // of nothing
}

static void
close_returns_when_all_have_ended(void)
{
    everywhere_in_fibers(join_body, NULL);
    within("epoll", "0", join_body, NULL);
    within("epoll", "2", join_body, NULL);
}

/* A stackless child: two sleeps, then its drop(). */
struct child {
    struct pons_future base;
    struct pons_sleep sleep;
    int *ended;
};

static enum pons_poll
child_poll(struct pons_future *f, struct pons_waker *w)
{
    struct child *c = pons_container_of(f, struct child, base);

    PONS_BEGIN(f);
    pons_sleep_init(&c->sleep, pons_after_ns(1000));
    PONS_AWAIT(f, w, &c->sleep);
    pons_sleep_init(&c->sleep, PONS_NEVER);
    PONS_AWAIT(f, w, &c->sleep);
    PONS_RETURN(f, c->sleep.base.result);
    PONS_END(f);
}

static void
child_drop(struct pons_future *f)
{
    struct child *c = pons_container_of(f, struct child, base);

    add(c->ended);
    free(c);
}

static const struct pons_future_ops child_ops = {.size = sizeof child_ops,
                                                 .name = "child",
                                                 .poll = child_poll,
                                                 .drop = child_drop};

static struct pons_future *
child_new(int *ended)
{
    struct child *c = malloc(sizeof *c);

    pons_future_init(&c->base, &child_ops);
    c->ended = ended;
    return &c->base;
}

static void
futures_body(void *arg)
{
    struct pons_scope s;
    int n = 0;

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(pons_scope_spawn_future(&s, child_new(&n)), 0);
    pons_scope_cancel(&s);
    CHECK_EQ(pons_scope_spawn_future(&s, child_new(&n)), 0); // born cancelled
    CHECK_EQ(pons_scope_close(&s), -ECANCELED);
    CHECK_EQ(n, CHILDREN + 1); // dropped, each once
    CHECK_EQ(pons_scope_spawn_future(&s, child_new(&n)), -ECANCELED);
    CHECK_EQ(n, CHILDREN + 2); // consumed
}

static void
stackless_children_are_dropped_before_close_returns(void)
{
    everywhere_in_fibers(futures_body, NULL);
}

/* --- why it ended --- */

static int64_t
first_error(struct pons_scope *s)
{
    int64_t err;

    poni_lock(&s->lock);
    err = s->first_error;
    poni_unlock(&s->lock);
    return err;
}

static void
error_body(void *arg)
{
    int errors[] = {-EIO, -EPROTO}, n = 0, no_errno = INT_MIN;
    struct pons_scope s;

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, fails, &errors[0]), 0);
    CHECK_EQ(pons_scope_spawn(&s, counts, &n), 0);
    while (is(&n) == 0)
        let_others_run();
    CHECK_EQ(pons_scope_close(&s), -EIO);
    CHECK_HAS(pons_last_error(), strerror(EIO));
    CHECK_HAS(pons_last_error(), "scope_test.c:");
    CHECK_EQ(n, 1); // an error alone ends nobody
    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, fails, &errors[0]), 0);
    while (first_error(&s) == 0)
        let_others_run();
    CHECK_EQ(pons_scope_spawn(&s, fails, &errors[1]), 0);
    CHECK_EQ(pons_scope_close(&s), -EIO);
    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, fails, &no_errno), 0);
    CHECK_EQ(pons_scope_close(&s), no_errno);
    CHECK_HAS(pons_last_error(), "-2147483648 (its own answer)");
}

static void
first_error_is_the_answer(void)
{
    everywhere_in_fibers(error_body, NULL);
}

static void
deadline_body(void *arg)
{
    uint64_t soon = pons_after_ms(1);
    struct pons_scope s;
    int n = 0;

    (void)arg;
    pons_scope_open(&s, soon);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(pons_scope_spawn(&s, i % 2 ? counts_for_ever : tidies_up, &n),
                 0);
    CHECK_EQ(pons_scope_close(&s), -ETIME);
    CHECK(pons_now() >= soon);
    CHECK_EQ(n, CHILDREN);      // awaited, to the end of their tidying up
    CHECK_EQ(pons_sleep(1), 0); // it is over
}

static void
deadline_ends_the_tasks_and_awaits_them(void)
{
    everywhere_in_fibers(deadline_body, NULL);
    within("poll", "0", deadline_body, NULL);
    within("poll", "2", deadline_body, NULL);
}

static void
own_waits_body(void *arg)
{
    uint64_t soon = pons_after_ms(1);
    struct pons_scope s;
    int n = 0;

    (void)arg;
    pons_scope_open(&s, soon);
    CHECK_EQ(pons_scope_spawn(&s, counts_for_ever, &n), 0);
    CHECK_EQ(pons_sleep_until(PONS_NEVER), -ECANCELED);
    CHECK(pons_now() >= soon);
    CHECK_EQ(pons_scope_close(&s), -ETIME);
    CHECK_EQ(n, 1);
    CHECK_EQ(pons_sleep(1), 0);
}

static void
deadline_ends_the_openers_own_waits(void)
{
    everywhere_in_fibers(own_waits_body, NULL);
    within("epoll", "0", own_waits_body, NULL);
    within("epoll", "2", own_waits_body, NULL);
}

static void
deadline_ends_the_waits_of_a_bare_thread(void)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_scope s, inner;
    int n = 0;

    pons_scope_open_on(&s, rt, pons_after_ms(1));
    pons_scope_open_on(&inner, rt, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&inner, counts_for_ever, &n), 0);
    CHECK_EQ(pons_sleep_until(PONS_NEVER), -ECANCELED);
    CHECK_EQ(pons_scope_close(&inner), -ECANCELED);
    CHECK_EQ(pons_scope_close(&s), 0); // it had no task
    CHECK_EQ(n, 1);
    CHECK_EQ(pons_sleep(1), 0);
    CHECK(pons_runtime_current() == NULL);
    pons_runtime_unref(rt);
}

static void
cancel_body(void *arg)
{
    struct pons_scope s;
    int n = 0;

    (void)arg;
    pons_scope_open(&s, pons_after_ms(60000));
    for (int i = 0; i < CHILDREN; i++) {
        if (i == CHILDREN / 2)
            pons_scope_cancel(&s);
        CHECK_EQ(pons_scope_spawn(&s, counts_for_ever, &n), 0);
    }
    CHECK_EQ(pons_sleep(1), 0); // not the opener
    CHECK_EQ(pons_scope_close(&s), -ECANCELED);
    CHECK_HAS(pons_last_error(), "cancelled");
    CHECK_EQ(n, CHILDREN);
}

static void
cancel_ends_the_tasks_and_those_to_come(void)
{
    everywhere_in_fibers(cancel_body, NULL);
}

struct owner {
    int opened, ended;
    int closed; // what close said
    uint64_t deadline;
};

static int64_t
owns(void *arg)
{
    struct owner *o = arg;
    struct pons_scope s;

    pons_scope_open(&s, o->deadline);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(pons_scope_spawn(&s, tidies_up, &o->ended), 0);
    add(&o->opened);
    o->closed = pons_scope_close(&s);
    CHECK_EQ(o->ended, CHILDREN);
    return 0;
}

static void
owner_body(void *arg)
{
    (void)arg;
    for (int i = 0; i < 4; i++) {
        struct owner o = {.deadline =
                              i % 2 ? PONS_NEVER : pons_after_ms(60000)};
        struct pons_task *t;

        CHECK_EQ(pons_spawn(NULL, owns, &o, &t), 0);
        while (i < 2 && !is(&o.opened))
            let_others_run();
        pons_cancel(t); // while it closes; or before it began
        CHECK_EQ(pons_join(t, NULL), 0);
        CHECK_EQ(o.closed, -ECANCELED);
    }
}

static void
owner_that_is_cancelled_cancels_the_tasks(void)
{
    everywhere_in_fibers(owner_body, NULL);
}

/* --- one inside another --- */

struct tree {
    struct pons_scope *scope;
    int depth;
    int *leaves;
};

static int64_t
grows(void *arg)
{
    struct tree *t = arg, two[2];
    struct pons_scope s;
    int closed;

    if (t->depth == 0) {
        add(t->leaves);
        return pons_sleep_until(PONS_NEVER);
    }
    pons_scope_open(&s, PONS_NEVER);
    for (int i = 0; i < 2; i++) {
        two[i] = (struct tree){NULL, t->depth - 1, t->leaves};
        CHECK_EQ(pons_scope_spawn(&s, grows, &two[i]), 0);
    }
    closed = pons_scope_close(&s);
    return closed;
}

static void
tree_body(void *arg)
{
    int leaves = 0;
    struct tree t = {NULL, DEPTH, &leaves};
    struct pons_scope s;

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, grows, &t), 0);
    while (is(&leaves) < 1 << DEPTH)
        let_others_run();
    pons_scope_cancel(&s);
    CHECK_EQ(pons_scope_close(&s), -ECANCELED);
}

static void
cancel_reaches_all_scopes_inside(void)
{
    everywhere_in_fibers(tree_body, NULL);
}

static int64_t
adds_to_its_scope(void *arg)
{
    struct tree *t = arg;

    (void)!pons_yield();
    if (t->depth-- > 0)
        CHECK_EQ(pons_scope_spawn(t->scope, adds_to_its_scope, t), 0);
    else
        add(t->leaves);
    return 0;
}

static void
chain_body(void *arg)
{
    int leaves = 0;
    struct pons_scope s;
    struct tree t = {&s, CHILDREN, &leaves};

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, adds_to_its_scope, &t), 0);
    CHECK_EQ(pons_scope_close(&s), 0); // of all of them
    CHECK_EQ(leaves, 1);
}

static void
tasks_of_the_scope_may_add_to_it(void)
{
    everywhere_in_fibers(chain_body, NULL);
}

static void
crossed_body(void *arg)
{
    struct pons_scope outer, inner;
    int n = 0;

    (void)arg;
    pons_scope_open(&outer, pons_after_ms(60000));
    pons_scope_open(&inner, pons_after_ms(60000));
    CHECK_EQ(pons_scope_spawn(&outer, counts, &n), 0);
    CHECK_EQ(pons_scope_spawn(&inner, counts_for_ever, &n), 0);
    CHECK_EQ(pons_scope_close(&outer), 0); // before the inner one
    pons_scope_cancel(&inner);
    CHECK_EQ(pons_scope_close(&inner), -ECANCELED);
    CHECK_EQ(n, 2);
    CHECK_EQ(pons_sleep(1), 0);
}

static void
scopes_may_close_in_any_order(void)
{
    everywhere_in_fibers(crossed_body, NULL);
}

/* --- the guard, the future form, where there is no runtime --- */

static int
leaves_early(int *n, int how)
{
    PONS_SCOPE_GUARD(s, pons_after_ms(1));

    CHECK_EQ(pons_scope_spawn(&s, counts_for_ever, n), 0);
    if (how == 0)
        return 5;
    CHECK_EQ(pons_scope_spawn(&s, tidies_up, n), 0);
    if (how == 1)
        return 6;
    CHECK_EQ(pons_scope_close(&s), -ETIME);
    return 7;
}

static void
guard_body(void *arg)
{
    (void)arg;
    for (int how = 0; how < 3; how++) {
        int n = 0;

        CHECK_EQ(leaves_early(&n, how), 5 + how);
        CHECK_EQ(n, how == 0 ? 1 : 2);
    }
}

static void
guard_closes_on_every_way_out(void)
{
    everywhere_in_fibers(guard_body, NULL);
}

/* A stackless owner. */
struct owning {
    struct pons_future base;
    struct pons_scope s;
    struct pons_scope_close close;
    uint64_t deadline;
    int ended;
};

static enum pons_poll
owning_poll(struct pons_future *f, struct pons_waker *w)
{
    struct owning *o = pons_container_of(f, struct owning, base);

    PONS_BEGIN(f);
    pons_scope_open(&o->s, o->deadline);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(pons_scope_spawn(&o->s, tidies_up, &o->ended), 0);
    CHECK_EQ(pons_scope_close(&o->s), -EDEADLK); // the calling form
    pons_scope_close_init(&o->close, &o->s);
    PONS_AWAIT(f, w, &o->close);
    CHECK_EQ(o->ended, CHILDREN);
    PONS_RETURN(f, o->close.base.result);
    PONS_END(f);
}

static const struct pons_future_ops owning_ops = {
    .size = sizeof owning_ops, .name = "owning", .poll = owning_poll};

static void
owning_body(void *arg)
{
    struct owning o = {.deadline = pons_after_ms(1)};
    struct pons_task *t;
    int64_t answer;

    (void)arg;
    pons_future_init(&o.base, &owning_ops);
    CHECK_EQ(pons_spawn_future(NULL, &o.base, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ETIME);
    for (int i = 0; i < 2; i++) {
        o = (struct owning){.deadline = i ? PONS_NEVER : pons_after_ms(60000)};
        pons_future_init(&o.base, &owning_ops);
        CHECK_EQ(pons_spawn_future(NULL, &o.base, &t), 0);
        let_others_run();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK_EQ(answer, -ECANCELED);
        CHECK_EQ(o.ended, CHILDREN);
    }
}

static void
future_form_of_close_ends_the_tasks_too(void)
{
    everywhere_in_fibers(owning_body, NULL);
}

static void
scope_without_a_runtime_refuses_to_spawn(void)
{
    struct pons_scope s;
    int n = 0;

    pons_scope_open(&s, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s, counts, &n), -EINVAL);
    CHECK_HAS(pons_last_error(), "pons_scope_open_on");
    CHECK_EQ(pons_scope_spawn_future(&s, child_new(&n)), -EINVAL);
    CHECK_EQ(n, 1); // consumed
    CHECK_EQ(pons_scope_close(&s), 0);
}

static void
scope_on_a_runtime_works_on_a_bare_thread(void)
{
    static const char *const workers[] = {"0", "1", "2"};

    for (int i = 0; i < 3; i++) {
        struct pons_runtime *rt = runtime_of("poll", workers[i]);
        struct pons_scope s;
        int n = 0;

        pons_scope_open_on(&s, rt, PONS_NEVER);
        for (int k = 0; k < CHILDREN; k++)
            CHECK_EQ(pons_scope_spawn(&s, counts, &n), 0);
        CHECK_EQ(pons_scope_close(&s), 0);
        CHECK_EQ(n, CHILDREN);
        pons_runtime_unref(rt);
    }
}

struct canceller {
    struct pons_scope s;
    int closing;
};

static int64_t
cancels_its_scope(void *arg)
{
    struct canceller *c = arg;

    while (!is(&c->closing))
        (void)!pons_yield();
    pons_scope_cancel(&c->s);
    return 0;
}

/* ThreadSanitizer looks on. */
static void
task_may_cancel_the_scope_that_is_being_closed(void)
{
    struct pons_runtime *rt = runtime_of("poll", "2");
    struct canceller c;

    for (int i = 0; i < CHILDREN; i++) {
        c.closing = 0;
        pons_scope_open_on(&c.s, rt, pons_after_ms(60000));
        CHECK_EQ(pons_scope_spawn(&c.s, cancels_its_scope, &c), 0);
        add(&c.closing);
        CHECK_EQ(pons_scope_close(&c.s), -ECANCELED);
    }
    pons_runtime_unref(rt);
}

/* On the only worker: none of them ends meanwhile. */
static int64_t
cancels_very_many(void *arg)
{
    struct pons_sleep *sleeps = arg;
    struct pons_scope s;

    pons_scope_open(&s, PONS_NEVER);
    for (int i = 0; i < VERY_MANY; i++) {
        pons_sleep_init(&sleeps[i], PONS_NEVER);
        CHECK_EQ(pons_scope_spawn_future(&s, &sleeps[i].base), 0);
    }
    pons_scope_cancel(&s);
    return pons_scope_close(&s);
}

/* Looking at the others for each that is cancelled takes longer than the alarm
 * of a test. */
static void
cancel_looks_at_each_of_very_many_tasks_once(void)
{
    struct pons_runtime *rt = runtime_of("poll", "1");
    struct pons_sleep *sleeps = calloc(VERY_MANY, sizeof *sleeps);
    struct pons_task *t;
    int64_t answer;

    CHECK(sleeps != NULL);
    CHECK_EQ(pons_spawn(rt, cancels_very_many, sleeps, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, -ECANCELED);
    pons_runtime_unref(rt);
    free(sleeps);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(close_returns_when_all_have_ended),
    T(stackless_children_are_dropped_before_close_returns),
    T(first_error_is_the_answer),
    T(deadline_ends_the_tasks_and_awaits_them),
    T(deadline_ends_the_openers_own_waits),
    T(deadline_ends_the_waits_of_a_bare_thread),
    T(cancel_ends_the_tasks_and_those_to_come),
    T(owner_that_is_cancelled_cancels_the_tasks),
    T(cancel_reaches_all_scopes_inside),
    T(tasks_of_the_scope_may_add_to_it),
    T(scopes_may_close_in_any_order),
    T(guard_closes_on_every_way_out),
    T(future_form_of_close_ends_the_tasks_too),
    T(scope_without_a_runtime_refuses_to_spawn),
    T(scope_on_a_runtime_works_on_a_bare_thread),
    T(task_may_cancel_the_scope_that_is_being_closed),
    T(cancel_looks_at_each_of_very_many_tasks_once),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("scope", tests, argc, argv);
}
