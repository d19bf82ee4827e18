/* SPDX-License-Identifier: MIT */
/* tests/main_test.c - what PONS_MAIN calls; see also main_program.c. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pons/pons.h"
#include "unit.h"

enum { ROUNDS = 500, LARGE = 8 << 20 };

static char *no_arguments[] = {NULL};

static int
where_it_starts(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return gettid() == getpid() ? 7 : 8;
}

/* The other worker still looks for work when main is spawned. */
static void
main_starts_on_the_thread_that_calls(void)
{
    setenv("PONS_WORKERS", "2", 1);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQ(pons_main(where_it_starts, 0, no_arguments), 7);
}

/* --- no memory for main's stack --- */

static int refuses_large;

void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);

void *
__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    if (refuses_large && n >= LARGE) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(at, n, prot, flags, fd, off);
}

static void
without_a_stack_main_is_not_called_and_that_is_said(void)
{
    char said[256] = "";
    int ends[2], status;

    CHECK_EQ(pipe(ends), 0);
    CHECK(dup2(ends[1], STDERR_FILENO) >= 0);
    refuses_large = 1;
    status = pons_main(where_it_starts, 0, no_arguments);
    dup2(STDOUT_FILENO, STDERR_FILENO);
    CHECK_EQ(status, 2);
    CHECK(read(ends[0], said, sizeof said - 1) > 0);
    CHECK_HAS(said, "pons: main was not called: no memory for its stack\n");
    close(ends[0]);
    close(ends[1]);
}

static const struct unit_test tests[] = {
    {"main_starts_on_the_thread_that_calls",
     main_starts_on_the_thread_that_calls},
    {"without_a_stack_main_is_not_called_and_that_is_said",
     without_a_stack_main_is_not_called_and_that_is_said},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("main", tests, argc, argv);
}
