#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_workloads_test.py - the programs of bench/ themselves: each workload
and floor runs to its end with each reactor, and gives figures that can be.

    bench_workloads_test.py PONS [TEST...]

No figure is judged: machines that run tests do other things, too.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

PONS = ""
LIMIT = 600  # seconds; nothing takes that long unless it hangs

# What there is to be, apart from what later features bring.
WORKLOADS = {
    "accept_storm", "block_on_ready", "block_on_recv", "block_on_spawn",
    "blocking_roundtrip", "blocking_throughput", "cancel_storm",
    "chained_spawn", "echo", "fanin", "file_read", "http", "idle",
    "idle_connections", "null_op", "ping_pong", "sleepers", "spawn_join",
    "spawn_many", "stalls", "timers", "wake_cross", "yield"}
FLOORS = {
    "accept_storm", "block_on_recv", "block_on_spawn", "blocking_roundtrip",
    "echo", "fanin", "file_read", "idle_connections", "spawn_join", "timers",
    "wake_cross", "yield"}
MORE_FLOORS = {"zerocopy"}  # where liburing is

# Why a case may be left out where it could have run.
REASONS = ("too long for --quick", "open files", "descriptors", "io_uring",
           "multishot", "buffer rings", "O_DIRECT", "two processors",
           "wants between 1 and 64 workers", "network namespace")


def bench(*words):
    """The result of one run of each, and the exit status."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("PONS_")}
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        done = subprocess.run(
            [PONS, "bench", "--quick", "--repeat", "1", "--timeout", "60s",
             "--json", out.name, *words], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env=env, timeout=LIMIT,
            stdin=subprocess.DEVNULL, check=False)
        try:
            return json.load(out), done
        except ValueError:
            return None, done


class Workloads(unittest.TestCase):
    def run_all(self, *words):
        result, done = bench(*words)
        self.assertEqual(done.returncode, 0, done.stdout)
        for f in result["figures"]:
            name = [f[k] for k in ("workload", "case", "subject", "reactor",
                                   "pool", "workers")]
            if "uncounted" in f:  # a busy machine; its figures stand beside it
                continue
            if "values" not in f:
                self.assertTrue(any(r in f.get("skipped", "")
                                    for r in REASONS), f)
                continue
            self.assertGreaterEqual(f["median"], 0, name)
            if f["metric"] in ("wall", "ops", "memory", "p50", "server cpu"):
                self.assertGreater(f["median"], 0, name)
        return result

    def test_each_runs_to_its_end_with_each_reactor(self):
        result = self.run_all("--limits")
        names = {k: {w["workload"] for w in result["workloads"]
                     if w["kind"] == k} for k in ("ours", "floor")}
        self.assertEqual(names["ours"], WORKLOADS)
        self.assertEqual(names["floor"] - MORE_FLOORS, FLOORS)
        for w in result["workloads"]:
            for sentence in ("measures", "how", "silent"):
                self.assertTrue(w[sentence], w)
        reactors = {f["reactor"] for f in result["figures"]} - {""}
        self.assertLessEqual({"epoll", "poll"}, reactors)

    def test_each_runs_to_its_end_with_other_numbers_of_workers(self):
        self.run_all("--workers", "0,2", "--reactor", "epoll")

    def test_the_blocking_ones_run_to_their_end_with_each_pool(self):
        result = self.run_all("--reactor", "epoll", "--pool", "all",
                              "blocking_roundtrip", "blocking_throughput")
        pools = {f["pool"] for f in result["figures"]}
        self.assertLessEqual({"elastic", "fixed", "inline"}, pools)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_workloads_test.py PONS [TEST...]")
    PONS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
