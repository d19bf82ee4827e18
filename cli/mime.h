/* SPDX-License-Identifier: MIT */
#ifndef CLI_MIME_H
#define CLI_MIME_H

/*
 * cli/mime.h - the content type of a file, by its name. Static; never NULL.
 */

const char *mime_type(const char *name);

#endif /* CLI_MIME_H */
