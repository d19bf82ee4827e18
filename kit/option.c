/* SPDX-License-Identifier: MIT */
/*
 * kit/option.c - the engine with the least and the most of each of its options:
 * tiny queues are among them.
 */

#include "kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE = 64 }; // bytes of an option's value

/* With one option, which open may refuse, in words. */
static void
option_configured(struct kit *k, const char *option, const char *value,
                  kit_configured_f *test)
{
    struct pons_reason reason;
    struct pons_reactor *r;
    char how[2 * VALUE];
    int err = kit_configure(k, option, value);

    snprintf(how, sizeof how, "with %.32s=%.32s", option, value);
    if (err < 0)
        kit_fail("%s: the engine's own table does not allow it", how);
    err = kit_try_open(k, &r, &reason);
    if (err < 0) {
        KIT_WANT(reason.text[0] != '\0',
                 "%s open refused with %s: wanted a reason in words", how,
                 strerror(-err));
        return;
    }
    kit_check_result(r->ops->bind(r), 0, "bind");
    test(r, how);
}

/* A number as its option is written. */
static void
option_number(struct kit *k, const struct pons_option *o, uint64_t value,
              kit_configured_f *test)
{
    char text[VALUE];

    snprintf(text, sizeof text, "%" PRIu64 "%s", value,
             o->type == PONS_OPTION_DURATION ? "ns" : "");
    option_configured(k, o->name, text, test);
}

static void
option_choices(struct kit *k, const struct pons_option *o,
               kit_configured_f *test)
{
    char *all = strdup(o->choices), *next = NULL;

    for (char *c = strtok_r(all, "|", &next); c != NULL;
         c = strtok_r(NULL, "|", &next))
        option_configured(k, o->name, c, test);
    free(all);
}

void
kit_each_configuration(struct kit *k, kit_configured_f *test)
{
    for (const struct pons_option *o = k->engine->options; o->name; o++) {
        switch (o->type) {
        case PONS_OPTION_UINT:
        case PONS_OPTION_DURATION:
        case PONS_OPTION_BYTES:
            option_number(k, o, o->min, test);
            option_number(k, o, o->min + 1 < o->max ? o->min + 1 : o->max,
                          test);
            option_number(k, o, o->max, test);
            break;
        case PONS_OPTION_BOOL:
            option_configured(k, o->name, "no", test);
            option_configured(k, o->name, "yes", test);
            break;
        case PONS_OPTION_CHOICE:
            option_choices(k, o, test);
            break;
        default:
            break; // what texts it takes only the engine knows
        }
    }
}
