"""What an unfinished training leaves in its folder, to go on from and to be looked at.

``unfinished/`` in the temporary folder of a bundle holds a plan of each process that trains
(``NAME.plan``), a checkpoint of each fold and seed in training (``NAME.npz``), and the results of
each that is finished (``NAME.json``). NAME is that of a fold and seed, ``fold-01``; folds stacked
into one program have one checkpoint, that of the first of them.
"""

import json
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.files import tables

FOLDER = "unfinished"


@dataclass(frozen=True)
class Plan:
    """What one process trains.

    Attributes
    ----------
    names : list of str
        Names of folds and seeds.
    epochs : int
        Length of each.
    shown : list of str
        Columns of the history that show progress.
    done : int
        Epochs, of all together, that were trained before it began.
    begun : float
        Time, in seconds since 1970.
    """

    names: list[str]
    epochs: int
    shown: list[str]
    done: int
    begun: float


@dataclass(frozen=True)
class Standing:
    """Where the training of one fold and seed stands.

    Attributes
    ----------
    epoch : int
        The last one that is kept; 0 if none is.
    finished : bool
    row : dict
        The history of that epoch; empty if there is none.
    """

    epoch: int
    finished: bool
    row: dict


def write(path: Path, leaves: list, facts: dict) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    leaves : list of array
        What is trained.
    facts : dict
        The ``names`` of folds and seeds, the ``epoch``, and ``records`` with the ``history``.
    """
    with tables.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, *leaves, facts=json.dumps(facts))


def read(path: Path, *, leaves: bool = True) -> tuple[list[np.ndarray], dict] | None:
    """Read a checkpoint, with or without what is trained.

    Returns
    -------
    (list of ndarray, dict) or None
        Arrays and facts as they were written; None if the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file) as held:
            facts = json.loads(str(held["facts"]))
            count = len(held.files) - 1 if leaves else 0
            return [held[f"arr_{i}"] for i in range(count)], facts
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def begin(folder: Path, names: list[str], epochs: int, shown: tuple[str, ...]) -> None:
    """Write the plan of a process that begins to train.

    Parameters
    ----------
    folder : Path
        ``FOLDER`` of a bundle.
    names : list of str, at least one
    epochs : int
    shown : tuple of str
        Columns, as in `Plan`.
    """
    done = sum(one.epoch for name, one in standings(folder).items() if name in names)
    plan = Plan(names, epochs, list(shown), done, time.time())
    tables.write_json(asdict(plan), folder / f"{names[0]}.plan")


def plans(folder: Path) -> list[Plan]:
    """Plans of the processes that train, or trained last, into ``FOLDER`` of a bundle."""
    return [Plan(**tables.read_json(path)) for path in sorted(folder.glob("*.plan"))]


def standings(folder: Path) -> dict[str, Standing]:
    """Where each fold and seed stands that has begun, by its name."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        _, facts = read(path, leaves=False) or ([], {"names": []})
        for i, name in enumerate(facts["names"]):
            history = facts["records"][i]["history"]
            found[name] = Standing(facts["epoch"], False, (history or [{}])[-1])
    for path in sorted(folder.glob("*.json")):
        try:
            history = tables.read_json(path)["history"]
        except InputError:  # cut short: it is trained again
            continue
        found[path.stem] = Standing(len(history), True, (history or [{}])[-1])
    return found
