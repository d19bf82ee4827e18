/* SPDX-License-Identifier: MIT */
/*
 * kit/tests.c - all tables of tests: a new one is two lines here. A kind of
 * engine with rules of its own is two tables and a case.
 */

#include "tests.h"

extern const struct kit_test kit_open_tests[], kit_refusal_tests[],
    kit_batch_tests[], kit_virtual_tests[], kit_poll_tests[], kit_wake_tests[],
    kit_end_tests[], kit_error_tests[], kit_limit_tests[], kit_cancel_tests[],
    kit_race_tests[], kit_owner_tests[], kit_stream_tests[],
    kit_blocking_tests[], kit_connect_tests[], kit_packet_tests[],
    kit_watch_tests[], kit_kind_tests[], kit_system_tests[], kit_storm_tests[],
    kit_thrift_tests[], kit_close_tests[], kit_wait_tests[],
    kit_report_tests[], kit_pool_open_tests[], kit_pool_refusal_tests[],
    kit_pool_job_tests[], kit_pool_answer_tests[], kit_pool_bound_tests[],
    kit_pool_growth_tests[], kit_pool_idle_tests[], kit_pool_end_tests[],
    kit_pool_lock_tests[];

static const struct kit_rule reactor_rules[] = {
    {"R1", "owner"},         {"R2", "lifetime"},     {"R3", "once"},
    {"R4", "no fail"},       {"R5", "cancel"},       {"R6", "batched"},
    {"R7", "poll"},          {"R8", "wake"},         {"R9", "results"},
    {"R10", "multishot"},    {"R11", "timers"},      {"R12", "thrift"},
    {"R13", "virtual"},      {"R14", "close"},       {"R15", "refusal"},
    {"control", "(poller)"}, {"level", "(poller)"},  {"edge", "(poller)"},
    {"error", "(poller)"},   {"cookie", "(poller)"}, {0},
};

static const struct kit_rule pool_rules[] = {
    {"B1", "bounds"}, {"B2", "no strand"}, {"B3", "refusals"},
    {"B4", "growth"}, {"B5", "idle"},      {"B6", "answers"},
    {"B7", "here"},   {"B8", "lock"},      {"B9", "borrowed"},
    {"B10", "open"},  {"B11", "close"},    {0},
};

/* Of pollers, too: the core's adapter makes reactors of them. */
#define OF_REACTORS                                                          \
    kit_poll_tests, kit_wake_tests, kit_end_tests, kit_error_tests,          \
        kit_limit_tests, kit_cancel_tests, kit_race_tests, kit_owner_tests,  \
        kit_stream_tests, kit_blocking_tests, kit_connect_tests,             \
        kit_packet_tests, kit_watch_tests, kit_kind_tests, kit_system_tests, \
        kit_storm_tests, kit_thrift_tests, kit_close_tests, kit_batch_tests, \
        kit_virtual_tests, kit_refusal_tests

static const struct kit_test *const reactor_tests[] = {kit_open_tests,
                                                       OF_REACTORS, NULL};
static const struct kit_test *const poller_tests[] = {
    kit_open_tests, kit_wait_tests, kit_report_tests, OF_REACTORS, NULL};

static const struct kit_test *const pool_tests[] = {
    kit_pool_open_tests,   kit_pool_refusal_tests,
    kit_pool_growth_tests, kit_pool_answer_tests,
    kit_pool_job_tests,    kit_pool_idle_tests,
    kit_pool_bound_tests,  kit_pool_end_tests,
    kit_pool_lock_tests,   NULL};

static const struct kit_rule no_rules[] = {{0}};
static const struct kit_test *const no_tests[] = {NULL};

const struct kit_rule *
kit_rules(uint32_t kind)
{
    switch (kind) {
    case PONS_KIND_REACTOR:
    case PONS_KIND_POLLER:
        return reactor_rules;
    case PONS_KIND_POOL:
        return pool_rules;
    default:
        return no_rules;
    }
}

const struct kit_test *const *
kit_tests(uint32_t kind)
{
    switch (kind) {
    case PONS_KIND_REACTOR:
        return reactor_tests;
    case PONS_KIND_POLLER:
        return poller_tests;
    case PONS_KIND_POOL:
        return pool_tests;
    default:
        return no_tests;
    }
}
