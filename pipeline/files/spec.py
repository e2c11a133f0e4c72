"""What made a store: every setting that decided its values, with nothing left open."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipeline.errors import InputError


@dataclass(frozen=True)
class WaveformSpec:
    """What made the waveforms of a corpus.

    Attributes
    ----------
    mix : str
        Way in which channels became one: ``mean``.
    sample_rate : int
        Rate in hertz.
    resampler, length : str
        Settings as in a waveform recipe.
    samples : int or None
        Length of a waveform, or of a segment; None where clips are left whole.
    normalise : str
    pre_emphasis : float
    pcm16 : bool
    copies : int
        Altered copies of each clip.
    augment : mapping
        Ranges of their differences.
    """

    mix: str
    sample_rate: int
    resampler: str
    length: str
    samples: int | None
    normalise: str
    pre_emphasis: float
    pcm16: bool
    copies: int
    augment: Mapping[str, Any]

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> "WaveformSpec":
        """Read what a store of waveforms states.

        Raises
        ------
        InputError
            If a setting is missing or unknown.
        """
        return cls(**_whole(cls, held))

    def to_json(self) -> dict[str, Any]:
        """Give what a store of waveforms states."""
        return dict(vars(self))


@dataclass(frozen=True)
class Spec:
    """What made a feature.

    Attributes
    ----------
    waveform : WaveformSpec
    function : str
        ``MODULE.FUNCTION`` of pipeline/features.
    settings : mapping
        All settings of the function.
    deltas : str
        What was stacked on it.
    segment, segment_hop, chunks : int
        Settings of its segments or chunks, as in a feature recipe.
    """

    waveform: WaveformSpec
    function: str
    settings: Mapping[str, Any]
    deltas: str
    segment: int
    segment_hop: int
    chunks: int

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> "Spec":
        """Read what a feature store or a card states.

        Raises
        ------
        InputError
            If a setting is missing or unknown.
        """
        whole: dict[str, Any] = {**_whole(cls, held)}
        whole["waveform"] = WaveformSpec.from_json(whole["waveform"])
        return cls(**whole)

    def to_json(self) -> dict[str, Any]:
        """Give what a feature store or a card states."""
        return vars(self) | {"waveform": self.waveform.to_json(), "settings": dict(self.settings)}


def _whole(kind: type, held: Mapping[str, Any]) -> dict[str, Any]:
    """Check that settings are all there, and no others."""
    if odd := sorted({field.name for field in fields(kind)} ^ set(held)):
        raise InputError(
            f"made by another version of this pipeline (only one of them knows {', '.join(odd)})"
        )
    return dict(held)
