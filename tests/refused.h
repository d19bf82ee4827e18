/* SPDX-License-Identifier: MIT */
#ifndef REFUSED_H
#define REFUSED_H

/*
 * tests/refused.h - what waits is called where nothing may wait, inside the
 * poll() of a stackless task.
 */

#include "everywhere.h"

typedef void refused_f(struct pons_stream *s);

struct refused {
    struct pons_future base;
    struct pons_stream *s;
    refused_f *calls;
};

static inline enum pons_poll
refused_poll(struct pons_future *f, struct pons_waker *w)
{
    struct refused *r = pons_container_of(f, struct refused, base);

    (void)w;
    r->calls(r->s);
    f->result = 0;
    return PONS_READY;
}

static const struct pons_future_ops refused_ops = {
    .size = sizeof refused_ops, .name = "refused", .poll = refused_poll};

static inline void
refused_body(void *arg)
{
    struct refused r = {.calls = *(refused_f *const *)arg};
    struct pons_stream *s[2];

    stream_pair(s);
    r.s = s[0];
    pons_future_init(&r.base, &refused_ops);
    CHECK_EQ(pons_await(&r.base), 0);
    pons_stream_close(s[0]);
    pons_stream_close(s[1]);
}

/* Calls them inside poll(), with a stream. */
static inline void
refused_inside_poll(refused_f *calls)
{
    within("epoll", "1", refused_body, &calls);
}

#endif /* REFUSED_H */
