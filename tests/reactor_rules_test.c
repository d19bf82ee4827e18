/* SPDX-License-Identifier: MIT */
/*
 * tests/reactor_rules_test.c - the rules of pons/reactor.h, by their numbers.
 *
 * Every test runs against every engine in the build, a poller under the
 * adapter. What asks for real descriptors leaves the null engine out.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_host.h"
#include "unit.h"

enum { MS = 1000000, MANY = 1000, RACES = 20000 };

static const struct pons_engine *engine; // the one that is tested now

static void
name_engine(int status, void *arg)
{
    (void)arg;
    if (status != 0 && engine != NULL)
        fprintf(stderr, "engine: %s\n", engine->name);
}

static int
is_null(void)
{
    return strcmp(engine->name, "null") == 0;
}

static void
each_engine(void (*test)(void))
{
    on_exit(name_engine, NULL);
    for (engine = test_engines; engine->name != NULL; engine++)
        test();
    engine = NULL;
}

static void
each_real_engine(void (*test)(void))
{
    on_exit(name_engine, NULL);
    for (engine = test_engines; engine->name != NULL; engine++)
        if (!is_null())
            test();
    engine = NULL;
}

/* --- helpers --- */

static uint64_t
now(void)
{
    return test_host()->now(test_host());
}

static struct pons_reactor *
reactor_open(void)
{
    struct pons_reason reason = {{0}};
    struct pons_reactor *r;

    if (test_open(&r, engine, &reason) < 0) {
        fprintf(stderr, "%s\n", reason.text);
        exit(1);
    }
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

static void
reactor_close(struct pons_reactor *r)
{
    r->ops->close(r);
}

static struct pons_op
op_make(int opcode, int fd, void *addr, size_t len)
{
    return (struct pons_op){.opcode = (uint8_t)opcode,
                            .fd = fd,
                            .addr = addr,
                            .len = (uint32_t)len,
                            .offset = PONS_AT_POSITION};
}

static int
submit(struct pons_reactor *r, struct pons_op *op)
{
    op->reactor = r;
    return r->ops->submit(r, op);
}

/* Waits for the last event of `op`, which must be the next. */
static int
await(struct pons_reactor *r, struct pons_op *op)
{
    struct pons_event ev;

    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK(ev.op == op);
    CHECK_EQ(ev.flags & PONS_EVENT_MORE, 0);
    return ev.res;
}

static int
run(struct pons_reactor *r, struct pons_op op)
{
    int how = submit(r, &op);

    CHECK(how != PONS_SUBMIT_UNSUPPORTED);
    return how == PONS_SUBMIT_DONE ? op.res : await(r, &op);
}

static void
nothing_more(struct pons_reactor *r)
{
    struct pons_event ev;

    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
}

static void
forget_and_close(struct pons_reactor *r, int fd)
{
    if (r->ops->forget != NULL)
        CHECK_EQ(r->ops->forget(r, fd), 0);
    CHECK_EQ(close(fd), 0);
}

static void
say(int fd, const char *text)
{
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

/* fds[0] is the reactor's, non-blocking; fds[1] the test's. */
static void
unix_pair(int fds[2], int type)
{
    CHECK_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

static int
tcp_listener(struct sockaddr_in *address, int flags)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    CHECK_EQ(listen(fd, 16), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &size), 0);
    return fd;
}

static void
tcp_pair(int fds[2])
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address, 0);

    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(fds[1], (struct sockaddr *)&address, sizeof address), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(fds[0] >= 0);
    close(listener);
}

static void
close_pair(struct pons_reactor *r, int fds[2])
{
    forget_and_close(r, fds[0]);
    close(fds[1]);
}

/* --- R1 owner --- */

struct owner {
    struct pons_reactor *r;
    struct pons_op *op;
    int submitted, leave;
};

static void *
submit_and_spin(void *arg)
{
    struct owner *o = arg;

    CHECK_EQ(o->r->ops->bind(o->r), 0);
    CHECK_EQ(submit(o->r, o->op), PONS_SUBMIT_PENDING);
    __atomic_store_n(&o->submitted, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&o->leave, __ATOMIC_ACQUIRE))
        continue;
    return NULL;
}

static void
r1_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    pthread_t thread;
    char c;
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    struct owner o = {.r = r, .op = &op};

    if (r->caps & PONS_REACTOR_PINNED)
        goto leave;
    CHECK_EQ(pthread_create(&thread, NULL, submit_and_spin, &o), 0);
    while (!__atomic_load_n(&o.submitted, __ATOMIC_ACQUIRE))
        continue;
    CHECK_EQ(r->ops->bind(r), 0);
    say(fds[1], "x");
    CHECK_EQ(await(r, &op), 1);
    CHECK_EQ(run(r, op_make(PONS_OP_SEND, fds[0], &c, 1)), 1);
    __atomic_store_n(&o.leave, 1, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
leave:
    close_pair(r, fds);
    reactor_close(r);
}

static void
r1_ops_end_at_the_new_owner_while_the_old_one_spins(void)
{
    each_real_engine(r1_on);
}

/* --- R2 lifetime, R3 once --- */

static void
r2_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op *op = malloc(sizeof *op);
    struct pons_op *copy = malloc(sizeof *op);
    char c = 0, *buffer = malloc(1);
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    *op = op_make(PONS_OP_RECV, fds[0], buffer, 1);
    CHECK_EQ(submit(r, op), PONS_SUBMIT_PENDING);
    if (!is_null())
        say(fds[1], "x");
    CHECK_EQ(await(r, op), 1);
    free(buffer);
    memset(op, 0xaa, sizeof *op);
    memcpy(copy, op, sizeof *op);
    if (!is_null())
        say(fds[1], "y");
    nothing_more(r);
    CHECK_EQ(memcmp(op, copy, sizeof *op), 0);

    /* A call that can be made at once gives no event if it is DONE. */
    *op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    if (submit(r, op) == PONS_SUBMIT_PENDING)
        CHECK_EQ(await(r, op), 1);
    else
        CHECK_EQ(op->res, 1);
    if (!is_null())
        CHECK_EQ(c, 'y');
    free(op);
    free(copy);
    nothing_more(r);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r2_an_ended_op_is_touched_no_more(void)
{
    each_engine(r2_on);
}

/* MANY ops in one queue, taken `cap` at a time. */
static void
many_with_cap(unsigned cap)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op *ops = calloc(MANY, sizeof *ops);
    char *bytes = calloc(MANY, 1), sent[MANY];
    int fds[2], taken = 0;

    unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < MANY; i++) {
        ops[i] = op_make(PONS_OP_RECV, fds[0], &bytes[i], 1);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    for (int i = 0; i < MANY; i++)
        sent[i] = (char)(i % 100);
    if (!is_null())
        CHECK_EQ(write(fds[1], sent, MANY), MANY);
    while (taken < MANY) {
        struct pons_event ev[4];
        int n = r->ops->poll(r, ev, cap, PONS_NEVER);

        CHECK(n > 0 && n <= (int)cap);
        for (int i = 0; i < n; i++) {
            CHECK_EQ(ev[i].res, 1);
            CHECK_EQ(ev[i].op->state, 0);
            ev[i].op->state = 1; // at most once
        }
        taken += n;
    }
    nothing_more(r);
    for (int i = 0; i < MANY && !is_null(); i++)
        CHECK_EQ(bytes[i], sent[i]);
    free(ops);
    free(bytes);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r3_on(void)
{
    many_with_cap(1);
    many_with_cap(2);
}

static void
r3_a_thousand_ops_end_once_each_in_order(void)
{
    each_engine(r3_on);
}

/* The level poller must come round to those that did not fit. */
static void
r3_spread_on(void)
{
    struct pons_reactor *r = reactor_open();
    enum { PAIRS = 100 };
    struct pons_op ops[PAIRS];
    char bytes[PAIRS];
    int fds[PAIRS][2], seen[PAIRS] = {0};

    for (int i = 0; i < PAIRS; i++) {
        unix_pair(fds[i], SOCK_STREAM);
        ops[i] = op_make(PONS_OP_RECV, fds[i][0], &bytes[i], 1);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    for (int i = 0; i < PAIRS; i++)
        say(fds[i][1], "xx");
    for (int left = PAIRS; left > 0; left--) {
        struct pons_event ev;
        long i;

        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        i = ev.op - ops;
        CHECK_EQ(seen[i], 0);
        seen[i] = 1;
    }
    nothing_more(r);
    for (int i = 0; i < PAIRS; i++)
        close_pair(r, fds[i]);
    reactor_close(r);
}

static void
r3_a_hundred_descriptors_are_all_served(void)
{
    each_real_engine(r3_spread_on);
}

/* --- R4 no fail --- */

static void
r4_on(void)
{
    struct pons_reactor *r = reactor_open();
    char c = 0;
    int fds[2], closed;

    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    closed = dup(fds[0]);
    close(closed);
    for (int opcode = PONS_OP_ACCEPT; opcode <= PONS_OP_POLL; opcode++) {
        CHECK_EQ(run(r, op_make(opcode, -1, &c, 1)), -EBADF);
        CHECK_EQ(run(r, op_make(opcode, closed, &c, 1)), -EBADF);
    }
    CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], &c, 1)), -ENOTSOCK);
    CHECK_EQ(run(r, op_make(PONS_OP_SEND, fds[1], &c, 1)), -ENOTSOCK);
    CHECK_EQ(run(r, op_make(PONS_OP_ACCEPT, fds[0], NULL, 0)), -ENOTSOCK);
    CHECK_EQ(run(r, op_make(PONS_OP_CONNECT, fds[0], &c, 1)), -ENOTSOCK);
    CHECK_EQ(run(r, op_make(PONS_OP_READ, fds[1], &c, 1)), -EBADF);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, fds[0], &c, 1)), -EBADF);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, fds[1], NULL, 1)), -EFAULT);
    CHECK_EQ(run(r, op_make(PONS_OP_NOP, -1, NULL, 7)), 7);
    close(fds[0]);
    close(fds[1]);
    reactor_close(r);
}

static void
r4_errors_are_results(void)
{
    each_real_engine(r4_on);
}

/* --- R5 cancel --- */

static void
r5_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op[5];
    char c[5] = {0};
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 4; i++) {
        op[i] = op_make(PONS_OP_RECV, fds[0], &c[i], 1);
        CHECK_EQ(submit(r, &op[i]), PONS_SUBMIT_PENDING);
    }
    r->ops->cancel(r, &op[1]); // one in the middle
    r->ops->cancel(r, &op[3]); // and the last
    r->ops->cancel(r, &op[1]);
    r->ops->cancel(r, &op[3]);
    CHECK_EQ(await(r, &op[1]), -ECANCELED);
    CHECK_EQ(await(r, &op[3]), -ECANCELED);
    nothing_more(r);
    op[4] = op_make(PONS_OP_RECV, fds[0], &c[4], 1);
    CHECK_EQ(submit(r, &op[4]), PONS_SUBMIT_PENDING);
    say(fds[1], "abc");
    CHECK_EQ(await(r, &op[0]), 1);
    CHECK_EQ(await(r, &op[2]), 1);
    CHECK_EQ(await(r, &op[4]), 1);
    CHECK_EQ(memcmp(c, "a\0b\0c", 5), 0);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r5_a_cancelled_op_ends_once_and_consumes_nothing(void)
{
    each_real_engine(r5_on);
}

static void
r5_last_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op, poll_op;
    char c;
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < 3; i++) {
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        poll_op = op_make(PONS_OP_POLL, fds[0], NULL, POLLIN);
        CHECK_EQ(submit(r, &poll_op), PONS_SUBMIT_PENDING);
        r->ops->cancel(r, &op);
        CHECK_EQ(await(r, &op), -ECANCELED);
        r->ops->cancel(r, &poll_op);
        CHECK_EQ(await(r, &poll_op), -ECANCELED);
    }
    say(fds[1], "x");
    CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], &c, 1)), 1);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r5_a_descriptor_works_after_all_its_ops_were_cancelled(void)
{
    each_real_engine(r5_last_on);
}

static void
r5_ended_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op a, b;
    struct pons_event ev[2];
    char c[2] = {0};
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    a = op_make(PONS_OP_RECV, fds[0], &c[0], 1);
    b = op_make(PONS_OP_RECV, fds[0], &c[1], 1);
    CHECK_EQ(submit(r, &a), PONS_SUBMIT_PENDING);
    CHECK_EQ(submit(r, &b), PONS_SUBMIT_PENDING);
    if (!is_null())
        say(fds[1], "ab");
    CHECK_EQ(r->ops->poll(r, ev, 1, PONS_NEVER), 1);
    CHECK(ev[0].op == &a);
    r->ops->cancel(r, &b); // it may have ended inside; its event is the truth
    CHECK_EQ(r->ops->poll(r, ev, 2, PONS_NEVER), 1);
    CHECK(ev[0].op == &b);
    if (ev[0].res == -ECANCELED)
        CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], &c[1], 1)), 1);
    else
        CHECK_EQ(ev[0].res, 1);
    if (!is_null())
        CHECK_EQ(c[1], 'b');
    nothing_more(r);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r5_a_cancel_that_comes_too_late_changes_nothing(void)
{
    each_engine(r5_ended_on);
}

static void *
write_bytes(void *arg)
{
    for (int i = 0; i < RACES; i++) {
        char c = (char)(i % 100);

        CHECK_EQ(write(*(int *)arg, &c, 1), 1);
    }
    return NULL;
}

static void
r5_race_on(void)
{
    struct pons_reactor *r = reactor_open();
    pthread_t writer;
    int fds[2], got = 0;

    unix_pair(fds, SOCK_STREAM);
    CHECK_EQ(pthread_create(&writer, NULL, write_bytes, &fds[1]), 0);
    for (unsigned round = 0; got < RACES; round++) {
        struct pons_op *op = malloc(sizeof *op);
        char c;
        int res;

        *op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        if (submit(r, op) == PONS_SUBMIT_PENDING) {
            if (round % 3 == 0)
                sched_yield();
            if (round % 2 == 0)
                r->ops->cancel(r, op);
            res = await(r, op);
        } else {
            res = op->res;
        }
        if (res != -ECANCELED) {
            CHECK_EQ(res, 1);
            CHECK_EQ(c, got % 100); // none lost, none twice
            got++;
        }
        memset(op, 0xaa, sizeof *op);
        free(op);
    }
    pthread_join(writer, NULL);
    nothing_more(r);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r5_no_byte_is_lost_when_cancel_races_with_data(void)
{
    each_real_engine(r5_race_on);
}

static void
r5_accept_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct sockaddr_in address;
    int listener = tcp_listener(&address, SOCK_NONBLOCK), res;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pons_op op = op_make(PONS_OP_ACCEPT, listener, NULL, 0);

    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(await(r, &op), -ECANCELED);
    CHECK_EQ(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    res = run(r, op_make(PONS_OP_ACCEPT, listener, NULL, 0));
    CHECK(res >= 0);
    close(res);
    close(client);
    forget_and_close(r, listener);
    reactor_close(r);
}

static void
r5_a_cancelled_accept_leaves_the_connection_to_the_next(void)
{
    each_real_engine(r5_accept_on);
}

/* --- R7 poll, R11 timers --- */

static void
never_early(struct pons_reactor *r, uint64_t span)
{
    struct pons_event ev;
    uint64_t deadline = now() + span;

    CHECK_EQ(r->ops->poll(r, &ev, 1, deadline), 0);
    CHECK(now() >= deadline);
}

static void
r11_on(void)
{
    static const uint64_t spans[] = {1,      1000,        MS / 2,     MS - 1,
                                     MS,     MS + 1,      3 * MS / 2, 2 * MS,
                                     5 * MS, 20 * MS + 1, 25 * MS};
    struct pons_reactor *r = reactor_open();
    struct pons_event ev;

    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++)
        never_early(r, spans[i]);
    for (int i = 0; i < 50; i++)
        never_early(r, (uint64_t)i * 40000);
    CHECK_EQ(r->ops->poll(r, &ev, 1, 1), 0); // long past
    CHECK_EQ(r->ops->poll(r, &ev, 1, now()), 0);
    reactor_close(r);
}

static void
r11_poll_is_never_early(void)
{
    each_engine(r11_on);
}

/* A deadline that was not used must not end a later, longer wait. */
static void
r11_unused_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_event ev;

    for (int i = 0; i < 20; i++) {
        CHECK_EQ(r->ops->wake(r), 0);
        CHECK_EQ(r->ops->poll(r, &ev, 1, now() + MS), 0);
        never_early(r, 3 * MS);
    }
    reactor_close(r);
}

static void
r11_an_unused_deadline_is_forgotten(void)
{
    each_engine(r11_unused_on);
}

static void
ignore(int signal)
{
    (void)signal;
}

/* A storm of SIGUSR1, every `us` microseconds; alarm() is the test's own. */
static timer_t
storm_start(void (*handler)(int), long us)
{
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL,
                           .sigev_signo = SIGUSR1};
    struct itimerspec every = {.it_value.tv_nsec = us * 1000,
                               .it_interval.tv_nsec = us * 1000};
    struct sigaction action = {.sa_handler = handler};
    timer_t timer;

    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &how, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &every, NULL), 0);
    return timer;
}

static void
r7_signals_on(void)
{
    struct pons_reactor *r = reactor_open();
    timer_t storm = storm_start(ignore, 300);

    never_early(r, 50 * MS);
    never_early(r, MS + MS / 2);
    timer_delete(storm);
    reactor_close(r);
}

static void
r7_signals_do_not_end_poll(void)
{
    each_engine(r7_signals_on);
}

static void
r7_zero_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char c;
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    nothing_more(r);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    nothing_more(r);
    nothing_more(r);
    say(fds[1], "x");
    for (;;) { // it is there at once, or soon
        struct pons_event ev;
        int n = r->ops->poll(r, &ev, 1, 0);

        if (n == 1) {
            CHECK_EQ(ev.res, 1);
            break;
        }
        CHECK_EQ(n, 0);
    }
    close_pair(r, fds);
    reactor_close(r);
}

static void
r7_deadline_zero_looks_and_does_not_sleep(void)
{
    each_real_engine(r7_zero_on);
}

/* --- R8 wake --- */

struct wakers {
    struct pons_reactor *r;
    int woken, goal;
};

static void *
wake_often(void *arg)
{
    struct wakers *w = arg;

    for (int i = 0; i < w->goal; i++) {
        __atomic_add_fetch(&w->woken, 1, __ATOMIC_RELAXED);
        CHECK_EQ(w->r->ops->wake(w->r), 0);
    }
    return NULL;
}

static void
r8_on(void)
{
    enum { THREADS = 4 };
    struct pons_reactor *r = reactor_open();
    struct wakers w = {.r = r, .goal = 5000};
    pthread_t threads[THREADS];
    struct pons_event ev;

    CHECK_EQ(r->ops->wake(r), 0);
    CHECK_EQ(r->ops->wake(r), 0);
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 0);
    never_early(r, MS); // two counted as one

    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, wake_often, &w), 0);
    while (__atomic_load_n(&w.woken, __ATOMIC_RELAXED) < THREADS * w.goal)
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    reactor_close(r);
}

static void
r8_no_wake_is_lost(void)
{
    each_engine(r8_on);
}

struct relay {
    struct pons_reactor *here, *there;
    int turns;
};

static void *
relay_back(void *arg)
{
    struct relay *l = arg;
    struct pons_event ev;

    for (int i = 0; i < l->turns; i++) {
        CHECK_EQ(l->there->ops->poll(l->there, &ev, 1, PONS_NEVER), 0);
        CHECK_EQ(l->here->ops->wake(l->here), 0);
    }
    return NULL;
}

static void
r8_relay_on(void)
{
    struct relay l = {reactor_open(), reactor_open(), 2000};
    struct pons_event ev;
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, relay_back, &l), 0);
    for (int i = 0; i < l.turns; i++) {
        CHECK_EQ(l.there->ops->wake(l.there), 0);
        CHECK_EQ(l.here->ops->poll(l.here, &ev, 1, PONS_NEVER), 0);
    }
    pthread_join(thread, NULL);
    reactor_close(l.here);
    reactor_close(l.there);
}

static void
r8_two_reactors_wake_each_other_in_turn(void)
{
    each_engine(r8_relay_on);
}

static struct pons_reactor *signalled;
static volatile sig_atomic_t handler_runs;

static void
wake_from_handler(int signal)
{
    int saved = errno;

    (void)signal;
    errno = 77;
    signalled->ops->wake(signalled);
    if (errno != 77)
        abort();
    errno = saved;
    handler_runs++;
}

/* Each poll ends only by a wake from a handler that interrupts it, or that ran
 * inside submit or cancel before. */
static void
r8_handler_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_event ev;
    struct pons_op op;
    timer_t storm;
    char c;
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    signalled = r;
    handler_runs = 0;
    storm = storm_start(wake_from_handler, 200);
    while (handler_runs < 100) {
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        CHECK(r->ops->poll(r, &ev, 1, PONS_NEVER) == is_null());
        if (is_null())
            continue;
        r->ops->cancel(r, &op);
        while (r->ops->poll(r, &ev, 1, PONS_NEVER) == 0)
            continue;
        CHECK(ev.op == &op);
    }
    timer_delete(storm);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r8_a_signal_handler_may_wake_inside_any_function(void)
{
    each_engine(r8_handler_on);
}

/* A wake that comes together with a report that helps nobody. */
static void
r8_together_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    for (int i = 0; i < 100; i++) {
        unix_pair(fds, SOCK_STREAM);
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING); // writable: of no use
        CHECK_EQ(r->ops->wake(r), 0);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 0);
        r->ops->cancel(r, &op);
        CHECK_EQ(await(r, &op), -ECANCELED);
        close_pair(r, fds);
    }
    reactor_close(r);
}

static void
r8_a_wake_is_not_swallowed_by_other_reports(void)
{
    each_real_engine(r8_together_on);
}

/* --- R9 results --- */

static void
r9_stream_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp)
            tcp_pair(fds);
        else
            unix_pair(fds, SOCK_STREAM);
        op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        say(fds[1], "abc");
        CHECK_EQ(await(r, &op), 3);

        /* Short counts, one byte at a time and all there is. */
        say(fds[1], "defgh");
        CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], text, 1)), 1);
        CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], text, sizeof text)), 4);
        CHECK_EQ(memcmp(text, "efgh", 4), 0);

        /* Bytes and the end together, then the end again and again. */
        say(fds[1], "ij");
        CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
        for (int i = 0; i < 2; i++) {
            op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
            CHECK_EQ(run(r, op), i == 0 ? 2 : 0);
        }
        CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], text, 1)), 0);
        CHECK_EQ(run(r, op_make(PONS_OP_READ, fds[0], text, 1)), 0);

        /* Half-closed: the other direction goes on. */
        CHECK_EQ(run(r, op_make(PONS_OP_SEND, fds[0], "k", 1)), 1);
        CHECK_EQ(run(r, op_make(PONS_OP_WRITE, fds[0], "l", 1)), 1);
        CHECK_EQ(read(fds[1], text, sizeof text), 2);
        close_pair(r, fds);
    }
    reactor_close(r);
}

static void
r9_short_counts_half_close_and_end(void)
{
    each_real_engine(r9_stream_on);
}

/*
 * The end was reported together with the bytes, while an op waited; no report
 * comes after, and the short count must not be taken for "nothing there".
 */
static void
r9_end_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    nothing_more(r); // the first report, that it is writable, is over
    say(fds[1], "abc");
    close(fds[1]);
    fds[1] = dup(fds[0]); // for close_pair
    CHECK_EQ(await(r, &op), 3);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(run(r, op), 0);
    forget_and_close(r, fds[0]);
    close(fds[1]);
    reactor_close(r);
}

static void
r9_the_end_behind_a_short_count_is_found(void)
{
    each_real_engine(r9_end_on);
}

/* A read stops before urgent data: short, with more behind it. */
static void
r9_urgent_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    nothing_more(r);
    CHECK_EQ(send(fds[1], "abX", 3, MSG_OOB), 3);
    say(fds[1], "cd");
    CHECK_EQ(await(r, &op), 2);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(run(r, op), 2);
    CHECK_EQ(memcmp(text, "cd", 2), 0);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r9_bytes_behind_urgent_data_are_found(void)
{
    each_real_engine(r9_urgent_on);
}

static void
send_descriptor(int socket, int fd)
{
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec part = {"a", 1};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = room,
                       .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK_EQ(sendmsg(socket, &m, 0), 1);
}

static void
r9_passed_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    nothing_more(r);
    send_descriptor(fds[1], fds[1]);
    say(fds[1], "bc");
    CHECK_EQ(await(r, &op), 1); // recv(2) stops at a passed descriptor
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(run(r, op), 2);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r9_bytes_behind_a_passed_descriptor_are_found(void)
{
    each_real_engine(r9_passed_on);
}

/* A peek takes nothing: the bytes are there for the next call. */
static void
r9_peek_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    op.op_flags = MSG_PEEK;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds[1], "abc");
    CHECK_EQ(await(r, &op), 3);
    CHECK_EQ(run(r, op), 3);
    op.op_flags = 0;
    CHECK_EQ(run(r, op), 3);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r9_a_peek_leaves_the_bytes(void)
{
    each_real_engine(r9_peek_on);
}

static void
r9_flags_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char c = 0;
    int fds[2];

    unix_pair(fds, SOCK_STREAM);
    say(fds[1], "x");
    for (int opcode = PONS_OP_RECV; opcode <= PONS_OP_SEND; opcode++) {
        op = op_make(opcode, fds[0], &c, 1);
        op.op_flags = MSG_DONTWAIT;
        CHECK_EQ(run(r, op), -EINVAL);
    }
    CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], &c, 1)), 1);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(await(r, &op), -ECANCELED);
    op.op_flags = MSG_DONTWAIT; // it is known that nothing is there
    CHECK_EQ(run(r, op), -EINVAL);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r9_msg_dontwait_is_einval(void)
{
    each_real_engine(r9_flags_on);
}

/* What `op` on a full or empty descriptor in blocking mode does to its owner:
 * nothing. It ends when the other side moves. */
static void
r9_blocking_on(void)
{
    struct pons_reactor *r = reactor_open();
    static char big[1 << 20];
    struct pons_op op;
    char c;
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds[1], "x");
    CHECK_EQ(await(r, &op), 1);
    while (op = op_make(PONS_OP_SEND, fds[0], big, sizeof big),
           submit(r, &op) == PONS_SUBMIT_DONE)
        CHECK(op.res > 0);
    while (recv(fds[1], big, sizeof big, MSG_DONTWAIT) > 0)
        continue;
    CHECK(await(r, &op) > 0);
    CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
    close_pair(r, fds);

    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    op = op_make(PONS_OP_READ, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds[1], "x");
    CHECK_EQ(await(r, &op), 1);
    while (op = op_make(PONS_OP_WRITE, fds[1], big, 5000),
           submit(r, &op) == PONS_SUBMIT_DONE)
        CHECK(op.res > 0);
    CHECK(read(fds[0], big, sizeof big) > 0);
    CHECK(await(r, &op) > 0);
    forget_and_close(r, fds[0]);
    forget_and_close(r, fds[1]);
    reactor_close(r);
}

static void
r9_a_descriptor_in_blocking_mode_does_not_block(void)
{
    each_real_engine(r9_blocking_on);
}

static void
r9_listener_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct sockaddr_in address, peer;
    socklen_t size = sizeof peer;
    int blocking = tcp_listener(&address, 0);
    int listener = tcp_listener(&address, SOCK_NONBLOCK);
    struct pons_op op = op_make(PONS_OP_ACCEPT, blocking, NULL, 0);
    int clients[8], fd;

    CHECK_EQ(run(r, op), -EINVAL);
    op = op_make(PONS_OP_ACCEPT, listener, &peer, 0);
    op.addr2 = &size;
    op.op_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    for (int i = 0; i < 8; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(
            connect(clients[i], (struct sockaddr *)&address, sizeof address),
            0);
    }
    for (int i = 0; i < 8; i++) {
        fd = i == 0 ? await(r, &op) : run(r, op);
        CHECK(fd >= 0);
        CHECK_EQ(peer.sin_family, AF_INET);
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
        close(clients[i]);
    }
    op.op_flags = 0;
    op.addr = op.addr2 = NULL;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(await(r, &op), -ECANCELED);
    close(blocking);
    forget_and_close(r, listener);
    reactor_close(r);
}

static void
r9_accept_takes_all_and_refuses_a_blocking_listener(void)
{
    each_real_engine(r9_listener_on);
}

static void
r9_connect_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct sockaddr_in address, dead;
    int listener = tcp_listener(&address, SOCK_NONBLOCK), fd, other;
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX,
                                  .sun_path = "/nowhere/at/all"};

    close(tcp_listener(&dead, 0)); // nobody listens there now
    for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        CHECK_EQ(run(r, op_make(PONS_OP_CONNECT, fd, &dead, sizeof dead)),
                 -ECONNREFUSED);
        forget_and_close(r, fd);

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        CHECK_EQ(run(r, op_make(PONS_OP_CONNECT, fd, &address, sizeof address)),
                 0);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, flags ? O_NONBLOCK : 0);
        other = run(r, op_make(PONS_OP_ACCEPT, listener, NULL, 0));
        CHECK_EQ(run(r, op_make(PONS_OP_SEND, fd, "x", 1)), 1);
        close(other);
        forget_and_close(r, fd);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK_EQ(run(r, op_make(PONS_OP_CONNECT, fd, &nowhere, sizeof nowhere)),
             -ENOENT);
    forget_and_close(r, fd);
    forget_and_close(r, listener);
    reactor_close(r);
}

static void
r9_connect_says_how_it_went(void)
{
    each_real_engine(r9_connect_on);
}

/* A unix listener whose queue is full says EAGAIN, which is no result. */
static void
r9_full_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pons_op ops[3];
    int fds[3], n = 0, taken;

    CHECK_EQ(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)),
             0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(listen(listener, 0), 0);
    for (; n < 3; n++) {
        fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ops[n] = op_make(PONS_OP_CONNECT, fds[n], &address, size);
        if (submit(r, &ops[n]) == PONS_SUBMIT_PENDING)
            break;
        CHECK_EQ(ops[n].res, 0);
    }
    CHECK_EQ(n, 1); // one is queued, one waits
    never_early(r, 5 * MS);
    taken = accept(listener, NULL, NULL);
    CHECK_EQ(await(r, &ops[1]), 0);
    close(taken);

    fds[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ops[2] = op_make(PONS_OP_CONNECT, fds[2], &address, size);
    CHECK_EQ(submit(r, &ops[2]), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &ops[2]);
    CHECK_EQ(await(r, &ops[2]), -ECANCELED);
    for (int i = 0; i < 3; i++)
        forget_and_close(r, fds[i]);
    close(listener);
    reactor_close(r);
}

static void
r9_connect_waits_for_room_in_a_unix_listener(void)
{
    each_real_engine(r9_full_on);
}

static void
r9_reset_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct linger at_once = {.l_onoff = 1};
    struct pons_op op;
    char c;
    int fds[2];

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fds[1]);
    CHECK_EQ(await(r, &op), -ECONNRESET);
    CHECK_EQ(run(r, op_make(PONS_OP_SEND, fds[0], "x", 1)), -EPIPE);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, fds[0], "x", 1)), -EPIPE);
    forget_and_close(r, fds[0]);
    reactor_close(r);
}

static void
r9_a_reset_is_told_and_raises_no_signal(void)
{
    each_real_engine(r9_reset_on);
}

static void
r9_pipe_on(void)
{
    struct pons_reactor *r = reactor_open();
    static char big[1 << 20];
    struct pons_op op;
    char c;
    int fds[2];

    /* A reader that leaves while a writer waits, and before. */
    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    while (op = op_make(PONS_OP_WRITE, fds[1], big, 4096),
           submit(r, &op) == PONS_SUBMIT_DONE)
        CHECK_EQ(op.res, 4096);
    close(fds[0]);
    CHECK_EQ(await(r, &op), -EPIPE);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, fds[1], "x", 1)), -EPIPE);
    forget_and_close(r, fds[1]);

    /* A writer that leaves: the end. */
    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    op = op_make(PONS_OP_READ, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    close(fds[1]);
    CHECK_EQ(await(r, &op), 0);
    CHECK_EQ(run(r, op_make(PONS_OP_POLL, fds[0], NULL, POLLIN)), POLLHUP);
    forget_and_close(r, fds[0]);
    reactor_close(r);
}

static void
r9_dead_pipes_are_told_and_raise_no_signal(void)
{
    each_real_engine(r9_pipe_on);
}

static void
r9_packets_on(void)
{
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    struct pons_reactor *r = reactor_open();
    struct pons_op op;
    char text[16];
    int fds[2];

    for (int t = 0; t < 2; t++) {
        unix_pair(fds, types[t]);
        op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        say(fds[1], "ab");
        say(fds[1], "cde");
        say(fds[1], "f");
        CHECK_EQ(await(r, &op), 2);
        op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
        CHECK_EQ(run(r, op), 3);
        CHECK_EQ(run(r, op), 1);

        /* Until the other side's queue is full, and then until it is not. */
        while (op = op_make(PONS_OP_SEND, fds[0], text, sizeof text),
               submit(r, &op) == PONS_SUBMIT_DONE)
            CHECK_EQ(op.res, sizeof text);
        while (recv(fds[1], text, sizeof text, MSG_DONTWAIT) > 0)
            continue;
        CHECK_EQ(await(r, &op), sizeof text);
        close_pair(r, fds);
    }
    reactor_close(r);
}

static void
r9_packets_keep_their_bounds(void)
{
    each_real_engine(r9_packets_on);
}

static void
r9_udp_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pons_op ops[3];
    struct pons_event ev[3];
    char text[3][8];
    int n = 0;

    CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(run(r, op_make(PONS_OP_CONNECT, other, &address, size)), 0);
    for (int i = 0; i < 3; i++) {
        ops[i] = op_make(PONS_OP_RECV, fd, text[i], 8);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run(r, op_make(PONS_OP_SEND, other, "abc", (size_t)i)), i);
    while (n < 3) {
        int got = r->ops->poll(r, ev + n, (unsigned)(3 - n), PONS_NEVER);

        CHECK(got > 0);
        n += got;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(ev[i].op == &ops[i]);
        CHECK_EQ(ev[i].res, i); // an empty one, too
    }
    forget_and_close(r, fd);
    forget_and_close(r, other);
    reactor_close(r);
}

static void
r9_datagrams_go_to_the_ops_in_turn(void)
{
    each_real_engine(r9_udp_on);
}

static void
r9_kinds_on(void)
{
    struct pons_reactor *r = reactor_open();
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
    int event = eventfd(0, EFD_CLOEXEC);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
    int folder = open("/", O_RDONLY | O_CLOEXEC);
    uint64_t count = 3;
    struct pons_op op;
    char text[16] = "";

    op = op_make(PONS_OP_READ, event, &count, sizeof count);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    count = 5;
    CHECK_EQ(write(event, &count, sizeof count), sizeof count);
    CHECK_EQ(await(r, &op), sizeof count);
    CHECK_EQ(count, 5);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, event, &count, sizeof count)), 8);
    CHECK_EQ(run(r, op), 8);
    CHECK_EQ(run(r, op_make(PONS_OP_READ, event, &count, 1)), -EINVAL);

    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    op = op_make(PONS_OP_READ, slave, text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, master, "hi\nho\n", 6)), 6);
    CHECK_EQ(await(r, &op), 3); // a line at a time
    CHECK_EQ(run(r, op), 3);

    CHECK_EQ(run(r, op_make(PONS_OP_READ, nothing, text, 4)), 0);
    CHECK_EQ(run(r, op_make(PONS_OP_WRITE, nothing, text, 4)), 4);
    CHECK_EQ(run(r, op_make(PONS_OP_READ, zero, text, 4)), 4);
    CHECK_EQ(run(r, op_make(PONS_OP_READ, folder, text, 4)), -EISDIR);
    forget_and_close(r, event);
    forget_and_close(r, slave);
    forget_and_close(r, master);
    forget_and_close(r, nothing);
    forget_and_close(r, zero);
    forget_and_close(r, folder);
    reactor_close(r);
}

static void
r9_every_kind_of_descriptor_works(void)
{
    each_real_engine(r9_kinds_on);
}

static void
r9_poll_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op in, out, hup, read_op;
    struct pons_event ev[4];
    char c;
    int fds[2], n = 0;

    unix_pair(fds, SOCK_STREAM);
    CHECK_EQ(run(r, op_make(PONS_OP_POLL, fds[0], NULL, POLLIN | POLLOUT)),
             POLLOUT);
    in = op_make(PONS_OP_POLL, fds[0], NULL, POLLIN);
    out = op_make(PONS_OP_POLL, fds[0], NULL, POLLIN | POLLRDHUP);
    hup = op_make(PONS_OP_POLL, fds[0], NULL, 0);
    read_op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &in), PONS_SUBMIT_PENDING);
    CHECK_EQ(submit(r, &read_op), PONS_SUBMIT_PENDING);
    CHECK_EQ(submit(r, &out), PONS_SUBMIT_PENDING);
    CHECK_EQ(submit(r, &hup), PONS_SUBMIT_PENDING);
    nothing_more(r);
    say(fds[1], "x");
    while (n < 3) {
        int got = r->ops->poll(r, ev + n, (unsigned)(3 - n), PONS_NEVER);

        CHECK(got > 0);
        n += got;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(ev[i].op != &hup);
        CHECK_EQ(ev[i].res, ev[i].op == &read_op ? 1 : POLLIN);
    }
    nothing_more(r);
    close(fds[1]);
    CHECK_EQ(await(r, &hup), POLLHUP);
    forget_and_close(r, fds[0]);
    reactor_close(r);
}

static void
r9_several_polls_wait_beside_a_read(void)
{
    each_real_engine(r9_poll_on);
}

static uint64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Waits, and does not spin meanwhile. */
static void
sleeps(struct pons_reactor *r)
{
    uint64_t before = cpu_ns();

    never_early(r, 100 * MS);
    CHECK(cpu_ns() - before < 50 * MS);
}

/* Waited for while bytes lie unread: neither missed nor found by spinning. */
static void
r9_rdhup_on(void)
{
    struct pons_reactor *r = reactor_open();
    struct pons_op hup, urgent;
    char c;
    int fds[2];

    tcp_pair(fds);
    say(fds[1], "unread");
    hup = op_make(PONS_OP_POLL, fds[0], NULL, POLLRDHUP);
    CHECK_EQ(submit(r, &hup), PONS_SUBMIT_PENDING);
    sleeps(r);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(await(r, &hup), POLLRDHUP);
    CHECK_EQ(run(r, op_make(PONS_OP_RECV, fds[0], &c, 1)), 1);
    CHECK_EQ(run(r, hup), POLLRDHUP);
    close_pair(r, fds);

    tcp_pair(fds);
    say(fds[1], "unread");
    hup.fd = fds[0];
    CHECK_EQ(submit(r, &hup), PONS_SUBMIT_PENDING);
    urgent = op_make(PONS_OP_POLL, fds[0], NULL, POLLPRI);
    CHECK_EQ(submit(r, &urgent), PONS_SUBMIT_PENDING);
    sleeps(r);
    CHECK_EQ(send(fds[1], "!", 1, MSG_OOB), 1);
    CHECK_EQ(await(r, &urgent), POLLPRI);
    sleeps(r); // although the urgent byte is still there
    close(fds[1]);
    CHECK(await(r, &hup) & POLLRDHUP);
    forget_and_close(r, fds[0]);
    reactor_close(r);
}

static void
r9_a_half_close_is_seen_behind_unread_bytes(void)
{
    each_real_engine(r9_rdhup_on);
}

/* The number of a descriptor comes back as something else. */
static void
r9_reuse_on(void)
{
    struct pons_reactor *r = reactor_open();
    char text[8];
    int fds[2], first = -1;

    for (int i = 0; i < 200; i++) {
        struct pons_op op;
        int kind = i % 3, res;

        if (kind == 0)
            unix_pair(fds, SOCK_STREAM);
        else if (kind == 1)
            tcp_pair(fds);
        else
            CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        if (first < 0)
            first = fds[0];
        if (kind != 1)
            CHECK_EQ(fds[0], first);
        op = op_make(kind == 2 ? PONS_OP_READ : PONS_OP_RECV, fds[0], text, 8);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        if (i % 2 == 0)
            say(fds[1], "x");
        else
            r->ops->cancel(r, &op);
        res = await(r, &op);
        CHECK_EQ(res, i % 2 == 0 ? 1 : -ECANCELED);
        say(fds[1], "left over"); // and reported to nobody
        close_pair(r, fds);
    }
    nothing_more(r);
    reactor_close(r);
}

static void
r9_a_descriptor_number_may_be_used_again(void)
{
    each_real_engine(r9_reuse_on);
}

static void
r9_file_on(void)
{
    struct pons_reactor *r = reactor_open();
    char path[] = "/tmp/pons_reactor_rules_XXXXXX", text[4] = "abcd";
    int fd = mkstemp(path);
    struct pons_op op = op_make(PONS_OP_WRITE, fd, text, 4);
    int how;

    CHECK_EQ(unlink(path), 0);
    op.offset = 0;
    how = submit(r, &op);
    if (how == PONS_SUBMIT_PENDING)
        CHECK_EQ(await(r, &op), 4);
    else
        CHECK(how == PONS_SUBMIT_UNSUPPORTED || op.res == 4);
    op = op_make(PONS_OP_WRITE, fd, text, 4);
    how = submit(r, &op);
    if (how == PONS_SUBMIT_PENDING)
        CHECK_EQ(await(r, &op), 4);
    else
        CHECK(how == PONS_SUBMIT_UNSUPPORTED || op.res == 4);
    op.opcode = 200;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    nothing_more(r);
    close(fd);
    reactor_close(r);
}

static void
r9_files_are_done_or_left_to_the_pool(void)
{
    each_real_engine(r9_file_on);
}

/* --- R12 thrift, R14 close, R15 refusal --- */

static void
ping_pong(struct pons_reactor *r, int fds[2], int rounds)
{
    struct pons_op op;
    char c;

    for (int i = 0; i < rounds; i++) {
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        if (!is_null())
            say(fds[1], "x");
        CHECK_EQ(await(r, &op), 1);
        CHECK_EQ(run(r, op_make(PONS_OP_SEND, fds[0], "y", 1)), 1);
        if (!is_null())
            CHECK_EQ(read(fds[1], &c, 1), 1);
    }
}

static void
r12_on(void)
{
    struct pons_reactor *r = reactor_open();
    int fds[2];
    long before;

    unix_pair(fds, SOCK_STREAM);
    ping_pong(r, fds, 10);
    before = test_allocs;
    ping_pong(r, fds, 1000);
    CHECK_EQ(test_allocs, before);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r12_an_op_allocates_nothing(void)
{
    each_engine(r12_on);
}

static void
r14_on(void)
{
    long before = test_pieces;
    struct pons_reactor *r;
    int fds[2], high;

    for (int i = 0; i < 50; i++) {
        r = reactor_open();
        unix_pair(fds, SOCK_STREAM);
        high = fcntl(fds[0], F_DUPFD_CLOEXEC, 900);
        ping_pong(r, fds, 3);
        if (i % 2 == 0) {
            int pair[2] = {high, fds[1]};

            ping_pong(r, pair, 1);
        }
        if (i % 3 == 0 && r->ops->forget != NULL)
            CHECK_EQ(r->ops->forget(r, fds[0]), 0); // or close finds it watched
        reactor_close(r);
        close(fds[0]);
        close(fds[1]);
        close(high);
    }
    CHECK_EQ(test_pieces, before);
}

static void
r14_close_leaves_nothing(void)
{
    each_engine(r14_on);
}

static void
r14_fork_on(void)
{
    struct pons_reactor *r = reactor_open();
    long pieces = test_pieces;
    struct pons_op op;
    char c;
    int fds[2], status;
    pid_t pid;

    unix_pair(fds, SOCK_STREAM);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(r->ops->wake(r), 0); // still owed after the fork
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        r->ops->forked(r);
        _exit(test_pieces < pieces ? 0 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    if (!is_null()) {
        struct pons_event ev;

        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 0);
        say(fds[1], "x");
    }
    CHECK_EQ(await(r, &op), 1);
    close_pair(r, fds);
    reactor_close(r);
}

static void
r14_a_forked_child_disturbs_nothing(void)
{
    each_engine(r14_fork_on);
}

/* Refused by whatever is short first, or open: with a reason, and nothing kept.
 */
static int
open_with_limits(int descriptors, long allocs)
{
    struct rlimit all, few;
    struct pons_reason reason = {{0}};
    struct pons_reactor *r;
    long pieces = test_pieces;
    int err;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    if (descriptors >= 0) {
        int next = dup(0);

        close(next);
        few.rlim_cur = (rlim_t)(next + descriptors);
    }
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    test_allocs_left = allocs;
    err = test_open(&r, engine, &reason);
    test_allocs_left = -1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &all), 0);
    if (err == 0)
        r->ops->close(r);
    else
        CHECK(reason.text[0] != 0);
    CHECK_EQ(test_pieces, pieces);
    return err;
}

static void
r15_on(void)
{
    int n;

    for (n = 0; open_with_limits(n, -1) < 0; n++)
        CHECK_EQ(open_with_limits(n, -1), -EMFILE);
    CHECK(n > 0);
    for (n = 0; open_with_limits(-1, n) < 0; n++)
        CHECK_EQ(open_with_limits(-1, n), -ENOMEM);
    CHECK(n > 0);
}

static void
r15_a_refusal_has_a_reason_and_keeps_nothing(void)
{
    each_engine(r15_on);
}

/* In a process without epoll_pwait2, as before Linux 5.11 or in a container. */
static void
r15_old_on(void)
{
    struct pons_reactor *r = reactor_open();

    for (int i = 1; i < 30; i++)
        never_early(r, (uint64_t)i * 100000);
    never_early(r, 21 * MS);
    reactor_close(r);
}

static void
r15_epoll_pwait2_can_be_missing(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        SKIP("seccomp: %s", strerror(errno));
    each_engine(r15_old_on);
}

/* --- options --- */

static const struct pons_engine *
find_engine(const char *name)
{
    const struct pons_engine *e = test_engines;

    while (strcmp(e->name, name) != 0)
        e++;
    return e;
}

static void
null_ends_ops_in_submit_if_inline(void)
{
    struct pons_op op = op_make(PONS_OP_SEND, -1, NULL, 9);
    struct pons_reason reason;
    struct pons_reactor *r;

    CHECK_EQ(test_open_with(&r, find_engine("null"), "inline", 1, &reason), 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 9);
    op.opcode = PONS_OP_CONNECT;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 0);
    nothing_more(r);
    r->ops->close(r);
}

static void
epoll_takes_as_many_events_as_it_is_told(void)
{
    enum { PAIRS = 5 };
    const struct pons_engine *e = find_engine("epoll");
    struct pons_op op[PAIRS];
    struct pons_event ev[PAIRS];
    struct pons_reason reason;
    struct pons_reactor *r;
    char c;
    int fds[PAIRS][2];

    for (unsigned events = 1; events <= 256; events += 255) {
        int n = 0, got = 0;

        CHECK_EQ(test_open_with(&r, e, "events", events, &reason), 0);
        for (int i = 0; i < PAIRS; i++) {
            unix_pair(fds[i], SOCK_STREAM);
            op[i] = op_make(PONS_OP_RECV, fds[i][0], &c, 1);
            CHECK_EQ(submit(r, &op[i]), PONS_SUBMIT_PENDING);
        }
        for (int i = 0; i < PAIRS; i++) // one report each: writable
            nothing_more(r);
        for (int i = 0; i < PAIRS; i++)
            say(fds[i][1], "x");
        for (; n < PAIRS; n += got) {
            got = r->ops->poll(r, ev, PAIRS, PONS_NEVER);
            CHECK_EQ(got, events == 1 ? 1 : PAIRS);
        }
        for (int i = 0; i < PAIRS; i++)
            close_pair(r, fds[i]);
        r->ops->close(r);
    }
}

/* --- pons/poller.h, without the adapter --- */

static const struct pons_poller_ops *ops; // of the poller that is tested

static struct pons_poller *
poller_open(void)
{
    struct pons_reason reason;
    struct pons_poller *p;

    CHECK_EQ(test_open_poller(&p, engine, &reason), 0);
    ops = p->ops;
    return p;
}

static void
each_poller(void (*test)(void))
{
    on_exit(name_engine, NULL);
    for (engine = test_engines; engine->name != NULL; engine++)
        if (engine->kind == PONS_KIND_POLLER)
            test();
    engine = NULL;
}

static void
poller_wait_on(void)
{
    struct pons_poller *p = poller_open();
    timer_t storm = storm_start(ignore, 300);
    struct pons_ready ready;
    uint64_t deadline;

    for (int i = 0; i < 10; i++) {
        deadline = now() + (uint64_t)i * 1700000;
        CHECK_EQ(ops->wait(p, &ready, 1, deadline), 0);
        CHECK(now() >= deadline);
    }
    CHECK_EQ(ops->wake(p), 0);
    CHECK_EQ(ops->wake(p), 0);
    CHECK_EQ(ops->wait(p, &ready, 1, PONS_NEVER), 0);
    deadline = now() + 3 * MS;
    CHECK_EQ(ops->wait(p, &ready, 1, deadline), 0);
    CHECK(now() >= deadline); // the bell is silent again
    timer_delete(storm);
    ops->close(p);
}

static void
poller_wait_ends_by_its_deadline_or_a_wake_only(void)
{
    each_poller(poller_wait_on);
}

static void
poller_control_on(void)
{
    enum { PAIRS = 3, COOKIE = 500 };
    struct pons_poller *p = poller_open();
    struct pons_ready ready[4];
    int fds[PAIRS][2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    CHECK_EQ(ops->control(p, file, 1, 0, PONS_READABLE), -EPERM);
    CHECK_EQ(ops->control(p, -1, 1, 0, PONS_READABLE), -EBADF);
    for (int i = 0; i < PAIRS; i++) {
        unix_pair(fds[i], SOCK_STREAM);
        CHECK_EQ(ops->control(p, fds[i][0], (uint64_t)(COOKIE + i), 0,
                              PONS_READABLE),
                 0);
    }
    CHECK_EQ(ops->wait(p, ready, 4, 0), 0); // writable, but that is not wanted

    /* One goes: it is quiet, hang-up included, and the others keep their own.
     */
    CHECK_EQ(ops->control(p, fds[0][0], COOKIE, PONS_READABLE, 0), 0);
    close(fds[0][1]);
    CHECK_EQ(ops->wait(p, ready, 4, 0), 0);
    for (int i = 1; i < PAIRS; i++) {
        say(fds[i][1], "x");
        CHECK_EQ(ops->wait(p, ready, 4, PONS_NEVER), 1);
        CHECK_EQ(ready[0].cookie, COOKIE + i);
        CHECK_EQ(ready[0].ready & PONS_READABLE, PONS_READABLE);
        CHECK_EQ(read(fds[i][0], ready, 1), 1);
    }

    /* The cookie is the latest. */
    CHECK_EQ(ops->control(p, fds[1][0], 7, PONS_READABLE,
                          PONS_READABLE | PONS_WRITABLE),
             0);
    CHECK_EQ(ops->wait(p, ready, 4, PONS_NEVER), 1);
    CHECK_EQ(ready[0].cookie, 7);
    CHECK_EQ(ready[0].ready, PONS_WRITABLE);
    for (int i = 1; i < PAIRS; i++) {
        CHECK_EQ(ops->control(p, fds[i][0], 1, PONS_READABLE, 0), 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    close(fds[0][0]);
    close(file);
    ops->close(p);
}

static void
poller_control_decides_what_is_reported(void)
{
    each_poller(poller_control_on);
}

/* All are ready, all the time, and there is room for one report. */
static void
poller_turn_on(void)
{
    enum { PAIRS = 5 };
    struct pons_poller *p = poller_open();
    int fds[PAIRS][2], seen[PAIRS] = {0};
    struct pons_ready ready;

    for (int i = 0; i < PAIRS; i++) {
        unix_pair(fds[i], SOCK_STREAM);
        CHECK_EQ(ops->control(p, fds[i][0], (uint64_t)i, 0, PONS_WRITABLE), 0);
    }
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(ops->wait(p, &ready, 1, PONS_NEVER), 1);
        CHECK_EQ(seen[ready.cookie], 0);
        seen[ready.cookie] = 1;
    }
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(ops->control(p, fds[i][0], 0, PONS_WRITABLE, 0), 0);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    ops->close(p);
}

static void
poller_reports_all_in_turn(void)
{
    each_poller(poller_turn_on);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(r1_ops_end_at_the_new_owner_while_the_old_one_spins),
    TEST(r2_an_ended_op_is_touched_no_more),
    TEST(r3_a_thousand_ops_end_once_each_in_order),
    TEST(r3_a_hundred_descriptors_are_all_served),
    TEST(r4_errors_are_results),
    TEST(r5_a_cancelled_op_ends_once_and_consumes_nothing),
    TEST(r5_a_descriptor_works_after_all_its_ops_were_cancelled),
    TEST(r5_a_cancel_that_comes_too_late_changes_nothing),
    TEST(r5_no_byte_is_lost_when_cancel_races_with_data),
    TEST(r5_a_cancelled_accept_leaves_the_connection_to_the_next),
    TEST(r7_signals_do_not_end_poll),
    TEST(r7_deadline_zero_looks_and_does_not_sleep),
    TEST(r8_no_wake_is_lost),
    TEST(r8_two_reactors_wake_each_other_in_turn),
    TEST(r8_a_signal_handler_may_wake_inside_any_function),
    TEST(r8_a_wake_is_not_swallowed_by_other_reports),
    TEST(r9_short_counts_half_close_and_end),
    TEST(r9_the_end_behind_a_short_count_is_found),
    TEST(r9_bytes_behind_urgent_data_are_found),
    TEST(r9_bytes_behind_a_passed_descriptor_are_found),
    TEST(r9_a_peek_leaves_the_bytes),
    TEST(r9_msg_dontwait_is_einval),
    TEST(r9_a_descriptor_in_blocking_mode_does_not_block),
    TEST(r9_accept_takes_all_and_refuses_a_blocking_listener),
    TEST(r9_connect_says_how_it_went),
    TEST(r9_connect_waits_for_room_in_a_unix_listener),
    TEST(r9_a_reset_is_told_and_raises_no_signal),
    TEST(r9_dead_pipes_are_told_and_raise_no_signal),
    TEST(r9_packets_keep_their_bounds),
    TEST(r9_datagrams_go_to_the_ops_in_turn),
    TEST(r9_every_kind_of_descriptor_works),
    TEST(r9_several_polls_wait_beside_a_read),
    TEST(r9_a_half_close_is_seen_behind_unread_bytes),
    TEST(r9_a_descriptor_number_may_be_used_again),
    TEST(r9_files_are_done_or_left_to_the_pool),
    TEST(r11_poll_is_never_early),
    TEST(r11_an_unused_deadline_is_forgotten),
    TEST(r12_an_op_allocates_nothing),
    TEST(r14_close_leaves_nothing),
    TEST(r14_a_forked_child_disturbs_nothing),
    TEST(r15_a_refusal_has_a_reason_and_keeps_nothing),
    TEST(r15_epoll_pwait2_can_be_missing),
    TEST(null_ends_ops_in_submit_if_inline),
    TEST(epoll_takes_as_many_events_as_it_is_told),
    TEST(poller_wait_ends_by_its_deadline_or_a_wake_only),
    TEST(poller_control_decides_what_is_reported),
    TEST(poller_reports_all_in_turn),
    {0},
};

int
main(int argc, char **argv)
{
    test_engines_find();
    return unit_main("reactor_rules", tests, argc, argv);
}
