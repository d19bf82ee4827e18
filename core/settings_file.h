/* SPDX-License-Identifier: MIT */
#ifndef PONI_SETTINGS_FILE_H
#define PONI_SETTINGS_FILE_H

/*
 * core/settings_file.h - the file of settings, for core/settings.c.
 */

#include "settings.h"

/*
 * Reads `path` and sets what `s` has no text for yet. -EINVAL etc. with the
 * sentence, which begins with `label` until the file is open and with
 * "path:line" from then on.
 */
int poni_settings_file(struct poni_settings *s, const char *label,
                       const char *path);

/* Sets value[which]; copies all three. -ENOMEM with the sentence. */
PONS_PRINTF(5, 6)
int poni_setting_set(struct poni_settings *s, enum poni_setting which,
                     const char *text, const char *origin, const char *label,
                     ...);

#endif /* PONI_SETTINGS_FILE_H */
