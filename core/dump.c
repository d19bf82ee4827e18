/* SPDX-License-Identifier: MIT */
/*
 * core/dump.c - every task and what it waits for (P8).
 *
 * A waiting task is taken for a moment as if to run it (task_begin_idle), so
 * that nobody polls it while its children are followed, and given back by
 * task_pending: who woke it meanwhile has left it REWOKEN. Others are shown
 * without a look inside.
 */

#include <stdio.h>

#include "fail.h"
#include "reports.h"
#include "runtime.h"

struct dump {
    FILE *out;
    uint64_t tasks;
};

enum { TEXT = 200 }; // bytes of one description

static const struct pons_future *
innermost(const struct pons_future *f)
{
    while (f->child != NULL)
        f = f->child;
    return f;
}

static void
describe(const struct pons_future *f, char *text)
{
    f = innermost(f);
    (void)snprintf(text, TEXT, "%s", f->ops->name ? f->ops->name : "a future");
    if (f->ops->describe != NULL)
        f->ops->describe(f, text, TEXT);
}

static void
print_task(struct dump *d, const struct pons_task *t, uint32_t word,
           const char *state, const char *waits)
{
    d->tasks++;
    fprintf(d->out, "task %p %s \"%s\" born at %s: %s%s%s%s\n", (const void *)t,
            t->kind == KIND_FIBER ? "fiber" : "stackless", poni_task_name(t),
            t->where ? t->where : "?", state, waits[0] ? " in " : "", waits,
            (word & TASK_CANCELLED) ? ", cancelled" : "");
}

static void
visit_waiting(struct dump *d, struct pons_task *t)
{
    const struct pons_future *f =
        t->kind == KIND_FIBER ? t->out.waits : t->run.future;
    char waits[TEXT] = "";

    if (f != NULL)
        describe(f, waits);
    print_task(d, t, poni_load_relaxed(&t->word), "waits", waits);
    if (task_pending(&t->word) == OWES_ENQUEUE)
        poni_task_enqueue(t);
    poni_task_unref(t);
}

static void
visit(struct pons_task *t, void *arg)
{
    uint32_t word;

    if (task_begin_idle(&t->word)) {
        visit_waiting(arg, t);
        return;
    }
    /* A reference, so that it stays the same task while it is printed. */
    word = task_ref_found(&t->word);
    if (word == 0)
        return;
    print_task(arg, t, word, task_phase(word) == TASK_QUEUED ? "ready" : "runs",
               "");
    poni_task_unref(t);
}

int
pons_dump(struct pons_runtime *rt, FILE *out)
{
    struct dump d = {out, 0};
    struct poni_pool_figures pool;
    int err = poni_runtime_check(rt);

    if (err < 0)
        return err;
    poni_slab_each(&rt->slab, visit, &d);
    for (unsigned i = 0; i < rt->seat_count; i++)
        poni_slab_each(&rt->seats[i].slab, visit, &d);
    poni_pool_figures(rt->pool, &pool);
    fprintf(out, "%llu tasks; %u workers; pool: %u threads, %u jobs queued\n",
            (unsigned long long)d.tasks, rt->workers, pool.threads,
            pool.queued);
    poni_reports_print(out);
    return 0;
}
