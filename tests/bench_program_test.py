#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_program_test.py - pons bench --program and --baseline, from outside.

    bench_program_test.py PONS [TEST...]

The programs are shell scripts: they write into a log how they were started, so
what they were given is seen. Whatever waits has a time limit, which only a hang
can reach; nothing is ordered by sleeping.
"""

import collections
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

PONS = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs

SCRIPT = """#!/bin/sh
echo "$PONS_REACTOR|$PONS_POOL|$PONS_WORKERS|$*" >> "$LOG"
%s
"""


def environment(**settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PONS_")}
    env.update(settings)
    return env


class Bench(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons bench ")
        self.addCleanup(shutil.rmtree, self.dir)
        self.log = os.path.join(self.dir, "log")
        self.json = os.path.join(self.dir, "out.json")
        open(self.log, "w", encoding="utf-8").close()

    def script(self, body="", name="app"):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(SCRIPT % body)
        os.chmod(path, 0o755)
        return path

    def bench(self, *words, status=0, **settings):
        result = subprocess.run([PONS, "bench", *words], capture_output=True,
                                env=environment(LOG=self.log, **settings),
                                stdin=subprocess.DEVNULL, text=True,
                                timeout=LIMIT, check=False)
        self.assertEqual(result.returncode, status, result)
        return result

    def measure(self, *words, options=(), status=0, **settings):
        """The lines of its JSON."""
        self.bench("--repeat", "2", "--reactor", "epoll,poll", "--pool",
                   "elastic", "--json", self.json, *options, "--program",
                   *words, status=status, **settings)
        return self.figures()

    def figures(self):
        with open(self.json, encoding="utf-8") as f:
            return json.load(f)["figures"]

    def started(self):
        """How often it was started in each way."""
        with open(self.log, encoding="utf-8") as f:
            return collections.Counter(f.read().splitlines())


class Program(Bench):
    def metrics(self, figures, reactor="epoll"):
        return {f["metric"]: f for f in figures
                if f["reactor"] == reactor and "metric" in f}

    def test_it_runs_with_each_reactor_and_pool(self):
        app = self.script()
        self.bench("--repeat", "1", "--reactor", "epoll,poll", "--program", app)
        ways = {w.rsplit("|", 2)[0] for w in self.started()}
        for reactor in ("epoll", "poll"):
            for pool in ("elastic", "fixed", "inline"):
                self.assertIn("%s|%s" % (reactor, pool), ways)

    def test_every_way_is_run_equally_often(self):
        self.measure(self.script())
        counts = set(self.started().values())
        # To warm up, twice, and to count where that is allowed.
        self.assertIn(counts, ({3}, {4}))

    def test_one_that_takes_long_has_the_time_that_an_interval_takes(self):
        def values(*options):
            self.bench("--quick", *options, "--reactor", "epoll", "--pool",
                       "elastic", "--json", self.json, "--program", "sleep",
                       "0.9")
            return len(self.metrics(self.figures())["wall"]["values"])

        self.assertGreaterEqual(values(), 6)
        self.assertEqual(values("--time", "1s"), 1)

    def test_all_words_after_it_are_its_own(self):
        self.measure(self.script(), "--json", "x", "--", "-n", "")
        self.assertEqual({w.rsplit("|", 1)[1] for w in self.started()},
                         {"--json x -- -n "})

    def test_its_workers_are_its_own_unless_they_are_asked_for(self):
        self.measure(self.script(), PONS_WORKERS="7")
        self.assertEqual({w.split("|")[2] for w in self.started()}, {"7"})
        open(self.log, "w", encoding="utf-8").close()
        self.measure(self.script(), options=("--workers", "1,2"))
        self.assertEqual({w.split("|")[2] for w in self.started()}, {"1", "2"})

    def test_a_run_has_time_cpu_memory_switches_and_calls(self):
        figures = self.metrics(self.measure(self.script()))
        for metric, unit in (("wall", "ns"), ("cpu", "ns"), ("user", "ns"),
                             ("system", "ns"), ("switches", "1"),
                             ("peak rss", "B")):
            self.assertEqual(figures[metric]["unit"], unit)
            self.assertEqual(len(figures[metric]["values"]), 2)
        self.assertGreater(figures["wall"]["median"], 0)
        self.assertGreater(figures["peak rss"]["median"], 100000)
        if "syscalls" not in figures:
            self.skipTest("no ptrace here")
        self.assertGreater(figures["syscalls"]["median"], 5)
        loud = self.metrics(self.measure(self.script("echo; echo '{}'")))
        self.assertGreater(loud["syscalls"]["median"],
                           figures["syscalls"]["median"])

    def test_memory_is_the_programs_own_and_not_its_starters(self):
        start = os.path.join(os.path.dirname(PONS), "bench/program/start")
        large = bytearray(os.urandom(1)) * (64 << 20)
        done = subprocess.run([start, "true"], stdout=subprocess.PIPE,
                              preexec_fn=lambda: large[0], check=True)
        self.assertLess(json.loads(done.stdout)["peak rss"], len(large) / 4)

    def test_its_output_goes_nowhere_or_to_stderr(self):
        app = self.script("echo to-stdout; echo to-stderr >&2")
        words = ("--repeat", "1", "--reactor", "epoll", "--pool", "elastic")
        quiet = self.bench(*words, "--program", app)
        self.assertNotIn("to-std", quiet.stdout + quiet.stderr)
        shown = self.bench(*words, "--show", "--program", app)
        self.assertNotIn("to-std", shown.stdout)
        self.assertIn("to-stdout\n", shown.stderr)
        self.assertIn("to-stderr\n", shown.stderr)

    def test_all_words_after_it_are_the_programs(self):
        for word in ("--show", "--", "-x"):
            result = self.bench("--repeat", "1", "--reactor", "epoll", "--pool",
                                "elastic", "--program", word, "true", status=1)
            self.assertIn("would not start: %s: No such file" % word,
                          result.stdout)

    def test_when_it_is_killed_the_program_is_gone(self):
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        app = self.script('echo $$ > "$FIFO"; exec sleep 1000')
        with subprocess.Popen([PONS, "bench", "--repeat", "1", "--reactor",
                               "epoll", "--program", app],
                              stdout=subprocess.DEVNULL,
                              env=environment(LOG=self.log,
                                              FIFO=fifo)) as bench:
            with open(fifo, encoding="utf-8") as f:
                program = os.pidfd_open(int(f.read()))
            self.addCleanup(os.close, program)
            bench.kill()
        gone = select.select([program], [], [], LIMIT / 4)[0]
        if not gone:
            signal.pidfd_send_signal(program, signal.SIGKILL)
        self.assertTrue(gone)

    def test_output_beyond_any_buffer_does_not_stop_it(self):
        figures = self.measure(self.script("yes | head -n 1000000"))
        self.assertIn("wall", self.metrics(figures))

    def test_where_it_fails_is_a_row_with_the_reason(self):
        app = self.script("""[ "$PONS_REACTOR" = epoll ] && exit
echo "no such thing" >&2; echo usage >&2; exit 5""")
        figures = self.measure(app, status=1)
        self.assertIn("wall", self.metrics(figures))
        self.assertEqual([f["failed"] for f in figures if "failed" in f],
                         ["ended with 5: no such thing"])

    def test_a_signal_is_a_reason(self):
        figures = self.measure(self.script("kill -9 $$"), status=1)
        self.assertEqual({f["failed"] for f in figures if "failed" in f},
                         {"killed by signal 9 (Killed)"})

    def test_what_cannot_be_started_says_so(self):
        figures = self.measure("/no/such/program", status=1)
        self.assertEqual({f["failed"] for f in figures},
                         {"would not start: /no/such/program: "
                          "No such file or directory"})

    def test_what_does_not_end_is_ended(self):
        figures = self.measure(self.script("exec cat /dev/zero >/dev/null"),
                               options=("--timeout", "300ms"), status=1)
        self.assertIn("did not end within",
                      [f["failed"] for f in figures if "failed" in f][0])

    def test_an_engine_that_is_not_there_is_refused(self):
        result = self.bench("--reactor", "nope", "--program", "true", status=2)
        self.assertIn("there is no reactor \"nope\"", result.stderr)

    def test_it_goes_with_no_workloads(self):
        for words in (("yield",), ("--limits",), ("--peers", "all")):
            result = self.bench(*words, "--program", "true", status=2)
            self.assertIn("--program goes with neither", result.stderr)

    def test_it_wants_a_program(self):
        self.assertIn("--program wants words",
                      self.bench("--program", status=2).stderr)
        self.assertIn("--program wants words",
                      self.bench("--program=x", status=2).stderr)

    def test_interrupted_it_keeps_what_is_done(self):
        # Its third run: to warm up, one that is kept, and one that interrupts.
        app = self.script("""[ "$(wc -l < "$LOG")" = 3 ] || exit 0
kill -INT "$COMMAND"; exec cat /dev/zero >/dev/null""")
        env = environment(LOG=self.log)
        words = [PONS, "bench", "--repeat", "5", "--reactor", "epoll", "--pool",
                 "elastic", "--json", self.json, "--program", app]
        done = subprocess.run(["sh", "-c", 'COMMAND=$$ exec "$@"', "sh", *words],
                              env=env, capture_output=True, text=True,
                              timeout=LIMIT, check=False)
        self.assertEqual(done.returncode, 128 + signal.SIGINT, done)
        self.assertEqual(len(self.metrics(self.figures())["wall"]["values"]), 1)


class Baseline(Bench):
    """Figures are of a script whose one run takes as long as it is told."""

    def run_app(self, *options, status=0, loops="1"):
        self.script("""i=0; while [ $i -lt "$LOOPS" ]; do i=$((i + 1)); done""")
        return self.bench("--repeat", "6", "--reactor", "epoll", "--pool",
                          "elastic", *options, "--program",
                          os.path.join(self.dir, "app"), status=status,
                          LOOPS=loops)

    def store(self):
        self.run_app("--json", self.json)

    def test_what_became_slower_beyond_noise_is_3(self):
        self.store()
        result = self.run_app("--baseline", self.json, status=3,
                              loops="200000")
        self.assertRegex(result.stdout, r"worse +program, .*: wall .* was ")

    def test_what_became_faster_is_0(self):
        self.run_app("--json", self.json, loops="200000")
        result = self.run_app("--baseline", self.json)
        self.assertRegex(result.stdout, r"better +program, .*: wall .* was ")
        self.assertIn(" 0 worse", result.stdout)

    def test_the_output_stays_json_where_it_is_json(self):
        self.store()
        result = self.run_app("--baseline", self.json, "--json", "-", status=3,
                              loops="200000")
        json.loads(result.stdout)
        self.assertRegex(result.stderr, r"worse +program")

    def test_a_file_that_is_no_result_is_said_before_anything_runs(self):
        for text, complaint in (("", "line 1"), ("{}", 'no "figures"')):
            with open(self.json, "w", encoding="utf-8") as f:
                f.write(text)
            result = self.run_app("--baseline", self.json, status=2)
            self.assertIn(self.json, result.stderr)
            self.assertIn(complaint, result.stderr)
        self.assertEqual(len(self.started()), 0)

    def test_values_too_few_to_compare_are_refused_first(self):
        self.store()
        open(self.log, "w", encoding="utf-8").close()
        result = self.run_app("--repeat", "5", "--baseline", self.json,
                              status=2)
        self.assertIn("take 6 values or more: not --repeat 5", result.stderr)
        self.assertEqual(len(self.started()), 0)

    def test_nothing_to_compare_is_a_failure(self):
        self.store()
        result = self.run_app("--time", "1ns", "--baseline", self.json,
                              status=1)
        self.assertIn("nothing was compared", result.stderr)
        self.assertIn("nothing was measured", result.stderr)
        result = self.bench("--repeat", "6", "--reactor", "epoll", "--pool",
                            "elastic", "--baseline", self.json, "--program",
                            "true", status=1)
        self.assertIn("nothing was compared: it has no figure of what was",
                      result.stderr)

    def test_a_file_that_is_not_there_is_said(self):
        result = self.run_app("--baseline", "/no/such/file", status=2)
        self.assertIn("/no/such/file: No such file", result.stderr)


class Floor(unittest.TestCase):
    def test_without_room_for_its_file_it_is_skipped_with_the_reason(self):
        floor = os.path.join(os.path.dirname(PONS), "bench/limits/file_read")
        for case in ("hot", "cold, depth 1"):
            done = subprocess.run([floor, "--case", case, "--quick"],
                                  env=environment(TMPDIR="/no/such"),
                                  stdout=subprocess.PIPE, timeout=LIMIT,
                                  check=True)
            self.assertEqual(json.loads(done.stdout)["skipped"],
                             "no file can be made in /no/such: No such file or "
                             "directory; TMPDIR names another directory")
            done = subprocess.run([floor, "--case", case, "--quick"],
                                  env=environment(TMPDIR="/dev/shm"),
                                  preexec_fn=small_files, timeout=LIMIT,
                                  stdout=subprocess.PIPE, check=True)
            self.assertRegex(json.loads(done.stdout)["skipped"],
                             "64 MiB cannot be written.* File too large"
                             "|O_DIRECT is refused")


def small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_program_test.py PONS [TEST...]")
    PONS = os.path.abspath(sys.argv[1])
    if not os.access(os.path.join(os.path.dirname(PONS), "bench/program/start"),
                     os.X_OK):
        print("SKIP bench_program: bench/ is not built")
        sys.exit(0)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
