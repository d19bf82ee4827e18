/* SPDX-License-Identifier: MIT */
/*
 * tests/line_test.c - pons_read_line(): where a line ends, and that what is not
 * in it stays to be read, in order, by whoever comes next.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/error.h"
#include "pons/time.h"

enum {
    LINES = 120, // that several readers share
    READERS = 4,
    LONG = 10000, // bytes
};

/* All of `text` is sent, and the end with it. The reading end. */
static struct pons_stream *
stream_of(const char *text)
{
    struct pons_stream *ends[2];

    stream_pipe(ends);
    CHECK_EQ(pons_send_all(ends[1], text, strlen(text)), strlen(text));
    pons_stream_close(ends[1]);
    return ends[0];
}

/* The next line in a buffer of `size` bytes is `expected`. */
static void
expect(struct pons_stream *s, size_t size, const char *expected)
{
    char *buffer = malloc(size); // of that size, for ASan
    int64_t n = pons_read_line(s, buffer, size);

    if (n != (int64_t)strlen(expected))
        fprintf(stderr, "\"%s\" is %lld\n", expected, (long long)n);
    CHECK_EQ(n, strlen(expected));
    CHECK_EQ(strcmp(buffer, expected), 0);
    free(buffer);
}

static void
expect_error(struct pons_stream *s, size_t size, int64_t error)
{
    char *buffer = malloc(size);

    CHECK_EQ(pons_read_line(s, buffer, size), error);
    free(buffer);
}

static void
expect_rest(struct pons_stream *s, const char *rest)
{
    char bytes[64];
    size_t have = 0;
    int64_t n;

    while ((n = pons_recv(s, bytes + have, sizeof bytes - have)) > 0)
        have += (size_t)n;
    CHECK_EQ(n, 0);
    CHECK_EQ(have, strlen(rest));
    CHECK(memcmp(bytes, rest, have) == 0);
}

static void
lines_body(void *arg)
{
    struct pons_stream *s = stream_of("one\ntwo\r\n\n\r\nwith \r inside\nlast");

    (void)arg;
    expect(s, 32, "one");
    expect(s, 32, "two");
    expect(s, 32, "");
    expect(s, 32, "");
    expect(s, 32, "with \r inside");
    expect(s, 32, "last");
    expect_error(s, 32, -ENODATA);
    expect_error(s, 32, -ENODATA);
    pons_stream_close(s);
}

static void
lines_end_with_either_mark_or_the_end(void)
{
    everywhere(lines_body, NULL);
}

static void
edge_body(void *arg)
{
    struct pons_stream *s;

    (void)arg;
    s = stream_of("abc\r\nd");
    expect(s, 4, "abc"); // "\r" is the last that fits, "\n" does not
    expect(s, 2, "d");
    pons_stream_close(s);
    s = stream_of("abc\n\nd\n");
    expect(s, 4, "abc");
    expect(s, 1, "");
    expect(s, 2, "d");
    pons_stream_close(s);
    s = stream_of("\r\nx");
    expect(s, 1, "");
    expect(s, 2, "x");
    pons_stream_close(s);
    s = stream_of("abc"); // fits with its 0, and the end comes
    expect(s, 4, "abc");
    pons_stream_close(s);
    s = stream_of("abc\r"); // "\r" without "\n" belongs to the line
    expect_error(s, 4, -EMSGSIZE);
    expect(s, 5, "abc\r");
    pons_stream_close(s);
}

static void
mark_may_stand_across_the_edge_of_the_buffer(void)
{
    everywhere(edge_body, NULL);
}

static void
too_long_body(void *arg)
{
    struct pons_stream *s = stream_of("abcd\nabc\rX\nabcd");

    (void)arg;
    expect_error(s, 4, -EMSGSIZE);
    CHECK_HAS(pons_last_error(), "4 bytes");
    expect_error(s, 1, -EMSGSIZE);
    expect(s, 5, "abcd"); // it stayed
    expect_error(s, 4, -EMSGSIZE);
    expect(s, 64, "abc\rX");
    expect_error(s, 4, -EMSGSIZE);
    expect_rest(s, "abcd");
    expect_error(s, 4, -ENODATA);
    CHECK_EQ(pons_read_line(s, NULL, 0), -EINVAL);
    pons_stream_close(s);
}

static void
line_that_does_not_fit_stays(void)
{
    everywhere(too_long_body, NULL);
}

static void
beyond_body(void *arg)
{
    struct pons_stream *s = stream_of("head\r\nbody of it");
    char four[4];

    (void)arg;
    expect(s, 64, "head");
    CHECK_EQ(pons_recv(s, four, 4), 4); // less than there is
    CHECK(memcmp(four, "body", 4) == 0);
    expect_rest(s, " of it");
    pons_stream_close(s);
}

static void
what_is_beyond_the_line_is_received_next(void)
{
    everywhere(beyond_body, NULL);
}

static void
readable_body(void *arg)
{
    struct pons_stream *s = stream_of("head\nbody");
    char bytes[4];

    (void)arg;
    expect(s, 64, "head");
    CHECK(pons_ready_wait(s, POLLIN) & POLLIN);
    CHECK_EQ(pons_recv(s, bytes, 4), 4);
    CHECK_EQ(pons_ready_wait(s, POLLIN), POLLHUP);
    pons_stream_close(s);
}

static void
what_is_beyond_the_line_makes_the_stream_readable(void)
{
    everywhere(readable_body, NULL);
}

/* --- in parts --- */

struct asks {
    struct pons_stream *s;
    char line[LONG + 2];
    size_t size;
    int64_t result;
};

static int64_t
reads_line(void *arg)
{
    struct asks *a = arg;

    return pons_read_line(a->s, a->line, a->size ? a->size : sizeof a->line);
}

static void
parts_body(void *arg)
{
    struct pons_stream *pair[2];
    struct asks *r = calloc(1, sizeof *r);
    struct agent a;

    (void)arg;
    stream_pair(pair);
    r->s = pair[0];
    agent_start(&a, reads_line, r);
    for (const char *c = "a\rb\r"; *c != '\0'; c++) {
        stream_until(pair[0], 0, 1); // it waits again
        CHECK_EQ(pons_send(pair[1], c, 1), 1);
        while (recv(pons_stream_fd(pair[0]), r->line + LONG, 1,
                    MSG_PEEK | MSG_DONTWAIT) > 0)
            let_others_run(); // until it has taken that
    }
    CHECK_EQ(pons_send(pair[1], "\nc", 2), 2);
    CHECK_EQ(agent_join(&a), 3);
    CHECK_EQ(strcmp(r->line, "a\rb"), 0);
    pons_stream_close(pair[1]);
    expect_rest(pair[0], "c");
    pons_stream_close(pair[0]);
    free(r);
}

static void
line_comes_byte_by_byte(void)
{
    everywhere(parts_body, NULL);
}

static int64_t
sends_long_line(void *arg)
{
    char *bytes = malloc(LONG + 4);
    int64_t n;

    memset(bytes, 'x', LONG);
    strcpy(bytes + LONG, "\r\nz");
    n = pons_send_all(arg, bytes, LONG + 3);
    free(bytes);
    return n;
}

static void
long_line_body(void *arg)
{
    struct asks *r = calloc(1, sizeof *r);
    struct pons_stream *pair[2];
    struct agent a;

    (void)arg;
    stream_pair(pair);
    agent_start(&a, sends_long_line, pair[1]);
    r->s = pair[0];
    r->size = LONG + 1;
    CHECK_EQ(reads_line(r), LONG);
    CHECK_EQ(strlen(r->line), LONG);
    CHECK_EQ(agent_join(&a), LONG + 3);
    pons_stream_close(pair[1]);
    expect_rest(pair[0], "z");
    pons_stream_close(pair[0]);
    free(r);
}

static void
long_line_fits_exactly(void)
{
    everywhere(long_line_body, NULL);
}

/* --- that ends before the line does --- */

static int64_t
reads_line_in_time(void *arg)
{
    struct asks *a = arg;
    uint64_t soon = pons_after_ns(1000000);
    int err = pons_timeout(soon, reads_line, a, &a->result);

    CHECK(err == -ETIME);
    CHECK(pons_now() >= soon);
    return 0;
}

static void
late_body(void *arg)
{
    struct asks *r = calloc(1, sizeof *r);
    struct pons_stream *pair[2];

    (void)arg;
    stream_pair(pair);
    r->s = pair[0];
    CHECK_EQ(pons_send(pair[1], "half a ", 7), 7);
    CHECK_EQ(reads_line_in_time(r), 0);
    CHECK_EQ(reads_line_in_time(r), 0); // again, with bytes given back
    CHECK_EQ(pons_send(pair[1], "line\nmore", 9), 9);
    pons_stream_close(pair[1]);
    expect(pair[0], 64, "half a line");
    expect_rest(pair[0], "more");
    pons_stream_close(pair[0]);
    free(r);
}

static void
line_that_is_cancelled_gives_its_bytes_back(void)
{
    everywhere(late_body, NULL);
}

static void
closed_body(void *arg)
{
    struct asks *r = calloc(1, sizeof *r);
    struct pons_stream *pair[2];
    struct agent a;

    (void)arg;
    stream_pair(pair);
    CHECK_EQ(pons_send(pair[1], "half", 4), 4);
    r->s = pair[0];
    agent_start(&a, reads_line, r);
    stream_until(pair[0], 0, 1);
    pons_stream_close(pair[0]);
    CHECK_EQ(agent_join(&a), -ECANCELED);
    pons_stream_close(pair[1]);
    free(r);
}

static void
close_ends_a_line_that_is_being_read(void)
{
    everywhere(closed_body, NULL);
}

/* --- several readers --- */

struct shared {
    struct pons_stream *s;
    unsigned seen[LINES];
    unsigned whole;
};

static int64_t
reads_lines(void *arg)
{
    struct shared *all = arg;
    char line[64], like[64];
    unsigned number;
    int64_t n;

    while ((n = pons_read_line(all->s, line, sizeof line)) >= 0) {
        CHECK_EQ(sscanf(line, "line %u", &number), 1);
        CHECK(number < LINES);
        snprintf(like, sizeof like, "line %u of a few words", number);
        CHECK_EQ(strcmp(line, like), 0);
        CHECK_EQ(__atomic_fetch_add(&all->seen[number], 1, __ATOMIC_RELAXED),
                 0);
        __atomic_fetch_add(&all->whole, 1, __ATOMIC_RELAXED);
    }
    CHECK_EQ(n, -ENODATA);
    return 0;
}

static int64_t
sends_lines(void *arg)
{
    struct pons_stream *s = arg;
    char text[LINES * 32] = "";
    size_t size = 0, part = 1;

    for (unsigned i = 0; i < LINES; i++)
        size += (size_t)sprintf(text + size, "line %u of a few words\n", i);
    for (size_t at = 0; at < size; at += part, part = part % 67 + 1) {
        part = part < size - at ? part : size - at;
        CHECK_EQ(pons_send_all(s, text + at, part), part);
        let_others_run();
    }
    pons_stream_close(s);
    return 0;
}

static void
shared_lines_body(void *arg)
{
    struct shared all = {.whole = 0};
    struct agent readers[READERS], writer;
    struct pons_stream *pair[2];

    (void)arg;
    stream_pair(pair);
    all.s = pair[0];
    for (int i = 0; i < READERS; i++)
        if (i % 2)
            agent_start_thread(&readers[i], reads_lines, &all);
        else
            agent_start(&readers[i], reads_lines, &all);
    agent_start(&writer, sends_lines, pair[1]);
    for (int i = 0; i < READERS; i++)
        CHECK_EQ(agent_join(&readers[i]), 0);
    CHECK_EQ(agent_join(&writer), 0);
    CHECK_EQ(all.whole, LINES);
    pons_stream_close(pair[0]);
}

static void
several_readers_get_whole_lines(void)
{
    everywhere(shared_lines_body, NULL);
}

struct takes {
    struct pons_stream *s;
    char bytes[16];
};

static int64_t
receives(void *arg)
{
    struct takes *t = arg;

    return pons_recv(t->s, t->bytes, sizeof t->bytes);
}

static void
behind_body(void *arg)
{
    struct asks *r = calloc(1, sizeof *r);
    struct takes t;
    struct pons_stream *pair[2];
    struct agent line, rest;

    (void)arg;
    stream_pair(pair);
    r->s = t.s = pair[0];
    agent_start(&line, reads_line, r);
    stream_until(pair[0], 0, 1);
    agent_start(&rest, receives, &t);
    stream_until(pair[0], 0, 2);
    CHECK_EQ(pons_send(pair[1], "line\nrest", 9), 9);
    CHECK_EQ(agent_join(&line), 4);
    CHECK_EQ(agent_join(&rest), 4);
    CHECK(memcmp(t.bytes, "rest", 4) == 0);
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
    free(r);
}

static void
receive_that_queues_behind_a_line_gets_what_is_beyond(void)
{
    everywhere(behind_body, NULL);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(lines_end_with_either_mark_or_the_end),
    T(mark_may_stand_across_the_edge_of_the_buffer),
    T(line_that_does_not_fit_stays),
    T(what_is_beyond_the_line_is_received_next),
    T(what_is_beyond_the_line_makes_the_stream_readable),
    T(line_comes_byte_by_byte),
    T(long_line_fits_exactly),
    T(line_that_is_cancelled_gives_its_bytes_back),
    T(close_ends_a_line_that_is_being_read),
    T(several_readers_get_whole_lines),
    T(receive_that_queues_behind_a_line_gets_what_is_beyond),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("line", tests, argc, argv);
}
