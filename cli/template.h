/* SPDX-License-Identifier: MIT */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

/*
 * cli/template.h - the files of cli/new/, as the build has put them into the
 * command. The word MINE stands for the name of an engine, in texts and in
 * names of files.
 */

struct template
{
    const char *kind; // that it is for: "reactor" ...; "": for each
    const char *file; // its name; NULL ends the table
    const char *text;
};

#define TEMPLATE_NAME "MINE"

extern const struct template templates[];

#endif /* CLI_TEMPLATE_H */
