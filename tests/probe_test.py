#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/probe_test.py - pons probe, from outside.

    probe_test.py PONS [TEST...]

The engines are those of this build, and tests/plugins/sample.c in each way to
get one wrong. Whatever waits has a time limit, which only a hang can reach.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PONS = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs


def probe(*words, **settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PONS_")}
    env.update(settings)
    return subprocess.run([PONS, "probe", *words], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT, check=False)


def beside(*names):
    return os.path.join(os.path.dirname(PONS), *names)


class Probe(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons-probe-")
        self.addCleanup(shutil.rmtree, self.dir)

    def sample(self, variant):
        path = beside("tests", "plugins", variant + ".so")
        if not os.path.exists(path):
            self.skipTest("no " + path)
        return path

    def works(self, *words, **settings):
        """What is said as JSON of engines that all work."""
        result = probe(*words, "--json", **settings)
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        engines = json.loads(result.stdout)
        for engine in engines:
            self.assertEqual((engine["works"], engine["verdict"],
                              engine["reason"], engine["way_out"]),
                             (True, "works", None, None))
            self.assertGreater(engine["opening_ns"], 0)
        return engines

    def fails(self, word, verdict, reason, way_out, *options, **settings):
        """One engine does not work: the same in words and as JSON."""
        result = probe(word, "--json", *options, **settings)
        self.assertEqual((result.returncode, result.stderr), (1, ""), result)
        (engine,) = json.loads(result.stdout)
        self.assertEqual((engine["works"], engine["verdict"],
                          engine["capabilities"], engine["opening_ns"]),
                         (False, verdict, None, None))
        self.assertIn(reason, engine["reason"])
        self.assertIn(way_out, engine["way_out"] or "")
        result = probe(word, *options, **settings)
        self.assertEqual((result.returncode, result.stderr), (1, ""), result)
        self.assertIn(": does not work here: ", result.stdout)
        self.assertIn(reason, result.stdout)
        if way_out:
            self.assertIn("\n  way out: ", result.stdout)
            self.assertIn(way_out, result.stdout)
        return engine

    def refused(self, result, *parts):
        self.assertEqual((result.returncode, result.stdout), (2, ""), result)
        self.assertTrue(result.stderr.startswith("pons: probe: "),
                        result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)

    # ---- what works ----

    def test_each_built_in_engine_works(self):
        for name, kind in (("epoll", "poller"), ("poll", "poller"),
                           ("null", "reactor"), ("elastic", "pool"),
                           ("fixed", "pool"), ("inline", "pool")):
            (engine,) = self.works(name)
            self.assertEqual((engine["name"], engine["kind"], engine["path"]),
                             (name, kind, None))

    def test_what_an_engine_declares_is_said(self):
        (engine,) = self.works("epoll")
        self.assertEqual(engine["capabilities"],
                         ["edge", "nanoseconds", "endings"])
        (engine,) = self.works(self.sample("reactor"))
        self.assertEqual(engine["capabilities"], ["pinned", "virtual_time"])
        (engine,) = self.works("elastic")
        self.assertEqual(engine["capabilities"], [])

    def test_in_words_it_says_the_same(self):
        result = probe("epoll")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"""^epoll \(built in\): works
  kind          poller, under the readiness adapter
  capabilities  edge, nanoseconds, endings
  opening took  [\d.]+ [nmu]?s
$""")
        result = probe("elastic")
        self.assertIn("\n  kind          pool\n  capabilities  none\n",
                      result.stdout)

    def test_options_are_given_as_in_the_variable(self):
        self.works("epoll:events=7")
        self.works("elastic:max=3:keepalive=5s")
        self.works("%s:events=12" % self.sample("good"))
        spaced = os.path.join(self.dir, "my own.so")
        shutil.copy(self.sample("good"), spaced)
        self.works(spaced)
        self.works("%s:events=12" % spaced)
        self.works("[%s]:events=12" % spaced)
        self.refused(probe("my own"), "contains a space")
        self.fails("%s:events=13" % self.sample("good"), "refused",
                   os.strerror(33), "pons list")

    def test_all_engines_of_a_file_are_probed(self):
        engines = self.works(self.sample("two"))
        self.assertEqual([(e["name"], e["kind"]) for e in engines],
                         [("sample", "poller"), ("other", "pool"),
                          ("second", "poller")])
        for engine in engines:
            self.assertEqual(engine["path"], self.sample("two"))

    def test_a_relative_path_is_a_file_too(self):
        path = os.path.join(".", os.path.relpath(self.sample("good")))
        (engine,) = self.works(path)
        self.assertEqual(engine["path"], self.sample("good"))

    def test_a_name_is_what_a_program_would_get_by_it(self):
        shutil.copy(self.sample("good"), self.dir)
        (engine,) = self.works("sample", PONS_PLUGIN_PATH=self.dir)
        self.assertEqual(engine["path"], os.path.join(self.dir, "good.so"))

    # ---- what does not ----

    def test_the_engines_own_reason_is_said(self):
        self.fails(self.sample("refuses"), "refused", "it is Sunday",
                   "`pons list'")

    def test_words_of_an_engine_cannot_look_like_ours(self):
        path = self.sample("open_refuses_wildly")
        self.fails(path, "refused", "one?sample: works?[2J", "")
        self.assertNotIn("\033", probe(path).stdout)

    def test_a_plugin_that_cannot_be_loaded_is_refused(self):
        for variant, reason in (
                ("undefined", "undefined symbol: sample_that_is_nowhere"),
                ("entry_fails", "wanted 0, it returned -5"),
                ("null_function", "table.wait: wanted a function"),
                ("no_entry", "has no function pons_plugin_v1")):
            with self.subTest(variant=variant):
                self.fails(self.sample(variant), "refused", reason, "pons list")

    def test_what_open_answers_is_looked_at(self):
        for variant, reason in (
                ("open_returns_five", "wanted 0 or -errno, it returned 5"),
                ("open_makes_nothing", "returned 0, and made nothing"),
                ("reactor_returns_five", "wanted 0 or -errno, it returned 5"),
                ("reactor_makes_nothing", "returned 0, and made nothing"),
                ("reactor_without_ops", "what it made has no ops"),
                ("bind_fails", "bind: " + os.strerror(18))):
            with self.subTest(variant=variant):
                self.fails(self.sample(variant), "refused", reason, "")

    def test_a_crash_is_a_result_that_says_where(self):
        shutil.copy(self.sample("open_dies"), self.dir)
        self.fails("sample", "died", "died in open(): ",
                   "tell its author; PONS_PLUGINS_DISABLE=sample keeps it out",
                   PONS_PLUGIN_PATH=self.dir)
        for variant, where in (("load_dies", "while it was loaded"),
                               ("open_dies", "in open()"),
                               ("bind_dies", "in bind()"),
                               ("close_dies", "in close()")):
            with self.subTest(variant=variant):
                engine = self.fails(
                    self.sample(variant), "died",
                    "died %s: killed by signal 6 (Aborted)" % where, "")
                self.assertEqual(engine["way_out"], "tell its author")

    def test_an_engine_that_ends_its_process_is_a_result(self):
        self.fails(self.sample("open_exits"), "died",
                   "died in open(): ended with 0", "tell its author")

    def test_an_engine_that_hangs_is_a_result(self):
        self.fails(self.sample("open_hangs"), "late",
                   "it has not come back after 100ms", "--limit", "--limit",
                   "100ms")
        shutil.copy(self.sample("open_hangs"), self.dir)
        self.fails("sample", "late", "it has not come back after 20ms",
                   "PONS_PLUGINS_DISABLE=sample keeps it out", "--limit=20ms",
                   PONS_PLUGIN_PATH=self.dir)

    def test_an_engine_that_hangs_is_said_with_the_place(self):
        for tenths in (1, 4, 16, 64, 256):  # until it has come there
            result = probe(self.sample("open_hangs"), "--limit",
                           "%d00ms" % tenths)
            self.assertEqual(result.returncode, 1, result)
            if ": in open(): it has not come back after " in result.stdout:
                return
        self.fail(result)

    def test_a_name_that_is_not_installed_says_so(self):
        engine = self.fails("libuv", "refused", "not installed: ", "")
        self.assertEqual(engine["way_out"], None)
        self.assertIn("libuv: does not work here: not installed: ",
                      probe("libuv").stdout)

    def test_a_disabled_engine_says_by_what(self):
        self.fails("epoll", "refused", 'disabled by "epo*"',
                   "PONS_PLUGINS_DISABLE", PONS_PLUGINS_DISABLE="epo*")

    def test_a_file_that_is_no_plugin_is_broken(self):
        path = os.path.join(self.dir, "text.so")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n")
        self.fails(path, "refused", "is no ELF file", "`pons inspect'")
        for name in ("text.so", "text"):
            engine = self.fails(name, "refused", "is no ELF file",
                                "`pons inspect'", PONS_PLUGIN_PATH=self.dir)
            self.assertEqual((engine["path"], engine["kind"]), (path, None))
        self.fails(self.dir, "refused", "is a directory", "`pons inspect'")

    def test_one_that_does_not_work_among_others_is_a_failure(self):
        shutil.copy(self.sample("two"), self.dir)
        result = probe(os.path.join(self.dir, "two.so"),
                       PONS_PLUGIN_PATH=self.dir, PONS_PLUGINS_DISABLE="other")
        self.assertEqual(result.returncode, 1, result)
        self.assertEqual(result.stdout.count(": works\n"), 2)
        self.assertEqual(result.stdout.count(": does not work here: "), 1)

    # ---- bad use ----

    def test_words_that_name_no_engine_are_refused(self):
        self.refused(probe("epol"), '"epol"', 'did you mean "epoll"?')
        self.refused(probe("auto"), "auto is a choice", "pons explain")
        self.refused(probe("poll,epoll"), '"poll,epoll"', "one engine")
        self.refused(probe("/nowhere.so"), "/nowhere.so: No such file")
        self.refused(probe("./nowhere.so"), "./nowhere.so: No such file")

    def test_wrong_options_are_refused(self):
        self.refused(probe("epoll:evnts=3"), '"evnts"', '"events"')
        self.refused(probe("epoll:events=0"), "events=0", "1 to")
        self.refused(probe("epoll:events"), "events")
        self.refused(probe("epoll:events=1:events=2"), "events")
        self.refused(probe(self.sample("two") + ":events=3"),
                     "several engines, sample and other")

    def test_help_fits_a_terminal(self):
        result = probe("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("usage: pons probe [OPTION...] NAME|FILE", result.stdout)
        for line in result.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_a_wrong_limit_is_refused(self):
        self.refused(probe("epoll", "--limit", "5"), "--limit", "unit")
        self.refused(probe("epoll", "--limit", "2h"), "--limit", "1ms to 1h")

    def test_wrong_settings_are_refused(self):
        result = probe("epoll", PONS_WORKERS="many")
        self.assertEqual((result.returncode, result.stdout), (2, ""), result)
        self.assertIn("PONS_WORKERS", result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: probe_test.py PONS [TEST...]")
    PONS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
