/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_multi_accept.c - R10: one accept, many connections.
 */

#include "multi.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BURST = 5, // connections at once
    BURSTS = 40,
    ROUNDS = 500,
    EACH = 3, // connections of a round
};

static struct kit_multi
accept_of(struct pons_reactor *r, int listener, int flags)
{
    struct kit_multi m = kit_multi_of(r, PONS_OP_ACCEPT_MULTI, listener, 0);

    m.how.op_flags = (uint32_t)flags;
    return m;
}

/* --- what is told --- */

static void
accept_check(int fd, int flags)
{
    KIT_EQ((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, (flags & SOCK_CLOEXEC) != 0,
           "close-on-exec of a connection");
    KIT_EQ((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, (flags & SOCK_NONBLOCK) != 0,
           "O_NONBLOCK of a connection");
}

/* Each client hears from the other end of its own connection. */
static void
accept_burst(struct kit_multi *m, const struct sockaddr_in *address)
{
    int clients[BURST], fd;
    char c;

    for (int i = 0; i < BURST; i++) {
        clients[i] = kit_tcp_socket(0);
        kit_connect(clients[i], address);
    }
    for (int i = 0; i < BURST; i++) {
        fd = kit_multi_succeeds(m).res;
        accept_check(fd, (int)m->how.op_flags);
        kit_say(fd, "x");
        close(fd);
    }
    for (int i = 0; i < BURST; i++) {
        KIT_EQ(read(clients[i], &c, 1), 1, "bytes from a connection");
        close(clients[i]);
    }
}

static void
accept_with(struct kit *k, int flags)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    struct kit_multi m = accept_of(r, listener, flags);

    kit_multi_arm(&m);
    for (int i = 0; i < BURSTS; i++)
        accept_burst(&m, &address);
    kit_quiet(r);
    kit_multi_arm(&m); // the last success may have been its last event
    kit_multi_cancel(&m);
    kit_multi_ends(&m, -ECANCELED);
    kit_quiet(r);
    kit_forget(r, listener);
    kit_close(r);
}

static void
accept_plainly(struct kit *k)
{
    accept_with(k, 0);
    accept_with(k, SOCK_NONBLOCK);
    accept_with(k, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* --- cancel --- */

static int
accept_unix_listener(struct sockaddr_un *address, socklen_t *size)
{
    int fd =
        KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    KIT_SYS(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)));
    *size = sizeof *address;
    KIT_SYS(getsockname(fd, (struct sockaddr *)address, size));
    KIT_SYS(listen(fd, EACH));
    return fd;
}

static void
accept_close(int fd, int *count)
{
    (*count)++;
    close(fd);
}

/* What comes until the op has ended; how many connections were told. */
static int
accept_until_end(struct kit_multi *m)
{
    int told = 0;

    while (m->pending) {
        int res = kit_told_next(m->r).res;

        if (res > 0)
            accept_close(res, &told);
        else
            kit_check_result(res, -ECANCELED, "a cancelled \"accept\"");
    }
    return told;
}

/* So many connect before the cancel, the others after it. In every other round
 * one of them is told before. */
static void
accept_round(struct kit_multi *m, const struct sockaddr_un *address,
             socklen_t size, int before, int tell)
{
    int clients[EACH], fd, count = 0;

    kit_multi_arm(m);
    for (int i = 0; i < EACH; i++) {
        if (i == before)
            kit_multi_cancel(m);
        clients[i] = KIT_SYS(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        KIT_SYS(connect(clients[i], (const struct sockaddr *)address, size));
        if (tell && i == 0 && before > 0)
            accept_close(kit_multi_succeeds(m).res, &count);
    }
    if (before == EACH)
        kit_multi_cancel(m);
    count += accept_until_end(m);
    while ((fd = accept4(m->how.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        accept_close(fd, &count);
    KIT_EQ(count, EACH,
           "connections that are told or still there, %d of %d made before a "
           "cancel",
           before, EACH);
    for (int i = 0; i < EACH; i++)
        close(clients[i]);
}

static void
accept_cancelled(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_un address;
    socklen_t size;
    int listener = accept_unix_listener(&address, &size), descriptors = 0;
    struct kit_multi m = accept_of(r, listener, SOCK_CLOEXEC);

    for (int i = 0; i < ROUNDS; i++) {
        accept_round(&m, &address, size, i % (EACH + 1), i / (EACH + 1) % 2);
        if (i == 2 * EACH)
            descriptors = kit_descriptors();
    }
    KIT_EQ(kit_descriptors(), descriptors,
           "descriptors after %d rounds in which all were closed", ROUNDS);
    kit_quiet(r);
    kit_forget(r, listener);
    kit_close(r);
}

/* --- errors --- */

/* So many more than there are; what the limit was. */
static struct rlimit
accept_limit(unsigned more)
{
    int next = KIT_SYS(dup(STDIN_FILENO));
    struct rlimit was, l;

    close(next);
    KIT_SYS(getrlimit(RLIMIT_NOFILE, &was));
    l = was;
    l.rlim_cur = (rlim_t)next + more;
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &l));
    return was;
}

/* Takes the descriptors that are left, EACH at most; how many. */
static int
accept_hog(int hogs[EACH])
{
    int n = 0, fd;

    while ((fd = dup(STDIN_FILENO)) >= 0 && n < EACH)
        hogs[n++] = fd;
    KIT_WANT(fd < 0, "the kit itself has not used up all descriptors");
    return n;
}

static void
accept_no_descriptors(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int listener = kit_tcp_listener(&address, SOCK_NONBLOCK);
    struct kit_multi m = accept_of(r, listener, 0);
    int clients[EACH], hogs[EACH], n;
    struct rlimit was;

    for (int i = 0; i < EACH; i++)
        clients[i] = kit_tcp_socket(0);
    was = accept_limit(EACH);
    kit_multi_arm(&m);
    kit_quiet(r);
    n = accept_hog(hogs);
    for (int i = 0; i < EACH; i++)
        kit_connect(clients[i], &address);
    kit_multi_ends(&m, -EMFILE);
    kit_multi_ends(&m, -EMFILE); // submitted again
    while (n > 0)
        close(hogs[--n]);
    for (int i = 0; i < EACH; i++)
        close(kit_multi_succeeds(&m).res);
    kit_multi_stop(&m);
    KIT_SYS(setrlimit(RLIMIT_NOFILE, &was));
    for (int i = 0; i < EACH; i++)
        close(clients[i]);
    kit_forget(r, listener);
    kit_close(r);
}

static void
accept_refused(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address;
    int blocks = kit_tcp_listener(&address, 0), fds[2];
    struct kit_multi m = accept_of(r, blocks, 0);

    kit_multi_ends(&m, -EINVAL);
    KIT_EQ(fcntl(blocks, F_GETFL) & O_NONBLOCK, 0,
           "O_NONBLOCK of a listener that is refused");
    kit_unix_pair(fds, SOCK_STREAM);
    m = accept_of(r, fds[0], 0); // it does not listen
    kit_multi_ends(&m, -EINVAL);
    m = accept_of(r, -1, 0);
    kit_multi_ends(&m, -EBADF);
    kit_quiet(r);
    kit_close_pair(r, fds);
    kit_forget(r, blocks);
    kit_close(r);
}

#define NEEDS (KIT_IO | KIT_ACCEPT_MULTI)

const struct kit_test kit_multi_accept_tests[] = {
    {"R10", "one accept tells each connection once, with the flags asked for",
     NEEDS, KIT_MULTI_ON, accept_plainly},
    {"R10", "a cancel ends an accept and loses no connection", NEEDS,
     KIT_MULTI_ON " R14", accept_cancelled},
    {"R10", "after EMFILE the connections are still there", NEEDS, KIT_MULTI_ON,
     accept_no_descriptors},
    {"R10", "an accept that the system refuses ends with its errno", NEEDS,
     KIT_MULTI_ON, accept_refused},
    {0},
};
