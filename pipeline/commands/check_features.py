"""Check features: does a store still hold what this code makes of the raw audio; if not, why.

Not a stage. Some clips are computed again by the recipe that the store carries, and compared. What
deviates, a store or an array that somebody else made, is compared with recipes that differ from the
store's in one setting: the one that reproduces it is the reason. Published features differ from
one's own by such a setting more often than by the processor.
"""

import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline import settings
from pipeline.errors import InputError
from pipeline.features import augmentation, framing, functions, recipes, resampling
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.files import audio, stores, tables
from pipeline.files.index import Index
from pipeline.files.spec import Spec

# Deviation, relative to the largest value, that arithmetic in float32 leaves: librosa's MFCCs of
# RAVDESS differ from ours by 0.002 of 900.
ROUNDING = 1e-5
ALL_BINS = 40  # up to so many the table lists, of more the worst
WORST_BINS = 10

# What others do to a clip and no recipe of ours can say: cut, or padded with zeros, at its end.
PADDED_START = "start, padded at the end"
# What is tried in place of what the store says.
WAVEFORM = {"resampler": resampling.METHODS, "length": (*framing.POLICIES, PADDED_START)}
SETTINGS = {
    "window": ("hann", "hamming"),
    "periodic": (True, False),
    "centre": (True, False),
    "pad_mode": ("constant", "reflect"),
    "mel_scale": ("slaney", "htk"),
    "top_db": (80.0, None),
}
MADE_BY = {
    "soxr_hq": "librosa since 0.10",
    "kaiser_best": "resampy 0.2.2",
    "kaiser_best_03": "resampy since 0.3.0",
}


class Trial(NamedTuple):
    """A recipe that differs from the store's in one setting; in none if that has no name."""

    setting: str
    value: str
    said: str
    spec: dict


def check_features(
    store: Path,
    *,
    against: Path | None = None,
    clip: str | None = None,
    clips: int = 20,
    raw: Path | None = None,
    index: Path | None = None,
) -> None:
    """Compute some features again from raw audio, and compare.

    What deviates is explained, if it can be.

    A table shows the largest and the mean deviation of each coefficient or bin (of more than 40
    the 10 worst), and the last line the verdict. A deviation is rounding up to 1e-5 of the largest
    value. The raw folder and the index are those that the store is made from in dvc.yaml.

    Parameters
    ----------
    store : Path
        Feature store.
    against : Path, optional
        Another store of the same clips, or an ``.npy`` or ``.npz`` file of one array: (clips,
        frames, ...) in the index's order, or with ``clip`` (frames, ...). It is compared with the
        store, and its settings are found out.
    clip : str, optional
        Check this clip alone.
    clips : int > 0
        Number of clips, spread evenly over the index.

    raw, index : Path, optional
        Folder of the sound and index of the corpus, of a store that dvc.yaml here does not know.

    Raises
    ------
    InputError
        If the store is not what this code makes of the raw audio, or no setting that was tried
        explains ``against``; if something is missing, or does not belong together.
    """
    if clips < 1:
        raise InputError(f"clips: must be at least 1, got {clips}")
    held = stores.read(store)
    _check_spec(store, held.spec)
    made_of = _inputs(store) if raw is None or index is None else (raw, index)
    raw, index = made_of
    usable = Index.read(index).usable()
    names = augmentation.names(usable.names, held.spec["waveform"]["copies"])
    if held.clips_sha256 != tables.sha256(names):
        raise InputError(f"{store}: holds other clips than {index}; run dvc repro")
    rows = _rows(usable, clip, clips)
    sounds = _sounds(raw, usable.clips.iloc[rows])

    if against is None:
        subject, other, found = store, raw, held.x[rows]
        made = _features(sounds, held.spec)
        wanted = _stacked(made, found.shape[1:])
        finding = "another number of frames or bins"
        if [len(values) for values in made] != list(held.valid[rows]):
            wanted = None
    else:
        subject, other, found = against, store, _other(against, held, rows, clip)
        wanted = held.x[rows] if found.shape[1:] == held.x.shape[1:] else None
        finding = f"{_size(found.shape[1:])} values of a clip, not {_size(held.x.shape[1:])}"
    if not np.isfinite(found).all():
        raise InputError(f"{subject}: holds values that are not finite; make it again")

    rounding = ROUNDING * float(np.abs(found).max())
    compared = f"{subject}: {len(rows)} of {len(usable.names)} clips against {other}"
    suspects = "code or packages"
    if wanted is not None:
        deviation = np.abs(found.astype(np.float64) - wanted)
        sys.stdout.write(_table(deviation, held.spec))
        finding = f"largest deviation {deviation.max():.2g}"
        if deviation.max() <= rounding:
            verdict = f"within float32 rounding, {finding}" if deviation.any() else "identical"
            sys.stdout.write(f"{compared}: {verdict}\n")
            return
        differs = deviation.reshape(len(rows), -1).max(axis=1) > rounding
        if not differs.all():
            suspects = f"sound of {_some([usable.names[row] for row in rows[differs]])}"

    largest, trial = _nearest(found, sounds, held.spec, rounding)
    if largest > rounding or trial is None:
        nearest = f"nearest: {_told(trial)}, {largest:.2g}" if trial else "none gives that shape"
        versions = ", ".join(map(" ".join, zip(recipes.PACKAGES, recipes.versions(), strict=True)))
        raise InputError(
            f"{compared}: differs: {finding}; no setting tried explains it ({nearest}), so look "
            f"for other {suspects}; here {versions}"
        )
    explained = f"{subject} is what {_told(trial)} gives (largest deviation {largest:.2g})"
    if trial.setting:
        explained += f"; the store says {trial.said}"
    if against is None or not trial.setting:  # it is the store that is not what it says
        raise InputError(f"{store}: differs: {finding}; {explained}; run dvc repro --force")
    sys.stdout.write(f"{explained}\n")


def _check_spec(store: Path, spec: dict) -> None:
    """Refuse a store whose recipe this code cannot follow."""
    if "function" not in spec:
        raise InputError(f"{store}: holds no feature; give a store of features/data")
    odd = {"waveform", *(field.name for field in fields(FeatureRecipe))} ^ set(spec)
    if not odd:
        odd = {"mix", *(field.name for field in fields(WaveformRecipe))} ^ set(spec["waveform"])
        if spec["function"] in functions.known():
            record = functions.load(spec["function"]).record
            odd |= {field.name for field, _ in settings.fields(record)} ^ set(spec["settings"])
        else:
            odd |= {spec["function"]}
    if odd:
        raise InputError(
            f"{store}: made by another version of this pipeline (only one of them knows "
            f"{', '.join(sorted(odd))}); run dvc repro"
        )


def _inputs(store: Path) -> tuple[Path, Path]:
    """Raw folder and index that a store was made from, as dvc.yaml says."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    inputs = [str(store)]
    try:
        with Repo() as repo:
            for stage in ("extract", "waveforms"):
                (out,) = repo.find_outs_by_path(str(Path(inputs[0]).absolute()))
                words = shlex.split(out.stage.cmd or "")
                if words[:4] != ["python", "-m", "pipeline", stage]:
                    raise LookupError
                inputs = words[4:6]
        return Path(inputs[0]), Path(inputs[1])
    except (DvcException, LookupError):
        raise InputError(
            f"{store}: no store of the dvc.yaml and params.yaml here; give --raw and --index"
        ) from None


def _rows(usable: Index, clip: str | None, clips: int) -> np.ndarray:
    """Rows to be checked: one clip's, or some spread evenly."""
    names = usable.names
    if clip is None:
        return np.unique(np.linspace(0, len(names) - 1, min(clips, len(names))).round().astype(int))
    if clip not in names:
        raise InputError(f"{usable.path}: no usable clip {clip!r}; see its column clip")
    return np.array([names.index(clip)])


def _sounds(raw: Path, frame: pd.DataFrame) -> list[tuple[np.ndarray, int]]:
    """Mono signals and sample rates of some clips, which must be the sound that was indexed."""
    if not raw.is_dir():
        raise InputError(f"{raw}: no such folder; put the corpus there, or a link to it")
    sounds, changed = [], []
    for path, pcm_hash in zip(frame.path, frame.pcm_hash, strict=True):
        signal, sample_rate = audio.read(raw / path)
        if audio.pcm_hash(signal, sample_rate) != pcm_hash:
            changed.append(path)
        sounds.append((audio.mono(signal), sample_rate))
    if changed:
        raise InputError(
            f"{raw}: of {len(frame)} clips {len(changed)} changed since they were indexed: "
            f"{_some(changed)}; run dvc repro"
        )
    return sounds


def _other(path: Path, held: stores.Store, rows: np.ndarray, clip: str | None) -> np.ndarray:
    """Rows of another store, or of an array of all clips or one."""
    if path.is_dir():
        other = stores.read(path)
        if other.clips_sha256 != held.clips_sha256:
            raise InputError(f"{path}: holds other clips than the store")
        return other.x[rows]
    values = _array(path)
    if clip is not None and values.ndim == held.x.ndim - 1:
        return values[None]
    if values.ndim != held.x.ndim or len(values) != held.x.shape[0]:
        raise InputError(
            f"{path}: holds {_size(values.shape)} values, the store {_size(held.x.shape)}; wanted "
            f"are all clips in the index's order, or with --clip NAME the features of one"
        )
    return values[rows]


def _array(path: Path) -> np.ndarray:
    """Array of an .npy or .npz file."""
    try:
        found = np.load(path, mmap_mode="r")
        if not isinstance(found, np.ndarray):
            with found:
                if len(found.files) != 1:
                    names = ", ".join(found.files)
                    raise InputError(f"{path}: holds arrays {names}; wanted a file of one array")
                found = found[found.files[0]]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or store") from None
    except (OSError, ValueError) as error:  # pickled objects too: they could run code
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not an array of numbers ({reason})") from None
    if found.dtype.kind not in "fiu":
        raise InputError(f"{path}: not an array of numbers, but of {found.dtype}")
    return found


def _trials(spec: dict) -> Iterator[Trial]:
    """Recipes to try, the store's own first."""
    yield Trial("", "", "", spec)
    for table, choices in (("waveform", WAVEFORM), ("settings", SETTINGS)):
        for setting, values in choices.items():
            if setting not in spec[table]:
                continue
            said = spec[table][setting]
            if setting == "length" and spec[table]["samples"] is None:
                continue  # what to cut or pad to is not known
            for value in values:
                if value != said:
                    changed = spec | {table: spec[table] | {setting: value}}
                    yield Trial(setting, _shown(value), _shown(said), changed)


def _nearest(
    found: np.ndarray, sounds: list, spec: dict, rounding: float
) -> tuple[float, Trial | None]:
    """Trial that explains features (clips, ...), or has the least mean deviation; its largest."""
    nearest = (True, np.inf), np.inf, None
    for trial in _trials(spec):
        try:
            values = _stacked(_features(sounds, trial.spec), found.shape[1:])
        except InputError:  # the clips do not allow this setting
            continue
        if values is not None:
            deviation = np.abs(found.astype(np.float64) - values)
            largest = float(deviation.max())
            key = largest > rounding, float(deviation.mean())
            nearest = min(nearest, (key, largest, trial), key=lambda tried: tried[0])
    return nearest[1:]


def _features(sounds: list, spec: dict) -> list[np.ndarray]:
    """Features of clips by a recipe."""
    wanted = spec["waveform"]
    padded = wanted["length"] == PADDED_START
    start = wanted | {"length": "start"} if padded else wanted
    given = Spec.from_json(spec | {"waveform": start})
    waveforms = [recipes.waveform(sound, rate, given.waveform) for sound, rate in sounds]
    if padded:
        waveforms = [np.pad(clip, (0, wanted["samples"] - len(clip))) for clip in waveforms]
    return [recipes.feature([clip], given)[0] for clip in waveforms]


def _stacked(clips: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray | None:
    """Features as a store holds them, (clips, *shape), padded with zeros; None if one is larger."""
    if any(len(clip) > shape[0] or clip.shape[1:] != shape[1:] for clip in clips):
        return None
    return framing.rectangle(clips, shape)


def _table(deviation: np.ndarray, spec: dict) -> str:
    """Largest and mean deviation of each bin, from deviations (clips, ..., bins[, deltas])."""
    if spec["deltas"] != "none":
        deviation = np.moveaxis(deviation, -1, 0)
    deviation = deviation.reshape(-1, deviation.shape[-1])  # (clips * frames, bins)
    bins = range(deviation.shape[1])
    if len(bins) > ALL_BINS:
        bins = np.argsort(-deviation.max(axis=0), kind="stable")[:WORST_BINS]
    lines = [f"{'bin':>10}{'largest':>12}{'mean':>12}"]
    for name, values in [
        *((str(i), deviation[:, i]) for i in bins),
        (f"all {deviation.shape[1]}", deviation),
    ]:
        lines.append(f"{name:>10}{values.max():12.2g}{values.mean():12.2g}")
    return "\n".join(lines) + "\n"


def _some(names: list[str]) -> str:
    """A few names."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _told(trial: Trial) -> str:
    """A trial in words."""
    if not trial.setting:
        return "the store's recipe"
    made_by = f" ({MADE_BY[trial.value]})" if trial.setting == "resampler" else ""
    return f"{trial.setting} {trial.value}{made_by}"


def _shown(value: object) -> str:
    """A setting as params.yaml spells it."""
    return value if isinstance(value, str) else json.dumps(value)


def _size(shape: tuple[int, ...]) -> str:
    """Shape in words."""
    return " x ".join(map(str, shape))
