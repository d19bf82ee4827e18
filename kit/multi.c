/* SPDX-License-Identifier: MIT */
/*
 * kit/multi.c - see kit/multi.h.
 */

#include "multi.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/opcode.h"

enum { CHUNK = 512, PRIME = 251 }; // so that no buffer ends where bytes repeat

struct kit_multi
kit_multi_of(struct pons_reactor *r, int opcode, int fd, unsigned len)
{
    return (struct kit_multi){.r = r, .how = kit_op(opcode, fd, NULL, len)};
}

static const char *
multi_name(const struct kit_multi *m)
{
    return poni_opcode_name(m->how.opcode);
}

int
kit_multi_arm(struct kit_multi *m)
{
    int how;

    if (m->pending)
        return 1;
    m->op = m->how;
    m->op.user = m;
    how = kit_submit(m->r, &m->op);
    m->pending = how == PONS_SUBMIT_PENDING;
    if (m->pending)
        return 1;
    KIT_WANT(how == PONS_SUBMIT_DONE,
             "submit of \"%s\": wanted PENDING or DONE, found UNSUPPORTED",
             multi_name(m));
    KIT_WANT(m->op.res <= 0,
             "submit of \"%s\": wanted successes as events, found DONE with %d",
             multi_name(m), m->op.res);
    return m->op.res;
}

/* Whether an event may be as it is. */
static void
told_check(const struct kit_multi *m, const struct pons_event *ev)
{
    int lends = m->op.opcode == PONS_OP_RECV_MULTI && ev->res > 0;

    KIT_WANT(m->pending, "\"%s\": found an event after the last one",
             multi_name(m));
    KIT_WANT(ev->res > 0 || !(ev->flags & PONS_EVENT_MORE),
             "\"%s\": wanted %d as its last event, found MORE", multi_name(m),
             ev->res);
    KIT_EQ((ev->flags & PONS_EVENT_BUFFER) != 0, lends,
           "\"%s\": buffers lent by an event with %d", multi_name(m), ev->res);
}

struct kit_told
kit_told_by(const struct pons_event *ev)
{
    struct kit_multi *m = ev->op->user;
    struct kit_told t = {.of = m, .op = ev->op, .res = ev->res, .buffer = -1};

    if (m == NULL)
        return t;
    KIT_WANT(ev->op == &m->op, "an event of an op that was never submitted");
    told_check(m, ev);
    m->pending = (ev->flags & PONS_EVENT_MORE) != 0;
    if (ev->flags & PONS_EVENT_BUFFER)
        t.buffer = (int)(ev->flags >> PONS_EVENT_BUFFER_SHIFT);
    return t;
}

struct kit_told
kit_told_next(struct pons_reactor *r)
{
    struct pons_event ev;
    int n;

    do
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    return kit_told_by(&ev);
}

struct kit_told
kit_multi_next(struct kit_multi *m)
{
    int res = kit_multi_arm(m);
    struct kit_told t = {.of = m, .op = &m->op, .res = res, .buffer = -1};

    if (res == 1)
        t = kit_told_next(m->r);
    KIT_WANT(t.of == m, "wanted an event of \"%s\", found one of another op",
             multi_name(m));
    return t;
}

struct kit_told
kit_multi_succeeds(struct kit_multi *m)
{
    struct kit_told t = kit_multi_next(m);

    if (t.res <= 0)
        kit_fail("\"%s\": wanted a success, found %d (%s)", multi_name(m),
                 t.res, strerror(-t.res));
    return t;
}

void
kit_multi_ends(struct kit_multi *m, int wanted)
{
    kit_check_result(kit_multi_next(m).res, wanted, "\"%s\"", multi_name(m));
    KIT_EQ(m->pending, 0, "\"%s\": whether it is pending after %d",
           multi_name(m), wanted);
}

void
kit_multi_cancel(struct kit_multi *m)
{
    if (m->pending)
        m->r->ops->cancel(m->r, &m->op);
}

void
kit_multi_stop(struct kit_multi *m)
{
    kit_multi_cancel(m);
    while (m->pending) {
        struct kit_told t = kit_told_next(m->r);

        KIT_WANT(t.of != m || t.buffer < 0,
                 "\"%s\": found bytes that nobody sent", multi_name(m));
    }
}

/* --- buffers --- */

struct kit_lent
kit_lend(struct pons_reactor *r, unsigned group, unsigned size, unsigned count)
{
    struct kit_lent l = {.r = r,
                         .buffers = {.base = malloc((size_t)size * count),
                                     .size = size,
                                     .count = count,
                                     .group = (uint16_t)group},
                         .out = calloc(count, 1)};

    KIT_WANT(l.buffers.base != NULL && l.out != NULL,
             "the kit itself has no memory");
    KIT_WANT(r->ops->control != NULL,
             "an engine that has RECV_MULTI: wanted a control(), found none");
    kit_check_result(r->ops->control(r, PONS_CONTROL_LEND, &l.buffers), 0,
                     "LEND of %u buffers of %u bytes", count, size);
    return l;
}

void
kit_lent_free(struct kit_lent *l)
{
    free(l->buffers.base);
    free(l->out);
}

const char *
kit_lent_take(struct kit_lent *l, const struct kit_told *t)
{
    KIT_WANT(t->buffer >= 0, "wanted an event that lends a buffer, found %d",
             t->res);
    KIT_WANT((unsigned)t->buffer < l->buffers.count,
             "the number of a buffer that is lent, of %u: found %d",
             l->buffers.count, t->buffer);
    KIT_EQ(l->out[t->buffer], 0,
           "how often buffer %d is lent before it is lent again", t->buffer);
    KIT_WANT((unsigned)t->res <= l->buffers.size,
             "an event that lends a buffer of %u bytes: found %d of them",
             l->buffers.size, t->res);
    l->out[t->buffer] = 1;
    l->count_out++;
    return (char *)l->buffers.base + (size_t)t->buffer * l->buffers.size;
}

int
kit_lent_try_return(struct pons_reactor *r, unsigned group, unsigned index)
{
    struct pons_lent_buffer b = {.group = (uint16_t)group,
                                 .index = (uint16_t)index};

    return r->ops->control(r, PONS_CONTROL_RETURN, &b);
}

void
kit_lent_return(struct kit_lent *l, int buffer)
{
    kit_check_result(
        kit_lent_try_return(l->r, l->buffers.group, (unsigned)buffer), 0,
        "RETURN of buffer %d", buffer);
    l->out[buffer] = 0;
    l->count_out--;
}

void
kit_lent_return_all(struct kit_lent *l)
{
    for (unsigned i = 0; i < l->buffers.count; i++)
        if (l->out[i])
            kit_lent_return(l, (int)i);
}

/* --- a stream in which each byte says where it stands --- */

void
kit_count_send(struct kit_count *c, int fd, unsigned n)
{
    char bytes[CHUNK];

    KIT_WANT(n <= sizeof bytes, "the kit itself sends %u bytes at once", n);
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (char)((c->sent + i) % PRIME);
    KIT_EQ(send(fd, bytes, n, MSG_NOSIGNAL), n,
           "bytes that the kit itself could send");
    c->sent += n;
}

void
kit_count_check(struct kit_count *c, const char *bytes, int n)
{
    for (int i = 0; i < n; i++, c->told++)
        KIT_EQ(bytes[i], (char)(c->told % PRIME), "byte %u of a stream",
               c->told);
}

void
kit_count_take(struct kit_count *c, struct kit_lent *l,
               const struct kit_told *t)
{
    kit_count_check(c, kit_lent_take(l, t), t->res);
    kit_lent_return(l, t->buffer);
}

void
kit_count_rest(struct kit_count *c, int fd)
{
    char bytes[CHUNK];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        kit_count_check(c, bytes, (int)n);
    KIT_EQ(c->told, c->sent, "bytes told and bytes left, of those sent");
}
