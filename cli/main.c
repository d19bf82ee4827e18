/* SPDX-License-Identifier: MIT */
/*
 * cli/main.c - the pons command: finds the subcommand, reads its options by its
 * table, runs it, and sees to it that what it printed has arrived.
 *
 * Exit status: 0; 1 if the work failed; 2 if words or settings are wrong.
 */

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "pons/base.h"
#include "say.h"

static const struct command *const commands[] = {
    &fetch_command,   &serve_command,   &demo_command,  &list_command,
    &explain_command, &inspect_command, &probe_command, &conform_command,
    &bench_command,   &new_command,     NULL,
};

static void
print_usage(FILE *out)
{
    fputs("usage: pons COMMAND [OPTION...] [OPERAND...]\n\n"
          "Synchronous and asynchronous code that call each other, on an I/O "
          "engine and a\nblocking-pool policy chosen when the program "
          "starts.\n\n",
          out);
    for (unsigned i = 0; commands[i]; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("  help       `pons help COMMAND' says more\n\n"
          "  --help     this text\n"
          "  --version  the version\n",
          out);
}

static void
print_help(const struct command *c)
{
    printf("usage: pons %s [OPTION...]%s%s\n\n%s\n\n", c->name,
           *c->operands ? " " : "", c->operands, c->summary);
    if (*c->text)
        printf("%s\n", c->text);
    options_help(c->options, stdout);
}

static const struct command *
find_command(const char *name)
{
    const char *names[sizeof commands / sizeof commands[0] + 1];
    unsigned i;

    for (i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        names[i] = commands[i]->name;
    }
    names[i++] = "help";
    names[i] = NULL;
    say_unknown("", "command", name, "", names);
    return NULL;
}

static int
check_operands(const struct command *c, int count, char **words)
{
    if ((unsigned)count < c->least) {
        say_error("%s: wants %s; `pons help %s' says more", c->name,
                  c->operands, c->name);
        return -EINVAL;
    }
    if ((unsigned)count > c->most) {
        say_error(
            "%s: \"%s\" is one operand too many; `pons help %s' says more",
            c->name, words[c->most], c->name);
        return -EINVAL;
    }
    return 0;
}

/* argv[0] is the subcommand's name. */
static int
run_command(const struct command *c, int argc, char **argv)
{
    void *values = calloc(1, c->values_size);
    int status = STATUS_USAGE;
    int count = 0;

    if (!values) {
        say_error("%s", strerror(ENOMEM));
        return STATUS_FAILED;
    }
    switch (options_read(c->options, c->name, values, argc, argv, &count)) {
    case OPTIONS_HELP:
        print_help(c);
        status = STATUS_OK;
        break;
    case OPTIONS_READ:
        if (check_operands(c, count, argv) == 0)
            status = c->run(values, count, argv);
        break;
    case OPTIONS_WRONG:
        break;
    }
    free(values);
    return status;
}

static int
run_help(int argc, char **argv)
{
    const struct command *c;

    if (argc < 2 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return STATUS_OK;
    }
    c = find_command(argv[1]);
    if (!c)
        return STATUS_USAGE;
    print_help(c);
    return STATUS_OK;
}

static int
dispatch(int argc, char **argv)
{
    const struct command *c;

    if (argc < 2) {
        print_usage(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("pons %s (%s)\n", PONS_VERSION, curl_version());
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return run_help(argc - 1, argv + 1);
    c = find_command(argv[1]);
    return c ? run_command(c, argc - 1, argv + 1) : STATUS_USAGE;
}

/* NULL if all that was printed has arrived. Of an earlier write that failed the
 * reason is gone: another one, of a byte, finds it again. */
static const char *
output_lost(void)
{
    if (fflush(stdout) != 0)
        return strerror(errno);
    if (!ferror(stdout))
        return NULL;
    clearerr(stdout);
    if (putchar('\n') == EOF || fflush(stdout) != 0)
        return strerror(errno);
    return "a part of it is lost";
}

/* A descriptor that is opened later is not to be taken for standard input or
 * output. Each in the mode that it is not used in: to use it is an error still.
 */
static void
fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return; // there is no /dev/null
}

int
main(int argc, char **argv)
{
    const char *lost;
    int status;

    fill_standard_descriptors();
    /* Whoever ignores it keeps us from waiting for our children. */
    signal(SIGCHLD, SIG_DFL);
    /* A file-size limit is an error of the write, and not our end. */
    signal(SIGXFSZ, SIG_IGN);
    status = dispatch(argc, argv);
    lost = output_lost();
    if (lost != NULL) {
        say_error("cannot write the output: %s", lost);
        return STATUS_FAILED;
    }
    return status;
}
