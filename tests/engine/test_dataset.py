"""Store, index and folds, joined: rows must mean the same clip everywhere."""

import numpy as np
import pandas as pd
import pytest

from pipeline.engine import dataset
from pipeline.errors import InputError
from pipeline.features import augmentation
from pipeline.files import drafts, tables
from pipeline.scoring.targets import Attributes, Emotions
from tests import specs

CLIPS = ["c", "a", "d", "b"]  # the corpus's order, not the alphabet's
LABELS = ["sad", "angry", "sad", "happy"]
SPEC = specs.spec()


@pytest.fixture
def paths(tmp_path):
    """Write store, index and folds of four usable clips; a fifth in the middle is quarantined."""
    index = pd.DataFrame({"clip": CLIPS, "speaker": list("1122"), "emotion": LABELS})
    index["status"] = "ok"
    bad = pd.DataFrame({"clip": ["x"], "speaker": "3", "emotion": "sad", "status": "quarantined"})
    tables.write(pd.concat([index[:2], bad, index[2:]]), tmp_path / "index.csv")
    write_store(tmp_path / "f.zarr", CLIPS)
    parts = {10: ["test", "train", "train", "validation"], 2: ["train", "test", "train", "train"]}
    write_folds(tmp_path / "p.csv", CLIPS, LABELS, parts)
    return tmp_path / "f.zarr", tmp_path / "index.csv", tmp_path / "p.csv"


def write_store(path, clips):
    x = np.arange(len(clips) * 6, dtype=np.float32).reshape(-1, 3, 2)
    content = np.arange(len(x) * 32, dtype=np.uint8).reshape(-1, 32)
    facts = {"clips_sha256": tables.sha256(clips), "content": content}
    with drafts.create(path, x.shape, SPEC.to_json(), **facts, code="") as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], rows, np.full(len(rows), 3)))


def write_folds(path, clips, labels, parts):
    rows = [
        {"clip": clip, "label": label, "fold": fold, "part": part}
        for fold, of_fold in parts.items()
        for clip, label, part in zip(clips, labels, of_fold, strict=True)
    ]
    tables.write(pd.DataFrame(rows), path)


def test_rows_labels_and_folds_belong_together(paths):
    data = dataset.load(*paths, target=Emotions(), memory_mb=1)
    assert list(data.clips["clip"]) == CLIPS
    np.testing.assert_array_equal(data.x, np.arange(24, dtype=np.float32).reshape(4, 3, 2))
    assert isinstance(data.x, np.ndarray)
    assert data.target.labels == ("angry", "happy", "sad")
    assert [data.target.labels[i] for i in data.truth] == LABELS
    assert np.issubdtype(data.truth.dtype, np.integer)
    assert data.spec == SPEC


def test_the_pool_is_drawn_by_the_seed():
    none = np.empty(0, int)
    fold = dataset.Fold(2, none, none, none, np.arange(30, 60))
    drawn = fold.pool(5, 10)
    assert len(set(drawn)) == 10 and set(drawn) < set(range(30, 60))
    np.testing.assert_array_equal(drawn, fold.pool(5, 10))
    assert set(drawn) != set(fold.pool(6, 10))
    np.testing.assert_array_equal(fold.pool(5, 99), fold.unlabeled)
    assert not len(fold.pool(5, 0))


def test_copies_are_trained_on_and_never_tested(paths, monkeypatch):
    store, index, folds = paths
    copied = specs.spec(waveform={"copies": 2})
    monkeypatch.setitem(globals(), "SPEC", copied)
    write_store(store, augmentation.names(CLIPS, 2))
    data = dataset.load(store, index, folds, target=Emotions(), memory_mb=1)
    assert data.x.shape == (12, 3, 2)
    assert [data.target.labels[i] for i in data.truth] == 3 * LABELS
    assert list(data.clips["clip"]) == CLIPS
    second, tenth = data.folds
    assert (second.number, tenth.number) == (2, 10)
    assert list(second.train) == [0, 2, 3, 4, 6, 7, 8, 10, 11]
    assert list(second.test) == [1]
    assert list(tenth.train) == [1, 2, 5, 6, 9, 10]
    assert (list(tenth.validation), list(tenth.test)) == ([3], [0])


def test_what_does_not_fit_into_memory_is_read_from_disk(paths):
    held, on_disk = (dataset.load(*paths, target=Emotions(), memory_mb=size) for size in (1, 0))
    assert not isinstance(on_disk.x, np.ndarray)
    for rows in ([2, 0, 3], [1, 1], []):
        rows = np.array(rows, dtype=int)
        np.testing.assert_array_equal(on_disk.take(rows), held.x[rows])
        np.testing.assert_array_equal(held.take(rows), held.x[rows])


def test_folds_come_by_number_with_the_rows_of_their_parts(paths):
    second, tenth = dataset.load(*paths, target=Emotions(), memory_mb=1).folds
    assert (second.number, tenth.number) == (2, 10)
    assert second.train.tolist() == [0, 2, 3]
    assert second.test.tolist() == [1]
    assert second.validation.tolist() == []
    assert [part.tolist() for part in (tenth.train, tenth.validation, tenth.test)] == [
        *([1, 2], [3], [0])
    ]
    assert second.validation.dtype == second.train.dtype


def test_the_order_of_the_folds_file_does_not_matter(paths):
    before = dataset.load(*paths, target=Emotions(), memory_mb=1)
    tables.write(tables.read(paths[2])[::-1], paths[2])
    after = dataset.load(*paths, target=Emotions(), memory_mb=1)
    np.testing.assert_array_equal(after.truth, before.truth)
    for one, other in zip(before.folds, after.folds, strict=True):
        assert one.number == other.number
        assert set(one.train) == set(other.train)


@pytest.mark.parametrize("clips", [CLIPS[:3], [*CLIPS, "e"], sorted(CLIPS)])
def test_a_store_of_other_clips_or_another_order_is_refused(paths, clips):
    write_store(paths[0], clips)
    with pytest.raises(InputError, match=r"f\.zarr: holds other clips than .*index\.csv; run dvc"):
        dataset.load(*paths, target=Emotions(), memory_mb=1)


@pytest.mark.parametrize("clips", [[*CLIPS, "e"], [*CLIPS[:3], "x"]])
def test_folds_of_other_clips_are_refused(paths, clips):
    parts = ["test", *["train"] * (len(clips) - 1)]
    write_folds(paths[2], clips, ["sad"] * len(clips), {1: parts})
    message = rf"p\.csv: clip {clips[-1]} is not in .*index\.csv; run dvc repro$"
    with pytest.raises(InputError, match=message):
        dataset.load(*paths, target=Emotions(), memory_mb=1)


def test_clips_that_take_no_part_keep_their_rows_and_have_no_label(paths):
    write_folds(paths[2], ["c", "d", "b"], ["low", "low", "high"], {1: ["train", "test", "train"]})
    data = dataset.load(*paths, target=Emotions(), memory_mb=1)
    assert data.target.labels == ("high", "low")
    assert data.truth.tolist() == [1, -1, 1, 0]
    assert len(data.x) == 4
    (fold,) = data.folds
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 3], [2])
    assert fold.unlabeled.tolist() == []


def test_unlabeled_and_unused_clips_are_in_no_part_with_labels(paths):
    parts = {1: ["train", "unlabeled", "test", "unused"]}
    write_folds(paths[2], CLIPS, ["sad", "", "sad", ""], parts)
    data = dataset.load(*paths, target=Emotions(), memory_mb=1)
    assert data.target.labels == ("sad",)
    assert data.truth.tolist() == [0, -1, 0, -1]
    (fold,) = data.folds
    assert fold.unlabeled.tolist() == [1]
    assert fold.unlabeled.dtype == fold.train.dtype
    assert 3 not in np.concatenate([fold.train, fold.validation, fold.test, fold.unlabeled])


def test_a_clip_that_is_unused_in_one_fold_has_the_label_of_another(paths):
    parts = {
        1: ["train", "unused", "test", "train"],
        2: ["train", "test", "unused", "train"],
    }
    write_folds(paths[2], CLIPS, LABELS, parts)
    data = dataset.load(*paths, target=Emotions(), memory_mb=1)
    assert [data.target.labels[i] for i in data.truth] == LABELS


# ---- ratings ---------------------------------------------------------------------------------

AROUSAL, VALENCE = ["1.5", "", "3", "4.25"], ["-1", "0", "", "2"]  # of CLIPS


def rate(paths, **ratings):
    """Give the clips of the index ratings; that of the quarantined one is not known."""
    index = tables.read(paths[1])
    for name, values in ratings.items():
        index[name] = [*values[:2], "9", *values[2:]]
    tables.write(index, paths[1])


def rated(paths, *attributes, folds=None):
    """Load what is rated; ``folds``: the parts of the clips in each."""
    if folds:
        labels = ["" if part == "unlabeled" else "sad" for part in next(iter(folds.values()))]
        write_folds(paths[2], CLIPS, labels, folds)
    return dataset.load(*paths, target=Attributes(attributes), memory_mb=1)


def by_part(fold):
    """Rows of each part of a fold, as lists."""
    return {
        part: getattr(fold, part).tolist() for part in ("train", "validation", "test", "unlabeled")
    }


def test_ratings_stand_in_the_place_of_labels(paths):
    rate(paths, arousal=AROUSAL, valence=VALENCE)
    parts = {1: ["train", "train", "test", "validation"]}
    data = rated(paths, "arousal", folds=parts)
    assert data.target == Attributes(("arousal",))
    assert (data.truth.shape, data.truth.dtype) == ((4, 1), np.float32)
    np.testing.assert_array_equal(data.truth, np.float32([[1.5], [np.nan], [3], [4.25]]))
    assert data.samples.tolist() == [0, 1, 2, 3]  # of write_store
    both = rated(paths, "valence", "arousal", folds={1: ["train", "unused", "unused", "test"]})
    np.testing.assert_array_equal(both.truth[[0, 3]], np.float32([[-1, 1.5], [2, 4.25]]))


def test_without_attributes_ratings_decide_nothing(paths):
    before = dataset.load(*paths, target=Emotions(), memory_mb=1)
    rate(paths, arousal=AROUSAL)
    data = dataset.load(*paths, target=Emotions(), memory_mb=1)
    np.testing.assert_array_equal(data.truth, before.truth)
    assert data.target == before.target
    assert [by_part(fold) for fold in data.folds] == [by_part(fold) for fold in before.folds]


def test_who_is_not_rated_on_all_attributes_is_in_no_part_with_labels(paths):
    rate(paths, arousal=AROUSAL, valence=VALENCE)
    folds = {1: ["train", "validation", "train", "test"], 2: ["test", "train", "unused", "train"]}
    one, two = rated(paths, "arousal", folds=folds).folds
    assert by_part(one) == {"train": [0, 2], "validation": [], "test": [3], "unlabeled": []}
    assert by_part(two) == {"train": [3], "validation": [], "test": [0], "unlabeled": []}
    one, two = rated(paths, "arousal", "valence").folds
    assert by_part(one) == {"train": [0], "validation": [], "test": [3], "unlabeled": []}
    assert by_part(two) == {"train": [3], "validation": [], "test": [0], "unlabeled": []}


def test_the_pool_is_what_the_folds_say_rated_or_not(paths):
    rate(paths, arousal=AROUSAL)
    folds = {1: ["unlabeled", "unlabeled", "train", "test"]}
    (fold,) = rated(paths, "arousal", folds=folds).folds
    assert by_part(fold) == {"train": [2], "validation": [], "test": [3], "unlabeled": [0, 1]}


def test_copies_are_rated_as_the_clips_they_are_made_of(paths, monkeypatch):
    copied = specs.spec(waveform={"copies": 2})
    monkeypatch.setitem(globals(), "SPEC", copied)
    write_store(paths[0], augmentation.names(CLIPS, 2))
    rate(paths, arousal=AROUSAL)
    data = rated(paths, "arousal", folds={1: ["train", "train", "unlabeled", "test"]})
    np.testing.assert_array_equal(data.truth[:, 0], np.float32([1.5, np.nan, 3, 4.25] * 3))
    assert data.samples.tolist() == list(range(12))
    (fold,) = data.folds
    assert by_part(fold) == {"train": [0, 4, 8], "validation": [], "test": [3], "unlabeled": [2]}


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ({1: ["train", "test", "train", "train"]}, "fold 1 has no test clip that is rated on them"),
        (
            {1: ["train", "train", "test", "train"], 2: ["test", "train", "test", "unused"]},
            "fold 2 has no train clip that is rated on them",
        ),
        ({3: ["unlabeled", "train", "test", "unused"]}, "fold 3 has no train clip that is rated"),
    ],
)
def test_a_fold_without_rated_clips_is_refused(paths, folds, message):
    rate(paths, arousal=AROUSAL)
    with pytest.raises(InputError, match=rf"index\.csv: arousal: {message}"):
        rated(paths, "arousal", folds=folds)


def test_a_corpus_without_ratings_is_refused(paths):
    rate(paths, arousal=[""] * 4, valence=VALENCE)
    folds = {1: ["train", "train", "test", "train"]}
    message = r"index\.csv: arousal, valence: fold 1 has no train clip that is rated on them"
    with pytest.raises(InputError, match=message):
        rated(paths, "arousal", "valence", folds=folds)
