/* SPDX-License-Identifier: MIT */
/*
 * core/switch_aarch64.S - core/switch.h for the procedure call standard of
 * aarch64.
 *
 * Saved, from low to high, where the word of the side points:
 *
 *     0 x19 to x28, 80 x29, 88 where to go on (x30), 96 fpcr
 *
 * There is no red zone, and the compiler keeps d8 to d15 (core/switch.h). The
 * end is a plain branch: `ret` would look for its target on the return stack.
 * fpcr is written only when it differs: to write it may drain the pipeline.
 */

#include "switch.h"

#ifdef PONI_SWITCH_AARCH64

    .text
    .p2align 4
    .globl poni_switch_stacks
    .hidden poni_switch_stacks
    .type poni_switch_stacks, %function

/* x0: the word, w1: what to say, x30: where to go on. */
poni_switch_stacks:
    .cfi_startproc
    sub sp, sp, #112
    .cfi_def_cfa_offset 112
    stp x19, x20, [sp, #0]
    .cfi_rel_offset x19, 0
    .cfi_rel_offset x20, 8
    stp x21, x22, [sp, #16]
    .cfi_rel_offset x21, 16
    .cfi_rel_offset x22, 24
    stp x23, x24, [sp, #32]
    .cfi_rel_offset x23, 32
    .cfi_rel_offset x24, 40
    stp x25, x26, [sp, #48]
    .cfi_rel_offset x25, 48
    .cfi_rel_offset x26, 56
    stp x27, x28, [sp, #64]
    .cfi_rel_offset x27, 64
    .cfi_rel_offset x28, 72
    stp x29, x30, [sp, #80]
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    mrs x9, fpcr
    str x9, [sp, #96]

    ldr x10, [x0]
    mov x11, sp
    str x11, [x0]
    mov sp, x10

    ldr x10, [sp, #96]
    cmp x9, x10
    b.eq 1f
    msr fpcr, x10
1:
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    add sp, sp, #112
    .cfi_def_cfa_offset 0
    .cfi_same_value x19
    .cfi_same_value x20
    .cfi_same_value x21
    .cfi_same_value x22
    .cfi_same_value x23
    .cfi_same_value x24
    .cfi_same_value x25
    .cfi_same_value x26
    .cfi_same_value x27
    .cfi_same_value x28
    .cfi_same_value x29
    .cfi_same_value x30
    br x30
    .cfi_endproc
    .size poni_switch_stacks, . - poni_switch_stacks

    .p2align 4
    .type switch_start, %function

/* The first switch to a side comes here. Nobody called: unwinding ends. */
    .cfi_startproc
    .cfi_undefined x30
    nop // unwinders look up the address before the one to go on at
switch_start:
    mov x0, x19
    blr x20
    brk #0
    .cfi_endproc
    .size switch_start, . - switch_start

    .p2align 4
    .globl poni_switch_prepare
    .hidden poni_switch_prepare
    .type poni_switch_prepare, %function

/* x0: top, x1: main, x2: arg. */
poni_switch_prepare:
    .cfi_startproc
    sub x0, x0, #112
    adr x9, switch_start
    mrs x10, fpcr
    stp x2, x1, [x0, #0]
    stp xzr, x9, [x0, #80]
    str x10, [x0, #96]
    ret
    .cfi_endproc
    .size poni_switch_prepare, . - poni_switch_prepare

#endif /* PONI_SWITCH_AARCH64 */

    .section .note.GNU-stack, "", %progbits
