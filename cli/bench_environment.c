/* SPDX-License-Identifier: MIT */
/*
 * cli/bench_environment.c - see cli/bench_environment.h.
 *
 * Features are found by trying (R15); files of /sys and /proc only say why.
 */

#include "bench_environment.h"

#include <dirent.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench_syscalls.h"
#include "core/settings.h"
#include "pons/base.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Our own programs and their floors are built with this one. */
#ifdef __OPTIMIZE__
#define OPTIMIZED ""
#else
#define OPTIMIZED ", not optimized: no figures to go by"
#endif

void
bench_environment_add(struct bench_environment *e, const char *name,
                      const char *format, ...)
{
    struct bench_fact *f = &e->facts[e->count];
    va_list args;

    if (e->count == FACTS_MAX)
        return;
    e->count++;
    f->name = name;
    va_start(args, format);
    vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

/* The first line of a file, without its end. Whether there is one. */
static int
first_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    int there = f && fgets(line, (int)size, f);

    if (f)
        fclose(f);
    if (there)
        line[strcspn(line, "\n")] = '\0';
    return there && *line;
}

/* The value of the first line "KEY : VALUE" of /proc/cpuinfo. */
static int
cpuinfo(const char *key, char *value, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[4096]; // that of the flags is long
    int found = 0;

    while (f && !found && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');

        if (!colon || strncmp(line, key, strlen(key)) != 0)
            continue;
        found = 1;
        snprintf(value, size, "%.*s", (int)strcspn(colon + 1, "\n"),
                 colon + 1 + strspn(colon + 1, " "));
        value[strcspn(value, "\n")] = '\0';
    }
    if (f)
        fclose(f);
    return found;
}

static void
add_kernel(struct bench_environment *e)
{
    struct utsname u;

    if (uname(&u) < 0)
        return;
    bench_environment_add(e, "kernel", "%s %s", u.sysname, u.release);
    bench_environment_add(e, "machine", "%s", u.machine);
}

static void
add_processor(struct bench_environment *e)
{
    char model[128], governor[32];
    cpu_set_t set;
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0
                      ? CPU_COUNT(&set)
                      : 0; // more than a cpu_set_t can hold

    if (!cpuinfo("model name", model, sizeof model) &&
        !first_line("/proc/device-tree/model", model, sizeof model))
        snprintf(model, sizeof model, "unknown");
    bench_environment_add(e, "processor", "%s", model);
    bench_environment_add(e, "cores", "%ld, allowed %d",
                          sysconf(_SC_NPROCESSORS_ONLN), allowed);
    if (first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                   governor, sizeof governor))
        bench_environment_add(e, "governor", "%s", governor);
}

/* Those that slow something down, or are missing; not what is not affected. */
static void
add_mitigations(struct bench_environment *e)
{
    static const char path[] = "/sys/devices/system/cpu/vulnerabilities";
    struct dirent **names = NULL;
    char all[sizeof e->facts->text] = "";
    int count = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char file[512], line[256];
        size_t used = strlen(all);

        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && first_line(file, line, sizeof line) &&
            strcmp(line, "Not affected") != 0) {
            line[strcspn(line, ":;")] = '\0';
            snprintf(all + used, sizeof all - used, "%s%.40s: %.60s",
                     used ? ", " : "", names[i]->d_name, line);
        }
        free(names[i]);
    }
    free(names);
    bench_environment_add(e, "mitigations", "%s",
                          count < 0 ? "unknown"
                          : *all    ? all
                                    : "none needed");
}

/* Whether /proc/cpuinfo has the flag that only guests see. */
static int
is_guest(void)
{
    char flags[4096];

    return cpuinfo("flags", flags, sizeof flags) &&
           strstr(flags, " hypervisor") != NULL;
}

static void
add_virtual_machine(struct bench_environment *e)
{
    char vendor[64], product[64];

    if (first_line("/sys/hypervisor/type", vendor, sizeof vendor)) {
        bench_environment_add(e, "virtual machine", "yes: %s", vendor);
        return;
    }
    if (!first_line("/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor))
        snprintf(vendor, sizeof vendor, "vendor unknown");
    if (!first_line("/sys/class/dmi/id/product_name", product, sizeof product))
        snprintf(product, sizeof product, "product unknown");
    if (is_guest())
        bench_environment_add(e, "virtual machine", "yes: %s, %s", vendor,
                              product);
    else
        bench_environment_add(e, "virtual machine", "no sign of one: %s, %s",
                              vendor, product);
}

static void
add_io_uring(struct bench_environment *e)
{
    struct io_uring_params params = {0};
    long ring = syscall(__NR_io_uring_setup, 1, &params);
    int err = errno;
    char level[16];

    if (ring >= 0) {
        close((int)ring);
        bench_environment_add(e, "io_uring", "allowed");
    } else if (first_line("/proc/sys/kernel/io_uring_disabled", level,
                          sizeof level) &&
               strcmp(level, "0") != 0) {
        bench_environment_add(e, "io_uring",
                              "no: kernel.io_uring_disabled is %s", level);
    } else if (err == ENOMEM) {
        bench_environment_add(e, "io_uring",
                              "no: ENOMEM, as where little memory may be "
                              "locked");
    } else if (err == ENOSYS) {
        bench_environment_add(e, "io_uring",
                              "no: ENOSYS, not in this kernel, or hidden by "
                              "a seccomp filter");
    } else {
        bench_environment_add(e, "io_uring", "no: %s%s", strerrorname_np(err),
                              err == EPERM ? ", as by a seccomp filter" : "");
    }
}

static void
add_system_calls(struct bench_environment *e)
{
    const char *why = bench_syscalls_why_not();

    if (*why)
        bench_environment_add(e, "system calls", "not counted: %s", why);
    else
        bench_environment_add(e, "system calls", "counted by ptrace");
}

static void
write_limit(char *text, size_t size, rlim_t limit, int bytes)
{
    if (limit == RLIM_INFINITY)
        snprintf(text, size, "no limit");
    else if (bytes)
        poni_bytes_write(text, size, limit);
    else
        snprintf(text, size, "%llu", (unsigned long long)limit);
}

/* Programs that need more than the soft one raise it to the hard one. */
static void
add_limit(struct bench_environment *e, const char *name, int which, int bytes)
{
    struct rlimit limit;
    char soft[32], hard[32];

    if (getrlimit((__rlimit_resource_t)which, &limit) < 0)
        return;
    write_limit(soft, sizeof soft, limit.rlim_cur, bytes);
    write_limit(hard, sizeof hard, limit.rlim_max, bytes);
    if (limit.rlim_cur == limit.rlim_max)
        bench_environment_add(e, name, "%s", soft);
    else
        bench_environment_add(e, name, "%s, hard limit %s", soft, hard);
}

struct bench_environment *
bench_environment_new(void)
{
    struct bench_environment *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    add_kernel(e);
    add_processor(e);
    add_mitigations(e);
    add_virtual_machine(e);
    add_io_uring(e);
    add_system_calls(e);
    add_limit(e, "open files", RLIMIT_NOFILE, 0);
    add_limit(e, "locked memory", RLIMIT_MEMLOCK, 1);
    bench_environment_add(e, "pons", "%s", PONS_VERSION);
    bench_environment_add(e, "compiler", "%s", COMPILER OPTIMIZED);
    bench_environment_add(e, "libc", "glibc %s", gnu_get_libc_version());
    return e;
}

void
bench_environment_free(struct bench_environment *e)
{
    free(e);
}
