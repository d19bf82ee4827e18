#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_agree_test.py - bench/agree: which results agree, and how surely.

    bench_agree_test.py AGREE [TEST...]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

AGREE = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs


def figure(case, low, high, subject="pons", metric="wall", count=6):
    return {"workload": "echo", "case": case, "subject": subject,
            "reactor": "", "pool": "", "workers": "", "metric": metric,
            "unit": "ns", "values": [low] * count, "median": 100,
            "low": low, "high": high, "main": metric == "wall"}


class Agree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def result(self, name, *figures):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"workloads": [
                {"workload": "echo", "subject": "pons", "kind": "ours"},
                {"workload": "echo", "subject": "bare", "kind": "floor"},
            ], "figures": list(figures)}, f)
        return path

    def agree(self, *paths):
        done = subprocess.run([AGREE, *paths], capture_output=True, text=True,
                              timeout=LIMIT, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_intervals_are_counted_by_kind_and_width(self):
        path = self.result("a", figure("one", 96, 104), figure("two", 100, 120),
                           figure("one", 91, 101, subject="bare"))
        status, out, _ = self.agree(path)
        self.assertEqual(status, 0)
        self.assertIn("ours   within 5 %: 1 of 2 (50 %),  "
                      "within 10 %: 1 of 2 (50 %),  "
                      "within 20 %: 2 of 2 (100 %)", out)
        self.assertIn("floor  within 5 %: 0 of 1 (0 %),  "
                      "within 10 %: 1 of 1 (100 %)", out)

    def test_intervals_that_meet_agree(self):
        a = self.result("a", figure("one", 90, 100))
        b = self.result("b", figure("one", 100, 110))
        for paths in ((a, b), (b, a)):
            status, out, _ = self.agree(*paths)
            self.assertEqual((status, out.splitlines()[-1]),
                             (0, "agree: 1 of 1 (100 %)"))

    def test_every_two_results_are_held_together(self):
        a = self.result("a", figure("one", 90, 100))
        b = self.result("b", figure("one", 95, 110))
        c = self.result("c", figure("one", 105, 115))
        status, out, _ = self.agree(a, b, c)
        self.assertEqual(status, 1)
        self.assertIn("agree: 0 of 1 (0 %)\n  echo one pons wall: "
                      "100 [90, 100]; 100 [95, 110]; 100 [105, 115]", out)

    def test_one_in_twenty_may_differ(self):
        cases = [str(n) for n in range(20)]
        a = self.result("a", *(figure(c, 90, 100) for c in cases))
        apart = [figure(c, 90, 100) for c in cases[1:]]
        b = self.result("b", figure("0", 101, 110), *apart)
        c = self.result("c", figure("0", 101, 110), figure("1", 101, 110),
                        *apart[1:])
        self.assertEqual(self.agree(a, b)[0], 0)
        self.assertEqual(self.agree(a, c)[0], 1)

    def test_extremes_and_what_has_no_interval_are_no_figures(self):
        a = self.result("a", figure("one", 90, 100),
                        figure("one", 90, 91, metric="max"),
                        figure("one", 90, 91, metric="p99", count=5))
        b = self.result("b", figure("one", 90, 100),
                        figure("one", 92, 93, metric="max"),
                        figure("one", 92, 93, metric="p99", count=5))
        status, out, _ = self.agree(a, b)
        self.assertEqual((status, out.splitlines()[-1]),
                         (0, "agree: 1 of 1 (100 %)"))

    def test_what_is_no_result_is_said(self):
        empty = self.result("empty")
        other = self.result("other", figure("two", 90, 100))
        one = self.result("one", figure("one", 90, 100))
        for paths, sentence in (
                ([AGREE], "not a result of pons bench"),
                ([self.folder.name + "/none"], "No such file"),
                ([empty], "no figure of 6 values or more"),
                ([one, other], "no figure in common")):
            status, _, err = self.agree(*paths)
            self.assertEqual(status, 1)
            self.assertIn(sentence, err)
            self.assertNotIn("Traceback", err)


if __name__ == "__main__":
    AGREE = sys.argv.pop(1)
    unittest.main()
