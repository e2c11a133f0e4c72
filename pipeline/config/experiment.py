"""Where the files of a run are, as dvc.yaml has them; the one other place that states it."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.records import Run


@dataclass(frozen=True)
class Experiment:
    """What a run is made of: corpus, index, features, folds and their certificate."""

    raw: Path
    index: Path
    store: Path
    folds: Path
    certificate: Path


def of(run: Run, root: Path = Path()) -> Experiment:
    """Files of a run below the folder of the project."""
    features = root / "features"
    return Experiment(
        raw=root / "raw_data" / run.corpus,
        index=features / "corpora" / run.corpus / "index.csv",
        store=features / "data" / f"{run.data}.zarr",
        folds=features / "folds" / f"{run.folds}.csv",
        certificate=features / "folds" / f"{run.folds}.json",
    )
