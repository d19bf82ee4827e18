/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHILDREN_H
#define CLI_CHILDREN_H

/*
 * cli/children.h - the processes that a child leaves behind: they become ours
 * when it ends, and are ended.
 *
 *     children_adopt(&before);
 *     pid = fork();
 *     ...                         // the child is waited for
 *     children_end_all(&before);  // what left its group, too
 *
 * Threads     One, and no other in the process: only its children are known.
 */

#include <stddef.h>
#include <sys/types.h>

enum { CHILDREN_MAX = 64 }; // that are looked at at once

struct children {
    pid_t pids[CHILDREN_MAX];
    size_t count;
};

/* From now on those whose parent ends are ours. Which ones there are already: a
 * shell that became this command may have left some of its own. */
void children_adopt(struct children *before);

/* Kills and waits for those that were not `before`, and theirs. None where
 * /proc does not say what our children are. */
void children_end_all(const struct children *before);

#endif /* CLI_CHILDREN_H */
