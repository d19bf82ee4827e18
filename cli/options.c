/* SPDX-License-Identifier: MIT */
/*
 * cli/options.c - reads a subcommand's options by its table.
 *
 * getopt_long() completes abbreviations and has words of its own for what is
 * wrong; here nothing is guessed, and an error names the word, what is allowed
 * and the nearest match.
 */

#include "options.h"

#include <errno.h>
#include <string.h>

#include "core/settings.h"
#include "say.h"

enum {
    OPTION_NAMES_MAX = 32
}; // of one subcommand; more would not fit a screen

struct reading {
    const struct option *table;
    const char *command;
    void *out;
    int argc;
    char **argv;
    int next; // the word to look at
};

static enum options_found
unknown(const struct reading *r, const char *word)
{
    const char *names[OPTION_NAMES_MAX + 2];
    unsigned count = 0;

    for (const struct option *o = r->table; o->name; o++)
        if (count < OPTION_NAMES_MAX)
            names[count++] = o->name;
    names[count++] = "help";
    names[count] = NULL;
    say_unknown(r->command, "option", word, "--", names);
    return OPTIONS_WRONG;
}

static int
store_number(const struct reading *r, const struct option *o, const char *text)
{
    uint64_t *out = (uint64_t *)(void *)((char *)r->out + o->place);
    uint64_t n;

    if (poni_number_parse(text, &n) < 0 || n < o->least || n > o->most) {
        say_error("%s: --%s wants a number from %llu to %llu, not \"%s\"",
                  r->command, o->name, (unsigned long long)o->least,
                  (unsigned long long)o->most, text);
        return -EINVAL;
    }
    *out = n;
    return 0;
}

static int
store_duration(const struct reading *r, const struct option *o,
               const char *text)
{
    uint64_t *out = (uint64_t *)(void *)((char *)r->out + o->place);
    uint64_t ns;

    if (poni_duration_parse(text, &ns) < 0) {
        say_error("%s: --%s wants a duration with its unit (100ns, 500us, "
                  "20ms, 5s, 2m), not \"%s\"",
                  r->command, o->name, text);
        return -EINVAL;
    }
    if (ns < o->least || ns > o->most) {
        char least[32], most[32];

        poni_duration_write(least, sizeof least, o->least);
        poni_duration_write(most, sizeof most, o->most);
        say_error("%s: --%s wants a duration from %s to %s, not \"%s\"",
                  r->command, o->name, least, most, text);
        return -EINVAL;
    }
    *out = ns;
    return 0;
}

static int
store_text(const struct reading *r, const struct option *o, const char *text)
{
    const char **out = (const char **)(void *)((char *)r->out + o->place);

    if (*text == '\0') {
        say_error("%s: --%s wants a %s, not an empty word", r->command, o->name,
                  o->value);
        return -EINVAL;
    }
    *out = text;
    return 0;
}

/* argv ends with NULL. */
static enum options_found
store_rest(struct reading *r, const struct option *o, const char *text)
{
    if (text || r->next == r->argc) {
        say_error("%s: --%s wants words: --%s %s", r->command, o->name, o->name,
                  o->value);
        return OPTIONS_WRONG;
    }
    *(char ***)(void *)((char *)r->out + o->place) = r->argv + r->next;
    r->next = r->argc;
    return OPTIONS_READ;
}

/* `text` NULL: the value is the next word. */
static enum options_found
store(struct reading *r, const struct option *o, const char *text)
{
    int err = 0;

    if (o->type == OPTION_REST)
        return store_rest(r, o, text);
    if (o->type == OPTION_FLAG) {
        if (text) {
            say_error("%s: --%s takes no value", r->command, o->name);
            return OPTIONS_WRONG;
        }
        *(int *)(void *)((char *)r->out + o->place) = 1;
        return OPTIONS_READ;
    }
    if (!text && r->next < r->argc)
        text = r->argv[r->next++];
    if (!text) {
        say_error("%s: --%s wants a value: --%s %s", r->command, o->name,
                  o->name, o->value);
        return OPTIONS_WRONG;
    }
    switch (o->type) {
    case OPTION_NUMBER:
        err = store_number(r, o, text);
        break;
    case OPTION_DURATION:
        err = store_duration(r, o, text);
        break;
    case OPTION_FLAG:
    case OPTION_REST:
    case OPTION_TEXT:
        err = store_text(r, o, text);
        break;
    }
    return err < 0 ? OPTIONS_WRONG : OPTIONS_READ;
}

static enum options_found
read_long(struct reading *r, char *word)
{
    const char *name = word + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);

    if (strcmp(name, "help") == 0)
        return OPTIONS_HELP;
    for (const struct option *o = r->table; o->name; o++)
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0)
            return store(r, o, equals ? equals + 1 : NULL);
    word[2 + length] = '\0'; // the value is not what is wrong
    return unknown(r, word);
}

/* "-n", "-nVALUE" or "-n VALUE". Flags are not bundled. */
static enum options_found
read_short(struct reading *r, char *word)
{
    if (strcmp(word, "-h") == 0)
        return OPTIONS_HELP;
    for (const struct option *o = r->table; o->name; o++)
        if (o->letter == word[1] && (o->type != OPTION_FLAG || word[2] == '\0'))
            return store(r, o, word[2] ? word + 2 : NULL);
    return unknown(r, word);
}

enum options_found
options_read(const struct option *table, const char *command, void *out,
             int argc, char **argv, int *operands)
{
    struct reading r = {.table = table,
                        .command = command,
                        .out = out,
                        .argc = argc,
                        .argv = argv,
                        .next = 1};
    int kept = 0;

    while (r.next < argc) {
        char *word = argv[r.next++];
        enum options_found found = OPTIONS_READ;

        if (strcmp(word, "--") == 0)
            break;
        if (word[0] == '-' && word[1] == '-')
            found = read_long(&r, word);
        else if (word[0] == '-' && word[1])
            found = read_short(&r, word);
        else
            argv[kept++] = word;
        if (found != OPTIONS_READ)
            return found;
    }
    while (r.next < argc)
        argv[kept++] = argv[r.next++];
    *operands = kept;
    return OPTIONS_READ;
}

void
options_help(const struct option *table, FILE *out)
{
    for (const struct option *o = table; o->name; o++) {
        char left[64];

        snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->value ? " " : "", o->value ? o->value : "");
        fprintf(out, "  %-26s %s\n", left, o->help);
    }
    fprintf(out, "  %-26s %s\n", "-h, --help", "this text");
}
