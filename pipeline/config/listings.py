"""What a stage is given and what code it runs, as texts that the stage check writes.

Stages depend on these texts, and not on params.yaml and folders of code: DVC would read all of
params.yaml again for every stage, and would record what it says when a stage ends, not what the
stage was given when it began. So a stage compares its text when it begins and when it ends; what is
edited meanwhile is of the next `dvc repro`.
"""

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline import text
from pipeline.config import code
from pipeline.config.records import Engine, Params
from pipeline.errors import InputError
from pipeline.files import tables

FOLDER = Path("features/code")  # what check writes
TIMES = Path(".dvc/tmp/seconds")  # how long each stage took here, under the name of its listing


def every(params: Params) -> dict[str, dict[str, Any]]:
    """Give the listing of each thing that is made, by its name, ``train/tim_net-demo``."""
    recipes = {name: params.features[data.feature] for name, data in params.data.items()}
    tables: tuple[tuple[str, str, Mapping], ...] = (  # stage, its parameter, what it is given
        ("index", "corpus", params.corpora),
        ("split", "folds", params.folds),
        ("waveforms", "sound", params.sounds),
        ("extract", "feature", recipes),
        ("train", "run", params.runs),
        ("evaluate", "run", params.runs),
    )
    made = {
        f"{stage}/{name}": listing(stage, {parameter: line})
        for stage, parameter, table in tables
        for name, line in table.items()
    }
    report = listing("report", {"runs": params.runs})
    return made | {"demo": listing("demo", {}), "report": report}


def listing(stage: str, records: dict[str, Any]) -> dict[str, Any]:
    """Give what decides the results of a stage.

    Parameters
    ----------
    stage : str
        Its name, ``train``.
    records : dict
        Records of params.yaml that it is given, by the name of the parameter. Of `Engine` only
        what decides results is listed; the rest says where they are computed.

    Returns
    -------
    dict
        The hash of each file of code by its path, ``pipeline/stages/train.py``, and each setting
        by its place, ``run.training.epochs``, none left unsaid.
    """
    modules = code.modules(stage, *records.values())
    return code.files(*modules) | dict(_leaves(records))


@contextmanager
def refused(stage: str, records: dict[str, Any], path: Path) -> Iterator[dict[str, Any]]:
    """Give what a stage is given; refuse its start and its end if other things are listed.

    Parameters
    ----------
    stage : str
        Its name, ``train``.
    records : dict
        Records of params.yaml by the name of the parameter.
    path : Path
        Listing that DVC records for the stage.

    Raises
    ------
    InputError
        If params.yaml or the code was edited after they were listed, the code also while the stage
        ran; comments and docstrings do not count, nor does what only says where it is computed.
    """
    _compare(stage, records, path)
    begun = time.monotonic()
    yield records
    now = _compare(stage, records, path)
    if path.is_relative_to(FOLDER):
        took = {"seconds": time.monotonic() - begun, "epochs": _epochs(stage, now)}
        tables.write_json(took, TIMES / path.relative_to(FOLDER))


def _compare(stage: str, records: dict[str, Any], path: Path) -> dict[str, Any]:
    """Refuse records and code that are not those that are listed; by hand, none may be."""
    now = listing(stage, records)
    listed = tables.read_json(path) if path.is_file() else now  # DVC starts no stage without it
    if edited := changes(listed, now):
        raise InputError(f"{path}: edited after check listed it: {edited}; run dvc repro again")
    return now


def changes(listed: dict[str, Any], now: dict[str, Any]) -> str:
    """Say in words how two listings differ; nothing if they do not."""
    edited = [key for key in listed | now if listed.get(key) != now.get(key)]
    return text.first([_change(key, listed, now) for key in edited])


def expected(name: str, now: dict[str, Any]) -> float | None:
    """Seconds that a stage took here when it last ran to its end, for as many epochs as now.

    Parameters
    ----------
    name : str
        Of its listing, ``train/tim_net-demo``.
    now : dict
        Its listing.

    Returns
    -------
    float or None
        None if it has not run here.
    """
    path = TIMES / name
    if not path.is_file():
        return None
    took = tables.read_json(path)
    return took["seconds"] * _epochs(name.partition("/")[0], now) / took["epochs"]


def _epochs(stage: str, listed: dict[str, Any]) -> int:
    """Epochs of a training, by which it takes longer; 1 of all else."""
    return listed.get("run.training.epochs", 1) if stage == "train" else 1


def _change(key: str, listed: dict, now: dict) -> str:
    """A difference in words; hashes say nothing."""
    if key.startswith(f"{code.PACKAGE.name}/"):
        return key
    return f"{key} is {text.shown(now.get(key))}, was {text.shown(listed.get(key))}"


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting within records and its place, ``run.training.epochs``."""
    if isinstance(value, Engine):
        value = {"backend": value.backend, "folds": value.folds} if "." in place else {}
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else key)
    else:
        yield place, list(value) if isinstance(value, tuple) else value
