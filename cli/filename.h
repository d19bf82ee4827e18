/* SPDX-License-Identifier: MIT */
#ifndef CLI_FILENAME_H
#define CLI_FILENAME_H

/*
 * cli/filename.h - the name under which the body of a URL is kept.
 */

/* Names that were given out, so that each is given once. {NULL} is empty. */
struct filenames {
    void *taken; // tsearch(3) tree; owns the names
};

/*
 * A name for `url`, from the last part of its path: letters, digits and a few
 * signs, no leading dot, at most FILENAME_BYTES. Borrowed from `f`; NULL when
 * there is no memory.
 */
enum { FILENAME_BYTES = 200 }; // with ".NAME.part" still under NAME_MAX

const char *filename_for(struct filenames *f, const char *url);
void filenames_free(struct filenames *f);

#endif /* CLI_FILENAME_H */
