/* SPDX-License-Identifier: MIT */
/*
 * tests/adapter_test.c - the readiness adapter over a poller that we play.
 *
 * The poller reports what a test has scripted, and counts what it was asked. So
 * the order of reports and calls is the test's, and what the adapter does
 * without asking shows.
 */

#include "core/adapter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test_host.h"
#include "unit.h"

enum { SCRIPT_MAX = 16, WATCHES_MAX = 16, MS = 1000000 };

/* One answer of wait(): `n` reports, or nothing. */
struct answer {
    int n;
    struct pons_ready ready[4];
};

static struct play {
    struct pons_poller base;
    struct answer script[SCRIPT_MAX];
    unsigned said, written; // answers given; answers in the script
    unsigned controls, waits, rings, closes;
    int control_error;      // what control() says; 0: it does it
    uint64_t last_deadline; // of wait()
    struct {
        int fd;
        uint64_t cookie;
        unsigned had, want;
    } control[WATCHES_MAX]; // the calls, oldest first
} play;

static int
play_control(struct pons_poller *p, int fd, uint64_t cookie, unsigned had,
             unsigned want)
{
    (void)p;
    CHECK(play.controls < WATCHES_MAX);
    play.control[play.controls].fd = fd;
    play.control[play.controls].cookie = cookie;
    play.control[play.controls].had = had;
    play.control[play.controls].want = want;
    play.controls++;
    return play.control_error;
}

static int
play_wait(struct pons_poller *p, struct pons_ready *ready, unsigned cap,
          uint64_t deadline_ns)
{
    const struct answer *a = &play.script[play.said];

    (void)p;
    play.waits++;
    play.last_deadline = deadline_ns;
    if (play.said == play.written) {
        CHECK(deadline_ns != PONS_NEVER); // it would hang
        return 0;
    }
    CHECK(a->n <= (int)cap);
    if (a->n > 0)
        memcpy(ready, a->ready, (size_t)a->n * sizeof *ready);
    play.said++;
    return a->n;
}

static int
play_wake(struct pons_poller *p)
{
    (void)p;
    play.rings++;
    return 0;
}

static void
play_close(struct pons_poller *p)
{
    (void)p;
    play.closes++;
}

static uint64_t play_opcodes;

static int
play_open(struct pons_poller **out, const struct pons_config *config,
          const struct pons_host *host, struct pons_reason *reason)
{
    (void)config, (void)host, (void)reason;
    play = (struct play){.base.opcodes = play_opcodes};
    *out = &play.base;
    return 0;
}

static struct pons_poller_ops play_ops = {
    .abi = PONS_ABI,
    .size = sizeof play_ops,
    .name = "play",
    .open = play_open,
    .close = play_close,
    .control = play_control,
    .wait = play_wait,
    .wake = play_wake,
};

enum {
    LEVEL = PONS_POLLER_NANOSECONDS,
    EDGE = PONS_POLLER_EDGE | PONS_POLLER_NANOSECONDS | PONS_POLLER_ENDINGS,
};

static struct pons_reactor *
adapter_open(unsigned caps)
{
    const struct pons_engine engine = {.kind = PONS_KIND_POLLER,
                                       .table = &play_ops};
    struct pons_reason reason;
    struct pons_reactor *r;

    play_ops.caps = caps;
    CHECK_EQ(test_open(&r, &engine, &reason), 0);
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

/* The next wait() reports `ready` of the descriptor of control() call `i`. */
static void
answer(unsigned i, unsigned ready)
{
    struct answer *a = &play.script[play.written++];

    CHECK(play.written < SCRIPT_MAX);
    a->n = 1;
    a->ready[0] =
        (struct pons_ready){.cookie = play.control[i].cookie, .ready = ready};
}

static void
answer_nothing(void)
{
    play.script[play.written++].n = 0;
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
    return r->ops->submit(r, op);
}

/* Polls once; how many events, the first one's result in `res`. */
static int
poll_once(struct pons_reactor *r, int *res)
{
    struct pons_event ev[4] = {{0}};
    int n = r->ops->poll(r, ev, 4, 0);

    *res = ev[0].res;
    return n;
}

static void
tcp_pair(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(connect(fds[1], (struct sockaddr *)&address, size), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(fds[0] >= 0);
    close(listener);
}

/* What the test sends is there for a call, when this returns. */
static void
say(int fds[2], const char *text)
{
    struct pollfd p = {.fd = fds[0], .events = POLLIN};

    CHECK_EQ(write(fds[1], text, strlen(text)), strlen(text));
    CHECK_EQ(poll(&p, 1, -1), 1);
}

static void
close_all(struct pons_reactor *r, int fds[2])
{
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);
    r->ops->close(r);
    CHECK_EQ(play.closes, 1);
    close(fds[0]);
    close(fds[1]);
}

static void
it_has_the_name_and_the_bounds_of_its_poller(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);

    CHECK(strcmp(r->ops->name, "play") == 0);
    CHECK_EQ(r->caps, PONS_REACTOR_REGISTERS);
    CHECK(r->opcodes[0] & 1u << PONS_OP_RECV);
    r->ops->close(r);
    r = adapter_open(LEVEL | PONS_POLLER_PINNED);
    CHECK_EQ(r->caps, PONS_REACTOR_REGISTERS | PONS_REACTOR_PINNED);
    r->ops->close(r);
}

static void
an_edge_poller_is_asked_once_per_descriptor(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    for (int i = 0; i < 10; i++) {
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        say(fds, "x");
        answer(0, PONS_READABLE);
        CHECK_EQ(poll_once(r, &res), 1);
        CHECK_EQ(res, 1);
    }
    CHECK_EQ(play.controls, 1);
    CHECK_EQ(play.control[0].fd, fds[0]);
    CHECK_EQ(play.control[0].had, 0);
    CHECK_EQ(play.control[0].want, PONS_READABLE | PONS_WRITABLE);
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);
    CHECK_EQ(play.controls, 2);
    CHECK_EQ(play.control[1].had, PONS_READABLE | PONS_WRITABLE);
    CHECK_EQ(play.control[1].want, 0);
    close_all(r, fds);
    CHECK_EQ(play.controls, 2);
}

static void
ping_pong_over_a_level_poller_costs_one_control(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    for (int i = 0; i < 10; i++) {
        op = op_make(PONS_OP_RECV, fds[0], &c, 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        say(fds, "x");
        answer(0, PONS_READABLE);
        CHECK_EQ(poll_once(r, &res), 1);
        op = op_make(PONS_OP_SEND, fds[0], "y", 1);
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    }
    CHECK_EQ(play.controls, 1);
    CHECK_EQ(play.control[0].want, PONS_READABLE);
    close_all(r, fds);
}

static void
a_level_report_that_nobody_waits_for_is_taken_back(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op op, out;
    static char big[1 << 22];
    int fds[2], res;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], big, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    while (out = op_make(PONS_OP_SEND, fds[0], big, sizeof big),
           submit(r, &out) == PONS_SUBMIT_DONE)
        continue;
    CHECK_EQ(play.controls, 2);
    CHECK_EQ(play.control[1].had, PONS_READABLE);
    CHECK_EQ(play.control[1].want, PONS_READABLE | PONS_WRITABLE);
    r->ops->cancel(r, &op);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, -ECANCELED);
    CHECK_EQ(play.controls, 2); // lazily: perhaps the next op is coming

    say(fds, "x");
    answer(1, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    CHECK_EQ(play.controls, 3);
    CHECK_EQ(play.control[2].want, PONS_WRITABLE);

    /* What was not known while nobody looked is tried again. */
    op = op_make(PONS_OP_RECV, fds[0], big, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 1);
    r->ops->cancel(r, &out);
    CHECK_EQ(poll_once(r, &res), 1);
    close_all(r, fds);
}

/* Shown by bytes that are there: a try would find them. */
static void
a_short_count_of_tcp_saves_the_next_try(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    char text[8];
    int fds[2], res;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds, "abc");
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, 3);
    say(fds, "de");
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(poll_once(r, &res), 0);
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, 2);

    /* Not so a full count, */
    say(fds, "fgh");
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    op.len = 1;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    op.len = sizeof text;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 1);

    /* and nothing after an ending was reported. */
    answer(0, PONS_READABLE | PONS_ENDING);
    CHECK_EQ(poll_once(r, &res), 0);
    say(fds, "i");
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    say(fds, "j");
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    close_all(r, fds);
}

static void
an_edge_poller_without_endings_has_every_call_tried(void)
{
    struct pons_reactor *r = adapter_open(EDGE & ~PONS_POLLER_ENDINGS);
    struct pons_op op;
    char text[8];
    int fds[2], res;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], text, sizeof text);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds, "abc");
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 1);
    say(fds, "de");
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 2);
    close_all(r, fds);
}

static void
what_would_block_is_not_tried_before_a_report(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    char c;
    int fds[2], res;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(poll_once(r, &res), 1);
    say(fds, "ab");
    answer(0, PONS_WRITABLE); // the other direction says nothing
    CHECK_EQ(poll_once(r, &res), 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    answer(0, PONS_WRITABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    answer(0, PONS_READABLE | PONS_WRITABLE);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    close_all(r, fds);
}

static void
a_report_in_vain_leaves_the_op_waiting(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    for (int i = 0; i < 3; i++) {
        answer(0, PONS_READABLE | PONS_WRITABLE);
        CHECK_EQ(poll_once(r, &res), 0);
    }
    say(fds, "x");
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, 1);
    close_all(r, fds);
}

static void
a_stale_report_is_dropped(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(r->ops->forget(r, fds[0]), -EBUSY);
    r->ops->cancel(r, &op);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);

    /* The number is used again; the old report was under way. */
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(play.controls, 3);
    CHECK(play.control[2].cookie != play.control[0].cookie);
    say(fds, "x");
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    answer(2, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 1);

    /* So is one for a descriptor that was never waited on. */
    play.control[0].cookie = 700;
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    close_all(r, fds);
}

static void
what_the_poller_refuses_is_a_result(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op, watch;
    char c;
    int fds[2];

    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    op = op_make(PONS_OP_READ, fds[0], &c, 1);
    watch = op_make(PONS_OP_POLL, fds[0], NULL, POLLIN);
    play.control_error = -ENOSPC;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, -ENOSPC);
    CHECK_EQ(submit(r, &watch), PONS_SUBMIT_DONE);
    CHECK_EQ(watch.res, -ENOSPC);
    play.control_error = -EPERM; // as of a file: the pool's
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    play.control_error = 0;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(poll_once(r, &(int){0}), 1);
    close_all(r, fds);
}

static void
what_has_an_offset_is_left_to_the_pool(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op = op_make(PONS_OP_READ, 0, NULL, 0);

    op.offset = 0;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    op.opcode = PONS_OP_WRITE;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    r->ops->close(r);
}

/* --- a poller that does files --- */

static struct pons_op *file_op;       // the latest, of submit() or cancel()
static int file_answer, file_cancels; // what submit() says; how many asked

static int
play_submit(struct pons_poller *p, struct pons_op *op)
{
    (void)p;
    file_op = op;
    op->res = 7; // of one that is DONE
    return file_answer;
}

static void
play_cancel(struct pons_poller *p, struct pons_op *op)
{
    (void)p;
    file_op = op;
    file_cancels++;
}

static struct pons_reactor *
adapter_open_files(void)
{
    play_opcodes = 1u << PONS_OP_READ | 1u << PONS_OP_WRITE;
    play_ops.submit = play_submit;
    play_ops.cancel = play_cancel;
    return adapter_open(EDGE);
}

/* The next wait() reports that `op` has ended with `res`. */
static void
answer_ended(struct pons_op *op, int res)
{
    struct answer *a = &play.script[play.written++];

    op->res = res;
    a->n = 1;
    a->ready[0] =
        (struct pons_ready){.cookie = (uintptr_t)op, .ready = PONS_ENDED};
}

static void
what_would_be_left_to_the_pool_is_given_to_a_poller_that_does_files(void)
{
    struct pons_reactor *r = adapter_open_files();
    struct pons_op op = op_make(PONS_OP_READ, 0, NULL, 0);
    int res;

    op.offset = 0;
    file_answer = PONS_SUBMIT_PENDING;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK(file_op == &op);
    answer_nothing();
    CHECK_EQ(poll_once(r, &res), 0);
    answer_ended(&op, 4);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, 4);
    file_answer = PONS_SUBMIT_DONE;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK_EQ(op.res, 7);
    file_answer = PONS_SUBMIT_UNSUPPORTED;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    r->ops->close(r);
}

static void
cancel_of_a_file_is_the_pollers(void)
{
    struct pons_reactor *r = adapter_open_files();
    struct pons_op op = op_make(PONS_OP_WRITE, 0, NULL, 0);
    int res;

    op.offset = 0;
    file_answer = PONS_SUBMIT_PENDING;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    file_op = NULL;
    r->ops->cancel(r, &op);
    CHECK(file_op == &op);
    CHECK_EQ(file_cancels, 1);
    CHECK_EQ(poll_once(r, &res), 0); // it is a request
    answer_ended(&op, -ECANCELED);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, -ECANCELED);
    r->ops->close(r);
}

/* The core asks a reactor for nothing else; a descriptor tells the adapter that
 * it is a file's when it is to be watched. */
static void
what_a_poller_does_not_name_is_left_to_the_pool(void)
{
    struct pons_reactor *r = adapter_open_files();
    struct pons_op op = op_make(PONS_OP_FSYNC, 0, NULL, 0);

    file_op = NULL;
    CHECK(r->caps & PONS_REACTOR_FILES);
    CHECK(!(r->opcodes[0] & 1u << PONS_OP_FSYNC));
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    op.opcode = 255;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    r->ops->close(r);
    play_opcodes = 1u << PONS_OP_READ | 1u << PONS_OP_FSYNC;
    r = adapter_open(EDGE);
    CHECK(!(r->caps & PONS_REACTOR_FILES));
    CHECK(r->opcodes[0] & 1u << PONS_OP_FSYNC);
    op.opcode = PONS_OP_FSYNC;
    file_answer = PONS_SUBMIT_DONE;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    CHECK(file_op == &op);
    r->ops->close(r);
}

/* An older table ends with wake(), and one function alone is none. */
static void
a_poller_without_both_functions_does_no_files(void)
{
    struct pons_op op = op_make(PONS_OP_READ, 0, NULL, 0);
    struct pons_reactor *r;

    op.offset = 0;
    file_answer = PONS_SUBMIT_DONE;
    play_ops.size = offsetof(struct pons_poller_ops, submit);
    r = adapter_open_files();
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    CHECK(!(r->caps & PONS_REACTOR_FILES));
    r->ops->close(r);
    play_ops.size = sizeof play_ops;
    play_ops.cancel = NULL;
    r = adapter_open(EDGE);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    r->ops->close(r);
}

/* A call for the error queue stands beside the bytes, not before them. */
static void
calls_beside_the_bytes_keep_nobody_waiting(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op errors, op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    errors = op_make(PONS_OP_RECV, fds[0], &c, 1);
    errors.op_flags = MSG_ERRQUEUE;
    CHECK_EQ(submit(r, &errors), PONS_SUBMIT_PENDING);
    say(fds, "ab");
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    answer(0, PONS_READABLE);
    CHECK_EQ(poll_once(r, &res), 0);
    r->ops->cancel(r, &errors);
    CHECK_EQ(poll_once(r, &res), 1);
    CHECK_EQ(res, -ECANCELED);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
    close_all(r, fds);
}

static void
no_memory_for_a_slot_is_a_result(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op, watch;
    char c;
    int fds[2], res;

    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    op = op_make(PONS_OP_READ, fds[0], &c, 1);
    watch = op_make(PONS_OP_POLL, fds[0], NULL, POLLIN);
    for (int left = 0; left < 2; left++) { // the table, then the chunk
        test_allocs_left = left;
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_DONE);
        CHECK_EQ(op.res, -ENOMEM);
        CHECK_EQ(submit(r, &watch), PONS_SUBMIT_DONE);
        CHECK_EQ(watch.res, -ENOMEM);
    }
    test_allocs_left = -1;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    CHECK_EQ(poll_once(r, &res), 1);
    close_all(r, fds);
}

static void
high_descriptors_have_slots_and_low_ones_keep_theirs(void)
{
    struct rlimit limit;
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op low, ops[3];
    char c;
    int fds[2], high[3], res;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    tcp_pair(fds);
    low = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &low), PONS_SUBMIT_PENDING);
    for (int i = 0; i < 3; i++) {
        high[i] = fcntl(fds[0], F_DUPFD_CLOEXEC, 1024 << i);
        CHECK(high[i] >= 0);
        ops[i] = op_make(PONS_OP_RECV, high[i], &c, 1);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    say(fds, "abcd");
    for (unsigned i = 0; i < 4; i++) {
        answer(i, PONS_READABLE);
        CHECK_EQ(poll_once(r, &res), 1);
        CHECK_EQ(res, 1);
    }
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(r->ops->forget(r, high[i]), 0);
        close(high[i]);
    }
    CHECK_EQ(r->ops->forget(r, 123456), 0);
    CHECK_EQ(r->ops->forget(r, -1), 0);
    close_all(r, fds);
}

static void
a_poller_that_comes_back_early_is_sent_again(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    uint64_t deadline = test_host()->now(test_host()) + 50 * MS;
    struct pons_event ev;

    CHECK_EQ(r->ops->poll(r, &ev, 1, deadline), 0);
    CHECK(test_host()->now(test_host()) >= deadline);
    CHECK(play.waits > 1);
    CHECK_EQ(play.last_deadline, deadline);
    r->ops->close(r);
}

static void
wakes_ring_once_per_answer(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_event ev;

    for (unsigned i = 1; i < 4; i++) {
        for (int k = 0; k < 3; k++)
            CHECK_EQ(r->ops->wake(r), 0);
        CHECK_EQ(play.rings, i);
        answer_nothing();
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 0);
        CHECK_EQ(play.waits, i);
    }
    r->ops->close(r);
}

/* The bell of a wake that was answered already (its waker was slow) is heard by
 * the next poll, which was not woken. */
static void
a_late_bell_ends_nothing(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op op;
    char c;
    int fds[2];
    struct pons_event ev;

    tcp_pair(fds);
    op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    say(fds, "x");
    answer_nothing();
    answer_nothing();
    answer(0, PONS_READABLE);
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK(ev.op == &op);
    CHECK_EQ(play.waits, 3);
    close_all(r, fds);
}

static void
what_has_ended_is_given_before_the_poller_is_asked(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op ops[3];
    struct pons_event ev[3];
    char c[3];
    int fds[2];

    tcp_pair(fds);
    for (int i = 0; i < 3; i++) {
        ops[i] = op_make(PONS_OP_RECV, fds[0], &c[i], 1);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    say(fds, "abc");
    answer(0, PONS_READABLE);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(r->ops->poll(r, ev, 1, PONS_NEVER), 1);
        CHECK(ev[0].op == &ops[i]);
    }
    CHECK_EQ(play.waits, 1);
    CHECK_EQ(memcmp(c, "abc", 3), 0); // in the order of submit
    close_all(r, fds);
}

static void
close_takes_back_what_is_watched_and_forked_does_not(void)
{
    char c;
    int fds[2], res;

    tcp_pair(fds);
    for (int forked = 0; forked < 2; forked++) {
        struct pons_reactor *r = adapter_open(EDGE);
        struct pons_op op = op_make(PONS_OP_RECV, fds[0], &c, 1);

        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        r->ops->cancel(r, &op);
        CHECK_EQ(poll_once(r, &res), 1);
        if (forked)
            r->ops->forked(r);
        else
            r->ops->close(r);
        CHECK_EQ(play.controls, forked ? 1 : 2);
        CHECK_EQ(play.closes, 1);
    }
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(test_pieces, 0);
}

/* A poller that counts in milliseconds has the deadline's end from a timer. */
static void
a_coarse_poller_watches_a_timer(void)
{
    struct pons_reactor *r = adapter_open(0);
    uint64_t deadline = test_host()->now(test_host()) + MS;
    struct pons_event ev;
    struct pollfd timer = {.fd = play.control[0].fd, .events = POLLIN};

    CHECK_EQ(play.controls, 1);
    CHECK_EQ(play.control[0].want, PONS_READABLE);
    answer_nothing();
    CHECK_EQ(r->ops->wake(r), 0);
    CHECK_EQ(r->ops->poll(r, &ev, 1, deadline), 0);
    if (play.last_deadline != 0) { // else the deadline had passed before
        CHECK_EQ(play.last_deadline, PONS_NEVER);
        CHECK_EQ(poll(&timer, 1, -1), 1);
        CHECK(test_host()->now(test_host()) >= deadline);
        answer(0, PONS_READABLE);
        CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
        CHECK_EQ(poll(&timer, 1, 0), 0); // heard, and quiet
    }

    /* Far ones it waits for itself, up to what it may be late. */
    answer_nothing();
    CHECK_EQ(r->ops->wake(r), 0);
    deadline = test_host()->now(test_host()) + 1000 * (uint64_t)MS;
    CHECK_EQ(r->ops->poll(r, &ev, 1, deadline), 0);
    CHECK_EQ(play.last_deadline, deadline - MS);
    r->ops->close(r);
    CHECK_EQ(play.controls, 2);
    CHECK_EQ(play.control[1].want, 0);
}

static void
a_broken_poller_breaks_the_reactor(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_event ev;

    play.script[play.written++].n = -EINVAL;
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), -EINVAL);
    r->ops->close(r);
}

/* --- multishot --- */

enum { LENT_SIZE = 8, LENT_COUNT = 2 };

static char lent_memory[LENT_SIZE * LENT_COUNT];

static void
lend(struct pons_reactor *r, uint32_t size)
{
    struct pons_buffers b = {
        .base = lent_memory, .size = size, .count = LENT_COUNT};

    CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), 0);
}

static void
give_back(struct pons_reactor *r, const struct pons_event *ev)
{
    struct pons_lent_buffer b = {
        .index = (uint16_t)(ev->flags >> PONS_EVENT_BUFFER_SHIFT)};

    CHECK(ev->flags & PONS_EVENT_BUFFER);
    CHECK_EQ(r->ops->control(r, PONS_CONTROL_RETURN, &b), 0);
}

/* The one event that the next poll with room for one has; `op` NULL: none. */
static struct pons_event
event_of(struct pons_reactor *r, const struct pons_op *op)
{
    struct pons_event ev = {0};

    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), op != NULL);
    CHECK(op == NULL || ev.op == op);
    return ev;
}

static void
last_of(struct pons_reactor *r, const struct pons_op *op, int res)
{
    struct pons_event ev = {0};

    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK(ev.op == op);
    CHECK_EQ(ev.res, res);
    CHECK_EQ(ev.flags, 0);
}

static void
a_multishot_recv_costs_an_edge_poller_one_control(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_event ev;
    struct pons_op op;
    int fds[2];

    tcp_pair(fds);
    lend(r, LENT_SIZE);
    say(fds, "x");
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    for (int i = 0; i < 10; i++) {
        ev = event_of(r, &op);
        CHECK_EQ(ev.res, 1);
        CHECK(ev.flags & PONS_EVENT_MORE);
        give_back(r, &ev);
        (void)event_of(r, NULL); // it would block: it waits
        CHECK_EQ(play.controls, 1);
        say(fds, "x");
        answer(0, PONS_READABLE);
    }
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    close_all(r, fds);
}

/* Shown by bytes that are there: a try would find them. */
static void
a_short_count_saves_a_multishot_recv_the_next_try(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_event ev;
    struct pons_op op;
    int fds[2];

    tcp_pair(fds);
    lend(r, LENT_SIZE);
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    (void)event_of(r, NULL);
    say(fds, "abc");
    answer(0, PONS_READABLE);
    ev = event_of(r, &op);
    CHECK_EQ(ev.res, 3);
    give_back(r, &ev);
    say(fds, "de");
    (void)event_of(r, NULL);
    answer(0, PONS_READABLE);
    CHECK_EQ(event_of(r, &op).res, 2);
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    close_all(r, fds);
}

static void
what_flows_is_told_in_turn_and_the_poller_is_asked_meanwhile(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op ops[2];
    struct pons_event ev;
    int fds[2][2];

    lend(r, 1);
    for (int i = 0; i < 2; i++) {
        tcp_pair(fds[i]);
        say(fds[i], "abc");
        ops[i] = op_make(PONS_OP_RECV_MULTI, fds[i][0], NULL, 0);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK(ev.op == &ops[i % 2]);
        CHECK_EQ(play.waits, i + 1);
        CHECK_EQ(play.last_deadline, 0);
        give_back(r, &ev);
    }
    for (int i = 0; i < 2; i++)
        r->ops->cancel(r, &ops[i]); // while they flow: in their turn
    for (int i = 0; i < 2; i++)
        last_of(r, &ops[i], -ECANCELED);
    CHECK_EQ(r->ops->forget(r, fds[1][0]), 0);
    close(fds[1][0]);
    close(fds[1][1]);
    close_all(r, fds[0]);
}

static void
a_multishot_poll_asks_a_level_poller_for_the_set_alone(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op op, recv_op;
    char c;
    int fds[2], res;

    tcp_pair(fds);
    say(fds, "unread");
    op = op_make(PONS_OP_POLL_MULTI, fds[0], NULL, POLLIN);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(event_of(r, &op).res, POLLIN); // what holds
    (void)event_of(r, NULL);
    CHECK_EQ(play.controls, 1);
    CHECK(play.control[0].fd != fds[0]);
    answer(0, PONS_READABLE); // the set: it was just added
    CHECK_EQ(event_of(r, &op).res, POLLIN);
    answer(0, PONS_READABLE); // and has nothing new
    (void)event_of(r, NULL);
    say(fds, "news");
    answer(0, PONS_READABLE);
    CHECK_EQ(event_of(r, &op).res, POLLIN);

    /* A direction that the poller reports for others is taken back, once they
     * are gone: the poll of news does not want it. */
    recv_op = op_make(PONS_OP_RECV, fds[0], lent_memory, sizeof lent_memory);
    CHECK_EQ(submit(r, &recv_op), PONS_SUBMIT_DONE);
    recv_op = op_make(PONS_OP_RECV, fds[0], &c, 1);
    CHECK_EQ(submit(r, &recv_op), PONS_SUBMIT_PENDING);
    CHECK_EQ(play.controls, 2);
    CHECK_EQ(play.control[1].fd, fds[0]);
    r->ops->cancel(r, &recv_op);
    CHECK_EQ(poll_once(r, &res), 1);
    say(fds, "x");
    answer(1, PONS_READABLE);
    CHECK_EQ(event_of(r, &op).res, POLLIN);
    CHECK_EQ(play.controls, 3);
    CHECK_EQ(play.control[2].want, 0);
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    close_all(r, fds);
}

static void
a_multishot_poll_costs_an_edge_poller_one_control(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op;
    int fds[2];

    tcp_pair(fds);
    op = op_make(PONS_OP_POLL_MULTI, fds[0], NULL, POLLIN);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    (void)event_of(r, NULL);
    for (int i = 0; i < 5; i++) {
        say(fds, "x"); // nobody reads
        answer(0, PONS_READABLE | PONS_WRITABLE);
        CHECK_EQ(event_of(r, &op).res, POLLIN);
        (void)event_of(r, NULL);
    }
    CHECK_EQ(play.controls, 1);
    CHECK_EQ(play.control[0].fd, fds[0]);
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    close_all(r, fds);
}

static void
what_cannot_be_watched_is_the_end_of_a_multishot_op(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op op, watch;
    int fds[2];

    tcp_pair(fds);
    lend(r, LENT_SIZE);
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    watch = op_make(PONS_OP_POLL_MULTI, fds[0], NULL, POLLOUT);
    play.control_error = -ENOSPC;
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    last_of(r, &op, -ENOSPC);
    CHECK_EQ(submit(r, &watch), PONS_SUBMIT_PENDING);
    CHECK_EQ(event_of(r, &watch).flags, PONS_EVENT_MORE); // what holds
    last_of(r, &watch, -ENOSPC);
    play.control_error = 0;
    close_all(r, fds);
}

static void
no_memory_for_a_slot_is_the_end_of_a_multishot_op(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_buffers b = {
        .base = lent_memory, .size = LENT_SIZE, .count = LENT_COUNT};
    struct pons_op op, watch;
    int fds[2];

    tcp_pair(fds);
    for (int left = 0; left < 2; left++) { // the groups, then the group
        test_allocs_left = left;
        CHECK_EQ(r->ops->control(r, PONS_CONTROL_LEND, &b), -ENOMEM);
    }
    test_allocs_left = -1;
    lend(r, LENT_SIZE);
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    watch = op_make(PONS_OP_POLL_MULTI, fds[0], NULL, POLLIN);
    for (int left = 0; left < 2; left++) { // the table, then the chunk
        test_allocs_left = left;
        CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
        last_of(r, &op, -ENOMEM);
        CHECK_EQ(submit(r, &watch), PONS_SUBMIT_PENDING);
        last_of(r, &watch, -ENOMEM);
    }
    test_allocs_left = -1;
    close_all(r, fds);
    CHECK_EQ(test_pieces, 0);
}

/* One call ends before each poll, and there is room for one event. */
static void
what_flows_and_what_has_ended_take_turns(void)
{
    struct pons_reactor *r = adapter_open(LEVEL);
    struct pons_op op, other = {0};
    struct pons_event ev;
    int fds[2], others[2], told = 0;
    char c;

    lend(r, 1);
    tcp_pair(fds);
    tcp_pair(others);
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    (void)event_of(r, NULL);
    say(fds, "abcdefgh");
    answer(0, PONS_READABLE);
    for (int i = 0; i < 4; i++) {
        other = op_make(PONS_OP_RECV, others[0], &c, 1);
        CHECK_EQ(submit(r, &other), PONS_SUBMIT_PENDING);
        say(others, "x");
        answer(1, PONS_READABLE);
        for (;;) {
            CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
            if (ev.op == &other)
                break;
            told++;
            give_back(r, &ev);
        }
    }
    CHECK(told >= 3); // and not after all that ends
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    CHECK_EQ(r->ops->forget(r, others[0]), 0);
    close(others[0]);
    close(others[1]);
    close_all(r, fds);
}

/* A report in vain is no reason to come back. */
static void
what_runs_dry_waits_for_the_deadline(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    uint64_t deadline = test_host()->now(test_host()) + 20 * MS;
    struct pons_event ev;
    struct pons_op op;
    int fds[2];

    tcp_pair(fds);
    lend(r, LENT_SIZE);
    op = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
    CHECK_EQ(submit(r, &op), PONS_SUBMIT_PENDING);
    (void)event_of(r, NULL);
    answer(0, PONS_READABLE);
    CHECK_EQ(r->ops->poll(r, &ev, 1, deadline), 0);
    CHECK(test_host()->now(test_host()) >= deadline);
    CHECK_EQ(play.last_deadline, deadline);
    r->ops->cancel(r, &op);
    last_of(r, &op, -ECANCELED);
    close_all(r, fds);
}

/* The buffer that was looked at for one that then had no bytes is there. */
static void
who_would_block_takes_no_buffer(void)
{
    struct pons_reactor *r = adapter_open(EDGE);
    struct pons_op ops[3];
    struct pons_event ev;
    int fds[2];

    tcp_pair(fds);
    lend(r, 1);
    for (int i = 0; i < 3; i++) {
        ops[i] = op_make(PONS_OP_RECV_MULTI, fds[0], NULL, 0);
        CHECK_EQ(submit(r, &ops[i]), PONS_SUBMIT_PENDING);
    }
    (void)event_of(r, NULL);
    say(fds, "abc");
    answer(0, PONS_READABLE);
    for (int i = 0; i < 2; i++) {
        ev = event_of(r, &ops[i]);
        CHECK_EQ(lent_memory[ev.flags >> PONS_EVENT_BUFFER_SHIFT], "ab"[i]);
    }
    last_of(r, &ops[2], -ENOBUFS); // the third byte is there, and no buffer
    give_back(r, &ev);
    CHECK_EQ(event_of(r, &ops[0]).res, 1);
    for (int i = 0; i < 2; i++)
        r->ops->cancel(r, &ops[i]);
    last_of(r, &ops[1], -ECANCELED);
    last_of(r, &ops[0], -ECANCELED);
    close_all(r, fds);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(it_has_the_name_and_the_bounds_of_its_poller),
    TEST(an_edge_poller_is_asked_once_per_descriptor),
    TEST(ping_pong_over_a_level_poller_costs_one_control),
    TEST(a_level_report_that_nobody_waits_for_is_taken_back),
    TEST(a_short_count_of_tcp_saves_the_next_try),
    TEST(an_edge_poller_without_endings_has_every_call_tried),
    TEST(what_would_block_is_not_tried_before_a_report),
    TEST(a_report_in_vain_leaves_the_op_waiting),
    TEST(a_stale_report_is_dropped),
    TEST(what_the_poller_refuses_is_a_result),
    TEST(what_has_an_offset_is_left_to_the_pool),
    TEST(what_would_be_left_to_the_pool_is_given_to_a_poller_that_does_files),
    TEST(cancel_of_a_file_is_the_pollers),
    TEST(what_a_poller_does_not_name_is_left_to_the_pool),
    TEST(a_poller_without_both_functions_does_no_files),
    TEST(calls_beside_the_bytes_keep_nobody_waiting),
    TEST(no_memory_for_a_slot_is_a_result),
    TEST(high_descriptors_have_slots_and_low_ones_keep_theirs),
    TEST(a_poller_that_comes_back_early_is_sent_again),
    TEST(wakes_ring_once_per_answer),
    TEST(a_late_bell_ends_nothing),
    TEST(what_has_ended_is_given_before_the_poller_is_asked),
    TEST(close_takes_back_what_is_watched_and_forked_does_not),
    TEST(a_coarse_poller_watches_a_timer),
    TEST(a_broken_poller_breaks_the_reactor),
    TEST(a_multishot_recv_costs_an_edge_poller_one_control),
    TEST(a_short_count_saves_a_multishot_recv_the_next_try),
    TEST(what_flows_is_told_in_turn_and_the_poller_is_asked_meanwhile),
    TEST(a_multishot_poll_asks_a_level_poller_for_the_set_alone),
    TEST(a_multishot_poll_costs_an_edge_poller_one_control),
    TEST(what_cannot_be_watched_is_the_end_of_a_multishot_op),
    TEST(no_memory_for_a_slot_is_the_end_of_a_multishot_op),
    TEST(what_flows_and_what_has_ended_take_turns),
    TEST(what_runs_dry_waits_for_the_deadline),
    TEST(who_would_block_takes_no_buffer),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("adapter", tests, argc, argv);
}
