/* SPDX-License-Identifier: MIT */
/*
 * core/lookup.c - what a word in PONS_REACTOR, PONS_FILES or PONS_POOL means:
 * the name of an engine, or the path of a plugin file.
 */

#include "finder.h"

#include "fail.h"

#include <errno.h>
#include <string.h>

/* Whether `e` is a file that is no plugin, called `word` or `word`.so. */
static int
is_broken_file(const struct poni_entry *e, const char *word)
{
    size_t n = strlen(word);

    return e->kind == 0 && strncmp(e->name, word, n) == 0 &&
           (e->name[n] == '\0' || strcmp(e->name + n, ".so") == 0);
}

int
poni_entry_is_called(const struct poni_entry *e, const char *word,
                     enum poni_setting which)
{
    if (e->kind == 0)
        return is_broken_file(e, word);
    return poni_kind_setting(e->kind) == which && strcmp(e->name, word) == 0;
}

/* The entry that `name` means: the first that is not disabled (one that shadows
 * comes before those it shadows), else the first at all, for its reason. */
static struct poni_entry *
find_name(const struct poni_catalog *c, const char *name,
          enum poni_setting which)
{
    struct poni_entry *second = NULL;

    for (struct poni_entry *e = c->entries; e; e = e->next) {
        if (!poni_entry_is_called(e, name, which))
            continue;
        if (e->kind != 0 && e->status != ENTRY_DISABLED)
            return e;
        if (second == NULL)
            second = e;
    }
    return second;
}

/* The one engine of the right kind in a file. */
static int
find_path(struct poni_catalog *c, const char *label, const char *path,
          enum poni_setting which, struct poni_entry **found)
{
    struct poni_entry *first;
    int err = poni_catalog_file(c, label, path, &first);

    if (err < 0)
        return err;
    *found = first->kind == 0 ? first : NULL;
    for (struct poni_entry *e = first; e != NULL; e = e->next) {
        if (e->path == NULL || e->device != first->device ||
            e->inode != first->inode || e->kind == 0 ||
            poni_kind_setting(e->kind) != which)
            continue;
        if (*found != NULL)
            return poni_fail(-EINVAL,
                             "%s: %s has several engines, %s and %s among "
                             "them; put its directory into PONS_PLUGIN_PATH_ADD"
                             " and name one",
                             label, path, (*found)->name, e->name);
        *found = e;
    }
    if (*found != NULL)
        return 0;
    return poni_fail(-EINVAL, "%s: %s has no engine for this, but %s (a %s)",
                     label, path, first->name,
                     first->kind == PONS_KIND_POOL ? "pool" : "reactor");
}

int
poni_catalog_find(struct poni_catalog *c, const char *label, const char *name,
                  enum poni_setting which, struct poni_entry **found)
{
    if (name[0] == '/')
        return find_path(c, label, name, poni_setting_among(which), found);
    if (strchr(name, '/') != NULL || strstr(name, "..") != NULL)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" is neither a name (no / and no ..) nor an "
                         "absolute path",
                         label, name);
    if (strcmp(name, "auto") == 0)
        return poni_fail(
            -EINVAL, "%s: auto stands alone, without options or others", label);
    *found = find_name(c, name, poni_setting_among(which));
    if (*found == NULL)
        return poni_catalog_unknown(c, label, name, which);
    return 0;
}
