#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_table_test.py - bench/table: what becomes of a result on the page.

    bench_table_test.py TABLE [TEST...]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TABLE = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs
KINDS = {"pons": "ours", "pons fibers": "ours", "bare": "floor",
         "tokio": "peer"}


def figure(subject, metric, value, unit="ns", count=6, main=None):
    return {"workload": "echo", "case": "one", "subject": subject,
            "reactor": "", "pool": "", "workers": "", "metric": metric,
            "unit": unit, "values": [value] * count, "median": value,
            "low": value, "high": value, "settled": True,
            "main": metric == "wall" if main is None else main}


def reason(subject, member, text):
    return {"workload": "echo", "case": "one", "subject": subject,
            "reactor": "", "pool": "", "workers": "", member: text}


class Page(unittest.TestCase):
    def page(self, *figures):
        subjects = dict.fromkeys(f["subject"] for f in figures)
        result = {"environment": {"kernel": "Linux"}, "quick": False,
                  "workloads": [{"workload": "echo", "subject": s,
                                 "kind": KINDS[s], "measures": "what " + s,
                                 "how": "how " + s, "silent": "all of " + s}
                                for s in subjects],
                  "figures": list(figures)}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(result, f)
            f.flush()
            done = subprocess.run([TABLE, f.name, "-"], capture_output=True,
                                  text=True, timeout=LIMIT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def ahead(self, page):
        """The lines below the headings of peers, and of floors."""
        rest = page.partition("### Where a peer's figure is less than ours")[2]
        peers, _, floors = rest.partition(
            "### Where a floor's figure is less than ours")
        return peers.strip().splitlines(), floors.strip().splitlines()

    def test_subjects_stand_by_their_medians_with_ours_marked(self):
        page = self.page(figure("pons", "wall", 200),
                         figure("tokio", "wall", 100))
        self.assertIn("Measures what pons. Does not tell all of pons.", page)
        self.assertLess(page.index("| tokio | 100 ns | 100 ns to 100 ns |"),
                        page.index("| **pons** | 200 ns |"))

    def test_a_row_without_figures_has_its_reason(self):
        for member in ("skipped", "failed", "unmeasured"):
            page = self.page(figure("pons", "wall", 1),
                             reason("tokio", member, "the time was up"))
            self.assertIn("| tokio | the time was up |", page)

    def test_that_the_fastest_of_some_runs_counts_is_said(self):
        self.assertIn("\n**one**\n", self.page(figure("pons", "wall", 1)))
        brief = dict(figure("pons", "wall", 1), **{"fastest of": 5})
        self.assertIn("\n**one**; of the fastest of 5 runs\n",
                      self.page(brief))

    def test_what_is_only_not_counted_is_measured(self):
        page = self.page(figure("pons", "wall", 1),
                         reason("pons", "uncounted", "no ptrace here"))
        self.assertIn("| **pons** | 1.00 ns |", page)
        self.assertNotIn("no ptrace", page)

    def test_of_a_server_all_figures_are_the_servers(self):
        page = self.page(figure("pons", "wall", 9, main=False),
                         figure("pons", "server cpu", 70, main=True),
                         figure("pons", "p99", 30),
                         figure("pons", "syscalls", 7, "1"),
                         figure("pons", "server syscalls", 2, "1"),
                         figure("pons", "server switches", 3, "1"))
        self.assertIn("| **pons** | 70.0 ns | 70.0 ns to 70.0 ns | 70.0 ns "
                      "| 30.0 ns | 2.00 | 3.00 |", page)

    def test_peers_and_floors_that_are_ahead_are_named_apart(self):
        peers, floors = self.ahead(self.page(
            figure("pons", "wall", 200), figure("tokio", "wall", 100),
            figure("bare", "wall", 50)))
        self.assertEqual(peers, ["- echo, one: tokio has 100 ns, we have 200 "
                                 "ns (2.00 times as much)"])
        self.assertEqual(floors, ["- echo, one: bare has 50.0 ns, we have 200 "
                                  "ns (4.00 times as much)"])

    def test_nothing_of_ours_is_ahead_of_us(self):
        self.assertEqual(
            self.ahead(self.page(figure("pons", "wall", 200),
                                 figure("pons fibers", "wall", 100),
                                 figure("tokio", "wall", 150))),
            (["Nowhere, beyond noise."], ["Nowhere, beyond noise."]))

    def test_too_few_values_are_ahead_of_nothing(self):
        peers, _ = self.ahead(self.page(figure("pons", "wall", 200),
                                        figure("tokio", "wall", 100,
                                               count=5)))
        self.assertEqual(peers, ["Nowhere, beyond noise."])


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_table_test.py TABLE [TEST...]")
    TABLE = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
