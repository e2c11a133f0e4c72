"""Model bundles: a folder with one model per fold and all that is needed to use them.

``fold-01.keras, ...``, ``history.csv`` (a row per fold and epoch) and ``card.json``: the labels in
output order, the resolved waveform and feature spec, the protocol and its certificate, seeds,
settings and versions. No time of day, no commit: the same training writes the same bytes, and which
code did it stands in dvc.lock.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files import tables

PACKAGES = ("keras", "librosa", "numpy", "scipy", "soundfile", "soxr", "zarr")


@contextmanager
def create(folder: Path) -> Iterator[Path]:
    """Give a folder to write to beside ``folder``; move it into place when the block succeeds."""
    folder = Path(folder)
    aside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        yield aside
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def model_file(folder: Path, fold: int) -> Path:
    """Where the model of a fold lies."""
    return Path(folder) / f"fold-{fold:02d}.keras"


def write_model(save: Callable[[Path], None], path: Path) -> None:
    """Write a ``.keras`` file without the time of day that Keras puts into it.

    Parameters
    ----------
    save : callable
        Writes the file to the path it is given (``model.save``).
    path : Path
        Where it goes.
    """
    dated = path.with_name(f"dated-{path.name}")
    save(dated)
    with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = b'{"keras_version": "%s"}' % metadata.version("keras").encode()
            target.writestr(zipfile.ZipInfo(name), content)
    dated.unlink()


def read_card(folder: Path) -> dict:
    """Read what a bundle says of itself.

    Raises
    ------
    InputError
        If the folder is no bundle.
    """
    path = Path(folder) / "card.json"
    if not path.is_file():
        raise InputError(f"{folder}: not a model bundle (no card.json); train it with dvc repro")
    return tables.read_json(path)


def versions(backend: str) -> dict[str, str]:
    """Versions of the packages that decide numbers."""
    engine = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",)}[backend]
    installed = {dist.metadata["Name"].lower(): dist.version for dist in metadata.distributions()}
    names = (*PACKAGES, *(name for name in engine if name in installed))
    return {name: installed[name] for name in names}
