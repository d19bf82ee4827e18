/* SPDX-License-Identifier: MIT */
/*
 * tests/unit_child.c - see tests/unit_child.h.
 */

#include "unit_child.h"

#include <dirent.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_S = 60 }; // UNIT_SECONDS lengthens it (valgrind)

int
unit_has(const char *text, const char *part)
{
    return text != NULL && strstr(text, part) != NULL;
}

int unit_for_good;

static int
open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n - unit_for_good;
}

static unsigned
deadline_s(void)
{
    const char *given = getenv("UNIT_SECONDS");

    return given != NULL ? (unsigned)atoi(given) : DEADLINE_S;
}

static void
run_in_child(const struct unit_test *t)
{
    int before = open_fds();

    t->run();
    CHECK_EQ(open_fds(), before);
    exit(0);
}

int
unit_failed(const struct unit_test *t)
{
    unsigned seconds = deadline_s();
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(seconds); // a hang ends as SIGALRM
        run_in_child(t);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: died of signal %d\n", t->name, WTERMSIG(status));
    return status != 0 &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == UNIT_SKIPPED);
}
