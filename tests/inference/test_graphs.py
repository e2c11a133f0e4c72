"""Classical models as ONNX files: what onnxruntime answers is what scikit-learn says."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.inference import exported, graphs
from pipeline.models import functionals
from tests.engine import test_classical as classical

pytest.importorskip("onnx", reason="the extra export is not installed")
pytest.importorskip("onnxruntime", reason="the extra export is not installed")


@pytest.mark.parametrize("name", ["svm", "logistic_regression", "ridge", "svr"])
@pytest.mark.parametrize("outputs", [2, 4])
def test_a_file_answers_as_the_model_at_any_length(name, outputs):
    attributes = ("arousal", "valence")[: outputs // 2] if name in ("ridge", "svr") else ()
    data = classical.made_up(outputs, attributes)
    training = {"attributes": attributes} if attributes else {}
    machine, _, taken = classical.fit(name, data, **training)
    model = exported.load(graphs.onnx(machine, data.x.shape[1:]), "onnx")
    assert (model.shape, model.fused) == ((1, -1, classical.BINS), False)
    assert model.values == len(data.target.outputs)
    rows = np.arange(classical.CLIPS)
    assert len(set(data.valid)) > 3
    found = model.predict(data.each(rows))
    np.testing.assert_allclose(found, machine.answer(taken), atol=1e-6, rtol=1e-6)
    (one,) = (clip[:1] for clip in data.each(rows[:1]))  # a single frame
    np.testing.assert_allclose(model.predict([one]), machine.of_clips([one]), atol=1e-6)


def test_segments_of_a_clip():
    data = classical.made_up(3)
    machine, _, _ = classical.fit("svm", data)
    draws = np.random.default_rng(1)
    clip = draws.normal(size=(4, 6, 5)).astype(np.float32)
    machine = replace(machine, axes=1)
    model = exported.load(graphs.onnx(machine, (9, 6, 5)), "onnx")
    assert model.shape == (1, -1, 6, 5)
    wanted = machine.answer(functionals.of(clip, classical.ALL, 1)[None])
    np.testing.assert_allclose(model.predict([clip]), wanted, atol=1e-6)
