/* SPDX-License-Identifier: MIT */
/*
 * core/list.c - the grammar of lists: name[:key=value]...[,name[:key=value]...]
 *
 * A name or value that begins with `[` runs to its matching `]` and is taken
 * whole, without them; so it may hold `,`, `:`, `=` and spaces. In all other
 * words brackets and white space are errors: they are mistakes more often than
 * they are meant.
 */

#include "fail.h"
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where the parser is, and whom to name in a sentence. */
struct list_cursor {
    const char *origin, *text;
    char *at;
};

/* From `[` to its `]`; leaves the cursor behind it. */
static int
list_group(struct list_cursor *c, char **word)
{
    unsigned depth = 0;
    char *start = c->at + 1;

    for (; *c->at != '\0'; c->at++) {
        depth += *c->at == '[';
        depth -= *c->at == ']';
        if (depth == 0)
            break;
    }
    if (*c->at == '\0')
        return poni_fail(-EINVAL, "%s: \"%s\" has a [ without its ]", c->origin,
                         c->text);
    if (c->at[1] != '\0' && c->at[1] != ',' && c->at[1] != ':')
        return poni_fail(-EINVAL,
                         "%s: in \"%s\" the ] is followed by \"%s\"; wanted "
                         "\":\", \",\" or the end",
                         c->origin, c->text, c->at + 1);
    *c->at++ = '\0';
    *word = start;
    return 0;
}

/* Up to one of `ends`, which the caller cuts off. */
static int
list_plain(struct list_cursor *c, const char *ends, char **word)
{
    *word = c->at;
    for (; *c->at != '\0' && strchr(ends, *c->at) == NULL; c->at++) {
        if (isspace((unsigned char)*c->at))
            return poni_fail(-EINVAL,
                             "%s: \"%s\" contains a space; take it out, or put "
                             "the word in [ ]",
                             c->origin, c->text);
        if (*c->at == '[' || *c->at == ']')
            return poni_fail(-EINVAL,
                             "%s: \"%s\" has a %c inside a word; [ ] enclose a "
                             "whole name or value",
                             c->origin, c->text, *c->at);
    }
    return 0;
}

/* The separator under the cursor, which becomes the end of the word before. */
static char
list_take(struct list_cursor *c)
{
    char separator = *c->at;

    if (separator != '\0')
        *c->at++ = '\0';
    return separator;
}

static int
list_name(struct list_cursor *c, char **name)
{
    int err = *c->at == '[' ? list_group(c, name) : list_plain(c, ":,=", name);

    if (err < 0)
        return err;
    if (*c->at == '=')
        return poni_fail(-EINVAL,
                         "%s: \"%s\" has \"=\" where a name is wanted; write "
                         "name:key=value",
                         c->origin, c->text);
    if (*name == c->at || **name == '\0')
        return poni_fail(-EINVAL, "%s: \"%s\" has an empty item; wanted a name",
                         c->origin, c->text);
    return 0;
}

static int
list_value(struct list_cursor *c, const char *key, char **value)
{
    int err;

    if (*c->at == '[')
        return list_group(c, value);
    err = list_plain(c, ":,", value);
    if (err < 0)
        return err;
    if (*value == c->at)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" has no value for %s; wanted %s=value",
                         c->origin, c->text, key, key);
    return 0;
}

static int
list_pair(struct list_cursor *c, struct poni_item *item)
{
    struct poni_pair *pairs, pair;
    int err = list_plain(c, ":,=", &pair.key);

    if (err < 0)
        return err;
    if (*c->at != '=' || pair.key == c->at)
        return poni_fail(-EINVAL,
                         "%s: \"%s\" has an option without a key or without "
                         "\"=\"; wanted %s:key=value",
                         c->origin, c->text, item->name);
    list_take(c);
    for (unsigned i = 0; i < item->pair_count; i++)
        if (strcmp(item->pairs[i].key, pair.key) == 0)
            return poni_fail(-EINVAL, "%s: \"%s\" says %s twice; say it once",
                             c->origin, c->text, pair.key);
    err = list_value(c, pair.key, &pair.value);
    if (err < 0)
        return err;
    pairs = reallocarray(item->pairs, item->pair_count + 1, sizeof *pairs);
    if (pairs == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", c->origin);
    item->pairs = pairs;
    item->pairs[item->pair_count++] = pair;
    return 0;
}

/* One item and the separator behind it: 1 if that is a comma. */
static int
list_item(struct list_cursor *c, struct poni_item *item)
{
    int err = list_name(c, &item->name);
    char separator;

    if (err < 0)
        return err;
    while ((separator = list_take(c)) == ':') {
        err = list_pair(c, item);
        if (err < 0)
            return err;
    }
    return separator == ',';
}

int
poni_list_parse(struct poni_list *out, const char *origin, const char *text)
{
    struct list_cursor c = {.origin = origin, .text = text};
    int more = 1;

    memset(out, 0, sizeof *out);
    out->memory = strdup(text);
    if (out->memory == NULL)
        return poni_fail(-ENOMEM, "%s: out of memory", origin);
    c.at = out->memory;
    while (more == 1) {
        struct poni_item *items =
            reallocarray(out->items, out->count + 1, sizeof *items);

        if (items == NULL) {
            more = poni_fail(-ENOMEM, "%s: out of memory", origin);
            break;
        }
        out->items = items;
        memset(&items[out->count], 0, sizeof *items);
        more = list_item(&c, &items[out->count++]);
    }
    if (more < 0)
        poni_list_fini(out);
    return more;
}

void
poni_list_fini(struct poni_list *l)
{
    for (unsigned i = 0; i < l->count; i++)
        free(l->items[i].pairs);
    free(l->items);
    free(l->memory);
    memset(l, 0, sizeof *l);
}
