"""Measure the named tables, or all, and write what was found."""

import argparse
import importlib
import sys
from pathlib import Path

from pipeline.files import tables
from tests.bench import Size, page

NAMES = ("features", "engine", "clusters", "audit", "statistics", "predict", "reading")
ASKED = (
    "egemaps",
    "load",
    "report",
    "unlike",
)  # need packages, corpora, time
REPORTS = Path("reports/benchmarks")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES + ASKED)}")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions; the median counts")
    parser.add_argument("--full", action="store_true", help="scale nothing up: an hour and more")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, printed and not written")
    given = parser.parse_args()
    if unknown := set(given.names) - {*NAMES, *ASKED}:
        parser.error(f"no table {min(unknown)}; there are {', '.join(NAMES + ASKED)}")
    size = Size(rounds=1 if given.quick else given.rounds, full=given.full, quick=given.quick)
    for name in given.names or NAMES:
        numbers, text = importlib.import_module(f"tests.bench.{name}").measure(size)
        written = f"{text}\n{page.circumstances(['python -m tests.bench', *sys.argv[1:]])}"
        print(written)
        if not given.quick:
            facts = page.rounded(numbers) | {"machine": page.machine()}
            tables.write_json(facts, REPORTS / f"{name}.json")
            (REPORTS / f"{name}.md").write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
