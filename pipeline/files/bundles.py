"""Model bundles: a folder with one model per fold and all that is needed to use them.

``fold-01.keras, ...``, ``history.csv`` (a row per fold and epoch) and ``card.json``
(`pipeline.inference.cards`). No time of day, no commit: the same training writes the same bytes,
and dvc.lock names the code that did it.
"""

import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

SHARED_OBJECT = rb'("shared_object_id": )(\d+)'
PACKAGES = ("librosa", "numpy", "scipy", "ser-pipeline", "soundfile", "soxr", "zarr")


@contextmanager
def resume(folder: Path, fingerprint: str) -> Iterator[Path]:
    """Give a folder to write to next to ``folder``; move it into place when the block succeeds.

    What an interrupted or failed block left there is kept for the next one.

    Parameters
    ----------
    folder : Path
        Place of the finished folder.
    fingerprint : str
        Hash of all that decides the content; what was left under another one is thrown away.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.part")
    mark = temporary / "fingerprint"
    if not mark.is_file() or mark.read_text() != fingerprint:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        mark.write_text(fingerprint)
    yield temporary
    mark.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)


def fold_name(fold: int, seed: int, seeds: tuple[int, ...]) -> str:
    """Name of a fold's files; the seed is in it only where a run has several."""
    return f"fold-{fold:02d}" + (f"-seed-{seed}" if len(seeds) > 1 else "")


def write_model(save: Callable[[Path], None], path: Path) -> None:
    """Write a ``.keras`` file without the time of day and the addresses that Keras puts into it.

    Parameters
    ----------
    save : callable
        Writes the file to the path it is given (``model.save``).
    path : Path
        File to write.
    """
    dated = path.with_name(f"dated-{path.name}")
    save(dated)
    with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = b'{"keras_version": "%s"}' % metadata.version("keras").encode()
            elif name == "config.json":
                content = renumbered(content)
            target.writestr(zipfile.ZipInfo(name), content)
    dated.unlink()


def renumbered(config: bytes) -> bytes:
    """Number shared objects in order of appearance: Keras names them by their address in memory."""
    addresses = re.findall(SHARED_OBJECT, config)
    numbers = {address: b"%d" % n for n, (_, address) in enumerate(dict.fromkeys(addresses), 1)}
    return re.sub(SHARED_OBJECT, lambda match: match[1] + numbers[match[2]], config)


def versions(backend: str) -> dict[str, str]:
    """Versions of the packages that decide numbers, this one's among them."""
    engine = {
        "tensorflow": ("keras", "tensorflow", "tensorflow-cpu"),
        "jax": ("keras", "jax"),
        "scikit-learn": ("scikit-learn",),
    }[backend]
    installed = {  # some write _ for - in their names
        dist.metadata["Name"].lower().replace("_", "-"): dist.version
        for dist in metadata.distributions()
    }
    names = (*PACKAGES, *(name for name in engine if name in installed))
    return {name: installed[name] for name in names}
