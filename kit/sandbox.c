/* SPDX-License-Identifier: MIT */
/*
 * kit/sandbox.c - what containers do to a process: system calls that are
 * refused; and a child, for what cannot be taken back.
 */

#include "kit.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "verdict.h"

void
kit_forbid(long number, int err)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        kit_skip("this system has no seccomp filters here: %s",
                 strerror(errno));
}

/* What refuses them: a filter asks, and this thread answers. */
struct refuser {
    int listener, err;
    int *times; // relaxed: a count, and nothing that goes with it
};

static void *
refuser_answers(void *arg)
{
    struct refuser *r = arg;

    for (;;) {
        struct seccomp_notif asked = {0};
        struct seccomp_notif_resp answer = {.error = -r->err};

        if (ioctl(r->listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
            continue; // a signal; or who has asked is gone
        poni_add_relaxed(r->times, 1);
        answer.id = asked.id;
        (void)ioctl(r->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return NULL;
}

void
kit_forbid_counted(long number, int err, int *times)
{
    static struct refuser refuser; // of a process that is not here for long
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    pthread_t thread;

    refuser = (struct refuser){.err = err, .times = times};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        refuser.listener =
            (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                         SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (refuser.listener <= 0)
        kit_skip("this system has no seccomp filters that ask: %s",
                 strerror(errno));
    KIT_THREAD(pthread_create(&thread, NULL, refuser_answers, &refuser));
}

/* Of who may lock memory by right, as root may, the limit says nothing. */
void
kit_lock_nothing(void)
{
    const struct rlimit none = {0};
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

    KIT_SYS(setrlimit(RLIMIT_MEMLOCK, &none));
    KIT_SYS(syscall(SYS_capget, &head, caps));
    caps[CAP_TO_INDEX(CAP_IPC_LOCK)].effective &= ~CAP_TO_MASK(CAP_IPC_LOCK);
    KIT_SYS(syscall(SYS_capset, &head, caps));
}

int
kit_child(void)
{
    int status;
    pid_t pid = kit_fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // which no child inherits
        return 1;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == KIT_STATUS_TOLD)
        _exit(KIT_STATUS_TOLD); // the verdict is there
    if (WIFSIGNALED(status))
        kit_fail("a child of the test was killed by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    kit_fail("a child of the test exited with status %d", WEXITSTATUS(status));
}

void
kit_child_ends(void)
{
    _exit(0);
}
