/* SPDX-License-Identifier: MIT */
/*
 * core/catalog.c - the engines that there are, in order of precedence.
 *
 * Only notes and tables are read here, no code runs. An entry that is broken or
 * disabled stays, to be listed with its reason; it takes no name away from a
 * later one that works.
 */

#include "catalog.h"

#include "fail.h"
#include "finder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum poni_setting
poni_kind_setting(uint32_t kind)
{
    return kind == PONS_KIND_POOL ? SETTING_POOL : SETTING_REACTOR;
}

enum poni_setting
poni_setting_among(enum poni_setting which)
{
    return which == SETTING_FILES ? SETTING_REACTOR : which;
}

static void
entry_free(struct poni_entry *e)
{
    free(e->name);
    free(e->path);
    free(e->plugin);
    free(e->version);
    free(e->licence);
    free(e->why);
    free(e);
}

struct poni_entry *
poni_entry_new(struct poni_catalog *c, const char *name, const char *path,
               const char *plugin, const char *version, const char *licence)
{
    struct poni_entry **last = &c->entries, *e = calloc(1, sizeof *e);

    if (e == NULL)
        goto out_of_memory;
    e->name = strdup(name);
    e->path = path != NULL ? strdup(path) : NULL;
    e->plugin = plugin != NULL ? strdup(plugin) : NULL;
    e->version = version != NULL ? strdup(version) : NULL;
    e->licence = licence != NULL ? strdup(licence) : NULL;
    if (e->name == NULL || !e->path != !path || !e->plugin != !plugin ||
        !e->version != !version || !e->licence != !licence)
        goto free_entry;
    while (*last != NULL)
        last = &(*last)->next;
    *last = e;
    return e;

free_entry:
    entry_free(e);
out_of_memory:
    poni_fail(-ENOMEM, "plugin %s: out of memory", name);
    return NULL;
}

int
poni_entry_reject(struct poni_entry *e, enum poni_entry_status status,
                  const char *why)
{
    e->why = strdup(why);
    if (e->why == NULL)
        return poni_fail(-ENOMEM, "plugin %s: out of memory", e->name);
    e->status = status;
    return 0;
}

static int
builtins_add(struct poni_catalog *c)
{
    for (unsigned i = 0; poni_builtins[i] != NULL; i++) {
        const struct pons_plugin *p = *poni_builtins[i];
        int err = 0;

        for (const struct pons_engine *n = p->engines; n->kind != 0; n++) {
            struct poni_entry *e = poni_entry_new(c, n->name, NULL, p->name,
                                                  p->version, p->licence);

            if (e == NULL)
                return -ENOMEM;
            e->kind = n->kind;
            e->abi_min = p->abi & 0xffff0000; // as PONS_PLUGIN notes it
            e->abi_max = p->abi;
            e->descriptor = p;
            err = poni_disable_mark(c, e);
            if (err < 0)
                return err;
        }
    }
    return 0;
}

/* ---- a name that is not there ---- */

static int
entry_is_offered(const struct poni_entry *e, enum poni_setting which)
{
    return e->kind != 0 && e->status != ENTRY_SHADOWED &&
           (which == SETTINGS ||
            poni_kind_setting(e->kind) == poni_setting_among(which));
}

enum { NAMES_BYTES = 1024 }; // of all names in one sentence; more are left out

/* "a, b, c" */
static void
names_append(char *all, const char *name)
{
    if (strlen(all) + strlen(name) + 3 < NAMES_BYTES)
        strcat(strcat(all, *all != '\0' ? ", " : ""), name);
}

/* A disabled or broken copy has the name of the one that works. */
static int
names_have(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* The name that `word` is nearest to; it may be a glob. */
static const char *
names_nearest(const char *word, const char *const *names)
{
    char letters[NAME_BYTES * 2] = "";

    for (size_t n = 0; *word != '\0' && n + 1 < sizeof letters; word++)
        if (strchr("*?[]\\", *word) == NULL)
            letters[n++] = *word;
    return poni_nearest(letters, names);
}

static const char *
unknown_noun(enum poni_setting which)
{
    switch (which) {
    case SETTINGS:
        return "plugin";
    case SETTING_FILES:
        return "engine for files";
    default:
        return poni_setting_key(which);
    }
}

/* What there is, what there could be, and the nearest of both; if none is near,
 * where one's own are looked for. */
static int
unknown_fail(const char *label, const char *word, enum poni_setting which,
             const char *here, const char *absent, const char *const *names)
{
    const char *nearest = names_nearest(word, names);
    char hint[NAME_BYTES + sizeof "did you mean \"\"?"];

    if (nearest != NULL)
        (void)snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    return poni_fail(-ENOENT,
                     "%s: there is no %s \"%s\"; there are: %s%s%s; %s", label,
                     unknown_noun(which), word, here,
                     *absent ? "; not installed: " : "", absent,
                     nearest != NULL ? hint
                                     : "the directory of one's own goes into "
                                       "PONS_PLUGIN_PATH_ADD");
}

int
poni_catalog_unknown(const struct poni_catalog *c, const char *label,
                     const char *word, enum poni_setting which)
{
    char here[NAMES_BYTES] = "", absent[NAMES_BYTES] = "";
    const char **names;
    unsigned n = 0;
    int err;

    for (const struct poni_entry *e = c->entries; e != NULL; e = e->next)
        n++;
    names = calloc(n + 3, sizeof *names);
    if (names == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", label);
    n = 0;
    for (const struct poni_entry *e = c->entries; e != NULL; e = e->next)
        if (entry_is_offered(e, which) && !names_have(names, e->name)) {
            names[n++] = e->name;
            names_append(e->status == ENTRY_ABSENT ? absent : here, e->name);
        }
    if (which == SETTING_FILES) {
        names[n++] = "pool";
        names_append(here, "pool");
    }
    if (which != SETTINGS) {
        names[n++] = "auto";
        names_append(here, "auto");
    }
    err = unknown_fail(label, word, which, here, absent, names);
    free(names);
    return err;
}

/* ---- the whole ---- */

/* The usable entry before `e` that has its name. */
static const struct poni_entry *
entry_before(const struct poni_catalog *c, const struct poni_entry *e)
{
    const struct poni_entry *first = c->entries;

    while (first != e &&
           (first->status != ENTRY_USABLE_MAYBE ||
            poni_kind_setting(first->kind) != poni_kind_setting(e->kind) ||
            strcmp(first->name, e->name) != 0))
        first = first->next;
    return first != e ? first : NULL;
}

static int
entries_shadow(struct poni_catalog *c)
{
    int err = 0;

    for (struct poni_entry *e = c->entries; e && err == 0; e = e->next) {
        const struct poni_entry *first;
        char why[512];

        if (e->status != ENTRY_USABLE_MAYBE)
            continue;
        first = entry_before(c, e);
        if (first == NULL)
            continue;
        snprintf(why, sizeof why, "%s comes first and has the same name",
                 first->path != NULL ? first->path : "the built-in one");
        /* The installed copy of what is built in is nothing to tell of. */
        poni_log(first->path != NULL ? PONS_LOG_INFO : PONS_LOG_DEBUG, "plugin",
                 "%s of %s is not used: %s", e->name,
                 e->path != NULL ? e->path : "the library", why);
        err = poni_entry_reject(e, ENTRY_SHADOWED, why);
    }
    return err;
}

/* The program may forbid files; what others say about them is then void. */
static int
externals_forbidden(const struct poni_catalog *c)
{
    const enum poni_setting paths[] = {SETTING_PLUGIN_PATH,
                                       SETTING_PLUGIN_PATH_ADD};

    for (unsigned i = 0; i < 2; i++) {
        const struct poni_value *v = &c->settings->value[paths[i]];

        if (v->text == NULL)
            continue;
        if (strcmp(v->origin, "the program") == 0)
            return poni_fail(-EINVAL,
                             "%s contradicts PONS_NO_EXTERNAL_PLUGINS; pass "
                             "one of them",
                             v->label);
        poni_log(PONS_LOG_WARN, "plugin",
                 "%s is not used: the program allows built-in plugins only",
                 v->label);
    }
    return 0;
}

static int
name_is_here(void *arg, const char *name)
{
    const struct poni_catalog *c = arg;

    for (const struct poni_entry *e = c->entries; e != NULL; e = e->next)
        if (strcmp(e->name, name) == 0 ||
            (e->plugin != NULL && strcmp(e->plugin, name) == 0))
            return 1;
    return 0;
}

/* A part of PONS_LOG that is nobody's would be listened for in vain. */
static int
log_parts_used(struct poni_catalog *c)
{
    const struct poni_value *v = &c->settings->value[SETTING_LOG];

    return v->text == NULL ? 0
                           : poni_log_check(v->label, v->text, name_is_here, c);
}

static int
catalog_fill(struct poni_catalog *c)
{
    int external = (c->settings->flags & PONS_NO_EXTERNAL_PLUGINS) == 0;
    int err = poni_disable_check(&c->settings->value[SETTING_PLUGINS_DISABLE]);

    if (err == 0 && !external)
        err = externals_forbidden(c);
    if (err == 0 && external)
        err = poni_finder_path(c, SETTING_PLUGIN_PATH);
    if (err == 0 && external)
        err = poni_finder_path(c, SETTING_PLUGIN_PATH_ADD);
    if (err == 0)
        err = builtins_add(c);
    if (err == 0 && external)
        err = poni_finder_installed(c);
    if (err == 0)
        err = poni_known_add(c);
    if (err == 0)
        err = poni_disable_used(c);
    if (err == 0)
        err = log_parts_used(c);
    return err < 0 ? err : entries_shadow(c);
}

int
poni_catalog_open(struct poni_catalog **out,
                  const struct poni_settings *settings)
{
    struct poni_catalog *c = calloc(1, sizeof *c);
    int err;

    if (c == NULL)
        return poni_fail(-ENOMEM, "plugins: out of memory");
    c->settings = settings;
    err = catalog_fill(c);
    if (err < 0) {
        poni_catalog_close(c);
        return err;
    }
    *out = c;
    return 0;
}

void
poni_catalog_close(struct poni_catalog *c)
{
    struct poni_entry *next;

    if (c == NULL)
        return;
    for (struct poni_entry *e = c->entries; e != NULL; e = next) {
        next = e->next;
        entry_free(e);
    }
    free(c);
}

int
poni_catalog_file(struct poni_catalog *c, const char *label, const char *path,
                  struct poni_entry **first)
{
    struct stat st;
    int err;

    if (path[0] != '/')
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is neither a name nor an absolute path",
                         label, path);
    if ((c->settings->flags & PONS_NO_EXTERNAL_PLUGINS) != 0)
        return poni_fail(-EPERM,
                         "%s: %s: the program allows built-in plugins only",
                         label, path);
    if (stat(path, &st) < 0)
        return poni_fail(-errno, "%s: %s: %s", label, path, strerror(errno));
    err = poni_finder_file(c, path);
    if (err < 0)
        return err;
    *first = poni_finder_known(c, &st);
    if (*first == NULL)
        return poni_fail(-ESTALE, "%s: %s: is being replaced; try again", label,
                         path);
    return 0;
}
