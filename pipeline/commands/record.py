"""Record: keep the results of a run in git, with what made them.

Not a stage: of long runs on real corpora a fresh clone has neither the corpus nor the hours.
``reports/recorded/README.md`` says what is kept.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pipeline import parallel
from pipeline.errors import InputError
from pipeline.files import tables

RUNS, RECORDED = Path("reports/runs"), Path("reports/recorded")
KEPT = ("run.json", "metrics.json")
COMMIT = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
GPUS = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")


def record(run: str, *, note: str, seconds: int | None = None) -> None:
    """Keep the results of a run, with what made them.

    They are copied from reports/runs to reports/recorded. To be called on the machine that
    trained the run, before the code changes: hardware and commit are those of now. What was
    recorded of the run before is replaced.

    Parameters
    ----------
    run : str
        Name of a run in reports/runs.
    note : str
        What a reader must know to judge the numbers: "100 of 500 epochs".
    seconds : int >= 1, optional
        Seconds that the training took; models hold no time.

    Raises
    ------
    InputError
        If the run's results are missing or broken, the note is empty, git knows no commit here, or
        the run was trained on a GPU and none is found.
    """
    if Path(run).name != run:
        raise InputError(f"run: must be the name of a folder in {RUNS}, got {run}")
    if not note.strip():
        raise InputError("note: is empty; say what a reader must know to judge the numbers")
    if seconds is not None and seconds < 1:
        raise InputError(f"seconds: must be at least 1, got {seconds}")
    facts = _facts(run)
    how = {
        "hardware": _hardware(facts["device"]),
        "cores": parallel.cores(),
        "backend": facts["backend"],
        "seconds": seconds,
        "command": f"dvc repro evaluate@{run}",
        "commit": _said(COMMIT, "git knows no commit here; record inside a clone"),
        "date": datetime.now(UTC).date().isoformat(),
        "note": note.strip(),
    }
    RECORDED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RECORDED, prefix=".", suffix=".part") as temporary:
        made = Path(temporary) / run
        made.mkdir()
        for name in KEPT:
            shutil.copyfile(RUNS / run / name, made / name)
        tables.write_json(how, made / "how.json")
        shutil.rmtree(RECORDED / run, ignore_errors=True)
        os.replace(made, RECORDED / run)
    sys.stdout.write(
        f"{RECORDED / run}: recorded; run dvc repro report, then commit the folder and dvc.lock\n"
    )


def _facts(run: str) -> dict:
    """What evaluate says of a run, if its files can be read."""
    remedy = f"run dvc pull, or dvc repro evaluate@{run}"
    try:
        facts, _ = (tables.read_json(RUNS / run / name) for name in KEPT)
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None
    missing = [key for key in ("backend", "device") if key not in facts]
    if missing:
        raise InputError(f"{RUNS / run / KEPT[0]}: has no {', '.join(missing)}; {remedy}")
    return facts


def _hardware(device: str) -> str:
    """Processor of this machine, and its GPUs if that is what the run was trained on."""
    if device != "gpu":
        return _processor()
    names = _said(GPUS, "the run was trained on a GPU; record it on the machine that trained it")
    return ", ".join([*names.splitlines(), _processor()])


def _processor() -> str:
    """Name of the processor, as far as the system states it."""
    cpus = Path("/proc/cpuinfo")  # Linux; the platform module gives its architecture only
    named = re.search(r"(?m)^model name\s*: (.+)$", cpus.read_text()) if cpus.is_file() else None
    return named[1] if named else platform.processor() or platform.machine()


def _said(command: tuple[str, ...], remedy: str) -> str:
    """Output of a command."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[0]
        raise InputError(f"{command[0]}: {reason}; {remedy}") from None
    return done.stdout.strip()
