# SPDX-License-Identifier: MIT
"""bench/bars.py - what bench/run and bench/engines share: running a program of
bench/, and judging figures by a bar.

Two things that are said to differ by a few per cent are measured in pairs: in
each round one value of either, and their ratio. What the machine does meanwhile
changes both, and their ratio little. A verdict is the median of these ratios,
and beside it stands the 95 % interval of that median.
"""

import json
import math
import os
import statistics
import subprocess
import sys

ENOUGH = 6  # values that an interval takes: cli/bench_stats.h


def start(command, env=None):
    """What a program prints; `env` is added to the environment."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=False, env=dict(os.environ, **(env or {})))
    if done.returncode != 0:
        sys.exit(f"{sys.argv[0]}: {command[0]} ended with {done.returncode}")
    return done.stdout


def lines(said):
    """The lines of a program of bench/bench.h."""
    return [json.loads(line) for line in said.splitlines()]


def rank(count):
    """Which of `count` sorted values, from 1, is the lower end of the interval
    of their median: by order statistics, as cli/bench_stats.c."""
    below, k = 0.0, 0
    while True:
        below += math.comb(count, k) / 2 ** count
        if 2 * below > 0.05:
            return k
        k += 1


def interval(values):
    """Of the median, at 95 %; of too few values all that was seen."""
    ordered = sorted(values)
    k = rank(len(ordered)) if len(ordered) >= ENOUGH else 1
    return ordered[k - 1], ordered[-k]


def paired(over, under):
    """The ratios, round by round; what one has more rounds of is left out."""
    return [a / b for a, b in zip(over, under)]


def word(met):
    return "met" if met else "NOT MET"


class Verdict:
    """Values, and the bar that their median is to meet. At most `allowed`, or
    with `least` no less; with `noise` it is enough when the near end of the
    interval meets it: then nothing worse has been seen."""

    def __init__(self, values, allowed, least=False, noise=False):
        self.median = statistics.median(values)
        self.low, self.high = interval(values)
        self.allowed, self.least = allowed, least
        near = self.high if least else self.low
        judged = near if noise else self.median
        self.met = judged >= allowed if least else judged <= allowed

    def word(self):
        return word(self.met)
