"""``index.csv``: every clip of a corpus, a row each, in the corpus's documented order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.lazy import np

if TYPE_CHECKING:
    import pandas as pd

RATINGS = ("arousal", "dominance", "valence")
COLUMNS = (
    *"clip path corpus speaker sex emotion sentence session style partition utterance".split(),
    *("parent", *RATINGS, "seconds", "sample_rate", "channels", "level", "noise", "bandwidth"),
    *("pcm_hash", "recording", "status", "reason"),
)
USABLE = "ok"  # the status of a clip that can be used


@dataclass(frozen=True)
class Index:
    """Clips of a corpus.

    Attributes
    ----------
    clips : DataFrame
        ``COLUMNS`` as text; ``""`` where the corpus does not say.
    path : Path
        File that it was read from.
    """

    clips: pd.DataFrame
    path: Path

    @classmethod
    def read(cls, path: Path) -> Index:
        """Read an index.

        Raises
        ------
        InputError
            If there is none, it is not what ``quality.json`` next to it states, or it does not say
            which clips can be used.
        """
        path = Path(path)
        if path.is_file() and (stated := path.with_name("quality.json")).is_file():
            checked.expect(stated, path)
        clips = tables.read(path)
        if missing := [column for column in ("clip", "status") if column not in clips]:
            raise InputError(f"{path}: has no column {missing[0]}; index the corpus again")
        return cls(clips, path)

    def usable(self) -> Index:
        """Keep the clips that can be used, each under its own name, numbered from 0.

        Raises
        ------
        InputError
            If there is none, or two have one name.
        """
        clips = self.clips[self.clips["status"] == USABLE].reset_index(drop=True)
        if clips.empty:
            raise InputError(
                f"{self.path}: none of its {len(self.clips)} clips is usable; see its column reason"
            )
        twice = clips["clip"][clips["clip"].duplicated()]
        if len(twice):
            raise InputError(f"{self.path}: has clip {twice.iloc[0]} more than once; index again")
        return Index(clips, self.path)

    @property
    def names(self) -> list[str]:
        """Name of each clip."""
        return list(self.clips["clip"])

    def samples(self, sample_rate: int) -> np.ndarray:
        """Length of each clip after resampling (clips,), int: rounded up, as the resampler does.

        Parameters
        ----------
        sample_rate : int
            Rate in hertz.
        """
        rates = self.clips.sample_rate.astype(int).to_numpy()
        samples = np.rint(self.clips.seconds.astype(float).to_numpy() * rates)
        return np.ceil(samples * (sample_rate / rates)).astype(int)

    def hashes(self) -> np.ndarray:
        """Hash of the sound of each clip (clips, n), uint8."""
        return np.array([list(bytes.fromhex(pcm)) for pcm in self.clips.pcm_hash], np.uint8)

    def ratings(self, names: Sequence[str]) -> np.ndarray:
        """Ratings of each clip (clips, names), float32, NaN where it has none.

        Parameters
        ----------
        names : sequence of str
            Names from ``RATINGS``.
        """
        return self.clips[list(names)].replace("", "nan").to_numpy(dtype=np.float32)
