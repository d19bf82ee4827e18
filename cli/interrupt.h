/* SPDX-License-Identifier: MIT */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

/*
 * cli/interrupt.h - SIGINT and SIGTERM as a descriptor to wait for.
 */

/*
 * From now on the two end nothing: the descriptor becomes readable instead.
 * Call it before the first thread is made, for threads inherit the mask. The
 * caller owns the descriptor; -errno.
 */
int interrupt_open(void);

/* Whether one has come. Takes none: whoever waits will still see it. */
int interrupt_came(int fd);

#endif /* CLI_INTERRUPT_H */
