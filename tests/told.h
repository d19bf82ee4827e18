/* SPDX-License-Identifier: MIT */
#ifndef TOLD_H
#define TOLD_H

/*
 * tests/told.h - what a runtime tells of itself, as text; the caller's to free.
 */

#include <stdio.h>
#include <stdlib.h>

#include "pons/runtime.h"
#include "unit.h"

typedef int told_f(struct pons_runtime *rt, FILE *out);

static inline char *
told_by(told_f *tell, struct pons_runtime *rt)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    CHECK(f != NULL);
    CHECK_EQ(tell(rt, f), 0);
    CHECK_EQ(fclose(f), 0);
    return text;
}

static inline char *
explained(struct pons_runtime *rt)
{
    return told_by(pons_runtime_explain, rt);
}

static inline char *
dumped(struct pons_runtime *rt)
{
    return told_by(pons_dump, rt);
}

#endif /* TOLD_H */
