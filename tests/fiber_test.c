/* SPDX-License-Identifier: MIT */
/*
 * tests/fiber_test.c - core/fiber.h: turns, what a switch keeps, and what a
 * stack costs and guards.
 */

#include "core/fiber.h"

#include <errno.h>
#include <execinfo.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/stack.h"
#include "core/switch.h"
#include "on_valgrind.h"
#include "unit.h"

#if defined(PONI_ASAN) || defined(PONI_TSAN)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* Frames below fiber_main(): switch_start(), and makecontext()'s own. */
#ifdef PONI_SWITCH_UCONTEXT
enum { START_FRAMES = 2 };
#else
enum { START_FRAMES = 1 };
#endif

#ifdef PONI_TSAN
/* It has 8,128 contexts, slow to make: fewer at once, more in all (4 threads).
 */
enum { CROWD = 2000, CHURN = 2200 };
#else
enum { CROWD = 10000, CHURN = 20000 };
#endif

static struct poni_fiber *fiber; // of tests with one

static void
start(poni_fiber_f *entry, void *arg)
{
    fiber = poni_fiber_new(0, entry, arg);
    CHECK(fiber != NULL);
}

/* --- turns --- */

static char story[64];

static void
tell(const char *word)
{
    strcat(story, word);
}

static void
tells(void *name)
{
    tell(name);
    poni_fiber_suspend(fiber);
    tell("b");
    poni_fiber_suspend(fiber);
    tell("c");
}

static void
resume_and_suspend_take_turns(void)
{
    start(tells, "a");
    CHECK_EQ(strlen(story), 0);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    tell("1");
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    tell("2");
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK_EQ(strcmp(story, "a1b2c"), 0);
    poni_fiber_free(fiber);
}

static void
returns(void *arg)
{
    *(int *)arg += 1;
}

static void
fiber_that_never_suspends_finishes_at_once(void)
{
    int ran = 0;

    for (int i = 0; i < 1000; i++) {
        start(returns, &ran);
        CHECK_EQ(poni_fiber_resume(fiber), 1);
        poni_fiber_free(fiber);
    }
    CHECK_EQ(ran, 1000);
}

struct member {
    struct poni_fiber *fiber;
    int number, *seen;
};

static void
suspends_once(void *arg)
{
    struct member *m = arg;
    volatile int mine = m->number;

    poni_fiber_suspend(m->fiber);
    m->seen[mine]++;
}

static void
ten_thousand_fibers_live_at_once(void)
{
    static struct member members[CROWD];
    static int seen[CROWD];

    for (int i = 0; i < CROWD; i++) {
        struct member *m = &members[i];

        *m = (struct member){NULL, i, seen};
        m->fiber = poni_fiber_new(FIBER_STACK_MIN * 2, suspends_once, m);
        CHECK(m->fiber != NULL);
        CHECK_EQ(poni_fiber_resume(m->fiber), 0);
    }
    for (int i = CROWD - 1; i >= 0; i--)
        CHECK_EQ(poni_fiber_resume(members[i].fiber), 1);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(seen[i], 1);
        poni_fiber_free(members[i].fiber);
    }
}

static int waits;

static void
waits_for_ever(void *unused)
{
    char frame[16 << 10]; // what ASan puts around it is deep in the stack

    (void)unused;
    memset(frame, 1, sizeof frame);
    waits++;
    poni_fiber_suspend(fiber);
    CHECK_EQ(frame[1], 2); // never
}

static void
fills_stack(void *arg)
{
    void *low, *high;

    poni_fiber_stack(fiber, &low, &high);
    CHECK((char *)__builtin_frame_address(0) > (char *)low + 8192);
    memset(low, 3,
           (size_t)((char *)__builtin_frame_address(0) - (char *)low) -
               4096); // ASan minds what the last one left
    *(int *)arg += 1;
}

static void
suspended_fiber_can_be_freed(void)
{
    int filled = 0;

    for (int i = 0; i < 100; i++) {
        start(waits_for_ever, NULL);
        CHECK_EQ(poni_fiber_resume(fiber), 0);
        poni_fiber_free(fiber);
        start(fills_stack, &filled);
        CHECK_EQ(poni_fiber_resume(fiber), 1);
        poni_fiber_free(fiber);
    }
    CHECK_EQ(waits, 100);
    CHECK_EQ(filled, 100);
}

static void
fiber_that_never_ran_can_be_freed(void)
{
    start(waits_for_ever, NULL);
    poni_fiber_free(fiber);
    CHECK_EQ(waits, 0);
}

/* --- threads --- */

/* By the kernel's number: pthread_self() is such a thread-local variable as the
 * compiler may remember from before a suspend. */
static pid_t threads_seen[2];

static void
notes_threads(void *unused)
{
    (void)unused;
    threads_seen[0] = gettid();
    poni_fiber_suspend(fiber);
    threads_seen[1] = gettid();
}

static void *
resume_elsewhere(void *finished)
{
    *(int *)finished = poni_fiber_resume(fiber);
    return NULL;
}

static void
fiber_goes_on_in_another_thread(void)
{
    pthread_t other;
    int finished = 0;

    start(notes_threads, NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    CHECK_EQ(pthread_create(&other, NULL, resume_elsewhere, &finished), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(finished, 1);
    CHECK_EQ(threads_seen[0], gettid());
    CHECK(threads_seen[1] != threads_seen[0]);
    poni_fiber_free(fiber);
}

static void *
make_and_free_many(void *ran)
{
    struct poni_fiber *kept[8] = {NULL};

    for (unsigned i = 0; i < CHURN; i++) {
        struct poni_fiber **f = &kept[i * 5 % 8];

        if (*f != NULL) {
            if (poni_fiber_resume(*f) != 1)
                return NULL;
            poni_fiber_free(*f);
        }
        *f = poni_fiber_new(i % 3 == 0 ? FIBER_STACK_MIN : 0, returns, ran);
        if (*f == NULL)
            return NULL;
        if (i % (CHURN / 20) == 0)
            poni_fiber_trim();
    }
    for (int i = 0; i < 8; i++)
        poni_fiber_free(kept[i]);
    return ran;
}

static void
threads_make_and_free_fibers_at_once(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int ran[THREADS] = {0};
    void *ok;

    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, make_and_free_many, &ran[i]),
                 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK_EQ(pthread_join(threads[i], &ok), 0);
        CHECK(ok != NULL);
        CHECK_EQ(ran[i], CHURN - 8);
    }
}

static int stop;

static void *
make_and_free_until_stopped(void *ran)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        poni_fiber_free(poni_fiber_new(0, returns, ran));
    return NULL;
}

static void
child_of_fork_can_make_fibers(void)
{
    pthread_t other;
    int ran = 0, status;

    if (RUNNING_ON_VALGRIND)
        SKIP("one thread at a time: the lock is never held by another");
#ifdef PONI_TSAN
    SKIP("TSan's own locks may be held by another");
#endif
    CHECK_EQ(pthread_create(&other, NULL, make_and_free_until_stopped, &ran),
             0);
    for (int i = 0; i < 500; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(20); // a lock that nobody holds is waited for
            start(returns, &ran);
            _exit(poni_fiber_resume(fiber) == 1 ? 0 : 1);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK_EQ(pthread_join(other, NULL), 0);
}

/* --- what a switch keeps --- */

#if defined(__x86_64__)
#define WIDE   "x"
#define WIDEST "t"
#define EACH_KEPT(do) \
    do                \
    (rbx) do(r12) do(r13) do(r14) do(r15)
#elif defined(__aarch64__)
#define WIDE   "w"
#define WIDEST "w"
#define EACH_KEPT(do)                                                         \
    do                                                                        \
    (x19) do(x20) do(x21) do(x22) do(x23) do(x24) do(x25) do(x26) do(x27) do( \
        x28)
#else
#define WIDE   "m"
#define WIDEST "m"
#define EACH_KEPT(do)
#endif

/* Each register holds a value of its own before `turn`, and is read after it.
 */
#define KEPT_SET(reg) \
    register unsigned long reg __asm__(#reg) = seed += 0x1001001001001001;
#define KEPT_PIN(reg) __asm__ volatile("" : "+r"(reg));
#define KEPT_SUM(reg) sum = sum * 31 + reg;

typedef void turn_f(void);

__attribute__((noinline)) static unsigned long
sum_over_turn(unsigned long seed, turn_f *turn)
{
    unsigned long sum = 0;

    EACH_KEPT(KEPT_SET)
    EACH_KEPT(KEPT_PIN)
    turn();
    EACH_KEPT(KEPT_PIN)
    EACH_KEPT(KEPT_SUM)
    return sum + seed;
}

/* Inlined with its turn, so that the compiler may think of any register. */
static inline __attribute__((always_inline)) long double
product_over_turn(double seed, turn_f *turn)
{
    double a = seed + 1, b = seed + 2, c = seed + 3, d = seed + 4, e = seed + 5,
           f = seed + 6, g = seed + 7, h = seed + 8;
    long double wide = (long double)seed / 3;

    __asm__ volatile("" : "+" WIDE(a), "+" WIDE(b), "+" WIDE(c), "+" WIDE(d));
    __asm__ volatile("" : "+" WIDE(e), "+" WIDE(f), "+" WIDE(g), "+" WIDE(h));
    __asm__ volatile("" : "+" WIDEST(wide));
    turn();
    return wide * (a * b * c * d * e * f * g * h);
}

static void
no_turn(void)
{
}

__attribute__((noinline)) static long double
product(unsigned long seed)
{
    return product_over_turn((double)seed, no_turn);
}

static void
turn_to_fiber(void)
{
    CHECK_EQ(poni_fiber_resume(fiber), 0);
}

static void
turn_to_resumer(void)
{
    poni_fiber_suspend(fiber);
}

static void
uses_registers(void *unused)
{
    (void)unused;
    for (unsigned long seed = 1;; seed++) {
        CHECK(sum_over_turn(seed, turn_to_resumer) ==
              sum_over_turn(seed, no_turn));
        CHECK(product_over_turn((double)seed, turn_to_resumer) ==
              product(seed));
    }
}

static void
registers_of_both_sides_are_kept(void)
{
    start(uses_registers, NULL);
    for (unsigned long seed = 1000; seed < 1010; seed++) {
        CHECK(sum_over_turn(seed, turn_to_fiber) ==
              sum_over_turn(seed, no_turn));
        CHECK(product_over_turn((double)seed, turn_to_fiber) == product(seed));
    }
    poni_fiber_free(fiber);
}

/* Its locals may lie below the stack pointer, for it calls nothing. */
__attribute__((noinline)) static int
sum_in_leaf(struct poni_fiber *f)
{
    volatile int local[24];
    int sum = 0;

    for (int i = 0; i < 24; i++)
        local[i] = i;
    poni_fiber_suspend(f);
    for (int i = 0; i < 24; i++)
        sum += local[i];
    return sum;
}

static void
suspends_in_leaf(void *unused)
{
    (void)unused;
    CHECK_EQ(sum_in_leaf(fiber), 23 * 24 / 2);
}

static void
leaf_function_keeps_its_frame(void)
{
    start(suspends_in_leaf, NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    poni_fiber_free(fiber);
}

/* As the unit for doubles rounds, and as that for long doubles does. */
static double
tenth(void)
{
    volatile double one = 1, ten = 10;

    return one / ten;
}

static long double
long_tenth(void)
{
    volatile long double one = 1, ten = 10;

    return one / ten;
}

/* Both round 1/10 up to nearest. */
static double tenth_down;
static long double long_tenth_down;

static void
rounds_down(void *unused)
{
    (void)unused;
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK_EQ(fesetround(FE_DOWNWARD), 0);
    tenth_down = tenth();
    long_tenth_down = long_tenth();
    poni_fiber_suspend(fiber);
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    CHECK(tenth() == tenth_down);
    CHECK(long_tenth() == long_tenth_down);
}

static void
rounding_is_each_sides_own(void)
{
    double nearest = tenth();
    long double long_nearest = long_tenth();

    start(rounds_down, NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    if (tenth_down == nearest || long_tenth_down == long_nearest)
        SKIP("this machine rounds in one way only");
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK(tenth() == nearest);
    CHECK(long_tenth() == long_nearest);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK(tenth() == nearest);
    CHECK(long_tenth() == long_nearest);
    poni_fiber_free(fiber);
}

static void
finds_rounding_down(void *unused)
{
    (void)unused;
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    CHECK(tenth() == tenth_down);
    CHECK(long_tenth() == long_tenth_down);
}

static void
fiber_begins_with_its_makers_rounding(void)
{
    CHECK_EQ(fesetround(FE_DOWNWARD), 0);
    tenth_down = tenth();
    long_tenth_down = long_tenth();
    start(finds_rounding_down, NULL);
    CHECK_EQ(fesetround(FE_TONEAREST), 0);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK_EQ(fegetround(), FE_TONEAREST);
    poni_fiber_free(fiber);
}

static void
sees_errno(void *unused)
{
    (void)unused;
    CHECK_EQ(errno, 1001);
    errno = 1002;
    poni_fiber_suspend(fiber);
    CHECK_EQ(errno, 1003);
}

static void
errno_is_not_touched(void)
{
    errno = 1001;
    start(sees_errno, NULL);
    CHECK_EQ(errno, 1001);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    CHECK_EQ(errno, 1002);
    errno = 1003;
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    poni_fiber_free(fiber);
    poni_fiber_trim();
    CHECK_EQ(errno, 1003);
}

static void
prints_doubles(void *unused)
{
    char text[512];

    (void)unused;
    CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    snprintf(text, sizeof text, "%.3f %.40Lg %300.2e", 3.14159, 1.5L, 1e300);
    CHECK_HAS(text, "3.142 1.5 ");
    CHECK_HAS(text, "1.00e+300");
}

static void
library_calls_with_big_frames_work(void)
{
    start(prints_doubles, NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    poni_fiber_free(fiber);
}

/* --- unwinding --- */

enum { FRAMES = 64 };

static void *frames[FRAMES];
static int frame_count;

__attribute__((noinline)) static void
unwinds(void *unused)
{
    (void)unused;
    frame_count = backtrace(frames, FRAMES);
}

static void
backtrace_ends_at_the_fibers_start(void)
{
    void *unused[1];

    (void)backtrace(unused, 1); // loads the unwinder, on a descriptor
    start(unwinds, NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    /* unwinds(), fiber_main() and what started that; sanitizers add
     * functions of their own. */
    CHECK(frame_count >= 2 + START_FRAMES);
    CHECK(frame_count <= 2 + START_FRAMES + (SANITIZED ? 2 : 0));
    poni_fiber_free(fiber);
}

/* --- stacks --- */

static size_t
stack_bytes(struct poni_fiber *f)
{
    void *low, *high;

    CHECK(f != NULL);
    poni_fiber_stack(f, &low, &high);
    CHECK_EQ((uintptr_t)low % (size_t)sysconf(_SC_PAGESIZE), 0);
    return (size_t)((char *)high - (char *)low);
}

static void
sizes_are_rounded_to_powers_of_two(void)
{
    static const struct {
        size_t asked, got;
    } rows[] = {
        /* clang-format off */
        {0,                       FIBER_STACK_DEFAULT},
        {64 << 10,                64 << 10},
        {(64 << 10) + 1,          128 << 10},
        {100000,                  128 << 10},
        {FIBER_STACK_DEFAULT,     FIBER_STACK_DEFAULT},
        {FIBER_STACK_MAX - 12345, FIBER_STACK_MAX},
        {FIBER_STACK_MAX,         FIBER_STACK_MAX},
        /* clang-format on */
    };
    enum { OWN = 2048 }; // the fiber's, by core/fiber.h

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct poni_fiber *f = poni_fiber_new(rows[i].asked, returns, NULL);

        CHECK(stack_bytes(f) <= rows[i].got);
        CHECK(stack_bytes(f) >= rows[i].got - OWN);
        poni_fiber_free(f);
    }
    fiber = poni_fiber_new(1, returns, NULL);
    CHECK(stack_bytes(fiber) >= FIBER_STACK_MIN - OWN);
    poni_fiber_free(fiber);
    errno = 0;
    CHECK(poni_fiber_new((size_t)FIBER_STACK_MAX + 1, returns, NULL) == NULL);
    CHECK_EQ(errno, EINVAL);
}

static void
stacks_of_one_size_are_used_again(void)
{
    struct poni_fiber *a = poni_fiber_new(0, returns, NULL);
    struct poni_fiber *b = poni_fiber_new(0, returns, NULL);
    struct poni_fiber *small;

    CHECK(a != b);
    poni_fiber_free(a);
    poni_fiber_free(b);
    small = poni_fiber_new(FIBER_STACK_MIN, returns, NULL);
    CHECK(small != a && small != b);
    CHECK(poni_fiber_new(0, returns, NULL) == b); // the last one freed
    CHECK(poni_fiber_new(0, returns, NULL) == a);
    poni_fiber_free(a);
    poni_fiber_free(b);
    poni_fiber_free(small);
}

/* Calls itself until its frame is in the lowest page of the stack. */
__attribute__((noinline)) static int
dive(char *low)
{
    volatile char frame[256];

    frame[0] = 1;
    if ((char *)__builtin_frame_address(0) - low <= 2048)
        return frame[0];
    return dive(low) + frame[0];
}

static int depth;

static void
dives(void *unused)
{
    void *low, *high;

    (void)unused;
    poni_fiber_stack(fiber, &low, &high);
    CHECK((char *)__builtin_frame_address(0) < (char *)high);
    depth = dive(low);
    *(volatile char *)low = 1;
}

static void
recursion_may_use_the_whole_stack(void)
{
    fiber = poni_fiber_new(1 << 20, dives, NULL);
    CHECK(fiber != NULL);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK(depth > 100);
    poni_fiber_free(fiber);
}

enum { GUARD_HIT = 42 };

static void
say_what_was_hit(int signal, siginfo_t *info, void *unused)
{
    (void)signal;
    (void)unused;
    _exit(poni_fiber_guard_hit(info->si_addr) ? GUARD_HIT : 1);
}

__attribute__((noinline)) static int
overflow(int n)
{
    volatile char frame[256];

    frame[0] = (char)n;
    return n < 0 ? 0 : overflow(n + 1) + frame[0];
}

static void
overflows(void *unused)
{
    (void)unused;
    overflow(0);
}

static void
watch_faults(void)
{
    static char stack[64 << 10];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = say_what_was_hit,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};

    CHECK_EQ(sigaltstack(&other, NULL), 0);
    CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
}

/* How a child ends in which one of several fibers overflows. */
static int
status_of_overflow(void)
{
    struct poni_fiber *below, *above;
    int status;
    pid_t pid;

    below = poni_fiber_new(0, returns, NULL);
    start(overflows, NULL);
    above = poni_fiber_new(0, returns, NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        watch_faults();
        poni_fiber_resume(fiber);
        _exit(2);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    poni_fiber_free(below);
    poni_fiber_free(fiber);
    poni_fiber_free(above);
    return status;
}

static void
overflow_hits_the_guard(void)
{
    int status = status_of_overflow();

    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), GUARD_HIT);
}

/* From now on the kernel answers MADV_GUARD_INSTALL with `err`, and does
 * nothing. */
static void
refuse_guards(unsigned err)
{
    enum { GUARD_INSTALL = 102 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GUARD_INSTALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        SKIP("no seccomp filter: %s", strerror(errno));
}

static void
guards_are_made_where_madvise_cannot(void)
{
    int status;

    refuse_guards(EINVAL);
    errno = 1001;
    status = status_of_overflow();
    CHECK_EQ(errno, 1001);
    CHECK_EQ(WEXITSTATUS(status), GUARD_HIT);
}

static void
guards_are_made_where_madvise_only_says_so(void)
{
    int status;

    refuse_guards(0);
    status = status_of_overflow();
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), GUARD_HIT);
}

static void
only_guards_are_guards(void)
{
    struct poni_fiber *neighbour;
    void *low, *high;

    CHECK(!poni_fiber_guard_hit(&fiber));
    neighbour = poni_fiber_new(0, returns, NULL);
    CHECK(neighbour != NULL);
    start(returns, NULL);
    poni_fiber_stack(fiber, &low, &high);
    CHECK(!poni_fiber_guard_hit(NULL));
    CHECK(!poni_fiber_guard_hit(&low));
    CHECK(!poni_fiber_guard_hit(low));
    CHECK(!poni_fiber_guard_hit((char *)high - 1));
    CHECK(poni_fiber_guard_hit((char *)low - 1));
    poni_fiber_free(fiber);
    poni_fiber_trim(); // the neighbour keeps the mapping
    CHECK(!poni_fiber_guard_hit((char *)low - 1));
    poni_fiber_stack(neighbour, &low, &high);
    CHECK(poni_fiber_guard_hit((char *)low - 1));
    poni_fiber_free(neighbour);
    poni_fiber_trim();
    CHECK(!poni_fiber_guard_hit((char *)low - 1));
}

/* --- memory --- */

enum statm { STATM_MAPPED, STATM_RESIDENT };

static size_t
memory_bytes(enum statm which)
{
    FILE *file = fopen("/proc/self/statm", "r");
    size_t pages[2];

    CHECK(file != NULL);
    CHECK_EQ(fscanf(file, "%zu %zu", &pages[0], &pages[1]), 2);
    fclose(file);
    return pages[which] * (size_t)sysconf(_SC_PAGESIZE);
}

/* Whether the figures above are this program's alone. An emulator, which lives
 * in the same process, denies it seccomp for that reason. */
static int
memory_is_own(void)
{
    (void)memory_bytes(STATM_MAPPED); // stdio's own comes before the test's
    return !SANITIZED && !RUNNING_ON_VALGRIND &&
           prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

#define NEEDS_OWN_MEMORY()                                         \
    do {                                                           \
        if (!memory_is_own())                                      \
            SKIP("a tool or emulator shares the process' memory"); \
    } while (0)

/* Page tables, which statm leaves out. 0 where the system does not say. */
static size_t
table_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    size_t kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmPTE: %zu kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib << 10;
}

static struct poni_fiber *many[2000];

static void
waits_in_a_common_depth(void *at)
{
    struct poni_fiber **mine = at;
    char text[512];

    snprintf(text, sizeof text, "%p", at);
    poni_fiber_suspend(*mine);
    CHECK_HAS(text, "0x");
}

static void
idle_fiber_keeps_little_memory(void)
{
    enum { MANY = 2000, IDLE_BYTES = 8704 }; // 8.5 KiB, by the design
    size_t before;

    NEEDS_OWN_MEMORY();
    before = memory_bytes(STATM_RESIDENT) + table_bytes();
    for (int i = 0; i < MANY; i++) {
        many[i] = poni_fiber_new(0, waits_in_a_common_depth, &many[i]);
        CHECK(many[i] != NULL);
        CHECK_EQ(poni_fiber_resume(many[i]), 0);
    }
    CHECK(memory_bytes(STATM_RESIDENT) + table_bytes() <=
          before + (size_t)MANY * IDLE_BYTES);
    for (int i = 0; i < MANY; i++) {
        CHECK_EQ(poni_fiber_resume(many[i]), 1);
        poni_fiber_free(many[i]);
    }
}

static void
fills_its_stack(void *at)
{
    struct poni_fiber **mine = at;
    void *low, *high;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    poni_fiber_stack(*mine, &low, &high);
    for (char *p = low; p < (char *)__builtin_frame_address(0) - page;
         p += page)
        *(volatile char *)p = 1;
}

/* Runs fibers that touch all of STACK_WARM_BYTES and half as much again, and
 * frees them: how many bytes more are resident then. */
static size_t
resident_after_many_full_stacks(void)
{
    enum { BYTES = 4 << 20, MANY = STACK_WARM_BYTES / BYTES * 3 / 2 };
    size_t before;

    before = memory_bytes(STATM_RESIDENT);
    for (int i = 0; i < MANY; i++) {
        many[i] = poni_fiber_new(BYTES, fills_its_stack, &many[i]);
        CHECK(many[i] != NULL);
        CHECK_EQ(poni_fiber_resume(many[i]), 1);
    }
    CHECK(memory_bytes(STATM_RESIDENT) - before >
          STACK_WARM_BYTES + STACK_WARM_BYTES / 4);
    for (int i = 0; i < MANY; i++)
        poni_fiber_free(many[i]);
    return memory_bytes(STATM_RESIDENT) - before;
}

static void
freed_stacks_keep_no_more_than_the_limit(void)
{
    size_t kept;

    NEEDS_OWN_MEMORY();
    kept = resident_after_many_full_stacks();
    CHECK(kept <= STACK_WARM_BYTES + (1 << 20));
    CHECK(kept >= STACK_WARM_BYTES - (1 << 20)); // and those are warm
}

static void
trim_gives_all_free_stacks_back(void)
{
    size_t mapped, resident;

    NEEDS_OWN_MEMORY();
    mapped = memory_bytes(STATM_MAPPED);
    resident = memory_bytes(STATM_RESIDENT);
    (void)resident_after_many_full_stacks();
    poni_fiber_trim();
    CHECK(memory_bytes(STATM_MAPPED) <= mapped + (1 << 20));
    CHECK(memory_bytes(STATM_RESIDENT) <= resident + (1 << 20));
}

static void
trim_leaves_stacks_in_use(void)
{
    struct poni_fiber *free_one = poni_fiber_new(0, returns, NULL);
    int ran = 0;

    start(waits_in_a_common_depth, &fiber);
    CHECK_EQ(poni_fiber_resume(fiber), 0);
    poni_fiber_free(free_one);
    poni_fiber_trim();
    poni_fiber_trim();
    free_one = poni_fiber_new(0, returns, &ran);
    CHECK(free_one != NULL && free_one != fiber);
    CHECK_EQ(poni_fiber_resume(free_one), 1);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    poni_fiber_free(free_one);
    poni_fiber_free(fiber);
    poni_fiber_trim();
    start(returns, &ran);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK_EQ(ran, 2);
    poni_fiber_free(fiber);
}

static void
no_memory_is_an_error_and_no_harm(void)
{
    struct rlimit limit, none;
    int ran = 0;

    NEEDS_OWN_MEMORY();
    CHECK_EQ(getrlimit(RLIMIT_AS, &limit), 0);
    none = limit;
    none.rlim_cur = memory_bytes(STATM_MAPPED) + (1 << 20);
    CHECK_EQ(setrlimit(RLIMIT_AS, &none), 0);
    errno = 0;
    CHECK(poni_fiber_new(0, returns, &ran) == NULL);
    CHECK_EQ(errno, ENOMEM);
    CHECK_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    start(returns, &ran);
    CHECK_EQ(poni_fiber_resume(fiber), 1);
    CHECK_EQ(ran, 1);
    poni_fiber_free(fiber);
}

static const struct unit_test tests[] = {
#define TEST(name)  \
    {               \
#name, name \
    }
    TEST(resume_and_suspend_take_turns),
    TEST(fiber_that_never_suspends_finishes_at_once),
    TEST(ten_thousand_fibers_live_at_once),
    TEST(suspended_fiber_can_be_freed),
    TEST(fiber_that_never_ran_can_be_freed),
    TEST(fiber_goes_on_in_another_thread),
    TEST(threads_make_and_free_fibers_at_once),
    TEST(child_of_fork_can_make_fibers),
    TEST(registers_of_both_sides_are_kept),
    TEST(leaf_function_keeps_its_frame),
    TEST(rounding_is_each_sides_own),
    TEST(fiber_begins_with_its_makers_rounding),
    TEST(errno_is_not_touched),
    TEST(library_calls_with_big_frames_work),
    TEST(backtrace_ends_at_the_fibers_start),
    TEST(sizes_are_rounded_to_powers_of_two),
    TEST(stacks_of_one_size_are_used_again),
    TEST(recursion_may_use_the_whole_stack),
    TEST(overflow_hits_the_guard),
    TEST(guards_are_made_where_madvise_cannot),
    TEST(guards_are_made_where_madvise_only_says_so),
    TEST(only_guards_are_guards),
    TEST(idle_fiber_keeps_little_memory),
    TEST(freed_stacks_keep_no_more_than_the_limit),
    TEST(trim_gives_all_free_stacks_back),
    TEST(trim_leaves_stacks_in_use),
    TEST(no_memory_is_an_error_and_no_harm),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("fiber", tests, argc, argv);
}
