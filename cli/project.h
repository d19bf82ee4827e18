/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

/*
 * cli/project.h - a folder made of templates (cli/template.h), whole or not at
 * all.
 */

/*
 * Makes the folder `dir`, which must not be there, for an engine of that kind
 * and name. How many files; or -errno, said on stderr, and nothing is left;
 * -EINTR: SIGINT, SIGTERM or SIGHUP came.
 */
int project_make(const char *dir, const char *kind, const char *name);

#endif /* CLI_PROJECT_H */
