#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
tests/inspect_test.py - pons inspect, from outside.

    inspect_test.py PONS [TEST...]

Files are plugins of this build with some bytes changed, so that each is wrong
in one thing only; what needs a linker is linked here, and skipped aloud where
there is none. Whatever waits has a time limit, which only a hang can reach.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

PONS = ""
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 60  # seconds; nothing takes that long unless it hangs
ROOM = 64 << 20  # bytes that a file may make it use, beyond what a good one does

TYPE, MACHINE = 16, 18  # where they stand in the header, of any class
PHOFF, SHOFF, PHNUM, SHNUM = 32, 40, 56, 60  # where, in one of 64 bits


def environment(**settings):
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("PONS_") and k != "LD_LIBRARY_PATH"}
    env.update(settings)
    return env


def inspect(*words, before=None, cwd=None, **settings):
    return subprocess.run([PONS, "inspect", *words], cwd=cwd,
                          env=environment(**settings),
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT, preexec_fn=before,
                          check=False)


def beside(*names):
    return os.path.join(os.path.dirname(PONS), *names)


def change(at, form, *values):
    """A function that writes them there."""
    def apply(data):
        struct.pack_into(form, data, at, *values)
    return apply


class Inspect(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="pons-inspect-")
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def sample(self, variant):
        path = beside("tests", "plugins", variant + ".so")
        if not os.path.exists(path):
            self.skipTest("no " + path)
        return path

    def engine(self):
        """A plugin that calls the C library."""
        path = beside("plugins", "epoll.so")
        if not os.path.exists(path):
            self.skipTest("no " + path)
        return path

    def bytes(self):
        with open(self.sample("good"), "rb") as f:
            return bytearray(f.read())

    def write(self, data, name="file.so"):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def changed(self, *changes, name="file.so"):
        data = self.bytes()
        for one in changes:
            one(data)
        return self.write(data, name)

    def renamed(self, name):
        """It needs `name` instead of libc.so.6."""
        with open(self.engine(), "rb") as f:
            data = f.read()
        self.assertTrue(b"libc.so.6\0" in data)
        return self.write(data.replace(b"libc.so.6\0", name.ljust(10, b"\0")))

    def link(self, name, *options, source="sample.c", define="SAMPLE_good"):
        if not shutil.which("cc"):
            self.skipTest("no cc to link with")
        subprocess.run(["cc", "-fPIC", "-D" + define, "-I",
                        os.path.join(HERE, "..", "include"),
                        os.path.join(HERE, "plugins", source), "-o",
                        self.path(name), *options], check=True, timeout=LIMIT)
        return self.path(name)

    def told(self, path, **settings):
        """Its JSON, when it did not crash and the status says the same."""
        result = inspect(path, "--json", **settings)
        self.assertEqual(result.stderr, "", result)
        told = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0 if told["taken"] else 1, result)
        self.assertEqual(told["taken"], told["why_not_taken"] is None)
        self.assertEqual(told["loads"], told["why_not_loaded"] is None)
        self.assertEqual(told["plugin"] is None,
                         told["why_no_plugin"] is not None)
        return told

    def wrong(self, path, loads=None, taken=None, **settings):
        """Not taken, for this reason; loaded, unless there is one against it.
        The same is said in words."""
        told = self.told(path, **settings)
        result = inspect(path, **settings)
        self.assertEqual((result.returncode, result.stderr), (1, ""), result)
        self.assertFalse(told["taken"])
        self.assertIn(taken or loads, told["why_not_taken"])
        self.assertRegex(result.stdout, r"(?m)^  taken    no: ")
        self.assertIn(taken or loads, result.stdout)
        self.assertEqual(told["loads"], loads is None)
        if loads:
            self.assertIn(loads, told["why_not_loaded"])
        return told

    # ---- one that is right ----

    def test_all_that_the_note_says_is_said(self):
        told = self.told(self.sample("good"))
        self.assertEqual(told["plugin"], {
            "name": "sample", "version": "1.0", "licence": "MIT",
            "abi_min": "0.0", "abi_max": "0.1",
            "engines": [{"kind": "poller", "name": "sample"}]})
        result = inspect(self.sample("good"))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for line in (self.sample("good"),
                     "  plugin   sample 1.0, licence MIT, ABI 0.0 to 0.1 "
                     "(this is 0.1)", "  engine   poller sample",
                     "  loads    yes", "  taken    yes"):
            self.assertIn(line, result.stdout.splitlines())
        self.assertIn("`pons probe FILE'", result.stdout)

    def test_each_engine_of_a_file_is_said(self):
        told = self.told(self.sample("two"))
        self.assertEqual([(e["kind"], e["name"])
                          for e in told["plugin"]["engines"]],
                         [("poller", "sample"), ("pool", "other"),
                          ("poller", "second")])
        self.assertIn("\n  engine   poller sample\n  engine   pool other\n"
                      "  engine   poller second\n",
                      inspect(self.sample("two")).stdout)

    def test_what_the_file_is_is_said(self):
        told = self.told(self.sample("good"))
        self.assertEqual(told["path"], self.sample("good"))
        self.assertEqual(told["size"], os.path.getsize(self.sample("good")))
        self.assertEqual((told["elf"]["type_name"], told["elf"]["bits"],
                          told["elf"]["byte_order"]),
                         ("shared object", 8 * struct.calcsize("P"),
                          sys.byteorder))
        if os.uname().machine == "x86_64":
            self.assertIn("\n  file     shared object for x86-64, 64-bit, "
                          "little-endian, %d bytes\n" % told["size"],
                          inspect(self.sample("good")).stdout)

    def test_no_code_of_it_runs(self):
        trace = self.path("trace")
        path = self.sample("traces")
        self.told(path, SAMPLE_TRACE=trace)
        inspect(path, SAMPLE_TRACE=trace)
        self.assertFalse(os.path.exists(trace))
        subprocess.run([PONS, "probe", path], check=True, timeout=LIMIT,
                       env=environment(SAMPLE_TRACE=trace),
                       stdout=subprocess.DEVNULL)
        self.assertTrue(os.path.exists(trace))

    def test_no_code_of_what_it_needs_runs(self):
        trace = self.path("trace")
        self.link("libtrace.so", "-shared", define="SAMPLE_traces")
        path = self.link("file.so", "-shared", "-Wl,--no-as-needed", "-L",
                         self.dir, "-ltrace", "-Wl,-rpath,$ORIGIN")
        told = self.told(path, SAMPLE_TRACE=trace)
        self.assertTrue(told["taken"], told)
        self.assertFalse(os.path.exists(trace))

    # ---- what it needs ----

    def needs(self, path, **settings):
        return {n["name"]: n["path"]
                for n in self.told(path, **settings)["needs"]}

    def test_libraries_are_said_with_their_places(self):
        libc = self.needs(self.engine())["libc.so.6"]
        with open("/proc/self/maps", encoding="utf-8") as f:
            mapped = {line.split()[-1] for line in f if "libc.so.6" in line}
        self.assertIn(os.path.realpath(libc), mapped)
        self.assertIn("\n  needs    libc.so.6: %s\n" % libc,
                      inspect(self.engine()).stdout)

    def test_a_library_that_is_missing_is_a_reason(self):
        path = self.renamed(b"libq.so.6")
        told = self.wrong(path, loads="needs libq.so.6, which is not here")
        self.assertIn({"name": "libq.so.6", "path": None}, told["needs"])
        self.assertIn("\n  needs    libq.so.6: not found\n",
                      inspect(path).stdout)
        self.wrong(self.renamed(b"/no/q.so"), loads="needs /no/q.so")

    def test_a_library_is_found_where_the_loader_looks(self):
        path = self.renamed(b"libq.so.6")
        place = self.path("libq.so.6")
        shutil.copy(self.sample("good"), place)
        self.assertIsNone(self.needs(path)["libq.so.6"])
        for libraries in (self.dir, "/nowhere:%s:/no" % self.dir,
                          "/nowhere;" + self.dir):
            self.assertEqual(
                self.needs(path, LD_LIBRARY_PATH=libraries)["libq.so.6"],
                place)

    def test_run_paths_are_followed(self):
        os.mkdir(self.path("lib"))
        self.link("lib/libhelp.so", "-shared")
        for flag in ("--enable-new-dtags", "--disable-new-dtags"):
            for directory in ("$ORIGIN/lib", "${ORIGIN}/lib",
                              "/nowhere:" + self.path("lib")):
                with self.subTest(flag=flag, directory=directory):
                    path = self.link(
                        "file.so", "-shared", "-Wl,--no-as-needed," + flag,
                        "-L", self.path("lib"), "-lhelp",
                        "-Wl,-rpath," + directory)
                    self.assertEqual(self.needs(path)["libhelp.so"],
                                     self.path("lib/libhelp.so"))
        path = self.link("file.so", "-shared", "-Wl,--no-as-needed", "-L",
                         self.path("lib"), "-lhelp")
        self.wrong(path, loads="needs libhelp.so")

    def test_of_two_places_the_loaders_first_is_said(self):
        for name in ("run", "env"):
            os.mkdir(self.path(name))
            self.link(name + "/libhelp.so", "-shared")
        for flag, first in (("--enable-new-dtags", "env"),
                            ("--disable-new-dtags", "run")):
            path = self.link("file.so", "-shared",
                             "-Wl,--no-as-needed," + flag, "-L",
                             self.path("run"), "-lhelp",
                             "-Wl,-rpath,$ORIGIN/run")
            for libraries in (self.path("env"),
                              "/nowhere:" + self.path("env"),
                              "/nowhere;" + self.path("env")):
                self.assertEqual(
                    self.needs(path, LD_LIBRARY_PATH=libraries)["libhelp.so"],
                    self.path(first, "libhelp.so"))
        path = self.link("file.so", "-shared", "-Wl,--no-as-needed", "-L",
                         self.path("run"), "-lhelp", "-Wl,-rpath,$ORIGIN/run")
        self.assertEqual(
            self.needs(path, LD_LIBRARY_PATH="/nowhere:",
                       cwd=self.path("env"))["libhelp.so"], "./libhelp.so")

    def test_what_is_no_library_for_this_machine_is_passed_over(self):
        path = self.renamed(b"libq.so.6")
        self.changed(change(4, "B", 3 - self.bytes()[4]), name="libq.so.6")
        self.assertIsNone(
            self.needs(path, LD_LIBRARY_PATH=self.dir)["libq.so.6"])
        os.unlink(self.path("libq.so.6"))
        os.mkfifo(self.path("libq.so.6"))
        self.assertIsNone(
            self.needs(path, LD_LIBRARY_PATH=self.dir)["libq.so.6"])

    def test_names_in_it_cannot_look_like_ours(self):
        path = self.renamed(b"a\n \x1b[2J\xff")
        told = self.wrong(path, loads="needs a? ?[2J?")
        self.assertIn("a? ?[2J?", [n["name"] for n in told["needs"]])
        self.assertNotIn("\x1b", inspect(path).stdout)

    # ---- what Pons does not take ----

    def test_what_is_against_its_note_is_said(self):
        for variant, reason in (
                ("no_note", "has no Pons note"),
                ("two_notes", "has 2 Pons notes"),
                ("note_kind", "engine:sample"),
                ("note_auto", '"auto" is no name'),
                ("note_reserved", "reserved[2]: wanted 0, found 1")):
            with self.subTest(variant=variant):
                told = self.wrong(self.sample(variant), taken=reason)
                self.assertIsNone(told["plugin"])
                self.assertIn(reason, told["why_no_plugin"])
                self.assertRegex(inspect(self.sample(variant)).stdout,
                                 r"(?m)^  plugin   no: ")

    def test_another_abi_is_a_reason(self):
        told = self.wrong(self.sample("other_major"), taken="ABI: wanted one")
        self.assertEqual(told["plugin"]["abi_max"], "1.0")
        self.wrong(self.sample("newer_minor"), taken="use a newer libpons")

    def test_who_may_write_it_is_a_reason(self):
        path = self.changed()
        os.chmod(path, 0o666)
        self.wrong(path, taken="everybody may write to it")

    def test_a_program_is_a_reason(self):
        self.wrong(PONS, loads="is a program; wanted a shared object",
                   taken="has no Pons note")
        path = self.link("file.so", "-shared", "-Wl,-z,nodlopen")
        self.wrong(path, loads="cannot be loaded by dlopen(3)")

    def test_damage_is_a_reason_and_the_note_is_read_all_the_same(self):
        told = self.wrong(self.changed(change(SHNUM, "<H", 0)),
                          loads="has no section table")
        self.assertEqual(told["plugin"]["name"], "sample")
        self.assertEqual(told["needs"], [])

    # ---- for other machines ----

    def test_other_machines_are_named(self):
        for machine, name in ((3, "i386"), (40, "arm"), (183, "aarch64"),
                              (243, "riscv"), (21, "ppc64"), (22, "s390"),
                              (62, "x86-64")):
            path = self.changed(change(MACHINE, "<H", machine))
            told = self.told(path)
            self.assertEqual((told["elf"]["machine"],
                              told["elf"]["machine_name"]), (machine, name))
            self.assertIn(" for %s, " % name, inspect(path).stdout)
        path = self.changed(change(MACHINE, "<H", 12345))
        self.assertIsNone(self.told(path)["elf"]["machine_name"])
        self.assertIn(" for machine 12345, ", inspect(path).stdout)
        self.wrong(path, loads="ELF machine: wanted")

    def test_other_classes_and_byte_orders_are_named(self):
        told = self.wrong(self.changed(change(4, "B", 1)), loads="ELF class")
        self.assertEqual(told["elf"]["bits"], 32)
        told = self.wrong(self.changed(change(5, "B", 2),
                                       change(TYPE, ">HH", 3, 21)),
                          loads="ELF byte order")
        self.assertEqual((told["elf"]["byte_order"],
                          told["elf"]["machine_name"],
                          told["elf"]["type_name"]),
                         ("big", "ppc64", "shared object"))
        told = self.wrong(self.changed(change(4, "BB", 7, 9)),
                          loads="ELF class: wanted 2 (64-bit), found 7")
        self.assertEqual((told["elf"]["bits"], told["elf"]["byte_order"]),
                         (None, None))
        self.assertRegex(inspect(self.path("file.so")).stdout,
                         r"\n  file     shared object for [\w-]+, \d+ bytes\n")
        # As short as a whole header of 32 bits is.
        self.wrong(self.write(self.bytes()[:4] + b"\1" + self.bytes()[5:52]),
                   loads="truncated: ELF header")

    def test_other_types_are_named(self):
        for number, name in ((1, "object file"), (2, "program"),
                             (4, "core dump"), (77, None)):
            path = self.changed(change(TYPE, "<H", number))
            told = self.wrong(path, loads="ELF type: wanted 3")
            self.assertEqual((told["elf"]["type"], told["elf"]["type_name"]),
                             (number, name))
            self.assertIn("  file     %s for " % (name or "ELF type 77"),
                          inspect(path).stdout)

    # ---- what is no such file at all ----

    def test_what_is_no_file_is_said_and_not_waited_for(self):
        os.mkfifo(self.path("fifo"))
        os.symlink("loop", self.path("loop"))
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path("socket"))
            for path, reason in ((self.dir, "is a directory"),
                                 (self.path("fifo"), "is a fifo"),
                                 (self.path("socket"), "is a socket"),
                                 ("/dev/zero", "is a device"),
                                 ("/dev/tty", "is a device"),
                                 (self.path("loop"), "symbolic links"),
                                 (self.path("no"), "No such file")):
                with self.subTest(path=path):
                    told = self.wrong(path, loads=reason, taken=reason)
                    self.assertEqual((told["elf"], told["plugin"]),
                                     (None, None))
                    self.assertEqual(inspect(path).stdout.count("\n"), 2)

    def test_what_may_not_be_read_is_said(self):
        def nobody():
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
        path = self.changed()
        os.chmod(path, 0)
        os.chmod(self.dir, 0o755)
        try:
            self.wrong(path, loads="Permission denied", before=nobody)
        except (PermissionError, subprocess.SubprocessError):
            self.skipTest("%s is not everybody's to run" % PONS)

    def test_what_is_not_elf_is_said(self):
        self.wrong(self.write(b""), loads="is no ELF file: it has 0 bytes")
        self.wrong(self.write(b"#!/bin/sh\n"), loads="is no ELF file")
        self.wrong("/proc/self/maps", loads="is no ELF file: it has 0 bytes")
        self.wrong(self.write(b"\x7fELF"), loads="truncated: ELF header")

    def test_a_name_that_is_not_utf_8_is_said(self):
        path = os.fsencode(self.dir) + b"/\xff.so"
        shutil.copy(self.sample("good"), path)
        result = inspect(path, "--json")
        self.assertEqual(json.loads(result.stdout)["path"],
                         self.dir + "/?.so")

    # ---- hostile ones ----

    def used(self, path):
        """Bytes of memory that it used at most."""
        child = subprocess.Popen([PONS, "inspect", path], env=environment(),
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        _, status, use = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertIn(child.returncode, (0, 1))
        return use.ru_maxrss * 1024

    def test_no_size_in_it_makes_it_hang_or_take_memory(self):
        most = self.used(self.sample("good")) + ROOM
        huge = (1 << 64) - 1
        for at, form, values in ((PHOFF, "<Q", (huge, 1 << 39)),
                                 (SHOFF, "<Q", (huge, 1 << 39)),
                                 (PHNUM, "<H", (0, 64, 65535)),
                                 (SHNUM, "<H", (1, 1024, 65535))):
            for value in values:
                for size in (None, 1 << 40):
                    path = self.changed(change(at, form, value))
                    if size:
                        os.truncate(path, size)
                    with self.subTest(at=at, value=value, size=size):
                        self.told(path)
                        self.assertLess(self.used(path), most)

    def test_huge_segments_and_sections_are_not_read(self):
        most = self.used(self.sample("good")) + ROOM
        data = self.bytes()
        (phoff, shoff) = struct.unpack_from("<QQ", data, PHOFF)
        for table, step, count, sizes in (
                (phoff, 56, struct.unpack_from("<H", data, PHNUM)[0], (32, 40)),
                (shoff, 64, struct.unpack_from("<H", data, SHNUM)[0], (32,))):
            for i in range(0, count, 2):
                path = self.changed(
                    *(change(table + i * step + at, "<Q", 1 << 39)
                      for at in sizes))
                os.truncate(path, 1 << 40)
                self.told(path)
                self.assertLess(self.used(path), most)

    def test_cut_off_anywhere_it_is_refused(self):
        data = self.bytes()
        for size in [*range(0, 1200, 53), *range(1200, len(data) - 1, 1500)]:
            told = self.told(self.write(data[:size]))
            self.assertFalse(told["loads"], size)
            self.assertFalse(told["taken"], size)

    def test_whatever_byte_is_wrong_it_answers(self):
        data = self.bytes()
        for at in range(0, 1024, 29):
            for value in (0, 0xff):
                broken = bytearray(data)
                broken[at] = value
                self.told(self.write(broken))

    # ---- words ----

    def test_help_fits_a_terminal(self):
        result = inspect("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("usage: pons inspect [OPTION...] FILE", result.stdout)
        for line in result.stdout.splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_wrong_words_are_refused(self):
        for words, part in (((), "wants FILE"), (("a", "b"), '"b"'),
                            (("--jsn", "a"), '"--json"')):
            result = inspect(*words)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn(part, result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit("usage: inspect_test.py PONS [TEST...]")
    PONS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
