/* SPDX-License-Identifier: MIT */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

/*
 * cli/named.h - which engines an operand names: by their name, by their
 * plugin's, or as the file that they are in.
 */

#include "core/catalog.h"

struct named {
    const char *name;              // borrowed; NULL: all
    const struct poni_entry *file; // the first one in it; NULL: not a path
};

/*
 * "NAME:key=value": one item; a path is taken whole, up to the options behind
 * its last part. 0, or -errno with the sentence. Ends with poni_list_fini().
 */
int named_parse(struct poni_list *out, const char *who, const char *word);

/*
 * A word with a slash is the path of a file, which is added to the catalog; a
 * relative one is of the directory that we are in. 0, or -errno with the
 * sentence, which begins with `who`.
 */
int named_read(struct named *out, struct poni_catalog *c, const char *who,
               const char *name);

/* There is no engine of that name: -errno, with a sentence that says which ones
 * there are, or that it is a file. */
int named_unknown(const struct poni_catalog *c, const char *who,
                  const char *name);

int named_has(const struct named *n, const struct poni_entry *e);

#endif /* CLI_NAMED_H */
