"""Model bundles: a folder with one model per fold and all that is needed to use them.

``fold-01.keras, ...``, ``history.csv`` (a row per fold and epoch) and ``card.json``
(`pipeline.inference.cards`). No time of day, no commit: the same training writes the same bytes,
and dvc.lock names the code that did it.
"""

import fcntl
import io
import json
import os
import platform
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import hdf5

LOCK = "lock"  # name of a file in an unfinished folder
CONFIG, WEIGHTS = "config.json", "model.weights.h5"  # in a .keras file
MEMBERS = {CONFIG, WEIGHTS, "metadata.json"}
# What a network may name: layers and their parts, of Keras and of pipeline/models; no functions.
MODULES = (
    *("keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints"),
    *("keras.src.models.functional", "keras.src.ops.", "pipeline.models."),
)
KERAS = (("keras", "Sequential"), ("keras", "DTypePolicy"))
PLAIN = ("__keras_tensor__", "__ellipsis__", "__slice__")
FORBIDDEN = ("Lambda", "function", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
SHARED_OBJECT = rb'("shared_object_id": )(\d+)'
PACKAGES = ("librosa", "numpy", "scipy", "ser-pipeline", "soundfile", "soxr", "zarr")


@contextmanager
def resume(folder: Path, fingerprint: str) -> Iterator[Path]:
    """Give a folder to write to next to ``folder``; move it into place when the block succeeds.

    What an interrupted or failed block left there is kept for the next one. While one process
    writes there, another is refused.

    Parameters
    ----------
    folder : Path
        Place of the finished folder.
    fingerprint : str
        Hash of all that decides the content; what was left under another one is thrown away.

    Raises
    ------
    InputError
        If another process writes there.
    """
    folder = Path(folder)
    temporary = folder.with_name(f".{folder.name}.part")
    mark, lock = temporary / "fingerprint", temporary / LOCK
    with _locked(lock):
        if not mark.is_file() or mark.read_text() != fingerprint:
            for path in temporary.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
                elif path != lock:
                    path.unlink()
            mark.write_text(fingerprint)
        yield temporary
        mark.unlink()
        lock.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock, which the system takes back from a process that is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            other = file.read() or "another process"
            raise InputError(
                f"{path.parent}: {other} is writing there; wait until it has ended (ser progress "
                "shows how far a training is)"
            ) from None
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise InputError(f"{path.parent}: another process has just finished it; run this again")
        file.truncate(0)
        file.write(f"process {os.getpid()} of {platform.node()}")
        file.flush()
        yield


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
            elif name == CONFIG:
                content = renumbered(content)
            target.writestr(zipfile.ZipInfo(name), content)
    dated.unlink()


def check_model(path: Path) -> None:
    """Refuse a ``.keras`` file of others before Keras reads it: what is packed, linked or run.

    Raises
    ------
    InputError
        If it is damaged or packed, its weights lie elsewhere or state more than the file holds, or
        it names functions, or classes that are no part of a network.
    """
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        if not {CONFIG, WEIGHTS} <= {*archive.namelist()} <= MEMBERS:
            raise InputError(f"{path}: not a model; wanted {', '.join(sorted(MEMBERS))} in it")
        if damaged := archive.testzip():
            raise InputError(f"{path}: damaged ({damaged}); copy it again")
        weights, config = archive.read(WEIGHTS), archive.read(CONFIG)
    with hdf5.opened(io.BytesIO(weights), path, "weights of Keras"):
        pass
    try:
        _check_classes(json.loads(config), path)
    except (ValueError, RecursionError):
        raise InputError(f"{path}: damaged (config.json); copy it again") from None


def check_archive(path: Path) -> None:
    """Refuse an archive that is none, or holds more than its file: what this pipeline packs not.

    Raises
    ------
    InputError
        If it is one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members, size = archive.infolist(), path.stat().st_size
    except (zipfile.BadZipFile, ValueError, LookupError, RuntimeError):
        raise InputError(f"{path}: not a model of this pipeline; run dvc repro") from None
    if any(one.compress_type for one in members) or sum(one.file_size for one in members) > size:
        raise InputError(f"{path}: holds packed files, as no model of this pipeline does")


def _check_classes(value: Any, path: Path) -> None:
    """Refuse what a network may not name; each class of its layers is Keras's or ours."""
    if isinstance(value, dict):
        if "class_name" in value:
            module, name = value.get("module"), value["class_name"]
            ours = isinstance(module, str) and module.startswith(MODULES)
            plain = (module is None and name in PLAIN) or (module, name) in KERAS
            if name in FORBIDDEN or not (ours or plain):
                raise InputError(
                    f"{path}: names {module}.{name}, which is no layer of a network and is not run"
                )
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            _check_classes(inner, path)


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
