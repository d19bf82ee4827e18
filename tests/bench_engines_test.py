#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_engines_test.py - bench/bars.py and bench/engines: their arithmetic,
and what becomes of programs whose figures are known.

    bench_engines_test.py ENGINES [TEST...]
"""

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ENGINES = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs
bars = engines = None

# A program of bench/bench.h: 100 ns an echo, with a strict ring 50.
ECHO = """#!/bin/sh
case $PONS_REACTOR in *strict*) ns=50 ;; *) ns=100 ;; esac
echo "$* PONS_REACTOR=$PONS_REACTOR" >>"$0.words"
echo '{"workload":"echo","case":"c","subject":"s","metric":"server cpu",' \\
    '"unit":"ns","values":['$ns']}'
"""


def load(path):
    """bench/engines as a module; it finds bars.py beside it."""
    sys.path.insert(0, os.path.dirname(path))
    loader = importlib.machinery.SourceFileLoader("engines", path)
    spec = importlib.util.spec_from_loader("engines", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def trial(name, metric="server cpu", **more):
    return engines.Trial(metric, "echo", "case", engines.Subject(name, "s"),
                         **more)


class Arithmetic(unittest.TestCase):
    def test_a_minute_that_is_slow_for_both_changes_no_ratio(self):
        self.assertEqual(bars.paired([11, 110, 22], [10, 100, 20]),
                         [1.1, 1.1, 1.1])

    def test_the_interval_is_that_of_order_statistics(self):
        """As in tables of the sign test."""
        for count, low, high in ((6, 1, 6), (8, 1, 8), (9, 2, 8), (20, 6, 15),
                                 (30, 10, 21), (100, 40, 61)):
            self.assertEqual(bars.interval(range(count, 0, -1)), (low, high))

    def test_too_few_values_have_all_that_was_seen(self):
        self.assertEqual(bars.interval([3, 1, 2]), (1, 3))
        self.assertEqual(bars.interval([3]), (3, 3))

    def test_a_bar_is_met_by_the_median_and_by_what_is_just_allowed(self):
        self.assertTrue(bars.Verdict([9, 1.02, 0], 1.02).met)
        self.assertFalse(bars.Verdict([9, 1.03, 0], 1.02).met)
        self.assertTrue(bars.Verdict([9, 0.95, 0], 0.95, least=True).met)
        self.assertFalse(bars.Verdict([9, 0.94, 0], 0.95, least=True).met)

    def test_beyond_noise_is_beyond_the_interval(self):
        about = [1.1, 1.2, 1.3, 1.2, 1.2, 1.2]
        self.assertFalse(bars.Verdict(about, 1, noise=True).met)
        self.assertTrue(bars.Verdict(about + [0.9] * 4, 1, noise=True).met)
        self.assertFalse(bars.Verdict(about + [0.9] * 4, 1).met)


class Claims(unittest.TestCase):
    def compared(self, kind, ours, floor, series):
        return engines.compared(
            engines.Claim("what", ours, floor, kind, 1), series)

    def test_each_kind_compares_round_by_round(self):
        a, b = trial("a"), trial("b")
        series = {a: [10, 30], b: [5, 10]}
        for kind, wanted in ((engines.RATIO, [2, 3]),
                             (engines.SPEED, [1 / 2, 1 / 3]),
                             (engines.DIFFERENCE, [5, 20]),
                             (engines.ALONE, [10, 30])):
            self.assertEqual(self.compared(kind, a, b, series), wanted)

    def test_only_speed_has_to_be_at_least_something(self):
        a, b = trial("a"), trial("b")
        series = {a: [1], b: [2]}
        for kind, met in ((engines.SPEED, True), (engines.RATIO, True),
                          (engines.DIFFERENCE, True)):
            claim = engines.Claim("what", a, b, kind, 1)
            self.assertEqual(engines.judge(claim, series).met, met)
            self.assertEqual(
                engines.judge(claim, {a: [4], b: [2]}).met, not met)

    def test_a_quotient_is_compared_with_a_quotient(self):
        a, b, c, d = (trial(n) for n in "abcd")
        series = {a: [12, 24], b: [10, 20], c: [4, 8], d: [5, 10]}
        for value in self.compared(engines.RATIO, (a, b), (c, d), series):
            self.assertAlmostEqual(value, 1.5)

    def test_of_several_floors_the_best_counts(self):
        a, b, c = (trial(n) for n in "abc")
        series = {a: [10, 10, 10], b: [8, 8, 8], c: [1, 20, 20]}
        self.assertEqual(self.compared(engines.RATIO, a, [b, c], series),
                         [1.25] * 3)

    def test_what_differs_in_its_metric_alone_is_run_once(self):
        asked = []

        class Bench:
            def run(self, one):
                asked.append(one.count)
                return {"server cpu": 1, "wall": 2}

        one, two = trial("a"), trial("a", metric="wall")
        counted = trial("a", count="calls")
        series = engines.measure(Bench(), [one, two, counted], 2)
        self.assertEqual(series, {one: [1, 1], two: [2, 2], counted: [1, 1]})
        self.assertEqual(sorted(asked, key=str), [None, None, "calls", "calls"])

    def test_start_and_end_are_no_operations_instructions(self):
        class Bench(engines.Bench):
            def counted(self, one, folder, *more):
                ops = 100 if more else 1000
                return 5000 + 7 * ops, ops

        self.assertEqual(Bench(".").instructions(trial("a")), 7)

    def test_the_open_loop_is_for_the_slowest(self):
        class Bench:
            rate = None

            def run(self, one):
                assert one.case == "case" and one.rate is None, one
                return {"wall": 10000 if one.subject.name == "slow" else 100}

        bench = Bench()
        engines.find_capacity(
            bench, [trial(n, metric="p99.9", rate=engines.CAPACITY)._replace(
                case="case open") for n in ("quick", "slow")])
        self.assertAlmostEqual(bench.rate, 70000)


class Command(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons bench ")
        self.addCleanup(shutil.rmtree, self.dir)
        os.mkdir(os.path.join(self.dir, "bench"))
        self.program("echo", ECHO)
        self.program("echo_server")

    def program(self, name, text="#!/bin/sh\n"):
        path = os.path.join(self.dir, "bench", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)

    def engines(self, *words, status=0):
        out = os.path.join(self.dir, "out.json")
        done = subprocess.run(
            [ENGINES, "--build", self.dir, "--rounds", "7", "--json", out,
             *words], capture_output=True, text=True, timeout=LIMIT,
            check=False)
        self.assertEqual(done.returncode, status, done)
        if status:
            return None, done.stderr
        with open(out, encoding="utf-8") as f:
            return [json.loads(line) for line in f], done.stdout

    def test_a_row_is_measured_and_judged(self):
        results, said = self.engines("owner")
        self.assertEqual(len(results), 2)
        for r in results:
            self.assertEqual((r["figure"], r["floor"], r["median"], r["low"],
                              r["high"], r["rounds"], r["allowed"], r["met"]),
                             (100, 50, 2, 2, 2, 7, 1.05, False))
        self.assertEqual(said.count("NOT MET"), 2)
        with open(os.path.join(self.dir, "bench", "echo.words"),
                  encoding="utf-8") as f:
            asked = f.read().splitlines()
        self.assertEqual(len(asked), 7 * 4)
        self.assertEqual(sum("uring:owner=strict" in a.split("PONS_REACTOR=")[1]
                             for a in asked), 14)

    def test_what_is_not_built_is_left_out_and_named(self):
        self.program("peers/go")
        results, said = self.engines("peers")
        self.assertEqual([r["what"] for r in results],
                         ["pons epoll / go", "pons uring / go"])
        self.assertIn("pons epoll / libuv: left out: no peers/libuv", said)

    def test_a_case_that_cannot_run_is_said_with_its_reason(self):
        self.program("echo", "#!/bin/sh\necho '{\"workload\":\"echo\","
                     "\"case\":\"c\",\"subject\":\"s\",\"skipped\":"
                     "\"no such engine here\"}'\n")
        _, said = self.engines("owner", status=1)
        self.assertIn("no such engine here", said)

    def test_wrong_words_are_named(self):
        _, said = self.engines("nonsense", status=2)
        self.assertIn('no row "nonsense"; there are calls, user', said)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_engines_test.py ENGINES [TEST...]")
    ENGINES = os.path.abspath(sys.argv[1])
    engines = load(ENGINES)
    bars = engines.bars
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
