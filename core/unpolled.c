/* SPDX-License-Identifier: MIT */
/*
 * core/unpolled.c - debug builds: futures that were initialised and never
 * polled.
 *
 * Usually a forgotten PONS_AWAIT. A table of addresses, under one lock: put in
 * by init, taken out by the first poll; who initialises one again, ends a task,
 * or frees a runtime is told of what is left.
 */

#include "future.h"

#ifdef PONS_DEBUG

#include <pthread.h>
#include <string.h>

#include "fail.h"
#include "lock.h"
#include "self.h"

enum { TABLE = 4096 }; // what does not fit is not watched

struct unpolled {
    const struct pons_future *future;
    const void *owner; // the task that initialised it, or NULL
    const char *name;
};

static struct unpolled table[TABLE];
static uint32_t lock;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned watched; // entries in use; read without the lock, as a hint

static unsigned
table_slot(const struct pons_future *f)
{
    return (unsigned)(((uintptr_t)f >> 3) * 0x9e3779b97f4a7c15u >> 52) % TABLE;
}

static void
unpolled_log(const struct unpolled *u)
{
    poni_log(PONS_LOG_WARN, "task",
             "a future \"%s\" was initialised and never polled: PONS_AWAIT or "
             "pons_await() is missing",
             u->name);
}

/* Who held the lock, and who initialised what is there, is not in the child. */
static void
after_fork_child(void)
{
    memset(table, 0, sizeof table);
    watched = 0;
    lock = LOCK_FREE;
}

static void
watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, after_fork_child);
}

void
poni_unpolled_add(const struct pons_future *f)
{
    struct unpolled *u = &table[table_slot(f)], before;

    pthread_once(&once, watch_forks);
    poni_lock(&lock);
    before = *u;
    if (before.future == NULL)
        poni_store_relaxed(&watched, watched + 1);
    *u = (struct unpolled){f, poni_self_now()->task, f->ops->name};
    poni_unlock(&lock);
    if (before.future == f)
        unpolled_log(&before);
}

void
poni_unpolled_remove(const struct pons_future *f)
{
    struct unpolled *u = &table[table_slot(f)];

    poni_lock(&lock);
    if (u->future == f) {
        u->future = NULL;
        poni_store_relaxed(&watched, watched - 1);
    }
    poni_unlock(&lock);
}

unsigned
poni_unpolled_report(const void *owner)
{
    unsigned found = 0;

    for (unsigned i = 0; i < TABLE && poni_load_relaxed(&watched) > 0; i++) {
        struct unpolled u;

        poni_lock(&lock);
        u = table[i];
        if (u.future != NULL && u.owner == owner) {
            table[i].future = NULL;
            poni_store_relaxed(&watched, watched - 1);
        }
        poni_unlock(&lock);
        if (u.future == NULL || u.owner != owner)
            continue;
        unpolled_log(&u);
        found++;
    }
    return found;
}

#else

typedef int poni_unpolled_is_for_debug_builds;

#endif
