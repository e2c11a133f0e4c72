"""Where the files of a run are, as dvc.yaml has them; the one other place that states it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import params
from pipeline.config.records import Run
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.inference.cards import Card


@dataclass(frozen=True)
class Experiment:
    """What a run is made of: corpus, index, features, folds and their certificate."""

    raw: Path
    index: Path
    store: Path
    folds: Path
    certificate: Path


def of_corpus(name: str, root: Path = Path()) -> tuple[Path, Path]:
    """Folder of a corpus, and its ``index.csv``, next to which ``quality.json`` lies."""
    return root / "raw_data" / name, root / "features" / "corpora" / name / "index.csv"


def of(run: Run, root: Path = Path()) -> Experiment:
    """Files of a run below the folder of the project."""
    features = root / "features"
    raw, index = of_corpus(run.corpus, root)
    return Experiment(
        raw=raw,
        index=index,
        store=features / "data" / f"{run.data}.zarr",
        folds=features / "folds" / f"{run.folds}.csv",
        certificate=features / "folds" / f"{run.folds}.json",
    )


def of_bundle(card: "Card", mend: str) -> Experiment:
    """Files of the run that trained a bundle, next to whose folder ``models`` they lie.

    Parameters
    ----------
    card : Card
        Its card.
    mend : str
        What to do where they are not there.

    Raises
    ------
    InputError
        If params.yaml has no such run, or its features or folds are not there.
    """
    root = card.folder.resolve().parents[1]
    runs = params.load(root / "params.yaml").runs
    if card.run not in runs:
        raise InputError(f"{card.folder}: no run {card.run} in params.yaml; {mend}")
    made = of(runs[card.run], root)
    for path in (made.store, made.folds):
        if not path.exists():
            raise InputError(f"{path}: not there; {mend}")
    return made
