"""Stage extract: one feature of every waveform of a store; knows no label and no fold."""

from pathlib import Path

import numpy as np

from pipeline import workers
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.files import stores
from pipeline.params import Feature


def extract(waveforms: Path, store: Path, *, feature: Feature) -> None:
    """Write one feature tensor per clip.

    Parameters
    ----------
    waveforms : Path
        ``waveforms.zarr``.
    store : Path
        Feature store to write: ``x (clips, frames, ...)``, ``length`` as in the waveforms.
    feature
        Line of params.yaml.

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """
    source = stores.read(waveforms)
    rate, clips = source.spec["sample_rate"], source.x.shape[0]
    spec = {"waveform": source.spec} | resolved(feature)

    def compute(rows: slice) -> np.ndarray:
        try:
            return recipes.feature(source.x[rows], rate, spec)
        except InputError as error:
            raise InputError(f"params.yaml: features.{feature.name}.{error}") from None

    def block(rows: slice) -> None:
        out.write(rows, compute(rows), source.length[rows])

    shape = compute(slice(0, 1)).shape[1:]
    with stores.create(store, (clips, *shape), spec, source.clips_sha256) as out:
        workers.each(block, out.blocks(), "extract")


def resolved(feature: Feature) -> dict:
    """Spec of a feature recipe, no default left unsaid."""
    return {"function": feature.function, "settings": feature.settings}


if __name__ == "__main__":
    from pipeline.cli import command

    command(extract)
