/* SPDX-License-Identifier: MIT */
/*
 * bench/http.c - a small file over HTTP/1.1 from `pons serve`, asked for by
 * wrk(1): what a user sees, parser and file system included.
 *
 * The command is the one of this program's build or installation, else the one
 * in PATH.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

enum { NOT_FOUND = 127 }; // the shell's word for a program that is not there

/* What wrk said. */
struct answer {
    double requests, seconds;
    double p50_ns, p90_ns, p99_ns, max_ns;
    int errors;
};

/* --- wrk's words --- */

/* "1.23ms": as ns. */
static double
read_time(const char *text)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}};
    char *unit;
    double n = strtod(text, &unit);

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].unit) == 0)
            return n * units[i].ns;
    bench_must(0, "reading a time of wrk's");
    return 0;
}

static void
read_line(struct answer *a, const char *line)
{
    char one[32], two[32];

    if (sscanf(line, " 50%% %31s", one) == 1)
        a->p50_ns = read_time(one);
    else if (sscanf(line, " 90%% %31s", one) == 1)
        a->p90_ns = read_time(one);
    else if (sscanf(line, " 99%% %31s", one) == 1)
        a->p99_ns = read_time(one);
    else if (sscanf(line, " Latency %*s %*s %31s", one) == 1 &&
             strcmp(one, "Distribution") != 0)
        a->max_ns = read_time(one);
    else if (sscanf(line, " %lf requests in %31[^,]", &a->requests, two) == 2)
        a->seconds = read_time(two) / 1e9;
    else if (strstr(line, "Socket errors:") || strstr(line, "Non-2xx"))
        a->errors = 1;
}

/* The exit status of the shell. */
static int
ask(struct answer *a, int port, int seconds)
{
    char command[160], line[256];
    int status;
    FILE *f;

    snprintf(command, sizeof command,
             "exec wrk -t1 -c50 -d%ds --latency http://127.0.0.1:%d/1k "
             "2>/dev/null",
             seconds, port);
    f = popen(command, "re"); // on the processor this process is on
    bench_must(f != NULL, "popen");
    while (fgets(line, sizeof line, f))
        read_line(a, line);
    status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the site --- */

/* The folder that the build, or the installation, has put beside this program.
 * To be freed. */
static char *
site_path(void)
{
    const char *beside = server_beside("site");
    char *path = beside ? strdup(beside) : NULL;

    bench_must(path && access(path, X_OK) == 0,
               "finding the folder site beside this program");
    return path;
}

static const char *
command_path(void)
{
    static const char *const places[] = {"../pons", "../../../bin/pons"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *path = server_beside(places[i]);

        if (path && access(path, X_OK) == 0)
            return path;
    }
    return "pons";
}

/* --- the case --- */

/* 0; -1: there is no command. */
static int
serve_start(struct server *s)
{
    char line[512], *port;
    char *site = site_path();
    char *argv[] = {(char *)command_path(), (char *)"serve", site, NULL};
    int there = server_start(s, argv, line, sizeof line) == 0;

    free(site);
    if (!there)
        return -1;
    port = strstr(line, "http://127.0.0.1:");
    bench_must(port && sscanf(port, "http://127.0.0.1:%d", &s->port) == 1,
               "the address of `pons serve`");
    return 0;
}

static void
figures(struct bench_run *r, const struct answer *a)
{
    bench_must(a->requests > 0 && !a->errors, "wrk, without errors,");
    bench_value(r, "wall", "ns", a->seconds * 1e9 / a->requests);
    bench_value(r, "p50", "ns", a->p50_ns);
    bench_value(r, "p90", "ns", a->p90_ns);
    bench_value(r, "p99", "ns", a->p99_ns);
    bench_value(r, "max", "ns", a->max_ns);
}

static void
fifty(struct bench_run *r)
{
    struct answer a = {0};
    struct server_used before;
    struct server server;
    int status;

    if (serve_start(&server) < 0) {
        bench_skip(r, "pons is neither beside this program nor in PATH");
        return;
    }
    server_read(&server, &before);
    status = ask(&a, server.port, bench_is_quick(r) ? 1 : 2);
    if (status == NOT_FOUND) {
        bench_skip(r, "wrk is not in PATH (Debian: wrk)");
    } else {
        bench_must(status == 0, "wrk");
        figures(r, &a);
        server_values(&server, r, &before, (uint64_t)a.requests);
    }
    server_end(&server, SIGTERM);
}

static const struct bench_case cases[] = {
    /* A second warms enough. */
    {.name = "wrk 50 conn", .run = fifty, .cold = 1, .heavy = 1},
    {0},
};

static const struct bench_workload http_workload = {
    .name = "http",
    .subject = "pons",
    .measures = "a request for a file of 1 KiB over HTTP/1.1 with keep-alive; "
                "the server's own time is `server cpu`",
    .how = "`pons serve` on a processor for each of its workers, as far as "
           "there are, wrk with 50 connections on another, for seconds",
    .silent = "other servers; large files; more connections than 50; wrk's "
              "latencies leave out what it did not ask for while it waited",
    .axes = BENCH_REACTOR | BENCH_POOL | BENCH_WORKERS,
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&http_workload, NULL}, argc,
        argv);
}
