/* SPDX-License-Identifier: MIT */
/*
 * cli/children.c - see cli/children.h.
 *
 * A group that is killed is not all: who called setsid(2) has left it. But he
 * cannot leave his subreaper.
 */

#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { CHILDREN_ROUNDS = 1000 }; // for one that breeds faster, there is no end

static void
children_read(struct children *c)
{
    FILE *f = fopen("/proc/thread-self/children", "re");

    c->count = 0;
    while (f && c->count < CHILDREN_MAX &&
           fscanf(f, "%d", &c->pids[c->count]) == 1)
        c->count++;
    if (f)
        fclose(f);
}

static int
children_have(const struct children *c, pid_t pid)
{
    size_t i = 0;

    while (i < c->count && c->pids[i] != pid)
        i++;
    return i < c->count;
}

/* Those that are there now; how many. */
static int
children_end(const struct children *before)
{
    struct children now;
    int ended = 0;

    children_read(&now);
    for (size_t i = 0; i < now.count; i++) {
        if (children_have(before, now.pids[i]))
            continue;
        kill(now.pids[i], SIGKILL);
        while (waitpid(now.pids[i], NULL, 0) < 0 && errno == EINTR)
            ;
        ended++;
    }
    return ended;
}

void
children_adopt(struct children *before)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    children_read(before);
}

void
children_end_all(const struct children *before)
{
    /* Until there are none: those that end leave us theirs. */
    for (int i = 0; i < CHILDREN_ROUNDS && children_end(before) > 0; i++)
        ;
}
