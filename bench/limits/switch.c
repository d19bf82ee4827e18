/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/switch.c - the floor under fibers: two bare assembler switches,
 * there and back.
 *
 * Nothing of Pons is in it. "bare switch" keeps what the ABI says that a call
 * keeps: the integer registers and the floating point controls; "integers"
 * leaves the latter out, which is against the ABI and the least that could run
 * at all. Both end in a jump, which is faster than `ret` (measured: 16 ns there
 * and back instead of 5). There are two stacks, or one goes round a thousand,
 * each of which costs the cache what a fiber costs it.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "bench.h"

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
    PAIRS = 5000000,
    PARTNERS = 1000,     // where it goes round
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

static void
go_round(void **sides[], unsigned partners, bare_switch_f *how, uint64_t rounds)
{
    for (uint64_t round = 0; round < rounds; round++)
        for (unsigned i = 0; i < partners; i++)
            how(sides[i]);
}

static void
measure(struct bench_run *r, unsigned partners, bare_switch_f *how)
{
    static void **sides[PARTNERS];
    uint64_t rounds = bench_ops(r, PAIRS) / partners;
    size_t bytes = (size_t)partners * STACK_BYTES;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    bench_must(memory != MAP_FAILED, "mmap");
    (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < partners; i++)
        sides[i] = partner_start(
            memory + (i + 1) * (size_t)STACK_BYTES - i % 16 * LINE, how);
    go_round(sides, partners, how, 1); // warms up
    bench_start(r);
    go_round(sides, partners, how, rounds);
    bench_stop(r, rounds * partners);
    munmap(memory, bytes);
}

static void
bare(struct bench_run *r)
{
    measure(r, 1, bare_switch);
}

static void
bare_integers(struct bench_run *r)
{
    measure(r, 1, bare_switch_integers);
}

static void
thousand(struct bench_run *r)
{
    measure(r, PARTNERS, bare_switch);
}

static void
thousand_integers(struct bench_run *r)
{
    measure(r, PARTNERS, bare_switch_integers);
}

/* The same words for all; each is a subject with one case. */
#define SWITCH_WORKLOAD(noun, title, stacks)                                  \
    static const struct bench_case noun##_cases[] = {                         \
        {.name = "fibers", .run = noun},                                      \
        {0},                                                                  \
    };                                                                        \
    static const struct bench_workload noun##_workload = {                    \
        .name = "yield",                                                      \
        .subject = title,                                                     \
        .measures = "going to another stack and back",                        \
        .how = "assembler keeps the registers and changes stacks: a pair of " \
               "switches, " stacks,                                           \
        .silent = "a scheduler that chooses where to go",                     \
        .cases = noun##_cases,                                                \
    }

SWITCH_WORKLOAD(bare, "bare switch", "between two stacks");
SWITCH_WORKLOAD(bare_integers, "bare switch, integers",
                "between two stacks, without the floating point controls");
SWITCH_WORKLOAD(thousand, "bare switch, 1000 stacks", "one stack with 1000");
SWITCH_WORKLOAD(thousand_integers, "bare switch, 1000 stacks, integers",
                "one stack with 1000, without the floating point controls");

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){
            &bare_workload, &bare_integers_workload, &thousand_workload,
            &thousand_integers_workload, NULL},
        argc, argv);
}
