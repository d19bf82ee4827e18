/* SPDX-License-Identifier: MIT */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

/*
 * cli/options.h - the options of a subcommand: one typed table, from which
 * parsing, checking and the help text come.
 *
 *     static const struct option options[] = {
 *         {'j', "jobs", "N", OPTION_NUMBER, offsetof(struct fetch, jobs), 1,
 *          1000, "at most N transfers at once (default 64)"},
 *         {0},
 *     };
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_FLAG = 1, // int, set to 1
    OPTION_NUMBER,   // uint64_t; least and most count
    OPTION_DURATION, // uint64_t in ns; least and most count, in ns
    OPTION_TEXT,     // const char *, not empty
    OPTION_REST,     // char **: this word and all that follow, to a NULL
};

struct option {
    char letter;       // 0: none
    const char *name;  // without "--"; NULL ends the table
    const char *value; // what the help calls its value; NULL for flags
    enum option_type type;
    size_t place; // offset in the struct that options_read() fills
    uint64_t least, most;
    const char *help;
};

enum options_found {
    OPTIONS_READ = 0,
    OPTIONS_HELP = 1,   // --help or -h was among them
    OPTIONS_WRONG = -1, // said on stderr what, and what is allowed
};

/*
 * Reads argv[1..] into `out`. The operands are moved to the front of argv and
 * `*operands` is how many; options may stand between them, "--" ends them.
 */
enum options_found options_read(const struct option *table, const char *command,
                                void *out, int argc, char **argv,
                                int *operands);

/* The lines of --help about `table`. */
void options_help(const struct option *table, FILE *out);

#endif /* CLI_OPTIONS_H */
