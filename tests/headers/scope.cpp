/* SPDX-License-Identifier: MIT */
/*
 * tests/headers/scope.cpp - the headers' C++: pons::scope closes by itself, and
 * a task that it spawns was born at its caller's line.
 */

#include <pons/pons.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

static pons_completion gate;
static int64_t ended;

static void
check(bool holds, const char *what, int line)
{
    if (holds)
        return;
    std::fprintf(stderr, "scope.cpp:%d: %s\n", line, what);
    std::exit(1);
}

#define CHECK(x) check(x, #x, __LINE__)

static int64_t
wait_at_gate(void *)
{
    ended = pons_await(&gate.base);
    return 0;
}

static std::string
dump()
{
    char *text = nullptr;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    std::string all;

    CHECK(pons_dump(pons_runtime_current(), out) == 0);
    std::fclose(out);
    all.assign(text, size);
    std::free(text);
    return all;
}

static int64_t
body(void *)
{
    pons_completion_init(&gate);
    {
        pons::scope scope;
        int line = __LINE__ + 1;
        CHECK(scope.spawn(wait_at_gate, nullptr) == 0);
        std::string here = "scope.cpp:" + std::to_string(line) + ":";

        CHECK(dump().find(here) != std::string::npos);
        CHECK(pons_completion_complete(&gate, 7) == 0);
    }
    CHECK(ended == 7);
    {
        pons::scope scope(pons_after_ms(1));

        pons_completion_init(&gate);
        CHECK(scope.spawn(wait_at_gate, nullptr) == 0);
        CHECK(scope.close() == -ETIME);
        CHECK(ended == -ECANCELED);
    }
    CHECK(pons_place("a.cpp", 7) == pons_place("a.cpp", 7));
    CHECK(pons_place("a.cpp", 7) == std::string("a.cpp:7"));
    CHECK(pons_place("b.cpp", 7) == std::string("b.cpp:7"));
    CHECK(pons_place("a.cpp", 4294967295u) == std::string("a.cpp:4294967295"));
    return 0;
}

int
main()
{
    pons_settings settings = PONS_SETTINGS_INIT;
    pons_runtime *rt;
    int64_t answer = 1;

    settings.flags = PONS_NO_ENVIRONMENT;
    settings.workers = "1";
    CHECK(pons_runtime_new(&rt, &settings) == 0);
    CHECK(pons_block_on(rt, body, nullptr, &answer) == 0);
    pons_runtime_unref(rt);
    return (int)answer;
}
