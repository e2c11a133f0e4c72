"""index.csv: the clips that can be used, their lengths, hashes and ratings."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.files.index import COLUMNS, RATINGS, Index


def write(path, **changed):
    """Write an index of four clips, of which the third is quarantined."""
    columns = {
        **{"clip": list("abcd"), "status": ["ok", "ok", "quarantined", "ok"]},
        **{
            "seconds": ["1.000000", "0.500023", "", "2.5"],
            "sample_rate": ["44100"] * 2 + ["", "8000"],
        },
        **{"pcm_hash": ["00ff", "0102", "", "a0a1"], "arousal": ["1.5", "", "9", "3"]},
        "valence": ["-1", "0", "9", "2"],
    }
    tables.write(pd.DataFrame(columns | changed), path)
    return Index.read(path)


def test_usable_clips_are_numbered_from_0(tmp_path):
    usable = write(tmp_path / "index.csv").usable()
    assert usable.names == ["a", "b", "d"]
    assert list(usable.clips.index) == [0, 1, 2]


def test_lengths_are_rounded_up_after_resampling(tmp_path):
    usable = write(tmp_path / "index.csv").usable()
    assert usable.samples(44100).tolist() == [44100, 22051, 110250]
    assert usable.samples(16000).tolist() == [16000, 8001, 40000]  # 8000.4 of the second


def test_hashes_are_bytes(tmp_path):
    found = write(tmp_path / "index.csv").usable().hashes()
    np.testing.assert_array_equal(found, np.uint8([[0, 255], [1, 2], [160, 161]]))
    assert found.dtype == np.uint8


def test_ratings_are_numbers_and_nan_where_there_is_none(tmp_path):
    found = write(tmp_path / "index.csv").usable().ratings(["valence", "arousal"])
    np.testing.assert_array_equal(found, np.float32([[-1, 1.5], [0, np.nan], [2, 3]]))
    assert found.dtype == np.float32


def test_what_is_not_an_index_is_refused(tmp_path):
    tables.write(pd.DataFrame({"clip": ["a"]}), tmp_path / "index.csv")
    with pytest.raises(
        InputError, match=r"index\.csv: has no column status; index the corpus again"
    ):
        Index.read(tmp_path / "index.csv")
    with pytest.raises(InputError, match=r"b\.csv: no such file"):
        Index.read(tmp_path / "b.csv")


def test_an_index_without_usable_clips_is_refused(tmp_path):
    index = write(tmp_path / "index.csv", status="quarantined")
    with pytest.raises(
        InputError, match=r"index\.csv: none of its 4 clips is usable; see its column"
    ):
        index.usable()


def test_two_clips_of_one_name_are_refused(tmp_path):
    index = write(tmp_path / "index.csv", clip=list("abca"))
    with pytest.raises(InputError, match=r"index\.csv: has clip a more than once; index again"):
        index.usable()


def test_ratings_are_columns_once():
    assert set(RATINGS) < set(COLUMNS)
    assert len(set(COLUMNS)) == len(COLUMNS) == 25
