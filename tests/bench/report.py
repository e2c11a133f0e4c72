"""Report: the page of twenty runs; what it takes to build, its size, and its sheets in print."""

import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.reporting import maps
from tests import browser
from tests.bench import Size, page
from tests.made_runs import report, write_rated, write_run
from tests.reporting.test_diagrams import mapped

RUNS = 20


def measure(size: Size) -> tuple[dict, str]:
    """Numbers, and the page of them."""
    runs = 2 if size.quick else RUNS
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder, "reports")
        names = _written(reports, runs)
        took = []
        for _ in range(size.rounds):
            used, begun = _processor(), time.perf_counter()
            subprocess.run([sys.executable, "-m", __name__, reports, *names], check=True)
            took.append((_processor() - used, time.perf_counter() - begun))
        built = reports / "index.html"
        numbers = {
            "runs": runs,
            "cpu_seconds": statistics.median(cpu for cpu, _ in took),
            "seconds": statistics.median(wall for _, wall in took),
            "page_bytes": built.stat().st_size,
            "sheets": _sheets(built),
        }
    return numbers, _text(numbers)


def _written(reports: Path, runs: int) -> list[str]:
    """Write made-up runs of 240 clips: every fifth on attributes, the others with a map."""
    names = [f"run-{number:02d}" for number in range(1, runs + 1)]
    for number, name in enumerate(names):
        if number % 5 == 4:
            write_rated(reports, name, ccc=0.3 + 0.02 * number)
        else:
            mapped(write_run(reports, name, right=0.4 + 0.02 * number), maps.PLACES[3:])
    return names


def _processor() -> float:
    """Seconds of the processor that ended child processes took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sheets(built: Path) -> int | None:
    """Sheets that a browser prints, details folded; None without a browser."""
    if (printed_by := browser.path()) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "printed.pdf")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command = [printed_by, *flags, f"--print-to-pdf={printed}", built.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))


def _text(numbers: dict) -> str:
    """The page."""
    sheets = "no browser" if numbers["sheets"] is None else numbers["sheets"]
    rows = [
        ["runs", numbers["runs"]],
        ["seconds of the processor to build it, imports and all", f"{numbers['cpu_seconds']:.1f}"],
        ["seconds", f"{numbers['seconds']:.1f}"],
        ["size of the page, MB", f"{numbers['page_bytes'] / 1e6:.2f}"],
        ["sheets in print", sheets],
    ]
    return f"""# The report of twenty runs

Made-up runs of 240 clips in six folds, each compared with each; every fifth predicts three
attributes, the others emotions, with maps of their vectors. With the page come its tables, its
figures as files and the model cards. Median of the rounds.

{page.table(["of the page", ""], rows)}"""


if __name__ == "__main__":
    report(Path(sys.argv[1]), sys.argv[2:])
