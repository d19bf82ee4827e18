/* SPDX-License-Identifier: MIT */
#ifndef CLI_DESCRIPTORS_H
#define CLI_DESCRIPTORS_H

/*
 * cli/descriptors.h - as many open files as this process may have.
 *
 * The soft limit is 1024 for the sake of select(2), which is not used here;
 * each transfer and each client takes one or two.
 */

void descriptors_allow_all(void);

#endif /* CLI_DESCRIPTORS_H */
