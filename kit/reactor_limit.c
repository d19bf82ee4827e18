/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_limit.c - R4 where something is short: queues, memory,
 * descriptors. What is short delays ops or is their result; it loses none.
 */

#include "kit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MANY = 1000,
    PAIRS = 100,
    CANCELLED = 3, // one op in so many is cancelled
};

/* --- queues --- */

static void
limit_submit(struct pons_reactor *r, struct pons_op *ops, int fds[2],
             char *bytes)
{
    static char sent[MANY];

    for (int i = 0; i < MANY; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fds[0], &bytes[i], 1);
        kit_pends(r, &ops[i]);
        if (i % CANCELLED == 0)
            r->ops->cancel(r, &ops[i]);
    }
    KIT_EQ(write(fds[1], sent, MANY), MANY, "bytes that the kit could write");
}

/* Many more ops, and cancels, than any queue has room for. Closes `r`. */
static void
limit_many(struct pons_reactor *r, const char *how)
{
    struct pons_op *ops = calloc(MANY, sizeof *ops);
    char bytes[MANY];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    limit_submit(r, ops, fds, bytes);
    kit_await_all(r, ops, MANY);
    for (int i = 0; i < MANY; i++) {
        int cancelled = i % CANCELLED == 0 && ops[i].res == -ECANCELED;

        KIT_WANT(ops[i].res == 1 || cancelled,
                 "%s, op %d of %d: wanted 1%s, found %d", how, i, MANY,
                 i % CANCELLED == 0 ? " or -ECANCELED" : "", ops[i].res);
    }
    kit_quiet(r);
    free(ops);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
limit_options(struct kit *k)
{
    kit_each_configuration(k, limit_many);
}

static void
limit_defaults(struct kit *k)
{
    limit_many(kit_open(k), "with its defaults");
}

/* --- memory --- */

/* Whether the op ended at once: with ENOMEM, and then nothing was consumed. */
static int
limit_refused(struct pons_reactor *r, struct pons_op *op)
{
    int how = kit_submit(r, op);

    if (how == PONS_SUBMIT_PENDING)
        return 0;
    KIT_EQ(how, PONS_SUBMIT_DONE, "submit of a RECV without memory");
    kit_check_result(op->res, -ENOMEM, "a RECV without memory that ended");
    return 1;
}

/* So many events; how the ops ended is in op->res. */
static void
limit_take(struct pons_reactor *r, unsigned pending)
{
    while (pending > 0) {
        struct pons_event ev;
        int n = r->ops->poll(r, &ev, 1, PONS_NEVER);

        KIT_WANT(n == 0 || n == 1, "poll with room for 1 event: found %d", n);
        if (n == 1)
            ev.op->res = ev.res;
        pending -= (unsigned)n;
    }
}

/* What had no memory ends so in submit, or as an event. */
static void
limit_no_memory(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct pons_op ops[PAIRS];
    char bytes[PAIRS];
    int fds[PAIRS][2];
    unsigned pending = 0;

    kit_host_limit(0);
    for (int i = 0; i < PAIRS; i++) {
        kit_unix_pair(fds[i], SOCK_STREAM);
        ops[i] = kit_op(PONS_OP_RECV, fds[i][0], &bytes[i], 1);
        pending += !limit_refused(r, &ops[i]);
    }
    kit_host_limit(-1);
    for (int i = 0; i < PAIRS; i++)
        kit_say(fds[i][1], "x");
    limit_take(r, pending);
    for (int i = 0; i < PAIRS; i++)
        if (ops[i].res == -ENOMEM)
            kit_ends(r, kit_op(PONS_OP_RECV, fds[i][0], &bytes[i], 1), 1);
        else
            kit_check_result(ops[i].res, 1, "a RECV without memory");
    kit_quiet(r);
    for (int i = 0; i < PAIRS; i++)
        kit_close_pair(r, fds[i]);
    kit_close(r);
}

/* --- descriptors --- */

static int
limit_next_descriptor(void)
{
    int next = KIT_SYS(dup(STDIN_FILENO));

    close(next);
    return next;
}

/* accept(2) says EMFILE, and the connection stays where it is. */
static void
limit_no_descriptors(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    int client = kit_tcp_socket(0), fd;
    struct pons_op op = kit_op(PONS_OP_ACCEPT, listener, NULL, 0);
    struct rlimit all, none;

    kit_pends(r, &op);
    KIT_SYS(getrlimit(RLIMIT_NOFILE, &all));
    none = all;
    none.rlim_cur = (rlim_t)limit_next_descriptor();
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &none));
    kit_connect(client, &address);
    kit_awaits(r, &op, -EMFILE);
    kit_ends(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0), -EMFILE);
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &all));
    fd = kit_run(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0));
    KIT_WANT(fd >= 0, "ACCEPT with descriptors again: found %d", fd);
    close(fd);
    close(client);
    kit_forget(r, listener);
    kit_close(r);
}

const struct kit_test kit_limit_tests[] = {
    {"R4", "a thousand ops and cancels wait in full queues", KIT_ALL, NULL,
     limit_defaults},
    {"R4", "a thousand ops and cancels, with each option's least and most",
     KIT_IO | KIT_OPTIONS, NULL, limit_options},
    {"R4", "without memory an op waits or ends with ENOMEM", KIT_IO, NULL,
     limit_no_memory},
    {"R4", "without descriptors accept ends with EMFILE", KIT_IO, NULL,
     limit_no_descriptors},
    {0},
};
