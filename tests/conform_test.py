#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/conform_test.py - `pons conform`, from outside: whether it finds what is
wrong, and outlives it.

    conform_test.py PONS [TEST...]

PONS is the binary; beside it stand `plugins`, and in `tests` the engines of
tests/wrong/*.c and tests/right/*.c. Whether each wrong one is found out is
tests/wrong_test.py's.
"""

import contextlib
import glob
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import unittest

PONS = ""
BUILD = ""
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 600  # seconds; nothing takes that long unless it hangs

# For engines that hang. What passes takes a second; the rest is for machines
# that are busy, and builds that are slow.
HANGS = "%ds" % (int(os.environ.get("UNIT_SECONDS", "60")) // 4)


def sanitized():
    with open(PONS, "rb") as f:
        return re.search(b"__[at]san_init", f.read()) is not None


def environment(**settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PONS_")}
    env.update(settings)
    return env


def built_in():
    said = subprocess.run([PONS, "list", "--json"], capture_output=True,
                          text=True, check=True)
    return [e["name"] for e in json.loads(said.stdout)
            if e["path"] is None and "rank" in e]


def conform(*words, **settings):
    return subprocess.run([PONS, "conform", *words],
                          env=environment(**settings),
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=LIMIT)


def wrong(name):
    return os.path.join(BUILD, "tests", "wrong", name + ".so")


@contextlib.contextmanager
def hogs():
    """Processes that keep the processors busy."""
    all_ = [subprocess.Popen(["sh", "-c", "while :; do :; done"])
            for _ in range(3 * os.cpu_count())]
    try:
        yield
    finally:
        for hog in all_:
            hog.kill()
            hog.wait()


def somebody(processes):
    """From here on nobody that there is yet, with so many processes."""
    uid = 1 << 30 | os.getpid()
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def use(pons):
    global PONS, BUILD
    PONS = os.path.abspath(pons)
    BUILD = os.path.dirname(PONS)


class Conform(unittest.TestCase):
    def test_operations_that_are_declared_are_tested(self):
        path = os.path.join(BUILD, "tests", "right", "files.so")
        report, = json.loads(conform("--json", path).stdout)
        self.assertTrue(report["holds"], report)
        outcomes = {t["test"]: t["outcome"] for t in report["tests"]
                    if t["rule"] == "R9" and "system call" in t["test"]}
        self.assertGreaterEqual(len(outcomes), 7)
        self.assertEqual(set(outcomes.values()), {"passed"}, outcomes)

    def test_capabilities_that_are_declared_are_tested(self):
        path = os.path.join(BUILD, "tests", "right", "declares.so")
        report, = json.loads(conform("--json", path).stdout)
        self.assertTrue(report["holds"], report)
        outcomes = {rule: {t["outcome"] for t in report["tests"]
                           if t["rule"] == rule} for rule in
                    ("R1", "R6", "R11", "R13")}
        self.assertEqual(outcomes, {"R1": {"skipped"}, "R6": {"passed"},
                                    "R11": {"passed"}, "R13": {"passed"}})

    def test_what_the_rules_allow_is_not_blamed(self):
        for name in ("counts_wakes", "tells_later"):
            path = os.path.join(BUILD, "tests", "right", name + ".so")
            report, = json.loads(conform("--json", path).stdout)
            self.assertTrue(report["holds"], report)

    def failed(self, name, *words):
        result = conform("--json", "--timeout", HANGS, *words, wrong(name))
        tests = json.loads(result.stdout)[0]["tests"]
        return [t for t in tests if t["outcome"] == "failed"]

    def test_a_part_of_the_tests_is_called_a_part(self):
        self.assertIn('epoll keeps the rules as far as --only "R1" looks: ',
                      conform("--only", "R1", "epoll").stdout)
        report, = json.loads(conform("--json", "--only", "R1", "epoll").stdout)
        self.assertEqual(report["only"], "R1")

    def test_a_hang_is_told_as_such(self):
        for test in self.failed("hangs", "--only", "several wakes"):
            self.assertIn("it hangs: ", test["sentence"])

    def test_threads_that_wait_for_each_other_s_processor_are_a_hang(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        conform("--timeout", "1s", "--only", "several wakes", wrong("hangs"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertGreater(after.ru_utime - before.ru_utime, .5) # they spun
        self.assertLess(after.ru_utime - before.ru_utime, 30)

    def test_that_others_keep_the_processors_busy_is_no_hang(self):
        if sanitized():
            self.skipTest("under a sanitizer the test itself takes too long")
        with hogs():
            result = conform("--timeout", "1s", "--only",
                             "from hand to hand with", "poll")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_that_they_keep_a_test_s_children_busy_is_none_either(self):
        if sanitized():
            self.skipTest("under a sanitizer the test itself takes too long")
        with hogs():
            result = conform("--timeout", "2s", "--only",
                             "where system calls", wrong("spins"))
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_an_exit_with_0_is_no_success(self):
        self.assertEqual(
            [t["sentence"] for t in self.failed("exits", "--only", "R15")],
            ["in the middle of the test the process exited with status 0"])

    def test_a_crash_is_told_and_what_the_engine_said_is_shown(self):
        result = conform("--only", "R14", wrong("crashes"))
        self.assertIn("           | whose child am I?\n", result.stdout)
        said = {t["stderr"] for t in self.failed("crashes", "--only", "R14")}
        self.assertIn("whose child am I?\n? no UTF-8\n", said)
        result = conform("--only", "R15", wrong("never_opens"))
        # A sanitizer makes an exit of it.
        self.assertRegex(result.stdout, "the process (was killed by signal 11|"
                         "exited with status (1|66))")

    def left(self, mark):
        """Processes with `mark` in their environment."""
        left = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as f:
                    if mark.encode() in f.read():
                        left.append(path)
            except OSError:
                pass  # it has ended
        return left

    def test_what_an_engine_leaves_running_goes_with_its_test(self):
        mark = "of-%d-%d" % (os.getpid(), time.monotonic_ns())
        result = conform("--only", "an op that is DONE", wrong("breeds"),
                         LEFT_BY=mark)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(self.left(mark), [])

    def test_a_child_of_a_test_does_not_outlive_the_kit(self):
        mark = "of-%d-%d" % (os.getpid(), time.monotonic_ns())
        process = subprocess.Popen(
            [PONS, "conform", "--timeout", "1h", "--only", "a fork between",
             wrong("lurks")], env=environment(LEFT_BY=mark),
            stdout=subprocess.DEVNULL)
        while len(self.left(mark)) < 3:  # it, its test, the test's child
            self.assertIsNone(process.poll())
        process.kill()
        process.wait()
        while self.left(mark):  # for ever, if one stays
            pass

    def test_without_an_engine_nothing_else_is_tried(self):
        result = conform("--json", wrong("never_opens"))
        tests = json.loads(result.stdout)[0]["tests"]
        self.assertEqual({t["outcome"] for t in tests[1:]}, {"skipped"})

    def test_ctrl_c_keeps_what_is_done(self):
        process = subprocess.Popen(
            [PONS, "conform", "--timeout", "1h", "epoll", wrong("hangs")],
            env=environment(), stdout=subprocess.PIPE, text=True)
        seen = ""
        while "epoll keeps the rules" not in seen:
            line = process.stdout.readline()
            self.assertNotEqual(line, "", seen)
            seen += line
        process.send_signal(signal.SIGINT) # the next one hangs
        rest = process.communicate(timeout=LIMIT)[0]
        self.assertEqual(process.returncode, 130)
        self.assertIn("\nhangs was interrupted: ", rest)
        self.assertRegex(rest, r"\d+ not run\.\n$")


class Words(unittest.TestCase):
    def refused(self, result, *parts):
        self.assertEqual(result.returncode, 2, result)
        self.assertTrue(result.stderr.startswith("pons: "), result.stderr)
        self.assertEqual(result.stdout, "")
        for part in parts:
            self.assertIn(part, result.stderr)

    def test_misuse_is_refused_before_anything_runs(self):
        self.refused(conform("epoll", "epol"), '"epol"', 'did you mean "epoll"')
        self.refused(conform("libuv"), "libuv", "not installed")
        self.refused(conform("epoll", PONS_PLUGINS_DISABLE="epoll"), "epoll",
                     "disabled by", "PONS_PLUGINS_DISABLE")
        self.refused(conform("/nowhere/at/all.so"), "/nowhere/at/all.so")
        self.refused(conform(__file__), "conform_test.py")
        self.refused(conform("--onli", "R5"), '"--onli"', '"--only"')
        self.refused(conform("--timeout", "5", "epoll"), "--timeout", "unit")
        self.refused(conform("--timeout", "1ns", "epoll"), "from 1ms to 1h")
        self.refused(conform("--only", "R99", "epoll"), '"R99"')
        self.refused(conform("elastik"), 'did you mean "elastic"')
        self.refused(conform(PONS_REACTR="epoll"), "PONS_REACTR")

    def test_a_file_that_is_named_without_its_folder_is_told(self):
        folder, file = os.path.split(wrong("hangs"))
        for command in "conform", "probe", "list":
            self.refused(subprocess.run([PONS, command, file], cwd=folder,
                                        env=environment(), text=True,
                                        capture_output=True, timeout=LIMIT),
                         '"hangs.so"', "./hangs.so")

    def test_few_descriptors_are_no_fault_of_the_engine(self):
        report, = json.loads(subprocess.run(
            [PONS, "conform", "--json", "--only", "hundreds", "poll"],
            env=environment(), text=True, capture_output=True, timeout=LIMIT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE,
                                                  (64, 64))).stdout)
        self.assertEqual([t["outcome"] for t in report["tests"]], ["skipped"])
        self.assertIn("Too many open files", report["tests"][0]["sentence"])

    def test_few_processes_are_no_fault_of_the_engine(self):
        if os.getuid() != 0:
            self.skipTest("only root may be somebody else")
        try:
            said = subprocess.run(
                [PONS, "conform", "--json", "--only", "a fork between", "poll"],
                env=environment(), text=True, capture_output=True,
                timeout=LIMIT, preexec_fn=lambda: somebody(2)).stdout
        except (PermissionError, subprocess.SubprocessError):
            self.skipTest("%s is not everybody's to run" % PONS)
        test, = json.loads(said)[0]["tests"]
        self.assertEqual(test["outcome"], "skipped", test)
        self.assertIn("fork", test["sentence"])

    def test_small_files_are_no_fault_of_the_engine(self):
        def files(soft, hard):
            report, = json.loads(subprocess.run(
                [PONS, "conform", "--json", "--only", "files are", "poll"],
                env=environment(), text=True, capture_output=True,
                timeout=LIMIT, preexec_fn=lambda: resource.setrlimit(
                    resource.RLIMIT_FSIZE, (soft, hard))).stdout)
            return [(t["outcome"], t["sentence"]) for t in report["tests"]
                    if t["rule"] == "R2"]

        if sanitized():
            self.skipTest("TSan writes a file before main()")
        self.assertEqual(files(0, 1 << 20), [("passed", None)])
        (outcome, sentence), = files(0, 0)
        self.assertEqual(outcome, "skipped")
        self.assertIn("ulimit -f", sentence)

    def test_several_engines_have_a_report_each(self):
        result = conform("--only", "R15", "epoll", "poll",
                         os.path.join(BUILD, "plugins", "null.so"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(re.findall(r"^(\w+) keeps the rules", result.stdout,
                                    re.M), ["epoll", "poll", "null"])

    def test_options_are_for_all_tests_of_one_engine(self):
        result = conform("--only", "R7", "epoll:events=1", "poll")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        result = conform("--only", "B5", "elastic:max=1", "elastic:min=4")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        result = conform("--only", "R7", "epoll:evnts=1")
        self.assertEqual(result.returncode, 2, result)
        self.assertIn('"evnts"', result.stdout)
        self.refused(conform("epoll,poll"), "is a list")
        self.refused(conform("elastic:max=4:max=5"), "max")

    def test_without_names_all_that_have_the_rule_are_meant(self):
        uring = [name for name in built_in() if name == "uring"]
        for rule, engines in (("R15", ["epoll", *uring, "poll", "null"]),
                              ("B10", ["elastic", "fixed", "inline"])):
            reports = json.loads(conform("--json", "--only", rule).stdout)
            self.assertEqual([r["engine"] for r in reports], engines)

    def test_json_says_what_the_page_says(self):
        report, = json.loads(conform("--json", "--only", "R7", "null").stdout)
        self.assertEqual((report["engine"], report["kind"], report["path"]),
                         ("null", "reactor", None))
        self.assertTrue(report["holds"])
        for test in report["tests"]:
            self.assertEqual(test["rule"], "R7")
            self.assertIn(test["outcome"], ("passed", "skipped"))
            self.assertEqual(test["sentence"] is None,
                             test["outcome"] == "passed")


if __name__ == "__main__":
    use(sys.argv.pop(1))
    unittest.main(verbosity=2)
