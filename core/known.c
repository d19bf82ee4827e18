/* SPDX-License-Identifier: MIT */
/*
 * core/known.c - the engines that Pons knows by name, here or not.
 *
 * A setting is often written for several machines: `uring,epoll` is no mistake
 * where there is no uring. So a name of this table that is not installed is an
 * entry that says so, while any other name that there is not is misspelt.
 */

#include "finder.h"

#include <errno.h>
#include <stdio.h>

#ifndef PONS_STATIC
#define PONS_STATIC 0
#endif

enum known_when {
    BUILT_IN,
    A_FILE, // of ours, where the library that it wraps was there to build it
};

/* A new engine of ours is one line here. */
static const struct known {
    const char *name;
    uint32_t kind;
    enum known_when when;
    const char *package; // Debian's: what to build it with; NULL: nothing more
} known[] = {
    {"epoll", PONS_KIND_POLLER, BUILT_IN, NULL},
    {"poll", PONS_KIND_POLLER, BUILT_IN, NULL},
    {"null", PONS_KIND_REACTOR, BUILT_IN, NULL},
    {"uring", PONS_KIND_REACTOR, BUILT_IN, "liburing-dev"},
    {"libev", PONS_KIND_POLLER, A_FILE, "libev-dev"},
    {"libuv", PONS_KIND_POLLER, A_FILE, "libuv1-dev"},
};

static int
known_is_here(const struct poni_catalog *c, const struct known *k)
{
    for (const struct poni_entry *e = c->entries; e != NULL; e = e->next)
        if (poni_entry_is_called(e, k->name, poni_kind_setting(k->kind)))
            return 1;
    return 0;
}

/* Why no file can be in this catalog; NULL: one can. */
static const char *
known_no_files(const struct poni_catalog *c)
{
    if (PONS_STATIC)
        return "a program that is linked statically takes no plugins";
    if ((c->settings->flags & PONS_NO_EXTERNAL_PLUGINS) != 0)
        return "the program allows built-in plugins only";
    return NULL;
}

static void
known_say(const struct poni_catalog *c, const struct known *k, char *why,
          size_t size)
{
    const char *no_files = known_no_files(c);

    if (k->when == BUILT_IN && k->package != NULL)
        snprintf(why, size,
                 "not installed: this libpons was built without it; it is "
                 "built in where Debian's %s is installed; use epoll or auto",
                 k->package);
    else if (k->when == BUILT_IN)
        snprintf(why, size,
                 "not installed: this libpons was built without it; use one "
                 "that has it");
    else if (no_files != NULL)
        snprintf(why, size,
                 "not installed: it is a plugin file, and %s; use epoll or "
                 "auto",
                 no_files);
    else
        snprintf(why, size,
                 "not installed: there is no %s.so in the plugin directories; "
                 "Pons is built with it where Debian's %s is installed; use "
                 "epoll or auto",
                 k->name, k->package);
}

int
poni_known_add(struct poni_catalog *c)
{
    int err = 0;

    for (unsigned i = 0; i < sizeof known / sizeof *known && err == 0; i++) {
        struct poni_entry *e;
        char why[256];

        if (known_is_here(c, &known[i]))
            continue;
        e = poni_entry_new(c, known[i].name, NULL, NULL, NULL, NULL);
        if (e == NULL)
            return -ENOMEM;
        e->kind = known[i].kind;
        known_say(c, &known[i], why, sizeof why);
        err = poni_entry_reject(e, ENTRY_ABSENT, why);
    }
    return err;
}
