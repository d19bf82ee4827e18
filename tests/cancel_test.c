/* SPDX-License-Identifier: MIT */
/*
 * tests/cancel_test.c - P3, cancel loses nothing: a script that does everything
 * that waits is cancelled at its n-th poll, for every n until it gets through.
 *
 * Whatever n is: what was read and what is left are what was sent, a job ran as
 * often as its caller was told, every connection is with somebody, no
 * descriptor is left, drop() ran once.
 */

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/scope.h"
#include "pons/time.h"

enum {
    RACES = 10000,  // of a cancel with a completion
    POLLS = 100000, // a script ends before
    FEED = 40,      // bytes that the script is sent
};

/* --- what the script works with, and what must hold afterwards --- */

struct world {
    struct pons_stream *in, *feed;  // the script reads `in`
    struct pons_stream *out, *sink; // and writes to `out`
    struct pons_stream *listener;   // accepts from it, and connects to it
    struct sockaddr_in address;
    int descriptors;

    /* The script's account. */
    int64_t got, sent, lines;
    int jobs_called, jobs_told, drops, children;
    struct pons_stream *accepted, *connected;
    int64_t result;
};

static int
pending(struct pons_stream *s)
{
    int n = 0;

    CHECK_EQ(ioctl(pons_stream_fd(s), FIONREAD, &n), 0);
    return n;
}

static void
world_open(struct world *w)
{
    socklen_t size = sizeof w->address;
    struct pons_stream *pair[2];

    *w = (struct world){.descriptors = descriptors_now()};
    stream_pair(pair);
    w->in = pair[0];
    w->feed = pair[1];
    stream_pair(pair);
    w->out = pair[0];
    w->sink = pair[1];
    CHECK_EQ(pons_tcp_listen(&w->listener, "127.0.0.1", "0", 0), 0);
    CHECK_EQ(getsockname(pons_stream_fd(w->listener),
                         (struct sockaddr *)&w->address, &size),
             0);
}

/* The connection that was made, if there is one, is at both ends. */
static void
world_check_connection(struct world *w)
{
    int fd, peers = w->accepted != NULL;

    while ((fd = accept4(pons_stream_fd(w->listener), NULL, NULL,
                         SOCK_NONBLOCK)) >= 0) {
        char byte;

        /* What the script gave up while it connected is at its end. */
        if (w->connected == NULL || w->accepted != NULL)
            CHECK(recv(fd, &byte, 1, 0) <= 0);
        close(fd);
        peers++;
    }
    if (w->connected != NULL)
        CHECK_EQ(peers, 1);
    if (w->accepted != NULL)
        CHECK(pons_stream_fd(w->accepted) >= 0);
}

static void
world_close(struct world *w)
{
    char bytes[FEED * 2];
    int64_t left = 0, n;

    CHECK_EQ(w->sent, pending(w->sink));
    CHECK_EQ(w->jobs_called, w->jobs_told);
    CHECK_EQ(w->children, 0);
    pons_stream_close(w->feed);
    while ((n = pons_recv(w->in, bytes, sizeof bytes)) > 0)
        left += n; // what was given back comes first
    CHECK_EQ(w->got + left, FEED);
    world_check_connection(w);
    if (w->accepted != NULL)
        pons_stream_close(w->accepted);
    if (w->connected != NULL)
        pons_stream_close(w->connected);
    pons_stream_close(w->in);
    pons_stream_close(w->out);
    pons_stream_close(w->sink);
    pons_stream_close(w->listener);
    CHECK_EQ(descriptors_now(), w->descriptors);
}

static int64_t
job(void *arg)
{
    struct world *w = arg;

    __atomic_fetch_add(&w->jobs_called, 1, __ATOMIC_ACQ_REL);
    return 0x70b;
}

static int64_t
child(void *arg)
{
    struct world *w = arg;
    int64_t err;

    __atomic_fetch_add(&w->children, 1, __ATOMIC_ACQ_REL);
    err = pons_sleep(1000);
    __atomic_fetch_sub(&w->children, 1, __ATOMIC_ACQ_REL);
    return err < 0 ? err : 0xc4;
}

/* Sends what the script waits for, byte after byte. */
static int64_t
feeds(void *arg)
{
    static const char text[] = "0123456789line one\r\nline two and more\nABC";
    struct world *w = arg;

    for (int i = 0; i < FEED; i++) {
        CHECK_EQ(pons_send(w->feed, text + i, 1), 1);
        let_others_run();
    }
    return 0;
}

/* --- the script, stackless --- */

struct script {
    struct pons_future base;
    struct world *w;
    union {
        struct pons_recv recv;
        struct pons_send_all send;
        struct pons_read_line line;
        struct pons_sleep sleep;
        struct pons_join join;
        struct pons_blocking job;
        struct pons_accept accept;
        struct pons_connect connect;
        struct pons_tcp_connect tcp;
        struct pons_scope_close close;
        struct pons_yield yield;
    } io;
    struct pons_timeout timeout;
    struct pons_scope scope;
    struct pons_stream *socket;
    char bytes[64];
};

static void
script_new_socket(struct script *s)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(pons_stream_adopt(&s->socket, fd), 0);
}

#define SCRIPT_STOPS_IF(err)       \
    do {                           \
        if ((err) < 0)             \
            PONS_RETURN(f, (err)); \
    } while (0)

static enum pons_poll
script_poll(struct pons_future *f, struct pons_waker *waker)
{
    struct script *s = pons_container_of(f, struct script, base);
    struct world *w = s->w;
    struct pons_task *t;

    PONS_BEGIN(f);
    while (w->got < 10) {
        pons_recv_init(&s->io.recv, w->in, s->bytes, 10 - (size_t)w->got);
        PONS_AWAIT(f, waker, &s->io.recv);
        SCRIPT_STOPS_IF(s->io.recv.base.result);
        w->got += s->io.recv.base.result;
    }
    pons_send_all_init(&s->io.send, w->out, "hello", 5);
    PONS_AWAIT(f, waker, &s->io.send);
    SCRIPT_STOPS_IF(s->io.send.base.result);
    w->sent += s->io.send.base.result;
    pons_sleep_init(&s->io.sleep, pons_after_ns(1000));
    PONS_AWAIT(f, waker, &s->io.sleep);
    SCRIPT_STOPS_IF(s->io.sleep.base.result);
    pons_read_line_init(&s->io.line, w->in, s->bytes, sizeof s->bytes);
    PONS_AWAIT(f, waker, &s->io.line);
    SCRIPT_STOPS_IF(s->io.line.base.result);
    w->got += s->io.line.base.result + 2;
    CHECK_EQ(strcmp(s->bytes, "line one"), 0);
    pons_blocking_init(&s->io.job, NULL, job, w);
    PONS_AWAIT(f, waker, &s->io.job);
    w->jobs_told += s->io.job.base.result == 0x70b;
    SCRIPT_STOPS_IF(s->io.job.base.result);
    CHECK_EQ(pons_spawn(NULL, child, w, &t), 0);
    pons_join_init(&s->io.join, t);
    PONS_AWAIT(f, waker, &s->io.join);
    SCRIPT_STOPS_IF(s->io.join.base.result);
    script_new_socket(s);
    pons_connect_init(&s->io.connect, s->socket, (struct sockaddr *)&w->address,
                      sizeof w->address);
    PONS_AWAIT(f, waker, &s->io.connect);
    SCRIPT_STOPS_IF(s->io.connect.base.result);
    w->connected = s->socket;
    s->socket = NULL;
    pons_accept_init(&s->io.accept, w->listener, &w->accepted);
    PONS_AWAIT(f, waker, &s->io.accept);
    SCRIPT_STOPS_IF(s->io.accept.base.result);
    pons_read_line_init(&s->io.line, w->in, s->bytes, sizeof s->bytes);
    pons_timeout_init(&s->timeout, pons_after_ms(60000), &s->io.line.base);
    PONS_AWAIT(f, waker, &s->timeout);
    SCRIPT_STOPS_IF(s->timeout.base.result);
    w->got += s->timeout.base.result + 1;
    CHECK_EQ(strcmp(s->bytes, "line two and more"), 0);
    pons_scope_open(&s->scope, PONS_NEVER);
    CHECK_EQ(pons_scope_spawn(&s->scope, child, w), 0);
    CHECK_EQ(pons_scope_spawn(&s->scope, child, w), 0);
    pons_scope_close_init(&s->io.close, &s->scope);
    PONS_AWAIT(f, waker, &s->io.close);
    SCRIPT_STOPS_IF(s->io.close.base.result);
    pons_yield_init(&s->io.yield);
    PONS_AWAIT(f, waker, &s->io.yield);
    SCRIPT_STOPS_IF(s->io.yield.base.result);
    PONS_RETURN(f, 1);
    PONS_END(f);
}

static void
script_drop(struct pons_future *f)
{
    struct script *s = pons_container_of(f, struct script, base);

    if (s->socket != NULL)
        pons_stream_close(s->socket);
    s->w->drops++;
    s->w->result = f->result;
}

static const struct pons_future_ops script_ops = {.size = sizeof script_ops,
                                                  .name = "script",
                                                  .poll = script_poll,
                                                  .drop = script_drop};

static void
script_init(struct script *s, struct world *w)
{
    *s = (struct script){.w = w};
    pons_future_init(&s->base, &script_ops);
}

/* --- cancelled at the n-th poll --- */

/* Around the script: counts polls, and cancels at the n-th. */
struct nth {
    struct pons_future base;
    struct script script;
    struct pons_task **self; // cancelled as a task; NULL: as a future
    unsigned n, polls;
};

static enum pons_poll
nth_poll(struct pons_future *f, struct pons_waker *w)
{
    struct nth *o = pons_container_of(f, struct nth, base);

    f->child = &o->script.base;
    if (++o->polls == o->n) {
        if (o->self != NULL)
            pons_cancel(*o->self);
        else if (o->n > 1) // one that was polled
            pons_future_cancel(&o->script.base);
    }
    if (pons_future_poll(&o->script.base, w) == PONS_PENDING)
        return PONS_PENDING;
    script_drop(&o->script.base);
    f->result = o->script.base.result;
    return PONS_READY;
}

static const struct pons_future_ops nth_ops = {
    .size = sizeof nth_ops, .name = "nth", .poll = nth_poll};

struct how {
    unsigned n;
    int as_task;
    int through; // the script came to its end
};

static void
nth_run(struct how *how)
{
    struct pons_task *t;
    struct agent feeder;
    struct world w;
    struct nth o = {.n = how->n, .self = how->as_task ? &t : NULL};
    int64_t answer;

    world_open(&w);
    script_init(&o.script, &w);
    pons_future_init(&o.base, &nth_ops);
    agent_start(&feeder, feeds, &w);
    if (how->as_task) {
        CHECK_EQ(pons_spawn_future(NULL, &o.base, &t), 0);
        CHECK_EQ(pons_join(t, &answer), 0);
    } else {
        answer = pons_await(&o.base);
    }
    CHECK(answer == 1 || answer == -ECANCELED);
    how->through = o.polls < how->n; // not cancelled at all
    if (how->through)
        CHECK_EQ(answer, 1);
    CHECK_EQ(w.drops, 1);
    CHECK_EQ(agent_join(&feeder), 0);
    world_close(&w);
}

static void
task_body(void *arg)
{
    struct how how = {.as_task = 1};

    (void)arg;
    for (how.n = 1; !how.through; how.n++) {
        CHECK(how.n < POLLS);
        nth_run(&how);
    }
    CHECK(how.n >= 5); // polls: the first, after the sleep, after the yield
}

static void
p3_task_cancelled_at_any_poll_loses_nothing(void)
{
    everywhere_in_fibers(task_body, NULL);
}

/* A cancel of the future alone is not sticky: it ends one wait, and the script
 * with it. */
static void
future_body(void *arg)
{
    struct how how = {.as_task = 0};

    (void)arg;
    for (how.n = 2; !how.through; how.n++)
        nth_run(&how);
}

static void
p3_future_cancelled_at_any_poll_loses_nothing(void)
{
    everywhere_in_fibers(future_body, NULL);
    within("epoll", "0", future_body, NULL);
    within("epoll", "2", future_body, NULL);
}

/* --- the script, as a fiber --- */

static int64_t
fiber_connects(struct world *w)
{
    struct pons_stream *s;
    int err;

    err = pons_tcp_connect(&s, "127.0.0.1", "1"); // refused, or cancelled
    CHECK(err == -ECONNREFUSED || err == -ECANCELED);
    CHECK(s == NULL);
    CHECK_EQ(
        pons_stream_adopt(&s, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        0);
    err = pons_connect(s, (struct sockaddr *)&w->address, sizeof w->address);
    if (err < 0)
        pons_stream_close(s);
    else
        w->connected = s;
    return err;
}

static int64_t
fiber_script(void *arg)
{
    struct world *w = arg;
    char bytes[64];
    int64_t n, answer = 0;
    struct pons_task *t;
    int err;

    while (w->got < 10) {
        n = pons_recv(w->in, bytes, 10 - (size_t)w->got);
        if (n < 0)
            return n;
        w->got += n;
    }
    n = pons_send_all(w->out, "hello", 5);
    if (n < 0)
        return n;
    w->sent += n;
    n = pons_read_line(w->in, bytes, sizeof bytes);
    if (n < 0)
        return n;
    w->got += n + 2;
    CHECK_EQ(strcmp(bytes, "line one"), 0);
    err = pons_blocking(job, w, &answer);
    w->jobs_told += err == 0;
    if (err < 0)
        return err;
    CHECK_EQ(pons_spawn(NULL, child, w, &t), 0);
    CHECK_EQ(pons_join(t, &answer), 0);
    if (answer < 0)
        return answer;
    n = fiber_connects(w);
    if (n < 0)
        return n;
    err = pons_accept(w->listener, &w->accepted);
    CHECK_EQ(err == 0, w->accepted != NULL);
    if (err < 0)
        return err;
    {
        PONS_SCOPE_GUARD(scope, pons_after_ms(60000));

        err = pons_scope_spawn(&scope, child, w);
        CHECK_EQ(err, 0);
        err = pons_sleep(1000);
        if (err < 0)
            return err;
    }
    n = pons_read_line(w->in, bytes, sizeof bytes);
    if (n < 0)
        return n;
    w->got += n + 1;
    return pons_yield() < 0 ? -ECANCELED : 1;
}

/* Cancels the script after it was let run n times. */
static void
fiber_body(void *arg)
{
    int through = 0;

    (void)arg;
    for (unsigned n = 0; !through; n++) {
        struct agent feeder;
        struct world w;
        struct pons_task *t;
        int64_t answer;

        CHECK(n < POLLS);
        world_open(&w);
        CHECK_EQ(pons_spawn(NULL, fiber_script, &w, &t), 0);
        agent_start(&feeder, feeds, &w);
        for (unsigned i = 0; i < n && !pons_task_ended(t); i++)
            let_others_run();
        through = pons_task_ended(t);
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &answer), 0);
        CHECK(answer == 1 || answer == -ECANCELED);
        if (through)
            CHECK_EQ(answer, 1);
        CHECK_EQ(agent_join(&feeder), 0);
        world_close(&w);
        n += n / 8; // there are many turns
    }
}

static void
p3_fiber_cancelled_after_any_turn_loses_nothing(void)
{
    everywhere_in_fibers(fiber_body, NULL);
}

/* --- races with another thread --- */

struct race {
    struct pons_stream *s[2];
    struct pons_task *task;
    int64_t got;
    int round; // that may be cancelled; negative: over
};

static int64_t
reads_a_byte(void *arg)
{
    struct race *r = arg;
    char byte;

    return pons_recv(r->s[0], &byte, 1);
}

static int64_t
sends_and_leaves(void *arg)
{
    struct race *r = arg;
    int seen = 0, round;

    while ((round = __atomic_load_n(&r->round, __ATOMIC_ACQUIRE)) >= 0) {
        if (round == seen) {
            (void)sched_yield();
            continue;
        }
        seen = round;
        CHECK_EQ(send(pons_stream_fd(r->s[1]), "x", 1, 0), 1);
        __atomic_store_n(&r->round, 0, __ATOMIC_RELEASE);
        seen = 0;
    }
    return 0;
}

static void
race_on(const char *reactor, const char *workers)
{
    struct pons_runtime *rt = runtime_of(reactor, workers);
    struct race r = {.round = 0};
    struct agent sender;
    int64_t sent = 0;
    char bytes[64];

    stream_pair(r.s);
    agent_start_thread(&sender, sends_and_leaves, &r);
    for (int i = 1; i <= RACES; i++) {
        int64_t n;

        CHECK_EQ(pons_spawn(rt, reads_a_byte, &r, &r.task), 0);
        if (i % 2)
            stream_until(r.s[0], 0, 1);
        __atomic_store_n(&r.round, i, __ATOMIC_RELEASE);
        for (int k = 0; k < i % 50; k++)
            __asm__ volatile("" ::: "memory");
        pons_cancel(r.task);
        CHECK_EQ(pons_join(r.task, &n), 0);
        while (__atomic_load_n(&r.round, __ATOMIC_ACQUIRE) != 0)
            (void)sched_yield();
        sent++;
        CHECK(n == 1 || n == -ECANCELED);
        r.got += n > 0;
        while (sent - r.got > 0) { // it is still there
            CHECK_EQ(recv(pons_stream_fd(r.s[0]), bytes, 1, MSG_DONTWAIT), 1);
            r.got++;
        }
    }
    __atomic_store_n(&r.round, -1, __ATOMIC_RELEASE);
    CHECK_EQ(agent_join(&sender), 0);
    pons_stream_close(r.s[0]);
    pons_stream_close(r.s[1]);
    pons_runtime_unref(rt);
}

static void
p3_cancel_and_completion_race_and_one_wins(void)
{
    race_on("epoll", "1");
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        race_on(*r, "2");
}

/* The byte, or a deadline: a result comes back either way, and no byte goes. */
static int64_t
reads_in_a_moment(void *arg)
{
    struct race *r = arg;
    int64_t n = 0;
    int err = pons_timeout(pons_after_ns(20000), reads_a_byte, r, &n);

    CHECK(err == 0 || err == -ETIME);
    return err == 0 ? n : 0;
}

static void
deadlines_body(void *arg)
{
    struct race r = {.round = 0};
    struct agent sender;
    int64_t left;
    char bytes[64];

    (void)arg;
    stream_pair(r.s);
    agent_start_thread(&sender, sends_and_leaves, &r);
    for (int i = 1; i <= RACES / 50; i++) {
        __atomic_store_n(&r.round, i, __ATOMIC_RELEASE);
        r.got += reads_in_a_moment(&r);
        while (__atomic_load_n(&r.round, __ATOMIC_ACQUIRE) != 0)
            (void)sched_yield();
        left = i - r.got;
        CHECK_EQ(pending(r.s[0]), left);
        while (left-- > 0)
            r.got += recv(pons_stream_fd(r.s[0]), bytes, 1, MSG_DONTWAIT);
    }
    __atomic_store_n(&r.round, -1, __ATOMIC_RELEASE);
    CHECK_EQ(agent_join(&sender), 0);
    pons_stream_close(r.s[0]);
    pons_stream_close(r.s[1]);
}

static void
p3_deadline_and_byte_race_and_the_byte_is_not_lost(void)
{
    everywhere(deadlines_body, NULL);
}

/* --- connections --- */

static int64_t
accepts(void *arg)
{
    struct world *w = arg;

    return pons_accept(w->listener, &w->accepted);
}

static int64_t
connects_plainly(void *arg)
{
    struct world *w = arg;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(connect(fd, (struct sockaddr *)&w->address, sizeof w->address), 0);
    return fd;
}

static void
accept_race_on(const char *reactor)
{
    struct pons_runtime *rt = runtime_of(reactor, "2");
    struct world w;

    world_open(&w);
    for (int i = 0; i < RACES / 10; i++) {
        struct agent client;
        struct pons_task *t;
        int64_t n;
        int fd, ours;

        w.accepted = NULL;
        CHECK_EQ(pons_spawn(rt, accepts, &w, &t), 0);
        if (i % 2)
            stream_until(w.listener, 0, 1);
        agent_start_thread(&client, connects_plainly, &w);
        for (int k = 0; k < i % 5; k++)
            (void)sched_yield();
        pons_cancel(t);
        CHECK_EQ(pons_join(t, &n), 0);
        fd = (int)agent_join(&client);
        CHECK_EQ(n == 0, w.accepted != NULL);
        CHECK(n == 0 || n == -ECANCELED);
        if (w.accepted != NULL) {
            pons_stream_close(w.accepted);
        } else { // then it is still in the queue
            ours = accept(pons_stream_fd(w.listener), NULL, NULL);
            CHECK(ours >= 0);
            close(ours);
        }
        close(fd);
    }
    w.accepted = NULL;
    w.got = FEED;
    world_close(&w);
    pons_runtime_unref(rt);
}

static void
p3_connection_is_accepted_or_still_in_the_queue(void)
{
    for (const char *const *r = reactors_here(); *r != NULL; r++)
        accept_race_on(*r);
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(p3_task_cancelled_at_any_poll_loses_nothing),
    T(p3_future_cancelled_at_any_poll_loses_nothing),
    T(p3_fiber_cancelled_after_any_turn_loses_nothing),
    T(p3_cancel_and_completion_race_and_one_wins),
    T(p3_deadline_and_byte_race_and_the_byte_is_not_lost),
    T(p3_connection_is_accepted_or_still_in_the_queue),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("cancel", tests, argc, argv);
}
