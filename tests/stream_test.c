/* SPDX-License-Identifier: MIT */
/*
 * tests/stream_test.c - pons/stream.h: the same bytes, results and order
 * wherever the call is made (P2), and descriptors that come and go.
 */

#include "pons/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "core/lock.h"
#include "core/pool_book.h"
#include "core/runtime.h"
#include "core/stream.h"
#include "everywhere.h"
#include "pons/error.h"
#include "pons/socket.h"
#include "scratch.h"

enum {
    QUEUE = 10,         // operations that wait in one direction
    BULK = 1 << 20,     // more than any socket or pipe keeps
    REUSES = 40,        // of one descriptor's number
    CLOSE_WAITERS = 12, // operations that a close ends
};

static struct pons_stream *
adopted(int fd)
{
    struct pons_stream *s;

    CHECK(fd >= 0);
    CHECK_EQ(pons_stream_adopt(&s, fd), 0);
    return s;
}

static void
close_both(struct pons_stream *const pair[2])
{
    pons_stream_close(pair[0]);
    pons_stream_close(pair[1]);
}

/* --- bytes --- */

struct reader {
    struct pons_stream *s;
    char bytes[64];
    size_t size;
};

static int64_t
reads(void *arg)
{
    struct reader *r = arg;

    return pons_recv(r->s, r->bytes, r->size ? r->size : sizeof r->bytes);
}

/* What `in` gets of what `out` sends: while it waits, and when it comes late.
 */
static void
carry(struct pons_stream *in, struct pons_stream *out)
{
    struct reader r = {.s = in};
    struct agent a;

    agent_start(&a, reads, &r);
    stream_until(in, 0, 1);
    CHECK_EQ(pons_send(out, "waited", 6), 6);
    CHECK_EQ(agent_join(&a), 6);
    CHECK(memcmp(r.bytes, "waited", 6) == 0);
    CHECK_EQ(pons_send(out, "late", 4), 4);
    CHECK_EQ(pons_recv(in, r.bytes, sizeof r.bytes), 4);
    CHECK(memcmp(r.bytes, "late", 4) == 0);
}

static void
socketpair_body(void *type)
{
    struct pons_stream *pair[2];
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, *(int *)type | SOCK_CLOEXEC, 0, fds), 0);
    pair[0] = adopted(fds[0]);
    pair[1] = adopted(fds[1]);
    carry(pair[0], pair[1]);
    carry(pair[1], pair[0]);
    close_both(pair);
}

static void
socketpairs_carry_bytes_everywhere(void)
{
    everywhere(socketpair_body, &(int){SOCK_STREAM});
    everywhere(socketpair_body, &(int){SOCK_DGRAM});
    everywhere(socketpair_body, &(int){SOCK_SEQPACKET});
}

static void
pipe_body(void *arg)
{
    struct pons_stream *ends[2];
    char end[1];

    (void)arg;
    stream_pipe(ends);
    carry(ends[0], ends[1]);
    pons_stream_close(ends[1]);
    CHECK_EQ(pons_recv(ends[0], end, 1), 0);
    pons_stream_close(ends[0]);
}

static void
pipes_carry_bytes_everywhere(void)
{
    everywhere(pipe_body, NULL);
}

static void
eventfd_body(void *arg)
{
    struct pons_stream *s = adopted(eventfd(0, EFD_CLOEXEC));
    uint64_t three = 3;
    struct reader r = {.s = s, .size = 8};
    struct agent a;

    (void)arg;
    agent_start(&a, reads, &r);
    stream_until(s, 0, 1);
    CHECK_EQ(pons_send(s, &three, 8), 8);
    CHECK_EQ(agent_join(&a), 8);
    CHECK(memcmp(r.bytes, &three, 8) == 0);
    pons_stream_close(s);
}

static void
eventfds_count_everywhere(void)
{
    everywhere(eventfd_body, NULL);
}

/* A pair of pseudo terminals in raw mode: fds[0] is the master. */
static void
open_pty(int fds[2], int flags)
{
    struct termios t;

    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | flags);
    if (fds[0] < 0)
        SKIP("no pseudo terminals here: %s", strerror(errno));
    CHECK_EQ(grantpt(fds[0]), 0);
    CHECK_EQ(unlockpt(fds[0]), 0);
    fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY | O_CLOEXEC | flags);
    CHECK(fds[1] >= 0);
    CHECK_EQ(tcgetattr(fds[1], &t), 0);
    cfmakeraw(&t);
    CHECK_EQ(tcsetattr(fds[1], TCSANOW, &t), 0);
}

static void
pty_body(void *flags)
{
    struct pons_stream *pair[2];
    int fds[2];

    open_pty(fds, *(int *)flags);
    pair[0] = adopted(fds[0]);
    pair[1] = adopted(fds[1]);
    carry(pair[0], pair[1]);
    carry(pair[1], pair[0]);
    close_both(pair);
}

static void
terminals_carry_bytes_everywhere(void)
{
    everywhere(pty_body, &(int){0});
    everywhere(pty_body, &(int){O_NONBLOCK});
}

static void
terminal_flags_of_others_stay(void)
{
    int fds[2], other;
    struct pons_stream *s;

    open_pty(fds, 0);
    other = dup(fds[1]);
    s = adopted(fds[1]);
    CHECK_EQ(fcntl(other, F_GETFL) & O_NONBLOCK, 0);
    CHECK(fcntl(pons_stream_fd(s), F_GETFL) & O_NONBLOCK);
    pons_stream_close(s);
    close(other);
    close(fds[0]);
}

static void
udp_body(void *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct pons_stream *pair[2];
    char bytes[8];

    (void)arg;
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(bind(fd,
                      (struct sockaddr *)&(struct sockaddr_in){
                          .sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                      sizeof at),
                 0);
        pair[i] = adopted(fd);
    }
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(getsockname(pons_stream_fd(pair[!i]), (struct sockaddr *)&at,
                             &size),
                 0);
        CHECK_EQ(pons_connect(pair[i], (struct sockaddr *)&at, size), 0);
    }
    carry(pair[0], pair[1]);
    CHECK_EQ(pons_send(pair[1], "", 0), 0); // datagrams may be empty
    CHECK_EQ(pons_send(pair[1], "long one", 8), 8);
    CHECK_EQ(pons_recv(pair[0], bytes, sizeof bytes), 0);
    CHECK_EQ(pons_recv(pair[0], bytes, 4), 4); // and are cut
    CHECK(memcmp(bytes, "long", 4) == 0);
    close_both(pair);
}

static void
udp_carries_datagrams_everywhere(void)
{
    everywhere(udp_body, NULL);
}

/* --- much of them --- */

struct bulk {
    struct pons_stream *s;
    unsigned char *bytes;
    size_t size;
};

static int64_t
sends_bulk(void *arg)
{
    struct bulk *b = arg;

    return pons_send_all(b->s, b->bytes, b->size);
}

static void
bulk_fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 31 + (i >> 9));
}

static void
bulk_body(void *make)
{
    void (*make_pair)(struct pons_stream *[2]) =
        *(void (**)(struct pons_stream *[2]))make;
    unsigned char *got = malloc(BULK), *sent = malloc(BULK);
    struct pons_stream *pair[2];
    struct bulk b = {.bytes = sent, .size = BULK};
    struct agent a;
    size_t have = 0;

    bulk_fill(sent, BULK);
    make_pair(pair);
    b.s = pair[1];
    agent_start(&a, sends_bulk, &b);
    stream_until(pair[1], 1, 1); // it waits for room
    while (have < BULK) {
        size_t part = BULK - have < 7777 ? BULK - have : 7777;
        int64_t n = pons_recv(pair[0], got + have, part);

        CHECK(n > 0 && (size_t)n <= part);
        have += (size_t)n;
    }
    CHECK_EQ(agent_join(&a), BULK);
    CHECK(memcmp(got, sent, BULK) == 0);
    close_both(pair);
    free(got);
    free(sent);
}

static void
send_all_sends_all_everywhere(void)
{
    void (*socket_pair)(struct pons_stream *[2]) = stream_pair;
    void (*pipe_pair)(struct pons_stream *[2]) = stream_pipe;

    everywhere(bulk_body, &socket_pair);
    everywhere(bulk_body, &pipe_pair);
}

/* Until it takes no more. How much that was. */
static size_t
fill_up(struct pons_stream *s)
{
    static const char zeros[4096];
    int fd = pons_stream_fd(s), flags = fcntl(fd, F_GETFL);
    size_t all = 0;
    ssize_t n;

    CHECK_EQ(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    for (size_t part = sizeof zeros; part > 0; part /= 2)
        while ((n = write(fd, zeros, part)) > 0)
            all += (size_t)n;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(fcntl(fd, F_SETFL, flags), 0);
    return all;
}

static void
drain(struct pons_stream *s, size_t size)
{
    char bytes[4096];

    while (size > 0) {
        int64_t n = pons_recv(s, bytes, size < 4096 ? size : 4096);

        CHECK(n > 0);
        size -= (size_t)n;
    }
}

static void
two_bulks_body(void *arg)
{
    unsigned char *bytes = malloc(2 * BULK), *got = malloc(2 * BULK);
    struct pons_stream *pair[2];
    struct bulk b[2];
    struct agent a[2];

    (void)arg;
    stream_pair(pair);
    memset(bytes, 'a', BULK);
    memset(bytes + BULK, 'b', BULK);
    for (unsigned i = 0; i < 2; i++) {
        b[i] = (struct bulk){pair[1], bytes + i * BULK, BULK};
        agent_start(&a[i], sends_bulk, &b[i]);
        stream_until(pair[1], 1, i + 1);
    }
    for (size_t have = 0; have < 2 * BULK;) {
        int64_t n = pons_recv(pair[0], got + have, 2 * BULK - have);

        CHECK(n > 0);
        have += (size_t)n;
    }
    for (int i = 0; i < 2; i++)
        CHECK_EQ(agent_join(&a[i]), BULK);
    CHECK(memcmp(got, bytes, 2 * BULK) == 0);
    close_both(pair);
    free(bytes);
    free(got);
}

static void
send_all_is_not_mixed_with_another(void)
{
    everywhere(two_bulks_body, NULL);
}

/* --- errors, which are results --- */

static void
gone_reader_body(void *arg)
{
    struct pons_stream *pair[2], *ends[2];
    char byte;

    (void)arg;
    stream_pair(pair);
    pons_stream_close(pair[0]);
    CHECK_EQ(pons_send(pair[1], "x", 1), -EPIPE);
    CHECK_EQ(pons_send_all(pair[1], "x", 1), -EPIPE);
    CHECK_EQ(pons_recv(pair[1], &byte, 1), 0);
    pons_stream_close(pair[1]);
    stream_pipe(ends);
    pons_stream_close(ends[0]);
    CHECK_EQ(pons_send(ends[1], "x", 1), -EPIPE);
    pons_stream_close(ends[1]);
}

static void
writing_to_nobody_is_epipe_and_no_signal(void)
{
    everywhere(gone_reader_body, NULL); // SIGPIPE would end this process
}

struct writer {
    struct pons_stream *s;
    char byte;
};

static int64_t
sends_byte(void *arg)
{
    struct writer *w = arg;

    return pons_send(w->s, &w->byte, 1);
}

static void
gone_while_waiting_body(void *make)
{
    void (*make_pair)(struct pons_stream *[2]) =
        *(void (**)(struct pons_stream *[2]))make;
    struct pons_stream *pair[2];
    struct writer w = {.byte = 'x'};
    struct agent a;

    make_pair(pair);
    w.s = pair[1];
    (void)fill_up(pair[1]);
    agent_start(&a, sends_byte, &w);
    stream_until(pair[1], 1, 1);
    pons_stream_close(pair[0]);
    CHECK_EQ(agent_join(&a), -EPIPE);
    pons_stream_close(pair[1]);
}

static void
reader_that_goes_while_a_send_waits_is_epipe(void)
{
    void (*socket_pair)(struct pons_stream *[2]) = stream_pair;
    void (*pipe_pair)(struct pons_stream *[2]) = stream_pipe;

    everywhere(gone_while_waiting_body, &socket_pair);
    everywhere(gone_while_waiting_body, &pipe_pair);
}

static void
errors_body(void *arg)
{
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX,
                                  .sun_path = "/nonexistent/socket"};
    struct sockaddr_in discard = {.sin_family = AF_INET,
                                  .sin_port = htons(9),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pons_stream *s, *ends[2], *taken;
    char bytes[8], *big;

    (void)arg;
    stream_pipe(ends);
    CHECK_EQ(pons_send(ends[0], "x", 1), -EBADF);
    CHECK_EQ(pons_recv(ends[1], bytes, 1), -EBADF);
    close_both(ends);
    s = adopted(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(pons_recv(s, bytes, 8), -ENOTCONN);
    pons_stream_close(s);
    s = adopted(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    CHECK_EQ(pons_accept(s, &taken), -EINVAL);
    CHECK(taken == NULL);
    pons_stream_close(s);
    s = adopted(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(pons_connect(s, (struct sockaddr *)&nowhere, sizeof nowhere),
             -ENOENT);
    pons_stream_close(s);
    s = adopted(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(pons_send(s, "x", 1), -EDESTADDRREQ);
    CHECK_EQ(pons_connect(s, (struct sockaddr *)&discard,
                          sizeof(struct sockaddr_storage) + 1),
             -EINVAL);
    CHECK_EQ(pons_connect(s, (struct sockaddr *)&discard, sizeof discard), 0);
    big = calloc(1, 100000);
    CHECK_EQ(pons_send(s, big, 100000), -EMSGSIZE);
    free(big);
    pons_stream_close(s);
}

static void
errors_are_the_system_calls_everywhere(void)
{
    everywhere(errors_body, NULL);
}

/* --- adopting --- */

static int
refused(int fd)
{
    struct pons_stream *s = (void *)&s;
    int err = pons_stream_adopt(&s, fd);

    CHECK(err < 0);
    CHECK(strlen(pons_last_error()) > 20);
    return err;
}

static void
what_cannot_be_waited_on_is_not_adopted(void)
{
    char *path = scratch_text("file", "text");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK_EQ(listen(listener, 1), 0);
    CHECK_EQ(refused(-1), -EBADF);
    CHECK_EQ(refused(1000), -EBADF);
    CHECK_EQ(refused(file), -EINVAL);
    CHECK_HAS(pons_last_error(), "pons_blocking");
    CHECK_EQ(refused(directory), -EINVAL);
    CHECK_EQ(refused(listener), -EINVAL);
    CHECK_HAS(pons_last_error(), "O_NONBLOCK");
    CHECK_EQ(close(file), 0); // still ours
    CHECK_EQ(close(directory), 0);
    CHECK_EQ(close(listener), 0);
    free(path);
}

static void
flags_body(void *arg)
{
    struct sockaddr_in nobody_there = {.sin_family = AF_INET,
                                       .sin_port = htons(1),
                                       .sin_addr.s_addr =
                                           htonl(INADDR_LOOPBACK)};
    struct pons_stream *pair[2], *ends[2];
    int before[4], i = 0;

    (void)arg;
    stream_pair(pair);
    stream_pipe(ends);
    before[i++] = fcntl(pons_stream_fd(pair[0]), F_GETFL);
    before[i++] = fcntl(pons_stream_fd(pair[1]), F_GETFL);
    before[i++] = fcntl(pons_stream_fd(ends[0]), F_GETFL);
    before[i++] = fcntl(pons_stream_fd(ends[1]), F_GETFL);
    carry(pair[0], pair[1]);
    carry(ends[0], ends[1]);
    for (i = 0; i < 4; i++)
        CHECK_EQ(fcntl(pons_stream_fd(i < 2 ? pair[i] : ends[i - 2]), F_GETFL),
                 before[i]);
    CHECK_EQ(before[0] & O_NONBLOCK, 0);
    close_both(pair);
    close_both(ends);
    pair[0] = adopted(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_EQ(pons_connect(pair[0], (struct sockaddr *)&nobody_there,
                          sizeof nobody_there),
             -ECONNREFUSED);
    CHECK_EQ(fcntl(pons_stream_fd(pair[0]), F_GETFL), before[0]);
    pons_stream_close(pair[0]);
}

static void
flags_of_an_adopted_descriptor_stay(void)
{
    everywhere(flags_body, NULL);
}

/* --- order --- */

static void
ten_readers_body(void *arg)
{
    struct pons_stream *pair[2];
    struct reader r[QUEUE];
    struct agent a[QUEUE];

    (void)arg;
    stream_pair(pair);
    for (unsigned i = 0; i < QUEUE; i++) {
        r[i] = (struct reader){.s = pair[0], .size = 1};
        agent_start(&a[i], reads, &r[i]);
        stream_until(pair[0], 0, i + 1);
    }
    CHECK_EQ(pons_send_all(pair[1], "0123456789", QUEUE), QUEUE);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_EQ(agent_join(&a[i]), 1);
        CHECK_EQ(r[i].bytes[0], '0' + i);
    }
    close_both(pair);
}

static void
ten_readers_get_bytes_in_the_order_of_their_calls(void)
{
    everywhere(ten_readers_body, NULL);
}

static void
ten_writers_body(void *arg)
{
    struct pons_stream *pair[2];
    struct writer w[QUEUE];
    struct agent a[QUEUE];
    char bytes[QUEUE];
    size_t full;

    (void)arg;
    stream_pipe(pair);
    full = fill_up(pair[1]);
    for (unsigned i = 0; i < QUEUE; i++) {
        w[i] = (struct writer){pair[1], (char)('0' + i)};
        agent_start(&a[i], sends_byte, &w[i]);
        stream_until(pair[1], 1, i + 1);
    }
    drain(pair[0], full);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_EQ(agent_join(&a[i]), 1);
        CHECK_EQ(pons_recv(pair[0], &bytes[i], 1), 1);
        CHECK_EQ(bytes[i], '0' + i);
    }
    close_both(pair);
}

static void
ten_writers_send_in_the_order_of_their_calls(void)
{
    everywhere(ten_writers_body, NULL);
}

/* The one in the middle goes; who was behind it moves up. */
static void
cancel_queued_body(void *arg)
{
    struct pons_stream *pair[2];
    struct reader r[3];
    struct agent a[3];

    (void)arg;
    stream_pair(pair);
    for (unsigned i = 0; i < 3; i++) {
        r[i] = (struct reader){.s = pair[0], .size = 1};
        agent_start(&a[i], reads, &r[i]);
        stream_until(pair[0], 0, i + 1);
    }
    pons_cancel(a[1].task);
    CHECK_EQ(agent_join(&a[1]), -ECANCELED); // while the others wait on
    CHECK_EQ(stream_waiting(pair[0], 0), 2);
    CHECK_EQ(pons_send(pair[1], "ab", 2), 2);
    CHECK_EQ(agent_join(&a[0]), 1);
    CHECK_EQ(agent_join(&a[2]), 1);
    CHECK_EQ(r[0].bytes[0], 'a');
    CHECK_EQ(r[2].bytes[0], 'b');
    close_both(pair);
}

static void
queued_operation_can_be_cancelled(void)
{
    everywhere_in_fibers(cancel_queued_body, NULL);
}

static void
mixed_readers_body(void *arg)
{
    struct pons_stream *pair[2];
    struct reader r[QUEUE];
    struct agent a[QUEUE];

    (void)arg;
    stream_pair(pair);
    for (unsigned i = 0; i < QUEUE; i++) {
        r[i] = (struct reader){.s = pair[0], .size = 1};
        if (i % 2)
            agent_start_thread(&a[i], reads, &r[i]);
        else
            agent_start(&a[i], reads, &r[i]);
        stream_until(pair[0], 0, i + 1);
    }
    for (int i = 0; i < QUEUE; i++) {
        CHECK_EQ(pons_send(pair[1], &(char){(char)('0' + i)}, 1), 1);
        CHECK_EQ(agent_join(&a[i]), 1);
        CHECK_EQ(r[i].bytes[0], '0' + i);
    }
    close_both(pair);
}

static void
tasks_and_threads_share_a_stream(void)
{
    everywhere(mixed_readers_body, NULL);
}

/* Each byte goes around: both directions of a stream at once, by two. */
static int64_t
echoes(void *arg)
{
    struct pons_stream *s = arg;
    char bytes[16];
    int64_t n;

    while ((n = pons_recv(s, bytes, sizeof bytes)) > 0)
        CHECK_EQ(pons_send_all(s, bytes, (size_t)n), n);
    return n;
}

static void
echo_body(void *arg)
{
    struct pons_stream *pair[2];
    struct agent a[2];
    char byte;

    (void)arg;
    stream_pair(pair);
    agent_start(&a[0], echoes, pair[1]);
    agent_start_thread(&a[1], echoes, pair[1]);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(pons_send(pair[0], &(char){(char)i}, 1), 1);
        CHECK_EQ(pons_recv(pair[0], &byte, 1), 1);
        CHECK_EQ(byte, (char)i);
    }
    pons_stream_close(pair[0]);
    CHECK_EQ(agent_join(&a[0]), 0);
    CHECK_EQ(agent_join(&a[1]), 0);
    pons_stream_close(pair[1]);
}

static void
echo_goes_around_between_tasks_and_threads(void)
{
    everywhere(echo_body, NULL);
}

/* --- readiness --- */

struct watcher {
    struct pons_stream *s;
    short events;
};

static int64_t
watches(void *arg)
{
    struct watcher *w = arg;

    return pons_ready_wait(w->s, w->events);
}

static unsigned
watchers(struct pons_stream *s)
{
    unsigned n = 0;

    poni_lock(&s->lock);
    for (const struct pons_op *op = s->polls; op != NULL;
         op = (struct pons_op *)(uintptr_t)op->core[1])
        n += op->state == IO_INFLIGHT || op->state == IO_LISTED;
    poni_unlock(&s->lock);
    return n;
}

static void
readiness_body(void *arg)
{
    struct pons_stream *pair[2];
    struct watcher w[3];
    struct agent a[3], reading;
    struct reader r = {.size = 1};

    (void)arg;
    stream_pair(pair);
    r.s = pair[0];
    CHECK_EQ(pons_ready_wait(pair[0], POLLOUT | POLLIN), POLLOUT);
    agent_start(&reading, reads, &r);
    stream_until(pair[0], 0, 1);
    for (int i = 0; i < 3; i++) { // behind a read, and not queued behind it
        w[i] = (struct watcher){pair[0], POLLIN};
        agent_start(&a[i], watches, &w[i]);
    }
    while (watchers(pair[0]) < 3)
        let_others_run();
    CHECK_EQ(pons_send(pair[1], "ab", 2), 2);
    for (int i = 0; i < 3; i++)
        CHECK(agent_join(&a[i]) & POLLIN);
    CHECK_EQ(agent_join(&reading), 1);
    CHECK_EQ(pons_ready_wait(pair[0], POLLIN), POLLIN); // took nothing
    CHECK_EQ(pons_recv(pair[0], r.bytes, 8), 1);
    pons_stream_close(pair[1]);
    CHECK(pons_ready_wait(pair[0], POLLIN) & POLLHUP);
    CHECK(pons_ready_wait(pair[0], 0) & POLLHUP);
    pons_stream_close(pair[0]);
}

static void
readiness_is_told_to_several_and_takes_nothing(void)
{
    everywhere(readiness_body, NULL);
}

/* --- closing --- */

static int64_t
reads_to_the_end(void *arg)
{
    int64_t n = reads(arg);

    CHECK_EQ(n, -ECANCELED);
    return 1;
}

static int64_t
sends_to_the_end(void *arg)
{
    int64_t n = sends_byte(arg);

    CHECK_EQ(n, -ECANCELED);
    return 1;
}

static int64_t
watches_to_the_end(void *arg)
{
    CHECK_EQ(watches(arg), -ECANCELED);
    return 1;
}

static void
start_nth(struct agent *a, unsigned i, pons_fiber_f *fn, void *arg)
{
    if (i % 4 == 3)
        agent_start_thread(a, fn, arg);
    else
        agent_start(a, fn, arg);
}

static void
close_body(void *arg)
{
    struct agent a[3 * CLOSE_WAITERS];
    struct reader r[CLOSE_WAITERS];
    struct writer w[CLOSE_WAITERS];
    struct watcher p = {.events = POLLIN};
    struct pons_stream *pair[2];
    int before = descriptors_now();
    int64_t ended = 0;

    (void)arg;
    stream_pair(pair);
    (void)fill_up(pair[1]);
    p.s = pair[1];
    for (unsigned i = 0; i < CLOSE_WAITERS; i++) {
        r[i] = (struct reader){.s = pair[1]};
        w[i] = (struct writer){pair[1], 'x'};
        start_nth(&a[3 * i], i, reads_to_the_end, &r[i]);
        start_nth(&a[3 * i + 1], i, sends_to_the_end, &w[i]);
        start_nth(&a[3 * i + 2], i, watches_to_the_end, &p);
    }
    stream_until(pair[1], 0, CLOSE_WAITERS);
    stream_until(pair[1], 1, CLOSE_WAITERS);
    while (watchers(pair[1]) < CLOSE_WAITERS)
        let_others_run();
    pons_stream_close(pair[1]);
    for (int i = 0; i < 3 * CLOSE_WAITERS; i++)
        ended += agent_join(&a[i]);
    CHECK_EQ(ended, 3 * CLOSE_WAITERS);
    pons_stream_close(pair[0]);
    CHECK_EQ(descriptors_now(), before);
}

static void
close_ends_what_waits_elsewhere(void)
{
    everywhere(close_body, NULL);
}

/* A future that closes a stream inside its poll(), after `reading` was polled.
 */
struct closes {
    struct pons_future base;
    struct pons_stream *s;
    struct pons_recv *reading; // NULL: none
    int64_t released;          // what pons_stream_release() said; 1: not asked
};

static enum pons_poll
closes_poll(struct pons_future *f, struct pons_waker *w)
{
    struct closes *c = pons_container_of(f, struct closes, base);

    if (c->s != NULL && c->reading != NULL)
        (void)!pons_future_poll(&c->reading->base, w);
    if (c->s != NULL && c->released == 0)
        c->released = pons_stream_release(c->s);
    if (c->s != NULL && c->released < 1)
        c->released = c->released ? c->released : 1;
    if (c->s != NULL) {
        pons_stream_close(c->s);
        c->s = NULL;
    }
    if (c->reading != NULL &&
        pons_future_poll(&c->reading->base, w) == PONS_PENDING)
        return PONS_PENDING;
    f->result = c->reading != NULL ? c->reading->base.result : 0;
    return PONS_READY;
}

static const struct pons_future_ops closes_ops = {
    .size = sizeof closes_ops, .name = "closes", .poll = closes_poll};

static void
close_in_poll_body(void *arg)
{
    struct closes c = {.released = 1};
    struct pons_stream *pair[2];
    struct pons_recv reading;
    int before = descriptors_now();
    char byte;

    (void)arg;
    stream_pair(pair);
    pons_future_init(&c.base, &closes_ops);
    c.s = pair[0];
    CHECK_EQ(pons_await(&c.base), 0);
    CHECK_EQ(pons_recv(pair[1], &byte, 1), 0); // it is closed
    pons_stream_close(pair[1]);
    stream_pair(pair);
    pons_recv_init(&reading, pair[0], &byte, 1);
    pons_future_init(&c.base, &closes_ops);
    c.s = pair[0];
    c.reading = &reading;
    CHECK_EQ(pons_await(&c.base), -ECANCELED);
    CHECK_EQ(pons_recv(pair[1], &byte, 1), 0); // soon
    pons_stream_close(pair[1]);
    CHECK_EQ(descriptors_now(), before);
}

static void
close_inside_poll_is_left_to_the_runtime(void)
{
    everywhere(close_in_poll_body, NULL);
}

/* With an operation of another thread in course. */
static void
close_in_poll_busy_body(void *arg)
{
    struct closes c = {.released = 1};
    struct pons_stream *pair[2];
    struct reader r;
    struct agent a;
    char byte;

    (void)arg;
    stream_pair(pair);
    r = (struct reader){.s = pair[0]};
    agent_start_thread(&a, reads_to_the_end, &r);
    stream_until(pair[0], 0, 1);
    pons_future_init(&c.base, &closes_ops);
    c.s = pair[0];
    CHECK_EQ(pons_await(&c.base), 0);
    CHECK_EQ(agent_join(&a), 1);
    CHECK_EQ(pons_recv(pair[1], &byte, 1), 0);
    pons_stream_close(pair[1]);
}

static void
close_inside_poll_ends_what_waits_elsewhere(void)
{
    everywhere(close_in_poll_busy_body, NULL);
}

/* --- releasing, and numbers used again --- */

static void
release_body(void *arg)
{
    struct pons_stream *pair[2];
    struct reader r;
    struct agent a;
    char bytes[8];
    int fd;

    (void)arg;
    stream_pair(pair);
    carry(pair[0], pair[1]); // it is registered
    r = (struct reader){.s = pair[0]};
    agent_start(&a, reads_to_the_end, &r);
    stream_until(pair[0], 0, 1);
    fd = pons_stream_release(pair[0]);
    CHECK(fd >= 0);
    CHECK_EQ(agent_join(&a), 1);
    CHECK_EQ(pons_send(pair[1], "mine", 4), 4);
    CHECK_EQ(read(fd, bytes, sizeof bytes), 4);
    pair[0] = adopted(fd);
    carry(pair[0], pair[1]);
    close_both(pair);
}

static void
released_descriptor_is_open_and_forgotten(void)
{
    everywhere(release_body, NULL);
}

static void
release_in_poll_body(void *arg)
{
    struct closes c = {.released = 0};
    struct pons_stream *pair[2];
    struct pons_recv reading;
    char byte;

    (void)arg;
    stream_pair(pair);
    pons_recv_init(&reading, pair[0], &byte, 1);
    pons_future_init(&c.base, &closes_ops);
    c.s = pair[0];
    c.reading = &reading;
    CHECK_EQ(pons_await(&c.base), -ECANCELED); // closes it after the refusal
    CHECK_EQ(c.released, -EDEADLK);
    pons_stream_close(pair[1]);
}

static void
release_of_a_busy_stream_inside_poll_is_refused(void)
{
    everywhere(release_in_poll_body, NULL);
}

static void
reuse_body(void *arg)
{
    int first = -1;

    (void)arg;
    for (int i = 0; i < REUSES; i++) {
        struct pons_stream *pair[2];

        if (i % 2)
            stream_pair(pair);
        else
            stream_pipe(pair);
        if (first < 0)
            first = pons_stream_fd(pair[0]);
        CHECK_EQ(pons_stream_fd(pair[0]), first);
        carry(pair[0], pair[1]);
        close_both(pair);
    }
}

static void
number_of_a_closed_descriptor_is_used_again(void)
{
    everywhere(reuse_body, NULL);
}

/* --- where calls may not be made --- */

/* Calls everything that waits inside its poll(). */
struct calls {
    struct pons_future base;
    struct pons_stream *s;
};

static enum pons_poll
calls_poll(struct pons_future *f, struct pons_waker *w)
{
    struct calls *c = pons_container_of(f, struct calls, base);
    struct pons_stream *out;
    char bytes[8];

    (void)w;
    CHECK_EQ(pons_recv(c->s, bytes, 8), -EDEADLK);
    CHECK_HAS(pons_last_error(), "struct pons_recv");
    CHECK_EQ(pons_send(c->s, bytes, 8), -EDEADLK);
    CHECK_EQ(pons_send_all(c->s, bytes, 8), -EDEADLK);
    CHECK_EQ(pons_read_line(c->s, bytes, 8), -EDEADLK);
    CHECK_EQ(pons_ready_wait(c->s, POLLIN), -EDEADLK);
    CHECK_EQ(pons_accept(c->s, &out), -EDEADLK);
    CHECK_EQ(pons_connect(c->s, NULL, 0), -EDEADLK);
    CHECK_EQ(pons_tcp_connect(&out, "localhost", "1"), -EDEADLK);
    CHECK_EQ(pons_tcp_listen(&out, NULL, "0", 0), -EDEADLK);
    f->result = 7;
    return PONS_READY;
}

static const struct pons_future_ops calls_ops = {
    .size = sizeof calls_ops, .name = "calls", .poll = calls_poll};

static void
calls_in_poll_body(void *arg)
{
    struct calls c;
    struct pons_stream *pair[2];

    (void)arg;
    stream_pair(pair);
    pons_future_init(&c.base, &calls_ops);
    c.s = pair[0];
    CHECK_EQ(pons_await(&c.base), 7);
    close_both(pair);
}

static void
calling_forms_inside_poll_are_refused(void)
{
    everywhere(calls_in_poll_body, NULL);
}

static void
nobody(void *data)
{
    (void)data;
}

static void
polling_outside_any_wait_is_refused(void)
{
    static const struct pons_waker_ops ops = {sizeof ops, 0,      nobody,
                                              nobody,     nobody, nobody};
    struct pons_waker w = {&ops, NULL};
    struct pons_stream *pair[2];
    struct pons_recv r;
    char byte;

    stream_pair(pair);
    pons_recv_init(&r, pair[0], &byte, 1);
    CHECK_EQ(r.base.result, -EINPROGRESS);
    CHECK_EQ(pons_future_poll(&r.base, &w), PONS_READY);
    CHECK_EQ(r.base.result, -EINVAL);
    CHECK_EQ(pons_send(pair[1], "x", 1), 1);
    CHECK_EQ(pons_recv(pair[0], &byte, 1), 1); // the turn was given back
    close_both(pair);
}

/* --- a home that goes --- */

static struct pons_stream *homed[2];
static const struct pons_pool_ops *home_pool;
static uint32_t home_freed, home_freed_locked;

/* The home's memory goes. */
static void
home_close(struct pons_pool_policy *p)
{
    poni_store_release(&home_freed_locked,
                       poni_load_acquire(&homed[0]->lock) != LOCK_FREE);
    home_pool->close(p);
    poni_store_release(&home_freed, 1);
}

/* The byte that `t` waits for. */
static void
send_for(struct pons_task *t)
{
    int64_t n = 0;

    CHECK_EQ(pons_send(homed[1], "x", 1), 1);
    CHECK_EQ(pons_join(t, &n), 0);
    CHECK_EQ(n, 1);
}

/* A runtime that is the home of homed[0], and says when it is freed. */
static struct pons_runtime *
home_of_homed(struct pons_pool_ops *ops)
{
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct reader r = {.size = 1};
    struct pons_task *t;

    home_pool = rt->pool->policy->ops;
    *ops = *home_pool;
    ops->close = home_close;
    rt->pool->policy->ops = ops;
    stream_pair(homed);
    r.s = homed[0];
    CHECK_EQ(pons_spawn(rt, reads, &r, &t), 0);
    stream_until(homed[0], 0, 1);
    send_for(t);
    CHECK(homed[0]->home == &rt->seats[0]);
    return rt;
}

static void
home_is_freed_outside_the_streams_lock(void)
{
    struct pons_pool_ops ops;
    struct pons_runtime *home, *next;
    struct reader r = {.size = 1};
    struct pons_task *t;

    NEEDS_READINESS();
    home = home_of_homed(&ops);
    next = runtime_of("epoll", "1");
    r.s = homed[0];
    pons_runtime_unref(home);
    CHECK(!poni_load_acquire(&home_freed)); // the stream holds it
    CHECK_EQ(pons_spawn(next, reads, &r, &t), 0);
    while (!poni_load_acquire(&home_freed))
        (void)sched_yield();
    CHECK(!poni_load_acquire(&home_freed_locked));
    send_for(t);
    close_both(homed);
    pons_runtime_unref(next);
}

/* The system call of a recvmsg on homed[0], before its operation is posted:
 * then the home stops, and `next` becomes the stream's home. */
static struct {
    uint32_t armed;
    struct pons_runtime *home, *next;
    struct pons_task *sender;
} between;

static int64_t
sends_past_the_room(void *arg)
{
    static char bulk[BULK];

    return pons_send_all(arg, bulk, sizeof bulk);
}

static int
homed_is_at(const struct pons_runtime *rt)
{
    int is;

    poni_lock(&homed[0]->lock);
    is = homed[0]->home == &rt->seats[0];
    poni_unlock(&homed[0]->lock);
    return is;
}

static void
move_home(void)
{
    pons_runtime_unref(between.home);
    CHECK_EQ(pons_spawn(between.next, sends_past_the_room, homed[0],
                        &between.sender),
             0);
    while (!homed_is_at(between.next))
        (void)sched_yield();
    CHECK(!poni_load_acquire(&home_freed));
}

/* The C library's, for the core, too. */
ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
    if (poni_load_acquire(&between.armed) && fd == homed[0]->fd) {
        poni_store_release(&between.armed, 0);
        move_home();
    }
    return syscall(SYS_recvmsg, fd, message, flags);
}

static int64_t
reads_a_message(void *arg)
{
    struct reader *r = arg;
    struct iovec part = {.iov_base = r->bytes, .iov_len = r->size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    return pons_recvmsg(r->s, &message, 0);
}

static void
home_is_kept_while_an_operation_goes_there(void)
{
    struct pons_pool_ops ops;
    struct pons_runtime *rt = runtime_of("epoll", "1");
    struct reader r = {.size = 1};
    struct pons_task *t;

    NEEDS_READINESS();
    between.home = home_of_homed(&ops);
    between.next = runtime_of("epoll", "1");
    r.s = homed[0];
    poni_store_release(&between.armed, 1);
    CHECK_EQ(pons_spawn(rt, reads_a_message, &r, &t), 0);
    while (!poni_load_acquire(&home_freed))
        (void)sched_yield(); // the operation has found that it stopped
    send_for(t);
    pons_cancel(between.sender);
    CHECK_EQ(pons_join(between.sender, NULL), 0);
    close_both(homed);
    pons_runtime_unref(between.next);
    pons_runtime_unref(rt);
}

/* --- closed while its reader is polled for another reason --- */

enum { NOISY_ROUNDS = 1000 };

/* A read that is polled all the time: `waker` is notified without end. */
struct noisy {
    struct pons_future base;
    struct pons_recv recv;
    struct pons_waker waker;
    uint32_t waits, over;
    char byte;
};

static enum pons_poll
noisy_poll(struct pons_future *f, struct pons_waker *w)
{
    struct noisy *n = pons_container_of(f, struct noisy, base);

    if (pons_future_poll(&n->recv.base, w) == PONS_READY) {
        f->result = n->recv.base.result;
        return PONS_READY;
    }
    if (n->waker.ops == NULL)
        pons_waker_set(&n->waker, w);
    poni_store_release(&n->waits, 1);
    return PONS_PENDING;
}

static const struct pons_future_ops noisy_ops = {
    .size = sizeof noisy_ops,
    .name = "noisy",
    .poll = noisy_poll,
};

static void *
make_noise(void *arg)
{
    struct noisy *n = arg;

    while (!poni_load_acquire(&n->waits))
        (void)sched_yield();
    while (!poni_load_acquire(&n->over))
        pons_waker_notify(&n->waker);
    return NULL;
}

static void
noisy_round(struct pons_runtime *rt)
{
    struct noisy n = {.byte = 0};
    struct pons_stream *pair[2];
    struct pons_task *task;
    pthread_t noise;
    int64_t result;

    stream_pair(pair);
    pons_future_init(&n.base, &noisy_ops);
    pons_recv_init(&n.recv, pair[0], &n.byte, 1);
    CHECK_EQ(pthread_create(&noise, NULL, make_noise, &n), 0);
    CHECK_EQ(pons_spawn_future(rt, &n.base, &task), 0);
    while (!poni_load_acquire(&n.waits))
        (void)sched_yield();
    close_both(pair);
    CHECK_EQ(pons_join(task, &result), 0);
    CHECK_EQ(result, -ECANCELED);
    poni_store_release(&n.over, 1);
    CHECK_EQ(pthread_join(noise, NULL), 0);
    pons_waker_drop(&n.waker);
}

static void
a_close_does_not_free_what_a_poll_looks_at(void)
{
    static const char *const workers[] = {"1", "2"};

    for (int w = 0; w < 2; w++) {
        struct pons_runtime *rt = runtime_of("epoll", workers[w]);

        for (int i = 0; i < NOISY_ROUNDS; i++)
            noisy_round(rt);
        pons_runtime_unref(rt);
    }
}

static const struct unit_test tests[] = {
#define T(name)     \
    {               \
#name, name \
    }
    T(socketpairs_carry_bytes_everywhere),
    T(pipes_carry_bytes_everywhere),
    T(eventfds_count_everywhere),
    T(terminals_carry_bytes_everywhere),
    T(terminal_flags_of_others_stay),
    T(udp_carries_datagrams_everywhere),
    T(send_all_sends_all_everywhere),
    T(send_all_is_not_mixed_with_another),
    T(writing_to_nobody_is_epipe_and_no_signal),
    T(reader_that_goes_while_a_send_waits_is_epipe),
    T(errors_are_the_system_calls_everywhere),
    T(what_cannot_be_waited_on_is_not_adopted),
    T(flags_of_an_adopted_descriptor_stay),
    T(ten_readers_get_bytes_in_the_order_of_their_calls),
    T(ten_writers_send_in_the_order_of_their_calls),
    T(queued_operation_can_be_cancelled),
    T(tasks_and_threads_share_a_stream),
    T(echo_goes_around_between_tasks_and_threads),
    T(readiness_is_told_to_several_and_takes_nothing),
    T(close_ends_what_waits_elsewhere),
    T(close_inside_poll_is_left_to_the_runtime),
    T(close_inside_poll_ends_what_waits_elsewhere),
    T(released_descriptor_is_open_and_forgotten),
    T(release_of_a_busy_stream_inside_poll_is_refused),
    T(number_of_a_closed_descriptor_is_used_again),
    T(home_is_freed_outside_the_streams_lock),
    T(home_is_kept_while_an_operation_goes_there),
    T(calling_forms_inside_poll_are_refused),
    T(polling_outside_any_wait_is_refused),
    T(a_close_does_not_free_what_a_poll_looks_at),
#undef T
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("stream", tests, argc, argv);
}
