/* SPDX-License-Identifier: MIT */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

/*
 * cli/interrupt.h - SIGINT, SIGTERM and SIGHUP as a descriptor to wait for.
 */

/*
 * From now on they end nothing: the descriptor becomes readable instead.
 * Call it before the first thread is made, for threads inherit the mask. The
 * caller owns the descriptor; -errno. SIGHUP stays ignored where it was
 * (nohup).
 */
int interrupt_open(void);

/*
 * Closes it: what has come is forgotten, and from now on SIGINT and SIGTERM end
 * the process again. SIGHUP does not, for it comes more than once: from the
 * terminal, and from the shell.
 */
void interrupt_close(int fd);

/* Whether one has come. Takes none: whoever waits will still see it. */
int interrupt_came(int fd);

#endif /* CLI_INTERRUPT_H */
