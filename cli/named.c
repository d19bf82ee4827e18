/* SPDX-License-Identifier: MIT */
/*
 * cli/named.c - see cli/named.h.
 */

#include "named.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/fail.h"

/* A path may hold what a list may not. Owned; NULL without memory. */
static char *
item_text(const char *word)
{
    const char *last = strrchr(word, '/'), *end;
    char *text;

    if (last == NULL || *word == '[')
        return strdup(word);
    end = last + strcspn(last, ":");
    return asprintf(&text, "[%.*s]%s", (int)(end - word), word, end) < 0 ? NULL
                                                                         : text;
}

int
named_parse(struct poni_list *out, const char *who, const char *word)
{
    char *text = item_text(word);
    int err;

    if (text == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", who);
    err = poni_list_parse(out, who, text);
    free(text);
    if (err < 0)
        return err;
    if (out->count == 1)
        return 0;
    poni_list_fini(out);
    return poni_fail(-EINVAL, "%s: \"%s\" is a list; wanted one engine", who,
                     word);
}

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
