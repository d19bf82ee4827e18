/* SPDX-License-Identifier: MIT */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/*
 * cli/command.h - what a subcommand of `pons` is. Its file defines one; main.c
 * has the list.
 */

#include "options.h"

struct command {
    const char *name;
    const char *operands; // as in the usage line; "" for none
    const char *summary;  // one line
    const char *text;     // more, for --help; lines, or ""
    const struct option *options;
    size_t values_size;   // of the struct that `options` fill
    unsigned least, most; // how many operands

    /* `values` is what the options filled, zeroed before. An exit status. */
    int (*run)(void *values, int count, char **operands);
};

extern const struct command fetch_command, serve_command, demo_command,
    list_command, explain_command, bench_command, conform_command,
    inspect_command, probe_command, new_command;

#endif /* CLI_COMMAND_H */
