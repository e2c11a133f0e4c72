"""A copy of RAVDESS that would have four clips, as the stage index finds it."""

import numpy as np
import pytest

from pipeline.audit.quality import LIMITS
from pipeline.config.records import Corpus
from pipeline.corpora import ravdess
from pipeline.corpora.clip import Expected
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.stages.index import index

NAMES = [f"03-01-{emotion}-01-01-01-{actor}" for actor in ("01", "02") for emotion in ("01", "05")]
BAD = "03-01-05-01-01-01-02"
RATE = 8000
NONE = dict.fromkeys(LIMITS, 0)


def expect(monkeypatch, names=frozenset()):
    """Let RAVDESS have four clips."""
    expected = Expected(4, {"neutral": 2, "angry": 2}, {"01": 2, "02": 2}, names)
    monkeypatch.setattr(ravdess, "expected", lambda **settings: expected)


def noise(seed, seconds=1.0):
    """Draw noise, shape (samples,)."""
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))


def run(raw, **corpus):
    """Index a copy; return ``index.csv`` by clip, and ``quality.json``."""
    paths = raw.parent / "out" / "index.csv", raw.parent / "out" / "quality.json"
    index(raw, *paths, corpus=Corpus("small", {"song": False}, "ravdess", **corpus))
    return tables.read(paths[0]).set_index("path"), checked.read(paths[1])


def refused(raw, match, **corpus):
    """Check that a copy is refused with one line, and that nothing is written."""
    with pytest.raises(InputError, match=match) as error:
        run(raw, **corpus)
    assert len(str(error.value).splitlines()) == 1
    assert not (raw.parent / "out").exists()


def point_to_lfs(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
