/* SPDX-License-Identifier: MIT */
/*
 * kit/tests.c - all tables of tests: a new one is two lines here. A kind of
 * engine with rules of its own is two tables and a case.
 */

#include "tests.h"

extern const struct kit_test kit_open_tests[], kit_refusal_tests[],
    kit_batch_tests[], kit_virtual_tests[], kit_poll_tests[], kit_wake_tests[],
    kit_end_tests[], kit_many_tests[], kit_error_tests[], kit_limit_tests[],
    kit_cancel_tests[], kit_race_tests[], kit_owner_tests[], kit_stream_tests[],
    kit_blocking_tests[], kit_connect_tests[], kit_packet_tests[],
    kit_watch_tests[], kit_kind_tests[], kit_system_tests[], kit_storm_tests[],
    kit_thrift_tests[], kit_close_tests[], kit_multi_accept_tests[],
    kit_multi_recv_tests[], kit_multi_lent_tests[], kit_multi_poll_tests[],
    kit_multi_tests[], kit_nested_tests[], kit_wait_tests[], kit_report_tests[],
    kit_declared_tests[], kit_pool_open_tests[], kit_pool_refusal_tests[],
    kit_pool_job_tests[], kit_pool_answer_tests[], kit_pool_bound_tests[],
    kit_pool_growth_tests[], kit_pool_idle_tests[], kit_pool_lock_tests[],
    kit_pool_close_tests[], kit_send_zc_tests[];

/* What a poller reports is what the ops over it are told; events come by poll;
 * and tests of anything else cancel the ops that are left. */
#define REPORTS "control level edge error cookie"
#define EVENTS  REPORTS " R7"
#define OPS     EVENTS " R2 R3 R5"

// clang-format off
static const struct kit_rule reactor_rules[] = {
    {"R1", "owner", OPS},
    {"R2", "lifetime", EVENTS " R3"},
    {"R3", "once", EVENTS},
    {"R4", "no fail", OPS},
    {"R5", "cancel", EVENTS " R2 R3"},
    {"R6", "batched", OPS},
    {"R7", "poll", REPORTS},
    {"R8", "wake", OPS},
    {"R9", "results", OPS},
    {"R10", "multishot", EVENTS " R3"},
    {"R11", "timers", REPORTS},
    {"R12", "thrift", OPS},
    {"R13", "virtual", OPS},
    {"R14", "close", OPS " R11"},
    {"R15", "refusal", NULL},
    {"control", "(poller)", NULL},
    {"level", "(poller)", NULL},
    {"edge", "(poller)", NULL},
    {"error", "(poller)", NULL},
    {"cookie", "(poller)", NULL},
    {0},
};

/* Of a policy that refuses jobs at will nothing else can be told; of one that
 * leaves them waiting not how many run at once. */
static const struct kit_rule pool_rules[] = {
    {"B1", "bounds", "B3 B4"},
    {"B2", "no strand", "B3"},
    {"B3", "refusals", NULL},
    {"B4", "growth", "B3"},
    {"B5", "idle", "B3"},
    {"B6", "answers", "B3"},
    {"B7", "here", "B3"},
    {"B8", "lock", "B3"},
    {"B9", "borrowed", "B3"},
    {"B10", "open", NULL},
    {"B11", "close", "B3"},
    {0},
};
// clang-format on

/* Of pollers, too: the core's adapter makes reactors of them. */
#define OF_REACTORS                                                            \
    kit_poll_tests, kit_end_tests, kit_cancel_tests, kit_race_tests,           \
        kit_wake_tests, kit_error_tests, kit_limit_tests, kit_many_tests,      \
        kit_owner_tests, kit_thrift_tests, kit_stream_tests,                   \
        kit_blocking_tests, kit_connect_tests, kit_packet_tests,               \
        kit_watch_tests, kit_kind_tests, kit_system_tests, kit_declared_tests, \
        kit_send_zc_tests, kit_storm_tests, kit_close_tests,                   \
        kit_multi_accept_tests, kit_multi_recv_tests, kit_multi_lent_tests,    \
        kit_multi_poll_tests, kit_multi_tests, kit_nested_tests,               \
        kit_batch_tests, kit_virtual_tests, kit_refusal_tests

static const struct kit_test *const reactor_tests[] = {kit_open_tests,
                                                       OF_REACTORS, NULL};
static const struct kit_test *const poller_tests[] = {
    kit_open_tests, kit_report_tests, kit_wait_tests, OF_REACTORS, NULL};

static const struct kit_test *const pool_tests[] = {
    kit_pool_open_tests,   kit_pool_refusal_tests,
    kit_pool_growth_tests, kit_pool_answer_tests,
    kit_pool_job_tests,    kit_pool_idle_tests,
    kit_pool_bound_tests,  kit_pool_lock_tests,
    kit_pool_close_tests,  NULL};

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
