/* SPDX-License-Identifier: MIT */
/*
 * cli/inspect.c - `pons inspect FILE`: what a plugin's file says, what it is,
 * and whether Pons would take it. No code of it runs.
 *
 * The file's words may be meant for the reader's terminal, or to look like
 * ours: what is not plain is replaced before it is printed.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "inspection.h"
#include "say.h"
#include "word.h"

struct inspect_values {
    int json;
};

static const struct option inspect_options[] = {
    {0, "json", NULL, OPTION_FLAG, offsetof(struct inspect_values, json), 0, 0,
     "as JSON"},
    {0},
};

/* ---- in words ---- */

/* "x86-64", or the number that stands in the file. */
static void
print_named(const char *name, const char *what, unsigned number)
{
    if (name)
        fputs(name, stdout);
    else
        printf("%s %u", what, number);
}

/* NULL: neither big nor little. */
static const char *
order_words(int big_endian)
{
    return big_endian < 0 ? NULL : big_endian ? "big" : "little";
}

static void
print_file(const struct inspection *i)
{
    const struct poni_elf_identity *e = &i->elf;

    if (i->depth == INSPECTION_NOTHING)
        return;
    fputs("  file     ", stdout);
    if (i->depth >= INSPECTION_ELF) {
        print_named(e->type_name, "ELF type", e->type);
        fputs(" for ", stdout);
        print_named(e->machine_name, "machine", e->machine);
        fputs(", ", stdout);
        if (e->bits > 0)
            printf("%u-bit, ", e->bits);
        if (order_words(e->big_endian))
            printf("%s-endian, ", order_words(e->big_endian));
    }
    printf("%llu bytes\n", (unsigned long long)i->size);
}

static void
print_note(const struct inspection *i)
{
    const struct pons_note *n = &i->note.raw;

    if (!i->noted) {
        printf("  plugin   no: %s\n", word_plain(i->unnoted.text).text);
        return;
    }
    printf("  plugin   %s %s, licence %s, ABI %u.%u to %u.%u (this is %u.%u)\n",
           n->name, n->version, n->licence, n->abi_min >> 16,
           n->abi_min & 0xffff, n->abi_max >> 16, n->abi_max & 0xffff,
           PONS_ABI_MAJOR, PONS_ABI_MINOR);
    for (unsigned k = 0; k < i->note.engine_count; k++)
        printf("  engine   %s %s\n", poni_kind_name(i->note.engines[k].kind),
               i->note.engines[k].name);
}

static void
print_needed(const struct inspection *i)
{
    for (unsigned k = 0; k < i->needed.count; k++) {
        const struct needed_library *l = &i->needed.libraries[k];

        printf("  needs    %s", word_plain(l->name).text);
        if (!l->path)
            fputs(": not found", stdout);
        else if (strcmp(l->path, l->name) != 0)
            printf(": %s", word_plain(l->path).text);
        putchar('\n');
    }
    if (i->needed.left_out > 0)
        printf("  needs    and %u more\n", i->needed.left_out);
}

static void
print_verdict(const char *what, const struct pons_reason *against)
{
    printf("  %-8s %s%s\n", what, *against->text ? "no: " : "yes",
           word_plain(against->text).text);
}

static void
print_inspection(const struct inspection *i, const char *path)
{
    say_plain(stdout, path);
    putchar('\n');
    print_file(i);
    if (i->depth >= INSPECTION_ELF) {
        print_note(i);
        print_needed(i);
        print_verdict("loads", &i->loader);
    }
    print_verdict("taken", &i->pons);
    if (i->noted && *i->pons.text == '\0')
        puts("\nOptions and capabilities stand in its tables, which only its "
             "code hands over:\n`pons list FILE' and `pons probe FILE' run "
             "it.");
}

/* ---- as JSON ---- */

static json_t *
elf_json(const struct inspection *i)
{
    const struct poni_elf_identity *e = &i->elf;

    if (i->depth < INSPECTION_ELF)
        return json_null();
    return json_pack("{s:o, s:o, s:i, s:o, s:i, s:o}", "bits",
                     e->bits > 0 ? json_integer(e->bits) : json_null(),
                     "byte_order", word_json(order_words(e->big_endian)),
                     "machine", (int)e->machine, "machine_name",
                     word_json(e->machine_name), "type", (int)e->type,
                     "type_name", word_json(e->type_name));
}

static json_t *
abi_json(uint32_t abi)
{
    char text[32];

    snprintf(text, sizeof text, "%u.%u", abi >> 16, abi & 0xffff);
    return json_string(text);
}

static json_t *
note_json(const struct inspection *i)
{
    const struct pons_note *n = &i->note.raw;
    json_t *engines;

    if (!i->noted)
        return json_null();
    engines = json_array();
    for (unsigned k = 0; k < i->note.engine_count; k++)
        json_array_append_new(engines,
                              json_pack("{s:s, s:s}", "kind",
                                        poni_kind_name(i->note.engines[k].kind),
                                        "name", i->note.engines[k].name));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", n->name,
                     "version", n->version, "licence", n->licence, "abi_min",
                     abi_json(n->abi_min), "abi_max", abi_json(n->abi_max),
                     "engines", engines);
}

static json_t *
needed_json(const struct inspection *i)
{
    json_t *array = json_array();

    for (unsigned k = 0; k < i->needed.count; k++) {
        const struct needed_library *l = &i->needed.libraries[k];

        json_array_append_new(array, json_pack("{s:o, s:o}", "name",
                                               word_json(l->name), "path",
                                               word_json(l->path)));
    }
    return array;
}

static void
print_json(const struct inspection *i, const char *path)
{
    json_t *name = json_string(path); // NULL: not UTF-8
    json_t *all = json_pack(
        "{s:o, s:I, s:o, s:o, s:o, s:o, s:i, s:b, s:o, s:b, s:o}", "path",
        name ? name : word_json(path), "size", (json_int_t)i->size, "elf",
        elf_json(i), "plugin", note_json(i), "why_no_plugin",
        word_json(i->unnoted.text), "needs", needed_json(i), "needs_left_out",
        (int)i->needed.left_out, "loads", *i->loader.text == '\0',
        "why_not_loaded", word_json(i->loader.text), "taken",
        *i->pons.text == '\0', "why_not_taken", word_json(i->pons.text));

    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static int
inspect_run(void *values, int count, char **operands)
{
    const struct inspect_values *v = values;
    struct inspection *i = calloc(1, sizeof *i);
    int status = STATUS_FAILED;

    (void)count;
    if (!i || inspection_open(i, operands[0]) < 0) {
        say_error("inspect: out of memory");
        goto close_inspection;
    }
    if (v->json)
        print_json(i, operands[0]);
    else
        print_inspection(i, operands[0]);
    status = *i->pons.text == '\0' ? STATUS_OK : STATUS_FAILED;
close_inspection:
    if (i)
        inspection_close(i);
    free(i);
    return status;
}

const struct command inspect_command = {
    .name = "inspect",
    .operands = "FILE",
    .summary = "what a plugin's file says and is; runs no code of it",
    .text =
        "Plugin, ABI, engines; machine; the libraries that it needs, and where "
        "they are;\nwhether this system can load it, and whether Pons would "
        "take it, or why not.\nThe file may be anything. The exit status is 1 "
        "if Pons would not take it.\n",
    .options = inspect_options,
    .values_size = sizeof(struct inspect_values),
    .least = 1,
    .most = 1,
    .run = inspect_run,
};
