/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_virtual.c - R13: the same host and the same calls give the same
 * events.
 *
 * The host's clock advances by a step for each look at it, and its random
 * numbers begin anew: a second run of the same script must have the trace of
 * the first, looks at the clock included.
 */

#include "kit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OPS = 16,
    STEPS = 200,
    STEP_NS = 1000, // of the clock
};

/* What can be seen of one step. */
struct virtual_step {
    int submitted, polled, op, res;
    uint64_t now;
};

struct virtual_run {
    struct pons_reactor *r;
    struct pons_op ops[OPS];
    char bytes[OPS];
    int fds[2];
    struct virtual_step steps[STEPS];
};

/* An op is submitted, or another cancelled, a byte is written, one event taken:
 * whatever the number of the step says. */
static void
virtual_step(struct virtual_run *v, unsigned i)
{
    struct virtual_step *s = &v->steps[i];
    struct pons_op *op = &v->ops[i % OPS];
    struct pons_event ev = {0};

    if (op->state == 0) {
        *op = kit_op(PONS_OP_RECV, v->fds[0], &v->bytes[i % OPS], 1);
        s->submitted = kit_submit(v->r, op);
        op->state = s->submitted == PONS_SUBMIT_PENDING;
    }
    if (i % 5 == 0 && op->state == 1)
        v->r->ops->cancel(v->r, op);
    if (i % 2 == 0)
        kit_say(v->fds[1], "x");
    s->polled = v->r->ops->poll(v->r, &ev, 1, kit_now() + i % 7 * STEP_NS);
    if (s->polled == 1) {
        s->op = (int)(ev.op - v->ops);
        s->res = ev.res;
        ev.op->state = 0;
    }
    s->now = kit_now();
}

/* Ops that still wait are cancelled; what bytes are left, nobody reads. */
static void
virtual_finish(struct virtual_run *v)
{
    for (int i = 0; i < OPS; i++)
        if (v->ops[i].state == 1)
            v->r->ops->cancel(v->r, &v->ops[i]);
    for (int left = 0; left < OPS; left++) {
        struct pons_event ev;
        int pending = 0;

        for (int i = 0; i < OPS; i++)
            pending += v->ops[i].state;
        if (pending == 0)
            break;
        if (v->r->ops->poll(v->r, &ev, 1, PONS_NEVER) == 1)
            ev.op->state = 0;
    }
    kit_close_pair(v->r, v->fds);
    kit_close(v->r);
}

static void
virtual_script(struct kit *k, struct virtual_run *v)
{
    memset(v, 0, sizeof *v);
    kit_host_virtual(STEP_NS);
    v->r = kit_open(k);
    kit_unix_pair(v->fds, SOCK_STREAM);
    for (unsigned i = 0; i < STEPS; i++)
        virtual_step(v, i);
    virtual_finish(v);
}

static void
virtual_twice(struct kit *k)
{
    static struct virtual_run one, two;

    virtual_script(k, &one);
    virtual_script(k, &two);
    for (unsigned i = 0; i < STEPS; i++) {
        const struct virtual_step *a = &one.steps[i], *b = &two.steps[i];

        KIT_EQ(b->submitted, a->submitted, "submit of step %u, again", i);
        KIT_EQ(b->polled, a->polled, "poll of step %u, again", i);
        KIT_EQ(b->op, a->op, "whose event step %u has, again", i);
        KIT_EQ(b->res, a->res, "the result of step %u, again", i);
        KIT_EQ(b->now, a->now, "the host's clock after step %u, again", i);
    }
}

const struct kit_test kit_virtual_tests[] = {
    {"R13", "the same calls give the same events", KIT_VIRTUAL, NULL,
     virtual_twice},
    {0},
};
