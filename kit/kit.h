/* SPDX-License-Identifier: MIT */
#ifndef KIT_H
#define KIT_H

/*
 * kit/kit.h - what a test of a rule is, and what it may use. For those who
 * write one.
 *
 * A test has the number of a rule (pons/reactor.h, pons/poller.h, pons/pool.h),
 * a name that is a sentence, and a function. It runs in a process of its own
 * with a time limit (kit/run.h), so it may crash, hang, or change its whole
 * process. It passes by returning; the first check that fails ends it, with a
 * sentence that says what was wanted and what was found.
 *
 *     static void
 *     twice(struct kit *k)
 *     {
 *         struct pons_reactor *r = kit_open(k);
 *         ...
 *         kit_awaits(r, &op, -ECANCELED);
 *         kit_close(r);
 *     }
 *
 *     const struct kit_test kit_cancel_tests[] = {
 *         {"R5", "a second cancel changes nothing", KIT_IO, NULL, twice},
 *         {0},
 *     };
 *
 * The trap is naming the wrong rule. An engine that breaks one rule shall fail
 * the tests of that rule only: a test asks for nothing beyond its own, and
 * names in `stands_on` the rules without which it cannot judge (kit/tests.c has
 * those of all tests of a rule). Tables run in the order of kit/tests.c.
 *
 * Threads     Checks from any thread, and from a forked child. All else: one.
 */

#include <time.h>

#include "pons/plugin.h"
#include "pons/reactor.h"

struct poni_entry;
struct pons_poller;

/* What a test asks of the engine; without it the test is skipped, with the
 * reason that kit/need.c has. Nothing: the test is required of all. */
enum kit_need {
    KIT_ALL = 0,
    KIT_IO = 1u << 0,         // it really does I/O
    KIT_MOVES = 1u << 1,      // capability: without PONS_REACTOR_PINNED
    KIT_COMPLETION = 1u << 2, // capability
    KIT_VIRTUAL = 1u << 3,    // capability
    KIT_FORKED = 1u << 4,     // optional: has forked()
    KIT_OPTIONS = 1u << 5,    // optional: has options
    KIT_LEVEL = 1u << 6,      // a poller without PONS_POLLER_EDGE
    KIT_ENDINGS = 1u << 7,    // capability: a poller's
    KIT_THREADS = 1u << 8,    // of a policy: jobs run on threads of the pool
    KIT_OWN_CALLS = 1u << 9,  // capability: without PONS_POLLER_WRAPS

    KIT_ACCEPT_MULTI = 1u << 10, // capabilities: opcodes that it has
    KIT_RECV_MULTI = 1u << 11,
    KIT_POLL_MULTI = 1u << 12,
    KIT_SEND_ZC = 1u << 13,

    KIT_POLLABLE = 1u << 14, // capability: PONS_CONTROL_POLLABLE_FD
};

struct poni_item;

/* The engine under test, as one test has it. Of a pool policy kit/work.h has
 * the rest. */
struct kit {
    struct poni_entry *entry;         // borrowed
    const struct pons_engine *engine; // static
    const struct poni_item *given;    // options of every kit_open(); NULL: none
    struct pons_config *config;       // owned; what the next kit_open() takes
};

struct kit_test {
    const char *rule;      // "R5", "B2"; for pollers also "level" ...
    const char *name;      // a sentence; NULL ends a table
    unsigned needs;        // enum kit_need
    const char *stands_on; // "R8 R11", or NULL
    void (*run)(struct kit *k);
};

/* --- checks: kit/check.c --- */

/* Ends the test: the engine breaks the rule. */
PONS_PRINTF(1, 2) _Noreturn void kit_fail(const char *format, ...);

/* Ends the test: it cannot be made here, whatever the engine. */
PONS_PRINTF(1, 2) _Noreturn void kit_skip(const char *format, ...);

/* Ends the test: the engine itself says that it cannot be used here. */
_Noreturn void kit_unusable(const char *why);

/* The sentence follows the condition: what was wanted, and found instead. */
#define KIT_WANT(condition, ...)   \
    do {                           \
        if (!(condition))          \
            kit_fail(__VA_ARGS__); \
    } while (0)

/* "WHAT: wanted 3, found 2". */
#define KIT_EQ(found, wanted, ...) \
    kit_check_equal((int64_t)(found), (int64_t)(wanted), __VA_ARGS__)

PONS_PRINTF(3, 4)
void kit_check_equal(int64_t found, int64_t wanted, const char *format, ...);

/* The same of results of ops: "wanted -EPIPE, found 1". */
PONS_PRINTF(3, 4)
void kit_check_result(int64_t found, int64_t wanted, const char *format, ...);

/* A call of the test's own that does not fail; its value. Where there are not
 * enough descriptors or memory for the test, it is skipped. */
#define KIT_SYS(call) kit_check_system((int64_t)(call), #call)

enum {
    KIT_DESCRIPTORS = 1024, // the usual limit; no test needs more
    KIT_HIGH = 2000,        // but one, a number above that
    KIT_FILE_BYTES = 4096,  // nor a larger file
};

int kit_check_system(int64_t value, const char *call);

/* pthread_create(3), which answers an error's number; where there may be no
 * more threads, the test is skipped. */
#define KIT_THREAD(call) kit_check_thread(call, #call)

void kit_check_thread(int err, const char *call);

/* --- the engine: kit/engine.c --- */

/* A reactor of it (a poller: under the core's adapter) that this thread owns.
 * The test fails if there is none. */
struct pons_reactor *kit_open(struct kit *k);
void kit_close(struct pons_reactor *r);

/* The same of one whose pollable descriptor is `*fd`. */
struct pons_reactor *kit_open_pollable(struct kit *k, int *fd);

/* 0, or what open answered; bind is the caller's. */
int kit_try_open(struct kit *k, struct pons_reactor **out,
                 struct pons_reason *reason);

/* What open answered `err` with says why not. */
void kit_check_reason(const struct pons_reason *reason, int err);

/* Whether options are given, which a test's own may contradict. */
int kit_is_given(const struct kit *k);

/* Whether its table allows them; else the sentence is
 * pons_last_error()'s. */
int kit_takes_given(struct kit *k);

/* What kit_open() takes from now on: the defaults but for one option. Nothing
 * may be open. 0, or -EINVAL if the option does not have that value. */
int kit_configure(struct kit *k, const char *option, const char *value);
int kit_has_option(const struct kit *k, const char *name);

/* What that is now: the defaults if nothing was asked for. */
const struct pons_config *kit_config(struct kit *k);

/* A reactor that this thread owns, and what is not as by default. Closes it. */
typedef void kit_configured_f(struct pons_reactor *r, const char *how);

/* With each option's least and most, and each choice, one option at a time:
 * kit/option.c. Open may refuse, in words. */
void kit_each_configuration(struct kit *k, kit_configured_f *test);

/* Of a poller, without the adapter. */
int kit_try_open_poller(struct kit *k, struct pons_poller **out,
                        struct pons_reason *reason);

/* --- its host: kit/host.c --- */

const struct pons_host *kit_host(void);
uint64_t kit_now(void);

/* From now on the host's clock, and kit_now(), run that many times slower. */
void kit_host_slow_down(unsigned times);

/* From now on the clock begins at a fixed time and advances by so much for each
 * look; random numbers begin anew. */
void kit_host_virtual(uint64_t step_ns);

/* How many pieces of memory the engine holds; how often it has asked. */
long kit_host_pieces(void);
long kit_host_asked(void);

/* After `times` more the host has no memory; -1: it has. */
void kit_host_limit(long times);

/* How often the engine has said something to the host's log. */
long kit_host_logged(void);

/* --- ops: kit/op.c --- */

struct pons_op kit_op(int opcode, int fd, void *addr, size_t len);

/* What submit answers, which is one of enum pons_submitted. */
int kit_submit(struct pons_reactor *r, struct pons_op *op);

/* Submits an op that has to wait: PENDING. */
void kit_pends(struct pons_reactor *r, struct pons_op *op);

/* Waits for the last event of `op`, which comes next; its result. */
int kit_await(struct pons_reactor *r, struct pons_op *op);
void kit_awaits(struct pons_reactor *r, struct pons_op *op, int wanted);

/* Waits for the last events of `n` ops, in any order, one each. Their results
 * are in op->res. */
void kit_await_all(struct pons_reactor *r, struct pons_op *ops, unsigned n);

/* Submits and waits, if there is something to wait for; the result. */
int kit_run(struct pons_reactor *r, struct pons_op op);
void kit_ends(struct pons_reactor *r, struct pons_op op, int wanted);

/* A look: nothing has ended. */
void kit_quiet(struct pons_reactor *r);

/* Polls, for 100 ms or longer, in which nothing ends; whether it sleeps most of
 * that. */
int kit_sleeps(struct pons_reactor *r);

/* Calls forget(), if there is one, and closes. */
void kit_forget(struct pons_reactor *r, int fd);

/* --- descriptors: kit/pair.c --- */

/* fds[0] is the engine's, non-blocking; fds[1] the test's. */
void kit_unix_pair(int fds[2], int type);
void kit_tcp_pair(int fds[2]);

/* As kit_unix_pair(); fds[0] is a number for which select(2) has no room. Where
 * there may be none, the test is skipped. */
void kit_high_pair(int fds[2]);

void kit_pipe(int fds[2]);
void kit_close_pair(struct pons_reactor *r, int fds[2]);

struct sockaddr_in;
int kit_tcp_listener(struct sockaddr_in *address, int flags);
int kit_tcp_socket(int flags);

/* An address where nobody listens, nor comes to: a socket stays there. Else it
 * may be given to the very socket that connects, which then meets itself. */
void kit_tcp_nobody(struct sockaddr_in *address);

/* To a free port of this machine. */
void kit_bind(int fd, struct sockaddr_in *address);
void kit_connect(int fd, const struct sockaddr_in *address);

/* A regular file, empty. Where files may not be large enough for a test, it is
 * skipped. */
int kit_file(void);

void kit_say(int fd, const char *text);

/* Writes until there is no room. */
void kit_fill(int fd);

/* Reads all there is. */
void kit_drain(int fd);

/* --- this process: kit/usage.c --- */

int kit_descriptors(void);
int kit_threads(void);
size_t kit_heap(void); // bytes of malloc(3) in use

/* How long this thread ran; and how long it did not sleep: it ran, or waited
 * for a processor. */
uint64_t kit_cpu_ns(void);
uint64_t kit_busy_ns(void);

long kit_naps(void); // how often this thread went to sleep

/* --- circumstances: kit/storm.c, kit/sandbox.c --- */

/* SIGUSR1, every so many microseconds, until timer_delete(). */
timer_t kit_storm(void (*handler)(int), long us);
void kit_ignore(int signal);

/* fork(2); where there is no room for a child, the test is skipped. */
pid_t kit_fork(void);

/* Goes on in a child (1); in the parent (0) the child has ended well, by
 * kit_child_ends(). A child that fails has failed the test. */
int kit_child(void);
_Noreturn void kit_child_ends(void);

/* From now on the system call `number` fails with `err` in this process. */
void kit_forbid(long number, int err);

/* The same of this thread alone, and of those that it makes; `times`, which
 * stays, is how often. */
void kit_forbid_counted(long number, int err, int *times);

/* From now on this thread, and those that it makes, may lock no memory. */
void kit_lock_nothing(void);

#endif /* KIT_H */
