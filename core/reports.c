/* SPDX-License-Identifier: MIT */
/*
 * core/reports.c - see core/reports.h. The host that engines get is the
 * process's, and so are these.
 */

#include "reports.h"

#include <pthread.h>
#include <string.h>

#include "lock.h"

static uint32_t reports_lock; // guards all below
static struct poni_report reports[REPORTS_MAX];
static unsigned reports_count; // the oldest first

static pthread_once_t reports_once = PTHREAD_ONCE_INIT;

static void
reports_before_fork(void)
{
    poni_lock(&reports_lock);
}

static void
reports_after_fork(void)
{
    poni_unlock(&reports_lock);
}

/* A child must not inherit the lock of a thread that it does not have. */
static void
reports_watch_forks(void)
{
    (void)pthread_atfork(reports_before_fork, reports_after_fork,
                         reports_after_fork);
}

/* Under the lock. The entry of the same words, or a new one. */
static struct poni_report *
reports_find(const char *part, const char *text)
{
    struct poni_report *r;

    for (unsigned i = 0; i < reports_count; i++)
        if (strcmp(reports[i].part, part) == 0 &&
            strcmp(reports[i].text, text) == 0)
            return &reports[i];
    if (reports_count == REPORTS_MAX)
        memmove(reports, reports + 1, --reports_count * sizeof *reports);
    r = &reports[reports_count++];
    r->times = 0;
    strcpy(r->part, part);
    strcpy(r->text, text);
    return r;
}

void
poni_reports_add(const char *part, const char *text)
{
    struct poni_report cut;

    (void)snprintf(cut.part, sizeof cut.part, "%s", part);
    (void)snprintf(cut.text, sizeof cut.text, "%s", text);
    pthread_once(&reports_once, reports_watch_forks);
    poni_lock(&reports_lock);
    reports_find(cut.part, cut.text)->times++;
    poni_unlock(&reports_lock);
}

unsigned
poni_reports_take(struct poni_report out[REPORTS_MAX])
{
    unsigned n;

    poni_lock(&reports_lock);
    n = reports_count;
    memcpy(out, reports, n * sizeof *out);
    poni_unlock(&reports_lock);
    return n;
}

void
poni_reports_print(FILE *out)
{
    struct poni_report all[REPORTS_MAX];
    unsigned n = poni_reports_take(all);

    for (unsigned i = 0; i < n; i++) {
        fprintf(out, "reported by %s: %s", all[i].part, all[i].text);
        if (all[i].times > 1)
            fprintf(out, " (%u times)", all[i].times);
        fputc('\n', out);
    }
}
