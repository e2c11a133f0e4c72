"""Temporal DeepEmoCluster against arithmetic, the authors' code and the authors' weights."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.files import torch_checkpoint
from pipeline.models.deep_emo_cluster import TEMPORAL, layers
from pipeline.models.deep_emo_cluster import network as deep_emo_cluster
from pipeline.models.deep_emo_cluster.weights import from_torch, read_published
from tests.models import running
from tests.models.running import inside, noise

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
GOLDEN = SHARED / "golden" / "deepemocluster"
PUBLISHED = SHARED / "weights" / "deepemocluster"
LABEL_SCALES = {  # mean and deviation of the training labels, MSP-Podcast 1.8
    "Act": (4.44336025, 0.87837209),
    "Dom": (4.55354101, 0.72154585),
    "Val": (4.15039339, 0.84466076),
}
authors = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the authors' arrays are not here")
build = partial(running.build, "deep_emo_cluster")
values = partial(running.values, deep_emo_cluster)


def golden(name):
    """Load one archive of golden arrays."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def small(shape=(6, 9, 8), outputs=2, **settings):
    """Build a network that is quick to run."""
    return build(shape, outputs, **{"seed": 1} | settings)


# ---- known answers ---------------------------------------------------------------------------


def test_clip_is_the_mean_of_its_chunks():
    head, mean = inside(small(), noise(3, 6, 9, 8), "head", "mean")
    assert head.shape == (3, 6, 2)
    np.testing.assert_allclose(head.mean(axis=1), mean, rtol=1e-5)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_chunks_know_of_each_other(temporal):
    model = small(temporal=temporal)
    x = noise(1, 6, 9, 8)
    struck = x.copy()
    struck[0, 2] += 1
    before, after = (inside(model, clip, "temporal")[0] for clip in (x, struck))
    moved = np.flatnonzero(np.abs(after - before).max(axis=(0, 2)) > 0).tolist()
    # Two convolutions over 5 chunks see 4 away.
    known = {"triplet": [2], "none": [2], "cnn": [0, 1, 2, 3, 4, 5]}
    assert moved == known.get(temporal, [0, 1, 2, 3, 4, 5])


def test_position_code():
    code = layers.PositionCode()(np.zeros((1, 3, 4), np.float32))
    t = np.arange(3)
    wanted = np.stack([np.sin(t), np.cos(t), np.sin(t / 100), np.cos(t / 100)], axis=1)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(code)[0], wanted, atol=1e-6)


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("fill", [0.0, 3.0])
def test_silent_and_constant_clips_have_an_answer(temporal, fill):
    x = np.full((1, 6, 9, 8), fill, np.float32)
    (y,) = inside(small(temporal=temporal), x, "ratings")
    assert np.isfinite(y).all()


@pytest.mark.parametrize(
    ("temporal", "trained", "statistics"),
    [
        ("gru", 1_128_427, 1152),
        ("cnn", 832_830, 1186),
        ("trans", 1_227_755, 1152),
        ("triplet", 831_979, 1152),
        ("none", 831_979, 1152),
    ],
)
def test_parameter_counts_of_the_authors(temporal, trained, statistics):
    model = build((11, 62, 128), 1, temporal=temporal)
    for clusters, more in ((10, 0), (30, 20 * 257)):
        whole = deep_emo_cluster.with_clusters(model, clusters)
        scales = 2 * 128 + 2
        assert sum(w.size for w in values(whole).values()) == trained + more + statistics + scales
        counted = sum(int(np.prod(w.shape)) for w in whole.trainable_weights)
        assert counted == trained + more


def test_features_are_scaled_inside():
    model, x = small(), noise(3, 6, 9, 8)
    mean, std = np.linspace(-1, 1, 8), np.array([0, 0.1, 0.5, 1, 1, 2, 3, 4])
    deep_emo_cluster.set_weights(model, values(model) | {"scaled.mean": mean, "scaled.std": std})
    with np.errstate(invalid="ignore", divide="ignore"):
        wanted = np.nan_to_num((x - mean) / std).clip(-3, 3)
    wanted[..., 0] = 0  # never changed
    np.testing.assert_allclose(inside(model, x, "scaled")[0], wanted, rtol=1e-5, atol=1e-6)


def test_ratings_are_scaled_back():
    model, x = small(), noise(3, 6, 9, 8)
    scales = {"ratings.mean": np.array([4.4, -1.0]), "ratings.std": np.array([0.9, 2.0])}
    deep_emo_cluster.set_weights(model, values(model) | scales)
    mean, ratings = inside(model, x, "mean", "ratings")
    wanted = mean * scales["ratings.std"] + scales["ratings.mean"]
    np.testing.assert_allclose(ratings, wanted, rtol=1e-6)


def test_weights_without_scales_leave_them():
    model, other = small(), small(seed=2)
    deep_emo_cluster.set_weights(model, values(model) | {"ratings.std": np.array([3.0, 3.0])})
    without = {r: w for r, w in values(other).items() if r not in deep_emo_cluster.SCALES}
    deep_emo_cluster.set_weights(model, without)
    assert values(model)["ratings.std"].tolist() == [3, 3]
    np.testing.assert_array_equal(values(model)["head.kernel"], values(other)["head.kernel"])


def test_weights_at_the_start():
    weights = values(build((11, 62, 128), 1, temporal="trans", seed=3))
    for role, deviation in {
        "conv2.kernel": np.sqrt(2 / (9 * 32)),
        "dense.kernel": 0.01,
        "attend_out.kernel": 0.01,
        "feed1.kernel": 0.01,
    }.items():
        assert weights[role].std() == pytest.approx(deviation, rel=0.02), role
    assert np.abs(weights["attend_key.kernel"]).max() == pytest.approx(0.0765, rel=0.01)
    assert all(not w.any() for r, w in weights.items() if r.endswith("bias"))
    kernels = [w.tobytes() for r, w in weights.items() if r.endswith("kernel")]
    assert len(set(kernels)) == len(kernels)
    weights = values(small(temporal="gru"))
    kinds = ("kernel", "recurrent_kernel", "bias")
    parts = [weights[f"{way}.{kind}"] for way in ("forward", "backward") for kind in kinds]
    for part in parts:
        assert np.abs(part).max() == pytest.approx(0.0884, rel=0.03)
    assert len({part.ravel()[0] for part in parts}) == 6


# ---- clusters --------------------------------------------------------------------------------


def test_branches_share_the_network():
    model = small(temporal="none")
    whole = deep_emo_cluster.with_clusters(model, 4)
    x = noise(3, 6, 9, 8)
    found = {k: keras.ops.convert_to_numpy(t) for k, t in whole(x, training=False).items()}
    ratings = found.pop("ratings")
    shapes = {"attributes": 2, "clusters": 4, "points": 256, "embedding": 256}
    assert {k: v.shape for k, v in found.items()} == {k: (3, 6, n) for k, n in shapes.items()}
    assert found["points"].min() < 0  # from before the ReLU
    (mean,) = inside(model, x, "mean")
    np.testing.assert_allclose(found["attributes"].mean(axis=1), mean, rtol=1e-5)
    np.testing.assert_array_equal(ratings, mean)
    shared = {id(v) for v in model.weights}
    assert shared < {id(v) for v in whole.weights}


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_the_triplet_variant_alone_is_ordered(temporal):
    whole = deep_emo_cluster.with_clusters(small(temporal=temporal), 4)
    found = whole(noise(2, 6, 9, 8), training=False)
    assert ("ordered" in found) == (temporal == "triplet")
    if temporal == "triplet":
        embedding, ordered = (np.asarray(found[key]) for key in ("embedding", "ordered"))
        np.testing.assert_array_equal(ordered, embedding)


def test_dropout_of_the_triplet_variant_is_none():
    names = {layer.name for layer in small(temporal="triplet").layers}
    assert "drop" not in names
    assert "drop" in {layer.name for layer in small(temporal="none").layers}


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_saved_and_loaded_is_the_same(temporal, tmp_path):
    model = small(temporal=temporal)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.to_json() == model.to_json()
    x = noise(2, 6, 9, 8)
    np.testing.assert_array_equal(inside(loaded, x, "mean")[0], inside(model, x, "mean")[0])
    assert deep_emo_cluster.role_names(loaded).keys() == values(model).keys()


# ---- the authors' code -----------------------------------------------------------------------


def outputs_of_golden_weights(temporal):
    """Outputs for the golden chunks with the golden weights, in inference and in training."""
    held = golden(f"temp_{temporal}")
    state = {name[2:]: array for name, array in held.items() if name.startswith("w/")}
    model = build((11, 62, 128), 1, temporal=temporal, dropout=0, temporal_dropout=0)
    whole = deep_emo_cluster.with_clusters(model, 10)
    deep_emo_cluster.set_weights(whole, from_torch(state, Path("golden")))
    x = held["x"].reshape(2, 11, 62, 128)
    found = {}
    for mode in ("ev", "tr"):
        tensors = whole(x, training=mode == "tr")
        found |= {f"{mode}/{name}": keras.ops.convert_to_numpy(t) for name, t in tensors.items()}
    return found


def assert_golden(found, temporal):
    """Compare outputs with those of the authors' code."""
    wanted = golden(f"temp_{temporal}")
    theirs = {"attributes": "attri", "clusters": "logits", "points": "kfeat"}
    theirs |= {"embedding": "cnn_out"}
    for mode, names in {"ev": theirs, "tr": ["attributes", "clusters"]}.items():
        for name in names:
            array = wanted[f"{mode}/{theirs[name]}"]
            np.testing.assert_allclose(
                found[f"{mode}/{name}"].reshape(array.shape),
                array,
                rtol=0,
                atol=1e-4 * np.abs(array).max(),
                err_msg=f"{temporal} {mode} {name}",
            )


@pytest.mark.backends
@authors
@pytest.mark.corpus
@pytest.mark.parametrize("temporal", ["gru", "cnn", "trans", "triplet"])
def test_outputs_of_the_authors_code(temporal):
    assert_golden(outputs_of_golden_weights(temporal), temporal)


@authors
@pytest.mark.corpus
def test_position_code_of_the_authors():
    code = layers.PositionCode()(np.zeros((1, 11, 256), np.float32))
    wanted = golden("clustering")["trans/pe"]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(code)[0], wanted, atol=1e-5)


@authors
@pytest.mark.corpus
@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.pth.tar")), ids=lambda path: path.name)
def test_published_weights(path):
    held = golden("frontend")
    starts = framing.chunk_starts(len(held["mel"]))
    chunks = np.stack([held["mel"][start : start + 62] for start in starts])
    name = path.name.removesuffix(".pth.tar")
    centre, deviation = LABEL_SCALES[name.split("_")[4]]
    scales = {
        "scaled.mean": held["normmean_temporal"][0],
        "scaled.std": held["normstd_temporal"][0],
    }
    scales |= {"ratings.mean": np.array([centre]), "ratings.std": np.array([deviation])}
    temporal = "cnn" if "Temp-CNN" in path.name else "triplet"
    model = build(chunks.shape, 1, temporal=temporal)
    deep_emo_cluster.set_weights(model, read_published(path) | scales)
    scaled, head, ratings = inside(model, chunks[None], "scaled", "head", "ratings")
    np.testing.assert_allclose(scaled[0], held["chunks_temporal"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(head[0], held[f"pred_chunks/{name}"], rtol=0, atol=1e-4)
    score = float(ratings[0, 0])
    print(f"{name}: {score:.4f}, theirs {held[f'pred/{name}']:.4f}")
    assert score == pytest.approx(float(held[f"pred/{name}"]), abs=1e-3)


# ---- weights ---------------------------------------------------------------------------------


def test_weights_without_clusters_take_those_with():
    model, other = small(), small(seed=2)
    deep_emo_cluster.set_weights(model, values(deep_emo_cluster.with_clusters(other, 4)))
    wanted = values(other)
    for role, array in values(model).items():
        np.testing.assert_array_equal(array, wanted[role], role)


def test_weights_of_other_clusters():
    whole = deep_emo_cluster.with_clusters(small(), 4)
    weights = values(deep_emo_cluster.with_clusters(small(), 5))
    with pytest.raises(InputError, match=r"weights: clusters\.(kernel|bias): found shape"):
        deep_emo_cluster.set_weights(whole, weights)


def test_weights_of_another_temporal_network():
    with pytest.raises(InputError, match=r"weights: 6 missing, the first backward\.bias"):
        deep_emo_cluster.set_weights(small(), values(small(temporal="none")))


def test_weights_of_another_checkpoint(monkeypatch):
    state = {"layer1.0.weight": np.zeros((2, 2), np.float32)}
    monkeypatch.setattr(torch_checkpoint, "read_state", lambda path: state)
    message = r"w\.pth\.tar: DeepEmoCluster has no layer1\.0\.weight; wanted its checkpoint"
    with pytest.raises(InputError, match=message):
        read_published(Path("w.pth.tar"))


# ---- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8,), (62, 128), (1, 62, 128), (11, None, 128)])
def test_shapes_that_are_not_taken(shape):
    message = r"deep_emo_cluster takes \(chunks, frames, bins\), 2 chunks or more, all known; got"
    with pytest.raises(InputError, match=message):
        build(shape, 1)
