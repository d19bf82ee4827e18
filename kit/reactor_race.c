/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_race.c - R5 when cancel and completion meet, very often.
 *
 * Whatever comes first, an op ends once, and nothing is lost: what it has not
 * taken is there for the next one. Each op is overwritten as soon as it has
 * ended.
 */

#include "kit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/atomic.h"

enum {
    RACES = 100000,
    PAUSE = 65, // rounds; odd: with a cancel, and without
    ACCEPTS = 5000,
    SENDS = 5000,
    CHUNK = 3000,  // bytes of a SEND
    POISON = 0xaa, // what an op is overwritten with when it has ended
};

/* The result of an op that was cancelled, or not; the op is gone. */
static int
race_end(struct pons_reactor *r, struct pons_op *op)
{
    int res = kit_await(r, op);

    memset(op, POISON, sizeof *op);
    free(op);
    return res;
}

static struct pons_op *
race_op(int opcode, int fd, void *addr, size_t len)
{
    struct pons_op *op = malloc(sizeof *op);

    KIT_WANT(op != NULL, "the kit itself has no memory");
    *op = kit_op(opcode, fd, addr, len);
    return op;
}

/* --- bytes --- */

static void *
race_write(void *arg)
{
    for (int i = 0; i < RACES; i++) {
        char c = (char)(i % 100);

        KIT_EQ(write(*(int *)arg, &c, 1), 1, "bytes that the kit could write");
    }
    return NULL;
}

/* One RECV, cancelled in every second round. */
static int
race_recv(struct pons_reactor *r, int fd, char *c, unsigned round)
{
    struct pons_op *op = race_op(PONS_OP_RECV, fd, c, 1);
    int res;

    if (kit_submit(r, op) == PONS_SUBMIT_PENDING) {
        if (round % PAUSE == 0)
            sched_yield();
        if (round % 2 == 0)
            r->ops->cancel(r, op);
        return race_end(r, op);
    }
    res = op->res;
    free(op);
    return res;
}

static void
race_with_a_thread(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    pthread_t writer;
    int fds[2], got = 0;

    kit_unix_pair(fds, SOCK_STREAM);
    KIT_THREAD(pthread_create(&writer, NULL, race_write, &fds[1]));
    for (unsigned round = 0; got < RACES; round++) {
        char c;
        int res = race_recv(r, fds[0], &c, round);

        if (res == -ECANCELED)
            continue;
        kit_check_result(res, 1, "a RECV that may be cancelled");
        KIT_EQ(c, got % 100, "byte %d of %d", got, RACES);
        got++;
    }
    pthread_join(writer, NULL);
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* A byte and a cancel, the one first or the other. */
static void
race_in_order(struct kit *k, int cancel_first)
{
    struct pons_reactor *r = kit_open(k);
    char c;
    int fds[2], res;

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < RACES / 2; i++) {
        struct pons_op *op = race_op(PONS_OP_RECV, fds[0], &c, 1);

        kit_pends(r, op);
        if (cancel_first)
            r->ops->cancel(r, op);
        kit_say(fds[1], "x");
        if (!cancel_first)
            r->ops->cancel(r, op);
        res = race_end(r, op);
        if (res == -ECANCELED)
            kit_ends(r, kit_op(PONS_OP_RECV, fds[0], &c, 1), 1);
        else
            kit_check_result(res, 1, "a RECV that may be cancelled");
    }
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
race_cancel_first(struct kit *k)
{
    race_in_order(k, 1);
}

static void
race_data_first(struct kit *k)
{
    race_in_order(k, 0);
}

/* --- bytes, each while its op is cancelled --- */

enum {
    PAIRS = 100,
    ROUNDS = 200,
    MEETINGS = ROUNDS * PAIRS,
    LOOKS = 200, // for the other one, which may have no processor
    SWEEP = 50,  // so many moments of a write are tried
};

struct meeting {
    int fds[PAIRS][2];
    char bytes[PAIRS];
    unsigned round; // whose bytes may be written
    unsigned asked; // the byte whose op is to be cancelled now
    unsigned begun; // the byte that is being written
};

/* Until the other one has come to byte `n`, too. */
static void
meeting_wait(const unsigned *other, unsigned n)
{
    for (int i = 0; i < LOOKS && poni_load_relaxed(other) < n; i++)
        poni_pause();
}

static void *
meeting_write(void *arg)
{
    struct meeting *m = arg;

    for (unsigned n = 0; n < MEETINGS; n++) {
        char c = (char)(n % 100);

        while (poni_load_relaxed(&m->round) < n / PAIRS + 1)
            sched_yield();
        poni_store_relaxed(&m->begun, n);
        meeting_wait(&m->asked, n);
        KIT_EQ(write(m->fds[n % PAIRS][1], &c, 1), 1,
               "bytes that the kit could write");
    }
    return NULL;
}

/* Waits for an event, or, with deadline 0, takes one that there is. */
static unsigned
meeting_look(struct pons_reactor *r, uint64_t deadline)
{
    struct pons_event ev;
    int n = r->ops->poll(r, &ev, 1, deadline);

    if (n == 0)
        return 0;
    kit_check_result(n, 1, "poll with room for 1 event");
    KIT_EQ(ev.op->state, 0, "last events of an op before this one");
    ev.op->state = 1;
    ev.op->res = ev.res;
    return 1;
}

/* All ops end, each cancelled while its byte is written. An engine may learn of
 * the byte, and the system of the cancel, when it is polled. */
static void
meeting_cancel(struct pons_reactor *r, struct meeting *m, struct pons_op *ops,
               unsigned first)
{
    unsigned ended = 0;

    for (unsigned i = 0; i < PAIRS; i++) {
        unsigned n = first + i;

        poni_store_relaxed(&m->asked, n);
        meeting_wait(&m->begun, n);
        for (unsigned pause = 0; pause < n % SWEEP; pause++)
            poni_pause();
        if (n / SWEEP % 2 == 0)
            ended += meeting_look(r, 0);
        if (ops[i].state == 0)
            r->ops->cancel(r, &ops[i]);
        ended += meeting_look(r, 0);
    }
    while (ended < PAIRS)
        ended += meeting_look(r, PONS_NEVER);
}

static void
meeting_hold(struct pons_reactor *r, struct meeting *m, unsigned round)
{
    struct pons_op ops[PAIRS];
    unsigned first = round * PAIRS;

    for (int i = 0; i < PAIRS; i++) {
        ops[i] = kit_op(PONS_OP_RECV, m->fds[i][0], &m->bytes[i], 1);
        kit_pends(r, &ops[i]);
    }
    poni_store_relaxed(&m->round, round + 1);
    meeting_cancel(r, m, ops, first);
    for (unsigned i = 0; i < PAIRS; i++) {
        if (ops[i].res == -ECANCELED)
            kit_ends(r, kit_op(PONS_OP_RECV, m->fds[i][0], &m->bytes[i], 1), 1);
        else
            kit_check_result(ops[i].res, 1, "a RECV that is cancelled");
        KIT_EQ(m->bytes[i], (first + i) % 100, "byte %u of %d", first + i,
               MEETINGS);
    }
    memset(ops, POISON, sizeof ops);
}

static void
race_meets(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct meeting m = {0}; // its counts carry nothing: no partner
    pthread_t writer;

    for (int i = 0; i < PAIRS; i++)
        kit_unix_pair(m.fds[i], SOCK_STREAM);
    KIT_THREAD(pthread_create(&writer, NULL, meeting_write, &m));
    for (unsigned round = 0; round < ROUNDS; round++)
        meeting_hold(r, &m, round);
    pthread_join(writer, NULL);
    kit_quiet(r);
    for (int i = 0; i < PAIRS; i++)
        kit_close_pair(r, m.fds[i]);
    kit_close(r);
}

/* --- connections --- */

static int
race_listener(struct sockaddr_un *address, socklen_t *size)
{
    int fd =
        KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    KIT_SYS(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)));
    *size = sizeof *address;
    KIT_SYS(getsockname(fd, (struct sockaddr *)address, size));
    KIT_SYS(listen(fd, 1));
    return fd;
}

/* The listener's queue is short: a connection that is lost would fill it. */
static void
race_accepts(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_un address;
    socklen_t size;
    int listener = race_listener(&address, &size);

    for (int i = 0; i < ACCEPTS; i++) {
        struct pons_op *op = race_op(PONS_OP_ACCEPT, listener, NULL, 0);
        int client = KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        int fd;

        kit_pends(r, op);
        if (i % 2 == 0)
            r->ops->cancel(r, op);
        KIT_SYS(connect(client, (struct sockaddr *)&address, size));
        if (i % 2 == 1)
            r->ops->cancel(r, op);
        fd = race_end(r, op);
        if (fd == -ECANCELED)
            fd = kit_run(r, kit_op(PONS_OP_ACCEPT, listener, NULL, 0));
        KIT_WANT(fd >= 0, "ACCEPT: wanted a descriptor, found %d", fd);
        close(fd);
        close(client);
    }
    kit_forget(r, listener);
    kit_close(r);
}

/* --- room --- */

static void *
race_read(void *arg)
{
    static char bytes[CHUNK];
    int64_t all = 0;
    ssize_t n;

    while ((n = read(*(int *)arg, bytes, sizeof bytes)) > 0)
        all += n;
    return (void *)(intptr_t)all;
}

/* There is room for one, so that the others have to wait. */
static void
race_sends(struct kit *k)
{
    static char bytes[CHUNK];
    struct pons_reactor *r = kit_open(k);
    int64_t sent = 0;
    pthread_t reader;
    void *got;
    int fds[2], least = 1;

    kit_unix_pair(fds, SOCK_STREAM);
    KIT_SYS(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least));
    KIT_THREAD(pthread_create(&reader, NULL, race_read, &fds[1]));
    for (int i = 0; i < SENDS; i++) {
        struct pons_op *op = race_op(PONS_OP_SEND, fds[0], bytes, CHUNK);
        int res;

        if (kit_submit(r, op) == PONS_SUBMIT_PENDING) {
            r->ops->cancel(r, op);
            res = race_end(r, op);
        } else {
            res = op->res;
            free(op);
        }
        KIT_WANT(res > 0 || res == -ECANCELED,
                 "SEND: wanted bytes or -ECANCELED, found %d", res);
        sent += res > 0 ? res : 0;
    }
    KIT_SYS(shutdown(fds[0], SHUT_WR));
    pthread_join(reader, &got);
    KIT_EQ((intptr_t)got, sent, "bytes that arrived, of those that SENDs told");
    kit_close_pair(r, fds);
    kit_close(r);
}

const struct kit_test kit_race_tests[] = {
    {"R5", "no byte is lost when cancel races with data", KIT_IO, NULL,
     race_with_a_thread},
    {"R5", "no byte is lost when cancel comes while it is written", KIT_IO,
     NULL, race_meets},
    {"R5", "no byte is lost when cancel comes just before it", KIT_IO, NULL,
     race_cancel_first},
    {"R5", "no byte is lost when cancel comes just after it", KIT_IO, NULL,
     race_data_first},
    {"R5", "no connection is lost when cancel races with it", KIT_IO, NULL,
     race_accepts},
    {"R5", "no byte is told twice when cancel races with room", KIT_IO, NULL,
     race_sends},
    {0},
};
