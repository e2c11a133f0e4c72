"""Try the named kinds of faults, or all, and write what came of each: the others' rows stay."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from pipeline.files import tables
from tests.bench import page
from tests.faults import OUTCOMES, Tally, disks, kills, mutants, mutations, project

REPORT = Path("reports/benchmarks/reliability.md")
RESULTS = REPORT.with_suffix(".json")
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
    "mutants": "a sign of metrics, splits, leakage or statistics altered, then tested",
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
    names, failed = given.names or list(NAMES), False
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        ran = given.project or Path(folder, "finished")
        if {*names} & {*PROJECT}:
            project.finished(ran)
        for name in names:
            tally, begun = Tally(NAMES[name]), time.monotonic()
            if name in CASES:
                mutations.mutated(name, tally, given.seed, max(1, round(CASES[name] * given.part)))
            elif name == "mutants":
                mutants.mutated(tally, random.Random(given.seed), given.part)
            else:
                _of_the_project(name, ran, tally, random.Random(given.seed), given.part)
            seconds = round(time.monotonic() - begun)
            facts = {"seed": given.seed, "part": given.part, "seconds": seconds}
            found[name] = {"row": tally.row} | facts
            failed |= tally.counts["lost"] > 0 or tally.counts["traceback"] > 0
            print(tally.row, file=sys.stderr)
            if not given.quick:
                held = tables.read_json(RESULTS) if RESULTS.exists() else {}
                tables.write_json(held | {name: found[name]}, RESULTS)
                REPORT.write_text(report(held | {name: found[name]}), encoding="utf-8")
    print(report(found))
    sys.exit(failed)


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


def report(held: dict[str, dict]) -> str:
    """Page of what was tried, and what came of it."""
    head = ["kind", "tried", *OUTCOMES, "seed", "part", "minutes"]
    rows = [
        [*one["row"], one["seed"], f"{one['part']:g}", f"{one['seconds'] / 60:.1f}"]
        for one in (held[name] for name in NAMES if name in held)
    ]
    return f"""\
# Faults, and what came of them

Each case harms a copy, runs or reads it, and compares. *refused*: one line says where, what was
found and what to do, and after the fault is lifted a rerun gives what an undisturbed one gives;
*same*: the result is that of an undisturbed run; *lost*: something was lost, or another result came
without a word; *traceback*: a user would have read one, or the process was ended. The last two must
be 0. Of altered code: *refused* by a test; the *same* for every input, as is stated next to each
(`tests/faults/equivalent.py`); *lost*: no test notices it.

{page.table(head, rows)}
Each kind as it was tried last: all of them by `make faults`, one by `make faults FAULTS=kills`.
*part* is the fraction of the cases that there are by default (`--part`). Minutes are those of a
clock, on a machine that others used as well.

{page.circumstances(["make faults"])}"""


if __name__ == "__main__":
    main()
