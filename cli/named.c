/* SPDX-License-Identifier: MIT */
/*
 * cli/named.c - see cli/named.h.
 */

#include "named.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/fail.h"

int
named_read(struct named *out, struct poni_catalog *c, const char *who,
           const char *name)
{
    struct poni_entry *file;
    char *path;
    int err;

    *out = (struct named){.name = name};
    if (!name || !strchr(name, '/'))
        return 0;
    path = name[0] == '/' ? strdup(name) : realpath(name, NULL);
    if (!path)
        return poni_fail(-errno, "%s: %s: %s", who, name, strerror(errno));
    err = poni_catalog_file(c, who, path, &file);
    free(path);
    if (err == 0)
        out->file = file;
    return err;
}

int
named_unknown(const struct poni_catalog *c, const char *who, const char *name)
{
    struct stat st;

    if (stat(name, &st) == 0 && S_ISREG(st.st_mode))
        return poni_fail(-ENOENT,
                         "%s: there is no engine \"%s\"; the file of that "
                         "name is ./%s",
                         who, name, name);
    return poni_catalog_unknown(c, who, name, SETTINGS);
}

int
named_has(const struct named *n, const struct poni_entry *e)
{
    if (n->file)
        return e->path && e->device == n->file->device &&
               e->inode == n->file->inode;
    return !n->name || strcmp(e->name, n->name) == 0 ||
           (e->plugin && strcmp(e->plugin, n->name) == 0);
}
