/* SPDX-License-Identifier: MIT */
/*
 * core/disable.c - PONS_PLUGINS_DISABLE: names and globs that are never used.
 *
 * A pattern matches the name of an engine or of its plugin. Nothing is kept
 * between calls: the text is walked each time, which happens a few dozen times
 * when a catalog is opened.
 */

#include "finder.h"

#include "fail.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { PATTERN_BYTES = 64 }; // of one pattern, with its end

/* The next word of a list with commas: its length, *text behind it. -1: none.
 */
static int
pattern_next(const char **text, char *word)
{
    size_t n;

    if (*text == NULL)
        return -1;
    n = strcspn(*text, ",");
    snprintf(word, PATTERN_BYTES, "%.*s", (int)n, *text);
    *text = (*text)[n] == ',' ? *text + n + 1 : NULL;
    return (int)n;
}

static int
pattern_matches(const char *pattern, const struct poni_entry *e)
{
    return fnmatch(pattern, e->name, 0) == 0 ||
           (e->plugin != NULL && fnmatch(pattern, e->plugin, 0) == 0);
}

int
poni_disable_check(const struct poni_value *v)
{
    const char *text = v->text;
    char word[PATTERN_BYTES];
    int n;

    while ((n = pattern_next(&text, word)) >= 0) {
        if (n == 0)
            return poni_fail(-EINVAL,
                             "%s: \"%s\" has an empty item; wanted names or "
                             "globs, separated by commas",
                             v->label, v->text);
        if (n >= PATTERN_BYTES || strpbrk(word, "/ \t") != NULL)
            return poni_fail(-EINVAL,
                             "%s: \"%s\" is no name or glob of a plugin; "
                             "wanted fewer than %d letters, no / and no space",
                             v->label, word, PATTERN_BYTES);
    }
    return 0;
}

int
poni_disable_mark(const struct poni_catalog *c, struct poni_entry *e)
{
    const struct poni_value *v = &c->settings->value[SETTING_PLUGINS_DISABLE];
    const char *text = v->text;
    char word[PATTERN_BYTES], why[PATTERN_BYTES + 128];

    while (e->status == ENTRY_USABLE_MAYBE && pattern_next(&text, word) > 0)
        if (pattern_matches(word, e)) {
            snprintf(why, sizeof why, "disabled by \"%s\" in %.100s", word,
                     v->label);
            return poni_entry_reject(e, ENTRY_DISABLED, why);
        }
    return 0;
}

/* A name or glob of nothing that is here, or that Pons knows, is misspelt: what
 * it should disable would be used. */
static int
pattern_is_idle(const struct poni_catalog *c, const char *word)
{
    for (const struct poni_entry *e = c->entries; e != NULL; e = e->next)
        if (pattern_matches(word, e))
            return 0;
    return 1;
}

int
poni_disable_used(const struct poni_catalog *c)
{
    const struct poni_value *v = &c->settings->value[SETTING_PLUGINS_DISABLE];
    const char *text = v->text;
    char word[PATTERN_BYTES];

    while (pattern_next(&text, word) > 0)
        if (pattern_is_idle(c, word))
            return poni_catalog_unknown(c, v->label, word, SETTINGS);
    return 0;
}
