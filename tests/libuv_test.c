/* SPDX-License-Identifier: MIT */
/*
 * tests/libuv_test.c - the option of backends/libuv.c, and what libuv would do
 * otherwise: change modes, end the process. Its rules are kit/'s.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "test_host.h"
#include "unit.h"

enum { BY_POOL, BY_LIBUV };

enum { THREADS = 4, ROUNDS = 100 }; // of libuv's, without its variable

extern const struct pons_plugin *const poni_builtin_libuv;

/* With its first loop in the process libuv opens a pipe for good. */
static void
libuv_warm(void)
{
    uv_loop_t loop;

    CHECK_EQ(unsetenv("UV_THREADPOOL_SIZE"), 0);
    CHECK_EQ(uv_loop_init(&loop), 0);
    CHECK_EQ(uv_loop_close(&loop), 0);
    unit_for_good = 2;
}

static struct pons_reactor *
reactor_open(uint64_t files)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    libuv_warm();
    CHECK_EQ(test_open_with(&r, poni_builtin_libuv->engines, "files", files,
                            &reason),
             0);
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

static struct pons_op
op_make(int opcode, int fd, void *addr, uint32_t len, uint64_t offset)
{
    return (struct pons_op){.opcode = (uint8_t)opcode,
                            .fd = fd,
                            .addr = addr,
                            .len = len,
                            .offset = offset};
}

/* The result, whenever it comes. */
static int
reactor_run(struct pons_reactor *r, struct pons_op op)
{
    struct pons_event ev;

    if (r->ops->submit(r, &op) == PONS_SUBMIT_DONE)
        return op.res;
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK(ev.op == &op);
    return ev.res;
}

static int
threads_now(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = -2;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* --- files --- */

static void
files_are_left_to_the_pool(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC), before = threads_now();
    struct pons_reactor *r = reactor_open(BY_POOL);
    struct pons_op op = op_make(PONS_OP_WRITE, fd, (char[]){"ab"}, 2, 0);

    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    CHECK_EQ(threads_now(), before);
    r->ops->close(r);
    close(fd);
}

static void
files_are_done_by_libuv(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC), fds[2];
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    char text[8] = "abcdef", got[8] = "";

    CHECK_EQ(reactor_run(r, op_make(PONS_OP_WRITE, fd, text, 6, 0)), 6);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, got, 3, 2)), 3);
    CHECK_EQ(memcmp(got, "cde", 3), 0);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, got, 8, 4)), 2);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, got, 8, 6)), 0);
    CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
    CHECK_EQ(
        reactor_run(r, op_make(PONS_OP_READ, fd, got, 8, PONS_AT_POSITION)), 1);
    CHECK_EQ(got[0], 'f');
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, got, 8, UINT64_MAX - 1)),
             -EINVAL);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, got, 8, INT64_MIN)),
             -EINVAL);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, -1, got, 8, 0)), -EBADF);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_WRITE, fd, NULL, 8, 0)), -EFAULT);
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_WRITE, fds[1], text, 1, 0)),
             -ESPIPE);
    close(fds[0]);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_CLOSE, fds[1], NULL, 0, 0)), 0);
    CHECK_EQ(fcntl(fds[1], F_GETFD), -1);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_FTRUNCATE, fd, NULL, 0, 2)), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 2);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_FTRUNCATE, fd, NULL, 0, INT64_MIN)),
             -EINVAL);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_FSYNC, fd, NULL, 0, 0)), 0);
    CHECK_EQ(reactor_run(r, op_make(PONS_OP_FDATASYNC, fd, NULL, 0, 0)), 0);
    close(fd);
    for (int opcode = PONS_OP_CLOSE; opcode <= PONS_OP_FDATASYNC; opcode++)
        CHECK_EQ(reactor_run(r, op_make(opcode, fd, NULL, 0, 0)), -EBADF);
    r->ops->close(r);
    CHECK_EQ(test_pieces, 0);
}

/* It is the pool's then: a close may not fail. */
static void
a_file_without_memory_for_it_is_left_to_the_pool(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC);
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    struct pons_op op = op_make(PONS_OP_CLOSE, fd, NULL, 0, 0);

    test_allocs_left = 0;
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_UNSUPPORTED);
    test_allocs_left = -1;
    CHECK_EQ(reactor_run(r, op), 0);
    CHECK_EQ(fcntl(fd, F_GETFD), -1);
    r->ops->close(r);
}

static void
requests_are_used_again(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC);
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    long before;
    char c = 'x';

    CHECK_EQ(reactor_run(r, op_make(PONS_OP_WRITE, fd, &c, 1, 0)), 1);
    before = test_allocs;
    for (int i = 0; i < ROUNDS; i++)
        CHECK_EQ(reactor_run(r, op_make(PONS_OP_READ, fd, &c, 1, 0)), 1);
    CHECK_EQ(test_allocs, before);
    r->ops->close(r);
    close(fd);
}

/* A file and a socket in one poll. */
static void
files_do_not_hide_sockets(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC), fds[2], ended = 0;
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    struct pons_op recv, write_op;
    struct pons_event ev[2];
    char c, text[] = "x";

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    recv = op_make(PONS_OP_RECV, fds[0], &c, 1, 0);
    write_op = op_make(PONS_OP_WRITE, fd, text, 1, 0);
    CHECK_EQ(r->ops->submit(r, &recv), PONS_SUBMIT_PENDING);
    CHECK_EQ(r->ops->submit(r, &write_op), PONS_SUBMIT_PENDING);
    CHECK_EQ(write(fds[1], "y", 1), 1);
    while (ended < 2) {
        int n = r->ops->poll(r, ev, 2, PONS_NEVER);

        for (int i = 0; i < n; i++)
            CHECK_EQ(ev[i].res, 1);
        ended += n;
    }
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);
    r->ops->close(r);
    close(fds[0]);
    close(fds[1]);
    close(fd);
}

/* Every thread but this one blocks all signals that can be. */
static void
libuvs_threads_block_all_signals(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC), seen = 0;
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    DIR *dir;
    struct dirent *d;
    sigset_t now;
    char c = 'x';

    CHECK_EQ(reactor_run(r, op_make(PONS_OP_WRITE, fd, &c, 1, 0)), 1);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &now), 0);
    CHECK(!sigismember(&now, SIGUSR1));
    dir = opendir("/proc/self/task");
    while ((d = readdir(dir)) != NULL) {
        char path[300], line[128];
        unsigned long long blocked = 0;
        FILE *f;

        if (d->d_name[0] == '.' || atoi(d->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
        f = fopen(path, "re");
        CHECK(f != NULL);
        while (fgets(line, sizeof line, f) != NULL)
            (void)sscanf(line, "SigBlk: %llx", &blocked);
        fclose(f);
        CHECK(blocked & 1ull << (SIGUSR1 - 1) && blocked & 1ull
                                                               << (SIGINT - 1));
        seen++;
    }
    closedir(dir);
    CHECK(seen >= THREADS);
    r->ops->close(r);
    close(fd);
}

/* --- files that have not begun: all of libuv's threads are held --- */

static struct held {
    uv_loop_t loop;
    uv_work_t work[THREADS];
    sem_t came, go;
} held;

static void
be_held(uv_work_t *work)
{
    (void)work;
    sem_post(&held.came);
    while (sem_wait(&held.go) < 0)
        continue;
}

static void
after_held(uv_work_t *work, int status)
{
    (void)work;
    (void)status;
}

static void
hold_threads(void)
{
    CHECK_EQ(uv_loop_init(&held.loop), 0);
    CHECK_EQ(sem_init(&held.came, 0, 0), 0);
    CHECK_EQ(sem_init(&held.go, 0, 0), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(uv_queue_work(&held.loop, &held.work[i], be_held, after_held),
                 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(sem_wait(&held.came), 0);
}

static void
let_threads_go(void)
{
    for (int i = 0; i < THREADS; i++)
        sem_post(&held.go);
    CHECK_EQ(uv_run(&held.loop, UV_RUN_DEFAULT), 0);
    CHECK_EQ(uv_loop_close(&held.loop), 0);
}

static void
a_file_that_has_not_begun_is_cancelled(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC);
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    char text[] = "ab";
    struct pons_op op = op_make(PONS_OP_WRITE, fd, text, 2, 0);
    struct pons_event ev;

    hold_threads();
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
    r->ops->cancel(r, &op);
    r->ops->cancel(r, &op);
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK(ev.op == &op);
    CHECK_EQ(ev.res, -ECANCELED);
    let_threads_go();
    CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
    r->ops->close(r);
    close(fd);
}

static void
a_child_may_be_forked_while_a_file_is_under_way(void)
{
    int fd = memfd_create("a file", MFD_CLOEXEC), status;
    struct pons_reactor *r = reactor_open(BY_LIBUV);
    char text[] = "ab";
    struct pons_op op = op_make(PONS_OP_WRITE, fd, text, 2, 0);
    struct pons_event ev;
    pid_t pid;

    hold_threads();
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
    pid = fork();
    if (pid == 0) {
        r->ops->forked(r);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    let_threads_go();
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK_EQ(ev.res, 2);
    r->ops->close(r);
    close(fd);
}

/* --- descriptors --- */

/* Waits for a byte in blocking mode; in between and after the mode is that. */
static void
mode_of_a_descriptor_stays(void)
{
    struct pons_reactor *r = reactor_open(BY_POOL);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    for (int mode = 0; mode <= O_NONBLOCK; mode += O_NONBLOCK) {
        CHECK_EQ(pipe2(fds, O_CLOEXEC | mode), 0);
        op = op_make(PONS_OP_READ, fds[0], &c, 1, PONS_AT_POSITION);
        CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
        CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, mode);
        CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK_EQ(ev.res, 1);
        CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, mode);
        CHECK_EQ(r->ops->forget(r, fds[0]), 0);
        close(fds[0]);
        close(fds[1]);
    }
    r->ops->close(r);
}

/* Now in this mode, now in that; the number is the same. */
static void
a_number_is_used_again_in_either_mode(void)
{
    struct pons_reactor *r = reactor_open(BY_POOL);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2], first = -1;

    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQ(pipe2(fds, O_CLOEXEC | (i & 2 ? O_NONBLOCK : 0)), 0);
        if (first < 0)
            first = fds[0];
        CHECK_EQ(fds[0], first);
        op = op_make(PONS_OP_READ, fds[0], &c, 1, PONS_AT_POSITION);
        CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
        if (i & 1)
            CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK_EQ(ev.res, 1);
        CHECK_EQ(r->ops->forget(r, fds[0]), 0);
        close(fds[0]);
        close(fds[1]);
    }
    r->ops->close(r);
}

/* libuv stops to look after an error, which may be the first of several. */
static void
a_descriptor_is_watched_on_after_an_error(void)
{
    struct sockaddr_in dead = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pons_reactor *r = reactor_open(BY_POOL);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int port = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof dead;
    struct pons_event ev;
    struct pons_op op;
    char c;

    CHECK_EQ(bind(port, (struct sockaddr *)&dead, size), 0);
    CHECK_EQ(getsockname(port, (struct sockaddr *)&dead, &size), 0);
    close(port);
    CHECK_EQ(connect(fd, (struct sockaddr *)&dead, size), 0);
    for (int i = 0; i < 3; i++) {
        op = op_make(PONS_OP_RECV, fd, &c, 1, 0);
        CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
        CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
        CHECK_EQ(send(fd, "x", 1, 0), 1);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK_EQ(ev.res, -ECONNREFUSED);
    }
    CHECK_EQ(r->ops->forget(r, fd), 0);
    close(fd);
    r->ops->close(r);
}

static uint64_t
first_choice(const struct pons_config *c, const char *name)
{
    (void)c;
    (void)name;
    return 0;
}

/* libuv asks the kernel for the first descriptor of a number only, and would
 * end the process when the loop registers what the kernel declines. */
static void
a_number_that_a_file_gets_is_declined(void)
{
    const struct pons_poller_ops *ops = poni_builtin_libuv->engines->table;
    struct pons_host host = *test_host();
    struct pons_reason reason;
    struct pons_poller *p;
    int fds[2], nothing;

    libuv_warm();
    host.config_uint = first_choice;
    CHECK_EQ(ops->open(&p, NULL, &host, &reason), 0);
    for (int mode = 0; mode <= O_NONBLOCK; mode += O_NONBLOCK) {
        CHECK_EQ(pipe2(fds, O_CLOEXEC | mode), 0);
        CHECK_EQ(ops->control(p, fds[0], 5, 0, PONS_READABLE), 0);
        CHECK_EQ(ops->wait(p, &(struct pons_ready){0}, 1, 0), 0);
        CHECK_EQ(ops->control(p, fds[0], 5, PONS_READABLE, 0), 0);
        nothing = open("/dev/null", O_RDONLY | O_CLOEXEC | mode);
        CHECK_EQ(dup2(nothing, fds[0]), fds[0]);
        CHECK_EQ(ops->control(p, fds[0], 5, 0, PONS_READABLE), -EPERM);
        CHECK_EQ(ops->wait(p, &(struct pons_ready){0}, 1, 0), 0);
        close(fds[0]);
        CHECK_EQ(ops->control(p, fds[0], 5, 0, PONS_READABLE), -EBADF);
        close(fds[1]);
        close(nothing);
    }
    ops->close(p);
}

/* libuv would end the process. */
static void
a_descriptor_that_was_closed_while_waited_on_is_a_result(void)
{
    struct pons_reactor *r = reactor_open(BY_POOL);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    for (int mode = 0; mode <= O_NONBLOCK; mode += O_NONBLOCK) {
        CHECK_EQ(pipe2(fds, O_CLOEXEC | mode), 0);
        op = op_make(PONS_OP_READ, fds[0], &c, 1, PONS_AT_POSITION);
        CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
        close(fds[0]);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK_EQ(ev.res, -EBADF);
        CHECK_EQ(r->ops->forget(r, fds[0]), 0);
        close(fds[1]);
    }
    r->ops->close(r);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(files_are_left_to_the_pool),
    TEST(files_are_done_by_libuv),
    TEST(a_file_without_memory_for_it_is_left_to_the_pool),
    TEST(requests_are_used_again),
    TEST(files_do_not_hide_sockets),
    TEST(libuvs_threads_block_all_signals),
    TEST(a_file_that_has_not_begun_is_cancelled),
    TEST(a_child_may_be_forked_while_a_file_is_under_way),
    TEST(mode_of_a_descriptor_stays),
    TEST(a_number_is_used_again_in_either_mode),
    TEST(a_descriptor_is_watched_on_after_an_error),
    TEST(a_number_that_a_file_gets_is_declined),
    TEST(a_descriptor_that_was_closed_while_waited_on_is_a_result),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("libuv", tests, argc, argv);
}
