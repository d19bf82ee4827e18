/* SPDX-License-Identifier: MIT */
/*
 * tests/oddset_test.c - what a level poller cannot say: ends alone, and news.
 */

#include "core/oddset.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static void
pair_make(int fds[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void
all_close(int set, const int fds[2])
{
    close(set);
    close(fds[0]);
    close(fds[1]);
}

static int
is_readable(int set)
{
    struct pollfd p = {.fd = set, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* Whether the set has something new, and it is `fd`. */
static int
has_news(int set, int fd)
{
    int fds[4], n;

    if (!is_readable(set))
        return 0;
    n = poni_oddset_take(set, fds, 4);
    CHECK(n == 0 || (n == 1 && fds[0] == fd));
    return n;
}

static void
say(int fd)
{
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void
ends_are_told_and_bytes_are_not(void)
{
    int set = poni_oddset_open(), fds[2];

    pair_make(fds);
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ENDS), 0);
    (void)has_news(set, fds[0]);
    say(fds[1]);
    (void)has_news(set, fds[0]); // it may wake, and it falls quiet
    CHECK_EQ(has_news(set, fds[0]), 0);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(has_news(set, fds[0]), 1);
    all_close(set, fds);
}

static void
all_of_a_descriptor_is_each_arrival(void)
{
    int set = poni_oddset_open(), fds[2];

    pair_make(fds);
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ALL), 0);
    CHECK_EQ(has_news(set, fds[0]), 1); // there is room
    CHECK_EQ(has_news(set, fds[0]), 0);
    for (int i = 0; i < 5; i++) { // nobody reads
        say(fds[1]);
        CHECK_EQ(has_news(set, fds[0]), 1);
        CHECK_EQ(has_news(set, fds[0]), 0);
    }
    all_close(set, fds);
}

static void
all_of_a_descriptor_is_room_and_ends_too(void)
{
    static const char bytes[4096];
    int set = poni_oddset_open(), fds[2];
    char text[4096];

    pair_make(fds);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(fds[0], bytes, sizeof bytes) > 0)
        continue;
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ALL), 0);
    CHECK_EQ(has_news(set, fds[0]), 0);
    while (read(fds[1], text, sizeof text) > 0)
        continue;
    CHECK_EQ(has_news(set, fds[0]), 1);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(has_news(set, fds[0]), 1);
    close(fds[1]);
    CHECK_EQ(has_news(set, fds[0]), 1);
    close(set);
    close(fds[0]);
}

/* Who asked for ends may ask for all; what holds then is told. */
static void
what_was_added_may_be_raised(void)
{
    int set = poni_oddset_open(), fds[2];

    pair_make(fds);
    say(fds[1]);
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ENDS), 0);
    CHECK_EQ(has_news(set, fds[0]), 0);
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ALL), 0);
    CHECK_EQ(has_news(set, fds[0]), 1);
    say(fds[1]);
    CHECK_EQ(has_news(set, fds[0]), 1);
    all_close(set, fds);
}

static void
what_was_removed_is_told_no_more(void)
{
    int set = poni_oddset_open(), fds[2];

    pair_make(fds);
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ALL), 0);
    say(fds[1]);
    poni_oddset_remove(set, fds[0]);
    CHECK_EQ(has_news(set, fds[0]), 0);
    poni_oddset_remove(set, fds[0]); // and nothing happens
    CHECK_EQ(poni_oddset_add(set, fds[0], ODD_ALL), 0);
    CHECK_EQ(has_news(set, fds[0]), 1);
    all_close(set, fds);
}

static void
what_there_is_no_room_for_comes_next(void)
{
    enum { PAIRS = 10 };
    int set = poni_oddset_open(), fds[PAIRS][2], got[4], n, all = 0;

    for (int i = 0; i < PAIRS; i++) {
        pair_make(fds[i]);
        CHECK_EQ(poni_oddset_add(set, fds[i][0], ODD_ALL), 0);
    }
    while (is_readable(set) && (n = poni_oddset_take(set, got, 4)) > 0)
        all += n;
    CHECK_EQ(all, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    close(set);
}

static void
a_file_is_refused(void)
{
    int set = poni_oddset_open();
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    CHECK_EQ(poni_oddset_add(set, file, ODD_ALL), -EPERM);
    CHECK_EQ(poni_oddset_add(set, -1, ODD_ALL), -EBADF);
    close(file);
    close(set);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(ends_are_told_and_bytes_are_not),
    TEST(all_of_a_descriptor_is_each_arrival),
    TEST(all_of_a_descriptor_is_room_and_ends_too),
    TEST(what_was_added_may_be_raised),
    TEST(what_was_removed_is_told_no_more),
    TEST(what_there_is_no_room_for_comes_next),
    TEST(a_file_is_refused),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("oddset", tests, argc, argv);
}
