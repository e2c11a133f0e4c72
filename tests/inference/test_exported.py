"""Exported files: what they take and give, in 32 bits or 8; those of another bundle are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.inference import exported
from pipeline.inference.exported import Exported
from pipeline.scoring.targets import Emotions
from tests import networks, rated

SHAPE = (4, 3)  # frames, bins
MATRIX = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
CLIPS = np.random.default_rng(1).uniform(-1, 1, (20, *SHAPE)).astype(np.float32)
WANTED = CLIPS.reshape(20, 12) @ MATRIX
CARD = rated.card(Path(), Emotions(("angry", "sad")), input_shape=SHAPE, run="mine")


def content(kind):
    """Content of a file of that kind that multiplies by `MATRIX`."""
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    return {"tflite": networks.tflite, "onnx": networks.onnx}[kind](SHAPE, MATRIX)


@pytest.mark.parametrize("kind", exported.FORMATS)
def test_a_file_answers_one_clip_at_a_time(kind):
    model = exported.load(content(kind), kind)
    assert (model.shape, model.values, model.fused) == ((1, *SHAPE), 2, False)
    np.testing.assert_allclose(model.predict(list(CLIPS)), WANTED, rtol=1e-5, atol=1e-6)
    short = np.concatenate([CLIPS[0, :3], np.zeros((1, 3), np.float32)])
    np.testing.assert_array_equal(model.predict([CLIPS[0, :3]]), model.predict([short]))


def test_eight_bits_are_converted_by_their_own_scales():
    model = exported.load(networks.tflite(SHAPE, MATRIX, CLIPS), "tflite")
    found = model.predict(list(CLIPS))
    assert (model.shape, model.values, found.dtype) == ((1, *SHAPE), 2, np.float32)
    step = np.ptp(WANTED) / 255
    assert 0 < np.abs(found - WANTED).max() < 4 * step
    beyond = model.predict([100 * CLIPS[0]])  # cut at the ends of the scale, not wrapped around
    np.testing.assert_array_equal(beyond, model.predict([1000 * CLIPS[0]]))


@pytest.mark.parametrize(
    ("shape", "fused", "taken"),
    [
        ((1, -1), True, [(1, 5), (1, 2)]),  # sound, as it is
        ((1, -1, 3), False, [(1, 5), (1, 2)]),  # a feature of any length
        ((1, 6, 3), False, [(1, 6), (1, 6)]),  # filled with zeros
    ],
    ids="sound any fixed".split(),
)
def test_clips_come_in_the_shape_that_a_model_takes(shape, fused, taken):
    given = []

    def answer(clip):
        given.append(clip)
        return np.full((1, 2), clip.sum(), np.float32)

    model = Exported(shape, 2, answer)
    clips = [np.ones((n, *shape[2:]), np.float32) for n in (5, 2)]
    found = model.predict(clips)
    assert (model.fused, found.shape) == (fused, (2, 2))
    assert [clip.shape[:2] for clip in given] == taken
    np.testing.assert_array_equal(found[:, 0], [clip.sum() for clip in clips])


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", exported.FORMATS)
def test_a_file_of_another_kind_or_none(tmp_path, kind):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    (tmp_path / "a").write_bytes(b"something else entirely")
    with pytest.raises(InputError, match=r"a: not an? (TFLite|ONNX) model; write it with ser"):
        exported.read(tmp_path / "a", kind, CARD)
    with pytest.raises(InputError, match="b: no such file; write it with ser export"):
        exported.read(tmp_path / "b", kind, CARD)
    with pytest.raises(InputError, match="a folder; name one of the files that ser export wrote"):
        exported.read(tmp_path, kind, CARD)


def test_a_file_of_another_bundle(tmp_path):
    path = tmp_path / "a.tflite"
    path.write_bytes(content("tflite"))
    assert exported.read(path, "tflite", CARD).values == 2
    others = {
        "(1, 4, 3) and give 3": replace(CARD, target=Emotions(("angry", "happy", "sad"))),
        "(1, 9, 3) and give 2": replace(CARD, input_shape=(9, 3)),
        "(1, -1, 3) and give 2": replace(CARD, backend="scikit-learn"),
    }
    for takes, card in others.items():
        with pytest.raises(InputError) as error:
            exported.read(path, "tflite", card)
        assert str(error.value) == (
            f"{path}: takes (1, 4, 3) and gives 2 values, the models of run mine take {takes}; it "
            "is of another bundle"
        )
