/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_storm.c - R9 while signals interrupt everything, and while
 * another thread makes and closes descriptors, whose numbers come round.
 *
 * EINTR is never a result.
 */

#include "kit.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/atomic.h"

enum { ROUNDS = 500, CHURNS = 5000, EVERY_US = 50 };

/* --- signals --- */

/* A connection from its making to its end. */
static void
storm_connection(struct pons_reactor *r, int listener,
                 struct sockaddr_in *address)
{
    int client = kit_tcp_socket(SOCK_NONBLOCK), server;
    struct pons_op op;
    char c = 0;

    kit_ends(r, kit_op(PONS_OP_CONNECT, client, address, sizeof *address), 0);
    server = kit_run(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0));
    KIT_WANT(server >= 0, "ACCEPT: wanted a descriptor, found %d", server);
    op = kit_op(PONS_OP_RECV, server, &c, 1);
    kit_pends(r, &op);
    kit_ends(r, kit_op(PONS_OP_WRITE, client, "x", 1), 1);
    kit_awaits(r, &op, 1);
    op = kit_op(PONS_OP_READ, server, &c, 1);
    kit_pends(r, &op);
    r->ops->cancel(r, &op);
    kit_awaits(r, &op, -ECANCELED);
    kit_forget(r, client);
    kit_ends(r, kit_op(PONS_OP_READ, server, &c, 1), 0);
    kit_forget(r, server);
}

static void
storm_of_signals(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    timer_t storm = kit_storm(kit_ignore, EVERY_US);

    for (int i = 0; i < ROUNDS; i++)
        storm_connection(r, listener, &address);
    timer_delete(storm);
    kit_forget(r, listener);
    kit_close(r);
}

/* --- descriptors --- */

static int storm_is_over; // a flag, and nothing that goes with it
static int storm_churns;  // a count, and nothing that goes with it

/* Whatever number is free becomes something else, and is free again. */
static void *
storm_churn(void *arg)
{
    (void)arg;
    while (!poni_load_relaxed(&storm_is_over)) {
        int fds[2];

        kit_unix_pair(fds, SOCK_STREAM);
        kit_say(fds[1], "not yours");
        close(fds[0]);
        close(fds[1]);
        poni_add_relaxed(&storm_churns, 1);
    }
    return NULL;
}

/* Until both have done enough: on a busy machine one may be over before the
 * other has begun. */
static void
storm_of_descriptors(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    pthread_t thread;

    KIT_THREAD(pthread_create(&thread, NULL, storm_churn, NULL));
    for (int i = 0; i < ROUNDS || poni_load_relaxed(&storm_churns) < CHURNS;
         i++) {
        struct pons_op op;
        char c = 0;
        int fds[2];

        kit_unix_pair(fds, SOCK_STREAM);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        kit_say(fds[1], "x");
        kit_awaits(r, &op, 1);
        KIT_EQ(c, 'x', "the byte");
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        r->ops->cancel(r, &op);
        kit_awaits(r, &op, -ECANCELED);
        kit_close_pair(r, fds);
    }
    poni_store_relaxed(&storm_is_over, 1);
    pthread_join(thread, NULL);
    kit_quiet(r);
    kit_close(r);
}

/* What was forgotten and closed lives on in a copy, and has news. */
static void
storm_of_a_copy(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    for (int i = 0; i < ROUNDS; i++) {
        struct pons_op op;
        char c = 0;
        int fds[2], old, copy;

        kit_unix_pair(fds, SOCK_STREAM);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        r->ops->cancel(r, &op);
        kit_awaits(r, &op, -ECANCELED);
        copy = KIT_SYS(dup(fds[0]));
        kit_forget(r, fds[0]);
        old = fds[1];

        kit_unix_pair(fds, SOCK_STREAM); // the number again
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        kit_say(old, "old");
        kit_quiet(r);
        kit_say(fds[1], "new");
        kit_awaits(r, &op, 1);
        KIT_EQ(c, 'n', "the first byte of the new stream");
        kit_close_pair(r, fds);
        close(copy);
        close(old);
    }
    kit_close(r);
}

const struct kit_test kit_storm_tests[] = {
    {"R9", "EINTR is no result", KIT_IO, NULL, storm_of_signals},
    {"R9", "numbers that other threads use and free are no matter", KIT_IO,
     NULL, storm_of_descriptors},
    {"R9", "a copy of a closed descriptor is no matter", KIT_IO, NULL,
     storm_of_a_copy},
    {0},
};
