/* SPDX-License-Identifier: MIT */
/*
 * cli/serve.c - `pons serve DIR`: the files of a directory over HTTP/1.1.
 *
 * One fiber waits for whichever comes first, a client or the end. Each client
 * is a fiber of its own in its scope, so that the end of the server is the end
 * of the scope.
 */

#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "any.h"
#include "chosen.h"
#include "command.h"
#include "connection.h"
#include "descriptors.h"
#include "interrupt.h"
#include "pons/pons.h"
#include "say.h"

enum { BREATH_MS = 50 }; // when descriptors ran out: some will be closed

struct serve_course {
    struct serve *serve;
    struct pons_scope scope; // its tasks are the connections
    struct any *any;

    struct pons_stream *listener;
    struct any_member *accept_member;
    struct pons_accept accept;
    struct pons_stream *accepted; // by `accept`; NULL once it is passed on

    struct pons_stream *stop;
    struct any_member *stop_member;
    struct pons_ready_wait stop_wait;

    enum { SERVE_ACCEPTING, SERVE_STOPPED } state;
    int err; // why it stopped; 0: it was told to
};

static void
course_stop(struct serve_course *c, int err)
{
    c->state = SERVE_STOPPED;
    c->err = err;
}

static void
course_accept(struct serve_course *c)
{
    c->accepted = NULL;
    pons_accept_init(&c->accept, c->listener, &c->accepted);
    any_arm(c->accept_member, &c->accept.base);
}

/* 0: accepting goes on. */
static int
accept_failed(int err)
{
    switch (-err) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return pons_sleep(BREATH_MS * PONS_MS);
    case ECANCELED:
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        return err;
    default:
        return 0; // of that one connection: accept(2)
    }
}

/* Takes c->accepted. 0, or -ECANCELED. */
static int
course_serve(struct serve_course *c)
{
    struct connection *connection =
        connection_new(c->accepted, c->serve->root, c->serve->delay_ns);
    int err;

    c->accepted = NULL;
    if (!connection)
        return 0;
    err = pons_scope_spawn(&c->scope, connection_serve, connection);
    if (err < 0)
        connection_free(connection);
    return err == -ENOMEM ? 0 : err; // the next one may find memory
}

static void
course_accepted(void *arg)
{
    struct serve_course *c = arg;
    int err = (int)c->accept.base.result;

    err = err < 0 ? accept_failed(err) : course_serve(c);
    if (err < 0)
        course_stop(c, err);
    else
        course_accept(c);
}

static void
course_told_to_stop(void *arg)
{
    struct serve_course *c = arg;
    int64_t events = c->stop_wait.base.result;

    course_stop(c, events < 0 ? (int)events : 0);
}

static int
course_open(struct serve_course *c)
{
    const struct serve *s = c->serve;
    int err = any_new(&c->any);

    if (err == 0)
        err = any_member_new(&c->accept_member, c->any, course_accepted, c);
    if (err == 0)
        err = any_member_new(&c->stop_member, c->any, course_told_to_stop, c);
    if (err == 0)
        err = pons_stream_adopt(&c->stop, s->stop);
    if (err == 0)
        err = pons_tcp_listen(&c->listener, s->host, s->port, 0);
    if (err < 0) {
        (void)snprintf(c->serve->why, sizeof c->serve->why, "%s",
                       pons_last_error());
        return err;
    }
    pons_ready_wait_init(&c->stop_wait, c->stop, POLLIN);
    any_arm(c->stop_member, &c->stop_wait.base);
    course_accept(c);
    return 0;
}

/* Nobody new is let in. */
static void
course_shut(struct serve_course *c)
{
    if (c->accept_member)
        any_disarm(c->accept_member);
    if (c->accepted) // a client came while accepting was given up
        pons_stream_close(c->accepted);
    if (c->listener)
        pons_stream_close(c->listener);
}

static void
course_close(struct serve_course *c)
{
    if (c->stop_member)
        any_disarm(c->stop_member);
    /* The descriptor is the caller's: there is nothing to do about a failure.
     */
    if (c->stop && pons_stream_release(c->stop) < 0)
        c->stop = NULL;
    any_member_free(c->accept_member);
    any_member_free(c->stop_member);
    any_free(c->any);
}

/* It is open. Until it is told to stop, or can accept no more. */
static int
course_run(struct serve_course *c)
{
    int err = 0;

    c->serve->ready(c->serve->arg, pons_tcp_port(c->listener));
    while (err == 0 && c->state == SERVE_ACCEPTING)
        err = any_turn(c->any);
    return err < 0 ? err : c->err;
}

static int64_t
serve_fiber(void *arg)
{
    struct serve_course c = {.serve = arg};
    int err = course_open(&c);

    pons_scope_open(&c.scope, PONS_NEVER);
    if (err == 0)
        err = course_run(&c);
    course_shut(&c);
    pons_scope_cancel(&c.scope);
    /* -ECANCELED, for it was cancelled; connections answer 0. */
    (void)pons_scope_close(&c.scope);
    course_close(&c);
    return err;
}

static int64_t
serve_block(void *arg)
{
    struct pons_task *task;
    int64_t result = 0;
    int err = pons_spawn(NULL, serve_fiber, arg, &task);

    if (err == 0)
        err = pons_join(task, &result);
    return err < 0 ? err : result;
}

int
serve_files(struct pons_runtime *rt, struct serve *s)
{
    int64_t result = 0;
    int err = pons_block_on(rt, serve_block, s, &result);

    return err < 0 ? err : (int)result;
}

struct serve_values {
    uint64_t port, delay_ns;
    const char *bind;
};

static const struct option serve_options[] = {
    {'p', "port", "N", OPTION_NUMBER, offsetof(struct serve_values, port), 0,
     65535, "the port to listen on; 0, the default: any free one"},
    {'b', "bind", "ADDRESS", OPTION_TEXT, offsetof(struct serve_values, bind),
     0, 0, "the address to listen on (default 127.0.0.1)"},
    {'d', "delay", "TIME", OPTION_DURATION,
     offsetof(struct serve_values, delay_ns), 0, 3600 * PONS_S,
     "pretend that each reply takes TIME of work (20ms)"},
    {0},
};

struct announcement {
    const struct pons_runtime *runtime;
    const char *dir, *host;
};

static void
announce(void *arg, int port)
{
    const struct announcement *a = arg;
    int is_v6 = strchr(a->host, ':') != NULL;

    printf("serving ");
    say_plain(stdout, a->dir);
    printf(" on http://%s%s%s:%d (reactor %s, pool %s)\n", is_v6 ? "[" : "",
           a->host, is_v6 ? "]" : "", port,
           chosen_reactor(a->runtime)->entry->name,
           chosen_pool(a->runtime)->entry->name);
    fflush(stdout);
}

static int
serve_course_run(struct serve *s, struct announcement *a)
{
    struct pons_runtime *rt;
    int err = chosen_runtime_new(&rt);

    if (err < 0) {
        say_pons_error(err);
        return STATUS_USAGE;
    }
    a->runtime = rt;
    err = serve_files(rt, s);
    if (err < 0)
        say_error("serve: %s port %s: %s", s->host, s->port,
                  *s->why ? s->why : strerror(-err));
    pons_runtime_unref(rt);
    return err < 0 ? STATUS_FAILED : STATUS_OK;
}

static int
serve_run(void *values, int count, char **operands)
{
    const struct serve_values *v = values;
    char port[8];
    struct announcement a = {.dir = operands[0],
                             .host = v->bind ? v->bind : "127.0.0.1"};
    struct serve s = {
        .host = a.host,
        .port = port,
        .delay_ns = v->delay_ns,
        .ready = announce,
        .arg = &a,
    };
    int status = STATUS_FAILED;

    (void)count;
    snprintf(port, sizeof port, "%u", (unsigned)v->port);
    s.root = open(operands[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s.root < 0) {
        say_error("serve: cannot open directory %s: %s", operands[0],
                  strerror(errno));
        return STATUS_USAGE;
    }
    descriptors_allow_all();
    s.stop = interrupt_open();
    if (s.stop >= 0) {
        status = serve_course_run(&s, &a);
        close(s.stop);
    } else {
        say_error("serve: %s", strerror(-s.stop));
    }
    close(s.root);
    return status;
}

const struct command serve_command = {
    .name = "serve",
    .operands = "DIR",
    .summary = "serve the files below DIR over HTTP/1.1",
    .text = "GET and HEAD, with keep-alive; nothing outside DIR is reachable. "
            "SIGINT and\nSIGTERM end it with exit status 0.\n",
    .options = serve_options,
    .values_size = sizeof(struct serve_values),
    .least = 1,
    .most = 1,
    .run = serve_run,
};
