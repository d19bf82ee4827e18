/* SPDX-License-Identifier: MIT */
/*
 * tests/await_test.c - core/await.c and the frames of core/self.c: when a wait
 * is cancelled, by whom, and what its caller is told. (What deadlines and masks
 * promise their users stands in tests/time_test.c.)
 */

#include "core/atomic.h"
#include "core/fail.h"
#include "core/runtime.h"
#include "core/self.h"
#include "everywhere.h"
#include "gate.h"

#include <string.h>

#include "pons/time.h"

/* --- the number that everything else follows from --- */

enum { FRAMES = 8 };

struct model_frame {
    struct pons_mask frame;
    enum poni_frame_kind kind;
    int open;
    uint64_t number; // of its opening
};

static struct model_frame frames[FRAMES];
static uint64_t openings;

static int
by_number(const void *a, const void *b)
{
    const struct model_frame *x = *(const struct model_frame *const *)a;
    const struct model_frame *y = *(const struct model_frame *const *)b;

    return x->number < y->number ? -1 : 1;
}

/* From the outermost inwards: a deadline brings it forward, a mask puts it off.
 */
static uint64_t
model_cancel_at(uint64_t at)
{
    struct model_frame *order[FRAMES];
    size_t n = 0;

    for (int i = 0; i < FRAMES; i++)
        if (frames[i].open)
            order[n++] = &frames[i];
    qsort(order, n, sizeof *order, by_number);
    for (size_t i = 0; i < n; i++) {
        uint64_t d = order[i]->frame.deadline_ns;

        if (order[i]->kind == FRAME_MASK)
            at = d > at ? d : at;
        else
            at = d < at ? d : at;
    }
    return at;
}

static uint64_t
random_below(uint64_t n)
{
    static uint64_t x = 88172645463325252u;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x % n;
}

/* A task that is cancelled, one that is not, and none; opened and closed in any
 * order, as scopes are. */
static void
deadlines_bring_the_cancel_forward_and_masks_put_it_off(void)
{
    struct pons_task task = {.word = TASK_RUNNING + TASK_REF};
    struct poni_context context = {.task = &task};

    poni_self.context = &context;
    for (int i = 0; i < 50000; i++) {
        struct model_frame *f = &frames[random_below(FRAMES)];
        uint64_t outermost;

        if (f->open) {
            poni_frame_close(&f->frame);
            poni_frame_close(&f->frame); // the second time is nothing
        } else {
            f->kind = random_below(2) ? FRAME_MASK : FRAME_DEADLINE;
            f->number = openings++;
            poni_frame_open(&f->frame, f->kind, 1 + random_below(6));
        }
        f->open = !f->open;
        task.word ^= random_below(2) ? TASK_CANCELLED : 0;
        poni_self.task = random_below(3) ? &task : NULL;
        outermost = poni_self.task != NULL && (task.word & TASK_CANCELLED)
                        ? 0
                        : PONS_NEVER;
        CHECK(poni_cancel_at(&poni_self) == model_cancel_at(outermost));
        CHECK_EQ(poni_cancel_due(&poni_self),
                 model_cancel_at(outermost) != PONS_NEVER); // all is long past
    }
    poni_self.context = NULL;
    poni_self.task = NULL;
}

/* --- a fiber's alarm clock --- */

struct attempt {
    struct gate gate;
    uint64_t deadline_ns, grace_ns;
    int64_t inner;
};

static int64_t
await_gate(void *arg)
{
    return gate_await(&((struct attempt *)arg)->gate);
}

static int64_t
mask_then_deadline(void *arg)
{
    struct attempt *a = arg;
    struct pons_mask m;
    int64_t answer;

    pons_mask_open(&m, a->grace_ns);
    answer = pons_timeout(a->deadline_ns, await_gate, a, &a->inner);
    pons_mask_close(&m);
    return answer;
}

static int64_t
spawn_cancel_join(pons_fiber_f *fn, struct attempt *a)
{
    struct pons_task *t;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, fn, a, &t), 0);
    gate_until_polled(&a->gate);
    pons_cancel(t);
    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

/* The wait begins with the deadline as its only end; the cancel brings in the
 * mask's, which is earlier. */
static void
body_mask_ends_first(void *unused)
{
    struct attempt a = {.deadline_ns = pons_after_ns(3600 * PONS_S),
                        .grace_ns = 20 * PONS_MS};
    uint64_t grace_ends = pons_after_ns(a.grace_ns);

    (void)unused;
    CHECK_EQ(spawn_cancel_join(mask_then_deadline, &a), 0);
    CHECK_EQ(a.inner, -ECANCELED);
    CHECK(pons_now() >= grace_ends);
}

static void
a_mask_that_ends_before_the_deadline_inside_it_ends_the_wait(void)
{
    everywhere_in_fibers(body_mask_ends_first, NULL);
}

static void
body_deadline_ends_first(void *unused)
{
    struct attempt a = {.deadline_ns = pons_after_ns(5 * PONS_MS),
                        .grace_ns = 3600 * PONS_S};

    (void)unused;
    CHECK_EQ(spawn_cancel_join(mask_then_deadline, &a), -ETIME);
    CHECK(pons_now() >= a.deadline_ns);
}

static void
a_deadline_inside_a_mask_ends_the_wait_of_a_cancelled_task(void)
{
    everywhere_in_fibers(body_deadline_ends_first, NULL);
}

/* After a wait that ended by itself nothing of its alarm is left. */
static int64_t
yield_and_open(void *arg)
{
    gate_until_awaited(arg);
    gate_open(arg);
    return 0;
}

static int64_t
opened_before_the_deadline(void *arg)
{
    struct attempt *a = arg;
    struct pons_task *opener;
    int64_t answer;

    CHECK_EQ(pons_spawn(NULL, yield_and_open, &a->gate, &opener), 0);
    CHECK_EQ(pons_timeout(a->deadline_ns, await_gate, a, &answer), 0);
    CHECK_EQ(answer, 0);
    CHECK(poni_timers_earliest(&poni_self.seat->timers) == PONS_NEVER);
    CHECK_EQ(pons_join(opener, NULL), 0);
    return 0;
}

static void
body_alarm_is_taken_back(void *unused)
{
    struct pons_task *t;

    (void)unused;
    for (int i = 0; i < 20; i++) {
        struct attempt a = {.deadline_ns = pons_after_ns(3600 * PONS_S)};

        CHECK_EQ(pons_spawn(NULL, opened_before_the_deadline, &a, &t), 0);
        CHECK_EQ(pons_join(t, NULL), 0);
    }
}

static void
a_wait_that_ends_in_time_takes_its_alarm_back(void)
{
    everywhere_in_fibers(body_alarm_is_taken_back, NULL);
}

/* --- who is told what --- */

static int64_t
await_twice(void *arg)
{
    int64_t first = await_gate(arg);

    CHECK_EQ(pons_sleep(3600 * PONS_S), -ECANCELED); // sticky inside
    CHECK_EQ(pons_yield(), -ECANCELED);
    CHECK_EQ(pons_cancelled(), 1);
    return first;
}

static int64_t
deadline_passes(void *arg)
{
    struct attempt *a = arg;
    int64_t answer = 4711;

    CHECK_EQ(pons_timeout(pons_after_ms(2), await_twice, a, &answer), -ETIME);
    CHECK_HAS(pons_last_error(), "deadline");
    CHECK_EQ(answer, 4711);
    CHECK_EQ(pons_cancelled(), 0);
    return pons_yield(); // and gone outside
}

static void
body_sticky_inside(void *unused)
{
    struct attempt a = {.inner = 0};

    (void)unused;
    CHECK_EQ(deadline_passes(&a), 0);
    CHECK_EQ(a.gate.cancels, 1);
}

static void
a_deadline_is_sticky_inside_and_gone_outside(void)
{
    everywhere(body_sticky_inside, NULL);
}

static int64_t
cancelled_under_a_deadline(void *arg)
{
    struct attempt *a = arg;

    CHECK_EQ(
        pons_timeout(pons_after_ns(3600 * PONS_S), await_twice, a, &a->inner),
        0);
    CHECK_EQ(pons_yield(), -ECANCELED);
    return a->inner;
}

/* Both at once: the cancel goes further, so it is what is told. */
static int64_t
cancelled_and_late(void *arg)
{
    struct attempt *a = arg;
    struct pons_mask m;

    CHECK_EQ(gate_await(&a->gate), -ECANCELED);
    CHECK_EQ(pons_timeout(0, await_gate, a, &a->inner), 0);
    CHECK_EQ(a->inner, -ECANCELED);
    pons_mask_open(&m, 3600 * PONS_S); // here only the deadline is to blame
    CHECK_EQ(pons_timeout(0, await_gate, a, &a->inner), -ETIME);
    CHECK_EQ(pons_timeout(PONS_NEVER, await_gate, a, &a->inner), 0);
    CHECK_EQ(a->inner, 0); // it was opened
    pons_mask_close(&m);
    return pons_yield();
}

static int64_t
open_when_cancelled(void *arg)
{
    struct attempt *a = arg;

    while (poni_load_acquire(&a->gate.cancels) < 3)
        let_others_run();
    gate_until_awaited(&a->gate);
    gate_open(&a->gate);
    return 0;
}

static void
body_told(void *unused)
{
    struct attempt a = {.inner = 0}, b = {.inner = 0};
    struct pons_task *opener;

    (void)unused;
    CHECK_EQ(spawn_cancel_join(cancelled_under_a_deadline, &a), -ECANCELED);
    CHECK_EQ(pons_spawn(NULL, open_when_cancelled, &b, &opener), 0);
    CHECK_EQ(spawn_cancel_join(cancelled_and_late, &b), -ECANCELED);
    CHECK_EQ(pons_join(opener, NULL), 0);
}

static void
a_cancel_is_ecanceled_and_a_deadline_of_ones_own_is_etime(void)
{
    everywhere_in_fibers(body_told, NULL);
}

/* --- the loser is awaited --- */

/* Does not end when it is asked to, and then succeeds. */
struct stubborn {
    struct pons_future base;
    struct gate_wait wait;
    uint32_t asked;
};

static enum pons_poll
stubborn_poll(struct pons_future *f, struct pons_waker *w)
{
    struct stubborn *s = pons_container_of(f, struct stubborn, base);

    if (pons_future_poll(&s->wait.base, w) == PONS_PENDING)
        return PONS_PENDING;
    f->result = 99;
    return PONS_READY;
}

static void
stubborn_cancel(struct pons_future *f)
{
    struct stubborn *s = pons_container_of(f, struct stubborn, base);

    poni_store_release(&s->asked, s->asked + 1);
}

static const struct pons_future_ops stubborn_ops = {
    .size = sizeof stubborn_ops,
    .name = "stubborn",
    .poll = stubborn_poll,
    .cancel = stubborn_cancel,
};

struct contest {
    struct stubborn stubborn;
    struct gate gate;
};

static int64_t
await_stubborn(void *arg)
{
    return pons_await(&((struct contest *)arg)->stubborn.base);
}

static int64_t
open_once_asked(void *arg)
{
    struct contest *c = arg;

    while (!poni_load_acquire(&c->stubborn.asked))
        let_others_run();
    gate_open(&c->gate);
    return 0;
}

static void
body_loser(void *unused)
{
    struct contest c = {.gate = {0}};
    struct agent opener;
    int64_t answer;

    (void)unused;
    pons_future_init(&c.stubborn.base, &stubborn_ops);
    gate_wait_init(&c.stubborn.wait, &c.gate);
    agent_start(&opener, open_once_asked, &c);
    CHECK_EQ(pons_timeout(pons_after_ms(2), await_stubborn, &c, &answer), 0);
    CHECK_EQ(answer, 99);
    CHECK_EQ(c.stubborn.asked, 1); // once, however long it takes
    CHECK_EQ(agent_join(&opener), 0);
}

static void
p3_a_loser_is_asked_once_awaited_and_may_succeed(void)
{
    everywhere(body_loser, NULL);
}

/* --- fibers that move --- */

static int64_t
time_out_again_and_again(void *unused)
{
    struct attempt a = {.inner = 0};

    (void)unused;
    for (int i = 0; i < 30; i++) {
        a.gate = (struct gate){0};
        CHECK_EQ(pons_timeout(pons_after_ns((uint64_t)(i % 3) * PONS_US),
                              await_gate, &a, &a.inner),
                 -ETIME);
        CHECK_EQ(pons_yield(), 0);
    }
    return 0;
}

static void
body_movers(void *unused)
{
    enum { MOVERS = 60 };
    struct pons_spawn_options o = {.size = sizeof o,
                                   .flags = PONS_SPAWN_MIGRATABLE};
    struct pons_task *t[MOVERS];

    (void)unused;
    for (int i = 0; i < MOVERS; i++)
        CHECK_EQ(
            pons_spawn_with(NULL, time_out_again_and_again, NULL, &t[i], &o),
            0);
    for (int i = 0; i < MOVERS; i++)
        CHECK_EQ(pons_join(t[i], NULL), 0);
}

static void
deadlines_follow_a_fiber_that_changes_threads(void)
{
    everywhere_in_fibers(body_movers, NULL);
}

/* --- what a failure is told of --- */

static int64_t
naps(void *arg)
{
    (void)arg;
    return pons_sleep(PONS_S);
}

static void
body_sentences(void *unused)
{
    struct pons_stream *s[2];
    int64_t answer;
    char line[8];

    (void)unused;
    stream_pair(s);
    CHECK_EQ(poni_fail(-EIO, "an earlier one"), -EIO);
    CHECK_EQ(pons_send(s[1], "x", 1), 1);
    CHECK_EQ(pons_recv(s[0], line, 1), 1);
    CHECK_HAS(pons_last_error(), "an earlier one"); // success keeps it
    pons_stream_close(s[1]);
    CHECK_EQ(pons_read_line(s[0], line, sizeof line), -ENODATA);
    CHECK_HAS(pons_last_error(), "read_line: the other side ended");
    CHECK_EQ(pons_send(s[0], "x", 1), -EPIPE);
    CHECK_HAS(pons_last_error(), "send: the other side has closed");
    CHECK_EQ(pons_timeout(pons_after_ns(0), naps, NULL, &answer), -ETIME);
    CHECK_HAS(pons_last_error(), "deadline");
    pons_stream_close(s[0]);
}

static void
p6_each_call_that_fails_leaves_its_own_sentence(void)
{
    everywhere(body_sentences, NULL);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(deadlines_bring_the_cancel_forward_and_masks_put_it_off),
    T(a_mask_that_ends_before_the_deadline_inside_it_ends_the_wait),
    T(a_deadline_inside_a_mask_ends_the_wait_of_a_cancelled_task),
    T(a_wait_that_ends_in_time_takes_its_alarm_back),
    T(a_deadline_is_sticky_inside_and_gone_outside),
    T(a_cancel_is_ecanceled_and_a_deadline_of_ones_own_is_etime),
    T(p3_a_loser_is_asked_once_awaited_and_may_succeed),
    T(deadlines_follow_a_fiber_that_changes_threads),
    T(p6_each_call_that_fails_leaves_its_own_sentence),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("await", tests, argc, argv);
}
