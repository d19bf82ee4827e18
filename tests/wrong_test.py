#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/wrong_test.py - the kit's own test: `pons conform` names of each wrong
engine the rule that it breaks, and no other.

    wrong_test.py PONS [TEST...]

The engines are tests/wrong/*.c, the first line of each of which says what rule
it breaks; built, they stand in `tests/wrong` beside PONS.

Not for builds with a sanitizer: that judges what is wrong before the rules do,
and has memory, threads and system calls of its own.
"""

import concurrent.futures
import glob
import os
import re
import sys
import unittest

import conform_test as kit

# Half of the engines hang, and cost nothing while they do.
AT_ONCE = 3 * (os.cpu_count() or 1)

# Of time in which a test could run; what passes takes a second.
HANGS = "5s"


def broken_by(path):
    with open(path, encoding="utf-8") as f:
        return re.search(r"\.c - breaks (\w+):", f.read())[1]


def rules_of_wrong_engines():
    sources = sorted(glob.glob(os.path.join(kit.HERE, "wrong", "*.c")))
    return {os.path.basename(s)[:-2]: broken_by(s) for s in sources}


class Wrong(unittest.TestCase):
    def test_each_wrong_engine_is_named_by_its_rule_and_no_other(self):
        rules = rules_of_wrong_engines()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads:
            results = threads.map(
                lambda name: kit.conform("--timeout", HANGS,
                                         kit.wrong(name)), rules)
            for name, result in zip(rules, results):
                with self.subTest(engine=name, rule=rules[name]):
                    self.assertEqual(result.returncode, 1, result)
                    self.assertRegex(result.stdout,
                                     "\n[^ ]+ breaks %s: " % rules[name])

    def test_each_rule_has_a_wrong_engine(self):
        wanted = {"R%d" % n for n in range(1, 16)}
        wanted |= {"control", "level", "edge", "error", "cookie"}
        wanted |= {"B%d" % n for n in range(1, 12)}
        self.assertEqual(set(rules_of_wrong_engines().values()), wanted)


if __name__ == "__main__":
    kit.use(sys.argv.pop(1))
    unittest.main(verbosity=2)
