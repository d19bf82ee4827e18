/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/switch.c - the floor under fibers: two bare assembler switches,
 * there and back.
 *
 * Nothing of Pons is in it. `bare` keeps what the ABI says that a call keeps:
 * the integer registers and the floating point controls; `bare-integers` leaves
 * the latter out, which is against the ABI and the least that could run at all.
 * Both end in a jump, which is faster than `ret` (measured: 16 ns there and
 * back instead of 5). Workload `switch` has two stacks; `switch-1000` goes
 * round a thousand, each of which costs the cache what a fiber costs it.
 *
 *     limit-switch [--repeat N]
 *
 * One line of JSON for each, a value per repetition: ns of a pair of switches.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef void bare_switch_f(void **other);

bare_switch_f bare_switch, bare_switch_integers;

/*
 * frame_new: what a stack that has not run yet needs below `top`, a multiple of
 * 64, for `how` to begin with `start` there.
 */
#if defined(__x86_64__)

__asm__(".macro bare_registers_save\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n"
        "    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        ".endm\n"
        ".macro bare_stacks_swap\n"
        "    movq (%rdi), %rax\n    movq %rsp, (%rdi)\n    movq %rax, %rsp\n"
        ".endm\n"
        ".macro bare_registers_restore\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n"
        "    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    popq %rcx\n    jmp *%rcx\n"
        ".endm\n"
        "    .text\n"
        "    .p2align 4\n"
        "    .globl bare_switch\n"
        "bare_switch:\n"
        "    bare_registers_save\n"
        "    subq $8, %rsp\n    stmxcsr (%rsp)\n    fnstcw 4(%rsp)\n"
        "    bare_stacks_swap\n"
        "    ldmxcsr (%rsp)\n    fldcw 4(%rsp)\n    addq $8, %rsp\n"
        "    bare_registers_restore\n"
        "    .p2align 4\n"
        "    .globl bare_switch_integers\n"
        "bare_switch_integers:\n"
        "    bare_registers_save\n"
        "    bare_stacks_swap\n"
        "    bare_registers_restore\n");

static uint64_t *
frame_new(void *top, bare_switch_f *how, void (*start)(void))
{
    /* `start` finds the stack as if it had been called: 8 beside a multiple of
     * 16. */
    uint64_t *after = (uint64_t *)top - 1;
    uint32_t mxcsr;
    uint16_t control;

    after[-1] = (uintptr_t)start;
    if (how == bare_switch_integers)
        return after - 7;
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
    after[-8] = mxcsr | (uint64_t)control << 32;
    return after - 8;
}

#elif defined(__aarch64__)

__asm__(".macro bare_pairs op\n"
        "    \\op x19, x20, [sp, #0]\n    \\op x21, x22, [sp, #16]\n"
        "    \\op x23, x24, [sp, #32]\n    \\op x25, x26, [sp, #48]\n"
        "    \\op x27, x28, [sp, #64]\n    \\op x29, x30, [sp, #80]\n"
        "    \\op d8, d9, [sp, #96]\n    \\op d10, d11, [sp, #112]\n"
        "    \\op d12, d13, [sp, #128]\n    \\op d14, d15, [sp, #144]\n"
        ".endm\n"
        ".macro bare_stacks_swap\n"
        "    ldr x10, [x0]\n    mov x11, sp\n    str x11, [x0]\n"
        "    mov sp, x10\n"
        ".endm\n"
        "    .text\n"
        "    .p2align 4\n"
        "    .globl bare_switch\n"
        "bare_switch:\n"
        "    sub sp, sp, #176\n    bare_pairs stp\n"
        "    mrs x9, fpcr\n    str x9, [sp, #160]\n"
        "    bare_stacks_swap\n"
        "    ldr x9, [sp, #160]\n    msr fpcr, x9\n"
        "    bare_pairs ldp\n    add sp, sp, #176\n    br x30\n"
        "    .p2align 4\n"
        "    .globl bare_switch_integers\n"
        "bare_switch_integers:\n"
        "    sub sp, sp, #176\n    bare_pairs stp\n"
        "    bare_stacks_swap\n"
        "    bare_pairs ldp\n    add sp, sp, #176\n    br x30\n");

static uint64_t *
frame_new(void *top, bare_switch_f *how, void (*start)(void))
{
    uint64_t *frame = (uint64_t *)top - 22;

    (void)how;
    frame[11] = (uintptr_t)start; // x30
    __asm__("mrs %0, fpcr" : "=r"(frame[20]));
    return frame;
}

#else
#error "no assembler switch for this processor: do not build this floor"
#endif

enum {
    REPEAT = 21,         // odd, for a median
    PAIRS = 1000000,     // each repetition
    PARTNERS = 1000,     // stacks of switch-1000
    STACK_BYTES = 20480, // not a power of two, for the caches
    LINE = 64, // stacks are shifted by up to 15 of them against each other
};

static struct {
    void *side; // of the partner while it waits, of main while it runs
    char pad[LINE - sizeof(void *)]; // its own cache line, as in a fiber
} * starting;

static void
answer(void)
{
    void **side = &starting->side;

    for (;;)
        bare_switch(side);
}

static void
answer_integers(void)
{
    void **side = &starting->side;

    for (;;)
        bare_switch_integers(side);
}

/* A partner, at the top of its stack, that has been switched to once. */
static void **
partner_start(char *top, bare_switch_f *how)
{
    starting = (void *)(top - sizeof *starting);
    starting->side =
        frame_new(starting, how, how == bare_switch ? answer : answer_integers);
    how(&starting->side);
    return &starting->side;
}

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ns of a pair. */
static double
go_round(void **sides[], unsigned partners, bare_switch_f *how)
{
    unsigned rounds = PAIRS / partners;
    uint64_t start = now_ns();

    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < partners; i++)
            how(sides[i]);
    return (double)(now_ns() - start) / (rounds * partners);
}

static void
measure(const char *workload, unsigned partners, const char *subject,
        bare_switch_f *how, unsigned repeat)
{
    static void **sides[PARTNERS];
    size_t bytes = (size_t)partners * STACK_BYTES;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < partners; i++)
        sides[i] = partner_start(
            memory + (i + 1) * (size_t)STACK_BYTES - i % 16 * LINE, how);
    go_round(sides, partners, how); // warms up
    printf("{\"workload\":\"%s\",\"subject\":\"%s\",\"metric\":\"wall\","
           "\"unit\":\"ns\",\"values\":[",
           workload, subject);
    for (unsigned i = 0; i < repeat; i++)
        printf("%s%.3f", i == 0 ? "" : ",", go_round(sides, partners, how));
    printf("]}\n");
    munmap(memory, bytes);
}

int
main(int argc, char **argv)
{
    unsigned repeat = REPEAT;

    if (argc == 3 && strcmp(argv[1], "--repeat") == 0)
        repeat = (unsigned)strtoul(argv[2], NULL, 10);
    if (repeat == 0 || (argc != 1 && argc != 3)) {
        fprintf(stderr, "usage: %s [--repeat N]\n", argv[0]);
        return 2;
    }
    measure("switch", 1, "bare", bare_switch, repeat);
    measure("switch", 1, "bare-integers", bare_switch_integers, repeat);
    measure("switch-1000", PARTNERS, "bare", bare_switch, repeat);
    measure("switch-1000", PARTNERS, "bare-integers", bare_switch_integers,
            repeat);
    return 0;
}
