/* SPDX-License-Identifier: MIT */
#ifndef PONI_STACK_REPORT_H
#define PONI_STACK_REPORT_H

/*
 * core/stack_report.h - pons_stack_report(): a worker's part of it.
 */

/* A thread that will run fibers begins, or ends. Nothing unless asked for. */
void poni_stack_report_enter(void);
void poni_stack_report_leave(void);

#endif /* PONI_STACK_REPORT_H */
