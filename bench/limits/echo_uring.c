/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/echo_uring.c - the least that an echo server over io_uring is:
 * one multishot recv a connection into buffers that all share, one send a
 * message from the same buffer, one system call for all that is ready.
 *
 * A stream may bring its next bytes before the last have gone: its buffers wait
 * in line, for two sends under way could overtake each other. When all buffers
 * are lent, a recv ends with -ENOBUFS; it is armed again when one comes back.
 */

#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "serve.h"

enum {
    SUBMISSIONS = 1024,      // more are submitted by and by
    COMPLETIONS = 16 * 1024, // what 10,000 connections bring at once
    BUFFERS = 256,           // a power of two; four times as many miss caches
    BUFFER = 16 * 1024,      // a message of the largest case
    GROUP = 0,
    NONE = -1, // no buffer
};

/*
 *   ARMED --(-ENOBUFS, none left)--> STARVED   on the list of those
 *   STARVED --(a buffer came back)--> ARMED
 *   ARMED --(0 or an error)--> ENDED           freed with its last send
 */
enum recv_state { ARMED, STARVED, ENDED };

struct conn {
    int fd;
    enum recv_state state;
    int first, last; // its buffers, in the order they came, or NONE
    size_t sent;     // of the first, which is being sent
    struct conn *next_starved;
};

struct lent {
    int next; // in its connection's line
    size_t length;
};

/* What a completion is of: in the low bit beside the connection. */
enum { OF_RECV = 0, OF_SEND = 1 };

static struct io_uring ring;
static struct io_uring_buf_ring *buffer_ring;
static char *buffers;
static struct lent lent[BUFFERS];
static unsigned lent_count;
static struct conn *starved_first, **starved_end = &starved_first;
static struct conn listener, input; // known by their addresses

/* --- submitting --- */

static struct io_uring_sqe *
next_sqe(struct conn *c, uintptr_t of)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

    if (!sqe) {
        serve_must(io_uring_submit(&ring) >= 0, "io_uring_submit");
        sqe = io_uring_get_sqe(&ring);
        serve_must(sqe != NULL, "room in the submission queue");
    }
    sqe->user_data = (uintptr_t)c | of;
    return sqe;
}

static void
arm_accept(void)
{
    struct io_uring_sqe *sqe = next_sqe(&listener, OF_RECV);

    io_uring_prep_multishot_accept(sqe, listener.fd, NULL, NULL, SOCK_CLOEXEC);
}

static void
arm_input(void)
{
    struct io_uring_sqe *sqe = next_sqe(&input, OF_RECV);

    io_uring_prep_poll_add(sqe, input.fd, POLLIN);
}

static void
conn_arm(struct conn *c)
{
    struct io_uring_sqe *sqe = next_sqe(c, OF_RECV);

    io_uring_prep_recv_multishot(sqe, c->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    c->state = ARMED;
}

static void
conn_send(struct conn *c)
{
    struct io_uring_sqe *sqe = next_sqe(c, OF_SEND);

    io_uring_prep_send(sqe, c->fd, buffers + c->first * BUFFER + c->sent,
                       lent[c->first].length - c->sent,
                       MSG_WAITALL | MSG_NOSIGNAL);
}

/* --- buffers --- */

static void
buffer_give(int id)
{
    io_uring_buf_ring_add(buffer_ring, buffers + id * BUFFER, BUFFER,
                          (unsigned short)id, io_uring_buf_ring_mask(BUFFERS),
                          0);
    io_uring_buf_ring_advance(buffer_ring, 1);
}

static void
starved_push(struct conn *c)
{
    c->state = STARVED;
    c->next_starved = NULL;
    *starved_end = c;
    starved_end = &c->next_starved;
}

static void
starved_feed(void)
{
    struct conn *c = starved_first;

    if (!c)
        return;
    starved_first = c->next_starved;
    if (!starved_first)
        starved_end = &starved_first;
    conn_arm(c);
}

static void
conn_take(struct conn *c, int id, size_t length)
{
    lent[id] = (struct lent){.next = NONE, .length = length};
    lent_count++;
    if (c->first == NONE)
        c->first = id;
    else
        lent[c->last].next = id;
    c->last = id;
}

/* Gives back the first of its line. */
static void
conn_release(struct conn *c)
{
    int id = c->first;

    c->first = lent[id].next;
    c->sent = 0;
    lent_count--;
    buffer_give(id);
    starved_feed();
}

/* --- completions --- */

static void
conn_free_if_over(struct conn *c)
{
    if (c->state != ENDED || c->first != NONE)
        return;
    close(c->fd);
    free(c);
}

static void
conn_received(struct conn *c, const struct io_uring_cqe *cqe)
{
    if (cqe->res > 0) {
        int idle = c->first == NONE;

        conn_take(c, (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT),
                  (size_t)cqe->res);
        if (idle)
            conn_send(c);
    }
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    if (cqe->res > 0 || (cqe->res == -ENOBUFS && lent_count < BUFFERS))
        conn_arm(c);
    else if (cqe->res == -ENOBUFS)
        starved_push(c);
    else
        c->state = ENDED;
    conn_free_if_over(c);
}

static void
conn_sent(struct conn *c, int res)
{
    if (res < 0) { // so will its recv
        while (c->first != NONE)
            conn_release(c);
    } else {
        c->sent += (size_t)res;
        if (c->sent == lent[c->first].length)
            conn_release(c);
        if (c->first != NONE)
            conn_send(c);
    }
    conn_free_if_over(c);
}

static void
accepted(const struct io_uring_cqe *cqe)
{
    struct conn *c;
    int on = 1;

    serve_must(cqe->res >= 0 || cqe->res == -ECONNABORTED, "accept");
    if (!(cqe->flags & IORING_CQE_F_MORE))
        arm_accept();
    if (cqe->res < 0)
        return;
    (void)setsockopt(cqe->res, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c = malloc(sizeof *c);
    serve_must(c != NULL, "malloc");
    *c = (struct conn){.fd = cqe->res, .first = NONE, .last = NONE};
    conn_arm(c);
}

/* 0 when stdin has ended. */
static int
input_goes_on(void)
{
    char bytes[64];

    if (read(STDIN_FILENO, bytes, sizeof bytes) <= 0)
        return 0;
    arm_input();
    return 1;
}

static int
complete(const struct io_uring_cqe *cqe)
{
    struct conn *c =
        (struct conn *)(uintptr_t)(cqe->user_data & ~(uint64_t)OF_SEND);

    if (c == &input)
        return input_goes_on();
    if (c == &listener)
        accepted(cqe);
    else if (cqe->user_data & OF_SEND)
        conn_sent(c, cqe->res);
    else
        conn_received(c, cqe);
    return 1;
}

static int
turn(void)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    int goes_on = 1;
    int n = io_uring_submit_and_wait(&ring, 1);

    serve_must(n >= 0 || n == -EINTR, "io_uring_submit_and_wait");
    io_uring_for_each_cqe(&ring, head, cqe)
    {
        seen++;
        goes_on &= complete(cqe);
    }
    io_uring_cq_advance(&ring, seen);
    return goes_on;
}

/* --- what the kernel can do --- */

static void
open_ring(void)
{
    struct io_uring_params best = {.flags = IORING_SETUP_CQSIZE |
                                            IORING_SETUP_SINGLE_ISSUER |
                                            IORING_SETUP_DEFER_TASKRUN,
                                   .cq_entries = COMPLETIONS};
    struct io_uring_params plain = {.flags = IORING_SETUP_CQSIZE,
                                    .cq_entries = COMPLETIONS};
    int err = io_uring_queue_init_params(SUBMISSIONS, &ring, &best);

    if (err == -EINVAL) // before Linux 6.1
        err = io_uring_queue_init_params(SUBMISSIONS, &ring, &plain);
    if (err == -EPERM)
        serve_skip("io_uring is not allowed here (kernel.io_uring_disabled, "
                   "or a seccomp filter)");
    if (err < 0)
        serve_skip(err == -ENOSYS ? "the kernel has no io_uring"
                                  : "io_uring_setup failed");
    (void)io_uring_register_ring_fd(&ring); // a saving, no need
}

static void *
map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    serve_must(p != MAP_FAILED, "mmap");
    return p;
}

static void
open_buffers(void)
{
    struct io_uring_buf_reg reg = {.ring_entries = BUFFERS, .bgid = GROUP};

    buffers = map((size_t)BUFFERS * BUFFER);
    buffer_ring = map(BUFFERS * sizeof(struct io_uring_buf));
    reg.ring_addr = (uintptr_t)buffer_ring;
    if (io_uring_register_buf_ring(&ring, &reg, 0) < 0)
        serve_skip("the kernel has no buffer rings (Linux 5.19)");
    io_uring_buf_ring_init(buffer_ring);
    for (int i = 0; i < BUFFERS; i++)
        buffer_give(i);
}

/* A recv of one byte that is there goes on, if it may be multishot. */
static void
try_multishot(void)
{
    struct conn probe = {.first = NONE, .last = NONE};
    struct io_uring_cqe *cqe = NULL;
    int pair[2], more, res;

    serve_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
                   write(pair[1], "", 1) == 1,
               "socketpair");
    probe.fd = pair[0];
    conn_arm(&probe);
    serve_must(io_uring_submit_and_wait(&ring, 1) >= 0 &&
                   io_uring_peek_cqe(&ring, &cqe) == 0,
               "io_uring_submit_and_wait");
    res = cqe->res;
    more = cqe->flags & IORING_CQE_F_MORE;
    if (res > 0)
        buffer_give((int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT));
    io_uring_cqe_seen(&ring, cqe);
    if (res != 1 || !more)
        serve_skip("the kernel has no multishot recv (Linux 6.0)");
    close(pair[1]); // it ends with 0
    serve_must(io_uring_wait_cqe(&ring, &cqe) == 0, "io_uring_wait_cqe");
    io_uring_cqe_seen(&ring, cqe);
    close(pair[0]);
}

int
main(int argc, char **argv)
{
    static const struct serve_description about = {
        .subject = "raw io_uring",
        .how = "multishot recv into a ring of buffers, one send a message from "
               "the same buffer",
        .silent = "what more than echoing would need",
        .axes = "",
    };
    serve_words(argc, argv, &about);
    open_ring();
    open_buffers();
    try_multishot();
    listener.fd = serve_listen(0);
    input.fd = STDIN_FILENO;
    arm_accept();
    arm_input();
    while (turn())
        ;
    io_uring_queue_exit(&ring);
    return 0;
}
