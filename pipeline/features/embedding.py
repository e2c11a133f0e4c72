"""Embeddings: what a layer of a trained network gives, read from a file that a user has.

The file is no part of the project. Its SHA-256 stands in the line of params.yaml, so that DVC, the
store and every bundle know which file it was; a different one is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.features import functions
from pipeline.lazy import np
from pipeline.settings import flat, mapping, read, setting

LEAKS = ("normalisation", "transductive")
POOLS = ("none", "mean", "max", "mean_std")


@dataclass(frozen=True)
class File:
    """Settings of `file`."""

    path: str = setting(
        doc="File of the network: .tflite, .onnx, or .pt, .pth, .ckpt of an LSTM as GE2E's."
    )
    sha256: str = setting("", "SHA-256 of the file; without it the message says what it is.")
    input: dict = setting(
        {},
        "What the network takes: function and settings of another feature, whose frames it sees; "
        "left out, sound.",
    )
    gain: float = setting(1.0, "Factor of the input: 32768 for sound in 16-bit steps.", above=0)
    offset: float = setting(0.0, "What is added to the input after that.", low=-1e6, high=1e6)
    rate: int | None = setting(
        None, "Sample rate that the network takes, where the file does not state it.", unit="Hz",
        low=1000,
    )  # fmt: skip
    window: int = setting(
        0, "Samples, or frames of the input, that it sees at once, where the file leaves it open; "
        "0 is the whole clip.", low=0,
    )  # fmt: skip
    hop: int = setting(
        0, "Distance of the windows; 0 is their length. What fills no window is dropped, and a "
        "shorter clip gets zeros after it.", low=0,
    )  # fmt: skip
    layer: str = setting("", "Tensor that is given; left out, the only output.")
    pool: str = setting(
        "none",
        "What is left of the vectors of a clip: all of them, their mean, largest values, or mean "
        "and deviation.",
        choices=POOLS,
    )
    pretrained_on: tuple[str, ...] = setting(
        ("unknown",), "Corpora that the network was trained on; unknown where that is not known."
    )
    leaks: tuple[str, ...] = setting(
        (),
        "What it has seen of clips that are tested, without their labels: statistics that scale "
        "(normalisation), or the clips themselves in training (transductive).",
        choices=LEAKS,
    )

    def check(self) -> None:
        """Refuse a file that is not named by its hash, and an input that is no feature."""
        if not self.sha256:
            from pipeline.files import frozen

            path = Path(self.path)
            found = f"; {path} has {frozen.sha256(path)}" if path.is_file() else ""
            raise InputError(f"sha256: missing{found}")
        if self.input:
            self.source()

    def source(self) -> tuple[functions.Function, Any]:
        """Function that makes the input, and its settings."""
        line = dict(mapping(self.input, "input"))
        if "function" not in line:
            raise InputError("input.function: missing")
        function = functions.load(str(line.pop("function")))
        return function, read(function.record, line, "input")

    def resolved(self) -> dict[str, Any]:
        """All settings, those of the input among them with nothing left unsaid."""
        if not self.input:
            return flat(self)
        function, settings = self.source()
        whole = getattr(settings, "resolved", lambda: flat(settings))()
        return flat(self) | {"input": {"function": function.name} | whole}


def file(signals: np.ndarray, sample_rate: int, settings: File) -> np.ndarray:
    """Vectors that a network gives of each window of a clip.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz, that of the network.
    settings : File

    Returns
    -------
    ndarray, shape (clips, frames, channels), float32
        Frames are windows, each with as many vectors as the layer has; one if they are pooled.

    Raises
    ------
    InputError
        If the file is missing or another one, or does not take such input.
    """
    from pipeline.files import frozen

    network = frozen.read(Path(settings.path), settings.sha256, settings.layer)
    rate = settings.rate or network.rate
    if rate is None:
        raise InputError(f"rate: {settings.path} does not state its sample rate; give it")
    if rate != sample_rate:
        raise InputError(
            f"rate: the network takes {rate} Hz, the waveforms have {sample_rate}; take a recipe "
            f"of waveforms with sample_rate: {rate}"
        )
    given = signals
    if settings.input:
        function, inner = settings.source()
        given = function.of(signals, sample_rate, inner)  # (clips, frames, bins)
    given = (given * settings.gain + settings.offset).astype(np.float32)
    length, shape = _window(network.shape, given, settings)
    found = []
    for clip in given:
        vectors = [_vectors(network.answer(part.reshape(shape)), settings)
                   for part in _parts(clip, length, settings.hop or length)]  # fmt: skip
        found.append(_pooled(np.concatenate(vectors), settings.pool))  # (frames, channels)
    return np.stack(found).astype(np.float32)


def _window(
    shape: tuple[int, ...], given: np.ndarray, settings: File
) -> tuple[int, tuple[int, ...]]:
    """Length of a window, and the shape (1, ...) in which the network takes it."""
    bins = given.shape[2:]
    channel = shape[2 + len(bins) :]  # an axis of one, after the others
    same = zip(shape[2:], bins, strict=False)
    if (
        len(shape) < 2 + len(bins)
        or any(size not in (-1, b) for size, b in same)
        or channel not in ((), (1,), (-1,))
    ):
        unit = "frames" if settings.input else "samples"
        found = ", ".join(["windows", unit, *map(str, bins)])
        raise InputError(f"{settings.path}: takes {shape}, the input is ({found}); see input")
    fixed = shape[1]
    if fixed > 0 and settings.window not in (0, fixed):
        raise InputError(f"window: the file takes {fixed}, got {settings.window}; leave it out")
    length = fixed if fixed > 0 else settings.window or given.shape[1]
    return length, (1, length, *bins, *(1 for _ in channel))


def _parts(clip: np.ndarray, length: int, hop: int) -> list[np.ndarray]:
    """Windows of a clip (samples, ...): those that are full, or one with zeros at the end."""
    if len(clip) < length:
        return [np.pad(clip, [(0, length - len(clip)), *[(0, 0)] * (clip.ndim - 1)])]
    return [clip[first : first + length] for first in range(0, len(clip) - length + 1, hop)]


def _vectors(values: np.ndarray, settings: File) -> np.ndarray:
    """What a window gives, as (vectors, channels)."""
    if values.ndim < 1 or not values.size:
        raise InputError(f"{settings.path}: the layer gives {values.shape} values of a window")
    return np.asarray(values, np.float32).reshape(-1, values.shape[-1])


def _pooled(vectors: np.ndarray, pool: str) -> np.ndarray:
    """All vectors of a clip, or one of them all (1, channels)."""
    if pool == "mean":
        return vectors.mean(axis=0, keepdims=True)
    if pool == "max":
        return vectors.max(axis=0, keepdims=True)
    if pool == "mean_std":
        return np.concatenate([vectors.mean(axis=0), vectors.std(axis=0)])[None]
    return vectors
