/* SPDX-License-Identifier: MIT */
/*
 * tests/file_test.c - files and names: each call does and says what the system
 * call does, in each form, wherever it is made.
 *
 * The system call is made in one folder and ours in its twin.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "everywhere.h"
#include "pons/file.h"
#include "refused.h"
#include "scratch.h"

/* How the calls of a body are made. */
static enum form { CALLED, AWAITED, SPAWNED } form;

static int64_t
run_future(struct pons_future *f)
{
    struct pons_task *t;
    int64_t result;

    if (form == AWAITED || pons_runtime_current() == NULL)
        return pons_await(f);
    CHECK_EQ(pons_spawn_future(NULL, f, &t), 0);
    CHECK_EQ(pons_join(t, &result), 0);
    return result;
}

/* OURS(fsync, fd) */
#define OURS(name, ...)                                                   \
    (form == CALLED ? (int64_t)pons_##name(__VA_ARGS__) : __extension__({ \
        struct pons_##name f_;                                            \
        pons_##name##_init(&f_, __VA_ARGS__);                             \
        run_future(&f_.base);                                             \
    }))

/* What a system call said, as we say it. */
static int64_t
said(int64_t n)
{
    return n < 0 ? -errno : n;
}

/* The twins: what is done with the system's calls, and with ours. */
static int theirs, ours;

static int
folder(const char *name)
{
    char *path = scratch_path(name);
    int fd;

    CHECK_EQ(mkdir(path, 0755), 0);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    free(path);
    return fd;
}

static void
in_each_form(void (*body)(void *), int with_thread)
{
    static int n;
    char name[32];

    for (form = CALLED; form <= SPAWNED; form++) {
        snprintf(name, sizeof name, "theirs%d", n);
        theirs = folder(name);
        snprintf(name, sizeof name, "ours%d", n++);
        ours = folder(name);
        with_thread ? everywhere(body, NULL) : everywhere_in_fibers(body, NULL);
        close(theirs);
        close(ours);
    }
}

/* The same by io_uring beside each reactor. */
static void
in_each_form_beside(void (*body)(void *))
{
    if (everywhere_beside("uring"))
        in_each_form(body, 0);
}

/* --- descriptors --- */

static void
open_body(void *arg)
{
    static const struct {
        const char *path;
        int flags;
        unsigned mode;
    } rows[] = {
        {"none", O_RDONLY, 0},
        {"new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640},
        {"new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640},
        {"new", O_RDONLY | O_DIRECTORY, 0},
        {"new", O_WRONLY | O_CLOEXEC, 0},
        {"new/below", O_RDONLY, 0},
        {"", O_RDONLY, 0},
        {".", O_RDWR, 0},
    };
    struct stat in_theirs, in_ours;

    (void)arg;
    (void)unlinkat(theirs, "new", 0);
    (void)unlinkat(ours, "new", 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t want =
            said(openat(theirs, rows[i].path, rows[i].flags, rows[i].mode));
        int64_t fd =
            OURS(openat, ours, rows[i].path, rows[i].flags, rows[i].mode);

        if (want < 0) {
            CHECK_EQ(fd, want);
            continue;
        }
        CHECK(fd >= 0);
        CHECK_EQ(fcntl((int)fd, F_GETFD), fcntl((int)want, F_GETFD));
        CHECK_EQ(fcntl((int)fd, F_GETFL), fcntl((int)want, F_GETFL));
        CHECK_EQ(fstat((int)want, &in_theirs), 0);
        CHECK_EQ(fstat((int)fd, &in_ours), 0);
        CHECK_EQ(in_ours.st_mode, in_theirs.st_mode);
        CHECK_EQ(close((int)want), 0);
        CHECK_EQ(OURS(close, (int)fd), 0);
        CHECK_EQ(fcntl((int)fd, F_GETFD), -1);
    }
    CHECK_EQ(OURS(close, -1), -EBADF);
    CHECK_EQ(OURS(openat, -1, "x", O_RDONLY, 0), -EBADF);
}

static void
files_are_opened_and_closed(void)
{
    in_each_form(open_body, 1);
    in_each_form_beside(open_body);
}

/* --- bytes --- */

static int
open_both(int *fd_theirs, int *fd_ours, const char *name)
{
    *fd_theirs =
        openat(theirs, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    *fd_ours = openat(ours, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(*fd_theirs >= 0 && *fd_ours >= 0);
    return 0;
}

static void
same_bytes(int a, int b)
{
    char in_a[64], in_b[64];
    ssize_t n = pread(a, in_a, sizeof in_a, 0);

    CHECK(n >= 0);
    CHECK_EQ(pread(b, in_b, sizeof in_b, 0), n);
    CHECK_EQ(memcmp(in_a, in_b, (size_t)n), 0);
}

static void
bytes_body(void *arg)
{
    char text[16], *volatile nowhere = NULL;
    struct iovec out[2] = {{"ab", 2}, {"cde", 3}};
    struct iovec in[2] = {{text, 3}, {text + 3, 13}};
    int a, b, readable;

    (void)arg;
    open_both(&a, &b, "bytes");
    CHECK_EQ(OURS(pwrite, b, "hello", 5, 3), said(pwrite(a, "hello", 5, 3)));
    CHECK_EQ(OURS(pwritev, b, out, 2, 10, 0), said(pwritev(a, out, 2, 10)));
    same_bytes(a, b);
    CHECK_EQ(OURS(pread, b, text, 16, 2), said(pread(a, text, 16, 2)));
    CHECK_EQ(OURS(pread, b, text, 4, 3), 4);
    CHECK_EQ(memcmp(text, "hell", 4), 0);
    CHECK_EQ(OURS(preadv, b, in, 2, 9, 0), said(preadv(a, in, 2, 9)));
    CHECK_EQ(memcmp(text, "\0abcde", 6), 0);
    CHECK_EQ(OURS(pread, b, text, 1, 99), 0);
    CHECK_EQ(OURS(pwritev, b, out, 2, 0, RWF_APPEND),
             said(pwritev2(a, out, 2, 0, RWF_APPEND)));
    same_bytes(a, b);
    CHECK_EQ(OURS(pread, b, nowhere, 4, 0), said(pread(a, nowhere, 4, 0)));
    CHECK_EQ(OURS(preadv, b, in, 5000, 0, 0), -EINVAL);
    CHECK_EQ(OURS(pread, -1, text, 1, 0), -EBADF);
    CHECK_EQ(OURS(pwrite, -1, text, 1, 0), -EBADF);
    CHECK_EQ(OURS(pread, b, text, 1, -1), -EINVAL);
    CHECK_EQ(OURS(pwrite, b, text, 1, -1), -EINVAL);
    CHECK_EQ(OURS(preadv, b, in, 1, -1, 0), -EINVAL);
    CHECK_EQ(OURS(pwritev, b, in, 1, -2, 0), -EINVAL);
    CHECK_EQ(OURS(preadv, b, in, 1, 0, RWF_NOWAIT), -EINVAL);
    CHECK_EQ(OURS(pwritev, b, in, 1, 0, RWF_NOWAIT), -EINVAL);
    readable = openat(ours, "bytes", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(OURS(pwrite, readable, "x", 1, 0), -EBADF);
    CHECK_EQ(OURS(pread, ours, text, 1, 0), -EISDIR);
    CHECK_EQ(lseek(b, 0, SEEK_CUR), 0); // where it stood
    close(readable);
    close(a);
    close(b);
}

static void
bytes_are_read_and_written_at_an_offset(void)
{
    in_each_form(bytes_body, 1);
    in_each_form_beside(bytes_body);
}

static void
pipe_body(void *arg)
{
    int fds[2];
    char c;

    (void)arg;
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(OURS(pread, fds[0], &c, 1, 0), -ESPIPE);
    CHECK_EQ(OURS(pwrite, fds[1], "x", 1, 0), -ESPIPE);
    CHECK_EQ(OURS(pread, fds[0], &c, 1, -1), -EINVAL); // it would wait
    CHECK_EQ(OURS(fsync, fds[0]), -EINVAL);
    close(fds[0]);
    close(fds[1]);
}

static void
a_pipe_has_no_offsets(void)
{
    in_each_form(pipe_body, 1);
    in_each_form_beside(pipe_body);
}

static void
size_body(void *arg)
{
    struct stat st;
    int a, b;

    (void)arg;
    open_both(&a, &b, "size");
    CHECK_EQ(OURS(fsync, b), 0);
    CHECK_EQ(OURS(fdatasync, b), 0);
    CHECK_EQ(OURS(fsync, -1), -EBADF);
    CHECK_EQ(OURS(fdatasync, -1), -EBADF);
    CHECK_EQ(OURS(ftruncate, b, 77), 0);
    CHECK_EQ(fstat(b, &st), 0);
    CHECK_EQ(st.st_size, 77);
    CHECK_EQ(OURS(ftruncate, b, -1), said(ftruncate(a, -1)));
    CHECK_EQ(OURS(ftruncate, -1, 1), -EBADF);
    CHECK_EQ(OURS(fallocate, b, 0, 100, 28), said(fallocate(a, 0, 100, 28)));
    CHECK_EQ(fstat(b, &st), 0);
    CHECK_EQ(st.st_size, 128);
    CHECK_EQ(OURS(fallocate, b, FALLOC_FL_KEEP_SIZE, 0, 5000),
             said(fallocate(a, FALLOC_FL_KEEP_SIZE, 0, 5000)));
    CHECK_EQ(fstat(b, &st), 0);
    CHECK_EQ(st.st_size, 128);
    CHECK_EQ(OURS(fallocate, b, 0, 0, 0), -EINVAL);
    CHECK_EQ(OURS(fallocate, b, 0, -1, 5), said(fallocate(a, 0, -1, 5)));
    CHECK_EQ(OURS(fallocate, b, 1 << 20, 0, 5),
             said(fallocate(a, 1 << 20, 0, 5)));
    close(a);
    close(b);
}

static void
sizes_are_set_and_files_are_synced(void)
{
    in_each_form(size_body, 1);
    in_each_form_beside(size_body);
}

/* --- by the reactor itself, where libuv is: by its threads --- */

static void
by_libuv_body(void *arg)
{
    for (form = CALLED; form <= SPAWNED; form++) {
        open_body(arg);
        bytes_body(arg);
        pipe_body(arg);
        size_body(arg);
    }
}

static void
results_are_the_same_of_a_reactor_that_does_files(void)
{
    const char *const *r = reactors_here();

    while (*r != NULL && strcmp(*r, "libuv") != 0)
        r++;
    if (*r == NULL)
        SKIP("libuv is not built");
    theirs = folder("theirs");
    ours = folder("ours");
    within("libuv:files=libuv", "0", by_libuv_body, NULL);
    within("libuv:files=libuv", "2", by_libuv_body, NULL);
    close(theirs);
    close(ours);
}

/* --- names --- */

static void
touch(const char *name)
{
    close(openat(theirs, name, O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
    close(openat(ours, name, O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
}

static void
statx_body(void *arg)
{
    struct statx a = {0}, b = {0};

    (void)arg;
    touch("x");
    CHECK_EQ(OURS(statx, ours, "x", 0, STATX_BASIC_STATS, &b),
             statx(theirs, "x", 0, STATX_BASIC_STATS, &a));
    CHECK_EQ(b.stx_mode, a.stx_mode);
    CHECK_EQ(b.stx_nlink, 1);
    CHECK_EQ(b.stx_mask, a.stx_mask);
    CHECK_EQ(OURS(statx, ours, "", AT_EMPTY_PATH, STATX_TYPE, &b), 0);
    CHECK(S_ISDIR(b.stx_mode));
    CHECK_EQ(OURS(statx, ours, "", 0, STATX_TYPE, &b), -ENOENT);
    CHECK_EQ(OURS(statx, ours, "none", 0, STATX_TYPE, &b), -ENOENT);
    CHECK_EQ(OURS(statx, ours, "x", 1 << 30, STATX_TYPE, &b),
             said(statx(theirs, "x", 1 << 30, STATX_TYPE, &a)));
    CHECK_EQ(OURS(statx, ours, "x", 0, STATX__RESERVED, &b),
             said(statx(theirs, "x", 0, STATX__RESERVED, &a)));
    CHECK_EQ(OURS(statx, -1, "x", 0, STATX_TYPE, &b), -EBADF);
}

static int
there(const char *name)
{
    return faccessat(ours, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
names_body(void *arg)
{
    char target[16] = "";

    (void)arg;
    touch("one");
    CHECK_EQ(OURS(linkat, ours, "one", ours, "two", 0), 0);
    CHECK_EQ(OURS(linkat, ours, "one", ours, "two", 0), -EEXIST);
    CHECK_EQ(OURS(linkat, ours, "none", ours, "new", 0), -ENOENT);
    CHECK_EQ(OURS(linkat, ours, "one", ours, "new", 1 << 30), -EINVAL);
    CHECK_EQ(OURS(symlinkat, "two", ours, "sign"), 0);
    CHECK_EQ(OURS(symlinkat, "two", ours, "sign"), -EEXIST);
    CHECK_EQ(OURS(symlinkat, "", ours, "sign"), -ENOENT);
    CHECK_EQ(readlinkat(ours, "sign", target, sizeof target), 3);
    CHECK_EQ(memcmp(target, "two", 3), 0);
    CHECK_EQ(OURS(mkdirat, ours, "box", 0700), 0);
    CHECK_EQ(OURS(mkdirat, ours, "box", 0700), -EEXIST);
    CHECK_EQ(OURS(mkdirat, ours, "none/box", 0700), -ENOENT);
    CHECK_EQ(OURS(renameat, ours, "two", ours, "box/two", 0), 0);
    CHECK(!there("two") && there("box/two"));
    CHECK_EQ(OURS(renameat, ours, "one", ours, "box/two", RENAME_NOREPLACE),
             -EEXIST);
    CHECK_EQ(OURS(renameat, ours, "one", ours, "none/x", 0), -ENOENT);
    CHECK_EQ(OURS(renameat, ours, "one", theirs, "one", 0), 0);
    CHECK(!there("one"));
    CHECK_EQ(OURS(unlinkat, ours, "box", 0), -EISDIR);
    CHECK_EQ(OURS(unlinkat, ours, "box", AT_REMOVEDIR), -ENOTEMPTY);
    CHECK_EQ(OURS(unlinkat, ours, "box/two", 0), 0);
    CHECK_EQ(OURS(unlinkat, ours, "box", AT_REMOVEDIR), 0);
    CHECK_EQ(OURS(unlinkat, ours, "sign", 0), 0);
    CHECK_EQ(OURS(unlinkat, ours, "sign", 0), -ENOENT);
    CHECK_EQ(OURS(unlinkat, -1, "sign", 0), -EBADF);
    CHECK_EQ(OURS(mkdirat, -1, "sign", 0), -EBADF);
    CHECK(!there("box") && !there("sign"));
}

static void
files_are_looked_at(void)
{
    in_each_form(statx_body, 1);
    in_each_form_beside(statx_body);
}

static void
names_are_made_moved_and_removed(void)
{
    in_each_form(names_body, 1);
    in_each_form_beside(names_body);
}

/* --- splice --- */

static void
splice_body(void *arg)
{
    char text[8];
    int a, b, fds[2];

    (void)arg;
    open_both(&a, &b, "splice");
    CHECK_EQ(pwrite(b, "abcdef", 6, 0), 6);
    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(OURS(splice, b, 2, fds[1], -1, 3, 0), 3);
    CHECK_EQ(read(fds[0], text, sizeof text), 3);
    CHECK_EQ(memcmp(text, "cde", 3), 0);
    CHECK_EQ(OURS(splice, b, -1, fds[1], -1, 2, 0), 2); // the file moves on
    CHECK_EQ(lseek(b, 0, SEEK_CUR), 2);
    CHECK_EQ(OURS(splice, fds[0], -1, b, 8, 9, 0), 2);
    CHECK_EQ(pread(b, text, 8, 6), 4);
    CHECK_EQ(memcmp(text, "\0\0ab", 4), 0);
    CHECK_EQ(OURS(splice, b, 99, fds[1], -1, 1, 0), 0);
    CHECK_EQ(OURS(splice, b, 0, a, 0, 1, 0), -EINVAL); // no pipe
    CHECK_EQ(OURS(splice, fds[0], 0, b, 0, 1, 0), -ESPIPE);
    CHECK_EQ(OURS(splice, b, -2, fds[1], -1, 1, 0), -EINVAL);
    CHECK_EQ(OURS(splice, -1, -1, fds[1], -1, 1, 0), -EBADF);
    CHECK_EQ(OURS(splice, b, 0, fds[1], -1, 1, SPLICE_F_NONBLOCK), -EINVAL);
    close(fds[0]);
    CHECK_EQ(OURS(splice, b, 0, fds[1], -1, 1, 0), -EPIPE); // no SIGPIPE
    close(fds[1]);
    close(a);
    close(b);
}

static void
bytes_are_spliced(void)
{
    in_each_form(splice_body, 1);
    in_each_form_beside(splice_body);
}

static int64_t
write_one(void *fd)
{
    let_others_run();
    return write(*(int *)fd, "x", 1);
}

static void
splice_waits_body(void *arg)
{
    int from[2], to[2];
    struct agent a;
    char c;

    (void)arg;
    CHECK_EQ(pipe2(from, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(pipe2(to, O_CLOEXEC | O_NONBLOCK), 0);
    agent_start(&a, write_one, &from[1]);
    CHECK_EQ(OURS(splice, from[0], -1, to[1], -1, 4, 0), 1);
    CHECK_EQ(agent_join(&a), 1);
    CHECK_EQ(read(to[0], &c, 1), 1);
    for (int i = 0; i < 2; i++) {
        close(from[i]);
        close(to[i]);
    }
}

static void
splice_waits_where_a_descriptor_would_not(void)
{
    in_each_form(splice_waits_body, 1);
    in_each_form_beside(splice_waits_body);
}

/* --- in a poll --- */

static void
calls_of_ours(struct pons_stream *s)
{
    struct statx st;
    char c;

    (void)s;
    CHECK_EQ(pons_openat(AT_FDCWD, "x", O_RDONLY, 0), -EDEADLK);
    CHECK_HAS(pons_last_error(), "struct pons_openat");
    CHECK_EQ(pons_close(-1), -EDEADLK);
    CHECK_EQ(pons_pread(-1, &c, 1, 0), -EDEADLK);
    CHECK_EQ(pons_pwrite(-1, &c, 1, 0), -EDEADLK);
    CHECK_EQ(pons_preadv(-1, NULL, 0, 0, 0), -EDEADLK);
    CHECK_EQ(pons_pwritev(-1, NULL, 0, 0, 0), -EDEADLK);
    CHECK_EQ(pons_fsync(-1), -EDEADLK);
    CHECK_EQ(pons_fdatasync(-1), -EDEADLK);
    CHECK_EQ(pons_fallocate(-1, 0, 0, 1), -EDEADLK);
    CHECK_EQ(pons_ftruncate(-1, 0), -EDEADLK);
    CHECK_EQ(pons_splice(-1, -1, -1, -1, 1, 0), -EDEADLK);
    CHECK_EQ(pons_statx(-1, "x", 0, 0, &st), -EDEADLK);
    CHECK_EQ(pons_renameat(-1, "x", -1, "y", 0), -EDEADLK);
    CHECK_EQ(pons_unlinkat(-1, "x", 0), -EDEADLK);
    CHECK_EQ(pons_mkdirat(-1, "x", 0), -EDEADLK);
    CHECK_EQ(pons_linkat(-1, "x", -1, "y", 0), -EDEADLK);
    CHECK_EQ(pons_symlinkat("x", -1, "y"), -EDEADLK);
}

static void
calls_inside_poll_are_refused(void)
{
    refused_inside_poll(calls_of_ours);
}

static void
sentence_body(void *arg)
{
    (void)arg;
    CHECK_EQ(pons_openat(ours, "none", O_RDONLY, 0), -ENOENT);
    CHECK_HAS(pons_last_error(), "openat");
    CHECK_HAS(pons_last_error(), "No such file");
    CHECK_EQ(pons_pread(-1, NULL, 0, 0), -EBADF);
    CHECK_HAS(pons_last_error(), "pread");
}

static void
failures_leave_a_sentence(void)
{
    ours = folder("sentence");
    everywhere(sentence_body, NULL);
    close(ours);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(files_are_opened_and_closed),
    TEST(bytes_are_read_and_written_at_an_offset),
    TEST(a_pipe_has_no_offsets),
    TEST(sizes_are_set_and_files_are_synced),
    TEST(results_are_the_same_of_a_reactor_that_does_files),
    TEST(files_are_looked_at),
    TEST(names_are_made_moved_and_removed),
    TEST(bytes_are_spliced),
    TEST(splice_waits_where_a_descriptor_would_not),
    TEST(calls_inside_poll_are_refused),
    TEST(failures_leave_a_sentence),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("file", tests, argc, argv);
}
