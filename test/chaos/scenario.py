"""The frame of a fault test: its command line, a directory of its own, the verdict, and the control that must fail."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from hub import Broken, LossTold
from oracle import Ledger, is_defect

ROOT = Path(__file__).resolve().parent.parent.parent


class Unavailable(Exception):
    """This machine has not got what the test needs: the text says what."""


class Scenario:
    """What a test is given: `count`, `control`, `short`, `binary`, `build`, `directory`, `ledger`, `rng`; `kill` holds what
    must be undone at the end, whatever happens."""

    def __init__(self, options, name):
        self.count = options.count
        self.control = options.control
        self.short = options.short
        self.build = options.build
        self.binary = options.build / "belfry"
        self.rng = random.Random(options.seed)
        self.directory = Path(tempfile.mkdtemp(prefix=f"belfry-{name}-"))
        self.ledger = Ledger(self.directory / "ledger.txt")
        self.cleanups = []
        self._shown = time.monotonic()

    def at_end(self, action):
        self.cleanups.append(action)

    def progress(self, text):
        """On a terminal always, elsewhere every ten seconds."""
        terminal = sys.stderr.isatty()
        if terminal or time.monotonic() - self._shown > 10:
            self._shown = time.monotonic()
            print(f"\r{text}\x1b[K" if terminal else text, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def say(self, text):
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(text, flush=True)


def arguments(name, document, counts):
    parser = argparse.ArgumentParser(prog=name, description=document,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", help=f"how much; {counts[0]}, with --short {counts[1]}")
    parser.add_argument("--short", action="store_true", help="the form that every commit runs")
    parser.add_argument("--control", action="store_true", help="spoils what is tested; succeeds if that is noticed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="where the binaries are")
    options = parser.parse_args()
    if options.count is None:
        options.count = counts[1] if options.short or options.control else counts[0]
    return options


def main(document, counts, run, noticed_by=("lost",)):
    """`run(scenario)` gives the findings, one line each, none if all is well. With --control one of them must begin
    with a word of `noticed_by`. The exit status is 2 if one of them is a defect however slow the machine was, else 1."""
    name = Path(sys.argv[0]).name
    options = arguments(name, document, counts)
    replay = f"test/chaos/{name} {options.count} --seed {options.seed}" + (" --short" if options.short else "")
    scenario = Scenario(options, name)
    wrong, began, finished = ["the run was cut short"], time.monotonic(), False
    try:
        wrong = run(scenario)
        finished = True
    except LossTold:
        wrong = ["lost: the hub refuses to start because acknowledged events are missing"]
        finished = True
    except Unavailable as missing:
        if options.short or options.control:
            wrong = []
            print(f"{name}: skipped: {missing}")
            return 0
        wrong = [f"broken: {missing}"]
    except Broken as error:
        wrong = [f"{error.word}: {error}"]
    finally:
        for action in reversed(scenario.cleanups):
            try:
                action()
            except Broken as error:
                wrong.append(f"{error.word}: {error}")
        if wrong and (not options.control or not finished):
            print(f"kept for a look: {scenario.directory}")
        else:
            shutil.rmtree(scenario.directory, ignore_errors=True)
    seconds = f"{time.monotonic() - began:.0f} s"
    if options.control:
        found = [line for line in wrong if line.split(":")[0] in noticed_by]
        print(f"{name}, control: noticed, {found[0]} ({seconds})" if found
              else f"{name}, control: NOTHING WAS NOTICED; {wrong[:3]}; again with: {replay} --control")
        return 0 if found else 1
    for line in wrong[:20]:
        print(line)
    print(f"{name}: {len(wrong)} findings; again with: {replay}" if wrong else f"{name}: nothing found in {seconds}")
    return 2 if any(map(is_defect, wrong)) else 1 if wrong else 0
