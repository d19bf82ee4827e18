/* SPDX-License-Identifier: MIT */
/*
 * kit/op.c - gives ops to a reactor and waits for their ends.
 *
 * Waiting is patient: a poll that returns nothing too soon is another rule's
 * matter (R7), and one that never returns is the time limit's.
 */

#include "kit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/opcode.h"

enum { MS = 1000000 };

struct op_text {
    char text[64];
};

/* "RECV of 16 on descriptor 5". */
static struct op_text
op_text(const struct pons_op *op)
{
    struct op_text t;

    snprintf(t.text, sizeof t.text, "%s of %u on descriptor %d",
             poni_opcode_name(op->opcode), op->len, op->fd);
    for (char *c = t.text; *c != ' ' && *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return t;
}

struct pons_op
kit_op(int opcode, int fd, void *addr, size_t len)
{
    return (struct pons_op){.opcode = (uint8_t)opcode,
                            .fd = fd,
                            .addr = addr,
                            .len = (uint32_t)len,
                            .offset = PONS_AT_POSITION};
}

int
kit_submit(struct pons_reactor *r, struct pons_op *op)
{
    int how;

    op->reactor = r;
    how = r->ops->submit(r, op);
    KIT_WANT(how >= PONS_SUBMIT_PENDING && how <= PONS_SUBMIT_UNSUPPORTED,
             "submit of %s: wanted PENDING, DONE or UNSUPPORTED, found %d",
             op_text(op).text, how);
    return how;
}

void
kit_pends(struct pons_reactor *r, struct pons_op *op)
{
    int how = kit_submit(r, op);

    KIT_WANT(how != PONS_SUBMIT_UNSUPPORTED,
             "submit of %s: wanted PENDING, found UNSUPPORTED",
             op_text(op).text);
    if (how == PONS_SUBMIT_DONE)
        kit_fail("submit of %s, which has to wait: wanted PENDING, found DONE "
                 "with %d",
                 op_text(op).text, op->res);
}

/* One event, however long it takes. */
static struct pons_event
op_event(struct pons_reactor *r)
{
    struct pons_event ev;
    int n;

    do
        n = r->ops->poll(r, &ev, 1, PONS_NEVER);
    while (n == 0);
    kit_check_result(n, 1, "poll with room for 1 event");
    return ev;
}

int
kit_await(struct pons_reactor *r, struct pons_op *op)
{
    struct pons_event ev = op_event(r);

    KIT_WANT(ev.op == op, "wanted the event of %s, found one of another op",
             op_text(op).text);
    return ev.res;
}

void
kit_awaits(struct pons_reactor *r, struct pons_op *op, int wanted)
{
    kit_check_result(kit_await(r, op), wanted, "%s", op_text(op).text);
}

/* Whose turn it has been stands beside the ops: who writes to an op after its
 * end is another rule's matter (R2). */
void
kit_await_all(struct pons_reactor *r, struct pons_op *ops, unsigned n)
{
    char *seen = calloc(n, 1);

    KIT_WANT(seen != NULL, "the kit itself has no memory");
    for (unsigned ended = 0; ended < n; ended++) {
        struct pons_event ev = op_event(r);

        KIT_WANT(ev.op >= ops && ev.op < ops + n,
                 "wanted an event of one of %u ops, found one of another op",
                 n);
        KIT_EQ(seen[ev.op - ops]++, 0,
               "last events of op %d of %u before this one", (int)(ev.op - ops),
               n);
        ev.op->res = ev.res;
    }
    free(seen);
}

int
kit_run(struct pons_reactor *r, struct pons_op op)
{
    int how = kit_submit(r, &op);

    KIT_WANT(how != PONS_SUBMIT_UNSUPPORTED,
             "submit of %s: wanted PENDING or DONE, found UNSUPPORTED",
             op_text(&op).text);
    return how == PONS_SUBMIT_DONE ? op.res : kit_await(r, &op);
}

void
kit_ends(struct pons_reactor *r, struct pons_op op, int wanted)
{
    kit_check_result(kit_run(r, op), wanted, "%s", op_text(&op).text);
}

void
kit_quiet(struct pons_reactor *r)
{
    struct pons_event ev;
    int n = r->ops->poll(r, &ev, 1, 0);

    if (n == 1)
        kit_fail("wanted no event, found one of %s with %d",
                 op_text(ev.op).text, ev.res);
    kit_check_result(n, 0, "poll with deadline 0");
}

/* Until it has slept or run for long enough to tell: on a busy machine who
 * spins gets little of the processor, and who sleeps is let run late. */
int
kit_sleeps(struct pons_reactor *r)
{
    uint64_t began_ns = kit_now(), began_cpu_ns = kit_cpu_ns();
    uint64_t began_busy_ns = kit_busy_ns(), cpu_ns, busy_ns, slept_ns;

    do {
        uint64_t deadline_ns = kit_now() + 100 * MS;
        struct pons_event ev;

        while (kit_now() < deadline_ns)
            kit_check_result(r->ops->poll(r, &ev, 1, deadline_ns), 0,
                             "poll with nothing to report");
        cpu_ns = kit_cpu_ns() - began_cpu_ns;
        busy_ns = kit_busy_ns() - began_busy_ns;
        slept_ns = kit_now() - began_ns;
        slept_ns -= busy_ns < slept_ns ? busy_ns : slept_ns;
    } while (cpu_ns + slept_ns < 50 * MS);
    return slept_ns > cpu_ns;
}

void
kit_forget(struct pons_reactor *r, int fd)
{
    if (r->ops->forget != NULL)
        kit_check_result(r->ops->forget(r, fd), 0, "forget(%d)", fd);
    KIT_SYS(close(fd));
}
