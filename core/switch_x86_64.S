/* SPDX-License-Identifier: MIT */
/*
 * core/switch_x86_64.S - core/switch.h for the System V ABI of x86-64.
 *
 * Saved, from low to high, where the word of the side points:
 *
 *     0 mxcsr, 4 x87 control word, 8 r15, r14, r13, r12, rbx, rbp,
 *     56 where to go on, 64 the red zone of who left
 *
 * Who left is a function that the compiler may have taken for a leaf, so its red
 * zone is stepped over. The end is a jump through a register, not a `ret`: the
 * processor would look for its target on the return stack, where it never is (16
 * ns there and back instead of 5, for the integer registers alone).
 *
 * The two floating point controls are the callee's to keep, by the ABI. stmxcsr
 * takes 4 ns, which hide behind the cache misses of many stacks: 1000 in turn
 * cost 1 ns more each. To save it only when the x87 word differs (<fenv.h>
 * changes both) was faster on one stack, and wrong for _mm_setcsr(). To load it
 * only when it differs was slower: the comparison waits for stmxcsr.
 */

#include "switch.h"

#ifdef PONI_SWITCH_X86_64

    .text
    .p2align 4
    .globl poni_switch_stacks
    .hidden poni_switch_stacks
    .type poni_switch_stacks, @function

/* rdi: the word, eax: what to say, rcx: where to go on. */
poni_switch_stacks:
    .cfi_startproc
    .cfi_def_cfa_offset 0
    .cfi_register rip, rcx
    addq $-128, %rsp
    .cfi_adjust_cfa_offset 128
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rip, 0
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    fnstcw 4(%rsp)

    movq (%rdi), %rdx
    movq %rsp, (%rdi)
    movq %rdx, %rsp

    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_same_value r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_same_value r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_same_value r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_same_value r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_same_value rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_same_value rbp
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    subq $-128, %rsp
    .cfi_adjust_cfa_offset -128
    jmp *%rcx
    .cfi_endproc
    .size poni_switch_stacks, . - poni_switch_stacks

    .p2align 4
    .type switch_start, @function

/* The first switch to a side comes here. Nobody called: unwinding ends, for
 * valgrind at the zero that it finds instead of a return address. */
    .cfi_startproc
    .cfi_undefined rip
    nop // unwinders look up the address before the one to go on at
switch_start:
    movq %rbx, %rdi
    call *%r12
    ud2
    .cfi_endproc
    .size switch_start, . - switch_start

    .p2align 4
    .globl poni_switch_prepare
    .hidden poni_switch_prepare
    .type poni_switch_prepare, @function

/* rdi: top, rsi: main, rdx: arg. */
poni_switch_prepare:
    .cfi_startproc
    leaq -208(%rdi), %rax
    leaq switch_start(%rip), %rcx
    stmxcsr (%rax)
    fnstcw 4(%rax)
    movq %rsi, 32(%rax)
    movq %rdx, 40(%rax)
    movq $0, 48(%rax)
    movq %rcx, 56(%rax)
    movq $0, 192(%rax)
    ret
    .cfi_endproc
    .size poni_switch_prepare, . - poni_switch_prepare

#endif /* PONI_SWITCH_X86_64 */

    .section .note.GNU-stack, "", %progbits
