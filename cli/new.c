/* SPDX-License-Identifier: MIT */
/*
 * cli/new.c - `pons new KIND NAME [DIR]`: a project for an engine of one's own.
 *
 * The name is part of identifiers, of file names and of settings, so that it
 * has to be good for all of them. And it has to be new: of two engines of one
 * name only the first can be chosen.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/catalog.h"
#include "project.h"
#include "say.h"

static const char *const new_kinds[] = {"reactor", "poller", "pool", NULL};

static int
new_check_kind(const char *kind)
{
    for (unsigned i = 0; new_kinds[i]; i++)
        if (strcmp(new_kinds[i], kind) == 0)
            return 0;
    say_unknown("new", "kind of engine", kind, "", new_kinds);
    return -EINVAL;
}

/* A C identifier that is also the name of an engine (core/name.c). One that
 * begins with _ would be the compiler's. */
static int
new_check_letters(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "_0123456789";
    enum { FIRST_LETTERS = 52 };
    size_t n = strspn(name, letters);

    if (n < NAME_BYTES && name[n] == '\0' &&
        memchr(letters, name[0], FIRST_LETTERS))
        return 0;
    say_error("new: \"%s\" cannot name an engine; wanted a letter, then "
              "letters, digits and _, at most %d in all",
              name, NAME_BYTES - 1);
    return -EINVAL;
}

static int
new_check_reserved(const char *name)
{
    int ours = strncmp(name, "pons", 4) == 0 || strncmp(name, "poni", 4) == 0;

    if (ours && (name[4] == '_' || name[4] == '\0')) {
        say_error("new: \"%s\" cannot name an engine; pons_ and poni_ begin "
                  "the library's own names",
                  name);
        return -EINVAL;
    }
    if (strcmp(name, "auto") == 0) {
        say_error("new: \"auto\" cannot name an engine; in PONS_REACTOR and "
                  "PONS_POOL it means the best one");
        return -EINVAL;
    }
    return 0;
}

static void
new_say_taken(const struct poni_entry *e)
{
    const char *where = "is built in";

    if (e->path != NULL)
        where = e->path;
    else if (e->status == ENTRY_ABSENT)
        where = "is one of Pons's own, not installed here";
    say_error("new: there is an engine \"%s\" already (%s); choose another "
              "name",
              e->name, where);
}

static int
new_check_taken(const char *name)
{
    struct poni_settings settings;
    struct poni_catalog *catalog;
    int err = poni_settings_read(&settings, NULL);

    if (err < 0) {
        say_pons_error(err);
        return err;
    }
    err = poni_catalog_open(&catalog, &settings);
    if (err < 0) {
        say_pons_error(err);
        goto fini_settings;
    }
    for (const struct poni_entry *e = catalog->entries; e && err == 0;
         e = e->next) {
        if (e->kind == 0 || strcmp(e->name, name) != 0)
            continue;
        new_say_taken(e);
        err = -EEXIST;
    }
    poni_catalog_close(catalog);
fini_settings:
    poni_settings_fini(&settings);
    return err;
}

static void
new_say_next(const char *kind, const char *name, const char *dir, int count)
{
    /* `cd -' goes elsewhere. */
    printf("%s: a %s, in %d files. Now:\n\n  cd %s", name, kind, count,
           *dir == '-' ? "./" : "");
    say_word(stdout, dir);
    printf("\n  cmake -B build && cmake --build build\n"
           "  ctest --test-dir build\n"
           "  PONS_PLUGIN_PATH_ADD=$PWD/build pons list %s\n",
           name);
}

static int
new_run(void *values, int count, char **operands)
{
    const char *kind = operands[0], *name = operands[1];
    const char *dir = count > 2 ? operands[2] : name;
    int made;

    (void)values;
    if (new_check_kind(kind) < 0 || new_check_letters(name) < 0 ||
        new_check_reserved(name) < 0 || new_check_taken(name) < 0)
        return STATUS_USAGE;
    made = project_make(dir, kind, name);
    if (made < 0)
        return made == -EINTR ? STATUS_INTERRUPTED : STATUS_FAILED;
    new_say_next(kind, name, dir, made);
    return STATUS_OK;
}

static const struct option new_options[] = {{0}};

const struct command new_command = {
    .name = "new",
    .operands = "reactor|poller|pool NAME [DIR]",
    .summary = "start an engine of your own: a project that builds and works",
    .text =
        "Makes the folder DIR (default: NAME) with source, build, test and "
        "README of an\nengine that works as it stands, for you to change. It "
        "needs Pons as it is\ninstalled, and nothing else of it.\n\n"
        "  reactor   completes operations\n"
        "  poller    says which descriptors are ready, and Pons does the rest\n"
        "  pool      decides how the threads of the blocking pool are used\n\n"
        "write-a-reactor.md and write-a-pool-policy.md, of docs/ or "
        "share/doc/pons/, go on\nfrom here.\n",
    .options = new_options,
    .values_size = sizeof(int),
    .least = 2,
    .most = 3,
    .run = new_run,
};
