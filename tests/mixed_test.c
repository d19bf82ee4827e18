/* SPDX-License-Identifier: MIT */
/*
 * tests/mixed_test.c - two runtimes with different reactors in one process:
 * they hand each other work, and streams.
 */

#include <sys/socket.h>

#include "everywhere.h"
#include "pons/socket.h"

enum { TURNS = 100 };

typedef void pair_f(struct pons_runtime *a, struct pons_runtime *b);

/* With each reactor beside each other one, of 1 worker and of 2. */
static void
each_pair(pair_f *test)
{
    for (const char *const *x = reactors_here(); *x != NULL; x++)
        for (const char *const *y = reactors_here(); *y != NULL; y++) {
            struct pons_runtime *a = runtime_of(*x, "1");
            struct pons_runtime *b = runtime_of(*y, "2");

            test(a, b);
            pons_runtime_unref(b);
            pons_runtime_unref(a);
        }
}

static int64_t
joined(struct pons_task *t)
{
    int64_t answer;

    CHECK_EQ(pons_join(t, &answer), 0);
    return answer;
}

/* --- streams --- */

/* Sends back what comes, one byte at a time, until the end. */
static int64_t
echoes(void *stream)
{
    int64_t n, all = 0;
    char byte;

    while ((n = pons_recv(stream, &byte, 1)) == 1) {
        CHECK_EQ(pons_send(stream, &byte, 1), 1);
        all++;
    }
    CHECK_EQ(n, 0);
    return all;
}

static int64_t
asks(void *stream)
{
    for (int i = 0; i < TURNS; i++) {
        char sent = (char)i, byte;

        CHECK_EQ(pons_send(stream, &sent, 1), 1);
        CHECK_EQ(pons_recv(stream, &byte, 1), 1);
        CHECK_EQ(byte, sent);
    }
    return 0;
}

static int64_t
asks_and_ends(void *stream)
{
    (void)asks(stream);
    return pons_shutdown(stream, SHUT_WR);
}

/* Each end is used by one runtime, then by the other: its home stays. */
static void
streams_of(struct pons_runtime *a, struct pons_runtime *b)
{
    struct pons_task *echo, *ask;
    struct pons_stream *s[2];

    stream_pair(s);
    CHECK_EQ(pons_spawn(a, echoes, s[0], &echo), 0);
    CHECK_EQ(pons_spawn(b, asks, s[1], &ask), 0);
    CHECK_EQ(joined(ask), 0);
    CHECK_EQ(pons_spawn(a, asks_and_ends, s[1], &ask), 0);
    CHECK_EQ(joined(ask), 0);
    CHECK_EQ(joined(echo), 2 * TURNS);
    CHECK_EQ(pons_spawn(b, echoes, s[0], &echo), 0);
    CHECK_EQ(joined(echo), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

static void
runtimes_with_different_reactors_share_streams(void)
{
    each_pair(streams_of);
}

/* --- work --- */

struct work {
    struct pons_runtime *there;
    int turns;
};

static int64_t
adds_one(void *n)
{
    return ++*(int *)n;
}

/* Every turn is a task of the other runtime, which this one's waits for. */
static int64_t
hands_over(void *arg)
{
    struct work *w = arg;
    struct pons_task *t;

    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(pons_spawn(w->there, adds_one, &w->turns, &t), 0);
        CHECK_EQ(joined(t), i + 1);
    }
    return w->turns;
}

static void
work_of(struct pons_runtime *a, struct pons_runtime *b)
{
    struct work there = {.there = b}, here = {.there = a};
    struct pons_task *x, *y;

    CHECK_EQ(pons_spawn(a, hands_over, &there, &x), 0);
    CHECK_EQ(pons_spawn(b, hands_over, &here, &y), 0);
    CHECK_EQ(joined(x), TURNS);
    CHECK_EQ(joined(y), TURNS);
}

static void
runtimes_with_different_reactors_hand_each_other_work(void)
{
    each_pair(work_of);
}

static const struct unit_test tests[] = {
    {"runtimes_with_different_reactors_share_streams",
     runtimes_with_different_reactors_share_streams},
    {"runtimes_with_different_reactors_hand_each_other_work",
     runtimes_with_different_reactors_hand_each_other_work},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("mixed", tests, argc, argv);
}
