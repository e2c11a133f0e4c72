"""Try the named kinds of faults, or all, and write what came of them."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import page
from tests.faults import OUTCOMES, Tally, disks, kills, mutations, project

REPORT = Path("reports/benchmarks/reliability.md")
CASES = {"store": 4000, "tables": 3000, "card": 500, "bundle": 500, "params": 2000}
PROJECT = ("kills", "full", "read_only", "twice", "cache", "transfer")  # of the project that ran
NAMES = {
    "store": "files of a store mutated, then read",
    "tables": "index, folds, certificate and quality mutated, then read",
    "card": "files of a bundle mutated, then asked",
    "bundle": "models of a bundle mutated that states nothing of them",
    "params": "params.yaml mutated, then read",
    "kills": "stages killed at any moment, then run again",
    "full": "disk full in every stage, then run again",
    "read_only": "disk read-only in every stage, then run again",
    "twice": "two dvc repro at once",
    "cache": "entries of DVC's cache damaged, then checked out and read",
    "transfer": "push and pull killed, then run again",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", type=float, default=1, help="part of the cases, 0.01 to 1")
    parser.add_argument("--quick", action="store_true", help="printed, and not written")
    parser.add_argument("--project", type=Path, help="a clone in which everything ran, kept")
    given = parser.parse_args()
    if unknown := set(given.names) - {*NAMES}:
        parser.error(f"no kind {min(unknown)}; there are {', '.join(NAMES)}")
    names, begun, tallies = given.names or list(NAMES), time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        ran = given.project or Path(folder, "finished")
        if {*names} & {*PROJECT}:
            project.finished(ran)
        for name in names:
            tally = Tally(NAMES[name])
            if name in CASES:
                mutations.mutated(name, tally, given.seed, max(1, round(CASES[name] * given.part)))
            else:
                _of_the_project(name, ran, tally, random.Random(given.seed), given.part)
            print(tally.row, file=sys.stderr)
            tallies.append(tally)
    text = report(tallies, given.seed, time.monotonic() - begun)
    print(text)
    if not given.quick:
        REPORT.write_text(text, encoding="utf-8")
    sys.exit(any(tally.counts["lost"] or tally.counts["traceback"] for tally in tallies))


def _of_the_project(
    name: str, ran: Path, tally: Tally, generator: random.Random, part: float
) -> None:
    """Try a kind of fault on copies of the project that ran."""
    if name == "full":
        disks.full(ran, tally, generator, max(1, round(3 * part)))
    elif name == "read_only":
        disks.read_only(ran, tally)
    else:
        count = {"kills": 50, "twice": 3, "cache": 5, "transfer": 6}[name]
        getattr(kills, name)(ran, tally, generator, max(1, round(count * part)))


def report(tallies: list[Tally], seed: int, seconds: float) -> str:
    """Page of what was tried, and what came of it."""
    head = ["kind", "tried", *OUTCOMES]
    return f"""\
# Faults, and what came of them

Each case harms a copy, runs or reads it, and compares. *refused*: one line says where, what was
found and what to do, and after the fault is lifted a rerun gives what an undisturbed one gives;
*same*: the result is that of an undisturbed run; *lost*: something was lost, or another result came
without a word; *traceback*: a user would have read one, or the process was ended. The last two must
be 0.

{page.table(head, [tally.row for tally in tallies])}
Seed {seed}, {seconds / 60:.0f} minutes.

{page.circumstances(["python -m tests.faults", *sys.argv[1:]])}"""


if __name__ == "__main__":
    main()
