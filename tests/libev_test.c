/* SPDX-License-Identifier: MIT */
/*
 * tests/libev_test.c - the option of backends/libev.c, and how it is misused;
 * its rules are kit/'s.
 */

#include <dirent.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_host.h"
#include "unit.h"

enum { AUTO, EPOLL, POLL, SELECT };

extern const struct pons_plugin *const poni_builtin_libev;

static unsigned asked;    // the flags of the latest ev_loop_new()
static int has_no_method; // from now on

struct ev_loop *__real_ev_loop_new(unsigned int flags);
struct ev_loop *__wrap_ev_loop_new(unsigned int flags);

struct ev_loop *
__wrap_ev_loop_new(unsigned int flags)
{
    asked = flags;
    return has_no_method ? NULL : __real_ev_loop_new(flags);
}

static int is_refused; // epoll_wait(2), from now on

/* libev's, too: a program's own symbol comes before libc's. */
__attribute__((visibility("default"))) int
epoll_wait(int set, struct epoll_event *events, int cap, int timeout_ms)
{
    if (is_refused) {
        errno = ENOSYS;
        return -1;
    }
    return epoll_pwait(set, events, cap, timeout_ms, NULL);
}

static struct pons_reactor *
reactor_open(uint64_t method)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    CHECK_EQ(test_open_with(&r, poni_builtin_libev->engines, "method", method,
                            &reason),
             0);
    CHECK_EQ(r->ops->bind(r), 0);
    return r;
}

/* epoll's sets of this process. */
static int
sets_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *d;
    int n = 0;

    CHECK(dir != NULL);
    while ((d = readdir(dir)) != NULL) {
        char to[64] = "";

        (void)!readlinkat(dirfd(dir), d->d_name, to, sizeof to - 1);
        n += strcmp(to, "anon_inode:[eventpoll]") == 0;
    }
    closedir(dir);
    return n;
}

/* One byte goes through. */
static void
reactor_works(struct pons_reactor *r)
{
    struct pons_event ev;
    struct pons_op op;
    char c = 0;
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    op = (struct pons_op){
        .opcode = PONS_OP_RECV, .fd = fds[0], .addr = &c, .len = 1};
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK_EQ(ev.res, 1);
    CHECK_EQ(c, 'x');
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);
    close(fds[0]);
    close(fds[1]);
}

static void
method_is_what_the_option_says(void)
{
    static const unsigned methods[] = {
        [EPOLL] = EVBACKEND_EPOLL,
        [POLL] = EVBACKEND_POLL,
        [SELECT] = EVBACKEND_SELECT,
    };

    for (unsigned m = EPOLL; m <= SELECT; m++) {
        struct pons_reactor *r = reactor_open(m);

        CHECK_EQ(asked & EVBACKEND_MASK, methods[m]);
        CHECK_EQ(sets_open(), m == EPOLL);
        reactor_works(r);
        r->ops->close(r);
    }
}

static void
libevs_own_variable_is_never_read(void)
{
    struct pons_reactor *r;

    CHECK_EQ(setenv("LIBEV_FLAGS", "2", 1), 0); // poll
    r = reactor_open(AUTO);
    CHECK_EQ(sets_open(), 1);
    r->ops->close(r);
    CHECK_EQ(setenv("LIBEV_FLAGS", "4", 1), 0); // epoll
    r = reactor_open(SELECT);
    CHECK_EQ(sets_open(), 0);
    r->ops->close(r);
}

static void
a_method_that_libev_does_not_have_is_refused(void)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    has_no_method = 1;
    CHECK_EQ(test_open_with(&r, poni_builtin_libev->engines, "method", SELECT,
                            &reason),
             -ENOTSUP);
    CHECK_HAS(reason.text, "libev's method select");
    CHECK_EQ(test_pieces, 0);
}

/* libev would end the process. */
static void
a_descriptor_that_was_closed_while_waited_on_is_a_result(void)
{
    for (unsigned m = AUTO; m <= SELECT; m++) {
        struct pons_reactor *r = reactor_open(m);
        struct pons_event ev;
        struct pons_op op;
        char c;
        int fds[2];

        CHECK_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
        op = (struct pons_op){.opcode = PONS_OP_READ,
                              .fd = fds[0],
                              .addr = &c,
                              .len = 1,
                              .offset = PONS_AT_POSITION};
        CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
        close(fds[0]);
        CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
        CHECK_EQ(ev.res, -EBADF);
        CHECK_EQ(r->ops->forget(r, fds[0]), 0);
        reactor_works(r); // on the same number
        close(fds[1]);
        r->ops->close(r);
    }
}

static uint64_t
first_choice(const struct pons_config *c, const char *name)
{
    (void)c;
    (void)name;
    return 0;
}

/* Two are ready, one fits; the other is taken back before it is told. */
static void
what_is_taken_back_is_not_reported(void)
{
    const struct pons_poller_ops *ops = poni_builtin_libev->engines->table;
    struct pons_host host = *test_host();
    struct pons_ready ready = {0};
    struct pons_reason reason;
    struct pons_poller *p;
    int fds[2];

    host.config_uint = first_choice;
    CHECK_EQ(ops->open(&p, NULL, &host, &reason), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(ops->control(p, fds[i], i, 0, PONS_WRITABLE), 0);
    CHECK_EQ(ops->wait(p, &ready, 1, 0), 1);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(ops->control(p, fds[i], i, PONS_WRITABLE,
                              ready.cookie == i ? 0 : PONS_READABLE),
                 0);
    CHECK_EQ(ops->wait(p, &ready, 1, 0), 0);
    ops->close(p);
    close(fds[0]);
    close(fds[1]);
}

/* Whether one of this process's epoll sets has `fd`. */
static int
set_has(int fd)
{
    int found = 0;

    for (int set = 0; set < 64; set++) {
        char path[64], line[128];
        int target;
        FILE *f;

        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", set);
        f = fopen(path, "re");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
            found |= sscanf(line, "tfd: %d", &target) == 1 && target == fd;
        if (f != NULL)
            fclose(f);
    }
    return found;
}

/* libev would leave it there until it is reported, whosever it is then. */
static void
what_is_forgotten_is_out_of_the_set(void)
{
    struct pons_reactor *r = reactor_open(EPOLL);
    struct pons_event ev;
    struct pons_op op;
    char c;
    int fds[2];

    CHECK_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    op = (struct pons_op){.opcode = PONS_OP_READ,
                          .fd = fds[0],
                          .addr = &c,
                          .len = 1,
                          .offset = PONS_AT_POSITION};
    CHECK_EQ(r->ops->submit(r, &op), PONS_SUBMIT_PENDING);
    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), 0);
    CHECK(set_has(fds[0]));
    r->ops->cancel(r, &op);
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), 1);
    CHECK_EQ(r->ops->forget(r, fds[0]), 0);
    CHECK(!set_has(fds[0]));
    close(fds[0]);
    close(fds[1]);
    r->ops->close(r);
}

/* --- failures --- */

/* libev would end the process. */
static void
a_wait_that_is_refused_is_an_error(void)
{
    struct pons_reactor *r = reactor_open(EPOLL), *other = reactor_open(POLL);
    struct pons_event ev;

    is_refused = 1;
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), -ENOSYS);
    is_refused = 0;
    CHECK_EQ(r->ops->poll(r, &ev, 1, 0), -ENOSYS); // for good
    reactor_works(other);
    r->ops->close(r);
    other->ops->close(other);
}

static void
a_method_that_cannot_wait_is_refused(void)
{
    struct pons_reason reason;
    struct pons_reactor *r;

    is_refused = 1;
    CHECK_EQ(test_open_with(&r, poni_builtin_libev->engines, "method", EPOLL,
                            &reason),
             -ENOSYS);
    CHECK_HAS(reason.text, "libev's method epoll");
    CHECK_EQ(test_pieces, 0);
}

static void
nothing_happens(struct ev_loop *loop, ev_timer *t, int events)
{
    (void)loop, (void)t, (void)events;
}

/* A loop of the program's own, in a child that libev ends. */
static void
run_a_loop_of_our_own(void)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    const struct rlimit no_core = {0};
    ev_timer t;

    CHECK_EQ(setrlimit(RLIMIT_CORE, &no_core), 0);
    ev_timer_init(&t, nothing_happens, 1000., 0.);
    ev_timer_start(loop, &t);
    is_refused = 1;
    ev_run(loop, EVRUN_ONCE);
    exit(0);
}

static void
a_failure_in_another_loop_ends_the_process_as_before(void)
{
    struct pons_reactor *r = reactor_open(EPOLL);
    struct pons_event ev;
    char said[128] = "";
    int fds[2], status;
    pid_t pid;

    is_refused = 1;
    CHECK_EQ(r->ops->poll(r, &ev, 1, PONS_NEVER), -ENOSYS);
    is_refused = 0;
    CHECK_EQ(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
        run_a_loop_of_our_own();
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGABRT);
    close(fds[1]);
    CHECK(read(fds[0], said, sizeof said - 1) > 0);
    CHECK_HAS(said, "(libev) epoll_wait: Function not implemented\n");
    close(fds[0]);
    r->ops->close(r);
}

static const struct unit_test tests[] = {
    {"method_is_what_the_option_says", method_is_what_the_option_says},
    {"libevs_own_variable_is_never_read", libevs_own_variable_is_never_read},
    {"a_method_that_libev_does_not_have_is_refused",
     a_method_that_libev_does_not_have_is_refused},
    {"what_is_taken_back_is_not_reported", what_is_taken_back_is_not_reported},
    {"what_is_forgotten_is_out_of_the_set",
     what_is_forgotten_is_out_of_the_set},
    {"a_descriptor_that_was_closed_while_waited_on_is_a_result",
     a_descriptor_that_was_closed_while_waited_on_is_a_result},
    {"a_wait_that_is_refused_is_an_error", a_wait_that_is_refused_is_an_error},
    {"a_method_that_cannot_wait_is_refused",
     a_method_that_cannot_wait_is_refused},
    {"a_failure_in_another_loop_ends_the_process_as_before",
     a_failure_in_another_loop_ends_the_process_as_before},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("libev", tests, argc, argv);
}
