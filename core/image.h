/* SPDX-License-Identifier: MIT */
#ifndef PONI_IMAGE_H
#define PONI_IMAGE_H

/*
 * core/image.h - whether the system's loader can be let loose on a file.
 *
 * dlopen(3) believes what it reads: an address that is garbled in the dynamic
 * section is a SIGSEGV inside it, a missing entry a null pointer, an entry of
 * the wrong size an abort(3). What it believes stands twice in a file, since
 * the section table has the same addresses and sizes: the two are compared, and
 * the section table with the segments that will be mapped.
 *
 * So a damaged header, segment or dynamic section is found out. What stands
 * once only is not: the contents of tables (symbols, relocations, hashes), data
 * and code. A file that is damaged there crashes as a wrong program does.
 *
 * A file without section table is refused, and so is one linked with -init or
 * -fini, for what they name stands nowhere else; constructors do the same.
 */

#include "pons/plugin.h"

/* 0; -ENOEXEC with what was wanted and found; -ENOMEM, -EIO. */
int poni_image_check(int fd, struct pons_reason *reason);

/* A file that has passed this check, to ask it more. `fd` is borrowed for the
 * call only. */
struct poni_image;

int poni_image_open(struct poni_image **out, int fd,
                    struct pons_reason *reason);
void poni_image_close(struct poni_image *im);

/*
 * The text of the `i`th entry of .dynamic with this tag: DT_NEEDED (any
 * number), DT_RPATH, DT_RUNPATH. NULL: there are not so many. The image's; any
 * bytes, fewer than IMAGE_TEXT_BYTES.
 */
const char *poni_image_text(const struct poni_image *im, uint64_t tag,
                            unsigned i);

enum { IMAGE_TEXT_BYTES = 4096 }; // of one, with its end: as long as a path

#endif /* PONI_IMAGE_H */
