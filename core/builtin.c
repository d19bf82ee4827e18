/* SPDX-License-Identifier: MIT */
/*
 * core/builtin.c - the plugins that are compiled in. A new one is two lines
 * here.
 */

#include "catalog.h"

extern const struct pons_plugin *const poni_builtin_epoll;
#ifdef PONS_URING
extern const struct pons_plugin *const poni_builtin_uring;
#endif
extern const struct pons_plugin *const poni_builtin_poll;
extern const struct pons_plugin *const poni_builtin_null;
extern const struct pons_plugin *const poni_builtin_elastic;
extern const struct pons_plugin *const poni_builtin_inline;

/* The order is that of `pons list`; what `auto` takes is decided by the ranks.
 */
const struct pons_plugin *const *const poni_builtins[] = {
    &poni_builtin_epoll,
#ifdef PONS_URING
    &poni_builtin_uring,
#endif
    &poni_builtin_poll,
    &poni_builtin_null,
    &poni_builtin_elastic,
    &poni_builtin_inline,
    NULL,
};
