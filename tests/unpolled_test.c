/* SPDX-License-Identifier: MIT */
/*
 * tests/unpolled_test.c - what debug builds say of futures and scopes that are
 * forgotten.
 */

#include <string.h>

#include "everywhere.h"
#include "pons/error.h"
#include "pons/scope.h"
#include "pons/time.h"

static char heard[4096];

static void
hear(void *arg, enum pons_log_level level, const char *part, const char *line)
{
    (void)arg;
    (void)level;
    (void)part;
    strncat(heard, line, sizeof heard - strlen(heard) - 1);
}

/* Inside one worker, whose end is awaited: `heard` needs no lock. */
static void
run(pons_fiber_f *fn)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct pons_task *t;

    *heard = '\0';
    pons_log_hook(hear, NULL, PONS_LOG_WARN);
    CHECK_EQ(pons_spawn(rt, fn, NULL, &t), 0);
    CHECK_EQ(pons_join(t, NULL), 0);
    pons_runtime_unref(rt);
    pons_log_hook(NULL, NULL, PONS_LOG_OFF);
}

static int64_t
forgets_a_sleep(void *arg)
{
    struct pons_sleep s;

    (void)arg;
    pons_sleep_init(&s, pons_after_ms(1));
    return 0;
}

static int64_t
awaits_a_sleep(void *arg)
{
    struct pons_sleep s;

    (void)arg;
    pons_sleep_init(&s, pons_after_ns(1));
    return pons_await(&s.base);
}

static int64_t
forgets_a_scope(void *arg)
{
    static struct pons_scope s; // outlives the report

    (void)arg;
    pons_scope_open(&s, PONS_NEVER);
    return 0;
}

#ifdef PONS_DEBUG
static void
needs_debug_build(void)
{
}
#else
static void
needs_debug_build(void)
{
    SKIP("this is no debug build");
}
#endif

static void
future_that_was_never_polled_is_named(void)
{
    needs_debug_build();
    run(forgets_a_sleep);
    CHECK_HAS(heard, "\"sleep\" was initialised and never polled");
}

static void
future_that_was_awaited_is_not(void)
{
    run(awaits_a_sleep);
    CHECK_EQ(strcmp(heard, ""), 0);
}

static void
scope_that_was_never_closed_is_named_with_its_task(void)
{
    needs_debug_build();
    run(forgets_a_scope);
    CHECK_HAS(heard, "never closed");
    CHECK_HAS(heard, "unpolled_test.c:");
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(future_that_was_never_polled_is_named),
    T(future_that_was_awaited_is_not),
    T(scope_that_was_never_closed_is_named_with_its_task),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("unpolled", tests, argc, argv);
}
