/* SPDX-License-Identifier: MIT */
/*
 * tests/slab_test.c - core/slab.h: slots are given out once, come back from
 * anywhere, and stay words that may be looked at.
 */

#include "core/slab.h"
#include "crew.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PER_CHUNK = SLAB_CHUNK / sizeof(struct pons_task),
    MANY = 5 * PER_CHUNK, // so that it grows several times
};

static struct poni_slab slab;
static struct pons_task *slots[MANY];

/* As task.c marks a task that lives. */
static void
mark(struct pons_task *t, uint32_t mark)
{
    poni_store_release(&t->word, mark * TASK_REF);
}

static void
count_visit(struct pons_task *t, void *arg)
{
    (void)t;
    ++*(unsigned *)arg;
}

static unsigned
slab_slots(struct poni_slab *s)
{
    unsigned n = 0;

    poni_slab_each(s, count_visit, &n);
    return n;
}

static void
live_visit(struct pons_task *t, void *arg)
{
    *(unsigned *)arg += task_refs(poni_load_acquire(&t->word)) > 0;
}

static unsigned
slab_live(struct poni_slab *s)
{
    unsigned n = 0;

    poni_slab_each(s, live_visit, &n);
    return n;
}

static void
pop_many(int count)
{
    for (int i = 0; i < count; i++) {
        slots[i] = poni_slab_pop(&slab);
        CHECK(slots[i] != NULL);
        mark(slots[i], 1);
    }
}

static int
by_address(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;

    return (x > y) - (x < y);
}

static void
slots_do_not_overlap_however_many_there_are(void)
{
    poni_slab_init(&slab, 0);
    pop_many(MANY);
    qsort(slots, MANY, sizeof *slots, by_address);
    for (int i = 1; i < MANY; i++)
        CHECK((char *)slots[i] >= (char *)(slots[i - 1] + 1));
    for (int i = 0; i < MANY; i++)
        memset(slots[i], 0xff, sizeof *slots[i]);
    CHECK_EQ(slab.spawned, MANY);
    poni_slab_fini(&slab);
}

static void
each_visits_every_slot_that_was_given_out(void)
{
    poni_slab_init(&slab, 0);
    CHECK_EQ(slab_slots(&slab), 0);
    pop_many(MANY);
    CHECK_EQ(slab_slots(&slab), MANY);
    CHECK_EQ(slab_live(&slab), MANY);
    for (int i = 0; i < MANY; i += 2) {
        mark(slots[i], 0);
        poni_slab_push(&slab, slots[i]);
    }
    CHECK_EQ(slab_live(&slab), MANY / 2);
    CHECK_EQ(slab_slots(&slab), MANY);
    poni_slab_fini(&slab);
}

static void
fresh_slots_have_no_references(void)
{
    poni_slab_init(&slab, 0);
    for (int i = 0; i < 2 * PER_CHUNK; i++)
        CHECK_EQ(poni_slab_pop(&slab)->word, 0);
    poni_slab_fini(&slab);
}

static void
what_the_owner_frees_is_given_out_next(void)
{
    struct pons_task *a, *b;

    poni_slab_init(&slab, 0);
    a = poni_slab_pop(&slab);
    b = poni_slab_pop(&slab);
    poni_slab_push(&slab, a);
    poni_slab_push(&slab, b);
    CHECK(poni_slab_pop(&slab) == b);
    CHECK(poni_slab_pop(&slab) == a);
    CHECK_EQ(slab_slots(&slab), 2);
    poni_slab_fini(&slab);
}

static void
what_others_free_is_given_out_when_the_owner_has_no_more(void)
{
    struct pons_task *a, *b, *c, *d;

    poni_slab_init(&slab, 0);
    a = poni_slab_pop(&slab);
    b = poni_slab_pop(&slab);
    c = poni_slab_pop(&slab);
    poni_slab_push(NULL, a);
    poni_slab_push(NULL, b);
    poni_slab_push(&slab, c);
    CHECK(poni_slab_pop(&slab) == c);
    d = poni_slab_pop(&slab);
    CHECK(d == a || d == b);
    CHECK(poni_slab_pop(&slab) == (d == a ? b : a));
    CHECK_EQ(slab_slots(&slab), 3);
    poni_slab_fini(&slab);
}

static void
a_task_goes_back_to_its_own_slab(void)
{
    struct poni_slab other;
    struct pons_task *t;

    poni_slab_init(&slab, 0);
    poni_slab_init(&other, 0);
    t = poni_slab_pop(&slab);
    poni_slab_push(&other, t);
    CHECK(poni_slab_pop(&other) != t);
    CHECK(poni_slab_pop(&slab) == t);
    poni_slab_fini(&slab);
    poni_slab_fini(&other);
}

static void
fini_gives_the_memory_back(void)
{
    void *pages[2];

    poni_slab_init(&slab, 0);
    pop_many(2 * PER_CHUNK);
    for (int i = 0; i < 2; i++)
        pages[i] = (void *)((uintptr_t)slots[i * (2 * PER_CHUNK - 1)] &
                            ~(uintptr_t)(SLAB_CHUNK - 1));
    CHECK(pages[0] != pages[1]);
    poni_slab_fini(&slab);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(msync(pages[i], SLAB_CHUNK, MS_ASYNC), -1);
        CHECK_EQ(errno, ENOMEM);
    }
}

/* --- threads --- */

enum { HANDOVERS = 200000, WINDOW = 64, FOREIGNERS = 3, SHARERS = 4 };

static struct pons_task *ring[FOREIGNERS][WINDOW]; // owner -> foreigner
static int stop;

/* The owner makes tasks and others free them: the memory does not grow. */
static void
owner_and_foreigners(int who)
{
    struct pons_task **mine;
    unsigned done = 0;

    if (who == 0) {
        for (int i = 0; i < HANDOVERS; i++) {
            struct pons_task **slot =
                &ring[i % FOREIGNERS][i / FOREIGNERS % WINDOW];
            struct pons_task *t = poni_slab_pop(&slab);

            CHECK_EQ(task_refs(t->word), 0); // nobody else has it
            mark(t, 1);
            t->where = "somewhere"; // plain: given on by release
            while (poni_load_acquire(slot) != NULL)
                crew_relax();
            poni_store_release(slot, t);
        }
        poni_store_release(&stop, 1);
        return;
    }
    mine = ring[who - 1];
    for (;;) {
        struct pons_task **slot = &mine[done % WINDOW];
        int last = poni_load_acquire(&stop);
        struct pons_task *t = poni_load_acquire(slot);

        if (t == NULL) {
            if (last)
                return;
            crew_relax();
            continue;
        }
        CHECK_HAS(t->where, "somewhere");
        t->where = NULL;
        mark(t, 0);
        poni_slab_push(NULL, t);
        poni_store_release(slot, NULL);
        done++;
    }
}

static void
foreign_returns_are_lost_by_nobody(void)
{
    poni_slab_init(&slab, 0);
    crew_run(1 + FOREIGNERS, owner_and_foreigners);
    CHECK_EQ(slab.spawned, HANDOVERS);
    CHECK_EQ(slab_live(&slab), 0);
    CHECK(slab_slots(&slab) <= FOREIGNERS * (WINDOW + 1) + 1);
    poni_slab_fini(&slab);
}

static void
share(int who)
{
    struct pons_task *mine[WINDOW] = {NULL};

    for (int i = 0; i < HANDOVERS / SHARERS; i++) {
        struct pons_task **t = &mine[i % WINDOW];

        if (*t != NULL) {
            CHECK_EQ(task_refs((*t)->word), who + 1);
            mark(*t, 0);
            poni_slab_push(NULL, *t);
        }
        *t = poni_slab_pop(&slab);
        CHECK_EQ(task_refs((*t)->word), 0);
        mark(*t, (uint32_t)who + 1);
    }
}

static void
any_thread_may_use_a_shared_slab(void)
{
    poni_slab_init(&slab, 1);
    crew_run(SHARERS, share);
    CHECK_EQ(slab.spawned, HANDOVERS);
    CHECK_EQ(slab_live(&slab), SHARERS * WINDOW);
    poni_slab_fini(&slab);
}

static void
grow_and_look(int who)
{
    unsigned before = 0, now;

    if (who == 0) {
        pop_many(MANY);
        poni_store_release(&stop, 1);
        return;
    }
    while (!poni_load_acquire(&stop)) {
        now = slab_slots(&slab);
        CHECK(now >= before);
        CHECK(slab_live(&slab) <= MANY);
        before = now;
    }
}

static void
each_may_look_while_the_owner_grows(void)
{
    poni_slab_init(&slab, 0);
    crew_run(2, grow_and_look);
    CHECK_EQ(slab_live(&slab), MANY);
    poni_slab_fini(&slab);
}

static const struct unit_test tests[] = {
    {"slots_do_not_overlap_however_many_there_are",
     slots_do_not_overlap_however_many_there_are},
    {"each_visits_every_slot_that_was_given_out",
     each_visits_every_slot_that_was_given_out},
    {"fresh_slots_have_no_references", fresh_slots_have_no_references},
    {"what_the_owner_frees_is_given_out_next",
     what_the_owner_frees_is_given_out_next},
    {"what_others_free_is_given_out_when_the_owner_has_no_more",
     what_others_free_is_given_out_when_the_owner_has_no_more},
    {"a_task_goes_back_to_its_own_slab", a_task_goes_back_to_its_own_slab},
    {"fini_gives_the_memory_back", fini_gives_the_memory_back},
    {"foreign_returns_are_lost_by_nobody", foreign_returns_are_lost_by_nobody},
    {"any_thread_may_use_a_shared_slab", any_thread_may_use_a_shared_slab},
    {"each_may_look_while_the_owner_grows",
     each_may_look_while_the_owner_grows},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("slab", tests, argc, argv);
}
