/* SPDX-License-Identifier: MIT */
#ifndef PONI_SWITCH_H
#define PONI_SWITCH_H

/*
 * core/switch.h - leaves one stack and continues another.
 *
 * A side that is not running is one word: where, on its own stack, lies what it
 * needs to go on. Two sides take turns through one such word, which is that of
 * the side that is not running; so to leave and to come back are the same act:
 *
 *     said = poni_switch(&other, say);
 *
 * continues the side in `other`, leaves this one there, and returns when that
 * one, on whichever thread, switches back; the answer is what it said.
 *
 * The switch is reached by a jump out of its caller, not by a call: nobody
 * returns from that call, so every return above it would be predicted wrong.
 * 1000 stacks in turn, each one call deep: 11.5 ns there and back; called, 21.
 *
 * The trap: to the compiler this is a statement, not a call. A function that
 * goes on to use thread-local variables behind it, errno among them, may find
 * those of the thread it has left.
 */

/* -DPONI_SWITCH_UCONTEXT chooses the fallback where it is not needed. */
#if !defined(PONI_SWITCH_UCONTEXT)
#if defined(__x86_64__) && defined(__LP64__)
#define PONI_SWITCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__)
#define PONI_SWITCH_AARCH64
#else
#define PONI_SWITCH_UCONTEXT
#endif
#endif

#ifndef __ASSEMBLER__

/*
 * What to put into `other` so that the first switch to it calls main(arg) on
 * the stack that ends at `top`, a multiple of 16. `main` never returns.
 * Floating point starts out as the caller has it, as in a new thread.
 */
void *poni_switch_prepare(void *top, void (*main)(void *), void *arg);

/*
 * For the compiler the jump is a call that keeps what calls keep: the assembler
 * files save that. It must be told of all the rest.
 */
#if defined(PONI_SWITCH_X86_64)

#ifdef __AVX512F__
#define SWITCH_CLOBBERS_WIDE                                                  \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", \
        "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",        \
        "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define SWITCH_CLOBBERS_WIDE
#endif

static inline __attribute__((always_inline)) int
poni_switch(void **other, int say)
{
    __asm__ volatile("leaq 1f(%%rip), %%rcx\n\t"
                     "jmp poni_switch_stacks\n"
                     "1:"
                     : "+a"(say), "+D"(other)
                     :
                     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "xmm0",
                       "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)",
                       "st(4)", "st(5)", "st(6)", "st(7)", "cc",
                       "memory" SWITCH_CLOBBERS_WIDE);
    return say;
}

#elif defined(PONI_SWITCH_AARCH64)

#ifdef __ARM_FEATURE_SVE
#define SWITCH_CLOBBERS_WIDE                                             \
    , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", \
        "p11", "p12", "p13", "p14", "p15"
#else
#define SWITCH_CLOBBERS_WIDE
#endif

/* Calls keep the low halves of v8 to v15 only; by naming them here the compiler
 * keeps those for its own caller, and the assembler need not. */
static inline __attribute__((always_inline)) int
poni_switch(void **other, int say)
{
    register void **x0 __asm__("x0") = other;
    register int w1 __asm__("w1") = say;

    __asm__ volatile("adr x30, 1f\n\t"
                     "b poni_switch_stacks\n"
                     "1:"
                     : "+r"(x0), "+r"(w1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
                       "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18",
                       "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                       "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
                       "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
                       "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
                       "cc", "memory" SWITCH_CLOBBERS_WIDE);
    return w1;
}

#else

int poni_switch(void **other, int say);

#endif

#endif /* __ASSEMBLER__ */

#endif /* PONI_SWITCH_H */
