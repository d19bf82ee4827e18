/* SPDX-License-Identifier: MIT */
/*
 * kit/pool_open.c - B10: how a policy begins.
 *
 * The first test is the first of all: where open says in words why not, there
 * is nothing else to test here.
 */

#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "work.h"

enum { TRIES = 1000 }; // a policy needs less than so many pieces of memory

static void
open_succeeds(struct kit *k)
{
    struct pons_pool_policy *policy;
    struct pons_reason reason;
    int err = kit_try_policy(k, &policy, &reason);

    KIT_WANT(err <= 0, "open: wanted 0 or -errno, found %d", err);
    if (err == 0)
        return; // its end is B11's
    kit_check_reason(&reason, err);
    kit_unusable(reason.text);
}

/* A refusal is in words, and keeps nothing. */
static int
open_tries(struct kit *k, const char *how)
{
    struct pons_pool_policy *policy;
    struct pons_reason reason;
    long before = kit_host_pieces();
    int err = kit_try_policy(k, &policy, &reason);

    kit_host_limit(-1);
    if (err == 0) {
        kit_policy_close(k, policy);
        return 0;
    }
    KIT_WANT(reason.text[0] != '\0',
             "open %s is refused with %s: wanted a reason in words, found none",
             how, strerror(-err));
    KIT_EQ(kit_host_pieces(), before,
           "pieces of the host's memory that are kept after a refusal");
    return err;
}

static void
open_without_memory(struct kit *k)
{
    (void)kit_config(k); // the kit's own memory
    for (int n = 0; n < TRIES; n++) {
        int err;

        kit_host_limit(n);
        err = open_tries(k, "without memory");
        if (err == 0)
            return;
        kit_check_result(err, -ENOMEM, "open with memory for %d pieces", n);
    }
    kit_fail("open with memory for %d pieces: wanted 0", TRIES);
}

/* Text of a value, as a user would write it. */
static int
open_value(const struct pons_option *o, uint64_t value, char *text, size_t size)
{
    const char *unit = o->type == PONS_OPTION_DURATION ? "ns" : "";

    if (o->type != PONS_OPTION_UINT && o->type != PONS_OPTION_DURATION &&
        o->type != PONS_OPTION_BYTES)
        return 0;
    snprintf(text, size, "%llu%s", (unsigned long long)value, unit);
    return 1;
}

static void
open_at_ends(struct kit *k)
{
    for (const struct pons_option *o = k->engine->options; o->name; o++)
        for (int end = 0; end < 2; end++) {
            char value[32], how[128];

            if (!open_value(o, end ? o->max : o->min, value, sizeof value))
                continue;
            KIT_EQ(kit_configure(k, o->name, value), 0,
                   "what the table says of %s=%s", o->name, value);
            snprintf(how, sizeof how, "with %s=%s", o->name, value);
            (void)open_tries(k, how);
        }
}

static void
open_anew(struct kit *k)
{
    struct pons_pool_policy *first, *second;
    struct pons_reason reason;

    kit_check_result(kit_try_policy(k, &first, &reason), 0, "open");
    kit_check_result(kit_try_policy(k, &second, &reason), 0, "another open");
    KIT_WANT(first != second, "another open: wanted a policy of its own, found "
                              "the one that there was");
}

const struct kit_test kit_pool_open_tests[] = {
    {"B10", "open succeeds, or says in words why not", KIT_ALL, NULL,
     open_succeeds},
    {"B10", "without memory open is refused and keeps nothing", KIT_ALL, NULL,
     open_without_memory},
    {"B10", "each option at its ends is taken, or refused in words",
     KIT_OPTIONS, NULL, open_at_ends},
    {"B10", "each open is a policy of its own", KIT_ALL, NULL, open_anew},
    {0},
};
