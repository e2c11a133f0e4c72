"""Record: keep the results of a run in git, with what made them.

Not a stage: of long runs on real corpora a fresh clone has neither the corpus nor the hours.
``reports/recorded/README.md`` says what is kept.
"""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import parallel, text
from pipeline.errors import DamagedError, InputError
from pipeline.files import checked, tables
from pipeline.reporting.results import partial
from pipeline.scoring import evaluation, targets
from pipeline.scoring.targets import Target
from pipeline.scoring.unlike import warned

if TYPE_CHECKING:
    import pandas as pd

RUNS, RECORDED = Path("reports/runs"), Path("reports/recorded")
TABLES = ("predictions.csv", "history.csv")
KEPT = ("run.json", "metrics.json", *TABLES)
# Facts that folds trained on several machines must have in common; settings that one of them did
# not know yet have their defaults there, by which nothing changes.
COMMON = (
    "model corpus waveform feature protocol selection seeds weights settings training parameters "
    "input_shape labels attributes certificate folds backend spec_sha256 data_sha256"
).split()
ENGINES = ("keras", "jax", "tensorflow", "tensorflow-cpu", "ser-pipeline")  # versions that matter
COMMIT = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
GPUS = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")


def record(run: str, *, note: str, seconds: int | None = None) -> None:
    """Keep the results of a run, with what made them.

    They are copied from reports/runs to reports/recorded. To be called on the machine that
    trained the run, before the code changes: hardware and commit are those of now. What was
    recorded of the run before is replaced; results of some folds (ser train --only) are added to
    those of the others, if settings, data, folds and versions are the same.

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
        the run was trained on a GPU and none is found; if folds are to be added to recorded ones
        that were made otherwise.
    """
    if Path(run).name != run:
        raise InputError(f"run: must be the name of a folder in {RUNS}, got {run}")
    if not note.strip():
        raise InputError("note: is empty; say what a reader must know to judge the numbers")
    if seconds is not None and seconds < 1:
        raise InputError(f"seconds: must be at least 1, got {seconds}")
    facts = _facts(run)
    how: dict[str, Any] = {
        "hardware": _hardware(facts["device"]),
        "cores": parallel.cores(),
        "backend": facts["backend"],
        "seconds": seconds,
        "command": f"dvc repro evaluate@{run}",
        "commit": _said(COMMIT, "git knows no commit here; record inside a clone"),
        "date": datetime.now(UTC).date().isoformat(),
        "note": note.strip(),
    }
    with tables.replacing_folder(RECORDED / run) as made:
        for name in KEPT:
            shutil.copyfile(RUNS / run / name, made / name)
        if partial(facts):
            how["pieces"] = [{"folds": facts["tested_folds"]} | _piece(how)]
            if _lacks(RECORDED / run, facts["tested_folds"]):
                how = _add(RECORDED / run, made, how)
        tables.write_json(how, made / "how.json")
    sys.stdout.write(
        f"{RECORDED / run}: recorded{_extent(RECORDED / run)}; run dvc repro report, then commit "
        "the folder and dvc.lock\n"
    )


def _facts(run: str) -> dict:
    """What evaluate says of a run, if its files can be read."""
    remedy = f"run dvc pull, or dvc repro evaluate@{run}"
    try:
        facts = checked.read(RUNS / run / "run.json")
        checked.expect(RUNS / run / "run.json", *(RUNS / run / name for name in KEPT[1:]))
        tables.read_json(RUNS / run / "metrics.json")
        for name in TABLES:
            tables.read(RUNS / run / name)
    except DamagedError:  # says all itself
        raise
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None
    missing = [key for key in ("backend", "device", "folds", "tested_folds") if key not in facts]
    if missing:
        raise InputError(f"{RUNS / run / KEPT[0]}: has no {', '.join(missing)}; {remedy}")
    return facts


# ---- folds that were trained apart -----------------------------------------------------------


def _piece(how: dict[str, Any]) -> dict[str, Any]:
    """What made some of the folds."""
    return {key: how[key] for key in ("hardware", "cores", "seconds", "commit", "date")}


def _lacks(recorded: Path, folds: list[int]) -> bool:
    """Whether a run is recorded with folds other than these, which would be lost."""
    if not (recorded / "run.json").is_file():
        return False
    facts = tables.read_json(recorded / "run.json")
    return not {*facts.get("tested_folds", range(1, facts["folds"] + 1))} <= {*folds}


def _add(recorded: Path, made: Path, how: dict[str, Any]) -> dict[str, Any]:
    """Add the folds that are recorded to those of ``made``; how all of them were made."""
    try:
        before, past = (tables.read_json(recorded / name) for name in ("run.json", "how.json"))
        parts = {
            name: [tables.read(folder / name) for folder in (recorded, made)] for name in TABLES
        }
    except InputError as error:
        raise InputError(f"{error}; {_remedy(recorded)}") from None
    now = checked.read(made / "run.json")
    if differences := [*_differences(before, now)]:
        raise InputError(f"{recorded}: recorded with {differences[0]}; {_remedy(recorded)}")
    if twice := {*before["tested_folds"]} & {*now["tested_folds"]}:
        raise InputError(
            f"{recorded}: has fold {text.ranges(twice)} already; train and evaluate the others "
            f"alone, or {_remedy(recorded)}"
        )
    joined = {name: _ordered(rows, now["seeds"]) for name, rows in parts.items()}
    for name, table in joined.items():
        tables.write(table, made / name)
    target = targets.of(now["attributes"], now["labels"])
    predictions = _numbers(target, joined["predictions.csv"])
    tables.write_json(evaluation.scores(target, predictions), made / "metrics.json")
    facts = _joined(before, now, predictions)
    checked.write(facts, made / "run.json", [made / name for name in KEPT[1:]])
    pieces = past["pieces"] + how["pieces"]
    times = [piece["seconds"] for piece in pieces]
    return how | {
        "hardware": "; ".join(dict.fromkeys(piece["hardware"] for piece in pieces)),
        "seconds": None if None in times else sum(times),
        "pieces": pieces,
    }


def _differences(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """Ways in which folds were made otherwise, in words."""
    for key in COMMON:
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            for name in sorted(old.keys() & new.keys()):
                if old[name] != new[name]:
                    yield f"{key}.{name} {text.shown(old[name])}, now {text.shown(new[name])}"
        elif old != new:
            hashes = key == "certificate" or key.endswith("sha256")
            yield f"another {key}" if hashes else f"{key} {text.shown(old)}, now {text.shown(new)}"
    for name in ENGINES:
        old, new = (facts["versions"].get(name) for facts in (before, now))
        if old != new:
            yield f"{name} {old}, now {new}"


def _joined(
    before: dict[str, Any], now: dict[str, Any], predictions: "pd.DataFrame"
) -> dict[str, Any]:
    """Facts of the folds of both."""
    provenance = before["provenance"] and {
        purpose: {key: uses[key] + now["provenance"][purpose][key] for key in uses}
        for purpose, uses in before["provenance"].items()
    }

    def both(key: str) -> list[dict[str, Any]]:
        found = before.get(key, []) + now.get(key, [])
        return sorted(found, key=lambda one: (now["seeds"].index(one["seed"]), one["fold"]))

    return now | {
        "tested_folds": sorted(before["tested_folds"] + now["tested_folds"]),
        "temperatures": both("temperatures"),
        "models": both("models"),
        "unlike": warned(predictions) if before.get("unlike") and now.get("unlike") else None,
        "clips": int(predictions["clip"].nunique()),
        "speakers": int(predictions["speaker"].nunique()),
        "device": ", ".join(sorted({*before["device"].split(", "), now["device"]})),
        "provenance": provenance,
    }


def _numbers(target: Target, predictions: "pd.DataFrame") -> "pd.DataFrame":
    """Predictions as they were before they were written: float32 where they are no words."""
    table, parsed = predictions.copy(), target.parsed(predictions)
    table["seed"] = table["seed"].astype(int)
    for name in target.columns:
        numeric = parsed[name].dtype == float
        table[name] = parsed[name].astype("float32") if numeric else parsed[name]
    return table


def _ordered(parts: list["pd.DataFrame"], seeds: list[int]) -> "pd.DataFrame":
    """Rows of several folds as a run of all of them has them: by seed, then fold."""
    import pandas as pd

    table = pd.concat(parts, ignore_index=True).fillna("")
    places = {str(seed): place for place, seed in enumerate(seeds)}
    order = table.assign(seed=table["seed"].map(places), fold=table["fold"].astype(int))
    return table.loc[order.sort_values(["seed", "fold"], kind="stable").index]


def _remedy(recorded: Path) -> str:
    """Tail of a message: what to do where folds cannot be added."""
    return f"remove {recorded} to record the run again"


def _extent(recorded: Path) -> str:
    """Folds that are recorded, where that is not all of them."""
    facts = tables.read_json(recorded / "run.json")
    tested = text.ranges(facts["tested_folds"])
    return f", folds {tested} of {facts['folds']}" if partial(facts) else ""


# ---- what made it ----------------------------------------------------------------------------


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
