/* SPDX-License-Identifier: MIT */
#ifndef COURSE_H
#define COURSE_H

/*
 * tests/course.h - a multishot in course: bytes that come through a pair of
 * streams, and engines that know no multishot.
 */

#include <errno.h>
#include <string.h>

#include "core/runtime.h"
#include "everywhere.h"
#include "pons/multishot.h"
#include "pons/scope.h"
#include "pons/time.h"

struct course {
    struct pons_recv_multi m; /* of s[0] */
    struct pons_stream *s[2];
    struct pons_lent bytes;
};

static inline void
course_begin(struct course *c)
{
    stream_pair(c->s);
    pons_recv_multi_init(&c->m, c->s[0]);
}

static inline void
course_close(struct course *c)
{
    pons_stream_close(c->s[0]);
    pons_stream_close(c->s[1]);
}

static inline void
course_end(struct course *c)
{
    CHECK_EQ(pons_recv_multi_end(&c->m), 0);
    course_close(c);
}

static inline void
course_say(struct course *c, const char *text)
{
    CHECK_EQ(pons_send(c->s[1], text, strlen(text)), strlen(text));
}

/* The next is `text`, and stays lent. */
static inline void
course_hear(struct course *c, const char *text)
{
    CHECK_EQ(pons_recv_next(&c->m, &c->bytes), strlen(text));
    CHECK_EQ(memcmp(c->bytes.data, text, strlen(text)), 0);
}

/* `text` is said, heard and done with. */
static inline void
course_pass(struct course *c, const char *text)
{
    course_say(c, text);
    course_hear(c, text);
    pons_lent_return(&c->bytes);
}

static inline int64_t
course_next_until(struct course *c, uint64_t ns)
{
    struct pons_scope scope;
    int64_t n;

    pons_scope_open(&scope, pons_after_ns(ns));
    n = pons_recv_next(&c->m, &c->bytes);
    (void)pons_scope_close(&scope);
    return n;
}

static inline void
course_next_is_late(struct course *c, uint64_t ns)
{
    int64_t n = course_next_until(c, ns);

    CHECK(n == -ETIME || n == -ECANCELED);
}

static inline int64_t
course_as_fiber(void *arg)
{
    body_f *const *body = arg;

    (*body)(NULL);
    return 0;
}

/* In a fiber where the engine is asked for each result. */
static inline void
without_multishot(const char *reactor, const char *workers, body_f *body)
{
    uint64_t multishot = UINT64_C(1) << PONS_OP_ACCEPT_MULTI |
                         UINT64_C(1) << PONS_OP_RECV_MULTI |
                         UINT64_C(1) << PONS_OP_POLL_MULTI;
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct pons_task *t;
    int64_t answer;

    for (unsigned i = 0; i < rt->seat_count; i++)
        rt->seats[i].reactor->opcodes[0] &= ~multishot;
    CHECK_EQ(pons_spawn(rt, course_as_fiber, &body, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    CHECK_EQ(answer, 0);
    pons_runtime_unref(rt);
}

static inline void
without_multishot_anywhere(body_f *body)
{
    without_multishot("epoll", "1", body);
    without_multishot("epoll", "4", body);
    without_multishot("poll", "2", body);
}

#endif /* COURSE_H */
