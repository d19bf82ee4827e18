/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_nested.c - R7: who sleeps on a pollable descriptor misses
 * nothing, and is not kept awake.
 *
 * The tests look as a loop around the engine does: poll(2) on the descriptor
 * instead of a poll of the engine that waits. They hang if it stays silent.
 */

#include "kit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    OPS = 200,     // more than small queues take at once
    TIMES = 100,   // often enough for each to be late once
    FEW_TIMES = 5, // and for what is told once only
};

static int
nested_is_readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;

    do // an engine may use signals to its owner
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return KIT_SYS(n) == 1;
}

/* Polls until there is nothing to tell, and no event was. */
static void
nested_settles(struct pons_reactor *r)
{
    struct pons_event ev;

    kit_check_result(r->ops->poll(r, &ev, 1, 0), 0, "poll, nothing ended");
}

/* The next event, by way of the descriptor. */
static struct pons_event
nested_next(struct pons_reactor *r, int fd)
{
    struct pons_event ev;
    int n;

    while ((n = r->ops->poll(r, &ev, 1, 0)) == 0)
        (void)nested_is_readable(fd, -1);
    kit_check_result(n, 1, "poll behind a readable descriptor");
    return ev;
}

static void
nested_awaits(struct pons_reactor *r, int fd, const struct pons_op *op,
              int wanted)
{
    struct pons_event ev = nested_next(r, fd);

    KIT_WANT(ev.op == op, "wanted the op's event, found another's");
    kit_check_result(ev.res, wanted, "the op");
}

/* Of a reactor in that state; it may say so once too often. */
static void
nested_falls_silent(struct pons_reactor *r, int fd)
{
    do
        nested_settles(r);
    while (nested_is_readable(fd, 0));
}

static void
nested_tells_of_ends(struct kit *k)
{
    int fd, fds[2];
    struct pons_reactor *r = kit_open_pollable(k, &fd);
    struct pons_op op;
    char c;

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < TIMES; i++) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        nested_falls_silent(r, fd);
        kit_say(fds[1], "x");
        nested_awaits(r, fd, &op, 1);
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        nested_falls_silent(r, fd);
        r->ops->cancel(r, &op);
        nested_awaits(r, fd, &op, -ECANCELED);
    }
    nested_falls_silent(r, fd);
    kit_close_pair(r, fds);
    kit_close(r);
}

/* --- while the owner sleeps on it --- */

struct nested_writer {
    pid_t sleeper;
    int fd;
};

/* Whether the thread sleeps, as /proc has it. */
static int
nested_sleeps(pid_t thread)
{
    char path[64], state = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    f = fopen(path, "re");
    if (f == NULL)
        kit_skip("%s: %s", path, strerror(errno));
    KIT_EQ(fscanf(f, "%*d (%*[^)]) %c", &state), 1, "a state in %s", path);
    fclose(f);
    return state == 'S';
}

static void *
nested_writes(void *arg)
{
    struct nested_writer *w = arg;

    while (!nested_sleeps(w->sleeper))
        (void)sched_yield();
    kit_say(w->fd, "x");
    return NULL;
}

static void
nested_wakes_sleeper(struct pons_reactor *r, int fd)
{
    struct nested_writer w = {.sleeper = gettid()};
    pthread_t thread;
    struct pons_op op;
    char c;
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    w.fd = fds[1];
    for (int i = 0; i < TIMES; i++) {
        op = kit_op(PONS_OP_RECV, fds[0], &c, 1);
        kit_pends(r, &op);
        nested_falls_silent(r, fd);
        KIT_THREAD(pthread_create(&thread, NULL, nested_writes, &w));
        while (!nested_is_readable(fd, -1))
            continue;
        nested_awaits(r, fd, &op, 1);
        pthread_join(thread, NULL);
    }
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
nested_asleep(struct kit *k)
{
    int fd;
    struct pons_reactor *r = kit_open_pollable(k, &fd);

    nested_wakes_sleeper(r, fd);
}

static void
nested_asleep_configured(struct pons_reactor *r, const char *how)
{
    int fd;

    kit_check_result(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, &fd), 0,
                     "%s control(POLLABLE_FD)", how);
    nested_wakes_sleeper(r, fd);
}

static void
nested_asleep_in_each_configuration(struct kit *k)
{
    kit_each_configuration(k, nested_asleep_configured);
}

/* --- all --- */

/* Each must be told of, though there be more than a queue or `cap` takes. */
static void
nested_tells_of_all(struct pons_reactor *r, int fd)
{
    static struct pons_op ops[OPS];
    int fds[2];

    kit_unix_pair(fds, SOCK_STREAM);
    for (int i = 0; i < OPS; i++) {
        ops[i] = kit_op(PONS_OP_POLL, fds[0], NULL, POLLIN);
        kit_pends(r, &ops[i]);
    }
    nested_falls_silent(r, fd);
    kit_say(fds[1], "x");
    for (int i = 0; i < OPS; i++)
        kit_check_result(nested_next(r, fd).res, POLLIN, "POLL %d of %d", i,
                         OPS);
    nested_falls_silent(r, fd);
    kit_close_pair(r, fds);
    kit_close(r);
}

static void
nested_with_defaults(struct kit *k)
{
    int fd;
    struct pons_reactor *r = kit_open_pollable(k, &fd);

    nested_tells_of_all(r, fd);
}

/* Some of these only wait for their turn in the engine. */
static void
nested_configured(struct pons_reactor *r, const char *how)
{
    int fd;

    kit_check_result(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, &fd), 0,
                     "%s control(POLLABLE_FD)", how);
    nested_tells_of_all(r, fd);
}

static void
nested_in_each_configuration(struct kit *k)
{
    kit_each_configuration(k, nested_configured);
}

static void *
nested_wake(void *arg)
{
    struct pons_reactor *r = arg;

    (void)r->ops->wake(r);
    return NULL;
}

static void
nested_tells_of_each_wake(struct pons_reactor *r, int fd, int times)
{
    pthread_t thread;

    for (int i = 0; i < times; i++) {
        nested_falls_silent(r, fd);
        KIT_THREAD(pthread_create(&thread, NULL, nested_wake, r));
        (void)nested_is_readable(fd, -1);
        pthread_join(thread, NULL);
    }
    nested_falls_silent(r, fd);
    kit_close(r);
}

static void
nested_wakes_configured(struct pons_reactor *r, const char *how)
{
    int fd;

    kit_check_result(r->ops->control(r, PONS_CONTROL_POLLABLE_FD, &fd), 0,
                     "%s control(POLLABLE_FD)", how);
    nested_tells_of_each_wake(r, fd, FEW_TIMES);
}

static void
nested_tells_of_wakes(struct kit *k)
{
    int fd;
    struct pons_reactor *r = kit_open_pollable(k, &fd);

    nested_tells_of_each_wake(r, fd, TIMES);
    if (k->engine->options != NULL)
        kit_each_configuration(k, nested_wakes_configured);
}

/* --- work of its own: a listener that has no room, and tells nobody --- */

static int
nested_socket(void)
{
    return KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
}

static int
nested_full_listener(struct sockaddr_un *to, socklen_t *size)
{
    int listener = nested_socket(), client;

    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    *size = sizeof to->sun_family; // the kernel finds a name
    KIT_SYS(bind(listener, (struct sockaddr *)to, *size));
    *size = sizeof *to;
    KIT_SYS(getsockname(listener, (struct sockaddr *)to, size));
    KIT_SYS(listen(listener, 0));
    do
        client = nested_socket();
    while (connect(client, (struct sockaddr *)to, *size) == 0);
    close(client);
    return listener;
}

static void
nested_tries_again(struct kit *k)
{
    int fd, listener, client;
    struct pons_reactor *r = kit_open_pollable(k, &fd);
    struct sockaddr_un to;
    struct pons_op op;
    socklen_t size;

    listener = nested_full_listener(&to, &size);
    for (int i = 0; i < TIMES; i++) {
        client = nested_socket();
        op = kit_op(PONS_OP_CONNECT, client, &to, size);
        kit_pends(r, &op);
        nested_settles(r);
        close(KIT_SYS(accept(listener, NULL, NULL)));
        nested_awaits(r, fd, &op, 0);
        kit_forget(r, client);
    }
    close(listener);
    kit_close(r);
}

const struct kit_test kit_nested_tests[] = {
    {"R7", "a pollable descriptor tells of each end, and of nothing else",
     KIT_IO | KIT_POLLABLE, NULL, nested_tells_of_ends},
    {"R7", "a pollable descriptor wakes who sleeps on it",
     KIT_IO | KIT_POLLABLE, NULL, nested_asleep},
    {"R7", "so it does with each option", KIT_IO | KIT_POLLABLE | KIT_OPTIONS,
     NULL, nested_asleep_in_each_configuration},
    {"R7", "a pollable descriptor tells until all was told",
     KIT_IO | KIT_POLLABLE, NULL, nested_with_defaults},
    {"R7", "so does the pollable descriptor of tiny queues",
     KIT_IO | KIT_POLLABLE | KIT_OPTIONS, NULL, nested_in_each_configuration},
    {"R7", "a pollable descriptor tells of wakes", KIT_POLLABLE, "R8",
     nested_tells_of_wakes},
    {"R7", "a pollable descriptor tells of work of the engine's own",
     KIT_IO | KIT_POLLABLE, NULL, nested_tries_again},
    {0},
};
