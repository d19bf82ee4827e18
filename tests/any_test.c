/* SPDX-License-Identifier: MIT */
/*
 * tests/any_test.c - cli/any.c, which waits for whichever of many futures ends
 * first.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/any.h"
#include "pons/pons.h"
#include "unit.h"

/* A future that ends when it is told to, and counts how often it was polled. */
struct told {
    struct pons_future base;
    struct pons_waker waker;
    int ready, asked, polls;
    int restless;     // wakes itself in each poll, also in the last
    int polls_enough; // ready by itself then; 0: never
};

static enum pons_poll
told_poll(struct pons_future *f, struct pons_waker *w)
{
    struct told *t = pons_container_of(f, struct told, base);

    t->polls++;
    if (t->restless)
        pons_waker_notify(w);
    if (t->polls == t->polls_enough ||
        __atomic_load_n(&t->ready, __ATOMIC_ACQUIRE)) {
        pons_waker_drop(&t->waker);
        f->result = 0;
        return PONS_READY;
    }
    if (t->asked) {
        pons_waker_drop(&t->waker);
        f->result = -ECANCELED;
        return PONS_READY;
    }
    pons_waker_set(&t->waker, w);
    return PONS_PENDING;
}

static void
told_cancel(struct pons_future *f)
{
    pons_container_of(f, struct told, base)->asked = 1;
}

static const struct pons_future_ops told_ops = {
    .size = sizeof told_ops,
    .name = "told",
    .poll = told_poll,
    .cancel = told_cancel,
};

static void
told_init(struct told *t)
{
    memset(t, 0, sizeof *t);
    pons_future_init(&t->base, &told_ops);
}

/* Release: pairs with the acquire in told_poll(). */
static void
told_tell(struct told *t)
{
    __atomic_store_n(&t->ready, 1, __ATOMIC_RELEASE);
    pons_waker_notify(&t->waker);
}

static void
count(void *arg)
{
    ++*(int *)arg;
}

static void
arm_new(struct any_member **m, struct any *a, struct told *t, int *ended)
{
    CHECK_EQ(any_member_new(m, a, count, ended), 0);
    told_init(t);
    any_arm(*m, &t->base);
}

static void
a_turn_calls_back_for_all_that_have_ended(void)
{
    enum { MANY = 100 };
    struct any_member *m[MANY];
    struct told t[MANY];
    int ended[MANY] = {0};
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    for (int i = 0; i < MANY; i++) {
        arm_new(&m[i], a, &t[i], &ended[i]);
        t[i].ready = i % 2;
    }
    CHECK_EQ(any_turn(a), 0);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(ended[i], i % 2);
        CHECK_EQ(any_armed(m[i]), !(i % 2));
        any_disarm(m[i]);
        any_member_free(m[i]);
    }
    any_free(a);
}

static void
a_turn_polls_only_what_was_woken(void)
{
    enum { MANY = 100, TURNS = 50 };
    struct any_member *m[MANY], *one;
    struct told t[MANY], again;
    int ended[MANY] = {0}, turns = 0;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    for (int i = 0; i < MANY; i++)
        arm_new(&m[i], a, &t[i], &ended[i]);
    CHECK_EQ(any_member_new(&one, a, count, &turns), 0);
    for (int i = 0; i < TURNS; i++) {
        told_init(&again);
        again.ready = 1;
        any_arm(one, &again.base);
        CHECK_EQ(any_turn(a), 0);
    }
    CHECK_EQ(turns, TURNS);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(t[i].polls, 1);
        any_disarm(m[i]);
        any_member_free(m[i]);
    }
    any_member_free(one);
    any_free(a);
}

static void
a_future_that_wakes_itself_does_not_keep_others_waiting(void)
{
    struct any_member *restless, *quiet;
    struct told t, u;
    int ended = 0, other = 0;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    arm_new(&restless, a, &t, &other);
    arm_new(&quiet, a, &u, &ended);
    t.restless = 1;
    u.ready = 1;
    CHECK_EQ(any_turn(a), 0);
    CHECK_EQ(ended, 1);
    CHECK_EQ(other, 0);
    any_disarm(restless);
    any_member_free(restless);
    any_member_free(quiet);
    any_free(a);
}

static void
a_future_that_wakes_itself_is_polled_again(void)
{
    struct any_member *m, *next;
    struct told t, u;
    int ended = 0, after = 0;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    arm_new(&m, a, &t, &ended);
    t.restless = 1;
    t.polls_enough = 3;
    CHECK_EQ(any_turn(a), 0);
    CHECK_EQ(ended, 1);
    CHECK_EQ(t.polls, 3);
    arm_new(&next, a, &u, &after);
    u.ready = 1;
    CHECK_EQ(any_turn(a), 0);
    CHECK_EQ(after, 1);
    CHECK_EQ(t.polls, 3); // never after it was ready
    any_member_free(m);
    any_member_free(next);
    any_free(a);
}

static void
disarm_cancels_and_calls_nobody(void)
{
    struct any_member *waiting, *fresh, *over, *go;
    struct told t, u, v, w;
    int ended = 0, went = 0;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    arm_new(&waiting, a, &t, &ended);
    arm_new(&go, a, &w, &went);
    w.ready = 1;
    CHECK_EQ(any_turn(a), 0); // `waiting` has been polled
    arm_new(&fresh, a, &u, &ended);
    arm_new(&over, a, &v, &ended);
    v.ready = 1;
    any_disarm(waiting);
    any_disarm(fresh);
    any_disarm(over);
    CHECK_EQ(t.base.result, -ECANCELED);
    CHECK_EQ(u.base.result, -ECANCELED);
    CHECK_EQ(v.base.result, 0);
    any_disarm(fresh); // once more does nothing
    told_init(&w);
    w.ready = 1;
    any_arm(go, &w.base);
    CHECK_EQ(any_turn(a), 0);
    CHECK_EQ(went, 2);
    CHECK_EQ(ended, 0);
    any_member_free(waiting);
    any_member_free(fresh);
    any_member_free(over);
    any_member_free(go);
    any_free(a);
}

static void
a_waker_may_be_used_after_its_member_is_gone(void)
{
    struct pons_waker late = {NULL, NULL}, later = {NULL, NULL};
    struct any_member *m;
    struct told t;
    int ended = 0;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    arm_new(&m, a, &t, &ended);
    t.restless = 1;
    any_disarm(m); // polls, for the first time
    told_init(&t);
    t.ready = 1;
    any_arm(m, &t.base);
    CHECK_EQ(any_turn(a), 0);
    told_init(&t);
    any_arm(m, &t.base);
    {
        struct any_member *go;
        struct told u;

        arm_new(&go, a, &u, &ended);
        u.ready = 1;
        CHECK_EQ(any_turn(a), 0);
        any_member_free(go);
    }
    pons_waker_set(&late, &t.waker);
    pons_waker_set(&later, &t.waker);
    any_disarm(m);
    any_member_free(m);
    pons_waker_wake(&late);
    any_free(a);
    pons_waker_wake(&later);
    CHECK_EQ(ended, 2);
}

/* Tells one future after the other, as the owner arms them. */
struct teller {
    pthread_t thread;
    struct told *told;
    int count, stride, first;
};

static void *
teller_run(void *arg)
{
    struct teller *t = arg;

    for (int i = t->first; i < t->count; i += t->stride)
        told_tell(&t->told[i]);
    return NULL;
}

static int64_t
wait_for_all(void *arg)
{
    enum { MANY = 4000, TELLERS = 4 };
    static struct told t[MANY];
    static struct any_member *m[MANY];
    struct teller tellers[TELLERS];
    struct any_member *go;
    struct told first;
    struct any *a;
    int ended = 0, went = 0;

    (void)arg;
    CHECK_EQ(any_new(&a), 0);
    for (int i = 0; i < MANY; i++)
        arm_new(&m[i], a, &t[i], &ended);
    arm_new(&go, a, &first, &went);
    first.ready = 1;
    CHECK_EQ(any_turn(a), 0); // now each has its waker
    for (int i = 0; i < TELLERS; i++) {
        tellers[i] = (struct teller){
            .told = t, .count = MANY, .stride = TELLERS, .first = i};
        CHECK_EQ(
            pthread_create(&tellers[i].thread, NULL, teller_run, &tellers[i]),
            0);
    }
    while (ended < MANY)
        CHECK_EQ(any_turn(a), 0);
    for (int i = 0; i < TELLERS; i++)
        pthread_join(tellers[i].thread, NULL);
    for (int i = 0; i < MANY; i++) {
        pons_waker_drop(&t[i].waker);
        any_member_free(m[i]);
    }
    any_member_free(go);
    any_free(a);
    return ended;
}

static void
no_wake_is_lost_on_a_thread(void)
{
    CHECK_EQ(wait_for_all(NULL), 4000);
}

static void
no_wake_is_lost_in_a_fiber(void)
{
    struct pons_settings s = PONS_SETTINGS_INIT;
    struct pons_runtime *rt;
    struct pons_task *task;
    int64_t result;

    s.workers = "2";
    CHECK_EQ(pons_runtime_new(&rt, &s), 0);
    CHECK_EQ(pons_spawn(rt, wait_for_all, NULL, &task), 0);
    CHECK_EQ(pons_join(task, &result), 0);
    CHECK_EQ(result, 4000);
    pons_runtime_unref(rt);
}

static int64_t
turn_for_ever(void *arg)
{
    struct any_member *m;
    struct told t;
    int ended = 0, err;
    struct any *a;

    CHECK_EQ(any_new(&a), 0);
    arm_new(&m, a, &t, &ended);
    err = any_turn(a);
    CHECK_EQ(any_turn(a), -ECANCELED); // sticky
    any_disarm(m);
    any_member_free(m);
    any_free(a);
    (void)arg;
    return err;
}

static void
a_turn_ends_when_its_owner_is_cancelled(void)
{
    struct pons_runtime *rt;
    struct pons_task *task;
    int64_t result;

    CHECK_EQ(pons_runtime_new(&rt, NULL), 0);
    CHECK_EQ(pons_spawn(rt, turn_for_ever, NULL, &task), 0);
    pons_cancel(task);
    CHECK_EQ(pons_join(task, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    pons_runtime_unref(rt);
}

static const struct unit_test tests[] = {
    {"a_turn_calls_back_for_all_that_have_ended",
     a_turn_calls_back_for_all_that_have_ended},
    {"a_turn_polls_only_what_was_woken", a_turn_polls_only_what_was_woken},
    {"a_future_that_wakes_itself_does_not_keep_others_waiting",
     a_future_that_wakes_itself_does_not_keep_others_waiting},
    {"a_future_that_wakes_itself_is_polled_again",
     a_future_that_wakes_itself_is_polled_again},
    {"disarm_cancels_and_calls_nobody", disarm_cancels_and_calls_nobody},
    {"a_waker_may_be_used_after_its_member_is_gone",
     a_waker_may_be_used_after_its_member_is_gone},
    {"no_wake_is_lost_on_a_thread", no_wake_is_lost_on_a_thread},
    {"no_wake_is_lost_in_a_fiber", no_wake_is_lost_in_a_fiber},
    {"a_turn_ends_when_its_owner_is_cancelled",
     a_turn_ends_when_its_owner_is_cancelled},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("any", tests, argc, argv);
}
