#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/bench_command_test.py - pons bench, from outside, with programs of its own.

    bench_command_test.py PONS [TEST...]

What it runs are shell scripts in a directory given by --dir: they print figures,
garbage or nothing, crash, or wait for ever. Each writes its words and settings
into a log, so what it was asked to do is seen. Whatever waits has a time limit,
which only a hang can reach; nothing is ordered by sleeping.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

PONS = ""
LIMIT = 60  # seconds; nothing takes that long unless it hangs

# Describes itself, else logs how it was started, then does `body`; CASE is the
# case, RUN the number of its runs that were logged before this one.
SCRIPT = """#!/bin/sh
if [ "$1" = --describe ]; then
    cat <<'END'
%(describe)s
END
    exit
fi
words="$*"
settings="${PONS_REACTOR-unset}|${PONS_POOL-unset}|${PONS_WORKERS-unset}"
SUBJECT=%(subject)s
while [ $# -gt 0 ]; do
    case $1 in
    --workload) WORKLOAD=$2 ;;
    --case) CASE=$2 ;;
    --subject) SUBJECT=$2 ;;
    esac
    shift
done
RUN=$(grep -c "^%(name)s|$settings|.*--case $CASE --" "$LOG")
cpus=$(sed -n 's/^Cpus_allowed_list:\\t//p' /proc/self/status)
echo "%(name)s|$settings|$cpus|$words" >> "$LOG"
figure() { # METRIC UNIT VALUE
    echo "{\\"workload\\":\\"$WORKLOAD\\",\\"case\\":\\"$CASE\\",\\"subject\\":\\"$SUBJECT\\",\\"metric\\":\\"$1\\",\\"unit\\":\\"$2\\",\\"values\\":[$3]}"
}
%(body)s
"""


def environment(**settings):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PONS_")}
    env.update(settings)
    return env


class Bench(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons bench ")
        self.addCleanup(shutil.rmtree, self.dir)
        self.programs = os.path.join(self.dir, "programs")
        self.log = os.path.join(self.dir, "log")
        self.json = os.path.join(self.dir, "out.json")
        os.mkdir(self.programs)
        open(self.log, "w", encoding="utf-8").close()

    def program(self, name, body="figure wall ns 100", workload="alpha",
                cases=("one",), axes=(), subject="pons", **more):
        describe = {"workload": workload, "subject": subject,
                    "measures": "what %s measures" % workload,
                    "how": "how %s does it" % workload,
                    "silent": "what %s is silent about" % workload,
                    "axes": axes, "cases": cases}
        describe.update(more)
        self.write(name, SCRIPT % {"describe": json.dumps(describe),
                                   "name": name, "body": body,
                                   "subject": subject})

    def write(self, name, text):
        path = os.path.join(self.programs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)

    def words(self, words):
        return [PONS, "bench", "--dir", self.programs, *words]

    def bench(self, *words, status=0, **settings):
        result = subprocess.run(self.words(words), capture_output=True,
                                env=environment(LOG=self.log, **settings),
                                stdin=subprocess.DEVNULL, text=True,
                                errors="replace", timeout=LIMIT, check=False)
        self.assertEqual(result.returncode, status, result)
        return result

    def measure(self, *words, status=0, **settings):
        """The figures, by key and metric; rows without, by key and None."""
        self.bench("--repeat", "1", *words, "--json", self.json,
                   status=status, **settings)
        return self.figures()

    def document(self):
        with open(self.json, encoding="utf-8") as f:
            return json.load(f)

    def figures(self):
        found = {}
        for one in self.document()["figures"]:
            key = tuple(one[k] for k in ("workload", "case", "subject",
                                         "reactor", "pool", "workers"))
            key += (one.get("metric"),)
            self.assertNotIn(key, found)
            found[key] = one
        return found

    def runs(self, name):
        """What was asked of it: reactor, pool, workers, processors, words."""
        with open(self.log, encoding="utf-8") as f:
            lines = [line.rstrip("\n").split("|") for line in f]
        return [line[1:] for line in lines if line[0] == name]

    def assertUsage(self, *words, says):
        result = self.bench(*words, status=2)
        self.assertEqual(result.stdout, "")
        for part in says:
            self.assertIn(part, result.stderr)
        self.assertEqual(os.path.getsize(self.log), 0)


class Words(Bench):
    def setUp(self):
        super().setUp()
        self.program("alpha", axes=("reactor", "pool", "workers"))
        self.program("beta", workload="beta")

    def test_list_says_what_the_workloads_are_and_runs_nothing(self):
        self.program("limits/bare", subject="bare", how="by hand")
        self.program("peers/mine", subject="mine", how="in its own way",
                     silent="what mine is silent about")
        out = self.bench("--list").stdout
        for part in ("alpha\n", "beta\n", "one", "what alpha measures",
                     "how beta does it", "what beta is silent about",
                     "  floor bare:    by hand\n"
                     "  peer mine:     in its own way\n"
                     "  does not tell: what mine is silent about\nbeta\n"):
            self.assertIn(part, out)
        self.assertEqual(os.path.getsize(self.log), 0)

    def test_list_says_only_what_is_asked_for(self):
        out = self.bench("--list", "beta").stdout
        self.assertIn("what beta measures", out)
        self.assertNotIn("alpha", out)
        self.assertUsage("--list", "bta", says=("no workload \"bta\"",
                                                "did you mean \"beta\""))

    def test_what_there_is_to_choose_from_can_be_run(self):
        self.program("limits/bare", workload="gamma", subject="bare")
        result = self.bench("nope", status=2)
        self.assertIn("there are: alpha, beta", result.stderr)
        self.assertNotIn("gamma", result.stderr)
        result = self.bench("--limits", "nope", status=2)
        self.assertIn("there are: alpha, beta, gamma", result.stderr)

    def test_a_directory_without_workloads_is_an_error(self):
        empty = os.path.join(self.dir, "empty")
        os.mkdir(empty)
        for words in (("yield",), (), ("--list",)):
            self.assertUsage("--dir", empty, *words,
                             says=("no workloads in " + empty, "--dir"))

    def test_without_proc_it_says_that_it_needs_a_directory(self):
        words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 'mount -t tmpfs none /proc && exec "$@"', "sh"]
        if subprocess.run(words + [PONS, "--version"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("no namespaces here, or a sanitizer wants /proc")
        result = subprocess.run(words + [PONS, "bench", "--list"], check=False,
                                capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(result.returncode, 2)
        self.assertIn("/proc/self/exe: No such file", result.stderr)
        self.assertIn("--dir", result.stderr)

    def test_a_wrong_workload_is_named_with_its_nearest(self):
        self.assertUsage("alpa", says=("no workload \"alpa\"", "beta",
                                       "did you mean \"alpha\""))

    def test_a_wrong_engine_is_named_with_its_nearest(self):
        self.assertUsage("--reactor", "epol", says=("--reactor", "epol",
                                                    "\"epoll\""))
        self.assertUsage("--pool", "inlin", says=("--pool", "\"inline\""))
        self.assertUsage("--reactor", "elastic", says=("--reactor",))

    def test_a_wrong_option_of_an_engine_is_an_error(self):
        self.assertUsage("--pool", "elastic:mox=3", says=("mox", "max"))

    def test_empty_items_are_errors(self):
        self.assertUsage("--reactor", "epoll,,poll", says=("--reactor",))
        self.assertUsage("--workers", "1,", says=("--workers",))

    def test_a_wrong_peer_is_named_with_its_nearest(self):
        self.assertUsage("--peers", "tokyo", says=("no peer \"tokyo\"",
                                                   "did you mean \"tokio\""))
        self.assertUsage("--peers", "go,", says=("no peer \"\"",))

    def test_impossible_counts_are_errors(self):
        for count in ("65", "-1", "x", "1,65", "99999999999999999999", "1 "):
            self.assertUsage("--workers", count, says=("--workers", "0 to 64"))
        for count in ("0", "1001", "many"):
            self.assertUsage("--repeat", count, says=("1 to 1000",))

    def test_a_directory_that_is_not_there_is_an_error(self):
        self.assertUsage("--dir", "/nowhere", says=("/nowhere",))

    def test_floors_alone_are_nothing_to_run(self):
        self.program("limits/bare", workload="gamma", subject="bare")
        self.assertUsage("gamma", says=("nothing to run", "--limits"))

    def test_a_program_without_description_is_left_out_aloud(self):
        self.write("mute", "#!/bin/sh\nexit 0\n")
        self.write("liar", "#!/bin/sh\necho '{\"workload\":3}'\n")
        result = self.bench("--list")
        for name in ("mute", "liar"):
            self.assertIn("%s does not describe itself" % name, result.stderr)
            self.assertNotIn(name, result.stdout)
        self.assertIn("alpha", result.stdout)

    def test_why_a_program_cannot_describe_itself_is_said(self):
        self.write("peers/go", "#!/bin/sh\necho go: no libgo.so >&2; exit 127\n")
        self.assertIn("peers/go does not describe itself: ended with 127: "
                      "go: no libgo.so", self.bench("--list").stderr)

    def test_a_json_file_that_cannot_be_written_is_known_first(self):
        result = self.bench("--json", self.dir + "/no/file", status=1)
        self.assertIn("no/file", result.stderr)
        self.assertEqual(os.path.getsize(self.log), 0)


class Rows(Bench):
    def test_the_axes_that_a_workload_has_are_varied(self):
        self.program("alpha", axes=("reactor", "pool", "workers"))
        self.program("beta", workload="beta", axes=("workers",))
        found = self.measure("--reactor", "poll,epoll", "--pool",
                             "elastic:max=3,inline", "--workers", "0,2",
                             PONS_REACTOR="poll", PONS_POOL="inline")
        keys = {key[:6] for key in found if key[0] == "alpha"}
        self.assertEqual(keys, {
            ("alpha", "one", "pons", reactor, pool, workers)
            for reactor in ("poll", "epoll")
            for pool in ("elastic:max=3", "inline") for workers in ("0", "2")})
        asked = {tuple(run[:3]) for run in self.runs("alpha")}
        self.assertEqual(asked, {key[3:] for key in keys})
        asked = {tuple(run[:3]) for run in self.runs("beta")}
        self.assertEqual(asked, {("unset", "unset", "0"), ("unset", "unset", "2")})

    def test_by_default_null_is_not_among_the_reactors(self):
        self.program("alpha", axes=("reactor", "pool", "workers"))
        found = {key[3:6] for key in self.measure()}
        self.assertIn(("epoll", "elastic", "1"), found)
        self.assertIn(("poll", "elastic", "1"), found)
        self.assertNotIn("null", {reactor for reactor, _, _ in found})
        self.assertEqual({key[3] for key in self.measure("--reactor", "null")},
                         {"null"})

    def test_only_the_workloads_asked_for_are_run(self):
        self.program("alpha")
        self.program("beta", workload="beta", cases=("one", "two"))
        found = self.measure("beta")
        self.assertEqual({key[:2] for key in found},
                         {("beta", "one"), ("beta", "two")})
        self.assertEqual(self.runs("alpha"), [])

    def test_an_unusable_reactor_is_a_skipped_row_with_its_reason(self):
        self.program("alpha", axes=("reactor",))
        self.program("beta", workload="beta")
        found = self.measure("--reactor", "poll,epoll",
                             PONS_PLUGINS_DISABLE="poll")
        one = found["alpha", "one", "pons", "poll", "", "", None]
        self.assertIn("PONS_PLUGINS_DISABLE", one["skipped"])
        self.assertIn(("alpha", "one", "pons", "epoll", "", "", "wall"), found)
        self.assertIn(("beta", "one", "pons", "", "", "", "wall"), found)
        out = self.bench("--repeat", "1", "--reactor", "poll",
                         PONS_PLUGINS_DISABLE="poll").stdout
        self.assertRegex(out, r"pons poll +skipped: .*PONS_PLUGINS_DISABLE")

    def test_a_case_that_cannot_run_here_is_a_skipped_row(self):
        self.program("alpha", cases=("one", "two"), body="""
if [ "$CASE" = two ]; then
    echo '{"workload":"alpha","case":"two","skipped":"no such file system"}'
else
    figure wall ns 100
fi""")
        found = self.measure()
        one = found["alpha", "two", "pons", "", "", "", None]
        self.assertEqual(one["skipped"], "no such file system")
        self.assertIn(("alpha", "one", "pons", "", "", "", "wall"), found)

    def test_floors_and_peers_stand_beside_ours_when_asked_for(self):
        self.program("alpha", axes=("workers",))
        self.program("limits/bare", subject="bare")
        self.program("limits/other", workload="gamma", subject="other")
        self.program("peers/libev", subject="libev")
        self.program("peers/mine", subject="mine")

        def subjects(*words):
            return {(key[0], key[2]) for key in self.measure(*words)}

        self.assertEqual(subjects(), {("alpha", "pons")})
        self.assertEqual(subjects("--limits"),
                         {("alpha", "pons"), ("alpha", "bare"),
                          ("gamma", "other")})
        self.assertEqual(subjects("--peers", "mine,libev"),
                         {("alpha", "pons"), ("alpha", "libev"),
                          ("alpha", "mine")})
        for words in ("all", "all,libev", "mine,all"):
            self.assertLess({("alpha", "libev"), ("alpha", "mine")},
                            subjects("--peers", words))

    def test_a_missing_peer_is_a_skipped_row_with_its_reason(self):
        self.program("alpha")
        found = self.measure("--peers", "tokio")
        one = found["", "", "tokio", "", "", "", None]
        self.assertIn("not built here; in the source tree", one["skipped"])
        out = self.bench("--repeat", "1", "--peers", "tokio").stdout
        self.assertRegex(out, "tokio +skipped: not built here")

    def test_a_peer_that_serves_is_measured_by_our_driver(self):
        self.program("alpha", cases=("one", "two"))
        self.program("peers/libev", subject="libev", serves=["alpha"],
                     cases=())
        found = self.measure("--peers", "libev")
        self.assertIn(("alpha", "two", "libev", "", "", "", "wall"), found)
        self.assertEqual(self.runs("peers/libev"), [])
        asked = {run[4].partition(" --server ")[2]
                 for run in self.runs("alpha")}
        self.assertEqual(asked, {"", "%s/peers/libev --subject libev"
                                 % self.programs})

    def test_what_our_driver_measures_itself_comes_first(self):
        self.program("aaa", subject="pons fibers", workload="alpha",
                     serves=["alpha"], cases=(), how="in some way")
        self.program("alpha", how="in the driver's way")
        self.measure()
        subjects = [f["subject"] for f in self.document()["figures"]
                    if f["metric"] == "wall"]
        self.assertEqual(subjects, ["pons", "pons fibers"])
        self.assertEqual(self.document()["workloads"][0]["how"],
                         "in the driver's way")

    def test_up_to_one_worker_it_is_pinned(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("one processor")
        self.program("alpha", axes=("workers",))
        self.measure("--workers", "0,1,2")
        for run in self.runs("alpha"):
            pinned = re.fullmatch(r"\d+", run[3]) is not None
            self.assertEqual(pinned, run[2] != "2", run)

    def test_whose_threads_want_a_processor_each_is_not_pinned(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("one processor")
        self.program("alpha", axes=("workers",), spread=True)
        self.program("limits/bare", subject="bare")
        self.program("peers/mine", subject="mine", spread=False)
        self.program("beta", workload="beta", axes=("workers",))
        self.program("limits/other", workload="beta", subject="other",
                     spread=True)
        self.measure("--limits", "--peers", "mine")
        for name in ("alpha", "limits/bare", "peers/mine"):
            for run in self.runs(name):
                self.assertNotRegex(run[3], r"^\d+$", name)
        for name in ("beta", "limits/other"):
            for run in self.runs(name):
                self.assertRegex(run[3], r"^\d+$", name)

    def test_quick_leaves_out_what_is_heavy_unless_it_is_named(self):
        self.program("alpha", cases=("one", "two"), heavy=["two"])
        self.program("limits/bare", cases=("two",), subject="bare")
        found = self.measure("--quick", "--limits")
        for subject in ("pons", "bare"):
            one = found["alpha", "two", subject, "", "", "", None]
            self.assertIn("too long for --quick", one["skipped"])
        self.assertIn(("alpha", "one", "pons", "", "", "", "wall"), found)
        self.assertEqual(self.runs("limits/bare"), [])
        for words in (["--quick", "alpha"], []):
            self.assertIn(("alpha", "two", "pons", "", "", "", "wall"),
                          self.measure(*words))

    def test_of_a_brief_case_the_fastest_of_five_runs_counts(self):
        body = """
            case $words in
            *"--repeat 5"*) figure user ns 1,2,3,4,5
                figure wall ns 50,40,10,20,30
                figure ops 1 9,8,7,6,5 ;;
            *) figure wall ns 60 ;;
            esac"""
        self.program("alpha", body, cases=("one", "two"), brief=["one"])
        self.program("limits/bare", body, subject="bare")
        found = self.measure("--limits")
        for subject in ("pons", "bare"):
            for metric, value in (("user", 3), ("wall", 10), ("ops", 7)):
                one = found["alpha", "one", subject, "", "", "", metric]
                self.assertEqual(one["values"], [value], (subject, metric))
                self.assertEqual(one["fastest of"], 5)
        two = found["alpha", "two", "pons", "", "", "", "wall"]
        self.assertEqual(two["values"], [60])
        self.assertNotIn("fastest of", two)
        out = self.bench("--repeat", "1").stdout
        self.assertIn("alpha: one (wall, of the fastest of 5 runs)\n", out)
        self.assertIn("alpha: two (wall)\n", out)

    def test_a_run_that_misses_among_five_is_no_figure(self):
        self.program("alpha", """
            case $words in
            *"--repeat 5"*) figure wall ns 50,40,10,20 ;;
            *) figure wall ns 60 ;;
            esac""", brief=["one"])
        found = self.measure(status=1)
        self.assertIn("no figure of this case",
                      found["alpha", "one", "pons", "", "", "", None]["failed"])

    def test_the_same_number_of_workers_is_one_row(self):
        self.program("alpha", axes=("workers",))
        found = self.measure("--workers", "1,01,2,1")
        self.assertEqual(sorted(key[5] for key in found if key[6] == "wall"),
                         ["1", "2"])

    def test_an_axis_that_is_named_in_vain_is_said(self):
        self.program("alpha", axes=("reactor",))
        self.program("beta", workload="beta")
        says = "--reactor changes nothing"
        words = ("--repeat", "1", "--reactor", "poll")
        self.assertIn(says, self.bench(*words, "beta").stderr)
        for chosen in (("alpha",), ()):
            self.assertNotIn(says, self.bench(*words, *chosen).stderr)
        self.assertNotIn(says, self.bench("--repeat", "1", "beta").stderr)

    def test_nothing_but_skipped_rows_is_a_failure(self):
        self.program("alpha", axes=("reactor",), cases=("one", "two"))
        result = self.bench("--repeat", "1", "--reactor", "poll", status=1,
                            PONS_PLUGINS_DISABLE="poll")
        self.assertIn("nothing could run: pons: ", result.stderr)
        self.assertIn("PONS_PLUGINS_DISABLE", result.stderr)
        self.assertEqual(result.stdout.count("PONS_PLUGINS_DISABLE"), 1)
        self.assertRegex(result.stdout, "pons poll +skipped: as above")

    def test_installed_it_finds_its_programs(self):
        self.program("alpha")
        os.mkdir(self.dir + "/bin")
        os.makedirs(self.dir + "/libexec/pons")
        os.rename(self.programs, self.dir + "/libexec/pons/bench")
        pons = shutil.copy(PONS, self.dir + "/bin/pons")
        result = subprocess.run([pons, "bench", "--list"], timeout=LIMIT,
                                env=environment(), capture_output=True,
                                text=True, check=False)
        self.assertIn("what alpha measures", result.stdout, result)


class Runs(Bench):
    def test_repeat_gives_exactly_that_many_values(self):
        self.program("alpha", 'figure wall ns "$RUN"')
        self.bench("--repeat", "7", "--json", self.json)
        one = self.figures()["alpha", "one", "pons", "", "", "", "wall"]
        self.assertEqual(one["values"], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual((one["median"], one["low"], one["high"]), (4, 1, 7))
        self.assertFalse(one["settled"])
        words = [run[4] for run in self.runs("alpha")]
        one = "--workload alpha --case one --repeat 1"
        self.assertEqual(words[:8], [one + " --quick --no-warm-up"] + [one] * 7)

    def test_a_program_with_several_subjects_is_asked_for_each(self):
        two = [json.dumps({"workload": "alpha", "subject": subject,
                           "cases": ["one"]}) for subject in ("a", "b")]
        self.write("two", SCRIPT % {
            "describe": "\n".join(two), "name": "two", "subject": "a",
            "body": 'figure wall ns 1'})
        found = self.measure()
        self.assertEqual({key[2] for key in found if key[6] == "wall"},
                         {"a", "b"})

    def test_every_row_has_its_share_of_the_time(self):
        self.program("alpha", "sleep 1.5; figure wall ns $((RUN % 2 + 1))")
        self.program("beta", "figure wall ns $((RUN % 2 + 1))",
                     workload="beta")
        self.bench("--quick", "--time", "6s")
        with open(self.log, encoding="utf-8") as f:
            order = "".join(line[0] for line in f)
        before_the_second = order.replace("a", "", 1).partition("a")[0]
        self.assertGreaterEqual(len(before_the_second), 4)

    def test_a_run_as_long_as_many_rows_is_given_up(self):
        self.program("alpha", "exec sleep 1000")
        out = self.bench("--quick", "--time", "250ms", "--json",
                         self.json, status=1).stdout
        found = self.figures()
        one = found["alpha", "one", "pons", "", "", "", None]
        self.assertIn("a run takes longer than 1s", one["unmeasured"])
        self.assertIn("not measured: a run takes longer", out)

    def test_quick_is_passed_on(self):
        self.program("alpha")
        self.measure("--quick")
        self.assertTrue(all("--quick" in run[4] for run in self.runs("alpha")))
        self.assertTrue(self.document()["quick"])

    def test_what_does_not_spread_settles_soon(self):
        self.program("alpha", 'figure wall ns 100; figure p50 ns "$RUN"')
        self.bench("--quick", "--time", "50s", "--json", self.json)
        one = self.figures()["alpha", "one", "pons", "", "", "", "wall"]
        self.assertTrue(one["settled"])
        self.assertEqual(len(one["values"]), 6)

    def test_what_spreads_is_marked_and_said(self):
        self.program("alpha", 'figure wall ns $((RUN % 2 * 50 + 100))')
        out = self.bench("--quick", "--time", "50s", "--json", self.json).stdout
        one = self.figures()["alpha", "one", "pons", "", "", "", "wall"]
        self.assertFalse(one["settled"])
        self.assertEqual(len(one["values"]), 30)
        self.assertRegex(out, r"pons +1\d\d ns +[\d.]+~")
        self.assertIn("1 of 1 rows: the interval is wider", out)

    def test_the_first_figure_settles_a_row_without_wall(self):
        self.program("alpha", 'figure memory B 100')
        self.bench("--quick", "--time", "50s", "--json", self.json)
        one = self.figures()["alpha", "one", "pons", "", "", "", "memory"]
        self.assertTrue(one["settled"])

    def test_a_row_with_a_server_settles_by_what_the_server_used(self):
        self.program("alpha", 'figure wall ns $((RUN % 2 * 50 + 100))\n'
                     'figure "server cpu" ns 100')
        out = self.bench("--quick", "--time", "50s", "--json", self.json).stdout
        one = self.figures()["alpha", "one", "pons", "", "", "", "server cpu"]
        self.assertTrue(one["settled"])
        self.assertIn("alpha: one (server cpu)", out)

    def test_a_case_may_be_about_another_figure_and_so_for_peers(self):
        body = "figure wall ns 100; figure p99 ns $((%d + RUN))"
        self.program("alpha", body % 1000, cases=("one", "two"),
                     mains={"two": "p99"})
        self.program("limits/bare", body % 2000, subject="bare",
                     cases=("one", "two"))
        out = self.bench("--repeat", "6", "--limits", "--json",
                         self.json).stdout
        self.assertIn("alpha: one (wall)", out)
        self.assertRegex(out, r"alpha: two \(p99\)\n.*\n"
                              r"  pons +1.00 us .*\n +wall 100 ns\n"
                              r"(.*not counted.*\n)?"
                              r"  bare +2.00 us .* \+ #{16}\n")
        self.assertEqual({(f["case"], f["metric"])
                          for f in self.document()["figures"]
                          if f.get("main")},
                         {("one", "wall"), ("two", "p99")})

    def test_when_the_time_is_up_it_says_so(self):
        self.program("alpha")
        result = self.bench("--time", "1ns", "--json", self.json, status=1)
        self.assertIn("not measured: the time was up", result.stdout)
        self.assertIn("nothing was measured: pons: the time was up",
                      result.stderr)
        one = self.figures()["alpha", "one", "pons", "", "", "", None]
        self.assertEqual(one["unmeasured"], "the time was up")
        self.assertEqual(self.runs("alpha"), [])

    def test_rounds_are_shuffled(self):
        names = ["p%d" % i for i in range(6)]
        for name in names:
            self.program(name, workload=name)
        self.bench("--repeat", "8")
        with open(self.log, encoding="utf-8") as f:
            order = [line.split("|")[0] for line in f]
        rounds = [order[i:i + 6] for i in range(0, 54, 6)]
        for one in rounds:
            self.assertEqual(sorted(one), names)
        self.assertGreater(len({tuple(one) for one in rounds}), 1)

    def test_a_crash_is_a_row_with_its_reason(self):
        self.program("alpha")
        self.program("beta", "kill -SEGV $$", workload="beta")
        self.program("gamma", "echo it is broken >&2; exit 3",
                     workload="gamma")
        found = self.measure(status=1)
        self.assertIn("signal 11",
                      found["beta", "one", "pons", "", "", "", None]["failed"])
        self.assertEqual(
            found["gamma", "one", "pons", "", "", "", None]["failed"],
            "ended with 3: it is broken")
        self.assertIn(("alpha", "one", "pons", "", "", "", "wall"), found)
        out = self.bench("--repeat", "1", status=1).stdout
        self.assertRegex(out, "pons +failed: ended with 3: it is broken")

    def test_signals_reach_a_program_as_if_it_ran_alone(self):
        self.program("alpha", "kill -TERM $$; figure wall ns 1")
        found = self.measure(status=1)
        self.assertIn("signal 15",
                      found["alpha", "one", "pons", "", "", "", None]["failed"])

    def test_a_later_crash_keeps_what_was_measured(self):
        self.program("alpha", '[ "$RUN" -lt 4 ] || exit 9; figure wall ns 5')
        out = self.bench("--repeat", "7", "--json", self.json, status=1).stdout
        found = self.figures()
        self.assertEqual(
            found["alpha", "one", "pons", "", "", "", "wall"]["values"],
            [5, 5, 5])
        self.assertIn("ended with 9",
                      found["alpha", "one", "pons", "", "", "", None]["failed"])
        self.assertRegex(out, "before that +5.00 ns")

    def test_lines_that_are_no_figures_fail_the_row(self):
        bad = {"garbage": "echo hello",
               "nothing": ":",
               "other": "WORKLOAD=alfa; figure wall ns 1",
               "case": "CASE=two; figure wall ns 1",
               "infinite": "figure wall ns 1e999",
               "subject": "SUBJECT=other; figure wall ns 1",
               "text": "figure wall ns '\"1\"'",
               "many": "figure wall ns 1,2",
               "cut": "figure wall ns 1 | head -c 40"}
        for name, body in bad.items():
            self.program(name, body, workload=name)
        found = self.measure(status=1)
        for name in bad:
            self.assertRegex(
                found[name, "one", "pons", "", "", "", None]["failed"],
                "printed (a line that is no figure|no figure)", name)

    def test_a_program_that_hangs_is_killed_with_what_it_started(self):
        pids = os.path.join(self.dir, "pids")
        self.program("alpha", """
sleep 1000 & echo $! >> "$PIDS"
echo $$ >> "$PIDS"
wait""")
        found = self.measure("--timeout", "300ms", status=1, PIDS=pids)
        self.assertIn("did not end within",
                      found["alpha", "one", "pons", "", "", "", None]["failed"])
        self.assertGone(pids)

    def test_what_a_program_leaves_behind_is_killed_and_not_waited_for(self):
        pids = os.path.join(self.dir, "pids")
        self.program("alpha", 'sleep 1000 & echo $! >> "$PIDS"\n'
                     'figure wall ns 1')
        found = self.measure(PIDS=pids)
        self.assertIn(("alpha", "one", "pons", "", "", "", "wall"), found)
        self.assertGone(pids)

    def test_what_left_the_group_of_its_program_is_killed_too(self):
        pids = os.path.join(self.dir, "pids")
        self.program("alpha", """
setsid sh -c 'echo $$ >> "$PIDS"; sleep 1000 & echo $! >> "$PIDS"; wait' &
until [ "$(wc -l < "$PIDS")" -gt $((RUN * 2 + 1)) ]; do :; done
figure wall ns 1""")
        open(pids, "w", encoding="utf-8").close()
        self.measure(PIDS=pids)
        self.assertGone(pids)

    def test_children_that_it_had_before_are_not_its_to_kill(self):
        self.program("alpha")
        done = os.path.join(self.dir, "done")
        os.mkfifo(done)
        words = self.words(["--repeat", "1"])
        # The child ends when it is told, and then says that it could.
        script = ('sh -c \'read x < "$0/done"; echo alive > "$0/said"\' "$0" &'
                  ' exec "$@"')
        subprocess.run(["sh", "-c", script, self.dir, *words], timeout=LIMIT,
                       env=environment(LOG=self.log), check=True,
                       stdout=subprocess.DEVNULL)
        opened = os.open(done, os.O_RDWR)  # never blocks
        self.addCleanup(os.close, opened)
        os.write(opened, b"now\n")
        said = os.path.join(self.dir, "said")
        deadline = time.monotonic() + LIMIT
        while not os.path.exists(said) and time.monotonic() < deadline:
            os.sched_yield()
        self.assertTrue(os.path.exists(said))

    def assertGone(self, pids):
        with open(pids, encoding="utf-8") as f:
            for pid in f.read().split():
                try:
                    with open("/proc/%s/stat" % pid, encoding="utf-8") as s:
                        state = s.read().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                self.assertIn(state, "ZX", pid)  # nobody's child any more

    def test_system_calls_are_counted(self):
        self.program("alpha", "figure wall ns 1; figure ops 1 10")
        found = self.measure()
        one = found.get(("alpha", "one", "pons", "", "", "", "syscalls"))
        if one is None:
            self.skipTest("nothing can be traced here")
        self.assertGreater(one["median"], 0)
        self.assertEqual(len(one["values"]), 1)


    def test_what_goes_wrong_while_calls_are_counted_is_no_failure(self):
        for wrong in ("exit 7", "echo hello", "kill -KILL $$",
                      "echo '{\"skipped\":\"not under a tracer\"}'; exit"):
            self.program("alpha", """
case $words in
*--no-warm-up*) ;;
*--quick*) %s ;;
esac
figure wall ns 100""" % wrong)
            self.bench("--repeat", "6", "--json", self.json)
            found = self.figures()
            one = found["alpha", "one", "pons", "", "", "", "wall"]
            self.assertTrue(one["settled"], wrong)
            self.assertLessEqual({key[6] for key in found}, {"wall", None},
                                 wrong)
            if self.can_trace():
                self.assertTrue(self.why_uncounted(), wrong)
            self.bench("--repeat", "6", "--baseline", self.json)


    def can_trace(self):
        fact = self.document()["environment"]["system calls"]
        return fact == "counted by ptrace"

    def why_uncounted(self):
        return [f["uncounted"] for f in self.document()["figures"]
                if "uncounted" in f]

    def test_a_run_whose_calls_are_counted_is_given_up_sooner(self):
        self.program("alpha", """
grep -q '^TracerPid:.0$' /proc/self/status || exec sleep 1000
figure wall ns 100""")
        result = self.bench("--quick", "--timeout", "1h", "--repeat", "1",
                            "--json", self.json)
        self.assertLessEqual({key[6] for key in self.figures()},
                             {"wall", None})
        if self.can_trace():
            self.assertIn("calls: not counted: did not end within 1s",
                          result.stdout)
            self.assertEqual(self.why_uncounted(), ["did not end within 1s"])


class Interrupt(Bench):
    def test_ctrl_c_keeps_what_is_done(self):
        self.assertKept(signal.SIGINT)

    def test_so_do_a_hang_up_and_a_plain_kill(self):
        for sent in (signal.SIGHUP, signal.SIGTERM):
            with self.subTest(sent):
                open(self.log, "w", encoding="utf-8").close()
                self.assertKept(sent)

    def test_a_hang_up_that_is_ignored_stays_ignored(self):
        self.program("alpha", "kill -HUP $PPID; figure wall ns 1")
        words = self.words(["--repeat", "2", "--json", self.json])
        subprocess.run(["nohup", *words], env=environment(LOG=self.log),
                       stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=LIMIT, check=True)
        one = self.figures()["alpha", "one", "pons", "", "", "", "wall"]
        self.assertEqual(one["values"], [1, 1])

    def test_what_is_killed_has_not_lost_the_last_result(self):
        with open(self.json, "w", encoding="utf-8") as f:
            f.write("yesterday")
        self.program("alpha", "kill -KILL $PPID; exec sleep 1000")
        self.bench("--repeat", "1", "--json", self.json, status=-9)
        with open(self.json, encoding="utf-8") as f:
            self.assertEqual(f.read(), "yesterday")

    def test_a_shorter_result_takes_the_place_of_a_longer_one(self):
        with open(self.json, "w", encoding="utf-8") as f:
            f.write("x" * 100000)
        self.program("alpha")
        self.bench("--repeat", "1", "--json", self.json)
        self.assertIn("figures", self.document())

    def assertEndedIn(self, call, sent, words, **streams):
        """Once it is in the system call `call` it is ended by `sent`."""
        with subprocess.Popen(self.words(words), stdin=subprocess.DEVNULL,
                              env=environment(LOG=self.log),
                              **streams) as bench:
            try:
                deadline = time.monotonic() + LIMIT
                while not self.is_in(bench.pid, call):
                    self.assertIsNone(bench.poll())
                    self.assertLess(time.monotonic(), deadline)
                    os.sched_yield()
                bench.send_signal(sent)
                self.assertEqual(bench.wait(LIMIT / 4), -sent)
            finally:
                bench.kill()

    def is_in(self, pid, call):
        with open("/proc/%d/wchan" % pid, encoding="utf-8") as f:
            return call in f.read()

    def test_it_can_be_ended_while_nobody_opens_its_fifo(self):
        fifo = os.path.join(self.dir, "fifo")
        os.mkfifo(fifo)
        self.program("alpha")
        for sent in (signal.SIGINT, signal.SIGTERM):
            self.assertEndedIn("wait_for_partner", sent, ["--json", fifo])
        self.assertEqual(self.runs("alpha"), [])

    def test_it_can_be_ended_while_nobody_takes_its_output(self):
        self.program("alpha", "for i in $(seq 99); do figure w$i ns 1; done")
        ours, its = os.pipe()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, its)
        fcntl.fcntl(its, fcntl.F_SETPIPE_SZ, 4096)
        for sent in (signal.SIGINT, signal.SIGTERM):
            self.assertEndedIn("pipe_write", sent,
                               ["--repeat", "1", "--json", "-"], stdout=its)

    def assertKept(self, sent):
        fifo = os.path.join(self.dir, "fifo")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        self.program("alpha", """
if [ "$RUN" -ge 3 ]; then
    echo $$ > "$FIFO"
    exec sleep 1000
fi
figure wall ns 100""")
        with subprocess.Popen(
                self.words(["--repeat", "50", "--json", self.json]),
                env=environment(LOG=self.log, FIFO=fifo), text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as bench:
            with open(fifo, encoding="utf-8") as f:
                pid = f.read().strip()
            bench.send_signal(sent)
            out, err = bench.communicate(timeout=LIMIT)
        self.assertEqual((bench.returncode, err), (130, ""))
        self.assertRegex(out, "pons +100 ns")
        self.assertIn("interrupted", out)
        self.assertTrue(self.document()["interrupted"])
        one = self.figures()["alpha", "one", "pons", "", "", "", "wall"]
        self.assertEqual(one["values"], [100, 100])
        self.assertFalse(os.path.exists("/proc/" + pid))


class Output(Bench):
    def test_json_has_the_environment_and_valid_figures(self):
        self.program("alpha", 'figure wall ns 1.5; figure rss B 4096')
        result = self.bench("--repeat", "6", "--json", "-")
        document = json.loads(result.stdout)
        for fact in ("kernel", "processor", "cores", "mitigations",
                     "virtual machine", "io_uring", "open files",
                     "locked memory", "pons", "compiler", "libc"):
            self.assertTrue(document["environment"][fact], fact)
        self.assertEqual(document["environment"]["kernel"].split()[1],
                         os.uname().release)
        self.assertEqual(document["workloads"][0]["silent"],
                         "what alpha is silent about")
        one = [f for f in document["figures"] if f["metric"] == "wall"][0]
        self.assertEqual(one["values"], [1.5] * 6)
        self.assertEqual((one["unit"], one["median"], one["settled"]),
                         ("ns", 1.5, True))

    def test_words_of_programs_cannot_break_json_or_a_terminal(self):
        self.program("alpha", r"printf '\033[31m\"\377\n' >&2; exit 1")
        result = self.bench("--repeat", "1", "--json", self.json, status=1)
        self.assertNotIn("\033", result.stdout)
        self.assertEqual(len(self.document()["figures"]), 1)

    def test_the_table_has_environment_figures_marks_and_sentences(self):
        self.program("alpha", """
figure wall ns $((1000 + RUN)); figure user ns 300; figure system ns 200
figure switches 1 0.5; figure rss B 2097152; figure p99 ns 12345""")
        self.program("limits/fast", 'figure wall ns $((500 + RUN))',
                     subject="fast")
        self.program("limits/same", 'figure wall ns $((1000 + RUN))',
                     subject="same")
        self.program("limits/slow", 'figure wall ns $((2000 + RUN))',
                     subject="slow")
        out = self.bench("--limits", "--repeat", "7").stdout
        self.assertIn(os.uname().release, out)
        self.assertIn("alpha: one (wall)", out)
        self.assertRegex(out, r"pons +1.00 us +0.3  +1.00 us +1.01 us +300 ns "
                              r"+200 ns +\S+ +0.50 +2.00 MiB +#{8}\n")
        self.assertIn("p99 12.3 us", out)
        self.assertRegex(out, r"fast +504 ns .* - #{4}\n")
        self.assertRegex(out, r"same +1.00 us .* = #{8}\n")
        self.assertRegex(out, r"slow +2.00 us .* \+ #{16}\n")
        self.assertRegex(out, r"measures: +what alpha measures\n +how: +how "
                              r"alpha does it\n +does not tell: what alpha is")

    def test_how_each_subject_does_it_is_said(self):
        self.program("alpha")
        self.program("limits/bare", subject="bare", how="by hand")
        self.program("peers/libev", subject="libev", how="in its own way",
                     silent="what libev is silent about")
        self.program("peers/libuv", subject="libuv", how="in another way")
        out = self.bench("--repeat", "1", "--limits", "--peers", "libev",
                         "--json", self.json).stdout
        self.assertIn("how alpha does it\n"
                      "  does not tell: what alpha is silent about\n"
                      "  floor bare:    by hand\n"
                      "  peer libev:    in its own way\n"
                      "  does not tell: what libev is silent about\n\n", out)
        self.assertEqual(
            [(w["workload"], w["subject"], w["kind"], w["how"])
             for w in self.document()["workloads"]],
            [("alpha", "pons", "ours", "how alpha does it"),
             ("alpha", "bare", "floor", "by hand"),
             ("alpha", "libev", "peer", "in its own way")])

    def test_columns_of_a_server_workload_are_the_servers(self):
        self.program("alpha", """
figure wall ns 100; figure "server user" ns 40; figure rss B 1
figure "server rss" B 2048; figure "server cpu" ns 60""")
        out = self.bench("--repeat", "2").stdout
        self.assertRegex(out, r"pons .* 40.0 ns .* 2.00 KiB +#{16}\n +wall "
                              r"100 ns\n")
        self.assertRegex(out, "pons +60.0 ns")

    def on_a_terminal(self, columns):
        """The lines of its tables there."""
        terminal, its = os.openpty()
        self.addCleanup(os.close, terminal)
        fcntl.ioctl(its, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        with subprocess.Popen(self.words(["--repeat", "7"]), stdout=its,
                              stdin=subprocess.DEVNULL,
                              env=environment(LOG=self.log)) as bench:
            os.close(its)
            text = b""
            try:
                while True:
                    text += os.read(terminal, 1 << 16)
            except OSError:
                pass  # the end: nobody writes any more
            self.assertEqual(bench.wait(LIMIT), 0)
        lines = text.decode().replace("\r", "").splitlines()
        return lines[lines.index("alpha: one (wall)"):]

    def test_a_narrow_terminal_has_the_columns_on_more_lines(self):
        self.program("alpha", """
figure wall ns $((1000 + RUN)); figure user ns 300; figure system ns 200
figure switches 1 0.5; figure rss B 2097152; figure p99 ns 12345""",
                     axes=("reactor", "pool", "workers"))
        for columns in (80, 72, 60):
            lines = self.on_a_terminal(columns)
            self.assertLess(max(map(len, lines[:4])), columns, lines)
            self.assertRegex(lines[2], r"pons epoll elastic 1 worker +1.0. us"
                                       r" +0.3  +#+$")
            others = " ".join(lines[3:6])
            for part in ("least 1.0. us", "most 1.0. us", "user 300 ns",
                         "switches 0.50", "rss 2.00 MiB", "p99 12.3 us"):
                self.assertRegex(others, part)
        lines = self.on_a_terminal(150)
        self.assertRegex(lines[2], "1.0. us +300 ns +200 ns .* #{16}$")
        self.assertIn("least      most      user", lines[1])

    def test_the_versions_of_peers_and_of_wrk_are_in_the_environment(self):
        tools = os.path.join(self.dir, "tools")
        self.write("../tools/wrk", "#!/bin/sh\necho 'wrk debian/4.9 [epoll]'\n"
                   "exit 1\n")
        self.write("../tools/dpkg-query", """#!/bin/sh
case $* in *librust-tokio-dev) printf 1.24.2-1 ;; *) exit 1 ;; esac
""")
        self.program("http", workload="http")
        self.program("peers/tokio", subject="tokio", workload="http")
        self.program("peers/mine", subject="mine", workload="http",
                     version="7.7")
        self.program("peers/other", subject="other", workload="http")
        self.program("peers/unused", subject="unused", workload="beta")
        self.measure("--peers", "all", "http",
                     PATH=tools + ":" + os.environ["PATH"])
        facts = self.document()["environment"]
        self.assertEqual(facts["wrk"], "debian/4.9")
        self.assertEqual(facts["peers"], "mine 7.7, other version unknown, "
                                         "tokio 1.24.2-1")
        self.program("alpha")
        self.measure("alpha")
        self.assertFalse({"wrk", "peers"} &
                         set(self.document()["environment"]))

    def test_both_limits_are_in_the_environment(self):
        self.program("alpha")
        result = subprocess.run(
            ["sh", "-c", 'ulimit -Sn 200 && ulimit -Hn 300 && exec "$@"', "sh",
             *self.words(["--repeat", "1", "--json", self.json])],
            env=environment(LOG=self.log), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=LIMIT, check=False)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(self.document()["environment"]["open files"],
                         "200, hard limit 300")

    def test_mitigations_are_said_to_the_last(self):
        self.program("alpha")
        flaws = os.path.join(self.dir, "flaws")
        os.mkdir(flaws)
        for i in range(20):
            with open(os.path.join(flaws, "flaw_%02d" % i), "w",
                      encoding="utf-8") as f:
                f.write("Vulnerable: no microcode\n" if i else "Not affected\n")
        words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 'mount --bind "$0" /sys/devices/system/cpu/vulnerabilities '
                 '&& exec "$@"', flaws]
        if subprocess.run(words + ["true"], capture_output=True,
                          check=False).returncode != 0:
            self.skipTest("no namespaces here")
        subprocess.run(words + self.words(["--repeat", "1", "--json",
                                           self.json]), check=True,
                       env=environment(LOG=self.log), capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=LIMIT)
        self.assertEqual(self.document()["environment"]["mitigations"],
                         ", ".join("flaw_%02d: Vulnerable" % i
                                   for i in range(1, 20)))

    def test_on_a_terminal_it_says_how_far_it_is(self):
        self.program("alpha")
        terminal, its = os.openpty()
        self.addCleanup(os.close, terminal)
        subprocess.run(self.words(["--repeat", "5"]), stdout=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, stderr=its, timeout=LIMIT,
                       env=environment(LOG=self.log), check=True)
        os.close(its)
        drawn = ""
        try:
            while True:
                drawn += os.read(terminal, 1 << 16).decode()
        except OSError:
            pass  # the end: nobody writes any more
        self.assertRegex(drawn, r"\r\[[#.]+\] round 3, \d+:\d\d left, alpha")
        self.assertTrue(drawn.endswith("\r\033[K"), drawn)

    def test_nothing_is_drawn_where_there_is_no_terminal(self):
        self.program("alpha")
        self.assertEqual(self.bench("--repeat", "2").stderr, "")


class Surroundings(Bench):
    """What a parent may do to a command."""

    def test_without_standard_input_and_output_it_measures(self):
        self.program("alpha")
        words = self.words(["--repeat", "1", "--json", self.json])
        result = subprocess.run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *words],
                                env=environment(LOG=self.log), check=False,
                                stderr=subprocess.PIPE, text=True,
                                timeout=LIMIT)
        self.assertNotIn("describe", result.stderr)
        self.assertIn("cannot write the output: Bad file descriptor",
                      result.stderr)
        self.assertIn(("alpha", "one", "pons", "", "", "", "wall"),
                      self.figures())

    def test_where_children_are_ignored_it_knows_how_its_own_end(self):
        self.program("alpha", "exit 3")
        words = self.words(["--repeat", "1"])
        result = subprocess.run(
            words, env=environment(LOG=self.log), timeout=LIMIT, text=True,
            stdout=subprocess.PIPE, check=False,
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(result.returncode, 1)
        self.assertIn("failed: ended with 3", result.stdout)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: bench_command_test.py PONS [TEST...]")
    PONS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
