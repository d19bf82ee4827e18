/* SPDX-License-Identifier: MIT */
/*
 * tests/buffers_test.c - whose the bytes of a multishot are, and when.
 */

#include <sys/socket.h>

#include "core/buffers.h"
#include "core/self.h"
#include "core/stream.h"
#include "course.h"
#include "everywhere.h"

enum {
    MANY = 200, // buffers: more than a seat has
};

/* Says one number, and waits until it is answered. */
static int64_t
say_numbers(void *s)
{
    for (uint32_t i = 0; i < MANY; i++) {
        char c;

        if (pons_send_all(s, &i, sizeof i) < 0 || pons_recv(s, &c, 1) != 1)
            return -EIO;
    }
    return 0;
}

static struct pons_lent held[MANY];

static void
return_held(uint32_t from)
{
    for (uint32_t i = from; i < MANY; i += 2)
        pons_lent_return(&held[i]);
}

static void
hold_body(void *arg)
{
    struct course c;
    struct agent a;

    (void)arg;
    course_begin(&c);
    agent_start(&a, say_numbers, c.s[1]);
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_EQ(pons_recv_next(&c.m, &held[i]), sizeof i);
        CHECK_EQ(pons_send(c.s[0], "", 1), 1);
    }
    CHECK_EQ(agent_join(&a), 0);
    course_end(&c);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(memcmp(held[i].data, &i, sizeof i), 0);
    return_held(0);
}

static void
all_buffers_may_be_held(void)
{
    static const char *const workers[] = {"0", "1", "4"};

    for (int w = 0; w < 3; w++) {
        within("epoll", workers[w], hold_body, NULL);
        for (uint32_t i = 1; i < MANY; i += 2) // the runtime has gone
            CHECK_EQ(memcmp(held[i].data, &i, sizeof i), 0);
        return_held(1);
    }
    within("poll", "2", hold_body, NULL);
    return_held(1);
}

/* A thread that the runtime does not know. */
static void *
return_elsewhere(void *bytes)
{
    pons_lent_return(bytes);
    return NULL;
}

/* `lent`: each is to be one of the seat's group. */
static void
pass_and_return_elsewhere(int lent)
{
    struct course c;
    pthread_t t;

    course_begin(&c);
    for (int i = 0; i < 3 * BUFFERS; i++) {
        course_say(&c, "x");
        course_hear(&c, "x");
        CHECK(!lent || ((struct poni_buffer *)c.bytes.owner)->of != NULL);
        CHECK_EQ(pthread_create(&t, NULL, return_elsewhere, &c.bytes), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    course_end(&c);
}

static void
elsewhere_body(void *arg)
{
    (void)arg;
    pass_and_return_elsewhere(0);
}

static void
buffers_are_returned_on_any_thread(void)
{
    everywhere(elsewhere_body, NULL);
}

static void
again_body(void *arg)
{
    (void)arg;
    pass_and_return_elsewhere(1);
}

/* Twenty bytes through eight buffers of four. */
static void
small_body(void *arg)
{
    static const char all[] = "0123456789abcdefghij";
    struct course c;

    (void)arg;
    course_begin(&c);
    course_say(&c, all);
    for (size_t i = 0; i < sizeof all - 1; i += 4) {
        CHECK_EQ(pons_recv_next(&c.m, &c.bytes), 4);
        CHECK_EQ(memcmp(c.bytes.data, all + i, 4), 0);
        CHECK(((struct poni_buffer *)c.bytes.owner)->of != NULL);
        CHECK(((struct poni_buffer *)c.bytes.owner)->number < 8);
        pons_lent_return(&c.bytes);
    }
    CHECK_EQ(poni_buffers_ahead(poni_self.seat), 6);
    course_end(&c);
}

static void
a_seat_lends_what_the_engines_options_say(void)
{
    if (!reactor_is_here("uring"))
        SKIP("no engine here has such options: there is no io_uring");
    within("uring:buffers=8:buffer_size=4:ahead=6", "0", small_body, NULL);
}

/* In a runtime. */
static void
what_others_return_is_lent_again(void)
{
    within("epoll", "0", again_body, NULL);
    within("poll", "0", again_body, NULL);
}

/* It is one multishot op that tells of all: else the rest tests nothing. */
static void
native_body(void *arg)
{
    struct course c;

    (void)arg;
    course_begin(&c);
    for (int i = 0; i < 2 * BUFFERS; i++) {
        course_say(&c, "x");
        course_hear(&c, "x");
        CHECK_EQ(c.m.multi.io.op.opcode, PONS_OP_RECV_MULTI);
        CHECK_EQ(c.m.multi.io.op.state, IO_INFLIGHT);
        CHECK(((struct poni_buffer *)c.bytes.owner)->of != NULL);
        pons_lent_return(&c.bytes);
    }
    course_end(&c);
}

static void
one_operation_tells_of_all(void)
{
    within("epoll", "0", native_body, NULL);
    within("poll", "0", native_body, NULL);
}

/* Each of many tasks reads a while, wherever it is: each multishot for a few
 * messages, so that many begin far from where the descriptor is at home. */
static int64_t
echo_some(void *arg)
{
    struct pons_recv_multi m;
    struct pons_stream *s = arg;
    struct pons_lent bytes;
    int64_t n = 1;

    while (n > 0) {
        pons_recv_multi_init(&m, s);
        for (int i = 0; i < 5 && n > 0; i++) {
            n = pons_recv_next(&m, &bytes);
            if (n > 0)
                n = pons_send_all(s, bytes.data, bytes.size);
            pons_lent_return(&bytes);
            CHECK_EQ(pons_yield(), 0);
        }
        CHECK_EQ(pons_recv_multi_end(&m), 0);
    }
    return n;
}

static int64_t
ask_some(void *arg)
{
    struct pons_stream *s = arg;
    char back[8];

    for (int i = 0; i < 200; i++) {
        int64_t got = 0, n;

        if (pons_send_all(s, "question", 8) != 8)
            return -EIO;
        while (got < 8 && (n = pons_recv(s, back, 8 - (size_t)got)) > 0)
            got += n;
        if (got != 8)
            return -EIO;
    }
    return shutdown(pons_stream_fd(s), SHUT_WR);
}

static void
many_body(void *arg)
{
    enum { PAIRS = 16 };
    struct pons_stream *s[PAIRS][2];
    struct agent a[PAIRS][2];

    (void)arg;
    for (int i = 0; i < PAIRS; i++) {
        stream_pair(s[i]);
        agent_start(&a[i][0], echo_some, s[i][0]);
        agent_start(&a[i][1], ask_some, s[i][1]);
    }
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(agent_join(&a[i][1]), 0);
        CHECK_EQ(agent_join(&a[i][0]), 0);
        pons_stream_close(s[i][0]);
        pons_stream_close(s[i][1]);
    }
}

static void
many_share_the_buffers_of_their_seats(void)
{
    everywhere(many_body, NULL);
}

static const struct unit_test tests[] = {
    {"all_buffers_may_be_held", all_buffers_may_be_held},
    {"buffers_are_returned_on_any_thread", buffers_are_returned_on_any_thread},
    {"what_others_return_is_lent_again", what_others_return_is_lent_again},
    {"a_seat_lends_what_the_engines_options_say",
     a_seat_lends_what_the_engines_options_say},
    {"one_operation_tells_of_all", one_operation_tells_of_all},
    {"many_share_the_buffers_of_their_seats",
     many_share_the_buffers_of_their_seats},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("buffers", tests, argc, argv);
}
